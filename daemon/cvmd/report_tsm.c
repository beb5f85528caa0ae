/* SPDX-License-Identifier: Apache-2.0 */
/*
 * configfs-tsm. Attributes are files; one that is opened anew is read anew. What is written to
 * `inblob` takes effect when the file is closed, and a failure of that is told to nobody: the
 * counter `generation`, which every accepted write increments, is how we know that the report is
 * over our bytes and no one else's.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "rd.h"
#include "report_int.h"

#define ENTRY "pp"

enum { TEXT_BYTES_MAX = 32 };

/* What an errno of the kernel's means for whoever wants a report. */
static pp_res failed(int e)
{
    switch (e) {
    case EBUSY: /* another request is under way, or the counters do not agree */
    case EAGAIN:
    case EINTR:
    case ETIMEDOUT:
    case ETXTBSY:
        return PP_FAIL(PP_E_BUSY, e);
    case ENXIO: /* the provider is gone */
    case ENODEV:
        return PP_FAIL(PP_E_CLOSED, e);
    default:
        return PP_FAIL(PP_E_SYSTEM, e);
    }
}

/* A whole attribute. LIMIT when it is longer than `cap`. */
static pp_res read_open(const struct cvm_kernel *k, int fd, uint8_t *buf, size_t cap,
                        size_t *ret_len)
{
    uint8_t one_more;
    size_t len = 0;

    for (;;) {
        int full = len == cap;
        ssize_t n = k->read(k->ctx, fd, full ? &one_more : buf + len, full ? 1 : cap - len);
        if (n < 0)
            return failed(errno);
        if (n == 0)
            break;
        PP_CHECK(!full, PP_E_LIMIT, cap);
        len += (size_t)n;
    }
    *ret_len = len;
    return PP_OK;
}

static pp_res read_attribute(const struct cvm_reporter *r, const char *name, uint8_t *buf,
                             size_t cap, size_t *ret_len)
{
    const struct cvm_kernel *k = r->kernel;
    int fd = k->open_at(k->ctx, r->entry_fd, name, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT ? PP_FAIL(PP_E_NOT_FOUND, 0) : failed(errno);
    pp_res res = read_open(k, fd, buf, cap, ret_len);
    (void)k->close(k->ctx, fd);
    return res;
}

static pp_res write_attribute(const struct cvm_reporter *r, const char *name, struct pp_span bytes)
{
    const struct cvm_kernel *k = r->kernel;
    int fd = k->open_at(k->ctx, r->entry_fd, name, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT ? PP_FAIL(PP_E_NOT_FOUND, 0) : failed(errno);
    ssize_t n = k->write(k->ctx, fd, bytes.at, bytes.len);
    pp_res res = n < 0 ? failed(errno) : PP_OK;
    if (n >= 0 && (size_t)n != bytes.len)
        res = PP_FAIL(PP_E_SYSTEM, EIO); /* the rest would be another value */
    if (k->close(k->ctx, fd) != 0 && pp_is_ok(res))
        res = failed(errno);
    return res;
}

/* Decimal digits and a line feed. */
static pp_res generation(const struct cvm_reporter *r, uint64_t *ret)
{
    uint8_t text[TEXT_BYTES_MAX];
    uint64_t value = 0;
    size_t len = 0;

    PP_TRY(read_attribute(r, "generation", text, sizeof text, &len));
    struct pp_rd rd = pp_rd_over(text, len);
    PP_CHECK(len >= 2 && len <= 20, PP_E_FORMAT, len);
    while (rd.left > 1) {
        uint8_t digit = pp_rd_u8(&rd);
        PP_CHECK(digit >= '0' && digit <= '9', PP_E_FORMAT, digit);
        value = value * 10 + (digit - '0');
    }
    PP_CHECK(pp_rd_u8(&rd) == '\n', PP_E_FORMAT, 0);
    *ret = value;
    return PP_OK;
}

static pp_res check_provider(const struct cvm_reporter *r, enum pp_platform platform)
{
    struct pp_span want = platform == PP_PLATFORM_TDX ? PP_STR("tdx_guest\n")
                                                      : PP_STR("sev_guest\n");
    uint8_t text[TEXT_BYTES_MAX];
    size_t len = 0;

    PP_TRY(read_attribute(r, "provider", text, sizeof text, &len));
    PP_CHECK(pp_span_eq(pp_span(text, len), want), PP_E_MISMATCH, len);
    return PP_OK;
}

/* An entry that somebody left, with whatever was written to it, is not ours: we make a new one. */
pp_res cvm_tsm_open(struct cvm_reporter *r, enum pp_platform platform)
{
    const struct cvm_kernel *k = r->kernel;
    int made = k->make_folder(k->ctx, r->fd, ENTRY);

    if (made != 0 && errno == EEXIST && k->remove_folder(k->ctx, r->fd, ENTRY) == 0)
        made = k->make_folder(k->ctx, r->fd, ENTRY);
    if (made != 0)
        return failed(errno);
    r->entry_fd = k->open_at(k->ctx, r->fd, ENTRY, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (r->entry_fd < 0)
        return failed(errno);
    PP_TRY(check_provider(r, platform));
    if (platform == PP_PLATFORM_TDX)
        return PP_OK; /* it has no such levels */
    return write_attribute(r, "privlevel", PP_STR("0\n"));
}

pp_res cvm_tsm_ask(struct cvm_reporter *r, const uint8_t *report_data, struct cvm_report *ret)
{
    uint64_t before = 0, after = 0;

    PP_TRY(generation(r, &before));
    PP_TRY(write_attribute(r, "inblob", pp_span(report_data, PP_SP_REPORT_DATA_BYTES)));
    PP_TRY(read_attribute(r, "outblob", ret->report, sizeof ret->report, &ret->report_len));
    pp_res res = read_attribute(r, "auxblob", ret->table, sizeof ret->table, &ret->table_len);
    if (res.code == PP_E_NOT_FOUND)
        ret->table_len = 0; /* tdx_guest has none */
    else
        PP_TRY(res);
    PP_TRY(generation(r, &after));
    PP_CHECK(after == before + 1, PP_E_BUSY, after - before);
    PP_CHECK(ret->report_len > 0, PP_E_FORMAT, 0);
    return PP_OK;
}
