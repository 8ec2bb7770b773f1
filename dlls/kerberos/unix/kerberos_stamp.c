/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of Heimdal's that others change.
 */
#include "kerberos_stamp.h"

#include <string.h>
#include <sys/stat.h>

bool kerberos_stamp(const char *name, struct kerberos_stamp *stamp)
{
    static const char prefix[] = "FILE:";
    struct stat status;
    const bool prefixed = !strncmp(name, prefix, sizeof prefix - 1);
    *stamp = (struct kerberos_stamp){0};
    if ((!prefixed && *name != '/') || stat(prefixed ? name + sizeof prefix - 1 : name, &status)) return false;
    stamp->device = status.st_dev;
    stamp->inode = status.st_ino;
    stamp->size = (uint64_t)status.st_size;
    stamp->changed = (uint64_t)status.st_ctim.tv_sec * 1000000000 + (uint64_t)status.st_ctim.tv_nsec;
    return true;
}

bool kerberos_same_stamp(const struct kerberos_stamp *left, const struct kerberos_stamp *right)
{
    return left->device == right->device && left->inode == right->inode && left->size == right->size &&
           left->changed == right->changed;
}
