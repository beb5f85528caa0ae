/* SPDX-License-Identifier: Apache-2.0 */
/* draft-ietf-ohai-chunked-ohttp; its example and 30 more exchanges run in `ppctl vectors ohttp`. */
#include "harness.h"

#include "chunked.h"
#include "crypto.h"

static const struct pp_ohttp_suite AES = { PP_HKDF_SHA256, PP_AES_128_GCM };
static const struct pp_ohttp_suite CHACHA = { PP_HKDF_SHA512, PP_CHACHA20_POLY1305 };

enum { BODY_MAX = 1 << 17, HEAD = 7 + 32 };

struct fixture {
    struct pp_ohttp_gateway gateway;
    struct pp_ohttp device, server;
    struct pp_ohttp_sender sender;
    struct pp_ohttp_receiver receiver;
    struct pp_random random;
    uint8_t send_mem[PP_OHTTP_CHUNK_SEALED_MAX], receive_mem[PP_OHTTP_CHUNK_SEALED_MAX];
    uint8_t body[BODY_MAX], plain[BODY_MAX];
    size_t body_len, plain_len;
    uint32_t dice;
};

static int set_up(void **state)
{
    static struct fixture f;
    const struct pp_ohttp_suite suites[] = { AES, CHACHA };
    uint8_t sk[PP_X25519_BYTES] = { 9 };
    struct pp_kem_key *key = NULL;

    f = (struct fixture){ .random = pp_random_system(), .dice = 1 };
    assert_ok(pp_crypto_init());
    assert_ok(pp_kem_key_import(PP_KEM_X25519_SHA256, PP_BYTES(sk), &key));
    assert_ok(pp_ohttp_gateway_add(&f.gateway, 1, key, suites, 2));
    *state = &f;
    return 0;
}

static void forget(struct fixture *f)
{
    pp_ohttp_sender_done(&f->sender);
    pp_ohttp_receiver_done(&f->receiver);
    pp_ohttp_done(&f->device);
    pp_ohttp_done(&f->server);
    f->body_len = f->plain_len = 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    forget(f);
    pp_ohttp_gateway_done(&f->gateway);
    return 0;
}

/* A reproducible number below `bound`. */
static size_t roll(struct fixture *f, size_t bound)
{
    f->dice = f->dice * 1103515245u + 12345u;
    return (f->dice >> 8) % bound;
}

/* --- driving the two streams --------------------------------------------------------------------
 */

static void start_request(struct fixture *f, struct pp_ohttp_suite suite)
{
    assert_ok(pp_ohttp_sender_start_request(&f->sender, &f->device, &f->gateway.keys[0].config,
                                            suite, &f->random, f->send_mem, sizeof f->send_mem));
}

/* Takes in pieces of at most `piece` bytes. */
static void drain(struct fixture *f, size_t piece)
{
    size_t n;

    do {
        assert_true(f->body_len + piece <= sizeof f->body);
        n = pp_ohttp_sender_take(&f->sender, f->body + f->body_len, piece);
        f->body_len += n;
    } while (n > 0);
}

static void send_bytes(struct fixture *f, const uint8_t *bytes, size_t len, size_t piece)
{
    while (len > 0) {
        size_t used = 0, n = len < piece ? len : piece;
        assert_ok(pp_ohttp_sender_feed(&f->sender, bytes, n, &used));
        drain(f, piece);
        bytes += used;
        len -= used;
    }
}

static void send_chunk(struct fixture *f, struct pp_span text)
{
    send_bytes(f, text.at, text.len, sizeof f->body / 4);
    assert_ok(pp_ohttp_sender_cut(&f->sender));
    drain(f, 1000);
}

static void send_end(struct fixture *f, struct pp_span text)
{
    send_bytes(f, text.at, text.len, sizeof f->body / 4);
    assert_ok(pp_ohttp_sender_end(&f->sender));
    drain(f, 1000);
    assert_true(pp_ohttp_sender_is_done(&f->sender));
}

