/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel's credentials: which structures are taken, what their attributes say, and where keys are looked for.
 */
#include "groups.h"
#include "schannel_certificates.h"
#include "schannel_pair.h"
#include "status.h"

#include <string.h>

#define NAME "schannel-credentials/"

#define TLS_CLIENT (SP_PROT_TLS1_CLIENT | SP_PROT_TLS1_1_CLIENT | SP_PROT_TLS1_2_CLIENT)
#define TLS_SERVER (SP_PROT_TLS1_SERVER | SP_PROT_TLS1_1_SERVER | SP_PROT_TLS1_2_SERVER)
#define DTLS_CLIENT SP_PROT_DTLS1_X_CLIENT

static const struct conformance_case cases[] = {
    {NAME "protocols.default", "behaviour 120", "SEC_E_OK, some", NULL, WINE_SAME},
    {NAME "protocols.tls10", "behaviour 121", "SEC_E_OK, 0x80", NULL, WINE_SAME},
    {NAME "algorithms", "behaviour 122", "SEC_E_OK, some, freed SEC_E_OK", NULL, WINE_DIFFERS},
    {NAME "protocols.null", "behaviour 123", "SEC_E_INTERNAL_ERROR", NULL, WINE_SAME},
    {NAME "algorithms.null", "behaviour 124", "SEC_E_INTERNAL_ERROR", NULL, WINE_SAME},
    {NAME "strengths", "behaviour 125", "SEC_E_OK, both above 0", NULL, WINE_SAME},
    {NAME "null-package", "behaviour 126", "SEC_E_SECPKG_NOT_FOUND", NULL, WINE_SAME},
    {NAME "nothing.use-0", "behaviour 127", "SEC_E_NO_CREDENTIALS", NULL, WINE_SAME},
    {NAME "nothing.both", "behaviour 128", "SEC_E_NO_CREDENTIALS", NULL, WINE_SAME},
    {NAME "nothing.inbound", "behaviour 129", "SEC_E_NO_CREDENTIALS", NULL, WINE_SAME},
    {NAME "nothing.outbound", "behaviour 130", OBSERVED_ACCESS_VIOLATION, NULL, WINE_SAME},
    {NAME "no-data.outbound", "behaviour 131", "SEC_E_OK", NULL, WINE_SAME},
    {NAME "no-data.inbound", "behaviour 132", "SEC_E_NO_CREDENTIALS", NULL, WINE_SAME},
    {NAME "names.anonymous", "behaviour 133", "SEC_E_NO_CREDENTIALS", NULL, WINE8_DIFFERS},
    {NAME "server-protocols.outbound", "behaviour 134", "SEC_E_ALGORITHM_MISMATCH", NULL, WINE8_DIFFERS},
    {NAME "server-protocols.inbound", "behaviour 135", "SEC_E_OK", NULL, WINE8_DIFFERS},
    {NAME "client-protocols.outbound", "behaviour 136", "SEC_E_OK", NULL, WINE_SAME},
    {NAME "client-protocols.inbound", "behaviour 137", "SEC_E_ALGORITHM_MISMATCH", NULL, WINE8_DIFFERS},
    {NAME "version-0.outbound", "behaviour 138", "SEC_E_UNKNOWN_CREDENTIALS", NULL, WINE8_DIFFERS},
    {NAME "version-0.inbound", "behaviour 138", "SEC_E_UNKNOWN_CREDENTIALS", NULL, WINE8_DIFFERS},
    {NAME "no-certificate.outbound", "behaviour 139", "SEC_E_OK", NULL, WINE_SAME},
    {NAME "no-certificate.inbound", "behaviour 140", "SEC_E_OK", "5.1:SEC_E_NO_CREDENTIALS", WINE8_DIFFERS},
    {NAME "bad-pointer", "behaviour 141", OBSERVED_ACCESS_VIOLATION, NULL, WINE_SAME},
    {NAME "malformed.outbound", "behaviour 142", "SEC_E_UNKNOWN_CREDENTIALS", NULL, WINE_SAME},
    {NAME "malformed.inbound", "behaviour 142", "SEC_E_UNKNOWN_CREDENTIALS", NULL, WINE_SAME},
    {NAME "without-key.outbound", "behaviour 143", "SEC_E_NO_CREDENTIALS", NULL, WINE_DIFFERS},
    {NAME "without-key.inbound", "behaviour 144", "SEC_E_NO_CREDENTIALS", NULL, WINE_DIFFERS},
    {NAME "lost-key.version-3", "behaviour 145", "SEC_E_INSUFFICIENT_MEMORY", "6.3:SEC_E_UNKNOWN_CREDENTIALS",
     WINE_SAME},
    {NAME "version-1.outbound", "behaviour 146", "SEC_E_UNKNOWN_CREDENTIALS", NULL, WINE8_DIFFERS},
    {NAME "version-1.inbound", "behaviour 146", "SEC_E_UNKNOWN_CREDENTIALS", NULL, WINE8_DIFFERS},
    {NAME "version-2.outbound", "behaviour 147", "SEC_E_UNKNOWN_CREDENTIALS", NULL, WINE8_DIFFERS},
    {NAME "version-2.inbound", "behaviour 147", "SEC_E_UNKNOWN_CREDENTIALS", NULL, WINE8_DIFFERS},
    {NAME "version-3.outbound", "behaviour 148", "SEC_E_INSUFFICIENT_MEMORY", "6.3:SEC_E_OK", WINE_DIFFERS},
    {NAME "version-3.inbound", "behaviour 148", "SEC_E_INSUFFICIENT_MEMORY", "6.3:SEC_E_OK", WINE_DIFFERS},
    {NAME "version-4.outbound", "behaviour 149", "SEC_E_OK", NULL, WINE_SAME},
    {NAME "version-4.inbound", "behaviour 149", "SEC_E_OK", NULL, WINE_SAME},
    {NAME "two.outbound", "behaviour 150", "SEC_E_UNKNOWN_CREDENTIALS", NULL, WINE_SAME},
    {NAME "two.inbound", "behaviour 150", "SEC_E_UNKNOWN_CREDENTIALS", NULL, WINE_SAME},
    {NAME "two.other-order", "behaviour 150", "SEC_E_UNKNOWN_CREDENTIALS", NULL, WINE_SAME},
    {NAME "version-5", "behaviour 151", "SEC_E_OK", "6.3:SEC_E_UNKNOWN_CREDENTIALS", WINE_SAME},
    {NAME "dtls", "behaviour 152", "SEC_E_OK", NULL, WINE_SAME},
    {NAME "dtls.tls-client", "behaviour 153", "SEC_E_ALGORITHM_MISMATCH", NULL, WINE_SAME},
    {NAME "dtls.tls-server", "behaviour 153", "SEC_E_ALGORITHM_MISMATCH", NULL, WINE_SAME},
    {NAME "dtls.ssl3-server", "behaviour 153", "SEC_E_ALGORITHM_MISMATCH", NULL, WINE_SAME},
    /* what the facts have no row for: certificates and keys in the other forms that schannel.h names */
    {NAME "sealed-key", "schannel.h: the LSA uses keys that may not be exported", "SEC_E_OK", NULL, WINE_SAME},
    {NAME "issued", "schannel.h, a key of a PFX", "SEC_E_OK", NULL, WINE_SAME},
    {NAME "by-hash", "schannel.h SCH_CRED_FORMAT_CERT_HASH (documented)", "SEC_E_OK", NULL, WINE_SAME},
    {NAME "by-hash.missing", "schannel.h SCH_CRED_FORMAT_CERT_HASH (documented)",
     "SEC_E_UNKNOWN_CREDENTIALS or SEC_E_NO_CREDENTIALS", NULL, WINE_SAME},
    {NAME "by-hash-in-store", "schannel.h SCH_CRED_FORMAT_CERT_HASH_STORE (documented)", "SEC_E_OK", NULL, WINE_SAME},
    {NAME "encoded", "sspi.h SECPKG_CRED_ATTR_CERT", "SEC_E_OK, its certificate", NULL, WINE_SAME},
    {NAME "encoded.none", "sspi.h SECPKG_CRED_ATTR_CERT", "SEC_E_NO_CREDENTIALS", NULL, WINE_SAME},
    {NAME "names.certificate", "attributes Schannel QueryCredentialsAttributes NAMES", "SEC_E_OK, CN=localhost", NULL,
     WINE_SAME},
    {NAME "attribute.unknown", "errors QueryCredentialsAttributes SEC_E_UNSUPPORTED_FUNCTION (documented)",
     "SEC_E_UNSUPPORTED_FUNCTION", NULL, WINE_SAME},
};

