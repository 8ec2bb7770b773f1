/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One side of an exchange of Kerberos over a GSS-API library, driven by lines (lines.h) like `peer`, and with nothing
 * of ours but that. It is built twice: against MIT's library (gss_mit) and Heimdal's (gss_heimdal). A status is a major
 * status; that of a failure is followed by the library's own words.
 */
#include "lines.h"

#include <gssapi/gssapi.h>
#ifdef GSS_OF_MIT
#include <gssapi/gssapi_ext.h>
#endif
#include <gssapi/gssapi_krb5.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct peer {
    bool initiator;
    gss_OID mechanism; /* the initiator's */
    struct cs_writer target, bindings;
    uint32_t request, granted;
    gss_ctx_id_t context;
    gss_cred_id_t credential, delegated;
    gss_name_t initiator_name;
};

static char kerberos_bytes[] = "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
static gss_OID_desc kerberos = {sizeof kerberos_bytes - 1, kerberos_bytes};

static char spnego_bytes[] = "\x2b\x06\x01\x05\x05\x02";
static gss_OID_desc spnego = {sizeof spnego_bytes - 1, spnego_bytes};

/* GSS_C_INQ_SSPI_SESSION_KEY, 1.2.840.113554.1.2.2.5.5: Heimdal's header has it and its library does not export it. */
static char session_key_bytes[] = "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x05";
static gss_OID_desc session_key = {sizeof session_key_bytes - 1, session_key_bytes};

/* ---- answers ---- */

static const char *const calling_errors[] = {"", "GSS_S_CALL_INACCESSIBLE_READ", "GSS_S_CALL_INACCESSIBLE_WRITE",
                                             "GSS_S_CALL_BAD_STRUCTURE"};
static const char *const routine_errors[] = {"",
                                             "GSS_S_BAD_MECH",
                                             "GSS_S_BAD_NAME",
                                             "GSS_S_BAD_NAMETYPE",
                                             "GSS_S_BAD_BINDINGS",
                                             "GSS_S_BAD_STATUS",
                                             "GSS_S_BAD_SIG",
                                             "GSS_S_NO_CRED",
                                             "GSS_S_NO_CONTEXT",
                                             "GSS_S_DEFECTIVE_TOKEN",
                                             "GSS_S_DEFECTIVE_CREDENTIAL",
                                             "GSS_S_CREDENTIALS_EXPIRED",
                                             "GSS_S_CONTEXT_EXPIRED",
                                             "GSS_S_FAILURE",
                                             "GSS_S_BAD_QOP",
                                             "GSS_S_UNAUTHORIZED",
                                             "GSS_S_UNAVAILABLE",
                                             "GSS_S_DUPLICATE_ELEMENT",
                                             "GSS_S_NAME_NOT_MN"};

static const char *supplement(OM_uint32 major)
{
    if (major & GSS_S_DUPLICATE_TOKEN) return "GSS_S_DUPLICATE_TOKEN";
    if (major & GSS_S_OLD_TOKEN) return "GSS_S_OLD_TOKEN";
    if (major & GSS_S_UNSEQ_TOKEN) return "GSS_S_UNSEQ_TOKEN";
    if (major & GSS_S_GAP_TOKEN) return "GSS_S_GAP_TOKEN";
    return major & GSS_S_CONTINUE_NEEDED ? "GSS_S_CONTINUE_NEEDED" : "GSS_S_COMPLETE";
}

static const char *major_name(OM_uint32 major)
{
    const OM_uint32 routine = GSS_ROUTINE_ERROR(major) >> GSS_C_ROUTINE_ERROR_OFFSET;
    const OM_uint32 calling = GSS_CALLING_ERROR(major) >> GSS_C_CALLING_ERROR_OFFSET;
    if (routine) return routine < sizeof routine_errors / sizeof *routine_errors ? routine_errors[routine] : "UNKNOWN";
    if (calling) return calling < sizeof calling_errors / sizeof *calling_errors ? calling_errors[calling] : "UNKNOWN";
    return supplement(major);
}

static void answer_major(OM_uint32 major)
{
    printf("0x%08X %s", (unsigned)major, major_name(major));
}

static void answer_words(OM_uint32 minor)
{
    OM_uint32 ignored, more = 0;
    gss_buffer_desc text = {0, NULL};
    if (gss_display_status(&ignored, minor, GSS_C_MECH_CODE, &kerberos, &more, &text) == GSS_S_COMPLETE)
        printf(" %.*s", (int)text.length, (const char *)text.value);
    gss_release_buffer(&ignored, &text);
}

/* Answers the status; whether it is a success, which is followed by more. */
static bool answer_status(OM_uint32 major, OM_uint32 minor)
{
    answer_major(major);
    if (GSS_ERROR(major)) answer_words(minor);
    return !GSS_ERROR(major);
}

