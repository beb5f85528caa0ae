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

static const struct {
    const char *identifier;
    const struct pp_oprf_suite *suite;
} SUITES[] = {
    { "ristretto255-SHA512", &PP_RISTRETTO255_SHA512 },
    { "P256-SHA256", &PP_P256_SHA256 },
    { "P384-SHA384", &PP_P384_SHA384 },
};

struct row {
    const struct pp_oprf_suite *suite;
    enum pp_oprf_mode mode;
    size_t element_bytes, scalar_bytes;
    struct list blinds, blinded, evaluated, inputs, outputs;
    struct pp_buf seed, key_info, info, sk, pk, proof, proof_random; /* NULL bytes when absent */
    uint8_t derived_pk[PP_OPRF_ELEMENT_BYTES_MAX];
    uint8_t proof_pk[PP_OPRF_ELEMENT_BYTES_MAX]; /* the tweaked key in POPRF mode */
};

static void row_done(struct row *r)
{
    list_done(&r->blinds);
    list_done(&r->blinded);
    list_done(&r->evaluated);
    list_done(&r->inputs);
    list_done(&r->outputs);
    pp_buf_done(&r->seed);
    pp_buf_done(&r->key_info);
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
    r->key_info = vectors_hex(v, "keyInfo");
    r->info = vectors_hex(v, "Info");
    r->sk = vectors_hex(v, "skSm");
    r->pk = vectors_hex(v, "pkSm");
    r->proof = json_is_object(proof) ? vectors_hex(proof, "proof")
                                     : vectors_hex_text(json_string_value(proof));
    r->proof_random = vectors_hex(proof, "r");
    return list_read(&r->blinds, json_object_get(v, "Blind"), r->scalar_bytes) &&
           list_read(&r->blinded, json_object_get(v, "BlindedElement"), r->element_bytes) &&
           list_read(&r->evaluated, json_object_get(v, "EvaluationElement"), r->element_bytes) &&
           list_read(&r->inputs, json_object_get(v, "Input"), 0) &&
           list_read(&r->outputs, json_object_get(v, "Output"), pp_oprf_output_bytes(r->suite)) &&
           r->inputs.count == r->blinds.count && r->inputs.count == r->blinded.count &&
           r->inputs.count == r->evaluated.count && r->inputs.count == r->outputs.count &&
           r->sk.len == r->scalar_bytes &&
           (r->mode == PP_OPRF || r->proof.len == 2 * r->scalar_bytes);
}

/* 1 if the library's bytes are those of the row. */
static int same(const uint8_t *bytes, const struct pp_buf *expected)
{
    return pp_span_eq(pp_span(bytes, expected->len), pp_buf_span(expected));
}

static const char *check_keys(struct row *r)
{
    PP_AUTO(pp_secret) sk = { 0 };
    uint8_t pk[PP_OPRF_ELEMENT_BYTES_MAX];

    if (!pp_is_ok(pp_oprf_public(r->suite, pp_buf_span(&r->sk), r->derived_pk)))
        return "the private key is refused";
    if (r->pk.bytes != NULL && (r->pk.len != r->element_bytes || !same(r->derived_pk, &r->pk)))
        return "another public key";
    memcpy(r->proof_pk, r->derived_pk, sizeof r->proof_pk);
    if (r->mode == PP_POPRF &&
        !pp_is_ok(pp_poprf_tweak(r->suite, r->derived_pk, pp_buf_span(&r->info), r->proof_pk)))
        return "the tweaked key is refused";
    if (r->seed.bytes == NULL)
        return NULL;
    if (!pp_is_ok(pp_oprf_derive_key(r->suite, r->mode, pp_buf_span(&r->seed),
                                     pp_buf_span(&r->key_info), &sk, pk)) ||
        !pp_span_eq(pp_secret_span(&sk), pp_buf_span(&r->sk)) ||
        memcmp(pk, r->derived_pk, r->element_bytes) != 0)
        return "DeriveKeyPair gives another key";
    return NULL;
}

