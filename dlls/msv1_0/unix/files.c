/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Private files.
 */
#include "files.h"

#include "secure.h"

#include <errno.h>
#include <fcntl.h>
#include <libintl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define _(text) dgettext("countersign", text)

/* HOME is the user's to set, also wrongly; the password database is not. */
static bool home_of_user(char *home, size_t size)
{
    char buffer[4096];
    struct passwd entry, *found = NULL;
    if (getpwuid_r(geteuid(), &entry, buffer, sizeof buffer, &found) || !found || !entry.pw_dir) return false;
    return snprintf(home, size, "%s", entry.pw_dir) < (int)size;
}

/* What VARIABLE says, else a file of ours below what BASE_VARIABLE says, else below FOLDER in the user's home. */
static char *path_of(const char *variable, const char *base_variable, const char *folder, const char *name)
{
    const char *set = getenv(variable), *base = getenv(base_variable);
    char home[1024], *path = NULL;
    if (set && *set) return strdup(set);
    if (base && *base == '/') return asprintf(&path, "%s/countersign/%s", base, name) < 0 ? NULL : path;
    if (!home_of_user(home, sizeof home)) return NULL;
    return asprintf(&path, "%s/%s/countersign/%s", home, folder, name) < 0 ? NULL : path;
}

char *cs_config_path(const char *variable, const char *name)
{
    return path_of(variable, "XDG_CONFIG_HOME", ".config", name);
}

char *cs_cache_path(const char *variable, const char *name)
{
    return path_of(variable, "XDG_CACHE_HOME", ".cache", name);
}

/*
 * A folder that others may write to is one in which they put the file. It matters for whoever keeps another user's
 * XDG_CONFIG_HOME across su.
 */
static bool folder_is_private(const char *path)
{
    char *folder = strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;
    struct stat info;
    if (slash) slash[slash == folder] = 0;
    const bool held = folder && !stat(slash ? folder : ".", &info) && (info.st_uid == geteuid() || info.st_uid == 0) &&
                      !(info.st_mode & 022);
    if (!held) fprintf(stderr, _("countersign: %s: its folder lets others write\n"), path);
    free(folder);
    return held;
}

/* Checked on the open file, so that nobody exchanges it in between. */
static bool is_private(int fd, const char *path)
{
    struct stat info;
    if (fstat(fd, &info) || !folder_is_private(path)) return false;
    if (!S_ISREG(info.st_mode)) {
        fprintf(stderr, _("countersign: %s: not a regular file\n"), path);
    } else if (info.st_uid != geteuid() && info.st_uid != 0) {
        fprintf(stderr, _("countersign: %s: belongs to another user\n"), path);
    } else if (info.st_mode & 077) {
        fprintf(stderr, _("countersign: %s: mode %04o lets others in; use chmod 0600\n"), path, info.st_mode & 07777);
    } else {
        return true;
    }
    return false;
}

enum cs_file cs_open_private(const char *path, FILE **file)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return CS_FILE_MISSING;
    if (fd < 0) {
        fprintf(stderr, _("countersign: %s: cannot be read: %s\n"), path, strerror(errno));
        return CS_FILE_UNUSABLE;
    }
    *file = is_private(fd, path) ? fdopen(fd, "r") : NULL;
    if (*file) return CS_FILE_OK;
    close(fd);
    return CS_FILE_UNUSABLE;
}

static bool make_folders(const char *path)
{
    char *copy = strdup(path);
    if (!copy) return false;
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(copy, 0700);
        *slash = '/';
    }
    free(copy);
    return true;
}

enum cs_file cs_open_own(const char *path, int *fd)
{
    const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW;
    int opened = make_folders(path) ? open(path, flags, 0600) : -1;
    if (opened < 0) fprintf(stderr, _("countersign: %s: cannot be written: %s\n"), path, strerror(errno));
    if (opened < 0) return CS_FILE_UNUSABLE;
    if (is_private(opened, path)) {
        *fd = opened;
        return CS_FILE_OK;
    }
    close(opened);
    return CS_FILE_UNUSABLE;
}

/* Written aside and linked into place: link fails if another process was first, and nobody sees half a secret. */
static bool write_secret(const char *path, const uint8_t *secret, size_t size)
{
    char *aside = NULL;
    if (asprintf(&aside, "%s.XXXXXX", path) < 0) return false;
    int fd = mkstemp(aside);
    bool written = fd >= 0 && write(fd, secret, size) == (ssize_t)size && !fsync(fd);
    if (fd >= 0) close(fd);
    bool placed = written && (!link(aside, path) || errno == EEXIST);
    if (fd >= 0) unlink(aside);
    free(aside);
    return placed;
}

static enum cs_file read_secret(const char *path, uint8_t *secret, size_t size)
{
    FILE *file = NULL;
    enum cs_file opened = cs_open_private(path, &file);
    if (opened != CS_FILE_OK) return opened;
    setbuf(file, NULL);
    /* Not a byte more: any private file, such as a key with a well-known beginning, is no secret of ours. */
    bool whole = fread(secret, 1, size, file) == size && fgetc(file) == EOF;
    fclose(file);
    return whole ? CS_FILE_OK : CS_FILE_UNUSABLE;
}

bool cs_shared_secret(const char *path, uint8_t *secret, size_t size)
{
    enum cs_file had = read_secret(path, secret, size);
    if (had != CS_FILE_MISSING) return had == CS_FILE_OK;
    if (!make_folders(path) || !cs_random(secret, size) || !write_secret(path, secret, size)) return false;
    return read_secret(path, secret, size) == CS_FILE_OK;
}
