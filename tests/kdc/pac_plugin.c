/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A plugin for Heimdal's KDC that puts a PAC into its tickets, as Active Directory does. Without one the KDC of Heimdal
 * 7.8 takes no ticket as evidence for S4U2proxy: it checks its other signature against the server's name, where it has
 * signed the client's. The PAC holds what the KDC itself adds: CLIENT_INFO and the signatures.
 */
#include <hdb.h>
#include <kdc.h>
#include <krb5/windc_plugin.h>

static krb5_error_code KRB5_CALLCONV init(krb5_context context, void **state)
{
    (void)context;
    *state = NULL;
    return 0;
}

static void KRB5_CALLCONV fini(void *state)
{
    (void)state;
}

static krb5_error_code KRB5_CALLCONV generate(void *state, krb5_context context, struct hdb_entry_ex *client,
                                              krb5_pac *pac)
{
    (void)state;
    (void)client;
    return krb5_pac_init(context, pac);
}

/* The KDC has verified the signatures. */
static krb5_error_code KRB5_CALLCONV verify(void *state, krb5_context context, const krb5_principal client,
                                            const krb5_principal proxy, struct hdb_entry_ex *client_entry,
                                            struct hdb_entry_ex *server, struct hdb_entry_ex *krbtgt, krb5_pac *pac)
{
    (void)state;
    (void)context;
    (void)client;
    (void)proxy;
    (void)client_entry;
    (void)server;
    (void)krbtgt;
    (void)pac;
    return 0;
}

static krb5_error_code KRB5_CALLCONV allow(void *state, krb5_context context, krb5_kdc_configuration *configuration,
                                           hdb_entry_ex *client, const char *client_name, hdb_entry_ex *server,
                                           const char *server_name, KDC_REQ *request, METHOD_DATA *data)
{
    (void)state;
    (void)data;
    return kdc_check_flags(context, configuration, client, client_name, server, server_name,
                           request->msg_type == krb_as_req);
}

extern const krb5plugin_windc_ftable windc;
const krb5plugin_windc_ftable windc = {KRB5_WINDC_PLUGIN_MINOR, init, fini, generate, verify, allow};
