/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptMessage and DecryptMessage of Schannel: the shapes of messages, what is missing or left over, the wish for a
 * new handshake, and the end of a connection; a record with a bit turned, and one that comes twice.
 */
#include "groups.h"
#include "schannel_certificates.h"
#include "schannel_pair.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

#define NAME "schannel-records/"

static const struct conformance_case cases[] = {
    {NAME "encrypt", "behaviour 202", "SEC_E_OK, one record", NULL, WINE_SAME},
    {NAME "decrypt.3-buffers", "behaviour 203", "SEC_E_INVALID_TOKEN", NULL, WINE_SAME},
    {NAME "decrypt.no-data", "behaviour 204", "SEC_E_INVALID_TOKEN", NULL, WINE_SAME},
    {NAME "decrypt.two-data", "behaviour 205", "SEC_E_INVALID_TOKEN", NULL, WINE_SAME},
    {NAME "decrypt.extra", "behaviour 206", "SEC_E_INVALID_TOKEN", NULL, WINE_SAME},
    {NAME "decrypt.short", "behaviour 207", "SEC_E_INCOMPLETE_MESSAGE, MISSING 5", NULL, WINE_SAME},
    {NAME "decrypt.whole", "behaviour 202, 208 (the order of the buffers)", "SEC_E_OK, 7 1 6 0, the text", NULL,
     WINE_SAME},
    {NAME "decrypt.extra-record", "errors DecryptMessage/Schannel, bug classes F1", "SEC_E_OK, 7 1 6 5, both texts",
     NULL, WINE_SAME},
    {NAME "hello-request", "behaviour 208", "SEC_I_RENEGOTIATE, 7 1 6, no data", NULL, WINE_SAME},
    {NAME "hello-request.sizes", "behaviour 209", "13, 0, 20", NULL, WINE_DIFFERS},
    {NAME "hello-request.encrypt", "errors DecryptMessage SEC_I_RENEGOTIATE (documented)", "SEC_E_CONTEXT_EXPIRED",
     NULL, WINE_SAME},
    {NAME "renegotiation", "errors DecryptMessage SEC_I_RENEGOTIATE (documented)", "SEC_E_OK SEC_E_OK, SEC_E_OK after",
     NULL, WINE_SAME},
    {NAME "new-credential", "behaviour 210", "SEC_I_CONTINUE_NEEDED, a handshake record", NULL, WINE_DIFFERS},
    {NAME "new-credential.certificate", "behaviour 210 (the credential is swapped)",
     "SEC_E_OK SEC_E_OK, the client's certificate", NULL, WINE_SAME},
    {NAME "close-notify", "errors DecryptMessage SEC_I_CONTEXT_EXPIRED (documented)", "SEC_I_CONTEXT_EXPIRED", NULL,
     WINE_SAME},
    {NAME "close-notify.encrypt", "errors EncryptMessage SEC_E_CONTEXT_EXPIRED (documented)", "SEC_E_CONTEXT_EXPIRED",
     NULL, WINE_SAME},
    {NAME "encrypt.no-data", "errors EncryptMessage SEC_E_INVALID_TOKEN (documented)", "SEC_E_INVALID_TOKEN", NULL,
     WINE_SAME},
    {NAME "encrypt.small-trailer", "errors EncryptMessage SEC_E_BUFFER_TOO_SMALL (documented)",
     "SEC_E_BUFFER_TOO_SMALL", NULL, WINE_SAME},
    {NAME "encrypt.deleted", "errors EncryptMessage SEC_E_INVALID_HANDLE (documented)", "SEC_E_INVALID_HANDLE", NULL,
     WINE_SAME},
    {NAME "decrypt.altered", "errors DecryptMessage SEC_E_MESSAGE_ALTERED (documented)", "SEC_E_MESSAGE_ALTERED", NULL,
     WINE_SAME},
    {NAME "decrypt.replayed", "errors DecryptMessage SEC_E_MESSAGE_ALTERED (documented)",
     "SEC_E_MESSAGE_ALTERED or SEC_E_OUT_OF_SEQUENCE", NULL, WINE_SAME},
    {NAME "make-signature", "errors MakeSignature SEC_E_UNSUPPORTED_FUNCTION (documented)",
     "SEC_E_UNSUPPORTED_FUNCTION", NULL, WINE_SAME},
    {NAME "tls10", "behaviour 202", "SEC_E_OK back and forth", NULL, WINE8_DIFFERS},
    {NAME "tls11", "behaviour 202", "SEC_E_OK back and forth", NULL, WINE8_DIFFERS},
    {NAME "tls12", "behaviour 202", "SEC_E_OK back and forth", NULL, WINE8_DIFFERS},
    {NAME "tls13", "behaviour 202", "SEC_E_OK back and forth", "6.3:no connection", WINE8_DIFFERS},
    {NAME "tls13.ticket", "errors DecryptMessage SEC_I_RENEGOTIATE (documented: post-handshake message)",
     "SEC_I_RENEGOTIATE, then SEC_E_OK", "6.3:no connection", WINE8_DIFFERS},
};

