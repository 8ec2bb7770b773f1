/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target: Kerberos's per-message tokens. Input: encryption type, style and mode; then, by the mode, bytes that
 * nobody made, changes to a genuine message, or the fields of a token that is made of them with the right keys, which
 * brings the input behind the checksum. The buffers are a stream, or a TOKEN and DATA, each a heap block of its size.
 */
#include "fuzz.h"
#include "kerberos_protect.h"
#include "kerberos_seal.h"
#include "kerberos_wrap.h"

#include <stdlib.h>
#include <string.h>

enum { LARGEST = 2048, ROOM = 96 };

enum mode { RAW, CHANGED, MADE, MODES };

struct run {
    struct kerberos_session_seed seed; /* the client's */
    struct cs_session *client, *server;
    bool dce_style;
};

/* What goes to the server. SPLIT: the TOKEN's size, or 0 for a stream. */
struct block {
    uint8_t bytes[LARGEST + 2 * ROOM];
    size_t size, split;
};

static struct run open_run(struct cs_reader *input)
{
    static const int32_t etypes[] = {17, 18, 19, 20, 23};
    const uint8_t choice = cs_read_u8(input);
    struct run run = {.dce_style = choice & 0x80};
    run.seed =
        (struct kerberos_session_seed){.initiator = true,
                                       .granted = ISC_REQ_CONFIDENTIALITY | (run.dce_style ? ISC_REQ_USE_DCE_STYLE : 0),
                                       .etype = etypes[(choice & 0x7F) % (sizeof etypes / sizeof *etypes)],
                                       .send_sequence = 1000,
                                       .receive_sequence = 2000,
                                       .expiry = INT64_MAX};
    run.seed.key_size = run.seed.etype == 18 || run.seed.etype == 20 ? 32 : 16;
    memset(run.seed.key, 0x55, run.seed.key_size);
    struct kerberos_session_seed server = run.seed;
    server.initiator = false;
    server.send_sequence = run.seed.receive_sequence;
    server.receive_sequence = run.seed.send_sequence;
    run.client = kerberos_session_create(&run.seed);
    run.server = kerberos_session_create(&server);
    fuzz_require(run.client && run.server, "memory");
    return run;
}

static struct cs_span text_of(struct cs_reader *input)
{
    const size_t asked = cs_read_u16(input) % LARGEST;
    return cs_read_span(input, asked < input->remaining ? asked : input->remaining);
}

static void append(struct block *block, const void *data, size_t size)
{
    fuzz_require(size <= sizeof block->bytes - block->size, "room");
    if (size) memcpy(block->bytes + block->size, data, size);
    block->size += size;
}

/* TEXT through EncryptMessage, as it goes over the wire. */
static void seal_text(const struct run *run, uint32_t qop, struct cs_span text, struct block *block)
{
    uint8_t token[ROOM], data[LARGEST], padding = 0;
    if (text.size) memcpy(data, text.data, text.size);
    struct cs_buffer buffers[] = {{sizeof token, SECBUFFER_TOKEN, (uint64_t)(uintptr_t)token},
                                  {(uint32_t)text.size, SECBUFFER_DATA, (uint64_t)(uintptr_t)data},
                                  {1, SECBUFFER_PADDING, (uint64_t)(uintptr_t)&padding}};
    const struct cs_message message = {buffers, 3};
    fuzz_require(cs_encrypt(run->client, qop, &message) == SEC_E_OK, "EncryptMessage");
    append(block, token, buffers[0].size);
    append(block, data, text.size);
    append(block, &padding, buffers[2].size);
    block->split = buffers[0].size;
}

static void turn_right(uint8_t *data, size_t size, size_t count)
{
    uint8_t copy[sizeof((struct block *)0)->bytes];
    memcpy(copy, data, size);
    for (size_t i = 0; i < size; i++) data[(i + count) % size] = copy[i];
}

/* A token whose header says what it likes, with a checksum that is right for it. */
static void make_token(const struct run *run, struct cs_reader *input, struct block *block)
{
    const struct kerberos_etype *etype = kerberos_etype(run->seed.etype);
    struct kerberos_header header = {.id = KERBEROS_WRAP, .flags = cs_read_u8(input)};
    header.sequence = cs_read_u16(input);
    const uint16_t ec = cs_read_u16(input), rrc = cs_read_u16(input);
    const size_t filler = cs_read_u8(input) & 1 ? ec % ROOM : cs_read_u8(input) % ROOM;
    uint8_t plain[16 + LARGEST + ROOM + KERBEROS_HEADER] = {0}, mac[KERBEROS_MAX_MAC];
    const struct cs_span text = text_of(input);
    const size_t size = 16 + text.size + filler + KERBEROS_HEADER;
    struct kerberos_sealer sealer;
    header.ec = ec;
    if (text.size) memcpy(plain + 16, text.data, text.size);
    kerberos_header_write(&header, plain + size - KERBEROS_HEADER);
    fuzz_require(kerberos_sealer_prepare(&sealer, etype, run->seed.key, 24, false), "memory");
    kerberos_seal(&sealer, &(struct kerberos_parts){.head = {plain, size}}, mac);
    kerberos_sealer_release(&sealer);
    header.rrc = rrc;
    uint8_t bytes[KERBEROS_HEADER];
    kerberos_header_write(&header, bytes);
    append(block, bytes, sizeof bytes);
    append(block, plain, size);
    append(block, mac, etype->mac_size);
    turn_right(block->bytes + KERBEROS_HEADER, size + etype->mac_size, rrc + (run->dce_style ? ec : 0u));
    const size_t split = 16 + filler + 2 * KERBEROS_HEADER + etype->mac_size;
    block->split = cs_read_u8(input) & 1 ? split : 0;
}

