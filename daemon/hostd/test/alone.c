/* SPDX-License-Identifier: Apache-2.0 */
/* pp-cvmd under a device by hand: what it does when the device, the host or the call is not
 * right. */
#include "fleet.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto.h"
#include "file.h"
#include "hash.h"
#include "hints.h"
#include "sp.h"

#define CONFIG                                                                                     \
    "environment = dev\nplatform = sim-snp\nmessage_kem = x25519\nengine = embedded\n"             \
    "sessions_max = 8\nsession_s = 30\nworkers_ready = 1\n"

struct machine {
    pid_t pid;
    int device, events;
    struct fleet as_fleet; /* its port, for gateway_connect */
    struct sim_guest guest;
    char lines[4096];
    size_t lines_len;
};

static struct sim_root *root;
static struct sim_chip *chip;

static int make_chip(void **state)
{
    struct sim_chip_params params = sim_chip_params_default(PP_SNP_GENOA);
    struct pp_random random = pp_random_system();

    (void)state;
    assert_ok(pp_crypto_init());
    assert_ok(sim_root_create(PP_SNP_GENOA, 1790000000, &root));
    assert_ok(sim_chip_create(root, &params, &random, 1790000000, &chip));
    return 0;
}

static int drop_chip(void **state)
{
    (void)state;
    sim_chip_free(chip);
    sim_root_free(root);
    return 0;
}

static int listening(uint16_t *ret_port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

static int other_device = -1; /* what stands at the device's descriptor instead of our socket */

static void start(struct machine *m, const char *config, const char *cmdline, char **envp)
{
    int device[2], events[2];

    *m = (struct machine){ 0 };
    int config_fd = memfd_create("config", MFD_CLOEXEC);
    int listen_fd = listening(&m->as_fleet.port);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, device), 0);
    assert_int_equal(pipe2(events, O_CLOEXEC), 0);
    assert_ok(pp_fd_write(config_fd, pp_span_cstr(config)));
    assert_int_equal(lseek(config_fd, 0, SEEK_SET), 0);
    m->guest.policy = SIM_GUEST_POLICY;
    pp_sha256(pp_span_cstr(config), m->guest.host_data);
    if (other_device >= 0) {
        close(device[1]);
        device[1] = fcntl(other_device, F_DUPFD_CLOEXEC, 0);
        assert_true(device[1] >= 0);
    }
    m->pid = fork();
    assert_true(m->pid >= 0);
    if (m->pid == 0) {
        const int fds[] = { events[1], device[1], listen_fd, config_fd };
        char *argv[] = { (char *)(uintptr_t) "pp-cvmd", (char *)(uintptr_t)cmdline, NULL };
        int high[4];
        for (int i = 0; i < 4; i++)
            high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 64);
        for (int i = 0; i < 4; i++)
            if (dup2(high[i], 2 + i) != 2 + i)
                _exit(126);
        execve(fleet_cvmd, argv, envp);
        _exit(127);
    }
    close(events[1]);
    close(device[1]);
    close(listen_fd);
    close(config_fd);
    m->device = device[0];
    m->events = events[0];
}

static void read_lines(struct machine *m)
{
    struct pollfd p = { .fd = m->events, .events = POLLIN };

    while (poll(&p, 1, 0) > 0) {
        ssize_t n = read(m->events, m->lines + m->lines_len, sizeof m->lines - 1 - m->lines_len);
        if (n <= 0)
            return;
        m->lines_len += (size_t)n;
        m->lines[m->lines_len] = '\0';
    }
}

static int has_line(struct machine *m, const char *part)
{
    read_lines(m);
    return strstr(m->lines, part) != NULL;
}

