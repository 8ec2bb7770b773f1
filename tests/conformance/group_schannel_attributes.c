/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attributes of Schannel's contexts: certificates, channel bindings, what was negotiated, keys made from it.
 */
#include "attributes.h"
#include "digest.h"
#include "groups.h"
#include "schannel_certificates.h"
#include "schannel_pair.h"
#include "status.h"

#include <string.h>

#define NAME "schannel-attributes/"

static const struct conformance_case cases[] = {
    {NAME "remote-certificate", "behaviour 184", "SEC_E_OK, the server's, in a store with 2, itself in it", NULL,
     WINE_SAME},
    {NAME "remote-certificate.none", "attributes Schannel REMOTE_CERT_CONTEXT (observed)", "SEC_E_NO_CREDENTIALS", NULL,
     WINE_SAME},
    {NAME "remote-chain", "attributes Schannel, schannel.h SECPKG_ATTR_REMOTE_CERT_CHAIN", "SEC_E_OK, the server's",
     NULL, WINE_SAME},
    {NAME "local-certificate", "attributes Schannel LOCAL_CERT_CONTEXT (documented)", "SEC_E_OK, the server's", NULL,
     WINE_SAME},
    {NAME "local-certificate.none", "attributes Schannel LOCAL_CERT_CONTEXT (documented)", "SEC_E_OK, none", NULL,
     WINE_SAME},
    {NAME "endpoint-bindings", "behaviour 185, 186",
     "SEC_E_OK, addresses 0, offset 32, SHA-256 of the certificate, freed SEC_E_OK", NULL, WINE_SAME},
    {NAME "endpoint-bindings.server", "behaviour 185, 186",
     "SEC_E_OK, addresses 0, offset 32, SHA-256 of the certificate, freed SEC_E_OK", NULL, WINE_SAME},
    {NAME "endpoint-bindings.sha384", "behaviour 186 (derived: RFC 5929 4.1)", "SEC_E_OK, 48 bytes", NULL, WINE_SAME},
    {NAME "unique-bindings", "behaviour 187", "SEC_E_OK, addresses 0, offset 32, 12 bytes, both sides the same", NULL,
     WINE_SAME},
    {NAME "connection-info.aead", "behaviour 188", "SEC_E_OK, cipher at least 128, hash 0", NULL, WINE_SAME},
    {NAME "connection-info.cbc", "behaviour 189", "SEC_E_OK, cipher at least 128, hash at least 128", NULL, WINE_SAME},
    {NAME "cipher-info.protocol", "behaviour 190", "0x303", NULL, WINE_SAME},
    {NAME "cipher-info.protocol.tls10", "behaviour 190", "0x301", NULL, WINE_SAME},
    {NAME "cipher-info.suite", "behaviour 191", "0xc030, 0xc030", NULL, WINE_DIFFERS},
    {NAME "cipher-info.suite.tls10", "behaviour 191", "0xc014, 0xc014", NULL, WINE_DIFFERS},
    {NAME "cipher-info.name", "behaviour 192", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
     "6.3:TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384_P256 or 6.3:TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384_P384", WINE_SAME},
    {NAME "cipher-info.name.tls10", "behaviour 192", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
     "6.3:TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA_P256 or 6.3:TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA_P384", WINE_SAME},
    {NAME "cipher-info.cipher", "behaviour 193", "AES, 256, 16", NULL, WINE_SAME},
    {NAME "cipher-info.cipher.tls10", "behaviour 193", "AES, 256, 16", NULL, WINE_SAME},
    {NAME "cipher-info.hash", "behaviour 194", ", 0", NULL, WINE_SAME},
    {NAME "cipher-info.hash.tls10", "behaviour 194", "SHA1, 160", NULL, WINE_SAME},
    {NAME "cipher-info.exchange", "behaviour 195", "ECDH", "6.3:ECDH_P256 or 6.3:ECDH_P384", WINE_SAME},
    {NAME "cipher-info.exchange-lengths", "behaviour 196", "0, 65536", "6.3:256, 256 or 6.3:256, 384", WINE_SAME},
    {NAME "cipher-info.certificate", "behaviour 197", "RSA", NULL, WINE_SAME},
    {NAME "cipher-info.key-type", "behaviour 198", "0x1d or 0x17", "6.3:0x18 or 6.3:0x0", WINE_DIFFERS},
    {NAME "cipher-info.tls13", "attributes Schannel CIPHER_INFO (observed)", "0x304, 0x1302, TLS_AES_256_GCM_SHA384",
     "6.3:not there", WINE_SAME},
    {NAME "key-info", "behaviour 199", "SEC_E_OK, 0x2400 RSA, at least 128", NULL, WINE_SAME},
    {NAME "stream-sizes", "behaviour 200, attributes Schannel STREAM_SIZES (reported)",
     "SEC_E_OK, 13, 16, 16384, 4, 16", NULL, WINE_SAME},
    {NAME "negotiation-info", "behaviour 201", "SEC_E_UNSUPPORTED_FUNCTION", NULL, WINE_SAME},
    {NAME "names", "attributes Schannel NAMES, AUTHORITY, PROTO_INFO, KEY_INFO (observed)", "SEC_E_OK, CN=localhost",
     NULL, WINE_SAME},
    {NAME "authority", "attributes Schannel NAMES, AUTHORITY, PROTO_INFO, KEY_INFO (observed)",
     "SEC_E_OK, CN=Conformance Issuer", NULL, WINE_SAME},
    {NAME "proto-info", "attributes Schannel NAMES, AUTHORITY, PROTO_INFO, KEY_INFO (observed)", "SEC_E_OK, a name",
     NULL, WINE_SAME},
    {NAME "package-info", "attributes Schannel PACKAGE_INFO (documented)",
     "Microsoft Unified Security Protocol Provider", NULL, WINE_SAME},
    {NAME "flags", "attributes Schannel FLAGS (documented)", "as granted", NULL, WINE_SAME},
    {NAME "session-info", "attributes Schannel SESSION_INFO (documented)", "SEC_E_OK, new", NULL, WINE_SAME},
    {NAME "lifespan", "attributes Schannel LIFESPAN (documented)", "SEC_E_OK, an end after its start", NULL, WINE_SAME},
    {NAME "supported-signatures", "attributes Schannel SUPPORTED_SIGNATURES (documented)", "SEC_E_OK, some", NULL,
     WINE_SAME},
    {NAME "unknown", "errors QueryContextAttributes SEC_E_UNSUPPORTED_FUNCTION (documented)",
     "SEC_E_UNSUPPORTED_FUNCTION", NULL, WINE_SAME},
    {NAME "deleted", "behaviour 212", "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {NAME "server.flags.without-certificate", "attributes Schannel flags (documented: MUTUAL_AUTH once there is one)",
     "no MUTUAL_AUTH", NULL, WINE_SAME},
};

