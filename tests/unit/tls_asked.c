/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: a server's wish for a certificate is found in its flight however that is cut into records and legs (F1),
 * and nothing else is taken for one.
 */
#include "tls_context.h"
#include "unit.h"

/* ServerHello with a body that looks like a CertificateRequest, CertificateRequest, ServerHelloDone (RFC 5246 7.4). */
static const uint8_t asking[] = {2, 0, 0, 5, 13, 0, 0, 0, 13, 13, 0, 0, 4, 1, 1, 0, 0, 14, 0, 0, 0};
static const uint8_t not_asking[] = {2, 0, 0, 5, 13, 0, 0, 0, 13, 14, 0, 0, 0};

static void write_record(struct cs_writer *output, uint8_t type, const uint8_t *bytes, size_t size)
{
    cs_write_u8(output, type);
    cs_write_be(output, 0x0303, 2);
    cs_write_be(output, size, 2);
    cs_write_span(output, (struct cs_span){bytes, size});
}

/* Two records of one leg, or of two. */
static bool finds(const uint8_t *flight, size_t size, size_t cut, bool two_legs)
{
    struct tls_scan state = {.have = 0};
    struct cs_writer first = {0}, second = {0};
    write_record(&first, TLS_HANDSHAKE, flight, cut);
    write_record(two_legs ? &second : &first, TLS_HANDSHAKE, flight + cut, size - cut);
    bool found = tls_asks_for_certificate(&state, cs_written(&first));
    found |= tls_asks_for_certificate(&state, cs_written(&second));
    if (found) {
        assert_int_equal(state.request.size, 4);
        assert_memory_equal(state.request.data, asking + 13, 4);
    }
    cs_writer_drop(&state.request);
    cs_writer_drop(&first);
    cs_writer_drop(&second);
    return found;
}

static void found_however_cut(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= sizeof asking; cut++) {
        assert_true(finds(asking, sizeof asking, cut, false));
        assert_true(finds(asking, sizeof asking, cut, true));
    }
}

static void not_found_in_others(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= sizeof not_asking; cut++) {
        assert_false(finds(not_asking, sizeof not_asking, cut, false));
        assert_false(finds(not_asking, sizeof not_asking, cut, true));
    }
}

/* What follows change_cipher_spec is encrypted, and an alert is no message. */
static void other_records_are_passed_over(void **state)
{
    static const uint8_t change[] = {1}, alert[] = {13, 0, 0, 0};
    struct tls_scan scan = {.have = 0};
    struct cs_writer records = {0};
    (void)state;
    write_record(&records, TLS_ALERT, alert, sizeof alert);
    write_record(&records, TLS_CHANGE_CIPHER_SPEC, change, sizeof change);
    write_record(&records, TLS_HANDSHAKE, asking, sizeof asking);
    assert_false(tls_asks_for_certificate(&scan, cs_written(&records)));
    cs_writer_drop(&records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_however_cut),
        cmocka_unit_test(not_found_in_others),
        cmocka_unit_test(other_records_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
