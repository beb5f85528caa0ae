/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppctl log monitor: follows a log and its mirrors, recomputes everything, and says who did what
 * wrong (docs/ledger.md, "For auditors: the monitor").
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "loop.h"
#include "monitor_run.h"
#include "place.h"
#include "text.h"
#include "verbs.h"

enum {
    EVERY_DEFAULT_S = 300,
    EVERY_MAX_S = 86400,
    WITNESS_HOURS_MAX = 24 * 365,
    FOLDER_MAX = 4096,
};

struct monitor {
    struct ppctl *p;
    struct ppctl_list logs, checkpoints, expected;
    const char *every, *images, *witness_hours, *policy, *ca;
    int once, opaque;
    uint64_t every_s;
    struct ppctl_place_args place_args;
    struct ppctl_place place;
    struct pp_buf foreign_text, ca_text;
    struct pp_policy foreign_policy;
    char folder[FOLDER_MAX];
    char mirrors[PP_TRUST_MIRRORS_MAX][PP_TRUST_URL_BYTES_MAX + 1];
    struct pp_record_id ids[PPCTL_LIST_MAX];
    struct pp_monitor_run run;
    struct pp_problem problem;
    /* Following. */
    struct pp_loop *loop;
    struct pp_timer *timer;
    struct pp_signal *signals[2];
    int status;
};

/* --- output ----------------------------------------------------------------------------------- */

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *hex_json(struct pp_span bytes)
{
    char text[2 * PP_SHA256_BYTES + 1] = "";
    struct pp_wr wr = pp_wr_over(text, sizeof text - 1);

    pp_wr_hex(&wr, bytes);
    return json_string(text);
}

static json_t *finding_json(const struct pp_monitor_stored *s)
{
    const struct pp_monitor_finding *f = &s->finding;

    return json_pack("{s:o, s:s, s:s, s:s, s:o, s:o, s:b, s:s, s:s, s:s, s:s, s:s, s:s}", "id",
                     hex_json(PP_BYTES(s->id.bytes)), "level",
                     pp_monitor_finding_level_name(f->level), "kind",
                     pp_monitor_finding_kind_name(f->kind), "code", pp_code_name(f->code), "time",
                     number(f->posix_s), "since", number(f->since), "new", s->is_new, "who", f->who,
                     "subject", f->subject, "field", f->words.field, "expected", f->words.expected,
                     "got", f->words.got, "do", pp_code_todo(f->code));
}

static json_t *findings_json(const struct monitor *w)
{
    json_t *list = json_array();

    for (size_t i = 0; i < w->run.store.finding_count; i++)
        if (w->run.store.findings[i].is_present)
            json_array_append_new(list, finding_json(&w->run.store.findings[i]));
    return list;
}

static json_t *places_json(const struct monitor *w)
{
    json_t *list = json_array();

    for (size_t i = 0; i < w->run.config.place_count; i++) {
        const struct pp_monitor_place *p = &w->run.places[i];
        json_array_append_new(
            list, json_pack("{s:s, s:o, s:o}", "place", p->name, "size", number(p->size), "code",
                            p->code == PP_E_OK ? json_null() : json_string(pp_code_name(p->code))));
    }
    return list;
}

static json_t *witnesses_json(const struct monitor *w)
{
    const struct pp_policy *log = w->run.config.log;
    json_t *list = json_array();

    for (size_t i = 0; i < log->witness_count; i++)
        json_array_append_new(list, json_pack("{s:o, s:o}", "name",
                                              json_stringn((const char *)log->witness_names[i].at,
                                                           log->witness_names[i].len),
                                              "time", number(w->run.monitor->witness_posix_s[i])));
    return list;
}

static const char *level_name(const struct monitor *w)
{
    enum pp_finding_level level = pp_monitor_store_level(&w->run.store);

    return level == 0 ? "none" : pp_monitor_finding_level_name(level);
}

static int print_json(const struct monitor *w)
{
    const struct pp_monitor *m = w->run.monitor;
    struct pp_merkle_hash root;

    pp_merkle_range_root(&m->tree, &root);
    return ppctl_print_json(json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "folder", w->folder, "origin",
        json_stringn((const char *)w->run.config.origin.at, w->run.config.origin.len), "size",
        number(m->tree.size), "root", hex_json(PP_BYTES(root.bytes)), "time",
        number(m->last.len > 0 ? m->last.head.quorum_posix_s : 0), "level", level_name(w), "unread",
        number(w->run.unread), "sources", places_json(w), "witnesses", witnesses_json(w),
        "findings", findings_json(w)));
}

