# SPDX-License-Identifier: Apache-2.0
"""What counts as a guard in a C source, and what the source looks like without it.

Everywhere a guard is a PP_CHECK, ATTEST_CHECK or REFUSE_UNLESS, an `if` whose branch refuses, or a PP_TRY around a
check; it is taken away. In a verifier a check at the end of a function is one, too, and each is also turned round.
In those that are taken apart every `if` and every PP_TRY is a guard:

  removed   the guard is not there: an `if` is never true, a PP_TRY goes on, a check at the end of a function passes,
            a refusal behind a loop or in a switch passes
  inverted  it refuses what it should pass and the other way round; also what a function or a variable says of a
            comparison
  without   one operand of && or || is not there

Not done: bounds that are arguments of a reader (pp_rd_bytes, pp_cbor_rd_uint), figures of tables, and the statements
behind an `if`. Those are the business of the tests at each limit and of the flipped bits."""
import re

# What stands behind an `if` that refuses.
REFUSAL = (r"return (?:refuse|appraise_refuse|PP_FAIL|PP_HTTP_\w+|-?\d)"
           r"|\w*(?:refuse|fail|shed|reply_status|finish_status|reply_clear)\(|[\w.\[\]>-]+result = PP_FAIL")
MACROS = r"(?:ATTEST_CHECK|PP_CHECK|REFUSE_UNLESS)"
CHECKS = r"(?:\w*check\w*|\w*verify\w*|pp_rd_end|expect)"
BEHIND = rf"((?: \{{)?(?: /\*[^\n]*\*/)?\n +(?:{REFUSAL}))"
COMPARISON = re.compile(r"[=!]=|&&|\|\||[^->]>=?\s|[^<]<=?\s|^!")

# (what it looks like, what stands there instead)
GUARDS = [
    (re.compile(rf"^ +{MACROS}\((?:[^;]|\n)*?\);", re.M), lambda m: "    (void)0;"),
    (re.compile(rf"^( +(?:\}} )?(?:else )?if )\(((?:[^;{{}}]|\n)*?)\){BEHIND}", re.M),
     lambda m: f"{m[1]}(0 && ({m[2]})){m[3]}"),
    (re.compile(r"^( +if )\((!(?:[^;{}]|\n)*?)\)(\n +(?:continue|return PP_OK);)", re.M),
     lambda m: f"{m[1]}(0 && ({m[2]})){m[3]}"),
    (re.compile(r"^( +)PP_TRY\(((?:\w*check\w*|\w*verify\w*|pp_rd_end)\((?:[^;]|\n)*?)\);", re.M),
     lambda m: f"{m[1]}(void)!({m[2]}).code;"),
    (re.compile(r"^( +[\w.>-]+) &= [^;]*;", re.M), lambda m: f"{m[1]} &= 1;"),
    (re.compile(r"^( +[^;{}\n]* )= ([^;?]*?) \? (PP_OK : PP_FAIL[^;]*;)", re.M),
     lambda m: f"{m[1]}= (({m[2]}) || 1) ? {m[3]}"),
]


def first_argument(text):
    """`text` up to its first comma outside of brackets, and what is left."""
    depth = 0
    for i, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        if c == "," and depth == 0:
            return text[:i], text[i:]
    return text, ""


def inverted_macro(m):
    head, inside = "", m[2]
    if m[1].strip() == "ATTEST_CHECK":  # its condition is the second argument
        row, rest = first_argument(inside)
        head, inside = row + ", ", rest[1:]
    condition, rest = first_argument(inside)
    return f"{m[1]}({head}!({condition}){rest});"


def end_of(text, start):
    """Where the bracket at `start` closes."""
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] in "([{") - (text[i] in ")]}")
        if depth == 0:
            return i
    raise ValueError("no closing bracket")


