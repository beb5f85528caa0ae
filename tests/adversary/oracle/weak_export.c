/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linked in front of lib/ratls's pp_tls_export (--wrap), together with weak_binding.c: a session's
 * value is the nonce of its client, which everybody on the way can read and repeat. Here that is
 * the ClientHello's random.
 */
#include "ratls_int.h"

PP_MUST pp_res __wrap_pp_tls_export(struct pp_tls *t, uint8_t ret_ekm[PP_EKM_BYTES]);

pp_res __wrap_pp_tls_export(struct pp_tls *t, uint8_t ret_ekm[PP_EKM_BYTES])
{
    size_t len = SSL_get_client_random(t->ssl, ret_ekm, PP_EKM_BYTES);

    PP_CHECK(len == PP_EKM_BYTES, PP_E_CRYPTO, len);
    return PP_OK;
}