static void print_finding(const struct monitor *w, const struct pp_monitor_stored *s)
{
    const struct pp_monitor_finding *f = &s->finding;
    char hex[2 * PP_FINDING_ID_BYTES + 1] = "";
    struct pp_wr wr = pp_wr_over(hex, sizeof hex - 1);

    pp_wr_hex(&wr, PP_BYTES(s->id.bytes));
    printf("%s: %s (%s)\n", pp_monitor_finding_level_name(f->level), pp_code_text(f->code),
           pp_code_name(f->code));
    printf("  who:      %s\n  what:     %s\n", f->who, f->subject);
    if (f->words.field[0] != '\0')
        printf("  field:    %s\n  expected: %s\n  got:      %s\n", f->words.field,
               f->words.expected, f->words.got);
    if (f->level == PP_FINDING_ALARM)
        printf("  evidence: %s/evidence/%s\n", w->folder, hex);
    printf("  do:       %s\n", pp_code_todo(f->code));
}

static int print_text(const struct monitor *w, int all)
{
    const struct pp_monitor_store *s = &w->run.store;
    size_t read = 0;

    for (size_t i = 0; i < s->finding_count; i++)
        if (s->findings[i].is_present && (all || s->findings[i].is_new))
            print_finding(w, &s->findings[i]);
    for (size_t i = 0; i < w->run.config.place_count; i++)
        read += w->run.places[i].code == PP_E_OK;
    printf("%.*s: size %llu, %zu of %zu sources read, worst finding: %s\n",
           (int)w->run.config.origin.len, (const char *)w->run.config.origin.at,
           (unsigned long long)w->run.monitor->tree.size, read, w->run.config.place_count,
           level_name(w));
    return fflush(stdout) == 0 ? 0 : 1;
}

/* --- one round -------------------------------------------------------------------------------- */

static int round_status(const struct monitor *w)
{
    if (pp_monitor_store_level(&w->run.store) == PP_FINDING_ALARM)
        return PP_CLASS_REFUSED;
    return w->run.unread > 0 ? PP_CLASS_FAILED : 0;
}

/* The exit status; findings before trouble, for they are what nobody may miss. */
static int run_round(struct monitor *w)
{
    pp_res r = pp_monitor_run_round(&w->run);

    if (!pp_is_ok(r)) {
        pp_problem_set(&w->problem, w->folder, "a folder that the monitor can write to",
                       PP_STR(""));
        return ppctl_fail(w->p, r, &w->problem, 0);
    }
    int failed = w->p->json ? print_json(w) : print_text(w, w->once);
    return failed != 0 ? failed : round_status(w);
}

/* --- following -------------------------------------------------------------------------------- */

static void on_timer(void *ctx)
{
    struct monitor *w = ctx;

    pp_monitor_store_round(&w->run.store);
    w->status = run_round(w);
    pp_timer_set(w->timer, (uint32_t)w->every_s * 1000);
}

static void on_signal(void *ctx)
{
    struct monitor *w = ctx;

    pp_loop_stop(w->loop);
}

static pp_res start_following(struct monitor *w)
{
    static const int numbers[] = { SIGTERM, SIGINT };

    PP_TRY(pp_loop_new(&w->loop));
    for (size_t i = 0; i < PP_ARRAY_COUNT(numbers); i++)
        PP_TRY(pp_signal_new(w->loop, numbers[i], on_signal, w, &w->signals[i]));
    PP_TRY(pp_timer_new(w->loop, on_timer, w, &w->timer));
    pp_timer_set(w->timer, (uint32_t)w->every_s * 1000);
    return PP_OK;
}

/* Rounds until somebody asks it to end; then the status of the last one. */
static int follow(struct monitor *w)
{
    w->status = run_round(w);
    pp_res r = start_following(w);
    if (pp_is_ok(r))
        r = pp_loop_run(w->loop);
    pp_timer_free(w->timer);
    for (size_t i = 0; i < PP_ARRAY_COUNT(w->signals); i++)
        pp_signal_free(w->signals[i]);
    pp_loop_free(w->loop);
    return pp_is_ok(r) ? w->status : ppctl_fail(w->p, r, NULL, 0);
}

/* --- options ---------------------------------------------------------------------------------- */

static pp_res refuse(struct monitor *w, const char *field, const char *expected, const char *got)
{
    pp_problem_set(&w->problem, field, expected, pp_span_cstr(got));
    return PP_FAIL(PP_E_USAGE, 0);
}