static void answer_buffer(const gss_buffer_desc *buffer)
{
    answer_bytes((struct cs_span){buffer->value, buffer->length});
}

static gss_buffer_desc buffer_of(const struct cs_writer *bytes)
{
    return (gss_buffer_desc){bytes->size, bytes->data};
}

/* ---- commands before the first step ---- */

static bool settled(const struct peer *peer)
{
    return peer->context == GSS_C_NO_CONTEXT || refuse("the exchange has begun");
}

static void command_role(struct peer *peer, char *rest)
{
    const bool initiator = rest && !strcmp(rest, "init");
    if (!initiator && !(rest && !strcmp(rest, "accept"))) {
        refuse("role is init or accept");
    } else if (settled(peer)) {
        peer->initiator = initiator;
        answer_status(GSS_S_COMPLETE, 0);
    }
}

static void command_mech(struct peer *peer, char *rest)
{
    const bool negotiates = rest && !strcmp(rest, "spnego");
    if (!negotiates && !(rest && !strcmp(rest, "kerberos"))) {
        refuse("mech is kerberos or spnego");
    } else if (settled(peer)) {
        peer->mechanism = negotiates ? &spnego : &kerberos;
        answer_status(GSS_S_COMPLETE, 0);
    }
}

static void set_target(struct peer *peer, const char *text)
{
    cs_writer_drop(&peer->target);
    cs_write_span(&peer->target, (struct cs_span){(const uint8_t *)text, text ? strlen(text) : 0});
    answer_status(GSS_S_COMPLETE, 0);
}

static void command_target(struct peer *peer, char *rest)
{
    if (settled(peer)) set_target(peer, rest);
}

static void command_request(struct peer *peer, char *rest)
{
    if (settled(peer) && take_number(&rest, &peer->request)) answer_status(GSS_S_COMPLETE, 0);
}

static void command_bindings(struct peer *peer, char *rest)
{
    if (!settled(peer)) return;
    cs_writer_drop(&peer->bindings);
    if (take_bytes(&rest, &peer->bindings)) answer_status(GSS_S_COMPLETE, 0);
}

/* ---- the exchange ---- */

static OM_uint32 initiate(struct peer *peer, gss_buffer_t input, gss_channel_bindings_t bindings, gss_buffer_t output,
                          OM_uint32 *minor)
{
    OM_uint32 ignored;
    gss_buffer_desc text = buffer_of(&peer->target);
    gss_name_t name = GSS_C_NO_NAME;
    OM_uint32 major = gss_import_name(minor, &text, GSS_KRB5_NT_PRINCIPAL_NAME, &name);
    if (!GSS_ERROR(major))
        major = gss_init_sec_context(minor, peer->credential, &peer->context, name, peer->mechanism, peer->request, 0,
                                     bindings, input, NULL, output, &peer->granted, NULL);
    gss_release_name(&ignored, &name);
    return major;
}

static OM_uint32 run_leg(struct peer *peer, gss_buffer_t input, gss_buffer_t output, OM_uint32 *minor)
{
    OM_uint32 ignored;
    struct gss_channel_bindings_struct bindings = {.application_data = buffer_of(&peer->bindings)};
    const gss_channel_bindings_t given = peer->bindings.size ? &bindings : GSS_C_NO_CHANNEL_BINDINGS;
    if (peer->initiator) return initiate(peer, input, given, output, minor);
    gss_release_name(&ignored, &peer->initiator_name);
    gss_release_cred(&ignored, &peer->delegated);
    return gss_accept_sec_context(minor, &peer->context, GSS_C_NO_CREDENTIAL, input, given, &peer->initiator_name, NULL,
                                  output, &peer->granted, NULL, &peer->delegated);
}

static void command_step(struct peer *peer, char *rest)
{
    struct cs_writer bytes = {0};
    OM_uint32 minor = 0;
    gss_buffer_desc output = {0, NULL};
    if (take_bytes(&rest, &bytes)) {
        gss_buffer_desc input = buffer_of(&bytes);
        const OM_uint32 major = run_leg(peer, &input, &output, &minor);
        answer_major(major);
        answer_buffer(&output);
        if (GSS_ERROR(major)) answer_words(minor);
    }
    gss_release_buffer(&minor, &output);
    cs_writer_drop(&bytes);
}

/* ---- commands after it ---- */

static bool established(const struct peer *peer)
{
    return peer->context != GSS_C_NO_CONTEXT || refuse("the exchange is not complete");
}

static void command_sign(struct peer *peer, char *rest)
{
    struct cs_writer bytes = {0};
    OM_uint32 minor;
    gss_buffer_desc token = {0, NULL};
    if (established(peer) && take_bytes(&rest, &bytes)) {
        gss_buffer_desc data = buffer_of(&bytes);
        const OM_uint32 major = gss_get_mic(&minor, peer->context, GSS_C_QOP_DEFAULT, &data, &token);
        if (answer_status(major, minor)) answer_buffer(&token);
    }
    gss_release_buffer(&minor, &token);
    cs_writer_drop(&bytes);
}

