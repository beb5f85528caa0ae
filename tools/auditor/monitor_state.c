/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor_state.h"

#include <stdio.h>

#include "monitor_int.h"
#include "text.h"

static const char HEAD[] = "pp-monitor-state v1";

struct pp_monitor_source *pp_monitor_state_source(struct pp_monitor_state *s, const char *name)
{
    for (size_t i = 0; i < s->source_count; i++)
        if (strcmp(s->sources[i].name, name) == 0)
            return &s->sources[i];
    if (s->source_count == PP_MONITOR_SOURCES_MAX || strlen(name) > PP_MONITOR_NAME_MAX)
        return NULL;
    struct pp_monitor_source *made = &s->sources[s->source_count++];
    *made = (struct pp_monitor_source){ 0 };
    monitor_set_text(made->name, sizeof made->name, name);
    return made;
}

/* --- writing ---------------------------------------------------------------------------------- */

static size_t roots_of(uint64_t size)
{
    return (size_t)__builtin_popcountll(size);
}

/* "SIZE ROOTS", the roots' bytes in Base64, "-" without any. */
static void write_range(struct pp_wr *wr, const struct pp_merkle_range *r)
{
    pp_wr_decimal(wr, r->size);
    pp_wr_u8(wr, ' ');
    if (r->size == 0)
        pp_wr_u8(wr, '-');
    else
        pp_wr_base64(wr, pp_span(r->roots, roots_of(r->size) * sizeof r->roots[0]));
}

static void write_kept(struct pp_wr *wr, const struct pp_monitor_kept *k)
{
    pp_wr_decimal(wr, k->len == 0 ? 0 : k->shown_posix_s);
    pp_wr_u8(wr, ' ');
    if (k->len == 0)
        pp_wr_u8(wr, '-');
    else
        pp_wr_base64(wr, pp_span(k->bytes, k->len));
    pp_wr_u8(wr, '\n');
}

static void write_witnesses(struct pp_wr *wr, const struct pp_monitor *m)
{
    for (size_t w = 0; w < m->config.log->witness_count; w++) {
        if (m->witness_posix_s[w] == 0)
            continue;
        pp_wr_text(wr, "witness ");
        pp_vkey_write(wr, &m->config.log->witness_keys[w]);
        pp_wr_u8(wr, ' ');
        pp_wr_decimal(wr, m->witness_posix_s[w]);
        pp_wr_u8(wr, ' ');
        write_kept(wr, &m->witnesses[w]);
    }
}

static void write_others(struct pp_wr *wr, const struct pp_monitor *m)
{
    for (size_t i = 0; i < PP_MONITOR_AHEAD_MAX; i++) {
        if (m->ahead[i].len == 0)
            continue;
        pp_wr_text(wr, "ahead ");
        write_kept(wr, &m->ahead[i]);
    }
    for (size_t i = 0; i < PP_MONITOR_FORKS_MAX; i++) {
        if (m->forks[i].kept.len == 0)
            continue;
        pp_wr_text(wr, "fork ");
        pp_wr_decimal(wr, m->forks[i].from);
        pp_wr_u8(wr, ' ');
        write_kept(wr, &m->forks[i].kept);
    }
}

void pp_monitor_state_write(struct pp_wr *wr, const struct pp_monitor_state *s)
{
    const struct pp_monitor *m = s->monitor;

    pp_wr_text(wr, HEAD);
    pp_wr_text(wr, "\norigin ");
    pp_wr_span(wr, m->config.origin);
    pp_wr_text(wr, "\ntree ");
    write_range(wr, &m->tree);
    pp_wr_text(wr, "\nlast ");
    write_kept(wr, &m->last);
    pp_wr_text(wr, "before ");
    write_kept(wr, &m->before);
    write_witnesses(wr, m);
    write_others(wr, m);
    for (size_t i = 0; i < s->source_count; i++) {
        pp_wr_text(wr, "source ");
        pp_wr_decimal(wr, s->sources[i].size_max);
        pp_wr_u8(wr, ' ');
        write_range(wr, &s->sources[i].read);
        pp_wr_u8(wr, ' ');
        pp_wr_text(wr, s->sources[i].name);
        pp_wr_u8(wr, '\n');
    }
    for (size_t i = 0; i < s->published_count; i++) {
        pp_wr_text(wr, "published ");
        pp_wr_hex(wr, PP_BYTES(s->published[i].bytes));
        pp_wr_u8(wr, '\n');
    }
    pp_wr_text(wr, "end\n");
}

/* --- reading ---------------------------------------------------------------------------------- */

