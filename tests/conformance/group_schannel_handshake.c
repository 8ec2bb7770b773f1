/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel's handshake: which buffers a leg takes and what it makes of them.
 */
#include "groups.h"
#include "schannel_certificates.h"
#include "schannel_pair.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

#define NAME "schannel-handshake/"

static const struct conformance_case cases[] = {
    {NAME "first.no-room", "behaviour 154", "SEC_E_INSUFFICIENT_MEMORY", NULL, WINE_SAME},
    {NAME "first.no-alert-room", "behaviour 155", "SEC_E_INSUFFICIENT_MEMORY", NULL, WINE_SAME},
    {NAME "first.allocates", "behaviour 156", "SEC_I_CONTINUE_NEEDED, replaced", NULL, WINE_SAME},
    {NAME "first.alert", "behaviour 157", "SEC_I_CONTINUE_NEEDED, ALERT of 0 bytes", NULL, WINE_SAME},
    {NAME "first.empty-input", "behaviour 158", "SEC_I_CONTINUE_NEEDED", NULL, WINE_SAME},
    {NAME "first.no-input", "behaviour 159", "SEC_I_CONTINUE_NEEDED", NULL, WINE_SAME},
    {NAME "first.allocates-size", "behaviour 160", "SEC_I_CONTINUE_NEEDED, freed SEC_E_OK", NULL, WINE_SAME},
    {NAME "first.size-alone", "behaviour 161", "SEC_I_CONTINUE_NEEDED, freed SEC_E_OK", NULL, WINE_SAME},
    {NAME "first.empty-output", "curl's lib/vtls/schannel.c, the first leg of each handshake",
     "SEC_I_CONTINUE_NEEDED, TOKEN, freed SEC_E_OK", NULL, WINE_SAME},
    {NAME "first.no-output", "behaviour 162", "SEC_E_INVALID_TOKEN", NULL, WINE_SAME},
    {NAME "second.garbage", "behaviour 163", "SEC_E_INVALID_TOKEN, 0 bytes", NULL, WINE_DIFFERS},
    {NAME "second.zeros", "behaviour 164", "SEC_E_INVALID_TOKEN, 0 bytes", NULL, WINE_SAME},
    {NAME "second.zeros-no-room", "behaviour 165", "SEC_E_INSUFFICIENT_MEMORY, 0 bytes or SEC_E_INVALID_TOKEN, 0 bytes",
     NULL, WINE_SAME},
    {NAME "second.no-input", "behaviour 166", "SEC_E_INCOMPLETE_MESSAGE, output untouched, handle untouched", NULL,
     WINE_SAME},
    {NAME "second.nothing", "behaviour 167", "SEC_E_INCOMPLETE_MESSAGE, MISSING 5",
     "6.3:SEC_E_INCOMPLETE_MESSAGE, EMPTY 0", WINE_SAME},
    {NAME "second.4-bytes", "behaviour 168", "SEC_E_INCOMPLETE_MESSAGE, MISSING 1",
     "6.3:SEC_E_INCOMPLETE_MESSAGE, EMPTY 0", WINE_SAME},
    {NAME "second.5-bytes", "behaviour 169", "SEC_E_INCOMPLETE_MESSAGE, MISSING the rest, handle untouched", NULL,
     WINE_SAME},
    {NAME "second.sized-empty", "behaviour 170", "SEC_E_INVALID_TOKEN, then SEC_I_CONTINUE_NEEDED", NULL, WINE_SAME},
    {NAME "second.new-handle", "behaviour 171", "the same", NULL, WINE_SAME},
    {NAME "last.output", "behaviour 172", "SEC_E_OK, 0 bytes", NULL, WINE_SAME},
    {NAME "last.attributes", "behaviour 173", "0x809c", NULL, WINE_SAME},
    {NAME "last.credential-names", "behaviour 174", "SEC_E_NO_CREDENTIALS", NULL, WINE8_DIFFERS},
    {NAME "server.new-handle", "behaviour 176", "the same", NULL, WINE8_DIFFERS},
    {NAME "dtls.first", "behaviour 179", "SEC_I_CONTINUE_NEEDED, 0x8c49c, ALERT of 0 bytes, record 0, no expiry", NULL,
     WINE_SAME},
    {NAME "dtls.no-alert-room", "behaviour 180", "SEC_E_INSUFFICIENT_MEMORY, handle untouched", NULL, WINE_SAME},
    {NAME "dtls.no-alert-room.attributes", "behaviour 181", "0x1c", NULL, WINE_DIFFERS},
    {NAME "dtls.retransmission", "behaviour 182", "SEC_I_CONTINUE_NEEDED, 0x8c49c, the same as record 1", NULL,
     WINE_SAME},
    {NAME "dtls.retransmission.expiry", "behaviour 183", "some", NULL, WINE_DIFFERS},
    {NAME "server.cut", "errors AcceptSecurityContext SEC_E_INCOMPLETE_MESSAGE (observed)",
     "SEC_E_INCOMPLETE_MESSAGE, then SEC_I_CONTINUE_NEEDED without a context", NULL, WINE_SAME},
    {NAME "wrong-side.client", "errors InitializeSecurityContext SEC_E_NO_CREDENTIALS (documented)",
     "SEC_E_NO_CREDENTIALS or SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
};

/* ---- first legs ---- */

/* One first leg with that output; the context, if there is one, is deleted. */
static SECURITY_STATUS first_leg(CredHandle *credential, ULONG request, SecBufferDesc *input, SecBufferDesc *output)
{
    CtxtHandle context;
    ULONG attributes;
    TimeStamp expiry;
    SECURITY_STATUS status = InitializeSecurityContextA(credential, NULL, (SEC_CHAR *)"localhost", request, 0, 0, input,
                                                        0, &context, output, &attributes, &expiry);

    if (status >= 0) DeleteSecurityContext(&context);
    return status;
}

static void try_alerts(struct conformance_run *run, CredHandle *credential, BYTE *room)
{
    BYTE alert_room[64];
    SecBuffer out[2] = {{SCHANNEL_ROOM, SECBUFFER_TOKEN, room}, {0, SECBUFFER_ALERT, alert_room}};
    SecBufferDesc output = {SECBUFFER_VERSION, 2, out};
    char name[STATUS_NAME_MAX];
    SECURITY_STATUS status;

    observe_status(run, NAME "first.no-alert-room", first_leg(credential, 0, NULL, &output));
    out[0] = (SecBuffer){SCHANNEL_ROOM, SECBUFFER_TOKEN, room};
    out[1] = (SecBuffer){0, SECBUFFER_ALERT, NULL};
    status = first_leg(credential, ISC_REQ_ALLOCATE_MEMORY, NULL, &output);
    observe(run, NAME "first.allocates", "%s, %s", status_name(status, name),
            out[0].pvBuffer == room ? "not replaced" : "replaced");
    if (!status && out[0].pvBuffer != room) FreeContextBuffer(out[0].pvBuffer);
    out[0] = (SecBuffer){SCHANNEL_ROOM, SECBUFFER_TOKEN, room};
    out[1] = (SecBuffer){sizeof(alert_room), SECBUFFER_ALERT, alert_room};
    status = first_leg(credential, 0, NULL, &output);
    observe(run, NAME "first.alert", "%s, %s of %lu bytes", status_name(status, name),
            out[1].BufferType == SECBUFFER_ALERT ? "ALERT" : "another", out[1].cbBuffer);
}

static void try_size(struct conformance_run *run, const char *id, CredHandle *credential, ULONG request)
{
    SecBuffer out = {1000, SECBUFFER_TOKEN, NULL};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &out};
    const SECURITY_STATUS status = first_leg(credential, request, NULL, &output);
    char name[STATUS_NAME_MAX], freed[STATUS_NAME_MAX];

    if (out.pvBuffer)
        observe(run, id, "%s, freed %s", status_name(status, name),
                status_name(FreeContextBuffer(out.pvBuffer), freed));
    else
        observe_status(run, id, status);
}

