/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The handle table: stale, foreign and zero handles, and threads that take, close and open at once. Run under
 * ThreadSanitizer.
 *
 * Bug class E1: an object freed under a caller that uses it.
 */
#include "handle_table.h"

#include "unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct thing {
    int destroyed;
};

static void destroy(void *object)
{
    struct thing *thing = object;
    __atomic_add_fetch(&thing->destroyed, 1, __ATOMIC_RELAXED);
}

static int make_table(void **state)
{
    struct handle_table *table = calloc(1, sizeof *table);
    if (!table) return -1;
    table->kind = 3;
    table->destroy = destroy;
    *state = table;
    return 0;
}

static int free_table(void **state)
{
    struct handle_table *table = *state;
    for (size_t i = 0; i < HANDLE_CHUNKS; i++) free(table->chunks[i]);
    free(table);
    return 0;
}

static void one_handle(void **state)
{
    struct handle_table *table = *state;
    struct thing thing = {0};
    struct handle handle = {0, 0};
    assert_true(handle_table_add(table, &thing, &handle));
    assert_int_not_equal(handle.lower, 0);
    assert_int_not_equal(handle.upper, 0);
    assert_true(handle_table_holds(table, handle));
    assert_ptr_equal(handle_table_take(table, handle), &thing);
    handle_table_release(table, handle);
    assert_int_equal(thing.destroyed, 0);
    assert_true(handle_table_close(table, handle));
    assert_int_equal(thing.destroyed, 1);
    assert_false(handle_table_holds(table, handle));
    assert_null(handle_table_take(table, handle));
    assert_false(handle_table_close(table, handle));
    assert_int_equal(thing.destroyed, 1);
}

/* E1: who has a reference keeps the object; nobody gets another. */
static void closed_while_taken(void **state)
{
    struct handle_table *table = *state;
    struct thing thing = {0};
    struct handle handle;
    assert_true(handle_table_add(table, &thing, &handle));
    assert_ptr_equal(handle_table_take(table, handle), &thing);
    assert_ptr_equal(handle_table_take(table, handle), &thing);
    assert_true(handle_table_close(table, handle));
    assert_null(handle_table_take(table, handle));
    assert_false(handle_table_close(table, handle));
    handle_table_release(table, handle);
    assert_int_equal(thing.destroyed, 0);
    handle_table_release(table, handle);
    assert_int_equal(thing.destroyed, 1);
}

/* The entry is used again, the handle is not. */
static void stale(void **state)
{
    struct handle_table *table = *state;
    struct thing first = {0}, second = {0};
    struct handle old, new;
    assert_true(handle_table_add(table, &first, &old));
    assert_true(handle_table_close(table, old));
    assert_true(handle_table_add(table, &second, &new));
    assert_int_equal(old.lower, new.lower);
    assert_int_not_equal(old.upper, new.upper);
    assert_null(handle_table_take(table, old));
    assert_false(handle_table_close(table, old));
    assert_true(handle_table_holds(table, new));
    assert_true(handle_table_close(table, new));
}

/* Zero, -1, the neighbour's, another table's, one bit off. */
static void foreign(void **state)
{
    struct handle_table *table = *state;
    struct thing thing = {0};
    struct handle handle;
    assert_true(handle_table_add(table, &thing, &handle));
    const struct handle bad[] = {{0, 0},
                                 {UINTPTR_MAX, UINTPTR_MAX},
                                 {handle.lower, 0},
                                 {0, handle.upper},
                                 {handle.lower + 1, handle.upper},
                                 {UINT32_MAX, handle.upper},
                                 {(uintptr_t)HANDLE_CHUNKS * HANDLE_CHUNK_SIZE, handle.upper},
                                 {(uintptr_t)HANDLE_CHUNKS * HANDLE_CHUNK_SIZE + 1, handle.upper},
                                 {(uintptr_t)&thing, (uintptr_t)&thing}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(handle_table_holds(table, bad[i]));
        assert_null(handle_table_take(table, bad[i]));
        assert_false(handle_table_close(table, bad[i]));
    }
    for (unsigned bit = 0; bit < 8 * sizeof(uintptr_t); bit++) {
        const struct handle lower = {handle.lower ^ (uintptr_t)1 << bit, handle.upper};
        const struct handle upper = {handle.lower, handle.upper ^ (uintptr_t)1 << bit};
        assert_null(handle_table_take(table, lower));
        assert_null(handle_table_take(table, upper));
    }
    assert_true(handle_table_close(table, handle));
    assert_int_equal(thing.destroyed, 1);
}

static void another_kind(void **state)
{
    struct handle_table *table = *state, *other;
    struct thing thing = {0};
    struct handle handle;
    void *made = NULL;
    assert_int_equal(make_table(&made), 0);
    other = made;
    other->kind = 4;
    assert_true(handle_table_add(other, &thing, &handle));
    assert_null(handle_table_take(table, handle));
    assert_false(handle_table_close(table, handle));
    assert_true(handle_table_close(other, handle));
    free_table(&made);
}