static pp_res take_number(struct pp_span *line, uint64_t max, uint64_t *ret)
{
    struct pp_span word;

    PP_CHECK(pp_text_cut(line, ' ', &word), PP_E_FORMAT, 0);
    return pp_decimal_parse(word, max, ret);
}

static pp_res take_range(struct pp_span size, struct pp_span roots, struct pp_merkle_range *ret)
{
    struct pp_merkle_range r = { 0 };
    size_t len = 0;

    PP_TRY(pp_decimal_parse(size, PP_MERKLE_SIZE_MAX, &r.size));
    if (r.size > 0)
        PP_TRY(pp_base64_parse(roots, (uint8_t *)r.roots, sizeof r.roots, &len));
    else
        PP_CHECK(pp_span_eq(roots, PP_STR("-")), PP_E_FORMAT, 0);
    PP_CHECK(len == roots_of(r.size) * sizeof r.roots[0], PP_E_FORMAT, len);
    *ret = r;
    return PP_OK;
}

/* "SHOWN NOTE"; what the policy does not open is refused. */
static pp_res take_kept(const struct pp_monitor *m, struct pp_span line,
                        struct pp_monitor_kept *ret)
{
    uint64_t shown;

    ret->len = 0;
    PP_TRY(take_number(&line, UINT64_MAX, &shown));
    if (pp_span_eq(line, PP_STR("-")))
        return shown == 0 ? PP_OK : PP_FAIL(PP_E_FORMAT, 0);
    PP_TRY(pp_base64_parse(line, ret->bytes, sizeof ret->bytes, &ret->len));
    pp_res r = pp_monitor_open(m, pp_span(ret->bytes, ret->len), &ret->head);
    if (!pp_is_ok(r))
        ret->len = 0;
    ret->shown_posix_s = shown;
    return r;
}

static pp_res take_witness(struct pp_monitor *m, struct pp_span line)
{
    struct pp_note_key key;
    struct pp_span vkey;
    uint64_t time;

    PP_CHECK(pp_text_cut(&line, ' ', &vkey), PP_E_FORMAT, 0);
    PP_TRY(pp_vkey_parse(vkey, &key));
    PP_TRY(take_number(&line, UINT64_MAX, &time));
    for (size_t w = 0; w < m->config.log->witness_count; w++) {
        const struct pp_note_key *k = &m->config.log->witness_keys[w];
        if (!pp_span_eq(k->name, key.name) || memcmp(k->pk, key.pk, sizeof key.pk) != 0)
            continue;
        PP_CHECK(m->witness_posix_s[w] == 0 && time != 0, PP_E_FORMAT, 0);
        PP_TRY(take_kept(m, line, &m->witnesses[w]));
        PP_CHECK(m->witnesses[w].len > 0 &&
                     (m->witnesses[w].head.opened.witnesses.set >> w & 1) != 0,
                 PP_E_FORMAT, 0);
        m->witness_posix_s[w] = time;
        return PP_OK;
    }
    return PP_OK;
}

static pp_res take_ahead(struct pp_monitor *m, struct pp_span line)
{
    for (size_t i = 0; i < PP_MONITOR_AHEAD_MAX; i++)
        if (m->ahead[i].len == 0) {
            PP_TRY(take_kept(m, line, &m->ahead[i]));
            PP_CHECK(m->ahead[i].len > 0, PP_E_FORMAT, 0);
            return PP_OK;
        }
    return PP_FAIL(PP_E_LIMIT, PP_MONITOR_AHEAD_MAX);
}

static pp_res take_fork(struct pp_monitor *m, struct pp_span line)
{
    for (size_t i = 0; i < PP_MONITOR_FORKS_MAX; i++)
        if (m->forks[i].kept.len == 0) {
            PP_TRY(take_number(&line, PP_MERKLE_SIZE_MAX, &m->forks[i].from));
            PP_TRY(take_kept(m, line, &m->forks[i].kept));
            PP_CHECK(m->forks[i].kept.len > 0, PP_E_FORMAT, 0);
            return PP_OK;
        }
    return PP_FAIL(PP_E_LIMIT, PP_MONITOR_FORKS_MAX);
}

