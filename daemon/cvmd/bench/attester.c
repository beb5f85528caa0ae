/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attester over a secure processor that takes 6 ms a report and makes one at a time: sessions a
 * second when one waits and when 256 do, and what the attester adds to a session that is alone.
 * Real time, since the device's 6 ms are. The benchmark is channel, supervisor and workers; nothing
 * of TLS is in it.
 */
#include "../test/around.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "hash.h"
#include "hints.h"

enum {
    REPORT_US = 6000,
    WAITING = 256,
    ALONE_RUNS = 400,
    RATE_S = 2,
    SLOTS = 2048, /* workers take turns in them */
};

static struct around_worker workers[SLOTS];
static uint32_t generations[SLOTS];
static uint8_t bytes[PP_SP_ANSWER_BYTES_MAX], body[PP_EVIDENCE_BODY_BYTES];

static double wall_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Answers whoever asks, `report_us` later, one after the other. */
static void serve_device(int report_us)
{
    const struct timespec takes = { .tv_nsec = report_us * 1000L };
    uint8_t wanted[PP_REPORT_DATA_BYTES];
    struct pp_snp_report report;

    for (;;) {
        if (!around_wanted(wanted, -1))
            _exit(0);
        if (report_us > 0)
            (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &takes, NULL);
        around_report(wanted, &report);
        around_answer(&report);
    }
}

static pid_t start(int report_us)
{
    around_start();
    pid_t device = fork();
    if (device == 0)
        serve_device(report_us);
    return device;
}

static void stop(pid_t device)
{
    (void)kill(device, SIGKILL);
    (void)waitpid(device, NULL, 0);
    (void)around_forget(NULL);
    for (size_t i = 0; i < SLOTS; i++)
        if (generations[i] > 0)
            cvm_close(&workers[i].fd);
    memset(generations, 0, sizeof generations);
}

/* A session from nothing: a worker with its key, and the channel's question. */
static void open_session(uint32_t n)
{
    uint32_t slot = n % SLOTS;
    struct around_worker *w = &workers[slot];
    struct around_session s = around_session_new(n);

    if (generations[slot]++ > 0)
        cvm_close(&w->fd);
    *w = around_worker_new(slot, generations[slot]);
    around_worker_key(w);
    around_ask(&s, w);
}

/* Its Evidence, unread: what a channel does with it is the channel's time. */
static uint32_t take_session(void)
{
    static uint8_t packet[CVM_EVIDENCE_PACKET_BYTES];
    size_t len = 0;

    assert_ok(cvm_recv(around.channel, packet, sizeof packet, &len, NULL));
    assert_int_equal(len, sizeof packet);
    return 0;
}

/* Sessions a second with `waiting` of them at a time. */
static double rate(uint32_t waiting)
{
    pid_t device = start(REPORT_US);
    uint32_t opened = 0, done = 0;
    double from = wall_s(), took;

    do {
        while (opened - done < waiting)
            open_session(opened++);
        (void)take_session();
        done++;
        took = wall_s() - from;
    } while (took < RATE_S);
    stop(device);
    return (double)done / took;
}

/* What has to be done for one session by anybody: binding value, report, Evidence. */
static void attest_directly(uint32_t n)
{
    struct around_session s = around_session_new(n);
    struct around_worker w = { .slot = n };
    uint8_t binding[PP_BINDING_BYTES], request[PP_SP_REQUEST_BYTES];
    struct pp_wr wr = pp_wr_over(request, sizeof request), out = pp_wr_over(body, sizeof body);
    struct pp_sp_answer a;
    struct pp_hints hints;
    size_t len = 0;

    around_binding(&s, &w, binding);
    pp_sp_request_write(&wr, binding);
    assert_ok(cvm_send(around.device, pp_wr_done(&wr), -1));
    assert_ok(cvm_recv(around.device, bytes, sizeof bytes, &len, NULL));
    assert_ok(pp_sp_answer_parse(pp_span(bytes, len), &a));
    assert_ok(pp_hints_parse(a.hints, &hints));
    struct pp_evidence e = { .platform = PP_PLATFORM_SIM_SNP,
                             .report = a.report,
                             .endorsements = { hints.endorsements[0] },
                             .endorsement_count = 1,
                             .config = around.config.bytes,
                             .message_key = PP_BYTES(w.key),
                             .host_count = 1 };
    e.hosts[0] = hints.hosts[0];
    assert_ok(pp_evidence_body_write(&out, &e));
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *times, size_t count)
{
    qsort(times, count, sizeof *times, compare);
    return times[count / 2];
}

/* One session at a time through the attester; the worker is there before, as it is in a machine. */
static double alone(int report_us, size_t runs)
{
    static double times[ALONE_RUNS];
    pid_t device = start(report_us);

    for (uint32_t i = 0; i < runs; i++) {
        struct around_worker w = around_worker_new(i, 1);
        struct around_session s = around_session_new(i);
        around_worker_key(&w);
        around_settle(around.supervisor);
        around_settle(w.fd);
        double from = wall_s();
        around_ask(&s, &w);
        (void)take_session();
        times[i] = wall_s() - from;
        cvm_close(&w.fd);
    }
    stop(device);
    return median(times, runs);
}

/* The same without an attester. */
static double direct(int report_us, size_t runs)
{
    static double times[ALONE_RUNS];
    int pair[2];

    assert_ok(cvm_pair(SOCK_SEQPACKET, pair));
    around.device = pair[0];
    pid_t device = fork();
    if (device == 0)
        serve_device(report_us);
    cvm_close(&around.device);
    around.device = pair[1];
    for (uint32_t i = 0; i < runs; i++) {
        double from = wall_s();
        attest_directly(i);
        times[i] = wall_s() - from;
    }
    (void)kill(device, SIGKILL);
    (void)waitpid(device, NULL, 0);
    cvm_close(&around.device);
    return median(times, runs);
}

int main(void)
{
    double one = rate(1);
    printf("%-58s %10.0f sessions/s\n", "attester, 6 ms a report: one session at a time", one);
    double many = rate(WAITING);
    printf("%-58s %10.0f sessions/s\n", "the same, 256 sessions waiting", many);
    printf("%-58s %10.1f x   (aim at least 20)\n", "256 waiting / one at a time", many / one);

    double through = alone(0, ALONE_RUNS), without = direct(0, ALONE_RUNS);
    printf("%-58s %10.1f us wall\n", "a session alone, a device that takes no time: attester",
           through * 1e6);
    printf("%-58s %10.1f us wall\n", "binding, device and Evidence without an attester",
           without * 1e6);
    through = alone(REPORT_US, ALONE_RUNS / 2);
    without = direct(REPORT_US, ALONE_RUNS / 2);
    printf("%-58s %10.3f ms wall\n", "a session alone, 6 ms a report: attester", through * 1e3);
    printf("%-58s %10.3f ms wall\n", "the same without an attester", without * 1e3);
    bench_ratio("added when idle: attester / without", through, without, "no wait: close to 1");
    return 0;
}
