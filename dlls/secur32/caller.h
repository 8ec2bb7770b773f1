/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who calls: the account of the thread's token if it impersonates, else of the process.
 */
#ifndef SECUR32_CALLER_H
#define SECUR32_CALLER_H

#include <windows.h>

#define CALLER_MAX_NAME 256 /* characters, terminator included: UNLEN, DNLEN and room */

struct caller {
    union {
        TOKEN_USER user; /* user.User.Sid points into bytes */
        BYTE bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } sid;
    WCHAR name[CALLER_MAX_NAME];
    WCHAR domain[CALLER_MAX_NAME]; /* the computer's name for a local account */
    LUID logon_id;
};

/*
 * Fills *caller; in a client's name, its name and domain are the client's, whatever account the token has. TRUE, or
 * FALSE with the last error of the token or account function that failed; ERROR_NO_SUCH_LOGON_SESSION: the client is
 * gone.
 */
BOOL caller_look_up(struct caller *caller);

/* The logon session alone, without the names, which take calls to other processes. */
BOOL caller_logon_id(LUID *logon_id);

#endif
