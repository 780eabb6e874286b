/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_smb.c - properties of SMB over TCP: however a conversation is cut into segments, repeated
 * and shuffled, the same is told of it; whatever segments are lost, nothing is told that was not
 * said. */
#include "../unit/flow_driver.h"
#include "../unit/smb_messages.h"

enum { CLIENT_ISN = 0xffffff00, SERVER_ISN = 77, MOST = 512 };

typedef struct segment {
    unsigned from;
    uint32_t off, n, acked;
    const uint8_t *p;
} segment;

/* Cuts the talk; an answer acknowledges what was said before it. */
static unsigned cut(const smb_said *v, segment *out, GRand *rand)
{
    uint32_t off[2] = { 0, 0 };
    unsigned n = 0;
    for (unsigned i = 0; i < SMB_TALK; i++)
        for (uint32_t at = 0; at < v[i].m->len;) {
            uint32_t left = v[i].m->len - at;
            uint32_t size = (uint32_t)g_rand_int_range(rand, 1, 200);
            size = MIN(size, left);
            g_assert_cmpuint(n, <, MOST);
            out[n++] =
                (segment){ v[i].dir, off[v[i].dir], size, off[!v[i].dir], v[i].m->data + at };
            off[v[i].dir] += size;
            at += size;
        }
    return n;
}

static void shuffle(segment *v, unsigned n, GRand *rand)
{
    for (unsigned i = 0; i + 1 < n; i++)
        if (g_rand_int_range(rand, 0, 4) == 0) {
            segment s = v[i];
            v[i] = v[i + 1];
            v[i + 1] = s;
        }
}

static void send(ccm_flows *fs, uint64_t *frame, unsigned from, uint8_t flags, uint32_t seq,
                 uint32_t ack, const uint8_t *p, uint32_t n)
{
    ccm_packet packet = flow_packet_of(6, from ? 2 : 1, 50000, 445, p, n);
    packet.tcp_flags = flags;
    packet.seq = seq;
    packet.ack = ack;
    packet.frame = ++*frame;
    packet.time_ns = START + *frame * MS;
    ccm_flows_batch(fs, &packet, 1);
}

/* Lines of SMB, without times. `lose`: in 1000. */
static char *run(const segment *v, unsigned n, unsigned lose, unsigned twice, GRand *rand)
{
    static const uint32_t isn[2] = { CLIENT_ISN, SERVER_ISN };
    flow_log log;
    ccm_limits limits;
    uint64_t frame = 0;
    ccm_limits_init(&limits);
    flow_log_init(&log);
    ccm_flows *fs = ccm_flows_new(&limits, true, flow_log_emit, &log);
    send(fs, &frame, 0, SYN, isn[0], 0, NULL, 0);
    send(fs, &frame, 1, SYN | ACK, isn[1], isn[0] + 1, NULL, 0);
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < 1 + ((unsigned)g_rand_int_range(rand, 0, 1000) < twice); k++)
            if ((unsigned)g_rand_int_range(rand, 0, 1000) >= lose)
                send(fs, &frame, v[i].from, ACK, isn[v[i].from] + 1 + v[i].off,
                     isn[!v[i].from] + 1 + v[i].acked, v[i].p, v[i].n);
    ccm_flows_finish(fs);
    ccm_flows_free(fs);
    g_autofree char *text = flow_log_text(&log, "smb_");
    g_autoptr(GRegex) times = g_regex_new(" (data_start_ns|data_end_ns)=[0-9]+", 0, 0, NULL);
    flow_log_clear(&log);
    return g_regex_replace_literal(times, text, -1, 0, "", 0, NULL);
}

static void same(void)
{
    smb_said talk[SMB_TALK];
    segment v[MOST];
    GRand *rand = g_rand_new_with_seed(g_test_rand_int());
    smb_talk(talk);
    g_autofree char *want = run(v, cut(talk, v, rand), 0, 0, rand);
    g_assert_nonnull(strstr(want, "write_bytes=300"));
    g_assert_nonnull(strstr(want, "read_bytes=200"));
    for (unsigned i = 0; i < 300; i++) {
        unsigned n = cut(talk, v, rand);
        shuffle(v, n, rand);
        g_autofree char *got = run(v, n, 0, 100, rand);
        g_assert_cmpstr(got, ==, want);
    }
    smb_talk_free(talk);
    g_rand_free(rand);
}

/* The number behind `key` in a line, 0 = not there. */
static uint64_t number(const char *line, const char *key)
{
    const char *p = strstr(line, key);
    return p ? g_ascii_strtoull(p + strlen(key), NULL, 10) : 0;
}

static void lossy(void)
{
    smb_said talk[SMB_TALK];
    segment v[MOST];
    GRand *rand = g_rand_new_with_seed(g_test_rand_int());
    unsigned told = 0;
    smb_talk(talk);
    for (unsigned i = 0; i < 300; i++) {
        unsigned n = cut(talk, v, rand);
        shuffle(v, n, rand);
        g_autofree char *got = run(v, n, 50, 50, rand);
        g_auto(GStrv) lines = g_strsplit(got, "\n", -1);
        for (char **l = lines; *l; l++) {
            if (!g_str_has_prefix(*l, "smb_file"))
                continue;
            told++;
            g_assert_cmpuint(number(*l, " write_bytes="), <=, 300);
            g_assert_cmpuint(number(*l, " read_bytes="), <=, 200);
            const char *path = strstr(*l, " path=");
            g_assert_true(!path || g_str_has_prefix(path, " path=a.temp ") ||
                          g_str_has_prefix(path, " path=c.temp "));
        }
    }
    g_assert_cmpuint(told, >, 300); /* of 600 */
    smb_talk_free(talk);
    g_rand_free(rand);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/smb/prop/same", same);
    g_test_add_func("/smb/prop/lossy", lossy);
    return g_test_run();
}
