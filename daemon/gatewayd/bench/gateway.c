/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exchange #2 through the gateway as it is installed, all of its processes: requests of 2 KiB are
 * opened, passed to a CVM that echoes, and answered in 1 KiB. Every request is sealed beforehand
 * and has its own encapsulated key. CPU time is the gateway's own, of each process; latencies count
 * from when a request was due, so a gateway that falls behind cannot hide it.
 *
 *     bench_gateway [PP-GATEWAYD]       the program; default: the one of the same build
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bhttp.h"
#include "crypto.h"
#include "file.h"
#include "frame.h"
#include "handle_keys.h"
#include "keyfile.h"
#include "net.h"
#include "token_keys.h"

enum {
    REQUESTS = 12000, /* of each run */
    RUNS = 7,         /* two over HTTP/1.1, five over HTTP/2 */
    WARM_UP = 500,
    CONNECTIONS = 64,
    CLIENTS_MAX = 10000,
    UP_BYTES = 2048,
    DOWN_BYTES = 1024,
    ECHO_BYTES = 600,
    HEAD_BYTES = 256,
    DAY = 86400,
    PROCESSES_MAX = 4,
};

#define AUTHORITY "gw.example"

struct request {
    uint8_t bytes[HEAD_BYTES + UP_BYTES];
    size_t len; /* the body stands at the end */
};

static struct request *requests; /* WARM_UP, and REQUESTS of each run */
static char folder[] = "/tmp/pp-bench-gateway-XXXXXX";

static void must(pp_res r, const char *what)
{
    if (pp_is_ok(r))
        return;
    fprintf(stderr, "bench: %s: %s (%u) at %s\n", what, pp_code_name(r.code), r.detail, r.where);
    exit(1);
}

static void must_do(int done, const char *what)
{
    if (done)
        return;
    perror(what);
    exit(1);
}

/* --- the gateway's folder -------------------------------------------------------------------- */

static void put(const char *name, struct pp_span text)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    must(pp_file_write(AT_FDCWD, path, 0600, text), path);
}

static void make_folder(const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    must_do(mkdir(path, 0700) == 0, path);
}

static const struct pp_ohttp_suite SUITE = { PP_HKDF_SHA256, PP_AES_128_GCM };

static void put_keys(uint64_t day, const struct pp_random *random, struct pp_keyconf *ret)
{
    struct pp_ohttp_keyfile k = { .use_from_s = day * DAY,
                                  .use_until_s = (day + 1) * DAY,
                                  .id = 4,
                                  .kem = PP_KEM_X25519_SHA256,
                                  .suites = { SUITE },
                                  .suite_count = 1 };
    static const uint8_t seed[PP_CRED_SEED_BYTES] = { 1 }, handle[PP_HANDLE_KEY_BYTES] = { 2 };
    struct pp_kem_key *key = NULL;
    char text[2048];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    must(pp_kem_key_generate(k.kem, random, &key), "key");
    must(pp_kem_key_export(key, &k.sk_secret), "key");
    *ret = (struct pp_keyconf){ .id = 4, .kem = k.kem, .public_key_len = PP_X25519_BYTES };
    memcpy(ret->public_key, pp_kem_key_public(key).at, PP_X25519_BYTES);
    pp_kem_key_free(key);
    must(pp_ohttp_keyfile_write(&k, &wr), "key file");
    put("ohttp/1.key", pp_wr_done(&wr));
    pp_ohttp_keyfile_done(&k);
    wr = pp_wr_over(text, sizeof text);
    must(pp_token_key_write((uint32_t)day, PP_TOKEN_VOPRF_RISTRETTO255, (day - 1) * DAY,
                            (day + 1) * DAY, PP_BYTES(seed), &wr),
         "token key");
    put("tokens/1.key", pp_wr_done(&wr));
    wr = pp_wr_over(text, sizeof text);
    must(pp_handle_key_write(1, PP_BYTES(handle), &wr), "handle key");
    put("handles/1.key", pp_wr_done(&wr));
}

/* --- processes ------------------------------------------------------------------------------- */

