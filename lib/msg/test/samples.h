/* SPDX-License-Identifier: Apache-2.0 */
/* samples.h: good messages that the tests bend. */
#ifndef PP_MSG_SAMPLES_H
#define PP_MSG_SAMPLES_H

#include "harness.h"

#include "evidence.h"
#include "hints.h"

/* Deterministic filler; `seed` makes it different. */
static inline void sample_fill(uint8_t *p, size_t len, uint8_t seed)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)(seed + 7 * i);
}

static inline struct pp_host_path sample_host(uint8_t seed)
{
    struct pp_host_path h = { .size = 5, .index = 4, .node_count = 1 };

    sample_fill(h.record_id, sizeof h.record_id, seed);
    sample_fill(h.nodes[0], sizeof h.nodes[0], (uint8_t)(seed + 1));
    return h;
}

static inline struct pp_backends sample_backends(void)
{
    struct pp_backends b = { .count = 2 };

    b.items[0].role = PP_STR("guard");
    b.items[1].role = PP_STR("predictor");
    sample_fill(b.items[0].release_id, PP_RECORD_ID_BYTES, 3);
    sample_fill(b.items[1].release_id, PP_RECORD_ID_BYTES, 4);
    return b;
}

/* Evidence of a server end with a batch path and back-ends; borrows static bytes. */
static inline struct pp_evidence sample_evidence(void)
{
    static uint8_t report[1184], vcek[1300], key[34];
    struct pp_evidence e = { .platform = PP_PLATFORM_SEV_SNP, .endorsement_count = 1 };

    sample_fill(report, sizeof report, 1);
    sample_fill(vcek, sizeof vcek, 2);
    sample_fill(key, sizeof key, 9);
    key[0] = 0x00;
    key[1] = 0x20;
    e.report = PP_BYTES(report);
    e.endorsements[0] = PP_BYTES(vcek);
    sample_fill(e.release_id, sizeof e.release_id, 5);
    e.config = PP_STR("engine = embedded\n");
    e.message_key = PP_BYTES(key);
    e.batch = (struct pp_batch_path){ .size = 3, .index = 2, .node_count = 1 };
    e.backends = sample_backends();
    e.hosts[0] = sample_host(20);
    e.host_count = 1;
    return e;
}

#endif
