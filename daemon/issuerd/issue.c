/* SPDX-License-Identifier: Apache-2.0 */
#include "issue.h"

/* The key that the request means, if tokens of it are issued now. */
static const struct pp_token_key *find_key(const struct pp_token_keys *keys,
                                           const struct pp_cred_request *q, uint64_t now_s)
{
    for (size_t i = 0; i < keys->count; i++) {
        const struct pp_token_key *k = &keys->list[i];
        if (pp_cred_request_is_for(q, &k->key.pub) && now_s >= k->issue_from_s &&
            now_s < k->issue_until_s)
            return k;
    }
    return NULL;
}

static uint32_t status_of_account(pp_res r)
{
    return r.code == PP_E_AUTH ? 401 : r.code == PP_E_UNVERIFIED ? 403 : 500;
}

static uint32_t status_of_count(pp_res r)
{
    return r.code == PP_E_LIMIT ? 429 : 503;
}

static void refuse(struct iss_answer *ret, uint32_t status, pp_res why)
{
    ret->status = status;
    ret->why = why;
}

/* Behind the account: everything about the batch. */
static void issue(const struct iss_service *s, const struct iss_question *question,
                  const struct iss_account *account, struct iss_answer *ret)
{
    struct pp_wr wr = pp_wr_over(ret->body, sizeof ret->body);
    struct pp_cred_request q;

    pp_res r = pp_cred_request_parse(question->form, question->body, &q);
    if (!pp_is_ok(r)) {
        refuse(ret, 422, r);
        return;
    }
    const struct pp_token_key *k = find_key(s->keys, &q, question->now_s);
    if (k == NULL) {
        refuse(ret, 422, PP_FAIL(PP_E_NOT_FOUND, q.truncated_key_id));
        return;
    }
    r = iss_counts_check(s->counts, k->day, account, s->batches_max);
    if (!pp_is_ok(r)) {
        refuse(ret, status_of_count(r), r);
        return;
    }
    r = pp_cred_issue(&k->key, &q, &s->random, &wr);
    if (!pp_is_ok(r)) {
        refuse(ret, pp_cred_issue_status(r), r);
        return;
    }
    r = iss_counts_add(s->counts, k->day, account, s->batches_max);
    if (!pp_is_ok(r)) {
        refuse(ret, status_of_count(r), r);
        return;
    }
    ret->status = 200;
    ret->type = q.form == PP_CRED_BATCH ? PP_CRED_MEDIA_BATCH_RESPONSE : PP_CRED_MEDIA_RESPONSE;
    ret->body_len = wr.len;
    ret->why = PP_OK;
}

void iss_answer(const struct iss_service *s, const struct iss_question *q, struct iss_answer *ret)
{
    struct iss_account account;

    *ret = (struct iss_answer){ .status = 500, .why = PP_FAIL(PP_E_UNVERIFIED, 0) };
    if (q->form != PP_CRED_SINGLE && q->form != PP_CRED_BATCH) {
        refuse(ret, 415, PP_FAIL(PP_E_UNSUPPORTED, 0));
        return;
    }
    pp_res r = s->accounts.identify(s->accounts.ctx, q->authorization, q->now_s, &account);
    if (!pp_is_ok(r)) {
        refuse(ret, status_of_account(r), r);
        return;
    }
    issue(s, q, &account, ret);
}

pp_res iss_directory_write(const struct pp_token_keys *keys, uint64_t now_s, struct pp_wr *wr)
{
    const char *before = "";

    pp_wr_text(wr, "{\"issuer-request-uri\":\"" ISS_REQUEST_PATH "\",\"token-keys\":[");
    for (size_t i = 0; i < keys->count; i++) {
        const struct pp_token_key *k = &keys->list[i];

        if (now_s >= k->issue_until_s)
            continue;
        pp_wr_text(wr, before);
        pp_wr_text(wr, "{\"token-type\":");
        pp_wr_decimal(wr, k->key.pub.type);
        pp_wr_text(wr, ",\"token-key\":\"");
        pp_wr_base64url(wr, pp_span(k->key.pub.pk, k->key.pub.pk_len), 1);
        pp_wr_text(wr, "\",\"not-before\":");
        pp_wr_decimal(wr, k->issue_from_s);
        pp_wr_text(wr, "}");
        before = ",";
    }
    pp_wr_text(wr, "]}");
    return pp_wr_ok(wr);
}
