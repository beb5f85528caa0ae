/* SPDX-License-Identifier: Apache-2.0 */
#include "host_list.h"

#include "record_int.h"

enum { TURIN_ID_BYTES = 8, TDX_ID_BYTES_MIN = 16 };

static const char *const PRODUCTS[PP_HOST_PRODUCTS] = { "genoa", "tdx", "turin" };
static const char *const PLATFORMS[] = { "snp", "tdx" }; /* in the order of their numbers */
static const struct pp_span LIST_TYPE = { (const uint8_t *)"host-list/v1", 12 };

const char *pp_host_product_name(enum pp_host_product product)
{
    PP_ASSERT(product < PP_HOST_PRODUCTS);
    return PRODUCTS[product];
}

pp_res pp_host_product_parse(struct pp_span word, enum pp_host_product *ret)
{
    unsigned i;

    PP_TRY(pp_rec_find(word, PRODUCTS, PP_HOST_PRODUCTS, &i));
    *ret = (enum pp_host_product)i;
    return PP_OK;
}

static enum pp_host_platform platform_of(enum pp_host_product product)
{
    return product == PP_HOST_TDX_LINE ? PP_HOST_TDX : PP_HOST_SNP;
}

static int is_zero(struct pp_span s)
{
    uint8_t all = 0;

    for (size_t i = 0; i < s.len; i++)
        all |= s.at[i];
    return all == 0;
}

pp_res pp_host_row_id(enum pp_host_product product, struct pp_span id, struct pp_host *ret)
{
    const size_t whole = product == PP_HOST_TURIN ? TURIN_ID_BYTES : PP_HOST_ID_BYTES;

    PP_CHECK(product < PP_HOST_PRODUCTS, PP_E_RANGE, product);
    PP_CHECK(id.len <= PP_HOST_ID_BYTES && !is_zero(id), PP_E_RANGE, id.len);
    if (product == PP_HOST_TDX_LINE)
        PP_CHECK(id.len >= TDX_ID_BYTES_MIN, PP_E_RANGE, id.len);
    else
        PP_CHECK(id.len == whole || id.len == PP_HOST_ID_BYTES, PP_E_RANGE, id.len);
    if (product == PP_HOST_TURIN)
        PP_CHECK(is_zero(pp_span(id.at + whole, id.len - whole)), PP_E_RANGE, id.len);
    return pp_host_make(platform_of(product), id, ret);
}

/* --- reading ------------------------------------------------------------------------------- */

static struct pp_span read_word(struct pp_rec_rd *rd, const char *key)
{
    pp_rec_take(rd, key);
    struct pp_span word = pp_rec_word(rd);
    pp_rec_done(rd);
    return word;
}

static void read_head(struct pp_rec_rd *rd, struct pp_host_list *l)
{
    struct pp_span type = read_word(rd, "type");

    pp_rec_require(rd, pp_span_eq(type, LIST_TYPE), PP_E_UNSUPPORTED);
    l->ledger = read_word(rd, "ledger");
    l->name_space = read_word(rd, "namespace");
    struct pp_span environment = read_word(rd, "environment");
    pp_rec_require(rd, pp_is_ok(pp_record_env_parse(environment, &l->environment)), PP_E_RANGE);
    pp_rec_take(rd, "serial");
    l->serial = pp_rec_number(rd, 1, PP_RECORD_NUMBER_MAX);
    pp_rec_done(rd);
    pp_rec_take(rd, "not-after");
    l->not_after = pp_rec_time(rd);
    pp_rec_done(rd);
    l->where = read_word(rd, "where");
}

static void read_row(struct pp_rec_rd *rd, enum pp_host_platform platform, struct pp_host_row *ret)
{
    uint8_t id[PP_HOST_ID_BYTES];
    struct pp_host_row row = { 0 };

    pp_rec_take(rd, PLATFORMS[platform - PP_HOST_SNP]);
    pp_rec_hex(rd, id, sizeof id);
    row.product = (enum pp_host_product)pp_rec_choice(rd, PRODUCTS, PP_HOST_PRODUCTS);
    pp_rec_sha256(rd, row.custody);
    row.from = pp_rec_time(rd);
    row.until = pp_rec_time(rd);
    if (pp_rec_has_word(rd)) {
        row.note = pp_rec_word(rd);
        pp_rec_require(rd, row.note.len <= PP_HOST_NOTE_MAX, PP_E_LIMIT);
    }
    pp_rec_done(rd);
    pp_rec_require(rd, platform_of(row.product) == platform, PP_E_MISMATCH);
    pp_rec_require(rd, row.from < row.until, PP_E_LEDGER_WINDOW);
    if (pp_is_ok(rd->r) && !pp_is_ok(pp_host_row_id(row.product, PP_BYTES(id), &row.host)))
        pp_rec_fail(rd, PP_E_RANGE);
    *ret = row;
}

