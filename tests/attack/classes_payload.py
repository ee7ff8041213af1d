"""Hostile values in honest messages: the partner signs them itself, so they may be accepted, but then every fact must be
what was written, byte for byte, and what comes of it (answer, log, journal, files) must be harmless: the run over a live node looks at all log
lines and records afterwards.
"""

from xml.sax.saxutils import escape, quoteattr

from catalogue import ANY, Case, attack, benign, case
from live_kit import Probe, live
from messages import FIND_DOCUMENTS, HCID_IHE, IHE, QUERY, RIM, discovery_text
from tlswire import post

ILL_FORMED = {"XML_SYNTAX", "XML_ENCODING"}

# what logs, journals, terminals, spreadsheets, browsers and databases choke on; all of it is legal in XML
HOSTILE = {
    "a line of the log": 'x","verdict":"answered"}\n{"time":"2026-01-01T00:00:00Z","event":"txn-done","verdict":"answered"}',
    "a line of a text log": "x\n2026-01-01T00:00:00Z info txn-done partner=red verdict=answered",
    "CR LF": "x\r\ny",
    "a tab": "x\ty",
    "the next line of EBCDIC": "x\u0085y",
    "a line separator": "x\u2028y\u2029z",
    "text backwards": "x\u202eresworb\u202c y\u2066z\u2069",
    "a zero width space": "x\u200by\ufeffz\u2060",
    "a soft hyphen": "x\u00ady",
    "C1 controls": "x\u009b31mred\u0090y\u009c",
    "DEL": "x\u007fy",
    "formats": "%n%n%s%s%x%99999999d",
    "syslog's structure": 'x"] [evil@1 a="b"\\]',
    "end of CDATA": "x]]><AuditMessage>evil</AuditMessage><![CDATA[",
    "XML": "</UserName><UserName>admin",
    "a comment's end": "--><x><!--",
    "an entity that is not there": "&admin;",
    "HTML": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "a spreadsheet's formula": "=cmd|' /C calc'!A0",
    "SQL": "x'); DROP TABLE patients; --",
    "SQL's comment": "x'/**/OR/**/1=1--",
    "LIKE": "%' ESCAPE '\\",
    "XPath": "' or '1'='1' or ''='",
    "a path": "../../../../../../etc/passwd",
    "a shell": "$(touch /tmp/owned)`id`;id|id",
    "an URL": "http://169.254.169.254/latest/meta-data/",
    "a lookup": "${jndi:ldap://127.0.0.1/x}",
    "Latin look-alikes": "\u0410d\u043cin \uff21\uff44\uff4d\uff49\uff4e",
    "marks": "Z" + "\u0301\u0316" * 200,
    "private and not assigned": "\ue000\U000f0000\U0010fffd\u0378",
    "beyond the first plane": "\U0001f4a9\U00020000",
    "not characters": "x\ufdd0y\U0001fffe",
}
LONG = {"10 KB": "a" * 10000, "200 KB": "b" * 200000, "100 KB of many bytes": "\u00e4\u20ac" * 20000, "50,000 line ends": "x" + "\n" * 50000 + "y"}


def refused_or_true(name, message, expect=None, **more):
    """May be refused by one of the class's names; if it is accepted, then with exactly these facts."""
    return case(name, message, harmless=True, expect=expect, **more)


# ---- names in the assertion ----


def asserted(world, field, text):
    """A message whose assertion says <text>. CR survives in canonical form as a reference, so it is put in after parsing."""
    return world.fresh("ITI-55", "p2", **{field: text.replace("\r", "\n")}) if "\r" not in text else with_cr(world, field, text)


def with_cr(world, field, text):
    marker = "0CR0"

    def edit(assertion):
        for element in assertion.iter():
            if element.text and marker in element.text:
                element.text = element.text.replace(marker, "\r")

    message = world.fresh("ITI-55", "p2", make={"edit": edit}, **{field: text.replace("\r", marker)})
    message.facts = {name: value.replace(marker, "\r") if isinstance(value, str) else value for name, value in message.facts.items()}
    return message


