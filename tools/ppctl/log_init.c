/* SPDX-License-Identifier: Apache-2.0 */
/* ppctl log init: an empty log and its key, as pp-logd --init makes them. */
#include <stdio.h>

#include "create.h"
#include "keys_arg.h"
#include "verbs.h"

/* A key that is elsewhere has the origin as its name: a log is known by nothing else. */
static pp_res spec_of(const struct ppctl_key_args *key, const char *origin,
                      const char *const program[2], struct pp_problem *problem,
                      struct pp_signer_spec *ret)
{
    *ret = (struct pp_signer_spec){ .type = PP_NOTE_ED25519,
                                    .key = key->key,
                                    .name = pp_span_cstr(origin),
                                    .program = key->signer == NULL ? NULL : program,
                                    .vkey = pp_span_cstr(key->vkey == NULL ? "" : key->vkey) };
    if (key->key != NULL && key->signer != NULL) {
        pp_problem_set(problem, "--key", "a key file, or --signer", PP_STR("both"));
        return PP_FAIL(PP_E_USAGE, 0);
    }
    if ((key->signer == NULL) != (key->vkey == NULL)) {
        pp_problem_set(problem, "--vkey", "the public key of --signer", PP_STR("one of the two"));
        return PP_FAIL(PP_E_USAGE, 0);
    }
    return PP_OK;
}

static pp_res run(const char *origin, const char *folder, const struct ppctl_key_args *key,
                  struct pp_problem *problem, char ret_vkey[PP_VKEY_BYTES_MAX + 1])
{
    const char *const program[] = { key->signer, NULL };
    struct pp_signer_spec spec;

    pp_problem_party(problem, "log");
    if (origin == NULL || !pp_is_ok(pp_note_name_check(pp_span_cstr(origin)))) {
        pp_problem_set(problem, "--origin", "a name without spaces and +, as log.example.org",
                       pp_span_cstr(origin == NULL ? "nothing" : origin));
        return PP_FAIL(PP_E_USAGE, 0);
    }
    if (folder == NULL) {
        pp_problem_set(problem, "--log", "the folder of the new log", PP_STR("nothing"));
        return PP_FAIL(PP_E_USAGE, 0);
    }
    PP_TRY(spec_of(key, origin, program, problem, &spec));
    pp_res r = pp_log_create(&spec, folder, problem, ret_vkey);
    if (r.code == PP_E_EXISTS)
        pp_problem_set(problem, folder, "a folder without a log", PP_STR("one is there"));
    else if (!pp_is_ok(r) && problem->field[0] == '\0')
        pp_problem_set(problem, folder, "a folder that can be written",
                       pp_span_cstr(pp_file_reason(r)));
    return r.code == PP_E_NOT_FOUND ? PP_FAIL(PP_E_CONFIG, r.detail) : r;
}

int verb_log_init(struct ppctl *p, int argc, char **argv)
{
    const char *origin = NULL, *folder = NULL;
    struct ppctl_key_args key = { 0 };
    struct pp_problem problem = { 0 };
    char vkey[PP_VKEY_BYTES_MAX + 1] = "";
    const struct ppctl_option options[] = {
        { "--origin", "NAME", "of the log, for ever", &origin, NULL },
        { "--log", "FOLDER", "where the log will be", &folder, NULL },
        { "--key", "FILE", "a key that is there; default: FOLDER/key, made new", &key.key, NULL },
        { "--signer", "PROGRAM", "absolute path of a program that signs", &key.signer, NULL },
        { "--vkey", "VKEY", "the public key of that program", &key.vkey, NULL },
    };
    int status = ppctl_parse(p, "log init", options, PP_ARRAY_COUNT(options), argc, argv, NULL, 0,
                             0, NULL);

    if (status >= 0)
        return status;
    pp_res r = run(origin, folder, &key, &problem, vkey);
    if (!pp_is_ok(r))
        return ppctl_fail(p, r, &problem, 0);
    if (p->json)
        return ppctl_print_json(
            json_pack("{s:s, s:s, s:s}", "folder", folder, "origin", origin, "vkey", vkey));
    printf("%s\n", vkey);
    return fflush(stdout) != 0 ? (int)PP_CLASS_FAILED : 0;
}
