/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signer program that keeps its key in a file: the smallest that follows docs/protocol/ledger.md,
 * "Signer programs", to begin one's own from (for a security module, a key service), and what the
 * tests use.
 *
 *     signer KEYFILE      a line "PRIVATE+KEY+..." of any key type
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "crypto.h"
#include "file.h"
#include "note.h"
#include "rd.h"

enum { MESSAGE_MAX = 65536, KEY_FILE_MAX = 512 };

/* 1: all were read; 0: the input has ended. */
static int read_all(uint8_t *to, size_t len)
{
    while (len > 0) {
        ssize_t n = read(STDIN_FILENO, to, len);
        if (n <= 0)
            return 0;
        to += n;
        len -= (size_t)n;
    }
    return 1;
}

/* Answers one message. A real signer would look here at what it is asked to sign. */
static pp_res answer(const struct pp_note_signer *key)
{
    static uint8_t message[MESSAGE_MAX];
    uint8_t signature[PP_ED25519_SIG_BYTES];
    uint8_t head[4];

    if (!read_all(head, sizeof head))
        return PP_FAIL(PP_E_CLOSED, 0);
    struct pp_rd rd = pp_rd_over(head, sizeof head);
    uint32_t len = pp_rd_u32(&rd);
    PP_CHECK(len <= sizeof message, PP_E_LIMIT, len);
    PP_CHECK(read_all(message, len), PP_E_CLOSED, 0);
    PP_TRY(pp_note_sign(key, pp_span(message, len), signature));
    return pp_fd_write(STDOUT_FILENO, PP_BYTES(signature));
}

static pp_res serve(const char *path)
{
    struct pp_note_signer key = { 0 };
    struct pp_buf file = { 0 };

    PP_TRY(pp_crypto_init());
    PP_TRY(pp_file_read(AT_FDCWD, path, KEY_FILE_MAX, &file));
    pp_res r = pp_note_signer_parse(pp_buf_span(&file), &key);
    while (pp_is_ok(r))
        r = answer(&key);
    pp_note_signer_done(&key);
    pp_buf_done(&file); /* the key's name stood in it */
    return r.code == PP_E_CLOSED ? PP_OK : r;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: signer KEYFILE\n");
        return 2;
    }
    pp_res r = serve(argv[1]);
    if (!pp_is_ok(r))
        fprintf(stderr, "signer: %s: %s\n", argv[1], pp_code_text(r.code));
    return pp_is_ok(r) ? 0 : 1;
}
