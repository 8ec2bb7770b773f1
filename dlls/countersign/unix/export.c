/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packed sessions: what every mechanism's have in common.
 */
#include "export.h"

#include "client.h"
#include "sealed.h"
#include "secure.h"
#include "utf16.h"

#include <string.h>

extern const struct cs_portable kerberos_portable, ntlm_portable;

static const struct cs_portable *const portables[] = {&kerberos_portable, &ntlm_portable};

static bool is_name(struct cs_span text, const char *name)
{
    return text.size == strlen(name) && !memcmp(text.data, name, text.size);
}

static const struct cs_portable *find_portable(struct cs_span package)
{
    for (size_t i = 0; i < sizeof portables / sizeof *portables; i++)
        if (is_name(package, portables[i]->package)) return portables[i];
    return NULL;
}

/* A session's package is its own, or the one that has chosen it. */
static bool may_be_of(const char *package, const struct cs_portable *portable)
{
    return !strcmp(package, portable->package) || !strcmp(package, "Negotiate");
}

static void write_name(struct cs_writer *packed, const char *name)
{
    cs_write_u8(packed, (uint8_t)strlen(name));
    cs_write_span(packed, cs_span_of(name));
}

static void write_text(struct cs_writer *packed, struct cs_span text)
{
    cs_write_u32(packed, (uint32_t)text.size);
    cs_write_span(packed, text);
}

static void pack_head(const struct cs_session *session, const char *package, struct cs_writer *packed)
{
    write_name(packed, package);
    write_name(packed, session->package);
    cs_write_u8(packed, session->initiator);
    cs_write_u32(packed, session->flags);
    cs_write_u64(packed, (uint64_t)session->start);
    cs_write_u64(packed, (uint64_t)session->expiry);
    cs_write_u8(packed, (uint8_t)session->session_key_size);
    cs_write_span(packed, (struct cs_span){session->session_key, session->session_key_size});
    write_text(packed, session->names);
    write_text(packed, session->target);
    write_text(packed, session->native_client);
    write_text(packed, session->native_server);
}

static SECURITY_STATUS check_flags(uint32_t flags)
{
    if (flags & ~(uint32_t)(CS_EXPORT_RESET_NEW | CS_EXPORT_DELETE_OLD | CS_EXPORT_TO_KERNEL))
        return SEC_E_INVALID_PARAMETER;
    return flags & CS_EXPORT_TO_KERNEL ? SEC_E_UNSUPPORTED_FUNCTION : SEC_E_OK;
}

/* Under the locks of both directions. The session is retired last, once nothing can go wrong any more. */
static SECURITY_STATUS export_held(const struct cs_portable *portable, struct cs_session *session, const char *package,
                                   uint32_t flags, struct cs_span client, struct cs_writer *packed)
{
    cs_sealed_begin(packed);
    pack_head(session, package, packed);
    cs_write_span(packed, client);
    portable->pack(session, flags & CS_EXPORT_RESET_NEW, packed);
    return cs_sealed_end(packed);
}

SECURITY_STATUS cs_export_session(struct cs_session *session, const char *package, uint32_t flags, size_t room,
                                  struct cs_writer *packed, size_t *needed)
{
    const struct cs_portable *portable = find_portable(cs_span_of(session->package));
    SECURITY_STATUS status = check_flags(flags);
    if (status) return status;
    if (!portable || !may_be_of(package, portable)) return SEC_E_UNSUPPORTED_FUNCTION;
    struct cs_writer client = {0};
    const SECURITY_STATUS client_status = cs_client_pack(session, &client);
    status = portable->hold(session);
    if (status && cs_session_retired(session)) status = SEC_E_INVALID_HANDLE;
    if (status == SEC_E_OK) status = client.failed ? SEC_E_INSUFFICIENT_MEMORY : client_status;
    if (status == SEC_E_OK) status = export_held(portable, session, package, flags, cs_written(&client), packed);
    *needed = packed->size;
    if (status == SEC_E_OK && packed->size > room) status = SEC_E_BUFFER_TOO_SMALL;
    if (status == SEC_E_OK && flags & CS_EXPORT_DELETE_OLD) portable->retire(session);
    portable->let_go(session);
    cs_writer_drop(&client);
    if (status) cs_writer_drop(packed);
    return status;
}

/* Text that is owned by whom it was read from. A size that is odd is nothing that was written here. */
static struct cs_span read_text(struct cs_reader *packed)
{
    struct cs_span text = cs_read_span(packed, cs_read_u32(packed));
    if (text.size % 2) packed->failed = true;
    return text;
}

static void read_key(struct cs_session *head, struct cs_reader *packed)
{
    struct cs_span key = cs_read_span(packed, cs_read_u8(packed));
    if (key.size > sizeof head->session_key) packed->failed = true;
    if (packed->failed) return;
    if (key.size) memcpy(head->session_key, key.data, key.size);
    head->session_key_size = (uint32_t)key.size;
}

static const struct cs_portable *unpack_head(const char *package, struct cs_reader *packed, struct cs_session *head)
{
    const struct cs_span exported_as = cs_read_span(packed, cs_read_u8(packed));
    const struct cs_span mechanism = cs_read_span(packed, cs_read_u8(packed));
    const uint8_t initiator = cs_read_u8(packed);
    *head = (struct cs_session){.initiator = initiator, .flags = cs_read_u32(packed)};
    head->start = (int64_t)cs_read_u64(packed);
    head->expiry = (int64_t)cs_read_u64(packed);
    read_key(head, packed);
    head->names = read_text(packed);
    head->target = read_text(packed);
    head->native_client = read_text(packed);
    head->native_server = read_text(packed);
    if (packed->failed || initiator > 1 || !is_name(exported_as, package)) return NULL;
    const struct cs_portable *portable = find_portable(mechanism);
    if (!portable || !may_be_of(package, portable)) return NULL;
    head->package = portable->package;
    return portable;
}

/* What no mechanism sets. */
static bool complete(struct cs_session *session, const struct cs_session *head)
{
    session->start = head->start;
    return cs_span_copy(&session->native_client, head->native_client) &&
           cs_span_copy(&session->native_server, head->native_server);
}

static SECURITY_STATUS unpack(const char *package, struct cs_span content, struct cs_session **session)
{
    struct cs_reader packed = cs_reader_of(content);
    struct cs_session head;
    struct cs_client *client = NULL;
    const struct cs_portable *portable = unpack_head(package, &packed, &head);
    SECURITY_STATUS status = portable ? cs_client_unpack(&head, &packed, &client) : SEC_E_INVALID_TOKEN;
    if (status == SEC_E_OK) status = portable->unpack(&head, &packed, session);
    if (status == SEC_E_OK && packed.remaining) status = SEC_E_INVALID_TOKEN;
    if (status == SEC_E_OK && !complete(*session, &head)) status = SEC_E_INSUFFICIENT_MEMORY;
    cs_wipe(head.session_key, sizeof head.session_key);
    if (status == SEC_E_OK && client) status = cs_client_adopt(*session, client);
    if (status == SEC_E_OK) return SEC_E_OK;
    cs_client_discard(client);
    cs_session_release(*session);
    *session = NULL;
    return status;
}

SECURITY_STATUS cs_import_session(const char *package, struct cs_span packed, struct cs_session **session)
{
    struct cs_writer opened = {0};
    struct cs_span content;
    *session = NULL;
    SECURITY_STATUS status = cs_sealed_open(packed, &opened, &content);
    if (status == SEC_E_OK) status = unpack(package, content, session);
    cs_writer_drop(&opened);
    return status;
}
