#!/usr/bin/env python3
"""Changes the sources of the compiler and the runtime at random, one place at
a time, and counts how many changes the tests notice: see tests/mutants.sh."""
import argparse
import fnmatch
import multiprocessing
import os
import random
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import sites
from judge import Judge, Setup
from tree import built_tree, is_noticed

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def all_mutants(glob):
    names = subprocess.run(["git", "ls-files", "compiler", "runtime"],
                           cwd=ROOT, stdout=subprocess.PIPE, check=True,
                           text=True).stdout.split()
    found = []
    for name in sorted(names):
        if name.endswith((".c", ".h", ".re", ".y")) \
                and fnmatch.fnmatch(name, glob):
            with open(os.path.join(ROOT, name), encoding="utf-8") as file:
                found += sites.mutants_of(name, file.read())
    return found


def draw(mutants, count, seed):
    """A line at random, then one of its mutants; no mutant twice."""
    lines = {}
    for mutant in mutants:
        lines.setdefault((mutant.path, mutant.line), []).append(mutant)
    keys, chance, drawn = sorted(lines), random.Random(seed), []
    while keys and len(drawn) < count:
        at = chance.randrange(len(keys))
        line = lines[keys[at]]
        drawn.append(line.pop(chance.randrange(len(line))))
        if not line:
            keys[at] = keys[-1]
            keys.pop()
    return drawn


def listed(name):
    """{(file, before, after): the words below} of a list beside this file."""
    known, path, lines = {}, "", []
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        for line in file:
            if line.startswith("- "):
                lines = [line[2:].strip()]
            elif line.startswith("+ "):
                lines.append(line[2:].strip())
            elif line.startswith("  ") and len(lines) == 2:
                key = (path, *lines)
                known[key] = (known.get(key, "") + " " + line.strip()).strip()
            elif line.strip() and not line.startswith("#"):
                path = line.strip()
    return known


def survivors_of(log, mutants):
    """The mutants that a log says survived."""
    with open(log, encoding="utf-8") as file:
        lines = file.read().split("\n")
    names = {(line.split(":")[0], lines[i + 1][4:], lines[i + 2][4:])
             for i, line in enumerate(lines) if ": SURVIVED: " in line}
    found = {(m.path, m.before[:200], m.after[:200]): m for m in mutants}
    return [found[name] for name in sorted(names) if name in found]


def work(number, setup, thorough, todo, done):
    try:
        judge = Judge(setup, os.path.join(setup.root, "job%d" % number),
                      thorough)
        while True:
            item = todo.get()
            if item is None:
                return
            begun = time.time()
            done.put((item, judge.judge(item), time.time() - begun))
    except BaseException as error:      # the others must not wait for it
        done.put((None, ("error", repr(error)), 0))
        raise


def describe(mutant, verdict, by, seconds, reason):
    print("%s:%d: %s: %s  (%.1f s)\n  - %s\n  + %s" % (
        mutant.path, mutant.line, verdict, by, seconds, mutant.before[:200],
        mutant.after[:200]))
    if reason:
        print("  " + reason)
    sys.stdout.flush()


def run_slice(build):
    """The changes of slice.txt, each in a copy of the build."""
    found = {(m.path, m.before, m.after): m for m in all_mutants("*")}
    root = os.path.join(ROOT, build, "mutants_slice")
    tree = built_tree(os.path.join(ROOT, build), root)
    good = bad = 0
    for key, test in listed("slice.txt").items():
        if key in found and is_noticed(tree, found[key], test):
            good += 1
        else:
            bad += 1
            print("%s: %s, not noticed by %s" % (key[0], key[2], test)
                  if key in found else "%s: no such change: %s" % key[::2])
    print("%d passed, %d failed" % (good, bad))
    return bad > 0


def main():
    parser = argparse.ArgumentParser(prog="mutants.sh")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", default="*")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--thorough", action="store_true",
                        help="faults and random networks judge as well")
    parser.add_argument("--only", metavar="FILE", help="the survivors of a log")
    parser.add_argument("--build", default=os.path.join(ROOT,
                                                        "build/mutants"))
    parser.add_argument("--slice", metavar="BUILD")
    options = parser.parse_args()
    if options.slice:
        return run_slice(options.slice)
    known = listed("survivors.txt")
    setup = Setup(ROOT, options.build).prepare()
    drawn = draw(all_mutants(options.files), options.count, options.seed)
    if options.only:
        drawn = survivors_of(options.only, all_mutants(options.files))
    todo, done = multiprocessing.Queue(), multiprocessing.Queue()
    for mutant in drawn + [None] * options.jobs:
        todo.put(mutant)
    workers = [multiprocessing.Process(target=work, args=(
        k, setup, options.thorough, todo, done))
               for k in range(options.jobs)]
    for worker in workers:
        worker.start()
    count = {"noticed": 0, "SURVIVED": 0, "equivalent": 0, "broken": 0}
    known_ones = 0
    for _ in drawn:
        mutant, (verdict, by), seconds = done.get()
        if mutant is None:
            raise SystemExit("mutants: " + by)
        reason = known.get((mutant.path, mutant.before, mutant.after)) \
            if verdict == "SURVIVED" else None
        count[verdict] += 1
        known_ones += reason is not None
        describe(mutant, verdict, by, seconds, reason)
    for worker in workers:
        worker.join()
    counted = count["noticed"] + count["SURVIVED"]
    print("%d drawn: %d do not compile, %d are the same code, %d noticed, "
          "%d survived, %d of them listed" % (
              len(drawn), count["broken"], count["equivalent"],
              count["noticed"], count["SURVIVED"], known_ones))
    print("figure mutants: %d" % counted)
    print("figure mutants noticed: %.1f %%"
          % (100 * count["noticed"] / max(1, counted)))
    return counted > 0 and count["noticed"] * 10 < counted * 9


if __name__ == "__main__":
    sys.exit(main())
