/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Channel bindings: sent, verified, and refused when wrong or missing (errors.tsv AcceptSecurityContext,
 * SEC_E_BAD_BINDINGS and the NTLM row on ALLOW_MISSING and PROXY), and SEC_CHANNEL_BINDINGS that are none.
 *
 * Bug classes: A1 (offsets and lengths that wrap), A3 (a short TargetInfo together with channel bindings).
 */
#include "bindings.h"
#include "messages.h"
#include "unit.h"

#include <string.h>

/* SEC_CHANNEL_BINDINGS: eight words, then the data. */
struct binding {
    uint32_t initiator_type, initiator_size, initiator_offset;
    uint32_t acceptor_type, acceptor_size, acceptor_offset;
    uint32_t application_size, application_offset;
    char data[64];
};

enum { HEADER = 32 };

static struct binding application(const char *data)
{
    struct binding binding = {.application_size = (uint32_t)strlen(data), .application_offset = HEADER};
    memcpy(binding.data, data, strlen(data));
    return binding;
}

static struct cs_span binding_span(const struct binding *binding)
{
    return (struct cs_span){(const uint8_t *)binding, HEADER + strlen(binding->data)};
}

static SECURITY_STATUS run(const char *client, const char *server, uint32_t server_request)
{
    struct binding client_binding = application(client ? client : ""),
                   server_binding = application(server ? server : "");
    struct pair_setup setup = known_setup();
    struct pair pair;
    setup.server_request |= server_request;
    if (client) setup.client_bindings = binding_span(&client_binding);
    if (server) setup.server_bindings = binding_span(&server_binding);
    pair_open(&pair, "NTLM", &setup);
    SECURITY_STATUS status = pair_run(&pair);
    assert_int_equal(cs_context_session(pair.server) != NULL, status == SEC_E_OK);
    pair_close(&pair);
    return status;
}

static void right_and_wrong(void **state)
{
    (void)state;
    assert_int_equal(run("tls-unique:one", "tls-unique:one", 0), SEC_E_OK);
    assert_int_equal(run("tls-unique:one", "tls-unique:two", 0), SEC_E_BAD_BINDINGS);
    assert_int_equal(run("tls-unique:one", "tls-unique:one ", 0), SEC_E_BAD_BINDINGS);
    assert_int_equal(run("tls-unique:one", NULL, 0), SEC_E_OK);
    assert_int_equal(run(NULL, NULL, 0), SEC_E_OK);
}

/* A server may give its bindings on its first leg and leave them out on its last. */
static SECURITY_STATUS run_with_early_bindings(const char *client, const char *server)
{
    struct binding client_binding = application(client ? client : ""), server_binding = application(server);
    struct pair_setup setup = known_setup();
    struct pair pair;
    if (client) setup.client_bindings = binding_span(&client_binding);
    setup.server_bindings = binding_span(&server_binding);
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair_client_step(&pair, cs_token(pair.server)), SEC_E_OK);
    pair.setup.server_bindings = (struct cs_span){0};
    SECURITY_STATUS status = pair_server_step(&pair, cs_token(pair.client));
    pair_close(&pair);
    return status;
}

static void given_on_the_first_leg(void **state)
{
    (void)state;
    assert_int_equal(run_with_early_bindings("tls-unique:one", "tls-unique:one"), SEC_E_OK);
    assert_int_equal(run_with_early_bindings("tls-unique:one", "tls-unique:two"), SEC_E_BAD_BINDINGS);
    assert_int_equal(run_with_early_bindings(NULL, "tls-unique:one"), SEC_E_BAD_BINDINGS);
}

static void missing(void **state)
{
    (void)state;
    assert_int_equal(run(NULL, "tls-unique:one", 0), SEC_E_BAD_BINDINGS);
    assert_int_equal(run(NULL, "tls-unique:one", ASC_REQ_ALLOW_MISSING_BINDINGS), SEC_E_OK);
    assert_int_equal(run("tls-unique:two", "tls-unique:one", ASC_REQ_ALLOW_MISSING_BINDINGS), SEC_E_BAD_BINDINGS);
    assert_int_equal(run("tls-unique:one", "tls-unique:one", ASC_REQ_ALLOW_MISSING_BINDINGS), SEC_E_OK);
}

static void behind_a_proxy(void **state)
{
    (void)state;
    assert_int_equal(run("tls-unique:two", "tls-unique:one", ASC_REQ_PROXY_BINDINGS), SEC_E_OK);
    assert_int_equal(run(NULL, "tls-unique:one", ASC_REQ_PROXY_BINDINGS), SEC_E_BAD_BINDINGS);
    assert_int_equal(run(NULL, "tls-unique:one", ASC_REQ_PROXY_BINDINGS | ASC_REQ_ALLOW_MISSING_BINDINGS), SEC_E_OK);
}

/* NTLMv1 has nowhere to put them, so to the server they are missing; and so with a client told to suppress them. */
static void clients_that_cannot(void **state)
{
    struct binding binding = application("tls-unique:one");
    struct cs_policy policies[2] = {cs_default_policy(), cs_default_policy()};
    (void)state;
    policies[0].lm_compatibility_level = 2;
    policies[1].suppress_extended_protection = 1;
    for (int i = 0; i < 4; i++) {
        struct cs_policy server = cs_default_policy();
        struct pair_setup setup = known_setup();
        struct pair pair;
        server.lm_compatibility_level = 2;
        setup.client_policy = &policies[i / 2];
        setup.server_policy = &server;
        setup.client_bindings = setup.server_bindings = binding_span(&binding);
        if (i % 2) setup.server_request |= ASC_REQ_ALLOW_MISSING_BINDINGS;
        pair_open(&pair, "NTLM", &setup);
        assert_int_equal(pair_run(&pair), i % 2 ? SEC_E_OK : SEC_E_BAD_BINDINGS);
        pair_close(&pair);
    }
}

