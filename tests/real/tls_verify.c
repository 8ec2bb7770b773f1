/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `tls_verify ROOT TARGET PORT...` connects to servers on loopback, for each of which Schannel looks at the
 * certificate: whether it is TARGET's, and comes from ROOT, a certificate in DER. Prints a line for each, what its
 * handshake has ended with. `tls_verify disallow WHERE FILE`: the certificate in FILE becomes an untrusted one, of the
 * user, the machine, or the group policy of either (user, machine, user-policy, machine-policy); `allow WHERE FILE`: no
 * longer. Exit codes: 0, 1 that cannot be done, 2 not understood.
 */
#include "tls_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static BOOL read_certificate(const char *name, HCERTSTORE store)
{
    BYTE bytes[8192];
    FILE *file = fopen(name, "rb");
    const size_t size = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file) fclose(file);
    return CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, bytes, (DWORD)size,
                                            CERT_STORE_ADD_REPLACE_EXISTING, NULL);
}

static void verify(HCERTSTORE roots, const char *target, const char *port)
{
    WCHAR name[128] = L"";
    struct tls_stream stream = {0};
    const SOCKET connection = loopback_connect((unsigned short)atoi(port));
    MultiByteToWideChar(CP_ACP, 0, target, -1, name, ARRAYSIZE(name) - 1);
    if (connection == INVALID_SOCKET) {
        printf("no server\n");
        return;
    }
    if (tls_stream_open_checked(&stream, connection, roots, name))
        printf("0x00000000\n");
    else
        printf("0x%08lx\n", (unsigned long)stream.status);
    tls_stream_close(&stream);
    closesocket(connection);
}

static const struct {
    const char *name;
    DWORD location;
} places[] = {
    {"user", CERT_SYSTEM_STORE_CURRENT_USER},
    {"machine", CERT_SYSTEM_STORE_LOCAL_MACHINE},
    {"user-policy", CERT_SYSTEM_STORE_CURRENT_USER_GROUP_POLICY},
    {"machine-policy", CERT_SYSTEM_STORE_LOCAL_MACHINE_GROUP_POLICY},
};

static HCERTSTORE open_disallowed(const char *where)
{
    for (size_t i = 0; i < ARRAYSIZE(places); i++)
        if (!strcmp(places[i].name, where))
            return CertOpenStore(CERT_STORE_PROV_SYSTEM_REGISTRY_W, 0, 0, places[i].location, L"Disallowed");
    return NULL;
}

/* Another with the same issuer and number is the same to Wine's store, which is as well. */
static BOOL remove_certificate(const char *name, HCERTSTORE store)
{
    HCERTSTORE read = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, CERT_STORE_CREATE_NEW_FLAG, NULL);
    PCCERT_CONTEXT wanted = read_certificate(name, read) ? CertEnumCertificatesInStore(read, NULL) : NULL;
    PCCERT_CONTEXT found =
        wanted ? CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_EXISTING, wanted, NULL) : NULL;
    const BOOL done = found && CertDeleteCertificateFromStore(found);
    if (wanted) CertFreeCertificateContext(wanted);
    CertCloseStore(read, 0);
    return done;
}

static BOOL change_disallowed(BOOL add, const char *where, const char *name)
{
    HCERTSTORE store = open_disallowed(where);
    const BOOL done = store && (add ? read_certificate(name, store) : remove_certificate(name, store));
    if (store) CertCloseStore(store, 0);
    return done;
}

int main(int count, char **arguments)
{
    HCERTSTORE roots = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, CERT_STORE_CREATE_NEW_FLAG, NULL);
    WSADATA data;
    WSAStartup(MAKEWORD(2, 2), &data);
    if (count == 4 && (!strcmp(arguments[1], "disallow") || !strcmp(arguments[1], "allow")))
        return !change_disallowed(*arguments[1] == 'd', arguments[2], arguments[3]);
    if (count < 4) return 2;
    if (!read_certificate(arguments[1], roots)) return 1;
    for (int i = 3; i < count; i++) verify(roots, arguments[2], arguments[i]);
    return 0;
}
