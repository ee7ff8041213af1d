"""Reports of a run: one JSON line a class, a page of HTML that needs nothing else, and JUnit's XML."""

import html
import json
from xml.sax.saxutils import escape, quoteattr

STYLE = """body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:75em;padding:0 1em;color:#222}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25em .6em;border-bottom:1px solid #ddd;vertical-align:top}
td.n{text-align:right;font-variant-numeric:tabular-nums}tr.bad{background:#fde8e8}code{font-size:.9em}
.good{color:#176d2b}.bad b{color:#a31515}small{color:#666}"""

NUMBERS = ("benign", "made", "bites", "refused", "accepted", "harmless", "worst_cpu_ms", "worst_memory_kb")


def as_json(results):
    return "".join(json.dumps(result.line()) + "\n" for result in results)


def row(result, kind):
    numbers = "".join(f'<td class="n">{getattr(result, name)}</td>' for name in NUMBERS)
    errors = ", ".join(f"{name} {n}" for name, n in sorted(result.errors.items(), key=lambda pair: -pair[1]))
    failures = "".join(f"<br><b>{html.escape(text[:600])}</b>" for text in result.failures[:20])
    what = (kind.make.__doc__ or "").strip().split("\n\n")[0] if kind else ""
    naive = f"<br><small>A naive reader: {html.escape(kind.naive)}</small>" if kind and kind.naive else ""
    return (
        f'<tr class="{"bad" if result.failures else ""}"><td><code>{html.escape(result.name)}</code><br><small>'
        f"{html.escape(result.source)}, {html.escape(result.where)}</small></td><td>{html.escape(what)}{naive}{failures}</td>"
        f"{numbers}<td><small>{html.escape(errors)}</small></td></tr>"
    )


def as_html(results, classes, summary):
    """<summary>: lines of text."""
    rows = "\n".join(row(result, classes.get(result.name)) for result in results)
    heads = "".join(f"<th>{name.replace('_', ' ')}</th>" for name in NUMBERS)
    lines = "".join(f"<p>{html.escape(line)}</p>" for line in summary)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Attack corpus</title><style>{STYLE}</style>'
        f"</head><body><h1>Attack corpus</h1>{lines}<p>Benign: good twins of the attacks, all of which must be accepted. "
        f"Bites: xmlsec1 with its defaults accepts a signature of the message, and a naive reader reads the forged fact."
        f"</p><table><thead><tr><th>class</th><th>what it tries</th>{heads}<th>answered with</th></tr></thead><tbody>"
        f"\n{rows}\n</tbody></table></body></html>\n"
    )


def legal(text):
    """XML 1.0 cannot hold most control characters."""
    return "".join(c if c >= " " and c not in "\ufffe\uffff" or c in "\n\t" else "?" for c in text)


def as_junit(results):
    failed = sum(1 for result in results if result.failures)
    cases = []
    for result in results:
        inner = ""
        if result.failures:
            first = legal(result.failures[0][:200])
            inner = f'<failure message={quoteattr(first)}>{escape(legal(chr(10).join(result.failures)))}</failure>'
        place = quoteattr("attack." + result.where.replace(" ", "-"))
        cases.append(
            f"<testcase classname={place} name={quoteattr(result.name)} "
            f'time="{result.worst_cpu_ms / 1000:.6f}">{inner}</testcase>'
        )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="attack" tests="{len(results)}" failures="{failed}">\n'
        + "\n".join(cases)
        + "\n</testsuite>\n"
    )
