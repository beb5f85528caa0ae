/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts: evidence, proofs, decisions and sizes of one request; no content (pp-wire 10). */
#include "device_int.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "receipt.h"

static void fill_checks(const struct pp_checks *rows, struct pp_receipt_check *ret)
{
    for (size_t i = 0; i < rows->count; i++)
        ret[i] = (struct pp_receipt_check){
            .number = (uint32_t)rows->rows[i].step,
            .code = pp_span_cstr(pp_code_name(rows->rows[i].code)),
            .verdict = rows->rows[i].verdict,
            .anchor = pp_span_cstr(rows->rows[i].anchor),
        };
}

void pp_device_receipt_anchors(const struct pp_trust *t,
                               struct pp_receipt_anchor ret[PP_DEVICE_RECEIPT_ANCHORS])
{
    const struct pp_receipt_anchor all[PP_DEVICE_RECEIPT_ANCHORS] = {
        { PP_STR("log policy"), PP_BYTES(t->log.digest) },
        { PP_STR("owner policy"), PP_BYTES(t->owner.digest) },
        { PP_STR("review policy"), PP_BYTES(t->review.digest) },
        { PP_STR("trust files"), PP_BYTES(t->files_digest) },
    };

    memcpy(ret, all, sizeof all);
}

static pp_res write_to(struct pp_device *d, const struct pp_session *s, const char *path,
                       const struct pp_answer *answer, uint8_t *buf,
                       struct pp_receipt_check *checks)
{
    struct pp_receipt_anchor anchors[PP_DEVICE_RECEIPT_ANCHORS];
    struct pp_wr wr = pp_wr_over(buf, PP_RECEIPT_BYTES_MAX);
    uint64_t now = pp_clock_posix_s(&d->clock);
    struct pp_receipt r = { .posix_s = now - now % PP_RECEIPT_TIME_STEP_S,
                            .anchors = anchors,
                            .anchor_count = PP_ARRAY_COUNT(anchors),
                            .bundle = d->ledger->bundle,
                            .checks = checks,
                            .check_count = d->checks.count,
                            .feature = PP_STR("summarize"),
                            .outcome = (uint32_t)answer->outcome,
                            .engine = answer->engine,
                            .used = answer->used };

    pp_device_receipt_anchors(d->trust, anchors);
    PP_TRY(pp_evidence_body_parse(pp_span(s->evidence, s->evidence_len), &r.evidence));
    memcpy(r.ekm, s->binding.ekm, sizeof r.ekm);
    memcpy(r.spki, s->binding.spki, sizeof r.spki);
    for (size_t i = 0; i < 2; i++) {
        r.exchanges[i].up = s->sizes[i][0];
        r.exchanges[i].down = s->sizes[i][1];
    }
    PP_TRY(pp_receipt_write(&wr, &r));
    /* The record that stands before anything is sent survives a power cut. What the answer adds to
     * it may be lost in one, and it says "not reached" as before; the folder is not waited for. */
    if (s->state == PP_SESSION_DONE)
        return pp_file_replace(AT_FDCWD, path, 0600, pp_wr_done(&wr));
    return pp_file_write(AT_FDCWD, path, 0600, pp_wr_done(&wr));
}

pp_res device_write_receipt(struct pp_device *d, const struct pp_session *s, const char *path,
                            const struct pp_answer *answer)
{
    uint8_t *buf = malloc(PP_RECEIPT_BYTES_MAX);
    struct pp_receipt_check *checks = calloc(PP_CHECKS_MAX, sizeof *checks);
    pp_res r = PP_FAIL(PP_E_NO_MEMORY, 0);

    if (buf != NULL && checks != NULL) {
        fill_checks(&d->checks, checks);
        r = write_to(d, s, path, answer, buf, checks);
    }
    free(buf);
    free(checks);
    if (!pp_is_ok(r))
        return device_refuse(d, r, "device", "receipt", "a file that can be written",
                             pp_span_cstr(path));
    return PP_OK;
}
