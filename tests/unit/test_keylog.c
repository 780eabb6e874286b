/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_keylog.c - a key log that grows while it is followed, as `live --keylog` does. */
#include <glib/gstdio.h>

#include "proto/decrypt_state.h"

#define RANDOM(c) c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define MASTER RANDOM("5a") "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
#define LINE(c) "CLIENT_RANDOM " RANDOM(c) " " MASTER

static void put(const char *path, const char *mode, const char *text)
{
    FILE *f = g_fopen(path, mode);
    g_assert_nonnull(f);
    g_assert_cmpint(fputs(text, f), >=, 0);
    g_assert_cmpint(fclose(f), ==, 0);
}

static bool knows(ccm_secrets *s, uint8_t byte)
{
    uint8_t random[CCM_TLS_RANDOM];
    memset(random, byte, sizeof random);
    return ccm_secrets_find(s, CCM_SECRET_MASTER, ccm_span_of(random, sizeof random)) != NULL;
}

static void test_grows(void)
{
    ccm_decrypt_counts counts = { 0 };
    ccm_secrets s;
    char *path = NULL;
    GError *error = NULL;
    int fd = g_file_open_tmp("keylogXXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    g_close(fd, NULL);
    ccm_secrets_open(&s, 100, &counts);
    put(path, "wb", LINE("11") "\n");
    g_assert_true(ccm_secrets_file(&s, path, &error));
    put(path, "ab", LINE("22") "\n");
    ccm_secrets_more(&s); /* not followed */
    g_assert_false(knows(&s, 0x22));
    ccm_secrets_follow(&s);
    ccm_secrets_more(&s);
    g_assert_true(knows(&s, 0x11) && knows(&s, 0x22));
    put(path, "ab", "# a comment\nCLIENT_RANDOM " RANDOM("33"));
    ccm_secrets_more(&s);
    g_assert_false(knows(&s, 0x33));
    put(path, "ab", " " MASTER);
    ccm_secrets_more(&s); /* its end has not come */
    g_assert_false(knows(&s, 0x33));
    put(path, "ab", "\n");
    ccm_secrets_more(&s);
    ccm_secrets_more(&s);
    g_assert_true(knows(&s, 0x33));
    put(path, "wb", LINE("44") "\n"); /* begun anew */
    ccm_secrets_more(&s);
    g_assert_true(knows(&s, 0x44));
    g_assert_cmpuint(counts.secrets, ==, 4);
    g_assert_cmpuint(counts.malformed, ==, 0);
    ccm_secrets_close(&s);
    g_unlink(path);
    g_free(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/keylog/grows", test_grows);
    return g_test_run();
}
