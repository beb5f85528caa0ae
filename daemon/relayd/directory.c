/* SPDX-License-Identifier: Apache-2.0 */
#include "directory.h"

#include <fcntl.h>

void relay_directory_init(struct relay_directory *d, const char *path, struct pp_clock clock)
{
    *d = (struct relay_directory){ .path = path, .clock = clock };
}

void relay_directory_done(struct relay_directory *d)
{
    pp_buf_done(&d->content);
    for (size_t i = 0; i < RELAY_DIRECTORY_OLD_MAX; i++)
        pp_buf_done(&d->old[i].content);
    *d = (struct relay_directory){ 0 };
}

static int is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* A place for the content that is about to be replaced, or NULL while all are in use. */
static struct relay_directory_old *free_place(struct relay_directory *d, uint64_t now_ms)
{
    for (size_t i = 0; i < RELAY_DIRECTORY_OLD_MAX; i++) {
        struct relay_directory_old *o = &d->old[i];
        if (o->content.bytes != NULL && now_ms >= o->until_ms)
            pp_buf_done(&o->content);
        if (o->content.bytes == NULL)
            return o;
    }
    return NULL;
}

static pp_res refresh(struct relay_directory *d)
{
    uint64_t now_ms = pp_clock_mono_ms(&d->clock);
    struct stat st;
    struct pp_buf fresh = { 0 };

    PP_CHECK(d->path != NULL && stat(d->path, &st) == 0, PP_E_NOT_FOUND, 0);
    if (d->content.bytes != NULL && is_same_file(&st, &d->seen))
        return PP_OK;
    struct relay_directory_old *place = free_place(d, now_ms);
    PP_CHECK(place != NULL, PP_E_BUSY, RELAY_DIRECTORY_OLD_MAX);
    PP_TRY(pp_file_read(AT_FDCWD, d->path, RELAY_DIRECTORY_BYTES_MAX, &fresh));
    *place = (struct relay_directory_old){ d->content, now_ms + RELAY_DIRECTORY_OLD_MS };
    d->content = fresh;
    d->seen = st; /* of before the read: a change in between is seen next time */
    d->read++;
    return PP_OK;
}

pp_res relay_directory_get(struct relay_directory *d, struct pp_span *ret)
{
    pp_ignore(refresh(d), "the last good bundle is served until it can be replaced");
    PP_CHECK(d->content.bytes != NULL, PP_E_NOT_FOUND, 0);
    *ret = pp_buf_span(&d->content);
    return PP_OK;
}

void relay_directory_serve(void *ctx, struct pp_http_request *q)
{
    /* Caches may keep it for a minute; the bundle itself says until when it is good. */
    static const struct pp_http_field CACHE = { { (const uint8_t *)"cache-control", 13 },
                                                { (const uint8_t *)"public, max-age=60", 18 } };
    struct relay_directory *d = (struct relay_directory *)ctx;
    struct pp_http_reply reply = { .status = 200,
                                   .type = RELAY_DIRECTORY_TYPE,
                                   .fields = &CACHE,
                                   .field_count = 1,
                                   .body_stays = 1 };

    if (!pp_is_ok(relay_directory_get(d, &reply.body))) {
        pp_http_reply_status(q, 404);
        return;
    }
    d->served++;
    pp_http_reply(q, &reply);
}
