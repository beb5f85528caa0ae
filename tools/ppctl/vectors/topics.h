/* SPDX-License-Identifier: Apache-2.0 */
/* topics.h: the runner of every topic: vectors_<topic> in <topic>.c, one line of topics.def each.
 */
#ifndef PPCTL_TOPICS_H
#define PPCTL_TOPICS_H

#include "vectors.h"

#define TOPIC(name) void vectors_##name(struct vectors *v, const char *path);
#include "topics.def"
#undef TOPIC

#endif
