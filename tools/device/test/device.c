/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device with its files, up to the first byte that would leave it: settings, marks, bundle,
 * schedule, wallet. A listener on loopback counts who knocks.
 */
#include "world.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "folder.h"
#include "text.h"

enum { TOKEN_BYTES = 162, ARENA_BYTES = 4 << 20 };

static struct world *w;
static char folder[64];
static struct pp_device device = { .lock_fd = -1 };
static struct pp_arena arena;
static uint64_t now_s;
static const struct pp_chat_message HELLO = { .text = { (const uint8_t *)"hello", 5 } };

/* --- a party that counts, and answers what a test put into its folder ------------------------- */

static struct {
    pid_t pid;
    int port, calls; /* `calls`: for each connection its path, and the length of its body */
} far;

static char served[64]; /* "/one" is answered with the file "one" of this folder, if there is one */

/* A file that begins like an answer of HTTP is one; of any other this makes the body. */

static void answer_from_file(int fd, const char *path)
{
    static uint8_t content[1 << 20];
    char name[160], head[128];
    snprintf(name, sizeof name, "%s%s", served, path);
    FILE *f = fopen(name, "rb");

    if (f == NULL)
        return;
    size_t len = fread(content, 1, sizeof content, f);
    fclose(f);
    int n = 0;
    if (len < 9 || memcmp(content, "HTTP/1.1 ", 9) != 0)
        n = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
    if (!pp_is_ok(pp_fd_write(fd, pp_span(head, (size_t)n))) ||
        !pp_is_ok(pp_fd_write(fd, pp_span(content, len))))
        _exit(1);
}

/* What was asked last for "/one" stands in the file "one.asked". */
static void keep_request(const char *path, const char *buf, size_t len)
{
    char name[160];

    snprintf(name, sizeof name, "%s%s.asked", served, path);
    FILE *f = fopen(name, "wb");
    if (f == NULL || fwrite(buf, 1, len, f) != len || fclose(f) != 0)
        _exit(1);
}

/* Accepts, reads the head of what comes, says path and length, answers or not, closes. */
static void serve(int listener, int out)
{
    for (;;) {
        char buf[1024], path[63], line[128];
        int fd = accept(listener, NULL, NULL);
        ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof buf - 1);
        if (n <= 0)
            _exit(0);
        buf[n] = '\0';
        const char *field = strstr(buf, "Content-Length: ");
        unsigned bytes = 0;
        if (sscanf(buf, "%*s %62s", path) != 1 ||
            (field != NULL && sscanf(field, "%*s %u", &bytes) != 1))
            _exit(1);
        keep_request(path, buf, (size_t)n);
        int len = snprintf(line, sizeof line, "%s\n%u bytes\n", path, bytes);
        if (write(out, line, (size_t)len) < 0) /* who has an answer finds it counted */
            _exit(1);
        answer_from_file(fd, path);
        close(fd);
    }
}

static int start_far_end(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), out[2];

    if (listener < 0 || bind(listener, (struct sockaddr *)&a, sizeof a) != 0 ||
        listen(listener, 16) != 0 || getsockname(listener, (struct sockaddr *)&a, &len) != 0 ||
        pipe(out) != 0)
        return -1;
    far.port = ntohs(a.sin_port);
    far.calls = out[0];
    far.pid = fork();
    if (far.pid == 0)
        serve(listener, out[1]);
    close(listener);
    close(out[1]);
    return far.pid < 0 ? -1 : fcntl(far.calls, F_SETFL, O_NONBLOCK);
}

/* Connections to that path since the last time that anybody asked. */
static size_t calls_of(const char *path, size_t *ret_batches)
{
    static const char batch[] = "1029 bytes\n"; /* RFC 9578 with 32 elements */
    char buf[4096], line[80];
    ssize_t n = read(far.calls, buf, sizeof buf - 1);
    size_t count = 0, batches = 0;

    buf[n < 0 ? 0 : n] = '\0';
    snprintf(line, sizeof line, "%s\n", path);
    for (const char *at = buf; (at = strstr(at, line)) != NULL; count++) {
        at += strlen(line);
        batches += strncmp(at, batch, strlen(batch)) == 0;
    }
    *ret_batches = batches;
    return count;
}

static size_t calls_to(const char *path)
{
    size_t batches;

    return calls_of(path, &batches);
}

static void assert_silence(void)
{
    struct pollfd p = { .fd = far.calls, .events = POLLIN };

    assert_int_equal(poll(&p, 1, 0), 0);
}

/* --- the state folder ------------------------------------------------------------------------- */

static void put(const char *name, struct pp_span bytes)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(pp_file_write(AT_FDCWD, path, 0600, bytes));
}

static void serve_file(const char *name, struct pp_span bytes)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", served, name);
    if (bytes.len == 0)
        (void)unlink(path);
    else
        assert_ok(pp_file_write(AT_FDCWD, path, 0600, bytes));
}

/* Whether the file holds exactly these bytes. */
static int holds(const char *name, struct pp_span bytes)
{
    char path[256];
    struct pp_buf b = { 0 };

    snprintf(path, sizeof path, "%s/%s", folder, name);
    int same = pp_is_ok(pp_file_read(AT_FDCWD, path, PP_BUNDLE_BYTES_MAX, &b)) &&
               pp_span_eq(pp_buf_span(&b), bytes);
    pp_buf_done(&b);
    return same;
}