static SECURITY_STATUS acquire(ULONG use, void *data)
{
    CredHandle credential;
    TimeStamp expiry;
    SECURITY_STATUS status =
        AcquireCredentialsHandleA(NULL, SCHANNEL_PACKAGE, use, NULL, data, NULL, NULL, &credential, &expiry);

    if (status == SEC_E_OK) FreeCredentialsHandle(&credential);
    return status;
}

static SECURITY_STATUS acquire_version(ULONG use, DWORD version, PCCERT_CONTEXT certificate)
{
    SCHANNEL_CRED cred = {.dwVersion = version};

    if (certificate) {
        cred.cCreds = 1;
        cred.paCred = &certificate;
    }
    return acquire(use, &cred);
}

static SECURITY_STATUS acquire_protocols(ULONG use, DWORD protocols)
{
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION, .grbitEnabledProtocols = protocols};

    return acquire(use, &cred);
}

static SECURITY_STATUS acquire_into_nothing(ULONG use)
{
    return AcquireCredentialsHandleA(NULL, SCHANNEL_PACKAGE, use, NULL, NULL, NULL, NULL, NULL, NULL);
}

static void acquire_outbound_into_nothing(void)
{
    acquire_into_nothing(SECPKG_CRED_OUTBOUND);
}

static void acquire_from_bad_pointer(void)
{
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION, .cCreds = 1};

    acquire(SECPKG_CRED_OUTBOUND, &cred);
}

