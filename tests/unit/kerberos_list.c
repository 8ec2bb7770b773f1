/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The user's credential cache through the LSA's messages: listed, retrieved from, purged. tests/klist has what Windows
 * programs see of it; here are caches that no KDC fills, and the sanitizers.
 */
#include "kerberos_cache.h"
#include "realm.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

/* Heimdal 7.8 forgets a principal that is cut off, and the texts of errors; the leak checker sees no further. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:krb5_ret_principal\nleak:krb5_get_error_message\n";
}

static int start(void **state)
{
    (void)state;
    realm_start_peopled("");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    realm_end();
    return 0;
}

static struct kerberos_request any(void)
{
    return (struct kerberos_request){.etype = 0};
}

static unsigned count(void)
{
    const struct kerberos_request request = any();
    struct kerberos_answer answer;
    assert_int_equal(kerberos_list(&request, &answer), SEC_E_OK);
    assert_true(answer.output.size >= answer.count * sizeof(struct cs_ticket));
    cs_writer_drop(&answer.output);
    return answer.count;
}

/* The session key and the encoded ticket that RETRIEVE brings of the service; the caller drops it. */
static SECURITY_STATUS retrieve(const char *service, uint32_t how, struct kerberos_answer *answer)
{
    const struct bytes name = utf16(service);
    struct kerberos_request request = any();
    request.server = span_over(&name);
    request.retrieve = how;
    return kerberos_retrieve(&request, answer);
}

static bool has_key(const struct kerberos_answer *answer)
{
    struct cs_ticket ticket;
    uint8_t any_byte = 0;
    memcpy(&ticket, answer->output.data, sizeof ticket);
    assert_true(ticket.session_key.size >= 16);
    assert_true(sizeof ticket + ticket.session_key.offset + ticket.session_key.size <= answer->output.size);
    for (uint32_t i = 0; i < ticket.session_key.size; i++)
        any_byte |= answer->output.data[sizeof ticket + ticket.session_key.offset + i];
    return any_byte != 0;
}

static void test_keys(void **state)
{
    struct kerberos_answer answer;
    (void)state;
    realm_kinit("user", "Password");
    assert_int_equal(retrieve("", 0, &answer), SEC_E_OK);
    assert_false(has_key(&answer));
    cs_writer_drop(&answer.output);
    assert_int_equal(retrieve("", CS_RETRIEVE_TGT_KEY, &answer), SEC_E_OK);
    assert_true(has_key(&answer));
    cs_writer_drop(&answer.output);
    /* By its name it is no other ticket. */
    assert_int_equal(retrieve("krbtgt/EXAMPLE.TEST@EXAMPLE.TEST", 0, &answer), SEC_E_OK);
    assert_false(has_key(&answer));
    cs_writer_drop(&answer.output);
    assert_int_equal(retrieve("HTTP/server.example.test", CS_RETRIEVE_KEEP, &answer), SEC_E_OK);
    assert_true(has_key(&answer));
    cs_writer_drop(&answer.output);
    assert_int_equal(count(), 2);
}

/* The KRB-CRED in ANSWER, as Heimdal reads one. */
static krb5_creds **read_cred(krb5_context context, const struct kerberos_answer *answer)
{
    struct cs_ticket ticket;
    krb5_auth_context auth;
    krb5_creds **creds = NULL;
    memcpy(&ticket, answer->output.data, sizeof ticket);
    krb5_data message = {ticket.encoded.size, answer->output.data + sizeof ticket + ticket.encoded.offset};
    assert_int_equal(krb5_auth_con_init(context, &auth), 0);
    assert_int_equal(krb5_auth_con_setflags(context, auth, 0), 0);
    assert_int_equal(krb5_rd_cred(context, auth, &message, &creds, NULL), 0);
    krb5_auth_con_free(context, auth);
    assert_non_null(creds[0]);
    assert_null(creds[1]);
    return creds;
}

static void test_as_cred(void **state)
{
    const char *const service = "HTTP/server.example.test";
    struct kerberos_answer answer;
    krb5_context context;
    char *name;
    (void)state;
    realm_kinit("user", "Password");
    assert_int_equal(krb5_init_context(&context), 0);
    assert_int_equal(retrieve(service, CS_RETRIEVE_AS_CRED, &answer), SEC_E_OK);
    krb5_creds **creds = read_cred(context, &answer);
    assert_true(has_key(&answer));
    assert_int_equal(krb5_unparse_name(context, creds[0]->server, &name), 0);
    assert_string_equal(name, "HTTP/server.example.test@EXAMPLE.TEST");
    krb5_xfree(name);
    assert_true(creds[0]->times.endtime > creds[0]->times.authtime);
    const krb5_data key = creds[0]->session.keyvalue;
    assert_memory_equal(answer.output.data + answer.output.size - key.length, key.data, key.length);
    krb5_free_creds(context, creds[0]);
    krb5_xfree(creds);
    krb5_free_context(context);
    cs_writer_drop(&answer.output);
}

