/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two interfaces of the guest's kernel, played by a fake that keeps to what Linux documents of
 * configfs-tsm and of /dev/sev-guest, and that can race, be busy, short, slow, or wrong.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "cvm.h"
#include "ipc.h"
#include "report_int.h"
#include "sev_guest.h"
#include "snp.h"

enum { FOLDER_FD = 50, ENTRY_FD = 51, FIRST_FILE_FD = 60, FILE_COUNT = 5 };

static const char *const FILES[FILE_COUNT] = { "inblob", "outblob", "auxblob", "generation",
                                               "privlevel" };

static struct fake {
    /* the folder */
    int entries, made_errno, is_tdx;
    const char *provider;
    int open_files;
    size_t offset[FILE_COUNT + 1]; /* of the file that is open */
    uint8_t pending[64];
    size_t pending_len;
    uint8_t inblob[64], privlevel;
    uint64_t generation;
    uint8_t outblob[PP_SP_REPORT_BYTES_MAX + 2];
    size_t outblob_len;
    uint8_t table[CVM_CERT_TABLE_BYTES_MAX + 1];
    size_t table_len;
    size_t reads; /* of the outblob */
    /* faults */
    size_t read_at_most;  /* bytes a read; 0: any */
    size_t write_at_most; /* bytes a write; 0: any */
    int race_times;       /* another writes to the entry while our report is made */
    int no_report;        /* an empty outblob */
    int lost_writes;      /* closing the inblob fails, and says nothing */
    int outblob_errno, outblob_errno_times;
    const char *broken; /* this file cannot be opened, with EIO */
    const char *generation_text;
    /* the device */
    int control_errno, control_times;
    uint32_t fw_error, vmm_error, status, report_len;
    int plain_only;
    uint32_t vmpl;
    /* the clock */
    uint64_t now_ms;
    int pauses;
} fake;

static void fake_report(const uint8_t report_data[64], uint8_t *ret)
{
    struct pp_snp_report report = { .version = 3,
                                    .policy = PP_SNP_POLICY_MUST_BE_ONE,
                                    .vmpl = fake.vmpl };

    memcpy(report.report_data, report_data, sizeof report.report_data);
    assert_ok(pp_snp_report_write(&report, ret, PP_SNP_REPORT_BYTES));
}

static int file_of(const char *name)
{
    for (int i = 0; i < FILE_COUNT; i++)
        if (strcmp(name, FILES[i]) == 0)
            return i;
    return strcmp(name, "provider") == 0 ? FILE_COUNT : -1;
}

static int refuse(int e)
{
    errno = e;
    return -1;
}

