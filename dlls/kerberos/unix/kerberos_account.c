/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who somebody is: from what Windows programs give to a principal, and back to what they are told.
 */
#include "kerberos.h"
#include "secure.h"
#include "utf16.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void kerberos_text_free(char *text)
{
    if (text) cs_wipe_free(text, strlen(text));
}

char *kerberos_text(struct cs_span utf16)
{
    struct cs_writer utf8 = {0};
    char *text = NULL;
    if (cs_utf8_of(&utf8, utf16) && (!utf8.size || !memchr(utf8.data, 0, utf8.size))) {
        text = calloc(1, utf8.size + 1);
        if (text && utf8.size) memcpy(text, utf8.data, utf8.size);
    }
    cs_writer_drop(&utf8);
    return text;
}

/* Realms are the DNS names of domains in upper case; only ASCII letters have a case there. */
static char *upper_copy(const char *text, size_t size)
{
    char *copy = strndup(text, size);
    for (char *c = copy; c && *c; c++)
        if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 'a' + 'A');
    return copy;
}

static bool is_configured(krb5_context context, const char *realm)
{
    return krb5_config_get_list(context, NULL, "realms", realm, NULL) != NULL;
}

bool kerberos_is_realm(krb5_context context, const char *realm)
{
    return strchr(realm, '.') || is_configured(context, realm);
}

/* EXAMPLE is EXAMPLE.COM's NetBIOS name where nothing else is said. NULL: it is not, or no memory. */
static char *default_realm_for(krb5_context context, const char *netbios)
{
    char *realm = NULL, *copy = NULL;
    const size_t size = strlen(netbios);
    if (krb5_get_default_realm(context, &realm)) return NULL;
    if (!strncasecmp(realm, netbios, size) && realm[size] == '.') copy = strdup(realm);
    krb5_xfree(realm);
    return copy;
}

char *kerberos_realm_of(krb5_context context, const char *domain)
{
    char *upper = upper_copy(domain, strlen(domain));
    const char *mapped = upper ? krb5_config_get_string(context, NULL, "countersign", "netbios", upper, NULL) : NULL;
    char *realm = NULL;
    if (mapped)
        realm = strdup(mapped);
    else if (is_configured(context, domain))
        realm = strdup(domain);
    else if (!strchr(domain, '.'))
        realm = default_realm_for(context, domain);
    if (realm || mapped || !upper) {
        free(upper);
        return realm;
    }
    return upper;
}

/* The parts of a name. */
struct parts {
    char *user, *domain; /* owned; an empty domain is none */
    bool is_upn;
};

static void drop_parts(struct parts *parts)
{
    kerberos_text_free(parts->user);
    kerberos_text_free(parts->domain);
}

/* DOMAIN\user and user@suffix inside the user field; a domain of its own goes before both. */
static bool split_user(struct parts *parts)
{
    char *mark = strchr(parts->user, '\\'), *user = NULL, *domain = NULL;
    const bool is_upn = !mark;
    if (*parts->domain) return true;
    if (mark) {
        domain = strndup(parts->user, (size_t)(mark - parts->user));
        user = strdup(mark + 1);
    } else if ((mark = strrchr(parts->user, '@')) && mark != parts->user) {
        user = strndup(parts->user, (size_t)(mark - parts->user));
        domain = strdup(mark + 1);
    } else {
        return true;
    }
    drop_parts(parts);
    *parts = (struct parts){user, domain, is_upn};
    return user && domain;
}

/*
 * A domain has UPN suffixes besides its own name, which its KDC knows (RFC 6806 section 5, MS-KILE 3.1.5.6). The
 * default realm's is asked about those that krb5.conf does not know as realms.
 */
static krb5_error_code make_alias(krb5_context context, const struct parts *parts, krb5_const_principal principal,
                                  krb5_principal *alias)
{
    const char *realm = krb5_principal_get_realm(context, principal);
    char *own = NULL, *text = NULL;
    if (!parts->is_upn || is_configured(context, realm) || krb5_get_default_realm(context, &own)) return 0;
    krb5_error_code code = 0;
    if (strcmp(own, realm))
        code = asprintf(&text, "%s@%s", parts->user, parts->domain) < 0
                   ? krb5_enomem(context)
                   : krb5_parse_name_flags(context, text, KRB5_PRINCIPAL_PARSE_ENTERPRISE, alias);
    krb5_xfree(own);
    free(text);
    return code;
}

static krb5_error_code make_principal(krb5_context context, const struct parts *parts, krb5_principal *principal)
{
    char *realm = NULL;
    krb5_error_code code = 0;
    if (*parts->domain)
        realm = kerberos_realm_of(context, parts->domain);
    else
        code = krb5_get_default_realm(context, &realm);
    if (!code && !realm) code = krb5_enomem(context);
    if (!code) code = krb5_make_principal(context, principal, realm, parts->user, NULL);
    free(realm);
    return code;
}

SECURITY_STATUS kerberos_account_make(krb5_context context, const struct cs_identity *identity,
                                      struct kerberos_account *account)
{
    struct parts parts = {kerberos_text(identity->user), kerberos_text(identity->domain), false};
    SECURITY_STATUS status = SEC_E_UNKNOWN_CREDENTIALS;
    *account = (struct kerberos_account){.password = kerberos_text(identity->password)};
    if (parts.user && parts.domain && account->password) {
        status = SEC_E_INSUFFICIENT_MEMORY;
        if (split_user(&parts)) status = kerberos_status(make_principal(context, &parts, &account->principal));
        if (status == SEC_E_OK)
            status = kerberos_status(make_alias(context, &parts, account->principal, &account->alias));
    }
    drop_parts(&parts);
    if (status) kerberos_account_drop(context, account);
    return status;
}

void kerberos_account_drop(krb5_context context, struct kerberos_account *account)
{
    if (account->principal) krb5_free_principal(context, account->principal);
    if (account->alias) krb5_free_principal(context, account->alias);
    kerberos_text_free(account->password);
    *account = (struct kerberos_account){NULL, NULL, NULL};
}

SECURITY_STATUS kerberos_write_text(const char *text, struct cs_writer *output)
{
    if (cs_utf16_of(output, cs_span_of(text))) return SEC_E_OK;
    return output->failed ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_INVALID_TOKEN;
}

static bool is_own_realm(krb5_context context, const char *realm)
{
    krb5_realm own = NULL;
    const bool same = !krb5_get_default_realm(context, &own) && !strcmp(own, realm);
    krb5_xfree(own);
    return same;
}

/* Another realm stays whole: its first label may be that of this machine's, and its users are not this one's. */
static char *domain_of(krb5_context context, const char *realm)
{
    return upper_copy(realm, is_own_realm(context, realm) ? strcspn(realm, ".") : strlen(realm));
}

SECURITY_STATUS kerberos_write_name(krb5_context context, krb5_const_principal principal, struct cs_writer *output)
{
    const int flags = KRB5_PRINCIPAL_UNPARSE_NO_REALM | KRB5_PRINCIPAL_UNPARSE_DISPLAY;
    char *domain = domain_of(context, krb5_principal_get_realm(context, principal)), *user = NULL;
    SECURITY_STATUS status = domain ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    if (status == SEC_E_OK && krb5_unparse_name_flags(context, principal, flags, &user)) status = SEC_E_INVALID_TOKEN;
    if (status == SEC_E_OK) status = kerberos_write_text(domain, output);
    if (status == SEC_E_OK) status = kerberos_write_text("\\", output);
    if (status == SEC_E_OK) status = kerberos_write_text(user, output);
    free(domain);
    krb5_xfree(user);
    return status;
}
