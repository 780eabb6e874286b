#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Files over SMB: Samba's server with the shares of site systems, smbclient as the side that opens them.
# in: OUTDIR [SCENARIO...]; out: OUTDIR/SCENARIO.pcap and .truth.json: for smb-* from Samba's logs
# (smbtruth.py), for throttle-* also from the writer's own log (see README.md)
# Passwords are made for the run. Exit 77 with a message where namespaces are refused or a program is
# missing, or where this is not run by root (Samba needs accounts of the system).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: smb.sh OUTDIR [smb-plain|smb-signed|smb-encrypted|throttle-MODE...]}
# shellcheck disable=SC2034 # net.sh reads it
needs="smbd smbclient smbpasswd tc"
# shellcheck source=net.sh
. "$here/net.sh"
scenarios=("${@:2}")
[ $# -gt 1 ] || scenarios=(smb-plain smb-signed smb-encrypted throttle-pulse throttle-pulse-encrypted
    throttle-hourly throttle-closed throttle-capped throttle-free)
export LC_ALL=C PYTHONDONTWRITEBYTECODE=1
# shellcheck source=samba.sh
. "$here/samba.sh"
switch
host dp 11
for n in 1 2 3 4; do host "client$n" "2$n"; done
# A command of smbclient may say no: what the server logged is the truth.
smb() { # CLIENT ACCOUNT SHARE COMMANDS [OPTION...]
    local n=$1 account=$2 share=$3 commands=$4
    shift 4
    (named "client$n" "WKS0$n" smbclient "//10.11.0.11/$share" -s "$dir/client.conf" -W LAB \
        -U "$account%$password" --client-protection="$protection" "$@" -c "$commands") \
        >>"$dir/client.log" 2>&1 || true
}

scenario_files() { # a little of all routes
    seq -w 1 40000 | head -c 150000 >"$dir/content"
    seq -w 1 9000 | head -c 9001 >"$dir/small"
    mkdir -p "$dir/share/lib/DataLib" "$dir/share/reminst/SMSBoot" \
        "$dir/share/site/inboxes/auth/statesys.box/incoming" "$dir/share/windows"
    head -c 70000 "$dir/content" >"$dir/share/lib/DataLib/a.ini"
    cp "$dir/small" "$dir/share/reminst/SMSBoot/boot.wim"
    smb 1 'SITE1$' 'SMS_DP$' "put $dir/content 11-ABC00012.1.temp; put $dir/small 12-ABC00012.1.temp; del 12-ABC00012.1.temp; rename 11-ABC00012.1.temp ABC00012"
    smb 2 'MP1$' SMS_ABC "cd inboxes/auth/statesys.box/incoming; put $dir/small 1.SMX"
    smb 3 fileadmin SMS_SITE "put $dir/content 000K0ABC.PCK; put $dir/small 000K0ABC.TMP; rename 000K0ABC.TMP 000K0ABC.SNI"
    smb 4 admin 'SCCMContentLib$' "get DataLib/a.ini $dir/got"
    smb 4 admin 'ADMIN$' "mkdir ccmsetup; put $dir/small ccmsetup/ccmsetup.exe"
    [ "$protection" = off ] || return 0
    smb 3 nobody-we-know REMINST "get SMSBoot/boot.wim $dir/got"
    smb 2 'MP1$' SMS_ABC "ls" -U "MP1\$%wrong"
    smb 2 'MP1$' NOSUCH "ls"
    smb 4 admin 'SMS_DP$' "get nothing-here $dir/got"
}

protection_of() { # SCENARIO
    case $1 in
    *-encrypted) echo encrypt ;;
    *-signed) echo sign ;;
    *) echo off ;;
    esac
}
printf '[global]\nworkgroup = LAB\nclient min protocol = SMB2\n' >"$work/client.conf"
for scenario in "${scenarios[@]}"; do
    dir=$work/$scenario
    mkdir -p "$dir"
    cp "$work/client.conf" "$dir/client.conf"
    protection=$(protection_of "$scenario")
    start
    capture "$scenario"
    case $scenario in
    smb-*) scenario_files ;;
    throttle-*)
        mode=${scenario#throttle-}
        [ "$mode" != capped ] || (within client1 tc qdisc add dev eth0 root tbf rate 4mbit burst 8kb latency 400ms)
        mkfifo "$dir/fifo"
        (python3 "$here/smbwriter.py" "${mode%-encrypted}" "$dir/fifo" "$dir/writer.json") &
        writer=$!
        pids+=("$writer")
        commands="put $dir/fifo 21-ABC00021.1.temp"
        [ "$mode" != closed ] ||
            commands+="; del 21-ABC00021.1.temp; put $dir/fifo 21-ABC00021.1.temp"
        smb 1 'SITE1$' 'SMS_DP$' "$commands; rename 21-ABC00021.1.temp ABC00021"
        wait "$writer"
        (within client1 tc qdisc del dev eth0 root) 2>/dev/null || true
        ;;
    *) skip "no scenario $scenario" ;;
    esac
    end_capture
    kill "$server"
    wait "$server" 2>/dev/null || true
    case $scenario in
    throttle-*) # file data is counters: of full packets only the headers are kept
        PYTHONPATH=$here python3 - "$out/$scenario.pcap" <<'PYTHON'
import sys
import pcapfile
packets = pcapfile.read(sys.argv[1])
pcapfile.write(sys.argv[1], [p._replace(data=p.data[:200]) if p.wire > 1000 else p for p in packets])
PYTHON
        ;;
    esac
    python3 "$here/smbtruth.py" "$out/$scenario.pcap" "$dir" "$protection" >"$out/$scenario.truth.json"
    [ -z "${CCM_LAB_KEEP:-}" ] || cat "$dir/client.log" >&2
done
