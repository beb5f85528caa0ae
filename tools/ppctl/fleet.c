/* SPDX-License-Identifier: Apache-2.0 */
/* ppctl up, down, status: the whole system on loopback, for development. */
#include "fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verbs.h"

static void print_fault(const struct fleet_fault *fault, int is_tdx, json_t *list)
{
    const char *code = fleet_fault_code(fault, is_tdx);

    if (code == NULL) /* of the other kind of machine */
        return;
    if (list != NULL)
        json_array_append_new(list,
                              json_pack("{s:s, s:i, s:s, s:s}", "name", fault->name, "exit",
                                        fault->exit_status, "code", code, "what", fault->what));
    else
        printf("%s %d\n", fault->name, fault->exit_status);
}

static int list_faults(struct ppctl *p, int is_tdx)
{
    json_t *list = p->json ? json_array() : NULL;

    for (size_t i = 0; i < FLEET_FAULT_COUNT; i++)
        print_fault(&FLEET_FAULTS[i], is_tdx, list);
    return p->json ? ppctl_print_json(json_pack("{s:o}", "faults", list)) : 0;
}

static void say(void *ctx, const char *line)
{
    (void)ctx;
    fprintf(stderr, "%s\n", line);
}

static json_t *parties_json(const struct fleet *f)
{
    json_t *list = json_array();

    for (size_t i = 0; i < f->party_count; i++) {
        const struct fleet_party *q = &f->parties[i];
        json_t *listens = json_array();
        for (size_t k = 0; k < q->listen_count; k++)
            json_array_append_new(listens, json_string(q->listens[k].address));
        json_array_append_new(list, json_pack("{s:s, s:I, s:o, s:b}", "name", q->name, "pid",
                                              (json_int_t)q->pid, "listens", listens, "ready",
                                              fleet_party_alive(q)));
    }
    return list;
}

static void print_parties(const struct fleet *f)
{
    for (size_t i = 0; i < f->party_count; i++) {
        const struct fleet_party *q = &f->parties[i];
        printf("%-16s pid %-8ld %-8s", q->name, (long)q->pid,
               fleet_party_alive(q) ? "ready" : "gone");
        for (size_t k = 0; k < q->listen_count; k++)
            printf(" %s", q->listens[k].address);
        printf("\n");
    }
}

static int print_fleet(const struct ppctl *p, const struct fleet *f)
{
    if (p->json)
        return ppctl_print_json(json_pack("{s:o, s:s, s:b, s:s}", "parties", parties_json(f),
                                          "environment", "dev", "simulated", 1, "state", f->state));
    print_parties(f);
    return 0;
}

/* A simulated kind of machine, by the name that configurations have for it. */
static int take_platform(const char *name, int *ret_is_tdx)
{
    if (name == NULL)
        return 1;
    *ret_is_tdx = strcmp(name, "sim-tdx") == 0;
    return *ret_is_tdx || strcmp(name, "sim-snp") == 0;
}

static int start(struct ppctl *p, const struct fleet *wanted)
{
    struct fleet *f = calloc(1, sizeof *f);
    int status;

    if (f == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    pp_res r = fleet_open(f, p->state, &p->clock, &p->random);
    if (pp_is_ok(r)) {
        f->fault = wanted->fault;
        f->capture = wanted->capture;
        f->backends = wanted->backends;
        f->is_tdx = wanted->is_tdx;
        f->backends_tdx = wanted->backends_tdx;
        f->gpu = wanted->gpu;
        r = fleet_up(f, say, NULL);
    }
    if (pp_is_ok(r)) {
        fprintf(stderr, "ready in %s; the secure processor is simulated and protects nothing\n",
                f->state);
        status = print_fleet(p, f);
    } else {
        status = ppctl_fail(p, r, &f->problem, 0);
    }
    fleet_close(f);
    free(f);
    return status;
}

int verb_up(struct ppctl *p, int argc, char **argv)
{
    const char *fault = NULL, *platform = NULL, *backends = NULL;
    static struct fleet wanted;
    const struct ppctl_option options[] = {
        { "--platform", "NAME", "the simulated machine: sim-snp, which is the default, or sim-tdx",
          &platform, NULL },
        { "--fault", "NAME",
          "make one thing go wrong; NAME `list` prints them, with the exit "
          "status of summarize",
          &fault, NULL },
        { "--capture", NULL, "write down what passes on every hop, into STATE/tap-*", NULL,
          &wanted.capture },
        { "--backends", NULL,
          "a guard and a predictor besides the orchestrator, each in its own VM", NULL,
          &wanted.backends },
        { "--backends-platform", "NAME",
          "the same with their machines of this kind; by default they are as the orchestrator's",
          &backends, NULL },
        { "--gpu", NULL,
          "the machine has a simulated GPU, whose evidence it shows; not with --backends", NULL,
          &wanted.gpu },
    };
    int status = ppctl_parse(p, "up", options, PP_ARRAY_COUNT(options), argc, argv, NULL, 0, 0,
                             NULL);

    if (status >= 0)
        return status;
    if (!take_platform(platform, &wanted.is_tdx))
        return ppctl_usage(p, "--platform", "sim-snp or sim-tdx", platform);
    wanted.backends_tdx = wanted.is_tdx;
    if (!take_platform(backends, &wanted.backends_tdx))
        return ppctl_usage(p, "--backends-platform", "sim-snp or sim-tdx", backends);
    wanted.backends |= backends != NULL;
    if (fault != NULL && strcmp(fault, "list") == 0)
        return list_faults(p, wanted.is_tdx);
    wanted.fault = fault == NULL ? NULL : fleet_fault_find(fault);
    if (fault != NULL &&
        (wanted.fault == NULL || fleet_fault_code(wanted.fault, wanted.is_tdx) == NULL))
        return ppctl_usage(p, "--fault",
                           wanted.is_tdx ? "a name that --platform sim-tdx --fault list prints"
                                         : "a name that --platform sim-snp --fault list prints",
                           fault);
    wanted.gpu |= fleet_has_fault(&wanted, FAULT_DEVICE_GPU);
    if (wanted.gpu && wanted.backends) /* docs/protocol/backends.md, "GPUs" */
        return ppctl_usage(p, "--gpu", "no --backends with it: a guest judges no peer's GPU",
                           "both");
    return start(p, &wanted);
}

int verb_down(struct ppctl *p, int argc, char **argv)
{
    struct pp_problem problem = { 0 };
    int status = ppctl_parse(p, "down", NULL, 0, argc, argv, NULL, 0, 0, NULL);

    if (status >= 0)
        return status;
    pp_res r = fleet_down(p->state, &problem);
    if (!pp_is_ok(r))
        return ppctl_fail(p, r, &problem, 0);
    return p->json ? ppctl_print_json(json_pack("{s:b}", "down", 1)) : 0;
}

int verb_status(struct ppctl *p, int argc, char **argv)
{
    struct pp_problem problem = { 0 };
    int status = ppctl_parse(p, "status", NULL, 0, argc, argv, NULL, 0, 0, NULL);
    struct fleet *f;

    if (status >= 0)
        return status;
    f = calloc(1, sizeof *f);
    pp_res r = f == NULL ? PP_FAIL(PP_E_NO_MEMORY, 0) : fleet_read(f, p->state, &problem);
    status = pp_is_ok(r) ? print_fleet(p, f) : ppctl_fail(p, r, &problem, 0);
    for (size_t i = 0; pp_is_ok(r) && i < f->party_count; i++)
        if (!fleet_party_alive(&f->parties[i]))
            status = PP_CLASS_FAILED;
    free(f);
    return status;
}
