/* SPDX-License-Identifier: GPL-2.0-or-later
 * report.h - inside of report/: output in pieces, text building blocks, and one entry per format.
 * Everything here is a pure function of the model's view; nothing here concludes. */
#ifndef CCM_REPORT_REPORT_H
#define CCM_REPORT_REPORT_H

#include "base/base.h"

struct ccm_view;

/* ---- output in pieces ------------------------------------------------------------------------ */

enum { CCM_OUT_PIECE = 64 * 1024 };

/* Text waits in `text`; ccm_out_drain hands it to the sink when a piece is full. */
typedef struct ccm_out {
    GString *text;
    const ccm_sink *sink;
    bool failed; /* the sink refused; later text is dropped */
} ccm_out;

void ccm_out_init(ccm_out *out, const ccm_sink *sink);
void ccm_out_drain(ccm_out *out);
void ccm_out_flush(ccm_out *out);
/* Flushes and frees; false with CCM_ERROR_OUTPUT when the sink refused anything. */
bool ccm_out_end(ccm_out *out, GError **error);

/* ---- units: integer arithmetic, so that every machine prints the same ------------------------ */

/* Decimal units, three significant digits, half rounded up: 999 B, 1.00 kB, 12.3 MB, 457 GB. */
void ccm_bytes_append(GString *out, uint64_t bytes);
/* The same rule with bit/s, kbit/s, Mbit/s ... */
void ccm_rate_append(GString *out, uint64_t bits_per_second);
/* Thousands apart: 1,234,567. */
void ccm_count_append(GString *out, uint64_t n);
/* Three significant digits up to a minute (850 ns, 1.23 ms, 45.0 s), then 3m07s, 5h02m, 2d03h,
 * cut and not rounded. */
void ccm_duration_append(GString *out, uint64_t ns);
/* Seconds as a JSON number with at most nine decimals and no trailing zero: 0, 1.5, 0.000000001. */
void ccm_seconds_append(GString *out, uint64_t ns);
/* Share in percent: 100 %, 37 %, "<1 %" for a part that is not nothing; "-" of nothing. */
void ccm_percent_append(GString *out, uint64_t part, uint64_t whole);
/* "one thing", "2 things": the plural is the singular and an s. */
void ccm_plural_append(GString *out, uint64_t n, const char *singular);
/* 2026-01-31 12:00:00 (UTC). */
void ccm_clock_append(GString *out, uint64_t ns);
/* 12:00:00.123 (UTC, cut to milliseconds). */
void ccm_time_of_day_append(GString *out, uint64_t ns);

/* ---- text ------------------------------------------------------------------------------------ */

typedef enum ccm_style {
    CCM_PLAIN,
    CCM_BOLD,
    CCM_DIM,
    CCM_HEADING,
    CCM_GOOD,
    CCM_WARN,
    CCM_BAD,
    CCM_ACCENT
} ccm_style;

/* Terminal columns of a UTF-8 text: wide characters two, combining ones none. */
unsigned ccm_text_columns(const char *text);
/* Appends `text` cut to `columns` with an ellipsis. */
void ccm_text_fit(GString *out, const char *text, unsigned columns);
/* Appends `text` with the style's colour when `color`. */
void ccm_paint(GString *out, bool color, ccm_style style, const char *text);
/* Text from the network for a terminal: after ccm_text_append's rule, invisible and
 * direction-changing characters become \u{XXXX}. */
void ccm_terminal_append(GString *out, const char *text);
/* A bar of `value` in `max`, `columns` wide, eighths of a column; never empty for value > 0. */
void ccm_bar_append(GString *out, uint64_t value, uint64_t max, unsigned columns);
/* A line of blocks, one for each value, scaled to the largest; a dot for zero. */
void ccm_spark_append(GString *out, const uint64_t *values, unsigned n);
/* Words separated by blanks, broken at `width`, every line indented. */
void ccm_wrap_append(GString *out, const char *text, unsigned indent, unsigned width);

/* ---- tables ---------------------------------------------------------------------------------- */

enum { CCM_TABLE_COLUMNS = 16 };

