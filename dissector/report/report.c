/* SPDX-License-Identifier: GPL-2.0-or-later
 * report.c - the entry of report/: output in pieces of 64 KiB, and the choice of the format.
 * In: a model, options, a sink. Out: bytes to the sink. State: none between calls. */
#include "report/report.h"
#include "model/view.h"

void ccm_out_init(ccm_out *out, const ccm_sink *sink)
{
    *out = (ccm_out){ .text = g_string_sized_new(CCM_OUT_PIECE + 4096), .sink = sink };
}

void ccm_out_flush(ccm_out *out)
{
    for (gsize at = 0; at < out->text->len && !out->failed;) {
        gsize piece = MIN(out->text->len - at, CCM_OUT_PIECE);
        if (!out->sink->write(out->sink->user_data, out->text->str + at, piece))
            out->failed = true;
        at += piece;
    }
    g_string_truncate(out->text, 0);
}

void ccm_out_drain(ccm_out *out)
{
    if (out->text->len >= CCM_OUT_PIECE)
        ccm_out_flush(out);
}

bool ccm_out_end(ccm_out *out, GError **error)
{
    ccm_out_flush(out);
    g_string_free(out->text, TRUE);
    out->text = NULL;
    if (out->failed)
        g_set_error(error, CCM_ERROR, CCM_ERROR_OUTPUT, "output could not be written");
    return !out->failed;
}

static bool known_format(const char *format)
{
    return format && (!strcmp(format, "json") || !strcmp(format, "text") ||
                      !strcmp(format, "summary") || !strcmp(format, "routes") || !strcmp(format, "windows") ||
                      !strcmp(format, "windows-json") || !strcmp(format, "windows-csv"));
}

static bool check_format(const char *format, GError **error)
{
    if (known_format(format))
        return true;
    g_set_error(
        error, CCM_ERROR, CCM_ERROR_USAGE,
        "unknown format '%s': use json, text, summary, routes, windows, windows-json or windows-csv",
        format ? format : "");
    return false;
}

bool ccm_report_write_view(const ccm_view *view, const ccm_report_options *options,
                           const ccm_sink *sink, GError **error)
{
    if (!check_format(options->format, error))
        return false;
    ccm_out out;
    ccm_out_init(&out, sink);
    if (!strcmp(options->format, "json"))
        ccm_report_json(view, &out);
    else if (!strcmp(options->format, "text"))
        ccm_report_text(view, options, &out);
    else if (!strcmp(options->format, "routes"))
        ccm_report_routes(view, options, &out);
    else if (!strcmp(options->format, "windows"))
        ccm_report_windows(view, options, &out);
    else if (!strcmp(options->format, "windows-json"))
        ccm_report_windows_json(view, &out);
    else if (!strcmp(options->format, "windows-csv"))
        ccm_report_windows_csv(view, &out);
    else
        ccm_report_summary(view, options, &out);
    return ccm_out_end(&out, error);
}

bool ccm_report_write(ccm_model *model, const ccm_report_options *options, const ccm_sink *sink,
                      GError **error)
{
    if (!check_format(options->format, error)) /* before the work of concluding */
        return false;
    ccm_view *view = ccm_view_new(model, options->per_client);
    bool ok = ccm_report_write_view(view, options, sink, error);
    ccm_view_free(view);
    return ok;
}