static const struct raising_call raising[] = {{NAME "nothing.outbound", acquire_outbound_into_nothing},
                                              {NAME "bad-pointer", acquire_from_bad_pointer}};

static void query_protocols(struct conformance_run *run, const char *id, CredHandle *credential, bool exact)
{
    SecPkgCred_SupportedProtocols protocols = {0};
    SECURITY_STATUS status = QueryCredentialsAttributesA(credential, SECPKG_ATTR_SUPPORTED_PROTOCOLS, &protocols);
    char name[STATUS_NAME_MAX];

    if (exact)
        observe(run, id, "%s, 0x%lx", status_name(status, name), protocols.grbitProtocol);
    else
        observe(run, id, "%s, %s", status_name(status, name), protocols.grbitProtocol ? "some" : "none");
}

static void query_algorithms(struct conformance_run *run, CredHandle *credential)
{
    SecPkgCred_SupportedAlgs algorithms = {0};
    SECURITY_STATUS status = QueryCredentialsAttributesA(credential, SECPKG_ATTR_SUPPORTED_ALGS, &algorithms);
    char name[STATUS_NAME_MAX], freed[STATUS_NAME_MAX];

    if (status)
        observe_status(run, NAME "algorithms", status);
    else
        observe(run, NAME "algorithms", "%s, %s, freed %s", status_name(status, name),
                algorithms.cSupportedAlgs ? "some" : "none",
                status_name(FreeContextBuffer(algorithms.palgSupportedAlgs), freed));
}

