/* SPDX-License-Identifier: GPL-2.0-or-later
 * auth_vectors.h - messages of Kerberos, SPNEGO and NTLM in hexadecimal, laid out by hand after the
 * sections named; `openssl asn1parse` reads each that is ASN.1, and Wireshark the names in them. */
#ifndef CCM_TEST_AUTH_VECTORS_H
#define CCM_TEST_AUTH_VECTORS_H

#include <glib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/cursor.h"

/* AS-REQ: pvno 5, type 10, padata PA-PAC-REQUEST, body: options, cname WS1$, realm CONTOSO.COM,
 * sname krbtgt/CONTOSO.COM, till, nonce, etypes 18 17 23 (RFC 4120 5.4.1) */
#define V_AS_REQ                                                                                   \
    "6a819d30819aa103020105a20302010aa31530133011a10402020080a20904073005a0030101ffa4773075a0"     \
    "0703050040810010a111300fa003020101a10830061b0457533124a20d1b0b434f4e544f534f2e434f4da320"     \
    "301ea003020102a11730151b066b72627467741b0b434f4e544f534f2e434f4da511180f3230333730393133"     \
    "3032343830355aa70602041234567aa80b3009020112020111020117"
/* AS-REP: crealm, cname WS1$, ticket for krbtgt/CONTOSO.COM, 0xEE as cipher text (5.4.2) */
#define V_AS_REP                                                                                   \
    "6b81d53081d2a003020105a10302010ba30d1b0b434f4e544f534f2e434f4da411300fa003020101a1083006"     \
    "1b0457533124a57461723070a003020105a10d1b0b434f4e544f534f2e434f4da220301ea003020102a11730"     \
    "151b066b72627467741b0b434f4e544f534f2e434f4da3383036a003020112a103020103a22a0428eeeeeeee"     \
    "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeea62e302ca0030201"     \
    "12a103020102a220041eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
/* TGS-REQ: padata type 1 with an AP-REQ for krbtgt, body without cname, sname
 * HTTP/mp1.contoso.com */
#define V_TGS_REQ                                                                                  \
    "6c82013f3082013ba103020105a20302010ca381c63081c33081c0a103020101a281b80481b56e81b23081af"     \
    "a003020105a10302010ea20703050020000000a37461723070a003020105a10d1b0b434f4e544f534f2e434f"     \
    "4da220301ea003020102a11730151b066b72627467741b0b434f4e544f534f2e434f4da3383036a003020112"     \
    "a103020103a22a0428eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"     \
    "eeeeeeeeeea4243022a003020112a103020101a2160414eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeea4"     \
    "663064a00703050040810010a20d1b0b434f4e544f534f2e434f4da3223020a003020102a11930171b044854"     \
    "54501b0f6d70312e636f6e746f736f2e636f6da511180f32303337303931333032343830355aa70602041234"     \
    "567aa80b3009020112020111020117"
/* TGS-REP: crealm, cname WS1$, ticket for HTTP/mp1.contoso.com */
#define V_TGS_REP                                                                                  \
    "6d81d73081d4a003020105a10302010da30d1b0b434f4e544f534f2e434f4da411300fa003020101a1083006"     \
    "1b0457533124a57661743072a003020105a10d1b0b434f4e544f534f2e434f4da2223020a003020102a11930"     \
    "171b04485454501b0f6d70312e636f6e746f736f2e636f6da3383036a003020112a103020103a22a0428eeee"     \
    "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeea62e302ca003"     \
    "020112a103020102a220041eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
/* KRB-ERROR: stime, susec, error-code 7, realm, sname HTTP/mp1.contoso.com (5.9.1) */
#define V_KRB_ERROR                                                                                \
    "7e5c305aa003020105a10302011ea411180f32303236303133313132303030305aa503020107a603020107a9"     \
    "0d1b0b434f4e544f534f2e434f4daa223020a003020102a11930171b04485454501b0f6d70312e636f6e746f"     \
    "736f2e636f6d"
/* AP-REQ: options, ticket for HTTP/mp1.contoso.com, authenticator (5.5.1) */
#define V_AP_REQ                                                                                   \
    "6e81b43081b1a003020105a10302010ea20703050020000000a37661743072a003020105a10d1b0b434f4e54"     \
    "4f534f2e434f4da2223020a003020102a11930171b04485454501b0f6d70312e636f6e746f736f2e636f6da3"     \
    "383036a003020112a103020103a22a0428eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"     \
    "eeeeeeeeeeeeeeeeeeeeeeeeeea4243022a003020112a103020101a2160414eeeeeeeeeeeeeeeeeeeeeeeeee"     \
    "eeeeeeeeeeeeee"
