/* SPDX-License-Identifier: Apache-2.0 */
#include "signer_config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { ARG_BYTES_MAX = 1024 };

/* Configuration values as C strings. */
struct strings {
    char bytes[PP_SIGNER_ARGS_MAX][ARG_BYTES_MAX + 1];
    const char *argv[PP_SIGNER_ARGS_MAX + 1];
    size_t count;
};

static pp_res add(struct strings *s, const char *field, struct pp_span text,
                  struct pp_problem *problem)
{
    if (s->count == PP_SIGNER_ARGS_MAX || text.len > ARG_BYTES_MAX) {
        pp_problem_set(problem, field, "up to 15 arguments of up to 1024 bytes", text);
        return PP_FAIL(PP_E_CONFIG, s->count);
    }
    memcpy(s->bytes[s->count], text.at, text.len);
    s->argv[s->count] = s->bytes[s->count];
    s->count++;
    return PP_OK;
}

static pp_res refuse(struct pp_problem *problem, const char *key, const char *expected,
                     struct pp_span got)
{
    pp_problem_set(problem, key, expected, got);
    return PP_FAIL(PP_E_CONFIG, 0);
}

/* Lines that belong to the form that was not chosen are a mistake, not something to pass over. */
pp_res pp_signer_config_check(const struct pp_signer_config *c, struct pp_problem *problem)
{
    if (c->signer.len == 0 && c->vkey.len > 0)
        return refuse(problem, "vkey", "no such line: there is no signer", c->vkey);
    if (c->signer.len == 0 && c->signer_args.count > 0)
        return refuse(problem, "signer_arg", "no such line: there is no signer",
                      c->signer_args.items[0]);
    if (c->signer.len > 0 && c->key.len > 0)
        return refuse(problem, "key", "no such line: there is a signer", c->key);
    if (c->signer.len > 0 && c->key_name.len > 0)
        return refuse(problem, "key_name", "no such line: the vkey has the name", c->key_name);
    return PP_OK;
}

pp_res pp_signer_config_open(const struct pp_signer_config *c, enum pp_note_type type,
                             struct pp_problem *problem, struct pp_signer_file *ret)
{
    struct pp_signer_spec spec = { .type = type, .name = c->key_name };
    struct strings s = { 0 };

    if (c->signer.len == 0) {
        PP_TRY(add(&s, "key", c->key.len > 0 ? c->key : PP_STR("key"), problem));
        spec.key = s.argv[0];
        return pp_signer_open(&spec, problem, ret);
    }
    PP_TRY(add(&s, "signer", c->signer, problem));
    for (size_t i = 0; i < c->signer_args.count; i++)
        PP_TRY(add(&s, "signer_arg", c->signer_args.items[i], problem));
    spec.program = s.argv;
    spec.vkey = c->vkey;
    spec.answer_ms = (uint32_t)c->signer_ms;
    return pp_signer_open(&spec, problem, ret);
}

/* --- --init -------------------------------------------------------------------------------- */

pp_res pp_signer_init_args(char **argv, struct pp_signer_spec *ret)
{
    if (argv[0] == NULL)
        return PP_OK;
    PP_CHECK(argv[1] != NULL, PP_E_USAGE, 0);
    if (strcmp(argv[0], "--key") == 0) {
        PP_CHECK(argv[2] == NULL, PP_E_USAGE, 2);
        ret->key = argv[1];
        return PP_OK;
    }
    PP_CHECK(strcmp(argv[0], "--vkey") == 0, PP_E_USAGE, 0);
    PP_CHECK(argv[2] != NULL && strcmp(argv[2], "--signer") == 0 && argv[3] != NULL, PP_E_USAGE, 2);
    ret->vkey = pp_span_cstr(argv[1]);
    ret->program = (const char *const *)&argv[3];
    return PP_OK;
}

static pp_res make_key(const struct pp_signer_spec *spec, const char *path)
{
    const struct pp_random random = pp_random_system();
    char vkey[PP_VKEY_BYTES_MAX + 1];

    return pp_signer_file_create(AT_FDCWD, path, &random, spec->name, spec->type, vkey);
}

pp_res pp_signer_init(const struct pp_signer_spec *spec, const char *folder,
                      struct pp_problem *problem, struct pp_signer_file *ret)
{
    struct pp_signer_spec made = *spec;
    char path[PP_SIGNER_PATH_MAX + 1];

    if (spec->key != NULL || spec->program != NULL)
        return pp_signer_open(spec, problem, ret);
    PP_CHECK(snprintf(path, sizeof path, "%s/key", folder) < (int)sizeof path, PP_E_RANGE, 0);
    PP_TRY(make_key(spec, path));
    made.key = path;
    return pp_signer_open(&made, problem, ret);
}

int pp_signer_init_failed(const char *program, const char *folder, pp_res why,
                          const struct pp_problem *problem)
{
    fprintf(stderr, "%s: %s: %s (%s)\n", program, folder, pp_code_text(why.code),
            pp_code_name(why.code));
    if (problem->field[0] != '\0')
        fprintf(stderr, "  field:    %s\n  expected: %s\n  got:      %s\n", problem->field,
                problem->expected, problem->got);
    return why.code == PP_E_EXISTS || why.code == PP_E_FORMAT || why.code == PP_E_CONFIG ? 2 : 1;
}
