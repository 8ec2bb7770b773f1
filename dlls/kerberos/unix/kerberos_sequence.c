/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order of messages.
 */
#include "kerberos_sequence.h"

#include "secure.h"
#include "sspi_values.h"

enum { WINDOW = 64 };

bool kerberos_sequence_init(struct kerberos_sequence *sequence, uint64_t first, uint32_t granted, unsigned bits)
{
    const uint64_t mask = bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;
    sequence->mask = mask;
    sequence->next = first & mask;
    sequence->seen = UINT64_MAX; /* nothing before the first was ever sent */
    sequence->ordered = (granted & ISC_REQ_SEQUENCE_DETECT) != 0;
    sequence->unique = (granted & ISC_REQ_REPLAY_DETECT) != 0;
    sequence->broken = false;
    sequence->at_work = 0;
    kerberos_sequence_settle(sequence);
    return cs_lock_init(&sequence->lock);
}

bool kerberos_sequence_enter(struct kerberos_sequence *sequence)
{
    if (!cs_lock(&sequence->lock)) sequence->broken = true;
    return !sequence->broken;
}

void kerberos_sequence_leave(struct kerberos_sequence *sequence)
{
    cs_unlock(&sequence->lock);
}

uint64_t kerberos_sequence_send(struct kerberos_sequence *sequence)
{
    const uint64_t number = sequence->next;
    sequence->next = (number + 1) & sequence->mask;
    __atomic_add_fetch(&sequence->at_work, 1, __ATOMIC_SEQ_CST);
    return number;
}

void kerberos_sequence_settle(struct kerberos_sequence *sequence)
{
    sequence->first = sequence->next;
}

/* Numbers up to half the range ahead are later ones, across the wrap too. */
static bool receive_unique(struct kerberos_sequence *sequence, uint64_t number)
{
    const uint64_t ahead = (number - sequence->next) & sequence->mask;
    const uint64_t behind = (sequence->next - 1 - number) & sequence->mask;
    if (ahead <= sequence->mask / 2) {
        sequence->seen = ahead + 1 < WINDOW ? sequence->seen << (ahead + 1) | 1 : 1;
        sequence->next = (number + 1) & sequence->mask;
        return true;
    }
    if (behind >= WINDOW || sequence->seen >> behind & 1) return false;
    sequence->seen |= UINT64_C(1) << behind;
    return true;
}

bool kerberos_sequence_receive(struct kerberos_sequence *sequence, uint64_t number)
{
    if (!sequence->ordered) return !sequence->unique || receive_unique(sequence, number);
    if (number != sequence->next) return false;
    sequence->next = (number + 1) & sequence->mask;
    return true;
}
