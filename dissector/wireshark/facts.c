/* SPDX-License-Identifier: GPL-2.0-or-later
 * facts.c - the facts of each frame, learned on the first pass.
 *
 * In: frames in order. Out: groups of values by frame. State: a session, a joiner of exchanges, and
 * the groups, at most FRAME_MOST of a frame and BYTES_MOST of a file. A fact is kept at the frame
 * during whose dissection it became known, so that one pass shows what two passes show; that can be
 * a frame of another connection, for what a silence tells. */
#include "wireshark/facts.h"

#include "model/exchange.h"
#include "model/naming.h"
#include "proto/redact.h"
#include "proto/xml.h"
#include "wireshark/session.h"

enum {
    FRAME_MOST = 256,
    VALUES_MOST = 64,
    BYTES_MOST = 256 << 20,
    REDACTION_ROOM = 64,
    ADDRESSES_MOST = 20000
};

typedef struct frame_facts {
    ccm_group *first, *last;
    unsigned n;
} frame_facts;

struct ccm_facts {
    ccm_catalog *catalog;
    ccm_session *session;
    ccm_viewer viewer;
    ccm_joiner *joiner;
    wmem_map_t *frames;  /* number to frame_facts */
    GHashTable *clients; /* address to client id; "" = more than one */
    uint32_t frame;      /* being dissected */
    size_t bytes;
    bool full;
    /* the last message: the state of its signatures, filled in as they are checked */
    uint64_t message_flow, message_exchange;
    ccm_value *message_state;
    /* the group being made */
    unsigned n;
    ccm_value value[VALUES_MOST];
    GString *text;
};

static const uint8_t types[CCM_FIELDS] = {
#define FIELD(name, abbrev, title, type, doc) CCM_FIELD_##type,
#include "wireshark/fields.def"
};

ccm_field_type ccm_field_type_of(ccm_field field)
{
    return (ccm_field_type)types[field];
}

/* ---- a group --------------------------------------------------------------------------------- */

static void put_u64(ccm_facts *f, ccm_field field, uint64_t value)
{
    if (f->n < VALUES_MOST)
        f->value[f->n++] = (ccm_value){ .field = field, .u = value };
}

/* Copies: an absent or empty text is left out. */
static void put_text(ccm_facts *f, ccm_field field, const char *text)
{
    size_t n = text ? strlen(text) : 0;

    if (!n || f->n >= VALUES_MOST || f->bytes + n > BYTES_MOST)
        return;
    f->bytes += n + 1;
    f->value[f->n++] = (ccm_value){ .field = field, .s = wmem_strdup(wmem_file_scope(), text) };
}

static void put_span(ccm_facts *f, ccm_field field, ccm_span s)
{
    g_string_truncate(f->text, 0);
    ccm_text_append(f->text, s);
    put_text(f, field, f->text->str);
}

static void put_seconds(ccm_facts *f, ccm_field field, uint64_t ns)
{
    if (f->n < VALUES_MOST)
        f->value[f->n++] = (ccm_value){ .field = field, .d = (double)ns / 1e9 };
}

/* The values so far are told at `frame`. NULL = they were none, or are too many. */
static ccm_group *end_group(ccm_facts *f, uint32_t frame, const char *title)
{
    size_t size = sizeof(ccm_group) + f->n * sizeof(ccm_value);
    frame_facts *at = wmem_map_lookup(f->frames, GUINT_TO_POINTER(frame));
    unsigned n = f->n;

    f->n = 0;
    if (!n)
        return NULL;
    if (f->bytes + size > BYTES_MOST || (at && at->n >= FRAME_MOST)) {
        f->full = true;
        return NULL;
    }
    if (!at) {
        at = wmem_new0(wmem_file_scope(), frame_facts);
        wmem_map_insert(f->frames, GUINT_TO_POINTER(frame), at);
        f->bytes += sizeof *at;
    }
    ccm_group *g = wmem_alloc(wmem_file_scope(), size);
    *g = (ccm_group){ .title = title, .n = n };
    memcpy(g->value, f->value, n * sizeof(ccm_value));
    f->bytes += size;
    at->n++;
    if (at->last)
        at->last->next = g;
    else
        at->first = g;
    at->last = g;
    return g;
}

