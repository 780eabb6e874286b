/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_smb.c - the SMB parser on messages written by hand, each shown on a page that ends where
 * they do. Expected lines are worked out from what the messages were written to say. */
#include "proto/smb2_table.h"
#include <time.h>

#include "smb_messages.h"

/* Account CONTOSO\WS1$ is what V_NTLM3_MACHINE says; "Server", "Domain" stand in V_NTLM2. */
static const char expected[] =
    "smb_negotiate S dialect=3.1.1 dialects=2.0.2, 2.1, 3.0, 3.0.2, 3.1.1 signing_required=1"
    " cipher_name=AES-128-GCM signing=AES-GMAC large_mtu=1 max_read_size=2097152"
    " max_write_size=1048576 nt_status=0 status_name=STATUS_SUCCESS\n"
    "smb_auth C session=4386 mechanism=ntlm ntlm_type=1\n"
    "smb_auth S session=4386 mechanism=ntlm ntlm_type=2 domain=Domain workstation=Server\n"
    "smb_auth C session=4386 mechanism=ntlm ntlm_type=3 account=WS1$ domain=CONTOSO"
    " workstation=WS1\n"
    "smb_tree C share=\\\\dp01\\SMS_DP$ session=4386 nt_status=0 status_name=STATUS_SUCCESS"
    " share_type=disk\n"
    "smb_session C session=4386 dialect=3.1.1 mechanism=ntlm account=WS1$ domain=CONTOSO"
    " workstation=WS1 signed=1 nt_status=0 status_name=STATUS_SUCCESS\n"
    "smb_file C share=\\\\dp01\\SMS_DP$ path=a.temp account=CONTOSO\\WS1$ session=4386"
    " disposition=overwrite-if nt_status=0 status_name=STATUS_SUCCESS action=created"
    " direction=write write_bytes=300 writes=1 write_offset=0 write_end=300 renamed_to=b"
    " complete=1\n"
    "smb_file C share=\\\\dp01\\SMS_DP$ path=c.temp account=CONTOSO\\WS1$ session=4386"
    " disposition=overwrite-if nt_status=0 status_name=STATUS_SUCCESS action=created"
    " direction=both write_bytes=40 writes=1 write_offset=0 read_bytes=200 reads=1 read_offset=0"
    " write_end=40 delete_on_close=1 complete=1\n"
    "smb_requests C command=NEGOTIATE count=1\nsmb_requests C command=SESSION_SETUP count=2\n"
    "smb_requests C command=TREE_CONNECT count=1\nsmb_requests C command=CREATE count=2\n"
    "smb_requests C command=CLOSE count=2\nsmb_requests C command=READ count=1\n"
    "smb_requests C command=WRITE count=2\nsmb_requests C command=SET_INFO count=1\n";

static char *play(const smb_said *v, unsigned from, unsigned piece, bool midstream)
{
    parser_drive d;
    parser_open(&d, &ccm_proto_smb, midstream);
    for (unsigned i = from; i < SMB_TALK; i++)
        for (unsigned at = 0; at < v[i].m->len; at += piece)
            parser_bytes(&d, v[i].dir, v[i].m->data + at, MIN(piece, v[i].m->len - at));
    return parser_close(&d);
}

/* Times are not compared: a line's keys that tell them, and what comes of pieces, go. */
static char *without_times(char *text)
{
    g_autoptr(GRegex) times = g_regex_new(" (data_start_ns|data_end_ns|end_ns)=[0-9]+", 0, 0, NULL);
    char *out = g_regex_replace_literal(times, text, -1, 0, "", 0, NULL);
    g_free(text);
    return out;
}

static void conversation(void)
{
    smb_said v[SMB_TALK];
    smb_talk(v);
    g_autofree char *text = without_times(play(v, 0, UINT_MAX / 2, false));
    g_assert_true(g_str_has_prefix(text, expected) || (g_test_message("got:\n%s", text), false));
    g_assert_nonnull(strstr(text, "smb_answers S command=WRITE nt_status=259"
                                  " status_name=STATUS_PENDING count=1\n"));
    g_assert_nonnull(strstr(text, "smb_answers S command=WRITE nt_status=0"
                                  " status_name=STATUS_SUCCESS count=2\n"));
    g_assert_nonnull(strstr(text, " credit_charge=3 credits_granted=33 ")); /* 511: asked for */
    g_assert_nonnull(strstr(text, "write_bytes=340 read_bytes=200 body_missing_bytes=0\n"));
    g_assert_null(strstr(text, "anomaly"));
    smb_talk_free(v);
}

/* Whatever the pieces are, the same is told. */
static void pieces(void)
{
    smb_said v[SMB_TALK];
    smb_talk(v);
    g_autofree char *whole = without_times(play(v, 0, UINT_MAX / 2, false));
    for (unsigned piece = 1; piece < 140; piece++) {
        g_autofree char *text = without_times(play(v, 0, piece, false));
        g_assert_cmpstr(text, ==, whole);
    }
    smb_talk_free(v);
}

