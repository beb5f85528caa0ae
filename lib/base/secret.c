/* SPDX-License-Identifier: Apache-2.0 */
#include "secret.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ct.h"

/*
 * The vault's book-keeping lives in the vault's own mapping. MADV_WIPEONFORK therefore zeroes it
 * together with the secrets: a child finds generation 0, starts a new one, and can neither read nor
 * release what its parent held.
 */
struct vault {
    uint64_t generation;                        /* 0: not in use since the (last) fork */
    uint64_t taken[(PP_VAULT_SLOTS + 63) / 64]; /* one bit a slot */
};

enum {
    VAULT_HEADER_BYTES = 4096,
    VAULT_BYTES = VAULT_HEADER_BYTES + PP_VAULT_SLOTS * PP_VAULT_SLOT_BYTES
};
_Static_assert(sizeof(struct vault) <= VAULT_HEADER_BYTES, "the header fits its page");
_Static_assert(VAULT_BYTES % 4096 == 0, "the vault is whole pages");

static struct vault *vault;  /* guarded by vault_lock while being made, then constant */
static uint64_t generations; /* guarded by vault_lock; survives forks, so ids never repeat */
static pthread_mutex_t vault_lock = PTHREAD_MUTEX_INITIALIZER;

static size_t page_bytes(void)
{
    long n = sysconf(_SC_PAGESIZE);

    return n > 0 ? (size_t)n : 4096;
}

static size_t whole_pages(size_t len)
{
    size_t page = page_bytes();

    return (len + page - 1) / page * page;
}

pp_res pp_reserved_map(size_t len, uint8_t **ret)
{
    size_t page = page_bytes();

    PP_CHECK(len > 0 && len <= PP_SECRET_BYTES_MAX, PP_E_RANGE, len);
    size_t inner = whole_pages(len);
    uint8_t *all = mmap(NULL, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    PP_CHECK(all != MAP_FAILED, PP_E_NO_MEMORY, errno);

    uint8_t *p = all + page; /* a guard page stays on either side */
    if (mprotect(p, inner, PROT_READ | PROT_WRITE) != 0 || madvise(p, inner, MADV_DONTDUMP) != 0 ||
        madvise(p, inner, MADV_WIPEONFORK) != 0) {
        int e = errno;
        (void)munmap(all, inner + 2 * page);
        return PP_FAIL(PP_E_SYSTEM, e);
    }
    *ret = p;
    return PP_OK;
}

pp_res pp_reserved_lock(uint8_t *at, size_t len)
{
    PP_CHECK(mlock2(at, len, MLOCK_ONFAULT) == 0, PP_E_SYSTEM, errno);
    return PP_OK;
}

pp_res pp_locked_map(size_t len, uint8_t **ret)
{
    uint8_t *p = NULL;

    PP_TRY(pp_reserved_map(len, &p));
    if (mlock(p, len) != 0) {
        int e = errno;
        pp_locked_unmap(p, len, 0);
        return PP_FAIL(PP_E_SYSTEM, e);
    }
    *ret = p;
    return PP_OK;
}

void pp_locked_unmap(uint8_t *p, size_t len, size_t used)
{
    if (p == NULL)
        return;
    size_t page = page_bytes();
    size_t inner = whole_pages(len);
    PP_ASSERT(used <= len);
    pp_wipe(p, used);
    PP_ASSERT(munmap(p - page, inner + 2 * page) == 0);
}

static pp_res vault_ready(void)
{
    pp_res r = PP_OK;

    if (vault != NULL && __atomic_load_n(&vault->generation, __ATOMIC_ACQUIRE) != 0)
        return PP_OK;
    PP_ASSERT(pthread_mutex_lock(&vault_lock) == 0);
    uint8_t *p = (uint8_t *)vault;
    if (p == NULL)
        r = pp_locked_map(VAULT_BYTES, &p);
    else if (vault->generation == 0 && mlock(p, VAULT_BYTES) != 0)
        r = PP_FAIL(PP_E_SYSTEM, errno); /* a child has the mapping, and its lock it has not */
    if (pp_is_ok(r)) {
        vault = (struct vault *)(void *)p;
        if (vault->generation == 0)
            __atomic_store_n(&vault->generation, ++generations, __ATOMIC_RELEASE);
    }
    PP_ASSERT(pthread_mutex_unlock(&vault_lock) == 0);
    return r;
}

static uint8_t *slot_at(size_t i)
{
    return (uint8_t *)vault + VAULT_HEADER_BYTES + i * PP_VAULT_SLOT_BYTES;
}

/* A free slot's memory, or NULL when all are taken. */
static uint8_t *slot_take(void)
{
    for (size_t i = 0; i < PP_VAULT_SLOTS; i++) {
        uint64_t bit = UINT64_C(1) << i % 64;

        if ((__atomic_load_n(&vault->taken[i / 64], __ATOMIC_RELAXED) & bit) != 0)
            continue;
        if ((__atomic_fetch_or(&vault->taken[i / 64], bit, __ATOMIC_ACQ_REL) & bit) == 0)
            return slot_at(i);
    }
    return NULL;
}

static void slot_give_back(uint8_t *p)
{
    size_t i = (size_t)(p - slot_at(0)) / PP_VAULT_SLOT_BYTES;
    uint64_t bit = UINT64_C(1) << i % 64;

    PP_ASSERT((__atomic_fetch_and(&vault->taken[i / 64], ~bit, __ATOMIC_ACQ_REL) & bit) != 0);
}

pp_res pp_secret_alloc(struct pp_secret *s, size_t len)
{
    PP_CHECK(len > 0 && len <= PP_SECRET_BYTES_MAX, PP_E_RANGE, len);
    if (len <= PP_VAULT_SLOT_BYTES) {
        PP_TRY(vault_ready());
        uint8_t *slot = slot_take();
        if (slot != NULL) {
            *s = (struct pp_secret){ slot, len, vault->generation };
            return PP_OK;
        }
    }
    uint8_t *p = NULL;
    PP_TRY(pp_locked_map(len, &p));
    *s = (struct pp_secret){ p, len, 0 };
    return PP_OK;
}

pp_res pp_secret_copy(struct pp_secret *s, struct pp_span from)
{
    PP_TRY(pp_secret_alloc(s, from.len));
    memcpy(s->bytes, from.at, from.len);
    return PP_OK;
}

void pp_secret_done(struct pp_secret *s)
{
    if (s->bytes == NULL)
        return;
    if (s->origin == 0) {
        pp_locked_unmap(s->bytes, s->len, s->len);
    } else if (s->origin == vault->generation) {
        pp_wipe(s->bytes, PP_VAULT_SLOT_BYTES); /* the whole slot: the next owner finds zeros */
        slot_give_back(s->bytes);
    }
    *s = (struct pp_secret){ 0 };
}
