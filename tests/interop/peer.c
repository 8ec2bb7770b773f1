/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One side of an exchange of NTLM, Kerberos or Negotiate over the native library, driven by lines (lines.h), so that a
 * test can set it against another implementation. `peer --help` lists the commands.
 */
#include "client.h"
#include "lines.h"
#include "utf16.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct peer {
    const struct cs_mechanism *mechanism;
    bool initiator;
    enum cs_identity_kind identity;
    struct cs_writer user, domain, password, packages, target; /* UTF-16LE */
    struct cs_writer bindings;                                 /* SEC_CHANNEL_BINDINGS and its data */
    uint32_t request, granted, room;
    struct cs_policy policy;
    struct cs_credential *credential;
    struct cs_context *context;
};

/* ---- answers ---- */

static const char *status_name(SECURITY_STATUS status)
{
    static const struct {
        SECURITY_STATUS status;
        const char *name;
    } names[] = {
        {SEC_E_OK, "SEC_E_OK"},
        {SEC_I_CONTINUE_NEEDED, "SEC_I_CONTINUE_NEEDED"},
        {SEC_E_INSUFFICIENT_MEMORY, "SEC_E_INSUFFICIENT_MEMORY"},
        {SEC_E_INVALID_HANDLE, "SEC_E_INVALID_HANDLE"},
        {SEC_E_UNSUPPORTED_FUNCTION, "SEC_E_UNSUPPORTED_FUNCTION"},
        {SEC_E_INTERNAL_ERROR, "SEC_E_INTERNAL_ERROR"},
        {SEC_E_INVALID_TOKEN, "SEC_E_INVALID_TOKEN"},
        {SEC_E_LOGON_DENIED, "SEC_E_LOGON_DENIED"},
        {SEC_E_UNKNOWN_CREDENTIALS, "SEC_E_UNKNOWN_CREDENTIALS"},
        {SEC_E_NO_CREDENTIALS, "SEC_E_NO_CREDENTIALS"},
        {SEC_E_NO_IMPERSONATION, "SEC_E_NO_IMPERSONATION"},
        {SEC_E_MESSAGE_ALTERED, "SEC_E_MESSAGE_ALTERED"},
        {SEC_E_OUT_OF_SEQUENCE, "SEC_E_OUT_OF_SEQUENCE"},
        {SEC_E_QOP_NOT_SUPPORTED, "SEC_E_QOP_NOT_SUPPORTED"},
        {SEC_E_TARGET_UNKNOWN, "SEC_E_TARGET_UNKNOWN"},
        {SEC_E_WRONG_PRINCIPAL, "SEC_E_WRONG_PRINCIPAL"},
        {SEC_E_TIME_SKEW, "SEC_E_TIME_SKEW"},
        {SEC_E_NO_TGT_REPLY, "SEC_E_NO_TGT_REPLY"},
        {SEC_E_NO_KERB_KEY, "SEC_E_NO_KERB_KEY"},
        {SEC_E_KDC_UNKNOWN_ETYPE, "SEC_E_KDC_UNKNOWN_ETYPE"},
        {SEC_E_NO_AUTHENTICATING_AUTHORITY, "SEC_E_NO_AUTHENTICATING_AUTHORITY"},
        {SEC_E_CONTEXT_EXPIRED, "SEC_E_CONTEXT_EXPIRED"},
        {SEC_E_INCOMPLETE_MESSAGE, "SEC_E_INCOMPLETE_MESSAGE"},
        {SEC_E_BUFFER_TOO_SMALL, "SEC_E_BUFFER_TOO_SMALL"},
        {SEC_E_BAD_BINDINGS, "SEC_E_BAD_BINDINGS"},
        {STATUS_LOGON_FAILURE, "STATUS_LOGON_FAILURE"},
        {STATUS_NOT_SUPPORTED, "STATUS_NOT_SUPPORTED"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].status == status) return names[i].name;
    return "UNKNOWN";
}