static pp_res read_number(struct monitor *w, const char *name, const char *text, uint64_t max,
                          uint64_t *ret)
{
    if (text == NULL)
        return PP_OK; /* the default stays */
    if (!pp_is_ok(pp_decimal_parse(pp_span_cstr(text), max, ret)) || *ret == 0)
        return refuse(w, name, "a number, 1 or more", text);
    return PP_OK;
}

static pp_res read_file(struct monitor *w, const char *name, const char *path, struct pp_buf *ret)
{
    pp_res r = pp_file_read(AT_FDCWD, path, PP_POLICY_BYTES_MAX * 4, ret);

    if (pp_is_ok(r))
        return r;
    pp_problem_set(&w->problem, name, path, pp_span_cstr(pp_file_reason(r)));
    return PP_FAIL(PP_E_CONFIG, 0);
}

/* The policy of somebody else's log: its keys, its witnesses; its entries are bytes. */
static pp_res open_foreign(struct monitor *w, struct pp_monitor_run_config *c)
{
    const struct pp_policy *log = &w->foreign_policy;

    if (w->policy == NULL)
        return refuse(w, "--policy", "the policy file of the log, with --opaque", "nothing");
    PP_TRY(read_file(w, "--policy", w->policy, &w->foreign_text));
    pp_res r = pp_policy_parse(pp_buf_span(&w->foreign_text), PP_POLICY_FOREIGN,
                               &w->foreign_policy);
    if (!pp_is_ok(r) || log->log_count == 0) {
        pp_problem_set(&w->problem, w->policy, "a policy file with a log line",
                       pp_span_cstr(pp_code_name(r.code)));
        return PP_FAIL(PP_E_CONFIG, r.detail);
    }
    c->opaque = 1;
    c->log = log;
    c->origin = w->place_args.origin != NULL ? pp_span_cstr(w->place_args.origin)
                                             : log->log_keys[0].name;
    return PP_OK;
}

/* The mirrors that devices fetch from, with the anchors' word for https. */
static pp_res take_mirrors(struct monitor *w, struct pp_monitor_run_config *c)
{
    const struct pp_trust *t = w->place.trust;

    c->ca_pem = t->ca_pem;
    for (size_t i = 0; i < t->mirror_count; i++) {
        PP_CHECK(t->mirrors[i].len < sizeof w->mirrors[i], PP_E_RANGE, t->mirrors[i].len);
        memcpy(w->mirrors[i], t->mirrors[i].at, t->mirrors[i].len);
        c->mirrors[c->mirror_count++] = w->mirrors[i];
    }
    return PP_OK;
}

static pp_res open_ledger(struct monitor *w, struct pp_monitor_run_config *c)
{
    PP_TRY(ppctl_place_open(w->p, &w->place_args, PPCTL_NEED_ALL, &w->problem, &w->place));
    c->log = w->place.keys.log;
    c->origin = w->place.origin;
    c->keys = &w->place.keys;
    c->name_space = w->place.name_space;
    c->environment = w->place.environment;
    return w->place.trust == NULL ? PP_OK : take_mirrors(w, c);
}

static void read_images(struct monitor *w, struct pp_monitor_run_config *c)
{
    c->images = PP_MONITOR_IMAGES_FETCH;
    if (w->images != NULL && strcmp(w->images, "skip") == 0)
        c->images = PP_MONITOR_IMAGES_SKIP;
    else if (w->images != NULL && strcmp(w->images, "fetch") != 0)
        c->images = PP_MONITOR_IMAGES_FOLDER;
    c->images_folder = w->images;
}

static pp_res read_expected(struct monitor *w, struct pp_monitor_run_config *c)
{
    for (size_t i = 0; i < w->expected.count; i++)
        if (!pp_is_ok(pp_hex_parse(pp_span_cstr(w->expected.items[i]), w->ids[i].bytes,
                                   sizeof w->ids[i].bytes)))
            return refuse(w, "--expect", "the id of a record, 64 hex digits", w->expected.items[i]);
    c->expected = w->ids;
    c->expected_count = w->expected.count;
    return PP_OK;
}

static pp_res make_folder(struct monitor *w)
{
    PP_CHECK(snprintf(w->folder, sizeof w->folder, "%s/monitor", w->p->state) <
                 (int)sizeof w->folder,
             PP_E_RANGE, 0);
    if (mkdir(w->p->state, 0755) == 0 || errno == EEXIST)
        return PP_OK;
    pp_problem_set(&w->problem, w->p->state, "a folder, or a place where one can be made",
                   pp_span_cstr(strerror(errno)));
    return PP_FAIL(PP_E_CONFIG, errno);
}

