"""TLS identities and handshakes. Every probe sends an honest, fully signed message of the victim, so that only the
certificate or the handshake can be the reason of a refusal; accepted means that a question was answered.
"""

import os
import re
import socket
import ssl
import subprocess
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID as EKU

from badcerts import DAY, dns, loopback, name
from live_kit import Outcome, Probe, asking, is_success, judge_answer, live, reload
from tlswire import Identity, Refused, post

ANY = "ALL:@SECLEVEL=0"  # the client's own scruples are switched off
TLS = {"TLS"}


def by(identity, **options):
    """Whose certificate; the client does not judge its own."""
    return asking(identity, ciphers=ANY, **options)


def own():
    return Probe("the partner's own certificate", asking(), benign=True)


# ---- certificates: the chain is not to be believed ----


@live("TLS-NO-CERTIFICATE", "A1.7", TLS, reason="did not return a certificate")
def without_certificate(range_):
    yield own()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        who = type(range_.p1)(None, None)
        yield Probe(version.name, asking(who, least=version, most=version))


@live("TLS-VALIDITY", "A1.7", TLS, reason="has expired|not yet valid")
def out_of_validity(range_):
    shop = range_.shop
    yield Probe("valid now", by(shop.make()), benign=True)
    yield Probe("expired a day ago", by(shop.make(begins=-30 * DAY, ends=-DAY)))
    yield Probe("expired a minute ago", by(shop.make(begins=-30 * DAY, ends=-DAY / 1440)))
    yield Probe("not valid before tomorrow", by(shop.make(begins=DAY)))
    yield Probe("not valid for ten minutes yet", by(shop.make(begins=DAY / 144)))


@live("TLS-EKU", "A1.7", TLS, reason="purpose")
def wrong_usage(range_):
    shop = range_.shop
    yield Probe("client and server", by(shop.make()), benign=True)
    yield Probe("client only", by(shop.make(ekus=(EKU.CLIENT_AUTH,))), benign=True)
    for text, ekus in (
        ("server only", (EKU.SERVER_AUTH,)),
        ("code signing", (EKU.CODE_SIGNING,)),
        ("e-mail", (EKU.EMAIL_PROTECTION,)),
        ("OCSP signing", (EKU.OCSP_SIGNING,)),
        ("time stamping", (EKU.TIME_STAMPING,)),
    ):
        yield Probe(text, by(shop.make(ekus=ekus)))
    yield Probe("key usage: certificates only", by(shop.make(use=("key_cert_sign",))))
    yield Probe("key usage: encipherment only", by(shop.make(use=("data_encipherment",))))


@live("TLS-UNTRUSTED", "A1.7", TLS, reason="local issuer|self-signed")
def untrusted(range_):
    shop = range_.shop
    leaf, other = shop.lookalike()
    yield Probe("of the authority", by(shop.make()), benign=True)
    yield Probe("another authority of the same name", by(leaf))
    with_root = shop.make(issuer=type(other)(other.certificate, other.key, [other.certificate]))
    yield Probe("the same, and it sends that authority along", by(with_root))
    yield Probe("self-signed with the victim's name", by(shop.self_signed()))
    yield Probe("self-signed with the authority's name", by(shop.self_signed(shop.authority.certificate.subject)))


@live("TLS-LEAF-ISSUER", "A1.7", TLS, reason="invalid CA|path length")
def issued_by_a_leaf(range_):
    """A partner's leaf certificate is no authority."""
    from cryptography.hazmat.primitives import serialization  # pylint: disable=import-outside-toplevel

    shop = range_.shop
    yield own()
    with open(range_.p2.certificate, "rb") as file:
        leaf = x509.load_pem_x509_certificate(file.read())
    with open(range_.p2.key, "rb") as file:
        key = serialization.load_pem_private_key(file.read(), None)
    issuer = type(shop.authority)(leaf, key, [leaf])
    yield Probe("issued by another partner's TLS certificate", by(shop.make(issuer=issuer)))
    yield Probe("the same, and it says that it is an authority", by(shop.make(issuer=issuer, is_ca=True, use=("key_cert_sign", "digital_signature"))))
    yield Probe("below an authority that may not have any below it", by(range_.chains["below short"]))
    yield Probe("below one authority", by(range_.chains["two"]), benign=True)


