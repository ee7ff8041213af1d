"""A live node: `isthmus serve` with the world's configuration, on a free port, stopped by its pid. Everything that a partner cannot
see and that we compare with what it saw is read here: log, journal, memory.
"""

import ctypes
import json
import os
import random
import re
import signal
import socket
import subprocess
import time

START_SECONDS = 90
STOP_SECONDS = 90


PR_SET_PDEATHSIG = 1


def end_with_parent():
    """In the child, before the program: whatever ends the run ends the node, too."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port():
    """Below those that the system gives to outgoing connections: a node that starts again finds it free."""
    while True:
        with socket.socket() as probe:
            port = random.randrange(20000, 32000)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Node:
    """One process at a time; restart and kill keep configuration, store, journal, port and log."""

    def __init__(self, build, config, port=None, log_path=None, edit=None):
        """<edit>: text of the configuration -> text, for what the live node shall have besides."""
        self.isthmus = os.path.join(build, "gateway", "isthmus")
        self.port = port or free_port()
        self.config = self._copy_with(config, self.port, edit or (lambda text: text))
        self.log_path = log_path or os.path.join(os.path.dirname(config), "serve.log")
        self.process = None
        self.rss_at_start_kb = self.descriptors_at_start = 0

    @staticmethod
    def _copy_with(path, port, edit):
        """A copy beside the configuration that listens on <port> and logs JSON; url stays, so that audiences and wsa:To hold."""
        with open(path, encoding="utf-8") as file:
            text = file.read()
        text, n = re.subn(r'(?m)^(\s+address:\s*)"?127\.0\.0\.1:\d+"?', rf'\g<1>"127.0.0.1:{port}"', text, count=1)
        if n != 1:
            raise ValueError(f"{path}: no listener on 127.0.0.1")
        if re.search(r"(?m)^log:", text):
            text = re.sub(r"(?m)^log:.*(\n[ \t]+.*)*", "log: {level: info, format: json}", text, count=1)
        else:
            text += "\nlog: {level: info, format: json}\n"
        copy = re.sub(r"\.yaml$", "", path) + ".live.yaml"
        with open(copy, "w", encoding="utf-8") as file:
            file.write(edit(text))
        return copy

    # ---- life ----

    def start(self):
        mark = self.mark()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [self.isthmus, "serve", "-c", self.config], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=end_with_parent,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if b"node-ready" in self.log_bytes(mark):
                self.rss_at_start_kb, self.descriptors_at_start = self.memory_kb()[0], self.descriptors()
                return
            time.sleep(0.05)
        text = self.log_bytes(mark)[-2000:].decode("utf-8", "replace")
        self.stop()
        raise RuntimeError(f"the node did not start:\n{text}")

    def stop(self):
        """Tells it to stop; its exit code, or None when it had to be killed."""
        if self.process is None:
            return None
        process, self.process = self.process, None
        process.terminate()
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None

    def kill(self):
        """As when the machine takes the process away: no chance to write anything."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process = None

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def memory_kb(self):
        """Resident set: now, and the highest so far."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            text = file.read()
        return tuple(int(re.search(rf"{name}:\s+(\d+) kB", text).group(1)) for name in ("VmRSS", "VmHWM"))

    def cpu_ms(self):
        """Processor time of all its threads so far."""
        total_ns = 0
        for thread in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{thread}/schedstat", encoding="ascii") as file:
                total_ns += int(file.read().split()[0])
        return total_ns / 1e6

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    # ---- log ----

    def mark(self):
        return os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0

    def log_bytes(self, mark=0):
        if not os.path.exists(self.log_path):
            return b""
        with open(self.log_path, "rb") as file:
            file.seek(mark)
            return file.read()

    def events(self, mark=0):
        """The log's lines since <mark> that are JSON objects (an unfinished last line is left out)."""
        found = []
        for line in self.log_bytes(mark).split(b"\n")[:-1]:
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found

    def wait_for_event(self, mark, wanted, seconds=3.0):
        """The events since <mark> for which <wanted> is true, as soon as there is one."""
        deadline = time.monotonic() + seconds
        while True:
            found = [event for event in self.events(mark) if wanted(event)]
            if found or time.monotonic() > deadline:
                return found
            time.sleep(0.005)

    # ---- journal ----

    def audit(self):
        """Every record of the journal, oldest first. The programs read beside the running node."""
        done = subprocess.run(
            [self.isthmus, "audit", "tail", "-c", self.config, "-n", "100000", "--json"],
            capture_output=True,
            timeout=120,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"isthmus audit tail: {done.stderr.decode('utf-8', 'replace')[:500]}")
        return done.stdout

    def verify_audit(self):
        done = subprocess.run(
            [self.isthmus, "audit", "verify", "-c", self.config], capture_output=True, timeout=120, check=False
        )
        return done.returncode == 0, (done.stdout + done.stderr).decode("utf-8", "replace")
