#!/usr/bin/python3
"""A syslog collector (RFC 5425) that is killed, stopped and reset, and the comparison of what it got with the journal.

  collector.py serve --port P --certificate FILE --key FILE --ca FILE --out FILE   until it is killed; SIGUSR2 resets connections
  collector.py torment (the same) --seed N --said FILE                             SIGUSR1: leaves it alone from then on
  collector.py check --journal DIR --out FILE --tried N [--json]                   one row
"""

import argparse
import hashlib
import json
import os
import random
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

MAGIC_RECORD = b"\xfeIAR"
RECORD_HEAD = 80
EVENT = 1


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("serve", "torment", "check"))
    for name in ("port", "seed", "tried"):
        parser.add_argument(f"--{name}", type=int, default=1)
    for name in ("certificate", "key", "ca", "out", "said", "journal"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


# ---- the collector ----


class Collector:
    """What arrives is on its way to the disk before the next message is looked at: a line of PROCID and digest."""

    def __init__(self, options):
        self.out = os.open(options.out, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(options.certificate, options.key)
        self.context.load_verify_locations(options.ca)
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.open = set()
        self.listener = socket.create_server(("127.0.0.1", options.port))
        signal.signal(signal.SIGUSR2, lambda *_: self.reset())

    def reset(self):
        for one in list(self.open):
            try:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                os.close(one.detach())
            except OSError:
                pass

    def take(self, message):
        procid = message.split(b" ", 6)[4]
        line = procid + b" " + hashlib.sha256(message).hexdigest().encode() + b"\n"
        os.write(self.out, line)

    def frames(self, held):
        """Takes the whole frames, and gives back the rest."""
        while True:
            length, space, rest = held.partition(b" ")
            if not space or len(rest) < int(length):
                return held
            self.take(rest[: int(length)])
            held = rest[int(length) :]

    def talk(self, plain):
        try:
            line = self.context.wrap_socket(plain, server_side=True, suppress_ragged_eofs=False)
        except OSError:
            plain.close()
            return
        self.open.add(line)
        held = b""
        try:
            while data := line.recv(65536):
                held = self.frames(held + data)
            line.unwrap()  # the farewell is answered when all is kept
        except (OSError, ValueError):
            pass
        self.open.discard(line)
        line.close()

    def run(self):
        while True:
            plain, _ = self.listener.accept()
            threading.Thread(target=self.talk, args=(plain,), daemon=True).start()


# ---- who torments it ----


class Tormentor:
    def __init__(self, options):
        self.options, self.random = options, random.Random(options.seed)
        self.is_calm, self.counts, self.child = False, {"killed": 0, "stalled": 0, "reset": 0}, None
        signal.signal(signal.SIGUSR1, lambda *_: setattr(self, "is_calm", True))
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    def start(self):
        kept = ("port", "certificate", "key", "ca", "out")
        command = [sys.executable, os.path.abspath(__file__), "serve"]
        for name in kept:
            command += [f"--{name}", str(getattr(self.options, name))]
        self.child = subprocess.Popen(command)

    def wait(self, least, most):
        time.sleep(self.random.uniform(least, most))

    def once(self):
        kind = self.random.choice(sorted(self.counts))
        self.counts[kind] += 1
        if kind == "killed":
            self.child.kill()
            self.child.wait()
            self.wait(0, 0.8)
            self.start()
        elif kind == "stalled":
            self.child.send_signal(signal.SIGSTOP)
            self.wait(0.1, 1.5)
            self.child.send_signal(signal.SIGCONT)
        else:
            self.child.send_signal(signal.SIGUSR2)

    def run(self):
        self.start()
        time.sleep(0.5)  # its interpreter starts; before that SIGUSR2 would end it
        try:
            while not self.is_calm:
                self.wait(0.1, 0.7)
                if self.child.poll() is not None:
                    self.start()
                self.once()
            with open(self.options.said, "w", encoding="ascii") as file:
                json.dump(self.counts, file)
            while True:
                if self.child.poll() is not None:
                    self.start()
                time.sleep(0.2)
        finally:
            self.child.kill()


# ---- the comparison ----


def records_of(path):
    """(sequence, type) of a segment, by the format in gateway/audit/README.md; hashes are verify's matter."""
    with open(path, "rb") as file:
        data = file.read()
    at = struct.unpack_from("<I", data, 12)[0]
    while data[at : at + 4] == MAGIC_RECORD and at + RECORD_HEAD <= len(data):
        length, _, kind, sequence = struct.unpack_from("<IIIQ", data, at + 4)
        yield sequence, kind
        at += RECORD_HEAD + length


def journal_of(folder):
    """What stands in it, and what of that must arrive."""
    everything, events = set(), set()
    for chain in sorted(os.listdir(folder)):
        if chain.startswith(".") or not os.path.isdir(f"{folder}/{chain}"):
            continue
        for name in sorted(os.listdir(f"{folder}/{chain}")):
            if name.endswith(".seg"):
                for sequence, kind in records_of(f"{folder}/{chain}/{name}"):
                    everything.add(f"{chain}-{sequence}")
                    if kind == EVENT:
                        events.add(f"{chain}-{sequence}")
    return everything, events


def compare(options):
    everything, events = journal_of(options.journal)
    first, last, copies, problems = {}, {}, 0, []
    with open(options.out, encoding="ascii") as file:
        for line in file:
            record, digest = line.split()
            if record in first:
                copies += 1
                if first[record] != digest:
                    problems.append(f"{record} came twice, and not the same")
                continue
            first[record] = digest
            chain, _, sequence = record.rpartition("-")
            if int(sequence) < last.get(chain, 0):
                problems.append(f"{record} came for the first time behind {chain}-{last[chain]}")
            last[chain] = int(sequence)
            if record not in everything:
                problems.append(f"{record} is in no journal")
    missing = sorted(events - set(first))
    problems += [f"{record} never arrived" for record in missing]
    return len(events), copies, problems


def check(options):
    events, copies, problems = compare(options)
    if not events:
        problems.append("the journal has no record")
    row = {"name": "collectors", "tried": options.tried, "lost": len(problems), "duplicates": copies,
           "unaudited_answers": 0, "unaudited_questions": 0}
    if options.json:
        print(json.dumps(row))
    else:
        print(f"{'not ok' if problems else 'ok'} collectors: {options.tried} breaks, {len(problems)} lost, {copies} duplicates "
              f"(equal copies of {events} records)")
    for text in problems[:5]:
        print(f"    collectors: {text}", file=sys.stderr if options.json else sys.stdout)
    return 1 if problems else 0


def main():
    options = arguments()
    if options.what == "serve":
        Collector(options).run()
    elif options.what == "torment":
        Tormentor(options).run()
    else:
        return check(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
