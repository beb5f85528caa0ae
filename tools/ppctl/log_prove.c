/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppctl log prove: one entry with everything that its reader needs, in two files that do not age:
 * the entry, and its tlog-proof (C2SP) under the checkpoint that the log shows now.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "log_arg.h"
#include "record_sign.h"
#include "text.h"
#include "verbs.h"

struct proving {
    struct ppctl *p;
    struct log_args args;
    const char *index, *id, *entry_file, *out, *entry_out;
    struct log_pins pins;
    struct log_at at;
    struct pp_problem problem;
    struct pp_record_id wanted; /* --id */
    struct pp_merkle_hash leaf; /* --entry */
    uint64_t found;             /* the first entry that it is */
    struct pp_buf entry, proof;
};

/* --- which entry ---------------------------------------------------------------------------- */

static pp_res refuse(struct proving *x, uint32_t code, const char *field, const char *expected,
                     const char *got)
{
    pp_problem_set(&x->problem, field, expected, pp_span_cstr(got));
    return PP_FAIL(code, 0);
}

static int is_wanted(const struct proving *x, struct pp_span entry)
{
    struct pp_merkle_hash leaf;
    struct pp_record_id id;
    struct pp_note note;

    if (x->id == NULL) {
        pp_merkle_leaf(entry, &leaf);
        return pp_merkle_same(&leaf, &x->leaf);
    }
    if (!pp_is_ok(pp_note_parse(entry, &note)))
        return 0;
    pp_record_id_of(note.text, &id);
    return pp_record_id_same(&id, &x->wanted);
}

static pp_res look_at(void *ctx, uint64_t index, struct pp_span entry)
{
    struct proving *x = ctx;

    if (x->found == UINT64_MAX && is_wanted(x, entry))
        x->found = index;
    return PP_OK;
}

/* By what it says it is found by reading; all of the log is checked on the way. */
static pp_res search(struct proving *x)
{
    const struct pp_log_shown shown = log_at_shown(&x->at);
    const struct pp_log_reader_config c = {
        .source = x->at.source,
        .tree = shown.tree,
        .entry = look_at,
        .ctx = x,
    };
    struct pp_log_reader *reader;

    x->found = UINT64_MAX;
    PP_TRY(pp_log_reader_new(&c, &reader));
    pp_res r = pp_log_reader_finish(reader, &x->problem);
    pp_log_reader_free(reader);
    PP_TRY(r);
    if (x->found != UINT64_MAX)
        return PP_OK;
    return refuse(x, PP_E_NOT_FOUND, x->id != NULL ? "--id" : "--entry", "an entry of the log",
                  x->id != NULL ? x->id : x->entry_file);
}

static pp_res read_wanted(struct proving *x)
{
    struct pp_buf file = { 0 };

    if (x->id != NULL) {
        if (!pp_is_ok(pp_hex_parse(pp_span_cstr(x->id), x->wanted.bytes, sizeof x->wanted.bytes)))
            return refuse(x, PP_E_USAGE, "--id", "64 lower-case hex digits", x->id);
        return PP_OK;
    }
    pp_res r = pp_file_read(AT_FDCWD, x->entry_file, PP_ENTRY_BYTES_MAX, &file);
    if (!pp_is_ok(r))
        return refuse(x, PP_E_INPUT, x->entry_file, "a readable entry of at most 65535 bytes",
                      pp_file_reason(r));
    pp_merkle_leaf(pp_buf_span(&file), &x->leaf);
    pp_buf_done(&file);
    return PP_OK;
}

static pp_res choose(struct proving *x)
{
    char got[48];

    if (x->index == NULL)
        return search(x);
    if (!pp_is_ok(pp_decimal_parse(pp_span_cstr(x->index), PP_MERKLE_SIZE_MAX, &x->found)))
        return refuse(x, PP_E_USAGE, "--index", "a number, from 0", x->index);
    if (x->found < x->at.opened.checkpoint.size)
        return PP_OK;
    snprintf(got, sizeof got, "a log of %llu entries",
             (unsigned long long)x->at.opened.checkpoint.size);
    return refuse(x, PP_E_NOT_FOUND, "--index", x->index, got);
}

