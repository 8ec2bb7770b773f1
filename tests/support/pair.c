/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client and a server in one process.
 */
#include "pair.h"

#include "crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char accounts_variable[] = "COUNTERSIGN_ACCOUNTS";
static const char secret_variable[] = "COUNTERSIGN_LOOPBACK_SECRET";

static void require(bool held, const char *what)
{
    if (held) return;
    fprintf(stderr, "tests/support/pair: %s\n", what);
    abort();
}

static void write_accounts(const char *path, const char *accounts)
{
    FILE *file = fopen(path, "w");
    require(file && fputs(accounts, file) >= 0 && !fclose(file) && !chmod(path, 0600), "account file");
}

void pair_environment(const char *accounts)
{
    char folder[] = "/tmp/countersign-test-XXXXXX", path[64];
    require(mkdtemp(folder) != NULL, "temporary folder");
    snprintf(path, sizeof path, "%s/secret", folder);
    setenv(secret_variable, path, 1);
    snprintf(path, sizeof path, "%s/accounts", folder);
    setenv(accounts_variable, path, 1);
    if (accounts) write_accounts(path, accounts);
}

void pair_environment_end(void)
{
    char folder[64];
    snprintf(folder, sizeof folder, "%s", getenv(accounts_variable));
    unlink(folder);
    unlink(getenv(secret_variable));
    *strrchr(folder, '/') = 0;
    rmdir(folder);
}

void pair_account_line(char *line, size_t size, const char *user, const char *password)
{
    struct cs_writer utf16 = {0};
    uint8_t hash[NTLM_KEY];
    char hex[2 * NTLM_KEY + 1];
    require(cs_utf16_of(&utf16, cs_span_of(password)), "password");
    ntlm_NTOWFv1(cs_written(&utf16), hash);
    for (size_t i = 0; i < sizeof hash; i++) snprintf(hex + 2 * i, 3, "%02X", hash[i]);
    snprintf(line, size, "%s:1000:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:%s:[U          ]:LCT-00000000:\n", user, hex);
    cs_writer_drop(&utf16);
}

static struct cs_credential *acquire(const char *package, const struct cs_credential_request *request)
{
    const struct cs_mechanism *mechanism = cs_find_mechanism(package);
    struct cs_credential *credential = NULL;
    require(mechanism && cs_acquire_credential(mechanism, request, &credential) == SEC_E_OK, "credential");
    return credential;
}

static struct cs_span package_list(struct cs_writer *utf16, const char *packages)
{
    require(cs_utf16_of(utf16, cs_span_of(packages)), "package list");
    return cs_written(utf16);
}

/* What one side is to be acquired with. */
struct side {
    uint32_t use;
    const char *user, *domain, *password, *packages;
    bool anonymous;
    const struct cs_policy *policy;
};

static struct cs_credential *acquire_side(const char *package, const struct side *side)
{
    struct cs_credential_request request = {.use = side->use};
    struct cs_writer user = {0}, domain = {0}, password = {0}, packages = {0};
    request.policy = side->policy ? *side->policy : cs_default_policy();
    if (side->anonymous) request.identity.kind = CS_IDENTITY_ANONYMOUS;
    if (side->user) {
        require(cs_utf16_of(&user, cs_span_of(side->user)) && cs_utf16_of(&domain, cs_span_of(side->domain)) &&
                    cs_utf16_of(&password, cs_span_of(side->password)),
                "identity");
        request.identity = (struct cs_identity){.kind = CS_IDENTITY_EXPLICIT,
                                                .user = cs_written(&user),
                                                .domain = cs_written(&domain),
                                                .password = cs_written(&password)};
    }
    request.identity.package_list = package_list(&packages, side->packages);
    struct cs_credential *credential = acquire(package, &request);
    cs_writer_drop(&packages);
    cs_writer_drop(&user);
    cs_writer_drop(&domain);
    cs_writer_drop(&password);
    return credential;
}

void pair_open(struct pair *pair, const char *package, const struct pair_setup *setup)
{
    const struct side server = {.use = SECPKG_CRED_INBOUND,
                                .user = setup->server_user,
                                .domain = setup->server_domain,
                                .password = setup->server_password,
                                .packages = setup->server_packages,
                                .policy = setup->server_policy};
    const struct side client = {.use = SECPKG_CRED_OUTBOUND,
                                .user = setup->user,
                                .domain = setup->domain,
                                .password = setup->password,
                                .packages = setup->client_packages,
                                .anonymous = setup->anonymous,
                                .policy = setup->client_policy};
    memset(pair, 0, sizeof *pair);
    pair->setup = *setup;
    pair->server_credential = acquire_side(package, &server);
    pair->client_credential = acquire_side(package, &client);
    require(cs_utf16_of(&pair->target, cs_span_of(setup->target)), "target");
}

SECURITY_STATUS pair_client_step(struct pair *pair, struct cs_span input)
{
    pair->client_leg = (struct cs_leg){.credential = pair->client_credential,
                                       .target = cs_written(&pair->target),
                                       .request = pair->setup.client_request,
                                       .input = input,
                                       .bindings = pair->setup.client_bindings,
                                       .room = SIZE_MAX};
    return cs_initialize(&pair->client, &pair->client_leg);
}

SECURITY_STATUS pair_server_step(struct pair *pair, struct cs_span input)
{
    pair->server_leg = (struct cs_leg){.credential = pair->server_credential,
                                       .request = pair->setup.server_request,
                                       .input = input,
                                       .bindings = pair->setup.server_bindings,
                                       .room = SIZE_MAX};
    return cs_accept(&pair->server, &pair->server_leg);
}

SECURITY_STATUS pair_run(struct pair *pair)
{
    SECURITY_STATUS client = pair_client_step(pair, (struct cs_span){0}), server = SEC_I_CONTINUE_NEEDED;
    while (client >= 0) {
        if (server == SEC_I_CONTINUE_NEEDED) server = pair_server_step(pair, cs_token(pair->client));
        if (server < 0 || client == SEC_E_OK) return server;
        client = pair_client_step(pair, cs_token(pair->server));
    }
    return client;
}

void pair_close(struct pair *pair)
{
    cs_context_release(pair->client);
    cs_context_release(pair->server);
    cs_credential_release(pair->client_credential);
    cs_credential_release(pair->server_credential);
    cs_writer_drop(&pair->target);
    memset(pair, 0, sizeof *pair);
}
