/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Identities in every form that pAuthData takes. identity_look() finds the parts in the caller's structure, whatever
 * its form; identity_parse() copies them into strings of our own.
 */
#define _SEC_WINNT_AUTH_TYPES /* sspi.h: the packed credentials of SEC_WINNT_AUTH_IDENTITY_EX2 */
#include "identity.h"

#include <stddef.h>

/* RC4, in place, as advapi32 has it; mingw-w64 has it in its import library but in no header. */
struct rc4_string {
    DWORD length;
    DWORD maximum_length;
    BYTE *bytes;
};
NTSTATUS WINAPI SystemFunction032(struct rc4_string *data, const struct rc4_string *key);

static ULONG character_size(ULONG flags)
{
    return flags & SEC_WINNT_AUTH_IDENTITY_UNICODE ? sizeof(WCHAR) : sizeof(char);
}

static BOOL names_one_encoding(ULONG flags)
{
    const ULONG encoding = flags & (SEC_WINNT_AUTH_IDENTITY_ANSI | SEC_WINNT_AUTH_IDENTITY_UNICODE);

    return encoding == SEC_WINNT_AUTH_IDENTITY_ANSI || encoding == SEC_WINNT_AUTH_IDENTITY_UNICODE;
}

static BOOL take_pointer(struct identity_text *out, const void *text, ULONG length, ULONG flags)
{
    if (!text) return TRUE;
    if (length > IDENTITY_MAX_LENGTH) return FALSE;
    out->text = text;
    out->size = length * character_size(flags);
    return TRUE;
}

/* An offset of 0 would point at the structure itself: such a string is absent. */
static BOOL take_offset(struct identity_text *out, const BYTE *start, ULONG limit, ULONG offset, ULONG size)
{
    if (!offset) return TRUE;
    if (offset > limit || limit - offset < size) return FALSE;
    out->text = start + offset;
    out->size = size;
    return TRUE;
}

static BOOL look_at_plain(const SEC_WINNT_AUTH_IDENTITY_W *auth, struct identity_view *view)
{
    view->flags = auth->Flags;
    view->flags_offset = offsetof(SEC_WINNT_AUTH_IDENTITY_W, Flags);
    view->structure_size = sizeof(*auth);
    return names_one_encoding(auth->Flags) && take_pointer(&view->user, auth->User, auth->UserLength, auth->Flags) &&
           take_pointer(&view->domain, auth->Domain, auth->DomainLength, auth->Flags) &&
           take_pointer(&view->password, auth->Password, auth->PasswordLength, auth->Flags);
}

static BOOL look_at_ex(const SEC_WINNT_AUTH_IDENTITY_EXW *auth, struct identity_view *view)
{
    view->flags = auth->Flags;
    view->flags_offset = offsetof(SEC_WINNT_AUTH_IDENTITY_EXW, Flags);
    view->structure_size = sizeof(*auth);
    return names_one_encoding(auth->Flags) && take_pointer(&view->user, auth->User, auth->UserLength, auth->Flags) &&
           take_pointer(&view->domain, auth->Domain, auth->DomainLength, auth->Flags) &&
           take_pointer(&view->password, auth->Password, auth->PasswordLength, auth->Flags) &&
           take_pointer(&view->package_list, auth->PackageList, auth->PackageListLength, auth->Flags);
}

static BOOL look_at_ex2(const BYTE *start, ULONG limit, struct identity_view *view)
{
    SEC_WINNT_AUTH_IDENTITY_EX2 auth;

    if (limit < sizeof(auth)) return FALSE;
    memcpy(&auth, start, sizeof(auth));
    if (auth.cbStructureLength > limit || auth.cbStructureLength < sizeof(auth)) return FALSE;
    view->flags = auth.Flags | SEC_WINNT_AUTH_IDENTITY_UNICODE;
    view->flags_offset = offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, Flags);
    view->structure_size = auth.cbStructureLength;
    view->packed = TRUE;
    if (auth.Flags & SEC_WINNT_AUTH_IDENTITY_FLAGS_NULL_USER) auth.UserOffset = 0;
    if (auth.Flags & SEC_WINNT_AUTH_IDENTITY_FLAGS_NULL_DOMAIN) auth.DomainOffset = 0;
    limit = auth.cbStructureLength;
    return take_offset(&view->user, start, limit, auth.UserOffset, auth.UserLength) &&
           take_offset(&view->domain, start, limit, auth.DomainOffset, auth.DomainLength) &&
           take_offset(&view->password, start, limit, auth.PackedCredentialsOffset, auth.PackedCredentialsLength) &&
           take_offset(&view->package_list, start, limit, auth.PackageListOffset, auth.PackageListLength);
}