/* vectors.md section 2: 16 zero bytes without bindings */
static void zeros_without_bindings(void **state)
{
    struct pair_setup setup = known_setup();
    struct mitm mitm = {0};
    struct ntlm_authenticate message;
    struct ntlm_v2_response response;
    struct pair pair;
    (void)state;
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(mitm_run(&mitm, &pair), SEC_E_OK);
    assert_int_equal(ntlm_authenticate_read(mitm_message(&mitm, 3), &message), SEC_E_OK);
    assert_int_equal(ntlm_v2_response_read(message.nt_response, &response), SEC_E_OK);
    expect_hex(response.av.value[MsvAvChannelBindings], "00000000000000000000000000000000");
    pair_close(&pair);
    mitm_end(&mitm);
}

/* Bindings of every part, in parts that lie apart and overlap: RFC 4121 4.1.1.2 hashes them one after the other. */
static void every_part_counts(void **state)
{
    struct binding binding = {2, 4, HEADER, 3, 4, HEADER + 4, 8, HEADER, "abcdefgh"};
    uint8_t first[CS_BINDINGS_HASH_SIZE], other[CS_BINDINGS_HASH_SIZE];
    uint32_t *words = &binding.initiator_type;
    (void)state;
    assert_int_equal(cs_bindings_hash(binding_span(&binding), first), SEC_E_OK);
    for (size_t i = 0; i < 8; i++) {
        words[i] ^= 1;
        SECURITY_STATUS status = cs_bindings_hash(binding_span(&binding), other);
        if (status == SEC_E_OK) assert_memory_not_equal(first, other, sizeof first);
        words[i] ^= 1;
    }
    for (size_t i = 0; i < 8; i++) {
        binding.data[i] ^= 1;
        assert_int_equal(cs_bindings_hash(binding_span(&binding), other), SEC_E_OK);
        assert_memory_not_equal(first, other, sizeof first);
        binding.data[i] ^= 1;
    }
}

/* An empty part may name any offset. */
static void empty_parts(void **state)
{
    struct binding binding = {0, 0, 0xFFFFFFFF, 0, 0, 0x7FFFFFFF, 4, HEADER, "data"};
    uint8_t hash[CS_BINDINGS_HASH_SIZE];
    (void)state;
    assert_int_equal(cs_bindings_hash(binding_span(&binding), hash), SEC_E_OK);
}

static SECURITY_STATUS hash_exactly(struct cs_span span)
{
    uint8_t hash[CS_BINDINGS_HASH_SIZE];
    struct cs_span exact;
    assert_true(cs_span_copy(&exact, span));
    SECURITY_STATUS status = cs_bindings_hash(exact, hash);
    cs_span_drop(&exact);
    return status;
}

/* A1, in each of the three parts */
static void malformed(void **state)
{
    const uint32_t bad[][2] = {{1, 0xFFFFFFFF}, {0xFFFFFFFF, 0}, {0xFFFFFFFF, HEADER},    {0x2F, 0xFFFFFFF0},
                               {9, HEADER},     {1, HEADER + 8}, {0x80000000, 0x80000000}};
    (void)state;
    for (size_t part = 0; part < 3; part++)
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            struct binding binding = {.data = "abcdefgh"};
            uint32_t *word = part < 2 ? &binding.initiator_size + 3 * part : &binding.application_size;
            word[0] = bad[i][0];
            word[1] = bad[i][1];
            assert_int_equal(hash_exactly(binding_span(&binding)), SEC_E_BAD_BINDINGS);
        }
}

static void cut_at_every_byte(void **state)
{
    struct binding binding = application("tls-unique:one");
    const struct cs_span whole = binding_span(&binding);
    (void)state;
    assert_int_equal(hash_exactly(whole), SEC_E_OK);
    for (size_t size = 0; size < whole.size; size++)
        assert_int_equal(hash_exactly((struct cs_span){whole.data, size}), SEC_E_BAD_BINDINGS);
}

/* Bindings that are none end the exchange, on whichever side they were given. */
static void malformed_in_an_exchange(void **state)
{
    struct binding binding = {.application_size = 0x2F, .application_offset = 0xFFFFFFF0, .data = "x"};
    struct pair_setup setup = known_setup();
    struct pair pair;
    (void)state;
    setup.client_bindings = binding_span(&binding);
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(pair_run(&pair), SEC_E_BAD_BINDINGS);
    assert_null(cs_context_session(pair.client));
    pair_close(&pair);
    setup.client_bindings = (struct cs_span){NULL, 0};
    setup.server_bindings = binding_span(&binding);
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(pair_run(&pair), SEC_E_BAD_BINDINGS);
    assert_null(cs_context_session(pair.server));
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_and_wrong),
        cmocka_unit_test(given_on_the_first_leg),
        cmocka_unit_test(missing),
        cmocka_unit_test(behind_a_proxy),
        cmocka_unit_test(clients_that_cannot),
        cmocka_unit_test(zeros_without_bindings),
        cmocka_unit_test(every_part_counts),
        cmocka_unit_test(empty_parts),
        cmocka_unit_test(malformed),
        cmocka_unit_test(cut_at_every_byte),
        cmocka_unit_test(malformed_in_an_exchange),
    };
    return cmocka_run_group_tests_name("bindings", tests, known_account, forget_account);
}
