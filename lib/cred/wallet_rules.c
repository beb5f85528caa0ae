/* SPDX-License-Identifier: Apache-2.0 */
#include "wallet_rules.h"

pp_res pp_wallet_policy_init(struct pp_wallet_policy *p, int dev, uint64_t batches)
{
    PP_CHECK(batches >= 1 && batches <= PP_WALLET_BATCHES_MAX, PP_E_RANGE, batches);
    *p = (struct pp_wallet_policy){
        .batches = (uint32_t)batches,
        .age_s = dev ? 0 : PP_WALLET_AGE_SECONDS,
        .immediate = dev ? 1 : 0,
    };
    return PP_OK;
}

struct pp_wallet_days pp_wallet_days(uint64_t now_s)
{
    uint64_t day = now_s / PP_EPOCH_SECONDS;
    uint64_t into = now_s % PP_EPOCH_SECONDS;
    struct pp_wallet_days d = { .today = (uint32_t)day };

    if (into < PP_EPOCH_SLACK_SECONDS && day > 0) {
        d.neighbour = (uint32_t)(day - 1);
        d.has_neighbour = 1;
    } else if (into >= PP_EPOCH_SECONDS - PP_EPOCH_SLACK_SECONDS) {
        d.neighbour = (uint32_t)(day + 1);
        d.has_neighbour = 1;
    }
    return d;
}

pp_res pp_wallet_choose_day(const struct pp_wallet_days *d, int today_ready, int neighbour_ready,
                            const struct pp_random *random, uint32_t *ret_day)
{
    uint64_t coin = 0;

    /*
     * A neighbour alone is not taken: a device that holds tomorrow's tokens and none of today's
     * would stand out by using them early.
     */
    PP_CHECK(today_ready, PP_E_NO_TOKENS, d->today);
    if (d->has_neighbour && neighbour_ready)
        PP_TRY(pp_random_below(random, 2, &coin));
    *ret_day = coin == 1 ? d->neighbour : d->today;
    return PP_OK;
}

int pp_wallet_epoch_is_dead(uint32_t day, uint64_t now_s)
{
    uint64_t end = ((uint64_t)day + 1) * PP_EPOCH_SECONDS;

    return now_s >= end + PP_EPOCH_SLACK_SECONDS;
}

uint64_t pp_wallet_usable_from(const struct pp_wallet_policy *p, uint64_t received_s)
{
    return received_s + p->age_s;
}

pp_res pp_wallet_fetch_moment(const struct pp_wallet_policy *p, const struct pp_wallet_window *w,
                              uint64_t now_s, int first_ever, const struct pp_random *random,
                              uint64_t *ret_at_s)
{
    uint64_t from = now_s > w->issue_from_s ? now_s : w->issue_from_s;
    uint64_t use_from = (uint64_t)w->day * PP_EPOCH_SECONDS;
    uint64_t until = w->issue_until_s;
    uint64_t offset = 0;

    PP_CHECK(from < until, PP_E_RANGE, w->day);
    if (first_ever) {
        if (until - from > PP_WALLET_FIRST_FETCH_SECONDS)
            until = from + PP_WALLET_FIRST_FETCH_SECONDS;
    } else if (from < use_from && use_from < until) {
        /* Over the whole window half of all devices would begin the day without a token. */
        until = use_from;
    }
    if (!p->immediate)
        PP_TRY(pp_random_below(random, until - from, &offset));
    *ret_at_s = from + offset;
    return PP_OK;
}