/* On i386 this has the size of an _EX, which holds pointers: but no pointer lies in the first 64 KiB, and no offset
 * that SspiMarshalAuthIdentity writes for its first string beyond it. */
static BOOL is_marshalled(const BYTE *start, ULONG limit, struct marshalled_identity *header)
{
    ULONG first;

    if (limit < sizeof(*header)) return FALSE;
    memcpy(header, start, sizeof(*header));
    if (header->header_length != sizeof(*header) || !(header->flags & SEC_WINNT_AUTH_IDENTITY_MARSHALLED)) return FALSE;
    first = header->user_offset ? header->user_offset : header->domain_offset;
    if (!first) first = header->password_offset;
    return first < 0x10000;
}

static BOOL take_characters(struct identity_text *out, const BYTE *start, ULONG limit, ULONG offset, ULONG length,
                            ULONG flags)
{
    return length <= IDENTITY_MAX_LENGTH && take_offset(out, start, limit, offset, length * character_size(flags));
}

static BOOL look_at_marshalled(const BYTE *start, ULONG limit, const struct marshalled_identity *header,
                               struct identity_view *view)
{
    const ULONG flags = header->flags;

    view->flags = flags;
    view->flags_offset = offsetof(struct marshalled_identity, flags);
    view->structure_size = sizeof(*header);
    return names_one_encoding(flags) &&
           take_characters(&view->user, start, limit, header->user_offset, header->user_length, flags) &&
           take_characters(&view->domain, start, limit, header->domain_offset, header->domain_length, flags) &&
           take_characters(&view->password, start, limit, header->password_offset, header->password_length, flags) &&
           take_characters(&view->package_list, start, limit, header->package_list_offset, header->package_list_length,
                           flags);
}

SECURITY_STATUS identity_look(const void *auth_data, ULONG limit, struct identity_view *view)
{
    struct marshalled_identity header;
    ULONG version;
    BOOL valid;

    memset(view, 0, sizeof(*view));
    if (limit < sizeof(version)) return SEC_E_INVALID_TOKEN;
    memcpy(&version, auth_data, sizeof(version));

    if (version == SEC_WINNT_AUTH_IDENTITY_VERSION_2)
        valid = look_at_ex2(auth_data, limit, view);
    else if (version == SEC_WINNT_AUTH_IDENTITY_VERSION && is_marshalled(auth_data, limit, &header))
        valid = look_at_marshalled(auth_data, limit, &header, view);
    else if (limit != IDENTITY_UNBOUNDED)
        valid = FALSE; /* the other forms hold pointers, which no stream of bytes may bring in */
    else if (version == SEC_WINNT_AUTH_IDENTITY_VERSION)
        valid = look_at_ex(auth_data, view);
    else
        valid = look_at_plain(auth_data, view);
    return valid ? SEC_E_OK : SEC_E_INVALID_TOKEN;
}

static WCHAR *allocate_string(ULONG length)
{
    return HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, ((SIZE_T)length + 1) * sizeof(WCHAR));
}

static void wipe_and_free(void *memory, SIZE_T size)
{
    if (!memory) return;
    SecureZeroMemory(memory, size);
    HeapFree(GetProcessHeap(), 0, memory);
}

static SECURITY_STATUS widen(const struct identity_text *in, ULONG flags, WCHAR **out, ULONG *length)
{
    const BOOL ansi = !(flags & SEC_WINNT_AUTH_IDENTITY_UNICODE);

    *out = NULL;
    *length = 0;
    if (!in->text) return SEC_E_OK;
    if (ansi && in->size)
        *length = (ULONG)MultiByteToWideChar(CP_ACP, 0, (const char *)in->text, (int)in->size, NULL, 0);
    else
        *length = in->size / sizeof(WCHAR);
    if (!(*out = allocate_string(*length))) return SEC_E_INSUFFICIENT_MEMORY;
    if (ansi)
        MultiByteToWideChar(CP_ACP, 0, (const char *)in->text, (int)in->size, *out, (int)*length);
    else
        memcpy(*out, in->text, *length * sizeof(WCHAR));
    return SEC_E_OK;
}

/*
 * The password inside SEC_WINNT_AUTH_PACKED_CREDENTIALS, if that is what the text is; else the text stays as it is.
 * What the password's offset counts from is not documented: one smaller than the header can only count from the vector.
 */
