/* SPDX-License-Identifier: Apache-2.0 */
#include "keys_arg.h"

static pp_res refuse(struct pp_problem *problem, const char *field, const char *expected,
                     const char *got)
{
    pp_problem_set(problem, field, expected, pp_span_cstr(got));
    return PP_FAIL(PP_E_USAGE, 0);
}

pp_res ppctl_key_open(const struct ppctl_key_args *args, enum pp_note_type type,
                      struct pp_problem *problem, struct ppctl_key *ret)
{
    if (args->key == NULL)
        return refuse(problem, "--key", "a private key file", "nothing");
    return pp_signer_file_load(args->key, type, problem, &ret->file);
}

void ppctl_key_done(struct ppctl_key *k)
{
    pp_signer_file_done(&k->file);
}

const struct pp_note_key *ppctl_key_public(const struct ppctl_key *k)
{
    return &k->file.signer.key;
}

pp_res ppctl_key_line(const struct ppctl_key *k, struct pp_span text, struct pp_wr *wr)
{
    return pp_note_line_write(wr, &k->file.signer, text);
}
