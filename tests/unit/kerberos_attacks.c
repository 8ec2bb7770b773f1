/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attacks on Kerberos's per-message tokens: what was tampered with is refused, every byte of it stays as it came, and
 * the genuine message is taken afterwards. bug-classes.md:
 *
 *  D1  the token shortened at every byte, every field at its extremes (CVE-2014-4341, CVE-2014-4342, CVE-2022-3437)
 *  D2  outer EC or RRC altered (CVE-2024-37370)
 *  D3  every bit flipped, for every encryption type (CVE-2025-57736, CVE-2022-45142)
 *  D4  a forged token with the number + 1000, then a genuine one
 */
#include "kerberos_pair.h"

/* Of odd size, as the rotated part of each token then is: RRC counts modulo that, and a flipped bit changes it. */
static const char text[] = "Attack at dawn; the usual place, but without the horses.";
_Static_assert(sizeof text % 2 == 1, "even");

static const uint32_t styles[] = {KERBEROS_ORDERED, KERBEROS_ORDERED | ISC_REQ_USE_DCE_STYLE};
static const uint32_t qualities[] = {0, SECQOP_WRAP_NO_ENCRYPT};

/* A genuine message of one kind, which its receiver has not seen yet. */
struct scene {
    struct sessions sessions;
    struct wire wire;
    int32_t etype;
    uint32_t qop;
};

static void for_each_scene(void (*run)(const struct scene *scene))
{
    for (size_t i = 0; i < COUNT(kerberos_etypes); i++)
        for (size_t j = 0; j < COUNT(styles); j++)
            for (size_t k = 0; k < COUNT(qualities); k++) {
                struct scene scene = {
                    kerberos_sessions(kerberos_etypes[i], styles[j]), {.bytes = {0}}, kerberos_etypes[i], qualities[k]};
                scene.wire = kerberos_wrap(scene.sessions.client, scene.qop, text, sizeof text);
                run(&scene);
                kerberos_sessions_end(&scene.sessions);
            }
}

/*
 * Without encryption RC4's number is under a key, but under no checksum (RFC 4757 7.2): who flips a bit of it makes it
 * another number. A receiver that keeps to the order refuses that, too.
 */
static bool is_refusal(SECURITY_STATUS status, int32_t etype)
{
    return status == SEC_E_MESSAGE_ALTERED || (etype == 23 && status == SEC_E_OUT_OF_SEQUENCE);
}

static void expect_refused(const struct scene *scene, const struct wire *wire)
{
    struct wire copy = *wire;
    uint32_t qop = 7;
    assert_true(is_refusal(kerberos_unwrap(scene->sessions.server, &copy, &qop), scene->etype));
    assert_memory_equal(&copy, wire, sizeof copy);
    assert_int_equal(qop, 7);
}

static void expect_stream_refused(const struct scene *scene, const struct wire *wire, size_t size)
{
    const size_t shortest = scene->etype == 23 ? 45 : mic_size(scene->etype);
    struct wire copy = *wire;
    struct cs_span data;
    uint32_t qop = 7;
    SECURITY_STATUS status = kerberos_unwrap_stream(scene->sessions.server, copy.bytes, size, &data, &qop);
    if (size < shortest)
        assert_int_equal(status, SEC_E_INCOMPLETE_MESSAGE);
    else
        assert_true(is_refusal(status, scene->etype));
    assert_memory_equal(&copy, wire, sizeof copy);
    assert_null(data.data);
    assert_int_equal(qop, 7);
}

static void expect_genuine(const struct scene *scene)
{
    struct wire copy = scene->wire;
    assert_int_equal(kerberos_unwrap(scene->sessions.server, &copy, NULL), SEC_E_OK);
    assert_memory_equal(wire_data(&copy), text, sizeof text);
}

