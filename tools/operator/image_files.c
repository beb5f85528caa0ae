/* SPDX-License-Identifier: Apache-2.0 */
#include "image_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "kv.h"
#include "launch.h"
#include "text.h"

enum { PIECE_BYTES = 1 << 16, NAME_BYTES = PP_ARTIFACT_NAME_MAX + 32 };

/* One look at a folder. */
struct image_files {
    int fd;
    struct pp_arena *arena;
    struct pp_problem *problem;
    struct pp_release *r; /* what is filled */
};

static pp_res refuse(struct pp_problem *problem, const char *path, const char *expected,
                     const char *got)
{
    pp_problem_set(problem, path, expected, pp_span_cstr(got));
    return PP_FAIL(PP_E_INPUT, 0);
}

/* --- digests ---------------------------------------------------------------------------------- */

static pp_res digest_fd(int fd, uint8_t ret[PP_SHA256_BYTES], uint64_t *ret_len)
{
    uint8_t piece[PIECE_BYTES];
    struct pp_hash h;
    uint64_t len = 0;
    ssize_t n;

    pp_hash_init(&h, PP_SHA256);
    while ((n = read(fd, piece, sizeof piece)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return pp_errno_res(errno);
        pp_hash_update(&h, pp_span(piece, (size_t)n));
        len += (uint64_t)n;
    }
    pp_hash_final(&h, ret);
    *ret_len = len;
    return PP_OK;
}

/* A regular file and no link: O_NONBLOCK, so that a pipe that lies there stops nobody. */
static pp_res open_file(int dir_fd, const char *path, struct stat *ret_stat, int *ret_fd)
{
    int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0)
        return errno == ENOENT ? PP_FAIL(PP_E_NOT_FOUND, ENOENT) : pp_errno_res(errno);
    if (fstat(fd, ret_stat) != 0 || !S_ISREG(ret_stat->st_mode)) {
        (void)close(fd);
        return PP_FAIL(PP_E_INPUT, 0);
    }
    *ret_fd = fd;
    return PP_OK;
}

static pp_res digest_at(int dir_fd, const char *path, struct stat *ret_stat,
                        uint8_t ret[PP_SHA256_BYTES], uint64_t *ret_len)
{
    int fd;

    PP_TRY(open_file(dir_fd, path, ret_stat, &fd));
    pp_res r = digest_fd(fd, ret, ret_len);
    (void)close(fd);
    return r;
}

pp_res pp_file_digest(int dir_fd, const char *path, uint8_t ret[PP_SHA256_BYTES], uint64_t *ret_len,
                      struct pp_problem *problem)
{
    struct stat st;
    pp_res r = digest_at(dir_fd, path, &st, ret, ret_len);

    return pp_is_ok(r) ? r
                       : refuse(problem, path, "a regular file that can be read",
                                r.code == PP_E_INPUT ? "another kind of file" : pp_file_reason(r));
}

/* 1 and the digest, or 0 when there is no such file. */
static pp_res optional_digest(struct image_files *x, const char *path, uint8_t ret[PP_SHA256_BYTES],
                              int *ret_there)
{
    uint64_t len;

    *ret_there = faccessat(x->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    return *ret_there ? pp_file_digest(x->fd, path, ret, &len, x->problem) : PP_OK;
}

/* --- folders ---------------------------------------------------------------------------------- */

struct names {
    struct dirent **list;
    size_t count;
};

static int is_entry(const struct dirent *d)
{
    return !pp_span_eq(pp_span_cstr(d->d_name), PP_STR(".")) &&
           !pp_span_eq(pp_span_cstr(d->d_name), PP_STR(".."));
}

static int bytewise(const struct dirent **a, const struct dirent **b)
{
    return pp_span_cmp(pp_span_cstr((*a)->d_name), pp_span_cstr((*b)->d_name));
}

/* The names in a folder in bytewise order, whatever the locale says; none without the folder. */
static pp_res list_names(int dir_fd, const char *path, struct pp_problem *problem,
                         struct names *ret)
{
    int count = scandirat(dir_fd, path, &ret->list, is_entry, bytewise);

    if (count < 0 && errno != ENOENT)
        return refuse(problem, path, "a folder that can be read",
                      pp_file_reason(pp_errno_res(errno)));
    ret->count = count < 0 ? 0 : (size_t)count;
    return PP_OK;
}

static void names_done(struct names *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->list[i]);
    free(n->list);
    *n = (struct names){ 0 };
}

