/* SPDX-License-Identifier: Apache-2.0 */
#include "log_arg.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CA_BYTES_MAX = 1 << 20 };

/* --- pins ----------------------------------------------------------------------------------- */

static void digest_of(struct log_pins *pins, const uint8_t digest[PP_SHA256_BYTES])
{
    struct pp_wr wr = pp_wr_over(pins->digest, sizeof pins->digest - 1);

    pp_wr_hex(&wr, pp_span(digest, PP_SHA256_BYTES));
}

static pp_res open_policy(const struct log_args *args, struct pp_problem *problem,
                          struct log_pins *ret)
{
    if (ppctl_place_given(&args->place)) {
        pp_problem_set(problem, "--policy", "either it, or the place of a ledger", PP_STR("both"));
        return PP_FAIL(PP_E_USAGE, 0);
    }
    PP_TRY(pp_policy_file_load(args->policy, PP_POLICY_LOG, problem, &ret->file));
    ret->policy = &ret->file.policy;
    ret->is_opaque = 1;
    snprintf(ret->anchor, sizeof ret->anchor, "%.70s", args->policy);
    digest_of(ret, ret->policy->digest);
    return PP_OK;
}

static pp_res open_place(const struct ppctl *p, const struct log_args *args,
                         struct pp_problem *problem, struct log_pins *ret)
{
    const struct ppctl_place *place;

    ret->opened = calloc(1, sizeof *ret->opened);
    PP_CHECK(ret->opened != NULL, PP_E_NO_MEMORY, sizeof *ret->opened);
    PP_TRY(ppctl_place_open(p, &args->place, PPCTL_NEED_ALL, problem, ret->opened));
    place = ret->opened;
    ret->policy = place->keys.log;
    ret->trust = place->trust;
    ret->place = (struct pp_audit_place){ place->origin, place->name_space, place->environment,
                                          place->keys };
    if (place->trust == NULL) {
        snprintf(ret->anchor, sizeof ret->anchor, "the given policies");
        digest_of(ret, place->keys.log->digest);
        return PP_OK;
    }
    ret->ca_pem = place->trust->ca_pem;
    snprintf(ret->anchor, sizeof ret->anchor, "%.70s",
             args->place.trust != NULL ? args->place.trust
             : PP_RELEASE              ? "compiled in"
                                       : "STATE/trust");
    digest_of(ret, place->trust->files_digest);
    return PP_OK;
}

pp_res log_pins_open(const struct ppctl *p, const struct log_args *args, struct pp_problem *problem,
                     struct log_pins *ret)
{
    pp_problem_party(problem, "ppctl");
    PP_TRY(args->policy != NULL ? open_policy(args, problem, ret)
                                : open_place(p, args, problem, ret));
    if (args->ca == NULL)
        return PP_OK;
    pp_res r = pp_file_read(AT_FDCWD, args->ca, CA_BYTES_MAX, &ret->ca);
    if (!pp_is_ok(r)) {
        pp_problem_set(problem, "--ca", "a readable file of certificates",
                       pp_span_cstr(pp_file_reason(r)));
        return PP_FAIL(PP_E_CONFIG, r.detail);
    }
    ret->ca_pem = pp_buf_span(&ret->ca);
    return PP_OK;
}

void log_pins_done(struct log_pins *pins)
{
    if (pins->opened != NULL)
        ppctl_place_done(pins->opened);
    free(pins->opened);
    pp_policy_file_done(&pins->file);
    pp_buf_done(&pins->ca);
    *pins = (struct log_pins){ 0 };
}

/* --- a log ---------------------------------------------------------------------------------- */

pp_res log_source_of(const struct ppctl *p, const struct log_args *args,
                     const struct log_pins *pins, char ret_place[PP_LOG_SOURCE_PLACE_MAX],
                     struct pp_log_source_config *ret)
{
    int n = args->log != NULL
                ? snprintf(ret_place, PP_LOG_SOURCE_PLACE_MAX, "%s", args->log)
                : snprintf(ret_place, PP_LOG_SOURCE_PLACE_MAX, "%s/log/public", p->state);

    PP_CHECK(n > 0 && n < PP_LOG_SOURCE_PLACE_MAX, PP_E_RANGE, n);
    *ret = (struct pp_log_source_config){ .place = ret_place, .ca_pem = pins->ca_pem };
    return PP_OK;
}

pp_res log_named_open(const struct pp_log_source_config *from, struct pp_problem *problem,
                      struct pp_log_source **ret)
{
    pp_res r = pp_log_source_open(from, ret, problem);

    return r.code == PP_E_NOT_FOUND ? PP_FAIL(PP_E_INPUT, r.detail) : r;
}

static pp_res open_checkpoint(const struct log_pins *pins, struct log_at *at,
                              struct pp_problem *problem)
{
    pp_res r = pp_policy_open(pins->policy, pp_buf_span(&at->note), &at->opened);

