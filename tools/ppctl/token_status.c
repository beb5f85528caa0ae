/* SPDX-License-Identifier: Apache-2.0 */
/* ppctl token status: what the wallet holds. Asks nobody, fetches nothing, spends nothing. */
#include <stdio.h>
#include <stdlib.h>

#include "device.h"
#include "verbs.h"

static int print_status(struct ppctl *p, struct pp_device *d)
{
    struct pp_wallet_epoch epochs[PP_WALLET_EPOCHS_MAX];
    uint64_t now = pp_clock_posix_s(&p->clock);
    struct pp_wallet_fetch next = { 0 };
    size_t count = 0;

    pp_res r = pp_wallet_epochs(d->wallet, now, epochs, &count);
    if (!pp_is_ok(r))
        return ppctl_fail(p, r, &d->problem, 0);
    int planned = pp_is_ok(pp_wallet_next_fetch(d->wallet, now, &next));
    if (!p->json) {
        for (size_t i = 0; i < count; i++)
            printf("epoch %u: %u tokens, %u may be spent\n", epochs[i].day, epochs[i].held,
                   epochs[i].rested);
        if (count == 0)
            printf("no tokens\n");
        if (planned)
            printf("next batch: epoch %u, at %llu\n", next.day, (unsigned long long)next.at_s);
        return 0;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:I, s:I, s:I}", "epoch", (json_int_t)epochs[i].day,
                                              "held", (json_int_t)epochs[i].held, "usable",
                                              (json_int_t)epochs[i].rested));
    return ppctl_print_json(json_pack("{s:o, s:o}", "epochs", list, "next_fetch",
                                      planned ? json_integer((json_int_t)next.at_s) : json_null()));
}

int verb_token_status(struct ppctl *p, int argc, char **argv)
{
    int status = ppctl_parse(p, "token status", NULL, 0, argc, argv, NULL, 0, 0, NULL);
    struct pp_device *d;

    if (status >= 0)
        return status;
    d = calloc(1, sizeof *d);
    pp_res r = d == NULL ? PP_FAIL(PP_E_NO_MEMORY, 0)
                         : pp_device_open(d, p->state, &p->clock, &p->random);
    status = pp_is_ok(r) ? print_status(p, d) : ppctl_fail(p, r, d == NULL ? NULL : &d->problem, 0);
    if (d != NULL)
        pp_device_close(d);
    free(d);
    return status;
}
