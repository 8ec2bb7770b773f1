/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The replay cache's file, when it is damaged, taken away or exchanged, or is not this user's alone. Whatever becomes
 * of it, nothing crashes, and no authenticator from before the damage is taken. To give a file to another user takes
 * root's rights; without them that test says that it did not run.
 */
#include "kerberos_replay.h"
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOW = 1700000000, SKEW = 300, HEADER = 44, PAGE = 4096, SMALL_FILE = (1 + 32) * PAGE };

static const char variable[] = "COUNTERSIGN_REPLAY_CACHE";
static const uid_t somebody = 65534;
static char folder[64], path[96], aside[96];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/replay.XXXXXX");
    snprintf(path, sizeof path, "%s/cache", mkdtemp(folder));
    snprintf(aside, sizeof aside, "%s/aside", folder);
    return setenv(variable, path, 1);
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    unlink(aside);
    rmdir(path);
    return rmdir(folder) || unsetenv(variable);
}

static SECURITY_STATUS arrives(struct kerberos_replay_cache *cache, const char *name, int64_t time)
{
    return kerberos_replay_check(cache, cs_span_of(name), time, time, SKEW);
}

/* The status for authenticator NAME from a cache that is opened for it. */
static SECURITY_STATUS arrives_later(const char *name, int64_t time)
{
    struct kerberos_replay_cache *cache = kerberos_replay_open();
    SECURITY_STATUS status = arrives(cache, name, time);
    kerberos_replay_close(cache);
    return status;
}

static struct stat information(void)
{
    struct stat info;
    assert_int_equal(lstat(path, &info), 0);
    return info;
}

static void made_for_us_alone(void **state)
{
    (void)state;
    const mode_t before = umask(0);
    assert_int_equal(arrives_later("one", NOW), SEC_E_OK);
    umask(before);
    const struct stat info = information();
    assert_true(S_ISREG(info.st_mode));
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(info.st_uid, geteuid());
    assert_int_equal(info.st_size, SMALL_FILE);
}

static void makes_folders(void **state)
{
    char deep[160], command[200];
    (void)state;
    snprintf(deep, sizeof deep, "%s/a/b/cache", folder);
    setenv(variable, deep, 1);
    assert_int_equal(arrives_later("one", NOW), SEC_E_OK);
    assert_int_equal(arrives_later("one", NOW), SEC_E_LOGON_DENIED);
    snprintf(command, sizeof command, "rm -r %s/a", folder);
    assert_int_equal(system(command), 0);
}

/* After damage whatever could have come before it is refused, the new is taken, and from then on all is as ever. */
static void expect_begun_anew(void)
{
    assert_int_equal(arrives_later("old", NOW), SEC_E_LOGON_DENIED);
    assert_int_equal(arrives_later("never seen, but from before", NOW), SEC_E_LOGON_DENIED);
    assert_int_equal(arrives_later("old", NOW + 1), SEC_E_OK);
    assert_int_equal(arrives_later("old", NOW + 1), SEC_E_LOGON_DENIED);
    assert_int_equal(arrives_later("new", NOW + 1), SEC_E_OK);
    assert_int_equal(information().st_size, SMALL_FILE);
}

static void truncated(void **state)
{
    const off_t sizes[] = {1, HEADER - 1, HEADER, HEADER + 1, PAGE - 1, PAGE, 2 * PAGE, SMALL_FILE - 1};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unlink(path);
        assert_int_equal(arrives_later("old", NOW), SEC_E_OK);
        assert_int_equal(truncate(path, sizes[i]), 0);
        expect_begun_anew();
    }
}

/* While a cache has it open: the same, and no SIGBUS. */
static void truncated_in_use(void **state)
{
    struct kerberos_replay_cache *cache = kerberos_replay_open();
    (void)state;
    assert_int_equal(arrives(cache, "old", NOW), SEC_E_OK);
    assert_int_equal(truncate(path, 2 * PAGE), 0);
    assert_int_equal(arrives(cache, "old", NOW), SEC_E_LOGON_DENIED);
    expect_begun_anew();
    assert_int_equal(arrives(cache, "new", NOW + 1), SEC_E_LOGON_DENIED);
    kerberos_replay_close(cache);
}

static void flip_byte(off_t offset)
{
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    fseek(file, offset, SEEK_SET);
    const int byte = fgetc(file);
    fseek(file, offset, SEEK_SET);
    fputc(byte ^ 0xFF, file);
    assert_int_equal(fclose(file), 0);
}

static void another_format(void **state)
{
    (void)state;
    for (off_t offset = 0; offset < 8; offset++) {
        unlink(path);
        assert_int_equal(arrives_later("old", NOW), SEC_E_OK);
        flip_byte(offset);
        expect_begun_anew();
    }
}

/* Any other byte of the header may make it forget or refuse, but every answer is one of these, now and later. */
static void damaged_header(void **state)
{
    (void)state;
    for (off_t offset = 8; offset < HEADER; offset++) {
        unlink(path);
        assert_int_equal(arrives_later("old", NOW), SEC_E_OK);
        flip_byte(offset);
        for (int64_t time = NOW; time < NOW + 3; time++) {
            const SECURITY_STATUS status = arrives_later("new", time);
            assert_true(status == SEC_E_OK || status == SEC_E_LOGON_DENIED);
            assert_int_equal(arrives_later("new", time), SEC_E_LOGON_DENIED);
        }
    }
}

