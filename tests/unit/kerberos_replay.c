/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The replay cache: an authenticator serves once, in this process, in every other of this user, after a restart, and
 * for as long as it could be accepted; and no more are taken than can be remembered. Its file when somebody has been at
 * it: kerberos_replay_file.c. Source: RFC 4120 3.2.3.
 */
#include "kerberos_replay.h"
#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NOW = 1700000000, SKEW = 300, HEADER_LATEST = 28, PAGE = 4096 };
enum { ONE_LEVEL = (1 + 32) * PAGE, TWO_LEVELS = (1 + 32 + 256) * PAGE };

static const uint64_t many = 12000; /* more than the first level holds */

static const char variable[] = "COUNTERSIGN_REPLAY_CACHE";
static char folder[64], path[96];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/replay.XXXXXX");
    snprintf(path, sizeof path, "%s/cache", mkdtemp(folder));
    return setenv(variable, path, 1);
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder) || unsetenv(variable);
}

/* Authenticator NUMBER, made then and here now. */
static SECURITY_STATUS comes(struct kerberos_replay_cache *cache, uint64_t number, int64_t made, int64_t now)
{
    uint8_t cipher[100] = {0};
    memcpy(cipher, &number, sizeof number);
    return kerberos_replay_check(cache, (struct cs_span){cipher, sizeof cipher}, made, now, SKEW);
}

static SECURITY_STATUS arrives(struct kerberos_replay_cache *cache, uint64_t number, int64_t time)
{
    return comes(cache, number, time, time);
}

/* Takes authenticators from FIRST up to END, which are new. */
static void take(struct kerberos_replay_cache *cache, uint64_t first, uint64_t end, int64_t made, int64_t now)
{
    for (uint64_t i = first; i < end; i++) assert_int_equal(comes(cache, i, made, now), SEC_E_OK);
}

static off_t size_of_file(void)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info.st_size;
}

static void serves_once(void **state)
{
    struct kerberos_replay_cache *cache = kerberos_replay_open();
    (void)state;
    assert_int_equal(arrives(cache, 1, NOW), SEC_E_OK);
    assert_int_equal(arrives(cache, 1, NOW), SEC_E_LOGON_DENIED);
    assert_int_equal(arrives(cache, 2, NOW), SEC_E_OK);
    assert_int_equal(arrives(cache, 1, NOW), SEC_E_LOGON_DENIED);
    kerberos_replay_close(cache);
}

static void serves_once_for_all_credentials(void **state)
{
    struct kerberos_replay_cache *one = kerberos_replay_open(), *other = kerberos_replay_open();
    (void)state;
    assert_int_equal(arrives(one, 1, NOW), SEC_E_OK);
    assert_int_equal(arrives(other, 1, NOW), SEC_E_LOGON_DENIED);
    kerberos_replay_close(one);
    assert_int_equal(arrives(other, 2, NOW), SEC_E_OK);
    kerberos_replay_close(other);
}

static void serves_once_across_restarts(void **state)
{
    (void)state;
    for (int start = 0; start < 3; start++) {
        struct kerberos_replay_cache *cache = kerberos_replay_open();
        assert_int_equal(arrives(cache, 1, NOW + start), start ? SEC_E_LOGON_DENIED : SEC_E_OK);
        kerberos_replay_close(cache);
    }
}

static void length_counts(void **state)
{
    struct kerberos_replay_cache *cache = kerberos_replay_open();
    const uint8_t zeros[64] = {0};
    (void)state;
    for (size_t size = 0; size <= sizeof zeros; size++) {
        const struct cs_span cipher = {zeros, size};
        assert_int_equal(kerberos_replay_check(cache, cipher, NOW, NOW, SKEW), SEC_E_OK);
        assert_int_equal(kerberos_replay_check(cache, cipher, NOW, NOW, SKEW), SEC_E_LOGON_DENIED);
    }
    kerberos_replay_close(cache);
}

