/* SPDX-License-Identifier: Apache-2.0 */
/* ppctl host-set new, add, remove: the list of machines of a host-set, until it is signed. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_file.h"
#include "place.h"
#include "record_words.h"
#include "text.h"
#include "verbs.h"

enum { REGISTRATION_S = 365 * PP_DAY_S }; /* unless --until says another end */

static pp_res refuse(struct pp_problem *problem, pp_res r, const char *field, const char *expected,
                     const char *got)
{
    pp_problem_set(problem, field, expected, pp_span_cstr(got == NULL ? "nothing" : got));
    return r;
}

/* --- new ------------------------------------------------------------------------------------ */

struct new_list {
    struct ppctl *p;
    const char *base, *from, *serial, *not_after, *where;
    struct ppctl_place_args place_args;
    struct ppctl_place place;
    struct pp_problem problem;
    struct pp_host_list head;
    struct host_file old, file;
};

static pp_res read_args(struct new_list *n)
{
    const pp_res usage = PP_FAIL(PP_E_USAGE, 0);
    const uint64_t now = pp_clock_posix_s(&n->p->clock);
    struct pp_host_list *h = &n->head;

    if (n->base == NULL)
        return refuse(&n->problem, usage, "--out", "BASE, for BASE.hosts", NULL);
    if (n->serial == NULL ||
        !pp_is_ok(pp_decimal_parse(pp_span_cstr(n->serial), PP_RECORD_NUMBER_MAX, &h->serial)) ||
        h->serial == 0)
        return refuse(&n->problem, usage, "--serial", "a number from 1", n->serial);
    if (n->not_after == NULL || !ppctl_time(n->not_after, &h->not_after) || h->not_after <= now ||
        h->not_after > now + PP_HOST_SET_LIFE_S)
        return refuse(&n->problem, usage, "--not-after",
                      "POSIX seconds or an RFC 3339 time, within the next 7 days", n->not_after);
    if (n->where == NULL)
        return refuse(&n->problem, usage, "--where", "where the list will be published", NULL);
    h->where = pp_span_cstr(n->where);
    return PP_OK;
}

static pp_res copy_row(void *ctx, const struct pp_host_row *row)
{
    pp_host_row_write((struct pp_wr *)ctx, row);
    return PP_OK;
}

/* The machines of an older list; which of them stay is decided when it is signed. */
static pp_res write_list(struct new_list *n)
{
    char path[HOST_FILE_PATH_MAX];
    struct pp_host_list check;
    size_t cap = PP_HOST_LIST_HEAD_MAX + n->old.text.len;
    uint8_t *bytes = malloc(cap);
    struct pp_wr wr = pp_wr_over(bytes, cap);
    pp_res r = bytes == NULL ? PP_FAIL(PP_E_NO_MEMORY, 0) : PP_OK;

    snprintf(path, sizeof path, "%s.hosts", n->base);
    if (pp_is_ok(r))
        r = host_file_paths(path, &n->problem, &n->file);
    if (pp_is_ok(r)) {
        pp_host_list_write(&wr, &n->head);
        if (n->from != NULL)
            r = pp_host_list_read(pp_buf_span(&n->old.text), &check, copy_row, &wr);
    }
    if (pp_is_ok(r))
        r = pp_host_list_read(pp_wr_done(&wr), &check, NULL, NULL);
    if (pp_is_ok(r)) {
        r = pp_file_create(AT_FDCWD, path, 0644, pp_wr_done(&wr));
        if (!pp_is_ok(r))
            r = refuse(&n->problem, r.code == PP_E_NOT_FOUND ? PP_FAIL(PP_E_CONFIG, r.detail) : r,
                       path, "a new file",
                       r.code == PP_E_EXISTS ? "it is there" : pp_file_reason(r));
    } else if (n->problem.field[0] == '\0') {
        r = refuse(&n->problem, PP_FAIL(PP_E_INPUT, r.detail), "--where",
                   "one word of at most 255 bytes, as all names", n->where);
    }
    n->head.count = check.count;
    free(bytes);
    return r;
}

static pp_res run_new(struct new_list *n)
{
    pp_problem_party(&n->problem, "ppctl");
    PP_TRY(read_args(n));
    PP_TRY(ppctl_place_open(n->p, &n->place_args, 0, &n->problem, &n->place));
    n->problem = (struct pp_problem){ 0 };
    n->head.ledger = n->place.origin;
    n->head.name_space = n->place.name_space;
    n->head.environment = n->place.environment;
    if (n->from != NULL)
        PP_TRY(host_file_read(n->from, &n->problem, &n->old));
    return write_list(n);
}

