/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * schannel.dll: three names of one security package. The protocol is in unix/.
 */
#include "schannel.h"

#define CAPABILITIES 0x004107B3 /* packages.tsv, dumps A and C */
#define COMMENT (SEC_WCHAR *)L"Schannel Security Package"

enum { NAMES = 3 };

static const SecPkgInfoW infos[NAMES] = {
    {CAPABILITIES, 1, UNISP_RPC_ID, SCHANNEL_MAX_TOKEN, (SEC_WCHAR *)SCHANNEL_NAME_W, COMMENT},
    {CAPABILITIES, 1, UNISP_RPC_ID, SCHANNEL_MAX_TOKEN, (SEC_WCHAR *)UNISP_NAME_W, COMMENT},
    {CAPABILITIES, 1, UNISP_RPC_ID, SCHANNEL_MAX_TOKEN, (SEC_WCHAR *)DEFAULT_TLS_SSP_NAME_W, COMMENT},
};

static NTSTATUS NTAPI info_schannel(PSecPkgInfoW info)
{
    *info = infos[0];
    return SEC_E_OK;
}

static NTSTATUS NTAPI info_unified(PSecPkgInfoW info)
{
    *info = infos[1];
    return SEC_E_OK;
}

static NTSTATUS NTAPI info_default(PSecPkgInfoW info)
{
    *info = infos[2];
    return SEC_E_OK;
}

static NTSTATUS NTAPI set_credentials_attributes(LSA_SEC_HANDLE handle, ULONG attribute, PVOID buffer, ULONG size)
{
    (void)handle, (void)attribute, (void)buffer, (void)size;
    return SEC_E_UNSUPPORTED_FUNCTION;
}

#define LSA_FUNCTIONS(info)                                                                                            \
    {                                                                                                                  \
        .Initialize = sp_initialize, .Shutdown = sp_shut_down, .GetInfo = (info),                                      \
        .AcquireCredentialsHandle = schannel_acquire_credentials_handle,                                               \
        .QueryCredentialsAttributes = schannel_query_credentials_attributes,                                           \
        .SetCredentialsAttributes = set_credentials_attributes,                                                        \
        .FreeCredentialsHandle = schannel_free_credentials_handle,                                                     \
        .InitLsaModeContext = schannel_init_lsa_mode_context,                                                          \
        .AcceptLsaModeContext = schannel_accept_lsa_mode_context, .DeleteContext = schannel_delete_context,            \
        .ApplyControlToken = schannel_apply_control_token,                                                             \
        .QueryContextAttributes = schannel_query_context_attributes,                                                   \
        .SetContextAttributes = schannel_set_context_attributes,                                                       \
    }

static SECPKG_FUNCTION_TABLE lsa_functions[NAMES] = {LSA_FUNCTIONS(info_schannel), LSA_FUNCTIONS(info_unified),
                                                     LSA_FUNCTIONS(info_default)};

static SpInstanceInitFn instance_init;

static NTSTATUS NTAPI init_user_mode_context(LSA_SEC_HANDLE handle, PSecBuffer packed)
{
    (void)handle, (void)packed;
    return SEC_E_OK;
}

static NTSTATUS NTAPI delete_user_mode_context(LSA_SEC_HANDLE handle)
{
    (void)handle;
    return SEC_E_OK;
}

/* Schannel signs nothing without encrypting it (errors.tsv, MakeSignature/Schannel). */
static NTSTATUS NTAPI make_signature(LSA_SEC_HANDLE handle, ULONG qop, PSecBufferDesc message, ULONG sequence)
{
    (void)handle, (void)qop, (void)message, (void)sequence;
    return SEC_E_UNSUPPORTED_FUNCTION;
}

static NTSTATUS NTAPI verify_signature(LSA_SEC_HANDLE handle, PSecBufferDesc message, ULONG sequence, PULONG qop)
{
    (void)handle, (void)message, (void)sequence, (void)qop;
    return SEC_E_UNSUPPORTED_FUNCTION;
}

#define USER_FUNCTIONS                                                                                                 \
    {                                                                                                                  \
        .InstanceInit = instance_init, .InitUserModeContext = init_user_mode_context, .MakeSignature = make_signature, \
        .VerifySignature = verify_signature, .SealMessage = schannel_seal_message,                                     \
        .UnsealMessage = schannel_unseal_message, .QueryContextAttributes = schannel_query_context_attributes,         \
        .DeleteUserModeContext = delete_user_mode_context,                                                             \
    }

static const SECPKG_USER_FUNCTION_TABLE user_functions[NAMES] = {USER_FUNCTIONS, USER_FUNCTIONS, USER_FUNCTIONS};

static NTSTATUS NTAPI instance_init(ULONG version, PSECPKG_DLL_FUNCTIONS functions, void **user)
{
    (void)version;
    (void)functions;
    if (user) *user = (void *)user_functions;
    return CountersignReady() ? SEC_E_OK : SEC_E_SECPKG_NOT_FOUND;
}

NTSTATUS SEC_ENTRY SpLsaModeInitialize(ULONG version, ULONG *package_version, PSECPKG_FUNCTION_TABLE *tables,
                                       ULONG *count)
{
    (void)version;
    *package_version = SECPKG_INTERFACE_VERSION_3; /* the first with SetCredentialsAttributes */
    *tables = lsa_functions;
    *count = NAMES;
    return SEC_E_OK;
}

NTSTATUS SEC_ENTRY SpUserModeInitialize(ULONG version, ULONG *package_version, PSECPKG_USER_FUNCTION_TABLE *tables,
                                        ULONG *count)
{
    (void)version;
    *package_version = SECPKG_INTERFACE_VERSION;
    *tables = (SECPKG_USER_FUNCTION_TABLE *)user_functions;
    *count = NAMES;
    return SEC_E_OK;
}
