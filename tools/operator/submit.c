/* SPDX-License-Identifier: Apache-2.0 */
#include "submit.h"

#include <stdio.h>
#include <stdlib.h>

#include "http_client.h"
#include "text.h"

static pp_res refuse(struct pp_problem *problem, pp_res r, const char *field, const char *expected,
                     const char *got)
{
    pp_problem_set(problem, field, expected, pp_span_cstr(got));
    return r;
}

/* --- the answer ----------------------------------------------------------------------------- */

/* A log that knows more rules than this program refuses all the same. */
static uint32_t code_of(struct pp_span name)
{
    for (uint32_t code = 1; code <= UINT8_MAX; code++)
        if (pp_span_eq(name, pp_span_cstr(pp_code_name(code))))
            return code;
    return PP_E_LEDGER_RECORD;
}

/* The words of one line: exactly `count`, separated by one space each. */
static pp_res take_line(struct pp_span *text, struct pp_span *ret_words, size_t count)
{
    struct pp_span line;

    PP_CHECK(pp_text_cut(text, '\n', &line), PP_E_FORMAT, 0);
    for (size_t i = 0; i < count; i++) {
        int more = pp_text_cut(&line, ' ', &ret_words[i]);

        PP_CHECK(more == (i + 1 < count) && ret_words[i].len > 0, PP_E_FORMAT, i);
    }
    return PP_OK;
}

/* "published <size>", then "<index> <id>" for each entry. */
static pp_res read_published(struct pp_span text, size_t count, struct pp_submit_answer *ret)
{
    struct pp_submit_answer a = { .published = 1, .count = count };
    struct pp_span words[2];

    PP_TRY(take_line(&text, words, 2));
    PP_CHECK(pp_span_eq(words[0], PP_STR("published")), PP_E_FORMAT, 0);
    PP_TRY(pp_decimal_parse(words[1], PP_MERKLE_SIZE_MAX, &a.size));
    for (size_t i = 0; i < count; i++) {
        PP_TRY(take_line(&text, words, 2));
        PP_TRY(pp_decimal_parse(words[0], PP_MERKLE_SIZE_MAX, &a.index[i]));
        PP_TRY(pp_hex_parse(words[1], a.ids[i].bytes, sizeof a.ids[i].bytes));
        PP_CHECK(a.index[i] < a.size, PP_E_RANGE, i);
    }
    PP_CHECK(text.len == 0, PP_E_TRAILING, text.len);
    *ret = a;
    return PP_OK;
}

/* "refused <entry, or batch> <code>". */
static pp_res read_refused(struct pp_span text, size_t count, struct pp_submit_answer *ret)
{
    struct pp_submit_answer a = { .refused = count };
    struct pp_span words[3];
    uint64_t entry;

    PP_TRY(take_line(&text, words, 3));
    PP_CHECK(pp_span_eq(words[0], PP_STR("refused")) && text.len == 0, PP_E_FORMAT, 0);
    if (!pp_span_eq(words[1], PP_STR("batch"))) {
        PP_CHECK(count > 0, PP_E_RANGE, 0);
        PP_TRY(pp_decimal_parse(words[1], count - 1, &entry));
        a.refused = (size_t)entry;
    }
    a.rule = code_of(words[2]);
    *ret = a;
    return PP_FAIL(PP_E_LOG_REFUSED, a.rule);
}

pp_res pp_submit_answer_parse(uint32_t status, struct pp_span body, size_t count,
                              struct pp_submit_answer *ret)
{
    PP_CHECK(count <= PP_SUBMIT_MAX, PP_E_LIMIT, count);
    switch (status) {
    case 200:
        return read_published(body, count, ret);
    case 202:
        *ret = (struct pp_submit_answer){ 0 };
        return PP_OK;
    case 422:
        return read_refused(body, count, ret);
    case 503:
        *ret = (struct pp_submit_answer){ .refused = count, .rule = PP_E_BUSY };
        return PP_FAIL(PP_E_BUSY, 0);
    default:
        return PP_FAIL(PP_E_HTTP_STATUS, status);
    }
}

/* --- the call ------------------------------------------------------------------------------- */

static pp_res post(const char *url, struct pp_span ca_pem, struct pp_span body,
                   struct pp_http_result *ret, struct pp_problem *problem)
{
    const struct pp_http_client_config config = { .ca_pem = ca_pem };
    char to[PP_HTTP_URL_BYTES_MAX];
    size_t len = strlen(url);
    uint16_t port;

