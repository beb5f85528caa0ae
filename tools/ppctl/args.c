/* SPDX-License-Identifier: Apache-2.0 */
#include "ppctl.h"

#include <stdio.h>
#include <string.h>

static const struct ppctl_option *find(const struct ppctl_option *options, size_t count,
                                       const char *arg, const char **ret_inline)
{
    size_t len = strcspn(arg, "=");

    *ret_inline = arg[len] == '=' ? arg + len + 1 : NULL;
    for (size_t i = 0; i < count; i++)
        if (strlen(options[i].name) == len && strncmp(options[i].name, arg, len) == 0)
            return &options[i];
    return NULL;
}

static const struct ppctl_verb *row_of(const char *verb)
{
    const struct ppctl_verb *row = PPCTL_VERBS;

    while (row->name != NULL && strcmp(row->name, verb) != 0)
        row++;
    return row;
}

/* Names what is missing by its word in the usage, where arguments stand before all options. */
static int missing(struct ppctl *p, const char *verb, size_t index)
{
    const char *word = row_of(verb)->usage;
    char name[32];

    for (; index > 0 && word != NULL; index--) {
        word += strcspn(word, " ");
        word += strspn(word, " ");
    }
    if (word == NULL || word[0] == '\0' || strchr("-[(", word[0]) != NULL)
        return ppctl_usage(p, "argument", "another argument", "nothing");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, " "), word);
    return ppctl_usage(p, name, row_of(verb)->usage, "nothing");
}

static void help(const char *verb, const struct ppctl_option *options, size_t count)
{
    const struct ppctl_verb *row = row_of(verb);

    if (row->name == NULL || row->usage[0] == '\0')
        printf("usage: ppctl %s\n", verb);
    else
        printf("usage: ppctl %s %s\n", verb, row->usage);
    if (row->name != NULL)
        printf("\n%s\n", row->what);
    if (count > 0)
        printf("\n");
    for (size_t i = 0; i < count; i++) {
        char left[64];
        snprintf(left, sizeof left, "%s %s", options[i].name,
                 options[i].value == NULL ? "" : options[i].value);
        printf("  %-24s %s\n", left, options[i].help);
    }
}

int ppctl_parse(struct ppctl *p, const char *verb, const struct ppctl_option *options,
                size_t option_count, int argc, char **argv, const char **positionals,
                size_t positional_min, size_t positional_max, size_t *ret_positional_count)
{
    size_t count = 0;
    int only_positionals = 0;

    for (int i = 0; i < argc; i++) {
        const char *arg = argv[i];
        const char *value = NULL;

        if (only_positionals || arg[0] != '-' || arg[1] == '\0') {
            if (count == positional_max)
                return ppctl_usage(p, "argument", "no further argument", arg);
            positionals[count++] = arg;
            continue;
        }
        if (strcmp(arg, "--") == 0) {
            only_positionals = 1;
            continue;
        }
        if (strcmp(arg, "--help") == 0) {
            help(verb, options, option_count);
            return 0;
        }
        const struct ppctl_option *o = find(options, option_count, arg, &value);
        if (o == NULL)
            return ppctl_usage(p, "option", "an option that --help lists", arg);
        if (o->list != NULL ? o->list->count == PPCTL_LIST_MAX
                            : (o->flag != NULL ? *o->flag : *o->text != NULL))
            return ppctl_usage(p, o->name, o->list != NULL ? "fewer of them" : "the option once",
                               o->list != NULL ? "one too many" : "a second time");
        if (o->flag != NULL) {
            if (value != NULL)
                return ppctl_usage(p, o->name, "no value", value);
            *o->flag = 1;
            continue;
        }
        if (value == NULL && i + 1 < argc)
            value = argv[++i];
        if (value == NULL || value[0] == '\0')
            return ppctl_usage(p, o->name, o->value, "nothing");
        if (o->list != NULL)
            o->list->items[o->list->count++] = value;
        else
            *o->text = value;
    }
    if (count < positional_min)
        return missing(p, verb, count);
    if (ret_positional_count != NULL)
        *ret_positional_count = count;
    return -1;
}
