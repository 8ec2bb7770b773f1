/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SPNEGO peers of another make.
 */
#include "spnego_peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void require(bool held, const char *what)
{
    if (held) return;
    fprintf(stderr, "tests/support/spnego_peers: %s\n", what);
    abort();
}

void spnego_peers_open(struct spnego_peers *peers, const struct pair_setup *setup)
{
    memset(peers, 0, sizeof *peers);
    pair_open(&peers->negotiate, "Negotiate", setup);
    pair_open(&peers->ntlm, "NTLM", setup);
}

void spnego_peers_close(struct spnego_peers *peers)
{
    pair_close(&peers->negotiate);
    pair_close(&peers->ntlm);
    cs_writer_drop(&peers->mech_list);
}

SECURITY_STATUS spnego_peers_offer(struct spnego_peers *peers, const struct cs_span *mechs, size_t count,
                                   struct cs_span token)
{
    struct spnego_init message = {.mech_count = count, .mech_token = token};
    struct cs_writer written = {0};
    require(count <= SPNEGO_MOST_MECHS, "too many mechanisms");
    memcpy(message.mechs, mechs, count * sizeof *mechs);
    cs_writer_drop(&peers->mech_list);
    spnego_mech_list_write(&peers->mech_list, &message);
    spnego_init_write(&written, &message);
    require(!written.failed && !peers->mech_list.failed, "memory");
    const SECURITY_STATUS status = mitm_to_server(&peers->negotiate, cs_written(&written));
    cs_writer_drop(&written);
    return status;
}

static SECURITY_STATUS send_resp(SECURITY_STATUS (*deliver)(struct pair *pair, struct cs_span input),
                                 struct spnego_peers *peers, const struct spnego_resp *message)
{
    struct cs_writer written = {0};
    spnego_resp_write(&written, message);
    require(!written.failed, "memory");
    const SECURITY_STATUS status = deliver(&peers->negotiate, cs_written(&written));
    cs_writer_drop(&written);
    return status;
}

SECURITY_STATUS spnego_peers_to_server(struct spnego_peers *peers, const struct spnego_resp *message)
{
    return send_resp(mitm_to_server, peers, message);
}

SECURITY_STATUS spnego_peers_to_client(struct spnego_peers *peers, const struct spnego_resp *message)
{
    return send_resp(mitm_to_client, peers, message);
}

struct spnego_resp spnego_peers_resp(const struct cs_context *side)
{
    struct spnego_resp message;
    require(spnego_resp_read(cs_token(side), &message) == SEC_E_OK, "not a NegTokenResp");
    return message;
}

struct spnego_init spnego_peers_init(struct spnego_peers *peers)
{
    struct spnego_init message;
    require(spnego_init_read(cs_token(peers->negotiate.client), &message) == SEC_E_OK, "not a NegTokenInit");
    cs_writer_drop(&peers->mech_list);
    cs_write_span(&peers->mech_list, message.mech_list);
    return message;
}

static struct cs_message mic_message(const struct spnego_peers *peers, struct cs_buffer buffers[2], struct cs_span mic)
{
    buffers[0] = (struct cs_buffer){(uint32_t)mic.size, SECBUFFER_TOKEN, (uintptr_t)mic.data};
    buffers[1] = (struct cs_buffer){(uint32_t)peers->mech_list.size, SECBUFFER_DATA, (uintptr_t)peers->mech_list.data};
    return (struct cs_message){buffers, 2};
}

struct cs_span spnego_peers_make_mic(struct spnego_peers *peers, struct cs_session *session)
{
    const struct cs_span mic = {peers->mic, sizeof peers->mic};
    struct cs_buffer buffers[2];
    const struct cs_message message = mic_message(peers, buffers, mic);
    require(cs_make_signature(session, &message) == SEC_E_OK, "mechListMIC");
    return mic;
}

SECURITY_STATUS spnego_peers_verify_mic(struct spnego_peers *peers, struct cs_session *session, struct cs_span mic)
{
    struct cs_buffer buffers[2];
    const struct cs_message message = mic_message(peers, buffers, mic);
    return cs_verify_signature(session, &message);
}

struct cs_span spnego_peers_ntlm_client(struct spnego_peers *peers, struct cs_span token)
{
    require(pair_client_step(&peers->ntlm, token) >= 0, "the stranger's client");
    return cs_token(peers->ntlm.client);
}

struct cs_span spnego_peers_ntlm_server(struct spnego_peers *peers, struct cs_span token)
{
    require(pair_server_step(&peers->ntlm, token) >= 0, "the stranger's server");
    return cs_token(peers->ntlm.server);
}
