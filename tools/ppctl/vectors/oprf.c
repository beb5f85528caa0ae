/* SPDX-License-Identifier: Apache-2.0 */
/* Topic oprf: rows of RFC 9497 appendix A and of other implementations in the same form. */
#include "topics.h"

#include <stdlib.h>
#include <string.h>

#include "oprf.h"

enum { ROW_NAME_BYTES = 96 };

/* A member that is one hex text, several with commas between them, or an array of hex texts. */
struct list {
    struct pp_buf items[PP_OPRF_BATCH_MAX];
    size_t count;
};

static void list_done(struct list *l)
{
    for (size_t i = 0; i < l->count; i++)
        pp_buf_done(&l->items[i]);
    l->count = 0;
}

/* Adds one item; 0 if it is not hex, has another length than `len` (0: any), or is one too many. */
static int list_add(struct list *l, const char *hex, size_t len)
{
    if (hex == NULL || l->count == PP_ARRAY_COUNT(l->items))
        return 0;
    struct pp_buf b = vectors_hex_text(hex);
    if (b.bytes == NULL)
        return 0;
    l->items[l->count++] = b;
    return len == 0 || b.len == len;
}

static int list_add_parts(struct list *l, const char *text, size_t len)
{
    char *copy = text == NULL ? NULL : strdup(text);
    int good = copy != NULL;
    char *at = copy;

    while (good && at != NULL)
        good = list_add(l, strsep(&at, ","), len);
    free(copy);
    return good;
}

static int list_read(struct list *l, const json_t *member, size_t len)
{
    const json_t *item;
    size_t i;

    if (!json_is_array(member))
        return list_add_parts(l, json_string_value(member), len);
    json_array_foreach(member, i, item)
    {
        if (!list_add(l, json_string_value(item), len))
            return 0;
    }
    return 1;
}

struct row {
    enum pp_oprf_mode mode;
    struct list blinds, blinded, evaluated, inputs, outputs;
    struct pp_buf seed, info, sk, pk, proof, proof_random; /* NULL bytes when absent */
    uint8_t derived_pk[PP_OPRF_ELEMENT_BYTES];
};

static void row_done(struct row *r)
{
    list_done(&r->blinds);
    list_done(&r->blinded);
    list_done(&r->evaluated);
    list_done(&r->inputs);
    list_done(&r->outputs);
    pp_buf_done(&r->seed);
    pp_buf_done(&r->info);
    pp_buf_done(&r->sk);
    pp_buf_done(&r->pk);
    pp_buf_done(&r->proof);
    pp_buf_done(&r->proof_random);
}

static int row_read(struct row *r, const json_t *v)
{
    const json_t *proof = json_object_get(v, "Proof");

    r->seed = vectors_hex(v, "seed");
    r->info = vectors_hex(v, "keyInfo");
    r->sk = vectors_hex(v, "skSm");
    r->pk = vectors_hex(v, "pkSm");
    r->proof = json_is_object(proof) ? vectors_hex(proof, "proof")
                                     : vectors_hex_text(json_string_value(proof));
    r->proof_random = vectors_hex(proof, "r");
    return list_read(&r->blinds, json_object_get(v, "Blind"), PP_OPRF_SCALAR_BYTES) &&
           list_read(&r->blinded, json_object_get(v, "BlindedElement"), PP_OPRF_ELEMENT_BYTES) &&
           list_read(&r->evaluated, json_object_get(v, "EvaluationElement"),
                     PP_OPRF_ELEMENT_BYTES) &&
           list_read(&r->inputs, json_object_get(v, "Input"), 0) &&
           list_read(&r->outputs, json_object_get(v, "Output"), PP_OPRF_OUTPUT_BYTES) &&
           r->inputs.count == r->blinds.count && r->inputs.count == r->blinded.count &&
           r->inputs.count == r->evaluated.count && r->inputs.count == r->outputs.count &&
           r->sk.len == PP_OPRF_SCALAR_BYTES &&
           (r->mode == PP_OPRF || r->proof.len == PP_OPRF_PROOF_BYTES);
}

