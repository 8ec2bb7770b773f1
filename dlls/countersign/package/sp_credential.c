/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A package's credentials.
 */
#include "identity.h"
#include "client_token.h"
#include "package.h"

#include <string.h>

enum { DEFAULT_IDENTITY, EXPLICIT_IDENTITY, ANONYMOUS_IDENTITY, CLIENT_IDENTITY }; /* enum cs_identity_kind */

/*
 * All three strings there and empty are the anonymous identity (MS-NLMP 3.1.1.1); nothing there at all is none given.
 * A program that gives a password alone means it for the user it runs as.
 */
static UINT32 kind_of(const struct identity *identity)
{
    if (identity->user_length || identity->domain_length || identity->password_length) return EXPLICIT_IDENTITY;
    return identity->has_user ? ANONYMOUS_IDENTITY : DEFAULT_IDENTITY;
}

static void fill_identity(const struct identity *identity, WCHAR *own_name, DWORD own_size,
                          struct cs_block_identity *block)
{
    block->kind = kind_of(identity);
    block->user = sp_bytes(identity->user, identity->user_length * sizeof(WCHAR));
    block->domain = sp_bytes(identity->domain, identity->domain_length * sizeof(WCHAR));
    block->password = sp_bytes(identity->password, identity->password_length * sizeof(WCHAR));
    if (identity->package_list)
        block->package_list = sp_bytes(identity->package_list, wcslen(identity->package_list) * sizeof(WCHAR));
    if (block->kind == EXPLICIT_IDENTITY && !identity->user_length && GetUserNameW(own_name, &own_size))
        block->user = sp_bytes(own_name, (own_size - 1) * sizeof(WCHAR));
}

/*
 * A caller that acts in a client's name has that client's credentials: not the process's, and not those of the
 * credential manager, which are the process's user's. Where it cannot be told who calls, there are none.
 */
static NTSTATUS take_client(struct cs_block_acquire *block)
{
    struct client_mark mark;
    BOOL marked;
    if (block->identity.kind != DEFAULT_IDENTITY) return SEC_E_OK;
    if (client_mark_of_caller(&marked, &mark)) return SEC_E_NO_CREDENTIALS;
    if (!marked) return SEC_E_OK;
    block->identity.kind = CLIENT_IDENTITY;
    memcpy(block->client, mark.id, sizeof block->client);
    return SEC_E_OK;
}

static NTSTATUS acquire(const struct identity *identity, ULONG use, struct cs_block_acquire *block)
{
    WCHAR machine[MAX_COMPUTERNAME_LENGTH + 1], dns_host[256], own_name[257];
    struct sp_environment environment;
    DWORD machine_size = ARRAYSIZE(machine), dns_size = ARRAYSIZE(dns_host);
    memset(block, 0, sizeof *block);
    memcpy(block->package, sp_mechanism, sizeof block->package);
    block->use = use & SECPKG_CRED_BOTH;
    block->policy = sp_read_policy();
    if (!sp_read_environment(&environment)) return SEC_E_INSUFFICIENT_MEMORY;
    block->krb5_config = environment.krb5_config;
    block->krb5_ccname = environment.krb5_ccname;
    block->krb5_ktname = environment.krb5_ktname;
    fill_identity(identity, own_name, ARRAYSIZE(own_name), &block->identity);
    NTSTATUS status = take_client(block);
    if (GetComputerNameExW(ComputerNameNetBIOS, machine, &machine_size))
        block->machine = sp_bytes(machine, machine_size * sizeof(WCHAR));
    if (GetComputerNameExW(ComputerNameDnsFullyQualified, dns_host, &dns_size))
        block->dns_host = sp_bytes(dns_host, dns_size * sizeof(WCHAR));
    if (status == SEC_E_OK) status = CountersignCall(CS_CALL_ACQUIRE_CREDENTIAL, block);
    sp_release_environment(&environment);
    return status;
}

