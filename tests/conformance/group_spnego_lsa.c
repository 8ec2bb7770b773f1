/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Negotiate as a package of the local security authority: its number, and the one message that a program may send it.
 */
#include "groups.h"
#include "status.h"

#include <ntsecapi.h>
#include <string.h>

#define NO_SESSION "SEC_E_OK, protocol STATUS_NO_SUCH_LOGON_SESSION, nothing"
#define WITH_NAME "SEC_E_OK, protocol SEC_E_OK, name inside"

static const struct conformance_case cases[] = {
    {"spnego-lsa/lookup", "behaviour 66", "SEC_E_OK", NULL, WINE8_DIFFERS},
    {"spnego-lsa/number", "behaviour 66", "0", NULL, WINE8_DIFFERS},
    {"spnego-lsa/lookup-ntlm", "LsaLookupAuthenticationPackage, MSV1_0_PACKAGE_NAME (documented)", "SEC_E_OK", NULL,
     WINE8_DIFFERS},
    {"spnego-lsa/caller-name", "behaviour 67, 68", NO_SESSION " or " WITH_NAME, NULL, WINE8_DIFFERS},
    {"spnego-lsa/no-message", "behaviour 69", "STATUS_INVALID_PARAMETER, protocol SEC_E_OK, size 0", NULL,
     WINE8_DIFFERS},
    {"spnego-lsa/no-protocol-status", "behaviour 70", "STATUS_INVALID_PARAMETER, size 0", NULL, WINE8_DIFFERS},
    {"spnego-lsa/no-size", "behaviour 71", "STATUS_INVALID_PARAMETER, protocol SEC_E_OK", NULL, WINE8_DIFFERS},
    {"spnego-lsa/no-package", "behaviour 72", "STATUS_NO_SUCH_PACKAGE, protocol SEC_E_OK, size 0, buffer NULL", NULL,
     WINE8_DIFFERS},
};

#define UNTOUCHED_SIZE 0xdeadbeef
#define UNTOUCHED_STATUS ((NTSTATUS)0xdeadbeef)

/* The structure, and behind it the name with its terminator and as much again as a WCHAR (behaviour.md row 68). */
static bool name_is_inside(const NEGOTIATE_CALLER_NAME_RESPONSE *reply, ULONG size)
{
    return reply->MessageType == NegGetCallerName && (const void *)reply->CallerName == (const void *)(reply + 1) &&
           size >= sizeof(*reply) + (wcslen(reply->CallerName) + 1) * sizeof(WCHAR);
}

static void caller_name(struct conformance_run *run, HANDLE lsa, ULONG package)
{
    NEGOTIATE_CALLER_NAME_REQUEST request = {.MessageType = NegGetCallerName};
    void *reply = &request;
    ULONG size = UNTOUCHED_SIZE;
    NTSTATUS protocol = UNTOUCHED_STATUS;
    NTSTATUS status = LsaCallAuthenticationPackage(lsa, package, &request, sizeof(request), &reply, &size, &protocol);
    char first[STATUS_NAME_MAX], second[STATUS_NAME_MAX];
    const char *found = "another reply";

    if (!reply && !size) found = "nothing";
    if (!status && !protocol && reply && name_is_inside(reply, size)) found = "name inside";
    observe(run, "spnego-lsa/caller-name", "%s, protocol %s, %s", status_name(status, first),
            status_name(protocol, second), found);
    if (!status && !protocol) LsaFreeReturnBuffer(reply);
}

/* No message, and no room for a reply. */
static void wrong_calls(struct conformance_run *run, HANDLE lsa, ULONG package)
{
    ULONG size = UNTOUCHED_SIZE;
    NTSTATUS protocol = UNTOUCHED_STATUS, status;
    char first[STATUS_NAME_MAX], second[STATUS_NAME_MAX];

    status = LsaCallAuthenticationPackage(lsa, package, NULL, 0, NULL, &size, &protocol);
    observe(run, "spnego-lsa/no-message", "%s, protocol %s, size %lu", status_name(status, first),
            status_name(protocol, second), size);
    size = UNTOUCHED_SIZE;
    status = LsaCallAuthenticationPackage(lsa, package, NULL, 0, NULL, &size, NULL);
    observe(run, "spnego-lsa/no-protocol-status", "%s, size %lu", status_name(status, first), size);
    protocol = UNTOUCHED_STATUS;
    status = LsaCallAuthenticationPackage(lsa, package, NULL, 0, NULL, NULL, &protocol);
    observe(run, "spnego-lsa/no-size", "%s, protocol %s", status_name(status, first), status_name(protocol, second));
}

static void no_package(struct conformance_run *run, HANDLE lsa)
{
    ULONG size = UNTOUCHED_SIZE;
    NTSTATUS protocol = UNTOUCHED_STATUS;
    void *reply = &size;
    NTSTATUS status = LsaCallAuthenticationPackage(lsa, 0xdeadbeef, NULL, 0, &reply, &size, &protocol);
    char first[STATUS_NAME_MAX], second[STATUS_NAME_MAX];

    observe(run, "spnego-lsa/no-package", "%s, protocol %s, size %lu, buffer %s", status_name(status, first),
            status_name(protocol, second), size, reply ? "untouched" : "NULL");
}

static NTSTATUS look_up(HANDLE lsa, const char *name, ULONG *package)
{
    LSA_STRING string = {.Buffer = (char *)name, .Length = (USHORT)strlen(name)};

    string.MaximumLength = string.Length + 1;
    *package = 0xdeadbeef;
    return LsaLookupAuthenticationPackage(lsa, &string, package);
}

static void run_lsa(struct conformance_run *run)
{
    ULONG package;
    NTSTATUS status;
    HANDLE lsa;

    if (LsaConnectUntrusted(&lsa)) return;
    observe_status(run, "spnego-lsa/lookup-ntlm", look_up(lsa, MSV1_0_PACKAGE_NAME, &package));
    status = look_up(lsa, NEGOSSP_NAME_A, &package);
    observe_status(run, "spnego-lsa/lookup", status);
    observe(run, "spnego-lsa/number", "%lu", package);
    no_package(run, lsa);
    if (!status) {
        caller_name(run, lsa, package);
        wrong_calls(run, lsa, package);
    }
    LsaDeregisterLogonProcess(lsa);
}

const struct conformance_group spnego_lsa_group = {
    .name = "spnego-lsa", .cases = cases, .case_count = COUNT_OF(cases), .run = run_lsa};