    if (pp_is_ok(r) && !pins->is_opaque &&
        !pp_span_eq(at->opened.checkpoint.origin, pins->place.origin))
        r = PP_FAIL(PP_E_LEDGER_ORIGIN, 0);
    if (pp_is_ok(r))
        r = pp_policy_time(pins->policy, &at->opened.witnesses, &at->quorum_posix_s);
    if (!pp_is_ok(r)) {
        pp_problem_set(problem, "checkpoint", "the log's signature and the witnesses' quorum",
                       pp_span_cstr(pp_code_text(r.code)));
        pp_problem_party(problem, pp_log_source_place(at->source));
        if (pp_code_class(r.code) != PP_CLASS_REFUSED)
            r.code = PP_E_LOG_FILE;
    }
    return r;
}

pp_res log_at_open(const struct pp_log_source_config *from, const struct log_pins *pins,
                   struct pp_problem *problem, struct log_at *ret)
{
    PP_TRY(log_named_open(from, problem, &ret->source));
    PP_TRY(pp_log_source_checkpoint(ret->source, &ret->note, problem));
    return open_checkpoint(pins, ret, problem);
}

void log_at_done(struct log_at *at)
{
    pp_log_source_close(at->source);
    pp_buf_done(&at->note);
    *at = (struct log_at){ 0 };
}

struct pp_log_shown log_at_shown(const struct log_at *at)
{
    return (struct pp_log_shown){
        .source = at->source,
        .tree = { at->opened.checkpoint.size, at->opened.checkpoint.root },
        .note = pp_buf_span(&at->note),
    };
}

/* --- output --------------------------------------------------------------------------------- */

json_t *log_hex_json(struct pp_span bytes)
{
    char text[2 * PP_SHA512_BYTES + 1] = "";
    struct pp_wr wr = pp_wr_over(text, sizeof text - 1);

    pp_wr_hex(&wr, bytes);
    return json_string(text);
}

json_t *log_span_json(struct pp_span text)
{
    return json_stringn((const char *)text.at, text.len);
}

struct log_moment log_moment_of(uint64_t posix_s)
{
    struct log_moment m = { "" };
    time_t t = (time_t)posix_s;
    struct tm utc;

    if (gmtime_r(&t, &utc) == NULL || strftime(m.text, sizeof m.text, "%FT%TZ", &utc) == 0)
        snprintf(m.text, sizeof m.text, "%llu", (unsigned long long)posix_s);
    return m;
}

static void vkey_of(const struct log_pins *pins, const struct pp_policy_checkpoint *c,
                    char ret[PP_VKEY_BYTES_MAX + 1])
{
    struct pp_wr wr = pp_wr_over(ret, PP_VKEY_BYTES_MAX);

    memset(ret, 0, PP_VKEY_BYTES_MAX + 1);
    pp_vkey_write(&wr, &pins->policy->log_keys[c->log]);
}

void log_put_checkpoint(json_t *o, const struct log_pins *pins,
                        const struct pp_policy_checkpoint *c, uint64_t quorum_posix_s)
{
    const struct pp_policy *p = pins->policy;
    char vkey[PP_VKEY_BYTES_MAX + 1];
    json_t *witnesses = json_array();

    vkey_of(pins, c, vkey);
    for (size_t i = 0; i < p->witness_count; i++)
        if ((c->witnesses.set >> i & 1) != 0)
            json_array_append_new(witnesses, json_pack("{s:o, s:I}", "name",
                                                       log_span_json(p->witness_names[i]), "time",
                                                       (json_int_t)c->witnesses.times[i]));
    json_object_set_new(o, "origin", log_span_json(c->checkpoint.origin));
    json_object_set_new(o, "vkey", json_string(vkey));
    json_object_set_new(o, "size", json_integer((json_int_t)c->checkpoint.size));
    json_object_set_new(o, "root", log_hex_json(PP_BYTES(c->checkpoint.root.bytes)));
    json_object_set_new(o, "time", json_integer((json_int_t)quorum_posix_s));
    json_object_set_new(o, "witnesses", witnesses);
    json_object_set_new(o, "anchor",
                        json_pack("{s:s, s:s}", "where", pins->anchor, "digest", pins->digest));
}

void log_print_checkpoint(const struct log_pins *pins, const struct pp_policy_checkpoint *c,
                          uint64_t quorum_posix_s)
{
    const struct pp_policy *p = pins->policy;
    char vkey[PP_VKEY_BYTES_MAX + 1];

    vkey_of(pins, c, vkey);
    printf("origin:     %.*s\n", (int)c->checkpoint.origin.len,
           (const char *)c->checkpoint.origin.at);
    printf("vkey:       %s\n", vkey);
    printf("size:       %llu\n", (unsigned long long)c->checkpoint.size);
    if (quorum_posix_s == 0)
        printf("checkpoint: no witness vouches for a time\n");
    else
        printf("checkpoint: %s, the quorum's time\n", log_moment_of(quorum_posix_s).text);
    for (size_t i = 0; i < p->witness_count; i++)
        printf("witness:    %.*s %s\n", (int)p->witness_names[i].len,
               (const char *)p->witness_names[i].at,
               (c->witnesses.set >> i & 1) != 0 ? log_moment_of(c->witnesses.times[i]).text
                                                : "did not cosign");
}
