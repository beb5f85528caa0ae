/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sizes.h"

enum {
    USES_MAX = 64, /* of a person and day */
    BUNDLES_MAX = USES_MAX + 4,
    BUNDLE_WINDOW_S = 21600,
    HOLD_SECONDS = 240, /* that a device stays in the hand */
    EDGE_SECONDS = 180, /* around midnight */
    SKEW_SECONDS = 240,
    ENC_BYTES = 32,
};

const char *const PROTECTION_NAMES[PROTECTIONS + 1] = {
    "fetches on a schedule",
    "fetches in the background",
    "minimum age",
    "epoch coin",
    "random draw",
    "one token key",
    "one OHTTP key",
    "padding to buckets",
    "random CVM",
    "bundles on a schedule",
    "nothing",
};

/* --- chance ----------------------------------------------------------------------------------- */

/* SplitMix64: the same numbers for the same seed on every machine; nothing here is secret. */
static uint64_t next_word(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static pp_res fill(void *ctx, uint8_t *ret, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        uint64_t word = next_word(ctx);
        memcpy(ret + i, &word, len - i < 8 ? len - i : 8);
    }
    return PP_OK;
}

pp_res world_below(struct world *w, uint64_t bound, uint64_t *ret)
{
    return pp_random_below(&w->random, bound, ret);
}

static double between_0_and_1(struct world *w)
{
    return ((double)(next_word(&w->random_state) >> 11) + 0.5) / 9007199254740992.0;
}

static double exponential(struct world *w, double mean)
{
    return -mean * log(between_0_and_1(w));
}

/* --- people ----------------------------------------------------------------------------------- */

static pp_res shuffle(struct world *w, uint8_t order[RESERVE])
{
    for (uint8_t i = 0; i < RESERVE; i++)
        order[i] = i;
    for (uint64_t i = RESERVE - 1; i > 0 && world_has(w, RANDOM_DRAW); i--) {
        uint64_t k;
        PP_TRY(world_below(w, i + 1, &k));
        uint8_t held = order[i];
        order[i] = order[k];
        order[k] = held;
    }
    return PP_OK;
}

static pp_res make_person(struct world *w, struct person *p)
{
    static const double habits[] = { 1, 2, 4, 8 };
    uint64_t habit, fast;

    PP_TRY(world_below(w, 4, &habit));
    PP_TRY(world_below(w, 2, &fast));
    *p = (struct person){ .uses_a_day = habits[habit] };
    if (w->settings.scene == BOUNDARY)
        p->skew_s = fast ? SKEW_SECONDS : -SKEW_SECONDS;
    p->typical_bytes = (uint64_t)exponential(w, 6000);
    PP_TRY(world_below(w, CVMS, &p->cvm));
    PP_TRY(shuffle(w, p->order[0]));
    return shuffle(w, p->order[1]);
}

/* --- fetching --------------------------------------------------------------------------------- */

static void fetch(struct world *w, uint32_t who, size_t which, uint64_t at_s)
{
    w->people[who].fetched_s[which] = at_s;
    w->fetches[w->fetch_count++] =
        (struct visit){ .person = who, .at_s = at_s, .day = DAY + (uint32_t)which };
}

/* The drawn moment of an epoch's batch, by the device's rules and from when its key is known. */
static pp_res plan(struct world *w, size_t which, uint64_t known_s, int first_ever, uint64_t *ret)
{
    const uint64_t day = MIDNIGHT + which * PP_EPOCH_SECONDS;
    const struct pp_wallet_window window = { .day = DAY + (uint32_t)which,
                                             .issue_from_s = day - PP_EPOCH_SECONDS,
                                             .issue_until_s = day + PP_EPOCH_SECONDS - 3600 };

    return pp_wallet_fetch_moment(&w->policy, &window, known_s, first_ever, &w->random, ret);
}

/* --- using ------------------------------------------------------------------------------------ */

static int is_rested(const struct world *w, const struct person *p, uint32_t day, uint64_t now_s)
{
    if (day < DAY || day > DAY + 1 || p->fetched_s[day - DAY] == 0)
        return 0;
    return p->spent[day - DAY] < RESERVE &&
           pp_wallet_usable_from(&w->policy, p->fetched_s[day - DAY]) <= now_s;
}

