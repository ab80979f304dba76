"""Whether the tests notice a mutant: the cheapest that can, first."""
import glob
import hashlib
import os
import pickle
import random
import re
import subprocess
import time

import covered
from tree import QUICK, Tree, copy_sources, shell

FAILED = r"FAILED|^\[  FAILED  \]|differ$(?<! 0 differ)"
# Notes its call; what it reads from a temporary folder is kept in another.
WRAPPER = """#!/bin/sh
folder=$PWD
case $folder in
"$TREE"|"$TREE"/*) ;;
*)  folder=$(mktemp -d "$TREE/build/kept.XXXXXX") && cp ./*.rnet "$folder" ;;
esac
printf '%s\\0' "$folder" "$@" >>"$CALLS"
printf '\\n\\0' >>"$CALLS"
exec "$REAL_RNETC" "$@"
"""
# Scripts whose calls of rnetc can be repeated later, and those that cannot.
REPEATED = ["recompute", "facts", "streams", "deep", "expectation", "zoo",
            "docs"]
WHOLE = ["limits", "targets", "cli"]
# Networks do not run these.
APART = r"runtime/(safetensors|tensor|status|memory)"
# With --thorough, last of all, for some files alone: (script, files).
LAST = [
    ("faults", r"compiler/(cli/output|base/|syntax/import|main)|runtime/("
               r"safetensors|memory|pool|tensor|run)"),
    ("processes", r"runtime/(pool|isa|run)"),
    ("kernels", r"runtime/(kernels|scalar)/|runtime/(attention|conv|graph|loss|"
                r"mix|norm|point|pool2d|position|recurrent|rows)\.c"),
    ("pairs", r"compiler/(check|graph|plan|emit/emit_[bklsv])"),
    ("random", r"compiler/(check|graph|plan|emit/emit_[bklsv])"
               r"|runtime/(?!safetensors|tensor|memory|philox)"),
]
SLOW = {"repeat-nodes"}                 # seconds in rnetc
NETWORKS, ODD, MATRIX = 4, 3, 4         # at most, of those whose C changed


