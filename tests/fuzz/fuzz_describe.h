/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The first byte of the target describe's input: a token, described without keys or with them, or the encoding of what
 * an AP-REQ of ours has encrypted.
 */
#ifndef COUNTERSIGN_TESTS_FUZZ_DESCRIBE_H
#define COUNTERSIGN_TESTS_FUZZ_DESCRIBE_H

enum fuzz_describe { FUZZ_CLOSED, FUZZ_OPENED, FUZZ_TICKET, FUZZ_AUTHENTICATOR };

#endif
