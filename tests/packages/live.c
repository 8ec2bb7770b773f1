/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The list of live handles.
 */
#include "live.h"

/* LIVE_MAX if there is none. The caller holds the lock. */
static ULONG index_of(const struct live *live, ULONG_PTR key)
{
    ULONG i = 0;
    while (i < LIVE_MAX && live->entries[i].key != key) i++;
    return i;
}

BOOL live_add(struct live *live, ULONG_PTR key, void *object)
{
    AcquireSRWLockExclusive(&live->lock);
    const ULONG place = index_of(live, 0);
    const BOOL fits = place < LIVE_MAX && index_of(live, key) == LIVE_MAX;
    if (fits) {
        live->entries[place].key = key;
        live->entries[place].object = object;
        live->made++;
    }
    ReleaseSRWLockExclusive(&live->lock);
    return fits;
}

static void *look_up(struct live *live, ULONG_PTR key, BOOL take)
{
    void *object = NULL;
    AcquireSRWLockExclusive(&live->lock);
    const ULONG place = key ? index_of(live, key) : LIVE_MAX;
    if (place == LIVE_MAX)
        live->foreign++;
    else
        object = live->entries[place].object;
    if (object && take) {
        live->entries[place].key = 0;
        live->freed++;
    }
    ReleaseSRWLockExclusive(&live->lock);
    return object;
}

void *live_find(struct live *live, ULONG_PTR key)
{
    return look_up(live, key, FALSE);
}

void *live_take(struct live *live, ULONG_PTR key)
{
    return look_up(live, key, TRUE);
}
