/* SPDX-License-Identifier: Apache-2.0 */
#include "result.h"

#include <stdlib.h>
#include <unistd.h>

struct code_row {
    uint32_t code;
    enum pp_class cls;
    const char *name;
    const char *text;
    const char *todo;
};

static const struct code_row ROWS[] = {
#define PP_CODE_ROW(name, number, cls, text, todo) { number, PP_CLASS_##cls, #name, text, todo },
    PP_CODES(PP_CODE_ROW)
#undef PP_CODE_ROW
};

static const struct code_row *row_of(uint32_t code)
{
    static const struct code_row UNKNOWN = { UINT32_MAX, PP_CLASS_FAILED, "UNKNOWN",
                                             "an unknown failure", "report this as a bug" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++)
        if (ROWS[i].code == code)
            return &ROWS[i];
    return &UNKNOWN;
}

const char *pp_code_name(uint32_t code)
{
    return row_of(code)->name;
}

enum pp_class pp_code_class(uint32_t code)
{
    return row_of(code)->cls;
}

const char *pp_code_text(uint32_t code)
{
    return row_of(code)->text;
}

const char *pp_code_todo(uint32_t code)
{
    return row_of(code)->todo;
}

static void write_all(const char *text)
{
    size_t len = 0;

    while (text[len] != '\0')
        len++;
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, text, len);
        if (n <= 0)
            return;
        text += n;
        len -= (size_t)n;
    }
}

_Noreturn void pp_assert_failed(const char *where, const char *what)
{
    write_all("pp: broken invariant at ");
    write_all(where);
    write_all(": ");
    write_all(what);
    write_all("\n");
    abort();
}

pp_res pp_add(size_t a, size_t b, size_t *ret_sum)
{
    size_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return PP_FAIL(PP_E_RANGE, 0);
    *ret_sum = sum;
    return PP_OK;
}

pp_res pp_mul(size_t a, size_t b, size_t *ret_product)
{
    size_t product;

    if (__builtin_mul_overflow(a, b, &product))
        return PP_FAIL(PP_E_RANGE, 0);
    *ret_product = product;
    return PP_OK;
}
