/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The replay cache's file: a header and up to four hash tables, its levels, each eight times as large as the one before
 * and used when a bucket of that one is full. A level whose last entry has expired is empty without being read, and the
 * file ends with the last level that is not. It is read and written by calls: a mapping of a file that somebody
 * truncates raises SIGBUS.
 *
 * Processes take turns by flock, which ends with the process that holds it.
 */
#include "kerberos_replay.h"
#include "kerberos_send.h"

#include "files.h"
#include "secure.h"

#include <errno.h>
#include <libintl.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define _(text) dgettext("countersign", text)

enum { LEVELS = 4, SLOTS = 256, MARK = 12, KEY = 16, PATIENCE = 2, SPARE = 2 };

static const uint64_t buckets[LEVELS] = {32, 256, 2048, 16384};
static const char format[8] = "CSKRPL1\n";

/* An authenticator, as a keyed hash: who does not know the key cannot fill a bucket, nor make two marks the same. */
struct entry {
    uint8_t mark[MARK];
    uint32_t expiry; /* seconds since 1970 */
};

/* Everything in the file is in the machine's own byte order: the file stays on it. */
struct header {
    char format[sizeof format];
    uint8_t key[KEY];
    uint32_t lost;           /* the file was damaged: what came up to then is not known */
    uint32_t latest[LEVELS]; /* the latest expiry in each */
};

_Static_assert(sizeof(struct entry) == 16 && sizeof(struct header) == 44, "they are in a file");

struct kerberos_replay_cache {
    pthread_mutex_t lock; /* flock does not keep threads apart that share a descriptor */
    char *path;
    int fd; /* -1: not open */
};

/* What is looked for. */
struct visitor {
    uint8_t mark[MARK];
    uint64_t place;
    uint32_t now, made, expiry;
};

struct kerberos_replay_cache *kerberos_replay_open(void)
{
    struct kerberos_replay_cache *cache = calloc(1, sizeof *cache);
    if (!cache) return NULL;
    cache->fd = -1;
    cache->path = cs_cache_path("COUNTERSIGN_REPLAY_CACHE", "kerberos.replay");
    if (cs_lock_init(&cache->lock)) return cache;
    free(cache->path);
    free(cache);
    return NULL;
}

static void close_file(struct kerberos_replay_cache *cache)
{
    if (cache->fd >= 0) close(cache->fd);
    cache->fd = -1;
}

void kerberos_replay_close(struct kerberos_replay_cache *cache)
{
    if (!cache) return;
    close_file(cache);
    pthread_mutex_destroy(&cache->lock);
    free(cache->path);
    free(cache);
}

/* The first byte after level LEVEL, or after the header for -1, which has a page of its own. */
static off_t end_of_level(int level)
{
    uint64_t pages = 1;
    for (int i = 0; i <= level; i++) pages += buckets[i];
    return (off_t)(pages * SLOTS * sizeof(struct entry));
}

static off_t bucket_offset(int level, uint64_t place)
{
    const uint64_t bucket = (place >> (16 * level)) % buckets[level];
    return end_of_level(level - 1) + (off_t)(bucket * SLOTS * sizeof(struct entry));
}

static bool read_at(int fd, void *data, size_t size, off_t offset)
{
    return pread(fd, data, size, offset) == (ssize_t)size;
}

static bool write_at(int fd, const void *data, size_t size, off_t offset)
{
    return pwrite(fd, data, size, offset) == (ssize_t)size;
}

/* It is not waited for without end: a process that was stopped holds it too. */
static bool lock_file(int fd)
{
    const struct timespec pause = {0, 100 * 1000};
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        if (!flock(fd, LOCK_EX | LOCK_NB)) return true;
        if (errno != EWOULDBLOCK && errno != EINTR) return false;
        nanosleep(&pause, NULL);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - start.tv_sec <= PATIENCE);
    return false;
}

/* Opens the file if need be, and again if its name is another file's by now, and locks it. */
static bool take_file(struct kerberos_replay_cache *cache, struct stat *info)
{
    for (int tries = 0; tries < 3; tries++) {
        if (cache->fd < 0 && (!cache->path || cs_open_own(cache->path, &cache->fd) != CS_FILE_OK)) return false;
        if (!lock_file(cache->fd)) return false;
        if (!fstat(cache->fd, info) && info->st_nlink > 0) return true;
        close_file(cache);
    }
    return false;
}

/* The highest level that has an entry which has not expired; -1 if none has. */
static int top_level(const struct header *header, uint32_t now)
{
    int level = LEVELS - 1;
    while (level >= 0 && header->latest[level] < now) level--;
    return level;
}

static bool begin(int fd, struct header *header, uint32_t lost)
{
    *header = (struct header){.lost = lost};
    memcpy(header->format, format, sizeof format);
    /* Never of size 0 on the way: whoever dies here would leave what counts as a new file, which remembers no loss. */
    return cs_random(header->key, KEY) && write_at(fd, header, sizeof *header, 0) && !ftruncate(fd, end_of_level(-1));
}

/* The header before the size, so that no level that the header speaks of is missing, whoever dies here. */
static bool trim(int fd, struct header *header, int top)
{
    for (int level = top + 1; level < LEVELS; level++) header->latest[level] = 0;
    return write_at(fd, header, sizeof *header, 0) && !ftruncate(fd, end_of_level(top));
}

/*
 * A file that is shorter than its entries want, or not of this kind, has forgotten some: begun anew, it takes no
 * authenticator of the time before.
 */
