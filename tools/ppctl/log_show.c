/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppctl log show: every record of the ledger, checked from the first to the last before one is
 * shown; the files are those of STATE/log/public, or of any folder or URL.
 */
#include <stdio.h>
#include <stdlib.h>

#include "log_arg.h"
#include "log_view.h"
#include "verbs.h"

struct show {
    struct ppctl *p;
    struct log_args args;
    struct log_pins pins;
    struct log_view view;
    struct pp_problem problem;
    struct pp_record record; /* the one that is being shown */
    struct pp_note note;
    json_t *list;
};

/* --- texts ------------------------------------------------------------------------------------ */

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

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

/* --- what counts now -------------------------------------------------------------------------- */

static int is_listed(const struct pp_record_id *ids, size_t count, const struct pp_record_id *id)
{
    for (size_t i = 0; i < count; i++)
        if (pp_record_id_same(&ids[i], id))
            return 1;
    return 0;
}

/* A record is effective while the current status names it; a revocation always, the status itself
 * while it is the last. */
static int is_effective(const struct show *s, uint64_t index, const struct pp_record_id *id)
{
    const struct pp_status *now = &s->view.status.status;

    switch (s->record.type) {
    case PP_RECORD_RELEASE:
        return is_listed(now->releases, now->release_count, id);
    case PP_RECORD_HOST_SET:
        return is_listed(&now->hosts, 1, id);
    case PP_RECORD_KEY_EPOCH:
        for (size_t i = 0; i < now->key_count; i++)
            if (pp_record_id_same(&now->keys[i].id, id))
                return 1;
        return 0;
    case PP_RECORD_REVOKE:
        return 1;
    case PP_RECORD_STATUS:
        return index + 1 == s->view.opened.checkpoint.size;
    }
    return 0;
}

