/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signer programs: the example, and bad ones, which are this test itself under `--behave`:
 *
 *     test_common_signer_pipe SIGNER      the path of the example
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto.h"
#include "folder.h"
#include "ledger_keys.h"
#include "rd.h"

enum { PATIENT_MS = 20000, HASTY_MS = 50 };

static char folder[64];
static const char *example;
static char self[4096];
static struct pp_problem problem;
static char vkey[PP_VKEY_BYTES_MAX + 1];
static const uint8_t SEED[32] = { 7 };

/* --- a program that behaves as it is told --------------------------------------------------- */

static int read_message(uint8_t *message, size_t *ret_len)
{
    uint8_t head[4];

    for (size_t got = 0; got < sizeof head;) {
        ssize_t n = read(STDIN_FILENO, head + got, sizeof head - got);
        if (n <= 0)
            return 0;
        got += (size_t)n;
    }
    struct pp_rd rd = pp_rd_over(head, sizeof head);
    size_t len = pp_rd_u32(&rd);
    for (size_t got = 0; got < len;) {
        ssize_t n = read(STDIN_FILENO, message + got, len - got);
        if (n <= 0)
            return 0;
        got += (size_t)n;
    }
    *ret_len = len;
    return 1;
}

static void say(const uint8_t *bytes, size_t len)
{
    pp_ignore(pp_fd_write(STDOUT_FILENO, pp_span(bytes, len)), "the test looks at what came");
}

static void behave_for(const char *how, int round, const uint8_t *signature)
{
    static const uint8_t zeros[PP_ED25519_SIG_BYTES];
    uint8_t wrong[PP_ED25519_SIG_BYTES];

    memcpy(wrong, signature, sizeof wrong);
    wrong[10] ^= 1;
    if (strcmp(how, "zeros") == 0)
        say(zeros, sizeof zeros);
    else if (strcmp(how, "flipped") == 0)
        say(wrong, sizeof wrong);
    else if (strcmp(how, "wrong-once") == 0)
        say(round == 0 ? wrong : signature, sizeof wrong);
    else if (strcmp(how, "dies") == 0)
        exit(0);
    else if (strcmp(how, "short") == 0)
        say(signature, 63), exit(0);
    else if (strcmp(how, "chatty") == 0)
        say(signature, 64), say(zeros, 1);
    else if (strcmp(how, "hangs") == 0)
        for (;;)
            (void)pause();
    else /* good */
        say(signature, 64);
}

/* It answers the first question when the test opens the other end of this. */
static void wait_for_go_on(const char *how, int round)
{
    if (strcmp(how, "late-once") == 0 && round == 0)
        (void)close(open("go-on", O_RDONLY | O_CLOEXEC));
}

static int behave(const char *how)
{
    static uint8_t message[PP_SIGNER_MESSAGE_MAX];
    uint8_t signature[PP_ED25519_SIG_BYTES];
    size_t len;

    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    while (strcmp(how, "deaf") == 0) /* hears nothing, not even the end of its input */
        (void)pause();
    for (int round = 0; read_message(message, &len); round++) {
        if (!pp_is_ok(pp_ed25519_sign(PP_BYTES(SEED), pp_span(message, len), signature)))
            return 1;
        if (strcmp(how, "tells-pid") == 0) { /* in place of a signature */
            memset(signature, 0, sizeof signature);
            pid_t pid = getpid();
            memcpy(signature, &pid, sizeof pid);
        }
        wait_for_go_on(how, round);
        behave_for(how, round, signature);
    }
    return 0;
}

/* --- the test's side ------------------------------------------------------------------------ */

static int make_world(void **state)
{
    (void)state;
    struct pp_note_signer s = { 0 };
    struct pp_wr wr = pp_wr_over(vkey, PP_VKEY_BYTES_MAX);

    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0 || pp_test_folder_make(folder) != 0 || chdir(folder) != 0 ||
        !pp_is_ok(pp_crypto_init()) ||
        !pp_is_ok(pp_note_signer_make(PP_STR("l.example"), PP_NOTE_ED25519, PP_BYTES(SEED), &s)))
        return -1;
    pp_vkey_write(&wr, &s.key);
    pp_note_signer_done(&s);
    return 0;
}

