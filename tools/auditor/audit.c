/* SPDX-License-Identifier: Apache-2.0 */
#include "audit_int.h"

#include <stdio.h>
#include <stdlib.h>

struct auditing {
    const struct pp_audit_config *config;
    struct pp_audit *audit;
    struct pp_problem *problem;
    struct pp_rules rules;
    int is_ruled; /* 1: `rules` has its tables */
};

pp_res pp_audit_found_(const struct pp_audit_config *c, uint32_t code,
                       const struct pp_problem *words)
{
    const struct pp_finding f = { .code = code, .words = *words };

    return c->findings.found(c->findings.ctx, &f);
}

static pp_res found(const struct auditing *g, uint32_t code, const char *field,
                    const char *expected, const char *got)
{
    struct pp_problem words = { 0 };

    pp_problem_set(&words, field, expected, pp_span_cstr(got));
    pp_problem_party(&words, pp_log_source_place(g->config->source));
    return pp_audit_found_(g->config, code, &words);
}

/* --- the checkpoint ------------------------------------------------------------------------- */

/* A mirror that stands still serves a perfect log of another day. */
static pp_res found_old(const struct auditing *g)
{
    struct pp_problem words = { 0 };

    pp_problem_numbers(&words, "checkpoint, the quorum's time", g->config->oldest,
                       g->audit->quorum_posix_s);
    pp_problem_party(&words, pp_log_source_place(g->config->source));
    return pp_audit_found_(g->config, PP_E_LEDGER_STALE, &words);
}

static pp_res check_quorum(const struct auditing *g)
{
    struct pp_audit *a = g->audit;
    pp_res r = pp_policy_time(g->config->policy, &a->opened.witnesses, &a->quorum_posix_s);
    char got[64];

    a->has_quorum = pp_is_ok(r);
    if (a->has_quorum && a->quorum_posix_s >= g->config->oldest)
        return PP_OK;
    if (a->has_quorum)
        return found_old(g);
    snprintf(got, sizeof got, "cosignatures of %d of its witnesses",
             __builtin_popcountll(a->opened.witnesses.set));
    return found(g, r.code, "checkpoint", "the quorum of the policy", got);
}

static pp_res check_origin(const struct auditing *g)
{
    const struct pp_audit_place *place = g->config->place;
    struct pp_span origin = g->audit->opened.checkpoint.origin;
    char expected[160], got[160];

    if (place == NULL || pp_span_eq(origin, place->origin))
        return PP_OK;
    pp_printable(expected, sizeof expected, place->origin);
    pp_printable(got, sizeof got, origin);
    return found(g, PP_E_LEDGER_ORIGIN, "checkpoint", expected, got);
}

/* Without a checkpoint that the log has signed there is nothing to compare the rest with. */
static pp_res open_checkpoint(const struct auditing *g)
{
    struct pp_audit *a = g->audit;

    pp_res r = pp_log_source_checkpoint(g->config->source, &a->checkpoint, g->problem);
    if (r.code == PP_E_LOG_FILE)
        return pp_audit_found_(g->config, r.code, g->problem);
    PP_TRY(r);
    r = pp_policy_open(g->config->policy, pp_buf_span(&a->checkpoint), &a->opened);
    if (!pp_is_ok(r)) {
        uint32_t code = pp_code_class(r.code) == PP_CLASS_REFUSED ? r.code : PP_E_LOG_FILE;
        return found(g, code, "checkpoint", "a checkpoint that the policy's log has signed",
                     pp_code_text(r.code));
    }
    a->is_opened = 1;
    PP_TRY(check_origin(g));
    return check_quorum(g);
}

/* --- entries -------------------------------------------------------------------------------- */

static pp_res found_in_record(const struct auditing *g, uint64_t index, struct pp_span entry,
                              uint32_t code)
{
    struct pp_problem words = { 0 };
    struct pp_record_id id;
    struct pp_note note;
    char field[96], party[sizeof words.party];

    snprintf(field, sizeof field, "entry %llu", (unsigned long long)index);
    snprintf(party, sizeof party, "entry %llu", (unsigned long long)index);
    if (pp_is_ok(pp_note_parse(entry, &note))) {
        char hex[2 * PP_SHA256_BYTES + 1] = "";
        struct pp_wr wr = pp_wr_over(hex, sizeof hex - 1);
        pp_record_id_of(note.text, &id);
        pp_wr_hex(&wr, PP_BYTES(id.bytes));
        snprintf(field, sizeof field, "entry %llu, %s", (unsigned long long)index, hex);
        snprintf(party, sizeof party, "record %.16s", hex);
    }
    pp_problem_set(&words, field, "a record that keeps the rules of the ledger",
                   pp_span_cstr(pp_code_text(code)));
    pp_problem_party(&words, party);
    return pp_audit_found_(
        g->config, pp_code_class(code) == PP_CLASS_REFUSED ? code : PP_E_LEDGER_RECORD, &words);
}