/* D3 */
static void flip(const struct scene *scene)
{
    struct wire wire = scene->wire;
    for (size_t bit = 0; bit < 8 * wire_size(&wire); bit++) {
        wire.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect_refused(scene, &wire);
        expect_stream_refused(scene, &wire, wire_size(&wire));
        wire.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    expect_genuine(scene);
}

static void flipped_bits(void **state)
{
    (void)state;
    for_each_scene(flip);
}

/* Longer ones are decrypted where they lie, and put back when they do not verify. */
static void flip_long(const struct scene *scene)
{
    uint8_t plain[601];
    memset(plain, 0x3C, sizeof plain);
    expect_genuine(scene);
    const struct wire genuine = kerberos_wrap(scene->sessions.client, scene->qop, plain, sizeof plain);
    struct wire wire = genuine;
    for (size_t byte = 0; byte < wire_size(&wire); byte++) {
        wire.bytes[byte] ^= (uint8_t)(1u << byte % 8);
        expect_refused(scene, &wire);
        expect_stream_refused(scene, &wire, wire_size(&wire));
        wire.bytes[byte] ^= (uint8_t)(1u << byte % 8);
    }
    assert_int_equal(kerberos_unwrap(scene->sessions.server, &wire, NULL), SEC_E_OK);
    assert_memory_equal(wire_data(&wire), plain, sizeof plain);
    wire = genuine;
    assert_int_equal(kerberos_unwrap(scene->sessions.server, &wire, NULL), SEC_E_OUT_OF_SEQUENCE);
    assert_memory_equal(&wire, &genuine, sizeof wire);
}

static void flipped_bits_of_long_messages(void **state)
{
    (void)state;
    for_each_scene(flip_long);
}

/* D1: the stream cut at every byte and made longer; TOKEN and DATA shorter and longer than they were */
static void shorten(const struct scene *scene)
{
    const uint32_t whole = wire_size(&scene->wire), least = scene->etype == 23 ? 45 : mic_size(scene->etype);
    for (uint32_t size = 0; size < whole + 40; size++)
        if (size != whole) expect_stream_refused(scene, &scene->wire, size);
    for (uint32_t size = 0; size < scene->wire.token_size; size++) {
        uint8_t token[TOKEN_ROOM], data[sizeof text + 1];
        struct parts parts = {.count = 0};
        memcpy(token, scene->wire.bytes, sizeof token);
        memcpy(data, scene->wire.bytes + scene->wire.token_size, sizeof data);
        add_part(&parts, SECBUFFER_TOKEN, token, size);
        add_part(&parts, SECBUFFER_DATA, data, sizeof text + scene->wire.padding_size);
        const struct cs_message message = message_over(&parts);
        assert_int_equal(cs_decrypt(scene->sessions.server, &message, NULL),
                         size < least ? SEC_E_BUFFER_TOO_SMALL : SEC_E_MESSAGE_ALTERED);
        assert_memory_equal(token, scene->wire.bytes, sizeof token);
        assert_memory_equal(data, scene->wire.bytes + scene->wire.token_size, sizeof data);
    }
    struct wire wire = scene->wire;
    for (wire.data_size = 0; wire.data_size < sizeof text + 40; wire.data_size++)
        if (wire.data_size != sizeof text) expect_refused(scene, &wire);
    expect_genuine(scene);
}

static void sizes(void **state)
{
    (void)state;
    for_each_scene(shorten);
}

/* D1, D2: the 16-bit fields of RFC 4121's header at every value that matters, and many others */
static void change_fields(const struct scene *scene)
{
    struct wire wire = scene->wire;
    if (scene->etype == 23) return;
    for (size_t field = 0; field < 8; field += 2) {
        const unsigned genuine = (unsigned)(wire.bytes[field] << 8 | wire.bytes[field + 1]);
        for (unsigned value = 0; value < 65536; value += value < 256 || value >= 65500 ? 1 : 83) {
            const size_t size = wire_size(&wire) - KERBEROS_HEADER;
            wire.bytes[field] = (uint8_t)(value >> 8);
            wire.bytes[field + 1] = (uint8_t)value;
            if (value == genuine) continue;
            if (field < 6 || value % size != genuine % size) {
                expect_refused(scene, &wire);
                expect_stream_refused(scene, &wire, wire_size(&wire));
            }
        }
        wire = scene->wire;
    }
    expect_genuine(scene);
}

static void fields(void **state)
{
    (void)state;
    for_each_scene(change_fields);
}

/* A token may lie in fewer bytes than its own EC says, and EC and RRC together pass 16 bits. */
static void impossible_counts(const struct scene *scene)
{
    const uint8_t counts[][4] = {
        {0xFF, 0xFF, 0xFF, 0xFF}, {0xFF, 0xFF, 0, 0x1C}, {0x80, 0, 0x80, 0}, {0, 0, 0xFF, 0xFF}};
    if (scene->etype == 23) return;
    for (size_t i = 0; i < COUNT(counts); i++) {
        struct wire wire = scene->wire;
        memcpy(wire.bytes + 4, counts[i], 4);
        expect_refused(scene, &wire);
        for (uint32_t size = mic_size(scene->etype); size <= wire_size(&wire); size++)
            expect_stream_refused(scene, &wire, size);
    }
    expect_genuine(scene);
}

static void huge_counts(void **state)
{
    (void)state;
    for_each_scene(impossible_counts);
}

/* D4: the forger gives the number + 1000, or any other, to a token whose checksum he cannot make */
static void forge_number(const struct scene *scene)
{
    struct wire wire = scene->wire;
    if (scene->etype == 23) return;
    wire.bytes[14] = (uint8_t)(wire.bytes[14] + 4);
    expect_refused(scene, &wire);
    memset(wire.bytes + 8, 0xFF, 8);
    expect_refused(scene, &wire);
    expect_genuine(scene);
}

static void forged_numbers(void **state)
{
    (void)state;
    for_each_scene(forge_number);
}

/* What a side has sent is not for it. */
static void reflect(const struct scene *scene)
{
    struct wire wire = scene->wire;
    struct cs_span data;
    assert_int_equal(kerberos_unwrap(scene->sessions.client, &wire, NULL), SEC_E_MESSAGE_ALTERED);
    assert_memory_equal(&wire, &scene->wire, sizeof wire);
    assert_int_equal(kerberos_unwrap_stream(scene->sessions.client, wire.bytes, wire_size(&wire), &data, NULL),
                     SEC_E_MESSAGE_ALTERED);
    assert_memory_equal(&wire, &scene->wire, sizeof wire);
    if (scene->etype != 23) {
        wire.bytes[2] ^= KERBEROS_SENT_BY_ACCEPTOR;
        assert_int_equal(kerberos_unwrap(scene->sessions.client, &wire, NULL), SEC_E_MESSAGE_ALTERED);
    }
    expect_genuine(scene);
}

static void reflections(void **state)
{
    (void)state;
    for_each_scene(reflect);
}

/* A token of one kind for one of the other: families do not mix, and no kind passes for another. */
static void swap_kinds(const struct scene *scene)
{
    struct wire wire = scene->wire;
    uint8_t mic[TOKEN_ROOM] = {0};
    assert_int_equal(
        kerberos_verify(scene->sessions.server, wire_data(&wire), wire.data_size, wire.bytes, wire.token_size),
        SEC_E_MESSAGE_ALTERED);
    expect_genuine(scene);
    kerberos_sign(scene->sessions.client, text, sizeof text, mic);
    wire.token_size = mic_size(scene->etype);
    memcpy(wire.bytes, mic, wire.token_size);
    memcpy(wire_data(&wire), text, sizeof text);
    struct wire copy = wire;
    assert_int_equal(kerberos_unwrap(scene->sessions.server, &copy, NULL),
                     scene->etype == 23 ? SEC_E_BUFFER_TOO_SMALL : SEC_E_MESSAGE_ALTERED);
    assert_memory_equal(&copy, &wire, sizeof wire);
    assert_int_equal(kerberos_verify(scene->sessions.server, text, sizeof text, mic, wire.token_size), SEC_E_OK);
}

static void kinds(void **state)
{
    (void)state;
    for_each_scene(swap_kinds);
}

/* D3 on MIC tokens and what they sign */
static void flipped_signatures(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kerberos_etypes); i++) {
        struct sessions sessions = kerberos_sessions(kerberos_etypes[i], KERBEROS_ORDERED);
        const uint32_t size = mic_size(kerberos_etypes[i]);
        uint8_t token[TOKEN_ROOM];
        char copy[sizeof text];
        memcpy(copy, text, sizeof text);
        kerberos_sign(sessions.client, text, sizeof text, token);
        for (size_t bit = 0; bit < 8 * size; bit++) {
            token[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_true(
                is_refusal(kerberos_verify(sessions.server, text, sizeof text, token, size), kerberos_etypes[i]));
            token[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        for (size_t bit = 0; bit < 8 * sizeof text; bit++) {
            copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
            assert_int_equal(kerberos_verify(sessions.server, copy, sizeof text, token, size), SEC_E_MESSAGE_ALTERED);
            copy[bit / 8] = text[bit / 8];
        }
        for (uint32_t cut = 0; cut < size; cut++)
            assert_int_equal(kerberos_verify(sessions.server, text, sizeof text, token, cut), SEC_E_BUFFER_TOO_SMALL);
        for (uint32_t cut = 0; cut < sizeof text; cut++)
            assert_int_equal(kerberos_verify(sessions.server, text, cut, token, size), SEC_E_MESSAGE_ALTERED);
        assert_int_equal(kerberos_verify(sessions.client, text, sizeof text, token, size), SEC_E_MESSAGE_ALTERED);
        assert_int_equal(kerberos_verify(sessions.server, text, sizeof text, token, size), SEC_E_OK);
        kerberos_sessions_end(&sessions);
    }
}

/* Another key, and the same key used as another: without the acceptor's subkey (RFC 4121 4.2.2). */
static void other_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kerberos_etypes); i++) {
        struct sessions sessions = kerberos_sessions(kerberos_etypes[i], KERBEROS_ORDERED);
        struct kerberos_session_seed seed = kerberos_seed(kerberos_etypes[i], KERBEROS_ORDERED, false, 0x12345678);
        const struct wire genuine = kerberos_wrap(sessions.client, 0, text, sizeof text);
        struct wire wire = genuine;
        seed.key[15] ^= 1;
        struct cs_session *other = kerberos_session_create(&seed);
        assert_int_equal(kerberos_unwrap(other, &wire, NULL), SEC_E_MESSAGE_ALTERED);
        assert_memory_equal(&wire, &genuine, sizeof wire);
        cs_session_release(other);
        seed.key[15] ^= 1;
        seed.acceptor_subkey = false;
        other = kerberos_session_create(&seed);
        assert_int_equal(kerberos_unwrap(other, &wire, NULL),
                         kerberos_etypes[i] == 23 ? SEC_E_OK : SEC_E_MESSAGE_ALTERED);
        cs_session_release(other);
        kerberos_sessions_end(&sessions);
    }
}

