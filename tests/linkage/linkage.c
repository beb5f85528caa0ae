/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The linkage game (docs/threat-model.md, "Linking people to requests"; W4.T4): with every
 * protection on, no strategy of any single party, nor of issuer and gateway together, does better
 * than guessing; with one of them off, one does. And a game would see a leak of one round in ten.
 *
 *     test_linkage [PEOPLE [SEEDS]]          default 20000 people, one seed
 *
 * Same arguments, same output: nothing here depends on the machine's clock or chance.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "games.h"
#include "text.h"

enum { PEOPLE = 20000, PEOPLE_MAX = 100000, SEEDS_MAX = 100 };

static struct {
    uint64_t people, seeds;
    unsigned passed, failed;
} self = { .people = PEOPLE, .seeds = 1 };

static void row(const struct game *g, const char *what, const struct outcome *o, int ok)
{
    printf("%s  %-18s %-58s %-26s %7zu rounds  won %5.1f%%  z %+7.1f  %s\n",
           ok ? "ok    " : "FAILED", g->logs, g->name, what, o->rounds, 100 * o->won, o->z,
           o->strategy);
    if (ok)
        self.passed++;
    else
        self.failed++;
}

static void play(const struct game *g, enum protection off, uint32_t told_percent, uint64_t seed)
{
    const struct settings s = {
        .people = self.people, .seed = seed, .off = off, .told_percent = told_percent
    };
    const char *what = PROTECTION_NAMES[off];
    struct outcome o = { 0 };
    pp_res r = game_play(g, &s, &o);

    int ok = pp_is_ok(r) && o.rounds >= self.people / 8;
    if (off != PROTECTIONS) {
        ok = ok && o.z >= Z_JUMP;
    } else if (told_percent > 0) {
        what = "all on, one in ten told";
        ok = ok && o.z > Z_BOUND;
    } else {
        what = "all on";
        ok = ok && fabs(o.z) <= Z_BOUND;
    }
    row(g, what, &o, ok);
}

static int usage(void)
{
    fprintf(stderr, "usage: test_linkage [PEOPLE [SEEDS]]\n");
    return 2;
}

int main(int argc, char **argv)
{
    if ((argc > 1 &&
         !pp_is_ok(pp_decimal_parse(pp_span_cstr(argv[1]), PEOPLE_MAX, &self.people))) ||
        (argc > 2 && !pp_is_ok(pp_decimal_parse(pp_span_cstr(argv[2]), SEEDS_MAX, &self.seeds))) ||
        argc > 3 || self.people < 100)
        return usage();
    for (uint64_t seed = 1; seed <= self.seeds; seed++)
        for (size_t i = 0; i < GAME_COUNT; i++) {
            play(&GAMES[i], PROTECTIONS, 0, seed);
            play(&GAMES[i], PROTECTIONS, TOLD_PERCENT, seed);
            for (size_t k = 0;
                 k < PP_ARRAY_COUNT(GAMES[i].breaks) && GAMES[i].breaks[k] != PROTECTIONS; k++)
                play(&GAMES[i], GAMES[i].breaks[k], 0, seed);
        }
    printf("%u passed, %u failed\n", self.passed, self.failed);
    return self.failed > 0;
}