/* A request of the chunks "one", "two" and the final "end". */
static void three_chunks(struct fixture *f)
{
    forget(f);
    start_request(f, AES);
    send_chunk(f, PP_STR("one"));
    send_chunk(f, PP_STR("two"));
    send_end(f, PP_STR("end"));
}

enum { CHUNK = 1 + 3 + 16, FINAL = 1 + 3 + 16 }; /* on the wire, of the request above */

static void take_all(struct fixture *f, size_t piece)
{
    size_t n;

    do {
        assert_true(f->plain_len + piece <= sizeof f->plain);
        n = pp_ohttp_receiver_take(&f->receiver, f->plain + f->plain_len, piece);
        f->plain_len += n;
    } while (n > 0);
}

/* Pieces of at most `piece` bytes; 0: of random sizes. */
static pp_res receive(struct fixture *f, const uint8_t *body, size_t len, size_t piece)
{
    f->plain_len = 0;
    while (len > 0) {
        size_t used = 0, most = piece != 0 ? piece : 1 + roll(f, 700);
        size_t n = len < most ? len : most;
        PP_TRY(pp_ohttp_receiver_feed(&f->receiver, body, n, &used));
        take_all(f, most);
        body += used;
        len -= used;
    }
    PP_TRY(pp_ohttp_receiver_end(&f->receiver));
    take_all(f, piece != 0 ? piece : 100);
    assert_true(pp_ohttp_receiver_is_done(&f->receiver));
    return PP_OK;
}

static void start_receiver(struct fixture *f)
{
    pp_ohttp_receiver_done(&f->receiver);
    pp_ohttp_done(&f->server);
    assert_ok(pp_ohttp_receiver_start_request(&f->receiver, &f->server, &f->gateway, f->receive_mem,
                                              sizeof f->receive_mem));
}

/* The same body opened as a whole: to the same end. A chunk above the receiver's memory is no limit
 * there. */
static pp_res open_whole(struct fixture *f, const uint8_t *body, size_t len, struct pp_span *ret)
{
    static uint8_t copy[BODY_MAX];
    size_t used = 0, head = len < HEAD ? len : HEAD;

    start_receiver(f);
    PP_TRY(pp_ohttp_receiver_feed(&f->receiver, body, head, &used));
    if (head < HEAD)
        return PP_FAIL(PP_E_AUTH, 0);
    memcpy(copy, body + HEAD, len - HEAD);
    return pp_ohttp_chunks_open(&f->server, copy, len - HEAD, ret);
}

static pp_res receive_request(struct fixture *f, const uint8_t *body, size_t len, size_t piece)
{
    struct pp_span whole;
    pp_res opened = open_whole(f, body, len, &whole);

    start_receiver(f);
    pp_res r = receive(f, body, len, piece);
    if (pp_is_ok(r))
        assert_true(pp_is_ok(opened) && pp_span_eq(whole, pp_span(f->plain, f->plain_len)));
    else if (r.code != PP_E_LIMIT)
        assert_code(opened, PP_E_AUTH);
    return r;
}

static pp_res receive_response(struct fixture *f, const uint8_t *body, size_t len, size_t piece)
{
    pp_ohttp_receiver_done(&f->receiver);
    assert_ok(pp_ohttp_receiver_start_response(&f->receiver, &f->device, f->receive_mem,
                                               sizeof f->receive_mem));
    return receive(f, body, len, piece);
}

#define assert_plain(f, text) assert_true(pp_span_eq(pp_span((f)->plain, (f)->plain_len), text))

/* The gateway's side of an exchange whose request was received; the chunks of `answer`. */
static void start_response(struct fixture *f)
{
    pp_ohttp_sender_done(&f->sender);
    f->body_len = 0;
    assert_ok(pp_ohttp_sender_start_response(&f->sender, &f->server, &f->random, f->send_mem,
                                             sizeof f->send_mem));
}

/* --- what works --------------------------------------------------------------------------------
 */