static pid_t start_gateway(const char *program, unsigned cvm_port, unsigned *ret_port)
{
    char config[1024], path[128], told[256] = "", number[16];
    int ready[2], len;

    len = snprintf(config, sizeof config,
                   "environment = dev\nauthority = " AUTHORITY "\nissuer = i\ncvm = 127.0.0.1:%u\n"
                   "ohttp_keys = ohttp\ntoken_keys = tokens\nhandle_key = handles/1.key\n"
                   "spent = spent/db\ngrid_ms = 0\nconnections = 16384\n",
                   cvm_port);
    put("config", pp_span(config, (size_t)len));
    snprintf(path, sizeof path, "%s/config", folder);
    must_do(pipe(ready) == 0, "pipe");
    snprintf(number, sizeof number, "%d", ready[1]);
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        int quiet = open("/dev/null", O_WRONLY);
        (void)dup2(quiet, STDERR_FILENO);
        (void)execl(program, program, "--config", path, "--ready-fd", number, (char *)NULL);
        _exit(1);
    }
    (void)close(ready[1]);
    for (size_t n = 0; strstr(told, "ready\n") == NULL && n + 1 < sizeof told;) {
        ssize_t more = read(ready[0], told + n, sizeof told - 1 - n);
        must_do(more > 0, program);
        n += (size_t)more;
    }
    must_do(sscanf(told, "listen %*s 127.0.0.1:%u", ret_port) == 1, "ready");
    (void)close(ready[0]);
    return pid;
}

/* The CVM: a stream of frames in, as many out. */
static struct pp_frame_rd reader;
static uint8_t reader_buf[PP_FRAME_REQUEST_BYTES_MAX];

static void cvm_readable(void *ctx, struct pp_stream *s)
{
    static uint8_t out[PP_FRAME_HEAD_BYTES + ECHO_BYTES];
    const struct pp_frame *f = NULL;

    (void)ctx;
    do {
        struct pp_span input = pp_stream_input(s), left = input;
        must(pp_frame_feed(&reader, &left, &f), "frame");
        pp_stream_consume(s, input.len - left.len);
        if (f == NULL)
            continue;
        struct pp_wr wr = pp_wr_over(out, sizeof out);
        struct pp_frame answer = { .kind = PP_FRAME_LAST,
                                   .tag = f->tag,
                                   .bytes = pp_span(f->bytes.at, ECHO_BYTES) };
        memcpy(answer.sid, f->sid, sizeof answer.sid);
        must(pp_frame_write(&wr, PP_FRAME_ANSWERS, &answer), "answer");
        must(pp_stream_write(s, pp_wr_done(&wr)), "answer");
    } while (f != NULL);
}

static void cvm_ended(void *ctx, struct pp_stream *s, pp_res why)
{
    (void)ctx;
    pp_ignore(why, "the gateway's end");
    pp_stream_free(s);
}

static int cvm_accepted(void *ctx, struct pp_stream *s)
{
    (void)ctx;
    (void)s;
    pp_frame_rd_init(&reader, PP_FRAME_REQUESTS, reader_buf, sizeof reader_buf);
    return 1;
}

static _Noreturn void be_cvm(const struct pp_listener *l)
{
    const struct pp_stream_server_config c = { .stream = { .in_bytes_max = 1 << 20,
                                                           .out_bytes_max = 16 << 20,
                                                           .readable = cvm_readable,
                                                           .ended = cvm_ended },
                                               .connections_max = 2,
                                               .accepted = cvm_accepted };
    struct pp_stream_server *server;
    struct pp_loop *loop;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    must(pp_loop_new(&loop), "loop");
    must(pp_stream_server_new(loop, l, &c, &server), "server");
    must(pp_loop_run(loop), "loop");
    _exit(0);
}

/* --- requests -------------------------------------------------------------------------------- */

static void seal(struct request *q, const struct pp_keyconf *key, const char *handle,
                 const struct pp_random *random)
{
    static uint8_t message[UP_BYTES];
    static const uint8_t content[ECHO_BYTES + 400];
    char path[160];
    struct pp_ohttp x = { 0 };
    struct pp_bhttp m = { .framing = PP_BHTTP_REQUEST,
                          .method = PP_STR("POST"),
                          .scheme = PP_STR("https"),
                          .authority = PP_STR(AUTHORITY) };
    struct pp_wr wr = pp_wr_over(message, sizeof message);

    int len = snprintf((char *)q->bytes, HEAD_BYTES,
                       "POST /.well-known/ohttp-gateway HTTP/1.1\r\nhost: g\r\n"
                       "content-type: message/ohttp-req\r\ncontent-length: %d\r\n\r\n",
                       UP_BYTES);
    struct pp_wr out = pp_wr_over(q->bytes + len, UP_BYTES);
    snprintf(path, sizeof path, "/v1/sessions/%s", handle);
    m.path = pp_span_cstr(path);
    must(pp_bhttp_add(&m, &m.header, PP_STR("pp-max"), PP_STR("1")), "field");
    pp_bhttp_set_content(&m, PP_BYTES(content));
    must(pp_bhttp_write_padded(&m, UP_BYTES - pp_ohttp_request_overhead(key->kem), &wr), "message");
    must(pp_ohttp_request_seal(&x, key, SUITE, random, pp_wr_done(&wr), &out), "seal");
    pp_ohttp_done(&x);
    q->len = (size_t)len + UP_BYTES;
}

