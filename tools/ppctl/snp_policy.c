/* SPDX-License-Identifier: Apache-2.0 */
#include "snp_policy.h"

#include <string.h>

#include "text.h"

enum key_kind {
    KEY_HEX,      /* bytes in hexadecimal, exactly as many as the field has */
    KEY_LEVEL,    /* 0 to 255: a component of a patch level, for every line */
    KEY_NUMBER,   /* 0 to the row's `max` */
    KEY_BITS,     /* "0x" and up to 16 hexadecimal digits */
    KEY_MASK,     /* likewise: bits that must have the value that the next key gives */
    KEY_VALUE,    /* likewise */
    KEY_FIRMWARE, /* "major.minor.build" */
    KEY_ABI,      /* "major.minor" */
    KEY_LINES,    /* an array of names */
    KEY_SIGNERS,
    KEY_FLAG, /* true asks for the check */
};

struct key {
    const char *name;
    enum key_kind kind;
    size_t offset; /* of the value in struct ppctl_snp_policy, or of a level in its parts */
    size_t len;    /* of a KEY_HEX; of a KEY_NUMBER: the largest */
    enum pp_snp_check_number check; /* that the key asks for */
};

#define AT(member) offsetof(struct ppctl_snp_policy, member)
#define HEX(name, member, check)                                                                   \
    {                                                                                              \
        name, KEY_HEX, AT(member), sizeof((struct ppctl_snp_policy *)0)->member, check             \
    }
#define LEVEL(name, component)                                                                     \
    { "min_tcb_" name "_spl", KEY_LEVEL,                                                           \
      AT(policy.tcb_min) + offsetof(struct pp_snp_tcb_parts, component), 0,                        \
      PP_SNP_CHECK_TCB_MIN },                                                                      \
    {                                                                                              \
        "min_launch_tcb_" name "_spl", KEY_LEVEL,                                                  \
            AT(policy.launch_tcb_min) + offsetof(struct pp_snp_tcb_parts, component), 0,           \
            PP_SNP_CHECK_TCB_MIN                                                                   \
    }

static const struct key KEYS[] = {
    HEX("expected_measurement_hex", measurement, PP_SNP_CHECK_MEASUREMENT),
    HEX("expected_host_data_hex", host_data, PP_SNP_CHECK_HOST_DATA),
    HEX("expected_report_data_hex", report_data, PP_SNP_CHECK_BINDING),
    HEX("expected_id_key_digest_hex", id_key, PP_SNP_CHECK_ID_BLOCK),
    HEX("expected_author_key_digest_hex", author_key, PP_SNP_CHECK_ID_BLOCK),
    HEX("expected_family_id_hex", family_id, PP_SNP_CHECK_ID_BLOCK),
    HEX("expected_image_id_hex", image_id, PP_SNP_CHECK_ID_BLOCK),
    HEX("expected_chip_id_hex", chip_id, PP_SNP_CHECK_HOST_ID),
    LEVEL("fmc", fmc),
    LEVEL("bl", boot_loader),
    LEVEL("tee", tee),
    LEVEL("snp", snp),
    LEVEL("ucode", microcode),
    { "min_guest_svn", KEY_NUMBER, AT(policy.guest_svn_min), UINT32_MAX, PP_SNP_CHECK_ID_BLOCK },
    { "min_report_version", KEY_NUMBER, AT(policy.version_min), PP_SNP_VERSION_MAX,
      PP_SNP_CHECK_FORMAT },
    { "vmpl", KEY_NUMBER, AT(policy.vmpl), 3, PP_SNP_CHECK_VMPL },
    { "min_firmware", KEY_FIRMWARE, AT(policy.fw_min), 0, PP_SNP_CHECK_FW_MIN },
    { "min_abi", KEY_ABI, AT(policy.abi_min), 0, PP_SNP_CHECK_POLICY },
    { "required_mitigations", KEY_BITS, AT(policy.mitigations), 0, PP_SNP_CHECK_MITIGATION },
    { "policy_mask", KEY_MASK, AT(policy.policy_bits), 0, PP_SNP_CHECK_POLICY },
    { "policy_value", KEY_VALUE, AT(policy.policy_bits), 0, PP_SNP_CHECK_POLICY },
    { "platform_info_mask", KEY_MASK, AT(policy.platform_bits), 0, PP_SNP_CHECK_PLATFORM },
    { "platform_info_value", KEY_VALUE, AT(policy.platform_bits), 0, PP_SNP_CHECK_PLATFORM },
    { "lines", KEY_LINES, AT(policy.lines), 0, PP_SNP_CHECK_PRODUCT },
    { "signers", KEY_SIGNERS, AT(policy.signers), 0, PP_SNP_CHECK_KEY_INFO },
    { "require_crl", KEY_FLAG, 0, 0, PP_SNP_CHECK_CRL },
    { "require_final_firmware", KEY_FLAG, 0, 0, PP_SNP_CHECK_PROVISIONAL },
    { "require_no_migration_agent", KEY_FLAG, 0, 0, PP_SNP_CHECK_MIGRATION },
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
    else if (at == p->chip_id)
        expect(&p->policy.chip_ids, at);
    else if (at == p->family_id)
        p->policy.family_id = at;
    else if (at == p->image_id)
        p->policy.image_id = at;
    else
        p->policy.report_data = at;
    p->policy.report_data_anchor = "policy file";
}

