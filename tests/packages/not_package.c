/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * not_package.dll: a DLL that is no security package.
 */
#include <windows.h>

__declspec(dllexport) int answer(void);

int answer(void)
{
    return 42;
}
