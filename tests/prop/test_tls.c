/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_tls.c - properties of the TLS parser: the way a stream is cut into segments changes nothing;
 * whatever bytes are lost, one session is told and no evidence is made of what is missing. */
#include "../unit/sample.h"
#include "../unit/tls_driver.h"

static const struct {
    const tls_part *parts;
    size_t n;
} talks[] = {
#define TALK(name)                                                                                 \
    {                                                                                              \
        name, G_N_ELEMENTS(name)                                                                   \
    }
    TALK(tls12_client), TALK(tls12_resumed), TALK(tls12_empty),
    TALK(tls12_plain),  TALK(tls13_client),  TALK(tls13_resumed),
    TALK(tls13_empty),  TALK(tls13_plain),   TALK(tls13_retry),
#undef TALK
};

static char *play(const tls_talk *t, size_t piece, unsigned dir, uint64_t from, uint64_t lost)
{
    return drive_play_proto(&ccm_proto_tls, t->part, t->n, piece, dir, from, lost, true);
}

static void test_pieces(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(talks); i++) {
        tls_talk t = tls_talk_of(talks[i].parts, talks[i].n);
        g_autofree char *want = play(&t, 0, 0, 0, 0);
        for (size_t piece = 1; piece < 200; piece++) {
            g_autofree char *got = play(&t, piece, 0, 0, 0);
            g_assert_cmpstr(got, ==, want);
        }
        tls_talk_free(&t);
    }
}

/* Each part cut in two, at every byte. */
static void test_cuts(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(talks); i++) {
        tls_talk t = tls_talk_of(talks[i].parts, talks[i].n);
        g_autofree char *want = play(&t, 0, 0, 0, 0);
        for (size_t k = 0; k < t.n; k++)
            for (size_t at = 1; at < t.part[k].size; at++) {
                tls_talk u = t;
                u.n++;
                memmove(u.part + k + 1, u.part + k, (t.n - k) * sizeof *u.part);
                u.part[k].size = at;
                u.part[k + 1].text += at;
                u.part[k + 1].size -= at;
                g_autofree char *got = play(&u, 0, 0, 0, 0);
                g_assert_cmpstr(got, ==, want);
            }
        tls_talk_free(&t);
    }
}

/* Every third place (of those, a sample) and three sizes of loss in each direction. */
static void test_losses(void)
{
    static const uint64_t sizes[] = { 1, 40, 700 };
    for (size_t i = 0; i < G_N_ELEMENTS(talks); i++) {
        tls_talk t = tls_talk_of(talks[i].parts, talks[i].n);
        g_autofree char *whole = play(&t, 0, 0, 0, 0);
        bool plain = strstr(whole, "client_certificate=no") != NULL,
             empty = strstr(whole, "client_certificate=empty") != NULL,
             resumed = strstr(whole, " resumed=1") != NULL;
        uint64_t total[2] = { 0, 0 };
        for (size_t k = 0; k < t.n; k++)
            total[t.part[k].dir] += t.part[k].size;
        for (unsigned dir = 0; dir < 2; dir++)
            for (uint64_t from = 0; from < total[dir]; from += 3 * sample_every())
                for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++) {
                    g_autofree char *got = play(&t, 300, dir, from, sizes[s]);
                    const char *session = strstr(got, "tls_session");
                    g_assert_true(!session || !strstr(session + 1, "tls_session"));
                    g_assert_true(plain || !strstr(got, "client_certificate=no"));
                    g_assert_true(empty || !strstr(got, "client_certificate=empty"));
                    g_assert_true(resumed || !strstr(got, " resumed=1"));
                    g_assert_null(strstr(got, "renegotiated"));
                }
        tls_talk_free(&t);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tls/pieces", test_pieces);
    g_test_add_func("/tls/cuts", test_cuts);
    g_test_add_func("/tls/losses", test_losses);
    return g_test_run();
}
