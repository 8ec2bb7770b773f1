/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client and a server in this process with nobody's password: the loopback logon of default credentials, what both
 * ends then know, and logons that must fail.
 */
#include "attributes.h"
#include "exchange.h"
#include "groups.h"
#include "status.h"

#include <string.h>

#define BOTH_OK "client SEC_I_CONTINUE_NEEDED, server SEC_I_CONTINUE_NEEDED, client SEC_E_OK, server SEC_E_OK"
#define SIZES "max token 2888, signature 16, block 0, trailer 16"
#define OLD_SIZES "5.2:max token 1904, signature 16, block 0, trailer 16"

static const struct conformance_case cases[] = {
    {"loopback/native", "behaviour 104", BOTH_OK, NULL, WINE_DIFFERS},
    {"loopback/network", "behaviour 104", BOTH_OK, NULL, WINE_DIFFERS},
    {"loopback/close.client", "behaviour 106", "SEC_E_OK", NULL, WINE_DIFFERS},
    {"loopback/close.server", "behaviour 106", "SEC_E_OK", NULL, WINE_DIFFERS},
    {"loopback/close.client-credential", "behaviour 106", "SEC_E_OK", NULL, WINE_DIFFERS},
    {"loopback/close.server-credential", "behaviour 106", "SEC_E_OK", NULL, WINE_DIFFERS},
    {"loopback/client.key-info", "behaviour 100", "HMAC-MD5 / RSADSI RC4, 0xffffff76, 128, 0x6801", NULL, WINE_DIFFERS},
    {"loopback/server.key-info", "attributes KEY_INFO NTLM", "HMAC-MD5 / RSADSI RC4, 0xffffff76, 128, 0x6801", NULL,
     WINE_DIFFERS},
    {"loopback/client.sizes", "attributes SIZES NTLM", SIZES, OLD_SIZES, WINE_DIFFERS},
    {"loopback/server.sizes", "attributes SIZES NTLM", SIZES, OLD_SIZES, WINE_DIFFERS},
    {"loopback/names.equal", "attributes NAMES NTLM", "yes", NULL, WINE_DIFFERS},
    {"loopback/names.form", "attributes NAMES NTLM", "DOMAIN\\user", NULL, WINE_DIFFERS},
    {"loopback/client.package", "attributes PACKAGE_INFO NTLM", "NTLM", NULL, WINE_DIFFERS},
    {"loopback/server.package", "attributes PACKAGE_INFO NTLM", "NTLM", NULL, WINE_DIFFERS},
    {"loopback/session-key.size", "attributes SESSION_KEY NTLM", "16", NULL, WINE_DIFFERS},
    {"loopback/session-key.equal", "attributes SESSION_KEY NTLM", "yes", NULL, WINE_DIFFERS},
    {"loopback/session-key.free", "behaviour 102", "SEC_E_OK", NULL, WINE_DIFFERS},
    {"loopback/client.negotiation", "attributes NEGOTIATION_INFO NTLM", "SEC_E_OK, 0, NTLM", NULL, WINE_DIFFERS},
    {"loopback/server.negotiation", "attributes NEGOTIATION_INFO NTLM", "SEC_E_OK, 0, NTLM", NULL, WINE_DIFFERS},
    {"loopback/client.stream-sizes", "attributes STREAM_SIZES NTLM", "SEC_E_UNSUPPORTED_FUNCTION", NULL, WINE_DIFFERS},
    {"loopback/client.flags", "attributes FLAGS NTLM (documented)", "as granted", NULL, WINE_DIFFERS},
    {"loopback/server.flags", "attributes FLAGS NTLM (documented)", "as granted", NULL, WINE_DIFFERS},
    {"loopback/client.lifespan", "attributes LIFESPAN NTLM (documented)", "SEC_E_OK, ends after it starts", NULL,
     WINE_DIFFERS},
    {"loopback/client.expiry", "attributes Expiry NTLM", "in 1 hour to 10 days", NULL, WINE_DIFFERS},
    {"loopback/server.token", "errors QuerySecurityContextToken (documented)", "SEC_E_OK", NULL, WINE_DIFFERS},
    {"loopback/server.impersonate", "errors ImpersonateSecurityContext (documented)", "SEC_E_OK", NULL, WINE_DIFFERS},
    {"loopback/server.revert", "errors RevertSecurityContext (documented)", "SEC_E_OK", NULL, WINE_DIFFERS},
    {"loopback/unknown-user", "behaviour 105", "SEC_E_LOGON_DENIED", NULL, WINE_NEEDS_HELPER},
    {"loopback/wrong-password", "errors AcceptSecurityContext/NTLM wrong password", "SEC_E_LOGON_DENIED", NULL,
     WINE_NEEDS_HELPER},
};

static void both_key_infos(struct conformance_run *run, struct exchange *exchange)
{
    char text[OBSERVED_MAX];

    observe(run, "loopback/client.key-info", "%s", key_info_text(&exchange->client, text));
    observe(run, "loopback/server.key-info", "%s", key_info_text(&exchange->server, text));
    observe(run, "loopback/client.sizes", "%s", sizes_text(&exchange->client, text));
    observe(run, "loopback/server.sizes", "%s", sizes_text(&exchange->server, text));
}

static void both_names(struct conformance_run *run, struct exchange *exchange)
{
    char client[OBSERVED_MAX], server[OBSERVED_MAX];

    names_text(&exchange->client, client);
    names_text(&exchange->server, server);
    observe_bool(run, "loopback/names.equal", !strcmp(client, server));
    observe(run, "loopback/names.form", "%s", name_form(client));
}