static int exists(const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static void put_trust(const char *environment)
{
    char text[2048];
    int n = snprintf(text, sizeof text,
                     "environment = %s\nnamespace = " WORLD_NAMESPACE "\nissuer = issuer.example\n"
                     "issuer_url = http://127.0.0.1:%d/issue\n"
                     "gateway_authority = gateway.example\n"
                     "relay = http://127.0.0.1:%d/relay\n"
                     "mirror = http://127.0.0.1:%d/directory\n"
                     "mirror = http://127.0.0.1:%d/other\n"
                     "platform = sev-snp\nhardware = strict\nmessage_kem = classical\n"
                     "ohttp_kem = x25519\ntls_group = x25519\n",
                     environment, far.port, far.port, far.port, far.port);

    put("trust/trust", pp_span(text, (size_t)n));
    put("trust/log.policy", w->files.log_policy);
    put("trust/owner.policy", w->files.owner_policy);
    put("trust/review.policy", w->files.review_policy);
}

static const uint8_t ISSUER[] = { /* u16 type 5, then an element of the group */
                                  0x00, 0x05, 0xe2, 0xf2, 0xae, 0x0a, 0x6a, 0xbc, 0x4e,
                                  0x71, 0xa8, 0x84, 0xa9, 0x61, 0xc5, 0x00, 0x51, 0x5f,
                                  0x58, 0xe3, 0x0b, 0x6a, 0xa5, 0x82, 0xdd, 0x8d, 0xb6,
                                  0xa6, 0x59, 0x45, 0xe0, 0x8d, 0x2d, 0x76
};
static uint8_t ohttp_keys[512];

static void make_ohttp_key(void)
{
    static const struct pp_ohttp_suite suite = { 0x0001, 0x0001 };
    struct pp_ohttp_gateway *gateway = calloc(1, sizeof *gateway);
    struct pp_random random = pp_random_system();
    struct pp_wr wr = pp_wr_over(ohttp_keys, sizeof ohttp_keys);
    struct pp_kem_key *key = NULL;

    assert_non_null(gateway);
    assert_ok(pp_kem_key_generate(PP_KEM_X25519_SHA256, &random, &key));
    assert_ok(pp_ohttp_gateway_add(gateway, 1, key, &suite, 1));
    assert_ok(pp_ohttp_gateway_keys(gateway, &wr));
    pp_ohttp_gateway_done(gateway);
    free(gateway);
    w->ohttp_config = pp_wr_done(&wr);
    w->issuer_config = PP_BYTES(ISSUER);
}

static int make(void **state)
{
    (void)state;
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || pp_test_folder_make(served) != 0 ||
        start_far_end() != 0)
        return -1;
    w = world_new();
    make_ohttp_key();
    return !pp_is_ok(pp_arena_new_locked(&arena, ARENA_BYTES));
}

