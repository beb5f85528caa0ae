/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One core: a node of a Merkle tree (65 bytes, two blocks) and a leaf of 1 KiB by every way into
 * OpenSSL's SHA-256, and by ours. The library gets its bytes in one piece; ours come in pieces, and
 * to lay them together first costs as much as it saves.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "bench.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "hash.h"

static uint8_t bytes[1 + 1024];
static uint8_t digest[PP_SHA256_BYTES];
static EVP_MD *fetched;
static EVP_MD_CTX *context;

static void one_shot(size_t len)
{
    PP_ASSERT(SHA256(bytes, len, digest) != NULL);
}

static void evp(size_t len)
{
    PP_ASSERT(EVP_DigestInit_ex(context, fetched, NULL) == 1);
    PP_ASSERT(EVP_DigestUpdate(context, bytes, len) == 1);
    PP_ASSERT(EVP_DigestFinal_ex(context, digest, NULL) == 1);
}

static void low_level(size_t len)
{
    SHA256_CTX c;

    PP_ASSERT(SHA256_Init(&c) == 1 && SHA256_Update(&c, bytes, len) == 1);
    PP_ASSERT(SHA256_Final(digest, &c) == 1);
}

static void ours(size_t len)
{
    if (len == 1 + 2 * PP_SHA256_BYTES)
        pp_sha256_pair(1, pp_span(bytes, 32), pp_span(bytes + 32, 32), digest);
    else
        pp_sha256_pair(0, pp_span(bytes, len - 1), pp_span(NULL, 0), digest);
}

static void rows(const char *what, size_t len, const char *aim)
{
    char line[96];

    snprintf(line, sizeof line, "%s: SHA256(), which fetches each time", what);
    BENCH(line, "hash", { one_shot(len); });
    snprintf(line, sizeof line, "%s: EVP, fetched once, context used again", what);
    BENCH(line, "hash", { evp(len); });
    snprintf(line, sizeof line, "%s: SHA256_Init, _Update, _Final", what);
    double bare = BENCH(line, "hash", { low_level(len); });
    snprintf(line, sizeof line, "%s: pp_sha256_pair", what);
    double own = BENCH(line, "hash", { ours(len); });
    bench_ratio("ours / the library's shortest way", own, bare, aim);
}

int main(void)
{
    fetched = EVP_MD_fetch(NULL, "SHA256", NULL);
    context = EVP_MD_CTX_new();
    PP_ASSERT(fetched != NULL && context != NULL);
    rows("node", 1 + 2 * PP_SHA256_BYTES, "aim at most 1.50");
    rows("1 KiB leaf", sizeof bytes, "aim at most 1.10");
    EVP_MD_CTX_free(context);
    EVP_MD_free(fetched);
    return 0;
}