static int say(const struct ppctl *p, const char *path, uint64_t serial, uint64_t count)
{
    if (p->json)
        return ppctl_print_json(json_pack("{s:s, s:I, s:I}", "list", path, "serial",
                                          (json_int_t)serial, "machines", (json_int_t)count));
    fprintf(stderr, "%s: serial %llu, %llu machines\n", path, (unsigned long long)serial,
            (unsigned long long)count);
    return 0;
}

int verb_host_set_new(struct ppctl *p, int argc, char **argv)
{
    struct new_list *n = calloc(1, sizeof *n);

    if (n == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    n->p = p;
    const struct ppctl_option options[] = {
        { "--out", "BASE", "makes BASE.hosts, the list", &n->base, NULL },
        { "--from", "LIST", "with the machines of an older list", &n->from, NULL },
        { "--serial", "N", "above that of the last host-set", &n->serial, NULL },
        { "--not-after", "TIME", "when the set ends, within 7 days", &n->not_after, NULL },
        { "--where", "URL", "where the list will be published", &n->where, NULL },
        PPCTL_PLACE_OPTIONS(n->place_args),
    };
    int status = ppctl_parse(p, "host-set new", options, PP_ARRAY_COUNT(options), argc, argv, NULL,
                             0, 0, NULL);
    if (status < 0) {
        pp_res r = run_new(n);
        status = pp_is_ok(r) ? say(p, n->file.path, n->head.serial, n->head.count)
                             : ppctl_fail(p, r, &n->problem, 0);
    }
    host_file_done(&n->old);
    host_file_done(&n->file);
    ppctl_place_done(&n->place);
    free(n);
    return status;
}

/* --- add, remove ---------------------------------------------------------------------------- */

struct edit {
    struct ppctl *p;
    const char *words[2]; /* list, chip id */
    const char *product, *custody, *until, *note;
    struct pp_problem problem;
    struct host_file file;
    struct pp_host_row row;
    uint8_t id[PP_HOST_ID_BYTES];
    size_t id_len;
};

static pp_res open_list(struct edit *e)
{
    PP_TRY(host_file_read(e->words[0], &e->problem, &e->file));
    if (!host_file_is_signed(&e->file))
        return PP_OK;
    return refuse(&e->problem, PP_FAIL(PP_E_EXISTS, 0), e->file.entry_path,
                  "a list that nobody has signed; the next one is made by host-set new --from",
                  "it is signed");
}

/* Upper-case digits are a person's; the list has one spelling. */
static pp_res read_id(struct edit *e)
{
    char hex[2 * PP_HOST_ID_BYTES + 1];
    size_t len = strlen(e->words[1]);

    if (len % 2 != 0 || len > 2 * PP_HOST_ID_BYTES)
        return refuse(&e->problem, PP_FAIL(PP_E_INPUT, len), "CHIPID",
                      "the hex digits of a CHIP_ID, at most 128", e->words[1]);
    for (size_t i = 0; i < len; i++) {
        char c = e->words[1][i];
        hex[i] = (char)(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
    }
    e->id_len = len / 2;
    if (!pp_is_ok(pp_hex_parse(pp_span(hex, len), e->id, e->id_len)))
        return refuse(&e->problem, PP_FAIL(PP_E_INPUT, len), "CHIPID",
                      "the hex digits of a CHIP_ID, at most 128", e->words[1]);
    return PP_OK;
}

/* Why a product line is refused is worth a sentence: whoever has such machines has to replace
 * them. */
static pp_res read_product(struct edit *e)
{
    static const char *const forgeable[] = { "milan", "rome", "naples" };
    const pp_res r = PP_FAIL(PP_E_HOST_PRODUCT, 0);

    for (size_t i = 0; i < PP_ARRAY_COUNT(forgeable); i++)
        if (e->product != NULL && strcmp(e->product, forgeable[i]) == 0)
            return refuse(&e->problem, r, "--product",
                          "genoa, turin or tdx: the keys of older chips can be taken out, so that "
                          "their reports prove nothing",
                          e->product);
    if (e->product == NULL ||
        !pp_is_ok(pp_host_product_parse(pp_span_cstr(e->product), &e->row.product)))
        return refuse(&e->problem, PP_FAIL(PP_E_USAGE, 0), "--product", "genoa, turin or tdx",
                      e->product);
    return PP_OK;
}

static pp_res read_custody(struct edit *e)
{
    static const char start[] = "sha256:";
    const size_t len = sizeof start - 1;

    if (e->custody != NULL && strncmp(e->custody, start, len) == 0 &&
        pp_is_ok(pp_hex_parse(pp_span_cstr(e->custody + len), e->row.custody, PP_SHA256_BYTES)))
        return PP_OK;
    return refuse(&e->problem, PP_FAIL(PP_E_USAGE, 0), "--custody",
                  "sha256: and the digest of the custody statement", e->custody);
}

static pp_res read_row(struct edit *e)
{
    PP_TRY(read_product(e));
    PP_TRY(read_custody(e));
    PP_TRY(read_id(e));
    if (!pp_is_ok(pp_host_row_id(e->row.product, pp_span(e->id, e->id_len), &e->row.host)))
        return refuse(&e->problem, PP_FAIL(PP_E_INPUT, e->id_len), "CHIPID",
                      "64 bytes, 8 on turin, 16 to 64 with tdx; not zeros, as of a masked chip",
                      e->words[1]);
    e->row.from = pp_clock_posix_s(&e->p->clock);
    e->row.until = e->row.from + REGISTRATION_S;
    if (e->until != NULL && (!ppctl_time(e->until, &e->row.until) || e->row.until <= e->row.from ||
                             e->row.until > PP_RECORD_TIME_MAX))
        return refuse(&e->problem, PP_FAIL(PP_E_USAGE, 0), "--until",
                      "POSIX seconds or an RFC 3339 time to come", e->until);
    if (e->note != NULL)
        e->row.note = pp_span_cstr(e->note);
    return PP_OK;
}

static pp_res check_note(struct edit *e)
{
    if (e->row.note.len > PP_HOST_NOTE_MAX)
        return refuse(&e->problem, PP_FAIL(PP_E_USAGE, 0), "--note", "one word of at most 64 bytes",
                      e->note);
    for (size_t i = 0; i < e->row.note.len; i++)
        if (e->row.note.at[i] <= 0x20 || e->row.note.at[i] > 0x7E)
            return refuse(&e->problem, PP_FAIL(PP_E_USAGE, 0), "--note",
                          "one word of printable ASCII: the list is public", e->note);
    return PP_OK;
}

static pp_res run_add(struct edit *e)
{
    pp_problem_party(&e->problem, "ppctl");
    PP_TRY(read_row(e));
    PP_TRY(check_note(e));
    PP_TRY(open_list(e));
    return host_file_rewrite(&e->file, &e->row, NULL, NULL, &e->problem);
}

static int is_other(void *ctx, const struct pp_host_row *row)
{
    const struct edit *e = (const struct edit *)ctx;
    uint8_t whole[PP_HOST_ID_BYTES] = { 0 };

    memcpy(whole, e->id, e->id_len);
    return memcmp(row->host.entry + 1, whole, sizeof whole) != 0;
}

static pp_res run_remove(struct edit *e)
{
    pp_problem_party(&e->problem, "ppctl");
    PP_TRY(read_id(e));
    PP_TRY(open_list(e));
    const uint64_t before = e->file.list.count;
    PP_TRY(host_file_rewrite(&e->file, NULL, is_other, e, &e->problem));
    if (e->file.list.count < before)
        return PP_OK;
    return refuse(&e->problem, PP_FAIL(PP_E_INPUT, 0), "CHIPID", "a machine of the list",
                  e->words[1]);
}

static int run_edit(struct ppctl *p, struct edit *e, int status, pp_res (*run)(struct edit *e))
{
    if (status < 0) {
        e->p = p;
        pp_res r = run(e);
        status = pp_is_ok(r) ? say(p, e->file.path, e->file.list.serial, e->file.list.count)
                             : ppctl_fail(p, r, &e->problem, 0);
    }
    host_file_done(&e->file);
    free(e);
    return status;
}

int verb_host_set_add(struct ppctl *p, int argc, char **argv)
{
    struct edit *e = calloc(1, sizeof *e);

    if (e == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    const struct ppctl_option options[] = {
        { "--product", "P", "genoa, turin or tdx", &e->product, NULL },
        { "--custody", "sha256:HEX", "digest of the custody statement", &e->custody, NULL },
        { "--until", "TIME", "end of the registration; default: a year", &e->until, NULL },
        { "--note", "WORD", "for people; public", &e->note, NULL },
    };

    return run_edit(p, e,
                    ppctl_parse(p, "host-set add", options, PP_ARRAY_COUNT(options), argc, argv,
                                e->words, 2, 2, NULL),
                    run_add);
}

int verb_host_set_remove(struct ppctl *p, int argc, char **argv)
{
    struct edit *e = calloc(1, sizeof *e);

    if (e == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    return run_edit(p, e,
                    ppctl_parse(p, "host-set remove", NULL, 0, argc, argv, e->words, 2, 2, NULL),
                    run_remove);
}
