#!/usr/bin/env python3
"""table.py BUILD: lines and branches that ran, of all objects of a build with
gcov's counters (tests/coverage.sh).

A branch is one way out of a condition: of each operand of && and ||, of each ?:,
of each loop, and each case of a switch.  It counts as taken if any object that a
source was compiled into took it: kernels are compiled for each instruction set,
the scalar twins in float and in double.  Headers and the C in lex.re and parse.y
count as sources; the automaton and the tables that re2c and Bison make of them
do not: their branches are theirs.

Writes BUILD/uncovered: file:line, which of the line's branches, the line.
"""
import collections
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

PARTS = ("compiler", "runtime")


class Line:
    """Counts of one line; its branches, by how many an object has there."""

    def __init__(self):
        self.count = 0
        self.variants = {}

    def add(self, count, branches):
        self.count += count
        known = self.variants.setdefault(len(branches), [0] * len(branches))
        for i, branch in enumerate(branches):
            known[i] += branch

    def branches(self):
        """Those of the objects that have most: others decide by constants."""
        return self.variants[max(self.variants)] if self.variants else []


def counted(build):
    for folder, _, names in os.walk(build):
        for name in names:
            if name.endswith(".gcno"):
                yield os.path.join(folder, name)


def gcov(notes):
    """gcov's reports on some objects."""
    made = subprocess.run(["gcov", "-b", "-j", "-t", *notes],
                          capture_output=True, text=True, check=True)
    return [json.loads(line) for line in made.stdout.splitlines()
            if line.startswith("{")]


def source_of(path, folder):
    """Where it stands in the project, or None for files of others."""
    path = os.path.relpath(os.path.join(folder, path))
    ours = path.split(os.sep)[0] in PARTS
    return path if ours and os.path.exists(path) else None


def add_report(files, report):
    folder = report["current_working_directory"]
    for entry in report["files"]:
        path = source_of(entry["file"], folder)
        if path is None:
            continue
        here = collections.defaultdict(lambda: [0, []])
        for line in entry["lines"]:
            found = here[line["line_number"]]
            found[0] += line["count"]
            found[1] += [b["count"] for b in line["branches"]]
        for number, (count, branches) in here.items():
            files[path][number].add(count, branches)


def read(build):
    files = collections.defaultdict(lambda: collections.defaultdict(Line))
    notes = sorted(counted(build))
    groups = [notes[i:i + 16] for i in range(0, len(notes), 16)]
    with ThreadPoolExecutor(2) as pool:
        for reports in pool.map(gcov, groups):
            for report in reports:
                add_report(files, report)
    return files


def totals(lines):
    """Lines that ran, all; branches that were taken, all."""
    ran = sum(1 for line in lines if line.count)
    branches = [count for line in lines for count in line.branches()]
    return [ran, len(lines), sum(1 for count in branches if count),
            len(branches)]


def percent(good, of):
    return 100 * good / of if of else 100.0


def row(name, t):
    print(f"{name:42} {t[0]:6} {t[1]:6} {percent(t[0], t[1]):6.1f}"
          f" {t[2]:6} {t[3]:6} {percent(t[2], t[3]):6.1f}")


def uncovered(out, path, lines):
    text = open(path, encoding="utf-8").read().splitlines()
    if max(lines) > len(text):
        sys.exit(f"table.py: {path} has changed since the build")
    for number in sorted(lines):
        branches = lines[number].branches()
        missed = [str(i + 1) for i, count in enumerate(branches) if not count]
        if missed:
            which = "all" if len(missed) == len(branches) \
                else ",".join(missed)
            print(f"{path}:{number}: {which} of {len(branches)}:"
                  f" {text[number - 1].strip()}", file=out)


def main(build):
    files = read(build)
    sums = {part: [0, 0, 0, 0] for part in PARTS}
    print(f"{'file':42} {'ran':>6} {'lines':>6} {'%':>6}"
          f" {'taken':>6} {'branch':>6} {'%':>6}")
    with open(os.path.join(build, "uncovered"), "w", encoding="utf-8") as out:
        for path in sorted(files):
            counts = totals(files[path].values())
            row(path, counts)
            part = sums[path.split(os.sep)[0]]
            part[:] = [a + b for a, b in zip(part, counts)]
            uncovered(out, path, files[path])
    for part in PARTS:
        row(part, sums[part])
    for part in PARTS:
        ran, lines, taken, branches = sums[part]
        print(f"figure branch coverage of the {part}:"
              f" {percent(taken, branches):.1f} %")
        print(f"figure line coverage of the {part}:"
              f" {percent(ran, lines):.1f} %")


if __name__ == "__main__":
    main(sys.argv[1])
