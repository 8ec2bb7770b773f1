/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The session record (Windows's "packed context"): what a mechanism's establishing half hands to its protecting half
 * when it completes, and all that it hands over. From then on the protecting half owns it, with its mutable state.
 */
#ifndef COUNTERSIGN_SESSION_H
#define COUNTERSIGN_SESSION_H

#include "logon.h"
#include "message.h"

struct cs_client;
struct cs_credential;
struct cs_session;

/* A mechanism's protecting half. Statuses as errors.tsv has them for the function of the same name. */
struct cs_protection {
    /* Signs MESSAGE into its TOKEN, whose size is set. */
    SECURITY_STATUS (*make_signature)(struct cs_session *session, const struct cs_message *message);
    /* Verifies TOKEN over MESSAGE. State moves only on SEC_E_OK. */
    SECURITY_STATUS (*verify_signature)(struct cs_session *session, const struct cs_message *message);
    /* Encrypts MESSAGE in place and signs it. QOP: 0 or SECQOP_WRAP_NO_ENCRYPT; other values count as 0. */
    SECURITY_STATUS (*encrypt)(struct cs_session *session, uint32_t qop, const struct cs_message *message);
    /* Undoes encrypt; *qop is written only when the message came unencrypted. On failure MESSAGE is as it was. */
    SECURITY_STATUS (*decrypt)(struct cs_session *session, const struct cs_message *message, uint32_t *qop);
    /*
     * After each of SPNEGO's MICs: puts cipher streams back to their start, sequence numbers not, and makes what is so
     * now what a reset leads to (export.h).
     */
    void (*rewind)(struct cs_session *session);
    /* Wipes and frees the record. */
    void (*release)(struct cs_session *session);
};

/* SecPkgContext_Sizes, in bytes. */
struct cs_sizes {
    uint32_t max_token, max_signature, block_size, security_trailer;
};

/* SecPkgContext_KeyInfo; the names are static ASCII strings. */
struct cs_key_info {
    const char *signature_name, *encrypt_name;
    uint32_t key_size; /* bits */
    uint32_t signature_algorithm, encrypt_algorithm;
};

enum { CS_SESSION_KEY = 32 };

/* The head of every mechanism's record; what queries ask for. The mechanism's own state follows it. */
struct cs_session {
    const struct cs_protection *protection;
    const char *package; /* static: the name in the package table */
    bool initiator;
    bool retired;          /* exported away: cs_session_retired reads it */
    uint32_t flags;        /* ISC_RET_ or ASC_RET_ as granted */
    int64_t start, expiry; /* FILETIME, UTC */
    struct cs_sizes sizes;
    struct cs_key_info key_info;
    uint8_t session_key[CS_SESSION_KEY]; /* all keys come from it; cs_session_key reads it where others may retire it */
    uint32_t session_key_size;
    struct cs_span names;  /* SECPKG_ATTR_NAMES, UTF-16LE DOMAIN\user without terminator; owned */
    struct cs_span target; /* the target name that the initiator gave, UTF-16LE; owned; empty if none */
    /* NATIVE_NAMES, UTF-16LE user@REALM and service/host@REALM; owned; empty if the mechanism has none */
    struct cs_span native_client, native_server;
    /* Acceptor, each owned or NULL, and the client's once somebody has asked for that (client.h) */
    struct cs_credential *onward; /* what reaches other servers in the client's name */
    struct cs_logon *logon;       /* what is known of the client for an access token */
    struct cs_client *client;
};

/* The time now as FILETIME (100 ns since 1601), UTC, to the kernel's tick: it is asked once a message. */
int64_t cs_now(void);

/*
 * The four message functions and the release: the common checks (retired: SEC_E_INVALID_HANDLE; expiry:
 * SEC_E_CONTEXT_EXPIRED), then the mechanism.
 * Any thread may call them at any time; a thread that encrypts and one that decrypts do not wait for each other.
 */
SECURITY_STATUS cs_make_signature(struct cs_session *session, const struct cs_message *message);
SECURITY_STATUS cs_verify_signature(struct cs_session *session, const struct cs_message *message);
SECURITY_STATUS cs_encrypt(struct cs_session *session, uint32_t qop, const struct cs_message *message);
SECURITY_STATUS cs_decrypt(struct cs_session *session, const struct cs_message *message, uint32_t *qop);
void cs_session_release(struct cs_session *session);

/* Whether SESSION has been exported away: nobody may use it or ask it any more, but whoever has it still releases it.
 */
static inline bool cs_session_retired(const struct cs_session *session)
{
    return __atomic_load_n(&session->retired, __ATOMIC_SEQ_CST);
}

/* Makes SESSION that and wipes its session key. For a mechanism alone, under the locks of both directions (export.h).
 */
void cs_session_retire(struct cs_session *session);

/* A copy of the session key, with zeros behind it; false once it is retired. At any time, in any thread. */
bool cs_session_key(const struct cs_session *session, uint8_t key[CS_SESSION_KEY]);

#endif