static void make_handle(unsigned cvm_port, uint64_t now_s, const struct pp_random *random,
                        char ret[PP_HANDLE_TEXT_BYTES + 1])
{
    static const uint8_t key[PP_HANDLE_KEY_BYTES] = { 2 };
    struct pp_handle_keys keys = { .count = 1 };
    struct pp_handle h = { .address = { .family = PP_FAMILY_IP4, .port = (uint16_t)cvm_port },
                           .sid = { 5 },
                           .expiry_posix_s = now_s + 600 };

    h.address.bytes[0] = 127;
    h.address.bytes[3] = 1;
    keys.keys[0].id = 1;
    must(pp_aead_new(PP_AES_256_GCM, PP_BYTES(key), &keys.keys[0].aead), "handle key");
    must(pp_handle_seal(&keys, random, &h, ret), "handle");
    ret[PP_HANDLE_TEXT_BYTES] = '\0';
    pp_aead_free(keys.keys[0].aead);
}

/* --- the client ------------------------------------------------------------------------------ */

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct connection {
    int fd;
    int busy;
    double due_s;
    size_t got;
};

static struct connection connections[CONNECTIONS];
static size_t answer_len; /* head and body of every answer; 0: not known yet */

static int connect_to(unsigned port)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must_do(connect(fd, (struct sockaddr *)(void *)&in, sizeof in) == 0, "connect");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void open_connections(unsigned port)
{
    for (size_t i = 0; i < CONNECTIONS; i++)
        connections[i].fd = connect_to(port);
}

static void close_connections(void)
{
    for (size_t i = 0; i < CONNECTIONS; i++)
        (void)close(connections[i].fd);
}

static void begin(struct connection *c, const struct request *q, double due_s)
{
    must_do(send(c->fd, q->bytes, q->len, 0) == (ssize_t)q->len, "send");
    c->busy = 1;
    c->got = 0;
    c->due_s = due_s;
}

/* 1 when the answer is complete. */
static int take(struct connection *c)
{
    static char buf[4096];
    ssize_t n = recv(c->fd, buf, sizeof buf, 0);

    must_do(n > 0, "recv");
    if (c->got == 0)
        must_do(strncmp(buf, "HTTP/1.1 200 ", 13) == 0, "an answer that is not 200");
    if (answer_len == 0) {
        char *end = strstr(buf, "\r\n\r\n");
        must_do(end != NULL, "a head in pieces");
        answer_len = (size_t)(end - buf) + 4 + DOWN_BYTES;
    }
    c->got += (size_t)n;
    c->busy = c->got < answer_len;
    return !c->busy;
}

/* Sends `count` requests, at `rate` a second or as fast as answers come (0). Wall seconds. */
static double run(size_t first, size_t count, double rate, double *latency_ms)
{
    double from = now_s();
    size_t sent = 0, done = 0;

    while (done < count) {
        struct pollfd p[CONNECTIONS];
        double now = now_s();
        for (size_t i = 0; i < CONNECTIONS; i++) {
            struct connection *c = &connections[i];
            double due = rate == 0 ? now : from + (double)sent / rate;
            if (!c->busy && sent < count && due <= now)
                begin(c, &requests[first + sent++], due);
            p[i] = (struct pollfd){ .fd = c->busy ? c->fd : -1, .events = POLLIN };
        }
        const struct timespec wait = { .tv_nsec = rate == 0 ? 10000000 : 50000 };
        must_do(ppoll(p, CONNECTIONS, &wait, NULL) >= 0, "poll");
        for (size_t i = 0; i < CONNECTIONS; i++)
            if (p[i].revents != 0 && take(&connections[i]))
                latency_ms[done++] = (now_s() - connections[i].due_s) * 1000;
    }
    return now_s() - from;
}

/* --- the same over HTTP/2 -------------------------------------------------------------------- */

