/* SPDX-License-Identifier: Apache-2.0 */
/* PEM (RFC 7468) into DER; nothing here parses ASN.1. */
#include <stdlib.h>

#include "text.h"
#include "x509.h"

enum {
    BASE64_BYTES_MAX = PP_X509_DER_BYTES_MAX / 3 * 4 + 8,
    PEM_LINES_MAX = 4096, /* of a whole file */
};

static struct pp_span next_line(struct pp_span *rest)
{
    struct pp_span line;

    (void)pp_text_cut(rest, '\n', &line);
    if (line.len > 0 && line.at[line.len - 1] == '\r')
        line.len--;
    while (line.len > 0 && line.at[line.len - 1] == ' ')
        line.len--;
    return line;
}

static int starts_with(struct pp_span line, struct pp_span start)
{
    return line.len >= start.len && pp_span_eq(pp_span(line.at, start.len), start);
}

/* The lines behind a BEGIN line, up to and with its END line, as DER. */
static pp_res read_block(struct pp_span *rest, uint8_t *ret, size_t cap, size_t *ret_len)
{
    uint8_t base64[BASE64_BYTES_MAX];
    size_t len = 0;
    size_t der_len = 0;

    for (;;) {
        PP_CHECK(rest->len > 0, PP_E_FORMAT, 1);
        struct pp_span line = next_line(rest);
        if (pp_span_eq(line, PP_STR("-----END CERTIFICATE-----")))
            break;
        PP_CHECK(line.len <= sizeof base64 - len, PP_E_LIMIT, len);
        if (line.len > 0)
            memcpy(base64 + len, line.at, line.len);
        len += line.len;
    }
    pp_res r = pp_base64_parse(pp_span(base64, len), ret, cap, &der_len);
    if (r.code == PP_E_NO_SPACE)
        return r;
    PP_CHECK(pp_is_ok(r) && der_len > 0, PP_E_FORMAT, 2);
    *ret_len = der_len;
    return PP_OK;
}

/* Goes to the next BEGIN line and behind it; 0 when there is none. RFC 7468 allows text before it,
 * `is_bare` does not. */
static pp_res find_block(struct pp_span *rest, int is_bare, int *lines, int *ret_found)
{
    *ret_found = 0;
    for (; rest->len > 0 && !*ret_found; ++*lines) {
        PP_CHECK(*lines < PEM_LINES_MAX, PP_E_LIMIT, *lines);
        struct pp_span line = next_line(rest);
        *ret_found = pp_span_eq(line, PP_STR("-----BEGIN CERTIFICATE-----"));
        PP_CHECK(*ret_found || !starts_with(line, PP_STR("-----")), PP_E_FORMAT, 0);
        PP_CHECK(*ret_found || !is_bare || line.len == 0, PP_E_FORMAT, 4);
    }
    return PP_OK;
}

pp_res pp_x509_pem_split(struct pp_span pem, uint8_t *buf, size_t cap,
                         struct pp_span ret[PP_X509_CHAIN_MAX], size_t *ret_count)
{
    struct pp_span blocks[PP_X509_CHAIN_MAX];
    size_t count = 0;
    size_t used = 0;
    int lines = 0;
    int found;

    PP_TRY(find_block(&pem, 1, &lines, &found));
    while (found) {
        size_t len;
        PP_CHECK(count < PP_X509_CHAIN_MAX, PP_E_LIMIT, count);
        PP_TRY(read_block(&pem, buf + used, cap - used, &len));
        blocks[count++] = pp_span(buf + used, len);
        used += len;
        PP_TRY(find_block(&pem, 1, &lines, &found));
    }
    PP_CHECK(count > 0, PP_E_FORMAT, 3);
    memcpy(ret, blocks, count * sizeof blocks[0]);
    *ret_count = count;
    return PP_OK;
}

static pp_res read_all(struct pp_span rest, struct pp_x509_pem *pem)
{
    int lines = 0;
    int found;

    PP_TRY(find_block(&rest, 0, &lines, &found));
    while (found) {
        uint8_t *der;
        PP_CHECK(pem->count < PP_X509_CHAIN_MAX, PP_E_LIMIT, pem->count);
        PP_CHECK((der = malloc(BASE64_BYTES_MAX)) != NULL, PP_E_NO_MEMORY, 0);
        pem->der[pem->count++] = der; /* released with the others, also after a failure */
        PP_TRY(read_block(&rest, der, BASE64_BYTES_MAX, &pem->der_len[pem->count - 1]));
        PP_TRY(find_block(&rest, 0, &lines, &found));
    }
    PP_CHECK(pem->count > 0, PP_E_FORMAT, 3);
    return PP_OK;
}

pp_res pp_x509_pem_parse(struct pp_span pem, struct pp_x509_pem *ret)
{
    struct pp_x509_pem p = { 0 };
    pp_res r = read_all(pem, &p);

    if (!pp_is_ok(r)) {
        pp_x509_pem_free(&p);
        return r;
    }
    *ret = p;
    return PP_OK;
}

void pp_x509_pem_free(struct pp_x509_pem *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->der[i]);
    *p = (struct pp_x509_pem){ 0 };
}
