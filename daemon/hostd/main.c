/* SPDX-License-Identifier: Apache-2.0 */
/* pp-hostd: see host.h and docs/protocol/cvm.md. */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto.h"
#include "host.h"
#include "rd.h"
#include "text.h"
#include "wr.h"

struct config {
    struct pp_daemon_config common; /* always first */
    struct pp_span platform, program, cvm_config, role, firmware, policy, chip, hints, gpu, fault;
    struct pp_span backends[HOST_BACKENDS]; /* addresses */
};

struct host {
    int is_tdx;
    struct sim_chip *chip; /* one of the two */
    struct sim_tdx_platform *platform;
    struct host_cvm cvm;
    struct host_device device;
    struct host_way way;
    struct host_lines lines;
    struct pp_watch *device_watch, *events_watch, *way_watch;
    struct pp_signal *child;
    struct pp_timer *slow;
    const struct pp_listener *listener;
    char hints_path[256], chip_path[256], gpu_path[256];
    char cmdline[64];
    uint64_t refused_told;
};

static struct config config = { .platform = { (const uint8_t *)"sim-snp", 7 },
                                .fault = { (const uint8_t *)"none", 4 } };
static struct host host;

static const struct pp_kv_key KEYS[] = {
    { "platform", PP_KV_TEXT, offsetof(struct config, platform), 0, 1, 16,
      "what it simulates: sim-snp or sim-tdx" },
    { "program", PP_KV_TEXT, offsetof(struct config, program), 1, 1, 255,
      "the program of the confidential VM, pp-cvmd" },
    { "cvm_config", PP_KV_TEXT, offsetof(struct config, cvm_config), 1, 1, 255,
      "its measured configuration" },
    { "role", PP_KV_TEXT, offsetof(struct config, role), 1, 1, 16,
      "orchestrator, predictor or guard" },
    { "firmware", PP_KV_TEXT, offsetof(struct config, firmware), 1, 1, 255, "a firmware file" },
    { "policy", PP_KV_TEXT, offsetof(struct config, policy), 1, 16, 16,
      "the guest policy of sim-snp, TDATTRIBUTES of sim-tdx: 16 hex digits" },
    { "chip", PP_KV_TEXT, offsetof(struct config, chip), 1, 1, 255,
      "the folder of the simulated secure processor, or of the TDX platform" },
    { "hints", PP_KV_TEXT, offsetof(struct config, hints), 1, 1, 255,
      "a file with the hints of pp-wire 4, read for every report" },
    { "gpu", PP_KV_TEXT, offsetof(struct config, gpu), 0, 1, 255,
      "the folder of a simulated GPU, whose evidence the guest may ask for" },
    { "guard", PP_KV_TEXT, offsetof(struct config, backends[0]), 0, 1, PP_ADDRESS_TEXT_MAX,
      "where an orchestrator's guard takes frames" },
    { "predictor", PP_KV_TEXT, offsetof(struct config, backends[1]), 0, 1, PP_ADDRESS_TEXT_MAX,
      "where its predictor does" },
    { "fault", PP_KV_TEXT, offsetof(struct config, fault), 0, 1, 32,
      "what is wrong with its reports, for tests: none, tcb-claim, provisional, debug, other-chip, "
      "unsigned, vmpl, stale, other-data, truncated, no-hints, failing, busy, slow, gpu-debug or "
      "gpu-nonce" },
};

/* --- configuration --------------------------------------------------------------------------- */

static pp_res copy_path(struct pp_span path, char *ret, size_t cap)
{
    struct pp_wr wr = pp_wr_over(ret, cap);

    pp_wr_span(&wr, path);
    pp_wr_u8(&wr, 0);
    return pp_wr_ok(&wr);
}