static int drop(void **state)
{
    (void)state;
    kill(far.pid, SIGKILL);
    waitpid(far.pid, NULL, 0);
    close(far.calls);
    pp_arena_done(&arena);
    world_free(w);
    return pp_test_folder_remove(served);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

/* A device that consented and holds a good bundle. */
static int fresh(void **state)
{
    char path[128];

    (void)state;
    if (pp_test_folder_make(folder) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/trust", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/device", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    now_s = WORLD_NOW;
    put_trust("dev");
    put("device/settings", PP_STR("consent = yes\n"));
    put("device/assertion.key",
        PP_STR("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"));
    world_default(w);
    world_log(w);
    put("device/bundle", world_bytes(w));
    serve_file("directory", PP_STR(""));
    serve_file("other", PP_STR(""));
    pp_arena_reset(&arena);
    (void)calls_to("/");
    return 0;
}

static int clean(void **state)
{
    (void)state;
    pp_device_close(&device);
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static uint64_t posix_ms(void *ctx)
{
    (void)ctx;
    return now_s * 1000;
}

static pp_res open_device(void)
{
    const struct pp_clock clock = { .posix_ms = posix_ms, .mono_ms = posix_ms };
    const struct pp_random random = pp_random_system();

    pp_device_close(&device);
    return pp_device_open(&device, folder, &clock, &random);
}

static pp_res tick(void)
{
    pp_res tokens = PP_OK;

    return pp_device_tick(&device, &tokens);
}

static struct pp_span bob = { (const uint8_t *)"Bob", 3 };

static struct pp_chat chat_of(struct pp_chat_message *messages, size_t count)
{
    return (struct pp_chat){
        .messages = messages, .message_count = count, .names = &bob, .name_count = 1
    };
}

static void add_tokens(size_t count)
{
    uint8_t bytes[4 * TOKEN_BYTES];
    struct pp_wallet_key keys[PP_WALLET_EPOCHS_MAX];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
    uint8_t authenticator[64] = { 1 };

    assert_int_equal(pp_device_wallet_keys(&device, keys), 2);
    for (size_t i = 0; i < count; i++) {
        struct pp_token t = { .type = 5, .authenticator = PP_BYTES(authenticator) };
        t.nonce[0] = (uint8_t)i;
        memcpy(t.key_id, keys[keys[0].day == WORLD_DAY ? 0 : 1].key_id, sizeof t.key_id);
        pp_token_write(&t, &wr);
    }
    assert_ok(pp_wr_ok(&wr));
    assert_ok(pp_wallet_add(device.wallet, WORLD_DAY, pp_wr_done(&wr), now_s));
}

static size_t tokens_held(void)
{
    struct pp_wallet_epoch epochs[PP_WALLET_EPOCHS_MAX];
    size_t count = 0, held = 0;

    assert_ok(pp_wallet_epochs(device.wallet, now_s, epochs, &count));
    for (size_t i = 0; i < count; i++)
        held += epochs[i].held;
    return held;
}

/* --- the user's own settings ------------------------------------------------------------------ */

static void without_consent_nothing_is_asked_of_anybody(void **state)
{
    static const char *const settings[] = { "consent = no\n", "words = 50\n", "" };
    struct pp_chat_message message = HELLO;
    const struct pp_chat chat = chat_of(&message, 1);

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(settings); i++) {
        put("device/settings", pp_span_cstr(settings[i]));
        assert_ok(open_device());
        pp_res r = pp_device_allow(&device, &chat);
        assert_code(r, PP_E_CONSENT);
        assert_int_equal(pp_code_class(r.code), PP_CLASS_SETTINGS); /* exit status 4 */
        assert_string_equal(device.problem.field, "consent");
        assert_int_equal(device.checks.count, 0);
    }
    char path[128];
    snprintf(path, sizeof path, "%s/device/settings", folder);
    assert_int_equal(unlink(path), 0);
    assert_ok(open_device());
    assert_code(pp_device_allow(&device, &chat), PP_E_CONSENT);
    assert_silence();
}

static void a_closed_chat_wins_over_consent(void **state)
{
    (void)state;
    struct pp_chat_message message = HELLO;
    struct pp_chat chat = chat_of(&message, 1);

    assert_ok(open_device());
    chat.closed = 1;
    pp_res r = pp_device_allow(&device, &chat);
    assert_code(r, PP_E_CHAT_CLOSED);
    assert_int_equal(pp_code_class(r.code), PP_CLASS_SETTINGS);
    assert_int_equal(device.checks.count, 0);
    chat.closed = 0;
    assert_ok(pp_device_allow(&device, &chat));
    assert_int_equal(device.checks.rows[0].step, PP_STEP_CONSENT);
    assert_silence();
}

static void settings_that_are_wrong_are_named(void **state)
{
    static const struct {
        const char *text, *field;
    } rows[] = { { "consent = yes\nskip_verification = yes\n", "skip_verification" },
                 { "consent = maybe\n", "consent" },
                 { "consent = YES\n", "consent" },
                 { "consent = yes\nconsent = yes\n", "consent" },
                 { "consent = yes\nanswer_kib = 0\n", "answer_kib" },
                 { "consent = yes\nanswer_kib = 3\n", "answer_kib" },
                 { "consent = yes\nanswer_kib = 32\n", "answer_kib" },
                 { "words = 19\n", "words" },
                 { "words = 401\n", "words" },
                 { "words = many\n", "words" },
                 { "grid_ms = 251\n", "grid_ms" },
                 { "consent\n", "consent" },
                 { "\xff\n", "(file)" } };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        put("device/settings", pp_span_cstr(rows[i].text));
        pp_res r = open_device();
        assert_code(r, PP_E_CONFIG);
        assert_int_equal(pp_code_class(r.code), PP_CLASS_USAGE);
        assert_string_equal(device.problem.party, "device/settings");
        assert_string_equal(device.problem.field, rows[i].field);
        assert_non_null(strstr(device.problem.got, folder));
        assert_non_null(strstr(device.problem.expected, "consent, answer_kib, words"));
    }
    put("device/settings", PP_STR("consent = yes\nwords = 20\nanswer_kib = 16\ngrid_ms = 250\n"));
    assert_ok(open_device());
    assert_int_equal(device.settings.grid_ms, 250);
    assert_int_equal(device.settings.words, 20);
    assert_int_equal(device.settings.answer_kib, 16);
    assert_silence();
}

/* --- state ------------------------------------------------------------------------------------ */

static void a_folder_without_anchors_is_no_device(void **state)
{
    (void)state;
    const struct pp_clock clock = { .posix_ms = posix_ms, .mono_ms = posix_ms };
    const struct pp_random random = pp_random_system();
    pp_res r = pp_device_open(&device, "/proc/none", &clock, &random);
    char path[128];

    assert_code(r, PP_E_STATE_ABSENT);
    assert_int_equal(pp_code_class(r.code), PP_CLASS_USAGE);
    assert_string_equal(device.problem.got, "no such file: /proc/none/trust/trust");
    pp_device_close(&device);
    snprintf(path, sizeof path, "%s/trust/review.policy", folder);
    assert_int_equal(unlink(path), 0);
    assert_code(open_device(), PP_E_TRUST);
    put_trust("dev");
    put("trust/trust", PP_STR("environment = dev\n"));
    assert_code(open_device(), PP_E_TRUST);
    assert_string_equal(device.problem.party, "trust anchors");
}

/* What a roll-back wants is a device that has forgotten. */
static void a_damaged_marks_file_is_not_a_fresh_start(void **state)
{
    (void)state;
    static uint8_t huge[PP_MARKS_BYTES_MAX + 1];
    const struct pp_span bad[] = { PP_STR(""), PP_STR("pp-marks-v1\n"), PP_BYTES(huge) };

    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++) {
        put("device/marks", bad[i]);
        pp_res r = open_device();
        assert_code(r, PP_E_MARKS);
        assert_int_equal(pp_code_class(r.code), PP_CLASS_REFUSED);
        assert_string_equal(device.problem.field, "marks");
        assert_non_null(strstr(device.problem.got, "/device/marks"));
        assert_non_null(strstr(pp_code_todo(r.code), "takes any status that was ever the last"));
    }
}

