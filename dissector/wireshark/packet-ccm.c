/* SPDX-License-Identifier: GPL-2.0-or-later
 * packet-ccm.c - the protocol "ccm" of Wireshark: fields, expert infos, preferences, postdissector.
 *
 * In: every frame after its dissectors have run. Out: a tree of ccm.* fields, the tap "ccm". State:
 * what Wireshark hands out at registration, and the facts of the open file. No port is registered:
 * Wireshark's own heuristics find HTTP and TLS on every port, and a registration breaks them. */
#include "wireshark/plugin.h"

#include "wireshark/facts.h"

enum { ETT_CCM, ETT_GROUP, ETTS };
enum {
#define EXPERT(name, abbrev, group, severity, doc) EI_##name,
#include "wireshark/fields.def"
    EXPERTS
};

/* Wireshark's registration wants addresses that live as long as the process. */
static int proto_ccm = -1;
static int ccm_tap = -1;
static int hf[CCM_FIELDS];
static int ett[ETTS];
static expert_field ei[EXPERTS];
static const char *site_file = "";
static ccm_facts *facts; /* of the open file; made by its first frame */

const char *ccm_plugin_site_file(void)
{
    return site_file && *site_file ? site_file : NULL;
}

/* ---- the tree -------------------------------------------------------------------------------- */

/* A text of several lines: an item each. */
static void add_lines(proto_tree *tree, packet_info *pinfo, tvbuff_t *tvb, const ccm_value *v)
{
    for (const char *line = v->s; *line;) {
        const char *end = strchr(line, '\n');
        size_t n = end ? (size_t)(end - line) : strlen(line);
        proto_tree_add_string(tree, hf[v->field], tvb, 0, 0, wmem_strndup(pinfo->pool, line, n));
        line += n + (end != NULL);
    }
}

static proto_item *add_value(proto_tree *tree, tvbuff_t *tvb, const ccm_value *v)
{
    switch (ccm_field_type_of(v->field)) {
    case CCM_FIELD_STRING:
        return proto_tree_add_string(tree, hf[v->field], tvb, 0, 0, v->s);
    case CCM_FIELD_UINT64:
        return proto_tree_add_uint64(tree, hf[v->field], tvb, 0, 0, v->u);
    case CCM_FIELD_BOOLEAN:
        return proto_tree_add_boolean(tree, hf[v->field], tvb, 0, 0, v->u != 0);
    case CCM_FIELD_FRAMENUM:
        return proto_tree_add_uint(tree, hf[v->field], tvb, 0, 0, (uint32_t)v->u);
    case CCM_FIELD_DOUBLE:
        return proto_tree_add_double(tree, hf[v->field], tvb, 0, 0, v->d);
    }
    return NULL;
}

/* What an administrator should look at, in the expert information. */
static void add_expert(packet_info *pinfo, proto_item *item, const ccm_value *v)
{
    if (v->field == CCM_FIELD_anomaly)
        expert_add_info_format(pinfo, item, &ei[EI_anomaly], "%s", v->s);
    else if (v->field == CCM_FIELD_incomplete)
        expert_add_info(pinfo, item, &ei[EI_incomplete]);
    else if (v->field == CCM_FIELD_auth_denied)
        expert_add_info(pinfo, item, &ei[EI_denied]);
    else if (v->field == CCM_FIELD_header_signature && !strcmp(v->s, "malformed"))
        expert_add_info(pinfo, item, &ei[EI_signature]);
    else if (v->field == CCM_FIELD_signature_result && !strcmp(v->s, "failed"))
        expert_add_info(pinfo, item, &ei[EI_failed]);
}

static const char *value_text(const ccm_group *g, ccm_field field)
{
    for (unsigned i = 0; i < g->n; i++)
        if (g->value[i].field == field)
            return g->value[i].s;
    return NULL;
}

/* The most telling text of a group, behind its title. */
static void name_group(proto_item *item, const ccm_group *g)
{
    static const ccm_field telling[] = { CCM_FIELD_verb,
                                         CCM_FIELD_endpoint,
                                         CCM_FIELD_kind,
                                         CCM_FIELD_auth_mode,
                                         CCM_FIELD_mechanism,
                                         CCM_FIELD_token_category,
                                         CCM_FIELD_signature_result,
                                         CCM_FIELD_anomaly };
    const char *second = value_text(g, CCM_FIELD_uri);

    for (size_t i = 0; i < G_N_ELEMENTS(telling); i++) {
        const char *text = value_text(g, telling[i]);
        if (!text)
            continue;
        proto_item_append_text(item, ": %s%s%s", text, second ? " " : "", second ? second : "");
        return;
    }
}

static void add_group(proto_tree *tree, tvbuff_t *tvb, packet_info *pinfo, const ccm_group *g)
{
    proto_item *item;
    proto_tree *sub = proto_tree_add_subtree(tree, tvb, 0, 0, ett[ETT_GROUP], &item, g->title);

    name_group(item, g);
    for (unsigned i = 0; i < g->n; i++) {
        const ccm_value *v = &g->value[i];
        if (v->field == CCM_FIELD_header_xml || v->field == CCM_FIELD_body_text)
            add_lines(sub, pinfo, tvb, v);
        else
            add_expert(pinfo, add_value(sub, tvb, v), v);
    }
}

