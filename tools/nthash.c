/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * countersign-nthash: reads a password (UTF-8, one line) from standard input and prints its NT hash, MD4 over UTF-16LE
 * (MS-NLMP 3.3.1, NTOWFv1), as 32 hexadecimal digits. A program of its own so that a password never stands in an
 * argument list, where other users can read it. Exit code 0, or 1 with a message on standard error.
 */

#define _DEFAULT_SOURCE /* explicit_bzero */
#include <iconv.h>
#include <libintl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/md4.h>

/* Windows takes no password of more than 256 UTF-16 units; in UTF-8 a unit needs at most three bytes. */
enum { PASSWORD_UNITS = 256, PASSWORD_BYTES = 3 * PASSWORD_UNITS };

#define _(text) gettext(text)

static int fail(const char *message)
{
    fprintf(stderr, "countersign-nthash: %s\n", message);
    return EXIT_FAILURE;
}

/* Reads standard input to its end into buffer, of size bytes. Returns the number of bytes; size if there were more. */
static size_t read_input(char *buffer, size_t size)
{
    setvbuf(stdin, NULL, _IONBF, 0); /* no copy of the password in a buffer that nobody wipes */
    return fread(buffer, 1, size, stdin);
}

/* Length of the line in text without its line end, or size if a second line follows. */
static size_t line_length(const char *text, size_t size)
{
    const char *const end = memchr(text, '\n', size);

    if (!end) return size;
    return (size_t)(end - text) + 1 == size ? size - 1 : size;
}

/*
 * Converts size bytes of UTF-8 at text to UTF-16LE at units (PASSWORD_UNITS * 2 bytes).
 * Returns the number of bytes written, 0 if text is no UTF-8 or too long.
 */
static size_t to_utf16le(char *text, size_t size, unsigned char *units)
{
    const iconv_t converter = iconv_open("UTF-16LE", "UTF-8");
    char *output = (char *)units;
    size_t room = 2 * PASSWORD_UNITS;
    size_t status;

    if (converter == (iconv_t)-1) return 0;
    status = iconv(converter, &text, &size, &output, &room);
    iconv_close(converter);
    return status == (size_t)-1 ? 0 : 2 * PASSWORD_UNITS - room;
}

static void print_md4(const unsigned char *data, size_t size)
{
    unsigned char digest[MD4_DIGEST_SIZE];
    struct md4_ctx context;
    size_t i;

    md4_init(&context);
    md4_update(&context, size, data);
    md4_digest(&context, sizeof digest, digest);
    for (i = 0; i < sizeof digest; i++) printf("%02X", digest[i]);
    putchar('\n');
    explicit_bzero(&context, sizeof context);
    explicit_bzero(digest, sizeof digest);
}

int main(void)
{
    char text[PASSWORD_BYTES + 2]; /* a line end, and one byte that shows there was too much */
    unsigned char units[2 * PASSWORD_UNITS];
    size_t got, length, size;
    int result = EXIT_SUCCESS;

    setlocale(LC_ALL, "");
    bindtextdomain("countersign", LOCALEDIR);
    textdomain("countersign");

    got = read_input(text, sizeof text);
    length = line_length(text, got);
    size = 0;
    if (length == 0)
        result = fail(_("the password is empty"));
    else if (got == sizeof text || memchr(text, '\n', length) || memchr(text, '\0', length))
        result = fail(_("the password must be one line of at most 256 characters"));
    else if ((size = to_utf16le(text, length, units)) == 0)
        result = fail(_("the password is not valid UTF-8, or longer than 256 characters"));
    else
        print_md4(units, size);
    explicit_bzero(text, sizeof text);
    explicit_bzero(units, sizeof units);
    if (fflush(stdout) != 0 || ferror(stdout)) return fail(_("cannot write to standard output"));
    return result;
}
