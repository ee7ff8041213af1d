"""HTTP framing and request smuggling, as raw bytes over a partner's own TLS connection. Each attack carries an honest,
fully signed message, so that only the framing can be the reason of a refusal; an attack was accepted when any 2xx comes back.
"""

import time

from live_kit import Outcome, Probe, is_success, live
from tlswire import Refused, post

QUIET_SECONDS = 0.4  # after this without another answer nothing more will come
PATIENCE_SECONDS = 60  # for what must come, on a slow machine

SYNTAX = {"HTTP_SYNTAX"}


def answers_to(range_, *pieces, pause=0.0, must_close=False):
    """Sends the pieces on one connection; all answers, and whether the gateway closed (which it must after an error)."""
    answers = []
    with range_.target.connect(range_.p1) as wire:
        for piece in pieces:
            if pause and piece is not pieces[0]:
                time.sleep(pause)
            if not wire.send(piece):
                break
        try:
            while True:
                is_end_near = answers and (is_success(answers[-1]) or not must_close)
                answers.append(wire.read(QUIET_SECONDS if is_end_near else PATIENCE_SECONDS))
        except Refused:
            return answers, True
        except TimeoutError:
            return answers, False


def sending(make, must_close=True, pause=0.0, log_seconds=20.0):
    """<make>: path, content type, body -> pieces of raw bytes. A refusal must be one answer, and the connection must end: what stands
    behind an error is never looked at."""

    def run(range_):
        pieces = make(*range_.honest())
        pieces = pieces if isinstance(pieces, (list, tuple)) else [pieces]
        mark = range_.mark()
        try:
            answers, is_closed = answers_to(range_, *pieces, pause=pause, must_close=must_close)
        except Refused as refused:
            return Outcome(False, 0, range_.error_since(mark), str(refused))
        if any(is_success(answer) for answer in answers):
            return Outcome(True, 200, detail=f"{[answer.status for answer in answers]}")
        status = answers[0].status if answers else 0
        error = range_.error_since(mark, log_seconds)
        outcome = Outcome(False, status, error, answer=answers[0] if answers else None)
        if must_close and not is_closed:
            outcome.problem = "the connection stays open after an error of framing"
        elif must_close and len(answers) > 1:
            outcome.problem = f"{len(answers)} answers: bytes behind the error were read as requests"
        return outcome

    return run


def head(path, content_type, length=None, more=(), method="POST", version="HTTP/1.1", host=True):
    lines = [f"{method} {path} {version}".encode()]
    if host:
        lines.append(b"Host: localhost")
    lines.append(b"Content-Type: " + content_type.encode())
    if length is not None:
        lines.append(b"Content-Length: " + str(length).encode())
    lines += [line if isinstance(line, bytes) else line.encode("utf-8") for line in more]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def chunked(body, size=1000, extension=b"", last=b"0\r\n\r\n", end=b"\r\n"):
    """The body in chunks."""
    out = b""
    for at in range(0, len(body), size):
        piece = body[at : at + size]
        out += b"%x" % len(piece) + extension + end + piece + end
    return out + last


TE = "Transfer-Encoding: chunked"
CLOSE = ("Connection", "close")  # where the end of the connection proves nothing, it need not be waited for


def plain(path, content_type, body):
    return post(path, content_type, body, [CLOSE])


def in_chunks(path, content_type, body):
    return head(path, content_type, None, [TE, "Connection: close"]) + chunked(body)


def benign(name="an honest request", make=plain):
    return Probe(name, sending(make, must_close=False), benign=True)


def lines_probe(name, *more, length=True, with_body=lambda body: body, **options):
    """An attack that differs from an honest request by header lines."""

    def make(path, content_type, body):
        return head(path, content_type, len(body) if length else None, more, **options) + with_body(body)

    return Probe(name, sending(make))


def second_request(path, content_type, body):
    return post(path, content_type, body)


# ---- framing ----


