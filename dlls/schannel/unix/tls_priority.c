/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What may be negotiated, as a priority string of GnuTLS's: in Windows 11's order, less what a credential takes away.
 */
#include "tls_context.h"

#include <stdio.h>
#include <string.h>

struct item {
    const char *keyword;
    uint32_t without; /* any of these takes it away */
};

static const struct {
    const char *keyword;
    uint32_t protocols;
} versions[] = {
    {"VERS-TLS1.3", SP_PROT_TLS1_3_CLIENT | SP_PROT_TLS1_3_SERVER},
    {"VERS-TLS1.2", SP_PROT_TLS1_2_CLIENT | SP_PROT_TLS1_2_SERVER},
    {"VERS-TLS1.1", SP_PROT_TLS1_1_CLIENT | SP_PROT_TLS1_1_SERVER},
    {"VERS-TLS1.0", SP_PROT_TLS1_0_CLIENT | SP_PROT_TLS1_0_SERVER},
    {"VERS-DTLS1.2", SP_PROT_DTLS1_2_CLIENT | SP_PROT_DTLS1_2_SERVER},
    {"VERS-DTLS1.0", SP_PROT_DTLS1_0_CLIENT | SP_PROT_DTLS1_0_SERVER},
};

static const struct item ciphers[] = {
    {"AES-256-GCM", TLS_WITHOUT_AES256 | TLS_WITHOUT_GCM}, {"AES-128-GCM", TLS_WITHOUT_AES128 | TLS_WITHOUT_GCM},
    {"CHACHA20-POLY1305", TLS_WITHOUT_CHACHA20},           {"AES-256-CBC", TLS_WITHOUT_AES256 | TLS_WITHOUT_CBC},
    {"AES-128-CBC", TLS_WITHOUT_AES128 | TLS_WITHOUT_CBC},
};

static const struct item exchanges[] = {
    {"ECDHE-ECDSA", TLS_WITHOUT_ECDHE | TLS_WITHOUT_ECDSA},
    {"ECDHE-RSA", TLS_WITHOUT_ECDHE | TLS_WITHOUT_RSA_SIGNATURES},
    {"DHE-RSA", TLS_WITHOUT_DHE | TLS_WITHOUT_RSA_SIGNATURES},
    {"RSA", TLS_WITHOUT_RSA_KEY_EXCHANGE},
};

static const struct item signatures[] = {
    {"SIGN-ECDSA-SECP256R1-SHA256", TLS_WITHOUT_ECDSA},
    {"SIGN-ECDSA-SHA256", TLS_WITHOUT_ECDSA},
    {"SIGN-RSA-PSS-RSAE-SHA256", TLS_WITHOUT_RSA_SIGNATURES},
    {"SIGN-RSA-PSS-SHA256", TLS_WITHOUT_RSA_SIGNATURES},
    {"SIGN-RSA-SHA256", TLS_WITHOUT_RSA_SIGNATURES},
    {"SIGN-ECDSA-SECP384R1-SHA384", TLS_WITHOUT_ECDSA},
    {"SIGN-ECDSA-SHA384", TLS_WITHOUT_ECDSA},
    {"SIGN-RSA-PSS-RSAE-SHA384", TLS_WITHOUT_RSA_SIGNATURES},
    {"SIGN-RSA-PSS-SHA384", TLS_WITHOUT_RSA_SIGNATURES},
    {"SIGN-RSA-SHA384", TLS_WITHOUT_RSA_SIGNATURES},
    {"SIGN-EDDSA-ED25519", 0},
    {"SIGN-ECDSA-SECP521R1-SHA512", TLS_WITHOUT_ECDSA},
    {"SIGN-ECDSA-SHA512", TLS_WITHOUT_ECDSA},
    {"SIGN-RSA-PSS-RSAE-SHA512", TLS_WITHOUT_RSA_SIGNATURES},
    {"SIGN-RSA-PSS-SHA512", TLS_WITHOUT_RSA_SIGNATURES},
    {"SIGN-RSA-SHA512", TLS_WITHOUT_RSA_SIGNATURES},
    {"SIGN-RSA-SHA1", TLS_WITHOUT_RSA_SIGNATURES | TLS_WITHOUT_SHA1},
    {"SIGN-ECDSA-SHA1", TLS_WITHOUT_ECDSA | TLS_WITHOUT_SHA1},
};