static NTSTATUS make_credential(const struct identity *identity, ULONG use, struct sp_credential **out)
{
    struct cs_block_acquire block;
    struct sp_credential *credential = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *credential);
    if (!credential) return SEC_E_INSUFFICIENT_MEMORY;
    NTSTATUS status = acquire(identity, use, &block);
    if (status) {
        HeapFree(GetProcessHeap(), 0, credential);
        return status;
    }
    credential->credential = block.credential;
    credential->is_default = block.identity.kind == DEFAULT_IDENTITY;
    sp_time_stamp(block.expiry, &credential->expiry);
    *out = credential;
    return SEC_E_OK;
}

NTSTATUS NTAPI sp_acquire_credentials_handle(PUNICODE_STRING principal, ULONG use, PLUID logon_id, void *auth_data,
                                             void *get_key, void *get_key_argument, PLSA_SEC_HANDLE handle,
                                             PTimeStamp expiry)
{
    struct identity identity;
    struct sp_credential *credential;
    (void)principal;
    (void)logon_id;
    (void)get_key;
    (void)get_key_argument;
    NTSTATUS status = identity_parse(auth_data, &identity);
    if (status) return status;
    status = make_credential(&identity, use, &credential);
    identity_release(&identity);
    if (status) return status;
    *handle = (LSA_SEC_HANDLE)credential;
    if (expiry) *expiry = credential->expiry;
    return SEC_E_OK;
}

NTSTATUS NTAPI sp_free_credentials_handle(LSA_SEC_HANDLE handle)
{
    struct sp_credential *credential = (struct sp_credential *)handle;
    struct cs_block_object block = {credential->credential};
    CountersignCall(CS_CALL_RELEASE_CREDENTIAL, &block);
    HeapFree(GetProcessHeap(), 0, credential);
    return SEC_E_OK;
}

/* SECPKG_CRED_ATTR_NAMES (attributes.tsv, all): the name in memory that FreeContextBuffer frees. */
NTSTATUS NTAPI sp_query_credentials_attributes(LSA_SEC_HANDLE handle, ULONG attribute, void *buffer)
{
    SecPkgCredentials_NamesW *names = buffer;
    const struct sp_credential *credential = (struct sp_credential *)handle;
    WCHAR name[512] = L"";
    struct cs_block_text block = {.object = credential->credential, .out = sp_bytes(name, sizeof name - sizeof(WCHAR))};
    if (attribute != SECPKG_CRED_ATTR_NAMES) return SEC_E_UNSUPPORTED_FUNCTION;
    NTSTATUS status = CountersignCall(CS_CALL_CREDENTIAL_NAMES, &block);
    if (status) return status;
    const ULONG size = block.needed < block.out.size ? block.needed : block.out.size;
    name[size / sizeof(WCHAR)] = 0;
    WCHAR *copy = sp_allocate(size + sizeof(WCHAR));
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    names->sUserName = memcpy(copy, name, size + sizeof(WCHAR));
    return SEC_E_OK;
}

/*
 * Proxies for the KDC (errors.tsv, SetCredentialsAttributes): taken by the packages that speak Kerberos, and by no
 * other. They have no effect, for Heimdal reaches its KDCs as krb5.conf says.
 */
NTSTATUS NTAPI sp_set_credentials_attributes(LSA_SEC_HANDLE handle, ULONG attribute, void *buffer, ULONG size)
{
    const SecPkgCredentials_KdcProxySettingsW *settings = buffer;
    (void)handle;
    if (attribute != SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS) return SEC_E_UNSUPPORTED_FUNCTION;
    if (!(sp_find_info(sp_mechanism)->fCapabilities & SECPKG_FLAG_GSS_COMPATIBLE)) return SEC_E_INVALID_HANDLE;
    if (!settings || size < sizeof *settings || settings->Version != KDC_PROXY_SETTINGS_V1)
        return SEC_E_INVALID_PARAMETER;
    return SEC_E_OK;
}
