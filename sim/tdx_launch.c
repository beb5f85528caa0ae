/* SPDX-License-Identifier: Apache-2.0 */
/* What a simulated module measures of a guest: MRTD of the firmware, and the registers behind it.
 */
#include "tdx_int.h"

#include "eventlog.h"
#include "tdvf.h"

static void extend(uint8_t rtmr[PP_TDX_MEASUREMENT_BYTES], struct pp_span measured)
{
    uint8_t digest[PP_SHA384_BYTES];

    pp_sha384(measured, digest);
    pp_rtmr_extend(rtmr, digest);
}

pp_res sim_tdx_measure_launch(struct pp_span firmware, struct pp_span kernel, struct pp_span initrd,
                              struct pp_span cmdline, struct sim_tdx_guest *guest)
{
    struct pp_tdvf tdvf;

    PP_TRY(pp_tdvf_parse(firmware, &tdvf));
    pp_tdvf_mrtd(&tdvf, PP_TDX_BY_PAGE, guest->mrtd);
    memset(guest->rtmr, 0, sizeof guest->rtmr);
    extend(guest->rtmr[1], kernel);
    extend(guest->rtmr[2], cmdline);
    extend(guest->rtmr[2], initrd);
    return PP_OK;
}
