/* SPDX-License-Identifier: GPL-2.0-or-later
 * tlsopen.c - measures the opening of TLS records, and writes captures of TLS to measure with.
 * tlsopen open [SECONDS]            prints kilobytes per second of records of 16 KiB whose tag is
 *                                   checked, in the unit of `openssl speed`
 * tlsopen capture FILE LOG MBYTES   writes a capture of downloads over TLS 1.3, and its key log */
#include <stdio.h>
#include <time.h>

#include "../unit/ssl_talk.h"

enum { RECORDS = 64, PLAIN = 16384, SEGMENT = 1448, BODY = 8 << 20 };

/* ---- records --------------------------------------------------------------------------------- */

static const char secret[] = "CLIENT_TRAFFIC_SECRET_0 "
                             "cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7 "
                             "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5";
/* RFC 8448 section 3: what follows from that secret. */
static const uint8_t key[] = "\x17\x42\x2d\xda\x59\x6e\xd5\xd9\xac\xd8\x90\xe3\xc6\x3f\x50\x51";
static const uint8_t iv[] = "\x5b\x78\x92\x3d\xee\x08\x57\x90\x33\xe5\x23\xd9";

static void seal(uint8_t *record, unsigned seq)
{
    uint8_t nonce[12], *text = record + 5;
    static uint8_t plain[PLAIN + 1];
    size_t size = PLAIN + 1 + 16;
    int n;
    memcpy(nonce, iv, sizeof nonce);
    nonce[11] ^= (uint8_t)seq;
    plain[PLAIN] = 23;
    memcpy(record, "\x17\3\3", 3);
    record[3] = (uint8_t)(size >> 8);
    record[4] = (uint8_t)size;
    EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
    g_assert_true(EVP_EncryptInit_ex(x, EVP_aes_128_gcm(), NULL, key, nonce));
    g_assert_true(EVP_EncryptUpdate(x, NULL, &n, record, 5));
    g_assert_true(EVP_EncryptUpdate(x, text, &n, plain, sizeof plain));
    g_assert_true(EVP_EncryptFinal_ex(x, text + n, &n));
    g_assert_true(EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_GET_TAG, 16, text + sizeof plain));
    EVP_CIPHER_CTX_free(x);
}

/* As openssl speed counts: what others do on the machine does not matter. */
static double cpu_seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int open_records(double seconds)
{
    enum { SIZE = 5 + PLAIN + 1 + 16 };
    uint8_t random[CCM_TLS_RANDOM], type, *records = g_malloc(RECORDS * (size_t)SIZE);
    ccm_limits limits;
    ccm_limits_init(&limits);
    ccm_decrypt *d = ccm_decrypt_new(&limits);
    const ccm_decryptor *s = ccm_decrypt_service(d);
    uint64_t bytes = 0;
    ccm_decrypt_add_log(d, ccm_span_str(secret));
    for (unsigned i = 0; i < sizeof random; i++)
        random[i] = (uint8_t)(g_ascii_xdigit_value(secret[24 + 2 * i]) << 4 |
                              g_ascii_xdigit_value(secret[25 + 2 * i]));
    for (unsigned i = 0; i < RECORDS; i++)
        seal(records + i * (size_t)SIZE, i);
    double begin = cpu_seconds(), now = begin;
    for (; now - begin < seconds; now = cpu_seconds()) {
        ccm_tls_keys *k = s->start(s->user_data, &(ccm_tls_terms){ .version = 0x0304,
                                                                   .suite = 0x1301,
                                                                   .client_random = random,
                                                                   .server_random = random });
        for (unsigned i = 0; i < RECORDS; i++) {
            const uint8_t *r = records + i * (size_t)SIZE;
            ccm_span plain;
            if (s->open(k, 0, ccm_span_of(r, 5), ccm_span_of(r + 5, SIZE - 5), &plain, &type) !=
                CCM_OPENED)
                return 1;
            bytes += plain.n;
        }
        s->free(k);
    }
    printf("%.2f\n", (double)bytes / 1e3 / (now - begin));
    ccm_decrypt_free(d);
    g_free(records);
    return 0;
}

