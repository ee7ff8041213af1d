"""What becomes of the cases: the judge's verdicts, what xmlsec1 and the naive reader make of them, and the failures."""

import concurrent.futures
import json
import os
import subprocess
from dataclasses import dataclass, field

import naive
from signing import SAML, WSU

CPU_MS_MAX = 50  # in a release build; 5 ms is what we want, and what is reported
MEMORY_KB_MAX = 64 * 1024  # of one request
JUDGE_SECONDS = 600


@dataclass
class Result:
    """Of one class."""

    name: str
    source: str
    where: str = "in process"
    benign: int = 0
    made: int = 0
    bites: int = 0
    refused: int = 0
    accepted: int = 0
    harmless: int = 0  # accepted with exactly the facts that were written, where that is no harm
    worst_cpu_ms: float = 0.0
    worst_memory_kb: int = 0
    errors: dict = field(default_factory=dict)  # error name -> how many
    failures: list = field(default_factory=list)

    def line(self):
        names = ("benign", "made", "bites", "refused", "accepted", "harmless", "worst_cpu_ms", "worst_memory_kb", "where")
        return {"class": self.name, **{name: getattr(self, name) for name in names}}


def peer_file(world, peer):
    return world.parties[peer].tls_certificate if peer in world.parties else (peer or "")


def write_cases(world, folder, cases, system=None):
    """The bodies as files, and the judge's manifest. <cases>: pairs of an id and a case. <system>: they are a local system's."""
    os.makedirs(folder, exist_ok=True)
    lines = []
    for number, (name, case) in enumerate(cases):
        path = f"{folder}/{number:05d}.body"
        with open(path, "wb") as file:
            file.write(case.body)
        if case.xml is not None:
            with open(path + ".xml", "wb") as file:
                file.write(case.xml)
        lines.append(
            {
                "id": name,
                "path": case.path,
                "content_type": case.content_type,
                "body": path,
                "peer": peer_file(world, case.peer),
                "now_us": case.now or world.now_us,
                "warm": case.benign and case.answer is None,
                **({"answer": case.answer} if case.answer else {}),
                **({"system": system} if system else {}),
            }
        )
    with open(f"{folder}/manifest", "w", encoding="utf-8") as file:  # so that a judge can be run again by hand, as under perf
        file.writelines(json.dumps(line) + "\n" for line in lines)
    return lines


def judge_some(world, lines, config):
    """What one judge says of some lines, its complaints and its exit code."""
    manifest = "".join(json.dumps(line) + "\n" for line in lines).encode()
    command = [f"{world.build}/tests/attack/judge", config, *(["--one-engine"] if world.has_one_engine else [])]
    return subprocess.run(
        command, input=manifest, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=JUDGE_SECONDS, check=False
    )


def judge(world, lines, log, config=None):
    """Verdicts by id; a crash after the verdict replaces it. One judge a processor."""
    judges = os.cpu_count() or 2
    verdicts = {}
    with concurrent.futures.ThreadPoolExecutor(judges) as pool:
        parts = [part for part in (lines[i::judges] for i in range(judges)) if part]
        runs = list(pool.map(lambda part: judge_some(world, part, config or world.config), parts))
    for done in runs:
        complaints = done.stderr.decode("utf-8", "replace")
        with open(log, "a", encoding="utf-8") as file:
            file.write(complaints)
        for text in done.stdout.decode("utf-8", "replace").splitlines():
            verdict = json.loads(text)
            if "id" in verdict:
                verdicts[verdict["id"]] = verdict
            else:
                world.memory_method = verdict["memory_method"]
        if done.returncode != 0:
            raise RuntimeError(f"the judge ended with {done.returncode}: {complaints[-2000:]}")
    return verdicts


def count_engines(verdicts):
    """Signatures that both engines computed, those that the profile engine knew, and bytes that both digested."""
    counts = [verdict.get("engines", {}) for verdict in verdicts.values()]
    return tuple(sum(count.get(name, 0) for count in counts) for name in ("signatures", "known", "bytes"))


# ---- does it bite? ----


