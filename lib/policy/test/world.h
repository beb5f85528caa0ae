/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world.h: a whole small world for tests: people, policies, anchors, a log with records, witnesses,
 * and the directory bundle that they make. A test changes one thing and looks at who notices.
 */
#ifndef PP_WORLD_H
#define PP_WORLD_H

#include "harness.h"

#include "cosign.h"
#include "crypto.h"
#include "ledger.h"

#define WORLD_ORIGIN    "ledger.example/test"
#define WORLD_NAMESPACE "example.org/test"
#define WORLD_DAY       UINT64_C(20000)
#define WORLD_NOW       (WORLD_DAY * PP_DAY_S + 36000)
#define WORLD_LOGGED    (WORLD_NOW - 3600) /* when the records were made */

enum person {
    P_LOG,
    P_OWNER,
    P_ALICE,
    P_BOB,
    P_CAROL,
    P_STRANGER,
    P_OTHER_LOG, /* another key under the log's name: another log's, or its own next one */
    P_THIRD_LOG, /* and another */
    P_W0,
    P_W1,
    P_W2,
    P_W3,
    P_RECORD_WITNESS,
    PEOPLE,
    WITNESSES = PEOPLE - P_W0,
};

#define BY(person) (UINT32_C(1) << (person))

/* The records of the log, in its order. */
enum slot_id {
    S_HOSTS,
    S_ISSUER_TODAY,
    S_ISSUER_NEXT,
    S_OHTTP_TODAY,
    S_OHTTP_NEXT,
    S_ORCHESTRATOR,
    S_PREDICTOR,
    S_GUARD,   /* nothing, unless a status of all roles is wanted */
    S_GATEWAY, /* nothing, unless a status of all roles is wanted */
    S_GAP,     /* nothing, unless a test wants a larger tree */
    S_STATUS,
    S_EXTRA, /* nothing, unless a test puts something behind the status */
    SLOTS,
};

struct slot {
    enum slot_id id;
    struct pp_record record;
    uint32_t signers;   /* BY(...) */
    int named;          /* 1: the status names it */
    struct pp_span raw; /* logged in the place of the record, when it is not empty */
};

struct world_entry {
    uint8_t bytes[PP_RECORD_ENTRY_MAX];
    size_t len;
    struct pp_record_id record_id;
    struct pp_merkle_hash leaf;
    int present;
};

struct world_text {
    char bytes[8192];
    struct pp_wr wr;
};

struct world {
    struct pp_note_signer people[PEOPLE];
    struct world_text trust_text, log_text, owner_text, review_text;
    struct pp_trust_files files;
    struct pp_trust trust;

    struct pp_span issuer_config, ohttp_config; /* of the key records; empty: bytes of no meaning */
    struct slot slots[SLOTS];
    struct world_entry entries[SLOTS];
    size_t places[SLOTS];         /* slot of the log's entry i */
    size_t size;                  /* entries of the log */
    uint64_t cosigned[WITNESSES]; /* times; 0: this witness did not sign */
    uint32_t checkpoint_signers;  /* BY(...) */

    struct pp_bundle bundle;
    struct pp_bundle_entry records[SLOTS];
    uint8_t proofs[SLOTS][16384];
    struct pp_span revokes[2];
    uint8_t bytes[1 << 20];
};

/* --- people and anchors ----------------------------------------------------------------------- */

static inline struct pp_note_signer world_person(const char *name, enum pp_note_type type,
                                                 uint8_t fill)
{
    struct pp_note_signer s;
    uint8_t seed[32];

    memset(seed, fill, sizeof seed);
    assert_ok(pp_note_signer_make(pp_span_cstr(name), type, PP_BYTES(seed), &s));
    return s;
}

static inline void world_line(struct world_text *t, const char *before, const struct world *w,
                              enum person p)
{
    pp_wr_text(&t->wr, before);
    pp_vkey_write(&t->wr, &w->people[p].key);
    pp_wr_u8(&t->wr, '\n');
}

