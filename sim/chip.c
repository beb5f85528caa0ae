/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated chip: its VCEK, the certificate with AMD's extensions, and its reports. */
#include <stdlib.h>
#include <unistd.h>

#include "sim_int.h"

#include "wr.h"

enum { YEAR_S = 365 * 86400, P384_BYTES = 48 };

#define AMD_ARC "1.3.6.1.4.1.3704.1."

struct sim_chip {
    struct sim_chip_params params;
    struct pp_ec_key *key;
    struct sim_cert vcek;
    const char *csp_id; /* of a VLEK, borrowed; NULL: the chip's own key signs */
    uint8_t id[PP_SNP_CHIP_ID_BYTES];
};

struct sim_chip_params sim_chip_params_default(enum pp_snp_line line)
{
    PP_ASSERT(line == PP_SNP_GENOA || line == PP_SNP_TURIN);
    if (line == PP_SNP_TURIN)
        return (struct sim_chip_params){
            .line = line,
            .tcb = { .fmc = 1, .boot_loader = 1, .tee = 1, .snp = 5, .microcode = 0x52 },
            .report_version = 5,
            .cpuid_family = 0x1A,
            .cpuid_model = 0x02,
            .cpuid_step = 1,
            .firmware = { 1, 55, 60 },
            .platform_info = PP_SNP_PLATFORM_ECC_EN | PP_SNP_PLATFORM_RAPL_DIS |
                             PP_SNP_PLATFORM_CIPHERTEXT_HIDING | PP_SNP_PLATFORM_ALIAS_CHECK,
            .mitigations = 0xB,
        };
    return (struct sim_chip_params){
        .line = line,
        .tcb = { .boot_loader = 10, .snp = 28, .microcode = 0x57 },
        .report_version = 3,
        .cpuid_family = 0x19,
        .cpuid_model = 0x11,
        .cpuid_step = 1,
        .firmware = { 1, 55, 50 },
        .platform_info = PP_SNP_PLATFORM_ECC_EN | PP_SNP_PLATFORM_RAPL_DIS |
                         PP_SNP_PLATFORM_CIPHERTEXT_HIDING | PP_SNP_PLATFORM_ALIAS_CHECK,
    };
}

/* --- the certificate -------------------------------------------------------------------------- */

static struct pp_span der_integer(struct sim_vcek *v, uint8_t n)
{
    size_t from = v->wr.len;

    pp_wr_u8(&v->wr, 0x02);
    pp_wr_u8(&v->wr, n > 0x7F ? 2 : 1);
    if (n > 0x7F)
        pp_wr_u8(&v->wr, 0);
    pp_wr_u8(&v->wr, n);
    return pp_span(v->bytes + from, v->wr.len - from);
}

static struct pp_span der_text(struct sim_vcek *v, const char *text)
{
    size_t from = v->wr.len;

    pp_wr_u8(&v->wr, 0x16); /* IA5String */
    size_t mark = pp_wr_block8_begin(&v->wr);
    pp_wr_text(&v->wr, text);
    pp_wr_block8_end(&v->wr, mark);
    return pp_span(v->bytes + from, v->wr.len - from);
}

static void add(struct pp_issue_cert *cert, const char *oid, struct pp_span value)
{
    PP_ASSERT(cert->extension_count < PP_ISSUE_EXTENSIONS_MAX);
    cert->extensions[cert->extension_count++] = (struct pp_issue_extension){ oid, value, 0 };
}

