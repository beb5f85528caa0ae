/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include "ct.h"

#include "tlog_int.h"

pp_res pp_tlog_line(struct pp_span *rest, struct pp_span *ret)
{
    struct pp_span line;
    struct pp_span left = *rest;

    PP_CHECK(pp_text_cut(&left, '\n', &line), PP_E_TRUNCATED, 0);
    *rest = left;
    *ret = line;
    return PP_OK;
}

pp_res pp_tlog_value(struct pp_span line, struct pp_span key, struct pp_span *ret)
{
    struct pp_span k;

    PP_CHECK(pp_text_cut(&line, ' ', &k), PP_E_FORMAT, 0);
    PP_CHECK(pp_span_eq(k, key), PP_E_FORMAT, 0);
    *ret = line;
    return PP_OK;
}

static pp_res measure(struct pp_span text, uint8_t block[48], uint8_t head[48], size_t *ret_len)
{
    enum { CHARS = 64, BYTES = 48 };
    size_t total = 0;

    while (text.len > 0) {
        size_t n = text.len < CHARS ? text.len : CHARS;
        size_t len;
        PP_TRY(pp_base64_parse(pp_span(text.at, n), block, BYTES, &len));
        PP_CHECK(len == BYTES || n == text.len, PP_E_FORMAT, total); /* padding inside */
        if (total == 0)
            memcpy(head, block, len);
        total += len;
        text = pp_span(text.at + n, text.len - n);
    }
    *ret_len = total;
    return PP_OK;
}

pp_res pp_tlog_base64_measure(struct pp_span text, uint8_t ret_head[48], size_t *ret_len)
{
    uint8_t block[48];
    uint8_t head[48] = { 0 };
    pp_res r = measure(text, block, head, ret_len);

    if (pp_is_ok(r))
        memcpy(ret_head, head, sizeof head);
    pp_wipe(block, sizeof block); /* private keys pass here too */
    pp_wipe(head, sizeof head);
    return r;
}

pp_res pp_tlog_hash_parse(struct pp_span base64, struct pp_merkle_hash *ret)
{
    struct pp_merkle_hash h;
    size_t len;

    PP_TRY_AS(PP_E_FORMAT, pp_base64_parse(base64, h.bytes, sizeof h.bytes, &len));
    PP_CHECK(len == sizeof h.bytes, PP_E_FORMAT, len);
    *ret = h;
    return PP_OK;
}

pp_res pp_tlog_path_parse(struct pp_span *rest, struct pp_merkle_path *ret)
{
    struct pp_merkle_path path = { 0 };
    struct pp_span line;

    for (;;) {
        PP_TRY(pp_tlog_line(rest, &line));
        if (line.len == 0)
            break;
        PP_CHECK(path.count < PP_MERKLE_PATH_MAX, PP_E_LIMIT, path.count);
        PP_TRY(pp_tlog_hash_parse(line, &path.hashes[path.count]));
        path.count++;
    }
    *ret = path;
    return PP_OK;
}

void pp_tlog_path_write(struct pp_wr *wr, const struct pp_merkle_path *path)
{
    for (size_t i = 0; i < path->count; i++) {
        pp_wr_base64(wr, PP_BYTES(path->hashes[i].bytes));
        pp_wr_u8(wr, '\n');
    }
    pp_wr_u8(wr, '\n');
}