/* Whatever is refused for its time is not entered, and whatever could still be accepted is known. */
static void known_while_it_could_be_accepted(void **state)
{
    struct kerberos_replay_cache *cache = kerberos_replay_open();
    const struct cs_span cipher = {(const uint8_t *)"cipher", 6};
    const int64_t early = NOW - SKEW, late = NOW + SKEW;
    (void)state;
    assert_int_equal(kerberos_replay_check(cache, cipher, NOW, early - 1, SKEW), SEC_E_TIME_SKEW);
    assert_int_equal(kerberos_replay_check(cache, cipher, NOW, late + 1, SKEW), SEC_E_TIME_SKEW);
    assert_int_equal(kerberos_replay_check(cache, cipher, NOW, early, SKEW), SEC_E_OK);
    for (int64_t now = early; now <= late; now++)
        assert_int_equal(kerberos_replay_check(cache, cipher, NOW, now, SKEW), SEC_E_LOGON_DENIED);
    assert_int_equal(kerberos_replay_check(cache, cipher, NOW, late + 1, SKEW), SEC_E_TIME_SKEW);
    kerberos_replay_close(cache);
}

static void times_out_of_range(void **state)
{
    struct kerberos_replay_cache *cache = kerberos_replay_open();
    const int64_t times[] = {INT64_MIN, -1, 0, 1, UINT32_MAX, (int64_t)UINT32_MAX + 1, INT64_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        SECURITY_STATUS status = kerberos_replay_check(cache, (struct cs_span){0}, times[i], NOW, SKEW);
        assert_int_equal(status, SEC_E_TIME_SKEW);
    }
    assert_int_equal(arrives(cache, 1, -1), SEC_E_TIME_SKEW);
    assert_int_equal(arrives(cache, 1, UINT32_MAX), SEC_E_TIME_SKEW);
    kerberos_replay_close(cache);
}

/* More than the first level holds: all are known, and when they have expired the file is small again. */
static void grows_and_shrinks(void **state)
{
    struct kerberos_replay_cache *cache = kerberos_replay_open();
    (void)state;
    take(cache, 0, many, NOW, NOW);
    const off_t full = size_of_file();
    assert_int_equal(full, TWO_LEVELS);
    for (uint64_t i = 0; i < many; i++) assert_int_equal(arrives(cache, i, NOW + SKEW), SEC_E_LOGON_DENIED);
    assert_int_equal(arrives(cache, many, NOW + 2 * SKEW), SEC_E_OK);
    assert_true(size_of_file() < full);
    take(cache, 0, many, NOW + 2 * SKEW, NOW + 2 * SKEW);
    kerberos_replay_close(cache);
}

/* The second level has expired, and the first has not. */
static void shrinks_by_a_level(void **state)
{
    struct kerberos_replay_cache *cache = kerberos_replay_open();
    (void)state;
    assert_int_equal(comes(cache, many, NOW + 200, NOW), SEC_E_OK);
    take(cache, 0, many, NOW, NOW);
    assert_int_equal(size_of_file(), TWO_LEVELS);
    assert_int_equal(comes(cache, many, NOW + 200, NOW + 350), SEC_E_LOGON_DENIED);
    assert_int_equal(size_of_file(), ONE_LEVEL);
    kerberos_replay_close(cache);
}

/* The first level has expired, and has room: what is in the second is known all the same. */
static void known_in_every_level(void **state)
{
    struct kerberos_replay_cache *cache = kerberos_replay_open();
    (void)state;
    take(cache, 0, many, NOW - 250, NOW);
    take(cache, many, many + 1000, NOW, NOW);
    for (uint64_t i = many; i < many + 1000; i++) assert_int_equal(comes(cache, i, NOW, NOW + 100), SEC_E_LOGON_DENIED);
    kerberos_replay_close(cache);
}

/* Another process has read the clock before us, and comes after us: it must not take a file that we cut for damaged. */
static void clock_read_before(void **state)
{
    struct kerberos_replay_cache *cache = kerberos_replay_open();
    (void)state;
    take(cache, 0, many, NOW, NOW);
    assert_int_equal(arrives(cache, many, NOW + 305), SEC_E_OK);
    assert_int_equal(size_of_file(), ONE_LEVEL);
    assert_int_equal(arrives(cache, many + 1, NOW + 303), SEC_E_OK);
    kerberos_replay_close(cache);
}

