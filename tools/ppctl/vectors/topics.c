/* SPDX-License-Identifier: Apache-2.0 */
/* The table of topics; each topic has a file of its own. */
#include "topics.h"

const struct vectors_topic VECTORS_TOPICS[] = {
    { "hpke", vectors_hpke },
    { "launch", vectors_launch },
    { "snp", vectors_snp },
    { "wycheproof", vectors_wycheproof },
    { 0 },
};
