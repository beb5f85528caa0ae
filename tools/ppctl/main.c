/* SPDX-License-Identifier: Apache-2.0 */
/* ppctl: Private Processing on a command line. The contract is docs/protocol.md and ppctl(1). */
#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "crypto.h"
#include "ct.h"
#if !PP_RELEASE
#include "fleet.h"
#endif
#include "ppctl.h"

static void help(FILE *out)
{
    fprintf(out, "ppctl: private processing, verified before anything is sent\n\n"
                 "usage: ppctl [--state DIR] [--json] VERB ...\n\n");
    for (const struct ppctl_verb *v = PPCTL_VERBS; v->name != NULL; v++) {
        fprintf(out, "  ppctl %s %s\n", v->name, v->usage);
        fprintf(out, "      %s\n", v->what);
    }
    fprintf(out,
            "\n--state DIR may stand anywhere; default: $PP_STATE, else the user's data folder.\n"
            "exit status: 0 done, 1 internal or network failure, 2 usage,\n"
            "             3 refused: verification failed, nothing was sent,\n"
            "             4 refused by the user's own settings, 5 busy or out of tokens\n");
}

static const struct ppctl_verb *find(int argc, char **argv, int *ret_words)
{
    char two[64];

    if (argc < 1)
        return NULL;
    if (argc >= 2)
        snprintf(two, sizeof two, "%s %s", argv[0], argv[1]);
    for (const struct ppctl_verb *v = PPCTL_VERBS; v->name != NULL; v++) {
        *ret_words = argc >= 2 && strcmp(v->name, two) == 0 ? 2 : 1;
        if (*ret_words == 2 || strcmp(v->name, argv[0]) == 0)
            return v;
    }
    return NULL;
}

/* $PP_STATE, else the user's data folder: $XDG_DATA_HOME/pp or ~/.local/share/pp. */
static const char *default_state(char *buf, size_t cap)
{
    const char *state = getenv("PP_STATE");
    const char *data = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");

    if (state != NULL && state[0] != '\0')
        return state;
    if (data != NULL && data[0] == '/')
        snprintf(buf, cap, "%s/pp", data);
    else if (home != NULL && home[0] == '/')
        snprintf(buf, cap, "%s/.local/share/pp", home);
    else
        buf[0] = '\0'; /* nowhere that is this user's */
    return buf;
}

/* Takes --state DIR and --json out of the arguments, wherever they stand. Returns the new count. */
static int take_global(struct ppctl *p, int argc, char **argv, const char **ret_wrong)
{
    int kept = 0;

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            p->json = 1;
        } else if (strncmp(argv[i], "--state=", 8) == 0) {
            p->state = argv[i] + 8;
        } else if (strcmp(argv[i], "--state") == 0) {
            if (i + 1 == argc)
                *ret_wrong = argv[i];
            else
                p->state = argv[++i];
        } else {
            argv[kept++] = argv[i];
        }
    }
    return kept;
}

/* Freed memory of the JSON library held messages. */
static void wipe_and_free(void *p)
{
    if (p != NULL)
        pp_wipe(p, malloc_usable_size(p));
    free(p);
}

/* Chats and keys reach no core file, no debugger of the same user, and no freed memory. */
static void keep_to_itself(void)
{
    const struct rlimit none = { 0, 0 };

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    json_set_alloc_funcs(malloc, wipe_and_free);
}

int main(int argc, char **argv)
{
    char state[4096];
    struct ppctl p = { .clock = pp_clock_system(), .random = pp_random_system() };
    const char *wrong = NULL;
    int words = 0;

    keep_to_itself();
    p.state = default_state(state, sizeof state);
    argc = take_global(&p, argc - 1, argv + 1, &wrong);
    argv++;
    if (wrong != NULL || p.state[0] == '\0')
        return ppctl_usage(&p, "--state", "a folder, or PP_STATE, or HOME", "nothing");
    if (argc == 1 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)) {
        help(stdout);
        return 0;
    }
    if (argc == 1 && strcmp(argv[0], "--version") == 0) {
        printf("ppctl %s (%s build)\n", PP_VERSION, PP_RELEASE ? "release" : "development");
        return 0;
    }
    const struct ppctl_verb *verb = find(argc, argv, &words);
    if (verb == NULL) {
        if (argc == 0 && !p.json)
            help(stderr);
        return ppctl_usage(&p, "verb", "a verb that ppctl --help lists",
                           argc == 0 ? "nothing" : argv[0]);
    }
    pp_res r = pp_crypto_init();
#if !PP_RELEASE
    if (pp_is_ok(r))
        r = fleet_clock(p.state, &p.clock);
#endif
    if (!pp_is_ok(r))
        return ppctl_fail(&p, r, NULL, 0);
    return verb->run(&p, argc - words, argv + words);
}
