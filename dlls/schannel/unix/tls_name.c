/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The name under which a client knows its server: asked for (RFC 6066 3), and looked for in the server's certificate
 * (RFC 2818 3.1, RFC 6125 6.4).
 */
#include "tls_context.h"

#include "utf16.h"

#include <arpa/inet.h>
#include <gnutls/x509.h>
#include <string.h>

/* RFC 6066 3: an address is no name, however it is spelt: sockets take 127.1, and inet_aton, for one, too. */
static bool is_address(const char *name)
{
    struct in6_addr six;
    struct in_addr four;
    return inet_aton(name, &four) || inet_pton(AF_INET6, name, &six) == 1;
}

/* UTF-8 without the dot that ends an absolute name, which neither a hello nor a certificate has; then a NUL. */
static SECURITY_STATUS read_target(struct cs_span target, struct cs_writer *name)
{
    const bool readable = cs_utf8_of(name, target) && !memchr(name->data, 0, name->size);
    if (readable && name->size > 1 && name->data[name->size - 1] == '.') name->size--;
    cs_write_u8(name, 0);
    if (name->failed) return SEC_E_INSUFFICIENT_MEMORY;
    return readable ? SEC_E_OK : SEC_E_TARGET_UNKNOWN;
}

SECURITY_STATUS tls_name_use(struct tls_context *context, struct cs_span target)
{
    struct cs_writer name = {0};
    if (!target.size) return SEC_E_OK;
    SECURITY_STATUS status = read_target(target, &name);
    const char *text = (const char *)name.data;
    if (status == SEC_E_OK && !is_address(text) &&
        gnutls_server_name_set(context->session, GNUTLS_NAME_DNS, text, strlen(text)))
        status = SEC_E_TARGET_UNKNOWN;
    if (status == SEC_E_OK && !cs_span_copy(&context->name, (struct cs_span){name.data, name.size - 1}))
        status = SEC_E_INSUFFICIENT_MEMORY;
    if (status == SEC_E_OK) tls_sessions_offer(context);
    cs_writer_drop(&name);
    return status;
}

/* GnuTLS would take an address's numbers for labels that a wildcard stands for. */
static bool is_named(gnutls_x509_crt_t certificate, const char *name)
{
    const unsigned flags = is_address(name) ? GNUTLS_VERIFY_DO_NOT_ALLOW_WILDCARDS : 0;
    return gnutls_x509_crt_check_hostname2(certificate, name, flags);
}

SECURITY_STATUS tls_name_check(const struct tls_context *context, struct cs_span der)
{
    struct cs_writer name = {0};
    if (!context->name.size) return SEC_E_OK;
    cs_write_span(&name, context->name);
    cs_write_u8(&name, 0);
    gnutls_x509_crt_t certificate = tls_certificate_read(der);
    const bool good = !name.failed && certificate && is_named(certificate, (const char *)name.data);
    SECURITY_STATUS status = name.failed ? SEC_E_INSUFFICIENT_MEMORY : good ? SEC_E_OK : SEC_E_WRONG_PRINCIPAL;
    gnutls_x509_crt_deinit(certificate);
    cs_writer_drop(&name);
    return status;
}
