/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos exchanges that end badly, each in the status that Windows has for it (errors.tsv, Kerberos): what is wrong
 * with a user, with a target, with a KDC, with a server's keys.
 *
 * Bug classes: A11 for Kerberos (a failed context answers as it failed), E1 (nothing freed under the caller).
 */
#include "heimdal_leaks.h"
#include "kerberos.h"
#include "realm.h"
#include "unit.h"

#include <arpa/inet.h>
#include <krb5_err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int start(void **state)
{
    (void)state;
    realm_start_peopled("");
    realm_configure("[realms]\n    DEAD.TEST = {\n        kdc = 127.0.0.1:1\n    }\n");
    realm_add_user("expired", "Password");
    realm_kadmin("modify --pw-expiration-time=2020-01-01 expired");
    realm_add_user("disabled", "Password");
    realm_kadmin("modify --attributes=disallow-all-tix disabled");
    realm_add_service("--enctypes rc4 HTTP/rc4.example.test");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    realm_end();
    return 0;
}

static SECURITY_STATUS run(const struct pair_setup *setup)
{
    struct pair pair;
    pair_open(&pair, "Kerberos", setup);
    SECURITY_STATUS status = pair_run(&pair);
    if (status < 0 && pair.client) {
        assert_null(cs_context_session(pair.client) && !pair.server);
        if (!pair.server) assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), status);
    }
    pair_close(&pair);
    return status;
}

static SECURITY_STATUS logon(const char *user, const char *domain, const char *password)
{
    struct pair_setup setup = realm_setup();
    setup.user = user;
    setup.domain = domain;
    setup.password = password;
    return run(&setup);
}

/* A user that is not there and a password that is wrong are not told apart. */
static void users(void **state)
{
    (void)state;
    assert_int_equal(logon("user", "EXAMPLE.TEST", "Password"), SEC_E_OK);
    assert_int_equal(logon("user", "EXAMPLE.TEST", "password"), SEC_E_LOGON_DENIED);
    assert_int_equal(logon("user", "EXAMPLE.TEST", ""), SEC_E_LOGON_DENIED);
    assert_int_equal(logon("nobody", "EXAMPLE.TEST", "Password"), SEC_E_LOGON_DENIED);
    assert_int_equal(logon("expired", "EXAMPLE.TEST", "Password"), SEC_E_LOGON_DENIED);
    assert_int_equal(logon("disabled", "EXAMPLE.TEST", "Password"), SEC_E_LOGON_DENIED);
}

/* How many times the KDC has been sent what no password of a user's has encrypted. */
static unsigned failed_proofs(void)
{
    static const char words[] = "Failed to decrypt PA-DATA";
    char line[1024];
    unsigned count = 0;
    FILE *log = fopen(realm_path("realm/kdc.log"), "r");
    assert_non_null(log);
    while (fgets(line, sizeof line, log)) count += strstr(line, words) != NULL;
    fclose(log);
    return count;
}