static int fake_open_at(void *ctx, int folder_fd, const char *name, int flags)
{
    (void)ctx;
    if (folder_fd == FOLDER_FD) {
        assert_string_equal(name, "pp");
        assert_int_equal(flags, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return fake.entries ? ENTRY_FD : refuse(ENOENT);
    }
    assert_int_equal(folder_fd, ENTRY_FD);
    int file = file_of(name);
    assert_true(file >= 0);
    if (fake.broken != NULL && strcmp(fake.broken, name) == 0)
        return refuse(EIO);
    if (fake.is_tdx && (file == 2 || file == 4))
        return refuse(ENOENT);
    assert_int_equal(flags & O_ACCMODE, file == 0 || file == 4 ? O_WRONLY : O_RDONLY);
    fake.offset[file] = 0;
    fake.open_files++;
    return FIRST_FILE_FD + file;
}

static ssize_t give(int file, const void *bytes, size_t len, void *buf, size_t cap)
{
    size_t left = len - fake.offset[file];
    size_t n = left < cap ? left : cap;

    if (fake.read_at_most > 0 && n > fake.read_at_most)
        n = fake.read_at_most;
    memcpy(buf, (const uint8_t *)bytes + fake.offset[file], n);
    fake.offset[file] += n;
    return (ssize_t)n;
}

/* The first read of an open outblob makes the report. */
static int make_report(void)
{
    if (fake.offset[1] > 0)
        return 0;
    fake.reads++;
    if (fake.outblob_errno_times > 0) {
        fake.outblob_errno_times--;
        return refuse(fake.outblob_errno);
    }
    if (fake.race_times > 0) {
        fake.race_times--;
        fake.inblob[0] ^= 0xFF;
        fake.generation++;
    }
    if (fake.outblob_len == 0 || fake.outblob_len == PP_SNP_REPORT_BYTES) {
        fake_report(fake.inblob, fake.outblob);
        fake.outblob_len = PP_SNP_REPORT_BYTES;
    }
    return 0;
}

static ssize_t fake_read(void *ctx, int fd, void *buf, size_t len)
{
    char text[32];

    (void)ctx;
    switch (fd - FIRST_FILE_FD) {
    case 1:
        if (make_report() != 0)
            return -1;
        if (fake.no_report)
            return 0;
        return give(1, fake.outblob, fake.outblob_len, buf, len);
    case 2:
        return give(2, fake.table, fake.table_len, buf, len);
    case 3:
        snprintf(text, sizeof text, "%llu\n", (unsigned long long)fake.generation);
        return fake.generation_text != NULL
                   ? give(3, fake.generation_text, strlen(fake.generation_text), buf, len)
                   : give(3, text, strlen(text), buf, len);
    default:
        assert_int_equal(fd - FIRST_FILE_FD, FILE_COUNT);
        return give(FILE_COUNT, fake.provider, strlen(fake.provider), buf, len);
    }
}

static ssize_t fake_write(void *ctx, int fd, const void *buf, size_t len)
{
    (void)ctx;
    assert_true(len <= sizeof fake.pending);
    if (fake.write_at_most > 0 && len > fake.write_at_most)
        len = fake.write_at_most;
    if (fd == FIRST_FILE_FD + 4) {
        assert_int_equal(len, 2);
        fake.privlevel = *(const uint8_t *)buf;
        fake.generation++;
        return (ssize_t)len;
    }
    assert_int_equal(fd, FIRST_FILE_FD);
    memcpy(fake.pending, buf, len);
    fake.pending_len = len;
    return (ssize_t)len;
}

/* Linux takes what was written to a binary attribute when it is closed, and tells of no failure. */
static int fake_close(void *ctx, int fd)
{
    (void)ctx;
    fake.open_files--;
    if (fd != FIRST_FILE_FD || fake.pending_len == 0)
        return 0;
    fake.pending_len = 0;
    if (fake.lost_writes > 0) {
        fake.lost_writes--;
        return 0;
    }
    memcpy(fake.inblob, fake.pending, sizeof fake.inblob);
    fake.generation++;
    return 0;
}

static int fake_make_folder(void *ctx, int folder_fd, const char *name)
{
    (void)ctx;
    assert_int_equal(folder_fd, FOLDER_FD);
    assert_string_equal(name, "pp");
    if (fake.made_errno != 0)
        return refuse(fake.made_errno);
    if (fake.entries)
        return refuse(EEXIST);
    fake.entries = 1;
    return 0;
}

static int fake_remove_folder(void *ctx, int folder_fd, const char *name)
{
    (void)ctx;
    (void)name;
    assert_int_equal(folder_fd, FOLDER_FD);
    fake.entries = 0;
    fake.generation = 0;
    return 0;
}

static int fake_control(void *ctx, int fd, unsigned long request, void *arg)
{
    struct cvm_sev_request *io = arg;
    const struct cvm_sev_ext_report_req *req = (const void *)(uintptr_t)io->req_data;
    uint8_t *response = (void *)(uintptr_t)io->resp_data;
    struct pp_wr wr = pp_wr_over(response, CVM_SEV_RESPONSE_BYTES);

    (void)ctx;
    assert_int_equal(fd, FOLDER_FD);
    assert_int_equal(io->msg_version, 1);
    assert_int_equal(req->data.vmpl, 0);
    if (fake.control_times > 0 || (fake.plain_only && request == CVM_SEV_GET_EXT_REPORT)) {
        fake.control_times -= fake.control_times > 0;
        io->fw_error = fake.fw_error;
        io->vmm_error = fake.vmm_error;
        return refuse(fake.control_errno);
    }
    if (request == CVM_SEV_GET_EXT_REPORT) {
        assert_int_equal(req->certs_len, CVM_CERT_TABLE_BYTES_MAX);
        assert_int_equal(req->certs_address % 4096, 0);
        memcpy((void *)(uintptr_t)req->certs_address, fake.table, fake.table_len);
    } else {
        assert_true(request == CVM_SEV_GET_REPORT);
    }
    pp_wr_u32le(&wr, fake.status);
    pp_wr_u32le(&wr, fake.report_len);
    pp_wr_zeros(&wr, 24);
    fake_report(req->data.user_data, response + 32);
    return 0;
}

static uint64_t fake_mono_ms(void *ctx)
{
    (void)ctx;
    return fake.now_ms;
}

static void fake_pause(void *ctx, int ms)
{
    (void)ctx;
    fake.now_ms += (uint64_t)ms;
    fake.pauses++;
}

static const struct cvm_kernel KERNEL = { .open_at = fake_open_at,
                                          .read = fake_read,
                                          .write = fake_write,
                                          .close = fake_close,
                                          .make_folder = fake_make_folder,
                                          .remove_folder = fake_remove_folder,
                                          .control = fake_control,
                                          .mono_ms = fake_mono_ms,
                                          .pause = fake_pause };

static struct cvm_report got;
static struct cvm_reporter reporter;
static const uint8_t ASKED[64] = { 1, 2, 3, 4 };

static int reset(void **state)
{
    (void)state;
    fake = (struct fake){ .provider = "sev_guest\n", .report_len = PP_SNP_REPORT_BYTES };
    return 0;
}

static int leaves_nothing_open(void **state)
{
    (void)state;
    assert_int_equal(fake.open_files, 0);
    return 0;
}

static pp_res open_tsm(void)
{
    return cvm_reporter_open(&reporter, &KERNEL, CVM_DEVICE_TSM, FOLDER_FD, PP_PLATFORM_SEV_SNP);
}

static pp_res open_sev(void)
{
    return cvm_reporter_open(&reporter, &KERNEL, CVM_DEVICE_SEV_GUEST, FOLDER_FD,
                             PP_PLATFORM_SEV_SNP);
}

static void assert_report_over(const uint8_t report_data[64])
{
    struct pp_snp_report report;

    assert_ok(pp_snp_report_parse(pp_span(got.report, got.report_len), &report, NULL));
    assert_memory_equal(report.report_data, report_data, 64);
}

/* --- configfs-tsm ---------------------------------------------------------------------------- */

static void tsm_gives_a_report_over_what_was_asked_and_what_the_host_attached(void **state)
{
    uint8_t other[64] = { 9 };

    (void)state;
    assert_ok(open_tsm());
    assert_int_equal(fake.privlevel, '0');
    memset(fake.table, 7, 100);
    fake.table_len = 100;
    assert_ok(cvm_reporter_ask(&reporter, ASKED, &got));
    assert_report_over(ASKED);
    assert_int_equal(got.table_len, 100);
    assert_memory_equal(got.table, fake.table, 100);
    assert_ok(cvm_reporter_ask(&reporter, other, &got));
    assert_report_over(other);
    assert_int_equal(fake.reads, 2);
    assert_int_equal(fake.pauses, 0);
}

static void tsm_reads_in_pieces_are_joined(void **state)
{
    (void)state;
    fake.read_at_most = 7;
    fake.table_len = 333;
    assert_ok(open_tsm());
    assert_ok(cvm_reporter_ask(&reporter, ASKED, &got));
    assert_report_over(ASKED);
    assert_int_equal(got.table_len, 333);
}

/* The counter says that somebody else wrote between our bytes and our report. */
static void tsm_a_report_that_was_raced_is_asked_for_again(void **state)
{
    (void)state;
    assert_ok(open_tsm());
    fake.race_times = 3;
    assert_ok(cvm_reporter_ask(&reporter, ASKED, &got));
    assert_report_over(ASKED);
    assert_int_equal(fake.reads, 4);
    fake.race_times = INT32_MAX;
    assert_code(cvm_reporter_ask(&reporter, ASKED, &got), PP_E_BUSY);
    assert_true(fake.now_ms >= CVM_REPORT_RETRY_MS);
    assert_true(fake.now_ms < CVM_REPORT_RETRY_MS + 200);
}

/* Without the counter this would be the report before, for the kernel keeps it. */
static void tsm_bytes_that_were_not_taken_give_no_report(void **state)
{
    uint8_t other[64] = { 9 };

    (void)state;
    assert_ok(open_tsm());
    assert_ok(cvm_reporter_ask(&reporter, ASKED, &got));
    fake.lost_writes = 2;
    assert_ok(cvm_reporter_ask(&reporter, other, &got));
    assert_report_over(other);
    assert_int_equal(fake.reads, 4);
}

static void tsm_a_busy_device_is_asked_again_and_a_broken_one_is_not(void **state)
{
    static const struct {
        int e;
        enum pp_code code;
    } ROWS[] = { { EBUSY, PP_E_OK },     { EAGAIN, PP_E_OK },     { EINTR, PP_E_OK },
                 { ETIMEDOUT, PP_E_OK }, { ENOSPC, PP_E_SYSTEM }, { EINVAL, PP_E_SYSTEM },
                 { EIO, PP_E_SYSTEM },   { ENXIO, PP_E_CLOSED },  { ENODEV, PP_E_CLOSED } };

    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        (void)reset(state);
        assert_ok(open_tsm());
        fake.outblob_errno = ROWS[i].e;
        fake.outblob_errno_times = 2;
        pp_res r = cvm_reporter_ask(&reporter, ASKED, &got);
        assert_code(r, ROWS[i].code);
        assert_int_equal(fake.reads, pp_is_ok(r) ? 3 : 1);
        if (r.code == PP_E_SYSTEM)
            assert_int_equal(r.detail, ROWS[i].e);
        assert_int_equal(fake.open_files, 0);
    }
}

