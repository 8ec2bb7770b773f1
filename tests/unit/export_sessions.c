/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sessions that are exported and imported: the conversation goes on where it was, or begins anew, and the old session
 * ends where that is asked for (ExportSecurityContext, ImportSecurityContext: errors.tsv).
 */
#include "export_unit.h"

#include "kerberos_session.h"
#include "ntlm_session.h"

#include <pthread.h>

/* Each side in turn goes elsewhere, between messages, and one of them twice. */
static void check_continues(const struct kind *kind)
{
    struct sessions sessions = open_kind(kind);
    expect_talk(&sessions);
    expect_passes(sessions.client, sessions.server);
    travel(&sessions.client);
    expect_talk(&sessions);
    travel(&sessions.server);
    expect_passes(sessions.server, sessions.client);
    travel(&sessions.client);
    expect_talk(&sessions);
    close_kind(&sessions);
}

static void continues(void **state)
{
    (void)state;
    for_each_kind(check_continues);
}

/* Before any message, too. */
static void check_at_once(const struct kind *kind)
{
    struct sessions sessions = open_kind(kind);
    travel(&sessions.client);
    travel(&sessions.server);
    expect_talk(&sessions);
    close_kind(&sessions);
}

static void continues_from_the_start(void **state)
{
    (void)state;
    for_each_kind(check_at_once);
}

/* A message that was under way while its receiver moved. */
static void check_under_way(const struct kind *kind)
{
    struct sessions sessions = open_kind(kind);
    struct wire wire = kerberos_wrap(sessions.client, 0, "under way", 10);
    travel(&sessions.server);
    assert_int_equal(kerberos_unwrap(sessions.server, &wire, NULL), SEC_E_OK);
    assert_string_equal(wire_data(&wire), "under way");
    expect_talk(&sessions);
    close_kind(&sessions);
}

static void under_way(void **state)
{
    (void)state;
    for_each_kind(check_under_way);
}

static void expect_same_text(struct cs_span left, struct cs_span right)
{
    assert_int_equal(left.size, right.size);
    if (left.size) assert_memory_equal(left.data, right.data, left.size);
}

static void expect_same_head(const struct cs_session *left, const struct cs_session *right)
{
    assert_string_equal(left->package, right->package);
    assert_int_equal(left->initiator, right->initiator);
    assert_int_equal(left->flags, right->flags);
    assert_int_equal(left->start, right->start);
    assert_int_equal(left->expiry, right->expiry);
    assert_memory_equal(&left->sizes, &right->sizes, sizeof left->sizes);
    assert_memory_equal(&left->key_info, &right->key_info, sizeof left->key_info);
    assert_int_equal(left->session_key_size, right->session_key_size);
    assert_memory_equal(left->session_key, right->session_key, sizeof left->session_key);
    expect_same_text(left->names, right->names);
    expect_same_text(left->target, right->target);
    expect_same_text(left->native_client, right->native_client);
    expect_same_text(left->native_server, right->native_server);
}

static void check_attributes(const struct kind *kind)
{
    struct sessions sessions = open_kind(kind);
    struct cs_session *server = sessions.server;
    server->start = 12345;
    give_text(&server->names, "EXAMPLE\\user");
    give_text(&server->target, "HTTP/server.example.test");
    if (kind->etype) give_text(&server->native_client, "user@EXAMPLE.TEST");
    if (kind->etype) give_text(&server->native_server, "HTTP/server.example.test@EXAMPLE.TEST");
    struct cs_session *twin = twin_of(server, 0);
    expect_same_head(server, twin);
    cs_session_release(twin);
    twin = twin_of(server, CS_EXPORT_RESET_NEW);
    expect_same_head(server, twin);
    cs_session_release(twin);
    close_kind(&sessions);
}

static void attributes(void **state)
{
    (void)state;
    for_each_kind(check_attributes);
}

