/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_int.h: reader and writer of record lines, shared by the files that know the record types.
 *
 * The reader is sticky like pp_rd: after the first failure every call gives zeros and the failure
 * stays, so that a type's grammar reads as the list of its lines.
 */
#ifndef PP_RECORD_INT_H
#define PP_RECORD_INT_H

#include "record.h"

struct pp_rec_rd {
    struct pp_span rest;   /* behind the current line */
    struct pp_span line;   /* the current line, not yet taken; empty at the end */
    struct pp_span key;    /* its first word */
    struct pp_span value;  /* what follows the key's space */
    struct pp_span before; /* the line taken last */
    struct pp_span before_key;
    uint32_t number; /* of the current line, from 1 */
    int more;        /* 0: the text is at its end */
    int words_left;  /* 1: `value` of the taken line has another word */
    struct pp_span words;
    pp_res r; /* the first failure; its detail is the line number */
};

struct pp_rec_rd pp_rec_rd_over(struct pp_span text); /* of a record's size */
struct pp_rec_rd pp_rec_rd_upto(struct pp_span text, size_t max);
void pp_rec_fail(struct pp_rec_rd *rd, enum pp_code code); /* blames the line taken last */
PP_MUST pp_res pp_rec_rd_end(struct pp_rec_rd *rd);        /* nothing may be left */

/* 1 if the current line has this key; 0 at the end and after a failure. */
int pp_rec_is(const struct pp_rec_rd *rd, const char *key);

/*
 * Takes the current line, which must have this key; its words can then be read. A line that repeats
 * the key of the line before it must be greater bytewise.
 */
void pp_rec_take(struct pp_rec_rd *rd, const char *key);
void pp_rec_take_bare(struct pp_rec_rd *rd, const char *key); /* the key alone, no value */

/* The words of the line that was taken, from left to right; _done: no word may be left. */
struct pp_span pp_rec_word(struct pp_rec_rd *rd);
int pp_rec_has_word(const struct pp_rec_rd *rd);
uint64_t pp_rec_number(struct pp_rec_rd *rd, uint64_t min, uint64_t max);
uint64_t pp_rec_time(struct pp_rec_rd *rd);
void pp_rec_hex(struct pp_rec_rd *rd, uint8_t *ret, size_t len);
uint64_t pp_rec_hex64(struct pp_rec_rd *rd);
void pp_rec_sha256(struct pp_rec_rd *rd, uint8_t ret[PP_SHA256_BYTES]); /* "sha256:" and hex */
void pp_rec_base64(struct pp_rec_rd *rd, uint8_t *ret, size_t cap, size_t *ret_len);
void pp_rec_b64(struct pp_rec_rd *rd, uint8_t *ret, size_t cap, size_t *ret_len); /* "b64:" first */
unsigned pp_rec_choice(struct pp_rec_rd *rd, const char *const *words, unsigned count);
void pp_rec_done(struct pp_rec_rd *rd);

/* `cond` is a rule of the line taken last. */
void pp_rec_require(struct pp_rec_rd *rd, int cond, enum pp_code code);

/* Index of `word` among `words`, or NOT_FOUND. */
PP_MUST pp_res pp_rec_find(struct pp_span word, const char *const *words, unsigned count,
                           unsigned *ret);

extern const char *const PP_REC_ROLES[PP_RECORD_ROLES];
extern const char *const PP_REC_KINDS[PP_RECORD_KINDS];
extern const char *const PP_REC_FAMILIES[PP_RECORD_FAMILIES];

/* --- writing: one call a part, `_end` closes the line --------------------------------------- */

void pp_rec_wr_key(struct pp_wr *wr, const char *key);
void pp_rec_wr_word(struct pp_wr *wr, struct pp_span word); /* with a space before it */
void pp_rec_wr_text(struct pp_wr *wr, const char *word);
void pp_rec_wr_number(struct pp_wr *wr, uint64_t v);
void pp_rec_wr_hex(struct pp_wr *wr, const uint8_t *bytes, size_t len);
void pp_rec_wr_hex64(struct pp_wr *wr, uint64_t v);
void pp_rec_wr_sha256(struct pp_wr *wr, const uint8_t digest[PP_SHA256_BYTES]);
void pp_rec_wr_end(struct pp_wr *wr);

/* --- the release has a file of its own ------------------------------------------------------ */

void pp_rec_release_read(struct pp_rec_rd *rd, const struct pp_record *head,
                         struct pp_release *ret);
void pp_rec_release_write(struct pp_wr *wr, const struct pp_release *r);

/* Its parts that an image's manifest has too (image.h): the role; `image` to `retains`. */
void pp_rec_role_read(struct pp_rec_rd *rd, struct pp_release *r);
void pp_rec_image_read(struct pp_rec_rd *rd, struct pp_release *r);
void pp_rec_role_write(struct pp_wr *wr, const struct pp_release *r);
void pp_rec_image_write(struct pp_wr *wr, const struct pp_release *r);

#endif
