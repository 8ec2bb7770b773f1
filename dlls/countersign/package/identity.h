/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Identities: the credentials a program hands to AcquireCredentialsHandle in pAuthData, in any form Windows knows,
 * turned into one owned structure of wide strings. Linked into secur32 and into every security package.
 */
#ifndef COUNTERSIGN_IDENTITY_H
#define COUNTERSIGN_IDENTITY_H

#include <windows.h>
#include <sspi.h>

/* Longest string of an identity, in characters: what a UNICODE_STRING can hold with a terminator. */
#define IDENTITY_MAX_LENGTH 0x7ffe

/* The limit of a structure that the program itself built, whose size only its own fields tell. */
#define IDENTITY_UNBOUNDED 0xffffffffu

/*
 * An identity that owns its strings. Each string present is terminated; the lengths leave the terminator out.
 * has_* tells an empty string (pointer given, length 0) from an absent one (NULL, then the string here is NULL too):
 * anonymous and default credentials differ by that alone.
 */
struct identity {
    WCHAR *user;
    WCHAR *domain;
    WCHAR *password;
    WCHAR *package_list; /* NULL if absent; "!ntlm,kerberos" style */
    ULONG user_length;   /* characters */
    ULONG domain_length;
    ULONG password_length;
    ULONG flags; /* SEC_WINNT_AUTH_IDENTITY_* as the caller gave them, without the encryption bit */
    BOOL has_user;
    BOOL has_domain;
    BOOL has_password;
    BOOL was_encrypted; /* the caller's password was encrypted for this process; the one here is not */
};

/*
 * What SspiMarshalAuthIdentity writes on both architectures before the strings (attributes.tsv, under its name).
 * Offsets count bytes from the start of the structure, lengths are in characters.
 */
struct marshalled_identity {
    ULONG version;       /* SEC_WINNT_AUTH_IDENTITY_VERSION */
    ULONG header_length; /* bytes of this structure */
    ULONG user_offset, user_length;
    ULONG domain_offset, domain_length;
    ULONG password_offset, password_length;
    ULONG flags; /* SEC_WINNT_AUTH_IDENTITY_MARSHALLED and an encoding */
    ULONG package_list_offset, package_list_length;
};

/* A string where it stands in the caller's structure. text is NULL if the string is absent. */
struct identity_text {
    const BYTE *text;
    ULONG size; /* bytes */
};

/* Where the parts of an identity stand in the caller's structure; owns nothing. */
struct identity_view {
    struct identity_text user;
    struct identity_text domain;
    struct identity_text password;
    struct identity_text package_list;
    ULONG flags;
    ULONG flags_offset;   /* bytes from the start of the structure to its Flags */
    ULONG structure_size; /* bytes of the structure; its strings count only in an EX2, which is of one piece */
    BOOL packed;          /* password may be a SEC_WINNT_AUTH_PACKED_CREDENTIALS (EX2 only) */
};

/*
 * Copies an identity out of pAuthData.
 *
 * auth_data: SEC_WINNT_AUTH_IDENTITY, _EX (0x200) or _EX2 (0x201), ANSI or wide as its Flags say (behaviour.md row
 *            79), what SspiMarshalAuthIdentity writes, or what SspiEncodeStringsAsAuthIdentity makes; a password
 *            encrypted for this process is decrypted into the copy. NULL yields an identity with nothing present
 *            (default credentials). A bad pointer inside raises an access violation in the caller's thread.
 * out:       filled on success, to be given to identity_release(); all zero on failure.
 *
 * SEC_E_OK, also with any string NULL or empty (behaviour.md rows 73-79);
 * SEC_E_INVALID_TOKEN if Flags name no encoding, or a length or offset is impossible;
 * SEC_E_UNKNOWN_CREDENTIALS if an _EX2 packs something other than a password;
 * SEC_E_DECRYPT_FAILURE if it was encrypted for a logon session or for the system rather than for this process;
 * SEC_E_INSUFFICIENT_MEMORY.
 */
SECURITY_STATUS identity_parse(const void *auth_data, struct identity *out);

/*
 * The same from a stream of bytes that holds no pointers: what SspiMarshalAuthIdentity writes, or an _EX2.
 * bytes: size bytes, not NULL. SEC_E_INVALID_TOKEN also if anything lies outside of them, or the form is another one.
 */
SECURITY_STATUS identity_unmarshal(const void *bytes, ULONG size, struct identity *out);

/* Wipes and frees the strings and zeroes the structure. An all-zero structure may be released, any number of times. */
void identity_release(struct identity *identity);

/*
 * Finds the parts of an identity without copying.
 *
 * auth_data: as identity_parse(), not NULL.
 * limit:     bytes readable there, or IDENTITY_UNBOUNDED.
 *
 * SEC_E_OK, SEC_E_INVALID_TOKEN as identity_parse().
 */
SECURITY_STATUS identity_look(const void *auth_data, ULONG limit, struct identity_view *view);

/*
 * Encrypts bytes in place for this process, whichever module asks, and decrypts them when called a second time.
 *
 * SEC_E_OK, or SEC_E_ENCRYPT_FAILURE with the bytes untouched.
 */
SECURITY_STATUS identity_crypt(BYTE *bytes, ULONG size);

#endif
