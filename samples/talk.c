/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Options, frames, protected messages, printing.
 */
#include "talk.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct name {
    ULONG value;
    const char *name;
};

static const struct name statuses[] = {
    {SEC_E_OK, "SEC_E_OK"},
    {SEC_I_CONTINUE_NEEDED, "SEC_I_CONTINUE_NEEDED"},
    {SEC_E_SECPKG_NOT_FOUND, "SEC_E_SECPKG_NOT_FOUND"},
    {SEC_E_INVALID_TOKEN, "SEC_E_INVALID_TOKEN"},
    {SEC_E_LOGON_DENIED, "SEC_E_LOGON_DENIED"},
    {SEC_E_NO_CREDENTIALS, "SEC_E_NO_CREDENTIALS"},
    {SEC_E_MESSAGE_ALTERED, "SEC_E_MESSAGE_ALTERED"},
    {SEC_E_OUT_OF_SEQUENCE, "SEC_E_OUT_OF_SEQUENCE"},
    {SEC_E_TARGET_UNKNOWN, "SEC_E_TARGET_UNKNOWN"},
    {SEC_E_NO_AUTHENTICATING_AUTHORITY, "SEC_E_NO_AUTHENTICATING_AUTHORITY"},
    {SEC_E_UNSUPPORTED_FUNCTION, "SEC_E_UNSUPPORTED_FUNCTION"},
};

/* INTEGRITY has another value on each side. */
static const struct name flags[] = {
    {ISC_RET_DELEGATE, "delegation"},
    {ISC_RET_MUTUAL_AUTH, "mutual authentication"},
    {ISC_RET_REPLAY_DETECT, "replay detection"},
    {ISC_RET_SEQUENCE_DETECT, "sequence detection"},
    {ISC_RET_CONFIDENTIALITY, "confidentiality"},
    {ISC_RET_INTEGRITY | ASC_RET_INTEGRITY, "integrity"},
};

void misused(const char *argument, const char *what, const char *usage)
{
    fprintf(stderr, "%s: %s\n%s", argument, what, usage);
    exit(2);
}

static void open_tokens(struct peer *peer, const char *path)
{
    peer->tokens = fopen(path, "w");
    if (!peer->tokens) give_up(peer, path, SEC_E_INTERNAL_ERROR);
}

int take_options(struct peer *peer, int argc, char **argv, const char *usage)
{
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i += 2) {
        if (!strcmp(argv[i], "--delegate")) {
            peer->delegate = TRUE;
            i--;
            continue;
        }
        if (!strcmp(argv[i], "--help")) {
            fputs(usage, stdout);
            exit(0);
        }
        if (i + 1 == argc) misused(argv[i], "no such option, or it has no value", usage);
        if (!strcmp(argv[i], "--package"))
            peer->package = argv[i + 1];
        else if (!strcmp(argv[i], "--target"))
            peer->target = argv[i + 1];
        else if (!strcmp(argv[i], "--tokens"))
            open_tokens(peer, argv[i + 1]);
        else
            misused(argv[i], "no such option", usage);
    }
    return i;
}

void say(const struct peer *peer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("  %s: ", peer->who);
    vprintf(format, args);
    putchar('\n');
    fflush(stdout);
    va_end(args);
}

const char *status_name(SECURITY_STATUS status)
{
    static char number[16];
    for (size_t i = 0; i < ARRAYSIZE(statuses); i++)
        if (statuses[i].value == (ULONG)status) return statuses[i].name;
    snprintf(number, sizeof number, "0x%08lX", (ULONG)status);
    return number;
}

void give_up(const struct peer *peer, const char *what, SECURITY_STATUS status)
{
    say(peer, "%s failed: %s", what, status_name(status));
    exit(1);
}

static BOOL transfer(SOCKET socket, BYTE *data, ULONG size, BOOL sending)
{
    while (size) {
        const int done = sending ? send(socket, (char *)data, (int)size, 0) : recv(socket, (char *)data, (int)size, 0);
        if (done <= 0) return FALSE;
        data += done;
        size -= (ULONG)done;
    }
    return TRUE;
}

BOOL send_frame(struct peer *peer, const void *data, ULONG size)
{
    return transfer(peer->socket, (BYTE *)&size, sizeof size, TRUE) && transfer(peer->socket, (BYTE *)data, size, TRUE);
}

BOOL receive_frame(struct peer *peer, struct frame *frame)
{
    return transfer(peer->socket, (BYTE *)&frame->size, sizeof frame->size, FALSE) &&
           frame->size <= sizeof frame->data && transfer(peer->socket, frame->data, frame->size, FALSE);
}

void describe_package(struct peer *peer)
{
    SecPkgInfoA *info;
    SECURITY_STATUS status = QuerySecurityPackageInfoA(peer->package, &info);
    if (status) give_up(peer, "QuerySecurityPackageInfo", status);
    peer->token_size = info->cbMaxToken;
    say(peer, "package %s (%s), tokens of up to %lu bytes", info->Name, info->Comment, info->cbMaxToken);
    FreeContextBuffer(info);
}