def hostile_assertions(world, field, names):
    yield benign("an honest name", world.fresh("ITI-55", "p2"), peer="p2")
    yield benign("an honest name of many alphabets", world.fresh("ITI-55", "p2", **{field: names}), peer="p2")
    for text, value in {**HOSTILE, **LONG}.items():
        yield refused_or_true(text, asserted(world, field, value))


NAMED = {"SAML_ATTRIBUTE", "SAML_SUBJECT", "LIMIT_XML", "LIMIT_ARENA"}


@attack("PAY-SUBJECT-ID", "A1.9", NAMED)
def subject_ids(world):
    """The user's name, which goes to log and audit."""
    yield from hostile_assertions(world, "user", "Dr. Zoë \u0141ukasz \u674e\u5c0f\u9f99 O'Neil-Smith, M.D.")


@attack("PAY-ORGANIZATION", "A1.9", NAMED)
def organization_names(world):
    """The organization's name."""
    yield from hostile_assertions(world, "organization", "H\u00f4pital \u2116 1 & S\u00f6hne \u00abNord\u00bb")


@attack("PAY-NAMEID", "A1.9", NAMED)
def name_ids(world):
    """NameID, half of the audit's user name (alias<user@issuer>)."""
    yield from hostile_assertions(world, "name_id", "CN=Zo\u00eb \u0141ukasz,O=black HIE")
    for text, value in (
        ("the audit's delimiters", "CN=x>@evil<admin@CN\\=CA"),
        ("escapes of a DN", "CN=x\\00\\0A\\,O\\=red HIE,O=black HIE"),
        ("nothing", " "),
        ("a DN of 1,000 parts", ",".join(f"OU={i}" for i in range(1000))),
    ):
        yield refused_or_true(text, asserted(world, "name_id", value))


@attack("PAY-CODES", "A1.9", NAMED)
def codes(world):
    """Role and purpose of use: codes and texts that policy and audit read."""
    yield benign("honest codes", world.fresh("ITI-55", "p2"), peer="p2")
    for text, value in HOSTILE.items():
        if "\n" in value or "\r" in value or "\t" in value:
            continue  # attribute values: XML makes blanks of them, and says so to every reader
        message = world.fresh("ITI-55", "p2", role=(value, "2.16.840.1.113883.6.96", value))
        yield refused_or_true(f"role: {text}", message)
        message = world.fresh("ITI-55", "p2", purpose=("T-TREAT", "2.16.840.1.113883.3.7204.1.5.2.1", value))
        yield refused_or_true(f"the purpose's text: {text}", message)


@attack("PAY-NPI", "A1.9", NAMED)
def provider_numbers(world):
    """NPI and resource-id."""
    yield benign("honest numbers", world.fresh("ITI-55", "p2", npi="1234567893", resource_id="1^^^&2.999.3.1&ISO"), peer="p2")
    for text in ("1234567890", "123456789", "12345678930", "-123456789", "\uff11234567893", "1234567893 ", "1e9", "0x1234567893", "abc", "' OR 1=1"):
        message = world.fresh("ITI-55", "p2", npi=text)
        message.facts["npi"] = text.strip()
        yield refused_or_true(f"NPI {text!r}", message)
    for text in HOSTILE.values():
        if "\r" not in text:
            yield refused_or_true(f"resource-id {text[:30]!r}", world.fresh("ITI-55", "p2", resource_id=text))


# ---- message ids and addresses ----


@attack("PAY-MESSAGE-ID", "A1.9", {"WSA_HEADER", "LIMIT_XML"})
def message_ids(world):
    """MessageID is not signed, comes back in RelatesTo, and goes to log and audit."""
    yield benign("an honest id", world.fresh("ITI-55", "p2"), peer="p2")
    for text, value in {**HOSTILE, **LONG, "one byte": "x", "nothing": ""}.items():
        message = world.fresh("ITI-55", "p2")
        message.header.find("{*}MessageID").text = value
        message.facts["message_id"] = value.strip(" \t\r\n")
        yield refused_or_true(text, message)


