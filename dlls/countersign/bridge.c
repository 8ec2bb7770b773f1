/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bridge's PE side: the only place where PE code calls Unix code.
 */
#include "bridge.h"

#include <stdio.h>
#include <sspi.h>

/* Wine's own information class; the Unix half's call table of a module whose .so lies beside it in the DLL path. */
#define MEMORY_WINE_UNIX_FUNCS 1000

typedef UINT64 unixlib_handle;
typedef NTSTATUS(WINAPI *unix_dispatcher)(unixlib_handle handle, unsigned int code, void *args);
typedef NTSTATUS(WINAPI *query_virtual_memory)(HANDLE process, const void *address, ULONG class, void *buffer,
                                               SIZE_T size, SIZE_T *returned);

/* Set once under the INIT_ONCE, then only read. */
static struct {
    INIT_ONCE once;
    HMODULE module;
    unixlib_handle handle;
    unix_dispatcher dispatch;
    BOOL ready;
    volatile LONG exiting;
} bridge = {.once = INIT_ONCE_STATIC_INIT};

static void complain(const char *what)
{
    char path[MAX_PATH] = "countersign.dll", variable[1024] = "";
    GetModuleFileNameA(bridge.module, path, sizeof path);
    GetEnvironmentVariableA("WINEDLLPATH", variable, sizeof variable);
    fprintf(stderr, "countersign: %s: %s; x86_64-unix/countersign.so is looked for in WINEDLLPATH=%s\n", path, what,
            variable);
    fflush(stderr);
}

/* Wine 10 exports the dispatcher as data alone, 8.0 a function too; the data symbol serves both. */
static unix_dispatcher find_dispatcher(HMODULE ntdll)
{
    unix_dispatcher *dispatcher = (unix_dispatcher *)(void *)GetProcAddress(ntdll, "__wine_unix_call_dispatcher");
    if (dispatcher && *dispatcher) return *dispatcher;
    return (unix_dispatcher)(void *)GetProcAddress(ntdll, "__wine_unix_call");
}

static const char *join_halves(void)
{
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    query_virtual_memory query = (query_virtual_memory)(void *)GetProcAddress(ntdll, "NtQueryVirtualMemory");
    struct cs_block_version block = {.version = CS_BLOCKS_VERSION};
    bridge.dispatch = find_dispatcher(ntdll);
    if (!bridge.dispatch) return "this is not Wine, or a Wine without Unix calls";
    if (query(GetCurrentProcess(), bridge.module, MEMORY_WINE_UNIX_FUNCS, &bridge.handle, sizeof bridge.handle, NULL))
        return "has no Unix half";
    if (bridge.dispatch(bridge.handle, CS_CALL_VERSION, &block) || block.version != CS_BLOCKS_VERSION ||
        block.calls != CS_CALL_COUNT)
        return "its Unix half is of another version";
    return NULL;
}

static BOOL CALLBACK join_once(INIT_ONCE *once, void *parameter, void **context)
{
    const char *problem = join_halves();
    (void)once;
    (void)parameter;
    (void)context;
    if (problem) complain(problem);
    bridge.ready = !problem;
    return TRUE;
}

BOOL WINAPI CountersignReady(void)
{
    InitOnceExecuteOnce(&bridge.once, join_once, NULL, NULL);
    return bridge.ready;
}

NTSTATUS WINAPI CountersignCall(ULONG call, void *block)
{
    if (!bridge.ready || bridge.exiting) return SEC_E_SECPKG_NOT_FOUND;
    return bridge.dispatch(bridge.handle, call, block);
}

/* On the way out of the process other threads are gone, perhaps with a lock: nothing crosses any more. */
BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved)
{
    if (reason == DLL_PROCESS_ATTACH) {
        bridge.module = instance;
        DisableThreadLibraryCalls(instance);
    } else if (reason == DLL_PROCESS_DETACH && reserved) {
        bridge.exiting = 1;
    }
    return TRUE;
}
