/* SPDX-License-Identifier: Apache-2.0 */
/* The parameter sets of ML-KEM (FIPS 203, tables 2 and 3). Names are OpenSSL's, too. */
#include "mlkem_int.h"

#define SET(title, k_, eta1_, du_, dv_)                                                            \
    {                                                                                              \
        .name = (title), .k = (k_), .eta1 = (eta1_), .du = (du_), .dv = (dv_),                     \
        .pk_len = 384 * (k_) + 32, .ct_len = 32 * ((du_) * (k_) + (dv_)),                          \
    }

const struct pp_mlkem PP_MLKEM_512 = SET("ML-KEM-512", 2, 3, 10, 4);
const struct pp_mlkem PP_MLKEM_768 = SET("ML-KEM-768", 3, 2, 10, 4);
const struct pp_mlkem PP_MLKEM_1024 = SET("ML-KEM-1024", 4, 2, 11, 5);
