/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Contexts that are exported and imported, in this process and in another: the conversation goes on where it was.
 */
#include "groups.h"
#include "kerberos_realm.h"
#include "packet.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

#define EXPORTS "errors ExportSecurityContext SEC_E_OK (documented)"
#define EXPORT_HANDLE "errors ExportSecurityContext SEC_E_INVALID_HANDLE (documented)"
#define IMPORTS "errors ImportSecurityContext SEC_E_OK (documented)"
#define BAD_HANDLE "SEC_E_INVALID_HANDLE"
#define FLAGS (ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_REPLAY_DETECT)

/* What is observed of each package, whose name is the first part of the case's. */
#define PACKAGE_CASES(group)                                                                                           \
    {group ".unfinished", EXPORT_HANDLE, BAD_HANDLE " or SEC_E_UNSUPPORTED_FUNCTION", NULL, WINE_SAME},                \
        {group ".export", EXPORTS, "SEC_E_OK, a block", NULL, WINE_DIFFERS},                                           \
        {group ".import", IMPORTS, "SEC_E_OK", NULL, WINE_DIFFERS},                                                    \
        {group ".free", EXPORTS, "SEC_E_OK", NULL, WINE_DIFFERS},                                                      \
        {group ".continues", IMPORTS, "there SEC_E_OK, back SEC_E_OK", NULL, WINE_DIFFERS},                            \
        {group ".twice", IMPORTS, "SEC_E_OK", NULL, WINE_DIFFERS},                                                     \
        {group ".other-process", IMPORTS, "SEC_E_OK", NULL, WINE_DIFFERS},                                             \
        {group ".other-process.answer", IMPORTS, "SEC_E_OK", NULL, WINE_DIFFERS},                                      \
        {group ".reset-new", EXPORTS, "SEC_E_OK, a block", NULL, WINE_DIFFERS},                                        \
        {group ".delete-old", EXPORTS, "SEC_E_OK, a block", NULL, WINE_DIFFERS},                                       \
    {                                                                                                                  \
        group ".delete-old.encrypt", EXPORT_HANDLE, BAD_HANDLE, NULL, WINE_DIFFERS                                     \
    }

static const struct conformance_case cases[] = {
    {"export/zero-handle", EXPORT_HANDLE, BAD_HANDLE, NULL, WINE_SAME},
    {"export/no-package", "errors ImportSecurityContext (any package)", "SEC_E_SECPKG_NOT_FOUND", NULL, WINE_SAME},
    PACKAGE_CASES("export/ntlm"),
    PACKAGE_CASES("export/negotiate"),
};

static const struct conformance_case kerberos_cases[] = {
    PACKAGE_CASES("kerberos-export/kerberos"),
    PACKAGE_CASES("kerberos-export/negotiate"),
};

/* What goes to the other process, in a file that this variable names, and what comes back: of one size everywhere. */
#define POST_VARIABLE "CONFORMANCE_EXPORT"
enum { BLOCK_MAX = 1 << 16, TRAILER_MAX = 128 };

struct sealed {
    ULONG token_size;
    BYTE token[TRAILER_MAX], text[PACKET_TEXT_SIZE];
};

struct post {
    char package[16];
    struct sealed message;
    ULONG block_size;
    BYTE block[BLOCK_MAX];
};

/* One group's cases of one package, in a conversation of CLIENT with SERVER. */
struct subject {
    struct conformance_run *run;
    const char *prefix, *package; /* ImportSecurityContextA's */
    CtxtHandle *client, *server;
};

static const char *case_of(const struct subject *subject, const char *what, char *id)
{
    snprintf(id, OBSERVED_MAX, "%s.%s", subject->prefix, what);
    return id;
}

