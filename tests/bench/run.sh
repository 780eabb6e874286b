#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The benchmark. in: $CCMSCOPE_PROGRAM or $CCMSCOPE; $BENCH_DIR (default: a temporary directory);
# $VERIFY, the unit test that times signature checks, and $TLSOPEN, which opens TLS records (may be absent)
# run.sh           counts against the truth, CPU ratios to tcpdump, memory, instructions per packet
# run.sh --ci      small files: counts, and instructions per packet against instructions.tsv
# run.sh --update  as --ci, but write instructions.tsv
# exit 1: a count, a limit or the 5 % of the instructions does not hold; 77: a tool is missing
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mode=${1:-}
case $mode in '' | --ci | --update) ;; *) echo "usage: run.sh [--ci|--update]" >&2; exit 2 ;; esac
PATH=$PATH:/usr/sbin
program=${CCMSCOPE_PROGRAM:-}
[ -x "$program" ] || program=${CCMSCOPE:?set CCMSCOPE to the program}
for tool in python3 tcpdump valgrind; do
    command -v "$tool" >/dev/null || { echo "bench: skipped: $tool is not installed" >&2; exit 77; }
done
dir=${BENCH_DIR:-}
if [ -z "$dir" ]; then
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
fi
mkdir -p "$dir"
${CC:-cc} -std=gnu11 -O2 -o "$dir/workload" "$here"/workload.c "$here"/packets.c "$here"/requests.c "$here"/tls.c "$here"/smb.c
failed=0
fail() {
    echo "FAIL $*"
    failed=1
}

counts() { # FILE
    "$program" report --format json "$1" >"$dir/report.json" || fail "report exits $? on $1"
    if python3 "$here/counts.py" "$1.json" "$dir/report.json" >"$dir/diff"; then
        echo "counts of $(basename "$1") agree with the truth"
    else
        fail "counts of $(basename "$1")"
    fi
    head -n 20 "$dir/diff"
}

refs() { # COMMAND...: user instructions
    valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null "$@" 2>&1 >/dev/null |
        awk '/I *refs/ { gsub(",", "", $NF); print $NF }'
}

instructions() { # NAME FILE ARGUMENT...; what the program spends on an empty capture is not counted
    local name=$1 file=$2 total packets each stored
    shift 2
    head -c 24 "$file" >"$dir/empty.pcap"
    total=$(refs "$program" "$@" "$file")
    [ -n "$total" ] || { fail "valgrind counted nothing"; return 0; }
    total=$((total - $(refs "$program" "$@" "$dir/empty.pcap")))
    packets=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["packets"])' "$file.json")
    each=$((total / packets))
    printf '%s\t%s\n' "$name" "$each" >>"$dir/instructions.tsv"
    stored=$(awk -v n="$name" '$1 == n { print $2 }' "$here/instructions.tsv" 2>/dev/null || true)
    echo "instructions per packet, $name: $each (stored: ${stored:-none})"
    [ "$mode" = --ci ] || return 0
    if [ -z "$stored" ]; then
        fail "no stored figure for $name: run.sh --update"
    elif [ $((each * 100)) -gt $((stored * 105)) ]; then
        fail "$name grew by more than 5 %"
    elif [ $((each * 100)) -lt $((stored * 95)) ]; then
        echo "  shrank by more than 5 %: run.sh --update stores the new figure"
    fi
}

small() { # every kind, 24 MB
    local kind flows
    printf '# instructions per packet (cachegrind), written by run.sh --update\n' >"$dir/instructions.tsv"
    for kind in bulk chatty mix flows tls smb; do
        flows=()
        [ "$kind" != flows ] || flows=(flows=30000)
        "$dir/workload" "$kind" "$dir/small.pcap" size=24M "${flows[@]}" seed=11
        counts "$dir/small.pcap"
        instructions "$kind" "$dir/small.pcap" summary --no-classify
        [ "$kind" != flows ] || instructions flows-classified "$dir/small.pcap" summary
    done
    rm -f "$dir"/small.pcap* "$dir/empty.pcap"
}

pair() { # LABEL LIMIT FILE ARGUMENTS
    python3 "$here/pairbench.py" -l "$1" -m "$2" -n "${BENCH_PAIRS:-15}" --warm "$3" \
        "$program $4 $3" "tcpdump -r $3 -w /dev/null" || fail "$1 is above its limit"
}

