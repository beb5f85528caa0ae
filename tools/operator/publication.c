/* SPDX-License-Identifier: Apache-2.0 */
#include "publication.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image_files.h"
#include "submit.h"
#include "text.h"

enum { PIECE_BYTES = 1 << 16, NAME_BYTES = PP_PUBLISHED_NAME_MAX + 32 };

static pp_res refuse(struct pp_problem *problem, pp_res r, const char *field, const char *expected,
                     const char *got)
{
    pp_problem_set(problem, field, expected, pp_span_cstr(got));
    return r;
}

/* --- files ------------------------------------------------------------------------------------ */

static int is_plain(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

pp_res pp_published_name(struct pp_span where, char ret[PP_PUBLISHED_NAME_MAX])
{
    struct pp_span name = where, part;

    while (pp_text_cut(&name, '/', &part))
        ;
    name = part; /* the last one has no slash behind it */
    PP_CHECK(name.len > 0 && name.len < PP_PUBLISHED_NAME_MAX && is_plain(name.at[0]), PP_E_FORMAT,
             0);
    for (size_t i = 0; i < name.len; i++)
        PP_CHECK(is_plain(name.at[i]) || memchr("._-", name.at[i], 3) != NULL, PP_E_FORMAT, i);
    memcpy(ret, name.at, name.len);
    ret[name.len] = '\0';
    return PP_OK;
}

/* Copies and hashes what is read, so that what was checked is what is kept. */
static pp_res copy(int from, int to, uint8_t ret[PP_SHA256_BYTES])
{
    uint8_t piece[PIECE_BYTES];
    struct pp_hash h;
    ssize_t n;

    pp_hash_init(&h, PP_SHA256);
    while ((n = read(from, piece, sizeof piece)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return pp_errno_res(errno);
        pp_hash_update(&h, pp_span(piece, (size_t)n));
        PP_TRY(pp_fd_write(to, pp_span(piece, (size_t)n)));
    }
    pp_hash_final(&h, ret);
    return fsync(to) == 0 ? PP_OK : pp_errno_res(errno);
}

static pp_res copy_to(const char *from, int to, const uint8_t digest[PP_SHA256_BYTES],
                      struct pp_problem *problem)
{
    uint8_t own[PP_SHA256_BYTES];
    int fd = open(from, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return refuse(problem, PP_FAIL(PP_E_INPUT, errno), from, "a file that can be read",
                      pp_file_reason(pp_errno_res(errno)));
    pp_res r = copy(fd, to, own);
    (void)close(fd);
    if (!pp_is_ok(r))
        return refuse(problem, r, from, "a file that can be copied", pp_file_reason(r));
    if (memcmp(own, digest, sizeof own) == 0)
        return PP_OK;
    pp_problem_hex(problem, from, pp_span(digest, PP_SHA256_BYTES), PP_BYTES(own));
    return PP_FAIL(PP_E_RELEASE_FILE, 0);
}

/* What has the name is published: it is the file, or nothing is put in its place. */
static pp_res check_there(int dir_fd, const char *name, const uint8_t digest[PP_SHA256_BYTES],
                          struct pp_problem *problem)
{
    uint8_t own[PP_SHA256_BYTES];
    uint64_t len;

    PP_TRY(pp_file_digest(dir_fd, name, own, &len, problem));
    if (memcmp(own, digest, sizeof own) == 0)
        return PP_OK;
    return refuse(problem, PP_FAIL(PP_E_RELEASE_FILE, 0), name,
                  "no other file published under this name", "another one");
}

/* The name comes last, behind the bytes; a link fails where somebody else was quicker. */
static pp_res give_name(int dir_fd, const char *temporary, const char *name)
{
    int linked = linkat(dir_fd, temporary, dir_fd, name, 0) == 0;
    int e = errno;

    (void)unlinkat(dir_fd, temporary, 0);
    if (!linked)
        return pp_errno_res(e);
    return fsync(dir_fd) == 0 ? PP_OK : pp_errno_res(errno);
}

/* The temporary file of a run that was killed is begun anew. */
static pp_res open_temporary(int dir_fd, const char *name, char ret[NAME_BYTES], int *ret_fd)
{
    (void)snprintf(ret, NAME_BYTES, ".%s.new", name);
    (void)unlinkat(dir_fd, ret, 0);
    *ret_fd = openat(dir_fd, ret, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    return *ret_fd >= 0 ? PP_OK : pp_errno_res(errno);
}

pp_res pp_publish_file(const char *from, int dir_fd, const char *name,
                       const uint8_t digest[PP_SHA256_BYTES], struct pp_problem *problem)
{
    char temporary[NAME_BYTES];
    int fd;

    if (faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return check_there(dir_fd, name, digest, problem);
    pp_res r = open_temporary(dir_fd, name, temporary, &fd);
    if (!pp_is_ok(r))
        return refuse(problem, r, name, "a folder that can be written", pp_file_reason(r));
    r = copy_to(from, fd, digest, problem);
    (void)fchmod(fd, 0644); /* published: whatever the umask says */
    (void)close(fd);
    if (!pp_is_ok(r)) {
        (void)unlinkat(dir_fd, temporary, 0);
        return r;
    }
    r = give_name(dir_fd, temporary, name);
    return pp_is_ok(r)
               ? r
               : refuse(problem, r, name, "a folder that can be written", pp_file_reason(r));
}

pp_res pp_publish_bytes(struct pp_span bytes, int dir_fd, const char *name,
                        struct pp_problem *problem)
{
    uint8_t digest[PP_SHA256_BYTES];

    pp_sha256(bytes, digest);
    if (faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return check_there(dir_fd, name, digest, problem);
    pp_res r = pp_file_create(dir_fd, name, 0644, bytes);
    return pp_is_ok(r)
               ? r
               : refuse(problem, r, name, "a folder that can be written", pp_file_reason(r));
}

/* --- the log ---------------------------------------------------------------------------------- */

pp_res pp_submit_entry(const char *url, struct pp_span ca_pem, struct pp_span entry,
                       struct pp_submitted *ret, uint32_t *ret_rule, struct pp_problem *problem)
{
    struct pp_submit_answer a = { 0 };

    pp_res r = pp_submit_batch(url, ca_pem, &entry, 1, &a, problem);
    if (r.code == PP_E_LOG_REFUSED)
        *ret_rule = a.rule;
    PP_TRY(r);
    *ret = (struct pp_submitted){ .published = a.published, .index = a.index[0] };
    return PP_OK;
}

/* --- the proof -------------------------------------------------------------------------------- */

struct prover {
    const struct pp_policy *policy;
    struct pp_problem *problem;
    struct pp_buf checkpoint, entry, proof;
    struct pp_policy_checkpoint opened;
    struct pp_log_shown shown;
    struct pp_note note;
};

static pp_res open_checkpoint(struct prover *x, struct pp_log_source *source, uint64_t index)
{
    const struct pp_checkpoint *c = &x->opened.checkpoint;

    PP_TRY(pp_log_source_checkpoint(source, &x->checkpoint, x->problem));
    pp_res r = pp_policy_open(x->policy, pp_buf_span(&x->checkpoint), &x->opened);
    if (pp_is_ok(r))
        r = pp_policy_decide(x->policy, x->opened.witnesses.set);
    if (!pp_is_ok(r))
        return refuse(x->problem, r, "checkpoint", "the log's signature and the witnesses' quorum",
                      pp_code_text(r.code));
    if (c->size <= index) {
        pp_problem_numbers(x->problem, "size of the cosigned tree", index + 1, c->size);
        return PP_FAIL(PP_E_RELEASE_PENDING, 0);
    }
    x->shown = (struct pp_log_shown){ source, { c->size, c->root }, pp_buf_span(&x->checkpoint) };
    return PP_OK;
}

/* What stands there is the record; its signature lines may be others than those that were sent. */
static pp_res read_entry(struct prover *x, const struct pp_record_id *id, uint64_t index)
{
    struct pp_record_id own;

    PP_TRY(pp_log_entry(&x->shown, index, &x->entry, x->problem));
    PP_TRY(pp_note_parse(pp_buf_span(&x->entry), &x->note));
    pp_record_id_of(x->note.text, &own);
    if (pp_record_id_same(&own, id))
        return PP_OK;
    pp_problem_hex(x->problem, "record at the log's index", PP_BYTES(id->bytes),
                   PP_BYTES(own.bytes));
    return PP_FAIL(PP_E_LEDGER_PROOF, 0);
}

/* As whoever is given the file verifies it: from its bytes. */
static pp_res verify(struct prover *x)
{
    struct pp_merkle_hash leaf;
    struct pp_proof proof;
    struct pp_policy_checkpoint opened;

    pp_merkle_leaf(pp_buf_span(&x->entry), &leaf);
    PP_TRY(pp_proof_parse(pp_buf_span(&x->proof), &proof));
    pp_res r = pp_proof_verify(&proof, &leaf, x->policy, 0, UINT64_MAX, &opened);
    return pp_is_ok(r) ? r
                       : refuse(x->problem, r, "inclusion proof",
                                "one that leads to the cosigned root", pp_code_text(r.code));
}

static pp_res prove(struct prover *x, struct pp_log_source *source, const struct pp_record_id *id,
                    uint64_t index)
{
    PP_TRY(open_checkpoint(x, source, index));
    PP_TRY(read_entry(x, id, index));
    PP_TRY(pp_log_prove(&x->shown, index, pp_buf_span(&x->entry), &x->proof, x->problem));
    return verify(x);
}

pp_res pp_prove_logged(struct pp_log_source *source, const struct pp_policy *policy,
                       const struct pp_record_id *id, uint64_t index, struct pp_buf *ret,
                       uint64_t *ret_size, struct pp_problem *problem)
{
    struct prover *x = calloc(1, sizeof *x);

    PP_CHECK(x != NULL, PP_E_NO_MEMORY, sizeof *x);
    x->policy = policy;
    x->problem = problem;
    pp_problem_party(problem, "log");
    pp_res r = prove(x, source, id, index);
    if (pp_is_ok(r)) {
        *ret_size = x->opened.checkpoint.size;
        *ret = x->proof;
        x->proof = (struct pp_buf){ 0 };
    }
    pp_buf_done(&x->checkpoint);
    pp_buf_done(&x->entry);
    pp_buf_done(&x->proof);
    free(x);
    return r;
}
