/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger.h"

#include "text.h"

struct context {
    const struct pp_trust *trust;
    const struct pp_marks *marks;
    struct pp_arena *arena;
    struct pp_checks *checks;
    struct pp_problem *problem;
    struct pp_ledger *l;
    struct opened *opened;
    struct pp_note *note; /* of the entry in hand; the next one has the same 5 KiB */
};

/* The last checkpoint of this bundle whose quorum was verified. */
struct opened {
    struct pp_span note; /* its bytes, borrowed from the bundle; empty: none yet */
    struct pp_policy_checkpoint checkpoint;
};

static pp_res refuse(const struct context *c, pp_res r, const char *field, const char *expected,
                     struct pp_span got)
{
    pp_problem_set(c->problem, field, expected, got);
    return r;
}

static pp_res refuse_number(const struct context *c, enum pp_code code, const char *field,
                            uint64_t expected, uint64_t got)
{
    pp_problem_numbers(c->problem, field, expected, got);
    return PP_FAIL(code, 0);
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/*
 * A log proves all entries of a bundle under one checkpoint: its six or more signatures are
 * verified once, and byte-equal ones not again. Another checkpoint is a matter of its own.
 */
static pp_res verify_proof(const struct context *c, const struct pp_proof *proof,
                           const struct pp_merkle_hash *leaf, struct pp_policy_checkpoint *ret)
{
    struct opened *o = c->opened;

    if (o->note.len > 0 && pp_span_eq(o->note, proof->checkpoint)) {
        PP_TRY(pp_proof_verify_under(proof, leaf, &o->checkpoint));
    } else {
        PP_TRY(pp_proof_verify(proof, leaf, &c->trust->log, 0, UINT64_MAX, &o->checkpoint));
        o->note = proof->checkpoint;
    }
    *ret = o->checkpoint;
    return PP_OK;
}

/* An entry under its proof: inclusion, quorum, grammar, signers and place; any age. */
static pp_res open_entry(const struct context *c, const struct pp_bundle_entry *e,
                         struct pp_ledger_record *ret, struct pp_proof *proof,
                         struct pp_policy_checkpoint *checkpoint)
{
    const struct pp_trust *t = c->trust;
    const struct pp_record_keys keys = { .log = &t->log, .owner = &t->owner, .review = &t->review };
    struct pp_note *note = c->note;
    struct pp_merkle_hash leaf;

    pp_merkle_leaf(e->entry, &leaf);
    if (!pp_is_ok(pp_proof_parse(e->proof, proof)))
        return refuse(c, PP_FAIL(PP_E_LEDGER_FORMAT, 0), "proof", "a tlog-proof", PP_STR(""));
    pp_res r = verify_proof(c, proof, &leaf, checkpoint);
    if (!pp_is_ok(r)) {
        /* The proof's parser and the note's have codes of their own; a device has one for both. */
        if (pp_code_class(r.code) != PP_CLASS_REFUSED)
            r.code = PP_E_LEDGER_FORMAT;
        return refuse(c, r, "checkpoint", "the quorum of the log policy over this entry",
                      PP_STR(""));
    }
    r = pp_record_open(e->entry, note, &ret->record);
    if (!pp_is_ok(r))
        return refuse(c, PP_FAIL(PP_E_LEDGER_RECORD, r.detail), "record", "a ledger record",
                      PP_STR(""));
    r = pp_record_check_place(&ret->record, t->origin, t->name_space, t->environment);
    if (!pp_is_ok(r))
        return refuse(c, r, "ledger, namespace, environment", "those of the trust anchors",
                      ret->record.name_space);
    r = pp_record_check_signers(note, &ret->record, &keys);
    if (!pp_is_ok(r))
        return refuse(c, r, "signatures", "those that the record's type needs",
                      pp_span_cstr(pp_record_type_name(ret->record.type)));
    pp_record_id_of(note->text, &ret->id);
    ret->source = *e;
    return PP_OK;
}

/* --- the status record ------------------------------------------------------------------------ */

static pp_res check_status_time(const struct context *c, const struct pp_record *s,
                                uint64_t clock_posix_s,
                                const struct pp_policy_checkpoint *checkpoint)
{
    struct pp_ledger *l = c->l;

    PP_TRY(pp_policy_time(&c->trust->log, &checkpoint->witnesses, &l->quorum_posix_s));
    l->now_posix_s = max_u64(max_u64(clock_posix_s, l->quorum_posix_s), c->marks->now_posix_s);
    if (l->now_posix_s - l->quorum_posix_s > PP_LEDGER_AGE_MAX_S)
        return refuse_number(c, PP_E_LEDGER_STALE, "age of the quorum in seconds, at most",
                             PP_LEDGER_AGE_MAX_S, l->now_posix_s - l->quorum_posix_s);
    if (s->time > l->now_posix_s + PP_LEDGER_SKEW_S)
        return refuse_number(c, PP_E_LEDGER_FUTURE, "time of the status record, at most",
                             l->now_posix_s + PP_LEDGER_SKEW_S, s->time);
    if (l->now_posix_s >= s->status.valid_until)
        return refuse_number(c, PP_E_LEDGER_STALE, "end of the status record, after",
                             l->now_posix_s, s->status.valid_until);
    return PP_OK;
}

static pp_res check_marks(const struct context *c, const struct pp_record *s)
{
    const struct pp_marks *m = c->marks;

    if (s->serial < m->status_serial)
        return refuse_number(c, PP_E_LEDGER_ROLLBACK, "serial of the status record, at least",
                             m->status_serial, s->serial);
    if (s->serial == m->status_serial && m->status_serial > 0 &&
        !pp_record_id_same(&c->l->status.id, &m->status_id))
        return refuse(c, PP_FAIL(PP_E_LEDGER_SPLIT, 0), "status record",
                      "the text seen before under this serial", PP_STR("another text"));
    if (c->l->tree_size == m->tree_size && m->tree_size > 0 &&
        !pp_record_id_same(&c->l->status.id, &m->status_id))
        return refuse(c, PP_FAIL(PP_E_LEDGER_SPLIT, 1), "status record",
                      "the text seen before at the end of this tree", PP_STR("another text"));
    if (c->l->tree_size < m->tree_size)
        return refuse_number(c, PP_E_LEDGER_ROLLBACK, "tree size, at least", m->tree_size,
                             c->l->tree_size);
    for (size_t role = 0; role < PP_RECORD_ROLES; role++)
        if (s->status.min_serial[role] < m->min_serial[role])
            return refuse_number(c, PP_E_LEDGER_ROLLBACK, "min-serial of a role, at least",
                                 m->min_serial[role], s->status.min_serial[role]);
    return PP_OK;
}

static pp_res check_status(const struct context *c, uint64_t clock_posix_s)
{
    struct pp_ledger *l = c->l;
    struct pp_proof *proof = pp_arena_alloc(c->arena, sizeof *proof);
    struct pp_policy_checkpoint *checkpoint = pp_arena_alloc(c->arena, sizeof *checkpoint);

    PP_CHECK(proof != NULL && checkpoint != NULL, PP_E_NO_MEMORY, 0);
    PP_TRY(open_entry(c, &l->bundle.status, &l->status, proof, checkpoint));
    const struct pp_record *s = &l->status.record;
    if (s->type != PP_RECORD_STATUS)
        return refuse(c, PP_FAIL(PP_E_LEDGER_RECORD, s->type), "type", "status",
                      pp_span_cstr(pp_record_type_name(s->type)));
    l->tree_size = checkpoint->checkpoint.size;
    if (proof->index + 1 != l->tree_size)
        return refuse_number(c, PP_E_LEDGER_NOT_LAST, "index of the status record",
                             l->tree_size - 1, proof->index);

    uint64_t cosigned = (uint64_t)__builtin_popcountll(checkpoint->witnesses.set);
    pp_check_add_number(c->checks, PP_STEP_DIRECTORY, PP_E_LEDGER_QUORUM, PP_VERDICT_PROVEN,
                        "witnesses cosigned the log's checkpoint, the record witness among them",
                        c->trust->origin, cosigned, "cosignatures");
    PP_TRY(check_status_time(c, s, clock_posix_s, checkpoint));
    pp_check_add_number(c->checks, PP_STEP_DIRECTORY, PP_E_LEDGER_STALE, PP_VERDICT_PROVEN,
                        "the quorum is fresh, so no later revocation is hidden", c->trust->origin,
                        l->now_posix_s - l->quorum_posix_s, "seconds old");
    PP_TRY(check_marks(c, s));
    pp_check_add_number(c->checks, PP_STEP_DIRECTORY, PP_E_LEDGER_ROLLBACK, PP_VERDICT_PROVEN,
                        "the status is not older than any that this device has seen",
                        PP_STR("stored high-water marks"), s->serial, "is its serial");
    return PP_OK;
}

/* --- the records that it names ---------------------------------------------------------------- */

static int is_revoked(const struct pp_ledger *l, const struct pp_marks *marks,
                      const struct pp_record_id *id)
{
    const struct pp_status *s = &l->status.record.status;

    for (size_t i = 0; i < s->revoked_count; i++)
        if (pp_record_id_same(&s->revoked[i], id))
            return 1;
    for (size_t i = 0; i < marks->revoked_count; i++)
        if (pp_record_id_same(&marks->revoked[i], id))
            return 1;
    return 0;
}

static pp_res check_named(const struct context *c, struct pp_ledger_record *r,
                          const struct pp_bundle_entry *e, const struct pp_record_id *want,
                          enum pp_record_type type, struct pp_proof *proof,
                          struct pp_policy_checkpoint *checkpoint)
{
    struct pp_ledger *l = c->l;
    uint64_t from, until;

    PP_TRY(open_entry(c, e, r, proof, checkpoint));
    if (!pp_record_id_same(&r->id, want)) {
        pp_problem_hex(c->problem, "record id", PP_BYTES(want->bytes), PP_BYTES(r->id.bytes));
        return PP_FAIL(PP_E_LEDGER_UNLISTED, 0);
    }
    if (r->record.type != type)
        return refuse(c, PP_FAIL(PP_E_LEDGER_RECORD, r->record.type), "type",
                      pp_record_type_name(type), pp_span_cstr(pp_record_type_name(r->record.type)));
    if (is_revoked(l, c->marks, &r->id))
        return refuse(c, PP_FAIL(PP_E_LEDGER_REVOKED, 0), "record", "one that is not revoked",
                      pp_span_cstr(pp_record_type_name(type)));
    /*
     * Every session needs the host-set. Keys stand in a status before they are used, and one whose
     * day has ended stays there until the next status; so do releases: who uses one asks for its
     * window then.
     */
    pp_record_window(&r->record, &from, &until);
    if (type == PP_RECORD_HOST_SET && (l->now_posix_s >= until || l->now_posix_s < from))
        return refuse_number(c, PP_E_LEDGER_WINDOW, "end of the record's validity, after",
                             l->now_posix_s, until);
    return PP_OK;
}

static pp_res check_release(const struct context *c, const struct pp_ledger_record *r)
{
    const struct pp_status *s = &c->l->status.record.status;

    if (r->record.serial < s->min_serial[r->record.release.role])
        return refuse_number(c, PP_E_LEDGER_SERIAL, "serial of the release, at least",
                             s->min_serial[r->record.release.role], r->record.serial);
    return PP_OK;
}

/* One key a kind and day, of the kind that the status says: two would tell people apart. */
static pp_res check_keys(const struct context *c)
{
    const struct pp_status *s = &c->l->status.record.status;
    const struct pp_ledger_record *keys = &c->l->records[s->release_count + 1];

    for (size_t i = 0; i < s->key_count; i++) {
        const struct pp_key_epoch *a = &keys[i].record.key_epoch;

        if (a->kind != s->keys[i].kind)
            return refuse(c, PP_FAIL(PP_E_LEDGER_KEYS, i), "key",
                          "of the kind that the status says", PP_STR("of another"));
        for (size_t k = 0; k < i; k++)
            if (keys[k].record.key_epoch.kind == a->kind &&
                keys[k].record.key_epoch.epoch == a->epoch)
                return refuse_number(c, PP_E_LEDGER_KEYS, "keys of one kind and day", 1, 2);
    }
    return PP_OK;
}

/* One measurement appears in one role only. */
static pp_res check_roles_apart(const struct context *c, size_t count)
{
    const struct pp_ledger_record *all = c->l->records;

    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++) {
            const struct pp_release *a = &all[i].record.release, *b = &all[k].record.release;

            if (a->role == b->role)
                continue;
            for (size_t x = 0; x < a->tdx_count; x++)
                for (size_t y = 0; y < b->tdx_count; y++)
                    if (memcmp(a->tdx[x].mrtd, b->tdx[y].mrtd, PP_SHA384_BYTES) == 0 &&
                        memcmp(a->tdx[x].rtmr, b->tdx[y].rtmr, sizeof a->tdx[x].rtmr) == 0)
                        return refuse(c, PP_FAIL(PP_E_LEDGER_TWO_ROLES, i), "measurement",
                                      "in one role only", PP_STR("in two"));
            for (size_t x = 0; x < a->snp_count; x++)
                for (size_t y = 0; y < b->snp_count; y++)
                    if (memcmp(a->snp[x].measurement, b->snp[y].measurement, PP_SHA384_BYTES) == 0)
                        return refuse(c, PP_FAIL(PP_E_LEDGER_TWO_ROLES, i), "measurement",
                                      "in one role only", PP_STR("in two"));
        }
    return PP_OK;
}

