"""The text of .rnet files as a tree: a second reader, written from
docs/GRAMMAR.md, which knows nothing of the compiler's.

A node is a tuple: (kind, ...).  Chains and expressions:
    ("number", n)  ("name", text)  ("call", text, [(name or None, node)])
    ("member", node, word)  ("list", [node])  ("negate", node)
    ("binary", sign, left, right)  ("condition", if, then, else)
    ("flow", [node])  ("as", node, name)  ("group", [item])
    ("repeat", count, index or None, body)  ("stream", kind, body)
    ("checkpoint", body)
Items of a body:
    ("line", node)  ("value", name, node)  ("shared", name, node)
    ("shortcut" | "scale" | "drop" | "then" | "init" | "loss", node)
    ("norm", node, place, weights)  ("input", name, type or None, [axis])
    ("output", name, node or None)  ("if", condition, [item], [item])
"""
import re

TOKEN = re.compile(r"""
    (?P<blank>[ \t\f\r\n]+ | //[^\n]* | /\*.*?\*/)
  | (?P<real>\d+\.\d+(?:[eE][+-]?\d+)? | \d+[eE][+-]?\d+)
  | (?P<integer>\d+)
  | (?P<word>[A-Za-z_]\w*)
  | (?P<text>"[^"\n]*")
  | (?P<sign>-> | \.\. | \|\| | && | == | != | <= | >= | [-+*/^?:,.()\[\]{}<>=])
""", re.X | re.S | re.A)

KEYWORDS = set("""import as network block shortcut norm scale drop then input
    output loss init shared if else before after around weights graph repeat
    stream frozen checkpoint""".split())

# loosest first; all but the last associate to the left
LEVELS = [["||"], ["&&"], ["==", "!="], ["<", ">", "<=", ">="], ["+", "-"],
          ["*", "/"]]


class Misread(Exception):
    """Text that this reader does not know."""


def tokens(text):
    at, found = 0, []
    text = text.lstrip("\ufeff")
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise Misread("character %r" % text[at])
        if match.lastgroup != "blank":
            found.append((match.lastgroup, match.group()))
        at = match.end()
    return found + [("end", "")]


class Reader:
    def __init__(self, text):
        self.tokens, self.at = tokens(text), 0

    # ---- tokens

    def peek(self, *texts):
        kind, text = self.tokens[self.at]
        return kind in ("word", "sign") and text in texts

    def kind(self, ahead=0):
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)][0]

    def text(self, ahead=0):
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)][1]

    def take(self):
        self.at += 1
        return self.tokens[self.at - 1][1]

    def take_if(self, *texts):
        return self.take() if self.peek(*texts) else None

    def need(self, text):
        if not self.take_if(text):
            raise Misread("'%s' where '%s' belongs" % (self.text(), text))

    def name(self):
        if self.kind() != "word" or self.text() in KEYWORDS:
            raise Misread("'%s' where a name belongs" % self.text())
        return self.take()

    def separated(self, read, end):
        """What `read` reads, with commas between, up to a bracket."""
        found = []
        while not self.take_if(end):
            found.append(read())
            if not self.peek(end):
                self.need(",")
        return found

    # ---- files

    def file(self):
        imports, networks, blocks = [], {}, {}
        while self.kind() != "end":
            word = self.take()
            if word == "import":
                imports.append(self.take()[1:-1])
                continue
            if word not in ("network", "block"):
                raise Misread("declaration '%s'" % word)
            name = self.name()
            parameters = self.separated(self.parameter, ")") \
                if self.take_if("(") else []
            (networks if word == "network" else blocks)[name] = (parameters,
                                                                 self.body())
        return imports, networks, blocks

    def parameter(self):
        name = self.name()
        return name, self.chain() if self.take_if("=") else None

    def body(self):
        self.need("{")
        items = []
        while not self.take_if("}"):
            items.append(self.item())
        return items

    # ---- items

    def item(self):
        word = self.text()
        if word in ("shortcut", "scale", "drop", "then", "init", "loss"):
            self.take()
            return word, self.chain()
        reader = {"norm": self.norm, "input": self.input, "if": self.choice,
                  "output": self.output, "shared": self.shared}.get(word)
        if reader:
            self.take()
            return reader()
        if self.kind() == "word" and self.text(1) == "=" \
                and word not in KEYWORDS:
            name = self.take()
            self.take()
            return "value", name, self.chain()
        return "line", self.chain()

    def norm(self):
        chain = self.chain()
        place = self.take()
        if place not in ("before", "after", "around"):
            raise Misread("place '%s'" % place)
        return "norm", chain, place, bool(self.take_if("weights"))

    def input(self):
        name = self.name()
        if self.take_if("graph"):
            return "input", name, "graph", []
        kind = self.name() if self.kind() == "word" else None
        self.need("[")
        return "input", name, kind, self.separated(self.axis, "]")

    def axis(self):
        return ("rest",) if self.take_if("..") else self.expression()

    def output(self):
        name = self.name()
        return "output", name, self.chain() if self.take_if("=") else None

    def shared(self):
        name = self.name()
        self.need("=")
        return "shared", name, self.chain()

    def choice(self):
        condition, chosen = self.expression(), self.body()
        other = []
        if self.take_if("else"):
            other = [self.choice()] if self.take_if("if") else self.body()
        return "if", condition, chosen, other

    # ---- chains

    def chain(self):
        node = self.flow()
        if not self.take_if("?"):
            return node
        yes = self.chain()
        self.need(":")
        return "condition", node, yes, self.chain()

    def flow(self):
        links = [self.expression()]
        while self.peek("->", "as"):
            if self.take() == "as":
                links[-1] = ("as", links[-1], self.name())
            else:
                links.append(self.expression())
        return links[0] if len(links) == 1 else ("flow", links)

    def expression(self, level=0):
        if level == len(LEVELS):
            return self.negated()
        left = self.expression(level + 1)
        while self.peek(*LEVELS[level]):
            sign = self.take()
            left = "binary", sign, left, self.expression(level + 1)
        return left

    def negated(self):
        if self.take_if("-"):
            return "negate", self.negated()
        base = self.atom()
        if not self.take_if("^"):
            return base
        return "binary", "^", base, self.negated()

    def atom(self):
        kind, text = self.kind(), self.text()
        if kind in ("integer", "real"):
            self.take()
            return "number", int(text) if kind == "integer" else float(text)
        if self.take_if("("):
            node = self.chain()
            self.need(")")
            return node
        if self.take_if("["):
            return "list", self.separated(self.chain, "]")
        if text in ("{", "repeat", "stream", "checkpoint"):
            return self.group()
        return self.called(self.name())

    def group(self):
        if self.peek("{"):
            return "group", self.body()
        word = self.take()
        if word == "checkpoint":
            return "checkpoint", self.group()
        if word == "stream":
            return "stream", self.called(self.name()), self.group()
        count = self.expression()
        index = self.name() if self.take_if("as") else None
        return "repeat", count, index, ("group", self.body())

    def called(self, name):
        node = ("name", name)
        if self.take_if("("):
            node = "call", name, self.separated(self.argument, ")")
        while self.take_if("."):
            node = "member", node, self.take()
        return node

    def argument(self):
        if self.kind() == "word" and self.text(1) == "=":
            name = self.take()
            self.take()
            return name, self.chain()
        if self.kind() == "word" and self.text() in KEYWORDS \
                and self.text() not in ("repeat", "stream", "checkpoint"):
            return None, ("name", self.take())  # gated(shortcut)
        return None, self.chain()