@live("TLS-REVOKED", "A1.7", TLS, reason="revoked|certificate CRL")
def revoked(range_):
    yield Probe("not revoked", by(range_.shop.make()), benign=True)
    yield Probe("revoked by the authority", by(range_.chains["revoked"]))
    yield Probe("revoked, P-384", by(range_.chains["revoked again"]))
    yield Probe("its issuer has no revocation list", by(range_.chains["no list"]))


@live("TLS-CHAIN", "A1.7", TLS, reason="chain too long|subtree")
def chains(range_):
    yield Probe("two steps below the root", by(range_.chains["two"]), benign=True)
    yield Probe("twenty steps", by(range_.chains["twenty"]))
    yield Probe("a name outside of the issuer's constraints", by(range_.chains["constrained"]))
    yield Probe("a name within the issuer's constraints", by(range_.chains["permitted"]), benign=True)


@live("TLS-KEY-TYPE", "A1.7", TLS, reason="wrong curve|did not return a certificate|too weak|neither RSA")
def kinds_of_keys(range_):
    shop = range_.shop
    for kind in ("rsa2048", "p256", "p384"):
        yield Probe(kind, by(shop.make(kind)), benign=True)
    for kind in ("p521", "p224", "secp256k1", "brainpool256", "ed25519", "ed448", "dsa2048", "rsa1024"):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            identity = shop.make(kind)
            yield Probe(f"{kind} by {version.name}", by(identity, least=version, most=version))


@live("TLS-CERT-DIGEST", "A1.7", TLS, reason="too weak")
def digests_of_certificates(range_):
    shop = range_.shop
    yield Probe("SHA-384", by(shop.make("p384", digest=hashes.SHA384())), benign=True)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        yield Probe(f"SHA-1 by {version.name}", by(shop.make(digest=hashes.SHA1()), least=version, most=version))
    yield Probe("MD5", by(shop.make(digest=hashes.MD5())))
    yield Probe("SHA-1 within the chain", by(range_.chains["sha1 within"]))


@live("TLS-NAME", "A1.7", {"PEER_UNKNOWN"})
def names(range_):
    """Chains that are good, for names that are nobody's."""
    shop, ours = range_.shop, range_.shop.ours
    yield Probe("the victim's name", by(shop.make()), benign=True)
    yield Probe("the victim's name among others", by(shop.make(names=["other.example", ours, "more.example"])), benign=True)
    host = ours.split(".", 1)
    for text, options in (
        ("a partner that nobody knows", {"names": ["p9.example"]}),
        ("no name at all", {"sans": []}),
        ("the name in the subject only", {"sans": dns("p9.example"), "subject": name(ours)}),
        ("the name in the subject, no alternative names", {"sans": [], "subject": name(ours)}),
        ("a wildcard over it", {"names": ["*." + host[1]]}),
        ("a wildcard over everything", {"names": ["*"]}),
        ("with a dot behind", {"names": [ours + "."]}),
        ("with more behind", {"names": [ours + ".evil.example"]}),
        ("with more before", {"names": ["x." + ours]}),
        ("cut off", {"names": [ours[:-1]]}),
        ("with a zero behind", {"names": [ours + "\x00.evil.example"]}),
        ("with a space behind", {"names": [ours + " "]}),
        ("as e-mail", {"sans": [x509.RFC822Name("x@" + ours)]}),
        ("as URI", {"sans": [x509.UniformResourceIdentifier("https://" + ours)]}),
        ("as directory name", {"sans": [x509.DirectoryName(name(ours))]}),
        ("this machine's address only", {"sans": [loopback()]}),
        ("the gateway's own name", {"names": ["localhost"]}),
    ):
        yield Probe(text, by(shop.make(**options)))


@live("TLS-TWO-PARTNERS", "A1.8", {"PEER_UNKNOWN", "PEER_BINDING", "SAML_ISSUER", "SIG_NO_TRUST"})
def of_two_partners(range_):
    """One certificate that would be two partners speaks for none."""
    shop = range_.shop
    yield Probe("one partner's name", by(shop.make()), benign=True)
    both = [shop.ours, shop.others]
    yield Probe("the names of two partners", by(shop.make(names=both)))
    yield Probe("the same in the other order", by(shop.make(names=both[::-1])))


# ---- handshakes ----