static void purge(const char *server, unsigned left)
{
    const struct bytes name = utf16(server);
    struct kerberos_request request = any();
    request.server = span_over(&name);
    assert_int_equal(kerberos_purge(&request), SEC_E_OK);
    assert_int_equal(count(), left);
}

/* What was removed from a file, where Heimdal only marks it, is not found again. */
static void test_purged(void **state)
{
    struct kerberos_answer answer;
    (void)state;
    realm_kinit("user", "Password");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(retrieve("HTTP/server.example.test", CS_RETRIEVE_KEEP | CS_RETRIEVE_NEW, &answer), SEC_E_OK);
        cs_writer_drop(&answer.output);
        assert_int_equal(count(), 2);
    }
    purge("HTTP/server.example.test", 1);
    assert_int_equal(retrieve("HTTP/server.example.test", CS_RETRIEVE_CACHED, &answer), SEC_E_NO_CREDENTIALS);
    purge("krbtgt/EXAMPLE.TEST", 0);
    assert_int_equal(retrieve("", 0, &answer), SEC_E_NO_CREDENTIALS);
    assert_int_equal(retrieve("HTTP/server.example.test", 0, &answer), SEC_E_NO_CREDENTIALS);
}

/* Appends a ticket for a principal of PARTS, with CREDS's keys, to the user's cache. */
static void store_for(const char *name)
{
    const struct kerberos_request request = any();
    struct kerberos_cache cache;
    krb5_creds creds = {.times = {.starttime = 1, .endtime = INT32_MAX}};
    assert_int_equal(kerberos_cache_open(&request, &cache), 0);
    creds.client = cache.logon.client;
    assert_int_equal(krb5_make_principal(cache.context, &creds.server, "EXAMPLE.TEST", name, "b/c", "", NULL), 0);
    assert_int_equal(krb5_cc_store_cred(cache.context, cache.logon.ccache, &creds), 0);
    krb5_free_principal(cache.context, creds.server);
    kerberos_cache_close(&cache);
}

/* A cache may hold tickets of any name, without keys and that are no tickets at all. */
static void test_odd_tickets(void **state)
{
    const struct kerberos_request request = any();
    struct kerberos_answer answer;
    struct cs_ticket tickets[4];
    (void)state;
    realm_kinit("user", "Password");
    store_for("a");
    store_for("\xff\xfe");
    store_for("");
    assert_int_equal(kerberos_list(&request, &answer), SEC_E_OK);
    assert_int_equal(answer.count, 4);
    assert_int_equal(answer.parts, 4 + 2 + 3 * 3);
    memcpy(tickets, answer.output.data, sizeof tickets);
    const struct bytes first = utf16("a"), second = utf16("b/c");
    const uint8_t *name = answer.output.data + sizeof tickets + tickets[1].server.offset;
    assert_int_equal(tickets[1].server.size, 2 + 2 + 6 + 2 + 2);
    assert_memory_equal(name, first.data, 2);
    assert_memory_equal(name + 4, second.data, 6);
    assert_int_equal(tickets[1].etype, 0);
    assert_memory_equal(answer.output.data + sizeof tickets + tickets[2].server.offset, "\xfd\xff\0\0", 4);
    cs_writer_drop(&answer.output);
    purge("a/b/c/", 3);
}

/* Every prefix of a cache's file is a list, or an error, and nothing else. */
static void test_cut_caches(void **state)
{
    const struct kerberos_request request = any();
    static uint8_t bytes[8192];
    (void)state;
    realm_kinit("user", "Password");
    FILE *file = fopen(realm_path("realm/ccache"), "rb");
    assert_non_null(file);
    const size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_in_range(size, 100, sizeof bytes - 1);
    for (size_t i = 0; i <= size; i += i < 200 ? 1 : 7) {
        struct kerberos_answer answer;
        file = fopen(realm_path("realm/ccache"), "wb");
        assert_int_equal(fwrite(bytes, 1, i, file), i);
        fclose(file);
        const SECURITY_STATUS status = kerberos_list(&request, &answer);
        if (status == SEC_E_OK)
            cs_writer_drop(&answer.output);
        else
            assert_int_equal(status, SEC_E_NO_CREDENTIALS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),        cmocka_unit_test(test_as_cred),    cmocka_unit_test(test_purged),
        cmocka_unit_test(test_odd_tickets), cmocka_unit_test(test_cut_caches),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