/* Bug class B6 and the shapes of errors.tsv: no DATA, no TOKEN, two of them, types that are no DATA. */
static void shapes(void **state)
{
    static const struct {
        uint32_t types[3];
        uint32_t count;
    } bad[] = {{{SECBUFFER_TOKEN}, 1},
               {{SECBUFFER_DATA}, 1},
               {{SECBUFFER_STREAM}, 1},
               {{SECBUFFER_TOKEN, SECBUFFER_TOKEN, SECBUFFER_DATA}, 3},
               {{SECBUFFER_TOKEN, SECBUFFER_PKG_PARAMS, SECBUFFER_EXTRA}, 3},
               {{SECBUFFER_STREAM, SECBUFFER_DATA, SECBUFFER_DATA}, 3},
               {{SECBUFFER_STREAM, SECBUFFER_TOKEN, SECBUFFER_DATA}, 3}};
    (void)state;
    for (size_t i = 0; i < COUNT(kerberos_etypes); i++)
        for (size_t j = 0; j < COUNT(bad); j++) {
            struct sessions sessions = kerberos_sessions(kerberos_etypes[i], KERBEROS_ORDERED);
            uint8_t bytes[3][TOKEN_ROOM] = {{0}};
            struct parts parts = {.count = 0};
            for (uint32_t k = 0; k < bad[j].count; k++) add_part(&parts, bad[j].types[k], bytes[k], TOKEN_ROOM);
            const struct cs_message message = message_over(&parts);
            assert_int_equal(cs_encrypt(sessions.client, 0, &message), SEC_E_INVALID_TOKEN);
            assert_int_equal(cs_decrypt(sessions.client, &message, NULL), SEC_E_INVALID_TOKEN);
            assert_int_equal(cs_make_signature(sessions.client, &message), SEC_E_INVALID_TOKEN);
            assert_int_equal(cs_verify_signature(sessions.client, &message), SEC_E_INVALID_TOKEN);
            kerberos_sessions_end(&sessions);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flipped_bits),
        cmocka_unit_test(flipped_bits_of_long_messages),
        cmocka_unit_test(sizes),
        cmocka_unit_test(fields),
        cmocka_unit_test(huge_counts),
        cmocka_unit_test(forged_numbers),
        cmocka_unit_test(reflections),
        cmocka_unit_test(kinds),
        cmocka_unit_test(flipped_signatures),
        cmocka_unit_test(other_keys),
        cmocka_unit_test(shapes),
    };
    return cmocka_run_group_tests_name("kerberos_attacks", tests, NULL, NULL);
}
