/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole sessions through a real fleet, one at a time: a chat of 50 messages in, a verified summary
 * out, the device's own code with its wallet, receipts and synced files.
 *
 * usage: bench_session STATE CHAT.json SESSIONS    (a fleet runs in STATE; bench/run.py starts one)
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto.h"
#include "device.h"
#include "fleet.h"
#include "processes.h"
#include "stages.h"
#include "tokens.h"

enum {
    CHAT_MESSAGES = 50,
    WARM_UP = 50, /* sessions that are not counted: first connections, first pages */
    BATCHES_A_PERSON = 8,
    MARKS = 3,
    SYNCS = 100,
    SYNC_BYTES = 24576,
    ARENA_BYTES = 16 << 20,
};

struct bench {
    struct pp_device *d;
    struct fleet *fleet;
    struct pp_chat chat;
    struct pp_arena chat_arena, arena;
    unsigned tokens, batches; /* held; fetched so far */
    size_t sessions;
    double *wall_ms;
    struct stage_time whole;            /* sum over all sessions */
    struct stage_time directory, batch; /* one each */
    size_t marks[MARKS];                /* when memory is looked at, in sessions */
    struct process_rows before, at[MARKS];
    struct pp_summary last;
};

static void must(const struct bench *b, pp_res r, const char *what)
{
    if (pp_is_ok(r))
        return;
    fprintf(stderr, "bench_session: %s: %s (%u) at %s", what, pp_code_name(r.code),
            (unsigned)r.detail, r.where);
    if (b->d != NULL && b->d->problem.field[0] != '\0')
        fprintf(stderr, ": %s, %s: expected %s, got %s", b->d->problem.party, b->d->problem.field,
                b->d->problem.expected, b->d->problem.got);
    fprintf(stderr, "\n");
    exit(1);
}

static struct stage_time since(struct stage_time from)
{
    struct stage_time now = stage_now();

    return (struct stage_time){ now.cpu_s - from.cpu_s, now.wall_s - from.wall_s };
}

/* --- one session ------------------------------------------------------------------------------ */

static void have_token(struct bench *b)
{
    if (b->tokens == 0) {
        must(b, bench_fetch_batch(b->d, b->batches / BATCHES_A_PERSON), "tokens");
        b->batches++;
        b->tokens = PP_CRED_BATCH_MAX;
    }
    b->tokens--;
}

/* Returns how long it took, all of it: from the press of the button to the summary. */
static struct stage_time run_session(struct bench *b)
{
    struct stage_time from = stage_now();

    pp_arena_reset(&b->arena);
    must(b, pp_device_allow(b->d, &b->chat), "allow");
    must(b, pp_device_ready(b->d), "ready");
    must(b,
         pp_device_summarize(b->d, &b->chat, (uint32_t)b->d->settings.words, NULL, &b->arena,
                             &b->last),
         "summarize");
    struct stage_time took = since(from);
    (void)unlink(b->last.receipt); /* a folder of ten thousand is not what is measured */
    return took;
}

static void run_all(struct bench *b)
{
    size_t mark = 0;

    for (int i = 0; i < WARM_UP; i++) {
        have_token(b);
        (void)run_session(b);
    }
    process_rows_read(b->fleet, &b->before);
    stages_reset();
    for (size_t i = 0; i < b->sessions; i++) {
        struct stage_time keep[STAGES], took;

        memcpy(keep, stage_times, sizeof keep);
        have_token(b); /* fetching is scheduled work, and no part of a session */
        memcpy(stage_times, keep, sizeof keep);
        took = run_session(b);
        b->whole.cpu_s += took.cpu_s;
        b->whole.wall_s += took.wall_s;
        b->wall_ms[i] = took.wall_s * 1e3;
        while (mark < MARKS && i + 1 == b->marks[mark])
            process_rows_read(b->fleet, &b->at[mark++]);
    }
}

