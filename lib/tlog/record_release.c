/* SPDX-License-Identifier: Apache-2.0 */
#include "record_int.h"

static void read_count(struct pp_rec_rd *rd, size_t count, size_t max)
{
    pp_rec_require(rd, count < max, PP_E_LIMIT);
}

/* min..max lines "key name sha256:hex". */
static size_t read_named(struct pp_rec_rd *rd, const char *key, struct pp_release_named *ret,
                         size_t min, size_t max)
{
    size_t count = 0;

    while (count < min || pp_rec_is(rd, key)) {
        pp_rec_take(rd, key);
        read_count(rd, count, max);
        if (!pp_is_ok(rd->r))
            return 0;
        ret[count].name = pp_rec_word(rd);
        pp_rec_sha256(rd, ret[count].sha256);
        pp_rec_done(rd);
        count++;
    }
    return count;
}

static void read_digest(struct pp_rec_rd *rd, const char *key, uint8_t ret[PP_SHA256_BYTES])
{
    pp_rec_take(rd, key);
    pp_rec_sha256(rd, ret);
    pp_rec_done(rd);
}

static int read_optional_digest(struct pp_rec_rd *rd, const char *key, uint8_t ret[PP_SHA256_BYTES])
{
    if (!pp_rec_is(rd, key))
        return 0;
    read_digest(rd, key, ret);
    return 1;
}

static void read_cmdline(struct pp_rec_rd *rd, struct pp_release *r)
{
    uint8_t digest[PP_SHA256_BYTES];
    uint8_t own[PP_SHA256_BYTES];

    if (!pp_rec_is(rd, "cmdline"))
        return;
    pp_rec_take(rd, "cmdline");
    pp_rec_sha256(rd, digest);
    pp_rec_base64(rd, r->cmdline, sizeof r->cmdline, &r->cmdline_len);
    pp_rec_done(rd);
    pp_sha256(pp_span(r->cmdline, r->cmdline_len), own);
    pp_rec_require(rd, memcmp(own, digest, sizeof own) == 0, PP_E_MISMATCH);
    r->has_cmdline = 1;
}

static uint32_t read_vcpus(struct pp_rec_rd *rd)
{
    return (uint32_t)pp_rec_number(rd, 1, UINT16_MAX);
}

static enum pp_record_family read_family(struct pp_rec_rd *rd)
{
    return (enum pp_record_family)pp_rec_choice(rd, PP_REC_FAMILIES, PP_RECORD_FAMILIES);
}

static void read_snp_rows(struct pp_rec_rd *rd, struct pp_release *r)
{
    while (pp_rec_is(rd, "snp")) {
        pp_rec_take(rd, "snp");
        read_count(rd, r->snp_count, PP_RELEASE_SNP_MAX);
        if (!pp_is_ok(rd->r))
            return;
        struct pp_release_snp *row = &r->snp[r->snp_count++];
        row->label = pp_rec_word(rd);
        row->family = read_family(rd);
        row->vmm = pp_rec_word(rd);
        row->vcpus = read_vcpus(rd);
        pp_rec_hex(rd, row->measurement, sizeof row->measurement);
        pp_rec_done(rd);
    }
}

static void read_min_tcb(struct pp_rec_rd *rd, struct pp_release *r)
{
    pp_rec_take(rd, "snp-min-tcb");
    enum pp_record_family family = read_family(rd);
    struct pp_release_tcb *t = &r->snp_min_tcb[family];
    pp_rec_require(rd, !t->given, PP_E_DUPLICATE);
    t->given = 1;
    t->bootloader = (uint8_t)pp_rec_number(rd, 0, UINT8_MAX);
    t->tee = (uint8_t)pp_rec_number(rd, 0, UINT8_MAX);
    t->snp = (uint8_t)pp_rec_number(rd, 0, UINT8_MAX);
    t->microcode = (uint8_t)pp_rec_number(rd, 0, UINT8_MAX);
    if (family == PP_RECORD_TURIN)
        t->fmc = (uint8_t)pp_rec_number(rd, 0, UINT8_MAX);
    pp_rec_done(rd);
}

