/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Marks of access tokens.
 */
#include "client_token.h"

#include <ntstatus.h>

NTSTATUS NTAPI NtQueryInformationToken(HANDLE, TOKEN_INFORMATION_CLASS, void *, ULONG, ULONG *);
NTSTATUS NTAPI NtSetInformationToken(HANDLE, TOKEN_INFORMATION_CLASS, void *, ULONG);

/* Resource managers' identifiers are whoever's names things by SIDs, and no account of Windows's (MS-DTYP 2.4.1.1). */
enum { RESOURCE_MANAGER = 9, MAGIC = 0x4353474E, SUBAUTHORITIES = 5 };

/* An access-allowed entry with that SID: the magic number and the identifier. */
struct mark_entry {
    ACE_HEADER header;
    ACCESS_MASK mask;
    BYTE revision, subauthorities, authority[6];
    DWORD magic;
    struct client_mark mark;
};

C_ASSERT(sizeof(struct mark_entry) == 36);

static BOOL is_mark(const ACE_HEADER *header)
{
    const struct mark_entry *entry = (const struct mark_entry *)header;
    return header->AceType == ACCESS_ALLOWED_ACE_TYPE && header->AceSize == sizeof *entry &&
           entry->subauthorities == SUBAUTHORITIES && entry->authority[5] == RESOURCE_MANAGER && entry->magic == MAGIC;
}

static ACE_HEADER *next_ace(ACE_HEADER *ace)
{
    return (ACE_HEADER *)((BYTE *)ace + ace->AceSize);
}

static struct mark_entry *find_mark(const TOKEN_DEFAULT_DACL *info)
{
    ACE_HEADER *ace = info->DefaultDacl ? (ACE_HEADER *)(info->DefaultDacl + 1) : NULL;
    for (WORD i = 0; ace && i < info->DefaultDacl->AceCount; i++, ace = next_ace(ace))
        if (is_mark(ace)) return (struct mark_entry *)ace;
    return NULL;
}

/* The token's default DACL: in ROOM if it fits, else in memory of the process heap, which the caller frees. */
static NTSTATUS read_default_dacl(HANDLE token, TOKEN_DEFAULT_DACL *room, ULONG size, TOKEN_DEFAULT_DACL **info)
{
    ULONG needed = size;
    NTSTATUS status = NtQueryInformationToken(token, TokenDefaultDacl, *info = room, size, &needed);
    for (int attempt = 0; status == STATUS_BUFFER_TOO_SMALL && attempt < 3; attempt++) {
        if (*info != room) HeapFree(GetProcessHeap(), 0, *info);
        *info = HeapAlloc(GetProcessHeap(), 0, needed);
        if (!*info) return STATUS_NO_MEMORY;
        status = NtQueryInformationToken(token, TokenDefaultDacl, *info, needed, &needed);
    }
    return status;
}

NTSTATUS client_mark_of_caller(BOOL *marked, struct client_mark *mark)
{
    TOKEN_DEFAULT_DACL room[32], *info;
    NTSTATUS status = read_default_dacl(GetCurrentThreadEffectiveToken(), room, sizeof room, &info);
    if (status == STATUS_SUCCESS) {
        const struct mark_entry *entry = find_mark(info);
        *marked = entry != NULL;
        if (entry) *mark = entry->mark;
    }
    if (info != room) HeapFree(GetProcessHeap(), 0, info);
    return status;
}

/* A copy of ACL, which may be NULL, with MARK at its end, in memory of the process heap. */
static ACL *with_mark(const ACL *acl, const struct client_mark *mark)
{
    const struct mark_entry entry = {.header = {ACCESS_ALLOWED_ACE_TYPE, 0, sizeof entry},
                                     .revision = SID_REVISION,
                                     .subauthorities = SUBAUTHORITIES,
                                     .authority = {0, 0, 0, 0, 0, RESOURCE_MANAGER},
                                     .magic = MAGIC,
                                     .mark = *mark};
    const DWORD size = (acl ? acl->AclSize : sizeof *acl) + sizeof entry;
    ACL *copy = size <= MAXWORD ? HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, size) : NULL;
    if (!copy) return NULL;
    InitializeAcl(copy, size, acl ? acl->AclRevision : ACL_REVISION);
    ACE_HEADER *ace = acl ? (ACE_HEADER *)(acl + 1) : NULL;
    for (WORD i = 0; acl && i < acl->AceCount; i++, ace = next_ace(ace))
        if (!is_mark(ace)) AddAce(copy, copy->AclRevision, MAXDWORD, ace, ace->AceSize);
    AddAce(copy, copy->AclRevision, MAXDWORD, (void *)&entry, sizeof entry);
    return copy;
}

/* Without a default DACL everything would be granted to everybody; with the mark alone nothing to anybody. */
static NTSTATUS set_default_dacl(HANDLE token, const ACL *old, const struct client_mark *mark)
{
    ACL *acl = with_mark(old, mark);
    if (!acl) return STATUS_NO_MEMORY;
    TOKEN_DEFAULT_DACL info = {acl};
    NTSTATUS status = NtSetInformationToken(token, TokenDefaultDacl, &info, sizeof info);
    HeapFree(GetProcessHeap(), 0, acl);
    return status;
}

NTSTATUS client_mark_token(HANDLE token, const struct client_mark *mark)
{
    TOKEN_DEFAULT_DACL room[32], *info;
    NTSTATUS status = read_default_dacl(token, room, sizeof room, &info);
    if (status == STATUS_SUCCESS) status = set_default_dacl(token, info->DefaultDacl, mark);
    if (info != room) HeapFree(GetProcessHeap(), 0, info);
    return status;
}
