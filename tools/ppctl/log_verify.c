/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppctl log verify: an entry and its tlog-proof, offline: that it is in the log that the anchors
 * name, who vouches for that, and since when. For a record also who signed it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "log_arg.h"
#include "text.h"
#include "verbs.h"

struct verifying {
    struct ppctl *p;
    struct log_args args;
    const char *max_age, *at_time;
    uint64_t max_age_s; /* 0: no rule */
    uint64_t now;
    struct log_pins pins;
    struct pp_problem problem;
    struct pp_buf entry, bytes;
    struct pp_proof proof;
    struct pp_policy_checkpoint opened;
    uint64_t quorum_posix_s;
    int is_record;
    struct pp_record record;
    struct pp_record_id id;
};

static pp_res refuse(struct verifying *v, pp_res r, const char *field, const char *expected,
                     const char *got)
{
    pp_problem_set(&v->problem, field, expected, pp_span_cstr(got));
    return r;
}

static pp_res read_file(struct verifying *v, const char *path, size_t max, struct pp_buf *ret)
{
    pp_res r = pp_file_read(AT_FDCWD, path, max, ret);

    if (!pp_is_ok(r))
        return refuse(v, PP_FAIL(PP_E_INPUT, r.detail), path, "a readable file within its limit",
                      pp_file_reason(r));
    return PP_OK;
}

static pp_res read_options(struct verifying *v)
{
    pp_problem_party(&v->problem, "ppctl");
    v->now = pp_clock_posix_s(&v->p->clock);
    if (v->max_age != NULL &&
        (!pp_is_ok(pp_decimal_parse(pp_span_cstr(v->max_age), INT64_MAX, &v->max_age_s)) ||
         v->max_age_s == 0))
        return refuse(v, PP_FAIL(PP_E_USAGE, 0), "--max-age", "seconds, from 1", v->max_age);
    if (v->at_time != NULL && !ppctl_time(v->at_time, &v->now))
        return refuse(v, PP_FAIL(PP_E_USAGE, 0), "--at", "POSIX seconds or an RFC 3339 time",
                      v->at_time);
    return PP_OK;
}

/* The age rule comes before the count of the quorum, in pp_proof_verify. */
static pp_res verify_proof(struct verifying *v)
{
    uint64_t from = 0, until = UINT64_MAX;
    struct pp_merkle_hash leaf;

    pp_problem_party(&v->problem, "proof");
    pp_res r = pp_proof_parse(pp_buf_span(&v->bytes), &v->proof);
    if (!pp_is_ok(r))
        return refuse(v, PP_FAIL(PP_E_LEDGER_FORMAT, r.detail), "proof",
                      "a tlog-proof (c2sp.org/tlog-proof@v1)", pp_code_text(r.code));
    if (v->max_age_s > 0) {
        from = v->now > v->max_age_s ? v->now - v->max_age_s : 0;
        until = v->now + PP_RULES_SKEW_S;
    }
    pp_merkle_leaf(pp_buf_span(&v->entry), &leaf);
    r = pp_proof_verify(&v->proof, &leaf, v->pins.policy, from, until, &v->opened);
    if (pp_is_ok(r) && !v->pins.is_opaque &&
        !pp_span_eq(v->opened.checkpoint.origin, v->pins.place.origin))
        r = PP_FAIL(PP_E_LEDGER_ORIGIN, 0);
    if (!pp_is_ok(r)) {
        if (pp_code_class(r.code) != PP_CLASS_REFUSED)
            r.code = PP_E_LEDGER_FORMAT;
        return refuse(v, r, "proof",
                      "this entry, in a log of the policy, under its quorum and within the age",
                      pp_code_text(r.code));
    }
    return pp_policy_time(v->pins.policy, &v->opened.witnesses, &v->quorum_posix_s);
}