/* AP-REP: encrypted part (5.5.2) */
#define V_AP_REP                                                                                   \
    "6f2e302ca003020105a10302010fa220301ea003020112a103020101a2120410eeeeeeeeeeeeeeeeeeeeeeee"     \
    "eeeeeeee"
/* 0x60, Kerberos OID 1.2.840.113554.1.2.2, 01 00, the AP-REQ (RFC 4121 4.1) */
#define V_GSS_AP_REQ                                                                               \
    "6081c406092a864886f71201020201006e81b43081b1a003020105a10302010ea20703050020000000a37661"     \
    "743072a003020105a10d1b0b434f4e544f534f2e434f4da2223020a003020102a11930171b04485454501b0f"     \
    "6d70312e636f6e746f736f2e636f6da3383036a003020112a103020103a22a0428eeeeeeeeeeeeeeeeeeeeee"     \
    "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeea4243022a003020112a103020101a2"     \
    "160414eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
/* NegTokenInit: MS-Kerberos, Kerberos, NEGOEX, NTLM; mechToken: the token above (RFC 4178 4.2.1) */
#define V_SPNEGO_KERBEROS                                                                          \
    "6082010e06062b0601050502a08201023081ffa030302e06092a864882f71201020206092a864886f7120102"     \
    "02060a2b06010401823702021e060a2b06010401823702020aa281ca0481c76081c406092a864886f7120102"     \
    "0201006e81b43081b1a003020105a10302010ea20703050020000000a37661743072a003020105a10d1b0b43"     \
    "4f4e544f534f2e434f4da2223020a003020102a11930171b04485454501b0f6d70312e636f6e746f736f2e63"     \
    "6f6da3383036a003020112a103020103a22a0428eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"     \
    "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeea4243022a003020112a103020101a2160414eeeeeeeeeeeeeeeeeeee"     \
    "eeeeeeeeeeeeeeeeeeee"
/* NegTokenResp: accept-completed, MS-Kerberos, 02 00 AP-REP (RFC 4178 4.2.2) */
#define V_SPNEGO_AP_REP                                                                            \
    "a1573055a0030a0100a10b06092a864882f712010202a241043f603d06092a864886f71201020202006f2e30"     \
    "2ca003020105a10302010fa220301ea003020112a103020101a2120410eeeeeeeeeeeeeeeeeeeeeeeeeeeeee"     \
    "ee"
/* NegTokenResp: accept-incomplete, MS-Kerberos, 03 00 KRB-ERROR with code 37 */
#define V_SPNEGO_KRB_ERROR                                                                         \
    "a18186308183a0030a0101a10b06092a864882f712010202a26f046d606b06092a864886f71201020203007e"     \
    "5c305aa003020105a10302011ea411180f32303236303133313132303030305aa503020107a603020125a90d"     \
    "1b0b434f4e544f534f2e434f4daa223020a003020102a11930171b04485454501b0f6d70312e636f6e746f73"     \
    "6f2e636f6d"
/* NegTokenResp: request-mic, NTLM chosen, no token */
#define V_SPNEGO_CHOICE "a1153013a0030a0103a10c060a2b06010401823702020a"
/* NegTokenInit2: NEGOEX, NTLM, hint name in [3] (MS-SPNG 2.2.1) */
#define V_SPNEGO_HINTS                                                                             \
    "605406062b0601050502a04a3048a01a3018060a2b06010401823702021e060a2b06010401823702020aa32a"     \
    "3028a0261b246e6f745f646566696e65645f696e5f5246433431373840706c656173655f69676e6f7265"
/* type 1: flags 0xa2088207, no names (MS-NLMP 2.2.1.1) */
#define V_NTLM1 "4e544c4d5353500001000000078208a200000000000000000000000000000000"
/* type 1 with the OEM names CONTOSO and WS1 */
#define V_NTLM1_OEM                                                                                \
    "4e544c4d535350000100000007b2000007000700230000000300030020000000575331434f4e544f534f"
/* the challenge of MS-NLMP 4.2.4.3: target Server; NetBIOS domain Domain, computer Server */
#define V_NTLM2                                                                                    \
    "4e544c4d53535000020000000c000c003800000033828ae20123456789abcdef000000000000000024002400"     \
    "44000000060070170000000f53006500720076006500720002000c0044006f006d00610069006e0001000c00"     \
    "53006500720076006500720000000000"