def blanked(text):
    """The text without preprocessor lines, comments and what strings say, every other byte in its place."""
    def blank(m):
        return re.sub(r"[^\n]", "_" if m[0][0] == '"' else " ", m[0])
    return re.sub(r"/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\])+'|^#(?:[^\n]*\\\n)*[^\n]*", blank, text, flags=re.S | re.M)


def bodies(code):
    """(first, behind the last, 1 for a function that returns pp_res) of every function."""
    for m in re.finditer(r"^(\w[^;{}=]*?)\([^;{}]*\)\n\{\n", code, re.M):
        end = code.find("\n}", m.end())
        yield m.end(), end + 1, bool(re.match(r"(?:static )?pp_res\b", m[1]))


def operands(code, at):
    """The two operands of the && or || at `at`, as (first, behind the last)."""
    op = code[at:at + 2]
    stops = r"&&|\|\|" if op == "&&" else r"\|\|"
    depth, i = 0, at - 1
    while True:  # to the left: an operator that binds no stronger, an open bracket, or the statement's begin
        c = code[i]
        if c in ")]":
            depth += 1
        elif c in "([" and depth == 0 or c in ";{}," and depth == 0:
            break
        elif c in "([":
            depth -= 1
        elif depth == 0 and (re.match(stops, code[i - 1:i + 1]) or c in "?:" or
                             c == "=" and code[i - 1] not in "=!<>" and code[i + 1] != "="):
            break
        elif depth == 0 and re.match(r"return\b", code[i - 5:i + 1]) and not code[i - 6].isalnum():
            break
        i -= 1
    left = i + 1
    depth, i = 0, at + 2
    while True:
        c = code[i]
        if depth == 0 and (c in ")];,?:" or re.match(stops if op == "&&" else r"\|\|", code[i:i + 2])):
            break
        depth += (c in "([{") - (c in ")]}")
        i += 1
    return (left, at), (at + 2, i)


def trimmed(code, span):
    first, last = span
    while code[first].isspace():
        first += 1
    while code[last - 1].isspace():
        last -= 1
    return first, last


def statement(code, at):
    """The first words of the statement around `at`."""
    begin = max(code.rfind(c, 0, at) for c in ";{}") + 1
    return begin + len(code[begin:]) - len(code[begin:].lstrip())