static int remove_world(void **state)
{
    (void)state;
    return pp_test_folder_remove(folder);
}

static pp_res open_behaving(const char *how, uint32_t ms, struct pp_signer_file *ret)
{
    const char *const argv[] = { self, "--behave", how, NULL };
    const struct pp_signer_spec spec = {
        .type = PP_NOTE_ED25519,
        .program = argv,
        .vkey = pp_span_cstr(vkey),
        .answer_ms = ms,
    };

    return pp_signer_open(&spec, &problem, ret);
}

static pp_res sign(const struct pp_signer_file *f, const char *text)
{
    uint8_t note[1024];
    struct pp_wr wr = pp_wr_over(note, sizeof note);
    pp_res r = pp_note_write(&wr, pp_span_cstr(text), &f->signer, 1);

    if (!pp_is_ok(r)) /* the text and the empty line, and no signature */
        assert_int_equal(wr.len, strlen(text) + 1);
    return r;
}

static void the_example_signs_what_it_is_given_in_any_length(void **state)
{
    (void)state;
    struct pp_note_signer s = { 0 };
    char line[PP_SIGNER_FILE_BYTES_MAX] = "";
    struct pp_wr wr = pp_wr_over(line, sizeof line - 1);
    static uint8_t message[PP_SIGNER_MESSAGE_MAX + 1];
    uint8_t signature[PP_ED25519_SIG_BYTES];
    const char *const argv[] = { example, "key", NULL };
    const struct pp_signer_spec spec = {
        .type = PP_NOTE_ED25519,
        .program = argv,
        .vkey = pp_span_cstr(vkey),
        .answer_ms = PATIENT_MS,
    };
    struct pp_signer_file f = { 0 };

    assert_ok(pp_note_signer_make(PP_STR("l.example"), PP_NOTE_ED25519, PP_BYTES(SEED), &s));
    pp_note_signer_write(&wr, &s);
    assert_ok(pp_file_write(AT_FDCWD, "key", 0600, pp_wr_done(&wr)));
    pp_note_signer_done(&s);
    assert_ok(pp_signer_open(&spec, &problem, &f));
    for (size_t len = 0; len <= PP_SIGNER_MESSAGE_MAX; len = len == 0 ? 1 : len * 4) {
        memset(message, (int)len, len);
        assert_ok(pp_note_sign(&f.signer, pp_span(message, len), signature));
        assert_ok(pp_ed25519_verify(f.signer.key.pk, pp_span(message, len), PP_BYTES(signature)));
    }
    assert_code(pp_note_sign(&f.signer, PP_BYTES(message), signature), PP_E_LIMIT);
    assert_ok(sign(&f, "text\n"));
    pp_signer_file_done(&f);
    pp_signer_file_done(&f);
}

static void no_signature_of_a_bad_signer_leaves(void **state)
{
    (void)state;
    static const struct {
        const char *how;
        uint32_t first, second;
    } rows[] = {
        { "good", PP_E_OK, PP_E_OK },
        { "zeros", PP_E_SIGNER_WRONG, PP_E_SIGNER_WRONG },
        { "flipped", PP_E_SIGNER_WRONG, PP_E_SIGNER_WRONG },
        { "wrong-once", PP_E_SIGNER_WRONG, PP_E_OK },
        { "dies", PP_E_SIGNER_GONE, PP_E_SIGNER_GONE },
        { "short", PP_E_SIGNER_GONE, PP_E_SIGNER_GONE },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_signer_file f = { 0 };
        print_message("%s\n", rows[i].how);
        assert_ok(open_behaving(rows[i].how, PATIENT_MS, &f));
        assert_code(sign(&f, "one\n"), rows[i].first);
        assert_code(sign(&f, "two\n"), rows[i].second);
        pp_signer_file_done(&f);
    }
}

