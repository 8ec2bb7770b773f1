/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes to a message on its way, as an input of bytes describes them: how, where (two bytes), how much, and bytes.
 */
#ifndef COUNTERSIGN_TESTS_FUZZ_CHANGES_H
#define COUNTERSIGN_TESTS_FUZZ_CHANGES_H

#include "fuzz.h"

/*
 * Makes at most MOST changes to MESSAGE, until INPUT ends. Whether the message is now another one.
 */
bool fuzz_change(struct cs_writer *message, struct cs_reader *input, unsigned most);

#endif
