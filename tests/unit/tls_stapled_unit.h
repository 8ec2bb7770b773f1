/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the unit tests of stapled OCSP responses share: a pair whose client asks what the answer is.
 */
#ifndef COUNTERSIGN_TESTS_TLS_STAPLED_UNIT_H
#define COUNTERSIGN_TESTS_TLS_STAPLED_UNIT_H

#include "tls_ocsp.h"
#include "tls_unit.h"

#include <gnutls/ocsp.h>

enum { HOUR = 3600, DAY = 86400 };

static const struct tls_world_setup versions[] = {
    {ONLY_TLS1_3},
    {ONLY_TLS1_2},
    {.client_protocols = SP_PROT_DTLS1_2_CLIENT,
     .server_protocols = SP_PROT_DTLS1_2_SERVER,
     .datagram = true,
     .mtu = 16000},
};
enum { VERSIONS = sizeof versions / sizeof *versions, STREAMS = 2 };

/* What the answer was the last time. */
static enum tls_stapled found;

/* Where Windows's chain engine would be asked, before the handshake is through. */
static inline SECURITY_STATUS check_leaf(struct tls_context *context)
{
    assert_int_equal(tls_check_stapled(context, tls_ocsp_der(TLS_OCSP_LEAF), tls_ocsp_der(TLS_OCSP_MIDDLE), &found),
                     SEC_E_OK);
    return found == TLS_STAPLED_REVOKED ? CRYPT_E_REVOKED : SEC_E_OK;
}

/* A server that staples whatever it has; ours would not. */
static inline int give(gnutls_session_t session, void *data, gnutls_datum_t *response)
{
    const struct cs_span *bytes = data;
    (void)session;
    response->data = gnutls_malloc(bytes->size);
    response->size = (unsigned)bytes->size;
    memcpy(response->data, bytes->data, bytes->size);
    return 0;
}

static inline struct tls_world_setup setup_of(size_t version)
{
    struct tls_world_setup setup = versions[version];
    setup.server_certificate = tls_ocsp_server();
    return setup;
}

static inline bool shake_with(struct tls_world_pair *pair, const struct tls_world_setup *setup,
                              struct cs_span *response)
{
    assert_int_equal(tls_world_open(pair, setup), SEC_E_OK);
    if (response)
        gnutls_certificate_set_ocsp_status_request_function2(pair->server_credential->certificates, 0, give, response);
    pair->judge = check_leaf;
    found = TLS_STAPLED_NONE;
    return tls_world_shake(pair, setup, 0);
}

#endif
