/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Joining: an SSP/AP comes with SpLsaModeInitialize and perhaps SpUserModeInitialize, an SSP with
 * InitSecurityInterfaceW. Tables of older versions end earlier, and any function may be missing.
 */
#include "package_join.h"
#include "package_host.h"
#include "sspi_package.h"

#include <stddef.h>
#include <string.h>

/* In place of what a package lacks and secur32 calls without asking */

static NTSTATUS NTAPI refuse_credential(PUNICODE_STRING principal, ULONG use, PLUID logon_id, PVOID auth_data,
                                        PVOID get_key, PVOID argument, PLSA_SEC_HANDLE handle, PTimeStamp expiry)
{
    (void)principal, (void)use, (void)logon_id, (void)auth_data, (void)get_key, (void)argument, (void)handle;
    (void)expiry;
    return SEC_E_UNSUPPORTED_FUNCTION;
}

static NTSTATUS NTAPI refuse_query(LSA_SEC_HANDLE handle, ULONG attribute, PVOID buffer)
{
    (void)handle, (void)attribute, (void)buffer;
    return SEC_E_UNSUPPORTED_FUNCTION;
}

static NTSTATUS NTAPI refuse_initiator(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE context, PUNICODE_STRING target,
                                       ULONG request, ULONG data_rep, PSecBufferDesc input, PLSA_SEC_HANDLE new_context,
                                       PSecBufferDesc output, PULONG attributes, PTimeStamp expiry, PBOOLEAN mapped,
                                       PSecBuffer packed)
{
    (void)credential, (void)context, (void)target, (void)request, (void)data_rep, (void)input, (void)new_context;
    (void)output, (void)attributes, (void)expiry, (void)mapped, (void)packed;
    return SEC_E_UNSUPPORTED_FUNCTION;
}

static NTSTATUS NTAPI refuse_acceptor(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE context, PSecBufferDesc input,
                                      ULONG request, ULONG data_rep, PLSA_SEC_HANDLE new_context, PSecBufferDesc output,
                                      PULONG attributes, PTimeStamp expiry, PBOOLEAN mapped, PSecBuffer packed)
{
    (void)credential, (void)context, (void)request, (void)data_rep, (void)input, (void)new_context;
    (void)output, (void)attributes, (void)expiry, (void)mapped, (void)packed;
    return SEC_E_UNSUPPORTED_FUNCTION;
}

static NTSTATUS NTAPI nothing_to_free(LSA_SEC_HANDLE handle)
{
    (void)handle;
    return SEC_E_OK;
}

static NTSTATUS NTAPI nothing_to_take_over(LSA_SEC_HANDLE handle, PSecBuffer packed)
{
    (void)handle, (void)packed;
    return SEC_E_OK;
}

static NTSTATUS NTAPI refuse_protection(LSA_SEC_HANDLE handle, ULONG qop, PSecBufferDesc message, ULONG sequence)
{
    (void)handle, (void)qop, (void)message, (void)sequence;
    return SEC_E_UNSUPPORTED_FUNCTION;
}

static NTSTATUS NTAPI refuse_check(LSA_SEC_HANDLE handle, PSecBufferDesc message, ULONG sequence, PULONG qop)
{
    (void)handle, (void)message, (void)sequence, (void)qop;
    return SEC_E_UNSUPPORTED_FUNCTION;
}

static const SECPKG_FUNCTION_TABLE lsa_fallback = {
    .AcquireCredentialsHandle = refuse_credential,
    .QueryCredentialsAttributes = refuse_query,
    .FreeCredentialsHandle = nothing_to_free,
    .InitLsaModeContext = refuse_initiator,
    .AcceptLsaModeContext = refuse_acceptor,
    .DeleteContext = nothing_to_free,
};

static const SECPKG_USER_FUNCTION_TABLE user_fallback = {
    .InitUserModeContext = nothing_to_take_over,
    .MakeSignature = refuse_protection,
    .VerifySignature = refuse_check,
    .SealMessage = refuse_protection,
    .UnsealMessage = refuse_check,
    .DeleteUserModeContext = nothing_to_free,
};

/* Tables are lists of function pointers and nothing else: SIZE bytes of them, as the package's version has them. */
static void take_table(void *table, const void *given, SIZE_T given_size, const void *fallback, SIZE_T size)
{
    void **slots = table;
    void *const *others = fallback;
    if (given) memcpy(table, given, given_size);
    for (SIZE_T i = 0; i < size / sizeof(void *); i++)
        if (!slots[i]) slots[i] = others[i];
}