static void any_split_of_a_request_and_of_a_response_gives_the_same(void **state)
{
    struct fixture *f = *state;
    static uint8_t text[40000];
    static const size_t PIECES[] = { 1, 2, 3, 16, 17, 1000, 0, 0, 0 };
    const struct pp_ohttp_suite suites[] = { AES, CHACHA };

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 7 + i / 256);
    for (size_t i = 0; i < 2 * PP_ARRAY_COUNT(PIECES); i++) {
        size_t piece = PIECES[i / 2], sent = piece == 0 ? 1 + roll(f, 5000) : piece;
        forget(f);
        start_request(f, suites[i % 2]);
        send_bytes(f, text, sizeof text, sent);
        send_end(f, PP_STR(""));
        /* The chunks are full ones, whatever was fed at once. */
        assert_int_equal(f->body_len, HEAD + 2 * (4 + 16384 + 16) + 1 + (40000 - 2 * 16384) + 16);
        assert_ok(receive_request(f, f->body, f->body_len, piece));
        assert_plain(f, PP_BYTES(text));

        start_response(f);
        send_bytes(f, text, sizeof text, sent);
        send_end(f, PP_STR(""));
        assert_ok(receive_response(f, f->body, f->body_len, piece));
        assert_plain(f, PP_BYTES(text));
    }
}

static void a_chunk_ends_where_the_application_says_and_an_empty_cut_is_none(void **state)
{
    struct fixture *f = *state;

    start_request(f, AES);
    assert_ok(pp_ohttp_sender_cut(&f->sender));
    send_chunk(f, PP_STR("one"));
    assert_ok(pp_ohttp_sender_cut(&f->sender));
    send_end(f, PP_STR(""));
    assert_int_equal(f->body_len, HEAD + CHUNK + 1 + 16);
    assert_ok(receive_request(f, f->body, f->body_len, 1));
    assert_plain(f, PP_STR("one"));
}

static void a_message_of_one_empty_final_chunk_is_a_message(void **state)
{
    struct fixture *f = *state;

    start_request(f, AES);
    send_end(f, PP_STR(""));
    assert_int_equal(f->body_len, HEAD + 1 + 16);
    assert_ok(receive_request(f, f->body, f->body_len, 1));
    assert_int_equal(f->plain_len, 0);
    start_response(f);
    send_end(f, PP_STR(""));
    assert_ok(receive_response(f, f->body, f->body_len, 1));
    assert_int_equal(f->plain_len, 0);
}

/* RFC 9458, 4.4 by way of the draft: a fresh nonce per response. */
static void two_responses_to_one_request_share_no_byte_of_key_stream(void **state)
{
    struct fixture *f = *state;
    uint8_t first[200];

    three_chunks(f);
    assert_ok(receive_request(f, f->body, f->body_len, 0));
    start_response(f);
    send_end(f, PP_STR("twice the same"));
    memcpy(first, f->body, f->body_len);
    start_response(f);
    send_end(f, PP_STR("twice the same"));
    assert_memory_not_equal(first, f->body, 16);
    assert_memory_not_equal(first + 17, f->body + 17, 14);
    assert_ok(receive_response(f, f->body, f->body_len, 0));
    assert_ok(receive_response(f, first, f->body_len, 0));
}

/* --- lengths -----------------------------------------------------------------------------------
 */

/* The draft, MUST: receivers take chunks of 16384 bytes. Ours take no more than their memory. */
static void the_largest_chunk_passes_and_one_byte_more_is_refused(void **state)
{
    struct fixture *f = *state;
    static uint8_t mem[PP_OHTTP_CHUNK_SEALED_MAX + 1], text[PP_OHTTP_CHUNK_BYTES_MAX + 1];

    for (size_t over = 0; over <= 1; over++)
        for (int final = 0; final <= 1; final++) {
            size_t used = 0;
            forget(f);
            assert_ok(pp_ohttp_sender_start_request(&f->sender, &f->device,
                                                    &f->gateway.keys[0].config, AES, &f->random,
                                                    mem, sizeof mem));
            assert_ok(
                pp_ohttp_sender_feed(&f->sender, text, PP_OHTTP_CHUNK_BYTES_MAX + over, &used));
            assert_int_equal(used, PP_OHTTP_CHUNK_BYTES_MAX + over);
            if (!final) {
                assert_ok(pp_ohttp_sender_cut(&f->sender));
                drain(f, 1000);
            }
            send_end(f, PP_STR(""));
            pp_res r = receive_request(f, f->body, f->body_len, 0);
            assert_code(r, over ? PP_E_LIMIT : PP_E_OK);
        }
}

