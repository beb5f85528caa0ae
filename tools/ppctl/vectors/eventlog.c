/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event logs of TDX guests: NAME.ccel.bin, with what stands in them in NAME.expected.json and the
 * quote that they replay to in ../real/<any>-NAME/quote.bin; the JSON of a quote together with its
 * events, as dstack writes it; and rows of our own.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eventlog.h"
#include "tdx.h"
#include "topics.h"

enum {
    FILE_BYTES_MAX = 4 << 20,
    PATH_BYTES_MAX = 4096,
};

#define LOG_END   ".ccel.bin"
#define WORDS_END ".expected.json"

static int ends_with(const char *file, const char *end)
{
    size_t a = strlen(file), b = strlen(end);

    return a >= b && strcmp(file + a - b, end) == 0;
}

static int read_file(const char *path, struct pp_buf *ret)
{
    return pp_is_ok(pp_file_read(AT_FDCWD, path, FILE_BYTES_MAX, ret));
}

/* The registers of a quote that nobody verifies here: the topic tdx does. */
static int rtmrs_of_quote(struct pp_span quote, uint8_t ret[PP_RTMRS][PP_RTMR_BYTES])
{
    struct pp_tdx_quote q;

    if (!pp_is_ok(pp_tdx_quote_parse(quote, &q, NULL)))
        return 0;
    memcpy(ret, q.body.rtmr, sizeof q.body.rtmr);
    return 1;
}

static void compare(struct vectors *v, const char *file, const char *row,
                    uint8_t want[PP_RTMRS][PP_RTMR_BYTES], uint8_t got[PP_RTMRS][PP_RTMR_BYTES])
{
    for (size_t i = 0; i < PP_RTMRS; i++)
        if (memcmp(want[i], got[i], PP_RTMR_BYTES) != 0) {
            vectors_fail(v, file, row, "RTMR%zu differs", i);
            return;
        }
    vectors_pass(v, file, row);
}

/* --- a log and what is said of it ------------------------------------------------------------- */

static int member_is(const json_t *object, const char *member, const char *want)
{
    const char *text = json_string_value(json_object_get(object, member));

    return text != NULL && strcmp(text, want) == 0;
}

static int digest_is(const json_t *row, struct pp_span digest)
{
    const json_t *entry;
    size_t i;

    json_array_foreach(json_object_get(row, "digests"), i, entry)
    {
        struct pp_buf b = vectors_hex(entry, "digest");
        int same = member_is(entry, "alg", "SHA-384") && pp_span_eq(pp_buf_span(&b), digest);
        pp_buf_done(&b);
        if (same)
            return 1;
    }
    return 0;
}

static const char *event_differs(const struct pp_eventlog_event *e, const json_t *row)
{
    struct pp_buf data = vectors_base64(row, "event");
    int same = data.bytes != NULL && pp_span_eq(pp_buf_span(&data), e->data);

    pp_buf_done(&data);
    if (!same)
        return "its bytes differ";
    if (json_integer_value(json_object_get(row, "index")) != (json_int_t)e->mr_index)
        return "its register differs";
    if (!member_is(row, "type_name", pp_eventlog_type_name(e->type)))
        return "its type differs";
    if (!digest_is(row, e->digest))
        return "its digest differs";
    if (json_is_true(json_object_get(row, "digest_matches_event")) != pp_eventlog_covers(e))
        return "whether the digest covers it differs";
    return NULL;
}

static void check_events(struct vectors *v, const char *file, struct pp_span bytes,
                         const json_t *rows)
{
    struct pp_eventlog log;
    struct pp_eventlog_event event;
    char name[32];
    size_t i = 0;

    pp_res r = pp_eventlog_open(bytes, &log);
    if (!pp_is_ok(r)) {
        vectors_fail(v, file, "events", "%s at %u", pp_code_name(r.code), r.detail);
        return;
    }
    for (; pp_eventlog_next(&log, &event); i++) {
        const char *wrong = event_differs(&event, json_array_get(rows, i));
        snprintf(name, sizeof name, "event %zu", i + 1);
        if (wrong == NULL)
            vectors_pass(v, file, name);
        else
            vectors_fail(v, file, name, "%s", wrong);
    }
    if (i != json_array_size(rows))
        vectors_fail(v, file, "events", "%zu in the log, %zu expected", i, json_array_size(rows));
}

