/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tokens as RFC 4121 has them, not as Windows lays them out: any EC, any RRC, in one stream or split. The other side is
 * put together here from RFC 4121 and Heimdal's RFC 3961 functions, which share no code with ours.
 */
#include "kerberos_pair.h"

#include <krb5.h>

enum { TEXT = 100, LARGEST = 70200 };

static const int32_t aes_etypes[] = {17, 18, 19, 20};

/* The other side: the client's, when FROM_INITIATOR. */
struct peer {
    krb5_context context;
    krb5_crypto crypto;
    bool from_initiator;
    uint64_t sequence;
    size_t mac_size;
};

static void peer_open(struct peer *peer, krb5_context context, int32_t etype, bool from_initiator)
{
    struct kerberos_session_seed seed = kerberos_seed(etype, KERBEROS_ORDERED, from_initiator, 0x12345678);
    krb5_keyblock key = {.keytype = etype, .keyvalue = {seed.key_size, seed.key}};
    *peer = (struct peer){.context = context, .from_initiator = from_initiator, .sequence = seed.send_sequence};
    assert_int_equal(krb5_crypto_init(context, &key, 0, &peer->crypto), 0);
    peer->mac_size = mic_size(etype) - KERBEROS_HEADER;
}

static void peer_close(struct peer *peer)
{
    krb5_crypto_destroy(peer->context, peer->crypto);
}

static struct kerberos_header peer_header(struct peer *peer, uint16_t id, uint8_t flags)
{
    const uint8_t direction = peer->from_initiator ? 0 : KERBEROS_SENT_BY_ACCEPTOR;
    return (struct kerberos_header){id, (uint8_t)(flags | direction | KERBEROS_ACCEPTOR_SUBKEY), 0, 0,
                                    peer->sequence++};
}

static unsigned seal_usage(const struct peer *peer)
{
    return peer->from_initiator ? KRB5_KU_USAGE_INITIATOR_SEAL : KRB5_KU_USAGE_ACCEPTOR_SEAL;
}

static unsigned sign_usage(const struct peer *peer)
{
    return peer->from_initiator ? KRB5_KU_USAGE_INITIATOR_SIGN : KRB5_KU_USAGE_ACCEPTOR_SIGN;
}

static void peer_checksum(const struct peer *peer, unsigned usage, uint8_t *data, size_t size, uint8_t *out)
{
    Checksum checksum;
    assert_int_equal(krb5_create_checksum(peer->context, peer->crypto, usage, 0, data, size, &checksum), 0);
    assert_int_equal(checksum.checksum.length, peer->mac_size);
    memcpy(out, checksum.checksum.data, peer->mac_size);
    free_Checksum(&checksum);
}

static void turn_right(uint8_t *data, size_t size, size_t count)
{
    static uint8_t copy[LARGEST];
    assert_true(size <= sizeof copy);
    memcpy(copy, data, size);
    for (size_t i = 0; i < size; i++) data[(i + count) % size] = copy[i];
}

/* A Wrap token into OUT; its size. RFC 4121 4.2.4: E(text, EC bytes, header without RRC), turned right by RRC. */
static size_t peer_seal(struct peer *peer, const uint8_t *text, size_t size, uint16_t ec, uint16_t rrc, uint8_t *out)
{
    struct kerberos_header header = peer_header(peer, KERBEROS_WRAP, KERBEROS_SEALED);
    static uint8_t plain[LARGEST];
    krb5_data sealed;
    header.ec = ec;
    memcpy(plain, text, size);
    memset(plain + size, 0x5A, ec);
    kerberos_header_write(&header, plain + size + ec);
    assert_int_equal(
        krb5_encrypt(peer->context, peer->crypto, seal_usage(peer), plain, size + ec + KERBEROS_HEADER, &sealed), 0);
    header.rrc = rrc;
    kerberos_header_write(&header, out);
    memcpy(out + KERBEROS_HEADER, sealed.data, sealed.length);
    turn_right(out + KERBEROS_HEADER, sealed.length, rrc);
    const size_t total = KERBEROS_HEADER + sealed.length;
    krb5_data_free(&sealed);
    return total;
}

