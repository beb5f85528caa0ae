/* SPDX-License-Identifier: Apache-2.0 */
/* forward_int.h: what both kinds of messages share. */
#ifndef RELAY_FORWARD_INT_H
#define RELAY_FORWARD_INT_H

#include "forward.h"

/* A request whose type is chunked; `q` is new. */
void relay_chunked_post(struct relay_forward *relay, struct pp_http_request *q);

/* 1 for the gateway's refusals in clear that a client may see. */
int relay_is_refusal(uint32_t status);

int relay_is_problem(struct pp_span type);

/* Such a refusal, with the problem document if it is one; counts it. */
void relay_answer_refusal(struct relay_forward *relay, struct pp_http_request *q, uint32_t status,
                          int is_problem, struct pp_span body);

/* A gateway that gave no answer, or none that goes on: 504 or 502; counts it. */
void relay_answer_failure(struct relay_forward *relay, struct pp_http_request *q, uint32_t code);

#endif
