/* SPDX-License-Identifier: Apache-2.0 */
#include "games.h"

#include <math.h>
#include <stdlib.h>

/*
 * Counts one round of strategy `s` about `who`: the score of what is true against that of what is
 * not. An adversary that sees no difference throws a coin.
 */
static pp_res judge(struct play *p, size_t s, uint32_t who, double truth, double other)
{
    const uint32_t told_percent = p->world->settings.told_percent;
    uint64_t coin = 0, luck = 0;

    PP_TRY(world_below(p->world, 2, &coin));
    if (told_percent > 0)
        PP_TRY(world_below(p->world, 100, &luck));
    if (luck < told_percent) {
        truth = 1;
        other = 0;
    }
    double won = truth > other ? 1 : truth < other ? 0 : (double)coin;
    p->won[s] += won;
    p->people[who].above[s] += won - 0.5;
    return PP_OK;
}

/* --- issuer and gateway: which of two accounts spent this token ------------------------------- */

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* An account that could have spent it: it got a batch of the epoch that had rested by then. */
static int could_have(const struct world *w, const struct use *u, const struct person *p)
{
    const uint64_t fetched = p->fetched_s[u->day - DAY];

    return fetched != 0 && pp_wallet_usable_from(&w->policy, fetched) <= u->at_s;
}

static pp_res find_other(struct play *p, const struct use *u, uint32_t *ret)
{
    for (int tries = 0; tries < 200; tries++) {
        uint64_t other;
        PP_TRY(world_below(p->world, p->world->settings.people, &other));
        if (other == u->person || !could_have(p->world, u, &p->world->people[other]))
            continue;
        *ret = (uint32_t)other;
        return PP_OK;
    }
    return PP_FAIL(PP_E_NOT_FOUND, 0);
}

/* How well an account fits to a use, by what both logs say. */
static double fit(const struct world *w, size_t strategy, const struct use *u, uint32_t who)
{
    const struct person *p = &w->people[who];
    const uint64_t fetched = p->fetched_s[u->day - DAY];
    uint64_t nearest = UINT64_MAX;

    switch (strategy) {
    case 0: /* fetched latest */
        return (double)fetched;
    case 1: /* fetched anything at nearly the same moment */
        for (size_t i = 0; i < 2; i++)
            if (p->fetched_s[i] != 0 && distance(p->fetched_s[i], u->at_s) < nearest)
                nearest = distance(p->fetched_s[i], u->at_s);
        return -(double)nearest;
    case 2: /* spent as soon as it could be */
        return -(double)distance(pp_wallet_usable_from(&w->policy, fetched), u->at_s);
    case 3: /* as early in the order of fetching as the use is in its day */
        return -fabs((double)(fetched % PP_EPOCH_SECONDS) - (double)(u->at_s % PP_EPOCH_SECONDS));
    default: /* the key that this account was given */
        return u->token_key == who + 1;
    }
}

static pp_res who_spent(struct play *p)
{
    for (size_t i = 0; i < p->world->use_count; i++) {
        const struct use *u = &p->world->uses[i];
        uint32_t other;
        pp_res r = find_other(p, u, &other);
        if (r.code == PP_E_NOT_FOUND)
            continue;
        PP_TRY(r);
        p->rounds++;
        for (size_t s = 0; s < 5; s++)
            PP_TRY(
                judge(p, s, u->person, fit(p->world, s, u, u->person), fit(p->world, s, u, other)));
    }
    return PP_OK;
}

/* --- gateway: is this use of the device whose clock is fast, or of the one that is slow ------- */

static pp_res whose_clock(struct play *p)
{
    for (size_t i = 0; i < p->world->use_count; i++) {
        const struct use *u = &p->world->uses[i];
        const double fast = u->day == DAY + 1 ? 1 : 0;
        const int is_fast = p->world->people[u->person].skew_s > 0;
        p->rounds++;
        PP_TRY(judge(p, 0, u->person, is_fast ? fast : 1 - fast, 0.5));
    }
    return PP_OK;
}

/* --- issuer, directory: which of two people used it more -------------------------------------- */

/* Rows, and the first one, of somebody on the day. */
static pp_res summarise(const struct world *w, const struct visit *rows, size_t count,
                        double **ret_counts, double **ret_first)
{
    double *counts = calloc(w->settings.people, sizeof *counts);
    double *first = calloc(w->settings.people, sizeof *first);

    if (counts == NULL || first == NULL) {
        free(counts);
        free(first);
        return PP_FAIL(PP_E_NO_MEMORY, 0);
    }
    for (size_t i = 0; i < count; i++) {
        counts[rows[i].person] += 1;
        if (first[rows[i].person] == 0 || (double)rows[i].at_s < first[rows[i].person])
            first[rows[i].person] = (double)rows[i].at_s;
    }
    *ret_counts = counts;
    *ret_first = first;
    return PP_OK;
}

static pp_res compare_people(struct play *p, const double *counts, const double *first)
{
    const struct world *w = p->world;

    for (uint32_t who = 0; who < w->settings.people; who++) {
        uint64_t other;
        PP_TRY(world_below(p->world, w->settings.people, &other));
        if (w->people[who].uses_a_day <= w->people[other].uses_a_day)
            continue;
        p->rounds++;
        PP_TRY(judge(p, 0, who, counts[who], counts[other]));
        PP_TRY(judge(p, 1, who, -first[who], -first[other]));
    }
    return PP_OK;
}

static pp_res who_used_more(struct play *p, const struct visit *rows, size_t count)
{
    double *counts = NULL, *first = NULL;

    PP_TRY(summarise(p->world, rows, count, &counts, &first));
    pp_res r = compare_people(p, counts, first);
    free(counts);
    free(first);
    return r;
}

