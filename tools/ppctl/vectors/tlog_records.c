/* SPDX-License-Identifier: Apache-2.0 */
/* Ledger records one by one, and short logs of them (tests/vectors/records/make.py). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_list.h"
#include "record_rules.h"
#include "tlog.h"

enum { RECORDS_MAX = 64, MEASUREMENTS_MAX = 256 };

struct book {
    struct pp_buf texts[3];
    struct pp_policy policies[3]; /* log, owner, review */
    struct pp_record_keys keys;
    const char *ledger, *name_space;
    const json_t *bases, *entries;
    struct pp_rules_record records[RECORDS_MAX];
    struct pp_rules_measurement measurements[MEASUREMENTS_MAX];
};

static pp_res book_open(struct book *b, const json_t *root)
{
    static const char *const names[] = { "log", "owner", "review" };
    const json_t *policies = json_object_get(root, "policies");

    for (size_t i = 0; i < PP_ARRAY_COUNT(names); i++) {
        b->texts[i] = vectors_base64(policies, names[i]);
        PP_TRY(pp_policy_parse(pp_buf_span(&b->texts[i]), i == 0 ? PP_POLICY_LOG : PP_POLICY_REVIEW,
                               &b->policies[i]));
    }
    b->keys = (struct pp_record_keys){ &b->policies[0], &b->policies[1], &b->policies[2] };
    b->bases = json_object_get(root, "bases");
    b->entries = json_object_get(root, "entries");
    b->ledger = json_string_value(json_object_get(root, "ledger"));
    b->name_space = json_string_value(json_object_get(root, "namespace"));
    return PP_OK;
}

static pp_res environment_of(const json_t *row, enum pp_record_env *ret)
{
    return pp_record_env_parse(pp_span_cstr(json_string_value(json_object_get(row, "environment"))),
                               ret);
}

/* A row's expectation: accepted, or refused with exactly this code. */
static void compare(struct vectors *v, const char *file, const char *name, const json_t *row,
                    pp_res r)
{
    const char *want = json_string_value(json_object_get(row, "code"));
    const char *got = pp_code_name(r.code);

    if (want == NULL ? pp_is_ok(r) : strcmp(want, got) == 0)
        vectors_pass(v, file, name);
    else
        vectors_fail(v, file, name, "expected %s, got %s (%u) at %s", want == NULL ? "OK" : want,
                     got, r.detail, r.where == NULL ? "-" : r.where);
}

