/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A package's context attributes (attributes.tsv, QueryContextAttributes). Strings and blocks are in memory that
 * FreeContextBuffer frees, each in its own.
 */
#include "package.h"
#include "sp_token.h"

#include <string.h>

/* SECPKG_ATTR_NEGOTIATION_INFO, NegotiationState */
#define NEGOTIATION_COMPLETE 0
#define NEGOTIATION_IN_PROGRESS 2

static NTSTATUS session_info(const struct sp_context *context, struct cs_block_session *block)
{
    memset(block, 0, sizeof *block);
    block->session = sp_session(context);
    return CountersignCall(CS_CALL_SESSION_INFO, block);
}

static NTSTATUS session_text(const struct sp_context *context, enum cs_session_text which, WCHAR **text)
{
    struct cs_block_text block = {.object = sp_session(context), .which = which};
    NTSTATUS status = CountersignCall(CS_CALL_SESSION_TEXT, &block);
    if (status) return status;
    WCHAR *copy = sp_allocate(block.needed + sizeof(WCHAR));
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    copy[block.needed / sizeof(WCHAR)] = 0;
    block.out = sp_bytes(copy, block.needed);
    status = CountersignCall(CS_CALL_SESSION_TEXT, &block);
    if (status)
        sp_free(copy);
    else
        *text = copy;
    return status;
}

static WCHAR *copy_ascii(const char *text)
{
    const size_t size = strlen(text) + 1;
    WCHAR *copy = sp_allocate(size * sizeof(WCHAR));
    for (size_t i = 0; copy && i < size; i++) copy[i] = (unsigned char)text[i];
    return copy;
}

static NTSTATUS query_sizes(const struct cs_block_session *session, SecPkgContext_Sizes *sizes)
{
    sizes->cbMaxToken = session->max_token;
    sizes->cbMaxSignature = session->max_signature;
    sizes->cbBlockSize = session->block_size;
    sizes->cbSecurityTrailer = session->security_trailer;
    return SEC_E_OK;
}

static NTSTATUS query_lifespan(const struct cs_block_session *session, SecPkgContext_Lifespan *lifespan)
{
    sp_time_stamp(session->start, &lifespan->tsStart);
    sp_time_stamp(session->expiry, &lifespan->tsExpiry);
    return SEC_E_OK;
}

