/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock_file.h"
#include "fleet_int.h"

enum { FIRST_USER = 61300, FILE_BYTES_MAX = 64 << 20 };

static uid_t giving_to; /* nftw's function gets no context; ppctl has one thread */

/* A number each: when root starts the fleet, no party can read another's folder. */
static const char *const USERS[] = { "log",      "witness1",       "witness2", "witness3",
                                     "witness4", "record-witness", "issuer",   "gateway",
                                     "relay",    "host",           "cvm",      "guard",
                                     "predictor" };

pp_res fleet_refuse(struct fleet *f, pp_res r, const char *party, const char *field,
                    const char *expected, const char *got)
{
    pp_problem_party(&f->problem, party);
    pp_problem_set(&f->problem, field, expected, pp_span_cstr(got));
    return r;
}

uid_t fleet_user(const struct fleet *f, const char *party)
{
    if (f->user == 0)
        return 0;
    for (size_t i = 0; i < PP_ARRAY_COUNT(USERS); i++)
        if (strcmp(USERS[i], party) == 0)
            return f->user + (uid_t)i;
    return 0; /* owner, reviewers, trust, device: the person's own */
}

pp_res fleet_path(const struct fleet *f, const char *party, const char *name,
                  char ret[FLEET_PATH_MAX])
{
    int n = name == NULL ? snprintf(ret, FLEET_PATH_MAX, "%s/%s", f->state, party)
                         : snprintf(ret, FLEET_PATH_MAX, "%s/%s/%s", f->state, party, name);

    PP_CHECK(n > 0 && n < FLEET_PATH_MAX, PP_E_RANGE, n);
    return PP_OK;
}

static pp_res give(struct fleet *f, const char *party, const char *path)
{
    uid_t user = fleet_user(f, party);

    if (user != 0 && lchown(path, user, user) != 0)
        return pp_errno_res(errno);
    return PP_OK;
}

static int give_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return lchown(path, giving_to, giving_to);
}

pp_res fleet_give_all(struct fleet *f, const char *party)
{
    char path[FLEET_PATH_MAX];

    giving_to = fleet_user(f, party);
    if (giving_to == 0)
        return PP_OK;
    PP_TRY(fleet_path(f, party, NULL, path));
    if (nftw(path, give_one, 8, FTW_PHYS) != 0)
        return pp_errno_res(errno);
    return PP_OK;
}

pp_res fleet_folder(struct fleet *f, const char *party, const char *name)
{
    char path[FLEET_PATH_MAX];

    PP_TRY(fleet_path(f, party, name, path));
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        int e = errno;
        return fleet_refuse(f, pp_errno_res(e), "ppctl", path, "a folder that can be made",
                            strerror(e));
    }
    return give(f, party, path);
}

pp_res fleet_write(struct fleet *f, const char *party, const char *name, struct pp_span content)
{
    char path[FLEET_PATH_MAX];

    PP_TRY(fleet_path(f, party, name, path));
    pp_res r = pp_file_write(AT_FDCWD, path, 0600, content);
    if (!pp_is_ok(r))
        return fleet_refuse(f, r, "ppctl", path, "a file that can be written",
                            strerror((int)r.detail));
    return give(f, party, path);
}

pp_res fleet_read_file(struct fleet *f, const char *party, const char *name, size_t max,
                       struct pp_buf *ret)
{
    char path[FLEET_PATH_MAX];

    PP_TRY(fleet_path(f, party, name, path));
    pp_res r = pp_file_read(AT_FDCWD, path, max, ret);
    if (!pp_is_ok(r))
        return fleet_refuse(f, r, "ppctl", path, "a readable file", strerror((int)r.detail));
    return PP_OK;
}

int fleet_exists(const struct fleet *f, const char *party, const char *name)
{
    char path[FLEET_PATH_MAX];
    struct stat st;

    return pp_is_ok(fleet_path(f, party, name, path)) && stat(path, &st) == 0;
}

/* --- the clock of a test ---------------------------------------------------------------------- */

