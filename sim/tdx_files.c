/* SPDX-License-Identifier: Apache-2.0 */
/* Vendor and platform as files: keys are for their owner alone, certificates for everybody. */
#include <stdlib.h>
#include <unistd.h>

#include "sim_int.h"
#include "tdx_int.h"

enum { NAME_BYTES_MAX = 32 };

/* "NAME.der" and the like. */
static void file_of(const char *name, const char *suffix, char ret[NAME_BYTES_MAX])
{
    struct pp_wr wr = pp_wr_over(ret, NAME_BYTES_MAX);

    pp_wr_text(&wr, name);
    pp_wr_text(&wr, suffix);
    pp_wr_u8(&wr, 0);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
}

static pp_res save_key(int fd, const char *name, const struct pp_ec_key *key)
{
    PP_AUTO(pp_secret) der = { 0 };
    char file[NAME_BYTES_MAX];

    file_of(name, ".key", file);
    PP_TRY(pp_ec_key_export_der(key, &der));
    return pp_file_write(fd, file, 0600, pp_secret_span(&der));
}

static pp_res load_key(int fd, const char *name, struct pp_ec_key **ret)
{
    char file[NAME_BYTES_MAX];
    struct pp_buf der = { 0 };

    file_of(name, ".key", file);
    PP_TRY(pp_file_read_kept(fd, file, PP_FILE_PRIVATE, PP_ISSUE_RSA_DER_BYTES_MAX, &der));
    pp_res r = pp_ec_key_import_der(pp_buf_span(&der), ret);
    pp_buf_done(&der);
    PP_TRY(r);
    PP_CHECK(pp_ec_key_curve(*ret) == PP_P256, PP_E_KEY, pp_ec_key_curve(*ret));
    return PP_OK;
}

/* A small public file into a buffer of the caller's. */
static pp_res load_bytes(int fd, const char *file, uint8_t *ret, size_t cap, size_t *ret_len)
{
    struct pp_buf buf = { 0 };

    PP_TRY(pp_file_read(fd, file, cap, &buf));
    memcpy(ret, buf.bytes, buf.len);
    *ret_len = buf.len;
    pp_buf_done(&buf);
    return PP_OK;
}

/* --- a party: key and certificate ------------------------------------------------------------- */

static pp_res save_party(int fd, const char *name, const struct sim_tdx_party *p)
{
    char file[NAME_BYTES_MAX];

    file_of(name, ".der", file);
    PP_TRY(save_key(fd, name, p->key));
    return pp_file_write(fd, file, 0644, pp_span(p->cert.der, p->cert.len));
}

static pp_res same_key(const struct sim_tdx_party *p)
{
    uint8_t spki[PP_P256_SPKI_BYTES];
    struct pp_x509 *cert = NULL;
    size_t len = 0;

    PP_TRY(pp_x509_parse(pp_span(p->cert.der, p->cert.len), &cert));
    pp_res r = pp_x509_spki(cert, spki, sizeof spki, &len);
    pp_x509_free(cert);
    PP_TRY(r);
    PP_CHECK(pp_span_eq(pp_span(spki, len), PP_BYTES(p->spki)), PP_E_MISMATCH, 0);
    return PP_OK;
}

static pp_res load_party(int fd, const char *name, struct sim_tdx_party *p)
{
    char file[NAME_BYTES_MAX];
    size_t len;

    file_of(name, ".der", file);
    PP_TRY(load_bytes(fd, file, p->cert.der, sizeof p->cert.der, &p->cert.len));
    PP_TRY(load_key(fd, name, &p->key));
    PP_TRY(pp_issue_key_from_ec(p->key, &p->issuer));
    PP_TRY(pp_ec_key_spki(p->key, p->spki, sizeof p->spki, &len));
    return same_key(p);
}

/* --- the vendor ------------------------------------------------------------------------------- */

static pp_res save_vendor(const struct sim_tdx_vendor *v, int fd)
{
    PP_TRY(save_party(fd, "root", &v->root));
    PP_TRY(save_party(fd, "authority", &v->authority));
    return save_party(fd, "signer", &v->signer);
}