/* One byte too many would stand in front of every later answer. */
static void a_signer_that_speaks_unasked_is_not_asked_again(void **state)
{
    (void)state;
    struct pp_signer_file f = { 0 };
    struct pollfd p;

    assert_ok(open_behaving("chatty", PATIENT_MS, &f));
    assert_ok(sign(&f, "one\n"));
    p = (struct pollfd){ .fd = f.pipe.from, .events = POLLIN };
    assert_int_equal(poll(&p, 1, PATIENT_MS), 1);
    assert_code(sign(&f, "two\n"), PP_E_SIGNER_WRONG);
    assert_code(sign(&f, "three\n"), PP_E_SIGNER_GONE);
    pp_signer_file_done(&f);
}

static void a_signer_that_hangs_costs_one_deadline(void **state)
{
    (void)state;
    const struct pp_clock clock = pp_clock_system();
    struct pp_signer_file f = { 0 };

    assert_ok(open_behaving("hangs", HASTY_MS, &f));
    uint64_t from = pp_clock_mono_ms(&clock);
    assert_code(sign(&f, "one\n"), PP_E_SIGNER_LATE);
    assert_true(pp_clock_mono_ms(&clock) - from >= HASTY_MS);
    f.pipe.answer_ms = PATIENT_MS; /* would be waited for, if anything waited */
    from = pp_clock_mono_ms(&clock);
    for (int i = 0; i < 100; i++)
        assert_code(sign(&f, "again\n"), PP_E_SIGNER_LATE);
    assert_true(pp_clock_mono_ms(&clock) - from < PATIENT_MS);
    pp_signer_file_done(&f);
}

