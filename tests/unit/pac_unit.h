/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of PACs share: a library context and a client, and LOGON_INFO from its vector.
 */
#ifndef COUNTERSIGN_TESTS_PAC_UNIT_H
#define COUNTERSIGN_TESTS_PAC_UNIT_H

#include "kerberos_pac.h"
#include "pac_forge.h"
#include "pac_vectors.h"
#include "unit.h"

#include <krb5.h>
#include <string.h>

enum { AUTHTIME = 1700000000 };

struct pac_world {
    krb5_context krb5;
    krb5_principal client;
    krb5_keyblock key;
    struct bytes logon;
};

static inline struct pac_world pac_world_open(krb5_enctype etype)
{
    struct pac_world world = {.logon = unhex(pac_full_logon_info)};
    assert_int_equal(krb5_init_context(&world.krb5), 0);
    assert_int_equal(krb5_parse_name(world.krb5, "vagrant@DOMAIN.LOCAL", &world.client), 0);
    world.key = pac_key(world.krb5, etype, 0x55);
    return world;
}

static inline void pac_world_close(struct pac_world *world)
{
    krb5_free_keyblock_contents(world->krb5, &world->key);
    krb5_free_principal(world->krb5, world->client);
    krb5_free_context(world->krb5);
}

/* A good one, with the full LOGON_INFO. */
static inline struct pac_forge pac_good(const struct pac_world *world)
{
    return (struct pac_forge){
        .krb5 = world->krb5,
        .key = &world->key,
        .client = "vagrant",
        .authtime = AUTHTIME,
        .logon_info = span_over(&world->logon),
    };
}

/* PAC as that world's service and client have it. What fails leaves nothing behind. */
static inline SECURITY_STATUS pac_read(const struct pac_world *world, struct cs_span pac, struct kerberos_pac *result)
{
    const SECURITY_STATUS status = kerberos_pac_read(world->krb5, &world->key, world->client, AUTHTIME, pac, result);
    if (status != SEC_E_OK) {
        assert_null(result->logon.groups);
        assert_null(result->logon.user.data);
        assert_null(result->logon.domain.data);
        assert_null(result->upn.data);
        assert_null(result->dns_domain.data);
        assert_int_equal(result->logon.group_count, 0);
        assert_int_equal(result->logon.user_sid.size, 0);
    }
    return status;
}

static inline SECURITY_STATUS pac_status(const struct pac_world *world, struct cs_span pac)
{
    struct kerberos_pac result;
    const SECURITY_STATUS status = pac_read(world, pac, &result);
    kerberos_pac_drop(&result);
    return status;
}

/* What becomes of what FORGE makes. */
static inline SECURITY_STATUS pac_forged_status(const struct pac_world *world, const struct pac_forge *forge)
{
    struct cs_writer pac = {0};
    pac_forge(forge, &pac);
    const SECURITY_STATUS status = pac_status(world, cs_written(&pac));
    cs_writer_drop(&pac);
    return status;
}

#endif
