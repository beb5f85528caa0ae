/* SPDX-License-Identifier: Apache-2.0 */
/* Faults that are made from data: bundles, keys, the device's wallet. Everything runs by then. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"
#include "bundle.h"
#include "cosign.h"
#include "ct.h"
#include "fleet_int.h"
#include "machine.h"
#include "people.h"
#include "proof.h"
#include "records.h"
#include "text.h"
#include "token_keys.h"
#include "wallet.h"

enum { BUNDLE_ARENA_BYTES = 1 << 20, TRIES_MAX = 100000, STALE_S = 90000 };

/* --- an issuer with another key --------------------------------------------------------------- */

/*
 * A key whose id ends in the same byte as the logged one's: the request names no more of it, so the
 * issuer serves it, and its proof is right for its own key.
 */
static pp_res grind_key(struct fleet *f, const struct pp_cred_public *logged, uint8_t *ret_seed)
{
    for (int i = 0; i < TRIES_MAX; i++) {
        PP_AUTO(pp_cred_key) key = { 0 };

        PP_TRY(pp_random_fill(&f->random, ret_seed, PP_CRED_SEED_BYTES));
        PP_TRY(pp_cred_key_derive(logged->type, pp_span(ret_seed, PP_CRED_SEED_BYTES), &key));
        if (key.pub.key_id[31] == logged->key_id[31])
            return PP_OK;
    }
    return PP_FAIL(PP_E_RANDOM, TRIES_MAX);
}

pp_res fleet_spoil_issuer(struct fleet *f)
{
    char folder[FLEET_PATH_MAX];
    struct pp_token_keys keys = { 0 };
    pp_res r = PP_OK;

    if (!fleet_has_fault(f, FAULT_TOKEN_KEY))
        return PP_OK;
    PP_TRY(fleet_path(f, "issuer", "keys", folder));
    PP_TRY(pp_token_keys_load(folder, pp_clock_posix_s(&f->clock), &f->problem, &keys));
    for (size_t i = 0; i < keys.count && pp_is_ok(r); i++) {
        const struct pp_token_key *k = &keys.list[i];
        char text[PP_TOKEN_KEY_FILE_BYTES_MAX], file[64];
        struct pp_wr wr = pp_wr_over(text, sizeof text);
        uint8_t seed[PP_CRED_SEED_BYTES];

        snprintf(file, sizeof file, "keys/%u.key", k->day);
        r = grind_key(f, &k->key.pub, seed);
        if (pp_is_ok(r))
            r = pp_token_key_write(k->day, k->key.pub.type, k->issue_from_s, k->issue_until_s,
                                   PP_BYTES(seed), &wr);
        if (pp_is_ok(r))
            r = fleet_write(f, "issuer", file, pp_wr_done(&wr));
    }
    pp_token_keys_done(&keys);
    return r;
}

/* --- bundles that lie ------------------------------------------------------------------------- */

/* One edit of a proof's or entry's bytes; the result comes from the arena. */
typedef pp_res (*edit_fn)(struct fleet *f, struct pp_arena *a, struct pp_span in,
                          struct pp_span *ret);

/* Leaves out the signature lines ("\u2014 NAME ...") whose name starts with one of `names`. */
static pp_res without_lines(struct pp_arena *a, struct pp_span in, const char *const *names,
                            struct pp_span *ret)
{
    uint8_t *out = pp_arena_alloc(a, in.len + 1);
    struct pp_wr wr = pp_wr_over(out, out == NULL ? 0 : in.len + 1);
    struct pp_span line;

    PP_CHECK(out != NULL, PP_E_NO_MEMORY, in.len);
    while (in.len > 0) {
        int more = pp_text_cut(&in, '\n', &line), drop = 0;
        for (size_t i = 0; names[i] != NULL; i++) {
            char prefix[64];
            int n = snprintf(prefix, sizeof prefix, "\xe2\x80\x94 %s.", names[i]);
            drop |= n > 0 && line.len > (size_t)n && memcmp(line.at, prefix, (size_t)n) == 0;
        }
        if (drop)
            continue;
        pp_wr_span(&wr, line);
        if (more)
            pp_wr_u8(&wr, '\n');
    }
    *ret = pp_wr_done(&wr);
    return pp_wr_ok(&wr);
}

static pp_res drop_two_witnesses(struct fleet *f, struct pp_arena *a, struct pp_span in,
                                 struct pp_span *ret)
{
    static const char *const names[] = { "witness1", "witness2", NULL };

    (void)f;
    return without_lines(a, in, names, ret);
}

static pp_res drop_record_witness(struct fleet *f, struct pp_arena *a, struct pp_span in,
                                  struct pp_span *ret)
{
    static const char *const names[] = { "record-witness", NULL };

    (void)f;
    return without_lines(a, in, names, ret);
}

