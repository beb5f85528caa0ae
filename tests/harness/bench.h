/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench.h: rows of `make bench`. Each row times CPU, not the wall, and runs as long as it takes to
 * be sure; ratios are of two rows of the same run.
 *
 *     BENCH("x25519, one derive", "op", { derive(); });
 *     bench_ratio("ohttp / x25519", b, a, "aim at most 1.40");
 *     bench_at_least("appends", a, 2e6);
 */
#ifndef PP_BENCH_H
#define PP_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

static inline double bench_cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Measures `body` and gives CPU seconds per run: the fastest of 5 batches of at least 0.1 s. */
#define BENCH(label, unit, body)                                                                   \
    __extension__({                                                                                \
        double best_ = 1e30;                                                                       \
        unsigned long n_ = 1;                                                                      \
        for (int batch_ = 0; batch_ < 5;) {                                                        \
            double from_ = bench_cpu_s();                                                          \
            for (unsigned long i_ = 0; i_ < n_; i_++)                                              \
                body;                                                                              \
            double took_ = bench_cpu_s() - from_;                                                  \
            if (took_ < 0.1) {                                                                     \
                n_ *= 2;                                                                           \
                continue;                                                                          \
            }                                                                                      \
            if (took_ / (double)n_ < best_)                                                        \
                best_ = took_ / (double)n_;                                                        \
            batch_++;                                                                              \
        }                                                                                          \
        printf("%-58s %10.3f us CPU/%s %12.0f %s/s\n", label, best_ * 1e6, unit, 1.0 / best_,      \
               unit);                                                                              \
        best_;                                                                                     \
    })

/*
 * One batch of at least 0.05 s, for rows that a ratio is made of: taken in turns, they meet the
 * same machine. `best` is a double, 1e30 at first, and keeps the fastest.
 */
#define BENCH_TURN(best, body)                                                                     \
    do {                                                                                           \
        double took_ = 0;                                                                          \
        for (unsigned long n_ = 1; took_ < 0.05; n_ *= 2) {                                        \
            double from_ = bench_cpu_s();                                                          \
            for (unsigned long i_ = 0; i_ < n_; i_++)                                              \
                body;                                                                              \
            took_ = bench_cpu_s() - from_;                                                         \
            if (took_ >= 0.05 && took_ / (double)n_ < (best))                                      \
                (best) = took_ / (double)n_;                                                       \
        }                                                                                          \
    } while (0)

static inline void bench_row(const char *label, const char *unit, double best)
{
    printf("%-58s %10.3f us CPU/%s %12.0f %s/s\n", label, best * 1e6, unit, 1.0 / best, unit);
}

static inline void bench_ratio(const char *label, double a, double b, const char *aim)
{
    printf("%-58s %10.2f x   (%s)\n", label, a / b, aim);
}

/* A rate that is asked for: how many times over it is there. */
static inline void bench_at_least(const char *label, double seconds_each, double limit_per_s)
{
    printf("%-58s %10.2f x   (of %.0f/s; aim at least 1.00)\n", label,
           1.0 / seconds_each / limit_per_s, limit_per_s);
}

#endif
