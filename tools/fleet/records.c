/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger records of a development fleet: made, signed, submitted, published (pp-wire 13). */
#include "records.h"

#include <stdlib.h>
#include <unistd.h>

#include "builds.h"
#include "cred.h"
#include "fleet_int.h"
#include "host_list.h"
#include "kv.h"
#include "machine.h"
#include "ohttp_epoch.h"
#include "people.h"
#include "quorum.h"
#include "record.h"
#include "text.h"
#include "token_keys.h"

enum {
    BATCH_BYTES_MAX = 1 << 19,
    RENEW_BEFORE_S = 3600, /* a record that ends within the hour is made anew at start */
};

/* What was published, so that the next start goes on: STATE/owner/published. */
struct published {
    uint64_t host_serial, issuer_serial, ohttp_serial;
    uint64_t issuer_epoch, ohttp_epoch; /* the last days with a key */
    uint64_t host_until;
    struct pp_span host_id;
    struct {
        uint64_t serial, until;
        struct pp_span digest; /* hex of what the release says: another program is another one */
        struct pp_span id;
    } releases[FLEET_ROLES];
};

#define AT(field) offsetof(struct published, field)

static const struct pp_kv_key KEYS[] = {
    { "release_serial", PP_KV_U64, AT(releases[0].serial), 1, 0, 0, "a number" },
    { "host_serial", PP_KV_U64, AT(host_serial), 1, 0, 0, "a number" },
    { "issuer_serial", PP_KV_U64, AT(issuer_serial), 1, 0, 0, "a number" },
    { "ohttp_serial", PP_KV_U64, AT(ohttp_serial), 1, 0, 0, "a number" },
    { "issuer_epoch", PP_KV_U64, AT(issuer_epoch), 1, 0, 0, "a day" },
    { "ohttp_epoch", PP_KV_U64, AT(ohttp_epoch), 1, 0, 0, "a day" },
    { "release_until", PP_KV_U64, AT(releases[0].until), 1, 0, 0, "POSIX seconds" },
    { "host_until", PP_KV_U64, AT(host_until), 1, 0, 0, "POSIX seconds" },
    { "release_digest", PP_KV_TEXT, AT(releases[0].digest), 1, 64, 64, "64 hex digits" },
    { "release_id", PP_KV_TEXT, AT(releases[0].id), 1, 64, 64, "64 hex digits" },
    { "guard_serial", PP_KV_U64, AT(releases[1].serial), 0, 0, 0, "a number" },
    { "guard_until", PP_KV_U64, AT(releases[1].until), 0, 0, 0, "POSIX seconds" },
    { "guard_digest", PP_KV_TEXT, AT(releases[1].digest), 0, 64, 64, "64 hex digits" },
    { "guard_id", PP_KV_TEXT, AT(releases[1].id), 0, 64, 64, "64 hex digits" },
    { "predictor_serial", PP_KV_U64, AT(releases[2].serial), 0, 0, 0, "a number" },
    { "predictor_until", PP_KV_U64, AT(releases[2].until), 0, 0, 0, "POSIX seconds" },
    { "predictor_digest", PP_KV_TEXT, AT(releases[2].digest), 0, 64, 64, "64 hex digits" },
    { "predictor_id", PP_KV_TEXT, AT(releases[2].id), 0, 64, 64, "64 hex digits" },
    { "host_id", PP_KV_TEXT, AT(host_id), 1, 64, 64, "64 hex digits" },
};

/* Everything that one publication needs. */
struct publication {
    struct fleet *f;
    uint64_t now;
    struct pp_buf published_text;
    struct published p;
    char release_digest[FLEET_ROLES][64], release_id[FLEET_ROLES][64];
    char host_id[64]; /* what the new texts say */
    struct fleet_machine machine;
    struct fleet_image image; /* the record borrows it */
    struct fleet_signer owner, reviewers[FLEET_REVIEWERS];
    struct pp_buf vkey; /* of the log: its name is the ledger line */
    struct pp_note_key log;
    struct pp_record *record;
    struct pp_wr batch;               /* u32 length || entry ... */
    uint64_t ohttp_day, ohttp_serial; /* given: one epoch of the gateway's keys */
};

/* --- what was published before ---------------------------------------------------------------- */

