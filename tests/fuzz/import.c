/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target: packed sessions. Input: what session it is, and the mode; then, by the mode, bytes that nobody packed,
 * changes to a packed session, or, behind its seal, changes to its content, or a content. What is taken all the same
 * must pack again as the same, and a peer of the other role, in the same state, must understand its messages.
 */
#include "changes.h"
#include "export.h"
#include "fuzz.h"
#include "kerberos_protect.h"
#include "protect.h"
#include "sealed.h"

#include <string.h>

enum { ETYPES = 5, STYLES = 4, TOKEN_ROOM = 128, MOST_CHANGES = 4, SEQUENCES = 24 };

enum mode { RAW, CHANGED, CHANGED_CONTENT, RAW_CONTENT, MODES };

static const int32_t etypes[ETYPES] = {17, 18, 19, 20, 23};
static const uint32_t styles[STYLES] = {ISC_REQ_SEQUENCE_DETECT | ISC_REQ_REPLAY_DETECT, ISC_REQ_REPLAY_DETECT, 0,
                                        ISC_REQ_USE_DCE_STYLE};

/* Both ends of one session, with names. */
struct ends {
    struct cs_session *client, *server;
};

/* UTF-16LE of one character. */
static struct cs_span copy_of(char character)
{
    const uint8_t utf16[2] = {(uint8_t)character, 0};
    struct cs_span copy;
    fuzz_require(cs_span_copy(&copy, (struct cs_span){utf16, sizeof utf16}), "memory");
    return copy;
}

static struct cs_session *open_kerberos(uint8_t choice, bool initiator)
{
    struct kerberos_session_seed seed = {.initiator = initiator,
                                         .granted = ISC_REQ_CONFIDENTIALITY | styles[choice / ETYPES % STYLES],
                                         .etype = etypes[choice % ETYPES],
                                         .acceptor_subkey = choice & 0x40,
                                         .send_sequence = initiator ? 1000 : 2000,
                                         .receive_sequence = initiator ? 2000 : 1000,
                                         .expiry = INT64_MAX,
                                         .names = copy_of('u'),
                                         .target = copy_of('h')};
    seed.key_size = seed.etype == 18 || seed.etype == 20 ? 32 : 16;
    memset(seed.key, 0x55, seed.key_size);
    return kerberos_session_create(&seed);
}

static struct cs_session *open_ntlm(uint8_t choice, bool initiator)
{
    static const uint32_t flags[] = {NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY, NTLMSSP_NEGOTIATE_128,
                                     NTLMSSP_NEGOTIATE_KEY_EXCH, NTLMSSP_NEGOTIATE_LM_KEY, NTLMSSP_NEGOTIATE_56};
    struct ntlm_session_seed seed = {.initiator = initiator,
                                     .flags = NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL,
                                     .expiry = INT64_MAX,
                                     .names = copy_of('u'),
                                     .target = copy_of('h')};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (choice >> i & 1) seed.flags |= flags[i];
    memset(seed.exported_session_key, 0x55, sizeof seed.exported_session_key);
    return ntlm_session_create(&seed);
}

static struct ends open_ends(uint8_t choice)
{
    struct cs_session *(*const open)(uint8_t, bool) = choice & 0x80 ? open_kerberos : open_ntlm;
    const struct ends ends = {open(choice & 0x7F, true), open(choice & 0x7F, false)};
    fuzz_require(ends.client && ends.server, "memory");
    return ends;
}

static void close_ends(const struct ends *ends)
{
    cs_session_release(ends->client);
    cs_session_release(ends->server);
}

/* A message, if FROM makes any, which TO then understands. */
static void send(struct cs_session *from, struct cs_session *to, bool seals)
{
    char text[] = "genuine";
    uint8_t token[TOKEN_ROOM] = {0}, padding = 0;
    struct cs_buffer buffers[] = {{sizeof token, SECBUFFER_TOKEN, (uint64_t)(uintptr_t)token},
                                  {sizeof text, SECBUFFER_DATA, (uint64_t)(uintptr_t)text},
                                  {1, SECBUFFER_PADDING, (uint64_t)(uintptr_t)&padding}};
    const struct cs_message message = {buffers, seals ? 3 : 2};
    uint32_t qop;
    SECURITY_STATUS status = seals ? cs_encrypt(from, 0, &message) : cs_make_signature(from, &message);
    if (status == SEC_E_UNSUPPORTED_FUNCTION || status == SEC_E_CONTEXT_EXPIRED) return;
    fuzz_require(status == SEC_E_OK, "a message that cannot be made");
    status = seals ? cs_decrypt(to, &message, &qop) : cs_verify_signature(to, &message);
    fuzz_require(status == SEC_E_OK && !strcmp(text, "genuine"), "a genuine message does not verify");
}

static void converse(struct cs_session *one, struct cs_session *other)
{
    for (int i = 0; i < 4; i++) {
        send(one, other, i % 2);
        send(other, one, i / 2);
    }
}

static void export(struct cs_session *session, uint32_t flags, struct cs_writer *packed)
{
    size_t needed;
    fuzz_require(cs_export_session(session, session->package, flags, SIZE_MAX, packed, &needed) == SEC_E_OK, "export");
}

