/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppctl gateway rotate: the next epoch of a gateway's OHTTP keys. It reads the ledger, makes the
 * private keys of the epoch behind the last logged one, and gives the text of their key-epoch
 * record, for the owner to sign and to submit. In a development fleet it does that as well.
 *
 * Each step can be done again: a key that is there is kept, and while its record is not in the
 * ledger every run gives the record of the same keys.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "device.h"
#include "log_view.h"
#include "ohttp_epoch.h"
#include "place.h"
#include "verbs.h"
#if !PP_RELEASE
#include "fleet.h"
#endif

enum {
    PUBLISHED_S = 3600, /* outside dev a log closes its batch on the hour */
    PATH_BYTES_MAX = 4096,
};

struct rotate {
    struct ppctl *p;
    const char *keys, *log; /* folders as given, or NULL */
    char keys_path[PATH_BYTES_MAX], log_path[PATH_BYTES_MAX];
    int folder_fd;
    struct pp_device device; /* for its anchors alone: nothing is opened */
    struct pp_trust trust;
    struct pp_former_reviews former;
    struct log_view view;
    struct pp_problem problem;
    struct pp_note note; /* the entry that is being read */
    struct pp_record record;
    struct pp_ohttp_rotation ledger;
    uint64_t serial; /* the last of key-epoch records of kind ohttp */
    uint64_t day;
    size_t made;
    char text[PP_RECORD_BYTES_MAX]; /* the record */
    size_t text_len;
    int logged;
#if !PP_RELEASE
    struct fleet fleet;
#endif
};

static pp_res refuse(struct rotate *x, pp_res r, const char *field, const char *expected,
                     const char *got)
{
    pp_problem_set(&x->problem, field, expected, pp_span_cstr(got));
    return r;
}

struct number {
    char text[96];
};

static struct number epoch_words(const char *before, uint64_t day, const char *behind)
{
    struct number n;

    (void)snprintf(n.text, sizeof n.text, "%sepoch %llu%s", before, (unsigned long long)day,
                   behind);
    return n;
}

/* --- what is there -------------------------------------------------------------------------- */

static pp_res read_trust(struct rotate *x)
{
    struct pp_trust_files files;

    PP_CHECK(snprintf(x->device.state, sizeof x->device.state, "%s", x->p->state) <
                 PP_DEVICE_PATH_MAX,
             PP_E_RANGE, 0);
    pp_res r = pp_device_trust_files(&x->device, &files);
    if (!pp_is_ok(r)) {
        x->problem = x->device.problem;
        return r;
    }
    pp_problem_party(&x->problem, "trust anchors");
    PP_TRY(pp_trust_parse(&x->trust, &files, &x->problem));
    return ppctl_place_former(x->p, NULL, &x->problem, &x->former);
}

/* The folder has the very keys that the ledger lists, for every epoch that is not over. */
static pp_res check_logged(struct rotate *x, const struct pp_key_epoch *k)
{
    uint8_t config[PP_KEY_EPOCH_CONFIG_MAX];
    struct pp_wr wr = pp_wr_over(config, sizeof config);
    const struct number words = epoch_words("the logged keys of ", k->epoch, "");

    if (k->epoch < x->ledger.now_s / PP_OHTTP_EPOCH_S)
        return PP_OK;
    pp_res r = pp_ohttp_epoch_config(x->folder_fd, k->epoch, &wr, &x->problem);
    if (r.code == PP_E_NOT_FOUND)
        return refuse(x, PP_FAIL(PP_E_MISSING, k->epoch), x->keys_path, words.text, "no such file");
    PP_TRY(r);
    if (!pp_span_eq(pp_wr_done(&wr), pp_span(k->config, k->config_len)))
        return refuse(x, PP_FAIL(PP_E_MISMATCH, k->epoch), x->keys_path, words.text, "other keys");
    return PP_OK;
}

static pp_res take_entry(void *ctx, uint64_t index, struct pp_span entry)
{
    struct rotate *x = (struct rotate *)ctx;
    const struct pp_key_epoch *k = &x->record.key_epoch;

    (void)index;
    PP_TRY(pp_record_open(entry, &x->note, &x->record));
    if (x->record.type != PP_RECORD_KEY_EPOCH || k->kind != PP_RECORD_OHTTP)
        return PP_OK;
    x->serial = x->record.serial > x->serial ? x->record.serial : x->serial;
    x->ledger.logged_last = k->epoch > x->ledger.logged_last ? k->epoch : x->ledger.logged_last;
    return check_logged(x, k);
}