static void a_receiver_has_room_for_a_whole_chunk(void **state)
{
    struct fixture *f = *state;

    assert_code(pp_ohttp_receiver_start_request(&f->receiver, &f->server, &f->gateway,
                                                f->receive_mem, PP_OHTTP_CHUNK_SEALED_MAX - 1),
                PP_E_RANGE);
    assert_code(pp_ohttp_sender_start_request(&f->sender, &f->device, &f->gateway.keys[0].config,
                                              AES, &f->random, f->send_mem, PP_AEAD_TAG_BYTES),
                PP_E_RANGE);
    three_chunks(f);
    assert_ok(receive_request(f, f->body, f->body_len, 0));
    pp_ohttp_sender_done(&f->sender);
    assert_code(pp_ohttp_sender_start_response(&f->sender, &f->server, &f->random, f->send_mem,
                                               PP_AEAD_TAG_BYTES),
                PP_E_RANGE);
}

static void a_length_is_refused_before_a_byte_of_its_chunk_came(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *hex;
        uint32_t code;
    } ROWS[] = {
        { "01", PP_E_AUTH },
        { "0f", PP_E_AUTH },
        { "10", PP_E_AUTH }, /* empty */
        { "11", PP_E_OK },
        { "80004010", PP_E_OK }, /* 16384 + 16 */
        { "80004011", PP_E_LIMIT },
        { "bfffffff", PP_E_LIMIT },
        { "c000000000000010", PP_E_AUTH },
        { "c000000000000011", PP_E_OK },
        { "ffffffffffffffff", PP_E_LIMIT },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        size_t used = 0;
        uint8_t length[8];
        size_t length_len = pp_test_hex(ROWS[i].hex, length, sizeof length);
        three_chunks(f);
        assert_code(receive_request(f, f->body, HEAD, 0), PP_E_TRUNCATED);
        pp_ohttp_receiver_done(&f->receiver);
        pp_ohttp_done(&f->server);
        assert_ok(pp_ohttp_receiver_start_request(&f->receiver, &f->server, &f->gateway,
                                                  f->receive_mem, sizeof f->receive_mem));
        assert_ok(pp_ohttp_receiver_feed(&f->receiver, f->body, HEAD, &used));
        assert_code(pp_ohttp_receiver_feed(&f->receiver, length, length_len, &used), ROWS[i].code);
    }
}

/* QUIC varints: lengths are not authenticated, and any encoding of one is fine. */
static void a_length_in_more_bytes_than_it_needs_is_fine(void **state)
{
    struct fixture *f = *state;
    static const char *const PREFIXES[] = { "4013", "80000013", "c000000000000013" };
    uint8_t other[512];

    for (size_t i = 0; i < PP_ARRAY_COUNT(PREFIXES); i++) {
        uint8_t prefix[8];
        size_t prefix_len = pp_test_hex(PREFIXES[i], prefix, sizeof prefix);
        three_chunks(f);
        memcpy(other, f->body, HEAD);
        memcpy(other + HEAD, prefix, prefix_len);
        memcpy(other + HEAD + prefix_len, f->body + HEAD + 1, f->body_len - HEAD - 1);
        assert_ok(receive_request(f, other, f->body_len - 1 + prefix_len, 1));
        assert_plain(f, PP_STR("onetwoend"));
    }
}

