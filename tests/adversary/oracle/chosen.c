/* SPDX-License-Identifier: Apache-2.0 */
/* The old hook is the one that the installed OpenSSL has for this. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "chosen.h"

#include <openssl/rand.h>
#include <string.h>

static struct {
    int armed;
    uint8_t random[PP_TLS_RANDOM_BYTES];
} next;

static int draw(unsigned char *ret, int len)
{
    if (!next.armed || len != sizeof next.random)
        return RAND_OpenSSL()->bytes(ret, len);
    memcpy(ret, next.random, sizeof next.random);
    next.armed = 0;
    return 1;
}

static int status(void)
{
    return 1;
}

void chosen_random(const uint8_t random[PP_TLS_RANDOM_BYTES])
{
    static const RAND_METHOD METHOD = { .bytes = draw, .pseudorand = draw, .status = status };

    next.armed = random != NULL;
    if (random != NULL)
        memcpy(next.random, random, sizeof next.random);
    (void)RAND_set_rand_method(&METHOD);
}
