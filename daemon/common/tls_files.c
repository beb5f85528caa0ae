/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_files.h"

#include <fcntl.h>

#include "file.h"

static pp_res read_one(const char *path, mode_t forbidden, const char *expected,
                       struct pp_problem *problem, struct pp_buf *ret)
{
    pp_res r = pp_file_read_kept(AT_FDCWD, path, forbidden, PP_TLS_FILE_BYTES_MAX, ret);

    if (pp_is_ok(r))
        return PP_OK;
    pp_problem_set(problem, path, expected, pp_span_cstr(pp_file_reason(r)));
    return PP_FAIL(PP_E_CONFIG, r.detail);
}

pp_res pp_tls_files_load(struct pp_http_server *server, const char *chain_path,
                         const char *key_path, struct pp_problem *problem)
{
    struct pp_buf chain = { 0 }, key = { 0 };
    pp_res r = read_one(chain_path, PP_FILE_OURS, "a certificate chain, PEM, leaf first", problem,
                        &chain);

    if (pp_is_ok(r))
        r = read_one(key_path, PP_FILE_PRIVATE, "a private key, PEM, mode 0600", problem, &key);
    if (pp_is_ok(r)) {
        r = pp_http_server_tls(server, pp_buf_span(&chain), pp_buf_span(&key));
        if (r.code == PP_E_KEY) {
            pp_problem_set(problem, key_path, "the key of the chain's first certificate",
                           PP_STR("another, or no PEM"));
            r.code = PP_E_CONFIG;
        }
    }
    pp_buf_done(&key); /* wipes */
    pp_buf_done(&chain);
    return r;
}
