/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packed sessions that somebody has edited, cut, lengthened, or made for another user, machine or package; and, as if
 * the user's secret were known, contents that cs_export_session never writes.
 *
 *  E1  a context freed on error
 *  E2  lengths inside an imported context (CVE-2015-2698): every length; a blob for another package; imported twice
 */
#include "export_unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct kind kinds[] = {
    {0, NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL | NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY},
    {18, KERBEROS_ORDERED},
    {23, KERBEROS_ORDERED},
};

/* A server's, with every text there is, in the middle of its conversation. */
static struct bytes packed_of(const struct kind *kind)
{
    struct sessions sessions = open_kind(kind);
    expect_talk(&sessions);
    give_text(&sessions.server->names, "EXAMPLE\\user");
    give_text(&sessions.server->target, "HTTP/server.example.test");
    give_text(&sessions.server->native_client, "user@EXAMPLE.TEST");
    give_text(&sessions.server->native_server, "HTTP/server.example.test@EXAMPLE.TEST");
    const struct bytes packed = export_with(sessions.server, 0);
    close_kind(&sessions);
    return packed;
}

static const char *package_of(const struct kind *kind)
{
    return kind->etype ? "Kerberos" : "NTLM";
}

static void for_each(void (*test)(const char *package, const struct bytes *packed))
{
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const struct bytes packed = packed_of(&kinds[i]);
        assert_int_equal(try_import(package_of(&kinds[i]), &packed), SEC_E_OK);
        test(package_of(&kinds[i]), &packed);
    }
}

/* Another user's secret: the other process has its own, and exports a session under it. */
static void export_elsewhere(int fd, const void *data)
{
    char path[256];
    (void)data;
    snprintf(path, sizeof path, "%s.other", getenv("COUNTERSIGN_LOOPBACK_SECRET"));
    setenv("COUNTERSIGN_LOOPBACK_SECRET", path, 1);
    const struct bytes packed = packed_of(&kinds[0]);
    send_token(fd, span_over(&packed));
    unlink(path);
}

/* The first of all tests, before this process has read its own. */
static void another_secret(void **state)
{
    const struct process process = start_process(export_elsewhere, NULL);
    const struct bytes packed = receive_token(process.fd);
    (void)state;
    finish_process(&process);
    assert_true(packed.size > CS_SEALED_HEADER);
    assert_int_equal(try_import("NTLM", &packed), SEC_E_INVALID_TOKEN);
}

static void flip_each_byte(const char *package, const struct bytes *packed)
{
    static const uint8_t flips[] = {0x01, 0x80, 0xFF};
    for (size_t i = 0; i < packed->size; i++) {
        const bool owner = i >= CS_SEALED_OWNER && i < CS_SEALED_OWNER + 4;
        for (size_t j = 0; j < COUNT(flips); j++) {
            struct bytes edited = *packed;
            edited.data[i] ^= flips[j];
            assert_int_equal(try_import(package, &edited), owner ? SEC_E_NOT_OWNER : SEC_E_INVALID_TOKEN);
        }
    }
}

static void every_byte(void **state)
{
    (void)state;
    for_each(flip_each_byte);
}

static void cut_everywhere(const char *package, const struct bytes *packed)
{
    for (size_t size = 0; size < packed->size; size++) {
        struct bytes edited = *packed;
        edited.size = size;
        assert_int_equal(try_import(package, &edited), SEC_E_INVALID_TOKEN);
    }
    struct bytes edited = *packed;
    edited.data[edited.size++] = 0;
    assert_int_equal(try_import(package, &edited), SEC_E_INVALID_TOKEN);
}

static void every_length(void **state)
{
    (void)state;
    for_each(cut_everywhere);
}

static void too_large(void **state)
{
    const size_t size = (1 << 20) + 1;
    uint8_t *data = calloc(1, size);
    struct cs_session *session;
    (void)state;
    assert_non_null(data);
    const struct bytes packed = packed_of(&kinds[0]);
    memcpy(data, packed.data, packed.size);
    assert_int_equal(cs_import_session("NTLM", (struct cs_span){data, size}, &session), SEC_E_INVALID_TOKEN);
    assert_null(session);
    free(data);
}

/* The content of PACKED under a header in which SIZE bytes at OFFSET are those of VALUE. */
static struct bytes with_header(const struct bytes *packed, size_t offset, uint32_t value)
{
    const struct bytes content = content_of(packed);
    struct bytes result = {.size = 0};
    struct cs_writer sealed = {0};
    uint8_t bytes[4];
    for (int i = 0; i < 4; i++) bytes[i] = (uint8_t)(value >> (8 * i));
    cs_sealed_begin(&sealed);
    cs_write_over(&sealed, offset, (struct cs_span){bytes, sizeof bytes});
    cs_write_span(&sealed, span_over(&content));
    assert_int_equal(cs_sealed_end(&sealed), SEC_E_OK);
    memcpy(result.data, sealed.data, result.size = sealed.size);
    cs_writer_drop(&sealed);
    return result;
}

