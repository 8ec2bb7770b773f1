/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a record to its line.
 */
#include "trace_line.h"

#include "secur32.h"
#include "trace_names.h"

enum { TAIL_ROOM = 128, MAX_PACKAGE = 40, MAX_TARGET = 256, MAX_BUFFERS = 8 };

/* Whose a handle is. Packages are never unloaded. */
struct owner {
    const struct package *package; /* NULL: the handle is none that is open */
    BOOL is_credential;
};

static struct owner find_owner(const SecHandle *given)
{
    struct owner owner = {NULL, FALSE};
    if (!given) return owner;
    const struct handle handle = handle_of(given);
    const struct context *context = handle_table_take(&context_handles, handle);
    if (context) {
        owner.package = context->package;
        handle_table_release(&context_handles, handle);
        return owner;
    }
    const struct credential *credential = handle_table_take(&credential_handles, handle);
    if (credential) {
        owner = (struct owner){credential->package, TRUE};
        handle_table_release(&credential_handles, handle);
    }
    return owner;
}

static void add_stamp(struct trace_text *text)
{
    FILETIME now, milliseconds;
    SYSTEMTIME time;
    GetSystemTimePreciseAsFileTime(&now);
    FileTimeToSystemTime(&now, &time);
    SystemTimeToFileTime(&time, &milliseconds);
    /* A division of 64 bits would want libgcc's DLL on i386. */
    const ULONG microsecond = time.wMilliseconds * 1000ul + (now.dwLowDateTime - milliseconds.dwLowDateTime) / 10;
    trace_add(text, "%04u-%02u-%02uT%02u:%02u:%02u.%06luZ %04lx:%04lx", time.wYear, time.wMonth, time.wDay, time.wHour,
              time.wMinute, time.wSecond, microsecond, GetCurrentProcessId(), GetCurrentThreadId());
}

static void add_package(struct trace_text *text, const struct owner *owner, const WCHAR *named)
{
    const struct package *package = owner->package ? owner->package : packages_find(named);
    trace_add(text, " ");
    if (package)
        trace_add(text, "%ls", package->info.Name);
    else if (named)
        trace_add_quoted(text, named, MAX_PACKAGE);
    else
        trace_add(text, "-");
}

static void add_flags(struct trace_text *text, const char *label, ULONG value, struct trace_flags flags)
{
    const char *separator = "";
    trace_add(text, " %s=", label);
    for (size_t i = 0; i < flags.count; i++) {
        if ((value & flags.names[i].value) != flags.names[i].value) continue;
        trace_add(text, "%s%s", separator, flags.names[i].name);
        value &= ~flags.names[i].value;
        separator = "|";
    }
    if (value)
        trace_add(text, "%s0x%lx", separator, value);
    else if (!*separator)
        trace_add(text, "0");
}

static void add_attribute(struct trace_text *text, ULONG attribute, const struct owner *owner)
{
    const char *name = owner->package ? trace_attribute_name(attribute, owner->is_credential) : NULL;
    if (name)
        trace_add(text, " attribute=%s", name);
    else
        trace_add(text, " attribute=0x%lx", attribute);
}

static void add_buffer(struct trace_text *text, const SecBuffer *buffer)
{
    const char *name = trace_buffer_name(buffer->BufferType & ~SECBUFFER_ATTRMASK);
    if (name)
        trace_add(text, "%s %lu", name, buffer->cbBuffer);
    else
        trace_add(text, "0x%lx %lu", buffer->BufferType & ~SECBUFFER_ATTRMASK, buffer->cbBuffer);
    if (buffer->BufferType & SECBUFFER_READONLY) trace_add(text, " RO");
    if (buffer->BufferType & SECBUFFER_READONLY_WITH_CHECKSUM) trace_add(text, " RO_CHECKSUM");
}

static void add_buffers(struct trace_text *text, const char *label, const SecBufferDesc *buffers)
{
    if (!buffers) return;
    trace_add(text, " %s{", label);
    for (ULONG i = 0; i < buffers->cBuffers && i < MAX_BUFFERS; i++) {
        if (i) trace_add(text, ", ");
        add_buffer(text, &buffers->pBuffers[i]);
    }
    if (buffers->cBuffers > MAX_BUFFERS) trace_add(text, ", and %lu more", buffers->cBuffers - MAX_BUFFERS);
    trace_add(text, "}");
}

static void add_arguments(struct trace_text *text, const struct trace_record *record, const struct owner *owner)
{
    const SecHandle *handle = record->handle;
    if (handle) trace_add(text, " handle=%llx:%llx", (UINT64)handle->dwLower, (UINT64)handle->dwUpper);
    if (record->target) {
        trace_add(text, " target=");
        trace_add_quoted(text, record->target, MAX_TARGET);
    }
    if (record->flags) add_flags(text, "request", record->request, trace_flag_names(record->flags, FALSE));
    if (record->granted) add_flags(text, "granted", record->granted, trace_flag_names(record->flags, TRUE));
    if (record->has_attribute) add_attribute(text, record->attribute, owner);
}

static void add_outcome(struct trace_text *text, SECURITY_STATUS status, ULONG microseconds)
{
    const char *name = trace_status_name(status);
    if (text->cut) {
        text->cut = FALSE;
        trace_add(text, "...");
    }
    if (name)
        trace_add(text, " %s %luus\n", name, microseconds);
    else
        trace_add(text, " 0x%08lx %luus\n", (ULONG)status, microseconds);
}

void trace_line(struct trace_text *text, const struct trace_record *record, SECURITY_STATUS status, ULONG microseconds)
{
    const struct owner owner = find_owner(record->handle);
    text->room -= TAIL_ROOM;
    add_stamp(text);
    trace_add(text, " %s", record->function);
    add_package(text, &owner, record->package);
    add_arguments(text, record, &owner);
    if (trace_has_buffers(status)) {
        add_buffers(text, "in", record->input);
        add_buffers(text, "out", record->output);
        add_buffers(text, "message", record->message);
    }
    text->room += TAIL_ROOM;
    add_outcome(text, status, microseconds);
}