/* The same without encryption: text, checksum of text and header, EC the checksum's size. */
static size_t peer_wrap_signed(struct peer *peer, const uint8_t *text, size_t size, uint16_t rrc, uint8_t *out)
{
    struct kerberos_header header = peer_header(peer, KERBEROS_WRAP, 0);
    uint8_t plain[TEXT + KERBEROS_HEADER];
    memcpy(plain, text, size);
    kerberos_header_write(&header, plain + size);
    memcpy(out + KERBEROS_HEADER, text, size);
    peer_checksum(peer, seal_usage(peer), plain, size + KERBEROS_HEADER, out + KERBEROS_HEADER + size);
    header.ec = (uint16_t)peer->mac_size;
    header.rrc = rrc;
    kerberos_header_write(&header, out);
    turn_right(out + KERBEROS_HEADER, size + peer->mac_size, rrc);
    return KERBEROS_HEADER + size + peer->mac_size;
}

/* First with a bit of it changed, after which every byte is back in its place; then as it is. */
static void expect_stream(struct cs_session *session, uint8_t *token, size_t size, const uint8_t *text,
                          size_t text_size, uint32_t expected_qop)
{
    static uint8_t copy[LARGEST];
    struct cs_span data;
    uint32_t qop = 7;
    token[size - 1] ^= 1;
    memcpy(copy, token, size);
    assert_int_equal(kerberos_unwrap_stream(session, token, size, &data, &qop), SEC_E_MESSAGE_ALTERED);
    assert_null(data.data);
    assert_memory_equal(token, copy, size);
    token[size - 1] ^= 1;
    assert_int_equal(kerberos_unwrap_stream(session, token, size, &data, &qop), SEC_E_OK);
    assert_int_equal(data.size, text_size);
    assert_memory_equal(data.data, text, text_size);
    assert_true(data.data >= token && data.data + data.size <= token + size);
    assert_int_equal(qop, expected_qop);
}

/* TOKEN of the size that EC asks for, and the rest in three DATA. */
static void expect_split(struct cs_session *session, uint8_t *token, size_t size, size_t token_size,
                         const uint8_t *text, size_t text_size, uint32_t expected_qop)
{
    static uint8_t copy[LARGEST];
    const size_t first = text_size / 3;
    struct parts parts = {.count = 0};
    uint32_t qop = 7;
    assert_int_equal(size - token_size, text_size);
    add_part(&parts, SECBUFFER_DATA, token + token_size, first);
    add_part(&parts, SECBUFFER_DATA, NULL, 0);
    add_part(&parts, SECBUFFER_TOKEN, token, token_size);
    add_part(&parts, SECBUFFER_DATA, token + token_size + first, text_size - first);
    const struct cs_message message = message_over(&parts);
    token[size / 2] ^= 1;
    memcpy(copy, token, size);
    assert_int_equal(cs_decrypt(session, &message, &qop), SEC_E_MESSAGE_ALTERED);
    assert_memory_equal(token, copy, size);
    token[size / 2] ^= 1;
    assert_int_equal(cs_decrypt(session, &message, &qop), SEC_E_OK);
    assert_memory_equal(token + token_size, text, text_size);
    assert_int_equal(qop, expected_qop);
}

/* One AES type: the peer's tokens go to our session of the other role, which is made for GRANTED. */
struct setting {
    struct peer peer;
    struct sessions sessions;
    struct cs_session *ours;
};

static void setting_open(struct setting *setting, krb5_context context, int32_t etype, bool from_initiator,
                         uint32_t granted)
{
    setting->sessions = kerberos_sessions(etype, granted);
    setting->ours = from_initiator ? setting->sessions.server : setting->sessions.client;
    peer_open(&setting->peer, context, etype, from_initiator);
}

static void setting_close(struct setting *setting)
{
    peer_close(&setting->peer);
    kerberos_sessions_end(&setting->sessions);
}

static void for_each_setting(krb5_context context, uint32_t granted, void (*run)(struct setting *setting))
{
    for (size_t i = 0; i < COUNT(aes_etypes); i++)
        for (int side = 0; side < 2; side++) {
            struct setting setting;
            setting_open(&setting, context, aes_etypes[i], side == 0, granted);
            run(&setting);
            setting_close(&setting);
        }
}

static const uint8_t *text(void)
{
    static uint8_t bytes[TEXT];
    for (size_t i = 0; i < TEXT; i++) bytes[i] = (uint8_t)(i * 5 + 3);
    return bytes;
}

