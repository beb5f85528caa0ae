#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What does not follow the catalogue's grammar stops the build. usage: generator.py GENERATE.PY"""
import os
import subprocess
import sys
import tempfile

P = '/* Privacy: it is a test. */\n'
GOOD = P + 'EV(A_GOOD_ONE, INFO, "all is well", ENUM(pp_code, code), COUNT(total))\n'
BAD = {
    'a string kind': P + 'EV(NAME, INFO, "x", STRING(text))',
    'a format': P + 'EV(NAME, INFO, "x", "%s")',
    'a field without a kind': P + 'EV(NAME, INFO, "x", text)',
    'no privacy sentence': 'EV(NAME, INFO, "x")',
    'a comment that is no privacy sentence': '/* Something. */ EV(NAME, INFO, "x")',
    'a privacy sentence for the line before': GOOD + 'EV(NAME, INFO, "x")',
    'an unknown level': P + 'EV(NAME, DEBUG, "x")',
    'an unknown enum': P + 'EV(NAME, INFO, "x", ENUM(pp_nothing, n))',
    'a field twice': P + 'EV(NAME, INFO, "x", COUNT(a), SECONDS(a))',
    'nine fields': P + 'EV(NAME, INFO, "x", ' + ', '.join(f'COUNT(a{i})' for i in range(9)) + ')',
    'a name twice': GOOD + GOOD,
    'a name in lower case': P + 'EV(name, INFO, "x")',
    'a field that would hide the time': P + 'EV(NAME, INFO, "x", COUNT(t))',
    'a word twice': 'EV_ENUM(pp_e, a, a)',
    'a word that is a number': 'EV_ENUM(pp_e, 1)',
    'an enum twice': 'EV_ENUM(pp_e, a) EV_ENUM(pp_e, b)',
    'a missing bracket': P + 'EV(NAME, INFO, "x"',
    'a stray word': 'EVENT(NAME)',
    'a quote in a text': P + 'EV(NAME, INFO, "a\\"b")',
    'an unclosed comment': '/* Privacy: x.',
    'a byte outside ASCII': P.replace('test', 't\u00e9st') + 'EV(NAME, INFO, "x")',
}


def accepted(generator, text):
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, 'case.def')
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        return subprocess.run([sys.executable, generator, '--header', d + '/h', '--source', d + '/c',
                               path], capture_output=True).returncode == 0


def main(generator):
    wrong = [] if accepted(generator, GOOD) else ['the good catalogue']
    wrong += [name for name, text in BAD.items() if accepted(generator, text)]
    print(f'{len(BAD)} catalogues that must be refused; wrong: {wrong or "none"}')
    return bool(wrong)


sys.exit(main(sys.argv[1]))
