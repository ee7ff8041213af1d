#!/usr/bin/python3
"""A foreign Initiating Gateway that asks a running node and checks the answers itself.

ITI-55 and ITI-38 go through zeep with the WSDLs and schemas of the test data; ITI-39 and everything that zeep would
not send go over requests with envelopes of this program's own. Assertions, Timestamps and signatures: assertion.py.
Output: "ok ..." and "not ok ..." lines; the last line is "N passed, N failed, N skipped". Exit code 77: no test data.
"""

import argparse
import os
import sys
import tempfile
import traceback
from dataclasses import replace

from assertion import Order, Signer, security_text
from wire import Schemas, Skip, Wire

HERE = os.path.dirname(os.path.abspath(__file__))


def schema_folder():
    """Like the unit tests: ISTHMUS_DATA, or ../shared/data seen from the source folder."""
    data = os.environ.get("ISTHMUS_DATA") or f"{HERE}/../../../shared/data"
    folder = os.path.abspath(f"{data}/ihe/schema")
    return folder if os.path.isfile(f"{folder}/xds/iti38.wsdl") else None


class World:
    """Who asks whom, and what earlier cases have learned (each is asked for once, when first needed)."""

    def __init__(self, arguments, folder, scratch):
        self.arguments, self.folder, self.scratch = arguments, folder, scratch
        self.schemas = Schemas(folder)
        self.url, self.community = arguments.url.rstrip("/"), arguments.community
        self.home = "urn:oid:" + arguments.community
        self.wire = Wire(arguments.url, arguments.pki, arguments.trace)
        self.signer = Signer.load(arguments.pki)
        self.second = Signer.load(arguments.second_pki) if arguments.second_pki else None
        self.second_wire = Wire(arguments.url, arguments.second_pki, arguments.trace) if self.second else None
        self.known = {}

    def order(self, path, **changes):
        """What an assertion for one path of the node says when nothing is wrong with it."""
        order = Order(self.signer, self.arguments.ask_as, self.url + path, user="Dr. Ada Foreign")
        return replace(order, **changes)

    def second_order(self, path, **changes):
        order = Order(self.second, self.arguments.second_as, self.url + path, user="Dr. Ada Second")
        return replace(order, **changes)

    def learn(self, name, ask):
        """What <ask> returns, asked once; when that fails, whoever needs it is told so and nothing is asked again."""
        if name not in self.known:
            self.known[name] = None
            self.known[name] = ask(self)
        if self.known[name] is None:
            raise AssertionError(f"needs the {name}, which an earlier case did not get")
        return self.known[name]


def run(world, cases):
    passed = failed = skipped = 0
    for text, case in cases:
        try:
            case(world)
            passed += 1
            print(f"ok {text}", flush=True)
        except Skip as why:
            skipped += 1
            print(f"not run: {text}: {why}", flush=True)
        except AssertionError as why:
            failed += 1
            print(f"not ok {text}\n    " + str(why).replace("\n", "\n    "), flush=True)
        except Exception as error:  # whatever a library throws at an answer is a failure of the case, not of the run
            failed += 1
            frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(HERE)]
            place = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}"
            print(f"not ok {text}\n    {place}: {type(error).__name__}: {error}", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


def write_security(arguments):
    """wsse:Security headers for a client that cannot make its own; each may be sent once."""
    signer = Signer.load(arguments.pki)
    for name in arguments.write_security:
        order = Order(signer, arguments.ask_as, arguments.audience or arguments.url.rstrip("/"))
        with open(name, "wb") as file:
            file.write(security_text(order))
    return 0


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="of the node, without a path")
    parser.add_argument("--pki", required=True, help="folder with our node, signing and ca certificates")
    parser.add_argument("--community", help="the node's homeCommunityId")
    parser.add_argument("--ask-as", required=True, help="ours")
    parser.add_argument("--family")
    parser.add_argument("--given")
    parser.add_argument("--birth-date", help="YYYYMMDD or YYYY-MM-DD")
    parser.add_argument("--sex", default="")
    parser.add_argument("--expect-documents", type=int, help="how many the node must show us of this patient")
    parser.add_argument("--originals", help="folder with the bytes that were imported")
    parser.add_argument("--restricted", help="uniqueId of a document of this patient that the node must keep back")
    parser.add_argument("--second-pki", help="of a second partner with P-256 keys, whose file allows bearer too")
    parser.add_argument("--second-as", help="its homeCommunityId")
    side = {"nargs": 4, "metavar": ("URL", "COMMUNITY", "PATIENT", "ORIGINALS")}
    parser.add_argument("--local", **side, help="a local listener, and whose documents of whom are behind it (local systems see restricted ones)")
    parser.add_argument("--receivers", nargs=2, metavar="PATIENT", help="of whom documents are provided, so that what others find stays: at the node and there")
    parser.add_argument("--partner", **side, help="with --source: only what two Isthmus nodes do; of the first one's partner")
    parser.add_argument("--later", **side, help="the same, of a node that asks that partner asynchronously")
    parser.add_argument("--pair", nargs=4, metavar=("ISTHMUS", "ASKING", "LATER", "LOG"), help="the program, those two nodes' configurations, and that partner's log")
    parser.add_argument("--partner-url", help="of that partner")
    parser.add_argument("--source", **side, help="of a node's registry and repository")
    parser.add_argument("--impostor", nargs=2, metavar=("ISTHMUS", "CONFIGURATION"), help="the partner does not know its signing key")
    parser.add_argument("--trace", help="folder for every request and answer")
    parser.add_argument("--only", help="run the cases whose text has this in it")
    parser.add_argument("--write-security", nargs="+", metavar="FILE", help="write Security headers, ask nothing")
    parser.add_argument("--audience", help="of those assertions (default: the URL)")
    arguments = parser.parse_args()
    needed = ("community", "family", "given", "birth_date", "expect_documents")
    missing = [name for name in needed if getattr(arguments, name) is None]
    if missing and not arguments.write_security:
        parser.error("also needed: " + " ".join("--" + name.replace("_", "-") for name in missing))
    arguments.birth_date = (arguments.birth_date or "").replace("-", "")
    return arguments


def main():
    arguments = read_arguments()
    if arguments.write_security:
        return write_security(arguments)
    folder = schema_folder()
    if folder is None:
        print("not run: no data (ISTHMUS_DATA names no folder with ihe/schema)\n0 passed, 0 failed, 1 skipped")
        return 77
    # the cases come last: they need zeep, which --write-security does not
    import cases_discover
    import cases_local
    import cases_pair
    import cases_people
    import cases_query
    import cases_retrieve
    import cases_security

    cases = [
        *cases_discover.CASES,
        *cases_query.CASES,
        *cases_retrieve.CASES,
        *cases_security.CASES,
        *cases_local.CASES,
        *cases_people.CASES,
    ]
    cases = cases_pair.CASES if arguments.partner else cases
    cases = [(text, case) for text, case in cases if not arguments.only or arguments.only in text]
    if arguments.trace:
        os.makedirs(arguments.trace, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        world = World(arguments, folder, scratch)
        return run(world, cases)


if __name__ == "__main__":
    sys.exit(main())