pp_res pp_host_list_read(struct pp_span text, struct pp_host_list *ret,
                         pp_res (*each)(void *ctx, const struct pp_host_row *row), void *ctx)
{
    struct pp_rec_rd rd = pp_rec_rd_upto(text, PP_HOST_LIST_BYTES_MAX);
    struct pp_host_list l = { 0 };
    struct pp_host_row row, before = { 0 };

    read_head(&rd, &l);
    for (enum pp_host_platform p = PP_HOST_SNP; p <= PP_HOST_TDX; p++)
        while (pp_rec_is(&rd, PLATFORMS[p - PP_HOST_SNP])) {
            read_row(&rd, p, &row);
            /* Lines that differ behind the id only are one machine, twice. */
            pp_rec_require(&rd, memcmp(row.host.entry, before.host.entry, PP_HOST_ENTRY_BYTES) != 0,
                           PP_E_DUPLICATE);
            pp_rec_require(&rd, l.count < PP_HOST_SET_MAX, PP_E_LIMIT);
            PP_TRY(rd.r);
            l.count++;
            before = row;
            if (each != NULL)
                PP_TRY(each(ctx, &row));
        }
    PP_TRY(pp_rec_rd_end(&rd));
    *ret = l;
    return PP_OK;
}

/* --- writing ------------------------------------------------------------------------------- */

static void write_word(struct pp_wr *wr, const char *key, struct pp_span word)
{
    pp_rec_wr_key(wr, key);
    pp_rec_wr_word(wr, word);
    pp_rec_wr_end(wr);
}

static void write_number(struct pp_wr *wr, const char *key, uint64_t v)
{
    pp_rec_wr_key(wr, key);
    pp_rec_wr_number(wr, v);
    pp_rec_wr_end(wr);
}

void pp_host_list_write(struct pp_wr *wr, const struct pp_host_list *head)
{
    write_word(wr, "type", LIST_TYPE);
    write_word(wr, "ledger", head->ledger);
    write_word(wr, "namespace", head->name_space);
    write_word(wr, "environment", pp_span_cstr(pp_record_env_name(head->environment)));
    write_number(wr, "serial", head->serial);
    write_number(wr, "not-after", head->not_after);
    write_word(wr, "where", head->where);
}

void pp_host_row_write(struct pp_wr *wr, const struct pp_host_row *row)
{
    pp_rec_wr_key(wr, PLATFORMS[platform_of(row->product) - PP_HOST_SNP]);
    pp_rec_wr_hex(wr, row->host.entry + 1, PP_HOST_ID_BYTES);
    pp_rec_wr_text(wr, pp_host_product_name(row->product));
    pp_rec_wr_sha256(wr, row->custody);
    pp_rec_wr_number(wr, row->from);
    pp_rec_wr_number(wr, row->until);
    if (row->note.len > 0)
        pp_rec_wr_word(wr, row->note);
    pp_rec_wr_end(wr);
}

/* --- the record ---------------------------------------------------------------------------- */

struct tree {
    struct pp_merkle_range range;
    uint64_t time;
    uint32_t row;
};

static pp_res add_leaf(void *ctx, const struct pp_host_row *row)
{
    struct tree *t = (struct tree *)ctx;
    struct pp_merkle_hash leaf;

    t->row++;
    PP_CHECK(row->until > t->time, PP_E_LEDGER_WINDOW, t->row);
    pp_merkle_leaf(PP_BYTES(row->host.entry), &leaf);
    return pp_merkle_append(&t->range, &leaf, NULL);
}

pp_res pp_host_list_record(struct pp_span text, uint64_t time, struct pp_record *ret)
{
    struct tree t = { .time = time };
    struct pp_host_list l;
    struct pp_record r = { .type = PP_RECORD_HOST_SET, .time = time };

    PP_TRY(pp_host_list_read(text, &l, add_leaf, &t));
    PP_CHECK(l.count > 0, PP_E_MISSING, 0);
    r.ledger = l.ledger;
    r.name_space = l.name_space;
    r.environment = l.environment;
    r.serial = l.serial;
    r.host_set.not_after = l.not_after;
    r.host_set.count = l.count;
    r.host_set.where = l.where;
    pp_merkle_range_root(&t.range, &r.host_set.root);
    pp_sha256(text, r.host_set.list);
    *ret = r;
    return PP_OK;
}

pp_res pp_host_list_check(struct pp_span list, const struct pp_record *r)
{
    const struct pp_host_set *s = &r->host_set;
    struct pp_record want;

    PP_CHECK(r->type == PP_RECORD_HOST_SET, PP_E_MISMATCH, 1);
    PP_TRY(pp_host_list_record(list, r->time, &want));
    PP_CHECK(pp_span_eq(r->ledger, want.ledger), PP_E_MISMATCH, 2);
    PP_CHECK(pp_span_eq(r->name_space, want.name_space), PP_E_MISMATCH, 3);
    PP_CHECK(r->environment == want.environment, PP_E_MISMATCH, 4);
    PP_CHECK(r->serial == want.serial, PP_E_MISMATCH, 5);
    PP_CHECK(s->not_after == want.host_set.not_after, PP_E_MISMATCH, 7);
    PP_CHECK(s->count == want.host_set.count, PP_E_MISMATCH, 8);
    PP_CHECK(memcmp(&s->root, &want.host_set.root, sizeof s->root) == 0, PP_E_MISMATCH, 9);
    PP_CHECK(memcmp(s->list, want.host_set.list, sizeof s->list) == 0, PP_E_MISMATCH, 10);
    PP_CHECK(pp_span_eq(s->where, want.host_set.where), PP_E_MISMATCH, 10);
    return PP_OK;
}
