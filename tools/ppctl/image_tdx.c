/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppctl image measure tdx: MRTD from a firmware file, RTMR1 and RTMR2 of a direct boot from kernel,
 * initrd and command line, RTMR0 to RTMR3 from an event log, and whether a quote has exactly these.
 * The quote is only read here; ppctl verify tdx verifies it.
 */
#include <stdio.h>
#include <string.h>

#include "direct_boot.h"
#include "eventlog.h"
#include "image_arg.h"
#include "tdvf.h"
#include "tdx.h"

struct job {
    const struct ppctl *p;
    const struct image_args *a;
    struct pp_buf firmware_file, kernel_file, initrd_file, log_file, quote_file;
    enum pp_tdx_add_order order;
    struct pp_tdvf tdvf;
    struct pp_eventlog log;
    struct pp_tdx_quote quote;
    uint8_t mrtd[PP_SHA384_BYTES];
    uint8_t rtmr[PP_RTMRS][PP_RTMR_BYTES]; /* of the log */
    enum pp_boot_separator separator;
    struct pp_direct_boot boot;
    uint8_t boot_rtmr[2][PP_RTMR_BYTES]; /* RTMR1 and RTMR2 of the files */
    struct pp_problem problem;
};

static const char NOT_VERIFIED[] =
    "MRTD is computed from the TDX metadata; this way of computing it was never verified against a "
    "real quote by us: compare it with one (--quote) before you rely on it";

static const char NOT_COMPUTED[] =
    "rtmr0 is not computed: the host makes the tables, the memory map and the variables in it. "
    "rtmr1 is that of a VMM which gives the kernel file as it is; compare with a quote (--quote)";

/* --- input ------------------------------------------------------------------------------------ */

static int refuse(struct job *j, const char *option, const char *expected, pp_res r)
{
    pp_problem_party(&j->problem, option);
    pp_problem_set(&j->problem, option, expected, pp_span_cstr(pp_code_text(r.code)));
    return ppctl_fail(j->p, (pp_res){ PP_E_INPUT, r.detail, r.where }, &j->problem, 0);
}

static int read_order(struct job *j)
{
    const char *order = j->a->order;

    if (order == NULL || strcmp(order, "page") == 0)
        return -1;
    if (strcmp(order, "section") != 0)
        return ppctl_usage(j->p, "--order", "page or section", order);
    j->order = PP_TDX_BY_SECTION;
    return -1;
}

static int read_firmware(struct job *j)
{
    const char *path = j->a->firmware;

    if (path == NULL)
        return -1;
    int status = image_read(j->p, "--firmware", path, IMAGE_FIRMWARE_BYTES_MAX, &j->firmware_file);
    if (status >= 0)
        return status;
    pp_res r = pp_tdvf_parse(pp_buf_span(&j->firmware_file), &j->tdvf);
    if (!pp_is_ok(r))
        return refuse(j, "--firmware", "firmware with a footer table and TDX metadata", r);
    pp_tdvf_mrtd(&j->tdvf, j->order, j->mrtd);
    return -1;
}

static int read_separator(struct job *j)
{
    const char *separator = j->a->separator;

    if (separator == NULL || strcmp(separator, "rtmr1") == 0)
        return -1;
    if (strcmp(separator, "rtmr0") != 0)
        return ppctl_usage(j->p, "--separator", "rtmr1 or rtmr0", separator);
    j->separator = PP_SEPARATOR_RTMR0;
    return -1;
}

/* What goes with a kernel goes with nothing else. */
static int refuse_without_kernel(const struct job *j)
{
    const char *const names[] = { "--initrd", "--append", "--separator" };
    const char *const values[] = { j->a->initrd, j->a->append, j->a->separator };

    for (size_t i = 0; i < PP_ARRAY_COUNT(names); i++)
        if (values[i] != NULL)
            return ppctl_usage(j->p, names[i], "a --kernel with it", values[i]);
    return -1;
}

static int read_boot(struct job *j)
{
    const struct image_args *a = j->a;
    int status = -1;

    if (a->kernel == NULL)
        return refuse_without_kernel(j);
    status = read_separator(j);
    if (status < 0)
        status = image_read(j->p, "--kernel", a->kernel, IMAGE_KERNEL_BYTES_MAX, &j->kernel_file);
    if (status < 0 && a->initrd != NULL)
        status = image_read(j->p, "--initrd", a->initrd, IMAGE_INITRD_BYTES_MAX, &j->initrd_file);
    if (status >= 0)
        return status;
    struct pp_span append = pp_span_cstr(a->append == NULL ? "" : a->append);
    pp_res r = pp_direct_boot_of(pp_buf_span(&j->kernel_file), pp_buf_span(&j->initrd_file), append,
                                 &j->boot);
    if (r.code == PP_E_RANGE || append.len > PP_DIRECT_CMDLINE_MAX)
        return refuse(j, "--append", "at most 4096 characters of ASCII", r);
    if (!pp_is_ok(r))
        return refuse(j, "--kernel", "a kernel with an EFI stub: a PE image", r);
    pp_direct_boot_rtmrs(&j->boot, j->separator, j->boot_rtmr[0], j->boot_rtmr[1]);
    return -1;
}