/* Places of those that have expired serve again: a steady stream stays in one level. */
static void reuses_places(void **state)
{
    struct kerberos_replay_cache *cache = kerberos_replay_open();
    (void)state;
    for (uint64_t i = 0; i < 20000; i++) assert_int_equal(arrives(cache, i, NOW + (int64_t)i / 10), SEC_E_OK);
    assert_int_equal(size_of_file(), ONE_LEVEL);
    kerberos_replay_close(cache);
}

/* A file in which every place is taken until the end of time, with the header of one that we made. */
static void fill_file(void)
{
    static uint8_t full[1 << 20];
    const uint32_t never[4] = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    fseek(file, HEADER_LATEST, SEEK_SET);
    assert_int_equal(fwrite(never, sizeof never, 1, file), 1);
    fseek(file, PAGE, SEEK_SET);
    memset(full, 0xFF, sizeof full);
    for (long left = (32 + 256 + 2048 + 16384) * (long)PAGE; left > 0; left -= (long)sizeof full)
        assert_int_equal(fwrite(full, (size_t)left < sizeof full ? (size_t)left : sizeof full, 1, file), 1);
    assert_int_equal(fclose(file), 0);
}

static void refuses_when_full(void **state)
{
    struct kerberos_replay_cache *cache = kerberos_replay_open();
    (void)state;
    assert_int_equal(arrives(cache, 1, NOW), SEC_E_OK);
    fill_file();
    for (uint64_t i = 2; i < 100; i++) assert_int_equal(arrives(cache, i, NOW), SEC_E_INSUFFICIENT_MEMORY);
    assert_int_equal(size_of_file(), (1 + 32 + 256 + 2048 + 16384) * PAGE);
    kerberos_replay_close(cache);
}

enum { CROWD = 4, EACH = 2000 };

/* All of them bring the same authenticators; who counts how often each was taken. */
static void bring_all(int fd, const void *data)
{
    struct kerberos_replay_cache *cache = kerberos_replay_open();
    uint8_t taken[EACH] = {0};
    (void)data;
    for (uint64_t i = 0; i < EACH; i++) {
        SECURITY_STATUS status = arrives(cache, i, NOW);
        if (status != SEC_E_OK && status != SEC_E_LOGON_DENIED) _exit(1);
        taken[i] = status == SEC_E_OK;
    }
    kerberos_replay_close(cache);
    if (write(fd, taken, sizeof taken) != sizeof taken) _exit(1);
}

static void serves_once_among_processes(void **state)
{
    struct process crowd[CROWD];
    uint8_t taken[EACH], total[EACH] = {0};
    (void)state;
    for (int i = 0; i < CROWD; i++) crowd[i] = start_process(bring_all, NULL);
    for (int i = 0; i < CROWD; i++) {
        assert_int_equal(recv(crowd[i].fd, taken, sizeof taken, MSG_WAITALL), sizeof taken);
        for (int k = 0; k < EACH; k++) total[k] = (uint8_t)(total[k] + taken[k]);
        finish_process(&crowd[i]);
    }
    for (int k = 0; k < EACH; k++) assert_int_equal(total[k], 1);
}

struct member {
    pthread_t thread;
    struct kerberos_replay_cache *cache;
    unsigned taken, denied;
};

static void *bring_all_in_thread(void *argument)
{
    struct member *member = argument;
    for (uint64_t i = 0; i < EACH; i++) {
        SECURITY_STATUS status = arrives(member->cache, i, NOW);
        member->taken += status == SEC_E_OK;
        member->denied += status == SEC_E_LOGON_DENIED;
    }
    return NULL;
}

