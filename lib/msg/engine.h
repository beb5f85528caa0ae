/* SPDX-License-Identifier: Apache-2.0 */
/* engine.h: what made an answer, as answers and receipts name it (pp-wire 9 and 10). */
#ifndef PP_ENGINE_H
#define PP_ENGINE_H

#include "span.h"

enum {
    PP_ENGINE_KIND_BYTES_MAX = 16,
    PP_ENGINE_NAME_BYTES_MAX = 64,
    PP_MODEL_DIGEST_BYTES = 32,
};

/* [tstr kind, tstr name, bstr32 model digest or empty]; texts are cleaned (clean.h). */
struct pp_engine {
    struct pp_span kind;         /* "embedded" */
    struct pp_span name;         /* with its version */
    struct pp_span model_digest; /* 32 bytes, or empty when there are no weights */
};

#endif
