/* SPDX-License-Identifier: GPL-2.0-or-later
 * taps.c - -z ccm,summary | ccm,routes | ccm,windows | ccm,observations, and the same texts in
 * windows of the Statistics menu.
 *
 * In: every frame that passes the listener's filter. Out: text to stdout, or to a window. State: a
 * session and a model for each listener, begun anew at each reset: so a second reading of the file,
 * and a filter, give what reading those frames once gives; and the bytes of routes are accounted
 * only while somebody asks for them. */
#include "wireshark/plugin.h"

#include "observe/obs.h"
#include "wireshark/session.h"

/* A window's text is laid out anew at each drawing; -z has no limit. */
enum { WINDOW_OBSERVATIONS = 4 << 20 };

typedef struct tap_kind {
    const char *cli;    /* of -z */
    const char *format; /* of ccm_report_write; NULL = the observations themselves */
    const char *title;  /* in the menu, where Wireshark makes no submenu of a "/" */
} tap_kind;

static const tap_kind kinds[] = {
    { "ccm,summary", "summary", "Configuration Manager: Summary" },
    { "ccm,routes", "routes", "Configuration Manager: Routes" },
    { "ccm,windows", "windows", "Configuration Manager: Bandwidth and windows" },
    { "ccm,observations", NULL, "Configuration Manager: Observations" },
};

typedef struct listener {
    const tap_kind *kind;
    ccm_session *session; /* NULL = no frame since the reset */
    ccm_model *model;
    funnel_text_window_t *window; /* NULL = stdout */
    GString *lines;               /* of a window with observations */
    bool first_pass;              /* a frame was read for the first time: more may come */
    bool finished;
    bool behind; /* a frame came after that */
} listener;

/* ---- output ---------------------------------------------------------------------------------- */

static bool write_stdout(void *user_data, const char *data, size_t size)
{
    (void)user_data;
    return fwrite(data, 1, size, stdout) == size;
}

static bool append_text(void *user_data, const char *data, size_t size)
{
    g_string_append_len(user_data, data, (gssize)size);
    return true;
}

static void put_line(listener *l, const char *line)
{
    static const char more[] =
        "The rest is left out here: tshark -z ccm,observations prints all.\n";

    if (!l->window) {
        (void)write_stdout(NULL, line, strlen(line));
        (void)write_stdout(NULL, "\n", 1);
    } else if (l->lines->len < WINDOW_OBSERVATIONS) {
        g_string_append_printf(l->lines, "%s\n", line);
        if (l->lines->len >= WINDOW_OBSERVATIONS)
            g_string_append(l->lines, more);
    }
}

static void observe(void *user_data, const ccm_obs *o)
{
    listener *l = user_data;

    if (l->model) {
        ccm_model_observe(l->model, o);
        return;
    }
    GString *line = g_string_new(NULL);
    ccm_obs_to_json(o, line);
    put_line(l, line->str);
    g_string_free(line, TRUE);
}

static void report(listener *l, const ccm_sink *sink)
{
    ccm_report_options options = { .format = l->kind->format };
    GError *error = NULL;

    if (!ccm_report_write(l->model, &options, sink, &error))
        g_warning("%s", error->message);
    g_clear_error(&error);
}

static void show_window(listener *l)
{
    const funnel_ops_t *ops = funnel_get_funnel_ops();
    GString *text = g_string_new(NULL);

    if (!l->session)
        g_string_append(text, "No packets yet.\n");
    else if (!l->finished)
        g_string_append(text, "Reading goes on: connections that are still open are not counted. "
                              "Choose the menu entry again at the end.\n\n");
    else if (l->behind)
        g_string_append(text, "More packets came since. Choose the menu entry again.\n\n");
    if (l->model)
        report(l, &(ccm_sink){ append_text, text });
    else
        g_string_append_len(text, l->lines->str, (gssize)l->lines->len);
    ops->set_text(l->window, text->str);
    g_string_free(text, TRUE);
}

/* ---- the listener ---------------------------------------------------------------------------- */

static void reset(void *tapdata)
{
    listener *l = tapdata;

    ccm_session_free(l->session);
    ccm_model_free(l->model);
    l->session = NULL;
    l->model = NULL;
    if (l->lines)
        g_string_truncate(l->lines, 0);
    l->finished = l->first_pass = l->behind = false;
}

