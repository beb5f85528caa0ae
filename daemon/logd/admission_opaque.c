/* SPDX-License-Identifier: Apache-2.0 */
/* A log of anything: whatever fits an entry bundle is an entry. */
#include "admission.h"

static pp_res open_opaque(struct pp_admission *a)
{
    (void)a;
    return PP_OK;
}

/* The leaf hash: it stands in the tiles, so that a candidate can be looked at there. */
static pp_res id_of(struct pp_span entry, struct pp_record_id *ret)
{
    struct pp_merkle_hash leaf;

    pp_merkle_leaf(entry, &leaf);
    memcpy(ret->bytes, leaf.bytes, sizeof ret->bytes);
    return PP_OK;
}

static pp_res replay(struct pp_admission *a, struct pp_span entry)
{
    (void)a;
    (void)entry;
    return PP_OK;
}

/*
 * A ledger ends in a status record that its own key has signed, and this log's key signs no entry:
 * one more entry behind it would end the ledger for every device.
 */
static pp_res recognise(const struct pp_admission *a, struct pp_span last)
{
    struct pp_record r;
    struct pp_note n;

    if (!pp_is_ok(pp_record_open(last, &n, &r)) || r.type != PP_RECORD_STATUS ||
        !pp_span_eq(r.ledger, pp_log_keys_origin(&a->config.log)))
        return PP_OK;
    struct pp_note_signers s;
    if (!pp_is_ok(pp_note_open(&n, a->own.log_keys, a->own.log_count, &s)))
        return PP_OK;
    return PP_FAIL(PP_E_MISMATCH, 0);
}

static pp_res see(struct pp_admission *a, const struct pp_batch *b, size_t *ret_entry)
{
    (void)a;
    *ret_entry = b->count;
    return PP_OK;
}

static pp_res never_wrong(const struct pp_admission *a, uint64_t when)
{
    (void)a;
    (void)when;
    return PP_OK;
}

static pp_res close_opaque(struct pp_admission *a, uint64_t now, struct pp_wr *ret)
{
    (void)a;
    (void)now;
    (void)ret;
    return PP_OK;
}

static uint64_t due(const struct pp_admission *a, size_t waiting, uint64_t now)
{
    (void)a;
    (void)now;
    return waiting > 0 ? 0 : UINT64_MAX;
}

const struct pp_admission_ops pp_admission_opaque = {
    .entry_max = PP_ENTRY_BYTES_MAX,
    .id_window = PP_ADMISSION_WINDOW,
    .open = open_opaque,
    .id = id_of,
    .replay = replay,
    .recognise = recognise,
    .see = see,
    .is_in_time = never_wrong,
    .could_close = never_wrong,
    .close = close_opaque,
    .due = due,
};
