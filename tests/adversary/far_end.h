/* SPDX-License-Identifier: Apache-2.0 */
/* far_end.h: a TLS 1.3 server whose every rule can be broken, for pp-adversary-cvm. */
#ifndef FAR_END_H
#define FAR_END_H

#include "ratls.h"
#include "result.h"
#include "sign.h"
#include "span.h"
#include "wr.h"

/* One session: the library's objects behind a first flight. */
struct far_end;

/* A session under `key`, whose certificate is the profile's. CRYPTO, NO_MEMORY. */
PP_MUST pp_res far_end_new(struct pp_ec_key *key, struct far_end **ret);
void far_end_free(struct far_end *e); /* NULL is fine */

/* Takes the ClientHello and makes ServerHello .. Finished; gives what the binding covers. */
PP_MUST pp_res far_end_hello(struct far_end *e, struct pp_span client_hello,
                             struct pp_ratls_session *ret);

/* Writes application bytes behind the Finished, whatever they are. */
PP_MUST pp_res far_end_write(struct far_end *e, struct pp_span bytes);

/* Appends the flight to `wr`. */
PP_MUST pp_res far_end_take(struct far_end *e, struct pp_wr *wr);

/* Answers that no library gives: one record with a hand-made ServerHello. */
enum far_end_forgery { FAR_END_TLS12, FAR_END_RETRY, FAR_END_RESUMPTION };
PP_MUST pp_res far_end_forge(enum far_end_forgery what, const struct pp_random *random,
                             struct pp_wr *wr);

#endif
