/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ohttp.h: Oblivious HTTP key configurations and message encapsulation (RFC 9458), whole messages.
 * Chunked ones are chunked.h.
 *
 * Device:   pp_keylist_parse, _select -> pp_ohttp_request_seal -> pp_ohttp_response_open
 * Gateway:  pp_ohttp_gateway_add -> pp_ohttp_request_open -> pp_ohttp_response_seal
 *
 * One struct pp_ohttp is one exchange: filled by the request, needed for the response, then
 * finished. Bytes in, bytes out: what a message says, how it is padded and who may send it is
 * decided elsewhere.
 */
#ifndef PP_OHTTP_H
#define PP_OHTTP_H

#include "hpke.h"
#include "rd.h"
#include "result.h"
#include "span.h"
#include "wr.h"

#define PP_OHTTP_REQUEST_TYPE  "message/ohttp-req" /* media types (RFC 9458, section 9) */
#define PP_OHTTP_RESPONSE_TYPE "message/ohttp-res"
#define PP_OHTTP_KEYS_TYPE     "application/ohttp-keys"

enum {
    PP_KEYCONF_SUITES_MAX = 8,        /* our limit; the RFC allows 16383 */
    PP_KEYLIST_KEYS_MAX = 8,          /* entries of KEMs that we offer; others are skipped */
    PP_KEYLIST_BYTES_MAX = 1 << 16,   /* a whole list */
    PP_OHTTP_GATEWAY_KEYS_MAX = 8,    /* current and next epoch, two KEMs, with room */
    PP_OHTTP_HEADER_BYTES = 7,        /* key id, KEM id, KDF id, AEAD id */
    PP_OHTTP_REQUEST_BYTES_MIN = 55,  /* header, the shortest encapsulated key (X25519), tag */
    PP_OHTTP_RESPONSE_NONCE_MAX = 32, /* max(Nn, Nk) of the AEADs */
    PP_OHTTP_FORMS = 2,               /* of enum pp_ohttp_form */
};

/* Whole messages (RFC 9458) and chunked ones differ in their labels and in their framing. */
enum pp_ohttp_form { PP_OHTTP_WHOLE = 0, PP_OHTTP_CHUNKED = 1 };

/* --- key configurations (RFC 9458, section 3) --------------------------------------------------
 */

struct pp_ohttp_suite {
    uint16_t kdf, aead; /* IANA HPKE ids */
};

struct pp_keyconf {
    uint8_t id;   /* chosen by the gateway, echoed by clients */
    uint16_t kem; /* IANA HPKE KEM id, one that this build offers */
    size_t public_key_len;
    uint8_t public_key[PP_KEM_PK_BYTES_MAX];
    struct pp_ohttp_suite suites[PP_KEYCONF_SUITES_MAX]; /* in the gateway's order */
    size_t suite_count;                                  /* 1..PP_KEYCONF_SUITES_MAX */
};

/*
 * Reads one key configuration and leaves `rd` on the byte after it. `*ret` borrows nothing. Fails
 * with TRUNCATED (detail = offset), UNSUPPORTED (KEM id) or RANGE (length of the algorithm list).
 */
PP_MUST pp_res pp_keyconf_parse(struct pp_rd *rd, struct pp_keyconf *ret);

/* Appends the configuration. RANGE (no suite, or a key length that is not the KEM's), NO_SPACE. */
PP_MUST pp_res pp_keyconf_write(const struct pp_keyconf *kc, struct pp_wr *wr);

/* The first (KDF, AEAD) pair in the gateway's order that this build offers. UNSUPPORTED. */
PP_MUST pp_res pp_keyconf_select(const struct pp_keyconf *kc, struct pp_ohttp_suite *ret);

/* About 10 KiB. */
struct pp_keylist {
    struct pp_keyconf keys[PP_KEYLIST_KEYS_MAX]; /* in the gateway's order */
    size_t count;
};

/*
 * Reads an application/ohttp-keys list: all of it or nothing, because a client that made do with a
 * part would stand apart from others (RFC 9458, 3.2). An entry of a KEM that this build does not
 * offer is skipped by its length. Fails as pp_keyconf_parse does, and with TRAILING, DUPLICATE (a
 * key id twice) or LIMIT.
 */
PP_MUST pp_res pp_keylist_parse(struct pp_span list, struct pp_keylist *ret);

PP_MUST pp_res pp_keylist_write(const struct pp_keylist *list, struct pp_wr *wr);

/*
 * The first entry in the gateway's order that this build can use, and its first usable pair. `kem`
 * is the KEM that the trust file names, or 0 for any. `*ret_key` borrows from `list`. UNSUPPORTED.
 */
PP_MUST pp_res pp_keylist_select(const struct pp_keylist *list, uint16_t kem,
                                 const struct pp_keyconf **ret_key, struct pp_ohttp_suite *ret);

