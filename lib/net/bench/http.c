/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An echo of 4 KiB over one kept connection: requests per second of wall time, and CPU time per
 * request of the server and of the client, which are processes of their own. CPU time is what to
 * compare: the wall depends on who else runs.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allocations.h"
#include "bench.h"
#include "env.h"
#include "net.h"

enum { BODY_BYTES = 4096, REQUESTS = 20000, WARM_UP = 500 };

static struct pp_loop *loop;

static void must(pp_res r)
{
    if (!pp_is_ok(r)) {
        fprintf(stderr, "bench: %s (%u) at %s\n", pp_code_name(r.code), r.detail, r.where);
        exit(1);
    }
}

/* --- the server, in the child --------------------------------------------------------------- */

static void on_echo(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    const struct pp_http_reply r = { .status = 200, .body = pp_http_request_body(q) };

    pp_http_reply(q, &r);
}

static void on_term(void *ctx)
{
    (void)ctx;
    pp_loop_stop(loop);
}

static int serve(const struct pp_listener *l)
{
    static const struct pp_http_route route = { "POST", "/echo", BODY_BYTES, on_echo, NULL };
    const struct pp_http_server_config c = { .routes = &route,
                                             .route_count = 1,
                                             .scratch_bytes = BODY_BYTES };
    struct pp_http_server *server;
    struct pp_signal *term;

    must(pp_loop_new(&loop));
    must(pp_http_server_new(loop, &c, &server));
    must(pp_http_server_listen(server, l));
    must(pp_signal_new(loop, SIGTERM, on_term, NULL, &term));
    must(pp_loop_run(loop));
    pp_signal_free(term);
    pp_http_server_free(server);
    pp_loop_free(loop);
    return 0;
}

/* --- the client ----------------------------------------------------------------------------- */

struct run {
    struct pp_http_client *client;
    struct pp_http_call call;
    unsigned left;
};

static void on_done(void *ctx, pp_res r, const struct pp_http_response *response);

static void start(struct run *run)
{
    struct pp_http_pending *pending;

    must(pp_http_client_start(run->client, &run->call, on_done, run, &pending));
}

static void on_done(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct run *run = (struct run *)ctx;

    must(r);
    if (response->status != 200 || response->body.len != BODY_BYTES)
        exit(1);
    if (--run->left == 0)
        pp_loop_stop(loop);
    else
        start(run);
}

static void run_requests(struct run *run, unsigned count)
{
    run->left = count;
    start(run);
    must(pp_loop_run(loop));
}

static double wall_s(void)
{
    struct pp_clock clock = pp_clock_system();

    return (double)pp_clock_mono_ms(&clock) / 1000;
}

static double cpu_of_children_s(void)
{
    struct rusage u;

    (void)getrusage(RUSAGE_CHILDREN, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

int main(void)
{
    static uint8_t body[BODY_BYTES];
    char at[PP_ADDRESS_TEXT_MAX];
    char url[160];
    struct pp_address address;
    struct pp_listener l;
    struct run run = { 0 };
    const struct pp_http_client_config config = { .calls_max = 4,
                                                  .response_bytes_max = BODY_BYTES };

    must(pp_address_parse(PP_STR("127.0.0.1:0"), &address));
    must(pp_listener_open(&address, &l));
    pid_t child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        return serve(&l);
    }
    pp_address_write(&l.address, at);
    (void)snprintf(url, sizeof url, "http://%s/echo", at);
    run.call = (struct pp_http_call){
        .method = "POST", .url = url, .body = PP_BYTES(body), .deadline_ms = 10000
    };
    must(pp_loop_new(&loop));
    must(pp_http_client_new(loop, &config, &run.client));
    run_requests(&run, WARM_UP);

    unsigned long allocations = allocation_count;
    double cpu = bench_cpu_s();
    double wall = wall_s();
    run_requests(&run, REQUESTS);
    wall = wall_s() - wall;
    cpu = bench_cpu_s() - cpu;
    allocations = allocation_count - allocations;
    (void)kill(child, SIGTERM);
    (void)waitpid(child, NULL, 0);

    printf("HTTP echo of 4 KiB, 1 kept connection, loopback            %12.0f requests/s of wall\n",
           REQUESTS / wall);
    printf("  server %44.3f us CPU/request (no allocation: a test)\n",
           cpu_of_children_s() * 1e6 / (REQUESTS + WARM_UP));
    printf("  client %44.3f us CPU/request\n", cpu * 1e6 / REQUESTS);
    printf("  client's allocations %31.2f allocations/request\n", (double)allocations / REQUESTS);
    pp_http_client_free(run.client);
    pp_loop_free(loop);
    pp_listener_done(&l);
    return 0;
}