/* The given scalar as the random bytes that reduce to it: ristretto255 reads the number from its
 * low end, the NIST suites from its high end. */
static struct pp_span as_random(const struct row *r, const struct pp_buf *scalar,
                                uint8_t wide[PP_OPRF_RANDOM_BYTES_MAX])
{
    size_t len = pp_oprf_random_bytes(r->suite);
    size_t zeros = r->suite == &PP_RISTRETTO255_SHA512 ? 0 : len - r->scalar_bytes;

    memset(wide, 0, len);
    memcpy(wide + zeros, scalar->bytes, r->scalar_bytes);
    return pp_span(wide, len);
}

static pp_res finalize(const struct row *r, size_t i, uint8_t *ret)
{
    struct pp_span input = pp_buf_span(&r->inputs.items[i]);
    struct pp_span blind = pp_buf_span(&r->blinds.items[i]);
    const uint8_t *evaluated = r->evaluated.items[i].bytes;

    if (r->mode == PP_POPRF)
        return pp_poprf_finalize(r->suite, input, pp_buf_span(&r->info), blind, evaluated, ret);
    return pp_oprf_finalize(r->suite, input, blind, evaluated, ret);
}

static pp_res evaluate(const struct row *r, size_t i, uint8_t *ret)
{
    struct pp_span input = pp_buf_span(&r->inputs.items[i]);

    if (r->mode == PP_POPRF)
        return pp_poprf_evaluate(r->suite, pp_buf_span(&r->sk), input, pp_buf_span(&r->info), ret);
    return pp_oprf_evaluate(r->suite, r->mode, pp_buf_span(&r->sk), input, ret);
}

static const char *check_client(const struct row *r, size_t i)
{
    uint8_t wide[PP_OPRF_RANDOM_BYTES_MAX], blind[PP_OPRF_SCALAR_BYTES_MAX];
    uint8_t blinded[PP_OPRF_ELEMENT_BYTES_MAX], output[PP_OPRF_OUTPUT_BYTES_MAX];
    struct pp_span script = as_random(r, &r->blinds.items[i], wide);
    struct pp_random random = pp_random_script(&script);

    if (!pp_is_ok(pp_oprf_blind(r->suite, r->mode, pp_buf_span(&r->inputs.items[i]), &random, blind,
                                blinded)) ||
        !same(blinded, &r->blinded.items[i]))
        return "another blinded element";
    if (!pp_is_ok(finalize(r, i, output)) || !same(output, &r->outputs.items[i]))
        return "Finalize gives another output";
    if (!pp_is_ok(evaluate(r, i, output)) || !same(output, &r->outputs.items[i]))
        return "Evaluate gives another output";
    return NULL;
}

static const char *check_unproven(const struct row *r, size_t i)
{
    uint8_t evaluated[PP_OPRF_ELEMENT_BYTES_MAX];

    if (!pp_is_ok(pp_oprf_evaluate_blinded(r->suite, pp_buf_span(&r->sk), r->blinded.items[i].bytes,
                                           evaluated)) ||
        !same(evaluated, &r->evaluated.items[i]))
        return "another evaluated element";
    return NULL;
}

static void flatten(const struct row *r, const struct list *l, uint8_t *ret)
{
    for (size_t i = 0; i < l->count; i++)
        memcpy(ret + i * r->element_bytes, l->items[i].bytes, r->element_bytes);
}

static pp_res prove(const struct row *r, const uint8_t *blinded, const struct pp_random *random,
                    uint8_t *ret_evaluated, uint8_t *ret_proof)
{
    struct pp_span sk = pp_buf_span(&r->sk);

    if (r->mode == PP_POPRF)
        return pp_poprf_evaluate_batch(r->suite, sk, pp_buf_span(&r->info), blinded,
                                       r->blinded.count, random, ret_evaluated, ret_proof);
    return pp_voprf_evaluate_batch(r->suite, sk, r->derived_pk, blinded, r->blinded.count, random,
                                   ret_evaluated, ret_proof);
}

