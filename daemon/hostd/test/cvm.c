/* SPDX-License-Identifier: Apache-2.0 */
/* pp-hostd and pp-cvmd as processes: sessions, ends, limits, walls, and who may see what. */
#include "fleet.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "sizes.h"
#include "snp.h"

enum { ALERT_RECORD = PP_RATLS_ALERT_BYTES };

static struct fleet fleet;

static int start_default(void **state)
{
    (void)state;
    fleet_start(&fleet, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    if (fleet.host != 0)
        assert_int_equal(fleet_stop(&fleet), 0);
    return 0;
}

static void config_with(const char *lines)
{
    char text[512];

    snprintf(text, sizeof text,
             "environment = dev\nplatform = sim-snp\nmessage_kem = x-wing\nengine = embedded\n%s",
             lines);
    fleet_start(&fleet, text);
}

/* One whole session over a connection of its own; gives the outcome. */
static enum pp_outcome whole_session(const char *feature, const char *text)
{
    struct device d;
    struct pp_answer answer;
    int gateway = gateway_connect(&fleet);

    device_open(&d, gateway);
    gateway_send(gateway, PP_FRAME_CONTINUE, 2, d.sid, device_request(&d, feature, text, 4));
    struct pp_frame f = gateway_recv(gateway);
    assert_int_equal(f.kind, PP_FRAME_LAST);
    assert_int_equal(f.tag, 2);
    device_take_answer(&d, f.bytes, 4, &answer);
    device_done(&d);
    close(gateway);
    return answer.outcome;
}

/* Until a look finds so many; it is what was true once, while others may be about to come. */
static void wait_until_count(const char *name, unsigned count)
{
    unsigned found = fleet_find(&fleet, name, NULL, 0);

    for (int i = 0; i < FLEET_WAIT_MS / 5 && found != count; i++) {
        (void)poll(NULL, 0, 5);
        found = fleet_find(&fleet, name, NULL, 0);
    }
    assert_int_equal(found, count);
}

/* --- what it is for -------------------------------------------------------------------------- */

static void a_summary_comes_back(void **state)
{
    struct device d;
    struct pp_answer answer;
    int gateway = gateway_connect(&fleet);

    (void)state;
    device_open(&d, gateway);
    gateway_send(gateway, PP_FRAME_CONTINUE, 2, d.sid,
                 device_request(&d, "summarize", "Shall we meet on Friday for dinner?", 4));
    struct pp_frame f = gateway_recv(gateway);
    /* One record with the answer, and no alert behind it. */
    assert_int_equal(f.bytes.len, 5 + pp_answer_room(4) + PP_SEALED_RESPONSE_EXTRA + 22);
    device_take_answer(&d, f.bytes, 4, &answer);
    assert_int_equal(answer.outcome, PP_OUTCOME_OK);
    assert_true(answer.item_count >= 1);
    for (size_t i = 0; i < answer.item_count; i++)
        assert_true(answer.items[i].cited_count >= 1 && answer.items[i].cited[0] <= 3);
    assert_true(pp_span_eq(answer.engine.kind, PP_STR("embedded")));
    device_done(&d);
    close(gateway);
}

static void many_sessions_follow_one_another(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        assert_int_equal(whole_session("summarize", "Friday?"), PP_OUTCOME_OK);
    wait_until_count("pp-cvm-worker", 2); /* each ended with its session */
}

/* The report says which program and which configuration run: the very files that were launched. */
static void evidence_names_the_program_and_the_configuration_that_run(void **state)
{
    struct pp_buf program = { 0 }, config = { 0 };
    struct pp_snp_report report;
    struct device d;
    uint8_t firmware[SIM_FIRMWARE_BYTES], measurement[PP_LAUNCH_DIGEST_BYTES], host_data[32];
    char path[256];
    int gateway = gateway_connect(&fleet);

    (void)state;
    device_open(&d, gateway);
    assert_ok(pp_snp_report_parse(d.evidence.report, &report, NULL));
    assert_ok(pp_file_read(AT_FDCWD, fleet_cvmd, 64 << 20, &program));
    snprintf(path, sizeof path, "%s/cvm.conf", fleet.home);
    assert_ok(pp_file_read(AT_FDCWD, path, 4096, &config));
    sim_firmware_make(firmware);
    assert_ok(sim_measure_launch(PP_BYTES(firmware), pp_buf_span(&program), PP_STR(""),
                                 PP_STR("pp.role=orchestrator"), 1, measurement));
    assert_memory_equal(report.measurement, measurement, sizeof measurement);
    pp_sha256(pp_buf_span(&config), host_data);
    assert_memory_equal(report.host_data, host_data, sizeof host_data);
    assert_true(pp_span_eq(d.evidence.config, pp_buf_span(&config)));
    assert_int_equal(report.version, 3);
    assert_int_equal(d.evidence.platform, PP_PLATFORM_SIM_SNP);
    assert_memory_equal(d.evidence.release_id, fleet.release_id, 32);
    assert_true(pp_span_eq(d.evidence.endorsements[0], sim_chip_vcek(fleet.chip)));
    assert_int_equal(d.evidence.message_kem, PP_KEM_XWING);
    pp_buf_done(&program);
    pp_buf_done(&config);
    device_done(&d);
    close(gateway);
}

/*
 * ra-tls 8: sessions that wait together share one report, and each is bound to it by itself. The
 * attester stands still meanwhile, so that none is served before the next one comes.
 */
static void sessions_that_come_together_share_a_report(void **state)
{
    enum { TOGETHER = 40 };
    static struct device d[TOGETHER];
    static const uint8_t NOTHING[PP_SID_BYTES];
    unsigned batched = 0;
    int gateway = gateway_connect(&fleet);

    (void)state;
    pid_t attester = fleet_process(&fleet, "pp-cvm-attest");
    assert_true(attester > 0);
    assert_int_equal(kill(attester, SIGSTOP), 0);
    for (uint32_t i = 0; i < TOGETHER; i++)
        gateway_send(gateway, PP_FRAME_OPEN, i, NULL, device_hello(&d[i]));
    wait_until_count("pp-cvm-worker", TOGETHER + 2); /* each has one, and two are kept ready */
    assert_int_equal(kill(attester, SIGCONT), 0);
    for (uint32_t i = 0; i < TOGETHER; i++) {
        struct pp_frame f = gateway_recv(gateway);
        assert_in_range(f.tag, 0, TOGETHER - 1);
        assert_memory_equal(d[f.tag].sid, NOTHING, sizeof NOTHING); /* each once */
        device_take_flight(&d[f.tag], &f); /* asks for the permit, path and all */
        batched += d[f.tag].evidence.batch.size > 1;
    }
    assert_true(batched > 0);
    for (uint32_t i = 0; i < TOGETHER; i++)
        device_done(&d[i]);
    close(gateway);
}

/* P.others: an unknown feature is answered, refused, in the bucket that was asked for. */
static void an_unknown_feature_is_refused_in_its_bucket(void **state)
{
    (void)state;
    assert_int_equal(whole_session("translate", "Friday?"), PP_OUTCOME_REFUSED);
}

/* --- once, in time, and no more than fit ----------------------------------------------------- */

static void a_second_continue_is_gone_and_does_not_disturb_the_first(void **state)
{
    struct device d;
    struct pp_answer answer;
    int gateway = gateway_connect(&fleet), other = gateway_connect(&fleet);

    (void)state;
    device_open(&d, gateway);
    struct pp_span request = device_request(&d, "summarize", "Friday?", 4);
    gateway_send(gateway, PP_FRAME_CONTINUE, 2, d.sid, request);
    gateway_send(other, PP_FRAME_CONTINUE, 3, d.sid, request);
    struct pp_frame f = gateway_recv(other);
    assert_int_equal(f.kind, PP_FRAME_GONE);
    assert_int_equal(f.tag, 3);
    assert_memory_equal(f.sid, d.sid, sizeof d.sid);
    f = gateway_recv(gateway);
    assert_int_equal(f.kind, PP_FRAME_LAST);
    device_take_answer(&d, f.bytes, 4, &answer);

    gateway_send(gateway, PP_FRAME_CONTINUE, 4, d.sid, PP_STR("x"));
    assert_int_equal(gateway_recv(gateway).kind, PP_FRAME_GONE);
    device_done(&d);
    close(gateway);
    close(other);
}

static void an_unknown_session_is_gone(void **state)
{
    static const uint8_t SID[PP_SID_BYTES] = { 1 };
    int gateway = gateway_connect(&fleet);

    (void)state;
    gateway_send(gateway, PP_FRAME_CONTINUE, 9, SID, PP_STR("x"));
    struct pp_frame f = gateway_recv(gateway);
    assert_int_equal(f.kind, PP_FRAME_GONE);
    assert_int_equal(f.tag, 9);
    close(gateway);
}

static long elapsed_ms(const struct timespec *from)
{
    struct timespec now;

    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (long)(now.tv_sec - from->tv_sec) * 1000 + (now.tv_nsec - from->tv_nsec) / 1000000;
}

/* docs/verification.md, S.4: outside of dev an answer leaves on a 250 ms grid from the start of its
 * exchange. */
static void w16_answers_leave_on_the_grid(void **state)
{
    struct device d;
    struct pp_answer answer;
    struct timespec from;

    (void)state;
    fleet_start(&fleet, "environment = staging\nplatform = sim-snp\nmessage_kem = x-wing\n"
                        "engine = embedded\nsessions_max = 4\nsession_s = 30\nworkers_ready = 1\n");
    int gateway = gateway_connect(&fleet);
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &from), 0);
    device_open(&d, gateway);
    assert_in_range(elapsed_ms(&from), 249, FLEET_WAIT_MS);
    struct pp_span request = device_request(&d, "summarize", "Friday?", 4);
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &from), 0);
    gateway_send(gateway, PP_FRAME_CONTINUE, 2, d.sid, request);
    struct pp_frame f = gateway_recv(gateway);
    assert_in_range(elapsed_ms(&from), 249, FLEET_WAIT_MS);
    device_take_answer(&d, f.bytes, 4, &answer);
    device_done(&d);
    close(gateway);
}

