#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Holds the layering: which folder may include which, where each outside library may be named, and
# the calls nobody may make. The two tables below are the rules.
set -uo pipefail
cd "${srcdir:-$(dirname "$0")/..}" || exit 99
failures=0
fail() { printf 'layers: %s\n' "$*"; failures=$((failures + 1)); }

# FOLDER (of dissector/)  what its sources may include, as patterns of the quoted include path
rules='
base     ccmscope.h base/*
account  ccmscope.h base/* account/*
observe  ccmscope.h base/* observe/*
proto    ccmscope.h base/* observe/* proto/*
model    ccmscope.h base/* observe/* model/*
report   ccmscope.h base/* observe/* model/* report/*
input    ccmscope.h base/* input/*
wireshark ccmscope.h base/* account/* observe/* proto/* model/* report/* input/* flow/* wireshark/*
flow     ccmscope.h base/* account/* input/* observe/* proto/proto.h flow/*
'

# HEADER (pattern)  the only files that may include it
libraries='
pcap.h|pcap/*                     dissector/input/*
ndpi_*|libndpi/*|ndpi/*           dissector/flow/classify.c
zlib.h                            dissector/base/inflate.c dissector/input/decompress.c
zstd.h                            dissector/base/inflate.c dissector/input/decompress.c
jansson.h                         dissector/observe/json_in.c
cap-ng.h                          dissector/input/privileges.c
epan/*|wiretap/*|wsutil/*|ws_*      dissector/wireshark/ws-compat.h
openssl/*                         dissector/proto/verify.c dissector/proto/decrypt.c dissector/proto/decrypt_*.c
nghttp2/*                         dissector/proto/http2_fields.c
curses.h|ncurses*                 none
'

matches() { # text, patterns ... (each may be a|b)
    local text=$1 pattern one
    local -a alternatives
    shift
    for pattern; do
        IFS='|' read -r -a alternatives <<<"$pattern"
        for one in "${alternatives[@]}"; do
            # shellcheck disable=SC2053  # a pattern on purpose
            [[ $text == $one ]] && return 0
        done
    done
    return 1
}

# "file:line:header" of every include of a kind: '"' or '<'
includes() {
    grep -rnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*$1" "${@:2}" --include='*.c' --include='*.h' \
        --include='*.def' | sed -E 's/^([^:]*:[0-9]+):[^"<]*["<]([^">]*)[">].*/\1:\2/'
}

set -f # the tables hold patterns
while read -r folder allowed; do
    [ -n "$folder" ] || continue
    while IFS=: read -r file line header; do
        # shellcheck disable=SC2086
        matches "$header" $allowed || fail "$file:$line: $folder/ may not include \"$header\""
    done < <(includes '"' "dissector/$folder")
done <<<"$rules"
# catalog/ has a program that writes code; a build within the sources makes folders that are hidden
for folder in $(find dissector -mindepth 1 -type d ! -name '.*' -printf '%P\n'); do
    [ "$folder" = catalog ] || grep -q "^$folder " <<<"$rules" || fail "dissector/$folder: no rule says what it may include"
done
while IFS=: read -r file line header; do
    [ ! -f "dissector/$header" ] || fail "$file:$line: <$header> is ours, so in quotation marks"
done < <(includes '<' dissector tools)

while IFS=: read -r file line header; do
    case $file in
    dissector/*/* | dissector/engine*.[ch]) ;;
    *) matches "$header" glib.h ccmscope.h || fail "$file:$line: may not include \"$header\"" ;;
    esac
done < <(includes '"' dissector)

while IFS=: read -r file line header; do
    case $header in
    ccmscope.h) ;;
    */*) fail "$file:$line: tools/ may include ccmscope.h and its own headers only: \"$header\"" ;;
    *) [ -f "tools/$header" ] || fail "$file:$line: tools/ may not include \"$header\"" ;;
    esac
done < <(includes '"' tools)

while read -r headers files; do
    [ -n "$headers" ] || continue
    while IFS=: read -r file line header; do
        matches "$header" "$headers" || continue
        # shellcheck disable=SC2086
        matches "$file" $files || fail "$file:$line: <$header> belongs in $files"
    done < <(includes '<' dissector tools)
done <<<"$libraries"
set +f

# unbounded copies and allocations, and process-wide effects that a library must not have
banned='strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|alloca|g_alloca|strtok|setjmp|longjmp'
while IFS= read -r hit; do
    fail "$hit: banned call"
done < <(grep -rnE "(^|[^A-Za-z0-9_>.\"])($banned)[[:space:]]*\(" dissector tools --include='*.c' --include='*.h')
while IFS= read -r hit; do
    fail "$hit: a library neither exits nor prints nor takes signals"
done < <(grep -rnE '(^|[^A-Za-z0-9_>."])(_?exit|abort|v?f?printf|f?puts|putchar|signal|sigaction|g_print|g_printerr)[[:space:]]*\(' \
    dissector --include='*.c' --include='*.h' | grep -vE '^dissector/((observe|wireshark)/gendoc|catalog/generate)\.c:')
# state outside functions (but for what Wireshark's registration wants); the one flag that a signal handler may set is the program's alone
while IFS= read -r hit; do
    fail "$hit: static data must be const"
done < <(grep -rnE '^[[:space:]]*static[[:space:]]' dissector tools --include='*.c' --include='*.h' |
    grep -vE '\bconst\b|\(|static[[:space:]]+inline|^tools/.*static volatile|^dissector/wireshark/packet-ccm\.c:' | grep -E '(;|=)[^)]*$|\];|= *\{')

[ "$failures" -eq 0 ] || { echo "$failures violations of the layering rules"; exit 1; }
