/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Heimdal 7.8 forgets a request that no KDC answers, what it has read of a ticket in a file that is cut off, and the
 * texts of errors on the way. For programs in which that happens: what the leak checker is not to count. Included once
 * in a program.
 */
#ifndef COUNTERSIGN_TESTS_HEIMDAL_LEAKS_H
#define COUNTERSIGN_TESTS_HEIMDAL_LEAKS_H

const char *__lsan_default_suppressions(void);

/* The checker sees no further than the function that allocates: Heimdal is built without frame pointers. */
const char *__lsan_default_suppressions(void)
{
    return "leak:krb5_data_alloc\nleak:krb5_ret_\nleak:krb5_get_error_message\n";
}

#endif
