/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Contexts on their way: what an imported one answers next to the one that it came from, what an exported one still
 * answers, blocks that are none, and a conversation that other processes, of the other bitness too, take over. Prints a
 * line a case and ends with the counts.
 *
 *     travel PACKAGE PROGRAM...    PROGRAM is this one, of some architecture, which takes over
 *     travel FILE                  is what it is then called with; the exit code is 0 if all went well
 */
#include "pair.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_MAX = 1 << 16, TRAILER_MAX = 80, ROUNDS = 10000, WARM = 100, WAIT_MS = 60000 };

static const char letter[12] = "a letter...";

/* A message that is sealed: the same bytes in every architecture. */
struct sealed {
    ULONG token_size;
    BYTE token[TRAILER_MAX], text[sizeof letter];
};

/* What goes to another process and comes back. */
struct post {
    char package[16];
    struct sealed message;
    ULONG block_size;
    BYTE block[BLOCK_MAX];
};

static BOOL seal(CtxtHandle *context, struct sealed *sealed)
{
    SecPkgContext_Sizes sizes;
    if (QueryContextAttributesA(context, SECPKG_ATTR_SIZES, &sizes)) return FALSE;
    SecBuffer buffers[2] = {{sizes.cbSecurityTrailer, SECBUFFER_TOKEN, sealed->token},
                            {sizeof letter, SECBUFFER_DATA, sealed->text}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    memcpy(sealed->text, letter, sizeof letter);
    if (sizes.cbSecurityTrailer > TRAILER_MAX || EncryptMessage(context, 0, &message, 0)) return FALSE;
    sealed->token_size = buffers[0].cbBuffer;
    return TRUE;
}

static BOOL unseal(CtxtHandle *context, struct sealed *sealed)
{
    SecBuffer buffers[2] = {{sealed->token_size, SECBUFFER_TOKEN, sealed->token},
                            {sizeof letter, SECBUFFER_DATA, sealed->text}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    return !DecryptMessage(context, &message, 0, NULL) && !memcmp(sealed->text, letter, sizeof letter);
}

static BOOL talk(CtxtHandle *one, CtxtHandle *other)
{
    struct sealed sealed;
    return seal(one, &sealed) && unseal(other, &sealed) && seal(other, &sealed) && unseal(one, &sealed);
}

static SECURITY_STATUS import(const char *package, const void *block, ULONG size, HANDLE token, CtxtHandle *context)
{
    SecBuffer packed = {size, SECBUFFER_TOKEN, (void *)block};
    return ImportSecurityContextA((char *)package, &packed, token, context);
}

static SECURITY_STATUS import_block(const char *package, const SecBuffer *block, CtxtHandle *context)
{
    return import(package, block->pvBuffer, block->cbBuffer, NULL, context);
}

/* What SECPKG_ATTR_ values give: as many bytes of structure, and how many strings or blocks are in it. */
static const struct {
    ULONG attribute, size, string; /* STRING: where a string's pointer stands, or 0xFF */
} attributes[] = {
    {SECPKG_ATTR_SIZES, sizeof(SecPkgContext_Sizes), 0xFF},
    {SECPKG_ATTR_NAMES, 0, offsetof(SecPkgContext_NamesA, sUserName)},
    {SECPKG_ATTR_LIFESPAN, sizeof(SecPkgContext_Lifespan), 0xFF},
    {SECPKG_ATTR_DCE_INFO, sizeof(ULONG), 0xFF},
    {SECPKG_ATTR_KEY_INFO, 0, offsetof(SecPkgContext_KeyInfoA, sSignatureAlgorithmName)},
    {SECPKG_ATTR_KEY_INFO, 0, offsetof(SecPkgContext_KeyInfoA, sEncryptAlgorithmName)},
    {SECPKG_ATTR_AUTHORITY, 0, offsetof(SecPkgContext_AuthorityA, sAuthorityName)},
    {SECPKG_ATTR_FLAGS, sizeof(SecPkgContext_Flags), 0xFF},
    {SECPKG_ATTR_SESSION_KEY, sizeof(ULONG), 0xFF},
    {SECPKG_ATTR_NATIVE_NAMES, 0, offsetof(SecPkgContext_NativeNamesA, sClientName)},
    {SECPKG_ATTR_NATIVE_NAMES, 0, offsetof(SecPkgContext_NativeNamesA, sServerName)},
    {SECPKG_ATTR_PASSWORD_EXPIRY, sizeof(SecPkgContext_PasswordExpiry), 0xFF},
    {SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS, sizeof(SecPkgContext_LastClientTokenStatus), 0xFF},
};

enum { ATTRIBUTES = sizeof attributes / sizeof *attributes, ANSWER_MAX = 128 };

static BOOL same_answer(CtxtHandle *one, CtxtHandle *other, int i)
{
    BYTE answers[2][ANSWER_MAX];
    memset(answers, 0, sizeof answers);
    const SECURITY_STATUS status = QueryContextAttributesA(one, attributes[i].attribute, answers[0]);
    if (QueryContextAttributesA(other, attributes[i].attribute, answers[1]) != status) return FALSE;
    if (status || attributes[i].string == 0xFF) return status || !memcmp(answers[0], answers[1], attributes[i].size);
    return !strcmp(*(char **)(answers[0] + attributes[i].string), *(char **)(answers[1] + attributes[i].string));
}

/* The session key itself, and what the package says of itself. */
static BOOL same_key(CtxtHandle *one, CtxtHandle *other)
{
    SecPkgContext_SessionKey keys[2];
    return !QueryContextAttributesA(one, SECPKG_ATTR_SESSION_KEY, &keys[0]) &&
           !QueryContextAttributesA(other, SECPKG_ATTR_SESSION_KEY, &keys[1]) &&
           keys[0].SessionKeyLength == keys[1].SessionKeyLength &&
           !memcmp(keys[0].SessionKey, keys[1].SessionKey, keys[0].SessionKeyLength);
}

static BOOL same_package(CtxtHandle *one, CtxtHandle *other)
{
    SecPkgContext_NegotiationInfoA infos[2];
    return !QueryContextAttributesA(one, SECPKG_ATTR_NEGOTIATION_INFO, &infos[0]) &&
           !QueryContextAttributesA(other, SECPKG_ATTR_NEGOTIATION_INFO, &infos[1]) &&
           infos[0].NegotiationState == infos[1].NegotiationState &&
           !strcmp(infos[0].PackageInfo->Name, infos[1].PackageInfo->Name);
}

static BOOL same_target(CtxtHandle *one, CtxtHandle *other)
{
    SecPkgContext_ClientSpecifiedTarget targets[2];
    return !QueryContextAttributesW(one, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, &targets[0]) &&
           !QueryContextAttributesW(other, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, &targets[1]) &&
           targets[0].sTargetName[0] && !wcscmp(targets[0].sTargetName, targets[1].sTargetName);
}

static void compare(const char *package, struct pair *pair)
{
    BOOL same = TRUE;
    for (int side = CLIENT; side <= SERVER; side++) {
        SecBuffer block = {0};
        CtxtHandle *context = &pair->contexts[side], twin;
        same &= !ExportSecurityContext(context, 0, &block, NULL) && !import_block(package, &block, &twin);
        for (int i = 0; i < ATTRIBUTES; i++) {
            const BOOL holds = same_answer(context, &twin, i);
            if (!holds) printf("      attribute %lu, side %d\n", attributes[i].attribute, side);
            same &= holds;
        }
        same &= same_key(context, &twin) && same_package(context, &twin);
        same &= side == CLIENT || same_target(context, &twin);
        same &= !DeleteSecurityContext(&twin) && !FreeContextBuffer(block.pvBuffer);
        same &= QueryContextAttributesA(&twin, SECPKG_ATTR_SIZES, &block) == SEC_E_INVALID_HANDLE;
    }
    report("an imported context answers as the one that it comes from", same);
}

/* There is no other half of it: no legs, nothing to control. */
static void no_legs(const char *package, struct pair *pair)
{
    BYTE bytes[64] = {0};
    SecBuffer block = {0}, token = {sizeof bytes, SECBUFFER_TOKEN, bytes};
    SecBufferDesc tokens = {SECBUFFER_VERSION, 1, &token};
    CtxtHandle twin;
    TimeStamp expiry;
    ULONG flags;
    BOOL refused =
        !ExportSecurityContext(&pair->contexts[SERVER], 0, &block, NULL) && !import_block(package, &block, &twin);
    refused &=
        AcceptSecurityContext(NULL, &twin, &tokens, 0, 0, &twin, &tokens, &flags, &expiry) == SEC_E_INVALID_HANDLE;
    refused &= InitializeSecurityContextA(NULL, &twin, NULL, 0, 0, 0, &tokens, 0, &twin, &tokens, &flags, &expiry) ==
               SEC_E_INVALID_HANDLE;
    refused &= ApplyControlToken(&twin, &tokens) == SEC_E_UNSUPPORTED_FUNCTION;
    FreeContextBuffer(block.pvBuffer);
    block = (SecBuffer){0};
    refused &= !ExportSecurityContext(&twin, 0, &block, NULL) && !FreeContextBuffer(block.pvBuffer);
    report("an imported context takes no legs, and can be exported", refused && !DeleteSecurityContext(&twin));
}

static BOOL refuses(const char *package, const BYTE *block, ULONG size)
{
    CtxtHandle context = {1, 2};
    return import(package, block, size, NULL, &context) == SEC_E_INVALID_TOKEN && context.dwLower == 1 &&
           context.dwUpper == 2;
}

static void no_blocks(const char *package, struct pair *pair)
{
    static const char *const others[] = {"NTLM", "Kerberos", "Negotiate"};
    SecBuffer block = {0};
    CtxtHandle context;
    BOOL refused = !ExportSecurityContext(&pair->contexts[SERVER], 0, &block, NULL);
    BYTE *bytes = block.pvBuffer;
    for (int i = 0; i < 3; i++)
        if (strcmp(others[i], package)) refused &= refuses(others[i], bytes, block.cbBuffer);
    refused &= refuses(package, bytes, block.cbBuffer - 1) && refuses(package, bytes, 0) && refuses(package, NULL, 0);
    refused &= refuses(package, NULL, 100);
    refused &= ImportSecurityContextA((char *)package, NULL, NULL, &context) == SEC_E_INVALID_TOKEN;
    bytes[block.cbBuffer / 2] ^= 1;
    refused &= refuses(package, bytes, block.cbBuffer);
    bytes[block.cbBuffer / 2] ^= 1;
    bytes[12] ^= 1; /* the owner */
    refused &= import_block(package, &block, &context) == SEC_E_NOT_OWNER;
    bytes[12] ^= 1;
    refused &= !import_block(package, &block, &context) && !DeleteSecurityContext(&context);
    refused &= import(package, bytes, block.cbBuffer, (HANDLE)(ULONG_PTR)0x7ffffff0, &context) == SEC_E_INVALID_HANDLE;
    report("what is no such block is refused", refused && !FreeContextBuffer(bytes));
}

static void flags(struct pair *pair)
{
    SecBuffer block = {0};
    CtxtHandle *context = &pair->contexts[SERVER];
    void *token = &block;
    BOOL held =
        ExportSecurityContext(context, SECPKG_CONTEXT_EXPORT_TO_KERNEL, &block, &token) == SEC_E_UNSUPPORTED_FUNCTION;
    held &= ExportSecurityContext(context, 8, &block, &token) == SEC_E_INVALID_PARAMETER;
    held &= ExportSecurityContext(context, 0, NULL, &token) == SEC_E_INVALID_PARAMETER;
    held &= !block.pvBuffer && !block.cbBuffer && token == &block;
    held &= !ExportSecurityContext(context, 0, &block, &token) && token != &block;
    report("flags that are not for this are refused, with nothing written", held && !FreeContextBuffer(block.pvBuffer));
}

/* Every call but the last. */
static BOOL is_gone(CtxtHandle *context)
{
    BYTE answer[ANSWER_MAX], token[TRAILER_MAX] = {0}, data[16] = {0};
    SecBuffer buffers[2] = {{sizeof token, SECBUFFER_TOKEN, token}, {sizeof data, SECBUFFER_DATA, data}}, block = {0};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    BOOL gone = EncryptMessage(context, 0, &message, 0) == SEC_E_INVALID_HANDLE;
    gone &= DecryptMessage(context, &message, 0, NULL) == SEC_E_INVALID_HANDLE;
    gone &= MakeSignature(context, 0, &message, 0) == SEC_E_INVALID_HANDLE;
    gone &= VerifySignature(context, &message, 0, NULL) == SEC_E_INVALID_HANDLE;
    gone &= ExportSecurityContext(context, 0, &block, NULL) == SEC_E_INVALID_HANDLE;
    for (int i = 0; i < ATTRIBUTES; i++)
        gone &= QueryContextAttributesA(context, attributes[i].attribute, answer) == SEC_E_INVALID_HANDLE;
    gone &= QueryContextAttributesA(context, SECPKG_ATTR_PACKAGE_INFO, answer) == SEC_E_INVALID_HANDLE;
    return gone & (QueryContextAttributesA(context, SECPKG_ATTR_NEGOTIATION_INFO, answer) == SEC_E_INVALID_HANDLE);
}

/* Both ends go away and come back; the old handles are deleted by pair_close. */
static void delete_old(const char *package)
{
    CtxtHandle twins[2];
    struct pair pair;
    BOOL held = pair_establish(&pair, package);
    for (int side = CLIENT; side <= SERVER; side++) {
        SecBuffer block = {0};
        held &= !ExportSecurityContext(&pair.contexts[side], SECPKG_CONTEXT_EXPORT_DELETE_OLD, &block, NULL);
        held &= !import_block(package, &block, &twins[side]) && is_gone(&pair.contexts[side]);
        FreeContextBuffer(block.pvBuffer);
        block = (SecBuffer){0};
        CtxtHandle again;
        held &= !ExportSecurityContext(&twins[side], SECPKG_CONTEXT_EXPORT_DELETE_OLD, &block, NULL);
        held &= is_gone(&twins[side]) && !DeleteSecurityContext(&twins[side]);
        held &= !import_block(package, &block, &again);
        twins[side] = again;
        FreeContextBuffer(block.pvBuffer);
    }
    held &= talk(&twins[CLIENT], &twins[SERVER]);
    for (int side = CLIENT; side <= SERVER; side++) held &= !DeleteSecurityContext(&twins[side]);
    report("a context that is exported away is gone, and its handle can be deleted", held & pair_close(&pair));
}

static DWORD handles(void)
{
    DWORD count = 0;
    GetProcessHandleCount(GetCurrentProcess(), &count);
    return count;
}

static BOOL go_round(const char *package, CtxtHandle *context, HANDLE token)
{
    SecBuffer block = {0};
    CtxtHandle twin;
    void *out = NULL;
    BOOL held = !ExportSecurityContext(context, 0, &block, &out) &&
                !import(package, block.pvBuffer, block.cbBuffer, token, &twin);
    FreeContextBuffer(block.pvBuffer);
    if (out) CloseHandle(out);
    return held && !DeleteSecurityContext(&twin);
}

/* With a token that each context keeps for itself. */
static void many_rounds(const char *package, struct pair *pair)
{
    HANDLE token = NULL;
    BOOL held = OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token);
    for (int i = 0; i < WARM; i++) held &= go_round(package, &pair->contexts[i % 2], token);
    const DWORD before = handles();
    for (int i = 0; i < ROUNDS; i++) held &= go_round(package, &pair->contexts[i % 2], token);
    held &= handles() == before;
    DWORD size;
    TOKEN_TYPE type;
    held &= GetTokenInformation(token, TokenType, &type, sizeof type, &size) && CloseHandle(token);
    report("10,000 contexts come and go, and leave no handle", held);
}

static BOOL transfer(const char *path, struct post *post, BOOL write)
{
    FILE *file = fopen(path, write ? "wb" : "rb");
    if (!file) return FALSE;
    const BOOL done = (write ? fwrite(post, sizeof *post, 1, file) : fread(post, sizeof *post, 1, file)) == 1;
    return !fclose(file) && done;
}

/* The other process: takes over, reads a message, and answers it. */
static int take_over(const char *path)
{
    static struct post post;
    CtxtHandle context;
    if (!transfer(path, &post, FALSE)) return 2;
    if (import(post.package, post.block, post.block_size, NULL, &context)) return 3;
    if (!unseal(&context, &post.message) || !seal(&context, &post.message)) return 4;
    return transfer(path, &post, TRUE) ? 0 : 5;
}

static DWORD run(const char *program, const char *path)
{
    char command[3 * MAX_PATH];
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    DWORD code = 99;
    snprintf(command, sizeof command, "\"%s\" \"%s\"", program, path);
    if (!CreateProcessA(NULL, command, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process)) return 98;
    WaitForSingleObject(process.hProcess, WAIT_MS);
    GetExitCodeProcess(process.hProcess, &code);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return code;
}

static BOOL hand_over(const char *package, struct pair *pair, const char *program)
{
    static struct post post;
    char folder[MAX_PATH], path[MAX_PATH];
    SecBuffer block = {0};
    GetTempPathA(sizeof folder, folder);
    GetTempFileNameA(folder, "trv", 0, path);
    memset(&post, 0, sizeof post);
    strncpy(post.package, package, sizeof post.package - 1);
    if (!seal(&pair->contexts[CLIENT], &post.message) ||
        ExportSecurityContext(&pair->contexts[SERVER], SECPKG_CONTEXT_EXPORT_DELETE_OLD, &block, NULL))
        return FALSE;
    post.block_size = block.cbBuffer < BLOCK_MAX ? block.cbBuffer : BLOCK_MAX;
    memcpy(post.block, block.pvBuffer, post.block_size);
    FreeContextBuffer(block.pvBuffer);
    BOOL held = transfer(path, &post, TRUE);
    const DWORD code = run(program, path);
    if (code) printf("      the other process ended with %lu\n", code);
    held &= !code && transfer(path, &post, FALSE) && unseal(&pair->contexts[CLIENT], &post.message);
    DeleteFileA(path);
    return held;
}

static void other_process(const char *package, const char *program)
{
    struct pair pair;
    BOOL held = pair_establish(&pair, package) && talk(&pair.contexts[CLIENT], &pair.contexts[SERVER]) &&
                hand_over(package, &pair, program);
    held &= pair_close(&pair);
    report("another process goes on with the conversation", held);
}

int main(int argc, char **argv)
{
    struct pair pair;
    if (argc == 2) return take_over(argv[1]);
    if (argc < 2) return 2;
    const char *package = argv[1];
    report("the two sides are established",
           pair_establish(&pair, package) && talk(&pair.contexts[CLIENT], &pair.contexts[SERVER]));
    compare(package, &pair);
    no_legs(package, &pair);
    no_blocks(package, &pair);
    flags(&pair);
    many_rounds(package, &pair);
    report("the contexts go on", talk(&pair.contexts[CLIENT], &pair.contexts[SERVER]) && pair_close(&pair));
    delete_old(package);
    for (int i = 2; i < argc; i++) other_process(package, argv[i]);
    return finish();
}
