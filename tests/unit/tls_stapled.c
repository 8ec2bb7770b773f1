/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: stapled OCSP responses (RFC 6066 8, RFC 8446 4.4.2.1, RFC 6960): which ones are believed.
 *
 *  F3  a certificate accepted that nobody has found good
 */
#include "tls_ocsp.h"
#include "tls_unit.h"

#include <gnutls/abstract.h>
#include <gnutls/ocsp.h>
#include <stdlib.h>
#include <unistd.h>

enum { HOUR = 3600, DAY = 86400 };
#define FOR_LEAF .serial = TLS_OCSP_SERIAL, .name_of = TLS_OCSP_MIDDLE, .key_of = TLS_OCSP_MIDDLE
#define NOW .from = -HOUR, .to = HOUR
#define SINGLE(...) .count = 1, .singles = {{__VA_ARGS__}}
#define ABOUT_LEAF(...) SINGLE(FOR_LEAF, __VA_ARGS__)
#define BY_MIDDLE .signer = TLS_OCSP_MIDDLE
#define GOOD_BY(who) ABOUT_LEAF(NOW), .signer = (who)

static const struct {
    const char *name;
    struct tls_ocsp response;
    enum tls_stapled expected;
} responses[] = {
    {"good", {ABOUT_LEAF(NOW), BY_MIDDLE}, TLS_STAPLED_GOOD},
    {"revoked", {ABOUT_LEAF(NOW, .status = TLS_OCSP_REVOKED), BY_MIDDLE}, TLS_STAPLED_REVOKED},
    {"unknown", {ABOUT_LEAF(NOW, .status = TLS_OCSP_UNKNOWN), BY_MIDDLE}, TLS_STAPLED_UNKNOWN},
    {"hashes of SHA-256", {ABOUT_LEAF(NOW, .sha256 = true), BY_MIDDLE}, TLS_STAPLED_GOOD},
    {"named by its key", {ABOUT_LEAF(NOW), BY_MIDDLE, .by_key = true}, TLS_STAPLED_GOOD},
    /* who has signed */
    {"responder", {GOOD_BY(TLS_OCSP_RESPONDER)}, TLS_STAPLED_GOOD},
    {"responder by key", {GOOD_BY(TLS_OCSP_RESPONDER), .by_key = true}, TLS_STAPLED_GOOD},
    {"responder's revoked",
     {ABOUT_LEAF(NOW, .status = TLS_OCSP_REVOKED), .signer = TLS_OCSP_RESPONDER},
     TLS_STAPLED_REVOKED},
    {"responder left out", {GOOD_BY(TLS_OCSP_RESPONDER), .without_certificate = true}, TLS_STAPLED_INVALID},
    {"no purpose", {GOOD_BY(TLS_OCSP_UNPURPOSED)}, TLS_STAPLED_INVALID},
    {"a server's purpose", {GOOD_BY(TLS_OCSP_SERVER)}, TLS_STAPLED_INVALID},
    {"the leaf itself", {GOOD_BY(TLS_OCSP_LEAF)}, TLS_STAPLED_INVALID},
    {"responder of the past", {GOOD_BY(TLS_OCSP_FORMER)}, TLS_STAPLED_INVALID},
    {"twin's responder", {GOOD_BY(TLS_OCSP_TWIN_RESPONDER)}, TLS_STAPLED_INVALID},
    {"root's responder", {GOOD_BY(TLS_OCSP_ROOT_RESPONDER)}, TLS_STAPLED_INVALID},
    {"twin", {GOOD_BY(TLS_OCSP_TWIN)}, TLS_STAPLED_INVALID},
    {"twin, its certificate left out", {GOOD_BY(TLS_OCSP_TWIN), .without_certificate = true}, TLS_STAPLED_INVALID},
    {"root", {GOOD_BY(TLS_OCSP_ROOT)}, TLS_STAPLED_INVALID},
    {"with SHA-1", {ABOUT_LEAF(NOW), BY_MIDDLE, .sha1 = true}, TLS_STAPLED_INVALID},
    /* about whom */
    {"another serial number",
     {SINGLE(NOW, .serial = TLS_OCSP_SERIAL + 1, .name_of = TLS_OCSP_MIDDLE, .key_of = TLS_OCSP_MIDDLE), BY_MIDDLE},
     TLS_STAPLED_INVALID},
    {"another name",
     {SINGLE(NOW, .serial = TLS_OCSP_SERIAL, .name_of = TLS_OCSP_ROOT, .key_of = TLS_OCSP_MIDDLE), BY_MIDDLE},
     TLS_STAPLED_INVALID},
    {"another key",
     {SINGLE(NOW, .serial = TLS_OCSP_SERIAL, .name_of = TLS_OCSP_MIDDLE, .key_of = TLS_OCSP_TWIN), BY_MIDDLE},
     TLS_STAPLED_INVALID},
    {"about nobody", {BY_MIDDLE}, TLS_STAPLED_INVALID},
    /* when */
    {"over", {ABOUT_LEAF(.from = -2 * HOUR, .to = -HOUR), BY_MIDDLE}, TLS_STAPLED_INVALID},
    {"revoked, over",
     {ABOUT_LEAF(.from = -2 * HOUR, .to = -HOUR, .status = TLS_OCSP_REVOKED), BY_MIDDLE},
     TLS_STAPLED_INVALID},
    {"not yet", {ABOUT_LEAF(.from = HOUR, .to = 2 * HOUR), BY_MIDDLE}, TLS_STAPLED_INVALID},
    {"a clock that is a minute ahead", {ABOUT_LEAF(.from = 60, .to = HOUR), BY_MIDDLE}, TLS_STAPLED_GOOD},
    {"without an end", {ABOUT_LEAF(.from = -HOUR), BY_MIDDLE}, TLS_STAPLED_GOOD},
    {"without an end, two days old", {ABOUT_LEAF(.from = -2 * DAY), BY_MIDDLE}, TLS_STAPLED_INVALID},
    {"without an end, not yet", {ABOUT_LEAF(.from = HOUR), BY_MIDDLE}, TLS_STAPLED_INVALID},
    /* several answers */
    {"others revoked",
     {.count = 3,
      .singles = {{NOW, .status = TLS_OCSP_REVOKED, .serial = 8, .name_of = TLS_OCSP_MIDDLE, .key_of = TLS_OCSP_MIDDLE},
                  {FOR_LEAF, NOW},
                  {NOW, .status = TLS_OCSP_REVOKED, .serial = 9, .name_of = TLS_OCSP_MIDDLE,
                   .key_of = TLS_OCSP_MIDDLE}},
      BY_MIDDLE},
     TLS_STAPLED_GOOD},
    {"another good",
     {.count = 2,
      .singles = {{NOW, .serial = 8, .name_of = TLS_OCSP_MIDDLE, .key_of = TLS_OCSP_MIDDLE},
                  {FOR_LEAF, NOW, .status = TLS_OCSP_REVOKED}},
      BY_MIDDLE},
     TLS_STAPLED_REVOKED},
    {"good and revoked",
     {.count = 2, .singles = {{FOR_LEAF, NOW}, {FOR_LEAF, NOW, .status = TLS_OCSP_REVOKED}}, BY_MIDDLE},
     TLS_STAPLED_REVOKED},
    {"revoked and good",
     {.count = 2, .singles = {{FOR_LEAF, NOW, .status = TLS_OCSP_REVOKED}, {FOR_LEAF, NOW}}, BY_MIDDLE},
     TLS_STAPLED_REVOKED},
    {"unknown and good",
     {.count = 2, .singles = {{FOR_LEAF, NOW, .status = TLS_OCSP_UNKNOWN}, {FOR_LEAF, NOW}}, BY_MIDDLE},
     TLS_STAPLED_GOOD},
    {"good, but over, and unknown",
     {.count = 2,
      .singles = {{FOR_LEAF, .from = -2 * HOUR, .to = -HOUR}, {FOR_LEAF, NOW, .status = TLS_OCSP_UNKNOWN}},
      BY_MIDDLE},
     TLS_STAPLED_UNKNOWN},
    /* the response itself */
    {"critical extension", {ABOUT_LEAF(NOW), BY_MIDDLE, .critical = true}, TLS_STAPLED_INVALID},
    {"try later, with an answer",
     {ABOUT_LEAF(NOW), BY_MIDDLE, .response_status = 3, .answers_all_the_same = true},
     TLS_STAPLED_INVALID},
    {"try later", {ABOUT_LEAF(NOW), BY_MIDDLE, .response_status = 3}, TLS_STAPLED_INVALID},
};
enum { RESPONSES = sizeof responses / sizeof *responses };

