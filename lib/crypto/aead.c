/* SPDX-License-Identifier: Apache-2.0 */
#include "aead.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#include "crypto_int.h"
#include "ct.h"

struct pp_aead {
    EVP_CIPHER_CTX *seal; /* keyed once; only the nonce changes per message */
    EVP_CIPHER_CTX *open;
};

size_t pp_aead_key_len(uint16_t id)
{
    switch (id) {
    case PP_AES_128_GCM:
        return 16;
    case PP_AES_256_GCM:
    case PP_CHACHA20_POLY1305:
        return 32;
    default:
        return 0;
    }
}

static const EVP_CIPHER *cipher_of(uint16_t id)
{
    const struct pp_algorithms *a = pp_algorithms();

    switch (id) {
    case PP_AES_128_GCM:
        return a->aes_128_gcm;
    case PP_AES_256_GCM:
        return a->aes_256_gcm;
    case PP_CHACHA20_POLY1305:
        return a->chacha20_poly1305;
    default:
        return NULL;
    }
}

static pp_res key_context(EVP_CIPHER_CTX *c, uint16_t id, struct pp_span key, int seal)
{
    const EVP_CIPHER *cipher = cipher_of(id);

    PP_CHECK(cipher != NULL, PP_E_UNSUPPORTED, id);
    PP_CHECK(key.len == pp_aead_key_len(id), PP_E_RANGE, key.len);
    PP_CHECK(EVP_CipherInit_ex(c, cipher, NULL, key.at, NULL, seal) == 1, PP_E_CRYPTO, 0);
    return PP_OK;
}

/* Everything behind the key. With `c` keyed for sealing the tag is written behind the text. */
static pp_res seal_with(EVP_CIPHER_CTX *c, const uint8_t *nonce, struct pp_span aad,
                        struct pp_span pt, uint8_t *out)
{
    int n = 0;

    PP_CHECK(pt.len <= INT_MAX - PP_AEAD_TAG_BYTES && aad.len <= INT_MAX, PP_E_RANGE, pt.len);
    PP_CHECK(EVP_CipherInit_ex(c, NULL, NULL, NULL, nonce, -1) == 1, PP_E_CRYPTO, 1);
    if (aad.len > 0)
        PP_CHECK(EVP_CipherUpdate(c, NULL, &n, aad.at, (int)aad.len) == 1, PP_E_CRYPTO, 2);
    if (pt.len > 0)
        PP_CHECK(EVP_CipherUpdate(c, out, &n, pt.at, (int)pt.len) == 1, PP_E_CRYPTO, 3);
    PP_CHECK(EVP_CipherFinal_ex(c, out + pt.len, &n) == 1, PP_E_CRYPTO, 4);
    PP_CHECK(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, PP_AEAD_TAG_BYTES, out + pt.len) == 1,
             PP_E_CRYPTO, 5);
    return PP_OK;
}

static pp_res open_with(EVP_CIPHER_CTX *c, const uint8_t *nonce, struct pp_span aad,
                        struct pp_span ct, uint8_t *out)
{
    uint8_t tag[PP_AEAD_TAG_BYTES];
    size_t len = ct.len - PP_AEAD_TAG_BYTES;
    int n = 0;

    PP_CHECK(ct.len <= INT_MAX && aad.len <= INT_MAX, PP_E_RANGE, ct.len);
    memcpy(tag, ct.at + len, sizeof tag); /* `out` may lie over `ct` */
    PP_CHECK(EVP_CipherInit_ex(c, NULL, NULL, NULL, nonce, -1) == 1, PP_E_CRYPTO, 1);
    PP_CHECK(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, PP_AEAD_TAG_BYTES, tag) == 1,
             PP_E_CRYPTO, 2);
    if (aad.len > 0)
        PP_CHECK(EVP_CipherUpdate(c, NULL, &n, aad.at, (int)aad.len) == 1, PP_E_CRYPTO, 3);
    if (len > 0)
        PP_CHECK(EVP_CipherUpdate(c, out, &n, ct.at, (int)len) == 1, PP_E_AUTH, 0);
    if (EVP_CipherFinal_ex(c, out + len, &n) != 1) {
        pp_wipe(out, len);
        return PP_FAIL(PP_E_AUTH, 0);
    }
    return PP_OK;
}

pp_res pp_aead_new(uint16_t id, struct pp_span key, struct pp_aead **ret)
{
    struct pp_aead *a = calloc(1, sizeof *a);
    pp_res r = PP_FAIL(PP_E_NO_MEMORY, 0);

    if (a != NULL)
        a->seal = EVP_CIPHER_CTX_new();
    if (a != NULL)
        a->open = EVP_CIPHER_CTX_new();
    if (a != NULL && a->seal != NULL && a->open != NULL) {
        r = key_context(a->seal, id, key, 1);
        if (pp_is_ok(r))
            r = key_context(a->open, id, key, 0);
    }
    if (!pp_is_ok(r)) {
        pp_aead_free(a);
        return r;
    }
    *ret = a;
    return PP_OK;
}