static pp_res load_published(struct publication *x)
{
    if (!fleet_exists(x->f, "owner", "published"))
        return PP_OK;
    PP_TRY(fleet_read_file(x->f, "owner", "published", PP_KV_BYTES_MAX, &x->published_text));
    return pp_kv_read(pp_buf_span(&x->published_text), KEYS, PP_ARRAY_COUNT(KEYS), &x->p,
                      &x->f->problem);
}

static pp_res save_published(struct publication *x)
{
    char text[2048];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    for (size_t i = 0; i < PP_ARRAY_COUNT(KEYS); i++) {
        const uint8_t *at = (const uint8_t *)&x->p + KEYS[i].offset;

        if (KEYS[i].kind == PP_KV_TEXT && ((const struct pp_span *)(const void *)at)->len == 0)
            continue; /* a back-end that this fleet never had */
        pp_wr_text(&wr, KEYS[i].name);
        pp_wr_text(&wr, " = ");
        if (KEYS[i].kind == PP_KV_U64)
            pp_wr_decimal(&wr, *(const uint64_t *)(const void *)at);
        else
            pp_wr_span(&wr, *(const struct pp_span *)(const void *)at);
        pp_wr_u8(&wr, '\n');
    }
    PP_TRY(pp_wr_ok(&wr));
    return fleet_write(x->f, "owner", "published", pp_wr_done(&wr));
}

static struct pp_span hex_of(struct pp_span bytes, char ret[64])
{
    struct pp_wr wr = pp_wr_over(ret, 64);

    pp_wr_hex(&wr, bytes);
    return pp_wr_done(&wr);
}

/* --- records ---------------------------------------------------------------------------------- */

static void start_record(struct publication *x, enum pp_record_type type, uint64_t serial)
{
    *x->record = (struct pp_record){ .type = type,
                                     .ledger = x->log.name,
                                     .name_space = PP_STR(FLEET_NAMESPACE),
                                     .environment = PP_RECORD_DEV,
                                     .serial = serial,
                                     .time = x->now };
}

/* Signs the record and appends it to the batch; its id goes out as hex, its text into a file of the
 * owner's: for the hints of hosts. */
static pp_res finish_record(struct publication *x, const struct fleet_signer *const *signers,
                            size_t count, const char *file, char ret_id[64], struct pp_span *ret)
{
    struct pp_note_signer *all = calloc(count, sizeof *all);
    struct pp_note *note = malloc(sizeof *note);
    uint8_t *entry = malloc(PP_RECORD_ENTRY_MAX);
    struct pp_wr wr = pp_wr_over(entry, entry == NULL ? 0 : PP_RECORD_ENTRY_MAX);
    pp_res r = PP_FAIL(PP_E_NO_MEMORY, 0);

    if (all != NULL && note != NULL && entry != NULL) {
        for (size_t i = 0; i < count; i++)
            all[i] = signers[i]->signer; /* borrowed: the seeds stay their owners' */
        r = pp_record_sign(&wr, x->record, all, count);
    }
    if (pp_is_ok(r))
        r = pp_note_parse(pp_wr_done(&wr), note);
    if (pp_is_ok(r)) {
        struct pp_record_id id;
        pp_record_id_of(note->text, &id);
        if (ret != NULL)
            *ret = hex_of(PP_BYTES(id.bytes), ret_id);
        size_t mark = pp_wr_block32_begin(&x->batch);
        pp_wr_span(&x->batch, pp_wr_done(&wr));
        pp_wr_block32_end(&x->batch, mark);
        r = pp_wr_ok(&x->batch);
        if (pp_is_ok(r) && file != NULL)
            r = fleet_write(x->f, "owner", file, note->text);
    }
    free(all);
    free(note);
    free(entry);
    return r;
}

