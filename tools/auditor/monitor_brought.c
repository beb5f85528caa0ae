/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkpoints that come inside something else: an offline proof, the directory bundle that devices
 * get, the receipt of a session. Whoever has one can have it compared; the bundles are also what
 * places and mirrors are judged by.
 */
#include <fcntl.h>
#include <stdlib.h>

#include "bundle.h"
#include "http_client.h"
#include "monitor_run_int.h"
#include "receipt.h"

enum {
    ARENA_BYTES = 1 << 18, /* the lists of a bundle and of a receipt */
    MIRROR_DEADLINE_MS = 20000,
};

/* A file that is being taken apart. */
struct carrier {
    struct pp_monitor_run *run;
    const char *who;
    struct pp_arena arena;
    struct pp_bundle bundle;
    struct pp_span last; /* the note that was shown last: most proofs are under one */
};

static pp_res begin(struct carrier *c, struct pp_monitor_run *r, const char *who)
{
    void *memory = calloc(1, ARENA_BYTES);

    PP_CHECK(memory != NULL, PP_E_NO_MEMORY, 0);
    *c = (struct carrier){ .run = r, .who = who, .arena = pp_arena_over(memory, ARENA_BYTES) };
    return PP_OK;
}

static void end(struct carrier *c)
{
    free(c->arena.base);
}

/* --- checkpoints ------------------------------------------------------------------------------ */

static pp_res show_note(struct carrier *c, struct pp_span note, int *ret_is_one)
{
    struct pp_monitor_head head;

    *ret_is_one = 1;
    if (c->last.len > 0 && pp_span_eq(note, c->last))
        return PP_OK;
    *ret_is_one = pp_is_ok(pp_monitor_open(c->run->monitor, note, &head));
    if (!*ret_is_one)
        return PP_OK;
    c->last = note;
    return pp_monitor_show(c->run->monitor, &head, c->who);
}

static pp_res show_proof(struct carrier *c, struct pp_span bytes, int *ret_is_one)
{
    struct pp_proof proof;

    *ret_is_one = pp_is_ok(pp_proof_parse(bytes, &proof));
    return *ret_is_one ? show_note(c, proof.checkpoint, ret_is_one) : PP_OK;
}

static pp_res show_bundle(struct carrier *c, const struct pp_bundle *b)
{
    int is_one;

    PP_TRY(show_proof(c, b->status.proof, &is_one));
    for (size_t i = 0; i < b->record_count; i++)
        PP_TRY(show_proof(c, b->records[i].proof, &is_one));
    return PP_OK;
}

static pp_res show_bytes(struct carrier *c, struct pp_span bytes, int *ret_is_one)
{
    struct pp_receipt receipt;

    PP_TRY(show_note(c, bytes, ret_is_one));
    if (!*ret_is_one)
        PP_TRY(show_proof(c, bytes, ret_is_one));
    if (*ret_is_one)
        return PP_OK;
    *ret_is_one = 1;
    if (pp_is_ok(pp_bundle_parse(bytes, &c->arena, &c->bundle)))
        return show_bundle(c, &c->bundle);
    pp_arena_reset(&c->arena);
    if (pp_is_ok(pp_receipt_parse(bytes, &c->arena, &receipt)))
        return show_bundle(c, &receipt.bundle);
    *ret_is_one = 0;
    return PP_OK;
}

pp_res monitor_show_brought(struct pp_monitor_run *r, const char *path)
{
    struct pp_buf bytes = { 0 };
    struct carrier c;
    int is_one = 0;

    PP_TRY(begin(&c, r, path));
    pp_res why = pp_file_read(AT_FDCWD, path, PP_RECEIPT_BYTES_MAX, &bytes);
    pp_res res = pp_is_ok(why) ? show_bytes(&c, pp_buf_span(&bytes), &is_one) : PP_OK;
    if (pp_is_ok(res) && !is_one) {
        r->unread++;
        if (pp_is_ok(why))
            why = PP_FAIL(PP_E_FORMAT, 0);
        res = pp_monitor_unreadable(r->monitor, path, why);
    }
    pp_buf_done(&bytes);
    end(&c);
    return res;
}