/* ---- client ids by address -------------------------------------------------------------------
 * BITS uploads and downloads do not name their client. */

static void note_client(ccm_facts *f, const ccm_addr *addr, ccm_span id)
{
    char address[CCM_ADDR_TEXT];
    const char *known = g_hash_table_lookup(f->clients, ccm_addr_text(addr, address));

    if (!id.n || (known && id.n == strlen(known) && !memcmp(id.p, known, id.n)))
        return;
    if (!known && g_hash_table_size(f->clients) >= ADDRESSES_MOST)
        return;
    /* Two clients share it: then it names neither. */
    g_hash_table_insert(f->clients, g_strdup(address),
                        known ? g_strdup("") : g_strndup((const char *)id.p, id.n));
}

static void put_client(ccm_facts *f, const ccm_obs *o)
{
    char address[CCM_ADDR_TEXT];
    ccm_span id = ccm_obs_get_str(o, CCM_KEY_client_id);

    if (id.n) {
        note_client(f, &o->src.addr, id);
        put_text(f, CCM_FIELD_client_id_basis, "header");
        return;
    }
    const char *known = g_hash_table_lookup(f->clients, ccm_addr_text(&o->src.addr, address));
    if (!known || !*known)
        return;
    put_span(f, CCM_FIELD_client_id, ccm_span_str(known));
    put_text(f, CCM_FIELD_client_id_basis, "address");
}

/* ---- observations ---------------------------------------------------------------------------- */

typedef struct from_row {
    uint8_t kind, field;
    uint16_t key;
} from_row;

static const from_row from[] = {
#define FROM(kind, key, name) { CCM_OBS_##kind, CCM_FIELD_##name, CCM_KEY_##key },
#include "wireshark/fields.def"
};

static void put_attributes(ccm_facts *f, const ccm_obs *o)
{
    for (size_t i = 0; i < G_N_ELEMENTS(from); i++) {
        int at = from[i].kind == o->kind ? ccm_obs_find(o, from[i].key) : -1;

        if (at < 0)
            continue;
        if (types[from[i].field] == CCM_FIELD_STRING)
            put_span(f, from[i].field, o->val[at].s);
        else
            put_u64(f, from[i].field, o->val[at].u);
    }
}

/* What the request alone tells of its route and its content. */
static void put_request(ccm_facts *f, const ccm_obs *o)
{
    ccm_exchange x;
    ccm_content_name content;
    char words[CCM_NAMING_WORDS];

    put_text(f, CCM_FIELD_about, ccm_exchange_of_request(f->catalog, o, &x, words));
    put_text(f, CCM_FIELD_url_kind, x.url_kind);
    put_text(f, CCM_FIELD_component, x.component);
    put_text(f, CCM_FIELD_route, x.route);
    put_text(f, CCM_FIELD_route_certainty, ccm_certainty_name(x.certainty));
    put_text(f, CCM_FIELD_role, x.destination_role);
    put_text(f, CCM_FIELD_source_role, x.source_role);
    put_text(f, CCM_FIELD_protocol, x.protocol);
    if (!ccm_content_name_of(ccm_obs_get_str(o, CCM_KEY_target), &content))
        return;
    put_span(f, CCM_FIELD_content_id, content.id);
    if (content.kind && !strcmp(content.kind, "package"))
        put_span(f, CCM_FIELD_package_id, content.id);
    put_span(f, CCM_FIELD_content_version, content.version);
    put_span(f, CCM_FIELD_content_file, content.file);
}

static const char *title_of(ccm_obs_kind kind)
{
    switch (kind) {
    case CCM_OBS_http_request:
        return "Request";
    case CCM_OBS_http_response:
        return "Response";
    case CCM_OBS_http_auth:
        return "Credential or challenge";
    case CCM_OBS_token:
        return "Token";
    case CCM_OBS_ccm_message:
        return "Message";
    case CCM_OBS_ccm_message_header:
        return "Message header";
    case CCM_OBS_ccm_body:
        return "Body";
    case CCM_OBS_signature:
        return "Signature";
    case CCM_OBS_anomaly:
        return "Anomaly";
    default:
        return NULL;
    }
}

/* ---- the signatures of a message -------------------------------------------------------------
 * They are checked right behind it, in the same frame, with the keys that are known by then: so a
 * second reading, which shows what the first has kept, tells the same. */