/* A log that stands still says nothing about today; what it said then is shown all the same. */
static int is_in_force(const struct show *s)
{
    return pp_clock_posix_s(&s->p->clock) < s->view.status.status.valid_until;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void put_release(json_t *o, const struct pp_release *r)
{
    json_t *rows = json_array();
    json_t *configs = json_array();

    for (size_t i = 0; i < r->snp_count; i++)
        json_array_append_new(
            rows, json_pack("{s:o, s:o, s:i, s:o}", "label", log_span_json(r->snp[i].label), "vmm",
                            log_span_json(r->snp[i].vmm), "vcpus", (int)r->snp[i].vcpus,
                            "measurement", log_hex_json(PP_BYTES(r->snp[i].measurement))));
    for (size_t i = 0; i < r->config_count; i++)
        json_array_append_new(configs, log_hex_json(PP_BYTES(r->config[i])));
    json_object_set_new(o, "role", json_string(pp_record_role_name(r->role)));
    json_object_set_new(o, "image", log_hex_json(PP_BYTES(r->image.sha256)));
    json_object_set_new(o, "source", log_span_json(r->source.repository));
    json_object_set_new(o, "commit", log_span_json(r->source.commit));
    json_object_set_new(o, "snp", rows);
    json_object_set_new(o, "configs", configs);
    json_object_set_new(o, "retains", json_boolean(r->retains));
}

static void put_status(json_t *o, const struct pp_status *s)
{
    json_t *releases = json_array(), *keys = json_array(), *revoked = json_array();
    json_t *min_serial = json_object();

    for (size_t i = 0; i < s->release_count; i++)
        json_array_append_new(releases, log_hex_json(PP_BYTES(s->releases[i].bytes)));
    for (size_t i = 0; i < s->key_count; i++)
        json_array_append_new(keys,
                              json_pack("{s:s, s:o}", "kind", pp_record_kind_name(s->keys[i].kind),
                                        "id", log_hex_json(PP_BYTES(s->keys[i].id.bytes))));
    for (size_t i = 0; i < s->revoked_count; i++)
        json_array_append_new(revoked, log_hex_json(PP_BYTES(s->revoked[i].bytes)));
    for (unsigned i = 0; i < PP_RECORD_ROLES; i++)
        json_object_set_new(min_serial, pp_record_role_name((enum pp_record_role)i),
                            number(s->min_serial[i]));
    json_object_set_new(o, "valid_until", number(s->valid_until));
    json_object_set_new(o, "min_serial", min_serial);
    json_object_set_new(o, "releases", releases);
    json_object_set_new(o, "hosts", log_hex_json(PP_BYTES(s->hosts.bytes)));
    json_object_set_new(o, "keys", keys);
    json_object_set_new(o, "revoked", revoked);
}

static void put_fields(json_t *o, const struct pp_record *r)
{
    uint8_t digest[PP_SHA256_BYTES];

    switch (r->type) {
    case PP_RECORD_RELEASE:
        put_release(o, &r->release);
        break;
    case PP_RECORD_HOST_SET:
        json_object_set_new(o, "count", number(r->host_set.count));
        json_object_set_new(o, "root", log_hex_json(PP_BYTES(r->host_set.root.bytes)));
        break;
    case PP_RECORD_KEY_EPOCH:
        pp_sha256(pp_span(r->key_epoch.config, r->key_epoch.config_len), digest);
        json_object_set_new(o, "kind", json_string(pp_record_kind_name(r->key_epoch.kind)));
        json_object_set_new(o, "epoch", number(r->key_epoch.epoch));
        json_object_set_new(o, "config", log_hex_json(PP_BYTES(digest)));
        break;
    case PP_RECORD_REVOKE:
        json_object_set_new(o, "target", log_hex_json(PP_BYTES(r->revoke.target.bytes)));
        json_object_set_new(o, "reason", json_string(pp_record_reason_name(r->revoke.reason)));
        break;
    case PP_RECORD_STATUS:
        put_status(o, &r->status);
        break;
    }
}

static json_t *record_json(const struct show *s, uint64_t index, const struct pp_record_id *id)
{
    uint64_t from, until;
    json_t *o = json_pack("{s:o, s:s, s:o, s:o, s:o, s:b}", "index", number(index), "type",
                          pp_record_type_name(s->record.type), "serial", number(s->record.serial),
                          "time", number(s->record.time), "id", log_hex_json(PP_BYTES(id->bytes)),
                          "effective", is_effective(s, index, id));

    pp_record_window(&s->record, &from, &until);
    json_object_set_new(o, "from", number(from));
    json_object_set_new(o, "until",
                        s->record.type == PP_RECORD_REVOKE ? json_null() : number(until));
    put_fields(o, &s->record);
    return o;
}

static pp_res add_record(void *ctx, uint64_t index, struct pp_span entry)
{
    struct show *s = ctx;
    struct pp_record_id id;

    PP_TRY(pp_record_open(entry, &s->note, &s->record));
    pp_record_id_of(s->note.text, &id);
    json_t *o = record_json(s, index, &id);
    PP_CHECK(o != NULL && json_array_append_new(s->list, o) == 0, PP_E_NO_MEMORY, 0);
    return PP_OK;
}

static int print_json(struct show *s)
{
    json_t *o = json_object();

    s->list = json_array();
    pp_res r = log_view_each(&s->view, add_record, s);
    if (!pp_is_ok(r)) {
        json_decref(s->list);
        json_decref(o);
        return ppctl_fail(s->p, r, NULL, 0);
    }
    json_t *status = json_object();
    put_status(status, &s->view.status.status);
    json_object_set_new(status, "serial", number(s->view.status.serial));
    json_object_set_new(status, "time", number(s->view.status.time));
    json_object_set_new(status, "in_force", json_boolean(is_in_force(s)));
    json_object_set_new(o, "folder", json_string(pp_log_source_place(s->view.source)));
    log_put_checkpoint(o, &s->pins, &s->view.opened, s->view.quorum_posix_s);
    json_object_set_new(o, "records", s->list);
    json_object_set_new(o, "status", status);
    return ppctl_print_json(o);
}

/* --- text ------------------------------------------------------------------------------------- */

static void print_release(const struct pp_release *r)
{
    printf("      %s, source %.*s %.*s%s\n", pp_record_role_name(r->role),
           (int)r->source.repository.len, (const char *)r->source.repository.at,
           (int)r->source.commit.len, (const char *)r->source.commit.at,
           r->retains ? ", engine keeps state between sessions" : "");
    for (size_t i = 0; i < r->snp_count; i++)
        printf("      snp %.*s, %.*s, %u vCPUs: %s\n", (int)r->snp[i].label.len,
               (const char *)r->snp[i].label.at, (int)r->snp[i].vmm.len,
               (const char *)r->snp[i].vmm.at, (unsigned)r->snp[i].vcpus,
               hex_of(PP_BYTES(r->snp[i].measurement)).text);
    for (size_t i = 0; i < r->config_count; i++)
        printf("      configuration %s\n", hex_of(PP_BYTES(r->config[i])).text);
}

static void print_status(const char *before, const struct pp_status *s)
{
    for (size_t i = 0; i < s->release_count; i++)
        printf("%srelease %s\n", before, hex_of(PP_BYTES(s->releases[i].bytes)).text);
    printf("%shosts   %s\n", before, hex_of(PP_BYTES(s->hosts.bytes)).text);
    for (size_t i = 0; i < s->key_count; i++)
        printf("%skeys    %s %s\n", before, hex_of(PP_BYTES(s->keys[i].id.bytes)).text,
               pp_record_kind_name(s->keys[i].kind));
    for (size_t i = 0; i < s->revoked_count; i++)
        printf("%srevoked %s\n", before, hex_of(PP_BYTES(s->revoked[i].bytes)).text);
}

static void print_fields(const struct pp_record *r)
{
    switch (r->type) {
    case PP_RECORD_RELEASE:
        print_release(&r->release);
        break;
    case PP_RECORD_HOST_SET:
        printf("      machines: %llu, root %s\n", (unsigned long long)r->host_set.count,
               hex_of(PP_BYTES(r->host_set.root.bytes)).text);
        break;
    case PP_RECORD_KEY_EPOCH:
        printf("      %s, day %llu\n", pp_record_kind_name(r->key_epoch.kind),
               (unsigned long long)r->key_epoch.epoch);
        break;
    case PP_RECORD_REVOKE:
        printf("      %s: %s\n", pp_record_reason_name(r->revoke.reason),
               hex_of(PP_BYTES(r->revoke.target.bytes)).text);
        break;
    case PP_RECORD_STATUS:
        printf("      %zu releases, %zu keys, %zu revoked\n", r->status.release_count,
               r->status.key_count, r->status.revoked_count);
        break;
    }
}

static pp_res print_record(void *ctx, uint64_t index, struct pp_span entry)
{
    struct show *s = ctx;
    struct pp_record_id id;
    uint64_t from, until;

    PP_TRY(pp_record_open(entry, &s->note, &s->record));
    pp_record_id_of(s->note.text, &id);
    pp_record_window(&s->record, &from, &until);
    printf("%5llu %s %llu, %s\n", (unsigned long long)index, pp_record_type_name(s->record.type),
           (unsigned long long)s->record.serial,
           is_effective(s, index, &id) ? "effective" : "not effective");
    printf("      id %s\n      from %s", hex_of(PP_BYTES(id.bytes)).text, log_moment_of(from).text);
    if (s->record.type == PP_RECORD_REVOKE)
        printf(" for ever\n");
    else
        printf(" until %s\n", log_moment_of(until).text);
    print_fields(&s->record);
    return PP_OK;
}

static int print_text(struct show *s)
{
    const struct pp_record *status = &s->view.status;

    printf("folder:     %s\n", pp_log_source_place(s->view.source));
    log_print_checkpoint(&s->pins, &s->view.opened, s->view.quorum_posix_s);
    printf("checked:    log signature, quorum, root, tiles and every record, against %s (%s)\n\n",
           s->pins.anchor, s->pins.digest);
    pp_res r = log_view_each(&s->view, print_record, s);
    if (!pp_is_ok(r))
        return ppctl_fail(s->p, r, NULL, 0);
    printf("\nstatus %llu of %s, %s %s\n", (unsigned long long)status->serial,
           log_moment_of(status->time).text,
           is_in_force(s) ? "in force until" : "NOT IN FORCE since",
           log_moment_of(status->status.valid_until).text);
    print_status("  ", &status->status);
    return 0;
}

/* --- the verb --------------------------------------------------------------------------------- */

static pp_res read_all(struct show *s)
{
    char place[PP_LOG_SOURCE_PLACE_MAX];
    struct pp_log_source_config from;

    PP_TRY(log_pins_open(s->p, &s->args, &s->problem, &s->pins));
    PP_TRY(log_source_of(s->p, &s->args, &s->pins, place, &from));
    pp_res r = log_view_read(&s->view, &from, &s->pins.place, pp_clock_posix_s(&s->p->clock),
                             &s->problem);
    /* A log that was named is to be corrected; no fleet is missing there. */
    return r.code == PP_E_STATE_ABSENT && s->args.log != NULL ? PP_FAIL(PP_E_INPUT, r.detail) : r;
}

int verb_log_show(struct ppctl *p, int argc, char **argv)
{
    struct show *s = calloc(1, sizeof *s);

    if (s == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    const struct ppctl_option options[] = {
        LOG_OPTIONS(s->args),
        PPCTL_PLACE_OPTIONS(s->args.place),
    };
    int status = ppctl_parse(p, "log show", options, PP_ARRAY_COUNT(options), argc, argv, NULL, 0,
                             0, NULL);
    if (status < 0) {
        s->p = p;
        pp_res r = read_all(s);
        if (!pp_is_ok(r))
            status = ppctl_fail(p, r, &s->problem, 0);
        else
            status = p->json ? print_json(s) : print_text(s);
    }
    log_view_done(&s->view);
    log_pins_done(&s->pins);
    free(s);
    return status;
}
