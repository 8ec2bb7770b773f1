/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exports while other threads use the session: each is one moment of it, and the one that ends it ends it for all. Run
 * under ThreadSanitizer, which sees what the results do not show.
 */
#include "export_unit.h"

#include <pthread.h>
#include <sched.h>

enum { SENDERS = 2, MESSAGES = 300, EXPORTS = 40, SIZE = 48 };

static const struct kind kinds[] = {
    {0, NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL | NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY |
            NTLMSSP_NEGOTIATE_128 | NTLMSSP_NEGOTIATE_KEY_EXCH},
    {18, ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT},
    {19, ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT},
    {23, ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT},
};

/* cmocka's assertions are for the main thread: others count. */
struct shared {
    struct cs_session *session;
    uint32_t export_flags;
    int sent, refused, failures; /* messages, and statuses that must not be */
    int exported;
    struct bytes packed[EXPORTS];
};

static void count(int *counter)
{
    __atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

/* The status of one message, sealed or signed. */
static SECURITY_STATUS send_one(struct cs_session *session, bool seals, uint8_t token[TOKEN_ROOM])
{
    uint8_t data[SIZE] = {0}, padding[1];
    struct parts parts = {.count = 3};
    parts.buffers[0] = (struct cs_buffer){TOKEN_ROOM, SECBUFFER_TOKEN, (uintptr_t)token};
    parts.buffers[1] = (struct cs_buffer){sizeof data, SECBUFFER_DATA, (uintptr_t)data};
    parts.buffers[2] = (struct cs_buffer){sizeof padding, SECBUFFER_PADDING, (uintptr_t)padding};
    const struct cs_message message = message_over(&parts);
    return seals ? cs_encrypt(session, 0, &message) : cs_make_signature(session, &message);
}

static void *send_all(void *data)
{
    struct shared *shared = data;
    uint8_t token[TOKEN_ROOM];
    for (int i = 0; i < MESSAGES; i++) {
        SECURITY_STATUS status = send_one(shared->session, true, token);
        if (status == SEC_E_INVALID_HANDLE)
            count(&shared->refused);
        else
            count(status ? &shared->failures : &shared->sent);
    }
    return NULL;
}

/* What queries read, and messages that nobody made. */
static void *ask_and_receive(void *data)
{
    struct shared *shared = data;
    for (int i = 0; i < MESSAGES; i++) {
        uint8_t key[CS_SESSION_KEY], bytes[SIZE] = {0}, token[TOKEN_ROOM] = {1};
        struct parts parts = {.count = 2};
        parts.buffers[0] = (struct cs_buffer){TOKEN_ROOM, SECBUFFER_TOKEN, (uintptr_t)token};
        parts.buffers[1] = (struct cs_buffer){sizeof bytes, SECBUFFER_DATA, (uintptr_t)bytes};
        const struct cs_message message = message_over(&parts);
        SECURITY_STATUS status = cs_decrypt(shared->session, &message, NULL);
        if (status != SEC_E_MESSAGE_ALTERED && status != SEC_E_INVALID_HANDLE) count(&shared->failures);
        const bool had = cs_session_key(shared->session, key);
        if (had != (key[0] != 0)) count(&shared->failures);
    }
    return NULL;
}

static void *export_some(void *data)
{
    struct shared *shared = data;
    for (int i = 0; i < EXPORTS; i++) {
        struct cs_writer packed = {0};
        size_t needed;
        SECURITY_STATUS status = cs_export_session(shared->session, shared->session->package, shared->export_flags,
                                                   sizeof shared->packed[0].data, &packed, &needed);
        if (status == SEC_E_OK) {
            struct bytes *kept = &shared->packed[__atomic_fetch_add(&shared->exported, 1, __ATOMIC_RELAXED)];
            memcpy(kept->data, packed.data, kept->size = packed.size);
        } else if (status != SEC_E_INVALID_HANDLE || !shared->export_flags) {
            count(&shared->failures);
        }
        cs_writer_drop(&packed);
        sched_yield();
    }
    return NULL;
}

static void run(void *(*const work[])(void *), size_t threads_count, struct shared *shared)
{
    pthread_t threads[8];
    assert_true(threads_count <= COUNT(threads));
    for (size_t i = 0; i < threads_count; i++) assert_int_equal(pthread_create(&threads[i], NULL, work[i], shared), 0);
    for (size_t i = 0; i < threads_count; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* The sending direction as it is packed: how many messages it has sent. */
static uint64_t sent_by(const struct bytes *packed, const struct kind *kind)
{
    const struct bytes content = content_of(packed);
    struct cs_reader reader = cs_reader_of(span_over(&content));
    if (kind->etype) {
        cs_read_span(&reader, content.size - 48);
        const uint64_t first = cs_read_u64(&reader);
        return cs_read_u64(&reader) - first;
    }
    cs_read_span(&reader, content.size - 2 * (4 + 4 + 3 + 256));
    const uint32_t first = cs_read_u32(&reader);
    return cs_read_u32(&reader) - first;
}

/*
 * A session that has sent as many messages as TWIN had when it was packed makes the next one like TWIN: number and
 * stream are of one moment. NTLM's is the same to the byte.
 */
static void expect_one_moment(const struct bytes *packed, const struct kind *kind)
{
    struct sessions fresh = open_kind(kind);
    struct cs_session *twin = import_as(fresh.client->package, packed);
    uint8_t token[TOKEN_ROOM], expected[TOKEN_ROOM];
    for (uint64_t i = sent_by(packed, kind); i; i--) send_one(fresh.client, true, expected);
    assert_int_equal(send_one(twin, true, token), SEC_E_OK);
    assert_int_equal(send_one(fresh.client, true, expected), SEC_E_OK);
    if (kind->etype)
        expect_passes(twin, fresh.server);
    else
        assert_memory_equal(token, expected, 16);
    cs_session_release(twin);
    close_kind(&fresh);
}

static void check_while_sending(const struct kind *kind)
{
    static struct shared shared;
    void *(*const work[])(void *) = {send_all, send_all, export_some, ask_and_receive};
    struct sessions sessions = open_kind(kind);
    memset(&shared, 0, sizeof shared);
    shared.session = sessions.client;
    run(work, COUNT(work), &shared);
    assert_int_equal(shared.failures, 0);
    assert_int_equal(shared.sent, SENDERS * MESSAGES);
    assert_int_equal(shared.exported, EXPORTS);
    for (int i = 0; i < EXPORTS; i += 8) expect_one_moment(&shared.packed[i], kind);
    close_kind(&sessions);
}

static void while_sending(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) check_while_sending(&kinds[i]);
}

/* One of many exports ends the session; nothing is sent after it that the new session would send again. */
static void check_end(const struct kind *kind)
{
    static struct shared shared;
    void *(*const work[])(void *) = {send_all, send_all, ask_and_receive, export_some, export_some};
    struct sessions sessions = open_kind(kind);
    memset(&shared, 0, sizeof shared);
    shared.session = sessions.client;
    shared.export_flags = CS_EXPORT_DELETE_OLD;
    run(work, COUNT(work), &shared);
    assert_int_equal(shared.failures, 0);
    assert_int_equal(shared.exported, 1);
    assert_int_equal(shared.sent + shared.refused, SENDERS * MESSAGES);
    assert_int_equal(sent_by(&shared.packed[0], kind), shared.sent);
    expect_one_moment(&shared.packed[0], kind);
    close_kind(&sessions);
}

static void delete_old(void **state)
{
    (void)state;
    for (int round = 0; round < 8; round++)
        for (size_t i = 0; i < COUNT(kinds); i++) check_end(&kinds[i]);
}

static void *go_and_come(void *data)
{
    struct shared *shared = data;
    for (int i = 0; i < EXPORTS; i++) {
        struct cs_session *twin = NULL;
        struct cs_writer packed = {0};
        size_t needed;
        const char *package = shared->session->package;
        SECURITY_STATUS status = cs_export_session(shared->session, package, 0, SIZE_MAX, &packed, &needed);
        if (status == SEC_E_OK) status = cs_import_session(package, cs_written(&packed), &twin);
        if (status) count(&shared->failures);
        cs_session_release(twin);
        cs_writer_drop(&packed);
    }
    return NULL;
}

/* The first of all tests: the user's key is read by whoever needs it first, and here that is everybody. */
static void round_trips(void **state)
{
    static struct shared shared;
    void *(*const work[])(void *) = {go_and_come, go_and_come, go_and_come};
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct sessions sessions = open_kind(&kinds[i]);
        shared.session = sessions.client;
        run(work, COUNT(work), &shared);
        assert_int_equal(shared.failures, 0);
        close_kind(&sessions);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(while_sending),
        cmocka_unit_test(delete_old),
    };
    return cmocka_run_group_tests_name("export_threads", tests, known_account, forget_account);
}
