/* SPDX-License-Identifier: Apache-2.0 */
/* Exchanges with a witness: the decision is ours, the order of the file is the order of
 * requests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cosign.h"
#include "tlog.h"

enum { LOGS_MAX = 16 };

#define NAME "example.com/witness"
static const uint8_t SEED[32] = "a witness that only vectors have";

struct witness {
    struct pp_witness_log logs[LOGS_MAX];
    struct pp_witness_state states[LOGS_MAX];
    size_t count;
};

static void add_log(struct witness *w, const char *origin, const json_t *vkeys)
{
    if (w->count == LOGS_MAX)
        return;
    w->logs[w->count].origin = pp_span_cstr(origin);
    w->logs[w->count].key_count = tlog_vkeys(vkeys, w->logs[w->count].keys, PP_WITNESS_KEYS_MAX);
    w->states[w->count] = pp_witness_state_empty();
    w->count++;
}

struct answer {
    enum pp_witness_status status;
    char body[1024];
    int cosigned_text_ok; /* what the 200 answer signs is `cosigns`, where the row has it */
};

/* Signs and opens again, so that the row covers cosignatures as well as the decision. */
static pp_res cosign(struct pp_span text, struct answer *a)
{
    struct pp_wr wr = pp_wr_over(a->body, sizeof a->body - 1);
    struct pp_note_signer signer = { 0 };
    static uint8_t note[PP_NOTE_BYTES_MAX];
    struct pp_wr n = pp_wr_over(note, sizeof note);
    struct pp_note parsed;
    struct pp_note_signers signers;

    PP_TRY(pp_note_signer_make(PP_STR(NAME), PP_NOTE_COSIGNATURE, PP_BYTES(SEED), &signer));
    pp_res r = pp_cosign_line_write(&wr, &signer, 1767225600, text);
    pp_wr_span(&n, text);
    pp_wr_u8(&n, '\n');
    pp_wr_span(&n, pp_wr_done(&wr));
    if (pp_is_ok(r))
        r = pp_note_parse(pp_wr_done(&n), &parsed);
    if (pp_is_ok(r))
        r = pp_note_open(&parsed, &signer.key, 1, &signers);
    pp_note_signer_done(&signer);
    return r;
}

static void answer(struct witness *w, struct pp_span body, const char *cosigns, struct answer *ret)
{
    struct pp_witness_request r;
    struct pp_witness_state next;
    size_t i = 0;

    *ret = (struct answer){ .status = PP_WITNESS_MALFORMED, .cosigned_text_ok = 1 };
    if (!pp_is_ok(pp_witness_request_parse(body, &r)))
        return;
    while (i < w->count && !pp_span_eq(w->logs[i].origin, r.checkpoint.origin))
        i++;
    struct pp_witness_state empty = pp_witness_state_empty();
    ret->status = pp_witness_decide(i < w->count ? &w->logs[i] : NULL,
                                    i < w->count ? &w->states[i] : &empty, &r, &next);
    if (ret->status == PP_WITNESS_CONFLICT)
        snprintf(ret->body, sizeof ret->body, "%llu\n", (unsigned long long)w->states[i].size);
    if (ret->status != PP_WITNESS_COSIGN)
        return;
    w->states[i] = next;
    ret->cosigned_text_ok = pp_is_ok(cosign(r.note.text, ret)) &&
                            (cosigns == NULL || pp_span_eq(r.note.text, pp_span_cstr(cosigns)));
}

/*
 * What the specification says now where a file was recorded with an older witness: unknown logs got
 * 403, and so did a signature line whose Base64 has stray bits, which is no note at all.
 */
static int status_today(int recorded, const char *body, struct pp_span request)
{
    struct pp_witness_request r;

    if (recorded != PP_WITNESS_UNSIGNED || body == NULL)
        return recorded;
    if (strstr(body, "unknown log") != NULL)
        return PP_WITNESS_UNKNOWN_LOG;
    if (strstr(body, "invalid signature") != NULL &&
        !pp_is_ok(pp_witness_request_parse(request, &r)))
        return PP_WITNESS_MALFORMED;
    return recorded;
}

/* The log's side of the recorded answer: the size of a 409 is read; a 200 is taken only with a
 * line that the witness's key has made, and a recording holds no more than its beginning. */