/* Where accounts are locked after some bad logons, a logon that tries twice locks them in half as many. */
static void a_wrong_password_once(void **state)
{
    (void)state;
    const unsigned before = failed_proofs();
    assert_int_equal(logon("user", "EXAMPLE.TEST", "password"), SEC_E_LOGON_DENIED);
    assert_int_equal(failed_proofs(), before + 1);
    assert_int_equal(logon("user@nowhere.test", "", "Password"), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_int_equal(logon("user@example.test", "", "password"), SEC_E_LOGON_DENIED);
    assert_int_equal(failed_proofs(), before + 2);
}

static void realms(void **state)
{
    (void)state;
    assert_int_equal(logon("user", "DEAD.TEST", "Password"), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_int_equal(logon("user", "NOWHERE.TEST", "Password"), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_int_equal(logon("user", "NOWHERE", "Password"), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_int_equal(logon("user@nowhere.test", "", "Password"), SEC_E_NO_AUTHENTICATING_AUTHORITY);
}

static SECURITY_STATUS aim(const char *target)
{
    struct pair_setup setup = realm_setup();
    setup.target = target;
    return run(&setup);
}

static void targets(void **state)
{
    (void)state;
    assert_int_equal(aim("HTTP/unknown.example.test"), SEC_E_TARGET_UNKNOWN);
    assert_int_equal(aim(NULL), SEC_E_TARGET_UNKNOWN);
    assert_int_equal(aim("@"), SEC_E_TARGET_UNKNOWN);
    assert_int_equal(aim("@EXAMPLE.TEST"), SEC_E_TARGET_UNKNOWN);
    assert_int_equal(aim("HTTP/"), SEC_E_TARGET_UNKNOWN);
    assert_int_equal(aim("HTTP/:80"), SEC_E_TARGET_UNKNOWN);
    assert_int_equal(aim("nobody@EXAMPLE.TEST"), SEC_E_TARGET_UNKNOWN);
}

/* A KDC that takes what it is sent and says nothing is not waited for any longer than krb5.conf says. */
static void silent_kdc(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    char lines[160];
    (void)state;
    const int udp = socket(AF_INET, SOCK_DGRAM, 0), tcp = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(udp, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(udp, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(bind(tcp, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(tcp, 5), 0);
    snprintf(lines, sizeof lines,
             "[libdefaults]\n    kdc_timeout = 2\n[realms]\n    SILENT.TEST = {\n        kdc = 127.0.0.1:%u\n    }\n",
             ntohs(address.sin_port));
    realm_configure(lines);
    const time_t before = time(NULL);
    assert_int_equal(logon("user", "SILENT.TEST", "Password"), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    const time_t taken = time(NULL) - before;
    print_message("a silent KDC was waited for %ld seconds\n", (long)taken);
    assert_true(taken < 10);
    close(udp);
    close(tcp);
}

static void stopped_kdc(void **state)
{
    (void)state;
    realm_pause();
    assert_int_equal(logon("user", "EXAMPLE.TEST", "Password"), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    realm_resume();
    assert_int_equal(logon("user", "EXAMPLE.TEST", "Password"), SEC_E_OK);
}

/* RC4 is refused wherever it comes up, unless krb5.conf says allow_weak_crypto. */
static void rc4(void **state)
{
    (void)state;
    assert_int_equal(aim("HTTP/rc4.example.test"), SEC_E_KDC_UNKNOWN_ETYPE);
}

static SECURITY_STATUS with_keytab(const char *keytab)
{
    char old[256];
    struct pair_setup setup = realm_setup();
    snprintf(old, sizeof old, "%s", getenv("KRB5_KTNAME"));
    setenv("KRB5_KTNAME", keytab, 1);
    SECURITY_STATUS status = run(&setup);
    setenv("KRB5_KTNAME", old, 1);
    return status;
}

static void keytabs(void **state)
{
    char other[200];
    (void)state;
    assert_int_equal(with_keytab("FILE:/nonexistent/keytab"), SEC_E_NO_CREDENTIALS);
    assert_int_equal(with_keytab("NOTYPE:thing"), SEC_E_NO_CREDENTIALS);
    assert_int_equal(with_keytab("FILE:/dev/null"), SEC_E_NO_CREDENTIALS);
    realm_kadmin("add --use-defaults --random-key HTTP/other.example.test");
    snprintf(other, sizeof other, "ext_keytab --keytab=FILE:%s HTTP/other.example.test", realm_path("other"));
    realm_kadmin(other);
    snprintf(other, sizeof other, "FILE:%s", realm_path("other"));
    assert_int_equal(with_keytab(other), SEC_E_WRONG_PRINCIPAL);
}

/* What the table must say, whoever asks: the statuses that the exchanges above cannot all provoke. */
static void table(void **state)
{
    const struct {
        krb5_error_code code;
        SECURITY_STATUS status;
    } rows[] = {
        {0, SEC_E_OK},
        {KRB5KDC_ERR_PREAUTH_FAILED, SEC_E_LOGON_DENIED},
        {KRB5KDC_ERR_KEY_EXPIRED, SEC_E_LOGON_DENIED},
        {KRB5KRB_AP_ERR_SKEW, SEC_E_TIME_SKEW},
        {KRB5_KDC_UNREACH, SEC_E_NO_AUTHENTICATING_AUTHORITY},
        {KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN, SEC_E_TARGET_UNKNOWN},
        {KRB5KRB_AP_ERR_MODIFIED, SEC_E_WRONG_PRINCIPAL},
        {KRB5KDC_ERR_ETYPE_NOSUPP, SEC_E_KDC_UNKNOWN_ETYPE},
        {KRB5_KDC_ERR_WRONG_REALM, SEC_E_KDC_UNABLE_TO_REFER},
        {KRB5KDC_ERR_BADOPTION, SEC_E_KDC_INVALID_REQUEST},
        {KRB5KDC_ERR_PADATA_TYPE_NOSUPP, SEC_E_UNSUPPORTED_PREAUTH},
        {KRB5KRB_AP_ERR_TKT_EXPIRED, SEC_E_CONTEXT_EXPIRED},
        {KRB5_FCC_NOFILE, SEC_E_NO_CREDENTIALS},
        {ASN1_OVERFLOW, SEC_E_INVALID_TOKEN},
        {KRB5_FCC_INTERNAL, SEC_E_INTERNAL_ERROR},
        {-1, SEC_E_INTERNAL_ERROR},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(kerberos_status(rows[i].code), rows[i].status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users),      cmocka_unit_test(a_wrong_password_once),
        cmocka_unit_test(realms),     cmocka_unit_test(targets),
        cmocka_unit_test(silent_kdc), cmocka_unit_test(stopped_kdc),
        cmocka_unit_test(rc4),        cmocka_unit_test(keytabs),
        cmocka_unit_test(table),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
