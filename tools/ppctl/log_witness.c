/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppctl log witness: one add-checkpoint request, from a file, for a witness without a network.
 *
 * What it cosigned last is in the same folder, and under the same lock, as pp-witnessd's
 * (daemon/witnessd/book.h): stored before the cosignature is printed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "book.h"
#include "file.h"
#include "keys_arg.h"
#include "place.h"
#include "verbs.h"

struct job {
    struct ppctl *p;
    struct ppctl_key_args key_args;
    struct ppctl_place_args place_args;
    const char *log;
    int make_new;
    struct ppctl_key key;
    struct ppctl_place place;
    struct pp_witness_book book;
    struct pp_buf file;
    struct pp_witness_request request;
    struct pp_problem problem;
    char line[PP_NOTE_LINE_BYTES_MAX];
    size_t line_len;
    uint64_t time;
};

/* --- the witness's logs and memory ----------------------------------------------------------- */

static pp_res add_line(struct job *j, struct pp_span line)
{
    pp_res r = pp_witness_book_add(&j->book, line);

    if (pp_is_ok(r))
        return PP_OK;
    pp_problem_set(&j->problem, "log", "a log's vkey, and its origin if that is not the key's name",
                   line);
    return PP_FAIL(PP_E_CONFIG, r.code);
}

/* The logs of a policy, each under its key's name. */
static pp_res add_policy(struct job *j, const struct pp_policy *policy)
{
    static char vkeys[PP_WITNESS_KEYS_MAX][PP_VKEY_BYTES_MAX]; /* the book borrows them */

    for (size_t i = 0; i < policy->log_count && i < PP_WITNESS_KEYS_MAX; i++) {
        struct pp_wr wr = pp_wr_over(vkeys[i], sizeof vkeys[i]);
        pp_vkey_write(&wr, &policy->log_keys[i]);
        PP_TRY(add_line(j, pp_wr_done(&wr)));
    }
    return PP_OK;
}

static pp_res find_log(struct job *j)
{
    if (j->log != NULL)
        return add_line(j, pp_span_cstr(j->log));
    PP_TRY(ppctl_place_open(j->p, &j->place_args, PPCTL_NEED_LOG, &j->problem, &j->place));
    return add_policy(j, j->place.keys.log);
}