static uint64_t wire_size(const struct world *w, uint64_t content_bytes)
{
    size_t kib = PP_BUCKET_2_UP_KIB_MAX;

    if (!world_has(w, BUCKETS))
        return content_bytes;
    pp_ignore(pp_request_bucket(content_bytes, ENC_BYTES, ENC_BYTES, &kib),
              "longer chats are cut to the largest bucket");
    return kib;
}

static pp_res record(struct world *w, uint32_t who, uint64_t at_s, uint32_t day)
{
    struct person *p = &w->people[who];
    struct use u = { .person = who, .at_s = at_s, .day = day, .cvm = p->cvm };

    u.place = p->order[day - DAY][p->spent[day - DAY]++];
    u.content_bytes = p->typical_bytes / 2 + (uint64_t)exponential(w, 500);
    u.wire_bytes = wire_size(w, u.content_bytes);
    u.token_key = world_has(w, TOKEN_KEY) ? 0 : who + 1;
    u.ohttp_key = world_has(w, OHTTP_KEY) ? 0 : who + 1;
    size_t cvm = p->cvm;
    if (world_has(w, RANDOM_CVM))
        cvm = gw_choice_draw(w->choice_seed, at_s / GW_CHOICE_HOUR_S, w->use_count, CVMS);
    u.cvm = cvm;
    w->uses[w->use_count++] = u;
    return PP_OK;
}

/* Somebody taps. Without a token the device says so, and that is all that happens. */
static pp_res use(struct world *w, uint32_t who, uint64_t at_s)
{
    struct person *p = &w->people[who];
    const uint64_t now_s = (uint64_t)((int64_t)at_s + p->skew_s);
    struct pp_wallet_days days = pp_wallet_days(now_s);
    uint32_t day = 0;

    if (!world_has(w, BUNDLES))
        w->bundles[w->bundle_count++] = (struct visit){ .person = who, .at_s = at_s };
    if (!world_has(w, COIN))
        days.has_neighbour = 0;
    pp_res r = pp_wallet_choose_day(&days, is_rested(w, p, days.today, now_s),
                                    days.has_neighbour && is_rested(w, p, days.neighbour, now_s),
                                    &w->random, &day);
    if (r.code != PP_E_NO_TOKENS) {
        PP_TRY(r);
        return record(w, who, at_s, day);
    }
    if (world_has(w, SCHEDULE) || days.today != DAY || p->fetched_s[0] != 0)
        return PP_OK;
    /* A careless client fetches now, waits until the tokens have rested, and goes on. */
    fetch(w, who, 0, at_s);
    return record(w, who, pp_wallet_usable_from(&w->policy, at_s) + 2, DAY);
}

/* --- scenes ----------------------------------------------------------------------------------- */

/* A whole day of somebody who had the app the day before. */
static pp_res live_everyday(struct world *w, uint32_t who)
{
    const struct person *p = &w->people[who];
    double at = (double)MIDNIGHT;
    uint64_t planned[2];

    PP_TRY(plan(w, 0, MIDNIGHT - PP_EPOCH_SECONDS, 0, &planned[0]));
    PP_TRY(plan(w, 1, MIDNIGHT, 0, &planned[1]));
    if (world_has(w, SCHEDULE) && world_has(w, BACKGROUND))
        for (size_t i = 0; i < 2; i++)
            fetch(w, who, i, planned[i]);
    for (int i = 0; i < USES_MAX; i++) {
        at += exponential(w, PP_EPOCH_SECONDS / p->uses_a_day);
        const uint64_t now_s = (uint64_t)at;
        if (now_s >= MIDNIGHT + PP_EPOCH_SECONDS - PP_EPOCH_SLACK_SECONDS)
            return PP_OK;
        for (size_t k = 0; k < 2; k++)
            if (!world_has(w, BACKGROUND) && p->fetched_s[k] == 0 && planned[k] <= now_s)
                fetch(w, who, k, now_s);
        PP_TRY(use(w, who, now_s));
    }
    return PP_OK;
}