/* Two strings, each its own block (behaviour.md row 101). */
static NTSTATUS query_key_info(const struct cs_block_session *session, SecPkgContext_KeyInfoW *info)
{
    WCHAR *signature = copy_ascii(session->signature_name), *encrypt = copy_ascii(session->encrypt_name);
    if (!signature || !encrypt) {
        sp_free(signature);
        sp_free(encrypt);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    info->sSignatureAlgorithmName = signature;
    info->sEncryptAlgorithmName = encrypt;
    info->KeySize = session->key_size;
    info->SignatureAlgorithm = session->signature_algorithm;
    info->EncryptAlgorithm = session->encrypt_algorithm;
    return SEC_E_OK;
}

static NTSTATUS query_session_key(const struct cs_block_session *session, SecPkgContext_SessionKey *key)
{
    BYTE *copy = sp_allocate(session->session_key_size);
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    key->SessionKey = memcpy(copy, session->session_key, session->session_key_size);
    key->SessionKeyLength = session->session_key_size;
    return SEC_E_OK;
}

/* The authority is the domain in the session's names. */
static NTSTATUS query_authority(const struct sp_context *context, SecPkgContext_AuthorityW *authority)
{
    WCHAR *names;
    NTSTATUS status = session_text(context, CS_SESSION_NAMES, &names);
    if (status) return status;
    WCHAR *slash = wcschr(names, '\\');
    *(slash ? slash : names) = 0;
    authority->sAuthorityName = names;
    return SEC_E_OK;
}

static NTSTATUS query_password_expiry(SecPkgContext_PasswordExpiry *expiry)
{
    expiry->tsPasswordExpires.LowPart = MAXDWORD;
    expiry->tsPasswordExpires.HighPart = MAXLONG;
    return SEC_E_OK;
}

/* pPac is the client's name in a NUL-terminated string, as RPC_C_AUTHZ_NAME says. */
static NTSTATUS query_dce_info(const struct sp_context *context, SecPkgContext_DceInfo *info)
{
    const ULONG authz_name = 1;
    WCHAR *names;
    NTSTATUS status = session_text(context, CS_SESSION_NAMES, &names);
    if (status) return status;
    info->AuthzSvc = authz_name;
    info->pPac = names;
    return SEC_E_OK;
}

/* Only a server may learn it; a client knows. */
static NTSTATUS query_client_target(const struct sp_context *context, const struct cs_block_session *session,
                                    SecPkgContext_ClientSpecifiedTarget *target)
{
    WCHAR *name;
    if (session->initiator) return SEC_E_UNSUPPORTED_FUNCTION;
    NTSTATUS status = session_text(context, CS_SESSION_TARGET, &name);
    if (status == SEC_E_OK) target->sTargetName = name;
    return status;
}

/* Only Kerberos has them: a session without a principal for the client has none. */
static NTSTATUS query_native_names(const struct sp_context *context, SecPkgContext_NativeNamesW *names)
{
    WCHAR *client, *server;
    NTSTATUS status = session_text(context, CS_SESSION_NATIVE_CLIENT, &client);
    if (status) return status;
    status = *client ? session_text(context, CS_SESSION_NATIVE_SERVER, &server) : SEC_E_UNSUPPORTED_FUNCTION;
    if (status) {
        sp_free(client);
        return status;
    }
    names->sClientName = client;
    names->sServerName = server;
    return SEC_E_OK;
}

/* The package of the session once there is one, which for Negotiate is the chosen one (behaviour.md row 62). */
static NTSTATUS query_package(const struct sp_context *context, SecPkgInfoW **info)
{
    struct cs_block_session session;
    const char *mechanism = sp_mechanism;
    if (sp_session(context) && session_info(context, &session) == SEC_E_OK) mechanism = session.package;
    SecPkgInfoW *copy = sp_copy_info(sp_find_info(mechanism));
    SecureZeroMemory(&session, sizeof session);
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    *info = copy;
    return SEC_E_OK;
}

static NTSTATUS query_negotiation(const struct sp_context *context, SecPkgContext_NegotiationInfoW *info)
{
    info->NegotiationState = sp_session(context) ? NEGOTIATION_COMPLETE : NEGOTIATION_IN_PROGRESS;
    return query_package(context, &info->PackageInfo);
}

/* What needs a complete context. */
static NTSTATUS query_session(const struct sp_context *context, ULONG attribute, void *buffer)
{
    struct cs_block_session session;
    NTSTATUS status = session_info(context, &session);
    if (status) return status;
    switch (attribute) {
    case SECPKG_ATTR_SIZES: status = query_sizes(&session, buffer); break;
    case SECPKG_ATTR_NAMES:
        status = session_text(context, CS_SESSION_NAMES, &((SecPkgContext_NamesW *)buffer)->sUserName);
        break;
    case SECPKG_ATTR_LIFESPAN: status = query_lifespan(&session, buffer); break;
    case SECPKG_ATTR_DCE_INFO: status = query_dce_info(context, buffer); break;
    case SECPKG_ATTR_KEY_INFO: status = query_key_info(&session, buffer); break;
    case SECPKG_ATTR_AUTHORITY: status = query_authority(context, buffer); break;
    case SECPKG_ATTR_PASSWORD_EXPIRY: status = query_password_expiry(buffer); break;
    case SECPKG_ATTR_SESSION_KEY: status = query_session_key(&session, buffer); break;
    case SECPKG_ATTR_NATIVE_NAMES: status = query_native_names(context, buffer); break;
    case SECPKG_ATTR_FLAGS: ((SecPkgContext_Flags *)buffer)->Flags = session.flags; break;
    case SECPKG_ATTR_CLIENT_SPECIFIED_TARGET: status = query_client_target(context, &session, buffer); break;
    default: status = SEC_E_UNSUPPORTED_FUNCTION; break;
    }
    SecureZeroMemory(&session, sizeof session);
    return status;
}

NTSTATUS NTAPI sp_query_context_attributes(LSA_SEC_HANDLE handle, ULONG attribute, void *buffer)
{
    struct sp_context *context = (struct sp_context *)handle;
    if (context->failed) return context->failed;
    switch (attribute) {
    case SECPKG_ATTR_PACKAGE_INFO: return query_package(context, &((SecPkgContext_PackageInfoW *)buffer)->PackageInfo);
    case SECPKG_ATTR_NEGOTIATION_INFO: return query_negotiation(context, buffer);
    /* Lent, as long as the context lives: who closes it has a protected handle in hand. */
    case SECPKG_ATTR_ACCESS_TOKEN:
        return sp_context_token(context, &((SecPkgContext_AccessToken *)buffer)->AccessToken);
    case SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS:
        ((SecPkgContext_LastClientTokenStatus *)buffer)->LastClientTokenStatus =
            sp_session(context) ? SecPkgAttrLastClientTokenYes : SecPkgAttrLastClientTokenMaybe;
        return SEC_E_OK;
    default: return sp_session(context) ? query_session(context, attribute, buffer) : SEC_E_INVALID_HANDLE;
    }
}
