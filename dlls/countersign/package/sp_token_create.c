/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NtCreateToken with what the Unix half knows of a client: what Windows's packages put into the token of a network
 * logon, and no privilege but the one that everybody has.
 */
#include "sp_token_create.h"

#include <string.h>
#include <wchar.h>

typedef NTSTATUS(NTAPI *create_token)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, TOKEN_TYPE, LUID *, LARGE_INTEGER *,
                                      TOKEN_USER *, TOKEN_GROUPS *, TOKEN_PRIVILEGES *, TOKEN_OWNER *,
                                      TOKEN_PRIMARY_GROUP *, TOKEN_DEFAULT_DACL *, TOKEN_SOURCE *);

/* SeChangeNotifyPrivilege's number */
static const DWORD change_notify = 23;

enum { ENABLED = SE_GROUP_MANDATORY | SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED };

/* What every network logon is a member of; the last one only if NTLM authenticated it. */
static const struct well_known {
    WELL_KNOWN_SID_TYPE type;
    BOOL anonymous; /* also who has no name */
    BOOL ntlm;
} well_known[] = {
    {WinBuiltinUsersSid, FALSE, FALSE},     {WinWorldSid, TRUE, FALSE},
    {WinNetworkSid, TRUE, FALSE},           {WinAuthenticatedUserSid, FALSE, FALSE},
    {WinNTLMAuthenticationSid, TRUE, TRUE},
};

/* All that a token is made of, in memory that one call frees. */
struct parts {
    TOKEN_USER user;
    BYTE user_sid[SECURITY_MAX_SID_SIZE];
    BYTE own_sids[ARRAYSIZE(well_known)][SECURITY_MAX_SID_SIZE];
    struct cs_client_sid *sids; /* the Unix half's: the user's, then the groups' */
    TOKEN_GROUPS *groups;
};

static NTSTATUS read_sids(const struct cs_block_client *client, struct cs_client_sid *sids)
{
    struct cs_block_text block = {.object = client->client, .out = sp_bytes(sids, client->sids * sizeof *sids)};
    return CountersignCall(CS_CALL_CLIENT_SIDS, &block);
}

/*
 * An account of this prefix, as the Unix user is one, has the SID that LookupAccountName finds. Wine's passes over the
 * domain (8.0): in another's that name is somebody else, who is not to get the Unix user's SID.
 */
static BOOL look_up_local(const struct cs_block_client *client, BYTE sid[SECURITY_MAX_SID_SIZE])
{
    WCHAR name[512] = L"", domain[256];
    struct cs_block_text block = {.object = client->client, .out = sp_bytes(name, sizeof name - sizeof *name)};
    DWORD sid_size = SECURITY_MAX_SID_SIZE, domain_size = ARRAYSIZE(domain);
    SID_NAME_USE use;
    if (CountersignCall(CS_CALL_CLIENT_NAME, &block) || block.needed > block.out.size) return FALSE;
    if (!LookupAccountNameW(NULL, name, sid, &sid_size, domain, &domain_size, &use)) return FALSE;
    const size_t length = wcslen(domain);
    return !_wcsnicmp(name, domain, length) && name[length] == '\\';
}

static void take_user(const struct cs_block_client *client, struct parts *parts)
{
    if (!look_up_local(client, parts->user_sid)) memcpy(parts->user_sid, parts->sids[0].sid, parts->sids[0].size);
    parts->user.User.Sid = parts->user_sid;
}

static void add_group(TOKEN_GROUPS *groups, void *sid, DWORD attributes)
{
    groups->Groups[groups->GroupCount++] = (SID_AND_ATTRIBUTES){sid, attributes};
}