static void answer_status(SECURITY_STATUS status)
{
    printf("0x%08X %s", (unsigned)status, status_name(status));
}

static void answer_text(struct cs_span utf16)
{
    struct cs_writer utf8 = {0};
    if (!cs_utf8_of(&utf8, utf16)) cs_write_span(&utf8, cs_span_of("(not UTF-16)"));
    printf(" %.*s", (int)utf8.size, (const char *)utf8.data);
    cs_writer_drop(&utf8);
}

static bool set_text(struct cs_writer *utf16, const char *text)
{
    cs_writer_drop(utf16);
    return cs_utf16_of(utf16, cs_span_of(text)) || refuse("not UTF-8");
}

/* ---- commands before the first step ---- */

static bool settled(const struct peer *peer)
{
    return !peer->credential || refuse("the exchange has begun");
}

static void command_role(struct peer *peer, char *rest)
{
    const bool initiator = rest && !strcmp(rest, "init");
    if (!initiator && !(rest && !strcmp(rest, "accept"))) {
        refuse("role is init or accept");
    } else if (settled(peer)) {
        peer->initiator = initiator;
        answer_status(SEC_E_OK);
    }
}

static void command_package(struct peer *peer, char *rest)
{
    const struct cs_mechanism *mechanism = rest ? cs_find_mechanism(rest) : NULL;
    if (!mechanism) {
        refuse("no such package");
    } else if (settled(peer)) {
        peer->mechanism = mechanism;
        answer_status(SEC_E_OK);
    }
}

static void command_packages(struct peer *peer, char *rest)
{
    if (settled(peer) && set_text(&peer->packages, rest)) answer_status(SEC_E_OK);
}

static void set_identity_part(struct peer *peer, struct cs_writer *part, const char *text)
{
    if (!settled(peer) || !set_text(part, text)) return;
    peer->identity = CS_IDENTITY_EXPLICIT;
    answer_status(SEC_E_OK);
}

static void command_user(struct peer *peer, char *rest)
{
    set_identity_part(peer, &peer->user, rest);
}

static void command_domain(struct peer *peer, char *rest)
{
    set_identity_part(peer, &peer->domain, rest);
}

static void command_password(struct peer *peer, char *rest)
{
    set_identity_part(peer, &peer->password, rest);
}

static void command_anonymous(struct peer *peer, char *rest)
{
    (void)rest;
    if (!settled(peer)) return;
    peer->identity = CS_IDENTITY_ANONYMOUS;
    answer_status(SEC_E_OK);
}

static void command_target(struct peer *peer, char *rest)
{
    if (settled(peer) && set_text(&peer->target, rest)) answer_status(SEC_E_OK);
}

static void command_request(struct peer *peer, char *rest)
{
    if (settled(peer) && take_number(&rest, &peer->request)) answer_status(SEC_E_OK);
}

/* The addresses' types and lengths are zero, as they are for every kind of TLS binding. */
static void command_bindings(struct peer *peer, char *rest)
{
    enum { HEADER = 32, LENGTH = 24 };
    struct cs_writer data = {0};
    if (settled(peer) && take_bytes(&rest, &data)) {
        cs_writer_drop(&peer->bindings);
        cs_write_room(&peer->bindings, LENGTH);
        cs_write_u32(&peer->bindings, (uint32_t)data.size);
        cs_write_u32(&peer->bindings, HEADER);
        cs_write_span(&peer->bindings, cs_written(&data));
        answer_status(peer->bindings.failed ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_OK);
    }
    cs_writer_drop(&data);
}

static void command_level(struct peer *peer, char *rest)
{
    if (settled(peer) && take_number(&rest, &peer->policy.lm_compatibility_level)) answer_status(SEC_E_OK);
}

static void command_minimum(struct peer *peer, char *rest)
{
    uint32_t flags;
    if (!settled(peer) || !take_number(&rest, &flags)) return;
    peer->policy.ntlm_min_client_sec = peer->policy.ntlm_min_server_sec = flags;
    answer_status(SEC_E_OK);
}