static void tsm_sizes_stop_at_their_limits(void **state)
{
    (void)state;
    assert_ok(open_tsm());
    fake.outblob_len = PP_SP_REPORT_BYTES_MAX;
    fake.table_len = CVM_CERT_TABLE_BYTES_MAX;
    assert_ok(cvm_reporter_ask(&reporter, ASKED, &got));
    assert_int_equal(got.report_len, PP_SP_REPORT_BYTES_MAX);
    assert_int_equal(got.table_len, CVM_CERT_TABLE_BYTES_MAX);
    fake.table_len++;
    assert_code(cvm_reporter_ask(&reporter, ASKED, &got), PP_E_LIMIT);
    fake.table_len = 0;
    fake.outblob_len++;
    assert_code(cvm_reporter_ask(&reporter, ASKED, &got), PP_E_LIMIT);
}

static void tsm_another_provider_is_refused(void **state)
{
    static const char *const OTHERS[] = { "tdx_guest\n", "sev_guest",      "sev_guest\n\n", "",
                                          "\n",          "arm_cca_guest\n" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(OTHERS); i++) {
        (void)reset(state);
        fake.provider = OTHERS[i];
        assert_code(open_tsm(), PP_E_MISMATCH);
    }
    (void)reset(state);
    fake.made_errno = ENXIO; /* Linux: no provider at all */
    assert_code(open_tsm(), PP_E_CLOSED);
    fake.made_errno = EPERM;
    assert_code(open_tsm(), PP_E_SYSTEM);
}

