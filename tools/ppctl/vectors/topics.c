/* SPDX-License-Identifier: Apache-2.0 */
#include "topics.h"

const struct vectors_topic VECTORS_TOPICS[] = {
#define TOPIC(name) { #name, vectors_##name },
#include "topics.def"
#undef TOPIC
    { 0 },
};