static inline void world_begin(struct world_text *t)
{
    t->wr = pp_wr_over(t->bytes, sizeof t->bytes);
}

static inline struct pp_span world_end(struct world_text *t)
{
    assert_ok(pp_wr_ok(&t->wr));
    return pp_wr_done(&t->wr);
}

#define WORLD_TRUST                                                                                \
    "environment = dev\n"                                                                          \
    "namespace = " WORLD_NAMESPACE "\n"                                                            \
    "issuer = issuer.example\n"                                                                    \
    "issuer_url = http://127.0.0.1:9/issue\n"                                                      \
    "gateway_authority = gateway.example\n"                                                        \
    "relay = http://127.0.0.1:9/relay\n"                                                           \
    "mirror = http://127.0.0.1:9/directory\n"                                                      \
    "platform = sev-snp\n"                                                                         \
    "hardware = strict\n"                                                                          \
    "message_kem = classical\n"                                                                    \
    "ohttp_kem = x25519\n"                                                                         \
    "tls_group = x25519\n"

/* The part of a log policy behind its logs: three of four, and the record witness. */
static inline void world_witnesses(struct world_text *t, const struct world *w)
{
    world_line(t, "witness w0 ", w, P_W0);
    world_line(t, "witness w1 ", w, P_W1);
    world_line(t, "witness w2 ", w, P_W2);
    world_line(t, "witness w3 ", w, P_W3);
    world_line(t, "witness record ", w, P_RECORD_WITNESS);
    pp_wr_text(&t->wr, "group plain 3 w0 w1 w2 w3\ngroup all all plain record\nquorum all\n");
}

static inline void world_policies(struct world *w)
{
    world_begin(&w->log_text);
    world_line(&w->log_text, "log ", w, P_LOG);
    world_witnesses(&w->log_text, w);
    world_begin(&w->owner_text);
    world_line(&w->owner_text, "witness owner ", w, P_OWNER);
    pp_wr_text(&w->owner_text.wr, "quorum owner\n");
    world_begin(&w->review_text);
    world_line(&w->review_text, "witness alice ", w, P_ALICE);
    world_line(&w->review_text, "witness bob ", w, P_BOB);
    world_line(&w->review_text, "witness carol ", w, P_CAROL);
    pp_wr_text(&w->review_text.wr, "group two 2 alice bob carol\nquorum two\n");
    w->files = (struct pp_trust_files){ .trust = PP_STR(WORLD_TRUST),
                                        .log_policy = world_end(&w->log_text),
                                        .owner_policy = world_end(&w->owner_text),
                                        .review_policy = world_end(&w->review_text) };
}

/* A world with its anchors read; no records yet. */
static inline struct world *world_new(void)
{
    static const char *const names[PEOPLE] = {
        WORLD_ORIGIN,       "owner.example", "alice.example",  "bob.example", "carol.example",
        "stranger.example", WORLD_ORIGIN,    WORLD_ORIGIN,     "w0.example",  "w1.example",
        "w2.example",       "w3.example",    "record.example",
    };
    struct world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    assert_ok(pp_crypto_init());
    for (uint8_t i = 0; i < PEOPLE; i++)
        w->people[i] = world_person(names[i], i < P_W0 ? PP_NOTE_ED25519 : PP_NOTE_COSIGNATURE,
                                    (uint8_t)(1 + i));
    world_policies(w);
    assert_ok(pp_trust_parse(&w->trust, &w->files, NULL));
    return w;
}

static inline void world_free(struct world *w)
{
    for (size_t i = 0; i < PEOPLE; i++)
        pp_note_signer_done(&w->people[i]);
    pp_trust_done(&w->trust);
    free(w);
}

/* --- records ---------------------------------------------------------------------------------- */

