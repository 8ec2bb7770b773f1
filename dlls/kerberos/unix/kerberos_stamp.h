/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What tells one state of a file from the next: a keytab, a credential cache.
 */
#ifndef COUNTERSIGN_KERBEROS_STAMP_H
#define COUNTERSIGN_KERBEROS_STAMP_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed it is that of nothing. */
struct kerberos_stamp {
    uint64_t device, inode, size, changed; /* nanoseconds */
};

/* Of the file that NAME, of Heimdal's, stands for: FILE:/path, or a path. False: it is no file, or not there. */
bool kerberos_stamp(const char *name, struct kerberos_stamp *stamp);

bool kerberos_same_stamp(const struct kerberos_stamp *left, const struct kerberos_stamp *right);

#endif