static const struct tls_world_setup versions[] = {
    {ONLY_TLS1_3},
    {ONLY_TLS1_2},
    {.client_protocols = SP_PROT_DTLS1_2_CLIENT,
     .server_protocols = SP_PROT_DTLS1_2_SERVER,
     .datagram = true,
     .mtu = 16000},
};
enum { VERSIONS = sizeof versions / sizeof *versions, STREAMS = 2 };

static enum tls_stapled judge(struct cs_span response)
{
    return tls_stapled_judge(response, tls_ocsp_der(TLS_OCSP_LEAF), tls_ocsp_der(TLS_OCSP_MIDDLE));
}

static void judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < RESPONSES; i++) {
        struct cs_writer response = {0};
        tls_ocsp_write(&response, &responses[i].response);
        const enum tls_stapled found = judge(cs_written(&response));
        if (found != responses[i].expected) print_error("%s\n", responses[i].name);
        assert_int_equal(found, responses[i].expected);
        cs_writer_drop(&response);
    }
}

/* ---- in a handshake ---- */

static enum tls_stapled found;

/* Where Windows's chain engine would be asked, before the handshake is through. */
static SECURITY_STATUS check_leaf(struct tls_context *context)
{
    assert_int_equal(tls_check_stapled(context, tls_ocsp_der(TLS_OCSP_LEAF), tls_ocsp_der(TLS_OCSP_MIDDLE), &found),
                     SEC_E_OK);
    return found == TLS_STAPLED_REVOKED ? CRYPT_E_REVOKED : SEC_E_OK;
}

