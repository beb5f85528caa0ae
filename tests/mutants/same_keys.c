/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loaded before libcrypto by the mutation run: RSA keys, which take seconds to make, come from
 * files of an earlier test. The n-th key of a program is the same in each of its runs, and no two
 * keys of one program are equal. Which test notices a missing check depends on no key.
 *
 * PP_SAME_KEYS is the folder. Libcrypto's types are only passed on here: no header of it is needed.
 */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DER_BYTES_MAX = 16384, PATH_BYTES_MAX = 4096 };

void *d2i_AutoPrivateKey(void **key, const uint8_t **at, long len);
int i2d_PrivateKey(const void *key, uint8_t **at);
void *EVP_PKEY_Q_keygen(void *libctx, const char *propq, const char *type, ...);

static void *load(const char *path)
{
    static uint8_t der[DER_BYTES_MAX];
    const uint8_t *at = der;
    FILE *f = fopen(path, "rb");

    if (f == NULL)
        return NULL;
    size_t len = fread(der, 1, sizeof der, f);
    fclose(f);
    return d2i_AutoPrivateKey(NULL, &at, (long)len);
}

static void store(const char *path, const void *key)
{
    char own[PATH_BYTES_MAX + 16];
    uint8_t *der = NULL;
    int len = i2d_PrivateKey(key, &der);

    snprintf(own, sizeof own, "%s.%ld", path, (long)getpid());
    FILE *f = len > 0 ? fopen(own, "wb") : NULL;
    if (f != NULL && fwrite(der, 1, (size_t)len, f) == (size_t)len && fclose(f) == 0)
        (void)rename(own, path); /* whole or not at all */
}

void *EVP_PKEY_Q_keygen(void *libctx, const char *propq, const char *type, ...)
{
    static unsigned made;
    void *(*real)(void *, const char *, const char *, ...);
    const char *folder = getenv("PP_SAME_KEYS");
    char path[PATH_BYTES_MAX];
    void *symbol = dlsym(RTLD_NEXT, "EVP_PKEY_Q_keygen");
    va_list args;

    memcpy(&real, &symbol, sizeof real);
    va_start(args, type);
    if (strcmp(type, "RSA") != 0) {
        const char *group = strcmp(type, "EC") == 0 ? va_arg(args, const char *) : NULL;
        va_end(args);
        return group != NULL ? real(libctx, propq, type, group) : real(libctx, propq, type);
    }
    size_t bits = va_arg(args, size_t);
    va_end(args);
    if (folder == NULL)
        return real(libctx, propq, type, bits);
    snprintf(path, sizeof path, "%s/rsa-%zu-%u.der", folder, bits, made++);
    void *key = load(path);
    if (key == NULL) {
        key = real(libctx, propq, type, bits);
        if (key != NULL)
            store(path, key);
    }
    return key;
}