@live("TLS-VERSION", "A1.7", TLS, needs_node=False)
def versions(_):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        yield Probe(version.name, asking(least=version, most=version), benign=True)
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        yield Probe(version.name, asking(least=version, most=version, ciphers=ANY))
    yield Probe("TLS 1.0 to 1.1", asking(least=ssl.TLSVersion.TLSv1, most=ssl.TLSVersion.TLSv1_1, ciphers=ANY))
    hello2 = b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80\x02\x00\x80\x03\x00\x80\x04\x00\x80\x05\x00\x80" + b"\x07\x00\xc0" + b"x" * 16
    yield Probe("an SSL 2.0 hello", bare(hello2))
    yield Probe("plain HTTP", bare(b"POST /xcpd HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"))
    yield Probe("noise", bare(bytes(range(256)) * 20))
    yield Probe("a record of 64 KB", bare(b"\x16\x03\x01\xff\xff" + b"\x01\x00\xff\xfb" + b"a" * 65000))
    yield Probe("a hello that says it has 16 MB", bare(b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + b"\x03\x03" + b"a" * 16000))
    yield Probe("an alert", bare(b"\x15\x03\x03\x00\x02\x02\x28"))
    yield Probe("application data before any handshake", bare(b"\x17\x03\x03\x00\x20" + b"a" * 32))
    yield Probe("a falling back client", s_client("-tls1_2", "-fallback_scsv"))


def bare(data):
    """Bytes without TLS. No byte of an HTTP answer may come."""

    def run(range_):
        mark = range_.mark()
        got = b""
        with range_.target.connect_plain() as stream:
            try:
                stream.sendall(data)
                stream.shutdown(socket.SHUT_WR)
                while len(got) < 65536 and (more := stream.recv(4096)):
                    got += more
            except OSError:
                pass
        outcome = Outcome(b"HTTP/1.1 2" in got, 0, range_.error_since(mark))
        if b"HTTP/" in got:
            outcome.problem = "an HTTP answer without TLS"
        return outcome

    return run


def s_client(*options, identity=None, commands=None, wanted=b"HTTP/1.1 200"):
    """OpenSSL's client, for what Python's ssl cannot do. <commands>: what is typed before the request (R: renegotiate)."""

    def run(range_):
        who = identity or range_.p1
        mark = range_.mark()
        path, content_type, body = range_.honest()
        line = ["openssl", "s_client", "-connect", f"{range_.target.host}:{range_.target.port}", "-CAfile", range_.target.ca]
        source = range_.target.next_source()
        line += ["-bind", f"{source[0]}:0"] if source else []
        line += ["-cert", who.certificate, "-key", who.key, *(["-quiet", "-no_ign_eof"] if commands is None else []), *options]
        with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            timer = threading.Timer(60, process.kill)
            timer.start()
            try:
                for command in commands or ():
                    time.sleep(0.3)
                    process.stdin.write(command)
                    process.stdin.flush()
                    time.sleep(0.3)
                process.stdin.write(post(path, content_type, body, [("Connection", "close")]))
                process.stdin.flush()
                out = b""
                while more := process.stdout.read1(65536):
                    out += more
            except BrokenPipeError:
                out = process.stdout.read()
            finally:
                timer.cancel()
                process.kill()
        if wanted in out and b"Fault>" not in out:
            return Outcome(True, 200, detail="served")
        return Outcome(False, 0, range_.error_since(mark), out[-200:].decode("utf-8", "replace"))

    return run


@live("TLS-SUITE", "A1.7", TLS, needs_node=False, reason="no shared cipher")
def suites(_):
    only12 = {"least": ssl.TLSVersion.TLSv1_2, "most": ssl.TLSVersion.TLSv1_2}
    for suite in (
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "DHE-RSA-AES128-GCM-SHA256",
        "DHE-RSA-AES256-GCM-SHA384",
    ):
        yield Probe(suite, asking(ciphers=suite, **only12), benign=True)
    for suite in (
        "AES128-SHA",
        "AES256-SHA",
        "AES128-SHA256",
        "AES128-GCM-SHA256",
        "AES256-GCM-SHA384",
        "ECDHE-RSA-AES128-SHA",
        "ECDHE-RSA-AES256-SHA384",
        "DHE-RSA-AES128-SHA",
        "DHE-RSA-AES256-SHA256",
        "NULL-SHA256",
        "ECDHE-RSA-NULL-SHA",
        "AECDH-AES128-SHA",
        "ADH-AES128-GCM-SHA256",
        "CAMELLIA128-SHA",
        "ECDHE-ARIA128-GCM-SHA256",
        "AES128-CCM8",
    ):
        yield Probe(suite, asking(ciphers=suite + ":@SECLEVEL=0", **only12))


