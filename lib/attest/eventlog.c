/* SPDX-License-Identifier: Apache-2.0 */
/* The crypto-agile event log (TCG PC Client Platform Firmware Profile 10.2) and RTMR replay. */
#include "eventlog.h"

enum {
    ALGORITHM_SHA1 = 0x0004, /* TCG Algorithm Registry */
    ALGORITHM_SHA256 = 0x000B,
    ALGORITHM_SHA384 = 0x000C,
    ALGORITHM_SHA512 = 0x000D,
    SPEC_MAJOR = 2,
    SHA1_DIGEST_BYTES = 20, /* of the first event, which has the older form */
    REGISTER_LAST = PP_RTMRS,
};

static const uint32_t END_MARKER = UINT32_MAX; /* where a register's number would stand */

#define SPEC_ID ("Spec ID Event03\0")

/* --- the first event -------------------------------------------------------------------------- */

/* The one length of an algorithm that we know; else 0. */
static size_t digest_len(uint16_t id)
{
    switch (id) {
    case ALGORITHM_SHA1:
        return SHA1_DIGEST_BYTES;
    case ALGORITHM_SHA256:
        return PP_SHA256_BYTES;
    case ALGORITHM_SHA384:
        return PP_SHA384_BYTES;
    case ALGORITHM_SHA512:
        return PP_SHA512_BYTES;
    default:
        return 0;
    }
}

/* The log's length of an algorithm; 0 when it does not list it. */
static size_t listed_len(const struct pp_eventlog *log, uint16_t id)
{
    for (size_t i = 0; i < log->algorithm_count; i++)
        if (log->algorithms[i].id == id)
            return log->algorithms[i].len;
    return 0;
}

static pp_res read_algorithms(struct pp_rd *rd, struct pp_eventlog *log)
{
    uint32_t count = pp_rd_u32le(rd);

    PP_TRY(pp_rd_ok(rd));
    PP_CHECK(count <= PP_EVENTLOG_ALGORITHMS_MAX, PP_E_LIMIT, count);
    for (uint32_t i = 0; i < count; i++) {
        size_t at = rd->offset;
        uint16_t id = pp_rd_u16le(rd);
        uint16_t len = pp_rd_u16le(rd);
        PP_TRY(pp_rd_ok(rd));
        size_t known = digest_len(id);
        PP_CHECK(len >= 1 && len <= PP_HASH_BYTES_MAX, PP_E_FORMAT, at);
        PP_CHECK(known == 0 || len == known, PP_E_FORMAT, at);
        PP_CHECK(listed_len(log, id) == 0, PP_E_FORMAT, at);
        log->algorithms[log->algorithm_count].id = id;
        log->algorithms[log->algorithm_count++].len = len;
    }
    PP_CHECK(listed_len(log, ALGORITHM_SHA384) != 0, PP_E_FORMAT, rd->offset);
    return PP_OK;
}

/* TCG_EfiSpecIDEvent. Platform class and the width of its integers say nothing to a verifier. */
static pp_res read_spec_id(struct pp_rd *rd, struct pp_eventlog *log)
{
    size_t at = rd->offset;
    struct pp_span signature = pp_rd_bytes(rd, sizeof SPEC_ID - 1);

    pp_rd_skip(rd, 4); /* platform class */
    pp_rd_skip(rd, 1); /* minor */
    uint8_t major = pp_rd_u8(rd);
    pp_rd_skip(rd, 2); /* errata, width of integers */
    PP_TRY(pp_rd_ok(rd));
    PP_CHECK(pp_span_eq(signature, pp_span(SPEC_ID, sizeof SPEC_ID - 1)), PP_E_FORMAT, at);
    PP_CHECK(major == SPEC_MAJOR, PP_E_UNSUPPORTED, major);
    PP_TRY(read_algorithms(rd, log));
    (void)pp_rd_block8(rd); /* the vendor's own */
    PP_TRY_AS(PP_E_FORMAT, pp_rd_end(rd));
    return PP_OK;
}

static pp_res read_head(struct pp_rd *rd, struct pp_eventlog *log)
{
    uint32_t mr_index = pp_rd_u32le(rd);
    uint32_t type = pp_rd_u32le(rd);

    pp_rd_zeros(rd, SHA1_DIGEST_BYTES);
    struct pp_rd spec_id = pp_rd_sub(rd, pp_rd_u32le(rd));
    PP_TRY(pp_rd_ok(rd));
    PP_CHECK(mr_index <= REGISTER_LAST && type == PP_EV_NO_ACTION, PP_E_FORMAT, 0);
    return read_spec_id(&spec_id, log);
}

