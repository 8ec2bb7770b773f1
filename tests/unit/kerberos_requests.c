/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos's context tokens that somebody else has made or changed: cut short, altered, replayed, reflected, out of
 * turn, with other channel bindings.
 *
 * Bug classes: C2 (empty tokens), C4 (what a half-open context yields), C5 (indefinite and overlong lengths), E1.
 */
#include "kerberos.h"
#include "kerberos_checksum.h"
#include "kerberos_token.h"
#include "realm.h"
#include "unit.h"

#include <der.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A client that has logged on already, so that a case takes no exchange with the KDC. */
static struct cs_credential *shared_client;

static int start(void **state)
{
    (void)state;
    realm_start_peopled("");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    cs_credential_release(shared_client);
    realm_end();
    return 0;
}

static void open_pair(struct pair *pair, const struct pair_setup *setup)
{
    pair_open(pair, "Kerberos", setup);
    if (shared_client) {
        cs_credential_release(pair->client_credential);
        pair->client_credential = shared_client;
    }
    shared_client = pair->client_credential;
    cs_credential_addref(shared_client);
}

static void open_half(struct pair *pair, const struct pair_setup *setup)
{
    open_pair(pair, setup);
    assert_int_equal(pair_client_step(pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
}

static struct cs_writer copy_of(struct cs_span token)
{
    struct cs_writer copy = {0};
    cs_write_span(&copy, token);
    return copy;
}

/* Gives INPUT to a fresh server context of PAIR's. */
static SECURITY_STATUS offer(struct pair *pair, struct cs_span input)
{
    cs_context_release(pair->server);
    pair->server = NULL;
    SECURITY_STATUS status = mitm_to_server(pair, input);
    assert_int_equal(cs_context_session(pair->server) != NULL, status == SEC_E_OK);
    return status;
}

static void cut_short(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    open_half(&pair, &setup);
    struct cs_writer request = copy_of(cs_token(pair.client));
    for (size_t size = 0; size < request.size; size++)
        assert_int_equal(offer(&pair, (struct cs_span){request.data, size}), SEC_E_INVALID_TOKEN);
    cs_write_u8(&request, 0);
    assert_int_equal(offer(&pair, cs_written(&request)), SEC_E_INVALID_TOKEN);
    request.size--;
    assert_int_equal(offer(&pair, cs_written(&request)), SEC_E_OK);
    cs_writer_drop(&request);
    pair_close(&pair);
}

/* What nobody reads and nothing covers may change (RFC 4120 5.5.1: reserved options, the ticket's names where the key
 * is found without them). The authenticator still serves once. */
static void altered(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    unsigned accepted = 0;
    (void)state;
    open_half(&pair, &setup);
    struct cs_writer request = copy_of(cs_token(pair.client));
    for (size_t i = 0; i < request.size * 8; i += 3) {
        request.data[i / 8] ^= (uint8_t)(1u << i % 8);
        accepted += offer(&pair, cs_written(&request)) == SEC_E_OK;
        request.data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    assert_true(accepted <= 1);
    cs_writer_drop(&request);
    pair_close(&pair);
}

static void reply_altered(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    size_t size = 1;
    (void)state;
    for (size_t i = 0; i < size; i++) {
        open_half(&pair, &setup);
        assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_E_OK);
        struct cs_writer reply = copy_of(cs_token(pair.server));
        size = reply.size;
        reply.data[i] ^= 0x10;
        assert_true(mitm_to_client(&pair, cs_written(&reply)) < 0);
        assert_null(cs_context_session(pair.client));
        cs_writer_drop(&reply);
        pair_close(&pair);
    }
}

/* The reply to another request of the same client is no proof. */
static void reply_of_another(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair one, two;
    (void)state;
    open_half(&one, &setup);
    open_half(&two, &setup);
    assert_int_equal(pair_server_step(&one, cs_token(one.client)), SEC_E_OK);
    assert_int_equal(pair_client_step(&two, cs_token(one.server)), SEC_E_WRONG_PRINCIPAL);
    pair_close(&one);
    pair_close(&two);
}

static void out_of_turn(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    open_half(&pair, &setup);
    struct cs_writer request = copy_of(cs_token(pair.client));
    assert_int_equal(offer(&pair, (struct cs_span){0}), SEC_E_INVALID_TOKEN);
    assert_int_equal(pair_server_step(&pair, cs_written(&request)), SEC_E_INVALID_TOKEN);
    assert_int_equal(pair_client_step(&pair, cs_written(&request)), SEC_E_INVALID_TOKEN);
    cs_writer_drop(&request);
    pair_close(&pair);
}

/* MESSAGE, an AP-REP, with a key version that its sender left out. */
static struct cs_writer reencoded(struct cs_span message)
{
    struct cs_writer made = {0};
    AP_REP reply;
    krb5int32 kvno = 1;
    unsigned char *bytes;
    size_t size, used;
    int code;
    assert_int_equal(decode_AP_REP(message.data, message.size, &reply, &used), 0);
    assert_null(reply.enc_part.kvno);
    reply.enc_part.kvno = &kvno;
    ASN1_MALLOC_ENCODE(AP_REP, bytes, size, &reply, &used, code);
    assert_int_equal(code, 0);
    cs_write_span(&made, (struct cs_span){bytes, size});
    reply.enc_part.kvno = NULL;
    free_AP_REP(&reply);
    free(bytes);
    return made;
}

/* In DCE style a second request is no third leg, and nor is the server's own reply. */
static void third_leg(void **state)
{
    struct pair_setup setup = realm_setup();
    (void)state;
    setup.client_request |= ISC_REQ_USE_DCE_STYLE;
    for (int kind = 0; kind < 3; kind++) {
        struct pair pair;
        open_half(&pair, &setup);
        assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_I_CONTINUE_NEEDED);
        struct cs_writer token =
            kind == 2 ? reencoded(cs_token(pair.server)) : copy_of(cs_token(kind == 1 ? pair.server : pair.client));
        assert_int_equal(pair_server_step(&pair, cs_written(&token)), SEC_E_INVALID_TOKEN);
        assert_null(cs_context_session(pair.server));
        cs_writer_drop(&token);
        pair_close(&pair);
    }
}

/* An authenticator serves once, in whichever context and for whichever credential. */
static void replayed(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair, other;
    (void)state;
    open_half(&pair, &setup);
    struct cs_writer request = copy_of(cs_token(pair.client));
    assert_int_equal(offer(&pair, cs_written(&request)), SEC_E_OK);
    assert_int_equal(offer(&pair, cs_written(&request)), SEC_E_LOGON_DENIED);
    pair_open(&other, "Kerberos", &setup);
    assert_int_equal(offer(&other, cs_written(&request)), SEC_E_LOGON_DENIED);
    cs_writer_drop(&request);
    pair_close(&other);
    pair_close(&pair);
}

/* SEC_CHANNEL_BINDINGS: eight words, then the data. */
struct binding {
    uint32_t words[6], application_size, application_offset;
    char data[64];
};

enum { HEADER = 32 };

static struct cs_span fill(struct binding *binding, const char *data)
{
    *binding = (struct binding){.application_size = (uint32_t)strlen(data), .application_offset = HEADER};
    memcpy(binding->data, data, strlen(data));
    return (struct cs_span){(const uint8_t *)binding, HEADER + strlen(data)};
}

static SECURITY_STATUS run_bound_with(const struct cs_policy *policy, const char *client, const char *server,
                                      uint32_t server_request)
{
    struct binding client_binding, server_binding;
    struct pair_setup setup = realm_setup();
    struct pair pair;
    struct cs_policy client_policy = *policy;
    setup.server_request |= server_request;
    setup.client_policy = &client_policy;
    if (client) setup.client_bindings = fill(&client_binding, client);
    if (server) setup.server_bindings = fill(&server_binding, server);
    pair_open(&pair, "Kerberos", &setup);
    SECURITY_STATUS status = pair_run(&pair);
    assert_int_equal(cs_context_session(pair.server) != NULL, status == SEC_E_OK);
    pair_close(&pair);
    return status;
}

static SECURITY_STATUS run_bound(const char *client, const char *server, uint32_t server_request)
{
    const struct cs_policy policy = cs_default_policy();
    return run_bound_with(&policy, client, server, server_request);
}

/* errors.tsv, SEC_E_BAD_BINDINGS. What may be missing are those of a client that knows of none. */
static void channel_bindings(void **state)
{
    const char *one = "tls-unique:one", *two = "tls-unique:two";
    (void)state;
    assert_int_equal(run_bound(one, one, 0), SEC_E_OK);
    assert_int_equal(run_bound(one, two, 0), SEC_E_BAD_BINDINGS);
    assert_int_equal(run_bound(one, NULL, 0), SEC_E_OK);
    assert_int_equal(run_bound(NULL, one, 0), SEC_E_BAD_BINDINGS);
    assert_int_equal(run_bound(NULL, one, ASC_REQ_ALLOW_MISSING_BINDINGS), SEC_E_BAD_BINDINGS);
    assert_int_equal(run_bound(one, one, ASC_REQ_ALLOW_MISSING_BINDINGS), SEC_E_OK);
    assert_int_equal(run_bound(two, one, ASC_REQ_ALLOW_MISSING_BINDINGS), SEC_E_BAD_BINDINGS);
    assert_int_equal(run_bound(two, one, ASC_REQ_PROXY_BINDINGS), SEC_E_OK);
    assert_int_equal(run_bound(NULL, one, ASC_REQ_PROXY_BINDINGS), SEC_E_BAD_BINDINGS);
}

/* SuppressExtendedProtection: no bindings, and no word that there might be any */
static void suppressed_bindings(void **state)
{
    struct cs_policy policy = cs_default_policy();
    const char *one = "tls-unique:one";
    (void)state;
    policy.suppress_extended_protection = 1;
    assert_int_equal(run_bound_with(&policy, one, one, 0), SEC_E_BAD_BINDINGS);
    assert_int_equal(run_bound_with(&policy, one, one, ASC_REQ_ALLOW_MISSING_BINDINGS), SEC_E_OK);
    assert_int_equal(run_bound_with(&policy, NULL, NULL, 0), SEC_E_OK);
}

/* Bug class A1 */
static void bindings_that_are_none(void **state)
{
    struct binding binding;
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    setup.client_bindings = fill(&binding, "tls-unique:one");
    binding.application_offset = 0xFFFFFFF0;
    open_pair(&pair, &setup);
    assert_int_equal(pair_run(&pair), SEC_E_BAD_BINDINGS);
    pair_close(&pair);
}

/* RFC 4121 4.1.1, byte by byte */
static void checksum(void **state)
{
    const char *cases[] = {"10000000000102030405060708090a0b0c0d0e0f3e000000",
                           "10000000000102030405060708090a0b0c0d0e0f3f00000001000200abcd"};
    struct kerberos_checksum read;
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct bytes bytes = unhex(cases[i]);
        struct cs_writer written = {0};
        assert_true(kerberos_checksum_read(span_over(&bytes), &read));
        assert_int_equal(read.flags, i ? 0x3F : 0x3E);
        assert_int_equal(read.delegated.size, i ? 2 : 0);
        kerberos_checksum_write(&written, &read);
        expect_hex(cs_written(&written), cases[i]);
        cs_writer_drop(&written);
        for (size_t size = 0; size < bytes.size; size++)
            assert_false(kerberos_checksum_read((struct cs_span){bytes.data, size}, &read));
        bytes.data[0] = 0x11;
        assert_false(kerberos_checksum_read(span_over(&bytes), &read));
    }
    struct bytes extended = unhex("10000000000102030405060708090a0b0c0d0e0f3e000000ffff");
    assert_true(kerberos_checksum_read(span_over(&extended), &read));
}

