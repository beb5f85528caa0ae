/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppctl refresh: the scheduled work of a device, for a timer: the directory bundle and the token
 * batches whose drawn moments have come. Nothing that a person does starts it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "device.h"
#include "verbs.h"

static pp_res run(struct ppctl *p, struct pp_device *d)
{
    pp_res tokens = PP_OK;

    PP_TRY(pp_device_open(d, p->state, &p->clock, &p->random));
    PP_TRY(pp_device_tick(d, &tokens));
    return tokens;
}

/* Why no mirror gave a bundle that can be believed, while the held one is good still; or NULL. */
static const char *mirror_trouble(const struct pp_device *d)
{
    for (size_t i = 0; i < d->checks.count; i++)
        if (d->checks.rows[i].step == PP_STEP_DIRECTORY &&
            d->checks.rows[i].verdict == PP_VERDICT_SKIPPED)
            return d->checks.rows[i].value;
    return NULL;
}

static int print_result(const struct ppctl *p, const struct pp_device *d)
{
    uint64_t serial = d->marks->status_serial;
    const char *trouble = mirror_trouble(d);

    if (p->json)
        return ppctl_print_json(json_pack("{s:I, s:s?}", "status_serial", (json_int_t)serial,
                                          "directory_failed", trouble));
    if (trouble == NULL)
        printf("status %llu of the ledger is held; what was due is fetched\n",
               (unsigned long long)serial);
    else
        printf("status %llu of the ledger is held; no newer bundle could be fetched (%s)\n",
               (unsigned long long)serial, trouble);
    return fflush(stdout) != 0 ? (int)PP_CLASS_FAILED : 0;
}

int verb_refresh(struct ppctl *p, int argc, char **argv)
{
    int status = ppctl_parse(p, "refresh", NULL, 0, argc, argv, NULL, 0, 0, NULL);
    struct pp_device *d;

    if (status >= 0)
        return status;
    d = calloc(1, sizeof *d);
    pp_res r = d == NULL ? PP_FAIL(PP_E_NO_MEMORY, 0) : run(p, d);
    if (!pp_is_ok(r))
        status = ppctl_fail(p, r, d == NULL ? NULL : &d->problem, 0);
    else
        status = print_result(p, d);
    if (d != NULL)
        pp_device_close(d);
    free(d);
    return status;
}
