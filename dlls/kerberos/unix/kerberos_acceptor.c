/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server's side of the AP exchange: RFC 4120 3.2.3, RFC 4121 4.1, MS-KILE 3.4.5. In user-to-user it shows its
 * ticket-granting ticket first, asked for it or because it has no other key; the checks are the same.
 */
#include "kerberos.h"
#include "kerberos_authdata.h"
#include "kerberos_pac.h"
#include "kerberos_user_to_user.h"
#include "secure.h"
#include "utf16.h"

#include <der.h>
#include <krb5_err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a client's request says, while it is checked. */
struct claim {
    AP_REQ request;
    EncTicketPart ticket;
    Authenticator authenticator;
    const krb5_keyblock *service_key; /* borrowed from the key set */
    bool server_vouched;              /* whether anything says that the ticket's server is the one it names */
    struct kerberos_checksum checksum;
    struct kerberos_authdata said;
};

static void drop_claim(struct claim *claim)
{
    cs_wipe(claim->ticket.key.keyvalue.data, claim->ticket.key.keyvalue.length);
    if (claim->authenticator.subkey)
        cs_wipe(claim->authenticator.subkey->keyvalue.data, claim->authenticator.subkey->keyvalue.length);
    free_AP_REQ(&claim->request);
    free_EncTicketPart(&claim->ticket);
    free_Authenticator(&claim->authenticator);
    kerberos_authdata_drop(&claim->said);
}

static krb5_error_code read_request(struct cs_span message, bool user_to_user, AP_REQ *request)
{
    size_t used;
    krb5_error_code code = decode_AP_REQ(message.data, message.size, request, &used);
    if (code) {
        *request = (AP_REQ){.pvno = 0};
        return KRB5KRB_AP_ERR_MSG_TYPE;
    }
    if (request->pvno != 5 || request->ticket.tkt_vno != 5) return KRB5KRB_AP_ERR_BADVERSION;
    if (request->msg_type != krb_ap_req) return KRB5KRB_AP_ERR_MSG_TYPE;
    /* A ticket under the session key of one that nobody here has shown, or under a key that is not that session key. */
    return (bool)request->ap_options.use_session_key == user_to_user ? 0 : KRB5KRB_AP_ERR_NOKEY;
}

/* The client that the KDC vouches for is the one that speaks, and it speaks now. */
static krb5_error_code check_authenticator(krb5_context context, const struct claim *claim)
{
    const Principal of_ticket = {.name = claim->ticket.cname, .realm = claim->ticket.crealm};
    const Principal speaker = {.name = claim->authenticator.cname, .realm = claim->authenticator.crealm};
    if (claim->authenticator.authenticator_vno != 5) return KRB5KRB_AP_ERR_BADVERSION;
    if (claim->ticket.flags.anonymous) return KRB5KDC_ERR_POLICY; /* servers that want any user want a user */
    if (!krb5_principal_compare(context, &of_ticket, &speaker)) return KRB5KRB_AP_ERR_BADMATCH;
    const time_t apart = time(NULL) - claim->authenticator.ctime;
    return llabs(apart) > krb5_get_max_time_skew(context) ? KRB5KRB_AP_ERR_SKEW : 0;
}

/*
 * A missing checksum is one without flags and without bindings (MS-KILE 3.4.5). DCE style and user-to-user exclude each
 * other: the one has no frames, the other needs them.
 */
static krb5_error_code read_checksum(bool user_to_user, struct claim *claim)
{
    const Checksum *sum = claim->authenticator.cksum;
    if (!sum || sum->cksumtype != (CKSUMTYPE)KERBEROS_CHECKSUM_TYPE) return 0;
    const struct cs_span bytes = {sum->checksum.data, sum->checksum.length};
    if (!kerberos_checksum_read(bytes, &claim->checksum)) return KRB5KRB_AP_ERR_INAPP_CKSUM;
    return user_to_user && (claim->checksum.flags & KERBEROS_DCE_STYLE) ? KRB5KRB_AP_ERR_INAPP_CKSUM : 0;
}

