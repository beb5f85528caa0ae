/* SPDX-License-Identifier: Apache-2.0 */
/* sim_int.h: what root.c and chip.c share. */
#ifndef SIM_INT_H
#define SIM_INT_H

#include "file.h"
#include "sim.h"
#include "wr.h"
#include "x509_issue.h"

enum { SIM_CN_BYTES_MAX = 32 };

struct sim_cert {
    uint8_t der[SIM_CERT_BYTES_MAX];
    size_t len;
};

/*
 * A VCEK certificate before it is signed, with the memory that it borrows; do not move it. Tests
 * change a field and sign it: the chip that AMD would never have certified.
 */
struct sim_vcek {
    struct pp_issue_cert cert;
    char issuer_cn[SIM_CN_BYTES_MAX];
    uint8_t spki[PP_P384_SPKI_BYTES];
    uint8_t bytes[512]; /* DER of the extension values, through `wr` */
    struct pp_wr wr;
};

PP_MUST pp_res sim_vcek_fill(const struct sim_chip *c, uint64_t now_s, struct sim_vcek *ret);

/* The simulator's names with this CN; returns their number. `cn` is borrowed. */
size_t sim_names(struct pp_issue_name *ret, const char *cn);

const struct pp_issue_key *sim_root_ark_key(const struct sim_root *r);
const struct pp_issue_key *sim_root_ask_key(const struct sim_root *r);
const struct pp_issue_key *sim_root_asvk_key(const struct sim_root *r); /* NULL: none */

/* Files of a folder. The caller closes the descriptor. */
PP_MUST pp_res sim_open_folder(int dir_fd, const char *path, int create, int *ret_fd);
PP_MUST pp_res sim_save_key(int fd, const char *name, const struct pp_issue_key *key);
PP_MUST pp_res sim_load_cert(int fd, const char *name, struct sim_cert *ret);
PP_MUST pp_res sim_load_key(int fd, const char *name, const struct sim_cert *cert,
                            struct pp_issue_key **ret);

#endif
