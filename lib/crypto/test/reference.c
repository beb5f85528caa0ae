/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include "harness.h"

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

static X509 *read_again(const struct pp_x509 *c)
{
    struct pp_span der = pp_x509_der(c);
    const unsigned char *at = der.at;

    return d2i_X509(NULL, &at, (long)der.len);
}

/* The chain that OpenSSL built must be the one that was given. */
static int is_whole(X509_STORE_CTX *ctx, struct pp_x509 *const *certs, size_t count)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
    int same = chain != NULL && sk_X509_num(chain) == (int)count;

    for (size_t i = 0; same && i < count; i++) {
        X509 *x = read_again(certs[i]);
        same = X509_cmp(sk_X509_value(chain, (int)i), x) == 0;
        X509_free(x);
    }
    return same;
}

uint32_t reference_chain_code(struct pp_x509 *const *certs, size_t count, uint64_t posix_s,
                              int strict)
{
    if (posix_s > INT64_MAX)
        return PP_E_RANGE;
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *middle = sk_X509_new_null();
    X509 *leaf = read_again(certs[0]);
    X509 *root = read_again(certs[count - 1]);

    assert_true(X509_STORE_add_cert(store, root) == 1);
    for (size_t i = 1; i + 1 < count; i++)
        assert_true(sk_X509_push(middle, read_again(certs[i])) > 0);
    assert_true(X509_STORE_CTX_init(ctx, store, leaf, middle) == 1);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t)posix_s);
    X509_VERIFY_PARAM_set_depth(param, (int)count - 2);
    assert_true(X509_VERIFY_PARAM_set_flags(
                    param, X509_V_FLAG_CHECK_SS_SIGNATURE | X509_V_FLAG_USE_CHECK_TIME |
                               (strict ? X509_V_FLAG_X509_STRICT : 0)) == 1);

    int verified = X509_verify_cert(ctx) == 1;
    int error = X509_STORE_CTX_get_error(ctx);
    uint32_t code = verified && is_whole(ctx, certs, count) ? PP_E_OK : PP_E_SIGNATURE;
    if (error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID)
        code = PP_E_RANGE;
    X509_STORE_CTX_free(ctx);
    sk_X509_pop_free(middle, X509_free);
    X509_STORE_free(store);
    X509_free(leaf);
    X509_free(root);
    return code;
}