/* Opens a session where one worker is kept ready, and gives the one that serves it. */
static pid_t open_and_see_worker(struct device *d, int gateway)
{
    pid_t pid = 0;

    wait_until_count("pp-cvm-worker", 1);
    assert_int_equal(fleet_find(&fleet, "pp-cvm-worker", &pid, 1), 1);
    device_open(d, gateway);
    return pid;
}

static int is_worker(pid_t pid)
{
    pid_t pids[16];
    unsigned count = fleet_find(&fleet, "pp-cvm-worker", pids, PP_ARRAY_COUNT(pids));

    assert_true(count <= PP_ARRAY_COUNT(pids));
    for (unsigned i = 0; i < count; i++)
        if (pids[i] == pid)
            return 1;
    return 0;
}

/* pp-wire 12: #2 after its time is gone; the worker went with the session. */
static void a_session_that_waited_too_long_is_gone(void **state)
{
    struct device d;

    (void)state;
    config_with("sessions_max = 4\nsession_s = 1\nworkers_ready = 1\n");
    int gateway = gateway_connect(&fleet);
    pid_t worker = open_and_see_worker(&d, gateway);
    for (int i = 0; i < FLEET_WAIT_MS / 5 && is_worker(worker); i++)
        (void)poll(NULL, 0, 5);
    assert_false(is_worker(worker)); /* its time is over */
    gateway_send(gateway, PP_FRAME_CONTINUE, 2, d.sid, device_request(&d, "summarize", "x", 4));
    assert_int_equal(gateway_recv(gateway).kind, PP_FRAME_GONE);
    device_done(&d);
    close(gateway);
}

