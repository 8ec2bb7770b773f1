/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The front: the second tier. It takes one connection, answers the first message in its client's name, as which it goes
 * to the back, and hands the session over to a worker process, which goes on with the rest in the same way.
 *
 *     front [OPTION]... BACKPORT PORTFILE
 *     front --worker                          what the front starts; the session comes by its standard input
 */
#include "talk.h"

#include <stdint.h>
#include <string.h>

static const char usage[] = "usage: front [OPTION]... BACKPORT PORTFILE\n"
                            "Takes one connection on a port of this machine, which it writes into PORTFILE, and goes "
                            "to the back, on BACKPORT, in\n"
                            "its client's name; --target is what the back is called. A worker process goes on with the "
                            "session.\n" OPTIONS_USAGE;

/* What the worker gets, with the packed context behind it. */
struct handover {
    WSAPROTOCOL_INFOA socket;
    UINT64 token; /* a handle of the worker's */
    ULONG packed_size;
    u_short back_port;
    char package[32], target[256];
};

static void say_who(const struct peer *peer, const char *what)
{
    char name[256] = "nobody";
    ULONG size = sizeof name;
    GetUserNameExA(NameSamCompatible, name, &size);
    say(peer, "%s %s", what, name);
}

/* With the default credentials of whoever this thread is. What the back says goes into MORE. */
static void go_to_back(const struct peer *front, u_short port, char *more, size_t size)
{
    static struct frame frame;
    struct peer peer = {.who = front->who, .package = front->package, .target = front->target};
    peer.token_size = front->token_size;
    acquire_outbound(&peer, NULL);
    connect_to(&peer, port);
    log_on(&peer);
    take_sizes(&peer);
    protect_text(&peer, "who am I?", TRUE, &frame);
    snprintf(more, size, " (the back: \"%s\")", ask(&peer, &frame, TRUE));
    DeleteSecurityContext(&peer.context);
    FreeCredentialsHandle(&peer.credential);
    closesocket(peer.socket);
}

/* One message, which is answered in its sender's name. FALSE when the connection has ended. */
static BOOL serve_one(struct peer *peer, u_short back_port)
{
    SECURITY_STATUS status;
    char *text, more[512] = "";
    if (!receive_text(peer, &status, &text)) return FALSE;
    if (status == SEC_E_OK) {
        status = ImpersonateSecurityContext(&peer->context);
        if (status) give_up(peer, "ImpersonateSecurityContext", status);
        say_who(peer, "this thread is now");
        go_to_back(peer, back_port, more, sizeof more);
        status = RevertSecurityContext(&peer->context);
        if (status) give_up(peer, "RevertSecurityContext", status);
        say_who(peer, "and again");
    }
    answer_text(peer, status, text, more);
    return TRUE;
}

/* This program again, with INPUT as its standard input. */
static PROCESS_INFORMATION start_worker(const struct peer *peer, HANDLE input)
{
    char program[MAX_PATH], command[MAX_PATH + 16];
    STARTUPINFOA start = {.cb = sizeof start,
                          .dwFlags = STARTF_USESTDHANDLES,
                          .hStdInput = input,
                          .hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE),
                          .hStdError = GetStdHandle(STD_ERROR_HANDLE)};
    PROCESS_INFORMATION process;
    GetModuleFileNameA(NULL, program, sizeof program);
    snprintf(command, sizeof command, "\"%s\" --worker", program);
    if (!CreateProcessA(program, command, NULL, NULL, TRUE, 0, NULL, NULL, &start, &process))
        give_up(peer, "CreateProcess", (SECURITY_STATUS)GetLastError());
    CloseHandle(process.hThread);
    return process;
}

/* The connection and the token become the worker's own, under the handles that HANDOVER then has. */
static void give_handles(const struct peer *peer, const PROCESS_INFORMATION *worker, HANDLE token,
                         struct handover *handover)
{
    HANDLE its_token;
    if (!DuplicateHandle(GetCurrentProcess(), token, worker->hProcess, &its_token, 0, FALSE, DUPLICATE_SAME_ACCESS))
        give_up(peer, "DuplicateHandle", (SECURITY_STATUS)GetLastError());
    handover->token = (uintptr_t)its_token;
    if (WSADuplicateSocketA(peer->socket, worker->dwProcessId, &handover->socket))
        give_up(peer, "WSADuplicateSocket", WSAGetLastError());
}

static void send_to_worker(const struct peer *peer, HANDLE pipe, const void *bytes, DWORD size)
{
    DWORD written;
    if (!WriteFile(pipe, bytes, size, &written, NULL) || written != size)
        give_up(peer, "writing to the worker", (SECURITY_STATUS)GetLastError());
}

