/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes the seed corpus: seeds FOLDER makes FOLDER/TARGET/NAME.
 */
#include "seeds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

void write_seed(const char *folder, const char *target, const char *name, const struct cs_writer *bytes)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, target);
    fuzz_require(!mkdir(path, 0777) || errno == EEXIST, "the target's folder");
    snprintf(path, sizeof path, "%s/%s/%s", folder, target, name);
    FILE *file = fopen(path, "w");
    fuzz_require(file && fwrite(bytes->data, 1, bytes->size, file) == bytes->size && !fclose(file), "seed");
}

void write_hex(struct cs_writer *writer, const char *hex)
{
    for (; *hex; hex += 2) {
        const char digits[3] = {hex[0], hex[1], 0};
        cs_write_u8(writer, (uint8_t)strtoul(digits, NULL, 16));
    }
}

void seed_message(const char *folder, const char *target, const char *name, struct cs_span head, struct cs_span message)
{
    struct cs_writer seed = {0};
    cs_write_span(&seed, head);
    cs_write_span(&seed, message);
    write_seed(folder, target, name, &seed);
    cs_writer_drop(&seed);
}

void seed_hex(const char *folder, const char *target, const char *name, const char *head, const char *hex)
{
    struct cs_writer bytes = {0}, options = {0};
    write_hex(&options, head);
    write_hex(&bytes, hex);
    seed_message(folder, target, name, cs_written(&options), cs_written(&bytes));
    cs_writer_drop(&bytes);
    cs_writer_drop(&options);
}

/*
 * Each session (import.c) packed, undisturbed, and with a byte, a run or a length of its content changed; and each
 * client of an acceptor's, with changes to what is said of it.
 */
static void seed_imports(const char *folder)
{
    static const char *const modes[] = {"00",           "01",
                                        "02",           "03",
                                        "010030000101", "0201000000",
                                        "02000000010f", "020220000455667788",
                                        "02001a000180", "0201200004ffffffff",
                                        "06",           "060068000103",
                                        "0a",           "0a0068000101",
                                        "0e",           "0e00900001ff",
                                        "12",           "120100010400000001",
                                        "16",           "160110010400000001",
                                        "050040000101", "150040000101"};
    static const uint8_t choices[] = {0x07, 0x03, 0x01, 0x00, 0x06, 0x1F, 0x80, 0x81,
                                      0x82, 0x83, 0x84, 0x86, 0x8E, 0x92, 0xC1};
    char head[4], name[32];
    for (size_t i = 0; i < sizeof choices; i++)
        for (size_t j = 0; j < sizeof modes / sizeof *modes; j++) {
            snprintf(head, sizeof head, "%02x", choices[i]);
            snprintf(name, sizeof name, "session-%s-%zu", head, j);
            seed_hex(folder, "import", name, head, modes[j]);
        }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: seeds FOLDER\n");
        return 2;
    }
    LLVMFuzzerInitialize(&argc, &argv);
    seed_ntlm(argv[1]);
    seed_kerberos(argv[1]);
    seed_tls(argv[1]);
    seed_imports(argv[1]);
    return 0;
}
