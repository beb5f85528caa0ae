/* SPDX-License-Identifier: Apache-2.0 */
/* The directory bundle: fetched on a schedule that does not follow use, believed after checking. */
#include "device_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "text.h"

struct fetched {
    struct pp_http_result http;
    struct pp_arena arena;
    struct pp_ledger *ledger;
};

static void fetched_done(struct fetched *f)
{
    pp_http_result_done(&f->http);
    pp_arena_done(&f->arena);
    free(f->ledger);
}

/*
 * Whether the moment that was drawn for the next fetch has come. One that lies further ahead than
 * any draw can was written under a clock that ran ahead, and counts as come.
 */
static int is_due(const struct pp_device *d, uint64_t now)
{
    char path[PP_DEVICE_PATH_MAX];
    struct pp_buf b = { 0 };
    uint64_t at = 0;

    if (d->trust->environment == PP_RECORD_DEV ||
        !pp_is_ok(pp_device_path(d, "device/fetch_at", path)) ||
        !pp_is_ok(pp_file_read(AT_FDCWD, path, 24, &b)))
        return 1;
    if (!pp_is_ok(pp_decimal_parse(pp_buf_span(&b), UINT64_MAX, &at)))
        at = 0;
    pp_buf_done(&b);
    return now >= at || at - now > 2 * (uint64_t)PP_DEVICE_FETCH_WINDOW_S;
}

/*
 * Draws a moment of the next six-hour window: before the fetch, so that a mirror that fails or lies
 * cannot make every use fetch again.
 */
static pp_res plan_fetch(struct pp_device *d, uint64_t now)
{
    char path[PP_DEVICE_PATH_MAX], text[24];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    uint64_t window = now / PP_DEVICE_FETCH_WINDOW_S + 1, offset;

    if (d->trust->environment == PP_RECORD_DEV)
        return PP_OK; /* every call is its moment, and none waits for the disk */
    PP_TRY(pp_random_below(&d->random, PP_DEVICE_FETCH_WINDOW_S, &offset));
    pp_wr_decimal(&wr, window * PP_DEVICE_FETCH_WINDOW_S + offset);
    PP_TRY(pp_device_path(d, "device/fetch_at", path));
    return pp_file_write(AT_FDCWD, path, 0600, pp_wr_done(&wr));
}

/* No credential, no cookie, no conditional header, nothing that tells one client from another. */
static pp_res fetch_one(struct pp_device *d, struct pp_span url, struct fetched *f)
{
    char text[PP_HTTP_URL_BYTES_MAX];

    PP_TRY(device_text(url, text, sizeof text));
    const struct pp_http_call call = { .method = "GET",
                                       .url = text,
                                       .deadline_ms = PP_DEVICE_CALL_MS };
    PP_TRY(device_call(d, "mirror", &call, &f->http));
    if (f->http.status != 200) {
        pp_problem_party(&d->problem, "mirror");
        pp_problem_numbers(&d->problem, "status", 200, f->http.status);
        return PP_FAIL(PP_E_HTTP_STATUS, f->http.status);
    }
    return PP_OK;
}

static pp_res verify(struct pp_device *d, struct pp_span bytes, struct pp_arena *arena,
                     struct pp_ledger *ret, struct pp_checks *checks)
{
    return pp_ledger_verify(d->trust, bytes, d->marks, pp_clock_posix_s(&d->clock), arena, ret,
                            checks, &d->problem);
}

/* --- two texts under one serial --------------------------------------------------------------- */

/* While this file is there nothing is sent. It holds the serial of the newest status involved. */
#define SPLIT_FILE "device/split"

static pp_res refuse_split(struct pp_device *d)
{
    return device_refuse(d, PP_FAIL(PP_E_LEDGER_SPLIT, 0), "mirrors", "status record",
                         "the same bytes under one serial",
                         PP_STR("different ones: kept as device/split-0.bundle and -1"));
}

/*
 * Kept for the monitor, and the end, for sessions later on as well: what stops is written before
 * the evidence, so that a full disk stops too.
 */
static pp_res keep_split(struct pp_device *d, uint64_t serial, struct pp_span a, struct pp_span b)
{
    const struct pp_span both[] = { a, b };
    char path[PP_DEVICE_PATH_MAX], text[24];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    pp_wr_decimal(&wr, serial);
    PP_TRY(pp_device_path(d, SPLIT_FILE, path));
    PP_TRY(pp_file_write(AT_FDCWD, path, 0600, pp_wr_done(&wr)));
    for (size_t i = 0; i < 2; i++) {
        char tail[64];
        snprintf(tail, sizeof tail, "device/split-%zu.bundle", i);
        PP_TRY(pp_device_path(d, tail, path));
        PP_TRY(pp_file_write(AT_FDCWD, path, 0600, both[i]));
    }
    return refuse_split(d);
}

