/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes cases of simulated TDX evidence as folders of the form that `ppctl vectors tdx` and
 * `ppctl verify tdx` read: tests/vectors/tdx was made with it.
 *
 * usage: sim_tdx_folder DIR          one folder for each case of the table below
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto.h"
#include "file.h"
#include "tdx_int.h"

enum { NOW = 1780272000, DAY = 86400 };

/* What is signed, after a case has bent it. */
struct draft {
    struct sim_tdx_params params;
    struct sim_tdx_guest guest;
    struct pp_tdx_quote quote;
    struct pp_tdx_tcb_info info;
    struct pp_tdx_qe_identity identity;
    uint64_t root_lists, pck_lists, crl_until;
};

static void must(pp_res r)
{
    if (!pp_is_ok(r)) {
        fprintf(stderr, "sim_tdx_folder: %s at %s\n", pp_code_name(r.code), r.where);
        exit(1);
    }
}

static void nothing(struct draft *d)
{
    (void)d;
}

static void debug(struct draft *d)
{
    d->quote.body.td_attributes |= PP_TDX_ATTR_DEBUG;
}

static void perfmon_in_xfam(struct draft *d)
{
    d->quote.body.xfam |= UINT64_C(1) << 3;
}

static void out_of_date(struct draft *d)
{
    d->info.levels[0].status = PP_TDX_OUT_OF_DATE;
}

static void module_out_of_date(struct draft *d)
{
    d->info.levels[0].status = PP_TDX_CONFIGURATION_NEEDED;
    d->info.modules[0].levels.rows[0].status = PP_TDX_OUT_OF_DATE;
}

static void hardening(struct draft *d)
{
    d->info.levels[0].status = PP_TDX_SW_HARDENING_NEEDED;
}

static void stale(struct draft *d)
{
    d->info.next_update_s = NOW;
}

static void other_enclave(struct draft *d)
{
    d->quote.qe.mrsigner[0] ^= 1;
}

static void other_key(struct draft *d)
{
    d->quote.qe.report_data[0] ^= 1;
}

static void revoked(struct draft *d)
{
    d->pck_lists = SIM_TDX_SERIAL_PCK;
}

static void old_list(struct draft *d)
{
    d->crl_until = NOW;
}

static void service(struct draft *d)
{
    d->quote.body.mrservicetd[0] = 1;
}

static const struct one {
    const char *name;
    uint16_t version;
    enum pp_tdx_body_type body_type;
    void (*bend)(struct draft *d);
    const char *policy; /* members of the policy, each with a comma before it */
    const char *codes;  /* NULL: accepted */
} CASES[] = {
    { "v5-tdx15", 5, PP_TDX_BODY_15, nothing, "", NULL },
    { "v5-tdx10", 5, PP_TDX_BODY_10, nothing, ",\"enforce_spec_defaults\":true", NULL },
    { "v4", 4, PP_TDX_BODY_10, nothing, ",\"accepted_qv_results\":[\"UpToDate\"]", NULL },
    { "v5-debug", 5, PP_TDX_BODY_15, debug, ",\"enforce_spec_defaults\":true",
      "\"TD_ATTRIBUTES_DEBUG_SET\"" },
    { "v4-xfam", 4, PP_TDX_BODY_10, perfmon_in_xfam, ",\"enforce_spec_defaults\":true",
      "\"XFAM_FORBIDDEN_BIT_SET\"" },
    { "v5-out-of-date", 5, PP_TDX_BODY_15, out_of_date, "", "\"TDX_TCB_STATUS\"" },
    { "v5-out-of-date-listed", 5, PP_TDX_BODY_15, out_of_date,
      ",\"accepted_qv_results\":[\"OK\",\"OUT_OF_DATE\"]", NULL },
    { "v5-module-out-of-date", 5, PP_TDX_BODY_15, module_out_of_date,
      ",\"accepted_qv_results\":[\"OK\",\"OUT_OF_DATE\"]", "\"TDX_TCB_STATUS\"" },
    { "v5-hardening", 5, PP_TDX_BODY_15, hardening, "", NULL },
    { "v5-stale", 5, PP_TDX_BODY_15, stale, "", "[\"TCB_INFO_EXPIRED\"]" },
    { "v5-other-enclave", 5, PP_TDX_BODY_15, other_enclave, "",
      "\"QE_IDENTITY_MRSIGNER_MISMATCH\"" },
    { "v4-other-key", 4, PP_TDX_BODY_10, other_key, "", "\"AK_BINDING_INVALID\"" },
    { "v5-revoked", 5, PP_TDX_BODY_15, revoked, "", "\"PCK_REVOKED\"" },
    { "v5-old-list", 5, PP_TDX_BODY_15, old_list, "", "[\"PCK_CRL_EXPIRED\"]" },
    { "v5-old-list-unasked", 5, PP_TDX_BODY_15, old_list, ",\"tcb_evaluation_required\":false",
      NULL },
    { "v5-service-td", 5, PP_TDX_BODY_15, service,
      ",\"expected_mr_service_td_hex\":\"000000000000000000000000000000000000000000000000"
      "000000000000000000000000000000000000000000000000\"",
      "\"TDX_SERVICE_TD\"" },
    { "v5-evaluation", 5, PP_TDX_BODY_15, nothing, ",\"min_tcb_evaluation_data_number\":19",
      "\"TCB_EVALUATION_BELOW_MINIMUM\"" },
    { "v5-minimum", 5, PP_TDX_BODY_15, nothing,
      ",\"min_tee_tcb_svn_hex\":\"06010500000000000000000000000000\"",
      "\"TEE_TCB_SVN_BELOW_MINIMUM\"" },
};

