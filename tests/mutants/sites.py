"""What can be changed in a C file: each change is one mutant.

mutants_of(path, text) gives them.  Changes are made to code alone: comments,
strings, preprocessor lines and the types of declarations stay.  Of macros that
are tables (rows "ROW(...)" of ops.h) traits, numbers and arguments are changed.
"""
import bisect
import re
from dataclasses import dataclass

TOKEN = re.compile(r"""
      (?P<space>\s+)
    | (?P<comment>/\*.*?\*/|//[^\n]*)
    | (?P<string>(?:u8|L)?"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+')
    | (?P<number>(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
                 [uUlLfF]*)
    | (?P<word>[A-Za-z_]\w*)
    | (?P<operator>->|\+\+|--|<<=|>>=|\.\.\.|[-+*/%&|^]=|<<|>>|<=|>=|==|!=
                   |&&|\|\||.)
    """, re.X | re.S)

SWAPS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==",
         "+": "-", "-": "+", "*": "/", "/": "*", "%": "/", "&&": "||",
         "||": "&&", "&": "|", "|": "&", "<<": ">>", ">>": "<<", "+=": "-=",
         "-=": "+=", "*=": "/=", "/=": "*=", "|=": "&=", "&=": "|=",
         "++": "--", "--": "++", "true": "false", "false": "true"}
# With a value on both sides; without spaces these are pointers and signs.
SPACED = {"+", "-", "*", "/", "%", "&", "|", "<<", ">>", "<", ">"}
ASSIGN = {"=", "+=", "-=", "*=", "/=", "|=", "&=", "%=", "^=", "<<=", ">>="}
CONTROL = {"if", "while", "for", "switch"}
TYPES = set("""const struct enum union unsigned signed int long short float
    double char bool void static extern register volatile typedef inline size_t
    FILE va_list vf vi vf4 vf8 _Static_assert _Atomic _Thread_local""".split())


@dataclass(frozen=True)
class Mutant:
    path: str
    start: int          # bytes [start, end) become `text`
    end: int
    text: str
    line: int           # of start, from 1
    first_line: int     # of its statement
    last_line: int
    before: str         # the lines, blanks as one
    after: str
    in_code: bool       # not in a table or an enumeration


@dataclass
class Token:
    kind: str
    text: str
    start: int
    end: int


def blanked(text):
    """The text with preprocessor lines as blanks, rows of tables kept."""
    lines, inside, rows = [], False, []
    for line in text.split("\n"):
        directive = inside or re.match(r"\s*#", line)
        inside = bool(directive) and line.endswith("\\")
        rows.append(bool(directive) and line.startswith("ROW("))
        lines.append(" " * len(line) if directive else line)
    return "\n".join(lines), rows


def tokens_of(text):
    found = []
    for match in TOKEN.finditer(text):
        if match.lastgroup not in ("space", "comment"):
            found.append(Token(match.lastgroup, match.group(), match.start(),
                               match.end()))
    return found


def partners(tokens):
    """The closing bracket of each opening one, and the other way."""
    closes, stack = {}, []
    for i, token in enumerate(tokens):
        if token.text in ("(", "[", "{"):
            stack.append(i)
        elif token.text in (")", "]", "}") and stack:
            closes[i] = stack.pop()
            closes[closes[i]] = i
    return closes


def other_number(text):
    """0 becomes 1, 1 becomes 0, n becomes n + 1."""
    digits = text.rstrip("uUlLfF") if not text.lower().startswith("0x") \
        else text.rstrip("uUlL")
    suffix = text[len(digits):]
    if digits.lower().startswith("0x"):
        return "%#x%s" % (int(digits, 16) + 1, suffix)
    if re.fullmatch(r"\d+", digits):
        value = int(digits, 8 if re.match("0[0-7]", digits) else 10)
        return "%d%s" % (value ^ 1 if value < 2 else value + 1, suffix)
    value = float(digits)
    if "e" in digits.lower():
        return "%r%s" % (value * 2, suffix)
    return "%r%s" % (value + 1, suffix)