/* The connection ends after every length. */
static void truncations(void)
{
    smb_said v[SMB_TALK];
    smb_talk(v);
    for (unsigned last = 0; last < SMB_TALK; last++)
        for (unsigned n = 0; n <= v[last].m->len; n++) {
            parser_drive d;
            parser_open(&d, &ccm_proto_smb, false);
            for (unsigned i = 0; i < last; i++)
                parser_bytes(&d, v[i].dir, v[i].m->data, v[i].m->len);
            if (n)
                parser_bytes(&d, v[last].dir, v[last].m->data, n);
            if (n % 2)
                parser_end(&d, v[last].dir);
            g_autofree char *text = parser_close(&d);
            g_assert_null(strstr(text, "BAD"));
            /* what is told was said: never more bytes than that */
            g_assert_null(strstr(text, "write_bytes=341"));
        }
    smb_talk_free(v);
}

/* Each stretch of a message is lost in turn; what comes after it is found again. */
static void losses(void)
{
    smb_said v[SMB_TALK];
    smb_talk(v);
    for (unsigned lost = 0; lost < SMB_TALK; lost++)
        for (unsigned from = 0; from < v[lost].m->len; from += 7) {
            parser_drive d;
            unsigned n = MIN(40, v[lost].m->len - from);
            parser_open(&d, &ccm_proto_smb, false);
            for (unsigned i = 0; i < SMB_TALK; i++) {
                const GByteArray *m = v[i].m;
                if (i != lost) {
                    parser_bytes(&d, v[i].dir, m->data, m->len);
                    continue;
                }
                if (from)
                    parser_bytes(&d, v[i].dir, m->data, from);
                parser_lose(&d, v[i].dir, n);
                if (from + n < m->len)
                    parser_bytes(&d, v[i].dir, m->data + from + n, m->len - from - n);
            }
            g_autofree char *text = parser_close(&d);
            g_assert_null(strstr(text, "BAD"));
            if (lost != 17 && lost != 18) /* not the compound that opens it */
                g_assert_nonnull(strstr(text, "path=c.temp"));
            if (lost == 10 && from >= 116) /* in the data of the file alone */
                g_assert_nonnull(strstr(text, "write_bytes=300"));
        }
    smb_talk_free(v);
}

/* `cut`: so many bytes of the WRITE of 3000 are there; `says`: what its answer counts, 0: there is
 * none; `second`: another file is open, too. */
static char *unseen(unsigned cut, unsigned flags, unsigned says, bool second)
{
    smb_said v[SMB_TALK];
    parser_drive d;
    GByteArray *m = framed(smb_write(SMB_SIGNED, 5, 70, 0, 3000), NULL);
    GByteArray *answer = framed(smb_write_answer(flags, 5, says), NULL);
    GByteArray *other = framed(smb_create_answer(0, 9, 80), NULL);

    smb_talk(v);
    parser_open(&d, &ccm_proto_smb, false);
    for (unsigned i = 0; i < 10; i++)
        parser_bytes(&d, v[i].dir, v[i].m->data, v[i].m->len);
    if (second)
        parser_bytes(&d, 1, other->data, other->len);
    if (cut)
        parser_bytes(&d, 0, m->data, cut);
    parser_lose(&d, 0, m->len - cut);
    if (says)
        parser_bytes(&d, 1, answer->data, answer->len);
    for (unsigned i = 15; i < 17; i++)
        parser_bytes(&d, v[i].dir, v[i].m->data, v[i].m->len);
    g_byte_array_unref(m);
    g_byte_array_unref(answer);
    g_byte_array_unref(other);
    smb_talk_free(v);
    return parser_close(&d);
}

/* Bytes of a WRITE whose header was lost or cut: the answer tells them; else there may be more. */
static void unseen_writes(void)
{
    for (unsigned cut = 0; cut < 200; cut++) {
        g_autofree char *text = unseen(cut, 0, 3000, false);
        g_assert_nonnull(strstr(text, "direction=write write_bytes=3000 writes=1"));
        g_assert_null(strstr(text, "at_least"));
    }
    g_autofree char *async = unseen(0, SMB_ASYNC, 3000, false);
    g_assert_nonnull(strstr(async, "write_bytes=3000 writes=1"));
    g_autofree char *silent = unseen(0, 0, 0, false);
    g_assert_nonnull(strstr(silent, "complete=1 at_least=1"));
    g_autofree char *lie = unseen(0, 0, 1000000, false);
    g_assert_nonnull(strstr(lie, "at_least=1"));
    g_assert_null(strstr(lie, "1000000"));
    g_autofree char *whose = unseen(0, 0, 3000, true);
    g_assert_null(strstr(whose, "write_bytes=3000 writes"));
    g_assert_nonnull(strstr(whose, "at_least=1"));
}

