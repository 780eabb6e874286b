#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What one client of roles.pcap asks for. in: NUMBER ROLES.TSV DIRECTORY; runs inside the client's
# namespace. out: DIRECTORY/named.jsonl, a line a request: what it is
set -eu
n=$1 table=$2 dir=$3
namespace=http://www.microsoft.com/SoftwareDistribution
while IFS=$'\t' read -r client host method path agent kind detail; do
    [ "$client" = "$n" ] || continue
    port=80 args=() action=${detail##*/}
    case $host in
    mp) address=10.11.0.10 name=mp01.lab.example ;;
    dp) address=10.11.0.11 name=dp01.lab.example ;;
    sup) address=10.11.0.12 name=sup01.lab.example port=8530 ;;
    fsp) address=10.11.0.13 name=fsp01.lab.example ;;
    provider) address=10.11.0.14 name=site01.lab.example ;;
    peer) address=10.11.0.24 name=wks04.lab.example port=8003 ;;
    esac
    printf '{"client":"10.11.0.2%s","server":"%s","port":%s,"method":"%s","target":"%s","kind":"%s","detail":"%s"}\n' \
        "$n" "$address" "$port" "$method" "$path" "$kind" "$detail" >>"$dir/named.jsonl"
    case $kind in
    soap)
        [ "$detail" = "$action" ] || detail=Server/$detail
        args=(-H "SOAPAction: \"$namespace/$detail\"" -H 'Content-Type: text/xml; charset=utf-8' --data-binary
            "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body><$action xmlns=\"$namespace\"/></soap:Body></soap:Envelope>")
        ;;
    fsp) args=(--data-binary '<Report><ReportHeader/><StateMessage><Topic Type="800"/></StateMessage></Report>') ;;
    bgb) args=(-H 'Content-Type: application/x-www-form-urlencoded' --data-binary 'lab') ;;
    dp-listing)
        args=(-H 'Depth: 1' -H 'Translate: f' -H 'Content-Type: text/xml' --data-binary
            '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:iscollection/><D:getcontentlength/></D:prop></D:propfind>')
        ;;
    *file) args=(-r 0-1023) ;;
    adminservice | cmuserservice)
        [ "$method" != POST ] || args=(-H 'Content-Type: application/json' --data-binary '{"InputQuery":"Device"}')
        ;;
    esac
    case $method in
    HEAD) args=(-I) ;;
    GET) ;;
    POST) ;;
    *) args+=(-X "$method") ;;
    esac
    curl -sSg -o /dev/null --resolve "$name:$port:$address" -A "$agent" "${args[@]}" "http://$name:$port$path"
done <"$table"