/* A server that staples whatever it has; ours would not. */
static int give(gnutls_session_t session, void *data, gnutls_datum_t *response)
{
    const struct cs_span *bytes = data;
    (void)session;
    response->data = gnutls_malloc(bytes->size);
    response->size = (unsigned)bytes->size;
    memcpy(response->data, bytes->data, bytes->size);
    return 0;
}

static struct tls_world_setup setup_of(size_t version)
{
    struct tls_world_setup setup = versions[version];
    setup.server_certificate = tls_ocsp_server();
    return setup;
}

static bool shake_with(struct tls_world_pair *pair, const struct tls_world_setup *setup, struct cs_span *response)
{
    assert_int_equal(tls_world_open(pair, setup), SEC_E_OK);
    if (response)
        gnutls_certificate_set_ocsp_status_request_function2(pair->server_credential->certificates, 0, give, response);
    pair->judge = check_leaf;
    found = TLS_STAPLED_NONE;
    return tls_world_shake(pair, setup, 0);
}

static void in_handshakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < RESPONSES * VERSIONS; i++) {
        const struct tls_world_setup setup = setup_of(i % VERSIONS);
        const enum tls_stapled expected = responses[i / VERSIONS].expected;
        struct tls_world_pair pair;
        struct cs_writer response = {0};
        tls_ocsp_write(&response, &responses[i / VERSIONS].response);
        struct cs_span bytes = cs_written(&response);
        const bool through = shake_with(&pair, &setup, &bytes);
        if (found != expected) print_error("%s\n", responses[i / VERSIONS].name);
        assert_int_equal(found, expected);
        assert_int_equal(through, expected != TLS_STAPLED_REVOKED);
        if (through) tls_expect_talk(&pair);
        tls_world_close(&pair);
        cs_writer_drop(&response);
    }
}

/* RFC 8446 6.2: certificate_revoked. */
static void alert_of_a_revoked_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < VERSIONS; i++) {
        const struct tls_world_setup setup = setup_of(i);
        const struct tls_ocsp revoked = tls_ocsp_about_leaf(TLS_OCSP_REVOKED);
        struct tls_world_pair pair;
        struct cs_writer response = {0};
        tls_ocsp_write(&response, &revoked);
        struct cs_span bytes = cs_written(&response);
        assert_false(shake_with(&pair, &setup, &bytes));
        assert_int_equal(pair.client_status, CRYPT_E_REVOKED);
        assert_int_equal(pair.server_status, CRYPT_E_REVOKED);
        assert_int_equal(gnutls_alert_get(pair.server->session), 44);
        tls_world_close(&pair);
        cs_writer_drop(&response);
    }
}

