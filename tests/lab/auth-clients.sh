# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For auth.sh to source: what the clients of each scenario do.
# Each attempt is a line of attempts.jsonl, written before it is made: what was asked for and whether
# the server should accept it. authtruth.py holds the servers' logs against it.
mp=mp01.lab.example dp=dp01.lab.example dpopen=dp02.lab.example
winmp="http://$mp/SMS_MP_WindowsAuth" pkg="http://$dp/SMS_DP_SMSPKG\$/ABC00012"
nocert="http://$dp/NOCERT_SMS_DP_SMSPKG\$/ABC00012" cmuser=CMUserService_WindowsAuth/applications.xml
message=(-X CCM_POST -H 'Content-Type: multipart/mixed; boundary="aAbBcCdDv1234567890VxXyYzZ"')
listing=(-X PROPFIND -H 'Depth: 1' -H 'Translate: f' -H 'Content-Type: text/xml' --data-binary
    '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/><D:getcontentlength/></D:prop></D:propfind>')
resolve=() secure=() # curl's arguments for HTTPS
for pair in mp01:11 mp02:14 mp03:11 mp04:16 mp05:19 dp01:12 dp02:13 proxy01:17 smp01:18; do
    resolve+=(--resolve "${pair%:*}.lab.example:80:10.11.0.${pair#*:}")
    resolve+=(--resolve "${pair%:*}.lab.example:443:10.11.0.${pair#*:}")
done
resolve+=(--resolve wks09.lab.example:8003:10.11.0.29)
for n in 3128 3129 3130; do resolve+=(--resolve "proxy01.lab.example:$n:10.11.0.17"); done

attempt() { # CLIENT-NUMBER MODE ACCOUNT EXPECTED
    printf '{"client":"10.11.0.2%s","mode":"%s","account":"%s","expect":"%s"}\n' "$@" \
        >>"$work/attempts.jsonl"
}
# Without credentials of a kind, SPNEGO offers only the other kind; with both, the record says $as.
try() { # CLIENT-NUMBER kerberos|spnego-ntlm|both|ntlm|basic|digest|none ACCOUNT EXPECTED CURL-ARGUMENTS...
    local n=$1 offer=$2 account=$3 expect=$4 short=${3%\$} args=()
    local mode=$offer kerberos=/nonexistent ntlm=/nonexistent cache=/nonexistent
    shift 4
    case $offer in
    kerberos) kerberos=$work/$short.keytab args=(--negotiate -u :) ;;
    spnego-ntlm) ntlm=${users:-$work/$short.ntlm} mode=ntlm args=(--negotiate -u :) ;;
    both) kerberos=$work/$short.keytab ntlm=$work/$short.ntlm mode=${as:-ntlm} args=(--negotiate -u :) ;;
    ntlm) args=(--ntlm -u "LAB\\$account:${password:-$(password_of "$account")}") ;;
    none) mode=anonymous ;;
    token) ;;
    basic | digest) ;;
    esac
    [ -z "${through:-}" ] || args=("${through[@]}") # it is the proxy that asks
    [ "$kerberos" = /nonexistent ] || cache=$work/cc-$n-$short
    attempt "$n" "$mode" "$account" "$expect"
    (KRB5_CONFIG=${config:-$work/krb5.conf} KRB5_CLIENT_KTNAME=$kerberos NTLM_USER_FILE=$ntlm \
        KRB5CCNAME=FILE:$cache SSLKEYLOGFILE=$work/keys named "client$n" "WKS0$n" \
        ${wrapper:-} curl -sSg "${resolve[@]}" "${secure[@]}" -A "${agent:-ccmhttp}" "${args[@]}" "$@") \
        2>>"$work/client.log" >/dev/null || true
}
gss() { # CLIENT-NUMBER kerberos|ntlm ACCOUNT EXPECTED gsshttp.py-ARGUMENTS...
    local n=$1 short=${3%\$} args=()
    attempt "$n" "$2" "$3" "$4"
    [ "$2" = ntlm ] || args=(--negotiate)
    (KRB5_CLIENT_KTNAME=$work/$short.keytab KRB5CCNAME=FILE:$work/cc-$n-$short \
        NTLM_USER_FILE=$work/$short.ntlm named "client$n" "WKS0$n" \
        python3 "$here/gsshttp.py" "${@:5}" "${args[@]}") >>"$work/client.log" 2>&1 || true
}
body() { # ENDPOINT CLIENT-NUMBER [unsigned]: a message for curl --data-binary
    python3 "$here/message.py" "$1" "GUID:11223344-5566-7788-99AA-BBCCDDEEFF0$2" "10.11.0.2$2" \
        "$work/msg-$1-$2" "${3:-}"
    echo "@$work/msg-$1-$2"
}
more() { # OPTIONS...: $next starts another request of the same curl with the common options
    next=(--next -sSg "${resolve[@]}" -A "${agent:-ccmhttp}" "$@")
}