static pp_res read_ledger(struct rotate *x)
{
    x->ledger.now_s = pp_clock_posix_s(&x->p->clock);
    if (x->trust.environment != PP_RECORD_DEV)
        x->ledger.lead_s = PP_KEY_EPOCH_DELAY_S + PUBLISHED_S;
    pp_problem_party(&x->problem, "log");
    struct pp_audit_place place = log_view_place(&x->trust);
    place.keys.former = x->former.list;
    place.keys.former_count = x->former.count;
    const struct pp_log_source_config from = { .place = x->log_path };
    PP_TRY(log_view_read(&x->view, &from, &place, x->ledger.now_s, &x->problem));
    pp_problem_party(&x->problem, "gateway");
    return log_view_each(&x->view, take_entry, x);
}

static pp_res open_keys(struct rotate *x)
{
    pp_problem_party(&x->problem, "gateway");
    pp_res r = pp_ohttp_epoch_open(x->keys_path, &x->folder_fd);
    if (r.code == PP_E_STATE_IN_USE)
        return refuse(x, r, x->keys_path, "a folder that no other ppctl works on",
                      "another one does");
    if (!pp_is_ok(r))
        return refuse(x, PP_FAIL(PP_E_INPUT, r.detail), x->keys_path,
                      "a folder of OHTTP key files that can be read", pp_file_reason(r));
    return PP_OK;
}

/* --- what is next --------------------------------------------------------------------------- */

/* One epoch at a time: keys of a later one mean that this folder and this ledger do not belong
 * together, or that somebody made keys by hand and did not log them. */
static pp_res choose(struct rotate *x)
{
    pp_res r = pp_ohttp_rotation_next(&x->ledger, &x->day);
    uint64_t last = 0;

    if (r.code == PP_E_EXISTS) {
        const struct number got = epoch_words("", x->ledger.logged_last, " is made and logged");
        return refuse(x, r, "next epoch", "one that has to be made by now", got.text);
    }
    if (!pp_is_ok(r)) {
        const struct number got = epoch_words("", r.detail, " is next");
        return refuse(x, r, "next epoch",
                      "one that begins late enough for the ledger to take it: run again when its "
                      "day has begun, and then every day",
                      got.text);
    }
    PP_TRY(pp_ohttp_epoch_last(x->folder_fd, &x->problem, &last));
    if (last > x->day) {
        const struct number got = epoch_words("keys of ", last, "");
        const struct number want = epoch_words("none behind ", x->day, ", which is not logged");
        return refuse(x, PP_FAIL(PP_E_MISSING, last), x->keys_path, want.text, got.text);
    }
    return PP_OK;
}

static pp_res write_record(struct rotate *x)
{
    struct pp_record *rec = &x->record;
    struct pp_wr text = pp_wr_over(x->text, sizeof x->text);

    *rec = (struct pp_record){ .type = PP_RECORD_KEY_EPOCH,
                               .ledger = x->trust.origin,
                               .name_space = x->trust.name_space,
                               .environment = x->trust.environment,
                               .serial = x->serial + 1,
                               .time = x->ledger.now_s };
    struct pp_wr config = pp_wr_over(rec->key_epoch.config, sizeof rec->key_epoch.config);
    rec->key_epoch.kind = PP_RECORD_OHTTP;
    rec->key_epoch.epoch = x->day;
    PP_TRY(pp_ohttp_epoch_config(x->folder_fd, x->day, &config, &x->problem));
    rec->key_epoch.config_len = config.len;
    PP_TRY(pp_record_write(&text, rec));
    x->text_len = text.len;
    return PP_OK;
}

/* --- a development fleet -------------------------------------------------------------------- */

#if !PP_RELEASE
static pp_res join_fleet(struct rotate *x)
{
    char folder[FLEET_PATH_MAX];

    pp_res r = fleet_join(&x->fleet, x->p->state, &x->p->clock, &x->p->random);
    if (pp_is_ok(r))
        r = fleet_ohttp_keys(&x->fleet, folder);
    if (pp_is_ok(r) && snprintf(x->keys_path, sizeof x->keys_path, "%s", folder) >= PATH_BYTES_MAX)
        r = PP_FAIL(PP_E_RANGE, 0);
    if (!pp_is_ok(r))
        x->problem = x->fleet.problem;
    return r;
}

/* The folder's lock is given back first: the fleet reads the same keys. */
static pp_res log_in_fleet(struct rotate *x)
{
    (void)close(x->folder_fd);
    x->folder_fd = -1;
    pp_res r = fleet_give_ohttp_keys(&x->fleet);
    if (pp_is_ok(r))
        r = fleet_log_ohttp_epoch(&x->fleet, x->day, x->serial + 1);
    if (pp_is_ok(r))
        x->logged = 1;
    else
        x->problem = x->fleet.problem;
    return r;
}

