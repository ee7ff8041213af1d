#!/usr/bin/env python3
"""Plays systemd for one service, as far as its unit file goes: opens its sockets, listens to what it tells, and confines it.

usage: manager.py --told FILE [--socket NAME=HOST:PORT | NAME=/PATH]... [--watchdog SECONDS] [--abstract]
                  [--confine UNIT-FILE] [--user ID] -- PROGRAM ARGUMENTS...

Every datagram of the program becomes a line of --told: milliseconds since the start, then the datagram with '|' between its
lines. The first line is "0 PID n". Signals to this process are passed on; it ends with the program's exit code.

--confine reads SystemCallFilter=, RestrictAddressFamilies= and MemoryDenyWriteExecute= of the unit file and sets the filter
that they ask for (seccomp, x86-64), with no_new_privs and an empty set of capabilities.
"""
import argparse
import ctypes
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

UNISTD = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"
FIRST_SOCKET = 3
EPERM, EAFNOSUPPORT = 1, 97
PROT_WRITE, PROT_EXEC = 2, 4
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_CAPBSET_DROP, SECCOMP_MODE_FILTER = 38, 22, 24, 2
AUDIT_ARCH_X86_64 = 0xC000003E
RET_ALLOW, RET_ERRNO, RET_KILL = 0x7FFF0000, 0x00050000, 0x80000000
LD_ABS, JEQ, JSET, AND, RET = 0x20, 0x15, 0x45, 0x54, 0x06
ARGUMENT = 16  # where the first one lies; each has eight bytes


# ---- the unit file ----

def settings(path, name):
    with open(path, encoding="utf-8") as unit:
        return [value.split() for key, _, value in (line.strip().partition("=") for line in unit) if key == name]


def members(group):
    """The system calls of a group of systemd's (@system-service), those of the groups in it included."""
    text = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", group], check=True, capture_output=True, text=True).stdout
    found = set()
    for line in text.splitlines()[1:]:
        name = line.strip()
        if name.startswith("@"):
            found |= members(name)
        elif name and not name.startswith("#"):
            found.add(name)
    return found


def allowed_calls(path):
    calls = set()
    for words in settings(path, "SystemCallFilter"):
        is_denial = words[0].startswith("~")
        for word in [words[0].lstrip("~")] + words[1:]:
            group = members(word) if word.startswith("@") else {word}
            calls = calls - group if is_denial else calls | group
    return calls | members("@default")


def call_numbers():
    with open(UNISTD, encoding="utf-8") as header:
        return {name: int(number) for name, number in re.findall(r"#define __NR_(\w+) (\d+)", header.read())}


# ---- the filter ----

def instruction(code, k, yes=0, no=0):
    return struct.pack("HBBI", code, yes, no, k)


def load_argument(index):
    return instruction(LD_ABS, ARGUMENT + 8 * index)  # its lower half


def when_call(number, body):
    """The body for one system call; it ends with a verdict."""
    return [instruction(JEQ, number, 0, len(body))] + body


def families_filter(numbers, families):
    body = [load_argument(0)]
    for family in families:
        body += [instruction(JEQ, getattr(socket, family), 0, 1), instruction(RET, RET_ALLOW)]
    return when_call(numbers["socket"], body + [instruction(RET, RET_ERRNO | EAFNOSUPPORT)])


def write_xor_execute(numbers):
    both = [load_argument(2), instruction(AND, PROT_WRITE | PROT_EXEC), instruction(JEQ, PROT_WRITE | PROT_EXEC, 0, 1),
            instruction(RET, RET_ERRNO | EPERM), instruction(RET, RET_ALLOW)]
    execute = [load_argument(2), instruction(JSET, PROT_EXEC, 0, 1), instruction(RET, RET_ERRNO | EPERM), instruction(RET, RET_ALLOW)]
    return when_call(numbers["mmap"], both) + when_call(numbers["mprotect"], execute) + when_call(numbers["pkey_mprotect"], execute)


