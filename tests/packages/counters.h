/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a test package lets the test see of itself.
 */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <windows.h>

struct counters {
    LONG credentials_made, credentials_freed;
    LONG contexts_made, contexts_freed;
    LONG user_contexts_made, user_contexts_freed; /* of the user-mode half; 0 in an SSP */
    LONG foreign;                                 /* calls with a handle that was none of the package's */
    LONG initialized, instances, shut_downs;
    LONG lsa_queries, user_queries; /* which half was asked for a context's attributes */
    LONG control_tokens;
    ULONG_PTR package_id;
    LONG missing;           /* slots of the host's table that are NULL */
    const char *host_fault; /* the first of what the host lends that does not do what it should; NULL: all does */
};

/* The DLLs' export of this name. */
#define COUNTERS_EXPORT "TestCounters"
typedef void count_function(struct counters *out);

#endif
