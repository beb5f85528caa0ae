/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PPCTL_VERBS_H
#define PPCTL_VERBS_H

#include "ppctl.h"

#if !PP_RELEASE
int verb_up(struct ppctl *p, int argc, char **argv);
int verb_down(struct ppctl *p, int argc, char **argv);
int verb_status(struct ppctl *p, int argc, char **argv);
#endif
int verb_collateral(struct ppctl *p, int argc, char **argv);
int verb_collateral_pack(struct ppctl *p, int argc, char **argv);
int verb_collateral_show(struct ppctl *p, int argc, char **argv);
int verb_gateway(struct ppctl *p, int argc, char **argv);
int verb_gateway_rotate(struct ppctl *p, int argc, char **argv);
int verb_host_set(struct ppctl *p, int argc, char **argv);
int verb_host_set_add(struct ppctl *p, int argc, char **argv);
int verb_host_set_new(struct ppctl *p, int argc, char **argv);
int verb_host_set_remove(struct ppctl *p, int argc, char **argv);
int verb_host_set_sign(struct ppctl *p, int argc, char **argv);
int verb_image(struct ppctl *p, int argc, char **argv);
int verb_image_measure(struct ppctl *p, int argc, char **argv);
int verb_keys(struct ppctl *p, int argc, char **argv);
int verb_keys_new(struct ppctl *p, int argc, char **argv);
int verb_keys_sign(struct ppctl *p, int argc, char **argv);
int verb_log(struct ppctl *p, int argc, char **argv);
int verb_log_audit(struct ppctl *p, int argc, char **argv);
int verb_log_export(struct ppctl *p, int argc, char **argv);
int verb_log_lint(struct ppctl *p, int argc, char **argv);
int verb_log_init(struct ppctl *p, int argc, char **argv);
int verb_log_monitor(struct ppctl *p, int argc, char **argv);
int verb_log_prove(struct ppctl *p, int argc, char **argv);
int verb_log_show(struct ppctl *p, int argc, char **argv);
int verb_log_submit(struct ppctl *p, int argc, char **argv);
int verb_log_verify(struct ppctl *p, int argc, char **argv);
int verb_log_witness(struct ppctl *p, int argc, char **argv);
int verb_refresh(struct ppctl *p, int argc, char **argv);
int verb_release(struct ppctl *p, int argc, char **argv);
int verb_release_new(struct ppctl *p, int argc, char **argv);
int verb_release_publish(struct ppctl *p, int argc, char **argv);
int verb_release_sign(struct ppctl *p, int argc, char **argv);
int verb_release_status(struct ppctl *p, int argc, char **argv);
int verb_review(struct ppctl *p, int argc, char **argv);
int verb_review_check(struct ppctl *p, int argc, char **argv);
int verb_review_key(struct ppctl *p, int argc, char **argv);
int verb_review_revoke(struct ppctl *p, int argc, char **argv);
int verb_review_sign(struct ppctl *p, int argc, char **argv);
int verb_summarize(struct ppctl *p, int argc, char **argv);
int verb_token(struct ppctl *p, int argc, char **argv);
int verb_token_status(struct ppctl *p, int argc, char **argv);
int verb_explain(struct ppctl *p, int argc, char **argv);
int verb_vectors(struct ppctl *p, int argc, char **argv);
int verb_verify(struct ppctl *p, int argc, char **argv);
int verb_verify_gpu(struct ppctl *p, int argc, char **argv);
int verb_verify_evidence(struct ppctl *p, int argc, char **argv);
int verb_verify_receipt(struct ppctl *p, int argc, char **argv);
int verb_verify_snp(struct ppctl *p, int argc, char **argv);
int verb_verify_tdx(struct ppctl *p, int argc, char **argv);

#endif