static void framing(void **state)
{
    const char *good[] = {"600f06092a864886f71201020201006e00",
                          "600f06092a864886f71201020202006f00",
                          "600f06092a864886f71201020203007e00",
                          "6e00",
                          "6f020000",
                          "7e00"};
    const char *bad[] = {"",
                         "60",
                         "6e0000",
                         "6e80",
                         "700e",
                         "600f06092a864886f71201020202006e00",     /* an AP-REP's id, an AP-REQ's tag */
                         "600f06092a864886f71201020301006e00",     /* another OID */
                         "600f06092a864886f71201020201006e0000",   /* a byte after it */
                         "601006092a864886f71201020201006e0000",   /* a byte inside, after it */
                         "608006092a864886f71201020201006e000000", /* an indefinite length */
                         "60810f06092a864886f71201020201006e00",   /* a length in more bytes than it needs */
                         "600d06092a864886f7120102020100"};
    struct bytes microsoft = unhex("600f06092a864882f71201020202006f00");
    struct kerberos_token token;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct bytes bytes = unhex(good[i]);
        struct cs_writer written = {0};
        assert_true(kerberos_token_read(span_over(&bytes), &token));
        kerberos_token_write(&written, &token);
        expect_hex(cs_written(&written), good[i]);
        cs_writer_drop(&written);
    }
    assert_true(kerberos_token_read(span_over(&microsoft), &token));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bytes bytes = unhex(bad[i]);
        assert_false(kerberos_token_read(span_over(&bytes), &token));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_short),     cmocka_unit_test(altered),
        cmocka_unit_test(reply_altered), cmocka_unit_test(reply_of_another),
        cmocka_unit_test(out_of_turn),   cmocka_unit_test(third_leg),
        cmocka_unit_test(replayed),      cmocka_unit_test(channel_bindings),
        cmocka_unit_test(checksum),      cmocka_unit_test(bindings_that_are_none),
        cmocka_unit_test(framing),       cmocka_unit_test(suppressed_bindings),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