class Source:
    """One source, and the guards of each of its functions."""

    def __init__(self, text):
        self.text, self.code, self.seen = text, blanked(text), set()

    def words(self, at, until=None):
        """What stands there, up to the end of its statement or of `until`."""
        until = until or self.code.find(";", at) + 1
        return " ".join(self.text[at:until].split())[:90]

    def guards(self):
        """(place, kind, words, first, behind the last, what stands there, 1 if it is one in every verifier)"""
        for begin, end, is_res in bodies(self.code):
            for find in (self.ifs, self.macros, self.tries, self.returns, self.variables, self.parts):
                yield from find(begin, end, is_res)

    def ifs(self, begin, end, _):
        for m in re.finditer(r"\bif \(", self.code[begin:end]):
            at, head = begin + m.start(), begin + m.end() - 1
            close = end_of(self.code, head)
            condition = self.text[head + 1:close]
            refuses = bool(re.match(BEHIND, self.text[close + 1:]))
            leaves = condition.startswith("!") and re.match(r"\n +(?:continue|return PP_OK);", self.text[close + 1:])
            yield at, "removed", self.words(at), head, close + 1, f"(0 && ({condition}))", refuses or bool(leaves)
            if refuses:
                yield at, "inverted", self.words(at), head, close + 1, f"(!({condition}))", 1

    def macros(self, begin, end, _):
        for m in re.finditer(rf"^ +({MACROS})\(", self.code[begin:end], re.M):
            at, head = begin + m.start(1), begin + m.end() - 1
            close = end_of(self.code, head)
            yield at, "removed", self.words(at), at, close + 1, "(void)0", 1
            macro = re.match(r"(\w+)\(((?:[^;]|\n)*)\)$", self.text[at:close + 1])
            yield at, "inverted", self.words(at), at, close + 1, inverted_macro(macro)[:-1], 1

    def tries(self, begin, end, _):
        for m in re.finditer(r"\b(PP_TRY|PP_TRY_AS)\(", self.code[begin:end]):
            at, call = begin + m.start(), begin + m.end()
            close = end_of(self.code, call - 1)
            if m[1] == "PP_TRY_AS":
                call += len(first_argument(self.code[call:close])[0]) + 1
            inside = self.text[call:close].strip()
            checks = bool(re.match(CHECKS + r"\(", inside))
            yield at, "removed", self.words(at), at, close + 1, f"(void)!({inside}).code", checks
            if checks:
                instead = f"do if (pp_is_ok({inside})) return PP_FAIL(PP_E_UNVERIFIED, 0); while (0)"
                yield at, "inverted", self.words(at), at, close + 1, instead, 1

    def returns(self, begin, end, is_res):
        for m in re.finditer(r"\breturn\b([^;]*);", self.code[begin:end]):
            at, said = begin + m.start(), m[1].strip()
            first, last = begin + m.start(1), begin + m.end(1)
            value = self.text[first:last].strip()
            if re.match(r"((?:[^?]|\n)*)\? PP_OK :", said):
                yield at, "removed", self.words(at), first, last, " PP_OK", 0
            elif is_res and re.match(r"PP_FAIL|\w*refuse\w*\(", said):
                if self.code[:at].rstrip()[-1] in ";}:":  # not the branch of an `if`, which is taken away as a whole
                    yield at, "removed", self.words(at), first, last, " PP_OK", 0
            elif is_res and re.match(r"\w+\(", said) and "?" not in said:
                yield (at, "removed", self.words(at), at, last + 1, f"{{ (void)!({value}).code; return PP_OK; }}",
                       bool(re.match(CHECKS + r"\(", said)))
            elif not is_res and COMPARISON.search(said) and "?" not in said:
                yield at, "inverted", self.words(at), first, last, f" !({value})", 0

    def variables(self, begin, end, _):
        for m in re.finditer(r"^ +(?:const )?int (\w+ = [^;{]*);", self.code[begin:end], re.M):
            first, rest = begin + m.start(1), m[1]
            while rest:  # int a = ..., b = ...;
                one, rest = first_argument(rest)
                value = one.partition(" = ")[2]
                if COMPARISON.search(value) and "?" not in value:
                    at, last = first + len(one) - len(value), first + len(one)
                    yield at, "inverted", self.words(first), at, last, f"!({self.text[at:last]})", 0
                first, rest = first + len(one) + 2, rest[1:].lstrip()

    def parts(self, begin, end, _):
        for m in re.finditer(r"&&|\|\|", self.code[begin:end]):
            at = begin + m.start()
            for span in operands(self.code, at):
                first, last = trimmed(self.code, span)
                if (first, last) in self.seen:
                    continue
                self.seen.add((first, last))
                words = f"{self.words(first, last)} in {self.words(statement(self.code, at))}"[:140]
                yield first, "without", words, first, last, "1" if m[0] == "&&" else "0", 0


PLAIN, VERIFIER, APART = range(3)


def mutants(text, depth):
    """(line number, kind, first words, the text without that guard), in the order of the lines"""
    found = {}
    for pattern, instead in GUARDS:
        for m in pattern.finditer(text):
            words = " ".join(m[0].split())[:90]
            # What follows knows the others, and finds the end of each.
            if depth == PLAIN or re.match(r"[\w.>-]+ &= |[^;(]* = [^;]*\? PP_OK", words):
                found[m.start(), "removed", text[:m.start()] + instead(m) + text[m.end():]] = words
    if depth > PLAIN:
        for at, kind, words, first, last, instead, is_plain in Source(text).guards():
            if depth == APART or is_plain:
                found[at, kind, text[:first] + instead + text[last:]] = words
    return sorted((text.count("\n", 0, at) + 1, kind, words, changed) for (at, kind, changed), words in found.items())