/* ---- certificates ---- */

static bool same_certificate(PCCERT_CONTEXT left, PCCERT_CONTEXT right)
{
    return left && right && left->cbCertEncoded == right->cbCertEncoded &&
           !memcmp(left->pbCertEncoded, right->pbCertEncoded, left->cbCertEncoded);
}

static unsigned count_certificates(HCERTSTORE store, PCCERT_CONTEXT wanted, bool *found)
{
    PCCERT_CONTEXT certificate = NULL;
    unsigned count = 0;

    *found = false;
    while (store && (certificate = CertEnumCertificatesInStore(store, certificate))) {
        *found |= same_certificate(certificate, wanted);
        count++;
    }
    return count;
}

static void try_remote(struct conformance_run *run, struct schannel_pair *pair)
{
    PCCERT_CONTEXT remote = NULL;
    char name[STATUS_NAME_MAX];
    bool found;
    SECURITY_STATUS status = QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &remote);

    if (remote) {
        const unsigned count = count_certificates(remote->hCertStore, remote, &found);
        observe(run, NAME "remote-certificate", "%s, %s, in a store with %u, itself %s", status_name(status, name),
                same_certificate(remote, issued_certificate()) ? "the server's" : "another", count,
                found ? "in it" : "not in it");
        CertFreeCertificateContext(remote);
    } else {
        observe_status(run, NAME "remote-certificate", status);
    }
    observe_status(run, NAME "remote-certificate.none",
                   QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &remote));
}