static pp_res on_entry(void *ctx, uint64_t index, struct pp_span entry)
{
    struct auditing *g = ctx;

    g->audit->entries++;
    if (!g->is_ruled)
        return PP_OK;
    PP_TRY(pp_log_index_add(&g->audit->index, index, entry));
    pp_res r = pp_rules_feed(&g->rules, entry, g->config->now);
    if (pp_is_ok(r))
        return r;
    pp_rules_feed_broken(&g->rules, entry);
    return found_in_record(g, index, entry, r.code);
}

static pp_res start_rules(struct auditing *g)
{
    const struct pp_audit_place *place = g->config->place;

    if (place == NULL)
        return PP_OK;
    const struct pp_rules_config c = {
        .ledger = place->origin,
        .name_space = place->name_space,
        .environment = place->environment,
        .keys = place->keys,
        .records = calloc(PP_AUDIT_RECORDS_MAX, sizeof *c.records),
        .record_cap = PP_AUDIT_RECORDS_MAX,
        .measurements = calloc(PP_AUDIT_MEASUREMENTS_MAX, sizeof *c.measurements),
        .measurement_cap = PP_AUDIT_MEASUREMENTS_MAX,
    };
    pp_rules_init(&g->rules, &c);
    g->is_ruled = c.records != NULL && c.measurements != NULL;
    PP_CHECK(g->is_ruled, PP_E_NO_MEMORY, 0);
    return PP_OK;
}

/* A bundle that cannot be read ends the entries: what is behind it could not be hashed. */
static int is_finding(uint32_t code)
{
    return code == PP_E_LOG_MISSING || code == PP_E_LOG_FILE || code == PP_E_LOG_ROOT;
}

static pp_res read_entries(struct auditing *g)
{
    const struct pp_checkpoint *at = &g->audit->opened.checkpoint;
    const struct pp_log_reader_config c = {
        .source = g->config->source,
        .tree = { at->size, at->root },
        .entry = on_entry,
        .ctx = g,
        .findings = g->config->findings,
    };
    struct pp_log_reader *reader;
    struct pp_problem words = { 0 };

    PP_TRY(pp_log_reader_new(&c, &reader));
    pp_res r = pp_log_reader_finish(reader, &words);
    pp_log_reader_free(reader);
    if (is_finding(r.code))
        return pp_audit_found_(g->config, r.code, &words);
    if (!pp_is_ok(r) && g->problem != NULL)
        *g->problem = words;
    return r;
}

static pp_res check_end(const struct auditing *g)
{
    if (!g->is_ruled || g->audit->entries < g->audit->opened.checkpoint.size ||
        g->audit->entries == 0 || pp_is_ok(pp_rules_closed(&g->rules)))
        return PP_OK;
    return found(g, PP_E_LEDGER_NOT_LAST, "last entry", "a status record", "another");
}

/* --- the directory bundle ------------------------------------------------------------------- */

/* The checkpoint that the bundle's proofs are under, as far as it is one of this log's. */
static int open_directory(const struct auditing *g, const struct pp_bundle *b, struct pp_span *ret,
                          struct pp_policy_checkpoint *ret_opened)
{
    struct pp_proof proof;

    if (!pp_is_ok(pp_proof_parse(b->status.proof, &proof)) ||
        !pp_is_ok(pp_policy_open(g->config->policy, proof.checkpoint, ret_opened)) ||
        !pp_is_ok(pp_policy_decide(g->config->policy, ret_opened->witnesses.set)))
        return 0;
    *ret = proof.checkpoint;
    return 1;
}