static void midstream(void)
{
    smb_said v[SMB_TALK];
    smb_talk(v);
    g_assert_cmpint(ccm_proto_smb.probe(ccm_span_of(v[11].m->data, v[11].m->len), true), ==,
                    CCM_PROBE_YES);
    /* from the second half of the file's WRITE on */
    parser_drive d;
    parser_open(&d, &ccm_proto_smb, true);
    parser_bytes(&d, 0, v[10].m->data + 200, v[10].m->len - 200);
    for (unsigned i = 11; i < SMB_TALK; i++)
        parser_bytes(&d, v[i].dir, v[i].m->data, v[i].m->len);
    g_assert_cmpint(d.client, ==, 0);
    g_autofree char *text = without_times(parser_close(&d));
    g_assert_nonnull(
        strstr(text, "smb_file C session=4386 direction=none renamed_to=b incomplete=1"));
    g_assert_nonnull(strstr(text, "path=c.temp session=4386"));
    smb_talk_free(v);
}

/* A transform header, and a compressed message whose header is clear. */
static void transforms(void)
{
    parser_drive d;
    parser_open(&d, &ccm_proto_smb, false);
    GByteArray *m = g_byte_array_new();
    g_byte_array_append(m, (const uint8_t *)"\xfdSMB", 4);
    zeros(m, 16 + 16);
    le(m, 4, 100);
    le(m, 4, 0x10000);
    le(m, 8, SMB_SESSION);
    zeros(m, 100);
    m = framed(m, NULL);
    parser_bytes(&d, 0, m->data, m->len);
    g_byte_array_unref(m);
    m = g_byte_array_new();
    g_byte_array_append(m, (const uint8_t *)"\xfcSMB", 4);
    le(m, 4, 1000); /* before compression */
    le(m, 2, 1);
    le(m, 2, 0);
    le(m, 4, 80); /* clear */
    GByteArray *inner = smb_read_answer(3, 1000);
    g_byte_array_append(m, inner->data, 80);
    zeros(m, 30); /* compressed */
    g_byte_array_unref(inner);
    m = framed(m, NULL);
    parser_bytes(&d, 1, m->data, m->len);
    g_byte_array_unref(m);
    g_autofree char *text = parser_close(&d);
    g_assert_nonnull(strstr(text, "pdus=1 signed_pdus=0 compressed_pdus=1 encrypted_pdus=1"
                                  " encrypted_sent=152 encrypted_received=0 write_bytes=0"
                                  " read_bytes=1000"));
}

/* SMB 1 asks, with the dialects of MS-SMB2 section 4.1; a session request of RFC 1002 before it. */
static void smb1_negotiate(void)
{
    parser_drive d;
    parser_open(&d, &ccm_proto_smb, false);
    GByteArray *m = g_byte_array_new();
    g_byte_array_append(m, (const uint8_t *)"\x81\0\0D ", 5);
    zeros(m, 67);
    g_assert_cmpint(ccm_proto_smb.probe(ccm_span_of(m->data, m->len), false), ==, CCM_PROBE_YES);
    parser_bytes(&d, 0, m->data, m->len);
    g_byte_array_unref(m);
    parser_bytes(&d, 1, (const uint8_t *)"\x82\0\0", 4);
    m = g_byte_array_new();
    g_byte_array_append(m, (const uint8_t *)"\xffSMB\x72", 5);
    zeros(m, 27);
    le(m, 1, 0);
    static const char dialects[] = "\2NT LM 0.12\0\2SMB 2.002\0\2SMB 2.???";
    le(m, 2, sizeof dialects);
    g_byte_array_append(m, (const uint8_t *)dialects, sizeof dialects);
    m = framed(m, NULL);
    parser_bytes(&d, 0, m->data, m->len);
    g_byte_array_unref(m);
    m = framed(smb_negotiate_answer(), NULL);
    parser_bytes(&d, 1, m->data, m->len);
    g_byte_array_unref(m);
    g_autofree char *text = parser_close(&d);
    g_assert_true(g_str_has_prefix(
        text, "smb_negotiate S dialect=3.1.1 dialects=NT LM 0.12, SMB 2.002, SMB 2.??? smb1=1 "));
}

