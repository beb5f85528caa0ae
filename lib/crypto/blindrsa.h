/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blindrsa.h: blind RSA signatures, RSABSSA with SHA-384 and PSS (RFC 9474).
 *
 * A client blinds a message, a signer signs what it cannot read, and the client unblinds a plain
 * RSASSA-PSS signature that anybody verifies with the public key alone.
 *
 * `message` is the RFC's input_msg: the message itself in the Deterministic variants, and 32 random
 * bytes in front of it in the Randomized ones. `salt_len` is 48 in the PSS variants and 0 in the
 * PSSZERO ones. The public exponent is 65537.
 *
 * The arithmetic is OpenSSL's. Signing uses its constant-time exponentiation, and its own blinding
 * on top. On the client's side the blind is inverted behind a random mask, and products are
 * Montgomery products; but OpenSSL's numbers drop leading zeros, so a client's time may tell that a
 * number began with a zero byte, as one in 256 does. The next number is another one.
 */
#ifndef PP_BLINDRSA_H
#define PP_BLINDRSA_H

#include "env.h"
#include "result.h"
#include "secret.h"
#include "span.h"

enum {
    PP_BLINDRSA_BITS_MIN = 2048,
    PP_BLINDRSA_BITS_MAX = 4096,
    PP_BLINDRSA_BYTES_MAX = PP_BLINDRSA_BITS_MAX / 8,
    PP_BLINDRSA_SALT_BYTES = 48,
    PP_BLINDRSA_SPKI_BYTES = 342, /* of 2048 bits */
    PP_BLINDRSA_DER_BYTES_MAX = 4096,
};

/* A key of either half, imported once. The caller owns it; any thread may use it. */
struct pp_blindrsa_key;

/* --- keys ------------------------------------------------------------------------------------ */

/* A new private key of 2048 bits, from OpenSSL's own random source. CRYPTO. */
PP_MUST pp_res pp_blindrsa_generate(struct pp_blindrsa_key **ret);

/*
 * A private key from PKCS#8 DER with the algorithm rsaEncryption. KEY: malformed, another
 * algorithm or exponent, a modulus that is not 2048 to 4096 bits in whole bytes, or halves that do
 * not match.
 */
PP_MUST pp_res pp_blindrsa_import_der(struct pp_span der_secret, struct pp_blindrsa_key **ret);

/* What _import_der takes; the caller releases it. STATE for a public key. */
PP_MUST pp_res pp_blindrsa_export_der(const struct pp_blindrsa_key *k, struct pp_secret *ret);

/* From big-endian numbers; an empty `d_secret` makes a public key. KEY as above. */
PP_MUST pp_res pp_blindrsa_import_numbers(struct pp_span n, struct pp_span d_secret,
                                          struct pp_blindrsa_key **ret);

/*
 * The token key of RFC 9578 6.5: a SubjectPublicKeyInfo with id-RSASSA-PSS and the parameters
 * SHA-384, MGF1 with SHA-384, salt 48, of a 2048-bit modulus. There is one encoding, and the
 * reader takes no other. KEY; UNSUPPORTED for a key of another size.
 */
PP_MUST pp_res pp_blindrsa_import_spki(struct pp_span spki, struct pp_blindrsa_key **ret);
PP_MUST pp_res pp_blindrsa_spki(const struct pp_blindrsa_key *k,
                                uint8_t ret[PP_BLINDRSA_SPKI_BYTES]);

size_t pp_blindrsa_bytes(const struct pp_blindrsa_key *k); /* of the modulus and all below: 256.. */
void pp_blindrsa_free(struct pp_blindrsa_key *k);          /* wipes; NULL is fine */

/* --- the protocol (RFC 9474 4.2 to 4.5) ------------------------------------------------------ */

/*
 * Blind: takes `salt_len` bytes from `random`, then candidates of pp_blindrsa_bytes until one is
 * below the modulus (the blind), and once more (a mask that no result depends on). Gives the
 * blind's inverse, which stays with the client, and the blinded message. RANDOM, RANGE (salt), KEY
 * (a number that shares a factor with the modulus: whoever finds one has broken the key), CRYPTO.
 */
PP_MUST pp_res pp_blindrsa_blind(const struct pp_blindrsa_key *k, struct pp_span message,
                                 size_t salt_len, const struct pp_random *random,
                                 uint8_t *ret_inverse_secret, uint8_t *ret_blinded);

/*
 * BlindSign. The result is checked with the public exponent before it leaves: a fault in the
 * arithmetic would otherwise give the key away. KEY (another length, or not below the modulus),
 * STATE (a public key), CRYPTO (the fault).
 */
PP_MUST pp_res pp_blindrsa_sign(const struct pp_blindrsa_key *k, struct pp_span blinded,
                                uint8_t *ret);

/*
 * Finalize: unblinds and verifies. SIGNATURE when what comes out does not verify, KEY when the
 * answer is of another length or not below the modulus.
 */
PP_MUST pp_res pp_blindrsa_finalize(const struct pp_blindrsa_key *k, struct pp_span message,
                                    size_t salt_len, struct pp_span inverse_secret,
                                    struct pp_span blind_signature, uint8_t *ret_signature);

/* Verify: RSASSA-PSS of the message. SIGNATURE. */
PP_MUST pp_res pp_blindrsa_verify(const struct pp_blindrsa_key *k, struct pp_span message,
                                  size_t salt_len, struct pp_span signature);

/* KEY unless `number` has the modulus' length and is below it. */
PP_MUST pp_res pp_blindrsa_check(const struct pp_blindrsa_key *k, struct pp_span number);

/* number^-1 modulo n: published vectors give the inverse, and _blind draws the blind. KEY. */
PP_MUST pp_res pp_blindrsa_invert(const struct pp_blindrsa_key *k, struct pp_span number,
                                  uint8_t *ret);

#endif