/* The header is no less protected than the content: one that was for another user is not ours by saying so. */
static void another_user(void **state)
{
    const struct bytes packed = packed_of(&kinds[0]), same = with_header(&packed, CS_SEALED_OWNER, geteuid());
    struct bytes foreign = with_header(&packed, CS_SEALED_OWNER, geteuid() + 1);
    (void)state;
    assert_int_equal(try_import("NTLM", &same), SEC_E_OK);
    assert_int_equal(try_import("NTLM", &foreign), SEC_E_NOT_OWNER);
    memcpy(foreign.data + CS_SEALED_OWNER, same.data + CS_SEALED_OWNER, 4);
    assert_int_equal(try_import("NTLM", &foreign), SEC_E_INVALID_TOKEN);
}

static void another_version(void **state)
{
    enum { VERSION = 8 };
    static const uint32_t versions[] = {0, CS_SEALED_VERSION + 1, UINT32_MAX};
    const struct bytes packed = packed_of(&kinds[0]);
    (void)state;
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct bytes other = with_header(&packed, VERSION, versions[i]);
        assert_int_equal(try_import("NTLM", &other), SEC_E_INVALID_TOKEN);
        memcpy(other.data, packed.data, CS_SEALED_OWNER); /* and with the right one put in */
        assert_int_equal(try_import("NTLM", &other), SEC_E_INVALID_TOKEN);
    }
}

/* Two halves of two. */
static void mixed(void **state)
{
    const struct bytes one = packed_of(&kinds[0]), other = packed_of(&kinds[0]);
    struct bytes edited = one;
    (void)state;
    assert_memory_not_equal(one.data, other.data, CS_SEALED_HEADER);
    memcpy(edited.data, other.data, CS_SEALED_HEADER);
    assert_int_equal(try_import("NTLM", &edited), SEC_E_INVALID_TOKEN);
}

static void another_package(void **state)
{
    static const char *const names[] = {"NTLM", "Kerberos", "Negotiate", "ntlm", "Schannel", ""};
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct sessions sessions = open_kind(&kinds[i]);
        const char *const own[] = {package_of(&kinds[i]), "Negotiate"};
        for (size_t j = 0; j < COUNT(own); j++) {
            struct bytes packed;
            assert_int_equal(try_export(sessions.client, own[j], 0, &packed), SEC_E_OK);
            for (size_t k = 0; k < COUNT(names); k++)
                assert_int_equal(try_import(names[k], &packed),
                                 strcmp(names[k], own[j]) ? SEC_E_INVALID_TOKEN : SEC_E_OK);
        }
        close_kind(&sessions);
    }
}

/* From here on: contents under the right key. Refused, or a session that can be used like any other. */
static void import_content(const char *package, const struct bytes *content, bool may_hold)
{
    const struct bytes packed = sealed_again(span_over(content));
    struct cs_session *session;
    SECURITY_STATUS status = cs_import_session(package, span_over(&packed), &session);
    assert_true(status == SEC_E_INVALID_TOKEN || (may_hold && status == SEC_E_OK));
    if (status) return;
    char data[] = "whatever", token[TOKEN_ROOM] = {0}, padding[1] = {0};
    struct parts parts = {.count = 0};
    add_part(&parts, SECBUFFER_TOKEN, token, sizeof token);
    add_part(&parts, SECBUFFER_DATA, data, sizeof data);
    add_part(&parts, SECBUFFER_PADDING, padding, sizeof padding);
    const struct cs_message message = message_over(&parts);
    cs_encrypt(session, 0, &message);
    parts.buffers[0].size = sizeof token;
    cs_decrypt(session, &message, NULL);
    struct cs_session *twin = NULL;
    struct bytes again;
    if (!try_export(session, session->package, 0, &again)) twin = import_as(session->package, &again);
    cs_session_release(twin);
    cs_session_release(session);
}

static void edit_content(const char *package, const struct bytes *packed)
{
    static const uint8_t edits[] = {0x01, 0x02, 0x80, 0xFF};
    const struct bytes content = content_of(packed);
    for (size_t i = 0; i < content.size; i++)
        for (size_t j = 0; j < COUNT(edits); j++) {
            struct bytes edited = content;
            edited.data[i] ^= edits[j];
            import_content(package, &edited, true);
        }
    for (size_t size = 0; size < content.size; size++) {
        struct bytes edited = content;
        edited.size = size;
        import_content(package, &edited, false);
    }
    struct bytes edited = content;
    edited.data[edited.size++] = 0;
    import_content(package, &edited, false);
}

static void every_content(void **state)
{
    (void)state;
    for_each(edit_content);
}

