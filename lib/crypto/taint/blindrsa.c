/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs under valgrind with the message, the salt and the blind of a blind RSA client marked as
 * secret: any branch or index on them is an error. Where they become numbers of OpenSSL they are
 * revealed, as blindrsa.h says; so this is about the encoding, and about what the library around
 * the numbers does. Exits 1 when a result is wrong, so that the run also proves that it ran.
 */
#include <stdio.h>
#include <string.h>

#include "blindrsa.h"
#include "crypto.h"
#include "ct.h"
#include "text.h"

enum { BYTES = 256, SALT = PP_BLINDRSA_SALT_BYTES };

/* The key of RFC 9578 A.2: making one takes long under valgrind. */
static const char N[] =
    "cb1aed6b6a95f5b1ce013a4cfcab25b94b2e64a23034e4250a7eab43c0df3a8c12993af12b111908d4b471be"
    "c31d4b6c9ad9cdda90612a2ee903523e6de5a224d6b02f09e5c374d0cfe01d8f529c500a78a2f67908fa682b"
    "5a2b430c81eaf1af72d7b5e794fc98a3139276879757ce453b526ef9bf6ceb99979b8423b90f4461a22af37a"
    "ab0cf5733f7597abe44d31c732db68a181c6cbbe607d8c0e52e0655fd9996dc584eca0be87afbcd78a337d17"
    "b1dba9e828bbd81e291317144e7ff89f55619709b096cbb9ea474cead264c2073fe49740c01f00e109106066"
    "983d21e5f83f086e2e823c879cd43cef700d2a352a9babd612d03cad02db134b7e225a5f";
static const char D[] =
    "2f309b7738b58cf779f0c915f822dfc9f490dbeadf1e7adfac578ffd5703c6bba2da9d5a49725889b7ba112f"
    "8c6ff30551d9473e000bc35c50e167ab7fa73a0c2b21965c4b59257c1ac06cbdcf28e863f6718ea8c29043c1"
    "c6da84629490fd0491bf52d172c959c1921b96949c725747b8a7c7871995fa0b9eb1107ba854c6c32a6f4747"
    "c5d1c304c7467d55b080aa233a3a52ffdf26114cbb541ffa6b696b7a096f8dcff69ca08ab58efb0fb753aa51"
    "85c73001696bbce8c099e3f435dcbbfe05e7dbaad23db2a659c23add521407f150b1af2d9054c4164229d684"
    "0b7a32a4f8481493ae8959cf0aea8def0c3c9f75b9a34c75718b7072c8dbab17cefeca49";

/* Deterministic bytes, marked as secret like those of a real source. */
static pp_res tainted_fill(void *ctx, uint8_t *ret, size_t len)
{
    uint8_t *next = ctx;

    for (size_t i = 0; i < len; i++)
        ret[i] = (uint8_t)(*next += 29);
    ret[0] &= 0x7f; /* below any modulus, or there would be a loop about what is thrown away */
    PP_TAINT(ret, len);
    return PP_OK;
}

static pp_res exchange(const struct pp_blindrsa_key *key)
{
    uint8_t message[98], inverse[BYTES], blinded[BYTES], answer[BYTES], signature[BYTES];
    uint8_t counter = 1;
    const struct pp_random random = { .fill = tainted_fill, .ctx = &counter };

    memset(message, 3, sizeof message);
    PP_TAINT(message, sizeof message);
    PP_TRY(pp_blindrsa_blind(key, PP_BYTES(message), SALT, &random, inverse, blinded));
    PP_REVEAL(blinded, sizeof blinded, "the blinded message is sent to the signer");
    PP_TRY(pp_blindrsa_sign(key, PP_BYTES(blinded), answer));
    return pp_blindrsa_finalize(key, PP_BYTES(message), SALT, PP_BYTES(inverse), PP_BYTES(answer),
                                signature);
}

static pp_res run(void)
{
    struct pp_blindrsa_key *key = NULL;
    uint8_t n[BYTES], d[BYTES];

    PP_TRY(pp_crypto_init());
    PP_TRY(pp_hex_parse(pp_span_cstr(N), n, sizeof n));
    PP_TRY(pp_hex_parse(pp_span_cstr(D), d, sizeof d));
    PP_TRY(pp_blindrsa_import_numbers(PP_BYTES(n), PP_BYTES(d), &key));
    pp_res r = exchange(key);
    pp_blindrsa_free(key);
    return r;
}

int main(void)
{
    pp_res r = run();

    if (!pp_is_ok(r))
        fprintf(stderr, "%s at %s\n", pp_code_name(r.code), r.where);
    return !pp_is_ok(r);
}
