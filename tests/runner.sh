#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the program the way a user does. A case is a directory tests/cases/NAME with
#   cmd      shell commands, run in an empty scratch directory
#   expect   what they print on stdout (absent: not compared)
#   code     their exit code (absent: 0); a cmd that ends with 77 skips the case
#   message  texts, one a line, that must stand in stderr (absent: not compared)
# cmd may use $CCMSCOPE, $srcdir, $pcaps (the shipped captures), $tests, python (with its own modules
# alone, which halves its start; $PYTHON has all) and json (tests/report.py).
# Usage: runner.sh [NAME...]; UPDATE=1 rewrites expect, for a reviewer to judge. Out: TAP.
set -uo pipefail
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd)
CCMSCOPE=${CCMSCOPE:-$PWD/ccmscope}
PYTHON=${PYTHON:-python3}
[ "$PYTHON" != : ] || PYTHON=false
tests=$srcdir/tests pcaps=$srcdir/pcaps
export CCMSCOPE PYTHON srcdir tests pcaps NO_COLOR=1
python() { "$PYTHON" -S "$@"; }
json() { python "$tests/report.py" "$@"; }
export -f python json

scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT

run_case() { # name, number; prints TAP
    local dir=$tests/cases/$1 work=$scratch/$1 code want text problems=()
    mkdir -p "$work/cwd"
    (cd "$work/cwd" && timeout 120 bash -euo pipefail "$dir/cmd") \
        >"$work/out" 2>"$work/err" </dev/null
    code=$?
    [ "$code" -ne 77 ] || { echo "ok $2 - $1 # SKIP $(tail -n 1 "$work/out")" && return 0; }
    want=$(cat "$dir/code" 2>/dev/null || echo 0)
    [ "$code" = "$want" ] || problems+=("exit code $code, not $want")
    if [ -e "$dir/expect" ] && ! cmp -s "$dir/expect" "$work/out"; then
        if [ -n "${UPDATE:-}" ]; then
            cp "$work/out" "$dir/expect"
        else
            problems+=("$(diff -u "$dir/expect" "$work/out" | head -40)")
        fi
    fi
    if [ -e "$dir/message" ]; then
        while IFS= read -r text; do
            grep -qF -- "$text" "$work/err" || problems+=("stderr lacks: $text")
        done <"$dir/message"
    fi
    [ "${#problems[@]}" -gt 0 ] || { echo "ok $2 - $1" && return 0; }
    echo "not ok $2 - $1"
    printf '%s\n' "${problems[@]}" 'stdout:' "$(head -c 2000 "$work/out")" \
        'stderr:' "$(head -c 2000 "$work/err")" | tr -d '\0' | sed 's/^/# /'
}

if [ $# -eq 0 ]; then
    for dir in "$tests"/cases/*/; do set -- "$@" "$(basename "$dir")"; done
fi
echo "1..$#"
names=("$@")
half() { # FIRST: every other case from there on; what they print is kept, so that it comes in order
    local i
    for ((i = $1; i < ${#names[@]}; i += 2)); do
        run_case "${names[i]}" $((i + 1)) >"$scratch/result.$i"
    done
}
half 0 &
half 1
wait
n=0 failed=0
for name; do
    result=$(cat "$scratch/result.$n")
    printf '%s\n' "$result"
    case $result in "ok "*) ;; *) failed=$((failed + 1)) ;; esac
    n=$((n + 1))
done
[ -z "${UPDATE:-}" ] || echo "# expect files rewritten: judge every change against another source"
[ "$failed" -eq 0 ] || echo "# $failed of $n cases failed"
