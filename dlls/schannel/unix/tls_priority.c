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

/* Keywords in the order in which they are preferred. */
struct keywords {
    const char *list[24];
    unsigned count;
};

static void append(struct keywords *keywords, const char *keyword)
{
    for (unsigned i = 0; i < keywords->count; i++)
        if (!strcmp(keywords->list[i], keyword)) return;
    if (keywords->count < sizeof keywords->list / sizeof *keywords->list) keywords->list[keywords->count++] = keyword;
}

/* What is left of suites; older: of those before TLS 1.3, which name an exchange. */
struct choice {
    struct keywords ciphers, exchanges, macs;
    bool tls13, older;
};

static void append_items(struct keywords *keywords, const struct item *items, size_t count, uint32_t without)
{
    for (size_t i = 0; i < count; i++)
        if (!(items[i].without & without)) append(keywords, items[i].keyword);
}

#define APPEND(keywords, items, without) append_items((keywords), (items), sizeof(items) / sizeof *(items), (without))

static const char *find_item(const struct item *items, size_t count, const char *keyword, uint32_t without)
{
    for (size_t i = 0; keyword && i < count; i++)
        if (!strcmp(items[i].keyword, keyword) && !(items[i].without & without)) return items[i].keyword;
    return NULL;
}

#define FIND(items, keyword, without) find_item((items), sizeof(items) / sizeof *(items), (keyword), (without))

/* The suite NUMBER joins the choice, unless something of it is taken away. */
static void choose(struct choice *choice, uint16_t number, uint32_t without)
{
    const uint8_t wanted[] = {(uint8_t)(number >> 8), (uint8_t)number};
    gnutls_cipher_algorithm_t cipher;
    gnutls_kx_algorithm_t exchange;
    gnutls_mac_algorithm_t mac;
    gnutls_protocol_t version;
    uint8_t id[2];
    size_t i = 0;
    do
        if (!gnutls_cipher_suite_info(i++, id, &exchange, &cipher, &mac, &version)) return;
    while (memcmp(id, wanted, sizeof id));
    const bool tls13 = version == GNUTLS_TLS1_3;
    const char *const by_cipher = FIND(ciphers, gnutls_cipher_get_name(cipher), without),
                      *const by_mac = FIND(macs, gnutls_mac_get_name(mac), without),
                      *const by_exchange = tls13 ? "" : FIND(exchanges, gnutls_kx_get_name(exchange), without);
    if (!by_cipher || !by_mac || !by_exchange) return;
    append(&choice->ciphers, by_cipher);
    append(&choice->macs, by_mac);
    if (!tls13) append(&choice->exchanges, by_exchange);
    choice->tls13 |= tls13;
    choice->older |= !tls13;
}

static struct choice make_choice(const struct tls_suite_order *order, uint32_t without)
{
    struct choice choice = {.tls13 = !order->limited, .older = !order->limited};
    for (unsigned i = 0; i < order->count; i++) choose(&choice, order->numbers[i], without);
    if (order->limited) return choice;
    APPEND(&choice.ciphers, ciphers, without);
    APPEND(&choice.exchanges, exchanges, without);
    APPEND(&choice.macs, macs, without);
    return choice;
}

/* Whether there were any. */
static bool add(struct cs_writer *text, const struct keywords *keywords)
{
    for (unsigned i = 0; i < keywords->count; i++) {
        cs_write_span(text, (struct cs_span){(const uint8_t *)":+", 2});
        cs_write_span(text, (struct cs_span){(const uint8_t *)keywords->list[i], strlen(keywords->list[i])});
    }
    return keywords->count;
}

/* TLS 1.3 always agrees on a group; the RSA key exchange of the others needs none. */
static uint32_t usable_protocols(const struct tls_credential_request *request, const struct choice *choice)
{
    const uint32_t no_groups = TLS_WITHOUT_ECDHE | TLS_WITHOUT_DHE;
    uint32_t protocols = request->protocols;
    if ((request->without & no_groups) == no_groups || !choice->tls13) protocols &= ~versions[0].protocols;
    return choice->older ? protocols : protocols & versions[0].protocols;
}

/* Before TLS 1.2 there is CBC with SHA-1, and nothing else. */
static uint32_t without_of(const struct tls_credential_request *request)
{
    const uint32_t later =
        versions[0].protocols | versions[1].protocols | SP_PROT_DTLS1_2_CLIENT | SP_PROT_DTLS1_2_SERVER;
    const uint32_t unknown = TLS_WITHOUT_GCM | TLS_WITHOUT_CHACHA20 | TLS_WITHOUT_SHA256 | TLS_WITHOUT_SHA384;
    return request->protocols & later ? request->without : request->without | unknown;
}

static bool add_versions(struct cs_writer *text, uint32_t protocols)
{
    struct keywords keywords = {.count = 0};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        if (versions[i].protocols & protocols) append(&keywords, versions[i].keyword);
    return add(text, &keywords);
}

static bool add_signatures_and_groups(struct cs_writer *text, uint32_t without)
{
    struct keywords by_signature = {.count = 0}, by_group = {.count = 0};
    APPEND(&by_signature, signatures, without);
    APPEND(&by_group, groups, without);
    const bool any = add(text, &by_signature);
    add(text, &by_group);
    return any;
}

/*
 * %COMPAT and the like stay out: what GnuTLS checks by itself (safe renegotiation, extended master secret) is wanted.
 * PROFILE_LOW: no prime of less than 1024 bits, like Windows; without a profile any will do (CVE-2015-4000).
 * NO_TICKETS: a server's first handshake gets a key for them (tls_credential_give_tickets), for a second one see
 * tls_messages.c.
 */
SECURITY_STATUS tls_priority_make(const struct tls_credential_request *request, const struct tls_suite_order *order,
                                  gnutls_priority_t *priority)
{
    static const char start[] = "NONE:+CTYPE-X509", end[] = ":%SERVER_PRECEDENCE:%PROFILE_LOW",
                      no_tickets[] = ":%NO_TICKETS";
    struct cs_writer text = {0};
    const uint32_t without = without_of(request);
    const struct choice choice = make_choice(order, without);
    cs_write_span(&text, (struct cs_span){(const uint8_t *)start, sizeof start - 1});
    bool any = add_versions(&text, usable_protocols(request, &choice));
    any &= add(&text, &choice.ciphers) && add(&text, &choice.macs);
    any &= add(&text, &choice.exchanges) || !choice.older;
    any &= add_signatures_and_groups(&text, without);
    if (request->server) cs_write_span(&text, (struct cs_span){(const uint8_t *)no_tickets, sizeof no_tickets - 1});
    cs_write_span(&text, (struct cs_span){(const uint8_t *)end, sizeof end});
    SECURITY_STATUS status = any ? SEC_E_OK : SEC_E_ALGORITHM_MISMATCH;
    if (text.failed) status = SEC_E_INSUFFICIENT_MEMORY;
    if (status == SEC_E_OK && gnutls_priority_init(priority, (const char *)text.data, NULL))
        status = SEC_E_ALGORITHM_MISMATCH;
    cs_writer_drop(&text);
    return status;
}
