/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "file.h"
#include "sandbox_int.h"
#include "text.h"

static pp_res refuse(struct pp_problem *problem, const char *wall, const char *expected, int e)
{
    pp_problem_set(problem, wall, expected, pp_span_cstr(strerror(e)));
    return PP_FAIL(PP_E_SYSTEM, e);
}

#ifdef PP_SANITIZE
/*
 * The leak check at exit reads /proc, which is not there in another root folder: it is then left
 * out.
 */
static int has_no_proc;

__attribute__((visibility("default"))) int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return has_no_proc;
}
#endif

/* --- user and root folder ------------------------------------------------------------------- */

struct identity {
    uid_t uid;
    gid_t gid;
};

static pp_res parse_ids(struct pp_span text, struct identity *ret)
{
    struct pp_span user;
    uint64_t uid;
    uint64_t gid;
    int both = pp_text_cut(&text, ':', &user);

    PP_TRY(pp_decimal_parse(user, UINT32_MAX - 1, &uid));
    gid = uid;
    if (both)
        PP_TRY(pp_decimal_parse(text, UINT32_MAX - 1, &gid));
    *ret = (struct identity){ (uid_t)uid, (gid_t)gid };
    return PP_OK;
}

static pp_res find_identity(const char *user, struct pp_problem *problem, struct identity *ret)
{
    static const char EXPECTED[] = "UID, UID:GID or a user of this machine, not root";
    const struct passwd *row;

    if (!pp_is_ok(parse_ids(pp_span_cstr(user), ret))) {
        row = getpwnam(user);
        if (row == NULL) {
            pp_problem_set(problem, "user", EXPECTED, pp_span_cstr(user));
            return PP_FAIL(PP_E_CONFIG, 0);
        }
        *ret = (struct identity){ row->pw_uid, row->pw_gid };
    }
    if (ret->uid == 0 || ret->gid == 0) {
        pp_problem_set(problem, "user", EXPECTED, pp_span_cstr(user));
        return PP_FAIL(PP_E_CONFIG, 0);
    }
    if (geteuid() != 0) {
        pp_problem_set(problem, "user", "no user, as only root can become another",
                       pp_span_cstr(user));
        return PP_FAIL(PP_E_CONFIG, 0);
    }
    return PP_OK;
}

static pp_res become(const struct identity *who, struct pp_problem *problem)
{
    uid_t uids[3];
    gid_t gids[3];

    if (setgroups(0, NULL) != 0 || setresgid(who->gid, who->gid, who->gid) != 0 ||
        setresuid(who->uid, who->uid, who->uid) != 0)
        return refuse(problem, "user", "to become the user", errno);

    /* Trust nothing: it must have stuck, and there must be no way back. */
    if (getresuid(&uids[0], &uids[1], &uids[2]) != 0 ||
        getresgid(&gids[0], &gids[1], &gids[2]) != 0)
        return refuse(problem, "user", "to read the user back", errno);
    for (int i = 0; i < 3; i++)
        if (uids[i] != who->uid || gids[i] != who->gid)
            return refuse(problem, "user", "to be the user", EPERM);
    if (getgroups(0, NULL) != 0 || setuid(0) == 0 || setgid(0) == 0)
        return refuse(problem, "user", "no other group and no way back", EPERM);
    return PP_OK;
}

static pp_res drop_user(const struct pp_sandbox *s, struct pp_problem *problem,
                        struct pp_sandbox_report *report)
{
    struct identity who;

    if (s->user == NULL || s->user[0] == '\0')
        return PP_OK;
    PP_TRY(find_identity(s->user, problem, &who));
    if (s->home != NULL) {
        if (chroot(s->home) != 0 || chdir("/") != 0)
            return refuse(problem, "home", "to make it the root folder", errno);
        report->chroot = 1;
#ifdef PP_SANITIZE
        has_no_proc = 1;
#endif
    }
    PP_TRY(become(&who, problem));
    report->user = 1;
    return PP_OK;
}

static pp_res drop_capabilities(struct pp_problem *problem)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[2] = { { 0 } };

    if (syscall(SYS_capset, &header, none) != 0)
        return refuse(problem, "capabilities", "to give them up", errno);
    return PP_OK;
}

/* --- Landlock: this system's header may be older than its kernel, so the names are ours ----- */

enum {
    ALL_FS_1 = (1 << 13) - 1, /* everything of version 1, execution included */
    FS_REFER = 1 << 13,       /* version 2 */
    FS_TRUNCATE = 1 << 14,    /* version 3 */
    FS_IOCTL_DEV = 1 << 15,   /* version 5 */
    FS_READ = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    FS_HOME = FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
              LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
              LANDLOCK_ACCESS_FS_REMOVE_DIR | FS_REFER | FS_TRUNCATE,
    NET_BIND = 1 << 0, /* version 4 */
    NET_CONNECT = 1 << 1,
    SCOPE_ABSTRACT_UNIX = 1 << 0, /* version 6 */
    SCOPE_SIGNAL = 1 << 1,
    RULE_NET_PORT = 2,
};

struct ruleset {
    uint64_t fs, net, scoped;
};

struct net_port {
    uint64_t allowed, port;
};

static size_t ruleset_size(long version)
{
    return version < 4 ? 8 : version < 6 ? 16 : 24;
}

static struct ruleset ruleset_of(long version)
{
    struct ruleset r = { .fs = ALL_FS_1 };

