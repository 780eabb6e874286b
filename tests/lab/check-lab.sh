#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Compare the program with ground truth. in: $CCMSCOPE, the program;
# no argument: fresh lab runs (skipped with a message where refused), then every encapsulation of one,
# tshark's reading of the others against the same truth, and whether those of TLS are as shipped;
# PCAPS: the shipped captures of that folder. out: a line per capture; exit 1 on a difference.
set -u
here=$(cd "$(dirname "$0")" && pwd)
: "${CCMSCOPE:?set CCMSCOPE to the program}"
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

tab=$'\t' n=0
compared() { # CAPTURE TRUTH WHAT [COMPARE-OPTION [PROGRAM-OPTIONS...]]
    local file=$1 truth=$2 what=$3 option=${4:-} code=0
    n=$((n + 1))
    "$CCMSCOPE" report --format json --messages "${@:5}" "$file" >"$work/$n.json" || code=$?
    if [ "$code" != 0 ]; then
        echo "FAIL $file$what: report exits $code"
        failed=1
        return
    fi
    "$CCMSCOPE" exchanges --json "${@:5}" "$file" >"$work/$n.jsonl"
    echo "$file$what${option:+$tab$option}$tab$truth$tab$work/$n.json$tab$work/$n.jsonl" >>"$work/list"
}
compare_all() { # what was put on the list, by one process
    [ ! -e "$work/list" ] || "$python" "$here/compare.py" --list "$work/list" || failed=1
    rm -f "$work/list"
}
decrypts=
! "$CCMSCOPE" report --help | grep -q -- --keylog || decrypts=1
check() { # CAPTURE TRUTH: without keys, and with those beside it
    local keys=${2%.truth.json}.keys
    if [ -n "$decrypts" ] && grep -q '"secrets": "inside"' "$2"; then
        compared "$1" "$2" ", its secrets inside" --decrypted
        return
    fi
    compared "$1" "$2" ""
    [ -n "$decrypts" ] && [ -e "$keys" ] && grep -q '"decrypted"' "$2" || return 0
    if [ -e "${keys%.keys}.pem" ]; then
        compared "$1" "$2" " with its keys" --decrypted --keylog "$keys" --key "${keys%.keys}.pem"
    else
        compared "$1" "$2" " with its keys" --decrypted --keylog "$keys"
    fi
}

if [ $# -gt 0 ]; then
    for truth in "$1"/*.truth.json; do
        for file in "${truth%.truth.json}".pcap*; do check "$file" "$truth"; done
    done
    compare_all
    exit "$failed"
fi
# These mostly wait, so they run beside each other; each makes namespaces of its own.
codes=()
ran=0 skipped=0
finished() { # SCRIPT CODE
    case $2 in
    0) ran=$((ran + 1)) ;;
    77) skipped=$((skipped + 1)) ;; # it has said why
    *) failed=1 && echo "FAIL $1.sh exits $2" ;;
    esac
}
for script in tls suites cmg proxy throttle; do
    bash "$here/$script.sh" "$work/run" &
    codes+=("$script:$!")
done
for script in lab auth ccm smb; do
    code=0
    bash "$here/$script.sh" "$work/run" || code=$?
    finished $script $code
done
for script in "${codes[@]}"; do
    code=0
    wait "${script#*:}" || code=$?
    finished "${script%:*}" $code
done
tell() { echo "check-lab: $ran scenario scripts ran, $skipped were skipped"; }
trap 'tell; rm -rf "$work"' EXIT
[ "$ran" -gt 0 ] || exit "$failed"
mkdir "$work/pcaps"
echo '| file' >"$work/pcaps/README.md"
"$here/make-pcaps.sh" "$work/run" "$work/pcaps"
for truth in "$work"/pcaps/*.truth.json; do
    for file in "${truth%.truth.json}".pcap*; do check "$file" "$truth"; done
done
compare_all
for truth in "$work"/run/*.truth.json; do
    file=${truth%.truth.json}.pcap code=0 read=yes counts=--counts
    shipped=$here/../../pcaps/$(basename "$truth")
    case $truth in
    */tls-* | */cmg-* | */proxy-*) read=no counts= ;; # their scripts have let tshark read them
    */lab.truth.json) shipped=${shipped%lab.truth.json}demo.truth.json ;;
    esac
    if "$python" "$here/samelab.py" $counts "$shipped" "$truth" >"$work/diff"; then
        echo "ok   $file, as shipped"
    else
        echo "FAIL $file is not as shipped"
        sed 's/^/     /' "$work/diff"
        failed=1
    fi
    [ $read = yes ] || continue
    "$python" "$here/crosscheck.py" "$file" "$truth" >"$work/diff" || code=$?
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
    truth=$work/$(basename "$file").truth.json
    "$python" "$here/truth.py" --packets "$file" "$work/pcaps/messages.pcap" >"$truth"
    check "$file" "$truth"
done
compare_all
exit "$failed"