/* The same checkpoint, cosigned by the same witnesses more than a day ago. */
static pp_res cosign_in_the_past(struct fleet *f, struct pp_arena *a, struct pp_span in,
                                 struct pp_span *ret)
{
    static const char *const parties[] = { "witness1", "witness2",       "witness3",
                                           "witness4", "record-witness", NULL };
    uint64_t then = pp_clock_posix_s(&f->clock) - STALE_S;
    struct pp_proof *proof = pp_arena_alloc(a, sizeof *proof);
    struct pp_note *note = pp_arena_alloc(a, sizeof *note);
    uint8_t *out = pp_arena_alloc(a, in.len + 4096);
    struct pp_wr wr = pp_wr_over(out, out == NULL ? 0 : in.len + 4096);
    struct pp_span bare;

    PP_CHECK(proof != NULL && note != NULL && out != NULL, PP_E_NO_MEMORY, 0);
    PP_TRY(without_lines(a, in, parties, &bare));
    PP_TRY(pp_proof_parse(bare, proof));
    PP_TRY(pp_note_parse(proof->checkpoint, note));
    pp_wr_span(&wr, bare);
    for (size_t i = 0; parties[i] != NULL; i++) {
        PP_AUTO(fleet_signer) s = { 0 };
        PP_TRY(fleet_load_signer(f, parties[i], &s));
        PP_TRY(pp_cosign_line_write(&wr, &s.signer, then, note->text));
    }
    *ret = pp_wr_done(&wr);
    return pp_wr_ok(&wr);
}

/* Another key in a record of kind ohttp: one character of its Base64. */
static pp_res change_ohttp_key(struct fleet *f, struct pp_arena *a, struct pp_span in,
                               struct pp_span *ret)
{
    static const char mark[] = "config b64:";
    struct pp_span copy;

    (void)f;
    PP_TRY(pp_arena_copy(a, in, &copy));
    *ret = copy;
    if (memmem(copy.at, copy.len, "kind ohttp", 10) == NULL)
        return PP_OK;
    uint8_t *config = memmem(copy.at, copy.len, mark, sizeof mark - 1);
    PP_CHECK(config != NULL, PP_E_NOT_FOUND, 0);
    uint8_t *letter = config + sizeof mark - 1 + 12; /* inside the public key */
    *letter = *letter == 'A' ? 'B' : 'A';
    return PP_OK;
}

/* Rewrites what the mirror serves. */
static pp_res edit_bundle(struct fleet *f, edit_fn entry_edit, edit_fn proof_edit)
{
    PP_AUTO(pp_arena) a = { 0 };
    struct pp_buf in = { 0 };
    struct pp_bundle b;

    PP_TRY(pp_arena_new_locked(&a, BUNDLE_ARENA_BYTES));
    PP_TRY(fleet_read_file(f, "relay", "directory", PP_BUNDLE_BYTES_MAX, &in));
    pp_res r = pp_bundle_parse(pp_buf_span(&in), &a, &b);
    for (size_t i = 0; pp_is_ok(r) && i <= b.record_count; i++) {
        struct pp_bundle_entry *e = i == 0 ? &b.status : &b.records[i - 1];
        if (entry_edit != NULL)
            r = entry_edit(f, &a, e->entry, &e->entry);
        if (pp_is_ok(r) && proof_edit != NULL)
            r = proof_edit(f, &a, e->proof, &e->proof);
    }
    uint8_t *out = malloc(PP_BUNDLE_BYTES_MAX);
    struct pp_wr wr = pp_wr_over(out, out == NULL ? 0 : PP_BUNDLE_BYTES_MAX);
    if (pp_is_ok(r))
        r = pp_bundle_write(&wr, &b);
    if (pp_is_ok(r))
        r = fleet_write(f, "relay", "directory", pp_wr_done(&wr));
    free(out);
    pp_buf_done(&in);
    return r;
}

/* --- a device with a past --------------------------------------------------------------------- */

/* One real session, for what it leaves behind on the device. */
static pp_res use_once(struct fleet *f)
{
    static const char chat[] =
        "{\"messages\":[{\"sender\":\"Ada\",\"time\":\"2026-01-01T10:00:00\","
        "\"text\":\"We meet on Friday at 18:00 in the library.\"}]}";
    char path[FLEET_PATH_MAX];
    struct pp_buf output = { 0 };

    PP_TRY(fleet_write(f, "device", "first-chat.json", pp_span_cstr(chat)));
    PP_TRY(fleet_path(f, "device", "first-chat.json", path));
    const char *const args[] = { "--state", f->state, "summarize", path, NULL };
    pp_res r = fleet_run(f, "ppctl", args, &output);
    pp_buf_done(&output);
    (void)unlink(path);
    return r;
}

/* The device has seen a later status than the mirror serves now, and has only its marks left. */
static pp_res roll_back(struct fleet *f)
{
    char path[FLEET_PATH_MAX];
    struct pp_buf old = { 0 };

    PP_TRY(fleet_read_file(f, "relay", "directory", PP_BUNDLE_BYTES_MAX, &old));
    pp_res r = fleet_publish_host_set(f);
    if (pp_is_ok(r))
        r = use_once(f);
    if (pp_is_ok(r))
        r = fleet_write(f, "relay", "directory", pp_buf_span(&old));
    if (pp_is_ok(r))
        r = fleet_path(f, "device", "bundle", path);
    if (pp_is_ok(r) && unlink(path) != 0)
        r = pp_errno_res(errno);
    pp_buf_done(&old);
    return r;
}

