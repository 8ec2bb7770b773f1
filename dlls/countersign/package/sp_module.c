/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The entry points of a security package: SpLsaModeInitialize and SpUserModeInitialize hand out its tables.
 */
#include "package.h"
#include "sp_token.h"

static NTSTATUS NTAPI get_info(PSecPkgInfoW info)
{
    *info = *sp_find_info(sp_mechanism);
    return SEC_E_OK;
}

/* Complete but for what each package defines itself, which SpLsaModeInitialize puts in. */
static SECPKG_FUNCTION_TABLE lsa_functions = {
    .Initialize = sp_initialize,
    .Shutdown = sp_shut_down,
    .GetInfo = get_info,
    .AcquireCredentialsHandle = sp_acquire_credentials_handle,
    .QueryCredentialsAttributes = sp_query_credentials_attributes,
    .SetCredentialsAttributes = sp_set_credentials_attributes,
    .FreeCredentialsHandle = sp_free_credentials_handle,
    .InitLsaModeContext = sp_init_lsa_mode_context,
    .AcceptLsaModeContext = sp_accept_lsa_mode_context,
    .DeleteContext = sp_delete_context,
    .QueryContextAttributes = sp_query_context_attributes,
};

static SpInstanceInitFn instance_init;

static const SECPKG_USER_FUNCTION_TABLE user_functions = {
    .InstanceInit = instance_init,
    .InitUserModeContext = sp_init_user_mode_context,
    .MakeSignature = sp_make_signature,
    .VerifySignature = sp_verify_signature,
    .SealMessage = sp_seal_message,
    .UnsealMessage = sp_unseal_message,
    .GetContextToken = sp_get_context_token,
    .QueryContextAttributes = sp_query_context_attributes,
    .DeleteUserModeContext = sp_delete_user_mode_context,
    .ExportContext = sp_export_security_context,
    .ImportContext = sp_import_security_context,
};

/* Called in the process that uses contexts; the tables are the same for every version asked for. */
static NTSTATUS NTAPI instance_init(ULONG version, PSECPKG_DLL_FUNCTIONS functions, void **user)
{
    (void)version;
    (void)functions;
    if (user) *user = (void *)&user_functions;
    return CountersignReady() ? SEC_E_OK : SEC_E_SECPKG_NOT_FOUND;
}

NTSTATUS NTAPI SpInstanceInit(ULONG version, PSECPKG_DLL_FUNCTIONS functions, void **user)
{
    return instance_init(version, functions, user);
}

NTSTATUS SEC_ENTRY SpLsaModeInitialize(ULONG version, ULONG *package_version, PSECPKG_FUNCTION_TABLE *tables,
                                       ULONG *count)
{
    (void)version;
    *package_version = SECPKG_INTERFACE_VERSION_3; /* the first with SetCredentialsAttributes */
    lsa_functions.CallPackageUntrusted = sp_call_untrusted;
    *tables = &lsa_functions;
    *count = 1;
    return SEC_E_OK;
}

NTSTATUS SEC_ENTRY SpUserModeInitialize(ULONG version, ULONG *package_version, PSECPKG_USER_FUNCTION_TABLE *tables,
                                        ULONG *count)
{
    (void)version;
    *package_version = SECPKG_INTERFACE_VERSION;
    *tables = (SECPKG_USER_FUNCTION_TABLE *)&user_functions;
    *count = 1;
    return SEC_E_OK;
}
