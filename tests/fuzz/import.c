/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target: packed sessions. Input: what session it is; the mode, and who its client is, if it is an acceptor's;
 * then, by the mode, bytes that nobody packed, changes to a packed session, or, behind its seal, changes to its
 * content, or a content. What is taken all the same must pack again as the same, and a peer of the other role, in the
 * same state, must understand its messages; and servers act in the name of the client that came with it.
 */
#include "changes.h"
#include "client.h"
#include "export.h"
#include "fuzz.h"
#include "kerberos_protect.h"
#include "protect.h"
#include "sealed.h"
#include "travellers.h"

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

/*
 * Packed, and gone from here, it is itself again: nothing is lost on the way, or spelt in two ways. *SESSION is then
 * the one that has come back.
 */
static void require_same(struct cs_session **session, struct cs_writer *content)
{
    struct cs_writer packed = {0}, again = {0}, second = {0};
    const char *package = (*session)->package;
    export(*session, 0, &packed);
    open_content(cs_written(&packed), content);
    cs_session_release(*session);
    *session = import_again(package, cs_written(&packed));
    export(*session, 0, &again);
    open_content(cs_written(&again), &second);
    fuzz_require(content->size == second.size && !memcmp(content->data, second.data, second.size), "another session");
    cs_writer_drop(&packed);
    cs_writer_drop(&again);
    cs_writer_drop(&second);
}

/* The part before what is said of the client (export.c). */
static size_t head_size(struct cs_span content)
{
    enum { NAMES = 2, TEXTS = 4 };
    struct cs_reader packed = cs_reader_of(content);
    for (int i = 0; i < NAMES; i++) cs_read_span(&packed, cs_read_u8(&packed));
    cs_read_span(&packed, 1 + 4 + 8 + 8);
    cs_read_span(&packed, cs_read_u8(&packed));
    for (int i = 0; i < TEXTS; i++) cs_read_span(&packed, cs_read_u32(&packed));
    fuzz_require(!packed.failed, "a packed session's head");
    return content.size - packed.remaining;
}

/* What an acceptor that knows nothing of its client says of it. */
static void pack_nobody(const char *package, struct cs_writer *client)
{
    struct cs_session *other = strcmp(package, "Kerberos") ? open_ntlm(0, false) : open_kerberos(0, false);
    fuzz_require(other && cs_client_pack(other, client) == SEC_E_OK, "a client");
    cs_session_release(other);
}

/* The content of SESSION's peer: the other role, and Kerberos's directions, which end it, the other way round. */
static void make_peer(struct cs_session *session, struct cs_span content, struct cs_writer *made)
{
    const size_t head = head_size(content), role = 2 * (1 + strlen(session->package));
    struct cs_writer own = {0};
    uint8_t kept[SEQUENCES];
    fuzz_require(cs_client_pack(session, &own) == SEC_E_OK, "a client");
    cs_write_span(made, (struct cs_span){content.data, head});
    if (session->initiator)
        pack_nobody(session->package, made);
    else
        cs_write_u8(made, 0);
    cs_write_span(made, (struct cs_span){content.data + head + own.size, content.size - head - own.size});
    cs_writer_drop(&own);
    made->data[role] ^= 1;
    if (strcmp(session->package, "Kerberos")) return;
    uint8_t *directions = made->data + made->size - 2 * SEQUENCES;
    memcpy(kept, directions, SEQUENCES);
    memmove(directions, directions + SEQUENCES, SEQUENCES);
    memcpy(directions + SEQUENCES, kept, SEQUENCES);
}

/* *SESSION with a peer made for it, and begun anew with one begun anew. */
static void use(struct cs_session **session)
{
    struct cs_writer content = {0}, mirrored = {0}, packed = {0}, fresh[2] = {{0}, {0}};
    require_same(session, &content);
    const char *package = (*session)->package;
    make_peer(*session, cs_written(&content), &mirrored);
    seal_content(cs_written(&mirrored), &packed);
    struct cs_session *peer = import_again(package, cs_written(&packed));
    converse(*session, peer);
    traveller_goes_on(*session);
    export(*session, CS_EXPORT_RESET_NEW, &fresh[0]);
    export(peer, CS_EXPORT_RESET_NEW | CS_EXPORT_DELETE_OLD, &fresh[1]);
    struct cs_session *ends[2];
    for (int i = 0; i < 2; i++) ends[i] = import_again(package, cs_written(&fresh[i]));
    converse(ends[0], ends[1]);
    for (int i = 0; i < 2; i++) cs_session_release(ends[i]);
    for (int i = 0; i < 2; i++) cs_writer_drop(&fresh[i]);
    cs_session_release(peer);
    cs_writer_drop(&content);
    cs_writer_drop(&mirrored);
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
    if (session) use(&session);
    cs_session_release(session);
}

/* SESSION leaves, and what is taken in its place is changed on the way. */
static void run_changed(struct cs_session *session, enum mode mode, struct cs_reader *input)
{
    struct cs_writer packed = {0}, content = {0}, sealed = {0};
    const char *package = session->package;
    export(session, 0, &packed);
    cs_session_release(session);
    if (mode == CHANGED) {
        if (fuzz_change(&packed, input, MOST_CHANGES)) import(package, cs_written(&packed), true);
    } else {
        open_content(cs_written(&packed), &content);
        const bool changed = fuzz_change(&content, input, MOST_CHANGES);
        seal_content(cs_written(&content), &sealed);
        import(package, cs_written(&sealed), false);
        if (!changed) cs_session_release(import_again(package, cs_written(&sealed)));
    }
    cs_writer_drop(&packed);
    cs_writer_drop(&content);
    cs_writer_drop(&sealed);
}

/* Which of both ends travels: 0 is the initiator, which has no client. */
static struct cs_session *traveller_of(struct ends *ends, uint8_t kind)
{
    struct cs_session **end = kind ? &ends->server : &ends->client, *session = *end;
    if (kind) traveller_arrives(session, kind - 1);
    *end = NULL;
    return session;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cs_reader input = cs_reader_of((struct cs_span){data, size});
    const uint8_t choice = cs_read_u8(&input), how = cs_read_u8(&input);
    const enum mode mode = how % MODES;
    struct ends ends = open_ends(choice);
    struct cs_writer sealed = {0};
    fuzz_seed_random(choice);
    converse(ends.client, ends.server);
    struct cs_session *session = traveller_of(&ends, how / MODES % (1 + TRAVELLERS));
    const char *package = session->package;
    if (mode == CHANGED || mode == CHANGED_CONTENT) {
        run_changed(session, mode, &input);
    } else {
        cs_session_release(session);
        if (mode == RAW_CONTENT) seal_content(fuzz_rest(&input), &sealed);
        import(package, mode == RAW ? fuzz_rest(&input) : cs_written(&sealed), mode == RAW);
    }
    cs_writer_drop(&sealed);
    close_ends(&ends);
    return 0;
}