/* Whole exchanges, through NTLM itself and through Negotiate, by whose name the session is then imported. */
static void exchanges(void **state)
{
    static const char *const packages[] = {"NTLM", "Negotiate"};
    const struct pair_setup setup = known_setup();
    (void)state;
    for (size_t i = 0; i < COUNT(packages); i++) {
        struct pair pair;
        struct bytes packed;
        pair_open(&pair, packages[i], &setup);
        assert_int_equal(pair_run(&pair), SEC_E_OK);
        expect_pair_talks(&pair);
        struct cs_session *client = cs_context_session(pair.client), *server = cs_context_session(pair.server);
        assert_int_equal(try_export(server, packages[i], 0, &packed), SEC_E_OK);
        assert_int_equal(try_import(packages[1 - i], &packed), SEC_E_INVALID_TOKEN);
        struct cs_session *twin = import_as(packages[i], &packed);
        expect_same_head(server, twin);
        expect_passes(client, twin);
        expect_passes(twin, client);
        cs_session_release(twin);
        pair_close(&pair);
    }
}

/* Kerberos without order: what has not arrived may still, and what has may not, 64 messages back. */
static void check_window(int32_t etype)
{
    struct sessions sessions = kerberos_sessions(etype, ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT);
    struct wire wires[5];
    for (int i = 0; i < 5; i++) wires[i] = kerberos_wrap(sessions.client, 0, "out of order", 13);
    for (int i = 0; i < 5; i += 2) {
        struct wire copy = wires[i];
        assert_int_equal(kerberos_unwrap(sessions.server, &copy, NULL), SEC_E_OK);
    }
    travel(&sessions.server);
    for (int i = 0; i < 5; i++) {
        struct wire copy = wires[i];
        assert_int_equal(kerberos_unwrap(sessions.server, &copy, NULL), i % 2 ? SEC_E_OK : SEC_E_OUT_OF_SEQUENCE);
    }
    travel(&sessions.server);
    for (int i = 0; i < 5; i++)
        assert_int_equal(kerberos_unwrap(sessions.server, &wires[i], NULL), SEC_E_OUT_OF_SEQUENCE);
    expect_talk(&sessions);
    close_kind(&sessions);
}

static void window(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kerberos_etypes); i++) check_window(kerberos_etypes[i]);
}

/* Numbers go over their end as they do in a session that stays. */
static void wraps(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kerberos_etypes); i++) {
        const uint64_t last = kerberos_etypes[i] == 23 ? UINT32_MAX : UINT64_MAX;
        struct sessions sessions = kerberos_sessions_from(kerberos_etypes[i], KERBEROS_ORDERED, last);
        travel(&sessions.client);
        expect_talk(&sessions);
        travel(&sessions.server);
        expect_talk(&sessions);
        close_kind(&sessions);
    }
}

/* As SPNEGO does at the end of an exchange: a MIC each way, and then the session is the program's. */
static void exchange_mics(const struct sessions *sessions)
{
    uint8_t mic[TOKEN_ROOM];
    struct cs_session *const ends[2] = {sessions->client, sessions->server};
    for (int i = 0; i < 2; i++) {
        kerberos_sign(ends[i], "mechanisms", 10, mic);
        assert_int_equal(kerberos_verify(ends[1 - i], "mechanisms", 10, mic, ends[i]->sizes.max_signature), SEC_E_OK);
        for (int end = 0; end < 2; end++) ends[end]->protection->rewind(ends[end]);
    }
}

/* A session that was used, begun anew, understands one that never was. With MICS: that has come out of Negotiate. */
static void check_reset(const struct kind *kind, bool mics)
{
    struct sessions worn = open_kind(kind), again = open_kind(kind);
    if (mics) exchange_mics(&worn);
    if (mics) exchange_mics(&again);
    for (int i = 0; i < 3; i++) expect_talk(&worn);
    struct sessions mixed = {twin_of(worn.client, CS_EXPORT_RESET_NEW), again.server};
    expect_talk(&mixed);
    struct sessions reset = {twin_of(mixed.client, CS_EXPORT_RESET_NEW), twin_of(worn.server, CS_EXPORT_RESET_NEW)};
    expect_talk(&reset);
    expect_talk(&worn); /* as if nothing had been */
    close_kind(&reset);
    cs_session_release(mixed.client);
    close_kind(&worn);
    close_kind(&again);
}

static void check_resets(const struct kind *kind)
{
    check_reset(kind, false);
    check_reset(kind, true);
}

static void reset_new(void **state)
{
    (void)state;
    for_each_kind(check_resets);
}

