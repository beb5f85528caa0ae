#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns the event catalogue (*.def) into C and into docs/events.md.

usage: generate.py --header OUT.h --source OUT.c FILE.def...
       generate.py --docs OUT.md FILE.def...
       generate.py --check-docs DOCS.md FILE.def...

The grammar is in events.h. Whatever does not follow it stops the build, with file and line.
"""
import os
import re
import sys

LEVELS = ('INFO', 'WARN', 'ERROR')
KINDS = ('ENUM', 'COUNT', 'BYTES_BUCKET', 'MS_BUCKET', 'SECONDS', 'DIGEST')
FIELDS_MAX = 8
LINE_MAX = 512
RESERVED_NAMES = {'t', 'level', 'event', 'sink'}

TOKEN = re.compile(r'\s+|(?P<comment>/\*.*?\*/)|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|'
                   r'(?P<text>"[^"\\\n]*")|(?P<mark>[(),])', re.S)


class Wrong(Exception):
    pass


class Tokens:
    """The tokens of one file; comments are kept, since one carries the privacy sentence."""

    def __init__(self, path):
        with open(path, encoding='ascii') as f:
            source = f.read()
        self.path, self.items, self.at, at = path, [], 0, 0
        while at < len(source):
            m = TOKEN.match(source, at)
            if not m:
                raise Wrong(f'{path}:{self.line(source, at)}: unexpected {source[at]!r}')
            if m.lastgroup:
                self.items.append((m.lastgroup, m.group(), self.line(source, at)))
            at = m.end()

    @staticmethod
    def line(source, at):
        return source.count('\n', 0, at) + 1

    def peek(self):
        return self.items[self.at] if self.at < len(self.items) else ('end', '', 0)

    def next(self, kind, what=None):
        got_kind, got, line = self.peek()
        if got_kind != kind or (what is not None and got != what):
            raise Wrong(f'{self.path}:{line}: expected {what or kind}, got {got or "the end"!r}')
        self.at += 1
        return got

    def list(self, item):
        """( item, item, ... )"""
        self.next('mark', '(')
        out = [item()]
        while self.peek()[1] == ',':
            self.next('mark', ',')
            out.append(item())
        self.next('mark', ')')
        return out

    def fail(self, why):
        raise Wrong(f'{self.path}:{self.items[self.at - 1][2]}: {why}')


class Catalogue:
    def __init__(self, paths):
        self.enums, self.events, self.groups = {'pp_code': None}, [], []
        for path in paths:
            self.group = os.path.splitext(os.path.basename(path))[0]
            self.groups.append(self.group)
            self.read(Tokens(path))

    def read(self, t):
        privacy = None
        while t.peek()[0] != 'end':
            if t.peek()[0] == 'comment':
                text = ' '.join(t.next('comment')[2:-2].replace('\n *', '\n').split())
                privacy = text[len('Privacy: '):] if text.startswith('Privacy: ') else None
                continue
            macro = t.next('word')
            if macro == 'EV_ENUM':
                self.read_enum(t)
            elif macro == 'EV':
                self.read_event(t, privacy)
            else:
                t.fail(f'expected EV or EV_ENUM, got {macro}')
            privacy = None

    def read_enum(self, t):
        name, *words = t.list(lambda: t.next('word'))
        if not re.fullmatch(r'pp_[a-z0-9_]+', name) or name in self.enums:
            t.fail(f'{name}: an enum needs a new name pp_[a-z0-9_]+')
        for w in words:
            if not re.fullmatch(r'[a-z][a-z0-9_]{0,30}', w) or words.count(w) > 1:
                t.fail(f'{w}: a word is lower case, at most 31 bytes, and occurs once')
        if not words:
            t.fail(f'{name}: an enum needs words')
        self.enums[name] = words

    def read_event(self, t, privacy):
        def part():
            if t.peek()[0] == 'text':
                return t.next('text')[1:-1]
            word = t.next('word')
            return (word, t.list(lambda: t.next('word'))) if t.peek()[1] == '(' else word

        parts = t.list(part)
        if len(parts) < 3 or not all(isinstance(p, str) for p in parts[:3]):
            t.fail('expected EV(NAME, LEVEL, "text", FIELD(...), ...)')
        name, level, text = parts[:3]
        if not privacy or not privacy.endswith('.'):
            t.fail(f'{name}: the comment above it must be a sentence that starts with "Privacy: "')
        if not re.fullmatch(r'[A-Z][A-Z0-9_]{2,40}', name) or any(e['name'] == name for e in self.events):
            t.fail(f'{name}: an event needs a new name in upper case')
        if level not in LEVELS:
            t.fail(f'{name}: the level is one of {", ".join(LEVELS)}')
        fields = [self.field(t, name, p) for p in parts[3:]]
        names = [f['name'] for f in fields]
        if len(fields) > FIELDS_MAX or len(set(names)) != len(names):
            t.fail(f'{name}: at most {FIELDS_MAX} fields with different names')
        self.events.append({'name': name, 'level': level, 'text': text, 'privacy': privacy,
                            'fields': fields, 'group': self.group})

    def field(self, t, event, part):
        if isinstance(part, str) or part[0] not in KINDS:
            t.fail(f'{event}: a field is one of {", ".join(KINDS)}; there is no string kind')
        kind, args = part
        if len(args) != (2 if kind == 'ENUM' else 1):
            t.fail(f'{event}: {kind} has the wrong number of arguments')
        if kind == 'ENUM' and args[0] not in self.enums:
            t.fail(f'{event}: the enum {args[0]} is not known here')
        if not re.fullmatch(r'[a-z][a-z0-9_]{0,23}', args[-1]) or args[-1] in RESERVED_NAMES:
            t.fail(f'{event}: {args[-1]} cannot be the name of a field')
        return {'kind': kind, 'name': args[-1], 'enum': args[0] if kind == 'ENUM' else None}


def c_type(f):
    if f['kind'] == 'ENUM':
        return 'enum ' + f['enum'] + ' '
    return 'struct pp_event_digest ' if f['kind'] == 'DIGEST' else 'uint64_t '


def prototype(e):
    args = ['const struct pp_event_sink *sink'] + [c_type(f) + f['name'] for f in e['fields']]
    return f'void pp_ev_{e["name"].lower()}({", ".join(args)})'


def header(c):
    out = ['/* Made by generate.py from the event catalogue; do not edit. */',
           '#ifndef PP_EVENTS_GEN_H', '#define PP_EVENTS_GEN_H', '', 'enum {']
    out += [f'    PP_EVENT_GROUP_{g.upper()} = {1 << i},' for i, g in enumerate(c.groups)]
    out += [f'    PP_EVENT_GROUP_ALL = {(1 << len(c.groups)) - 1},', '};', '']
    for name, words in c.enums.items():
        if words:
            out += [f'enum {name} {{'] + [f'    {name.upper()}_{w.upper()},' for w in words] + ['};', '']
    out += ['enum pp_event_id {'] + [f'    PP_EV_{e["name"]},' for e in c.events] + ['};', '']
    for e in c.events:
        out += [f'/* {e["text"]} */', prototype(e) + ';', '']
    return '\n'.join(out + ['#endif', ''])


def row(e):
    fields = ', '.join('{ PP_EVENT_%s, "%s", %s }' % (
        f['kind'], f['name'], '&WORDS_' + f['enum'] if f['enum'] else 'NULL') for f in e['fields'])
    return ('    { "%s", PP_EVENT_%s, PP_EVENT_GROUP_%s, %d, { %s } },' % (
        e['name'], e['level'], e['group'].upper(), len(e['fields']), fields or '{ 0 }'))


def source(c):
    out = ['/* Made by generate.py from the event catalogue; do not edit. */',
           '#include "events_int.h"', '']
    for name in sorted({f['enum'] for e in c.events for f in e['fields'] if f['enum']}):
        words = c.enums[name]
        if words:
            out += [f'static const char *const LIST_{name}[] = {{ ' +
                    ', '.join(f'"{w}"' for w in words) + ' };']
        out += [f'static const struct pp_event_words WORDS_{name} = {{ ' +
                (f'LIST_{name}, {len(words)}' if words else 'NULL, 0') + ' };']
    out += ['', 'const struct pp_event_row PP_EVENT_ROWS[] = {'] + [row(e) for e in c.events] + ['};']
    out += [f'const size_t PP_EVENT_ROW_COUNT = {len(c.events)};', '']
    for e in c.events:
        values = ', '.join(f'pp_event_digest_value_({f["name"]})' if f['kind'] == 'DIGEST'
                           else f'(uint64_t){f["name"]}' for f in e['fields'])
        out += [prototype(e), '{', f'    const uint64_t values[] = {{ {values or "0"} }};', '',
                f'    pp_event_emit_(sink, PP_EV_{e["name"]}, values);', '}', '']
    return '\n'.join(out)


def docs(c):
    out = ['# Events', '',
           'Everything that any program of ours can write to a log. Made by `lib/events/generate.py` from',
           '`lib/events/*.def`; a test compares. The grammar of a line and the field kinds are in',
           '`lib/events/events.h`: words of closed lists, counts, buckets, periods and digests of public',
           'artefacts. There is no kind that carries text. Times have minutes and nothing finer.', '']
    for g in c.groups:
        events = [e for e in c.events if e['group'] == g]
        if not events:
            continue
        out += [f'## {g}', '']
        for e in events:
            out += [f'### {e["name"]} ({e["level"].lower()})', '',
                    f'{e["text"][0].upper()}{e["text"][1:]}. Privacy: {e["privacy"]}', '']
            for f in e['fields']:
                words = c.enums.get(f['enum'] or '')
                what = f['kind'] if not f['enum'] else f'ENUM `{f["enum"]}`' + (
                    ': ' + ', '.join(words) if words else ': the names of `lib/base/codes.h`')
                out += [f'- `{f["name"]}`: {what}']
            out += [''] if e['fields'] else []
    return '\n'.join(out[:-1] + [''])


def write(path, text):
    with open(path, 'w', encoding='ascii') as f:
        f.write(text)


def main(argv):
    options, files = {}, []
    while argv:
        a = argv.pop(0)
        if a in ('--header', '--source', '--docs', '--check-docs') and argv:
            options[a] = argv.pop(0)
        else:
            files.append(a)
    if not options or not files:
        print(__doc__, file=sys.stderr)
        return 2
    c = Catalogue(files)
    for option, make in (('--header', header), ('--source', source), ('--docs', docs)):
        if option in options:
            write(options[option], make(c))
    if '--check-docs' in options:
        path = options['--check-docs']
        with open(path, encoding='ascii') as f:
            if f.read() == docs(c):
                return 0
        print(f'{path} is not what the catalogue says; make it anew with:\n'
              f'  lib/events/generate.py --docs docs/events.md '
              + ' '.join('lib/events/' + os.path.basename(p) for p in files), file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main(sys.argv[1:]))
    except Wrong as e:
        print(e, file=sys.stderr)
        sys.exit(1)
