/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppctl verify receipt: re-checks a stored session offline, with nothing but the pinned anchors:
 * steps 3 and 8 to 12 are computed again, the others are printed as the device asserted them.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appraise.h"
#include "device.h"
#include "receipt.h"
#include "verbs.h"

enum { RECEIPT_ARENA_BYTES = 4 << 20 };

struct verification {
    struct ppctl *p;
    const char *file;
    struct pp_device device; /* for its anchors alone: nothing is opened */
    struct pp_trust trust;
    struct pp_ledger ledger;
    struct pp_marks no_marks; /* a receipt is judged by itself */
    struct pp_checks checks;
    struct pp_problem problem;
    struct pp_receipt receipt;
    struct pp_appraisal appraisal;
};

static pp_res read_anchors(struct verification *v)
{
    struct pp_trust_files files;

    snprintf(v->device.state, sizeof v->device.state, "%s", v->p->state);
    pp_res r = pp_device_trust_files(&v->device, &files);
    if (!pp_is_ok(r)) {
        v->problem = v->device.problem;
        return r;
    }
    pp_problem_party(&v->problem, "trust anchors");
    return pp_trust_parse(&v->trust, &files, &v->problem);
}

/* The bundle's bytes again: what was hashed and signed is what the receipt carries. */
static pp_res verify_ledger(struct verification *v, struct pp_arena *arena)
{
    uint8_t *bytes = malloc(PP_BUNDLE_BYTES_MAX);
    struct pp_wr wr = pp_wr_over(bytes, bytes == NULL ? 0 : PP_BUNDLE_BYTES_MAX);
    struct pp_span copy;

    pp_res r = pp_bundle_write(&wr, &v->receipt.bundle);
    if (pp_is_ok(r))
        r = pp_arena_copy(arena, pp_wr_done(&wr), &copy);
    free(bytes);
    PP_TRY(r);
    /* The hour was rounded down: the quorum's own dates are the better clock. */
    return pp_ledger_verify(&v->trust, copy, &v->no_marks, v->receipt.posix_s, arena, &v->ledger,
                            &v->checks, &v->problem);
}

static int is_recomputed(uint32_t step)
{
    return step == PP_STEP_DIRECTORY || (step >= PP_STEP_PARSE && step <= PP_STEP_LEDGER);
}

static pp_res reject(struct verification *v, enum pp_code code, const char *field,
                     const char *expected, struct pp_span got)
{
    pp_problem_party(&v->problem, ppctl_file_name(v->file));
    pp_problem_set(&v->problem, field, expected, got);
    return PP_FAIL(code, 0);
}

/* A receipt is judged by the policies that it names; other relays or mirrors change no verdict. */
static pp_res check_anchors(struct verification *v)
{
    struct pp_receipt_anchor ours[PP_DEVICE_RECEIPT_ANCHORS];
    const struct pp_receipt_anchor *theirs = v->receipt.anchors;
    int same = 0;

    pp_device_receipt_anchors(&v->trust, ours);
    if (v->receipt.anchor_count != PP_DEVICE_RECEIPT_ANCHORS)
        return reject(v, PP_E_TRUST, "trust anchors", "three policies and the trust files",
                      PP_STR("another number"));
    for (size_t i = 0; i < PP_DEVICE_RECEIPT_ANCHORS; i++) {
        same = pp_span_eq(theirs[i].bytes, ours[i].bytes);
        if (!pp_span_eq(theirs[i].name, ours[i].name) ||
            (!same && i + 1 < PP_DEVICE_RECEIPT_ANCHORS))
            return reject(v, PP_E_TRUST, "trust anchors", "the policies in use", theirs[i].name);
    }
    pp_check_add(&v->checks, PP_STEP_ANCHORS, PP_E_TRUST,
                 same ? PP_VERDICT_PROVEN : PP_VERDICT_SKIPPED,
                 same ? "made under the very anchors in use"
                      : "made under other trust files with the same policies",
                 PP_STR("trust anchors"), PP_STR(""));
    return PP_OK;
}

