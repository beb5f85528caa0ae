/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock_file.h: the system's clock, moved by a file, so that a test can let midnight pass.
 *
 * For development builds alone, and in no release build: whoever moves a party's clock makes old
 * keys and spent tokens good again.
 */
#ifndef PP_CLOCK_FILE_H
#define PP_CLOCK_FILE_H

#include "env.h"

/*
 * The open file holds 8 bytes: a signed number of milliseconds in this machine's order, which is
 * added to POSIX time. It is mapped for as long as the program lives, so a change counts at once,
 * behind walls that let no file be read too, and in processes that are forked later. Monotonic time
 * goes on as it is: deadlines and timers do not know. `fd` stays the caller's. SYSTEM, RANGE
 * (another length).
 */
PP_MUST pp_res pp_clock_file_follow(int fd, struct pp_clock *ret);

#endif
