#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Compare the program with ground truth. in: $CCMSCOPE, the program;
# no argument: a fresh lab run (skipped with a message where refused), then every encapsulation of it;
# PCAPS: the shipped captures of that folder. out: a line per capture; exit 1 on a difference.
set -u
here=$(cd "$(dirname "$0")" && pwd)
: "${CCMSCOPE:?set CCMSCOPE to the program}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

check() { # CAPTURE TRUTH
    local code=0
    "$CCMSCOPE" report --format json "$1" >"$work/report.json" || code=$?
    if [ "$code" != 0 ]; then
        echo "FAIL $1: report exits $code"
        failed=1
        return
    fi
    "$CCMSCOPE" exchanges --json "$1" >"$work/exchanges.jsonl"
    if python3 "$here/compare.py" "$2" "$work/report.json" "$work/exchanges.jsonl" >"$work/diff"; then
        echo "ok   $1"
    else
        echo "FAIL $1"
        sed 's/^/     /' "$work/diff"
        failed=1
    fi
}

if [ $# -gt 0 ]; then
    for truth in "$1"/*.truth.json; do
        for file in "${truth%.truth.json}".pcap*; do check "$file" "$truth"; done
    done
    exit "$failed"
fi
"$here/lab.sh" "$work/run"
code=$?
[ "$code" != 77 ] || exit 0 # lab.sh has said why it is skipped
[ "$code" = 0 ] || exit "$code"
mkdir "$work/pcaps"
echo '| file' >"$work/pcaps/README.md"
"$here/make-pcaps.sh" "$work/run" "$work/pcaps"
for truth in "$work"/pcaps/*.truth.json; do
    for file in "${truth%.truth.json}".pcap*; do check "$file" "$truth"; done
done
for file in "$work"/run/encap-*.pcap; do
    python3 "$here/truth.py" --packets "$file" "$work/pcaps/messages.pcap" >"$work/truth.json"
    check "$file" "$work/truth.json"
done
exit "$failed"
