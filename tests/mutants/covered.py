"""Which lines a program's runs go through.

A program is compiled with -g -fsanitize-coverage=trace-pc and linked with
hits.c.  Every basic block begins with a call whose return address marks a byte
of the file that the variable HITS names; the line table says which lines lie
in a block.
"""
import bisect
import os
import re
import subprocess

FLAGS = "-g -fsanitize-coverage=trace-pc"


def output_of(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True,
                          text=True, errors="replace").stdout


class Program:
    def __init__(self, path, root, sources):
        """sources: of its objects, in the order in which they were linked."""
        self.root = os.path.abspath(root) + "/"
        self.base = 0
        self.blocks = []                # return addresses, in order
        self.functions = []             # where functions begin
        self.read_blocks(path)
        self.lines = {}                 # (file, line): blocks
        self.read_lines(path, list(sources))

    def read_blocks(self, path):
        wanted, after = "__sanitizer_cov_trace_pc", False
        for line in output_of("objdump", "-d", "--no-show-raw-insn",
                              path).splitlines():
            if line.endswith(">:"):
                self.functions.append(int(line.split()[0], 16))
            elif after and ":" in line:
                self.blocks.append(int(line.split(":")[0], 16))
                after = False
            if wanted in line and "call" in line:
                after = True
        for line in output_of("readelf", "-lW", path).splitlines():
            if line.split()[:2] == ["LOAD", "0x000000"]:
                self.base = int(line.split()[2], 16)
                break

    def block_of(self, address):
        """The block whose code is there; its call is five bytes long."""
        i = bisect.bisect_right(self.blocks, address + 5) - 1
        f = bisect.bisect_right(self.functions, address) - 1
        if i < 0 or self.blocks[i] <= self.functions[f]:
            i += 1                      # before the first call
        return i

    def read_lines(self, path, sources):
        name = ""
        for line in output_of("readelf", "--debug-dump=decodedline",
                              path).splitlines():
            if line.endswith(":") and " section" not in line:
                name = os.path.normpath(line[:-1].replace("CU: ", ""))
                name = name.replace(self.root, "")
                if "/" not in name:     # the next object
                    while sources and os.path.basename(sources[0]) != name:
                        sources.pop(0)
                    name = sources.pop(0) if sources else name
                continue
            match = re.match(r"\S+\s+(\d+)\s+0x([0-9a-f]+)", line)
            if match:
                self.lines.setdefault((name, int(match.group(1))), set()).add(
                    self.block_of(int(match.group(2), 16)))

    def executed(self, hits):
        """Blocks that the file of hits marks."""
        with open(hits, "rb") as file:
            marks = file.read()
        found, at = set(), marks.find(1)
        while at >= 0:
            found.add(bisect.bisect_left(self.blocks, at + self.base))
            at = marks.find(1, at + 1)
        return found

    def blocks_at(self, path, first, last):
        """Blocks of these lines; None where the line table says nothing.  A
        line that goes on with a statement belongs to the line before."""
        found = set()
        for line in range(first, last + 1):
            found |= self.lines.get((path, line), set())
        for line in range(first - 1, max(0, first - 8), -1):
            if found:
                break
            found = self.lines.get((path, line), set())
        return found or None


class Index:
    """Names of runs by the blocks that they go through."""

    def __init__(self, program):
        self.program, self.runs = program, {}

    def add(self, name, hits):
        self.runs[name] = self.program.executed(hits) \
            if os.path.exists(hits) else set()

    def covering(self, mutant):
        """The runs that go through the mutant's statement, or all of them where
        it stands in a table."""
        blocks = self.program.blocks_at(mutant.path, mutant.first_line,
                                        mutant.last_line) \
            if mutant.in_code else None
        return [name for name, hit in self.runs.items()
                if blocks is None or hit & blocks]
