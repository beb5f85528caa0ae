/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ct.h"
#include "text.h"

enum { URL_BYTES_MAX = 256 };

static pp_res refuse(struct pp_problem *problem, const char *path, const char *expected,
                     const char *got)
{
    pp_problem_set(problem, path, expected, pp_span_cstr(got));
    return PP_FAIL(PP_E_CONFIG, 0);
}

static const char KEY_FORMS[] =
    "a private key: the line that --init or review key makes, or PKCS#8 of an Ed25519 key, "
    "unencrypted";

static void keep_name(struct pp_signer_file *f)
{
    memset(f->name, 0, sizeof f->name);
    memcpy(f->name, f->signer.key.name.at, f->signer.key.name.len);
    f->signer.key.name.at = (const uint8_t *)f->name;
}

/* --- a key file ---------------------------------------------------------------------------- */

static int is_own_line(struct pp_span text)
{
    static const struct pp_span START = { (const uint8_t *)"PRIVATE+KEY+", 12 };

    return text.len > START.len && pp_span_eq(pp_span(text.at, START.len), START);
}

static pp_res read_pkcs8(const struct pp_signer_spec *spec, struct pp_span file,
                         struct pp_problem *problem, struct pp_note_signer *ret)
{
    PP_AUTO(pp_secret) seed = { 0 };

    if (!pp_is_ok(pp_ed25519_pkcs8_parse(file, &seed)))
        return refuse(problem, spec->key, KEY_FORMS, "another content");
    if (!pp_is_ok(pp_note_name_check(spec->name)))
        return refuse(problem, "name of the key", "a key name beside a PKCS#8 file",
                      spec->name.len == 0 ? "none" : "text that no key name may hold");
    return pp_note_signer_make(spec->name, spec->type, pp_secret_span(&seed), ret);
}

static pp_res read_key(const struct pp_signer_spec *spec, struct pp_span file,
                       struct pp_problem *problem, struct pp_note_signer *ret)
{
    if (!is_own_line(file))
        return read_pkcs8(spec, file, problem, ret);
    if (!pp_is_ok(pp_note_signer_parse(file, ret)))
        return refuse(problem, spec->key, KEY_FORMS, "another content");
    if (spec->name.len == 0 || pp_span_eq(spec->name, ret->key.name))
        return PP_OK;
    pp_problem_set(problem, "name of the key", "the name that stands in the key file", spec->name);
    pp_note_signer_done(ret);
    return PP_FAIL(PP_E_CONFIG, 0);
}

static pp_res check_type(const struct pp_signer_spec *spec, const char *field,
                         const struct pp_note_key *key, struct pp_problem *problem)
{
    if (key->type == spec->type)
        return PP_OK;
    return refuse(problem, field,
                  spec->type == PP_NOTE_COSIGNATURE ? "a witness's key (type 04)"
                                                    : "a signing key (type 01)",
                  "a key of another type");
}

static pp_res open_file(const struct pp_signer_spec *spec, struct pp_problem *problem,
                        struct pp_signer_file *ret)
{
    struct pp_signer_file f = { 0 };
    struct pp_buf file = { 0 };
    struct stat st;
    pp_res r = pp_file_read(AT_FDCWD, spec->key, PP_SIGNER_FILE_BYTES_MAX, &file);

    if (!pp_is_ok(r))
        return refuse(problem, spec->key, KEY_FORMS, pp_file_reason(r));
    r = read_key(spec, pp_buf_span(&file), problem, &f.signer);
    if (pp_is_ok(r) && (stat(spec->key, &st) != 0 || (st.st_mode & 077) != 0))
        r = refuse(problem, spec->key, "mode 0600", "a file that others may read");
    if (pp_is_ok(r))
        r = check_type(spec, spec->key, &f.signer.key, problem);
    if (pp_is_ok(r)) {
        *ret = f;
        keep_name(ret); /* it still stands in the file's bytes or in the caller's */
    } else {
        pp_note_signer_done(&f.signer);
    }
    pp_buf_done(&file);
    return r;
}

/* --- a signer program ---------------------------------------------------------------------- */

static pp_res open_program(const struct pp_signer_spec *spec, struct pp_problem *problem,
                           struct pp_signer_file *ret)
{
    uint32_t ms = spec->answer_ms == 0 ? PP_SIGNER_MS_DEFAULT : spec->answer_ms;
    struct pp_note_key key;

    if (!pp_is_ok(pp_vkey_parse(spec->vkey, &key))) {
        pp_problem_set(problem, "vkey", "the public key of the signer program, name+id+base64",
                       spec->vkey);
        return PP_FAIL(PP_E_CONFIG, 0);
    }
    PP_TRY(check_type(spec, "vkey", &key, problem));
    if (spec->name.len > 0 && !pp_span_eq(spec->name, key.name)) {
        pp_problem_set(problem, "name of the key", "the name that stands in the vkey", spec->name);
        return PP_FAIL(PP_E_CONFIG, 0);
    }
    *ret = (struct pp_signer_file){ 0 };
    PP_TRY(pp_signer_pipe_start(spec->program, ms, problem, &ret->pipe));
    ret->signer = (struct pp_note_signer){
        .key = key,
        .sign = pp_signer_pipe_sign,
        .ctx = &ret->pipe,
    };
    keep_name(ret);
    return PP_OK;
}