/* --- the verb ------------------------------------------------------------------------------- */

static pp_res check_options(struct proving *x)
{
    pp_problem_party(&x->problem, "ppctl");
    if ((x->index != NULL) + (x->id != NULL) + (x->entry_file != NULL) != 1)
        return refuse(x, PP_E_USAGE, "--index", "one of --index, --id and --entry",
                      "none or several");
    if (x->out == NULL)
        return refuse(x, PP_E_USAGE, "--out", "where the proof goes", "nothing");
    return x->index != NULL ? PP_OK : read_wanted(x);
}

static pp_res run(struct proving *x)
{
    char place[PP_LOG_SOURCE_PLACE_MAX];
    struct pp_log_source_config from;

    PP_TRY(check_options(x));
    PP_TRY(log_pins_open(x->p, &x->args, &x->problem, &x->pins));
    PP_TRY(log_source_of(x->p, &x->args, &x->pins, place, &from));
    PP_TRY(log_at_open(&from, &x->pins, &x->problem, &x->at));
    PP_TRY(choose(x));
    const struct pp_log_shown shown = log_at_shown(&x->at);
    PP_TRY(pp_log_entry(&shown, x->found, &x->entry, &x->problem));
    PP_TRY(pp_log_prove(&shown, x->found, pp_buf_span(&x->entry), &x->proof, &x->problem));
    if (x->entry_out != NULL)
        PP_TRY(ppctl_write_out(x->entry_out, 1, pp_buf_span(&x->entry), &x->problem));
    return ppctl_write_out(x->out, 1, pp_buf_span(&x->proof), &x->problem);
}

static int tell(const struct proving *x)
{
    if (!x->p->json) {
        printf("entry %llu of %llu, proven in %s (%zu bytes)\n", (unsigned long long)x->found,
               (unsigned long long)x->at.opened.checkpoint.size, x->out, x->proof.len);
        return 0;
    }
    json_t *o = json_pack("{s:s, s:I, s:I, s:s, s:I}", "folder", pp_log_source_place(x->at.source),
                          "index", (json_int_t)x->found, "entry_bytes", (json_int_t)x->entry.len,
                          "proof", x->out, "proof_bytes", (json_int_t)x->proof.len);
    log_put_checkpoint(o, &x->pins, &x->at.opened, x->at.quorum_posix_s);
    return ppctl_print_json(o);
}

int verb_log_prove(struct ppctl *p, int argc, char **argv)
{
    struct proving *x = calloc(1, sizeof *x);

    if (x == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    const struct ppctl_option options[] = {
        { "--index", "N", "the entry of this number, from 0", &x->index, NULL },
        { "--id", "HEX", "the record of this id", &x->id, NULL },
        { "--entry", "FILE", "the entry that has these bytes", &x->entry_file, NULL },
        { "--out", "FILE", "where the proof goes (.tlog-proof)", &x->out, NULL },
        { "--entry-out", "FILE", "where the entry itself goes", &x->entry_out, NULL },
        LOG_OPTIONS(x->args),
        LOG_POLICY_OPTION(x->args),
        PPCTL_PLACE_OPTIONS(x->args.place),
    };
    int status = ppctl_parse(p, "log prove", options, PP_ARRAY_COUNT(options), argc, argv, NULL, 0,
                             0, NULL);
    if (status < 0) {
        x->p = p;
        pp_res r = run(x);
        status = pp_is_ok(r) ? tell(x) : ppctl_fail(p, r, &x->problem, 0);
    }
    pp_buf_done(&x->entry);
    pp_buf_done(&x->proof);
    log_at_done(&x->at);
    log_pins_done(&x->pins);
    free(x);
    return status;
}
