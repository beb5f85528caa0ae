/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated secure processor behind its socket, with each thing that can be wrong with it. */
#include "harness.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypto.h"
#include "folder.h"
#include "host.h"
#include "rd.h"

static struct sim_chip *chip;
static struct sim_tdx_platform *platform;
static struct host_cvm cvm = { .guest = { .policy = SIM_GUEST_POLICY },
                               .td = { .td_attributes = SIM_TDX_ATTRIBUTES,
                                       .xfam = SIM_TDX_XFAM } };
static int is_tdx; /* what the next device is */
static struct host_device device;
static int guest; /* its end of the socket */
static char hints_path[] = "/tmp/pp-device-XXXXXX";
static uint8_t packet[PP_SP_ANSWER_BYTES_MAX];

static int make(void **state)
{
    struct sim_chip_params params = sim_chip_params_default(PP_SNP_GENOA);
    struct pp_random random = pp_random_system();
    struct sim_root *root;

    (void)state;
    assert_ok(pp_crypto_init());
    assert_ok(sim_root_create(PP_SNP_GENOA, 1790000000, &root));
    assert_ok(sim_chip_create(root, &params, &random, 1790000000, &chip));
    sim_root_free(root);
    const struct sim_tdx_params tdx = sim_tdx_params_default();
    struct sim_tdx_vendor *vendor;
    assert_ok(sim_tdx_vendor_create(1790000000, &vendor));
    assert_ok(sim_tdx_platform_create(vendor, &tdx, &random, 1790000000, &platform));
    sim_tdx_vendor_free(vendor);
    int fd = mkstemp(hints_path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "hints", 5), 5);
    close(fd);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    sim_chip_free(chip);
    sim_tdx_platform_free(platform);
    return unlink(hints_path);
}

static void start(enum host_fault fault)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
    cvm.device_fd = pair[0];
    guest = pair[1];
    device = (struct host_device){ .chip = is_tdx ? NULL : chip,
                                   .platform = is_tdx ? platform : NULL,
                                   .cvm = &cvm,
                                   .hints_path = hints_path,
                                   .fault = fault };
}

static void stop(void)
{
    close(guest);
    assert_code(host_device_serve(&device), PP_E_CLOSED);
    close(cvm.device_fd);
}

static void send_request(uint8_t fill)
{
    uint8_t report_data[PP_SP_REPORT_DATA_BYTES], request[PP_SP_REQUEST_BYTES];
    struct pp_wr wr = pp_wr_over(request, sizeof request);

    memset(report_data, fill, sizeof report_data);
    pp_sp_request_write(&wr, report_data);
    assert_int_equal(send(guest, request, wr.len, 0), wr.len);
    assert_ok(host_device_serve(&device));
}

static struct pp_sp_answer take_answer(void)
{
    struct pp_sp_answer a;
    ssize_t n = recv(guest, packet, sizeof packet, 0);

    assert_true(n > 0);
    assert_ok(pp_sp_answer_parse(pp_span(packet, (size_t)n), &a));
    return a;
}

/* One report over bytes of this value. */
static struct pp_sp_answer ask(uint8_t fill)
{
    send_request(fill);
    return take_answer();
}

static void assert_right(const struct pp_sp_answer *a, uint8_t fill)
{
    struct pp_snp_report report;

    assert_true(a->done);
    assert_true(pp_span_eq(a->hints, PP_STR("hints")));
    assert_ok(pp_snp_report_parse(a->report, &report, NULL));
    for (size_t i = 0; i < sizeof report.report_data; i++)
        assert_int_equal(report.report_data[i], fill);
    assert_int_equal(report.vmpl, 0);
    assert_int_equal(report.policy, SIM_GUEST_POLICY);
    assert_memory_equal(report.chip_id, sim_chip_id(chip), sizeof report.chip_id);
    assert_true(pp_snp_tcb_eq(&report.reported_tcb, &report.current_tcb));
}

static void without_a_fault_every_report_is_right(void **state)
{
    (void)state;
    start(HOST_FAULT_NONE);
    for (uint8_t i = 0; i < 3; i++) {
        struct pp_sp_answer a = ask(i);
        assert_right(&a, i);
    }
    stop();
}

/* A guest could not find its configuration measured otherwise, and nothing would start. */
static void the_first_report_is_right_whatever_is_wrong(void **state)
{
    (void)state;
    for (int fault = HOST_FAULT_NONE; fault <= HOST_FAULT_SLOW; fault++) {
        start((enum host_fault)fault);
        struct pp_sp_answer a = ask(1);
        assert_right(&a, 1);
        stop();
    }
}

