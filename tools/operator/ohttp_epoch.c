/* SPDX-License-Identifier: Apache-2.0 */
#include "ohttp_epoch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "ct.h"
#include "file.h"
#include "keyfile.h"

enum { NAME_MAX_BYTES = 48 };

/*
 * X25519 comes first, for clients that know no other. An id is used again after 256 days; that of
 * the second key is as far from it as can be, as epochs overlap by the grace.
 */
static const struct {
    uint16_t kem;
    const char *ending; /* ascending: a gateway lists its keys in the order of their files */
    uint8_t id;
} KEMS[PP_OHTTP_EPOCH_KEYS_MAX] = {
    { PP_KEM_X25519_SHA256, ".key", 0 },
    { PP_KEM_XWING, ".x-wing.key", 128 },
};

static const char EXPECTED[] = "an OHTTP key file of mode 0600, of exactly one UTC day";

/* --- the folder ----------------------------------------------------------------------------- */

pp_res pp_ohttp_epoch_open(const char *folder, int *ret_fd)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return pp_errno_res(errno);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        pp_res r = errno == EWOULDBLOCK ? PP_FAIL(PP_E_STATE_IN_USE, 0) : pp_errno_res(errno);
        (void)close(fd);
        return r;
    }
    pp_file_drop_leftovers(fd, ".");
    *ret_fd = fd;
    return PP_OK;
}

static int is_key_file(const struct dirent *entry)
{
    struct pp_span name = pp_span_cstr(entry->d_name);

    return name.len > 4 && pp_span_eq(pp_span(name.at + name.len - 4, 4), PP_STR(".key"));
}

/* The files by name, as the gateway reads them. The caller frees with free_names. */
static pp_res list_names(int folder_fd, struct dirent ***ret_names, size_t *ret_count)
{
    int count = scandirat(folder_fd, ".", ret_names, is_key_file, alphasort);

    if (count < 0)
        return pp_errno_res(errno);
    *ret_count = (size_t)count;
    return PP_OK;
}