/* libcurl names no TOKEN, but an EMPTY buffer that is to become one. */
static void try_empty_output(struct conformance_run *run, CredHandle *credential)
{
    SecBuffer out = {0, SECBUFFER_EMPTY, NULL};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &out};
    const SECURITY_STATUS status = first_leg(credential, ISC_REQ_ALLOCATE_MEMORY, NULL, &output);
    char name[STATUS_NAME_MAX], freed[STATUS_NAME_MAX];

    if (status != SEC_I_CONTINUE_NEEDED || !out.pvBuffer || !out.cbBuffer)
        observe_status(run, NAME "first.empty-output", status);
    else
        observe(run, NAME "first.empty-output", "%s, %s, freed %s", status_name(status, name),
                out.BufferType == SECBUFFER_TOKEN ? "TOKEN" : "another",
                status_name(FreeContextBuffer(out.pvBuffer), freed));
}

static void try_first(struct conformance_run *run, BYTE *room)
{
    CredHandle credential;
    SecBuffer out = {0, SECBUFFER_TOKEN, room}, in = {0, SECBUFFER_EMPTY, NULL};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &out}, input = {SECBUFFER_VERSION, 1, &in};

    if (schannel_credential(SECPKG_CRED_OUTBOUND, SP_PROT_TLS1_CLIENT, NULL, &credential)) return;
    observe_status(run, NAME "first.no-room", first_leg(&credential, 0, NULL, &output));
    try_alerts(run, &credential, room);
    out = (SecBuffer){SCHANNEL_ROOM, SECBUFFER_TOKEN, room};
    observe_status(run, NAME "first.empty-input", first_leg(&credential, 0, &input, &output));
    out = (SecBuffer){SCHANNEL_ROOM, SECBUFFER_TOKEN, room};
    observe_status(run, NAME "first.no-input", first_leg(&credential, 0, NULL, &output));
    try_size(run, NAME "first.allocates-size", &credential, ISC_REQ_ALLOCATE_MEMORY);
    try_size(run, NAME "first.size-alone", &credential, 0);
    try_empty_output(run, &credential);
    observe_status(run, NAME "first.no-output", first_leg(&credential, 0, NULL, NULL));
    FreeCredentialsHandle(&credential);
}