/* The record's own rules and signers; whether it is in force only a fresh status says. */
static pp_res verify_record(struct verifying *v)
{
    const struct pp_audit_place *place = &v->pins.place;
    struct pp_note note;

    if (v->pins.is_opaque)
        return PP_OK;
    pp_problem_party(&v->problem, "record");
    pp_res r = pp_record_open(pp_buf_span(&v->entry), &note, &v->record);
    if (!pp_is_ok(r))
        return refuse(v, PP_FAIL(PP_E_LEDGER_RECORD, r.detail), "entry", "a record of the ledger",
                      pp_code_text(r.code));
    r = pp_record_check_place(&v->record, place->origin, place->name_space, place->environment);
    if (pp_is_ok(r))
        r = pp_record_check_logged(&note, &v->record, &place->keys, v->proof.index);
    if (!pp_is_ok(r))
        return refuse(v, r, "entry", "a record of this place, signed as its type must be",
                      pp_code_text(r.code));
    pp_record_id_of(note.text, &v->id);
    v->is_record = 1;
    return PP_OK;
}

static pp_res run(struct verifying *v, const char *entry, const char *proof)
{
    PP_TRY(read_options(v));
    PP_TRY(log_pins_open(v->p, &v->args, &v->problem, &v->pins));
    PP_TRY(read_file(v, entry, PP_ENTRY_BYTES_MAX, &v->entry));
    PP_TRY(read_file(v, proof, PP_PROOF_BYTES_MAX, &v->bytes));
    PP_TRY(verify_proof(v));
    return verify_record(v);
}

/* --- output --------------------------------------------------------------------------------- */

static int print_json(const struct verifying *v)
{
    json_t *o = json_pack("{s:b, s:I, s:b}", "verified", 1, "index", (json_int_t)v->proof.index,
                          "opaque", v->pins.is_opaque);

    log_put_checkpoint(o, &v->pins, &v->opened, v->quorum_posix_s);
    if (v->max_age_s > 0)
        json_object_set_new(o, "max_age", json_integer((json_int_t)v->max_age_s));
    if (v->is_record)
        json_object_set_new(
            o, "record",
            json_pack("{s:s, s:o, s:I, s:I}", "type", pp_record_type_name(v->record.type), "id",
                      log_hex_json(PP_BYTES(v->id.bytes)), "serial", (json_int_t)v->record.serial,
                      "time", (json_int_t)v->record.time));
    return ppctl_print_json(o);
}

static int print_text(const struct verifying *v)
{
    printf("verified:   this is entry %llu of the log below, under the quorum of %s (%s)\n",
           (unsigned long long)v->proof.index, v->pins.anchor, v->pins.digest);
    log_print_checkpoint(&v->pins, &v->opened, v->quorum_posix_s);
    if (v->is_record)
        printf("record:     %s %llu of %s, signed as its type must be\n"
               "            whether it is in force is what a fresh status says: not proven here\n",
               pp_record_type_name(v->record.type), (unsigned long long)v->record.serial,
               log_moment_of(v->record.time).text);
    else
        printf("entry:      %zu bytes, taken as they are\n", v->entry.len);
    return fflush(stdout) == 0 ? 0 : 1;
}

int verb_log_verify(struct ppctl *p, int argc, char **argv)
{
    struct verifying *v = calloc(1, sizeof *v);
    const char *files[2] = { NULL, NULL };

    if (v == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    const struct ppctl_option options[] = {
        { "--max-age", "S", "seconds that the quorum's dates may be old", &v->max_age, NULL },
        { "--at", "TIME", "POSIX seconds or RFC 3339; default: now", &v->at_time, NULL },
        LOG_POLICY_OPTION(v->args),
        PPCTL_PLACE_OPTIONS(v->args.place),
    };
    int status = ppctl_parse(p, "log verify", options, PP_ARRAY_COUNT(options), argc, argv, files,
                             2, 2, NULL);
    if (status < 0) {
        v->p = p;
        pp_res r = run(v, files[0], files[1]);
        if (!pp_is_ok(r))
            status = ppctl_fail(p, r, &v->problem, 0);
        else
            status = p->json ? print_json(v) : print_text(v);
    }
    pp_buf_done(&v->entry);
    pp_buf_done(&v->bytes);
    log_pins_done(&v->pins);
    free(v);
    return status;
}
