/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of people and policies: owner, reviewers, and what a device pins of log and witnesses. */
#include <stdio.h>
#include <string.h>

#include "ct.h"
#include "fleet_int.h"
#include "people.h"

/* One signing key a folder, "each at home"; made once, kept. */
pp_res fleet_make_signer(struct fleet *f, const char *party, const char *name)
{
    PP_AUTO(pp_secret) seed = { 0 };
    PP_AUTO(pp_note_signer) signer = { 0 };
    char text[512];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    PP_TRY(fleet_folder(f, party, NULL));
    if (fleet_exists(f, party, "key"))
        return PP_OK;
    PP_TRY(pp_secret_alloc(&seed, PP_ED25519_SEED_BYTES));
    PP_TRY(pp_random_fill(&f->random, seed.bytes, seed.len));
    PP_TRY(
        pp_note_signer_make(pp_span_cstr(name), PP_NOTE_ED25519, pp_secret_span(&seed), &signer));
    pp_note_signer_write(&wr, &signer);
    pp_wr_u8(&wr, '\n');
    pp_res r = pp_wr_ok(&wr);
    if (pp_is_ok(r))
        r = fleet_write(f, party, "key", pp_wr_done(&wr));
    pp_wipe(text, sizeof text);
    return r;
}

pp_res fleet_load_signer(struct fleet *f, const char *party, struct fleet_signer *ret)
{
    PP_TRY(fleet_read_file(f, party, "key", 1024, &ret->text));
    if (!pp_is_ok(pp_note_signer_parse(pp_buf_span(&ret->text), &ret->signer)))
        return fleet_refuse(f, PP_FAIL(PP_E_KEY, 0), party, "key", "a private note key", "");
    return PP_OK;
}

void fleet_signer_done(struct fleet_signer *s)
{
    pp_note_signer_done(&s->signer);
    pp_buf_done(&s->text);
}

pp_res fleet_make_people(struct fleet *f)
{
    PP_TRY(fleet_make_signer(f, "owner", "owner.pp-dev.example"));
    for (int i = 1; i <= FLEET_REVIEWERS; i++) {
        char party[FLEET_NAME_MAX], name[64];
        snprintf(party, sizeof party, "reviewer%d", i);
        snprintf(name, sizeof name, "reviewer%d.pp-dev.example", i);
        PP_TRY(fleet_make_signer(f, party, name));
    }
    PP_TRY(fleet_make_signer(f, "builder1", "builder1.pp-dev.example"));
    return fleet_make_signer(f, "builder2", "builder2.pp-dev.example");
}

static pp_res write_vkey_of(struct fleet *f, const char *party, struct pp_wr *wr)
{
    PP_AUTO(fleet_signer) s = { 0 };

    PP_TRY(fleet_load_signer(f, party, &s));
    pp_vkey_write(wr, &s.signer.key);
    return PP_OK;
}

/* "witness <name> <vkey>" lines under one group; the grammar serves people too. */
static pp_res review_policy(struct fleet *f, const char *file, const char *const *parties,
                            size_t count, unsigned needed)
{
    char text[4096];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    for (size_t i = 0; i < count; i++) {
        pp_wr_text(&wr, "witness ");
        pp_wr_text(&wr, parties[i]);
        pp_wr_u8(&wr, ' ');
        PP_TRY(write_vkey_of(f, parties[i], &wr));
        pp_wr_u8(&wr, '\n');
    }
    pp_wr_text(&wr, "group all-of-them ");
    pp_wr_decimal(&wr, needed);
    for (size_t i = 0; i < count; i++) {
        pp_wr_u8(&wr, ' ');
        pp_wr_text(&wr, parties[i]);
    }
    pp_wr_text(&wr, "\nquorum all-of-them\n");
    PP_TRY(pp_wr_ok(&wr));
    return fleet_write(f, "trust", file, pp_wr_done(&wr));
}

/* The log's policy: all of {3 of 4 plain witnesses, the record witness}. */
static pp_res log_policy(struct fleet *f)
{
    static const char *const witnesses[] = { "witness1", "witness2", "witness3", "witness4",
                                             "record-witness" };
    struct pp_buf vkey = { 0 };
    char text[4096];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    pp_wr_text(&wr, "log ");
    PP_TRY(fleet_read_file(f, "log", "vkey", 512, &vkey));
    pp_wr_span(&wr, pp_buf_span(&vkey));
    pp_buf_done(&vkey);
    for (size_t i = 0; i < PP_ARRAY_COUNT(witnesses); i++) {
        pp_wr_text(&wr, "witness ");
        pp_wr_text(&wr, witnesses[i]);
        pp_wr_u8(&wr, ' ');
        PP_TRY(fleet_read_file(f, witnesses[i], "vkey", 512, &vkey));
        pp_wr_span(&wr, pp_buf_span(&vkey));
        pp_buf_done(&vkey);
    }
    pp_wr_text(&wr, "group plain 3 witness1 witness2 witness3 witness4\n"
                    "group clients all plain record-witness\n"
                    "quorum clients\n");
    PP_TRY(pp_wr_ok(&wr));
    return fleet_write(f, "trust", "log.policy", pp_wr_done(&wr));
}

pp_res fleet_make_policies(struct fleet *f)
{
    static const char *const owner[] = { "owner" };
    static const char *const reviewers[] = { "reviewer1", "reviewer2", "reviewer3" };
    static const char *const builders[] = { "builder1", "builder2" };

    PP_TRY(fleet_folder(f, "trust", NULL));
    PP_TRY(review_policy(f, "owner.policy", owner, 1, 1));
    PP_TRY(review_policy(f, "review.policy", reviewers, FLEET_REVIEWERS, 2));
    PP_TRY(review_policy(f, "builders", builders, PP_ARRAY_COUNT(builders), 2));
    return log_policy(f);
}