@attack("PAY-LOGGED", "A1.9", {"SAML_ISSUER", "WSA_HEADER", "WSA_ACTION", "UNKNOWN_DOCUMENT"})
def logged(world):
    """Hostile texts in what a refusal quotes in log and journal: Issuer, To, Action, a document's id. A live run sends all of them."""
    yield benign("an honest message", world.fresh("ITI-39", "p2"), peer="p2")
    for text, value in HOSTILE.items():
        if "\r" not in value:
            yield case(f"Issuer: {text}", world.fresh("ITI-55", "p2", issuer=f"CN={value}"), expect={"SAML_ISSUER"})
            yield refused_or_true(f"document: {text}", retrieving(world, f"urn:oid:{world.community}", f"{world.community}.2", value.strip()))
        for header, error in (("To", "WSA_HEADER"), ("Action", "WSA_ACTION")):
            message = world.fresh("ITI-55", "p2")
            message.header.find("{*}" + header).text = value
            yield case(f"{header}: {text}", message, expect={error})


# ---- identifiers as paths ----

PATHS = (
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/passwd",
    "C:\\boot.ini",
    "\\\\server\\share",
    "..%2f..%2fetc%2fpasswd",
    "%00",
    "2.999.1/../../x",
    ".",
    "..",
    "~root",
    "CON",
    "NUL.txt",
    "-rf",
    "*",
    "a/b",
    "file:///etc/passwd",
    "2.999.1\n2.999.2",
    "9" * 4096,
    "2." + "9" * 4000,
    "' OR '1'='1",
    "2.999.1;DROP TABLE documents",
    "\u202e1.999.2",
    "2.999.\uff11",
)


def retrieving(world, home, repository, document):
    body = (
        f'<ihe:RetrieveDocumentSetRequest xmlns:ihe="{IHE}"><ihe:DocumentRequest>'
        f"<ihe:HomeCommunityId>{escape(home)}</ihe:HomeCommunityId><ihe:RepositoryUniqueId>{escape(repository)}</ihe:RepositoryUniqueId>"
        f"<ihe:DocumentUniqueId>{escape(document)}</ihe:DocumentUniqueId></ihe:DocumentRequest></ihe:RetrieveDocumentSetRequest>"
    )
    content = [f"{name}={value}" for name, value in (("home", home), ("repository", repository), ("document", document)) if value]
    return world.fresh("ITI-39", "p2", body=body, facts={"content": content})


CONTENT = {"MESSAGE_CONTENT", "MISSING_COMMUNITY", "UNKNOWN_COMMUNITY", "UNKNOWN_DOCUMENT", "UNKNOWN_REPOSITORY"}


@attack("PAY-PATH-DOCUMENT", "A1.9", CONTENT)
def documents_as_paths(world):
    """Identifiers of documents and repositories that would be paths, wildcards or statements."""
    ours = (f"urn:oid:{world.community}", f"{world.community}.2", "2.999.77.1")
    yield benign("an honest id", world.fresh("ITI-39", "p2"), peer="p2")
    for text in PATHS:
        yield refused_or_true(f"DocumentUniqueId {text[:30]!r} ({len(text)})", retrieving(world, ours[0], ours[1], text))
        yield refused_or_true(f"RepositoryUniqueId {text[:30]!r} ({len(text)})", retrieving(world, ours[0], text, ours[2]))
        yield refused_or_true(f"HomeCommunityId {text[:30]!r} ({len(text)})", retrieving(world, text, ours[1], ours[2]))


@attack("PAY-RETRIEVE-MANY", "A1.9", CONTENT | {"LIMIT_XML", "LIMIT_ITEMS"})
def many_documents(world):
    """Requests for thousands of documents, and for one of them again and again."""
    yield benign("an honest request", world.fresh("ITI-39", "p2"), peer="p2")
    for n, is_same in ((1000, False), (1000, True), (1001, True), (4000, False), (6600, True)):
        one = (
            "<ihe:DocumentRequest><ihe:HomeCommunityId>urn:oid:{home}</ihe:HomeCommunityId><ihe:RepositoryUniqueId>{home}.2"
            "</ihe:RepositoryUniqueId><ihe:DocumentUniqueId>2.999.77.{i}</ihe:DocumentUniqueId></ihe:DocumentRequest>"
        )
        numbers = [1 if is_same else i for i in range(n)]
        inner = "".join(one.format(home=world.community, i=i) for i in numbers)
        body = f'<ihe:RetrieveDocumentSetRequest xmlns:ihe="{IHE}">{inner}</ihe:RetrieveDocumentSetRequest>'
        content = []
        for i in numbers:
            content += [f"home=urn:oid:{world.community}", f"repository={world.community}.2", f"document=2.999.77.{i}"]
        message = world.fresh("ITI-39", "p2", body=body, facts={"content": content})
        yield refused_or_true(f"{n}, {'the same' if is_same else 'different'}", message)


