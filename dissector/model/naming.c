/* SPDX-License-Identifier: GPL-2.0-or-later
 * naming.c - plain words for requests.
 *
 * In: the target, SOAPAction and mark of a request. Out: words, content ids. State: none. Paths and
 * queries compare without case because IIS does. Queries and names: ccm-protocol.md 2.3 to 2.8. */
#include "model/naming.h"

static bool begins(ccm_span s, const char *prefix)
{
    size_t n = strlen(prefix);

    for (size_t i = 0; s.n >= n && i < n; i++) /* mostly the first one differs */
        if (s.p[i] != (uint8_t)prefix[i] &&
            g_ascii_tolower((char)s.p[i]) != g_ascii_tolower(prefix[i]))
            return false;
    return s.n >= n;
}

static bool is(ccm_span s, const char *word)
{
    return s.n == strlen(word) && begins(s, word);
}

static ccm_span after(ccm_span s, size_t n)
{
    return n ? ccm_span_of(s.p + n, s.n - n) : s;
}

/* Up to the first of the one or two bytes `stop`, or all. */
static ccm_span until(ccm_span s, const char *stop)
{
    uint8_t a = (uint8_t)stop[0], b = stop[1] ? (uint8_t)stop[1] : a;

    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == a || s.p[i] == b)
            return ccm_span_of(s.p, i);
    return s;
}

/* The text behind the first `word`, case apart; empty when it is not there. */
static ccm_span behind(ccm_span s, const char *word)
{
    for (size_t i = 0; i + strlen(word) <= s.n; i++)
        if (begins(after(s, i), word))
            return after(s, i + strlen(word));
    return (ccm_span){ 0 };
}

/* ---- content --------------------------------------------------------------------------------- */

static bool is_hex(ccm_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!g_ascii_isxdigit((char)s.p[i]))
            return false;
    return s.n > 0;
}

/* 8-4-4-4-12 hexadecimal digits, perhaps in braces. */
static bool is_guid(ccm_span s)
{
    static const uint8_t groups[] = { 8, 4, 4, 4, 12 };

    if (s.n == 38 && s.p[0] == '{' && s.p[37] == '}')
        s = ccm_span_of(s.p + 1, 36);
    if (s.n != 36)
        return false;
    for (unsigned i = 0, at = 0; i < G_N_ELEMENTS(groups); at += groups[i++] + 1u) {
        if (!is_hex(ccm_span_of(s.p + at, groups[i])) || (i && s.p[at - 1] != '-'))
            return false;
    }
    return true;
}

/* Three of a site code and five hexadecimal digits: ABC00012. */
static bool is_package(ccm_span s)
{
    return s.n == 8 && g_ascii_isalnum((char)s.p[0]) && g_ascii_isalnum((char)s.p[1]) &&
           g_ascii_isalnum((char)s.p[2]) && is_hex(after(s, 3));
}

/* Cuts ".version" off `name`, where only digits follow the last dot. */
static ccm_span cut_version(ccm_span *name)
{
    size_t i = name->n;
    while (i > 0 && g_ascii_isdigit((char)name->p[i - 1]))
        i--;
    if (i < 2 || i == name->n || name->p[i - 1] != '.')
        return (ccm_span){ 0 };
    ccm_span version = after(*name, i);
    name->n = i - 1;
    return version;
}

/* Does `s` end with `word`, case apart? */
static bool ends(ccm_span s, const char *word)
{
    size_t n = strlen(word);
    return s.n >= n && begins(after(s, s.n - n), word);
}

/* The part of the target behind the content directory, or empty. Its name ends with a dollar sign,
 * which is rare, perhaps escaped; the drive of an old share may stand before that. */
static ccm_span below_directory(ccm_span target, bool *signature)
{
    static const char *const directories[] = { "SMS_DP_SMSPKG", "SMS_DP_SMSSIG",
                                               "SCCM_BranchCache" };

    for (size_t at = 1; at < target.n; at++) {
        if (target.p[at] != '$' && target.p[at] != '%')
            continue;
        ccm_span rest = after(target, at), name = { target.p, at };
        size_t dollar = begins(rest, "$/") ? 2 : begins(rest, "%24/") ? 4 : 0;
        for (unsigned i = 0; dollar && i < G_N_ELEMENTS(directories); i++) {
            bool drive = g_ascii_isalpha((char)name.p[at - 1]) &&
                         ends((ccm_span){ name.p, at - 1 }, directories[i]);
            if (!drive && !ends(name, directories[i]))
                continue;
            *signature = i == 1;
            return after(rest, dollar);
        }
    }
    return (ccm_span){ 0 };
}

bool ccm_package_of_path(ccm_span path, char id[CCM_PACKAGE_ID + 1])
{
    size_t from = path.n;

    while (from && path.p[from - 1] != '\\' && path.p[from - 1] != '-')
        from--;
    const uint8_t *p = path.p + from;
    size_t n = path.n - from;
    if (n < CCM_PACKAGE_ID || (n > CCM_PACKAGE_ID && p[CCM_PACKAGE_ID] != '.'))
        return false;
    for (unsigned i = 0; i < CCM_PACKAGE_ID; i++)
        if (i < 3 ? !g_ascii_isalnum(p[i]) : !g_ascii_isxdigit(p[i]))
            return false;
    memcpy(id, p, CCM_PACKAGE_ID);
    id[CCM_PACKAGE_ID] = '\0';
    return true;
}