static pp_res check_records(const struct context *c)
{
    struct pp_ledger *l = c->l;
    const struct pp_status *s = &l->status.record.status;
    size_t want = s->release_count + 1 + s->key_count;
    struct pp_proof *proof = pp_arena_alloc(c->arena, sizeof *proof);
    struct pp_policy_checkpoint *checkpoint = pp_arena_alloc(c->arena, sizeof *checkpoint);

    l->records = pp_arena_array(c->arena, want, sizeof *l->records);
    PP_CHECK(proof != NULL && checkpoint != NULL && l->records != NULL, PP_E_NO_MEMORY, want);
    if (l->bundle.record_count != want)
        return refuse_number(c, PP_E_LEDGER_FORMAT, "records in the bundle", want,
                             l->bundle.record_count);
    for (size_t i = 0; i < want; i++) {
        const struct pp_record_id *id;
        enum pp_record_type type;

        if (i < s->release_count) {
            id = &s->releases[i];
            type = PP_RECORD_RELEASE;
        } else if (i == s->release_count) {
            id = &s->hosts;
            type = PP_RECORD_HOST_SET;
        } else {
            id = &s->keys[i - s->release_count - 1].id;
            type = PP_RECORD_KEY_EPOCH;
        }
        PP_TRY(check_named(c, &l->records[i], &l->bundle.records[i], id, type, proof, checkpoint));
        if (type == PP_RECORD_RELEASE)
            PP_TRY(check_release(c, &l->records[i]));
        l->record_count++;
    }
    PP_TRY(check_roles_apart(c, s->release_count));
    PP_TRY(check_keys(c));
    pp_check_add_number(c->checks, PP_STEP_DIRECTORY, PP_E_LEDGER_SIGNER, PP_VERDICT_PROVEN,
                        "every named record is logged, not revoked, and signed by who must sign it",
                        PP_STR("owner and review policies"), l->record_count, "records");
    return PP_OK;
}

