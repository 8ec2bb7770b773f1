/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos's per-message tokens byte for byte as Windows makes them: win-kerberos-rpc-dce-aes256-1, a captured RPC
 * request, and kile-4.5-rc4-wrapex of MS-KILE; and the layout of the tokens of each type (vectors.md section 4).
 */
#include "kerberos_pair.h"

#include <gnutls/crypto.h>

/* GnuTLS's generator, for this program: what it draws first are the confounders of the vectors. */
static struct bytes next_random;

int gnutls_rnd(gnutls_rnd_level_t level, void *data, size_t size)
{
    (void)level;
    memset(data, 0, size);
    memcpy(data, next_random.data, size < next_random.size ? size : next_random.size);
    return 0;
}

static const char rpc_key[] = "131c3bb509ca2916197a90d90957aad148df91290cfc09e52ddacea1c7d8f335";
static const char rpc_header[] = "05000003100000003c014c0001000000d000000000000000";
static const char rpc_trailer[] = "1006080000000000";
static const char rpc_confounder[] = "df7b7c7f148e7133cb1d357ed2058d2c";
static const char rpc_token[] =
    "050406ff0010001c00000000027f44cdbbad4aa6a099285916232fb1db572ffae2e0ddbef2751a08f6e342533319fbc9"
    "93dd969c266ac99839f2914c045334ef73f5ae4aad5f9dfb626c8647";
static const char rpc_plain[] =
    "6c000000000000006c000000000000000100048054000000600000000000000014000000020040000200000000002400"
    "03000000010500000000000515000000dff389585683533569da6d215004000000001400020000000101000000000001"
    "00000000010100000000000512000000010100000000000512000000000000000000000000000000ffffffffffffffff"
    "ffffffff8ae3137102f4367102402800605978b94f52df118b6d83dcded720850100000033057171babe37498319b5db"
    "ef9ccc36010000000000000000000000";
static const char rpc_sealed[] =
    "0c00ca9ef549c8c49ebb008770bb4efde13c7246a34d424bcbc009b803a764deb6d9fdcb6b84ac804651d2b7c7750e07"
    "d7a1462c9b7bd75fbb4440912d6a355cdaa7207129b3c75db8135f2c285b87cf486963d9e706a762420f79b78667c4a1"
    "4c75bca0b2293ffd627f614342afd4ffe8d4319afde57819c39d04a70ecb7cf1c366622d7b4bb526f074132f0ec8d299"
    "3cc266b34c41e0a1f8a998d0deb1a72b1382a86918ad2c61540d01bf39d61a29cd6a4a3ac2726b6eaf105ab7b9157e64"
    "c57fcd72dc64fe3c1baabf8bdb038849";

static struct cs_session *rpc_session(bool initiator)
{
    const struct bytes key = unhex(rpc_key);
    struct kerberos_session_seed seed = {.initiator = initiator,
                                         .granted = KERBEROS_ORDERED | ISC_REQ_USE_DCE_STYLE,
                                         .etype = 18,
                                         .key_size = 32,
                                         .acceptor_subkey = true,
                                         .send_sequence = 0x027F44CD,
                                         .receive_sequence = 0x027F44CD,
                                         .expiry = INT64_MAX};
    memcpy(seed.key, key.data, key.size);
    struct cs_session *session = kerberos_session_create(&seed);
    assert_non_null(session);
    return session;
}

/* The request's buffers: its header and the security trailer are signed only. */
struct rpc {
    struct bytes header, data, trailer, token;
    struct parts parts;
};

static void rpc_make(struct rpc *rpc, const char *data, const char *token)
{
    const uint32_t signed_only = SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM;
    rpc->header = unhex(rpc_header);
    rpc->data = unhex(data);
    rpc->trailer = unhex(rpc_trailer);
    rpc->token = unhex(token);
    rpc->parts.count = 0;
    add_part(&rpc->parts, signed_only, rpc->header.data, rpc->header.size);
    add_part(&rpc->parts, SECBUFFER_DATA, rpc->data.data, rpc->data.size);
    add_part(&rpc->parts, signed_only, rpc->trailer.data, rpc->trailer.size);
    add_part(&rpc->parts, SECBUFFER_TOKEN, rpc->token.data, 76);
}

static void rpc_sends(void **state)
{
    struct cs_session *client = rpc_session(true);
    static struct rpc rpc;
    (void)state;
    rpc_make(&rpc, rpc_plain, "");
    next_random = unhex(rpc_confounder);
    const struct cs_message message = message_over(&rpc.parts);
    assert_int_equal(cs_encrypt(client, 0, &message), SEC_E_OK);
    assert_int_equal(rpc.parts.buffers[3].size, 76);
    expect_hex(((struct cs_span){rpc.token.data, 76}), rpc_token);
    expect_hex(span_over(&rpc.data), rpc_sealed);
    expect_hex(span_over(&rpc.header), rpc_header);
    expect_hex(span_over(&rpc.trailer), rpc_trailer);
    cs_session_release(client);
}

static void rpc_receives(void **state)
{
    struct cs_session *server = rpc_session(false);
    static struct rpc rpc;
    uint32_t qop = 7;
    (void)state;
    rpc_make(&rpc, rpc_sealed, rpc_token);
    const struct cs_message message = message_over(&rpc.parts);
    rpc.header.data[5] ^= 1;
    assert_int_equal(cs_decrypt(server, &message, &qop), SEC_E_MESSAGE_ALTERED);
    expect_hex(span_over(&rpc.data), rpc_sealed);
    expect_hex(span_over(&rpc.token), rpc_token);
    rpc.header.data[5] ^= 1;
    assert_int_equal(cs_decrypt(server, &message, &qop), SEC_E_OK);
    expect_hex(span_over(&rpc.data), rpc_plain);
    expect_hex(span_over(&rpc.header), rpc_header);
    assert_int_equal(qop, 7);
    cs_session_release(server);
}