/*
 * The rows that the device wrote of what was computed again are the rows that came out again. That
 * a mirror failed is the device's own story and in no proof.
 */
static pp_res check_rows(struct verification *v)
{
    size_t k = 1; /* behind the row of the anchors */

    for (size_t i = 0; i < v->receipt.check_count; i++) {
        const struct pp_receipt_check *c = &v->receipt.checks[i];
        const struct pp_check *row = &v->checks.rows[k];

        if (!is_recomputed(c->number) ||
            (c->number == PP_STEP_DIRECTORY && c->verdict == PP_VERDICT_SKIPPED))
            continue;
        if (k == v->checks.count || row->step != c->number || row->verdict != c->verdict ||
            !pp_span_eq(pp_span_cstr(pp_code_name(row->code)), c->code))
            return reject(v, PP_E_INPUT, "checks", "the rows that come out again", c->code);
        k++;
    }
    if (k != v->checks.count)
        return reject(v, PP_E_INPUT, "checks", "every row that comes out again",
                      PP_STR("fewer rows"));
    return PP_OK;
}

/* Without the device's marks and its clock two rows are not what they were on the device. */
static void weaken_rows(struct verification *v)
{
    for (size_t i = 0; i < v->checks.count; i++) {
        struct pp_check *c = &v->checks.rows[i];

        if (c->code == PP_E_LEDGER_ROLLBACK) {
            c->verdict = PP_VERDICT_SKIPPED;
            c->what = "whether an older status was shown: the device's marks are not in a receipt";
        } else if (c->code == PP_E_LEDGER_STALE) {
            c->verdict = PP_VERDICT_ASSERTED;
            c->what = "the quorum was fresh, at the hour that the device wrote down";
        }
    }
}

/*
 * Whom the orchestrator asked, in call order: each is one that its Evidence named and that the
 * status allows. That it verified each for this very session is what its published program does;
 * the sessions between the machines leave nothing that could be looked at again.
 */
static pp_res check_used(struct verification *v)
{
    struct pp_evidence e;

    PP_TRY(pp_evidence_parse(v->receipt.evidence, PP_END_SERVER, &e));
    for (size_t i = 0; i < v->receipt.used.count; i++) {
        const struct pp_backend *b = &v->receipt.used.items[i];

        if (!pp_backends_hold(&e.backends, b))
            return reject(v, PP_E_BACKEND, "back-ends", "those that the Evidence names", b->role);
        if (v->checks.count == PP_CHECKS_MAX)
            return reject(v, PP_E_INPUT, "back-ends", "fewer", b->role);
        pp_check_add_hex(&v->checks, PP_STEP_LEDGER, PP_E_BACKEND, PP_VERDICT_ASSERTED,
                         "this release of a back-end took part, verified by the orchestrator",
                         b->role, PP_BYTES(b->release_id));
    }
    return PP_OK;
}

static pp_res appraise(struct verification *v, struct pp_arena *arena)
{
    struct pp_ratls_session session;

    PP_TRY(check_anchors(v));
    PP_TRY(verify_ledger(v, arena));
    memcpy(session.ekm, v->receipt.ekm, sizeof session.ekm);
    memcpy(session.spki, v->receipt.spki, sizeof session.spki);
    PP_TRY(pp_appraise_stored(&v->trust, &v->ledger, &v->no_marks, PP_RECORD_ORCHESTRATOR,
                              v->receipt.evidence, &session, &v->checks, &v->problem,
                              &v->appraisal));
    PP_TRY(check_rows(v));
    weaken_rows(v);
    return check_used(v);
}

