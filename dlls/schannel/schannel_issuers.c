/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose certificates a server takes (SECPKG_ATTR_ISSUER_LIST_EX): what a client's program is told, and which ones a
 * server names.
 */
#include "schannel.h"

enum { LENGTH = 2 };

static DWORD length_at(const BYTE *name)
{
    return (DWORD)name[0] << 8 | name[1];
}

static DWORD count_names(const BYTE *names, DWORD size)
{
    DWORD count = 0;
    for (DWORD at = 0; at < size; at += LENGTH + length_at(names + at)) count++;
    return count;
}

/* One block, which the program frees whole: the array, and the names behind it. */
static NTSTATUS give_names(const BYTE *names, DWORD size, SecPkgContext_IssuerListInfoEx *out)
{
    const DWORD count = count_names(names, size);
    *out = (SecPkgContext_IssuerListInfoEx){NULL, 0};
    if (!count) return SEC_E_OK;
    CERT_NAME_BLOB *blobs = sp_allocate(count * sizeof *blobs + size);
    if (!blobs) return SEC_E_INSUFFICIENT_MEMORY;
    BYTE *copy = memcpy(blobs + count, names, size);
    for (DWORD i = 0; i < count; i++) {
        blobs[i] = (CERT_NAME_BLOB){length_at(copy), copy + LENGTH};
        copy += LENGTH + length_at(copy);
    }
    *out = (SecPkgContext_IssuerListInfoEx){blobs, count};
    return SEC_E_OK;
}

NTSTATUS schannel_issuer_list(const struct schannel_context *context, SecPkgContext_IssuerListInfoEx *out)
{
    BYTE *names;
    DWORD size;
    NTSTATUS status = schannel_bytes(context, ISSUERS, &names, &size);
    if (status) return status;
    status = give_names(names, size, out);
    HeapFree(GetProcessHeap(), 0, names);
    return status;
}

static HCERTSTORE open_roots(HCERTSTORE given)
{
    const DWORD send = schannel_policy_send_issuers();
    if (given) return send ? CertDuplicateStore(given) : NULL;
    return send == 1 ? CertOpenSystemStoreW(0, L"ROOT") : NULL;
}

BYTE *schannel_issuers_write(HCERTSTORE given, DWORD *size)
{
    HCERTSTORE roots = open_roots(given);
    BYTE *chain = NULL;
    *size = 0;
    if (!roots) return NULL;
    for (PCCERT_CONTEXT root = NULL; (root = CertEnumCertificatesInStore(roots, root));)
        schannel_chain_append(&chain, size, root);
    CertCloseStore(roots, 0);
    return chain;
}
