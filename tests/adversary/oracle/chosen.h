/* SPDX-License-Identifier: Apache-2.0 */
/* chosen.h: TLS randoms of the attacker's choice, so that his hellos repeat what others said. */
#ifndef ORACLE_CHOSEN_H
#define ORACLE_CHOSEN_H

#include <stdint.h>

#include "profile.h"

/* The next 32 bytes that the TLS library of this process draws are these; NULL: chance again. */
void chosen_random(const uint8_t random[PP_TLS_RANDOM_BYTES]);

#endif