static int log_reads(int recorded, const char *body, const struct answer *a, struct pp_span sent)
{
    struct pp_witness_request r;
    struct pp_note_signer s;
    struct pp_span line;
    uint64_t size;

    if (recorded == PP_WITNESS_CONFLICT)
        return body == NULL || pp_is_ok(pp_witness_conflict_parse(pp_span_cstr(body), &size));
    if (recorded != PP_WITNESS_COSIGN || !pp_is_ok(pp_witness_request_parse(sent, &r)) ||
        !pp_is_ok(pp_note_signer_make(PP_STR(NAME), PP_NOTE_COSIGNATURE, PP_BYTES(SEED), &s)))
        return recorded != PP_WITNESS_COSIGN;
    int ours = pp_is_ok(pp_witness_answer_line(pp_span_cstr(a->body), r.note.text, &s.key, &line));
    int theirs = body != NULL &&
                 pp_is_ok(pp_witness_answer_line(pp_span_cstr(body), r.note.text, &s.key, &line));
    pp_note_signer_done(&s);
    return ours && !theirs;
}

static void run_exchange(struct vectors *v, const char *file, const char *row, struct witness *w,
                         const json_t *x)
{
    const json_t *request = json_object_get(x, "request");
    const char *body = json_string_value(json_object_get(x, "body"));
    const char *how = json_string_value(json_object_get(x, "assert_"));
    int want = (int)json_integer_value(json_object_get(x, "status"));
    struct pp_span sent = pp_span(json_string_value(request), json_string_length(request));
    struct answer a;

    answer(w, sent, json_string_value(json_object_get(x, "cosigns")), &a);
    int text = want == PP_WITNESS_COSIGN || want == PP_WITNESS_CONFLICT;
    int same = body == NULL ||
               (how != NULL && strcmp(how, "contains") == 0 ? strstr(a.body, body) != NULL
                                                            : strcmp(a.body, body) == 0);
    int today = status_today(want, body, sent);
    if (!log_reads(want, body, &a, sent))
        vectors_fail(v, file, row, "the log does not take the answer");
    else if (today != want && (int)a.status == today)
        vectors_pass(v, file, row);
    else if ((int)a.status != want)
        vectors_fail(v, file, row, "status %d, expected %d", (int)a.status, want);
    else if (!a.cosigned_text_ok)
        vectors_fail(v, file, row, "the cosignature is not over the expected text");
    else if (text && !same) /* other bodies are words for people, and each witness has its own */
        vectors_fail(v, file, row, "body \"%s\", expected \"%s\"", a.body, body);
    else
        vectors_pass(v, file, row);
}

static void run_exchanges(struct vectors *v, const char *file, const char *prefix,
                          struct witness *w, const json_t *exchanges)
{
    json_t *x;
    size_t i;

    json_array_foreach(exchanges, i, x)
    {
        char row[256];
        const char *desc = json_string_value(json_object_get(x, "desc"));
        snprintf(row, sizeof row, "%s%zu%s%s", prefix, i, desc == NULL ? "" : " ",
                 desc == NULL ? "" : desc);
        run_exchange(v, file, row, w, x);
    }
}

void tlog_witness(struct vectors *v, const char *file, const json_t *root)
{
    struct witness *w = calloc(1, sizeof *w);

    if (w == NULL) {
        vectors_fail(v, file, "-", "out of memory");
        return;
    }
    add_log(w, json_string_value(json_object_get(root, "origin")),
            json_object_get(root, "log_vkey"));
    run_exchanges(v, file, "", w, json_object_get(root, "exchanges"));
    free(w);
}

void tlog_litewitness(struct vectors *v, const char *file, const json_t *root)
{
    json_t *session;
    size_t i;

    json_array_foreach(root, i, session)
    {
        struct witness *w = calloc(1, sizeof *w);
        const char *origin;
        json_t *vkeys;
        char prefix[64];

        if (w == NULL) {
            vectors_fail(v, file, "-", "out of memory");
            return;
        }
        json_object_foreach(json_object_get(session, "log_keys"), origin, vkeys)
        {
            add_log(w, origin, vkeys);
        }
        snprintf(prefix, sizeof prefix, "session %zu, ", i);
        run_exchanges(v, file, prefix, w, json_object_get(session, "exchanges"));
        free(w);
    }
}
