/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a certificate, a PEM file, a revocation list and an ECDSA signature. */
#include "fuzz.h"

#include "crypto.h"
#include "x509.h"

static void read_names(const struct pp_x509 *c)
{
    static const char *const attributes[] = { "CN", "O", "OU", "C", "ST", "L" };
    char text[PP_X509_NAME_BYTES_MAX];

    for (int side = PP_X509_SUBJECT; side <= PP_X509_ISSUER; side++) {
        (void)pp_x509_name_count(c, (enum pp_x509_side)side);
        for (size_t i = 0; i < PP_ARRAY_COUNT(attributes); i++)
            if (pp_is_ok(pp_x509_name(c, (enum pp_x509_side)side, attributes[i], text)))
                FUZZ_CHECK(memchr(text, 0, sizeof text) != NULL);
    }
}

static void read_fields(struct pp_x509 *c, struct pp_span der)
{
    static const char *const oids[] = { "1.3.6.1.4.1.3704.1.2", "1.3.6.1.4.1.3704.1.4",
                                        "2.5.29.19" };
    uint8_t buf[PP_X509_DER_BYTES_MAX];
    uint8_t number[48] = { 1 };
    struct pp_span value;
    size_t len;

    FUZZ_CHECK(pp_span_eq(pp_x509_der(c), der));
    read_names(c);
    for (size_t i = 0; i < PP_ARRAY_COUNT(oids); i++)
        if (pp_is_ok(pp_x509_extension(c, oids[i], &value)))
            FUZZ_CHECK(value.len <= der.len);
    FUZZ_CHECK(pp_x509_not_after(c) < UINT64_C(1) << 48);
    (void)pp_x509_version(c);
    (void)pp_x509_sig_kind(c);
    (void)pp_x509_key_bits(c);
    pp_ignore(pp_x509_spki(c, buf, sizeof buf, &len), "any outcome is fine here");
    if (pp_is_ok(pp_x509_point(c, buf, sizeof buf, &len)))
        FUZZ_CHECK(len == PP_P256_POINT_BYTES || len == PP_P384_POINT_BYTES);
    FUZZ_CHECK(
        !pp_is_ok(pp_x509_ecdsa_verify_raw(c, PP_SHA384, PP_STR("never signed"), number, number)));
    struct pp_x509 *chain[] = { c, c };
    pp_ignore(pp_x509_chain_verify(chain, 2, c, 1700000000, 0), "any outcome is fine here");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_span input = pp_span(data, len);
    struct pp_x509 *c = NULL;
    struct pp_x509_pem pem;
    uint8_t r[48], s[48], der[PP_ECDSA_DER_BYTES_MAX];
    size_t der_len;

    FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
    if (pp_is_ok(pp_x509_parse(input, &c))) {
        int listed = 0;
        read_fields(c, input);
        pp_ignore(pp_x509_crl_lists(input, c, c, 1700000000, &listed), "any outcome is fine here");
    }
    pp_x509_free(c);
    if (pp_is_ok(pp_x509_pem_parse(input, &pem))) {
        FUZZ_CHECK(pem.count >= 1 && pem.count <= PP_X509_CHAIN_MAX);
        pp_x509_pem_free(&pem);
    }
    if (pp_is_ok(pp_ecdsa_der_to_raw(input, 48, r, s))) {
        FUZZ_CHECK(pp_is_ok(pp_ecdsa_raw_to_der(r, s, 48, der, sizeof der, &der_len)));
        FUZZ_CHECK(pp_span_eq(pp_span(der, der_len), input)); /* one encoding per value */
    }
    return 0;
}
