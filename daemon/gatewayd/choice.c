/* SPDX-License-Identifier: Apache-2.0 */
#include "choice.h"

#include <errno.h>
#include <unistd.h>

#include "ct.h"
#include "file.h"
#include "hash.h"
#include "rd.h"

enum { LINE_BYTES_MAX = 256 };

static const char LABEL[] = "pp-choice-v1"; /* its NUL is the separator */

/* --- chance --------------------------------------------------------------------------------- */

size_t gw_choice_draw(const uint8_t seed[GW_CHOICE_SEED_BYTES], uint64_t hour, uint64_t k, size_t n)
{
    uint8_t message[sizeof LABEL + 16], mac[PP_SHA256_BYTES];
    struct pp_wr wr = pp_wr_over(message, sizeof message);

    pp_wr_bytes(&wr, LABEL, sizeof LABEL);
    pp_wr_u64(&wr, hour);
    pp_wr_u64(&wr, k);
    pp_hmac_of(PP_SHA256, pp_span(seed, GW_CHOICE_SEED_BYTES), pp_wr_done(&wr), mac);
    struct pp_rd rd = pp_rd_over(mac, sizeof mac);
    return (size_t)(((unsigned __int128)pp_rd_u64(&rd) * n) >> 64);
}

/* The place of the set's `at`-th bit. */
static size_t nth_of(uint64_t set, size_t at)
{
    for (; at > 0; at--)
        set &= set - 1;
    return (size_t)__builtin_ctzll(set);
}

/* --- the record ----------------------------------------------------------------------------- */

static void write_line(struct gw_choice *c, struct pp_wr *wr)
{
    pp_wr_text(wr, "\n");
    if (c->fd < 0)
        return;
    if (!pp_is_ok(pp_wr_ok(wr)) || !pp_is_ok(pp_fd_write(c->fd, pp_wr_done(wr))))
        c->failed = 1;
}

static struct pp_wr begin_line(const struct gw_choice *c, char buf[LINE_BYTES_MAX],
                               const char *word)
{
    struct pp_wr wr = pp_wr_over(buf, LINE_BYTES_MAX);

    pp_wr_text(&wr, word);
    pp_wr_text(&wr, " ");
    pp_wr_decimal(&wr, c->hour);
    return wr;
}

static void record_number(struct pp_wr *wr, uint64_t v)
{
    pp_wr_text(wr, " ");
    pp_wr_decimal(wr, v);
}

static void record_hex(struct pp_wr *wr, struct pp_span bytes)
{
    pp_wr_text(wr, " ");
    pp_wr_hex(wr, bytes);
}

/* What binds the gateway to its seed before it is used. */
static void commit(struct gw_choice *c)
{
    uint8_t message[sizeof LABEL + 8 + GW_CHOICE_SEED_BYTES], digest[PP_SHA256_BYTES];
    struct pp_wr wr = pp_wr_over(message, sizeof message);
    char line[LINE_BYTES_MAX];

    pp_wr_bytes(&wr, LABEL, sizeof LABEL);
    pp_wr_u64(&wr, c->hour);
    pp_wr_bytes(&wr, c->seed_secret, sizeof c->seed_secret);
    pp_sha256(pp_wr_done(&wr), digest);
    pp_wipe(message, sizeof message);
    wr = begin_line(c, line, "begin");
    record_hex(&wr, PP_BYTES(digest));
    write_line(c, &wr);
}

/* The candidates from draw `c->draws` on, in their order, a line each behind the one that says how
 * many they are. */
static void record_set(struct gw_choice *c)
{
    char line[LINE_BYTES_MAX], text[PP_ADDRESS_TEXT_MAX];
    struct pp_wr wr = begin_line(c, line, "set");

    record_number(&wr, c->draws);
    record_number(&wr, (uint64_t)__builtin_popcountll(c->set));
    write_line(c, &wr);
    for (uint64_t left = c->set; left != 0; left &= left - 1) {
        pp_address_write(&c->addresses[__builtin_ctzll(left)], text);
        wr = begin_line(c, line, "cvm");
        pp_wr_text(&wr, " ");
        pp_wr_text(&wr, text);
        write_line(c, &wr);
    }
}