static void over_its_sessions_the_machine_is_busy_at_once(void **state)
{
    struct device d[3];
    int gateway;

    (void)state;
    config_with("sessions_max = 2\nsession_s = 30\nworkers_ready = 1\n");
    gateway = gateway_connect(&fleet);
    device_open(&d[0], gateway);
    device_open(&d[1], gateway);
    gateway_send(gateway, PP_FRAME_OPEN, 7, NULL, device_hello(&d[2]));
    struct pp_frame f = gateway_recv(gateway);
    assert_int_equal(f.kind, PP_FRAME_BUSY);
    assert_int_equal(f.tag, 7);
    device_done(&d[2]);

    gateway_send(gateway, PP_FRAME_CLOSE, 8, d[0].sid, PP_STR("")); /* makes room */
    f = gateway_recv(gateway);
    assert_int_equal(f.kind, PP_FRAME_LAST);
    assert_int_equal(f.tag, 8);
    assert_int_equal(f.bytes.len, 0);
    device_open(&d[2], gateway);
    for (size_t i = 0; i < 3; i++)
        device_done(&d[i]);
    close(gateway);
}

static void a_closed_session_is_gone_and_closing_twice_is_fine(void **state)
{
    struct device d;
    int gateway = gateway_connect(&fleet);

    (void)state;
    device_open(&d, gateway);
    for (uint32_t tag = 5; tag < 7; tag++) {
        gateway_send(gateway, PP_FRAME_CLOSE, tag, d.sid, PP_STR(""));
        struct pp_frame f = gateway_recv(gateway);
        assert_int_equal(f.kind, PP_FRAME_LAST);
        assert_int_equal(f.tag, tag);
    }
    gateway_send(gateway, PP_FRAME_CONTINUE, 2, d.sid, device_request(&d, "summarize", "x", 4));
    assert_int_equal(gateway_recv(gateway).kind, PP_FRAME_GONE);
    device_done(&d);
    close(gateway);
}

