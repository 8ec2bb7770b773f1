/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a ticket has its PAC: an AD-WIN2K-PAC inside an AD-IF-RELEVANT of its authorization data (RFC 4120 5.2.6,
 * MS-PAC 2.1).
 */
#include "kerberos_pac.h"

/* The last PAC in DATA, borrowed; COUNT grows by how many there are. */
static struct cs_span look_among(const AuthorizationData *data, unsigned *count)
{
    struct cs_span pac = {0};
    for (unsigned i = 0; i < data->len; i++) {
        const AuthorizationDataElement *element = &data->val[i];
        if (element->ad_type != KRB5_AUTHDATA_WIN2K_PAC) continue;
        pac = (struct cs_span){element->ad_data.data, element->ad_data.length};
        ++*count;
    }
    return pac;
}

/* Reads the PAC in the container BYTES, if there is one. */
static SECURITY_STATUS read_container(krb5_context krb5, const krb5_keyblock *key, const EncTicketPart *ticket,
                                      const krb5_data *bytes, unsigned *count, struct kerberos_pac *result)
{
    const Principal client = {.name = ticket->cname, .realm = ticket->crealm};
    AuthorizationData inner;
    SECURITY_STATUS status = SEC_E_OK;
    if (decode_AuthorizationData(bytes->data, bytes->length, &inner, NULL)) return SEC_E_INVALID_TOKEN;
    const struct cs_span pac = look_among(&inner, count);
    if (*count > 1)
        status = SEC_E_INVALID_TOKEN;
    else if (pac.data)
        status = kerberos_pac_read(krb5, key, &client, ticket->authtime, pac, result);
    free_AuthorizationData(&inner);
    return status;
}

SECURITY_STATUS kerberos_pac_of_ticket(krb5_context krb5, const krb5_keyblock *key, const EncTicketPart *ticket,
                                       struct kerberos_pac *result)
{
    const AuthorizationData *data = ticket->authorization_data;
    SECURITY_STATUS status = SEC_E_OK;
    unsigned count = 0;
    *result = (struct kerberos_pac){.kick_off = INT64_MAX};
    for (unsigned i = 0; data && i < data->len && status == SEC_E_OK; i++) {
        const AuthorizationDataElement *element = &data->val[i];
        if (element->ad_type == KRB5_AUTHDATA_IF_RELEVANT)
            status = read_container(krb5, key, ticket, &element->ad_data, &count, result);
    }
    if (status != SEC_E_OK) kerberos_pac_drop(result);
    return status;
}