/* ---- messages ---- */

static SECURITY_STATUS decrypt(CtxtHandle *context, SecBuffer *buffers, ULONG count)
{
    SecBufferDesc message = {SECBUFFER_VERSION, count, buffers};

    return DecryptMessage(context, &message, 0, NULL);
}

/* The header's length says where the record ends, which is where the three buffers do. */
static void try_encrypt(struct conformance_run *run, struct schannel_pair *pair)
{
    char name[STATUS_NAME_MAX];
    const SECURITY_STATUS status = schannel_send(&pair->client, &pair->server, "the text");
    const BYTE *record = pair->server.waiting;
    const bool one = pair->server.size > 5 && record[0] == 23 && pair->server.size == 5u + (record[3] << 8 | record[4]);

    observe(run, NAME "encrypt", "%s, %s", status_name(status, name), one ? "one record" : "something else");
}

static void try_shapes(struct conformance_run *run, struct schannel_side *side)
{
    const SecBuffer data = {side->size, SECBUFFER_DATA, side->waiting}, empty = {0, SECBUFFER_EMPTY, NULL};
    const SecBuffer extra = {0, SECBUFFER_EXTRA, NULL};
    SecBuffer three[] = {data, empty, empty}, no_data[] = {empty, empty, empty, empty};
    SecBuffer two[] = {data, data, empty, empty}, with_extra[] = {data, extra, empty, empty};
    SecBuffer cut[] = {{side->size - 5, SECBUFFER_DATA, side->waiting}, empty, empty, empty};
    char name[STATUS_NAME_MAX];

    observe_status(run, NAME "decrypt.3-buffers", decrypt(&side->context, three, 3));
    observe_status(run, NAME "decrypt.no-data", decrypt(&side->context, no_data, 4));
    observe_status(run, NAME "decrypt.two-data", decrypt(&side->context, two, 4));
    observe_status(run, NAME "decrypt.extra", decrypt(&side->context, with_extra, 4));
    const SECURITY_STATUS status = decrypt(&side->context, cut, 4);
    observe(run, NAME "decrypt.short", "%s, %s %lu", status_name(status, name),
            cut[0].BufferType == SECBUFFER_MISSING ? "MISSING" : "another", cut[0].cbBuffer);
}

static bool is_text(const SecBuffer *buffer, const char *text)
{
    return buffer->cbBuffer == strlen(text) && !memcmp(buffer->pvBuffer, text, buffer->cbBuffer);
}

static void try_whole(struct conformance_run *run, struct schannel_pair *pair)
{
    struct schannel_side *side = &pair->server;
    SecBuffer buffers[4] = {{side->size, SECBUFFER_DATA, side->waiting}};
    char name[STATUS_NAME_MAX];
    SECURITY_STATUS status = decrypt(&side->context, buffers, 4);

    observe(run, NAME "decrypt.whole", "%s, %lu %lu %lu %lu, %s", status_name(status, name), buffers[0].BufferType,
            buffers[1].BufferType, buffers[2].BufferType, buffers[3].BufferType,
            is_text(&buffers[1], "the text") ? "the text" : "another text");
    side->size = 0;
    schannel_send(&pair->client, side, "first");
    schannel_send(&pair->client, side, "second");
    SecBuffer two[4] = {{side->size, SECBUFFER_DATA, side->waiting}};
    status = decrypt(&side->context, two, 4);
    SecBuffer rest[4] = {{two[3].cbBuffer, SECBUFFER_DATA, two[3].pvBuffer}};
    const bool both = is_text(&two[1], "first") && !decrypt(&side->context, rest, 4) && is_text(&rest[1], "second");
    observe(run, NAME "decrypt.extra-record", "%s, %lu %lu %lu %lu, %s", status_name(status, name), two[0].BufferType,
            two[1].BufferType, two[2].BufferType, two[3].BufferType, both ? "both texts" : "not both texts");
    side->size = 0;
}