/* pp-wire 12: the connection breaks, waiting sessions live on. */
static void a_waiting_session_survives_its_connection(void **state)
{
    struct device d;
    struct pp_answer answer;
    int gateway = gateway_connect(&fleet);

    (void)state;
    device_open(&d, gateway);
    close(gateway);
    gateway = gateway_connect(&fleet);
    gateway_send(gateway, PP_FRAME_CONTINUE, 2, d.sid, device_request(&d, "summarize", "x", 4));
    struct pp_frame f = gateway_recv(gateway);
    device_take_answer(&d, f.bytes, 4, &answer);
    device_done(&d);
    close(gateway);
}

/* --- bad input ------------------------------------------------------------------------------- */

static void assert_session_ends_with_an_alert(struct device *d, int gateway, struct pp_span request)
{
    gateway_send(gateway, PP_FRAME_CONTINUE, 2, d->sid, request);
    struct pp_frame f = gateway_recv(gateway);
    assert_int_equal(f.kind, PP_FRAME_LAST);
    assert_int_equal(f.bytes.len, ALERT_RECORD);
    device_done(d);
    assert_int_equal(whole_session("summarize", "Friday?"), PP_OUTCOME_OK); /* it goes on serving */
}

static void a_bad_finished_ends_with_an_alert(void **state)
{
    struct device d;
    uint8_t wire[16384];
    int gateway = gateway_connect(&fleet);

    (void)state;
    device_open(&d, gateway);
    struct pp_span request = device_request(&d, "summarize", "x", 4);
    memcpy(wire, request.at, request.len);
    wire[30] ^= 1;
    assert_session_ends_with_an_alert(&d, gateway, pp_span(wire, request.len));
    close(gateway);
}

/* What is sealed to another session's key and value does not open, and nobody learns why. */
static void a_request_sealed_to_another_session_ends_with_an_alert(void **state)
{
    struct device a, b;
    int gateway = gateway_connect(&fleet);

    (void)state;
    device_open(&a, gateway);
    device_open(&b, gateway);
    a.evidence.message_kem = b.evidence.message_kem;
    a.evidence.message_pk = b.evidence.message_pk;
    assert_session_ends_with_an_alert(&a, gateway, device_request(&a, "summarize", "x", 4));
    device_done(&b);
    close(gateway);
}

static void a_first_flight_of_anything_else_is_answered_with_nothing(void **state)
{
    uint8_t hello[PP_HELLO_BYTES];
    struct device d;
    int gateway = gateway_connect(&fleet);

    (void)state;
    memcpy(hello, device_hello(&d).at, sizeof hello);
    hello[46] ^= 1;
    gateway_send(gateway, PP_FRAME_OPEN, 3, NULL, PP_BYTES(hello));
    struct pp_frame f = gateway_recv(gateway);
    assert_int_equal(f.kind, PP_FRAME_LAST);
    assert_int_equal(f.bytes.len, 0);
    gateway_send(gateway, PP_FRAME_OPEN, 4, NULL, PP_STR("GET / HTTP/1.1\r\n\r\n"));
    assert_int_equal(gateway_recv(gateway).bytes.len, 0);
    device_done(&d);
    close(gateway);
}

static void a_stream_without_frames_is_closed_and_others_go_on(void **state)
{
    uint8_t noise[64];
    int gateway = gateway_connect(&fleet), noisy = gateway_connect(&fleet);
    struct device d;

    (void)state;
    device_open(&d, gateway);
    memset(noise, 0xee, sizeof noise);
    assert_ok(pp_fd_write(noisy, PP_BYTES(noise)));
    assert_int_equal(gateway_recv(noisy).kind, 0xff);
    gateway_send(gateway, PP_FRAME_CLOSE, 1, d.sid, PP_STR(""));
    assert_int_equal(gateway_recv(gateway).kind, PP_FRAME_LAST);
    device_done(&d);
    close(noisy);
    close(gateway);
}

