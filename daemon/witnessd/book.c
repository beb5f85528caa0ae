/* SPDX-License-Identifier: Apache-2.0 */
#include "book_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

enum { PATH_BYTES = 96 };

static const uint8_t PREFIX[] = { 0xE2, 0x80, 0x94, ' ' }; /* of a signature line */

pp_res pp_witness_book_create(int dir)
{
    if (mkdirat(dir, "states", 0700) != 0)
        return errno == EEXIST ? PP_FAIL(PP_E_EXISTS, 0) : pp_errno_res(errno);
    if (fsync(dir) != 0)
        return pp_errno_res(errno);
    return PP_OK;
}

static void id_of(struct pp_span origin, char ret[PP_WITNESS_ID_CHARS + 1])
{
    uint8_t digest[PP_SHA256_BYTES];
    struct pp_wr wr = pp_wr_over(ret, PP_WITNESS_ID_CHARS);

    pp_sha256(origin, digest);
    pp_wr_hex(&wr, PP_BYTES(digest));
    ret[PP_WITNESS_ID_CHARS] = '\0';
}

static void state_path(const struct pp_witness_page *page, char ret[PATH_BYTES])
{
    snprintf(ret, PATH_BYTES, "states/%s", page->id);
}

struct pp_witness_page *pp_witness_book_find(struct pp_witness_book *b, struct pp_span origin)
{
    for (size_t i = 0; i < b->count; i++)
        if (pp_span_eq(b->pages[i].log.origin, origin))
            return &b->pages[i];
    return NULL;
}

pp_res pp_witness_book_add(struct pp_witness_book *b, struct pp_span line)
{
    struct pp_note_key key;
    struct pp_span vkey;

    int has_origin = pp_text_cut(&line, ' ', &vkey);
    PP_TRY(pp_vkey_parse(vkey, &key));
    PP_CHECK(key.type == PP_NOTE_ED25519 || key.type == PP_NOTE_ECDSA_P256, PP_E_UNSUPPORTED,
             key.type);
    struct pp_span origin = has_origin ? line : key.name;
    PP_CHECK(origin.len > 0, PP_E_FORMAT, 0);
    PP_CHECK(origin.len <= PP_WITNESS_ORIGIN_MAX, PP_E_LIMIT, origin.len);
    struct pp_witness_page *page = pp_witness_book_find(b, origin);
    if (page == NULL) {
        PP_CHECK(b->count < PP_WITNESS_LOGS_MAX, PP_E_LIMIT, b->count);
        page = &b->pages[b->count++];
        *page = (struct pp_witness_page){ .log.origin = origin };
        page->state = pp_witness_state_empty();
        id_of(origin, page->id);
    }
    PP_CHECK(page->log.key_count < PP_WITNESS_KEYS_MAX, PP_E_LIMIT, page->log.key_count);
    for (size_t i = 0; i < page->log.key_count; i++)
        PP_CHECK(memcmp(page->log.keys[i].pk, key.pk, sizeof key.pk) != 0, PP_E_DUPLICATE, i);
    page->log.keys[page->log.key_count++] = key;
    return PP_OK;
}

/* --- states -------------------------------------------------------------------------------- */

pp_res pp_witness_state_read(struct pp_span note, const struct pp_note_key *own,
                             struct pp_span origin, struct pp_witness_state *ret)
{
    struct pp_note_signers signers;
    struct pp_checkpoint c;
    struct pp_note n;

    PP_TRY(pp_note_parse(note, &n));
    PP_TRY(pp_note_open(&n, own, 1, &signers));
    PP_TRY(pp_checkpoint_parse(n.text, &c));
    PP_CHECK(pp_span_eq(c.origin, origin), PP_E_FORMAT, 0);
    *ret = (struct pp_witness_state){ .size = c.size, .root = c.root };
    return PP_OK;
}

