/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppctl verify evidence: saved Evidence, judged offline. With the values of its session and a
 * directory bundle it is the whole appraisal of a device; without the bundle the machine and what
 * the options name. Nothing is accepted unbound or unmeasured; that no host-set was asked about the
 * chip, the verdict says.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appraise.h"
#include "evidence_file.h"
#include "place.h"
#include "text.h"
#include "verbs.h"
#include "verify_machine.h"

enum { ARENA_BYTES = 4 << 20 };

struct job {
    struct ppctl *p;
    const char *file, *ekm, *spki, *bundle, *at, *trust, *anchor, *measurement, *collateral;
    struct pp_buf bytes, bundle_bytes;
    uint8_t buffer[PP_EVIDENCE_BYTES_MAX];
    struct pp_span cbor;
    enum evidence_form form;
    struct pp_ratls_session session;
    int has_session;
    uint64_t posix_s;
    struct pp_evidence evidence;
    struct ppctl_place place;
    struct pp_ledger ledger;
    struct pp_marks no_marks; /* a file is judged by itself */
    struct pp_checks checks;
    struct pp_appraisal appraisal;
    struct verify_machine machine;
    struct pp_problem problem;
};

/* --- input ------------------------------------------------------------------------------------ */

static int read_file(struct job *j, const char *option, const char *path, size_t max,
                     struct pp_buf *ret)
{
    char got[4096];
    pp_res r = pp_file_read(AT_FDCWD, path, max, ret);

    if (pp_is_ok(r))
        return -1;
    snprintf(got, sizeof got, "%s: %s", pp_file_reason(r), path);
    pp_problem_party(&j->problem, option);
    pp_problem_set(&j->problem, option, "a readable file of its kind and size", pp_span_cstr(got));
    return ppctl_fail(j->p, (pp_res){ PP_E_INPUT, r.detail, r.where }, &j->problem, 0);
}

/* Both or neither: one value alone binds nothing. */
static int read_session(struct job *j)
{
    if (j->ekm == NULL && j->spki == NULL)
        return -1;
    if (j->ekm == NULL || j->spki == NULL)
        return ppctl_usage(j->p, j->ekm == NULL ? "--ekm" : "--spki", "both of them", "nothing");
    if (!pp_is_ok(pp_hex_parse(pp_span_cstr(j->ekm), j->session.ekm, sizeof j->session.ekm)))
        return ppctl_usage(j->p, "--ekm", "64 lower-case hexadecimal digits", j->ekm);
    if (!pp_is_ok(pp_hex_parse(pp_span_cstr(j->spki), j->session.spki, sizeof j->session.spki)))
        return ppctl_usage(j->p, "--spki", "182 lower-case digits: the key's DER", j->spki);
    j->has_session = 1;
    return -1;
}

static int read_all(struct job *j)
{
    if (j->bundle != NULL && (j->anchor != NULL || j->measurement != NULL || j->collateral != NULL))
        return ppctl_usage(j->p, "--bundle", "no --anchor, --measurement or --collateral with it",
                           j->bundle);
    if (j->bundle == NULL && j->trust != NULL)
        return ppctl_usage(j->p, "--trust", "a --bundle to verify under it", "no bundle");
    j->posix_s = pp_clock_posix_s(&j->p->clock);
    if (j->at != NULL && !ppctl_time(j->at, &j->posix_s))
        return ppctl_usage(j->p, "--at", "POSIX seconds or an RFC 3339 time", j->at);
    int status = read_session(j);
    if (status < 0)
        status = read_file(j, "FILE", j->file, EVIDENCE_FILE_BYTES_MAX, &j->bytes);
    if (status < 0 && j->bundle != NULL)
        status = read_file(j, "--bundle", j->bundle, PP_BUNDLE_BYTES_MAX, &j->bundle_bytes);
    return status;
}

/* --- verdicts --------------------------------------------------------------------------------- */

/* Everything that a device asks. Without session values nothing would be bound: refused. */
static pp_res appraise(struct job *j, struct pp_arena *arena)
{
    const struct ppctl_place_args args = { .trust = j->trust };
    struct pp_span bundle;

    PP_TRY(ppctl_place_open(j->p, &args, 0, &j->problem, &j->place));
    PP_TRY(pp_arena_copy(arena, pp_buf_span(&j->bundle_bytes), &bundle));
    PP_TRY(pp_ledger_verify(j->place.trust, bundle, &j->no_marks, j->posix_s, arena, &j->ledger,
                            &j->checks, &j->problem));
    return pp_appraise_stored(j->place.trust, &j->ledger, &j->no_marks, PP_RECORD_ORCHESTRATOR,
                              j->cbor, &j->session, &j->checks, &j->problem, &j->appraisal);
}

static pp_res judge_machine(struct job *j)
{
    const struct verify_machine_args args = { .p = j->p,
                                              .anchor = j->anchor,
                                              .measurement = j->measurement,
                                              .collateral = j->collateral,
                                              .posix_s = j->posix_s,
                                              .session = j->has_session ? &j->session : NULL };
    return verify_machine_run(&args, &j->evidence, &j->machine, &j->problem);
}