/* Revoked before the log says so, by somebody who may: nothing that is named, and kept in mind. */
static pp_res obey_revoke(const struct context *c, const struct pp_record_id *target, size_t i)
{
    struct pp_ledger *l = c->l;

    for (size_t k = 0; k < l->record_count; k++)
        if (pp_record_id_same(&l->records[k].id, target))
            return refuse(c, PP_FAIL(PP_E_LEDGER_REVOKED, i), "record", "one that is not revoked",
                          pp_span_cstr(pp_record_type_name(l->records[k].record.type)));
    l->noted[l->noted_count++] = *target;
    return PP_OK;
}

/* A revoke note of the bundle or of the app counts before it is logged: it can only refuse. */
static pp_res check_revoke_notes(const struct context *c)
{
    const struct pp_bundle *bundle = &c->l->bundle;
    size_t count = bundle->revoke_count + c->trust->revoked_count;

    c->l->noted = pp_arena_array(c->arena, count, sizeof *c->l->noted);
    PP_CHECK(c->l->noted != NULL || count == 0, PP_E_NO_MEMORY, 1);
    for (size_t i = 0; i < bundle->revoke_count; i++) {
        struct pp_record_id target;

        if (!pp_is_ok(pp_trust_open_revoke(c->trust, bundle->revokes[i], &target)))
            return refuse(c, PP_FAIL(PP_E_LEDGER_FORMAT, i), "revoke note", "one that is valid",
                          PP_STR(""));
        PP_TRY(obey_revoke(c, &target, i));
    }
    for (size_t i = 0; i < c->trust->revoked_count; i++)
        PP_TRY(obey_revoke(c, &c->trust->revoked[i], i));
    return PP_OK;
}