/* Where the lengths stand in CONTENT (export.h), and how many bytes each has. */
struct length {
    size_t offset, size;
};

/* Where they stand: so many bytes behind what the one before announces, in so many bytes (export.h, client_travel.c).
 */
static const struct {
    size_t behind, size;
} places[] = {{0, 1},          {0, 1}, {1 + 4 + 8 + 8, 1},
              {0, 4},          {0, 4}, {0, 4},
              {0, 4}, /* the head's */
              {1 + 16 + 1, 4}, {0, 4}, {0, 1},
              {4 + 2, 4}}; /* the client's, without groups */

enum { LENGTHS = COUNT(places), CLIENT = 7, CLIENT_SID = 9 };

static void find_lengths(const struct bytes *content, struct length lengths[LENGTHS])
{
    struct cs_reader reader = cs_reader_of(span_over(content));
    for (int i = 0; i < LENGTHS; i++) {
        cs_read_span(&reader, places[i].behind);
        lengths[i] = (struct length){content->size - reader.remaining, places[i].size};
        cs_read_span(&reader, cs_read_le(&reader, lengths[i].size));
    }
    assert_false(reader.failed);
    assert_true(reader.remaining > 0);
}

static void set_length(struct bytes *content, const struct length *length, uint64_t value)
{
    for (size_t i = 0; i < length->size; i++) content->data[length->offset + i] = (uint8_t)(value >> (8 * i));
}

static void extreme_lengths(const char *package, const struct bytes *packed)
{
    const struct bytes content = content_of(packed);
    struct length lengths[LENGTHS];
    find_lengths(&content, lengths);
    for (int i = 0; i < LENGTHS; i++) {
        struct cs_reader reader = cs_reader_of((struct cs_span){content.data + lengths[i].offset, lengths[i].size});
        const uint64_t old = cs_read_le(&reader, lengths[i].size), max = UINT64_MAX >> (64 - 8 * lengths[i].size);
        const uint64_t values[] = {0,   1,       old - 2,     old - 1, old + 1,     old + 2,
                                   max, max - 1, max / 2 + 1, max / 2, content.size};
        for (size_t j = 0; j < COUNT(values); j++) {
            struct bytes edited = content;
            set_length(&edited, &lengths[i], values[j]);
            if ((values[j] & max) != old) import_content(package, &edited, false);
        }
    }
}

static void every_length_inside(void **state)
{
    (void)state;
    for_each(extreme_lengths);
}

/* CONTENT with VALUE in the byte at OFFSET, from the end if that is negative. */
static void expect_refused(const char *package, const struct bytes *content, long offset, uint8_t value)
{
    struct bytes edited = *content;
    const size_t at = offset < 0 ? content->size - (size_t)-offset : (size_t)offset;
    assert_true(at < content->size);
    assert_int_not_equal(edited.data[at], value);
    edited.data[at] = value;
    import_content(package, &edited, false);
}

static size_t mechanism_part(const struct bytes *content)
{
    struct length lengths[LENGTHS];
    find_lengths(content, lengths);
    struct cs_reader reader = cs_reader_of(span_over(content));
    cs_read_span(&reader, lengths[LENGTHS - 1].offset);
    cs_read_span(&reader, cs_read_u32(&reader));
    return content->size - reader.remaining;
}

/* A server's session without a client, levels that there are not, SIDs that are none, and groups that do not follow. */
static void unknown_of_client(void **state)
{
    const struct bytes packed = packed_of(&kinds[0]), content = content_of(&packed);
    struct length lengths[LENGTHS];
    find_lengths(&content, lengths);
    const long start = (long)lengths[CLIENT].offset - 18, level = start + 17,
               sid = (long)lengths[CLIENT_SID].offset + 1;
    const long groups = sid + 28 + 4;
    (void)state;
    assert_int_equal(content.data[start], 1);
    expect_refused("NTLM", &content, start, 0);
    expect_refused("NTLM", &content, start, 2);
    expect_refused("NTLM", &content, level, 0);
    expect_refused("NTLM", &content, level, 4);
    expect_refused("NTLM", &content, sid, 2);
    expect_refused("NTLM", &content, sid + 1, 4);
    expect_refused("NTLM", &content, sid + 1, 6);
    expect_refused("NTLM", &content, groups, 1);
    expect_refused("NTLM", &content, groups + 1, 0xFF);
}

