/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppctl release status: where each release of a log stands, whose entries are checked on the way:
 * who reviewed it, where it is logged, whether the current status lists it, from when until when,
 * and whether its image is public.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log_arg.h"
#include "log_reader.h"
#include "publication.h"
#include "record_file.h"
#include "record_rules.h"
#include "record_words.h"
#include "release.h"
#include "text.h"
#include "verbs.h"

enum {
    RELEASES_MAX = 4096,
    RULES_RECORDS = 1 << 16,
    RULES_MEASUREMENTS = 1 << 18,
};

enum state { NOT_LOGGED, SUBMITTED, WAITING, UNLISTED, IN_FORCE, SUPERSEDED, EXPIRED, REVOKED };

static const char *const STATES[] = { "not-logged", "submitted",  "waiting", "unlisted",
                                      "in-force",   "superseded", "expired", "revoked" };

enum image { NOT_LOOKED, PUBLIC, MISSING, OTHER };

static const char *const IMAGES[] = { "not-looked", "public", "missing", "other" };

struct row {
    struct pp_record_id id;
    uint64_t index; /* UINT64_MAX: not logged */
    enum pp_record_role role;
    uint64_t serial, not_before, not_after;
    const struct pp_policy *review; /* whose reviewers signed: the one of today or a former one */
    uint64_t reviewers;             /* bits of it */
    uint8_t image_sha256[PP_SHA256_BYTES];
    uint64_t image_bytes;
    char where[PP_RECORD_WORD_MAX + 1];
    enum state state;
    enum image image;
};

struct status {
    struct ppctl *p;
    const char *what, *log, *dir;
    int fetch;
    struct ppctl_place_args place_args;
    struct ppctl_place place;
    char log_path[RELEASE_PATH_MAX];
    struct pp_log_source *source;
    struct pp_buf checkpoint;
    struct pp_policy_checkpoint opened;
    struct pp_rules rules;
    struct pp_rules_record *records;
    struct pp_rules_measurement *measurements;
    struct row *rows;
    size_t row_count;
    struct pp_record_id wanted;
    int has_wanted;
    struct pp_record_file file; /* of an entry that was given in place of an id */
    struct pp_note note;        /* of the entry that is being read */
    struct pp_record record;
    struct pp_status last; /* the log's last entry */
    uint64_t last_time;
    struct pp_problem problem;
};

static pp_res refuse(struct status *s, pp_res r, const char *field, const char *expected,
                     const char *got)
{
    return release_refuse(&s->problem, r, field, expected, got);
}

/* --- which release ---------------------------------------------------------------------------- */

/* An id in hex, or the file of a record or entry. */
static pp_res read_wanted(struct status *s)
{
    if (s->what == NULL)
        return PP_OK;
    s->has_wanted = 1;
    if (pp_is_ok(pp_hex_parse(pp_span_cstr(s->what), s->wanted.bytes, sizeof s->wanted.bytes)))
        return PP_OK;
    PP_TRY(pp_record_file_read(s->what, &s->problem, &s->file));
    if (s->file.record.type != PP_RECORD_RELEASE)
        return refuse(s, PP_FAIL(PP_E_INPUT, 0), "type", "cvm-release",
                      pp_record_type_name(s->file.record.type));
    s->wanted = s->file.id;
    return PP_OK;
}

static uint64_t reviewers_of(const struct pp_policy *review, const struct pp_note *n)
{
    struct pp_note_signers who;

    return pp_is_ok(pp_note_check(n, review->witness_keys, review->witness_count, &who)) ? who.set
                                                                                         : 0;
}

static void find_reviewers(const struct pp_record_keys *keys, const struct pp_note *n,
                           struct row *row)
{
    row->review = keys->review;
    row->reviewers = reviewers_of(row->review, n);
    for (size_t i = 0; i < keys->former_count && row->reviewers == 0; i++) {
        if (row->index >= keys->former[i].entries)
            continue;
        row->review = keys->former[i].policy;
        row->reviewers = reviewers_of(row->review, n);
    }
}

static void fill_row(const struct status *s, struct row *row, const struct pp_record *r,
                     const struct pp_note *n, uint64_t index)
{
    const struct pp_release *rel = &r->release;

    *row = (struct row){ .index = index,
                         .role = rel->role,
                         .serial = r->serial,
                         .not_before = rel->not_before,
                         .not_after = rel->not_after,
                         .image_bytes = rel->image.bytes };
    find_reviewers(&s->place.keys, n, row);
    pp_record_id_of(n->text, &row->id);
    memcpy(row->image_sha256, rel->image.sha256, sizeof row->image_sha256);
    pp_printable(row->where, sizeof row->where, rel->image.where);
}