# ---- stored queries ----


def slot(name, *values):
    inner = "".join(f"<rim:Value>{escape(value)}</rim:Value>" for value in values)
    return f"<rim:Slot name={quoteattr(name)}><rim:ValueList>{inner}</rim:ValueList></rim:Slot>"


def querying(world, *slots, query=FIND_DOCUMENTS, home=None):
    where = f" home={quoteattr(home)}" if home is not None else f' home="urn:oid:{world.community}"'
    body = (
        f'<query:AdhocQueryRequest xmlns:query="{QUERY}" xmlns:rim="{RIM}"><query:ResponseOption returnComposedObjects="true" '
        f'returnType="LeafClass"/><rim:AdhocQuery id={quoteattr(query)}{where}>{"".join(slots)}</rim:AdhocQuery></query:AdhocQueryRequest>'
    )
    return world.fresh("ITI-38", "p2", body=body)


PATIENT = "$XDSDocumentEntryPatientId"
STATUS = "$XDSDocumentEntryStatus"
APPROVED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"


def queried(world, name, patient, values, **more):
    """<patient>: the Value as written; <values>: what must be read from it, None when it must be refused."""
    message = querying(world, slot(PATIENT, patient), slot(STATUS, f"('{APPROVED}')"), **more)
    if values is None:
        return case(name, message)
    home = more.get("home", f"urn:oid:{world.community}")
    content = [f"query={more.get('query', FIND_DOCUMENTS)}", f"home={home}", "return=LeafClass"]
    message.facts["content"] = content + [f"{PATIENT}={value}" for value in values] + [f"{STATUS}={APPROVED}"]
    return refused_or_true(name, message)


QUERY_REFUSED = {"MESSAGE_CONTENT", "QUERY_PARAM_NUMBER", "QUERY_PARAM_MISSING", "UNKNOWN_PATIENT"}


@attack("PAY-QUERY-QUOTES", "A1.9", QUERY_REFUSED)
def quotes_of_values(world):
    """The quoting of stored query values ('it''s', ('a','b')): one text, one list of values."""
    yield benign("an honest query", world.fresh("ITI-38", "p2"), peer="p2")
    good = f"1^^^&{world.community}.1&ISO"
    for name, written, values in (
        ("an apostrophe, doubled", "'a''b'", ["a'b"]),
        ("a statement, doubled", "'x'' OR ''1''=''1'", ["x' OR '1'='1"]),
        ("another quote", f'"{good}"', [f'"{good}"']),  # no quote at all: the text as it stands
        ("typographic quotes", f"\u2019{good}\u2019", [f"\u2019{good}\u2019"]),
        ("an empty list", "()", []),
        ("LIKE's wildcards", "'%_%'", ["%_%"]),
        ("a backslash", "'a\\'", ["a\\"]),
        ("a comma within", "('a,b')", ["a,b"]),
        ("a parenthesis within", "('a)b')", ["a)b"]),
    ):
        yield queried(world, name, written, values)
    for name, written in (
        ("a statement", f"'{good}' OR '1'='1'"),
        ("a statement behind a list", f"('{good}') OR ('1')"),
        ("no closing apostrophe", f"'{good}"),
        ("no opening apostrophe", f"{good}'"),
        ("one apostrophe", "'"),
        ("no closing parenthesis", f"('{good}'"),
        ("no opening parenthesis", f"'{good}')"),
        ("a list that begins with a comma", f"(,'{good}')"),
        ("a list that ends with a comma", f"('{good}',)"),
        ("a list within a list", f"(('{good}'))"),
        ("text behind", f"'{good}' x"),
        ("a comment behind", f"'{good}'--"),
        ("1,000 parentheses", "(" * 1000 + f"'{good}'" + ")" * 1000),
    ):
        yield queried(world, name, written, None)


