/* SPDX-License-Identifier: Apache-2.0 */
/* config.h: what pp-gatewayd's configuration says, and which of it cannot be. */
#ifndef GW_CONFIG_H
#define GW_CONFIG_H

#include "cvm.h"
#include "daemon.h"
#include "handle_keys.h"
#include "resolve.h"

enum { GW_PATH_BYTES_MAX = 256 };

struct gw_config {
    struct pp_daemon_config common;
    struct pp_span authority, issuer, ohttp_keys, token_keys, spent, metrics, choices, cvm_name;
    struct pp_span tls_chain, tls_key;
    struct pp_kv_list cvms, handle_keys;
    uint64_t grid_ms, replay_seconds, replay_slots, connections, resolve_seconds;
};

extern struct gw_config gw_config;
extern const struct pp_kv_key GW_CONFIG_KEYS[];
extern const size_t GW_CONFIG_KEY_COUNT;

/* What is made of the values when they are checked; paths are C strings. */
struct gw_places {
    struct pp_address cvms[GW_CVMS_MAX];
    struct gw_name cvm_name; /* port 0: none */
    char ohttp_keys[GW_PATH_BYTES_MAX], token_keys[GW_PATH_BYTES_MAX];
    char tls_chain[GW_PATH_BYTES_MAX], tls_key[GW_PATH_BYTES_MAX]; /* empty: in clear */
    char tls_folders[2][GW_PATH_BYTES_MAX];
    char handle_keys[PP_HANDLE_KEY_MAX][GW_PATH_BYTES_MAX];
    char handle_folders[PP_HANDLE_KEY_MAX][GW_PATH_BYTES_MAX];
};

/* CONFIG with the words in `problem`. */
PP_MUST pp_res gw_config_check(const struct pp_daemon *d, struct gw_places *ret,
                               struct pp_problem *problem);

/* 1 for "postgresql:FILE". */
int gw_is_database(struct pp_span spent);

/* The folder of the file that such a value names, "." where it names none. */
void gw_folder_of(struct pp_span value, char ret[GW_PATH_BYTES_MAX]);

#endif