pp_res sim_tdx_vendor_save(const struct sim_tdx_vendor *v, int dir_fd, const char *path)
{
    int fd;

    PP_TRY(sim_open_folder(dir_fd, path, 1, &fd));
    pp_res r = save_vendor(v, fd);
    close(fd);
    return r;
}

static pp_res load_vendor(struct sim_tdx_vendor *v, int fd)
{
    PP_TRY(load_party(fd, "root", &v->root));
    PP_TRY(load_party(fd, "authority", &v->authority));
    PP_TRY(load_party(fd, "signer", &v->signer));
    return sim_tdx_chain_vendor(v);
}

pp_res sim_tdx_vendor_load(int dir_fd, const char *path, struct sim_tdx_vendor **ret)
{
    struct sim_tdx_vendor *v = NULL;
    pp_res r = PP_FAIL(PP_E_NO_MEMORY, 0);
    int fd;

    PP_TRY(sim_open_folder(dir_fd, path, 0, &fd));
    if ((v = calloc(1, sizeof *v)) != NULL)
        r = load_vendor(v, fd);
    close(fd);
    if (!pp_is_ok(r)) {
        sim_tdx_vendor_free(v);
        return r;
    }
    *ret = v;
    return PP_OK;
}

/* --- a platform ------------------------------------------------------------------------------- */

static pp_res save_platform(const struct sim_tdx_platform *p, int fd)
{
    PP_TRY(save_party(fd, "pck", &p->pck));
    PP_TRY(save_key(fd, "attestation", p->attestation_key));
    PP_TRY(pp_file_write(fd, "qe.auth", 0644, PP_BYTES(p->qe_auth)));
    return pp_file_write(fd, "authorities.pem", 0644, pp_span(p->authorities, p->authorities_len));
}

pp_res sim_tdx_platform_save(const struct sim_tdx_platform *p, int dir_fd, const char *path)
{
    int fd;

    PP_TRY(sim_open_folder(dir_fd, path, 1, &fd));
    pp_res r = save_platform(p, fd);
    close(fd);
    return r;
}

/* PPID, patch level and kind, as the certificate has them. */
static pp_res take_certificate(struct sim_tdx_platform *p)
{
    struct pp_x509 *cert = NULL;

    PP_TRY(pp_x509_parse(pp_span(p->pck.cert.der, p->pck.cert.len), &cert));
    pp_res r = pp_tdx_pck_of(cert, &p->params.pck, NULL);
    pp_x509_free(cert);
    return r;
}

static pp_res load_platform(struct sim_tdx_platform *p, int fd)
{
    size_t len;

    p->params = sim_tdx_params_default();
    PP_TRY(load_party(fd, "pck", &p->pck));
    PP_TRY(load_key(fd, "attestation", &p->attestation_key));
    PP_TRY(pp_ec_key_point(p->attestation_key, p->attestation_point, sizeof p->attestation_point,
                           &len));
    PP_TRY(load_bytes(fd, "qe.auth", p->qe_auth, sizeof p->qe_auth, &len));
    PP_CHECK(len == sizeof p->qe_auth, PP_E_FORMAT, len);
    PP_TRY(load_bytes(fd, "authorities.pem", p->authorities, sizeof p->authorities,
                      &p->authorities_len));
    PP_TRY(take_certificate(p));
    return sim_tdx_chain_platform(p);
}

pp_res sim_tdx_platform_load(int dir_fd, const char *path, struct sim_tdx_platform **ret)
{
    struct sim_tdx_platform *p = NULL;
    pp_res r = PP_FAIL(PP_E_NO_MEMORY, 0);
    int fd;

    PP_TRY(sim_open_folder(dir_fd, path, 0, &fd));
    if ((p = calloc(1, sizeof *p)) != NULL)
        r = load_platform(p, fd);
    close(fd);
    if (!pp_is_ok(r)) {
        sim_tdx_platform_free(p);
        return r;
    }
    *ret = p;
    return PP_OK;
}
