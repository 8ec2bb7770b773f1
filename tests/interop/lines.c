/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lines in, lines out.
 */
#include "lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool refuse(const char *why)
{
    printf("error %s", why);
    return false;
}

/* 16 for none. */
static unsigned digit(char c)
{
    if ('0' <= c && c <= '9') return (unsigned)(c - '0');
    const char lower = (char)(c | 0x20);
    return 'a' <= lower && lower <= 'f' ? (unsigned)(lower - 'a' + 10) : 16;
}

bool take_bytes(char **rest, struct cs_writer *bytes)
{
    const char *word = *rest ? strsep(rest, " ") : "-";
    const size_t size = strlen(word) / 2;
    if (!strcmp(word, "-")) return true;
    if (word[2 * size]) return refuse("an odd number of hexadecimal digits");
    uint8_t *out = cs_write_room(bytes, size);
    for (size_t i = 0; out && i < size; i++) {
        const unsigned high = digit(word[2 * i]), low = digit(word[2 * i + 1]);
        if (high > 15 || low > 15) return refuse("not a hexadecimal number");
        out[i] = (uint8_t)(high << 4 | low);
    }
    return !bytes->failed || refuse("no memory");
}

bool take_number(char **rest, uint32_t *number)
{
    const char *word = *rest ? strsep(rest, " ") : "";
    char *end;
    const unsigned long long value = strtoull(word, &end, 0);
    if (!*word || *end || value > UINT32_MAX) return refuse("not a number of 32 bits");
    *number = (uint32_t)value;
    return true;
}

void answer_bytes(struct cs_span bytes)
{
    static const char digits[] = "0123456789abcdef";
    putchar(' ');
    if (!bytes.size) putchar('-');
    for (size_t i = 0; i < bytes.size; i++) {
        putchar_unlocked(digits[bytes.data[i] >> 4]);
        putchar_unlocked(digits[bytes.data[i] & 15]);
    }
}

bool take_parts(char *rest, struct parts *parts)
{
    *parts = (struct parts){.count = 0};
    while (rest) {
        if (parts->count == MAX_PARTS) return refuse("too many buffers");
        struct part *part = &parts->part[parts->count++];
        part->type = strsep(&rest, " ");
        if (!take_bytes(&rest, &part->bytes)) return false;
    }
    return true;
}

void drop_parts(struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) cs_writer_drop(&parts->part[i].bytes);
}

static void run_line(const struct command *commands, size_t count, struct peer *peer, char *line)
{
    const char *name = strsep(&line, " ");
    for (size_t i = 0; i < count; i++)
        if (!strcmp(commands[i].name, name)) {
            commands[i].run(peer, line);
            return;
        }
    refuse("no such command");
}

static void run_lines(const struct command *commands, size_t count, struct peer *peer)
{
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        line[strcspn(line, "\n")] = 0;
        run_line(commands, count, peer, line);
        putchar('\n');
        fflush(stdout);
    }
    free(line);
}

int run_program(int argc, char **argv, const struct command *commands, size_t count, struct peer *peer)
{
    if (argc == 2 && !strcmp(argv[1], "--help")) {
        for (size_t i = 0; i < count; i++) printf("%s %s\n", commands[i].name, commands[i].usage);
        return 0;
    }
    if (argc > 1) {
        fprintf(stderr, "usage: %s [--help]; commands come on standard input\n", argv[0]);
        return 2;
    }
    run_lines(commands, count, peer);
    return 0;
}