/* ---- second legs ---- */

/* A client that has said hello, and what a server has answered it. */
struct second {
    struct schannel_pair pair;
    BYTE *room; /* SCHANNEL_ROOM bytes */
    SecBuffer in[2], out[1];
    CtxtHandle new_context;
};

static SECURITY_STATUS second_leg(struct second *second, ULONG in_count)
{
    SecBufferDesc input = {SECBUFFER_VERSION, in_count, second->in}, output = {SECBUFFER_VERSION, 1, second->out};
    struct schannel_side *client = &second->pair.client;

    second->out[0].BufferType = SECBUFFER_TOKEN;
    second->out[0].pvBuffer = second->room;
    memset(&second->new_context, 0xde, sizeof(second->new_context));
    return InitializeSecurityContextA(&client->credential, &client->context, (SEC_CHAR *)"localhost",
                                      ISC_REQ_USE_SUPPLIED_CREDS, 0, 0, in_count ? &input : NULL, 0,
                                      &second->new_context, &output, &client->attributes, &client->expiry);
}

static bool open_second(struct second *second, const struct schannel_setup *setup)
{
    if (!schannel_pair_open(&second->pair, setup)) return false;
    return schannel_client_leg(&second->pair, setup) == SEC_I_CONTINUE_NEEDED &&
           schannel_server_leg(&second->pair, setup) == SEC_I_CONTINUE_NEEDED;
}

static const char *handle_text(const struct second *second)
{
    const CtxtHandle untouched = {(ULONG_PTR)0xdededededededede, (ULONG_PTR)0xdededededededede};

    if (!memcmp(&second->new_context, &untouched, sizeof(untouched))) return "handle untouched";
    return memcmp(&second->new_context, &second->pair.client.context, sizeof(CtxtHandle)) ? "another handle"
                                                                                          : "the same";
}

