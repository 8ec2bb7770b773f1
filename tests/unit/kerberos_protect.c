/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos messages both ways, of every length, in every shape that programs give their buffers.
 */
#include "kerberos_pair.h"

static const uint32_t styles[] = {KERBEROS_ORDERED, KERBEROS_ORDERED | ISC_REQ_USE_DCE_STYLE};
static const uint32_t qualities[] = {0, SECQOP_WRAP_NO_ENCRYPT};

static void fill(uint8_t *data, size_t size, unsigned *seed)
{
    for (size_t i = 0; i < size; i++) data[i] = (uint8_t)rand_r(seed);
}

/* Every type, style and quality of protection, each with sessions of its own. */
static void for_each_kind(void (*run)(const struct sessions *sessions, int32_t etype, uint32_t qop))
{
    for (size_t i = 0; i < COUNT(kerberos_etypes); i++)
        for (size_t j = 0; j < COUNT(styles); j++)
            for (size_t k = 0; k < COUNT(qualities); k++) {
                struct sessions sessions = kerberos_sessions(kerberos_etypes[i], styles[j]);
                run(&sessions, kerberos_etypes[i], qualities[k]);
                kerberos_sessions_end(&sessions);
            }
}

static void expect_one_passes(struct cs_session *from, struct cs_session *to, uint32_t qop, const uint8_t *text,
                              size_t size)
{
    uint32_t got = 7;
    struct wire wire = kerberos_wrap(from, qop, text, size);
    assert_int_equal(wire.data_size, size);
    if (size >= 16 && !qop) assert_memory_not_equal(wire_data(&wire), text, size);
    if (qop) assert_memory_equal(wire_data(&wire), text, size);
    assert_int_equal(kerberos_unwrap(to, &wire, &got), SEC_E_OK);
    assert_int_equal(wire.data_size, size);
    assert_memory_equal(wire_data(&wire), text, size);
    assert_int_equal(got, qop ? qop : 7);

    struct cs_span data;
    wire = kerberos_wrap(from, qop, text, size);
    got = 7;
    assert_int_equal(kerberos_unwrap_stream(to, wire.bytes, wire_size(&wire), &data, &got), SEC_E_OK);
    assert_int_equal(data.size, size);
    assert_ptr_equal(data.data, wire_data(&wire));
    assert_memory_equal(data.data, text, size);
    assert_int_equal(got, qop ? qop : 7);
}

static void send_lengths(const struct sessions *sessions, int32_t etype, uint32_t qop)
{
    unsigned seed = (unsigned)etype;
    uint8_t text[4200];
    fill(text, sizeof text, &seed);
    for (size_t size = 0; size < 4120; size = size == 200 ? 4080 : size + 1) {
        expect_one_passes(sessions->client, sessions->server, qop, text, size);
        expect_one_passes(sessions->server, sessions->client, qop, text, size);
    }
}

static void lengths(void **state)
{
    (void)state;
    for_each_kind(send_lengths);
}

enum { CUTS = 5, MOST = 150 };

/* Where a message lies, cut into buffers; those with a header in front are signed only, or passed over. */
struct cut_message {
    uint8_t text[MOST], headers[CUTS][8], token[TOKEN_ROOM], padding;
    struct cs_buffer buffers[2 * CUTS + 2];
    uint32_t count;
};

static void add(struct cut_message *cut, uint32_t type, void *data, size_t size)
{
    cut->buffers[cut->count++] = (struct cs_buffer){(uint32_t)size, type, (uint64_t)(uintptr_t)data};
}

/* Lays buffers over CUT's bytes by SEED: pieces of any size, 0 too, with headers among them, and TOKEN anywhere. */
static struct cs_message lay(struct cut_message *cut, size_t size, size_t token_size, unsigned seed)
{
    const uint32_t kinds[] = {SECBUFFER_READONLY_WITH_CHECKSUM, SECBUFFER_READONLY};
    const int token_place = rand_r(&seed) % CUTS;
    uint8_t *data = cut->text;
    cut->count = 0;
    for (int i = 0; i < CUTS; i++) {
        const size_t n = i + 1 == CUTS ? size : (size_t)rand_r(&seed) % (size + 1);
        if (i == token_place) add(cut, SECBUFFER_TOKEN, cut->token, token_size);
        add(cut, SECBUFFER_DATA | kinds[i % 2], cut->headers[i], (size_t)rand_r(&seed) % 9);
        add(cut, SECBUFFER_DATA, data, n);
        data += n;
        size -= n;
    }
    add(cut, SECBUFFER_PADDING, &cut->padding, 1);
    return (struct cs_message){cut->buffers, cut->count};
}

