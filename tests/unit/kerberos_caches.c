/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The user's credential cache, while a credential handle that goes by it lives: destroyed, replaced by another user's,
 * damaged, closed; of each kind that Heimdal has here and that needs no daemon.
 */
#include "heimdal_leaks.h"
#include "kerberos.h"
#include "realm.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int start(void **state)
{
    (void)state;
    realm_start_peopled("");
    realm_add_user("second", "Password");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    realm_end();
    return 0;
}

/* Who a further context of PAIR's credentials is, in the client's own words and the server's; NULL: STATUS. */
static SECURITY_STATUS exchange(struct pair *pair, const char *names)
{
    cs_context_release(pair->client);
    cs_context_release(pair->server);
    pair->client = pair->server = NULL;
    SECURITY_STATUS status = pair_run(pair);
    if (status == SEC_E_OK) {
        struct bytes expected = utf16(names);
        const struct cs_span client = cs_context_session(pair->client)->names;
        const struct cs_span server = cs_context_session(pair->server)->names;
        assert_int_equal(client.size, expected.size);
        assert_memory_equal(client.data, expected.data, expected.size);
        assert_int_equal(server.size, expected.size);
        assert_memory_equal(server.data, expected.data, expected.size);
    }
    return status;
}

/* A handle that has a ticket by now, and has used it. */
static void open_in_use(struct pair *pair)
{
    struct pair_setup setup = realm_setup();
    realm_kinit("user", "Password");
    setup.user = NULL;
    pair_open(pair, "Kerberos", &setup);
    for (int i = 0; i < 3; i++) assert_int_equal(exchange(pair, "EXAMPLE\\user"), SEC_E_OK);
}

static void destroyed(void **state)
{
    struct pair pair;
    (void)state;
    open_in_use(&pair);
    realm_kdestroy();
    assert_int_equal(exchange(&pair, NULL), SEC_E_NO_CREDENTIALS);
    realm_kinit("user", "Password");
    assert_int_equal(exchange(&pair, "EXAMPLE\\user"), SEC_E_OK);
    pair_close(&pair);
}

static void replaced(void **state)
{
    struct pair pair;
    (void)state;
    open_in_use(&pair);
    realm_kinit("second", "Password");
    for (int i = 0; i < 3; i++) assert_int_equal(exchange(&pair, "EXAMPLE\\second"), SEC_E_OK);
    realm_kinit("user", "Password");
    for (int i = 0; i < 3; i++) assert_int_equal(exchange(&pair, "EXAMPLE\\user"), SEC_E_OK);
    pair_close(&pair);
}

/* A ticket that was got is kept, in the cache and in the handle: no KDC is needed for more of them. */
static void kept(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    realm_kinit("user", "Password");
    setup.user = NULL;
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(exchange(&pair, "EXAMPLE\\user"), SEC_E_OK);
    realm_pause();
    for (int i = 0; i < 3; i++) assert_int_equal(exchange(&pair, "EXAMPLE\\user"), SEC_E_OK);
    realm_resume();
    pair_close(&pair);
}

