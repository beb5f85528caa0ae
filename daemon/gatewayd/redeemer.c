/* SPDX-License-Identifier: Apache-2.0 */
#include "redeemer.h"

/* --- one batch ------------------------------------------------------------------------------ */

_Static_assert((int)GW_BATCH_MAX <= (int)PP_SPENT_BATCH_MAX, "a batch is one transaction");

/* Checks each token; `ret_items` gets the good ones, `ret_at` their places. */
static size_t check(const struct gw_redeemer *r, const struct gw_frame *asked, size_t count,
                    pp_res *results, struct pp_spent_item *ret_items, size_t *ret_at)
{
    uint64_t now_s = pp_clock_posix_s(&r->clock);
    size_t good = 0;

    for (size_t i = 0; i < count; i++) {
        struct pp_cred_redeemed token;
        results[i] = pp_cred_redeem_check(r->epochs, r->epoch_count, now_s, asked[i].bytes, &token);
        if (!pp_is_ok(results[i]))
            continue;
        ret_items[good].day = token.day;
        memcpy(ret_items[good].key, token.spend_key, PP_SPEND_KEY_BYTES);
        ret_items[good].result = PP_FAIL(PP_E_STORE, 0);
        ret_at[good++] = i;
    }
    return good;
}

static pp_res work(void *ctx, struct gw_desk *desk, const struct gw_frame *asked, size_t count)
{
    const struct gw_redeemer *r = (const struct gw_redeemer *)ctx;
    struct pp_spent_item items[GW_BATCH_MAX];
    pp_res results[GW_BATCH_MAX];
    size_t at[GW_BATCH_MAX];
    size_t good = check(r, asked, count, results, items, at);

    if (good > 0)
        pp_ignore(pp_spent_insert_many(r->spent, items, good), "every item has its own result");
    for (size_t i = 0; i < good; i++)
        results[at[i]] = items[i].result;
    for (size_t i = 0; i < count; i++) {
        uint8_t code[GW_REDEEMED_BYTES];
        struct pp_wr wr = pp_wr_over(code, sizeof code);
        pp_wr_u32(&wr, results[i].code);
        gw_frame_write(&desk->wr, asked[i].tag, pp_wr_done(&wr));
    }
    return pp_wr_ok(&desk->wr);
}

/* --- keys, as time goes by ------------------------------------------------------------------ */

static pp_res set_epochs(struct gw_redeemer *r)
{
    r->epoch_count = 0;
    for (size_t i = 0; i < r->keys.count; i++) {
        const struct pp_token_key *k = &r->keys.list[i];
        PP_TRY(pp_cred_epoch_init(&r->epochs[i], &k->key, k->day, r->issuer, r->authority));
        r->epoch_count++;
    }
    return PP_OK;
}

static void destroy(const struct gw_redeemer *r, struct gw_desk *desk, uint64_t now_s)
{
    size_t count = 0;
    pp_res res = pp_token_keys_destroy(r->folder, now_s, &count);

    if (!pp_is_ok(res))
        pp_ev_keys_not_destroyed(&desk->events, PP_PARTY_GATEWAY, res.code);
    if (count > 0)
        pp_ev_keys_destroyed(&desk->events, PP_PARTY_GATEWAY, count);
}

/* What the folder holds now; where it cannot be read as a whole, the former keys stay. */
static pp_res look(struct gw_redeemer *r, struct gw_desk *desk, struct pp_problem *problem)
{
    static struct pp_token_keys fresh; /* in place of r->keys, which the epochs point to */
    uint64_t now_s = pp_clock_posix_s(&r->clock);
    size_t before = r->keys.count;

    if (r->folder == NULL)
        return PP_OK;
    destroy(r, desk, now_s);
    fresh = (struct pp_token_keys){ 0 };
    PP_TRY(pp_token_keys_load(r->folder, now_s, problem, &fresh));
    r->epoch_count = 0;
    pp_token_keys_done(&r->keys);
    r->keys = fresh;
    PP_TRY(set_epochs(r));
    if (r->keys.count != before)
        pp_ev_gw_token_keys(&desk->events, r->keys.count);
    return PP_OK;
}

/* --- the process ---------------------------------------------------------------------------- */

static pp_res start(void *ctx, struct gw_desk *desk, struct pp_problem *problem)
{
    struct gw_redeemer *r = (struct gw_redeemer *)ctx;

    PP_TRY(pp_spent_open(r->store, problem, &r->spent));
    return look(r, desk, problem);
}

static void turn(void *ctx, struct gw_desk *desk)
{
    struct gw_redeemer *r = (struct gw_redeemer *)ctx;
    pp_res res = look(r, desk, NULL);

    if (!pp_is_ok(res))
        pp_ev_gw_keys_failed(&desk->events, res.code);
    pp_ignore(pp_spent_retire(r->spent, pp_spent_first_day(pp_clock_posix_s(&r->clock))),
              "dead epochs cost room and nothing else; it is asked again");
}

struct gw_process gw_redeemer_process(struct gw_redeemer *r)
{
    return (struct gw_process){
        .name = "pp-gw-redeemer", .start = start, .work = work, .turn = turn, .ctx = r
    };
}

void gw_redeemer_done(struct gw_redeemer *r)
{
    pp_spent_close(r->spent);
    pp_token_keys_done(&r->keys);
    *r = (struct gw_redeemer){ 0 };
}