/* A program gets it as it came, also one that would not count; a server has none of its client's. */
static void bytes_of_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < VERSIONS; i++) {
        const struct tls_world_setup setup = setup_of(i);
        struct tls_world_pair pair;
        struct cs_writer output = {0};
        struct cs_span bytes = {(const uint8_t *)"no response at all", 18};
        assert_true(shake_with(&pair, &setup, &bytes));
        assert_int_equal(found, TLS_STAPLED_INVALID);
        assert_int_equal(tls_query_bytes(pair.client, TLS_STAPLED, &output), SEC_E_OK);
        assert_int_equal(output.size, bytes.size);
        assert_memory_equal(output.data, bytes.data, bytes.size);
        cs_writer_drop(&output);
        assert_int_equal(tls_query_bytes(pair.server, TLS_STAPLED, &output), SEC_E_NO_CREDENTIALS);
        tls_world_close(&pair);
        assert_true(shake_with(&pair, &setup, NULL));
        assert_int_equal(found, TLS_STAPLED_NONE);
        assert_int_equal(tls_query_bytes(pair.client, TLS_STAPLED, &output), SEC_E_NO_CREDENTIALS);
        tls_world_close(&pair);
    }
}

/* Whoever is not in the peer's chain has no answer, and who is called issuer must be it. */
static void others_than_the_leaf(void **state)
{
    static const enum tls_ocsp_certificate issuers[] = {TLS_OCSP_TWIN, TLS_OCSP_ROOT, TLS_OCSP_LEAF,
                                                        TLS_OCSP_RESPONDER};
    (void)state;
    for (size_t i = 0; i < VERSIONS; i++) {
        const struct tls_world_setup setup = setup_of(i);
        const struct tls_ocsp good = tls_ocsp_about_leaf(TLS_OCSP_GOOD);
        const struct cs_span leaf = tls_ocsp_der(TLS_OCSP_LEAF), none = {NULL, 0};
        struct tls_world_pair pair;
        struct cs_writer response = {0};
        tls_ocsp_write(&response, &good);
        struct cs_span bytes = cs_written(&response);
        assert_true(shake_with(&pair, &setup, &bytes));
        for (size_t j = 0; j < sizeof issuers / sizeof *issuers; j++) {
            assert_int_equal(tls_check_stapled(pair.client, leaf, tls_ocsp_der(issuers[j]), &found), SEC_E_OK);
            assert_int_equal(found, TLS_STAPLED_INVALID);
        }
        assert_int_equal(tls_check_stapled(pair.client, leaf, none, &found), SEC_E_OK);
        assert_int_equal(found, TLS_STAPLED_INVALID);
        for (unsigned j = 0; j < TLS_OCSP_CERTIFICATES; j++) {
            if (j == TLS_OCSP_LEAF) continue;
            tls_check_stapled(pair.client, tls_ocsp_der(j), tls_ocsp_der(TLS_OCSP_MIDDLE), &found);
            assert_int_equal(found, TLS_STAPLED_NONE);
        }
        tls_world_close(&pair);
        cs_writer_drop(&response);
    }
}

/* ---- every certificate of TLS 1.3 has its own ---- */

static gnutls_ocsp_data_st of_chain[2];

static int choose_chain(gnutls_session_t session, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **chain,
                        unsigned *count, gnutls_ocsp_data_st **stapled, unsigned *stapled_count, gnutls_privkey_t *key,
                        unsigned *flags)
{
    const struct tls_world_certificate *server = tls_ocsp_server();
    const gnutls_datum_t pkcs8 = {(uint8_t *)server->key.data, (unsigned)server->key.size};
    gnutls_datum_t certificates[2];
    (void)session;
    (void)info;
    assert_int_equal(tls_chain_read(server->chain, certificates, 2, count), SEC_E_OK);
    *chain = gnutls_malloc(2 * sizeof **chain);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(gnutls_pcert_import_x509_raw(&(*chain)[i], &certificates[i], GNUTLS_X509_FMT_DER, 0), 0);
    assert_int_equal(gnutls_privkey_init(key), 0);
    assert_int_equal(gnutls_privkey_import_x509_raw(*key, &pkcs8, GNUTLS_X509_FMT_DER, NULL, 0), 0);
    *stapled = gnutls_malloc(sizeof of_chain);
    memcpy(*stapled, of_chain, sizeof of_chain);
    *stapled_count = 2;
    *flags = GNUTLS_CERT_RETR_DEINIT_ALL; /* what is in of_chain, too */
    return 0;
}