@live("TLS-PARAMETERS", "A1.7", TLS, needs_node=False, reason="no suitable key share|no shared")
def parameters(_):
    yield Probe("X25519", s_client("-tls1_3", "-groups", "X25519"), benign=True)
    yield Probe("P-256", s_client("-tls1_3", "-groups", "P-256"), benign=True)
    for group in ("P-521", "X448", "ffdhe2048"):
        yield Probe(f"group {group}", s_client("-tls1_3", "-groups", group))
    ecdhe = ("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0")
    for group in ("P-521", "P-224", "secp256k1", "brainpoolP256r1", "sect283r1"):
        yield Probe(f"group {group}, TLS 1.2", s_client(*ecdhe, "-groups", group))
    for algorithms in ("RSA+SHA1", "RSA+SHA1:ECDSA+SHA1", "RSA+SHA224", "ed25519", "DSA+SHA256"):
        yield Probe(f"signatures {algorithms}", s_client("-tls1_2", "-cipher", ANY, "-sigalgs", algorithms))
    yield Probe("null suite of TLS 1.3", s_client("-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_8_SHA256"))


@live("TLS-RENEGOTIATION", "A1.7", {"TLS", "HTTP_SYNTAX", ""}, needs_node=False)
def renegotiation(_):
    """A client that asks for a second handshake gets none; nothing that comes after it is served."""
    yield Probe("no renegotiation", s_client("-tls1_2"), benign=True)
    yield Probe("renegotiation before the request", s_client("-tls1_2", commands=[b"R\n"]))
    yield Probe("legacy renegotiation", s_client("-tls1_2", "-legacy_renegotiation", commands=[b"R\n"]))


@live("TLS-EARLY-DATA", "A1.7", {"TLS", "HTTP_SYNTAX", "LIMIT_TIME", ""}, needs_node=False)
def early_data(range_):
    """No request in early data, which anybody on the way can send again."""
    yield Probe("a request after the handshake", s_client("-tls1_3"), benign=True)

    def run(here):
        session, early = os.path.join(here.folder, "early.session"), os.path.join(here.folder, "early.data")
        path, content_type, body = here.honest()
        with open(early, "wb") as file:
            file.write(post(path, content_type, body))
        line = ["openssl", "s_client", "-connect", f"{here.target.host}:{here.target.port}", "-CAfile", here.target.ca, "-tls1_3"]
        line += ["-cert", here.p1.certificate, "-key", here.p1.key]
        ask = post(*here.honest(), [("Connection", "close")])
        subprocess.run([*line, "-quiet", "-no_ign_eof", "-sess_out", session], input=ask, capture_output=True, timeout=90, check=False)
        mark = here.mark()
        if not os.path.exists(session) or os.path.getsize(session) == 0:
            return Outcome(False, 0, "", "no session is given out, so no early data can be sent")
        second = subprocess.run(
            [*line, "-sess_in", session, "-early_data", early], input=b"", capture_output=True, timeout=90, check=False
        )
        was_taken = b"Early data was accepted" in second.stdout
        return Outcome(was_taken or b"HTTP/1.1 200" in second.stdout, 0, here.error_since(mark, 0.3))

    yield Probe("a request in early data", run)


@live("TLS-RESUMPTION", "A1.7", {"PEER_UNKNOWN", "PEER_BINDING", "SAML_ISSUER", "SIG_NO_TRUST", "TLS"})
def resumption(range_):
    """Whatever a session remembers, a message is judged by the identity of the connection that it came over."""

    def resumed(first, second_message, version):
        def run(here):
            with here.target.connect(first(here), least=version, most=version) as wire:
                wire.send(post(*here.honest(), [("Connection", "close")]))
                try:
                    wire.read()
                except (Refused, TimeoutError):
                    pass
                session = wire.stream.session
            mark = here.mark()
            try:
                with here.target.connect(first(here), session=session, least=version, most=version) as wire:
                    wire.send(post(*second_message(here), [("Connection", "close")]))
                    answer = wire.read()
            except (Refused, TimeoutError) as refused:
                return Outcome(False, 0, here.error_since(mark), str(refused))
            return judge_answer(here, mark, answer)

        return run

    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        honest = lambda here: here.honest()  # noqa: E731
        yield Probe(f"the partner resumes its own session, {version.name}", resumed(lambda h: h.p1, honest, version), benign=True)
        text = f"another partner resumes its own session with the victim's message, {version.name}"
        yield Probe(text, resumed(lambda h: h.p2, honest, version))