class Scan:
    """One file: where its functions are, and the changes found in it."""

    def __init__(self, path, text):
        self.path, self.text = path, text
        self.code, self.rows = blanked(text)
        self.tokens = tokens_of(self.code)
        self.starts = [token.start for token in self.tokens]
        self.partner = partners(self.tokens)
        self.lines = [0]
        for match in re.finditer("\n", text):
            self.lines.append(match.end())
        self.found = []

    # ------------------------------------------------------------- results

    def line_of(self, position):
        low, high = 0, len(self.lines)
        while high - low > 1:
            middle = (low + high) // 2
            if self.lines[middle] <= position:
                low = middle
            else:
                high = middle
        return low + 1

    def add(self, start, end, text, in_code=True):
        first, last = self.line_of(start), self.line_of(max(start, end - 1))
        begin = self.lines[first - 1]
        stop = self.lines[last] - 1 if last < len(self.lines) \
            else len(self.text)
        before = " ".join(self.text[begin:stop].split())
        after = " ".join((self.text[begin:start] + text
                          + self.text[end:stop]).split())
        if before != after:
            self.found.append(Mutant(self.path, start, end, text, first,
                                     self.line_of(self.statement_at(start)),
                                     last, before, after, in_code))

    def statement_at(self, position):
        """Where the statement around a position begins: what evaluates a part
        of it decides whether the changed part runs."""
        at = bisect.bisect_right(self.starts, position) - 1
        while at > 0 and self.tokens[at - 1].text not in (";", "{", "}"):
            at -= 1
        return self.tokens[at].start

    # ------------------------------------------------------------ the scan

    def blocks(self):
        """The kind of each '{': function, block, values, enum or type."""
        kinds, stack = {}, []
        for i, token in enumerate(self.tokens):
            if token.text == "{":
                kinds[i] = self.kind_of_brace(i, stack)
                stack.append(kinds[i])
            elif token.text == "}" and stack:
                stack.pop()
        return kinds

    def kind_of_brace(self, i, stack):
        before = self.tokens[i - 1].text if i else ""
        nearby = [t.text for t in self.tokens[max(0, i - 2):i]]
        if "enum" in nearby:
            return "enum"
        if {"struct", "union"} & set(nearby) and before != ")":
            return "type"
        if not stack or stack[-1] == "type":
            return "function" if before == ")" else "values"
        if stack[-1] == "values":
            return "values"
        if before in ("else", "do", "{", "}", ";", ":"):
            return "block"
        if before == ")":
            word = self.tokens[self.partner[i - 1] - 1]
            return "block" if word.text in CONTROL \
                or word.text.startswith("for_each") else "values"
        return "values"

    def scan(self):
        kinds = self.blocks()
        inside = []
        round_brackets = 0
        for i, token in enumerate(self.tokens):
            round_brackets += (token.text == "(") - (token.text == ")")
            if token.text == "{":
                if kinds[i] == "function":
                    self.returns = self.result_of(i)
                inside.append(kinds[i])
                continue
            if token.text == "}":
                if inside:
                    inside.pop()
                continue
            if "type" in inside:
                continue
            in_function = "function" in inside
            self.operator(i, in_function)
            self.number(i, in_function, inside)
            if in_function and inside[-1] in ("block", "function"):
                self.condition(i)
                if round_brackets == 0 and self.begins_statement(i):
                    self.statement(i)
        self.table_rows()
        return self.found

    def operator(self, i, in_function):
        token = self.tokens[i]
        if token.text == "!" and in_function:
            self.add(token.start, token.end, "")
        if token.text not in SWAPS or i == 0:
            return
        around = self.text[token.start - 1] + self.text[token.end]
        if token.text in SPACED and not around.isspace():
            return
        if token.text == "*" and self.tokens[i - 1].text in TYPES:
            return
        self.add(token.start, token.end, SWAPS[token.text], in_function)
        if token.text == "|" and not in_function \
                and self.tokens[i + 1].kind == "word":
            self.add(token.start, self.tokens[i + 1].end, "")

    def number(self, i, in_function, inside):
        token = self.tokens[i]
        if token.kind != "number" or self.is_array_size(i):
            return
        if "__attribute__" in self.code[self.lines[self.line_of(token.start)
                                                   - 1]:token.start]:
            return
        if not in_function and not inside:
            return                      # a prototype
        self.add(token.start, token.end, other_number(token.text),
                 in_function)

    def is_array_size(self, i):
        """Whether the number stands in the brackets of a declaration."""
        at = i
        while at > 0 and self.tokens[at].text not in ("[", ";", "{", "}", "="):
            at -= 1
        if self.tokens[at].text != "[":
            return False
        while at > 0 and self.tokens[at].text not in (";", "{", "}", "=", "("):
            at -= 1
        return self.tokens[at].text != "=" and self.declares(at + 1)

    def declares(self, i):
        """Whether a declaration begins at token i."""
        first, second, third = (self.tokens + [Token("", "", 0, 0)] * 3)[
            i:i + 3]
        if first.text in TYPES or re.fullmatch(r"u?int\d+_t|__m\d+i?",
                                               first.text):
            return True
        return first.kind == "word" and (
            second.kind == "word" and first.text not in
            ("return", "else", "goto", "case", "sizeof", "do")
            or second.text == "*" and third.kind == "word"
            and self.text[third.start - 1] == "*")

    def condition(self, i):
        token = self.tokens[i]
        if token.text in ("if", "while") and self.tokens[i + 1].text == "(":
            self.negate(i + 2, self.partner[i + 1])
        if token.text == "?":
            at, depth = i - 1, 0
            while at >= 0:
                text = self.tokens[at].text
                if text in (")", "]"):
                    at = self.partner[at]
                elif text in ("(", "[", "{", "}", ";", ",", "return", "?", ":",
                              "case") or text in ASSIGN:
                    break
                at -= 1
            self.negate(at + 1, i)

    def negate(self, first, end):
        start, stop = self.tokens[first].start, self.tokens[end - 1].end
        self.add(start, stop, "!(" + self.text[start:stop] + ")")

    def begins_statement(self, i):
        before = self.tokens[i - 1]
        if before.text in (";", "{", "}", "else", "do"):
            return True
        if before.text == ":":
            return self.tokens[i - 2].text == "default" \
                or self.tokens[i - 3].text == "case"
        if before.text == ")":
            word = self.tokens[self.partner[i - 1] - 1]
            return word.text in CONTROL or word.text.startswith("for_each")
        return False

    def statement(self, i):
        token, end = self.tokens[i], i
        while end < len(self.tokens) and self.tokens[end].text != ";":
            if self.tokens[end].text in ("(", "[", "{"):
                end = self.partner.get(end, end)
            end += 1
        if end >= len(self.tokens):
            return
        stop = self.tokens[end].start
        if token.text in ("break", "continue"):
            self.add(token.start, stop, "")
        elif token.text == "return":
            self.result(i, end)
        elif self.is_expression(i, end):
            self.add(token.start, stop, "")

    def is_expression(self, i, end):
        if self.tokens[i].text in CONTROL | {"case", "default", "do", "else",
                                             "goto", "switch", "{", "}", ";"}:
            return False
        if self.declares(i) or self.tokens[i + 1].text == ":":
            return False
        texts = {t.text for t in self.tokens[i:end]}
        return bool(texts & (ASSIGN | {"++", "--"})) \
            or self.tokens[end - 1].text == ")"

    def result_of(self, brace):
        """What the function whose body begins here returns."""
        at = self.partner[brace - 1] - 1        # its name
        words = []
        while at > 0:
            at -= 1
            if self.tokens[at].text in (";", "}"):
                break
            if self.tokens[at].text == ")":
                at = self.partner[at]
                continue
            words.append(self.tokens[at].text)
        if "*" in words:
            return "pointer"
        for kind in ("struct", "void", "bool", "vf", "vi", "vf4", "vf8"):
            if kind in words:
                return kind
        return "number"

    def result(self, i, end):
        start, stop = self.tokens[i].start, self.tokens[end].start
        if end == i + 1:                        # return;
            self.add(start, stop, "")
            return
        value = self.text[self.tokens[i + 1].start:stop]
        if self.returns == "pointer" and value != "NULL":
            self.add(start, stop, "return NULL")
        elif self.returns == "bool" and value not in ("true", "false"):
            self.add(start, stop, "return !(%s)" % value)
        elif self.returns in ("vf", "vf4", "vf8"):
            self.add(start, stop, "return (%s) + 1.0f" % value)
        elif self.returns in ("number", "vi") \
                and not re.fullmatch(r"\d+", value):
            self.add(start, stop, "return (%s) + 1" % value)

    def table_rows(self):
        """Rows "ROW(...)" of macros: traits, numbers, words of arguments."""
        change = [
            (r"(?<=, )[A-Z]+ \| (?=[A-Z]+)", lambda m: ""),
            (r" \| [A-Z]+(?=[,)])", lambda m: ""),
            (r"(?<=, )(?:ACC|EFFECT|SAVES|CONVOLVES|POOLS|ATTENDS|GATHERS)"
             r"(?=,)", lambda m: "0"),
            (r"\b(?:INPUT|OUTPUT)\b(?=,)",
             lambda m: "OUTPUT" if m.group() == "INPUT" else "INPUT"),
            (r"(?<=, )\d[\d.]*(?=[,)])", lambda m: other_number(m.group())),
            (r"(?<=[\" ][a-zA-Z])\d(?=[^()]*\"\))",
             lambda m: other_number(m.group())),
        ]
        lines = self.text.split("\n")
        for number, line in enumerate(lines):
            inside = any(self.rows[max(0, number - 1):number + 1])
            if not inside or line.startswith("#define"):
                continue
            if not line.startswith("ROW(") and not line.startswith(" "):
                continue
            for pattern, text in change:
                for match in re.finditer(pattern, line):
                    begin = self.lines[number]
                    self.add(begin + match.start(), begin + match.end(),
                             text(match), False)


def mutants_of(path, text):
    if path.endswith(".y"):             # the C after the grammar
        head = text.rfind("\n%%")
        text = re.sub(r"[^\n]", " ", text[:head + 3]) + text[head + 3:]
    return Scan(path, text).scan()
