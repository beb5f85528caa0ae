/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret.h: memory for key material.
 *
 * Locked (mlock), left out of core dumps, zero in forked children, between guard pages, erased when
 * done. Small secrets share one locked mapping per process, the vault, so that taking one costs no
 * system call (a forked child's first locks the vault again: locks are not inherited); larger ones
 * get a mapping of their own. Any thread.
 */
#ifndef PP_SECRET_H
#define PP_SECRET_H

#include "result.h"
#include "span.h"

enum {
    PP_SECRET_BYTES_MAX = 1 << 24, /* largest single secret */
    PP_VAULT_SLOT_BYTES = 256,     /* a secret up to this size lives in the vault */
    PP_VAULT_SLOTS = 240,          /* when all are taken, a secret gets its own mapping */
};

struct pp_secret {
    uint8_t *bytes;  /* NULL in the zero state */
    size_t len;      /* bytes */
    uint64_t origin; /* private: the vault's generation, or 0 for an own mapping */
};

/*
 * Gives zeroed locked memory. Fails with RANGE (len 0 or too large), NO_MEMORY or SYSTEM (mlock
 * refused: raise RLIMIT_MEMLOCK). On failure *s stays in the zero state.
 */
PP_MUST pp_res pp_secret_alloc(struct pp_secret *s, size_t len);

/* As above, filled with a copy of `from`. */
PP_MUST pp_res pp_secret_copy(struct pp_secret *s, struct pp_span from);

/* Erases and releases. Safe on the zero state and twice. */
void pp_secret_done(struct pp_secret *s);

static inline struct pp_span pp_secret_span(const struct pp_secret *s)
{
    return (struct pp_span){ s->bytes, s->len };
}

/*
 * A pages-wide mapping with the same protection, locked as a whole; or reserved, and locked piece
 * by piece before it is written to: what people may lock is little (8 MiB on Debian 12), and an
 * arena for the largest chat is more than that. A page of a piece is there from its first touch on.
 * At least `len` bytes from a page's start. Errors as above.
 */
PP_MUST pp_res pp_locked_map(size_t len, uint8_t **ret);
PP_MUST pp_res pp_reserved_map(size_t len, uint8_t **ret);
PP_MUST pp_res pp_reserved_lock(uint8_t *at, size_t len);

/* Ends either. Erases the first `used` bytes, behind which nothing may ever have been written; NULL
 * is fine. */
void pp_locked_unmap(uint8_t *p, size_t len, size_t used);

#endif