static void end_message(ccm_facts *f, const ccm_obs *o)
{
    bool is_signed = ccm_obs_has(o, CCM_KEY_signed);

    f->message_state = NULL;
    put_text(f, CCM_FIELD_signature_state, is_signed ? "unverifiable" : "absent");
    ccm_group *g = end_group(f, f->frame, "Message");
    for (unsigned i = 0; g && i < g->n; i++)
        if (g->value[i].field == CCM_FIELD_signature_state)
            f->message_state = &g->value[i];
    f->message_flow = o->flow;
    f->message_exchange = ccm_obs_get_u64(o, CCM_KEY_exchange);
}

/* One word for all signatures of a message, as in the report: a failure outweighs everything, and a
 * signature that verifies those that nothing can be said about. */
static void judge_message(ccm_facts *f, const ccm_obs *o)
{
    static const char *const order[] = { "absent", "unverifiable", "no-key", "verified", "failed" };
    unsigned had = 0, has = 0;

    if (!f->message_state || o->flow != f->message_flow ||
        ccm_obs_get_u64(o, CCM_KEY_exchange) != f->message_exchange)
        return;
    for (unsigned i = 1; i < G_N_ELEMENTS(order); i++) {
        if (!strcmp(f->message_state->s, order[i]))
            had = i;
        if (ccm_span_same(ccm_obs_get_str(o, CCM_KEY_result), order[i]))
            has = i;
    }
    if (has > had)
        f->message_state->s = order[has];
}

static void observe(void *user_data, const ccm_obs *o)
{
    ccm_facts *f = user_data;
    const char *title = title_of(o->kind);

    ccm_joiner_observe(f->joiner, o);
    if (!title)
        return;
    put_attributes(f, o);
    if (o->kind == CCM_OBS_ccm_message) {
        end_message(f, o);
        return;
    }
    if (o->kind == CCM_OBS_signature)
        judge_message(f, o);
    if (o->kind == CCM_OBS_http_request) {
        put_client(f, o);
        put_request(f, o);
    }
    end_group(f, f->frame, title);
}

/* A line that names a password, or follows one that does: what is behind the first ">" or "=" stays
 * hidden, in whatever form it is written. */
static bool hides_more(const char *line)
{
    char *lower = g_ascii_strdown(line, -1);
    bool hides =
        strstr(lower, "password") || strstr(lower, "secret") || strstr(lower, "passphrase");

    g_free(lower);
    return hides;
}

static void append_line(GString *out, ccm_span line, bool *hide)
{
    size_t begin = out->len;

    ccm_text_append(out, line);
    bool named = hides_more(out->str + begin), follows = *hide;
    *hide = named;
    if (named || follows) {
        size_t n = strcspn(out->str + begin, named ? ">=" : ">");
        g_string_truncate(out, MIN(begin + n + 1, out->len));
        g_string_append(out, "...");
    }
    g_string_append_c(out, '\n');
}

/* The text of a message, without what is secret in it: first the redaction, which reads words as
 * they were sent, then the escapes of what cannot be shown. Line by line, as ends of lines would be
 * escaped; long lines end between elements. */
static void put_message_text(ccm_facts *f, ccm_field field, ccm_span text)
{
    if (!text.n)
        return;
    size_t size = text.n + text.n / 2 + REDACTION_ROOM, begin = 0;
    uint8_t *buf = g_malloc(size);
    ccm_span shown = ccm_redact_text(text, buf, size);
    bool hide = false;

    g_string_truncate(f->text, 0);
    for (size_t i = 0; i < shown.n; i++) {
        bool end = shown.p[i] == '\n', last = i + 1 == shown.n;
        bool between = !last && shown.p[i] == '>' && shown.p[i + 1] == '<';
        if (!end && !between && !last)
            continue;
        size_t n = i + !end - begin;
        while (n && shown.p[begin + n - 1] <= ' ')
            n--;
        if (n)
            append_line(f->text, ccm_span_of(shown.p + begin, n), &hide);
        begin = i + 1;
    }
    put_text(f, field, f->text->str);
    g_free(buf);
}

