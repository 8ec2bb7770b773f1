/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NTLM's establishing half: credentials, and the two roles of an exchange (MS-NLMP 3.1 and 3.2).
 */
#ifndef COUNTERSIGN_NTLM_H
#define COUNTERSIGN_NTLM_H

#include "bindings.h"
#include "context.h"
#include "messages.h"
#include "ntlm_flags.h"

extern const struct cs_mechanism ntlm_mechanism;

/* Who to log on as: names in UTF-16LE, and hashes instead of the password. */
struct ntlm_account {
    enum cs_identity_kind kind;
    struct cs_span user, domain; /* owned */
    uint8_t ntowfv1[NTLM_KEY];
    uint8_t lmowfv1[NTLM_KEY]; /* meaningful only if has_lmowf: OEM characters, at most 14 of them */
    bool has_lmowf;
};

/* Copies IDENTITY, hashing its password; the LM hash only if WITH_LM. SEC_E_OK or SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS ntlm_account_make(struct ntlm_account *account, const struct cs_identity *identity, bool with_lm);

/* Whether POLICY sends LM responses, which alone need the LM hash. */
static inline bool ntlm_sends_lm(const struct cs_policy *policy)
{
    return policy->lm_compatibility_level < 2;
}

void ntlm_account_drop(struct ntlm_account *account);

struct ntlm_credential {
    struct cs_credential head;
    struct cs_policy policy;
    struct ntlm_account account;
    struct cs_span machine, dns_host; /* owned, UTF-16LE, never empty */
    uint8_t single_host[48];          /* Single_Host_Data, 2.2.2.2 */
};

/*
 * What an exchange keeps between its messages. MESSAGES is every message so far, one after the other: what the MIC
 * covers (3.1.5.1.2).
 */
struct ntlm_exchange {
    bool initiator;
    unsigned leg;
    uint32_t request;          /* ISC_REQ_ or ASC_REQ_ of the first leg */
    uint32_t flags;            /* what was offered (initiator), or put into the challenge (acceptor) */
    struct ntlm_account given; /* initiator: from the credential manager, else empty */
    struct cs_span target;     /* initiator: owned */
    struct cs_writer messages;
    size_t negotiate_size; /* of which the NEGOTIATE_MESSAGE */
    uint8_t server_challenge[NTLM_CHALLENGE];
    bool has_bindings; /* acceptor: the server gave some on its first leg, and may on its last give others */
    uint8_t bindings[CS_BINDINGS_HASH_SIZE];
    struct cs_credential *credential; /* the context's reference keeps it */
};

/* The legs, by role and number; statuses as cs_mechanism.step. */
SECURITY_STATUS ntlm_send_negotiate(struct ntlm_exchange *exchange, struct cs_leg *leg, struct cs_writer *output);
SECURITY_STATUS ntlm_send_authenticate(struct ntlm_exchange *exchange, struct cs_leg *leg, struct cs_writer *output,
                                       struct cs_session **session);
SECURITY_STATUS ntlm_send_challenge(struct ntlm_exchange *exchange, struct cs_leg *leg, struct cs_writer *output);
SECURITY_STATUS ntlm_receive_authenticate(struct ntlm_exchange *exchange, struct cs_leg *leg,
                                          struct cs_session **session);

/* The flags that a policy value demands and FLAGS lack (NtlmMinClientSec, NtlmMinServerSec); only for a session that
 * is to be protected, since nothing of another depends on them. */
static inline bool ntlm_below_minimum(uint32_t flags, uint32_t minimum)
{
    return (flags & (NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL)) && (minimum & ~flags);
}

/* The MIC over all three messages, the third of which is AUTHENTICATE with its MIC field zero. */
void ntlm_compute_mic(const struct ntlm_exchange *exchange, const uint8_t exported_session_key[NTLM_KEY],
                      struct cs_span authenticate, uint8_t mic[NTLM_MIC_SIZE]);

/* Appends DOMAIN\USER; DOMAIN may be empty, and then so is the backslash. */
void ntlm_qualified_name(struct cs_writer *output, struct cs_span domain, struct cs_span user);

