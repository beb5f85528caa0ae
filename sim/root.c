/* SPDX-License-Identifier: Apache-2.0 */
/* ARK and ASK of a simulated product line. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim_int.h"

#include "wr.h"

enum {
    RSA_BITS = 4096,
    YEAR_S = 365 * 86400,
    DAY_S = 86400,
    SERIAL_ARK = 0x10000,
    SERIAL_ASK,
    SERIAL_ASVK
};

struct sim_root {
    enum pp_snp_line line;
    struct pp_issue_key *ark_key, *ask_key, *asvk_key; /* the last: NULL until it is asked for */
    struct sim_cert ark, ask, asvk;
};

/* "ARK-Genoa" and the like. */
static void write_cn(char ret[SIM_CN_BYTES_MAX], const char *prefix, enum pp_snp_line line)
{
    struct pp_wr wr = pp_wr_over(ret, SIM_CN_BYTES_MAX);

    pp_wr_text(&wr, prefix);
    pp_wr_text(&wr, pp_snp_line_name(line));
    pp_wr_u8(&wr, 0);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
}

size_t sim_names(struct pp_issue_name *ret, const char *cn)
{
    const struct pp_issue_name names[] = {
        { "OU", "Engineering" },   { "C", "ZZ" }, { "L", "Nowhere" }, { "ST", "None" },
        { "O", SIM_ORGANISATION }, { "CN", cn },
    };

    memcpy(ret, names, sizeof names);
    return PP_ARRAY_COUNT(names);
}

static pp_res issue_authority(const struct pp_issue_key *subject, const char *subject_cn,
                              const struct pp_issue_key *issuer, const char *issuer_cn,
                              uint64_t serial, uint64_t now_s, int path_len, struct sim_cert *ret)
{
    uint8_t spki[PP_RSA_SPKI_BYTES_MAX];
    struct pp_issue_cert cert = {
        .serial = serial,
        .not_before = now_s,
        .not_after = now_s + UINT64_C(10) * YEAR_S,
        .is_ca = 1,
        .path_len = path_len,
    };
    size_t len;

    PP_TRY(pp_issue_key_spki(subject, spki, sizeof spki, &len));
    cert.spki = pp_span(spki, len);
    cert.subject_count = sim_names(cert.subject, subject_cn);
    cert.issuer_count = sim_names(cert.issuer, issuer_cn);
    return pp_x509_issue(&cert, issuer, PP_X509_SIG_PSS_SHA384, ret->der, sizeof ret->der,
                         &ret->len);
}

static pp_res create(struct sim_root *r, uint64_t now_s)
{
    char ark_cn[SIM_CN_BYTES_MAX], ask_cn[SIM_CN_BYTES_MAX];

    write_cn(ark_cn, "ARK-", r->line);
    write_cn(ask_cn, "SEV-", r->line);
    PP_TRY(pp_issue_key_generate_rsa(RSA_BITS, &r->ark_key));
    PP_TRY(pp_issue_key_generate_rsa(RSA_BITS, &r->ask_key));
    PP_TRY(issue_authority(r->ark_key, ark_cn, r->ark_key, ark_cn, SERIAL_ARK, now_s, -1, &r->ark));
    return issue_authority(r->ask_key, ask_cn, r->ark_key, ark_cn, SERIAL_ASK, now_s, 0, &r->ask);
}

/* Keeps `*r` on success and releases it on failure. */
static pp_res give(struct sim_root *r, pp_res result, struct sim_root **ret)
{
    if (!pp_is_ok(result)) {
        sim_root_free(r);
        return result;
    }
    *ret = r;
    return PP_OK;
}

pp_res sim_root_create(enum pp_snp_line line, uint64_t now_s, struct sim_root **ret)
{
    struct sim_root *r;

    PP_CHECK(line == PP_SNP_MILAN || line == PP_SNP_GENOA || line == PP_SNP_TURIN, PP_E_UNSUPPORTED,
             line);
    PP_CHECK((r = calloc(1, sizeof *r)) != NULL, PP_E_NO_MEMORY, 0);
    r->line = line;
    return give(r, create(r, now_s), ret);
}