enum {
    STREAMS = 64, /* at a time, of one connection */
    RELAYS_MAX = (CLIENTS_MAX + STREAMS - 1) / STREAMS,
    FRAME_HEAD_BYTES = 9,
    FRAME_DATA = 0,
    FRAME_HEADERS = 1,
    FRAME_RESET = 3,
    FRAME_SETTINGS = 4,
    FRAME_GOAWAY = 7,
    FRAME_WINDOW = 8,
};

/* As little of RFC 9113 as one kept connection needs: fixed fields out, ends of streams in. */
struct http2 {
    int fd;
    uint32_t stream; /* the next */
    uint64_t window; /* bytes of bodies that the server takes now */
    size_t streams, sent, done;
    size_t refused; /* of `done`: without a body */
    int must_shrink;
    uint8_t in[1 << 16];
    size_t in_len;
};

static void write_frame(struct pp_wr *wr, uint8_t type, uint8_t flags, uint32_t stream,
                        struct pp_span payload)
{
    pp_wr_u24(wr, (uint32_t)payload.len);
    pp_wr_u8(wr, type);
    pp_wr_u8(wr, flags);
    pp_wr_u32(wr, stream);
    pp_wr_span(wr, payload);
}

static void send_whole(int fd, const struct pp_wr *wr)
{
    must(pp_wr_ok(wr), "frame");
    must_do(send(fd, wr->at, wr->len, 0) == (ssize_t)wr->len, "send");
}

/* A string literal of HPACK (RFC 7541, 5.2) behind what stands for its name. */
static void write_field(struct pp_wr *wr, struct pp_span name, const char *value)
{
    pp_wr_span(wr, name);
    pp_wr_u8(wr, (uint8_t)pp_span_cstr(value).len);
    pp_wr_text(wr, value);
}

static void send_request(struct http2 *h, const struct request *q)
{
    uint8_t fields[128], out[UP_BYTES + 256];
    struct pp_wr f = pp_wr_over(fields, sizeof fields), wr = pp_wr_over(out, sizeof out);

    if (h->must_shrink)
        pp_wr_u8(&f, 0x20); /* RFC 7541, 4.2: behind settings that allow no table */
    h->must_shrink = 0;
    pp_wr_u8(&f, 0x83); /* :method POST */
    pp_wr_u8(&f, 0x86); /* :scheme http */
    write_field(&f, PP_STR("\x04"), "/.well-known/ohttp-gateway");
    write_field(&f, PP_STR("\x01"), "g");
    write_field(&f, PP_STR("\x0f\x10"), "message/ohttp-req");
    write_field(&f, PP_STR("\x0f\x0d"), "2048");
    write_frame(&wr, FRAME_HEADERS, 4, h->stream, pp_wr_done(&f));
    write_frame(&wr, FRAME_DATA, 1, h->stream, pp_span(q->bytes + q->len - UP_BYTES, UP_BYTES));
    send_whole(h->fd, &wr);
    h->stream += 2;
    h->window -= UP_BYTES;
    h->sent++;
}

static void take_frame(struct http2 *h, uint8_t type, uint8_t flags, uint32_t stream,
                       struct pp_rd *payload)
{
    uint8_t out[16];
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    must_do(type != FRAME_RESET && type != FRAME_GOAWAY, "a stream that the server ends");
    h->done += (type == FRAME_DATA || type == FRAME_HEADERS) && (flags & 1);
    h->refused += type == FRAME_HEADERS && (flags & 1);
    if (type == FRAME_WINDOW && stream == 0)
        h->window += pp_rd_u32(payload);
    if (type != FRAME_SETTINGS || (flags & 1))
        return;
    write_frame(&wr, FRAME_SETTINGS, 1, 0, PP_STR(""));
    send_whole(h->fd, &wr);
    h->must_shrink = 1;
}

static void take_input(struct http2 *h)
{
    ssize_t n = recv(h->fd, h->in + h->in_len, sizeof h->in - h->in_len, 0);

    must_do(n > 0, "recv");
    h->in_len += (size_t)n;
    struct pp_rd rd = pp_rd_over(h->in, h->in_len);
    for (;;) {
        struct pp_rd next = rd;
        size_t len = pp_rd_u24(&next);
        uint8_t type = pp_rd_u8(&next), flags = pp_rd_u8(&next);
        uint32_t stream = pp_rd_u32(&next);
        struct pp_rd payload = pp_rd_sub(&next, len);
        if (!pp_is_ok(pp_rd_ok(&next)))
            break;
        take_frame(h, type, flags, stream, &payload);
        rd = next;
    }
    memmove(h->in, h->in + rd.offset, rd.left);
    h->in_len = rd.left;
}

