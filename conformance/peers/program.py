#!/usr/bin/python3
"""The program of a node asks IPF's gateway (2.999.4, ipf/Answering.java): its exit codes, what it shows, the files that it saves.

    program.py ISTHMUS CONFIGURATION FOLDER     FOLDER is made; documents go there
"""

import hashlib
import json
import os
import subprocess
import sys

COMMUNITY, REPOSITORY = "2.999.4", "2.999.4.2"
LETTER, SCAN, LOST = "2.999.4.7.1", "2.999.4.7.2", "2.999.4.7.3"
CONTENT = {
    LETTER: "Dear Dr. Íñigo,\r\n--uuid:\r\n\r\nregards\n".encode(),
    SCAN: bytes(b"\r\n--"[i % 1000] if i % 1000 < 4 else (i * 31 + (i >> 8)) & 255 for i in range(1 << 20)),
}
# name of the case, what the patient's id begins with, exit code, documents
QUERIES = (
    ("IPF: ITI-38 answers, success: the program shows both", "whole", 0, {LETTER, SCAN}),
    ("IPF: ITI-38 answers, empty: the program shows none", "none", 0, set()),
    # REQ: MERGE-partial-success
    ("IPF: ITI-38 answers, partial: the program says so", "part", 3, {SCAN}),
    # REQ: MERGE-errors-passed
    ("IPF: ITI-38 answers, failure: the program says which", "busy", 1, set()),
    # REQ: MERGE-unknown-patient-dropped
    ("IPF: ITI-38 answers, failure: of an unknown patient the program shows none", "stranger", 0, set()),
)
# name of the case, what is asked for, exit code
RETRIEVALS = (
    # REQ: ITI39-retrieve, MTOM-bytes
    ("IPF: ITI-39 answers, success: the program saves the bytes", (LETTER, SCAN), 0),
    # REQ: ITI39-partial-success
    ("IPF: ITI-39 answers, partial: the program saves one of two", (LOST, LETTER), 3),
    ("IPF: ITI-39 answers, failure: the program saves none", (LOST,), 1),
)


def program(isthmus, config, code, command, *words):
    ended = subprocess.run([isthmus, command, "-c", config, "--json", *words], capture_output=True, timeout=60, check=False)
    assert ended.returncode == code, f"exit code {ended.returncode}, not {code}: {ended.stdout.decode()} {ended.stderr.decode()}"
    return json.loads(ended.stdout)


def query(node, patient, code, wanted):
    shown = program(*node, code, "query", "--to", COMMUNITY, "--patient", f"{patient}^^^&{COMMUNITY}.1&ISO")
    facts = {
        (one["unique_id"], one["community"], one["repository"], one["size"], one["title"]) for one in shown["documents"]
    }
    expected = {(one, COMMUNITY, REPOSITORY, len(CONTENT[one]), f"Letter & scan <{one}>") for one in wanted}
    assert facts == expected and len(shown["documents"]) == len(wanted), f"shown: {shown['documents']}"
    assert code == 0 or "XDSRegistryBusy" in json.dumps(shown), f"the error is not shown: {shown}"


def retrieve(node, folder, wanted, code):
    words = [word for one in wanted for word in ("--document", f"{COMMUNITY}/{REPOSITORY}/{one}")]
    program(*node, code, "retrieve", "-o", folder, *words)
    saved = set()
    for place, _, names in os.walk(folder):
        for name in names:
            if not name.startswith("index."):
                with open(os.path.join(place, name), "rb") as file:
                    saved.add(hashlib.sha1(file.read()).hexdigest())
    expected = {hashlib.sha1(CONTENT[one]).hexdigest() for one in wanted if one != LOST}
    assert saved == expected, f"{len(saved)} files, with other bytes than the {len(expected)} documents"


def main():
    isthmus, config, folder = sys.argv[1:]
    os.mkdir(folder)
    node = (isthmus, config)
    cases = [(name, lambda row=row: query(node, *row)) for name, *row in QUERIES]
    cases += [(name, lambda row=row, n=n: retrieve(node, f"{folder}/{n}", *row)) for n, (name, *row) in enumerate(RETRIEVALS)]
    failed = 0
    for name, case in cases:
        try:
            case()
            print(f"ok {name}", flush=True)
        except (AssertionError, KeyError, ValueError, OSError, subprocess.SubprocessError) as why:
            failed += 1
            print(f"not ok {name}\n    {type(why).__name__}: {why}", flush=True)
    print(f"{len(cases) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