# ---- slow clients and many connections ----


def slow(range_, prepare, step, seconds, is_tls=True):
    """Opens a connection, does <prepare>, then <step> again and again; how long the gateway bore it."""
    began = time.monotonic()
    wire = range_.target.connect(range_.p1) if is_tls else None
    stream = wire.stream if wire else range_.target.connect_plain()
    got = b""
    try:
        stream.sendall(prepare)
        while time.monotonic() - began < seconds:
            stream.settimeout(0.5)
            try:
                more = stream.recv(4096)
                if not more:
                    return time.monotonic() - began, got
                got += more
            except TimeoutError:
                pass
            if step:
                stream.sendall(step)
        return None, got
    except OSError:
        return time.monotonic() - began, got
    finally:
        stream.close()


@live("HTTP-SLOW", "A1.7", {"LIMIT_TIME", ""}, needs_node=False)
def slow_clients(range_):
    """Four slow clients at once, a connection each: all are cut off in time, and an honest request is served meanwhile."""
    most = 60.0
    kinds = {
        "no handshake": (b"", b"", False),
        "a handshake byte by byte": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"a", False),
        "a head byte by byte": (b"POST /xcpd HTTP/1.1\r\nHost: localhost\r\nX: ", b"a", True),
        "a body byte by byte": (b"POST /xcpd HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: 9999\r\n\r\n", b"a", True),
        "chunks of one byte": (
            b"POST /xcpd HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"1\r\na\r\n",
            True,
        ),
        "a body that stops": (b"POST /xcpd HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: 99\r\n\r\nx", b"", True),
    }
    results, threads = {}, []
    for text, (prepare, step, is_tls) in kinds.items():

        def work(text=text, prepare=prepare, step=step, is_tls=is_tls):
            results[text] = slow(range_, prepare, step, most, is_tls)

        threads.append(threading.Thread(target=work, daemon=True))
    for thread in threads:
        thread.start()
    time.sleep(1)
    yield Probe("an honest request while they drip", asking(), benign=True)

    def run_of(text):
        def run(here):
            for thread in threads:
                thread.join(most + 10)
            took, got = results.get(text, (None, b""))
            if took is None:
                return Outcome(False, 0, "", problem=f"still connected after {most:.0f} s")
            status = int(got.split(b" ")[1]) if got.startswith(b"HTTP/1.1 ") else 0
            return Outcome(got.startswith(b"HTTP/1.1 2"), status, "", f"cut off after {took:.1f} s")

        return run

    for text in kinds:
        yield Probe(text, run_of(text))


@live("TLS-MANY", "A1.7", {""}, needs_node=False)
def many_connections(range_):
    """Three hundred idle connections, half of them without a handshake, take nothing from an honest partner."""
    idle = []

    def opened(here):
        for i in range(300):
            try:
                if i % 2:
                    idle.append(here.target.connect_plain())
                else:
                    idle.append(here.target.connect(here.p1).stream)
            except (Refused, OSError):
                break  # a cap per address is as good an answer
        return Outcome(False, 0, "", f"{len(idle)} connections")

    def closed(here):
        for stream in idle:
            stream.close()
        idle.clear()
        return asking()(here)

    yield Probe("they are opened", opened)
    yield Probe("an honest request beside them", asking(), benign=True)
    yield Probe("an honest request after them", closed, benign=True)


def prepare(range_):
    """Certificates that the node must have heard of before it starts: revoked ones, and chains with their revocation lists."""
    shop = range_.shop
    two, twenty = shop.deep(1), shop.deep(19)
    constrained = shop.second.intermediate("Constrained", permitted="example.org")
    permitted = shop.second.intermediate("Permitted", permitted=shop.ours.split(".", 1)[1])
    without_list = shop.second.intermediate("Without a list")
    short = shop.second.intermediate("Short", path_length=0)
    below_short = short.intermediate("Below")
    shop.authorities += [constrained, permitted, short, below_short]
    range_.chains = {
        "two": shop.make(issuer=two),
        "below short": shop.make(issuer=below_short),
        "twenty": shop.make(issuer=twenty),
        "constrained": shop.make(issuer=constrained),
        "permitted": shop.make(issuer=permitted),
        "revoked": shop.make(revoke=True),
        "revoked again": shop.make("p384", revoke=True),
        "no list": shop.make(issuer=without_list),
        "sha1 within": shop.make(issuer=shop.sha1_intermediate()),
    }



