/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_auth_tokens.c - requests with several JSON web tokens, with one beside another credential,
 * and with one for a proxy. Expected by auth-modes.md 6.1, E10 to E12. */
#include "auth_driver.h"

/* E10: a token may be in any header. Each tells who, or what, it is of: E11, E12. */
static void several_tokens(void)
{
#define DEVICE "transport ccm-token computer - proven: jwt-ccm"
#define USER "transport entra-token user bob@lab.example strong: jwt-entra"
    /* a device's and a user's, in either order */
    expect(STEPS({ .target = "/CMUserService/x",
                   .token = "ccm",
                   .other = "entra",
                   .owner = "bob@lab.example",
                   .status = 200 }),
           DEVICE "; " USER);
    expect(STEPS({ .target = "/CMUserService/x",
                   .token = "entra",
                   .subject = "user",
                   .account = "bob@lab.example",
                   .other = "ccm",
                   .status = 200 }),
           USER "; " DEVICE);
    expect(STEPS({ .target = "/CMUserService/x",
                   .token = "ccm",
                   .other = "entra",
                   .owner = "bob@lab.example",
                   .status = 401 }),
           "transport ccm-token computer - proven denied: jwt-ccm denied; "
           "transport entra-token user bob@lab.example strong denied: jwt-entra denied");
    /* the same one twice is one proof; so is what becomes the same by the directory */
    expect(STEPS({ .target = "/CMUserService/x", .token = "ccm", .other = "ccm", .status = 200 }),
           DEVICE);
    expect(STEPS({ .target = "/CCMTOKENAUTH_SMS_DP_SMSPKG$/A",
                   .token = "content",
                   .other = "ccm",
                   .status = 200 }),
           "transport content-token computer - proven: jwt-content ccmtokenauth-path");
    /* one of another issuer, as in a cookie, says nothing beside one that is known */
    expect(STEPS({ .target = DP, .token = "other", .other = "ccm", .status = 200 }), DEVICE);
    expect(STEPS({ .target = DP, .token = "ccm", .other = "other", .status = 200 }), DEVICE);
    /* beside Windows authentication: both; not where the handshake goes on */
    expect(STEPS({ .target = DP, TYPE3, .account = "alice", .token = "ccm", .status = 200 }),
           "transport ntlm user LAB\\alice strong: ntlm-type3; " DEVICE);
    expect(STEPS({ .target = DP, TYPE3, .account = "alice", .token = "other", .status = 200 }),
           "transport ntlm user LAB\\alice strong: ntlm-type3");
    expect(STEPS({ .target = DP, TYPE1, .token = "ccm", .status = 401 },
                 { .target = DP, TYPE3, .account = "alice", .token = "ccm", .status = 200 }),
           "transport ntlm - - proven step: ntlm-type1 challenge-401; "
           "transport ntlm user LAB\\alice strong: ntlm-type3 challenge-401 ntlm-type1 "
           "direct-ntlm; " DEVICE);
    /* for a proxy: the server itself was shown nothing, or another one */
    expect(STEPS({ .target = DP,
                   .proxy = true,
                   .mechanism = "bearer",
                   .token = "ccm",
                   .token_for_proxy = true,
                   .status = 200 }),
           "proxy ccm-token computer - proven: jwt-ccm; "
           "transport anonymous anonymous - proven: no-authorization");
    expect(STEPS({ .target = DP,
                   .proxy = true,
                   .mechanism = "bearer",
                   .token = "ccm",
                   .token_for_proxy = true,
                   .status = 407 }),
           "proxy ccm-token computer - proven denied: jwt-ccm denied");
    expect(STEPS({ .target = DP,
                   .proxy = true,
                   .mechanism = "bearer",
                   .token = "ccm",
                   .token_for_proxy = true,
                   .other = "entra",
                   .owner = "bob@lab.example",
                   .status = 200 }),
           "proxy ccm-token computer - proven: jwt-ccm; " USER);
#undef DEVICE
#undef USER
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/auth/several-tokens", several_tokens);
    return g_test_run();
}