static struct row *find_row(struct status *s, const struct pp_record_id *id)
{
    for (size_t i = 0; i < s->row_count; i++)
        if (pp_record_id_same(&s->rows[i].id, id))
            return &s->rows[i];
    return NULL;
}

/* --- the log ---------------------------------------------------------------------------------- */

static pp_res take_release(struct status *s, uint64_t index)
{
    PP_CHECK(s->row_count < RELEASES_MAX, PP_E_LIMIT, s->row_count);
    fill_row(s, &s->rows[s->row_count++], &s->record, &s->note, index);
    return PP_OK;
}

static pp_res take_entry(void *ctx, uint64_t index, struct pp_span entry)
{
    struct status *s = (struct status *)ctx;
    char field[32];

    pp_res r = pp_rules_feed(&s->rules, entry, pp_clock_posix_s(&s->p->clock));
    if (!pp_is_ok(r)) {
        snprintf(field, sizeof field, "entry %llu", (unsigned long long)index);
        if (pp_code_class(r.code) != PP_CLASS_REFUSED)
            r.code = PP_E_LEDGER_RECORD;
        return refuse(s, r, field, "a record that keeps the rules of the ledger",
                      pp_code_name(r.code));
    }
    PP_TRY(pp_record_open(entry, &s->note, &s->record));
    if (s->record.type == PP_RECORD_RELEASE)
        return take_release(s, index);
    if (s->record.type == PP_RECORD_REVOKE) {
        struct row *row = find_row(s, &s->record.revoke.target);
        if (row != NULL)
            row->state = REVOKED;
    }
    if (s->record.type == PP_RECORD_STATUS) {
        s->last = s->record.status;
        s->last_time = s->record.time;
    }
    return PP_OK;
}

static pp_res open_checkpoint(struct status *s)
{
    const struct pp_log_source_config c = {
        .place = s->log_path,
        .ca_pem = s->place.trust == NULL ? pp_span(NULL, 0) : s->place.trust->ca_pem,
    };
    const struct pp_policy *policy = s->place.keys.log;

    pp_problem_party(&s->problem, "log");
    PP_TRY(log_named_open(&c, &s->problem, &s->source));
    PP_TRY(pp_log_source_checkpoint(s->source, &s->checkpoint, &s->problem));
    pp_res r = pp_policy_open(policy, pp_buf_span(&s->checkpoint), &s->opened);
    if (pp_is_ok(r))
        r = pp_policy_decide(policy, s->opened.witnesses.set);
    return pp_is_ok(r) ? r
                       : refuse(s, r, "checkpoint", "the log's signature and the witnesses' quorum",
                                pp_code_text(r.code));
}

static pp_res read_entries(struct status *s)
{
    const struct pp_log_reader_config c = {
        .source = s->source,
        .tree = { s->opened.checkpoint.size, s->opened.checkpoint.root },
        .entry = take_entry,
        .ctx = s,
    };
    struct pp_log_reader *reader;

    PP_TRY(pp_log_reader_new(&c, &reader));
    pp_res r = pp_log_reader_finish(reader, &s->problem);
    pp_log_reader_free(reader);
    return r;
}

static pp_res read_log(struct status *s)
{
    s->records = calloc(RULES_RECORDS, sizeof *s->records);
    s->measurements = calloc(RULES_MEASUREMENTS, sizeof *s->measurements);
    s->rows = calloc(RELEASES_MAX + 1, sizeof *s->rows); /* one may not be logged */
    PP_CHECK(s->records != NULL && s->measurements != NULL && s->rows != NULL, PP_E_NO_MEMORY, 0);
    const struct pp_rules_config rules = { .ledger = s->place.origin,
                                           .name_space = s->place.name_space,
                                           .environment = s->place.environment,
                                           .keys = s->place.keys,
                                           .records = s->records,
                                           .record_cap = RULES_RECORDS,
                                           .measurements = s->measurements,
                                           .measurement_cap = RULES_MEASUREMENTS };
    pp_rules_init(&s->rules, &rules);
    PP_TRY(open_checkpoint(s));
    PP_TRY(read_entries(s));
    pp_res r = pp_rules_closed(&s->rules);
    return pp_is_ok(r) ? r : refuse(s, r, "last entry", "a status record", "another");
}

/* --- where each stands ------------------------------------------------------------------------ */

static int is_listed(const struct pp_status *s, const struct pp_record_id *id)
{
    for (size_t i = 0; i < s->release_count; i++)
        if (pp_record_id_same(&s->releases[i], id))
            return 1;
    return 0;
}