static void command_verify(struct peer *peer, char *rest)
{
    struct cs_writer bytes = {0}, signature = {0};
    if (established(peer) && take_bytes(&rest, &bytes) && take_bytes(&rest, &signature)) {
        OM_uint32 minor;
        gss_buffer_desc data = buffer_of(&bytes), token = buffer_of(&signature);
        const OM_uint32 major = gss_verify_mic(&minor, peer->context, &data, &token, NULL);
        answer_status(major, minor);
    }
    cs_writer_drop(&bytes);
    cs_writer_drop(&signature);
}

static void command_wrap(struct peer *peer, char *rest)
{
    struct cs_writer bytes = {0};
    uint32_t seals;
    int sealed = 0;
    OM_uint32 minor;
    gss_buffer_desc token = {0, NULL};
    if (established(peer) && take_number(&rest, &seals) && take_bytes(&rest, &bytes)) {
        gss_buffer_desc data = buffer_of(&bytes);
        const OM_uint32 major = gss_wrap(&minor, peer->context, seals != 0, GSS_C_QOP_DEFAULT, &data, &sealed, &token);
        if (answer_status(major, minor)) printf(" %d", sealed);
        if (!GSS_ERROR(major)) answer_buffer(&token);
    }
    gss_release_buffer(&minor, &token);
    cs_writer_drop(&bytes);
}

static void command_unwrap(struct peer *peer, char *rest)
{
    struct cs_writer bytes = {0};
    int sealed = 0;
    OM_uint32 minor;
    gss_buffer_desc data = {0, NULL};
    if (established(peer) && take_bytes(&rest, &bytes)) {
        gss_buffer_desc token = buffer_of(&bytes);
        const OM_uint32 major = gss_unwrap(&minor, peer->context, &token, &data, &sealed, NULL);
        if (answer_status(major, minor)) printf(" %d", sealed);
        if (!GSS_ERROR(major)) answer_buffer(&data);
    }
    gss_release_buffer(&minor, &data);
    cs_writer_drop(&bytes);
}

/* ---- IOV ---- */

/* The IOV buffer that PART is. What a token consists of is for the library to allocate unless its bytes are there. */
static bool make_iov(struct part *part, gss_iov_buffer_desc *buffer)
{
    static const struct {
        const char *name;
        uint32_t type;
        bool of_token;
    } types[] = {
        {"header", GSS_IOV_BUFFER_TYPE_HEADER, true},        {"data", GSS_IOV_BUFFER_TYPE_DATA, false},
        {"sign-only", GSS_IOV_BUFFER_TYPE_SIGN_ONLY, false}, {"padding", GSS_IOV_BUFFER_TYPE_PADDING, true},
        {"trailer", GSS_IOV_BUFFER_TYPE_TRAILER, true},      {"stream", GSS_IOV_BUFFER_TYPE_STREAM, false},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i].name, part->type)) {
            const bool wanted = types[i].of_token && !part->bytes.size;
            buffer->type = types[i].type | (wanted ? GSS_IOV_BUFFER_FLAG_ALLOCATE : 0);
            buffer->buffer = buffer_of(&part->bytes);
            return true;
        }
    return refuse("no such type of buffer");
}

static bool make_iovs(struct parts *parts, gss_iov_buffer_desc *buffers)
{
    for (size_t i = 0; i < parts->count; i++)
        if (!make_iov(&parts->part[i], &buffers[i])) return false;
    return true;
}

static void answer_iovs(OM_uint32 major, OM_uint32 minor, int sealed, gss_iov_buffer_desc *buffers, size_t count)
{
    if (answer_status(major, minor)) printf(" %d", sealed);
    for (size_t i = 0; i < count && !GSS_ERROR(major); i++) answer_buffer(&buffers[i].buffer);
    gss_release_iov_buffer(&minor, buffers, (int)count);
}

static void command_wrap_iov(struct peer *peer, char *rest)
{
    struct parts parts = {.count = 0};
    gss_iov_buffer_desc buffers[MAX_PARTS];
    uint32_t seals;
    int sealed = 0;
    if (established(peer) && take_number(&rest, &seals) && take_parts(rest, &parts) && make_iovs(&parts, buffers)) {
        OM_uint32 minor;
        const OM_uint32 major =
            gss_wrap_iov(&minor, peer->context, seals != 0, GSS_C_QOP_DEFAULT, &sealed, buffers, (int)parts.count);
        answer_iovs(major, minor, sealed, buffers, parts.count);
    }
    drop_parts(&parts);
}