static SECURITY_STATUS encrypt_with(struct schannel_side *side, ULONG trailer, ULONG data_type)
{
    BYTE room[256] = {0};
    SecPkgContext_StreamSizes sizes = {0};

    QueryContextAttributesA(&side->context, SECPKG_ATTR_STREAM_SIZES, &sizes);
    SecBuffer buffers[4] = {{sizes.cbHeader, SECBUFFER_STREAM_HEADER, room},
                            {8, data_type, room + sizes.cbHeader},
                            {trailer, SECBUFFER_STREAM_TRAILER, room + sizes.cbHeader + 8}};
    SecBufferDesc message = {SECBUFFER_VERSION, 4, buffers};
    return EncryptMessage(&side->context, 0, &message, 0);
}

static void try_refusals(struct conformance_run *run, struct schannel_pair *pair)
{
    BYTE room[64] = {0};
    SecBuffer buffers[2] = {{sizeof(room), SECBUFFER_TOKEN, room}, {sizeof(room), SECBUFFER_DATA, room}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};

    observe_status(run, NAME "encrypt.no-data", encrypt_with(&pair->client, 64, SECBUFFER_EMPTY));
    observe_status(run, NAME "encrypt.small-trailer", encrypt_with(&pair->client, 1, SECBUFFER_DATA));
    observe_status(run, NAME "make-signature", MakeSignature(&pair->client.context, 0, &message, 0));
}

static void try_messages(struct conformance_run *run)
{
    const struct schannel_setup setup = {.protocols = SP_PROT_TLS1_2_CLIENT};
    struct schannel_pair pair;

    if (!schannel_pair_ready(run, &pair, &setup)) return;
    try_encrypt(run, &pair);
    try_shapes(run, &pair.server);
    try_whole(run, &pair);
    try_refusals(run, &pair);
    schannel_pair_close(&pair);
}

/* ---- attacks ---- */

static void try_attack(struct conformance_run *run, const char *id, bool replay)
{
    const struct schannel_setup setup = {.protocols = SP_PROT_TLS1_2_CLIENT};
    struct schannel_pair pair;
    char text[OBSERVED_MAX];

    if (schannel_pair_run(&pair, &setup) && !schannel_send(&pair.client, &pair.server, "the text")) {
        const ULONG size = pair.server.size;
        BYTE *kept = malloc(size);

        memcpy(kept, pair.server.waiting, size);
        if (replay) {
            schannel_receive(&pair.server, text);
            memcpy(pair.server.waiting, kept, size);
            pair.server.size = size;
        } else {
            pair.server.waiting[size - 1] ^= 1;
        }
        schannel_receive(&pair.server, text);
        observe(run, id, "%s", text);
        free(kept);
    }
    schannel_pair_close(&pair);
}

/* ---- new handshakes ---- */

/* The server's wish: AcceptSecurityContext without input once the connection stands. */
static bool ask_for_handshake(struct schannel_pair *pair)
{
    SecBuffer out = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &out};
    const SECURITY_STATUS status =
        AcceptSecurityContext(&pair->server.credential, &pair->server.context, NULL, ASC_REQ_ALLOCATE_MEMORY, 0,
                              &pair->server.context, &output, &pair->server.attributes, &pair->server.expiry);

    if (status < 0 || !out.pvBuffer || !out.cbBuffer) return false;
    memcpy(pair->client.waiting, out.pvBuffer, out.cbBuffer);
    pair->client.size = out.cbBuffer;
    FreeContextBuffer(out.pvBuffer);
    return true;
}

