/* SPDX-License-Identifier: Apache-2.0 */
#include "gunzip.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum { FIRST_BYTES = 1 << 14, GZIP_ALONE = 16 + MAX_WBITS };

/* More room, up to `max` and the one byte that tells that there would be more. */
static pp_res grow(struct pp_buf *b, size_t *cap, size_t max)
{
    size_t more = *cap == 0 ? FIRST_BYTES : 2 * *cap;

    if (more > max + 1)
        more = max + 1;
    uint8_t *bytes = realloc(b->bytes, more + 1);
    PP_CHECK(bytes != NULL, PP_E_NO_MEMORY, more);
    b->bytes = bytes;
    *cap = more;
    return PP_OK;
}

static pp_res inflate_all(z_stream *z, size_t max, struct pp_buf *b)
{
    size_t cap = 0;

    for (;;) {
        if (b->len == cap)
            PP_TRY(grow(b, &cap, max));
        z->next_out = b->bytes + b->len;
        z->avail_out = (uInt)(cap - b->len);
        int status = inflate(z, Z_NO_FLUSH);
        b->len = cap - z->avail_out;
        PP_CHECK(b->len <= max, PP_E_LIMIT, max);
        if (status == Z_STREAM_END)
            break;
        PP_CHECK(status != Z_MEM_ERROR, PP_E_NO_MEMORY, cap);
        PP_CHECK(status == Z_OK || status == Z_BUF_ERROR, PP_E_FORMAT, z->total_in);
        PP_CHECK(z->avail_in > 0 || z->avail_out == 0, PP_E_TRUNCATED, z->total_in);
    }
    PP_CHECK(z->avail_in == 0, PP_E_TRAILING, z->avail_in);
    b->bytes[b->len] = 0;
    return PP_OK;
}

pp_res pp_gunzip(struct pp_span packed, size_t max, struct pp_buf *ret)
{
    z_stream z = { 0 };
    struct pp_buf b = { 0 };

    PP_CHECK(packed.len <= INT_MAX && max < INT_MAX, PP_E_LIMIT, packed.len);
    PP_CHECK(inflateInit2(&z, GZIP_ALONE) == Z_OK, PP_E_NO_MEMORY, 0);
    z.next_in = (Bytef *)(uintptr_t)packed.at; /* zlib 1.2 without ZLIB_CONST; it only reads */
    z.avail_in = (uInt)packed.len;
    pp_res r = inflate_all(&z, max, &b);
    (void)inflateEnd(&z);
    if (!pp_is_ok(r)) {
        pp_buf_done(&b);
        return r;
    }
    *ret = b;
    return PP_OK;
}
