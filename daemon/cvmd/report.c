/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "env.h"
#include "report_int.h"
#include "snp_table.h"

enum { PAUSE_MS_MAX = 64 };

/* --- which ----------------------------------------------------------------------------------- */

pp_res cvm_device_find(int fd, enum pp_platform platform, enum cvm_device *ret)
{
    struct stat st;

    PP_CHECK(fstat(fd, &st) == 0, PP_E_SYSTEM, errno);
    int simulated = pp_platform_is_simulated(platform);
    if (S_ISSOCK(st.st_mode) && simulated)
        *ret = CVM_DEVICE_SOCKET;
    else if (S_ISCHR(st.st_mode) && platform == PP_PLATFORM_SEV_SNP)
        *ret = CVM_DEVICE_SEV_GUEST;
    else if (S_ISDIR(st.st_mode) && !simulated)
        *ret = CVM_DEVICE_TSM;
    else
        return PP_FAIL(PP_E_UNSUPPORTED, platform);
    return PP_OK;
}

/* --- the real kernel ------------------------------------------------------------------------- */

static int real_open_at(void *ctx, int folder_fd, const char *name, int flags)
{
    (void)ctx;
    return openat(folder_fd, name, flags);
}

static ssize_t real_read(void *ctx, int fd, void *buf, size_t len)
{
    (void)ctx;
    return read(fd, buf, len);
}

static ssize_t real_write(void *ctx, int fd, const void *buf, size_t len)
{
    (void)ctx;
    return write(fd, buf, len);
}

static int real_close(void *ctx, int fd)
{
    (void)ctx;
    return close(fd);
}

static int real_make_folder(void *ctx, int folder_fd, const char *name)
{
    (void)ctx;
    return mkdirat(folder_fd, name, 0700);
}

static int real_remove_folder(void *ctx, int folder_fd, const char *name)
{
    (void)ctx;
    return unlinkat(folder_fd, name, AT_REMOVEDIR);
}

static int real_control(void *ctx, int fd, unsigned long request, void *arg)
{
    (void)ctx;
    return ioctl(fd, request, arg);
}

static uint64_t real_mono_ms(void *ctx)
{
    const struct pp_clock clock = pp_clock_system();

    (void)ctx;
    return pp_clock_mono_ms(&clock);
}

static void real_pause(void *ctx, int ms)
{
    (void)ctx;
    (void)poll(NULL, 0, ms);
}

struct cvm_kernel cvm_kernel_real(void)
{
    return (struct cvm_kernel){ .open_at = real_open_at,
                                .read = real_read,
                                .write = real_write,
                                .close = real_close,
                                .make_folder = real_make_folder,
                                .remove_folder = real_remove_folder,
                                .control = real_control,
                                .mono_ms = real_mono_ms,
                                .pause = real_pause };
}

/* --- asking ---------------------------------------------------------------------------------- */

pp_res cvm_reporter_open(struct cvm_reporter *r, const struct cvm_kernel *kernel,
                         enum cvm_device device, int fd, enum pp_platform platform)
{
    *r = (struct cvm_reporter){ .kernel = kernel, .device = device, .fd = fd, .entry_fd = -1 };
    return device == CVM_DEVICE_TSM ? cvm_tsm_open(r, platform) : PP_OK;
}

pp_res cvm_reporter_ask(struct cvm_reporter *r, const uint8_t report_data[PP_SP_REPORT_DATA_BYTES],
                        struct cvm_report *ret)
{
    const struct cvm_kernel *k = r->kernel;
    uint64_t from = k->mono_ms(k->ctx);
    int pause_ms = 1;

    for (;;) {
        pp_res res = r->device == CVM_DEVICE_TSM ? cvm_tsm_ask(r, report_data, ret)
                                                 : cvm_sev_ask(r, report_data, ret);
        if (res.code != PP_E_BUSY || k->mono_ms(k->ctx) - from >= CVM_REPORT_RETRY_MS)
            return res;
        k->pause(k->ctx, pause_ms);
        pause_ms = pause_ms * 2 > PAUSE_MS_MAX ? PAUSE_MS_MAX : pause_ms * 2;
    }
}

/* --- what the host attached ------------------------------------------------------------------ */

pp_res cvm_attached_parse(struct pp_span table, struct cvm_attached *ret)
{
    struct pp_snp_table t = { 0 };

    if (table.len > 0)
        PP_TRY(pp_snp_table_parse(table, &t));
    PP_CHECK(t.vcek.len <= PP_SP_ENDORSEMENT_BYTES_MAX, PP_E_LIMIT, t.vcek.len);
    *ret = (struct cvm_attached){ .vcek = t.vcek, .hints = t.hints };
    return PP_OK;
}