/* The second report under a fault. */
static struct pp_sp_answer second(enum host_fault fault, struct pp_snp_report *ret)
{
    start(fault);
    (void)ask(1);
    struct pp_sp_answer a = ask(2);
    stop();
    assert_true(a.done);
    if (ret != NULL)
        assert_ok(pp_snp_report_parse(a.report, ret, NULL));
    return a;
}

static void each_fault_changes_what_its_name_says(void **state)
{
    struct pp_snp_report good, bad;

    (void)state;
    (void)second(HOST_FAULT_NONE, &good);
    (void)second(HOST_FAULT_TCB_CLAIM, &bad);
    assert_int_equal(bad.reported_tcb.v[7], good.reported_tcb.v[7] + 1);
    assert_true(pp_snp_tcb_eq(&bad.reported_tcb, &bad.committed_tcb));
    (void)second(HOST_FAULT_PROVISIONAL, &bad);
    assert_int_equal(bad.current_tcb.v[7], bad.committed_tcb.v[7] + 1);
    assert_true(pp_snp_tcb_eq(&bad.reported_tcb, &good.reported_tcb));
    (void)second(HOST_FAULT_DEBUG, &bad);
    assert_true(bad.policy == (good.policy | PP_SNP_POLICY_DEBUG));
    (void)second(HOST_FAULT_OTHER_CHIP, &bad);
    assert_memory_not_equal(bad.chip_id, good.chip_id, sizeof bad.chip_id);
    (void)second(HOST_FAULT_VMPL, &bad);
    assert_int_equal(bad.vmpl, 1);
    (void)second(HOST_FAULT_STALE, &bad);
    assert_int_equal(bad.report_data[63], 1); /* of the request before */
    (void)second(HOST_FAULT_OTHER_DATA, &bad);
    assert_int_equal(bad.report_data[0], 3);
    assert_int_equal(bad.report_data[1], 2);
    assert_int_equal(second(HOST_FAULT_TRUNCATED, NULL).report.len, PP_SNP_REPORT_BYTES - 1);
    assert_int_equal(second(HOST_FAULT_NO_HINTS, NULL).hints.len, 0);
}

/* ECDSA signatures are random: that this one is wrong is what `ppctl up --fault` shows. */
static void an_unsigned_report_is_well_formed(void **state)
{
    struct pp_snp_report report;

    (void)state;
    (void)second(HOST_FAULT_UNSIGNED, &report);
    assert_int_equal(report.report_data[0], 2);
}

static void a_device_fails_always_or_every_other_time(void **state)
{
    (void)state;
    start(HOST_FAULT_FAILING);
    (void)ask(0);
    for (uint8_t i = 1; i < 5; i++)
        assert_false(ask(i).done);
    stop();
    start(HOST_FAULT_BUSY);
    for (uint8_t i = 0; i < 6; i++) {
        struct pp_sp_answer a = ask(i);
        assert_int_equal(a.done, i % 2 == 0);
        if (a.done)
            assert_right(&a, i);
    }
    stop();
}

static void a_slow_device_holds_one_request_until_it_is_released(void **state)
{
    (void)state;
    start(HOST_FAULT_SLOW);
    (void)ask(0);
    send_request(1);
    send_request(2); /* which waits in the socket */
    assert_int_equal(recv(guest, packet, sizeof packet, 0), -1);
    assert_ok(host_device_release(&device));
    struct pp_sp_answer a = take_answer();
    assert_right(&a, 1);
    assert_ok(host_device_serve(&device));
    assert_int_equal(recv(guest, packet, sizeof packet, 0), -1);
    assert_ok(host_device_release(&device));
    a = take_answer();
    assert_right(&a, 2);
    stop();
}

/* --- TDX -------------------------------------------------------------------------------------- */

/* The second quote under a fault; its spans hold until the next one. */
static struct pp_tdx_quote second_quote(enum host_fault fault)
{
    struct pp_tdx_quote quote;

    is_tdx = 1;
    start(fault);
    (void)ask(1);
    struct pp_sp_answer a = ask(2);
    stop();
    is_tdx = 0;
    assert_true(a.done);
    assert_int_equal(a.endorsement.len, 0);
    assert_ok(pp_tdx_quote_parse(a.report, &quote, NULL));
    assert_int_equal(quote.len, a.report.len);
    return quote;
}