@live("HTTP-CL-TE", "A1.7", SYNTAX, needs_node=False)
def cl_and_te(_):
    yield benign()
    yield benign("an honest request in chunks", in_chunks)

    def cl_first(path, content_type, body):
        return head(path, content_type, len(chunked(body)), [TE]) + chunked(body)

    def te_first(path, content_type, body):
        return head(path, content_type, None, [TE, f"Content-Length: {len(chunked(body))}"]) + chunked(body)

    def hidden_behind_te(path, content_type, body):
        hidden = second_request(path, content_type, body)
        return head(path, content_type, len(hidden) + 5, [TE]) + b"0\r\n\r\n" + hidden

    def hidden_behind_cl(path, content_type, body):
        inner = chunked(body)
        return head(path, content_type, 4, [TE]) + inner + second_request(path, content_type, body)

    def zero(path, content_type, body):
        return head(path, content_type, 0, [TE]) + chunked(body)

    for make in (cl_first, te_first, hidden_behind_te, hidden_behind_cl, zero):
        yield Probe(make.__name__.replace("_", " "), sending(make))


@live("HTTP-TWO-CL", "A1.7", SYNTAX, needs_node=False)
def two_lengths(_):
    yield benign()

    def twice(first, second):
        def make(path, content_type, body):
            values = {"n": str(len(body)), "0": "0", "less": str(len(body) - 7), "more": str(len(body) + 7)}
            return head(path, content_type, values[first], [f"Content-Length: {values[second]}"]) + body

        return make

    for first, second in (("n", "n"), ("n", "0"), ("0", "n"), ("n", "less"), ("n", "more"), ("more", "n")):
        yield Probe(f"Content-Length {first} and {second}", sending(twice(first, second)))

    def listed(path, content_type, body):
        return head(path, content_type, f"{len(body)}, {len(body)}") + body

    yield Probe("a list in one Content-Length", sending(listed))
    yield lines_probe("the second in another case", "cONTENT-lENGTH: 3")


@live("HTTP-CL-FORM", "A1.7", SYNTAX, needs_node=False)
def form_of_length(_):
    yield benign()

    def written(template):
        def make(path, content_type, body):
            return head(path, content_type, template.format(n=len(body), x=f"{len(body):x}")) + body

        return make

    for template in (
        "+{n}",
        "-{n}",
        "0x{x}",
        "{n}.0",
        "{n}e0",
        "{n};",
        '"{n}"',
        "{n} {n}",
        "{n}\t{n}",
        "",
        "18446744073709551616",
        "99999999999999999999999999",
        "\N{FULLWIDTH DIGIT ONE}",
        "{n}\x0b",
        "{n}\x00",
    ):
        yield Probe(f"Content-Length {template!r}", sending(written(template)))


BOUNDED = {"log_seconds": 0.3}  # refusals for a limit: the log takes few of each kind a second


@live("HTTP-CL-LIMIT", "A1.6", {"LIMIT_BODY", ""}, needs_node=False)
def length_above_limit(_):
    yield benign()
    for n in (64 * 1024 * 1024 + 1, 2**32, 2**32 + 10, 2**63 - 1, 2**63, 2**64 - 1):

        def make(path, content_type, body, n=n):
            return head(path, content_type, n) + body

        yield Probe(f"Content-Length {n}", sending(make, **BOUNDED), statuses=frozenset({413}))


@live("HTTP-TE-FORM", "A1.7", SYNTAX, needs_node=False)
def form_of_coding(_):
    yield benign("an honest request in chunks", in_chunks)
    for text in (
        "xchunked",
        "chunked, identity",
        "identity, chunked",
        "chunked, chunked",
        "gzip, chunked",
        "identity",
        '"chunked"',
        "chunked;q=1",
        "\x0bchunked",
        "chunked\x00",
        "chunked\x0b",
        "",
        ",chunked",
        "chunked,",
        "chunk\N{KELVIN SIGN}ed",
    ):

        def make(path, content_type, body, text=text):
            return head(path, content_type, None, [f"Transfer-Encoding: {text}"]) + chunked(body)

        yield Probe(f"Transfer-Encoding {text!r}", sending(make))
    for name in ("twice", "twice in another case"):
        other = "transfer-encoding: chunked" if "case" in name else TE

        def doubled(path, content_type, body, other=other):
            return head(path, content_type, None, [TE, other]) + chunked(body)

        yield Probe(name, sending(doubled))