static pp_res check_backends(struct pp_daemon *d, struct pp_problem *problem)
{
    static const char *const NAMES[HOST_BACKENDS] = { "guard", "predictor" };

    for (size_t i = 0; i < HOST_BACKENDS; i++) {
        if (config.backends[i].len == 0)
            continue;
        if (!pp_is_ok(pp_address_parse(config.backends[i], &host.way.to[i])))
            return pp_daemon_refuse(problem, NAMES[i], "an address and a port", config.backends[i]);
        if (host.way.to[i].family != PP_ADDRESS_UNIX)
            PP_TRY(pp_daemon_allow_connect(d, host.way.to[i].port));
        host.way.has[i] = 1;
    }
    return PP_OK;
}

static pp_res check(struct pp_daemon *d, struct pp_problem *problem)
{
    struct pp_wr wr = pp_wr_over(host.cmdline, sizeof host.cmdline);
    uint8_t policy[8];

    host.is_tdx = pp_span_eq(config.platform, PP_STR("sim-tdx"));
    if (!host.is_tdx && !pp_span_eq(config.platform, PP_STR("sim-snp")))
        return pp_daemon_refuse(problem, "platform", "sim-snp or sim-tdx", config.platform);
    if (!pp_span_eq(config.role, PP_STR("orchestrator")) &&
        !pp_span_eq(config.role, PP_STR("predictor")) && !pp_span_eq(config.role, PP_STR("guard")))
        return pp_daemon_refuse(problem, "role", "orchestrator, predictor or guard", config.role);
    PP_TRY(check_backends(d, problem));
    if (!pp_is_ok(pp_hex_parse(config.policy, policy, sizeof policy)))
        return pp_daemon_refuse(problem, "policy", "16 lower-case hex digits", config.policy);
    if (!pp_is_ok(host_fault_find(config.fault, &host.device.fault)))
        return pp_daemon_refuse(problem, "fault", HOST_FAULT_NAMES, config.fault);
    if (host.is_tdx && !host_fault_is_of_tdx(host.device.fault))
        return pp_daemon_refuse(problem, "fault", "one that quotes have, too", config.fault);
    pp_wr_text(&wr, "pp.role=");
    pp_wr_span(&wr, config.role);
    pp_wr_u8(&wr, 0);
    return pp_wr_ok(&wr);
}

static uint64_t policy_of(struct pp_span hex)
{
    uint8_t bytes[8];
    struct pp_rd rd = pp_rd_over(bytes, sizeof bytes);

    pp_ignore(pp_hex_parse(hex, bytes, sizeof bytes), "check has parsed it");
    return pp_rd_u64(&rd);
}

/* --- start ----------------------------------------------------------------------------------- */

static pp_res read_file(const char *key, struct pp_span path, size_t max,
                        struct pp_problem *problem, struct pp_buf *ret)
{
    char text[256];
    char got[320];

    PP_TRY(copy_path(path, text, sizeof text));
    pp_res r = pp_file_read_kept(AT_FDCWD, text, PP_FILE_OURS, max, ret);
    if (pp_is_ok(r))
        return PP_OK;
    snprintf(got, sizeof got, "%s: %s", text, pp_file_reason(r));
    return pp_daemon_refuse(problem, key, "a readable file, no link, that not everybody may write",
                            pp_span_cstr(got));
}

static pp_res launch(struct pp_daemon *d, struct pp_problem *problem, struct pp_buf *program,
                     struct pp_buf *firmware, struct pp_buf *cvm_config)
{
    struct host_launch l = { .cmdline = host.cmdline,
                             .is_tdx = host.is_tdx,
                             .listen_fd = host.listener->fd };

    PP_TRY(read_file("program", config.program, HOST_PROGRAM_BYTES_MAX, problem, program));
    PP_TRY(read_file("firmware", config.firmware, PP_FIRMWARE_BYTES_MAX, problem, firmware));
    PP_TRY(read_file("cvm_config", config.cvm_config, HOST_CONFIG_BYTES_MAX, problem, cvm_config));
    l.program = pp_buf_span(program);
    l.firmware = pp_buf_span(firmware);
    l.config = pp_buf_span(cvm_config);
    pp_res r = host_cvm_start(&l, policy_of(config.policy), &d->random, &host.cvm);
    if (!pp_is_ok(r))
        pp_problem_set(problem, "program, firmware", "files that can be measured and started",
                       pp_span_cstr(pp_code_text(r.code)));
    if (r.code == PP_E_FORMAT || r.code == PP_E_RANGE || r.code == PP_E_TRUNCATED)
        r.code = PP_E_CONFIG;
    return r;
}