/* A late answer is of another text; it must not be taken for the next one's. */
static void a_late_answer_is_thrown_away_and_the_signer_is_used_again(void **state)
{
    (void)state;
    struct pp_signer_file f = { 0 };
    struct pollfd p;

    assert_int_equal(mkfifo("go-on", 0600), 0);
    assert_ok(open_behaving("late-once", HASTY_MS, &f));
    assert_code(sign(&f, "one\n"), PP_E_SIGNER_LATE);
    f.pipe.answer_ms = PATIENT_MS;
    assert_code(sign(&f, "two\n"), PP_E_SIGNER_LATE);
    int fd = open("go-on", O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    p = (struct pollfd){ .fd = f.pipe.from, .events = POLLIN };
    assert_int_equal(poll(&p, 1, PATIENT_MS), 1);
    assert_ok(sign(&f, "three\n"));
    (void)close(fd);
    pp_signer_file_done(&f);
}

/* A message larger than a pipe holds, for a program that does not read. */
static void a_signer_that_does_not_listen_is_given_up(void **state)
{
    (void)state;
    static uint8_t message[PP_SIGNER_MESSAGE_MAX];
    uint8_t signature[PP_ED25519_SIG_BYTES];
    struct pp_signer_file f = { 0 };

    assert_ok(open_behaving("deaf", HASTY_MS, &f));
    assert_code(pp_note_sign(&f.signer, PP_BYTES(message), signature), PP_E_SIGNER_LATE);
    assert_code(pp_note_sign(&f.signer, PP_BYTES(message), signature), PP_E_SIGNER_GONE);
    pp_signer_file_done(&f);
}

/* --- the program's life --------------------------------------------------------------------- */

static pid_t pid_of(const struct pp_signer_file *f)
{
    uint8_t answer[PP_ED25519_SIG_BYTES];
    pid_t pid;

    assert_ok(pp_signer_pipe_sign((void *)(uintptr_t)&f->pipe, PP_STR("who"), answer));
    memcpy(&pid, answer, sizeof pid);
    assert_true(pid > 1);
    return pid;
}

static void the_program_ends_with_the_object_that_started_it(void **state)
{
    (void)state;
    struct pp_signer_file f = { 0 };

    assert_ok(open_behaving("tells-pid", PATIENT_MS, &f));
    pid_t pid = pid_of(&f);
    assert_int_equal(kill(pid, 0), 0);
    pp_signer_file_done(&f);
    assert_int_equal(kill(pid, 0), -1); /* ended and reaped */
    assert_int_equal(errno, ESRCH);
    assert_ok(open_behaving("deaf", HASTY_MS, &f)); /* and one that has to be ended */
    pp_signer_file_done(&f);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* Also when its user is killed: nobody is left then to end it but its keeper. */
static void the_program_ends_when_its_user_is_killed(void **state)
{
    (void)state;
    int told[2];
    pid_t program = 0;

    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    assert_int_equal(pipe(told), 0);
    pid_t user = fork();
    if (user == 0) {
        struct pp_signer_file f = { 0 };
        (void)close(told[0]);
        if (!pp_is_ok(open_behaving("tells-pid", PATIENT_MS, &f)))
            _exit(1);
        uint8_t answer[PP_ED25519_SIG_BYTES];
        if (!pp_is_ok(pp_signer_pipe_sign(&f.pipe, PP_STR("who"), answer)) ||
            write(told[1], answer, sizeof program) != sizeof program)
            _exit(1);
        (void)raise(SIGKILL);
    }
    (void)close(told[1]);
    assert_int_equal(read(told[0], &program, sizeof program), sizeof program);
    (void)close(told[0]);
    assert_int_equal(waitpid(user, NULL, 0), user);
    while (waitpid(-1, NULL, 0) > 0) /* its keeper is ours now, and the program was the keeper's */
        continue;
    assert_int_equal(kill(program, 0), -1);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

static void a_signer_that_cannot_be_run_is_a_refusal_with_the_reason(void **state)
{
    (void)state;
    const char *argv[] = { "/nowhere/signer", NULL };
    struct pp_signer_spec spec = { .type = PP_NOTE_ED25519,
                                   .program = argv,
                                   .vkey = pp_span_cstr(vkey) };
    struct pp_signer_file f = { 0 };

    assert_code(pp_signer_open(&spec, &problem, &f), PP_E_CONFIG);
    assert_string_equal(problem.field, "/nowhere/signer");
    assert_string_equal(problem.got, "No such file or directory");
    argv[0] = "/dev/null";
    assert_code(pp_signer_open(&spec, &problem, &f), PP_E_CONFIG);
    assert_string_equal(problem.got, "Permission denied");
    argv[0] = "signer";
    assert_code(pp_signer_open(&spec, &problem, &f), PP_E_CONFIG);
    assert_string_equal(problem.expected, "the absolute path of a program");
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    argv[0] = self;
    spec.vkey = PP_STR("l.example+00000000+AAAA");
    assert_code(pp_signer_open(&spec, &problem, &f), PP_E_CONFIG);
    assert_string_equal(problem.field, "vkey");
    spec.vkey = pp_span_cstr(vkey);
    spec.type = PP_NOTE_COSIGNATURE;
    assert_code(pp_signer_open(&spec, &problem, &f), PP_E_CONFIG);
    assert_string_equal(problem.expected, "a witness's key (type 04)");
    spec.type = PP_NOTE_ED25519;
    spec.name = PP_STR("other.example");
    assert_code(pp_signer_open(&spec, &problem, &f), PP_E_CONFIG);
    assert_string_equal(problem.field, "name of the key");
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(the_example_signs_what_it_is_given_in_any_length),
    cmocka_unit_test(no_signature_of_a_bad_signer_leaves),
    cmocka_unit_test(a_signer_that_speaks_unasked_is_not_asked_again),
    cmocka_unit_test(a_signer_that_hangs_costs_one_deadline),
    cmocka_unit_test(a_late_answer_is_thrown_away_and_the_signer_is_used_again),
    cmocka_unit_test(a_signer_that_does_not_listen_is_given_up),
    cmocka_unit_test(the_program_ends_with_the_object_that_started_it),
    cmocka_unit_test(the_program_ends_when_its_user_is_killed),
    cmocka_unit_test(a_signer_that_cannot_be_run_is_a_refusal_with_the_reason),
};

int main(int argc, char **argv)
{
    static char path[4096];

    if (argc == 3 && strcmp(argv[1], "--behave") == 0)
        return behave(argv[2]);
    if (argc != 2)
        return 2;
    if (realpath(argv[1], path) == NULL)
        return 2;
    example = path;
    return cmocka_run_group_tests(TESTS, make_world, remove_world);
}
