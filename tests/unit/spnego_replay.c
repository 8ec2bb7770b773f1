/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * win2019-ntlm-in-spnego-smb through both state machines: each role is given what Windows's peer sent, and must send
 * what Windows sent, to the byte, both mechListMICs included. What ours says otherwise is asserted, with the reason.
 */
#include "replay/capture.h"

#include <string.h>

static const struct cs_span nothing = {NULL, 0};

/* The capture, to the byte */

static void initiator(void **state)
{
    struct capture_end client = capture_client(capture_client_random);
    (void)state;
    expect_hex(cs_token(client.context), spnego_smb_authenticate);
    assert_null(cs_context_session(client.context));
    assert_int_equal(capture_feed_hex(&client, spnego_smb_accept), SEC_E_OK);
    assert_int_equal(cs_token(client.context).size, 0);
    capture_expect_session(&client);
    capture_close(&client);
}

/* With the acceptor's NegTokenInit2 before it, as the capture has it, and without */
static void acceptor(void **state)
{
    (void)state;
    for (int hints = 0; hints < 2; hints++) {
        struct capture_end server = capture_open(false, capture_server_random, true);
        if (hints) assert_int_equal(capture_feed(&server, nothing), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(capture_feed_hex(&server, spnego_smb_negotiate), SEC_I_CONTINUE_NEEDED);
        expect_hex(cs_token(server.context), spnego_smb_challenge);
        assert_int_equal(capture_feed_hex(&server, spnego_smb_authenticate), SEC_E_OK);
        expect_hex(cs_token(server.context), spnego_smb_accept);
        capture_expect_session(&server);
        capture_close(&server);
    }
}

/* What the two come to fits together, behind the MICs. */
static void both_ends(void **state)
{
    struct capture_end client = capture_client(capture_client_random), server;
    (void)state;
    assert_int_equal(capture_feed_hex(&client, spnego_smb_accept), SEC_E_OK);
    server = capture_server(capture_server_random);
    assert_int_equal(capture_feed_hex(&server, spnego_smb_authenticate), SEC_E_OK);
    const struct pair both = {.client = client.context, .server = server.context};
    expect_messages_pass(&both);
    capture_close(&client);
    capture_close(&server);
}

/* What ours says otherwise */

/* The hints: of the mechanisms those that can run here, in Windows's order; else the same bytes. */
static void own_hints(void **state)
{
    const struct bytes captured = unhex(spnego_smb_hints);
    struct capture_end server = capture_open(false, capture_server_random, false);
    struct spnego_init theirs, ours, kept;
    struct cs_writer written = {0};
    (void)state;
    assert_int_equal(capture_feed(&server, nothing), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(spnego_init_read(cs_token(server.context), &ours), SEC_E_OK);
    assert_int_equal(spnego_init_read(span_over(&captured), &theirs), SEC_E_OK);
    kept = theirs;
    kept.mech_count = 0;
    for (size_t i = 0; i < theirs.mech_count; i++)
        for (size_t j = 0; j < ours.mech_count; j++)
            if (spnego_same_oid(theirs.mechs[i], ours.mechs[j])) kept.mechs[kept.mech_count++] = theirs.mechs[i];
    assert_true(kept.mech_count > 0);
    spnego_init_write(&written, &kept);
    assert_int_equal(cs_token(server.context).size, written.size);
    assert_memory_equal(cs_token(server.context).data, written.data, written.size);
    cs_writer_drop(&written);
    capture_close(&server);
}

/* Puts the capture's client in the place of what ours says of itself at OFFSET. */
static void reword_version(struct bytes *message, size_t offset)
{
    const struct bytes version = unhex(capture_client_version);
    assert_true(offset + version.size <= message->size);
    expect_hex(((struct cs_span){message->data + offset, version.size}), capture_own_version);
    memcpy(message->data + offset, version.data, version.size);
}

static struct bytes bytes_of(struct cs_span span)
{
    struct bytes bytes = {.size = span.size};
    assert_true(span.size && span.size <= sizeof bytes.data);
    memcpy(bytes.data, span.data, span.size);
    return bytes;
}

/* VERSION is the later build that ours says it is, and NTLM's MIC covers it in two messages; all else is the same. */
static void own_client(void **state)
{
    static const char captured_mic[] = "79ff21273b3c5d1c59cf8b5d8d2dc5b7";
    struct capture_end client = capture_open(true, capture_client_random, false);
    struct spnego_init init;
    (void)state;
    assert_int_equal(capture_feed(&client, nothing), SEC_I_CONTINUE_NEEDED);
    struct bytes ours = bytes_of(cs_token(client.context));
    assert_int_equal(spnego_init_read(span_over(&ours), &init), SEC_E_OK);
    reword_version(&ours, (size_t)(init.mech_token.data - ours.data) + NEGOTIATE_VERSION);
    expect_hex(span_over(&ours), spnego_smb_negotiate);
    assert_int_equal(capture_feed_hex(&client, spnego_smb_challenge), SEC_I_CONTINUE_NEEDED);
    ours = bytes_of(cs_token(client.context));
    const size_t token = capture_offset_of_token(&ours);
    const struct bytes mic = unhex(captured_mic);
    assert_memory_not_equal(ours.data + token + NTLM_MIC_OFFSET, mic.data, mic.size);
    memcpy(ours.data + token + NTLM_MIC_OFFSET, mic.data, mic.size);
    reword_version(&ours, token + AUTHENTICATE_VERSION);
    expect_hex(span_over(&ours), spnego_smb_authenticate);
    assert_int_equal(capture_feed_hex(&client, spnego_smb_accept), SEC_E_OK);
    capture_expect_session(&client);
    capture_close(&client);
}

static void expect_same_span(struct cs_span left, struct cs_span right)
{
    assert_int_equal(left.size, right.size);
    assert_memory_equal(left.data, right.data, left.size);
}

/* In the same order, but for the forest. */
static void expect_same_order(struct cs_span ours, struct cs_span captured)
{
    struct cs_reader left = cs_reader_of(ours), right = cs_reader_of(captured);
    while (right.remaining) {
        const uint16_t id = cs_read_u16(&right);
        cs_read_span(&right, cs_read_u16(&right));
        if (id == MsvAvDnsTreeName) continue;
        assert_int_equal(cs_read_u16(&left), id);
        cs_read_span(&left, cs_read_u16(&left));
    }
    assert_int_equal(left.remaining, 0);
}

/* A machine in no domain is its own, and has no forest; what it says of itself and of the time is the capture's. */
static void expect_own_target_info(struct cs_span own_info, struct cs_span captured_info)
{
    static const enum ntlm_av_id same[] = {MsvAvNbComputerName, MsvAvDnsComputerName, MsvAvTimestamp};
    struct ntlm_av_pairs ours, captured;
    assert_int_equal(ntlm_av_read(own_info, &ours), SEC_E_OK);
    assert_int_equal(ntlm_av_read(captured_info, &captured), SEC_E_OK);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        expect_same_span(ours.value[same[i]], captured.value[same[i]]);
    expect_same_span(ours.value[MsvAvNbDomainName], ours.value[MsvAvNbComputerName]);
    expect_same_span(ours.value[MsvAvDnsDomainName], ours.value[MsvAvDnsComputerName]);
    expect_same_order(ours.list, captured.list);
}

/* Each field of our CHALLENGE, whose server is no domain's, next to the capture's */
static void own_challenge(void **state)
{
    const struct bytes bytes = unhex(spnego_smb_challenge);
    struct capture_end server = capture_open(false, capture_server_random, false);
    (void)state;
    assert_int_equal(capture_feed_hex(&server, spnego_smb_negotiate), SEC_I_CONTINUE_NEEDED);
    const struct bytes own_bytes = bytes_of(cs_token(server.context)), machine = utf16("DC01");
    const struct ntlm_challenge ours = capture_challenge_in(&own_bytes), captured = capture_challenge_in(&bytes);
    assert_int_equal(ours.flags ^ captured.flags, NTLMSSP_TARGET_TYPE_DOMAIN | NTLMSSP_TARGET_TYPE_SERVER);
    assert_true(ours.flags & NTLMSSP_TARGET_TYPE_SERVER);
    assert_memory_equal(ours.server_challenge, captured.server_challenge, NTLM_CHALLENGE);
    assert_memory_equal(ours.local_call, captured.local_call, sizeof ours.local_call);
    expect_same_span(ours.target_name, span_over(&machine));
    expect_own_target_info(ours.target_info, captured.target_info);
    const size_t version = capture_offset_of_token(&own_bytes) + CHALLENGE_VERSION;
    expect_hex(((struct cs_span){own_bytes.data + version, VERSION_SIZE}), capture_own_version);
    capture_close(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(initiator), cmocka_unit_test(acceptor),   cmocka_unit_test(both_ends),
        cmocka_unit_test(own_hints), cmocka_unit_test(own_client), cmocka_unit_test(own_challenge),
    };
    return cmocka_run_group_tests(tests, capture_account, forget_account);
}