pp_res fleet_clock(const char *state, struct pp_clock *ret)
{
    char path[FLEET_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/" FLEET_CLOCK, state);

    PP_CHECK(n > 0 && n < FLEET_PATH_MAX, PP_E_RANGE, n);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? PP_OK : pp_errno_res(errno);
    pp_res r = pp_clock_file_follow(fd, ret);
    (void)close(fd);
    return r;
}

/* --- the folder itself ------------------------------------------------------------------------ */

/* STATE as an absolute path: processes that are started here work in folders of their own. */
static pp_res absolute(const char *state, char ret[FLEET_PATH_MAX])
{
    char here[FLEET_PATH_MAX];
    int n;

    if (state[0] == '/') {
        n = snprintf(ret, FLEET_PATH_MAX, "%s", state);
    } else {
        PP_CHECK(getcwd(here, sizeof here) != NULL, PP_E_SYSTEM, errno);
        n = snprintf(ret, FLEET_PATH_MAX, "%s/%s", here, state);
    }
    PP_CHECK(n > 0 && n < FLEET_PATH_MAX, PP_E_RANGE, n);
    return PP_OK;
}

/* Makes every missing folder on the way. */
static pp_res make_folders(char *path)
{
    for (char *slash = path + 1;; slash++) {
        if (*slash != '/' && *slash != '\0')
            continue;
        char was = *slash;
        *slash = '\0';
        int failed = mkdir(path, 0711) != 0 && errno != EEXIST ? errno : 0;
        *slash = was;
        if (failed != 0)
            return pp_errno_res(failed);
        if (was == '\0')
            return PP_OK;
    }
}

static pp_res find_programs(struct fleet *f)
{
    ssize_t n = readlink("/proc/self/exe", f->bin, sizeof f->bin - 1);

    PP_CHECK(n > 0, PP_E_SYSTEM, errno);
    f->bin[n] = '\0';
    char *slash = strrchr(f->bin, '/');
    PP_CHECK(slash != NULL, PP_E_SYSTEM, 0);
    *slash = '\0';
    return PP_OK;
}

static pp_res check_unused(struct fleet *f)
{
    struct fleet *old = calloc(1, sizeof *old);
    struct pp_problem problem = { 0 };
    int alive = 0;

    PP_CHECK(old != NULL, PP_E_NO_MEMORY, 0);
    pp_res r = fleet_read(old, f->state, &problem);
    for (size_t i = 0; pp_is_ok(r) && i < old->party_count; i++)
        alive |= fleet_party_alive(&old->parties[i]);
    free(old);
    if (!pp_is_ok(r) && r.code != PP_E_STATE_ABSENT) { /* what runs there cannot be told */
        f->problem = problem;
        return r;
    }
    if (alive)
        return fleet_refuse(f, PP_FAIL(PP_E_STATE_IN_USE, 0), "ppctl", f->state,
                            "a folder in which no fleet runs", "a running fleet");
    return PP_OK;
}

pp_res fleet_open(struct fleet *f, const char *state, const struct pp_clock *clock,
                  const struct pp_random *random)
{
    *f = (struct fleet){ .clock = *clock, .random = *random, .lock_fd = -1 };
    f->user = geteuid() == 0 ? FIRST_USER : 0;
    PP_TRY(absolute(state, f->state));
    PP_TRY(find_programs(f));
    pp_res r = make_folders(f->state);
    if (!pp_is_ok(r))
        return fleet_refuse(f, PP_FAIL(PP_E_CONFIG, r.detail), "ppctl", f->state,
                            "a folder that can be made", strerror((int)r.detail));
    /* The folder is its own lock: nothing is written before it is known whose it is. */
    f->lock_fd = open(f->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->lock_fd < 0) {
        int e = errno;
        return fleet_refuse(f, PP_FAIL(PP_E_CONFIG, e), "ppctl", f->state,
                            "a folder that can be read", strerror(e));
    }
    if (flock(f->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return fleet_refuse(f, PP_FAIL(PP_E_STATE_IN_USE, errno), "ppctl", f->state,
                            "a folder that no other ppctl works on", "another one does");
    PP_TRY(fleet_claim(f));
    return check_unused(f);
}

pp_res fleet_join(struct fleet *f, const char *state, const struct pp_clock *clock,
                  const struct pp_random *random)
{
    struct pp_problem problem = { 0 };
    pp_res r = fleet_read(f, state, &problem);

    f->clock = *clock;
    f->random = *random;
    f->user = geteuid() == 0 ? FIRST_USER : 0;
    f->problem = problem;
    PP_TRY(r);
    PP_TRY(find_programs(f));
    f->lock_fd = open(f->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->lock_fd < 0)
        return pp_errno_res(errno);
    if (flock(f->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return fleet_refuse(f, PP_FAIL(PP_E_STATE_IN_USE, errno), "ppctl", f->state,
                            "a folder that no other ppctl works on", "another one does");
    return PP_OK;
}

pp_res fleet_ohttp_keys(const struct fleet *f, char ret[FLEET_PATH_MAX])
{
    return fleet_path(f, "gateway", "ohttp_keys", ret);
}

pp_res fleet_give_ohttp_keys(struct fleet *f)
{
    return fleet_give_all(f, "gateway");
}

void fleet_close(struct fleet *f)
{
    if (f->lock_fd >= 0)
        (void)close(f->lock_fd);
    f->lock_fd = -1;
}