static void send_cut(const struct sessions *sessions, size_t size, unsigned seed, uint32_t qop)
{
    struct cut_message cut = {.count = 0}, before;
    uint32_t got = 7;
    fill(cut.text, sizeof cut.text, &seed);
    fill(cut.headers[0], sizeof cut.headers, &seed);
    before = cut;
    struct cs_message message = lay(&cut, size, sessions->client->sizes.security_trailer, seed);
    assert_int_equal(cs_encrypt(sessions->client, qop, &message), SEC_E_OK);
    assert_memory_equal(cut.headers, before.headers, sizeof cut.headers);
    uint32_t token_size = 0;
    for (uint32_t i = 0; i < cut.count; i++)
        if (cut.buffers[i].type == SECBUFFER_TOKEN) token_size = cut.buffers[i].size;

    message = lay(&cut, size, token_size, seed);
    const struct cut_message sealed = cut;
    cut.headers[0][0] ^= 1; /* READONLY_WITH_CHECKSUM: covered, if it has a size */
    if (cut.buffers[0].type != SECBUFFER_TOKEN && cut.buffers[0].size) {
        assert_int_equal(cs_decrypt(sessions->server, &message, &got), SEC_E_MESSAGE_ALTERED);
        assert_memory_equal(cut.text, sealed.text, sizeof cut.text);
    }
    cut.headers[0][0] ^= 1;
    cut.headers[1][0] ^= 1; /* READONLY: not */
    assert_int_equal(cs_decrypt(sessions->server, &message, &got), SEC_E_OK);
    assert_memory_equal(cut.text, before.text, sizeof cut.text);
}

static void send_cuts(const struct sessions *sessions, int32_t etype, uint32_t qop)
{
    unsigned seed = (unsigned)etype;
    for (size_t size = 0; size <= MOST; size++)
        for (int i = 0; i < 6; i++) send_cut(sessions, size, (unsigned)rand_r(&seed), qop);
}

static void cuts(void **state)
{
    (void)state;
    for_each_kind(send_cuts);
}

static void sign_lengths(const struct sessions *sessions, int32_t etype, uint32_t qop)
{
    unsigned seed = (unsigned)etype;
    uint8_t text[300], token[TOKEN_ROOM], stream[TOKEN_ROOM + sizeof text];
    const uint32_t size_of_token = mic_size(etype);
    (void)qop;
    fill(text, sizeof text, &seed);
    for (size_t size = 0; size < sizeof text; size++) {
        kerberos_sign(sessions->client, text, size, token);
        assert_int_equal(kerberos_verify(sessions->server, text, size, token, size_of_token), SEC_E_OK);

        kerberos_sign(sessions->server, text, size, token);
        memcpy(stream, token, size_of_token);
        memcpy(stream + size_of_token, text, size);
        struct parts parts = {.count = 0};
        add_part(&parts, SECBUFFER_STREAM, stream, size_of_token + size);
        add_part(&parts, SECBUFFER_DATA, NULL, 0);
        const struct cs_message message = message_over(&parts);
        assert_int_equal(cs_verify_signature(sessions->client, &message), SEC_E_OK);
        assert_ptr_equal(cs_buffer_bytes(&parts.buffers[1]), stream + size_of_token);
        assert_int_equal(parts.buffers[1].size, size);
    }
}

static void signatures(void **state)
{
    (void)state;
    for_each_kind(sign_lengths);
}

/* errors.tsv MakeSignature/VerifySignature: READONLY is signed too, as .NET has it */
static void readonly_signed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kerberos_etypes); i++) {
        struct sessions sessions = kerberos_sessions(kerberos_etypes[i], KERBEROS_ORDERED);
        uint8_t token[TOKEN_ROOM];
        char text[] = "read only";
        struct parts parts = {.count = 0};
        add_part(&parts, SECBUFFER_DATA | SECBUFFER_READONLY, text, sizeof text);
        add_part(&parts, SECBUFFER_TOKEN, token, mic_size(kerberos_etypes[i]));
        const struct cs_message message = message_over(&parts);
        assert_int_equal(cs_make_signature(sessions.client, &message), SEC_E_OK);
        text[0] ^= 1;
        assert_int_equal(cs_verify_signature(sessions.server, &message), SEC_E_MESSAGE_ALTERED);
        text[0] ^= 1;
        assert_int_equal(cs_verify_signature(sessions.server, &message), SEC_E_OK);
        kerberos_sessions_end(&sessions);
    }
}