static void add_extensions(const struct sim_chip *c, struct sim_vcek *v)
{
    const struct pp_snp_tcb_parts *t = &c->params.tcb;
    struct pp_issue_cert *cert = &v->cert;
    int turin = pp_snp_line_is_turin_like(c->params.line);

    add(cert, AMD_ARC "1", der_integer(v, turin ? 1 : 0));
    add(cert, AMD_ARC "2", der_text(v, pp_snp_line_name(c->params.line)));
    if (turin)
        add(cert, AMD_ARC "3.9", der_integer(v, t->fmc));
    add(cert, AMD_ARC "3.1", der_integer(v, t->boot_loader));
    add(cert, AMD_ARC "3.2", der_integer(v, t->tee));
    if (!turin)
        add(cert, AMD_ARC "3.4", der_integer(v, t->reserved[0]));
    add(cert, AMD_ARC "3.5", der_integer(v, t->reserved[1]));
    add(cert, AMD_ARC "3.6", der_integer(v, t->reserved[2]));
    add(cert, AMD_ARC "3.7", der_integer(v, t->reserved[3]));
    add(cert, AMD_ARC "3.3", der_integer(v, t->snp));
    add(cert, AMD_ARC "3.8", der_integer(v, t->microcode));
    if (c->csp_id == NULL)
        add(cert, AMD_ARC "4", pp_span(c->id, turin ? 8 : sizeof c->id));
    else
        add(cert, AMD_ARC "5", der_text(v, c->csp_id));
    PP_ASSERT(pp_is_ok(pp_wr_ok(&v->wr)));
}

pp_res sim_vcek_fill(const struct sim_chip *c, uint64_t now_s, struct sim_vcek *ret)
{
    struct pp_wr wr = pp_wr_over(ret->issuer_cn, sizeof ret->issuer_cn);
    size_t len;

    pp_wr_text(&wr, c->csp_id == NULL ? "SEV-" : "SEV-VLEK-");
    pp_wr_text(&wr, pp_snp_line_name(c->params.line));
    pp_wr_u8(&wr, 0);
    PP_TRY(pp_wr_ok(&wr));
    PP_TRY(pp_ec_key_spki(c->key, ret->spki, sizeof ret->spki, &len));
    ret->wr = pp_wr_over(ret->bytes, sizeof ret->bytes);
    ret->cert = (struct pp_issue_cert){ .spki = pp_span(ret->spki, len),
                                        .not_before = now_s,
                                        .not_after = now_s + UINT64_C(7) * YEAR_S };
    ret->cert.subject_count = sim_names(ret->cert.subject,
                                        c->csp_id == NULL ? "SEV-VCEK" : "SEV-VLEK");
    ret->cert.issuer_count = sim_names(ret->cert.issuer, ret->issuer_cn);
    add_extensions(c, ret);
    return PP_OK;
}

static pp_res issue(struct sim_chip *c, const struct sim_root *root, uint64_t now_s)
{
    const struct pp_issue_key *signer = c->csp_id == NULL ? sim_root_ask_key(root)
                                                          : sim_root_asvk_key(root);
    struct sim_vcek v;

    PP_CHECK(signer != NULL, PP_E_STATE, 0);
    PP_TRY(sim_vcek_fill(c, now_s, &v));
    return pp_x509_issue(&v.cert, signer, PP_X509_SIG_PSS_SHA384, c->vcek.der, sizeof c->vcek.der,
                         &c->vcek.len);
}

static pp_res create(struct sim_chip *c, const struct sim_root *root,
                     const struct pp_random *random, uint64_t now_s)
{
    int turin = pp_snp_line_is_turin_like(c->params.line);

    PP_CHECK(c->params.line == sim_root_line(root), PP_E_MISMATCH, c->params.line);
    PP_TRY(pp_random_fill(random, c->id, turin ? 8 : sizeof c->id));
    PP_TRY(pp_ec_key_generate(PP_P384, &c->key));
    return issue(c, root, now_s);
}

/* Keeps `*c` on success and releases it on failure. */
static pp_res give(struct sim_chip *c, pp_res result, struct sim_chip **ret)
{
    if (!pp_is_ok(result)) {
        sim_chip_free(c);
        return result;
    }
    *ret = c;
    return PP_OK;
}

static pp_res make(const struct sim_root *root, const struct sim_chip_params *params,
                   const char *csp_id, const struct pp_random *random, uint64_t now_s,
                   struct sim_chip **ret)
{
    struct sim_chip *c = calloc(1, sizeof *c);

    PP_CHECK(c != NULL, PP_E_NO_MEMORY, 0);
    c->params = *params;
    c->csp_id = csp_id;
    return give(c, create(c, root, random, now_s), ret);
}