/* RRC over the whole range of a short token, some turns more, and the largest there is. */
static void rotations_of(struct setting *setting, uint16_t ec, size_t size)
{
    const size_t token_size = 3 * KERBEROS_HEADER + ec + setting->peer.mac_size, total = token_size + size;
    static uint8_t token[LARGEST];
    for (size_t rrc = 0; rrc < 65536; rrc += rrc < 2 * total ? 1 : 9973) {
        assert_int_equal(peer_seal(&setting->peer, text(), size, ec, (uint16_t)rrc, token), total);
        expect_stream(setting->ours, token, total, text(), size, 7);
        peer_seal(&setting->peer, text(), size, ec, (uint16_t)rrc, token);
        expect_split(setting->ours, token, total, token_size, text(), size, 7);
    }
    peer_seal(&setting->peer, text(), size, ec, 0xFFFF, token);
    expect_stream(setting->ours, token, total, text(), size, 7);
}

static void rotate(struct setting *setting)
{
    rotations_of(setting, 0, 21);
    rotations_of(setting, 16, 40);
    rotations_of(setting, 5, 1);
    rotations_of(setting, 0, 0);
}

static void rotations(void **state)
{
    for_each_setting(*state, KERBEROS_ORDERED, rotate);
}

static void rotate_signed(struct setting *setting)
{
    const size_t token_size = KERBEROS_HEADER + setting->peer.mac_size;
    uint8_t token[2 * TEXT];
    for (size_t size = 0; size < 40; size += 13)
        for (size_t rrc = 0; rrc < 65536; rrc += rrc < 2 * (token_size + size) ? 1 : 9973) {
            const size_t total = peer_wrap_signed(&setting->peer, text(), size, (uint16_t)rrc, token);
            expect_stream(setting->ours, token, total, text(), size, SECQOP_WRAP_NO_ENCRYPT);
            peer_wrap_signed(&setting->peer, text(), size, (uint16_t)rrc, token);
            expect_split(setting->ours, token, total, token_size, text(), size, SECQOP_WRAP_NO_ENCRYPT);
        }
}

static void rotations_without_encryption(void **state)
{
    for_each_setting(*state, KERBEROS_ORDERED, rotate_signed);
    for_each_setting(*state, KERBEROS_ORDERED | ISC_REQ_USE_DCE_STYLE, rotate_signed);
}

/* EC of every size; the last of them make a token that is nearly all filler. */
static void fill_up(struct setting *setting)
{
    static uint8_t token[LARGEST];
    for (unsigned ec = 0; ec < 65536; ec += ec < 70 ? 1 : 13093) {
        const size_t size = peer_seal(&setting->peer, text(), TEXT, (uint16_t)ec, ec % 3 ? 0 : 28, token);
        expect_stream(setting->ours, token, size, text(), TEXT, 7);
    }
}

static void fillers(void **state)
{
    for_each_setting(*state, KERBEROS_ORDERED, fill_up);
}

/* In DCE style the bytes are turned by RRC and EC: here RRC says 28 and they are turned by 44, or what it comes to. */
static void turn_further(struct setting *setting)
{
    const size_t token_size = 3 * KERBEROS_HEADER + 16 + setting->peer.mac_size;
    uint8_t token[3 * TEXT];
    for (uint16_t rrc = 0; rrc < 60; rrc++) {
        const size_t size = peer_seal(&setting->peer, text(), TEXT, 16, rrc, token);
        turn_right(token + KERBEROS_HEADER, size - KERBEROS_HEADER, 16);
        expect_split(setting->ours, token, size, token_size, text(), TEXT, 7);
    }
}

static void dce_rotations(void **state)
{
    for_each_setting(*state, KERBEROS_ORDERED | ISC_REQ_USE_DCE_STYLE, turn_further);
}

static void sign_and_verify(struct setting *setting)
{
    for (size_t size = 0; size < TEXT; size++) {
        struct kerberos_header header = peer_header(&setting->peer, KERBEROS_MIC, 0);
        uint8_t plain[TEXT + KERBEROS_HEADER], token[TOKEN_ROOM];
        header.ec = header.rrc = 0xFFFF;
        memcpy(plain, text(), size);
        kerberos_header_write(&header, plain + size);
        memcpy(token, plain + size, KERBEROS_HEADER);
        peer_checksum(&setting->peer, sign_usage(&setting->peer), plain, size + KERBEROS_HEADER,
                      token + KERBEROS_HEADER);
        assert_int_equal(kerberos_verify(setting->ours, text(), size, token, KERBEROS_HEADER + setting->peer.mac_size),
                         SEC_E_OK);
    }
}