static enum state state_of(const struct status *s, const struct row *row, uint64_t now)
{
    if (row->state == REVOKED)
        return REVOKED;
    if (now >= row->not_after)
        return EXPIRED;
    if (row->serial < s->last.min_serial[row->role])
        return SUPERSEDED;
    if (is_listed(&s->last, &row->id) && now < s->last.valid_until)
        return IN_FORCE;
    return now < row->not_before ? WAITING : UNLISTED;
}

/* A file of the public folder, or what the record's own place gives. */
static enum image image_of(const struct status *s, const struct row *row)
{
    char path[RELEASE_PATH_MAX], name[PP_PUBLISHED_NAME_MAX];
    struct pp_log_source_config c = {
        .place = row->where,
        .ca_pem = s->place.trust == NULL ? pp_span(NULL, 0) : s->place.trust->ca_pem,
    };
    uint8_t digest[PP_SHA256_BYTES];
    uint64_t len;

    if (s->dir == NULL && !s->fetch)
        return NOT_LOOKED;
    if (s->dir == NULL && strncmp(row->where, "http://", 7) != 0 &&
        strncmp(row->where, "https://", 8) != 0)
        return MISSING; /* no file of this machine is what the world sees */
    if (s->dir != NULL) {
        if (!pp_is_ok(pp_published_name(pp_span_cstr(row->where), name)) ||
            snprintf(path, sizeof path, "%s/%s", s->dir, name) >= (int)sizeof path)
            return MISSING;
        c.place = path;
    }
    pp_res r = pp_log_source_digest(&c, row->image_bytes, digest, &len, NULL);
    if (!pp_is_ok(r))
        return r.code == PP_E_LOG_FILE ? OTHER : MISSING;
    return len == row->image_bytes && memcmp(digest, row->image_sha256, sizeof digest) == 0 ? PUBLIC
                                                                                            : OTHER;
}

/* A release that is here and not in the log. */
static void add_file(struct status *s)
{
    char marker[RELEASE_PATH_MAX];
    struct row *row = &s->rows[s->row_count++];

    fill_row(s, row, &s->file.record, &s->file.note, UINT64_MAX);
    row->id = s->file.id; /* a record that nobody has signed is no note */
    row->state = snprintf(marker, sizeof marker, "%s.submitted", s->what) < (int)sizeof marker &&
                         access(marker, F_OK) == 0
                     ? SUBMITTED
                     : NOT_LOGGED;
}

static pp_res settle(struct status *s)
{
    uint64_t now = pp_clock_posix_s(&s->p->clock);

    for (size_t i = 0; i < s->row_count; i++)
        s->rows[i].state = state_of(s, &s->rows[i], now);
    if (s->has_wanted) {
        struct row *row = find_row(s, &s->wanted);
        if (row != NULL)
            s->rows[0] = *row;
        s->row_count = row != NULL;
        if (row == NULL && s->file.bytes.bytes == NULL)
            return refuse(s, PP_FAIL(PP_E_NOT_FOUND, 0), "id", "a release that the log holds",
                          s->what);
        if (row == NULL)
            add_file(s);
    }
    for (size_t i = 0; i < s->row_count; i++)
        if (s->rows[i].state < SUPERSEDED)
            s->rows[i].image = image_of(s, &s->rows[i]);
    return PP_OK;
}

static pp_res set_log(struct status *s)
{
    int n = s->log != NULL
                ? snprintf(s->log_path, sizeof s->log_path, "%s", s->log)
                : snprintf(s->log_path, sizeof s->log_path, "%s/log/public", s->p->state);

    PP_CHECK(n > 0 && n < RELEASE_PATH_MAX, PP_E_RANGE, n);
    return PP_OK;
}

static pp_res run(struct status *s)
{
    PP_TRY(set_log(s));
    PP_TRY(ppctl_place_open(s->p, &s->place_args, PPCTL_NEED_ALL, &s->problem, &s->place));
    pp_problem_party(&s->problem, "record");
    PP_TRY(read_wanted(s));
    PP_TRY(read_log(s));
    return settle(s);
}

/* --- what is said ----------------------------------------------------------------------------- */

/* More than half of its time is over: the next one should be on its way (pp-wire 13). */
static int wants_renewal(const struct row *row, uint64_t now)
{
    return row->state == IN_FORCE && now > row->not_before &&
           now - row->not_before > (row->not_after - row->not_before) / 2;
}

/*
 * 0: in force (of several, one at least); 5: what there is waits; 3: it is over, or an image is not
 * what the record names.
 */