static void record_drawn(struct gw_choice *c, size_t i)
{
    char line[LINE_BYTES_MAX], text[PP_ADDRESS_TEXT_MAX];
    struct pp_wr wr = begin_line(c, line, "drawn");

    if (c->drawn[i] == 0)
        return;
    pp_address_write(&c->addresses[i], text);
    record_number(&wr, c->drawn[i]);
    pp_wr_text(&wr, " ");
    pp_wr_text(&wr, text);
    write_line(c, &wr);
}

static void record_end(struct gw_choice *c)
{
    char line[LINE_BYTES_MAX];
    struct pp_wr wr = begin_line(c, line, "end");

    record_number(&wr, c->draws);
    record_hex(&wr, PP_BYTES(c->seed_secret));
    write_line(c, &wr);
    for (size_t i = 0; i < GW_CVMS_MAX; i++)
        record_drawn(c, i);
}

/* --- hours ---------------------------------------------------------------------------------- */

static int is_under_way(const struct gw_choice *c)
{
    return c->hour != 0;
}

void gw_choice_done(struct gw_choice *c)
{
    if (is_under_way(c))
        record_end(c);
    pp_wipe(c->seed_secret, sizeof c->seed_secret);
    c->hour = 0;
}

pp_res gw_choice_turn(struct gw_choice *c, uint64_t now_s)
{
    uint64_t hour = now_s / GW_CHOICE_HOUR_S;
    uint8_t seed[GW_CHOICE_SEED_BYTES];

    if (is_under_way(c) && hour <= c->hour) /* a clock that is set back begins nothing again */
        return PP_OK;
    PP_TRY(pp_random_fill(&c->random, seed, sizeof seed));
    gw_choice_done(c);
    c->hour = hour;
    c->draws = 0;
    c->set = 0;
    memset(c->drawn, 0, sizeof c->drawn);
    memcpy(c->seed_secret, seed, sizeof seed);
    pp_wipe(seed, sizeof seed);
    commit(c);
    PP_CHECK(!c->failed, PP_E_STORE, 0);
    return PP_OK;
}

/* --- choosing ------------------------------------------------------------------------------- */

/* A place may have got another address since the hour began: the sum is then the former one's. */
static void take_set(struct gw_choice *c, const struct gw_cvms *cvms, uint64_t set)
{
    int changed = set != c->set;

    for (uint64_t left = set; left != 0; left &= left - 1) {
        size_t i = (size_t)__builtin_ctzll(left);
        const struct pp_address *a = gw_cvms_where(cvms, i);
        if (gw_address_eq(a, &c->addresses[i]))
            continue;
        changed = 1;
        record_drawn(c, i);
        c->drawn[i] = 0;
        c->addresses[i] = *a;
    }
    if (!changed)
        return;
    c->set = set;
    record_set(c);
}

pp_res gw_choose(struct gw_choice *c, const struct gw_cvms *cvms, uint64_t tried, size_t *ret_cvm)
{
    uint64_t set = gw_cvms_candidates(cvms);
    size_t n = (size_t)__builtin_popcountll(set);

    PP_CHECK((set & ~tried) != 0, PP_E_NO_CVM, n);
    take_set(c, cvms, set);
    for (size_t i = 0; i < GW_DRAWS_PER_CHOICE_MAX; i++) {
        size_t at = nth_of(set, gw_choice_draw(c->seed_secret, c->hour, c->draws, n));
        c->draws++;
        c->drawn[at]++;
        if (tried >> at & 1)
            continue;
        *ret_cvm = at;
        return PP_OK;
    }
    return PP_FAIL(PP_E_NO_CVM, n);
}
