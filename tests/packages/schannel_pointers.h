/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Legs of Schannel's with bad pointers: the caller gets the exception, and nothing is left behind.
 */
#ifndef SCHANNEL_POINTERS_H
#define SCHANNEL_POINTERS_H

void test_pointers(void);

#endif
