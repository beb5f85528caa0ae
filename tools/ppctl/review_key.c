/* SPDX-License-Identifier: Apache-2.0 */
/* ppctl review key: a person's signing key, made at home; only its public half is told. */
#include <fcntl.h>
#include <stdio.h>

#include "ledger_keys.h"
#include "verbs.h"

int verb_review_key(struct ppctl *p, int argc, char **argv)
{
    const char *args[2] = { NULL, NULL };
    char vkey[PP_VKEY_BYTES_MAX + 1];
    struct pp_problem problem = { 0 };
    int status = ppctl_parse(p, "review key", NULL, 0, argc, argv, args, 2, 2, NULL);

    if (status >= 0)
        return status;
    if (!pp_is_ok(pp_note_name_check(pp_span_cstr(args[1]))))
        return ppctl_usage(p, "NAME", "a name without spaces and +, as alice.example.org", args[1]);
    pp_res r = pp_signer_file_create(AT_FDCWD, args[0], &p->random, pp_span_cstr(args[1]),
                                     PP_NOTE_ED25519, vkey);
    if (!pp_is_ok(r)) {
        pp_problem_set(&problem, args[0], "a new file, for a key is never overwritten",
                       pp_span_cstr(r.code == PP_E_EXISTS ? "it is there" : pp_file_reason(r)));
        return ppctl_fail(p, r.code == PP_E_NOT_FOUND ? PP_FAIL(PP_E_CONFIG, r.detail) : r,
                          &problem, 0);
    }
    if (p->json)
        return ppctl_print_json(json_pack("{s:s, s:s}", "file", args[0], "vkey", vkey));
    printf("%s\n", vkey);
    return fflush(stdout) != 0 ? (int)PP_CLASS_FAILED : 0;
}
