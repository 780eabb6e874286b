#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What one lab client does. in: NUMBER WORKDIR HERE; runs inside the client's namespace.
set -eu
n=$1 work=$2 here=$3
mp=mp01.lab.example dp=dp01.lab.example sup=sup01.lab.example
me=10.11.0.2$n
id="GUID:11223344-5566-7788-99AA-BBCCDDEEFF0$n"
fake=$(printf '%08X' $(seq 1 64))
common=(-sSg -o /dev/null --resolve "$mp:80:10.11.0.10" --resolve "$dp:80:10.11.0.11"
    --resolve "$sup:8530:10.11.0.12")
signed=(-H "CCMClientID: $id" -H "CCMClientIDSignature: $fake"
    -H "CCMClientTimestamp: $(date -u +%FT%TZ)" -H "CCMClientTimestampSignature: $fake")

get() { # USER-AGENT CURL-ARGUMENTS
    local agent=$1
    shift
    curl "${common[@]}" -A "$agent" "$@" || true
}
message() { # ENDPOINT [DIRECTORY]
    python3 "$here/message.py" "$1" "$id" "$me" "$work/msg$n"
    get ccmhttp -X CCM_POST --data-binary "@$work/msg$n" \
        -H 'Content-Type: multipart/mixed; boundary="aAbBcCdDv1234567890VxXyYzZ"' \
        "http://$mp/${2:-ccm_system}/request"
}
policy() {
    local url="http://$mp/SMS_MP/.sms_pol?{0A0B0C0D-1111-4222-8333-44445555666$n}.5_00"
    get 'Microsoft BITS/7.8' "${signed[@]}" -I "$url"
    get 'Microsoft BITS/7.8' "${signed[@]}" "$url"
}
listing() { # FOLDER
    get 'SMS CCM 5.0' -X PROPFIND -H 'Depth: 1' -H 'Translate: f' -H 'Content-Type: text/xml' \
        --data-binary '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/><D:getcontentlength/></D:prop></D:propfind>' \
        "http://$dp/SMS_DP_SMSPKG\$/$1/"
}
download() { # URL STEP TOTAL: one connection, HEAD, then ranges
    local url=$1 step=$2 total=$3 first=0 args=()
    args=("${common[@]}" -A 'Microsoft BITS/7.8' -I "$url")
    while [ "$first" -lt "$total" ]; do
        args+=(--next "${common[@]}" -A 'Microsoft BITS/7.8' -r "$first-$((first + step - 1))" "$url")
        first=$((first + step))
    done
    curl "${args[@]}" || true
}
upload() { # FILE FRAGMENT [--gap]
    python3 "$here/bits.py" 10.11.0.10 "$mp" "/CCM_Incoming/{A1B2C3D4-0003-4000-8000-00000000000$n}" \
        "$1" --fragment "$2" "${@:3}"
}
updates() {
    local agent='Windows-Update-Agent/10.0.19041.1 Client-Protocol/2.33' path
    for path in SimpleAuthWebService/SimpleAuth.asmx ClientWebService/client.asmx ClientWebService/client.asmx; do
        get "$agent" -H 'Content-Type: text/xml; charset=utf-8' --data-binary \
            '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body/></soap:Envelope>' \
            "http://$sup:8530/$path"
    done
    download "http://$sup:8530/Content/A1/update.cab" 32768 65536
}

pkg="http://$dp/SMS_DP_SMSPKG\$"
sleep "0.$((n * 3))"
get 'SMS CCM 5.0' "http://$mp/SMS_MP/.sms_aut?MPLIST" --next "${common[@]}" -A 'SMS CCM 5.0' \
    "http://$mp/SMS_MP/.sms_aut?SITESIGNCERT"
message MP_ClientRegistration
message MP_PolicyManager
policy
case $n in
1)
    message MP_ClientRegistration ccm_system_windowsauth
    get ccmhttp "http://10.11.0.10:10123/"
    message MP_LocationManager
    listing ABC00012
    download "$pkg/ABC00012/sccm?/setup.exe" 131072 393216
    upload "$work/hinv.xml" 8192
    ;;
2)
    message MP_LocationManager
    listing Content_0b1c2d3e-4f50-4617-8273-849505162738.1
    for k in 0 1 2 3 4 5; do
        get 'Microsoft BITS/7.8' -r "$((k * 40960))-$((k * 40960 + 40959))" \
            "$pkg/Content_0b1c2d3e-4f50-4617-8273-849505162738.1/sccm?/app.msi"
        sleep 0.9
    done
    updates
    ;;
*)
    updates
    sleep 1
    message MP_LocationManager
    listing ABC00012
    get 'Microsoft BITS/7.8' -I "$pkg/ABC00099/sccm?/gone.exe"
    download "$pkg/ABC00012/sccm?/data.cab" 30000 90000
    upload "$work/state.xml" 4096 --gap
    ;;
esac
message MP_RelayEndpoint