/* At any time, for a leg may be repeated with more. */
static void command_room(struct peer *peer, char *rest)
{
    if (take_number(&rest, &peer->room)) answer_status(SEC_E_OK);
}

/* ---- the exchange ---- */

static SECURITY_STATUS acquire(struct peer *peer)
{
    const struct cs_credential_request request = {
        .use = peer->initiator ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND,
        .identity = {.kind = peer->identity,
                     .user = cs_written(&peer->user),
                     .domain = cs_written(&peer->domain),
                     .password = cs_written(&peer->password),
                     .package_list = cs_written(&peer->packages)},
        .policy = peer->policy,
    };
    return cs_acquire_credential(peer->mechanism, &request, &peer->credential);
}

static SECURITY_STATUS run_leg(struct peer *peer, struct cs_span input)
{
    struct cs_leg leg = {
        .credential = peer->credential,
        .target = cs_written(&peer->target),
        .request = peer->request,
        .input = input,
        .bindings = cs_written(&peer->bindings),
        .room = peer->room,
    };
    SECURITY_STATUS status = peer->initiator ? cs_initialize(&peer->context, &leg) : cs_accept(&peer->context, &leg);
    peer->granted = leg.granted;
    return status;
}

static void command_step(struct peer *peer, char *rest)
{
    struct cs_writer input = {0};
    if (take_bytes(&rest, &input)) {
        SECURITY_STATUS status = peer->credential ? SEC_E_OK : acquire(peer);
        if (status == SEC_E_OK) status = run_leg(peer, cs_written(&input));
        answer_status(status);
        answer_bytes(peer->context ? cs_token(peer->context) : (struct cs_span){0});
    }
    cs_writer_drop(&input);
}

/* ---- commands after it ---- */

static struct cs_session *session_of(const struct peer *peer)
{
    struct cs_session *session = peer->context ? cs_context_session(peer->context) : NULL;
    if (!session) refuse("the exchange is not complete");
    return session;
}

static struct cs_buffer buffer_of(uint32_t type, const struct cs_writer *bytes)
{
    return (struct cs_buffer){(uint32_t)bytes->size, type, (uintptr_t)bytes->data};
}

static struct cs_span span_of(const struct cs_buffer *buffer)
{
    return (struct cs_span){cs_buffer_bytes(buffer), buffer->size};
}

static void command_sign(struct peer *peer, char *rest)
{
    struct cs_session *session = session_of(peer);
    struct cs_writer data = {0}, token = {0};
    if (session && cs_write_room(&token, session->sizes.max_signature) && take_bytes(&rest, &data)) {
        struct cs_buffer buffers[] = {buffer_of(SECBUFFER_DATA, &data), buffer_of(SECBUFFER_TOKEN, &token)};
        const struct cs_message message = {buffers, 2};
        answer_status(cs_make_signature(session, &message));
        answer_bytes(span_of(&buffers[1]));
    }
    cs_writer_drop(&data);
    cs_writer_drop(&token);
}

static void command_verify(struct peer *peer, char *rest)
{
    struct cs_session *session = session_of(peer);
    struct cs_writer data = {0}, token = {0};
    if (session && take_bytes(&rest, &data) && take_bytes(&rest, &token)) {
        struct cs_buffer buffers[] = {buffer_of(SECBUFFER_DATA, &data), buffer_of(SECBUFFER_TOKEN, &token)};
        const struct cs_message message = {buffers, 2};
        answer_status(cs_verify_signature(session, &message));
    }
    cs_writer_drop(&data);
    cs_writer_drop(&token);
}