/* Its machines, in nobody's custody: a list as an operator makes it with `ppctl host-set`. */
static pp_res write_hosts(const struct publication *x, struct pp_wr *wr)
{
    const struct pp_host_list head = { .ledger = x->log.name,
                                       .name_space = PP_STR(FLEET_NAMESPACE),
                                       .environment = PP_RECORD_DEV,
                                       .serial = x->p.host_serial,
                                       .not_after = x->p.host_until,
                                       .where = PP_STR("STATE/owner/hosts") };
    struct pp_host hosts[FLEET_MACHINES_MAX], own;
    size_t count;

    PP_TRY(fleet_hosts(x->f, FLEET_ORCHESTRATOR, hosts, &count, &own));
    pp_host_list_write(wr, &head);
    for (size_t i = 0; i < count; i++) {
        struct pp_host_row row = { .host = hosts[i], .from = x->now, .until = head.not_after };

        row.product = hosts[i].entry[0] == PP_HOST_TDX ? PP_HOST_TDX_LINE : PP_HOST_GENOA;
        pp_sha256(PP_STR(""), row.custody);
        if (fleet_has_fault(x->f, FAULT_CHIP))
            row.host.entry[1] ^= 1; /* the set lists another chip */
        pp_host_row_write(wr, &row);
    }
    return pp_wr_ok(wr);
}

