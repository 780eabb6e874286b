/* SPDX-License-Identifier: GPL-2.0-or-later
 * table.c - text building blocks: columns that align, colours, bars, sparklines, wrapped lines.
 * In: UTF-8 text and integers. Out: text appended to a GString. State: a table collects its cells.
 * Spec: ECMA-48 for the colours, Unicode block elements U+2581..U+258F for bars. */
#include "report/report.h"

static unsigned char_columns(gunichar c)
{
    return g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
}

unsigned ccm_text_columns(const char *text)
{
    unsigned n = 0;
    for (const char *p = text; *p; p = g_utf8_next_char(p))
        n += char_columns(g_utf8_get_char(p));
    return n;
}

void ccm_text_fit(GString *out, const char *text, unsigned columns)
{
    if (ccm_text_columns(text) <= columns) {
        g_string_append(out, text);
        return;
    }
    unsigned used = 0;
    const char *p = text;
    while (*p) {
        unsigned w = char_columns(g_utf8_get_char(p));
        if (used + w + 1 > columns)
            break;
        used += w;
        p = g_utf8_next_char(p);
    }
    g_string_append_len(out, text, p - text);
    if (columns)
        g_string_append(out, "…");
}

void ccm_paint(GString *out, bool color, ccm_style style, const char *text)
{
    static const char *const codes[] = {
        [CCM_PLAIN] = NULL, [CCM_BOLD] = "1",  [CCM_DIM] = "2",    [CCM_HEADING] = "1;36",
        [CCM_GOOD] = "32",  [CCM_WARN] = "33", [CCM_BAD] = "1;31", [CCM_ACCENT] = "36"
    };
    if (color && codes[style] && *text)
        g_string_append_printf(out, "\033[%sm%s\033[0m", codes[style], text);
    else
        g_string_append(out, text);
}

void ccm_terminal_append(GString *out, const char *text)
{
    GString *safe = g_string_new(NULL);
    ccm_text_append(safe, ccm_span_str(text));
    for (const char *p = safe->str; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        GUnicodeType type = g_unichar_type(c);
        bool hidden = type == G_UNICODE_FORMAT || type == G_UNICODE_LINE_SEPARATOR ||
                      type == G_UNICODE_PARAGRAPH_SEPARATOR || type == G_UNICODE_CONTROL;
        if (hidden)
            g_string_append_printf(out, "\\u{%04X}", c);
        else
            g_string_append_unichar(out, c);
    }
    g_string_free(safe, TRUE);
}

void ccm_bar_append(GString *out, uint64_t value, uint64_t max, unsigned columns)
{
    uint64_t eighths = 0;
    if (max) {
        while (value > UINT64_MAX / 8 / (columns + 1)) { /* keep the product in 64 bits */
            value >>= 8;
            max >>= 8;
        }
        eighths = max ? ccm_min64(value * columns * 8 / max, columns * 8ULL) : 0;
        if (value && !eighths)
            eighths = 1;
    }
    for (uint64_t i = 0; i < eighths / 8; i++)
        g_string_append_unichar(out, 0x2588);
    if (eighths % 8) /* U+258F is one eighth, U+2589 seven */
        g_string_append_unichar(out, 0x2590 - (gunichar)(eighths % 8));
}

void ccm_spark_append(GString *out, const uint64_t *values, unsigned n)
{
    uint64_t max = 0;
    for (unsigned i = 0; i < n; i++)
        max = ccm_max64(max, values[i]);
    unsigned shift = 0;
    while (max >> shift > UINT64_MAX / 16)
        shift++;
    for (unsigned i = 0; i < n; i++) {
        uint64_t v = values[i] >> shift, top = max >> shift;
        /* eight levels, the largest value alone reaches the last */
        uint64_t level = v ? (v * 8 + top - 1) / top : 0;
        g_string_append_unichar(out, values[i] ? 0x2580 + (gunichar)ccm_max64(level, 1) : 0xB7);
    }
}

