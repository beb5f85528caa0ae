/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays a corpus folder through a fuzz target, then every entry with `-runs=N` deterministic
 * mutations. The coverage-guided engine of `make fuzz` finds new inputs; this driver keeps the
 * found ones working in every build, sanitizers included, with any compiler.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

enum { INPUT_BYTES_MAX = 1 << 20 };

static uint64_t state = 1;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static size_t mutate(uint8_t *bytes, size_t len, size_t cap)
{
    unsigned changes = 1 + (unsigned)(next() % 4);

    for (unsigned i = 0; i < changes; i++) {
        size_t at = len == 0 ? 0 : next() % len;
        switch (next() % 5) {
        case 0: /* flip a bit */
            if (len > 0)
                bytes[at] ^= (uint8_t)(1U << next() % 8);
            break;
        case 1: /* set a byte to an edge value */
            if (len > 0)
                bytes[at] = (uint8_t) "\x00\x01\x7f\x80\xff\x20\x0a\x3f"[next() % 8];
            break;
        case 2: /* cut the end */
            len = at;
            break;
        case 3: /* remove a byte */
            if (len > 0) {
                memmove(bytes + at, bytes + at + 1, len - at - 1);
                len--;
            }
            break;
        default: /* insert a byte */
            if (len < cap) {
                memmove(bytes + at + 1, bytes + at, len - at);
                bytes[at] = (uint8_t)next();
                len++;
            }
        }
    }
    return len;
}

static void run_exact(const uint8_t *bytes, size_t len)
{
    /* An exact allocation lets the address sanitizer see a read one past the end. */
    uint8_t *copy = malloc(len > 0 ? len : 1);

    FUZZ_CHECK(copy != NULL);
    if (len > 0)
        memcpy(copy, bytes, len);
    (void)LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

static int replay(const char *path, unsigned long runs)
{
    static uint8_t original[INPUT_BYTES_MAX];
    static uint8_t changed[INPUT_BYTES_MAX + 8];
    FILE *f = fopen(path, "rb");

    if (f == NULL) {
        perror(path);
        return -1;
    }
    size_t len = fread(original, 1, sizeof original, f);
    fclose(f);
    run_exact(original, len);
    for (unsigned long i = 0; i < runs; i++) {
        memcpy(changed, original, len);
        run_exact(changed, mutate(changed, len, sizeof changed));
    }
    return 0;
}

int main(int argc, char **argv)
{
    unsigned long runs = 0;
    unsigned long files = 0;
    const char *folder = NULL;

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "-runs=", 6) == 0)
            runs = strtoul(argv[i] + 6, NULL, 10);
        else
            folder = argv[i];
    }
    if (folder == NULL) {
        fprintf(stderr, "usage: %s [-runs=N] CORPUS_FOLDER\n", argv[0]);
        return 2;
    }
    run_exact(NULL, 0);
    struct dirent **names = NULL;
    int n = scandir(folder, &names, NULL, alphasort);
    if (n < 0) {
        perror(folder);
        return 1;
    }
    for (int i = 0; i < n; i++) {
        char path[4096];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
            if (replay(path, runs) != 0)
                return 1;
            files++;
        }
        free(names[i]);
    }
    free(names);
    printf("%lu corpus files, %lu mutations each\n", files, runs);
    return files == 0; /* an empty corpus proves nothing */
}
