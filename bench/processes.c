/* SPDX-License-Identifier: Apache-2.0 */
#include "processes.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROCESSES_MAX = 4096, FILE_BYTES_MAX = 4096 };

struct process {
    pid_t pid, parent;
    char name[16];
    unsigned long own, ended; /* ticks: its own threads; children that ended and were waited for */
};

static size_t read_file(pid_t pid, const char *file, char ret[FILE_BYTES_MAX])
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, file);
    FILE *f = fopen(path, "re");
    size_t len = f == NULL ? 0 : fread(ret, 1, FILE_BYTES_MAX - 1, f);
    if (f != NULL)
        (void)fclose(f);
    ret[len] = '\0';
    return len;
}

/* proc(5), /proc/PID/stat: the name in brackets may hold anything, brackets too. 1 when read. */
static int read_stat(pid_t pid, struct process *ret)
{
    char text[FILE_BYTES_MAX];
    unsigned long user, system, user_ended, system_ended;
    long parent;

    if (read_file(pid, "stat", text) == 0)
        return 0;
    const char *from = strchr(text, '('), *end = strrchr(text, ')');
    if (from == NULL || end == NULL ||
        sscanf(end + 1, " %*c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu", &parent,
               &user, &system, &user_ended, &system_ended) != 5)
        return 0;
    *ret = (struct process){ .pid = pid,
                             .parent = (pid_t)parent,
                             .own = user + system,
                             .ended = user_ended + system_ended };
    snprintf(ret->name, sizeof ret->name, "%.*s", (int)(end - from - 1), from + 1);
    return 1;
}

static long status_kib(const char *status, const char *field)
{
    const char *at = strstr(status, field);

    return at == NULL ? 0 : strtol(at + strlen(field), NULL, 10);
}

static size_t read_all(struct process *list)
{
    DIR *proc = opendir("/proc");
    const struct dirent *e;
    size_t count = 0;

    while (proc != NULL && count < PROCESSES_MAX && (e = readdir(proc)) != NULL) {
        long pid = strtol(e->d_name, NULL, 10);
        if (pid > 0)
            count += (size_t)read_stat((pid_t)pid, &list[count]);
    }
    if (proc != NULL)
        (void)closedir(proc);
    return count;
}

static struct process_row *row_named(struct process_rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows->at[i].name, name) == 0)
            return &rows->at[i];
    if (rows->count == PROCESS_ROWS_MAX)
        return NULL;
    struct process_row *row = &rows->at[rows->count++];
    *row = (struct process_row){ .cpu_s = 0 };
    snprintf(row->name, sizeof row->name, "%s", name);
    return row;
}

static void add(struct process_rows *rows, const char *name, const struct process *p,
                unsigned long ticks)
{
    struct process_row *row = row_named(rows, name);
    char status[FILE_BYTES_MAX];

    if (row == NULL)
        return;
    row->cpu_s += (double)ticks / (double)sysconf(_SC_CLK_TCK);
    (void)read_file(p->pid, "status", status);
    long rss = status_kib(status, "\nVmRSS:"), anon = status_kib(status, "\nRssAnon:");
    if (rss > row->rss_kib)
        row->rss_kib = rss;
    if (anon > row->anon_kib)
        row->anon_kib = anon;
}

/* The CVM's processes name themselves; the one that they start from is the program itself. */
static void add_cvm(struct process_rows *rows, const struct process *list, size_t count,
                    pid_t parent)
{
    static const char *const NAMES[][2] = { { "pp-cvm-super", "cvm supervisor" },
                                            { "pp-cvm-channel", "cvm channel" },
                                            { "pp-cvm-attest", "cvm attester" },
                                            { "pp-cvm-worker", "cvm workers" } };

    for (size_t i = 0; i < count; i++) {
        const struct process *p = &list[i];
        const char *name = "cvm";

        if (p->parent != parent)
            continue;
        for (size_t n = 0; n < PP_ARRAY_COUNT(NAMES); n++)
            if (strcmp(p->name, NAMES[n][0]) == 0)
                name = NAMES[n][1];
        add(rows, name, p, p->own);
        if (strcmp(name, "cvm supervisor") == 0)
            add(rows, "cvm workers", &(struct process){ .pid = -1 }, p->ended);
        add_cvm(rows, list, count, p->pid);
    }
}

void process_rows_read(const struct fleet *f, struct process_rows *ret)
{
    struct process *list = calloc(PROCESSES_MAX, sizeof *list);
    size_t count = list == NULL ? 0 : read_all(list);

    *ret = (struct process_rows){ .count = 0 };
    for (size_t i = 0; i < f->party_count; i++) {
        struct process p;
        if (!read_stat(f->parties[i].pid, &p))
            continue;
        add(ret, f->parties[i].name, &p, p.own);
        if (strcmp(f->parties[i].name, "host") == 0)
            add_cvm(ret, list, count, p.pid);
    }
    free(list);
}

const struct process_row *process_row_find(const struct process_rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows->at[i].name, name) == 0)
            return &rows->at[i];
    return NULL;
}
