/* SPDX-License-Identifier: Apache-2.0 */
/* The tlog topic: notes, checkpoints, policies, proofs, Merkle trees, tiles, logs, witnesses. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proof.h"
#include "quorum.h"
#include "tlog.h"
#include "topics.h"

int tlog_sibling(const char *file, const char *name, size_t max, struct pp_buf *ret)
{
    char path[4096];
    const char *slash = strrchr(file, '/');
    int folder = slash == NULL ? 0 : (int)(slash - file) + 1;

    if (snprintf(path, sizeof path, "%.*s%s", folder, file, name) >= (int)sizeof path)
        return 0;
    return pp_is_ok(pp_file_read(AT_FDCWD, path, max, ret));
}

void tlog_verdict(struct vectors *v, const char *file, const char *row, int want_ok, pp_res r)
{
    if (pp_is_ok(r) == want_ok)
        vectors_pass(v, file, row);
    else if (want_ok)
        vectors_fail(v, file, row, "refused with %s at %s", pp_code_name(r.code), r.where);
    else
        vectors_fail(v, file, row, "accepted");
}

size_t tlog_vkeys(const json_t *value, struct pp_note_key *ret, size_t cap)
{
    size_t count = 0;
    const char *key;
    json_t *item;
    size_t i;

    if (json_is_string(value) && cap > 0)
        return pp_is_ok(pp_vkey_parse(pp_span_cstr(json_string_value(value)), ret)) ? 1 : 0;
    if (json_is_object(value)) {
        json_object_foreach((json_t *)(uintptr_t)value, key, item)
        {
            count += tlog_vkeys(item, ret + count, cap - count);
        }
    }
    json_array_foreach(value, i, item)
    {
        count += tlog_vkeys(item, ret + count, cap - count);
    }
    return count;
}

static struct pp_span trimmed(const struct pp_buf *b)
{
    struct pp_span s = pp_buf_span(b);

    while (s.len > 0 && (s.at[s.len - 1] == '\n' || s.at[s.len - 1] == '\r'))
        s.len--;
    return s;
}

static const char *name_of(const char *file)
{
    const char *slash = strrchr(file, '/');

    return slash == NULL ? file : slash + 1;
}

static int ends_with(const char *s, const char *end)
{
    size_t n = strlen(s);
    size_t m = strlen(end);

    return n >= m && strcmp(s + n - m, end) == 0;
}

static void run_request(struct vectors *v, const char *file, struct pp_span body)
{
    static uint8_t again[PP_WITNESS_REQUEST_MAX];
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    struct pp_witness_request r;
    pp_res res = pp_witness_request_parse(body, &r);

    if (!pp_is_ok(res)) {
        tlog_verdict(v, file, "request", 1, res);
        return;
    }
    pp_witness_request_write(&wr, r.old_size, &r.proof, r.note_bytes);
    if (pp_span_eq(pp_wr_done(&wr), body))
        vectors_pass(v, file, "request");
    else
        vectors_fail(v, file, "request", "written again it has other bytes");
}

/* The keys that a note comes with: NAME.vkey beside NAME.note, or a keys.json in its folder. */
static size_t keys_beside(const char *file, struct pp_buf *text, struct pp_note_key *ret,
                          json_t **ret_json)
{
    const char *name = name_of(file);
    const char *dot = strrchr(name, '.');
    char vkey[256];

    if (dot != NULL &&
        snprintf(vkey, sizeof vkey, "%.*s.vkey", (int)(dot - name), name) < (int)sizeof vkey &&
        tlog_sibling(file, vkey, PP_VKEY_BYTES_MAX, text))
        return pp_is_ok(pp_vkey_parse(trimmed(text), ret)) ? 1 : 0;
    if (!tlog_sibling(file, "keys.json", 1 << 16, text))
        return 0;
    *ret_json = json_loadb((const char *)text->bytes, text->len, 0, NULL);
    return tlog_vkeys(*ret_json, ret, PP_NOTE_KEYS_MAX);
}

