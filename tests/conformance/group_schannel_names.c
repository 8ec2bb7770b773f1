/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose certificate it is: the names in a server's certificate against pszTargetName, where Schannel looks itself. What
 * is refused is what passes one host's certificate off as another's.
 */
#include "groups.h"
#include "schannel_certificates.h"
#include "schannel_pair.h"
#include "status.h"

#include <stdio.h>
#include <string.h>

#define NAME "schannel-names/"

#define GOOD "SEC_E_OK"
#define BAD "SEC_E_WRONG_PRINCIPAL"

/* GeneralName's tags (RFC 5280 4.2.1.6). */
enum { MAIL = 0x81, DNS = 0x82, ADDRESS = 0x87 };

/* A name, whatever its bytes. */
struct name {
    BYTE tag;
    const char *bytes;
    BYTE size;
};

#define BYTES(text) text, sizeof(text) - 1

#define RFC2818 "RFC 2818 3.1"
#define RFC6125 "RFC 6125 6.4"
#define NUL "bug classes F3: a name that ends at its NUL"

static const struct conformance_case cases[] = {
    {NAME "dns", RFC2818, GOOD, NULL, WINE_SAME},
    {NAME "dns.second", RFC2818, GOOD, NULL, WINE_SAME},
    {NAME "dns.case", RFC6125 ".1", GOOD, NULL, WINE_SAME},
    {NAME "dns.absolute", RFC6125 ".1", GOOD, NULL, WINE_SAME},
    {NAME "dns.suffix", RFC2818, BAD, NULL, WINE_SAME},
    {NAME "dns.prefix", RFC2818, BAD, NULL, WINE_SAME},
    {NAME "dns.longer", RFC2818, BAD, NULL, WINE_SAME},
    {NAME "dns.sub", RFC2818, BAD, NULL, WINE_SAME},
    {NAME "dns.nul", NUL, BAD, NULL, WINE_SAME},
    {NAME "wildcard", RFC6125 ".3", GOOD, NULL, WINE_SAME},
    {NAME "wildcard.case", RFC6125 ".3", GOOD, NULL, WINE_SAME},
    {NAME "wildcard.two-labels", RFC6125 ".3", BAD, NULL, WINE_SAME},
    {NAME "wildcard.none", RFC6125 ".3", BAD, NULL, WINE_SAME},
    {NAME "wildcard.inside", RFC6125 ".3", BAD, NULL, WINE_SAME},
    {NAME "wildcard.alone", RFC6125 ".3", BAD, NULL, WINE_SAME},
    {NAME "wildcard.of-a-domain", RFC6125 " 7.2", BAD, NULL, WINE_SAME},
    {NAME "wildcard.address", RFC6125 ".3", BAD, NULL, WINE_SAME},
    {NAME "wildcard.address.spelling", RFC6125 ".3", BAD, NULL, WINE_SAME},
    {NAME "address", RFC2818, GOOD, NULL, WINE_SAME},
    {NAME "address.second", RFC2818, GOOD, NULL, WINE_SAME},
    {NAME "address.other", RFC2818, BAD, NULL, WINE_SAME},
    {NAME "address.longer", RFC2818, BAD, NULL, WINE_SAME},
    {NAME "address.6", RFC2818, GOOD, NULL, WINE_SAME},
    {NAME "address.6.spelling", RFC2818, GOOD, NULL, WINE_SAME},
    {NAME "common", RFC2818, GOOD, NULL, WINE_SAME},
    {NAME "common.beside-dns", RFC2818, BAD, NULL, WINE_SAME},
    {NAME "common.beside-mail", RFC2818, GOOD, NULL, WINE_SAME},
    {NAME "common.wildcard", RFC2818, GOOD, NULL, WINE_SAME},
    {NAME "common.nul", NUL, BAD, NULL, WINE_SAME},
};