/* The buffer that PART is: its bytes, or ROOM bytes for what the function is to put there. False: no such type. */
static bool make_buffer(struct part *part, size_t room, struct cs_buffer *buffer)
{
    static const struct {
        const char *name;
        uint32_t type;
    } types[] = {
        {"token", SECBUFFER_TOKEN},     {"data", SECBUFFER_DATA},
        {"stream", SECBUFFER_STREAM},   {"checked", SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM},
        {"padding", SECBUFFER_PADDING}, {"readonly", SECBUFFER_DATA | SECBUFFER_READONLY},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i].name, part->type)) {
            if (!part->bytes.size) cs_write_room(&part->bytes, room);
            *buffer = buffer_of(types[i].type, &part->bytes);
            return !part->bytes.failed || refuse("no memory");
        }
    return refuse("no such type of buffer");
}

static void answer_buffers(const struct cs_buffer *buffers, size_t count)
{
    for (size_t i = 0; i < count; i++) answer_bytes(span_of(&buffers[i]));
}

static size_t room_of(const struct cs_session *session, const struct part *part)
{
    if (!strcmp(part->type, "token")) return session->sizes.security_trailer;
    return strcmp(part->type, "padding") ? 0 : session->sizes.block_size;
}

static void command_encrypt(struct peer *peer, char *rest)
{
    struct cs_session *session = session_of(peer);
    struct cs_buffer buffers[MAX_PARTS];
    struct parts parts = {.count = 0};
    uint32_t qop = 0;
    bool ready = session && take_number(&rest, &qop) && take_parts(rest, &parts);
    for (size_t i = 0; ready && i < parts.count; i++)
        ready = make_buffer(&parts.part[i], room_of(session, &parts.part[i]), &buffers[i]);
    if (ready) {
        const struct cs_message message = {buffers, (uint32_t)parts.count};
        answer_status(cs_encrypt(session, qop, &message));
        answer_buffers(buffers, parts.count);
    }
    drop_parts(&parts);
}

static void command_decrypt(struct peer *peer, char *rest)
{
    struct cs_session *session = session_of(peer);
    struct cs_buffer buffers[MAX_PARTS];
    struct parts parts = {.count = 0};
    uint32_t qop = 0;
    bool ready = session && take_parts(rest, &parts);
    for (size_t i = 0; ready && i < parts.count; i++) ready = make_buffer(&parts.part[i], 0, &buffers[i]);
    if (ready) {
        const struct cs_message message = {buffers, (uint32_t)parts.count};
        answer_status(cs_decrypt(session, &message, &qop));
        printf(" 0x%08X", qop);
        answer_buffers(buffers, parts.count);
    }
    drop_parts(&parts);
}

static void command_names(struct peer *peer, char *rest)
{
    (void)rest;
    const struct cs_session *session = session_of(peer);
    if (!session) return;
    answer_status(SEC_E_OK);
    answer_text(session->names);
}

static void command_target_name(struct peer *peer, char *rest)
{
    (void)rest;
    const struct cs_session *session = session_of(peer);
    if (!session) return;
    answer_status(SEC_E_OK);
    answer_text(session->target);
}

static void command_session_key(struct peer *peer, char *rest)
{
    (void)rest;
    const struct cs_session *session = session_of(peer);
    if (!session) return;
    answer_status(SEC_E_OK);
    answer_bytes((struct cs_span){session->session_key, session->session_key_size});
}

static void command_etype(struct peer *peer, char *rest)
{
    (void)rest;
    const struct cs_session *session = session_of(peer);
    if (!session) return;
    answer_status(SEC_E_OK);
    printf(" %u", session->key_info.encrypt_algorithm);
}

static SECURITY_STATUS acquire_as(const struct peer *peer, struct cs_client *client, struct cs_credential **credential)
{
    const struct cs_credential_request request = {.use = SECPKG_CRED_OUTBOUND,
                                                  .identity = {.kind = CS_IDENTITY_CLIENT},
                                                  .client = client,
                                                  .policy = peer->policy};
    return cs_acquire_credential(peer->mechanism, &request, credential);
}

