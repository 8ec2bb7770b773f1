/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The trace: whether there is one, the tokens below a line, and how lines are written. The bridge writes them if it is
 * loaded and has its Unix half, at once and to a file's end; Windows's functions do before that, and without it.
 */
#include "trace.h"

#include "bridge.h"
#include "bridge_call.h"
#include "trace_line.h"

#include <string.h>

enum { REPORT_ROOM = 64 * 1024, DESCRIPTION_ROOM = 32 * 1024, COMPLAINT_ROOM = 1536, MAX_SHOWN_PATH = 128 };

/* Set once under the INIT_ONCE, then only read; but for COMPLAINED. */
static struct {
    INIT_ONCE once;
    const WCHAR *path; /* as it was given; NULL: standard error */
    char *unix_path;   /* UTF-8; NULL with a path: the file cannot be written */
    volatile LONG complained;
} settings = {.once = INIT_ONCE_STATIC_INIT};

volatile LONG trace_level = -1;

/* Settings */

static void *allocate(size_t size)
{
    return HeapAlloc(GetProcessHeap(), 0, size);
}

/* NULL for one that is not set. */
static WCHAR *read_variable(const WCHAR *name)
{
    const DWORD size = GetEnvironmentVariableW(name, NULL, 0);
    WCHAR *value = size ? allocate(size * sizeof(WCHAR)) : NULL;
    if (value && GetEnvironmentVariableW(name, value, size) >= size) value[0] = 0; /* another thread has changed it */
    return value;
}

static char *utf8_of(const WCHAR *string)
{
    const int size = WideCharToMultiByte(CP_UTF8, 0, string, -1, NULL, 0, NULL, NULL);
    char *utf8 = allocate((size_t)size);
    if (utf8) WideCharToMultiByte(CP_UTF8, 0, string, -1, utf8, size, NULL, NULL);
    return utf8;
}

static char *unix_path(const WCHAR *path)
{
    typedef char *(__cdecl * name_getter)(const WCHAR *path);
    name_getter wine_name =
        (name_getter)(void *)GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "wine_get_unix_file_name");
    if (path[0] == '/') return utf8_of(path);
    return wine_name ? wine_name(path) : NULL;
}

/* The level that VALUE names, and *path behind it, empty for none. */
static LONG parse(const WCHAR *value, const WCHAR **path)
{
    const BOOL has_level = value[0] >= '0' && value[0] <= '2' && (!value[1] || value[1] == ':');
    *path = value;
    if (!value[0]) return 0;
    if (!has_level) return 1;
    *path = value[1] ? value + 2 : value + 1;
    return value[0] - '0';
}

static BOOL CALLBACK read_settings(INIT_ONCE *once, void *parameter, void **context)
{
    WCHAR *value = read_variable(L"COUNTERSIGN_TRACE");
    const WCHAR *path;
    const LONG level = value ? parse(value, &path) : 0;
    (void)once;
    (void)parameter;
    (void)context;
    if (level && *path) {
        settings.path = path;
        settings.unix_path = unix_path(path);
    } else {
        HeapFree(GetProcessHeap(), 0, value);
    }
    InterlockedExchange(&trace_level, level);
    return TRUE;
}

static INT64 now(void)
{
    LARGE_INTEGER counter;
    QueryPerformanceCounter(&counter);
    return counter.QuadPart;
}

/* MAXLONG's worth of ticks is 214 s with Wine's frequency of 10 MHz; calls that took longer are shown with that. */
static ULONG microseconds_since(INT64 start)
{
    LARGE_INTEGER frequency;
    const INT64 ticks = now() - start;
    QueryPerformanceFrequency(&frequency);
    return (ULONG)MulDiv((int)min(ticks, MAXLONG), 1000000, (int)frequency.QuadPart);
}

INT64 trace_begin(void)
{
    const DWORD error = GetLastError();
    InitOnceExecuteOnce(&settings.once, read_settings, NULL, NULL);
    SetLastError(error);
    return trace_level ? now() : 0;
}

/* Writing */

static struct cs_bytes bytes_at(const void *address, size_t size)
{
    return (struct cs_bytes){(ULONG_PTR)address, (uint32_t)size, 0};
}

