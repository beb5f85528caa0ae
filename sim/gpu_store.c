/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated GPU as a folder: certificates of its device chain, and those keys that its owner has.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sim_gpu_int.h"
#include "sim_int.h"

enum { NAME_BYTES_MAX = 16 };

static void name_of(size_t i, const char *kind, char ret[NAME_BYTES_MAX])
{
    snprintf(ret, NAME_BYTES_MAX, "device%zu.%s", i, kind);
}

static pp_res save_link(const struct sim_gpu_link *l, int fd, size_t i, int with_key)
{
    PP_AUTO(pp_secret) der = { 0 };
    char name[NAME_BYTES_MAX];

    name_of(i, "der", name);
    PP_TRY(pp_file_write(fd, name, 0644, pp_span(l->der, l->der_len)));
    if (!with_key)
        return PP_OK;
    name_of(i, "key", name);
    PP_TRY(pp_ec_key_export_der(l->ec, &der));
    return pp_file_write(fd, name, 0600, pp_secret_span(&der));
}

pp_res sim_gpu_save(const struct sim_gpu *g, enum sim_gpu_part part, int dir_fd, const char *path)
{
    size_t keys = part == SIM_GPU_DEVICE ? 1 : SIM_GPU_CERTS;
    pp_res r = PP_OK;
    int fd;

    PP_TRY(sim_open_folder(dir_fd, path, 1, &fd));
    for (size_t i = 0; i < SIM_GPU_CERTS && pp_is_ok(r); i++)
        r = save_link(&g->device[i], fd, i, i < keys);
    close(fd);
    return r;
}

static pp_res load_key(struct sim_gpu_link *l, int fd, size_t i)
{
    struct pp_buf key = { 0 };
    char name[NAME_BYTES_MAX];

    name_of(i, "key", name);
    PP_TRY(pp_file_read_kept(fd, name, PP_FILE_PRIVATE, PP_ISSUE_RSA_DER_BYTES_MAX, &key));
    pp_res r = pp_ec_key_import_der(pp_buf_span(&key), &l->ec);
    pp_buf_done(&key);
    PP_TRY(r);
    return pp_issue_key_from_ec(l->ec, &l->key);
}

static pp_res load_link(struct sim_gpu_link *l, int fd, size_t i)
{
    struct pp_buf der = { 0 };
    char name[NAME_BYTES_MAX];

    name_of(i, "der", name);
    PP_TRY(pp_file_read(fd, name, sizeof l->der, &der));
    memcpy(l->der, der.bytes, der.len);
    l->der_len = der.len;
    pp_buf_done(&der);
    pp_res r = load_key(l, fd, i);
    return r.code == PP_E_NOT_FOUND && i > 0 ? PP_OK : r; /* a device has its own key alone */
}

pp_res sim_gpu_load(int dir_fd, const char *path, struct sim_gpu **ret)
{
    struct sim_gpu *g;
    pp_res r = PP_OK;
    int fd;

    PP_TRY(sim_open_folder(dir_fd, path, 0, &fd));
    if ((g = calloc(1, sizeof *g)) == NULL)
        r = PP_FAIL(PP_E_NO_MEMORY, 0);
    for (size_t i = 0; i < SIM_GPU_CERTS && pp_is_ok(r); i++)
        r = load_link(&g->device[i], fd, i);
    close(fd);
    if (!pp_is_ok(r)) {
        sim_gpu_free(g);
        return r;
    }
    sim_gpu_firmware_id(g->fwid);
    *ret = g;
    return PP_OK;
}
