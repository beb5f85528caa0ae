/* SPDX-License-Identifier: Apache-2.0 */
/* The table of topics; each topic has a file of its own. */
#include "topics.h"

const struct vectors_topic VECTORS_TOPICS[] = {
    { "bhttp", vectors_bhttp },
    { "hpke", vectors_hpke },
    { "ohttp", vectors_ohttp },
    { 0 },
};
