/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client and a server of Schannel in this process, leg by leg. What one side has written waits at the other until
 * that has taken it.
 */
#ifndef CONFORMANCE_SCHANNEL_PAIR_H
#define CONFORMANCE_SCHANNEL_PAIR_H

#include "harness.h"

#define SCHANNEL_USE_BLACKLISTS
#include <winternl.h>

#include <wincrypt.h>

#include <schannel.h>

#ifndef SP_PROT_TLS1_3_SERVER
#define SP_PROT_TLS1_3_SERVER 0x00001000
#define SP_PROT_TLS1_3_CLIENT 0x00002000
#endif

#define SCHANNEL_PACKAGE (SEC_CHAR *)UNISP_NAME_A
#define SCHANNEL_ROOM 65536 /* bytes that wait at a side at most */
#define SCHANNEL_LEGS_MAX 16

struct schannel_setup {
    DWORD protocols;         /* SP_PROT_TLS..._CLIENT bits; 0: SCH_CREDENTIALS, with what this system has on */
    DWORD client_cred_flags; /* SCH_CRED_; 0: the client looks at no certificate */
    DWORD server_cred_flags;
    bool by_default;                      /* the client may answer with a certificate of the user's */
    ULONG client_request, server_request; /* besides ALLOCATE_MEMORY */
    PCCERT_CONTEXT server_certificate;    /* NULL: issued_certificate */
    PCCERT_CONTEXT client_certificate;    /* NULL: none */
    HCERTSTORE client_roots, server_roots;
    const char *target;                              /* NULL: localhost; "": none */
    const char *client_protocols, *server_protocols; /* of ALPN, separated by blanks; NULL: none */
    const WCHAR *disabled, *disabled_mode;           /* an algorithm of CNG, with protocols 0; NULL: none */
    DWORD disabled_bits;                             /* the key that goes; 0: all */
};

struct schannel_side {
    CredHandle credential;
    CtxtHandle context;
    bool has_credential, has_context;
    SECURITY_STATUS status; /* of the last leg */
    ULONG attributes;
    TimeStamp expiry;
    BYTE *waiting; /* what the other side has sent, in SCHANNEL_ROOM bytes */
    ULONG size;
    ULONG output; /* bytes that the last leg wrote */
    SECURITY_STATUS legs[SCHANNEL_LEGS_MAX];
    unsigned leg_count;
};

struct schannel_pair {
    struct schannel_side client, server;
};

/* Both credentials. A status other than SEC_E_OK stands at its side. schannel_pair_close frees, whatever the result. */
bool schannel_pair_open(struct schannel_pair *pair, const struct schannel_setup *setup);

/* One leg with all that waits; what is left of it goes on waiting, and the other side gets the token. */
SECURITY_STATUS schannel_client_leg(struct schannel_pair *pair, const struct schannel_setup *setup);
SECURITY_STATUS schannel_server_leg(struct schannel_pair *pair, const struct schannel_setup *setup);

/* schannel_pair_open, and legs until both sides have ended. Returns whether both did with SEC_E_OK. */
bool schannel_pair_run(struct schannel_pair *pair, const struct schannel_setup *setup);

/* The same; when it does not complete, closes the pair and says so by not_reached. */
bool schannel_pair_ready(struct conformance_run *run, struct schannel_pair *pair, const struct schannel_setup *setup);

void schannel_pair_close(struct schannel_pair *pair);

/* The statuses of a side's legs, in a line, or that of its credential. TEXT holds OBSERVED_MAX bytes; returned. */
const char *schannel_outcome(const struct schannel_side *side, char *text);

/* Credentials with one certificate or none (NULL). */
SECURITY_STATUS schannel_credential(ULONG use, DWORD protocols, PCCERT_CONTEXT certificate, CredHandle *credential);

/* SEC_APPLICATION_PROTOCOLS of NAMES, separated by blanks, in ROOM; returns its size. */
ULONG schannel_protocols(const char *names, BYTE *room, ULONG size);

/*
 * Encrypts TEXT at one side and puts the record at the end of what waits at the other; what DecryptMessage answers
 * there, which takes a record. "SEC_E_OK TEXT" in OUT (OBSERVED_MAX bytes).
 */
SECURITY_STATUS schannel_send(struct schannel_side *from, struct schannel_side *to, const char *text);
SECURITY_STATUS schannel_receive(struct schannel_side *side, char *out);

#endif