/* The cases' certificates: common name, and subjectAltName, none where the first one has no bytes. */
static const struct attempt {
    const char *what;
    const char *target;
    const char *common;
    BYTE common_size;
    struct name names[2];
} attempts[] = {
    {"dns", "server.test", BYTES("other"), {{DNS, BYTES("server.test")}}},
    {"dns.second", "server.test", BYTES("other"), {{DNS, BYTES("a.test")}, {DNS, BYTES("server.test")}}},
    {"dns.case", "SERVER.test", BYTES("other"), {{DNS, BYTES("server.TEST")}}},
    {"dns.absolute", "server.test.", BYTES("other"), {{DNS, BYTES("server.test")}}},
    {"dns.suffix", "server.test", BYTES("other"), {{DNS, BYTES("r.test")}}},
    {"dns.prefix", "server.test", BYTES("other"), {{DNS, BYTES("server.tes")}}},
    {"dns.longer", "server.test", BYTES("other"), {{DNS, BYTES("server.test.other")}}},
    {"dns.sub", "server.test", BYTES("other"), {{DNS, BYTES("a.server.test")}}},
    {"dns.nul", "server.test", BYTES("other"), {{DNS, BYTES("server.test\0.evil.test")}}},
    {"wildcard", "a.server.test", BYTES("other"), {{DNS, BYTES("*.server.test")}}},
    {"wildcard.case", "A.Server.Test", BYTES("other"), {{DNS, BYTES("*.server.test")}}},
    {"wildcard.two-labels", "a.b.server.test", BYTES("other"), {{DNS, BYTES("*.server.test")}}},
    {"wildcard.none", "server.test", BYTES("other"), {{DNS, BYTES("*.server.test")}}},
    {"wildcard.inside", "a.b.test", BYTES("other"), {{DNS, BYTES("a.*.test")}}},
    {"wildcard.alone", "localhost", BYTES("other"), {{DNS, BYTES("*")}}},
    {"wildcard.of-a-domain", "server.test", BYTES("other"), {{DNS, BYTES("*.test")}}},
    {"wildcard.address", "127.0.0.1", BYTES("other"), {{DNS, BYTES("*.0.0.1")}}},
    {"wildcard.address.spelling", "127.0.1", BYTES("other"), {{DNS, BYTES("*.0.1")}}},
    {"address", "127.0.0.1", BYTES("other"), {{ADDRESS, BYTES("\x7f\0\0\1")}}},
    {"address.second", "127.0.0.1", BYTES("other"), {{DNS, BYTES("a.b")}, {ADDRESS, BYTES("\x7f\0\0\1")}}},
    {"address.other", "127.0.0.1", BYTES("other"), {{ADDRESS, BYTES("\x7f\0\0\2")}}},
    {"address.longer", "127.0.0.1", BYTES("other"), {{ADDRESS, BYTES("\x7f\0\0\1\xff\0\0\0")}}},
    {"address.6", "::1", BYTES("other"), {{ADDRESS, BYTES("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1")}}},
    {"address.6.spelling", "0:0::0:1", BYTES("other"), {{ADDRESS, BYTES("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1")}}},
    {"common", "server.test", BYTES("server.test"), {{0}}},
    {"common.beside-dns", "server.test", BYTES("server.test"), {{DNS, BYTES("other.test")}}},
    {"common.beside-mail", "server.test", BYTES("server.test"), {{MAIL, BYTES("a@b.test")}}},
    {"common.wildcard", "a.server.test", BYTES("*.server.test"), {{0}}},
    {"common.nul", "server.test", BYTES("server.test\0.evil.test"), {{0}}},
};

/* GeneralNames, all of it short. Returns its size. */
static DWORD encode_names(const struct name *names, BYTE *bytes)
{
    BYTE *end = bytes + 2;

    for (size_t i = 0; i < 2 && names[i].bytes; i++) {
        *end++ = names[i].tag;
        *end++ = names[i].size;
        memcpy(end, names[i].bytes, names[i].size);
        end += names[i].size;
    }
    bytes[0] = 0x30;
    bytes[1] = (BYTE)(end - bytes - 2);
    return (DWORD)(end - bytes);
}

/* A Name of one common name, a UTF8String. Returns its size. */
static DWORD encode_common(const char *common, BYTE size, BYTE *bytes)
{
    const BYTE head[] = {0x30, size + 11, 0x31, size + 9, 0x30, size + 7, 0x06, 3, 0x55, 4, 3, 0x0C, size};

    memcpy(bytes, head, sizeof(head));
    memcpy(bytes + sizeof(head), common, size);
    return (DWORD)sizeof(head) + size;
}

static void try_attempt(struct conformance_run *run, const struct attempt *attempt)
{
    char id[64];
    BYTE common[128], names[128];
    const struct certificate_request request = {
        .subject = {encode_common(attempt->common, attempt->common_size, common), common},
        .names = {attempt->names[0].bytes ? encode_names(attempt->names, names) : 0, names}};
    struct schannel_setup setup = {.protocols = SP_PROT_TLS1_2_CLIENT,
                                   .client_cred_flags = SCH_CRED_AUTO_CRED_VALIDATION,
                                   .target = attempt->target};
    struct schannel_pair pair;

    setup.server_certificate = make_certificate(&request);
    if (!setup.server_certificate) return;
    setup.client_roots = store_of(setup.server_certificate);
    schannel_pair_run(&pair, &setup);
    snprintf(id, sizeof(id), NAME "%s", attempt->what);
    if (pair.client.leg_count) observe_status(run, id, pair.client.status);
    schannel_pair_close(&pair);
    CertCloseStore(setup.client_roots, 0);
    CertFreeCertificateContext(setup.server_certificate);
}

static void run_names(struct conformance_run *run)
{
    for (size_t i = 0; i < COUNT_OF(attempts); i++) try_attempt(run, &attempts[i]);
    delete_containers();
}

const struct conformance_group schannel_names_group = {
    .name = "schannel-names",
    .cases = cases,
    .case_count = COUNT_OF(cases),
    .run = run_names,
};
