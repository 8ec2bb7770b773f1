/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections to the LSA, and what it knows about logon sessions. There is no LSA process: a connection is a kernel
 * object of this one, so that a stale or foreign handle is told apart, and the only session is the caller's own.
 */
#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <ntsecapi.h>

#include "caller.h"
#include "lsa.h"

NTSTATUS WINAPI NtClose(HANDLE handle);

static const LARGE_INTEGER never = {.QuadPart = MAXLONGLONG};

BOOL lsa_is_connection(HANDLE handle)
{
    DWORD flags;

    return GetHandleInformation(handle, &flags);
}

NTSTATUS WINAPI LsaConnectUntrusted(PHANDLE LsaHandle)
{
    HANDLE connection = CreateEventW(NULL, TRUE, FALSE, NULL);

    if (!connection) return STATUS_NO_MEMORY;
    *LsaHandle = connection;
    return STATUS_SUCCESS;
}

/* Windows asks for SeTcbPrivilege here. No token in Wine holds it, that of a service neither, so nobody is asked. */
NTSTATUS WINAPI LsaRegisterLogonProcess(PLSA_STRING, PHANDLE LsaHandle, PLSA_OPERATIONAL_MODE SecurityMode)
{
    *SecurityMode = 0;
    return LsaConnectUntrusted(LsaHandle);
}

NTSTATUS WINAPI LsaDeregisterLogonProcess(HANDLE LsaHandle)
{
    return lsa_is_connection(LsaHandle) ? NtClose(LsaHandle) : STATUS_INVALID_HANDLE;
}

NTSTATUS WINAPI LsaFreeReturnBuffer(PVOID Buffer)
{
    if (Buffer) HeapFree(GetProcessHeap(), 0, Buffer);
    return STATUS_SUCCESS;
}

NTSTATUS WINAPI LsaEnumerateLogonSessions(PULONG LogonSessionCount, PLUID *LogonSessionList)
{
    struct caller caller;
    LUID *list;

    if (!caller_look_up(&caller)) return STATUS_NO_TOKEN;
    if (!(list = HeapAlloc(GetProcessHeap(), 0, sizeof(*list)))) return STATUS_NO_MEMORY;
    *list = caller.logon_id;
    *LogonSessionCount = 1;
    *LogonSessionList = list;
    return STATUS_SUCCESS;
}

static void append_string(BYTE **end, const WCHAR *text, LSA_UNICODE_STRING *out)
{
    const USHORT size = (USHORT)(wcslen(text) * sizeof(WCHAR));

    out->Length = size;
    out->MaximumLength = size + sizeof(WCHAR);
    out->Buffer = (WCHAR *)*end;
    memcpy(out->Buffer, text, size + sizeof(WCHAR));
    *end += size + sizeof(WCHAR);
}

/* One block with the strings behind the structure. What Wine does not keep (times of logon and password) stays zero. */
static SECURITY_LOGON_SESSION_DATA *describe_session(const struct caller *caller, const WCHAR *computer)
{
    static const WCHAR package[] = L"NTLM";
    const DWORD sid_size = GetLengthSid(caller->sid.user.User.Sid);
    const SIZE_T strings = (wcslen(caller->name) + wcslen(caller->domain) + wcslen(computer) + 4) * sizeof(WCHAR);
    SECURITY_LOGON_SESSION_DATA *data;
    BYTE *end;

    data = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*data) + sid_size + strings + sizeof(package));
    if (!data) return NULL;
    end = (BYTE *)(data + 1);
    data->Sid = end;
    CopySid(sid_size, data->Sid, caller->sid.user.User.Sid);
    end += sid_size;
    append_string(&end, caller->name, &data->UserName);
    append_string(&end, caller->domain, &data->LogonDomain);
    append_string(&end, package, &data->AuthenticationPackage);
    append_string(&end, computer, &data->LogonServer);
    data->Size = sizeof(*data); /* behaviour.md row 9: the whole structure of Vista and later */
    data->LogonId = caller->logon_id;
    data->LogonType = Interactive;
    ProcessIdToSessionId(GetCurrentProcessId(), &data->Session);
    data->LogoffTime = data->KickOffTime = data->PasswordMustChange = never;
    return data;
}

/* behaviour.md rows 8-11 */
NTSTATUS WINAPI LsaGetLogonSessionData(PLUID LogonId, PSECURITY_LOGON_SESSION_DATA *ppLogonSessionData)
{
    WCHAR computer[MAX_COMPUTERNAME_LENGTH + 1] = L"";
    DWORD size = ARRAYSIZE(computer);
    struct caller caller;

    if (!caller_look_up(&caller)) return STATUS_NO_TOKEN;
    if (memcmp(LogonId, &caller.logon_id, sizeof(*LogonId))) return STATUS_NO_SUCH_LOGON_SESSION;
    GetComputerNameW(computer, &size);
    *ppLogonSessionData = describe_session(&caller, computer);
    return *ppLogonSessionData ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

/* No package logs anybody on yet: each number is one that no package has. */
NTSTATUS WINAPI LsaLogonUser(HANDLE LsaHandle, PLSA_STRING, SECURITY_LOGON_TYPE, ULONG, PVOID, ULONG, PTOKEN_GROUPS,
                             PTOKEN_SOURCE, PVOID *ProfileBuffer, PULONG ProfileBufferLength, PLUID, PHANDLE,
                             PQUOTA_LIMITS, PNTSTATUS SubStatus)
{
    if (ProfileBuffer) *ProfileBuffer = NULL;
    if (ProfileBufferLength) *ProfileBufferLength = 0;
    if (SubStatus) *SubStatus = STATUS_SUCCESS;
    return lsa_is_connection(LsaHandle) ? STATUS_NO_SUCH_PACKAGE : STATUS_INVALID_HANDLE;
}

/* Nothing in a prefix changes LSA policy through the LSA, so no event is ever due. */
static NTSTATUS check_notification(POLICY_NOTIFICATION_INFORMATION_CLASS class, HANDLE event)
{
    if (class < PolicyNotifyAuditEventsInformation || class >= PolicyNotifyMax) return STATUS_INVALID_PARAMETER;
    return lsa_is_connection(event) ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

NTSTATUS WINAPI LsaRegisterPolicyChangeNotification(POLICY_NOTIFICATION_INFORMATION_CLASS InformationClass,
                                                    HANDLE NotificationEventHandle)
{
    return check_notification(InformationClass, NotificationEventHandle);
}

NTSTATUS WINAPI LsaUnregisterPolicyChangeNotification(POLICY_NOTIFICATION_INFORMATION_CLASS InformationClass,
                                                      HANDLE NotificationEventHandle)
{
    return check_notification(InformationClass, NotificationEventHandle);
}