static pp_res verify(const struct row *r, const uint8_t *blinded, const uint8_t *evaluated,
                     const uint8_t *proof)
{
    if (r->mode == PP_POPRF)
        return pp_poprf_verify_batch(r->suite, r->proof_pk, blinded, evaluated, r->blinded.count,
                                     proof);
    return pp_voprf_verify_batch(r->suite, r->proof_pk, blinded, evaluated, r->blinded.count,
                                 proof);
}

/* The proof is made again where its randomness is given, and verified in any case. */
static const char *check_proof(const struct row *r)
{
    uint8_t blinded[PP_OPRF_BATCH_MAX * PP_OPRF_ELEMENT_BYTES_MAX];
    uint8_t expected[PP_OPRF_BATCH_MAX * PP_OPRF_ELEMENT_BYTES_MAX];
    uint8_t evaluated[PP_OPRF_BATCH_MAX * PP_OPRF_ELEMENT_BYTES_MAX];
    uint8_t wide[PP_OPRF_RANDOM_BYTES_MAX], proof[PP_OPRF_PROOF_BYTES_MAX];
    struct pp_span script = { 0 };
    struct pp_random random = pp_random_system();
    int again = r->proof_random.len == r->scalar_bytes;

    flatten(r, &r->blinded, blinded);
    flatten(r, &r->evaluated, expected);
    if (again) {
        script = as_random(r, &r->proof_random, wide);
        random = pp_random_script(&script);
    }
    if (!pp_is_ok(prove(r, blinded, &random, evaluated, proof)) ||
        memcmp(evaluated, expected, r->blinded.count * r->element_bytes) != 0)
        return "another evaluated element";
    if (again && !same(proof, &r->proof))
        return "another proof";
    if (!pp_is_ok(verify(r, blinded, expected, proof)))
        return "our own proof does not verify";
    if (!pp_is_ok(verify(r, blinded, expected, r->proof.bytes)))
        return "the given proof does not verify";
    r->proof.bytes[0] ^= 1;
    if (pp_is_ok(verify(r, blinded, expected, r->proof.bytes)))
        return "a changed proof verifies";
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
    if (why == NULL && r->mode != PP_OPRF)
        why = check_proof(r);
    return why;
}

static const struct pp_oprf_suite *find_suite(const char *identifier)
{
    for (size_t i = 0; identifier != NULL && i < PP_ARRAY_COUNT(SUITES); i++)
        if (strcmp(SUITES[i].identifier, identifier) == 0)
            return SUITES[i].suite;
    return NULL;
}

static void run_row(struct vectors *v, const char *file, size_t index, const json_t *object)
{
    const char *identifier = json_string_value(json_object_get(object, "identifier"));
    const struct pp_oprf_suite *suite = find_suite(identifier);
    json_int_t mode = json_integer_value(json_object_get(object, "mode"));
    char name[ROW_NAME_BYTES];

    snprintf(name, sizeof name, "%zu %s mode %lld", index, identifier == NULL ? "?" : identifier,
             (long long)mode);
    if (suite == NULL) {
        vectors_skip(v, file, name, "this group is not offered");
        return;
    }
    if (mode < PP_OPRF || mode > PP_POPRF) {
        vectors_fail(v, file, name, "a mode that RFC 9497 does not have");
        return;
    }
    struct row *r = calloc(1, sizeof *r);
    if (r == NULL) {
        vectors_fail(v, file, name, "out of memory");
        return;
    }
    r->suite = suite;
    r->mode = (enum pp_oprf_mode)mode;
    r->element_bytes = pp_oprf_element_bytes(suite);
    r->scalar_bytes = pp_oprf_scalar_bytes(suite);
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
    vectors_rows(v, file, run_row);
}

void vectors_oprf(struct vectors *v, const char *path)
{
    vectors_walk(v, path, run_file);
}
