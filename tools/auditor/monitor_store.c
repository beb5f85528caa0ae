/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "text.h"

static const char FINDINGS[] = "findings";

void pp_monitor_store_init(struct pp_monitor_store *s)
{
    *s = (struct pp_monitor_store){ .dir_fd = -1, .lock_fd = -1, .findings_fd = -1 };
}

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

void pp_monitor_store_close(struct pp_monitor_store *s)
{
    close_fd(s->findings_fd);
    close_fd(s->lock_fd);
    close_fd(s->dir_fd);
    free(s->findings);
    pp_monitor_store_init(s);
}

pp_res pp_monitor_store_folder(struct pp_monitor_store *s, const char *name, int *ret_fd)
{
    if (mkdirat(s->dir_fd, name, 0755) != 0 && errno != EEXIST)
        return pp_errno_res(errno);
    int fd = openat(s->dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return pp_errno_res(errno);
    *ret_fd = fd;
    return PP_OK;
}

/* --- findings --------------------------------------------------------------------------------- */

static pp_res remember(struct pp_monitor_store *s, const struct pp_monitor_finding *f, int is_new)
{
    PP_CHECK(s->finding_count < PP_MONITOR_FINDINGS_MAX, PP_E_LIMIT, s->finding_count);
    struct pp_monitor_stored *to = &s->findings[s->finding_count++];
    *to = (struct pp_monitor_stored){ .finding = *f, .is_new = is_new };
    to->is_present = is_new || f->kind == PP_FINDING_FACT;
    pp_monitor_finding_id_of(f, &to->id);
    return PP_OK;
}

/* A line that a power cut left half is no finding yet: the state has not moved past it either. */
static pp_res read_findings(struct pp_monitor_store *s)
{
    struct pp_span text, line;
    struct pp_buf b = { 0 };
    size_t whole;

    PP_TRY(pp_file_read(s->dir_fd, FINDINGS, PP_MONITOR_FINDINGS_BYTES_MAX, &b));
    for (whole = b.len; whole > 0 && b.bytes[whole - 1] != '\n'; whole--)
        ;
    text = pp_span(b.bytes, whole);
    pp_res r = PP_OK;
    while (pp_is_ok(r) && text.len > 0 && pp_text_cut(&text, '\n', &line)) {
        struct pp_monitor_finding f;
        r = pp_monitor_finding_parse(line, &f);
        if (pp_is_ok(r))
            r = remember(s, &f, 0);
    }
    if (pp_is_ok(r) && whole < b.len && ftruncate(s->findings_fd, (off_t)whole) != 0)
        r = pp_errno_res(errno);
    pp_buf_done(&b);
    return r;
}

static pp_res open_findings(struct pp_monitor_store *s)
{
    s->findings = calloc(PP_MONITOR_FINDINGS_MAX, sizeof *s->findings);
    PP_CHECK(s->findings != NULL, PP_E_NO_MEMORY, 0);
    s->findings_fd = openat(s->dir_fd, FINDINGS, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (s->findings_fd < 0)
        return pp_errno_res(errno);
    return read_findings(s);
}

static struct pp_monitor_stored *find(struct pp_monitor_store *s,
                                      const struct pp_monitor_finding_id *id)
{
    for (size_t i = 0; i < s->finding_count; i++)
        if (memcmp(s->findings[i].id.bytes, id->bytes, sizeof id->bytes) == 0)
            return &s->findings[i];
    return NULL;
}

static pp_res write_evidence(struct pp_monitor_store *s, const struct pp_monitor_finding_id *id,
                             struct pp_span line, const struct pp_monitor_evidence *evidence,
                             size_t count)
{
    char path[64] = "evidence/";
    struct pp_wr wr = pp_wr_over(path + strlen(path), 2 * PP_FINDING_ID_BYTES);
    int fd = -1;

    pp_wr_hex(&wr, PP_BYTES(id->bytes));
    PP_TRY(pp_monitor_store_folder(s, "evidence", &fd));
    (void)close(fd);
    PP_TRY(pp_monitor_store_folder(s, path, &fd));
    pp_res r = pp_file_write(fd, "finding", 0644, line);
    for (size_t i = 0; i < count && pp_is_ok(r); i++)
        if (evidence[i].bytes.len > 0)
            r = pp_file_write(fd, evidence[i].name, 0644, evidence[i].bytes);
    (void)close(fd);
    return r;
}

static pp_res append_line(struct pp_monitor_store *s, struct pp_span line)
{
    struct stat st;

    if (fstat(s->findings_fd, &st) != 0)
        return pp_errno_res(errno);
    pp_res r = pp_fd_write(s->findings_fd, line);
    if (pp_is_ok(r) && fdatasync(s->findings_fd) != 0)
        r = pp_errno_res(errno);
    if (!pp_is_ok(r) && ftruncate(s->findings_fd, st.st_size) != 0)
        return r; /* the half line is cut off when the file is opened again */
    return r;
}

/* A mirror that serves something else wrong every round does not crowd out the proof of a fork. */
static size_t most_of(enum pp_finding_kind kind)
{
    return kind == PP_FINDING_FACT ? PP_MONITOR_FINDINGS_MAX : PP_MONITOR_CONDITIONS_MAX;
}

pp_res pp_monitor_store_found(void *ctx, const struct pp_monitor_finding *f,
                              const struct pp_monitor_evidence *evidence, size_t evidence_count)
{
    struct pp_monitor_store *s = ctx;
    uint8_t text[PP_FINDING_LINE_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    struct pp_monitor_finding_id id;

    pp_monitor_finding_id_of(f, &id);
    struct pp_monitor_stored *known = find(s, &id);
    if (known != NULL) {
        known->is_present = 1;
        known->finding = *f;
        return PP_OK;
    }
    if (s->finding_count >= most_of(f->kind)) {
        s->dropped++;
        return PP_OK;
    }
    pp_monitor_finding_write(&wr, f);
    PP_TRY(pp_wr_ok(&wr));
    if (f->level == PP_FINDING_ALARM)
        PP_TRY(write_evidence(s, &id, pp_wr_done(&wr), evidence, evidence_count));
    PP_TRY(append_line(s, pp_wr_done(&wr)));
    return remember(s, f, 1);
}

void pp_monitor_store_round(struct pp_monitor_store *s)
{
    for (size_t i = 0; i < s->finding_count; i++) {
        s->findings[i].is_new = 0;
        s->findings[i].is_present = s->findings[i].finding.kind == PP_FINDING_FACT;
    }
}

enum pp_finding_level pp_monitor_store_level(const struct pp_monitor_store *s)
{
    enum pp_finding_level worst = (enum pp_finding_level)0;

    for (size_t i = 0; i < s->finding_count; i++)
        if (s->findings[i].is_present && s->findings[i].finding.level > worst)
            worst = s->findings[i].finding.level;
    return s->dropped > 0 ? PP_FINDING_ALARM : worst;
}

/* --- the folder ------------------------------------------------------------------------------- */

static pp_res open_folder(const char *folder, struct pp_monitor_store *s)
{
    if (mkdir(folder, 0755) != 0 && errno != EEXIST)
        return pp_errno_res(errno);
    s->dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->dir_fd < 0)
        return pp_errno_res(errno);
    s->lock_fd = openat(s->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (s->lock_fd < 0)
        return pp_errno_res(errno);
    PP_CHECK(flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0, PP_E_BUSY, errno);
    pp_file_drop_leftovers(s->dir_fd, ".");
    return open_findings(s);
}

pp_res pp_monitor_store_open(const char *folder, struct pp_monitor_store *ret,
                             struct pp_problem *problem)
{
    pp_monitor_store_init(ret);
    pp_res r = open_folder(folder, ret);
    if (r.code == PP_E_FORMAT || r.code == PP_E_MISMATCH)
        r.code = PP_E_CONFIG;
    if (!pp_is_ok(r))
        pp_problem_set(problem, folder, "a folder of one monitor, that it can write to",
                       pp_span_cstr(pp_file_reason(r)));
    return r;
}

/* --- state ------------------------------------------------------------------------------------ */

pp_res pp_monitor_store_save(struct pp_monitor_store *s, const struct pp_monitor_state *state)
{
    uint8_t *text = malloc(PP_MONITOR_STATE_BYTES_MAX);

    PP_CHECK(text != NULL, PP_E_NO_MEMORY, 0);
    struct pp_wr wr = pp_wr_over(text, PP_MONITOR_STATE_BYTES_MAX);
    pp_monitor_state_write(&wr, state);
    pp_res r = pp_wr_ok(&wr);
    if (pp_is_ok(r) && syncfs(s->dir_fd) != 0)
        r = pp_errno_res(errno);
    if (pp_is_ok(r))
        r = pp_file_write(s->dir_fd, "state", 0644, pp_wr_done(&wr));
    free(text);
    return r;
}

pp_res pp_monitor_store_load(struct pp_monitor_store *s, struct pp_monitor_state *state)
{
    struct pp_buf b = { 0 };

    PP_TRY(pp_file_read(s->dir_fd, "state", PP_MONITOR_STATE_BYTES_MAX, &b));
    pp_res r = pp_monitor_state_parse(pp_buf_span(&b), state);
    pp_buf_done(&b);
    return r;
}