static void unknown_of_ntlm(void **state)
{
    enum { RC4 = 4 + 8, PERMUTATION = RC4 + 3 };
    const struct bytes packed = packed_of(&kinds[0]), content = content_of(&packed);
    const size_t part = mechanism_part(&content);
    (void)state;
    expect_refused("NTLM", &content, (long)(part + RC4), 2);
    expect_refused("NTLM", &content, (long)(part + RC4), 0xFF);
    for (long i = 0; i < 256; i += 51)
        expect_refused("NTLM", &content, (long)(part + PERMUTATION) + i,
                       content.data[part + PERMUTATION + (i ? 0 : 1)]);
    struct bytes edited = content;
    for (size_t i = 0; i < 256; i++) edited.data[part + PERMUTATION + i] = 0;
    import_content("NTLM", &edited, false);
    expect_refused("NTLM", &content, 1 + 4 + 1 + 4, 2); /* neither initiator nor acceptor */
}

/* Encryption types that are none, or whose keys have another size; options that there are not; numbers over 32 bits. */
static void unknown_of_kerberos(void **state)
{
    static const uint8_t others[] = {0, 1, 3, 16, 17, 19, 21, 24, 0xFF};
    (void)state;
    for (size_t i = 1; i < COUNT(kinds); i++) {
        const struct bytes packed = packed_of(&kinds[i]), content = content_of(&packed);
        const size_t part = mechanism_part(&content);
        for (size_t j = 0; j < COUNT(others); j++)
            if (i == 1 || (others[j] != 17 && others[j] != 19)) /* whose keys are as long as RC4's */
                expect_refused("Kerberos", &content, (long)part, others[j]);
        expect_refused("Kerberos", &content, (long)part, i == 1 ? 23 : 18);
        expect_refused("Kerberos", &content, (long)part + 1, 1);
        expect_refused("Kerberos", &content, (long)part + 4, 16);
        expect_refused("Kerberos", &content, (long)part + 4, 0xFF);
        if (kinds[i].etype != 23) continue;
        for (long direction = 0; direction < 2; direction++) {
            expect_refused("Kerberos", &content, (long)part + 5 + 24 * direction + 4, 1);
            expect_refused("Kerberos", &content, (long)part + 5 + 24 * direction + 8 + 7, 0x80);
        }
    }
}

/* The names that a content has, in every pairing: only a mechanism's own, and Negotiate over it, is one. */
static void pairings(void **state)
{
    static const char *const names[] = {"NTLM", "Kerberos", "Negotiate", "Schannel", ""};
    const struct bytes packed = packed_of(&kinds[0]), content = content_of(&packed);
    const size_t rest = 1 + 4 + 1 + 4;
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        for (size_t j = 0; j < COUNT(names); j++) {
            struct cs_writer edited = {0};
            const bool right = (i == 0 || i == 2) && j == 0;
            for (size_t k = 0; k < 2; k++) {
                const struct cs_span name = cs_span_of(names[k ? j : i]);
                cs_write_u8(&edited, (uint8_t)name.size);
                cs_write_span(&edited, name);
            }
            cs_write_span(&edited, (struct cs_span){content.data + rest, content.size - rest});
            const struct bytes again = sealed_again(cs_written(&edited));
            assert_int_equal(try_import(names[i], &again), right ? SEC_E_OK : SEC_E_INVALID_TOKEN);
            cs_writer_drop(&edited);
        }
}

/* No two are alike, and nothing of what is inside can be read. */
static bool contains(const struct bytes *packed, struct cs_span what)
{
    for (size_t i = 0; i + what.size <= packed->size; i++)
        if (!memcmp(packed->data + i, what.data, what.size)) return true;
    return false;
}

static void nothing_in_clear(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct sessions sessions = open_kind(&kinds[i]);
        const struct cs_session *client = sessions.client;
        give_text(&sessions.client->names, "EXAMPLE\\user");
        const struct bytes one = export_with(sessions.client, 0), other = export_with(sessions.client, 0);
        const struct bytes content = content_of(&one);
        assert_true(contains(&content, (struct cs_span){client->session_key, client->session_key_size}));
        assert_true(contains(&content, client->names));
        assert_false(contains(&one, (struct cs_span){client->session_key, client->session_key_size}));
        assert_false(contains(&one, client->names));
        for (size_t j = CS_SEALED_HEADER - 32; j + 16 <= one.size; j += 16)
            assert_memory_not_equal(one.data + j, other.data + j, 16);
        close_kind(&sessions);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_secret),
        cmocka_unit_test(every_byte),
        cmocka_unit_test(every_length),
        cmocka_unit_test(too_large),
        cmocka_unit_test(another_user),
        cmocka_unit_test(another_version),
        cmocka_unit_test(mixed),
        cmocka_unit_test(another_package),
        cmocka_unit_test(every_content),
        cmocka_unit_test(every_length_inside),
        cmocka_unit_test(unknown_of_client),
        cmocka_unit_test(unknown_of_ntlm),
        cmocka_unit_test(unknown_of_kerberos),
        cmocka_unit_test(pairings),
        cmocka_unit_test(nothing_in_clear),
    };
    return cmocka_run_group_tests_name("export_attacks", tests, known_account, forget_account);
}