@live("HTTP-HEADER-NAME", "A1.7", SYNTAX, needs_node=False)
def names_of_headers(_):
    yield benign()
    for line in (
        " Transfer-Encoding: chunked",
        "\tTransfer-Encoding: chunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding\t: chunked",
        "Transfer-Encoding\x0b: chunked",
        "Transfer-Encoding\x00: chunked",
        "Transfer Encoding: chunked",
        ": chunked",
        "Transfer-Encoding",
        "X\u00e4: 1",
        "X[0]: 1",
        "X@y: 1",
        "Transfer-Encoding\x7f: chunked",
        "(X): 1",
    ):
        yield lines_probe(f"{line!r}", line)


@live("HTTP-FOLD", "A1.7", SYNTAX, needs_node=False)
def folded_headers(_):
    yield benign()
    yield lines_probe("obs-fold of an unknown header", "X-One: a", " b")
    yield lines_probe("obs-fold with a tab", "X-One: a", "\tb")
    yield lines_probe("Transfer-Encoding folded away", "X-One: a", " Transfer-Encoding: chunked")
    yield lines_probe("Transfer-Encoding whose value is folded", "Transfer-Encoding:", " chunked")

    def first_line(path, content_type, body):
        return head(path, content_type, len(body)).replace(b"\r\nHost", b"\r\n Host") + body

    yield Probe("the first header folded onto the request line", sending(first_line))


@live("HTTP-LINE-END", "A1.7", SYNTAX, needs_node=False)
def ends_of_lines(_):
    yield benign()

    def replaced(old, new, count=-1):
        def make(path, content_type, body):
            return head(path, content_type, len(body), ["X-A: 1"]).replace(old, new, count) + body

        return make

    for name, old, new in (
        ("LF everywhere", b"\r\n", b"\n"),
        ("LF at the end of the head", b"\r\n\r\n", b"\r\n\n"),
        ("LF LF", b"\r\n\r\n", b"\n\n"),
        ("LF behind the request line", b"HTTP/1.1\r\n", b"HTTP/1.1\n"),
        ("LF behind a header", b"localhost\r\n", b"localhost\n"),
        ("bare CR within a value", b"X-A: 1", b"X-A: 1\rTransfer-Encoding: chunked"),
        ("bare CR as line end", b"localhost\r\n", b"localhost\r"),
        ("CR CR LF", b"localhost\r\n", b"localhost\r\r\n"),
        ("NUL within a value", b"X-A: 1", b"X-A: 1\x002"),
        ("NUL in the name", b"X-A: 1", b"X\x00-A: 1"),
        ("vertical tab within a value", b"X-A: 1", b"X-A: 1\x0b2"),
        ("escape within a value", b"X-A: 1", b"X-A: \x1b[2J"),
        ("DEL within a value", b"X-A: 1", b"X-A: \x7f"),
    ):
        yield Probe(name, sending(replaced(old, new)))

    def empty_line_before(path, content_type, body):
        return b"\r\n" + post(path, content_type, body)

    yield Probe("an empty line before the request", sending(empty_line_before))