static inline struct slot *world_slot(struct world *w, enum slot_id id, enum pp_record_type type,
                                      uint32_t signers)
{
    struct slot *s = &w->slots[id];

    *s = (struct slot){ .id = id,
                        .signers = signers,
                        .named = 1,
                        .record = { .type = type,
                                    .ledger = PP_STR(WORLD_ORIGIN),
                                    .name_space = PP_STR(WORLD_NAMESPACE),
                                    .environment = PP_RECORD_DEV,
                                    .serial = 1,
                                    .time = WORLD_LOGGED } };
    return s;
}

static inline void world_release(struct world *w, enum slot_id id, enum pp_record_role role,
                                 uint8_t fill)
{
    struct slot *s = world_slot(w, id, PP_RECORD_RELEASE, BY(P_ALICE) | BY(P_BOB));
    struct pp_release *r = &s->record.release;

    s->record.serial = 5;
    r->role = role;
    r->not_before = WORLD_LOGGED;
    r->not_after = WORLD_LOGGED + PP_RELEASE_LIFE_S;
    r->image.bytes = 1;
    r->image.where = PP_STR("https://images.example.org/1");
    r->source.repository = PP_STR("https://git.example.org/pp");
    r->source.commit = PP_STR("0123456789abcdef0123456789abcdef01234567");
    r->snp_count = 1;
    r->snp[0] = (struct pp_release_snp){
        .label = PP_STR("small"), .family = PP_RECORD_GENOA, .vmm = PP_STR("qemu"), .vcpus = 1
    };
    memset(r->snp[0].measurement, fill, sizeof r->snp[0].measurement);
    r->snp_min_tcb[PP_RECORD_GENOA] = (struct pp_release_tcb){ .given = 1, .snp = 1 };
    r->config_count = 1;
    memset(r->config[0], fill, sizeof r->config[0]);
    r->review_count = 1;
    r->review[0].name = PP_STR("reviewers");
    memcpy(r->review[0].sha256, w->trust.review.digest, PP_SHA256_BYTES);
}

static inline void world_key(struct world *w, enum slot_id id, enum pp_record_kind kind,
                             uint64_t epoch)
{
    static const uint8_t no_ohttp[] = { 0, 4, 1, 0, 32, 9 }, no_issuer[] = { 0, 5, 1, 2, 3 };
    struct slot *s = world_slot(w, id, PP_RECORD_KEY_EPOCH, BY(P_OWNER));
    struct pp_key_epoch *k = &s->record.key_epoch;
    struct pp_span config = kind == PP_RECORD_OHTTP ? w->ohttp_config : w->issuer_config;

    if (config.len == 0)
        config = kind == PP_RECORD_OHTTP ? PP_BYTES(no_ohttp) : PP_BYTES(no_issuer);
    s->record.serial = epoch;
    k->kind = kind;
    k->epoch = epoch;
    k->config_len = config.len;
    memcpy(k->config, config.at, config.len);
}

/* The world as it should be: every check passes at WORLD_NOW. */
static inline void world_default(struct world *w)
{
    struct slot *hosts = world_slot(w, S_HOSTS, PP_RECORD_HOST_SET, BY(P_OWNER) | BY(P_CAROL));

    hosts->record.host_set.not_after = WORLD_LOGGED + PP_HOST_SET_LIFE_S;
    hosts->record.host_set.count = 1;
    hosts->record.host_set.where = PP_STR("https://hosts.example.org/1");
    world_key(w, S_ISSUER_TODAY, PP_RECORD_ISSUER, WORLD_DAY);
    world_key(w, S_ISSUER_NEXT, PP_RECORD_ISSUER, WORLD_DAY + 1);
    world_key(w, S_OHTTP_TODAY, PP_RECORD_OHTTP, WORLD_DAY);
    world_key(w, S_OHTTP_NEXT, PP_RECORD_OHTTP, WORLD_DAY + 1);
    world_release(w, S_ORCHESTRATOR, PP_RECORD_ORCHESTRATOR, 0x0C);
    world_release(w, S_PREDICTOR, PP_RECORD_PREDICTOR, 0x0D);
    struct slot *status = world_slot(w, S_STATUS, PP_RECORD_STATUS, BY(P_LOG));
    status->record.serial = 7;
    status->record.time = WORLD_NOW - 60;
    for (size_t role = 0; role < PP_RECORD_ROLES; role++)
        status->record.status.min_serial[role] = 1;
    w->slots[S_GAP] = w->slots[S_EXTRA] = (struct slot){ 0 };
    w->slots[S_GUARD] = w->slots[S_GATEWAY] = (struct slot){ 0 };
    for (size_t i = 0; i < WITNESSES; i++)
        w->cosigned[i] = WORLD_NOW - 30;
    w->checkpoint_signers = BY(P_LOG);
    w->bundle = (struct pp_bundle){ 0 };
}