static void require_status(SECURITY_STATUS status)
{
    fuzz_require(status == SEC_E_OK || status == SEC_E_BUFFER_TOO_SMALL || status == SEC_E_INCOMPLETE_MESSAGE ||
                     status == SEC_E_MESSAGE_ALTERED,
                 "a status that is not among those documented");
}

/* DecryptMessage on BLOCK. What it refuses is as it was; what it takes lies in the block. */
static SECURITY_STATUS open_block(const struct run *run, const struct block *block, struct cs_span *text)
{
    static uint8_t copy[sizeof block->bytes];
    const size_t first = block->split ? block->split : block->size, rest = block->size - first;
    uint8_t *bytes = malloc(first + 1), *data = malloc(rest + 1);
    fuzz_require(bytes && data, "memory");
    memcpy(bytes, block->bytes, first);
    memcpy(data, block->bytes + first, rest);
    struct cs_buffer buffers[] = {
        {(uint32_t)first, block->split ? SECBUFFER_TOKEN : SECBUFFER_STREAM, (uint64_t)(uintptr_t)bytes},
        {(uint32_t)rest, SECBUFFER_DATA, block->split ? (uint64_t)(uintptr_t)data : 0}};
    const struct cs_message message = {buffers, 2};
    uint32_t qop = 7;
    const SECURITY_STATUS status = cs_decrypt(run->server, &message, &qop);
    require_status(status);
    const uint8_t *got = cs_buffer_bytes(&buffers[1]), *start = block->split ? data : bytes;
    if (status) {
        fuzz_require(!memcmp(bytes, block->bytes, first) && !memcmp(data, block->bytes + first, rest) && qop == 7 &&
                         buffers[1].size == rest,
                     "a refused message has changed");
    } else {
        const size_t whole = block->split ? rest : first;
        fuzz_require(got >= start && buffers[1].size <= whole && (size_t)(got - start) <= whole - buffers[1].size,
                     "a message outside of its block");
        memcpy(copy, got, buffers[1].size);
        *text = (struct cs_span){copy, buffers[1].size};
    }
    free(bytes);
    free(data);
    return status;
}

/* What is left of INPUT says at which bytes, and to what. */
static void change(struct block *block, struct cs_reader *input)
{
    while (input->remaining >= 3 && block->size) {
        const size_t place = cs_read_u16(input) % (block->size + 1);
        const uint8_t value = cs_read_u8(input);
        if (place == block->size)
            block->size -= value % block->size;
        else
            block->bytes[place] ^= value;
    }
    if (block->split > block->size) block->split = 0;
}

/* RRC is under no checksum, and RC4's number is not without encryption: the text must be the same, all the same. */
static void open_changed(const struct run *run, struct cs_reader *input)
{
    const uint32_t qop = cs_read_u8(input) & 1 ? SECQOP_WRAP_NO_ENCRYPT : 0;
    const bool streams = cs_read_u8(input) & 1;
    const struct cs_span text = text_of(input);
    struct block block = {.size = 0};
    struct cs_span got;
    seal_text(run, qop, text, &block);
    if (streams) block.split = 0;
    change(&block, input);
    if (open_block(run, &block, &got)) return;
    fuzz_require(got.size == text.size && (!text.size || !memcmp(got.data, text.data, text.size)), "another text");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cs_reader reader = cs_reader_of((struct cs_span){data, size});
    struct run run = open_run(&reader);
    const enum mode mode = cs_read_u8(&reader) % MODES;
    struct block block = {.size = 0};
    struct cs_span text;
    if (mode == CHANGED) {
        open_changed(&run, &reader);
    } else if (mode == MADE && run.seed.etype != 23) {
        make_token(&run, &reader, &block);
        open_block(&run, &block, &text);
    } else {
        const size_t split = cs_read_u8(&reader);
        const struct cs_span rest = cs_read_span(&reader, reader.remaining < LARGEST ? reader.remaining : LARGEST);
        append(&block, rest.data, rest.size);
        if (split < block.size) block.split = split;
        fuzz_require(open_block(&run, &block, &text) != SEC_E_OK, "a message that nobody made");
    }
    block.size = 0;
    seal_text(&run, 0, (struct cs_span){(const uint8_t *)"genuine", 7}, &block);
    block.split = 0;
    fuzz_require(open_block(&run, &block, &text) == SEC_E_OK && text.size == 7 && !memcmp(text.data, "genuine", 7),
                 "a genuine message");
    cs_session_release(run.client);
    cs_session_release(run.server);
    return 0;
}