/* Rows of measurements without the policy that belongs to them would be rows that check nothing. */
static void read_snp(struct pp_rec_rd *rd, struct pp_release *r)
{
    read_snp_rows(rd, r);
    if (r->snp_count == 0)
        return;
    pp_rec_take(rd, "snp-policy");
    r->snp_policy_mask = pp_rec_hex64(rd);
    r->snp_policy_value = pp_rec_hex64(rd);
    pp_rec_done(rd);
    pp_rec_require(rd, (r->snp_policy_value & ~r->snp_policy_mask) == 0, PP_E_RANGE);
    while (pp_rec_is(rd, "snp-min-tcb"))
        read_min_tcb(rd, r);
    unsigned used = 0;
    for (size_t i = 0; i < r->snp_count; i++)
        used |= 1U << r->snp[i].family;
    for (unsigned f = 0; f < PP_RECORD_FAMILIES; f++)
        pp_rec_require(rd, (used >> f & 1) == (r->snp_min_tcb[f].given ? 1U : 0U), PP_E_MISSING);
}

static void read_tdx(struct pp_rec_rd *rd, struct pp_release *r)
{
    while (pp_rec_is(rd, "tdx")) {
        pp_rec_take(rd, "tdx");
        read_count(rd, r->tdx_count, PP_RELEASE_TDX_MAX);
        if (!pp_is_ok(rd->r))
            return;
        struct pp_release_tdx *row = &r->tdx[r->tdx_count++];
        row->label = pp_rec_word(rd);
        row->vcpus = read_vcpus(rd);
        pp_rec_hex(rd, row->mrtd, sizeof row->mrtd);
        for (unsigned i = 0; i < PP_ARRAY_COUNT(row->rtmr); i++)
            pp_rec_hex(rd, row->rtmr[i], sizeof row->rtmr[i]);
        pp_rec_done(rd);
    }
    if (r->tdx_count == 0)
        return;
    pp_rec_take(rd, "tdx-min-svn");
    pp_rec_hex(rd, r->tdx_min_svn, sizeof r->tdx_min_svn);
    pp_rec_done(rd);
}

static void read_gpus(struct pp_rec_rd *rd, struct pp_release *r)
{
    while (pp_rec_is(rd, "gpu")) {
        pp_rec_take(rd, "gpu");
        read_count(rd, r->gpu_count, PP_RELEASE_GPU_MAX);
        if (!pp_is_ok(rd->r))
            return;
        struct pp_release_gpu *row = &r->gpu[r->gpu_count++];
        row->model = pp_rec_word(rd);
        row->vbios = pp_rec_word(rd);
        row->driver = pp_rec_word(rd);
        pp_rec_sha256(rd, row->driver_rim);
        pp_rec_sha256(rd, row->vbios_rim);
        pp_rec_done(rd);
    }
}

static void read_configs(struct pp_rec_rd *rd, struct pp_release *r)
{
    while (r->config_count == 0 || pp_rec_is(rd, "config")) {
        pp_rec_take(rd, "config");
        read_count(rd, r->config_count, PP_RELEASE_CONFIG_MAX);
        if (!pp_is_ok(rd->r))
            return;
        pp_rec_sha256(rd, r->config[r->config_count++]);
        pp_rec_done(rd);
    }
}

static void read_window(struct pp_rec_rd *rd, const struct pp_record *head, struct pp_release *r)
{
    uint64_t delay = head->environment == PP_RECORD_DEV ? 0 : PP_RELEASE_DELAY_S;

    pp_rec_take(rd, "not-before");
    r->not_before = pp_rec_time(rd);
    pp_rec_done(rd);
    pp_rec_require(rd, r->not_before >= head->time + delay, PP_E_LEDGER_WINDOW);
    pp_rec_take(rd, "not-after");
    r->not_after = pp_rec_time(rd);
    pp_rec_done(rd);
    pp_rec_require(
        rd, r->not_after > r->not_before && r->not_after - r->not_before <= PP_RELEASE_LIFE_S,
        PP_E_LEDGER_WINDOW);
}

static void read_origin(struct pp_rec_rd *rd, struct pp_release *r)
{
    uint8_t commit[32];

    pp_rec_take(rd, "image");
    pp_rec_sha256(rd, r->image.sha256);
    r->image.bytes = pp_rec_number(rd, 1, PP_RECORD_NUMBER_MAX);
    r->image.where = pp_rec_word(rd);
    pp_rec_done(rd);
    pp_rec_take(rd, "source");
    r->source.repository = pp_rec_word(rd);
    struct pp_rec_rd copy = *rd; /* the same word once as text and once as hex */
    r->source.commit = pp_rec_word(rd);
    pp_rec_require(rd, r->source.commit.len == 40 || r->source.commit.len == 64, PP_E_FORMAT);
    pp_rec_hex(&copy, commit, r->source.commit.len == 64 ? 32 : 20);
    pp_rec_require(rd, pp_is_ok(copy.r), PP_E_FORMAT);
    pp_rec_done(rd);
    read_digest(rd, "build", r->build);
    read_digest(rd, "sbom", r->sbom);
}