static void a_tdx_device_quotes_what_was_launched(void **state)
{
    (void)state;
    struct pp_tdx_quote q = second_quote(HOST_FAULT_NONE);
    for (size_t i = 0; i < sizeof q.body.report_data; i++)
        assert_int_equal(q.body.report_data[i], 2);
    assert_true(q.body.td_attributes == SIM_TDX_ATTRIBUTES);
    assert_memory_equal(q.body.mrtd, cvm.td.mrtd, sizeof q.body.mrtd);
    assert_memory_equal(q.body.mrconfigid, cvm.td.mrconfigid, sizeof q.body.mrconfigid);
}

static void each_fault_of_quotes_changes_what_its_name_says(void **state)
{
    struct pp_tdx_quote q = second_quote(HOST_FAULT_DEBUG);

    (void)state;
    assert_true(q.body.td_attributes == (SIM_TDX_ATTRIBUTES | PP_TDX_ATTR_DEBUG));
    q = second_quote(HOST_FAULT_STALE);
    assert_int_equal(q.body.report_data[63], 1); /* of the request before */
    q = second_quote(HOST_FAULT_OTHER_DATA);
    assert_int_equal(q.body.report_data[0], 3);
    assert_int_equal(q.body.report_data[1], 2);
    (void)second_quote(HOST_FAULT_UNSIGNED); /* well formed: only the signature is another */
    is_tdx = 1;
    assert_int_equal(second(HOST_FAULT_NO_HINTS, NULL).hints.len, 0);
    assert_code(pp_tdx_quote_parse(second(HOST_FAULT_TRUNCATED, NULL).report, &q, NULL),
                PP_E_TDX_FORMAT);
    is_tdx = 0;
}

static void faults_that_a_quote_cannot_have_are_of_snp_alone(void **state)
{
    static const enum host_fault SNP[] = { HOST_FAULT_TCB_CLAIM, HOST_FAULT_PROVISIONAL,
                                           HOST_FAULT_OTHER_CHIP, HOST_FAULT_VMPL };
    int of_snp = 0;

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(SNP); i++)
        assert_false(host_fault_is_of_tdx(SNP[i]));
    for (int fault = HOST_FAULT_NONE; fault <= HOST_FAULT_SLOW; fault++)
        of_snp += !host_fault_is_of_tdx((enum host_fault)fault);
    assert_int_equal(of_snp, PP_ARRAY_COUNT(SNP));
}

static void every_fault_has_the_name_that_is_printed(void **state)
{
    struct pp_rd rd = pp_rd_span(pp_span_cstr(HOST_FAULT_NAMES));
    int seen = 0;

    (void)state;
    while (rd.left > 0) {
        struct pp_span name = pp_span(rd.at, 0);
        enum host_fault fault;
        while (rd.left > 0 && rd.at[0] != ',') {
            pp_rd_skip(&rd, 1);
            name.len++;
        }
        assert_ok(host_fault_find(name, &fault));
        assert_int_equal(fault, seen++);
        pp_rd_skip(&rd, rd.left > 0 ? 2 : 0);
    }
    assert_int_equal(seen, HOST_FAULT_GPU_NONCE + 1);
    assert_code(host_fault_find(PP_STR("tcb"), &(enum host_fault){ 0 }), PP_E_NOT_FOUND);
}

static void anything_but_a_request_is_answered_with_failed(void **state)
{
    (void)state;
    start(HOST_FAULT_NONE);
    assert_int_equal(send(guest, "\x02sign", 5, 0), 5);
    assert_ok(host_device_serve(&device));
    assert_false(take_answer().done);
    stop();
}

/* --- the GPU ---------------------------------------------------------------------------------- */

enum { GPU_MADE_S = 1790000000 };

/* A folder as a fleet's host has it: the device's own key, and answers about its certificates. */
static struct sim_gpu *gpu_of(char *folder)
{
    struct pp_issue_ocsp good = { .hash = PP_SHA384,
                                  .status = PP_OCSP_GOOD,
                                  .this_update = GPU_MADE_S,
                                  .next_update = GPU_MADE_S + 86400 };
    struct sim_gpu *gpu, *loaded;
    char name[128];

