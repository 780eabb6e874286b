/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_http.c - properties of the HTTP parser: the way a stream is cut into segments changes
 * nothing; whatever bytes are lost, a request line that was captured is reported; every exchange
 * ends once. */
#include "../unit/http_driver.h"

#define N(parts) (sizeof(parts) / sizeof(parts)[0])

static const drive_part talk[] = {
    { 0, 10,
      "CCM_POST /ccm_system/request HTTP/1.1\r\nHost: mp\r\nUser-Agent: ccmhttp\r\n"
      "Content-Length: 27\r\n\r\n{\"a\":1}--boundary stuff \r\nz",
      0 },
    { 1, 20,
      "HTTP/1.1 200 OK\r\nServer: Microsoft-IIS/10.0\r\nContent-Length: 12\r\n\r\nhello\r\nworld",
      0 },
    { 0, 30, "PROPFIND /SMS_DP_SMSPKG$/ABC00012 HTTP/1.1\r\nHost: dp\r\nDepth: 1\r\n\r\n", 0 },
    { 1, 40,
      "HTTP/1.1 207 Multi-Status\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n10;x\r\n"
      "0123456789abcdef\r\n0\r\n\r\n",
      0 },
    { 0, 50,
      "BITS_POST /CCM_Incoming/{1} HTTP/1.1\r\nHost: mp\r\nExpect: 100-continue\r\n"
      "BITS-Packet-Type: Fragment\r\nTransfer-Encoding: chunked\r\n\r\n",
      0 },
    { 1, 60, "HTTP/1.1 100 Continue\r\n\r\n", 0 },
    { 0, 70, "4\r\nGET \r\n3\r\n/ q\r\n0\r\n\r\n", 0 },
    { 1, 80, "HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack\r\nContent-Length: 0\r\n\r\n", 0 },
    { 0, 90,
      "GET /pipe1 HTTP/1.1\r\nHost: dp\r\n\r\nHEAD /pipe2 HTTP/1.1\r\nHost: dp\r\n\r\n"
      "MS_QUERY /pipe3 HTTP/1.1\r\nHost: dp\r\nRange: bytes=0-99\r\n\r\n",
      0 },
    { 1, 100,
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n"
      "HTTP/1.1 206 Partial\r\nContent-Length: 4\r\nContent-Range: bytes 0-3/9\r\n\r\nwxyz",
      0 },
    { 0, 110, "GET /last HTTP/1.1\nHost: dp\n\n", 0 },
    { 1, 120, "HTTP/1.0 200 OK\n\nuntil the end", 0 },
    { 3, 130, NULL, 0 },
    { 2, 131, NULL, 0 },
};

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *p = text; (p = strstr(p, what)); p++)
        n++;
    return n;
}

static void test_cuts(void)
{
    char *want = drive_play(talk, N(talk), 0, 0, 0, 0, false);
    g_assert_cmpuint(count(want, "request C"), ==, 7);
    g_assert_cmpuint(count(want, "response S"), ==, 8);
    g_assert_cmpuint(count(want, "pairing=sure"), ==, 7);
    g_assert_cmpuint(count(want, "complete=1"), ==, 7);
    for (size_t piece = 1; piece < 120; piece++) {
        char *got = drive_play(talk, N(talk), piece, 0, 0, 0, false);
        g_assert_cmpstr(got, ==, want);
        g_free(got);
    }
    g_free(want);
}

/* Offsets of every request line in the client's stream, with what must be reported. */
typedef struct wanted {
    uint64_t from, to;
    char *text;
} wanted;

static GArray *request_lines(void)
{
    GArray *out = g_array_new(FALSE, FALSE, sizeof(wanted));
    uint64_t pos = 0;
    for (size_t i = 0; i < N(talk); i++) {
        if (talk[i].dir != 0)
            continue;
        const char *text = talk[i].text;
        for (const char *p = text; (p = strstr(p, " HTTP/1.")); p++) {
            const char *line = p, *end = strchr(p, '\n');
            while (line > text && line[-1] != '\n')
                line--;
            char **words = g_strsplit(line, " ", 3);
            wanted w = { pos + (uint64_t)(line - text), pos + (uint64_t)(end - text) + 1,
                         g_strdup_printf("method=%s target=%s ", words[0], words[1]) };
            g_array_append_val(out, w);
            g_strfreev(words);
        }
        pos += strlen(text);
    }
    return out;
}