static void tsm_a_tdx_guest_has_no_levels_and_nothing_attached(void **state)
{
    (void)state;
    fake.is_tdx = 1;
    fake.provider = "tdx_guest\n";
    assert_ok(cvm_reporter_open(&reporter, &KERNEL, CVM_DEVICE_TSM, FOLDER_FD, PP_PLATFORM_TDX));
    fake.outblob_len = 5006;
    assert_ok(cvm_reporter_ask(&reporter, ASKED, &got));
    assert_int_equal(got.report_len, 5006);
    assert_int_equal(got.table_len, 0);
    assert_memory_equal(fake.inblob, ASKED, sizeof ASKED);
    fake.provider = "sev_guest\n";
    assert_code(cvm_reporter_open(&reporter, &KERNEL, CVM_DEVICE_TSM, FOLDER_FD, PP_PLATFORM_TDX),
                PP_E_MISMATCH);
}

static void tsm_an_entry_that_was_left_is_made_anew(void **state)
{
    (void)state;
    fake.entries = 1;
    fake.generation = 99;
    assert_ok(open_tsm());
    assert_int_equal(fake.generation, 1); /* the level alone was written to it */
}

static void tsm_a_file_that_cannot_be_used_fails_the_report(void **state)
{
    static const char *const COUNTERS[] = { "",     "12",   "\n",
                                            "1",    "x\n",  "1\n2\n",
                                            "-1\n", " 1\n", "123456789012345678901\n" };

    (void)state;
    assert_ok(open_tsm());
    for (size_t i = 0; i < 4; i++) {
        fake.broken = FILES[i];
        assert_code(cvm_reporter_ask(&reporter, ASKED, &got), PP_E_SYSTEM);
    }
    fake.broken = NULL;
    fake.write_at_most = 63;
    assert_code(cvm_reporter_ask(&reporter, ASKED, &got), PP_E_SYSTEM);
    fake.write_at_most = 0;
    for (size_t i = 0; i < PP_ARRAY_COUNT(COUNTERS); i++) {
        fake.generation_text = COUNTERS[i];
        assert_code(cvm_reporter_ask(&reporter, ASKED, &got), PP_E_FORMAT);
    }
    fake.generation_text = NULL;
    fake.no_report = 1;
    assert_code(cvm_reporter_ask(&reporter, ASKED, &got), PP_E_FORMAT);
    (void)reset(state);
    fake.broken = "privlevel";
    assert_code(open_tsm(), PP_E_SYSTEM); /* at another level than ours we do not report */
}

/* --- /dev/sev-guest -------------------------------------------------------------------------- */

static void sev_gives_a_report_and_what_the_host_attached(void **state)
{
    (void)state;
    assert_ok(open_sev());
    memset(fake.table, 5, 40);
    fake.table_len = 40;
    assert_ok(cvm_reporter_ask(&reporter, ASKED, &got));
    assert_report_over(ASKED);
    assert_memory_equal(got.table, fake.table, sizeof got.table);
    fake.table_len = 0;
    memset(fake.table, 0, sizeof fake.table);
    assert_ok(cvm_reporter_ask(&reporter, ASKED, &got)); /* nothing of the last time is left */
    assert_memory_equal(got.table, fake.table, sizeof got.table);
}

static void sev_errors_of_kernel_firmware_and_host_are_told_apart(void **state)
{
    static const struct {
        int e;
        uint32_t fw_error, vmm_error;
        enum pp_code code;
        uint32_t detail;
    } ROWS[] = {
        { EAGAIN, 0, 0, PP_E_OK, 0 },
        { EBUSY, 0, 0, PP_E_OK, 0 },
        { EINTR, 0, 0, PP_E_OK, 0 },
        { EIO, CVM_SEV_NO_FIRMWARE_CALL, CVM_SEV_VMM_BUSY, PP_E_OK, 0 },
        { EIO, 0, CVM_SEV_VMM_INVALID_LEN, PP_E_LIMIT, CVM_CERT_TABLE_BYTES_MAX },
        { EIO, 0x16, 0, PP_E_SYSTEM, CVM_SEV_STATUS + 0x16 },
        { EIO, CVM_SEV_NO_FIRMWARE_CALL, 0, PP_E_SYSTEM, EIO },
        { EINVAL, 0, 0, PP_E_SYSTEM, EINVAL },
        { ENOTTY, 0, 0, PP_E_CLOSED, ENOTTY }, /* the key of this level was wiped */
        { ENODEV, 0, 0, PP_E_CLOSED, ENODEV },
        { ENXIO, 0, 0, PP_E_CLOSED, ENXIO },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        (void)reset(state);
        assert_ok(open_sev());
        fake.control_errno = ROWS[i].e;
        fake.fw_error = ROWS[i].fw_error;
        fake.vmm_error = ROWS[i].vmm_error;
        fake.control_times = 3;
        pp_res r = cvm_reporter_ask(&reporter, ASKED, &got);
        assert_code(r, ROWS[i].code);
        assert_int_equal(r.detail, ROWS[i].detail);
        assert_int_equal(fake.pauses, pp_is_ok(r) ? 3 : 0);
    }
}

