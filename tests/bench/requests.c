// SPDX-License-Identifier: GPL-2.0-or-later
/* requests.c: what clients and servers of the workload say; shapes as in the protocol documents. */
#include <stdlib.h>
#include <string.h>

#include "workload.h"

static const char AGENT[] = "User-Agent: Microsoft BITS/7.8\r\n";

void set_message(struct generator *g, struct connection *c, int dir, size_t len, uint64_t fill,
                 int code)
{
    struct message *m = &c->message[dir];
    free(m->text);
    *m = (struct message){ .text = malloc(len + 1),
                           .text_len = len,
                           .fill = fill,
                           .dir = dir,
                           .verb = dir == TO_SERVER ? code : -1,
                           .status = dir == TO_CLIENT ? code : -1 };
    if (!m->text)
        abort();
    memcpy(m->text, g->text, len);
}

static size_t hex(struct generator *g, char *to, size_t digits)
{
    for (size_t i = 0; i < digits; i++)
        to[i] = "0123456789ABCDEF"[below(g, 16)];
    return digits;
}

#define TEXT(at, ...) ((at) + (size_t)snprintf(g->text + (at), BUFFER - (at), __VA_ARGS__))

static void respond(struct generator *g, struct connection *c, int status, const char *type,
                    uint64_t length, bool body)
{
    size_t at = TEXT(0, "HTTP/1.1 %d Answer\r\nContent-Type: %s\r\nServer: Microsoft-IIS/10.0\r\n",
                     WORKLOAD_STATUSES[status], type);
    if (status != S204)
        at = TEXT(at, "Content-Length: %llu\r\n", (unsigned long long)length);
    at = TEXT(at, "Date: Wed, 01 Jan 2025 00:00:00 GMT\r\n\r\n");
    set_message(g, c, TO_CLIENT, at, body ? length : 0, status);
}

static size_t request_head(struct generator *g, const struct connection *c, int verb,
                           const char *path)
{
    return TEXT(0, "%s %s HTTP/1.1\r\nHost: server%u.lab.example\r\nConnection: Keep-Alive\r\n",
                WORKLOAD_VERBS[verb], path, c->service % SERVERS);
}

/* A BITS download: HEAD first, then ranges of 1 to 8 MB. */
static void bulk_transaction(struct generator *g, struct connection *c)
{
    bool head = c->transactions == 4;
    uint64_t length = g->body_limit / 8 + rnd(g) % (g->body_limit / 8 * 7), total = 1u << 30;
    uint64_t first = rnd(g) % total;
    size_t at = request_head(g, c, head ? HEAD : GET, "/SMS_DP_SMSPKG$/ABC00012/sccm?/data.cab");

    at = TEXT(at, "%sAccept-Encoding: identity\r\n", AGENT);
    if (!head)
        at = TEXT(at, "Range: bytes=%llu-%llu\r\n", (unsigned long long)first,
                  (unsigned long long)(first + length - 1));
    at = TEXT(at, "\r\n");
    set_message(g, c, TO_SERVER, at, 0, head ? HEAD : GET);
    respond(g, c, head ? S200 : S206, "application/octet-stream", head ? total : length, !head);
}

/* Text as UTF-16LE, then letters and `end`, so that it has just `size` bytes. */
static size_t wide(struct generator *g, size_t at, const char *text, const char *end, size_t size)
{
    size_t n = strlen(text), tail = strlen(end), units = size / 2;

    for (size_t i = 0; i < units; i++) {
        size_t left = units - i;
        g->text[at++] = i < n ? text[i] : left > tail ? (char)('a' + i % 26) : end[tail - left];
        g->text[at++] = 0;
    }
    return at;
}

