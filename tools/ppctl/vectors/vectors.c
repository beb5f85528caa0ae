/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../verbs.h"

static const char EXPECTED[] = "a file, or a folder with cases of this topic";

void vectors_pass(struct vectors *v, const char *file, const char *row)
{
    v->passed++;
    if (v->verbose)
        fprintf(stderr, "passed   %s: %s\n", file, row);
}

void vectors_fail(struct vectors *v, const char *file, const char *row, const char *why, ...)
{
    va_list args;

    v->failed++;
    fprintf(stderr, "FAILED   %s: %s: ", file, row);
    va_start(args, why);
    vfprintf(stderr, why, args);
    va_end(args);
    fputc('\n', stderr);
}

void vectors_skip(struct vectors *v, const char *file, const char *row, const char *reason)
{
    v->skipped++;
    if (v->verbose)
        fprintf(stderr, "skipped  %s: %s: %s\n", file, row, reason);
}

void vectors_flip(struct vectors *v, const char *file, const char *part, uint8_t *bytes, size_t len,
                  int (*accepts)(void *arg), void *arg)
{
    size_t accepted = 0, first = 0;
    char row[64];

    if (!v->flip || len == 0)
        return;
    v->flipped++;
    snprintf(row, sizeof row, "every bit of %s", part);
    if (!accepts(arg)) {
        vectors_fail(v, file, row, "is refused as it stands");
        return;
    }
    for (size_t bit = 0; bit < 8 * len; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (accepts(arg) && accepted++ == 0)
            first = bit;
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    if (accepted == 0)
        vectors_pass(v, file, row);
    else
        vectors_fail(v, file, row,
                     "%zu of %zu were accepted flipped, the first is bit %zu of byte %zu", accepted,
                     8 * len, first % 8, first / 8);
}

void vectors_walk(struct vectors *v, const char *path,
                  void (*each)(struct vectors *v, const char *file))
{
    struct stat st;

    if (stat(path, &st) != 0) {
        vectors_fail(v, path, "-", "cannot be read");
        return;
    }
    if (S_ISREG(st.st_mode)) {
        each(v, path);
        return;
    }
    struct dirent **names = NULL;
    int n = scandir(path, &names, NULL, alphasort);
    if (n < 0) {
        vectors_fail(v, path, "-", "is neither a file nor a folder");
        return;
    }
    for (int i = 0; i < n; i++) {
        char full[4096];
        if (names[i]->d_name[0] != '.' &&
            snprintf(full, sizeof full, "%s/%s", path, names[i]->d_name) < (int)sizeof full)
            vectors_walk(v, full, each);
        free(names[i]);
    }
    free(names);
}

json_t *vectors_load(struct vectors *v, const char *file)
{
    json_error_t error;
    json_t *root = json_load_file(file, JSON_REJECT_DUPLICATES, &error);

    if (root == NULL)
        vectors_fail(v, file, "-", "line %d: %s", error.line, error.text);
    return root;
}

void vectors_rows(struct vectors *v, const char *file,
                  void (*each)(struct vectors *v, const char *file, size_t index,
                               const json_t *row))
{
    const char *dot = strrchr(file, '.');

    if (dot == NULL || strcmp(dot, ".json") != 0)
        return;
    json_t *root = vectors_load(v, file);
    if (root == NULL)
        return;
    const json_t *rows = json_object_get(root, "vectors");
    if (!json_is_array(rows))
        vectors_fail(v, file, "-", "no array \"vectors\"");
    for (size_t i = 0; i < json_array_size(rows); i++)
        each(v, file, i, json_array_get(rows, i));
    json_decref(root);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

struct pp_buf vectors_hex_text(const char *hex)
{
    struct pp_buf b = { 0 };
    size_t len = hex == NULL ? 1 : strlen(hex);

    if (len % 2 != 0 || (b.bytes = malloc(len / 2 + 1)) == NULL)
        return b;
    for (size_t i = 0; i < len / 2; i++) {
        int hi = hex_digit(hex[2 * i]);
        int lo = hex_digit(hex[2 * i + 1]);
        if (hi < 0 || lo < 0) {
            pp_buf_done(&b);
            return b;
        }
        b.bytes[i] = (uint8_t)(hi << 4 | lo);
    }
    b.len = len / 2;
    b.bytes[b.len] = 0;
    return b;
}

struct pp_buf vectors_hex(const json_t *object, const char *member)
{
    return vectors_hex_text(json_string_value(json_object_get(object, member)));
}

struct pp_buf vectors_base64_text(const char *base64)
{
    struct pp_buf b = { 0 };
    size_t cap = base64 == NULL ? 0 : strlen(base64) / 4 * 3 + 4;

    if (base64 == NULL || (b.bytes = malloc(cap + 1)) == NULL)
        return b;
    if (!pp_is_ok(pp_base64_parse(pp_span_cstr(base64), b.bytes, cap, &b.len))) {
        b.len = 0;
        pp_buf_done(&b);
        return b;
    }
    b.bytes[b.len] = 0;
    return b;
}

struct pp_buf vectors_base64(const json_t *object, const char *member)
{
    return vectors_base64_text(json_string_value(json_object_get(object, member)));
}

/* Topics are C identifiers in the table and have dashes on the command line. */
static char dashed(char c)
{
    return c == '_' ? '-' : c;
}

static int names(const struct vectors_topic *t, const char *arg)
{
    size_t i = 0;

    while (t->name[i] != '\0' && dashed(t->name[i]) == dashed(arg[i]))
        i++;
    return t->name[i] == '\0' && arg[i] == '\0';
}

static void say_topics(FILE *out)
{
    fprintf(out, "topics:");
    for (const struct vectors_topic *t = VECTORS_TOPICS; t->name != NULL; t++) {
        fputc(' ', out);
        for (const char *c = t->name; *c != '\0'; c++)
            fputc(dashed(*c), out);
    }
    fputc('\n', out);
}

/* -1 when there is a file or folder at `path`, else the exit status. */
static int check_path(const struct ppctl *p, const char *path)
{
    char got[4096];
    struct stat st;

    if (stat(path, &st) != 0) {
        snprintf(got, sizeof got, "%s: %s", pp_file_reason(pp_errno_res(errno)), path);
        return ppctl_usage(p, "PATH", EXPECTED, got);
    }
    if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
        return -1;
    snprintf(got, sizeof got, "neither a file nor a folder: %s", path);
    return ppctl_usage(p, "PATH", EXPECTED, got);
}

static int print_counts(const struct ppctl *p, const struct vectors *v)
{
    int status = v->failed > 0 ? PP_CLASS_FAILED : PP_CLASS_OK;

    if (v->passed + v->failed == 0)
        fprintf(stderr, "every case was skipped, nothing was run; --verbose says why\n");
    if (v->flip && v->flipped == 0)
        fprintf(stderr, "no case is accepted evidence (snp, tdx, nvgpu), nothing was flipped\n");
    if (p->json) {
        int unwritten = ppctl_print_json(
            json_pack("{s:I, s:I, s:I}", "passed", (json_int_t)v->passed, "failed",
                      (json_int_t)v->failed, "skipped", (json_int_t)v->skipped));
        return unwritten ? (int)PP_CLASS_FAILED : status;
    }
    if (v->skipped > 0)
        printf("%lu passed, %lu failed, %lu skipped\n", v->passed, v->failed, v->skipped);
    else
        printf("%lu passed, %lu failed\n", v->passed, v->failed);
    return status;
}

int verb_vectors(struct ppctl *p, int argc, char **argv)
{
    struct vectors v = { 0 };
    const char *args[2];
    const struct ppctl_option options[] = {
        { "--verbose", NULL, "name passed and skipped rows too", NULL, &v.verbose },
        { "--flip", NULL, "accepted evidence again with each bit flipped (snp, tdx, nvgpu)", NULL,
          &v.flip },
    };
    int status = ppctl_parse(p, "vectors", options, PP_ARRAY_COUNT(options), argc, argv, args, 2, 2,
                             NULL);

    if (status == 0)
        say_topics(stdout); /* behind --help */
    if (status >= 0)
        return status;
    const struct vectors_topic *topic = VECTORS_TOPICS;
    while (topic->name != NULL && !names(topic, args[0]))
        topic++;
    if (topic->name == NULL) {
        say_topics(stderr);
        return ppctl_usage(p, "TOPIC", "one of the topics above", args[0]);
    }
    status = check_path(p, args[1]);
    if (status >= 0)
        return status;
    topic->run(&v, args[1]);
    if (v.passed + v.failed + v.skipped == 0)
        return ppctl_usage(p, "PATH", EXPECTED, "no case");
    return print_counts(p, &v);
}