static void take_groups(const struct cs_block_client *client, struct parts *parts)
{
    const BOOL anonymous = IsWellKnownSid(parts->user_sid, WinAnonymousSid);
    for (ULONG i = 1; i < client->sids; i++) add_group(parts->groups, parts->sids[i].sid, parts->sids[i].attributes);
    for (ULONG i = 0; i < ARRAYSIZE(well_known); i++) {
        DWORD size = SECURITY_MAX_SID_SIZE;
        if (anonymous && !well_known[i].anonymous) continue;
        if (well_known[i].ntlm && strcmp(client->package, "NTLM")) continue;
        if (CreateWellKnownSid(well_known[i].type, NULL, parts->own_sids[i], &size))
            add_group(parts->groups, parts->own_sids[i], ENABLED);
    }
}

/* What the client makes is its own, and the system's. */
static BOOL make_default_dacl(const struct parts *parts, ACL *acl, DWORD size)
{
    BYTE system[SECURITY_MAX_SID_SIZE];
    DWORD system_size = sizeof system;
    return CreateWellKnownSid(WinLocalSystemSid, NULL, system, &system_size) &&
           InitializeAcl(acl, size, ACL_REVISION) &&
           AddAccessAllowedAce(acl, ACL_REVISION, GENERIC_ALL, (SID *)parts->user_sid) &&
           AddAccessAllowedAce(acl, ACL_REVISION, GENERIC_ALL, system);
}

static TOKEN_SOURCE source_of(const struct cs_block_client *client)
{
    TOKEN_SOURCE source = {.SourceName = "Kerberos"};
    if (!strcmp(client->package, "NTLM")) memcpy(source.SourceName, "NtLmSsp ", sizeof source.SourceName);
    AllocateLocallyUniqueId(&source.SourceIdentifier);
    return source;
}

static NTSTATUS create(create_token function, const struct cs_block_client *client, struct parts *parts, HANDLE *token)
{
    DWORD acl[64];
    LUID session;
    LARGE_INTEGER never = {.QuadPart = MAXLONGLONG};
    TOKEN_PRIVILEGES privileges = {
        .PrivilegeCount = 1,
        .Privileges = {{{change_notify, 0}, SE_PRIVILEGE_ENABLED | SE_PRIVILEGE_ENABLED_BY_DEFAULT}}};
    TOKEN_OWNER owner = {parts->user_sid};
    TOKEN_PRIMARY_GROUP primary = {parts->groups->Groups[0].Sid};
    TOKEN_DEFAULT_DACL dacl = {(ACL *)acl};
    TOKEN_SOURCE source = source_of(client);
    SECURITY_QUALITY_OF_SERVICE quality = {sizeof quality, client->level, SECURITY_STATIC_TRACKING, FALSE};
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof attributes, .SecurityQualityOfService = &quality};
    if (!make_default_dacl(parts, dacl.DefaultDacl, sizeof acl)) return SEC_E_NO_IMPERSONATION;
    AllocateLocallyUniqueId(&session);
    return function(token, TOKEN_ALL_ACCESS, &attributes, TokenImpersonation, &session, &never, &parts->user,
                    parts->groups, &privileges, &owner, &primary, &dacl, &source);
}

NTSTATUS sp_token_create(const struct cs_block_client *client, HANDLE *token)
{
    create_token function = (create_token)(void *)GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "NtCreateToken");
    const SIZE_T groups = client->sids - 1 + ARRAYSIZE(well_known);
    struct parts parts = {.user_sid = {0}};
    if (!function) return SEC_E_UNSUPPORTED_FUNCTION;
    parts.sids = HeapAlloc(GetProcessHeap(), 0, client->sids * sizeof *parts.sids);
    parts.groups =
        HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *parts.groups + groups * sizeof *parts.groups->Groups);
    NTSTATUS status = parts.sids && parts.groups ? read_sids(client, parts.sids) : SEC_E_INSUFFICIENT_MEMORY;
    if (status == SEC_E_OK) {
        take_user(client, &parts);
        take_groups(client, &parts);
        status = create(function, client, &parts, token);
    }
    HeapFree(GetProcessHeap(), 0, parts.sids);
    HeapFree(GetProcessHeap(), 0, parts.groups);
    return status;
}
