/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of rules.c that are about tokens.
 */
#ifndef TIERS_RULES_H
#define TIERS_RULES_H

/* GetTokenInformation. */
void tokens(void);

/* The identity goes where the token goes. */
void travelling(void);

/* Nothing stays behind, and what is gone is nobody. */
void leaving(void);

/* The task of a process that has a client's token from its start; the exit code, 0 if it is nobody. */
int be_nobody(void);

#endif