static int read_log(struct job *j)
{
    const char *path = j->a->event_log;

    if (path == NULL)
        return -1;
    int status = image_read(j->p, "--event-log", path, IMAGE_LOG_BYTES_MAX, &j->log_file);
    if (status >= 0)
        return status;
    struct pp_span bytes = pp_buf_span(&j->log_file);
    pp_res r = pp_eventlog_open(bytes, &j->log);
    if (pp_is_ok(r))
        r = pp_eventlog_replay(bytes, j->rtmr);
    return pp_is_ok(r) ? -1 : refuse(j, "--event-log", "an event log of the crypto-agile form", r);
}

static int read_quote(struct job *j)
{
    const char *path = j->a->quote;

    if (path == NULL)
        return -1;
    int status = image_read(j->p, "--quote", path, IMAGE_LOG_BYTES_MAX, &j->quote_file);
    if (status >= 0)
        return status;
    pp_problem_party(&j->problem, "--quote");
    pp_res r = pp_tdx_quote_parse(pp_buf_span(&j->quote_file), &j->quote, &j->problem);
    return pp_is_ok(r) ? -1 : ppctl_fail(j->p, r, &j->problem, 0);
}

/* --- against the quote, and the log ----------------------------------------------------------- */

static pp_res check(struct job *j, const char *option, const char *field, struct pp_span ours,
                    struct pp_span quoted)
{
    if (pp_span_eq(ours, quoted))
        return PP_OK;
    pp_problem_party(&j->problem, option);
    pp_problem_hex(&j->problem, field, ours, quoted);
    return PP_FAIL(PP_E_TDX_MEASUREMENT, 0);
}

static pp_res compare(struct job *j)
{
    static const char *const names[PP_RTMRS] = { "RTMR0", "RTMR1", "RTMR2", "RTMR3" };

    for (size_t i = 1; j->a->kernel != NULL && j->a->event_log != NULL && i <= 2; i++)
        PP_TRY(
            check(j, "--event-log", names[i], PP_BYTES(j->boot_rtmr[i - 1]), PP_BYTES(j->rtmr[i])));
    if (j->a->quote == NULL)
        return PP_OK;
    const struct pp_tdx_body *body = &j->quote.body;
    if (j->a->firmware != NULL)
        PP_TRY(check(j, "--quote", "MRTD", PP_BYTES(j->mrtd), PP_BYTES(body->mrtd)));
    for (size_t i = 1; j->a->kernel != NULL && i <= 2; i++)
        PP_TRY(
            check(j, "--quote", names[i], PP_BYTES(j->boot_rtmr[i - 1]), PP_BYTES(body->rtmr[i])));
    for (size_t i = 0; j->a->event_log != NULL && i < PP_RTMRS; i++)
        PP_TRY(check(j, "--quote", names[i], PP_BYTES(j->rtmr[i]), PP_BYTES(body->rtmr[i])));
    return PP_OK;
}

/* --- output ----------------------------------------------------------------------------------- */

static json_t *events_json(const struct job *j)
{
    struct pp_eventlog log = j->log;
    struct pp_eventlog_event e;
    json_t *rows = json_array();
    int bad = rows == NULL;

    while (!bad && pp_eventlog_next(&log, &e))
        bad = json_array_append_new(
            rows, json_pack("{s:I, s:s, s:s, s:b}", "register", (json_int_t)e.mr_index, "type",
                            pp_eventlog_type_name(e.type), "digest", image_hex_of(e.digest).text,
                            "covers_event", pp_eventlog_covers(&e)));
    if (bad) {
        json_decref(rows);
        return NULL;
    }
    return rows;
}

static json_t *rtmrs_json(const struct job *j)
{
    if (j->a->event_log == NULL)
        return json_null();
    return json_pack("[s, s, s, s]", image_hex_of(PP_BYTES(j->rtmr[0])).text,
                     image_hex_of(PP_BYTES(j->rtmr[1])).text,
                     image_hex_of(PP_BYTES(j->rtmr[2])).text,
                     image_hex_of(PP_BYTES(j->rtmr[3])).text);
}

