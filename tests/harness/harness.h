/* SPDX-License-Identifier: Apache-2.0 */
/* harness.h: what unit tests share. Include it first. */
#ifndef PP_HARNESS_H
#define PP_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "result.h"
#include "span.h"

/* Runs every test of the array `tests` as a group named after the file. */
#define PP_TEST_MAIN(tests)                                                                        \
    int main(void)                                                                                 \
    {                                                                                              \
        return cmocka_run_group_tests(tests, NULL, NULL);                                          \
    }

static inline void assert_code_(pp_res r, uint32_t code, const char *file, int line)
{
    if (r.code == code)
        return;
    print_error("expected %s, got %s (detail %u) from %s\n", pp_code_name(code),
                pp_code_name(r.code), r.detail, r.where == NULL ? "-" : r.where);
    _fail(file, line);
}

#define assert_code(r, c) assert_code_((r), (uint32_t)(c), __FILE__, __LINE__)
#define assert_ok(r)      assert_code_((r), PP_E_OK, __FILE__, __LINE__)

static inline int pp_test_hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Decodes the hex of a test constant; spaces are skipped. Returns the number of bytes. */
static inline size_t pp_test_hex(const char *hex, uint8_t *ret, size_t cap)
{
    size_t n = 0;

    while (*hex != '\0') {
        if (*hex == ' ' || *hex == '\n') {
            hex++;
            continue;
        }
        int hi = pp_test_hex_digit(hex[0]);
        int lo = hi < 0 ? -1 : pp_test_hex_digit(hex[1]);
        assert_true(hi >= 0 && lo >= 0);
        assert_true(n < cap);
        ret[n++] = (uint8_t)(hi << 4 | lo);
        hex += 2;
    }
    return n;
}

/* A hex constant as an array: PP_HEX(key, "00ff"); gives `key` (bytes) and `key_len`. */
#define PP_HEX(name, text)                                                                         \
    uint8_t name[sizeof(text) / 2 + 1];                                                            \
    size_t name##_len = pp_test_hex((text), name, sizeof name);                                    \
    (void)name##_len

static inline void assert_hex_(const void *bytes, size_t len, const char *text, const char *file,
                               int line)
{
    uint8_t *want = malloc(strlen(text) / 2 + 1);

    assert_non_null(want);
    size_t want_len = pp_test_hex(text, want, strlen(text) / 2 + 1);
    _assert_int_equal(len, want_len, file, line);
    _assert_memory_equal(bytes, want, want_len, file, line);
    free(want);
}

#define assert_hex(bytes, len, text) assert_hex_((bytes), (len), (text), __FILE__, __LINE__)

/* Opens a file of the source tree, "tests/vectors/x.json"; the caller closes it. */
static inline FILE *pp_test_open(const char *path)
{
    char full[4096];
    const char *root = getenv("PP_TEST_ROOT");

    snprintf(full, sizeof full, "%s/%s", root == NULL ? "." : root, path);
    FILE *f = fopen(full, "rb");
    if (f == NULL)
        print_error("cannot open %s\n", full);
    assert_non_null(f);
    return f;
}

/* Reads a whole file of the source tree; the caller frees. NUL-terminated. */
static inline uint8_t *pp_test_read(const char *path, size_t *ret_len)
{
    FILE *f = pp_test_open(path);

    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    long size = ftell(f);
    assert_true(size >= 0);
    rewind(f);
    uint8_t *bytes = malloc((size_t)size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)size, f), (size_t)size);
    bytes[size] = 0;
    fclose(f);
    *ret_len = (size_t)size;
    return bytes;
}

#endif
