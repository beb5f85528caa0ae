/* SPDX-License-Identifier: Apache-2.0 */
/* What records name has to be public: images and host lists, compared byte for byte. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor_run_int.h"

enum { LIST_BYTES_MAX = 60 << 20 }; /* some 200,000 machines */

static int is_published(const struct pp_monitor_run *r, const struct pp_record_id *id)
{
    for (size_t i = 0; i < r->state->published_count; i++)
        if (pp_record_id_same(&r->state->published[i], id))
            return 1;
    return 0;
}

/* What has expired is not asked for again, so it need not be remembered either. */
static void forget(struct pp_monitor_run *r, const struct pp_record_id *id)
{
    struct pp_monitor_state *s = r->state;

    for (size_t i = 0; i < s->published_count; i++)
        if (pp_record_id_same(&s->published[i], id))
            s->published[i--] = s->published[--s->published_count];
}

void monitor_note_publication(struct pp_monitor_run *r, struct pp_span entry, uint64_t index)
{
    struct pp_monitor_publication p;

    if (r->config.images == PP_MONITOR_IMAGES_SKIP || !pp_monitor_publication_of(entry, index, &p))
        return;
    if (r->monitor->now >= p.until) {
        forget(r, &p.record);
        return;
    }
    if (is_published(r, &p.record) || r->pending_count == PP_MONITOR_PENDING_MAX)
        return;
    r->pending[r->pending_count++] = p;
}

/* --- where ------------------------------------------------------------------------------------ */

static int is_url(const char *where)
{
    return strncmp(where, "http://", 7) == 0 || strncmp(where, "https://", 8) == 0;
}

/* A record may name a path, but no file of this machine is what the world sees. */
static int place_of(const struct pp_monitor_run *r, const struct pp_monitor_publication *p,
                    char *ret, size_t cap)
{
    char hex[2 * PP_SHA256_BYTES + 1] = "";
    struct pp_wr wr = pp_wr_over(hex, sizeof hex - 1);
    int n;

    if (r->config.images == PP_MONITOR_IMAGES_FETCH) {
        n = snprintf(ret, cap, "%s", p->where);
        return is_url(p->where) && n > 0 && n < (int)cap;
    }
    pp_wr_hex(&wr, PP_BYTES(p->sha256));
    n = snprintf(ret, cap, "%s/%s", r->config.images_folder, hex);
    return n > 0 && n < (int)cap;
}

/* The last part of a URL or path is the file, what is before it the place of a source. */
static pp_res read_list(const struct pp_monitor_run *r, char *place, struct pp_buf *ret)
{
    char *slash = strrchr(place, '/');
    struct pp_log_source *source = NULL;

    PP_CHECK(slash != NULL, PP_E_FORMAT, 0);
    *slash = '\0';
    const struct pp_log_source_config c = { .place = place, .ca_pem = r->config.ca_pem };
    PP_TRY(pp_log_source_open(&c, &source, NULL));
    pp_res res = pp_log_source_file(source, slash + 1, LIST_BYTES_MAX, ret, NULL);
    pp_log_source_close(source);
    return res;
}

/* --- comparing -------------------------------------------------------------------------------- */

static pp_res fetch_list(const struct pp_monitor_run *r, char *place, struct pp_buf *bytes,
                         struct pp_monitor_published *ret)
{
    PP_TRY(read_list(r, place, bytes));
    ret->bytes = bytes->len;
    ret->list = pp_buf_span(bytes);
    pp_sha256(ret->list, ret->sha256);
    return PP_OK;
}

static pp_res fetch_image(const struct pp_monitor_run *r, const struct pp_monitor_publication *p,
                          const char *place, struct pp_monitor_published *ret)
{
    const struct pp_log_source_config c = { .place = place, .ca_pem = r->config.ca_pem };

    return pp_log_source_digest(&c, p->bytes, ret->sha256, &ret->bytes, NULL);
}

static pp_res look_for(struct pp_monitor_run *r, const struct pp_monitor_publication *p,
                       int *ret_done)
{
    struct pp_monitor_published got = { 0 };
    char place[PP_LOG_SOURCE_PLACE_MAX];
    struct pp_buf bytes = { 0 };
    pp_res found = PP_FAIL(PP_E_NOT_FOUND, 0);

    if (place_of(r, p, place, sizeof place))
        found = p->type == PP_RECORD_HOST_SET ? fetch_list(r, place, &bytes, &got)
                                              : fetch_image(r, p, place, &got);
    if (found.code == PP_E_LOG_FILE)
        got.bytes = p->bytes + 1; /* longer than the record says, however long */
    int is_there = pp_is_ok(found) || found.code == PP_E_LOG_FILE;
    pp_res res = pp_monitor_publish(r->monitor, p, is_there ? &got : NULL, ret_done);
    pp_buf_done(&bytes);
    return res;
}

static void remember(struct pp_monitor_run *r, const struct pp_record_id *id)
{
    if (r->state->published_count < PP_MONITOR_PUBLISHED_MAX)
        r->state->published[r->state->published_count++] = *id;
}

pp_res monitor_look_for_publications(struct pp_monitor_run *r)
{
    size_t kept = 0;

    for (size_t i = 0; i < r->pending_count; i++) {
        int done;
        PP_TRY(look_for(r, &r->pending[i], &done));
        if (done)
            remember(r, &r->pending[i].record);
        else
            r->pending[kept++] = r->pending[i];
    }
    r->pending_count = kept;
    return PP_OK;
}
