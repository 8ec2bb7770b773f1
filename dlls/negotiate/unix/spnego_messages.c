/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SPNEGO's messages, each with its reader and its writer side by side.
 */
#include "tlv.h"
#include "spnego.h"

#include <string.h>

#define OID(name, ...)                                                                                                 \
    static const uint8_t name##_bytes[] = {__VA_ARGS__};                                                               \
    const struct cs_span name = {name##_bytes, sizeof name##_bytes}

OID(spnego_oid, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x02);
OID(spnego_ntlm, 0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0A);
OID(spnego_negoex, 0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x1E);
OID(spnego_krb5, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x12, 0x01, 0x02, 0x02);
/* Windows 2000's slip of one bit, which Windows has offered and answered ever since. */
OID(spnego_ms_krb5, 0x2A, 0x86, 0x48, 0x82, 0xF7, 0x12, 0x01, 0x02, 0x02);
OID(spnego_krb5_user_to_user, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x12, 0x01, 0x02, 0x02, 0x03);

enum { INNER_INIT = DER_CONTEXT_0, INNER_RESP = DER_CONTEXT_0 + 1, BIT_STRING = 0x03 };

/* [n] of the fields, in the order in which a SEQUENCE has them. */
static uint8_t field(unsigned number)
{
    return (uint8_t)(DER_CONTEXT_0 + number);
}

static SECURITY_STATUS finish(const struct cs_reader *outer, const struct cs_reader *sequence)
{
    const bool whole = !outer->failed && !outer->remaining && !sequence->failed && !sequence->remaining;
    return whole ? SEC_E_OK : SEC_E_INVALID_TOKEN;
}

/* NegTokenInit */

static void read_mechs(struct cs_reader *sequence, struct spnego_init *message)
{
    struct cs_reader wrapped = cs_der_enter(sequence, field(0));
    message->mech_list = (struct cs_span){wrapped.next, wrapped.remaining};
    struct cs_reader mechs = cs_der_enter(&wrapped, DER_SEQUENCE);
    while (mechs.remaining && !mechs.failed) {
        struct cs_span mech = cs_der_read(&mechs, DER_OID);
        if (message->mech_count == SPNEGO_MOST_MECHS || !mech.size) mechs.failed = true;
        if (!mechs.failed) message->mechs[message->mech_count++] = mech;
    }
    if (mechs.failed || wrapped.failed || wrapped.remaining) sequence->failed = true;
}

/* [3] is the mechListMIC in RFC 4178 and the hints in MS-SPNG's NegTokenInit2; their inner tags tell them apart. */
static void read_mic_or_hints(struct cs_reader *sequence, struct spnego_init *message)
{
    struct cs_reader wrapped = cs_der_enter(sequence, field(3));
    if (cs_der_next_is(&wrapped, DER_OCTET_STRING)) {
        message->mech_list_mic = cs_der_read(&wrapped, DER_OCTET_STRING);
    } else {
        struct cs_reader hints = cs_der_enter(&wrapped, DER_SEQUENCE);
        if (cs_der_next_is(&hints, field(0)))
            message->hint_name = cs_der_read_explicit(&hints, field(0), DER_GENERAL_STRING);
        if (cs_der_next_is(&hints, field(1))) cs_der_read_explicit(&hints, field(1), DER_OCTET_STRING);
        if (hints.failed || hints.remaining) wrapped.failed = true;
    }
    if (wrapped.failed || wrapped.remaining) sequence->failed = true;
}

SECURITY_STATUS spnego_init_read(struct cs_span token, struct spnego_init *message)
{
    struct cs_reader outer = cs_reader_of(token), framed = cs_der_enter(&outer, DER_APPLICATION_0);
    memset(message, 0, sizeof *message);
    if (!spnego_same_oid(cs_der_read(&framed, DER_OID), spnego_oid)) framed.failed = true;
    struct cs_reader choice = cs_der_enter(&framed, INNER_INIT), sequence = cs_der_enter(&choice, DER_SEQUENCE);
    if (cs_der_next_is(&sequence, field(0))) read_mechs(&sequence, message);
    if (cs_der_next_is(&sequence, field(1))) cs_der_read_explicit(&sequence, field(1), BIT_STRING);
    if (cs_der_next_is(&sequence, field(2)))
        message->mech_token = cs_der_read_explicit(&sequence, field(2), DER_OCTET_STRING);
    if (cs_der_next_is(&sequence, field(3))) read_mic_or_hints(&sequence, message);
    if (cs_der_next_is(&sequence, field(4)) && !message->mech_list_mic.data)
        message->mech_list_mic = cs_der_read_explicit(&sequence, field(4), DER_OCTET_STRING);
    if (choice.remaining || framed.remaining || !message->mech_count) outer.failed = true;
    return finish(&outer, &sequence);
}

void spnego_mech_list_write(struct cs_writer *output, const struct spnego_init *message)
{
    const size_t start = output->size;
    for (size_t i = 0; i < message->mech_count; i++) cs_der_write(output, DER_OID, message->mechs[i]);
    cs_der_wrap(output, start, DER_SEQUENCE);
}

static void write_octets(struct cs_writer *output, unsigned number, struct cs_span octets)
{
    if (octets.data) cs_der_write_explicit(output, field(number), DER_OCTET_STRING, octets);
}

static void write_hints(struct cs_writer *output, struct cs_span name)
{
    const size_t start = output->size;
    if (!name.data) return;
    cs_der_write_explicit(output, field(0), DER_GENERAL_STRING, name);
    cs_der_wrap(output, start, DER_SEQUENCE);
    cs_der_wrap(output, start, field(3));
}

void spnego_init_write(struct cs_writer *output, const struct spnego_init *message)
{
    const size_t start = output->size;
    cs_der_write(output, DER_OID, spnego_oid);
    const size_t choice = output->size;
    spnego_mech_list_write(output, message);
    cs_der_wrap(output, choice, field(0));
    write_octets(output, 2, message->mech_token);
    write_hints(output, message->hint_name);
    write_octets(output, message->hint_name.data ? 4 : 3, message->mech_list_mic);
    cs_der_wrap(output, choice, DER_SEQUENCE);
    cs_der_wrap(output, choice, INNER_INIT);
    cs_der_wrap(output, start, DER_APPLICATION_0);
}

/* NegTokenResp */

static enum spnego_state read_state(struct cs_reader *sequence)
{
    struct cs_span state = cs_der_read_explicit(sequence, field(0), DER_ENUMERATED);
    if (state.size != 1 || *state.data > SPNEGO_REQUEST_MIC) sequence->failed = true;
    return sequence->failed ? SPNEGO_REJECT : (enum spnego_state) * state.data;
}

SECURITY_STATUS spnego_resp_read(struct cs_span token, struct spnego_resp *message)
{
    struct cs_reader outer = cs_reader_of(token), choice = cs_der_enter(&outer, INNER_RESP);
    struct cs_reader sequence = cs_der_enter(&choice, DER_SEQUENCE);
    memset(message, 0, sizeof *message);
    message->state = SPNEGO_NO_STATE;
    if (cs_der_next_is(&sequence, field(0))) message->state = read_state(&sequence);
    if (cs_der_next_is(&sequence, field(1))) {
        message->supported_mech = cs_der_read_explicit(&sequence, field(1), DER_OID);
        if (!message->supported_mech.size) sequence.failed = true;
    }
    if (cs_der_next_is(&sequence, field(2)))
        message->response_token = cs_der_read_explicit(&sequence, field(2), DER_OCTET_STRING);
    if (cs_der_next_is(&sequence, field(3)))
        message->mech_list_mic = cs_der_read_explicit(&sequence, field(3), DER_OCTET_STRING);
    if (choice.remaining) outer.failed = true;
    return finish(&outer, &sequence);
}

void spnego_resp_write(struct cs_writer *output, const struct spnego_resp *message)
{
    const size_t start = output->size;
    const uint8_t state = (uint8_t)message->state;
    if (message->state != SPNEGO_NO_STATE)
        cs_der_write_explicit(output, field(0), DER_ENUMERATED, (struct cs_span){&state, 1});
    if (message->supported_mech.data) cs_der_write_explicit(output, field(1), DER_OID, message->supported_mech);
    write_octets(output, 2, message->response_token);
    write_octets(output, 3, message->mech_list_mic);
    cs_der_wrap(output, start, DER_SEQUENCE);
    cs_der_wrap(output, start, INNER_RESP);
}