/* Every use of SESSION, and every question that can be asked. */
static void expect_retired(struct cs_session *session)
{
    uint8_t data[16] = {0}, token[TOKEN_ROOM] = {0}, padding[1] = {0}, key[CS_SESSION_KEY];
    static const uint8_t zeros[CS_SESSION_KEY];
    struct parts parts = {.count = 0};
    struct bytes packed;
    uint32_t qop;
    add_part(&parts, SECBUFFER_TOKEN, token, sizeof token);
    add_part(&parts, SECBUFFER_DATA, data, sizeof data);
    add_part(&parts, SECBUFFER_PADDING, padding, sizeof padding);
    const struct cs_message message = message_over(&parts);
    assert_int_equal(cs_make_signature(session, &message), SEC_E_INVALID_HANDLE);
    assert_int_equal(cs_verify_signature(session, &message), SEC_E_INVALID_HANDLE);
    assert_int_equal(cs_encrypt(session, 0, &message), SEC_E_INVALID_HANDLE);
    assert_int_equal(cs_decrypt(session, &message, &qop), SEC_E_INVALID_HANDLE);
    assert_int_equal(try_export(session, session->package, 0, &packed), SEC_E_INVALID_HANDLE);
    assert_false(cs_session_key(session, key));
    assert_memory_equal(key, zeros, sizeof zeros);
    assert_memory_equal(session->session_key, zeros, sizeof zeros);
}

static void check_delete(const struct kind *kind)
{
    struct sessions sessions = open_kind(kind);
    expect_talk(&sessions);
    struct cs_session *twin = twin_of(sessions.client, CS_EXPORT_DELETE_OLD);
    expect_retired(sessions.client);
    cs_session_release(sessions.client);
    sessions.client = twin;
    expect_talk(&sessions);
    close_kind(&sessions);
}

static void delete_old(void **state)
{
    (void)state;
    for_each_kind(check_delete);
}

static void both_flags(void **state)
{
    struct sessions sessions = kerberos_sessions(18, KERBEROS_ORDERED);
    (void)state;
    expect_talk(&sessions);
    const uint32_t flags = CS_EXPORT_RESET_NEW | CS_EXPORT_DELETE_OLD;
    struct sessions reset = {twin_of(sessions.client, flags), twin_of(sessions.server, flags)};
    expect_retired(sessions.client);
    expect_retired(sessions.server);
    expect_talk(&reset);
    close_kind(&reset);
    close_kind(&sessions);
}