static pp_res open_gpu(struct pp_problem *problem)
{
    if (config.gpu.len == 0)
        return PP_OK;
    PP_TRY(copy_path(config.gpu, host.gpu_path, sizeof host.gpu_path));
    if (!pp_is_ok(sim_gpu_load(AT_FDCWD, host.gpu_path, &host.device.gpu.gpu)))
        return pp_daemon_refuse(problem, "gpu",
                                "a folder with device0.der to device4.der and device0.key, 0600",
                                config.gpu);
    host.device.gpu.folder = host.gpu_path;
    host.device.gpu.fault = host.device.fault;
    return PP_OK;
}

static pp_res load_device(struct pp_problem *problem)
{
    PP_TRY(copy_path(config.chip, host.chip_path, sizeof host.chip_path));
    if (host.is_tdx && !pp_is_ok(sim_tdx_platform_load(AT_FDCWD, host.chip_path, &host.platform)))
        return pp_daemon_refuse(problem, "chip", "a folder of a simulated TDX platform",
                                config.chip);
    if (!host.is_tdx && !pp_is_ok(sim_chip_load(AT_FDCWD, host.chip_path, &host.chip)))
        return pp_daemon_refuse(problem, "chip", "a folder with vcek.der and vcek.key, mode 0600",
                                config.chip);
    return PP_OK;
}

static pp_res open_all(struct pp_daemon *d, struct pp_problem *problem)
{
    struct pp_buf program = { 0 }, firmware = { 0 }, cvm_config = { 0 }, hints = { 0 };

    PP_TRY(pp_crypto_init());
    PP_TRY(copy_path(config.hints, host.hints_path, sizeof host.hints_path));
    PP_TRY(read_file("hints", config.hints, HOST_HINTS_BYTES_MAX, problem, &hints));
    pp_buf_done(&hints); /* read anew for every report */
    PP_TRY(load_device(problem));
    PP_TRY(open_gpu(problem));
    PP_TRY(pp_daemon_listen(d, "frames", config.common.listen, problem, &host.listener));
    pp_res r = launch(d, problem, &program, &firmware, &cvm_config);
    pp_buf_done(&program);
    pp_buf_done(&firmware);
    pp_buf_done(&cvm_config);
    return r;
}

/* --- serving --------------------------------------------------------------------------------- */

static void on_device(void *ctx, uint32_t ready)
{
    (void)ctx;
    (void)ready;
    if (!pp_is_ok(host_device_serve(&host.device)) || host.device.held_len > 0)
        pp_watch_set(host.device_watch, 0); /* the guest is ending, and its signal follows */
    if (host.device.held_len > 0)
        pp_timer_set(host.slow, HOST_SLOW_MS);
}

static void on_slow(void *ctx)
{
    (void)ctx;
    if (pp_is_ok(host_device_release(&host.device)))
        pp_watch_set(host.device_watch, PP_WATCH_READ);
}

static void on_way(void *ctx, uint32_t ready)
{
    (void)ctx;
    (void)ready;
    if (!pp_is_ok(host_way_serve(&host.way)))
        pp_watch_set(host.way_watch, 0);
}

static void on_lines(void *ctx, uint32_t ready)
{
    struct pp_daemon *d = ctx;
    uint8_t bytes[1024];
    ssize_t n;

    (void)ready;
    while ((n = read(host.cvm.events_fd, bytes, sizeof bytes)) > 0)
        if (host_lines_feed(&host.lines, pp_span(bytes, (size_t)n)))
            pp_daemon_ready(d);
    if (n == 0)
        pp_watch_set(host.events_watch, 0);
    if (host.lines.refused != host.refused_told)
        pp_ev_host_lines_refused(&d->events, host.lines.refused);
    host.refused_told = host.lines.refused;
}