static pp_res open_wallet(struct fleet *f, struct pp_platform_key_file *file, char key_path[],
                          struct pp_wallet **ret)
{
    char path[FLEET_PATH_MAX];
    struct pp_wallet_policy policy;

    PP_TRY(fleet_path(f, "device", "wallet", path));
    PP_TRY(fleet_path(f, "device", "platform.key", key_path));
    *file = (struct pp_platform_key_file){ .path = key_path, .random = f->random };
    struct pp_platform_key key = pp_platform_key_of_file(file);
    PP_TRY(pp_wallet_policy_init(&policy, 1, 1));
    return pp_wallet_open(path, &key, &policy, &f->random, &f->problem, ret);
}

static pp_res wallet_keys(struct fleet *f, struct pp_wallet_key ret[PP_WALLET_EPOCHS_MAX],
                          size_t *ret_count)
{
    char folder[FLEET_PATH_MAX];
    struct pp_token_keys keys = { 0 };

    PP_TRY(fleet_path(f, "issuer", "keys", folder));
    PP_TRY(pp_token_keys_load(folder, pp_clock_posix_s(&f->clock), &f->problem, &keys));
    for (*ret_count = 0; *ret_count < keys.count && *ret_count < PP_WALLET_EPOCHS_MAX;
         (*ret_count)++) {
        ret[*ret_count].day = keys.list[*ret_count].day;
        memcpy(ret[*ret_count].key_id, keys.list[*ret_count].key.pub.key_id, PP_TOKEN_KEY_ID_BYTES);
    }
    pp_token_keys_done(&keys);
    return PP_OK;
}

/*
 * Takes tokens out of the wallet and drops them, until `left` of today's may still be spent; with 0
 * until nothing may be: near midnight tokens of two days go, in an order that coins choose.
 */
static pp_res drain_wallet(struct fleet *f, size_t left)
{
    char key_path[FLEET_PATH_MAX];
    struct pp_platform_key_file file;
    struct pp_wallet *wallet = NULL;
    struct pp_wallet_key keys[PP_WALLET_EPOCHS_MAX];
    struct pp_wallet_epoch epochs[PP_WALLET_EPOCHS_MAX];
    uint64_t now = pp_clock_posix_s(&f->clock);
    size_t key_count, epoch_count;

    PP_TRY(wallet_keys(f, keys, &key_count));
    PP_TRY(open_wallet(f, &file, key_path, &wallet));
    pp_res r = pp_wallet_epochs(wallet, now, epochs, &epoch_count);
    size_t rested = 0;
    for (size_t i = 0; pp_is_ok(r) && i < epoch_count; i++)
        if (epochs[i].day == fleet_today(f))
            rested = epochs[i].rested;
    for (; pp_is_ok(r) && (left == 0 || rested > left); rested--) {
        PP_AUTO(pp_secret) token = { 0 };
        r = pp_wallet_take(wallet, keys, key_count, now, &token);
    }
    pp_wallet_close(wallet);
    return left == 0 && r.code == PP_E_NO_TOKENS ? PP_OK : r;
}

static pp_res spend_twice(struct fleet *f)
{
    struct pp_buf before = { 0 };

    PP_TRY(use_once(f)); /* fetches the batch */
    PP_TRY(drain_wallet(f, 1));
    PP_TRY(fleet_read_file(f, "device", "wallet", 1 << 20, &before));
    pp_res r = use_once(f); /* spends the last one */
    if (pp_is_ok(r))
        r = fleet_write(f, "device", "wallet", pp_buf_span(&before));
    pp_buf_done(&before);
    return r;
}

static pp_res empty_wallet(struct fleet *f)
{
    PP_TRY(use_once(f));
    return drain_wallet(f, 0);
}

/* --- all -------------------------------------------------------------------------------------- */

pp_res fleet_apply_fault(struct fleet *f)
{
    if (f->fault == NULL)
        return PP_OK;
    switch (f->fault->id) {
    case FAULT_OHTTP_KEY:
        return edit_bundle(f, change_ohttp_key, NULL);
    case FAULT_COSIGNATURE:
        return edit_bundle(f, NULL, drop_two_witnesses);
    case FAULT_RECORD_WITNESS:
        return edit_bundle(f, NULL, drop_record_witness);
    case FAULT_STATUS_STALE:
        return edit_bundle(f, NULL, cosign_in_the_past);
    case FAULT_STATUS_ROLLBACK:
        return roll_back(f);
    case FAULT_REVOKED:
        return fleet_revoke_release(f);
    case FAULT_TOKEN_TWICE:
        return spend_twice(f);
    case FAULT_WALLET_EMPTY:
        return empty_wallet(f);
    default:
        return PP_OK; /* made before, or played by an adversary program */
    }
}
