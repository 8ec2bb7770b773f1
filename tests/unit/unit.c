/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the unit tests share.
 */
#include "unit.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static uint8_t nibble(char c)
{
    const char *digits = "0123456789abcdef", *found = strchr(digits, c);
    assert_non_null(found);
    return (uint8_t)(found - digits);
}

struct bytes unhex(const char *hex)
{
    struct bytes bytes = {.size = strlen(hex) / 2};
    assert_true(strlen(hex) % 2 == 0 && bytes.size <= sizeof bytes.data);
    for (size_t i = 0; i < bytes.size; i++) bytes.data[i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
    return bytes;
}

struct bytes utf16(const char *text)
{
    struct bytes bytes = {.size = 0};
    struct cs_writer writer = {0};
    assert_true(cs_utf16_of(&writer, cs_span_of(text)) && writer.size <= sizeof bytes.data);
    if (writer.size) memcpy(bytes.data, writer.data, writer.size);
    bytes.size = writer.size;
    cs_writer_drop(&writer);
    return bytes;
}

void expect_hex_at(struct cs_span got, const char *hex, const char *file, int line)
{
    struct bytes expected = unhex(hex);
    _assert_int_equal(got.size, expected.size, file, line);
    if (got.size) _assert_memory_equal(got.data, expected.data, got.size, file, line);
}

struct cs_buffer *add_part(struct parts *parts, uint32_t type, const void *data, size_t size)
{
    struct cs_buffer *buffer = &parts->buffers[parts->count++];
    assert_true(parts->count <= sizeof parts->buffers / sizeof *parts->buffers);
    *buffer = (struct cs_buffer){(uint32_t)size, type, (uint64_t)(uintptr_t)data};
    return buffer;
}

static struct cs_session *session_with(uint32_t flags, bool initiator)
{
    struct ntlm_session_seed seed = {.initiator = initiator, .flags = flags, .expiry = INT64_MAX};
    memset(seed.exported_session_key, 0x55, sizeof seed.exported_session_key);
    struct cs_session *session = ntlm_session_create(&seed);
    assert_non_null(session);
    return session;
}

struct sessions sessions_with(uint32_t flags)
{
    return (struct sessions){session_with(flags, true), session_with(flags, false)};
}

void sessions_end(struct sessions *sessions)
{
    cs_session_release(sessions->client);
    cs_session_release(sessions->server);
}

static struct parts parts_of(const void *data, size_t size, uint8_t *token)
{
    struct parts parts = {.count = 0};
    add_part(&parts, SECBUFFER_TOKEN, token, 16);
    add_part(&parts, SECBUFFER_DATA, data, size);
    return parts;
}

SECURITY_STATUS seal(struct cs_session *session, uint32_t qop, void *data, size_t size, uint8_t token[16])
{
    struct parts parts = parts_of(data, size, token);
    struct cs_message message = message_over(&parts);
    return cs_encrypt(session, qop, &message);
}

SECURITY_STATUS unseal(struct cs_session *session, void *data, size_t size, const uint8_t token[16])
{
    struct parts parts = parts_of(data, size, (uint8_t *)(uintptr_t)token);
    struct cs_message message = message_over(&parts);
    uint32_t qop;
    return cs_decrypt(session, &message, &qop);
}

SECURITY_STATUS sign(struct cs_session *session, const void *data, size_t size, uint8_t token[16])
{
    struct parts parts = parts_of(data, size, token);
    struct cs_message message = message_over(&parts);
    return cs_make_signature(session, &message);
}

SECURITY_STATUS verify(struct cs_session *session, const void *data, size_t size, const uint8_t token[16])
{
    struct parts parts = parts_of(data, size, (uint8_t *)(uintptr_t)token);
    struct cs_message message = message_over(&parts);
    return cs_verify_signature(session, &message);
}

#define SIGN_AND_SEAL (NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL)
#define ESS NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY

const struct flavour flavours[] = {
    {"extended, 128 bits, key exchange", SIGN_AND_SEAL | ESS | NTLMSSP_NEGOTIATE_128 | NTLMSSP_NEGOTIATE_KEY_EXCH},
    {"extended, 128 bits", SIGN_AND_SEAL | ESS | NTLMSSP_NEGOTIATE_128},
    {"extended, 56 bits, key exchange", SIGN_AND_SEAL | ESS | NTLMSSP_NEGOTIATE_56 | NTLMSSP_NEGOTIATE_KEY_EXCH},
    {"extended, 56 bits", SIGN_AND_SEAL | ESS | NTLMSSP_NEGOTIATE_56},
    {"extended, 40 bits, key exchange", SIGN_AND_SEAL | ESS | NTLMSSP_NEGOTIATE_KEY_EXCH},
    {"extended, 40 bits", SIGN_AND_SEAL | ESS},
    {"plain, key exchange", SIGN_AND_SEAL | NTLMSSP_NEGOTIATE_128 | NTLMSSP_NEGOTIATE_KEY_EXCH},
    {"plain", SIGN_AND_SEAL | NTLMSSP_NEGOTIATE_128},
    {"plain, LM key of 56 bits", SIGN_AND_SEAL | NTLMSSP_NEGOTIATE_LM_KEY | NTLMSSP_NEGOTIATE_56},
    {"plain, LM key of 40 bits", SIGN_AND_SEAL | NTLMSSP_NEGOTIATE_LM_KEY},
};
const size_t flavour_count = sizeof flavours / sizeof *flavours;

int known_account(void **state)
{
    char line[160];
    (void)state;
    pair_account_line(line, sizeof line, "User", "Password");
    pair_environment(line);
    return 0;
}

int forget_account(void **state)
{
    (void)state;
    pair_environment_end();
    return 0;
}

struct pair_setup known_setup(void)
{
    return (struct pair_setup){
        .user = "User",
        .domain = "Domain",
        .password = "Password",
        .target = "HOST/localhost",
        .client_request = ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_CONNECTION,
        .server_request = ASC_REQ_INTEGRITY | ASC_REQ_CONFIDENTIALITY | ASC_REQ_CONNECTION,
    };
}

SECURITY_STATUS run_edited(const struct pair_setup *setup, struct mitm *mitm)
{
    struct pair pair;
    pair_open(&pair, "NTLM", setup);
    SECURITY_STATUS status = mitm_run(mitm, &pair);
    if (status == SEC_E_OK) assert_non_null(cs_context_session(pair.server));
    if (status < 0 && pair.server) assert_null(cs_context_session(pair.server));
    pair_close(&pair);
    mitm_end(mitm);
    return status;
}

size_t size_of_message(const struct pair_setup *setup, unsigned number)
{
    struct mitm mitm = {0};
    struct pair pair;
    pair_open(&pair, "NTLM", setup);
    assert_int_equal(mitm_run(&mitm, &pair), SEC_E_OK);
    const size_t size = mitm_message(&mitm, number).size;
    pair_close(&pair);
    mitm_end(&mitm);
    return size;
}

const char known_hash[] = "a4f49c406510bdcab6824ee7c30fd852";

struct forge forge_for(const struct mitm *mitm, const char *hash)
{
    struct forge forge = {.negotiate = mitm_message(mitm, 1), .challenge = mitm_message(mitm, 2)};
    struct bytes bytes = unhex(hash);
    assert_int_equal(bytes.size, NTLM_KEY);
    memcpy(forge.ntowfv1, bytes.data, NTLM_KEY);
    return forge;
}

void open_complete(struct pair *pair, const struct pair_setup *setup)
{
    pair_open(pair, "NTLM", setup);
    assert_int_equal(pair_run(pair), SEC_E_OK);
}

static void expect_passes(struct cs_session *from, struct cs_session *to)
{
    char text[] = "between the two of us";
    uint8_t token[16];
    assert_int_equal(seal(from, 0, text, sizeof text, token), SEC_E_OK);
    assert_memory_not_equal(text, "between the two of us", sizeof text);
    assert_int_equal(unseal(to, text, sizeof text, token), SEC_E_OK);
    assert_string_equal(text, "between the two of us");
    assert_int_equal(sign(from, text, sizeof text, token), SEC_E_OK);
    assert_int_equal(verify(to, text, sizeof text, token), SEC_E_OK);
}

void expect_messages_pass(const struct pair *pair)
{
    struct cs_session *client = cs_context_session(pair->client), *server = cs_context_session(pair->server);
    expect_passes(client, server);
    expect_passes(server, client);
    expect_passes(client, server);
}

struct pair_setup loopback_setup(const char *target)
{
    struct pair_setup setup = known_setup();
    setup.user = setup.domain = setup.password = NULL;
    setup.target = target;
    return setup;
}

void send_token(int fd, struct cs_span token)
{
    uint32_t size = (uint32_t)token.size;
    if (write(fd, &size, sizeof size) != sizeof size) _exit(3);
    if (size && write(fd, token.data, size) != (ssize_t)size) _exit(3);
}

struct bytes receive_token(int fd)
{
    struct bytes bytes = {.size = 0};
    uint32_t size = 0;
    if (recv(fd, &size, sizeof size, MSG_WAITALL) != sizeof size || size > sizeof bytes.data) return bytes;
    bytes.size = size;
    if (size && recv(fd, bytes.data, size, MSG_WAITALL) != (ssize_t)size) bytes.size = 0;
    return bytes;
}

void send_status(int fd, SECURITY_STATUS status)
{
    send_token(fd, (struct cs_span){(const uint8_t *)&status, sizeof status});
}

SECURITY_STATUS receive_status(int fd)
{
    struct bytes bytes = receive_token(fd);
    SECURITY_STATUS status;
    assert_int_equal(bytes.size, sizeof status);
    memcpy(&status, bytes.data, sizeof status);
    return status;
}

struct process start_process(void (*run)(int fd, const void *data), const void *data)
{
    struct process process;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    process.pid = fork();
    assert_true(process.pid >= 0);
    if (!process.pid) {
        close(fds[0]);
        run(fds[1], data);
        _exit(0);
    }
    close(fds[1]);
    process.fd = fds[0];
    return process;
}

void finish_process(const struct process *process)
{
    int status;
    close(process->fd);
    assert_int_equal(waitpid(process->pid, &status, 0), process->pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