static pp_res keep(struct pp_arena *arena, const char *text, struct pp_span *ret)
{
    return pp_arena_copy(arena, pp_span_cstr(text), ret);
}

/* --- artifacts -------------------------------------------------------------------------------- */

struct walk {
    struct pp_arena *arena;
    struct pp_problem *problem;
    struct pp_artifact_file *files;
    size_t count;
    char path[PP_ARTIFACT_PATH_MAX + NAME_BYTES]; /* from the artifact's folder on */
};

static pp_res walk_folder(struct walk *w, int dir_fd, size_t len, unsigned depth);

static pp_res take_file(struct walk *w, int dir_fd, const char *name)
{
    struct stat st;

    PP_CHECK(w->count < PP_ARTIFACT_FILES_MAX, PP_E_LIMIT, w->count);
    struct pp_artifact_file *f = &w->files[w->count];
    pp_res r = digest_at(dir_fd, name, &st, f->sha256, &f->size);
    if (!pp_is_ok(r))
        return refuse(w->problem, w->path, "a regular file that can be read",
                      r.code == PP_E_INPUT || r.detail == ELOOP ? "a link or another kind of file"
                                                                : pp_file_reason(r));
    /* Who may run it is all that is left of a mode where everything is root's and read-only. */
    f->mode = (st.st_mode & S_IXUSR) != 0 ? PP_ARTIFACT_MODE_PROGRAM : PP_ARTIFACT_MODE_FILE;
    PP_TRY(keep(w->arena, w->path, &f->path));
    w->count++;
    return PP_OK;
}

static pp_res take_entry(struct walk *w, int dir_fd, const char *name, size_t len, unsigned depth)
{
    struct stat st;
    int n = snprintf(w->path + len, sizeof w->path - len, "%s%s", len > 0 ? "/" : "", name);

    PP_CHECK(n > 0 && (size_t)n < sizeof w->path - len, PP_E_LIMIT, n);
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return refuse(w->problem, w->path, "a file that stays where it is", "it went");
    if (!S_ISDIR(st.st_mode))
        return take_file(w, dir_fd, name);
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return refuse(w->problem, w->path, "a folder that can be read",
                      pp_file_reason(pp_errno_res(errno)));
    pp_res r = walk_folder(w, fd, len + (size_t)n, depth + 1);
    (void)close(fd);
    return r;
}

static pp_res walk_folder(struct walk *w, int dir_fd, size_t len, unsigned depth)
{
    struct names n = { 0 };

    if (depth > PP_IMAGE_FOLDERS_MAX)
        return refuse(w->problem, w->path, "fewer folders in one another", "too many");
    PP_TRY(list_names(dir_fd, ".", w->problem, &n));
    pp_res r = PP_OK;
    if (n.count == 0) /* it would be in no line: two folders, one manifest */
        r = refuse(w->problem, len > 0 ? w->path : "artifact", "a folder with files",
                   "an empty one");
    for (size_t i = 0; pp_is_ok(r) && i < n.count; i++)
        r = take_entry(w, dir_fd, n.list[i]->d_name, len, depth);
    names_done(&n);
    return r;
}

static pp_res artifact_at(int fd, struct pp_span purpose, struct pp_span version,
                          struct pp_arena *arena, struct pp_wr *wr, struct pp_problem *problem)
{
    struct walk w = { .arena = arena, .problem = problem };

    w.files = pp_arena_array(arena, PP_ARTIFACT_FILES_MAX, sizeof *w.files);
    PP_CHECK(w.files != NULL, PP_E_NO_MEMORY, 0);
    PP_TRY(walk_folder(&w, fd, 0, 0));
    pp_res r = pp_artifact_write(wr, purpose, version, w.files, w.count);
    if (!pp_is_ok(r)) {
        char got[PP_ARTIFACT_PATH_MAX + 1] = "";
        size_t line = r.detail >= 3 && r.detail - 3 < w.count ? r.detail - 3 : 0;
        pp_printable(got, sizeof got, w.files[line].path);
        pp_problem_set(problem, "artifact", pp_code_text(r.code), pp_span_cstr(got));
    }
    return r;
}

