/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world.h: people with devices, on a simulated clock, and what each party would have in its logs.
 *
 * When a device fetches, which epoch it spends, which bucket a request gets and which CVM serves it
 * are decided by the code that devices and gateways run (wallet_rules.h, sizes.h, choice.h). A
 * protection is switched off by doing here what a careless client would do in its place.
 */
#ifndef LINKAGE_WORLD_H
#define LINKAGE_WORLD_H

#include "choice.h"
#include "wallet_rules.h"

enum {
    DAY = 20500, /* the day that is looked at */
    CVMS = 16,   /* behind the gateway */
    RESERVE = 32,
};

#define MIDNIGHT ((uint64_t)DAY * PP_EPOCH_SECONDS)

enum protection {
    SCHEDULE,    /* fetches at drawn moments; off: when the wallet is found empty */
    BACKGROUND,  /* whether or not the app is open; off: when it is opened next */
    MINIMUM_AGE, /* a token rests; off: it is spent at once */
    COIN,        /* between two epochs near midnight; off: the one that the device's clock says */
    RANDOM_DRAW, /* of a token; off: in the order of issue */
    TOKEN_KEY,   /* one for everybody; off: one an account */
    OHTTP_KEY,   /* one for everybody; off: one an address */
    BUCKETS,     /* of requests; off: as long as what they hold */
    RANDOM_CVM,  /* off: the same for all that a person sends */
    BUNDLES,     /* fetched once in six hours; off: before each use */
    PROTECTIONS, /* none of them: all are on */
};
extern const char *const PROTECTION_NAMES[PROTECTIONS + 1];

/* What people do. */
enum scene {
    EVERYDAY, /* devices that are always on; everybody had the app the day before */
    IN_HAND,  /* devices that are online only while somebody holds them, on the day of install */
    BOUNDARY, /* uses around midnight, with clocks that are four minutes fast or slow */
};

struct settings {
    size_t people;
    uint64_t seed;
    enum scene scene;
    enum protection off;
    uint32_t told_percent; /* of the rounds: somebody tells the adversary what is true */
};

struct person {
    double uses_a_day;
    int64_t skew_s;         /* of the device's clock */
    uint64_t fetched_s[2];  /* when the batch of DAY and of the day after came; 0: it did not */
    uint64_t typical_bytes; /* of what this person has summarised */
    uint32_t spent[2];
    uint64_t cvm;              /* of this person, if it is not drawn */
    uint8_t order[2][RESERVE]; /* in which the tokens of a batch are spent */
};

/* A row of the gateway's log. `person` is what it must not learn. */
struct use {
    uint32_t person;
    uint64_t at_s;
    uint32_t day;
    uint32_t token_key, ohttp_key; /* 0: everybody's */
    uint32_t place;                /* in its batch: what no party sees while blinding holds */
    uint64_t content_bytes;        /* what no party sees */
    uint64_t wire_bytes;
    uint64_t cvm;
};

/* A row of the issuer's log, or of the directory's: somebody who is known came. */
struct visit {
    uint32_t person;
    uint64_t at_s;
    uint32_t day;
};

struct world {
    struct settings settings;
    struct pp_random random;
    uint64_t random_state;
    uint8_t choice_seed[GW_CHOICE_SEED_BYTES];
    struct pp_wallet_policy policy;
    struct person *people;
    struct use *uses;
    size_t use_count;
    struct visit *fetches; /* the issuer's log */
    size_t fetch_count;
    struct visit *bundles; /* the directory's */
    size_t bundle_count;
};

/* Everything follows from the settings. NO_MEMORY, or what a rule says. */
PP_MUST pp_res world_run(struct world *w, const struct settings *s);
void world_done(struct world *w);

PP_MUST pp_res world_below(struct world *w, uint64_t bound, uint64_t *ret);

/* 1 if the switch is in its proper place. */
static inline int world_has(const struct world *w, enum protection p)
{
    return w->settings.off != p;
}

#endif