void pp_rec_role_read(struct pp_rec_rd *rd, struct pp_release *r)
{
    pp_rec_take(rd, "role");
    r->role = (enum pp_record_role)pp_rec_choice(rd, PP_REC_ROLES, PP_RECORD_ROLES);
    pp_rec_done(rd);
}

void pp_rec_image_read(struct pp_rec_rd *rd, struct pp_release *r)
{
    read_origin(rd, r);
    r->firmware_count = read_named(rd, "firmware", r->firmware, 0, PP_RELEASE_FIRMWARE_MAX);
    r->has_kernel = read_optional_digest(rd, "kernel", r->kernel);
    r->has_initrd = read_optional_digest(rd, "initrd", r->initrd);
    read_cmdline(rd, r);
    r->has_rootfs = read_optional_digest(rd, "rootfs", r->rootfs);
    read_snp(rd, r);
    read_tdx(rd, r);
    pp_rec_require(rd, r->snp_count + r->tdx_count > 0, PP_E_MISSING);
    read_gpus(rd, r);
    read_configs(rd, r);
    r->artifact_count = read_named(rd, "artifact", r->artifacts, 0, PP_RELEASE_ARTIFACT_MAX);
    read_digest(rd, "egress", r->egress);
    if (pp_rec_is(rd, "retains")) {
        pp_rec_take_bare(rd, "retains");
        r->retains = 1;
    }
}

void pp_rec_release_read(struct pp_rec_rd *rd, const struct pp_record *head, struct pp_release *ret)
{
    pp_rec_role_read(rd, ret);
    read_window(rd, head, ret);
    pp_rec_image_read(rd, ret);
    ret->review_count = read_named(rd, "review", ret->review, 1, PP_RELEASE_REVIEW_MAX);
}

/* --- writing ------------------------------------------------------------------------------- */

static void write_digest(struct pp_wr *wr, const char *key, const uint8_t digest[PP_SHA256_BYTES])
{
    pp_rec_wr_key(wr, key);
    pp_rec_wr_sha256(wr, digest);
    pp_rec_wr_end(wr);
}

static void write_named(struct pp_wr *wr, const char *key, const struct pp_release_named *rows,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pp_rec_wr_key(wr, key);
        pp_rec_wr_word(wr, rows[i].name);
        pp_rec_wr_sha256(wr, rows[i].sha256);
        pp_rec_wr_end(wr);
    }
}

static void write_snp(struct pp_wr *wr, const struct pp_release *r)
{
    for (size_t i = 0; i < r->snp_count; i++) {
        const struct pp_release_snp *row = &r->snp[i];
        pp_rec_wr_key(wr, "snp");
        pp_rec_wr_word(wr, row->label);
        pp_rec_wr_text(wr, PP_REC_FAMILIES[row->family]);
        pp_rec_wr_word(wr, row->vmm);
        pp_rec_wr_number(wr, row->vcpus);
        pp_rec_wr_hex(wr, row->measurement, sizeof row->measurement);
        pp_rec_wr_end(wr);
    }
    if (r->snp_count == 0)
        return;
    pp_rec_wr_key(wr, "snp-policy");
    pp_rec_wr_hex64(wr, r->snp_policy_mask);
    pp_rec_wr_hex64(wr, r->snp_policy_value);
    pp_rec_wr_end(wr);
    for (unsigned f = 0; f < PP_RECORD_FAMILIES; f++) {
        const struct pp_release_tcb *t = &r->snp_min_tcb[f];
        if (!t->given)
            continue;
        pp_rec_wr_key(wr, "snp-min-tcb");
        pp_rec_wr_text(wr, PP_REC_FAMILIES[f]);
        pp_rec_wr_number(wr, t->bootloader);
        pp_rec_wr_number(wr, t->tee);
        pp_rec_wr_number(wr, t->snp);
        pp_rec_wr_number(wr, t->microcode);
        if (f == PP_RECORD_TURIN)
            pp_rec_wr_number(wr, t->fmc);
        pp_rec_wr_end(wr);
    }
}