pp_res pp_artifact_of_folder(const char *folder, struct pp_span purpose, struct pp_span version,
                             struct pp_arena *arena, struct pp_wr *wr, struct pp_problem *problem)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return refuse(problem, folder, "a folder that can be read",
                      pp_file_reason(pp_errno_res(errno)));
    pp_res r = artifact_at(fd, purpose, version, arena, wr, problem);
    (void)close(fd);
    return r;
}

/* The content that lies beside a manifest gives that manifest. */
static pp_res check_content(struct image_files *x, const char *folder, struct pp_span text,
                            const struct pp_artifact *a)
{
    int fd = openat(x->fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 && errno == ENOENT) /* weights may be elsewhere; their digests are in the manifest */
        return PP_OK;
    if (fd < 0)
        return refuse(x->problem, folder, "a folder that can be read",
                      pp_file_reason(pp_errno_res(errno)));
    uint8_t *again = pp_arena_alloc(x->arena, PP_ARTIFACT_BYTES_MAX);
    struct pp_wr wr = pp_wr_over(again, again == NULL ? 0 : PP_ARTIFACT_BYTES_MAX);
    pp_res r = again == NULL ? PP_FAIL(PP_E_NO_MEMORY, 0)
                             : artifact_at(fd, a->purpose, a->version, x->arena, &wr, x->problem);
    (void)close(fd);
    if (pp_is_ok(r) && !pp_span_eq(pp_wr_done(&wr), text)) {
        pp_problem_lines(x->problem, folder, text, "files", pp_wr_done(&wr));
        r = PP_FAIL(PP_E_RELEASE_FILE, 0);
    }
    return r;
}

static pp_res read_artifact(struct image_files *x, const char *path, struct pp_span purpose,
                            struct pp_release_named *ret)
{
    struct pp_buf text = { 0 };
    struct pp_artifact a;
    struct pp_artifact_file *files = pp_arena_array(x->arena, PP_ARTIFACT_FILES_MAX, sizeof *files);
    char folder[NAME_BYTES];

    PP_CHECK(files != NULL, PP_E_NO_MEMORY, 0);
    snprintf(folder, sizeof folder, "artifacts/%.*s", (int)purpose.len, (const char *)purpose.at);
    pp_res r = pp_file_read(x->fd, path, PP_ARTIFACT_BYTES_MAX, &text);
    if (pp_is_ok(r)) {
        pp_sha256(pp_buf_span(&text), ret->sha256);
        r = pp_artifact_check(pp_buf_span(&text), ret->sha256, purpose, files,
                              PP_ARTIFACT_FILES_MAX, &a);
    }
    if (!pp_is_ok(r))
        r = refuse(x->problem, path, "the manifest of an artifact of this purpose",
                   r.code == PP_E_UNVERIFIED ? "one of another purpose" : pp_file_reason(r));
    else
        r = check_content(x, folder, pp_buf_span(&text), &a);
    pp_buf_done(&text);
    return r;
}

/* What of a name stands before `ending`; empty when it does not end so. */
static struct pp_span before_ending(const char *name, struct pp_span ending)
{
    struct pp_span s = pp_span_cstr(name);

    if (s.len <= ending.len || !pp_span_eq(pp_span(s.at + s.len - ending.len, ending.len), ending))
        return pp_span(NULL, 0);
    return pp_span(s.at, s.len - ending.len);
}

