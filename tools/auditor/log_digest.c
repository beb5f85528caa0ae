/* SPDX-License-Identifier: Apache-2.0 */
/* Published files that may be larger than memory: an image is hashed as it comes. */
#include "log_source_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OK = 200, PIECE_BYTES = 1 << 16 };

struct digest {
    const struct pp_log_source_config *config;
    uint64_t max, len;
    struct pp_hash hash;
    struct pp_loop *loop;
    uint32_t status;
    pp_res result;
};

/* 0: it is longer than it may be. */
static int take(struct digest *d, struct pp_span bytes)
{
    if (bytes.len > d->max - d->len)
        return 0;
    pp_hash_update(&d->hash, bytes);
    d->len += bytes.len;
    return 1;
}

/* --- over HTTP ------------------------------------------------------------------------------ */

static int on_head(void *ctx, const struct pp_http_response *response)
{
    struct digest *d = ctx;

    d->status = response->status;
    d->result = PP_OK;
    if (response->status != OK)
        d->result = PP_FAIL(response->status == 404 ? PP_E_NOT_FOUND : PP_E_HTTP_STATUS,
                            response->status);
    else if (response->content_coding != PP_HTTP_IDENTITY)
        d->result = PP_FAIL(PP_E_LOG_FILE, response->content_coding);
    return pp_is_ok(d->result) ? 1 : -1;
}

static int on_piece(void *ctx, struct pp_span bytes)
{
    struct digest *d = ctx;

    if (take(d, bytes))
        return 1;
    d->result = PP_FAIL(PP_E_LOG_FILE, d->len);
    return -1;
}

static void on_done(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct digest *d = ctx;

    (void)response;
    if (r.code != PP_E_CANCELLED)
        d->result = r;
    pp_loop_stop(d->loop);
}

static pp_res call(struct digest *d, struct pp_http_client *client)
{
    const struct pp_http_call c = {
        .method = "GET",
        .url = d->config->place,
        .deadline_ms = d->config->deadline_ms == 0 ? PP_HTTP_DEADLINE_MS_MAX
                                                   : d->config->deadline_ms,
        .head = on_head,
        .piece = on_piece,
        .ctx = d,
    };
    struct pp_http_pending *pending;

    PP_TRY(pp_http_client_start(client, &c, on_done, d, &pending));
    return pp_loop_run(d->loop);
}

static pp_res over_http(struct digest *d)
{
    const struct pp_http_client_config c = { .calls_max = 1, .ca_pem = d->config->ca_pem };
    struct pp_http_client *client = NULL;

    PP_TRY(pp_loop_new(&d->loop));
    pp_res r = pp_http_client_new(d->loop, &c, &client);
    if (pp_is_ok(r))
        r = call(d, client);
    pp_http_client_free(client);
    pp_loop_free(d->loop);
    return pp_is_ok(r) ? d->result : r;
}

/* --- from a path ---------------------------------------------------------------------------- */

static pp_res read_fd(struct digest *d, int fd)
{
    uint8_t piece[PIECE_BYTES];

    for (;;) {
        ssize_t n = read(fd, piece, sizeof piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return pp_errno_res(errno);
        if (n == 0)
            return PP_OK;
        PP_CHECK(take(d, pp_span(piece, (size_t)n)), PP_E_LOG_FILE, d->len);
    }
}

static pp_res from_path(struct digest *d)
{
    int fd = open(d->config->place, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;

    if (fd < 0)
        return pp_errno_res(errno);
    /* The path may be a record's word, and a device need not end. */
    pp_res r = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? read_fd(d, fd)
                                                          : PP_FAIL(PP_E_NOT_FOUND, 0);
    (void)close(fd);
    return r;
}

pp_res pp_log_source_digest(const struct pp_log_source_config *c, uint64_t max,
                            uint8_t ret_sha256[PP_SHA256_BYTES], uint64_t *ret_len,
                            struct pp_problem *problem)
{
    struct digest d = { .config = c, .max = max, .result = PP_FAIL(PP_E_STATE, 0) };
    char expected[64], got[96];

    pp_hash_init(&d.hash, PP_SHA256);
    pp_res r = pp_log_is_url_(c->place) ? over_http(&d) : from_path(&d);
    if (!pp_is_ok(r)) {
        snprintf(expected, sizeof expected, "a file of at most %llu bytes",
                 (unsigned long long)max);
        snprintf(got, sizeof got, "%s (status %u, %llu bytes)", pp_code_text(r.code), d.status,
                 (unsigned long long)d.len);
        pp_log_words_(problem, "log", c->place, expected, got);
        return r;
    }
    pp_hash_final(&d.hash, ret_sha256);
    *ret_len = d.len;
    return PP_OK;
}
