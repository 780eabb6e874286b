/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_http_loss.c - HTTP where a request or a response is not in the capture: what follows is
 * found, and no body is taken for a message. Expected values: RFC 9112 section 6.3, RFC 9110
 * section 10.1.1, by hand. */
#include "http_driver.h"

#define HEAD_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"
#define ANSWER "HTTP/1.1 404 No\r\nContent-Length: 3\r\n\r\nabc"
#define EXPECTING "BITS_POST /1 HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 50\r\n\r\n"
#define NEXT "BITS_POST /2 HTTP/1.1\r\nContent-Length: 0\r\n\r\n"

static bool has(drive *d, const char *text)
{
    return strstr(d->out->str, text) != NULL;
}

/* A response is told to be without request at the end, as that may stand behind it. */
static void expect_close(drive *d, uint64_t frame, const char *text)
{
    g_autofree char *all = drive_close(d, frame);
    g_assert_nonnull(strstr(all, text));
}

/* The HEAD is lost, and the answer to the next request as well, or its first bytes: the request
 * acknowledged just the head, so the announced body was not waited for. */
static void test_head_and_answer_lost(void)
{
    drive d;
    drive_open(&d, false);
    drive_lose(&d, 0, 1, 30);
    drive_text(&d, 1, 2, HEAD_ANSWER);
    drive_text(&d, 0, 3, "GET /3 HTTP/1.1\r\n\r\n");
    drive_lose(&d, 1, 4, 300);
    drive_text(&d, 1, 5, "the end of a body");
    drive_text(&d, 0, 6, "GET /4 HTTP/1.1\r\n\r\n");
    drive_text(&d, 1, 7, ANSWER);
    g_assert_true(has(&d, "response S @7 exchange=3 status=404"));
    g_assert_true(has(&d, "done C @7 exchange=3 "));
    g_free(drive_close(&d, 8));
}

/* Only the server's side: a response head that begins the segment behind the loss. Of a body of
 * which a part is there, the loss is counted. */
static void test_server_only(void)
{
    drive d;
    drive_open(&d, false);
    drive_text(&d, 1, 1, HEAD_ANSWER);
    drive_lose(&d, 1, 2, 300);
    drive_text(&d, 1, 3, ANSWER);
    g_assert_true(has(&d, "response S @3 exchange=2 status=404"));
    expect_close(&d, 4, " exchange=1 pairing=response-only response_bytes=0\n");

    drive_open(&d, false);
    drive_text(&d, 1, 1, HEAD_ANSWER "body");
    drive_lose(&d, 1, 2, 300);
    drive_text(&d, 1, 3, ANSWER);
    g_assert_false(has(&d, "status=404"));
    g_free(drive_close(&d, 4));
}

/* Text that looks like a response is one only where a body need not be. */
static void test_http_in_body(void)
{
    static const char inside[] = "HTTP/1.1 200 OK\r\n\r\n"; /* 19 bytes */
    drive d;
    drive_open(&d, false);
    drive_text(&d, 0, 1, "GET /log HTTP/1.1\r\n\r\n");
    drive_text(&d, 1, 2, "HTTP/1.1 203 OK\r\nContent-Length: 19\r\n\r\n");
    drive_text(&d, 1, 3, inside);
    g_assert_true(has(&d, "pairing=sure request_bytes=0 response_bytes=19 complete=1"));
    g_assert_false(has(&d, "status=200"));
    g_free(drive_close(&d, 4));

    drive_open(&d, false); /* the answer to a TRACE that is not known */
    drive_text(&d, 1, 1,
               "HTTP/1.1 203 OK\r\nContent-Type: message/http\r\nContent-Length: 19\r\n\r\n");
    drive_text(&d, 1, 2, inside);
    g_assert_false(has(&d, "status=200"));
    expect_close(&d, 3, "pairing=response-only response_bytes=19 complete=1");

    drive_open(&d, false); /* short bodies that begin like one, and end before */
    drive_text(&d, 1, 1, "HTTP/1.1 203 OK\r\nContent-Length: 8\r\n\r\nHTTP/1.1" ANSWER);
    g_assert_true(has(&d, "exchange=2 status=404"));
    expect_close(&d, 3, "exchange=1 pairing=response-only response_bytes=8 complete=1");
}

/* How long an exchange took is not read off the next one. */
static void test_no_duration(void)
{
    drive d;
    drive_open(&d, true);
    drive_text(&d, 0, 1, "GET /1 HTTP/1.1\r\n\r\n");
    drive_text(&d, 1, 3, HEAD_ANSWER);
    drive_text(&d, 1, 900, ANSWER);
    g_assert_true(has(&d, "exchange=1 pairing=uncertain request_bytes=0 response_bytes=0 "
                          "complete=1 ttfb_ns=2 duration_ns=2\n"));
    g_free(drive_close(&d, 901));
}

/* A request asked with Expect and was refused, and the refusal is not in the capture: what stands
 * where its body would begin is the next request. */
