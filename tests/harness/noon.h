/* SPDX-License-Identifier: Apache-2.0 */
/* noon.h: a clock for the daemons of a test whose keys are those of a day: no midnight is near. */
#ifndef PP_TEST_NOON_H
#define PP_TEST_NOON_H

#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { PP_TEST_DAY_S = 86400 };

/* A descriptor for --clock-fd. -1: there is none. */
static inline int pp_test_noon_fd(void)
{
    static int fd = -1;
    const int64_t skew_ms = (PP_TEST_DAY_S / 2 - (int64_t)time(NULL) % PP_TEST_DAY_S) * 1000;

    if (fd < 0 && (fd = memfd_create("noon", MFD_CLOEXEC)) >= 0 &&
        write(fd, &skew_ms, sizeof skew_ms) != sizeof skew_ms)
        fd = -1;
    return fd;
}

/* What that clock says, in POSIX seconds. */
static inline uint64_t pp_test_noon_s(void)
{
    int64_t skew_ms = 0;

    if (pread(pp_test_noon_fd(), &skew_ms, sizeof skew_ms, 0) != sizeof skew_ms)
        return 0;
    return (uint64_t)((int64_t)time(NULL) + skew_ms / 1000);
}

#endif