/* "0x" and 1 to 16 digits of either case: JSON's numbers do not hold 64 bits. */
static pp_res read_bits(const json_t *value, uint64_t *ret)
{
    const char *text = json_string_value(value);
    size_t len = text == NULL ? 0 : strlen(text);
    uint64_t bits = 0;

    PP_CHECK(len >= 3 && len <= 18 && text[0] == '0' && text[1] == 'x', PP_E_FORMAT, len);
    for (size_t i = 2; i < len; i++) {
        char c = text[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        PP_CHECK(digit >= 0, PP_E_FORMAT, i);
        bits = bits << 4 | (uint64_t)digit;
    }
    *ret = bits;
    return PP_OK;
}

/* `count` numbers from 0 to 255 with dots between. */
static pp_res read_dotted(const json_t *value, size_t count, uint8_t *ret)
{
    const char *text = json_string_value(value);
    struct pp_span rest = text == NULL ? (struct pp_span){ 0 } : pp_span_cstr(text);

    for (size_t i = 0; i < count; i++) {
        struct pp_span word = rest;
        uint64_t n;
        int is_last = i + 1 == count;
        PP_CHECK(pp_text_cut(&rest, '.', &word) != is_last, PP_E_FORMAT, i);
        PP_TRY(pp_decimal_parse(word, UINT8_MAX, &n));
        ret[i] = (uint8_t)n;
    }
    return PP_OK;
}

static pp_res read_names(const json_t *value, int are_lines, uint32_t *ret)
{
    uint32_t names = 0;
    size_t i;
    const json_t *name;

    PP_CHECK(json_is_array(value) && json_array_size(value) > 0, PP_E_FORMAT, 0);
    json_array_foreach(value, i, name)
    {
        const char *text = json_string_value(name);
        PP_CHECK(text != NULL, PP_E_FORMAT, i);
        enum pp_snp_line line = pp_snp_line_by_name(pp_span_cstr(text));
        if (are_lines && line != PP_SNP_LINE_NONE)
            names |= PP_ATTEST_BIT(line);
        else if (!are_lines && strcmp(text, "VCEK") == 0)
            names |= PP_ATTEST_BIT(PP_SNP_VCEK);
        else if (!are_lines && strcmp(text, "VLEK") == 0)
            names |= PP_ATTEST_BIT(PP_SNP_VLEK);
        else
            return PP_FAIL(PP_E_FORMAT, i);
    }
    *ret = names;
    return PP_OK;
}

/* A bit of a value outside its mask asks for nothing that could be checked: an error. */
static pp_res settle_bits(struct pp_attest_bits *bits, const json_t *mask, const json_t *value)
{
    uint64_t m = 0;
    uint64_t v = 0;

    PP_TRY(read_bits(mask, &m));
    PP_TRY(read_bits(value, &v));
    PP_CHECK((v & ~m) == 0, PP_E_FORMAT, 0);
    bits->required |= v;
    bits->forbidden |= m & ~v;
    return PP_OK;
}

static pp_res read_number(const json_t *value, size_t max, uint32_t *ret)
{
    json_int_t n = json_integer_value(value);

    PP_CHECK(json_is_integer(value) && n >= 0 && n <= (json_int_t)max, PP_E_RANGE, 0);
    *ret = (uint32_t)n;
    return PP_OK;
}

/* Writes what a key says to `at`. */
static pp_res read_value(const struct key *key, const json_t *value, void *at)
{
    uint8_t dotted[3];
    uint32_t level;

    switch (key->kind) {
    case KEY_HEX:
        return read_hex(value, at, key->len);
    case KEY_LEVEL:
        PP_TRY(read_number(value, UINT8_MAX, &level));
        for (size_t line = 0; line < PP_SNP_LINES; line++)
            ((uint8_t *)at)[line * sizeof(struct pp_snp_tcb_parts)] = (uint8_t)level;
        return PP_OK;
    case KEY_NUMBER:
        return read_number(value, key->len, at);
    case KEY_BITS:
        return read_bits(value, at);
    case KEY_FIRMWARE:
        PP_TRY(read_dotted(value, 3, dotted));
        *(struct pp_snp_version *)at = (struct pp_snp_version){ dotted[0], dotted[1], dotted[2] };
        return PP_OK;
    case KEY_ABI:
        PP_TRY(read_dotted(value, 2, dotted));
        *(uint16_t *)at = (uint16_t)(dotted[0] << 8 | dotted[1]);
        return PP_OK;
    case KEY_LINES:
    case KEY_SIGNERS:
        return read_names(value, key->kind == KEY_LINES, at);
    case KEY_FLAG:
        return json_is_boolean(value) ? PP_OK : PP_FAIL(PP_E_FORMAT, 0);
    case KEY_MASK: /* both by settle_bits, together */
    case KEY_VALUE:
        break;
    }
    return PP_OK;
}

static const char *form_of(enum key_kind kind)
{
    static const char *const forms[] = {
        [KEY_HEX] = "hexadecimal, of the field's length",
        [KEY_LEVEL] = "an integer from 0 to 255",
        [KEY_NUMBER] = "an integer in the field's range",
        [KEY_BITS] = "0x and up to 16 hexadecimal digits",
        [KEY_MASK] = "mask and value, 0x and up to 16 digits, no value outside its mask",
        [KEY_VALUE] = "mask and value, 0x and up to 16 digits, no value outside its mask",
        [KEY_FIRMWARE] = "major.minor.build",
        [KEY_ABI] = "major.minor",
        [KEY_LINES] = "an array of Milan, Genoa, Turin, Venice",
        [KEY_SIGNERS] = "an array of VCEK, VLEK",
        [KEY_FLAG] = "true or false",
    };

    return forms[kind];
}

static pp_res read_key(struct ppctl_snp_policy *p, const struct key *key, const json_t *json,
                       const json_t *value, struct pp_problem *problem)
{
    uint8_t *at = (uint8_t *)p + key->offset;
    pp_res r = read_value(key, value, at);

    if (key->kind == KEY_MASK) /* the row behind it is its value's */
        r = settle_bits((struct pp_attest_bits *)at, value, json_object_get(json, key[1].name));
    else if (key->kind == KEY_VALUE && json_object_get(json, key[-1].name) == NULL)
        r = PP_FAIL(PP_E_FORMAT, 0);
    if (!pp_is_ok(r))
        return refuse(problem, key->name, form_of(key->kind), value);
    if (key->kind == KEY_HEX)
        use_hex(p, key);
    if (!json_is_false(value))
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
        PP_TRY(read_key(ret, key, json, value, problem));
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
