"""The world of the attacks: our node (green), the victim P1 (red), the attacker P2 (black: registered, with a valid TLS
and a valid signing certificate of its own), P3 (gold: P-256, may use bearer) and P4 (lime: may leave out whatever a
partner may, and use SHA-1 for a while), under one development authority.
"""

import copy
import datetime
import http.server
import os
import re
import subprocess
import threading
import time

from messages import Ask, make_message
from signing import Signer

COMMUNITIES = {"green": "2.999.2", "red": "2.999.1", "black": "2.999.3", "gold": "2.999.4", "lime": "2.999.5"}
PARTNERS = {"p1": "red", "p2": "black", "p3": "gold", "p4": "lime"}
HERE = os.path.dirname(os.path.abspath(__file__))


def relaxations():
    """What a partner may leave out: a fact "omitted" has bit i for the i-th."""
    with open(f"{HERE}/../../gateway/base/dialect.h", encoding="utf-8") as file:
        return tuple(re.findall(r'^    X\([A-Z_0-9]+, +"([a-z-]+)"', file.read(), re.M))


RELAXATIONS = relaxations()
SHA1_DAYS = 300  # lime may sign with SHA-1 for so long


LOCAL_SYSTEM = """
systems:
  red:
    requires_assertion: true
    assertions:
      certificates: [pki/signing.pem]
      audiences: ["{url}", "urn:oid:{community}"]
      confirmation: [holder-of-key]
"""


class Party:
    """A partner: its keys and what its record says."""

    def __init__(self, folder, name):
        self.id, self.community, self.organization = name, COMMUNITIES[name], f"{name} HIE"
        self.folder = f"{folder}/{name}"
        self.pki = f"{folder}/{name}/pki"
        self.tls_certificate, self.tls_key = f"{self.pki}/node.pem", f"{self.pki}/node.key"
        self.signer = Signer.load(f"{self.pki}/signing.pem", f"{self.pki}/signing.key")


class Trap(http.server.BaseHTTPRequestHandler):
    """Answers what a fetcher of URLs asks, and remembers that it did."""

    def do_GET(self):
        self.server.visits.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(World.http_body)

    def log_message(self, *_):
        pass


class World:
    """<folder> is made; <build> has the program. <port>: where the node would listen."""

    http_body = b"what was really signed\n"

    def __init__(self, build, folder, port=18443, now_us=None):
        self.build, self.folder, self.port = build, folder, port
        self.isthmus = f"{build}/gateway/isthmus"
        self.url = f"https://127.0.0.1:{port}"
        self.community = COMMUNITIES["green"]
        os.makedirs(folder, exist_ok=True)
        for name in COMMUNITIES:
            self._init(name)
        self.now_us = now_us or int(time.time() * 1000) * 1000
        for name in PARTNERS.values():
            self._register(name)
        self.config = f"{folder}/green/isthmus.yaml"
        self.ca = f"{folder}/ca/ca.pem"
        self.ca_key = f"{folder}/ca/ca.key"
        self.parties = {who: Party(folder, name) for who, name in PARTNERS.items()}
        self.p1, self.p2, self.p3, self.p4 = self.parties.values()
        self.us = Signer.load(f"{folder}/green/pki/signing.pem", f"{folder}/green/pki/signing.key")
        self._cache = {}
        self._trap = None

    def _init(self, name):
        port = self.port if name == "green" else 1
        command = [self.isthmus, "init", f"{self.folder}/{name}", "--community", COMMUNITIES[name]]
        command += ["--name", f"{name} HIE", "--id", name, "--dev-pki", "--ca", f"{self.folder}/ca"]
        command += ["--listen", f"127.0.0.1:{port}", "--url", f"https://127.0.0.1:{port}"]
        command += ["--key", "p256" if name == "gold" else "rsa2048"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=120)

    def _register(self, name):
        """The partner's card becomes its record, with what we allow it."""
        card = f"{self.folder}/{name}/card"
        for file in os.listdir(card):
            with open(f"{card}/{file}", encoding="utf-8") as source:
                text = source.read()
            if name == "gold":
                text = text.replace("confirmation: [holder-of-key]", "confirmation: [holder-of-key, bearer]")
            if name == "lime" and file.endswith(".yaml"):
                until = datetime.datetime.utcfromtimestamp(self.now_us / 1e6 + SHA1_DAYS * 86400).date()
                text += f"may_omit: [{', '.join(RELAXATIONS)}]\nsha1_until: {until}\n"
            with open(f"{self.folder}/green/partners.d/{file}", "w", encoding="utf-8") as target:
                target.write(text)

    def local_config(self):
        """Red's node, whose local system "red" brings the assertions that P1 signs: what partners send to green, it sends to
        its own gateway, which is reached where green is. Made when first asked for."""
        path = f"{self.folder}/red/local.yaml"
        if not os.path.exists(path):
            with open(f"{self.folder}/red/isthmus.yaml", encoding="utf-8") as source:
                text = source.read()
            text += LOCAL_SYSTEM.format(url=self.url, community=self.community)
            with open(path, "w", encoding="utf-8") as target:
                target.write(text)
        return path

    def http_url(self):
        """A server of ours on loopback, for messages that want to be fetched from; http_visits() tells who came."""
        if self._trap is None:
            self._trap = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Trap)
            self._trap.visits = []
            threading.Thread(target=self._trap.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._trap.server_address[1]}"

    def http_visits(self):
        """Paths that were fetched since the last call."""
        if self._trap is None:
            return []
        visits, self._trap.visits = self._trap.visits, []
        return visits

    def close(self):
        if self._trap is not None:
            self._trap.shutdown()
            self._trap.server_close()

    def party(self, who):
        return self.parties[who] if isinstance(who, str) else who

    def ask(self, transaction="ITI-55", by="p1", **changes):
        return Ask(transaction=transaction, party=self.party(by), world=self, now_us=self.now_us, **changes)

    def fresh(self, transaction="ITI-55", by="p1", make=None, **changes):
        """A genuine message, signed now. <make>: arguments of make_message; the rest are those of Ask."""
        return make_message(self.ask(transaction, by, **changes), **(make or {}))

    def genuine(self, transaction="ITI-55", by="p1"):
        """A copy of one genuine message: signed once, changed many times."""
        key = (transaction, by)
        if key not in self._cache:
            self._cache[key] = self.fresh(transaction, by)
        return self._cache[key].copy()

    def edited(self, edit, transaction="ITI-55", by="p1", **changes):
        """A message whose assertion was changed by <edit> before the partner signed it."""
        return self.fresh(transaction, by, make={"edit": edit}, **changes)


def evil(message, **changes):
    """The assertion of <message> without its signature, saying something else: texts by local name of the element, or
    by attribute name for what begins with 'urn:'."""
    twin = copy.deepcopy(message.assertion)
    for signature in twin.findall("{*}Signature"):
        twin.remove(signature)
    for name, text in changes.items():
        set_text(twin, name, text)
    return twin


def set_text(assertion, name, text):
    """Sets the text of the first element of that local name."""
    for element in assertion.iter("{*}" + name):
        element.text = text
        return
    raise KeyError(name)


def set_attribute(assertion, name, text):
    """Sets the value of all SAML attributes of that name."""
    found = [a for a in assertion.iter("{*}Attribute") if a.get("Name") == name]
    if not found:
        raise KeyError(name)
    for one in found:
        one[0].text = text