/* A zlib stream of one stored block over what is at text[at + 7] already: RFC 1950, RFC 1951. */
static void store(struct generator *g, size_t at, unsigned size)
{
    unsigned char *p = (unsigned char *)g->text + at;
    unsigned n = size - 11, a = 1, b = 0;

    memcpy(p, "\x78\x01\x01", 3);
    p[3] = (unsigned char)n;
    p[4] = (unsigned char)(n >> 8);
    p[5] = (unsigned char)~p[3];
    p[6] = (unsigned char)~p[4];
    for (unsigned i = 0; i < n; i++) {
        a = (a + p[7 + i]) % 65521;
        b = (b + a) % 65521;
    }
    p[7 + n] = (unsigned char)(b >> 8);
    p[8 + n] = (unsigned char)b;
    p[9 + n] = (unsigned char)(a >> 8);
    p[10 + n] = (unsigned char)a;
}

static const char envelope_start[] =
    "<Msg ReplyCompression=\"zlib\" SchemaVersion=\"1.1\"><Body Type=\"ByteRange\" Length=\"500\" "
    "Offset=\"0\"/><Hooks><Hook3 Name=\"zlib-compress\"/></Hooks><ID>{A1B2C3D4-0002-4000-8000-"
    "000000000002}</ID><SentTime>2025-01-01T00:00:00Z</SentTime><SourceID>GUID:11223344-5566-7788-"
    "99AA-BBCCDDEEFF00</SourceID><TargetEndpoint>MP_PolicyManager</TargetEndpoint><SourceHost>";
static const char body_start[] =
    "<RequestAssignments SchemaVersion=\"1.00\" RequestType=\"Always\"><Identification><Machine>"
    "<ClientID>GUID:11223344-5566-7788-99AA-BBCCDDEEFF00</ClientID><FQDN>";

static void ccm_post(struct generator *g, struct connection *c)
{
    static const char mark[] = "--aAbBcCdDv1234567890VxXyYzZ";
    bool denied = below(g, 20) == 0;
    unsigned envelope = 2 + 2 * (420 + below(g, 500)), packed = 501 + 2 * below(g, 350);
    unsigned length = 28 + 2 + 43 + 4 + envelope + 2 + 28 + 2 + 38 + 4 + packed + 2 + 28 + 2;
    size_t at = request_head(g, c, CCM_POST,
                             denied ? "/ccm_system_windowsauth/request" : "/ccm_system/request");
    size_t body;

    at = TEXT(at,
              "User-Agent: ccmhttp\r\nContent-Type: multipart/mixed; boundary=\"%s\"\r\n"
              "Content-Length: %u\r\n\r\n",
              mark + 2, length);
    body = at;
    at = TEXT(at, "%s\r\ncontent-type: text/plain; charset=UTF-16     \r\n\r\n", mark);
    g->text[at++] = (char)0xff;
    g->text[at++] = (char)0xfe;
    at = wide(g, at, envelope_start, "</SourceHost></Msg>", envelope - 2);
    at = TEXT(at, "\r\n%s\r\ncontent-type: application/octet-stream\r\n\r\n", mark);
    wide(g, at + 7, body_start, "</FQDN></Machine></Identification></RequestAssignments>",
         packed - 11);
    store(g, at, packed);
    at += packed;
    at = TEXT(at, "\r\n%s", mark);
    while (at < body + length) /* the epilogue fills up to the length */
        g->text[at++] = '-';
    set_message(g, c, TO_SERVER, at, 0, CCM_POST);
    respond(g, c, denied ? S401 : S200, "multipart/mixed; boundary=x", 300 + below(g, 5000), true);
}

static void policy(struct generator *g, struct connection *c, int verb)
{
    size_t at =
        request_head(g, c, verb, "/SMS_MP/.sms_pol?{0A0B0C0D-1111-4222-8333-444455556666}.2_00");

    at = TEXT(at,
              "%sClientToken: GUID:11223344-5566-7788-99AA-BBCCDDEEFF00;2025-01-01T00:00:00Z;2\r\n"
              "ClientTokenSignature: ",
              AGENT);
    at += hex(g, g->text + at, 512);
    at = TEXT(at, "\r\n\r\n");
    set_message(g, c, TO_SERVER, at, 0, verb);
    respond(g, c, S200, "text/xml", 500 + below(g, 8000), verb == GET);
}

