/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel's exchanges, through the A entry points.
 */
#include "schannel_pair.h"

#include "schannel_certificates.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

static const DWORD server_bit = 1; /* each protocol's server bit stands right below its client bit */

static SECURITY_STATUS acquire(ULONG use, void *auth_data, CredHandle *credential)
{
    TimeStamp expiry;

    return AcquireCredentialsHandleA(NULL, SCHANNEL_PACKAGE, use, NULL, auth_data, NULL, NULL, credential, &expiry);
}

SECURITY_STATUS schannel_credential(ULONG use, DWORD protocols, PCCERT_CONTEXT certificate, CredHandle *credential)
{
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION, .grbitEnabledProtocols = protocols};

    if (certificate) {
        cred.cCreds = 1;
        cred.paCred = &certificate;
    }
    return acquire(use, &cred, credential);
}

/* SCH_CREDENTIALS; an algorithm may be left out. */
static SECURITY_STATUS acquire_new(ULONG use, const struct schannel_setup *setup, PCCERT_CONTEXT certificate,
                                   HCERTSTORE roots, DWORD flags, CredHandle *credential)
{
    const ULONG size = setup->disabled ? (ULONG)wcslen(setup->disabled) * sizeof(WCHAR) : 0;
    const ULONG mode_size = setup->disabled_mode ? (ULONG)wcslen(setup->disabled_mode) * sizeof(WCHAR) : 0;
    UNICODE_STRING mode = {(USHORT)mode_size, (USHORT)mode_size, (WCHAR *)setup->disabled_mode};
    CRYPTO_SETTINGS settings = {.eAlgorithmUsage = TlsParametersCngAlgUsageCipher,
                                .strCngAlgId = {(USHORT)size, (USHORT)size, (WCHAR *)setup->disabled},
                                .cChainingModes = mode_size ? 1 : 0,
                                .rgstrChainingModes = mode_size ? &mode : NULL,
                                .dwMinBitLength = setup->disabled_bits,
                                .dwMaxBitLength = setup->disabled_bits};
    TLS_PARAMETERS parameters = {.cDisabledCrypto = setup->disabled ? 1 : 0,
                                 .pDisabledCrypto = setup->disabled ? &settings : NULL};
    SCH_CREDENTIALS cred = {.dwVersion = SCH_CREDENTIALS_VERSION, .hRootStore = roots, .dwFlags = flags};

    if (setup->disabled) {
        cred.cTlsParameters = 1;
        cred.pTlsParameters = &parameters;
    }
    if (certificate) {
        cred.cCreds = 1;
        cred.paCred = &certificate;
    }
    return acquire(use, &cred, credential);
}

static SECURITY_STATUS acquire_old(ULONG use, DWORD protocols, PCCERT_CONTEXT certificate, HCERTSTORE roots,
                                   DWORD flags, CredHandle *credential)
{
    SCHANNEL_CRED cred = {
        .dwVersion = SCHANNEL_CRED_VERSION, .grbitEnabledProtocols = protocols, .hRootStore = roots, .dwFlags = flags};

    if (certificate) {
        cred.cCreds = 1;
        cred.paCred = &certificate;
    }
    return acquire(use, &cred, credential);
}

static SECURITY_STATUS acquire_client(const struct schannel_setup *setup, CredHandle *credential)
{
    const DWORD flags = (setup->client_cred_flags ? setup->client_cred_flags : SCH_CRED_MANUAL_CRED_VALIDATION) |
                        (setup->by_default ? 0 : SCH_CRED_NO_DEFAULT_CREDS);

    if (!setup->protocols)
        return acquire_new(SECPKG_CRED_OUTBOUND, setup, setup->client_certificate, setup->client_roots, flags,
                           credential);
    return acquire_old(SECPKG_CRED_OUTBOUND, setup->protocols, setup->client_certificate, setup->client_roots, flags,
                       credential);
}

static SECURITY_STATUS acquire_server(const struct schannel_setup *setup, CredHandle *credential)
{
    const struct schannel_setup all = {0};
    PCCERT_CONTEXT certificate = setup->server_certificate ? setup->server_certificate : issued_certificate();

    if (!setup->protocols)
        return acquire_new(SECPKG_CRED_INBOUND, &all, certificate, setup->server_roots, setup->server_cred_flags,
                           credential);
    return acquire_old(SECPKG_CRED_INBOUND, setup->protocols >> server_bit, certificate, setup->server_roots,
                       setup->server_cred_flags, credential);
}