@live("HTTP-CHUNK-SIZE", "A1.7", {"HTTP_SYNTAX", "LIMIT_BODY", ""}, needs_node=False)
def sizes_of_chunks(_):
    yield benign("an honest request in chunks", in_chunks)
    for text in (
        "10000000000000000",
        "ffffffffffffffff",
        "8000000000000000",
        "1" + "0" * 40,
        "-1",
        "+{x}",
        "0x{x}",
        " {x}",
        "{x} ",
        "{x}\t",
        "",
        "g",
        "{x},",
        "{x}\x00",
        "{x}\x0b",
        "00000000000000000000000000{x}",
    ):

        def make(path, content_type, body, text=text):
            size = text.format(x=f"{len(body):x}").encode()
            return head(path, content_type, None, [TE]) + size + b"\r\n" + body + b"\r\n0\r\n\r\n"

        yield Probe(f"chunk size {text!r}", sending(make, **BOUNDED))


@live("HTTP-CHUNK-END", "A1.7", SYNTAX, needs_node=False)
def ends_of_chunks(_):
    yield benign("an honest request in chunks", in_chunks)

    def ended(end=b"\r\n", after=b"\r\n", last=b"0\r\n\r\n"):
        def make(path, content_type, body):
            return head(path, content_type, None, [TE]) + b"%x" % len(body) + end + body + after + last

        return make

    for name, make in (
        ("LF behind the size", ended(end=b"\n")),
        ("bare CR behind the size", ended(end=b"\r")),
        ("CR CR LF behind the size", ended(end=b"\r\r\n")),
        ("nothing behind the data", ended(after=b"")),
        ("LF behind the data", ended(after=b"\n")),
        ("two bytes too many", ended(after=b"xx\r\n")),
        ("LF behind the last chunk", ended(last=b"0\n\n")),
        ("a bare CR in the trailer", ended(last=b"0\r\nX: a\rb\r\n\r\n")),
        ("NUL in an extension", ended(end=b";a=\x00\r\n")),
        ("LF within an extension", ended(end=b";a=b\nX: y\r\n")),
    ):
        yield Probe(name, sending(make))


@live("HTTP-CHUNK-EXTRA", "A1.7", {"HTTP_SYNTAX"}, needs_node=False)
def extensions_and_trailers(_):
    """Extensions and trailers are read past, and bounded; what belongs into a head is no trailer."""

    def with_extension(extension):
        def make(path, content_type, body):
            return head(path, content_type, None, [TE]) + chunked(body, extension=extension)

        return make

    def with_trailer(trailer):
        def make(path, content_type, body):
            return head(path, content_type, None, [TE]) + chunked(body, last=b"0\r\n" + trailer + b"\r\n")

        return make

    yield benign("a small extension", with_extension(b";a=b"))
    yield benign("a trailer", with_trailer(b"X-Sum: 1\r\n"))
    for trailer in (b"Content-Length: 0", b"Transfer-Encoding: identity", b"Host: other", b"Content-Type: text/plain", b"Connection: keep-alive"):
        yield Probe(f"the trailer {trailer.decode()}", sending(with_trailer(trailer + b"\r\n")))
    yield Probe("an extension of 8 KB", sending(with_extension(b";" + b"a" * 8192)))
    yield Probe("extensions of 8 KB in all", sending(lambda p, c, b: head(p, c, None, [TE]) + chunked(b, 1, b";abc")))
    yield Probe("trailers of 8 KB", sending(with_trailer(b"X: " + b"a" * 8192 + b"\r\n")))
    yield Probe("a trailer that does not end", sending(with_trailer(b"X: " + b"a\r\n" * 4000)))


# ---- request line and Host ----