static pp_res compare_directory(const struct auditing *g, struct pp_span served,
                                const struct pp_bundle *bundle, struct pp_span note)
{
    const struct pp_audit *a = g->audit;
    const struct pp_log_shown shown = {
        .source = g->config->source,
        .tree = { a->opened.checkpoint.size, a->opened.checkpoint.root },
        .note = note,
    };
    struct pp_problem words = { 0 };
    struct pp_buf own = { 0 };

    pp_res r = pp_log_directory(&shown, &a->index, bundle, &own, &words);
    if (pp_code_class(r.code) == PP_CLASS_REFUSED || r.code == PP_E_NOT_FOUND)
        return found(g, PP_E_LOG_DIRECTORY, "directory", "what the log's last status names",
                     pp_code_text(r.code));
    PP_TRY(r);
    int is_same = pp_span_eq(served, pp_buf_span(&own));
    pp_buf_done(&own);
    if (is_same)
        return PP_OK;
    return found(g, PP_E_LOG_DIRECTORY, "directory",
                 "the records that the last status names, each with its proof", "another bundle");
}

/*
 * A log that publishes while it is read may serve the next tree's bundle already: that is told, and
 * it is the next audit's. A bundle of an older tree is stale, and devices get it.
 */
static pp_res check_bundle(const struct auditing *g, struct pp_span served)
{
    const struct pp_checkpoint *at = &g->audit->opened.checkpoint;
    uint8_t memory[1 << 14] __attribute__((aligned(16)));
    struct pp_arena arena = pp_arena_over(memory, sizeof memory);
    struct pp_policy_checkpoint under;
    struct pp_bundle bundle;
    struct pp_span note;
    char expected[64], got[64];

    if (!pp_is_ok(pp_bundle_parse(served, &arena, &bundle)))
        return found(g, PP_E_LOG_DIRECTORY, "directory", "a directory bundle", "something else");
    if (!open_directory(g, &bundle, &note, &under))
        return found(g, PP_E_LOG_DIRECTORY, "directory",
                     "proofs under a checkpoint of this log with its quorum", "others");
    if (under.checkpoint.size > at->size) {
        g->audit->is_directory_later = 1;
        return PP_OK;
    }
    if (under.checkpoint.size < at->size || !pp_merkle_same(&under.checkpoint.root, &at->root)) {
        snprintf(expected, sizeof expected, "the tree of %llu entries",
                 (unsigned long long)at->size);
        snprintf(got, sizeof got, "another, of %llu", (unsigned long long)under.checkpoint.size);
        return found(g, PP_E_LOG_DIRECTORY, "directory", expected, got);
    }
    return compare_directory(g, served, &bundle, note);
}

/* Devices know the log by this file alone. A log without records has none. */
static pp_res check_directory(const struct auditing *g)
{
    struct pp_problem words = { 0 };
    struct pp_buf served = { 0 };

    if (!g->is_ruled || g->audit->opened.checkpoint.size == 0)
        return PP_OK;
    pp_res r = pp_log_source_file(g->config->source, "directory", PP_BUNDLE_BYTES_MAX, &served,
                                  &words);
    if (r.code == PP_E_NOT_FOUND || r.code == PP_E_LOG_FILE)
        return pp_audit_found_(g->config,
                               r.code == PP_E_NOT_FOUND ? PP_E_LOG_MISSING : PP_E_LOG_FILE, &words);
    if (!pp_is_ok(r) && g->problem != NULL)
        *g->problem = words;
    PP_TRY(r);
    g->audit->has_directory = 1;
    r = check_bundle(g, pp_buf_span(&served));
    pp_buf_done(&served);
    return r;
}

/* --- all ------------------------------------------------------------------------------------ */

static pp_res run(struct auditing *g)
{
    PP_TRY(open_checkpoint(g));
    if (!g->audit->is_opened)
        return PP_OK;
    PP_TRY(start_rules(g));
    PP_TRY(read_entries(g));
    PP_TRY(check_end(g));
    PP_TRY(check_directory(g));
    return pp_audit_files_(g->config, g->audit, g->problem);
}

pp_res pp_audit_run(const struct pp_audit_config *c, struct pp_audit *ret,
                    struct pp_problem *problem)
{
    struct pp_problem unasked;
    struct auditing *g = calloc(1, sizeof *g);

    *ret = (struct pp_audit){ 0 };
    PP_CHECK(g != NULL, PP_E_NO_MEMORY, sizeof *g);
    g->config = c;
    g->audit = ret;
    g->problem = problem != NULL ? problem : &unasked;
    pp_res r = run(g);
    ret->is_complete = pp_is_ok(r) && ret->is_opened && ret->entries == ret->opened.checkpoint.size;
    free(g->rules.config.records);
    free(g->rules.config.measurements);
    free(g);
    return r;
}

void pp_audit_done(struct pp_audit *a)
{
    pp_buf_done(&a->checkpoint);
    pp_log_index_done(&a->index);
    *a = (struct pp_audit){ 0 };
}
