/* SPDX-License-Identifier: Apache-2.0 */
/*
 * requests.h: requests that must be taken and requests that must be refused, for parser and
 * server.
 */
#ifndef PP_TEST_REQUESTS_H
#define PP_TEST_REQUESTS_H

#include "span.h"

struct request_row {
    const char *what;
    struct pp_span bytes;
    unsigned status; /* 200: taken; the parser has no routes, so it refuses with 4xx and 5xx only */
    const char *body;
};

#define ROW(what, status, bytes, body)                                                             \
    {                                                                                              \
        what, PP_STR(bytes), status, body                                                          \
    }
#define H  "Host: a\r\n"
#define L5 "Content-Length: 5\r\n"
#define TE "Transfer-Encoding: chunked\r\n"

static const struct request_row REQUESTS[] = {
    /* Taken. The server of the test echoes bodies of /echo. */
    ROW("a body by length", 200, "POST /echo HTTP/1.1\r\n" H L5 "\r\nhello", "hello"),
    ROW("an empty body", 200, "POST /echo HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", ""),
    ROW("no body at all", 200, "POST /echo HTTP/1.1\r\n" H "\r\n", ""),
    ROW("field names in any case", 200,
        "POST /echo HTTP/1.1\r\nhOsT: a\r\ncontent-LENGTH: 2\r\n\r\nab", "ab"),
    ROW("white space around a value", 200,
        "POST /echo HTTP/1.1\r\nHost: \t a \t\r\nContent-Length:   2  \r\n\r\nab", "ab"),
    ROW("an empty value", 200, "POST /echo HTTP/1.1\r\n" H "X-Empty:\r\n" L5 "\r\nhello", "hello"),
    ROW("a query", 200, "POST /echo?a=%20b&c HTTP/1.1\r\n" H L5 "\r\nhello", "hello"),
    ROW("one chunk", 200, "POST /echo HTTP/1.1\r\n" H TE "\r\n5\r\nhello\r\n0\r\n\r\n", "hello"),
    ROW("many chunks", 200,
        "POST /echo HTTP/1.1\r\n" H TE "\r\n1\r\nh\r\n2\r\nel\r\nA\r\n0123456789\r\n0\r\n\r\n",
        "hel0123456789"),
    ROW("no chunk", 200, "POST /echo HTTP/1.1\r\n" H TE "\r\n0\r\n\r\n", ""),
    ROW("a coding in any case", 200,
        "POST /echo HTTP/1.1\r\n" H "transfer-encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "x"),
    ROW("an IPv6 host", 200, "POST /echo HTTP/1.1\r\nHost: [::1]:80\r\n" L5 "\r\nhello", "hello"),

    /* Where the body ends (RFC 9112 6). */
    ROW("two lengths", 400, "POST /echo HTTP/1.1\r\n" H L5 L5 "\r\nhello", NULL),
    ROW("two different lengths", 400,
        "POST /echo HTTP/1.1\r\n" H L5 "Content-Length: 6\r\n\r\nhello", NULL),
    ROW("a list of lengths", 400, "POST /echo HTTP/1.1\r\n" H "Content-Length: 5, 5\r\n\r\nhello",
        NULL),
    ROW("length and chunks", 400, "POST /echo HTTP/1.1\r\n" H L5 TE "\r\n0\r\n\r\n", NULL),
    ROW("chunks and length", 400, "POST /echo HTTP/1.1\r\n" H TE L5 "\r\n0\r\n\r\n", NULL),
    ROW("a length with a plus", 400, "POST /echo HTTP/1.1\r\n" H "Content-Length: +5\r\n\r\nhello",
        NULL),
    ROW("a negative length", 400, "POST /echo HTTP/1.1\r\n" H "Content-Length: -5\r\n\r\nhello",
        NULL),
    ROW("a length with a leading zero", 400,
        "POST /echo HTTP/1.1\r\n" H "Content-Length: 05\r\n\r\nhello", NULL),
    ROW("a hexadecimal length", 400, "POST /echo HTTP/1.1\r\n" H "Content-Length: 0x5\r\n\r\nhello",
        NULL),
    ROW("an empty length", 400, "POST /echo HTTP/1.1\r\n" H "Content-Length:\r\n\r\nhello", NULL),
    ROW("a length with a space inside", 400,
        "POST /echo HTTP/1.1\r\n" H "Content-Length: 1 0\r\n\r\nhellohello", NULL),
    ROW("a length past 64 bits", 400,
        "POST /echo HTTP/1.1\r\n" H "Content-Length: 18446744073709551621\r\n\r\nhello", NULL),
    ROW("two codings", 400, "POST /echo HTTP/1.1\r\n" H TE TE "\r\n0\r\n\r\n", NULL),
    ROW("an unknown coding", 400,
        "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n", NULL),
    ROW("a coding before chunked", 400,
        "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", NULL),
    ROW("an obscured coding", 400,
        "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", NULL),
    ROW("identity", 400, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n", NULL),

    /* Chunks (RFC 9112 7.1). */
    ROW("a chunk size without digits", 400,
        "POST /echo HTTP/1.1\r\n" H TE "\r\n\r\nhello\r\n0\r\n\r\n", NULL),
    ROW("a chunk size that is no number", 400, "POST /echo HTTP/1.1\r\n" H TE "\r\ng\r\n", NULL),
    ROW("a chunk size with a prefix", 400,
        "POST /echo HTTP/1.1\r\n" H TE "\r\n0x5\r\nhello\r\n0\r\n\r\n", NULL),
    ROW("a chunk size with a sign", 400,
        "POST /echo HTTP/1.1\r\n" H TE "\r\n+5\r\nhello\r\n0\r\n\r\n", NULL),
    ROW("a chunk size with a leading zero", 400,
        "POST /echo HTTP/1.1\r\n" H TE "\r\n05\r\nhello\r\n0\r\n\r\n", NULL),
    ROW("a long chunk size", 400, "POST /echo HTTP/1.1\r\n" H TE "\r\n1000000\r\n", NULL),
    ROW("a chunk size past 64 bits", 400,
        "POST /echo HTTP/1.1\r\n" H TE "\r\n10000000000000005\r\n", NULL),
    ROW("a chunk extension", 400, "POST /echo HTTP/1.1\r\n" H TE "\r\n5;a=b\r\nhello\r\n0\r\n\r\n",
        NULL),
    ROW("a space behind a chunk size", 400,
        "POST /echo HTTP/1.1\r\n" H TE "\r\n5 \r\nhello\r\n0\r\n\r\n", NULL),
    ROW("a bare LF behind a chunk size", 400,
        "POST /echo HTTP/1.1\r\n" H TE "\r\n5\nhello\r\n0\r\n\r\n", NULL),
    ROW("a bare LF behind a chunk", 400, "POST /echo HTTP/1.1\r\n" H TE "\r\n5\r\nhello\n0\r\n\r\n",
        NULL),
    ROW("a chunk longer than its size", 400,
        "POST /echo HTTP/1.1\r\n" H TE "\r\n5\r\nhello!\r\n0\r\n\r\n", NULL),
    ROW("several zeros as the last chunk", 400, "POST /echo HTTP/1.1\r\n" H TE "\r\n00\r\n\r\n",
        NULL),
    ROW("a trailer", 400, "POST /echo HTTP/1.1\r\n" H TE "\r\n0\r\nX: y\r\n\r\n", NULL),
    ROW("a bare LF at the end", 400, "POST /echo HTTP/1.1\r\n" H TE "\r\n0\r\n\n", NULL),

    /* Lines (RFC 9112 2.2, 5). */
    ROW("an empty line first", 400, "\r\nPOST /echo HTTP/1.1\r\n" H L5 "\r\nhello", NULL),
    ROW("a bare LF behind the request line", 400, "POST /echo HTTP/1.1\n" H L5 "\r\nhello", NULL),
    ROW("a bare LF behind a field", 400, "POST /echo HTTP/1.1\r\nHost: a\n" L5 "\r\nhello", NULL),
    ROW("a bare LF as the empty line", 400, "POST /echo HTTP/1.1\r\n" H L5 "\nhello", NULL),
    ROW("bare LFs throughout", 400, "POST /echo HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello",
        NULL),
    ROW("a bare CR in a value", 400, "POST /echo HTTP/1.1\r\nHost: a\rX: b\r\n" L5 "\r\nhello",
        NULL),
    ROW("two CRs", 400, "POST /echo HTTP/1.1\r\r\n" H L5 "\r\nhello", NULL),
    ROW("a NUL", 400, "POST /echo HTTP/1.1\r\n" H "X: a\0b\r\n" L5 "\r\nhello", NULL),
    ROW("a DEL", 400, "POST /echo HTTP/1.1\r\n" H "X: a\x7f\r\n" L5 "\r\nhello", NULL),
    ROW("a byte above ASCII", 400, "POST /echo HTTP/1.1\r\n" H "X: \xc3\xa4\r\n" L5 "\r\nhello",
        NULL),
    ROW("a folded field", 400, "POST /echo HTTP/1.1\r\n" H "X: a\r\n b\r\n" L5 "\r\nhello", NULL),
    ROW("a field folded with a tab", 400,
        "POST /echo HTTP/1.1\r\n" H "X: a\r\n\tb\r\n" L5 "\r\nhello", NULL),
    ROW("a folded first field", 400, "POST /echo HTTP/1.1\r\n Host: a\r\n" L5 "\r\nhello", NULL),
    ROW("a space before the colon", 400,
        "POST /echo HTTP/1.1\r\n" H "Content-Length : 5\r\n\r\nhello", NULL),
    ROW("a tab before the colon", 400, "POST /echo HTTP/1.1\r\nHost\t: a\r\n\r\n", NULL),
    ROW("a field without a colon", 400, "POST /echo HTTP/1.1\r\n" H "Content-Length\r\n\r\n", NULL),
    ROW("a field without a name", 400, "POST /echo HTTP/1.1\r\n" H ": 5\r\n\r\n", NULL),
    ROW("a name with brackets", 400, "POST /echo HTTP/1.1\r\n" H "X(y): 5\r\n\r\n", NULL),

    /* Host (RFC 9112 3.2). */
    ROW("no Host", 400, "POST /echo HTTP/1.1\r\n" L5 "\r\nhello", NULL),
    ROW("no field at all", 400, "GET /hello HTTP/1.1\r\n\r\n", NULL),
    ROW("two Hosts", 400, "POST /echo HTTP/1.1\r\n" H H L5 "\r\nhello", NULL),
    ROW("two different Hosts", 400, "POST /echo HTTP/1.1\r\n" H "host: b\r\n" L5 "\r\nhello", NULL),
    ROW("an empty Host", 400, "POST /echo HTTP/1.1\r\nHost:\r\n" L5 "\r\nhello", NULL),
    ROW("a Host with a path", 400, "POST /echo HTTP/1.1\r\nHost: a/b\r\n" L5 "\r\nhello", NULL),
    ROW("a Host with a user", 400, "POST /echo HTTP/1.1\r\nHost: u@a\r\n" L5 "\r\nhello", NULL),
    ROW("two hosts in one Host", 400, "POST /echo HTTP/1.1\r\nHost: a, b\r\n" L5 "\r\nhello", NULL),

    /* Request line (RFC 9112 3). */
    ROW("HTTP/1.0", 505, "POST /echo HTTP/1.0\r\n" H L5 "\r\nhello", NULL),
    ROW("HTTP/1.2", 505, "POST /echo HTTP/1.2\r\n" H L5 "\r\nhello", NULL),
    ROW("nearly HTTP/2's preface", 400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r", NULL),
    ROW("HTTP/0.9", 505, "GET /hello\r\n\r\n", NULL),
    ROW("a lower-case version", 400, "POST /echo http/1.1\r\n" H L5 "\r\nhello", NULL),
    ROW("something behind the version", 400, "POST /echo HTTP/1.1 x\r\n" H L5 "\r\nhello", NULL),
    ROW("two spaces", 400, "POST  /echo HTTP/1.1\r\n" H L5 "\r\nhello", NULL),
    ROW("two spaces before the version", 400, "POST /echo  HTTP/1.1\r\n" H L5 "\r\nhello", NULL),
    ROW("a tab as separator", 400, "POST\t/echo HTTP/1.1\r\n" H L5 "\r\nhello", NULL),
    ROW("a lower-case method", 400, "post /echo HTTP/1.1\r\n" H L5 "\r\nhello", NULL),
    ROW("a method that is no word", 400, "M-SEARCH /echo HTTP/1.1\r\n" H L5 "\r\nhello", NULL),
    ROW("an invented method", 400, "STEAL /echo HTTP/1.1\r\n" H L5 "\r\nhello", NULL),
    ROW("no target", 400, "POST  HTTP/1.1\r\n" H L5 "\r\nhello", NULL),
    ROW("a target in absolute form", 400, "POST http://a/echo HTTP/1.1\r\n" H L5 "\r\nhello", NULL),
    ROW("a target in authority form", 400, "CONNECT a:443 HTTP/1.1\r\n" H "\r\n", NULL),
    ROW("a target in asterisk form", 400, "OPTIONS * HTTP/1.1\r\n" H "\r\n", NULL),
    ROW("a target with a fragment", 400, "POST /echo#x HTTP/1.1\r\n" H L5 "\r\nhello", NULL),
    ROW("a climbing path", 400, "POST /a/../echo HTTP/1.1\r\n" H L5 "\r\nhello", NULL),
    ROW("a path that ends climbing", 400, "POST /echo/.. HTTP/1.1\r\n" H L5 "\r\nhello", NULL),
    ROW("a path with a dot", 400, "POST /./echo HTTP/1.1\r\n" H L5 "\r\nhello", NULL),
    ROW("a path with an empty segment", 400, "POST //echo HTTP/1.1\r\n" H L5 "\r\nhello", NULL),
    ROW("a path with an escape", 400, "POST /%65cho HTTP/1.1\r\n" H L5 "\r\nhello", NULL),
    ROW("a path with a backslash", 400, "POST /a\\echo HTTP/1.1\r\n" H L5 "\r\nhello", NULL),
    ROW("a target with a quote", 400, "POST /echo\" HTTP/1.1\r\n" H L5 "\r\nhello", NULL),

    /* What we do not do (RFC 9110 7.8, 10.1.1). */
    ROW("an upgrade", 400,
        "GET /hello HTTP/1.1\r\n" H "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n", NULL),
    ROW("an expectation", 417, "POST /echo HTTP/1.1\r\n" H "Expect: 100-continue\r\n" L5 "\r\n",
        NULL),
    ROW("two content types", 400,
        "POST /echo HTTP/1.1\r\n" H "Content-Type: a/b\r\nContent-Type: c/d\r\n" L5 "\r\nhello",
        NULL),
    ROW("two authorizations", 400,
        "POST /echo HTTP/1.1\r\n" H "Authorization: a\r\nauthorization: b\r\n" L5 "\r\nhello",
        NULL),
};

#undef ROW
#endif