static void propfind(struct generator *g, struct connection *c)
{
    size_t at = request_head(g, c, PROPFIND, "/SMS_DP_SMSPKG$/ABC00012");
    unsigned left = 600 + below(g, 3000);

    at = TEXT(at, "User-Agent: SMS CCM 5.0\r\nDepth: 1\r\nContent-Length: 40\r\n\r\n%-40s",
              "<propfind xmlns=\"DAV:\"/>");
    set_message(g, c, TO_SERVER, at, 0, PROPFIND);
    if (below(g, 2)) {
        respond(g, c, S207, "text/xml", left, true);
        return;
    }
    at = TEXT(0, "HTTP/1.1 207 Multi-Status\r\nContent-Type: text/xml\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n");
    while (left) {
        unsigned chunk = left < 700 ? left : 100 + below(g, 600);
        at = TEXT(at, "%x\r\n", chunk);
        memset(g->text + at, 'p', chunk);
        at = TEXT(at + chunk, "\r\n");
        left -= chunk;
    }
    at = TEXT(at, "0\r\n\r\n");
    set_message(g, c, TO_CLIENT, at, 0, S207);
}

static void bits_post(struct generator *g, struct connection *c)
{
    unsigned length = 500 + below(g, 4000);
    size_t at =
        request_head(g, c, BITS_POST, "/CCM_Incoming/{A1B2C3D4-0003-4000-8000-000000000003}");

    at = TEXT(at,
              "%sBITS-Packet-Type: Fragment\r\nBITS-Session-Id: {0F0E0D0C-0B0A-4908-8706-"
              "050403020100}\r\nContent-Range: bytes 0-%u/%u\r\nContent-Length: %u\r\n\r\n",
              AGENT, length - 1, length, length);
    set_message(g, c, TO_SERVER, at, length, BITS_POST);
    at = TEXT(0,
              "HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack\r\nBITS-Received-Content-Range: %u\r\n"
              "Content-Length: 0\r\n\r\n",
              length);
    set_message(g, c, TO_CLIENT, at, 0, S200);
}

static void chatty_transaction(struct generator *g, struct connection *c)
{
    unsigned pick = below(g, 100);
    size_t at;

    if (pick < 42) {
        ccm_post(g, c);
    } else if (pick < 56) {
        at = request_head(g, c, GET, "/SMS_MP/.sms_aut?MPLIST");
        at = TEXT(at, "User-Agent: SMS CCM 5.0\r\n\r\n");
        set_message(g, c, TO_SERVER, at, 0, GET);
        respond(g, c, S200, "text/xml", 200 + below(g, 900), true);
    } else if (pick < 80) {
        policy(g, c, pick < 68 ? GET : HEAD);
    } else if (pick < 90) {
        propfind(g, c);
    } else {
        bits_post(g, c);
    }
}

static void opaque_transaction(struct generator *g, struct connection *c)
{
    for (int dir = TO_SERVER; dir <= TO_CLIENT; dir++) {
        unsigned len = 20 + below(g, 200);
        g->text[0] = (char)0xF1; /* neither a letter, a TLS record nor SMB */
        memcpy(g->text + 1, g->filler + below(g, FILL - MSS), len - 1);
        set_message(g, c, dir, len, 0, -1);
    }
}

void next_transaction(struct generator *g, struct connection *c)
{
    size_t at;

    switch (c->kind) {
    case BULK:
        bulk_transaction(g, c);
        break;
    case CHATTY:
        chatty_transaction(g, c);
        break;
    case SHORT_HTTP:
        at = request_head(g, c, HEAD, "/SMS_DP_SMSPKG$/ABC00012/sccm?/data.cab");
        at = TEXT(at, "%s\r\n", AGENT);
        set_message(g, c, TO_SERVER, at, 0, HEAD);
        respond(g, c, S204, "text/plain", 0, false);
        break;
    case SMB:
        smb_transaction(g, c);
        break;
    case TLS:
        tls_transaction(g, c);
        break;
    default:
        opaque_transaction(g, c);
    }
    c->current = TO_SERVER;
    c->transactions--;
}
