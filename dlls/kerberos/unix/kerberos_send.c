/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long a call waits for KDCs. Heimdal asks plugins before it sends a request itself; ours is for the threads that
 * are in a call, and nobody else's in this process.
 */
#include "kerberos_send.h"

#include <errno.h>
#include <krb5/send_to_kdc_plugin.h>
#include <krb5_err.h>
#include <time.h>

/* Referrals of a realm that refers to ever new ones end here: Heimdal follows them as long as they come. */
enum { REQUESTS = 64, LONGEST_WAIT = 3600, MOST_RETRIES = 60 };

static _Thread_local struct kerberos_wait *current;

int64_t kerberos_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void kerberos_wait_begin(struct kerberos_wait *wait, const struct kerberos_patience *patience)
{
    *wait = (struct kerberos_wait){
        .patience = *patience, .begin = kerberos_clock(), .requests = REQUESTS, .outer = current};
    current = wait;
}

void kerberos_wait_end(const struct kerberos_wait *wait)
{
    current = wait->outer;
}

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

static int64_t within(int64_t value, int64_t highest)
{
    return value > highest ? highest : value > 0 ? value : 1;
}

/* How long one request is waited for, in ms, and how often it is sent: what krb5.conf says, else the policy. */
static int64_t wait_time(krb5_context context, const struct kerberos_wait *wait)
{
    const int fallback = (int)within(wait->patience.wait_time, LONGEST_WAIT);
    return 1000 * within(krb5_config_get_time_default(context, NULL, fallback, "libdefaults", "kdc_timeout", NULL),
                         LONGEST_WAIT);
}

static int64_t retries(krb5_context context, const struct kerberos_wait *wait)
{
    const int fallback = (int)within(wait->patience.send_retries, MOST_RETRIES);
    return within(krb5_config_get_int_default(context, NULL, fallback, "libdefaults", "max_retries", NULL),
                  MOST_RETRIES);
}

static krb5_error_code ask(krb5_context context, struct kerberos_wait *wait, struct kerberos_asking *asking,
                           krb5_data *reply)
{
    const int64_t now = kerberos_clock(), patience = wait_time(context, wait), times = retries(context, wait);
    const int64_t end = wait->begin + patience * times;
    if (wait->silent || !wait->requests || now >= end) return KRB5_KDC_UNREACH;
    wait->requests--;
    asking->start = patience < 10000 ? patience / 10 : 1000;
    asking->resend = patience / times;
    asking->deadline = now + patience < end ? now + patience : end;
    const krb5_error_code code = kerberos_ask_realm(context, asking, reply);
    wait->silent = code == ETIMEDOUT;
    return code;
}

/* Only Heimdal knows the way through an HTTP proxy. */
static krb5_error_code KRB5_CALLCONV send_to_realm(krb5_context context, void *state, krb5_const_realm realm,
                                                   time_t timeout, const krb5_data *request, krb5_data *reply)
{
    struct kerberos_asking asking = {.realm = realm, .request = request};
    (void)state;
    (void)timeout;
    if (!current || krb5_config_get_string(context, NULL, "libdefaults", "http_proxy", NULL))
        return KRB5_PLUGIN_NO_HANDLE;
    return ask(context, current, &asking, reply);
}

static krb5plugin_send_to_kdc_ftable plugin = {
    .minor_version = KRB5_PLUGIN_SEND_TO_KDC_VERSION_2, .init = init, .fini = fini, .send_to_realm = send_to_realm};

krb5_error_code kerberos_send_install(krb5_context context)
{
    return krb5_plugin_register(context, PLUGIN_TYPE_DATA, KRB5_PLUGIN_SEND_TO_KDC, &plugin);
}
