/* SPDX-License-Identifier: Apache-2.0 */
/* net.h: the whole of lib/net: one narrow interface over libevent, http_parser and nghttp2. */
#ifndef PP_NET_H
#define PP_NET_H

#include "address.h"
#include "http_client.h"
#include "http_server.h"
#include "loop.h"
#include "pool.h"
#include "stream.h"

#endif
