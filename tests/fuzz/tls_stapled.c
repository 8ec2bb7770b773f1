/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target: OCSP responses that a peer has stapled. Input: how, and a response; or changes to one that says
 * "revoked", or to what is signed of it, before it is. Nothing is believed that the issuer has not signed.
 */
#include "changes.h"
#include "fuzz.h"
#include "tls_context.h"
#include "tls_ocsp.h"

enum { WHOLE, CHANGED, SIGNED, HOWS };
enum { MOST_CHANGES = 8 };

static void write_changed(struct cs_writer *response, struct cs_reader *input, bool before_it_is_signed)
{
    const struct tls_ocsp revoked = tls_ocsp_about_leaf(TLS_OCSP_REVOKED);
    struct cs_writer tbs = {0};
    tls_ocsp_write_data(&tbs, &revoked);
    if (before_it_is_signed) fuzz_change(&tbs, input, MOST_CHANGES);
    tls_ocsp_sign(response, &revoked, cs_written(&tbs));
    if (!before_it_is_signed) fuzz_change(response, input, MOST_CHANGES);
    cs_writer_drop(&tbs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cs_reader reader = cs_reader_of((struct cs_span){data, size});
    const unsigned how = cs_read_u8(&reader) % HOWS;
    const struct cs_span leaf = tls_ocsp_der(TLS_OCSP_LEAF), middle = tls_ocsp_der(TLS_OCSP_MIDDLE);
    struct cs_writer response = {0};
    if (how == WHOLE)
        cs_write_span(&response, fuzz_rest(&reader));
    else
        write_changed(&response, &reader, how == SIGNED);
    const enum tls_stapled found = tls_stapled_judge(cs_written(&response), leaf, middle);
    fuzz_require(how != WHOLE || found == TLS_STAPLED_INVALID, "somebody else's word");
    fuzz_require(how != CHANGED || found == TLS_STAPLED_INVALID || found == TLS_STAPLED_REVOKED, "another word");
    const bool concerns = tls_stapled_concerns(cs_written(&response), leaf);
    fuzz_require(concerns || found == TLS_STAPLED_INVALID, "a word about somebody else");
    tls_stapled_end(cs_written(&response));
    cs_writer_drop(&response);
    return 0;
}
