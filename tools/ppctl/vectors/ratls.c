/* SPDX-License-Identifier: Apache-2.0 */
/* RA-TLS: binding values, batch trees, and Evidence in the wrappings of others. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "binding.h"
#include "cmw.h"
#include "rd.h"
#include "topics.h"
#include "x509.h"

enum { FILE_BYTES_MAX = 1 << 20 };

#define CCC_OID "2.23.133.5.4.9"

static int ends_with(const char *file, const char *end)
{
    size_t a = strlen(file), b = strlen(end);

    return a >= b && strcmp(file + a - b, end) == 0;
}

static void row_name(char *ret, size_t cap, size_t i)
{
    struct pp_wr wr = pp_wr_over(ret, cap - 1);

    pp_wr_text(&wr, "row ");
    pp_wr_decimal(&wr, i);
    ret[wr.len] = '\0';
}

static void judge(struct vectors *v, const char *file, size_t i, const char *wrong)
{
    char name[32];

    row_name(name, sizeof name, i);
    if (wrong == NULL)
        vectors_pass(v, file, name);
    else
        vectors_fail(v, file, name, "%s", wrong);
}

/* Decodes a hex member into exactly `len` bytes. */
static int exactly(const json_t *row, const char *member, uint8_t *ret, size_t len)
{
    struct pp_buf b = vectors_hex(row, member);
    int ok = b.bytes != NULL && b.len == len;

    if (ok)
        memcpy(ret, b.bytes, len);
    pp_buf_done(&b);
    return ok;
}

static const char *binding_row(const json_t *row)
{
    struct pp_binding_input in = { 0 };
    const char *role = json_string_value(json_object_get(row, "role"));
    uint8_t want[PP_BINDING_BYTES], got[PP_BINDING_BYTES];
    struct pp_buf spki = vectors_hex(row, "spki_hex");

    in.spki = pp_buf_span(&spki);
    in.end = role != NULL && role[0] == 'c' ? PP_END_CLIENT : PP_END_SERVER;
    int ok = role != NULL && exactly(row, "ekm_hex", in.ekm, sizeof in.ekm) &&
             exactly(row, "config_digest_hex", in.config_digest, PP_DIGEST_BYTES) &&
             exactly(row, "gpu_digest_hex", in.gpu_digest, PP_DIGEST_BYTES) &&
             exactly(row, "message_key_digest_hex", in.message_key_digest, PP_DIGEST_BYTES) &&
             exactly(row, "binding_hex", want, sizeof want);
    pp_res r = ok ? pp_binding_of(&in, got) : PP_FAIL(PP_E_FORMAT, 0);
    pp_buf_done(&spki);
    if (!pp_is_ok(r))
        return "the row cannot be read";
    return memcmp(want, got, sizeof want) == 0 ? NULL : "the binding value differs";
}

struct batch {
    uint8_t bindings[PP_BATCH_SIZE_MAX][PP_BINDING_BYTES];
    uint8_t scratch[PP_BATCH_SIZE_MAX][PP_HASH_NODE_BYTES];
    struct pp_batch_path paths[PP_BATCH_SIZE_MAX];
};

static const char *path_differs(const struct pp_batch_path *p, const json_t *want)
{
    if (json_array_size(want) != p->node_count)
        return "a path has another length";
    for (size_t i = 0; i < p->node_count; i++) {
        struct pp_buf node = vectors_hex_text(json_string_value(json_array_get(want, i)));
        int same = pp_span_eq(pp_buf_span(&node), PP_BYTES(p->nodes[i]));
        pp_buf_done(&node);
        if (!same)
            return "a path's node differs";
    }
    return NULL;
}

static const char *batch_row(const json_t *row, struct batch *b)
{
    const json_t *bindings = json_object_get(row, "bindings_hex");
    const json_t *paths = json_object_get(row, "paths_hex");
    size_t count = json_array_size(bindings);
    uint8_t want[PP_REPORT_DATA_BYTES], got[PP_REPORT_DATA_BYTES];

    if (count > PP_BATCH_SIZE_MAX || !exactly(row, "report_data_hex", want, sizeof want))
        return "the row cannot be read";
    for (size_t i = 0; i < count; i++) {
        struct pp_buf one = vectors_hex_text(json_string_value(json_array_get(bindings, i)));
        int ok = one.bytes != NULL && one.len == PP_BINDING_BYTES;
        if (ok)
            memcpy(b->bindings[i], one.bytes, PP_BINDING_BYTES);
        pp_buf_done(&one);
        if (!ok)
            return "a binding value cannot be read";
    }
    if (!pp_is_ok(pp_batch_build((const uint8_t(*)[PP_BINDING_BYTES])b->bindings, count, b->scratch,
                                 b->paths, got)) ||
        memcmp(want, got, sizeof want) != 0)
        return "the report data differs";
    for (size_t i = 0; i < count; i++) {
        const char *wrong = path_differs(&b->paths[i], json_array_get(paths, i));
        if (wrong != NULL)
            return wrong;
        if (!pp_is_ok(pp_binding_report_data(b->bindings[i], &b->paths[i], got)) ||
            memcmp(want, got, sizeof want) != 0)
            return "a path does not fold to the report data";
    }
    return NULL;
}

