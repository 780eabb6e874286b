#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The library exports exactly the functions of its public header, and no more than 30 of them.
set -euo pipefail
cd "${builddir:-.}"
srcdir=${srcdir:-.}
lib=.libs/libccmscope.so
[ -e "$lib" ] || { echo "no shared library was built"; exit 77; }
declared=$(grep -oE '^ *CCM_API .*' "$srcdir/dissector/ccmscope.h" | grep -oE 'ccm_[a-z0-9_]+ ?\(' |
    tr -d ' (' | sort -u)
exported=$(nm -D --defined-only "$lib" | awk '$2 ~ /^[TDBRVWi]$/ { print $3 }' |
    grep -vE '^(_init|_fini|__.*|_edata|_end)$' | sort -u)
if [ "$declared" != "$exported" ]; then
    diff <(echo "$declared") <(echo "$exported") | sed 's/^</declared only:/; s/^>/exported only:/'
    exit 1
fi
# nothing that can be written to outlives a call: the library has no state of its own
if command -v objdump >/dev/null && state=$(objdump -t "$lib" | awk 'NF > 2 && $(NF - 2) ~ /^\.(data|bss|tdata|tbss)$/ { print $NF }' |
    grep -vE '^(\.|__|completed\.)'); then
    echo "data that is not const: $state"
    exit 1
fi
n=$(wc -l <<<"$declared")
[ "$n" -le 30 ] || { echo "$n functions; 30 are agreed"; exit 1; }