static void free_names(struct dirent **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

static pp_res read_keyfile(int folder_fd, const char *name, struct pp_ohttp_keyfile *ret)
{
    struct pp_buf text = { 0 };

    PP_TRY(pp_file_read_kept(folder_fd, name, PP_FILE_PRIVATE, PP_OHTTP_KEYFILE_BYTES_MAX, &text));
    pp_res r = pp_ohttp_keyfile_parse(pp_buf_span(&text), ret);
    pp_buf_done(&text);
    if (!pp_is_ok(r))
        return r;
    if (ret->use_from_s % PP_OHTTP_EPOCH_S == 0 &&
        ret->use_until_s == ret->use_from_s + PP_OHTTP_EPOCH_S)
        return PP_OK;
    pp_ohttp_keyfile_done(ret);
    return PP_FAIL(PP_E_CONFIG, 0);
}

/* Calls `each` with every key of the folder until one fails. */
static pp_res each_key(int folder_fd, struct pp_problem *problem,
                       pp_res (*each)(void *ctx, const struct pp_ohttp_keyfile *k), void *ctx)
{
    struct dirent **names = NULL;
    size_t count = 0;

    PP_TRY(list_names(folder_fd, &names, &count));
    pp_res r = count <= PP_OHTTP_EPOCH_FILES_MAX ? PP_OK : PP_FAIL(PP_E_LIMIT, count);
    for (size_t i = 0; pp_is_ok(r) && i < count; i++) {
        PP_AUTO(pp_ohttp_keyfile) k = { 0 };
        r = read_keyfile(folder_fd, names[i]->d_name, &k);
        if (!pp_is_ok(r)) {
            pp_problem_set(problem, names[i]->d_name, EXPECTED, pp_span_cstr(pp_file_reason(r)));
            r.code = PP_E_CONFIG;
        } else {
            r = each(ctx, &k);
            if (r.code == PP_E_DUPLICATE)
                pp_problem_set(problem, names[i]->d_name, "one key of a KEM for each day",
                               PP_STR("a second one"));
        }
    }
    free_names(names, count);
    return r;
}

/* --- making --------------------------------------------------------------------------------- */

static pp_res write_key(int folder_fd, const char *name, const struct pp_ohttp_keyfile *k)
{
    char text[PP_OHTTP_KEYFILE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    pp_res r = pp_ohttp_keyfile_write(k, &wr);

    if (pp_is_ok(r))
        r = pp_file_create(folder_fd, name, 0600, pp_wr_done(&wr));
    pp_wipe(text, sizeof text);
    return r;
}

static pp_res make_key(int folder_fd, size_t row, uint64_t day, const struct pp_random *random)
{
    PP_AUTO(pp_ohttp_keyfile)
    k = { .use_from_s = day * PP_OHTTP_EPOCH_S,
          .use_until_s = (day + 1) * PP_OHTTP_EPOCH_S,
          .id = (uint8_t)(KEMS[row].id + day),
          .kem = KEMS[row].kem,
          .suites = { { PP_HKDF_SHA256, PP_AES_128_GCM } },
          .suite_count = 1 };
    struct pp_kem_key *key = NULL;
    char name[NAME_MAX_BYTES];

    (void)snprintf(name, sizeof name, "%llu%s", (unsigned long long)day, KEMS[row].ending);
    PP_TRY(pp_kem_key_generate(k.kem, random, &key));
    pp_res r = pp_kem_key_export(key, &k.sk_secret);
    pp_kem_key_free(key);
    PP_TRY(r);
    return write_key(folder_fd, name, &k);
}

pp_res pp_ohttp_epoch_make(int folder_fd, uint64_t day, const struct pp_random *random,
                           size_t *ret_made)
{
    size_t made = 0;

    for (size_t i = 0; i < PP_ARRAY_COUNT(KEMS); i++) {
        pp_res r = make_key(folder_fd, i, day, random);
        made += (size_t)pp_is_ok(r);
        if (!pp_is_ok(r) && r.code != PP_E_EXISTS)
            return r;
    }
    *ret_made = made;
    return PP_OK;
}

/* --- the list of an epoch ------------------------------------------------------------------- */

struct of_day {
    uint64_t day;
    struct pp_keylist *list;
};

static pp_res take_key(void *ctx, const struct pp_ohttp_keyfile *k)
{
    const struct of_day *of = (const struct of_day *)ctx;
    struct pp_kem_key *key = NULL;

    if (k->use_from_s / PP_OHTTP_EPOCH_S != of->day)
        return PP_OK;
    /* W3: one key for everybody. A second one of a KEM would be a mark on those who got it. */
    for (size_t i = 0; i < of->list->count; i++)
        PP_CHECK(of->list->keys[i].kem != k->kem, PP_E_DUPLICATE, k->kem);
    PP_CHECK(of->list->count < PP_OHTTP_EPOCH_KEYS_MAX, PP_E_LIMIT, of->list->count);
    PP_TRY(pp_kem_key_import(k->kem, pp_secret_span(&k->sk_secret), &key));
    struct pp_keyconf *c = &of->list->keys[of->list->count++];
    struct pp_span pk = pp_kem_key_public(key);
    *c = (struct pp_keyconf){
        .id = k->id, .kem = k->kem, .public_key_len = pk.len, .suite_count = k->suite_count
    };
    memcpy(c->public_key, pk.at, pk.len);
    memcpy(c->suites, k->suites, sizeof c->suites);
    pp_kem_key_free(key);
    return PP_OK;
}

pp_res pp_ohttp_epoch_config(int folder_fd, uint64_t day, struct pp_wr *wr,
                             struct pp_problem *problem)
{
    struct of_day of = { day, calloc(1, sizeof *of.list) };

    PP_CHECK(of.list != NULL, PP_E_NO_MEMORY, 0);
    pp_res r = each_key(folder_fd, problem, take_key, &of);
    if (pp_is_ok(r) && of.list->count == 0)
        r = PP_FAIL(PP_E_NOT_FOUND, day);
    if (pp_is_ok(r))
        r = pp_keylist_write(of.list, wr);
    free(of.list);
    return r;
}

static pp_res later_day(void *ctx, const struct pp_ohttp_keyfile *k)
{
    uint64_t *last = (uint64_t *)ctx, day = k->use_from_s / PP_OHTTP_EPOCH_S;

    *last = day > *last ? day : *last;
    return PP_OK;
}

pp_res pp_ohttp_epoch_last(int folder_fd, struct pp_problem *problem, uint64_t *ret_day)
{
    uint64_t last = 0;

    PP_TRY(each_key(folder_fd, problem, later_day, &last));
    *ret_day = last;
    return PP_OK;
}

/* --- what comes next ------------------------------------------------------------------------ */

pp_res pp_ohttp_rotation_next(const struct pp_ohttp_rotation *r, uint64_t *ret_day)
{
    uint64_t today = r->now_s / PP_OHTTP_EPOCH_S;
    uint64_t first = (r->now_s + r->lead_s + PP_OHTTP_EPOCH_S - 1) / PP_OHTTP_EPOCH_S;
    uint64_t last = r->logged_last;
    uint64_t ahead = today + PP_OHTTP_AHEAD_DAYS > first ? today + PP_OHTTP_AHEAD_DAYS : first;

    /* After a pause in which no key was in use, epochs may begin anew (record_rules.c). */
    uint64_t next = last == 0 || today > last ? first : last + 1;
    PP_CHECK(next >= first, PP_E_LEDGER_WINDOW, next);
    PP_CHECK(next <= ahead, PP_E_EXISTS, last);
    *ret_day = next;
    return PP_OK;
}
