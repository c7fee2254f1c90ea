#!/usr/bin/env python3
"""author_pages.py ROOT [--write]: the pages of docs/plugin-authors hold what they say.

Their rows of rules are the first three columns of docs/abi-rules.md, word for word (--write makes them so), their links lead to files and
headings, and README.md names every page.
"""
import os
import re
import sys

root = sys.argv[1]
pages = os.path.join(root, "docs", "plugin-authors")
wrong = []


def read(path):
    with open(path, encoding="utf-8") as text:
        return text.read()


def from_here(row):
    """A row of abi-rules.md, but for who enforces it, as it is written one directory deeper."""
    row = re.sub(r"[^|]*\|$", "", row)
    row = row.replace("](plugin-authors/", "](")
    return re.sub(r"\]\(((?!plugin-authors)[a-z-]+\.md)", lambda link: "](" + (
        link.group(1) if os.path.exists(os.path.join(pages, link.group(1))) else "../" + link.group(1)), row)


def anchors(path):
    return {re.sub(r"[^a-z0-9 _-]", "", line.lstrip("# ").lower()).replace(" ", "-")
            for line in read(path).split("\n") if line.startswith("#")}


rules = {}
for line in read(os.path.join(root, "docs", "abi-rules.md")).split("\n"):
    row = re.match(r"\| ([AB]-\d+) \|", line)
    if row:
        rules[row.group(1)] = from_here(line)

rows = 0
for name in sorted(os.listdir(pages)):
    path = os.path.join(pages, name)
    lines = read(path).split("\n")
    for at, line in enumerate(lines):
        row = re.match(r"\| ([AB]-\d+) \| .* \|.*\|$", line)
        if not row:
            continue
        rows += 1
        if row.group(1) not in rules:
            wrong.append("%s:%d: there is no rule %s" % (name, at + 1, row.group(1)))
        elif line != rules[row.group(1)]:
            wrong.append("%s:%d: rule %s is another one in abi-rules.md" % (name, at + 1, row.group(1)))
            lines[at] = rules[row.group(1)]
    if "--write" in sys.argv:
        with open(path, "w", encoding="utf-8") as out:
            out.write("\n".join(lines))
    for target in re.findall(r"\]\(([^)#:]*)((?:#[a-z0-9_-]+)?)\)", "\n".join(lines)):
        there = os.path.normpath(os.path.join(pages, target[0])) if target[0] else path
        if not os.path.exists(there):
            wrong.append("%s: links to %s, which is not there" % (name, target[0]))
        elif target[1] and target[1][1:] not in anchors(there):
            wrong.append("%s: links to %s%s, and there is no such heading" % (name, target[0], target[1]))
    if name != "README.md" and "](%s)" % name not in read(os.path.join(pages, "README.md")):
        wrong.append("README.md does not name %s" % name)

if rows < 30:
    wrong.append("the pages have only %d rows of rules" % rows)
for line in wrong:
    print(line)
if wrong and "--write" not in sys.argv:
    print("(tests/house/author_pages.py ROOT --write puts the rules right)")
    sys.exit(1)
