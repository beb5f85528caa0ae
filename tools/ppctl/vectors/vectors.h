/* SPDX-License-Identifier: Apache-2.0 */
/* vectors.h: runners of test vectors, one file per topic. */
#ifndef PPCTL_VECTORS_H
#define PPCTL_VECTORS_H

#include <jansson.h>

#include "base.h"
#include "file.h"

struct vectors {
    unsigned long passed, failed, skipped;
    int verbose; /* --verbose: passed and skipped rows are named too, not only failed ones */
    int flip;    /* --flip: vectors_flip does something */
    unsigned long flipped; /* rows of it */
};

struct vectors_topic {
    const char *name;
    /*
     * Runs what stands at `path`, a file or a folder of the topic's format. Every row ends in
     * exactly one of the calls below; a file that is not of the topic is skipped with the reason,
     * one that cannot be read is a failed row.
     */
    void (*run)(struct vectors *v, const char *path);
};

/* Ends with a row whose name is NULL. */
extern const struct vectors_topic VECTORS_TOPICS[];

/* One row's verdict. `file` is a path as given, `row` names the row within it. */
void vectors_pass(struct vectors *v, const char *file, const char *row);
void vectors_fail(struct vectors *v, const char *file, const char *row, const char *why, ...)
    __attribute__((format(printf, 4, 5)));
void vectors_skip(struct vectors *v, const char *file, const char *row, const char *reason);

/*
 * One row, with --flip: evidence that a case accepts is refused with any single bit of the first
 * `len` of `bytes` flipped. `accepts` judges the whole anew, as the case did; `part` names the file
 * that the bytes are of. Gives the bytes back as they were.
 */
void vectors_flip(struct vectors *v, const char *file, const char *part, uint8_t *bytes, size_t len,
                  int (*accepts)(void *arg), void *arg);

/* Calls `each` for every regular file at or below `path`, in name order. */
void vectors_walk(struct vectors *v, const char *path,
                  void (*each)(struct vectors *v, const char *file));

/* Loads a JSON file, or counts a failed row and returns NULL. The caller drops the reference. */
json_t *vectors_load(struct vectors *v, const char *file);

/*
 * Calls `each` for every member of the array "vectors" of a JSON file, which is a failed row if it
 * has none. Another file is a README beside the data, and nothing is said of it.
 */
void vectors_rows(struct vectors *v, const char *file,
                  void (*each)(struct vectors *v, const char *file, size_t index,
                               const json_t *row));

/* The hex (either case) or Base64 text of a member, decoded into malloc'ed bytes; absent, not a
 * string or not of the encoding: NULL bytes. */
struct pp_buf vectors_hex(const json_t *object, const char *member);
struct pp_buf vectors_hex_text(const char *hex);
struct pp_buf vectors_base64(const json_t *object, const char *member);
struct pp_buf vectors_base64_text(const char *base64);

#endif
