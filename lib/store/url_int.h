/* SPDX-License-Identifier: Apache-2.0 */
/* url_int.h: the rules for a database's URL, which where.c and pg.c share. */
#ifndef PP_STORE_URL_INT_H
#define PP_STORE_URL_INT_H

#include <libpq-fe.h>

#include "problem.h"
#include "where.h"

#define PP_URL_SCHEME "postgresql://"

/*
 * The parts of a URL that keeps the rules of where.h; PQconninfoFree releases them. CONFIG with
 * words that repeat nothing of it, NO_MEMORY.
 */
PP_MUST pp_res pp_url_parse_(const char *url, struct pp_problem *problem, PQconninfoOption **ret);

/* The value of a part; NULL when the URL does not say it. */
const char *pp_url_part_(const PQconninfoOption *parts, const char *name);

#endif
