#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Instructions per packet of tshark -Y http with the plugin over tshark without it, start-up subtracted:
# at most 1.10 on traffic without HTTP (TLS, SMB), at most 1.30 on Configuration Manager's alone.
# in: the plugin of the build in $builddir; valgrind; $WIRESHARK_BENCH_PACKETS (default 10000) per workload
# exit 1: a limit does not hold; 77: a tool or the plugin is missing
set -eu
here=$(cd "$(dirname "$0")" && pwd)
for tool in valgrind tshark editcap; do
    command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed" >&2; exit 77; }
done
[ -d "$builddir/wsplugins" ] || { echo "skipped: built without the Wireshark plugin" >&2; exit 77; }
packets=${WIRESHARK_BENCH_PACKETS:-10000}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/none" "$dir/home"
cp -RL "$builddir/wsplugins" "$dir/plugins"
bench=$here/../bench
${CC:-cc} -std=gnu11 -O2 -o "$dir/workload" "$bench"/workload.c "$bench"/packets.c "$bench"/requests.c \
    "$bench"/tls.c "$bench"/smb.c
for name in tls smb chatty; do
    "$dir/workload" "$name" "$dir/all.pcap" size=24M seed=7 >/dev/null
    editcap -r "$dir/all.pcap" "$dir/$name.pcap" "1-$packets"
    editcap -r "$dir/all.pcap" "$dir/$name-1.pcap" 1-1
done
chmod -R a+rX "$dir"
chmod a+rwx "$dir/home"
drop=()
[ "$(id -u)" != 0 ] || drop=(setpriv --reuid=65534 --regid=65534 --clear-groups)

refs() { # PLUGINS FILE
    "${drop[@]}" env HOME="$dir/home" WIRESHARK_PLUGIN_DIR="$1" \
        valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null \
        tshark -n -r "$2" -Y http 2>&1 >/dev/null | awk '/I *refs/ { gsub(",", "", $NF); print $NF }'
}

"${drop[@]}" env HOME="$dir/home" WIRESHARK_PLUGIN_DIR="$dir/plugins" tshark -G plugins 2>/dev/null |
    grep '^ccm\.so' >/dev/null || { echo "tshark does not load the plugin"; exit 1; }
failed=0
while read -r name limit; do
    count=$(($(tshark -r "$dir/$name.pcap" -T fields -e frame.number 2>/dev/null | wc -l) - 1))
    for which in none plugins; do
        refs "$dir/$which" "$dir/$name.pcap" >"$dir/$which.all" &
        refs "$dir/$which" "$dir/$name-1.pcap" >"$dir/$which.one"
        wait
    done
    stock=$((($(cat "$dir/none.all") - $(cat "$dir/none.one")) / count))
    ours=$((($(cat "$dir/plugins.all") - $(cat "$dir/plugins.one")) / count))
    percent=$((ours * 100 / stock))
    echo "$name: $stock instructions per packet without the plugin, $ours with it: $percent % (limit $limit %)"
    [ "$percent" -le "$limit" ] || failed=1
done <<'END'
tls 110
smb 110
chatty 130
END
exit "$failed"
