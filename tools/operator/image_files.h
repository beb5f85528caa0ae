/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_files.h: a guest image as a folder of files, from which its manifest (image.h) is made and
 * against which one is checked: docs/protocol/release.md, "The folder of an image".
 *
 *     image           the file that is published
 *     build, sbom     recipe and provenance; bill of materials
 *     firmware/LABEL  the firmware files, each under its label
 *     kernel, initrd, cmdline   what is started directly; none of them where nothing is
 *     config/NAME     the exact configuration bytes, 1 to 4 files
 *     artifacts/PURPOSE.manifest, artifacts/PURPOSE/   an artifact (artifact.h) and its content
 *     egress          which log events may leave
 *
 * Nothing of a machine reaches a manifest: no path before the folder, no time, owner or order of
 * listing.
 */
#ifndef PP_IMAGE_FILES_H
#define PP_IMAGE_FILES_H

#include "arena.h"
#include "artifact.h"
#include "image.h"
#include "problem.h"

enum {
    PP_IMAGE_FILES_ARENA_BYTES = 64 << 20, /* what a call takes from its arena, at most */
    PP_IMAGE_INPUTS_MAX = 65536,
    PP_IMAGE_FOLDERS_MAX = 32, /* how deep an artifact's folders go */
};

/* SHA-256 and length of a regular file, read in pieces. INPUT with the words in `problem`. */
PP_MUST pp_res pp_file_digest(int dir_fd, const char *path, uint8_t ret[PP_SHA256_BYTES],
                              uint64_t *ret_len, struct pp_problem *problem);

/*
 * The canonical manifest of the files below `folder`. INPUT: a link, a device or an empty folder
 * among them, which a manifest cannot say; codes of pp_artifact_write; words in `problem`.
 */
PP_MUST pp_res pp_artifact_of_folder(const char *folder, struct pp_span purpose,
                                     struct pp_span version, struct pp_arena *arena,
                                     struct pp_wr *wr, struct pp_problem *problem);

/*
 * Makes the manifest of an image: what the files of `folder` say, and `inputs`, "key = value", for
 * what no file says (docs/protocol/release.md). Writes artifacts/PURPOSE.manifest where the inputs
 * name an artifact. CONFIG (inputs), INPUT (files); the codes of pp_launch_measure.
 */
PP_MUST pp_res pp_image_of_folder(const char *folder, struct pp_span inputs, struct pp_arena *arena,
                                  struct pp_wr *wr, struct pp_problem *problem);

/*
 * Computes everything anew that files can tell: every digest, and every snp row. RELEASE_FILE, with
 * the first line that differs in `problem`, when the files are not those of the manifest; INPUT.
 * tdx and gpu rows and the rootfs are compared with nothing.
 */
PP_MUST pp_res pp_image_check_folder(const char *folder, const struct pp_release *image,
                                     struct pp_arena *arena, struct pp_problem *problem);

/*
 * Names the first line in which two texts differ: "line 7, snp", and from both what stands around
 * the difference, each behind the name of who wrote it.
 */
void pp_problem_lines(struct pp_problem *p, const char *name, struct pp_span text,
                      const char *other_name, struct pp_span other);

#endif