static krb5_error_code open_claim(krb5_context context, const struct kerberos_exchange *exchange,
                                  const struct kerberos_key_set *keys, struct cs_span message, struct claim *claim)
{
    const bool user_to_user = exchange->user_to_user;
    krb5_error_code code = read_request(message, user_to_user, &claim->request);
    if (!code && user_to_user && time(NULL) >= exchange->shown_until) code = KRB5KRB_AP_ERR_TKT_EXPIRED;
    if (!code) code = kerberos_open_ticket(context, keys, &claim->request.ticket, &claim->ticket, &claim->service_key);
    if (!code && !kerberos_usable_key(context, &claim->ticket.key)) code = KRB5KDC_ERR_ETYPE_NOSUPP;
    if (!code) code = kerberos_read_authenticator(context, &claim->request, &claim->ticket.key, &claim->authenticator);
    if (!code) code = check_authenticator(context, claim);
    if (!code) claim->server_vouched = kerberos_key_vouches(keys, claim->service_key, &claim->request.ticket);
    if (!code) code = read_checksum(user_to_user, claim);
    if (!code && claim->authenticator.subkey && !kerberos_usable_key(context, claim->authenticator.subkey))
        code = KRB5KDC_ERR_ETYPE_NOSUPP;
    return code;
}

/*
 * Bindings given by the server are the policy: the client's must be the same. ASC_REQ_ALLOW_MISSING_BINDINGS lets a
 * client without any pass, ASC_REQ_PROXY_BINDINGS one that has any (errors.tsv, SEC_E_BAD_BINDINGS). What may
 * be missing is what a client does not know of: one that says that its programs give bindings wherever there is a
 * channel (MS-KILE 3.2.5.8) saw none, so that somebody else has passed its request on.
 */
static SECURITY_STATUS check_bindings(const struct kerberos_exchange *exchange, const struct claim *claim,
                                      const struct cs_leg *leg)
{
    static const uint8_t none[CS_BINDINGS_HASH_SIZE];
    uint8_t own[CS_BINDINGS_HASH_SIZE];
    if (!leg->bindings.data) return SEC_E_OK;
    SECURITY_STATUS status = cs_bindings_hash(leg->bindings, own);
    if (status) return status;
    const bool may_miss =
        (exchange->request & ASC_REQ_ALLOW_MISSING_BINDINGS) && !(claim->said.options & KERBEROS_AP_OPTIONS_CBT);
    if (cs_same(claim->checksum.bindings, none, sizeof none)) return may_miss ? SEC_E_OK : SEC_E_BAD_BINDINGS;
    if (exchange->request & ASC_REQ_PROXY_BINDINGS) return SEC_E_OK;
    return cs_same(claim->checksum.bindings, own, sizeof own) ? SEC_E_OK : SEC_E_BAD_BINDINGS;
}

/* An authenticator serves once. It is looked for when all else of it has held: nobody else's is remembered. */
static SECURITY_STATUS check_replay(krb5_context context, const struct kerberos_exchange *exchange,
                                    const struct claim *claim)
{
    const krb5_data *cipher = &claim->request.authenticator.cipher;
    return kerberos_replay_check(exchange->credential->replays, (struct cs_span){cipher->data, cipher->length},
                                 claim->authenticator.ctime, time(NULL), krb5_get_max_time_skew(context));
}

/* Moves LOGON to where the session will find it. */
static bool keep_logon(struct kerberos_exchange *exchange, struct cs_logon *logon)
{
    struct cs_logon *kept = malloc(sizeof *kept);
    if (!kept) return false;
    *kept = *logon;
    *logon = (struct cs_logon){.group_count = 0};
    cs_logon_release(exchange->logon);
    exchange->logon = kept;
    return true;
}