static void write_cache(const char *bytes, size_t size)
{
    FILE *file = fopen(realm_path("realm/ccache"), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void damaged(void **state)
{
    static const char header[] = "\5\4\0\14\0\1\0\10\377\377\377\377\0\0\0\0";
    const size_t sizes[] = {0, 1, 2, 3, 5, 15, 16};
    struct pair pair;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        open_in_use(&pair);
        write_cache(header, sizes[i]);
        assert_int_equal(exchange(&pair, NULL), SEC_E_NO_CREDENTIALS);
        pair_close(&pair);
        realm_kdestroy();
    }
    open_in_use(&pair);
    write_cache("\3\4no ticket cache", 17);
    assert_int_equal(exchange(&pair, NULL), SEC_E_NO_CREDENTIALS);
    pair_close(&pair);
    realm_kdestroy();
}

/* Whole but for its end: what of it can be read holds. */
static void cut_short(void **state)
{
    struct stat info;
    struct pair pair;
    (void)state;
    open_in_use(&pair);
    assert_int_equal(stat(realm_path("realm/ccache"), &info), 0);
    for (off_t size = info.st_size - 1; size > 0; size -= 97) {
        assert_int_equal(truncate(realm_path("realm/ccache"), size), 0);
        const SECURITY_STATUS status = exchange(&pair, "EXAMPLE\\user");
        assert_true(status == SEC_E_OK || status == SEC_E_NO_CREDENTIALS);
    }
    pair_close(&pair);
    realm_kdestroy();
}

/* Heimdal takes no cache that others may read; root may read all. */
static void open_to_others(void **state)
{
    struct pair pair;
    (void)state;
    open_in_use(&pair);
    assert_int_equal(chmod(realm_path("realm/ccache"), 0644), 0);
    assert_int_equal(exchange(&pair, NULL), SEC_E_NO_CREDENTIALS);
    assert_int_equal(chmod(realm_path("realm/ccache"), 0600), 0);
    assert_int_equal(exchange(&pair, "EXAMPLE\\user"), SEC_E_OK);
    unlink(realm_path("realm/ccache"));
    assert_int_equal(mkdir(realm_path("realm/ccache"), 0700), 0);
    assert_int_equal(exchange(&pair, NULL), SEC_E_NO_CREDENTIALS);
    assert_int_equal(rmdir(realm_path("realm/ccache")), 0);
    pair_close(&pair);
}

static void use_cache(const char *kind, const char *name)
{
    char value[5000];
    snprintf(value, sizeof value, "%s:%s", kind, name);
    assert_int_equal(setenv("KRB5CCNAME", value, 1), 0);
}

/* As MIT's kinit leaves it; Heimdal's own crashes on such a folder. Nothing of it is kept. */
static void in_a_folder(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    char command[400];
    (void)state;
    realm_kinit("user", "Password");
    snprintf(command, sizeof command,
             "cd %s; mkdir -m 700 caches; mv realm/ccache caches/tkt; echo tkt >caches/primary", realm_path(""));
    assert_int_equal(system(command), 0);
    use_cache("DIR", realm_path("caches"));
    setup.user = NULL;
    pair_open(&pair, "Kerberos", &setup);
    for (int i = 0; i < 3; i++) assert_int_equal(exchange(&pair, "EXAMPLE\\user"), SEC_E_OK);
    assert_int_equal(unlink(realm_path("caches/tkt")), 0);
    assert_int_equal(exchange(&pair, NULL), SEC_E_NO_CREDENTIALS);
    assert_int_equal(unlink(realm_path("caches/primary")) + rmdir(realm_path("caches")), 0);
    assert_int_equal(exchange(&pair, NULL), SEC_E_NO_CREDENTIALS);
    pair_close(&pair);
    use_cache("FILE", realm_path("realm/ccache"));
}

/* This process's own, into which it copies a file's. */
static void in_memory(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    krb5_context krb5;
    krb5_ccache file, memory;
    (void)state;
    realm_kinit("user", "Password");
    assert_int_equal(krb5_init_context(&krb5), 0);
    assert_int_equal(krb5_cc_default(krb5, &file), 0);
    assert_int_equal(krb5_cc_resolve(krb5, "MEMORY:own", &memory), 0);
    assert_int_equal(krb5_cc_copy_cache(krb5, file, memory), 0);
    realm_kdestroy();
    use_cache("MEMORY", "own");
    setup.user = NULL;
    pair_open(&pair, "Kerberos", &setup);
    for (int i = 0; i < 3; i++) assert_int_equal(exchange(&pair, "EXAMPLE\\user"), SEC_E_OK);
    assert_int_equal(krb5_cc_destroy(krb5, memory), 0);
    assert_int_equal(exchange(&pair, NULL), SEC_E_NO_CREDENTIALS);
    pair_close(&pair);
    krb5_cc_close(krb5, file);
    krb5_free_context(krb5);
    use_cache("FILE", realm_path("realm/ccache"));
}

/* A name of 3000 characters. */
static void far_away(void **state)
{
    char name[4000] = "";
    struct pair pair;
    (void)state;
    while (strlen(name) < 3000) strcat(name, "/.");
    strcat(name, realm_path("realm/ccache"));
    use_cache("FILE", name);
    open_in_use(&pair);
    pair_close(&pair);
    realm_kdestroy();
    use_cache("FILE", realm_path("realm/ccache"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(destroyed), cmocka_unit_test(replaced),    cmocka_unit_test(kept),
        cmocka_unit_test(damaged),   cmocka_unit_test(cut_short),   cmocka_unit_test(open_to_others),
        cmocka_unit_test(in_memory), cmocka_unit_test(in_a_folder), cmocka_unit_test(far_away),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
