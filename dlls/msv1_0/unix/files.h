/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that belong to this Unix user alone: the account file, the loopback secret, the replay cache.
 */
#ifndef COUNTERSIGN_FILES_H
#define COUNTERSIGN_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum cs_file { CS_FILE_OK, CS_FILE_MISSING, CS_FILE_UNUSABLE };

/*
 * The path of NAME: what the environment variable VARIABLE says, else in countersign's folder under XDG_CONFIG_HOME
 * or ~/.config, where ~ is the password database's. The caller frees it. NULL if there is no home.
 */
char *cs_config_path(const char *variable, const char *name);

/* The same for what can be made again: under XDG_CACHE_HOME or ~/.cache. */
char *cs_cache_path(const char *variable, const char *name);

/*
 * Opens PATH for reading. It must be a regular file, no link, of this user or root, closed to group and others, in a
 * folder of this user or root that only they may write to; standard error says what is wrong with CS_FILE_UNUSABLE.
 */
enum cs_file cs_open_private(const char *path, FILE **file);

/*
 * Opens PATH for reading and writing, and makes it, empty, and its folder if there is none; the file is held against
 * what cs_open_private asks of one. The caller closes *FD. CS_FILE_UNUSABLE, said on standard error: not to be had.
 */
enum cs_file cs_open_own(const char *path, int *fd);

/*
 * Reads SIZE bytes from PATH, or, if there is none, makes it with that many random bytes and its folder, each closed
 * to others. Of several processes that make it at once all read what one of them wrote. False: not to be had.
 */
bool cs_shared_secret(const char *path, uint8_t *secret, size_t size);

#endif