static pp_res issuer_sees(struct play *p)
{
    return who_used_more(p, p->world->fetches, p->world->fetch_count);
}

static pp_res directory_sees(struct play *p)
{
    return who_used_more(p, p->world->bundles, p->world->bundle_count);
}

/* --- relay: which of two requests of one bucket holds more ------------------------------------ */

static pp_res relay_sees(struct play *p)
{
    const struct world *w = p->world;

    for (size_t i = 0; i < w->use_count; i++) {
        const struct use *a = &w->uses[i];
        uint64_t k;
        PP_TRY(world_below(p->world, w->use_count, &k));
        const struct use *b = &w->uses[k];
        if (a->content_bytes <= b->content_bytes ||
            (world_has(w, BUCKETS) && a->wire_bytes != b->wire_bytes))
            continue;
        p->rounds++;
        PP_TRY(judge(p, 0, a->person, (double)a->wire_bytes, (double)b->wire_bytes));
    }
    return PP_OK;
}

/* --- gateway: which of two later uses is of the person of this one ---------------------------- */

static double likeness(size_t strategy, const struct use *a, const struct use *b)
{
    switch (strategy) {
    case 0:
        return a->cvm == b->cvm;
    case 1:
        return a->ohttp_key == b->ohttp_key;
    case 2:
        return a->token_key == b->token_key;
    case 3:
        return -(double)distance(a->wire_bytes, b->wire_bytes);
    default: /* if the place in its batch could be seen */
        return b->place == a->place + 1;
    }
}

/* Two uses of one person stand behind each other in the log. The other one is somebody else's, of
 * the same ordinal and, with buckets, of the same bucket: that much anybody may see. */
static pp_res who_came_again(struct play *p)
{
    const struct world *w = p->world;

    for (size_t i = 0; i + 1 < w->use_count; i++) {
        const struct use *a = &w->uses[i], *again = &w->uses[i + 1];
        uint64_t k = 0;
        int found = 0;
        if (a->person != again->person)
            continue;
        for (int tries = 0; tries < 200 && !found; tries++) {
            PP_TRY(world_below(p->world, w->use_count - 1, &k));
            const struct use *before = &w->uses[k], *b = &w->uses[k + 1];
            found = before->person == b->person && b->person != a->person && b->day == again->day &&
                    (!world_has(w, BUCKETS) || b->wire_bytes == again->wire_bytes);
        }
        if (!found)
            continue;
        p->rounds++;
        for (size_t s = 0; s < 5; s++)
            PP_TRY(judge(p, s, a->person, likeness(s, a, again), likeness(s, a, &w->uses[k + 1])));
    }
    return PP_OK;
}

/* --- all -------------------------------------------------------------------------------------- */

const struct game GAMES[] = {
    { "which of two accounts spent this token",
      "issuer and gateway",
      EVERYDAY,
      { "latest fetch", "fetch at the same moment", "as soon as rested", "order", "key" },
      who_spent,
      { SCHEDULE, BACKGROUND, TOKEN_KEY, PROTECTIONS } },
    { "which of two new accounts spent this token",
      "issuer and gateway",
      IN_HAND,
      { "latest fetch", "fetch at the same moment", "as soon as rested", "order", "key" },
      who_spent,
      { MINIMUM_AGE, TOKEN_KEY, PROTECTIONS } },
    { "whose clock is fast",
      "gateway",
      BOUNDARY,
      { "epoch of the token" },
      whose_clock,
      { COIN, PROTECTIONS } },
    { "which of two accounts used it more",
      "issuer",
      EVERYDAY,
      { "fetches", "first fetch" },
      issuer_sees,
      { SCHEDULE, BACKGROUND, PROTECTIONS } },
    { "which of two addresses used it more",
      "directory",
      EVERYDAY,
      { "bundles", "first bundle" },
      directory_sees,
      { BUNDLES, PROTECTIONS } },
    { "which of two requests of a bucket says more",
      "relay",
      EVERYDAY,
      { "size" },
      relay_sees,
      { BUCKETS, PROTECTIONS } },
    { "which of two later requests is the same person's",
      "gateway",
      EVERYDAY,
      { "CVM", "OHTTP key", "token key", "size", "place in the batch" },
      who_came_again,
      { RANDOM_CVM, OHTTP_KEY, BUCKETS, RANDOM_DRAW } },
};
const size_t GAME_COUNT = sizeof GAMES / sizeof GAMES[0];

static struct outcome sum_up(const struct game *g, const struct play *p)
{
    struct outcome best = { .rounds = p->rounds, .won = 0.5, .strategy = g->strategies[0] };

    for (size_t s = 0; s < STRATEGIES_MAX && g->strategies[s] != NULL && p->rounds > 0; s++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < p->world->settings.people; i++) {
            sum += p->people[i].above[s];
            squares += p->people[i].above[s] * p->people[i].above[s];
        }
        double z = squares > 0 ? sum / sqrt(squares) : 0;
        if (fabs(z) < fabs(best.z))
            continue;
        best.z = z;
        best.won = p->won[s] / (double)p->rounds;
        best.strategy = g->strategies[s];
    }
    return best;
}

pp_res game_play(const struct game *g, const struct settings *s, struct outcome *ret)
{
    struct world w = { 0 };
    struct play p = { .world = &w, .people = calloc(s->people, sizeof *p.people) };
    struct settings here = *s;

    here.scene = g->scene;
    pp_res r = p.people == NULL ? PP_FAIL(PP_E_NO_MEMORY, 0) : world_run(&w, &here);
    if (pp_is_ok(r))
        r = g->run(&p);
    if (pp_is_ok(r))
        *ret = sum_up(g, &p);
    world_done(&w);
    free(p.people);
    return r;
}