/* the authenticate message of MS-NLMP 4.2.2.3: Domain, User, COMPUTER */
#define V_NTLM3                                                                                    \
    "4e544c4d5353500003000000180018006c00000018001800840000000c000c00480000000800080054000000"     \
    "100010005c000000100010009c000000358280e20501280a0000000f44006f006d00610069006e0055007300"     \
    "6500720043004f004d005000550054004500520098def7b87f88aa5dafe2df779688a172def11c7d5ccdef13"     \
    "67c43011f30298a2ad35ece64f16331c44bdbed927841f94518822b1b3f350c8958682ecbb3e3cb7"
/* type 3: no user, LM response of one zero byte, no NT response (MS-NLMP 3.2.5.1.2) */
#define V_NTLM3_ANONYMOUS                                                                          \
    "4e544c4d5353500003000000010001004e000000000000004f00000000000000480000000000000048000000"     \
    "0600060048000000000000004f000000150a88e20a0061580000000f57005300310000"
/* type 3: CONTOSO, WS1$, WS1; responses of 00 and EE */
#define V_NTLM3_MACHINE                                                                            \
    "4e544c4d53535000030000001800180064000000180018007c0000000e000e00480000000800080056000000"     \
    "060006005e0000000000000094000000158288e20a0061580000000f43004f004e0054004f0053004f005700"     \
    "530031002400570053003100000000000000000000000000000000000000000000000000eeeeeeeeeeeeeeee"     \
    "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
/* type 3 with flag OEM instead of Unicode: CONTOSO, naa, WS1 */
#define V_NTLM3_OEM                                                                                \
    "4e544c4d53535000030000001800180055000000180018006d0000000700070048000000030003004f000000"     \
    "03000300520000000000000085000000068200000a0061580000000f434f4e544f534f6e6161575331eeeeee"     \
    "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"     \
    "ee"
/* type 3: a user name with characters of two, three and four bytes in UTF-8 */
#define V_NTLM3_WIDE                                                                               \
    "4e544c4d5353500003000000180018006e00000018001800860000000e000e00480000001200120056000000"     \
    "0600060068000000000000009e000000158288e20a0061580000000f43004f004e0054004f0053004f004a00"     \
    "fc007200670065006e00ac203dd800de57005300310000000000000000000000000000000000000000000000"     \
    "0000eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
/* NegTokenInit: NTLM, mechToken: type 1 */
#define V_SPNEGO_NTLM1                                                                             \
    "604006062b0601050502a0363034a00e300c060a2b06010401823702020aa22204204e544c4d535350000100"     \
    "0000078208a200000000000000000000000000000000"
/* NegTokenResp: accept-incomplete, NTLM, the challenge above */
#define V_SPNEGO_NTLM2                                                                             \
    "a18181307fa0030a0101a10c060a2b06010401823702020aa26a04684e544c4d53535000020000000c000c00"     \
    "3800000033828ae20123456789abcdef00000000000000002400240044000000060070170000000f53006500"     \
    "720076006500720002000c0044006f006d00610069006e0001000c0053006500720076006500720000000000"
/* NegTokenResp: accept-incomplete, the machine's type 3 */
#define V_SPNEGO_NTLM3                                                                             \
    "a181a230819fa0030a0101a281970481944e544c4d53535000030000001800180064000000180018007c0000"     \
    "000e000e00480000000800080056000000060006005e0000000000000094000000158288e20a006158000000"     \
    "0f43004f004e0054004f0053004f005700530031002400570053003100000000000000000000000000000000"     \
    "000000000000000000eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"

/* Bytes that end at an inaccessible page. */
typedef struct guarded {
    uint8_t *page;
    size_t room;
} guarded;

static inline guarded guarded_new(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    guarded g = { .room = 32 * page };
    g.page = mmap(NULL, g.room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(g.page != MAP_FAILED);
    g_assert_cmpint(mprotect(g.page + g.room, page, PROT_NONE), ==, 0);
    return g;
}

static inline void guarded_free(guarded *g)
{
    (void)munmap(g->page, g->room + (size_t)sysconf(_SC_PAGESIZE));
}

static inline ccm_span guarded_copy(const guarded *g, const void *p, size_t n)
{
    g_assert_cmpuint(n, <=, g->room);
    if (n)
        memcpy(g->page + g->room - n, p, n);
    return ccm_span_of(g->page + g->room - n, n);
}

static inline GByteArray *from_hex(const char *hex)
{
    GByteArray *out = g_byte_array_new();
    for (; hex[0]; hex += 2) {
        g_assert_true(g_ascii_isxdigit(hex[0]) && g_ascii_isxdigit(hex[1]));
        uint8_t b = (uint8_t)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
        g_byte_array_append(out, &b, 1);
    }
    return out;
}

#endif