static pp_res verify(struct verification *v, struct pp_arena *arena)
{
    struct pp_buf b = { 0 };
    struct pp_span bytes;

    PP_TRY(read_anchors(v));
    pp_problem_party(&v->problem, ppctl_file_name(v->file));
    pp_res r = pp_file_read(AT_FDCWD, v->file, PP_RECEIPT_BYTES_MAX, &b);
    if (!pp_is_ok(r)) {
        pp_problem_set(&v->problem, "(file)", "a readable receipt",
                       pp_span_cstr(pp_file_reason(r)));
        return PP_FAIL(PP_E_INPUT, r.detail);
    }
    r = pp_arena_copy(arena, pp_buf_span(&b), &bytes);
    pp_buf_done(&b);
    PP_TRY(r);
    if (!pp_is_ok(pp_receipt_parse(bytes, arena, &v->receipt))) {
        pp_problem_set(&v->problem, "(file)", "a receipt in its one encoding",
                       PP_STR("other bytes"));
        return PP_FAIL(PP_E_INPUT, 0);
    }
    return appraise(v, arena);
}

/* Steps that only the device could see. */
static void add_asserted(struct verification *v)
{
    for (size_t i = 0; i < v->receipt.check_count && v->checks.count < PP_CHECKS_MAX; i++) {
        const struct pp_receipt_check *c = &v->receipt.checks[i];

        if (c->number < PP_STEP_CONSENT || c->number > PP_STEP_RECORD || is_recomputed(c->number))
            continue;
        pp_check_add(&v->checks, (enum pp_step)c->number, PP_E_OK, PP_VERDICT_ASSERTED,
                     pp_step_name((enum pp_step)c->number), c->anchor,
                     PP_STR("written down by the device"));
    }
}

static int print_json(const struct verification *v, pp_res r)
{
    int refused = !pp_is_ok(r);

    return ppctl_print_json(
        json_pack("{s:s, s:o, s:o, s:[s, s], s:b}", "verdict", refused ? "reject" : "accept",
                  "code", refused ? json_string(pp_code_name(r.code)) : json_null(), "checks",
                  ppctl_checks_json(&v->checks), "anchors", "trust anchors",
                  "log, owner and review policies", "simulated", v->appraisal.simulated));
}

static void print_text(const struct verification *v)
{
    for (size_t i = 0; i < v->checks.count; i++) {
        const struct pp_check *c = &v->checks.rows[i];
        printf("  [%-8s] %2u %s\n                 against %s%s%s\n", pp_verdict_name(c->verdict),
               (unsigned)c->step, c->what, c->anchor[0] == '\0' ? "-" : c->anchor,
               c->value[0] == '\0' ? "" : ": ", c->value);
    }
}

/* A release build knows no simulated platform, nor these words. */
static const char *simulated_words(const struct pp_appraisal *a)
{
#if !PP_RELEASE
    if (a->simulated)
        return " (simulated secure processor: protects nothing)";
#endif
    (void)a;
    return "";
}

static int conclude(struct verification *v, pp_res r)
{
    int refused = pp_code_class(r.code) == PP_CLASS_REFUSED;

    if (!pp_is_ok(r) && !refused)
        return ppctl_fail(v->p, r, &v->problem, 0);
    if (!refused)
        add_asserted(v);
    if (v->p->json)
        return print_json(v, r) != 0 ? PP_CLASS_FAILED : refused ? PP_CLASS_REFUSED : 0;
    print_text(v);
    if (refused)
        return ppctl_fail(v->p, r, &v->problem, 0);
    printf("accept: %s%s\n", v->file, simulated_words(&v->appraisal));
    return 0;
}

int verb_verify_receipt(struct ppctl *p, int argc, char **argv)
{
    PP_AUTO(pp_arena) arena = { 0 };
    const char *file[1];
    int status = ppctl_parse(p, "verify receipt", NULL, 0, argc, argv, file, 1, 1, NULL);
    struct verification *v;

    if (status >= 0)
        return status;
    v = calloc(1, sizeof *v);
    pp_res r = v == NULL ? PP_FAIL(PP_E_NO_MEMORY, 0)
                         : pp_arena_new_locked(&arena, RECEIPT_ARENA_BYTES);
    if (!pp_is_ok(r)) {
        free(v);
        return ppctl_fail(p, r, NULL, 0);
    }
    v->p = p;
    v->file = file[0];
    v->device.lock_fd = -1;
    status = conclude(v, verify(v, &arena));
    pp_trust_done(&v->trust);
    pp_device_close(&v->device);
    free(v);
    return status;
}