static struct sessions kile_sessions(void)
{
    struct kerberos_session_seed client = kerberos_seed(23, KERBEROS_ORDERED, true, 0x60CBACD3);
    struct kerberos_session_seed server = kerberos_seed(23, KERBEROS_ORDERED, false, 0x60CBACD3);
    const struct bytes key = unhex("81a2cb90af7fc2d19554a150d8185359");
    memcpy(client.key, key.data, key.size);
    memcpy(server.key, key.data, key.size);
    return (struct sessions){kerberos_session_create(&client), kerberos_session_create(&server)};
}

static void kile_wrapex(void **state)
{
    const char *sealed = "8ed63f0ac83815335b72e293bae1f660";
    const struct bytes plain = unhex("112233445566778899aabbccddeeff");
    struct sessions sessions = kile_sessions();
    struct cs_span data;
    uint32_t qop = 7;
    (void)state;
    next_random = unhex("5256f3fb630cf12a");
    struct wire wire = kerberos_wrap(sessions.client, 0, plain.data, plain.size), streamed = wire;
    expect_hex(((struct cs_span){wire.bytes, wire.token_size}),
               "603b06092a864886f712010202020111001000ffffe29e8bbc6348e740ebaa619244a156a13b5cf65e3c21b9aa");
    assert_int_equal(wire.padding_size, 1);
    expect_hex(((struct cs_span){wire_data(&wire), plain.size + 1}), sealed);
    assert_int_equal(kerberos_unwrap(sessions.server, &wire, &qop), SEC_E_OK);
    assert_int_equal(wire.data_size, plain.size);
    assert_memory_equal(wire_data(&wire), plain.data, plain.size);
    kerberos_sessions_end(&sessions);

    sessions = kile_sessions();
    assert_int_equal(kerberos_unwrap_stream(sessions.server, streamed.bytes, wire_size(&streamed), &data, &qop),
                     SEC_E_OK);
    assert_int_equal(data.size, plain.size);
    assert_memory_equal(data.data, plain.data, plain.size);
    assert_int_equal(qop, 7);
    kerberos_sessions_end(&sessions);
}

/* vectors.md section 4: what is in the clear of a token */
static const struct {
    int32_t etype;
    uint32_t dce_style, qop;
    const char *client, *server; /* the header up to the number */
    uint32_t size;
} layouts[] = {
    {18, 0, 0, "050406ff0000001c", "050407ff0000001c", 60},
    {17, 0, 0, "050406ff0000001c", "050407ff0000001c", 60},
    {19, 0, 0, "050406ff00000020", "050407ff00000020", 64},
    {20, 0, 0, "050406ff00000028", "050407ff00000028", 72},
    {18, ISC_REQ_USE_DCE_STYLE, 0, "050406ff0010001c", "050407ff0010001c", 76},
    {20, ISC_REQ_USE_DCE_STYLE, 0, "050406ff00100028", "050407ff00100028", 88},
    {18, 0, SECQOP_WRAP_NO_ENCRYPT, "050404ff000c000c", "050405ff000c000c", 28},
    {18, ISC_REQ_USE_DCE_STYLE, SECQOP_WRAP_NO_ENCRYPT, "050404ff000c000c", "050405ff000c000c", 28},
    {19, 0, SECQOP_WRAP_NO_ENCRYPT, "050404ff00100010", "050405ff00100010", 32},
    {20, 0, SECQOP_WRAP_NO_ENCRYPT, "050404ff00180018", "050405ff00180018", 40},
};

static void wrap_layouts(void **state)
{
    (void)state;
    next_random = (struct bytes){.size = 16};
    for (size_t i = 0; i < COUNT(layouts); i++) {
        struct sessions sessions = kerberos_sessions(layouts[i].etype, KERBEROS_ORDERED | layouts[i].dce_style);
        const struct wire client = kerberos_wrap(sessions.client, layouts[i].qop, "text", 4);
        const struct wire server = kerberos_wrap(sessions.server, layouts[i].qop, "text", 4);
        assert_int_equal(client.token_size, layouts[i].size);
        assert_int_equal(server.token_size, layouts[i].size);
        expect_hex(((struct cs_span){client.bytes, 8}), layouts[i].client);
        expect_hex(((struct cs_span){server.bytes, 8}), layouts[i].server);
        expect_hex(((struct cs_span){client.bytes + 8, 8}), "0000000012345678");
        expect_hex(((struct cs_span){server.bytes + 8, 8}), "0000000012345a60");
        kerberos_sessions_end(&sessions);
    }
}

static void mic_layouts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kerberos_etypes); i++) {
        struct sessions sessions = kerberos_sessions(kerberos_etypes[i], KERBEROS_ORDERED);
        uint8_t token[TOKEN_ROOM];
        kerberos_sign(sessions.server, "text", 4, token);
        assert_int_equal(sessions.server->sizes.max_signature, mic_size(kerberos_etypes[i]));
        if (kerberos_etypes[i] == 23)
            expect_hex(((struct cs_span){token, 21}), "602306092a864886f71201020201011100ffffffff");
        else
            expect_hex(((struct cs_span){token, 16}), "040405ffffffffff0000000012345a60");
        kerberos_sessions_end(&sessions);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rpc_sends),    cmocka_unit_test(rpc_receives), cmocka_unit_test(kile_wrapex),
        cmocka_unit_test(wrap_layouts), cmocka_unit_test(mic_layouts),
    };
    return cmocka_run_group_tests_name("kerberos_token_vectors", tests, NULL, NULL);
}
