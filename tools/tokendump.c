/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tokendump: prints authentication tokens in words. What it knows of tokens is in the protocol library (describe.h);
 * here is how a token comes in: as hexadecimal digits, base64, an HTTP header, or as it is.
 */
#include "describe.h"

#include <errno.h>
#include <getopt.h>
#include <libintl.h>
#include <locale.h>
#include <nettle/base64.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define _(text) gettext(text)

enum { EXIT_USAGE = 2 };

enum form { ANY_FORM, HEX, BASE64, BINARY };

struct dump {
    enum form form;
    struct cs_describe_keys *keys; /* NULL: none */
    unsigned printed;              /* tokens so far */
    bool failed;                   /* a token was broken, or there was none */
};

static int usage_error(void)
{
    fputs(_("See tokendump --help.\n"), stderr);
    return EXIT_USAGE;
}

static void usage(void)
{
    fputs(_("Usage: tokendump [--hex | --base64 | --binary] [--keytab FILE]\n"
            "                 [TOKEN | FILE]...\n"
            "\n"
            "Prints authentication tokens in words: SPNEGO, NTLM and Kerberos.\n"
            "\n"
            "An argument that names a file is read, - is standard input, and any other is\n"
            "a token. Without arguments, standard input is read. Text has one token a\n"
            "line; empty lines and those that begin with # are passed over.\n"
            "\n"
            "A token is hexadecimal (blanks, colons and a leading 0x are fine), base64, or\n"
            "an HTTP header such as \"WWW-Authenticate: NTLM TlRM...\"; a file can also be\n"
            "one binary token. Its form is detected unless an option names it:\n"
            "\n"
            "  --hex, -x          hexadecimal\n"
            "  --base64, -b       base64\n"
            "  --binary, -n       one binary token a file\n"
            "  --keytab, -k FILE  also show what FILE's keys open in Kerberos's tokens, and\n"
            "                     what the session keys in there open in later ones\n"
            "  --help, -h         this text\n"
            "\n"
            "Exit codes: 0 all tokens are whole; 1 a token is broken, of an unknown kind,\n"
            "or cannot be read, or the keytab cannot; 2 wrong usage.\n"),
          stdout);
}

/* Input */

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct cs_span trim(struct cs_span text)
{
    while (text.size && is_blank(text.data[text.size - 1])) text.size--;
    struct cs_reader reader = cs_reader_of(text);
    while (reader.remaining && is_blank(*reader.next)) cs_read_u8(&reader);
    return (struct cs_span){reader.next, reader.remaining};
}

/* Yields what lies before the first of the characters END, and takes it, with its end, from TEXT. */
static struct cs_span take_until(struct cs_span *text, const char *end)
{
    struct cs_reader reader = cs_reader_of(*text);
    size_t size = 0;
    while (size < text->size && !strchr(end, text->data[size])) size++;
    struct cs_span taken = cs_read_span(&reader, size);
    cs_read_u8(&reader);
    *text = (struct cs_span){reader.next, reader.remaining};
    return taken;
}

static bool is_word(struct cs_span text, const char *word)
{
    return text.size == strlen(word) && !strncasecmp((const char *)text.data, word, text.size);
}

/* What follows the scheme in an Authorization or WWW-Authenticate header, or in its value alone; else TEXT itself. */
static struct cs_span without_header(struct cs_span text)
{
    struct cs_span rest = text, word = take_until(&rest, " \t");
    if (word.size && word.data[word.size - 1] == ':') {
        rest = trim(rest);
        word = take_until(&rest, " \t");
    }
    return is_word(word, "NTLM") || is_word(word, "Negotiate") ? trim(rest) : text;
}

static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode_hex(struct cs_span text, struct cs_writer *token)
{
    unsigned value = 0, digits = 0;
    struct cs_reader reader = cs_reader_of(text);
    if (text.size >= 2 && text.data[0] == '0' && (text.data[1] | 0x20) == 'x') cs_read_span(&reader, 2);
    while (reader.remaining) {
        uint8_t c = cs_read_u8(&reader);
        if (is_blank(c) || c == ':') continue;
        if (digit(c) < 0) return false;
        value = value << 4 | (unsigned)digit(c);
        if (++digits % 2 == 0) cs_write_u8(token, (uint8_t)value);
    }
    return digits && digits % 2 == 0;
}

static bool decode_base64(struct cs_span text, struct cs_writer *token)
{
    struct base64_decode_ctx context;
    size_t size = BASE64_DECODE_LENGTH(text.size);
    uint8_t *room = text.size ? cs_write_room(token, size) : NULL;
    if (!room) return false;
    base64_decode_init(&context);
    token->size = 0;
    if (!base64_decode_update(&context, &size, room, text.size, (const char *)text.data)) return false;
    token->size = size;
    return size && base64_decode_final(&context);
}

/* Hexadecimal digits could be base64 as well, but a token in base64 has other letters too. */
static bool decode(enum form form, struct cs_span text, struct cs_writer *token)
{
    text = without_header(text);
    if (form != BASE64 && decode_hex(text, token)) return true;
    token->size = 0;
    return form != HEX && decode_base64(text, token);
}

/* Output */

static void print_token(struct dump *dump, struct cs_span token)
{
    struct cs_writer text = {0};
    if (dump->printed++) putchar('\n');
    if (!cs_describe_opened(token, dump->keys, &text)) dump->failed = true;
    if (text.failed) {
        fputs(_("tokendump: out of memory\n"), stderr);
        dump->failed = true;
    } else {
        fwrite(text.data, 1, text.size, stdout);
    }
    cs_writer_drop(&text);
}

