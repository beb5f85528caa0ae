/* SPDX-License-Identifier: Apache-2.0 */
#include "tile.h"

#include "text.h"

static void write_three(struct pp_wr *wr, uint64_t v)
{
    pp_wr_u8(wr, (uint8_t)('0' + v / 100 % 10));
    pp_wr_u8(wr, (uint8_t)('0' + v / 10 % 10));
    pp_wr_u8(wr, (uint8_t)('0' + v % 10));
}

static void write_index(struct pp_wr *wr, uint64_t n)
{
    uint64_t unit = 1;

    while (n / unit >= 1000)
        unit *= 1000;
    for (; unit > 1; unit /= 1000) {
        pp_wr_u8(wr, 'x');
        write_three(wr, n / unit % 1000);
        pp_wr_u8(wr, '/');
    }
    write_three(wr, n % 1000);
}

void pp_tile_path_write(struct pp_wr *wr, const struct pp_tile *t)
{
    PP_ASSERT(t->width >= 1 && t->width <= PP_TILE_WIDTH && t->level <= PP_TILE_LEVEL_MAX);
    pp_wr_text(wr, "tile/");
    if (t->entries)
        pp_wr_text(wr, "entries");
    else
        pp_wr_decimal(wr, t->level);
    pp_wr_u8(wr, '/');
    write_index(wr, t->index);
    if (t->width < PP_TILE_WIDTH) {
        pp_wr_text(wr, ".p/");
        pp_wr_decimal(wr, t->width);
    }
}

static pp_res read_three(struct pp_span text, uint64_t *n)
{
    PP_CHECK(text.len == 3, PP_E_FORMAT, text.len);
    for (size_t i = 0; i < 3; i++) {
        PP_CHECK(text.at[i] >= '0' && text.at[i] <= '9', PP_E_FORMAT, i);
        *n = *n * 10 + (uint64_t)(text.at[i] - '0');
    }
    return PP_OK;
}

/* Groups of three digits, all but the last behind an 'x'; the first one may not be empty of
 * value. */
static pp_res read_index(struct pp_span text, uint64_t *ret)
{
    struct pp_span group;
    uint64_t n = 0;
    int first = 1;

    while (pp_text_cut(&text, '/', &group)) {
        PP_CHECK(group.len == 4 && group.at[0] == 'x', PP_E_FORMAT, group.len);
        PP_CHECK(n <= PP_TILE_INDEX_MAX / 1000, PP_E_RANGE, 0);
        PP_TRY(read_three(pp_span(group.at + 1, 3), &n));
        PP_CHECK(!first || n > 0, PP_E_ENCODING, 0);
        first = 0;
    }
    PP_CHECK(n <= PP_TILE_INDEX_MAX / 1000, PP_E_RANGE, 0);
    PP_TRY(read_three(group, &n));
    PP_CHECK(n <= PP_TILE_INDEX_MAX, PP_E_RANGE, 0);
    *ret = n;
    return PP_OK;
}

pp_res pp_tile_path_parse(struct pp_span path, struct pp_tile *ret)
{
    struct pp_tile t = { .width = PP_TILE_WIDTH };
    struct pp_span part;
    uint64_t number;

    PP_CHECK(pp_text_cut(&path, '/', &part), PP_E_FORMAT, 0);
    PP_CHECK(pp_span_eq(part, PP_STR("tile")), PP_E_FORMAT, 0);
    PP_CHECK(pp_text_cut(&path, '/', &part), PP_E_FORMAT, 0);
    if (pp_span_eq(part, PP_STR("entries"))) {
        t.entries = 1;
    } else {
        PP_TRY(pp_decimal_parse(part, PP_TILE_LEVEL_MAX, &number));
        t.level = (unsigned)number;
    }
    struct pp_span index = path;
    for (size_t i = 0; i + 3 <= path.len; i++) {
        if (memcmp(path.at + i, ".p/", 3) != 0)
            continue;
        index = pp_span(path.at, i);
        PP_TRY(pp_decimal_parse(pp_span(path.at + i + 3, path.len - i - 3), PP_TILE_WIDTH - 1,
                                &number));
        PP_CHECK(number > 0, PP_E_RANGE, 0);
        t.width = (unsigned)number;
        break;
    }
    PP_TRY(read_index(index, &t.index));
    *ret = t;
    return PP_OK;
}