/* Where a log stands and what it is called. */
struct log_name {
    const char *file;
    int folder_len, name_len; /* the folder with its slash; the name without its end */
};

static int is_of(const struct log_name *n, const char *entry)
{
    size_t len = strlen(entry), name_len = (size_t)n->name_len;

    return len > name_len && entry[len - name_len - 1] == '-' &&
           memcmp(entry + len - name_len, n->file + n->folder_len, name_len) == 0;
}

/* ../real/<any>-NAME/quote.bin, the quote of the same machine. */
static int find_quote(const struct log_name *n, struct pp_buf *ret)
{
    char path[PATH_BYTES_MAX];
    const struct dirent *entry;
    int found = 0;

    if (snprintf(path, sizeof path, "%.*s../real", n->folder_len, n->file) >= (int)sizeof path)
        return 0;
    DIR *dir = opendir(path);
    if (dir == NULL)
        return 0;
    while (!found && (entry = readdir(dir)) != NULL)
        if (is_of(n, entry->d_name) &&
            snprintf(path, sizeof path, "%.*s../real/%s/quote.bin", n->folder_len, n->file,
                     entry->d_name) < (int)sizeof path)
            found = read_file(path, ret);
    closedir(dir);
    return found;
}

static void check_quote(struct vectors *v, const char *file, struct pp_span bytes,
                        struct pp_span quote)
{
    uint8_t rtmr[PP_RTMRS][PP_RTMR_BYTES], want[PP_RTMRS][PP_RTMR_BYTES];

    pp_res r = pp_eventlog_replay(bytes, rtmr);
    if (!pp_is_ok(r))
        vectors_fail(v, file, "replay", "%s at %u", pp_code_name(r.code), r.detail);
    else if (!rtmrs_of_quote(quote, want))
        vectors_fail(v, file, "replay", "the quote cannot be read");
    else
        compare(v, file, "replay", want, rtmr);
}

static json_t *find_words(const struct log_name *n)
{
    char path[PATH_BYTES_MAX];

    if (snprintf(path, sizeof path, "%.*s%s", n->folder_len + n->name_len, n->file, WORDS_END) >=
        (int)sizeof path)
        return NULL;
    return json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
}

static void log_file(struct vectors *v, const char *file)
{
    const char *slash = strrchr(file, '/');
    struct log_name n = { .file = file, .folder_len = slash == NULL ? 0 : (int)(slash - file + 1) };
    struct pp_buf bytes = { 0 }, quote = { 0 };

    n.name_len = (int)(strlen(file) - strlen(LOG_END)) - n.folder_len;
    if (!read_file(file, &bytes)) {
        vectors_fail(v, file, "-", "cannot be read");
        return;
    }
    json_t *words = find_words(&n);
    int has_quote = find_quote(&n, &quote);
    if (words != NULL)
        check_events(v, file, pp_buf_span(&bytes), json_object_get(words, "uefi_event_logs"));
    if (has_quote)
        check_quote(v, file, pp_buf_span(&bytes), pp_buf_span(&quote));
    if (words == NULL && !has_quote)
        vectors_skip(v, file, "-", "neither its events nor its quote are beside it");
    json_decref(words);
    pp_buf_done(&bytes);
    pp_buf_done(&quote);
}

/* --- dstack's JSON ---------------------------------------------------------------------------- */

/* An event that the application logged has no digest in the file: it is that of type, name, bytes.
 */
static int runtime_digest(const json_t *event, uint8_t ret[PP_SHA384_BYTES])
{
    const char *name = json_string_value(json_object_get(event, "event"));
    struct pp_buf payload = vectors_hex(event, "event_payload");
    uint32_t type = (uint32_t)json_integer_value(json_object_get(event, "event_type"));
    struct pp_hash h;

    if (name == NULL || payload.bytes == NULL) {
        pp_buf_done(&payload);
        return 0;
    }
    pp_hash_init(&h, PP_SHA384);
    for (unsigned shift = 0; shift < 32; shift += 8)
        pp_hash_u8(&h, (uint8_t)(type >> shift));
    pp_hash_u8(&h, ':');
    pp_hash_update(&h, pp_span_cstr(name));
    pp_hash_u8(&h, ':');
    pp_hash_update(&h, pp_buf_span(&payload));
    pp_hash_final(&h, ret);
    pp_buf_done(&payload);
    return 1;
}

