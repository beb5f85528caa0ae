/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "file.h"
#include "key_folder.h"
#include "keyfile.h"

enum { LIST_BYTES_MAX = PP_OHTTP_GATEWAY_KEYS_MAX * (PP_KEM_PK_BYTES_MAX + 64) };

#define EXPECTED                                                                                   \
    "an OHTTP key file of mode 0600 with an id of its own, as docs/protocol/ohttp.md has it"

void gw_keys_done(struct gw_keys *k)
{
    pp_ohttp_gateway_done(&k->gateway);
    *k = (struct gw_keys){ 0 };
}

/* --- one file ------------------------------------------------------------------------------- */

static pp_res read_file(int folder_fd, const char *name, struct pp_ohttp_keyfile *ret)
{
    struct pp_buf text = { 0 };

    PP_TRY(pp_file_read_kept(folder_fd, name, PP_FILE_PRIVATE, PP_OHTTP_KEYFILE_BYTES_MAX, &text));
    pp_res r = pp_ohttp_keyfile_parse(pp_buf_span(&text), ret);
    pp_buf_done(&text);
    return r;
}

static pp_res add(struct gw_keys *k, const struct pp_ohttp_keyfile *file)
{
    struct pp_kem_key *key = NULL;

    PP_TRY_AS(PP_E_CONFIG, pp_kem_key_import(file->kem, pp_secret_span(&file->sk_secret), &key));
    pp_res r = pp_ohttp_gateway_add(&k->gateway, file->id, key, file->suites, file->suite_count);
    if (!pp_is_ok(r)) {
        pp_kem_key_free(key);
        return PP_FAIL(PP_E_CONFIG, file->id);
    }
    k->until_s[k->gateway.key_count - 1] = file->use_until_s + PP_OHTTP_KEY_GRACE_SECONDS;
    return PP_OK;
}

static pp_res load_file(struct gw_keys *k, int folder_fd, const char *name, uint64_t now_s)
{
    PP_AUTO(pp_ohttp_keyfile) file = { 0 };

    PP_TRY(read_file(folder_fd, name, &file));
    if (!pp_ohttp_keyfile_serves(&file, now_s))
        return PP_OK;
    return add(k, &file);
}

/* --- the folder ----------------------------------------------------------------------------- */

static int is_key_file(const struct dirent *entry)
{
    struct pp_span name = pp_span_cstr(entry->d_name);

    return name.len > 4 && pp_span_eq(pp_span(name.at + name.len - 4, 4), PP_STR(".key"));
}

static pp_res load_folder(struct gw_keys *k, const char *folder, uint64_t now_s,
                          struct pp_problem *problem)
{
    struct dirent **names = NULL;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int count = fd < 0 ? -1 : scandir(folder, &names, is_key_file, alphasort);
    pp_res r = count < 0 ? pp_errno_res(errno) : PP_OK;

    if (count < 0)
        pp_problem_set(problem, folder, "a folder of OHTTP key files",
                       pp_span_cstr(pp_file_reason(r)));
    for (int i = 0; i < count; i++) {
        if (pp_is_ok(r)) {
            r = load_file(k, fd, names[i]->d_name, now_s);
            if (!pp_is_ok(r))
                pp_problem_set(problem, names[i]->d_name, EXPECTED,
                               pp_span_cstr(pp_file_reason(r)));
        }
        free(names[i]);
    }
    free(names);
    if (fd >= 0)
        (void)close(fd);
    return r;
}

/* --- turns ---------------------------------------------------------------------------------- */

static pp_res set_digest(struct gw_keys *k)
{
    static uint8_t list[LIST_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(list, sizeof list);

    PP_TRY(pp_ohttp_gateway_keys(&k->gateway, &wr));
    pp_sha256(pp_wr_done(&wr), k->digest);
    return PP_OK;
}

/* Forgets what is past its time; returns 1 if there was any. */
static int expire(struct gw_keys *k, uint64_t now_s)
{
    int any = 0;

    for (size_t i = 0; i < k->gateway.key_count;) {
        if (now_s < k->until_s[i]) {
            i++;
            continue;
        }
        pp_ignore(pp_ohttp_gateway_remove(&k->gateway, k->gateway.keys[i].config.id),
                  "the id was read from the same table");
        for (size_t n = i; n < k->gateway.key_count; n++)
            k->until_s[n] = k->until_s[n + 1];
        any = 1;
    }
    return any;
}

pp_res gw_keys_turn(struct gw_keys *k, const char *folder, uint64_t now_s,
                    struct pp_problem *problem, int *ret_changed)
{
    struct gw_keys fresh = { 0 };
    pp_res r = load_folder(&fresh, folder, now_s, problem);

    if (pp_is_ok(r))
        r = set_digest(&fresh);
    if (!pp_is_ok(r)) {
        gw_keys_done(&fresh);
        if (expire(k, now_s))
            PP_TRY(set_digest(k));
        return r;
    }
    *ret_changed = !pp_span_eq(PP_BYTES(fresh.digest), PP_BYTES(k->digest));
    gw_keys_done(k);
    *k = fresh; /* exchanges under way hold nothing of the former keys */
    return PP_OK;
}

/* --- destroying ------------------------------------------------------------------------------ */

static int is_over(int folder_fd, const char *name, uint64_t now_s)
{
    PP_AUTO(pp_ohttp_keyfile) file = { 0 };

    return pp_is_ok(read_file(folder_fd, name, &file)) && pp_ohttp_keyfile_is_over(&file, now_s);
}

pp_res gw_keys_destroy(const char *folder, uint64_t now_s, size_t *ret_count)
{
    return pp_key_folder_sweep(folder, is_key_file, is_over, now_s, ret_count);
}
