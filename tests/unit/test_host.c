/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_host.c - what is kept of hosts and clients, against sets kept in full.
 * In: addresses in every order. Out: TAP. State: none. */
#include "model_driver.h"

enum { ADDRS = 6 }; /* more than a client keeps */

static ccm_addr addr_of(unsigned number)
{
    return (ccm_addr){ 4, { 10, 0, 0, (uint8_t)number } };
}

/* Of all that were seen the lowest are kept, ascending, in whatever order and how often they came;
 * whether there are more is told once and for all. */
static void check(const unsigned *seen, unsigned n)
{
    bool set[ADDRS] = { false };
    ccm_client c = { 0 };
    unsigned distinct = 0, at = 0;

    for (unsigned i = 0; i < n; i++) {
        ccm_addr addr = addr_of(seen[i]);
        ccm_client_address(&c, &addr);
        distinct += !set[seen[i]];
        set[seen[i]] = true;
    }
    g_assert_cmpuint(c.n_addrs, ==, MIN(distinct, CCM_CLIENT_ADDRS));
    g_assert_cmpint(c.more, ==, distinct > CCM_CLIENT_ADDRS);
    for (unsigned number = 0; number < ADDRS && at < CCM_CLIENT_ADDRS; number++) {
        ccm_addr addr = addr_of(number);
        if (set[number])
            g_assert_cmpint(ccm_addr_cmp(&c.addrs[at++], &addr), ==, 0);
    }
}

/* Every sequence of six out of six. */
static void client_addresses(void)
{
    for (unsigned code = 0; code < 6 * 6 * 6 * 6 * 6 * 6; code++) {
        unsigned seen[ADDRS], rest = code;
        for (unsigned i = 0; i < ADDRS; i++, rest /= ADDRS)
            seen[i] = rest % ADDRS;
        for (unsigned n = 0; n <= ADDRS; n++)
            check(seen, n);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/host/client-addresses", client_addresses);
    return g_test_run();
}