static pp_res fill_artifacts(struct image_files *x)
{
    struct names n = { 0 };
    struct pp_release *rel = x->r;
    char path[NAME_BYTES];

    PP_TRY(list_names(x->fd, "artifacts", x->problem, &n));
    pp_res r = PP_OK;
    rel->artifact_count = 0;
    for (size_t i = 0; pp_is_ok(r) && i < n.count; i++) {
        struct pp_span purpose = before_ending(n.list[i]->d_name, PP_STR(".manifest"));
        if (purpose.len == 0)
            continue;
        snprintf(path, sizeof path, "artifacts/%s", n.list[i]->d_name);
        if (rel->artifact_count == PP_RELEASE_ARTIFACT_MAX) {
            r = refuse(x->problem, path, "fewer artifacts", "one too many");
            break;
        }
        struct pp_release_named *a = &rel->artifacts[rel->artifact_count++];
        r = pp_arena_copy(x->arena, purpose, &a->name);
        if (pp_is_ok(r))
            r = read_artifact(x, path, a->name, a);
    }
    names_done(&n);
    return r;
}

/* --- the parts of an image -------------------------------------------------------------------- */

static pp_res fill_firmware(struct image_files *x)
{
    struct names n = { 0 };
    struct pp_release *rel = x->r;
    char path[NAME_BYTES];
    uint64_t len;

    PP_TRY(list_names(x->fd, "firmware", x->problem, &n));
    pp_res r = PP_OK;
    rel->firmware_count = 0;
    for (size_t i = 0; pp_is_ok(r) && i < n.count; i++) {
        snprintf(path, sizeof path, "firmware/%s", n.list[i]->d_name);
        if (rel->firmware_count == PP_RELEASE_FIRMWARE_MAX) {
            r = refuse(x->problem, path, "fewer firmware files", "one too many");
            break;
        }
        struct pp_release_named *f = &rel->firmware[rel->firmware_count++];
        r = keep(x->arena, n.list[i]->d_name, &f->name);
        if (pp_is_ok(r))
            r = pp_file_digest(x->fd, path, f->sha256, &len, x->problem);
    }
    names_done(&n);
    return r;
}

static int by_digest(const void *a, const void *b)
{
    return memcmp(a, b, PP_SHA256_BYTES);
}

static pp_res fill_configs(struct image_files *x)
{
    struct names n = { 0 };
    struct pp_release *rel = x->r;
    char path[NAME_BYTES];
    uint64_t len;

    PP_TRY(list_names(x->fd, "config", x->problem, &n));
    pp_res r = PP_OK;
    if (n.count == 0 || n.count > PP_RELEASE_CONFIG_MAX)
        r = refuse(x->problem, "config/", "1 to 4 configurations", n.count == 0 ? "none" : "more");
    rel->config_count = 0;
    for (size_t i = 0; pp_is_ok(r) && i < n.count; i++) {
        snprintf(path, sizeof path, "config/%s", n.list[i]->d_name);
        r = pp_file_digest(x->fd, path, rel->config[rel->config_count++], &len, x->problem);
    }
    names_done(&n);
    qsort(rel->config, rel->config_count, PP_SHA256_BYTES, by_digest);
    return r;
}

