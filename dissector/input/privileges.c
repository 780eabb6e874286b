/* SPDX-License-Identifier: GPL-2.0-or-later
 * privileges.c - gives up what only opening the capture device needed.
 * In: an account. Out: a process that is this account, without capabilities, and that cannot gain
 * any by running a program. State: the process's own. Spec: capabilities(7), prctl(2). */
#include "input/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

bool ccm_privileges_lookup(const char *user, ccm_account *account, GError **error)
{
    *account = (ccm_account){ 0 };
    bool root = geteuid() == 0;
    if (!user && !root)
        return true;
    const char *name = user ? user : "nobody";
    struct passwd entry, *found = NULL;
    char text[4096];
    int e = getpwnam_r(name, &entry, text, sizeof text, &found);
    if (!found) {
        g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE,
                    "user '%s' is not known%s%s; name another "
                    "account with -Z",
                    name, e ? ": " : "", e ? g_strerror(e) : "");
        return false;
    }
    if (!root && entry.pw_uid != geteuid()) {
        g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE,
                    "only root can become user '%s'; leave -Z out, or run as root", name);
        return false;
    }
    account->switch_user = root && entry.pw_uid != 0;
    account->uid = entry.pw_uid;
    account->gid = entry.pw_gid;
    return true;
}

static bool fail(const char *what, int e, GError **error)
{
    g_set_error(error, CCM_ERROR, CCM_ERROR_CAPTURE,
                "cannot give up privileges (%s: %s); in a container or user namespace that has no "
                "other account, use -Z root",
                what, g_strerror(e));
    return false;
}

static bool become(const ccm_account *account, GError **error)
{
    /* Groups first: without being root they can no longer be changed. */
    if (setgroups(0, NULL) != 0)
        return fail("setgroups", errno, error);
    if (setgid(account->gid) != 0)
        return fail("setgid", errno, error);
    if (setuid(account->uid) != 0)
        return fail("setuid", errno, error);
    if (setuid(0) == 0)
        return fail("setuid", EPERM, error);
    return true;
}

bool ccm_privileges_drop(const ccm_account *account, GError **error)
{
    if (capng_get_caps_process() != 0)
        return fail("capget", errno, error);
    if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP)) {
        /* The bounding set can only shrink while this capability is there. */
        capng_clear(CAPNG_SELECT_BOUNDS);
        if (capng_apply(CAPNG_SELECT_BOUNDS) != 0)
            return fail("bounding set", errno, error);
    }
    if (account->switch_user && !become(account, error))
        return false;
    capng_clear(CAPNG_SELECT_CAPS);
    if (capng_apply(CAPNG_SELECT_CAPS) != 0)
        return fail("capset", errno, error);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail("no_new_privs", errno, error);
    return true;
}