/* A token that has no bytes of a part came without that part. */
static void allocate_none(gss_iov_buffer_desc *buffers, size_t count)
{
    for (size_t i = 0; i < count; i++) buffers[i].type = GSS_IOV_BUFFER_TYPE(buffers[i].type);
}

static void command_unwrap_iov(struct peer *peer, char *rest)
{
    struct parts parts = {.count = 0};
    gss_iov_buffer_desc buffers[MAX_PARTS];
    int sealed = 0;
    if (established(peer) && take_parts(rest, &parts) && make_iovs(&parts, buffers)) {
        OM_uint32 minor;
        allocate_none(buffers, parts.count);
        const OM_uint32 major = gss_unwrap_iov(&minor, peer->context, &sealed, NULL, buffers, (int)parts.count);
        answer_iovs(major, minor, sealed, buffers, parts.count);
    }
    drop_parts(&parts);
}

/* ---- queries ---- */

static void command_names(struct peer *peer, char *rest)
{
    (void)rest;
    OM_uint32 minor, major = GSS_S_COMPLETE;
    gss_buffer_desc text = {0, NULL};
    gss_name_t target = GSS_C_NO_NAME;
    if (!established(peer)) return;
    if (peer->initiator)
        major = gss_inquire_context(&minor, peer->context, NULL, &target, NULL, NULL, NULL, NULL, NULL);
    if (!GSS_ERROR(major))
        major = gss_display_name(&minor, peer->initiator ? target : peer->initiator_name, &text, NULL);
    if (answer_status(major, minor)) printf(" %.*s", (int)text.length, (const char *)text.value);
    gss_release_name(&minor, &target);
    gss_release_buffer(&minor, &text);
}

static void command_session_key(struct peer *peer, char *rest)
{
    (void)rest;
    OM_uint32 minor;
    gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
    if (!established(peer)) return;
    const OM_uint32 major = gss_inquire_sec_context_by_oid(&minor, peer->context, &session_key, &set);
    if (answer_status(major, minor) && set->count) answer_buffer(&set->elements[0]);
    gss_release_buffer_set(&minor, &set);
}

static void command_flags(struct peer *peer, char *rest)
{
    (void)rest;
    answer_status(GSS_S_COMPLETE, 0);
    printf(" 0x%08X", peer->granted);
}

/*
 * The other side's delegated credential proves to be one by what can be done with it. Heimdal's is one of Kerberos
 * alone, though it came through SPNEGO.
 */
static void command_delegate(struct peer *peer, char *rest)
{
    OM_uint32 minor;
    if (peer->delegated == GSS_C_NO_CREDENTIAL) {
        answer_status(GSS_S_NO_CRED, 0);
        return;
    }
    gss_release_cred(&minor, &peer->credential);
    gss_delete_sec_context(&minor, &peer->context, GSS_C_NO_BUFFER);
    peer->credential = peer->delegated;
    peer->delegated = GSS_C_NO_CREDENTIAL;
    peer->mechanism = &kerberos;
    peer->initiator = true;
    set_target(peer, rest);
}

/* ---- the program ---- */

static const struct command commands[] = {
    {"role", "init|accept", command_role},
    {"mech", "kerberos|spnego", command_mech},
    {"target", "PRINCIPAL", command_target},
    {"request", "FLAGS (GSS_C_)", command_request},
    {"bindings", "BYTES (a channel binding's application data)", command_bindings},
    {"step", "[TOKEN]: the token to send, after a failure too", command_step},
    {"sign", "DATA: token", command_sign},
    {"verify", "DATA TOKEN", command_verify},
    {"wrap", "0|1 DATA: whether it is sealed, token", command_wrap},
    {"unwrap", "TOKEN: whether it was sealed, data", command_unwrap},
    {"wrap-iov", "0|1 (TYPE BYTES)...: whether it is sealed, the buffers", command_wrap_iov},
    {"unwrap-iov", "(TYPE BYTES)...: whether it was sealed, the buffers", command_unwrap_iov},
    {"names", ": the other side", command_names},
    {"session-key", ": the key", command_session_key},
    {"delegate", "PRINCIPAL (begin again, with the credential that was delegated)", command_delegate},
    {"flags", ": GSS_C_ flags of the last step", command_flags},
};

static void drop(struct peer *peer)
{
    OM_uint32 minor;
    gss_delete_sec_context(&minor, &peer->context, GSS_C_NO_BUFFER);
    gss_release_cred(&minor, &peer->credential);
    gss_release_cred(&minor, &peer->delegated);
    gss_release_name(&minor, &peer->initiator_name);
    cs_writer_drop(&peer->target);
    cs_writer_drop(&peer->bindings);
}

int main(int argc, char **argv)
{
    struct peer peer = {.initiator = true, .mechanism = &kerberos};
    const int code = run_program(argc, argv, commands, sizeof commands / sizeof *commands, &peer);
    drop(&peer);
    return code;
}
