/* SPDX-License-Identifier: Apache-2.0 */
/* device_int.h: what the files of tools/device share. */
#ifndef PP_DEVICE_INT_H
#define PP_DEVICE_INT_H

#include "device.h"
#include "http_client.h"

/* Words for a failure of this party, and the failure. */
PP_MUST pp_res device_refuse(struct pp_device *d, pp_res r, const char *party, const char *field,
                             const char *expected, struct pp_span got);

/* Tells who watches that rows were added. */
void device_show(struct pp_device *d);

/* Fetches the bundle if its moment has come, verifies what is held, stores marks. */
PP_MUST pp_res device_refresh_ledger(struct pp_device *d);

/* Fetches due token batches. */
PP_MUST pp_res device_refresh_tokens(struct pp_device *d);

/* One blocking call; failures name `party`. The result is the caller's. */
PP_MUST pp_res device_call(struct pp_device *d, const char *party, const struct pp_http_call *call,
                           struct pp_http_result *ret);

/* A NUL-terminated copy of a span, for URLs. RANGE. */
PP_MUST pp_res device_text(struct pp_span s, char *ret, size_t cap);

/* Writes the receipt of a session. */
PP_MUST pp_res device_write_receipt(struct pp_device *d, const struct pp_session *s,
                                    const char *path, uint32_t outcome,
                                    const struct pp_engine *engine);

#endif
