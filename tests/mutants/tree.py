"""A copy of the sources with a build of its own, in which one file at a time is
changed and changed back."""
import os
import re
import resource
import shutil
import signal
import subprocess

QUICK = "-std=gnu11 -D_GNU_SOURCE -ffp-contract=fast"
LIMIT_BYTES = 6 << 30
LIMIT_FILE = 1 << 30


def shell(command, cwd, seconds=600, env=None, stop=None, **more):
    """Runs a command in a session of its own.  Gives (status, output); status
    None after `seconds` of its processors' time (or four times that by the
    clock), or when a line of its output matches `stop`: it is ended then."""
    def limits():
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT_FILE, LIMIT_FILE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    process = subprocess.Popen(
        command, cwd=cwd, env=dict(os.environ, **(env or {})),
        shell=isinstance(command, str), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=limits,
        text=True, errors="replace", **more)
    lines, ended = [], False

    def end(*_):
        nonlocal ended
        ended = True
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    signal.signal(signal.SIGALRM, end)
    signal.alarm(4 * seconds + 20)
    try:
        for line in process.stdout:
            lines.append(line)
            if stop and re.search(stop, line):
                end()
                break
        process.wait()
    finally:
        signal.alarm(0)
        if process.poll() is None:
            end()
            process.wait()
        process.stdout.close()
    return None if ended else process.returncode, "".join(lines)


class Tree:
    def __init__(self, root):
        self.root = os.path.abspath(root)
        self.build = os.path.join(self.root, "build")
        self.saved = {}                 # path: (bytes, times)

    def at(self, path):
        return os.path.join(self.root, path)

    def run(self, command, **more):
        return shell(command, self.root, **more)

    def make(self, *words):
        status, text = self.run(["make", "-s", *words], seconds=1800)
        if status != 0:
            raise SystemExit("mutants: make %s:\n%s" % (" ".join(words), text))

    # ------------------------------------------------------------ commands

    def learn(self):
        """How the Makefile compiles each object, and what each depends on."""
        self.commands, self.needs = {}, {}
        for flags, goals in (
                ("-O0 -w", "build/rnetc"),
                ("-O1 -w", "build/librnet.a build/librnet_double.a")):
            text = self.run(["make", "-n", "-B", "CFLAGS=" + flags,
                             "KERNEL=-O1", *goals.split()])[1]
            for line in text.replace("\\\n", " ").splitlines():
                match = re.search(r" -c -o (\S+\.o) ", line)
                if match:
                    self.commands[match.group(1)] = re.sub(
                        r" -(MMD|MP|g)\b", "", line)
        for name in self.commands:
            with open(self.at(name[:-2] + ".d"), encoding="utf-8") as file:
                rule = file.read().replace("\\\n", " ").split("\n", 1)[0]
            for source in rule.split(":", 1)[1].split():
                source = os.path.normpath(source)
                self.needs.setdefault(source, []).append(name)
        for made, source in (("build/compiler/syntax/lex.c",
                              "compiler/syntax/lex.re"),
                             ("build/compiler/syntax/parse.c",
                              "compiler/syntax/parse.y")):
            self.needs[source] = [made[:-2] + ".o"]

    def objects_of(self, path):
        return self.needs.get(path, [])

    # ------------------------------------------------------------- changes

    def save(self, path):
        if path not in self.saved:
            with open(self.at(path), "rb") as file:
                self.saved[path] = file.read(), os.stat(self.at(path))

    def change(self, mutant):
        self.save(mutant.path)
        text = self.saved[mutant.path][0].decode()
        with open(self.at(mutant.path), "w", encoding="utf-8") as file:
            file.write(text[:mutant.start] + mutant.text
                       + text[mutant.end:])
        if mutant.path.endswith((".c", ".h")):  # `make` has nothing to do
            times = self.saved[mutant.path][1]
            os.utime(self.at(mutant.path),
                     ns=(times.st_atime_ns, times.st_mtime_ns))

    def compile(self, objects):
        """Which of these objects changed; None when one does not compile."""
        changed = []
        for name in objects:
            self.save(name)
            made = name[:-2] + ".c"
            if name.startswith("build/compiler/syntax") \
                    and os.path.exists(self.at(made)):
                self.save(made)
                if self.run(["make", "-s", made])[0] != 0:
                    return None
            if self.run(self.commands[name], seconds=120)[0] != 0:
                return None
            with open(self.at(name), "rb") as file:
                if file.read() != self.saved[name][0]:
                    changed.append(name)
        return changed

    def restore(self):
        for path, (text, status) in self.saved.items():
            with open(self.at(path), "wb") as file:
                file.write(text)
            os.chmod(self.at(path), status.st_mode)
            os.utime(self.at(path), ns=(status.st_atime_ns,
                                        status.st_mtime_ns))
        self.saved.clear()

    # --------------------------------------------------------------- links

    def link_rnetc(self):
        objects = sorted(n for n in self.commands
                         if n.startswith("build/compiler/"))
        self.save("build/rnetc")
        os.unlink(self.at("build/rnetc"))
        return self.run(["cc", "-o", "build/rnetc", *objects, "-lm"])[0] == 0

    def link_runtime(self):
        for archive, double in (("build/librnet.a", False),
                                ("build/librnet_double.a", True)):
            objects = sorted(n for n in self.commands if
                             n.startswith("build/double/") == double
                             and not n.startswith("build/compiler/"))
            self.save(archive)
            os.unlink(self.at(archive))
            if self.run(["ar", "rcs", archive, *objects])[0] != 0:
                return False
        return True


def copy_sources(source, root):
    """The files that git knows, as they are now, with their times."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=source, check=True,
                           stdout=subprocess.PIPE, text=True).stdout
    for name in names.rstrip("\0").split("\0"):
        if os.path.exists(os.path.join(source, name)):
            to = os.path.join(root, name)
            os.makedirs(os.path.dirname(to), exist_ok=True)
            shutil.copy2(os.path.join(source, name), to)


def built_tree(build, root):
    """A copy of the sources and of what the Makefile built of them."""
    subprocess.run(["rm", "-rf", root], check=True)
    tree = Tree(root)
    copy_sources(os.path.dirname(build), root)
    os.makedirs(tree.build)
    for name in ("compiler", "runtime", "double", "rnetc", "librnet.a",
                 "librnet_double.a"):
        subprocess.run(["cp", "-a", os.path.join(build, name), tree.build],
                       check=True)
    tree.learn()
    return tree


def is_noticed(tree, mutant, test):
    """Whether a script, or the unit test of that name, fails."""
    tree.change(mutant)
    objects = [o for o in tree.objects_of(mutant.path)
               if not re.match("build/runtime/(base|avx512)", o)]
    try:
        if not tree.compile(objects):
            return False
        if test.endswith(".sh"):
            return tree.link_rnetc() and tree.run(["sh", "tests/" + test])[0]
        return tree.link_runtime() and tree.run(
            "cc %s -O1 -w -I. -Iruntime -Itests -o build/%s "
            "tests/unit/%s.c build/librnet.a -lcmocka -lm -pthread"
            % (QUICK, test, test))[0] == 0 \
            and tree.run([tree.at("build/" + test)])[0]
    finally:
        tree.restore()