static void mics(void **state)
{
    for_each_setting(*state, KERBEROS_ORDERED, sign_and_verify);
}

/* What ours sends, opened by RFC 4121's book: the turn undone, E(text, EC bytes, header) decrypted. */
static void expect_by_the_book(const struct peer *peer, const struct wire *wire, bool dce_style, size_t size)
{
    const size_t total = wire->token_size + wire->data_size - KERBEROS_HEADER;
    uint8_t bytes[4 * TEXT], inner[KERBEROS_HEADER];
    struct kerberos_header header;
    krb5_data plain;
    assert_true(kerberos_header_read(wire->bytes, &header));
    memcpy(bytes, wire->bytes + KERBEROS_HEADER, total);
    turn_right(bytes, total, total - header.rrc - (dce_style ? header.ec : 0u));
    assert_int_equal(krb5_decrypt(peer->context, peer->crypto, seal_usage(peer), bytes, total, &plain), 0);
    assert_int_equal(plain.length, size + header.ec + KERBEROS_HEADER);
    assert_memory_equal(plain.data, text(), size);
    for (size_t i = 0; i < header.ec; i++) assert_int_equal(((uint8_t *)plain.data)[size + i], 0);
    header.rrc = 0;
    kerberos_header_write(&header, inner);
    assert_memory_equal((uint8_t *)plain.data + size + header.ec, inner, sizeof inner);
    krb5_data_free(&plain);
}

static void send_style(krb5_context context, int32_t etype, uint32_t granted)
{
    struct sessions sessions = kerberos_sessions(etype, granted);
    struct peer client, server;
    peer_open(&client, context, etype, true);
    peer_open(&server, context, etype, false);
    for (size_t size = 0; size <= TEXT; size++) {
        const struct wire there = kerberos_wrap(sessions.client, 0, text(), size);
        const struct wire back = kerberos_wrap(sessions.server, 0, text(), size);
        expect_by_the_book(&client, &there, granted & ISC_REQ_USE_DCE_STYLE, size);
        expect_by_the_book(&server, &back, granted & ISC_REQ_USE_DCE_STYLE, size);
    }
    peer_close(&client);
    peer_close(&server);
    kerberos_sessions_end(&sessions);
}

static void ours_by_the_book(void **state)
{
    for (size_t i = 0; i < COUNT(aes_etypes); i++) {
        send_style(*state, aes_etypes[i], KERBEROS_ORDERED);
        send_style(*state, aes_etypes[i], KERBEROS_ORDERED | ISC_REQ_USE_DCE_STYLE);
    }
}

/* RFC 4757 7.2 for RC4, with Heimdal's checksum: the MIC, whose vector MS-KILE does not have. */
static void rc4_mic(void **state)
{
    struct peer peer;
    struct sessions sessions = kerberos_sessions(23, KERBEROS_ORDERED);
    peer_open(&peer, *state, 23, true);
    for (size_t size = 0; size < TEXT; size++) {
        uint8_t token[TOKEN_ROOM], plain[8 + TEXT] = {1, 1, 0x11, 0, 0xFF, 0xFF, 0xFF, 0xFF};
        Checksum checksum;
        memcpy(plain + 8, text(), size);
        kerberos_sign(sessions.client, text(), size, token);
        assert_int_equal(
            krb5_create_checksum(peer.context, peer.crypto, KRB5_KU_USAGE_SIGN, 0, plain, 8 + size, &checksum), 0);
        assert_memory_equal(token + 13 + 16, checksum.checksum.data, 8);
        free_Checksum(&checksum);
        assert_int_equal(kerberos_verify(sessions.server, text(), size, token, 37), SEC_E_OK);
    }
    peer_close(&peer);
    kerberos_sessions_end(&sessions);
}

static int open_heimdal(void **state)
{
    krb5_context context;
    if (krb5_init_context(&context)) return -1;
    *state = context;
    return 0;
}

static int close_heimdal(void **state)
{
    krb5_free_context(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rotations), cmocka_unit_test(rotations_without_encryption),
        cmocka_unit_test(fillers),   cmocka_unit_test(dce_rotations),
        cmocka_unit_test(mics),      cmocka_unit_test(ours_by_the_book),
        cmocka_unit_test(rc4_mic),
    };
    return cmocka_run_group_tests_name("kerberos_gss_tokens", tests, open_heimdal, close_heimdal);
}
