#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Make the shipped captures. in: RUNDIR, the output directory of the scenario scripts (what is not
# there stays as it is), PCAPS
set -eu
here=$(cd "$(dirname "$0")" && pwd)
run=${1:?usage: make-pcaps.sh RUNDIR PCAPS} pcaps=${2:?}
base=$run/lab.pcap
impair() { python3 "$here/impair.py" "$@"; }
scan() { python3 "$here/truth.py" "${@:2}" "$pcaps/$1" >"$pcaps/${1%.*}.truth.json"; }

for truth in "$run"/*.truth.json; do # one capture a scenario
    name=$(basename "$truth" .truth.json)
    case $name in
    lab) ;;
    tls-* | cmg-* | proxy-*)
        editcap -F pcapng "$run/$name.pcap" "$pcaps/$name.pcapng"
        cp "$truth" "$pcaps"
        ;;
    *) cp "$run/$name.pcap" "$truth" "$pcaps" ;;
    esac
    for file in "$run/$name.keys" "$run/$name.pem"; do [ ! -e "$file" ] || cp "$file" "$pcaps"; done
done
for file in "$run"/tls-suites-*; do # their script has made the files as they are shipped
    [ ! -e "$file" ] || cp "$file" "$pcaps"
done
tls_variant() { # NAME IMPAIR-OPTIONS...: of the scenario pki of tls.sh
    local name=tls-$1
    impair "$run/tls-pki.pcap" "$run/damaged.pcap" "${@:2}"
    python3 "$here/tlsvisible.py" "$run/tls-pki.pcap" "$run/tls-pki.truth.json" "$run/damaged.pcap" \
        >"$pcaps/$name.truth.json"
    editcap -F pcapng "$run/damaged.pcap" "$pcaps/$name.pcapng"
    cp "$run/tls-pki.keys" "$pcaps/$name.keys"
    rm "$run/damaged.pcap"
    python3 "$here/tlsfacts.py" "$pcaps/$name.pcapng" "$pcaps/$name.truth.json"
}
tls_variants() {
    tls_variant midstream --from-packet 9
    tls_variant one-direction --requests-only
    tls_variant snaplen --snaplen 320
    tls_variant loss --drop-every 50
    tls_variant holes --drop-every 7
    editcap -F pcapng --inject-secrets "tls,$run/tls-pki.keys" "$run/tls-pki.pcap" "$pcaps/tls-secrets.pcapng"
    sed '1s/{/{\n "secrets": "inside",/' "$run/tls-pki.truth.json" >"$pcaps/tls-secrets.truth.json"
    python3 "$here/tlsfacts.py" "$pcaps/tls-secrets.pcapng" "$pcaps/tls-secrets.truth.json"
}
[ ! -e "$run/tls-pki.pcap" ] || tls_variants
variants() { # of the run of lab.sh
    editcap -F pcapng "$base" "$pcaps/demo.pcapng"
    cp "$run/lab.truth.json" "$pcaps/demo.truth.json"

    impair "$base" "$pcaps/messages.pcap" --flows-with CCM_POST
    impair "$base" "$pcaps/bits-upload.pcap" --flows-with BITS_POST
    impair "$base" "$pcaps/midstream.pcap" --host 10.11.0.23 --from-packet 150
    impair "$base" "$pcaps/loss.pcap" --host 10.11.0.23 --drop-every 7
    impair "$base" "$pcaps/reordered.pcap" --host 10.11.0.23 --reorder-every 5
    impair "$base" "$pcaps/one-direction.pcap" --requests-only
    impair "$pcaps/messages.pcap" "$pcaps/span-duplicates.pcap" --duplicate
    impair "$base" "$pcaps/snaplen.pcap" --host 10.11.0.23 --snaplen 256
    for name in messages bits-upload midstream loss reordered one-direction span-duplicates snaplen; do
        scan "$name.pcap"
    done
    for kind in vlan qinq mpls pppoe gre gre-key erspan1 erspan2 erspan3 vxlan ipip; do
        python3 "$here/encap.py" "$pcaps/messages.pcap" "$run/encap-$kind.pcap" "$kind"
    done
    python3 "$here/encap.py" "$pcaps/messages.pcap" "$pcaps/encapsulated.pcap" all
    python3 "$here/truth.py" --packets "$pcaps/encapsulated.pcap" "$pcaps/messages.pcap" \
        >"$pcaps/encapsulated.truth.json"
}
# What a capture lacks, a verdict must not make up: one client that authenticates once for three requests.
blind() {
    local from=$run/auth-kerberos.pcap
    impair "$from" "$pcaps/auth-midstream.pcap" --host 10.11.0.24 --tcp --from-packet 9
    impair "$from" "$pcaps/auth-one-direction.pcap" --host 10.11.0.24 --tcp --requests-only
    impair "$from" "$pcaps/auth-snaplen.pcap" --host 10.11.0.24 --tcp --snaplen 232
    for name in auth-midstream auth-one-direction auth-snaplen; do scan "$name.pcap"; done
}
[ ! -e "$base" ] || variants
[ ! -e "$run/auth-kerberos.pcap" ] || blind
if [ -e "$run/smb-plain.pcap" ]; then
    impair "$run/smb-plain.pcap" "$pcaps/smb-loss.pcap" --drop-every 7
    PYTHONPATH=$here python3 - "$run/smb-plain.truth.json" "$pcaps/smb-loss.pcap" \
        >"$pcaps/smb-loss.truth.json" <<'PYTHON'
import json
import sys
import pcapfile
truth = json.load(open(sys.argv[1], encoding="utf-8"))
packets = pcapfile.read(sys.argv[2])
truth["packets"], truth["wire_bytes"] = len(packets), sum(p.wire for p in packets)
truth["smb"]["lost"] = True
json.dump(truth, sys.stdout, indent=1)
print()
PYTHON
fi

{
    sed '/^| file/,$d' "$pcaps/README.md"
    echo '| file | how made | what it shows | packets | licence | sha256 |'
    echo '| --- | --- | --- | --- | --- | --- |'
    while IFS='|' read -r name how shows; do
        [ -e "$pcaps/$name" ] || continue
        printf '| %s | %s | %s | %s | GPL-2.0-or-later | %s |\n' "$name" "$how" "$shows" \
            "$(capinfos -Mcr "$pcaps/$name" 2>/dev/null | sed -n 's/^Number of packets: *//p')" \
            "$(sha256sum "$pcaps/$name" | cut -d' ' -f1)"
    done <"$here/pcaps.list"
} >"$run/README.md"
mv "$run/README.md" "$pcaps/README.md"