/* --- events ----------------------------------------------------------------------------------- */

static pp_res read_digests(struct pp_rd *rd, const struct pp_eventlog *log, uint32_t count,
                           struct pp_eventlog_event *e)
{
    uint16_t seen[PP_EVENTLOG_ALGORITHMS_MAX];

    PP_CHECK(count <= log->algorithm_count, PP_E_FORMAT, rd->offset);
    for (uint32_t i = 0; i < count; i++) {
        size_t at = rd->offset;
        seen[i] = pp_rd_u16le(rd);
        PP_TRY(pp_rd_ok(rd));
        size_t len = listed_len(log, seen[i]);
        PP_CHECK(len != 0, PP_E_FORMAT, at);
        for (uint32_t k = 0; k < i; k++)
            PP_CHECK(seen[k] != seen[i], PP_E_FORMAT, at);
        struct pp_span digest = pp_rd_bytes(rd, len);
        if (seen[i] == ALGORITHM_SHA384)
            e->digest = digest;
    }
    PP_TRY(pp_rd_ok(rd));
    PP_CHECK(e->digest.len == PP_SHA384_BYTES, PP_E_FORMAT, rd->offset);
    return PP_OK;
}

static int is_filler(struct pp_span bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.at[i] != bytes.at[0] || (bytes.at[i] != 0x00 && bytes.at[i] != 0xFF))
            return 0;
    return 1;
}

static pp_res read_end(struct pp_rd *rd, int *ret_is_end)
{
    size_t at = rd->offset;

    PP_CHECK(is_filler(pp_rd_rest(rd)), PP_E_FORMAT, at);
    *ret_is_end = 1;
    return PP_OK;
}

/* One event, or the end: then nothing is left in `rd`. */
static pp_res read_event(struct pp_rd *rd, const struct pp_eventlog *log,
                         struct pp_eventlog_event *ret, int *ret_is_end)
{
    struct pp_eventlog_event e = { 0 };
    size_t at = rd->offset;

    e.mr_index = pp_rd_u32le(rd);
    PP_TRY(pp_rd_ok(rd));
    if (e.mr_index == END_MARKER) /* which may be all that is left */
        return read_end(rd, ret_is_end);
    e.type = pp_rd_u32le(rd);
    uint32_t count = pp_rd_u32le(rd);
    PP_TRY(pp_rd_ok(rd));
    if (count == 0)
        return read_end(rd, ret_is_end);
    PP_CHECK(e.mr_index <= REGISTER_LAST, PP_E_FORMAT, at);
    PP_TRY(read_digests(rd, log, count, &e));
    e.data = pp_rd_bytes(rd, pp_rd_u32le(rd));
    PP_TRY(pp_rd_ok(rd));
    *ret = e;
    return PP_OK;
}

pp_res pp_eventlog_open(struct pp_span bytes, struct pp_eventlog *ret)
{
    struct pp_eventlog log = { 0 };
    struct pp_rd rd = pp_rd_span(bytes);
    struct pp_eventlog_event event;
    int is_end = 0;

    PP_CHECK(bytes.len <= PP_EVENTLOG_BYTES_MAX, PP_E_LIMIT, bytes.len);
    PP_TRY(read_head(&rd, &log));
    log.rd = rd;
    while (rd.left > 0) {
        PP_TRY(read_event(&rd, &log, &event, &is_end));
        if (is_end)
            continue; /* which took the filler too */
        PP_CHECK(log.left < PP_EVENTLOG_EVENTS_MAX, PP_E_LIMIT, log.left);
        log.left++;
    }
    *ret = log;
    return PP_OK;
}

int pp_eventlog_next(struct pp_eventlog *log, struct pp_eventlog_event *ret)
{
    int is_end = 0;

    if (log->left == 0)
        return 0;
    pp_res r = read_event(&log->rd, log, ret, &is_end);
    PP_ASSERT(pp_is_ok(r) && !is_end); /* pp_eventlog_open read these very bytes */
    log->left--;
    return 1;
}

