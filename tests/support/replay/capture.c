/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The capture's ends, and what stands in the place of random numbers, the clock, and what ours says of itself.
 */
#include "replay/capture.h"

#include "ntlm.h"
#include "secure.h"

#include <string.h>

#define SINGLE_HOST "4135e6ab9d279b8d0642c048e0c1f24d0a9017a55c35b1a184872fedfa712bdc"
#define CLIENT_CHALLENGE "7169c56794bf118a"

const char capture_client_random[] = SINGLE_HOST CLIENT_CHALLENGE "6a93befd8d75cf8e32db8a6870599984";
const char capture_another_key[] = SINGLE_HOST CLIENT_CHALLENGE "6a93befd8d75cf8e32db8a6870599985";
const char capture_server_random[] = SINGLE_HOST "3567f0f9fce36ed9";
const char capture_another_challenge[] = SINGLE_HOST "3567f0f9fce36ed8";

const char capture_client_version[] = "0a0063450000000f";
const char capture_server_version[] = "0a0039380000000f";
const char capture_own_version[] = "0a005d580000000f";

static const struct cs_span nothing = {NULL, 0};

/* MsvAvTimestamp of the capture's CHALLENGE */
static const int64_t server_time = 0x01d6245eba221c17;

size_t capture_offset_of_token(const struct bytes *message)
{
    struct spnego_resp resp;
    assert_int_equal(spnego_resp_read(span_over(message), &resp), SEC_E_OK);
    return (size_t)(resp.response_token.data - message->data);
}

struct ntlm_challenge capture_challenge_in(const struct bytes *message)
{
    struct spnego_resp resp;
    struct ntlm_challenge challenge;
    assert_int_equal(spnego_resp_read(span_over(message), &resp), SEC_E_OK);
    assert_int_equal(ntlm_challenge_read(resp.response_token, &challenge), SEC_E_OK);
    return challenge;
}

/* What comes next out of the stand-ins: they have no caller's state to keep it in. */
static struct {
    struct bytes random;
    size_t taken;
    bool as_captured; /* write what the capture's systems say of themselves */
} replay;

bool __wrap_cs_random(void *data, size_t size);
int64_t __wrap_cs_now(void);
int64_t __wrap_ntlm_context_expiry(void);
void __wrap_ntlm_negotiate_write(struct cs_writer *output, const struct ntlm_negotiate *message);
void __wrap_ntlm_challenge_write(struct cs_writer *output, const struct ntlm_challenge *message);
void __wrap_ntlm_authenticate_write(struct cs_writer *output, const struct ntlm_authenticate *message);
void __real_ntlm_negotiate_write(struct cs_writer *output, const struct ntlm_negotiate *message);
void __real_ntlm_challenge_write(struct cs_writer *output, const struct ntlm_challenge *message);
void __real_ntlm_authenticate_write(struct cs_writer *output, const struct ntlm_authenticate *message);

bool __wrap_cs_random(void *data, size_t size)
{
    assert_true(size <= replay.random.size - replay.taken);
    memcpy(data, replay.random.data + replay.taken, size);
    replay.taken += size;
    return true;
}

int64_t __wrap_cs_now(void)
{
    return server_time;
}

/* The session asks the real clock, by which a context of the capture's time would be over. */
int64_t __wrap_ntlm_context_expiry(void)
{
    return INT64_MAX;
}

static void put_version(struct cs_writer *output, size_t offset, const char *captured)
{
    const struct bytes version = unhex(captured);
    if (!replay.as_captured) return;
    expect_hex(((struct cs_span){output->data + offset, VERSION_SIZE}), capture_own_version);
    cs_write_over(output, offset, span_over(&version));
}

void __wrap_ntlm_negotiate_write(struct cs_writer *output, const struct ntlm_negotiate *message)
{
    __real_ntlm_negotiate_write(output, message);
    put_version(output, NEGOTIATE_VERSION, capture_client_version);
}

void __wrap_ntlm_authenticate_write(struct cs_writer *output, const struct ntlm_authenticate *message)
{
    __real_ntlm_authenticate_write(output, message);
    put_version(output, AUTHENTICATE_VERSION, capture_client_version);
}

