/* SPDX-License-Identifier: GPL-2.0-or-later
 * lines.c - lines of a (possibly compressed) text file. In: a path. Out: one line at a time,
 * without its end, of bounded length. State: the buffer. */
#include "input/reader.h"

enum { LINE_MAX_BYTES = 1 << 20 };

struct ccm_lines {
    ccm_buffer in;
    size_t seen; /* bytes behind in.pos that hold no line end */
    bool done;
};

ccm_lines *ccm_lines_take(ccm_buffer *in)
{
    ccm_lines *l = g_new0(ccm_lines, 1);
    l->in = *in;
    *in = (ccm_buffer){ 0 };
    return l;
}

ccm_lines *ccm_lines_open(const char *path, GError **error)
{
    ccm_source *source = ccm_source_open(path, NULL, error);
    ccm_buffer in;
    if (!source)
        return NULL;
    ccm_buffer_init(&in, source);
    return ccm_lines_take(&in);
}

/* Hands out `n` bytes at in.pos; `end` more are the line's end. */
static const char *give(ccm_lines *l, size_t n, size_t end, size_t *size)
{
    const char *line = (const char *)l->in.p + l->in.pos;
    l->in.pos += n + end;
    l->seen = 0;
    *size = n && line[n - 1] == '\r' ? n - 1 : n;
    return line;
}

const char *ccm_lines_next(ccm_lines *l, size_t *size, GError **error)
{
    *size = 0;
    while (!l->done) {
        GError *damage = NULL;
        size_t left = l->in.end - l->in.pos;
        const uint8_t *begin = l->in.p + l->in.pos;
        const uint8_t *stop = memchr(begin + l->seen, '\n', left - l->seen);
        if (stop && (size_t)(stop - begin) <= LINE_MAX_BYTES)
            return give(l, (size_t)(stop - begin), 1, size);
        l->seen = left;
        if (stop || left > LINE_MAX_BYTES) {
            l->done = true;
            g_set_error(error, CCM_ERROR, CCM_ERROR_CORRUPT,
                        "%s: a line longer than 1 MiB at byte %" G_GUINT64_FORMAT
                        "; what came before was used",
                        ccm_source_name(l->in.source), l->in.base + l->in.pos);
        } else if (!ccm_buffer_fill(&l->in, LINE_MAX_BYTES + 1, &damage)) {
            l->done = true;
            if (damage)
                g_propagate_error(error, damage);
            else if (left)
                return give(l, left, 0, size);
        }
    }
    return NULL;
}

void ccm_lines_free(ccm_lines *l)
{
    if (!l)
        return;
    ccm_buffer_clear(&l->in);
    g_free(l);
}