static pp_res configure(struct monitor *w, struct pp_monitor_run_config *c)
{
    uint64_t hours = PP_MONITOR_WITNESS_S / 3600;

    if (w->logs.count == 0 || w->logs.count > PP_MONITOR_PLACES_MAX)
        return refuse(w, "--log", "1 to 16 folders or URLs", "another number");
    for (size_t i = 0; i < w->logs.count; i++)
        if (strlen(w->logs.items[i]) > PP_MONITOR_NAME_MAX)
            return refuse(w, "--log", "a name of up to 255 bytes", w->logs.items[i]);
    if (w->once && w->every != NULL)
        return refuse(w, "--every", "either --once or --every", w->every);
    w->every_s = EVERY_DEFAULT_S;
    PP_TRY(read_number(w, "--every", w->every, EVERY_MAX_S, &w->every_s));
    PP_TRY(read_number(w, "--witness-hours", w->witness_hours, WITNESS_HOURS_MAX, &hours));
    c->witness_late_s = (uint32_t)hours * 3600;
    memcpy(c->places, w->logs.items, w->logs.count * sizeof c->places[0]);
    c->place_count = w->logs.count;
    memcpy(c->brought, w->checkpoints.items, w->checkpoints.count * sizeof c->brought[0]);
    c->brought_count = w->checkpoints.count;
    PP_TRY(read_expected(w, c));
    read_images(w, c);
    PP_TRY(w->opaque ? open_foreign(w, c) : open_ledger(w, c));
    if (w->ca != NULL) {
        PP_TRY(read_file(w, "--ca", w->ca, &w->ca_text));
        c->ca_pem = pp_buf_span(&w->ca_text);
    }
    PP_TRY(make_folder(w));
    c->folder = w->folder;
    c->clock = w->p->clock;
    return PP_OK;
}

/* --- the verb --------------------------------------------------------------------------------- */

static int work(struct monitor *w)
{
    struct pp_monitor_run_config c = { 0 };
    pp_res r = configure(w, &c);

    if (pp_is_ok(r))
        r = pp_monitor_run_open(&c, &w->run, &w->problem);
    int status = 0;
    if (!pp_is_ok(r))
        status = ppctl_fail(w->p, r, &w->problem, 0);
    else
        status = w->once ? run_round(w) : follow(w);
    pp_monitor_run_close(&w->run);
    return status;
}

int verb_log_monitor(struct ppctl *p, int argc, char **argv)
{
    struct monitor *w = calloc(1, sizeof *w);

    if (w == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    const struct ppctl_option options[] = {
        { "--log", "WHERE", "the log or a mirror: a folder or URL; several", NULL, NULL, &w->logs },
        { "--checkpoint", "FILE",
          "what somebody was shown: checkpoint, proof, bundle, receipt; several", NULL, NULL,
          &w->checkpoints },
        { "--expect", "ID", "a record that the log acknowledged; several", NULL, NULL,
          &w->expected },
        { "--once", NULL, "one round", NULL, &w->once, NULL },
        { "--every", "S", "seconds between rounds (300)", &w->every, NULL, NULL },
        { "--images", "WHAT", "fetch, skip, or a folder of them", &w->images, NULL, NULL },
        { "--witness-hours", "N", "silent for longer, a witness is slow (24)", &w->witness_hours,
          NULL, NULL },
        { "--opaque", NULL, "a log of somebody else: hashes alone", NULL, &w->opaque, NULL },
        { "--policy", "FILE", "its keys and witnesses, with --opaque", &w->policy, NULL, NULL },
        { "--ca", "PEM", "who vouches for https", &w->ca, NULL, NULL },
        PPCTL_PLACE_OPTIONS(w->place_args),
    };
    w->p = p;
    pp_monitor_store_init(&w->run.store);
    pp_monitor_copy_init(&w->run.copy, -1, 0);
    int status = ppctl_parse(p, "log monitor", options, PP_ARRAY_COUNT(options), argc, argv, NULL,
                             0, 0, NULL);
    if (status < 0)
        status = work(w);
    ppctl_place_done(&w->place);
    pp_buf_done(&w->foreign_text);
    pp_buf_done(&w->ca_text);
    free(w);
    return status;
}
