/* SPDX-License-Identifier: Apache-2.0 */
#include "builders.h"

#include "image_files.h"
#include "wr.h"

void pp_policy_names(char *ret, size_t cap, const struct pp_policy *policy, uint64_t set)
{
    struct pp_wr wr = pp_wr_over(ret, cap - 1);

    for (size_t i = 0; i < policy->witness_count; i++) {
        struct pp_span name = policy->witness_names[i];
        if ((set >> i & 1) == 0 || wr.len + 2 + name.len > wr.cap)
            continue;
        pp_wr_text(&wr, wr.len > 0 ? ", " : "");
        pp_wr_span(&wr, name);
    }
    ret[wr.len] = '\0';
}

static pp_res refuse(struct pp_problem *problem, enum pp_code code, const char *field,
                     const char *expected, const char *got)
{
    pp_problem_set(problem, field, expected, pp_span_cstr(got));
    return PP_FAIL(code, 0);
}

static unsigned bits(uint64_t set)
{
    return (unsigned)__builtin_popcountll(set);
}

/* Who of the policy signed the note. */
static pp_res signers_of(const struct pp_builder_note *b, const struct pp_policy *builders,
                         struct pp_note *n, uint64_t *ret, struct pp_problem *problem)
{
    struct pp_note_signers who;

    pp_res r = pp_note_parse(b->bytes, n);
    if (!pp_is_ok(r)) {
        pp_problem_set(problem, b->name, "a manifest with its builder's signature",
                       pp_span_cstr(pp_code_text(r.code)));
        return r;
    }
    r = pp_note_check(n, builders->witness_keys, builders->witness_count, &who);
    if (!pp_is_ok(r))
        return refuse(problem, PP_E_LEDGER_SIGNER, b->name, "signatures that verify",
                      "a wrong one of a builder");
    if (who.set == 0)
        return refuse(problem, PP_E_LEDGER_SIGNER, b->name, "the signature of a builder",
                      "none of the policy's keys");
    *ret = who.set;
    return PP_OK;
}

/* "FILE (alice)": who built which. */
static void built_by(char *ret, size_t cap, const struct pp_builder_note *b,
                     const struct pp_policy *builders, uint64_t set)
{
    char names[48];

    pp_policy_names(names, sizeof names, builders, set);
    struct pp_wr wr = pp_wr_over(ret, cap - 1);
    pp_wr_text(&wr, names[0] == '\0' ? b->name : names);
    ret[pp_is_ok(pp_wr_ok(&wr)) ? wr.len : 0] = '\0';
}

static pp_res refuse_texts(const struct pp_builder_note *notes, size_t other, uint64_t first_set,
                           uint64_t other_set, const struct pp_policy *builders,
                           struct pp_span text, struct pp_span other_text,
                           struct pp_problem *problem)
{
    char one[64], two[64];

    built_by(one, sizeof one, &notes[0], builders, first_set);
    built_by(two, sizeof two, &notes[other], builders, other_set);
    pp_problem_lines(problem, one, text, two, other_text);
    return PP_FAIL(PP_E_RELEASE_BUILDERS, other);
}

static pp_res enough(const struct pp_policy *builders, uint64_t set, struct pp_problem *problem)
{
    char names[128];

    pp_policy_names(names, sizeof names, builders, set);
    if (bits(set) < PP_BUILDERS_MIN)
        return refuse(problem, PP_E_RELEASE_BUILDERS, "builders",
                      "the same manifest by two builders with different keys", names);
    if (!pp_is_ok(pp_policy_decide(builders, set)))
        return refuse(problem, PP_E_RELEASE_BUILDERS, "builders",
                      "the quorum of the builder policy", names);
    return PP_OK;
}

pp_res pp_builders_agree(const struct pp_builder_note *notes, size_t count,
                         const struct pp_policy *builders, struct pp_note *scratch,
                         struct pp_agreed *ret, struct pp_problem *problem)
{
    uint64_t first = 0, set, all = 0;
    struct pp_span text = { 0 };

    PP_CHECK(count > 0 && count <= PP_BUILDERS_NOTES_MAX, PP_E_LIMIT, count);
    for (size_t i = 0; i < count; i++) {
        PP_TRY(signers_of(&notes[i], builders, scratch, &set, problem));
        if (i == 0) {
            text = scratch->text;
            first = set;
        }
        if (!pp_span_eq(text, scratch->text))
            return refuse_texts(notes, i, first, set, builders, text, scratch->text, problem);
        all |= set;
    }
    PP_TRY(enough(builders, all, problem));
    pp_res r = pp_image_parse(text, &ret->image);
    if (!pp_is_ok(r)) {
        pp_problem_set(problem, notes[0].name, "the manifest of an image",
                       pp_span_cstr(pp_code_text(r.code)));
        return r;
    }
    ret->text = text;
    ret->builders = all;
    return PP_OK;
}

/* The first line of this key in any of the notes. */
static pp_res write_line(struct pp_wr *wr, const struct pp_builder_note *notes, size_t count,
                         const struct pp_note_key *key, struct pp_note *n)
{
    for (size_t i = 0; i < count; i++) {
        PP_TRY(pp_note_parse(notes[i].bytes, n));
        for (size_t k = 0; k < n->line_count; k++) {
            if (n->lines[k].id != key->id || !pp_span_eq(n->lines[k].name, key->name))
                continue;
            pp_wr_text(wr, "\xe2\x80\x94 ");
            pp_wr_span(wr, n->lines[k].name);
            pp_wr_u8(wr, ' ');
            pp_wr_span(wr, n->lines[k].base64);
            pp_wr_u8(wr, '\n');
            return PP_OK;
        }
    }
    return PP_FAIL(PP_E_NOT_FOUND, 0);
}

pp_res pp_builders_write(struct pp_wr *wr, const struct pp_builder_note *notes, size_t count,
                         const struct pp_policy *builders, const struct pp_agreed *agreed,
                         struct pp_note *scratch)
{
    pp_wr_span(wr, agreed->text);
    pp_wr_u8(wr, '\n');
    for (size_t i = 0; i < builders->witness_count; i++)
        if ((agreed->builders >> i & 1) != 0)
            PP_TRY(write_line(wr, notes, count, &builders->witness_keys[i], scratch));
    return pp_wr_ok(wr);
}