pp_res sim_chip_create(const struct sim_root *root, const struct sim_chip_params *params,
                       const struct pp_random *random, uint64_t now_s, struct sim_chip **ret)
{
    return make(root, params, NULL, random, now_s, ret);
}

pp_res sim_chip_create_vlek(const struct sim_root *root, const struct sim_chip_params *params,
                            const char *csp_id, const struct pp_random *random, uint64_t now_s,
                            struct sim_chip **ret)
{
    PP_ASSERT(csp_id != NULL);
    return make(root, params, csp_id, random, now_s, ret);
}

void sim_chip_free(struct sim_chip *c)
{
    if (c == NULL)
        return;
    pp_ec_key_free(c->key);
    free(c);
}

struct pp_span sim_chip_vcek(const struct sim_chip *c)
{
    return pp_span(c->vcek.der, c->vcek.len);
}

const uint8_t *sim_chip_id(const struct sim_chip *c)
{
    return c->id;
}

struct sim_chip_params *sim_chip_params(struct sim_chip *c)
{
    return &c->params;
}

/* --- files ------------------------------------------------------------------------------------ */

static pp_res save(const struct sim_chip *c, int fd)
{
    PP_AUTO(pp_secret) der = { 0 };

    PP_TRY(pp_ec_key_export_der(c->key, &der));
    PP_TRY(pp_file_write(fd, "vcek.key", 0600, pp_secret_span(&der)));
    return pp_file_write(fd, "vcek.der", 0644, sim_chip_vcek(c));
}

pp_res sim_chip_save(const struct sim_chip *c, int dir_fd, const char *path)
{
    int fd;

    PP_TRY(sim_open_folder(dir_fd, path, 1, &fd));
    pp_res r = save(c, fd);
    close(fd);
    return r;
}

/* Line, patch level and chip id, as the certificate has them. */
static pp_res take_certificate(struct sim_chip *c)
{
    struct pp_snp_extensions ext;
    struct pp_x509 *cert = NULL;

    PP_TRY(pp_x509_parse(sim_chip_vcek(c), &cert));
    pp_res r = pp_snp_extensions_of(cert, &ext, NULL);
    pp_x509_free(cert);
    PP_TRY(r);
    enum pp_snp_line line = pp_snp_line_of_product(ext.product);
    PP_CHECK(line == PP_SNP_GENOA || line == PP_SNP_TURIN, PP_E_FORMAT, line);
    c->params = sim_chip_params_default(line);
    c->params.tcb = ext.tcb;
    memcpy(c->id, ext.hwid, sizeof c->id);
    return PP_OK;
}

static pp_res same_key(const struct sim_chip *c)
{
    uint8_t own[PP_P384_POINT_BYTES], certified[PP_P384_POINT_BYTES];
    struct pp_x509 *cert = NULL;
    size_t own_len, len;

    PP_TRY(pp_ec_key_point(c->key, own, sizeof own, &own_len));
    PP_TRY(pp_x509_parse(sim_chip_vcek(c), &cert));
    pp_res r = pp_x509_point(cert, certified, sizeof certified, &len);
    pp_x509_free(cert);
    PP_TRY(r);
    PP_CHECK(pp_span_eq(pp_span(own, own_len), pp_span(certified, len)), PP_E_MISMATCH, 0);
    return PP_OK;
}

static pp_res load(struct sim_chip *c, int fd)
{
    struct pp_buf key = { 0 };

    PP_TRY(sim_load_cert(fd, "vcek.der", &c->vcek));
    PP_TRY(pp_file_read_kept(fd, "vcek.key", PP_FILE_PRIVATE, PP_ISSUE_RSA_DER_BYTES_MAX, &key));
    pp_res r = pp_ec_key_import_der(pp_buf_span(&key), &c->key);
    pp_buf_done(&key);
    PP_TRY(r);
    PP_TRY(same_key(c));
    return take_certificate(c);
}