@live("HTTP-REQUEST-LINE", "A1.7", {"HTTP_SYNTAX", "HTTP_METHOD"}, needs_node=False)
def request_lines(_):
    yield benign()

    def line(template):
        def make(path, content_type, body):
            return head(path, content_type, len(body)).replace(
                f"POST {path} HTTP/1.1".encode(), template.format(path=path).encode("latin-1")
            ) + body

        return make

    for template in (
        "POST {path}",  # HTTP/0.9
        "GET {path}",
        "POST {path} HTTP/0.9",
        "POST {path} HTTP/1.0",
        "POST {path} HTTP/1.2",
        "POST {path} HTTP/2.0",
        "POST {path} HTTP/1.1 ",
        "POST {path} HTTP/1.1 x",
        "POST {path} http/1.1",
        "POST {path} HTTP/01.1",
        "POST  {path} HTTP/1.1",
        "POST {path}  HTTP/1.1",
        "POST\t{path}\tHTTP/1.1",
        " POST {path} HTTP/1.1",
        "post {path} HTTP/1.1",
        "PUT {path} HTTP/1.1",
        "TRACE {path} HTTP/1.1",
        "CONNECT localhost:443 HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "POST http://localhost{path} HTTP/1.1",
        "POST https://internal.example{path} HTTP/1.1",
        "POST //internal.example{path} HTTP/1.1".replace("//", "\\\\"),
        "POST {path}\x00 HTTP/1.1",
        "POST {path}%zz HTTP/1.1",
        "POST {path}% HTTP/1.1",
        "POST {path}#fragment HTTP/1.1",
        "POST {path}\xe4 HTTP/1.1",
        "POST {path}\x7f HTTP/1.1",
        "PRI * HTTP/2.0",
    ):
        yield Probe(f"{template!r}", sending(line(template)))


@live("HTTP-PATH", "A1.7", {"WSA_ACTION", "WSA_HEADER", "HTTP_SYNTAX"}, needs_node=False)
def paths(_):
    """One path a transaction, byte for byte: nothing is decoded, cleaned or joined."""
    yield benign()
    for template in (
        "/",
        "/{p}x",
        "/x/../{p}",
        "/./{p}",
        "//{p}",
        "/{p}/",
        "/{p}/.",
        "/{p};x=1",
        "/{p}%00",
        "/%2e/{p}",
        "/{p}%2f",
        "/livez",
        "/../../../../etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
    ):

        def make(path, content_type, body, template=template):
            return post(template.format(p=path[1:]), content_type, body, [CLOSE])

        yield Probe(f"{template!r}", sending(make, must_close=False))

    def in_capitals(path, content_type, body):
        return post(path.upper(), content_type, body, [CLOSE])

    yield Probe("in capitals", sending(in_capitals, must_close=False))


@live("HTTP-HOST", "A1.7", SYNTAX, needs_node=False)
def hosts(_):
    yield benign()
    yield lines_probe("no Host", host=False)
    yield lines_probe("two Hosts, the same", "Host: localhost")
    yield lines_probe("two Hosts, different", "Host: internal.example")
    for text in ("", "a b", "user@localhost", "localhost/x", "localhost,other", "local\x00host", "a\\b", "<x>"):
        yield lines_probe(f"Host {text!r}", f"Host: {text}", host=False)


@live("HTTP-HEADER-LIMIT", "A1.7", {"LIMIT_HEAD", ""}, needs_node=False)
def limits_of_heads(_):
    yield benign()
    yield benign("forty headers", lambda p, c, b: head(p, c, len(b), [f"X-{i}: 1" for i in range(40)]) + b)
    refused = frozenset({431})

    def limit(name, make):
        return Probe(name, sending(make, **BOUNDED), statuses=refused)

    yield limit("a thousand headers", lambda p, c, b: head(p, c, len(b), [f"X-{i}: 1" for i in range(1000)]) + b)
    yield limit("65 headers", lambda p, c, b: head(p, c, len(b), [f"X-{i}: 1" for i in range(65)]) + b)
    yield limit("a header of 1 MB", lambda p, c, b: head(p, c, len(b), ["X: " + "a" * 1000000]) + b)
    yield limit("a path of 64 KB", lambda p, c, b: post(p + "?" + "a" * 65536, c, b))
    yield limit("a method of 64 KB", lambda p, c, b: b"A" * 65536 + post(p, c, b))
    yield limit("a Content-Type of 64 KB", lambda p, c, b: post(p, c + "; x=" + "a" * 65536, b))
    yield limit("a head without end", lambda p, c, b: head(p, c, len(b))[:-2] + b"X: y\r\n" * 20000)