static void a_whole_body_is_opened_in_place_whatever_its_chunks(void **state)
{
    struct fixture *f = *state;
    static uint8_t text[60000], mem[sizeof text + 16];
    struct pp_span whole;
    size_t used = 0;

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 11 + i / 256);
    assert_ok(pp_ohttp_sender_start_request(&f->sender, &f->device, &f->gateway.keys[0].config, AES,
                                            &f->random, mem, sizeof mem));
    assert_ok(pp_ohttp_sender_feed(&f->sender, text, sizeof text, &used));
    send_end(f, PP_STR("")); /* one chunk, above what a receiver has to take */
    assert_ok(open_whole(f, f->body, f->body_len, &whole));
    assert_true(pp_span_eq(whole, PP_BYTES(text)));
    for (size_t most = 1; most < 3000; most = most * 3 + 1) {
        forget(f);
        start_request(f, CHACHA);
        for (size_t at = 0, n; at < 20000; at += n) {
            n = 1 + roll(f, most);
            send_chunk(f, pp_span(text + at, n));
            if (f->body_len > BODY_MAX / 2)
                break;
        }
        send_end(f, PP_STR("end"));
        assert_ok(receive_request(f, f->body, f->body_len, 0));
    }
}

static void a_message_above_the_bound_of_its_cipher_is_neither_sent_nor_read(void **state)
{
    struct fixture *f = *state;
    size_t used;

    start_request(f, AES);
    assert_ok(pp_ohttp_sender_feed(&f->sender, "abc", 3, &used));
    f->sender.chunks.bytes_total = PP_OHTTP_CHUNKED_BYTES_MAX - 2;
    assert_code(pp_ohttp_sender_end(&f->sender), PP_E_LIMIT);
    assert_code(pp_ohttp_sender_end(&f->sender), PP_E_LIMIT);
    forget(f);
    start_request(f, AES);
    assert_ok(pp_ohttp_sender_feed(&f->sender, "abc", 3, &used));
    f->sender.chunks.bytes_total = PP_OHTTP_CHUNKED_BYTES_MAX - 3;
    assert_ok(pp_ohttp_sender_end(&f->sender));
    drain(f, 1000);
    for (uint64_t room = 2; room <= 3; room++) {
        pp_ohttp_receiver_done(&f->receiver);
        pp_ohttp_done(&f->server);
        assert_ok(pp_ohttp_receiver_start_request(&f->receiver, &f->server, &f->gateway,
                                                  f->receive_mem, sizeof f->receive_mem));
        f->receiver.chunks.bytes_total = PP_OHTTP_CHUNKED_BYTES_MAX - room;
        assert_code(receive(f, f->body, f->body_len, 0), room == 2 ? PP_E_LIMIT : PP_E_OK);
    }
}

/* --- what is refused ---------------------------------------------------------------------------
 */

/* The draft: complete only when the final chunk opened. */
static void a_message_cut_anywhere_is_never_whole(void **state)
{
    struct fixture *f = *state;

    three_chunks(f);
    size_t final_at = f->body_len - FINAL + 1; /* behind the length 0 */
    for (size_t len = 0; len < f->body_len; len++) {
        pp_res r = receive_request(f, f->body, len, 0);
        assert_code(r, len < final_at ? PP_E_TRUNCATED : PP_E_AUTH);
        assert_false(pp_ohttp_receiver_is_done(&f->receiver));
    }
    assert_ok(receive_request(f, f->body, f->body_len, 0));
    start_response(f);
    send_chunk(f, PP_STR("one"));
    send_end(f, PP_STR("end"));
    for (size_t len = 0; len < f->body_len; len++) {
        pp_res r = receive_response(f, f->body, len, 0);
        assert_code(r, len < f->body_len - FINAL + 1 ? PP_E_TRUNCATED : PP_E_AUTH);
    }
}