static void write_tdx(struct pp_wr *wr, const struct pp_release *r)
{
    for (size_t i = 0; i < r->tdx_count; i++) {
        const struct pp_release_tdx *row = &r->tdx[i];
        pp_rec_wr_key(wr, "tdx");
        pp_rec_wr_word(wr, row->label);
        pp_rec_wr_number(wr, row->vcpus);
        pp_rec_wr_hex(wr, row->mrtd, sizeof row->mrtd);
        for (unsigned k = 0; k < PP_ARRAY_COUNT(row->rtmr); k++)
            pp_rec_wr_hex(wr, row->rtmr[k], sizeof row->rtmr[k]);
        pp_rec_wr_end(wr);
    }
    if (r->tdx_count == 0)
        return;
    pp_rec_wr_key(wr, "tdx-min-svn");
    pp_rec_wr_hex(wr, r->tdx_min_svn, sizeof r->tdx_min_svn);
    pp_rec_wr_end(wr);
}

static void write_gpus(struct pp_wr *wr, const struct pp_release *r)
{
    for (size_t i = 0; i < r->gpu_count; i++) {
        const struct pp_release_gpu *row = &r->gpu[i];
        pp_rec_wr_key(wr, "gpu");
        pp_rec_wr_word(wr, row->model);
        pp_rec_wr_word(wr, row->vbios);
        pp_rec_wr_word(wr, row->driver);
        pp_rec_wr_sha256(wr, row->driver_rim);
        pp_rec_wr_sha256(wr, row->vbios_rim);
        pp_rec_wr_end(wr);
    }
}

void pp_rec_role_write(struct pp_wr *wr, const struct pp_release *r)
{
    pp_rec_wr_key(wr, "role");
    pp_rec_wr_text(wr, PP_REC_ROLES[r->role]);
    pp_rec_wr_end(wr);
}

static void write_window(struct pp_wr *wr, const struct pp_release *r)
{
    pp_rec_wr_key(wr, "not-before");
    pp_rec_wr_number(wr, r->not_before);
    pp_rec_wr_end(wr);
    pp_rec_wr_key(wr, "not-after");
    pp_rec_wr_number(wr, r->not_after);
    pp_rec_wr_end(wr);
}

static void write_origin(struct pp_wr *wr, const struct pp_release *r)
{
    pp_rec_wr_key(wr, "image");
    pp_rec_wr_sha256(wr, r->image.sha256);
    pp_rec_wr_number(wr, r->image.bytes);
    pp_rec_wr_word(wr, r->image.where);
    pp_rec_wr_end(wr);
    pp_rec_wr_key(wr, "source");
    pp_rec_wr_word(wr, r->source.repository);
    pp_rec_wr_word(wr, r->source.commit);
    pp_rec_wr_end(wr);
    write_digest(wr, "build", r->build);
    write_digest(wr, "sbom", r->sbom);
}

static void write_cmdline(struct pp_wr *wr, const struct pp_release *r)
{
    uint8_t digest[PP_SHA256_BYTES];

    pp_sha256(pp_span(r->cmdline, r->cmdline_len), digest);
    pp_rec_wr_key(wr, "cmdline");
    pp_rec_wr_sha256(wr, digest);
    pp_wr_u8(wr, ' ');
    pp_wr_base64(wr, pp_span(r->cmdline, r->cmdline_len));
    pp_rec_wr_end(wr);
}

void pp_rec_image_write(struct pp_wr *wr, const struct pp_release *r)
{
    write_origin(wr, r);
    write_named(wr, "firmware", r->firmware, r->firmware_count);
    if (r->has_kernel)
        write_digest(wr, "kernel", r->kernel);
    if (r->has_initrd)
        write_digest(wr, "initrd", r->initrd);
    if (r->has_cmdline)
        write_cmdline(wr, r);
    if (r->has_rootfs)
        write_digest(wr, "rootfs", r->rootfs);
    write_snp(wr, r);
    write_tdx(wr, r);
    write_gpus(wr, r);
    for (size_t i = 0; i < r->config_count; i++)
        write_digest(wr, "config", r->config[i]);
    write_named(wr, "artifact", r->artifacts, r->artifact_count);
    write_digest(wr, "egress", r->egress);
    if (r->retains) {
        pp_rec_wr_key(wr, "retains");
        pp_rec_wr_end(wr);
    }
}

void pp_rec_release_write(struct pp_wr *wr, const struct pp_release *r)
{
    pp_rec_role_write(wr, r);
    write_window(wr, r);
    pp_rec_image_write(wr, r);
    write_named(wr, "review", r->review, r->review_count);
}
