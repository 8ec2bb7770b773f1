/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Credentials: SCHANNEL_CRED and SCH_CREDENTIALS (behaviour.md section 5).
 */
#include "schannel.h"

#include <countersign/sspi_extra.h>

#define ALL_SERVER (SP_PROT_TLS1_SERVER | SP_PROT_TLS1_1_SERVER | SP_PROT_TLS1_2_SERVER | SP_PROT_TLS1_3_SERVER)
#define ALL_CLIENT (SP_PROT_TLS1_CLIENT | SP_PROT_TLS1_1_CLIENT | SP_PROT_TLS1_2_CLIENT | SP_PROT_TLS1_3_CLIENT)
#define ALL_DTLS (SP_PROT_DTLS1_X_SERVER | SP_PROT_DTLS1_X_CLIENT)

/* Protocols that a program names: those of its side, as far as they are allowed. DTLS goes with nothing else. */
static NTSTATUS choose_named(DWORD named, DWORD side, DWORD allowed, struct schannel_request *request)
{
    if (named & ALL_DTLS && named & ~ALL_DTLS) return SEC_E_ALGORITHM_MISMATCH; /* row 153 */
    request->protocols = named & side & allowed;
    return request->protocols ? SEC_E_OK : SEC_E_ALGORITHM_MISMATCH;
}

/*
 * What a list of algorithms leaves out. A list names what may be used; a kind of which it names nothing stays as it is.
 */
static void apply_algorithms(const ALG_ID *algorithms, DWORD count, struct schannel_request *request)
{
    static const struct {
        ALG_ID algorithm;
        DWORD kind, without; /* of the kinds below */
    } known[] = {
        {CALG_AES_128, 1, WITHOUT_AES128},
        {CALG_AES_256, 1, WITHOUT_AES256},
        {CALG_SHA1, 2, WITHOUT_SHA1},
        {CALG_SHA_256, 2, WITHOUT_SHA256},
        {CALG_SHA_384, 2, WITHOUT_SHA384},
        {CALG_RSA_KEYX, 3, WITHOUT_RSA_KEY_EXCHANGE},
        {CALG_DH_EPHEM, 3, WITHOUT_DHE},
        {CALG_ECDH_EPHEM, 3, WITHOUT_ECDHE},
        {CALG_RSA_SIGN, 4, WITHOUT_RSA_SIGNATURES},
        {CALG_ECDSA, 4, WITHOUT_ECDSA},
    };
    enum { KINDS = 5 };
    DWORD left_out[KINDS] = {0}, named[KINDS] = {0};
    for (SIZE_T i = 0; i < ARRAYSIZE(known); i++) {
        BOOL found = FALSE;
        for (DWORD j = 0; j < count; j++) found |= algorithms[j] == known[i].algorithm;
        if (found)
            named[known[i].kind] = TRUE;
        else
            left_out[known[i].kind] |= known[i].without;
    }
    for (DWORD kind = 1; kind < KINDS; kind++)
        if (named[kind]) request->without |= left_out[kind];
}

/* Strengths in bits; 0 and -1 say nothing. */
static void apply_strengths(const SCHANNEL_CRED *cred, struct schannel_request *request)
{
    const DWORD minimum = cred->dwMinimumCipherStrength, maximum = cred->dwMaximumCipherStrength;
    if (minimum != MAXDWORD && minimum > 128) request->without |= WITHOUT_AES128;
    if (minimum != MAXDWORD && minimum > 256) request->without |= WITHOUT_AES256 | WITHOUT_CHACHA20;
    if (maximum && maximum < 256) request->without |= WITHOUT_AES256 | WITHOUT_CHACHA20;
    if (maximum && maximum < 128) request->without |= WITHOUT_AES128;
}