static SECURITY_STATUS seal(CtxtHandle *context, struct sealed *sealed)
{
    SecPkgContext_Sizes sizes = {0};
    SecBuffer buffers[2] = {{TRAILER_MAX, SECBUFFER_TOKEN, sealed->token},
                            {sizeof(sealed->text), SECBUFFER_DATA, sealed->text}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    SECURITY_STATUS status = QueryContextAttributesA(context, SECPKG_ATTR_SIZES, &sizes);

    memcpy(sealed->text, PACKET_TEXT, sizeof(sealed->text));
    if (!status && sizes.cbSecurityTrailer <= TRAILER_MAX) buffers[0].cbBuffer = sizes.cbSecurityTrailer;
    if (!status) status = EncryptMessage(context, 0, &message, 0);
    sealed->token_size = buffers[0].cbBuffer;
    return status;
}

static SECURITY_STATUS unseal(CtxtHandle *context, struct sealed *sealed)
{
    SecBuffer buffers[2] = {{sealed->token_size, SECBUFFER_TOKEN, sealed->token},
                            {sizeof(sealed->text), SECBUFFER_DATA, sealed->text}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    SECURITY_STATUS status = DecryptMessage(context, &message, 0, NULL);

    return status || !memcmp(sealed->text, PACKET_TEXT, sizeof(sealed->text)) ? status : SEC_E_MESSAGE_ALTERED;
}

static SECURITY_STATUS send_between(CtxtHandle *from, CtxtHandle *to)
{
    struct sealed sealed;
    SECURITY_STATUS status = seal(from, &sealed);

    return status ? status : unseal(to, &sealed);
}

static void observe_export(const struct subject *subject, const char *what, SECURITY_STATUS status,
                           const SecBuffer *block)
{
    char id[OBSERVED_MAX], name[STATUS_NAME_MAX];

    observe(subject->run, case_of(subject, what, id), "%s%s", status_name(status, name),
            block->pvBuffer && block->cbBuffer ? ", a block" : "");
}

static void observe_of(const struct subject *subject, const char *what, SECURITY_STATUS status)
{
    char id[OBSERVED_MAX];

    observe_status(subject->run, case_of(subject, what, id), status);
}

static SECURITY_STATUS import(const char *package, const SecBuffer *block, CtxtHandle *context)
{
    SecBuffer packed = {block->cbBuffer, SECBUFFER_TOKEN, block->pvBuffer};

    return ImportSecurityContextA((char *)package, &packed, NULL, context);
}

static bool transfer(const struct post *written, struct post *read, const char *path)
{
    FILE *file = fopen(path, read ? "rb" : "wb");
    bool done;

    if (!file) return false;
    done = (read ? fread(read, sizeof(*read), 1, file) : fwrite(written, sizeof(*written), 1, file)) == 1;
    return !fclose(file) && done;
}

/* Child process: takes the conversation over, reads a message and answers it. Ends with the status. */
static void go_on(void)
{
    static struct post post;
    char path[MAX_PATH];
    CtxtHandle context;
    SECURITY_STATUS status = SEC_E_INTERNAL_ERROR;

    if (GetEnvironmentVariableA(POST_VARIABLE, path, sizeof(path)) && transfer(NULL, &post, path)) {
        const SecBuffer block = {post.block_size, SECBUFFER_TOKEN, post.block};

        status = import(post.package, &block, &context);
        if (!status) status = unseal(&context, &post.message);
        if (!status) status = seal(&context, &post.message);
        if (!status && !transfer(&post, NULL, path)) status = SEC_E_INTERNAL_ERROR;
    }
    ExitProcess((UINT)status);
}

/* The client's message and the exported block go to another process, which answers. */
static void to_other_process(const struct subject *subject, const SecBuffer *block)
{
    static struct post post;
    char folder[MAX_PATH], path[MAX_PATH], id[OBSERVED_MAX];

    GetTempPathA(sizeof(folder), folder);
    GetTempFileNameA(folder, "exp", 0, path);
    SetEnvironmentVariableA(POST_VARIABLE, path);
    memset(&post, 0, sizeof(post));
    strcpy(post.package, subject->package);
    post.block_size = block->cbBuffer < BLOCK_MAX ? block->cbBuffer : BLOCK_MAX;
    memcpy(post.block, block->pvBuffer, post.block_size);
    if (!seal(subject->client, &post.message) && transfer(&post, NULL, path)) {
        observe_child_status(subject->run, case_of(subject, "other-process", id));
        if (transfer(NULL, &post, path))
            observe_of(subject, "other-process.answer", unseal(subject->client, &post.message));
    }
    DeleteFileA(path);
}

/* From one export, in this process: two contexts, one of which goes on as the server. */
static bool in_this_process(struct subject *subject, CtxtHandle *twin)
{
    char id[OBSERVED_MAX], names[2][STATUS_NAME_MAX];
    SecBuffer block = {0};
    CtxtHandle other = {0, 0};
    SECURITY_STATUS status = ExportSecurityContext(subject->server, 0, &block, NULL);
    SECURITY_STATUS there, back;

    observe_export(subject, "export", status, &block);
    if (status) return false;
    status = import(subject->package, &block, twin);
    observe_of(subject, "import", status);
    if (!status) {
        observe_of(subject, "twice", import(subject->package, &block, &other));
        DeleteSecurityContext(&other);
    }
    observe_of(subject, "free", FreeContextBuffer(block.pvBuffer));
    if (status) return false;
    there = send_between(subject->client, twin);
    back = send_between(twin, subject->client);
    observe(subject->run, case_of(subject, "continues", id), "there %s, back %s", status_name(there, names[0]),
            status_name(back, names[1]));
    return true;
}

static void end_old(const struct subject *subject, CtxtHandle *context)
{
    SecBuffer block = {0};
    struct sealed sealed;
    SECURITY_STATUS status = ExportSecurityContext(context, SECPKG_CONTEXT_EXPORT_RESET_NEW, &block, NULL);

    observe_export(subject, "reset-new", status, &block);
    FreeContextBuffer(block.pvBuffer);
    block = (SecBuffer){0};
    status = ExportSecurityContext(context, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &block, NULL);
    observe_export(subject, "delete-old", status, &block);
    if (!status) observe_of(subject, "delete-old.encrypt", seal(context, &sealed));
    FreeContextBuffer(block.pvBuffer);
}

/* The conversation of SUBJECT, some messages old, goes through three contexts. */
static void run_subject(struct subject *subject)
{
    SecBuffer block = {0};
    CtxtHandle twin;

    send_between(subject->client, subject->server);
    send_between(subject->server, subject->client);
    if (!in_this_process(subject, &twin)) return;
    if (!ExportSecurityContext(&twin, 0, &block, NULL)) to_other_process(subject, &block);
    FreeContextBuffer(block.pvBuffer);
    end_old(subject, &twin);
    DeleteSecurityContext(&twin);
}

/* A context after its first leg. */
static void unfinished(struct subject *subject, const struct spnego_request *request)
{
    struct spnego_pair pair;
    SecBuffer block = {0};

    if (spnego_pair_open(&pair, request) && spnego_client_leg(&pair, request))
        observe_of(subject, "unfinished", ExportSecurityContext(&pair.client.context, 0, &block, NULL));
    spnego_pair_close(&pair);
}

static void run_pair(struct conformance_run *run, const char *prefix, const struct spnego_request *request)
{
    struct subject subject = {
        .run = run, .prefix = prefix, .package = request->package ? request->package : "Negotiate"};
    char text[SPNEGO_OUTCOME_MAX];
    struct spnego_pair pair;

    unfinished(&subject, request);
    subject.client = &pair.client.context;
    subject.server = &pair.server.context;
    if (spnego_pair_run(&pair, request))
        run_subject(&subject);
    else
        not_reached(run, "%s", spnego_outcome(&pair, text));
    spnego_pair_close(&pair);
}

static void run_export(struct conformance_run *run)
{
    const ULONG server_flags =
        ASC_REQ_INTEGRITY | ASC_REQ_CONFIDENTIALITY | ASC_REQ_SEQUENCE_DETECT | ASC_REQ_REPLAY_DETECT;
    const struct spnego_request ntlm = {.package = "NTLM", .client_flags = FLAGS, .server_flags = server_flags};
    const struct spnego_request negotiate = {
        .packages = SPNEGO_NO_KERBEROS, .client_flags = FLAGS, .server_flags = server_flags};
    CtxtHandle zero = {0, 0};
    SecBuffer block = {0};

    observe_status(run, "export/zero-handle", ExportSecurityContext(&zero, 0, &block, NULL));
    observe_status(run, "export/no-package", import("No such package", &block, &zero));
    run_pair(run, "export/ntlm", &ntlm);
    run_pair(run, "export/negotiate", &negotiate);
}

static void run_kerberos_export(struct conformance_run *run)
{
    struct kerberos_realm realm;
    struct spnego_request request;

    if (!kerberos_realm_find(run, &realm)) return;
    request = kerberos_request(&realm, FLAGS | ISC_REQ_MUTUAL_AUTH);
    run_pair(run, "kerberos-export/kerberos", &request);
    request.package = NULL;
    run_pair(run, "kerberos-export/negotiate", &request);
}

static const struct raising_call raising[] = {
    {"export/ntlm.other-process", go_on},
    {"export/negotiate.other-process", go_on},
};

static const struct raising_call kerberos_raising[] = {
    {"kerberos-export/kerberos.other-process", go_on},
    {"kerberos-export/negotiate.other-process", go_on},
};

const struct conformance_group export_group = {
    .name = "export",
    .cases = cases,
    .case_count = COUNT_OF(cases),
    .run = run_export,
    .raising = raising,
    .raising_count = COUNT_OF(raising),
};

const struct conformance_group kerberos_export_group = {
    .name = "kerberos-export",
    .cases = kerberos_cases,
    .case_count = COUNT_OF(kerberos_cases),
    .run = run_kerberos_export,
    .raising = kerberos_raising,
    .raising_count = COUNT_OF(kerberos_raising),
};