pp_res pp_ledger_verify(const struct pp_trust *trust, struct pp_span bundle,
                        const struct pp_marks *marks, uint64_t clock_posix_s,
                        struct pp_arena *arena, struct pp_ledger *ret, struct pp_checks *checks,
                        struct pp_problem *problem)
{
    /* About 20 KiB: in the arena, so that a half-checked view is nobody's. */
    struct pp_ledger *l = pp_arena_alloc(arena, sizeof *l);
    struct opened opened = { .note = { 0 } };
    struct context c = { .trust = trust,
                         .marks = marks,
                         .arena = arena,
                         .checks = checks,
                         .problem = problem,
                         .l = l,
                         .opened = &opened,
                         .note = pp_arena_alloc(arena, sizeof *c.note) };

    PP_CHECK(l != NULL && c.note != NULL, PP_E_NO_MEMORY, sizeof *l);
    pp_problem_party(problem, "directory bundle");
    pp_res r = pp_bundle_parse(bundle, arena, &l->bundle);
    if (!pp_is_ok(r))
        return refuse(&c, PP_FAIL(r.code == PP_E_NO_MEMORY ? r.code : PP_E_LEDGER_FORMAT, r.detail),
                      "bundle", "the bundle's one encoding", PP_STR(""));
    PP_TRY(check_status(&c, clock_posix_s));
    PP_TRY(check_records(&c));
    PP_TRY(check_revoke_notes(&c));
    *ret = *l;
    return PP_OK;
}