def tool_accepts(world, path, case):
    """Does xmlsec1 with its defaults accept the signature: the document's first, or the one that the case is about?"""
    command = ["xmlsec1", "--verify", "--id-attr:ID", SAML + ":Assertion", "--id-attr:Id", WSU + ":Timestamp"]
    command += ["--trusted-pem", world.ca, "--pubkey-cert-pem", world.p1.signer.path, *case.tool]
    command += ["--node-xpath", case.signature, path] if case.signature else [path]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False)
    return done.returncode == 0


def naive_reads(case):
    try:
        facts = naive.read(case.xml if case.xml is not None else case.body)
    except Exception:  # noqa: BLE001 - what it cannot read it does not believe
        return False
    return all(facts.get(name) == value for name, value in case.forged.items())


def bite(world, path, case):
    return bool(case.forged) and naive_reads(case) and tool_accepts(world, path, case)


def bites(world, pairs):
    """<pairs>: files and cases. How many of them bite, each looked at."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        return list(pool.map(lambda pair: bite(world, *pair), pairs))


# ---- the oracle ----


def differences(wanted, got):
    """Facts that are not what was signed."""
    found = []
    for name in sorted(set(wanted) | set(got)):
        if name == "timestamp_signature":  # no fact of its own: it is the key under which a replay is known
            continue
        if wanted.get(name) != got.get(name):
            found.append(f"{name}: {got.get(name)!r} instead of {wanted.get(name)!r}")
    return found


def why_failed(case, refused_as, verdict):
    """None, or what is wrong with a verdict."""
    if verdict is None:
        return "the judge said nothing"
    if verdict["verdict"] in ("crashed", "timed-out"):
        return f"{verdict['verdict']}: {verdict.get('text', '')}"
    difference = verdict.get("engines", {}).get("difference")
    if difference:
        return f"the two engines differ: {difference}"
    if verdict["verdict"] == "accepted":
        wrong = differences(case.facts, verdict["facts"])
        if wrong:
            return "accepted, with forged facts: " + "; ".join(wrong)
        return None if case.benign or case.harmless else "accepted, though it must be refused"
    reason = f"{verdict['error']} ({verdict.get('text', '')})"
    if case.benign:
        return f"a good message was refused: {reason}"
    wanted = case.expect or refused_as
    if verdict["error"] not in wanted:
        return f"refused as {reason}; expected {', '.join(sorted(wanted))}"
    return None


def weigh(result, name, case, verdict, is_release):
    """Counts a verdict into the class's result."""
    if verdict is None:
        return
    if verdict["verdict"] == "accepted":
        result.harmless += case.harmless
        result.accepted += not case.benign and not case.harmless
    elif verdict["verdict"] == "refused":
        result.refused += not case.benign
        result.errors[verdict["error"]] = result.errors.get(verdict["error"], 0) + 1
    cpu_ms, memory_kb = verdict.get("cpu_us", 0) / 1000, verdict.get("memory_peak", 0) // 1024
    result.worst_cpu_ms = max(result.worst_cpu_ms, round(cpu_ms, 2))
    result.worst_memory_kb = max(result.worst_memory_kb, memory_kb)
    if is_release and cpu_ms > CPU_MS_MAX:
        result.failures.append(f"{name}: {cpu_ms:.1f} ms of CPU; at most {CPU_MS_MAX}")
    if memory_kb > MEMORY_KB_MAX:
        result.failures.append(f"{name}: {memory_kb} KB; at most {MEMORY_KB_MAX}")


def assess(world, kind, cases, verdicts, bitten, is_release):
    """The result of one class. <cases>: pairs of id and case; <bitten>: ids of those that bite (None: nobody has looked)."""
    result = Result(kind.name, kind.source)
    for name, case in cases:
        result.made += not case.benign
        result.benign += case.benign
        result.bites += name in (bitten or ())
        weigh(result, name, case, verdicts.get(name), is_release)
        problem = why_failed(case, kind.refused_as, verdicts.get(name))
        if problem:
            result.failures.append(f"{name}: {problem}")
    if result.benign == 0:
        result.failures.append("the class has no benign twin, so refusing everything would pass")
    if result.made == 0:
        result.failures.append("the class has no attack")
    if bitten is not None and kind.claims_signature and result.bites == 0:
        result.failures.append("it claims a valid signature, but xmlsec1 or the naive reader does not fall for it")
    return result