bool ccm_content_name_of(ccm_span target, ccm_content_name *out)
{
    bool signature = false;
    ccm_span rest = below_directory(target, &signature);

    *out = (ccm_content_name){ 0 };
    out->id = until(rest, "/?");
    if (!out->id.n)
        return false;
    ccm_span file = after(rest, MIN(out->id.n + 1, rest.n));
    if (begins(file, "sccm?")) /* what follows is the query by URI rules, the file by meaning */
        file = after(file, 5);
    out->file = file.n && file.p[0] == '/' ? after(file, 1) : file;
    if (signature && out->id.n > 4 && is(after(out->id, out->id.n - 4), ".tar"))
        out->id.n -= 4;
    out->version = cut_version(&out->id);
    if (signature)
        out->kind = "signature";
    else if (begins(out->id, "Content_") && is_guid(after(out->id, 8)))
        out->kind = "content";
    else if (is_guid(out->id))
        out->kind = "update";
    else if (is_package(out->id))
        out->kind = "package";
    return out->kind;
}

/* ---- words ----------------------------------------------------------------------------------- */

typedef struct words {
    char *p;
    size_t n;
} words;

static void add(words *w, ccm_span s)
{
    size_t n = MIN(s.n, CCM_NAMING_WORDS - 1 - w->n);
    memcpy(w->p + w->n, s.p, n);
    w->n += n;
    w->p[w->n] = '\0';
}

static void say(words *w, const char *text)
{
    add(w, ccm_span_str(text));
}

static void say_name(words *w, const char *text, ccm_span name)
{
    say(w, text);
    if (name.n) {
        say(w, " ");
        add(w, name);
    }
}

/* A lookup at .sms_aut: the word before the first &, and what follows it. */
static bool lookup(words *w, ccm_span query)
{
    static const struct {
        const char *query, *words;
        bool shows_rest;
    } rows[] = {
        { "MPLIST", "list of management points", false },
        { "MPLIST1", "list of management points of site", true },
        { "MPLIST2", "extended list of management points", false },
        { "MPCERT", "certificate of the management point", false },
        { "MPCERT2", "certificates of the management point", false },
        { "MPKEYINFORMATION", "keys of the management point", false },
        { "MPKEYINFORMATIONEX", "keys of the management point, extended", false },
        { "MPKEYINFORMATIONMEDIA", "keys of the management point, for boot media", false },
        { "MPTRK", "trusted root key", false },
        { "SITESIGNCERT", "site signing certificate", false },
        { "MPLOCATION", "management point for boot media", false },
        { "GETCLIENTAFFINITY", "users of client", true },
        { "SMSTRC", "trace switch of the management point", false },
    };
    ccm_span word = until(query, "&");

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (!is(word, rows[i].query))
            continue;
        ccm_span rest = after(query, MIN(word.n + 1, query.n));
        say_name(w, rows[i].words, rows[i].shows_rest ? rest : (ccm_span){ 0 });
        return true;
    }
    return false;
}

/* {GUID}.5_00, PS120003-PS100009-6F6BCC28.1_00, {GUID}.SHA256:...: id, then how it is addressed. */
static void policy(words *w, ccm_span query)
{
    ccm_span id = until(query, "."), version = after(query, MIN(id.n + 1, query.n));

    say_name(w, "policy", id);
    if (begins(version, "SHA256:"))
        say(w, " by hash");
    else if (version.n)
        say_name(w, ", version", version);
}

static void notification(words *w, ccm_span query)
{
    ccm_span type = until(behind(query, "RequestType="), "&");

    say(w, "client notification: ");
    say(w, is(type, "LogIn")      ? "log in"
           : is(type, "Continue") ? "keep alive"
           : is(type, "LogOut")   ? "log out"
                                  : "other");
}

static void content(words *w, const ccm_request *r, const ccm_content_name *c)
{
    bool list = is(r->method, "PROPFIND");

    say(w, list ? "list of files: " : is(r->method, "HEAD") ? "probe of " : "");
    say_name(w, !strcmp(c->kind, "content") ? "application content" : c->kind, c->id);
    if (c->version.n)
        say_name(w, ", version", c->version);
    if (c->file.n && !list)
        say_name(w, ", file", c->file);
}

const char *ccm_naming_of(const ccm_catalog *catalog, const ccm_request *request,
                          const ccm_match *hit, ccm_span soap_action, char *out)
{
    words w = { out, 0 };
    ccm_content_name c;
    ccm_span path = until(request->target, "?");
    ccm_span query = after(request->target, MIN(path.n + 1, request->target.n));

    out[0] = '\0';
    if (behind(path, "/.sms_aut").p && lookup(&w, query))
        return out;
    if (behind(path, "/.sms_pol").p && query.n)
        policy(&w, query);
    else if (behind(path, "/.sms_dcm").p && query.n)
        say_name(&w, "compliance document", until(behind(query, "DocumentId="), "&"));
    else if (behind(path, "/bgb/handler").p)
        notification(&w, query);
    else if (ccm_content_name_of(request->target, &c))
        content(&w, request, &c);
    else if (hit && hit->mark >= 0)
        say(&w, ccm_mark_at(catalog, hit->mark)->title);
    if (soap_action.n) { /* ".../ClientWebService/SyncUpdates" */
        ccm_span name = soap_action;
        for (size_t i = 0; i < soap_action.n; i++)
            if (soap_action.p[i] == '/')
                name = after(soap_action, i + 1);
        if (w.n)
            say(&w, ": ");
        add(&w, name);
    }
    return out;
}
