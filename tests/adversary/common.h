/* SPDX-License-Identifier: Apache-2.0 */
/*
 * common.h: what the programs of this folder share: the life of a daemon that lies in one mode, a
 * route that it answers, and an honest party behind it that it passes on to.
 */
#ifndef ADVERSARY_COMMON_H
#define ADVERSARY_COMMON_H

#include "daemon.h"
#include "http_client.h"
#include "http_server.h"

enum { ADVERSARY_BODY_BYTES_MAX = 300000, ADVERSARY_URL_BYTES_MAX = 256 };

/* The first member of every program's configuration, and the rows for it. */
struct adversary_config {
    struct pp_daemon_config common;
    struct pp_span mode;
    struct pp_span behind; /* of those who pass on: the resource to pass on to */
};

#define ADVERSARY_MODE_KEY                                                                         \
    {                                                                                              \
        "mode", PP_KV_TEXT, offsetof(struct adversary_config, mode), 1, 1, 32,                     \
            "a mode of this program"                                                               \
    }

struct adversary_program {
    const char *name, *what;
    const struct pp_kv_key *keys;
    size_t key_count;
    struct adversary_config *config;
    const char *const *modes;
    int mode_count;
    const char *listener; /* its name in the ready lines */
    pp_res (*open)(struct pp_daemon *d, struct pp_problem *problem); /* before it listens */
    const char *path;                                                /* POSTs to it are answered */
    void (*on_post)(void *ctx, struct pp_http_request *q);
    pp_res (*serve)(struct pp_daemon *d, struct pp_problem *problem); /* instead of a route */
    void (*close)(struct pp_daemon *d);                               /* may be NULL */
};

/* The one program that runs. */
extern struct adversary {
    int mode; /* a place in `modes` */
    struct pp_daemon *daemon;
    const struct pp_listener *listener;

    /* Private. */
    const struct adversary_program *program;
    char url[ADVERSARY_URL_BYTES_MAX];
    struct pp_http_client *client;
    struct pp_http_server *server;
} adversary;

/* The whole of main(). */
int adversary_main(const struct adversary_program *p, int argc, char **argv);

/* Passes an OHTTP body on, with a field more if there is one; what cannot leave is 502 to `q`. */
void adversary_pass_on(struct pp_http_request *q, struct pp_span body,
                       const struct pp_http_field *more, pp_http_done_fn answered, void *ctx);

/* Answers as `response` does, but for the body. */
void adversary_answer(struct pp_http_request *q, const struct pp_http_response *response,
                      struct pp_span body);

#endif
