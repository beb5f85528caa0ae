/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "world.h"

#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "folder.h"

/* --- a log in a folder ---------------------------------------------------------------------- */

static void make_parents(const char *path)
{
    char part[512];

    snprintf(part, sizeof part, "%s", path);
    for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(part, 0755);
        *slash = '/';
    }
}

void world_write(const struct world *w, const char *name, struct pp_span content)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", w->folder, name);
    make_parents(path);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(content.at, 1, content.len, f), content.len);
    assert_int_equal(fclose(f), 0);
}

static struct pp_buf world_read(const struct world *w, const char *name)
{
    char path[512];
    struct pp_buf b = { 0 };

    snprintf(path, sizeof path, "%s/%s", w->folder, name);
    pp_ignore(pp_file_read(AT_FDCWD, path, 1 << 24, &b), "a file that is not there is empty");
    return b;
}

void world_flip(const struct world *w, const char *name, size_t at)
{
    struct pp_buf b = world_read(w, name);

    assert_true(at < b.len);
    b.bytes[at] ^= 1;
    world_write(w, name, pp_buf_span(&b));
    pp_buf_done(&b);
}

void world_remove(const struct world *w, const char *name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", w->folder, name);
    assert_int_equal(unlink(path), 0);
}

struct pp_span world_entry(uint64_t index, uint8_t bytes[8])
{
    struct pp_wr wr = pp_wr_over(bytes, 8);

    pp_wr_u64(&wr, index);
    return pp_span(bytes, 8);
}

static void write_tile(const struct world *w, const struct pp_tile *t, struct pp_span content)
{
    char name[PP_TILE_PATH_MAX + 1] = "";
    struct pp_wr wr = pp_wr_over(name, PP_TILE_PATH_MAX);

    pp_tile_path_write(&wr, t);
    world_write(w, name, content);
}

static void write_bundles(const struct world *w, uint64_t size)
{
    struct pp_tile t;
    uint8_t bytes[PP_TILE_WIDTH * 10], entry[8];

    for (uint64_t n = 0; pp_tile_of(size, 0, n, &t); n++) {
        struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
        t.entries = 1;
        for (unsigned i = 0; i < t.width; i++)
            pp_entries_write(&wr, world_entry(n * PP_TILE_WIDTH + i, entry));
        write_tile(w, &t, pp_wr_done(&wr));
    }
}

static pp_res keep_node(void *ctx, unsigned level, uint64_t index, const struct pp_merkle_hash *h)
{
    uint8_t **levels = ctx;

    if (level % 8 == 0)
        memcpy(levels[level / 8] + index * PP_SHA256_BYTES, h->bytes, PP_SHA256_BYTES);
    return PP_OK;
}

void world_make(struct world *w, uint64_t size)
{
    uint8_t *levels[8] = { 0 }, entry[8];
    struct pp_merkle_range range = { 0 };
    const struct pp_merkle_sink sink = { .node = keep_node, .ctx = levels };
    struct pp_tile_iter it = { .size = size };
    struct pp_merkle_hash leaf;
    struct pp_tile t;

    assert_int_equal(pp_test_folder_make(w->folder), 0);
    for (unsigned i = 0; i < 8; i++)
        levels[i] = calloc(pp_tile_hashes(size, i) + 1, PP_SHA256_BYTES);
    for (uint64_t i = 0; i < size; i++) {
        pp_merkle_leaf(world_entry(i, entry), &leaf);
        assert_ok(pp_merkle_append(&range, &leaf, &sink));
    }
    while (pp_tile_next(&it, &t))
        write_tile(
            w, &t,
            pp_span(levels[t.level] + t.index * PP_TILE_BYTES, (size_t)t.width * PP_SHA256_BYTES));
    write_bundles(w, size);
    for (unsigned i = 0; i < 8; i++)
        free(levels[i]);
    w->tree.size = size;
    pp_merkle_range_root(&range, &w->tree.root);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void world_done(struct world *w)
{
    assert_int_equal(nftw(w->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

struct pp_log_source *world_open(const struct world *w)
{
    struct pp_log_source_config c = { .place = w->folder };
    struct pp_log_source *s;

    assert_ok(pp_log_source_open(&c, &s, NULL));
    return s;
}

struct pp_log_source *world_connect(uint16_t port, uint32_t deadline_ms)
{
    char url[64];
    struct pp_log_source_config c = { .place = url, .deadline_ms = deadline_ms };
    struct pp_log_source *s;

    snprintf(url, sizeof url, "http://127.0.0.1:%u/log/", port);
    assert_ok(pp_log_source_open(&c, &s, NULL));
    return s;
}

/* --- a server: one answer a connection ------------------------------------------------------ */

static int put(int fd, struct pp_span bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.at, bytes.len, MSG_NOSIGNAL);
        if (n <= 0)
            return 0;
        bytes = pp_span(bytes.at + n, bytes.len - (size_t)n);
    }
    return 1;
}

static int put_head(int fd, const char *status, const char *fields, unsigned long long length)
{
    char head[512];

    snprintf(head, sizeof head,
             "HTTP/1.1 %s\r\nConnection: close\r\n%sContent-Length: %llu\r\n\r\n", status, fields,
             length);
    return put(fd, pp_span_cstr(head));
}

static void put_file(int fd, const char *fields, struct pp_span content)
{
    if (put_head(fd, "200 OK", fields, content.len))
        (void)put(fd, content);
}

static struct pp_buf zip(struct pp_span plain)
{
    z_stream z = { 0 };
    size_t cap = plain.len / 100 + 65536 + plain.len;
    struct pp_buf b = { malloc(cap + 1), 0 };

    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)plain.at;
    z.avail_in = (uInt)plain.len;
    z.next_out = b.bytes;
    z.avail_out = (uInt)cap;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    b.len = cap - z.avail_out;
    (void)deflateEnd(&z);
    return b;
}

static void put_zipped(int fd, struct pp_span plain, const char *coding, int damaged)
{
    struct pp_buf b = zip(plain);
    char field[64];

    if (damaged)
        b.bytes[b.len / 2] ^= 0x55;
    snprintf(field, sizeof field, "Content-Encoding: %s\r\n", coding);
    put_file(fd, field, pp_buf_span(&b));
    pp_buf_done(&b);
}

static void put_bomb(int fd)
{
    size_t len = 64 << 20;
    uint8_t *zeros = calloc(len, 1);

    assert_non_null(zeros);
    put_zipped(fd, pp_span(zeros, len), "gzip", 0);
    free(zeros);
}

/* Until the client has had enough of it. */
static void put_for_ever(int fd)
{
    static const uint8_t piece[4096];
    char head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

    if (!put(fd, pp_span_cstr(head)))
        return;
    while (put(fd, PP_STR("1000\r\n")) && put(fd, PP_BYTES(piece)) && put(fd, PP_STR("\r\n")))
        continue;
}

static void put_slowly(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLRDHUP };

    if (!put_head(fd, "200 OK", "", 8192))
        return;
    while (poll(&p, 1, 40) == 0 && put(fd, PP_STR("x")))
        continue;
}

