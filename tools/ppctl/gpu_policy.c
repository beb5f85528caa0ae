/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu_policy.h"

#include <string.h>

#include "text.h"

static pp_res refuse(struct pp_problem *problem, const char *key, const char *expected,
                     const json_t *value)
{
    const char *text = json_string_value(value);

    pp_problem_set(problem, key, expected, pp_span_cstr(text == NULL ? "" : text));
    return PP_FAIL(PP_E_CONFIG, 0);
}

static uint32_t arch_bit(const char *name)
{
    return strcmp(name, "hopper") == 0      ? PP_ATTEST_BIT(PP_GPU_HOPPER)
           : strcmp(name, "blackwell") == 0 ? PP_ATTEST_BIT(PP_GPU_BLACKWELL)
                                            : 0;
}

static uint32_t mode_bit(const char *name)
{
    return strcmp(name, "spt") == 0     ? PP_ATTEST_BIT(PP_GPU_SPT)
           : strcmp(name, "mpt") == 0   ? PP_ATTEST_BIT(PP_GPU_MPT)
           : strcmp(name, "ppcie") == 0 ? PP_ATTEST_BIT(PP_GPU_PPCIE)
                                        : 0;
}

/* A list of words, each of which stands for a bit. */
static pp_res read_bits(const json_t *value, uint32_t (*bit)(const char *), uint32_t *ret)
{
    uint32_t bits = 0;
    size_t i;
    const json_t *word;

    PP_CHECK(json_is_array(value), PP_E_FORMAT, 0);
    json_array_foreach(value, i, word)
    {
        uint32_t one = json_is_string(word) ? bit(json_string_value(word)) : 0;
        PP_CHECK(one != 0, PP_E_FORMAT, i);
        bits |= one;
    }
    *ret = bits;
    return PP_OK;
}

static pp_res read_version(const json_t *value, int base, const char **ret)
{
    const char *text = json_string_value(value);
    int order;

    PP_CHECK(text != NULL, PP_E_FORMAT, 0);
    PP_TRY(pp_gpu_version_compare(pp_span_cstr(text), pp_span_cstr(text), base, &order));
    *ret = text;
    return PP_OK;
}

static pp_res read_digest(const json_t *row, const char *name, uint8_t ret[PP_SHA256_BYTES])
{
    const json_t *value = json_object_get(row, name);

    PP_CHECK(json_is_string(value), PP_E_FORMAT, 0);
    return pp_hex_parse(pp_span_cstr(json_string_value(value)), ret, PP_SHA256_BYTES);
}

/* Optional, and any text: it is compared with what the report says. */
static pp_res read_text(const json_t *row, const char *name, struct pp_span *ret)
{
    const json_t *value = json_object_get(row, name);

    PP_CHECK(value == NULL || json_is_string(value), PP_E_FORMAT, 0);
    *ret = pp_span_cstr(json_string_value(value));
    return PP_OK;
}

static pp_res read_references(const json_t *value, struct ppctl_gpu_policy *p)
{
    size_t i;
    const json_t *row;

    PP_CHECK(json_is_array(value) && json_array_size(value) <= PPCTL_GPU_REFERENCES_MAX,
             PP_E_FORMAT, 0);
    json_array_foreach(value, i, row)
    {
        struct pp_gpu_reference *ref = &p->references[i];
        size_t known = (size_t)2 + (json_object_get(row, "driver") != NULL) +
                       (json_object_get(row, "vbios") != NULL);
        PP_CHECK(json_object_size(row) == known, PP_E_FORMAT, i);
        PP_TRY(read_digest(row, "driver_rim_sha256", ref->driver_rim));
        PP_TRY(read_digest(row, "vbios_rim_sha256", ref->vbios_rim));
        PP_TRY(read_text(row, "driver", &ref->driver));
        PP_TRY(read_text(row, "vbios", &ref->vbios));
    }
    p->policy.references = p->references;
    p->policy.reference_count = json_array_size(value);
    p->policy.skip &= ~PP_ATTEST_BIT(PP_GPU_CHECK_RIM_SET);
    return PP_OK;
}

static pp_res read_flag(const json_t *value, int *ret)
{
    PP_CHECK(json_is_boolean(value), PP_E_FORMAT, 0);
    *ret = json_is_true(value);
    return PP_OK;
}

static pp_res read_age(const json_t *value, uint64_t *ret)
{
    PP_CHECK(json_is_integer(value) && json_integer_value(value) >= 0, PP_E_FORMAT, 0);
    *ret = (uint64_t)json_integer_value(value);
    return PP_OK;
}

static pp_res read_key(struct ppctl_gpu_policy *p, const char *name, const json_t *value,
                       struct pp_problem *problem)
{
    pp_res r = PP_FAIL(PP_E_UNKNOWN_FIELD, 0);
    const char *expected = "a key that docs/protocol/gpu.md lists";

    if (strcmp(name, "archs") == 0) {
        expected = "a list of hopper, blackwell";
        r = read_bits(value, arch_bit, &p->policy.archs);
    } else if (strcmp(name, "modes") == 0) {
        expected = "a list of spt, mpt, ppcie";
        r = read_bits(value, mode_bit, &p->policy.modes);
    } else if (strcmp(name, "driver_min") == 0) {
        expected = "a version, 550.90.07";
        r = read_version(value, 10, &p->policy.driver_min);
    } else if (strcmp(name, "vbios_min") == 0) {
        expected = "a version, 96.00.9F.00.01";
        r = read_version(value, 16, &p->policy.vbios_min);
    } else if (strcmp(name, "references") == 0) {
        expected = "a list of {driver_rim_sha256, vbios_rim_sha256, driver, vbios}";
        r = read_references(value, p);
    } else if (strcmp(name, "ocsp_max_age_s") == 0) {
        expected = "seconds";
        r = read_age(value, &p->policy.ocsp_max_age_s);
    } else if (strcmp(name, "rim_status_asked") == 0) {
        expected = "true or false";
        r = read_flag(value, &p->policy.rim_status_asked);
    } else if (strcmp(name, "rim_hold_allowed") == 0) {
        expected = "true or false";
        r = read_flag(value, &p->policy.rim_hold_allowed);
    }
    if (r.code == PP_E_UNKNOWN_FIELD) {
        pp_problem_set(problem, name, expected, pp_span_cstr(name));
        return PP_FAIL(PP_E_CONFIG, 0);
    }
    return pp_is_ok(r) ? PP_OK : refuse(problem, name, expected, value);
}

pp_res ppctl_gpu_policy_read(const json_t *json, struct ppctl_gpu_policy *ret,
                             struct pp_problem *problem)
{
    const char *name;
    json_t *value;

    *ret = (struct ppctl_gpu_policy){ .policy = PP_GPU_POLICY_STRICT };
    ret->policy.skip = PP_GPU_SKIPPABLE;
    if (json == NULL)
        return PP_OK;
    if (!json_is_object(json))
        return refuse(problem, "policy", "a JSON object", json);
    ret->policy.name = "policy file";
    ret->policy.reference_anchor = "policy file";
    json_object_foreach((json_t *)json, name, value)
    {
        PP_TRY(read_key(ret, name, value, problem));
    }
    return PP_OK;
}
