/* SPDX-License-Identifier: Apache-2.0 */
/* ppctl summarize: the main job. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"
#include "verbs.h"

enum { ANSWER_ARENA_BYTES = 4 << 20 };

struct summarize {
    struct ppctl *p;
    const char *file;
    const char *receipt;
    uint64_t words; /* 0: the setting's */
    int explain;
    size_t shown; /* rows of the list of checks that were printed */
};

/* The six phases of a session, as the steps of the check order fall into them. */
static const struct {
    enum pp_step last;
    const char *name;
} PHASES[] = {
    { PP_STEP_TOKEN, "1. authentication: entitled, without saying who" },
    { PP_STEP_EXCHANGE, "2. third-party routing: the operator never sees the address" },
    { PP_STEP_TLS, "3. wire session: TLS 1.3 inside OHTTP, ending in the machine" },
    { PP_STEP_LEDGER, "4. application session: what runs there, on what, for whom" },
    { PP_STEP_RECORD, "5. request: sealed to one short-lived process" },
};

static const char *phase_of(enum pp_step step)
{
    size_t i = 0;

    while (i + 1 < PP_ARRAY_COUNT(PHASES) && step > PHASES[i].last)
        i++;
    return PHASES[i].name;
}

static void print_check(const struct pp_check *c)
{
    fprintf(stderr, "  [%-8s] %2u %s\n", pp_verdict_name(c->verdict), (unsigned)c->step, c->what);
    if (c->anchor[0] != '\0' || c->value[0] != '\0')
        fprintf(stderr, "                 against %s%s%s\n", c->anchor[0] == '\0' ? "-" : c->anchor,
                c->value[0] == '\0' ? "" : ": ", c->value);
}

/* Prints the rows that are new, under their phases. */
static void on_checks(void *ctx, const struct pp_checks *checks)
{
    struct summarize *s = ctx;

    for (; s->shown < checks->count; s->shown++) {
        const struct pp_check *c = &checks->rows[s->shown];
        const char *phase = phase_of(c->step);

        if (s->shown == 0 || strcmp(phase, phase_of(checks->rows[s->shown - 1].step)) != 0)
            fprintf(stderr, "\n%s\n", phase);
        print_check(c);
    }
}

static pp_res read_chat(struct summarize *s, struct pp_arena *arena, struct pp_problem *problem,
                        struct pp_chat *ret)
{
    struct pp_buf b = { 0 };

    pp_problem_party(problem, s->file);
    pp_res r = pp_file_read(AT_FDCWD, s->file, PP_CHAT_FILE_BYTES_MAX, &b);
    if (!pp_is_ok(r)) {
        pp_problem_set(problem, "(file)", "a readable chat file of at most 64 MiB",
                       pp_span_cstr(r.code == PP_E_FORMAT ? "a folder, or another kind of file"
                                                          : pp_file_reason(r)));
        return PP_FAIL(PP_E_INPUT, r.detail);
    }
    r = pp_chat_parse(pp_buf_span(&b), arena, problem, ret);
    pp_buf_done(&b);
    return r;
}

static json_t *text_json(struct pp_span text)
{
    return json_stringn_nocheck((const char *)text.at, text.len);
}

static json_t *items_json(const struct pp_infer_items *items)
{
    json_t *list = json_array();

    for (size_t i = 0; i < items->count; i++) {
        json_t *ids = json_array();
        for (size_t k = 0; k < items->at[i].id_count; k++)
            json_array_append_new(ids, json_integer((json_int_t)items->at[i].ids[k]));
        json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "kind",
                                              pp_infer_kind_name(items->at[i].kind), "text",
                                              text_json(items->at[i].text), "messages", ids));
    }
    return list;
}

json_t *ppctl_checks_json(const struct pp_checks *checks)
{
    json_t *list = json_array();

    for (size_t i = 0; i < checks->count; i++) {
        const struct pp_check *c = &checks->rows[i];
        json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:s}", "n", (int)c->step, "code",
                                              pp_code_name(c->code), "verdict",
                                              pp_verdict_name(c->verdict), "anchor", c->anchor));
    }
    return list;
}

