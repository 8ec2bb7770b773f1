/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a test package has handed out and not got back: who comes with a handle that is not, or no longer, its own is
 * told so and counted, and does not crash it.
 */
#ifndef LIVE_H
#define LIVE_H

#include <windows.h>

enum { LIVE_MAX = 256 };

/* All zero is an empty list. */
struct live {
    SRWLOCK lock;
    struct {
        ULONG_PTR key; /* 0: free */
        void *object;
    } entries[LIVE_MAX];
    volatile LONG made, freed;
    volatile LONG foreign; /* calls with a handle of nobody's */
};

/* FALSE: the list is full, or KEY is in it. */
BOOL live_add(struct live *live, ULONG_PTR key, void *object);

/* The object of KEY; live_take takes it out of the list as well. NULL, counted as foreign: there is none. */
void *live_find(struct live *live, ULONG_PTR key);
void *live_take(struct live *live, ULONG_PTR key);

#endif