static int end_of(struct machine *m)
{
    int status = 0;

    for (int i = 0; i < FLEET_WAIT_MS / 5; i++) {
        if (waitpid(m->pid, &status, WNOHANG) == m->pid) {
            read_lines(m);
            close(m->events);
            if (m->device >= 0)
                close(m->device);
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        (void)poll(NULL, 0, 5);
    }
    fail_msg("pp-cvmd did not end");
    return -1;
}

/* Answers one request as `guest` with `hints`; 0 when the machine closed the device. */
static int serve_one(struct machine *m, const struct sim_guest *guest, struct pp_span hints)
{
    static uint8_t out[PP_SP_ANSWER_BYTES_MAX];
    uint8_t packet[PP_SP_REQUEST_BYTES + 1], report[PP_SNP_REPORT_BYTES];
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_sp_answer a = { .done = guest != NULL, .hints = hints };
    struct pollfd p = { .fd = m->device, .events = POLLIN };
    struct pp_span report_data;

    assert_int_equal(poll(&p, 1, FLEET_WAIT_MS), 1);
    ssize_t n = recv(m->device, packet, sizeof packet, 0);
    if (n <= 0)
        return 0;
    assert_ok(pp_sp_request_parse(pp_span(packet, (size_t)n), &report_data));
    if (guest != NULL) {
        assert_ok(sim_chip_report(chip, guest, report_data.at, report));
        a.report = PP_BYTES(report);
    }
    assert_ok(pp_sp_answer_write(&wr, &a));
    assert_int_equal(send(m->device, out, wr.len, MSG_NOSIGNAL), wr.len);
    return 1;
}

static void wait_ready(struct machine *m)
{
    for (int i = 0; i < FLEET_WAIT_MS / 5 && !has_line(m, "event=DAEMON_READY party=cvm"); i++)
        (void)poll(NULL, 0, 5);
    assert_true(has_line(m, "event=DAEMON_READY party=cvm"));
}

static struct pp_span good_hints(uint8_t *buf, size_t cap)
{
    struct pp_wr wr = pp_wr_over(buf, cap);
    struct pp_hints h = { .endorsement_count = 1, .host_count = 1 };

    h.endorsements[0] = sim_chip_vcek(chip);
    h.hosts[0].size = 1;
    assert_ok(pp_hints_write(&wr, &h));
    return pp_wr_done(&wr);
}

/* W13_T3, T4; W23_T1: a configuration that was not measured: no listener ever answers. */
static void w13_t3_a_configuration_that_was_not_measured_is_not_served(void **state)
{
    struct machine m;

    (void)state;
    start(&m, CONFIG, "pp.role=orchestrator", (char *[]){ NULL });
    m.guest.host_data[31] ^= 1;
    assert_int_equal(serve_one(&m, &m.guest, (struct pp_span){ 0 }), 1);
    assert_int_equal(end_of(&m), 1);
    assert_true(has_line(&m, "event=DAEMON_STOPPED party=cvm code=SNP_HOST_DATA"));
    assert_false(has_line(&m, "DAEMON_READY"));
}

static void a_device_that_fails_at_the_start_means_no_service(void **state)
{
    struct machine m;

    (void)state;
    start(&m, CONFIG, "pp.role=orchestrator", (char *[]){ NULL });
    assert_int_equal(serve_one(&m, NULL, (struct pp_span){ 0 }), 1);
    assert_int_equal(end_of(&m), 1);
    assert_false(has_line(&m, "DAEMON_READY"));
}

static void a_wrong_configuration_or_command_line_ends_before_the_device_is_asked(void **state)
{
    static const struct {
        const char *config, *cmdline;
    } ROWS[] = { { CONFIG "shell = /bin/sh\n", "pp.role=orchestrator" },
                 { "", "pp.role=orchestrator" },
                 { CONFIG, "pp.role=predictor" },
                 { CONFIG, "pp.role=orchestrator init=/bin/sh" } };
    struct machine m;

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        start(&m, ROWS[i].config, ROWS[i].cmdline, (char *[]){ NULL });
        assert_int_equal(serve_one(&m, &m.guest, (struct pp_span){ 0 }), 0);
        assert_int_equal(end_of(&m), 1);
        assert_true(has_line(&m, "event=DAEMON_STOPPED party=cvm code=CONFIG"));
    }
}

/* W13_T1: what a host puts into the environment has no effect. */
static void w13_t1_the_environment_has_no_effect(void **state)
{
    char *envp[] = { (char *)(uintptr_t) "LD_PRELOAD=/nonexistent.so",
                     (char *)(uintptr_t) "LD_LIBRARY_PATH=/tmp",
                     (char *)(uintptr_t) "LD_AUDIT=/nonexistent.so",
                     (char *)(uintptr_t) "OPENSSL_CONF=/dev/zero",
                     (char *)(uintptr_t) "OPENSSL_MODULES=/tmp",
                     (char *)(uintptr_t) "GCONV_PATH=/tmp",
                     (char *)(uintptr_t) "MALLOC_PERTURB_=7",
                     (char *)(uintptr_t) "EVENT_NOEPOLL=1",
                     (char *)(uintptr_t) "TMPDIR=/tmp",
                     (char *)(uintptr_t) "http_proxy=http://127.0.0.1:9",
                     NULL };
    struct machine m;
    uint8_t hints[4096];
    struct device d;

    (void)state;
#ifdef PP_SANITIZE
    envp[0] = envp[2] = envp[8]; /* the program is static everywhere but under a sanitizer */
#endif
    start(&m, CONFIG, "pp.role=orchestrator", envp);
    assert_int_equal(serve_one(&m, &m.guest, (struct pp_span){ 0 }), 1);
    wait_ready(&m);
    int gateway = gateway_connect(&m.as_fleet);
    gateway_send(gateway, PP_FRAME_OPEN, 1, NULL, device_hello(&d));
    assert_int_equal(serve_one(&m, &m.guest, good_hints(hints, sizeof hints)), 1);
    struct pp_frame f = gateway_recv(gateway);
    device_take_flight(&d, &f);
    device_done(&d);
    close(gateway);
    close(m.device);
    m.device = -1;
    assert_int_equal(end_of(&m), 1);
}