static void try_garbage(struct conformance_run *run, struct second *second)
{
    static const struct {
        const char *id;
        int fill;
        ULONG room;
    } attempts[] = {{NAME "second.garbage", 0xfa, SCHANNEL_ROOM},
                    {NAME "second.zeros", 0, SCHANNEL_ROOM},
                    {NAME "second.zeros-no-room", 0, 0}};
    enum { SIZE = 8192 };
    BYTE *bytes = malloc(SIZE);
    char name[STATUS_NAME_MAX];

    for (size_t i = 0; bytes && i < COUNT_OF(attempts); i++) {
        memset(bytes, attempts[i].fill, SIZE);
        second->in[0] = (SecBuffer){SIZE, SECBUFFER_TOKEN, bytes};
        second->out[0].cbBuffer = attempts[i].room;
        const SECURITY_STATUS status = second_leg(second, 1);
        observe(run, attempts[i].id, "%s, %lu bytes", status_name(status, name), second->out[0].cbBuffer);
    }
    free(bytes);
}

static void try_no_input(struct conformance_run *run, struct second *second)
{
    char name[STATUS_NAME_MAX];

    second->out[0].cbBuffer = 1234;
    const SECURITY_STATUS status = second_leg(second, 0);
    const bool untouched = second->out[0].cbBuffer == 1234 && second->out[0].BufferType == SECBUFFER_TOKEN;
    observe(run, NAME "second.no-input", "%s, output %s, %s", status_name(status, name),
            untouched ? "untouched" : "changed", handle_text(second));
}

static SECURITY_STATUS give_part(struct second *second, ULONG size)
{
    second->in[0] = (SecBuffer){size, SECBUFFER_TOKEN, second->pair.client.waiting};
    second->in[1] = (SecBuffer){0, SECBUFFER_EMPTY, NULL};
    second->out[0].cbBuffer = SCHANNEL_ROOM;
    return second_leg(second, 2);
}

static const char *rest_text(const struct second *second)
{
    return second->in[1].BufferType == SECBUFFER_MISSING ? "MISSING"
           : second->in[1].BufferType == SECBUFFER_EMPTY ? "EMPTY"
                                                         : "another";
}

static void try_parts(struct conformance_run *run, struct second *second)
{
    const BYTE *record = second->pair.client.waiting;
    const ULONG rest = (ULONG)record[3] << 8 | record[4];
    char name[STATUS_NAME_MAX], size[32];
    SECURITY_STATUS status = give_part(second, 0);

    observe(run, NAME "second.nothing", "%s, %s %lu", status_name(status, name), rest_text(second),
            second->in[1].cbBuffer);
    status = give_part(second, 4);
    observe(run, NAME "second.4-bytes", "%s, %s %lu", status_name(status, name), rest_text(second),
            second->in[1].cbBuffer);
    status = give_part(second, 5);
    snprintf(size, sizeof(size), "%lu", second->in[1].cbBuffer);
    observe(run, NAME "second.5-bytes", "%s, %s %s, %s", status_name(status, name), rest_text(second),
            second->in[1].cbBuffer == rest ? "the rest" : size, handle_text(second));
}

/* The leg that is right after one that was not; then the rest of the handshake, with bare calls. */
static void try_whole(struct conformance_run *run, struct second *second, const struct schannel_setup *setup)
{
    struct schannel_side *client = &second->pair.client, *server = &second->pair.server;
    char name[STATUS_NAME_MAX], second_name[STATUS_NAME_MAX];

    second->in[0] = (SecBuffer){client->size, SECBUFFER_TOKEN, client->waiting};
    second->in[1] = (SecBuffer){7, SECBUFFER_EMPTY, NULL};
    second->out[0].cbBuffer = SCHANNEL_ROOM;
    const SECURITY_STATUS refused = second_leg(second, 2);
    const SECURITY_STATUS status = give_part(second, client->size);
    observe(run, NAME "second.sized-empty", "%s, then %s", status_name(refused, name),
            status_name(status, second_name));
    observe(run, NAME "second.new-handle", "%s", handle_text(second));
    if (status != SEC_I_CONTINUE_NEEDED) return;
    memcpy(server->waiting, second->room, second->out[0].cbBuffer);
    server->size = second->out[0].cbBuffer;
    client->size = 0;
    const CtxtHandle before = server->context;
    schannel_server_leg(&second->pair, setup);
    observe(run, NAME "server.new-handle", "%s",
            memcmp(&before, &server->context, sizeof(before)) ? "another" : "the same");
}

