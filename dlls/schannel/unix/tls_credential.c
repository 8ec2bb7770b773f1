/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Credentials: what may be negotiated, and a certificate with its key.
 */
#include "tls_context.h"

#include "secure.h"
#include "utf16.h"

#include <gnutls/abstract.h>
#include <gnutls/dtls.h>
#include <gnutls/ocsp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void tls_credential_addref(struct tls_credential *credential)
{
    __atomic_add_fetch(&credential->references, 1, __ATOMIC_RELAXED);
}

static void drop_key(gnutls_datum_t *key)
{
    if (key->data) cs_wipe(key->data, key->size);
    gnutls_free(key->data);
    *key = (gnutls_datum_t){NULL, 0};
}

bool tls_credential_give_tickets(struct tls_credential *credential, gnutls_session_t session)
{
    const bool whole = cs_lock(&credential->lock);
    const bool given = whole && (!credential->ticket_key.data ||
                                 !gnutls_session_ticket_enable_server(session, &credential->ticket_key));
    /* In seconds, of tickets, too; GnuTLS divides by it. */
    gnutls_db_set_cache_expiration(session, (int)(credential->lifespan / 1000 + 1));
    cs_unlock(&credential->lock);
    return given;
}

bool tls_credential_renew_tickets(struct tls_credential *credential)
{
    gnutls_datum_t key = {NULL, 0};
    if (!cs_lock(&credential->lock) || !credential->ticket_key.data) {
        cs_unlock(&credential->lock);
        return true; /* it gives none, or, after a thread has died, none any more */
    }
    const bool made = !gnutls_session_ticket_key_generate(&key);
    if (made) {
        drop_key(&credential->ticket_key);
        credential->ticket_key = key;
    }
    cs_unlock(&credential->lock);
    return made;
}

void tls_credential_release(struct tls_credential *credential)
{
    if (!credential || __atomic_sub_fetch(&credential->references, 1, __ATOMIC_ACQ_REL)) return;
    tls_sessions_forget(credential->number);
    if (credential->priority) gnutls_priority_deinit(credential->priority);
    if (credential->datagram_priority) gnutls_priority_deinit(credential->datagram_priority);
    if (credential->certificates) gnutls_certificate_free_credentials(credential->certificates);
    drop_key(&credential->ticket_key);
    drop_key(&credential->cookie_key);
    pthread_mutex_destroy(&credential->lock);
    cs_span_drop(&credential->chain);
    cs_span_drop(&credential->stapled);
    free(credential);
}

/* The certificates of CHAIN as GnuTLS takes them; *count is how many were made, also on failure. */
static SECURITY_STATUS import_chain(struct cs_span chain, gnutls_pcert_st *out, unsigned *count)
{
    gnutls_datum_t certificates[TLS_MAX_CHAIN];
    unsigned present;
    SECURITY_STATUS status = tls_chain_read(chain, certificates, TLS_MAX_CHAIN, &present);
    *count = 0;
    while (status == SEC_E_OK && *count < present) {
        if (gnutls_pcert_import_x509_raw(&out[*count], &certificates[*count], GNUTLS_X509_FMT_DER, 0))
            status = SEC_E_UNKNOWN_CREDENTIALS;
        else
            (*count)++;
    }
    return status;
}

/* Hands over certificates and key; GnuTLS compares the two, and keeps them once it has taken them. */
static SECURITY_STATUS give_certificate(struct tls_credential *credential, gnutls_pcert_st *chain, unsigned count,
                                        const struct tls_credential_request *request)
{
    gnutls_privkey_t key;
    if (request->key_format == TLS_KEY_NONE) return SEC_E_NO_CREDENTIALS;
    SECURITY_STATUS status = tls_key_read(request->key, request->key_format, &key);
    if (status) return status;
    if (gnutls_certificate_set_key(credential->certificates, NULL, 0, chain, (int)count, key) < 0) {
        gnutls_privkey_deinit(key);
        return SEC_E_UNKNOWN_CREDENTIALS;
    }
    return SEC_E_OK;
}