static int exit_of(const struct status *s)
{
    int in_force = 0, waits = 0, bad_image = 0;

    for (size_t i = 0; i < s->row_count; i++) {
        in_force |= s->rows[i].state == IN_FORCE;
        waits |= s->rows[i].state < IN_FORCE;
        bad_image |= s->rows[i].image == OTHER || s->rows[i].image == MISSING;
    }
    if (bad_image)
        return PP_CLASS_REFUSED;
    if (in_force)
        return PP_CLASS_OK;
    return waits ? (int)PP_CLASS_BUSY : (int)PP_CLASS_REFUSED;
}

static json_t *row_json(const struct row *row, uint64_t now)
{
    char names[512];

    pp_policy_names(names, sizeof names, row->review, row->reviewers);
    return json_pack("{s:s, s:s, s:s, s:I, s:o, s:I, s:I, s:s, s:b, s:{s:s, s:s, s:s}}", "id",
                     release_hex(PP_BYTES(row->id.bytes)).text, "state", STATES[row->state], "role",
                     pp_record_role_name(row->role), "serial", (json_int_t)row->serial, "index",
                     row->index == UINT64_MAX ? json_null() : json_integer((json_int_t)row->index),
                     "not_before", (json_int_t)row->not_before, "not_after",
                     (json_int_t)row->not_after, "reviewers", names, "renew",
                     wants_renewal(row, now), "image", "state", IMAGES[row->image], "sha256",
                     release_hex(PP_BYTES(row->image_sha256)).text, "where", row->where);
}

static int print_json(const struct status *s)
{
    uint64_t now = pp_clock_posix_s(&s->p->clock);
    json_t *rows = json_array();

    for (size_t i = 0; i < s->row_count; i++)
        json_array_append_new(rows, row_json(&s->rows[i], now));
    int failed = ppctl_print_json(json_pack("{s:s, s:I, s:I, s:I, s:o}", "log", s->log_path, "size",
                                            (json_int_t)s->opened.checkpoint.size, "status_time",
                                            (json_int_t)s->last_time, "status_valid_until",
                                            (json_int_t)s->last.valid_until, "releases", rows));
    return failed != 0 ? failed : exit_of(s);
}

static int print_text(const struct status *s)
{
    uint64_t now = pp_clock_posix_s(&s->p->clock);
    char names[512];

    printf("log %s, %llu entries, status of %s\n", s->log_path,
           (unsigned long long)s->opened.checkpoint.size, pp_moment_of(s->last_time).text);
    for (size_t i = 0; i < s->row_count; i++) {
        const struct row *row = &s->rows[i];
        pp_policy_names(names, sizeof names, row->review, row->reviewers);
        printf("\n%s %llu: %s%s\n  id       %s\n  window   %s", pp_record_role_name(row->role),
               (unsigned long long)row->serial, STATES[row->state],
               wants_renewal(row, now) ? ", more than half of its time is over" : "",
               release_hex(PP_BYTES(row->id.bytes)).text, pp_moment_of(row->not_before).text);
        printf(" to %s\n  reviewed %s\n", pp_moment_of(row->not_after).text,
               names[0] == '\0' ? "by nobody" : names);
        if (row->index != UINT64_MAX)
            printf("  logged   entry %llu, cosigned\n", (unsigned long long)row->index);
        printf("  image    %s: %s\n", row->where, IMAGES[row->image]);
    }
    return fflush(stdout) != 0 ? (int)PP_CLASS_FAILED : exit_of(s);
}

static void status_done(struct status *s)
{
    pp_log_source_close(s->source);
    pp_buf_done(&s->checkpoint);
    pp_record_file_done(&s->file);
    ppctl_place_done(&s->place);
    free(s->records);
    free(s->measurements);
    free(s->rows);
    free(s);
}

int verb_release_status(struct ppctl *p, int argc, char **argv)
{
    struct status *s = calloc(1, sizeof *s);

    if (s == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    s->p = p;
    pp_problem_party(&s->problem, "ppctl");
    const struct ppctl_option options[] = {
        { "--log", "PLACE", "URL or folder of the log; default: STATE/log/public", &s->log, NULL },
        { "--public", "DIR", "the folder of published images, which are hashed", &s->dir, NULL },
        { "--fetch", NULL, "fetch and hash each image from the place that its record names", NULL,
          &s->fetch },
        PPCTL_PLACE_OPTIONS(s->place_args),
    };
    int status = ppctl_parse(p, "release status", options, PP_ARRAY_COUNT(options), argc, argv,
                             &s->what, 0, 1, NULL);
    if (status < 0 && s->dir != NULL && s->fetch)
        status = ppctl_usage(p, "--fetch", "either it or --public", "both");
    if (status < 0) {
        pp_res r = run(s);
        if (!pp_is_ok(r))
            status = ppctl_fail(p, r, &s->problem, 0);
        else
            status = p->json ? print_json(s) : print_text(s);
    }
    status_done(s);
    return status;
}
