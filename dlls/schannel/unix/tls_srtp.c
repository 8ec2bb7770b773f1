/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keys of SRTP agreed on over DTLS (RFC 5764): the use_srtp extension, by which both sides choose a protection profile.
 * GnuTLS writes and reads it; what it lets pass, and the RFC does not, is refused here. Its sessions must not be
 * resumed once they have profiles: GnuTLS 3.7 reads them otherwise than it has written them, and past the end of its
 * memory.
 */
#include "tls_context.h"

#include "utf16.h"

#include <string.h>

static bool is_same(struct cs_span left, struct cs_span right)
{
    return left.size == right.size && (!left.size || !memcmp(left.data, right.data, left.size));
}

/* SEC_SRTP_PROTECTION_PROFILES (sspi.h): their size in bytes, and the numbers, which are the program's to know. */
static bool read_profiles(struct cs_span bytes, struct tls_srtp *srtp)
{
    struct cs_reader outer = cs_reader_of(bytes);
    struct cs_reader list = cs_reader_of(cs_read_span(&outer, cs_read_u16(&outer)));
    while (list.remaining && srtp->count < TLS_MOST_SRTP_PROFILES) srtp->profiles[srtp->count++] = cs_read_u16(&list);
    return !outer.failed && !list.failed && list.remaining % 2 == 0;
}

/* SEC_SRTP_MASTER_KEY_IDENTIFIER (sspi.h): its size in a byte, and itself */
static bool read_identifier(struct cs_span bytes, struct cs_span *identifier)
{
    struct cs_reader reader = cs_reader_of(bytes);
    *identifier = cs_read_span(&reader, cs_read_u8(&reader));
    return !reader.failed;
}

static SECURITY_STATUS offer(const struct tls_context *context)
{
    const struct tls_srtp *srtp = &context->srtp;
    const gnutls_datum_t identifier = {(uint8_t *)srtp->identifier.data, (unsigned)srtp->identifier.size};
    for (size_t i = 0; i < srtp->count; i++)
        if (gnutls_srtp_set_profile(context->session, (gnutls_srtp_profile_t)srtp->profiles[i]))
            return SEC_E_INSUFFICIENT_MEMORY;
    const bool identifies = srtp->count && identifier.size;
    return identifies && gnutls_srtp_set_mki(context->session, &identifier) ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_OK;
}

SECURITY_STATUS tls_srtp_use(struct tls_context *context, const struct tls_leg *leg)
{
    struct cs_span identifier = {NULL, 0};
    if (!context->datagram) return SEC_E_OK;
    if (leg->srtp_profiles.size && !read_profiles(leg->srtp_profiles, &context->srtp)) return SEC_E_INVALID_TOKEN;
    if (leg->srtp_identifier.size && !read_identifier(leg->srtp_identifier, &identifier)) return SEC_E_INVALID_TOKEN;
    if (!cs_span_copy(&context->srtp.identifier, identifier)) return SEC_E_INSUFFICIENT_MEMORY;
    return context->server ? SEC_E_OK : offer(context);
}

/*
 * GnuTLS's server agrees to whatever identifier its client has. A program that has named one takes no other: there is
 * no SRTP then, which is before GnuTLS hears of any. (RFC 5764 4.1.3 would also have the profile without an
 * identifier.)
 */
int tls_srtp_judge_client(struct tls_context *context, struct cs_span use_srtp)
{
    struct cs_reader reader = cs_reader_of(use_srtp);
    const struct cs_span own = context->srtp.identifier;
    cs_read_span(&reader, (size_t)cs_read_be(&reader, 2)); /* profiles */
    const struct cs_span theirs = cs_read_span(&reader, cs_read_u8(&reader));
    if (own.size && theirs.size && !is_same(own, theirs)) return 0;
    const SECURITY_STATUS status = offer(context);
    context->srtp.count = 0; /* said once */
    return status ? GNUTLS_E_MEMORY_ERROR : 0;
}

static uint16_t chosen(const struct tls_context *context)
{
    gnutls_srtp_profile_t profile;
    return gnutls_srtp_get_selected_profile(context->session, &profile) ? 0 : (uint16_t)profile;
}

static struct cs_span agreed_identifier(const struct tls_context *context)
{
    gnutls_datum_t identifier;
    if (gnutls_srtp_get_mki(context->session, &identifier)) return (struct cs_span){NULL, 0};
    return (struct cs_span){identifier.data, identifier.size};
}

int tls_srtp_judge_server(const struct tls_context *context)
{
    const struct cs_span identifier = agreed_identifier(context);
    if (!chosen(context)) return GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER; /* RFC 5764 4.1.1: none of the client's */
    /* 4.1.3: "the client MUST abort" */
    return identifier.size && !is_same(identifier, context->srtp.identifier) ? GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER : 0;
}

void tls_srtp_write(const struct tls_context *context, struct cs_writer *output)
{
    const uint16_t profile = chosen(context);
    cs_write_u16(output, profile);
    if (profile) cs_write_span(output, agreed_identifier(context));
}
