/* SPDX-License-Identifier: Apache-2.0 */
#include "keys_arg.h"

static pp_res refuse(struct pp_problem *problem, const char *field, const char *expected,
                     const char *got)
{
    pp_problem_set(problem, field, expected, pp_span_cstr(got));
    return PP_FAIL(PP_E_USAGE, 0);
}

static struct pp_span span_or_empty(const char *text)
{
    return text == NULL ? PP_STR("") : pp_span_cstr(text);
}

pp_res ppctl_key_open(const struct ppctl_key_args *args, enum pp_note_type type,
                      struct pp_problem *problem, struct ppctl_key *ret)
{
    const char *const program[] = { args->signer, NULL };
    const struct pp_signer_spec spec = {
        .type = type,
        .key = args->key,
        .name = span_or_empty(args->name),
        .program = args->signer == NULL ? NULL : program,
        .vkey = span_or_empty(args->vkey),
    };

    if ((args->key == NULL) == (args->signer == NULL))
        return refuse(problem, "--key", "a private key file, or --signer",
                      args->key == NULL ? "nothing" : "both");
    if ((args->signer == NULL) != (args->vkey == NULL))
        return refuse(problem, "--vkey", "the public key of --signer, and nothing without it",
                      args->vkey == NULL ? "nothing" : args->vkey);
    if (args->key == NULL && args->name != NULL)
        return refuse(problem, "--name", "the name of --key", args->name);
    return pp_signer_open(&spec, problem, &ret->file);
}

void ppctl_key_done(struct ppctl_key *k)
{
    pp_signer_file_done(&k->file);
}

const struct pp_note_key *ppctl_key_public(const struct ppctl_key *k)
{
    return &k->file.signer.key;
}

pp_res ppctl_key_line(const struct ppctl_key *k, struct pp_span text, struct pp_problem *problem,
                      struct pp_wr *wr)
{
    pp_res r = pp_note_line_write(wr, &k->file.signer, text);

    if (!pp_is_ok(r))
        pp_problem_set(problem, "signer", "a signature of the key, 64 bytes and nothing else",
                       pp_span_cstr(pp_code_text(r.code)));
    return r;
}