/* --- files ----------------------------------------------------------------------------------- */

static const char *file_of(const char *name)
{
    static char path[2][256];
    static unsigned which;
    char *p = path[which++ % 2];

    snprintf(p, sizeof path[0], "%s/%s", fleet.home, name);
    return p;
}

static void a_file_that_is_a_link_or_open_to_others_keeps_the_host_from_starting(void **state)
{
    static const struct {
        const char *name;
        mode_t wrong;
    } FILES[] = {
        { "cvm.conf", 0602 }, { "firmware", 0622 }, { "hints", 0606 }, { "chip/vcek.key", 0640 }
    };

    (void)state;
    fleet_make(&fleet, NULL);
    for (size_t i = 0; i < PP_ARRAY_COUNT(FILES); i++) {
        const char *name = FILES[i].name;
        assert_int_equal(chmod(file_of(name), FILES[i].wrong), 0);
        assert_int_equal(fleet_try(&fleet), 2);
        assert_int_equal(chmod(file_of(name), 0600), 0);
        assert_int_equal(rename(file_of(name), file_of("elsewhere")), 0);
        assert_int_equal(symlink(file_of("elsewhere"), file_of(name)), 0);
        assert_int_equal(fleet_try(&fleet), 2);
        assert_int_equal(rename(file_of("elsewhere"), file_of(name)), 0);
    }
    assert_int_equal(fleet_try(&fleet), 0);
    fleet_unmake(&fleet);
}

/* Hints are read for every report, long after the start. */
static void hints_that_everybody_may_write_are_not_used(void **state)
{
    struct device d;
    int gateway = gateway_connect(&fleet);

    (void)state;
    assert_int_equal(chmod(file_of("hints"), 0602), 0);
    gateway_send(gateway, PP_FRAME_OPEN, 1, NULL, device_hello(&d));
    assert_int_equal(gateway_recv(gateway).kind, PP_FRAME_BUSY);
    device_done(&d);
    assert_int_equal(chmod(file_of("hints"), 0600), 0);
    assert_int_equal(whole_session("summarize", "Friday?"), PP_OUTCOME_OK);
    close(gateway);
}

/* --- when a process dies --------------------------------------------------------------------- */

static void a_killed_worker_ends_its_session_alone(void **state)
{
    struct device d[2];
    struct pp_answer answer;
    unsigned ended = 0, answered = 0;
    pid_t both[2];

    (void)state;
    config_with("sessions_max = 2\nsession_s = 30\nworkers_ready = 1\n");
    int gateway = gateway_connect(&fleet);
    device_open(&d[0], gateway);
    wait_until_count("pp-cvm-worker", 2);
    assert_int_equal(fleet_find(&fleet, "pp-cvm-worker", both, 2), 2);
    device_open(&d[1], gateway);
    wait_until_count("pp-cvm-worker", 3);
    assert_int_equal(kill(both[0] < both[1] ? both[0] : both[1], SIGKILL), 0);
    wait_until_count("pp-cvm-worker", 2);
    for (uint32_t i = 0; i < 2; i++) {
        gateway_send(gateway, PP_FRAME_CONTINUE, i, d[i].sid,
                     device_request(&d[i], "summarize", "x", 4));
        struct pp_frame f = gateway_recv(gateway);
        assert_int_equal(f.kind, PP_FRAME_LAST);
        ended += f.bytes.len == ALERT_RECORD;
        if (f.bytes.len != ALERT_RECORD) {
            device_take_answer(&d[i], f.bytes, 4, &answer);
            answered++;
        }
        device_done(&d[i]);
    }
    assert_int_equal(ended, 1);
    assert_int_equal(answered, 1);
    assert_int_equal(whole_session("summarize", "Friday?"), PP_OUTCOME_OK);
    close(gateway);
}