static bool read_header(const struct kerberos_replay_cache *cache, const struct stat *info, uint32_t now,
                        struct header *header)
{
    if (info->st_size == 0) return begin(cache->fd, header, 0);
    const bool ours = read_at(cache->fd, header, sizeof *header, 0) && !memcmp(header->format, format, sizeof format);
    const int top = ours ? top_level(header, now) : -1;
    if (ours && info->st_size == end_of_level(top)) return true;
    if (ours && info->st_size > end_of_level(top)) return trim(cache->fd, header, top);
    fprintf(stderr, _("countersign: %s: damaged, and begun anew\n"), cache->path);
    return begin(cache->fd, header, now);
}

/* Nobody sees the marks, so that a key before the text is enough. */
static struct visitor visitor_of(const struct header *header, struct cs_span cipher)
{
    struct visitor visitor;
    struct sha256_ctx hash;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&hash);
    sha256_update(&hash, KEY, header->key);
    sha256_update(&hash, cipher.size, cipher.data);
    sha256_digest(&hash, sizeof digest, digest);
    memcpy(visitor.mark, digest, MARK);
    memcpy(&visitor.place, digest + MARK, sizeof visitor.place);
    return visitor;
}

/* The first slot of BUCKET that is free, SLOTS for none; -1 if the visitor is in it. */
static int slot_in(const struct entry bucket[SLOTS], const struct visitor *visitor)
{
    int slot = SLOTS;
    for (int i = SLOTS - 1; i >= 0; i--) {
        if (bucket[i].expiry < visitor->now)
            slot = i;
        else if (!memcmp(bucket[i].mark, visitor->mark, MARK))
            return -1;
    }
    return slot;
}

/* Looks through every level; LEVEL and OFFSET are then where there is room. */
static SECURITY_STATUS find_room(int fd, const struct header *header, const struct visitor *visitor, int *level,
                                 off_t *offset)
{
    struct entry bucket[SLOTS];
    *level = LEVELS;
    for (int i = 0; i < LEVELS; i++) {
        int slot = 0;
        const off_t start = bucket_offset(i, visitor->place);
        if (header->latest[i] >= visitor->now) {
            if (!read_at(fd, bucket, sizeof bucket, start)) return SEC_E_INTERNAL_ERROR;
            slot = slot_in(bucket, visitor);
            if (slot < 0) return SEC_E_LOGON_DENIED;
        }
        if (slot == SLOTS || *level < LEVELS) continue;
        *level = i;
        *offset = start + slot * (off_t)sizeof(struct entry);
    }
    return *level < LEVELS ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* The size first, and the header last: it speaks of no level that is not there, whoever dies here. */
static bool enter(int fd, struct header *header, const struct visitor *visitor, int level, off_t offset)
{
    struct entry entry = {.expiry = visitor->expiry};
    memcpy(entry.mark, visitor->mark, MARK);
    if (level > top_level(header, visitor->now) && ftruncate(fd, end_of_level(level))) return false;
    if (!write_at(fd, &entry, sizeof entry, offset)) return false;
    if (header->latest[level] >= visitor->expiry) return true;
    header->latest[level] = visitor->expiry;
    return write_at(fd, header, sizeof *header, 0);
}

static SECURITY_STATUS visit(const struct kerberos_replay_cache *cache, const struct stat *info, struct cs_span cipher,
                             const struct visitor *times)
{
    struct header header;
    int level = LEVELS;
    off_t offset = 0;
    if (!read_header(cache, info, times->now, &header)) return SEC_E_INTERNAL_ERROR;
    if (times->made <= header.lost) return SEC_E_LOGON_DENIED;
    struct visitor visitor = visitor_of(&header, cipher);
    visitor.now = times->now;
    visitor.expiry = times->expiry;
    SECURITY_STATUS status = find_room(cache->fd, &header, &visitor, &level, &offset);
    if (status == SEC_E_OK && !enter(cache->fd, &header, &visitor, level, offset)) status = SEC_E_INTERNAL_ERROR;
    return status;
}

static bool is_within(int64_t made, int64_t now, int64_t skew)
{
    return made >= now - skew && made <= now + skew && made > 0 && now > 0 && made + skew <= UINT32_MAX - SPARE;
}

/* The file is had. NOW is this moment: whoever went by one before a wait would take what is no longer remembered. */
static SECURITY_STATUS check(const struct kerberos_replay_cache *cache, const struct stat *info, struct cs_span cipher,
                             int64_t made, int64_t now, int64_t skew)
{
    if (!is_within(made, now, skew)) return SEC_E_TIME_SKEW;
    /* Kept a little longer than it could be accepted: clocks are read in whole seconds. */
    const uint32_t expiry = (uint32_t)(made + skew + SPARE);
    const struct visitor times = {.now = (uint32_t)now, .made = (uint32_t)made, .expiry = expiry};
    return visit(cache, info, cipher, &times);
}

SECURITY_STATUS kerberos_replay_check(struct kerberos_replay_cache *cache, struct cs_span cipher, int64_t made,
                                      int64_t now, int64_t skew)
{
    const int64_t begin = kerberos_clock();
    SECURITY_STATUS status = SEC_E_INTERNAL_ERROR;
    struct stat info;
    if (!is_within(made, now, skew)) return SEC_E_TIME_SKEW;
    cs_lock(&cache->lock);
    if (take_file(cache, &info)) {
        status = check(cache, &info, cipher, made, now + (kerberos_clock() - begin) / 1000, skew);
        flock(cache->fd, LOCK_UN);
    }
    cs_unlock(&cache->lock);
    return status;
}
