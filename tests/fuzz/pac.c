/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target: PACs. Input: a byte that says what follows (fuzz_pac.h): a part, for a PAC that is right otherwise, or a
 * whole PAC, as it is or with signatures that hold.
 */
#include "fuzz.h"
#include "fuzz_pac.h"
#include "kerberos_pac.h"

/* What every input is read with; made once, for it reads krb5.conf. */
struct reader_world {
    krb5_context krb5;
    krb5_keyblock key;
    krb5_principal client;
    struct pac_forge forge;
};

static const struct reader_world *world(void)
{
    static struct reader_world made;
    if (made.krb5) return &made;
    fuzz_require(!krb5_init_context(&made.krb5), "a library context");
    made.forge = fuzz_pac_forge(made.krb5, &made.key);
    fuzz_require(!krb5_make_principal(made.krb5, &made.client, "REALM", FUZZ_PAC_CLIENT, NULL), "a principal");
    return &made;
}

static void require_sid(const struct cs_sid *sid)
{
    fuzz_require(sid->bytes[0] == 1 && sid->bytes[1] <= 15 && sid->size == 8 + 4 * sid->bytes[1], "a SID");
}

static void require_nothing(const struct kerberos_pac *pac)
{
    fuzz_require(!pac->logon.user.data && !pac->logon.domain.data && !pac->upn.data && !pac->dns_domain.data,
                 "a string left");
    fuzz_require(!pac->logon.groups && !pac->logon.group_count && !pac->logon.user_sid.size, "a SID left");
}

/* Nothing comes out that did not go in. */
static void require_sound(const struct kerberos_pac *pac, size_t size)
{
    fuzz_require(pac->logon.user.size % 2 == 0 && pac->logon.domain.size % 2 == 0, "half a character");
    fuzz_require(pac->logon.user.size <= size && pac->logon.domain.size <= size, "a string longer than the input");
    fuzz_require(pac->upn.size <= size && pac->dns_domain.size <= size, "a string longer than the input");
    fuzz_require(pac->logon.group_count <= size / 8, "more groups than bytes");
    fuzz_require(pac->logon.group_count <= CS_LOGON_MOST_GROUPS, "more groups than a token has");
    for (uint32_t i = 0; i < pac->logon.group_count; i++) require_sid(&pac->logon.groups[i].sid);
    if (pac->logon.user_sid.size) require_sid(&pac->logon.user_sid);
}

static void read_pac(const struct reader_world *with, struct cs_span bytes)
{
    struct kerberos_pac pac;
    const SECURITY_STATUS status =
        kerberos_pac_read(with->krb5, &with->key, with->client, with->forge.authtime, bytes, &pac);
    fuzz_require(status == SEC_E_OK || status == SEC_E_INVALID_TOKEN || status == SEC_E_LOGON_DENIED,
                 "a status that is not among those documented");
    if (status == SEC_E_OK)
        require_sound(&pac, bytes.size);
    else
        require_nothing(&pac);
    kerberos_pac_drop(&pac);
}

/* A part in a PAC of ours; the signature holds, so that the part alone decides. */
static void read_part(const struct reader_world *with, struct cs_span logon_info, struct cs_span upn_dns_info)
{
    struct pac_forge forge = with->forge;
    struct cs_writer pac = {0};
    forge.logon_info = logon_info;
    forge.upn_dns_info = upn_dns_info;
    pac_forge(&forge, &pac);
    read_pac(with, cs_written(&pac));
    cs_writer_drop(&pac);
}

static void read_whole(const struct reader_world *with, struct cs_span bytes, bool signed_anew)
{
    struct cs_writer pac = {0};
    cs_write_span(&pac, bytes);
    if (!signed_anew || pac_sign(&with->forge, &pac)) read_pac(with, cs_written(&pac));
    cs_writer_drop(&pac);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct cs_span none = {NULL, 0}, input = {data, size};
    struct cs_reader reader = cs_reader_of(input);
    const enum fuzz_pac how = cs_read_u8(&reader) & 3;
    const struct cs_span rest = fuzz_rest(&reader);
    if (how == FUZZ_LOGON_INFO) read_part(world(), rest, none);
    if (how == FUZZ_UPN_DNS_INFO) read_part(world(), none, rest);
    if (how >= FUZZ_PAC_AS_IT_IS) read_whole(world(), rest, how == FUZZ_PAC_TO_BE_SIGNED);
    return 0;
}