/* attributes.tsv SIZES, SESSION_KEY */
static void attributes(void **state)
{
    static const struct {
        int32_t etype;
        uint32_t signature, trailer, bits;
        const char *name;
    } expected[] = {
        {17, 28, 76, 128, "AES-128-CTS-HMAC-SHA1-96"},    {18, 28, 76, 256, "AES-256-CTS-HMAC-SHA1-96"},
        {19, 32, 80, 128, "AES-128-CTS-HMAC-SHA256-128"}, {20, 40, 88, 256, "AES-256-CTS-HMAC-SHA384-192"},
        {23, 37, 49, 128, "RSADSI RC4-HMAC(NT)"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(expected); i++) {
        const struct kerberos_session_seed seed = kerberos_seed(expected[i].etype, KERBEROS_ORDERED, true, 1);
        struct cs_session *session = kerberos_session_create(&seed);
        assert_string_equal(session->package, "Kerberos");
        assert_int_equal(session->sizes.max_token, 48000);
        assert_int_equal(session->sizes.max_signature, expected[i].signature);
        assert_int_equal(session->sizes.security_trailer, expected[i].trailer);
        assert_int_equal(session->sizes.block_size, 1);
        assert_int_equal(session->key_info.key_size, expected[i].bits);
        assert_int_equal(session->key_info.encrypt_algorithm, expected[i].etype);
        assert_string_equal(session->key_info.encrypt_name, expected[i].name);
        assert_int_equal(session->session_key_size, seed.key_size);
        assert_memory_equal(session->session_key, seed.key, seed.key_size);
        cs_session_release(session);
    }
}

static void unknown_types(void **state)
{
    struct kerberos_session_seed seed = kerberos_seed(18, KERBEROS_ORDERED, true, 1);
    (void)state;
    for (int32_t etype = -200; etype < 200; etype++) {
        seed.etype = etype;
        struct cs_session *session = kerberos_session_create(&seed);
        assert_true((session != NULL) == (etype == 18 || etype == 20));
        cs_session_release(session);
    }
}

static SECURITY_STATUS try_encrypt(struct cs_session *session, uint32_t qop, uint32_t token_size)
{
    uint8_t token[TOKEN_ROOM] = {0}, data[4] = {1, 2, 3, 4}, padding[1] = {0};
    struct parts parts = {.count = 0};
    add_part(&parts, SECBUFFER_TOKEN, token, token_size);
    add_part(&parts, SECBUFFER_DATA, data, sizeof data);
    add_part(&parts, SECBUFFER_PADDING, padding, sizeof padding);
    const struct cs_message message = message_over(&parts);
    SECURITY_STATUS status = cs_encrypt(session, qop, &message);
    if (status) assert_memory_equal(data, "\1\2\3\4", sizeof data);
    return status;
}

/* errors.tsv EncryptMessage, MakeSignature: Kerberos */
static void without_confidentiality(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kerberos_etypes); i++)
        for (int side = 0; side < 2; side++) {
            struct kerberos_session_seed seed = kerberos_seed(kerberos_etypes[i], 0, side == 0, 1);
            struct cs_session *session = kerberos_session_create(&seed);
            uint8_t token[TOKEN_ROOM];
            assert_int_equal(try_encrypt(session, 0, TOKEN_ROOM), SEC_E_UNSUPPORTED_FUNCTION);
            assert_int_equal(try_encrypt(session, SECQOP_WRAP_NO_ENCRYPT, TOKEN_ROOM), SEC_E_OK);
            cs_session_release(session);

            seed.granted = 0;
            session = kerberos_session_create(&seed);
            assert_int_equal(try_encrypt(session, 0, TOKEN_ROOM), SEC_E_UNSUPPORTED_FUNCTION);
            assert_int_equal(try_encrypt(session, SECQOP_WRAP_NO_ENCRYPT, TOKEN_ROOM), SEC_E_QOP_NOT_SUPPORTED);
            kerberos_sign(session, "text", 4, token);
            cs_session_release(session);
        }
}

/* errors.tsv EncryptMessage NTLM+Kerberos: unknown fQOP values count as none */
static void unknown_qualities(void **state)
{
    const uint32_t unknown[] = {1, 10, 51566, 0x80000000, 0xFFFFFFFF};
    (void)state;
    for (size_t i = 0; i < COUNT(kerberos_etypes); i++) {
        struct sessions sessions = kerberos_sessions(kerberos_etypes[i], KERBEROS_ORDERED);
        for (size_t j = 0; j < COUNT(unknown); j++) {
            uint32_t qop = 7;
            struct wire wire = kerberos_wrap(sessions.client, unknown[j], "a text that is long enough", 26);
            assert_memory_not_equal(wire_data(&wire), "a text that is long enough", 26);
            assert_int_equal(kerberos_unwrap(sessions.server, &wire, &qop), SEC_E_OK);
            assert_int_equal(qop, 7);
        }
        kerberos_sessions_end(&sessions);
    }
}