static void intermediates(void **state)
{
    const struct tls_world_setup setup = setup_of(0);
    struct tls_ocsp about[] = {tls_ocsp_about_leaf(TLS_OCSP_GOOD), tls_ocsp_about_leaf(TLS_OCSP_REVOKED)};
    struct tls_world_pair pair;
    (void)state;
    about[1].signer = about[1].singles[0].name_of = about[1].singles[0].key_of = TLS_OCSP_ROOT;
    about[1].singles[0].serial = 0x20 + TLS_OCSP_MIDDLE;
    for (unsigned i = 0; i < 2; i++) {
        struct cs_writer written = {0};
        tls_ocsp_write(&written, &about[i]);
        struct cs_span bytes = cs_written(&written);
        give(NULL, &bytes, &of_chain[i].response);
        cs_writer_drop(&written);
    }
    assert_int_equal(tls_world_open(&pair, &setup), SEC_E_OK);
    gnutls_certificate_set_retrieve_function3(pair.server_credential->certificates, choose_chain);
    pair.judge = check_leaf;
    assert_true(tls_world_shake(&pair, &setup, 0));
    assert_int_equal(found, TLS_STAPLED_GOOD);
    tls_check_stapled(pair.client, tls_ocsp_der(TLS_OCSP_MIDDLE), tls_ocsp_der(TLS_OCSP_ROOT), &found);
    assert_int_equal(found, TLS_STAPLED_REVOKED);
    tls_world_close(&pair);
}

/* ---- forged, cut and stretched ---- */

static size_t find(struct cs_span whole, struct cs_span part)
{
    const uint8_t *at = memmem(whole.data, whole.size, part.data, part.size);
    assert_non_null(at);
    return (size_t)(at - whole.data);
}

/* What is signed, and the signature, behind which nothing comes. */
static void every_bit(void **state)
{
    (void)state;
    for (unsigned status = TLS_OCSP_GOOD; status <= TLS_OCSP_UNKNOWN; status++) {
        const struct tls_ocsp description = tls_ocsp_about_leaf(status);
        struct cs_writer tbs = {0}, response = {0};
        tls_ocsp_write_data(&tbs, &description);
        tls_ocsp_sign(&response, &description, cs_written(&tbs));
        const size_t start = find(cs_written(&response), cs_written(&tbs)), end = start + tbs.size;
        const size_t signature = end + 12 + 3; /* behind its algorithm, and its own header */
        assert_int_equal(response.data[end + 12], 0x03);
        for (size_t i = 0; i < 8 * response.size; i++) {
            response.data[i / 8] ^= (uint8_t)(1 << i % 8);
            const enum tls_stapled judged_as = judge(cs_written(&response));
            const bool inside = (i / 8 >= start && i / 8 < end) || i / 8 >= signature;
            assert_true(judged_as == TLS_STAPLED_INVALID || (!inside && judged_as == status + TLS_STAPLED_GOOD));
            response.data[i / 8] ^= (uint8_t)(1 << i % 8);
        }
        assert_int_equal(judge(cs_written(&response)), status + TLS_STAPLED_GOOD);
        cs_writer_drop(&tbs);
        cs_writer_drop(&response);
    }
}

static void every_length(void **state)
{
    const struct tls_ocsp good = tls_ocsp_about_leaf(TLS_OCSP_GOOD);
    struct cs_writer response = {0};
    (void)state;
    tls_ocsp_write(&response, &good);
    for (size_t size = 0; size < response.size; size++) {
        uint8_t *copy = size ? malloc(size) : NULL; /* so that a sanitizer sees where it ends */
        if (size) memcpy(copy, response.data, size);
        assert_int_equal(judge((struct cs_span){copy, size}), TLS_STAPLED_INVALID);
        free(copy);
    }
    cs_write_u8(&response, 0);
    assert_int_equal(judge(cs_written(&response)), TLS_STAPLED_INVALID);
    cs_writer_drop(&response);
}