void pp_aead_free(struct pp_aead *a)
{
    if (a == NULL)
        return;
    EVP_CIPHER_CTX_free(a->seal);
    EVP_CIPHER_CTX_free(a->open);
    free(a);
}

pp_res pp_aead_seal(struct pp_aead *a, const uint8_t nonce[PP_AEAD_NONCE_BYTES], struct pp_span aad,
                    struct pp_span pt, uint8_t *out)
{
    return seal_with(a->seal, nonce, aad, pt, out);
}

pp_res pp_aead_open(struct pp_aead *a, const uint8_t nonce[PP_AEAD_NONCE_BYTES], struct pp_span aad,
                    struct pp_span ct, uint8_t *out)
{
    PP_CHECK(ct.len >= PP_AEAD_TAG_BYTES, PP_E_AUTH, ct.len);
    return open_with(a->open, nonce, aad, ct, out);
}

/* --- one message ------------------------------------------------------------------------------ */

/*
 * Keys that serve one message share one context of each algorithm in a thread: making and releasing
 * one costs more than sealing 1 KiB. Between messages a context has the key of zeros.
 */
enum { ALGORITHMS = 3 };
struct shared_contexts {
    EVP_CIPHER_CTX *of[ALGORITHMS];
};

static pthread_once_t shared_once = PTHREAD_ONCE_INIT;
static pthread_key_t shared_key;

static void shared_free(void *arg)
{
    struct shared_contexts *s = arg;

    for (size_t i = 0; i < ALGORITHMS; i++)
        EVP_CIPHER_CTX_free(s->of[i]);
    free(s);
}

static void shared_start(void)
{
    PP_ASSERT(pthread_key_create(&shared_key, shared_free) == 0);
}

/* The thread's context for an algorithm; lives until the thread ends. */
static pp_res shared_context(uint16_t id, EVP_CIPHER_CTX **ret)
{
    PP_CHECK(cipher_of(id) != NULL, PP_E_UNSUPPORTED, id);
    PP_ASSERT(pthread_once(&shared_once, shared_start) == 0);
    struct shared_contexts *s = pthread_getspecific(shared_key);
    if (s == NULL) {
        PP_CHECK((s = calloc(1, sizeof *s)) != NULL, PP_E_NO_MEMORY, sizeof *s);
        if (pthread_setspecific(shared_key, s) != 0) {
            free(s);
            return PP_FAIL(PP_E_NO_MEMORY, 0);
        }
    }
    EVP_CIPHER_CTX **c = &s->of[id - PP_AES_128_GCM];
    if (*c == NULL) {
        PP_CHECK((*c = EVP_CIPHER_CTX_new()) != NULL, PP_E_NO_MEMORY, 0);
        PP_CHECK(EVP_CipherInit_ex(*c, cipher_of(id), NULL, NULL, NULL, 1) == 1, PP_E_CRYPTO, 0);
    }
    *ret = *c;
    return PP_OK;
}

/* Overwrites a key, its schedule and what the last message left. */
static void forget_key(EVP_CIPHER_CTX *c)
{
    static const uint8_t zeros[PP_AEAD_KEY_BYTES_MAX];
    uint8_t out[1];
    int n = 0;

    PP_ASSERT(EVP_CipherInit_ex(c, NULL, NULL, zeros, zeros, 1) == 1);
    PP_ASSERT(EVP_CipherUpdate(c, out, &n, zeros, sizeof out) == 1);
    PP_ASSERT(EVP_CipherFinal_ex(c, out, &n) == 1);
}

static pp_res once(uint16_t id, struct pp_span key, const uint8_t *nonce, struct pp_span aad,
                   struct pp_span in, uint8_t *out, int seal)
{
    EVP_CIPHER_CTX *c;

    PP_TRY(shared_context(id, &c));
    PP_CHECK(key.len == pp_aead_key_len(id), PP_E_RANGE, key.len);
    PP_CHECK(EVP_CipherInit_ex(c, NULL, NULL, key.at, NULL, seal) == 1, PP_E_CRYPTO, 0);
    pp_res r = seal ? seal_with(c, nonce, aad, in, out) : open_with(c, nonce, aad, in, out);
    forget_key(c);
    return r;
}

pp_res pp_aead_seal_once(uint16_t id, struct pp_span key, const uint8_t nonce[PP_AEAD_NONCE_BYTES],
                         struct pp_span aad, struct pp_span pt, uint8_t *out)
{
    return once(id, key, nonce, aad, pt, out, 1);
}

pp_res pp_aead_open_once(uint16_t id, struct pp_span key, const uint8_t nonce[PP_AEAD_NONCE_BYTES],
                         struct pp_span aad, struct pp_span ct, uint8_t *out)
{
    PP_CHECK(ct.len >= PP_AEAD_TAG_BYTES, PP_E_AUTH, ct.len);
    return once(id, key, nonce, aad, ct, out, 0);
}
