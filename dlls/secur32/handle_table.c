/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The handle table.
 */
#include "handle_table.h"

#include <stddef.h>
#include <stdlib.h>

/*
 * An entry's state in one word: the generation, whether it is open, and the references, of which an open entry holds
 * one itself. All transitions are compare-and-swap on it.
 */
#define GENERATION_BITS 28
#define GENERATION_MASK ((UINT64_C(1) << GENERATION_BITS) - 1)
#define OPEN (UINT64_C(1) << 31)
#define REFERENCES (OPEN - 1)

struct handle_entry {
    uint64_t state;
    void *object;
    uint32_t next_free; /* index + 1 */
};

static uint64_t generation_of(uint64_t state)
{
    return state >> 32;
}

static struct handle_entry *entry_at(struct handle_table *table, uint32_t index)
{
    struct handle_entry *chunk = __atomic_load_n(&table->chunks[index / HANDLE_CHUNK_SIZE], __ATOMIC_ACQUIRE);
    return chunk ? &chunk[index % HANDLE_CHUNK_SIZE] : NULL;
}

/* The entry that HANDLE could mean, and the generation that it must have. */
static struct handle_entry *find(struct handle_table *table, struct handle handle, uint64_t *generation)
{
    const uint64_t lower = handle.lower, upper = handle.upper;
    if (lower == 0 || lower > (uint64_t)HANDLE_CHUNKS * HANDLE_CHUNK_SIZE) return NULL;
    if (upper >> GENERATION_BITS != table->kind) return NULL;
    *generation = upper & GENERATION_MASK;
    return entry_at(table, (uint32_t)lower - 1);
}

static struct handle_entry *make_chunk(struct handle_table *table, uint32_t index)
{
    struct handle_entry *none = NULL, *chunk = calloc(HANDLE_CHUNK_SIZE, sizeof *chunk);
    if (!chunk) return NULL;
    if (!__atomic_compare_exchange_n(&table->chunks[index / HANDLE_CHUNK_SIZE], &none, chunk, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
        free(chunk);
    return entry_at(table, index);
}

static struct handle_entry *pop_free(struct handle_table *table, uint32_t *index)
{
    uint64_t top = __atomic_load_n(&table->free_list, __ATOMIC_ACQUIRE), below;
    struct handle_entry *entry;
    do {
        if (!(uint32_t)top) return NULL;
        *index = (uint32_t)top - 1;
        entry = entry_at(table, *index);
        below = (top & ~(uint64_t)UINT32_MAX) | __atomic_load_n(&entry->next_free, __ATOMIC_RELAXED);
    } while (!__atomic_compare_exchange_n(&table->free_list, &top, below, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    return entry;
}

static void push_free(struct handle_table *table, struct handle_entry *entry, uint32_t index)
{
    uint64_t top = __atomic_load_n(&table->free_list, __ATOMIC_ACQUIRE), above;
    do {
        __atomic_store_n(&entry->next_free, (uint32_t)top, __ATOMIC_RELAXED);
        above = ((top >> 32) + 1) << 32 | (index + 1);
    } while (!__atomic_compare_exchange_n(&table->free_list, &top, above, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
}

/* The next entry never used. The counter does not pass the end, however often the full table is asked. */
static struct handle_entry *take_new(struct handle_table *table, uint32_t *index)
{
    uint32_t used = __atomic_load_n(&table->used, __ATOMIC_RELAXED);
    do {
        if (used == HANDLE_CHUNKS * HANDLE_CHUNK_SIZE) return NULL;
    } while (!__atomic_compare_exchange_n(&table->used, &used, used + 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    *index = used;
    struct handle_entry *entry = entry_at(table, used);
    return entry ? entry : make_chunk(table, used);
}

bool handle_table_add(struct handle_table *table, void *object, struct handle *handle)
{
    uint32_t index;
    struct handle_entry *entry = pop_free(table, &index);
    if (!entry) entry = take_new(table, &index);
    if (!entry) return false;
    uint64_t generation = (generation_of(__atomic_load_n(&entry->state, __ATOMIC_RELAXED)) + 1) & GENERATION_MASK;
    entry->object = object;
    __atomic_store_n(&entry->state, generation << 32 | OPEN | 1, __ATOMIC_RELEASE);
    handle->lower = (uintptr_t)index + 1;
    handle->upper = (uintptr_t)((uint64_t)table->kind << GENERATION_BITS | generation);
    return true;
}

static bool is_open(uint64_t state, uint64_t generation)
{
    return (state & OPEN) && generation_of(state) == generation;
}

bool handle_table_holds(struct handle_table *table, struct handle handle)
{
    uint64_t generation;
    struct handle_entry *entry = find(table, handle, &generation);
    return entry && is_open(__atomic_load_n(&entry->state, __ATOMIC_ACQUIRE), generation);
}

void *handle_table_take(struct handle_table *table, struct handle handle)
{
    uint64_t generation, state;
    struct handle_entry *entry = find(table, handle, &generation);
    if (!entry) return NULL;
    state = __atomic_load_n(&entry->state, __ATOMIC_ACQUIRE);
    do {
        if (!is_open(state, generation)) return NULL;
    } while (!__atomic_compare_exchange_n(&entry->state, &state, state + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    return entry->object;
}

void handle_table_release(struct handle_table *table, struct handle handle)
{
    uint64_t generation;
    struct handle_entry *entry = find(table, handle, &generation);
    uint64_t state = __atomic_sub_fetch(&entry->state, 1, __ATOMIC_ACQ_REL);
    if (state & (OPEN | REFERENCES)) return;
    table->destroy(entry->object);
    push_free(table, entry, (uint32_t)handle.lower - 1);
}

bool handle_table_close(struct handle_table *table, struct handle handle)
{
    uint64_t generation, state;
    struct handle_entry *entry = find(table, handle, &generation);
    if (!entry) return false;
    state = __atomic_load_n(&entry->state, __ATOMIC_ACQUIRE);
    do {
        if (!is_open(state, generation)) return false;
    } while (
        !__atomic_compare_exchange_n(&entry->state, &state, state & ~OPEN, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    handle_table_release(table, handle);
    return true;
}