@attack("PAY-CX", "A1.9", QUERY_REFUSED)
def patient_ids(world):
    """Patient ids (CX): what is no id of ours finds nobody, whatever it would mean elsewhere."""
    yield benign("an honest query", world.fresh("ITI-38", "p2"), peer="p2")
    own = f"{world.community}.1"
    for text in (
        f"%^^^&{own}&ISO",
        f"1^^^&%&ISO",
        f"*^^^&{own}&ISO",
        f"^^^&{own}&ISO",
        "1",
        "1^^^",
        "1^^^&&ISO",
        f"1^^^&{own}&DNS",
        f"1^^^{own}",
        f"1&x^^^&{own}&ISO",
        f"1^^^&{own}&ISO^PI",
        f"1^^^&{own}&ISO~2^^^&{own}&ISO",
        f"1^^^A&{own}&ISO",
        f"1\\T\\2^^^&{own}&ISO",
        f"1\\X0A\\^^^&{own}&ISO",
        f"../../x^^^&{own}&ISO",
        "1^^^&2.999.1&ISO^^^^^^^^^^^^^^^^",
        f"1^^^&{own}.&ISO",
        f"1^^^&urn:oid:{own}&ISO",
        f"1^^^&{own}&ISO\n2^^^&{own}&ISO",
        "x" * 100000 + f"^^^&{own}&ISO",
        "1^^^&" + ".".join(["1"] * 20000) + "&ISO",
        "^" * 10000,
        "&" * 10000,
        f"\u202e1^^^&{own}&ISO",
    ):
        yield queried(world, f"{text[:40]!r} ({len(text)})", f"'{text}'", [text])


@attack("PAY-QUERY-SHAPE", "A1.9", QUERY_REFUSED | {"UNKNOWN_QUERY", "LIMIT_XML", "LIMIT_ITEMS"})
def shapes_of_queries(world):
    """Stored queries of a wrong shape: repeated, empty, enormous."""
    yield benign("an honest query", world.fresh("ITI-38", "p2"), peer="p2")
    patient, status = slot(PATIENT, f"'1^^^&{world.community}.1&ISO'"), slot(STATUS, f"('{APPROVED}')")
    other = slot(PATIENT, f"'2^^^&{world.community}.1&ISO'")
    # in process the codec alone reads it: what a query means is decided behind it, so these may be read, as they are
    for name, slots in (
        ("the patient twice", (patient, other, status)),
        ("the patient with two values", (slot(PATIENT, "'1'", "'2'"), status)),
        ("the patient without a value", (slot(PATIENT), status)),
        ("1,999 values", (patient, slot(STATUS, *[f"('{i}')" for i in range(1999)]))),
        ("9,000 values", (patient, slot(STATUS, *[f"('{i}')" for i in range(9000)]))),
        ("a list of 1,999", (patient, slot(STATUS, "(" + ",".join(f"'{i}'" for i in range(1999)) + ")"))),
        ("a list of 50,000", (patient, slot(STATUS, "(" + ",".join(f"'{i}'" for i in range(50000)) + ")"))),
        ("a name of 100 KB", (patient, status, slot("$" + "x" * 15000, "'1'"))),
        ("a name like a statement", (patient, status, slot("$XDSDocumentEntryPatientId' OR 1=1 --", "'1'"))),
        ("200 parameters", (patient, status, *[slot(f"$X{i}", "'1'") for i in range(198)])),
        ("6,000 parameters", (patient, status, *[slot(f"$X{i}", "'1'") for i in range(6000)])),
    ):
        message = querying(world, *slots)
        yield unread(name, message)
    for query in ("urn:uuid:00000000-0000-0000-0000-000000000000", "x", "", FIND_DOCUMENTS.upper(), FIND_DOCUMENTS + " ", "../" + FIND_DOCUMENTS):
        message = querying(world, patient, status, query=query)
        yield unread(f"query {query[:60]!r}", message)