static void query_strengths(struct conformance_run *run, CredHandle *credential)
{
    SecPkgCred_CipherStrengths strengths = {0};
    SECURITY_STATUS status = QueryCredentialsAttributesA(credential, SECPKG_ATTR_CIPHER_STRENGTHS, &strengths);
    const bool both = strengths.dwMinimumCipherStrength && strengths.dwMaximumCipherStrength;
    char name[STATUS_NAME_MAX];

    observe(run, NAME "strengths", "%s, %s", status_name(status, name), both ? "both above 0" : "not both above 0");
}

static void query_attributes(struct conformance_run *run)
{
    SecPkgCredentials_NamesA names;
    CredHandle credential;

    if (!schannel_credential(SECPKG_CRED_OUTBOUND, 0, NULL, &credential)) {
        query_protocols(run, NAME "protocols.default", &credential, false);
        query_algorithms(run, &credential);
        observe_status(run, NAME "protocols.null",
                       QueryCredentialsAttributesA(&credential, SECPKG_ATTR_SUPPORTED_PROTOCOLS, NULL));
        observe_status(run, NAME "algorithms.null",
                       QueryCredentialsAttributesA(&credential, SECPKG_ATTR_SUPPORTED_ALGS, NULL));
        query_strengths(run, &credential);
        observe_status(run, NAME "names.anonymous",
                       QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_NAMES, &names));
        observe_status(run, NAME "attribute.unknown", QueryCredentialsAttributesA(&credential, 0x7fff, &names));
        FreeCredentialsHandle(&credential);
    }
    if (!schannel_credential(SECPKG_CRED_OUTBOUND, SP_PROT_TLS1_CLIENT, NULL, &credential)) {
        query_protocols(run, NAME "protocols.tls10", &credential, true);
        FreeCredentialsHandle(&credential);
    }
}

static void try_nothing(struct conformance_run *run)
{
    CredHandle credential;

    observe_status(
        run, NAME "null-package",
        AcquireCredentialsHandleA(NULL, NULL, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &credential, NULL));
    observe_status(run, NAME "nothing.use-0", acquire_into_nothing(0));
    observe_status(run, NAME "nothing.both", acquire_into_nothing(SECPKG_CRED_BOTH));
    observe_status(run, NAME "nothing.inbound", acquire_into_nothing(SECPKG_CRED_INBOUND));
    observe_exception(run, NAME "nothing.outbound");
    observe_status(run, NAME "no-data.outbound", acquire(SECPKG_CRED_OUTBOUND, NULL));
    observe_status(run, NAME "no-data.inbound", acquire(SECPKG_CRED_INBOUND, NULL));
}

static void try_protocols(struct conformance_run *run)
{
    const ULONG in = SECPKG_CRED_INBOUND, out = SECPKG_CRED_OUTBOUND;

    observe_status(run, NAME "server-protocols.outbound", acquire_protocols(out, TLS_SERVER));
    observe_status(run, NAME "server-protocols.inbound", acquire_protocols(in, TLS_SERVER));
    observe_status(run, NAME "client-protocols.outbound", acquire_protocols(out, TLS_CLIENT));
    observe_status(run, NAME "client-protocols.inbound", acquire_protocols(in, TLS_CLIENT));
    observe_status(run, NAME "dtls", acquire_protocols(out, DTLS_CLIENT));
    observe_status(run, NAME "dtls.tls-client", acquire_protocols(out, DTLS_CLIENT | SP_PROT_TLS1_CLIENT));
    observe_status(run, NAME "dtls.tls-server", acquire_protocols(out, DTLS_CLIENT | SP_PROT_TLS1_SERVER));
    observe_status(run, NAME "dtls.ssl3-server", acquire_protocols(out, DTLS_CLIENT | SP_PROT_SSL3_SERVER));
}