/* MACs of CBC suites. AEAD is no MAC, but has a keyword. */
static const struct item macs[] = {
    {"AEAD", 0},
    {"SHA384", TLS_WITHOUT_SHA384},
    {"SHA256", TLS_WITHOUT_SHA256},
    {"SHA1", TLS_WITHOUT_SHA1},
};

/* Windows 11's curves, and the finite fields of RFC 7919 for DHE. */
static const struct item groups[] = {
    {"GROUP-X25519", TLS_WITHOUT_ECDHE},    {"GROUP-SECP256R1", TLS_WITHOUT_ECDHE},
    {"GROUP-SECP384R1", TLS_WITHOUT_ECDHE}, {"GROUP-SECP521R1", TLS_WITHOUT_ECDHE},
    {"GROUP-FFDHE2048", TLS_WITHOUT_DHE},   {"GROUP-FFDHE3072", TLS_WITHOUT_DHE},
    {"GROUP-FFDHE4096", TLS_WITHOUT_DHE},
};

static bool add(struct cs_writer *text, const char *keyword)
{
    cs_write_span(text, (struct cs_span){(const uint8_t *)":+", 2});
    cs_write_span(text, (struct cs_span){(const uint8_t *)keyword, strlen(keyword)});
    return true;
}

/* Whether anything was left. */
static bool add_items(struct cs_writer *text, const struct item *items, size_t count, uint32_t without)
{
    bool any = false;
    for (size_t i = 0; i < count; i++)
        if (!(items[i].without & without)) any = add(text, items[i].keyword);
    return any;
}

#define ADD(text, items, without) add_items((text), (items), sizeof(items) / sizeof *(items), (without))

static bool add_versions(struct cs_writer *text, uint32_t protocols)
{
    bool any = false;
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        if (versions[i].protocols & protocols) any = add(text, versions[i].keyword);
    return any;
}

/* TLS 1.3 always agrees on a group; the RSA key exchange of the others needs none. */
static uint32_t usable_protocols(const struct tls_credential_request *request)
{
    const uint32_t none = TLS_WITHOUT_ECDHE | TLS_WITHOUT_DHE;
    return (request->without & none) == none ? request->protocols & ~versions[0].protocols : request->protocols;
}

/* Before TLS 1.2 there is CBC with SHA-1, and nothing else. */
static uint32_t without_of(const struct tls_credential_request *request)
{
    const uint32_t later =
        versions[0].protocols | versions[1].protocols | SP_PROT_DTLS1_2_CLIENT | SP_PROT_DTLS1_2_SERVER;
    const uint32_t unknown = TLS_WITHOUT_GCM | TLS_WITHOUT_CHACHA20 | TLS_WITHOUT_SHA256 | TLS_WITHOUT_SHA384;
    return request->protocols & later ? request->without : request->without | unknown;
}

/*
 * %COMPAT and the like stay out: what GnuTLS checks by itself (safe renegotiation, extended master secret) is wanted.
 * PROFILE_LOW: no prime of less than 1024 bits, like Windows; without a profile any will do (CVE-2015-4000).
 */
SECURITY_STATUS tls_priority_make(const struct tls_credential_request *request, gnutls_priority_t *priority)
{
    static const char start[] = "NONE:+CTYPE-X509", end[] = ":%SERVER_PRECEDENCE:%PROFILE_LOW";
    struct cs_writer text = {0};
    const uint32_t without = without_of(request);
    cs_write_span(&text, (struct cs_span){(const uint8_t *)start, sizeof start - 1});
    bool any = add_versions(&text, usable_protocols(request));
    any &= ADD(&text, ciphers, without);
    any &= ADD(&text, exchanges, without);
    any &= ADD(&text, signatures, without);
    any &= ADD(&text, macs, without);
    ADD(&text, groups, without);
    cs_write_span(&text, (struct cs_span){(const uint8_t *)end, sizeof end});
    SECURITY_STATUS status = any ? SEC_E_OK : SEC_E_ALGORITHM_MISMATCH;
    if (text.failed) status = SEC_E_INSUFFICIENT_MEMORY;
    if (status == SEC_E_OK && gnutls_priority_init(priority, (const char *)text.data, NULL))
        status = SEC_E_ALGORITHM_MISMATCH;
    cs_writer_drop(&text);
    return status;
}