static void both_session_keys(struct conformance_run *run, struct exchange *exchange)
{
    unsigned char client[SESSION_KEY_MAX], server[SESSION_KEY_MAX];
    SECURITY_STATUS released = SEC_E_INTERNAL_ERROR;
    ULONG client_size, server_size;

    if (session_key(&exchange->client, client, &client_size, &released)) return;
    if (session_key(&exchange->server, server, &server_size, &released)) return;
    observe(run, "loopback/session-key.size", "%lu", client_size);
    observe_bool(run, "loopback/session-key.equal", client_size == server_size && !memcmp(client, server, client_size));
    observe_status(run, "loopback/session-key.free", released);
}

static void lifespan(struct conformance_run *run, CtxtHandle *context)
{
    SecPkgContext_Lifespan data;
    SECURITY_STATUS status = QueryContextAttributesA(context, SECPKG_ATTR_LIFESPAN, &data);

    if (status)
        observe_status(run, "loopback/client.lifespan", status);
    else
        observe(run, "loopback/client.lifespan", "SEC_E_OK, %s",
                data.tsExpiry.QuadPart > data.tsStart.QuadPart ? "ends after it starts" : "ends before it starts");
}

static void server_identity(struct conformance_run *run, CtxtHandle *server)
{
    HANDLE token = NULL;
    SECURITY_STATUS status = QuerySecurityContextToken(server, &token);

    observe_status(run, "loopback/server.token", status);
    if (!status) CloseHandle(token);
    observe_status(run, "loopback/server.impersonate", ImpersonateSecurityContext(server));
    observe_status(run, "loopback/server.revert", RevertSecurityContext(server));
}

static void close_all(struct conformance_run *run, struct exchange *exchange)
{
    observe_status(run, "loopback/close.client", DeleteSecurityContext(&exchange->client));
    observe_status(run, "loopback/close.server", DeleteSecurityContext(&exchange->server));
    observe_status(run, "loopback/close.client-credential", FreeCredentialsHandle(&exchange->client_credential));
    observe_status(run, "loopback/close.server-credential", FreeCredentialsHandle(&exchange->server_credential));
}

static void both_packages(struct conformance_run *run, struct exchange *exchange)
{
    char text[OBSERVED_MAX];

    observe(run, "loopback/client.package", "%s", package_text(&exchange->client, text));
    observe(run, "loopback/server.package", "%s", package_text(&exchange->server, text));
    observe(run, "loopback/client.negotiation", "%s", negotiation_text(&exchange->client, text));
    observe(run, "loopback/server.negotiation", "%s", negotiation_text(&exchange->server, text));
}

static void both_contexts(struct conformance_run *run, struct exchange *exchange)
{
    SecPkgContext_StreamSizes sizes;
    char text[OBSERVED_MAX];

    both_key_infos(run, exchange);
    both_names(run, exchange);
    both_packages(run, exchange);
    both_session_keys(run, exchange);
    observe_status(run, "loopback/client.stream-sizes",
                   QueryContextAttributesA(&exchange->client, SECPKG_ATTR_STREAM_SIZES, &sizes));
    observe(run, "loopback/client.flags", "%s",
            flags_text(&exchange->client, exchange->legs[CLIENT_LAST].attributes, text));
    observe(run, "loopback/server.flags", "%s",
            flags_text(&exchange->server, exchange->legs[SERVER_LAST].attributes, text));
    lifespan(run, &exchange->client);
    observe(run, "loopback/client.expiry", "%s", expiry_text(exchange->legs[CLIENT_LAST].expiry, text));
    server_identity(run, &exchange->server);
    close_all(run, exchange);
}

static void default_credentials(struct conformance_run *run)
{
    struct exchange_request request = {.client_flags = ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY,
                                       .server_flags = ASC_REQ_CONFIDENTIALITY | ASC_REQ_INTEGRITY,
                                       .data_representation = SECURITY_NETWORK_DREP};
    struct exchange exchange;
    char text[OUTCOME_MAX];
    bool complete;

    exchange_run(&exchange, &request);
    observe(run, "loopback/network", "%s", exchange_outcome(&exchange, text));
    exchange_close(&exchange);
    request.data_representation = SECURITY_NATIVE_DREP;
    complete = exchange_run(&exchange, &request);
    observe(run, "loopback/native", "%s", exchange_outcome(&exchange, text));
    if (complete) {
        both_contexts(run, &exchange);
    } else {
        not_reached(run, "%s", text);
        exchange_close(&exchange);
    }
}

/* Only the server's last answer tells of the logon; an exchange that ended before it is not reached. */
static void denied(struct conformance_run *run, const char *id, const char *user)
{
    SEC_WINNT_AUTH_IDENTITY_A identity = ansi_identity(user, NULL, "this is not the password");
    const struct exchange_request request = {.identity = &identity, .data_representation = SECURITY_NATIVE_DREP};
    struct exchange exchange;

    exchange_run(&exchange, &request);
    if (exchange.legs[SERVER_LAST].made) observe_status(run, id, exchange.legs[SERVER_LAST].status);
    exchange_close(&exchange);
}

static void run_loopback(struct conformance_run *run)
{
    char user[256];
    DWORD size = sizeof(user);

    default_credentials(run);
    denied(run, "loopback/unknown-user", "no-such-user-here");
    if (GetUserNameA(user, &size)) denied(run, "loopback/wrong-password", user);
}

const struct conformance_group loopback_group = {
    .name = "loopback", .cases = cases, .case_count = COUNT_OF(cases), .run = run_loopback};
