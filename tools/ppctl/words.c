/* SPDX-License-Identifier: Apache-2.0 */
/* The first words of verbs of two words, alone: they list the second ones. */
#include <stdio.h>
#include <string.h>

#include "verbs.h"
#include "wr.h"

static int is_behind(const struct ppctl_verb *v, const char *first)
{
    size_t len = strlen(first);

    return strncmp(v->name, first, len) == 0 && v->name[len] == ' ';
}

static void print_rows(FILE *out, const char *first)
{
    fprintf(out, "usage: ppctl %s WORD ...\n\n", first);
    for (const struct ppctl_verb *v = PPCTL_VERBS; v->name != NULL; v++)
        if (is_behind(v, first))
            fprintf(out, "  ppctl %s %s\n      %s\n", v->name, v->usage, v->what);
}

/* "receipt, snp" */
static int refuse(const struct ppctl *p, const char *first, const char *got)
{
    char expected[128];
    struct pp_wr wr = pp_wr_over(expected, sizeof expected);

    for (const struct ppctl_verb *v = PPCTL_VERBS; v->name != NULL; v++) {
        if (!is_behind(v, first))
            continue;
        pp_wr_text(&wr, wr.len == 0 ? "one of these words behind it: " : ", ");
        pp_wr_text(&wr, v->name + strlen(first) + 1);
    }
    pp_wr_u8(&wr, 0);
    return ppctl_usage(p, first, pp_is_ok(pp_wr_ok(&wr)) ? expected : "a word that --help lists",
                       got);
}

static int run(const struct ppctl *p, const char *first, int argc, char **argv)
{
    if (argc == 1 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)) {
        print_rows(stdout, first);
        return 0;
    }
    if (argc == 0 && !p->json)
        print_rows(stderr, first);
    return refuse(p, first, argc == 0 ? "nothing" : argv[0]);
}

int verb_verify(struct ppctl *p, int argc, char **argv)
{
    return run(p, "verify", argc, argv);
}

int verb_image(struct ppctl *p, int argc, char **argv)
{
    return run(p, "image", argc, argv);
}

int verb_log(struct ppctl *p, int argc, char **argv)
{
    return run(p, "log", argc, argv);
}

int verb_token(struct ppctl *p, int argc, char **argv)
{
    return run(p, "token", argc, argv);
}

int verb_collateral(struct ppctl *p, int argc, char **argv)
{
    return run(p, "collateral", argc, argv);
}

int verb_gateway(struct ppctl *p, int argc, char **argv)
{
    return run(p, "gateway", argc, argv);
}

int verb_release(struct ppctl *p, int argc, char **argv)
{
    return run(p, "release", argc, argv);
}

int verb_review(struct ppctl *p, int argc, char **argv)
{
    return run(p, "review", argc, argv);
}

int verb_keys(struct ppctl *p, int argc, char **argv)
{
    return run(p, "keys", argc, argv);
}

int verb_host_set(struct ppctl *p, int argc, char **argv)
{
    return run(p, "host-set", argc, argv);
}