static void save(int fd, const char *name, struct pp_span bytes)
{
    must(pp_file_write(fd, name, 0644, bytes));
}

static void save_expect(int fd, const struct one *c)
{
    static char text[1024];
    int len = snprintf(text, sizeof text,
                       "{\n \"source\": \"simulated\",\n \"verification_time_unix\": %d,\n"
                       " \"policy\": {\"expected_mr_owner_hex\":\"%s%s\"%s},\n \"accepted\": %s,\n"
                       " \"rejection_codes\": %s\n}\n",
                       NOW, "000000000000000000000000000000000000000000000000",
                       "000000000000000000000000000000000000000000000000", c->policy,
                       c->codes == NULL ? "true" : "false", c->codes == NULL ? "null" : c->codes);

    save(fd, "expect.json", pp_span(text, (size_t)len));
}

static void save_documents(int fd, const struct sim_tdx_vendor *v, const struct draft *d)
{
    static uint8_t inner[SIM_TDX_DOCUMENT_BYTES_MAX], whole[SIM_TDX_DOCUMENT_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(inner, sizeof inner);
    size_t len;

    sim_tdx_tcb_info_write(&wr, &d->info);
    must(sim_tdx_sign_document(v, "tcbInfo", pp_wr_done(&wr), whole, sizeof whole, &len));
    save(fd, "tcb_info.json", pp_span(whole, len));
    wr = pp_wr_over(inner, sizeof inner);
    sim_tdx_qe_identity_write(&wr, &d->identity);
    must(sim_tdx_sign_document(v, "enclaveIdentity", pp_wr_done(&wr), whole, sizeof whole, &len));
    save(fd, "qe_identity.json", pp_span(whole, len));
    must(sim_tdx_crl(v, SIM_TDX_BY_ROOT, NOW - DAY, d->crl_until, &d->root_lists,
                     d->root_lists != 0, whole, sizeof whole, &len));
    save(fd, "root_crl.der", pp_span(whole, len));
    must(sim_tdx_crl(v, SIM_TDX_BY_AUTHORITY, NOW - DAY, d->crl_until, &d->pck_lists,
                     d->pck_lists != 0, whole, sizeof whole, &len));
    save(fd, "pck_crl.der", pp_span(whole, len));
    save(fd, "tcb_info_issuer_chain.pem", sim_tdx_signer_chain(v));
    wr = pp_wr_over(whole, sizeof whole);
    sim_tdx_pem_write(&wr, &v->root.cert);
    save(fd, "intel_root_ca.pem", pp_wr_done(&wr));
}

static void save_case(int fd, const struct sim_tdx_vendor *v, const struct one *c)
{
    struct pp_random random = pp_random_system();
    struct draft d = { .params = sim_tdx_params_default(), .crl_until = NOW + 30 * DAY };
    struct sim_tdx_platform *platform = NULL;
    uint8_t report_data[PP_TDX_REPORT_DATA_BYTES];
    uint8_t quote[SIM_TDX_QUOTE_BYTES_MAX];
    size_t len;

    d.params.version = c->version;
    d.params.body_type = c->body_type;
    d.guest = (struct sim_tdx_guest){ .td_attributes = SIM_TDX_ATTRIBUTES, .xfam = SIM_TDX_XFAM };
    memset(report_data, 0x52, sizeof report_data);
    must(sim_tdx_platform_create(v, &d.params, &random, NOW - DAY, &platform));
    sim_tdx_quote_fill(platform, &d.guest, report_data, &d.quote);
    sim_tdx_tcb_info_of(platform, NOW - DAY, &d.info);
    sim_tdx_qe_identity_of(platform, NOW - DAY, &d.identity);
    c->bend(&d);
    must(sim_tdx_quote_sign(platform, &d.quote, quote, sizeof quote, &len));
    save(fd, "quote.bin", pp_span(quote, len));
    save_documents(fd, v, &d);
    save_expect(fd, c);
    sim_tdx_platform_free(platform);
}

int main(int argc, char **argv)
{
    struct sim_tdx_vendor *vendor = NULL;

    if (argc != 2) {
        fprintf(stderr, "usage: sim_tdx_folder DIR\n");
        return 2;
    }
    must(pp_crypto_init());
    must(sim_tdx_vendor_create(NOW - DAY, &vendor));
    int dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; dir >= 0 && i < PP_ARRAY_COUNT(CASES); i++) {
        int fd = -1;
        if (mkdirat(dir, CASES[i].name, 0755) == 0)
            fd = openat(dir, CASES[i].name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) {
            perror(CASES[i].name);
            return 1;
        }
        save_case(fd, vendor, &CASES[i]);
        close(fd);
    }
    if (dir < 0)
        perror(argv[1]);
    sim_tdx_vendor_free(vendor);
    return dir < 0;
}
