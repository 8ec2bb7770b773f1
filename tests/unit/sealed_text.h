/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A text, sealed or signed, and what its receiver must make of it: for the tests that attack messages.
 */
#ifndef COUNTERSIGN_TESTS_SEALED_TEXT_H
#define COUNTERSIGN_TESTS_SEALED_TEXT_H

#include "unit.h"

#include <string.h>

static const char text[] = "Attack at dawn; the usual place";

/* A message as its receiver gets it. */
struct sent {
    char data[sizeof text];
    uint8_t token[16];
};

static inline struct sent seal_text(struct cs_session *session)
{
    struct sent sent;
    memcpy(sent.data, text, sizeof text);
    assert_int_equal(seal(session, 0, sent.data, sizeof text, sent.token), SEC_E_OK);
    assert_memory_not_equal(sent.data, text, sizeof text);
    return sent;
}

static inline struct sent sign_text(struct cs_session *session)
{
    struct sent sent;
    memcpy(sent.data, text, sizeof text);
    assert_int_equal(sign(session, sent.data, sizeof text, sent.token), SEC_E_OK);
    return sent;
}

static inline void expect_genuine(struct cs_session *session, const struct sent *sent)
{
    struct sent copy = *sent;
    assert_int_equal(unseal(session, copy.data, sizeof text, copy.token), SEC_E_OK);
    assert_memory_equal(copy.data, text, sizeof text);
}

/* Refused, with every byte as it came. */
static inline void expect_altered(struct cs_session *session, const struct sent *sent)
{
    struct sent copy = *sent;
    assert_int_equal(unseal(session, copy.data, sizeof text, copy.token), SEC_E_MESSAGE_ALTERED);
    assert_memory_equal(&copy, sent, sizeof copy);
}

/* TEST in each flavour, with its NEGOTIATE flags. */
static inline void for_each_flavour(void (*test)(const struct sessions *sessions, uint32_t flags))
{
    for (size_t i = 0; i < flavour_count; i++) {
        struct sessions sessions = sessions_with(flavours[i].flags);
        test(&sessions, flavours[i].flags);
        sessions_end(&sessions);
    }
}

/* RandomPad, bytes 4 to 7 without extended session security, says nothing (MS-NLMP 2.2.2.9.1). */
static inline bool counts(size_t byte, uint32_t flags)
{
    return (flags & NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY) || byte < 4 || byte >= 8;
}

#endif