static void try_versions(struct conformance_run *run)
{
    const ULONG in = SECPKG_CRED_INBOUND, out = SECPKG_CRED_OUTBOUND;
    SCH_CREDENTIALS newest = {.dwVersion = SCH_CREDENTIALS_VERSION};

    observe_status(run, NAME "version-0.outbound", acquire_version(out, 0, NULL));
    observe_status(run, NAME "version-0.inbound", acquire_version(in, 0, NULL));
    observe_status(run, NAME "no-certificate.outbound", acquire_version(out, SCHANNEL_CRED_VERSION, NULL));
    observe_status(run, NAME "no-certificate.inbound", acquire_version(in, SCHANNEL_CRED_VERSION, NULL));
    observe_status(run, NAME "version-5", acquire(out, &newest));
    observe_exception(run, NAME "bad-pointer");
}

/* A context of no certificate at all. */
static void try_malformed(struct conformance_run *run)
{
    const CERT_CONTEXT nothing = {0};

    observe_status(run, NAME "malformed.outbound",
                   acquire_version(SECPKG_CRED_OUTBOUND, SCHANNEL_CRED_VERSION, &nothing));
    observe_status(run, NAME "malformed.inbound",
                   acquire_version(SECPKG_CRED_INBOUND, SCHANNEL_CRED_VERSION, &nothing));
}

static SECURITY_STATUS acquire_two(ULONG use, PCCERT_CONTEXT first, PCCERT_CONTEXT second)
{
    PCCERT_CONTEXT certificates[] = {first, second};
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION, .cCreds = 2, .paCred = certificates};

    return acquire(use, &cred);
}

static void try_key_less(struct conformance_run *run, PCCERT_CONTEXT good)
{
    const ULONG in = SECPKG_CRED_INBOUND, out = SECPKG_CRED_OUTBOUND;
    PCCERT_CONTEXT bare = without_key(good), lost = with_lost_key(good);

    observe_status(run, NAME "without-key.outbound", acquire_version(out, SCHANNEL_CRED_VERSION, bare));
    observe_status(run, NAME "without-key.inbound", acquire_version(in, SCHANNEL_CRED_VERSION, bare));
    observe_status(run, NAME "lost-key.version-3", acquire_version(out, SCH_CRED_V3, lost));
    observe_status(run, NAME "two.outbound", acquire_two(out, good, bare));
    observe_status(run, NAME "two.inbound", acquire_two(in, good, bare));
    observe_status(run, NAME "two.other-order", acquire_two(out, bare, good));
}

static void try_good(struct conformance_run *run, PCCERT_CONTEXT good)
{
    static const struct {
        DWORD version;
        const char *outbound, *inbound;
    } versions[] = {
        {SCH_CRED_V1, NAME "version-1.outbound", NAME "version-1.inbound"},
        {SCH_CRED_V2, NAME "version-2.outbound", NAME "version-2.inbound"},
        {SCH_CRED_V3, NAME "version-3.outbound", NAME "version-3.inbound"},
        {SCHANNEL_CRED_VERSION, NAME "version-4.outbound", NAME "version-4.inbound"},
    };

    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        observe_status(run, versions[i].outbound, acquire_version(SECPKG_CRED_OUTBOUND, versions[i].version, good));
        observe_status(run, versions[i].inbound, acquire_version(SECPKG_CRED_INBOUND, versions[i].version, good));
    }
}

static void query_names(struct conformance_run *run, PCCERT_CONTEXT good)
{
    SecPkgCredentials_NamesA names = {0};
    CredHandle credential;
    char name[STATUS_NAME_MAX];

    if (schannel_credential(SECPKG_CRED_INBOUND, 0, good, &credential)) return;
    const SECURITY_STATUS status = QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_NAMES, &names);
    observe(run, NAME "names.certificate", "%s, %s", status_name(status, name),
            names.sUserName ? names.sUserName : "-");
    if (names.sUserName) FreeContextBuffer(names.sUserName);
    FreeCredentialsHandle(&credential);
}

/* ---- certificates named by their hash ---- */

static SECURITY_STATUS acquire_by(DWORD format, void *hash)
{
    PCCERT_CONTEXT given = hash;
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION, .cCreds = 1, .paCred = &given, .dwCredFormat = format};

    return acquire(SECPKG_CRED_INBOUND, &cred);
}

