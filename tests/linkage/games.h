/* SPDX-License-Identifier: Apache-2.0 */
/*
 * games.h: what an adversary with certain logs tries to find out, always as a choice of one of two.
 *
 * The pair is drawn so that both are equally likely for whoever sees only what the protocol shows:
 * guessing wins one half. A game has several strategies, and the best one counts. Choices about one
 * person are not independent, so a person is one draw: z is the sum over people of what each was
 * won above one half, divided by the root of the sum of its squares.
 */
#ifndef LINKAGE_GAMES_H
#define LINKAGE_GAMES_H

#include "world.h"

enum { STRATEGIES_MAX = 6 };

/* Beyond the first, chance explains nothing; a missing protection must show beyond the second. */
#define Z_BOUND 4.0
#define Z_JUMP  8.0

/*
 * Staying within the bound proves something where a leak would leave it: each game is played as
 * well with everything on and an adversary that is told the truth in so many of a hundred rounds.
 * It wins 55 in a hundred, which every game must see.
 */
enum { TOLD_PERCENT = 10 };

/* What was won of one person, by each strategy. */
struct tally {
    double above[STRATEGIES_MAX];
};

struct play {
    struct world *world;
    struct tally *people;
    size_t rounds;
    double won[STRATEGIES_MAX];
};

struct game {
    const char *name; /* "who spent this token" */
    const char *logs; /* "issuer and gateway" */
    enum scene scene;
    const char *strategies[STRATEGIES_MAX]; /* up to the first NULL */
    pp_res (*run)(struct play *p);
    enum protection breaks[4]; /* whose absence must show; PROTECTIONS ends the list */
};

extern const struct game GAMES[];
extern const size_t GAME_COUNT;

struct outcome {
    size_t rounds;
    double won; /* share of the rounds, by the best strategy */
    double z;
    const char *strategy;
};

/* Runs a world and plays the game on it. What world_run says. */
PP_MUST pp_res game_play(const struct game *g, const struct settings *s, struct outcome *ret);

#endif