static void begin(listener *l)
{
    ccm_limits limits;

    const char *site = ccm_plugin_site_file();
    /* What is wrong with the keys in it, the fields' session has said. */
    l->session = ccm_session_new(observe, l, NULL, site, NULL);
    if (!l->kind->format) {
        put_line(l, ccm_obs_file_header());
        return;
    }
    ccm_limits_init(&limits);
    ccm_catalog *catalog = ccm_catalog_load(NULL, NULL);
    l->model = ccm_model_new(catalog, &limits);
    ccm_catalog_unref(catalog);
    GError *error = NULL;
    if (site && !ccm_model_add_site(l->model, site, &error))
        g_warning("%s", error->message);
    g_clear_error(&error);
}

static tap_packet_status packet(void *tapdata, packet_info *pinfo, epan_dissect_t *edt,
                                const void *data, tap_flags_t flags)
{
    listener *l = tapdata;
    const ccm_tapped *t = data;

    (void)edt;
    (void)flags;
    if (l->finished) {
        l->behind = true;
        return TAP_PACKET_REDRAW;
    }
    if (!l->session)
        begin(l);
    l->first_pass |= !PINFO_FD_VISITED(pinfo);
    ccm_session_frame(l->session, pinfo, t->tvb);
    return TAP_PACKET_REDRAW;
}

static void draw(void *tapdata)
{
    listener *l = tapdata;

    if (!l->session && !l->window)
        begin(l);
    /* A window is drawn every few seconds while a file is read or a capture runs. */
    if (l->session && !l->finished && !(l->window && l->first_pass)) {
        ccm_session_finish(l->session);
        l->finished = true;
        if (!l->window && l->model)
            report(l, &(ccm_sink){ write_stdout, NULL });
    }
    if (l->window)
        show_window(l);
}

static void end(void *tapdata)
{
    listener *l = tapdata;

    reset(l);
    if (l->lines)
        g_string_free(l->lines, TRUE);
    g_free(l);
}

static bool listen(listener *l, const char *filter)
{
    GString *error =
        register_tap_listener("ccm", l, filter, TL_REQUIRES_NOTHING, reset, packet, draw, end);

    if (!error)
        return true;
    g_warning("-z %s: %s", l->kind->cli, error->str);
    g_string_free(error, TRUE);
    end(l);
    return false;
}

/* ---- -z -------------------------------------------------------------------------------------- */

/* "ccm,routes" or "ccm,routes,FILTER". */
static CCM_WS_STAT_RESULT from_argument(const char *argument, void *user_data)
{
    const tap_kind *kind = user_data;
    size_t n = strlen(kind->cli);
    bool good = false;

    /* Wireshark has compared the beginning. */
    if (!g_str_has_prefix(argument, kind->cli) || (argument[n] && argument[n] != ',')) {
        g_warning("-z %s: unknown; write -z %s or -z %s,FILTER", argument, kind->cli, kind->cli);
    } else {
        listener *l = g_new0(listener, 1);
        l->kind = kind;
        good = listen(l, argument[n] ? argument + n + 1 : NULL);
    }
    CCM_WS_STAT_DONE(good);
}

/* ---- the menu -------------------------------------------------------------------------------- */

static void on_closed(void *user_data)
{
    remove_tap_listener(user_data);
}

static void from_menu(void *user_data)
{
    const funnel_ops_t *ops = funnel_get_funnel_ops();
    const tap_kind *kind = user_data;

    if (!ops || !ops->new_text_window)
        return;
    listener *l = g_new0(listener, 1);
    l->kind = kind;
    l->lines = g_string_new(NULL);
    l->window = ops->new_text_window(ops->ops_id, kind->title);
    if (!l->window || !listen(l, NULL))
        return;
    ops->set_close_cb(l->window, on_closed, l);
    draw(l);
    if (ops->retap_packets) /* the frames that were read before */
        ops->retap_packets(ops->ops_id);
}

void ccm_plugin_register_taps(void)
{
    static stat_tap_ui ui[G_N_ELEMENTS(kinds)];

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        ui[i] = (stat_tap_ui){ .group = REGISTER_PACKET_STAT_GROUP_UNSORTED,
                               .cli_string = kinds[i].cli,
                               .tap_init_cb = from_argument };
        register_stat_tap_ui(&ui[i], (void *)&kinds[i]);
        funnel_register_menu(kinds[i].title, REGISTER_PACKET_STAT_GROUP_UNSORTED, from_menu,
                             (void *)&kinds[i], NULL, FALSE);
    }
}
