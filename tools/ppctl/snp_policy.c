/* SPDX-License-Identifier: Apache-2.0 */
#include "snp_policy.h"

#include <string.h>

#include "text.h"

enum key_kind { KEY_HEX, KEY_LEVEL, KEY_FLAG };

struct key {
    const char *name;
    enum key_kind kind;
    size_t offset; /* of the value in struct ppctl_snp_policy */
    size_t len;
    enum pp_snp_check_number check; /* that the key asks for */
};

#define HEX(name, member, check)                                                                   \
    {                                                                                              \
        name, KEY_HEX, offsetof(struct ppctl_snp_policy, member),                                  \
            sizeof((struct ppctl_snp_policy *)0)->member, check                                    \
    }

static const struct key KEYS[] = {
    HEX("expected_measurement_hex", measurement, PP_SNP_CHECK_MEASUREMENT),
    HEX("expected_host_data_hex", host_data, PP_SNP_CHECK_HOST_DATA),
    HEX("expected_report_data_hex", report_data, PP_SNP_CHECK_BINDING),
    HEX("expected_id_key_digest_hex", id_key, PP_SNP_CHECK_ID_BLOCK),
    HEX("expected_author_key_digest_hex", author_key, PP_SNP_CHECK_ID_BLOCK),
    { "min_tcb_bl_spl", KEY_LEVEL, offsetof(struct pp_snp_tcb_parts, boot_loader), 1,
      PP_SNP_CHECK_TCB_MIN },
    { "min_tcb_ucode_spl", KEY_LEVEL, offsetof(struct pp_snp_tcb_parts, microcode), 1,
      PP_SNP_CHECK_TCB_MIN },
    { "enforce_spec_defaults", KEY_FLAG, 0, 0, PP_SNP_CHECK_POLICY },
};

static pp_res refuse(struct pp_problem *problem, const char *key, const char *expected,
                     const json_t *value)
{
    const char *text = json_string_value(value);

    pp_problem_set(problem, key, expected, pp_span_cstr(text == NULL ? "" : text));
    return PP_FAIL(PP_E_CONFIG, 0);
}

static pp_res refuse_unknown(struct pp_problem *problem, const char *name)
{
    pp_problem_set(problem, name, "a key that docs/protocol/snp.md lists", pp_span_cstr(name));
    return PP_FAIL(PP_E_CONFIG, 0);
}

/* Either case of hexadecimal, exactly as long as the field. */
static pp_res read_hex(const json_t *value, uint8_t *ret, size_t len)
{
    char lower[2 * PP_SNP_REPORT_DATA_BYTES + 1];
    const char *text = json_string_value(value);

    PP_CHECK(text != NULL && strlen(text) == 2 * len, PP_E_FORMAT, 0);
    for (size_t i = 0; i <= 2 * len; i++)
        lower[i] = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] - 'A' + 'a') : text[i];
    return pp_hex_parse(pp_span(lower, 2 * len), ret, len);
}

/* The set of the one value that stands at `at`. */
static void expect(struct pp_attest_set *set, const uint8_t *at)
{
    *set = (struct pp_attest_set){ .values = at, .count = 1, .anchor = "policy file" };
}

static void use_hex(struct ppctl_snp_policy *p, const struct key *key)
{
    const uint8_t *at = (const uint8_t *)p + key->offset;

    if (at == p->measurement)
        expect(&p->policy.measurements, at);
    else if (at == p->host_data)
        expect(&p->policy.host_data, at);
    else if (at == p->id_key)
        expect(&p->policy.id_keys, at);
    else if (at == p->author_key)
        expect(&p->policy.author_keys, at);
    else
        p->policy.report_data = at;
    p->policy.report_data_anchor = "policy file";
}

static pp_res read_key(struct ppctl_snp_policy *p, const struct key *key, const json_t *value,
                       struct pp_problem *problem)
{
    json_int_t level = json_integer_value(value);

    switch (key->kind) {
    case KEY_HEX:
        if (!pp_is_ok(read_hex(value, (uint8_t *)p + key->offset, key->len)))
            return refuse(problem, key->name, "hexadecimal, of the field's length", value);
        use_hex(p, key);
        break;
    case KEY_LEVEL:
        if (!json_is_integer(value) || level < 0 || level > UINT8_MAX)
            return refuse(problem, key->name, "an integer from 0 to 255", value);
        for (size_t line = 0; line < PP_SNP_LINES; line++)
            ((uint8_t *)&p->policy.tcb_min[line])[key->offset] = (uint8_t)level;
        break;
    case KEY_FLAG:
        if (!json_is_boolean(value))
            return refuse(problem, key->name, "true or false", value);
        if (json_is_false(value))
            return PP_OK;
        break;
    }
    p->policy.skip &= ~PP_ATTEST_BIT(key->check);
    return PP_OK;
}