static int extend(const json_t *event, uint8_t rtmr[PP_RTMRS][PP_RTMR_BYTES])
{
    const char *text = json_string_value(json_object_get(event, "digest"));
    struct pp_buf listed = vectors_hex(event, "digest");
    json_int_t imr = json_integer_value(json_object_get(event, "imr"));
    uint8_t digest[PP_SHA384_BYTES];
    int ok = imr >= 0 && imr < PP_RTMRS && text != NULL && listed.bytes != NULL;

    if (ok && text[0] == '\0')
        ok = runtime_digest(event, digest);
    else if (ok && listed.len == sizeof digest)
        memcpy(digest, listed.bytes, sizeof digest);
    else
        ok = 0;
    if (ok)
        pp_rtmr_extend(rtmr[imr], digest);
    pp_buf_done(&listed);
    return ok;
}

static void dstack_file(struct vectors *v, const char *file, const json_t *root)
{
    uint8_t rtmr[PP_RTMRS][PP_RTMR_BYTES] = { { 0 } };
    const char *text = json_string_value(json_object_get(root, "event_log"));
    json_t *events = text == NULL ? NULL : json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    struct pp_buf quote = vectors_hex(root, "quote");
    uint8_t want[PP_RTMRS][PP_RTMR_BYTES];
    int ok = json_array_size(events) > 0 && rtmrs_of_quote(pp_buf_span(&quote), want);
    const json_t *event;
    size_t i;

    json_array_foreach(events, i, event)
    {
        ok = ok && extend(event, rtmr);
    }
    if (ok)
        compare(v, file, "replay", want, rtmr);
    else
        vectors_fail(v, file, "replay", "an event or the quote cannot be read");
    json_decref(events);
    pp_buf_done(&quote);
}

/* --- rows of our own -------------------------------------------------------------------------- */

static void own_row(struct vectors *v, const char *file, const json_t *row)
{
    const char *name = json_string_value(json_object_get(row, "name"));
    const char *expect = json_string_value(json_object_get(row, "expect"));
    struct pp_buf log = vectors_hex(row, "log_hex");
    struct pp_buf all = vectors_hex(row, "rtmrs_hex");
    uint8_t rtmr[PP_RTMRS][PP_RTMR_BYTES], want[PP_RTMRS][PP_RTMR_BYTES] = { { 0 } };

    if (all.len == sizeof want)
        memcpy(want, all.bytes, sizeof want);

    pp_res r = pp_eventlog_replay(pp_buf_span(&log), rtmr);
    if (name == NULL || log.bytes == NULL)
        vectors_fail(v, file, "-", "a row without name or log_hex");
    else if (expect != NULL && strcmp(pp_code_name(r.code), expect) == 0)
        vectors_pass(v, file, name);
    else if (expect != NULL || !pp_is_ok(r) || all.len != sizeof want)
        vectors_fail(v, file, name, "%s", pp_code_name(r.code));
    else
        compare(v, file, name, want, rtmr);
    pp_buf_done(&log);
    pp_buf_done(&all);
}

static void json_rows(struct vectors *v, const char *file)
{
    json_t *root = vectors_load(v, file);
    const json_t *row;
    size_t i;

    if (root == NULL)
        return;
    if (json_object_get(root, "event_log") != NULL)
        dstack_file(v, file, root);
    else if (json_object_get(root, "rows") == NULL)
        vectors_skip(v, file, "-", "not a shape that this topic reads");
    json_array_foreach(json_object_get(root, "rows"), i, row)
    {
        own_row(v, file, row);
    }
    json_decref(root);
}

static void run_file(struct vectors *v, const char *file)
{
    if (ends_with(file, LOG_END))
        log_file(v, file);
    else if (ends_with(file, ".json") && !ends_with(file, WORDS_END)) /* those go with a log */
        json_rows(v, file);
}

void vectors_eventlog(struct vectors *v, const char *path)
{
    vectors_walk(v, path, run_file);
}