static void another_programs_file(void **state)
{
    FILE *file = fopen(path, "w");
    (void)state;
    for (int i = 0; i < 5000; i++) fprintf(file, "This is no replay cache of ours.\n");
    fclose(file);
    chmod(path, 0600);
    expect_begun_anew();
}

/* Removed under a cache that has it open: the cache must not go on with a file that no other process finds. */
static void *let_go(void *fd)
{
    usleep(1300 * 1000);
    flock(*(int *)fd, LOCK_UN);
    return NULL;
}

/* Another process has the file for a while, in which an authenticator grows too old: what is accepted, is by then. */
static void held_meanwhile(void **state)
{
    struct kerberos_replay_cache *cache = kerberos_replay_open();
    pthread_t other;
    (void)state;
    assert_int_equal(arrives(cache, "first", NOW), SEC_E_OK);
    int fd = open(path, O_RDWR);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(pthread_create(&other, NULL, let_go, &fd), 0);
    assert_int_equal(kerberos_replay_check(cache, cs_span_of("second"), NOW - SKEW, NOW, SKEW), SEC_E_TIME_SKEW);
    assert_int_equal(pthread_join(other, NULL), 0);
    close(fd);
    kerberos_replay_close(cache);
}

static void removed_in_use(void **state)
{
    struct kerberos_replay_cache *cache = kerberos_replay_open();
    (void)state;
    assert_int_equal(arrives(cache, "one", NOW), SEC_E_OK);
    unlink(path);
    assert_int_equal(arrives(cache, "two", NOW), SEC_E_OK);
    assert_int_equal(arrives_later("two", NOW), SEC_E_LOGON_DENIED);
    assert_int_equal(arrives_later("three", NOW), SEC_E_OK);
    assert_int_equal(arrives(cache, "three", NOW), SEC_E_LOGON_DENIED);
    kerberos_replay_close(cache);
}

static void refused_file(void)
{
    assert_int_equal(arrives_later("one", NOW), SEC_E_INTERNAL_ERROR);
}

static void open_to_others(void **state)
{
    const mode_t modes[] = {0640, 0620, 0604, 0602, 0666};
    (void)state;
    assert_int_equal(arrives_later("one", NOW), SEC_E_OK);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        chmod(path, modes[i]);
        refused_file();
    }
}

static void in_a_folder_open_to_others(void **state)
{
    (void)state;
    chmod(folder, 0777);
    refused_file();
    chmod(folder, 0770);
    refused_file();
}

static void no_regular_file(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path, 0700), 0);
    refused_file();
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    refused_file();
}

/* A link is not followed: not to a file of ours, and not to where there is none. */
static void links(void **state)
{
    (void)state;
    assert_int_equal(symlink(aside, path), 0);
    refused_file();
    assert_int_not_equal(access(aside, F_OK), 0);
    FILE *file = fopen(aside, "w");
    assert_int_equal(fputs("precious", file) < 0 || fclose(file), 0);
    chmod(aside, 0600);
    refused_file();
    struct stat info;
    assert_int_equal(stat(aside, &info), 0);
    assert_int_equal(info.st_size, 8);
}

static void nowhere_to_be_had(void **state)
{
    (void)state;
    setenv(variable, "/proc/countersign/cache", 1);
    refused_file();
}

static void of_another_user(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("not run: it takes root's rights\n");
        skip();
    }
    assert_int_equal(arrives_later("one", NOW), SEC_E_OK);
    assert_int_equal(chown(path, somebody, (gid_t)-1), 0);
    refused_file();
}

/* Without a variable: below XDG_CACHE_HOME. */
static void default_place(void **state)
{
    char place[128], home[96];
    const char *before = getenv("XDG_CACHE_HOME");
    char *kept = before ? strdup(before) : NULL;
    (void)state;
    snprintf(home, sizeof home, "%s", folder);
    unsetenv(variable);
    setenv("XDG_CACHE_HOME", home, 1);
    assert_int_equal(arrives_later("one", NOW), SEC_E_OK);
    snprintf(place, sizeof place, "%s/countersign/kerberos.replay", folder);
    assert_int_equal(access(place, F_OK), 0);
    unlink(place);
    *strrchr(place, '/') = 0;
    assert_int_equal(rmdir(place), 0);
    unsetenv("XDG_CACHE_HOME");
    if (kept) setenv("XDG_CACHE_HOME", kept, 1);
    free(kept);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(made_for_us_alone),
        IN_FOLDER(makes_folders),
        IN_FOLDER(truncated),
        IN_FOLDER(truncated_in_use),
        IN_FOLDER(another_format),
        IN_FOLDER(damaged_header),
        IN_FOLDER(another_programs_file),
        IN_FOLDER(removed_in_use),
        IN_FOLDER(open_to_others),
        IN_FOLDER(in_a_folder_open_to_others),
        IN_FOLDER(no_regular_file),
        IN_FOLDER(links),
        IN_FOLDER(held_meanwhile),
        IN_FOLDER(held_meanwhile),
        IN_FOLDER(nowhere_to_be_had),
        IN_FOLDER(of_another_user),
        IN_FOLDER(default_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
