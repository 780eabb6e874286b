/* SPDX-License-Identifier: GPL-2.0-or-later
 * privileges.h - gives up what only opening the capture device needed, private to live.c. */
#ifndef CCM_INPUT_PRIVILEGES_H
#define CCM_INPUT_PRIVILEGES_H

#include "ccmscope.h"

/* The account to become, looked up before a device is opened, so that a wrong name fails early. */
typedef struct ccm_account {
    bool switch_user; /* false: stay who we are, without capabilities */
    unsigned uid, gid;
} ccm_account;

/* `user` NULL: nobody when root, else no change. CCM_ERROR_USAGE. */
bool ccm_privileges_lookup(const char *user, ccm_account *account, GError **error);
/* For good, for the whole process. CCM_ERROR_CAPTURE when any step fails: going on with rights that
 * should be gone is no option. */
bool ccm_privileges_drop(const ccm_account *account, GError **error);

#endif