# ---- limits by partner ----


@live("LIMIT-FAILURES", "A1.3", {"LIMIT_FAILURES"})
def failures(range_):
    """A partner whose requests fail verification again and again is put off before any signature is looked at; others are not."""
    write_limit(range_, 5)

    def forged(here):
        message = here.world.fresh("ITI-38", "p3")
        next(message.assertion.iter("{*}NameID")).text = "CN=admin"
        return here.ask(Identity(here.world.p3.tls_certificate, here.world.p3.tls_key), (message.path, message.content_type, message.bytes()))

    def run(here):
        mark = here.mark()
        statuses = [forged(here).status for _ in range(5)]
        answer = forged(here)
        outcome = Outcome(is_success(answer), answer.status, here.error_since(mark, wanted={"connection-refused"}), f"before it: {statuses}")
        if statuses != [500] * 5:
            outcome.problem = f"the first failures were answered with {statuses}"
        return outcome

    yield Probe("the sixth forgery within a minute, of five allowed", run, statuses=frozenset({503}))
    yield Probe("an honest partner beside it", asking(), benign=True)
    write_limit(range_, 10000)


def write_limit(range_, n):
    """Into the live node's configuration, and it reads it."""
    with open(range_.node.config, encoding="utf-8") as file:
        text = re.sub(r"failures_per_minute: \d+", f"failures_per_minute: {n}", file.read())
    with open(range_.node.config, "w", encoding="utf-8") as file:
        file.write(text)
    reload(range_)


# ---- a partner that is removed ----


@live("TLS-REMOVED", "A1.7", {"PEER_UNKNOWN", "TLS"})
def removed(range_):
    """A partner whose file is gone after a reload is nobody: not over a new connection, not over one that is open, not by an old session."""
    path = os.path.join(os.path.dirname(range_.node.config), "partners.d", "black.yaml")
    yield Probe("while its file is there", asking(lambda here: here.p2, lambda here: here.honest(by="p2")), benign=True)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        options = {"least": version, "most": version}
        kept = range_.target.connect(range_.p2, **options)
        first = range_.ask(message=range_.honest(by="p2"), wire=kept)
        session = kept.stream.session
        os.rename(path, path + ".off")
        reload(range_)
        try:
            assert is_success(first)
            p2 = lambda here: here.p2  # noqa: E731
            message = lambda here: here.honest(by="p2")  # noqa: E731
            yield Probe(f"a new connection, {version.name}", asking(p2, message, **options))
            yield Probe(f"its old session, {version.name}", asking(p2, message, session=session, **options))
            yield Probe(f"its old connection, {version.name}", over(kept, message), expect=frozenset({"PEER_UNKNOWN", "TLS", ""}))
        finally:
            kept.close()
            os.rename(path + ".off", path)
            reload(range_)
    yield Probe("its file is back", asking(lambda here: here.p2, lambda here: here.honest(by="p2")), benign=True)


def over(wire, message):
    def run(here):
        mark = here.mark()
        try:
            answer = here.ask(message=message(here), wire=wire)
        except (Refused, TimeoutError) as refused:
            return Outcome(False, 0, here.error_since(mark, 0.3), str(refused))
        return judge_answer(here, mark, answer)

    return run


@live("TLS-REVOKED-LATER", "A1.7", {"TLS"}, reason="revoked|closed")
def revoked_later(range_):
    """A certificate that a new revocation list names is refused from the next reload on, sessions and open connections included."""
    shop = range_.shop
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        options = {"least": version, "most": version}
        identity = shop.make()
        yield Probe(f"not revoked yet, {version.name}", asking(identity, **options), benign=True)
        kept = range_.target.connect(identity, **options)
        range_.ask(message=range_.honest(), wire=kept)
        session = kept.stream.session
        shop.revoke(identity)
        reload(range_)
        yield Probe(f"a new connection, {version.name}", asking(identity, **options))
        yield Probe(f"its old session, {version.name}", asking(identity, session=session, **options))
        yield Probe(f"its old connection, {version.name}", over(kept, lambda here: here.honest()), expect=frozenset({"TLS", ""}))
        kept.close()
    yield Probe("another certificate", by(shop.make()), benign=True)
