/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppctl log submit: signed records to a log, as one batch in an order that it takes. Everything
 * that can be judged here is judged before a byte is sent; the log takes all of it or nothing.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "admit.h"
#include "log_arg.h"
#include "place.h"
#include "record_file.h"
#include "record_words.h"
#include "submit.h"
#include "verbs.h"

enum {
    WAIT_STEP_MS = 2000,       /* between two questions */
    WAIT_MS_MAX = 2 * 3600000, /* a log publishes every hour */
};

struct item {
    const char *path;
    struct pp_record_file file;
};

struct submit {
    struct ppctl *p;
    const char *paths[PP_SUBMIT_MAX], *url, *ca;
    size_t count;
    int wait;
    struct ppctl_place_args place_args;
    struct ppctl_place place;
    struct pp_buf ca_text;
    struct pp_problem problem;
    struct pp_admit *admit;
    struct item *items; /* of which `order` tells the order */
    struct item *order[PP_SUBMIT_MAX];
    struct pp_span entries[PP_SUBMIT_MAX];
    struct pp_submit_answer answer;
};

static pp_res refuse(struct submit *s, pp_res r, const char *field, const char *expected,
                     const char *got)
{
    pp_problem_set(&s->problem, field, expected, pp_span_cstr(got));
    return r;
}

/* --- before anything is sent ---------------------------------------------------------------- */

static pp_res read_files(struct submit *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct item *it = &s->items[i];

        it->path = s->paths[i];
        PP_TRY(pp_record_file_read(it->path, &s->problem, &it->file));
        if (it->file.note.line_count == 0)
            return refuse(s, PP_FAIL(PP_E_SIGNATURES, i), it->path, "a signed record",
                          "one that nobody has signed");
        s->order[i] = it;
    }
    return PP_OK;
}

static unsigned role_or_kind(const struct pp_record *r)
{
    if (r->type == PP_RECORD_RELEASE)
        return (unsigned)r->release.role;
    return r->type == PP_RECORD_KEY_EPOCH ? (unsigned)r->key_epoch.kind : 0;
}

/*
 * Host-set, keys, releases, revocations: what is revoked stands before it, and a set is there when
 * the status is made. Within a type by role or kind, then by serial, which have to rise.
 */
static int compare(const void *a, const void *b)
{
    static const int ranks[] = { [PP_RECORD_HOST_SET] = 1,
                                 [PP_RECORD_KEY_EPOCH] = 2,
                                 [PP_RECORD_RELEASE] = 3,
                                 [PP_RECORD_REVOKE] = 4,
                                 [PP_RECORD_STATUS] = 5 };
    const struct pp_record *x = &(*(struct item *const *)a)->file.record;
    const struct pp_record *y = &(*(struct item *const *)b)->file.record;

    if (x->type != y->type)
        return ranks[x->type] - ranks[y->type];
    if (role_or_kind(x) != role_or_kind(y))
        return role_or_kind(x) < role_or_kind(y) ? -1 : 1;
    return x->serial < y->serial ? -1 : x->serial > y->serial;
}

/* The rules that the log has, for whoever knows whose signatures count there. */
static pp_res ask_rules(struct submit *s)
{
    const uint64_t now_s = pp_clock_posix_s(&s->p->clock);

    if (!ppctl_place_given(&s->place_args))
        return PP_OK;
    PP_TRY(ppctl_place_open(s->p, &s->place_args, PPCTL_NEED_OWNER | PPCTL_NEED_REVIEW, &s->problem,
                            &s->place));
    pp_problem_party(&s->problem, "ppctl");
    PP_TRY(pp_admit_new(s->place.origin, s->place.name_space, s->place.environment, &s->place.keys,
                        &s->admit));
    for (size_t i = 0; i < s->count; i++) {
        pp_res r = pp_admit_entry(s->admit, s->entries[i], now_s);
        if (!pp_is_ok(r))
            return refuse(
                s,
                PP_FAIL(r.code == PP_E_LEDGER_SIGNER ? PP_E_SIGNATURES : PP_E_LOG_REFUSED, r.code),
                s->order[i]->path, "a record that the log takes", pp_code_name(r.code));
    }
    if (pp_is_ok(pp_admit_in_time(s->admit, now_s)))
        return PP_OK;
    return refuse(s, PP_FAIL(PP_E_TOO_LATE, 0), "batch",
                  "published 24 h before a release's not-before, 48 h before a key's use",
                  pp_moment_of(pp_admit_published_s(s->place.environment, now_s)).text);
}

static pp_res read_ca(struct submit *s)
{
    if (s->ca == NULL)
        return PP_OK;
    pp_res r = pp_file_read(AT_FDCWD, s->ca, PP_TRUST_FILE_BYTES_MAX, &s->ca_text);
    return pp_is_ok(r) ? r
                       : refuse(s, PP_FAIL(PP_E_CONFIG, r.detail), s->ca, "certificates, PEM",
                                pp_file_reason(r));
}

