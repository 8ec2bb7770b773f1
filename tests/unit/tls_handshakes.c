/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: whole handshakes of our client with our server.
 */
#include "tls_unit.h"

static const struct {
    const char *name;
    uint32_t client, server;
    uint16_t wire;
} versions[] = {
    {"TLS 1.3", SP_PROT_TLS1_3_CLIENT, SP_PROT_TLS1_3_SERVER, 0x0304},
    {"TLS 1.2", SP_PROT_TLS1_2_CLIENT, SP_PROT_TLS1_2_SERVER, 0x0303},
    {"TLS 1.1", SP_PROT_TLS1_1_CLIENT, SP_PROT_TLS1_1_SERVER, 0x0302},
    {"TLS 1.0", SP_PROT_TLS1_0_CLIENT, SP_PROT_TLS1_0_SERVER, 0x0301},
};

static void expect_talk(struct tls_context *from, struct tls_context *to, size_t size)
{
    uint8_t *text = test_malloc(size + 1);
    for (size_t i = 0; i < size; i++) text[i] = (uint8_t)(i * 7);
    tls_expect_passes(from, to, text, size);
    test_free(text);
}

static void every_version_and_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        for (enum tls_world_key key = 0; key < TLS_WORLD_KEYS; key++) {
            const struct tls_world_setup setup = {
                .client_protocols = versions[i].client, .server_protocols = versions[i].server, .key = key};
            struct tls_world_pair pair;
            struct tls_info info;
            if (key == TLS_WORLD_ED25519 && versions[i].wire < 0x0303) continue; /* RFC 8422 5.10: from TLS 1.2 on */
            print_message("%s, key %d\n", versions[i].name, (int)key);
            tls_open_through(&pair, &setup);
            assert_int_equal(tls_query(pair.client, &info), SEC_E_OK);
            assert_int_equal(info.version, versions[i].wire);
            assert_int_equal(pair.asked, 1);
            for (size_t size = 0; size <= 16384; size = size ? size * 4 : 1) {
                expect_talk(pair.client, pair.server, size);
                expect_talk(pair.server, pair.client, size);
            }
            tls_world_close(&pair);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version_and_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