static void begin_http2(struct http2 *h, unsigned port, size_t streams)
{
    uint8_t out[64], window[4] = { 0x3f, 0xff, 0, 0 };
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    *h = (struct http2){ .fd = connect_to(port), .stream = 1, .window = 65535, .streams = streams };
    pp_wr_text(&wr, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    write_frame(&wr, FRAME_SETTINGS, 0, 0, PP_STR(""));
    write_frame(&wr, FRAME_WINDOW, 0, 0, PP_BYTES(window));
    send_whole(h->fd, &wr);
}

/*
 * `clients` of them, each with a request under way until all are sent, over as few connections as
 * relays would make. Gives how many the gateway had no place for.
 */
static size_t run_http2(unsigned port, size_t first, size_t clients)
{
    static struct http2 relays[RELAYS_MAX];
    struct pollfd p[RELAYS_MAX];
    size_t count = (clients + STREAMS - 1) / STREAMS, sent = 0, done = 0, refused = 0;

    for (size_t i = 0; i < count; i++)
        begin_http2(&relays[i], port, i + 1 < count ? STREAMS : clients - i * STREAMS);
    while (done < REQUESTS) {
        for (size_t i = 0; i < count; i++) {
            struct http2 *h = &relays[i];
            for (; sent < REQUESTS && h->sent - h->done < h->streams && h->window >= UP_BYTES;
                 sent++)
                send_request(h, &requests[first + sent]);
            p[i] = (struct pollfd){ .fd = h->fd, .events = POLLIN };
        }
        must_do(poll(p, count, -1) > 0, "poll");
        done = refused = 0;
        for (size_t i = 0; i < count; i++) {
            if (p[i].revents != 0)
                take_input(&relays[i]);
            done += relays[i].done;
            refused += relays[i].refused;
        }
    }
    for (size_t i = 0; i < count; i++)
        (void)close(relays[i].fd);
    return refused;
}

/* --- what it took ---------------------------------------------------------------------------- */

struct row {
    pid_t pid;
    char name[32];
    double cpu_s;
};

static double cpu_of(pid_t pid, char name[32])
{
    char path[64];
    unsigned long user = 0, system = 0;

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    FILE *f = fopen(path, "re");
    must_do(f != NULL, path);
    must_do(fscanf(f, "%*d (%31[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", name,
                   &user, &system) == 3,
            path);
    (void)fclose(f);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static size_t read_rows(pid_t gateway, struct row rows[PROCESSES_MAX])
{
    char path[64];
    long child;
    size_t n = 1;

    rows[0].pid = gateway;
    snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)gateway, (long)gateway);
    FILE *f = fopen(path, "re");
    must_do(f != NULL, path);
    while (n < PROCESSES_MAX && fscanf(f, "%ld", &child) == 1)
        rows[n++].pid = (pid_t)child;
    (void)fclose(f);
    for (size_t i = 0; i < n; i++)
        rows[i].cpu_s = cpu_of(rows[i].pid, rows[i].name);
    return n;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double sum_of(const struct row *before, const struct row *after, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (after[i].cpu_s - before[i].cpu_s) / REQUESTS * 1e6;
    return sum;
}

static void print_rows(const struct row *before, const struct row *after, size_t n)
{
    double sum = sum_of(before, after, n);

    for (size_t i = 0; i < n; i++)
        printf("  %-56s %8.1f us CPU/request\n", after[i].name,
               (after[i].cpu_s - before[i].cpu_s) / REQUESTS * 1e6);
    printf("  %-56s %8.1f us CPU/request\n", "all of them", sum);
    printf("  %-56s %8.0f requests/s of one core   (aim at least 12000)\n", "", 1e6 / sum);
}

static double resident_mib(pid_t pid)
{
    char path[64];
    long pages = 0;

    snprintf(path, sizeof path, "/proc/%ld/statm", (long)pid);
    FILE *f = fopen(path, "re");
    must_do(f != NULL && fscanf(f, "%*d %ld", &pages) == 1, path);
    (void)fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

static void grow(pid_t gateway, unsigned port, size_t first)
{
    static const size_t CLIENTS[] = { 10, 100, 1000, CLIENTS_MAX };
    struct row before[PROCESSES_MAX], after[PROCESSES_MAX];

    printf("the same as it grows, %d streams to a connection\n", STREAMS);
    for (size_t i = 0; i < PP_ARRAY_COUNT(CLIENTS); i++, first += REQUESTS) {
        size_t n = read_rows(gateway, before);
        double from = now_s();
        size_t refused = run_http2(port, first, CLIENTS[i]);
        double wall = now_s() - from;
        (void)read_rows(gateway, after);
        printf("  %6zu clients at a time %33s %8.1f us CPU/request %7.0f requests/s of wall, %zu "
               "refused, front %.0f MiB\n",
               CLIENTS[i], "", sum_of(before, after, n), REQUESTS / wall, refused,
               resident_mib(gateway));
    }
}

static void measure(pid_t gateway, unsigned port)
{
    static double latency[REQUESTS];
    struct row before[PROCESSES_MAX], after[PROCESSES_MAX];

    run(0, WARM_UP, 0, latency);
    size_t n = read_rows(gateway, before);
    double wall = run(WARM_UP, REQUESTS, 0, latency);
    (void)read_rows(gateway, after);
    printf("gateway: #2 of 2 KiB up and 1 KiB down, CVM echo, %d connections of HTTP/1.1\n",
           CONNECTIONS);
    print_rows(before, after, n);
    printf("  %-56s %8.0f requests/s of wall, client and CVM beside it\n", "",
           (double)REQUESTS / wall);
    double rate = (double)REQUESTS / wall / 2;
    run(WARM_UP + REQUESTS, REQUESTS, rate, latency);
    qsort(latency, REQUESTS, sizeof *latency, by_size);
    printf("  at %6.0f requests/s, half of that: %26s p50 %6.2f ms  p99 %6.2f ms   (aim under 5)\n",
           rate, "", latency[REQUESTS / 2], latency[REQUESTS * 99 / 100]);
    close_connections();
    (void)read_rows(gateway, before);
    (void)run_http2(port, WARM_UP + 2 * REQUESTS, STREAMS);
    (void)read_rows(gateway, after);
    printf("the same, %d streams at a time of one connection of HTTP/2\n", STREAMS);
    print_rows(before, after, n);
    grow(gateway, port, WARM_UP + 3 * REQUESTS);
}

static void remove_folder(void)
{
    static const char *const names[] = { "ohttp/1.key", "tokens/1.key", "handles/1.key",
                                         "spent/db",    "spent/db-wal", "spent/db-shm",
                                         "config",      "ohttp",        "tokens",
                                         "handles",     "spent",        "" };
    char path[128];

    for (size_t i = 0; i < PP_ARRAY_COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)remove(path);
    }
}

/* build/x/bench_gateway stands beside build/x/daemon. */
static const char *program_of(char path[4096])
{
    ssize_t n = readlink("/proc/self/exe", path, 3072);

    must_do(n > 0, "/proc/self/exe");
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    must_do(slash != NULL, path);
    snprintf(slash, 64, "/daemon/gatewayd/pp-gatewayd");
    return path;
}

int main(int argc, char **argv)
{
    static char path[4096];
    const struct pp_clock clock = pp_clock_system();
    const struct pp_random random = pp_random_system();
    char handle[PP_HANDLE_TEXT_BYTES + 1];
    static struct pp_keyconf key;
    struct pp_listener cvm = { 0 };
    struct pp_address at;
    unsigned port = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    must(pp_crypto_init(), "crypto");
    must_do(mkdtemp(folder) != NULL, folder);
    for (size_t i = 0; i < 4; i++)
        make_folder(((const char *const[]){ "ohttp", "tokens", "handles", "spent" })[i]);
    put_keys(pp_clock_posix_s(&clock) / DAY, &random, &key);
    must(pp_address_parse(PP_STR("127.0.0.1:0"), &at), "address");
    must(pp_listener_open(&at, &cvm), "listen");
    pid_t cvm_pid = fork();
    if (cvm_pid == 0)
        be_cvm(&cvm);
    pid_t gateway = start_gateway(argc > 1 ? argv[1] : program_of(path), cvm.address.port, &port);
    make_handle(cvm.address.port, pp_clock_posix_s(&clock), &random, handle);
    requests = calloc(RUNS * REQUESTS + WARM_UP, sizeof *requests);
    must_do(requests != NULL, "memory");
    for (size_t i = 0; i < RUNS * REQUESTS + WARM_UP; i++)
        seal(&requests[i], &key, handle, &random);
    open_connections(port);
    measure(gateway, port);
    (void)kill(gateway, SIGTERM);
    (void)waitpid(gateway, NULL, 0);
    (void)kill(cvm_pid, SIGKILL);
    (void)waitpid(cvm_pid, NULL, 0);
    remove_folder();
    return 0;
}