void keep_token(const struct peer *peer, const BYTE *token, ULONG size)
{
    if (!peer->tokens || !size) return;
    for (ULONG i = 0; i < size; i++) fprintf(peer->tokens, "%02x", token[i]);
    putc('\n', peer->tokens);
    fflush(peer->tokens);
}

static void describe_negotiation(struct peer *peer)
{
    SecPkgContext_NegotiationInfoA negotiation;
    SECURITY_STATUS status = QueryContextAttributesA(&peer->context, SECPKG_ATTR_NEGOTIATION_INFO, &negotiation);
    if (status) give_up(peer, "SECPKG_ATTR_NEGOTIATION_INFO", status);
    say(peer, "the mechanism is %s, negotiation %s", negotiation.PackageInfo->Name,
        negotiation.NegotiationState == SECPKG_NEGOTIATION_COMPLETE ? "complete" : "not complete");
    FreeContextBuffer(negotiation.PackageInfo);
}

char *name_of_session(const struct peer *peer)
{
    SecPkgContext_NamesA names;
    SECURITY_STATUS status = QueryContextAttributesA((CtxtHandle *)&peer->context, SECPKG_ATTR_NAMES, &names);
    if (status) give_up(peer, "SECPKG_ATTR_NAMES", status);
    return names.sUserName;
}

static void describe_names(struct peer *peer)
{
    char *name = name_of_session(peer);
    say(peer, "the session is for %s", name);
    FreeContextBuffer(name);
}

static void describe_flags(const struct peer *peer)
{
    char text[128] = "";
    for (size_t i = 0; i < ARRAYSIZE(flags); i++) {
        if (!(peer->flags & flags[i].value)) continue;
        if (*text) strcat(text, ", ");
        strcat(text, flags[i].name);
    }
    say(peer, "granted: %s", *text ? text : "nothing");
}

static void describe_algorithms(struct peer *peer)
{
    SecPkgContext_KeyInfoA key;
    SECURITY_STATUS status = QueryContextAttributesA(&peer->context, SECPKG_ATTR_KEY_INFO, &key);
    if (status) give_up(peer, "SECPKG_ATTR_KEY_INFO", status);
    say(peer, "signed with %s, sealed with %s, %lu bits; signatures of %lu bytes", key.sSignatureAlgorithmName,
        key.sEncryptAlgorithmName, key.KeySize, peer->signature);
    FreeContextBuffer(key.sSignatureAlgorithmName);
    FreeContextBuffer(key.sEncryptAlgorithmName);
}

void take_sizes(struct peer *peer)
{
    SecPkgContext_Sizes sizes;
    SECURITY_STATUS status = QueryContextAttributesA(&peer->context, SECPKG_ATTR_SIZES, &sizes);
    if (status) give_up(peer, "SECPKG_ATTR_SIZES", status);
    peer->signature = max(sizes.cbMaxSignature, sizes.cbSecurityTrailer);
}

void describe_session(struct peer *peer)
{
    take_sizes(peer);
    describe_negotiation(peer);
    describe_names(peer);
    describe_flags(peer);
    describe_algorithms(peer);
}

/* How long a signature really is, EncryptMessage and MakeSignature say; SIZES only how long it may become. */
void protect_text(struct peer *peer, const char *text, BOOL seal, struct frame *frame)
{
    const ULONG size = (ULONG)strlen(text) + 1;
    BYTE *signature = frame->data + sizeof(ULONG), *data = signature + peer->signature;
    SecBuffer buffers[2] = {{peer->signature, SECBUFFER_TOKEN, signature}, {size, SECBUFFER_DATA, data}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    memcpy(data, text, size);
    SECURITY_STATUS status =
        seal ? EncryptMessage(&peer->context, 0, &message, 0) : MakeSignature(&peer->context, 0, &message, 0);
    if (status) give_up(peer, seal ? "EncryptMessage" : "MakeSignature", status);
    memcpy(frame->data, &buffers[0].cbBuffer, sizeof(ULONG));
    memmove(signature + buffers[0].cbBuffer, data, size);
    frame->size = sizeof(ULONG) + buffers[0].cbBuffer + size;
}

SECURITY_STATUS open_text(struct peer *peer, struct frame *frame, BOOL sealed, char **text)
{
    BYTE *signature = frame->data + sizeof(ULONG), *end = frame->data + frame->size;
    ULONG size;
    if (frame->size < sizeof size) return SEC_E_INVALID_TOKEN;
    memcpy(&size, frame->data, sizeof size);
    if (size >= frame->size - sizeof size) return SEC_E_INVALID_TOKEN;
    BYTE *data = signature + size;
    SecBuffer buffers[2] = {{size, SECBUFFER_TOKEN, signature}, {(ULONG)(end - data), SECBUFFER_DATA, data}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    SECURITY_STATUS status =
        sealed ? DecryptMessage(&peer->context, &message, 0, NULL) : VerifySignature(&peer->context, &message, 0, NULL);
    end[-1] = 0;
    *text = (char *)data;
    return status;
}
