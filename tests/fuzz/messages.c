/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target: protected messages after authentication. Input: the session's flags, then calls: which function, a list
 * of buffers with types and sizes, and their bytes. After each call a genuine message must still pass.
 */
#include "fuzz.h"
#include "protect.h"

#include <stdlib.h>
#include <string.h>

enum { LARGEST_LIST = 8, LARGEST_BUFFER = 4096 };

struct ends {
    struct cs_session *client, *server;
};

static struct cs_session *open_end(uint32_t flags, bool initiator)
{
    struct ntlm_session_seed seed = {.initiator = initiator, .flags = flags, .expiry = INT64_MAX};
    memset(seed.exported_session_key, 0x55, sizeof seed.exported_session_key);
    struct cs_session *session = ntlm_session_create(&seed);
    fuzz_require(session != NULL, "memory");
    return session;
}

/* A call's buffers, each in a heap block of exactly its size. */
struct call {
    struct cs_buffer buffers[LARGEST_LIST], before[LARGEST_LIST];
    uint8_t *bytes[LARGEST_LIST], *copies[LARGEST_LIST];
    uint32_t count;
};

static void add_buffer(struct call *call, struct cs_reader *input)
{
    static const uint32_t attributes[] = {0, SECBUFFER_READONLY, SECBUFFER_READONLY_WITH_CHECKSUM, 0x40000000};
    const uint8_t type = cs_read_u8(input);
    const size_t asked = cs_read_u16(input) % LARGEST_BUFFER;
    const size_t size = asked < input->remaining ? asked : input->remaining;
    const struct cs_span bytes = cs_read_span(input, size);
    const uint32_t i = call->count++;
    call->bytes[i] = malloc(size ? size : 1);
    call->copies[i] = malloc(size ? size : 1);
    fuzz_require(call->bytes[i] && call->copies[i], "memory");
    if (size) memcpy(call->bytes[i], bytes.data, size);
    if (size) memcpy(call->copies[i], bytes.data, size);
    call->buffers[i] = (struct cs_buffer){(uint32_t)size, (type & 15) | attributes[type >> 6],
                                          size ? (uint64_t)(uintptr_t)call->bytes[i] : 0};
    call->before[i] = call->buffers[i];
}

static void read_call(struct call *call, struct cs_reader *input)
{
    const uint32_t count = cs_read_u8(input) % (LARGEST_LIST + 1);
    memset(call, 0, sizeof *call);
    while (call->count < count) add_buffer(call, input);
}

static void drop_call(struct call *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        free(call->bytes[i]);
        free(call->copies[i]);
    }
}

/* A message that was refused is as it was. */
static void require_untouched(const struct call *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        const struct cs_buffer *now = &call->buffers[i], *before = &call->before[i];
        fuzz_require(now->size == before->size && now->address == before->address, "a refused call's list has changed");
        fuzz_require(!memcmp(call->bytes[i], call->copies[i], before->size), "a refused message has changed");
    }
}

static void require_status(SECURITY_STATUS status)
{
    fuzz_require(status == SEC_E_OK || status == SEC_E_INVALID_TOKEN || status == SEC_E_BUFFER_TOO_SMALL ||
                     status == SEC_E_INCOMPLETE_MESSAGE || status == SEC_E_MESSAGE_ALTERED ||
                     status == SEC_E_UNSUPPORTED_FUNCTION, "a status that is not among those documented");
}

/* Verifying or decrypting what nobody made. Without SIGN and SEAL there is a constant that anybody can make. */
static void receive(const struct ends *ends, struct call *call, bool decrypt, uint32_t flags)
{
    const struct cs_message message = {call->buffers, call->count};
    uint32_t qop = 7;
    SECURITY_STATUS status = decrypt ? cs_decrypt(ends->server, &message, &qop)
                                     : cs_verify_signature(ends->server, &message);
    require_status(status);
    if (status) {
        require_untouched(call);
        fuzz_require(qop == 7, "a refused message's quality of protection");
    } else {
        fuzz_require(!(flags & (NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL)), "a message that nobody made");
    }
}

/* The other end takes what was made of any list, in the same list. */
static void send(const struct ends *ends, struct call *call, bool encrypt, uint32_t flags)
{
    const struct cs_message message = {call->buffers, call->count};
    uint32_t qop;
    SECURITY_STATUS status = encrypt ? cs_encrypt(ends->client, flags & 1 ? SECQOP_WRAP_NO_ENCRYPT : flags, &message)
                                     : cs_make_signature(ends->client, &message);
    require_status(status);
    if (status) {
        require_untouched(call);
        return;
    }
    status = encrypt ? cs_decrypt(ends->server, &message, &qop) : cs_verify_signature(ends->server, &message);
    fuzz_require(status == SEC_E_OK, "what was made does not verify");
    for (uint32_t i = 0; i < call->count; i++)
        if (cs_buffer_type(&call->buffers[i]) == SECBUFFER_DATA)
            fuzz_require(!memcmp(call->bytes[i], call->copies[i], call->before[i].size), "the message is another");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cs_reader reader = cs_reader_of((struct cs_span){data, size});
    const uint32_t flags = cs_read_u32(&reader);
    const struct ends ends = {open_end(flags, true), open_end(flags, false)};
    while (reader.remaining && !reader.failed) {
        const uint8_t what = cs_read_u8(&reader);
        struct call call;
        read_call(&call, &reader);
        if (what & 1)
            receive(&ends, &call, what & 2, flags);
        else
            send(&ends, &call, what & 2, flags);
        drop_call(&call);
        fuzz_require_messages_pass(ends.client, ends.server);
        fuzz_require_messages_pass(ends.server, ends.client);
    }
    cs_session_release(ends.client);
    cs_session_release(ends.server);
    return 0;
}