def filter_of(path):
    numbers = call_numbers()
    code = [instruction(LD_ABS, 4), instruction(JEQ, AUDIT_ARCH_X86_64, 1, 0), instruction(RET, RET_KILL), instruction(LD_ABS, 0)]
    for families in settings(path, "RestrictAddressFamilies"):
        code += families_filter(numbers, families)
    if ["yes"] in settings(path, "MemoryDenyWriteExecute"):
        code += write_xor_execute(numbers)
    for name in sorted(allowed_calls(path) & set(numbers)):
        code += [instruction(JEQ, numbers[name], 0, 1), instruction(RET, RET_ALLOW)]
    return b"".join(code + [instruction(RET, RET_ERRNO | EPERM)])


def set_filter(code):
    libc = ctypes.CDLL(None, use_errno=True)
    program = ctypes.create_string_buffer(code)
    head = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(program))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, head, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the filter cannot be set")


def drop_capabilities():
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(64):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # those that the kernel does not know fail


# ---- sockets ----

def listening(where):
    if where.startswith("/"):
        made = socket.socket(socket.AF_UNIX)
        made.bind(where)
    else:
        host, _, port = where.rpartition(":")
        made = socket.socket(socket.AF_INET)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, int(port)))
    made.listen(1024)
    return made


def notify_socket(folder, is_abstract):
    name = "@isthmus-manager-%d" % os.getpid() if is_abstract else os.path.join(folder, "notify.sock")
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind("\0" + name[1:] if is_abstract else name)
    if not is_abstract:
        os.chmod(name, 0o777)
    return name, receiver


def listen_to(receiver, told, start):
    while True:
        text = receiver.recv(4096).decode("utf-8", "replace")
        print(int((time.monotonic() - start) * 1000), text.replace("\n", "|"), file=told, flush=True)


# ---- the service ----

def become_service(options, sockets, notify, code):
    """In the child: ends with the program in place of this one."""
    for index, made in enumerate(sockets):
        os.dup2(made.fileno(), FIRST_SOCKET + index + 100)
    for index in range(len(sockets)):
        os.dup2(FIRST_SOCKET + index + 100, FIRST_SOCKET + index)
        os.close(FIRST_SOCKET + index + 100)
    environment = dict(os.environ, NOTIFY_SOCKET=notify)
    if sockets:
        environment.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(sockets)),
                           LISTEN_FDNAMES=":".join(one.partition("=")[0] for one in options.socket))
    if options.watchdog:
        environment.update(WATCHDOG_USEC=str(int(options.watchdog * 1e6)), WATCHDOG_PID=str(os.getpid()))
    os.closerange(FIRST_SOCKET + len(sockets), 90)
    if options.confine:
        drop_capabilities()
    if options.user:
        os.setgroups([])
        os.setgid(options.user)
        os.setuid(options.user)
    if code:
        set_filter(code)
    os.execve(options.program[0], options.program, environment)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--told", required=True)
    parser.add_argument("--socket", action="append", default=[])
    parser.add_argument("--watchdog", type=float, default=0)
    parser.add_argument("--abstract", action="store_true")
    parser.add_argument("--confine")
    parser.add_argument("--user", type=int)
    parser.add_argument("program", nargs="+")
    options = parser.parse_args()
    code = filter_of(options.confine) if options.confine else b""
    sockets = [listening(one.partition("=")[2]) for one in options.socket]
    notify, receiver = notify_socket(os.path.dirname(options.told), options.abstract)
    with open(options.told, "w", encoding="utf-8") as told:
        start = time.monotonic()
        child = os.fork()
        if child == 0:
            try:
                become_service(options, sockets, notify, code)
            except OSError as error:
                print("%s: %s" % (sys.argv[0], error), file=sys.stderr)
            os._exit(111)
        print("0 PID", child, file=told, flush=True)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda which, _: os.kill(child, which))
        threading.Thread(target=listen_to, args=(receiver, told, start), daemon=True).start()
        _, status = os.waitpid(child, 0)
        time.sleep(0.1)  # its last words
        if not options.abstract:
            os.unlink(notify)
    sys.exit(os.waitstatus_to_exitcode(status) & 255)


if __name__ == "__main__":
    main()
