/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PPCTL_TOPICS_H
#define PPCTL_TOPICS_H

#include "vectors.h"

void vectors_oprf(struct vectors *v, const char *path);

#endif
