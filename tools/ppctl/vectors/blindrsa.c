/* SPDX-License-Identifier: Apache-2.0 */
/* Topic blindrsa: rows of RFC 9474 appendix A. */
#include "topics.h"

#include <stdlib.h>
#include <string.h>

#include "blindrsa.h"

enum { ROW_NAME_BYTES = 96 };

struct row {
    struct pp_buf n, d, message, salt, inverse, blinded, blind_signature, signature;
    struct pp_blindrsa_key *key;
};

static void row_done(struct row *r)
{
    pp_buf_done(&r->n);
    pp_buf_done(&r->d);
    pp_buf_done(&r->message);
    pp_buf_done(&r->salt);
    pp_buf_done(&r->inverse);
    pp_buf_done(&r->blinded);
    pp_buf_done(&r->blind_signature);
    pp_buf_done(&r->signature);
    pp_blindrsa_free(r->key);
}

/* Numbers may begin with 0x. */
static struct pp_buf number(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    int prefixed = text != NULL && strncmp(text, "0x", 2) == 0;

    return vectors_hex_text(prefixed ? text + 2 : text);
}

static const char *row_read(struct row *r, const json_t *v)
{
    struct pp_buf e = number(v, "e");
    int same_exponent = e.len == 3 && memcmp(e.bytes, "\1\0\1", 3) == 0;

    pp_buf_done(&e);
    r->n = number(v, "n");
    r->d = number(v, "d");
    r->message = number(v, "input_msg"); /* with the prefix of the Randomized variants */
    r->salt = number(v, "salt");
    r->inverse = number(v, "inv");
    r->blinded = number(v, "blinded_msg");
    r->blind_signature = number(v, "blind_sig");
    r->signature = number(v, "sig");
    if (!same_exponent || r->n.bytes == NULL || r->d.bytes == NULL || r->message.bytes == NULL)
        return "the row is not of the format";
    if (!pp_is_ok(pp_blindrsa_import_numbers(pp_buf_span(&r->n), pp_buf_span(&r->d), &r->key)))
        return "the key is refused";
    if (r->salt.len > PP_BLINDRSA_SALT_BYTES || r->inverse.len != pp_blindrsa_bytes(r->key))
        return "the row is not of the format";
    return NULL;
}

/* The randomness that gives the row's blind: the salt, what the given inverse is one of, a mask. */
static const char *check_blind(const struct row *r)
{
    uint8_t random_bytes[PP_BLINDRSA_SALT_BYTES + 2 * PP_BLINDRSA_BYTES_MAX];
    uint8_t blind[PP_BLINDRSA_BYTES_MAX], inverse[PP_BLINDRSA_BYTES_MAX];
    uint8_t blinded[PP_BLINDRSA_BYTES_MAX];
    size_t len = pp_blindrsa_bytes(r->key);
    struct pp_wr wr = pp_wr_over(random_bytes, sizeof random_bytes);

    if (!pp_is_ok(pp_blindrsa_invert(r->key, pp_buf_span(&r->inverse), blind)))
        return "the inverse of the blind is refused";
    pp_wr_span(&wr, pp_buf_span(&r->salt));
    pp_wr_bytes(&wr, blind, len);
    pp_wr_bytes(&wr, blind, len); /* any number will do */
    struct pp_span script = pp_wr_done(&wr);
    struct pp_random random = pp_random_script(&script);
    if (!pp_is_ok(pp_blindrsa_blind(r->key, pp_buf_span(&r->message), r->salt.len, &random, inverse,
                                    blinded)) ||
        !pp_span_eq(pp_span(blinded, len), pp_buf_span(&r->blinded)))
        return "another blinded message";
    return pp_span_eq(pp_span(inverse, len), pp_buf_span(&r->inverse)) ? NULL : "another inverse";
}

static const char *check_row(struct row *r, const json_t *v)
{
    uint8_t out[PP_BLINDRSA_BYTES_MAX];
    const char *why = row_read(r, v);

    if (why == NULL)
        why = check_blind(r);
    if (why != NULL)
        return why;
    size_t len = pp_blindrsa_bytes(r->key);
    struct pp_span message = pp_buf_span(&r->message);
    if (!pp_is_ok(pp_blindrsa_sign(r->key, pp_buf_span(&r->blinded), out)) ||
        !pp_span_eq(pp_span(out, len), pp_buf_span(&r->blind_signature)))
        return "another blind signature";
    if (!pp_is_ok(pp_blindrsa_finalize(r->key, message, r->salt.len, pp_buf_span(&r->inverse),
                                       pp_buf_span(&r->blind_signature), out)) ||
        !pp_span_eq(pp_span(out, len), pp_buf_span(&r->signature)))
        return "another signature";
    if (!pp_is_ok(pp_blindrsa_verify(r->key, message, r->salt.len, pp_buf_span(&r->signature))))
        return "the given signature does not verify";
    r->signature.bytes[len / 2] ^= 1;
    if (pp_is_ok(pp_blindrsa_verify(r->key, message, r->salt.len, pp_buf_span(&r->signature))))
        return "a changed signature verifies";
    return NULL;
}

static void run_row(struct vectors *v, const char *file, size_t index, const json_t *object)
{
    const char *variant = json_string_value(json_object_get(object, "name"));
    char name[ROW_NAME_BYTES];
    struct row r = { 0 };

    snprintf(name, sizeof name, "%zu %s", index, variant == NULL ? "?" : variant);
    const char *why = check_row(&r, object);
    if (why == NULL)
        vectors_pass(v, file, name);
    else
        vectors_fail(v, file, name, "%s", why);
    row_done(&r);
}

static void run_file(struct vectors *v, const char *file)
{
    vectors_rows(v, file, run_row);
}

void vectors_blindrsa(struct vectors *v, const char *path)
{
    vectors_walk(v, path, run_file);
}