/* A PCCERT_CONTEXT, as REMOTE_CERT_CONTEXT (dpapi and http.sys's users read it so). */
static void try_chain(struct conformance_run *run, struct schannel_pair *pair)
{
    PCCERT_CONTEXT remote = NULL;
    char name[STATUS_NAME_MAX];
    const SECURITY_STATUS status =
        QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_REMOTE_CERT_CHAIN, &remote);

    if (status || !remote) {
        observe_status(run, NAME "remote-chain", status);
        return;
    }
    observe(run, NAME "remote-chain", "%s, %s", status_name(status, name),
            same_certificate(remote, issued_certificate()) ? "the server's" : "another");
    CertFreeCertificateContext(remote);
}

static void try_local(struct conformance_run *run, const char *id, struct schannel_side *side)
{
    PCCERT_CONTEXT local = NULL;
    char name[STATUS_NAME_MAX];
    const SECURITY_STATUS status = QueryContextAttributesA(&side->context, SECPKG_ATTR_LOCAL_CERT_CONTEXT, &local);

    observe(run, id, "%s, %s", status_name(status, name),
            !local                                          ? "none"
            : same_certificate(local, issued_certificate()) ? "the server's"
                                                            : "another");
    if (local) CertFreeCertificateContext(local);
}

/* ---- channel bindings ---- */

static bool addresses_are_0(const SEC_CHANNEL_BINDINGS *bindings)
{
    return !bindings->dwInitiatorAddrType && !bindings->cbInitiatorLength && !bindings->dwInitiatorOffset &&
           !bindings->dwAcceptorAddrType && !bindings->cbAcceptorLength && !bindings->dwAcceptorOffset;
}

/* What stands behind PREFIX; NULL if something else does. SIZE gets its bytes. */
static const BYTE *data_behind(const SecPkgContext_Bindings *bindings, const char *prefix, ULONG *size)
{
    const SEC_CHANNEL_BINDINGS *head = bindings->Bindings;
    const BYTE *data = (const BYTE *)head + head->dwApplicationDataOffset;
    const size_t length = strlen(prefix);

    if (head->cbApplicationDataLength < length || memcmp(data, prefix, length)) return NULL;
    *size = head->cbApplicationDataLength - (ULONG)length;
    return data + length;
}

static void try_endpoint(struct conformance_run *run, const char *id, struct schannel_side *side)
{
    SecPkgContext_Bindings bindings = {0};
    char name[STATUS_NAME_MAX], freed[STATUS_NAME_MAX];
    BYTE hash[32];
    DWORD hash_size = sizeof(hash);
    ULONG size = 0;
    const SECURITY_STATUS status = QueryContextAttributesA(&side->context, SECPKG_ATTR_ENDPOINT_BINDINGS, &bindings);

    if (status || !bindings.Bindings) {
        observe_status(run, id, status);
        return;
    }
    CryptHashCertificate(0, CALG_SHA_256, 0, issued_certificate()->pbCertEncoded, issued_certificate()->cbCertEncoded,
                         hash, &hash_size);
    const BYTE *data = data_behind(&bindings, "tls-server-end-point:", &size);
    const bool right = data && size == sizeof(hash) && !memcmp(data, hash, size);
    const bool no_addresses = addresses_are_0(bindings.Bindings);
    const ULONG offset = bindings.Bindings->dwApplicationDataOffset;
    observe(run, id, "%s, addresses %s, offset %lu, %s, freed %s", status_name(status, name),
            no_addresses ? "0" : "given", offset, right ? "SHA-256 of the certificate" : "another hash",
            status_name(FreeContextBuffer(bindings.Bindings), freed));
}

