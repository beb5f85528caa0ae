/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored Evidence of a TDX platform with a GPU: seven blocks, each with a u24 length: root of the
 * platforms, of the GPUs, of their files, root of the host-set (32 bytes), collateral, driver file,
 * VBIOS file; then the Evidence map. What is accepted is what the machine of the corpus said.
 */
#include "fuzz.h"

#include "appraise.h"
#include "crypto.h"
#include "hash.h"
#include "rd.h"

#define NOW UINT64_C(1780272000)

enum { RELEASE, HOSTS, RECORDS };
enum { TDX_ROOT, GPU_ROOT, RIM_ROOT, HOST_ROOT, COLLATERAL, DRIVER, VBIOS, BLOCKS };

static struct pp_ledger_record records[RECORDS];
static struct pp_span blobs[3];

/* The release of lib/policy/test/machine_tdx.h with the row of machine_gpu.h. */
static void make_release(const struct pp_span block[BLOCKS])
{
    struct pp_release *r = &records[RELEASE].record.release;

    *r = (struct pp_release){ .role = PP_RECORD_ORCHESTRATOR, .not_after = NOW + 1 };
    records[RELEASE].record.type = PP_RECORD_RELEASE;
    memset(records[RELEASE].id.bytes, 0x30 + PP_RECORD_ORCHESTRATOR, PP_SHA256_BYTES);
    r->tdx_count = 1;
    memset(r->tdx[0].mrtd, 0x71, sizeof r->tdx[0].mrtd);
    for (int i = 0; i < 3; i++)
        memset(r->tdx[0].rtmr[i], 0x72 + i, sizeof r->tdx[0].rtmr[i]);
    r->config_count = 1;
    pp_sha256(PP_STR("engine = embedded\n"), r->config[0]);
    r->gpu_count = 1;
    r->gpu[0].driver = PP_STR("590.12");
    r->gpu[0].vbios = PP_STR("96.00.9F.00.01");
    pp_sha256(block[DRIVER], r->gpu[0].driver_rim);
    pp_sha256(block[VBIOS], r->gpu[0].vbios_rim);
}

static size_t sort_blobs(const struct pp_span block[BLOCKS])
{
    uint8_t digest[2][PP_SHA256_BYTES];
    size_t count = 0;

    for (size_t b = COLLATERAL; b <= VBIOS; b++) {
        size_t i = count++;
        pp_sha256(block[b], digest[0]);
        for (; i > 0; i--) {
            pp_sha256(blobs[i - 1], digest[1]);
            if (memcmp(digest[1], digest[0], sizeof digest[0]) < 0)
                break;
            blobs[i] = blobs[i - 1];
        }
        blobs[i] = block[b];
    }
    return count;
}

static void appraise(const struct pp_trust *trust, const struct pp_ledger *ledger,
                     struct pp_span evidence)
{
    static struct pp_marks marks;
    static struct pp_checks checks;
    struct pp_problem problem = { 0 };
    struct pp_ratls_session session;
    struct pp_appraisal a;

    checks.count = 0;
    memset(&session, 0x5E, sizeof session);
    pp_res r = pp_appraise_stored(trust, ledger, &marks, PP_RECORD_ORCHESTRATOR, evidence, &session,
                                  &checks, &problem, &a);
    if (pp_is_ok(r))
        FUZZ_CHECK(a.simulated == 1 && a.measurement[0] == 0x71);
    else
        FUZZ_CHECK(pp_code_class(r.code) == PP_CLASS_REFUSED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_trust trust = { .platforms = 1U << PP_PLATFORM_SIM_TDX,
                              .message_kem = PP_KEM_X25519_SHA256 };
    struct pp_ledger ledger = { .now_posix_s = NOW, .records = records, .record_count = RECORDS };
    struct pp_rd rd = pp_rd_over(data, len);
    struct pp_span block[BLOCKS];

    FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
    FUZZ_CHECK(pp_is_ok(pp_hardware_profile(PP_STR("strict"), &trust.hardware)));
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t n = (size_t)pp_rd_u8(&rd) << 16;
        n |= pp_rd_u16(&rd);
        block[i] = pp_rd_bytes(&rd, n);
    }
    if (!pp_is_ok(pp_rd_ok(&rd)) || block[HOST_ROOT].len != PP_SHA256_BYTES)
        return 0;
    make_release(block);
    records[HOSTS].record.type = PP_RECORD_HOST_SET;
    memset(records[HOSTS].id.bytes, 0x60, PP_SHA256_BYTES);
    records[HOSTS].record.host_set.count = 3;
    memcpy(records[HOSTS].record.host_set.root.bytes, block[HOST_ROOT].at, PP_SHA256_BYTES);
    ledger.status.record.type = PP_RECORD_STATUS;
    ledger.status.record.status.release_count = 1;
    ledger.bundle.blobs = blobs;
    ledger.bundle.blob_count = sort_blobs(block);
    if (pp_is_ok(pp_tdx_anchors_add(&trust.tdx_anchors, block[TDX_ROOT])) &&
        pp_is_ok(pp_gpu_anchors_add_device(&trust.gpu_anchors, block[GPU_ROOT])) &&
        pp_is_ok(pp_gpu_anchors_add_rim(&trust.gpu_anchors, block[RIM_ROOT])))
        appraise(&trust, &ledger, pp_rd_rest(&rd));
    pp_trust_done(&trust);
    return 0;
}
