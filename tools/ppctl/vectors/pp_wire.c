/* SPDX-License-Identifier: Apache-2.0 */
/* Our own formats: parse, compare the fields, write back. */
#include "pp_wire.h"

#include <stdlib.h>
#include <string.h>

#include "topics.h"

enum { ARENA_BYTES = 4 << 20, TAIL_BYTES_MAX = 1 << 20 };

static const struct {
    const char *name;
    pp_wire_run *run;
} FORMATS[] = {
    { "answer", pp_wire_answer },
    { "assertion", pp_wire_assertion },
    { "bundle", pp_wire_bundle },
    { "challenge", pp_wire_challenge },
    { "clienthello", pp_wire_clienthello },
    { "evidence", pp_wire_evidence },
    { "evidence-body", pp_wire_evidence_body },
    { "frame", pp_wire_frame },
    { "handle", pp_wire_handle },
    { "hints", pp_wire_hints },
    { "padded", pp_wire_padded },
    { "receipt", pp_wire_receipt },
    { "request", pp_wire_request },
    { "seal", pp_wire_seal },
    { "token-field", pp_wire_token_field },
    { "wallet-entry", pp_wire_wallet_entry },
};

json_t *pp_wire_hex(struct pp_span bytes)
{
    char *text = malloc(2 * bytes.len + 1);
    struct pp_wr wr = pp_wr_over(text, 2 * bytes.len);

    if (text == NULL)
        return NULL;
    pp_wr_hex(&wr, bytes);
    json_t *s = json_stringn(text, wr.len);
    free(text);
    return s;
}

/* hex || zeros || tail, malloc'ed; NULL bytes when the row is malformed. */
static struct pp_buf row_bytes(const json_t *row)
{
    struct pp_buf b = vectors_hex(row, "hex");
    struct pp_buf tail = vectors_hex_text("");
    size_t zeros = (size_t)json_integer_value(json_object_get(row, "zeros"));
    struct pp_buf all = { 0 };

    if (json_object_get(row, "tail") != NULL) {
        pp_buf_done(&tail);
        tail = vectors_hex(row, "tail");
    }
    if (b.bytes != NULL && tail.bytes != NULL && zeros <= TAIL_BYTES_MAX &&
        (all.bytes = calloc(1, b.len + zeros + tail.len + 1)) != NULL) {
        struct pp_wr wr = pp_wr_over(all.bytes, b.len + zeros + tail.len);
        pp_wr_span(&wr, pp_buf_span(&b));
        pp_wr_zeros(&wr, zeros);
        pp_wr_span(&wr, pp_buf_span(&tail));
        all.len = wr.len;
    }
    pp_buf_done(&b);
    pp_buf_done(&tail);
    return all;
}

static void judge(struct vectors *v, const char *file, const json_t *row, const char *name,
                  pp_res r, const json_t *fields)
{
    const char *expect = json_string_value(json_object_get(row, "expect"));
    const char *got = pp_is_ok(r) ? "ok" : pp_code_name(r.code);

    if (expect == NULL) {
        vectors_fail(v, file, name, "no `expect`");
    } else if (strcmp(expect, got) != 0) {
        vectors_fail(v, file, name, "expected %s, got %s (detail %u, %s)", expect, got, r.detail,
                     r.where == NULL ? "-" : r.where);
    } else if (pp_is_ok(r) && !json_equal(fields, json_object_get(row, "fields"))) {
        char *text = json_dumps(fields, JSON_COMPACT);
        vectors_fail(v, file, name, "fields differ: %.400s", text == NULL ? "" : text);
        free(text);
    } else {
        vectors_pass(v, file, name);
    }
}

static void run_row(struct vectors *v, const char *file, pp_wire_run *run, const json_t *row,
                    struct pp_arena *arena)
{
    const char *name = json_string_value(json_object_get(row, "name"));
    struct pp_buf bytes = row_bytes(row);
    json_t *fields = NULL;

    if (name == NULL || bytes.bytes == NULL) {
        vectors_fail(v, file, name == NULL ? "-" : name, "the row has no name or no hex");
    } else {
        pp_res r = run(row, pp_buf_span(&bytes), arena, &fields);
        judge(v, file, row, name, r, fields);
    }
    json_decref(fields);
    pp_buf_done(&bytes);
    pp_arena_reset(arena);
}

static void run_file(struct vectors *v, const char *file)
{
    static _Alignas(16) uint8_t memory[ARENA_BYTES];
    struct pp_arena arena = pp_arena_over(memory, sizeof memory);
    size_t len = strlen(file);
    size_t i;
    const json_t *row;

    if (len < 5 || strcmp(file + len - 5, ".json") != 0)
        return; /* the scripts that made them */
    json_t *root = vectors_load(v, file);
    const char *format = json_string_value(json_object_get(root, "format"));
    pp_wire_run *run = NULL;
    for (i = 0; format != NULL && i < PP_ARRAY_COUNT(FORMATS); i++)
        if (strcmp(FORMATS[i].name, format) == 0)
            run = FORMATS[i].run;
    if (root != NULL && run == NULL)
        vectors_skip(v, file, "-", "not a format that this build reads");
    if (run != NULL)
        json_array_foreach(json_object_get(root, "rows"), i, row)
            run_row(v, file, run, row, &arena);
    json_decref(root);
}

void vectors_pp_wire(struct vectors *v, const char *path)
{
    vectors_walk(v, path, run_file);
}