static void sev_a_device_that_stays_busy_is_given_up(void **state)
{
    (void)state;
    assert_ok(open_sev());
    fake.control_errno = EAGAIN;
    fake.control_times = INT32_MAX;
    assert_code(cvm_reporter_ask(&reporter, ASKED, &got), PP_E_BUSY);
    assert_true(fake.now_ms >= CVM_REPORT_RETRY_MS);
    assert_true(fake.pauses < 200);
}

static void sev_a_host_without_certificates_gives_the_report_alone(void **state)
{
    (void)state;
    assert_ok(open_sev());
    fake.plain_only = 1;
    fake.control_errno = EIO;
    fake.vmm_error = 5;
    fake.table_len = 40;
    assert_ok(cvm_reporter_ask(&reporter, ASKED, &got));
    assert_report_over(ASKED);
    assert_int_equal(got.table_len, 0);
}

static void sev_a_response_that_is_no_report_is_refused(void **state)
{
    uint8_t response[CVM_SEV_RESPONSE_BYTES] = { 0 };
    struct pp_wr wr = pp_wr_over(response, sizeof response);
    struct pp_span report;

    (void)state;
    assert_ok(open_sev());
    fake.status = 0x16;
    pp_res r = cvm_reporter_ask(&reporter, ASKED, &got);
    assert_code(r, PP_E_SYSTEM);
    assert_int_equal(r.detail, CVM_SEV_STATUS + 0x16);
    fake.status = 0;
    fake.report_len = PP_SNP_REPORT_BYTES - 1;
    assert_code(cvm_reporter_ask(&reporter, ASKED, &got), PP_E_FORMAT);
    fake.report_len = PP_SNP_REPORT_BYTES + 1;
    assert_code(cvm_reporter_ask(&reporter, ASKED, &got), PP_E_FORMAT);

    pp_wr_u32le(&wr, 0);
    pp_wr_u32le(&wr, PP_SNP_REPORT_BYTES);
    assert_ok(cvm_sev_response_parse(pp_span(response, 32 + PP_SNP_REPORT_BYTES), &report));
    assert_code(cvm_sev_response_parse(pp_span(response, 31 + PP_SNP_REPORT_BYTES), &report),
                PP_E_FORMAT);
    assert_code(cvm_sev_response_parse(pp_span(response, 31), &report), PP_E_FORMAT);
    response[31] = 1;
    assert_code(cvm_sev_response_parse(PP_BYTES(response), &report), PP_E_FORMAT);
}

/* --- what the host attached ------------------------------------------------------------------ */

#define GUID_VCEK  "63da758de6644564adc5f4b93be8accd"
#define GUID_HINTS "8d2f6b1e5c0a4e7b9f43707068696e74"
#define GUID_ASK   "4ab7b379bbac4fe4a02f05aef327c782"
#define GUID_END   "00000000000000000000000000000000 00000000 00000000"

static void a_table_gives_the_chips_certificate_and_the_hints(void **state)
{
    static const struct {
        const char *hex;
        enum pp_code code;
        const char *vcek, *hints;
    } ROWS[] = {
        { "", PP_E_OK, "", "" },
        { GUID_END, PP_E_OK, "", "" },
        { GUID_VCEK "48000000 01000000" GUID_HINTS "49000000 02000000" GUID_END "414243", PP_E_OK,
          "A", "BC" },
        { GUID_ASK "48000000 01000000" GUID_HINTS "49000000 02000000" GUID_END "414243", PP_E_OK,
          "", "BC" },
        { GUID_VCEK "18000000 01000000 41", PP_E_TRUNCATED, NULL, NULL }, /* no end */
        { GUID_VCEK "30000000 02000000" GUID_END "41", PP_E_RANGE, NULL, NULL },
        { GUID_HINTS "01000000 ffffffff" GUID_END "41", PP_E_RANGE, NULL, NULL },
        { GUID_HINTS "48000000 01000000" GUID_HINTS "48000000 01000000" GUID_END "41",
          PP_E_DUPLICATE, NULL, NULL },
    };
    uint8_t table[256];
    struct cvm_attached a;

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        size_t len = pp_test_hex(ROWS[i].hex, table, sizeof table);
        assert_code(cvm_attached_parse(pp_span(table, len), &a), ROWS[i].code);
        if (ROWS[i].code != PP_E_OK)
            continue;
        assert_true(pp_span_eq(a.vcek, pp_span_cstr(ROWS[i].vcek)));
        assert_true(pp_span_eq(a.hints, pp_span_cstr(ROWS[i].hints)));
    }
}