int pp_eventlog_covers(const struct pp_eventlog_event *event)
{
    uint8_t digest[PP_SHA384_BYTES];

    pp_sha384(event->data, digest);
    return pp_span_eq(PP_BYTES(digest), event->digest);
}

/* --- replay ----------------------------------------------------------------------------------- */

void pp_rtmr_extend(uint8_t rtmr[PP_RTMR_BYTES], const uint8_t digest[PP_SHA384_BYTES])
{
    struct pp_hash h;

    pp_hash_init(&h, PP_SHA384);
    pp_hash_update(&h, pp_span(rtmr, PP_RTMR_BYTES));
    pp_hash_update(&h, pp_span(digest, PP_SHA384_BYTES));
    pp_hash_final(&h, rtmr);
}

pp_res pp_eventlog_replay(struct pp_span bytes, uint8_t ret[PP_RTMRS][PP_RTMR_BYTES])
{
    struct pp_eventlog log;
    struct pp_eventlog_event event;

    PP_TRY(pp_eventlog_open(bytes, &log));
    memset(ret, 0, (size_t)PP_RTMRS * PP_RTMR_BYTES);
    while (pp_eventlog_next(&log, &event))
        if (event.type != PP_EV_NO_ACTION && event.mr_index != 0)
            pp_rtmr_extend(ret[event.mr_index - 1], event.digest.at);
    return PP_OK;
}

/* --- names ------------------------------------------------------------------------------------ */

const char *pp_eventlog_type_name(uint32_t type)
{
    static const struct {
        uint32_t type;
        const char *name;
    } names[] = {
        { 0x00000000, "EV_PREBOOT_CERT" },
        { 0x00000001, "EV_POST_CODE" },
        { 0x00000002, "EV_UNUSED" },
        { 0x00000003, "EV_NO_ACTION" },
        { 0x00000004, "EV_SEPARATOR" },
        { 0x00000005, "EV_ACTION" },
        { 0x00000006, "EV_EVENT_TAG" },
        { 0x00000007, "EV_S_CRTM_CONTENTS" },
        { 0x00000008, "EV_S_CRTM_VERSION" },
        { 0x00000009, "EV_CPU_MICROCODE" },
        { 0x0000000A, "EV_PLATFORM_CONFIG_FLAGS" },
        { 0x0000000B, "EV_TABLE_OF_DEVICES" },
        { 0x0000000C, "EV_COMPACT_HASH" },
        { 0x0000000D, "EV_IPL" },
        { 0x0000000E, "EV_IPL_PARTITION_DATA" },
        { 0x0000000F, "EV_NONHOST_CODE" },
        { 0x00000010, "EV_NONHOST_CONFIG" },
        { 0x00000011, "EV_NONHOST_INFO" },
        { 0x00000012, "EV_OMIT_BOOT_DEVICE_EVENTS" },
        { 0x80000001, "EV_EFI_VARIABLE_DRIVER_CONFIG" },
        { 0x80000002, "EV_EFI_VARIABLE_BOOT" },
        { 0x80000003, "EV_EFI_BOOT_SERVICES_APPLICATION" },
        { 0x80000004, "EV_EFI_BOOT_SERVICES_DRIVER" },
        { 0x80000005, "EV_EFI_RUNTIME_SERVICES_DRIVER" },
        { 0x80000006, "EV_EFI_GPT_EVENT" },
        { 0x80000007, "EV_EFI_ACTION" },
        { 0x80000008, "EV_EFI_PLATFORM_FIRMWARE_BLOB" },
        { 0x80000009, "EV_EFI_HANDOFF_TABLES" },
        { 0x8000000A, "EV_EFI_PLATFORM_FIRMWARE_BLOB2" },
        { 0x8000000B, "EV_EFI_HANDOFF_TABLES2" },
        { 0x8000000C, "EV_EFI_VARIABLE_BOOT2" },
        { 0x80000010, "EV_EFI_HCRTM_EVENT" },
        { 0x800000E0, "EV_EFI_VARIABLE_AUTHORITY" },
        { 0x800000E1, "EV_EFI_SPDM_FIRMWARE_BLOB" },
        { 0x800000E2, "EV_EFI_SPDM_FIRMWARE_CONFIG" },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(names); i++)
        if (names[i].type == type)
            return names[i].name;
    return "EV_UNKNOWN";
}