memory() { # NAME FILE FILE-TWICE-THE-SIZE
    python3 - "$1" "$program" "$2" "$3" <<'PY' || fail "memory of $1"
import os, subprocess, sys
peak = []
for path in sys.argv[3:]:
    child = subprocess.Popen([sys.argv[2], "summary", path], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    peak.append(os.wait4(child.pid, 0)[2].ru_maxrss / 1024)
print("%-20s peak %.1f MiB, twice the size %.1f MiB (limits 64 MiB, +10 %%)" % (sys.argv[1], *peak))
sys.exit(max(peak) > 64 or peak[1] > peak[0] * 1.1)
PY
}

large() { # KIND LIMIT ARGUMENTS-OF-WORKLOAD DOUBLED-ARGUMENTS
    local file=$dir/$1.pcap
    # shellcheck disable=SC2086 # the arguments are words
    "$dir/workload" "$1" "$file" $3
    counts "$file"
    if [ "$1" = flows ]; then
        pair "flows, no classify" 2 "$file" "summary --no-classify"
    fi
    pair "$1" "$2" "$file" summary
    if [ "$1" = chatty ]; then
        pair "chatty, messages" 8 "$file" "report --messages --no-verify"
    fi
    # shellcheck disable=SC2086
    "$dir/workload" "$1" "$dir/twice.pcap" $4
    memory "$1" "$file" "$dir/twice.pcap"
    rm -f "$file"* "$dir"/twice.pcap*
}

signatures() { # one RSA operation of 2048 bits and the hash of 1 KiB
    local micros
    micros=$("$VERIFY" -m perf -p /verify/cost 2>&1 |
        sed -n 's/.*distinct signature[^:]*: \([0-9.]*\) us.*/\1/p')
    echo "distinct signature checked in ${micros:-?} us (limit 25)"
    awk -v t="${micros:-999}" 'BEGIN { exit t > 25 }' || fail "signature check"
}

decryption() { # records of 16 KiB against openssl; a whole run beside it
    local ours theirs megabytes=512
    theirs=$(openssl speed -evp aes-128-gcm -decrypt -bytes 16384 -seconds 3 2>/dev/null |
        awk '/GCM/ { sub("k", "", $NF); print $NF }')
    ours=$("$TLSOPEN" open 3)
    echo "TLS records opened: $ours kB/s, openssl speed: $theirs kB/s (limit: half of it)"
    awk -v a="${ours:-0}" -v b="${theirs:-1}" 'BEGIN { exit a < b / 2 }' || fail "opening of TLS records"
    "$TLSOPEN" capture "$dir/opened.pcap" "$dir/opened.keys" "$megabytes"
    python3 - "$program" "$dir/opened.pcap" "$dir/opened.keys" "$megabytes" <<'PY' || fail "a decrypting run"
import os, subprocess, sys, time
program, capture, keys, megabytes = sys.argv[1:]
best = None
for _ in range(3):
    child = subprocess.Popen([program, "report", "--format", "json", "--keylog", keys, capture],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    text = child.stdout.read()
    cpu = os.wait4(child.pid, 0)[2]
    cpu = cpu.ru_utime + cpu.ru_stime
    best = cpu if best is None else min(best, cpu)
print("a decrypting run over them: %.0f kB/s of records, CPU time" % (int(megabytes) * 1048.576 / best))
sys.exit(text.count(b'"decrypted": true') != 1)
PY
    rm -f "$dir/opened.pcap" "$dir/opened.keys"
}

small
if [ "$mode" = --update ]; then
    cp "$dir/instructions.tsv" "$here/instructions.tsv"
elif [ -z "$mode" ]; then
    [ ! -x "${VERIFY:-}" ] || signatures
    [ ! -x "${TLSOPEN:-}" ] || decryption
    large bulk 0.8 "size=512M seed=1" "size=1G seed=1"
    # messages are decoded, which is more than the 1.2 that HTTP alone was to cost
    large chatty 2.0 "size=256M conc=100 seed=2" "size=512M conc=100 seed=2"
    large tls 1.0 "size=512M seed=9" "size=1G seed=9"
    large mix 1.0 "size=512M seed=5" "size=1G seed=5"
    large smb 0.8 "size=1G seed=9" "size=2G seed=9"
    large flows 6 "flows=200000 conc=25000 seed=7" "flows=400000 conc=25000 seed=7"
fi
exit "$failed"
