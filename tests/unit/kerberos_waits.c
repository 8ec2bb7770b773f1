/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long a call waits for KDCs that answer late, by and by, or not at all (KdcWaitTime, KdcSendRetries; kdc_timeout
 * and max_retries of krb5.conf), and what it comes to (errors.tsv, SEC_E_NO_AUTHENTICATING_AUTHORITY).
 */
#include "heimdal_leaks.h"
#include "kdc_forge.h"
#include "kerberos.h"
#include "realm.h"
#include "unit.h"

#include <arpa/inet.h>
#include <krb5_err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SILENT = 12 };

static int silent[SILENT]; /* sockets that nobody reads */

static unsigned silent_port(int index)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    silent[index] = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(silent[index], (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(silent[index], (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

/* SILENT.TEST has silent KDCs alone, LAST.TEST one behind some of them that says something. */
static void configure(void)
{
    char lines[2048], ports[SILENT][64];
    int length = snprintf(lines, sizeof lines, "[realms]\n    STREAM.TEST = {\n        kdc = tcp/127.0.0.1:%u\n    }\n",
                          kdc_proxy_port());
    for (int i = 0; i < SILENT; i++) snprintf(ports[i], sizeof *ports, "        kdc = 127.0.0.1:%u\n", silent_port(i));
    length += snprintf(lines + length, sizeof lines - (size_t)length, "    SILENT.TEST = {\n");
    for (int i = 0; i < SILENT; i++) length += snprintf(lines + length, sizeof lines - (size_t)length, "%s", ports[i]);
    snprintf(lines + length, sizeof lines - (size_t)length,
             "    }\n    LAST.TEST = {\n%s%s%s        kdc = 127.0.0.1:%u\n    }\n", ports[0], ports[1], ports[2],
             kdc_proxy_port());
    realm_configure(lines);
}

static int start(void **state)
{
    (void)state;
    realm_start_peopled("");
    realm_add_user("old-name", "Password");
    realm_kadmin("rename old-name salted");
    kdc_proxy_start();
    configure();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    for (int i = 0; i < SILENT; i++) close(silent[i]);
    kdc_proxy_stop();
    realm_end();
    return 0;
}

static struct cs_policy policy_of(uint32_t wait_time, uint32_t send_retries)
{
    struct cs_policy policy = cs_default_policy();
    policy.kdc_wait_time = wait_time;
    policy.kdc_send_retries = send_retries;
    return policy;
}

/* What the exchange comes to, which takes from LEAST to MOST ms. */
static SECURITY_STATUS run(const struct pair_setup *setup, int64_t least, int64_t most)
{
    struct pair pair;
    const int64_t before = kerberos_clock();
    pair_open(&pair, "Kerberos", setup);
    SECURITY_STATUS status = pair_run(&pair);
    pair_close(&pair);
    const int64_t taken = kerberos_clock() - before;
    kdc_proxy_edit(NULL, NULL);
    print_message("%d ms: %08X\n", (int)taken, (unsigned)status);
    assert_in_range(taken, least, most);
    return status;
}

static SECURITY_STATUS logon(const char *domain, const struct cs_policy *policy, int64_t least, int64_t most)
{
    struct pair_setup setup = realm_setup();
    setup.domain = domain;
    setup.client_policy = (struct cs_policy *)(uintptr_t)policy;
    return run(&setup, least, most);
}

static void say_nothing(const struct kdc_message *message, void *data, struct cs_writer *output)
{
    (void)message;
    (void)data;
    (void)output;
}

static void defaults(void **state)
{
    const struct cs_policy policy = cs_default_policy();
    (void)state;
    assert_int_equal(policy.kdc_wait_time, 10);
    assert_int_equal(policy.kdc_send_retries, 3);
}

/* One wait, though there is more to ask and there are more to be asked. */
static void nobody_answers(void **state)
{
    const struct cs_policy policy = policy_of(1, 3), odd = policy_of(0, 0);
    (void)state;
    assert_int_equal(logon("SILENT.TEST", &policy, 1000, 4000), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_int_equal(logon("SILENT.TEST", &odd, 1000, 4000), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    kdc_proxy_edit(say_nothing, NULL);
    assert_int_equal(logon("EXAMPLE.TEST", &policy, 1000, 4000), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    kdc_proxy_edit(say_nothing, NULL);
    assert_int_equal(logon("STREAM.TEST", &policy, 1000, 4000), SEC_E_NO_AUTHENTICATING_AUTHORITY);
}

/* A UPN's suffix, too, is asked for at the default realm's KDC and then at its own: there is one wait. */
static void nobody_answers_aliases(void **state)
{
    struct cs_policy policy = policy_of(2, 3);
    struct pair_setup setup = realm_setup();
    (void)state;
    setup.user = "user@suffix.test";
    setup.domain = "";
    setup.client_policy = &policy;
    kdc_proxy_edit(say_nothing, NULL);
    assert_int_equal(run(&setup, 2000, 3900), SEC_E_NO_AUTHENTICATING_AUTHORITY);
}

static void answer_logons_alone(const struct kdc_message *message, void *data, struct cs_writer *output)
{
    (void)data;
    if (message->request.data[0] != KDC_TGS_REQ) cs_write_span(output, message->reply);
}

/* Heimdal asks twice for the ticket: along the capaths, and by referrals. */
static void no_ticket(void **state)
{
    const struct cs_policy policy = policy_of(2, 3);
    (void)state;
    kdc_proxy_edit(answer_logons_alone, NULL);
    assert_int_equal(logon("EXAMPLE.TEST", &policy, 2000, 3900), SEC_E_NO_AUTHENTICATING_AUTHORITY);
}

static void answer_late(const struct kdc_message *message, void *data, struct cs_writer *output)
{
    usleep(*(const unsigned *)data * 1000);
    cs_write_span(output, message->reply);
}

/* Whoever answers each request in time is waited for, also where all of them take longer. */
static void late(void **state)
{
    const struct cs_policy policy = policy_of(1, 3);
    unsigned ms = 400;
    (void)state;
    kdc_proxy_edit(answer_late, &ms);
    assert_int_equal(logon("EXAMPLE.TEST", &policy, 1200, 4000), SEC_E_OK);
}

/* To the realm that the client comes from (RFC 6806 section 7). */
static void refer_back(const struct kdc_message *message, void *data, struct cs_writer *output)
{
    (void)message;
    usleep(*(const unsigned *)data * 1000);
    kdc_forge_error(&(struct kdc_error){.code = KRB5_KDC_ERR_WRONG_REALM, .realm = "EXAMPLE.TEST"}, output);
}

/* But not for ever: Heimdal lets itself be referred ten times. */
static void late_for_ever(void **state)
{
    struct cs_policy policy = policy_of(1, 2);
    struct pair_setup setup = realm_setup();
    unsigned ms = 600;
    (void)state;
    setup.user = "user@suffix.test";
    setup.domain = "";
    setup.client_policy = &policy;
    kdc_proxy_edit(refer_back, &ms);
    assert_int_equal(run(&setup, 1900, 5000), SEC_E_NO_AUTHENTICATING_AUTHORITY);
}

static void lose_some(const struct kdc_message *message, void *data, struct cs_writer *output)
{
    unsigned *lost = data;
    if (++*lost % 3 == 0) cs_write_span(output, message->reply);
}

static void lost_datagrams(void **state)
{
    const struct cs_policy policy = policy_of(1, 4);
    unsigned lost = 0;
    (void)state;
    kdc_proxy_edit(lose_some, &lost);
    assert_int_equal(logon("EXAMPLE.TEST", &policy, 1500, 5000), SEC_E_OK);
}

/* The one that answers is the last of several. */
static void many(void **state)
{
    const struct cs_policy policy = policy_of(1, 3);
    (void)state;
    assert_int_equal(logon("LAST.TEST", &policy, 300, 4000), SEC_E_LOGON_DENIED);
}

static void trickle(void **state)
{
    const struct cs_policy policy = policy_of(1, 3);
    (void)state;
    kdc_proxy_pause(1);
    assert_int_equal(logon("STREAM.TEST", &policy, 0, 4000), SEC_E_LOGON_DENIED);
    kdc_proxy_pause(100);
    assert_int_equal(logon("STREAM.TEST", &policy, 1000, 4000), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    kdc_proxy_pause(0);
}

/* Gives REQUEST to a fresh server context of PAIR's. */
static SECURITY_STATUS offer(struct pair *pair, const struct bytes *request)
{
    cs_context_release(pair->server);
    pair->server = NULL;
    return pair_server_step(pair, span_over(request));
}

/*
 * A server, too, asks a KDC: for the salt of its password. While none answers it guesses, and asks again when a ticket
 * does not open, but not each time (KdcBackoffTime). This one's name was another when it got its password.
 */
static void salts(void **state)
{
    struct cs_policy policy = policy_of(1, 3);
    struct pair_setup setup = realm_setup();
    struct bytes request;
    struct pair pair;
    (void)state;
    setup.target = setup.server_user = "salted";
    setup.server_domain = "EXAMPLE.TEST";
    setup.server_password = "Password";
    policy.kdc_backoff_time = 2;
    setup.server_policy = &policy;
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
    request.size = cs_token(pair.client).size;
    assert_in_range(request.size, 1, sizeof request.data);
    memcpy(request.data, cs_token(pair.client).data, request.size);
    kdc_proxy_edit(say_nothing, NULL);
    const int64_t before = kerberos_clock();
    assert_int_equal(offer(&pair, &request), SEC_E_WRONG_PRINCIPAL);
    assert_in_range(kerberos_clock() - before, 1000, 5000);
    kdc_proxy_edit(NULL, NULL);
    assert_int_equal(offer(&pair, &request), SEC_E_WRONG_PRINCIPAL);
    assert_int_equal(kdc_proxy_requests(), 0);
    usleep(2100 * 1000);
    assert_int_equal(offer(&pair, &request), SEC_E_OK);
    pair_close(&pair);
}

/* krb5.conf stands before the policy. The last case: what is configured stays. */
static void configured(void **state)
{
    struct cs_policy policy = policy_of(60, 60);
    struct pair_setup setup = realm_setup();
    unsigned ms = 1200;
    (void)state;
    realm_configure("[libdefaults]\n    kdc_timeout = 2\n    max_retries = 1\n");
    assert_int_equal(logon("SILENT.TEST", &policy, 2000, 5000), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    setup.user = "user@suffix.test";
    setup.domain = "";
    setup.client_policy = &policy;
    kdc_proxy_edit(refer_back, &ms);
    assert_int_equal(run(&setup, 2000, 5000), SEC_E_NO_AUTHENTICATING_AUTHORITY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),  cmocka_unit_test(nobody_answers), cmocka_unit_test(nobody_answers_aliases),
        cmocka_unit_test(no_ticket), cmocka_unit_test(late),           cmocka_unit_test(late_for_ever),
        cmocka_unit_test(many),      cmocka_unit_test(lost_datagrams), cmocka_unit_test(trickle),
        cmocka_unit_test(salts),     cmocka_unit_test(configured),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