/* A TOKEN that is large enough for what this message needs will do, and a smaller one uses no number up. */
static void token_room(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kerberos_etypes); i++)
        for (size_t j = 0; j < COUNT(styles); j++) {
            struct sessions sessions = kerberos_sessions(kerberos_etypes[i], styles[j]);
            const uint32_t needed = sealed_token_size(kerberos_etypes[i], styles[j]);
            for (uint32_t size = 0; size < needed; size++)
                assert_int_equal(try_encrypt(sessions.client, 0, size), SEC_E_BUFFER_TOO_SMALL);
            struct wire wire = kerberos_wrap(sessions.client, 0, "text", 4);
            assert_int_equal(wire.token_size, needed);
            assert_int_equal(kerberos_unwrap(sessions.server, &wire, NULL), SEC_E_OK);
            assert_int_equal(try_encrypt(sessions.client, 0, needed), SEC_E_OK);
            kerberos_sessions_end(&sessions);
        }
}

/* RC4's message is a byte longer than the caller's, and has to go somewhere. */
static void rc4_padding(void **state)
{
    struct sessions sessions = kerberos_sessions(23, KERBEROS_ORDERED);
    uint8_t token[TOKEN_ROOM], data[5] = "text";
    struct parts parts = {.count = 0};
    (void)state;
    add_part(&parts, SECBUFFER_TOKEN, token, sizeof token);
    add_part(&parts, SECBUFFER_DATA, data, sizeof data);
    struct cs_message message = message_over(&parts);
    assert_int_equal(cs_encrypt(sessions.client, 0, &message), SEC_E_BUFFER_TOO_SMALL);
    assert_memory_equal(data, "text", sizeof data);

    /* A receiver that has not told padding from data gets it cut off. */
    struct wire wire = kerberos_wrap(sessions.client, 0, data, sizeof data);
    wire.data_size += wire.padding_size;
    wire.padding_size = 0;
    assert_int_equal(kerberos_unwrap(sessions.server, &wire, NULL), SEC_E_OK);
    assert_int_equal(wire.data_size, sizeof data);
    assert_memory_equal(wire_data(&wire), "text", sizeof data);
    kerberos_sessions_end(&sessions);
}

/* The framing's length has one, two and more bytes: 128, 256, 65536. */
static void rc4_framing(void **state)
{
    const uint32_t sizes[] = {83, 84, 85, 211, 212, 213, 65490, 65491, 65492, 65493};
    static uint8_t block[TOKEN_ROOM + 65600];
    struct sessions sessions = kerberos_sessions(23, KERBEROS_ORDERED);
    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        uint8_t *data = block + TOKEN_ROOM, token[TOKEN_ROOM];
        struct parts parts = {.count = 0};
        struct cs_span got;
        memset(data, (int)i, sizes[i]);
        add_part(&parts, SECBUFFER_TOKEN, token, sessions.client->sizes.security_trailer);
        add_part(&parts, SECBUFFER_DATA, data, sizes[i]);
        add_part(&parts, SECBUFFER_PADDING, data + sizes[i], 1);
        const struct cs_message message = message_over(&parts);
        assert_int_equal(cs_encrypt(sessions.client, 0, &message), SEC_E_OK);
        const uint32_t size = parts.buffers[0].size, length = 11 + 32 + sizes[i] + 1;
        assert_int_equal(size, length < 0x80 ? 45 : length < 0x100 ? 46 : length < 0x10000 ? 47 : 48);
        memcpy(data - size, token, size);
        assert_int_equal(kerberos_unwrap_stream(sessions.server, data - size, size + sizes[i] + 1, &got, NULL),
                         SEC_E_OK);
        assert_ptr_equal(got.data, data);
        assert_int_equal(got.size, sizes[i]);
        assert_int_equal(got.data[got.size - 1], i);
    }
    kerberos_sessions_end(&sessions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths),     cmocka_unit_test(cuts),
        cmocka_unit_test(signatures),  cmocka_unit_test(readonly_signed),
        cmocka_unit_test(attributes),  cmocka_unit_test(unknown_types),
        cmocka_unit_test(token_room),  cmocka_unit_test(without_confidentiality),
        cmocka_unit_test(rc4_padding), cmocka_unit_test(unknown_qualities),
        cmocka_unit_test(rc4_framing),
    };
    return cmocka_run_group_tests_name("kerberos_protect", tests, NULL, NULL);
}