/* A logon whose time is over is refused, as a ticket is (MS-PAC 2.5: KickOffTime is when to disconnect the user). */
static SECURITY_STATUS take_pac(struct kerberos_exchange *exchange, struct kerberos_pac *pac)
{
    if (pac->kick_off <= cs_now()) return SEC_E_CONTEXT_EXPIRED;
    exchange->kick_off = pac->kick_off;
    if (!pac->logon.user_sid.size) return SEC_E_OK;
    const bool noted = !pac->logon.user.size || kerberos_note_names(exchange, pac->logon.domain, pac->logon.user);
    return noted && keep_logon(exchange, &pac->logon) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* Who the client is: the ticket's principals, and, where a PAC knows them, the names and groups that Windows has. */
static SECURITY_STATUS take_names(krb5_context context, struct kerberos_exchange *exchange, const struct claim *claim)
{
    const Principal client = {.name = claim->ticket.cname, .realm = claim->ticket.crealm};
    const Principal server = {.name = claim->request.ticket.sname, .realm = claim->request.ticket.realm};
    struct kerberos_pac pac;
    SECURITY_STATUS status = kerberos_pac_of_ticket(context, claim->service_key, &claim->ticket, &pac);
    if (status == SEC_E_OK) status = kerberos_note_principals(context, exchange, &client, &server);
    if (status == SEC_E_OK) status = take_pac(exchange, &pac);
    kerberos_pac_drop(&pac);
    return status;
}

/*
 * The target is what the client says under the session key. The name in the ticket is in clear: anybody on the way can
 * put another of this server's in its place, so it counts only where a key vouches for it.
 */
static SECURITY_STATUS take_target(krb5_context context, struct kerberos_exchange *exchange, struct claim *claim)
{
    const Principal server = {.name = claim->request.ticket.sname, .realm = claim->request.ticket.realm};
    if (!claim->said.has_target && claim->server_vouched) return kerberos_note_target(context, exchange, &server);
    cs_span_drop(&exchange->target);
    exchange->target = claim->said.target;
    claim->said.target = (struct cs_span){NULL, 0};
    return SEC_E_OK;
}

static bool take_keys(struct kerberos_exchange *exchange, const struct claim *claim)
{
    const EncryptionKey *subkey = claim->authenticator.subkey;
    return kerberos_copy_key(&exchange->session_key, &claim->ticket.key) &&
           (!subkey || kerberos_copy_key(&exchange->subkey, subkey));
}

/* What was agreed on. Whether the client waits for an AP-REP is said twice; Windows's says the same both times. */
static void take_flags(struct kerberos_exchange *exchange, const struct kerberos_token *token,
                       const struct claim *claim)
{
    exchange->flags = claim->checksum.flags & ~(uint32_t)KERBEROS_DELEGATE;
    if (claim->request.ap_options.mutual_required || (exchange->flags & KERBEROS_DCE_STYLE))
        exchange->flags |= KERBEROS_MUTUAL;
    exchange->framed = token->framed && !(exchange->flags & KERBEROS_DCE_STYLE);
    exchange->ctime = claim->authenticator.ctime;
    exchange->cusec = claim->authenticator.cusec;
    exchange->endtime = claim->ticket.endtime;
    exchange->peer_sequence = claim->authenticator.seq_number ? *claim->authenticator.seq_number : 0;
    exchange->own_sequence = exchange->peer_sequence;
}

static krb5_error_code draw_key(krb5_context context, struct kerberos_exchange *exchange)
{
    const krb5_enctype etype =
        exchange->subkey.keyvalue.length ? exchange->subkey.keytype : exchange->session_key.keytype;
    krb5_keyblock subkey = {.keytype = KRB5_ENCTYPE_NULL};
    uint32_t sequence;
    if (!cs_random(&sequence, sizeof sequence)) return KRB5_CRYPTO_INTERNAL;
    exchange->own_sequence = sequence & 0x3FFFFFFF;
    if (etype == KRB5_ENCTYPE_ARCFOUR_HMAC_MD5) return 0; /* RFC 4757 knows no acceptor subkey */
    krb5_error_code code = krb5_generate_random_keyblock(context, etype, &subkey);
    if (!code && !kerberos_copy_key(&exchange->acceptor_subkey, &subkey)) code = krb5_enomem(context);
    krb5_free_keyblock_contents(context, &subkey);
    return code;
}

static SECURITY_STATUS send_reply(krb5_context context, struct kerberos_exchange *exchange, struct cs_writer *output)
{
    krb5_error_code code = draw_key(context, exchange);
    const krb5_keyblock *subkey = exchange->acceptor_subkey.keyvalue.length ? &exchange->acceptor_subkey : NULL;
    if (!code) code = kerberos_write_reply(context, exchange, exchange->own_sequence, subkey, &exchange->reply);
    const struct kerberos_token token = {KERBEROS_AP_REP, exchange->framed, cs_written(&exchange->reply),
                                         exchange->user_to_user};
    if (!code) kerberos_token_write(output, &token);
    output->failed |= exchange->reply.failed;
    return kerberos_status(code);
}

static void grant(const struct kerberos_exchange *exchange, struct cs_leg *leg)
{
    leg->granted = kerberos_granted(exchange->flags, false) | (exchange->request & ASC_REQ_CONNECTION);
    if (exchange->user_to_user) leg->granted |= ASC_REQ_USE_SESSION_KEY;
}

static SECURITY_STATUS answer(krb5_context context, struct kerberos_exchange *exchange, struct cs_leg *leg,
                              struct cs_writer *output, struct cs_session **session)
{
    SECURITY_STATUS status = SEC_E_OK;
    if (exchange->flags & KERBEROS_MUTUAL) status = send_reply(context, exchange, output);
    if (status) return status;
    grant(exchange, leg);
    exchange->waits_for_reply = exchange->flags & KERBEROS_DCE_STYLE;
    return exchange->waits_for_reply ? SEC_I_CONTINUE_NEEDED : kerberos_complete(exchange, leg, session);
}

/*
 * What can be done in the client's name: what it has forwarded, else what a KDC makes of the ticket that it has shown,
 * which is for a key of this server's own. Nothing, for one that lets itself be identified alone.
 */
static bool take_onward(krb5_context context, struct kerberos_exchange *exchange, const struct kerberos_token *token,
                        const struct claim *claim)
{
    const Principal client = {.name = claim->ticket.cname, .realm = claim->ticket.crealm};
    if ((claim->checksum.flags & KERBEROS_DELEGATE) &&
        kerberos_take_delegated(context, exchange, &client, claim->checksum.delegated))
        exchange->flags |= KERBEROS_DELEGATE;
    if (exchange->delegated || exchange->user_to_user || (exchange->flags & KERBEROS_IDENTIFY)) return true;
    return kerberos_proxy_note(context, &exchange->proxy, token->message, &client, claim->ticket.endtime);
}

static SECURITY_STATUS accept_claim(krb5_context context, struct kerberos_exchange *exchange,
                                    const struct kerberos_token *token, struct claim *claim, struct cs_leg *leg)
{
    SECURITY_STATUS status = kerberos_authdata_read(claim->authenticator.authorization_data, &claim->said);
    if (status == SEC_E_OK) status = check_bindings(exchange, claim, leg);
    if (status) return status;
    take_flags(exchange, token, claim);
    status = take_keys(exchange, claim) ? take_names(context, exchange, claim) : SEC_E_INSUFFICIENT_MEMORY;
    if (status == SEC_E_OK) status = take_target(context, exchange, claim);
    if (status == SEC_E_OK) status = check_replay(context, exchange, claim);
    if (status) return status;
    return take_onward(context, exchange, token, claim) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* A KRB-ERROR for the client; false: it cannot be made. */
static bool write_refusal(krb5_context context, krb5_error_code code, krb5_const_principal server, struct cs_span data,
                          struct kerberos_token token, struct cs_writer *output)
{
    struct cs_writer message = {0};
    const bool made = !kerberos_write_error(context, code, server, data, &message);
    token.kind = KERBEROS_ERROR;
    token.message = cs_written(&message);
    if (made) kerberos_token_write(output, &token);
    output->failed |= message.failed;
    cs_writer_drop(&message);
    return made;
}

/*
 * Tells the client why not. A client whose clock is off may try again, once, in the same context: it cannot know the
 * acceptor's time otherwise (RFC 4120 3.2.3).
 */
static SECURITY_STATUS refuse(krb5_context context, struct kerberos_exchange *exchange, krb5_error_code code,
                              const struct claim *claim, const struct kerberos_token *token, struct cs_leg *leg,
                              struct cs_writer *output)
{
    const Principal server = {.name = claim->request.ticket.sname, .realm = claim->request.ticket.realm};
    const bool again = code == KRB5KRB_AP_ERR_SKEW && !exchange->retried;
    if (!again && !(exchange->request & ASC_REQ_EXTENDED_ERROR)) return kerberos_status(code);
    if (!server.realm || !write_refusal(context, code, &server, (struct cs_span){NULL, 0}, *token, output))
        return kerberos_status(code);
    exchange->retried = true;
    leg->error_token = !again;
    return again ? SEC_I_CONTINUE_NEEDED : kerberos_status(code);
}

/* A client that waits for an answer and has frames for it. */
static bool can_go_over(struct cs_span message, bool framed, struct claim *claim)
{
    return !read_request(message, false, &claim->request) && framed && claim->request.ap_options.mutual_required;
}

/*
 * The client's ticket is for a key that is not here, or not wanted: it is told to use user-to-user, with the ticket
 * that it needs for that. STATUS if that cannot be.
 */
static SECURITY_STATUS demand_user_to_user(krb5_context context, struct kerberos_exchange *exchange,
                                           const struct kerberos_token *token, SECURITY_STATUS status,
                                           struct cs_leg *leg, struct cs_writer *output)
{
    struct claim claim = {.service_key = NULL};
    if (can_go_over(token->message, token->framed, &claim)) {
        const Principal server = {.name = claim.request.ticket.sname, .realm = claim.request.ticket.realm};
        struct cs_writer reply = {0};
        if (kerberos_show_tgt(context, exchange, &server, &reply) == SEC_E_OK &&
            write_refusal(context, KRB5_AP_ERR_USER_TO_USER_REQUIRED, &server, cs_written(&reply), *token, output)) {
            grant(exchange, leg);
            status = SEC_I_CONTINUE_NEEDED;
        }
        output->failed |= reply.failed;
        cs_writer_drop(&reply);
    }
    drop_claim(&claim);
    return status;
}

/* What opens the ticket of this exchange. The caller releases it. */
static SECURITY_STATUS keys_of(krb5_context context, struct kerberos_exchange *exchange, struct kerberos_key_set **keys)
{
    if (!exchange->user_to_user && (exchange->request & ASC_REQ_USE_SESSION_KEY)) return SEC_E_NO_KERB_KEY;
    if (!exchange->user_to_user) return kerberos_server_keys(&exchange->credential->server, context, keys);
    *keys = exchange->shown;
    __atomic_add_fetch(&exchange->shown->references, 1, __ATOMIC_RELAXED);
    return SEC_E_OK;
}

/* Keys that were guessed while no KDC answered may be why a ticket does not open. *keys are replaced. */
static SECURITY_STATUS doubt_keys(krb5_context context, const struct kerberos_exchange *exchange,
                                  struct kerberos_key_set **keys)
{
    struct kerberos_credential *credential = exchange->credential;
    struct kerberos_key_set *renewed;
    if (!kerberos_server_doubts(*keys, credential->patience.backoff_time)) return SEC_E_WRONG_PRINCIPAL;
    SECURITY_STATUS status = kerberos_server_renew(&credential->server, context, &renewed);
    if (status) return status;
    kerberos_key_set_release(context, *keys);
    *keys = renewed;
    return SEC_E_OK;
}

static krb5_error_code take_claim(krb5_context context, const struct kerberos_exchange *exchange,
                                  struct kerberos_key_set **keys, struct cs_span message, struct claim *claim)
{
    krb5_error_code code = open_claim(context, exchange, *keys, message, claim);
    if (code != KRB5KRB_AP_ERR_MODIFIED || doubt_keys(context, exchange, keys)) return code;
    drop_claim(claim);
    *claim = (struct claim){.service_key = NULL};
    return open_claim(context, exchange, *keys, message, claim);
}

static SECURITY_STATUS receive_request(krb5_context context, struct kerberos_exchange *exchange,
                                       const struct kerberos_token *token, struct cs_leg *leg, struct cs_writer *output,
                                       struct cs_session **session)
{
    struct claim claim = {.service_key = NULL};
    struct kerberos_key_set *keys;
    SECURITY_STATUS status = keys_of(context, exchange, &keys);
    if (status == SEC_E_NO_CREDENTIALS || status == SEC_E_NO_KERB_KEY)
        return demand_user_to_user(context, exchange, token, status, leg, output);
    if (status) return status;
    const krb5_error_code code = take_claim(context, exchange, &keys, token->message, &claim);
    if (code)
        status = refuse(context, exchange, code, &claim, token, leg, output);
    else
        status = accept_claim(context, exchange, token, &claim, leg);
    if (!code && status == SEC_E_OK) status = answer(context, exchange, leg, output, session);
    drop_claim(&claim);
    kerberos_key_set_release(context, keys);
    return status;
}

/* Whether MESSAGE has our own reply's ciphertext, however it is wrapped: only that much of it is authenticated. */
static bool is_own_reply(struct cs_span message, struct cs_span own)
{
    AP_REP theirs, ours;
    size_t used;
    if (decode_AP_REP(message.data, message.size, &theirs, &used)) return false;
    bool same = true;
    if (!decode_AP_REP(own.data, own.size, &ours, &used)) {
        same = !der_heim_octet_string_cmp(&theirs.enc_part.cipher, &ours.enc_part.cipher);
        free_AP_REP(&ours);
    }
    free_AP_REP(&theirs);
    return same;
}

/* The third leg of DCE style: the client shows that it has read the AP-REP, which our own does not show. */
static SECURITY_STATUS receive_third(krb5_context context, struct kerberos_exchange *exchange, struct cs_span message,
                                     struct cs_leg *leg, struct cs_session **session)
{
    const struct cs_span own = cs_written(&exchange->reply);
    EncAPRepPart part = {.ctime = 0};
    if (is_own_reply(message, own)) return SEC_E_INVALID_TOKEN;
    krb5_error_code code = kerberos_read_reply(context, exchange, message, &part);
    if (!code && (!part.seq_number || *part.seq_number != exchange->own_sequence)) code = KRB5KRB_AP_ERR_BADSEQ;
    free_EncAPRepPart(&part);
    if (code) return kerberos_status(code);
    grant(exchange, leg);
    return kerberos_complete(exchange, leg, session);
}

static SECURITY_STATUS answer_tgt_request(krb5_context context, struct kerberos_exchange *exchange,
                                          const struct kerberos_token *token, struct cs_leg *leg,
                                          struct cs_writer *output)
{
    Principal wanted;
    struct cs_writer reply = {0};
    if (!kerberos_read_tgt_request(token->message, &wanted)) return SEC_E_INVALID_TOKEN;
    SECURITY_STATUS status = kerberos_show_tgt(context, exchange, &wanted, &reply);
    const struct kerberos_token answer = {KERBEROS_TGT_REPLY, true, cs_written(&reply), true};
    if (status == SEC_E_OK) {
        kerberos_token_write(output, &answer);
        grant(exchange, leg);
    } else if (exchange->request & ASC_REQ_EXTENDED_ERROR) {
        leg->error_token = write_refusal(context, KRB5KDC_ERR_NONE + KERBEROS_ERR_NO_TGT, NULL,
                                         (struct cs_span){NULL, 0}, *token, output);
    }
    output->failed |= reply.failed;
    cs_writer_drop(&reply);
    free_Principal(&wanted);
    return status == SEC_E_OK ? SEC_I_CONTINUE_NEEDED : status;
}

SECURITY_STATUS kerberos_accept(struct kerberos_exchange *exchange, krb5_context context, struct cs_leg *leg,
                                struct cs_writer *output, struct cs_session **session)
{
    struct kerberos_token token;
    if (exchange->request & ASC_REQ_DATAGRAM) return SEC_E_UNSUPPORTED_FUNCTION;
    const bool first = !exchange->started;
    exchange->started = true;
    if (!kerberos_token_read(leg->input, &token)) return SEC_E_INVALID_TOKEN;
    if (exchange->waits_for_reply)
        return token.kind == KERBEROS_AP_REP ? receive_third(context, exchange, token.message, leg, session)
                                             : SEC_E_INVALID_TOKEN;
    if (first && token.kind == KERBEROS_TGT_REQUEST) return answer_tgt_request(context, exchange, &token, leg, output);
    if (token.kind != KERBEROS_AP_REQ || token.user_to_user != exchange->user_to_user) return SEC_E_INVALID_TOKEN;
    return receive_request(context, exchange, &token, leg, output, session);
}