/* ---- captures -------------------------------------------------------------------------------- */

typedef struct flow {
    FILE *out;
    uint32_t seq[2];
    uint64_t us;
    uint16_t port;
} flow;

static void be16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void be32(uint8_t *p, uint32_t v)
{
    be16(p, v >> 16);
    be16(p + 2, v & 0xffff);
}

static void packet(flow *f, unsigned dir, unsigned flags, const uint8_t *p, size_t n)
{
    uint8_t h[54] = { 0 };
    uint32_t size = (uint32_t)(sizeof h + n),
             head[4] = { (uint32_t)(f->us / 1000000), (uint32_t)(f->us % 1000000), size, size };
    f->us += 10;
    h[12] = 8;
    h[14] = 0x45;
    be16(h + 16, (unsigned)(40 + n));
    h[22] = 64;
    h[23] = 6;
    be32(h + 26, dir ? 0x0a000001 : 0x0a000002);
    be32(h + 30, dir ? 0x0a000002 : 0x0a000001);
    be16(h + 34, dir ? 443 : f->port);
    be16(h + 36, dir ? f->port : 443);
    be32(h + 38, f->seq[dir]);
    be32(h + 42, f->seq[!dir]);
    h[46] = 0x50;
    h[47] = (uint8_t)flags;
    be16(h + 48, 65535);
    f->seq[dir] += (uint32_t)n + (flags & 3 ? 1 : 0);
    (void)fwrite(head, sizeof head, 1, f->out);
    (void)fwrite(h, sizeof h, 1, f->out);
    (void)fwrite(p, 1, n, f->out);
}

static void connection(flow *f, const talk *t)
{
    f->seq[0] = f->seq[1] = 0;
    f->port++;
    packet(f, 0, 2, NULL, 0);
    packet(f, 1, 0x12, NULL, 0);
    for (guint i = 0; i < t->chunks->len; i++) {
        const talk_chunk *c = &g_array_index(t->chunks, talk_chunk, i);
        for (size_t at = 0; at < c->bytes->len; at += SEGMENT)
            packet(f, c->dir, 0x10, c->bytes->data + at, MIN(SEGMENT, c->bytes->len - at));
    }
    packet(f, 0, 0x11, NULL, 0);
    packet(f, 1, 0x11, NULL, 0);
}

static int capture(const char *path, const char *log, unsigned mbytes)
{
    static const uint32_t head[6] = { 0xa1b2c3d4, 4 << 16 | 2, 0, 0, 262144, 1 };
    talk_options o = {
        .version = TLS1_3_VERSION, .suites = "TLS_AES_128_GCM_SHA256", .body = BODY, .requests = 1
    };
    flow f = { .out = fopen(path, "wb"), .us = 1700000000000000, .port = 40000 };
    talk t;
    if (!f.out)
        return 1;
    (void)fwrite(head, sizeof head, 1, f.out);
    talk_init(&t, &o);
    for (unsigned i = 0; i < mbytes; i += BODY >> 20) {
        talk_run(&t, &o);
        connection(&f, &t);
    }
    bool ok = g_file_set_contents(log, t.log->str, -1, NULL);
    talk_clear(&t);
    return fclose(f.out) || !ok;
}

int main(int argc, char **argv)
{
    if (argc >= 2 && !strcmp(argv[1], "open"))
        return open_records(argc > 2 ? g_ascii_strtod(argv[2], NULL) : 3);
    if (argc == 5 && !strcmp(argv[1], "capture"))
        return capture(argv[2], argv[3], (unsigned)g_ascii_strtoull(argv[4], NULL, 10));
    fputs("usage: tlsopen open [SECONDS] | capture FILE LOG MBYTES\n", stderr);
    return 2;
}