/* --- the log ---------------------------------------------------------------------------------- */

static inline void world_append(struct world *w, enum slot_id id)
{
    const struct slot *s = &w->slots[id];
    struct world_entry *e = &w->entries[id];
    struct pp_note_signer all[PEOPLE];
    static struct pp_note note;
    size_t count = 0;

    e->present = s->record.type != 0;
    if (!e->present)
        return;
    for (size_t p = 0; p < PEOPLE; p++)
        if ((s->signers >> p & 1) != 0)
            all[count++] = w->people[p];
    struct pp_wr wr = pp_wr_over(e->bytes, sizeof e->bytes);
    if (s->raw.len > 0)
        pp_wr_span(&wr, s->raw);
    else
        assert_ok(pp_record_sign(&wr, &s->record, all, count));
    e->len = wr.len;
    assert_ok(pp_note_parse(pp_span(e->bytes, e->len), &note));
    pp_record_id_of(note.text, &e->record_id);
    pp_merkle_leaf(pp_span(e->bytes, e->len), &e->leaf);
    w->places[w->size++] = id;
}

static inline int world_key_order(const struct pp_status_key *a, const struct pp_status_key *b)
{
    return a->kind != b->kind ? (int)a->kind - (int)b->kind : pp_record_id_cmp(&a->id, &b->id);
}

/* Lists what was appended, in the order that a status has. */
static inline void world_name_all(struct world *w)
{
    struct pp_status *s = &w->slots[S_STATUS].record.status;

    s->release_count = s->key_count = 0;
    for (size_t id = 0; id < S_STATUS; id++) {
        const struct slot *slot = &w->slots[id];
        const struct pp_record_id *name = &w->entries[id].record_id;

        if (!slot->named || slot->record.type == 0)
            continue;
        if (slot->record.type == PP_RECORD_HOST_SET)
            s->hosts = *name;
        if (slot->record.type == PP_RECORD_RELEASE) {
            size_t at = s->release_count++;
            for (; at > 0 && pp_record_id_cmp(&s->releases[at - 1], name) > 0; at--)
                s->releases[at] = s->releases[at - 1];
            s->releases[at] = *name;
        }
        if (slot->record.type == PP_RECORD_KEY_EPOCH) {
            struct pp_status_key key = { slot->record.key_epoch.kind, *name };
            size_t at = s->key_count++;
            for (; at > 0 && world_key_order(&s->keys[at - 1], &key) > 0; at--)
                s->keys[at] = s->keys[at - 1];
            s->keys[at] = key;
        }
    }
}

static inline pp_res world_node(void *ctx, unsigned level, uint64_t index,
                                struct pp_merkle_hash *ret)
{
    const struct world *w = ctx;
    struct pp_merkle_range r = { 0 };

    for (size_t i = 0; i < (size_t)1 << level; i++)
        PP_TRY(
            pp_merkle_append(&r, &w->entries[w->places[((size_t)index << level) + i]].leaf, NULL));
    pp_merkle_range_root(&r, ret);
    return PP_OK;
}