static void add_facts(proto_tree *tree, tvbuff_t *tvb, packet_info *pinfo, const ccm_group *g)
{
    proto_item *item = proto_tree_add_item(tree, proto_ccm, tvb, 0, 0, ENC_NA);
    proto_tree *sub = proto_item_add_subtree(item, ett[ETT_CCM]);

    proto_item_set_generated(item);
    if (ccm_facts_full(facts))
        expert_add_info(pinfo, item, &ei[EI_full]);
    for (; g; g = g->next)
        add_group(sub, tvb, pinfo, g);
}

static void begin_file(void)
{
    GError *error = NULL;

    facts = ccm_facts_new(ccm_plugin_site_file(), &error);
    if (error)
        g_warning("%s", error->message);
    g_clear_error(&error);
}

static int dissect(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    (void)data;
    if (!PINFO_FD_VISITED(pinfo)) {
        if (!facts)
            begin_file();
        ccm_facts_frame(facts, pinfo, tvb);
    }
    if (have_tap_listener(ccm_tap)) {
        ccm_tapped *t = wmem_new(pinfo->pool, ccm_tapped);
        t->tvb = tvb;
        tap_queue_packet(ccm_tap, pinfo, t);
    }
    const ccm_group *g = tree && facts ? ccm_facts_of(facts, pinfo->num) : NULL;
    if (g)
        add_facts(tree, tvb, pinfo, g);
    return (int)tvb_captured_length(tvb);
}

/* ---- conversation filter: everything of the client of this frame ------------------------------
 */

static const ccm_group *facts_of(const packet_info *pinfo)
{
    return facts ? ccm_facts_of(facts, pinfo->num) : NULL;
}

static char *client_filter(const packet_info *pinfo)
{
    for (const ccm_group *g = facts_of(pinfo); g; g = g->next) {
        const char *id = value_text(g, CCM_FIELD_client_id);
        if (id && !strpbrk(id, "\"\\"))
            return g_strdup_printf("ccm.client_id == \"%s\"", id);
    }
    return NULL;
}

static ccm_ws_filter_bool can_filter(CCM_WS_FILTER_ARGS)
{
    CCM_WS_FILTER_UNUSED;
    char *filter = client_filter(pinfo);
    bool can = filter != NULL;

    g_free(filter);
    return can;
}

static char *build_filter(CCM_WS_FILTER_ARGS)
{
    CCM_WS_FILTER_UNUSED;
    return client_filter(pinfo);
}

/* ---- registration ---------------------------------------------------------------------------- */

static void file_closed(void)
{
    ccm_facts_free(facts);
    facts = NULL;
}

/* clang-format off */
#define CCM_HF_STRING   FT_STRING, BASE_NONE
#define CCM_HF_UINT64   FT_UINT64, BASE_DEC
#define CCM_HF_BOOLEAN  FT_BOOLEAN, BASE_NONE
#define CCM_HF_FRAMENUM FT_FRAMENUM, BASE_NONE
#define CCM_HF_DOUBLE   FT_DOUBLE, BASE_NONE
static hf_register_info fields[] = {
#define CCM_HF(index, title, abbrev, type, doc) \
    { &hf[index], { title, abbrev, type, NULL, 0, doc, HFILL } },
#define FIELD(name, abbrev, title, type, doc) \
    CCM_HF(CCM_FIELD_##name, title, abbrev, CCM_HF_##type, doc)
#include "wireshark/fields.def"
};
/* clang-format on */

static void register_experts(void)
{
    /* clang-format off */
    static ei_register_info experts[] = {
#define EXPERT(name, abbrev, group, severity, doc) \
        { &ei[EI_##name], { abbrev, PI_##group, PI_##severity, doc, EXPFILL } },
#include "wireshark/fields.def"
    };
    /* clang-format on */

    for (unsigned i = 0; i < EXPERTS; i++)
        ei[i] = (expert_field)EI_INIT;
    expert_register_field_array(expert_register_protocol(proto_ccm), experts,
                                G_N_ELEMENTS(experts));
}

void ccm_plugin_register_protocol(void)
{
    static int *trees[] = { &ett[ETT_CCM], &ett[ETT_GROUP] };

    memset(hf, 0xff, sizeof hf);
    memset(ett, 0xff, sizeof ett);
    proto_ccm = proto_register_protocol("Microsoft Configuration Manager", "CCM", "ccm");
    proto_register_field_array(proto_ccm, fields, G_N_ELEMENTS(fields));
    proto_register_subtree_array(trees, G_N_ELEMENTS(trees));
    register_experts();
    ccm_tap = register_tap("ccm");
    module_t *module = prefs_register_protocol(proto_ccm, NULL);
    /* A boolean one would need a probe: 4.0 stores four bytes, later versions one, and a cast hides
     * it. */
    prefs_register_filename_preference(module, "site_file", "Site file",
                                       "Key file with the site's configuration: schedules and rate "
                                       "limits of distribution points, for the windows statistics; "
                                       "keys of clients, to check signatures with",
                                       &site_file, FALSE);
    register_cleanup_routine(file_closed);
    ccm_ws_register_filter("ccm", "Configuration Manager client", can_filter, build_filter);
}

void ccm_plugin_hand_off(void)
{
    register_postdissector(create_dissector_handle(dissect, proto_ccm));
}
