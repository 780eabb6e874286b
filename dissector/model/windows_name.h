/* SPDX-License-Identifier: GPL-2.0-or-later
 * windows_name.h - names of accounts as Windows compares them: without regard to case.
 *
 * In: names, UTF-8 (what is not, byte by byte, ASCII letters alike). Out: order, hash. State: none.
 * Spec: [MS-NLMP] 3.3.2 (NTLM hashes the user's name in capitals). */
#ifndef CCM_MODEL_WINDOWS_NAME_H
#define CCM_MODEL_WINDOWS_NAME_H

#include <glib.h>

/* Letter by letter, as one-to-one capitals: a sharp s is not "SS". */
int ccm_windows_name_cmp(const char *a, const char *b);
/* The same for a GHashTable. */
gboolean ccm_windows_name_equal(gconstpointer a, gconstpointer b);
guint ccm_windows_name_hash(gconstpointer name);

#endif
