/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_machine.h: the machine's part of Evidence by itself, without a ledger: the platform's
 * strict profile, the configuration that came with it, and what the caller names.
 */
#ifndef PPCTL_VERIFY_MACHINE_H
#define PPCTL_VERIFY_MACHINE_H

#include "ppctl.h"
#include "ratls.h"
#include "snp_verify.h"
#include "tdx_verify.h"

struct verify_machine_args {
    const struct ppctl *p;
    const char *anchor;      /* a PEM file; NULL: the vendor's, built in */
    const char *measurement; /* hexadecimal; NULL: not named, and then nothing is accepted */
    const char *collateral;  /* a folder, of tdx; NULL: none came */
    uint64_t posix_s;
    const struct pp_ratls_session *session; /* NULL: not known, and then nothing is accepted */
};

enum { VERIFY_MACHINE_ROWS_MAX = 24 }; /* of any platform */

struct verify_machine {
    struct pp_attest_check rows[VERIFY_MACHINE_ROWS_MAX];
    const char *names[VERIFY_MACHINE_ROWS_MAX];
    size_t count;
    char anchors[64];
};

/*
 * Ok only when no check failed, and neither binding nor measurement was left out: the code of the
 * lowest-numbered that did, words in `problem`. EVIDENCE_* and the platform's codes; USAGE, INPUT
 * (options, files).
 */
PP_MUST pp_res verify_machine_run(const struct verify_machine_args *args,
                                  const struct pp_evidence *e, struct verify_machine *ret,
                                  struct pp_problem *problem);

void verify_machine_print(const struct verify_machine *m);
void verify_machine_print_skipped(const struct verify_machine *m); /* ", without the checks 5" */
json_t *verify_machine_json(const struct verify_machine *m);

#endif