static void attached_parts_stop_at_their_limits(void **state)
{
    static uint8_t table[CVM_CERT_TABLE_BYTES_MAX];
    struct cvm_attached a;

    (void)state;
    for (uint32_t over = 0; over < 2; over++) {
        size_t len = pp_test_hex(GUID_VCEK "30000000", table, sizeof table);
        struct pp_wr wr = pp_wr_over(table + len, 4);
        pp_wr_u32le(&wr, PP_SP_ENDORSEMENT_BYTES_MAX + over);
        assert_code(cvm_attached_parse(PP_BYTES(table), &a), over ? PP_E_LIMIT : PP_E_OK);
    }
    size_t len = pp_test_hex(GUID_HINTS "30000000", table, sizeof table); /* all that there is */
    struct pp_wr wr = pp_wr_over(table + len, 4);
    pp_wr_u32le(&wr, sizeof table - 48);
    assert_ok(cvm_attached_parse(PP_BYTES(table), &a));
    assert_int_equal(a.hints.len, sizeof table - 48);
}

/* --- which device, and its process ----------------------------------------------------------- */

static void a_device_goes_with_the_measured_platform_or_is_refused(void **state)
{
    enum cvm_device device;
    int pair[2], folder = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), file = memfd_create("x", MFD_CLOEXEC);
    static const enum pp_platform ALL[] = { PP_PLATFORM_SEV_SNP, PP_PLATFORM_TDX,
                                            PP_PLATFORM_SIM_SNP, PP_PLATFORM_SIM_TDX };

    (void)state;
    assert_ok(cvm_pair(SOCK_SEQPACKET, pair));
    for (size_t i = 0; i < PP_ARRAY_COUNT(ALL); i++) {
        int simulated = i >= 2;
        assert_code(cvm_device_find(pair[0], ALL[i], &device),
                    simulated ? PP_E_OK : PP_E_UNSUPPORTED);
        if (simulated)
            assert_int_equal(device, CVM_DEVICE_SOCKET);
        assert_code(cvm_device_find(null, ALL[i], &device), i == 0 ? PP_E_OK : PP_E_UNSUPPORTED);
        if (i == 0)
            assert_int_equal(device, CVM_DEVICE_SEV_GUEST);
        assert_code(cvm_device_find(folder, ALL[i], &device),
                    simulated ? PP_E_UNSUPPORTED : PP_E_OK);
        if (!simulated)
            assert_int_equal(device, CVM_DEVICE_TSM);
        assert_code(cvm_device_find(file, ALL[i], &device), PP_E_UNSUPPORTED);
    }
    assert_code(cvm_device_find(-1, PP_PLATFORM_TDX, &device), PP_E_SYSTEM);
    cvm_close(&pair[0]);
    cvm_close(&pair[1]);
    cvm_close(&folder);
    cvm_close(&null);
    cvm_close(&file);
}

/* Its kernel is the fake, so either kind is shut in as the one that opens no file. */
static const struct process {
    enum pp_platform platform;
    enum cvm_device device;
} SEV_PROCESS = { PP_PLATFORM_SEV_SNP, CVM_DEVICE_SEV_GUEST },
  TDX_PROCESS = { PP_PLATFORM_TDX, CVM_DEVICE_TSM };

/* The process, with the fake as its kernel, and `hints_fd` as its way to the host; returns our end
 * of its socket. */
static int start_process_of(const struct process *p, int hints_fd, pid_t *ret, int confined)
{
    int pair[2];

    assert_ok(cvm_pair(SOCK_SEQPACKET, pair));
    *ret = fork();
    assert_true(*ret >= 0);
    if (*ret == 0) {
        const int fds[] = { pair[1], hints_fd };
        struct cvm_walls walls;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (!pp_is_ok(cvm_keep_only(fds, hints_fd < 0 ? 1 : 2)) ||
            (confined && !pp_is_ok(cvm_confine(CVM_KIND_REPORTER_SEV, &walls))))
            _exit(99);
        _exit(cvm_reporter_main(p->platform, &KERNEL, p->device, FOLDER_FD, 3,
                                hints_fd < 0 ? -1 : 4));
    }
    cvm_close(&pair[1]);
    return pair[0];
}

static int start_process(pid_t *ret, int confined)
{
    return start_process_of(&SEV_PROCESS, -1, ret, confined);
}

static void assert_process_ended(pid_t pid, int *fd)
{
    int status = 0;

    assert_ok(cvm_wait(*fd, 5000));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
    cvm_close(fd);
}

