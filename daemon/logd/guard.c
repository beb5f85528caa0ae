/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

struct places {
    uint8_t bytes[PP_LOG_GUARD_PLACES][PP_LOG_GUARD_PLACE];
    size_t len[PP_LOG_GUARD_PLACES]; /* of the note in it */
};

static pp_res read_places(int fd, struct places *ret)
{
    memset(ret, 0, sizeof *ret);
    for (unsigned i = 0; i < PP_LOG_GUARD_PLACES; i++) {
        ssize_t n = pread(fd, ret->bytes[i], PP_LOG_GUARD_PLACE, (off_t)i * PP_LOG_GUARD_PLACE);
        if (n < 0)
            return pp_errno_res(errno);
        const uint8_t *zero = memchr(ret->bytes[i], 0, PP_LOG_GUARD_PLACE);
        ret->len[i] = zero == NULL ? PP_LOG_GUARD_PLACE : (size_t)(zero - ret->bytes[i]);
    }
    return PP_OK;
}

static struct pp_span note_in(const struct places *p, unsigned i)
{
    return pp_span(p->bytes[i], p->len[i]);
}

/* The larger tree of the two places; LEDGER_SIGNATURE when neither holds one of ours. */
static pp_res newest(const struct pp_log_guard *g, const struct places *p, unsigned *ret_place,
                     struct pp_checkpoint *ret)
{
    pp_res r = PP_FAIL(PP_E_LEDGER_SIGNATURE, 0);

    for (unsigned i = 0; i < PP_LOG_GUARD_PLACES; i++) {
        struct pp_checkpoint c;
        struct pp_note n;
        if (!pp_is_ok(
                pp_checkpoint_open(note_in(p, i), g->keys[0].name, g->keys, g->key_count, &n, &c)))
            continue;
        if (pp_is_ok(r) && c.size <= ret->size)
            continue;
        *ret_place = i;
        *ret = c;
        r = PP_OK;
    }
    return r;
}

static void keep(struct pp_log_guard *g, unsigned place, struct pp_span note)
{
    memcpy(g->note, note.at, note.len);
    g->note_len = note.len;
    g->place = place;
}

static struct pp_span own_note(const struct pp_log_guard *g)
{
    return pp_span(g->note, g->note_len);
}

pp_res pp_log_guard_compare(const struct pp_log_guard *g)
{
    struct pp_checkpoint c;
    struct places p;
    unsigned place = 0;

    PP_TRY(read_places(g->fd, &p));
    PP_TRY_AS(PP_E_LEDGER_SPLIT, newest(g, &p, &place, &c));
    PP_CHECK(pp_span_eq(note_in(&p, place), own_note(g)), PP_E_LEDGER_SPLIT, place);
    return PP_OK;
}

static pp_res write_all(int fd, const uint8_t *at, size_t len, off_t offset)
{
    while (len > 0) {
        ssize_t n = pwrite(fd, at, len, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return pp_errno_res(n == 0 ? EIO : errno);
        at += n;
        len -= (size_t)n;
        offset += n;
    }
    return PP_OK;
}

static pp_res write_place(int fd, unsigned place, struct pp_span note)
{
    uint8_t bytes[PP_LOG_GUARD_PLACE] = { 0 };

    memcpy(bytes, note.at, note.len);
    PP_TRY(write_all(fd, bytes, sizeof bytes, (off_t)place * PP_LOG_GUARD_PLACE));
    if (fsync(fd) != 0)
        return pp_errno_res(errno);
    return PP_OK;
}

static unsigned other_place(const struct pp_log_guard *g)
{
    return (g->place + 1) % PP_LOG_GUARD_PLACES;
}

pp_res pp_log_guard_write(struct pp_log_guard *g, struct pp_span note)
{
    PP_CHECK(note.len < PP_LOG_GUARD_PLACE, PP_E_LIMIT, note.len);
    memcpy(g->attempt, note.at, note.len);
    g->attempt_len = note.len;
    PP_TRY(write_place(g->fd, other_place(g), note));
    keep(g, other_place(g), note);
    return PP_OK;
}

pp_res pp_log_guard_take_back(struct pp_log_guard *g)
{
    struct pp_checkpoint c;
    struct places p;
    unsigned place = 0;

    PP_TRY(read_places(g->fd, &p));
    pp_res r = newest(g, &p, &place, &c);
    PP_CHECK(!pp_is_ok(r) || pp_span_eq(note_in(&p, place), own_note(g)) ||
                 pp_span_eq(note_in(&p, place), pp_span(g->attempt, g->attempt_len)),
             PP_E_LEDGER_SPLIT, place);
    PP_TRY(write_place(g->fd, other_place(g), own_note(g)));
    return write_place(g->fd, g->place, own_note(g));
}

/* The guarded tree is the signed one, or its beginning. */
static pp_res check_tree(struct pp_log_store *s, const struct pp_checkpoint *c)
{
    struct pp_tile_tree tree = { .source = pp_log_store_source(s), .size = pp_log_store_size(s) };
    struct pp_merkle_nodes nodes = pp_tile_nodes(&tree);
    struct pp_merkle_range range;
    struct pp_merkle_hash root;

    PP_CHECK(c->size <= tree.size, PP_E_LEDGER_ROLLBACK, c->size - tree.size);
    PP_TRY(pp_merkle_range_load(c->size, &nodes, &range));
    pp_merkle_range_root(&range, &root);
    PP_CHECK(pp_merkle_same(&root, &c->root), PP_E_LEDGER_SPLIT, c->size);
    return PP_OK;
}

static pp_res adopt(struct pp_log_guard *g, struct pp_log_store *s)
{
    struct pp_span note = pp_span(s->note, s->note_len);
    struct pp_checkpoint c;
    struct places p;
    unsigned place = 0;

    memcpy(g->keys, s->known, sizeof g->keys);
    g->key_count = s->known_count;
    PP_CHECK(flock(g->fd, LOCK_EX | LOCK_NB) == 0, PP_E_STATE_IN_USE, errno);
    PP_TRY(read_places(g->fd, &p));
    if (p.len[0] == 0 && p.len[1] == 0) {
        PP_CHECK(pp_log_store_size(s) == 0, PP_E_NOT_FOUND, 0);
        return pp_log_guard_write(g, note);
    }
    PP_TRY(newest(g, &p, &place, &c));
    PP_TRY(check_tree(s, &c));
    keep(g, place, note_in(&p, place));
    if (pp_span_eq(note_in(&p, place), note))
        return PP_OK;
    /* Into both places: the old note may be one of the same size, of other keys. */
    PP_TRY(pp_log_guard_write(g, note));
    return pp_log_guard_write(g, note);
}

pp_res pp_log_guard_open(struct pp_log_guard *g, const char *path, struct pp_log_store *s)
{
    *g = (struct pp_log_guard){ .fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) };
    if (g->fd < 0)
        return pp_errno_res(errno);
    pp_res r = adopt(g, s);
    if (pp_is_ok(r))
        s->guard = g;
    else
        pp_log_guard_done(g);
    return r;
}

void pp_log_guard_done(struct pp_log_guard *g)
{
    if (g->fd > 0)
        (void)close(g->fd);
    *g = (struct pp_log_guard){ 0 };
}
