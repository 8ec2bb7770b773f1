/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sessions of every kind, and packing them, for the tests of export and import.
 */
#ifndef COUNTERSIGN_TESTS_EXPORT_UNIT_H
#define COUNTERSIGN_TESTS_EXPORT_UNIT_H

#include "export.h"
#include "kerberos_pair.h"
#include "kerberos_talk.h"
#include "sealed.h"

static const uint32_t kerberos_grants[] = {KERBEROS_ORDERED, ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT,
                                           ISC_REQ_CONFIDENTIALITY, KERBEROS_ORDERED | ISC_REQ_USE_DCE_STYLE};

/* One way in which a session can be: NTLM with FLAGS, or, with an encryption type, Kerberos with GRANTED. */
struct kind {
    int32_t etype;
    uint32_t flags;
};

static inline struct sessions open_kind(const struct kind *kind)
{
    return kind->etype ? kerberos_sessions(kind->etype, kind->flags) : sessions_with(kind->flags);
}

static inline void close_kind(struct sessions *sessions)
{
    cs_session_release(sessions->client);
    cs_session_release(sessions->server);
}

static inline void for_each_kind(void (*test)(const struct kind *kind))
{
    for (size_t i = 0; i < flavour_count; i++) test(&(struct kind){0, flavours[i].flags});
    for (size_t i = 0; i < COUNT(kerberos_etypes); i++)
        for (size_t j = 0; j < COUNT(kerberos_grants); j++)
            test(&(struct kind){kerberos_etypes[i], kerberos_grants[j]});
}

static inline SECURITY_STATUS try_export(struct cs_session *session, const char *package, uint32_t flags,
                                         struct bytes *packed)
{
    struct cs_writer written = {0};
    size_t needed = 0;
    SECURITY_STATUS status = cs_export_session(session, package, flags, sizeof packed->data, &written, &needed);
    packed->size = written.size;
    assert_int_equal(written.size, status ? 0 : needed);
    if (written.size) memcpy(packed->data, written.data, written.size);
    cs_writer_drop(&written);
    return status;
}

static inline struct bytes export_with(struct cs_session *session, uint32_t flags)
{
    struct bytes packed;
    assert_int_equal(try_export(session, session->package, flags, &packed), SEC_E_OK);
    return packed;
}

static inline SECURITY_STATUS try_import(const char *package, const struct bytes *packed)
{
    struct cs_session *session;
    SECURITY_STATUS status = cs_import_session(package, span_over(packed), &session);
    assert_int_equal(session == NULL, status != SEC_E_OK);
    cs_session_release(session);
    return status;
}

static inline struct cs_session *import_as(const char *package, const struct bytes *packed)
{
    struct cs_session *session;
    assert_int_equal(cs_import_session(package, span_over(packed), &session), SEC_E_OK);
    return session;
}

/* SESSION as it comes out of its export. */
static inline struct cs_session *twin_of(struct cs_session *session, uint32_t flags)
{
    const struct bytes packed = export_with(session, flags);
    return import_as(session->package, &packed);
}

/* Puts in SESSION's place what comes out of its export. */
static inline void travel(struct cs_session **session)
{
    struct cs_session *twin = twin_of(*session, 0);
    cs_session_release(*session);
    *session = twin;
}

static inline void expect_talk(const struct sessions *sessions)
{
    expect_passes(sessions->client, sessions->server);
    expect_passes(sessions->server, sessions->client);
}

/* What is in PACKED, in clear; and CONTENT sealed again, as the test has edited it. */
static inline struct bytes content_of(const struct bytes *packed)
{
    struct bytes content = {.size = 0};
    struct cs_writer opened = {0};
    struct cs_span plain;
    assert_int_equal(cs_sealed_open(span_over(packed), &opened, &plain), SEC_E_OK);
    memcpy(content.data, plain.data, content.size = plain.size);
    cs_writer_drop(&opened);
    return content;
}

static inline struct bytes sealed_again(struct cs_span content)
{
    struct bytes packed = {.size = 0};
    struct cs_writer sealed = {0};
    cs_sealed_begin(&sealed);
    cs_write_span(&sealed, content);
    assert_int_equal(cs_sealed_end(&sealed), SEC_E_OK);
    assert_true(sealed.size <= sizeof packed.data);
    memcpy(packed.data, sealed.data, packed.size = sealed.size);
    cs_writer_drop(&sealed);
    return packed;
}

/* Puts UTF8 in the place of an owned text of a session. */
static inline void give_text(struct cs_span *text, const char *utf8)
{
    const struct bytes bytes = utf16(utf8);
    cs_span_drop(text);
    assert_true(cs_span_copy(text, span_over(&bytes)));
}

#endif