bool schannel_pair_open(struct schannel_pair *pair, const struct schannel_setup *setup)
{
    *pair = (struct schannel_pair){0};
    pair->client.waiting = malloc(SCHANNEL_ROOM);
    pair->server.waiting = malloc(SCHANNEL_ROOM);
    pair->client.status = acquire_client(setup, &pair->client.credential);
    pair->client.has_credential = pair->client.status == SEC_E_OK;
    pair->server.status = acquire_server(setup, &pair->server.credential);
    pair->server.has_credential = pair->server.status == SEC_E_OK;
    return pair->client.has_credential && pair->server.has_credential && pair->client.waiting && pair->server.waiting;
}

ULONG schannel_protocols(const char *names, BYTE *room, ULONG size)
{
    SEC_APPLICATION_PROTOCOLS *protocols = (SEC_APPLICATION_PROTOCOLS *)room;
    SEC_APPLICATION_PROTOCOL_LIST *list = &protocols->ProtocolLists[0];
    BYTE *end = list->ProtocolList;

    while (*names && end + strlen(names) + 1 < room + size) {
        const size_t length = strcspn(names, " ");

        *end++ = (BYTE)length;
        memcpy(end, names, length);
        end += length;
        names += length + (names[length] == ' ');
    }
    list->ProtoNegoExt = SecApplicationProtocolNegotiationExt_ALPN;
    list->ProtocolListSize = (USHORT)(end - list->ProtocolList);
    protocols->ProtocolListsSize = (ULONG)(end - (BYTE *)list);
    return (ULONG)(end - room);
}

/* What a leg has left goes to the front, what it has written to the other side. */
static void settle(struct schannel_side *side, struct schannel_side *other, const SecBuffer *rest,
                   const SecBuffer *token)
{
    if (side->status >= 0 && rest->BufferType == SECBUFFER_EXTRA) {
        memmove(side->waiting, side->waiting + side->size - rest->cbBuffer, rest->cbBuffer);
        side->size = rest->cbBuffer;
    } else if (side->status != SEC_E_INCOMPLETE_MESSAGE) {
        side->size = 0;
    }
    side->output = token->pvBuffer ? token->cbBuffer : 0;
    if (side->output && other->size + side->output <= SCHANNEL_ROOM) {
        memcpy(other->waiting + other->size, token->pvBuffer, side->output);
        other->size += side->output;
    }
    if (token->pvBuffer) FreeContextBuffer(token->pvBuffer);
    if (side->leg_count < SCHANNEL_LEGS_MAX) side->legs[side->leg_count++] = side->status;
}

