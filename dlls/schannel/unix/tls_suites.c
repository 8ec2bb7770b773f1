/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cipher suites that can come out of a handshake (IANA's TLS Cipher Suites), in the words of
 * SecPkgContext_CipherInfo and SecPkgContext_ConnectionInfo (behaviour.md rows 188 to 197).
 */
#include "tls_suites.h"

#include <string.h>

#define AES_128 .cipher = "AES", .cipher_bits = 128, .cipher_block = 16, .cipher_id = 0x660E
#define AES_256 .cipher = "AES", .cipher_bits = 256, .cipher_block = 16, .cipher_id = 0x6610
#define CHACHA .cipher = "CHACHA20_POLY1305", .cipher_bits = 256, .cipher_block = 1
#define SHA_1 .hash = "SHA1", .hash_bits = 160, .hash_id = 0x8004
#define SHA_256 .hash = "SHA256", .hash_bits = 256, .hash_id = 0x800C
#define SHA_384 .hash = "SHA384", .hash_bits = 384, .hash_id = 0x800D
#define AEAD .hash = ""
#define ECDHE .exchange = "ECDH", .exchange_id = 0xAE06
#define DHE .exchange = "DH", .exchange_id = 0xAA02
#define RSA .exchange = "RSA", .exchange_id = 0xA400

static const struct tls_suite suites[] = {
    {0x1301, "TLS_AES_128_GCM_SHA256", AES_128, AEAD, ECDHE},
    {0x1302, "TLS_AES_256_GCM_SHA384", AES_256, AEAD, ECDHE},
    {0x1303, "TLS_CHACHA20_POLY1305_SHA256", CHACHA, AEAD, ECDHE},
    {0xC02B, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", AES_128, AEAD, ECDHE},
    {0xC02C, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", AES_256, AEAD, ECDHE},
    {0xCCA9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", CHACHA, AEAD, ECDHE},
    {0xC009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", AES_128, SHA_1, ECDHE},
    {0xC00A, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", AES_256, SHA_1, ECDHE},
    {0xC023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", AES_128, SHA_256, ECDHE},
    {0xC024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", AES_256, SHA_384, ECDHE},
    {0xC02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", AES_128, AEAD, ECDHE},
    {0xC030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", AES_256, AEAD, ECDHE},
    {0xCCA8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", CHACHA, AEAD, ECDHE},
    {0xC013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", AES_128, SHA_1, ECDHE},
    {0xC014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", AES_256, SHA_1, ECDHE},
    {0xC027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", AES_128, SHA_256, ECDHE},
    {0xC028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", AES_256, SHA_384, ECDHE},
    {0x009E, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", AES_128, AEAD, DHE},
    {0x009F, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", AES_256, AEAD, DHE},
    {0xCCAA, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", CHACHA, AEAD, DHE},
    {0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", AES_128, SHA_1, DHE},
    {0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", AES_256, SHA_1, DHE},
    {0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", AES_128, SHA_256, DHE},
    {0x006B, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", AES_256, SHA_256, DHE},
    {0x009C, "TLS_RSA_WITH_AES_128_GCM_SHA256", AES_128, AEAD, RSA},
    {0x009D, "TLS_RSA_WITH_AES_256_GCM_SHA384", AES_256, AEAD, RSA},
    {0x002F, "TLS_RSA_WITH_AES_128_CBC_SHA", AES_128, SHA_1, RSA},
    {0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA", AES_256, SHA_1, RSA},
    {0x003C, "TLS_RSA_WITH_AES_128_CBC_SHA256", AES_128, SHA_256, RSA},
    {0x003D, "TLS_RSA_WITH_AES_256_CBC_SHA256", AES_256, SHA_256, RSA},
};

/* NULL also where GnuTLS has no name. */
const struct tls_suite *tls_suite_find(const char *name)
{
    for (size_t i = 0; name && i < sizeof suites / sizeof *suites; i++)
        if (!strcmp(suites[i].name, name)) return &suites[i];
    return NULL;
}

/* IANA's TLS Supported Groups. */
uint32_t tls_group_number(gnutls_group_t group)
{
    switch (group) {
    case GNUTLS_GROUP_SECP256R1: return 0x17;
    case GNUTLS_GROUP_SECP384R1: return 0x18;
    case GNUTLS_GROUP_SECP521R1: return 0x19;
    case GNUTLS_GROUP_X25519: return 0x1D;
    case GNUTLS_GROUP_FFDHE2048: return 0x100;
    case GNUTLS_GROUP_FFDHE3072: return 0x101;
    case GNUTLS_GROUP_FFDHE4096: return 0x102;
    default: return 0;
    }
}

uint32_t tls_group_bits(gnutls_group_t group)
{
    switch (group) {
    case GNUTLS_GROUP_SECP256R1: return 256;
    case GNUTLS_GROUP_SECP384R1: return 384;
    case GNUTLS_GROUP_SECP521R1: return 521;
    case GNUTLS_GROUP_X25519: return 255;
    case GNUTLS_GROUP_FFDHE2048: return 2048;
    case GNUTLS_GROUP_FFDHE3072: return 3072;
    case GNUTLS_GROUP_FFDHE4096: return 4096;
    default: return 0;
    }
}