static pp_res take_source(struct pp_monitor_state *s, struct pp_span line)
{
    struct pp_monitor_source from = { 0 };
    struct pp_span size, roots;

    PP_TRY(take_number(&line, PP_MERKLE_SIZE_MAX, &from.size_max));
    PP_CHECK(pp_text_cut(&line, ' ', &size), PP_E_FORMAT, 0);
    PP_CHECK(pp_text_cut(&line, ' ', &roots), PP_E_FORMAT, 0);
    PP_TRY(take_range(size, roots, &from.read));
    PP_CHECK(line.len >= 1 && line.len <= PP_MONITOR_NAME_MAX, PP_E_FORMAT, line.len);
    pp_printable(from.name, sizeof from.name, line);
    PP_CHECK(pp_span_eq(pp_span_cstr(from.name), line), PP_E_FORMAT, 0);
    for (size_t i = 0; i < s->source_count; i++)
        PP_CHECK(strcmp(s->sources[i].name, from.name) != 0, PP_E_DUPLICATE, i);
    PP_CHECK(s->source_count < PP_MONITOR_SOURCES_MAX, PP_E_LIMIT, s->source_count);
    s->sources[s->source_count++] = from;
    return PP_OK;
}

static pp_res take_published(struct pp_monitor_state *s, struct pp_span line)
{
    PP_CHECK(s->published_count < PP_MONITOR_PUBLISHED_MAX, PP_E_LIMIT, s->published_count);
    struct pp_record_id *id = &s->published[s->published_count];
    PP_TRY(pp_hex_parse(line, id->bytes, sizeof id->bytes));
    s->published_count++;
    return PP_OK;
}

static pp_res take_line(struct pp_monitor_state *s, struct pp_span key, struct pp_span line)
{
    if (pp_span_eq(key, PP_STR("witness")))
        return take_witness(s->monitor, line);
    if (pp_span_eq(key, PP_STR("ahead")))
        return take_ahead(s->monitor, line);
    if (pp_span_eq(key, PP_STR("fork")))
        return take_fork(s->monitor, line);
    if (pp_span_eq(key, PP_STR("source")))
        return take_source(s, line);
    if (pp_span_eq(key, PP_STR("published")))
        return take_published(s, line);
    return PP_FAIL(PP_E_FORMAT, 0);
}

/* The next line and its first word, which has to be `want`. */
static pp_res take_named(struct pp_span *text, struct pp_span want, struct pp_span *ret)
{
    struct pp_span key;

    PP_CHECK(pp_text_cut(text, '\n', ret), PP_E_FORMAT, 0);
    PP_CHECK(pp_text_cut(ret, ' ', &key) && pp_span_eq(key, want), PP_E_FORMAT, 0);
    return PP_OK;
}

static pp_res take_tree(struct pp_monitor *m, struct pp_span *text)
{
    struct pp_span line, size;
    struct pp_merkle_hash root;

    PP_TRY(take_named(text, PP_STR("tree"), &line));
    PP_CHECK(pp_text_cut(&line, ' ', &size), PP_E_FORMAT, 0);
    PP_TRY(take_range(size, line, &m->tree));
    PP_TRY(take_named(text, PP_STR("last"), &line));
    PP_TRY(take_kept(m, line, &m->last));
    PP_TRY(take_named(text, PP_STR("before"), &line));
    PP_TRY(take_kept(m, line, &m->before));
    PP_CHECK((m->last.len > 0) == (m->tree.size > 0), PP_E_FORMAT, 0);
    if (m->tree.size == 0)
        return PP_OK;
    pp_merkle_range_root(&m->tree, &root);
    PP_CHECK(m->last.head.opened.checkpoint.size == m->tree.size &&
                 pp_merkle_same(&m->last.head.opened.checkpoint.root, &root),
             PP_E_PROOF, 0);
    return PP_OK;
}

pp_res pp_monitor_state_parse(struct pp_span text, struct pp_monitor_state *s)
{
    struct pp_span line, key;

    s->source_count = s->published_count = 0;
    PP_CHECK(text.len <= PP_MONITOR_STATE_BYTES_MAX, PP_E_LIMIT, text.len);
    PP_CHECK(pp_text_cut(&text, '\n', &line) && pp_span_eq(line, pp_span_cstr(HEAD)), PP_E_FORMAT,
             1);
    PP_TRY(take_named(&text, PP_STR("origin"), &line));
    PP_CHECK(pp_span_eq(line, s->monitor->config.origin), PP_E_LEDGER_ORIGIN, 0);
    PP_TRY(take_tree(s->monitor, &text));
    for (;;) {
        PP_CHECK(pp_text_cut(&text, '\n', &line), PP_E_FORMAT, 0);
        if (pp_span_eq(line, PP_STR("end")))
            break;
        PP_CHECK(pp_text_cut(&line, ' ', &key), PP_E_FORMAT, 0);
        PP_TRY(take_line(s, key, line));
    }
    PP_CHECK(text.len == 0, PP_E_TRAILING, text.len);
    return PP_OK;
}