/* Legs until nobody has anything left to read. The client begins. */
static void renegotiate(struct schannel_pair *pair, const struct schannel_setup *setup)
{
    schannel_client_leg(pair, setup);
    for (int i = 0; i < 8 && (pair->server.size || pair->client.size); i++)
        if (pair->server.size)
            schannel_server_leg(pair, setup);
        else
            schannel_client_leg(pair, setup);
}

static void try_hello_request(struct conformance_run *run)
{
    const struct schannel_setup setup = {.protocols = SP_PROT_TLS1_2_CLIENT};
    struct schannel_pair pair;
    char name[STATUS_NAME_MAX], server_name[STATUS_NAME_MAX], text[OBSERVED_MAX];

    if (!schannel_pair_run(&pair, &setup) || !ask_for_handshake(&pair)) {
        schannel_pair_close(&pair);
        return;
    }
    SecBuffer buffers[4] = {{pair.client.size, SECBUFFER_DATA, pair.client.waiting}};
    const SECURITY_STATUS status = decrypt(&pair.client.context, buffers, 4);
    observe(run, NAME "hello-request", "%s, %lu %lu %lu, %s", status_name(status, name), buffers[0].BufferType,
            buffers[1].BufferType, buffers[2].BufferType, buffers[1].cbBuffer ? "data" : "no data");
    observe(run, NAME "hello-request.sizes", "%lu, %lu, %lu", buffers[0].cbBuffer, buffers[1].cbBuffer,
            buffers[2].cbBuffer);
    observe_status(run, NAME "hello-request.encrypt", encrypt_with(&pair.client, 64, SECBUFFER_DATA));
    renegotiate(&pair, &setup);
    schannel_send(&pair.client, &pair.server, "again");
    schannel_receive(&pair.server, text);
    text[strcspn(text, " ")] = 0;
    observe(run, NAME "renegotiation", "%s %s, %s after", status_name(pair.client.status, name),
            status_name(pair.server.status, server_name), text);
    schannel_pair_close(&pair);
}

/* Without input, on a connection that stands, with a credential that has a certificate. */
static SECURITY_STATUS begin_anew(struct schannel_pair *pair, CredHandle *credential)
{
    SecBuffer out = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &out};
    struct schannel_side *client = &pair->client;
    const SECURITY_STATUS status =
        InitializeSecurityContextA(credential, &client->context, (SEC_CHAR *)"localhost", ISC_REQ_ALLOCATE_MEMORY, 0, 0,
                                   NULL, 0, &client->context, &output, &client->attributes, &client->expiry);

    if (out.pvBuffer && out.cbBuffer) {
        memcpy(pair->server.waiting, out.pvBuffer, out.cbBuffer);
        pair->server.size = out.cbBuffer;
        FreeContextBuffer(out.pvBuffer);
    }
    return status;
}

static void try_new_credential(struct conformance_run *run)
{
    struct schannel_setup setup = {.protocols = SP_PROT_TLS1_2_CLIENT,
                                   .server_cred_flags = SCH_CRED_MANUAL_CRED_VALIDATION};
    struct schannel_pair pair;
    CredHandle with_certificate;
    PCCERT_CONTEXT remote = NULL;
    char name[STATUS_NAME_MAX], server_name[STATUS_NAME_MAX];

    if (!schannel_pair_run(&pair, &setup) ||
        schannel_credential(SECPKG_CRED_OUTBOUND, SP_PROT_TLS1_2_CLIENT, issued_certificate(), &with_certificate)) {
        schannel_pair_close(&pair);
        return;
    }
    const SECURITY_STATUS status = begin_anew(&pair, &with_certificate);
    observe(run, NAME "new-credential", "%s, %s", status_name(status, name),
            pair.server.size && pair.server.waiting[0] == 22 ? "a handshake record" : "nothing");
    setup.server_request = ASC_REQ_MUTUAL_AUTH;
    for (int i = 0; i < 4 && (pair.server.size || pair.client.size); i++) {
        if (pair.server.size) schannel_server_leg(&pair, &setup);
        if (pair.client.size) schannel_client_leg(&pair, &setup);
    }
    QueryContextAttributesA(&pair.server.context, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &remote);
    observe(run, NAME "new-credential.certificate", "%s %s, %s", status_name(pair.client.status, name),
            status_name(pair.server.status, server_name), remote ? "the client's certificate" : "no certificate");
    if (remote) CertFreeCertificateContext(remote);
    FreeCredentialsHandle(&with_certificate);
    schannel_pair_close(&pair);
}

