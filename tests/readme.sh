#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each "$ ccmscope ..." example of the README prints what the README shows. Lines up to the end of
# the code block are its output. `readme.sh --update` writes the README anew, for a reviewer to judge.
set -euo pipefail
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd)
program=${CCMSCOPE:-$PWD/ccmscope}
cd "$srcdir"
unset COLUMNS
want=$(mktemp)
trap 'rm -f "$want"' EXIT
while IFS= read -r line; do
    if [[ $line == '$ ccmscope '* ]]; then
        printf '%s\n' "$line"
        # shellcheck disable=SC2086  # split into words as a shell would
        "$program" ${line#'$ ccmscope '} </dev/null
        while IFS= read -r line && [ "$line" != '```' ]; do :; done
    fi
    printf '%s\n' "$line"
done <README.md >"$want"
[ "$(grep -c '^\$ ccmscope ' "$want")" -gt 0 ] || { echo "README.md has no example"; exit 1; }
if [ "${1:-}" = --update ]; then
    cp "$want" README.md
else
    diff -u README.md "$want"
fi
