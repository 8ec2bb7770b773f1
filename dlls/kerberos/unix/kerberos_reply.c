/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a KDC's reply must not be, before Heimdal reads it.
 */
#include "kerberos_send.h"
#include "reader.h"

#include <krb5_err.h>

enum { MOST_ITERATIONS = 1000000 };

bool kerberos_is_bearable(const krb5_data *parameters)
{
    struct cs_reader reader = cs_reader_of((struct cs_span){parameters->data, parameters->length});
    uint32_t iterations = 0;
    for (int i = 0; i < 4; i++) iterations = iterations << 8 | cs_read_u8(&reader);
    return !reader.failed && !reader.remaining && iterations && iterations <= MOST_ITERATIONS;
}

/* Types without iterations have no parameters, or others, which Heimdal refuses. */
static bool has_bearable_entries(const krb5_data *encoded)
{
    ETYPE_INFO2 info;
    size_t used;
    bool bearable = true;
    if (decode_ETYPE_INFO2(encoded->data, encoded->length, &info, &used)) return true;
    for (unsigned i = 0; i < info.len; i++)
        if (info.val[i].s2kparams) bearable &= kerberos_is_bearable(info.val[i].s2kparams);
    free_ETYPE_INFO2(&info);
    return bearable;
}

static bool has_bearable_data(const METHOD_DATA *methods)
{
    for (unsigned i = 0; methods && i < methods->len; i++)
        if (methods->val[i].padata_type == KRB5_PADATA_ETYPE_INFO2 &&
            !has_bearable_entries(&methods->val[i].padata_value))
            return false;
    return true;
}

static enum kerberos_verdict judge_error(const KRB_ERROR *error)
{
    METHOD_DATA methods;
    size_t used;
    const int code = error->error_code + KRB5KDC_ERR_NONE;
    if (code == KRB5KDC_ERR_SVC_UNAVAILABLE) return KERBEROS_LEAVE;
    if (code == KRB5KRB_ERR_RESPONSE_TOO_BIG) return KERBEROS_ASK_BY_STREAM;
    if (!error->e_data || decode_METHOD_DATA(error->e_data->data, error->e_data->length, &methods, &used))
        return KERBEROS_TAKE;
    const bool bearable = has_bearable_data(&methods);
    free_METHOD_DATA(&methods);
    return bearable ? KERBEROS_TAKE : KERBEROS_LEAVE;
}

enum kerberos_verdict kerberos_judge(const krb5_data *reply)
{
    enum kerberos_verdict verdict = KERBEROS_TAKE;
    KRB_ERROR error;
    AS_REP rep;
    size_t used;
    if (!decode_KRB_ERROR(reply->data, reply->length, &error, &used)) {
        verdict = judge_error(&error);
        free_KRB_ERROR(&error);
    } else if (!decode_AS_REP(reply->data, reply->length, &rep, &used)) {
        if (!has_bearable_data(rep.padata)) verdict = KERBEROS_LEAVE;
        free_AS_REP(&rep);
    }
    return verdict;
}
