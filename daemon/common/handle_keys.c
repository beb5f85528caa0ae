/* SPDX-License-Identifier: Apache-2.0 */
#include "handle_keys.h"

#include <fcntl.h>

#include "file.h"
#include "kv.h"
#include "secret.h"
#include "text.h"

struct fields {
    uint64_t id;
    struct pp_span secret; /* hex; borrowed */
};

static const struct pp_kv_key KEYS[] = {
    { "id", PP_KV_U64, offsetof(struct fields, id), 1, 0, 255, "0 to 255" },
    { "secret", PP_KV_TEXT, offsetof(struct fields, secret), 1, 0, 0, "64 hex digits" },
};

pp_res pp_handle_key_write(uint8_t id, struct pp_span key_secret, struct pp_wr *wr)
{
    PP_CHECK(key_secret.len == PP_HANDLE_KEY_BYTES, PP_E_RANGE, key_secret.len);
    pp_wr_text(wr, "id = ");
    pp_wr_decimal(wr, id);
    pp_wr_text(wr, "\nsecret = ");
    pp_wr_hex(wr, key_secret);
    pp_wr_text(wr, "\n");
    return pp_wr_ok(wr);
}

/* Without words: they would quote the line that is wrong, and that line may be the key's. */
static pp_res parse(struct pp_span text, uint8_t *ret_id, struct pp_aead **ret)
{
    struct fields f = { 0 };
    PP_AUTO(pp_secret) key = { 0 };

    PP_TRY(pp_kv_read(text, KEYS, PP_ARRAY_COUNT(KEYS), &f, NULL));
    PP_TRY(pp_secret_alloc(&key, PP_HANDLE_KEY_BYTES));
    PP_TRY_AS(PP_E_CONFIG, pp_hex_parse(f.secret, key.bytes, key.len));
    PP_TRY(pp_aead_new(PP_AES_256_GCM, pp_secret_span(&key), ret));
    *ret_id = (uint8_t)f.id;
    return PP_OK;
}

static pp_res read_key(const char *path, uint8_t *ret_id, struct pp_aead **ret)
{
    struct pp_buf text = { 0 };

    PP_TRY(pp_file_read_kept(AT_FDCWD, path, PP_FILE_PRIVATE, PP_HANDLE_KEY_FILE_BYTES_MAX, &text));
    pp_res r = parse(pp_buf_span(&text), ret_id, ret);
    pp_buf_done(&text);
    return r;
}

static pp_res load_one(const char *path, struct pp_handle_keys *keys)
{
    struct pp_aead *aead = NULL;
    uint8_t id = 0;

    PP_TRY(read_key(path, &id, &aead));
    for (size_t i = 0; i < keys->count; i++)
        if (keys->keys[i].id == id) {
            pp_aead_free(aead);
            return PP_FAIL(PP_E_CONFIG, id);
        }
    keys->keys[keys->count].id = id;
    keys->keys[keys->count].aead = aead;
    keys->count++;
    return PP_OK;
}

pp_res pp_handle_keys_load(const char *const *paths, size_t count, struct pp_problem *problem,
                           struct pp_handle_keys *ret)
{
    struct pp_handle_keys keys = { 0 };
    pp_res r = count >= 1 && count <= PP_HANDLE_KEY_MAX ? PP_OK : PP_FAIL(PP_E_CONFIG, count);

    if (!pp_is_ok(r))
        pp_problem_set(problem, "handle_key", "one key file or two", PP_STR("another number"));
    for (size_t i = 0; pp_is_ok(r) && i < count; i++) {
        r = load_one(paths[i], &keys);
        if (!pp_is_ok(r))
            pp_problem_set(problem, paths[i], "a handle key file of mode 0600, with its own id",
                           pp_span_cstr(pp_file_reason(r)));
    }
    if (!pp_is_ok(r)) {
        pp_handle_keys_done(&keys);
        return r;
    }
    *ret = keys;
    return PP_OK;
}

void pp_handle_keys_done(struct pp_handle_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        pp_aead_free(keys->keys[i].aead);
    *keys = (struct pp_handle_keys){ 0 };
}
