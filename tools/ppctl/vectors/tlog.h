/* SPDX-License-Identifier: Apache-2.0 */
/* tlog.h: what the files of the tlog topic share. */
#ifndef PPCTL_VECTORS_TLOG_H
#define PPCTL_VECTORS_TLOG_H

#include "tile.h"
#include "vectors.h"
#include "witness.h"

/* Reads a file next to `file`: "DIR(file)/name". 1 if it could be read. */
int tlog_sibling(const char *file, const char *name, size_t max, struct pp_buf *ret);

/* Adds every vkey that stands in a string of `value`, at any depth; other types are left out. */
size_t tlog_vkeys(const json_t *value, struct pp_note_key *ret, size_t cap);

/* A verdict against what the row wants. */
void tlog_verdict(struct vectors *v, const char *file, const char *row, int want_ok, pp_res r);

/* A key: read, and of a type that is not offered (ML-DSA-44) its form and id. */
void tlog_vkey(struct vectors *v, const char *file, const char *row, struct pp_span text,
               int want_ok);

/* A policy of Sigsum's older dialect: raw hex keys in the place of vkeys. */
void tlog_sigsum(struct vectors *v, const char *file, struct pp_span text);

/* JSON files, told apart by their members. */
void tlog_json(struct vectors *v, const char *file);

/* Files of a log's folder: checkpoint[.N], tile/..., proofs/N.tlog-proof, policy, vkey. */
void tlog_log_checkpoint(struct vectors *v, const char *file);
void tlog_log_tile(struct vectors *v, const char *file, const char *tile_path);
void tlog_log_proof(struct vectors *v, const char *file);

/* Ordered exchanges with a witness that starts empty. */
void tlog_witness(struct vectors *v, const char *file, const json_t *root);
void tlog_litewitness(struct vectors *v, const char *file, const json_t *root);

/* Ledger records and logs of them. */
void tlog_records(struct vectors *v, const char *file, const json_t *root);

#endif