static const char *check_keys(struct row *r)
{
    PP_AUTO(pp_secret) sk = { 0 };
    uint8_t pk[PP_OPRF_ELEMENT_BYTES];

    if (!pp_is_ok(pp_oprf_public(pp_buf_span(&r->sk), r->derived_pk)))
        return "the private key is refused";
    if (r->pk.bytes != NULL && !pp_span_eq(pp_buf_span(&r->pk), PP_BYTES(r->derived_pk)))
        return "another public key";
    if (r->seed.bytes == NULL)
        return NULL;
    if (!pp_is_ok(
            pp_oprf_derive_key(r->mode, pp_buf_span(&r->seed), pp_buf_span(&r->info), &sk, pk)) ||
        !pp_span_eq(pp_secret_span(&sk), pp_buf_span(&r->sk)) ||
        !pp_span_eq(PP_BYTES(pk), PP_BYTES(r->derived_pk)))
        return "DeriveKeyPair gives another key";
    return NULL;
}

/* The given scalar as the 64 random bytes that reduce to it. */
static struct pp_span as_random(const struct pp_buf *scalar, uint8_t wide[PP_OPRF_RANDOM_BYTES])
{
    memset(wide, 0, PP_OPRF_RANDOM_BYTES);
    memcpy(wide, scalar->bytes, PP_OPRF_SCALAR_BYTES);
    return pp_span(wide, PP_OPRF_RANDOM_BYTES);
}

static const char *check_client(const struct row *r, size_t i)
{
    struct pp_span input = pp_buf_span(&r->inputs.items[i]);
    uint8_t wide[PP_OPRF_RANDOM_BYTES], blind[PP_OPRF_SCALAR_BYTES];
    uint8_t blinded[PP_OPRF_ELEMENT_BYTES], output[PP_OPRF_OUTPUT_BYTES];
    struct pp_span script = as_random(&r->blinds.items[i], wide);
    struct pp_random random = pp_random_script(&script);

    if (!pp_is_ok(pp_oprf_blind(r->mode, input, &random, blind, blinded)) ||
        !pp_span_eq(PP_BYTES(blinded), pp_buf_span(&r->blinded.items[i])))
        return "another blinded element";
    if (!pp_is_ok(pp_oprf_finalize(input, pp_buf_span(&r->blinds.items[i]),
                                   r->evaluated.items[i].bytes, output)) ||
        !pp_span_eq(PP_BYTES(output), pp_buf_span(&r->outputs.items[i])))
        return "Finalize gives another output";
    if (!pp_is_ok(pp_oprf_evaluate(r->mode, pp_buf_span(&r->sk), input, output)) ||
        !pp_span_eq(PP_BYTES(output), pp_buf_span(&r->outputs.items[i])))
        return "Evaluate gives another output";
    return NULL;
}

static const char *check_unproven(const struct row *r, size_t i)
{
    uint8_t evaluated[PP_OPRF_ELEMENT_BYTES];

    if (!pp_is_ok(
            pp_oprf_evaluate_blinded(pp_buf_span(&r->sk), r->blinded.items[i].bytes, evaluated)) ||
        !pp_span_eq(PP_BYTES(evaluated), pp_buf_span(&r->evaluated.items[i])))
        return "another evaluated element";
    return NULL;
}

static void flatten(const struct list *l, uint8_t *ret)
{
    for (size_t i = 0; i < l->count; i++)
        memcpy(ret + i * PP_OPRF_ELEMENT_BYTES, l->items[i].bytes, PP_OPRF_ELEMENT_BYTES);
}

