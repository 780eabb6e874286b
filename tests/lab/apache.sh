# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For auth.sh to source: an Apache per site system, with the virtual directories of its role.
# in: $work; out: $work/HOST/access.log, a JSON line a request
modules=/usr/lib/apache2/modules
www=$work/www
pkg="$www/SMS_DP_SMSPKG\$"
mkdir -p "$pkg/ABC00012" "$www/CMUserService_WindowsAuth" "$www/CCM_Client"
ln -s "SMS_DP_SMSPKG\$" "$www/NOCERT_SMS_DP_SMSPKG\$"
echo '<State/>' >"$www/state"
ln -s "SMS_DP_SMSPKG\$" "$www/SCCM_BranchCache\$"
seq -w 1 16384 | head -c 16384 >"$pkg/ABC00012/setup.exe"
seq -w 1 2048 | head -c 2048 >"$www/CCM_Client/ccmsetup.exe"
echo '<ApplicationList/>' >"$www/CMUserService_WindowsAuth/applications.xml"

directories() { # KIND NAME: what is under which authentication
    local auth="Require all granted" kerberos="GssapiAllowedMech krb5"
    [ "$1" != ntlm ] || kerberos=
    [ "$1" = open ] || auth="AuthType GSSAPI
        AuthName lab
        $kerberos
        GssapiAllowedMech ntlmssp
        GssapiConnectionBound On
        GssapiPublishMech On
        Require valid-user"
    cat <<CONF
    <LocationMatch "^/((NOCERT_)?SMS_DP_SMSPKG\\$|ccm_system_windowsauth|SMS_MP_WindowsAuth|CMUserService_WindowsAuth|SCCM_BranchCache\\$|state)(/|$)">
        $auth
    </LocationMatch>
    <Location "/SMS_DP_SMSPKG\$/ABC000CC">
        AuthMerging Off
        Require all denied
    </Location>
    ProxyPass "/ccm_system_windowsauth/" "http://127.0.0.1:8080/ccm_system/"
    ProxyPass "/ccm_system/" "http://127.0.0.1:8080/ccm_system/"
    ProxyPass "/ccm_system_tokenauth/" "http://127.0.0.1:8080/ccm_system/"
    ProxyPass "/SMS_MP_TokenAuth/" "http://127.0.0.1:8080/SMS_MP/"
    ProxyPass "/SMS_MP_WindowsAuth/" "http://127.0.0.1:8080/SMS_MP/"
    ProxyPass "/SMS_MP/" "http://127.0.0.1:8080/SMS_MP/"
    <Location "/SMS_DP_SMSPKG\$">
        Dav On
    </Location>
    <Location "/NOCERT_SMS_DP_SMSPKG\$">
        Dav On
    </Location>
    RewriteEngine On
    RewriteCond %{QUERY_STRING} ^(/.*)$
    RewriteRule ^(/(NOCERT_)?SMS_DP_SMSPKG\\$/[^/]+)/sccm$ \$1%1? [PT]
CONF
}
forwarding() { # a forward proxy, with another kind of authentication on each port
    cat <<CONF
    ProxyRequests On
    Listen 3129
    Listen 3130
    <VirtualHost *:3128>
        ProxyRequests On
        <Proxy "*">
            AuthType GSSAPI
            AuthName lab
            GssapiAllowedMech krb5
            GssapiAllowedMech ntlmssp
            GssapiConnectionBound On
            GssapiPublishMech On
            Require valid-user
        </Proxy>
    </VirtualHost>
    <VirtualHost *:3129>
        ProxyRequests On
        <Proxy "*">
            AuthType Basic
            AuthName lab
            AuthUserFile $work/basic.users
            Require valid-user
        </Proxy>
    </VirtualHost>
    <VirtualHost *:3130>
        ProxyRequests On
        <Proxy "*">
            AuthType Digest
            AuthName lab
            AuthUserFile $work/digest.users
            Require valid-user
        </Proxy>
    </VirtualHost>
CONF
}
over_tls() { # CERTIFICATE DIRECTIVES
    cat <<CONF
LoadModule ssl_module $modules/mod_ssl.so
SSLEngine On
SSLProtocol -all +TLSv1.2 +TLSv1.3
SSLCertificateFile $pki/$1.pem
SSLCertificateKeyFile $pki/$1.key
SSLSessionCache none
$2
CONF
}
# $secure: the certificate's name, for HTTPS on 443; $asks: directives about the client's
start_apache() { # HOST NAME gssapi|ntlm|open|proxy
    local dir=$work/$1 module role=${1:0:2} port=80 more=
    case $1 in
    proxy) role=web-proxy port=3128 ;;
    peer) role=peer port=8003 ;;
    smp) role=smp ;;
    esac
    if [ -n "${secure:-}" ]; then
        dir=$dir-tls port=443
        for n in version:PROTOCOL cipher:CIPHER sni:TLS_SNI verify:CLIENT_VERIFY subject:CLIENT_S_DN \
            reused:SESSION_RESUMED; do
            more="$more,\\\"${n%:*}\\\":\\\"%{SSL_${n#*:}}x\\\""
        done
        more="$more,\\\"alpn\\\":\\\"http/1.1\\\""
    fi
    mkdir -p "$dir"
    {
        for module in mpm_event authn_core authz_core authz_user auth_gssapi dav dav_fs \
            proxy proxy_http rewrite setenvif auth_basic auth_digest authn_file; do
            echo "LoadModule ${module}_module $modules/mod_$module.so"
        done
        cat <<CONF
ServerRoot $dir
ServerName $2.lab.example
PidFile $dir/pid
DefaultRuntimeDir $dir
Mutex pthread
Listen $port
StartServers 1
ServerLimit 1
ThreadLimit 16
MinSpareThreads 1
MaxSpareThreads 16
ThreadsPerChild 16
MaxRequestWorkers 16
ServerTokens Prod
ErrorLog $dir/error.log
LogLevel notice auth_gssapi:info
DavLockDB $dir/davlock
SetEnvIf Authorization "^([A-Za-z]+)" SCHEME=\$1
SetEnvIf Proxy-Authorization "^([A-Za-z]+)" SCHEME=\$1
RegisterHttpMethod CCM_POST BITS_POST
KeepAlive On
KeepAliveTimeout 20
DocumentRoot "$www"
LogFormat "{\\"client\\":\\"%a\\",\\"client_port\\":%{remote}p,\\"server\\":\\"%A\\",\\"port\\":%{local}p,\\"role\\":\\"$role\\",\\"method\\":\\"%m\\",\\"target\\":\\"%r\\",\\"status\\":%>s,\\"user\\":\\"%u\\",\\"mech\\":\\"%{GSS_MECH}e\\",\\"scheme\\":\\"%{SCHEME}e\\",\\"agent\\":\\"%{User-Agent}i\\"$more}" truth
CustomLog $dir/access.log truth
CONF
        [ -z "${secure:-}" ] || over_tls "$secure" "${asks:-}"
        if [ "$3" = proxy ]; then forwarding; else directories "$3" "$2"; fi
    } >"$dir/apache.conf"
    (NTLM_USER_FILE=$work/ntlm.users NETBIOS_DOMAIN_NAME=LAB KRB5_KTNAME=FILE:$work/$2.keytab \
        named "$1" "${2^^}" apache2 -d "$dir" -f "$dir/apache.conf" -DFOREGROUND) 2>"$dir/stderr.log" &
    pids+=($!)
}
mark_logs() {
    local file
    for file in "$work"/*/access.log "$work/kdc.log"; do
        [ ! -e "$file" ] || wc -l <"$file" >"$file.mark"
    done
}
logs_since_mark() { # into access.jsonl and kdc.part
    local file
    for file in "$work"/*/access.log; do tail -n "+$(($(cat "$file.mark" 2>/dev/null || echo 0) + 1))" "$file"; done \
        >"$work/access.jsonl"
    tail -n "+$(($(cat "$work/kdc.log.mark") + 1))" "$work/kdc.log" >"$work/kdc.part"
}