/* Begins again as an initiator, with CREDENTIAL. */
static void begin_again(struct peer *peer, struct cs_credential *credential)
{
    cs_credential_release(peer->credential);
    peer->credential = credential;
    cs_context_release(peer->context);
    peer->context = NULL;
    peer->initiator = true;
}

static void act_for_client(struct peer *peer, const char *target)
{
    struct cs_session *session = session_of(peer);
    struct cs_client *client;
    struct cs_credential *credential;
    if (!session || !set_text(&peer->target, target)) return;
    SECURITY_STATUS status = cs_client_of(session, &client);
    if (status == SEC_E_OK) {
        status = acquire_as(peer, client, &credential);
        cs_client_release(client);
    }
    if (status == SEC_E_OK) begin_again(peer, credential);
    answer_status(status);
}

static void command_act_for_client(struct peer *peer, char *rest)
{
    if (take_number(&rest, &peer->request)) act_for_client(peer, rest);
}

/* The other side's delegated credential proves to be one by what can be done with it. */
static void command_delegate(struct peer *peer, char *rest)
{
    const struct cs_session *session = session_of(peer);
    if (!session) return;
    if (session->flags & ASC_REQ_DELEGATE)
        act_for_client(peer, rest);
    else
        answer_status(SEC_E_NO_CREDENTIALS);
}

static void command_flags(struct peer *peer, char *rest)
{
    (void)rest;
    answer_status(SEC_E_OK);
    printf(" 0x%08X", peer->granted);
}

/* ---- the program ---- */

static const struct command commands[] = {
    {"role", "init|accept", command_role},
    {"package", "NTLM|Kerberos|Negotiate", command_package},
    {"packages", "LIST (for Negotiate: \"!ntlm\", \"NTLM\" ...)", command_packages},
    {"user", "TEXT", command_user},
    {"domain", "TEXT", command_domain},
    {"password", "TEXT", command_password},
    {"anonymous", "(the empty identity)", command_anonymous},
    {"target", "TEXT (an SPN)", command_target},
    {"request", "FLAGS (ISC_REQ_ or ASC_REQ_)", command_request},
    {"bindings", "BYTES (a channel binding's application data)", command_bindings},
    {"level", "NUMBER (LmCompatibilityLevel)", command_level},
    {"minimum", "FLAGS (NtlmMinClientSec and NtlmMinServerSec)", command_minimum},
    {"room", "NUMBER (bytes that a token may have)", command_room},
    {"step", "[TOKEN]: the token to send", command_step},
    {"sign", "DATA: signature", command_sign},
    {"verify", "DATA SIGNATURE", command_verify},
    {"encrypt", "QOP (TYPE BYTES)...: the buffers", command_encrypt},
    {"decrypt", "(TYPE BYTES)...: qop, the buffers", command_decrypt},
    {"names", ": DOMAIN\\user", command_names},
    {"target-name", ": the initiator's target", command_target_name},
    {"session-key", ": the key", command_session_key},
    {"etype", ": the encryption type, of Kerberos", command_etype},
    {"act-for-client", "FLAGS TARGET (begin again, in the other side's name)", command_act_for_client},
    {"delegate", "TARGET (the same, if it has delegated a credential; flags are as they were)", command_delegate},
    {"flags", ": ISC_RET_ or ASC_RET_ of the last step", command_flags},
};

static void drop(struct peer *peer)
{
    cs_context_release(peer->context);
    cs_credential_release(peer->credential);
    cs_writer_drop(&peer->user);
    cs_writer_drop(&peer->domain);
    cs_writer_drop(&peer->password);
    cs_writer_drop(&peer->packages);
    cs_writer_drop(&peer->target);
    cs_writer_drop(&peer->bindings);
}

int main(int argc, char **argv)
{
    struct peer peer = {
        .mechanism = cs_find_mechanism("NTLM"), .initiator = true, .room = UINT32_MAX, .policy = cs_default_policy()};
    const int code = run_program(argc, argv, commands, sizeof commands / sizeof *commands, &peer);
    drop(&peer);
    return code;
}