SECURITY_STATUS schannel_client_leg(struct schannel_pair *pair, const struct schannel_setup *setup)
{
    struct schannel_side *side = &pair->client;
    BYTE protocols[256];
    const char *target = setup->target ? setup->target : "localhost";
    SecBuffer in[3] = {{side->size, SECBUFFER_TOKEN, side->waiting}, {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer out[1] = {{0, SECBUFFER_TOKEN, NULL}};
    SecBufferDesc input = {SECBUFFER_VERSION, 2, in}, output = {SECBUFFER_VERSION, 1, out};
    const bool first = !side->has_context;

    if (first && setup->client_protocols) {
        in[0] = (SecBuffer){schannel_protocols(setup->client_protocols, protocols, sizeof(protocols)),
                            SECBUFFER_APPLICATION_PROTOCOLS, protocols};
        input.cBuffers = 1;
    }
    side->status = InitializeSecurityContextA(
        &side->credential, first ? NULL : &side->context, *target ? (SEC_CHAR *)target : NULL,
        setup->client_request | ISC_REQ_ALLOCATE_MEMORY, 0, 0, first && !setup->client_protocols ? NULL : &input, 0,
        &side->context, &output, &side->attributes, &side->expiry);
    if (side->status >= 0) side->has_context = true;
    settle(side, &pair->server, &in[1], &out[0]);
    return side->status;
}

SECURITY_STATUS schannel_server_leg(struct schannel_pair *pair, const struct schannel_setup *setup)
{
    struct schannel_side *side = &pair->server;
    BYTE protocols[256];
    SecBuffer in[3] = {{side->size, SECBUFFER_TOKEN, side->waiting}, {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer out[1] = {{0, SECBUFFER_TOKEN, NULL}};
    SecBufferDesc input = {SECBUFFER_VERSION, 2, in}, output = {SECBUFFER_VERSION, 1, out};
    const bool first = !side->has_context;

    if (first && setup->server_protocols) {
        in[2] = (SecBuffer){schannel_protocols(setup->server_protocols, protocols, sizeof(protocols)),
                            SECBUFFER_APPLICATION_PROTOCOLS, protocols};
        input.cBuffers = 3;
    }
    side->status = AcceptSecurityContext(&side->credential, first ? NULL : &side->context, &input,
                                         setup->server_request | ASC_REQ_ALLOCATE_MEMORY, 0, &side->context, &output,
                                         &side->attributes, &side->expiry);
    if (side->status >= 0) side->has_context = true;
    settle(side, &pair->client, &in[1], &out[0]);
    return side->status;
}

static bool has_ended(const struct schannel_side *side)
{
    return side->leg_count && side->status != SEC_I_CONTINUE_NEEDED && side->status != SEC_E_INCOMPLETE_MESSAGE;
}

/* A side that has nothing to read waits, but for the client's first leg. */
bool schannel_pair_run(struct schannel_pair *pair, const struct schannel_setup *setup)
{
    struct schannel_side *client = &pair->client, *server = &pair->server;

    if (!schannel_pair_open(pair, setup)) return false;
    for (unsigned i = 0; i < SCHANNEL_LEGS_MAX; i++) {
        const bool client_turn = !has_ended(client) && (!client->leg_count || client->size);

        if (client_turn) schannel_client_leg(pair, setup);
        if (!has_ended(server) && server->size) schannel_server_leg(pair, setup);
        if (has_ended(client) && has_ended(server)) break;
    }
    return has_ended(client) && has_ended(server) && !client->status && !server->status;
}

static void close_side(struct schannel_side *side)
{
    if (side->has_context) DeleteSecurityContext(&side->context);
    if (side->has_credential) FreeCredentialsHandle(&side->credential);
    free(side->waiting);
    *side = (struct schannel_side){0};
}

void schannel_pair_close(struct schannel_pair *pair)
{
    close_side(&pair->client);
    close_side(&pair->server);
}

const char *schannel_outcome(const struct schannel_side *side, char *text)
{
    char name[STATUS_NAME_MAX];
    int length = 0;

    if (!side->has_credential) {
        snprintf(text, OBSERVED_MAX, "credential: %s", status_name(side->status, name));
        return text;
    }
    snprintf(text, OBSERVED_MAX, "none");
    for (unsigned i = 0; i < side->leg_count && length < OBSERVED_MAX; i++)
        length += snprintf(text + length, (size_t)(OBSERVED_MAX - length), "%s%s", i ? " " : "",
                           status_name(side->legs[i], name));
    return text;
}

SECURITY_STATUS schannel_send(struct schannel_side *from, struct schannel_side *to, const char *text)
{
    SecPkgContext_StreamSizes sizes;
    const ULONG length = (ULONG)strlen(text);
    BYTE *start = to->waiting + to->size;
    SECURITY_STATUS status = QueryContextAttributesA(&from->context, SECPKG_ATTR_STREAM_SIZES, &sizes);

    if (status) return status;
    memcpy(start + sizes.cbHeader, text, length);
    SecBuffer buffers[4] = {{sizes.cbHeader, SECBUFFER_STREAM_HEADER, start},
                            {length, SECBUFFER_DATA, start + sizes.cbHeader},
                            {sizes.cbTrailer, SECBUFFER_STREAM_TRAILER, start + sizes.cbHeader + length},
                            {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc message = {SECBUFFER_VERSION, 4, buffers};
    status = EncryptMessage(&from->context, 0, &message, 0);
    if (status == SEC_E_OK) to->size += buffers[0].cbBuffer + buffers[1].cbBuffer + buffers[2].cbBuffer;
    return status;
}

SECURITY_STATUS schannel_receive(struct schannel_side *side, char *out)
{
    SecBuffer buffers[4] = {{side->size, SECBUFFER_DATA, side->waiting}};
    SecBufferDesc message = {SECBUFFER_VERSION, 4, buffers};
    char name[STATUS_NAME_MAX];
    SECURITY_STATUS status = DecryptMessage(&side->context, &message, 0, NULL);

    snprintf(out, OBSERVED_MAX, "%s", status_name(status, name));
    if (status == SEC_E_OK)
        snprintf(out, OBSERVED_MAX, "SEC_E_OK %.*s", (int)buffers[1].cbBuffer, (const char *)buffers[1].pvBuffer);
    if (status < 0) return status;
    side->size = buffers[3].BufferType == SECBUFFER_EXTRA ? buffers[3].cbBuffer : 0;
    if (side->size) memmove(side->waiting, buffers[3].pvBuffer, side->size);
    return status;
}