    assert_int_equal(pp_test_folder_make(folder), 0);
    assert_ok(sim_gpu_create(&(struct sim_gpu_making){ .now_s = GPU_MADE_S }, &gpu));
    assert_ok(sim_gpu_save(gpu, SIM_GPU_DEVICE, AT_FDCWD, folder));
    for (size_t i = 1; i <= 3; i++) {
        struct pp_wr wr = pp_wr_over(packet, sizeof packet);
        assert_ok(sim_gpu_ocsp(gpu, i, good, &wr));
        snprintf(name, sizeof name, "%s/ocsp%zu.der", folder, i);
        assert_ok(pp_file_write(AT_FDCWD, name, 0644, pp_wr_done(&wr)));
    }
    assert_ok(sim_gpu_load(AT_FDCWD, folder, &loaded));
    for (size_t i = 0; i < SIM_GPU_CERTS; i++)
        assert_true(pp_span_eq(sim_gpu_cert(loaded, i), sim_gpu_cert(gpu, i)));
    assert_true(sim_gpu_key(loaded, 0) != NULL && sim_gpu_key(loaded, 1) == NULL);
    sim_gpu_free(gpu);
    return loaded;
}

static pp_res ask_gpu(uint8_t fill, struct pp_evidence_gpu *ret)
{
    uint8_t nonce[PP_SP_GPU_NONCE_BYTES], request[PP_SP_GPU_REQUEST_BYTES];
    struct pp_wr wr = pp_wr_over(request, sizeof request);

    memset(nonce, fill, sizeof nonce);
    pp_sp_gpu_request_write(&wr, nonce);
    assert_int_equal(send(guest, request, wr.len, 0), wr.len);
    assert_ok(host_device_serve(&device));
    ssize_t n = recv(guest, packet, sizeof packet, 0);
    assert_true(n > 0);
    return pp_sp_gpu_answer_parse(pp_span(packet, (size_t)n), ret);
}

static void a_gpu_reports_over_the_guests_nonce_and_a_machine_without_says_so(void **state)
{
    char folder[64];
    struct sim_gpu *gpu = gpu_of(folder);
    struct pp_gpu_report right, wrong;
    struct pp_evidence_gpu got;

    (void)state;
    start(HOST_FAULT_NONE);
    assert_code(ask_gpu(7, &got), PP_E_FORMAT); /* it has none */
    device.gpu = (struct host_gpu){ .gpu = gpu, .folder = folder };
    assert_ok(ask_gpu(7, &got));
    assert_true(got.cert_count == 4 && got.ocsp_count == 3);
    assert_ok(pp_gpu_report_parse(got.report, &right, NULL));
    assert_int_equal(right.nonce[31], 7);
    device.gpu.fault = HOST_FAULT_GPU_DEBUG;
    assert_ok(ask_gpu(8, &got));
    assert_ok(pp_gpu_report_parse(got.report, &wrong, NULL));
    assert_int_equal(wrong.nonce[0], 8);
    assert_memory_not_equal(wrong.measurements, right.measurements, sizeof right.measurements);
    device.gpu.fault = HOST_FAULT_GPU_NONCE;
    assert_ok(ask_gpu(8, &got));
    assert_ok(pp_gpu_report_parse(got.report, &wrong, NULL));
    assert_int_equal(wrong.nonce[0], 9);
    assert_memory_equal(wrong.measurements, right.measurements, sizeof right.measurements);
    device.gpu.folder = "/nonexistent"; /* no word about its certificates: no evidence */
    assert_code(ask_gpu(8, &got), PP_E_FORMAT);
    stop();
    sim_gpu_free(gpu);
    assert_int_equal(pp_test_folder_remove(folder), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(without_a_fault_every_report_is_right),
    cmocka_unit_test(the_first_report_is_right_whatever_is_wrong),
    cmocka_unit_test(each_fault_changes_what_its_name_says),
    cmocka_unit_test(an_unsigned_report_is_well_formed),
    cmocka_unit_test(a_device_fails_always_or_every_other_time),
    cmocka_unit_test(a_slow_device_holds_one_request_until_it_is_released),
    cmocka_unit_test(a_tdx_device_quotes_what_was_launched),
    cmocka_unit_test(each_fault_of_quotes_changes_what_its_name_says),
    cmocka_unit_test(faults_that_a_quote_cannot_have_are_of_snp_alone),
    cmocka_unit_test(every_fault_has_the_name_that_is_printed),
    cmocka_unit_test(anything_but_a_request_is_answered_with_failed),
    cmocka_unit_test(a_gpu_reports_over_the_guests_nonce_and_a_machine_without_says_so),
};

int main(void)
{
    return cmocka_run_group_tests(tests, make, clean);
}