scenario_kerberos() {
    local agent n
    more --negotiate -u :
    for n in 1 2; do # registration, then two requests on the connection it authenticated
        try $n kerberos "WKS0$n\$" accepted "${message[@]}" --data-binary "$(body MP_ClientRegistration $n)" \
            "http://$mp/ccm_system_windowsauth/request" "${next[@]}" \
            "$winmp/.sms_aut?MPLIST" "$winmp/.sms_pol?{0A0B0C0D-1111-4222-8333-444455556661}.5_00"
    done
    agent='SMS CCM 5.0'
    more --negotiate -u :
    try 1 kerberos 'WKS01$' accepted "${listing[@]}" "$nocert/" "${next[@]}" -r 0-8191 "$nocert/sccm?/setup.exe" \
        "${next[@]}" -r 8192-16383 "$nocert/sccm?/setup.exe"
    try 2 kerberos 'WKS02$' accepted "$pkg/sccm?/setup.exe"
    config=$work/krb5-tcp.conf try 3 kerberos svc-naa accepted -I "$pkg/sccm?/setup.exe"
    # one token, then requests that rely on the connection
    gss 4 kerberos 'WKS04$' accepted 10.11.0.11 $mp '/SMS_MP_WindowsAuth/.sms_aut?MPLIST' \
        '/SMS_MP_WindowsAuth/.sms_aut?SITESIGNCERT' '/SMS_MP_WindowsAuth/.sms_pol?{0A0B0C0D-1111-4222-8333-444455556661}.5_00'
    agent=
    try 1 kerberos alice accepted "http://$mp/$cmuser" "http://$mp/$cmuser"
    try 2 kerberos bob accepted "$winmp/.sms_pol?{0A0B0C0D-1111-4222-8333-444455556662}.1_00"
}
scenario_ntlm() {
    local n agent='SMS CCM 5.0'
    gss 1 ntlm 'WKS01$' accepted 10.11.0.11 $mp '/SMS_MP_WindowsAuth/.sms_aut?MPLIST' '/SMS_MP_WindowsAuth/.sms_aut?SITESIGNCERT'
    gss 2 ntlm bob accepted 10.11.0.11 $mp '/SMS_MP_WindowsAuth/.sms_pol?{0A0B0C0D-1111-4222-8333-444455556662}.1_00'
    for n in 3 4 5; do # the network access account, from four addresses
        try $n spnego-ntlm svc-naa accepted "${listing[@]}" "$pkg/"
    done
    gss 6 ntlm svc-naa accepted 10.11.0.12 $dp "/SMS_DP_SMSPKG\$/ABC00012/sccm?/setup.exe" --agent 'SMS CCM 5.0 TS'
    # under Negotiate without SPNEGO
    gss 5 ntlm 'WKS05$' accepted 10.11.0.12 $dp "/SMS_DP_SMSPKG\$/ABC00012/sccm?/setup.exe" --plain
    try 7 spnego-ntlm alice accepted -r 0-2047 "$pkg/sccm?/setup.exe"
    agent=ccmhttp
    try 2 spnego-ntlm 'WKS02$' accepted "${message[@]}" --data-binary "$(body MP_ClientRegistration 2)" \
        "http://$mp/ccm_system_windowsauth/request"
    try 1 spnego-ntlm alice accepted "http://$mp/$cmuser" "http://$mp/$cmuser"
    try 3 ntlm 'WKS03$' accepted "http://mp04.lab.example/SMS_MP_WindowsAuth/.sms_aut?MPLIST" \
        "http://mp04.lab.example/SMS_MP_WindowsAuth/.sms_aut?MPLIST1&ABC"
    try 4 ntlm 'WKS04$' accepted "${message[@]}" --data-binary "$(body MP_ClientRegistration 4)" \
        "http://mp04.lab.example/ccm_system_windowsauth/request"
    # wrong passwords: the 401 stays
    password=wrong try 8 ntlm bob rejected "http://mp04.lab.example/$cmuser"
    echo "LAB:WKS08\$:wrong" >"$work/wrong.ntlm"
    users=$work/wrong.ntlm try 8 spnego-ntlm 'WKS08$' rejected "$pkg/sccm?/setup.exe"
    # the anonymous account: once where it may, once where it may not
    gss 8 ntlm '' accepted 10.11.0.16 mp04.lab.example '/SMS_DP_SMSPKG$/ABC00012/sccm?/setup.exe' --anonymous
    gss 8 ntlm '' rejected 10.11.0.16 mp04.lab.example /$cmuser --anonymous
}
fallback() { # CLIENT-NUMBER PATTERN SERVER WHY
    printf '{"client":"10.11.0.2%s","pattern":%s,"server":"%s","why":"%s"}\n' "$@" \
        >>"$work/fallbacks.jsonl"
}
scenario_fallback() {
    # 1: nobody has the principal HTTP/mp03.lab.example; and a client account the KDC does not know
    try 1 both 'WKS01$' accepted "http://mp03.lab.example/SMS_MP_WindowsAuth/.sms_aut?MPLIST"
    fallback 1 1 10.11.0.11 "KRB-ERROR 7 S_PRINCIPAL_UNKNOWN"
    admin "delprinc -force WKS06\$"
    try 6 both 'WKS06$' accepted "$winmp/.sms_aut?MPLIST"
    fallback 6 1 10.11.0.11 "KRB-ERROR 6 C_PRINCIPAL_UNKNOWN"
    # 3: the server's key is out of date, so it refuses the ticket
    as=kerberos try 3 both 'WKS03$' rejected "http://mp02.lab.example/SMS_MP_WindowsAuth/.sms_aut?MPLIST"
    try 3 spnego-ntlm 'WKS03$' accepted "http://mp02.lab.example/SMS_MP_WindowsAuth/.sms_aut?MPLIST"
    fallback 3 3 10.11.0.14 "401 to the Kerberos token"
    # 4: by address, with no Kerberos at all: bare and within SPNEGO
    gss 4 ntlm 'WKS04$' accepted 10.11.0.11 10.11.0.11 '/SMS_MP_WindowsAuth/.sms_aut?MPLIST'
    fallback 4 4 10.11.0.11 "bare NTLM, server named by address"
    try 5 spnego-ntlm 'WKS05$' accepted "http://10.11.0.11/SMS_MP_WindowsAuth/.sms_aut?MPLIST"
    fallback 5 4 10.11.0.11 "NTLM alone in SPNEGO, server named by address"
    gss 8 ntlm 'WKS08$' accepted 10.11.0.11 10.11.0.11 '/SMS_MP_WindowsAuth/.sms_aut?MPLIST' --plain
    fallback 8 4 10.11.0.11 "NTLM without SPNEGO under Negotiate, server named by address"
    # none: Kerberos works, though NTLM is offered too
    as=kerberos try 7 both 'WKS07$' accepted "$winmp/.sms_aut?MPLIST"
    # 2: the KDC is silent
    config=$work/krb5-mute.conf try 2 both 'WKS02$' accepted "$winmp/.sms_aut?MPLIST"
    fallback 2 2 10.11.0.11 "no reply from port 88"
}
scenario_anonymous() {
    local agent='SMS CCM 5.0'
    local open="http://$dpopen/SMS_DP_SMSPKG\$/ABC00012"
    more
    # a distribution point that allows anonymous access
    try 1 none '' accepted "${listing[@]}" "$open/" "${next[@]}" -I "$open/sccm?/setup.exe" \
        "${next[@]}" -r 0-8191 "$open/sccm?/setup.exe" "${next[@]}" "$open/sccm?/setup.exe"
    try 2 none '' accepted "http://$dpopen/SMS_DP_SMSPKG\$/A1B2C3D4" # 404 proves it too
    # one that does not, and a stand-in for one that wants a client certificate
    try 1 none '' rejected "${listing[@]}" "$pkg/" "${next[@]}" "$pkg/sccm?/setup.exe"
    try 3 none '' rejected "http://$dpopen/SMS_DP_SMSPKG\$/ABC000CC/sccm?/setup.exe"
    # a management point
    try 2 none '' accepted "http://$mp/SMS_MP/.sms_aut?MPLIST" "http://$mp/SMS_MP/.sms_aut?SITESIGNCERT" \
        "http://$mp/CCM_Client/ccmsetup.exe"
    agent=ccmhttp
    try 2 none '' accepted "${message[@]}" --data-binary "$(body MP_LocationManager 2)" \
        "http://$mp/ccm_system/request"
    try 3 none '' accepted "${message[@]}" --data-binary "$(body MP_ClientRegistration 3)" \
        "http://$mp/ccm_system/request"
    try 3 none '' rejected "${message[@]}" --data-binary "$(body MP_ClientRegistration 3)" \
        "http://$mp/ccm_system_windowsauth/request"
}
scenario_proxy() {
    local proxy=http://proxy01.lab.example agent='Windows-Update-Agent/10.0.19041.1 Client-Protocol/2.33'
    local url="http://10.11.0.13/SMS_DP_SMSPKG\$/ABC00012/sccm?/setup.exe"
    local through=(-x "$proxy:3128" --proxy-negotiate --proxy-user : -r 0-1023)
    try 1 kerberos 'WKS01$' accepted "$url" "$url"
    try 2 spnego-ntlm svc-proxy accepted "$url" "$url"
    echo "LAB:svc-proxy:wrong" >"$work/wrong-proxy.ntlm"
    users=$work/wrong-proxy.ntlm try 3 spnego-ntlm svc-proxy rejected "$url"
    through=()
    try 4 none '' rejected -x "$proxy:3128" "$url"
    try 5 basic svc-proxy accepted -x "$proxy:3129" --proxy-basic \
        --proxy-user "svc-proxy:$(password_of svc-proxy)" -r 0-1023 "$url"
    try 6 digest svc-proxy accepted -x "$proxy:3130" --proxy-digest \
        --proxy-user "svc-proxy:$(password_of svc-proxy)" -r 0-1023 "$url"
    try 7 basic svc-proxy rejected -x "$proxy:3129" --proxy-basic --proxy-user svc-proxy:wrong "$url"
}
# The same exchanges in clear and over both versions of TLS: the evidence that each leaves.
matrix() { # http|https VERSION
    local mp="$1://$mp" dp="$1://$dp" n agent=ccmhttp secure=() cert=() token
    local policy='.sms_pol?{0A0B0C0D-1111-4222-8333-444455556661}.5_00'
    if [ "$1" = https ]; then
        secure=(--http1.1 --cacert "$pki/both.pem" "--tlsv$2" --tls-max "$2")
        cert=(--cert "$pki/wks06.pem" --key "$pki/wks06.key")
    fi
    rm -f "$work/tokens.jsonl"
    python3 "$here/signedmessage.py" 1 MP_LocationManager "$work/unsigned"
    for n in 1 2; do python3 "$here/signedmessage.py" $n MP_ClientRegistration "$work/register-$n"; done
    python3 "$here/signedmessage.py" 6 MP_PolicyManager "$work/signed" "$work/signer.key"
    try 1 none '' accepted "${message[@]}" --data-binary "@$work/unsigned" "$mp/ccm_system/request"
    try 1 kerberos 'WKS01$' accepted "${message[@]}" --data-binary "@$work/register-1" \
        "$mp/ccm_system_windowsauth/request"
    try 2 spnego-ntlm 'WKS02$' accepted "${message[@]}" --data-binary "@$work/register-2" \
        "$mp/ccm_system_windowsauth/request"
    try 6 none '' accepted "${cert[@]}" "${message[@]}" --data-binary "@$work/signed" "$mp/ccm_system/request"
    token=$(python3 "$here/onetoken.py" ccm-token "$work" 10.11.0.27 10.11.0.11 CCM_POST /ccm_system_tokenauth/request)
    try 7 token '' accepted "${message[@]}" -H "Authorization: Bearer $token" --data-binary "@$work/unsigned" \
        "$mp/ccm_system_tokenauth/request"
    agent='SMS CCM 5.0'
    token=$(python3 "$here/onetoken.py" entra-user-token "$work" 10.11.0.27 10.11.0.11 GET "/SMS_MP_TokenAuth/$policy")
    try 7 token '' accepted -H "Authorization: Bearer $token" "$mp/SMS_MP_TokenAuth/$policy"
    try 1 kerberos bob accepted "$mp/SMS_MP_WindowsAuth/$policy"
    try 2 spnego-ntlm alice accepted "$mp/$cmuser"
    for n in 3 4 5; do # the network access account
        try $n spnego-ntlm svc-naa accepted -r 0-1023 "$dp/NOCERT_SMS_DP_SMSPKG\$/ABC00012/sccm?/setup.exe"
    done
}
scenario_matrix-clear() { matrix http; }
scenario_matrix-tls12() { matrix https 1.2; }
scenario_matrix-tls13() { matrix https 1.3; }
scenario_registration() { # without the clientauth hook: the transport alone says who registers
    local agent=ccmhttp path=ccm_system_windowsauth/request
    try 1 kerberos 'WKS01$' accepted "${message[@]}" --data-binary "$(body MP_ClientRegistration 1 unsigned)" \
        "http://$mp/$path"
    try 2 spnego-ntlm 'WKS02$' accepted "${message[@]}" --data-binary "$(body MP_ClientRegistration 2 unsigned)" \
        "http://$mp/$path"
    try 3 ntlm 'WKS03$' accepted "${message[@]}" --data-binary "$(body MP_ClientRegistration 3 unsigned)" \
        "http://mp04.lab.example/$path"
    echo "LAB:WKS04\$:wrong" >"$work/wrong.ntlm"
    users=$work/wrong.ntlm try 4 spnego-ntlm 'WKS04$' rejected "${message[@]}" \
        --data-binary "$(body MP_ClientRegistration 4 unsigned)" "http://$mp/$path"
}
scenario_naa() {
    local n agent='SMS CCM 5.0' smp=http://smp01.lab.example/state peer="http://wks09.lab.example:8003/SCCM_BranchCache\$/ABC00012"
    # by three addresses alone: over Kerberos, over NTLM
    for n in 1 2; do try $n kerberos svc-naa accepted -r 0-1023 "$pkg/sccm?/setup.exe"; done
    try 3 kerberos svc-naa accepted -r 0-1023 "$nocert/sccm?/setup.exe"
    for n in 5 6 7; do try $n spnego-ntlm svc-naa3 accepted -I "$pkg/sccm?/setup.exe"; done
    # by the user agent of a task sequence alone: from a distribution point and from a peer
    agent='SMS CCM 5.0 TS'
    try 4 spnego-ntlm svc-naa2 accepted -r 0-1023 "$nocert/sccm?/setup.exe"
    try 4 spnego-ntlm svc-naa2 accepted -r 0-1023 "$peer/setup.exe"
    agent='SMS CCM 5.0'
    try 6 spnego-ntlm 'WKS06$' accepted -r 0-1023 "$peer/setup.exe"
    # a state migration point: the computer account, where it is refused the network access account
    try 1 kerberos 'WKS01$' accepted "$smp"
    echo "LAB:WKS05\$:wrong" >"$work/wrong.ntlm"
    users=$work/wrong.ntlm try 5 spnego-ntlm 'WKS05$' rejected "$smp"
    try 5 spnego-ntlm svc-naa3 accepted "$smp"
}
scenario_fallback2() {
    local list='SMS_MP_WindowsAuth/.sms_aut?MPLIST' cache
    # 1: a clock that is 7 minutes slow; a KDC of another realm
    cache=$work/cc-1-WKS01
    (within client1 kinit -c "$cache" -k -t "$work/WKS01.keytab" 'WKS01$')
    python3 "$here/skewcache.py" "$cache" -420
    try 1 both 'WKS01$' accepted "http://$mp/$list"
    fallback 1 1 10.11.0.11 "KRB-ERROR 37 clock skew"
    config=$work/krb5-wrong.conf try 2 both 'WKS02$' accepted "http://$mp/$list"
    fallback 2 1 10.11.0.11 "KRB-ERROR 68 wrong realm"
    # 3: one connection; 4: the server takes only NTLM
    gss 3 ntlm 'WKS03$' accepted 10.11.0.14 mp02.lab.example "/$list" --negotiate --then-ntlm
    fallback 3 3 10.11.0.14 "401 to the Kerberos token, then NTLM on the connection"
    try 4 both 'WKS04$' accepted "http://mp05.lab.example/$list"
    fallback 4 3 10.11.0.19 "the server answers 401 to the Kerberos token and goes on with NTLM"
    # both are offered, NTLM first, and Kerberos would work
    gss 5 ntlm 'WKS05$' accepted 10.11.0.11 $mp "/$list" --negotiate --prefer-ntlm
    fallback 5 5 10.11.0.11 "both offered, NTLM first"
    # 2: nothing but unanswered SYN
    (within client6 ip rule add ipproto udp dport 88 blackhole)
    config=$work/krb5-mute.conf try 6 both 'WKS06$' accepted "http://$mp/$list"
    fallback 6 2 10.11.0.11 "no SYN-ACK from port 88"
    (within client6 ip rule del ipproto udp dport 88 blackhole)
    # 2: nobody answers the question for the KDC
    printf 'nameserver 10.11.0.15\noptions timeout:1 attempts:1\n' >"$work/resolv.conf"
    printf 'mount --bind %s/resolv.conf /etc/resolv.conf && exec "$@"\n' "$work" >"$work/mute-dns.sh"
    wrapper="unshare -m bash $work/mute-dns.sh" config=$work/krb5-dns.conf \
        try 7 both 'WKS07$' accepted "http://$mp/$list"
}