static uint64_t stream_size(unsigned dir)
{
    uint64_t n = 0;
    for (size_t i = 0; i < N(talk); i++)
        if (talk[i].dir == dir)
            n += strlen(talk[i].text);
    return n;
}

static void lose(GArray *lines, unsigned dir, uint64_t from, uint64_t n, size_t piece)
{
    char *got = drive_play(talk, N(talk), piece, dir, from, n, false);
    for (guint i = 0; i < lines->len; i++) {
        const wanted *w = &g_array_index(lines, wanted, i);
        bool captured = dir == 1 || from >= w->to || from + n <= w->from;
        if (captured && !strstr(got, w->text))
            g_error("lost %u+%u of side %u in pieces of %u: no %s in\n%s", (unsigned)from,
                    (unsigned)n, dir, (unsigned)piece, w->text, got);
    }
    /* each exchange that began ended, once */
    unsigned done = count(got, "done C");
    for (unsigned x = 1; x <= done; x++) {
        char *key = g_strdup_printf(" exchange=%u pairing=", x);
        g_assert_cmpuint(count(got, key), ==, 1);
        g_free(key);
    }
    char *next = g_strdup_printf(" exchange=%u ", done + 1);
    g_assert_cmpuint(count(got, next), ==, 0);
    g_free(next);
    g_free(got);
}

static void test_losses(void)
{
    static const unsigned sizes[] = { 1, 2, 5, 17, 60, 150, 400 };
    GArray *lines = request_lines();
    g_assert_cmpuint(lines->len, ==, 7);
    for (unsigned dir = 0; dir < 2; dir++)
        for (uint64_t from = 0; from < stream_size(dir); from++)
            for (size_t i = 0; i < N(sizes); i++)
                lose(lines, dir, from, sizes[i], i % 3 == 0 ? 0 : i % 3 == 1 ? 1 : 9);
    for (guint i = 0; i < lines->len; i++)
        g_free(g_array_index(lines, wanted, i).text);
    g_array_unref(lines);
}

/* A lost answer never shifts the later ones: what is called sure is right, and so is the rest as
 * long as the client waits for each answer. */
static void test_pairing_after_loss(void)
{
    enum { EXCHANGES = 12 };
    for (unsigned lost = 0; lost < EXCHANGES; lost++)
        for (unsigned side = 0; side < 2; side++) {
            drive d;
            drive_open(&d, false);
            for (unsigned i = 0; i < EXCHANGES; i++) {
                char *q = g_strdup_printf("GET /%u HTTP/1.1\r\n\r\n", i);
                char *a =
                    g_strdup_printf("HTTP/1.1 %u X\r\nContent-Length: 5\r\n\r\nabcde", 200 + i);
                if (i == lost && side == 0)
                    drive_lose(&d, 0, i * 10, strlen(q));
                else
                    drive_text(&d, 0, i * 10, q);
                if (i == lost && side == 1)
                    drive_lose(&d, 1, i * 10 + 1, strlen(a));
                else
                    drive_text(&d, 1, i * 10 + 1, a);
                g_free(q);
                g_free(a);
            }
            char *got = drive_close(&d, 1000);
            for (unsigned i = 0; i < EXCHANGES; i++) {
                char *q = g_strdup_printf("target=/%u version", i);
                char *a = g_strdup_printf("status=%u ", 200 + i);
                const char *qp = strstr(got, q), *ap = strstr(got, a);
                g_assert_true((qp != NULL) == !(i == lost && side == 0));
                g_assert_true((ap != NULL) == !(i == lost && side == 1));
                if (qp && ap) {
                    while (strncmp(qp, "exchange=", 9) != 0)
                        qp--;
                    while (strncmp(ap, "exchange=", 9) != 0)
                        ap--;
                    g_assert_cmpint((int)g_ascii_strtoull(qp + 9, NULL, 10), ==,
                                    (int)g_ascii_strtoull(ap + 9, NULL, 10));
                }
                g_free(q);
                g_free(a);
            }
            g_assert_cmpuint(count(got, side ? "request-only" : "response-only"), ==, 1);
            g_free(got);
        }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http/cuts", test_cuts);
    g_test_add_func("/http/losses", test_losses);
    g_test_add_func("/http/pairing-after-loss", test_pairing_after_loss);
    return g_test_run();
}