/* A proof of entry `place` under a checkpoint of the whole log. */
static inline struct pp_span world_prove(struct world *w, size_t place)
{
    struct pp_merkle_nodes nodes = { .read = world_node, .ctx = w };
    struct pp_proof proof = { .index = place };
    struct pp_merkle_range range = { 0 };
    struct pp_merkle_hash root;
    struct pp_note_signer logs[PEOPLE];
    size_t log_count = 0;
    char body[256], note[8192];
    struct pp_wr body_wr = pp_wr_over(body, sizeof body);
    struct pp_wr note_wr = pp_wr_over(note, sizeof note);
    struct pp_wr wr = pp_wr_over(w->proofs[place], sizeof w->proofs[place]);

    for (size_t i = 0; i < w->size; i++)
        assert_ok(pp_merkle_append(&range, &w->entries[w->places[i]].leaf, NULL));
    pp_merkle_range_root(&range, &root);
    for (size_t p = 0; p < PEOPLE; p++)
        if ((w->checkpoint_signers >> p & 1) != 0)
            logs[log_count++] = w->people[p];
    pp_checkpoint_write(&body_wr, logs[0].key.name, w->size, &root);
    assert_ok(pp_note_write(&note_wr, pp_wr_done(&body_wr), logs, log_count));
    for (size_t i = 0; i < WITNESSES; i++)
        if (w->cosigned[i] != 0)
            assert_ok(pp_cosign_line_write(&note_wr, &w->people[P_W0 + i], w->cosigned[i],
                                           pp_wr_done(&body_wr)));
    assert_ok(pp_wr_ok(&note_wr));
    proof.checkpoint = pp_wr_done(&note_wr);
    assert_ok(pp_merkle_inclusion(place, w->size, &nodes, &proof.path));
    pp_proof_write(&wr, &proof);
    assert_ok(pp_wr_ok(&wr));
    return pp_wr_done(&wr);
}

static inline size_t world_place(const struct world *w, const struct pp_record_id *id)
{
    size_t place = 0;

    while (place < w->size && !pp_record_id_same(&w->entries[w->places[place]].record_id, id))
        place++;
    assert_true(place < w->size);
    return place;
}

static inline struct pp_bundle_entry world_entry_of(struct world *w, const struct pp_record_id *id)
{
    size_t place = world_place(w, id);
    const struct world_entry *e = &w->entries[w->places[place]];

    return (struct pp_bundle_entry){ pp_span(e->bytes, e->len), world_prove(w, place) };
}

/* Signs the status as it stands, behind the records; then checkpoint, proofs and bundle. */
static inline void world_publish(struct world *w)
{
    const struct pp_status *s = &w->slots[S_STATUS].record.status;

    world_append(w, S_STATUS);
    world_append(w, S_EXTRA);
    w->bundle.records = w->records;
    w->bundle.record_count = 0;
    w->bundle.status = world_entry_of(w, &w->entries[S_STATUS].record_id);
    for (size_t i = 0; i < s->release_count; i++)
        w->records[w->bundle.record_count++] = world_entry_of(w, &s->releases[i]);
    w->records[w->bundle.record_count++] = world_entry_of(w, &s->hosts);
    for (size_t i = 0; i < s->key_count; i++)
        w->records[w->bundle.record_count++] = world_entry_of(w, &s->keys[i].id);
}

/* Signs and logs the records and lists those that are `named`; the status is not signed yet. */
static inline void world_records(struct world *w)
{
    w->size = 0;
    for (enum slot_id id = 0; id < S_STATUS; id++)
        world_append(w, id);
    world_name_all(w);
}

static inline void world_log(struct world *w)
{
    world_records(w);
    world_publish(w);
}

static inline struct pp_span world_bytes(struct world *w)
{
    struct pp_wr wr = pp_wr_over(w->bytes, sizeof w->bytes);

    assert_ok(pp_bundle_write(&wr, &w->bundle));
    return pp_wr_done(&wr);
}

#endif
