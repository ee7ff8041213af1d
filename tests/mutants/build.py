"""Compiles a changed file by itself and links it in front of the library, in a folder that is thrown away.

The linker takes what the changed object defines and leaves the library's own member where it is: neither the sources nor what was
built are touched. The folder is inside of the build folder, because programs find their data from where they are.
"""

import os
import re
import shlex
import subprocess
import tempfile
import threading

import mutations

SECONDS_MAX = 300  # of one test program, whose waits for what never comes take 90 s each
VARIABLES = ("COMPILE", "CCLD", "AM_CFLAGS", "CFLAGS", "AM_LDFLAGS", "LDFLAGS", "LIBS")
VERDICT = re.compile(r"(passed|FAILED)$", re.MULTILINE)
TEST_LINE = re.compile(r"^  Test: (.*?) \.\.\.", re.MULTILINE)


class BuildError(Exception):
    pass


class Outcome:
    """What a run of a test program said: which tests passed, which did not, and how it ended."""

    def __init__(self, code, text):
        parts = TEST_LINE.split(text)
        said = dict(zip(parts[1::2], parts[2::2]))
        last = parts[-2] if said else None
        # CUnit writes the verdict behind the name; what the test itself wrote may stand between. A test that broke off has none.
        self.passed = [name for name, text in said.items() if VERDICT.findall(text)[:1] == ["passed"]]
        self.failed = [name for name in said if name not in self.passed and (name == last or VERDICT.search(said[name]))]
        if code is None and last in self.failed:
            self.failed.remove(last)  # a busy machine is no proof
        if code is None:
            self.how = f"does not end within {SECONDS_MAX} s"
        elif code < 0:
            self.how = f"ends by signal {-code}"
        else:
            self.how = "fails" if code else "passes"


class Kit:
    """How this build folder compiles and links; and which tests pass as things are."""

    def __init__(self, root, folder):
        self.root, self.folder = root, folder
        self.variables = self.ask_make(VARIABLES)
        self.programs = {}  # name to objects and libraries
        self.unchanged = {}
        self.lock = threading.Lock()

    def ask_make(self, names):
        script = "include Makefile\nask-variables:\n" + "".join(f"\t@echo '{name}=$({name})'\n" for name in names)
        done = subprocess.run(["make", "-s", "-C", self.folder, "-f", "-", "ask-variables"], input=script, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"run: make in {self.folder} does not answer: {done.stderr[-500:]}")
        return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)

    def scratch(self):
        return tempfile.TemporaryDirectory(prefix="mutant-", dir=f"{self.folder}/tests")

    def parts_of(self, program):
        with self.lock:
            if program not in self.programs:
                stem = f"tests_unit_{program}"
                asked = self.ask_make((f"{stem}_OBJECTS", f"{stem}_LDADD", f"{stem}_LDFLAGS"))
                objects = asked[f"{stem}_OBJECTS"].split()
                if not objects:
                    raise BuildError(f"{program} is no test program of {self.folder}")
                libraries = [*shlex.split(asked[f"{stem}_LDFLAGS"]), *asked[f"{stem}_LDADD"].split()]
                self.programs[program] = objects, libraries
            return self.programs[program]

    def call(self, command, what):
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise BuildError(f"{what} failed: {(done.stderr or done.stdout).strip()[-600:]}")

    def compile(self, source, text, folder):
        """The changed file stands where its folder's own includes find nothing else; all ours are by -iquote from the root."""
        stem = source.replace("/", "-")[: -len(".c")]
        copy, made = f"{folder}/{stem}.c", f"{folder}/{stem}.o"
        if os.path.exists(made):
            return made
        with open(copy, "w", encoding="utf-8") as file:
            file.write(text)
        command = shlex.split(self.variables["COMPILE"])
        self.call([*command, "-O0", "-g0", "-U_FORTIFY_SOURCE", "-w", "-iquote", os.path.dirname(f"{self.root}/{source}"), "-c", "-o", made, copy],
                  f"compiling {source}")
        return made

    def link(self, mutation, program, folder):
        objects, libraries = self.parts_of(program)
        changed = [self.compile(source, text, folder) for source, text in mutations.mutated(self.root, mutation).items()]
        made = f"{folder}/{program}"
        flags = [flag for name in VARIABLES[1:6] for flag in shlex.split(self.variables[name])]
        self.call([*flags, "-o", made, *objects, *changed, *libraries, *shlex.split(self.variables["LIBS"])], f"linking {program}")
        return made

    def run(self, program, test):
        environment = {**os.environ, "top_srcdir": self.root, "srcdir": self.root}
        if test is not None:
            environment["UNIT_UNTIL"] = test
        try:
            done = subprocess.run([program], cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=SECONDS_MAX)
            return Outcome(done.returncode, done.stdout.decode("utf-8", "replace"))
        except subprocess.TimeoutExpired as late:
            return Outcome(None, (late.stdout or b"").decode("utf-8", "replace"))

    def passes_unchanged(self, program, test):
        """Does it, as things are? A program is run once."""
        with self.lock:
            if program not in self.unchanged:
                path = f"{self.folder}/tests/unit/{program}"
                if not os.path.exists(path):
                    raise BuildError(f"{path} is not built: make check TESTS=")
                self.unchanged[program] = self.run(path, None).passed
            return test in self.unchanged[program]