/* In the user's store MY, from which it is taken again. */
static void try_hashes(struct conformance_run *run, PCCERT_CONTEXT good)
{
    SCHANNEL_CERT_HASH hash = {.dwLength = sizeof(hash)};
    SCHANNEL_CERT_HASH_STORE in_store = {.dwLength = sizeof(in_store), .pwszStoreName = L"MY"};
    DWORD size = sizeof(hash.ShaHash);
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_SYSTEM_REGISTRY_W, 0, 0, CERT_SYSTEM_STORE_CURRENT_USER, L"MY");
    PCCERT_CONTEXT added = NULL;

    CertGetCertificateContextProperty(good, CERT_SHA1_HASH_PROP_ID, hash.ShaHash, &size);
    memcpy(in_store.ShaHash, hash.ShaHash, sizeof(hash.ShaHash));
    observe_status(run, NAME "by-hash.missing", acquire_by(SCH_CRED_FORMAT_CERT_HASH, &hash));
    if (!store || !CertAddCertificateContextToStore(store, good, CERT_STORE_ADD_REPLACE_EXISTING, &added)) return;
    CertCloseStore(store, 0);
    observe_status(run, NAME "by-hash", acquire_by(SCH_CRED_FORMAT_CERT_HASH, &hash));
    observe_status(run, NAME "by-hash-in-store", acquire_by(SCH_CRED_FORMAT_CERT_HASH_STORE, &in_store));
    CertDeleteCertificateFromStore(added);
}

static void query_encoded(struct conformance_run *run, PCCERT_CONTEXT good)
{
    SecPkgCredentials_Cert encoded = {0};
    CredHandle credential;
    char name[STATUS_NAME_MAX];

    if (!schannel_credential(SECPKG_CRED_INBOUND, 0, good, &credential)) {
        const SECURITY_STATUS status = QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_CERT, &encoded);
        const bool same = encoded.EncodedCert && encoded.EncodedCertSize == good->cbCertEncoded &&
                          !memcmp(encoded.EncodedCert, good->pbCertEncoded, good->cbCertEncoded);
        observe(run, NAME "encoded", "%s, %s", status_name(status, name), same ? "its certificate" : "another");
        if (encoded.EncodedCert) FreeContextBuffer(encoded.EncodedCert);
        FreeCredentialsHandle(&credential);
    }
    if (!schannel_credential(SECPKG_CRED_OUTBOUND, 0, NULL, &credential)) {
        observe_status(run, NAME "encoded.none",
                       QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_CERT, &encoded));
        FreeCredentialsHandle(&credential);
    }
}

static void run_certificates(struct conformance_run *run)
{
    PCCERT_CONTEXT good = make_certificate(&(struct certificate_request){0});
    PCCERT_CONTEXT sealed = make_certificate(&(struct certificate_request){.sealed = true});

    if (!good || !sealed) {
        not_reached(run, "no certificate could be made, error 0x%lx", GetLastError());
        return;
    }
    try_key_less(run, good);
    try_good(run, good);
    query_names(run, good);
    query_encoded(run, good);
    try_hashes(run, good);
    observe_status(run, NAME "sealed-key", acquire_version(SECPKG_CRED_INBOUND, SCHANNEL_CRED_VERSION, sealed));
    observe_status(run, NAME "issued",
                   acquire_version(SECPKG_CRED_INBOUND, SCHANNEL_CRED_VERSION, issued_certificate()));
}

static void run_credentials(struct conformance_run *run)
{
    query_attributes(run);
    try_nothing(run);
    try_protocols(run);
    try_versions(run);
    run_certificates(run);
    delete_containers();
    try_malformed(run);
}

const struct conformance_group schannel_credentials_group = {
    .name = "schannel-credentials",
    .cases = cases,
    .case_count = COUNT_OF(cases),
    .run = run_credentials,
    .raising = raising,
    .raising_count = COUNT_OF(raising),
};