def unread(name, message):
    """The payload's reading is compared elsewhere (tests/unit, tests/fuzz); here: it ends, it is bounded, and the rest is true."""
    made = case(name, message, harmless=True)
    made.facts = {**message.facts, "content": ANY}
    return made


# ---- discovery ----


def discovering(world, family="Ibarra", given="Nuria", birth="19700102"):
    return world.fresh("ITI-55", "p2", family=family, given=given, birth=birth)


@attack("PAY-PATIENT-NAME", "A1.9", {"MESSAGE_CONTENT", "LIMIT_XML"})
def patient_names(world):
    """The patient's name: goes to the index and into the audit record's query, never into the log."""
    yield benign("an honest name", discovering(world, "O'Neil-\u0141ukasz", "Zo\u00eb"), peer="p2")
    for text, value in {**HOSTILE, **LONG}.items():
        if "\r" in value:
            continue
        yield refused_or_true(f"family: {text}", discovering(world, family=value))
        yield refused_or_true(f"given: {text}", discovering(world, given=value))


DATES = (
    "0",
    "00000000",
    "99999999",
    "19701301",
    "19700230",
    "19700100",
    "1970-01-02",
    "19700102T",
    "197001022561",
    "19700102+9999",
    "19700102000060",
    "19700102235960",
    "20000229",
    "19000229",
    "197001021200.9999999999999999",
    "19700102120000.",
    "-19700102",
    "+19700102",
    " 19700102",
    "\uff11\uff19\uff17\uff10\uff10\uff11\uff10\uff12",
    "1970010",
    "197001",
    "9" * 10000,
    "1e7",
    "NaN",
    "19700102'; --",
    "0x19700102",
    "19700102\u0000".replace("\u0000", "%00"),
)


@attack("PAY-BIRTH-DATE", "A1.8", {"MESSAGE_CONTENT"})
def birth_dates(world):
    """HL7 dates that are none."""
    yield benign("a day", discovering(world), peer="p2")
    yield benign("a leap day", discovering(world, birth="20000229"), peer="p2")
    for text in DATES:
        message = discovering(world, birth=text)
        message.facts["content"] = [line.replace("birth= ", "birth=") for line in message.facts["content"]]
        yield refused_or_true(f"{text[:40]!r} ({len(text)})", message)


def broken(world, name, old, new, count=1):
    """ITI-55 whose payload's text is changed before anybody parses it."""
    ask = world.ask("ITI-55", "p2")
    number = 4100
    text = discovery_text(ask, number)
    if old not in text:
        raise ValueError(f"{name}: nothing to change")
    return unread(name, world.fresh("ITI-55", "p2", body=text.replace(old, new, count)))


@attack("PAY-DISCOVERY-SHAPE", "A1.9", {"MESSAGE_CONTENT", "LIMIT_XML", "LIMIT_ARENA", "SOAP_STRUCTURE"})
def shapes_of_discovery(world):
    """PRPA_IN201305UV02 of a wrong shape."""
    yield benign("an honest question", world.fresh("ITI-55", "p2"), peer="p2")
    for name, old, new in (
        ("no id", '<id root="2.25.4100"/>', ""),
        ("an id without root", '<id root="2.25.4100"/>', '<id extension="x"/>'),
        ("an id that is null", '<id root="2.25.4100"/>', '<id nullFlavor="NI"/>'),
        ("an id that is no OID", '<id root="2.25.4100"/>', '<id root="../../etc/passwd"/>'),
        ("two ids", '<id root="2.25.4100"/>', '<id root="2.25.4100"/><id root="2.25.4101"/>'),
        ("another interaction", 'extension="PRPA_IN201305UV02"/>', 'extension="PRPA_IN201306UV02"/>'),
        ("an element of nobody", "<controlActProcess", "<!-- --><x:y xmlns:x='urn:x'/><controlActProcess"),
        ("another trigger", 'code="PRPA_TE201305UV02"', 'code="PRPA_TE201306UV02"'),
        ("no parameters", "<parameterList>", "<!-- --><parameterList><matchCriterionList/>"),
        ("the name is null", "<livingSubjectName><value>", '<livingSubjectName><value nullFlavor="UNK">'),
        ("the name twice", "<livingSubjectName>", "<livingSubjectName><value><family>Other</family></value><semanticsText/></livingSubjectName><livingSubjectName>"),
        ("names of 2,000 parts", "<given>", "<given>x</given>" * 2000 + "<given>"),
        ("another type of date", "<livingSubjectBirthTime><value ", '<livingSubjectBirthTime><value xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="ST" '),
        ("a type that is not there", "<livingSubjectBirthTime><value ", '<livingSubjectBirthTime><value xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="x:Evil" '),
        ("an id that is a reference", "<livingSubjectName>", '<livingSubjectName id="_1" href="#_1">'),
        ("a schema's place", "<PRPA_IN201305UV02 ", '<PRPA_IN201305UV02 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:hl7-org:v3 http://127.0.0.1:9/x.xsd" '),
        ("XInclude", "<livingSubjectName>", '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/><livingSubjectName>'),
        ("a base address", "<PRPA_IN201305UV02 ", '<PRPA_IN201305UV02 xml:base="file:///etc/" '),
        ("the sex is a statement", 'value code="F"', 'value code="F\' OR 1=1"'),
        ("55 levels", "<given>", "<given>" + "<x>" * 45 + "</x>" * 45),
    ):
        yield broken(world, name, old, new)