static pp_res prepare(struct submit *s)
{
    pp_problem_party(&s->problem, "ppctl");
    if (s->url == NULL)
        return refuse(s, PP_FAIL(PP_E_USAGE, 0), "--url", "http://host:port of a log", "nothing");
    PP_TRY(read_ca(s));
    PP_TRY(read_files(s));
    qsort(s->order, s->count, sizeof s->order[0], compare);
    for (size_t i = 0; i < s->count; i++)
        s->entries[i] = pp_buf_span(&s->order[i]->file.bytes);
    return ask_rules(s);
}

/* --- sending -------------------------------------------------------------------------------- */

/* Who vouches for https: --ca, else the anchors of the place. */
static struct pp_span ca_of(const struct submit *s)
{
    return s->ca == NULL && s->place.trust != NULL ? s->place.trust->ca_pem
                                                   : pp_buf_span(&s->ca_text);
}

static pp_res send_once(struct submit *s)
{
    pp_res r = pp_submit_batch(s->url, ca_of(s), s->entries, s->count, &s->answer, &s->problem);

    if (r.code == PP_E_LOG_REFUSED && s->answer.refused < s->count)
        return refuse(s, r, s->order[s->answer.refused]->path, pp_code_text(s->answer.rule),
                      pp_code_name(s->answer.rule));
    return r;
}

/* What waits is sent again, which is how to ask; a log that was asked once too often says BUSY. */
static pp_res send_batch(struct submit *s)
{
    PP_TRY(send_once(s));
    if (!s->wait || s->answer.published)
        return PP_OK;
    fprintf(stderr, "pending: the log has it, and publishes it with its next batch\n");
    for (uint64_t waited_ms = 0; waited_ms < WAIT_MS_MAX; waited_ms += WAIT_STEP_MS) {
        (void)poll(NULL, 0, WAIT_STEP_MS);
        pp_res r = send_once(s);
        if (r.code == PP_E_BUSY)
            continue;
        PP_TRY(r);
        if (s->answer.published)
            return PP_OK;
    }
    return refuse(s, PP_FAIL(PP_E_TIMEOUT, 0), "batch", "published within two hours", "pending");
}

/* --- what came of it ------------------------------------------------------------------------ */

static json_t *entry_json(const struct submit *s, size_t i)
{
    const struct pp_record_file *f = &s->order[i]->file;
    json_t *o = json_pack("{s:s, s:o, s:s, s:I}", "file", s->order[i]->path, "id",
                          log_hex_json(PP_BYTES(f->id.bytes)), "type",
                          pp_record_type_name(f->record.type), "serial",
                          (json_int_t)f->record.serial);

    if (s->answer.published)
        json_object_set_new(o, "index", json_integer((json_int_t)s->answer.index[i]));
    return o;
}

static int print_result(const struct submit *s)
{
    const char *state = s->answer.published ? "published" : "pending";
    json_t *list = json_array();

    for (size_t i = 0; i < s->count; i++)
        json_array_append_new(list, entry_json(s, i));
    if (s->p->json) {
        json_t *o = json_pack("{s:s, s:o}", "state", state, "entries", list);
        if (s->answer.published)
            json_object_set_new(o, "size", json_integer((json_int_t)s->answer.size));
        return ppctl_print_json(o);
    }
    for (size_t i = 0; i < s->count; i++) {
        const json_t *o = json_array_get(list, i);

        if (s->answer.published)
            printf("%llu ", (unsigned long long)s->answer.index[i]);
        printf("%s %s\n", json_string_value(json_object_get(o, "id")), s->order[i]->path);
    }
    json_decref(list);
    printf("%s\n", state);
    return fflush(stdout) != 0 ? (int)PP_CLASS_FAILED : 0;
}

static void submit_done(struct submit *s)
{
    for (size_t i = 0; s->items != NULL && i < s->count; i++)
        pp_record_file_done(&s->items[i].file);
    free(s->items);
    pp_buf_done(&s->ca_text);
    pp_admit_free(s->admit);
    ppctl_place_done(&s->place);
    free(s);
}

static int run(struct submit *s)
{
    s->items = calloc(s->count, sizeof *s->items);
    pp_res r = s->items == NULL ? PP_FAIL(PP_E_NO_MEMORY, 0) : prepare(s);

    if (pp_is_ok(r))
        r = send_batch(s);
    return pp_is_ok(r) ? print_result(s) : ppctl_fail(s->p, r, &s->problem, 0);
}

int verb_log_submit(struct ppctl *p, int argc, char **argv)
{
    struct submit *s = calloc(1, sizeof *s);

    if (s == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    s->p = p;
    const struct ppctl_option options[] = {
        { "--url", "URL", "http://host:port of the log", &s->url, NULL },
        { "--ca", "FILE", "who vouches for https, PEM", &s->ca, NULL },
        { "--wait", NULL, "until the batch is published", NULL, &s->wait },
        PPCTL_PLACE_OPTIONS(s->place_args),
    };
    int status = ppctl_parse(p, "log submit", options, PP_ARRAY_COUNT(options), argc, argv,
                             s->paths, 1, PP_SUBMIT_MAX, &s->count);
    if (status < 0)
        status = run(s);
    submit_done(s);
    return status;
}
