/* SPDX-License-Identifier: Apache-2.0 */
/* ppctl image measure snp: the launch digest of a SEV-SNP guest; sev and sev-es for the older ones.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "image_arg.h"
#include "launch.h"
#include "text.h"

struct job {
    const struct ppctl *p;
    const struct image_args *a;
    const char *mode;
    struct pp_buf firmware_file, svsm_file, kernel, initrd;
    struct pp_firmware firmware, svsm;
    struct pp_kernel_hashes hashes;
    uint8_t ovmf_hash[PP_LAUNCH_DIGEST_BYTES];
    struct pp_launch launch;
    uint8_t digest[PP_LAUNCH_DIGEST_BYTES];
    size_t digest_len;
};

static int is_snp(const struct job *j)
{
    return strcmp(j->mode, "snp") == 0;
}

/* --- arguments -------------------------------------------------------------------------------- */

static int read_number(const struct job *j, const char *option, const char *text, uint64_t min,
                       uint64_t max, uint32_t *ret)
{
    char expected[64];
    uint64_t value = 0;

    if (text == NULL)
        return -1;
    if (!pp_is_ok(pp_decimal_parse(pp_span_cstr(text), max, &value)) || value < min) {
        snprintf(expected, sizeof expected, "a number from %" PRIu64 " to %" PRIu64, min, max);
        return ppctl_usage(j->p, option, expected, text);
    }
    *ret = (uint32_t)value;
    return -1;
}

/* "1", "0x21": up to 16 digits. */
static int read_features(struct job *j)
{
    const char *text = j->a->features;
    struct pp_span digits = pp_span_cstr(text);
    uint8_t bytes[8] = { 0 };
    char padded[17];

    if (text == NULL)
        return -1;
    if (digits.len > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        digits = pp_span(digits.at + 2, digits.len - 2);
    if (digits.len >= sizeof padded)
        return ppctl_usage(j->p, "--features", "up to 16 hexadecimal digits", text);
    memset(padded, '0', sizeof padded - digits.len);
    memcpy(padded + sizeof padded - 1 - digits.len, digits.at, digits.len);
    if (!pp_is_ok(pp_hex_parse(pp_span(padded, 16), bytes, sizeof bytes)))
        return ppctl_usage(j->p, "--features", "lower-case hexadecimal digits", text);
    j->launch.guest_features = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        j->launch.guest_features = j->launch.guest_features << 8 | bytes[i];
    return -1;
}

static int read_machine(struct job *j)
{
    const struct image_args *a = j->a;
    struct pp_launch *l = &j->launch;
    int has_processors = strcmp(j->mode, "sev") != 0;

    *l = (struct pp_launch){ .vcpus = 1, .guest_features = 1 };
    if (a->vmm != NULL && !pp_is_ok(pp_vmm_by_name(pp_span_cstr(a->vmm), &l->vmm)))
        return ppctl_usage(j->p, "--vmm", "qemu, ec2, gce or svsm", a->vmm);
    int status = read_number(j, "--vcpus", a->vcpus, 1, PP_LAUNCH_VCPUS_MAX, &l->vcpus);
    if (status < 0)
        status = read_number(j, "--vars-bytes", a->vars_bytes, 0, UINT32_MAX, &l->vars_bytes);
    if (status < 0)
        status = read_features(j);
    if (status >= 0)
        return status;
    if (a->vcpu_type != NULL)
        return pp_is_ok(pp_vcpu_signature_by_name(pp_span_cstr(a->vcpu_type), &l->vcpu_sig))
                   ? -1
                   : ppctl_usage(j->p, "--vcpu-type", "a model as QEMU names it, as EPYC-Genoa",
                                 a->vcpu_type);
    if (has_processors && (l->vmm == PP_VMM_QEMU || l->vmm == PP_VMM_SVSM))
        return ppctl_usage(j->p, "--vcpu-type", "a model: its signature is measured", "nothing");
    return -1;
}

/* A digest in the firmware's place: of SNP alone, and instead of nothing else. */
static int read_ovmf_hash(struct job *j)
{
    const char *text = j->a->ovmf_hash;

    if (text == NULL)
        return -1;
    if (!is_snp(j) ||
        !pp_is_ok(pp_hex_parse(pp_span_cstr(text), j->ovmf_hash, sizeof j->ovmf_hash)))
        return ppctl_usage(j->p, "--ovmf-hash", "96 lower-case digits, with snp", text);
    j->launch.firmware_digest = j->ovmf_hash;
    return -1;
}

/* --- files ------------------------------------------------------------------------------------ */

static int parse_firmware(const struct job *j, const char *option, const char *path,
                          struct pp_buf *file, struct pp_firmware *ret)
{
    struct pp_problem problem = { 0 };
    int status = image_read(j->p, option, path, IMAGE_FIRMWARE_BYTES_MAX, file);

    if (status >= 0)
        return status;
    pp_res r = pp_firmware_parse(pp_buf_span(file), ret);
    if (pp_is_ok(r))
        return -1;
    pp_problem_party(&problem, option);
    pp_problem_set(&problem, option, "firmware with a footer table and SNP metadata",
                   pp_span_cstr(pp_code_text(r.code)));
    return ppctl_fail(j->p, (pp_res){ PP_E_INPUT, r.detail, r.where }, &problem, 0);
}

static int read_kernel(struct job *j)
{
    const struct image_args *a = j->a;
    int status = -1;

    if (a->kernel == NULL) {
        if (a->initrd != NULL || a->append != NULL)
            return ppctl_usage(j->p, "--kernel", "a file, with --initrd or --append", "nothing");
        return -1;
    }
    status = image_read(j->p, "--kernel", a->kernel, IMAGE_KERNEL_BYTES_MAX, &j->kernel);
    if (status < 0 && a->initrd != NULL)
        status = image_read(j->p, "--initrd", a->initrd, IMAGE_INITRD_BYTES_MAX, &j->initrd);
    if (status >= 0)
        return status;
    pp_kernel_hashes_of(pp_buf_span(&j->kernel), pp_buf_span(&j->initrd), pp_span_cstr(a->append),
                        &j->hashes);
    j->launch.hashes = &j->hashes;
    return -1;
}

static int read_files(struct job *j)
{
    const struct image_args *a = j->a;
    int wants_svsm = j->launch.vmm == PP_VMM_SVSM;

    if (a->firmware == NULL)
        return ppctl_usage(j->p, "--firmware", "a file", "nothing");
    if (wants_svsm != (a->svsm != NULL) || (!wants_svsm && a->vars_bytes != NULL))
        return ppctl_usage(j->p, "--svsm", "a file, with --vmm svsm and only then",
                           a->svsm == NULL ? "nothing" : a->svsm);
    int status = parse_firmware(j, "--firmware", a->firmware, &j->firmware_file, &j->firmware);
    if (status < 0 && wants_svsm)
        status = parse_firmware(j, "--svsm", a->svsm, &j->svsm_file, &j->svsm);
    if (status < 0)
        status = read_kernel(j);
    j->launch.firmware = &j->firmware;
    j->launch.svsm = wants_svsm ? &j->svsm : NULL;
    return status;
}

/* --- output ----------------------------------------------------------------------------------- */

static int refuse(const struct job *j, pp_res r)
{
    struct pp_problem problem = { 0 };
    const char *expected = "a launch that can be measured";

    if (r.code == PP_E_MISSING && r.detail == PP_SECTION_KERNEL_HASHES)
        expected = "firmware with a place for the kernel's hashes: without it they go unmeasured";
    pp_problem_party(&problem, "--firmware");
    pp_problem_set(&problem, "launch", expected, pp_span_cstr(pp_code_text(r.code)));
    return ppctl_fail(j->p, (pp_res){ PP_E_INPUT, r.detail, r.where }, &problem, 0);
}

static json_t *hashes_json(const struct job *j)
{
    if (j->launch.hashes == NULL)
        return json_null();
    return json_pack("{s:s, s:s, s:s}", "kernel", image_hex_of(PP_BYTES(j->hashes.kernel)).text,
                     "initrd", image_hex_of(PP_BYTES(j->hashes.initrd)).text, "cmdline",
                     image_hex_of(PP_BYTES(j->hashes.cmdline)).text);
}

static int print_json(const struct job *j)
{
    const struct pp_launch *l = &j->launch;
    uint8_t behind[PP_LAUNCH_DIGEST_BYTES];
    char features[24];

    pp_launch_firmware_digest(&j->firmware, behind);
    snprintf(features, sizeof features, "0x%llx", (unsigned long long)l->guest_features);
    return ppctl_print_json(json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:o}", "mode", j->mode, "digest",
        image_hex_of(pp_span(j->digest, j->digest_len)).text, "vmm",
        j->a->vmm == NULL ? "qemu" : j->a->vmm, "vcpus", (json_int_t)l->vcpus, "vcpu_signature",
        (json_int_t)l->vcpu_sig, "features", features, "ovmf_hash",
        image_hex_of(l->firmware_digest != NULL ? PP_BYTES(j->ovmf_hash) : PP_BYTES(behind)).text,
        "sha256", hashes_json(j)));
}

