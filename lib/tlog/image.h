/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.h: manifests of guest images (docs/protocol/release.md): what a builder says that it made.
 *
 * A manifest is a release record (record.h) without the lines that only people can give: ledger,
 * place, serial, times and review. Two builders who made the same image write the same text and
 * sign it, each as a note of its own; the record is made from the text that they agree on, line by
 * line. Allocates nothing; any thread.
 */
#ifndef PP_IMAGE_H
#define PP_IMAGE_H

#include "record.h"

/*
 * Reads a manifest; `*ret` borrows the text and has no times and no review. Detail is the line.
 * UNSUPPORTED (the text is of another type); else as pp_record_parse.
 */
PP_MUST pp_res pp_image_parse(struct pp_span text, struct pp_release *ret);

/* Writes the manifest of a release, record or manifest, and reads it back, as pp_record_write. */
PP_MUST pp_res pp_image_write(struct pp_wr *wr, const struct pp_release *r);

/*
 * The label of an snp row that can be computed again says from what: "<firmware label>:<CPU model
 * as QEMU names it>:<SEV_FEATURES, decimal>". So whoever has a record and its files needs nothing
 * else.
 */
struct pp_image_label {
    struct pp_span firmware, cpu; /* borrowed */
    uint64_t features;
};

/* FORMAT, RANGE. */
PP_MUST pp_res pp_image_label_parse(struct pp_span label, struct pp_image_label *ret);

#endif