static void try_last(struct conformance_run *run, struct second *second)
{
    struct schannel_side *client = &second->pair.client;
    SecPkgCredentials_NamesA names;
    char name[STATUS_NAME_MAX];

    if (second->pair.server.status != SEC_E_OK) return;
    const SECURITY_STATUS status = give_part(second, client->size);
    observe(run, NAME "last.output", "%s, %lu bytes", status_name(status, name), second->out[0].cbBuffer);
    observe(run, NAME "last.attributes", "0x%lx", client->attributes);
    observe_status(run, NAME "last.credential-names",
                   QueryCredentialsAttributesA(&client->credential, SECPKG_CRED_ATTR_NAMES, &names));
}

static void try_second(struct conformance_run *run, BYTE *room)
{
    const struct schannel_setup setup = {.protocols = SP_PROT_TLS1_2_CLIENT};
    struct second second = {.room = room};

    if (open_second(&second, &setup)) {
        try_garbage(run, &second);
        try_no_input(run, &second);
        try_parts(run, &second);
        try_whole(run, &second, &setup);
        try_last(run, &second);
    }
    schannel_pair_close(&second.pair);
}

/* ---- other first legs ---- */

/* A first leg with half a ClientHello makes no context, and the next one begins anew. */
static void try_cut(struct conformance_run *run)
{
    const struct schannel_setup setup = {.protocols = SP_PROT_TLS1_2_CLIENT};
    struct schannel_pair pair;
    char name[STATUS_NAME_MAX], again[STATUS_NAME_MAX];

    if (schannel_pair_open(&pair, &setup) && schannel_client_leg(&pair, &setup) == SEC_I_CONTINUE_NEEDED) {
        const ULONG whole = pair.server.size;

        pair.server.size = whole / 2;
        const SECURITY_STATUS cut = schannel_server_leg(&pair, &setup);
        const bool context = pair.server.has_context;
        pair.server.size = whole;
        const SECURITY_STATUS next = schannel_server_leg(&pair, &setup);
        observe(run, NAME "server.cut", "%s, then %s %s a context", status_name(cut, name), status_name(next, again),
                context ? "with" : "without");
    }
    schannel_pair_close(&pair);
}

static void try_wrong_side(struct conformance_run *run, BYTE *room)
{
    SecBuffer out = {SCHANNEL_ROOM, SECBUFFER_TOKEN, room};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &out};
    CredHandle credential;

    if (schannel_credential(SECPKG_CRED_INBOUND, SP_PROT_TLS1_2_SERVER, issued_certificate(), &credential)) return;
    observe_status(run, NAME "wrong-side.client", first_leg(&credential, 0, NULL, &output));
    FreeCredentialsHandle(&credential);
}

/* ---- DTLS ---- */

#define DTLS_REQUEST                                                                                                   \
    (ISC_REQ_MANUAL_CRED_VALIDATION | ISC_REQ_EXTENDED_ERROR | ISC_REQ_DATAGRAM | ISC_REQ_USE_SUPPLIED_CREDS |         \
     ISC_REQ_CONFIDENTIALITY | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_REPLAY_DETECT)

struct dtls {
    CredHandle credential;
    CtxtHandle context, new_context;
    SecBuffer out[2];
    BYTE *room, alert[64];
    ULONG attributes;
    TimeStamp expiry;
};