/* Whatever it is that keeps the file from being read: it is there. */
static pp_res check_split(struct pp_device *d)
{
    char path[PP_DEVICE_PATH_MAX];

    PP_TRY(pp_device_path(d, SPLIT_FILE, path));
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return PP_OK;
    return refuse_split(d);
}

/* Mirrors that agree on a status behind the one that split have one history again. */
static pp_res end_split(struct pp_device *d, uint64_t serial)
{
    char path[PP_DEVICE_PATH_MAX];
    struct pp_buf b = { 0 };
    uint64_t split = 0;

    PP_TRY(pp_device_path(d, SPLIT_FILE, path));
    pp_res r = pp_file_read(AT_FDCWD, path, 24, &b);
    if (r.code == PP_E_NOT_FOUND)
        return PP_OK;
    if (pp_is_ok(r) && !pp_is_ok(pp_decimal_parse(pp_buf_span(&b), UINT64_MAX, &split)))
        split = d->marks->status_serial;
    pp_buf_done(&b);
    PP_TRY(r);
    return serial > split ? pp_file_remove(AT_FDCWD, path) : PP_OK;
}

static unsigned role_or_kind(const struct pp_record *r)
{
    if (r->type == PP_RECORD_RELEASE)
        return r->release.role;
    return r->type == PP_RECORD_KEY_EPOCH ? r->key_epoch.kind : 0;
}

/* Two statuses of different serials may still name different records under one. */
static int records_contradict(const struct pp_ledger *a, const struct pp_ledger *b)
{
    for (size_t i = 0; i < a->record_count; i++)
        for (size_t k = 0; k < b->record_count; k++) {
            const struct pp_record *x = &a->records[i].record, *y = &b->records[k].record;
            if (x->type == y->type && x->serial == y->serial &&
                role_or_kind(x) == role_or_kind(y) &&
                !pp_record_id_same(&a->records[i].id, &b->records[k].id))
                return 1;
        }
    return 0;
}

static struct pp_span body_of(const struct fetched *f)
{
    return pp_span(f->http.body, f->http.body_len);
}

static uint64_t serial_of(const struct fetched *f)
{
    return f->ledger->status.record.serial;
}

static int contradict(const struct fetched *a, const struct fetched *b)
{
    if (serial_of(a) == serial_of(b))
        return !pp_span_eq(body_of(a), body_of(b));
    return records_contradict(a->ledger, b->ledger);
}

/* --- fetching --------------------------------------------------------------------------------- */

/* One mirror's bundle. One that contradicts what this device has seen is evidence as well. */
static pp_res verify_fetched(struct pp_device *d, struct fetched *f)
{
    f->ledger = calloc(1, sizeof *f->ledger);
    PP_CHECK(f->ledger != NULL, PP_E_NO_MEMORY, 0);
    PP_TRY(pp_arena_new_locked(&f->arena, PP_LEDGER_ARENA_BYTES));
    pp_res r = verify(d, body_of(f), &f->arena, f->ledger, NULL);
    if (r.code == PP_E_LEDGER_SPLIT && d->bundle.bytes != NULL)
        return keep_split(d, d->marks->status_serial, pp_buf_span(&d->bundle), body_of(f));
    return r;
}

/*
 * All mirrors answer and verify, and agree on equal serials; the newest is `*ret_best`. None is
 * looked into before all were asked: whether the second is asked would tell what the first one's
 * answer was worth to this device, and so whether it has seen a larger tree.
 */
static pp_res fetch_all(struct pp_device *d, struct fetched *all, size_t *ret_best)
{
    size_t best = 0;

    for (size_t i = 0; i < d->trust->mirror_count; i++)
        PP_TRY(fetch_one(d, d->trust->mirrors[i], &all[i]));
    for (size_t i = 0; i < d->trust->mirror_count; i++) {
        PP_TRY(verify_fetched(d, &all[i]));
        if (serial_of(&all[i]) > serial_of(&all[best]))
            best = i;
        for (size_t k = 0; k < i; k++)
            if (contradict(&all[k], &all[i]))
                return keep_split(d, serial_of(&all[best]), body_of(&all[k]), body_of(&all[i]));
    }
    *ret_best = best;
    return PP_OK;
}