static void marks_are_stored_with_every_view_that_is_believed(void **state)
{
    (void)state;
    assert_ok(open_device());
    assert_int_equal(device.marks->status_serial, 0);
    assert_ok(tick());
    assert_ok(open_device());
    assert_int_equal(device.marks->status_serial, 7);
    assert_int_equal(device.marks->tree_size, 8);
    /* And hold: an older bundle is refused, whoever puts it there. */
    w->slots[S_STATUS].record.serial = 6;
    world_log(w);
    put("device/bundle", world_bytes(w));
    assert_code(pp_device_ready(&device), PP_E_LEDGER_ROLLBACK);
    assert_ok(open_device());
    assert_int_equal(device.marks->status_serial, 7);
}

static void a_held_bundle_is_used_until_it_ends(void **state)
{
    (void)state;
    assert_ok(open_device());
    assert_ok(tick()); /* the mirror is silent */
    assert_int_equal(calls_to("/directory"), 1);
    now_s = WORLD_NOW + PP_LEDGER_AGE_MAX_S;
    pp_res r = pp_device_ready(&device);
    assert_code(r, PP_E_LEDGER_STALE);
    assert_int_equal(pp_code_class(r.code), PP_CLASS_REFUSED);
}

static void without_any_bundle_a_silent_mirror_is_a_network_failure(void **state)
{
    (void)state;
    char path[128];

    snprintf(path, sizeof path, "%s/device/bundle", folder);
    assert_int_equal(unlink(path), 0);
    assert_ok(open_device());
    assert_int_equal(pp_code_class(tick().code), PP_CLASS_FAILED);
    assert_string_equal(device.problem.party, "mirror");
}

/* The world's bundle as it is now, in memory of its own. */
static struct pp_span bundle_of_serial(uint64_t serial, uint64_t time, uint8_t *memory)
{
    world_default(w);
    w->slots[S_STATUS].record.serial = serial;
    w->slots[S_STATUS].record.time = time;
    if (serial > 7) { /* a later status ends a larger tree */
        world_key(w, S_GAP, PP_RECORD_OHTTP, WORLD_DAY + 2);
        w->slots[S_GAP].named = 0;
    }
    world_log(w);
    struct pp_span bytes = world_bytes(w);
    memcpy(memory, bytes.at, bytes.len);
    return pp_span(memory, bytes.len);
}

static uint8_t first[1 << 20], second[1 << 20];

/* --- what a mirror sees ----------------------------------------------------------------------- */

static size_t request_of(const char *name, uint8_t ret[1024])
{
    char path[128];
    struct pp_buf b = { 0 };

    snprintf(path, sizeof path, "%s/%s.asked", served, name);
    assert_ok(pp_file_read(AT_FDCWD, path, 1024, &b));
    size_t len = b.len;
    memcpy(ret, b.bytes, len);
    pp_buf_done(&b);
    assert_int_equal(unlink(path), 0);
    return len;
}

static void forget(const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)unlink(path);
}

static void put_marks(const struct pp_marks *m)
{
    static uint8_t bytes[PP_MARKS_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);

    assert_ok(pp_marks_write(&wr, m));
    put("device/marks", pp_wr_done(&wr));
}

/*
 * transparency-log A11.10: "from my old size" would tell when a device updated last. It asks for
 * one file, in the same bytes, whatever it holds and has seen, and nobody for a consistency proof.
 */
