/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages that a program sends to a package through the LSA. A package's number is its place in the table of
 * packages, which makes Negotiate 0, as in Windows (behaviour.md row 66).
 */
#define WIN32_NO_STATUS
#include "secur32.h"
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <ntsecapi.h>

#include "lsa.h"

/* The name that ntsecapi.h gives NTLM among the LSA's packages, MSV1_0_PACKAGE_NAME. */
static const char ntlm_lsa_name[] = "MICROSOFT_AUTHENTICATION_PACKAGE_V1_0";

static BOOL is_named(const LSA_STRING *name, const char *text)
{
    return name->Length == strlen(text) && !_strnicmp(name->Buffer, text, name->Length);
}

/* Names of packages are ASCII. */
static BOOL is_package(const LSA_STRING *name, const WCHAR *package)
{
    char text[64];

    if (!WideCharToMultiByte(CP_ACP, 0, package, -1, text, sizeof(text), NULL, NULL)) return FALSE;
    return is_named(name, text) || (is_named(name, ntlm_lsa_name) && !strcmp(text, "NTLM"));
}

NTSTATUS WINAPI LsaLookupAuthenticationPackage(HANDLE LsaHandle, PLSA_STRING PackageName, PULONG AuthenticationPackage)
{
    const ULONG count = packages_count();

    if (!lsa_is_connection(LsaHandle)) return STATUS_INVALID_HANDLE;
    for (ULONG i = 0; i < count; i++) {
        const struct package *package = packages_at(i);
        if (!package || !is_package(PackageName, package->info.Name)) continue;
        *AuthenticationPackage = i;
        return STATUS_SUCCESS;
    }
    return STATUS_NO_SUCH_PACKAGE;
}

/*
 * Windows's Negotiate is part of its LSA and knows which logon sessions were opened with another name than the
 * caller's (runas /netonly). There are none of these here (behaviour.md rows 67 and 69-71).
 */
static NTSTATUS call_negotiate(const void *message, ULONG size, NTSTATUS *protocol)
{
    if (!message || size < sizeof(NEGOTIATE_CALLER_NAME_REQUEST)) return STATUS_INVALID_PARAMETER;
    if (*(const ULONG *)message != NegGetCallerName) return STATUS_INVALID_PARAMETER;
    *protocol = STATUS_NO_SUCH_LOGON_SESSION;
    return STATUS_SUCCESS;
}

NTSTATUS lsa_call_package(const struct package *package, void *message, ULONG size, void **answer, ULONG *answer_size,
                          NTSTATUS *protocol)
{
    if (package->lsa.CallPackageUntrusted)
        return package->lsa.CallPackageUntrusted(NULL, message, message, size, answer, answer_size, protocol);
    if (!wcscmp(package->info.Name, L"Negotiate")) return call_negotiate(message, size, protocol);
    return STATUS_NOT_SUPPORTED;
}

/* What a package answers. */
struct answer {
    void *buffer;
    ULONG size;
    NTSTATUS protocol;
};

/* Each of the three results may be one that the program does not want (behaviour.md rows 69-71). */
static void hand_out(struct answer *answer, PVOID *buffer, PULONG size, PNTSTATUS protocol)
{
    if (buffer)
        *buffer = answer->buffer;
    else
        LsaFreeReturnBuffer(answer->buffer);
    if (size) *size = answer->size;
    if (protocol) *protocol = answer->protocol;
}

NTSTATUS WINAPI LsaCallAuthenticationPackage(HANDLE LsaHandle, ULONG AuthenticationPackage, PVOID ProtocolSubmitBuffer,
                                             ULONG SubmitBufferLength, PVOID *ProtocolReturnBuffer,
                                             PULONG ReturnBufferLength, PNTSTATUS ProtocolStatus)
{
    struct answer answer = {.protocol = STATUS_SUCCESS};
    NTSTATUS status = STATUS_NO_SUCH_PACKAGE; /* behaviour.md row 72 */

    if (!lsa_is_connection(LsaHandle)) return STATUS_INVALID_HANDLE;
    const struct package *package = packages_at(AuthenticationPackage);
    if (package)
        status = lsa_call_package(package, ProtocolSubmitBuffer, SubmitBufferLength, &answer.buffer, &answer.size,
                                  &answer.protocol);
    hand_out(&answer, ProtocolReturnBuffer, ReturnBufferLength, ProtocolStatus);
    return status;
}
