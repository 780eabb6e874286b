#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Files over SMB: Samba's server with the shares of site systems, smbclient as the side that opens them.
# in: OUTDIR [SCENARIO...]; out: OUTDIR/SCENARIO.pcap and .truth.json, from Samba's logs (smbtruth.py)
# Passwords are made for the run. Exit 77 with a message where namespaces are refused or a program is
# missing, or where this is not run by root (Samba needs accounts of the system).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: smb.sh OUTDIR [smb-plain|smb-signed|smb-encrypted|smb-dialects|smb-netbios|smb-kerberos]...}
# shellcheck disable=SC2034 # net.sh reads it
needs="smbd smbclient smbpasswd krb5kdc kadmin.local kinit"
# shellcheck source=net.sh
. "$here/net.sh"
scenarios=("${@:2}")
[ $# -gt 1 ] || scenarios=(smb-plain smb-signed smb-encrypted smb-dialects smb-netbios smb-kerberos)
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
    local name=10.11.0.11 who=(-U "$account%$password")
    [ -z "$ticket" ] || name=dp01.lab.example who=(--use-kerberos=required)
    (export KRB5CCNAME="FILE:${ticket:-/nonexistent}" && named "client$n" "WKS0$n" smbclient "//$name/$share" -I 10.11.0.11 -s "$dir/client.conf" -W LAB \
        "${who[@]}" --client-protection="$protection" "$@" -c "$commands") \
        >>"$dir/client.log" 2>&1 || true
}

contents() {
    seq -w 1 40000 | head -c 150000 >"$dir/content"
    seq -w 1 9000 | head -c 9001 >"$dir/small"
    mkdir -p "$dir/share/lib/DataLib" "$dir/share/reminst/SMSBoot" \
        "$dir/share/site/inboxes/auth/statesys.box/incoming" "$dir/share/windows"
    head -c 70000 "$dir/content" >"$dir/share/lib/DataLib/a.ini"
    cp "$dir/small" "$dir/share/reminst/SMSBoot/boot.wim"
}
scenario_files() { # a little of all routes
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

scenario_dialects() { # each client knows one
    local n dialect
    n=1
    for dialect in SMB2_02 SMB2_10 SMB3_00 SMB3_02; do
        smb $n 'SITE1$' 'SMS_DP$' "put $dir/small 3$n-ABC0003$n.1.temp; rename 3$n-ABC0003$n.1.temp ABC0003$n; get ABC0003$n $dir/got" \
            -m $dialect --option="client min protocol=$dialect"
        n=$((n + 1))
    done
}
scenario_netbios() { # port 139, with a session request first
    smb 1 'SITE1$' 'SMS_DP$' "put $dir/content 41-ABC00041.1.temp; rename 41-ABC00041.1.temp ABC00041" -p 139
    smb 2 'MP1$' SMS_ABC "cd inboxes; put $dir/small 2.SMX" -p 139
}
# Tickets for the server by its name; a user who has none uses NTLM.
scenario_kerberos() {
    local n name
    for n in '1 SITE1$' '2 MP1$' '3 fileadmin'; do
        name=${n#* } n=${n%% *}
        (named "client$n" "WKS0$n" kinit -k -t "$work/${name%$}.keytab" -c "$work/cc$n" "$name")
        ticket=$work/cc$n
        case $n in
        1) smb 1 "$name" 'SMS_DP$' "put $dir/content 51-ABC00051.1.temp; rename 51-ABC00051.1.temp ABC00051" ;;
        2) smb 2 "$name" SMS_ABC "cd inboxes; put $dir/small 3.SMX" ;;
        3) smb 3 "$name" SMS_SITE "put $dir/small 001K0ABC.PCK" ;;
        esac
    done
    ticket=
    smb 4 admin 'SCCMContentLib$' "get DataLib/a.ini $dir/got"
}
kerberos_too() { # before the server starts
    host kdc 10
    # shellcheck source=kdc.sh
    . "$here/kdc.sh"
    sed -i 's/^\( *\)database_name/\1disable_pac = true\n&/' "$work/kdc/kdc.conf" # Samba reads those of AD only
    start_kdc
    local name
    for name in 'SITE1$' 'MP1$' fileadmin; do account "$name" service; done
    admin "addprinc -randkey cifs/dp01.lab.example"
    keytab cifs/dp01.lab.example cifs
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
    ticket=
    case $scenario in
    smb-netbios) start 'smb ports = 139' ;;
    smb-kerberos)
        kerberos_too
        start 'realm = LAB.EXAMPLE' 'kerberos method = dedicated keytab' "dedicated keytab file = $work/cifs.keytab"
        ;;
    *) start ;;
    esac
    contents
    capture "$scenario"
    case $scenario in
    smb-dialects | smb-netbios | smb-kerberos) "scenario_${scenario#smb-}" ;;
    smb-*) scenario_files ;;
    *) skip "no scenario $scenario" ;;
    esac
    end_capture
    kill "$server"
    wait "$server" 2>/dev/null || true
    python3 "$here/smbtruth.py" "$out/$scenario.pcap" "$dir" "$protection" >"$out/$scenario.truth.json"
    [ -z "${CCM_LAB_KEEP:-}" ] || cat "$dir/client.log" >&2
done