static void await_worker(const struct peer *peer, HANDLE process)
{
    DWORD code = 1;
    WaitForSingleObject(process, INFINITE);
    GetExitCodeProcess(process, &code);
    CloseHandle(process);
    if (code) give_up(peer, "the worker", (SECURITY_STATUS)code);
}

/* The old context ends in the moment in which it is packed: no message is numbered twice. */
static void hand_over(struct peer *peer, u_short back_port)
{
    struct handover handover = {.back_port = back_port};
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};
    HANDLE token, read_end, write_end;
    SecBuffer packed = {0};
    SECURITY_STATUS status =
        ExportSecurityContext(&peer->context, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &packed, (void **)&token);
    if (status) give_up(peer, "ExportSecurityContext", status);
    say(peer, "hands the session to a worker process, in %lu bytes", packed.cbBuffer);
    if (!CreatePipe(&read_end, &write_end, &inherited, 0) || !SetHandleInformation(write_end, HANDLE_FLAG_INHERIT, 0))
        give_up(peer, "CreatePipe", (SECURITY_STATUS)GetLastError());
    const PROCESS_INFORMATION worker = start_worker(peer, read_end);
    give_handles(peer, &worker, token, &handover);
    handover.packed_size = packed.cbBuffer;
    strncpy(handover.package, peer->package, sizeof handover.package - 1);
    strncpy(handover.target, peer->target, sizeof handover.target - 1);
    send_to_worker(peer, write_end, &handover, sizeof handover);
    send_to_worker(peer, write_end, packed.pvBuffer, packed.cbBuffer);
    SecureZeroMemory(packed.pvBuffer, packed.cbBuffer);
    FreeContextBuffer(packed.pvBuffer);
    CloseHandle(write_end);
    CloseHandle(read_end);
    CloseHandle(token);
    closesocket(peer->socket);
    await_worker(peer, worker.hProcess);
}

static BOOL read_whole(void *bytes, DWORD size)
{
    DWORD done;
    for (BYTE *next = bytes; size; next += done, size -= done)
        if (!ReadFile(GetStdHandle(STD_INPUT_HANDLE), next, size, &done, NULL) || !done) return FALSE;
    return TRUE;
}

static int work(void)
{
    static struct handover handover;
    static BYTE bytes[LARGEST_FRAME];
    struct peer peer = {.who = "worker", .package = handover.package, .target = handover.target};
    WSADATA data;
    if (!read_whole(&handover, sizeof handover) || handover.packed_size > sizeof bytes ||
        !read_whole(bytes, handover.packed_size) || WSAStartup(MAKEWORD(2, 2), &data))
        give_up(&peer, "taking over", SEC_E_INTERNAL_ERROR);
    SecBuffer packed = {handover.packed_size, SECBUFFER_TOKEN, bytes};
    peer.socket = WSASocketA(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &handover.socket, 0, 0);
    if (peer.socket == INVALID_SOCKET) give_up(&peer, "WSASocket", WSAGetLastError());
    SECURITY_STATUS status =
        ImportSecurityContextA(peer.package, &packed, (void *)(uintptr_t)handover.token, &peer.context);
    if (status) give_up(&peer, "ImportSecurityContext", status);
    SecureZeroMemory(bytes, sizeof bytes);
    describe_package(&peer);
    take_sizes(&peer);
    say(&peer, "has the session, and goes on with it");
    while (serve_one(&peer, handover.back_port)) {
    }
    DeleteSecurityContext(&peer.context);
    closesocket(peer.socket);
    return 0;
}

int main(int argc, char **argv)
{
    static char package[] = "Kerberos", target[] = "back/localhost";
    struct peer peer = {.who = "front", .package = package, .target = target};
    if (argc == 2 && !strcmp(argv[1], "--worker")) return work();
    const int first = take_options(&peer, argc, argv, usage);
    if (argc - first != 2) misused("BACKPORT PORTFILE", "is missing, or not alone", usage);
    const u_short back_port = port_number(argv[first]);
    if (!back_port) misused(argv[first], "is no port", usage);
    describe_package(&peer);
    acquire_inbound(&peer);
    const SOCKET listener = listen_on_loopback(&peer, argv[first + 1]);
    peer.socket = accept(listener, NULL, NULL);
    closesocket(listener);
    accept_logon(&peer);
    describe_session(&peer);
    if (serve_one(&peer, back_port)) hand_over(&peer, back_port);
    DeleteSecurityContext(&peer.context);
    FreeCredentialsHandle(&peer.credential);
    return 0;
}
