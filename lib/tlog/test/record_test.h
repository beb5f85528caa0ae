/* SPDX-License-Identifier: Apache-2.0 */
/* record_test.h: records, keys and policies that the record tests share. */
#ifndef PP_RECORD_TEST_H
#define PP_RECORD_TEST_H

#include "tlog_test.h"

#include "record.h"

#define NAMESPACE "example.org/test"
#define NOW       (UINT64_C(20000) * PP_DAY_S + 36000)

enum { TEST_LOG, TEST_OWNER, TEST_ALICE, TEST_BOB, TEST_SIGNERS };

static struct pp_note_signer signers[TEST_SIGNERS];
static struct pp_policy policies[3];
static struct test_text policy_texts[3];
static struct pp_record_keys keys;

static inline int make_people(void **state)
{
    static const char *const names[TEST_SIGNERS] = { ORIGIN, "owner.example", "alice.example",
                                                     "bob.example" };

    if (test_init(state) != 0)
        return -1;
    for (uint8_t i = 0; i < TEST_SIGNERS; i++)
        signers[i] = test_signer(names[i], PP_NOTE_ED25519, (uint8_t)(1 + i));
    test_vkey(test_begin(&policy_texts[0]), "log ", &signers[TEST_LOG]);
    pp_wr_text(&policy_texts[0].wr, "quorum none\n");
    test_vkey(test_begin(&policy_texts[1]), "witness o ", &signers[TEST_OWNER]);
    pp_wr_text(&policy_texts[1].wr, "quorum o\n");
    test_vkey(test_begin(&policy_texts[2]), "witness a ", &signers[TEST_ALICE]);
    test_vkey(&policy_texts[2].wr, "witness b ", &signers[TEST_BOB]);
    pp_wr_text(&policy_texts[2].wr, "group g all a b\nquorum g\n");
    for (size_t i = 0; i < 3; i++)
        assert_ok(pp_policy_parse(test_end(&policy_texts[i]),
                                  i == 0 ? PP_POLICY_LOG : PP_POLICY_REVIEW, &policies[i]));
    keys = (struct pp_record_keys){ &policies[0], &policies[1], &policies[2] };
    return 0;
}

static inline int drop_people(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_SIGNERS; i++)
        pp_note_signer_done(&signers[i]);
    return 0;
}

static inline void head_of(struct pp_record *r, enum pp_record_type type, uint64_t serial)
{
    *r = (struct pp_record){
        .type = type,
        .ledger = PP_STR(ORIGIN),
        .name_space = PP_STR(NAMESPACE),
        .environment = PP_RECORD_DEV,
        .serial = serial,
        .time = NOW,
    };
}

/* A release with one SNP row whose measurement is one byte repeated. */
static inline void release_of(struct pp_record *r, uint64_t serial, enum pp_record_role role,
                              uint8_t fill)
{
    head_of(r, PP_RECORD_RELEASE, serial);
    struct pp_release *p = &r->release;
    p->role = role;
    p->not_before = NOW;
    p->not_after = NOW + PP_RELEASE_LIFE_S;
    p->image.bytes = 1;
    p->image.where = PP_STR("https://images.example.org/1");
    p->source.repository = PP_STR("https://git.example.org/pp");
    p->source.commit = PP_STR("0123456789abcdef0123456789abcdef01234567");
    p->snp_count = 1;
    p->snp[0].label = PP_STR("small");
    p->snp[0].family = PP_RECORD_MILAN;
    p->snp[0].vmm = PP_STR("qemu");
    p->snp[0].vcpus = 4;
    memset(p->snp[0].measurement, fill, sizeof p->snp[0].measurement);
    p->snp_min_tcb[PP_RECORD_MILAN] = (struct pp_release_tcb){ 1, 4, 0, 24, 219, 0 };
    p->config_count = 1;
    p->review_count = 1;
    p->review[0].name = PP_STR("reviewers");
    memcpy(p->review[0].sha256, policies[2].digest, PP_SHA256_BYTES);
}

static inline void host_set_of(struct pp_record *r, uint64_t serial)
{
    head_of(r, PP_RECORD_HOST_SET, serial);
    r->host_set.not_after = NOW + PP_HOST_SET_LIFE_S;
    r->host_set.count = 1;
    r->host_set.where = PP_STR("https://hosts.example.org/1");
}

static inline void key_epoch_of(struct pp_record *r, uint64_t serial, enum pp_record_kind kind,
                                uint64_t epoch)
{
    static const uint8_t ohttp[] = { 0, 4, 1, 0, 32, 9 };
    static const uint8_t issuer[] = { 0, 5, 1, 2, 3 };

    head_of(r, PP_RECORD_KEY_EPOCH, serial);
    r->key_epoch.kind = kind;
    r->key_epoch.epoch = epoch;
    r->key_epoch.config_len = kind == PP_RECORD_OHTTP ? sizeof ohttp : sizeof issuer;
    memcpy(r->key_epoch.config, kind == PP_RECORD_OHTTP ? ohttp : issuer, r->key_epoch.config_len);
}

static inline void revoke_of(struct pp_record *r, uint64_t serial, const struct pp_record_id *id)
{
    head_of(r, PP_RECORD_REVOKE, serial);
    r->revoke.target = *id;
    r->revoke.effective = NOW;
}

#endif
