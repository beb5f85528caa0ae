/* SPDX-License-Identifier: Apache-2.0 */
/*
 * artifact.h: canonical manifests of artifacts (docs/protocol/release.md; transparency-log B2):
 * what a model, a set of prompts or a word list is made of, file by file.
 *
 * The digest of the manifest is what a release names beside the artifact's purpose. Purpose, names,
 * sizes and modes stand in the hashed text, so that nothing can be moved, renamed or left out under
 * the same digest (W19). A parsed manifest borrows its text. Allocates nothing; any thread.
 */
#ifndef PP_ARTIFACT_H
#define PP_ARTIFACT_H

#include "hash.h"
#include "result.h"
#include "span.h"
#include "wr.h"

enum {
    PP_ARTIFACT_BYTES_MAX = 1 << 20, /* of a manifest */
    PP_ARTIFACT_FILES_MAX = 2048,
    PP_ARTIFACT_PATH_MAX = 512, /* bytes */
    PP_ARTIFACT_NAME_MAX = 255, /* bytes of one name in a path, of the purpose, of the version */
    PP_ARTIFACT_MODE_FILE = 0644,
    PP_ARTIFACT_MODE_PROGRAM = 0755,
};

struct pp_artifact_file {
    struct pp_span path; /* names separated by '/', from the artifact's folder on */
    uint64_t size;       /* bytes */
    uint32_t mode;       /* one of the two above: what else there is belongs to the machine */
    uint8_t sha256[PP_SHA256_BYTES];
};

struct pp_artifact {
    struct pp_span purpose, version;
    const struct pp_artifact_file *files; /* strictly ascending by path, bytewise */
    size_t file_count;                    /* 1.. */
};

/*
 * Reads a manifest; its files go to `files`, of which there are `cap`. Detail is the line number.
 * FORMAT, RANGE (mode, size), LIMIT, TRUNCATED, MISSING (no file), ORDER, DUPLICATE; EXISTS: two
 * paths that are one on some file system, differing in case alone, or a file that is also a folder.
 */
PP_MUST pp_res pp_artifact_parse(struct pp_span text, struct pp_artifact_file *files, size_t cap,
                                 struct pp_artifact *ret);

/*
 * Writes a manifest; the files in any order, which is changed: they are sorted. What the parser
 * would refuse is refused with its code, the detail being the line.
 */
PP_MUST pp_res pp_artifact_write(struct pp_wr *wr, struct pp_span purpose, struct pp_span version,
                                 struct pp_artifact_file *files, size_t file_count);

/*
 * Whether `text` is the manifest of this digest and of this purpose, and reads it. MISMATCH (not
 * the digest's text), UNVERIFIED (the digest is right and the purpose is another one), and the
 * codes of pp_artifact_parse.
 */
PP_MUST pp_res pp_artifact_check(struct pp_span text, const uint8_t digest[PP_SHA256_BYTES],
                                 struct pp_span purpose, struct pp_artifact_file *files, size_t cap,
                                 struct pp_artifact *ret);

#endif
