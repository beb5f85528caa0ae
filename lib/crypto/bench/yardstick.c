/* SPDX-License-Identifier: Apache-2.0 */
#include "yardstick.h"

#include <stdint.h>

#include <openssl/evp.h>

static EVP_PKEY_CTX *derive; /* lives as long as the benchmark */

static int start(void)
{
    EVP_PKEY *own = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    EVP_PKEY *peer = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");

    derive = own == NULL ? NULL : EVP_PKEY_CTX_new(own, NULL);
    int ok = derive != NULL && peer != NULL && EVP_PKEY_derive_init(derive) == 1 &&
             EVP_PKEY_derive_set_peer_ex(derive, peer, 0) == 1;
    EVP_PKEY_free(own);
    EVP_PKEY_free(peer);
    return ok;
}

int bench_bare_x25519(void)
{
    uint8_t out[32];
    size_t len = sizeof out;

    if (derive == NULL && !start())
        return 0;
    return EVP_PKEY_derive(derive, out, &len) == 1;
}
