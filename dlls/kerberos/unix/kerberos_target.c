/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Targets: from pszTargetName to a service's principal.
 */
#include "kerberos.h"

#include <krb5_err.h>
#include <stdlib.h>
#include <string.h>

/* Whether krb5.conf asks for canonical host names. Heimdal's own default would ask the DNS, which Windows does not. */
static bool canonicalises(krb5_context context)
{
    return krb5_config_get_bool_default(context, NULL, FALSE, "libdefaults", "dns_canonicalize_hostname", NULL) ||
           krb5_config_get_string(context, NULL, "libdefaults", "name_canon_rules", NULL);
}

/* What [domain_realm] says of HOST itself, or of the nearest domain around it that is named with a dot before it. */
static const char *mapped_realm(krb5_context context, const char *host)
{
    const char *realm = NULL;
    for (const char *name = host; name && *name && !realm; name = strchr(name + 1, '.'))
        realm = krb5_config_get_string(context, NULL, "domain_realm", name, NULL);
    return realm;
}

/* Else the client's realm, whose KDC refers to another. Heimdal would guess one from the name. */
static char *realm_of_host(krb5_context context, const char *host, krb5_const_principal client)
{
    char *name = strndup(host, strcspn(host, ":/"));
    if (!name) return NULL;
    const char *mapped = mapped_realm(context, name);
    free(name);
    return strdup(mapped ? mapped : krb5_principal_get_realm(context, client));
}

/* service/host, whose principal has no realm yet. */
static krb5_error_code complete(krb5_context context, krb5_const_principal client, krb5_principal *server)
{
    const char *service = krb5_principal_get_comp_string(context, *server, 0);
    const char *host = krb5_principal_get_comp_string(context, *server, 1);
    krb5_principal canonical = NULL;
    if (service && host && krb5_principal_get_num_comp(context, *server) == 2 && canonicalises(context)) {
        krb5_error_code code = krb5_sname_to_principal(context, host, service, KRB5_NT_SRV_HST, &canonical);
        if (code) return code;
        krb5_free_principal(context, *server);
        *server = canonical;
        return 0;
    }
    char *realm = host ? realm_of_host(context, host, client) : strdup(krb5_principal_get_realm(context, client));
    krb5_error_code code = realm ? krb5_principal_set_realm(context, *server, realm) : krb5_enomem(context);
    free(realm);
    return code;
}

/* No part of a name is empty, though Heimdal takes such names. */
static bool is_whole(krb5_context context, krb5_const_principal server)
{
    const unsigned count = krb5_principal_get_num_comp(context, server);
    for (unsigned i = 0; i < count; i++)
        if (!*krb5_principal_get_comp_string(context, server, i)) return false;
    return count > 0;
}

static krb5_error_code parse(krb5_context context, const char *text, krb5_const_principal client,
                             struct kerberos_wanted *wanted)
{
    krb5_principal *server = &wanted->server;
    krb5_error_code code = krb5_parse_name_flags(context, text, KRB5_PRINCIPAL_PARSE_NO_DEF_REALM, server);
    if (code) return code;
    if (!is_whole(context, *server)) return KRB5_PARSE_MALFORMED;
    const char *given = krb5_principal_get_realm(context, *server);
    wanted->of_realm = given && *given;
    if (!wanted->of_realm) {
        code = complete(context, client, server);
    } else {
        char *realm = kerberos_realm_of(context, given);
        code = realm ? krb5_principal_set_realm(context, *server, realm) : krb5_enomem(context);
        free(realm);
    }
    if (!code) krb5_principal_set_type(context, *server, KRB5_NT_SRV_INST);
    return code;
}

SECURITY_STATUS kerberos_target(krb5_context context, struct cs_span target, krb5_const_principal client,
                                struct kerberos_wanted *wanted)
{
    char *text = target.size ? kerberos_text(target) : NULL;
    *wanted = (struct kerberos_wanted){NULL, false};
    if (!text) return SEC_E_TARGET_UNKNOWN;
    krb5_error_code code = parse(context, text, client, wanted);
    if (code && wanted->server) krb5_free_principal(context, wanted->server);
    if (code) wanted->server = NULL;
    kerberos_text_free(text);
    return kerberos_status(code);
}

/* Heimdal asks the client's own KDC for the name without its realm when that realm does not have it. */
krb5_error_code kerberos_check_wanted(krb5_context context, const struct kerberos_wanted *wanted,
                                      const krb5_creds *creds)
{
    const bool is_it = !wanted->of_realm || krb5_realm_compare(context, wanted->server, creds->server);
    return is_it ? 0 : KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN;
}