static json_t *digest_json(int there, const uint8_t digest[PP_SHA384_BYTES])
{
    return there ? json_string(image_hex_of(pp_span(digest, PP_SHA384_BYTES)).text) : json_null();
}

static json_t *boot_json(const struct job *j)
{
    const struct pp_direct_boot *b = &j->boot;

    if (j->a->kernel == NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s}", "kernel", digest_json(1, b->kernel),
                     "cmdline", digest_json(b->has_cmdline, b->cmdline), "initrd",
                     digest_json(b->has_initrd, b->initrd), "rtmr1",
                     digest_json(1, j->boot_rtmr[0]), "rtmr2", digest_json(1, j->boot_rtmr[1]),
                     "note", NOT_COMPUTED);
}

static int print_json(const struct job *j)
{
    int has_mrtd = j->a->firmware != NULL;

    return ppctl_print_json(
        json_pack("{s:s, s:o, s:s, s:o, s:o, s:o, s:b, s:o}", "mode", "tdx", "mrtd",
                  has_mrtd ? json_string(image_hex_of(PP_BYTES(j->mrtd)).text) : json_null(),
                  "order", j->order == PP_TDX_BY_PAGE ? "page" : "section", "rtmrs", rtmrs_json(j),
                  "direct_boot", boot_json(j), "events",
                  j->a->event_log != NULL ? events_json(j) : json_null(), "matches_quote",
                  j->a->quote != NULL, "note", has_mrtd ? json_string(NOT_VERIFIED) : json_null()));
}

static void print_events(const struct job *j)
{
    struct pp_eventlog log = j->log;
    struct pp_eventlog_event e;

    while (pp_eventlog_next(&log, &e)) {
        if (e.mr_index == 0)
            printf("  mrtd   ");
        else
            printf("  rtmr%u  ", e.mr_index - 1);
        printf("%.16s  %-9s  %s\n", image_hex_of(e.digest).text,
               pp_eventlog_covers(&e) ? "of event" : "of other", pp_eventlog_type_name(e.type));
    }
}

/* The registers once: those of a log are the same, or were refused. */
static void print_boot(const struct job *j)
{
    const struct pp_direct_boot *b = &j->boot;

    if (j->a->kernel == NULL)
        return;
    for (unsigned i = 0; j->a->event_log == NULL && i < 2; i++)
        printf("rtmr%u  %s\n", i + 1, image_hex_of(PP_BYTES(j->boot_rtmr[i])).text);
    printf("  kernel   %s\n", image_hex_of(PP_BYTES(b->kernel)).text);
    if (b->has_cmdline)
        printf("  cmdline  %s\n", image_hex_of(PP_BYTES(b->cmdline)).text);
    if (b->has_initrd)
        printf("  initrd   %s\n", image_hex_of(PP_BYTES(b->initrd)).text);
    fprintf(stderr, "%s\n", NOT_COMPUTED);
}

static int print_people(const struct job *j)
{
    if (j->a->firmware != NULL) {
        printf("mrtd   %s\n", image_hex_of(PP_BYTES(j->mrtd)).text);
        fprintf(stderr, "%s\n", NOT_VERIFIED);
    }
    print_boot(j);
    for (unsigned i = 0; j->a->event_log != NULL && i < PP_RTMRS; i++)
        printf("rtmr%u  %s\n", i, image_hex_of(PP_BYTES(j->rtmr[i])).text);
    if (j->a->event_log != NULL)
        print_events(j);
    if (j->a->quote != NULL)
        fprintf(stderr, "the quote has exactly these values; verify the quote itself with ppctl "
                        "verify tdx\n");
    return 0;
}

int image_measure_tdx(const struct ppctl *p, const struct image_args *args)
{
    struct job j = { .p = p, .a = args };
    int status = read_order(&j);

    if (status < 0 && args->firmware == NULL && args->event_log == NULL && args->kernel == NULL)
        status = ppctl_usage(p, "--firmware", "a firmware file, a --kernel or an --event-log",
                             "none of them");
    if (status < 0)
        status = read_firmware(&j);
    if (status < 0)
        status = read_boot(&j);
    if (status < 0)
        status = read_log(&j);
    if (status < 0)
        status = read_quote(&j);
    if (status < 0) {
        pp_res r = compare(&j);
        status = !pp_is_ok(r) ? ppctl_fail(p, r, &j.problem, 0)
                 : p->json    ? print_json(&j)
                              : print_people(&j);
    }
    pp_buf_done(&j.firmware_file);
    pp_buf_done(&j.kernel_file);
    pp_buf_done(&j.initrd_file);
    pp_buf_done(&j.log_file);
    pp_buf_done(&j.quote_file);
    return status;
}