/* The items' texts, joined with single line breaks. */
static json_t *summary_json(const struct pp_infer_items *items)
{
    size_t len = 0;

    for (size_t i = 0; i < items->count; i++)
        len += items->at[i].text.len + 1;
    char *joined = malloc(len + 1);
    if (joined == NULL)
        return NULL;
    struct pp_wr wr = pp_wr_over(joined, len + 1);
    for (size_t i = 0; i < items->count; i++) {
        if (i > 0)
            pp_wr_u8(&wr, '\n');
        pp_wr_span(&wr, items->at[i].text);
    }
    json_t *text = text_json(pp_wr_done(&wr));
    free(joined);
    return text;
}

static json_t *engine_json(const struct pp_engine *e)
{
    char model[2 * PP_MODEL_DIGEST_BYTES];
    struct pp_wr wr = pp_wr_over(model, sizeof model);

    pp_wr_hex(&wr, e->model_digest);
    return json_pack("{s:o, s:o, s:o}", "kind", text_json(e->kind), "name", text_json(e->name),
                     "model", text_json(pp_wr_done(&wr)));
}

/* A device's own word, and what was not checked, are not what was proven. */
static void print_counts(const struct pp_checks *checks, int retains)
{
    size_t proven = 0, asserted = 0, skipped = 0;

    for (size_t i = 0; i < checks->count; i++) {
        proven += checks->rows[i].verdict == PP_VERDICT_PROVEN;
        asserted += checks->rows[i].verdict == PP_VERDICT_ASSERTED;
        skipped += checks->rows[i].verdict == PP_VERDICT_SKIPPED;
    }
    fprintf(stderr,
            "\nprivate processing: checks before anything was sent: %zu proven, %zu asserted, "
            "%zu skipped%s\n",
            proven, asserted, skipped, retains ? "; this engine keeps state between sessions" : "");
}

/* [[role, release id]] in call order: as the answer says it. */
static json_t *used_json(const struct pp_backends *used)
{
    json_t *list = json_array();

    for (size_t i = 0; i < used->count; i++) {
        char id[2 * PP_RECORD_ID_BYTES];
        struct pp_wr wr = pp_wr_over(id, sizeof id);
        pp_wr_hex(&wr, PP_BYTES(used->items[i].release_id));
        json_array_append_new(
            list, json_pack("[o, o]", text_json(used->items[i].role), text_json(pp_wr_done(&wr))));
    }
    return list;
}

static int print_json(const struct pp_device *d, const struct pp_summary *r)
{
    json_t *all = json_pack("{s:o, s:o, s:o, s:b, s:b, s:o, s:o}", "summary",
                            summary_json(&r->items), "items", items_json(&r->items), "engine",
                            engine_json(&r->engine), "simulated", r->simulated, "verified", 1,
                            "checks", ppctl_checks_json(&d->checks), "receipt",
                            r->receipt[0] == '\0' ? json_null() : json_string(r->receipt));

    if (r->used.count > 0)
        json_object_set_new(all, "backends", used_json(&r->used));
    return ppctl_print_json(all);
}

static int print_result(struct summarize *s, const struct pp_device *d, const struct pp_summary *r)
{
    if (s->p->json)
        return print_json(d, r);
    for (size_t i = 0; i < r->items.count; i++)
        printf("%.*s\n", (int)r->items.at[i].text.len, (const char *)r->items.at[i].text.at);
    print_counts(&d->checks, r->retains);
    if (r->simulated)
        fprintf(stderr, "simulated: the secure processor is a simulation and protects nothing\n");
    fprintf(stderr, "receipt: %s\n", r->receipt);
    return ferror(stdout) || fflush(stdout) != 0 ? (int)PP_CLASS_FAILED : 0;
}

/* The device's part; `sent` is valid whatever happens. */
static pp_res run_device(struct summarize *s, struct pp_device *d, const struct pp_chat *chat,
                         struct pp_arena *arena, struct pp_summary *ret)
{
    pp_res tokens = PP_OK;