static void wait_for_end(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLRDHUP };

    (void)poll(&p, 1, 10000);
}

static void swap(char *name)
{
    char *at = strstr(name, "/00");

    if (at != NULL && (at[3] == '0' || at[3] == '1') && strstr(name, ".p/") == NULL)
        at[3] ^= 1;
}

static void answer(const struct server *s, int fd, char *name)
{
    static const char *const page = "<html><h1>404 Not Found</h1></html>";

    if (s->manner == WORLD_SWAPPED)
        swap(name);
    struct pp_buf b = world_read(s->world, name);
    struct pp_span file = pp_buf_span(&b);
    int is_partial = strstr(name, ".p/") != NULL;

    if (b.bytes == NULL || (s->manner == WORLD_FULL_ONLY && is_partial)) {
        (void)put_head(fd, "404 Not Found", "", 0);
        pp_buf_done(&b);
        return;
    }
    switch (s->manner) {
    case WORLD_GZIP:
        put_zipped(fd, file, "gzip", 0);
        break;
    case WORLD_BAD_GZIP:
        put_zipped(fd, file, "gzip", 1);
        break;
    case WORLD_BOMB:
        put_bomb(fd);
        break;
    case WORLD_BROTLI:
        put_zipped(fd, file, "br", 0);
        break;
    case WORLD_PAGE:
        put_file(fd, "Content-Type: text/html\r\n", pp_span_cstr(page));
        break;
    case WORLD_TRUNCATED:
        if (put_head(fd, "200 OK", "", file.len))
            (void)put(fd, pp_span(file.at, file.len / 2));
        break;
    case WORLD_SHORT:
        put_file(fd, "", pp_span(file.at, file.len - (strstr(name, "entries") ? 10 : 32)));
        break;
    case WORLD_LONG:
        put_file(fd, "", pp_span(file.at, file.len + 1)); /* the NUL behind it */
        break;
    case WORLD_ENDLESS:
        put_for_ever(fd);
        break;
    case WORLD_HUGE:
        if (put_head(fd, "200 OK", "", 1ULL << 60))
            (void)put(fd, file);
        break;
    case WORLD_SLOW:
        put_slowly(fd);
        break;
    case WORLD_SILENT:
        wait_for_end(fd);
        break;
    case WORLD_REDIRECT:
        (void)put_head(fd, "302 Found", "Location: http://127.0.0.1:1/elsewhere\r\n", 0);
        break;
    case WORLD_BUSY:
        (void)put_head(fd, "503 Service Unavailable", "", 0);
        break;
    case WORLD_HONEST:
    case WORLD_SWAPPED:
    case WORLD_FULL_ONLY:
    case WORLD_CLOSES:
        put_file(fd, "", file);
        break;
    }
    pp_buf_done(&b);
}

static void serve(struct server *s, int fd)
{
    char head[4096] = "";
    size_t len = 0;

    while (strstr(head, "\r\n\r\n") == NULL && len + 1 < sizeof head) {
        ssize_t n = recv(fd, head + len, sizeof head - 1 - len, 0);
        if (n <= 0)
            return;
        len += (size_t)n;
        head[len] = '\0';
    }
    if (sscanf(head, "GET /log/%255s", s->last) != 1)
        return;
    char name[256];
    snprintf(name, sizeof name, "%s", s->last);
    if (s->requests++ == 0 && s->manner == WORLD_CLOSES)
        return;
    answer(s, fd, name);
}

static void *run(void *arg)
{
    struct server *s = arg;

    for (;;) {
        int fd = accept(s->fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        serve(s, fd);
        (void)close(fd);
    }
}

void server_start(struct server *s, const struct world *w, enum world_manner manner)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;

    *s = (struct server){ .world = w, .manner = manner };
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s->fd >= 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(s->fd, 64), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &len), 0);
    s->port = ntohs(a.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
}

void server_stop(struct server *s)
{
    (void)shutdown(s->fd, SHUT_RDWR); /* ends accept(2) */
    assert_int_equal(pthread_join(s->thread, NULL), 0);
    (void)close(s->fd);
}