static pp_res make_host_set(struct publication *x)
{
    const struct fleet_signer *const signers[] = { &x->owner, &x->reviewers[0] };
    char text[PP_HOST_LIST_HEAD_MAX + FLEET_MACHINES_MAX * PP_HOST_ROW_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    if (x->p.host_until > x->now + RENEW_BEFORE_S)
        return PP_OK;
    x->p.host_serial++;
    x->p.host_until = x->now + PP_HOST_SET_LIFE_S;
    PP_TRY(write_hosts(x, &wr));
    PP_TRY(pp_host_list_record(pp_wr_done(&wr), x->now, x->record));
    PP_TRY(fleet_write(x->f, "owner", "hosts", pp_wr_done(&wr)));
    return finish_record(x, signers, PP_ARRAY_COUNT(signers), FLEET_HOSTS_TEXT, x->host_id,
                         &x->p.host_id);
}

/* `config` of the day's issuer key: u16 token type || public key. */
static pp_res issuer_config(struct publication *x, uint64_t day, struct pp_wr *wr)
{
    char folder[FLEET_PATH_MAX];
    struct pp_token_keys keys = { 0 };

    PP_TRY(fleet_path(x->f, "issuer", "keys", folder));
    PP_TRY(pp_token_keys_load(folder, x->now, &x->f->problem, &keys));
    pp_res r = PP_FAIL(PP_E_NOT_FOUND, day);
    for (size_t i = 0; i < keys.count; i++)
        if (keys.list[i].day == day) {
            pp_cred_public_write(&keys.list[i].key.pub, wr);
            r = pp_wr_ok(wr);
        }
    pp_token_keys_done(&keys);
    return r;
}

/* `config` of the day's OHTTP keys: the application/ohttp-keys list. */
static pp_res ohttp_config(struct publication *x, uint64_t day, struct pp_wr *wr)
{
    char folder[FLEET_PATH_MAX];
    int fd = -1;

    PP_TRY(fleet_path(x->f, "gateway", "ohttp_keys", folder));
    PP_TRY(pp_ohttp_epoch_open(folder, &fd));
    pp_res r = pp_ohttp_epoch_config(fd, day, wr, &x->f->problem);
    (void)close(fd);
    return r;
}

static pp_res make_key_epoch(struct publication *x, enum pp_record_kind kind, uint64_t day,
                             uint64_t serial)
{
    const struct fleet_signer *const signers[] = { &x->owner };

    start_record(x, PP_RECORD_KEY_EPOCH, serial);
    struct pp_key_epoch *k = &x->record->key_epoch;
    struct pp_wr wr = pp_wr_over(k->config, sizeof k->config);
    k->kind = kind;
    k->epoch = day;
    PP_TRY(kind == PP_RECORD_ISSUER ? issuer_config(x, day, &wr) : ohttp_config(x, day, &wr));
    k->config_len = wr.len;
    return finish_record(x, signers, 1, NULL, NULL, NULL);
}

/*
 * Today's and tomorrow's key of each kind, as far as they are not logged yet. When midnight came
 * behind the making of keys, tomorrow is the day that there is a key of.
 */
static pp_res make_keys(struct publication *x)
{
    for (uint64_t day = fleet_today(x->f); day <= x->f->keys_until; day++) {
        if (x->p.issuer_epoch < day) {
            PP_TRY(make_key_epoch(x, PP_RECORD_ISSUER, day, ++x->p.issuer_serial));
            x->p.issuer_epoch = day;
        }
        if (x->p.ohttp_epoch < day) {
            PP_TRY(make_key_epoch(x, PP_RECORD_OHTTP, day, ++x->p.ohttp_serial));
            x->p.ohttp_epoch = day;
        }
    }
    return PP_OK;
}

/* The image as its builders agree on it, and what people add: when, and under whose review. */
static pp_res fill_release(struct publication *x, const struct fleet_machine *m,
                           struct pp_release *rel)
{
    struct pp_buf policy = { 0 };

    PP_TRY(fleet_build_image(x->f, m, &x->image));
    *rel = x->image.agreed.image;
    rel->not_before = x->now;
    rel->not_after = x->now + PP_RELEASE_LIFE_S;
    PP_TRY(fleet_read_file(x->f, "trust", "review.policy", PP_POLICY_BYTES_MAX, &policy));
    rel->review[0].name = PP_STR("reviewers");
    pp_sha256(pp_buf_span(&policy), rel->review[0].sha256);
    rel->review_count = 1;
    pp_buf_done(&policy);
    return PP_OK;
}

static pp_res make_release(struct publication *x, const struct fleet_machine *m)
{
    const struct fleet_signer *const signers[] = { &x->reviewers[0], &x->reviewers[1] };
    char file[64];
    uint8_t digest[PP_SHA256_BYTES];

    fleet_machine_digest(m, digest);
    struct pp_span hex = hex_of(PP_BYTES(digest), x->release_digest[m->role]);
    if (x->p.releases[m->role].until > x->now + RENEW_BEFORE_S &&
        pp_span_eq(hex, x->p.releases[m->role].digest))
        return PP_OK;
    start_record(x, PP_RECORD_RELEASE, ++x->p.releases[m->role].serial);
    pp_res r = fill_release(x, m, &x->record->release);
    if (pp_is_ok(r)) {
        x->p.releases[m->role].until = x->record->release.not_after;
        x->p.releases[m->role].digest = hex;
        fleet_release_text(m->role, file);
        r = finish_record(x, signers, PP_ARRAY_COUNT(signers), file, x->release_id[m->role],
                          &x->p.releases[m->role].id);
    }
    fleet_image_done(&x->image);
    x->image = (struct fleet_image){ 0 };
    return r;
}

/* The orchestrator's release comes first: a back-end's measured configuration names it. */
static pp_res make_backend(struct publication *x, enum fleet_role role)
{
    struct fleet_machine m = { 0 };

    PP_TRY(fleet_make_backend(x->f, role, x->p.releases[FLEET_ORCHESTRATOR].id));
    pp_res r = fleet_load_machine(x->f, role, &m);
    if (pp_is_ok(r))
        r = make_release(x, &m);
    fleet_machine_done(&m);
    return r;
}

static pp_res write_all_hints(struct publication *x)
{
    struct fleet_published_ids ids = { .host_set = x->p.host_id };

    for (size_t i = 0; i < FLEET_ROLES; i++)
        ids.releases[i] = x->p.releases[i].id;
    PP_TRY(fleet_write_hints(x->f, FLEET_ORCHESTRATOR, &ids));
    for (enum fleet_role role = FLEET_GUARD; x->f->backends && role < FLEET_ROLES; role++)
        PP_TRY(fleet_write_hints(x->f, role, &ids));
    return PP_OK;
}

/* --- all of it -------------------------------------------------------------------------------- */

static pp_res load(struct publication *x)
{
    static const char *const reviewers[] = { "reviewer1", "reviewer2", "reviewer3" };

    PP_TRY(load_published(x));
    PP_TRY(fleet_load_machine(x->f, FLEET_ORCHESTRATOR, &x->machine));
    PP_TRY(fleet_load_signer(x->f, "owner", &x->owner));
    for (size_t i = 0; i < FLEET_REVIEWERS; i++)
        PP_TRY(fleet_load_signer(x->f, reviewers[i], &x->reviewers[i]));
    PP_TRY(fleet_read_file(x->f, "log", "vkey", 512, &x->vkey));
    struct pp_span vkey = pp_buf_span(&x->vkey);
    while (vkey.len > 0 && vkey.at[vkey.len - 1] == '\n')
        vkey.len--;
    return pp_vkey_parse(vkey, &x->log);
}

static pp_res publish(struct publication *x)
{
    PP_TRY(make_host_set(x));
    PP_TRY(make_keys(x));
    PP_TRY(make_release(x, &x->machine));
    for (enum fleet_role role = FLEET_GUARD; x->f->backends && role < FLEET_ROLES; role++)
        PP_TRY(make_backend(x, role));
    if (x->batch.len > 0)
        PP_TRY(fleet_submit(x->f, pp_wr_done(&x->batch)));
    PP_TRY(save_published(x));
    return write_all_hints(x);
}

static void publication_done(struct publication *x)
{
    fleet_machine_done(&x->machine);
    fleet_image_done(&x->image);
    fleet_signer_done(&x->owner);
    for (size_t i = 0; i < FLEET_REVIEWERS; i++)
        fleet_signer_done(&x->reviewers[i]);
    pp_buf_done(&x->vkey);
    pp_buf_done(&x->published_text);
    free(x->record);
    free(x->batch.at);
}

static const struct publication NOTHING_GIVEN = { 0 };

/* Runs `work` over a loaded publication; `given`: what a piece of work has to know beside it. */
static pp_res with_publication(struct fleet *f, const struct publication *given,
                               pp_res (*work)(struct publication *x))
{
    struct publication *x = calloc(1, sizeof *x);
    pp_res r = PP_FAIL(PP_E_NO_MEMORY, 0);

    PP_CHECK(x != NULL, PP_E_NO_MEMORY, 0);
    *x = *given;
    x->f = f;
    x->now = pp_clock_posix_s(&f->clock);
    x->record = calloc(1, sizeof *x->record);
    x->batch = pp_wr_over(malloc(BATCH_BYTES_MAX), BATCH_BYTES_MAX);
    if (x->record != NULL && x->batch.at != NULL)
        r = load(x);
    if (pp_is_ok(r))
        r = work(x);
    publication_done(x);
    free(x);
    return r;
}

pp_res fleet_publish(struct fleet *f)
{
    return with_publication(f, &NOTHING_GIVEN, publish);
}

static pp_res publish_host_set(struct publication *x)
{
    x->p.host_until = 0;
    return publish(x);
}

pp_res fleet_publish_host_set(struct fleet *f)
{
    return with_publication(f, &NOTHING_GIVEN, publish_host_set);
}

static pp_res revoke_release(struct publication *x)
{
    const struct fleet_signer *const signers[] = { &x->reviewers[2] };

    start_record(x, PP_RECORD_REVOKE, 1);
    x->record->revoke.reason = PP_RECORD_VULNERABILITY;
    x->record->revoke.effective = x->now;
    PP_TRY(pp_hex_parse(x->p.releases[FLEET_ORCHESTRATOR].id, x->record->revoke.target.bytes,
                        PP_SHA256_BYTES));
    PP_TRY(finish_record(x, signers, 1, NULL, NULL, NULL));
    return fleet_submit(x->f, pp_wr_done(&x->batch));
}

pp_res fleet_revoke_release(struct fleet *f)
{
    return with_publication(f, &NOTHING_GIVEN, revoke_release);
}

/* What the ledger holds counts, not what was saved: a run may have been killed in between. */
static pp_res note_ohttp_epoch(struct publication *x)
{
    x->p.ohttp_epoch = x->ohttp_day;
    x->p.ohttp_serial = x->ohttp_serial;
    return save_published(x);
}

static pp_res log_ohttp_epoch(struct publication *x)
{
    PP_TRY(make_key_epoch(x, PP_RECORD_OHTTP, x->ohttp_day, x->ohttp_serial));
    PP_TRY(fleet_submit(x->f, pp_wr_done(&x->batch)));
    return note_ohttp_epoch(x);
}

static pp_res with_ohttp_epoch(struct fleet *f, uint64_t day, uint64_t serial,
                               pp_res (*work)(struct publication *x))
{
    const struct publication given = { .ohttp_day = day, .ohttp_serial = serial };

    return with_publication(f, &given, work);
}

pp_res fleet_note_ohttp_epoch(struct fleet *f, uint64_t day, uint64_t serial)
{
    return with_ohttp_epoch(f, day, serial, note_ohttp_epoch);
}

pp_res fleet_log_ohttp_epoch(struct fleet *f, uint64_t day, uint64_t serial)
{
    return with_ohttp_epoch(f, day, serial, log_ohttp_epoch);
}