static void a11_10_no_request_reveals_which_tree_a_device_holds(void **state)
{
    (void)state;
    static const char *const mirrors[] = { "directory", "other" };
    static struct pp_marks seen[] = {
        { 0 },
        { .now_posix_s = WORLD_NOW - 5, .tree_size = 8, .status_serial = 6 },
        { .now_posix_s = WORLD_NOW - 5,
          .tree_size = 1000000,
          .status_serial = 7 }, /* a roll-back */
        { .now_posix_s = WORLD_NOW + 100 * PP_DAY_S, .tree_size = 1, .status_serial = 1 },
        { .tree_size = 8, .revoked_count = PP_MARKS_REVOKED_MAX },
    };
    static struct pp_span held[3];
    uint8_t asked[PP_ARRAY_COUNT(mirrors)][1024], again[1024];
    size_t len[PP_ARRAY_COUNT(mirrors)] = { 0 };

    held[1] = bundle_of_serial(7, WORLD_NOW - 60, first);
    held[2] = bundle_of_serial(8, WORLD_NOW - 10, second);
    for (size_t i = 0; i < PP_ARRAY_COUNT(seen) * PP_ARRAY_COUNT(held) * 2; i++) {
        size_t bundle = i / 2 % PP_ARRAY_COUNT(held);

        for (size_t k = 0; k < PP_ARRAY_COUNT(mirrors); k++)
            serve_file(mirrors[k], i % 2 == 0 ? PP_STR("") : held[2]);
        put_marks(&seen[i / 2 / PP_ARRAY_COUNT(held)]);
        put("device/bundle", held[bundle]);
        if (bundle == 0)
            forget("device/bundle");
        assert_ok(open_device());
        pp_res tokens = PP_OK;
        pp_ignore(pp_device_tick(&device, &tokens), "only what was asked counts here");
        for (size_t k = 0; k < PP_ARRAY_COUNT(mirrors); k++) {
            if (i % 2 == 0 && k > 0)
                continue; /* the first mirror was silent: the second was not asked */
            size_t n = request_of(mirrors[k], again);
            if (len[k] == 0)
                memcpy(asked[k], again, len[k] = n);
            assert_int_equal(n, len[k]);
            assert_memory_equal(again, asked[k], n);
        }
    }
    for (size_t k = 0; k < PP_ARRAY_COUNT(mirrors); k++)
        serve_file(mirrors[k], PP_STR(""));
}

/* --- two mirrors ------------------------------------------------------------------------------ */

static void mirrors_that_agree_replace_the_bundle_that_is_held(void **state)
{
    (void)state;
    struct pp_span next = bundle_of_serial(8, WORLD_NOW - 10, first);

    serve_file("directory", next);
    serve_file("other", next);
    assert_ok(open_device());
    assert_ok(tick());
    assert_true(holds("device/bundle", next));
    assert_int_equal(device.marks->status_serial, 8);
}

static void a_bundle_that_is_held_already_is_not_written_again(void **state)
{
    (void)state;
    struct stat before, after;
    char path[256];
    struct pp_span next = bundle_of_serial(8, WORLD_NOW - 10, first);

    serve_file("directory", next);
    serve_file("other", next);
    snprintf(path, sizeof path, "%s/device/bundle", folder);
    assert_ok(open_device());
    assert_ok(tick());
    assert_int_equal(stat(path, &before), 0);
    assert_ok(tick());
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino); /* a file that is written is a new one */
    assert_false(exists("device/fetch_at"));       /* in dev no moment is drawn */
}

static void of_two_mirrors_the_newer_one_counts(void **state)
{
    (void)state;
    struct pp_span old = bundle_of_serial(7, WORLD_NOW - 60, first);
    struct pp_span next = bundle_of_serial(8, WORLD_NOW - 10, second);

    serve_file("directory", old);
    serve_file("other", next);
    assert_ok(open_device());
    assert_ok(tick());
    assert_true(holds("device/bundle", next));
}

static void w27_t1_mirrors_that_contradict_each_other_stop_everything(void **state)
{
    (void)state;
    struct pp_span one = bundle_of_serial(8, WORLD_NOW - 10, first);
    struct pp_span two = bundle_of_serial(8, WORLD_NOW - 9, second);

    serve_file("directory", one);
    serve_file("other", two);
    assert_ok(open_device());
    pp_res r = tick();
    assert_code(r, PP_E_LEDGER_SPLIT);
    assert_int_equal(pp_code_class(r.code), PP_CLASS_REFUSED);
    assert_string_equal(device.problem.party, "mirrors");
    assert_true(holds("device/split-0.bundle", one)); /* evidence for the monitor */
    assert_true(holds("device/split-1.bundle", two));
    assert_int_equal(device.marks->status_serial, 0);
}

/* Outside dev a session asks nobody: that the mirrors agree no more must reach it all the same. */
static void w27_t1_a_split_view_stops_sessions_until_all_agree_on_a_later_status(void **state)
{
    (void)state;
    struct pp_span one = bundle_of_serial(8, WORLD_NOW - 10, first);
    struct pp_span two = bundle_of_serial(8, WORLD_NOW - 9, second);

    serve_file("directory", one);
    serve_file("other", two);
    assert_ok(open_device());
    assert_ok(pp_device_ready(&device)); /* what is held is good */
    assert_code(tick(), PP_E_LEDGER_SPLIT);
    assert_code(pp_device_ready(&device), PP_E_LEDGER_SPLIT);
    assert_string_equal(device.problem.party, "mirrors");
    assert_ok(open_device());
    assert_code(pp_device_ready(&device), PP_E_LEDGER_SPLIT); /* nor by starting again */
    serve_file("other", PP_STR(""));
    assert_code(tick(), PP_E_LEDGER_SPLIT); /* nor by a mirror that falls silent */
    serve_file("other", one);
    assert_code(tick(), PP_E_LEDGER_SPLIT); /* nor by one that takes its word back */

    struct pp_span next = bundle_of_serial(9, WORLD_NOW - 5, second);
    serve_file("directory", next);
    serve_file("other", next);
    assert_ok(tick());
    assert_ok(pp_device_ready(&device));
    assert_false(exists("device/split"));
    assert_true(exists("device/split-0.bundle")); /* what happened stays to be shown */
}

