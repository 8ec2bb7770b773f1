/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Negotiate's exchanges, and Kerberos's, through the A entry points. From its second leg on a client gives no
 * credential, which Windows accepts (behaviour.md row 57).
 */
#include "spnego_pair.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

static const char hint_name[] = "not_defined_in_RFC4178@please_ignore";

/* Enough for every Windows's cbMaxToken up to where an administrator may raise it, where the package is not listed. */
#define MAX_TOKEN_UNKNOWN 65791

static SEC_CHAR *package_of(const struct spnego_request *request)
{
    return (SEC_CHAR *)(request->package ? request->package : "Negotiate");
}

static ULONG query_max_token(SEC_CHAR *package)
{
    SecPkgInfoA *info = NULL;
    ULONG size = MAX_TOKEN_UNKNOWN;

    if (QuerySecurityPackageInfoA(package, &info) || !info) return size;
    size = info->cbMaxToken;
    FreeContextBuffer(info);
    return size;
}

static SEC_WINNT_AUTH_IDENTITY_EXA extend(const SEC_WINNT_AUTH_IDENTITY_A *identity, const char *packages)
{
    SEC_WINNT_AUTH_IDENTITY_EXA extended = {
        .Version = SEC_WINNT_AUTH_IDENTITY_VERSION,
        .Length = sizeof(extended),
        .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI,
        .PackageList = (unsigned char *)packages,
        .PackageListLength = (ULONG)strlen(packages),
    };

    if (!identity) return extended;
    extended.User = identity->User;
    extended.UserLength = identity->UserLength;
    extended.Domain = identity->Domain;
    extended.DomainLength = identity->DomainLength;
    extended.Password = identity->Password;
    extended.PasswordLength = identity->PasswordLength;
    return extended;
}

static SECURITY_STATUS credential_for(SEC_CHAR *package, ULONG use, const SEC_WINNT_AUTH_IDENTITY_A *identity,
                                      const char *packages, CredHandle *credential)
{
    SEC_WINNT_AUTH_IDENTITY_EXA extended;
    void *auth_data = (void *)identity;
    TimeStamp expiry;

    if (packages) {
        extended = extend(identity, packages);
        auth_data = &extended;
    }
    SecInvalidateHandle(credential);
    return AcquireCredentialsHandleA(NULL, package, use, NULL, auth_data, NULL, NULL, credential, &expiry);
}

SECURITY_STATUS spnego_credential(ULONG use, const SEC_WINNT_AUTH_IDENTITY_A *identity, const char *packages,
                                  CredHandle *credential)
{
    return credential_for((SEC_CHAR *)"Negotiate", use, identity, packages, credential);
}

static void side_init(struct spnego_side *side, ULONG max_token)
{
    memset(side, 0, sizeof(*side));
    SecInvalidateHandle(&side->credential);
    SecInvalidateHandle(&side->context);
    side->output = calloc(1, max_token);
    if (!side->output) abort();
}

static bool acquire(struct spnego_side *side, SEC_CHAR *package, ULONG use, const SEC_WINNT_AUTH_IDENTITY_A *identity,
                    const char *packages)
{
    SECURITY_STATUS status = credential_for(package, use, identity, packages, &side->credential);

    if (!status) return true;
    side->legs[side->leg_count++].status = status;
    return false;
}

bool spnego_pair_open(struct spnego_pair *pair, const struct spnego_request *request)
{
    SEC_CHAR *package = package_of(request);

    pair->max_token = query_max_token(package);
    side_init(&pair->client, pair->max_token);
    side_init(&pair->server, pair->max_token);
    return acquire(&pair->client, package, SECPKG_CRED_OUTBOUND, request->identity, request->packages) &&
           acquire(&pair->server, package, SECPKG_CRED_INBOUND, request->server_identity, NULL);
}

const struct spnego_leg *spnego_last_leg(const struct spnego_side *side)
{
    return &side->legs[side->leg_count - 1];
}

/* The input of a leg: what the other side sent last, none before its first leg, and the bindings that are given. */
struct leg_input {
    SecBuffer buffers[2];
    SecBufferDesc message;
};

static SecBufferDesc *make_input(struct leg_input *input, const struct spnego_side *other, const SecBuffer *bindings)
{
    ULONG count = 0;

    if (other->leg_count)
        input->buffers[count++] = (SecBuffer){spnego_last_leg(other)->size, SECBUFFER_TOKEN, other->output};
    if (bindings->cbBuffer) input->buffers[count++] = *bindings;
    input->message = (SecBufferDesc){SECBUFFER_VERSION, count, input->buffers};
    return count ? &input->message : NULL;
}

static bool contains(const unsigned char *bytes, ULONG size, const char *text, ULONG length)
{
    for (ULONG i = 0; i + length <= size; i++)
        if (!memcmp(bytes + i, text, length)) return true;
    return false;
}