static SECURITY_STATUS dtls_leg(struct dtls *dtls, bool first, ULONG alert_size)
{
    WORD mtu = 1024;
    SecBuffer in = {sizeof(mtu), SECBUFFER_DTLS_MTU, &mtu};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 2, dtls->out};

    dtls->out[0] = (SecBuffer){1024, SECBUFFER_TOKEN, dtls->room};
    dtls->out[1] = (SecBuffer){alert_size, SECBUFFER_ALERT, dtls->alert};
    dtls->attributes = 0;
    memset(&dtls->expiry, 0, sizeof(dtls->expiry));
    memset(&dtls->new_context, 0xde, sizeof(dtls->new_context));
    return InitializeSecurityContextA(&dtls->credential, first ? NULL : &dtls->context, (SEC_CHAR *)"localhost",
                                      DTLS_REQUEST, 0, 16, first ? &input : NULL, 0,
                                      first ? &dtls->context : &dtls->new_context, &output, &dtls->attributes,
                                      &dtls->expiry);
}

/* The last byte of a record's number (RFC 6347 4.1). */
enum { RECORD_NUMBER = 10 };

static void try_dtls_again(struct conformance_run *run, struct dtls *dtls, const BYTE *hello, ULONG size)
{
    char name[STATUS_NAME_MAX];
    SECURITY_STATUS status = dtls_leg(dtls, false, 0);
    const bool untouched = dtls->new_context.dwLower == (ULONG_PTR)0xdededededededede;

    observe(run, NAME "dtls.no-alert-room", "%s, handle %s", status_name(status, name),
            untouched ? "untouched" : "changed");
    observe(run, NAME "dtls.no-alert-room.attributes", "0x%lx", dtls->attributes);
    status = dtls_leg(dtls, false, sizeof(dtls->alert));
    const bool same = dtls->out[0].cbBuffer == size && dtls->room[RECORD_NUMBER] == 1 &&
                      !memcmp(dtls->room, hello, RECORD_NUMBER) &&
                      !memcmp(dtls->room + RECORD_NUMBER + 1, hello + RECORD_NUMBER + 1, size - RECORD_NUMBER - 1);
    observe(run, NAME "dtls.retransmission", "%s, 0x%lx, %s", status_name(status, name), dtls->attributes,
            same ? "the same as record 1" : "another");
    observe(run, NAME "dtls.retransmission.expiry", "%s", dtls->expiry.QuadPart ? "some" : "none");
}

static void try_dtls(struct conformance_run *run, BYTE *room)
{
    struct dtls dtls = {.room = room};
    char name[STATUS_NAME_MAX];

    if (schannel_credential(SECPKG_CRED_OUTBOUND, SP_PROT_DTLS1_X_CLIENT, NULL, &dtls.credential)) return;
    const SECURITY_STATUS status = dtls_leg(&dtls, true, sizeof(dtls.alert));
    observe(run, NAME "dtls.first", "%s, 0x%lx, ALERT of %lu bytes, record %u, %s", status_name(status, name),
            dtls.attributes, dtls.out[1].cbBuffer, room[RECORD_NUMBER],
            dtls.expiry.QuadPart ? "an expiry" : "no expiry");
    if (status >= 0) {
        const ULONG size = dtls.out[0].cbBuffer;
        BYTE *hello = malloc(size);

        memcpy(hello, room, size);
        try_dtls_again(run, &dtls, hello, size);
        free(hello);
        DeleteSecurityContext(&dtls.context);
    }
    FreeCredentialsHandle(&dtls.credential);
}

static void run_handshake(struct conformance_run *run)
{
    BYTE *room = malloc(SCHANNEL_ROOM);

    if (!room) return;
    try_first(run, room);
    try_wrong_side(run, room);
    try_second(run, room);
    try_cut(run);
    try_dtls(run, room);
    free(room);
    delete_containers();
}

const struct conformance_group schannel_handshake_group = {
    .name = "schannel-handshake",
    .cases = cases,
    .case_count = COUNT_OF(cases),
    .run = run_handshake,
};