/* pp-wire 2: they agree on every serial that both hold, not on that of the status alone. */
static void w27_t1_statuses_of_two_serials_that_name_two_records_of_one_are_a_split_view(
    void **state)
{
    (void)state;
    struct pp_span old = bundle_of_serial(7, WORLD_NOW - 60, first);

    world_default(w);
    w->slots[S_STATUS].record.serial = 8;
    w->slots[S_STATUS].record.time = WORLD_NOW - 10;
    w->slots[S_HOSTS].record.host_set.where = PP_STR("https://hosts.example.org/2");
    world_key(w, S_GAP, PP_RECORD_OHTTP, WORLD_DAY + 2);
    w->slots[S_GAP].named = 0;
    world_log(w);
    struct pp_span next = world_bytes(w);

    serve_file("directory", old);
    serve_file("other", next);
    assert_ok(open_device());
    assert_code(tick(), PP_E_LEDGER_SPLIT);
    assert_true(holds("device/split-0.bundle", old));
    assert_true(holds("device/split-1.bundle", next));
}

static void w27_t1_a_mirror_that_contradicts_what_was_seen_is_kept_as_evidence(void **state)
{
    (void)state;
    struct pp_span one = bundle_of_serial(8, WORLD_NOW - 10, first);

    serve_file("directory", one);
    serve_file("other", one);
    assert_ok(open_device());
    assert_ok(tick());
    struct pp_span two = bundle_of_serial(8, WORLD_NOW - 9, second);
    serve_file("directory", two);
    serve_file("other", two);
    assert_code(tick(), PP_E_LEDGER_SPLIT);
    assert_true(holds("device/split-0.bundle", one));
    assert_true(holds("device/split-1.bundle", two));
    assert_code(pp_device_ready(&device), PP_E_LEDGER_SPLIT);
}

static void a_mirror_that_lies_or_is_silent_leaves_the_held_bundle_in_use(void **state)
{
    (void)state;
    struct pp_span next = bundle_of_serial(8, WORLD_NOW - 10, first);
    struct pp_span held = bundle_of_serial(7, WORLD_NOW - 60, second);
    const struct pp_span lies[] = { PP_STR("no bundle"), PP_STR("") };

    for (size_t i = 0; i < PP_ARRAY_COUNT(lies); i++) {
        int told = 0;
        serve_file("directory", next);
        serve_file("other", lies[i]);
        put("device/bundle", held);
        assert_ok(open_device());
        assert_ok(tick());
        assert_true(holds("device/bundle", held));
        for (size_t k = 0; k < device.checks.count; k++)
            told |= device.checks.rows[k].step == PP_STEP_DIRECTORY &&
                    device.checks.rows[k].verdict == PP_VERDICT_SKIPPED;
        assert_true(told);
    }
}

/* --- the schedule of the directory ------------------------------------------------------------ */

/* Outside dev one fetch a window, whatever becomes of it: use does not show there. */
static void a_silent_mirror_is_not_asked_again_at_every_use(void **state)
{
    (void)state;
    put_trust("staging");
    assert_ok(open_device());
    for (size_t i = 0; i < 3; i++)
        assert_false(pp_is_ok(tick())); /* the bundle that is held is of dev */
    assert_int_equal(calls_to("/directory"), 1);
    assert_true(exists("device/fetch_at"));
    now_s = (WORLD_NOW / PP_DEVICE_FETCH_WINDOW_S + 2) * PP_DEVICE_FETCH_WINDOW_S;
    assert_false(pp_is_ok(tick()));
    assert_code(tick(), PP_E_LEDGER_NAMESPACE);
    assert_int_equal(calls_to("/directory"), 1);
    assert_code(pp_device_ready(&device), PP_E_LEDGER_NAMESPACE); /* never asks anybody */
    assert_silence();
}

/* pp-wire 2: at a random moment of each window of six hours. */
static void the_next_fetch_is_drawn_from_the_whole_of_the_next_window(void **state)
{
    enum { DRAWS = 40, DRAWS_MAX = 200 };
    const uint64_t from = (WORLD_NOW / PP_DEVICE_FETCH_WINDOW_S + 1) * PP_DEVICE_FETCH_WINDOW_S;
    size_t quarters[4] = { 0 }, seen = 0;
    char path[128];

    (void)state;
    put_trust("staging");
    snprintf(path, sizeof path, "%s/device/fetch_at", folder);
    for (int i = 0; i < DRAWS || (i < DRAWS_MAX && seen < 4); i++) {
        struct pp_buf b = { 0 };
        uint64_t at = 0;
        (void)unlink(path);
        assert_ok(open_device());
        assert_false(pp_is_ok(tick()));
        assert_ok(pp_file_read(AT_FDCWD, path, 24, &b));
        assert_ok(pp_decimal_parse(pp_buf_span(&b), UINT64_MAX, &at));
        pp_buf_done(&b);
        assert_in_range(at, from, from + PP_DEVICE_FETCH_WINDOW_S - 1);
        seen += quarters[(at - from) / (PP_DEVICE_FETCH_WINDOW_S / 4)]++ == 0;
    }
    assert_int_equal(seen, 4); /* each is missed once in 10^25 runs */
}

