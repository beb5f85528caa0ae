/* SPDX-License-Identifier: Apache-2.0 */
/* world.h: small logs in folders, and servers of them that do not mean well. */
#ifndef PP_TEST_WORLD_H
#define PP_TEST_WORLD_H

#include <pthread.h>

#include "log_reader.h"

struct world {
    char folder[64];
    struct pp_log_tree tree;
};

/* Writes every file of a log of `size` entries of 8 bytes (world_entry) but the checkpoint. */
void world_make(struct world *w, uint64_t size);
void world_done(struct world *w);
struct pp_span world_entry(uint64_t index, uint8_t bytes[8]);

/* Opens it as a folder, or what answers at `port`. */
struct pp_log_source *world_open(const struct world *w);
struct pp_log_source *world_connect(uint16_t port, uint32_t deadline_ms);

/* Flips one bit of a file; removes it; replaces it. */
void world_flip(const struct world *w, const char *name, size_t at);
void world_remove(const struct world *w, const char *name);
void world_write(const struct world *w, const char *name, struct pp_span content);

enum world_manner {
    WORLD_HONEST,
    WORLD_GZIP,      /* entry bundles come packed */
    WORLD_BAD_GZIP,  /* ... and damaged */
    WORLD_BOMB,      /* 64 MiB of zeros, packed */
    WORLD_BROTLI,    /* a coding that nobody offered, over what gzip would unpack */
    WORLD_PAGE,      /* 200 and an error page */
    WORLD_TRUNCATED, /* half of what Content-Length says */
    WORLD_SHORT,     /* one hash or entry too few, in good form */
    WORLD_LONG,      /* one byte too many */
    WORLD_ENDLESS,   /* chunks for ever */
    WORLD_HUGE,      /* Content-Length of 2^60 */
    WORLD_SLOW,      /* one byte now and then */
    WORLD_SILENT,    /* nothing at all */
    WORLD_REDIRECT,
    WORLD_BUSY,      /* 503 */
    WORLD_SWAPPED,   /* the files of tile 0 and 1 change places */
    WORLD_FULL_ONLY, /* 404 for partial tiles */
    WORLD_CLOSES,    /* the first connection ends without an answer */
};

struct server {
    const struct world *world;
    enum world_manner manner;
    int fd;
    uint16_t port;
    pthread_t thread;
    unsigned requests; /* once it has stopped */
    char last[256];    /* the path that was asked for last, likewise */
};

void server_start(struct server *s, const struct world *w, enum world_manner manner);
void server_stop(struct server *s);

#endif