/* ---- asking ---- */

static bool asks(struct cs_span hello)
{
    enum { STATUS_REQUEST = 5 };
    struct cs_reader reader = cs_reader_of(hello);
    cs_read_span(&reader, 5 + 4 + 2 + 32); /* the record's header, the message's, version and random */
    cs_read_span(&reader, cs_read_u8(&reader));
    cs_read_span(&reader, cs_read_be(&reader, 2));
    cs_read_span(&reader, cs_read_u8(&reader));
    struct cs_reader extensions = cs_reader_of(cs_read_span(&reader, cs_read_be(&reader, 2)));
    bool found_it = false;
    while (extensions.remaining && !extensions.failed) {
        const uint64_t type = cs_read_be(&extensions, 2);
        const struct cs_span body = cs_read_span(&extensions, cs_read_be(&extensions, 2));
        found_it |= type == STATUS_REQUEST && body.size == 5 && body.data[0] == 1; /* ocsp, anybody, no extension */
    }
    assert_false(reader.failed || extensions.failed);
    return found_it;
}

/* Windows's ClientHellos have status_request, with whatever flags. */
static void every_hello_asks(void **state)
{
    (void)state;
    for (size_t i = 0; i < STREAMS; i++) {
        const struct tls_world_setup setup = setup_of(i);
        struct tls_world_pair pair;
        struct cs_writer hello = {0};
        size_t consumed;
        assert_int_equal(tls_world_open(&pair, &setup), SEC_E_OK);
        tls_world_leg(&pair, &setup, true, (struct cs_span){NULL, 0}, &consumed, &hello);
        assert_true(asks(cs_written(&hello)));
        cs_writer_drop(&hello);
        tls_world_close(&pair);
    }
}

/* ---- our server ---- */

static void expect_from_server(const struct tls_ocsp *description, struct cs_span bytes, enum tls_stapled expected)
{
    for (size_t i = 0; i < VERSIONS; i++) {
        struct tls_world_setup setup = setup_of(i);
        struct tls_world_pair pair;
        struct cs_writer response = {0}, came = {0};
        if (description) tls_ocsp_write(&response, description);
        setup.stapled = description ? cs_written(&response) : bytes;
        assert_int_equal(shake_with(&pair, &setup, NULL), expected != TLS_STAPLED_REVOKED);
        assert_int_equal(found, expected);
        if (expected != TLS_STAPLED_NONE) {
            assert_int_equal(tls_query_bytes(pair.client, TLS_STAPLED, &came), SEC_E_OK);
            assert_int_equal(came.size, response.size);
            assert_memory_equal(came.data, response.data, came.size);
        }
        tls_world_close(&pair);
        cs_writer_drop(&came);
        cs_writer_drop(&response);
    }
}

/* It staples what it was given, whatever that says, but nothing that is of no use to anybody; it serves all the same.
 */
static void server_staples(void **state)
{
    struct tls_ocsp description = tls_ocsp_about_leaf(TLS_OCSP_GOOD);
    const struct cs_span none = {NULL, 0}, garbage = {(const uint8_t *)"no response at all", 18};
    (void)state;
    expect_from_server(&description, none, TLS_STAPLED_GOOD);
    description.signer = TLS_OCSP_RESPONDER;
    expect_from_server(&description, none, TLS_STAPLED_GOOD);
    description.singles[0].status = TLS_OCSP_REVOKED;
    expect_from_server(&description, none, TLS_STAPLED_REVOKED);
    description.singles[0].serial++;
    expect_from_server(&description, none, TLS_STAPLED_NONE);
    description = tls_ocsp_about_leaf(TLS_OCSP_GOOD);
    description.singles[0].from = -2 * HOUR;
    description.singles[0].to = -HOUR;
    expect_from_server(&description, none, TLS_STAPLED_NONE);
    expect_from_server(NULL, garbage, TLS_STAPLED_NONE);
    expect_from_server(NULL, none, TLS_STAPLED_NONE);
}

