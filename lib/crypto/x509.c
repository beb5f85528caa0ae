/* SPDX-License-Identifier: Apache-2.0 */
#include "x509.h"
