/* SPDX-License-Identifier: Apache-2.0 */
#include "record_words.h"

#include <time.h>

#include "snp.h"

struct hex {
    char text[2 * PP_SHA384_BYTES + 1];
};

static struct hex hex_of(struct pp_span bytes)
{
    struct hex h = { { 0 } };
    struct pp_wr wr = pp_wr_over(h.text, sizeof h.text - 1);

    pp_wr_hex(&wr, bytes);
    return h;
}

#define HEX(array) hex_of(PP_BYTES(array)).text

struct pp_moment pp_moment_of(uint64_t posix_s)
{
    struct pp_moment m = { "" };
    time_t t = (time_t)posix_s;
    struct tm utc;

    if (gmtime_r(&t, &utc) == NULL || strftime(m.text, sizeof m.text, "%FT%TZ", &utc) == 0)
        snprintf(m.text, sizeof m.text, "%llu", (unsigned long long)posix_s);
    return m;
}

/* --- lines ---------------------------------------------------------------------------------- */

static void word(FILE *out, const char *label, struct pp_span s)
{
    fprintf(out, "  %-14s %.*s\n", label, (int)s.len, s.len == 0 ? "" : (const char *)s.at);
}

static void text(FILE *out, const char *label, const char *s)
{
    fprintf(out, "  %-14s %s\n", label, s);
}

static int is_control(uint8_t byte)
{
    return byte < 0x20 || byte >= 0x7F;
}

/* Bytes that a terminal would hide or obey, and a space at the end, as "\x" and two digits. */
static void bytes(FILE *out, const char *label, struct pp_span s)
{
    fprintf(out, "  %-14s ", label);
    for (size_t i = 0; i < s.len; i++) {
        int plain = !is_control(s.at[i]) && s.at[i] != '\\' && (s.at[i] != ' ' || i + 1 < s.len);
        fprintf(out, plain ? "%c" : "\\x%02x", s.at[i]);
    }
    fprintf(out, "\n");
}

static void number(FILE *out, const char *label, uint64_t n)
{
    fprintf(out, "  %-14s %llu\n", label, (unsigned long long)n);
}

/* "2026-11-21T22:00:00Z, in 26 h" */
static void moment(FILE *out, const char *label, uint64_t posix_s, uint64_t now_s)
{
    uint64_t hours = (posix_s > now_s ? posix_s - now_s : now_s - posix_s) / 3600;

    fprintf(out, "  %-14s %s, %s%llu h%s\n", label, pp_moment_of(posix_s).text,
            posix_s > now_s ? "in " : "", (unsigned long long)hours, posix_s > now_s ? "" : " ago");
}

static void digest(FILE *out, const char *label, const uint8_t sha256[PP_SHA256_BYTES])
{
    fprintf(out, "  %-14s sha256:%s\n", label, hex_of(pp_span(sha256, PP_SHA256_BYTES)).text);
}

static void named(FILE *out, const char *label, const struct pp_release_named *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, "  %-14s %.*s sha256:%s\n", label, (int)rows[i].name.len,
                (const char *)rows[i].name.at, HEX(rows[i].sha256));
}

/* --- a release ------------------------------------------------------------------------------ */

static const char *family_name(enum pp_record_family family)
{
    static const char *const names[PP_RECORD_FAMILIES] = { "genoa", "milan", "turin" };

    return names[family];
}

static void release_source(FILE *out, const struct pp_release *r)
{
    fprintf(out, "  %-14s sha256:%s, %llu bytes, at %.*s\n", "image", HEX(r->image.sha256),
            (unsigned long long)r->image.bytes, (int)r->image.where.len,
            (const char *)r->image.where.at);
    word(out, "source", r->source.repository);
    word(out, "commit", r->source.commit);
    digest(out, "build", r->build);
    digest(out, "sbom", r->sbom);
    named(out, "firmware", r->firmware, r->firmware_count);
    if (r->has_kernel)
        digest(out, "kernel", r->kernel);
    if (r->has_initrd)
        digest(out, "initrd", r->initrd);
    if (r->has_cmdline)
        bytes(out, "command line", pp_span(r->cmdline, r->cmdline_len));
    if (r->has_rootfs)
        digest(out, "rootfs", r->rootfs);
}

