"""The program of a node asks IPF's gateway (2.999.4, ipf/Answering.java): its exit codes, what it shows, the files that it saves."""

import hashlib
import json
import os
import re
import subprocess
import time

COMMUNITY, REPOSITORY = "2.999.4", "2.999.4.2"
IBARRA = f"whole^^^&{COMMUNITY}.1&ISO"
LETTER, SCAN, LOST = "2.999.4.7.1", "2.999.4.7.2", "2.999.4.7.3"
CONTENT = {
    LETTER: "Dear Dr. Íñigo,\r\n--uuid:\r\n\r\nregards\n".encode(),
    SCAN: bytes(b"\r\n--"[i % 1000] if i % 1000 < 4 else (i * 31 + (i >> 8)) & 255 for i in range(1 << 20)),
}
# name of the case, family name, exit code, what it shows
DISCOVERIES = (
    ("IPF: ITI-55 answers, success: the program shows the match", "Ibarra", 0, "match"),
    ("IPF: ITI-55 answers, empty: the program shows none", "Nobody", 0, "no-match"),
    ("IPF: ITI-55 answers, failure: the program says so", "Busy", 1, "failed"),
)
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
    ended = subprocess.run([isthmus, command, "-c", config, *words], capture_output=True, timeout=60, check=False)
    assert ended.returncode == code, f"exit code {ended.returncode}, not {code}: {ended.stdout.decode()} {ended.stderr.decode()}"
    return json.loads(ended.stdout) if "--json" in words else ended.stdout.decode()


def person(community, family):
    return ("--to", community, "--fresh", "--family", family, "--given", "Nuria", "--birth-date", "1970-01-02", "--sex", "F")


def judge(shown, community, status, patient):
    (row,) = shown["communities"]
    found = (row["community"], row["status"], row["patient_id"])
    assert found == (community, status, patient if status == "match" else ""), f"shown: {row}"


def discover(node, community, patient, family, code, status, *words):
    """<patient>: the id that comes when the status is a match; <words>: more of the command line."""
    judge(program(*node, code, "discover", "--json", *person(community, family), *words), community, status, patient)


def discover_deferred(node, community, patient, family, code, status, *words):
    """The answer goes to the serving node, where it lies until it is collected."""
    said = program(*node, 0, "discover", "--deferred", *person(community, family), *words)
    (question,) = re.findall(r"--collect (urn:uuid:[0-9a-f-]+)", said)
    isthmus, config = node
    for _ in range(100):
        words = [isthmus, "discover", "-c", config, "--collect", question, "--json"]
        ended = subprocess.run(words, capture_output=True, timeout=60, check=False)
        if b"has not answered yet" not in ended.stdout + ended.stderr:
            break
        time.sleep(0.1)
    assert ended.returncode == code, f"exit code {ended.returncode}, not {code}: {ended.stdout.decode()} {ended.stderr.decode()}"
    judge(json.loads(ended.stdout), community, status, patient)


def query(node, patient, code, wanted):
    shown = program(*node, code, "query", "--json", "--to", COMMUNITY, "--patient", f"{patient}^^^&{COMMUNITY}.1&ISO")
    facts = {
        (one["unique_id"], one["community"], one["repository"], one["size"], one["title"]) for one in shown["documents"]
    }
    expected = {(one, COMMUNITY, REPOSITORY, len(CONTENT[one]), f"Letter & scan <{one}>") for one in wanted}
    assert facts == expected and len(shown["documents"]) == len(wanted), f"shown: {shown['documents']}"
    assert code == 0 or "XDSRegistryBusy" in json.dumps(shown), f"the error is not shown: {shown}"


def retrieve(node, folder, wanted, code):
    words = [word for one in wanted for word in ("--document", f"{COMMUNITY}/{REPOSITORY}/{one}")]
    program(*node, code, "retrieve", "--json", "-o", folder, *words)
    saved = set()
    for place, _, names in os.walk(folder):
        for name in names:
            if not name.startswith("index."):
                with open(os.path.join(place, name), "rb") as file:
                    saved.add(hashlib.sha1(file.read()).hexdigest())
    expected = {hashlib.sha1(CONTENT[one]).hexdigest() for one in wanted if one != LOST}
    assert saved == expected, f"{len(saved)} files, with other bytes than the {len(expected)} documents"


def cases_of(node, folder, mode=""):
    """Each case's name has this mode behind its "answers"."""
    os.mkdir(folder)
    rows = [(name, discover, (COMMUNITY, IBARRA, *row)) for name, *row in DISCOVERIES]
    rows += [(name, query, row) for name, *row in QUERIES]
    rows += [(name, retrieve, (f"{folder}/{n}", *row)) for n, (name, *row) in enumerate(RETRIEVALS)]
    return [(name.replace("answers,", f"answers{mode},"), lambda case=case, row=row: case(node, *row)) for name, case, row in rows]


def cases(isthmus, config, later, folder):
    """<later>: of a node that serves, and asks asynchronously; documents go to <folder>."""
    rows = cases_of((isthmus, config), folder) + cases_of((isthmus, later), folder + "/async", " async")
    for name, *row in DISCOVERIES:
        rows.append((name.replace("answers,", "answers deferred,"), lambda row=row: discover_deferred((isthmus, later), COMMUNITY, IBARRA, *row)))
    return rows
