/* SPDX-License-Identifier: Apache-2.0 */
#include "release.h"

#include <fcntl.h>
#include <stdlib.h>

#include "image_files.h"

struct release_hex release_hex(struct pp_span bytes)
{
    struct release_hex h = { { 0 } };
    struct pp_wr wr = pp_wr_over(h.text, sizeof h.text - 1);

    pp_wr_hex(&wr, bytes);
    return h;
}

pp_res release_refuse(struct pp_problem *problem, pp_res r, const char *field, const char *expected,
                      const char *got)
{
    pp_problem_set(problem, field, expected, pp_span_cstr(got));
    return r;
}

pp_res release_read(const char *path, size_t max, struct pp_problem *problem, struct pp_buf *ret)
{
    pp_res r = pp_file_read(AT_FDCWD, path, max, ret);

    return pp_is_ok(r) ? r
                       : release_refuse(problem, PP_FAIL(PP_E_INPUT, r.detail), path,
                                        "a file that can be read", pp_file_reason(r));
}

pp_res release_write(const char *path, struct pp_span content, struct pp_problem *problem)
{
    pp_res r = pp_file_update(AT_FDCWD, path, 0644, content);

    if (pp_is_ok(r))
        return r;
    return release_refuse(problem, r.code == PP_E_DISK_FULL ? r : PP_FAIL(PP_E_CONFIG, r.detail),
                          path, "a file that can be written", pp_file_reason(r));
}

pp_res release_arena(struct pp_arena *ret)
{
    void *mem = aligned_alloc(16, PP_IMAGE_FILES_ARENA_BYTES);

    PP_CHECK(mem != NULL, PP_E_NO_MEMORY, PP_IMAGE_FILES_ARENA_BYTES);
    *ret = pp_arena_over(mem, PP_IMAGE_FILES_ARENA_BYTES);
    return PP_OK;
}

pp_res release_check_place(const struct pp_record *r, const struct ppctl_place *place,
                           struct pp_problem *problem)
{
    const struct {
        const char *field;
        struct pp_span want, got;
    } rows[] = {
        { "ledger", place->origin, r->ledger },
        { "namespace", place->name_space, r->name_space },
        { "environment", pp_span_cstr(pp_record_env_name(place->environment)),
          pp_span_cstr(pp_record_env_name(r->environment)) },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        char want[PP_RECORD_WORD_MAX + 1];
        if (pp_span_eq(rows[i].want, rows[i].got))
            continue;
        pp_printable(want, sizeof want, rows[i].want);
        pp_problem_set(problem, rows[i].field, want, rows[i].got);
        return PP_FAIL(PP_E_LEDGER_NAMESPACE, i);
    }
    return PP_OK;
}
