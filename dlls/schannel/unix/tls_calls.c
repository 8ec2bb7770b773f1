/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where Schannel's calls from PE code arrive.
 */
#include "tls_calls.h"

#include "call_blocks.h"
#include "tls.h"

_Static_assert(sizeof((struct tls_info *)0)->session_id == sizeof((struct cs_block_tls_info *)0)->session_id &&
                   sizeof((struct tls_info *)0)->alpn_name <= sizeof((struct cs_block_tls_info *)0)->alpn_name,
               "struct cs_block_tls_info");

SECURITY_STATUS tls_call_acquire(void *args)
{
    struct cs_block_tls_acquire *block = args;
    const struct tls_credential_request request = {.server = block->server,
                                                   .protocols = block->protocols,
                                                   .without = block->without,
                                                   .resume = block->resume,
                                                   .lifespan = block->lifespan,
                                                   .habits = block->habits,
                                                   .chain = span_of(block->chain),
                                                   .key = span_of(block->key),
                                                   .key_format = block->key_format,
                                                   .issuers = span_of(block->issuers),
                                                   .suites = span_of(block->suites),
                                                   .stapled = span_of(block->stapled)};
    struct tls_credential *credential = NULL;
    SECURITY_STATUS status = tls_credential_new(&request, &credential);
    block->credential = (uintptr_t)credential;
    return status;
}

SECURITY_STATUS tls_call_release_credential(void *args)
{
    const struct cs_block_object *block = args;
    tls_credential_release(object_of(block->object));
    return SEC_E_OK;
}

SECURITY_STATUS tls_call_leg(void *args)
{
    struct cs_block_tls_leg *block = args;
    struct tls_context *context = object_of(block->context);
    struct tls_leg leg = {.credential = object_of(block->credential),
                          .flags = block->flags,
                          .verdict = block->verdict,
                          .target = span_of(block->target),
                          .input = span_of(block->input),
                          .protocols = span_of(block->protocols),
                          .srtp_profiles = span_of(block->srtp_profiles),
                          .srtp_identifier = span_of(block->srtp_identifier),
                          .room = block->room,
                          .mtu = block->mtu,
                          .address = span_of(block->address)};
    SECURITY_STATUS status = tls_leg(&context, &leg);
    block->context = (uintptr_t)context;
    block->consumed = (uint32_t)leg.consumed;
    block->missing = (uint32_t)leg.missing;
    block->token_size = (uint32_t)leg.token_size;
    return status;
}

SECURITY_STATUS tls_call_fetch_token(void *args)
{
    const struct cs_block_fetch *block = args;
    return tls_fetch_token(object_of(block->context), object_of(block->token.address), block->token.size);
}

SECURITY_STATUS tls_call_release_context(void *args)
{
    const struct cs_block_object *block = args;
    tls_context_release(object_of(block->object));
    return SEC_E_OK;
}

SECURITY_STATUS tls_call_alert(void *args)
{
    const struct cs_block_tls_alert *block = args;
    return tls_alert(object_of(block->context), block->fatal, (uint8_t)block->description);
}

SECURITY_STATUS tls_call_set_mtu(void *args)
{
    const struct cs_block_tls_mtu *block = args;
    return tls_set_mtu(object_of(block->context), block->mtu);
}

SECURITY_STATUS tls_call_encrypt(void *args)
{
    const struct cs_block_message *block = args;
    const struct cs_message message = message_of(block);
    return tls_encrypt(object_of(block->session), &message);
}

SECURITY_STATUS tls_call_decrypt(void *args)
{
    const struct cs_block_message *block = args;
    const struct cs_message message = message_of(block);
    return tls_decrypt(object_of(block->session), &message);
}

static void give_info(struct cs_block_tls_info *block, const struct tls_info *info)
{
    block->protocol = info->protocol;
    block->version = info->version;
    block->suite = info->suite;
    block->key_type = info->key_type;
    block->cipher_id = info->cipher_id;
    block->hash_id = info->hash_id;
    block->exchange_id = info->exchange_id;
    block->signature_id = info->signature_id;
    block->cipher_bits = info->cipher_bits;
    block->cipher_block = info->cipher_block;
    block->hash_bits = info->hash_bits;
    block->exchange_bits = info->exchange_bits;
    block->header = info->header;
    block->trailer = info->trailer;
    block->maximum = info->maximum;
    block->resumed = info->resumed;
    block->session_id_size = info->session_id_size;
    block->alpn = info->alpn;
    block->alpn_size = info->alpn_size;
    memcpy(block->session_id, info->session_id, sizeof info->session_id);
    memcpy(block->alpn_name, info->alpn_name, sizeof info->alpn_name);
    copy_name(block->suite_name, sizeof block->suite_name, info->suite_name);
    copy_name(block->cipher, sizeof block->cipher, info->cipher);
    copy_name(block->hash, sizeof block->hash, info->hash);
    copy_name(block->exchange, sizeof block->exchange, info->exchange);
    copy_name(block->certificate, sizeof block->certificate, info->certificate);
}

SECURITY_STATUS tls_call_query(void *args)
{
    struct cs_block_tls_info *block = args;
    struct tls_info info;
    SECURITY_STATUS status = tls_query(object_of(block->context), &info);
    if (status == SEC_E_OK) give_info(block, &info);
    return status;
}

SECURITY_STATUS tls_call_query_bytes(void *args)
{
    struct cs_block_text *block = args;
    struct cs_writer bytes = {0};
    return give_written(block, &bytes, tls_query_bytes(object_of(block->object), block->which, &bytes));
}

SECURITY_STATUS tls_call_check_stapled(void *args)
{
    struct cs_block_tls_stapled *block = args;
    enum tls_stapled found = TLS_STAPLED_NONE;
    SECURITY_STATUS status =
        tls_check_stapled(object_of(block->context), span_of(block->certificate), span_of(block->issuer), &found);
    block->found = found;
    return status;
}

SECURITY_STATUS tls_call_check_name(void *args)
{
    const struct cs_block_tls_name *block = args;
    return tls_check_name(object_of(block->context), span_of(block->certificate));
}

SECURITY_STATUS tls_call_verify_chain(void *args)
{
    const struct cs_block_tls_chain *block = args;
    return tls_verify_chain(span_of(block->chain));
}

SECURITY_STATUS tls_call_verify_list(void *args)
{
    const struct cs_block_tls_list *block = args;
    return tls_verify_list(span_of(block->list), span_of(block->issuer));
}

SECURITY_STATUS tls_call_export(void *args)
{
    const struct cs_block_tls_export *block = args;
    struct cs_writer material = {0};
    SECURITY_STATUS status = tls_export(object_of(block->context), span_of(block->label), span_of(block->context_value),
                                        block->out.size, &material);
    if (status == SEC_E_OK && material.size) memcpy(object_of(block->out.address), material.data, material.size);
    cs_writer_drop(&material);
    return status;
}