/* --- questions -------------------------------------------------------------------------------- */

pp_res pp_ledger_key_at(const struct pp_ledger *l, enum pp_record_kind kind, uint64_t posix_s,
                        const struct pp_key_epoch **ret)
{
    for (size_t i = 0; i < l->record_count; i++) {
        const struct pp_record *r = &l->records[i].record;

        if (r->type == PP_RECORD_KEY_EPOCH && r->key_epoch.kind == kind &&
            posix_s >= r->key_epoch.use_from && posix_s < r->key_epoch.use_until) {
            *ret = &r->key_epoch;
            return PP_OK;
        }
    }
    return PP_FAIL(PP_E_LEDGER_KEYS, kind);
}

pp_res pp_ledger_issuer_key(const struct pp_ledger *l, uint64_t day,
                            const struct pp_key_epoch **ret)
{
    for (size_t i = 0; i < l->record_count; i++) {
        const struct pp_record *r = &l->records[i].record;

        if (r->type == PP_RECORD_KEY_EPOCH && r->key_epoch.kind == PP_RECORD_ISSUER &&
            r->key_epoch.epoch == day) {
            *ret = &r->key_epoch;
            return PP_OK;
        }
    }
    return PP_FAIL(PP_E_LEDGER_KEYS, day);
}

pp_res pp_ledger_release(const struct pp_ledger *l, const struct pp_marks *marks,
                         const struct pp_record_id *id, enum pp_record_role role,
                         const struct pp_release **ret)
{
    uint64_t from, until;

    PP_CHECK(!is_revoked(l, marks, id), PP_E_LEDGER_REVOKED, 0);
    PP_CHECK(l->status.record.status.release_count > 0, PP_E_LEDGER_NOT_YET, 0);
    for (size_t i = 0; i < l->record_count; i++) {
        const struct pp_ledger_record *r = &l->records[i];

        if (r->record.type != PP_RECORD_RELEASE || !pp_record_id_same(&r->id, id))
            continue;
        PP_CHECK(r->record.release.role == role, PP_E_LEDGER_NAMESPACE, r->record.release.role);
        pp_record_window(&r->record, &from, &until);
        PP_CHECK(l->now_posix_s >= from && l->now_posix_s < until, PP_E_LEDGER_WINDOW, i);
        *ret = &r->record.release;
        return PP_OK;
    }
    return PP_FAIL(PP_E_LEDGER_UNLISTED, 0);
}

