/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The messages of MS-NLMP section 2.2.1 and the AV pairs of 2.2.2.1. Spans point into the message that was read, or
 * to what the caller gives to be written.
 */
#ifndef COUNTERSIGN_NTLM_MESSAGES_H
#define COUNTERSIGN_NTLM_MESSAGES_H

#include "crypto.h"
#include "sspi_values.h"
#include "writer.h"

enum ntlm_message_type { NTLM_NEGOTIATE = 1, NTLM_CHALLENGE_MESSAGE = 2, NTLM_AUTHENTICATE = 3 };

/* Every read function below yields SEC_E_OK, or SEC_E_INVALID_TOKEN for a message that is cut or not of its type. */

/* NEGOTIATE_MESSAGE, 2.2.1.1 */
struct ntlm_negotiate {
    uint32_t flags;
    struct cs_span domain, workstation; /* OEM, when the flags say that they are there */
};

SECURITY_STATUS ntlm_negotiate_read(struct cs_span token, struct ntlm_negotiate *message);
void ntlm_negotiate_write(struct cs_writer *output, const struct ntlm_negotiate *message);

/* CHALLENGE_MESSAGE, 2.2.1.2 */
struct ntlm_challenge {
    uint32_t flags;
    uint8_t server_challenge[NTLM_CHALLENGE];
    uint8_t local_call[8];      /* Reserved; with LOCAL_CALL the acceptor's half of the loopback proof */
    struct cs_span target_name; /* UTF-16LE or OEM as the flags say */
    struct cs_span target_info;
};

SECURITY_STATUS ntlm_challenge_read(struct cs_span token, struct ntlm_challenge *message);
void ntlm_challenge_write(struct cs_writer *output, const struct ntlm_challenge *message);

/* AUTHENTICATE_MESSAGE, 2.2.1.3 */
enum { NTLM_MIC_OFFSET = 72, NTLM_MIC_SIZE = 16 };

struct ntlm_authenticate {
    uint32_t flags;
    struct cs_span lm_response, nt_response;
    struct cs_span domain, user, workstation; /* UTF-16LE or OEM as the flags say */
    struct cs_span session_key;               /* EncryptedRandomSessionKey */
    bool room_for_mic;                        /* read: the payload begins behind the MIC field */
};

SECURITY_STATUS ntlm_authenticate_read(struct cs_span token, struct ntlm_authenticate *message);
/* The MIC field is left zero, as it is while the MIC is computed. */
void ntlm_authenticate_write(struct cs_writer *output, const struct ntlm_authenticate *message);

/* Which message TOKEN says it is; 0 if it is none. */
uint32_t ntlm_message_type(struct cs_span token);

/* AV pairs, 2.2.2.1 */
enum ntlm_av_id {
    MsvAvEOL,
    MsvAvNbComputerName,
    MsvAvNbDomainName,
    MsvAvDnsComputerName,
    MsvAvDnsDomainName,
    MsvAvDnsTreeName,
    MsvAvFlags,
    MsvAvTimestamp,
    MsvAvSingleHost,
    MsvAvTargetName,
    MsvAvChannelBindings,
    NTLM_AV_COUNT
};

enum { MSV_AV_FLAG_MIC = 2 };

struct ntlm_av_pairs {
    uint16_t present;                    /* bit of each id that is there */
    struct cs_span value[NTLM_AV_COUNT]; /* ids above the known ones are skipped */
    uint32_t flags;                      /* MsvAvFlags, 0 if absent */
    uint64_t timestamp;                  /* MsvAvTimestamp, 0 if absent */
    struct cs_span list;                 /* all pairs as they stand, without MsvAvEOL */
};

/*
 * Reads a list that ends in MsvAvEOL; what follows is not looked at (real clients append four zeros). An empty SPAN
 * is an empty list. SEC_E_INVALID_TOKEN: no MsvAvEOL, a length past the end, an id twice, or a fixed-size value of
 * another size (bug classes A2, A5, B1).
 */
SECURITY_STATUS ntlm_av_read(struct cs_span span, struct ntlm_av_pairs *pairs);
void ntlm_av_write(struct cs_writer *output, enum ntlm_av_id id, struct cs_span value);

static inline bool ntlm_av_has(const struct ntlm_av_pairs *pairs, enum ntlm_av_id id)
{
    return pairs->present >> id & 1;
}

/* NTLMv2_CLIENT_CHALLENGE, 2.2.2.7, with the NTProofStr before it: the NTLMv2 NT response. */
struct ntlm_v2_response {
    struct cs_span proof;            /* NTProofStr, 16 bytes */
    struct cs_span client_challenge; /* 8 bytes */
    uint64_t timestamp;
    struct ntlm_av_pairs av;
    struct cs_span temp; /* what the proof covers, besides the server challenge */
};

SECURITY_STATUS ntlm_v2_response_read(struct cs_span response, struct ntlm_v2_response *parts);
/* Writes temp: the part behind the proof, up to the AV pairs, which the caller appends. */
void ntlm_v2_temp_write(struct cs_writer *output, uint64_t timestamp, const uint8_t client_challenge[NTLM_CHALLENGE]);

#endif