/* ---- ends ---- */

static void try_close(struct conformance_run *run)
{
    const struct schannel_setup setup = {.protocols = SP_PROT_TLS1_2_CLIENT};
    DWORD shutdown = SCHANNEL_SHUTDOWN;
    SecBuffer token = {sizeof(shutdown), SECBUFFER_TOKEN, &shutdown};
    SecBufferDesc control = {SECBUFFER_VERSION, 1, &token};
    struct schannel_pair pair;
    char text[OBSERVED_MAX];

    if (schannel_pair_run(&pair, &setup) && !ApplyControlToken(&pair.client.context, &control)) {
        schannel_client_leg(&pair, &setup);
        schannel_receive(&pair.server, text);
        observe(run, NAME "close-notify", "%s", text);
        observe_status(run, NAME "close-notify.encrypt", encrypt_with(&pair.client, 64, SECBUFFER_DATA));
        DeleteSecurityContext(&pair.client.context);
        pair.client.has_context = false;
        observe_status(run, NAME "encrypt.deleted", encrypt_with(&pair.client, 64, SECBUFFER_DATA));
    }
    schannel_pair_close(&pair);
}

/* ---- every version ---- */

static void try_version(struct conformance_run *run, const char *id, const struct schannel_setup *setup)
{
    struct schannel_pair pair;
    char there[OBSERVED_MAX] = "no connection", back[OBSERVED_MAX] = "";

    if (schannel_pair_run(&pair, setup)) {
        schannel_send(&pair.client, &pair.server, "ping");
        schannel_receive(&pair.server, there);
        pair.client.size = 0; /* tickets, which are another case */
        schannel_send(&pair.server, &pair.client, "pong");
        schannel_receive(&pair.client, back);
    }
    if (!strcmp(there, "SEC_E_OK ping") && !strcmp(back, "SEC_E_OK pong"))
        observe(run, id, "SEC_E_OK back and forth");
    else
        observe(run, id, "%s %s", there, back);
    schannel_pair_close(&pair);
}

static void try_ticket(struct conformance_run *run)
{
    const struct schannel_setup setup = {.protocols = 0};
    struct schannel_pair pair;
    char name[STATUS_NAME_MAX], text[OBSERVED_MAX], again[STATUS_NAME_MAX];

    if (schannel_pair_run(&pair, &setup) && pair.client.size) {
        SecBuffer buffers[4] = {{pair.client.size, SECBUFFER_DATA, pair.client.waiting}};
        const SECURITY_STATUS first = decrypt(&pair.client.context, buffers, 4);
        const SECURITY_STATUS leg = schannel_client_leg(&pair, &setup);

        pair.client.size = 0;
        schannel_send(&pair.server, &pair.client, "pong");
        schannel_receive(&pair.client, text);
        observe(run, NAME "tls13.ticket", "%s, then %s", status_name(first, name), status_name(leg, again));
        observe(run, NAME "tls13", "%s", strcmp(text, "SEC_E_OK pong") ? text : "SEC_E_OK back and forth");
    } else {
        observe(run, NAME "tls13.ticket", "no connection");
        observe(run, NAME "tls13", "no connection");
    }
    schannel_pair_close(&pair);
}

static void run_records(struct conformance_run *run)
{
    try_messages(run);
    try_attack(run, NAME "decrypt.altered", false);
    try_attack(run, NAME "decrypt.replayed", true);
    try_hello_request(run);
    try_new_credential(run);
    try_close(run);
    try_version(run, NAME "tls10", &(struct schannel_setup){.protocols = SP_PROT_TLS1_CLIENT});
    try_version(run, NAME "tls11", &(struct schannel_setup){.protocols = SP_PROT_TLS1_1_CLIENT});
    try_version(run, NAME "tls12", &(struct schannel_setup){.protocols = SP_PROT_TLS1_2_CLIENT});
    try_ticket(run);
}

const struct conformance_group schannel_records_group = {
    .name = "schannel-records",
    .cases = cases,
    .case_count = COUNT_OF(cases),
    .run = run_records,
};