/* CreateFile knows a Unix path by Wine's prefix for them. */
static HANDLE open_by_windows(void)
{
    const WCHAR *prefix = settings.path[0] == '/' ? L"\\\\?\\unix" : L"";
    WCHAR *path = allocate((wcslen(prefix) + wcslen(settings.path) + 1) * sizeof(WCHAR));
    if (!path) return INVALID_HANDLE_VALUE;
    HANDLE file = CreateFileW(wcscat(wcscpy(path, prefix), settings.path), FILE_APPEND_DATA,
                              FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    HeapFree(GetProcessHeap(), 0, path);
    return file;
}

static BOOL write_by_windows(BOOL to_file, const struct trace_text *text)
{
    DWORD written = 0;
    HANDLE file = to_file ? open_by_windows() : GetStdHandle(STD_ERROR_HANDLE);
    if (file == INVALID_HANDLE_VALUE) return FALSE;
    WriteFile(file, text->bytes, (DWORD)text->size, &written, NULL);
    if (to_file) CloseHandle(file);
    return written == text->size;
}

static BOOL write_text(BOOL to_file, const struct trace_text *text)
{
    struct cs_block_trace block = {.text = bytes_at(text->bytes, text->size)};
    if (to_file) block.path = bytes_at(settings.unix_path, strlen(settings.unix_path));
    const NTSTATUS status = call_bridge(CS_CALL_TRACE, &block);
    return status == SEC_E_SECPKG_NOT_FOUND ? write_by_windows(to_file, text) : status == SEC_E_OK;
}

static void complain(void)
{
    char room[COMPLAINT_ROOM];
    struct trace_text text = {.bytes = room, .room = sizeof room};
    if (InterlockedExchange(&settings.complained, 1)) return;
    trace_add(&text, "countersign: COUNTERSIGN_TRACE: cannot write to ");
    trace_add_quoted(&text, settings.path, MAX_SHOWN_PATH);
    trace_add(&text, "\n");
    write_text(FALSE, &text);
}

static void write_report(const struct trace_text *text)
{
    if (!settings.path)
        write_text(FALSE, text);
    else if (!settings.unix_path || !write_text(TRUE, text))
        complain();
}

/* Tokens */

/* Appends what the Unix half says of a token, each line behind LABEL. It shows no secret (describe.h). */
static void add_token(struct trace_text *text, const char *label, const SecBuffer *token, char *description)
{
    struct cs_block_text block = {.in = bytes_at(token->pvBuffer, token->cbBuffer),
                                  .out = bytes_at(description, DESCRIPTION_ROOM)};
    if (call_bridge(CS_CALL_DESCRIBE_TOKEN, &block)) return;
    const char *line = description, *end = description + min(block.needed, DESCRIPTION_ROOM), *next;
    for (; (next = memchr(line, '\n', (size_t)(end - line))); line = next + 1) {
        trace_add(text, "  %-3s ", label);
        trace_add_bytes(text, line, (size_t)(next + 1 - line));
    }
    if (block.needed > DESCRIPTION_ROOM) trace_add(text, "  %-3s ...\n", label);
}

static void add_tokens(struct trace_text *text, const char *label, const SecBufferDesc *buffers, char *description)
{
    for (ULONG i = 0; buffers && i < buffers->cBuffers; i++) {
        const SecBuffer *buffer = &buffers->pBuffers[i];
        const BOOL is_token = (buffer->BufferType & ~SECBUFFER_ATTRMASK) == SECBUFFER_TOKEN;
        if (is_token && buffer->pvBuffer && buffer->cbBuffer) add_token(text, label, buffer, description);
    }
}

/* FALSE: without memory, nothing was written. */
static BOOL write_with_tokens(const struct trace_text *line, const struct trace_record *record, SECURITY_STATUS status)
{
    char *memory = allocate(REPORT_ROOM + DESCRIPTION_ROOM), *description = memory + REPORT_ROOM;
    struct trace_text report = {.bytes = memory, .room = REPORT_ROOM};
    if (!memory) return FALSE;
    trace_add_bytes(&report, line->bytes, line->size);
    add_tokens(&report, "in", record->input, description);
    if (status >= 0) add_tokens(&report, "out", record->output, description);
    while (report.bytes[report.size - 1] != '\n') report.size--;
    write_report(&report);
    HeapFree(GetProcessHeap(), 0, memory);
    return TRUE;
}

static BOOL is_leg(const struct trace_record *record)
{
    return record->input || record->output;
}

void trace_finish(INT64 start, const struct trace_record *record, SECURITY_STATUS status)
{
    char room[TRACE_LINE_ROOM];
    struct trace_text line = {.bytes = room, .room = sizeof room};
    const ULONG microseconds = microseconds_since(start);
    const DWORD error = GetLastError();
    trace_line(&line, record, status, microseconds);
    const BOOL decoded = trace_level > 1 && is_leg(record) && trace_has_buffers(status);
    if (!decoded || !write_with_tokens(&line, record, status)) write_report(&line);
    SetLastError(error);
}