/* --- tables ----------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double percentile(const struct bench *b, double p)
{
    return b->wall_ms[(size_t)(p * (double)(b->sessions - 1))];
}

static void print_shape(const struct bench *b)
{
    printf(
        "shape: %zu sessions, one at a time, over loopback; %zu messages, summary of %llu words,\n"
        "       OHTTP bodies %u + %u B up, %u + %u B down; development fleet of %zu parties,\n"
        "       simulated processor, no grid; %ld cores, shared with the whole fleet\n",
        b->sessions, b->chat.message_count, (unsigned long long)b->d->settings.words,
        b->last.sizes[0][0], b->last.sizes[1][0], b->last.sizes[0][1], b->last.sizes[1][1],
        b->fleet->party_count, sysconf(_SC_NPROCESSORS_ONLN));
}

static void print_stages(const struct bench *b)
{
    struct stage_time rest = b->whole;
    double n = (double)b->sessions;

    printf("\n%-44s %12s %12s %8s\n", "device: stages of one session", "us CPU", "us wall",
           "% wall");
    for (size_t i = 0; i < STAGES; i++) {
        const struct stage_time *t = &stage_times[i];
        printf("  %-42s %12.1f %12.1f %8.1f\n", STAGE_NAMES[i], t->cpu_s / n * 1e6,
               t->wall_s / n * 1e6, t->wall_s / b->whole.wall_s * 100);
        rest.cpu_s -= t->cpu_s;
        rest.wall_s -= t->wall_s;
    }
    printf("  %-42s %12.1f %12.1f %8.1f\n", "all else: encoding, names, files",
           rest.cpu_s / n * 1e6, rest.wall_s / n * 1e6, rest.wall_s / b->whole.wall_s * 100);
    printf("  %-42s %12.1f %12.1f %8.1f\n", "whole session", b->whole.cpu_s / n * 1e6,
           b->whole.wall_s / n * 1e6, 100.0);
}

static void print_wall(struct bench *b)
{
    static const uint32_t GRID_MS = 250;

    qsort(b->wall_ms, b->sessions, sizeof *b->wall_ms, by_size);
    printf("\n%-44s %12s\n", "wall of a whole session, evidence included", "ms");
    printf("  %-42s %12.2f   (aim under 25)\n", "p50", percentile(b, 0.5));
    printf("  %-42s %12.2f\n", "p90", percentile(b, 0.9));
    printf("  %-42s %12.2f\n", "p99", percentile(b, 0.99));
    printf("  %-42s %12.2f\n", "slowest", percentile(b, 1));
    printf(
        "  with answers on their grid of %u ms, as outside development: each of the two leaves at\n"
        "  the next multiple, so about %u ms and what the device itself takes\n",
        GRID_MS, 2 * GRID_MS);
}

static double cpu_of(const struct process_rows *rows, const char *name)
{
    const struct process_row *row = process_row_find(rows, name);

    return row == NULL ? 0 : row->cpu_s;
}

static void print_daemons(const struct bench *b)
{
    const struct process_rows *last = &b->at[MARKS - 1];
    double sum = 0, n = (double)b->sessions;

    printf("\n%-26s %12s", "daemons", "us CPU/");
    for (size_t m = 0; m < MARKS; m++)
        printf("   %13s", "MiB resident");
    printf("   (aim under 20 MiB, flat)\n%-26s %12s", "", "session");
    for (size_t m = 0; m < MARKS; m++)
        printf("  behind %7zu", b->marks[m]);
    printf("   of it its own\n");
    for (size_t i = 0; i < last->count; i++) {
        const struct process_row *row = &last->at[i];
        double cpu = row->cpu_s - cpu_of(&b->before, row->name);

        sum += cpu;
        printf("  %-24s %12.1f", row->name, cpu / n * 1e6);
        for (size_t m = 0; m < MARKS; m++) {
            const struct process_row *at = process_row_find(&b->at[m], row->name);
            printf("   %13.2f", at == NULL ? 0 : (double)at->rss_kib / 1024);
        }
        printf("   %13.2f\n", (double)row->anon_kib / 1024);
    }
    printf("  %-24s %12.1f   (kernel ticks of %ld ms: rows near 0 are rough)\n", "all of them",
           sum / n * 1e6, 1000 / sysconf(_SC_CLK_TCK));
    printf("  the issuer's row is its batches: 32 tokens each, for as many accounts as it takes\n");
}

/* What the disk takes for one new file of a receipt's size. */
static void print_sync(const struct bench *b)
{
    static const uint8_t content[SYNC_BYTES];
    char path[PP_DEVICE_PATH_MAX];
    double wall = 0;

    must(b, pp_device_path(b->d, "device/sync", path), "path");
    for (int i = 0; i < SYNCS; i++) {
        struct stage_time from = stage_now();
        must(b, pp_file_write(AT_FDCWD, path, 0600, PP_BYTES(content)), "sync");
        wall += since(from).wall_s;
        (void)unlink(path);
    }
    printf("\n  %-42s %12.1f us wall: a new file of %d KiB, synced with its folder\n", "yardstick",
           wall / SYNCS * 1e6, SYNC_BYTES / 1024);
}