/* The capture's server is a domain's controller: it names its domain where ours names itself. */
static struct ntlm_challenge of_the_domain(const struct ntlm_challenge *message, const struct ntlm_challenge *captured)
{
    struct ntlm_challenge made = *message;
    made.flags = (message->flags & ~NTLMSSP_TARGET_TYPE_SERVER) | NTLMSSP_TARGET_TYPE_DOMAIN;
    made.target_name = captured->target_name;
    made.target_info = captured->target_info;
    return made;
}

void __wrap_ntlm_challenge_write(struct cs_writer *output, const struct ntlm_challenge *message)
{
    const struct bytes bytes = unhex(spnego_smb_challenge);
    const struct ntlm_challenge captured = capture_challenge_in(&bytes), domain = of_the_domain(message, &captured);
    __real_ntlm_challenge_write(output, replay.as_captured ? &domain : message);
    put_version(output, CHALLENGE_VERSION, capture_server_version);
}

int capture_account(void **state)
{
    char line[160];
    (void)state;
    pair_account_line(line, sizeof line, "vagrant-domain", "VagrantPass1");
    pair_environment(line);
    return 0;
}

struct capture_end capture_open(bool initiator, const char *random, bool as_captured)
{
    const struct bytes user = utf16("vagrant-domain"), domain = utf16("DOMAIN"), password = utf16("VagrantPass1");
    const struct bytes machine = utf16(initiator ? "SERVER2019" : "DC01"), dns_host = utf16("DC01.domain.local");
    struct capture_end end = {.initiator = initiator, .target = utf16("cifs/192.168.56.10")};
    struct cs_credential_request request = {.use = initiator ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND,
                                            .policy = cs_default_policy(),
                                            .machine = span_over(&machine),
                                            .dns_host = span_over(&dns_host)};
    if (initiator)
        request.identity = (struct cs_identity){.kind = CS_IDENTITY_EXPLICIT,
                                                .user = span_over(&user),
                                                .domain = span_over(&domain),
                                                .password = span_over(&password)};
    replay.random = unhex(random);
    replay.taken = 0;
    replay.as_captured = as_captured;
    assert_int_equal(cs_acquire_credential(cs_find_mechanism("Negotiate"), &request, &end.credential), SEC_E_OK);
    return end;
}

void capture_close(struct capture_end *end)
{
    cs_context_release(end->context);
    cs_credential_release(end->credential);
}

SECURITY_STATUS capture_feed(struct capture_end *end, struct cs_span input)
{
    struct cs_span exact = nothing;
    if (input.size) assert_true(cs_span_copy(&exact, input));
    struct cs_leg leg = {.credential = end->credential,
                         .target = span_over(&end->target),
                         .request = end->initiator ? ISC_REQ_INTEGRITY : ASC_REQ_INTEGRITY,
                         .input = exact,
                         .room = SIZE_MAX};
    const SECURITY_STATUS status = end->initiator ? cs_initialize(&end->context, &leg) : cs_accept(&end->context, &leg);
    cs_span_drop(&exact);
    return status;
}

SECURITY_STATUS capture_feed_hex(struct capture_end *end, const char *hex)
{
    const struct bytes bytes = unhex(hex);
    return capture_feed(end, span_over(&bytes));
}

struct capture_end capture_client(const char *random)
{
    struct capture_end client = capture_open(true, random, true);
    assert_int_equal(capture_feed(&client, nothing), SEC_I_CONTINUE_NEEDED);
    expect_hex(cs_token(client.context), spnego_smb_negotiate);
    assert_int_equal(capture_feed_hex(&client, spnego_smb_challenge), SEC_I_CONTINUE_NEEDED);
    return client;
}

struct capture_end capture_server(const char *random)
{
    struct capture_end server = capture_open(false, random, true);
    assert_int_equal(capture_feed_hex(&server, spnego_smb_negotiate), SEC_I_CONTINUE_NEEDED);
    return server;
}

void capture_expect_session(const struct capture_end *end)
{
    const struct cs_session *session = cs_context_session(end->context);
    /* The capture's server asked its domain; here the account is one of the machine. */
    const struct bytes names = utf16(end->initiator ? "DOMAIN\\vagrant-domain" : "DC01\\vagrant-domain");
    assert_non_null(session);
    assert_int_equal(replay.taken, replay.random.size);
    assert_string_equal(session->package, "NTLM");
    expect_hex(((struct cs_span){session->session_key, session->session_key_size}), spnego_smb_exported_session_key);
    assert_int_equal(session->names.size, names.size);
    assert_memory_equal(session->names.data, names.data, names.size);
}
