/* SPDX-License-Identifier: Apache-2.0 */
/* Runs under valgrind with the seed of a key file marked as secret, in DER and as base64. */
#include <stdio.h>

#include "crypto.h"
#include "ct.h"
#include "sign.h"

enum { PEM_SEED_AT = 28 + 21, PEM_SEED_CHARS = 64 - 21, DER_SEED_AT = 16 };

static pp_res read_key(struct pp_span file)
{
    PP_AUTO(pp_secret) seed = { 0 };

    return pp_ed25519_pkcs8_parse(file, &seed);
}

static pp_res run(void)
{
    char pem[] = "-----BEGIN PRIVATE KEY-----\n"
                 "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
                 "-----END PRIVATE KEY-----\n";
    uint8_t der[] = { 0x30, 0x51, 0x02, 0x01, 0x01, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70,
                      0x04, 0x22, 0x04, 0x20, 0xd4, 0xee, 0x72, 0xdb, 0xf9, 0x13, 0x58, 0x4a,
                      0xd5, 0xb6, 0xd8, 0xf1, 0xf7, 0x69, 0xf8, 0xad, 0x3a, 0xfe, 0x7c, 0x28,
                      0xcb, 0xf1, 0xd4, 0xfb, 0xe0, 0x97, 0xa8, 0x8f, 0x44, 0x75, 0x58, 0x42,
                      0x81, 0x21, 0x00, 0x19, 0xbf, 0x44, 0x09, 0x69, 0x84, 0xcd, 0xfe, 0x85,
                      0x41, 0xba, 0xc1, 0x67, 0xdc, 0x3b, 0x96, 0xc8, 0x50, 0x86, 0xaa, 0x30,
                      0xb6, 0xb6, 0xcb, 0x0c, 0x5c, 0x38, 0xad, 0x70, 0x31, 0x66, 0xe1 };

    PP_TAINT(pem + PEM_SEED_AT, PEM_SEED_CHARS);
    PP_TAINT(der + DER_SEED_AT, PP_ED25519_SEED_BYTES);
    PP_TRY(pp_crypto_init());
    PP_TRY(read_key(pp_span((const uint8_t *)pem, sizeof pem - 1)));
    return read_key(PP_BYTES(der));
}

int main(void)
{
    pp_res r = run();

    printf("%s\n", pp_is_ok(r) ? "read" : pp_code_name(r.code));
    return pp_is_ok(r) ? 0 : 1;
}