static void a_moment_that_a_wrong_clock_drew_is_not_waited_for(void **state)
{
    (void)state;
    static const char *const moments[] = { "4102444800\n", "4102444800", "x", "" };

    put_trust("staging");
    for (size_t i = 0; i < PP_ARRAY_COUNT(moments); i++) {
        put("device/fetch_at", pp_span_cstr(moments[i]));
        assert_ok(open_device());
        assert_false(pp_is_ok(tick()));
        assert_int_equal(calls_to("/directory"), 1);
    }
}

static void without_a_bundle_the_directory_is_asked_whatever_the_schedule_says(void **state)
{
    (void)state;
    char path[128];

    put_trust("staging");
    snprintf(path, sizeof path, "%s/device/bundle", folder);
    assert_int_equal(unlink(path), 0);
    assert_ok(open_device());
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pp_code_class(tick().code), PP_CLASS_FAILED);
    assert_int_equal(calls_to("/directory"), 2);
}

/* --- tokens ----------------------------------------------------------------------------------- */

/* privacy-pass 9: a batch has one size, whatever is held and whatever was spent. */
static void w4_r_every_fetch_asks_for_a_batch_of_32(void **state)
{
    (void)state;
    size_t batches = 0;

    assert_ok(open_device());
    assert_ok(pp_device_ready(&device));
    add_tokens(3);
    assert_ok(tick());
    assert_int_equal(calls_of("/issue", &batches), 2); /* of today and of tomorrow */
    assert_int_equal(batches, 2);
}

/* Marked, then lost: whether the issuer answered or the power failed, it is not made again. */
static void a_batch_that_was_begun_is_never_asked_for_again(void **state)
{
    (void)state;
    pp_res tokens = PP_OK;

    assert_ok(open_device());
    assert_ok(pp_device_tick(&device, &tokens));
    assert_int_equal(pp_code_class(tokens.code), PP_CLASS_FAILED);
    assert_int_equal(calls_to("/issue"), 2); /* today's batch and tomorrow's */
    assert_ok(open_device());
    tokens = PP_OK;
    assert_ok(pp_device_tick(&device, &tokens));
    assert_ok(tokens);
    assert_int_equal(calls_to("/issue"), 0);
}

static void an_empty_wallet_stops_before_the_relay(void **state)
{
    (void)state;
    struct pp_chat_message message = HELLO;
    const struct pp_chat chat = chat_of(&message, 1);
    struct pp_summary out;

    assert_ok(open_device());
    assert_ok(pp_device_allow(&device, &chat));
    assert_ok(tick());
    (void)calls_to("/");
    pp_res r = pp_device_summarize(&device, &chat, 100, NULL, &arena, &out);
    assert_code(r, PP_E_NO_TOKENS);
    assert_int_equal(pp_code_class(r.code), PP_CLASS_BUSY); /* exit status 5 */
    assert_int_equal(out.sent_user_bytes, 0);
    assert_string_equal(device.problem.party, "device/wallet");
    assert_string_equal(out.receipt, "");
    assert_silence();
}

static void a_token_is_spent_once_and_the_request_is_not_tried_again(void **state)
{
    (void)state;
    struct pp_chat_message message = HELLO;
    const struct pp_chat chat = chat_of(&message, 1);
    struct pp_summary out;

    assert_ok(open_device());
    assert_ok(tick());
    add_tokens(1);
    (void)calls_to("/");
    pp_res r = pp_device_summarize(&device, &chat, 100, NULL, &arena, &out);
    assert_int_equal(pp_code_class(r.code), PP_CLASS_FAILED);
    assert_string_equal(device.problem.party, "relay");
    assert_int_equal(out.sent_user_bytes, 0);
    assert_int_equal(tokens_held(), 0);
    assert_int_equal(calls_to("/relay"), 1);
    pp_arena_reset(&arena);
    assert_code(pp_device_summarize(&device, &chat, 100, NULL, &arena, &out), PP_E_NO_TOKENS);
    assert_silence();
}

static void a_chat_that_fits_no_request_costs_no_token(void **state)
{
    (void)state;
    static uint8_t text[PP_CHAT_TEXT_BYTES_MAX];
    static struct pp_chat_message many[16];
    struct pp_summary out;

    memset(text, 'a', sizeof text);
    for (uint32_t i = 0; i < PP_ARRAY_COUNT(many); i++)
        many[i] = (struct pp_chat_message){ .id = i, .text = PP_BYTES(text) };
    const struct pp_chat chat = chat_of(many, PP_ARRAY_COUNT(many));
    assert_ok(open_device());
    assert_ok(tick());
    add_tokens(2);
    (void)calls_to("/");
    pp_res r = pp_device_summarize(&device, &chat, 100, NULL, &arena, &out);
    assert_code(r, PP_E_TOO_LARGE);
    assert_int_equal(pp_code_class(r.code), PP_CLASS_USAGE);
    assert_int_equal(r.detail, 15);
    assert_string_equal(device.problem.expected, "as many as fit: select the latest 15");
    assert_string_equal(device.problem.got, "16");
    assert_int_equal(tokens_held(), 2);
    assert_int_equal(out.sent_user_bytes, 0);
    assert_silence();
}