static int print_people(const struct job *j)
{
    const struct pp_launch *l = &j->launch;

    printf("%s\n", image_hex_of(pp_span(j->digest, j->digest_len)).text);
    fprintf(stderr, "launch digest of %s on %s: %u processor%s, signature %08x, features 0x%llx\n",
            j->mode, j->a->vmm == NULL ? "qemu" : j->a->vmm, l->vcpus, l->vcpus == 1 ? "" : "s",
            l->vcpu_sig, (unsigned long long)l->guest_features);
    if (l->hashes != NULL)
        fprintf(stderr, "kernel sha256:%s\ninitrd sha256:%s\ncommand line and its zero sha256:%s\n",
                image_hex_of(PP_BYTES(j->hashes.kernel)).text,
                image_hex_of(PP_BYTES(j->hashes.initrd)).text,
                image_hex_of(PP_BYTES(j->hashes.cmdline)).text);
    else
        fprintf(stderr, "no kernel is given: what the guest boots is not in the digest\n");
    if (l->firmware_digest != NULL)
        fprintf(stderr, "the firmware's pages are not measured but taken from --ovmf-hash\n");
    return 0;
}

static int measure(struct job *j)
{
    pp_res r;

    if (is_snp(j)) {
        j->digest_len = PP_LAUNCH_DIGEST_BYTES;
        r = pp_launch_measure(&j->launch, j->digest);
    } else {
        j->digest_len = PP_SHA256_BYTES;
        r = pp_launch_measure_sev(&j->launch, strcmp(j->mode, "sev") == 0 ? PP_SEV : PP_SEV_ES,
                                  j->digest);
    }
    if (!pp_is_ok(r))
        return refuse(j, r);
    return j->p->json ? print_json(j) : print_people(j);
}

int image_measure_sev(const struct ppctl *p, const struct image_args *args, const char *mode)
{
    struct job j = { .p = p, .a = args, .mode = mode };
    int status = read_machine(&j);

    if (status < 0)
        status = read_ovmf_hash(&j);
    if (status < 0)
        status = read_files(&j);
    if (status < 0)
        status = measure(&j);
    pp_buf_done(&j.firmware_file);
    pp_buf_done(&j.svsm_file);
    pp_buf_done(&j.kernel);
    pp_buf_done(&j.initrd);
    return status;
}
