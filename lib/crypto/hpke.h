/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hpke.h: Hybrid Public Key Encryption (RFC 9180), all four modes.
 *
 * What depends on (suite, mode, psk_id, info) alone is computed once (pp_hpke_info) and shared by
 * many contexts.
 * A context seals or opens messages in sequence; it must not be copied: a copy repeats nonces.
 */
#ifndef PP_HPKE_H
#define PP_HPKE_H

#include "aead.h"
#include "env.h"
#include "hash.h"
#include "kem.h"
#include "result.h"
#include "secret.h"
#include "span.h"

enum pp_hpke_kdf {
    PP_HKDF_SHA256 = 0x0001,
    PP_HKDF_SHA384 = 0x0002,
    PP_HKDF_SHA512 = 0x0003,
    PP_HPKE_SHAKE128 = 0x0010, /* one-stage KDFs (draft-ietf-hpke-hpke); not for OHTTP */
    PP_HPKE_SHAKE256 = 0x0011,
    PP_HPKE_TURBOSHAKE128 = 0x0012,
    PP_HPKE_TURBOSHAKE256 = 0x0013,
};
enum pp_hpke_mode { PP_HPKE_BASE = 0, PP_HPKE_PSK = 1, PP_HPKE_AUTH = 2, PP_HPKE_AUTH_PSK = 3 };
enum {
    PP_HPKE_EXPORT_ONLY = 0xFFFF,
    PP_HPKE_INPUT_BYTES_MAX = 65535, /* info, psk, psk_id, exporter_context; RFC 9180 allows more */
    PP_HPKE_ONE_STAGE_INPUT_BYTES_MAX = 256, /* info and psk_id with a one-stage KDF */
    PP_HPKE_PSK_BYTES_MIN = 32,              /* RFC 9180 5.1.2 MUST: at least 32 bytes of entropy */
};

struct pp_hpke_suite {
    uint16_t kem, kdf, aead; /* IANA ids */
};

/* OK, or UNSUPPORTED with the id that this build does not offer. */
PP_MUST pp_res pp_hpke_suite_check(struct pp_hpke_suite suite);

/* Whether a KDF extracts and expands, as protocols on top of HPKE may need; and its hash, then. */
int pp_hpke_kdf_is_hkdf(uint16_t kdf);
enum pp_hash_id pp_hpke_hash(uint16_t kdf);

/* The key-schedule context of (mode, suite, psk_id, info). A plain value without secrets. */
struct pp_hpke_info {
    struct pp_hpke_suite suite;
    enum pp_hpke_mode mode;
    uint8_t context[1 + 2 * (2 + PP_HPKE_ONE_STAGE_INPUT_BYTES_MAX)]; /* or two hashes */
    size_t context_len;
};

/* For mode base. UNSUPPORTED, RANGE (the input's length). */
PP_MUST pp_res pp_hpke_info_init(struct pp_hpke_info *i, struct pp_hpke_suite suite,
                                 struct pp_span info);

/*
 * For any mode. `psk_id` names the shared key in the two modes that have one and is empty in the
 * others: RANGE. UNSUPPORTED also for a mode that the KEM does not have.
 */
PP_MUST pp_res pp_hpke_info_init_mode(struct pp_hpke_info *i, struct pp_hpke_suite suite,
                                      enum pp_hpke_mode mode, struct pp_span psk_id,
                                      struct pp_span info);

/* One direction of one exchange. Keys live in locked memory; _done is safe on the zero state. */
struct pp_hpke {
    struct pp_hpke_suite suite;
    struct pp_secret key_secret;      /* Nk bytes; none for export-only */
    struct pp_secret exporter_secret; /* Nh bytes */
    uint8_t base_nonce[PP_AEAD_NONCE_BYTES];
    uint64_t seq;
    int role; /* 1 sender, 2 receiver, 0 finished */
};

/* Sender: writes the KEM's enc_len bytes to `ret_enc`. KEY for an unusable public key. */
PP_MUST pp_res pp_hpke_sender(struct pp_hpke *c, const struct pp_hpke_info *info, struct pp_span pk,
                              const struct pp_random *random, uint8_t *ret_enc);

/* Receiver. AUTH for every bad `enc`. */
PP_MUST pp_res pp_hpke_receiver(struct pp_hpke *c, const struct pp_hpke_info *info,
                                const struct pp_kem_key *key, struct pp_span enc);

/*
 * The same for any mode. `psk_secret` is the key that psk_id names (32 bytes or more) in modes psk
 * and auth_psk, else empty: RANGE. `sender` is the sender's own key, `sender_pk` the public key
 * that the receiver expects, in modes auth and auth_psk, else NULL and empty: STATE. A message of
 * another sender, or under another key, fails to open: AUTH from pp_hpke_open.
 */
PP_MUST pp_res pp_hpke_sender_mode(struct pp_hpke *c, const struct pp_hpke_info *info,
                                   struct pp_span psk_secret, const struct pp_kem_key *sender,
                                   struct pp_span pk, const struct pp_random *random,
                                   uint8_t *ret_enc);
PP_MUST pp_res pp_hpke_receiver_mode(struct pp_hpke *c, const struct pp_hpke_info *info,
                                     struct pp_span psk_secret, struct pp_span sender_pk,
                                     const struct pp_kem_key *key, struct pp_span enc);

void pp_hpke_done(struct pp_hpke *c);

/* Seals with the next nonce. STATE in a receiver context; RANGE after 2^64 - 1 messages. */
PP_MUST pp_res pp_hpke_seal(struct pp_hpke *c, struct pp_span aad, struct pp_span pt, uint8_t *out);

/* Opens with the next nonce, which advances only on success. AUTH; STATE in a sender context. */
PP_MUST pp_res pp_hpke_open(struct pp_hpke *c, struct pp_span aad, struct pp_span ct, uint8_t *out);

/* RFC 9180 5.3: out_len at most 255 * Nh, and 65,535 with a one-stage KDF. RANGE. */
PP_MUST pp_res pp_hpke_export(const struct pp_hpke *c, struct pp_span exporter_context,
                              uint8_t *ret, size_t out_len);

#endif
