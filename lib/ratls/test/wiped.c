/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ra-tls 13: keys and exporter value are wiped when a session ends. The whole memory of the process
 * is searched for them, what the TLS library freed included.
 */
#include "pair.h"

#include <fcntl.h>
#include <unistd.h>

#include "text.h"

enum { SECRETS_MAX = 12, SECRET_BYTES_MAX = 48, CHUNK_BYTES = 1 << 16, MASK = 0xA5 };

/* Masked, so that the search does not find what it was told to look for. */
static struct {
    uint8_t masked[SECRET_BYTES_MAX];
    size_t len;
} secrets[SECRETS_MAX];
static size_t secret_count;

static void remember(struct pp_span secret)
{
    assert_true(secret_count < SECRETS_MAX && secret.len <= SECRET_BYTES_MAX);
    for (size_t i = 0; i < secret.len; i++)
        secrets[secret_count].masked[i] = secret.at[i] ^ MASK;
    secrets[secret_count++].len = secret.len;
}

/* "LABEL random secret", the last two in hex. */
static void on_key(const SSL *ssl, const char *line)
{
    uint8_t secret[SECRET_BYTES_MAX];
    const char *hex = strrchr(line, ' ');

    (void)ssl;
    assert_non_null(hex);
    size_t len = strlen(hex + 1) / 2;
    assert_true(len <= sizeof secret);
    assert_ok(pp_hex_parse(pp_span_cstr(hex + 1), secret, len));
    remember(pp_span(secret, len));
    explicit_bzero(secret, sizeof secret);
}

static int is_at(const uint8_t *bytes, size_t i)
{
    size_t n = 0;

    while (n < secrets[i].len && bytes[n] == (secrets[i].masked[n] ^ MASK))
        n++;
    return n == secrets[i].len;
}

static size_t found_in(const uint8_t *bytes, size_t len)
{
    size_t found = 0;

    for (size_t at = 0; at + SECRET_BYTES_MAX <= len; at++)
        for (size_t i = 0; i < secret_count; i++)
            if (bytes[at] == (secrets[i].masked[0] ^ MASK) && is_at(bytes + at, i))
                found++;
    return found;
}

/* A page that cannot be read holds nothing that was written. Chunks overlap by a secret. */
static size_t found_between(int memory, uint64_t from, uint64_t to)
{
    static uint8_t chunk[CHUNK_BYTES];
    size_t found = 0;

    while (from < to) {
        size_t want = to - from < sizeof chunk ? (size_t)(to - from) : sizeof chunk;
        ssize_t n = pread(memory, chunk, want, (off_t)from);
        if (n <= 0)
            break;
        found += found_in(chunk, (size_t)n);
        explicit_bzero(chunk, sizeof chunk);
        if ((size_t)n <= SECRET_BYTES_MAX || from + (size_t)n >= to)
            break;
        from += (size_t)n - SECRET_BYTES_MAX;
    }
    return found;
}

/* How often any of the secrets stands in writable memory: stack, heap, all that is mapped. */
static size_t secrets_in_memory(void)
{
    enum { MAPPED_MAX = 64 << 20 }; /* beyond are the tables of a sanitizer */
    FILE *maps = fopen("/proc/self/maps", "re");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    unsigned long from, to;
    char line[512], rights[5];
    size_t found = 0;

    assert_non_null(maps);
    assert_true(memory >= 0);
    while (fgets(line, sizeof line, maps) != NULL)
        if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) == 3 && rights[1] == 'w' &&
            to - from <= MAPPED_MAX)
            found += found_between(memory, from, to);
    (void)fclose(maps);
    close(memory);
    return found;
}

/* A pair whose TLS keys and exporter value are known; both ends are behind the flight. */
static int set_up(void **state)
{
    static uint8_t body[PP_EVIDENCE_BODY_BYTES];
    struct pp_ratls_session session;
    struct pair *p;

    assert_int_equal(pair_set_up(state), 0);
    p = *state;
    secret_count = 0;
    pp_ratls_client_free(p->client);
    pp_ratls_server_free(p->server);
    SSL_CTX_set_keylog_callback(p->client_ctx->ssl, on_key);
    assert_ok(pp_ratls_client_new(p->client_ctx, &p->client));
    p->hello_len = client_take(p->client, p->hello, sizeof p->hello);
    assert_ok(pp_ratls_server_new(p->server_ctx, &p->random, &p->server));
    assert_ok(pp_ratls_server_feed(p->server, pp_span(p->hello, p->hello_len)));
    assert_ok(pp_ratls_server_session(p->server, &session));
    assert_ok(pp_ratls_server_evidence(p->server,
                                       pp_span(body, pair_attest(p, &session, body, sizeof body))));
    p->flight_len = server_take(p->server, p->flight, sizeof p->flight);
    assert_ok(pp_ratls_client_feed(p->client, pp_span(p->flight, p->flight_len)));
    assert_ok(pp_ratls_client_flight_end(p->client));
    remember(PP_BYTES(session.ekm));
    explicit_bzero(&session, sizeof session);
    assert_int_equal(secret_count, 6); /* handshake and application, both ways; exporter; ekm */
    return 0;
}

static void keys_of_a_session_that_lives_are_found(void **state)
{
    (void)state;
    assert_true(secrets_in_memory() >= 4);
}

static void keys_and_exporter_value_of_sessions_that_failed_are_nowhere_in_memory(void **state)
{
    struct pair *p = *state;

    pp_ratls_client_kill(p->client, PP_E_EVIDENCE_TIMEOUT);
    pp_ratls_server_close(p->server, PP_E_EVIDENCE_TIMEOUT);
    assert_int_equal(pp_ratls_client_state(p->client), PP_CLIENT_DEAD);
    assert_int_equal(pp_ratls_server_state(p->server), PP_SERVER_DEAD);
    assert_int_equal(secrets_in_memory(), 0);
}

static void keys_and_exporter_value_of_sessions_that_are_freed_are_nowhere_in_memory(void **state)
{
    struct pair *p = *state;

    pp_ratls_client_free(p->client);
    pp_ratls_server_free(p->server);
    p->client = NULL;
    p->server = NULL;
    assert_int_equal(secrets_in_memory(), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(keys_of_a_session_that_lives_are_found, set_up, pair_tear_down),
    cmocka_unit_test_setup_teardown(
        keys_and_exporter_value_of_sessions_that_failed_are_nowhere_in_memory, set_up,
        pair_tear_down),
    cmocka_unit_test_setup_teardown(
        keys_and_exporter_value_of_sessions_that_are_freed_are_nowhere_in_memory, set_up,
        pair_tear_down),
};

PP_TEST_MAIN(tests)