    PP_TRY(pp_device_open(d, s->p->state, &s->p->clock, &s->p->random));
    if (s->explain) {
        d->on_checks = on_checks;
        d->on_checks_ctx = s;
    }
    PP_TRY(pp_device_allow(d, chat));
    PP_TRY(pp_device_ticks_on_use(d) ? pp_device_tick(d, &tokens) : pp_device_ready(d));
    if (pp_code_class(tokens.code) == PP_CLASS_REFUSED)
        return tokens;
    uint32_t words = (uint32_t)(s->words == 0 ? d->settings.words : s->words);
    PP_TRY(pp_device_summarize(d, chat, words, s->receipt, arena, ret));
    if (s->explain)
        fprintf(stderr,
                "\n6. response: one sealed answer\n"
                "  sent     %u + %u bytes through the relay, received %u + %u: sizes by bucket\n",
                ret->sizes[0][0], ret->sizes[1][0], ret->sizes[0][1], ret->sizes[1][1]);
    return PP_OK;
}

static int run(struct summarize *s)
{
    PP_AUTO(pp_arena) chat_arena = { 0 };
    PP_AUTO(pp_arena) arena = { 0 };
    struct pp_device *d = calloc(1, sizeof *d);
    struct pp_problem problem = { 0 };
    struct pp_summary result = { 0 };
    struct pp_chat chat = { 0 };
    int status;

    pp_res r = d == NULL ? PP_FAIL(PP_E_NO_MEMORY, 0)
                         : pp_arena_new_locked(&chat_arena, PP_CHAT_ARENA_BYTES);
    if (pp_is_ok(r))
        r = pp_arena_new_locked(&arena, ANSWER_ARENA_BYTES);
    if (pp_is_ok(r))
        r = read_chat(s, &chat_arena, &problem, &chat);
    if (pp_is_ok(r)) {
        r = run_device(s, d, &chat, &arena, &result);
        problem = d->problem;
        status = pp_is_ok(r) ? print_result(s, d, &result)
                             : ppctl_fail(s->p, r, &problem, result.sent_user_bytes);
        pp_device_close(d);
    } else {
        status = ppctl_fail(s->p, r, &problem, 0);
    }
    free(d);
    return status;
}

/* The file that the receipt is first written to, made and removed: the one sure test. */
static pp_res try_receipt(const char *path)
{
    char trial[PP_DEVICE_PATH_MAX];

    PP_CHECK(snprintf(trial, sizeof trial, "%s.%ld.tmp", path, (long)getpid()) < (int)sizeof trial,
             PP_E_LIMIT, 0);
    int fd = open(trial, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return pp_errno_res(errno);
    (void)close(fd);
    if (unlink(trial) != 0)
        return pp_errno_res(errno);
    return PP_OK;
}

/* A place that cannot be written costs no token. -1 when all is well, else the exit status. */
static int check_receipt(const struct ppctl *p, const char *path)
{
    char got[PP_DEVICE_PATH_MAX + 64];
    struct stat st;

    if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return ppctl_usage(p, "--receipt", "a new file, or a receipt to replace",
                           S_ISDIR(st.st_mode) ? "a folder" : "another kind of file");
    pp_res r = try_receipt(path);
    if (pp_is_ok(r))
        return -1;
    if (r.code == PP_E_DISK_FULL)
        return ppctl_fail(p, r, NULL, 0);
    snprintf(got, sizeof got, "%s: %s", pp_file_reason(r), path);
    return ppctl_usage(p, "--receipt", "a file in a folder that can be written", got);
}

int verb_summarize(struct ppctl *p, int argc, char **argv)
{
    struct summarize s = { .p = p };
    const char *words = NULL, *file[1] = { NULL };
    const struct ppctl_option options[] = {
        { "--words", "N", "at most N words, 20 to 400 (default: the device's setting)", &words,
          NULL },
        { "--receipt", "OUT", "where the receipt goes (default: STATE/device/receipts)", &s.receipt,
          NULL },
        { "--explain", NULL, "print every check as it passes, on standard error", NULL,
          &s.explain },
    };
    int status = ppctl_parse(p, "summarize", options, PP_ARRAY_COUNT(options), argc, argv, file, 1,
                             1, NULL);

    if (status >= 0)
        return status;
    s.file = file[0];
    if (words != NULL &&
        (!pp_is_ok(pp_decimal_parse(pp_span_cstr(words), PP_WORDS_MAX, &s.words)) ||
         s.words < PP_WORDS_MIN))
        return ppctl_usage(p, "--words", "a number from 20 to 400", words);
    status = s.receipt == NULL ? -1 : check_receipt(p, s.receipt);
    return status >= 0 ? status : run(&s);
}
