"""The list of mutations: reading, writing and applying it.

A line is: name, file, change, program, test, rule (tabs between). Lines with one name are one mutation.
In a change, {{old ==> new}} is what is replaced; the text around it says where. A space stands for any white space.
"""

import re

COLUMNS = ("name", "file", "change", "program", "test", "rule")
MARK = re.compile(r"\{\{(.*?) ==> (.*?)\}\}")
# A condition that is still computed, for what it stores, and no longer asked.
CONSTANTS = {"never": "(({}), false)", "always": "(({}), true)"}


class Mutation:
    def __init__(self, name, program, test, rule):
        self.name, self.program, self.test, self.rule = name, program, test, rule
        self.edits = []  # (file, change)

    @property
    def files(self):
        return sorted({file for file, _ in self.edits})


def load(path):
    everything = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.startswith("#") or not line.strip():
                continue
            cells = line.rstrip("\n").split("\t")
            if len(cells) != len(COLUMNS):
                raise SystemExit(f"{path}:{number}: {len(cells)} columns; expected {len(COLUMNS)}: {', '.join(COLUMNS)}")
            name, source, change, program, test, rule = cells
            mutation = everything.setdefault(name, Mutation(name, program, test, rule))
            if (mutation.program, mutation.test) != (program, test):
                raise SystemExit(f"{path}:{number}: {name} has two killers; lines with one name are one mutation")
            mutation.edits.append((source, change))
    return list(everything.values())


def save(path, everything):
    with open(path, encoding="utf-8") as file:
        comments = [line for line in file if line.startswith("#")]
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(comments)
        for one in everything:
            for source, change in one.edits:
                file.write("\t".join((one.name, source, change, one.program, one.test, one.rule)) + "\n")


def pattern_of(text):
    """The text literally, but for its spaces."""
    return r"\s+".join(re.escape(word) for word in re.split(r"\s+", text))


def replace_once(text, change):
    """The text with the change made; None when its place is not found exactly once."""
    pattern, replacements, end = "", [], 0
    for mark in MARK.finditer(change):
        old, new = mark.groups()
        pattern += pattern_of(change[end : mark.start()]) + "(" + pattern_of(old) + ")"
        replacements.append(CONSTANTS.get(new, new))
        end = mark.end()
    pattern += pattern_of(change[end:])
    found = list(re.finditer(pattern, text))
    if len(found) != 1 or not replacements:
        return None
    pieces, at = [], 0
    for group, new in enumerate(replacements, 1):
        old = found[0].group(group)
        pieces += [text[at : found[0].start(group)], new.replace("{}", old) if new in CONSTANTS.values() else new]
        at = found[0].end(group)
    return "".join(pieces) + text[at:]


def mutated(root, mutation):
    """File to text, for the files that the mutation changes; None when the list is stale."""
    texts = {}
    for source, change in mutation.edits:
        try:
            if source not in texts:
                with open(f"{root}/{source}", encoding="utf-8") as file:
                    texts[source] = file.read()
        except FileNotFoundError:
            return None
        texts[source] = replace_once(texts[source], change)
        if texts[source] is None:
            return None
    return texts


def problem_of(root, mutation):
    if mutated(root, mutation) is None:
        return f"the list is stale: its text is not found exactly once in {', '.join(mutation.files)}"
    return None


def killer_problem_of(root, mutation):
    """Does the program's source name the test?"""
    try:
        with open(f"{root}/tests/unit/{mutation.program}.c", encoding="utf-8") as file:
            text = file.read()
            if f'"{mutation.test}"' in text or f"TEST({mutation.test})" in text:
                return None
    except FileNotFoundError:
        pass
    return f"the list is stale: tests/unit/{mutation.program}.c has no test \"{mutation.test}\""
