#!/bin/sh
# docs/failure-matrix.md is held to its word: every test and file that it names exists, every row says what shows it or
# that nothing does, and every link between it, docs/guarantees.md and the guides leads to a heading.
set -eu
cd "$1"
matrix=docs/failure-matrix.md
bad=0
say() { echo "$*"; bad=1; }

names=$(grep -oE '`test_[A-Za-z0-9_]+`' "$matrix" docs/guarantees.md -h | tr -d '`' | sort -u)
[ "$(echo "$names" | wc -l)" -ge 100 ] || say "$matrix has lost its tests"
known=$(grep -rhoE '(^|[^A-Za-z0-9_])test_[A-Za-z0-9_]+\(' tests --include='*.c' | grep -oE 'test_[A-Za-z0-9_]+' | sort -u)
for name in $names; do
    echo "$known" | grep -qx "$name" || say "$matrix names $name, which is no test"
done
for file in $(grep -oE '`tests/[A-Za-z0-9_./-]+`' "$matrix" | tr -d '`' | sort -u); do
    [ -e "$file" ] || say "$matrix names $file, which is not there"
done
for witness in $(grep -oE 'witness `[a-z_]+`' "$matrix" | grep -oE '[a-z]+_[a-z_]+'); do
    grep -q "|$witness|" tests/model/check.sh || say "$matrix names the witness $witness, which the model does not have"
done

unproven=$(awk '/^\|---/ {previous = ""; next}
                {if (previous ~ /^\|/ && previous !~ /`tests?[_\/]/ && previous !~ /\| none|none yet/) print previous; previous = $0}
                ' "$matrix")
[ -z "$unproven" ] || say "rows of $matrix that say neither what shows them nor that nothing does: $unproven"

# The anchors of a document's headings, as they are made of them where it is shown.
anchors() { sed -n 's/^##* //p' "$1" | tr 'A-Z' 'a-z' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'; }
for page in "$matrix" docs/guarantees.md docs/operators-guide.md docs/architecture.md README.md; do
    for link in $(grep -oE '\]\([A-Za-z0-9_./-]*\.md(#[a-z0-9_-]+)?\)|\]\(#[a-z0-9_-]+\)' "$page" | sed 's/^](//; s/)$//'); do
        target=${link%%#*}
        [ -n "$target" ] && target=$(dirname "$page")/$target || target=$page
        [ -f "$target" ] || { say "$page links to $link, which is no file"; continue; }
        case $link in
        *#*) anchors "$target" | grep -qx -- "${link#*#}" || say "$page links to $link, and there is no such heading" ;;
        esac
    done
done
exit $bad