/* --- one exchange, of either side (section 4) --------------------------------------------------
 */

struct pp_ohttp {
    struct pp_hpke hpke;
    size_t enc_len;
    uint8_t salt[PP_KEM_ENC_BYTES_MAX + PP_OHTTP_RESPONSE_NONCE_MAX]; /* enc, then room */
};

/* Wipes; safe on the zero state and twice. */
void pp_ohttp_done(struct pp_ohttp *x);

/* What encapsulation adds: header, encapsulated key and tag; response nonce and tag. */
size_t pp_ohttp_request_overhead(uint16_t kem);             /* 55 bytes with X25519; 0: no KEM */
size_t pp_ohttp_response_overhead(struct pp_ohttp_suite s); /* 32 bytes with AES-128-GCM */

/* --- device ------------------------------------------------------------------------------------
 */

/*
 * Appends the encapsulated request to `wr`; `x` must be in the zero state. The first thing drawn
 * from `random` is the ephemeral private key. KEY (the public key is unusable), UNSUPPORTED
 * (suite), RANDOM, NO_SPACE; after a failure `x` is in the zero state.
 */
PP_MUST pp_res pp_ohttp_request_seal(struct pp_ohttp *x, const struct pp_keyconf *kc,
                                     struct pp_ohttp_suite suite, const struct pp_random *random,
                                     struct pp_span request, struct pp_wr *wr);

/*
 * Opens an encapsulated response in place: `*ret_response` is the part of `body` that holds the
 * message. AUTH for every failure, a short body included; `body` is then of no use.
 */
PP_MUST pp_res pp_ohttp_response_open(struct pp_ohttp *x, uint8_t *body, size_t len,
                                      struct pp_span *ret_response);

/* --- gateway -----------------------------------------------------------------------------------
 */

/* One private key and what is the same for all its requests. */
struct pp_ohttp_gateway_key {
    struct pp_keyconf config;
    struct pp_kem_key *key;                                           /* owned */
    struct pp_hpke_info infos[PP_OHTTP_FORMS][PP_KEYCONF_SUITES_MAX]; /* per suite of `config` */
};

/* The keys of one gateway; zero state is empty. About 30 KiB. One thread at a time. */
struct pp_ohttp_gateway {
    struct pp_ohttp_gateway_key keys[PP_OHTTP_GATEWAY_KEYS_MAX];
    size_t key_count;
};

/*
 * Adds a key under an id; the gateway owns `key` from then on. EXISTS (id in use), LIMIT, RANGE
 * (number of suites), UNSUPPORTED; on failure the caller still owns `key`.
 */
PP_MUST pp_res pp_ohttp_gateway_add(struct pp_ohttp_gateway *gw, uint8_t id, struct pp_kem_key *key,
                                    const struct pp_ohttp_suite *suites, size_t suite_count);

/* Wipes and forgets the key of that id. NOT_FOUND. */
PP_MUST pp_res pp_ohttp_gateway_remove(struct pp_ohttp_gateway *gw, uint8_t id);

void pp_ohttp_gateway_done(struct pp_ohttp_gateway *gw);

/* Appends the application/ohttp-keys list of all keys, in the order in which they were added. */
PP_MUST pp_res pp_ohttp_gateway_keys(const struct pp_ohttp_gateway *gw, struct pp_wr *wr);

/* Why a request was not opened: the `detail` of AUTH. For counters; peers see one answer for all.
 */
enum pp_ohttp_refusal {
    PP_OHTTP_KEY_UNKNOWN = 1,   /* no key of that id and KEM */
    PP_OHTTP_SUITE_UNKNOWN = 2, /* a (KDF, AEAD) pair that the key does not offer */
    PP_OHTTP_NOT_OPENED = 3,    /* bad encapsulated key, or the message is not authentic */
};

/*
 * Opens an encapsulated request in place: `*ret_request` is the part of `body` that holds the
 * message; `x` must be in the zero state. TRUNCATED (shorter than PP_OHTTP_REQUEST_BYTES_MIN: the
 * only failure that may show, for it depends on the length alone) or AUTH. Tries one key and never
 * more.
 */
PP_MUST pp_res pp_ohttp_request_open(struct pp_ohttp *x, const struct pp_ohttp_gateway *gw,
                                     uint8_t *body, size_t len, struct pp_span *ret_request);

/* Appends the encapsulated response; draws the response nonce from `random`. RANDOM, NO_SPACE. */
PP_MUST pp_res pp_ohttp_response_seal(struct pp_ohttp *x, const struct pp_random *random,
                                      struct pp_span response, struct pp_wr *wr);

/* The encapsulated key of the exchange, which tells requests apart. Borrows from `x`. */
static inline struct pp_span pp_ohttp_enc(const struct pp_ohttp *x)
{
    return pp_span(x->salt, x->enc_len);
}

#endif