/* --- start ------------------------------------------------------------------------------------ */

static void read_chat(struct bench *b, const char *path)
{
    struct pp_buf text = { 0 };
    struct pp_problem problem = { 0 };

    must(b, pp_arena_new_locked(&b->chat_arena, ARENA_BYTES), "memory");
    must(b, pp_arena_new_locked(&b->arena, ARENA_BYTES), "memory");
    must(b, pp_file_read(AT_FDCWD, path, PP_CHAT_FILE_BYTES_MAX, &text), path);
    must(b, pp_chat_parse(pp_buf_span(&text), &b->chat_arena, &problem, &b->chat), path);
    pp_buf_done(&text);
    if (b->chat.message_count > CHAT_MESSAGES)
        b->chat.message_count = CHAT_MESSAGES;
}

/* Scheduled work of a device: the directory bundle, its signatures, proofs and quorum; tokens. */
static void measure_schedule(struct bench *b)
{
    pp_res tokens = PP_OK;

    for (int i = 0; i < 2; i++) { /* the first call plans, and fetches tokens of its own */
        b->directory = stage_now();
        must(b, pp_device_tick(b->d, &tokens), "directory");
        must(b, tokens, "tokens");
        b->directory = since(b->directory);
    }
    b->batch = stage_now();
    have_token(b);
    b->batch = since(b->batch);
    b->tokens++;
}

static void print_schedule(const struct bench *b)
{
    printf("\n%-44s %12s %12s\n", "device: scheduled work, no part of a session", "us CPU",
           "us wall");
    printf("  %-42s %12.1f %12.1f\n", "directory fetched and verified", b->directory.cpu_s * 1e6,
           b->directory.wall_s * 1e6);
    printf("  %-42s %12.1f %12.1f\n", "32 tokens fetched, proof checked, stored",
           b->batch.cpu_s * 1e6, b->batch.wall_s * 1e6);
}

static void start(struct bench *b, const char *state, const char *chat, size_t sessions)
{
    const struct pp_clock clock = pp_clock_system();
    const struct pp_random random = pp_random_system();
    struct pp_problem problem = { 0 };

    b->fleet = calloc(1, sizeof *b->fleet);
    b->d = calloc(1, sizeof *b->d);
    b->wall_ms = calloc(sessions, sizeof *b->wall_ms);
    if (b->fleet == NULL || b->d == NULL || b->wall_ms == NULL)
        must(b, PP_FAIL(PP_E_NO_MEMORY, 0), "memory");
    b->sessions = sessions;
    b->marks[0] = sessions / 10 == 0 ? 1 : sessions / 10;
    b->marks[1] = sessions / 2 == 0 ? 1 : sessions / 2;
    b->marks[2] = sessions;
    must(b, pp_crypto_init(), "crypto");
    must(b, fleet_read(b->fleet, state, &problem), state);
    must(b, pp_device_open(b->d, state, &clock, &random), "device");
    read_chat(b, chat);
}

static void finish(struct bench *b)
{
    pp_device_close(b->d);
    pp_arena_done(&b->arena);
    pp_arena_done(&b->chat_arena);
    free(b->wall_ms);
    free(b->fleet);
    free(b->d);
}

int main(int argc, char **argv)
{
    static struct bench b;
    unsigned long sessions = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;

    if (sessions == 0 || sessions > 1000000) {
        fprintf(stderr, "usage: bench_session STATE CHAT.json SESSIONS\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    start(&b, argv[1], argv[2], sessions);
    measure_schedule(&b);
    run_all(&b);
    print_shape(&b);
    print_stages(&b);
    print_wall(&b);
    print_sync(&b);
    print_schedule(&b);
    print_daemons(&b);
    finish(&b);
    return 0;
}