/* A note or checkpoint by itself: opened under the keys beside it, parsed where there are none. */
static void run_note(struct vectors *v, const char *file, struct pp_span bytes)
{
    struct pp_note_key keys[PP_NOTE_KEYS_MAX];
    struct pp_note_signers signers = { 0 };
    struct pp_checkpoint checkpoint;
    struct pp_note note;
    struct pp_buf text = { 0 };
    json_t *json = NULL;
    size_t count = keys_beside(file, &text, keys, &json);
    pp_res r = pp_note_parse(bytes, &note);

    if (pp_is_ok(r) && ends_with(file, ".checkpoint"))
        r = pp_checkpoint_parse(note.text, &checkpoint);
    /* A key of its own has to have signed; of a folder's keys those that know the note. */
    if (pp_is_ok(r) && count > 0)
        r = json == NULL ? pp_note_open(&note, keys, count, &signers)
                         : pp_note_check(&note, keys, count, &signers);
    tlog_verdict(v, file,
                 count > 0 && (!pp_is_ok(r) || signers.set != 0) ? "opened"
                                                                 : "parsed, no key is published",
                 1, r);
    json_decref(json);
    pp_buf_done(&text);
}

static void run_policy(struct vectors *v, const char *file, struct pp_span text)
{
    static struct pp_policy p;

    tlog_verdict(v, file, "policy", 1, pp_policy_parse(text, PP_POLICY_LOG, &p));
}

/* What has a signature line is a note, whatever its name. */
static int is_note(struct pp_span all)
{
    struct pp_note note;

    return pp_is_ok(pp_note_parse(all, &note)) && note.line_count > 0;
}

static void run_text(struct vectors *v, const char *file)
{
    struct pp_buf b = { 0 };
    struct pp_note_key key;
    pp_res r = pp_file_read(AT_FDCWD, file, PP_WITNESS_REQUEST_MAX, &b);

    if (!pp_is_ok(r)) {
        vectors_fail(v, file, "-", "cannot be read");
        return;
    }
    struct pp_span all = pp_buf_span(&b);
    struct pp_span line = trimmed(&b);
    uint32_t code = pp_vkey_parse(line, &key).code;
    if (ends_with(file, ".sigsum-policy"))
        tlog_sigsum(v, file, all);
    else if (all.len > 4 && memcmp(all.at, "old ", 4) == 0)
        run_request(v, file, all);
    else if (strcmp(name_of(file), "policy") == 0 || ends_with(file, ".policy"))
        run_policy(v, file, all);
    else if (code == PP_E_OK || code == PP_E_UNSUPPORTED || ends_with(file, "vkey"))
        tlog_vkey(v, file, "vkey", line, 1);
    else if (ends_with(file, ".note") || ends_with(file, ".checkpoint") || is_note(all))
        run_note(v, file, all);
    else
        vectors_skip(v, file, "-", "neither note, key, policy, request nor tile");
    pp_buf_done(&b);
}

/* "tile/0/000.p/5" at the end of a path, with a log's folder before it. */
static const char *tile_path(const char *file)
{
    struct pp_tile t;

    for (const char *at = strstr(file, "tile/"); at != NULL; at = strstr(at + 1, "tile/"))
        if ((at == file || at[-1] == '/') && pp_is_ok(pp_tile_path_parse(pp_span_cstr(at), &t)))
            return at;
    return NULL;
}

static int is_checkpoint_of_log(const char *file)
{
    const char *name = name_of(file);

    return strcmp(name, "checkpoint") == 0 || strncmp(name, "checkpoint.", 11) == 0;
}

static void run_file(struct vectors *v, const char *file)
{
    const char *tile = tile_path(file);

    if (tile != NULL)
        tlog_log_tile(v, file, tile);
    else if (is_checkpoint_of_log(file))
        tlog_log_checkpoint(v, file);
    else if (ends_with(file, ".tlog-proof"))
        tlog_log_proof(v, file);
    else if (ends_with(file, ".json"))
        tlog_json(v, file);
    else if (ends_with(file, ".entry"))
        vectors_skip(v, file, "-", "judged with the proof of its name");
    else if (ends_with(file, ".md"))
        vectors_skip(v, file, "-", "text for people");
    else
        run_text(v, file);
}

void vectors_tlog(struct vectors *v, const char *path)
{
    vectors_walk(v, path, run_file);
}