static void ask_process(int fd, struct pp_sp_answer *ret)
{
    static uint8_t packet[PP_SP_ANSWER_BYTES_MAX];
    uint8_t request[PP_SP_REQUEST_BYTES];
    struct pp_wr wr = pp_wr_over(request, sizeof request);
    size_t len = 0;

    pp_sp_request_write(&wr, ASKED);
    assert_ok(cvm_send(fd, pp_wr_done(&wr), -1));
    assert_ok(cvm_wait(fd, 5000));
    assert_ok(cvm_recv(fd, packet, sizeof packet, &len, NULL));
    assert_ok(pp_sp_answer_parse(pp_span(packet, len), ret));
}

static void the_reporter_answers_as_a_device_does(void **state)
{
    struct pp_sp_answer a;
    pid_t pid;

    (void)state;
    fake.table_len = pp_test_hex(GUID_VCEK "48000000 01000000" GUID_HINTS
                                           "49000000 02000000" GUID_END "414243",
                                 fake.table, sizeof fake.table);
    int fd = start_process(&pid, 1); /* and what it needs, it may do */
    ask_process(fd, &a);
    assert_true(a.done);
    memcpy(got.report, a.report.at, a.report.len);
    got.report_len = a.report.len;
    assert_report_over(ASKED);
    assert_true(pp_span_eq(a.endorsement, PP_STR("A")));
    assert_true(pp_span_eq(a.hints, PP_STR("BC")));
    assert_ok(cvm_send(fd, PP_STR("\x01 sign this"), -1)); /* no request: no answer with a report */
    uint8_t packet[64];
    size_t len = 0;
    assert_ok(cvm_wait(fd, 5000));
    assert_ok(cvm_recv(fd, packet, sizeof packet, &len, NULL));
    assert_ok(pp_sp_answer_parse(pp_span(packet, len), &a));
    assert_false(a.done);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_process_ended(pid, &fd);
}

static void the_reporter_says_failed_and_ends_when_there_will_be_no_report(void **state)
{
    uint8_t request[PP_SP_REQUEST_BYTES];
    struct pp_wr wr = pp_wr_over(request, sizeof request);
    struct pp_sp_answer a;
    pid_t pid;

    (void)state;
    fake.fw_error = 0x16;
    fake.control_errno = EIO;
    fake.control_times = 1;
    int fd = start_process(&pid, 0);
    ask_process(fd, &a);
    assert_false(a.done);
    ask_process(fd, &a);
    assert_true(a.done);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_process_ended(pid, &fd);

    fake.control_errno = ENOTTY;
    fd = start_process(&pid, 0);
    pp_sp_request_write(&wr, ASKED);
    assert_ok(cvm_send(fd, pp_wr_done(&wr), -1));
    assert_process_ended(pid, &fd);
}

/* --- the host's hints for a quote ------------------------------------------------------------- */

static uint8_t host_buf[CVM_HOST_ANSWER_BYTES_MAX];

static void a_host_is_asked_for_hints_and_gives_them(void **state)
{
    struct pp_span hints;
    int pair[2];

    (void)state;
    assert_ok(cvm_pair(SOCK_SEQPACKET, pair));
    assert_ok(cvm_send(pair[1], PP_STR("\x01late"), -1)); /* to a question of before */
    assert_code(cvm_host_hints(pair[0], 0, host_buf, &hints), PP_E_TIMEOUT);
    uint8_t asked[2];
    size_t len = 0;
    assert_ok(cvm_try_recv(pair[1], asked, sizeof asked, &len, NULL));
    assert_int_equal(len, 1);
    assert_int_equal(asked[0], 1);
    cvm_close(&pair[0]);
    cvm_close(&pair[1]);
}

/* Answers `count` questions with one packet, as a host does. */
static pid_t start_host(int fd, struct pp_span packet, int count)
{
    pid_t pid = fork();
    uint8_t asked[2];
    size_t len;

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    for (int i = 0; i < count; i++)
        if (!pp_is_ok(cvm_recv(fd, asked, sizeof asked, &len, NULL)) || len != 1 || asked[0] != 1 ||
            !pp_is_ok(cvm_send(fd, packet, -1)))
            _exit(1);
    _exit(0);
}

static void assert_hosts_answer(struct pp_span packet, enum pp_code code, size_t hints_len)
{
    struct pp_span hints = { 0 };
    int pair[2], status;

    assert_ok(cvm_pair(SOCK_SEQPACKET, pair));
    pid_t pid = start_host(pair[1], packet, 1);
    assert_code(cvm_host_hints(pair[0], 5000, host_buf, &hints), code);
    assert_int_equal(hints.len, hints_len);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    cvm_close(&pair[0]);
    cvm_close(&pair[1]);
}