const struct pp_ledger_record *pp_ledger_hosts(const struct pp_ledger *l)
{
    return &l->records[l->status.record.status.release_count];
}

/* --- marks ------------------------------------------------------------------------------------ */

static void add_revoked(struct pp_marks *m, const struct pp_record_id *id)
{
    for (size_t i = 0; i < m->revoked_count; i++)
        if (pp_record_id_same(&m->revoked[i], id))
            return;
    if (m->revoked_count == PP_MARKS_REVOKED_MAX) {
        /* The oldest goes: its record has expired long before a thousand others were revoked. */
        memmove(&m->revoked[0], &m->revoked[1], sizeof m->revoked[0] * (PP_MARKS_REVOKED_MAX - 1));
        m->revoked_count--;
    }
    m->revoked[m->revoked_count++] = *id;
}

void pp_ledger_raise_marks(const struct pp_ledger *l, struct pp_marks *m)
{
    const struct pp_record *s = &l->status.record;

    m->now_posix_s = max_u64(m->now_posix_s, l->now_posix_s);
    m->tree_size = max_u64(m->tree_size, l->tree_size);
    m->status_serial = s->serial;
    m->status_id = l->status.id;
    for (size_t role = 0; role < PP_RECORD_ROLES; role++)
        m->min_serial[role] = max_u64(m->min_serial[role], s->status.min_serial[role]);
    for (size_t i = 0; i < s->status.revoked_count; i++)
        add_revoked(m, &s->status.revoked[i]);
    for (size_t i = 0; i < l->noted_count; i++)
        add_revoked(m, &l->noted[i]);
}

#define MARKS_MAGIC PP_STR("pp-marks-v2\n")

pp_res pp_marks_parse(struct pp_span bytes, struct pp_marks *ret)
{
    struct pp_rd rd = pp_rd_span(bytes);
    struct pp_marks m = { 0 };

    struct pp_span magic = pp_rd_bytes(&rd, MARKS_MAGIC.len);
    PP_TRY(pp_rd_ok(&rd));
    PP_CHECK(pp_span_eq(magic, MARKS_MAGIC), PP_E_FORMAT, 0);
    m.now_posix_s = pp_rd_u64(&rd);
    m.tree_size = pp_rd_u64(&rd);
    m.status_serial = pp_rd_u64(&rd);
    pp_rd_copy(&rd, m.status_id.bytes, sizeof m.status_id.bytes);
    for (size_t role = 0; role < PP_RECORD_ROLES; role++)
        m.min_serial[role] = pp_rd_u64(&rd);
    m.revoked_count = pp_rd_u32(&rd); /* 0 where the file ends before */
    PP_CHECK(m.revoked_count <= PP_MARKS_REVOKED_MAX, PP_E_FORMAT, m.revoked_count);
    for (size_t i = 0; i < m.revoked_count; i++)
        pp_rd_copy(&rd, m.revoked[i].bytes, sizeof m.revoked[i].bytes);
    PP_TRY(pp_rd_end(&rd));
    *ret = m;
    return PP_OK;
}

pp_res pp_marks_write(struct pp_wr *wr, const struct pp_marks *m)
{
    PP_CHECK(m->revoked_count <= PP_MARKS_REVOKED_MAX, PP_E_RANGE, m->revoked_count);
    pp_wr_span(wr, MARKS_MAGIC);
    pp_wr_u64(wr, m->now_posix_s);
    pp_wr_u64(wr, m->tree_size);
    pp_wr_u64(wr, m->status_serial);
    pp_wr_bytes(wr, m->status_id.bytes, sizeof m->status_id.bytes);
    for (size_t role = 0; role < PP_RECORD_ROLES; role++)
        pp_wr_u64(wr, m->min_serial[role]);
    pp_wr_u32(wr, (uint32_t)m->revoked_count);
    for (size_t i = 0; i < m->revoked_count; i++)
        pp_wr_bytes(wr, m->revoked[i].bytes, sizeof m->revoked[i].bytes);
    return pp_wr_ok(wr);
}