/* A guest that ended while nobody asked for it stops its host: there is nothing to serve any
 * more. */
static void on_child(void *ctx)
{
    struct pp_daemon *d = ctx;
    int status;

    if (host.cvm.pid == 0 || waitpid(host.cvm.pid, &status, WNOHANG) != host.cvm.pid)
        return;
    on_lines(d, 0);
    pp_ev_host_cvm_ended(&d->events, WIFEXITED(status) ? (uint64_t)WEXITSTATUS(status)
                                                       : 128 + (uint64_t)WTERMSIG(status));
    if (d->stopping)
        pp_daemon_stopped(d);
    else
        pp_daemon_fail(d, PP_FAIL(PP_E_CHILD, status));
}

static struct pp_event_digest digest_start(const uint8_t *bytes)
{
    struct pp_event_digest e;

    memcpy(e.bytes, bytes, sizeof e.bytes);
    return e;
}

static pp_res serve(struct pp_daemon *d, struct pp_problem *problem)
{
    (void)problem;
    host.device.chip = host.chip;
    host.device.platform = host.platform;
    host.device.cvm = &host.cvm;
    host.device.hints_path = host.hints_path;
    host.way.cvm = &host.cvm;
    host.lines.to = &d->events;
    if (host.is_tdx)
        pp_ev_host_launched(&d->events, digest_start(host.cvm.td.mrtd),
                            digest_start(host.cvm.td.mrconfigid));
    else
        pp_ev_host_launched(&d->events, digest_start(host.cvm.guest.measurement),
                            digest_start(host.cvm.guest.host_data));
    PP_TRY(pp_timer_new(d->loop, on_slow, d, &host.slow));
    PP_TRY(pp_signal_new(d->loop, SIGCHLD, on_child, d, &host.child));
    PP_TRY(pp_watch_new(d->loop, host.cvm.device_fd, on_device, d, &host.device_watch));
    PP_TRY(pp_watch_new(d->loop, host.cvm.events_fd, on_lines, d, &host.events_watch));
    PP_TRY(pp_watch_new(d->loop, host.cvm.way_fd, on_way, d, &host.way_watch));
    pp_watch_set(host.device_watch, PP_WATCH_READ);
    pp_watch_set(host.way_watch, PP_WATCH_READ);
    pp_watch_set(host.events_watch, PP_WATCH_READ);
    on_child(d); /* it may have ended before anybody listened */
    return PP_OK;
}

/* Without its secure processor the guest ends itself; then so do we. */
static void stop(struct pp_daemon *d)
{
    (void)d;
    pp_watch_free(host.device_watch);
    pp_timer_free(host.slow);
    host.device_watch = NULL;
    host.slow = NULL;
    (void)close(host.cvm.device_fd);
    host.cvm.device_fd = -1;
}

static void close_all(struct pp_daemon *d)
{
    (void)d;
    pp_watch_free(host.device_watch);
    pp_watch_free(host.events_watch);
    pp_watch_free(host.way_watch);
    pp_signal_free(host.child);
    pp_timer_free(host.slow);
    host_cvm_done(&host.cvm);
    sim_chip_free(host.chip);
    sim_tdx_platform_free(host.platform);
    sim_gpu_free(host.device.gpu.gpu);
}

int main(int argc, char **argv)
{
    static const int SYSCALLS[] = { SCMP_SYS(wait4) };
    static const struct pp_daemon_program program = {
        .name = "pp-hostd",
        .what =
            "runs one confidential VM under a simulated secure processor, which protects nothing",
        .party = PP_PARTY_HOST,
        .keys = KEYS,
        .key_count = PP_ARRAY_COUNT(KEYS),
        .config = &config,
        .syscalls = SYSCALLS,
        .syscall_count = PP_ARRAY_COUNT(SYSCALLS),
        .check = check,
        .open = open_all,
        .serve = serve,
        .stop = stop,
        .close = close_all,
    };

    return pp_daemon_main(&program, argc, argv);
}