class Setup:
    """The tree that is not changed, and what is known of its tests."""

    def __init__(self, source, root):
        self.source, self.root = source, os.path.abspath(root)
        self.tree = Tree(os.path.join(self.root, "base"))
        self.calls = {}                 # name: (folder, arguments)

    def prepare(self):
        known = os.path.join(self.root, "known")
        stamp = self.stamp()
        if os.path.exists(known):
            with open(known, "rb") as file:
                old, self.__dict__ = pickle.load(file)
            if old == stamp:
                return self
            self.__init__(self.source, self.root)
        begun = time.time()
        subprocess.run(["rm", "-rf", self.root], check=True)
        os.makedirs(self.tree.root)
        copy_sources(self.source, self.tree.root)
        self.tree.make("CFLAGS=-O0 -w", "build/rnetc")
        self.tree.make("CFLAGS=-O1 -w", "KERNEL=-O1", "build/librnet.a",
                       "build/librnet_double.a")
        self.tree.learn()
        self.unit_tests()
        self.say("built", begun)
        self.instrument()
        self.say("built once more, with hits", begun)
        self.list_calls()
        self.cover_calls()
        self.say("%d calls of rnetc" % len(self.calls), begun)
        self.cover_units()
        self.say("%d unit tests" % len(self.units), begun)
        self.entries = self.entry_points()
        with open(known, "wb") as file:
            pickle.dump((stamp, self.__dict__), file)
        return self

    def say(self, what, begun):
        print("setup: %s, %d s" % (what, time.time() - begun), flush=True)

    def stamp(self):
        names = subprocess.run(["git", "ls-files", "-z"], cwd=self.source,
                               stdout=subprocess.PIPE, text=True).stdout
        total = hashlib.sha256()
        for name in sorted(names.rstrip("\0").split("\0")):
            path = os.path.join(self.source, name)
            if os.path.exists(path) and not name.startswith(
                    ("docs/pictures", "tests/mutants/")):
                with open(path, "rb") as file:
                    total.update(name.encode() + b"\0" + file.read())
        return total.hexdigest()

    # ---------------------------------------------------------- unit tests

    def unit_tests(self):
        """Objects of the unit tests that are linked with the runtime alone."""
        self.units = {}
        for path in sorted(glob.glob(self.tree.at("tests/unit/test_*.c"))):
            name = os.path.basename(path)[:-2]
            text = self.tree.run(["make", "-n", "-B", "CFLAGS=-O1 -w",
                                  "KERNEL=-O1", "build/tests/" + name])[1]
            for line in text.replace("\\\n", " ").splitlines():
                if " -o build/tests/" + name + " " not in line:
                    continue
                head, tail = line.split(" -o build/tests/" + name + " ")
                sources = re.findall(r"\S+\.c\b", tail)
                if len(sources) != 1:
                    continue
                libraries = " ".join(w for w in tail.split()
                                     if w.startswith("-"))
                made = "build/units/%s.o" % name
                os.makedirs(self.tree.at("build/units"), exist_ok=True)
                head = re.sub(r" -(MMD|MP|g)\b", "", head)
                if self.tree.run("%s -c -o %s %s" % (head, made,
                                                     sources[0]))[0] == 0:
                    self.units[name] = [made, libraries, 0]

    # ------------------------------------------------------------ coverage

    def instrument(self):
        """rnetc and the runtime as a shared library, with hits."""
        hits = os.path.dirname(os.path.abspath(__file__)) + "/hits.c"
        os.makedirs(self.tree.at("build/hits"))
        groups = {"rnetc": [], "librnet.so": []}
        for name, command in self.tree.commands.items():
            if name.startswith("build/double/"):
                continue
            group = "rnetc" if name.startswith("build/compiler/") \
                else "librnet.so"
            made = "build/hits/" + name[len("build/"):]
            os.makedirs(os.path.dirname(self.tree.at(made)), exist_ok=True)
            text = command.replace(" -o " + name, " %s %s -o %s" % (
                covered.FLAGS, "-fPIC" if group != "rnetc" else "-fno-pie",
                made))
            if self.tree.run(text)[0] != 0:
                raise SystemExit("mutants: " + text)
            groups[group].append(made)
        self.compiler, self.runtime = [
            covered.Index(self.program(group, objects, hits))
            for group, objects in groups.items()]

    def program(self, group, objects, hits):
        how = "-shared -fPIC" if group != "rnetc" else "-no-pie -fno-pie"
        text = "cc %s -g -o build/hits/%s %s %s -lm -pthread" % (
            how, group, hits, " ".join(objects))
        status, said = self.tree.run(text)
        if status != 0:
            raise SystemExit("mutants: %s\n%s" % (text, said))
        sources = [self.tree.commands["build/" + o[len("build/hits/"):]]
                   .split()[-1] for o in objects]
        return covered.Program(self.tree.at("build/hits/" + group),
                               self.tree.root, ["hits.c", *sources])

    def hits(self):
        return os.path.join(self.root, "hits")

    def forget_hits(self):
        if os.path.exists(self.hits()):
            os.unlink(self.hits())

    # ------------------------------------------------------ calls of rnetc

    def list_calls(self):
        """Every call whose output says something: kind:name."""
        tree = self.tree.root
        for path in sorted(glob.glob(tree + "/tests/diag/check/*.rnet")):
            name = os.path.basename(path)[:-5]
            options = path[:-5] + ".options"
            words = open(options).read().split() \
                if os.path.exists(options) else []
            self.calls["diag:" + name] = (
                "tests/diag/check", ["--check", *words, name + ".rnet"])
        script = open(tree + "/tests/golden_c.sh").read()
        cases = re.search(r'cases="([^"]*)"', script).group(1).split()
        for path in cases:
            self.add_network("golden:" + os.path.basename(path)[:-5], [path])
        for path in sorted(glob.glob(tree + "/tests/networks/*.rnet")):
            path = os.path.relpath(path, tree)
            self.add_network("network:" + os.path.basename(path)[:-5], [path])
        for line in open(tree + "/tests/examples.list"):
            words = line.split()
            if words and words[0] != "#":
                self.add_network("network:" + words[0],
                                 ["examples/" + words[1], *words[2:]])
        for path in sorted(glob.glob(tree + "/tests/odd/*.rnet")):
            path = os.path.relpath(path, tree)
            self.add_network("odd:" + os.path.basename(path)[:-5], [path])
        self.list_matrix()
        self.list_reports()

    def list_reports(self):
        """Of some networks all that cli.sh asks of each."""
        files = sorted(glob.glob(self.tree.at("tests/networks/*.rnet")))
        for path in files[::6]:
            for report in ("--summary", "--summary=json", "--dot",
                           "--dump=ast", "--dump=graph", "--dump=grad",
                           "--dump=fuse", "--dump=plan", "--dump=c"):
                name = os.path.basename(path)[:-5]
                self.calls["report:%s:%s" % (name, report)] = (
                    ".", ["-w", report, os.path.relpath(path,
                                                        self.tree.root)])

    def add_network(self, name, words):
        self.calls[name] = (".", [*words, "-o", "@out.c"])

    def list_matrix(self):
        os.makedirs(self.tree.at("build/matrix"), exist_ok=True)
        said = self.tree.run(
            "awk -v out=build/matrix -f tests/matrix.awk "
            "compiler/graph/ops.h compiler/check/layers_*.c "
            "compiler/check/streams.c tests/matrix.txt"
            if "streams.c" in open(self.tree.at("tests/matrix.sh")).read()
            else "awk -v out=build/matrix -f tests/matrix.awk "
            "compiler/graph/ops.h compiler/check/layers_*.c "
            "tests/matrix.txt")[1]
        for line in said.splitlines()[::8]:
            name = line.split()[0]
            self.add_network("matrix:" + name,
                             ["build/matrix/%s.rnet" % name])

    def cover_calls(self):
        real = self.tree.at("build/hits/rnetc")
        env = {"HITS": self.hits()}
        for name, (folder, words) in list(self.calls.items()):
            self.cover(name, self.call, real, folder, words, env)
        wrapper = os.path.join(self.root, "wrapper")
        with open(wrapper, "w", encoding="utf-8") as file:
            file.write(WRAPPER)
        os.chmod(wrapper, 0o755)
        for script in REPEATED:
            self.note_calls(script, wrapper, real, env)
        for script in WHOLE:
            self.forget_hits()
            self.tree.run(["sh", "tests/%s.sh" % script],
                          env={"RNETC": real, "REPORTS": "no", **env})
            self.compiler.add("script:" + script, self.hits())
        self.references()

    def note_calls(self, script, wrapper, real, env):
        log = os.path.join(self.root, "calls")
        if os.path.exists(log):
            os.unlink(log)
        self.tree.run(["sh", "tests/%s.sh" % script],
                      env={"RNETC": wrapper, "REAL_RNETC": real,
                           "CALLS": log, "TREE": self.tree.root})
        self.repeat(script, log, real, env)

    def repeat(self, script, log, real, env):
        with open(log, encoding="utf-8") as file:
            lines = file.read().split("\n\0")
        seen = set()
        for line in lines[:-1]:
            folder, *words = line.rstrip("\0").split("\0")
            if "-o" in words:
                words[words.index("-o") + 1] = "@out.c"
            words = [w.replace(self.tree.root + "/", "") for w in words]
            folder = os.path.relpath(folder, self.tree.root)
            if any(w.startswith("/") for w in words) \
                    or (folder, *words) in seen:
                continue                # it was in a temporary folder
            seen.add((folder, *words))
            name = "%s:%d" % (script, len(seen))
            self.calls[name] = folder, words
            self.cover(name, self.call, real, folder, words, env)

    def cover(self, name, run, *words):
        self.forget_hits()
        run(*words)
        self.compiler.add(name, self.hits())

    def call(self, rnetc, folder, words, env=None, root=None, seconds=20):
        """A digest of all that a call says and writes; None: too long."""
        root = root or self.tree.root
        out = os.path.join(root, "build", "out.c")
        for path in (out, out[:-1] + "h"):
            if os.path.exists(path):
                os.unlink(path)
        words = [os.path.relpath(out, os.path.join(root, folder))
                 if w == "@out.c" else w for w in words]
        status, said = shell([rnetc, *words], os.path.join(root, folder),
                             seconds=seconds, env=env)
        if status is None:
            return None
        total = hashlib.sha256(("%d\n%s" % (status, said)).encode())
        for path in (out, out[:-1] + "h"):
            if os.path.exists(path):
                with open(path, "rb") as file:
                    total.update(b"\0" + file.read())
        return total.hexdigest()

    def references(self):
        self.wanted, self.cost = {}, {}
        for name, (folder, words) in self.calls.items():
            begun = time.time()
            self.wanted[name] = self.call(self.tree.at("build/rnetc"), folder,
                                          words)
            self.cost[name] = time.time() - begun

    # -------------------------------------------------------- the runtime

    def cover_units(self):
        """With kernels that have hits each unit test runs once."""
        for name, unit in self.units.items():
            made = "build/hits/" + name
            self.tree.run("cc -o %s %s build/hits/librnet.so %s "
                          "-Wl,-rpath,$PWD/build/hits"
                          % (made, unit[0], unit[1]))
            self.forget_hits()
            self.tree.run([self.tree.at(made)], env={"HITS": self.hits()})
            self.runtime.add(name, self.hits())
            plain = "build/units/" + name
            self.tree.run("cc -o %s %s build/librnet.a %s"
                          % (plain, unit[0], unit[1]))
            begun = time.time()
            self.tree.run([self.tree.at(plain)])
            unit[2] = time.time() - begun

    def entry_points(self):
        """The runtime's functions that each network's C calls."""
        found = {}
        for name, (folder, words) in self.calls.items():
            if name.startswith("network:"):
                self.call(self.tree.at("build/rnetc"), folder, words)
                with open(self.tree.at("build/out.c"),
                          encoding="utf-8") as file:
                    text = file.read()
                found[name.split(":")[1]] = (
                    len(text), set(re.findall(r"\brnet_\w+(?=\()", text)))
        return found