static const char *expected(enum form form)
{
    if (form == HEX) return _("not hexadecimal");
    if (form == BASE64) return _("not base64");
    return _("neither hexadecimal nor base64");
}

/* False, with nothing said, if TEXT cannot be decoded. */
static bool print_text_token(struct dump *dump, struct cs_span text)
{
    struct cs_writer token = {0};
    bool decoded = decode(dump->form, text, &token);
    if (decoded) print_token(dump, cs_written(&token));
    cs_writer_drop(&token);
    return decoded;
}

static void print_lines(struct dump *dump, struct cs_span text, const char *name)
{
    const unsigned before = dump->printed;
    bool refused = false;
    for (unsigned number = 1; text.size; number++) {
        struct cs_span line = trim(take_until(&text, "\n"));
        if (!line.size || line.data[0] == '#' || print_text_token(dump, line)) continue;
        fprintf(stderr, _("tokendump: %s:%u: %s\n"), name, number, expected(dump->form));
        refused = true;
    }
    if (dump->printed == before && !refused) fprintf(stderr, _("tokendump: %s: no token\n"), name);
    if (dump->printed == before || refused) dump->failed = true;
}

/* Every binary token there is has bytes that no text has. */
static bool is_text(struct cs_span content)
{
    for (size_t i = 0; i < content.size; i++)
        if (!is_blank(content.data[i]) && (content.data[i] < ' ' || content.data[i] > '~')) return false;
    return true;
}

static bool read_all(FILE *file, struct cs_writer *content)
{
    uint8_t block[4096];
    size_t size;
    errno = 0;
    while (!content->failed && (size = fread(block, 1, sizeof block, file)) > 0)
        cs_write_span(content, (struct cs_span){block, size});
    if (content->failed) errno = EFBIG;
    return !ferror(file) && !content->failed;
}

static void print_stream(struct dump *dump, FILE *file, const char *name)
{
    struct cs_writer content = {0};
    if (!read_all(file, &content)) {
        fprintf(stderr, _("tokendump: %s: %s\n"), name, strerror(errno));
        dump->failed = true;
    } else if (dump->form == BINARY || (dump->form == ANY_FORM && !is_text(cs_written(&content)))) {
        print_token(dump, cs_written(&content));
    } else {
        print_lines(dump, cs_written(&content), name);
    }
    cs_writer_drop(&content);
}

static void print_file(struct dump *dump, const char *name)
{
    FILE *file = fopen(name, "re");
    if (!file) {
        fprintf(stderr, _("tokendump: %s: %s\n"), name, strerror(errno));
        dump->failed = true;
        return;
    }
    print_stream(dump, file, name);
    fclose(file);
}

static void print_argument(struct dump *dump, const char *argument)
{
    struct stat info;
    const struct cs_span text = trim((struct cs_span){(const uint8_t *)argument, strlen(argument)});
    if (!strcmp(argument, "-")) {
        print_stream(dump, stdin, _("standard input"));
    } else if (dump->form == BINARY || !stat(argument, &info)) {
        print_file(dump, argument);
    } else if (!print_text_token(dump, text)) {
        fprintf(stderr, _("tokendump: %s: no such file, and as a token %s\n"), argument, expected(dump->form));
        dump->failed = true;
    }
}

/* The program */

/* The folder of translations is the installed one, or TEXTDOMAINDIR, which gettext(1) heeds too. */
static void choose_language(void)
{
    const char *folder = getenv("TEXTDOMAINDIR");
    setlocale(LC_ALL, "");
    bindtextdomain("countersign", folder && *folder ? folder : LOCALEDIR);
    textdomain("countersign");
}

/* False, with the reason told, if the keytab cannot be read. A later keytab stands in for an earlier one. */
static bool read_keytab(struct dump *dump, const char *name)
{
    char *problem;
    cs_describe_keys_drop(dump->keys);
    dump->keys = cs_describe_keys_read(name, &problem);
    if (!dump->keys) fprintf(stderr, _("tokendump: %s: %s\n"), name, problem ? problem : strerror(ENOMEM));
    free(problem);
    return dump->keys;
}

/* Yields -1 when tokens are to be dumped, else the exit code. */
static int read_options(int argc, char **argv, struct dump *dump)
{
    static const struct option options[] = {
        {"hex", no_argument, NULL, 'x'},    {"base64", no_argument, NULL, 'b'},
        {"binary", no_argument, NULL, 'n'}, {"keytab", required_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},   {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "xbnk:h", options, NULL)) != -1;) {
        switch (option) {
        case 'x': dump->form = HEX; break;
        case 'b': dump->form = BASE64; break;
        case 'n': dump->form = BINARY; break;
        case 'k':
            if (!read_keytab(dump, optarg)) return EXIT_FAILURE;
            break;
        case 'h': usage(); return EXIT_SUCCESS;
        default: return usage_error();
        }
    }
    return -1;
}

int main(int argc, char **argv)
{
    struct dump dump = {.form = ANY_FORM};
    choose_language();
    int status = read_options(argc, argv, &dump);
    if (status < 0) {
        if (optind == argc) print_argument(&dump, "-");
        for (int i = optind; i < argc; i++) print_argument(&dump, argv[i]);
        status = dump.failed ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    cs_describe_keys_drop(dump.keys);
    if (fflush(stdout) || ferror(stdout)) {
        fputs(_("tokendump: cannot write to standard output\n"), stderr);
        return EXIT_FAILURE;
    }
    return status;
}
