/* SPDX-License-Identifier: Apache-2.0 */
#include "around.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "crypto.h"
#include "hash.h"
#include "hints.h"

struct around around;
uint32_t around_gpu_ms;

static const uint8_t CONFIG[] = "tested";

int around_can_read(int fd, int wait_ms)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    return poll(&p, 1, wait_ms) == 1;
}

void around_settle(int fd)
{
    int unread = 1;

    for (int i = 0; i < AROUND_WAIT_MS && unread > 0; i++) {
        assert_int_equal(ioctl(fd, TIOCOUTQ, &unread), 0);
        if (unread > 0)
            (void)poll(NULL, 0, 1);
    }
    assert_int_equal(unread, 0);
}

void around_start_unchecked(enum pp_platform platform)
{
    int device[2], channel[2], supervisor[2];

    assert_ok(pp_crypto_init());
    around = (struct around){ .config = { .bytes = pp_span(CONFIG, sizeof CONFIG - 1),
                                          .platform = platform,
                                          .device_ms = CVM_DEVICE_MS,
                                          .has_gpu = around_gpu_ms > 0,
                                          .gpu_renew_ms = around_gpu_ms,
                                          .gpu_life_ms = CVM_GPU_LIFE_MS } };
    pp_sha256(around.config.bytes, around.config.digest);
    around.shared = mmap(NULL, sizeof *around.shared, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(around.shared, MAP_FAILED);
    *around.shared = around.config;
    assert_ok(cvm_pair(SOCK_SEQPACKET, device));
    assert_ok(cvm_pair(SOCK_SEQPACKET, channel));
    assert_ok(cvm_pair(SOCK_SEQPACKET, supervisor));
    around.attester = fork();
    assert_true(around.attester >= 0);
    if (around.attester == 0) {
        struct cvm_walls walls;
        const int fds[] = { device[1], channel[1], supervisor[1] };
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (!pp_is_ok(cvm_keep_only(fds, 3)) || !pp_is_ok(cvm_confine(CVM_KIND_ATTESTER, &walls)))
            _exit(99);
        _exit(cvm_attester_main(around.shared, 3, 4, 5));
    }
    close(device[1]);
    close(channel[1]);
    close(supervisor[1]);
    around.device = device[0];
    around.channel = channel[0];
    around.supervisor = supervisor[0];
}

void around_start(void)
{
    static const uint8_t NO_SESSION[PP_REPORT_DATA_BYTES];
    uint8_t first[PP_REPORT_DATA_BYTES], said[8];
    size_t len = 0;

    around_start_unchecked(PP_PLATFORM_SIM_SNP);
    around_answer_next(first);
    assert_memory_equal(first, NO_SESSION, sizeof first);
    assert_true(around_can_read(around.supervisor, AROUND_WAIT_MS));
    assert_ok(cvm_recv(around.supervisor, said, sizeof said, &len, NULL));
    assert_int_equal(said[0], CVM_ATTESTER_READY);
}

void around_patience(uint32_t device_ms)
{
    around.shared->device_ms = device_ms;
}

int around_exit_status(void)
{
    int status = 0;

    for (int i = 0; i < AROUND_WAIT_MS; i++) {
        if (waitpid(around.attester, &status, WNOHANG) == around.attester) {
            around.attester = 0;
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        (void)poll(NULL, 0, 1);
    }
    fail_msg("the attester did not end");
    return -1;
}

int around_forget(void **state)
{
    (void)state;
    if (around.attester > 0) {
        (void)kill(around.attester, SIGKILL);
        (void)waitpid(around.attester, NULL, 0);
    }
    cvm_close(&around.device);
    cvm_close(&around.channel);
    cvm_close(&around.supervisor);
    (void)munmap(around.shared, sizeof *around.shared);
    return 0;
}

int around_stop(void **state)
{
    int status;

    assert_true(around.attester > 0);
    assert_int_equal(waitpid(around.attester, &status, WNOHANG), 0);
    return around_forget(state);
}

struct around_worker around_worker_new(uint32_t slot, uint32_t generation)
{
    struct around_worker w = { .slot = slot, .generation = generation };
    uint8_t packet[8];
    struct pp_wr wr = pp_wr_over(packet, sizeof packet);
    int pair[2];

    assert_ok(cvm_pair(SOCK_SEQPACKET, pair));
    pp_wr_u32(&wr, slot);
    pp_wr_u32(&wr, generation);
    assert_ok(cvm_send(around.supervisor, pp_wr_done(&wr), pair[1]));
    cvm_close(&pair[1]);
    w.fd = pair[0];
    struct pp_wr key = pp_wr_over(w.key, sizeof w.key);
    pp_wr_u16(&key, 0x0020);
    pp_wr_u32(&key, slot + 1);
    pp_wr_u32(&key, generation);
    pp_wr_fill_to(&key, sizeof w.key);
    return w;
}

void around_worker_key(struct around_worker *w)
{
    assert_ok(cvm_send(w->fd, PP_BYTES(w->key), -1));
}

struct around_session around_session_new(uint32_t slot)
{
    struct around_session s = { .slot = slot, .generation = slot + 7 };

    memset(s.spki, (int)(slot & 0x7F) + 1, sizeof s.spki);
    struct pp_wr wr = pp_wr_over(s.ekm, sizeof s.ekm);
    pp_wr_u32(&wr, slot);
    return s;
}

void around_ask(const struct around_session *s, const struct around_worker *w)
{
    uint8_t packet[CVM_ATTEST_PACKET_BYTES];
    struct pp_wr wr = pp_wr_over(packet, sizeof packet);

    pp_wr_u32(&wr, s->slot);
    pp_wr_u32(&wr, s->generation);
    pp_wr_u32(&wr, w->slot);
    pp_wr_u32(&wr, w->generation);
    pp_wr_span(&wr, PP_BYTES(s->spki));
    pp_wr_span(&wr, PP_BYTES(s->ekm));
    assert_ok(cvm_send(around.channel, pp_wr_done(&wr), -1));
}

/* --- the device ------------------------------------------------------------------------------ */

int around_wanted(uint8_t ret[PP_REPORT_DATA_BYTES], int wait_ms)
{
    uint8_t packet[PP_SP_REQUEST_BYTES + 1];
    struct pp_span wanted;
    size_t len = 0;

    if (!around_can_read(around.device, wait_ms))
        return 0;
    assert_ok(cvm_recv(around.device, packet, sizeof packet, &len, NULL));
    assert_ok(pp_sp_request_parse(pp_span(packet, len), &wanted));
    memcpy(ret, wanted.at, wanted.len);
    return 1;
}

void around_report(const uint8_t report_data[PP_REPORT_DATA_BYTES], struct pp_snp_report *ret)
{
    *ret = (struct pp_snp_report){ .version = 3,
                                   .policy = PP_SNP_POLICY_MUST_BE_ONE,
                                   .signature_algo = 1,
                                   .cpuid_family = 0x19,
                                   .cpuid_model = 0x11 };
    memcpy(ret->report_data, report_data, sizeof ret->report_data);
    memcpy(ret->host_data, around.config.digest, sizeof ret->host_data);
}

struct pp_span around_hints(void)
{
    static uint8_t bytes[1024];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
    const struct pp_hints h = { .endorsements = { PP_STR("chip") },
                                .endorsement_count = 1,
                                .host_count = 1,
                                .hosts = { { .size = 1 } } };

    assert_ok(pp_hints_write(&wr, &h));
    return pp_wr_done(&wr);
}

void around_answer_bytes(struct pp_span report, struct pp_span hints)
{
    static uint8_t packet[PP_SP_ANSWER_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(packet, sizeof packet);
    const struct pp_sp_answer a = { .done = report.len > 0, .report = report, .hints = hints };

    assert_ok(pp_sp_answer_write(&wr, &a));
    assert_ok(cvm_send(around.device, pp_wr_done(&wr), -1));
}

void around_answer(const struct pp_snp_report *report)
{
    uint8_t bytes[PP_SNP_REPORT_BYTES];

    assert_ok(pp_snp_report_write(report, bytes, sizeof bytes));
    around_answer_bytes(PP_BYTES(bytes), around_hints());
}

void around_answer_next(uint8_t ret[PP_REPORT_DATA_BYTES])
{
    struct pp_snp_report report;

    assert_true(around_wanted(ret, AROUND_WAIT_MS));
    around_report(ret, &report);
    around_answer(&report);
}

/* --- what comes back ------------------------------------------------------------------------- */

int around_evidence(struct around_evidence *ret, int wait_ms)
{
    static uint8_t packet[CVM_EVIDENCE_PACKET_BYTES];
    struct pp_span cbor;
    size_t len = 0;

    if (!around_can_read(around.channel, wait_ms))
        return 0;
    assert_ok(cvm_recv(around.channel, packet, sizeof packet, &len, NULL));
    struct pp_rd rd = pp_rd_over(packet, len);
    ret->slot = pp_rd_u32(&rd);
    ret->generation = pp_rd_u32(&rd);
    ret->is_there = pp_rd_u8(&rd);
    if (!ret->is_there) {
        assert_ok(pp_rd_end(&rd));
        return 1;
    }
    pp_rd_copy(&rd, ret->body, sizeof ret->body);
    assert_ok(pp_rd_end(&rd));
    assert_ok(pp_evidence_body_parse(PP_BYTES(ret->body), &cbor));
    assert_ok(pp_evidence_parse(cbor, PP_END_SERVER, &ret->e));
    return 1;
}

void around_binding(const struct around_session *s, const struct around_worker *w,
                    uint8_t ret[PP_BINDING_BYTES])
{
    struct pp_binding_input in = { .end = PP_END_SERVER, .spki = PP_BYTES(s->spki) };

    memcpy(in.ekm, s->ekm, sizeof in.ekm);
    memcpy(in.config_digest, around.config.digest, sizeof in.config_digest);
    pp_sha256(PP_BYTES(w->key), in.message_key_digest);
    assert_ok(pp_binding_of(&in, ret));
}