void sim_root_free(struct sim_root *r)
{
    if (r == NULL)
        return;
    pp_issue_key_free(r->ark_key);
    pp_issue_key_free(r->ask_key);
    pp_issue_key_free(r->asvk_key);
    free(r);
}

enum pp_snp_line sim_root_line(const struct sim_root *r)
{
    return r->line;
}

struct pp_span sim_root_ark(const struct sim_root *r)
{
    return pp_span(r->ark.der, r->ark.len);
}

struct pp_span sim_root_ask(const struct sim_root *r)
{
    return pp_span(r->ask.der, r->ask.len);
}

pp_res sim_root_add_asvk(struct sim_root *r, uint64_t now_s)
{
    char ark_cn[SIM_CN_BYTES_MAX], asvk_cn[SIM_CN_BYTES_MAX];

    PP_CHECK(r->asvk_key == NULL, PP_E_STATE, 0);
    write_cn(ark_cn, "ARK-", r->line);
    write_cn(asvk_cn, "SEV-VLEK-", r->line);
    PP_TRY(pp_issue_key_generate_rsa(RSA_BITS, &r->asvk_key));
    return issue_authority(r->asvk_key, asvk_cn, r->ark_key, ark_cn, SERIAL_ASVK, now_s, 0,
                           &r->asvk);
}

struct pp_span sim_root_asvk(const struct sim_root *r)
{
    return pp_span(r->asvk.der, r->asvk.len);
}

const struct pp_issue_key *sim_root_ark_key(const struct sim_root *r)
{
    return r->ark_key;
}

const struct pp_issue_key *sim_root_asvk_key(const struct sim_root *r)
{
    return r->asvk_key;
}

const struct pp_issue_key *sim_root_ask_key(const struct sim_root *r)
{
    return r->ask_key;
}

pp_res sim_root_crl(const struct sim_root *r, uint64_t now_s, enum sim_revoked revoked,
                    uint8_t *ret, size_t cap, size_t *ret_len)
{
    char cn[SIM_CN_BYTES_MAX];
    struct pp_issue_crl crl = {
        .this_update = now_s,
        .next_update = now_s + UINT64_C(30) * DAY_S,
        .serials = { revoked == SIM_REVOKES_ASVK ? SERIAL_ASVK : SERIAL_ASK },
        .serial_count = revoked == SIM_REVOKES_NONE ? 0 : 1,
    };

    write_cn(cn, "ARK-", r->line);
    crl.issuer_count = sim_names(crl.issuer, cn);
    return pp_x509_issue_crl(&crl, r->ark_key, PP_X509_SIG_PSS_SHA384, ret, cap, ret_len);
}

/* --- files ------------------------------------------------------------------------------------ */

pp_res sim_open_folder(int dir_fd, const char *path, int create, int *ret_fd)
{
    if (create && mkdirat(dir_fd, path, 0700) != 0 && errno != EEXIST)
        return pp_errno_res(errno);
    int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? PP_FAIL(PP_E_NOT_FOUND, 0) : pp_errno_res(errno);
    *ret_fd = fd;
    return PP_OK;
}

pp_res sim_save_key(int fd, const char *name, const struct pp_issue_key *key)
{
    PP_AUTO(pp_secret) der = { 0 };

    PP_TRY(pp_issue_key_export_der(key, &der));
    return pp_file_write(fd, name, 0600, pp_secret_span(&der));
}

pp_res sim_load_cert(int fd, const char *name, struct sim_cert *ret)
{
    struct pp_buf buf = { 0 };

    PP_TRY(pp_file_read(fd, name, sizeof ret->der, &buf));
    memcpy(ret->der, buf.bytes, buf.len);
    ret->len = buf.len;
    pp_buf_done(&buf);
    return PP_OK;
}

