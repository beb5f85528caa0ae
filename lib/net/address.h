/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address.h: where to listen and where to connect: "127.0.0.1:8080", "[::1]:8080",
 * "unix:run/socket".
 *
 * Numbers only: names are resolved by whoever has the right to, before a sandbox is entered. The
 * family numbers are those of the session handle (pp-wire 3).
 */
#ifndef PP_ADDRESS_H
#define PP_ADDRESS_H

#include "result.h"
#include "span.h"

enum {
    PP_ADDRESS_PATH_MAX = 107, /* bytes of a unix socket's path; the kernel's limit */
    PP_ADDRESS_TEXT_MAX = 120, /* the longest text and its NUL */
};

enum pp_address_family {
    PP_ADDRESS_UNIX = 1,
    PP_ADDRESS_IP4 = 4,
    PP_ADDRESS_IP6 = 6,
};

struct pp_address {
    uint32_t family;                    /* enum pp_address_family; 0 in the zero state */
    uint16_t port;                      /* 0 for unix, and for "any free port" when listening */
    uint8_t ip[16];                     /* left-aligned, zero-filled; zero for unix */
    char path[PP_ADDRESS_PATH_MAX + 1]; /* of a unix socket; relative ones start at the home */
};

/*
 * Reads one of the three forms, ports in decimal without leading zeros, IPv6 without zone. FORMAT,
 * RANGE (port, path length).
 */
PP_MUST pp_res pp_address_parse(struct pp_span text, struct pp_address *ret);

/* The one text of `a`, NUL-terminated; parsing it gives `a` again. */
void pp_address_write(const struct pp_address *a, char ret[PP_ADDRESS_TEXT_MAX]);

/* 1 for an address that only this machine reaches: a unix socket, 127.0.0.0/8, ::1. */
int pp_address_is_local(const struct pp_address *a);

/*
 * A non-blocking socket whose connection to `to` is under way: what is written leaves when it
 * stands. NETWORK (detail = errno), SYSTEM.
 */
PP_MUST pp_res pp_address_connect(const struct pp_address *to, int *ret_fd);

/* A bound, listening socket. The zero state is "none". */
struct pp_listener {
    uint32_t is_open;
    int fd;
    struct pp_address address; /* as bound: with the port that was chosen */
};

/*
 * Opens, binds and listens: the part that may need rights. A unix path that nobody answers on any
 * more is replaced. PORT_TAKEN (somebody listens there), SYSTEM (errno), FORMAT.
 */
PP_MUST pp_res pp_listener_open(const struct pp_address *at, struct pp_listener *ret);

/* Closes, and removes a unix path. Safe on the zero state and twice. */
void pp_listener_done(struct pp_listener *l);

#endif