static void try_unique(struct conformance_run *run, struct schannel_pair *pair)
{
    SecPkgContext_Bindings client = {0}, server = {0};
    char name[STATUS_NAME_MAX];
    ULONG size = 0;
    const SECURITY_STATUS status = QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_UNIQUE_BINDINGS, &client);

    if (status || QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_UNIQUE_BINDINGS, &server)) {
        observe_status(run, NAME "unique-bindings", status);
        return;
    }
    const BYTE *data = data_behind(&client, "tls-unique:", &size);
    const bool same = client.BindingsLength == server.BindingsLength &&
                      !memcmp(client.Bindings, server.Bindings, client.BindingsLength);
    observe(run, NAME "unique-bindings", "%s, addresses %s, offset %lu, %lu bytes, both sides %s",
            status_name(status, name), addresses_are_0(client.Bindings) ? "0" : "given",
            client.Bindings->dwApplicationDataOffset, data ? size : 0, same ? "the same" : "another");
    FreeContextBuffer(client.Bindings);
    FreeContextBuffer(server.Bindings);
}

static void try_sha384(struct conformance_run *run)
{
    const struct schannel_setup setup = {
        .protocols = SP_PROT_TLS1_2_CLIENT,
        .server_certificate = make_certificate(&(struct certificate_request){.signature = szOID_RSA_SHA384RSA})};
    SecPkgContext_Bindings bindings = {0};
    struct schannel_pair pair;
    char name[STATUS_NAME_MAX];
    ULONG size = 0;

    if (!setup.server_certificate) return;
    if (schannel_pair_run(&pair, &setup)) {
        const SECURITY_STATUS status =
            QueryContextAttributesA(&pair.client.context, SECPKG_ATTR_ENDPOINT_BINDINGS, &bindings);
        if (bindings.Bindings) data_behind(&bindings, "tls-server-end-point:", &size);
        observe(run, NAME "endpoint-bindings.sha384", "%s, %lu bytes", status_name(status, name), size);
        if (bindings.Bindings) FreeContextBuffer(bindings.Bindings);
    }
    schannel_pair_close(&pair);
}

/* ---- what was negotiated ---- */

static void try_connection_info(struct conformance_run *run, const char *id, CtxtHandle *context)
{
    SecPkgContext_ConnectionInfo info = {0};
    char name[STATUS_NAME_MAX];
    const SECURITY_STATUS status = QueryContextAttributesA(context, SECPKG_ATTR_CONNECTION_INFO, &info);

    observe(run, id, "%s, cipher %s, hash %s", status_name(status, name),
            info.dwCipherStrength >= 128 ? "at least 128" : "below 128",
            info.dwHashStrength >= 128 ? "at least 128"
            : info.dwHashStrength      ? "below 128"
                                       : "0");
}

static void try_cipher_info(struct conformance_run *run, CtxtHandle *context)
{
    SecPkgContext_CipherInfo info = {.dwVersion = SECPKGCONTEXT_CIPHERINFO_V1};

    if (QueryContextAttributesA(context, SECPKG_ATTR_CIPHER_INFO, &info)) return;
    observe(run, NAME "cipher-info.protocol", "0x%lx", info.dwProtocol);
    observe(run, NAME "cipher-info.suite", "0x%lx, 0x%lx", info.dwCipherSuite, info.dwBaseCipherSuite);
    observe(run, NAME "cipher-info.name", "%ls", info.szCipherSuite);
    observe(run, NAME "cipher-info.cipher", "%ls, %lu, %lu", info.szCipher, info.dwCipherLen, info.dwCipherBlockLen);
    observe(run, NAME "cipher-info.hash", "%ls, %lu", info.szHash, info.dwHashLen);
    observe(run, NAME "cipher-info.exchange", "%ls", info.szExchange);
    observe(run, NAME "cipher-info.exchange-lengths", "%lu, %lu", info.dwMinExchangeLen, info.dwMaxExchangeLen);
    observe(run, NAME "cipher-info.certificate", "%ls", info.szCertificate);
    observe(run, NAME "cipher-info.key-type", "0x%lx", info.dwKeyType);
}

