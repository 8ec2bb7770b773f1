/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AD-AUTH-DATA-AP-OPTIONS and the client's target, as Windows's clients send them.
 */
#include "kerberos_authdata.h"
#include "utf16.h"

#include <errno.h>
#include <stdlib.h>

enum { MAX_TARGET = 0xFFFE /* bytes, as a UNICODE_STRING of Windows's can have */ };

static krb5_error_code add(AuthorizationData *data, int type, struct cs_span bytes)
{
    const AuthorizationDataElement element = {.ad_type = type, .ad_data = {bytes.size, (void *)(uintptr_t)bytes.data}};
    return add_AuthorizationData(data, &element);
}

static krb5_error_code add_container(const AuthorizationData *inner, AuthorizationData *data)
{
    krb5_data encoded = {0, NULL};
    size_t size = 0;
    int code;
    ASN1_MALLOC_ENCODE(AuthorizationData, encoded.data, encoded.length, inner, &size, code);
    if (!code) code = add(data, KRB5_AUTHDATA_IF_RELEVANT, (struct cs_span){encoded.data, encoded.length});
    krb5_data_free(&encoded);
    return code;
}

krb5_error_code kerberos_authdata_write(struct cs_span target, AuthorizationData *data)
{
    AuthorizationData inner = {0, NULL};
    struct cs_writer options = {0};
    cs_write_u32(&options, KERBEROS_AP_OPTIONS_CBT);
    krb5_error_code code = options.failed ? ENOMEM : add(&inner, KERBEROS_AUTHDATA_AP_OPTIONS, cs_written(&options));
    if (!code && target.size) code = add(&inner, KERBEROS_AUTHDATA_TARGET, target);
    if (!code) code = add_container(&inner, data);
    free_AuthorizationData(&inner);
    cs_writer_drop(&options);
    return code;
}

static SECURITY_STATUS read_options(struct cs_span bytes, struct kerberos_authdata *said)
{
    struct cs_reader reader = cs_reader_of(bytes);
    if (said->has_options || bytes.size != sizeof said->options) return SEC_E_INVALID_TOKEN;
    said->options = cs_read_u32(&reader);
    said->has_options = true;
    return SEC_E_OK;
}

/* Names have no NUL at their end (MS-KILE 3.2.5.8); one that is there ends it all the same. */
static struct cs_span without_end(struct cs_span utf16)
{
    const size_t size = utf16.size;
    const bool ends = size >= 2 && size % 2 == 0 && !utf16.data[size - 2] && !utf16.data[size - 1];
    return (struct cs_span){utf16.data, ends ? size - 2 : size};
}

/* A program reads the name up to a NUL, and what it reads must be what was said: there is none inside. */
static SECURITY_STATUS read_target(struct cs_span said_bytes, struct kerberos_authdata *said)
{
    const struct cs_span bytes = without_end(said_bytes);
    if (said->has_target || bytes.size > MAX_TARGET) return SEC_E_INVALID_TOKEN;
    char *text = kerberos_text(bytes);
    if (!text) return SEC_E_INVALID_TOKEN;
    kerberos_text_free(text);
    if (!cs_span_copy(&said->target, bytes)) return SEC_E_INSUFFICIENT_MEMORY;
    said->has_target = true;
    return SEC_E_OK;
}

static SECURITY_STATUS read_element(const AuthorizationDataElement *element, struct kerberos_authdata *said)
{
    const struct cs_span bytes = {element->ad_data.data, element->ad_data.length};
    switch (element->ad_type) {
    case KERBEROS_AUTHDATA_AP_OPTIONS: return read_options(bytes, said);
    case KERBEROS_AUTHDATA_TARGET: return read_target(bytes, said);
    default: return SEC_E_OK;
    }
}

/* A container inside a container is not looked into. */
static SECURITY_STATUS read_container(const krb5_data *bytes, struct kerberos_authdata *said)
{
    AuthorizationData inner;
    SECURITY_STATUS status = SEC_E_OK;
    if (decode_AuthorizationData(bytes->data, bytes->length, &inner, NULL)) return SEC_E_INVALID_TOKEN;
    for (unsigned i = 0; i < inner.len && status == SEC_E_OK; i++) status = read_element(&inner.val[i], said);
    free_AuthorizationData(&inner);
    return status;
}

SECURITY_STATUS kerberos_authdata_read(const AuthorizationData *data, struct kerberos_authdata *said)
{
    SECURITY_STATUS status = SEC_E_OK;
    *said = (struct kerberos_authdata){.has_target = false};
    for (unsigned i = 0; data && i < data->len && status == SEC_E_OK; i++)
        if (data->val[i].ad_type == KRB5_AUTHDATA_IF_RELEVANT) status = read_container(&data->val[i].ad_data, said);
    return status;
}

void kerberos_authdata_drop(struct kerberos_authdata *said)
{
    cs_span_drop(&said->target);
    *said = (struct kerberos_authdata){.has_target = false};
}
