/* SPDX-License-Identifier: Apache-2.0 */
/* x509_issue_int.h: an issuer's key, as the files that make signed things see it. */
#ifndef PP_X509_ISSUE_INT_H
#define PP_X509_ISSUE_INT_H

#include "x509_issue.h"

struct evp_pkey_st *pp_issue_key_pkey(const struct pp_issue_key *k); /* borrowed */

#endif