class Judge:
    """Judges mutants in a tree of its own."""

    def __init__(self, setup, root, thorough=False):
        self.setup, self.thorough = setup, thorough
        subprocess.run(["rm", "-rf", root], check=True)
        subprocess.run(["cp", "-a", setup.tree.root, root], check=True)
        self.tree = Tree(root)
        self.tree.commands = setup.tree.commands
        self.tree.needs = setup.tree.needs
        self.units = setup.units

    def judge(self, mutant):
        """(verdict, by what): noticed, SURVIVED, equivalent or broken."""
        self.random = random.Random(mutant.before + mutant.after)
        self.tree.change(mutant)
        try:
            return self.of_compiler(mutant) \
                if mutant.path.startswith("compiler/") \
                else self.of_runtime(mutant)
        finally:
            self.tree.restore()

    # ------------------------------------------------------------ compiler

    def of_compiler(self, mutant):
        changed = self.tree.compile(self.tree.objects_of(mutant.path))
        if changed is None or changed and not self.tree.link_rnetc():
            return "broken", "does not compile"
        if not changed:
            return "equivalent", "the same object code"
        if mutant.path.startswith(("compiler/base/", "compiler/syntax/")) \
                and self.script("golden", 60):
            return "noticed", "golden.sh"
        runs = self.setup.compiler.covering(mutant)
        if not runs:
            return "SURVIVED", "no test runs it"
        by = self.by_calls(runs)
        if by:
            return "noticed", by
        for script in WHOLE:
            if "script:" + script in runs \
                    and self.script(script, 300, REPORTS="no"):
                return "noticed", script + ".sh"
        if any(self.differs(n) for n in self.of_kind(runs, "report")) \
                and self.script("cli", 300):
            return "noticed", "cli.sh, reports"
        return self.by_last(mutant) or (
            "SURVIVED", "%d tests run it" % len(runs))

    def by_last(self, mutant):
        for script, files in LAST:
            if self.thorough and re.match(files, mutant.path) \
                    and os.path.exists(self.tree.at("tests/%s.sh" % script)) \
                    and self.script(script, 120, JOBS="1"):
                return "noticed", script + ".sh"
        return None

    def script(self, name, seconds, *words, **env):
        """Whether tests/NAME.sh fails."""
        status, _ = self.tree.run(["sh", "tests/%s.sh" % name, *words],
                                  seconds=seconds, stop=FAILED, env=env)
        return status != 0

    def differs(self, name):
        folder, words = self.setup.calls[name]
        said = self.setup.call(self.tree.at("build/rnetc"), folder, words,
                               root=self.tree.root,
                               seconds=2 + int(20 * self.setup.cost[name]))
        return said != self.setup.wanted[name]

    def of_kind(self, runs, kind):
        found = [r for r in runs if r.startswith(kind + ":")
                 and r.split(":")[1] not in SLOW]
        self.random.shuffle(found)
        return found

    def by_calls(self, runs):
        for kind, script in (("golden", "golden_c.sh"),
                             ("diag", "golden_check.sh")):
            for name in self.of_kind(runs, kind):
                if self.differs(name):
                    return "%s: %s" % (script, name.split(":")[1])
        for kind, most, check in (("network", NETWORKS, self.network),
                                  ("odd", ODD, self.odd),
                                  ("matrix", MATRIX, self.matrix)):
            by = self.by_networks(self.of_kind(runs, kind), most, check)
            if by:
                return by
        for script in REPEATED:
            if any(self.differs(n) for n in self.of_kind(runs, script)) \
                    and self.script(script, 120):
                return script + ".sh"
        for name in SLOW:
            if "diag:" + name in runs and self.differs("diag:" + name):
                return "golden_check.sh: " + name
        return None

    def by_networks(self, names, most, check):
        tried = 0
        for name in names:
            if tried == most:
                break
            if self.differs(name):
                tried += 1
                if check(name.split(":")[1]):
                    return "%s.sh: %s" % ("networks" if check == self.network
                                          else name.split(":")[0],
                                          name.split(":")[1])
        return None

    def network(self, name):
        return self.script("networks", 120, name, JOBS="1")

    def odd(self, name):
        return self.script("odd", 120, "tests/odd/%s.rnet" % name)

    def matrix(self, name):
        return self.script("matrix", 120, name, JOBS="1")

    # ------------------------------------------------------------- runtime

    def of_runtime(self, mutant):
        objects = self.tree.objects_of(mutant.path)
        kernels = [o for o in objects
                   if re.match(r"build/runtime/(base|avx)", o)]
        sets = sorted({o.split("/")[2] for o in kernels})
        units = self.unit_order(mutant)
        stages = [[o for o in objects if o not in kernels]]
        stages += [[o for o in kernels if o.split("/")[2] == s]
                   for s in sorted(sets, key=["avx2", "avx512",
                                              "base"].index)]
        any_changed = False
        for stage in stages:
            if not stage:
                continue
            changed = self.tree.compile(stage)
            if changed is None:
                return "broken", "does not compile"
            if not changed:
                continue
            any_changed = True
            if not self.tree.link_runtime():
                return "broken", "does not link"
            for name in units:
                if self.unit(name):
                    return "noticed", name
        if not any_changed:
            return "equivalent", "the same object code"
        for name in [] if re.match(APART, mutant.path) \
                else self.networks_of(mutant):
            if self.network(name):
                return "noticed", "networks.sh: " + name
        return self.by_last(mutant) or (
            "SURVIVED", "%d unit tests run it" % len(units))

    def unit_order(self, mutant):
        family = "test_" + os.path.basename(mutant.path).rsplit(".", 1)[0]
        names = [n for n in self.setup.runtime.covering(mutant)
                 if n in self.units]
        return sorted(names, key=lambda n: (n != family, self.units[n][2]))

    def unit(self, name):
        made, libraries, seconds = self.units[name]
        program = "build/units/" + name
        if self.tree.run("cc -o %s %s build/librnet.a %s"
                         % (program, made, libraries))[0] != 0:
            return False
        status, _ = self.tree.run([self.tree.at(program)], stop=FAILED,
                                  seconds=10 + int(10 * seconds))
        return status != 0

    def networks_of(self, mutant):
        """Networks that call entry points of the mutant's family, few."""
        family = os.path.basename(mutant.path).rsplit(".", 1)[0]
        entry = self.tree.at("runtime/%s.c" % family)
        names = set()
        if os.path.exists(entry):
            with open(entry, encoding="utf-8") as file:
                names = set(re.findall(r"^(?:\w+ )*\**(rnet_\w+)\(",
                                       file.read(), re.M))
        found = sorted(n for n, (_, calls) in self.setup.entries.items()
                       if calls & names) or sorted(self.setup.entries)
        self.random.shuffle(found)
        found.sort(key=lambda n: -len(self.setup.entries[n][1] & names))
        return found[:2] + self.random.sample(found[2:],
                                              min(2, len(found) - 2)) \
            if len(found) > 4 else found