static pp_res fill_boot(struct image_files *x)
{
    struct pp_release *rel = x->r;
    struct pp_buf cmdline = { 0 };

    PP_TRY(optional_digest(x, "kernel", rel->kernel, &rel->has_kernel));
    PP_TRY(optional_digest(x, "initrd", rel->initrd, &rel->has_initrd));
    rel->has_cmdline = faccessat(x->fd, "cmdline", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    rel->cmdline_len = 0;
    if (!rel->has_cmdline)
        return PP_OK;
    pp_res r = pp_file_read(x->fd, "cmdline", PP_RELEASE_CMDLINE_MAX, &cmdline);
    if (!pp_is_ok(r))
        return refuse(x->problem, "cmdline", "the exact bytes, at most 3000", pp_file_reason(r));
    memcpy(rel->cmdline, cmdline.bytes, cmdline.len);
    rel->cmdline_len = cmdline.len;
    pp_buf_done(&cmdline);
    return PP_OK;
}

/* --- measurements ----------------------------------------------------------------------------- */

static pp_res vmm_of(struct pp_span word, enum pp_vmm *ret)
{
    if (pp_span_eq(word, PP_STR("QEMU")))
        *ret = PP_VMM_QEMU;
    else if (pp_span_eq(word, PP_STR("ec2")))
        *ret = PP_VMM_EC2;
    else if (pp_span_eq(word, PP_STR("gce")))
        *ret = PP_VMM_GCE;
    else
        return PP_FAIL(PP_E_NOT_FOUND, 0);
    return PP_OK;
}

/* Of exactly the digests that the manifest names; an absent initrd is one of no bytes. */
static void hashes_of(const struct pp_release *r, struct pp_kernel_hashes *ret)
{
    struct pp_hash h;

    memcpy(ret->kernel, r->kernel, sizeof ret->kernel);
    pp_sha256(pp_span(NULL, 0), ret->initrd);
    if (r->has_initrd)
        memcpy(ret->initrd, r->initrd, sizeof ret->initrd);
    pp_hash_init(&h, PP_SHA256);
    pp_hash_update(&h, pp_span(r->cmdline, r->cmdline_len));
    pp_hash_u8(&h, 0);
    pp_hash_final(&h, ret->cmdline);
}

static pp_res measure_with(struct pp_span file, const struct pp_release *rel,
                           const struct pp_release_snp *row, const struct pp_image_label *label,
                           uint8_t ret[PP_SHA384_BYTES])
{
    struct pp_firmware firmware;
    struct pp_kernel_hashes hashes;
    struct pp_launch l = { .firmware = &firmware,
                           .vcpus = row->vcpus,
                           .guest_features = label->features };

    PP_TRY(pp_firmware_parse(file, &firmware));
    PP_TRY(vmm_of(row->vmm, &l.vmm));
    PP_TRY(pp_vcpu_signature_by_name(label->cpu, &l.vcpu_sig));
    if (rel->has_kernel) {
        hashes_of(rel, &hashes);
        l.hashes = &hashes;
    }
    return pp_launch_measure(&l, ret);
}

static const struct pp_release_named *firmware_of(const struct pp_release *r, struct pp_span name)
{
    for (size_t i = 0; i < r->firmware_count; i++)
        if (pp_span_eq(r->firmware[i].name, name))
            return &r->firmware[i];
    return NULL;
}

/* The file that the manifest lists under this name, with the digest that stands there: a label is
 * the author's word, and would lead out of the folder too. */
static pp_res read_firmware(struct image_files *x, struct pp_span name, struct pp_buf *ret)
{
    static const char *const expected = "the firmware of an snp row, listed with its digest";
    const struct pp_release_named *listed = firmware_of(x->r, name);
    uint8_t digest[PP_SHA256_BYTES];
    char path[NAME_BYTES];

    if (listed == NULL)
        return refuse(x->problem, "snp", expected, "one that is not in firmware/");
    snprintf(path, sizeof path, "firmware/%.*s", (int)name.len, (const char *)name.at);
    pp_res r = pp_file_read(x->fd, path, PP_FIRMWARE_BYTES_MAX, ret);
    if (!pp_is_ok(r))
        return refuse(x->problem, path, expected, pp_file_reason(r));
    pp_sha256(pp_buf_span(ret), digest);
    if (memcmp(digest, listed->sha256, sizeof digest) == 0)
        return PP_OK;
    pp_buf_done(ret);
    return refuse(x->problem, path, expected, "a file that has changed");
}

static pp_res measure_row(struct image_files *x, struct pp_release_snp *row)
{
    struct pp_image_label label;
    struct pp_buf file = { 0 };
    char words[PP_RECORD_WORD_MAX + 1];

    pp_printable(words, sizeof words, row->label);
    if (!pp_is_ok(pp_image_label_parse(row->label, &label)))
        return refuse(x->problem, "snp", "a label FIRMWARE:CPU-MODEL:FEATURES, to measure from",
                      words);
    PP_TRY(read_firmware(x, label.firmware, &file));
    pp_res r = measure_with(pp_buf_span(&file), x->r, row, &label, row->measurement);
    pp_buf_done(&file);
    return pp_is_ok(r) ? r
                       : refuse(x->problem, "snp",
                                "a firmware, CPU model, VMM and kernel to measure", words);
}

/* --- all of them ------------------------------------------------------------------------------ */

static pp_res fill(struct image_files *x)
{
    struct pp_release *rel = x->r;
    uint64_t len;

    PP_TRY(pp_file_digest(x->fd, "image", rel->image.sha256, &rel->image.bytes, x->problem));
    PP_TRY(pp_file_digest(x->fd, "build", rel->build, &len, x->problem));
    PP_TRY(pp_file_digest(x->fd, "sbom", rel->sbom, &len, x->problem));
    PP_TRY(pp_file_digest(x->fd, "egress", rel->egress, &len, x->problem));
    PP_TRY(fill_firmware(x));
    PP_TRY(fill_boot(x));
    PP_TRY(fill_configs(x));
    PP_TRY(fill_artifacts(x));
    for (size_t i = 0; i < rel->snp_count; i++)
        PP_TRY(measure_row(x, &rel->snp[i]));
    return PP_OK;
}

static pp_res fill_from(const char *folder, struct pp_release *r, struct pp_arena *arena,
                        struct pp_problem *problem)
{
    struct image_files x = { .arena = arena, .problem = problem, .r = r };

    x.fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (x.fd < 0)
        return refuse(problem, folder, "the folder of an image",
                      pp_file_reason(pp_errno_res(errno)));
    pp_res res = fill(&x);
    (void)close(x.fd);
    return res;
}

/* --- making ----------------------------------------------------------------------------------- */

struct inputs {
    struct pp_span role, where, repository, commit, rootfs, snp_policy, tdx_min_svn;
    struct pp_kv_list snp, snp_min_tcb, tdx, gpu, artifacts;
    uint32_t retains;
};

#define AT(field) offsetof(struct inputs, field)

static const struct pp_kv_key KEYS[] = {
    { "role", PP_KV_TEXT, AT(role), 1, 1, 64, "gateway, guard, orchestrator or predictor" },
    { "where", PP_KV_TEXT, AT(where), 1, 1, PP_RECORD_WORD_MAX, "where the image is published" },
    { "repository", PP_KV_TEXT, AT(repository), 1, 1, PP_RECORD_WORD_MAX, "where the source is" },
    { "commit", PP_KV_TEXT, AT(commit), 1, 40, 64, "40 or 64 hex digits" },
    { "rootfs", PP_KV_TEXT, AT(rootfs), 0, 64, 64, "64 hex digits, the dm-verity root" },
    { "snp", PP_KV_LIST, AT(snp), 0, 1, 0, "FIRMWARE:CPU-MODEL:FEATURES FAMILY VMM VCPUS" },
    { "snp_policy", PP_KV_TEXT, AT(snp_policy), 0, 33, 33, "MASK VALUE, 16 hex digits each" },
    { "snp_min_tcb", PP_KV_LIST, AT(snp_min_tcb), 0, 1, 0,
      "FAMILY BOOTLOADER TEE SNP MICROCODE [FMC]" },
    { "tdx", PP_KV_LIST, AT(tdx), 0, 1, 0, "LABEL VCPUS MRTD RTMR0 RTMR1 RTMR2" },
    { "tdx_min_svn", PP_KV_TEXT, AT(tdx_min_svn), 0, 32, 32, "32 hex digits" },
    { "gpu", PP_KV_LIST, AT(gpu), 0, 1, 0, "MODEL VBIOS DRIVER sha256:RIM sha256:RIM" },
    { "artifact", PP_KV_LIST, AT(artifacts), 0, 1, 0, "PURPOSE VERSION" },
    { "retains", PP_KV_FLAG, AT(retains), 0, 0, 0, "yes or no" },
};

/* A line of the draft: key, what was given, and zeros for what is computed. */
static void draft_line(struct pp_wr *wr, const char *key, struct pp_span value, size_t zeros)
{
    pp_wr_text(wr, key);
    pp_wr_u8(wr, ' ');
    pp_wr_span(wr, value);
    if (zeros > 0)
        pp_wr_u8(wr, ' ');
    for (size_t i = 0; i < zeros; i++)
        pp_wr_u8(wr, '0');
    pp_wr_u8(wr, '\n');
}

static void draft_list(struct pp_wr *wr, const char *key, const struct pp_kv_list *list,
                       size_t zeros)
{
    for (size_t i = 0; i < list->count; i++)
        draft_line(wr, key, list->items[i], zeros);
}

#define NO_DIGEST "sha256:0000000000000000000000000000000000000000000000000000000000000000"

/*
 * The manifest with zeros where files will speak: the one grammar decides about all that was given.
 * A row's measurement is its last word, so rows keep their order when it comes.
 */
static void write_draft(struct pp_wr *wr, const struct inputs *in)
{
    draft_line(wr, "type", PP_STR("image-manifest/v1"), 0);
    draft_line(wr, "role", in->role, 0);
    pp_wr_text(wr, "image " NO_DIGEST " 1 ");
    pp_wr_span(wr, in->where);
    pp_wr_text(wr, "\nsource ");
    pp_wr_span(wr, in->repository);
    pp_wr_u8(wr, ' ');
    pp_wr_span(wr, in->commit);
    pp_wr_text(wr, "\nbuild " NO_DIGEST "\nsbom " NO_DIGEST "\n");
    if (in->rootfs.len > 0) {
        pp_wr_text(wr, "rootfs sha256:");
        pp_wr_span(wr, in->rootfs);
        pp_wr_u8(wr, '\n');
    }
    draft_list(wr, "snp", &in->snp, 2 * (size_t)PP_SHA384_BYTES);
    if (in->snp_policy.len > 0)
        draft_line(wr, "snp-policy", in->snp_policy, 0);
    draft_list(wr, "snp-min-tcb", &in->snp_min_tcb, 0);
    draft_list(wr, "tdx", &in->tdx, 0);
    if (in->tdx_min_svn.len > 0)
        draft_line(wr, "tdx-min-svn", in->tdx_min_svn, 0);
    draft_list(wr, "gpu", &in->gpu, 0);
    pp_wr_text(wr, "config " NO_DIGEST "\negress " NO_DIGEST "\n");
    if (in->retains)
        pp_wr_text(wr, "retains\n");
}

/* The line of a text, from 1; empty when there is none. */
static struct pp_span line_of(struct pp_span text, size_t number)
{
    struct pp_span line = { 0 };

    for (size_t i = 0; i < number; i++)
        (void)pp_text_cut(&text, '\n', &line);
    return line;
}

static pp_res read_draft(const struct inputs *in, struct pp_arena *arena,
                         struct pp_problem *problem, struct pp_release *ret)
{
    uint8_t *text = pp_arena_alloc(arena, PP_RECORD_BYTES_MAX);
    struct pp_wr wr = pp_wr_over(text, text == NULL ? 0 : PP_RECORD_BYTES_MAX);

    PP_CHECK(text != NULL, PP_E_NO_MEMORY, 0);
    write_draft(&wr, in);
    PP_TRY(pp_wr_ok(&wr));
    pp_res r = pp_image_parse(pp_wr_done(&wr), ret);
    if (!pp_is_ok(r)) {
        pp_problem_set(problem, "inputs", pp_code_text(r.code), line_of(pp_wr_done(&wr), r.detail));
        r.code = PP_E_CONFIG;
    }
    return r;
}

/* artifacts/PURPOSE.manifest of what lies in artifacts/PURPOSE/. */
static pp_res write_artifact(const char *folder, struct pp_span given, struct pp_arena *arena,
                             struct pp_problem *problem)
{
    struct pp_span purpose, version = given;
    char content[4096], path[sizeof content + 16];
    uint8_t *text = pp_arena_alloc(arena, PP_ARTIFACT_BYTES_MAX);
    struct pp_wr wr = pp_wr_over(text, text == NULL ? 0 : PP_ARTIFACT_BYTES_MAX);

    PP_CHECK(text != NULL, PP_E_NO_MEMORY, 0);
    if (!pp_text_cut(&version, ' ', &purpose) || purpose.len > PP_ARTIFACT_NAME_MAX ||
        memchr(purpose.at, '/', purpose.len) != NULL || purpose.at[0] == '.') {
        pp_problem_set(problem, "artifact", "PURPOSE VERSION, the purpose being a file's name",
                       given);
        return PP_FAIL(PP_E_CONFIG, 0);
    }
    int n = snprintf(content, sizeof content, "%s/artifacts/%.*s", folder, (int)purpose.len,
                     (const char *)purpose.at);
    PP_CHECK(n > 0 && n < (int)sizeof content, PP_E_RANGE, n);
    PP_TRY(pp_artifact_of_folder(content, purpose, version, arena, &wr, problem));
    snprintf(path, sizeof path, "%s.manifest", content);
    return pp_file_update(AT_FDCWD, path, 0644, pp_wr_done(&wr));
}

pp_res pp_image_of_folder(const char *folder, struct pp_span inputs, struct pp_arena *arena,
                          struct pp_wr *wr, struct pp_problem *problem)
{
    struct inputs in = { 0 };
    struct pp_release *r = pp_arena_alloc(arena, sizeof *r);

    PP_CHECK(r != NULL, PP_E_NO_MEMORY, 0);
    PP_TRY(pp_kv_read(inputs, KEYS, PP_ARRAY_COUNT(KEYS), &in, problem));
    PP_TRY(read_draft(&in, arena, problem, r));
    for (size_t i = 0; i < in.artifacts.count; i++)
        PP_TRY(write_artifact(folder, in.artifacts.items[i], arena, problem));
    PP_TRY(fill_from(folder, r, arena, problem));
    pp_res res = pp_image_write(wr, r);
    if (!pp_is_ok(res))
        pp_problem_set(problem, folder, pp_code_text(res.code),
                       line_of(pp_wr_done(wr), res.detail));
    return res;
}

/* --- checking --------------------------------------------------------------------------------- */

pp_res pp_image_check_folder(const char *folder, const struct pp_release *image,
                             struct pp_arena *arena, struct pp_problem *problem)
{
    struct pp_release *own = pp_arena_alloc(arena, sizeof *own);
    uint8_t *texts = pp_arena_array(arena, 2, PP_RECORD_BYTES_MAX);
    struct pp_wr said = pp_wr_over(texts, PP_RECORD_BYTES_MAX);

    PP_CHECK(own != NULL && texts != NULL, PP_E_NO_MEMORY, 0);
    struct pp_wr found = pp_wr_over(texts + PP_RECORD_BYTES_MAX, PP_RECORD_BYTES_MAX);
    *own = *image;
    PP_TRY(fill_from(folder, own, arena, problem));
    PP_TRY(pp_image_write(&said, image));
    /* What the files say may be no manifest at all; it is compared with one all the same. */
    pp_ignore(pp_image_write(&found, own), "the texts are compared, whole");
    if (pp_span_eq(pp_wr_done(&said), pp_wr_done(&found)))
        return PP_OK;
    pp_problem_lines(problem, "signed", pp_wr_done(&said), "files", pp_wr_done(&found));
    return PP_FAIL(PP_E_RELEASE_FILE, 0);
}

/* --- words ------------------------------------------------------------------------------------ */

/* "NAME: ...what stands around the difference". */
static void line_words(char *ret, size_t cap, const char *name, struct pp_span line, size_t from)
{
    char shown[160];
    size_t skip = from > 24 ? from - 24 : 0;

    pp_printable(shown, sizeof shown, pp_span(line.at + skip, line.len - skip));
    snprintf(ret, cap, "%.64s: %s%s", name, skip > 0 ? "..." : "",
             line.len == 0 ? "nothing" : shown);
}

void pp_problem_lines(struct pp_problem *p, const char *name, struct pp_span text,
                      const char *other_name, struct pp_span other)
{
    struct pp_span a, b, key;
    size_t number = 0, same = 0;
    char field[96], expected[256], got[256], word[48];

    do {
        (void)pp_text_cut(&text, '\n', &a);
        (void)pp_text_cut(&other, '\n', &b);
        number++;
    } while (pp_span_eq(a, b) && (text.len > 0 || other.len > 0));
    while (same < a.len && same < b.len && a.at[same] == b.at[same])
        same++;
    struct pp_span rest = a.len > 0 ? a : b;
    (void)pp_text_cut(&rest, ' ', &key);
    pp_printable(word, sizeof word, key);
    snprintf(field, sizeof field, "line %zu, %s", number, word);
    line_words(expected, sizeof expected, name, a, same);
    line_words(got, sizeof got, other_name, b, same);
    pp_problem_set(p, field, expected, pp_span_cstr(got));
}
