"""What must hold when the whole run is over: an honest partner is served, nothing leaks or grows, every refusal has its record, the journal
is whole, and every line of the log is one event, in UTF-8, as JSON, whatever was in names, ids and headers.
"""

import json
import re
import unicodedata

from oracle import Result

GROWTH_KB_MAX = 64 * 1024  # of the resident set over the whole run: caches and arenas that are kept; not a leak per message
SANITIZED_GROWTH_KB_MAX = 512 * 1024  # the quarantine of freed memory grows to its own limit
DESCRIPTORS_MAX = 16


def result_of(name, problems):
    result = Result(name, "after the run", where="node")
    result.benign = 1
    result.failures = problems[:30]
    return result


def check_honest(range_):
    problems = []
    for transaction in ("ITI-55", "ITI-38", "ITI-39"):
        if not range_.is_honest_served(transaction):
            problems.append(f"an honest {transaction} is no longer answered")
    return result_of("AFTER-HONEST", problems)


# ---- log ----


def is_harmless(text):
    """No control or format character, no line or paragraph separator: nothing that shapes what an operator sees."""
    return not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in text)


def problems_of_line(line):
    try:
        text = line.decode("utf-8")
        event = json.loads(text)
    except ValueError as problem:
        return f"a line is not UTF-8 and JSON ({problem}): {line[:160]!r}"
    if not isinstance(event, dict) or "event" not in event:
        return f"a line is no event: {text[:160]}"
    if not is_harmless(text):
        return f"a line holds characters that shape it: {text[:200]!r}"
    return None


def check_log(range_, patient_data):
    lines = range_.node.log_bytes().split(b"\n")
    problems = [problem for line in lines[:-1] if (problem := problems_of_line(line))]
    if lines[-1]:
        problems.append(f"the last line does not end: {lines[-1][:160]!r}")
    text = b"\n".join(lines)
    for word in (b"AddressSanitizer", b"runtime error:", b"LeakSanitizer", b"ThreadSanitizer", b"stack smashing", b"Assertion `"):
        if word in text:
            at = text.index(word)
            problems.append(f"{word.decode()}: {text[max(0, at - 200) : at + 800].decode('utf-8', 'replace')}")
    problems += [f"patient data in the log: {word!r}" for word in patient_data if word.encode() in text]
    return result_of("AFTER-LOG", problems)


# ---- journal ----


def failed_by(record):
    return record["event"].get("outcome", 0) != 0


def check_audit(range_, rows):
    """Every transaction in the log has exactly one outcome in the journal, by the same error; so has every refused identity of TLS."""
    records = []
    for line in range_.node.audit().split(b"\n"):
        if line:
            records.append(json.loads(line.decode("utf-8")))
    by_txn, refused_connections = {}, 0
    for record in records:
        txn = record["event"].get("transaction_id")
        if txn:
            by_txn.setdefault(txn, []).append(record)
        elif record["event"]["type"] == "authentication-failure":
            refused_connections += 1
    problems, refusals = [], 0
    for event in range_.node.events():
        if event.get("event") == "connection-refused":
            refusals += rows.is_security(event.get("error"))
        elif event.get("event") == "txn-done":
            problems += problems_of_records(rows, event, by_txn.get(event["txn"], []))
    if refusals != refused_connections:
        problems.append(f"{refusals} connections were refused for their identity, and {refused_connections} records say so")
    for text in (text for record in records for text in record["event"].values() if isinstance(text, str)):
        if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text):
            problems.append(f"a control character in a record: {text[:120]!r}")
    is_whole, said = range_.node.verify_audit()
    if not is_whole:
        problems.append(f"isthmus audit verify: {said[:600]}")
    return result_of("AFTER-AUDIT", problems)


def problems_of_records(rows, event, records):
    error = event.get("error", "")
    if len(records) != 1:
        return [f"transaction {event['txn']} ({event['verdict']} {error}) has {len(records)} records; expected one"]
    record = records[0]["event"]
    if event["verdict"] == "refused" and (not failed_by(records[0]) or error not in record.get("outcome_text", "")):
        return [f"transaction {event['txn']}: the log says {error}, the record {record.get('outcome')} {record.get('outcome_text')!r}"]
    if rows.is_security(error) and record["type"] != "authentication-failure":
        return [f"transaction {event['txn']}: {error} is recorded as {record['type']}"]
    return []


# ---- process ----


def check_process(range_):
    node = range_.node
    problems = []
    if not node.is_alive():
        return result_of("AFTER-PROCESS", ["the node is dead"])
    is_sanitized = b"libasan" in open(f"/proc/{node.process.pid}/maps", "rb").read()  # pylint: disable=consider-using-with
    most = SANITIZED_GROWTH_KB_MAX if is_sanitized else GROWTH_KB_MAX
    grown = node.memory_kb()[0] - node.rss_at_start_kb
    if grown > most:
        problems.append(f"the resident set grew by {grown} KB; at most {most}")
    if node.descriptors() > node.descriptors_at_start + DESCRIPTORS_MAX:
        problems.append(f"{node.descriptors()} descriptors are open, {node.descriptors_at_start} at the start")
    code = node.stop()
    if code != 0:
        problems.append(f"it ended with code {code} when it was told to stop")
    result = result_of("AFTER-PROCESS", problems)
    result.worst_memory_kb = max(0, grown)
    return result


def after_all(range_, rows):
    """Stops the node."""
    if range_.node is None:
        return [check_honest(range_)]
    if not range_.node.is_alive():
        return [result_of("AFTER-PROCESS", ["the node is dead"])]
    results = [check_honest(range_), check_process(range_)]
    return results + [check_log(range_, ["Ibarra", "Nuria", "19700102"]), check_audit(range_, rows)]
