/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stapled OCSP responses. The Unix half reads what the peer has stapled: PE code only carries it, between there and a
 * certificate's property, which is where Windows's programs put theirs and find the peer's.
 */
#include "schannel.h"

UINT32 schannel_stapled_check(const struct schannel_context *context, PCCERT_CONTEXT certificate, PCCERT_CONTEXT issuer)
{
    struct cs_block_tls_stapled block = {.context = context->context,
                                         .certificate =
                                             sp_bytes(certificate->pbCertEncoded, certificate->cbCertEncoded),
                                         .issuer = sp_bytes(issuer->pbCertEncoded, issuer->cbCertEncoded)};
    return CountersignCall(CS_CALL_TLS_CHECK_STAPLED, &block) == SEC_E_OK ? block.found : STAPLED_NONE;
}

/* Where crypt32 does not store it, the program does without, as with a server that staples nothing. */
void schannel_stapled_attach(const struct schannel_context *context, PCCERT_CONTEXT certificate)
{
    CRYPT_DATA_BLOB response;
    if (schannel_bytes(context, STAPLED, &response.pbData, &response.cbData)) return;
    CertSetCertificateContextProperty(certificate, CERT_OCSP_RESPONSE_PROP_ID, 0, &response);
    HeapFree(GetProcessHeap(), 0, response.pbData);
}

BYTE *schannel_stapled_read(PCCERT_CONTEXT certificate, DWORD *size)
{
    BYTE *response;
    *size = 0;
    if (!CertGetCertificateContextProperty(certificate, CERT_OCSP_RESPONSE_PROP_ID, NULL, size)) return NULL;
    response = HeapAlloc(GetProcessHeap(), 0, *size ? *size : 1);
    if (response && CertGetCertificateContextProperty(certificate, CERT_OCSP_RESPONSE_PROP_ID, response, size))
        return response;
    HeapFree(GetProcessHeap(), 0, response);
    *size = 0;
    return NULL;
}