static pp_res load_page(const struct pp_witness_book *b, struct pp_witness_page *page)
{
    struct pp_buf note = { 0 };
    char path[PATH_BYTES];

    state_path(page, path);
    pp_res r = pp_file_read(b->dir, path, PP_WITNESS_NOTE_MAX, &note);
    if (r.code == PP_E_NOT_FOUND)
        return PP_OK; /* nothing of this log was cosigned yet */
    if (pp_is_ok(r))
        r = pp_witness_state_read(pp_buf_span(&note), &b->signer->key, page->log.origin,
                                  &page->state);
    if (r.code == PP_E_SIGNATURE && b->previous != NULL)
        r = pp_witness_state_read(pp_buf_span(&note), b->previous, page->log.origin, &page->state);
    pp_buf_done(&note);
    return r;
}

pp_res pp_witness_book_load(struct pp_witness_book *b)
{
    PP_CHECK(flock(b->dir, LOCK_EX | LOCK_NB) == 0, PP_E_STATE_IN_USE, errno);
    /* Without its folder it would know nothing and be able to store nothing. */
    PP_CHECK(faccessat(b->dir, "states", R_OK | W_OK | X_OK, 0) == 0, PP_E_SYSTEM, errno);
    pp_file_drop_leftovers(b->dir, "states");
    for (size_t i = 0; i < b->count; i++)
        PP_TRY(load_page(b, &b->pages[i]));
    return PP_OK;
}

/* Text, the log's own lines, and ours: other lines of the request are nobody's concern here. */
static pp_res write_note(const struct pp_witness_page *page, const struct pp_witness_request *r,
                         struct pp_span line, struct pp_wr *wr)
{
    pp_wr_span(wr, r->note.text);
    pp_wr_u8(wr, '\n');
    for (size_t i = 0; i < r->note.line_count; i++) {
        const struct pp_note_line *l = &r->note.lines[i];
        int known = 0;
        for (size_t k = 0; k < page->log.key_count; k++)
            known |= l->id == page->log.keys[k].id && pp_span_eq(l->name, page->log.keys[k].name);
        if (!known)
            continue;
        pp_wr_bytes(wr, PREFIX, sizeof PREFIX);
        pp_wr_span(wr, l->name);
        pp_wr_u8(wr, ' ');
        pp_wr_span(wr, l->base64);
        pp_wr_u8(wr, '\n');
    }
    pp_wr_span(wr, line);
    return pp_wr_ok(wr);
}

pp_res pp_witness_book_cosign(struct pp_witness_book *b, struct pp_witness_page *page,
                              const struct pp_witness_request *r,
                              const struct pp_witness_state *next, uint64_t time,
                              struct pp_wr *ret_line)
{
    uint8_t line[PP_NOTE_LINE_BYTES_MAX];
    struct pp_wr l = pp_wr_over(line, sizeof line);
    static uint8_t note[PP_WITNESS_NOTE_MAX];
    struct pp_wr n = pp_wr_over(note, sizeof note);
    char path[PATH_BYTES];

    PP_TRY(pp_cosign_line_write(&l, b->signer, time, r->note.text));
    PP_TRY(write_note(page, r, pp_wr_done(&l), &n));
    state_path(page, path);
    page->is_unsettled = 1;
    PP_TRY(pp_file_write(b->dir, path, 0600, pp_wr_done(&n)));
    page->is_unsettled = 0;
    page->state = *next;
    pp_wr_span(ret_line, pp_wr_done(&l));
    return pp_wr_ok(ret_line);
}

pp_res pp_witness_book_note(const struct pp_witness_book *b, struct pp_span id, struct pp_buf *ret)
{
    char path[PATH_BYTES];

    for (size_t i = 0; i < b->count; i++) {
        if (!pp_span_eq(id, pp_span_cstr(b->pages[i].id)))
            continue;
        PP_CHECK(!b->pages[i].is_unsettled, PP_E_STATE, i);
        state_path(&b->pages[i], path);
        return pp_file_read(b->dir, path, PP_WITNESS_NOTE_MAX, ret);
    }
    return PP_FAIL(PP_E_NOT_FOUND, 0);
}