/* The certificate with that hash in a store of the system's: the user's, or the machine's. */
static PCCERT_CONTEXT find_by_hash(const BYTE hash[20], DWORD flags, const WCHAR *name)
{
    const DWORD place =
        flags & SCH_MACHINE_CERT_HASH ? CERT_SYSTEM_STORE_LOCAL_MACHINE : CERT_SYSTEM_STORE_CURRENT_USER;
    CRYPT_HASH_BLOB wanted = {20, (BYTE *)hash};
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
                                     place | CERT_STORE_READONLY_FLAG | CERT_STORE_OPEN_EXISTING_FLAG, name);
    if (!store) return NULL;
    PCCERT_CONTEXT found = CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_SHA1_HASH, &wanted, NULL);
    CertCloseStore(store, 0); /* the certificate holds it */
    return found;
}

/* What stands in the place of a certificate's context with that dwCredFormat. */
static PCCERT_CONTEXT find_certificate(const void *given, DWORD format)
{
    const SCHANNEL_CERT_HASH *hash = given;
    const SCHANNEL_CERT_HASH_STORE *with_store = given;
    const SIZE_T most = SCH_CRED_MAX_STORE_NAME_SIZE;
    switch (format) {
    case SCH_CRED_FORMAT_CERT_HASH:
        if (hash->dwLength < sizeof *hash) return NULL;
        return find_by_hash(hash->ShaHash, hash->dwFlags, L"MY");
    case SCH_CRED_FORMAT_CERT_HASH_STORE:
        if (with_store->dwLength < sizeof *with_store || wcsnlen(with_store->pwszStoreName, most) == most) return NULL;
        return find_by_hash(with_store->ShaHash, with_store->dwFlags, with_store->pwszStoreName);
    default: return NULL;
    }
}

static BOOL is_certificate(PCCERT_CONTEXT certificate)
{
    return certificate->pbCertEncoded && certificate->cbCertEncoded && certificate->pCertInfo;
}

/* One certificate at most: several are for hosts of several names, which Windows refuses too (row 150). */
static NTSTATUS take_certificates(DWORD count, PCCERT_CONTEXT *certificates, DWORD format,
                                  struct schannel_request *request)
{
    if (count > 1) return SEC_E_UNKNOWN_CREDENTIALS;
    if (!count) return SEC_E_OK;
    if (!certificates[0]) return SEC_E_UNKNOWN_CREDENTIALS;
    if (format != SCH_CRED_FORMAT_CERT_CONTEXT)
        request->certificate = find_certificate(certificates[0], format);
    else if (is_certificate(certificates[0])) /* row 142 */
        request->certificate = CertDuplicateCertificateContext(certificates[0]);
    return request->certificate ? SEC_E_OK : SEC_E_UNKNOWN_CREDENTIALS;
}

static NTSTATUS read_version_4(const SCHANNEL_CRED *cred, struct schannel_request *request)
{
    DWORD by_default, allowed;
    const DWORD side = request->server ? ALL_SERVER | SP_PROT_DTLS1_X_SERVER : ALL_CLIENT | SP_PROT_DTLS1_X_CLIENT;
    schannel_policy_protocols(request->server, &by_default, &allowed);
    NTSTATUS status = take_certificates(cred->cCreds, cred->paCred, cred->dwCredFormat, request);
    if (status) return status;
    request->flags = cred->dwFlags;
    request->roots = cred->hRootStore;
    request->lifespan = cred->dwSessionLifespan;
    if (cred->cSupportedAlgs) apply_algorithms(cred->palgSupportedAlgs, cred->cSupportedAlgs, request);
    apply_strengths(cred, request);
    request->habits = QUIET; /* programs with this structure know nothing of what comes after a handshake of TLS 1.3 */
    if (cred->grbitEnabledProtocols) return choose_named(cred->grbitEnabledProtocols, side, allowed, request);
    /* And get none unless they name it (attributes.tsv, CIPHER_INFO). Windows's own HTTP clients do have it; Wine's
     * pass this structure with nothing named, and send no token that comes with SEC_E_OK. */
    request->protocols = by_default;
    if (sp_call_attributes() & SECPKG_CALL_HTTP_CLIENT)
        request->habits |= DEFERS;
    else
        request->protocols &= ~(SP_PROT_TLS1_3_SERVER | SP_PROT_TLS1_3_CLIENT);
    return request->protocols ? SEC_E_OK : SEC_E_ALGORITHM_MISMATCH;
}

