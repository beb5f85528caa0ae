/* SPDX-License-Identifier: Apache-2.0 */
/* ppctl image measure: what a processor will report of a guest, from the files that are launched.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "image_arg.h"
#include "verbs.h"
#include "wr.h"

int image_read(const struct ppctl *p, const char *option, const char *path, size_t max,
               struct pp_buf *ret)
{
    struct pp_problem problem = { 0 };
    char expected[64], got[4096];
    pp_res r = pp_file_read(AT_FDCWD, path, max, ret);

    if (pp_is_ok(r))
        return -1;
    snprintf(expected, sizeof expected, "a readable file of at most %zu MiB", max >> 20);
    snprintf(got, sizeof got, "%s: %s",
             r.code == PP_E_FORMAT ? "a folder, or another kind of file" : pp_file_reason(r), path);
    pp_problem_party(&problem, option);
    pp_problem_set(&problem, option, expected, pp_span_cstr(got));
    return ppctl_fail(p, (pp_res){ PP_E_INPUT, r.detail, r.where }, &problem, 0);
}

struct image_hex image_hex_of(struct pp_span bytes)
{
    struct image_hex h = { { 0 } };
    struct pp_wr wr = pp_wr_over((uint8_t *)h.text, sizeof h.text - 1);

    pp_wr_hex(&wr, bytes);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
    return h;
}

/* An option of the other kind was a mistake, and not one to pass over. */
static int refuse_given(const struct ppctl *p, const char *mode, const char *const *names,
                        const char *const *values, size_t count)
{
    char expected[64];

    for (size_t i = 0; i < count; i++)
        if (values[i] != NULL) {
            snprintf(expected, sizeof expected, "no such option with %s", mode);
            return ppctl_usage(p, names[i], expected, values[i]);
        }
    return -1;
}

static int check_options(const struct ppctl *p, const struct image_args *a, const char *mode)
{
    static const char *const sev_names[] = { "--vcpus", "--vmm",        "--features", "--vcpu-type",
                                             "--svsm",  "--vars-bytes", "--ovmf-hash" };
    const char *const sev_values[] = { a->vcpus, a->vmm,        a->features, a->vcpu_type,
                                       a->svsm,  a->vars_bytes, a->ovmf_hash };
    static const char *const tdx_names[] = { "--order", "--event-log", "--quote", "--separator" };
    const char *const tdx_values[] = { a->order, a->event_log, a->quote, a->separator };

    if (strcmp(mode, "tdx") == 0)
        return refuse_given(p, mode, sev_names, sev_values, PP_ARRAY_COUNT(sev_names));
    return refuse_given(p, mode, tdx_names, tdx_values, PP_ARRAY_COUNT(tdx_names));
}

int verb_image_measure(struct ppctl *p, int argc, char **argv)
{
    struct image_args a = { 0 };
    const char *mode = NULL;
    const struct ppctl_option options[] = {
        { "--firmware", "F", "the firmware file, as the VMM gets it", &a.firmware, NULL, NULL },
        { "--kernel", "F", "the kernel file of a direct boot", &a.kernel, NULL, NULL },
        { "--initrd", "F", "its initial file system; default: none", &a.initrd, NULL, NULL },
        { "--append", "TEXT", "its command line; default: empty", &a.append, NULL, NULL },
        { "--vcpus", "N", "virtual processors; default: 1", &a.vcpus, NULL, NULL },
        { "--vcpu-type", "T", "the processor model as QEMU names it; not for ec2 and gce",
          &a.vcpu_type, NULL, NULL },
        { "--vmm", "V", "qemu, ec2, gce or svsm; default: qemu", &a.vmm, NULL, NULL },
        { "--features", "HEX", "SEV_FEATURES of the guest; default: 1, SNP alone", &a.features,
          NULL, NULL },
        { "--ovmf-hash", "HEX", "the digest behind the firmware's pages, in their place",
          &a.ovmf_hash, NULL, NULL },
        { "--svsm", "F", "the secure monitor's file, with --vmm svsm", &a.svsm, NULL, NULL },
        { "--vars-bytes", "N", "size of the UEFI variables, with --vmm svsm; default: 0",
          &a.vars_bytes, NULL, NULL },
        { "--order", "page|section", "tdx: in which order the host measures; default: page",
          &a.order, NULL, NULL },
        { "--separator", "rtmr1|rtmr0",
          "tdx: where the firmware puts the separator of a direct boot; default: rtmr1",
          &a.separator, NULL, NULL },
        { "--event-log", "F", "tdx: the guest's CCEL log; gives RTMR0 to RTMR3", &a.event_log, NULL,
          NULL },
        { "--quote", "F", "tdx: whose registers firmware, kernel and log have to explain", &a.quote,
          NULL, NULL },
    };
    int status = ppctl_parse(p, "image measure", options, PP_ARRAY_COUNT(options), argc, argv,
                             &mode, 1, 1, NULL);

    if (status >= 0)
        return status;
    status = check_options(p, &a, mode);
    if (status >= 0)
        return status;
    if (strcmp(mode, "tdx") == 0)
        return image_measure_tdx(p, &a);
    if (strcmp(mode, "snp") == 0 || strcmp(mode, "sev") == 0 || strcmp(mode, "sev-es") == 0)
        return image_measure_sev(p, &a, mode);
    return ppctl_usage(p, "MODE", "snp, tdx, sev or sev-es", mode);
}
