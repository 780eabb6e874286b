/* SPDX-License-Identifier: GPL-2.0-or-later
 * auth_path.c - what the target of a request tells about authentication.
 *
 * In: method, target, user agent. Out: ccm_auth_request. State: none.
 * Spec: auth-modes.md 3 and 4; ccm-protocol.md 2.1 to 2.3, 2.6, 3.5 (directories). */
#include "model/auth_inner.h"
#include "model/catalog.h"

/* Takes "/segment" off the front; a query ends the path. */
static ccm_span next_segment(ccm_span *path)
{
    if (!path->n || path->p[0] != '/')
        return (ccm_span){ 0 };
    const uint8_t *from = path->p + 1, *end = path->p + path->n, *p = from;
    while (p < end && *p != '/' && *p != '?')
        p++;
    *path = (ccm_span){ p, (size_t)(end - p) };
    return (ccm_span){ from, (size_t)(p - from) };
}

/* Which tokens a directory is documented to take; the ending alone may be anybody's. */
static uint16_t token_bits(ccm_span d)
{
    return same(d, "ccm_system_tokenauth") || same(d, "sms_mp_tokenauth") ||
                   same(d, "cmuserservice_tokenauth")
               ? CCM_PATH_CCM_TOKEN
           : same(d, "adminservice_tokenauth") ? CCM_PATH_ENTRA_TOKEN
                                               : 0;
}

/* SMS_DP_SMSPKG$, SMS_DP_SMSSIG$, with the letter of a drive SMS_DP_SMSPKGC$. */
static bool of_content(ccm_span d)
{
    enum { NAME = 13 };
    if (!begins(d, "sms_dp_smspkg") && !begins(d, "sms_dp_smssig"))
        return false;
    d = ccm_span_of(d.p + NAME, d.n - NAME);
    if (d.n && g_ascii_isalpha((char)d.p[0]))
        d = ccm_span_of(d.p + 1, d.n - 1);
    return same(d, "$") || same(d, "%24");
}

static uint16_t prefix_bits(ccm_span d)
{
    enum { NOCERT = 7, CCMTOKENAUTH = 13 };
    if (begins(d, "nocert_"))
        return CCM_PATH_NOCERT |
               (of_content(ccm_span_of(d.p + NOCERT, d.n - NOCERT)) ? CCM_PATH_CONTENT : 0);
    if (begins(d, "ccmtokenauth_"))
        return CCM_PATH_CCMTOKENAUTH |
               (of_content(ccm_span_of(d.p + CCMTOKENAUTH, d.n - CCMTOKENAUTH))
                    ? CCM_PATH_CONTENT | CCM_PATH_CCM_TOKEN
                    : 0);
    if (begins(d, "ccm_system"))
        return CCM_PATH_MESSAGE;
    if (same(d, "ccm_client"))
        return CCM_PATH_CLIENT;
    return of_content(d) || same(d, "sccm_branchcache$") ? CCM_PATH_CONTENT : 0;
}

static uint16_t directory_bits(ccm_span d)
{
    uint16_t bits = prefix_bits(d);
    if (ends(d, "auth"))
        bits |= ends(d, "_windowsauth") ? CCM_PATH_WINDOWSAUTH
                : ends(d, "_tokenauth") ? CCM_PATH_TOKENAUTH | token_bits(d)
                : ends(d, "_altauth")   ? CCM_PATH_ALTAUTH
                                        : 0;
    return bits;
}

static uint16_t query_bits(ccm_span file, ccm_span rest)
{
    if (begins(file, ".sms_pol"))
        return CCM_PATH_POLICY;
    bool location = begins(file, ".sms_aut") && (begins(rest, "?mplist") || begins(rest, "?mploc"));
    return location ? CCM_PATH_LOCATION : 0;
}

static uint16_t path_of(ccm_span method, ccm_span target)
{
    uint16_t bits = 0;

    if (same(method, "connect"))
        return CCM_PATH_TUNNEL;
    if (target.n && target.p[0] != '/') { /* http://host/path */
        size_t slashes = 0, i = 0;
        for (; i < target.n && slashes < 3; i++)
            slashes += target.p[i] == '/';
        if (slashes < 3)
            return CCM_PATH_VIA_PROXY;
        target = (ccm_span){ target.p + i - 1, target.n - i + 1 };
        bits = CCM_PATH_VIA_PROXY;
    }
    ccm_span directory = next_segment(&target);
    if (begins(directory, "ccm_proxy_")) { /* of a gateway: number, then the server's own path */
        next_segment(&target);
        directory = next_segment(&target);
    }
    bits |= directory_bits(directory);
    if (begins(directory, "sms_mp")) {
        ccm_span file = next_segment(&target);
        bits |= query_bits(file, target);
    }
    if (same(directory, "downloadrestservice.svc") &&
        same(next_segment(&target), "getcontentxmlsecure") && contains(target, "tid=") &&
        contains(target, "st=") && contains(target, "et="))
        bits |= CCM_PATH_CCM_TOKEN | CCM_PATH_CONTENT_URL;
    return bits;
}

/* Hash of the host that an absolute target names, and of its port unless that is the scheme's. */
static uint32_t origin_of(ccm_span target)
{
    ccm_span host = ccm_target_authority(target);
    const uint8_t *at = host.n ? memchr(host.p, '@', host.n) : NULL; /* user:password@host */
    uint64_t h = 15;

    if (at)
        host = ccm_span_of(at + 1, host.n - (size_t)(at + 1 - host.p));
    if (ends(host, begins(target, "https") ? ":443" : ":80"))
        host.n -= begins(target, "https") ? 4 : 3;
    for (size_t i = 0; i < host.n; i++)
        h = ccm_mix(h, (uint8_t)g_ascii_tolower((char)host.p[i]));
    return host.n ? ccm_hash_end(h) | 1 : 0;
}

ccm_auth_request ccm_auth_request_of(ccm_span method, ccm_span target, ccm_span user_agent)
{
    uint16_t path = path_of(method, target);
    return (ccm_auth_request){ .path = path,
                               .origin = path & CCM_PATH_VIA_PROXY ? origin_of(target) : 0,
                               .post = same(method, "ccm_post"),
                               .task_sequence = same(user_agent, "sms ccm 5.0 ts") };
}

void ccm_auth_add_path(ccm_auth_verdict *v, uint16_t path, uint64_t frame)
{
    static const struct {
        uint16_t bit;
        uint8_t id;
    } map[] = {
        { CCM_PATH_WINDOWSAUTH, CCM_EV_WINDOWSAUTH_PATH },
        { CCM_PATH_TOKENAUTH, CCM_EV_TOKENAUTH_PATH },
        { CCM_PATH_ALTAUTH, CCM_EV_ALTAUTH_PATH },
        { CCM_PATH_NOCERT, CCM_EV_NOCERT_PATH },
        { CCM_PATH_CCMTOKENAUTH, CCM_EV_CCMTOKENAUTH_PATH },
        { CCM_PATH_CONTENT_URL, CCM_EV_CONTENT_URL },
    };
    const uint16_t any = CCM_PATH_WINDOWSAUTH | CCM_PATH_TOKENAUTH | CCM_PATH_ALTAUTH |
                         CCM_PATH_NOCERT | CCM_PATH_CCMTOKENAUTH | CCM_PATH_CONTENT_URL;
    v->windowsauth = (path & CCM_PATH_WINDOWSAUTH) != 0;
    for (unsigned i = 0; (path & any) && i < G_N_ELEMENTS(map); i++)
        if (path & map[i].bit)
            add(v, map[i].id, frame);
}
