/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: stapled OCSP responses (RFC 6960): which ones are believed.
 *
 *  F3  a certificate accepted that nobody has found good
 */
#include "tls_stapled_unit.h"

#include <stdlib.h>

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
        const enum tls_stapled judged_as = judge(cs_written(&response));
        if (judged_as != responses[i].expected) print_error("%s\n", responses[i].name);
        assert_int_equal(judged_as, responses[i].expected);
        cs_writer_drop(&response);
    }
}

/* ---- in a handshake ---- */

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judged),    cmocka_unit_test(in_handshakes), cmocka_unit_test(others_than_the_leaf),
        cmocka_unit_test(every_bit), cmocka_unit_test(every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