static void every_bit_of_a_chunked_request_and_response_matters(void **state)
{
    struct fixture *f = *state;

    three_chunks(f);
    for (size_t bit = 0; bit < f->body_len * 8; bit++) {
        f->body[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(pp_is_ok(receive_request(f, f->body, f->body_len, 0)));
        f->body[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_ok(receive_request(f, f->body, f->body_len, 0));
    start_response(f);
    send_chunk(f, PP_STR("one"));
    send_end(f, PP_STR("end"));
    for (size_t bit = 0; bit < f->body_len * 8; bit++) {
        f->body[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(pp_is_ok(receive_response(f, f->body, f->body_len, 0)));
        f->body[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_ok(receive_response(f, f->body, f->body_len, 0));
    f->body[f->body_len] = 0;
    assert_code(receive_response(f, f->body, f->body_len + 1, 0), PP_E_AUTH);
}

static void chunks_that_were_swapped_dropped_or_repeated_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const ORDERS[] = { "ba", "a", "b", "aab", "abb", "" };
    uint8_t other[512];

    three_chunks(f);
    for (size_t i = 0; i < PP_ARRAY_COUNT(ORDERS); i++) {
        struct pp_wr wr = pp_wr_over(other, sizeof other);
        pp_wr_bytes(&wr, f->body, HEAD);
        for (const char *c = ORDERS[i]; *c != 0; c++)
            pp_wr_bytes(&wr, f->body + HEAD + (*c == 'b' ? CHUNK : 0), CHUNK);
        pp_wr_bytes(&wr, f->body + HEAD + 2 * CHUNK, FINAL);
        assert_code(receive_request(f, other, wr.len, 0), PP_E_AUTH);
    }
}

static void a_chunk_is_final_only_if_it_was_sealed_as_the_final_one(void **state)
{
    struct fixture *f = *state;

    three_chunks(f);
    f->body[HEAD] = 0; /* the first chunk, and all that follows, claims to be the final one */
    assert_code(receive_request(f, f->body, f->body_len, 0), PP_E_AUTH);
    three_chunks(f);
    f->body[HEAD + CHUNK] = 0; /* the second, and nothing behind it */
    assert_code(receive_request(f, f->body, HEAD + 2 * CHUNK, 0), PP_E_AUTH);
    three_chunks(f);
    f->body[HEAD + 2 * CHUNK] = 3 + 16; /* the final one claims not to be */
    assert_code(receive_request(f, f->body, f->body_len, 0), PP_E_AUTH);
}

static void after_one_failure_nothing_more_comes_out(void **state)
{
    struct fixture *f = *state;
    size_t used = 77;

    three_chunks(f);
    f->body[HEAD + CHUNK + 5] ^= 1;
    assert_code(receive_request(f, f->body, f->body_len, 0), PP_E_AUTH);
    assert_plain(f, PP_STR("one"));
    assert_code(pp_ohttp_receiver_feed(&f->receiver, f->body, 1, &used), PP_E_AUTH);
    assert_int_equal(used, 77);
    assert_code(pp_ohttp_receiver_end(&f->receiver), PP_E_AUTH);
    assert_int_equal(pp_ohttp_receiver_take(&f->receiver, f->plain, 10), 0);
    assert_false(pp_ohttp_receiver_is_done(&f->receiver));
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(f->receive_mem[i], 0);
}

static void the_key_and_the_pair_are_looked_up_as_with_whole_messages(void **state)
{
    struct fixture *f = *state;
    static const struct {
        size_t at;
        uint8_t value;
        uint32_t detail;
    } ROWS[] = {
        { 0, 2, PP_OHTTP_KEY_UNKNOWN },   { 1, 0x55, PP_OHTTP_KEY_UNKNOWN },
        { 4, 2, PP_OHTTP_SUITE_UNKNOWN }, { 6, 2, PP_OHTTP_SUITE_UNKNOWN },
        { 9, 0, PP_OHTTP_NOT_OPENED },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        three_chunks(f);
        /* A byte of the random point may be any value already: it is changed, not set. */
        uint8_t before = f->body[ROWS[i].at];
        f->body[ROWS[i].at] = ROWS[i].at == 9 ? (uint8_t)~before : ROWS[i].value;
        pp_res r = receive_request(f, f->body, f->body_len, 1);
        assert_code(r, PP_E_AUTH);
        assert_int_equal(r.detail, ROWS[i].detail);
    }
    three_chunks(f); /* X25519 of a point of low order gives nothing but zeros */
    memset(f->body + 7, 0, 32);
    assert_code(receive_request(f, f->body, f->body_len, 1), PP_E_AUTH);
}

static void a_key_that_goes_while_a_head_comes_in_is_unknown(void **state)
{
    struct fixture *f = *state;
    size_t used;

    three_chunks(f);
    assert_ok(pp_ohttp_receiver_start_request(&f->receiver, &f->server, &f->gateway, f->receive_mem,
                                              sizeof f->receive_mem));
    assert_ok(pp_ohttp_receiver_feed(&f->receiver, f->body, 20, &used));
    assert_ok(pp_ohttp_gateway_remove(&f->gateway, 1));
    assert_code(pp_ohttp_receiver_feed(&f->receiver, f->body + 20, 19, &used), PP_E_AUTH);
}

/* The draft: other labels, so that neither form is taken for the other (no downgrade). */
static void a_whole_message_is_no_chunked_one_and_the_other_way_round(void **state)
{
    struct fixture *f = *state;
    struct pp_wr wr = pp_wr_over(f->body, sizeof f->body);
    struct pp_span opened;

    assert_ok(pp_ohttp_request_seal(&f->device, &f->gateway.keys[0].config, AES, &f->random,
                                    PP_STR("a message"), &wr));
    assert_false(pp_is_ok(receive_request(f, f->body, wr.len, 0)));

    forget(f);
    start_request(f, AES);
    send_end(f, PP_STR("final"));
    memcpy(f->plain, f->body, f->body_len);
    assert_code(pp_ohttp_request_open(&f->server, &f->gateway, f->plain, f->body_len, &opened),
                PP_E_AUTH);
    assert_ok(receive_request(f, f->body, f->body_len, 0));
    wr = pp_wr_over(f->body, sizeof f->body);
    assert_ok(pp_ohttp_response_seal(&f->server, &f->random, PP_STR("a response"), &wr));
    assert_false(pp_is_ok(receive_response(f, f->body, wr.len, 0)));
}

static void a_response_of_another_exchange_is_refused(void **state)
{
    struct fixture *f = *state;

    three_chunks(f);
    assert_ok(receive_request(f, f->body, f->body_len, 0));
    start_response(f);
    send_end(f, PP_STR("answer"));
    size_t len = f->body_len;
    pp_ohttp_sender_done(&f->sender);
    pp_ohttp_done(&f->device);
    f->body_len = len;
    assert_ok(pp_ohttp_sender_start_request(&f->sender, &f->device, &f->gateway.keys[0].config, AES,
                                            &f->random, f->send_mem, sizeof f->send_mem));
    assert_code(receive_response(f, f->body, len, 0), PP_E_AUTH);
}

/* --- use ---------------------------------------------------------------------------------------
 */

static void a_stream_is_used_in_order(void **state)
{
    struct fixture *f = *state;
    size_t used;

    assert_code(pp_ohttp_sender_feed(&f->sender, "a", 1, &used), PP_E_STATE);
    assert_code(pp_ohttp_sender_end(&f->sender), PP_E_STATE);
    assert_code(pp_ohttp_receiver_end(&f->receiver), PP_E_STATE);
    assert_code(pp_ohttp_sender_start_response(&f->sender, &f->server, &f->random, f->send_mem,
                                               sizeof f->send_mem),
                PP_E_STATE); /* no request was opened */
    assert_code(pp_ohttp_receiver_start_response(&f->receiver, &f->device, f->receive_mem,
                                                 sizeof f->receive_mem),
                PP_E_STATE);
    start_request(f, AES);
    assert_ok(pp_ohttp_sender_feed(&f->sender, "a", 1, &used));
    assert_ok(pp_ohttp_sender_cut(&f->sender));
    assert_ok(pp_ohttp_sender_feed(&f->sender, "b", 1, &used));
    assert_int_equal(used, 0); /* the chunk waits to be taken */
    assert_code(pp_ohttp_sender_cut(&f->sender), PP_E_STATE);
    assert_code(pp_ohttp_sender_end(&f->sender), PP_E_STATE);
    drain(f, 1000);
    send_end(f, PP_STR("b"));
    assert_code(pp_ohttp_sender_end(&f->sender), PP_E_STATE);
    assert_code(pp_ohttp_sender_feed(&f->sender, "a", 1, &used), PP_E_STATE);
    assert_ok(receive_request(f, f->body, f->body_len, 0));
    assert_plain(f, PP_STR("ab"));
    assert_code(pp_ohttp_receiver_feed(&f->receiver, "a", 1, &used), PP_E_STATE);
    assert_code(pp_ohttp_receiver_end(&f->receiver), PP_E_STATE);
    pp_ohttp_sender_done(&f->sender);
    assert_code(pp_ohttp_sender_start_request(&f->sender, &f->device, &f->gateway.keys[0].config,
                                              AES, &f->random, f->send_mem, sizeof f->send_mem),
                PP_E_STATE); /* an exchange has one request */
}

static void without_random_bytes_no_stream_starts(void **state)
{
    struct fixture *f = *state;
    struct pp_span nothing = PP_STR("");
    struct pp_random none = pp_random_script(&nothing);

    assert_code(pp_ohttp_sender_start_request(&f->sender, &f->device, &f->gateway.keys[0].config,
                                              AES, &none, f->send_mem, sizeof f->send_mem),
                PP_E_RANDOM);
    three_chunks(f);
    assert_ok(receive_request(f, f->body, f->body_len, 0));
    pp_ohttp_sender_done(&f->sender);
    assert_code(pp_ohttp_sender_start_response(&f->sender, &f->server, &none, f->send_mem,
                                               sizeof f->send_mem),
                PP_E_RANDOM);
}

static void plaintext_is_wiped_when_it_was_taken_and_when_a_stream_is_done(void **state)
{
    struct fixture *f = *state;
    static const uint8_t ZEROS[32];
    size_t used;

    three_chunks(f);
    assert_ok(receive_request(f, f->body, f->body_len, 0));
    assert_memory_equal(f->receive_mem, ZEROS, 3);
    forget(f);
    start_request(f, AES);
    assert_ok(pp_ohttp_sender_feed(&f->sender, "secret text", 11, &used));
    pp_ohttp_sender_done(&f->sender);
    assert_memory_equal(f->send_mem, ZEROS, 11);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest TESTS[] = {
    WITH_FIXTURE(any_split_of_a_request_and_of_a_response_gives_the_same),
    WITH_FIXTURE(a_chunk_ends_where_the_application_says_and_an_empty_cut_is_none),
    WITH_FIXTURE(a_message_of_one_empty_final_chunk_is_a_message),
    WITH_FIXTURE(two_responses_to_one_request_share_no_byte_of_key_stream),
    WITH_FIXTURE(the_largest_chunk_passes_and_one_byte_more_is_refused),
    WITH_FIXTURE(a_receiver_has_room_for_a_whole_chunk),
    WITH_FIXTURE(a_length_is_refused_before_a_byte_of_its_chunk_came),
    WITH_FIXTURE(a_length_in_more_bytes_than_it_needs_is_fine),
    WITH_FIXTURE(a_whole_body_is_opened_in_place_whatever_its_chunks),
    WITH_FIXTURE(a_message_above_the_bound_of_its_cipher_is_neither_sent_nor_read),
    WITH_FIXTURE(a_message_cut_anywhere_is_never_whole),
    WITH_FIXTURE(every_bit_of_a_chunked_request_and_response_matters),
    WITH_FIXTURE(chunks_that_were_swapped_dropped_or_repeated_are_refused),
    WITH_FIXTURE(a_chunk_is_final_only_if_it_was_sealed_as_the_final_one),
    WITH_FIXTURE(after_one_failure_nothing_more_comes_out),
    WITH_FIXTURE(the_key_and_the_pair_are_looked_up_as_with_whole_messages),
    WITH_FIXTURE(a_key_that_goes_while_a_head_comes_in_is_unknown),
    WITH_FIXTURE(a_whole_message_is_no_chunked_one_and_the_other_way_round),
    WITH_FIXTURE(a_response_of_another_exchange_is_refused),
    WITH_FIXTURE(a_stream_is_used_in_order),
    WITH_FIXTURE(without_random_bytes_no_stream_starts),
    WITH_FIXTURE(plaintext_is_wiped_when_it_was_taken_and_when_a_stream_is_done),
};

PP_TEST_MAIN(TESTS)