/* The proof is made again where its randomness is given, and verified in any case. */
static const char *check_proof(const struct row *r)
{
    uint8_t blinded[PP_OPRF_BATCH_MAX * PP_OPRF_ELEMENT_BYTES];
    uint8_t expected[PP_OPRF_BATCH_MAX * PP_OPRF_ELEMENT_BYTES];
    uint8_t evaluated[PP_OPRF_BATCH_MAX * PP_OPRF_ELEMENT_BYTES];
    uint8_t wide[PP_OPRF_RANDOM_BYTES], proof[PP_OPRF_PROOF_BYTES];
    size_t count = r->blinded.count;
    struct pp_span script = { 0 };
    struct pp_random random = pp_random_system();
    int again = r->proof_random.len == PP_OPRF_SCALAR_BYTES;

    flatten(&r->blinded, blinded);
    flatten(&r->evaluated, expected);
    if (again) {
        script = as_random(&r->proof_random, wide);
        random = pp_random_script(&script);
    }
    if (!pp_is_ok(pp_voprf_evaluate_batch(pp_buf_span(&r->sk), r->derived_pk, blinded, count,
                                          &random, evaluated, proof)) ||
        memcmp(evaluated, expected, count * PP_OPRF_ELEMENT_BYTES) != 0)
        return "another evaluated element";
    if (again && !pp_span_eq(PP_BYTES(proof), pp_buf_span(&r->proof)))
        return "another proof";
    if (!pp_is_ok(pp_voprf_verify_batch(r->derived_pk, blinded, expected, count, proof)))
        return "our own proof does not verify";
    if (!pp_is_ok(pp_voprf_verify_batch(r->derived_pk, blinded, expected, count, r->proof.bytes)))
        return "the given proof does not verify";
    return NULL;
}

static const char *check_row(struct row *r, const json_t *v)
{
    if (!row_read(r, v) || r->inputs.count == 0)
        return "the row is not of the format";
    const char *why = check_keys(r);
    for (size_t i = 0; why == NULL && i < r->inputs.count; i++) {
        why = check_client(r, i);
        if (why == NULL && r->mode == PP_OPRF)
            why = check_unproven(r, i);
    }
    if (why == NULL && r->mode == PP_VOPRF)
        why = check_proof(r);
    return why;
}

static void run_row(struct vectors *v, const char *file, size_t index, const json_t *object)
{
    const char *suite = json_string_value(json_object_get(object, "identifier"));
    json_int_t mode = json_integer_value(json_object_get(object, "mode"));
    char name[ROW_NAME_BYTES];

    snprintf(name, sizeof name, "%zu %s mode %lld", index, suite == NULL ? "?" : suite,
             (long long)mode);
    if (suite == NULL || strcmp(suite, "ristretto255-SHA512") != 0) {
        vectors_skip(v, file, name, "this group is not offered");
        return;
    }
    if (mode != PP_OPRF && mode != PP_VOPRF) {
        vectors_skip(v, file, name, "POPRF is not offered");
        return;
    }
    struct row *r = calloc(1, sizeof *r);
    if (r == NULL) {
        vectors_fail(v, file, name, "out of memory");
        return;
    }
    r->mode = mode == PP_OPRF ? PP_OPRF : PP_VOPRF;
    const char *why = check_row(r, object);
    if (why == NULL)
        vectors_pass(v, file, name);
    else
        vectors_fail(v, file, name, "%s", why);
    row_done(r);
    free(r);
}

static void run_file(struct vectors *v, const char *file)
{
    size_t len = strlen(file);

    if (len < 5 || strcmp(file + len - 5, ".json") != 0) {
        vectors_skip(v, file, "-", "not a JSON file");
        return;
    }
    json_t *root = vectors_load(v, file);
    if (root == NULL)
        return;
    const json_t *rows = json_object_get(root, "vectors");
    if (!json_is_array(rows))
        vectors_skip(v, file, "-", "no array of vectors");
    for (size_t i = 0; i < json_array_size(rows); i++)
        run_row(v, file, i, json_array_get(rows, i));
    json_decref(root);
}

void vectors_oprf(struct vectors *v, const char *path)
{
    vectors_walk(v, path, run_file);
}