static void on_message(void *user_data, ccm_span header, ccm_span body)
{
    ccm_facts *f = user_data;

    put_message_text(f, CCM_FIELD_header_xml, header);
    end_group(f, f->frame, "Header XML");
    put_message_text(f, CCM_FIELD_body_text, body);
    end_group(f, f->frame, "Body text");
}

/* ---- exchanges ------------------------------------------------------------------------------- */

static void put_auth(ccm_facts *f, const ccm_exchange_auth *a, uint32_t frame)
{
    put_text(f, CCM_FIELD_auth_stage, a->stage);
    put_text(f, CCM_FIELD_auth_mode, a->mode);
    put_text(f, CCM_FIELD_auth_account, a->account);
    put_text(f, CCM_FIELD_auth_account_kind, a->account_kind);
    put_text(f, CCM_FIELD_auth_certainty, ccm_certainty_name(a->certainty));
    if (a->denied)
        put_u64(f, CCM_FIELD_auth_denied, 1);
    for (unsigned i = 0; i < a->n_evidence; i++)
        put_text(f, CCM_FIELD_auth_evidence, a->evidence[i]);
    end_group(f, frame, "Authentication");
}

static void put_done(ccm_facts *f, const ccm_exchange *x)
{
    put_text(f, CCM_FIELD_pairing, x->pairing);
    if (x->has_request_bytes)
        put_u64(f, CCM_FIELD_request_bytes, x->request_bytes);
    if (x->has_response_bytes)
        put_u64(f, CCM_FIELD_response_bytes, x->response_bytes);
    if (x->body_missing_bytes)
        put_u64(f, CCM_FIELD_missing_bytes, x->body_missing_bytes);
    if (x->has_ttfb)
        put_seconds(f, CCM_FIELD_ttfb, x->ttfb_ns);
    if (x->has_duration)
        put_seconds(f, CCM_FIELD_duration, x->duration_ns);
}

static void on_exchange(void *user_data, const ccm_exchange *x)
{
    ccm_facts *f = user_data;

    if (x->smb.present) /* Wireshark has fields for SMB */
        return;
    if (x->frame && x->frame != f->frame && x->has_request) {
        put_u64(f, CCM_FIELD_response_in, f->frame);
        end_group(f, (uint32_t)x->frame, "Exchange");
        put_u64(f, CCM_FIELD_request_in, x->frame);
    }
    if (x->tls) {
        put_text(f, CCM_FIELD_server_certificate, x->tls->server_certificate);
        put_text(f, CCM_FIELD_client_certificate, x->tls->client_certificate);
    } else if (x->has_done) {
        put_done(f, x);
    }
    end_group(f, f->frame, x->tls ? "TLS handshake" : "Exchange");
    for (unsigned i = 0; i < x->n_auth; i++)
        put_auth(f, &x->auth[i], f->frame);
}

/* ---- a file ---------------------------------------------------------------------------------- */

ccm_facts *ccm_facts_new(const char *site, GError **error)
{
    ccm_facts *f = g_new0(ccm_facts, 1);
    ccm_limits limits;

    ccm_limits_init(&limits);
    f->catalog = ccm_catalog_load(NULL, NULL);
    f->viewer = (ccm_viewer){ f, on_message };
    f->session = ccm_session_new(observe, f, &f->viewer, site, error);
    f->joiner = ccm_joiner_new(f->catalog, &limits, on_exchange, f);
    f->frames = wmem_map_new(wmem_file_scope(), g_direct_hash, g_direct_equal);
    f->clients = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    f->text = g_string_new(NULL);
    return f;
}

void ccm_facts_free(ccm_facts *f)
{
    if (!f)
        return;
    ccm_session_free(f->session);
    ccm_joiner_free(f->joiner);
    ccm_catalog_unref(f->catalog);
    g_hash_table_unref(f->clients);
    g_string_free(f->text, TRUE);
    g_free(f);
}

void ccm_facts_frame(ccm_facts *f, packet_info *pinfo, tvbuff_t *tvb)
{
    f->frame = pinfo->num;
    ccm_session_frame(f->session, pinfo, tvb);
}

const ccm_group *ccm_facts_of(const ccm_facts *f, uint32_t frame)
{
    const frame_facts *at = wmem_map_lookup(f->frames, GUINT_TO_POINTER(frame));

    return at ? at->first : NULL;
}

bool ccm_facts_full(const ccm_facts *f)
{
    return f->full;
}