/* ra-tls 8: busy, never "no evidence". */
static void without_a_report_or_with_bad_hints_a_session_is_busy(void **state)
{
    uint8_t hints[4096];
    struct machine m;
    struct device d;

    (void)state;
    start(&m, CONFIG, "pp.role=orchestrator", (char *[]){ NULL });
    assert_int_equal(serve_one(&m, &m.guest, (struct pp_span){ 0 }), 1);
    wait_ready(&m);
    int gateway = gateway_connect(&m.as_fleet);
    for (uint32_t i = 0; i < 2; i++) {
        gateway_send(gateway, PP_FRAME_OPEN, i, NULL, device_hello(&d));
        if (i == 0)
            assert_int_equal(serve_one(&m, NULL, (struct pp_span){ 0 }), 1);
        else
            assert_int_equal(serve_one(&m, &m.guest, PP_STR("\xa0")), 1);
        struct pp_frame f = gateway_recv(gateway);
        assert_int_equal(f.kind, PP_FRAME_BUSY);
        assert_int_equal(f.tag, i);
        device_done(&d);
    }
    gateway_send(gateway, PP_FRAME_OPEN, 9, NULL, device_hello(&d)); /* and it recovers */
    assert_int_equal(serve_one(&m, &m.guest, good_hints(hints, sizeof hints)), 1);
    struct pp_frame f = gateway_recv(gateway);
    device_take_flight(&d, &f);
    device_done(&d);
    close(gateway);
    close(m.device);
    m.device = -1;
    assert_int_equal(end_of(&m), 1);
}

static void a_device_that_goes_away_ends_the_machine(void **state)
{
    struct machine m;

    (void)state;
    start(&m, CONFIG, "pp.role=orchestrator", (char *[]){ NULL });
    assert_int_equal(serve_one(&m, &m.guest, (struct pp_span){ 0 }), 1);
    wait_ready(&m);
    close(m.device);
    m.device = -1;
    assert_int_equal(end_of(&m), 1);
    /* Attester and channel end together; which one is seen first is chance. */
    assert_true(has_line(&m, "event=CVM_PROCESS_ENDED process="));
}

/* Starts with `path` (NULL: the socket) as device, and gives the line that says why it ended. */
static void assert_ends_with_device(const char *platform, const char *path, const char *line)
{
    char config[512];
    struct machine m;

    snprintf(config, sizeof config, "%s", CONFIG);
    char *at = strstr(config, "sim-snp");
    assert_non_null(at);
    memcpy(at, platform, 7);
    if (path != NULL)
        assert_true(
            (other_device = open(path, strcmp(path, "/dev/null") == 0 ? O_RDWR | O_CLOEXEC
                                                                      : O_PATH | O_CLOEXEC)) >= 0);
    start(&m, config, "pp.role=orchestrator", (char *[]){ NULL });
    if (other_device >= 0)
        close(other_device);
    other_device = -1;
    assert_int_equal(end_of(&m), 1);
    assert_true(has_line(&m, line));
    assert_false(has_line(&m, "DAEMON_READY"));
}

/* The measured platform and what the host puts at the descriptor go together, or nothing starts. */
static void a_device_of_another_platform_ends_the_machine(void **state)
{
    static const char UNSUPPORTED[] = "event=DAEMON_STOPPED party=cvm code=UNSUPPORTED";

    (void)state;
    assert_ends_with_device("sim-snp", "/dev/null", UNSUPPORTED);
    assert_ends_with_device("sim-snp", "/", UNSUPPORTED);
    assert_ends_with_device("sev-snp", NULL, UNSUPPORTED); /* a simulator for the real thing */
    assert_ends_with_device("sev-snp", "/proc/version", UNSUPPORTED);
}

/* A device and a folder that are not the kernel's: their reporter ends, and all with it. */
static void a_reporter_without_a_device_ends_the_machine(void **state)
{
    char folder[] = "/tmp/pp-alone-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_ends_with_device("sev-snp", "/dev/null", "event=CVM_PROCESS_ENDED process=");
    assert_ends_with_device("sev-snp", folder, "event=CVM_PROCESS_ENDED process=");
    int fd = open(folder, O_PATH | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(unlinkat(fd, "pp", AT_REMOVEDIR), 0); /* it got as far as its entry */
    close(fd);
    assert_int_equal(rmdir(folder), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(w13_t3_a_configuration_that_was_not_measured_is_not_served),
    cmocka_unit_test(a_device_that_fails_at_the_start_means_no_service),
    cmocka_unit_test(a_wrong_configuration_or_command_line_ends_before_the_device_is_asked),
    cmocka_unit_test(w13_t1_the_environment_has_no_effect),
    cmocka_unit_test(without_a_report_or_with_bad_hints_a_session_is_busy),
    cmocka_unit_test(a_device_that_goes_away_ends_the_machine),
    cmocka_unit_test(a_device_of_another_platform_ends_the_machine),
    cmocka_unit_test(a_reporter_without_a_device_ends_the_machine),
};

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PP-CVMD\n", argv[0]);
        return 2;
    }
    fleet_cvmd = argv[1];
    return cmocka_run_group_tests(tests, make_chip, drop_chip);
}