static void release_snp(FILE *out, const struct pp_release *r)
{
    for (size_t i = 0; i < r->snp_count; i++)
        fprintf(out, "  %-14s %.*s: %s, %.*s, %u vCPUs, %s\n", "snp", (int)r->snp[i].label.len,
                (const char *)r->snp[i].label.at, family_name(r->snp[i].family),
                (int)r->snp[i].vmm.len, (const char *)r->snp[i].vmm.at, r->snp[i].vcpus,
                HEX(r->snp[i].measurement));
    if (r->snp_count > 0)
        fprintf(out, "  %-14s of the bits %016llx exactly %016llx\n", "guest policy",
                (unsigned long long)r->snp_policy_mask, (unsigned long long)r->snp_policy_value);
    for (unsigned f = 0; f < PP_RECORD_FAMILIES; f++) {
        const struct pp_release_tcb *t = &r->snp_min_tcb[f];

        if (t->given)
            fprintf(out, "  %-14s %s: boot loader %u, tee %u, snp %u, microcode %u, fmc %u\n",
                    "minimum TCB", family_name((enum pp_record_family)f), t->bootloader, t->tee,
                    t->snp, t->microcode, t->fmc);
    }
}

static void release_rows(FILE *out, const struct pp_release *r)
{
    release_snp(out, r);
    for (size_t i = 0; i < r->tdx_count; i++)
        fprintf(out, "  %-14s %.*s: %u vCPUs, MRTD %s, RTMRs %s %s %s\n", "tdx",
                (int)r->tdx[i].label.len, (const char *)r->tdx[i].label.at, r->tdx[i].vcpus,
                HEX(r->tdx[i].mrtd), HEX(r->tdx[i].rtmr[0]), HEX(r->tdx[i].rtmr[1]),
                HEX(r->tdx[i].rtmr[2]));
    if (r->tdx_count > 0)
        text(out, "minimum SVN", HEX(r->tdx_min_svn));
    for (size_t i = 0; i < r->gpu_count; i++)
        fprintf(out, "  %-14s %.*s, VBIOS %.*s, driver %.*s, RIMs sha256:%s sha256:%s\n", "gpu",
                (int)r->gpu[i].model.len, (const char *)r->gpu[i].model.at,
                (int)r->gpu[i].vbios.len, (const char *)r->gpu[i].vbios.at,
                (int)r->gpu[i].driver.len, (const char *)r->gpu[i].driver.at,
                HEX(r->gpu[i].driver_rim), HEX(r->gpu[i].vbios_rim));
}

static void release_words(FILE *out, const struct pp_release *r, uint64_t now_s)
{
    text(out, "role", pp_record_role_name(r->role));
    moment(out, "not before", r->not_before, now_s);
    moment(out, "not after", r->not_after, now_s);
    release_source(out, r);
    release_rows(out, r);
    for (size_t i = 0; i < r->config_count; i++)
        digest(out, "configuration", r->config[i]);
    named(out, "artifact", r->artifacts, r->artifact_count);
    digest(out, "egress", r->egress);
    text(out, "keeps state", r->retains ? "yes, between sessions" : "no");
    named(out, "review policy", r->review, r->review_count);
}

/* --- the others ----------------------------------------------------------------------------- */

static void key_words(FILE *out, const struct pp_key_epoch *k, uint64_t now_s)
{
    uint8_t config[PP_SHA256_BYTES];

    pp_sha256(pp_span(k->config, k->config_len), config);
    text(out, "kind", pp_record_kind_name(k->kind));
    number(out, "epoch", k->epoch);
    if (k->kind == PP_RECORD_ISSUER) {
        moment(out, "issued from", k->issue_from, now_s);
        moment(out, "issued until", k->issue_until, now_s);
    }
    moment(out, "used from", k->use_from, now_s);
    moment(out, "used until", k->use_until, now_s);
    fprintf(out, "  %-14s %zu bytes, sha256:%s\n", "public keys", k->config_len, HEX(config));
}

static void status_words(FILE *out, const struct pp_status *s, uint64_t now_s)
{
    moment(out, "valid until", s->valid_until, now_s);
    for (unsigned i = 0; i < PP_RECORD_ROLES; i++)
        fprintf(out, "  %-14s %s %llu\n", "least serial",
                pp_record_role_name((enum pp_record_role)i), (unsigned long long)s->min_serial[i]);
    for (size_t i = 0; i < s->release_count; i++)
        text(out, "release", HEX(s->releases[i].bytes));
    text(out, "host-set", HEX(s->hosts.bytes));
    for (size_t i = 0; i < s->key_count; i++)
        fprintf(out, "  %-14s %s %s\n", "keys", pp_record_kind_name(s->keys[i].kind),
                HEX(s->keys[i].id.bytes));
    for (size_t i = 0; i < s->revoked_count; i++)
        text(out, "revoked", HEX(s->revoked[i].bytes));
}

