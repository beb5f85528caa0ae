/* SPDX-License-Identifier: Apache-2.0 */
/* base.h: the whole of lib/base, for those who use most of it. */
#ifndef PP_BASE_H
#define PP_BASE_H

#include "arena.h"
#include "ct.h"
#include "env.h"
#include "problem.h"
#include "rd.h"
#include "result.h"
#include "secret.h"
#include "span.h"
#include "text.h"
#include "wr.h"

#endif