/* W23: no restart of a part behind the check; the machine stops and its host says so. */
static void assert_machine_ends_without(const char *process)
{
    struct device d;
    int gateway = gateway_connect(&fleet);

    device_open(&d, gateway);
    pid_t pid = fleet_process(&fleet, process);
    assert_true(pid > 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(fleet_wait(&fleet), 1);
    assert_int_equal(gateway_recv(gateway).kind, 0xff);
    device_done(&d);
    close(gateway);
}

static void w23_a_killed_attester_ends_the_machine(void **state)
{
    (void)state;
    assert_machine_ends_without("pp-cvm-attest");
}

static void w23_a_killed_channel_ends_the_machine(void **state)
{
    (void)state;
    assert_machine_ends_without("pp-cvm-channel");
}

static void a_killed_host_ends_the_machine(void **state)
{
    int gateway = gateway_connect(&fleet);
    struct device d;

    (void)state;
    device_open(&d, gateway);
    assert_int_equal(kill(fleet.host, SIGKILL), 0);
    assert_int_equal(gateway_recv(gateway).kind, 0xff);
    assert_int_equal(fleet_wait(&fleet), 128 + SIGKILL);
    device_done(&d);
    close(gateway);
}

/* --- who may see what ------------------------------------------------------------------------ */

static int files_hold(const char *folder, struct pp_span needle)
{
    struct dirent *e;
    DIR *dir = opendir(folder);
    int found = 0;

    assert_non_null(dir);
    while ((e = readdir(dir)) != NULL) {
        char path[512];
        struct pp_buf content = { 0 };
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (pp_is_ok(pp_file_read(AT_FDCWD, path, 1 << 20, &content)))
            found |= memmem(content.bytes, content.len, needle.at, needle.len) != NULL;
        pp_buf_done(&content);
    }
    closedir(dir);
    return found;
}

/* Until no worker holds it: one that answered ends by itself, while others come. */
static void wait_until_no_worker_holds(struct pp_span needle)
{
    unsigned held = 1, read = 0;

    for (int i = 0; i < FLEET_WAIT_MS / 5 && (held > 0 || read == 0); i++) {
        pid_t workers[16];
        unsigned count = fleet_find(&fleet, "pp-cvm-worker", workers, PP_ARRAY_COUNT(workers));
        assert_true(count <= PP_ARRAY_COUNT(workers));
        held = read = 0;
        for (unsigned n = 0; n < count; n++) {
            int holds = fleet_memory_holds(workers[n], needle);
            held += holds == 1;
            read += holds >= 0;
        }
        (void)poll(NULL, 0, held > 0 || read == 0 ? 5 : 0);
    }
    assert_int_equal(held, 0);
    assert_true(read > 0);
}

/*
 * The text of a request: never with the host, and inside never with the processes that parse what
 * comes from outside or hold the device. After the session it is nowhere.
 */
static void the_text_of_a_request_is_nowhere_but_in_its_worker(void **state)
{
    static const char CANARY[] = "xylophone-canary-7361 dinner on Friday";
    static const char *const OTHERS[] = { "pp-cvm-channel", "pp-cvm-attest", "pp-cvm-super" };
    struct pp_span needle = PP_STR("xylophone-canary-7361");

    (void)state;
    if (geteuid() != 0)
        skip(); /* the processes show their memory to nobody else */
    for (int i = 0; i < 3; i++)
        assert_int_equal(whole_session("summarize", CANARY), PP_OUTCOME_OK);
    assert_int_equal(fleet_memory_holds(getpid(), needle), 1); /* the scan finds what is there */
    assert_int_equal(fleet_memory_holds(fleet.host, needle), 0);
    for (size_t i = 0; i < PP_ARRAY_COUNT(OTHERS); i++) {
        pid_t pids[8];
        unsigned count = fleet_find(&fleet, OTHERS[i], pids, PP_ARRAY_COUNT(pids)), read = 0;
        assert_in_range(count, 1, PP_ARRAY_COUNT(pids));
        for (unsigned n = 0; n < count; n++) {
            int holds = fleet_memory_holds(pids[n], needle);
            assert_int_not_equal(holds, 1);
            read += holds == 0;
        }
        assert_true(read > 0);
    }
    wait_until_no_worker_holds(needle);
    assert_int_equal(files_hold(fleet.home, needle), 0);
}

static int status_line(pid_t pid, const char *name, char *ret, size_t cap)
{
    char path[64], line[256];

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    int found = 0;
    while (fgets(line, sizeof line, f) != NULL) {
        size_t len = strlen(name);
        if (strncmp(line, name, len) != 0 || line[len] != ':')
            continue;
        snprintf(ret, cap, "%s", line + len + 1 + strspn(line + len + 1, "\t "));
        ret[strcspn(ret, "\n")] = '\0';
        found = 1;
    }
    fclose(f);
    return found;
}

/*
 * P.containers: namespaces, seccomp, no_new_privs, no capability, no environment. A worker has its
 * name before it has its walls, so the one that is looked at has a session.
 */
static void every_process_stands_behind_its_walls(void **state)
{
    struct device d;
    char value[256], path[64];

    (void)state;
    config_with("sessions_max = 2\nsession_s = 30\nworkers_ready = 1\n");
    int gateway = gateway_connect(&fleet);
    const pid_t pids[] = { open_and_see_worker(&d, gateway),
                           fleet_process(&fleet, "pp-cvm-channel"),
                           fleet_process(&fleet, "pp-cvm-attest") };
    for (size_t i = 0; i < PP_ARRAY_COUNT(pids); i++) {
        pid_t pid = pids[i];
        assert_true(pid > 0);
        assert_true(status_line(pid, "NoNewPrivs", value, sizeof value));
        assert_string_equal(value, "1");
        assert_true(status_line(pid, "CapEff", value, sizeof value));
        assert_string_equal(value, "0000000000000000");
        assert_true(status_line(pid, "CapPrm", value, sizeof value));
        assert_string_equal(value, "0000000000000000");
#ifndef PP_SANITIZE
        assert_true(status_line(pid, "Seccomp", value, sizeof value));
        assert_string_equal(value, "2");
#endif
        if (geteuid() != 0)
            continue;
        snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(read(fd, value, sizeof value), 0);
        close(fd);
    }
    device_done(&d);
    close(gateway);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_summary_comes_back, start_default, stop),
    cmocka_unit_test_setup_teardown(many_sessions_follow_one_another, start_default, stop),
    cmocka_unit_test_setup_teardown(evidence_names_the_program_and_the_configuration_that_run,
                                    start_default, stop),
    cmocka_unit_test_setup_teardown(sessions_that_come_together_share_a_report, start_default,
                                    stop),
    cmocka_unit_test_setup_teardown(an_unknown_feature_is_refused_in_its_bucket, start_default,
                                    stop),
    cmocka_unit_test_setup_teardown(a_second_continue_is_gone_and_does_not_disturb_the_first,
                                    start_default, stop),
    cmocka_unit_test_setup_teardown(an_unknown_session_is_gone, start_default, stop),
    cmocka_unit_test_setup_teardown(w16_answers_leave_on_the_grid, NULL, stop),
    cmocka_unit_test_setup_teardown(a_session_that_waited_too_long_is_gone, NULL, stop),
    cmocka_unit_test_setup_teardown(over_its_sessions_the_machine_is_busy_at_once, NULL, stop),
    cmocka_unit_test_setup_teardown(a_closed_session_is_gone_and_closing_twice_is_fine,
                                    start_default, stop),
    cmocka_unit_test_setup_teardown(a_waiting_session_survives_its_connection, start_default, stop),
    cmocka_unit_test_setup_teardown(a_bad_finished_ends_with_an_alert, start_default, stop),
    cmocka_unit_test_setup_teardown(a_request_sealed_to_another_session_ends_with_an_alert,
                                    start_default, stop),
    cmocka_unit_test_setup_teardown(a_first_flight_of_anything_else_is_answered_with_nothing,
                                    start_default, stop),
    cmocka_unit_test_setup_teardown(a_stream_without_frames_is_closed_and_others_go_on,
                                    start_default, stop),
    cmocka_unit_test(a_file_that_is_a_link_or_open_to_others_keeps_the_host_from_starting),
    cmocka_unit_test_setup_teardown(hints_that_everybody_may_write_are_not_used, start_default,
                                    stop),
    cmocka_unit_test_setup_teardown(a_killed_worker_ends_its_session_alone, NULL, stop),
    cmocka_unit_test_setup_teardown(w23_a_killed_attester_ends_the_machine, start_default, stop),
    cmocka_unit_test_setup_teardown(w23_a_killed_channel_ends_the_machine, start_default, stop),
    cmocka_unit_test_setup_teardown(a_killed_host_ends_the_machine, start_default, stop),
    cmocka_unit_test_setup_teardown(the_text_of_a_request_is_nowhere_but_in_its_worker,
                                    start_default, stop),
    cmocka_unit_test_setup_teardown(every_process_stands_behind_its_walls, NULL, stop),
};

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s PP-HOSTD PP-CVMD\n", argv[0]);
        return 2;
    }
    fleet_hostd = realpath(argv[1], NULL); /* it changes into its home */
    fleet_cvmd = realpath(argv[2], NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
