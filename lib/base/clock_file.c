/* SPDX-License-Identifier: Apache-2.0 */
#include "clock_file.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

static uint64_t moved_posix_ms(void *ctx)
{
    const int64_t *ahead_ms = (const int64_t *)ctx;
    const struct pp_clock system = pp_clock_system();

    return system.posix_ms(NULL) + (uint64_t)__atomic_load_n(ahead_ms, __ATOMIC_RELAXED);
}

static uint64_t system_mono_ms(void *ctx)
{
    const struct pp_clock system = pp_clock_system();

    (void)ctx;
    return system.mono_ms(NULL);
}

pp_res pp_clock_file_follow(int fd, struct pp_clock *ret)
{
    struct stat st;

    PP_CHECK(fstat(fd, &st) == 0, PP_E_SYSTEM, errno);
    PP_CHECK(st.st_size == sizeof(int64_t), PP_E_RANGE, st.st_size);
    void *ahead_ms = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
    PP_CHECK(ahead_ms != MAP_FAILED, PP_E_SYSTEM, errno);
    *ret =
        (struct pp_clock){ .posix_ms = moved_posix_ms, .mono_ms = system_mono_ms, .ctx = ahead_ms };
    return PP_OK;
}
