#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""W5 T2: no text can reach an event, because the types do not let it compile.

Plain compiler, no warning flags: what stops these programs is the header alone.
usage: compile.py BUILD_DIR EVENTS_DIR BASE_DIR -- COMPILER...
"""
import subprocess
import sys

GOOD = {
    'the catalogue as it is meant': 'pp_ev_daemon_stopping(s, PP_PARTY_TEST, PP_STOP_REASON_ASKED);',
    'a count': 'pp_ev_daemon_ready(s, PP_PARTY_TEST, 3);',
}
BAD = {
    'a string as a count': 'pp_ev_daemon_ready(s, PP_PARTY_TEST, "canary");',
    'a format string': 'pp_ev_daemon_ready(s, PP_PARTY_TEST, "%s", text);',
    'a string behind the fields': 'pp_ev_daemon_ready(s, PP_PARTY_TEST, 3, text);',
    'a string as a word of a list': 'pp_ev_daemon_ready(s, text, 3);',
    'bytes as a count': 'pp_ev_daemon_ready(s, PP_PARTY_TEST, bytes);',
    'a span as a count': 'pp_ev_daemon_ready(s, PP_PARTY_TEST, span);',
    'a span as a digest': 'struct pp_event_digest d = span; (void)d;',
    'a string as a digest': 'struct pp_event_digest d = pp_event_digest_of(text); (void)d;',
    'a secret as a count': 'pp_ev_daemon_ready(s, PP_PARTY_TEST, secret);',
}
PROGRAM = '''
#include "events.h"
#include "secret.h"
void use(const struct pp_event_sink *s, const char *text, const uint8_t *bytes, struct pp_span span,
         struct pp_secret secret);
void use(const struct pp_event_sink *s, const char *text, const uint8_t *bytes, struct pp_span span,
         struct pp_secret secret)
{
    (void)s, (void)text, (void)bytes, (void)span, (void)secret;
    %s
}
'''


def main(argv):
    split = argv.index('--')
    command = argv[split + 1:] + ['-std=gnu17', '-D_GNU_SOURCE', '-DPP_RELEASE=0', '-fsyntax-only',
                                  '-x', 'c', '-'] + ['-I' + d for d in argv[:split]]
    failed = 0
    for want, cases in ((True, GOOD), (False, BAD)):
        for name, line in cases.items():
            got = subprocess.run(command, input=PROGRAM % line, text=True, capture_output=True)
            if (got.returncode == 0) != want:
                failed += 1
                print(f'{name}: expected {"to compile" if want else "a refusal"}\n{got.stderr}')
    print(f'{len(GOOD)} programs that must compile, {len(BAD)} that must not, {failed} surprises')
    return failed != 0


sys.exit(main(sys.argv[1:]))
