/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a peer has stapled to its certificate (RFC 6066 8, RFC 8446 4.4.2.1): an OCSP response (RFC 6960) that anybody
 * may have put there. GnuTLS takes it apart; who it is from, about whom and for how long is looked at here.
 */
#include "tls_context.h"

#include "secure.h"
#include "tlv.h"

#include <gnutls/abstract.h>
#include <gnutls/ocsp.h>
#include <gnutls/x509.h>
#include <string.h>
#include <time.h>

enum {
    AHEAD = 300,         /* seconds that a responder's clock may be ahead of ours */
    WITHOUT_NEXT = 86400 /* seconds for which an answer counts that does not say when the next one is due */
};

enum { MAX_SERIAL = 128, DER_BIT_STRING = 0x03 };

/* Who is asked about, as a CertID names it (RFC 6960 4.1.1). */
struct subject {
    gnutls_x509_crt_t certificate, issuer;
    gnutls_datum_t issuer_name, key_info; /* the certificate's; of the issuer, SubjectPublicKeyInfo: owned */
    struct cs_span issuer_key;            /* its bits, in key_info */
    uint8_t serial[MAX_SERIAL];
    size_t serial_size;
};

static bool take_key(struct subject *subject)
{
    gnutls_pubkey_t key;
    if (gnutls_pubkey_init(&key)) return false;
    const bool exported = !gnutls_pubkey_import_x509(key, subject->issuer, 0) &&
                          !gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &subject->key_info);
    gnutls_pubkey_deinit(key);
    if (!exported) return false;
    struct cs_reader whole = cs_reader_of((struct cs_span){subject->key_info.data, subject->key_info.size});
    struct cs_reader info = cs_der_enter(&whole, DER_SEQUENCE);
    cs_der_read(&info, DER_SEQUENCE); /* the algorithm */
    struct cs_reader bits = cs_der_enter(&info, DER_BIT_STRING);
    cs_read_u8(&bits); /* unused bits: none */
    subject->issuer_key = cs_read_span(&bits, bits.remaining);
    return !bits.failed;
}

static bool subject_take(struct subject *subject, struct cs_span certificate, struct cs_span issuer)
{
    *subject = (struct subject){.serial_size = MAX_SERIAL};
    subject->certificate = tls_certificate_read(certificate);
    subject->issuer = tls_certificate_read(issuer);
    return subject->certificate && subject->issuer &&
           !gnutls_x509_crt_get_raw_issuer_dn(subject->certificate, &subject->issuer_name) &&
           !gnutls_x509_crt_get_serial(subject->certificate, subject->serial, &subject->serial_size) &&
           take_key(subject);
}

static void subject_drop(struct subject *subject)
{
    gnutls_x509_crt_deinit(subject->certificate);
    gnutls_x509_crt_deinit(subject->issuer);
    gnutls_free(subject->issuer_name.data);
    gnutls_free(subject->key_info.data);
}

/* One SingleResponse. */
struct answer {
    gnutls_digest_algorithm_t hash;
    gnutls_datum_t issuer_name, issuer_key, serial; /* owned; the first two hashed */
    unsigned status;                                /* gnutls_ocsp_cert_status_t */
    time_t from, to;                                /* to: -1 where nothing is said */
};

/* GnuTLS's error: GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE behind the last one. */
static int answer_take(gnutls_ocsp_resp_t response, unsigned which, struct answer *answer)
{
    *answer = (struct answer){0};
    return gnutls_ocsp_resp_get_single(response, which, &answer->hash, &answer->issuer_name, &answer->issuer_key,
                                       &answer->serial, &answer->status, &answer->from, &answer->to, NULL, NULL);
}

static void answer_drop(struct answer *answer)
{
    gnutls_free(answer->issuer_name.data);
    gnutls_free(answer->issuer_key.data);
    gnutls_free(answer->serial.data);
}

/* When ANSWER's word ends. RFC 6960 4.2.2.1: without nextUpdate there is always newer information. */
static time_t end_of(const struct answer *answer)
{
    return answer->to == (time_t)-1 ? answer->from + WITHOUT_NEXT : answer->to;
}

static bool is_current(const struct answer *answer)
{
    const time_t now = time(NULL);
    return answer->from != (time_t)-1 && answer->from <= now + AHEAD && now <= end_of(answer);
}

static bool is_hash_of(gnutls_digest_algorithm_t algorithm, const gnutls_datum_t *hash, struct cs_span bytes)
{
    uint8_t digest[64];
    const bool known = algorithm == GNUTLS_DIG_SHA1 || algorithm == GNUTLS_DIG_SHA256 ||
                       algorithm == GNUTLS_DIG_SHA384 || algorithm == GNUTLS_DIG_SHA512;
    return known && hash->size == gnutls_hash_get_len(algorithm) &&
           !gnutls_hash_fast(algorithm, bytes.data, bytes.size, digest) && cs_same(digest, hash->data, hash->size);
}

