#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Compare the program with ground truth. in: $CCMSCOPE, the program;
# no argument: fresh lab runs (skipped with a message where refused), then every encapsulation of one,
# tshark's reading of the others against the same truth, and whether those of TLS are as shipped;
# PCAPS: the shipped captures of that folder. out: a line per capture; exit 1 on a difference.
set -u
here=$(cd "$(dirname "$0")" && pwd)
: "${CCMSCOPE:?set CCMSCOPE to the program}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

check() { # CAPTURE TRUTH
    local code=0
    "$CCMSCOPE" report --format json --messages "$1" >"$work/report.json" || code=$?
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
ran=0
for script in lab auth ccm tls suites cmg proxy; do
    code=0
    bash "$here/$script.sh" "$work/run" || code=$?
    case $code in
    0) ran=1 ;;
    77) ;; # it has said why it is skipped
    *) failed=1 && echo "FAIL $script.sh exits $code" ;;
    esac
done
[ "$ran" = 1 ] || exit "$failed"
mkdir "$work/pcaps"
echo '| file' >"$work/pcaps/README.md"
"$here/make-pcaps.sh" "$work/run" "$work/pcaps"
for truth in "$work"/pcaps/*.truth.json; do
    for file in "${truth%.truth.json}".pcap*; do check "$file" "$truth"; done
done
for truth in "$work"/run/*.truth.json; do
    file=${truth%.truth.json}.pcap code=0
    shipped=$here/../../pcaps/$(basename "$truth")
    case $truth in # their scripts have let tshark read them
    */tls-* | */cmg-* | */proxy-*)
        if python3 "$here/samelab.py" "$shipped" "$truth" >"$work/diff"; then
            echo "ok   $file, as shipped"
        else
            echo "FAIL $file is not as shipped"
            sed 's/^/     /' "$work/diff"
            failed=1
        fi
        continue
        ;;
    esac
    python3 "$here/crosscheck.py" "$file" "$truth" >"$work/diff" || code=$?
    case $code in
    0) echo "ok   $file, read by tshark" ;;
    77) ;;
    *)
        echo "FAIL $file, read by tshark"
        sed 's/^/     /' "$work/diff"
        failed=1
        ;;
    esac
done
for file in "$work"/run/encap-*.pcap; do
    [ -e "$file" ] || continue
    python3 "$here/truth.py" --packets "$file" "$work/pcaps/messages.pcap" >"$work/truth.json"
    check "$file" "$work/truth.json"
done
exit "$failed"
