/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signer_pipe.h: a signing key that another program holds: a security module, a key service,
 * another machine (docs/protocol/ledger.md, "Signer programs").
 *
 * The program is started once, by its absolute path, without a shell and with an empty environment.
 * On its standard input it reads, again and again, u32 length || message, and for each it writes
 * the 64 bytes of an Ed25519 signature to its standard output. Its input's end is its own end.
 *
 * Beside it stands a keeper, a process of ours that does nothing but wait: when we end, however we
 * end, it gives the program a second, ends it, and reaps it. That cannot be our own part, since
 * behind the sandbox we may signal nobody.
 *
 * One message is under way at a time. A call waits `answer_ms` at most; after one that was late,
 * calls fail at once until the late answer has come and was thrown away, so a program that hangs
 * costs one deadline and not one a call. A program that has ended is not started again. Not for
 * several threads.
 */
#ifndef PP_SIGNER_PIPE_H
#define PP_SIGNER_PIPE_H

#include <sys/types.h>

#include "problem.h"
#include "result.h"
#include "sign.h"
#include "span.h"

enum {
    PP_SIGNER_ARGS_MAX = 16,       /* of a program, itself included */
    PP_SIGNER_MESSAGE_MAX = 65536, /* bytes */
    PP_SIGNER_MS_DEFAULT = 5000,
    PP_SIGNER_MS_MAX = 60000,
};

struct pp_signer_pipe {
    int is_open;  /* 0: the zero state */
    int to, from; /* its standard input and output; -1: closed */
    int life;     /* the keeper sees it close */
    pid_t keeper; /* 0: none was started */
    uint32_t answer_ms;
    size_t owed; /* bytes that are still to come of an answer that was late */
};

/*
 * Starts argv[0] (absolute; argv ends with NULL). Needs the rights of a process without a sandbox,
 * and ignores SIGPIPE from here on. CONFIG with the words in `problem` when it cannot be run;
 * SYSTEM.
 */
PP_MUST pp_res pp_signer_pipe_start(const char *const *argv, uint32_t answer_ms,
                                    struct pp_problem *problem, struct pp_signer_pipe *ret);

/* A signer behind two descriptors that become its own, `from` with O_NONBLOCK; for tests. */
struct pp_signer_pipe pp_signer_pipe_over(int to, int from, uint32_t answer_ms);

/*
 * Asks for a signature; the `sign` of a pp_note_signer, with the pipe as `ctx`. What comes is not
 * checked here. SIGNER_LATE, SIGNER_GONE; SIGNER_WRONG when it spoke without being asked, LIMIT.
 */
PP_MUST pp_res pp_signer_pipe_sign(void *ctx, struct pp_span message,
                                   uint8_t ret[PP_ED25519_SIG_BYTES]);

/*
 * Ends the program and waits for the keeper: up to about a second. Needs wait4(2). A zeroed object
 * and a finished one are fine.
 */
void pp_signer_pipe_done(struct pp_signer_pipe *p);

#endif