static void hints_of_a_host_stop_at_their_limit(void **state)
{
    static uint8_t long_one[CVM_HOST_ANSWER_BYTES_MAX + 1] = { 1 };
    struct pp_span hints;
    int pair[2];

    (void)state;
    assert_hosts_answer(PP_STR("\x01hints"), PP_E_OK, 5);
    assert_hosts_answer(PP_STR("\x01"), PP_E_OK, 0);
    assert_hosts_answer(PP_STR("\x02hints"), PP_E_FORMAT, 0);
    assert_hosts_answer(pp_span(long_one, sizeof long_one - 1), PP_E_OK, PP_SP_HINTS_BYTES_MAX);
    assert_hosts_answer(PP_BYTES(long_one), PP_E_LIMIT, 0);
    /* Who says more than anybody asked for is not listened to for ever. */
    assert_ok(cvm_pair(SOCK_SEQPACKET, pair));
    for (int i = 0; i < 15; i++)
        assert_ok(cvm_send(pair[1], PP_STR("\x01x"), -1));
    assert_code(cvm_host_hints(pair[0], 0, host_buf, &hints), PP_E_TIMEOUT);
    for (int i = 0; i < 16; i++)
        assert_ok(cvm_send(pair[1], PP_STR("\x01x"), -1));
    assert_code(cvm_host_hints(pair[0], 0, host_buf, &hints), PP_E_LIMIT);
    cvm_close(&pair[1]);
    for (;;) { /* what was said still, then the end */
        pp_res r = cvm_host_hints(pair[0], 0, host_buf, &hints);
        if (r.code == PP_E_CLOSED)
            break;
        assert_code(r, PP_E_LIMIT);
    }
    cvm_close(&pair[0]);
}

static void the_reporter_of_a_tdx_guest_asks_the_host_for_hints(void **state)
{
    struct pp_sp_answer a;
    int hints[2], status;
    pid_t pid;

    (void)state;
    fake.is_tdx = 1;
    fake.provider = "tdx_guest\n";
    fake.outblob_len = 5006;
    assert_ok(cvm_pair(SOCK_SEQPACKET, hints));
    int fd = start_process_of(&TDX_PROCESS, hints[1], &pid, 1);
    cvm_close(&hints[1]);
    pid_t host = start_host(hints[0], PP_STR("\x01hints"), 2);
    for (int i = 0; i < 2; i++) {
        ask_process(fd, &a);
        assert_true(a.done);
        assert_int_equal(a.report.len, 5006);
        assert_int_equal(a.endorsement.len, 0);
        assert_true(pp_span_eq(a.hints, PP_STR("hints")));
    }
    assert_int_equal(waitpid(host, &status, 0), host);
    assert_int_equal(status, 0);
    /* One that says something else gives a report without: the attester is busy then. */
    host = start_host(hints[0], PP_STR("hints"), 1);
    ask_process(fd, &a);
    assert_true(a.done);
    assert_int_equal(a.hints.len, 0);
    assert_int_equal(waitpid(host, &status, 0), host);
    /* Without a host there is no machine. */
    uint8_t request[PP_SP_REQUEST_BYTES];
    struct pp_wr wr = pp_wr_over(request, sizeof request);
    cvm_close(&hints[0]);
    pp_sp_request_write(&wr, ASKED);
    assert_ok(cvm_send(fd, pp_wr_done(&wr), -1));
    assert_process_ended(pid, &fd);
}

static const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, reset, leaves_nothing_open)
    CASE(tsm_gives_a_report_over_what_was_asked_and_what_the_host_attached),
    CASE(tsm_reads_in_pieces_are_joined),
    CASE(tsm_a_report_that_was_raced_is_asked_for_again),
    CASE(tsm_bytes_that_were_not_taken_give_no_report),
    CASE(tsm_a_busy_device_is_asked_again_and_a_broken_one_is_not),
    CASE(tsm_sizes_stop_at_their_limits),
    CASE(tsm_another_provider_is_refused),
    CASE(tsm_a_tdx_guest_has_no_levels_and_nothing_attached),
    CASE(tsm_an_entry_that_was_left_is_made_anew),
    CASE(tsm_a_file_that_cannot_be_used_fails_the_report),
    CASE(sev_gives_a_report_and_what_the_host_attached),
    CASE(sev_errors_of_kernel_firmware_and_host_are_told_apart),
    CASE(sev_a_device_that_stays_busy_is_given_up),
    CASE(sev_a_host_without_certificates_gives_the_report_alone),
    CASE(sev_a_response_that_is_no_report_is_refused),
    CASE(a_table_gives_the_chips_certificate_and_the_hints),
    CASE(attached_parts_stop_at_their_limits),
    CASE(a_device_goes_with_the_measured_platform_or_is_refused),
    CASE(the_reporter_answers_as_a_device_does),
    CASE(the_reporter_says_failed_and_ends_when_there_will_be_no_report),
    CASE(a_host_is_asked_for_hints_and_gives_them),
    CASE(hints_of_a_host_stop_at_their_limit),
    CASE(the_reporter_of_a_tdx_guest_asks_the_host_for_hints),
};

PP_TEST_MAIN(tests)
