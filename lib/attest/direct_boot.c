/* SPDX-License-Identifier: Apache-2.0 */
#include "direct_boot.h"

#include "wr.h"

/* OVMF names the initrd in the load options, whatever else stands there. */
static const char INITRD_WORD[] = " initrd=initrd";

static const struct pp_span CALLING = { (const uint8_t *)"Calling EFI Application from Boot Option",
                                        40 };
static const struct pp_span LEAVING = { (const uint8_t *)"Exit Boot Services Invocation", 29 };
static const struct pp_span LEFT = { (const uint8_t *)"Exit Boot Services Returned with Success",
                                     40 };
static const struct pp_span SEPARATOR = { (const uint8_t *)"\0\0\0\0", 4 };

static void write_utf16(struct pp_wr *wr, struct pp_span ascii)
{
    for (size_t i = 0; i < ascii.len; i++)
        pp_wr_u16le(wr, ascii.at[i]);
}

static pp_res digest_cmdline(struct pp_span cmdline, int has_initrd, uint8_t ret[PP_SHA384_BYTES])
{
    uint8_t options[2 * (PP_DIRECT_CMDLINE_MAX + sizeof INITRD_WORD)];
    struct pp_wr wr = pp_wr_over(options, sizeof options);

    PP_CHECK(cmdline.len <= PP_DIRECT_CMDLINE_MAX, PP_E_LIMIT, cmdline.len);
    for (size_t i = 0; i < cmdline.len; i++)
        PP_CHECK(cmdline.at[i] > 0 && cmdline.at[i] < 0x80, PP_E_RANGE, i);
    write_utf16(&wr, cmdline);
    if (has_initrd)
        write_utf16(&wr, pp_span_cstr(INITRD_WORD));
    pp_wr_u16le(&wr, 0);
    PP_TRY(pp_wr_ok(&wr));
    pp_sha384(pp_wr_done(&wr), ret);
    return PP_OK;
}

pp_res pp_direct_boot_of(struct pp_span kernel, struct pp_span initrd, struct pp_span cmdline,
                         struct pp_direct_boot *ret)
{
    struct pp_direct_boot b = { .has_cmdline = cmdline.len + initrd.len > 0,
                                .has_initrd = initrd.len > 0 };

    PP_TRY(digest_cmdline(cmdline, b.has_initrd, b.cmdline));
    PP_TRY(pp_pe_digest(kernel, b.kernel));
    pp_sha384(initrd, b.initrd);
    *ret = b;
    return PP_OK;
}

static void extend(uint8_t rtmr[PP_RTMR_BYTES], struct pp_span event)
{
    uint8_t digest[PP_SHA384_BYTES];

    pp_sha384(event, digest);
    pp_rtmr_extend(rtmr, digest);
}

void pp_direct_boot_rtmrs(const struct pp_direct_boot *b, enum pp_boot_separator separator,
                          uint8_t ret_rtmr1[PP_RTMR_BYTES], uint8_t ret_rtmr2[PP_RTMR_BYTES])
{
    memset(ret_rtmr1, 0, PP_RTMR_BYTES);
    memset(ret_rtmr2, 0, PP_RTMR_BYTES);
    pp_rtmr_extend(ret_rtmr1, b->kernel);
    extend(ret_rtmr1, CALLING);
    if (separator == PP_SEPARATOR_RTMR1)
        extend(ret_rtmr1, SEPARATOR);
    extend(ret_rtmr1, LEAVING);
    extend(ret_rtmr1, LEFT);
    if (b->has_cmdline)
        pp_rtmr_extend(ret_rtmr2, b->cmdline);
    if (b->has_initrd)
        pp_rtmr_extend(ret_rtmr2, b->initrd);
}
