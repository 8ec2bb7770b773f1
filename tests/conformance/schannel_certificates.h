/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Certificates for the groups of Schannel: those of schannel_pfx.h, and ones that this process signs with the same RSA
 * key, kept in a container of CAPI as Windows programs have it. What they return is for the process's life.
 */
#ifndef CONFORMANCE_SCHANNEL_CERTIFICATES_H
#define CONFORMANCE_SCHANNEL_CERTIFICATES_H

#include "harness.h"

#include <wincrypt.h>

#define CONTAINER_PROVIDER (WCHAR *)MS_ENH_RSA_AES_PROV_W

struct certificate_request {
    const WCHAR *name;      /* "CN=..."; NULL: localhost */
    CERT_NAME_BLOB subject; /* in place of that, encoded */
    CRYPT_DATA_BLOB names;  /* its subjectAltName, encoded; empty for none */
    const char *usage;      /* the one OID of its extended key usage; NULL: none */
    const char *signature;  /* OID; NULL: SHA-256 with RSA */
    int from_days, to_days; /* from now; both 0: a year */
    bool sealed;            /* its key may not be exported */
    DWORD bits;             /* of an RSA key of its own; 0: that of schannel_pfx.h */
};

/* A self-signed certificate with that key; NULL when this system does not make one. */
PCCERT_CONTEXT make_certificate(const struct certificate_request *request);

/* The same certificate without any word of a key, and one whose key is said to be in a container that is not there. */
PCCERT_CONTEXT without_key(PCCERT_CONTEXT certificate);
PCCERT_CONTEXT with_lost_key(PCCERT_CONTEXT certificate);

/* The certificate of schannel_pfx.h, in a store with its issuer, and the root; NULL when this system cannot read them.
 */
PCCERT_CONTEXT issued_certificate(void);
PCCERT_CONTEXT root_certificate(void);

/* A store of memory with just that certificate. */
HCERTSTORE store_of(PCCERT_CONTEXT certificate);

/*
 * The name of a container of CAPI, of CONTAINER_PROVIDER, with the key of schannel_pfx.h (SEALED: which may not be
 * exported), or with a new key of RSA. NULL when this system makes none. The second name is good until the next one.
 */
const WCHAR *key_container(bool sealed);
const WCHAR *new_key_container(DWORD bits);

SYSTEMTIME days_from_now(int days);

/* Deletes these containers. */
void delete_containers(void);

#endif
