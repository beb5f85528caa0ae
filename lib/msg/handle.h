/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handle.h: the session handle (pp-wire 3): where #2 must go, sealed under a key of the gateway
 * fleet.
 *
 *     base64url( 01 || key_id || nonce(12) || AES-256-GCM(key, nonce, aad = first 2 bytes,
 *                family || address(16) || port(2) || sid(16) || expiry(8)) )
 *
 * 73 bytes, 98 characters.
 *
 * A gateway writes it after #1 and any gateway of the fleet reads it in #2; the device carries it
 * and cannot look inside. Nonces are random, so a key serves at most 2^32 handles and is then
 * replaced.
 */
#ifndef PP_HANDLE_H
#define PP_HANDLE_H

#include "aead.h"
#include "env.h"
#include "result.h"
#include "span.h"

enum {
    PP_HANDLE_BYTES = 73,
    PP_HANDLE_TEXT_BYTES = 98,
    PP_HANDLE_KEY_BYTES = 32,
    PP_HANDLE_KEY_MAX = 2, /* current and previous */
    PP_HANDLE_ADDRESS_BYTES = 16,
    PP_SID_BYTES = 16,
};

enum pp_family { PP_FAMILY_UNIX = 1, PP_FAMILY_IP4 = 4, PP_FAMILY_IP6 = 6, PP_FAMILY_VSOCK = 40 };

/*
 * Where a confidential VM listens. unix: first 16 bytes of SHA-256 of the path, which a gateway
 * looks up in its own list; IPv4: 4 bytes, zero-filled; vsock: u32 CID || u32 port, zero-filled.
 * The port is 0 for unix and vsock.
 */
struct pp_handle_address {
    enum pp_family family;
    uint8_t bytes[PP_HANDLE_ADDRESS_BYTES];
    uint16_t port;
};

struct pp_handle {
    struct pp_handle_address address;
    uint8_t sid[PP_SID_BYTES];
    uint64_t expiry_posix_s;
};

/* The fleet's keys: keys[0] seals, every one opens. Ids are distinct. Borrowed. */
struct pp_handle_keys {
    struct {
        uint8_t id;
        struct pp_aead *aead; /* AES-256-GCM; used by one thread at a time */
    } keys[PP_HANDLE_KEY_MAX];
    size_t count;
};

/* Address of a unix socket's path. */
void pp_handle_address_unix(struct pp_handle_address *a, struct pp_span path);

PP_MUST pp_res pp_handle_seal(const struct pp_handle_keys *keys, const struct pp_random *random,
                              const struct pp_handle *h, char ret_text[PP_HANDLE_TEXT_BYTES]);

/* AUTH for everything that is wrong with `text`; SESSION_GONE for a genuine one past its expiry. On
 * the wire both are one status. */
PP_MUST pp_res pp_handle_open(const struct pp_handle_keys *keys, struct pp_span text,
                              uint64_t now_posix_s, struct pp_handle *ret);

#endif