/* errors.tsv ExportSecurityContext; what is not documented is refused. */
static void refused_flags(void **state)
{
    struct sessions sessions = sessions_with(flavours[0].flags);
    struct bytes packed;
    (void)state;
    for (uint32_t flag = 1; flag; flag <<= 1) {
        const SECURITY_STATUS expected = flag < CS_EXPORT_TO_KERNEL    ? SEC_E_OK
                                         : flag == CS_EXPORT_TO_KERNEL ? SEC_E_UNSUPPORTED_FUNCTION
                                                                       : SEC_E_INVALID_PARAMETER;
        if (flag == CS_EXPORT_DELETE_OLD) continue;
        assert_int_equal(try_export(sessions.client, "NTLM", flag, &packed), expected);
    }
    assert_int_equal(try_export(sessions.client, "NTLM", CS_EXPORT_TO_KERNEL | CS_EXPORT_DELETE_OLD, &packed),
                     SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(try_export(sessions.client, "Kerberos", CS_EXPORT_DELETE_OLD, &packed),
                     SEC_E_UNSUPPORTED_FUNCTION);
    expect_talk(&sessions);
    sessions_end(&sessions);
}

/* Whatever does not fit has changed nothing. */
static void check_room(const struct kind *kind)
{
    struct sessions sessions = open_kind(kind);
    struct cs_writer packed = {0};
    size_t needed = 0;
    const char *package = sessions.client->package;
    expect_talk(&sessions);
    const size_t size = export_with(sessions.client, 0).size;
    assert_int_equal(cs_export_session(sessions.client, package, CS_EXPORT_DELETE_OLD, size - 1, &packed, &needed),
                     SEC_E_BUFFER_TOO_SMALL);
    assert_int_equal(needed, size);
    assert_null(packed.data);
    expect_talk(&sessions);
    assert_int_equal(cs_export_session(sessions.client, package, CS_EXPORT_DELETE_OLD, size, &packed, &needed),
                     SEC_E_OK);
    cs_writer_drop(&packed);
    expect_retired(sessions.client);
    close_kind(&sessions);
}

static void room(void **state)
{
    (void)state;
    for_each_kind(check_room);
}

/* An end is an end, elsewhere too. */
static void expired(void **state)
{
    struct sessions sessions = sessions_with(flavours[0].flags);
    char data[] = "too late";
    uint8_t token[16];
    (void)state;
    sessions.client->expiry = cs_now() - 1;
    struct cs_session *twin = twin_of(sessions.client, 0);
    assert_int_equal(seal(twin, 0, data, sizeof data, token), SEC_E_CONTEXT_EXPIRED);
    cs_session_release(twin);
    sessions_end(&sessions);
}

/* Neither SIGN nor SEAL: a constant for a signature (behaviour.md rows 108 to 111). */
static void unprotected(void **state)
{
    struct sessions sessions = sessions_with(0);
    uint8_t token[16], expected[16] = {1};
    (void)state;
    struct cs_session *twin = twin_of(sessions.client, 0);
    assert_int_equal(sign(twin, "text", 4, token), SEC_E_OK);
    assert_memory_equal(token, expected, sizeof token);
    assert_int_equal(verify(sessions.server, "text", 4, token), SEC_E_OK);
    cs_session_release(twin);
    sessions_end(&sessions);
}

/* One export imported twice makes two sessions that are the same, and go on alike: HACKING says what that means. */
static void check_twice(const struct kind *kind)
{
    struct sessions sessions = open_kind(kind);
    expect_talk(&sessions);
    const struct bytes packed = export_with(sessions.server, 0);
    struct wire wire = kerberos_wrap(sessions.client, 0, "for both", 9);
    for (int i = 0; i < 2; i++) {
        struct cs_session *twin = import_as(sessions.server->package, &packed);
        struct wire copy = wire;
        assert_int_equal(kerberos_unwrap(twin, &copy, NULL), SEC_E_OK);
        assert_string_equal(wire_data(&copy), "for both");
        cs_session_release(twin);
    }
    close_kind(&sessions);
}

static void imported_twice(void **state)
{
    (void)state;
    for_each_kind(check_twice);
}

static void *die_with(void *lock)
{
    pthread_mutex_lock(lock);
    return NULL;
}

static void expect_broken(struct cs_session *session, pthread_mutex_t *lock)
{
    struct bytes packed;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, die_with, lock), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(try_export(session, session->package, CS_EXPORT_DELETE_OLD, &packed), SEC_E_CONTEXT_EXPIRED);
    assert_int_equal(try_export(session, session->package, 0, &packed), SEC_E_CONTEXT_EXPIRED);
}

/* What a thread that was ended has left half done goes nowhere. */
static void broken(void **state)
{
    (void)state;
    for (int direction = 0; direction < 2; direction++) {
        struct sessions ntlm = sessions_with(flavours[0].flags);
        expect_broken(ntlm.client, &ntlm_session_of(ntlm.client)->directions[direction].lock);
        sessions_end(&ntlm);
        for (size_t i = 0; i < COUNT(kerberos_etypes); i++) {
            struct sessions sessions = kerberos_sessions(kerberos_etypes[i], KERBEROS_ORDERED);
            const struct kerberos_session *client = (struct kerberos_session *)sessions.client;
            expect_broken(sessions.client, direction ? &client->receive->lock : &client->send->lock);
            close_kind(&sessions);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(continues),      cmocka_unit_test(continues_from_the_start),
        cmocka_unit_test(under_way),      cmocka_unit_test(attributes),
        cmocka_unit_test(exchanges),      cmocka_unit_test(window),
        cmocka_unit_test(wraps),          cmocka_unit_test(reset_new),
        cmocka_unit_test(delete_old),     cmocka_unit_test(both_flags),
        cmocka_unit_test(refused_flags),  cmocka_unit_test(room),
        cmocka_unit_test(expired),        cmocka_unit_test(unprotected),
        cmocka_unit_test(imported_twice), cmocka_unit_test(broken),
    };
    return cmocka_run_group_tests_name("export_sessions", tests, known_account, forget_account);
}