static void many(void **state)
{
    enum { COUNT = 5000 };
    struct handle_table *table = *state;
    struct thing *things = calloc(COUNT, sizeof *things);
    struct handle *handles = calloc(COUNT, sizeof *handles);
    assert_true(things && handles);
    for (int i = 0; i < COUNT; i++) assert_true(handle_table_add(table, &things[i], &handles[i]));
    for (int i = 0; i < COUNT; i += 2) assert_true(handle_table_close(table, handles[i]));
    for (int i = 0; i < COUNT; i++) {
        struct thing *thing = handle_table_take(table, handles[i]);
        assert_ptr_equal(thing, i % 2 ? &things[i] : NULL);
        if (thing) handle_table_release(table, handles[i]);
    }
    const uint32_t used = table->used;
    for (int i = 0; i < COUNT; i += 2) assert_true(handle_table_add(table, &things[i], &handles[i]));
    assert_int_equal(table->used, used); /* closed entries are used again */
    for (int i = 0; i < COUNT; i++) assert_true(handle_table_close(table, handles[i]));
    for (int i = 0; i < COUNT; i++) assert_int_equal(things[i].destroyed, i % 2 ? 1 : 2);
    free(things);
    free(handles);
}

/* Threads race for the handles in SLOTS: each opens, takes and closes whatever stands there. */
enum { SLOTS = 16, ROUNDS = 5000, THREADS = 4 };

struct slot {
    uint64_t lower, upper; /* read and written one by one: half of one handle and half of another is foreign */
};

struct race {
    struct handle_table *table;
    struct slot slots[SLOTS];
    int opened, closed, destroyed_while_taken, not_opened;
};

struct counted {
    struct race *race;
    int users;
};

static void destroy_counted(void *object)
{
    struct counted *counted = object;
    if (__atomic_load_n(&counted->users, __ATOMIC_ACQUIRE))
        __atomic_add_fetch(&counted->race->destroyed_while_taken, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&counted->race->closed, 1, __ATOMIC_RELAXED);
    free(counted);
}

static struct handle handle_in(const struct slot *slot)
{
    return (struct handle){(uintptr_t)__atomic_load_n(&slot->lower, __ATOMIC_RELAXED),
                           (uintptr_t)__atomic_load_n(&slot->upper, __ATOMIC_RELAXED)};
}

static void open_in(struct race *race, struct slot *slot)
{
    struct counted *counted = calloc(1, sizeof *counted);
    struct handle handle;
    if (counted) counted->race = race;
    if (!counted || !handle_table_add(race->table, counted, &handle)) {
        __atomic_add_fetch(&race->not_opened, 1, __ATOMIC_RELAXED);
        free(counted);
        return;
    }
    __atomic_add_fetch(&race->opened, 1, __ATOMIC_RELAXED);
    /* Whoever stood there before is closed, so that in the end everything is. */
    const struct handle before = handle_in(slot);
    __atomic_store_n(&slot->lower, handle.lower, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->upper, handle.upper, __ATOMIC_RELAXED);
    handle_table_close(race->table, before);
}

static void use(struct race *race, const struct slot *slot)
{
    const struct handle handle = handle_in(slot);
    struct counted *counted = handle_table_take(race->table, handle);
    if (!counted) return;
    __atomic_add_fetch(&counted->users, 1, __ATOMIC_ACQ_REL);
    handle_table_close(race->table, handle); /* as often as not somebody else was first */
    __atomic_sub_fetch(&counted->users, 1, __ATOMIC_ACQ_REL);
    handle_table_release(race->table, handle);
}

static void *run_race(void *data)
{
    struct race *race = data;
    for (unsigned i = 0; i < ROUNDS; i++) {
        open_in(race, &race->slots[i * 7 % SLOTS]);
        use(race, &race->slots[i * 5 % SLOTS]);
        use(race, &race->slots[i * 3 % SLOTS]);
    }
    return NULL;
}

/* Closes what the race has lost track of, by going through all entries that there are and their generations. */
static void close_the_rest(struct race *race)
{
    for (uintptr_t lower = 1; lower <= race->table->used; lower++)
        for (uintptr_t generation = 0; generation < (uintptr_t)THREADS * ROUNDS * 2; generation++) {
            const struct handle handle = {lower, (uintptr_t)race->table->kind << 28 | generation};
            if (handle_table_holds(race->table, handle)) handle_table_close(race->table, handle);
        }
}

/* E1 */
static void threads(void **state)
{
    struct handle_table *table = *state;
    struct race race = {.table = table};
    pthread_t running[THREADS];
    table->destroy = destroy_counted;
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&running[i], NULL, run_race, &race), 0);
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_join(running[i], NULL), 0);
    close_the_rest(&race);
    assert_int_equal(race.not_opened, 0);
    assert_int_equal(race.destroyed_while_taken, 0);
    assert_int_equal(race.opened, THREADS * ROUNDS);
    assert_int_equal(race.closed, race.opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_handle, make_table, free_table),
        cmocka_unit_test_setup_teardown(closed_while_taken, make_table, free_table),
        cmocka_unit_test_setup_teardown(stale, make_table, free_table),
        cmocka_unit_test_setup_teardown(foreign, make_table, free_table),
        cmocka_unit_test_setup_teardown(another_kind, make_table, free_table),
        cmocka_unit_test_setup_teardown(many, make_table, free_table),
        cmocka_unit_test_setup_teardown(threads, make_table, free_table),
    };
    return cmocka_run_group_tests_name("handle_table", tests, NULL, NULL);
}
