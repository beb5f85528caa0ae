/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer.h: the appraisal of one confidential VM by another (docs/protocol/backends.md): the same
 * checks as a device's, by what a VM can know.
 *
 * A VM has no ledger of its own and no clock that it believes: its host controls both. So it is
 * told which records count by somebody whom it may believe (a worker by the device, inside the
 * sealed request; a back-end by its measured configuration), gets their texts from anybody, and
 * takes a text only if its SHA-256 is one of the ids named. Whether a release is reviewed, in force
 * and not revoked is then the knowledge of who named it. Certificates, and what vendors say of TDX
 * machines, are judged at the last second of the release record's life, which no host can move.
 */
#ifndef PP_PEER_H
#define PP_PEER_H

#include "appraise.h"
#include "hash.h"
#include "hints.h"

enum { PP_PEER_NAMED_MAX = PP_BACKEND_MAX };

struct pp_peer {
    enum pp_record_role role;                     /* what the far end has to be */
    struct pp_record_id named[PP_PEER_NAMED_MAX]; /* releases that it may run */
    size_t named_count;
    int has_host_set; /* 1: its chip must be in */
    struct pp_record_id host_set;
    const struct pp_span *texts; /* record texts, whoever brought them */
    size_t text_count;
    const struct pp_span *collateral; /* likewise, at most PP_HINTS_COLLATERAL_MAX: among others
                                         what Intel says of TDX machines (collateral.h) */
    size_t collateral_count;
};

/* The roots of simulated machines, each as SHA-256 of its DER, that a VM's configuration names. */
struct pp_peer_roots {
    int has_snp, has_tdx;
    uint8_t snp[PP_SHA256_BYTES], tdx[PP_SHA256_BYTES];
};

/*
 * The anchors of a VM: the strict hardware policy, and the roots of both vendors as compiled in.
 * Among simulated machines (`simulated` not NULL) instead the roots that it names, each found by
 * its digest in `collateral`, that of SEV-SNP with the authority below it in the next place.
 * UNSUPPORTED (KEM), TRUST (no such root there, or none is named). pp_trust_done also after a
 * failure.
 */
PP_MUST pp_res pp_peer_trust(struct pp_trust *t, const struct pp_peer_roots *simulated,
                             uint16_t message_kem, const struct pp_span *collateral,
                             size_t collateral_count);

/*
 * Appraises the server end of `session` and gives the right to send, as pp_appraise does. About
 * 64 KiB of stack. BACKEND (a release that nobody named), LEDGER_UNLISTED (its text, or the
 * host-set's, is not there), LEDGER_FORMAT (the text is no such record), and the codes of
 * pp_appraise. `problem` may be NULL.
 */
PP_MUST pp_res pp_peer_appraise(const struct pp_trust *trust, const struct pp_peer *peer,
                                struct pp_ratls_client *session, struct pp_problem *problem,
                                struct pp_verified *ret);

/* What pp_peer_admit found of a client end; nothing else makes one. */
struct pp_admitted {
    struct pp_record_id release_id;
};

/*
 * Appraises the client end of a session from its Evidence body (pp-wire 6) and the values of
 * pp_ratls_server_peer. Its chip's place in a host-set is asked for only if `peer` names one. The
 * codes of pp_peer_appraise.
 */
PP_MUST pp_res pp_peer_admit(const struct pp_trust *trust, const struct pp_peer *peer,
                             struct pp_span evidence_body, const struct pp_ratls_session *session,
                             struct pp_problem *problem, struct pp_admitted *ret);

#endif