/* What a record says is what writing it again gives. */
static pp_res check_round_trip(const struct pp_note *note, const struct pp_record *record,
                               const char *want_id)
{
    static uint8_t again[PP_RECORD_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    char hex[2 * PP_SHA256_BYTES + 1] = "";
    struct pp_wr h = pp_wr_over(hex, sizeof hex - 1);
    struct pp_record_id id;

    PP_TRY(pp_record_write(&wr, record));
    PP_CHECK(pp_span_eq(pp_wr_done(&wr), note->text), PP_E_ENCODING, wr.len);
    pp_record_id_of(note->text, &id);
    pp_wr_hex(&h, PP_BYTES(id.bytes));
    PP_CHECK(want_id == NULL || strcmp(want_id, hex) == 0, PP_E_MISMATCH, 0);
    return PP_OK;
}

static void add_line(struct pp_wr *wr, const json_t *line)
{
    pp_wr_bytes(wr, json_string_value(line), json_string_length(line));
    pp_wr_u8(wr, '\n');
}

/* Entry number `number`: whole in Base64, or lines of its own and of a base, and its signatures. */
static struct pp_buf entry_of(const struct book *b, const json_t *number)
{
    const json_t *e = json_array_get(b->entries, (size_t)json_integer_value(number));
    const json_t *base = json_array_get(b->bases,
                                        (size_t)json_integer_value(json_object_get(e, "base")));
    const json_t *lines = json_object_get(e, "signatures");
    struct pp_buf text = { 0 };
    json_t *part;
    size_t i;

    if (json_object_get(e, "base64") != NULL)
        return vectors_base64(e, "base64");
    if ((text.bytes = malloc(2 * PP_RECORD_ENTRY_MAX)) == NULL)
        return text;
    struct pp_wr wr = pp_wr_over(text.bytes, 2 * PP_RECORD_ENTRY_MAX);
    json_array_foreach(json_object_get(e, "parts"), i, part)
    {
        if (json_is_string(part))
            add_line(&wr, part);
        for (json_int_t k = json_integer_value(json_array_get(part, 0));
             k < json_integer_value(json_array_get(part, 1)); k++)
            add_line(&wr, json_array_get(base, (size_t)k));
    }
    pp_wr_u8(&wr, '\n');
    pp_wr_bytes(&wr, json_string_value(lines), json_string_length(lines));
    text.len = wr.len;
    return text;
}

static pp_res check_row(const struct book *b, const json_t *row, struct pp_span entry)
{
    enum pp_record_env environment;
    struct pp_record record;
    struct pp_note note;

    PP_TRY(environment_of(row, &environment));
    PP_TRY(pp_record_open(entry, &note, &record));
    PP_TRY(pp_record_check_place(&record, pp_span_cstr(b->ledger), pp_span_cstr(b->name_space),
                                 environment));
    PP_TRY(pp_record_check_signers(&note, &record, &b->keys));
    return check_round_trip(&note, &record, json_string_value(json_object_get(row, "id")));
}

/* In a log that keeps the rules every status is the one that we would have made. */
static pp_res check_own_status(const struct pp_rules *rules, struct pp_span entry)
{
    static uint8_t own[PP_RECORD_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(own, sizeof own);
    struct pp_record record;
    struct pp_note note;

    PP_TRY(pp_record_open(entry, &note, &record));
    if (record.type != PP_RECORD_STATUS)
        return PP_OK;
    PP_TRY(pp_rules_status(rules, record.time, &record));
    PP_TRY(pp_record_write(&wr, &record));
    PP_CHECK(pp_span_eq(pp_wr_done(&wr), note.text), PP_E_MISMATCH, wr.len);
    return PP_OK;
}

static pp_res feed_all(struct book *b, struct pp_rules *rules, const json_t *entries, uint64_t now,
                       int wanted, size_t *ret_at)
{
    json_t *item;
    size_t i;

    json_array_foreach(entries, i, item)
    {
        struct pp_buf entry = entry_of(b, item);
        struct pp_rules_state before = pp_rules_save(rules);
        pp_res own = wanted ? check_own_status(rules, pp_buf_span(&entry)) : PP_OK;
        pp_res r = pp_rules_feed(rules, pp_buf_span(&entry), now);
        pp_buf_done(&entry);
        PP_TRY(own);
        *ret_at = i;
        if (!pp_is_ok(r)) {
            PP_CHECK(memcmp(&before, &rules->state, sizeof before) == 0, PP_E_STATE, i);
            return r;
        }
    }
    *ret_at = json_array_size(entries);
    return pp_rules_closed(rules);
}

static pp_res check_log(struct book *b, const json_t *log, size_t *ret_at)
{
    struct pp_rules_config config = {
        .ledger = pp_span_cstr(b->ledger),
        .name_space = pp_span_cstr(b->name_space),
        .keys = b->keys,
        .records = b->records,
        .record_cap = RECORDS_MAX,
        .measurements = b->measurements,
        .measurement_cap = MEASUREMENTS_MAX,
    };
    struct pp_rules rules;
    uint64_t now = (uint64_t)json_integer_value(json_object_get(log, "now"));

    PP_TRY(environment_of(log, &config.environment));
    pp_rules_init(&rules, &config);
    int wanted = json_object_get(log, "code") == NULL;
    return feed_all(b, &rules, json_object_get(log, "entries"), now, wanted, ret_at);
}

static void run_hosts(struct vectors *v, const char *file, const json_t *hosts)
{
    struct pp_host list[256];
    size_t count = json_array_size(json_object_get(hosts, "entries"));
    struct pp_buf want = vectors_hex(hosts, "root");
    struct pp_merkle_hash root;
    pp_res r = PP_FAIL(PP_E_RANGE, count);

    for (size_t i = 0; i < count && count <= PP_ARRAY_COUNT(list); i++) {
        struct pp_buf entry = vectors_hex_text(
            json_string_value(json_array_get(json_object_get(hosts, "entries"), i)));
        if (entry.len == sizeof list[i].entry)
            memcpy(list[i].entry, entry.bytes, entry.len);
        pp_buf_done(&entry);
    }
    if (count <= PP_ARRAY_COUNT(list))
        r = pp_hosts_root(list, count, &root);
    if (pp_is_ok(r) && !pp_span_eq(PP_BYTES(root.bytes), pp_buf_span(&want)))
        r = PP_FAIL(PP_E_MISMATCH, 0);
    tlog_verdict(v, file, "host-set root", 1, r);
    pp_buf_done(&want);
}

static void run_rows(struct vectors *v, const char *file, const struct book *b, const json_t *rows)
{
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        const char *desc = json_string_value(json_object_get(row, "desc"));
        struct pp_buf entry = entry_of(b, json_object_get(row, "entry"));
        compare(v, file, desc == NULL ? "-" : desc, row, check_row(b, row, pp_buf_span(&entry)));
        pp_buf_done(&entry);
    }
}

static void run_logs(struct vectors *v, const char *file, struct book *b, const json_t *logs)
{
    json_t *log;
    size_t i;

    json_array_foreach(logs, i, log)
    {
        const char *desc = json_string_value(json_object_get(log, "desc"));
        const json_t *want_at = json_object_get(log, "at");
        size_t at = 0;
        pp_res r = check_log(b, log, &at);
        if (want_at != NULL && !pp_is_ok(r) && (json_int_t)at != json_integer_value(want_at))
            vectors_fail(v, file, desc == NULL ? "-" : desc, "%s at entry %zu",
                         pp_code_name(r.code), at);
        else
            compare(v, file, desc == NULL ? "-" : desc, log, r);
    }
}

/* --- lists of machines ---------------------------------------------------------------------- */

static pp_res check_list(const json_t *row)
{
    static uint8_t own[PP_RECORD_BYTES_MAX], want[PP_RECORD_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(own, sizeof own), w = pp_wr_over(want, sizeof want);
    const struct pp_span list = pp_span_cstr(json_string_value(json_object_get(row, "list")));
    struct pp_record record;
    json_t *line;
    size_t i;

    PP_TRY(pp_host_list_record(list, (uint64_t)json_integer_value(json_object_get(row, "time")),
                               &record));
    PP_TRY(pp_host_list_check(list, &record));
    PP_TRY(pp_record_write(&wr, &record));
    json_array_foreach(json_object_get(row, "record"), i, line) add_line(&w, line);
    PP_CHECK(pp_span_eq(pp_wr_done(&wr), pp_wr_done(&w)), PP_E_MISMATCH, wr.len);
    return PP_OK;
}

static void run_lists(struct vectors *v, const char *file, const json_t *lists)
{
    json_t *row;
    size_t i;

    json_array_foreach(lists, i, row)
    {
        const char *desc = json_string_value(json_object_get(row, "desc"));
        compare(v, file, desc == NULL ? "-" : desc, row, check_list(row));
    }
}

void tlog_records(struct vectors *v, const char *file, const json_t *root)
{
    struct book *b = calloc(1, sizeof *b);
    pp_res r = b == NULL ? PP_FAIL(PP_E_NO_MEMORY, 0) : book_open(b, root);

    tlog_verdict(v, file, "policies", 1, r);
    if (pp_is_ok(r)) {
        if (json_object_get(root, "hosts") != NULL)
            run_hosts(v, file, json_object_get(root, "hosts"));
        run_rows(v, file, b, json_object_get(root, "rows"));
        run_logs(v, file, b, json_object_get(root, "logs"));
        run_lists(v, file, json_object_get(root, "host_lists"));
    }
    for (size_t i = 0; b != NULL && i < PP_ARRAY_COUNT(b->texts); i++)
        pp_buf_done(&b->texts[i]);
    free(b);
}