pp_res sim_chip_load(int dir_fd, const char *path, struct sim_chip **ret)
{
    struct sim_chip *c;
    int fd;

    PP_TRY(sim_open_folder(dir_fd, path, 0, &fd));
    if ((c = calloc(1, sizeof *c)) == NULL) {
        close(fd);
        return PP_FAIL(PP_E_NO_MEMORY, 0);
    }
    pp_res r = load(c, fd);
    close(fd);
    return give(c, r, ret);
}

/* --- reports ---------------------------------------------------------------------------------- */

void sim_chip_fill(const struct sim_chip *c, const struct sim_guest *guest,
                   const uint8_t report_data[PP_SNP_REPORT_DATA_BYTES], struct pp_snp_report *ret)
{
    const struct sim_chip_params *p = &c->params;
    struct pp_snp_tcb tcb = pp_snp_tcb_join(p->line, &p->tcb);

    *ret = (struct pp_snp_report){
        .version = p->report_version,
        .guest_svn = guest->guest_svn,
        .policy = guest->policy,
        .vmpl = guest->vmpl,
        .signature_algo = 1,
        .current_tcb = tcb,
        .platform_info = p->platform_info,
        .key_info = (uint32_t)(c->csp_id == NULL ? PP_SNP_VCEK : PP_SNP_VLEK) << 2,
        .reported_tcb = tcb,
        .cpuid_family = p->cpuid_family,
        .cpuid_model = p->cpuid_model,
        .cpuid_step = p->cpuid_step,
        .committed_tcb = tcb,
        .current = p->firmware,
        .committed = p->firmware,
        .launch_tcb = tcb,
    };
    if (p->report_version >= 5)
        ret->launch_mit_vector = ret->current_mit_vector = p->mitigations;
    memcpy(ret->family_id, guest->family_id, sizeof ret->family_id);
    memcpy(ret->image_id, guest->image_id, sizeof ret->image_id);
    memcpy(ret->report_data, report_data, sizeof ret->report_data);
    memcpy(ret->measurement, guest->measurement, sizeof ret->measurement);
    memcpy(ret->host_data, guest->host_data, sizeof ret->host_data);
    memcpy(ret->report_id, guest->report_id, sizeof ret->report_id);
    memset(ret->report_id_ma, 0xFF, sizeof ret->report_id_ma);
    memcpy(ret->chip_id, c->id, sizeof ret->chip_id);
}

static void to_little_endian(const uint8_t be[P384_BYTES], uint8_t ret[PP_SNP_SIGNATURE_INT_BYTES])
{
    memset(ret, 0, PP_SNP_SIGNATURE_INT_BYTES);
    for (size_t i = 0; i < P384_BYTES; i++)
        ret[i] = be[P384_BYTES - 1 - i];
}

pp_res sim_chip_sign(const struct sim_chip *c, const struct pp_snp_report *report,
                     uint8_t ret[PP_SNP_REPORT_BYTES])
{
    uint8_t der[PP_ECDSA_DER_BYTES_MAX], r[P384_BYTES], s[P384_BYTES];
    struct pp_snp_report signed_report = *report;
    size_t len;

    PP_TRY(pp_snp_report_write(report, ret, PP_SNP_REPORT_BYTES));
    PP_TRY(pp_ec_sign(c->key, PP_SHA384, pp_span(ret, PP_SNP_SIGNED_BYTES), der, sizeof der, &len));
    PP_TRY(pp_ecdsa_der_to_raw(pp_span(der, len), P384_BYTES, r, s));
    to_little_endian(r, signed_report.r);
    to_little_endian(s, signed_report.s);
    return pp_snp_report_write(&signed_report, ret, PP_SNP_REPORT_BYTES);
}

pp_res sim_chip_report(const struct sim_chip *c, const struct sim_guest *guest,
                       const uint8_t report_data[PP_SNP_REPORT_DATA_BYTES],
                       uint8_t ret[PP_SNP_REPORT_BYTES])
{
    struct pp_snp_report report;

    sim_chip_fill(c, guest, report_data, &report);
    return sim_chip_sign(c, &report, ret);
}
