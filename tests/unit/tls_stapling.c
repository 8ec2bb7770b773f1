/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: OCSP stapling (RFC 6066 8, RFC 8446 4.4.2.1): asking, stapling, and what becomes of an answer.
 */
#include "tls_stapled_unit.h"

#include "tlv.h"

#include <gnutls/abstract.h>
#include <time.h>
#include <unistd.h>

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

/* ---- answers ---- */

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

/* ---- every certificate of TLS 1.3 has its own ---- */

static struct cs_writer of_chain[2];

/* GnuTLS frees all of it. */
static gnutls_ocsp_data_st *copy_responses(void)
{
    gnutls_ocsp_data_st *copies = gnutls_calloc(2, sizeof *copies);
    for (unsigned i = 0; i < 2; i++) {
        struct cs_span bytes = cs_written(&of_chain[i]);
        give(NULL, &bytes, &copies[i].response);
    }
    return copies;
}

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
    *stapled = copy_responses();
    *stapled_count = 2;
    *flags = GNUTLS_CERT_RETR_DEINIT_ALL;
    return 0;
}

/* The leaf is good; what the root says of the middle is good for TO seconds. */
static void write_for_chain(enum tls_ocsp_status of_middle, int to)
{
    struct tls_ocsp about[] = {tls_ocsp_about_leaf(TLS_OCSP_GOOD), tls_ocsp_about_leaf(of_middle)};
    about[1].signer = about[1].singles[0].name_of = about[1].singles[0].key_of = TLS_OCSP_ROOT;
    about[1].singles[0].serial = TLS_OCSP_OTHERS + TLS_OCSP_MIDDLE;
    about[1].singles[0].to = to;
    for (unsigned i = 0; i < 2; i++) {
        cs_writer_drop(&of_chain[i]);
        tls_ocsp_write(&of_chain[i], &about[i]);
    }
}

static enum tls_stapled about_middle(struct tls_world_pair *pair)
{
    enum tls_stapled result;
    assert_int_equal(
        tls_check_stapled(pair->client, tls_ocsp_der(TLS_OCSP_MIDDLE), tls_ocsp_der(TLS_OCSP_ROOT), &result), SEC_E_OK);
    return result;
}

static void intermediates(void **state)
{
    struct tls_world_setup setup = setup_of(0);
    struct tls_world_pair pair;
    (void)state;
    setup.resume = true;
    assert_int_equal(tls_world_open(&pair, &setup), SEC_E_OK);
    gnutls_certificate_set_retrieve_function3(pair.server_credential->certificates, choose_chain);
    pair.judge = check_leaf;
    write_for_chain(TLS_OCSP_GOOD, 2);
    for (unsigned round = 0; round < 3; round++) {
        assert_true(tls_world_shake(&pair, &setup, 0));
        assert_int_equal(resumed(pair.client), round == 1); /* the third comes when the middle's is outdated */
        assert_int_equal(found, TLS_STAPLED_GOOD);
        assert_int_equal(about_middle(&pair), round < 2 ? TLS_STAPLED_GOOD : TLS_STAPLED_REVOKED);
        tls_world_hang_up(&pair);
        if (round == 1) write_for_chain(TLS_OCSP_REVOKED, HOUR);
        if (round == 1) sleep(4);
    }
    tls_world_close(&pair);
    for (unsigned i = 0; i < 2; i++) cs_writer_drop(&of_chain[i]);
}

/* ---- a server that keeps its client at work ---- */

/* As long as GnuTLS takes one, of as many answers as that has room for. */
static void write_long_response(struct cs_writer *response)
{
    enum { ANSWERS = 550 };
    const struct tls_ocsp good = tls_ocsp_about_leaf(TLS_OCSP_GOOD);
    struct cs_writer one = {0}, tbs = {0};
    tls_ocsp_write_data(&one, &good);
    struct cs_reader whole = cs_reader_of(cs_written(&one));
    struct cs_reader data = cs_der_enter(&whole, DER_SEQUENCE);
    const struct cs_span responder = cs_der_read(&data, DER_CONTEXT_0 + 1), when = cs_der_read(&data, 0x18);
    const struct cs_span single = cs_der_read(&data, DER_SEQUENCE);
    cs_der_write(&tbs, DER_CONTEXT_0 + 1, responder);
    cs_der_write(&tbs, 0x18, when);
    const size_t start = tbs.size;
    for (unsigned i = 0; i < ANSWERS; i++) cs_write_span(&tbs, single);
    cs_der_wrap(&tbs, start, DER_SEQUENCE);
    cs_der_wrap(&tbs, 0, DER_SEQUENCE);
    tls_ocsp_sign(response, &good, cs_written(&tbs));
    cs_writer_drop(&one);
    cs_writer_drop(&tbs);
}

/* Of this thread, in microseconds. */
static int64_t spent(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), 0);
    return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* An answer is read when it comes, not with each of many tickets, which are small. */
static void many_tickets(void **state)
{
    enum { TICKETS = 400 };
    struct tls_world_setup setup = setup_of(0);
    struct cs_writer response = {0};
    struct tls_world_pair pair;
    struct cs_buffer buffers[4];
    (void)state;
    setup.resume = true;
    setup.habits = TLS_QUIET;
    write_long_response(&response);
    struct cs_span bytes = cs_written(&response);
    assert_true(shake_with(&pair, &setup, &bytes));
    assert_int_equal(found, TLS_STAPLED_GOOD);
    assert_int_equal(tls_world_open_record(pair.client, pair.left.data, pair.left.size, buffers), SEC_E_OK);
    tls_records_give_back(pair.server);
    int64_t start = spent();
    tls_stapled_end(bytes);
    const int64_t once = spent() - start;
    const uint64_t taken = pair.client->read.sequence;
    for (unsigned i = 0; i < TICKETS; i++) assert_int_equal(gnutls_session_ticket_send(pair.server->session, 1, 0), 0);
    start = spent();
    assert_int_equal(
        tls_world_open_record(pair.client, pair.server->outgoing.data, pair.server->outgoing.size, buffers), SEC_E_OK);
    const int64_t all = spent() - start;
    assert_int_equal(pair.client->read.sequence - taken, TICKETS);
    assert_true(all < TICKETS / 4 * once);
    tls_world_close(&pair);
    cs_writer_drop(&response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_hello_asks),
        cmocka_unit_test(alert_of_a_revoked_one),
        cmocka_unit_test(bytes_of_it),
        cmocka_unit_test(server_staples),
        cmocka_unit_test(server_staples_no_longer),
        cmocka_unit_test(resumption),
        cmocka_unit_test(resumption_too_late),
        cmocka_unit_test(intermediates),
        cmocka_unit_test(many_tickets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