void ccm_wrap_append(GString *out, const char *text, unsigned indent, unsigned width)
{
    unsigned at = 0;
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    for (char **w = words; *w; w++) {
        unsigned columns = ccm_text_columns(*w);
        if (at && at + 1 + columns > width) {
            g_string_append_c(out, '\n');
            at = 0;
        }
        if (!at) {
            g_string_append_printf(out, "%*s", (int)indent, "");
            at = indent;
        } else {
            g_string_append_c(out, ' ');
            at++;
        }
        g_string_append(out, *w);
        at += columns;
    }
    g_string_append_c(out, '\n');
}

void ccm_grid_init(ccm_grid *table, const char *format, unsigned indent, unsigned width)
{
    *table = (ccm_grid){ .flexible = -1, .indent = indent, .width = width };
    for (; format[table->columns] && table->columns < CCM_TABLE_COLUMNS; table->columns++) {
        table->right[table->columns] = format[table->columns] == 'r';
        if (format[table->columns] == 'f')
            table->flexible = (int)table->columns;
    }
    table->cells = g_ptr_array_new_with_free_func(g_free);
    table->styles = g_array_new(FALSE, FALSE, sizeof(ccm_style));
}

void ccm_grid_cell(ccm_grid *table, ccm_style style, const char *text)
{
    g_ptr_array_add(table->cells, g_strdup(text));
    g_array_append_val(table->styles, style);
}

void ccm_grid_take(ccm_grid *table, ccm_style style, GString *cell)
{
    ccm_grid_cell(table, style, cell->str);
    g_string_truncate(cell, 0);
}

/* Columns of the terminal that the whole table takes; `columns`: of each of its columns. */
static unsigned total_width(const ccm_grid *t, unsigned *columns)
{
    for (unsigned i = 0; i < t->cells->len; i++) {
        unsigned w = ccm_text_columns(t->cells->pdata[i]);
        columns[i % t->columns] = MAX(columns[i % t->columns], w);
    }
    unsigned total = t->indent + 2 * (t->columns - 1);
    for (unsigned c = 0; c < t->columns; c++)
        total += columns[c];
    return total;
}

unsigned ccm_grid_width(const ccm_grid *table)
{
    unsigned columns[CCM_TABLE_COLUMNS] = { 0 };
    return total_width(table, columns);
}

static void measure(const ccm_grid *t, unsigned *columns)
{
    unsigned total = total_width(t, columns);
    if (t->flexible >= 0 && total > t->width) {
        unsigned *f = &columns[t->flexible];
        unsigned excess = total - t->width;
        *f = *f > excess + 8 ? *f - excess : MIN(*f, 8);
    }
}

void ccm_grid_end(ccm_grid *t, GString *out, bool color)
{
    unsigned columns[CCM_TABLE_COLUMNS] = { 0 };
    GString *cell = g_string_new(NULL);
    measure(t, columns);
    for (unsigned i = 0; i < t->cells->len; i++) {
        unsigned c = i % t->columns;
        g_string_truncate(cell, 0);
        ccm_text_fit(cell, t->cells->pdata[i], columns[c]);
        unsigned pad = columns[c] - ccm_text_columns(cell->str);
        if (c)
            g_string_append(out, "  ");
        else
            g_string_append_printf(out, "%*s", (int)t->indent, "");
        if (t->right[c])
            g_string_append_printf(out, "%*s", (int)pad, "");
        ccm_paint(out, color, g_array_index(t->styles, ccm_style, i), cell->str);
        if (!t->right[c] && c + 1 < t->columns)
            g_string_append_printf(out, "%*s", (int)pad, "");
        if (c + 1 == t->columns) {
            while (!color && out->len && out->str[out->len - 1] == ' ')
                g_string_truncate(out, out->len - 1);
            g_string_append_c(out, '\n');
        }
    }
    g_string_free(cell, TRUE);
    ccm_grid_clear(t);
}

void ccm_grid_clear(ccm_grid *table)
{
    g_ptr_array_unref(table->cells);
    g_array_unref(table->styles);
    *table = (ccm_grid){ 0 };
}