# ---- content ----


@live("HTTP-CODING", "A1.6", {"HTTP_MEDIA_TYPE"}, needs_node=False)
def content_codings(_):
    """Compressed content is refused unread: no bomb can unfold."""
    import gzip  # pylint: disable=import-outside-toplevel

    yield benign()
    yield benign("Content-Encoding: identity", lambda p, c, b: head(p, c, len(b), ["Content-Encoding: identity"]) + b)
    refused = frozenset({415})

    def coded(name, pack):
        def make(path, content_type, body):
            data = pack(body)
            return head(path, content_type, len(data), [f"Content-Encoding: {name}"]) + data

        return make

    yield Probe("gzip", sending(coded("gzip", gzip.compress)), statuses=refused)
    yield Probe("gzip, a bomb of 100 MB", sending(coded("gzip", lambda b: gzip.compress(bytes(100000000), 1))), statuses=refused)
    for name in ("deflate", "br", "zstd", "compress", "x-gzip", "gzip, gzip", "identity, gzip", "GZIP"):
        yield Probe(name, sending(coded(name, lambda b: b)), statuses=refused)
    yield Probe(
        "twice",
        sending(lambda p, c, b: head(p, c, len(b), ["Content-Encoding: identity", "Content-Encoding: gzip"]) + b),
        expect=frozenset(SYNTAX),
    )


@live("HTTP-TYPE", "A1.7", {"HTTP_MEDIA_TYPE", "MIME", "XML_ENCODING", "SOAP_VERSION", "HTTP_SYNTAX"}, needs_node=False)
def content_types(_):
    yield benign()
    for text in (
        "text/xml",
        "text/xml; charset=utf-8",
        "application/xml",
        "application/json",
        "text/html",
        "application/x-www-form-urlencoded",
        "application/soap+xml; charset=utf-16",
        "application/soap+xml; charset=utf-7",
        "application/soap+xml; charset=ibm037",
        "application/soap+xml, text/xml",
        "application/soap+xml; charset",
        'application/soap+xml; charset="utf-8',
        "application/soap+xml charset=utf-8",
        "application/soap+xml; charset=utf-8; charset=utf-16",
        "multipart/related",
        "multipart/mixed; boundary=a",
        "multipart/form-data; boundary=a",
        "application/fastinfoset",
        "application/soap+msbin1",
        "*/*",
        "application",
    ):

        def make(path, content_type, body, text=text):
            return post(path, text, body, [CLOSE])

        yield Probe(f"{text!r}", sending(make, must_close=False))

    def none(path, _content_type, body):
        lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", "Connection: close"]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def twice(path, content_type, body):
        return post(path, content_type, body, [("Content-Type", "text/plain")])

    yield Probe("none", sending(none, must_close=False))
    yield Probe("twice", sending(twice))


@live("HTTP-EXPECT", "A1.7", {"HTTP_SYNTAX", "HTTP_EXPECTATION"}, needs_node=False)
def expectations(_):
    def split(path, content_type, body):
        return [head(path, content_type, len(body), ["Expect: 100-continue"]), body]

    yield Probe("100-continue, and the body after it", sending(split, must_close=False, pause=0.2), benign=True)
    yield benign("100-continue, and the body at once", lambda p, c, b: head(p, c, len(b), ["Expect: 100-continue"]) + b)
    for text in ("200-ok", "100-continue, x", "100 continue", "", "100-continue;q=1"):
        yield lines_probe(f"Expect {text!r}", f"Expect: {text}")
    yield lines_probe("twice", "Expect: 100-continue", "Expect: 100-continue")
    yield Probe(
        "of a request that is too large",
        sending(lambda p, c, b: head(p, c, 2**40, ["Expect: 100-continue"]), **BOUNDED),
        expect=frozenset({"LIMIT_BODY", ""}),
        statuses=frozenset({413}),
    )


