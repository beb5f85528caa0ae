/* SPDX-License-Identifier: Apache-2.0 */
/* sim_tdx.h: tdx.h of this folder, for programs that see lib/attest's header of that name too. */
#ifndef SIM_SIM_TDX_H
#define SIM_SIM_TDX_H

#include "tdx.h"

#endif