static bool finish_leg(struct spnego_side *side, struct spnego_leg *leg, const SecBuffer *output)
{
    side->leg_count++;
    leg->output_type = output->BufferType;
    leg->size = leg->status < 0 ? 0 : output->cbBuffer;
    memcpy(leg->start, side->output, leg->size < sizeof(leg->start) ? leg->size : sizeof(leg->start));
    leg->with_hint = contains(side->output, leg->size, hint_name, sizeof(hint_name) - 1);
    return leg->size > 0;
}

bool spnego_client_leg(struct spnego_pair *pair, const struct spnego_request *request)
{
    struct spnego_side *side = &pair->client;
    const bool first = !side->leg_count;
    struct spnego_leg *leg = &side->legs[side->leg_count];
    struct leg_input input;
    SecBufferDesc *received = make_input(&input, &pair->server, &request->client_bindings);
    SecBuffer sent = {pair->max_token, SECBUFFER_TOKEN, side->output};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &sent};

    if (side->leg_count == SPNEGO_LEGS_MAX) return false;
    leg->status =
        InitializeSecurityContextA(first ? &side->credential : NULL, first ? NULL : &side->context,
                                   (SEC_CHAR *)request->target, request->client_flags, 0, SECURITY_NATIVE_DREP,
                                   received, 0, &side->context, &output, &leg->attributes, &leg->expiry);
    return finish_leg(side, leg, &sent);
}

bool spnego_server_leg(struct spnego_pair *pair, const struct spnego_request *request)
{
    struct spnego_side *side = &pair->server;
    struct spnego_leg *leg = &side->legs[side->leg_count];
    struct leg_input input;
    SecBufferDesc *received = make_input(&input, &pair->client, &request->server_bindings);
    SecBuffer sent = {pair->max_token, SECBUFFER_TOKEN, side->output};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &sent};

    if (side->leg_count == SPNEGO_LEGS_MAX) return false;
    leg->status = AcceptSecurityContext(&side->credential, side->leg_count ? &side->context : NULL, received,
                                        request->server_flags, SECURITY_NATIVE_DREP, &side->context, &output,
                                        &leg->attributes, &leg->expiry);
    return finish_leg(side, leg, &sent);
}

static bool is_complete(const struct spnego_side *side)
{
    return side->leg_count && spnego_last_leg(side)->status == SEC_E_OK;
}

bool spnego_pair_run(struct spnego_pair *pair, const struct spnego_request *request)
{
    if (!spnego_pair_open(pair, request)) return false;
    while (spnego_client_leg(pair, request) && spnego_server_leg(pair, request))
        ;
    return is_complete(&pair->client) && is_complete(&pair->server);
}

static void side_close(struct spnego_side *side)
{
    if (SecIsValidHandle(&side->context)) DeleteSecurityContext(&side->context);
    if (SecIsValidHandle(&side->credential)) FreeCredentialsHandle(&side->credential);
    free(side->output);
    memset(side, 0, sizeof(*side));
    SecInvalidateHandle(&side->credential);
    SecInvalidateHandle(&side->context);
}

void spnego_pair_close(struct spnego_pair *pair)
{
    side_close(&pair->client);
    side_close(&pair->server);
}

static size_t append_leg(char *text, size_t used, const char *name, const struct spnego_side *side, unsigned leg)
{
    char status[STATUS_NAME_MAX];

    if (leg >= side->leg_count) return used;
    return used + (size_t)snprintf(text + used, SPNEGO_OUTCOME_MAX - used, "%s%s %s", used ? ", " : "", name,
                                   status_name(side->legs[leg].status, status));
}

const char *spnego_outcome(const struct spnego_pair *pair, char *text)
{
    size_t used = 0;

    text[0] = 0;
    for (unsigned i = 0; i < SPNEGO_LEGS_MAX; i++) {
        used = append_leg(text, used, "client", &pair->client, i);
        used = append_leg(text, used, "server", &pair->server, i);
    }
    return text;
}

/* INTEGRITY has two numbers for one meaning; the others have one. */
static ULONG server_flags(ULONG flags)
{
    return (flags & ISC_REQ_INTEGRITY ? ASC_REQ_INTEGRITY : 0) |
           (flags & (ASC_REQ_CONFIDENTIALITY | ASC_REQ_SEQUENCE_DETECT | ASC_REQ_REPLAY_DETECT));
}

void spnego_observe(struct conformance_run *run, const char *id, const struct spnego_request *request)
{
    struct spnego_pair pair;
    char text[SPNEGO_OUTCOME_MAX];

    spnego_pair_run(&pair, request);
    observe(run, id, "%s", spnego_outcome(&pair, text));
    spnego_pair_close(&pair);
}

bool spnego_open_pair(struct conformance_run *run, struct spnego_pair *pair, ULONG flags)
{
    const struct spnego_request request = {
        .packages = SPNEGO_NO_KERBEROS, .client_flags = flags, .server_flags = server_flags(flags)};
    char text[SPNEGO_OUTCOME_MAX];

    if (spnego_pair_run(pair, &request)) return true;
    not_reached(run, "%s", spnego_outcome(pair, text));
    spnego_pair_close(pair);
    return false;
}
