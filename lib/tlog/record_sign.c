/* SPDX-License-Identifier: Apache-2.0 */
/* Records as log entries: signed, opened, and held against the caller's pins. */
#include "record.h"

pp_res pp_record_open(struct pp_span entry, struct pp_note *ret_note, struct pp_record *ret)
{
    struct pp_note n;
    struct pp_record r;

    PP_CHECK(entry.len <= PP_RECORD_ENTRY_MAX, PP_E_LIMIT, entry.len);
    PP_TRY(pp_note_parse(entry, &n));
    PP_TRY(pp_record_parse(n.text, &r));
    *ret_note = n;
    *ret = r;
    return PP_OK;
}

pp_res pp_record_sign(struct pp_wr *wr, const struct pp_record *r,
                      const struct pp_note_signer *signers, size_t signer_count)
{
    size_t from = wr->len;

    PP_TRY(pp_record_write(wr, r));
    struct pp_span text = pp_span(wr->at + from, wr->len - from);
    pp_wr_u8(wr, '\n');
    for (size_t i = 0; i < signer_count; i++)
        PP_TRY(pp_note_line_write(wr, &signers[i], text));
    PP_CHECK(wr->len - from <= PP_RECORD_ENTRY_MAX, PP_E_LIMIT, wr->len - from);
    return pp_wr_ok(wr);
}

static pp_res signed_by(const struct pp_note *n, const struct pp_policy *p, uint64_t *ret_set)
{
    struct pp_note_signers s;

    PP_TRY_AS(PP_E_LEDGER_SIGNER, pp_note_check(n, p->witness_keys, p->witness_count, &s));
    *ret_set = s.set;
    return PP_OK;
}

/* A policy that demands nobody is no answer to "who must have signed". */
static pp_res quorum_of(const struct pp_policy *p, uint64_t set)
{
    PP_CHECK(p->quorum != PP_QUORUM_NONE, PP_E_LEDGER_SIGNER, 0);
    PP_TRY_AS(PP_E_LEDGER_SIGNER, pp_policy_decide(p, set));
    return PP_OK;
}

/* One person may hold a place in both policies; one signature may not count for both. */
static pp_res reviewer_beside_owner(const struct pp_record_keys *keys, uint64_t owners,
                                    uint64_t reviewers)
{
    for (size_t i = 0; i < keys->review->witness_count; i++) {
        int is_owner = 0;
        if ((reviewers >> i & 1) == 0)
            continue;
        for (size_t k = 0; k < keys->owner->witness_count; k++)
            is_owner |= (owners >> k & 1) != 0 &&
                        memcmp(keys->owner->witness_keys[k].pk, keys->review->witness_keys[i].pk,
                               PP_ED25519_PK_BYTES) == 0;
        if (!is_owner)
            return PP_OK;
    }
    return PP_FAIL(PP_E_LEDGER_SIGNER, 0);
}

static pp_res status_signer(const struct pp_note *n, const struct pp_record *r,
                            const struct pp_policy *log)
{
    struct pp_note_signers s;

    PP_TRY_AS(PP_E_LEDGER_SIGNER, pp_note_check(n, log->log_keys, log->log_count, &s));
    for (size_t i = 0; i < log->log_count; i++)
        if ((s.set >> i & 1) != 0 && pp_span_eq(log->log_keys[i].name, r->ledger))
            return PP_OK;
    return PP_FAIL(PP_E_LEDGER_SIGNER, 0);
}

pp_res pp_record_check_signers(const struct pp_note *n, const struct pp_record *r,
                               const struct pp_record_keys *keys)
{
    uint64_t owners;
    uint64_t reviewers;

    PP_TRY(signed_by(n, keys->owner, &owners));
    PP_TRY(signed_by(n, keys->review, &reviewers));
    switch (r->type) {
    case PP_RECORD_RELEASE:
        return quorum_of(keys->review, reviewers);
    case PP_RECORD_HOST_SET:
        PP_TRY(quorum_of(keys->owner, owners));
        return reviewer_beside_owner(keys, owners, reviewers);
    case PP_RECORD_KEY_EPOCH:
        return quorum_of(keys->owner, owners);
    case PP_RECORD_REVOKE:
        PP_CHECK(reviewers != 0, PP_E_LEDGER_SIGNER, 0);
        return PP_OK;
    case PP_RECORD_STATUS:
        return status_signer(n, r, keys->log);
    }
    return PP_FAIL(PP_E_LEDGER_SIGNER, 0);
}

static int names_policy(const struct pp_release *rel, const struct pp_policy *review)
{
    for (size_t i = 0; i < rel->review_count; i++)
        if (memcmp(rel->review[i].sha256, review->digest, PP_SHA256_BYTES) == 0)
            return 1;
    return 0;
}

/* A release names the policy that it was reviewed under: quorum and line are of the same one. */
static pp_res check_under(const struct pp_note *n, const struct pp_record *r,
                          const struct pp_record_keys *keys, const struct pp_policy *review)
{
    struct pp_record_keys own = *keys;

    own.review = review;
    PP_TRY(pp_record_check_signers(n, r, &own));
    if (r->type == PP_RECORD_RELEASE)
        PP_CHECK(names_policy(&r->release, review), PP_E_MISMATCH, r->release.review_count);
    return PP_OK;
}

/* Who reviews today is asked first, and has the word when none of the former policies fits. */
pp_res pp_record_check_logged(const struct pp_note *n, const struct pp_record *r,
                              const struct pp_record_keys *keys, uint64_t index)
{
    pp_res today = check_under(n, r, keys, keys->review);
    uint64_t set;

    if (pp_is_ok(today) || keys->former_count == 0)
        return today;
    PP_TRY(signed_by(n, keys->review, &set));
    for (size_t i = 0; i < keys->former_count; i++)
        if (index < keys->former[i].entries &&
            pp_is_ok(check_under(n, r, keys, keys->former[i].policy)))
            return PP_OK;
    return today;
}

pp_res pp_record_check_place(const struct pp_record *r, struct pp_span ledger,
                             struct pp_span name_space, enum pp_record_env environment)
{
    PP_CHECK(pp_span_eq(r->ledger, ledger), PP_E_LEDGER_NAMESPACE, 1);
    PP_CHECK(pp_span_eq(r->name_space, name_space), PP_E_LEDGER_NAMESPACE, 2);
    PP_CHECK(r->environment == environment, PP_E_LEDGER_NAMESPACE, 3);
    return PP_OK;
}