static BOOL is_named(const UNICODE_STRING *name, const WCHAR *expected)
{
    const SIZE_T size = wcslen(expected);
    return name->Buffer && name->Length == size * sizeof(WCHAR) && !_wcsnicmp(name->Buffer, expected, size);
}

static BOOL has_mode(const CRYPTO_SETTINGS *settings, const WCHAR *mode)
{
    for (DWORD i = 0; i < settings->cChainingModes; i++)
        if (is_named(&settings->rgstrChainingModes[i], mode)) return TRUE;
    return FALSE;
}

/* AES without modes and sizes goes whole; with modes, only these; with sizes, the keys in between. */
static DWORD disabled_aes(const CRYPTO_SETTINGS *settings)
{
    const DWORD least = settings->dwMinBitLength, most = settings->dwMaxBitLength;
    DWORD without = 0;
    if (has_mode(settings, L"ChainingModeGCM")) without |= WITHOUT_GCM;
    if (has_mode(settings, L"ChainingModeCBC")) without |= WITHOUT_CBC;
    if (without) return without;
    if (least <= 128 && (!most || most >= 128)) without |= WITHOUT_AES128;
    if (least <= 256 && (!most || most >= 256)) without |= WITHOUT_AES256;
    return without;
}

/* One CRYPTO_SETTINGS says what must not be used, in the names of CNG's algorithms. */
static DWORD disabled_by(const CRYPTO_SETTINGS *settings)
{
    static const struct {
        const WCHAR *name;
        DWORD without;
    } known[] = {
        {L"CHACHA20_POLY1305", WITHOUT_CHACHA20},
        {L"SHA1", WITHOUT_SHA1},
        {L"SHA256", WITHOUT_SHA256},
        {L"SHA384", WITHOUT_SHA384},
        {L"DH", WITHOUT_DHE},
        {L"ECDH", WITHOUT_ECDHE},
        {L"ECDSA", WITHOUT_ECDSA},
    };
    const UNICODE_STRING *name = &settings->strCngAlgId;
    if (is_named(name, L"AES")) return disabled_aes(settings);
    if (is_named(name, L"RSA"))
        return settings->eAlgorithmUsage == TlsParametersCngAlgUsageKeyExchange ? WITHOUT_RSA_KEY_EXCHANGE
                                                                                : WITHOUT_RSA_SIGNATURES;
    for (SIZE_T i = 0; i < ARRAYSIZE(known); i++)
        if (is_named(name, known[i].name)) return known[i].without;
    return 0;
}

static NTSTATUS read_version_5(const SCH_CREDENTIALS *cred, struct schannel_request *request)
{
    DWORD by_default, allowed, disabled = 0;
    schannel_policy_protocols(request->server, &by_default, &allowed);
    NTSTATUS status = take_certificates(cred->cCreds, cred->paCred, cred->dwCredFormat, request);
    if (status) return status;
    if (cred->cTlsParameters > SCH_CRED_MAX_SUPPORTED_PARAMETERS) return SEC_E_UNKNOWN_CREDENTIALS;
    for (DWORD i = 0; i < cred->cTlsParameters; i++) {
        const TLS_PARAMETERS *parameters = &cred->pTlsParameters[i];
        if (parameters->cDisabledCrypto > SCH_CRED_MAX_SUPPORTED_CRYPTO_SETTINGS) return SEC_E_UNKNOWN_CREDENTIALS;
        disabled |= parameters->grbitDisabledProtocols;
        for (DWORD j = 0; j < parameters->cDisabledCrypto; j++)
            request->without |= disabled_by(&parameters->pDisabledCrypto[j]);
    }
    request->flags = cred->dwFlags;
    request->roots = cred->hRootStore;
    request->lifespan = cred->dwSessionLifespan;
    request->protocols = by_default & ~disabled;
    /* TLS 1.3 has no CBC (attributes.tsv, CIPHER_INFO: without GCM it is TLS 1.2). */
    if (request->without & WITHOUT_GCM) request->protocols &= ~(DWORD)(SP_PROT_TLS1_3_SERVER | SP_PROT_TLS1_3_CLIENT);
    return request->protocols ? SEC_E_OK : SEC_E_ALGORITHM_MISMATCH;
}

