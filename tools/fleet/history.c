/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose a state folder is, and what happened in it. STATE/fleet names the fault of the last start,
 * and its machines where not all are of SEV-SNP: a folder without it that holds anything is
 * somebody else's; and a fault, or other machines, leave keys, tokens and marks behind that would
 * decide what the next start shows, so such a start begins with nothing but the simulated vendor,
 * whose keys take seconds to make, and the clock that a test put there.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fleet_int.h"

enum { DEPTH_FDS = 16, MARK_BYTES_MAX = 96 };

static const char MARKER[] = "fleet";
static const char *const KEPT[] = { ".", "..", "simulated-vendor", FLEET_CLOCK };

static int is_kept(const char *name)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(KEPT); i++)
        if (strcmp(KEPT[i], name) == 0)
            return 1;
    return 0;
}

pp_res fleet_claim(struct fleet *f)
{
    DIR *folder;
    const struct dirent *d;
    pp_res r = PP_OK;

    if (fleet_exists(f, MARKER, NULL))
        return PP_OK;
    folder = opendir(f->state);
    if (folder == NULL)
        return fleet_refuse(f, PP_FAIL(PP_E_CONFIG, errno), "ppctl", f->state,
                            "a folder that can be read", strerror(errno));
    while (pp_is_ok(r) && (d = readdir(folder)) != NULL)
        if (!is_kept(d->d_name))
            r = fleet_refuse(f, PP_FAIL(PP_E_CONFIG, 0), "ppctl", f->state,
                             "an empty folder, or one that ppctl up made", d->d_name);
    (void)closedir(folder);
    return r;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

/* Links are removed and not followed. */
static pp_res remove_entry(const struct fleet *f, const char *name)
{
    char path[FLEET_PATH_MAX];

    PP_TRY(fleet_path(f, name, NULL, path));
    PP_CHECK(nftw(path, remove_one, DEPTH_FDS, FTW_PHYS | FTW_DEPTH) == 0, PP_E_SYSTEM, errno);
    return PP_OK;
}

static pp_res begin_anew(const struct fleet *f)
{
    DIR *folder = opendir(f->state);
    const struct dirent *d;
    pp_res r = PP_OK;

    PP_CHECK(folder != NULL, PP_E_SYSTEM, errno);
    while (pp_is_ok(r) && (d = readdir(folder)) != NULL)
        if (!is_kept(d->d_name))
            r = remove_entry(f, d->d_name);
    (void)closedir(folder);
    return r;
}

/* "FAULT", and where not all machines are of SEV-SNP: the kinds of them. */
static void describe(const struct fleet *f, char ret[MARK_BYTES_MAX])
{
    const char *fault = f->fault == NULL ? "none" : f->fault->name;

    if (!f->is_tdx && !f->backends_tdx)
        snprintf(ret, MARK_BYTES_MAX, "%s", fault);
    else
        snprintf(ret, MARK_BYTES_MAX, "%s %s %s", fault, f->is_tdx ? "sim-tdx" : "sim-snp",
                 f->backends_tdx ? "sim-tdx" : "sim-snp");
}

pp_res fleet_begin(struct fleet *f)
{
    char mark[MARK_BYTES_MAX];
    struct pp_buf was = { 0 };
    char path[FLEET_PATH_MAX];

    describe(f, mark);
    PP_TRY(fleet_path(f, MARKER, NULL, path));
    pp_res r = pp_file_read(AT_FDCWD, path, MARK_BYTES_MAX, &was);
    int is_known = pp_is_ok(r);
    int is_same = pp_span_eq(pp_buf_span(&was), pp_span_cstr(mark));
    pp_buf_done(&was);
    if (!is_known && r.code != PP_E_NOT_FOUND)
        return r;
    if (is_known && (!is_same || f->fault != NULL))
        PP_TRY(begin_anew(f));
    return pp_file_write(AT_FDCWD, path, 0600, pp_span_cstr(mark));
}
