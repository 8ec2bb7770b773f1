/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A Windows program that tells whose secur32.dll it has, starts another, and ends with a given exit code.
 *
 *     probe                  "secur32: ours" or "secur32: Wine's", and the number of packages that it lists
 *     probe exit CODE
 *     probe start PROGRAM    PROGRAM, with an environment of its own that has nothing of Wine in it; its exit code
 */
#include <windows.h>
#include <wincred.h>
#include <security.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Wine's secur32 does not export this one. */
static const char only_ours[] = "OpenLsaPerformanceData";

/* The first question to a prefix's credential manager has Wine make its key; here, so that no test is the first. */
static void ask_credential_manager(void)
{
    CREDENTIALA *credential;
    if (CredReadA("probe", CRED_TYPE_GENERIC, 0, &credential)) CredFree(credential);
}

static int tell(void)
{
    const BOOL ours = GetProcAddress(GetModuleHandleA("secur32.dll"), only_ours) != NULL;
    SecPkgInfoA *packages = NULL;
    ULONG count = 0;
    SECURITY_STATUS status = EnumerateSecurityPackagesA(&count, &packages);
    printf("secur32: %s, %d bits, packages:", ours ? "ours" : "Wine's", (int)sizeof(void *) * 8);
    for (ULONG i = 0; !status && i < count; i++) printf(" %s", packages[i].Name);
    putchar('\n');
    if (packages) FreeContextBuffer(packages);
    ask_credential_manager();
    return status ? 1 : 0;
}

static int start(char *program)
{
    static char environment[] = "SystemRoot=C:\\windows\0PATH=C:\\windows\\system32\0";
    STARTUPINFOA info = {.cb = sizeof info};
    PROCESS_INFORMATION process;
    DWORD code = 1;
    if (!CreateProcessA(NULL, program, NULL, NULL, TRUE, 0, environment, NULL, &info, &process)) {
        fprintf(stderr, "probe: cannot start %s: %lu\n", program, GetLastError());
        return 1;
    }
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    return (int)code;
}

int main(int argc, char **argv)
{
    if (argc == 1) return tell();
    if (argc == 3 && !strcmp(argv[1], "exit")) return atoi(argv[2]);
    if (argc == 3 && !strcmp(argv[1], "start")) return start(argv[2]);
    fprintf(stderr, "usage: probe [exit CODE | start PROGRAM]\n");
    return 2;
}
