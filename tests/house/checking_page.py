#!/usr/bin/env python3
"""checking_page.py PROGRAM PAGE RULES [--write]: the table of cases in docs/plugin-authors/checking.md is what
`pawl plugin check --list` says, every rule it names stands in docs/abi-rules.md, and every rule of series B has a case.
With --write the table is written anew."""
import json
import re
import subprocess
import sys

BEGIN, END = "<!-- cases: written by tests/house/checking_page.py --write -->", "<!-- end of cases -->"


def table(cases):
    rows = ["| case | rules | level | kinds | what it shows |", "|---|---|---|---|---|"]
    for c in cases:
        rows.append("| `{case}` | {rules} | {level} | {kinds} | {purpose} |".format(**c))
    return "\n".join(rows)


def main():
    program, page, rules = sys.argv[1:4]
    cases = json.loads(subprocess.run([program, "--list", "--json"], check=True, capture_output=True).stdout)
    with open(page, encoding="utf-8") as file:
        text = file.read()
    head, rest = text.split(BEGIN)
    found, tail = rest.split(END)
    if "--write" in sys.argv:
        with open(page, "w", encoding="utf-8") as file:
            file.write(head + BEGIN + "\n\n" + table(cases) + "\n\n" + END + tail)
        return 0
    bad = 0
    if found.strip() != table(cases):
        print(f"{page}: the table of cases is not what --list says; write it with {sys.argv[0]} ... --write")
        bad = 1
    with open(rules, encoding="utf-8") as file:
        known = set(re.findall(r"^\| ([AB]-\d+) \|", file.read(), re.M))
    named = {rule for c in cases for rule in re.findall(r"[AB]-\d+", c["rules"])}
    for rule in sorted(named - known):
        print(f"{rules}: has no rule {rule}, which a case names")
        bad = 1
    for rule in sorted(rule for rule in known - named if rule.startswith("B-")):
        print(f"{rules}: no case is about the rule {rule}")
        bad = 1
    return bad


sys.exit(main())
