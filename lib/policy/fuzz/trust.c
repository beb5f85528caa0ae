/* SPDX-License-Identifier: Apache-2.0 */
/* Trust files, up to five of them separated by NUL; policies that are not given are good ones. */
#include "anchors.h"
#include "fuzz.h"

#include "text.h"
#include "trust.h"

static struct pp_trust trust;

static void check(void)
{
    FUZZ_CHECK(trust.relay_count >= 1 && trust.relay_count <= PP_TRUST_RELAYS_MAX);
    FUZZ_CHECK(trust.mirror_count >= 1 && trust.mirror_count <= PP_TRUST_MIRRORS_MAX);
    FUZZ_CHECK(trust.environment != PP_RECORD_PROD || trust.relay_count >= 2);
    FUZZ_CHECK(trust.platforms == 1U << PP_PLATFORM_SEV_SNP && trust.own_root == 0);
    FUZZ_CHECK(trust.batches >= 1 && trust.batches <= 8);
    FUZZ_CHECK(trust.log.log_count > 0 && trust.log.log_count <= PP_TRUST_LOG_KEYS_MAX &&
               trust.log.quorum == PP_QUORUM_GROUP);
    FUZZ_CHECK(trust.owner.quorum != PP_QUORUM_NONE && trust.review.quorum != PP_QUORUM_NONE);
    FUZZ_CHECK(trust.revoked_count <= PP_TRUST_REVOKES_MAX);
    FUZZ_CHECK(trust.snp_anchors.count > 0 && trust.hardware.profile != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_trust_files files = { .log_policy = PP_STR(FUZZ_LOG_POLICY),
                                    .owner_policy = PP_STR(FUZZ_OWNER_POLICY),
                                    .review_policy = PP_STR(FUZZ_REVIEW_POLICY) };
    struct pp_span *const given[] = { &files.trust, &files.log_policy, &files.owner_policy,
                                      &files.review_policy, &files.revokes };
    struct pp_span rest = pp_span(data, len);
    struct pp_problem problem = { 0 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(given); i++)
        if (rest.len > 0)
            pp_text_cut(&rest, '\0', given[i]);
    pp_res r = pp_trust_parse(&trust, &files, &problem);
    if (pp_is_ok(r))
        check();
    else
        FUZZ_CHECK(r.code == PP_E_TRUST && problem.expected[0] != '\0');
    pp_trust_done(&trust);
    return 0;
}