static void json_file(struct vectors *v, const char *file)
{
    json_t *root = vectors_load(v, file);
    const json_t *rows = json_is_object(root) ? json_object_get(root, "rows") : root;
    struct batch *b = calloc(1, sizeof *b);
    size_t i;
    const json_t *row;

    if (b != NULL)
        json_array_foreach(rows, i, row)
        {
            if (json_object_get(row, "binding_hex") != NULL)
                judge(v, file, i, binding_row(row));
            else if (json_object_get(row, "bindings_hex") != NULL)
                judge(v, file, i, batch_row(row, b));
            else
                vectors_skip(v, file, "-", "not a row of this topic");
        }
    free(b);
    json_decref(root);
}

static void cmw_file(struct vectors *v, const char *file)
{
    struct pp_buf text = { 0 };
    struct pp_cmw cmw;

    pp_res r = pp_file_read(AT_FDCWD, file, FILE_BYTES_MAX, &text);
    size_t len = text.len;
    while (pp_is_ok(r) && len > 0 && (text.bytes[len - 1] == '\n' || text.bytes[len - 1] == '\r'))
        text.bytes[--len] = '\0';
    struct pp_buf bytes = vectors_hex_text((const char *)text.bytes);
    if (pp_is_ok(r))
        r = pp_cmw_parse(pp_buf_span(&bytes), &cmw);
    if (!pp_is_ok(r))
        vectors_fail(v, file, "-", "%s at %s", pp_code_name(r.code), r.where);
    else if (cmw.records[0].value.len == 0 || cmw.records[0].media_type.len == 0)
        vectors_fail(v, file, "-", "no value or no media type");
    else
        vectors_pass(v, file, "-");
    pp_buf_done(&bytes);
    pp_buf_done(&text);
}

/* An SGX quote's report data begins with SHA-256 of the claims (version 3: at byte 48 + 320). */
static int quote_names_claims(const struct pp_ccc_evidence *e)
{
    enum { REPORT_DATA_AT = 48 + 320 };
    uint8_t digest[PP_SHA256_BYTES];
    struct pp_rd rd = pp_rd_span(e->quote);

    pp_sha256(e->claims, digest);
    pp_rd_skip(&rd, REPORT_DATA_AT);
    struct pp_span begins = pp_rd_bytes(&rd, sizeof digest);
    return pp_span_eq(begins, PP_BYTES(digest));
}

static const char *certificate(const struct pp_x509 *cert)
{
    struct pp_ccc_evidence e;
    struct pp_span extension;
    uint8_t spki[512], digest[PP_HASH_BYTES_MAX];
    size_t spki_len = 0;

    if (!pp_is_ok(pp_x509_extension(cert, CCC_OID, &extension)))
        return "no extension " CCC_OID;
    if (!pp_is_ok(pp_ccc_parse(extension, &e)))
        return "the extension cannot be read";
    if (!pp_is_ok(pp_x509_spki(cert, spki, sizeof spki, &spki_len)))
        return "no public key";
    pp_hash_of(e.hash, pp_span(spki, spki_len), digest);
    if (!pp_span_eq(e.pubkey_hash, pp_span(digest, pp_hash_len(e.hash))))
        return "the evidence is for another key";
    return quote_names_claims(&e) ? NULL : "the quote is for other claims";
}

static void pem_file(struct vectors *v, const char *file)
{
    struct pp_buf text = { 0 };
    struct pp_x509_pem pem = { 0 };
    struct pp_x509 *cert = NULL;

    pp_res r = pp_file_read(AT_FDCWD, file, FILE_BYTES_MAX, &text);
    if (pp_is_ok(r))
        r = pp_x509_pem_parse(pp_buf_span(&text), &pem);
    if (pp_is_ok(r))
        r = pp_x509_parse(pp_span(pem.der[0], pem.der_len[0]), &cert);
    const char *wrong = pp_is_ok(r) ? certificate(cert) : pp_code_name(r.code);
    if (wrong == NULL)
        vectors_pass(v, file, "-");
    else
        vectors_fail(v, file, "-", "%s", wrong);
    pp_x509_free(cert);
    pp_x509_pem_free(&pem);
    pp_buf_done(&text);
}

static void run_file(struct vectors *v, const char *file)
{
    if (ends_with(file, ".json"))
        json_file(v, file);
    else if (ends_with(file, ".hex"))
        cmw_file(v, file);
    else if (ends_with(file, ".pem"))
        pem_file(v, file);
}

void vectors_ratls(struct vectors *v, const char *path)
{
    vectors_walk(v, path, run_file);
}