/* Appends what a session of nobody is called. Programs tell by it that there is nobody: an empty name is none. */
void ntlm_anonymous_name(struct cs_writer *output);

/* REQUEST's flags that a context carries through unchanged, and what SIGN and SEAL grant (attributes.tsv, flags). */
uint32_t ntlm_granted_flags(uint32_t flags, uint32_t request, bool initiator);

/* How long a context lives from now: FILETIME, UTC. Windows's lie between an hour and ten days (attributes.tsv). */
int64_t ntlm_context_expiry(void);

/* The acceptor's accounts */

/* A client's answer, as a verifier needs it. */
struct ntlm_logon {
    struct cs_span user, domain, workstation; /* UTF-16LE */
    const uint8_t *server_challenge;
    struct cs_span lm_response, nt_response;
    uint32_t flags;
    uint32_t lm_compatibility_level;
};

/* A logon that held. */
struct ntlm_logon_result {
    uint8_t session_base_key[NTLM_KEY];
    uint8_t lmowfv1[NTLM_KEY];     /* zeros unless the backend has it; KXKEY with LM_KEY wants it */
    /* UTF-16LE, as the account has them, not as the client wrote them; no domain: this machine's account. */
    struct cs_writer user, domain;
};

/*
 * Verifies LOGON against the local account file, then winbind. SEC_E_OK; SEC_E_LOGON_DENIED: unknown user, wrong or
 * empty password, a response that policy forbids; SEC_E_NO_AUTHENTICATING_AUTHORITY: the account file cannot be used
 * (standard error says why), or winbind cannot answer. The caller drops RESULT.
 */
SECURITY_STATUS ntlm_verify_logon(const struct ntlm_logon *logon, struct ntlm_logon_result *result);
void ntlm_logon_result_drop(struct ntlm_logon_result *result);

/*
 * Compares LOGON's NT response with what NTOWFv1 would have given (3.2.5.1.2, 3.3). *key gets SessionBaseKey.
 * SEC_E_OK, SEC_E_LOGON_DENIED, SEC_E_INSUFFICIENT_MEMORY.
 */
SECURITY_STATUS ntlm_check_response(const struct ntlm_logon *logon, const uint8_t ntowfv1[NTLM_KEY],
                                    uint8_t key[NTLM_KEY]);

/*
 * Looks USER up in the account file, and appends its name as it stands there to NAME, which is empty: when it is there,
 * the file's answer is final. SEC_E_OK, SEC_E_INSUFFICIENT_MEMORY;
 * SEC_E_LOGON_DENIED: not there, no password, disabled, or no file at all; SEC_E_NO_AUTHENTICATING_AUTHORITY:
 * unreadable, readable by others, or corrupt, which standard error says with the line's number.
 */
SECURITY_STATUS ntlm_account_file_lookup(struct cs_span user, uint8_t ntowfv1[NTLM_KEY], struct cs_writer *name);

/* Asks winbindd through libwbclient, loaded now. Statuses as ntlm_verify_logon; SEC_E_LOGON_DENIED without either. */
SECURITY_STATUS ntlm_winbind_verify(const struct ntlm_logon *logon, struct ntlm_logon_result *result);

/* The loopback logon: see loopback.c */

/* The Unix user's name, UTF-16LE. False if there is none. */
bool ntlm_loopback_user(struct cs_writer *output);

/*
 * The acceptor's half: what goes into the challenge's Reserved field next to LOCAL_CALL, proving that it holds this
 * Unix user's secret. MESSAGES: the NEGOTIATE_MESSAGE. False: no secret is to be had, or the client is elsewhere.
 */
bool ntlm_loopback_mark(struct cs_span negotiate, const uint8_t server_challenge[NTLM_CHALLENGE], uint8_t mark[8]);

/* The NTOWFv1 of the loopback logon: of this Unix user, on this machine, since it was started. False: none. */
bool ntlm_loopback_hash(uint8_t ntowfv1[NTLM_KEY]);

/* Whether TARGET names this machine; an empty one does (HACKING says what that leaves open). */
bool ntlm_loopback_target(struct cs_span target, struct cs_span machine, struct cs_span dns_host);

#endif
