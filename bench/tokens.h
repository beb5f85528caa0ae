/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tokens.h: tokens for more sessions than one person has. The issuer gives an account so many
 * batches an epoch and no more; whoever holds the key that vouches for accounts, as the app's own
 * server does, can speak for any number of people. So the wallet is filled by as many of them as it
 * takes, each within its allowance.
 */
#ifndef BENCH_TOKENS_H
#define BENCH_TOKENS_H

#include "device.h"

/* Fetches one batch of today's tokens for the person `number` and puts it into the wallet. */
PP_MUST pp_res bench_fetch_batch(struct pp_device *d, unsigned number);

#endif