@live("HTTP-GET-BODY", "A1.7", SYNTAX, needs_node=False)
def gets(_):
    yield benign()

    def get(path, content_type, body):
        return head(path, content_type, len(body), method="GET") + body

    def get_chunked(path, content_type, body):
        return head(path, content_type, None, [TE], method="GET") + chunked(body)

    yield Probe("GET with a body", sending(get))
    yield Probe("GET with a chunked body", sending(get_chunked))
    unlogged = {"must_close": False, "log_seconds": 0.0}  # a method that is known and not for this path
    refused = {"expect": frozenset({""}), "statuses": frozenset({405})}
    yield Probe("GET", sending(lambda p, c, b: head(p, c, method="GET"), **unlogged), **refused)
    for name in ("X-HTTP-Method-Override: POST", "X-Original-URL: /xcpd", "X-Forwarded-For: 127.0.0.1"):
        make = lambda p, c, b, name=name: head(p, c, None, [name], method="GET")  # noqa: E731
        yield Probe(f"GET and {name}", sending(make, **unlogged), **refused)


@live("HTTP-AFTER-ERROR", "A1.7", {"HTTP_SYNTAX", "HTTP_METHOD", "LIMIT_BODY", "HTTP_MEDIA_TYPE", ""}, needs_node=False)
def requests_behind_an_error(range_):
    """A request that stands behind one that is refused for its framing is never answered."""
    yield benign("two honest requests, pipelined", lambda p, c, b: post(p, c, b) + post(*range_.honest()))
    for name, first in (
        ("a bad method", b"BREW /xcpd HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("a bad header", b"POST /xcpd HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1x\r\n\r\n"),
        ("both lengths", b"POST /xcpd HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("a length above the limit", b"POST /xcpd HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n"),
        ("a compressed body", b"POST /xcpd HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"),
        ("a bad chunk", b"POST /xcpd HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n" + TE.encode() + b"\r\n\r\nxyz\r\n"),
    ):
        yield Probe(f"behind {name}", sending(lambda p, c, b, first=first: first + post(p, c, b), **BOUNDED))


@live("HTTP-TRUNCATED", "A1.6", {"HTTP_TRUNCATED", "LIMIT_TIME", ""}, needs_node=False)
def truncated(_):
    """A body that ends early is never handled: the connection is closed from the client's side in its middle."""
    yield benign()

    def cut(make_bytes):
        def run(range_):
            data = make_bytes(*range_.honest())
            mark = range_.mark()
            with range_.target.connect(range_.p1) as wire:
                wire.send(data)
                try:
                    wire.stream.settimeout(3)
                    wire.stream = wire.stream.unwrap()  # close_notify: an end, and no attack of the network
                except OSError:
                    pass
                try:
                    answer = wire.read(2)
                except (Refused, TimeoutError, OSError, AssertionError):
                    return Outcome(False, 0, range_.error_since(mark, 0.5))
            return Outcome(is_success(answer), answer.status, range_.error_since(mark, 0.5), answer=answer)

        return run

    yield Probe("one byte short", cut(lambda p, c, b: head(p, c, len(b)) + b[:-1]))
    yield Probe("half of it", cut(lambda p, c, b: head(p, c, len(b)) + b[: len(b) // 2]))
    yield Probe("one byte more announced", cut(lambda p, c, b: head(p, c, len(b) + 1) + b))
    yield Probe("chunks without the last one", cut(lambda p, c, b: head(p, c, None, [TE]) + chunked(b, last=b"")))
    yield Probe("a chunk cut in its data", cut(lambda p, c, b: head(p, c, None, [TE]) + b"%x\r\n" % len(b) + b[:-1]))
    yield Probe("the last chunk without its end", cut(lambda p, c, b: head(p, c, None, [TE]) + chunked(b, last=b"0\r\n")))