/* Half of the threads share one cache, half the other. */
static void serves_once_among_threads(void **state)
{
    struct kerberos_replay_cache *caches[2] = {kerberos_replay_open(), kerberos_replay_open()};
    struct member crowd[CROWD] = {0};
    unsigned taken = 0, denied = 0;
    (void)state;
    for (int i = 0; i < CROWD; i++) {
        crowd[i].cache = caches[i % 2];
        assert_int_equal(pthread_create(&crowd[i].thread, NULL, bring_all_in_thread, &crowd[i]), 0);
    }
    for (int i = 0; i < CROWD; i++) {
        pthread_join(crowd[i].thread, NULL);
        taken += crowd[i].taken;
        denied += crowd[i].denied;
    }
    assert_int_equal(taken, EACH);
    assert_int_equal(denied, (CROWD - 1) * EACH);
    kerberos_replay_close(caches[0]);
    kerberos_replay_close(caches[1]);
}

/* Writes a number for each authenticator that has been taken, until it is killed. */
static void bring_without_end(int fd, const void *data)
{
    struct kerberos_replay_cache *cache = kerberos_replay_open();
    const uint64_t *first = data;
    for (uint64_t i = *first;; i++) {
        if (arrives(cache, i, NOW) != SEC_E_OK || write(fd, &i, sizeof i) != sizeof i) _exit(1);
    }
}

/* A process that is killed at any moment keeps nobody waiting, and what it took is known. */
static void killed_processes(void **state)
{
    struct kerberos_replay_cache *cache = kerberos_replay_open();
    uint64_t taken, last = 0;
    (void)state;
    for (int round = 0; round < 20; round++) {
        const uint64_t first = (uint64_t)round << 32;
        struct process process = start_process(bring_without_end, &first);
        for (int i = 0; i < 50 + round; i++)
            assert_int_equal(recv(process.fd, &last, sizeof last, MSG_WAITALL), sizeof last);
        kill(process.pid, SIGKILL);
        waitpid(process.pid, NULL, 0);
        while (recv(process.fd, &taken, sizeof taken, MSG_WAITALL) == sizeof taken) last = taken;
        close(process.fd);
        for (taken = first; taken <= last; taken++) assert_int_equal(arrives(cache, taken, NOW), SEC_E_LOGON_DENIED);
    }
    kerberos_replay_close(cache);
}

/* Holds the file until the other side says something. */
static void hold_file(int fd, const void *data)
{
    FILE *file = fopen(data, "r");
    char byte = 0;
    if (!file || flock(fileno(file), LOCK_EX) || write(fd, &byte, 1) != 1 || read(fd, &byte, 1) < 0) _exit(1);
    fclose(file);
}

/* A process that was stopped while it held the file keeps others waiting, but not without end. */
static void held_too_long(void **state)
{
    struct kerberos_replay_cache *cache = kerberos_replay_open();
    char byte;
    (void)state;
    assert_int_equal(arrives(cache, 1, NOW), SEC_E_OK);
    struct process process = start_process(hold_file, path);
    assert_int_equal(read(process.fd, &byte, 1), 1);
    const time_t start = time(NULL);
    assert_int_equal(arrives(cache, 2, NOW), SEC_E_INTERNAL_ERROR);
    assert_true(time(NULL) - start < 10);
    finish_process(&process);
    assert_int_equal(arrives(cache, 2, NOW), SEC_E_OK);
    kerberos_replay_close(cache);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(serves_once),
        IN_FOLDER(serves_once_for_all_credentials),
        IN_FOLDER(serves_once_across_restarts),
        IN_FOLDER(length_counts),
        IN_FOLDER(known_while_it_could_be_accepted),
        IN_FOLDER(times_out_of_range),
        IN_FOLDER(grows_and_shrinks),
        IN_FOLDER(shrinks_by_a_level),
        IN_FOLDER(known_in_every_level),
        IN_FOLDER(clock_read_before),
        IN_FOLDER(reuses_places),
        IN_FOLDER(refuses_when_full),
        IN_FOLDER(serves_once_among_processes),
        IN_FOLDER(serves_once_among_threads),
        IN_FOLDER(killed_processes),
        IN_FOLDER(held_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