/* SCH_USE_DTLS_ONLY (SCH_CREDENTIALS): else what a program does not name is there for both, and a context's first leg
 * says which it is. */
static NTSTATUS datagrams_alone(struct schannel_request *request, NTSTATUS status)
{
    if (status || !(request->flags & SCH_USE_DTLS_ONLY)) return status;
    request->protocols &= ALL_DTLS;
    return request->protocols ? SEC_E_OK : SEC_E_ALGORITHM_MISMATCH;
}

/*
 * WinHTTP and WinINet leave it to their programs which certificate of the user's is shown (WINHTTP_OPTION_CLIENT_CERT_
 * CONTEXT). Wine's do not say so here, and look at the server's only once the handshake is through: whoever answers in
 * its place would learn who the user is.
 */
static DWORD flags_by_caller(void)
{
    return sp_call_attributes() & SECPKG_CALL_HTTP_CLIENT ? SCH_CRED_NO_DEFAULT_CREDS : 0;
}

/*
 * Version 3 had the first fields of version 4; with any certificate Windows 10 and 11 answer like this (row 148).
 * ChaCha20 is off in Windows unless its administrator says otherwise.
 */
NTSTATUS schannel_request_read(const void *auth_data, BOOL server, struct schannel_request *request)
{
    static const SCH_CREDENTIALS nothing = {.dwVersion = SCH_CREDENTIALS_VERSION};
    *request = (struct schannel_request){.server = server, .without = schannel_policy_without()};
    NTSTATUS status = schannel_policy_suites(&request->suites, &request->suites_size);
    if (status) return status;
    if (!request->suites) request->without |= WITHOUT_CHACHA20;
    if (!auth_data && server) return SEC_E_NO_CREDENTIALS;
    if (!auth_data) return read_version_5(&nothing, request);
    switch (*(const DWORD *)auth_data) {
    case SCHANNEL_CRED_VERSION: return datagrams_alone(request, read_version_4(auth_data, request));
    case SCH_CREDENTIALS_VERSION: return datagrams_alone(request, read_version_5(auth_data, request));
    case SCH_CRED_V3: return SEC_E_INSUFFICIENT_MEMORY;
    default: return SEC_E_UNKNOWN_CREDENTIALS;
    }
}

void schannel_request_drop(struct schannel_request *request)
{
    if (request->certificate) CertFreeCertificateContext(request->certificate);
    HeapFree(GetProcessHeap(), 0, request->suites);
}

void schannel_credential_release(struct schannel_credential *credential)
{
    struct cs_block_object block = {credential->credential};
    if (InterlockedDecrement(&credential->references)) return;
    if (credential->credential) CountersignCall(CS_CALL_TLS_RELEASE_CREDENTIAL, &block);
    if (credential->roots) CertCloseStore(credential->roots, 0);
    if (credential->own) CertFreeCertificateContext(credential->own);
    HeapFree(GetProcessHeap(), 0, credential);
}

static NTSTATUS give_certificate(PCCERT_CONTEXT certificate, BOOL root, struct cs_block_tls_acquire *block)
{
    BYTE *chain, *stapled, *key = NULL;
    DWORD chain_size, stapled_size = 0, key_size = 0;
    NTSTATUS status = schannel_key_export(certificate, &key, &key_size, &block->key_format);
    if (status) return status;
    chain = schannel_chain_write(certificate, root, &chain_size);
    stapled = block->server ? schannel_stapled_read(certificate, &stapled_size) : NULL;
    if (chain) {
        block->chain = sp_bytes(chain, chain_size);
        block->key = sp_bytes(key, key_size);
        block->stapled = sp_bytes(stapled, stapled_size);
        status = CountersignCall(CS_CALL_TLS_ACQUIRE, block);
    } else {
        status = SEC_E_INSUFFICIENT_MEMORY;
    }
    SecureZeroMemory(key, key_size);
    HeapFree(GetProcessHeap(), 0, key);
    HeapFree(GetProcessHeap(), 0, chain);
    HeapFree(GetProcessHeap(), 0, stapled);
    return status;
}