/* Rows of cells; columns as wide as their widest cell. One column may be flexible: it is cut so
 * that a row fits into `width`. The last cell of a row is not padded. */
typedef struct ccm_grid {
    unsigned columns, width, indent;
    int flexible; /* column to cut, or -1 */
    bool right[CCM_TABLE_COLUMNS];
    GPtrArray *cells; /* texts, row after row */
    GArray *styles;   /* ccm_style of each cell */
} ccm_grid;

/* `format` has a letter for each column: l left, r right, f left and flexible. */
void ccm_grid_init(ccm_grid *table, const char *format, unsigned indent, unsigned width);
void ccm_grid_cell(ccm_grid *table, ccm_style style, const char *text);
/* Takes the text of `cell` and empties it. */
void ccm_grid_take(ccm_grid *table, ccm_style style, GString *cell);
/* Columns of the terminal that it needs for nothing to be cut. */
unsigned ccm_grid_width(const ccm_grid *table);
/* Appends to `out` and frees. */
void ccm_grid_end(ccm_grid *table, GString *out, bool color);
/* Frees, without a word. */
void ccm_grid_clear(ccm_grid *table);

/* ---- JSON ------------------------------------------------------------------------------------ */

enum { CCM_JSON_DEPTH = 16 };

/* Appends one JSON value to `text`. Pretty: two blanks a level; an inline array or object, and
 * everything when not pretty, stays in one line. A key is NULL inside an array. */
typedef struct ccm_json {
    GString *text;
    bool pretty;
    unsigned depth, inline_from; /* levels from `inline_from` on stay in one line */
    bool filled[CCM_JSON_DEPTH]; /* the level has a member */
} ccm_json;

void ccm_json_init(ccm_json *json, GString *text, bool pretty);
void ccm_json_open(ccm_json *json, const char *key, char bracket);
void ccm_json_open_inline(ccm_json *json, const char *key, char bracket);
void ccm_json_close(ccm_json *json, char bracket);
void ccm_json_u64(ccm_json *json, const char *key, uint64_t value);
/* An object with a number for each direction. */
void ccm_json_both(ccm_json *json, const char *key, const uint64_t pair[2]);
void ccm_json_i64(ccm_json *json, const char *key, int64_t value);
void ccm_json_bool(ccm_json *json, const char *key, bool value);
void ccm_json_null(ccm_json *json, const char *key);
/* Leaves the member out when `value` is NULL: absent means unknown. */
void ccm_json_text(ccm_json *json, const char *key, const char *value);
void ccm_json_time(ccm_json *json, const char *key, uint64_t ns);
/* first_seen and last_seen; 0 = not known, as of packets without a time. */
void ccm_json_seen(ccm_json *json, uint64_t first_ns, uint64_t last_ns);
void ccm_json_seconds(ccm_json *json, const char *key, uint64_t ns);

/* ---- formats --------------------------------------------------------------------------------- */

void ccm_report_json(const struct ccm_view *view, ccm_out *out);
/* The part of it that tells of bandwidth and limits. */
void ccm_report_windows_json(const struct ccm_view *view, ccm_out *out);
void ccm_report_windows_csv(const struct ccm_view *view, ccm_out *out);
void ccm_report_windows(const struct ccm_view *view, const ccm_report_options *options,
                        ccm_out *out);
void ccm_report_text(const struct ccm_view *view, const ccm_report_options *options, ccm_out *out);
/* The part of it that tells of routes. */
void ccm_report_routes(const struct ccm_view *view, const ccm_report_options *options,
                       ccm_out *out);
void ccm_report_summary(const struct ccm_view *view, const ccm_report_options *options,
                        ccm_out *out);
/* ccm_report_write for a view that is already there. */
bool ccm_report_write_view(const struct ccm_view *view, const ccm_report_options *options,
                           const ccm_sink *sink, GError **error);
/* What the capture lacked, one sentence each, worst first; empty = complete. Free with
 * g_ptr_array_unref. */
GPtrArray *ccm_report_lacks(const struct ccm_view *view);

#endif