static SECURITY_STATUS unpack_password(struct identity_text *password)
{
    SEC_WINNT_AUTH_PACKED_CREDENTIALS header;
    struct identity_text vector = {NULL, 0};
    SEC_WINNT_AUTH_BYTE_VECTOR text;
    const BYTE *start = password->text;
    ULONG limit = password->size;

    if (!start || limit < sizeof(header)) return SEC_E_OK;
    memcpy(&header, start, sizeof(header));
    if (header.cbHeaderLength != sizeof(header) || header.cbStructureLength > limit) return SEC_E_OK;
    if (memcmp(&header.AuthData.CredType, &SEC_WINNT_AUTH_DATA_TYPE_PASSWORD, sizeof(GUID)))
        return SEC_E_UNKNOWN_CREDENTIALS;
    if (!take_offset(&vector, start, limit, header.AuthData.CredData.ByteArrayOffset, sizeof(text)) || !vector.text)
        return SEC_E_INVALID_TOKEN;
    memcpy(&text, vector.text, sizeof(text));
    if (text.ByteArrayOffset < sizeof(header)) {
        limit -= (ULONG)(vector.text - start);
        start = vector.text;
    }
    memset(password, 0, sizeof(*password));
    return take_offset(password, start, limit, text.ByteArrayOffset, text.ByteArrayLength) ? SEC_E_OK
                                                                                           : SEC_E_INVALID_TOKEN;
}

static SECURITY_STATUS copy_password(const struct identity_view *view, struct identity *out)
{
    struct identity_text password = view->password;
    SECURITY_STATUS status = SEC_E_OK;
    BYTE *clear = NULL;

    if (out->was_encrypted && password.size) {
        if (!(clear = HeapAlloc(GetProcessHeap(), 0, password.size))) return SEC_E_INSUFFICIENT_MEMORY;
        memcpy(clear, password.text, password.size);
        password.text = clear;
        status = identity_crypt(clear, password.size);
    }
    if (!status && view->packed) status = unpack_password(&password);
    if (!status) status = widen(&password, view->flags, &out->password, &out->password_length);
    out->has_password = out->password != NULL;
    wipe_and_free(clear, view->password.size);
    return status;
}

static SECURITY_STATUS copy_view(const struct identity_view *view, struct identity *out)
{
    const ULONG for_others = SEC_WINNT_AUTH_IDENTITY_FLAGS_SYSTEM_PROTECTED |
                             SEC_WINNT_AUTH_IDENTITY_FLAGS_USER_PROTECTED |
                             SEC_WINNT_AUTH_IDENTITY_FLAGS_SYSTEM_ENCRYPTED;
    SECURITY_STATUS status;
    ULONG ignored;

    if (view->flags & for_others) return SEC_E_DECRYPT_FAILURE;
    out->flags = view->flags & ~SEC_WINNT_AUTH_IDENTITY_FLAGS_PROCESS_ENCRYPTED;
    out->was_encrypted = out->flags != view->flags;
    status = widen(&view->user, view->flags, &out->user, &out->user_length);
    if (!status) status = widen(&view->domain, view->flags, &out->domain, &out->domain_length);
    if (!status) status = widen(&view->package_list, view->flags, &out->package_list, &ignored);
    if (!status) status = copy_password(view, out);
    out->has_user = out->user != NULL;
    out->has_domain = out->domain != NULL;
    return status;
}

SECURITY_STATUS identity_unmarshal(const void *bytes, ULONG size, struct identity *out)
{
    struct identity_view view;
    SECURITY_STATUS status;

    memset(out, 0, sizeof(*out));
    status = identity_look(bytes, size, &view);
    if (!status) status = copy_view(&view, out);
    if (status) identity_release(out);
    return status;
}

SECURITY_STATUS identity_parse(const void *auth_data, struct identity *out)
{
    memset(out, 0, sizeof(*out));
    return auth_data ? identity_unmarshal(auth_data, IDENTITY_UNBOUNDED, out) : SEC_E_OK;
}

static void release_string(WCHAR *string, ULONG length)
{
    wipe_and_free(string, ((SIZE_T)length + 1) * sizeof(WCHAR));
}

void identity_release(struct identity *identity)
{
    release_string(identity->user, identity->user_length);
    release_string(identity->domain, identity->domain_length);
    release_string(identity->password, identity->password_length);
    if (identity->package_list) HeapFree(GetProcessHeap(), 0, identity->package_list);
    memset(identity, 0, sizeof(*identity));
}

/*
 * RC4 under the cookie that EncodePointer() mixes in: the same for every module of the process, stored by none of them,
 * and any length stays what it is. (RtlEncryptMemory would be the function for this, but in Wine 8.0 it does nothing.)
 * The key is in the process as well, so this hides a password from a look at memory, not from somebody who holds all.
 */
SECURITY_STATUS identity_crypt(BYTE *bytes, ULONG size)
{
    void *cookies[2] = {EncodePointer(NULL), EncodePointer((void *)1)};
    const struct rc4_string key = {sizeof(cookies), sizeof(cookies), (BYTE *)cookies};
    struct rc4_string data = {size, size, bytes};

    return SystemFunction032(&data, &key) < 0 ? SEC_E_ENCRYPT_FAILURE : SEC_E_OK;
}