/* More is open than the limit allows: the oldest is told, and that the limit was hit. */
static void limits(void)
{
    parser_drive d;
    unsigned entries = 0, files = 0;
    parser_open(&d, &ccm_proto_smb, false);
    d.limits.smb_entries = 10;
    d.ps.smb_entries = &entries;
    for (unsigned i = 0; i < 100; i++) {
        GByteArray *m = framed(smb_create(0, i, "f", 0), NULL);
        parser_bytes(&d, 0, m->data, m->len);
        g_byte_array_unref(m);
        m = framed(smb_create_answer(0, i, 2 * i), NULL);
        parser_bytes(&d, 1, m->data, m->len);
        g_byte_array_unref(m);
        g_assert_cmpuint(entries, <=, 10);
    }
    g_autofree char *text = parser_close(&d);
    for (const char *p = text; (p = strstr(p, "smb_file ")); p++)
        files++;
    g_assert_cmpuint(files, ==, 100);
    g_assert_cmpuint(entries, ==, 0);
    g_assert_nonnull(strstr(text, "limit C limit=smb_entries count="));
}

typedef struct entry {
    ccm_smb_key key;
    uint64_t value;
} entry;

/* Against GLib's table, with keys that collide. */
static void table(void)
{
    ccm_smb_table t = { .size = sizeof(entry) };
    g_autoptr(GHashTable) want = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t k = g_test_rand_int_range(1, 200);
        entry *e = ccm_smb_table_find(&t, k, k << 32);
        g_assert_true(!e == !g_hash_table_contains(want, GUINT_TO_POINTER(k)));
        if (e) {
            g_assert_cmpuint(e->value, ==,
                             GPOINTER_TO_UINT(g_hash_table_lookup(want, GUINT_TO_POINTER(k))));
            ccm_smb_table_remove(&t, e);
            g_hash_table_remove(want, GUINT_TO_POINTER(k));
        } else {
            e = ccm_smb_table_add(&t, k, k << 32);
            e->value = i;
            g_hash_table_insert(want, GUINT_TO_POINTER(k), GUINT_TO_POINTER(i));
        }
        g_assert_cmpuint(t.n, ==, g_hash_table_size(want));
        g_assert_true(!t.n == !ccm_smb_table_coldest(&t));
    }
    ccm_smb_table_clear(&t);
}

/* The disk of the server is full: the file was opened, and the data sent in vain. */
static void disk_full(void)
{
    enum { DISK_FULL = 0xc000007f & INT32_MAX };
    GByteArray *v[] = { framed(smb_create(SMB_SIGNED, 4, "a.temp", 0), NULL),
                        framed(smb_create_answer(0, 4, 70), NULL),
                        framed(smb_write(SMB_SIGNED, 5, 70, 0, 300), NULL),
                        framed(smb_error(CCM_SMB_WRITE, 0, DISK_FULL | UINT32_C(0x80000000), 5),
                               NULL) };
    parser_drive d;
    parser_open(&d, &ccm_proto_smb, false);
    for (unsigned i = 0; i < G_N_ELEMENTS(v); i++) {
        parser_bytes(&d, i % 2, v[i]->data, v[i]->len);
        g_byte_array_unref(v[i]);
    }
    g_autofree char *text = parser_close(&d);
    g_assert_nonnull(strstr(text, "transfer_status_name=STATUS_DISK_FULL"));
}

/* Numbers of one residue, which a simple hash would put in one place, cost no more than others; and
 * where all do lie in one place, one of them goes first. */
static void crowd(void)
{
    ccm_smb_table t = { .size = sizeof(entry) };
    clock_t start = clock();
    for (uint64_t i = 1; i <= 60000; i++)
        (void)ccm_smb_table_add(&t, i << 16 | i << 48, i << 48 | i << 16);
    g_assert_cmpfloat((double)(clock() - start) / CLOCKS_PER_SEC, <, 1);
    g_assert_null(ccm_smb_table_crowd(&t, 5, 5));
    ccm_smb_table_clear(&t);
    for (uint64_t a = 1; a <= 256; a++) /* b as the hash needs it to end in the same place */
        (void)ccm_smb_table_add(
            &t, a, (a * UINT64_C(0x9e3779b97f4a7c15)) ^ (a * UINT64_C(0x9e3779b97f4a7c15)) >> 29);
    uint64_t h = 257 * UINT64_C(0x9e3779b97f4a7c15);
    g_assert_nonnull(ccm_smb_table_crowd(&t, 257, h ^ h >> 29));
    ccm_smb_table_clear(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/smb/conversation", conversation);
    g_test_add_func("/smb/pieces", pieces);
    g_test_add_func("/smb/truncations", truncations);
    g_test_add_func("/smb/losses", losses);
    g_test_add_func("/smb/unseen-writes", unseen_writes);
    g_test_add_func("/smb/midstream", midstream);
    g_test_add_func("/smb/transforms", transforms);
    g_test_add_func("/smb/smb1", smb1_negotiate);
    g_test_add_func("/smb/limits", limits);
    g_test_add_func("/smb/table", table);
    g_test_add_func("/smb/crowd", crowd);
    g_test_add_func("/smb/disk-full", disk_full);
    return g_test_run();
}