static NTSTATUS make(const struct schannel_request *request, struct schannel_credential *credential)
{
    struct cs_block_tls_acquire block = {.server = (UINT32)request->server,
                                         .protocols = request->protocols,
                                         .without = request->without,
                                         .habits = request->habits,
                                         .lifespan = request->lifespan,
                                         .resume = !(request->flags & SCH_CRED_DISABLE_RECONNECTS)};
    DWORD size = 0;
    BYTE *issuers = request->server ? schannel_issuers_write(request->roots, &size) : NULL;
    block.issuers = sp_bytes(issuers, size);
    block.suites = sp_bytes(request->suites, request->suites_size);
    NTSTATUS status = request->certificate
                          ? give_certificate(request->certificate, request->flags & SCH_SEND_ROOT_CERT, &block)
                          : CountersignCall(CS_CALL_TLS_ACQUIRE, &block);
    HeapFree(GetProcessHeap(), 0, issuers);
    if (status) return status;
    credential->credential = block.credential;
    credential->server = request->server;
    credential->protocols = request->protocols;
    credential->flags = request->flags;
    credential->without = request->without;
    credential->habits = request->habits;
    credential->lifespan = request->lifespan;
    if (request->roots) credential->roots = CertDuplicateStore(request->roots);
    credential->own = request->certificate ? CertDuplicateCertificateContext(request->certificate) : NULL;
    return SEC_E_OK;
}

static NTSTATUS acquire(const struct schannel_request *request, struct schannel_credential **out)
{
    struct schannel_credential *credential = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *credential);
    if (!credential) return SEC_E_INSUFFICIENT_MEMORY;
    credential->references = 1;
    NTSTATUS status = make(request, credential);
    if (status)
        schannel_credential_release(credential);
    else
        *out = credential;
    return status;
}

struct schannel_credential *schannel_credential_with(const struct schannel_credential *original,
                                                     PCCERT_CONTEXT certificate)
{
    struct schannel_request request = {.protocols = original->protocols,
                                       .flags = original->flags,
                                       .without = original->without,
                                       .habits = original->habits,
                                       .lifespan = original->lifespan,
                                       .certificate = CertDuplicateCertificateContext(certificate),
                                       .roots = original->roots};
    struct schannel_credential *made = NULL;
    if (schannel_policy_suites(&request.suites, &request.suites_size) == SEC_E_OK) acquire(&request, &made);
    schannel_request_drop(&request);
    return made;
}

NTSTATUS NTAPI schannel_acquire_credentials_handle(PUNICODE_STRING principal, ULONG use, PLUID logon_id,
                                                   void *auth_data, void *get_key, void *argument,
                                                   PLSA_SEC_HANDLE handle, PTimeStamp expiry)
{
    struct schannel_request request;
    (void)principal, (void)logon_id, (void)get_key, (void)argument;
    if (use != SECPKG_CRED_INBOUND && use != SECPKG_CRED_OUTBOUND) return SEC_E_NO_CREDENTIALS;
    NTSTATUS status = schannel_request_read(auth_data, use == SECPKG_CRED_INBOUND, &request);
    request.flags |= flags_by_caller();
    if (status == SEC_E_OK) status = acquire(&request, (struct schannel_credential **)handle);
    schannel_request_drop(&request);
    if (status == SEC_E_OK && expiry) sp_time_stamp(MAXLONGLONG, expiry);
    return status;
}

NTSTATUS NTAPI schannel_free_credentials_handle(LSA_SEC_HANDLE handle)
{
    schannel_credential_release((struct schannel_credential *)handle);
    return SEC_E_OK;
}