/* The name alone would be another authority's with the same name, the serial number anybody's. */
static bool is_about(const struct answer *answer, const struct subject *subject)
{
    const struct cs_span name = {subject->issuer_name.data, subject->issuer_name.size};
    return answer->serial.size == subject->serial_size &&
           !memcmp(answer->serial.data, subject->serial, subject->serial_size) &&
           is_hash_of(answer->hash, &answer->issuer_name, name) &&
           is_hash_of(answer->hash, &answer->issuer_key, subject->issuer_key);
}

/* RFC 6960 4.4: what is critical and not known is not to be passed over; none is known here. */
static bool has_critical_extension(gnutls_ocsp_resp_t response)
{
    unsigned critical = 0;
    int result = 0;
    for (unsigned i = 0; !result && !critical; i++)
        result = gnutls_ocsp_resp_get_extension(response, i, NULL, &critical, NULL);
    return critical || (result && result != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE);
}

/*
 * By the issuer, or by a certificate for that, which the issuer has signed and which comes along (RFC 6960 4.2.2.2);
 * with keys and hashes as certificates have them: SHA-1 is no more for this than for those.
 */
static bool is_signed(gnutls_ocsp_resp_t response, gnutls_x509_crt_t issuer)
{
    const int algorithm = gnutls_ocsp_resp_get_signature_algorithm(response);
    unsigned found = GNUTLS_OCSP_VERIFY_UNTRUSTED_SIGNER;
    return algorithm > 0 &&
           gnutls_sign_is_secure2((gnutls_sign_algorithm_t)algorithm, GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS) &&
           !gnutls_ocsp_resp_verify_direct(response, issuer, &found, GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_LOW)) &&
           !found;
}

/* What is revoked in any is revoked. */
static enum tls_stapled worse(enum tls_stapled found, unsigned status)
{
    if (status == GNUTLS_OCSP_CERT_REVOKED || found == TLS_STAPLED_REVOKED) return TLS_STAPLED_REVOKED;
    return status == GNUTLS_OCSP_CERT_GOOD || found == TLS_STAPLED_GOOD ? TLS_STAPLED_GOOD : TLS_STAPLED_UNKNOWN;
}

static enum tls_stapled read_answers(gnutls_ocsp_resp_t response, const struct subject *subject)
{
    enum tls_stapled found = TLS_STAPLED_INVALID;
    struct answer answer;
    for (unsigned i = 0; !answer_take(response, i, &answer); i++) {
        if (is_about(&answer, subject) && is_current(&answer)) found = worse(found, answer.status);
        answer_drop(&answer);
    }
    return found;
}

/* NULL: it is none, or no answer but the responder's excuse. The caller lets go of it. */
static gnutls_ocsp_resp_t open_response(const gnutls_datum_t *bytes)
{
    gnutls_ocsp_resp_t response;
    if (gnutls_ocsp_resp_init(&response)) return NULL;
    if (!gnutls_ocsp_resp_import(response, bytes) &&
        gnutls_ocsp_resp_get_status(response) == GNUTLS_OCSP_RESP_SUCCESSFUL)
        return response;
    gnutls_ocsp_resp_deinit(response);
    return NULL;
}

enum tls_stapled tls_stapled_judge(struct cs_span bytes, struct cs_span certificate, struct cs_span issuer)
{
    gnutls_ocsp_resp_t response = open_response(&(gnutls_datum_t){(uint8_t *)bytes.data, (unsigned)bytes.size});
    enum tls_stapled found = TLS_STAPLED_INVALID;
    struct subject subject;
    if (!response) return found;
    if (subject_take(&subject, certificate, issuer) && !has_critical_extension(response) &&
        is_signed(response, subject.issuer))
        found = read_answers(response, &subject);
    subject_drop(&subject);
    gnutls_ocsp_resp_deinit(response);
    return found;
}

int64_t tls_stapled_end(struct cs_span bytes)
{
    gnutls_ocsp_resp_t response = open_response(&(gnutls_datum_t){(uint8_t *)bytes.data, (unsigned)bytes.size});
    struct answer answer;
    int64_t end = INT64_MAX;
    if (!response) return end;
    for (unsigned i = 0; !answer_take(response, i, &answer); i++) {
        if (end_of(&answer) < end) end = end_of(&answer);
        answer_drop(&answer);
    }
    gnutls_ocsp_resp_deinit(response);
    return end;
}

bool tls_stapled_concerns(struct cs_span bytes, struct cs_span certificate)
{
    gnutls_ocsp_resp_t response = open_response(&(gnutls_datum_t){(uint8_t *)bytes.data, (unsigned)bytes.size});
    gnutls_x509_crt_t subject = tls_certificate_read(certificate);
    int result = GNUTLS_E_OCSP_RESPONSE_ERROR;
    struct answer answer;
    if (response && subject)
        for (unsigned i = 0; result && !answer_take(response, i, &answer); i++) {
            result = gnutls_ocsp_resp_check_crt(response, i, subject);
            answer_drop(&answer);
        }
    gnutls_x509_crt_deinit(subject);
    if (response) gnutls_ocsp_resp_deinit(response);
    return !result;
}