pp_res pp_signer_open(const struct pp_signer_spec *spec, struct pp_problem *problem,
                      struct pp_signer_file *ret)
{
    if (spec->key == NULL)
        return open_program(spec, problem, ret);
    if (spec->program == NULL && spec->vkey.len == 0)
        return open_file(spec, problem, ret);
    return refuse(problem, "signer", "a key file, or a signer program with its vkey", "both");
}

void pp_signer_file_done(struct pp_signer_file *f)
{
    pp_note_signer_done(&f->signer);
    pp_signer_pipe_done(&f->pipe);
}

/* --- making a key -------------------------------------------------------------------------- */

static pp_res write_key(int dir, const char *path, const struct pp_note_signer *s)
{
    uint8_t text[PP_SIGNER_FILE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    pp_note_signer_write(&wr, s);
    pp_wr_u8(&wr, '\n');
    pp_res r = pp_wr_ok(&wr);
    if (pp_is_ok(r))
        r = pp_file_write(dir, path, 0600, pp_wr_done(&wr));
    pp_wipe(text, sizeof text);
    return r;
}

pp_res pp_signer_file_create(int dir, const char *path, const struct pp_random *random,
                             struct pp_span name, enum pp_note_type type,
                             char ret_vkey[PP_VKEY_BYTES_MAX + 1])
{
    struct pp_note_signer s = { 0 };
    PP_AUTO(pp_secret) seed = { 0 };
    struct pp_wr wr = pp_wr_over(ret_vkey, PP_VKEY_BYTES_MAX);

    PP_CHECK(faccessat(dir, path, F_OK, 0) != 0 && errno == ENOENT, PP_E_EXISTS, 0);
    PP_TRY(pp_secret_alloc(&seed, PP_ED25519_SEED_BYTES));
    PP_TRY(pp_random_fill(random, seed.bytes, seed.len));
    PP_TRY(pp_note_signer_make(name, type, pp_secret_span(&seed), &s));
    pp_res r = write_key(dir, path, &s);
    memset(ret_vkey, 0, PP_VKEY_BYTES_MAX + 1);
    pp_vkey_write(&wr, &s.key);
    pp_note_signer_done(&s);
    PP_TRY(r);
    return pp_wr_ok(&wr);
}

pp_res pp_policy_file_load(const char *path, enum pp_policy_kind kind, struct pp_problem *problem,
                           struct pp_policy_file *ret)
{
    pp_res r = pp_file_read(AT_FDCWD, path, PP_POLICY_BYTES_MAX, &ret->text);
    char where[64];

    if (!pp_is_ok(r))
        return refuse(problem, path, "a policy file", pp_file_reason(r));
    r = pp_policy_parse(pp_buf_span(&ret->text), kind, &ret->policy);
    if (pp_is_ok(r))
        return PP_OK;
    snprintf(where, sizeof where, "line %u: %s", r.detail, pp_code_name(r.code));
    return refuse(problem, path, "a policy file (C2SP tlog-policy)", where);
}

void pp_policy_file_done(struct pp_policy_file *f)
{
    pp_buf_done(&f->text);
}

static int starts_with(struct pp_span *text, struct pp_span start)
{
    if (text->len < start.len || !pp_span_eq(pp_span(text->at, start.len), start))
        return 0;
    *text = pp_span(text->at + start.len, text->len - start.len);
    return 1;
}

pp_res pp_url_port(struct pp_span url, uint16_t *ret)
{
    struct pp_span host;
    struct pp_span before;
    uint64_t port = 80;

    PP_CHECK(url.len > 0 && url.len <= URL_BYTES_MAX, PP_E_RANGE, url.len);
    PP_CHECK(url.at[url.len - 1] != '/', PP_E_FORMAT, url.len);
    if (starts_with(&url, PP_STR("https://")))
        port = 443;
    else
        PP_CHECK(starts_with(&url, PP_STR("http://")), PP_E_FORMAT, 0);
    (void)pp_text_cut(&url, '/', &host);
    PP_CHECK(host.len > 0, PP_E_FORMAT, 0);
    if (host.at[0] == '[') { /* the colons of an IPv6 address stand inside brackets */
        PP_CHECK(pp_text_cut(&host, ']', &before), PP_E_FORMAT, 0);
        PP_CHECK(host.len == 0 || host.at[0] == ':', PP_E_FORMAT, 0);
    }
    if (pp_text_cut(&host, ':', &before))
        PP_TRY(pp_decimal_parse(host, UINT16_MAX, &port));
    PP_CHECK(port > 0, PP_E_RANGE, 0);
    *ret = (uint16_t)port;
    return PP_OK;
}