    while (len > 0 && url[len - 1] == '/')
        len--;
    if (snprintf(to, sizeof to, "%.*s/submit", (int)len, url) >= (int)sizeof to)
        return refuse(problem, PP_FAIL(PP_E_USAGE, len), "--url", "http://host:port of a log", url);
    if (!pp_is_ok(pp_http_url_port(pp_span_cstr(to), &port)))
        return refuse(problem, PP_FAIL(PP_E_USAGE, 0), "--url", "http(s)://host:port of a log",
                      url);
    if (strncmp(to, "https:", 6) == 0 && ca_pem.len == 0)
        return refuse(problem, PP_FAIL(PP_E_USAGE, 0), "--ca",
                      "who vouches for https, PEM, or anchors that have it", "nothing");
    const struct pp_http_call call = {
        .method = "POST", .url = to, .body = body, .deadline_ms = PP_SUBMIT_MS
    };
    pp_res r = pp_http_call(&config, &call, ret);
    return pp_is_ok(r) ? r : refuse(problem, r, to, "an answer", pp_code_text(r.code));
}

/* The log speaks of the records that it was given. */
static pp_res check_ids(const struct pp_span *entries, const struct pp_submit_answer *a,
                        struct pp_problem *problem)
{
    static const char *const expected = "the ids of the records that were sent";
    struct pp_note *note = malloc(sizeof *note);
    pp_res r = note == NULL ? PP_FAIL(PP_E_NO_MEMORY, 0) : PP_OK;
    struct pp_record_id id;

    for (size_t i = 0; pp_is_ok(r) && i < a->count; i++) {
        r = pp_note_parse(entries[i], note);
        if (!pp_is_ok(r))
            break;
        pp_record_id_of(note->text, &id);
        if (!pp_record_id_same(&id, &a->ids[i]))
            r = refuse(problem, PP_FAIL(PP_E_MISMATCH, i), "answer", expected, "others");
    }
    free(note);
    return r;
}

static pp_res read_answer(const struct pp_http_result *http, const struct pp_span *entries,
                          size_t count, struct pp_submit_answer *ret, struct pp_problem *problem)
{
    pp_res r = pp_submit_answer_parse(http->status, pp_span(http->body, http->body_len), count,
                                      ret);

    switch (r.code) {
    case PP_E_OK:
        return check_ids(entries, ret, problem);
    case PP_E_LOG_REFUSED:
        return refuse(problem, r, ret->refused == count ? "batch" : "record",
                      "a record that keeps the rules of the ledger", pp_code_name(ret->rule));
    case PP_E_BUSY:
        return refuse(problem, r, "answer", "a place in the next batch", "full");
    case PP_E_HTTP_STATUS:
        pp_problem_numbers(problem, "status", 200, http->status);
        return r;
    default:
        return refuse(problem, r, "answer", "published <size>, <index> <id>", "something else");
    }
}

static pp_res frame(const struct pp_span *entries, size_t count, struct pp_wr *wr)
{
    PP_CHECK(count >= 1 && count <= PP_SUBMIT_MAX, PP_E_LIMIT, count);
    for (size_t i = 0; i < count; i++) {
        size_t mark = pp_wr_block32_begin(wr);

        pp_wr_span(wr, entries[i]);
        pp_wr_block32_end(wr, mark);
    }
    return pp_is_ok(pp_wr_ok(wr)) ? PP_OK : PP_FAIL(PP_E_LIMIT, wr->len);
}

pp_res pp_submit_batch(const char *url, struct pp_span ca_pem, const struct pp_span *entries,
                       size_t count, struct pp_submit_answer *ret, struct pp_problem *problem)
{
    struct pp_http_result http = { 0 };
    uint8_t *body = malloc(PP_SUBMIT_BYTES_MAX);
    struct pp_wr wr = pp_wr_over(body, PP_SUBMIT_BYTES_MAX);

    PP_CHECK(body != NULL, PP_E_NO_MEMORY, 0);
    pp_problem_party(problem, "log");
    pp_res r = frame(entries, count, &wr);
    if (!pp_is_ok(r))
        r = refuse(problem, r, "batch", "1 to 64 entries, at most 2 MiB together", "more");
    if (pp_is_ok(r))
        r = post(url, ca_pem, pp_wr_done(&wr), &http, problem);
    if (pp_is_ok(r))
        r = read_answer(&http, entries, count, ret, problem);
    pp_http_result_done(&http);
    free(body);
    return r;
}