/* A run that was killed behind the log's answer had no time to write it down. */
static void note_in_fleet(struct rotate *x)
{
    pp_ignore(fleet_note_ohttp_epoch(&x->fleet, x->ledger.logged_last, x->serial),
              "the refusal that is about to be said matters more");
}
#else
static pp_res join_fleet(struct rotate *x)
{
    return refuse(x, PP_FAIL(PP_E_USAGE, 0), "--keys", "the gateway's folder of OHTTP keys",
                  "none");
}

static pp_res log_in_fleet(struct rotate *x)
{
    (void)x;
    return PP_FAIL(PP_E_STATE, 0);
}

static void note_in_fleet(struct rotate *x)
{
    (void)x;
}
#endif

/* --- all of it ------------------------------------------------------------------------------ */

static pp_res set_paths(struct rotate *x)
{
    int n = x->log != NULL ? snprintf(x->log_path, PATH_BYTES_MAX, "%s", x->log)
                           : snprintf(x->log_path, PATH_BYTES_MAX, "%s/log/public", x->p->state);

    PP_CHECK(n > 0 && n < PATH_BYTES_MAX, PP_E_RANGE, n);
    if (x->keys == NULL)
        return join_fleet(x);
    n = snprintf(x->keys_path, PATH_BYTES_MAX, "%s", x->keys);
    PP_CHECK(n > 0 && n < PATH_BYTES_MAX, PP_E_RANGE, n);
    return PP_OK;
}

static pp_res run(struct rotate *x)
{
    pp_problem_party(&x->problem, "ppctl");
    PP_TRY(set_paths(x));
    PP_TRY(read_trust(x));
    PP_TRY(open_keys(x));
    PP_TRY(read_ledger(x));
    pp_res r = choose(x);
    if (r.code == PP_E_EXISTS && x->keys == NULL)
        note_in_fleet(x);
    PP_TRY(r);
    PP_TRY(pp_ohttp_epoch_make(x->folder_fd, x->day, &x->p->random, &x->made));
    PP_TRY(write_record(x));
    return x->keys == NULL ? log_in_fleet(x) : PP_OK;
}

static int print_result(const struct rotate *x)
{
    if (x->p->json)
        return ppctl_print_json(
            json_pack("{s:I, s:I, s:I, s:I, s:b, s:s%}", "epoch", (json_int_t)x->day, "use_from",
                      (json_int_t)(x->day * PP_OHTTP_EPOCH_S), "use_until",
                      (json_int_t)((x->day + 1) * PP_OHTTP_EPOCH_S), "made", (json_int_t)x->made,
                      "logged", x->logged, "record", x->text, x->text_len));
    fprintf(stderr, "epoch %llu: %zu key files made%s\n", (unsigned long long)x->day, x->made,
            x->logged ? "; its record is logged and published"
                      : "; the owner signs this record and submits it now");
    if (!x->logged)
        fwrite(x->text, 1, x->text_len, stdout);
    return fflush(stdout) != 0 ? (int)PP_CLASS_FAILED : 0;
}

static void rotate_done(struct rotate *x)
{
    if (x->folder_fd >= 0)
        (void)close(x->folder_fd);
#if !PP_RELEASE
    fleet_close(&x->fleet);
#endif
    log_view_done(&x->view);
    pp_trust_done(&x->trust);
    pp_former_reviews_done(&x->former);
    pp_device_close(&x->device);
}

int verb_gateway_rotate(struct ppctl *p, int argc, char **argv)
{
    const char *keys = NULL, *log = NULL;
    const struct ppctl_option options[] = {
        { "--keys", "FOLDER", "the gateway's OHTTP keys; default: of the fleet in STATE", &keys,
          NULL },
        { "--log", "FOLDER", "a copy of the log's public files; default: STATE/log/public", &log,
          NULL },
    };
    int status = ppctl_parse(p, "gateway rotate", options, PP_ARRAY_COUNT(options), argc, argv,
                             NULL, 0, 0, NULL);
    struct rotate *x;

    if (status >= 0)
        return status;
    x = calloc(1, sizeof *x);
    if (x == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    x->p = p;
    x->keys = keys;
    x->log = log;
    x->folder_fd = -1;
    x->device.lock_fd = -1;
#if !PP_RELEASE
    x->fleet.lock_fd = -1;
#endif
    pp_res r = run(x);
    status = pp_is_ok(r) ? print_result(x) : ppctl_fail(p, r, &x->problem, 0);
    rotate_done(x);
    free(x);
    return status;
}