static pp_res open_book(struct job *j)
{
    if (j->make_new && mkdir(j->p->state, 0700) != 0 && errno != EEXIST)
        return pp_errno_res(errno);
    j->book.dir = open(j->p->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    pp_problem_set(&j->problem, "--state", "the witness's folder; --new makes it, once",
                   pp_span_cstr(j->p->state));
    PP_CHECK(j->book.dir >= 0, PP_E_USAGE, errno);
    pp_res r = j->make_new ? pp_witness_book_create(j->book.dir) : PP_OK;
    if (r.code == PP_E_EXISTS) {
        pp_problem_set(&j->problem, "--new", "nothing: this witness has begun before, and goes on",
                       PP_STR("--new"));
        return PP_FAIL(PP_E_USAGE, 0);
    }
    PP_TRY(r);
    /* Without its folder it would begin anew, and cosign a second history. */
    PP_CHECK(faccessat(j->book.dir, "states", F_OK, 0) == 0, PP_E_USAGE, errno);
    PP_TRY(pp_witness_book_load(&j->book));
    pp_problem_set(&j->problem, "", "", PP_STR(""));
    return PP_OK;
}

/* --- the request ------------------------------------------------------------------------------ */

/*
 * A checkpoint by itself asks from where the witness is, without a proof: right for the first one
 * and for the same one again.
 */
static pp_res as_request(struct job *j, struct pp_span bytes)
{
    static uint8_t body[PP_WITNESS_REQUEST_MAX];
    struct pp_wr wr = pp_wr_over(body, sizeof body);
    const struct pp_merkle_path none = { 0 };
    const struct pp_witness_page *page;
    struct pp_checkpoint c;
    struct pp_note note;

    if (bytes.len >= 4 && memcmp(bytes.at, "old ", 4) == 0)
        return pp_witness_request_parse(bytes, &j->request);
    PP_TRY(pp_note_parse(bytes, &note));
    PP_TRY(pp_checkpoint_parse(note.text, &c));
    page = pp_witness_book_find(&j->book, c.origin);
    uint64_t old = page == NULL || c.size < page->state.size ? 0 : page->state.size;
    pp_witness_request_write(&wr, old, &none, bytes);
    return pp_witness_request_parse(pp_wr_done(&wr), &j->request);
}

static pp_res read_request(struct job *j, const char *path)
{
    pp_res r = pp_file_read(AT_FDCWD, path, PP_WITNESS_REQUEST_MAX, &j->file);

    if (!pp_is_ok(r)) {
        pp_problem_set(&j->problem, "FILE", "an add-checkpoint request, or a checkpoint",
                       pp_span_cstr(path));
        return PP_FAIL(PP_E_INPUT, r.code);
    }
    r = as_request(j, pp_buf_span(&j->file));
    if (pp_is_ok(r))
        return PP_OK;
    pp_problem_set(&j->problem, "FILE",
                   "\"old SIZE\", proof, empty line, checkpoint; or a checkpoint",
                   pp_span_cstr(pp_code_text(r.code)));
    return PP_FAIL(PP_E_WITNESS_REQUEST, r.code);
}

/* The same refusals as those of the call, in its order. */
static pp_res refused(struct job *j, enum pp_witness_status status,
                      const struct pp_witness_page *page)
{
    const struct pp_checkpoint *c = &j->request.checkpoint;

    switch (status) {
    case PP_WITNESS_UNKNOWN_LOG:
        pp_problem_set(&j->problem, "origin", "a log that this witness knows", c->origin);
        return PP_FAIL(PP_E_LEDGER_ORIGIN, status);
    case PP_WITNESS_UNSIGNED:
        pp_problem_set(&j->problem, "signature", "a line that the log's key has made", c->origin);
        return PP_FAIL(PP_E_LEDGER_SIGNATURE, status);
    case PP_WITNESS_CONFLICT:
        pp_problem_numbers(&j->problem, "old", page->state.size, j->request.old_size);
        return PP_FAIL(PP_E_WITNESS_CONFLICT, status);
    default:
        pp_problem_numbers(&j->problem, "size", page->state.size, c->size);
        return PP_FAIL(PP_E_WITNESS_REFUSED, status);
    }
}

static pp_res cosign(struct job *j)
{
    struct pp_witness_page *page = pp_witness_book_find(&j->book, j->request.checkpoint.origin);
    struct pp_wr wr = pp_wr_over(j->line, sizeof j->line);
    const struct pp_witness_state nothing = pp_witness_state_empty();
    struct pp_witness_state next;
    enum pp_witness_status status = pp_witness_decide(page == NULL ? NULL : &page->log,
                                                      page == NULL ? &nothing : &page->state,
                                                      &j->request, &next);

    if (status != PP_WITNESS_COSIGN)
        return refused(j, status, page);
    j->time = pp_clock_posix_s(&j->p->clock);
    PP_TRY(pp_witness_book_cosign(&j->book, page, &j->request, &next, j->time, &wr));
    j->line_len = wr.len;
    return PP_OK;
}

static pp_res run(struct job *j, const char *path)
{
    PP_TRY(find_log(j));
    pp_problem_party(&j->problem, "ppctl log witness");
    PP_TRY(ppctl_key_open(&j->key_args, PP_NOTE_COSIGNATURE, &j->problem, &j->key));
    j->book.signer = &j->key.file.signer;
    PP_TRY(open_book(j));
    PP_TRY(read_request(j, path));
    return cosign(j);
}

static int print(const struct job *j)
{
    const struct pp_checkpoint *c = &j->request.checkpoint;

    if (j->p->json)
        return ppctl_print_json(json_pack("{s:s%, s:I, s:I, s:s%}", "origin", c->origin.at,
                                          c->origin.len, "size", (json_int_t)c->size, "time",
                                          (json_int_t)j->time, "line", j->line, j->line_len - 1));
    fprintf(stderr, "cosigned: %.*s, %llu entries\n", (int)c->origin.len,
            (const char *)c->origin.at, (unsigned long long)c->size);
    (void)fwrite(j->line, 1, j->line_len, stdout);
    return fflush(stdout) == 0 ? 0 : (int)PP_CLASS_FAILED;
}

int verb_log_witness(struct ppctl *p, int argc, char **argv)
{
    struct job *j = calloc(1, sizeof *j);
    const char *path;

    if (j == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    j->p = p;
    j->book.dir = -1;
    const struct ppctl_option options[] = {
        PPCTL_KEY_OPTIONS(j->key_args),
        { "--log", "'VKEY [ORIGIN]'", "the log, and its origin if that is not the key's name",
          &j->log, NULL },
        { "--trust", "DIR", "a folder whose log.policy names the log", &j->place_args.trust, NULL },
        { "--new", NULL, "the first time: begins with nothing cosigned", NULL, &j->make_new },
    };
    int status = ppctl_parse(p, "log witness", options, PP_ARRAY_COUNT(options), argc, argv, &path,
                             1, 1, NULL);
    if (status < 0) {
        pp_res r = run(j, path);
        status = pp_is_ok(r) ? print(j) : ppctl_fail(p, r, &j->problem, 0);
    }
    ppctl_key_done(&j->key);
    ppctl_place_done(&j->place);
    pp_buf_done(&j->file);
    if (j->book.dir >= 0)
        (void)close(j->book.dir);
    free(j);
    return status;
}