/* The public key of `key` is that of the certificate. */
static pp_res same_key(const struct pp_issue_key *key, const struct pp_x509 *cert)
{
    uint8_t a[PP_RSA_SPKI_BYTES_MAX], b[PP_RSA_SPKI_BYTES_MAX];
    size_t a_len, b_len;

    PP_TRY(pp_issue_key_spki(key, a, sizeof a, &a_len));
    PP_TRY(pp_x509_spki(cert, b, sizeof b, &b_len));
    PP_CHECK(pp_span_eq(pp_span(a, a_len), pp_span(b, b_len)), PP_E_MISMATCH, 0);
    return PP_OK;
}

pp_res sim_load_key(int fd, const char *name, const struct sim_cert *cert,
                    struct pp_issue_key **ret)
{
    struct pp_buf buf = { 0 };
    struct pp_x509 *x = NULL;
    struct pp_issue_key *key = NULL;

    PP_TRY(pp_file_read(fd, name, PP_ISSUE_RSA_DER_BYTES_MAX, &buf));
    pp_res r = pp_issue_key_import_der(pp_buf_span(&buf), &key);
    if (pp_is_ok(r))
        r = pp_x509_parse(pp_span(cert->der, cert->len), &x);
    if (pp_is_ok(r))
        r = same_key(key, x);
    pp_x509_free(x);
    pp_buf_done(&buf);
    if (!pp_is_ok(r)) {
        pp_issue_key_free(key);
        return r;
    }
    *ret = key;
    return PP_OK;
}

static pp_res save(const struct sim_root *r, int fd)
{
    PP_TRY(sim_save_key(fd, "ark.key", r->ark_key));
    PP_TRY(sim_save_key(fd, "ask.key", r->ask_key));
    PP_TRY(pp_file_write(fd, "ark.der", 0644, sim_root_ark(r)));
    return pp_file_write(fd, "ask.der", 0644, sim_root_ask(r));
}

pp_res sim_root_save(const struct sim_root *r, int dir_fd, const char *path)
{
    int fd;

    PP_TRY(sim_open_folder(dir_fd, path, 1, &fd));
    pp_res result = save(r, fd);
    close(fd);
    return result;
}

static pp_res load(struct sim_root *r, int fd)
{
    char cn[PP_X509_NAME_BYTES_MAX];
    struct pp_x509 *ark = NULL;

    PP_TRY(sim_load_cert(fd, "ark.der", &r->ark));
    PP_TRY(sim_load_cert(fd, "ask.der", &r->ask));
    PP_TRY(sim_load_key(fd, "ark.key", &r->ark, &r->ark_key));
    PP_TRY(sim_load_key(fd, "ask.key", &r->ask, &r->ask_key));
    PP_TRY(pp_x509_parse(sim_root_ark(r), &ark));
    pp_res result = pp_x509_name(ark, PP_X509_SUBJECT, "CN", cn);
    pp_x509_free(ark);
    PP_TRY(result);
    struct pp_span name = pp_span_cstr(cn);
    PP_CHECK(name.len > 4, PP_E_FORMAT, name.len);
    r->line = pp_snp_line_by_name(pp_span(name.at + 4, name.len - 4)); /* behind "ARK-" */
    PP_CHECK(r->line != PP_SNP_LINE_NONE, PP_E_FORMAT, 0);
    return PP_OK;
}

pp_res sim_root_load(int dir_fd, const char *path, struct sim_root **ret)
{
    struct sim_root *r;
    int fd;

    PP_TRY(sim_open_folder(dir_fd, path, 0, &fd));
    if ((r = calloc(1, sizeof *r)) == NULL) {
        close(fd);
        return PP_FAIL(PP_E_NO_MEMORY, 0);
    }
    pp_res result = load(r, fd);
    close(fd);
    return give(r, result, ret);
}
