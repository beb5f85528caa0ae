/* SPDX-License-Identifier: Apache-2.0 */
#include "former_reviews.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "text.h"

enum { PATH_BYTES_MAX = 4096 };

static pp_res refuse(struct pp_problem *problem, const char *field, const char *expected,
                     struct pp_span got)
{
    pp_problem_set(problem, field, expected, got);
    return PP_FAIL(PP_E_CONFIG, 0);
}

static pp_res add(struct pp_former_reviews *f, uint64_t entries, const char *path,
                  struct pp_problem *problem)
{
    struct pp_policy_file *file = &f->files[f->count];

    PP_ASSERT(f->count < PP_FORMER_REVIEWS_MAX);
    f->list[f->count++] = (struct pp_former_review){ &file->policy, entries };
    return pp_policy_file_load(path, PP_POLICY_REVIEW, problem, file);
}

/* 1 if `text` is the number of a former policy. */
static int read_entries(struct pp_span text, uint64_t *ret)
{
    return pp_is_ok(pp_decimal_parse(text, INT64_MAX, ret)) && *ret > 0;
}

/* --- configuration -------------------------------------------------------------------------- */

pp_res pp_former_reviews_load(const struct pp_kv_list *values, struct pp_problem *problem,
                              struct pp_former_reviews *ret)
{
    static const char FIELD[] = "former_review_policy";
    uint64_t last = 0;

    for (size_t i = 0; i < values->count; i++) {
        struct pp_span number, file = values->items[i];
        char path[PATH_BYTES_MAX] = "";
        uint64_t entries;

        if (i == PP_FORMER_REVIEWS_MAX)
            return refuse(problem, FIELD, "at most 16 lines", values->items[i]);
        if (!pp_text_cut(&file, ' ', &number) || !read_entries(number, &entries) || file.len == 0 ||
            file.len >= sizeof path)
            return refuse(problem, FIELD, "a number of entries and a file: N FILE",
                          values->items[i]);
        if (entries <= last)
            return refuse(problem, FIELD, "a larger number than on the line before",
                          values->items[i]);
        memcpy(path, file.at, file.len);
        PP_TRY(add(ret, entries, path, problem));
        last = entries;
    }
    return PP_OK;
}

/* --- trust folder --------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* The numbers of the folder's files, in order. A name that is almost one is refused: overlooked, it
 * would orphan what it was to keep. */
static pp_res list_folder(DIR *dir, struct pp_problem *problem, uint64_t ret[PP_FORMER_REVIEWS_MAX],
                          size_t *ret_count)
{
    const struct pp_span prefix = PP_STR(PP_FORMER_REVIEWS_PREFIX);
    const struct dirent *entry;
    size_t count = 0;

    while ((entry = readdir(dir)) != NULL) {
        struct pp_span name = pp_span_cstr(entry->d_name);
        if (name.len < prefix.len || !pp_span_eq(pp_span(name.at, prefix.len), prefix))
            continue;
        if (count == PP_FORMER_REVIEWS_MAX)
            return refuse(problem, PP_FORMER_REVIEWS_PREFIX "N", "at most 16 files", name);
        if (!read_entries(pp_span(name.at + prefix.len, name.len - prefix.len), &ret[count]))
            return refuse(problem, PP_FORMER_REVIEWS_PREFIX "N", "N is a number of entries", name);
        count++;
    }
    qsort(ret, count, sizeof ret[0], compare);
    *ret_count = count;
    return PP_OK;
}

pp_res pp_former_reviews_read(const char *folder, struct pp_problem *problem,
                              struct pp_former_reviews *ret)
{
    uint64_t numbers[PP_FORMER_REVIEWS_MAX];
    size_t count = 0;
    DIR *dir = opendir(folder);

    if (dir == NULL)
        return refuse(problem, "trust folder", "a folder that can be read", pp_span_cstr(folder));
    pp_res r = list_folder(dir, problem, numbers, &count);
    (void)closedir(dir);
    for (size_t i = 0; i < count && pp_is_ok(r); i++) {
        char path[PATH_BYTES_MAX];
        PP_CHECK(snprintf(path, sizeof path, "%s/" PP_FORMER_REVIEWS_PREFIX "%llu", folder,
                          (unsigned long long)numbers[i]) < PATH_BYTES_MAX,
                 PP_E_RANGE, 0);
        r = add(ret, numbers[i], path, problem);
    }
    return r;
}

void pp_former_reviews_done(struct pp_former_reviews *f)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(f->files); i++)
        pp_policy_file_done(&f->files[i]);
}