static void open_content(struct cs_span packed, struct cs_writer *content)
{
    struct cs_writer opened = {0};
    struct cs_span plain;
    fuzz_require(cs_sealed_open(packed, &opened, &plain) == SEC_E_OK, "a packed session that cannot be opened");
    cs_write_span(content, plain);
    cs_writer_drop(&opened);
}

static void seal_content(struct cs_span content, struct cs_writer *packed)
{
    cs_sealed_begin(packed);
    cs_write_span(packed, content);
    fuzz_require(cs_sealed_end(packed) == SEC_E_OK, "seal");
}

static struct cs_session *import_again(const char *package, struct cs_span packed)
{
    struct cs_session *session;
    fuzz_require(cs_import_session(package, packed, &session) == SEC_E_OK, "what was packed is not taken");
    return session;
}

/* Packed, it is itself again: nothing is lost on the way, or spelt in two ways. */
static void require_same(struct cs_session *session, struct cs_writer *content)
{
    struct cs_writer packed = {0}, again = {0}, second = {0};
    export(session, 0, &packed);
    open_content(cs_written(&packed), content);
    struct cs_session *twin = import_again(session->package, cs_written(&packed));
    export(twin, 0, &again);
    open_content(cs_written(&again), &second);
    fuzz_require(content->size == second.size && !memcmp(content->data, second.data, second.size), "another session");
    cs_session_release(twin);
    cs_writer_drop(&packed);
    cs_writer_drop(&again);
    cs_writer_drop(&second);
}

/* CONTENT's peer: the other role; and Kerberos's directions, which end it, the other way round. */
static void make_peer(const char *package, struct cs_writer *content)
{
    const size_t initiator = 2 * (1 + strlen(package));
    uint8_t *directions = content->data + content->size - 2 * SEQUENCES, kept[SEQUENCES];
    content->data[initiator] ^= 1;
    if (strcmp(package, "Kerberos")) return;
    memcpy(kept, directions, SEQUENCES);
    memmove(directions, directions + SEQUENCES, SEQUENCES);
    memcpy(directions + SEQUENCES, kept, SEQUENCES);
}

/* With a peer made for it, and begun anew with one begun anew. */
static void use(struct cs_session *session)
{
    struct cs_writer content = {0}, packed = {0}, fresh[2] = {{0}, {0}};
    require_same(session, &content);
    make_peer(session->package, &content);
    seal_content(cs_written(&content), &packed);
    struct cs_session *peer = import_again(session->package, cs_written(&packed));
    converse(session, peer);
    export(session, CS_EXPORT_RESET_NEW, &fresh[0]);
    export(peer, CS_EXPORT_RESET_NEW | CS_EXPORT_DELETE_OLD, &fresh[1]);
    struct cs_session *ends[2];
    for (int i = 0; i < 2; i++) ends[i] = import_again(session->package, cs_written(&fresh[i]));
    converse(ends[0], ends[1]);
    for (int i = 0; i < 2; i++) cs_session_release(ends[i]);
    for (int i = 0; i < 2; i++) cs_writer_drop(&fresh[i]);
    cs_session_release(peer);
    cs_writer_drop(&content);
    cs_writer_drop(&packed);
}

/* What nobody packed is refused; with the user's key, which no attacker has, anything may be. */
static void import(const char *package, struct cs_span packed, bool refused)
{
    struct cs_session *session;
    SECURITY_STATUS status = cs_import_session(package, packed, &session);
    fuzz_require(status == SEC_E_OK || status == SEC_E_INVALID_TOKEN || (refused && status == SEC_E_NOT_OWNER),
                 "a status that is not among those documented");
    fuzz_require(!refused || status, "a session that nobody packed");
    fuzz_require((session == NULL) == (status != SEC_E_OK), "a session without its status");
    if (session) use(session);
    cs_session_release(session);
}

static void run_changed(const struct ends *ends, enum mode mode, struct cs_reader *input)
{
    struct cs_writer packed = {0}, content = {0}, sealed = {0};
    const char *package = ends->client->package;
    export(ends->client, 0, &packed);
    if (mode == CHANGED) {
        if (fuzz_change(&packed, input, MOST_CHANGES)) import(package, cs_written(&packed), true);
    } else {
        open_content(cs_written(&packed), &content);
        if (!fuzz_change(&content, input, MOST_CHANGES)) use(ends->client);
        seal_content(cs_written(&content), &sealed);
        import(package, cs_written(&sealed), false);
    }
    cs_writer_drop(&packed);
    cs_writer_drop(&content);
    cs_writer_drop(&sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cs_reader input = cs_reader_of((struct cs_span){data, size});
    const uint8_t choice = cs_read_u8(&input);
    const enum mode mode = cs_read_u8(&input) % MODES;
    const struct ends ends = open_ends(choice);
    struct cs_writer sealed = {0};
    fuzz_seed_random(choice);
    converse(ends.client, ends.server);
    if (mode == RAW) {
        import(ends.client->package, fuzz_rest(&input), true);
    } else if (mode == RAW_CONTENT) {
        seal_content(fuzz_rest(&input), &sealed);
        import(ends.client->package, cs_written(&sealed), false);
    } else {
        run_changed(&ends, mode, &input);
    }
    cs_writer_drop(&sealed);
    close_ends(&ends);
    return 0;
}
