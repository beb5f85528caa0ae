/* SPDX-License-Identifier: Apache-2.0 */
/* machine_gpu.h: a GPU in the machine of machine.h, and a release that names it. */
#ifndef PP_MACHINE_GPU_H
#define PP_MACHINE_GPU_H

#include "cbor.h"
#include "machine.h"
#include "sim_gpu.h"

struct machine_gpu {
    struct machine *m;
    struct sim_gpu *gpu;
    struct sim_gpu_params params;
    struct sim_rim driver, vbios;
    uint8_t fresh[PP_GPU_NONCE_BYTES], nonce[PP_GPU_NONCE_BYTES];
    uint8_t pages[2][65536]; /* the two reference files */
    uint8_t report[PP_GPU_REPORT_BYTES_MAX], encoding[20000], answers[8192];
    struct pp_issue_ocsp status; /* of every answer */
    size_t answer_count;
    void (*bend)(struct pp_gpu_report *r); /* before it is signed */
};

static struct machine_gpu *machine_gpu_of; /* whose GPU the bend below adds */

/* Key 4 of Evidence: [[fresh, report, [certificate], [answer]]]. */
static inline void machine_gpu_add(struct machine *m)
{
    struct machine_gpu *g = machine_gpu_of;
    struct pp_wr wr = pp_wr_over(g->encoding, sizeof g->encoding);
    struct pp_wr report_wr = pp_wr_over(g->report, sizeof g->report);
    struct pp_gpu_report report;

    sim_gpu_fill(g->gpu, &g->params, g->nonce, &report);
    if (g->bend != NULL)
        g->bend(&report);
    assert_ok(sim_gpu_sign(g->gpu, &report, &report_wr));
    pp_cbor_wr_array(&wr, 1);
    pp_cbor_wr_array(&wr, 4);
    pp_cbor_wr_bytes(&wr, PP_BYTES(g->fresh));
    pp_cbor_wr_bytes(&wr, pp_wr_done(&report_wr));
    pp_cbor_wr_array(&wr, SIM_GPU_CERTS - 1);
    for (size_t i = 0; i + 1 < SIM_GPU_CERTS; i++)
        pp_cbor_wr_bytes(&wr, sim_gpu_cert(g->gpu, i));
    pp_cbor_wr_array(&wr, g->answer_count);
    for (size_t i = 1; i <= g->answer_count; i++) {
        struct pp_wr answer = pp_wr_over(g->answers, sizeof g->answers);
        assert_ok(sim_gpu_ocsp(g->gpu, i, g->status, &answer));
        pp_cbor_wr_bytes(&wr, pp_wr_done(&answer));
    }
    assert_ok(pp_wr_ok(&wr));
    m->evidence.gpu_encoding = pp_wr_done(&wr);
}

/* What the bundle holds of the files as they were: pages that are about to be written over. */
static inline void machine_gpu_withdraw(struct machine_gpu *g)
{
    struct pp_bundle *b = &g->m->ledger.bundle;
    size_t kept = 0;

    for (size_t i = 0; i < b->blob_count; i++)
        if (b->blobs[i].at != g->pages[0] && b->blobs[i].at != g->pages[1])
            g->m->blobs[kept++] = b->blobs[i];
    b->blob_count = kept;
}

/* Both files as they are now go into the bundle, and their digests into the release's one row. */
static inline void machine_gpu_publish(struct machine_gpu *g)
{
    struct pp_release *rel = &g->m->records[M_ORCHESTRATOR].record.release;
    const struct sim_rim *files[2] = { &g->driver, &g->vbios };
    uint8_t *const digests[2] = { rel->gpu[0].driver_rim, rel->gpu[0].vbios_rim };

    machine_gpu_withdraw(g);
    for (size_t i = 0; i < 2; i++) {
        struct pp_wr wr = pp_wr_over(g->pages[i], sizeof g->pages[i]);
        assert_ok(sim_gpu_rim(g->gpu, files[i], &wr));
        pp_sha256(pp_wr_done(&wr), digests[i]);
        machine_add_blob(g->m, pp_wr_done(&wr));
    }
    rel->gpu_count = 1;
    rel->gpu[0].model = PP_STR("GH100");
    rel->gpu[0].driver = PP_STR("590.12");
    rel->gpu[0].vbios = PP_STR("96.00.9F.00.01");
}

/* Into the machine as it is. */
static inline void machine_gpu_join(struct machine_gpu *g)
{
    g->params = sim_gpu_params_default();
    g->driver = (struct sim_rim){ .chip = "GH100", .version = "590.12", .active = SIM_RIM_DRIVER };
    g->vbios =
        (struct sim_rim){ .chip = "GH100", .version = "96.00.9f.00.01", .active = SIM_RIM_VBIOS };
    memset(g->fresh, 0x6F, sizeof g->fresh);
    pp_gpu_nonce(g->fresh, 0, g->nonce);
    g->status = (struct pp_issue_ocsp){ .hash = PP_SHA384,
                                        .status = PP_OCSP_GOOD,
                                        .this_update = MACHINE_NOW - 3600,
                                        .next_update = MACHINE_NOW + 86400 };
    g->answer_count = SIM_GPU_CERTS - 2;
    g->bend = NULL;
    machine_gpu_publish(g);
    machine_gpu_of = g;
    g->m->bend_evidence = machine_gpu_add;
}

static inline void machine_gpu_default(struct machine_gpu *g)
{
    machine_default(g->m);
    machine_gpu_join(g);
}

static inline struct machine_gpu *machine_gpu_new(struct machine *m)
{
    struct machine_gpu *g = calloc(1, sizeof *g);

    assert_non_null(g);
    g->m = m;
    assert_ok(sim_gpu_create(&(struct sim_gpu_making){ .now_s = MACHINE_NOW - 86400 }, &g->gpu));
    assert_ok(
        pp_gpu_anchors_add_device(&m->trust.gpu_anchors, sim_gpu_cert(g->gpu, SIM_GPU_CERTS - 1)));
    assert_ok(
        pp_gpu_anchors_add_rim(&m->trust.gpu_anchors, sim_gpu_rim_cert(g->gpu, SIM_RIM_CERTS - 1)));
    return g;
}

static inline void machine_gpu_free(struct machine_gpu *g)
{
    sim_gpu_free(g->gpu);
    free(g);
}

#endif