/* --- what devices get ------------------------------------------------------------------------- */

static pp_res tell(struct carrier *c, const char *field, const char *expected, const char *got)
{
    struct pp_problem words = { 0 };

    pp_problem_set(&words, field, expected, pp_span_cstr(got));
    return pp_monitor_found_file(c->run->monitor, c->who, PP_E_LOG_DIRECTORY, &words);
}

/* Clients stop when they meet two bundles of one status; the first of a round is the measure. */
static pp_res compare_bundles(struct carrier *c, struct pp_span bytes, uint64_t size)
{
    struct pp_monitor_run *r = c->run;
    uint8_t digest[PP_SHA256_BYTES];

    pp_sha256(bytes, digest);
    if (r->directory_size != size) {
        r->directory_size = size;
        memcpy(r->directory_sha256, digest, sizeof digest);
        return PP_OK;
    }
    if (memcmp(r->directory_sha256, digest, sizeof digest) == 0)
        return PP_OK;
    return tell(c, "bundle", "the same bytes under one status", "other bytes than another place's");
}

static pp_res judge_directory(struct carrier *c, struct pp_monitor_source *source,
                              struct pp_span bytes)
{
    const struct pp_policy *policy = c->run->config.log;
    struct pp_policy_checkpoint opened;
    struct pp_monitor_head head;
    struct pp_merkle_hash leaf;
    struct pp_proof proof;

    if (!pp_is_ok(pp_bundle_parse(bytes, &c->arena, &c->bundle)))
        return tell(c, "bundle", "a directory bundle", "something else");
    pp_merkle_leaf(c->bundle.status.entry, &leaf);
    if (!pp_is_ok(pp_proof_parse(c->bundle.status.proof, &proof)) ||
        !pp_is_ok(pp_monitor_open(c->run->monitor, proof.checkpoint, &head)) ||
        !pp_is_ok(pp_proof_verify(&proof, &leaf, policy, 0, UINT64_MAX, &opened)) ||
        proof.index + 1 != head.opened.checkpoint.size)
        return tell(c, "status", "the last entry of a tree with its quorum", "no proof of it");
    PP_TRY(show_bundle(c, &c->bundle));
    PP_TRY(pp_monitor_serve(c->run->monitor, source, &head));
    return compare_bundles(c, bytes, head.opened.checkpoint.size);
}

pp_res monitor_show_directory(struct pp_monitor_run *r, const char *who, struct pp_span bytes)
{
    struct pp_monitor_source *source = pp_monitor_state_source(r->state, who);
    struct carrier c;

    PP_CHECK(source != NULL, PP_E_LIMIT, 0);
    PP_TRY(begin(&c, r, who));
    pp_res res = judge_directory(&c, source, bytes);
    end(&c);
    return res;
}

pp_res monitor_read_mirrors(struct pp_monitor_run *r)
{
    const struct pp_http_client_config c = { .response_bytes_max = PP_BUNDLE_BYTES_MAX,
                                             .ca_pem = r->config.ca_pem };

    for (size_t i = 0; i < r->config.mirror_count; i++) {
        const struct pp_http_call call = { .method = "GET",
                                           .url = r->config.mirrors[i],
                                           .deadline_ms = MIRROR_DEADLINE_MS };
        struct pp_http_result got = { 0 };
        pp_res why = pp_http_call(&c, &call, &got);
        if (pp_is_ok(why) && got.status != 200)
            why = PP_FAIL(PP_E_HTTP_STATUS, got.status);
        pp_res res = pp_is_ok(why)
                         ? monitor_show_directory(r, call.url, pp_span(got.body, got.body_len))
                         : pp_monitor_unreadable(r->monitor, call.url, why);
        r->unread += !pp_is_ok(why);
        pp_http_result_done(&got);
        PP_TRY(res);
    }
    return PP_OK;
}