/* What was good when the credential was made may have become outdated since. */
static void server_staples_no_longer(void **state)
{
    struct tls_ocsp description = tls_ocsp_about_leaf(TLS_OCSP_GOOD);
    struct tls_world_pair pairs[VERSIONS];
    struct cs_writer response = {0};
    (void)state;
    description.singles[0].to = 2;
    tls_ocsp_write(&response, &description);
    for (size_t i = 0; i < VERSIONS; i++) {
        struct tls_world_setup setup = setup_of(i);
        setup.stapled = cs_written(&response);
        assert_true(shake_with(&pairs[i], &setup, NULL));
        assert_int_equal(found, TLS_STAPLED_GOOD);
        tls_world_hang_up(&pairs[i]);
    }
    sleep(4);
    for (size_t i = 0; i < VERSIONS; i++) {
        const struct tls_world_setup setup = setup_of(i);
        assert_true(tls_world_shake(&pairs[i], &setup, 0));
        assert_int_equal(found, TLS_STAPLED_NONE);
        tls_expect_talk(&pairs[i]);
        tls_world_close(&pairs[i]);
    }
    cs_writer_drop(&response);
}

/* ---- resumption ---- */

static bool resumed(struct tls_context *context)
{
    struct tls_info info;
    assert_int_equal(tls_query(context, &info), SEC_E_OK);
    return info.resumed;
}

/* The answer is kept with the session, and looked at again. */
static void resumption(void **state)
{
    (void)state;
    for (size_t i = 0; i < STREAMS; i++) {
        struct tls_world_setup setup = setup_of(i);
        const struct tls_ocsp good = tls_ocsp_about_leaf(TLS_OCSP_GOOD);
        struct tls_world_pair pair;
        struct cs_writer response = {0};
        tls_ocsp_write(&response, &good);
        setup.resume = true;
        setup.stapled = cs_written(&response);
        assert_true(shake_with(&pair, &setup, NULL));
        for (unsigned again = 0; again < 2; again++) {
            tls_world_hang_up(&pair);
            found = TLS_STAPLED_NONE;
            assert_true(tls_world_shake(&pair, &setup, 0));
            assert_true(resumed(pair.client));
            assert_int_equal(found, TLS_STAPLED_GOOD);
        }
        tls_world_close(&pair);
        cs_writer_drop(&response);
    }
}

/* Once that is outdated the session is not resumed, for with it no other answer would come. */
static void resumption_too_late(void **state)
{
    (void)state;
    for (size_t i = 0; i < STREAMS; i++) {
        struct tls_world_setup setup = setup_of(i);
        struct tls_ocsp good = tls_ocsp_about_leaf(TLS_OCSP_GOOD);
        struct tls_world_pair pair;
        struct cs_writer brief = {0}, next = {0};
        good.singles[0].to = 2;
        tls_ocsp_write(&brief, &good);
        good.singles[0].to = HOUR;
        tls_ocsp_write(&next, &good);
        struct cs_span bytes = cs_written(&brief);
        setup.resume = true;
        assert_true(shake_with(&pair, &setup, &bytes));
        assert_int_equal(found, TLS_STAPLED_GOOD);
        tls_world_hang_up(&pair);
        sleep(4);
        bytes = cs_written(&next);
        assert_true(tls_world_shake(&pair, &setup, 0));
        assert_false(resumed(pair.client));
        assert_int_equal(found, TLS_STAPLED_GOOD);
        tls_world_close(&pair);
        cs_writer_drop(&brief);
        cs_writer_drop(&next);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judged),
        cmocka_unit_test(in_handshakes),
        cmocka_unit_test(alert_of_a_revoked_one),
        cmocka_unit_test(bytes_of_it),
        cmocka_unit_test(others_than_the_leaf),
        cmocka_unit_test(intermediates),
        cmocka_unit_test(every_bit),
        cmocka_unit_test(every_length),
        cmocka_unit_test(every_hello_asks),
        cmocka_unit_test(server_staples),
        cmocka_unit_test(server_staples_no_longer),
        cmocka_unit_test(resumption),
        cmocka_unit_test(resumption_too_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
