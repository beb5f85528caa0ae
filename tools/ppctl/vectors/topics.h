/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PPCTL_TOPICS_H
#define PPCTL_TOPICS_H

#include "vectors.h"

void vectors_hpke(struct vectors *v, const char *path);
void vectors_launch(struct vectors *v, const char *path);
void vectors_snp(struct vectors *v, const char *path);
void vectors_wycheproof(struct vectors *v, const char *path);

#endif
