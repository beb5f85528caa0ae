/* SPDX-License-Identifier: Apache-2.0 */
#include "batch.h"

pp_res cvm_line_join(struct cvm_line *l, const struct cvm_ask *ask)
{
    PP_CHECK(l->count < CVM_LINE_MAX, PP_E_BUSY, l->count);
    l->at[(l->first + l->count) % CVM_LINE_MAX] = *ask;
    l->count++;
    return PP_OK;
}

/* Moves asks from the front of a line until the batch has `count_max` of them. */
static void take(struct cvm_batch *b, size_t count_max, struct cvm_line *l,
                 int (*is_there)(void *ctx, const struct cvm_ask *ask), void *ctx)
{
    while (l->count > 0 && b->count < count_max) {
        const struct cvm_ask *ask = &l->at[l->first];
        l->first = (l->first + 1) % CVM_LINE_MAX;
        l->count--;
        if (is_there(ctx, ask)) {
            memcpy(b->bindings[b->count], ask->binding, PP_BINDING_BYTES);
            b->asks[b->count++] = *ask;
        }
    }
}

pp_res cvm_batch_form(struct cvm_batch *b, struct cvm_line *clients, struct cvm_line *openers,
                      int (*is_there)(void *ctx, const struct cvm_ask *ask), void *ctx)
{
    b->count = 0;
    take(b, CVM_BATCH_CLIENTS_FIRST, clients, is_there, ctx);
    take(b, PP_BATCH_SIZE_MAX, openers, is_there, ctx);
    take(b, PP_BATCH_SIZE_MAX, clients, is_there, ctx);
    if (b->count >= PP_BATCH_SIZE_MIN)
        return pp_batch_build((const uint8_t(*)[PP_BINDING_BYTES])b->bindings, b->count, b->scratch,
                              b->paths, b->report_data);
    if (b->count == 1) {
        memcpy(b->report_data, b->bindings[0], sizeof b->report_data);
        b->paths[0] = (struct pp_batch_path){ 0 };
    }
    return PP_OK;
}