/* --- what others answer ----------------------------------------------------------------------- */

#define CANARY "canary of an answer"

static int find_canary(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    static uint8_t content[1 << 20];

    (void)st;
    (void)ftw;
    if (type != FTW_F)
        return 0;
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return -1;
    size_t len = fread(content, 1, sizeof content, f);
    fclose(f);
    return memmem(content, len, CANARY, strlen(CANARY)) != NULL;
}

static void assert_no_canary(void)
{
    const char *const words[] = { device.problem.party, device.problem.field,
                                  device.problem.expected, device.problem.got };

    for (size_t i = 0; i < PP_ARRAY_COUNT(words); i++)
        assert_null(strstr(words[i], CANARY));
    for (size_t i = 0; i < device.checks.count; i++) {
        assert_null(strstr(device.checks.rows[i].anchor, CANARY));
        assert_null(strstr(device.checks.rows[i].value, CANARY));
    }
    assert_int_equal(nftw(folder, find_canary, 16, FTW_PHYS), 0);
}

/* The body of a refusal is nobody's word: it is in no text for people, no receipt and no file. */
static void w5_t3_the_body_of_an_answer_that_failed_is_kept_nowhere(void **state)
{
    static const char *const STATUSES[] = { "200", "400", "401", "422", "429", "500", "503" };
    static const char *const PATHS[] = { "directory", "other", "issue", "relay" };
    struct pp_chat_message message = HELLO;
    const struct pp_chat chat = chat_of(&message, 1);

    for (size_t i = 0; i < PP_ARRAY_COUNT(STATUSES); i++) {
        pp_res tokens = PP_OK;
        struct pp_summary out;
        char answer[256];
        int n = snprintf(answer, sizeof answer,
                         "HTTP/1.1 %s x\r\nX-Why: " CANARY "\r\nContent-Type: text/plain\r\n"
                         "Content-Length: %zu\r\n\r\n" CANARY,
                         STATUSES[i], strlen(CANARY));

        assert_int_equal(i == 0 ? 0 : fresh(state), 0);
        for (size_t k = 0; k < PP_ARRAY_COUNT(PATHS); k++)
            serve_file(PATHS[k], pp_span((const uint8_t *)answer, (size_t)n));
        assert_ok(open_device());
        pp_ignore(pp_device_tick(&device, &tokens), "what is told of it is looked at below");
        assert_false(pp_is_ok(tokens));
        assert_no_canary();
        assert_ok(pp_device_ready(&device));
        add_tokens(1);
        (void)calls_to("/");
        assert_ok(pp_device_allow(&device, &chat));
        assert_false(pp_is_ok(pp_device_summarize(&device, &chat, 100, NULL, &arena, &out)));
        assert_int_equal(calls_to("/relay"), 1);
        assert_no_canary();
        assert_int_equal(clean(state), 0);
        pp_arena_reset(&arena);
    }
    assert_int_equal(fresh(state), 0);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, fresh, clean)

static const struct CMUnitTest TESTS[] = {
    FRESH(without_consent_nothing_is_asked_of_anybody),
    FRESH(a_closed_chat_wins_over_consent),
    FRESH(settings_that_are_wrong_are_named),
    FRESH(a_folder_without_anchors_is_no_device),
    FRESH(a_damaged_marks_file_is_not_a_fresh_start),
    FRESH(marks_are_stored_with_every_view_that_is_believed),
    FRESH(a_held_bundle_is_used_until_it_ends),
    FRESH(without_any_bundle_a_silent_mirror_is_a_network_failure),
    FRESH(a11_10_no_request_reveals_which_tree_a_device_holds),
    FRESH(mirrors_that_agree_replace_the_bundle_that_is_held),
    FRESH(a_bundle_that_is_held_already_is_not_written_again),
    FRESH(of_two_mirrors_the_newer_one_counts),
    FRESH(w27_t1_mirrors_that_contradict_each_other_stop_everything),
    FRESH(w27_t1_a_split_view_stops_sessions_until_all_agree_on_a_later_status),
    FRESH(w27_t1_statuses_of_two_serials_that_name_two_records_of_one_are_a_split_view),
    FRESH(w27_t1_a_mirror_that_contradicts_what_was_seen_is_kept_as_evidence),
    FRESH(a_mirror_that_lies_or_is_silent_leaves_the_held_bundle_in_use),
    FRESH(a_silent_mirror_is_not_asked_again_at_every_use),
    FRESH(the_next_fetch_is_drawn_from_the_whole_of_the_next_window),
    FRESH(a_moment_that_a_wrong_clock_drew_is_not_waited_for),
    FRESH(without_a_bundle_the_directory_is_asked_whatever_the_schedule_says),
    FRESH(w4_r_every_fetch_asks_for_a_batch_of_32),
    FRESH(a_batch_that_was_begun_is_never_asked_for_again),
    FRESH(an_empty_wallet_stops_before_the_relay),
    FRESH(a_token_is_spent_once_and_the_request_is_not_tried_again),
    FRESH(a_chat_that_fits_no_request_costs_no_token),
    FRESH(w5_t3_the_body_of_an_answer_that_failed_is_kept_nowhere),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make, drop);
}