/*
 * Taken up now and then for a few minutes; what is due is fetched at the beginning of them, and at
 * some moment of them somebody wants to use it. Moments of taking up know nothing of each other.
 */
static pp_res live_in_hand(struct world *w, uint32_t who)
{
    const uint64_t end_s = MIDNIGHT + PP_EPOCH_SECONDS - PP_EPOCH_SLACK_SECONDS;
    double at = (double)MIDNIGHT + PP_EPOCH_SLACK_SECONDS;
    uint64_t planned, offset;

    PP_TRY(world_below(w, 36000, &offset)); /* installed in the first ten hours */
    at += (double)offset;
    PP_TRY(plan(w, 0, (uint64_t)at, 1, &planned));
    for (int i = 0; i < RESERVE; i++) {
        at += exponential(w, 3600);
        const uint64_t taken_s = (uint64_t)at;
        PP_TRY(world_below(w, HOLD_SECONDS, &offset));
        if (taken_s + HOLD_SECONDS >= end_s)
            return PP_OK;
        if (w->people[who].fetched_s[0] == 0 && planned <= taken_s)
            fetch(w, who, 0, taken_s);
        PP_TRY(use(w, who, taken_s + offset));
    }
    return PP_OK;
}

/* One use in the minutes around midnight, with rested tokens of both days. */
static pp_res live_at_the_boundary(struct world *w, uint32_t who)
{
    uint64_t offset;

    fetch(w, who, 0, MIDNIGHT - PP_EPOCH_SECONDS / 2);
    fetch(w, who, 1, MIDNIGHT + PP_EPOCH_SECONDS / 2);
    PP_TRY(world_below(w, 2 * EDGE_SECONDS, &offset));
    return use(w, who, MIDNIGHT + PP_EPOCH_SECONDS - EDGE_SECONDS + offset);
}

static pp_res fetch_bundles(struct world *w, uint32_t who)
{
    for (uint64_t from = 0; from < PP_EPOCH_SECONDS && world_has(w, BUNDLES);
         from += BUNDLE_WINDOW_S) {
        uint64_t offset;
        PP_TRY(world_below(w, BUNDLE_WINDOW_S, &offset));
        w->bundles[w->bundle_count++] = (struct visit){ .person = who,
                                                        .at_s = MIDNIGHT + from + offset };
    }
    return PP_OK;
}

static pp_res live(struct world *w, uint32_t who)
{
    PP_TRY(make_person(w, &w->people[who]));
    PP_TRY(fetch_bundles(w, who));
    switch (w->settings.scene) {
    case EVERYDAY:
        return live_everyday(w, who);
    case IN_HAND:
        return live_in_hand(w, who);
    case BOUNDARY:
        return live_at_the_boundary(w, who);
    }
    return PP_FAIL(PP_E_RANGE, w->settings.scene);
}

pp_res world_run(struct world *w, const struct settings *s)
{
    *w = (struct world){ .settings = *s, .random_state = s->seed };
    w->random = (struct pp_random){ .fill = fill, .ctx = &w->random_state };
    w->people = calloc(s->people, sizeof *w->people);
    w->uses = calloc(s->people * USES_MAX, sizeof *w->uses);
    w->fetches = calloc(s->people * 2, sizeof *w->fetches);
    w->bundles = calloc(s->people * BUNDLES_MAX, sizeof *w->bundles);
    PP_CHECK(w->people != NULL && w->uses != NULL && w->fetches != NULL && w->bundles != NULL,
             PP_E_NO_MEMORY, 0);
    PP_TRY(pp_random_fill(&w->random, w->choice_seed, sizeof w->choice_seed));
    PP_TRY(pp_wallet_policy_init(&w->policy, 0, 1));
    if (!world_has(w, MINIMUM_AGE))
        w->policy.age_s = 0;
    for (uint32_t who = 0; who < s->people; who++)
        PP_TRY(live(w, who));
    return PP_OK;
}

void world_done(struct world *w)
{
    free(w->people);
    free(w->uses);
    free(w->fetches);
    free(w->bundles);
    *w = (struct world){ 0 };
}
