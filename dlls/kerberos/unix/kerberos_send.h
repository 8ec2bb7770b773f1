/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests to KDCs, and how long a call may wait for them. Heimdal waits half a minute for each request that nobody
 * answers, and makes several of one call.
 */
#ifndef COUNTERSIGN_KERBEROS_SEND_H
#define COUNTERSIGN_KERBEROS_SEND_H

#include "context.h"

#include <krb5.h>
#include <stdbool.h>
#include <stdint.h>

/* KdcWaitTime, KdcSendRetries, KdcBackoffTime; times in seconds. */
struct kerberos_patience {
    uint32_t wait_time, send_retries, backoff_time;
};

static inline struct kerberos_patience kerberos_patience_of(const struct cs_policy *policy)
{
    return (struct kerberos_patience){policy->kdc_wait_time, policy->kdc_send_retries, policy->kdc_backoff_time};
}

/* One call, while it lasts. */
struct kerberos_wait {
    struct kerberos_patience patience;
    int64_t begin;     /* CLOCK_MONOTONIC, ms */
    unsigned requests; /* that may still be made */
    bool silent;       /* nobody answered one in time */
    struct kerberos_wait *outer;
};

/*
 * From kerberos_wait_begin to kerberos_wait_end, in one thread, each request is waited for as long as PATIENCE says,
 * and the first that nobody answers in that time is the last. All requests together are waited for send_retries times
 * as long at most. kdc_timeout and max_retries of krb5.conf's [libdefaults] stand before PATIENCE.
 */
void kerberos_wait_begin(struct kerberos_wait *wait, const struct kerberos_patience *patience);
void kerberos_wait_end(const struct kerberos_wait *wait);

/* Makes Heimdal send its requests as above; outside of a call as it does by itself. ENOMEM. */
krb5_error_code kerberos_send_install(krb5_context context);

/* kerberos_reply.c */

/*
 * Whether PARAMETERS, the iterations of PBKDF2 that a KDC names, keep a thread for no more than seconds. Nobody vouches
 * for them, and 2^32 take an hour.
 */
bool kerberos_is_bearable(const krb5_data *parameters);

/* What is to be done with a reply. */
enum kerberos_verdict {
    KERBEROS_WAIT,  /* there is none yet */
    KERBEROS_LEAVE, /* this KDC has none */
    KERBEROS_TAKE,
    KERBEROS_ASK_BY_STREAM /* it is too large for a datagram */
};

/* Judges by what concerns the transport alone: all else of a reply is Heimdal's to say. */
enum kerberos_verdict kerberos_judge(const krb5_data *reply);

/* kerberos_hosts.c */

/* A request, and until when it is waited for. */
struct kerberos_asking {
    krb5_const_realm realm;
    const krb5_data *request;
    int64_t start, resend; /* ms that one KDC is ahead of the next, and one datagram of its like */
    int64_t deadline;      /* CLOCK_MONOTONIC, ms */
};

/*
 * Sends a request to the realm's KDCs, one after the other without waiting for those before. The caller frees *reply.
 * KRB5_KDC_UNREACH: none is there; ETIMEDOUT: none has answered; KRB5_PLUGIN_NO_HANDLE: there are only some that
 * Heimdal itself can reach; ENOMEM.
 */
krb5_error_code kerberos_ask_realm(krb5_context context, const struct kerberos_asking *asking, krb5_data *reply);

/* CLOCK_MONOTONIC in ms. */
int64_t kerberos_clock(void);

#endif
