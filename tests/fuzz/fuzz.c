/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the fuzz targets share.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const uint8_t fuzz_ntowfv1[NTLM_KEY] = {0xa4, 0xf4, 0x9c, 0x40, 0x65, 0x10, 0xbd, 0xca,
                                        0xb6, 0x82, 0x4e, 0xe7, 0xc3, 0x0f, 0xd8, 0x52};

/* SEC_CHANNEL_BINDINGS with four bytes of application data. */
static const uint8_t bindings[36] = {[24] = 4, [28] = 32, [32] = 'b', 'i', 'n', 'd'};

/* A secret of our own making, so that its bytes are the same in every run. */
static void write_secret(void)
{
    const char *path = getenv("COUNTERSIGN_LOOPBACK_SECRET");
    FILE *file = fopen(path, "w");
    fuzz_require(file && fwrite(fuzz_ntowfv1, 1, 16, file) == 16 && fwrite(fuzz_ntowfv1, 1, 16, file) == 16 &&
                     !fclose(file) && !chmod(path, 0600), "loopback secret");
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char line[160];
    (void)argc;
    (void)argv;
    pair_account_line(line, sizeof line, "User", "Password");
    pair_environment(line);
    write_secret();
    atexit(pair_environment_end);
    return 0;
}

void fuzz_require(bool held, const char *what)
{
    if (held) return;
    fprintf(stderr, "tests/fuzz: %s\n", what);
    abort();
}

static void set_identity(struct fuzz_options *options)
{
    struct pair_setup *setup = &options->setup;
    switch (options->identity) {
    case FUZZ_LOOPBACK: return;
    case FUZZ_ANONYMOUS: setup->anonymous = true; return;
    default:
        setup->user = "User";
        setup->domain = "Domain";
        setup->password = "Password";
    }
}

static void set_requests(struct fuzz_options *options)
{
    struct pair_setup *setup = &options->setup;
    if (options->protection) {
        setup->client_request = ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY;
        setup->server_request = ASC_REQ_INTEGRITY | ASC_REQ_CONFIDENTIALITY;
    }
    if (options->null_sessions) setup->server_request |= ASC_REQ_ALLOW_NULL_SESSION;
    const struct cs_span none = {NULL, 0}, given = {bindings, sizeof bindings};
    setup->client_bindings = setup->server_bindings = options->bindings ? given : none;
    setup->target = "HOST/localhost";
    setup->client_policy = setup->server_policy = &options->policy;
}

void fuzz_options_read(struct fuzz_options *options, struct cs_reader *reader)
{
    struct cs_reader head = *reader;
    const uint8_t choice = cs_read_u8(&head);
    memset(options, 0, sizeof *options);
    options->identity = choice & 3;
    options->level = (choice >> 2 & 7) > 5 ? 5 : choice >> 2 & 7;
    options->bindings = choice & 0x20;
    options->null_sessions = choice & 0x40;
    options->protection = choice & 0x80;
    options->mode = cs_read_u8(&head);
    options->policy = cs_default_policy();
    options->policy.lm_compatibility_level = options->level;
    /* What a peer of ours would never offer has to get through as well. */
    options->policy.ntlm_min_client_sec = options->policy.ntlm_min_server_sec = 0;
    set_identity(options);
    set_requests(options);
    fuzz_seed_random(0);
    if (!head.failed) *reader = head;
}

struct cs_span fuzz_rest(struct cs_reader *reader)
{
    return cs_read_span(reader, reader->remaining);
}

void fuzz_require_leg_status(SECURITY_STATUS status)
{
    static const SECURITY_STATUS documented[] = {
        SEC_E_OK,           SEC_I_CONTINUE_NEEDED, SEC_E_INVALID_TOKEN,       SEC_E_LOGON_DENIED,
        SEC_E_NO_CREDENTIALS, SEC_E_MESSAGE_ALTERED, SEC_E_BAD_BINDINGS,      SEC_E_UNSUPPORTED_FUNCTION,
        SEC_E_INSUFFICIENT_MEMORY, /* a field that does not fit its 16-bit length */
    };
    bool found = false;
    for (size_t i = 0; i < sizeof documented / sizeof *documented; i++) found |= status == documented[i];
    fuzz_require(found, "a status that is not among those documented");
}

void fuzz_require_messages_pass(struct cs_session *from, struct cs_session *to)
{
    char text[] = "genuine";
    uint8_t token[16] = {0};
    struct cs_buffer buffers[] = {{sizeof text, SECBUFFER_DATA, (uint64_t)(uintptr_t)text},
                                  {sizeof token, SECBUFFER_TOKEN, (uint64_t)(uintptr_t)token}};
    const struct cs_message message = {buffers, 2};
    uint32_t qop;
    const SECURITY_STATUS sealed = cs_encrypt(from, 0, &message);
    if (sealed == SEC_E_UNSUPPORTED_FUNCTION) return; /* neither SIGN nor SEAL was negotiated */
    fuzz_require(sealed == SEC_E_OK && cs_decrypt(to, &message, &qop) == SEC_E_OK && !strcmp(text, "genuine"),
                 "a genuine message does not verify");
}