    if (version >= 2)
        r.fs |= FS_REFER;
    if (version >= 3)
        r.fs |= FS_TRUNCATE;
    if (version >= 4)
        r.net = NET_BIND | NET_CONNECT;
    if (version >= 5)
        r.fs |= FS_IOCTL_DEV;
    if (version >= 6)
        r.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
    return r;
}

static int allow_below(int ruleset, const char *folder, uint64_t rights)
{
    struct landlock_path_beneath_attr rule = { .allowed_access = rights };

    rule.parent_fd = open(folder, O_PATH | O_CLOEXEC | O_DIRECTORY);
    if (rule.parent_fd < 0)
        return -1;
    long r = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    int e = errno;
    (void)close(rule.parent_fd);
    errno = e;
    return (int)r;
}

static int add_folders(int ruleset, const struct pp_sandbox *s, const struct ruleset *r,
                       const struct pp_sandbox_report *report)
{
    uint64_t rights = (uint64_t)(s->read_only ? FS_READ : FS_HOME) & r->fs;

    for (size_t i = 0; i < s->folder_count; i++)
        if (allow_below(ruleset, s->folders[i], rights) != 0 && errno != ENOENT && errno != ENOTDIR)
            return -1;
    if (s->folder_count > 0 || s->home == NULL)
        return 0;
    return allow_below(ruleset, report->chroot ? "/" : s->home, rights);
}

static int add_rules(int ruleset, const struct pp_sandbox *s, const struct ruleset *r,
                     const struct pp_sandbox_report *report)
{
    if (add_folders(ruleset, s, r, report) != 0)
        return -1;
#ifdef PP_SANITIZE
    if (!report->chroot &&
        allow_below(ruleset, "/proc", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR) !=
            0)
        return -1;
#endif
    for (size_t i = 0; i < s->connect_port_count && r->net != 0; i++) {
        struct net_port rule = { NET_CONNECT, s->connect_ports[i] };
        if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) != 0)
            return -1;
    }
    return 0;
}

static pp_res build_landlock(const struct pp_sandbox *s, struct pp_problem *problem,
                             struct pp_sandbox_report *report)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    if (version <= 0) {
        if (s->landlock_optional)
            return PP_OK;
        return refuse(problem, "Landlock", "a kernel that has it and has it on", errno);
    }
    const struct ruleset r = ruleset_of(version);
    int fd = (int)syscall(SYS_landlock_create_ruleset, &r, ruleset_size(version), 0);
    if (fd < 0)
        return refuse(problem, "Landlock", "to make a ruleset", errno);
    int failed = add_rules(fd, s, &r, report) != 0 ||
                 syscall(SYS_landlock_restrict_self, fd, 0) != 0;
    int e = errno;
    (void)close(fd);
    if (failed)
        return refuse(problem, "Landlock",
                      "to shut this process into its home, which its user must own", e);
    report->landlock = (uint32_t)version;
    return PP_OK;
}

/* --- the whole ------------------------------------------------------------------------------ */

static pp_res harden_process(struct pp_problem *problem)
{
    const struct rlimit none = { 0, 0 };

    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return refuse(problem, "core dumps", "to switch them off", errno);
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return refuse(problem, "ptrace", "to switch it off", errno);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return refuse(problem, "new privileges", "to switch them off", errno);
    return PP_OK;
}

pp_res pp_sandbox_enter(const struct pp_sandbox *s, struct pp_problem *problem,
                        struct pp_sandbox_report *ret)
{
    struct pp_sandbox_report report = { 0 };

    PP_CHECK(s->connect_port_count <= PP_SANDBOX_PORTS_MAX, PP_E_RANGE, s->connect_port_count);
    PP_CHECK(s->syscall_count <= PP_SANDBOX_SYSCALLS_MAX, PP_E_RANGE, s->syscall_count);
    PP_CHECK(s->folder_count <= PP_SANDBOX_FOLDERS_MAX, PP_E_RANGE, s->folder_count);
    PP_TRY(drop_user(s, problem, &report));
    PP_TRY(drop_capabilities(problem));
    PP_TRY(harden_process(problem)); /* behind the change of user, which resets "dumpable" */
    PP_TRY(build_landlock(s, problem, &report));
    PP_TRY(pp_seccomp_enter_(s, problem, &report)); /* last: it forbids what the others needed */
    *ret = report;
    return PP_OK;
}

/* --- inherited descriptors ------------------------------------------------------------------ */

static int is_kept(int fd, const int *keep, size_t keep_count)
{
    for (size_t i = 0; i < keep_count; i++)
        if (keep[i] == fd)
            return 1;
    return 0;
}

pp_res pp_close_others(const int *keep, size_t keep_count)
{
    unsigned from = 3;

    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            return pp_errno_res(errno);
    /* The gaps between the kept ones, in one call each. */
    for (;;) {
        unsigned to = UINT_MAX;
        while (from <= INT_MAX && is_kept((int)from, keep, keep_count))
            from++;
        for (size_t i = 0; i < keep_count; i++)
            if (keep[i] > (int)from && (unsigned)keep[i] - 1 < to)
                to = (unsigned)keep[i] - 1;
        if (close_range(from, to, 0) != 0)
            return pp_errno_res(errno);
        if (to == UINT_MAX)
            return PP_OK;
        from = to + 1;
    }
}