pp_res ppctl_snp_policy_read(const json_t *json, struct ppctl_snp_policy *ret,
                             struct pp_problem *problem)
{
    const char *name;
    json_t *value;

    *ret = (struct ppctl_snp_policy){
        .policy = {
            .name = "policy file",
            .skip = PP_SNP_SKIPPABLE,
            .version_min = PP_SNP_VERSION_MIN,
            .signers = PP_ATTEST_BIT(PP_SNP_VCEK) | PP_ATTEST_BIT(PP_SNP_VLEK),
            .lines = UINT32_MAX,
            .policy_bits = { .required = PP_SNP_POLICY_MUST_BE_ONE,
                             .forbidden = PP_SNP_POLICY_RESERVED },
        },
    };
    if (json == NULL)
        return PP_OK;
    if (!json_is_object(json))
        return refuse(problem, "policy", "a JSON object", json);
    json_object_foreach((json_t *)json, name, value)
    {
        const struct key *key = NULL;
        for (size_t i = 0; i < PP_ARRAY_COUNT(KEYS); i++)
            if (strcmp(KEYS[i].name, name) == 0)
                key = &KEYS[i];
        if (key == NULL)
            return refuse_unknown(problem, name);
        PP_TRY(read_key(ret, key, value, problem));
    }
    return PP_OK;
}

void ppctl_snp_policy_strict(struct ppctl_snp_policy *ret)
{
    *ret = (struct ppctl_snp_policy){ .policy = PP_SNP_POLICY_STRICT };
    ret->policy.skip = PP_ATTEST_BIT(PP_SNP_CHECK_CRL) | PP_ATTEST_BIT(PP_SNP_CHECK_MEASUREMENT) |
                       PP_ATTEST_BIT(PP_SNP_CHECK_HOST_DATA) | PP_ATTEST_BIT(PP_SNP_CHECK_HOST_ID) |
                       PP_ATTEST_BIT(PP_SNP_CHECK_BINDING);
}

/* Which authority a certificate is: its CN says "SEV-VLEK-<line>" or "SEV-<line>". */
static pp_res is_vlek_authority(struct pp_span der, int *ret)
{
    char cn[PP_X509_NAME_BYTES_MAX];
    struct pp_span prefix = PP_STR("SEV-VLEK-");
    struct pp_x509 *cert = NULL;

    PP_TRY(pp_x509_parse(der, &cert));
    pp_res r = pp_x509_name(cert, PP_X509_SUBJECT, "CN", cn);
    pp_x509_free(cert);
    PP_TRY(r);
    *ret = strlen(cn) > prefix.len && pp_span_eq(pp_span(cn, prefix.len), prefix);
    return PP_OK;
}

static pp_res add_chain(const struct pp_x509_pem *pem, struct pp_snp_anchors *ret)
{
    struct pp_span authorities[2] = { { 0 }, { 0 } }; /* of VCEKs, of VLEKs */

    PP_CHECK(pem->count >= 2, PP_E_TRUST, pem->count);
    for (size_t i = 0; i + 1 < pem->count; i++) {
        struct pp_span der = pp_span(pem->der[i], pem->der_len[i]);
        int vlek;
        PP_TRY_AS(PP_E_TRUST, is_vlek_authority(der, &vlek));
        PP_CHECK(authorities[vlek].len == 0, PP_E_TRUST, i);
        authorities[vlek] = der;
    }
    return pp_snp_anchors_add(ret, pp_span(pem->der[pem->count - 1], pem->der_len[pem->count - 1]),
                              authorities[0], authorities[1]);
}

pp_res ppctl_snp_anchors_pem(struct pp_span pem, struct pp_snp_anchors *ret)
{
    struct pp_x509_pem parsed = { 0 };

    PP_TRY_AS(PP_E_FORMAT, pp_x509_pem_parse(pem, &parsed));
    pp_res r = add_chain(&parsed, ret);
    pp_x509_pem_free(&parsed);
    return r;
}