uint64_t pp_tile_hashes(uint64_t size, unsigned level)
{
    return level >= 8 ? 0 : size >> (8 * level);
}

int pp_tile_of(uint64_t size, unsigned level, uint64_t index, struct pp_tile *ret)
{
    uint64_t hashes = pp_tile_hashes(size, level);

    if (index > hashes / PP_TILE_WIDTH || hashes - index * PP_TILE_WIDTH == 0)
        return 0;
    uint64_t left = hashes - index * PP_TILE_WIDTH;
    *ret = (struct pp_tile){
        .level = level,
        .index = index,
        .width = left < PP_TILE_WIDTH ? (unsigned)left : PP_TILE_WIDTH,
    };
    return 1;
}

int pp_tile_next(struct pp_tile_iter *it, struct pp_tile *ret)
{
    for (; pp_tile_hashes(it->size, it->level) > 0; it->level++, it->index = 0)
        if (pp_tile_of(it->size, it->level, it->index, ret)) {
            it->index++;
            return 1;
        }
    return 0;
}

struct pp_tile_place pp_tile_place(unsigned node_level, uint64_t node_index)
{
    unsigned inside = node_level % 8;
    uint64_t first = node_index << inside;

    return (struct pp_tile_place){
        .level = node_level / 8,
        .index = first / PP_TILE_WIDTH,
        .offset = (unsigned)(first % PP_TILE_WIDTH),
        .count = 1U << inside,
    };
}

/* The root of `count` (a power of two, at most 128) neighbouring hashes of a tile. */
static void tile_root(const uint8_t *hashes, unsigned count, struct pp_merkle_hash *ret)
{
    struct pp_merkle_range r = { 0 };

    for (unsigned i = 0; i < count; i++) {
        struct pp_merkle_hash h;
        memcpy(h.bytes, hashes + (size_t)i * sizeof h.bytes, sizeof h.bytes);
        PP_ASSERT(pp_is_ok(pp_merkle_append(&r, &h, NULL)));
    }
    pp_merkle_range_root(&r, ret);
}

static pp_res read_node(void *ctx, unsigned level, uint64_t index, struct pp_merkle_hash *ret)
{
    struct pp_tile_tree *t = ctx;
    struct pp_tile_place place = pp_tile_place(level, index);
    struct pp_tile tile;

    PP_CHECK(pp_tile_of(t->size, place.level, place.index, &tile), PP_E_RANGE, level);
    PP_CHECK(place.offset + place.count <= tile.width, PP_E_RANGE, level);
    if (t->held.width == 0 || t->held.level != tile.level || t->held.index != tile.index) {
        t->held = (struct pp_tile){ 0 };
        PP_TRY(t->source.read(t->source.ctx, &tile, t->bytes));
        t->held = tile;
    }
    tile_root(t->bytes + (size_t)place.offset * PP_SHA256_BYTES, place.count, ret);
    return PP_OK;
}

struct pp_merkle_nodes pp_tile_nodes(struct pp_tile_tree *t)
{
    return (struct pp_merkle_nodes){ .read = read_node, .ctx = t };
}

pp_res pp_entries_parse(struct pp_span bytes, unsigned width, struct pp_span ret[PP_TILE_WIDTH])
{
    struct pp_rd check = pp_rd_span(bytes);
    struct pp_rd rd = check;

    PP_CHECK(width >= 1 && width <= PP_TILE_WIDTH, PP_E_RANGE, width);
    for (unsigned i = 0; i < width; i++)
        (void)pp_rd_bytes(&check, pp_rd_u16(&check));
    PP_TRY(pp_rd_end(&check));
    for (unsigned i = 0; i < width; i++)
        ret[i] = pp_rd_bytes(&rd, pp_rd_u16(&rd));
    return PP_OK;
}

void pp_entries_write(struct pp_wr *wr, struct pp_span entry)
{
    size_t mark = pp_wr_block16_begin(wr);

    pp_wr_span(wr, entry);
    pp_wr_block16_end(wr, mark);
}