static void test_refusal_lost(void)
{
    for (unsigned lost = 0; lost < 2; lost++) { /* 0: the server's side was not captured */
        drive d;
        drive_open(&d, false);
        drive_text(&d, 0, 1, EXPECTING);
        if (lost)
            drive_lose(&d, 1, 2, 90);
        drive_text(&d, 0, 3, NEXT);
        g_assert_true(has(&d, "request C @3 exchange=2 method=BITS_POST target=/2"));
        g_free(drive_close(&d, 4));
    }
    drive d; /* it was told to go on: this is its body */
    drive_open(&d, false);
    drive_text(&d, 0, 1, EXPECTING);
    drive_text(&d, 1, 2, "HTTP/1.1 100 Continue\r\n\r\n");
    drive_text(&d, 0, 3, NEXT);
    drive_text(&d, 0, 4, "123456"); /* 44 + 6 bytes */
    g_assert_cmpuint(strlen(NEXT), ==, 44);
    drive_text(&d, 1, 5, ANSWER);
    g_assert_false(has(&d, "target=/2"));
    g_assert_true(has(&d, "exchange=1 pairing=sure request_bytes=50 response_bytes=3"));
    g_free(drive_close(&d, 6));
}

/* A token that is longer than a method may be is not shown as one without its beginning. */
static void test_longer_token(void)
{
    for (size_t n = 60; n < 70; n++) {
        drive d;
        g_autofree char *method = g_strnfill(n, 'M');
        drive_open(&d, true);
        drive_text(&d, 0, 1, "words\r\n");
        drive_text(&d, 0, 2, method);
        drive_text(&d, 0, 3, " /a HTTP/1.1\r\n\r\n");
        g_autofree char *want = g_strdup_printf(" method=%s target=/a", method);
        g_assert_true(has(&d, want) == (n <= 64));
        g_assert_true(has(&d, "method=") == (n <= 64));
        g_free(drive_close(&d, 4));
    }
}

#define SHORT "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" /* 38 bytes */

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *p = text; (p = strstr(p, what)) != NULL; p++)
        n++;
    return n;
}

/* `n` answers before their requests, of which the first `lost` bytes are not in the capture; each
 * request acknowledges all answers before its own. Returns how many pairs are told as sure. */
static unsigned sure_pairs(unsigned n, unsigned lost, unsigned *in_all)
{
    drive d;
    drive_open(&d, false);
    unsigned early = 0;
    d.ps.early = &early;
    for (unsigned i = 0; i < n; i++) {
        if (i * 38 < lost)
            drive_lose(&d, 1, 1 + i, 38);
        else
            drive_text(&d, 1, 1 + i, SHORT);
        g_assert_cmpuint(early, <=, 16);
    }
    d.acks = true;
    for (unsigned i = 0; i < n; i++) {
        d.acked = i * 38;
        drive_text(&d, 0, 100 + i, "GET /1 HTTP/1.1\r\n\r\n");
    }
    g_autofree char *all = drive_close(&d, 500);
    g_assert_cmpuint(early, ==, 0);
    *in_all = count(all, "done C ");
    return count(all, "pairing=sure");
}

/* The clocks of two lines of a tap differ. Only so many answers wait, and behind a loss none is
 * told to be surely that of a request which it may not answer. */
static void test_early(void)
{
    unsigned all;
    g_assert_cmpuint(strlen(SHORT), ==, 38);
    g_assert_cmpuint(sure_pairs(5, 0, &all), ==, 5);
    g_assert_cmpuint(all, ==, 5);
    g_assert_cmpuint(sure_pairs(40, 0, &all), ==, 16);
    g_assert_cmpuint(all, ==, 40 + 24); /* the other 24 requests and answers each alone */
    g_assert_cmpuint(sure_pairs(5, 38, &all), ==, 0);

    drive d; /* the first of two requests that were sent ahead is lost: the second is not its own */
    drive_open(&d, false);
    drive_text(&d, 1, 1, SHORT);
    drive_text(&d, 1, 2, SHORT);
    d.acks = true;
    drive_lose(&d, 0, 10, 19);
    drive_text(&d, 0, 11, "GET /2 HTTP/1.1\r\n\r\n");
    g_autofree char *text = drive_close(&d, 500);
    g_assert_cmpuint(count(text, "target=/2"), ==, 1);
    g_assert_cmpuint(count(text, "pairing=sure"), ==, 0);
}

/* Nothing was lost: a body that begins like a request is one. */
static void test_body_like_request(void)
{
    drive d;
    drive_open(&d, false);
    drive_text(&d, 1, 0, "");
    drive_text(&d, 0, 1, EXPECTING);
    drive_text(&d, 0, 2, NEXT "123456");
    drive_text(&d, 1, 3, ANSWER);
    g_assert_false(has(&d, "target=/2"));
    g_assert_true(has(&d, "exchange=1 pairing=sure request_bytes=50 response_bytes=3"));
    g_free(drive_close(&d, 4));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http-loss/head-and-answer", test_head_and_answer_lost);
    g_test_add_func("/http-loss/server-only", test_server_only);
    g_test_add_func("/http-loss/http-in-body", test_http_in_body);
    g_test_add_func("/http-loss/no-duration", test_no_duration);
    g_test_add_func("/http-loss/refusal", test_refusal_lost);
    g_test_add_func("/http-loss/longer-token", test_longer_token);
    g_test_add_func("/http-loss/early", test_early);
    g_test_add_func("/http-loss/body-like-request", test_body_like_request);
    return g_test_run();
}