static void try_old(struct conformance_run *run)
{
    const struct schannel_setup setup = {.protocols = SP_PROT_TLS1_CLIENT};
    SecPkgContext_CipherInfo info = {.dwVersion = SECPKGCONTEXT_CIPHERINFO_V1};
    struct schannel_pair pair;

    if (schannel_pair_run(&pair, &setup) &&
        !QueryContextAttributesA(&pair.client.context, SECPKG_ATTR_CIPHER_INFO, &info)) {
        observe(run, NAME "cipher-info.protocol.tls10", "0x%lx", info.dwProtocol);
        observe(run, NAME "cipher-info.suite.tls10", "0x%lx, 0x%lx", info.dwCipherSuite, info.dwBaseCipherSuite);
        observe(run, NAME "cipher-info.name.tls10", "%ls", info.szCipherSuite);
        observe(run, NAME "cipher-info.cipher.tls10", "%ls, %lu, %lu", info.szCipher, info.dwCipherLen,
                info.dwCipherBlockLen);
        observe(run, NAME "cipher-info.hash.tls10", "%ls, %lu", info.szHash, info.dwHashLen);
        try_connection_info(run, NAME "connection-info.cbc", &pair.client.context);
    }
    schannel_pair_close(&pair);
}

static void try_newest(struct conformance_run *run)
{
    const struct schannel_setup setup = {.protocols = 0};
    SecPkgContext_CipherInfo info = {.dwVersion = SECPKGCONTEXT_CIPHERINFO_V1};
    struct schannel_pair pair;

    if (schannel_pair_run(&pair, &setup) &&
        !QueryContextAttributesA(&pair.client.context, SECPKG_ATTR_CIPHER_INFO, &info))
        observe(run, NAME "cipher-info.tls13", "0x%lx, 0x%lx, %ls", info.dwProtocol, info.dwCipherSuite,
                info.szCipherSuite);
    schannel_pair_close(&pair);
}

static void try_key_info(struct conformance_run *run, CtxtHandle *context)
{
    SecPkgContext_KeyInfoA info = {0};
    char name[STATUS_NAME_MAX];
    const SECURITY_STATUS status = QueryContextAttributesA(context, SECPKG_ATTR_KEY_INFO, &info);

    observe(run, NAME "key-info", "%s, 0x%lx %s, %s", status_name(status, name), info.SignatureAlgorithm,
            info.sSignatureAlgorithmName ? info.sSignatureAlgorithmName : "-",
            info.KeySize >= 128 ? "at least 128" : "below 128");
    if (info.sSignatureAlgorithmName) FreeContextBuffer(info.sSignatureAlgorithmName);
    if (info.sEncryptAlgorithmName) FreeContextBuffer(info.sEncryptAlgorithmName);
}

static void try_stream_sizes(struct conformance_run *run, CtxtHandle *context)
{
    SecPkgContext_StreamSizes sizes = {0};
    char name[STATUS_NAME_MAX];
    const SECURITY_STATUS status = QueryContextAttributesA(context, SECPKG_ATTR_STREAM_SIZES, &sizes);

    observe(run, NAME "stream-sizes", "%s, %lu, %lu, %lu, %lu, %lu", status_name(status, name), sizes.cbHeader,
            sizes.cbTrailer, sizes.cbMaximumMessage, sizes.cBuffers, sizes.cbBlockSize);
}

/* ---- names ---- */

static void try_names(struct conformance_run *run, struct schannel_side *side)
{
    SecPkgContext_NamesA names = {0};
    SecPkgContext_AuthorityA authority = {0};
    SecPkgContext_ProtoInfoA protocol = {0};
    SecPkgContext_NegotiationInfoA negotiation;
    char name[STATUS_NAME_MAX], text[OBSERVED_MAX];
    SECURITY_STATUS status = QueryContextAttributesA(&side->context, SECPKG_ATTR_NAMES, &names);

    observe(run, NAME "names", "%s, %s", status_name(status, name), names.sUserName ? names.sUserName : "-");
    status = QueryContextAttributesA(&side->context, SECPKG_ATTR_AUTHORITY, &authority);
    observe(run, NAME "authority", "%s, %s", status_name(status, name),
            authority.sAuthorityName ? authority.sAuthorityName : "-");
    status = QueryContextAttributesA(&side->context, SECPKG_ATTR_PROTO_INFO, &protocol);
    observe(run, NAME "proto-info", "%s, %s", status_name(status, name), protocol.sProtocolName ? "a name" : "-");
    if (names.sUserName) FreeContextBuffer(names.sUserName);
    if (authority.sAuthorityName) FreeContextBuffer(authority.sAuthorityName);
    if (protocol.sProtocolName) FreeContextBuffer(protocol.sProtocolName);
    observe_status(run, NAME "negotiation-info",
                   QueryContextAttributesA(&side->context, SECPKG_ATTR_NEGOTIATION_INFO, &negotiation));
    observe(run, NAME "package-info", "%s", package_text(&side->context, text));
    observe(run, NAME "flags", "%s", flags_text(&side->context, side->attributes & ~ISC_RET_ALLOCATED_MEMORY, text));
}

