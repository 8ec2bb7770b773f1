/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handles: indices with a generation, reference-counted. No lock anywhere, so that no thread waits and none that dies
 * leaves one. Plain C with compiler atomics: the unit tests build it natively, under ThreadSanitizer too.
 */
#ifndef SECUR32_HANDLE_TABLE_H
#define SECUR32_HANDLE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

/* CredHandle and CtxtHandle: dwLower and dwUpper. Neither is ever 0. */
struct handle {
    uintptr_t lower, upper;
};

enum { HANDLE_CHUNKS = 4096, HANDLE_CHUNK_SIZE = 1024 };

struct handle_entry;

/* Zero but for these two is an empty table. Entries are never freed, so that a stale handle can always be looked at. */
struct handle_table {
    uint32_t kind;                 /* 1 to 15: handles of one kind are foreign to tables of another */
    void (*destroy)(void *object); /* called once for each object, by whoever drops its last reference */
    struct handle_entry *chunks[HANDLE_CHUNKS];
    uint64_t free_list; /* number of pushes in the upper half, against ABA; index + 1 of the top */
    uint32_t used;      /* entries ever handed out */
};

/* Enters OBJECT. False without memory, or with 4 million handles open; the object is the caller's then. */
bool handle_table_add(struct handle_table *table, void *object, struct handle *handle);

/* Whether HANDLE is open now. It may not be a moment later. */
bool handle_table_holds(struct handle_table *table, struct handle handle);

/* The object with a reference that handle_table_release gives back, or NULL for a stale, foreign or zero handle. */
void *handle_table_take(struct handle_table *table, struct handle handle);
void handle_table_release(struct handle_table *table, struct handle handle);

/* Closes HANDLE; its object goes with the last reference. False for a stale, foreign or zero handle. */
bool handle_table_close(struct handle_table *table, struct handle handle);

#endif