static SECURITY_STATUS set_certificate(struct tls_credential *credential, const struct tls_credential_request *request)
{
    gnutls_pcert_st *chain = calloc(TLS_MAX_CHAIN, sizeof *chain);
    unsigned count;
    if (!chain || !cs_span_copy(&credential->chain, request->chain)) {
        free(chain);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    SECURITY_STATUS status = import_chain(request->chain, chain, &count);
    if (status == SEC_E_OK) status = give_certificate(credential, chain, count, request);
    for (unsigned i = 0; status && i < count; i++) gnutls_pcert_deinit(&chain[i]);
    free(chain);
    return status;
}

/* GnuTLS's: a copy for one handshake. What has become outdated is as good as none. */
static int give_stapled(gnutls_session_t session, void *data, gnutls_datum_t *response)
{
    const struct tls_credential *credential = data;
    (void)session;
    if (time(NULL) > tls_stapled_end(credential->stapled)) return GNUTLS_E_NO_CERTIFICATE_STATUS;
    response->data = gnutls_malloc(credential->stapled.size);
    if (!response->data) return GNUTLS_E_MEMORY_ERROR;
    response->size = (unsigned)credential->stapled.size;
    memcpy(response->data, credential->stapled.data, credential->stapled.size);
    return 0;
}

/*
 * GnuTLS's own way keeps silent about what has been revoked. A server whose response is of no use serves all the same,
 * as one whose responder was not there.
 */
static SECURITY_STATUS set_stapled(struct tls_credential *credential, struct cs_span stapled)
{
    gnutls_datum_t certificate;
    unsigned count;
    tls_chain_read(credential->chain, &certificate, 1, &count); /* the first of however many */
    if (!count || !tls_stapled_concerns(stapled, (struct cs_span){certificate.data, certificate.size})) return SEC_E_OK;
    if (!cs_span_copy(&credential->stapled, stapled)) return SEC_E_INSUFFICIENT_MEMORY;
    return gnutls_certificate_set_ocsp_status_request_function2(credential->certificates, 0, give_stapled, credential)
               ? SEC_E_INSUFFICIENT_MEMORY
               : SEC_E_OK;
}

/* Either is enough, but whatever is asked for must come of something (errors.tsv, SEC_E_ALGORITHM_MISMATCH), unless it
 * is the administrator's list that has nothing for DTLS, as one of TLS 1.3's suites. */
static SECURITY_STATUS make_priorities(struct tls_credential *credential, const struct tls_credential_request *request)
{
    const uint32_t datagram =
        SP_PROT_DTLS1_0_CLIENT | SP_PROT_DTLS1_0_SERVER | SP_PROT_DTLS1_2_CLIENT | SP_PROT_DTLS1_2_SERVER;
    struct tls_credential_request stream_request = *request, datagram_request = *request;
    stream_request.protocols &= ~datagram;
    datagram_request.protocols &= datagram;
    SECURITY_STATUS status = SEC_E_OK;
    if (stream_request.protocols)
        status = tls_priority_make(&stream_request, &credential->suites, &credential->priority);
    if (status || !datagram_request.protocols) return status;
    if (request->server && gnutls_key_generate(&credential->cookie_key, GNUTLS_COOKIE_KEY_SIZE))
        return SEC_E_INSUFFICIENT_MEMORY;
    status = tls_priority_make(&datagram_request, &credential->suites, &credential->datagram_priority);
    return status == SEC_E_ALGORITHM_MISMATCH && credential->suites.limited && credential->priority ? SEC_E_OK : status;
}

static SECURITY_STATUS fill(struct tls_credential *credential, const struct tls_credential_request *request)
{
    if (!tls_suite_order_read(request->suites, &credential->suites)) return SEC_E_INSUFFICIENT_MEMORY;
    SECURITY_STATUS status = make_priorities(credential, request);
    if (status) return status;
    if (gnutls_certificate_allocate_credentials(&credential->certificates)) return SEC_E_INSUFFICIENT_MEMORY;
    /* RFC 7919's group of 2048 bits also for clients that do not name it. */
    if (gnutls_certificate_set_known_dh_params(credential->certificates, GNUTLS_SEC_PARAM_MEDIUM))
        return SEC_E_INSUFFICIENT_MEMORY;
    if (request->chain.size) status = set_certificate(credential, request);
    if (status == SEC_E_OK && request->stapled.size) status = set_stapled(credential, request->stapled);
    if (status == SEC_E_OK) status = tls_issuers_offer(credential->certificates, request->issuers);
    if (status == SEC_E_OK && request->server && request->resume &&
        gnutls_session_ticket_key_generate(&credential->ticket_key))
        status = SEC_E_INSUFFICIENT_MEMORY;
    return status;
}

SECURITY_STATUS tls_credential_new(const struct tls_credential_request *request, struct tls_credential **out)
{
    struct tls_credential *credential = calloc(1, sizeof *credential);
    if (!credential) return SEC_E_INSUFFICIENT_MEMORY;
    if (!cs_lock_init(&credential->lock)) {
        free(credential);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    static uint64_t numbers;
    credential->references = 1;
    credential->number = __atomic_add_fetch(&numbers, 1, __ATOMIC_RELAXED);
    credential->server = request->server;
    credential->resume = request->resume;
    credential->lifespan = request->lifespan ? request->lifespan : TLS_USUAL_LIFESPAN;
    credential->habits = request->habits;
    credential->protocols = request->protocols;
    SECURITY_STATUS status = fill(credential, request);
    if (status) {
        tls_credential_release(credential);
        return status;
    }
    *out = credential;
    return SEC_E_OK;
}