static SIZE_T lsa_table_size(ULONG version)
{
    if (version >= SECPKG_INTERFACE_VERSION_3) return sizeof(SECPKG_FUNCTION_TABLE);
    if (version >= SECPKG_INTERFACE_VERSION_2) return offsetof(SECPKG_FUNCTION_TABLE, SetCredentialsAttributes);
    return offsetof(SECPKG_FUNCTION_TABLE, SetContextAttributes);
}

/* A package's tables as its entry points gave them, one after another. */
struct tables {
    ULONG version, count, user_count;
    const SECPKG_FUNCTION_TABLE *lsa;
    const SECPKG_USER_FUNCTION_TABLE *user;
};

static BOOL ask_tables(HMODULE module, struct tables *tables)
{
    SpLsaModeInitializeFn lsa_init = (SpLsaModeInitializeFn)(void *)GetProcAddress(module, SECPKG_LSAMODEINIT_NAME);
    SpUserModeInitializeFn user_init = (SpUserModeInitializeFn)(void *)GetProcAddress(module, SECPKG_USERMODEINIT_NAME);
    ULONG user_version;

    if (!lsa_init) return FALSE;
    if (lsa_init(SECPKG_INTERFACE_VERSION, &tables->version, (PSECPKG_FUNCTION_TABLE *)&tables->lsa, &tables->count))
        return FALSE;
    if (user_init && user_init(SECPKG_INTERFACE_VERSION, &user_version, (PSECPKG_USER_FUNCTION_TABLE *)&tables->user,
                               &tables->user_count))
        tables->user_count = 0;
    if (!tables->user) tables->user_count = 0;
    return tables->lsa != NULL;
}

/* One table of a later version is larger than ours, so that the next does not lie where we would look: only the first
 * of such a DLL joins. */
static ULONG table_count(const struct tables *tables)
{
    return tables->version > SECPKG_INTERFACE_VERSION_3 && tables->count > 1 ? 1 : tables->count;
}

static const void *nth_lsa_table(const struct tables *tables, ULONG index)
{
    return (const BYTE *)tables->lsa + index * lsa_table_size(tables->version);
}

static BOOL start(struct package *package, ULONG number)
{
    void *unused;
    if (!package->lsa.GetInfo) return FALSE;
    if (package->lsa.Initialize &&
        package->lsa.Initialize(number, package_host_parameters(), package_host_functions()) < 0)
        return FALSE;
    if ((!package->user.InstanceInit ||
         package->user.InstanceInit(SECPKG_INTERFACE_VERSION, package_host_dll_functions(), &unused) >= 0) &&
        package->lsa.GetInfo(&package->info) >= 0 && package->info.Name && package->info.Comment)
        return TRUE;
    if (package->lsa.Shutdown) package->lsa.Shutdown(); /* its DLL is about to go */
    return FALSE;
}

static ULONG join_lsa(HMODULE module, ULONG number, struct package **joined, ULONG room)
{
    struct tables tables = {0};
    ULONG count = 0;
    if (!ask_tables(module, &tables)) return 0;
    for (ULONG i = 0; i < table_count(&tables) && count < room; i++) {
        const SECPKG_USER_FUNCTION_TABLE *user = i < tables.user_count ? &tables.user[i] : NULL;
        struct package *package = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *package);
        if (!package) break;
        package->module = module;
        take_table(&package->lsa, nth_lsa_table(&tables, i), lsa_table_size(tables.version), &lsa_fallback,
                   sizeof package->lsa);
        take_table(&package->user, user, sizeof *user, &user_fallback, sizeof package->user);
        if (start(package, number + count))
            joined[count++] = package;
        else
            HeapFree(GetProcessHeap(), 0, package);
    }
    return count;
}

ULONG package_join(HMODULE module, ULONG type, ULONG number, struct package **joined, ULONG room)
{
    HMODULE pinned;
    ULONG count = 0;
    if (type != SECPKG_OPTIONS_TYPE_SSPI) count = join_lsa(module, number, joined, room);
    if (!count && type != SECPKG_OPTIONS_TYPE_LSA) count = sspi_package_join(module, joined, room);
    if (count)
        GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (LPCWSTR)module,
                           &pinned);
    return count;
}