# ---- bytes that XML does not allow ----


@attack("PAY-BYTES", "A1.9", ILL_FORMED)
def bytes_in_text(world):
    """Control characters, zeros and broken UTF-8, in every place that goes to log or audit."""
    yield benign("an honest message", world.fresh("ITI-55", "p2"), peer="p2")
    message = world.genuine("ITI-55", "p2")
    xml = message.bytes()
    for place, marker in (
        ("the user", b"Dr. Rosa Rot"),
        ("NameID", b"UID=rrot"),
        ("the patient", b"Ibarra"),
        ("MessageID", b"urn:uuid:"),
        ("Action", b"CrossGatewayPatientDiscovery</wsa:Action>"),
        ("a community", HCID_IHE.encode()),
    ):
        for name, bad in (
            ("NUL", b"\x00"),
            ("escape", b"\x1b[31m"),
            ("backspace", b"\x08"),
            ("a reference to NUL", b"&#0;"),
            ("a reference to escape", b"&#27;"),
            ("a reference to half a pair", b"&#xD800;"),
            ("half of a character", b"\xc3"),
            ("an overlong slash", b"\xc0\xaf"),
            ("half a pair in UTF-8", b"\xed\xa0\x80"),
            ("beyond Unicode", b"\xf4\x90\x80\x80"),
            ("Latin-1", b"\xe4"),
            ("not a character", b"\xef\xbf\xbe"),
        ):
            body = xml.replace(marker, bad + marker)
            yield Case(f"{name} in {place}", False, body, message.content_type, message.path, peer="p2", facts=message.facts)


# ---- headers of HTTP, which only a live node has ----


@live("PAY-HTTP-HEADER", "A1.9", {"HTTP_SYNTAX"}, needs_node=False)
def http_headers(_):
    """User-Agent and other headers that nobody asked for: refused where HTTP forbids the bytes, never logged where it allows them."""
    from classes_http import sending  # pylint: disable=import-outside-toplevel

    def said(name, value):
        def make(path, content_type, body):
            head, _, rest = post(path, content_type, body, [("Connection", "close")]).partition(b"\r\n\r\n")
            return head + b"\r\n" + name + b": " + value + b"\r\n\r\n" + rest

        return make

    for text, value in {**HOSTILE, "2 KB": "x" * 2000}.items():
        encoded = value.encode()
        is_legal = not any(c < 0x20 and c != 9 or c == 0x7F for c in encoded)
        yield Probe(f"User-Agent: {text}", sending(said(b"User-Agent", encoded), must_close=not is_legal), benign=is_legal)
    for name in (b"X-Forwarded-For", b"Referer", b"Cookie", b"SOAPAction", b"Forwarded"):
        value = b'"}, {"event":"forged"} \xff\xfe %n \xe2\x80\xa8'
        yield Probe(name.decode(), sending(said(name, value), must_close=False), benign=True)
    yield Probe("escape", sending(said(b"User-Agent", b"x\x1b[2Jy")))