static void fields(FILE *out, const struct pp_record *r, uint64_t now_s)
{
    switch (r->type) {
    case PP_RECORD_RELEASE:
        release_words(out, &r->release, now_s);
        break;
    case PP_RECORD_HOST_SET:
        moment(out, "not after", r->host_set.not_after, now_s);
        number(out, "machines", r->host_set.count);
        text(out, "root", HEX(r->host_set.root.bytes));
        digest(out, "list", r->host_set.list);
        word(out, "published at", r->host_set.where);
        break;
    case PP_RECORD_KEY_EPOCH:
        key_words(out, &r->key_epoch, now_s);
        break;
    case PP_RECORD_REVOKE:
        text(out, "revokes", HEX(r->revoke.target.bytes));
        text(out, "reason", pp_record_reason_name(r->revoke.reason));
        moment(out, "effective", r->revoke.effective, now_s);
        digest(out, "notice", r->revoke.notice);
        break;
    case PP_RECORD_STATUS:
        status_words(out, &r->status, now_s);
        break;
    }
}

void pp_record_words(FILE *out, const struct pp_record *r, const struct pp_record_id *id,
                     uint64_t now_s)
{
    struct pp_record_warnings w;

    fprintf(out, "%s %llu\n", pp_record_type_name(r->type), (unsigned long long)r->serial);
    text(out, "id", HEX(id->bytes));
    word(out, "ledger", r->ledger);
    word(out, "namespace", r->name_space);
    text(out, "environment", pp_record_env_name(r->environment));
    moment(out, "time", r->time, now_s);
    fields(out, r, now_s);
    pp_record_warn(r, now_s, &w);
    for (size_t i = 0; i < w.count; i++)
        text(out, "WARNING", w.text[i]);
}

/* --- warnings ------------------------------------------------------------------------------- */

static void warn(struct pp_record_warnings *w, int cond, const char *what)
{
    if (cond && w->count < PP_RECORD_WARNINGS_MAX)
        w->text[w->count++] = what;
}

/* Devices demand it of every report too; a release that does not say so was not thought through. */
static int allows_debug(const struct pp_release *r)
{
    return (r->snp_policy_mask & PP_SNP_POLICY_DEBUG) == 0 ||
           (r->snp_policy_value & PP_SNP_POLICY_DEBUG) != 0;
}

/* A kernel takes some of them for spaces. */
static int has_control(const uint8_t *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (is_control(at[i]))
            return 1;
    return 0;
}

static void warn_of_release(const struct pp_release *r, struct pp_record_warnings *w)
{
    uint8_t nothing[PP_SHA256_BYTES];
    int milan = 0;

    pp_sha256(PP_STR(""), nothing);
    for (size_t i = 0; i < r->snp_count; i++)
        milan |= r->snp[i].family == PP_RECORD_MILAN;
    warn(w, r->retains, "retains: the engine keeps state between sessions; users are told");
    warn(w, milan, "a row for milan, whose chip keys can be forged: devices refuse it");
    warn(w, r->snp_count > 0 && allows_debug(r),
         "the guest policy does not forbid debugging, with which a host reads all memory");
    warn(w, memcmp(r->build, nothing, sizeof nothing) == 0, "no provenance: the digest of nothing");
    warn(w, memcmp(r->sbom, nothing, sizeof nothing) == 0,
         "no bill of materials: the digest of nothing");
    warn(w, r->has_cmdline && has_control(r->cmdline, r->cmdline_len),
         "the command line holds bytes that are no printable ASCII");
    warn(w, !r->has_cmdline, "no command line: how the program is started is not said");
}

void pp_record_warn(const struct pp_record *r, uint64_t now_s, struct pp_record_warnings *ret)
{
    uint64_t from, until;

    ret->count = 0;
    pp_record_window(r, &from, &until);
    warn(ret, r->environment == PP_RECORD_DEV,
         "environment dev: no waiting times, simulated machines; never for users");
    warn(ret, r->environment == PP_RECORD_STAGING, "environment staging: not for users");
    warn(ret, r->time > now_s + PP_DAY_S / 24, "dated in the future");
    warn(ret, until <= now_s, "over already: nobody will go by it");
    warn(ret, r->type == PP_RECORD_REVOKE,
         "for ever: what is revoked, and its measurements, can never be listed again");
    if (r->type == PP_RECORD_RELEASE)
        warn_of_release(&r->release, ret);
}