static pp_res judge(struct job *j, struct pp_arena *arena)
{
    char got[64];

    pp_problem_party(&j->problem, ppctl_file_name(j->file));
    pp_res r = evidence_file_open(pp_buf_span(&j->bytes), j->buffer, &j->cbor, &j->form);
    if (pp_is_ok(r)) {
        r = pp_evidence_parse(j->cbor, PP_END_SERVER, &j->evidence);
        r.code = pp_is_ok(r) ? PP_E_OK : PP_E_EVIDENCE_FORMAT;
    }
    if (!pp_is_ok(r)) {
        snprintf(got, sizeof got, "something else at offset or key %u", (unsigned)r.detail);
        pp_problem_set(&j->problem, "FILE",
                       "an Evidence map, its message, or a CMW collection of it",
                       pp_span_cstr(got));
        return r;
    }
    if (j->bundle != NULL && j->has_session)
        return appraise(j, arena);
    return judge_machine(j);
}

/* --- output ----------------------------------------------------------------------------------- */

static int is_whole(const struct job *j)
{
    return j->bundle != NULL && j->has_session;
}

/* Also when not all of it could be read: then nothing is said of a machine. */
static int is_simulated(const struct job *j)
{
    return j->evidence.platform != 0 && pp_platform_is_simulated(j->evidence.platform);
}

static int print_json(const struct job *j, pp_res r)
{
    json_t *checks = is_whole(j) ? ppctl_checks_json(&j->checks) : verify_machine_json(&j->machine);

    return ppctl_print_json(json_pack(
        "{s:s, s:o, s:o, s:[s], s:s, s:s, s:b, s:b}", "verdict", pp_is_ok(r) ? "accept" : "reject",
        "code", pp_is_ok(r) ? json_null() : json_string(pp_code_name(r.code)), "checks", checks,
        "anchors", is_whole(j) ? "trust anchors" : j->machine.anchors, "platform",
        j->evidence.platform == 0 ? "" : pp_platform_name(j->evidence.platform), "form",
        evidence_form_name(j->form), "bound", pp_is_ok(r), "simulated", is_simulated(j)));
}

static void print_people(const struct job *j)
{
    if (!is_whole(j)) {
        verify_machine_print(&j->machine);
        return;
    }
    for (size_t i = 0; i < j->checks.count; i++) {
        const struct pp_check *c = &j->checks.rows[i];
        printf("  [%-8s] %2u %s\n                 against %s%s%s\n", pp_verdict_name(c->verdict),
               (unsigned)c->step, c->what, c->anchor[0] == '\0' ? "-" : c->anchor,
               c->value[0] == '\0' ? "" : ": ", c->value);
    }
}

/* A release build knows no simulated platform, nor these words. */
static const char *simulated_words(const struct job *j)
{
#if !PP_RELEASE
    if (is_simulated(j))
        return " (simulated secure processor: protects nothing)";
#endif
    (void)j;
    return "";
}

static int conclude(struct job *j, pp_res r)
{
    int refused = pp_code_class(r.code) == PP_CLASS_REFUSED;

    if (!pp_is_ok(r) && !refused)
        return ppctl_fail(j->p, r, &j->problem, 0);
    if (j->p->json)
        return print_json(j, r) != 0 ? PP_CLASS_FAILED : refused ? PP_CLASS_REFUSED : 0;
    print_people(j);
    if (refused)
        return ppctl_fail(j->p, r, &j->problem, 0);
    printf("accept: %s (%s of %s)%s", j->file, evidence_form_name(j->form),
           pp_platform_name(j->evidence.platform), simulated_words(j));
    if (!is_whole(j))
        verify_machine_print_skipped(&j->machine);
    printf("\n");
    return 0;
}

static void job_free(struct job *j)
{
    pp_buf_done(&j->bytes);
    pp_buf_done(&j->bundle_bytes);
    ppctl_place_done(&j->place);
    free(j);
}

int verb_verify_evidence(struct ppctl *p, int argc, char **argv)
{
    PP_AUTO(pp_arena) arena = { 0 };
    struct job *j = calloc(1, sizeof *j);

    if (j == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    j->p = p;
    const struct ppctl_option options[] = {
        { "--ekm", "HEX", "the session's exporter value, 32 bytes", &j->ekm, NULL, NULL },
        { "--spki", "HEX", "the key that the session's certificate showed, DER", &j->spki, NULL,
          NULL },
        { "--bundle", "FILE", "the directory bundle of its day: asks all that a device asks",
          &j->bundle, NULL, NULL },
        { "--trust", "DIR", "the trust anchors for --bundle; default: those of this build",
          &j->trust, NULL, NULL },
        { "--anchor", "PEM", "the chip maker's chain as the only anchor; default: built in",
          &j->anchor, NULL, NULL },
        { "--measurement", "HEX", "what must run: 48 bytes; of tdx MRTD and RTMR0 to RTMR2, 192",
          &j->measurement, NULL, NULL },
        { "--collateral", "DIR", "of tdx: the vendor's signed documents", &j->collateral, NULL,
          NULL },
        { "--at", "TIME", "POSIX seconds or RFC 3339; default: now", &j->at, NULL, NULL },
    };
    int status = ppctl_parse(p, "verify evidence", options, PP_ARRAY_COUNT(options), argc, argv,
                             &j->file, 1, 1, NULL);

    if (status < 0)
        status = read_all(j);
    if (status < 0) {
        pp_res r = pp_arena_new_locked(&arena, ARENA_BYTES);
        status = pp_is_ok(r) ? conclude(j, judge(j, &arena)) : ppctl_fail(p, r, NULL, 0);
    }
    job_free(j);
    return status;
}