static void try_session(struct conformance_run *run, CtxtHandle *context)
{
    SecPkgContext_SessionInfo session = {0};
    SecPkgContext_Lifespan lifespan = {0};
    SecPkgContext_SupportedSignatures signatures = {0};
    char name[STATUS_NAME_MAX];
    SECURITY_STATUS status = QueryContextAttributesA(context, SECPKG_ATTR_SESSION_INFO, &session);

    observe(run, NAME "session-info", "%s, %s", status_name(status, name),
            session.dwFlags & SSL_SESSION_RECONNECT ? "resumed" : "new");
    status = QueryContextAttributesA(context, SECPKG_ATTR_LIFESPAN, &lifespan);
    observe(run, NAME "lifespan", "%s, %s", status_name(status, name),
            lifespan.tsExpiry.QuadPart > lifespan.tsStart.QuadPart ? "an end after its start" : "no such end");
    status = QueryContextAttributesA(context, SECPKG_ATTR_SUPPORTED_SIGNATURES, &signatures);
    observe(run, NAME "supported-signatures", "%s, %s", status_name(status, name),
            signatures.cSignatureAndHashAlgorithms ? "some" : "none");
    if (signatures.pSignatureAndHashAlgorithms) FreeContextBuffer(signatures.pSignatureAndHashAlgorithms);
}

static void try_deleted(struct conformance_run *run, struct schannel_side *side)
{
    SecPkgContext_NamesW names;

    observe_status(run, NAME "unknown", QueryContextAttributesA(&side->context, 0x7fff, &names));
    DeleteSecurityContext(&side->context);
    side->has_context = false;
    observe_status(run, NAME "deleted", QueryContextAttributesW(&side->context, SECPKG_ATTR_NAMES, &names));
}

static void run_attributes(struct conformance_run *run)
{
    const struct schannel_setup setup = {.protocols = SP_PROT_TLS1_2_CLIENT};
    struct schannel_pair pair;

    if (!schannel_pair_ready(run, &pair, &setup)) return;
    try_remote(run, &pair);
    try_chain(run, &pair);
    try_local(run, NAME "local-certificate", &pair.server);
    try_local(run, NAME "local-certificate.none", &pair.client);
    try_endpoint(run, NAME "endpoint-bindings", &pair.client);
    try_endpoint(run, NAME "endpoint-bindings.server", &pair.server);
    try_unique(run, &pair);
    try_connection_info(run, NAME "connection-info.aead", &pair.client.context);
    try_cipher_info(run, &pair.client.context);
    try_key_info(run, &pair.client.context);
    try_stream_sizes(run, &pair.client.context);
    try_names(run, &pair.client);
    try_session(run, &pair.client.context);
    observe(run, NAME "server.flags.without-certificate", "%s",
            pair.server.attributes & ASC_RET_MUTUAL_AUTH ? "MUTUAL_AUTH" : "no MUTUAL_AUTH");
    try_deleted(run, &pair.client);
    schannel_pair_close(&pair);
    try_old(run);
    try_newest(run);
    try_sha384(run);
    delete_containers();
}

const struct conformance_group schannel_attributes_group = {
    .name = "schannel-attributes",
    .cases = cases,
    .case_count = COUNT_OF(cases),
    .run = run_attributes,
};