/* Replaces the held bundle, on the disk and in memory. */
static pp_res hold(struct pp_device *d, struct fetched *f)
{
    char path[PP_DEVICE_PATH_MAX];

    PP_TRY(pp_device_path(d, "device/bundle", path));
    PP_TRY(pp_file_update(AT_FDCWD, path, 0600, pp_span(f->http.body, f->http.body_len)));
    pp_buf_done(&d->bundle);
    d->bundle = (struct pp_buf){ f->http.body, f->http.body_len };
    f->http.body = NULL; /* moved */
    f->http.body_len = 0;
    return PP_OK;
}

static pp_res fetch(struct pp_device *d, uint64_t now)
{
    struct fetched all[PP_TRUST_MIRRORS_MAX] = { 0 };
    size_t best = 0;

    PP_TRY(plan_fetch(d, now));
    pp_res r = fetch_all(d, all, &best);
    if (pp_is_ok(r))
        r = hold(d, &all[best]);
    if (pp_is_ok(r))
        r = end_split(d, serial_of(&all[best]));
    for (size_t i = 0; i < PP_TRUST_MIRRORS_MAX; i++)
        fetched_done(&all[i]);
    return r;
}

static pp_res load_held(struct pp_device *d)
{
    char path[PP_DEVICE_PATH_MAX];

    if (d->bundle.bytes != NULL)
        return PP_OK;
    PP_TRY(pp_device_path(d, "device/bundle", path));
    return pp_file_read(AT_FDCWD, path, PP_BUNDLE_BYTES_MAX, &d->bundle);
}

static pp_res store_marks(struct pp_device *d)
{
    uint8_t text[PP_MARKS_BYTES_MAX];
    char path[PP_DEVICE_PATH_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    pp_ledger_raise_marks(d->ledger, d->marks);
    PP_TRY(pp_marks_write(&wr, d->marks));
    PP_TRY(pp_device_path(d, "device/marks", path));
    return pp_file_write(AT_FDCWD, path, 0600, pp_wr_done(&wr));
}

/* What a mirror did wrong, for whom it concerns: the held bundle is used as long as it is valid. */
static void tell_failed_mirror(struct pp_device *d, pp_res why)
{
    pp_check_add(&d->checks, PP_STEP_DIRECTORY, (enum pp_code)why.code, PP_VERDICT_SKIPPED,
                 "a mirror gave no bundle that can be believed; the held one is used",
                 PP_STR("held bundle"), pp_span_cstr(pp_code_name(why.code)));
}

static pp_res verify_held(struct pp_device *d)
{
    PP_TRY(load_held(d));
    pp_arena_reset(&d->ledger_arena);
    return verify(d, pp_buf_span(&d->bundle), &d->ledger_arena, d->ledger, &d->checks);
}

/* Without a bundle there is no session whose moment a fetch could tell. */
pp_res device_fetch_directory(struct pp_device *d)
{
    uint64_t now = pp_clock_posix_s(&d->clock);
    pp_res held = load_held(d);

    return held.code == PP_E_NOT_FOUND || is_due(d, now) ? fetch(d, now) : PP_OK;
}

pp_res device_verify_directory(struct pp_device *d, pp_res fetched)
{
    struct pp_problem problem = d->problem;

    /* One history under two texts is evidence against the log: nothing goes on. */
    if (fetched.code == PP_E_LEDGER_SPLIT)
        return fetched;
    PP_TRY(check_split(d));
    pp_check_add_hex(&d->checks, PP_STEP_ANCHORS, PP_E_TRUST, PP_VERDICT_PROVEN,
                     "anchors and high-water marks are loaded; they are all that is believed",
                     pp_span_cstr(PP_RELEASE ? "compiled in" : "STATE/trust"),
                     PP_BYTES(d->trust->files_digest));
    if (!pp_is_ok(fetched))
        tell_failed_mirror(d, fetched);
    pp_res held = verify_held(d);
    /* With nothing held, or nothing new that may be believed, the fetch is what is told. */
    if (!pp_is_ok(fetched) &&
        (held.code == PP_E_NOT_FOUND ||
         (!pp_is_ok(held) && pp_code_class(fetched.code) == PP_CLASS_REFUSED))) {
        d->problem = problem;
        return fetched;
    }
    PP_TRY(held);
    pp_problem_set(&d->problem, "", "", PP_STR(""));
    PP_TRY(store_marks(d));
    device_show(d);
    return PP_OK;
}
