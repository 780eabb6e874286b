/* SPDX-License-Identifier: GPL-2.0-or-later
 * smb_messages.h - writes SMB 2 messages, field by field after MS-SMB2 section 2.2, and a small
 * conversation of them. */
#ifndef CCM_TEST_SMB_MESSAGES_H
#define CCM_TEST_SMB_MESSAGES_H

#include "parser_driver.h"
#include "proto/smb2_names.h"

enum { SMB_RESPONSE = 1, SMB_ASYNC = 2, SMB_RELATED = 4, SMB_SIGNED = 8, SMB_SESSION = 0x1122 };

static inline void le(GByteArray *m, unsigned bytes, uint64_t v)
{
    for (unsigned i = 0; i < bytes; i++, v >>= 8) {
        uint8_t b = (uint8_t)v;
        g_byte_array_append(m, &b, 1);
    }
}

static inline void zeros(GByteArray *m, unsigned n)
{
    while (n--)
        le(m, 1, 0);
}

static inline void wide(GByteArray *m, const char *text)
{
    for (; *text; text++)
        le(m, 2, (uint8_t)*text);
}

/* The header; the body follows. */
static inline GByteArray *smb(unsigned command, unsigned flags, uint32_t status, uint64_t id,
                              uint32_t tree)
{
    GByteArray *m = g_byte_array_new();
    g_byte_array_append(m, (const uint8_t *)"\xfeSMB", 4);
    le(m, 2, 64);
    le(m, 2, command == CCM_SMB_WRITE ? 3 : 1); /* credit charge */
    le(m, 4, status);
    le(m, 2, command);
    le(m, 2,
       !(flags & SMB_RESPONSE)            ? 511
       : command == CCM_SMB_SESSION_SETUP ? 33
                                          : 1); /* credits */
    le(m, 4, flags);
    le(m, 4, 0); /* next */
    le(m, 8, id);
    le(m, 4, 0xfeff);
    le(m, 4, tree);
    le(m, 8, command == CCM_SMB_NEGOTIATE ? 0 : SMB_SESSION);
    zeros(m, 16);
    return m;
}

/* One message, or a compound of two, with the header of RFC 1002. Takes them. */
static inline GByteArray *framed(GByteArray *a, GByteArray *b)
{
    GByteArray *out = g_byte_array_new();
    if (b) {
        while (a->len % 8)
            le(a, 1, 0);
        a->data[20] = (uint8_t)a->len;
        a->data[21] = (uint8_t)(a->len >> 8);
        g_byte_array_append(a, b->data, b->len);
        g_byte_array_unref(b);
    }
    uint8_t head[4] = { 0, (uint8_t)(a->len >> 16), (uint8_t)(a->len >> 8), (uint8_t)a->len };
    g_byte_array_append(out, head, 4);
    g_byte_array_append(out, a->data, a->len);
    g_byte_array_unref(a);
    return out;
}

static inline GByteArray *smb_error(unsigned command, unsigned flags, uint32_t status, uint64_t id)
{
    GByteArray *m = smb(command, flags | SMB_RESPONSE, status, id, 5);
    le(m, 2, 9);
    zeros(m, 7);
    return m;
}

static inline GByteArray *smb_negotiate_request(void)
{
    static const uint16_t dialects[] = { 0x0202, 0x0210, 0x0300, 0x0302, 0x0311 };
    GByteArray *m = smb(CCM_SMB_NEGOTIATE, 0, 0, 0, 0);
    le(m, 2, 36);
    le(m, 2, 5);
    le(m, 2, 1);
    zeros(m, 30);
    for (unsigned i = 0; i < 5; i++)
        le(m, 2, dialects[i]);
    return m;
}

static inline GByteArray *smb_negotiate_answer(void)
{
    GByteArray *m = smb(CCM_SMB_NEGOTIATE, SMB_RESPONSE, 0, 0, 0);
    le(m, 2, 65);
    le(m, 2, 3); /* signing enabled and required */
    le(m, 2, 0x0311);
    le(m, 2, 2); /* contexts */
    zeros(m, 16);
    le(m, 4, 4 | 1); /* large MTU, DFS */
    le(m, 4, 3 << 20);
    le(m, 4, 2 << 20);
    le(m, 4, 1 << 20);
    zeros(m, 16);
    le(m, 2, 128);
    le(m, 2, 0);
    le(m, 4, 128);
    le(m, 2, 2); /* encryption: AES-128-GCM */
    le(m, 2, 4);
    le(m, 4, 0);
    le(m, 2, 1);
    le(m, 2, 2);
    zeros(m, 4);
    le(m, 2, 8); /* signing: AES-GMAC */
    le(m, 2, 4);
    le(m, 4, 0);
    le(m, 2, 1);
    le(m, 2, 2);
    return m;
}

static inline GByteArray *smb_setup(bool answer, uint32_t status, uint64_t id, const char *token)
{
    GByteArray *m = smb(CCM_SMB_SESSION_SETUP, answer ? SMB_RESPONSE : 0, status, id, 0);
    GByteArray *t = from_hex(token);
    le(m, 2, answer ? 9 : 25);
    if (answer) {
        le(m, 2, 0);
    } else {
        le(m, 1, 0);
        le(m, 1, 1);
        zeros(m, 8);
    }
    le(m, 2, answer ? 72 : 88);
    le(m, 2, t->len);
    if (!answer)
        zeros(m, 8);
    g_byte_array_append(m, t->data, t->len);
    g_byte_array_unref(t);
    return m;
}

static inline GByteArray *smb_tree(uint64_t id, const char *share)
{
    GByteArray *m = smb(CCM_SMB_TREE_CONNECT, SMB_SIGNED, 0, id, 0);
    le(m, 2, 9);
    le(m, 2, 0);
    le(m, 2, 72);
    le(m, 2, 2 * strlen(share));
    wide(m, share);
    return m;
}

static inline GByteArray *smb_tree_answer(uint64_t id)
{
    GByteArray *m = smb(CCM_SMB_TREE_CONNECT, SMB_RESPONSE, 0, id, 5);
    le(m, 2, 16);
    le(m, 1, 1);
    le(m, 1, 0);
    zeros(m, 12);
    return m;
}

static inline GByteArray *smb_create(unsigned flags, uint64_t id, const char *path,
                                     unsigned options)
{
    GByteArray *m = smb(CCM_SMB_CREATE, flags, 0, id, 5);
    le(m, 2, 57);
    zeros(m, 34);
    le(m, 4, 5); /* overwrite-if */
    le(m, 4, options);
    le(m, 2, 120);
    le(m, 2, 2 * strlen(path));
    zeros(m, 8);
    wide(m, path);
    return m;
}

static inline GByteArray *smb_create_answer(unsigned flags, uint64_t id, uint64_t file)
{
    GByteArray *m = smb(CCM_SMB_CREATE, flags | SMB_RESPONSE, 0, id, 5);
    le(m, 2, 89);
    le(m, 2, 0);
    le(m, 4, 2); /* created */
    zeros(m, 40);
    le(m, 8, 0); /* end of file */
    le(m, 4, 0x20);
    le(m, 4, 0);
    le(m, 8, file);
    le(m, 8, file + 1);
    zeros(m, 8);
    return m;
}

static inline void file_id(GByteArray *m, uint64_t file)
{
    le(m, 8, file);
    le(m, 8, file == UINT64_MAX ? file : file + 1);
}

static inline GByteArray *smb_write(unsigned flags, uint64_t id, uint64_t file, uint64_t offset,
                                    unsigned n)
{
    GByteArray *m = smb(CCM_SMB_WRITE, flags, 0, id, 5);
    le(m, 2, 49);
    le(m, 2, 112);
    le(m, 4, n);
    le(m, 8, offset);
    file_id(m, file);
    zeros(m, 16);
    for (unsigned i = 0; i < n; i++)
        le(m, 1, 'a' + i % 26);
    return m;
}

static inline GByteArray *smb_write_answer(unsigned flags, uint64_t id, unsigned n)
{
    GByteArray *m = smb(CCM_SMB_WRITE, flags | SMB_RESPONSE, 0, id, 5);
    le(m, 2, 17);
    le(m, 2, 0);
    le(m, 4, n);
    zeros(m, 8);
    return m;
}

static inline GByteArray *smb_read(uint64_t id, uint64_t file, unsigned n)
{
    GByteArray *m = smb(CCM_SMB_READ, SMB_SIGNED, 0, id, 5);
    le(m, 2, 49);
    le(m, 2, 0);
    le(m, 4, n);
    le(m, 8, 0);
    file_id(m, file);
    zeros(m, 17);
    return m;
}

static inline GByteArray *smb_read_answer(uint64_t id, unsigned n)
{
    GByteArray *m = smb(CCM_SMB_READ, SMB_RESPONSE, 0, id, 5);
    le(m, 2, 17);
    le(m, 2, 80);
    le(m, 4, n);
    zeros(m, 8);
    zeros(m, n);
    return m;
}

/* FileRenameInformation or, with path NULL, FileDispositionInformation. */
static inline GByteArray *smb_set_info(uint64_t id, uint64_t file, const char *path)
{
    GByteArray *m = smb(CCM_SMB_SET_INFO, SMB_SIGNED, 0, id, 5);
    le(m, 2, 33);
    le(m, 1, 1);
    le(m, 1, path ? 10 : 13);
    le(m, 4, path ? 20 + 2 * strlen(path) : 1);
    le(m, 2, 96);
    zeros(m, 6);
    file_id(m, file);
    if (path) {
        zeros(m, 16);
        le(m, 4, 2 * strlen(path));
        wide(m, path);
    } else {
        le(m, 1, 1);
    }
    return m;
}

static inline GByteArray *smb_close(unsigned flags, uint64_t id, uint64_t file)
{
    GByteArray *m = smb(CCM_SMB_CLOSE, flags, 0, id, 5);
    le(m, 2, 24);
    zeros(m, 6);
    file_id(m, file);
    return m;
}

static inline GByteArray *smb_close_answer(unsigned flags, uint64_t id)
{
    GByteArray *m = smb(CCM_SMB_CLOSE, flags | SMB_RESPONSE, 0, id, 5);
    le(m, 2, 60);
    zeros(m, 58);
    return m;
}

/* Who sends the message, and what. */
typedef struct smb_said {
    unsigned dir;
    GByteArray *m;
} smb_said;

enum { SMB_TALK = 22 };

/* A client that writes a file and renames it, writes and deletes another in a compound, and reads a
 * third; with an answer that is pending first. */
static inline void smb_talk(smb_said *v)
{
    unsigned n = 0;
#define SAY(dir, ...) v[n++] = (smb_said){ dir, framed(__VA_ARGS__) }
    SAY(0, smb_negotiate_request(), NULL);
    SAY(1, smb_negotiate_answer(), NULL);
    SAY(0, smb_setup(false, 0, 1, V_NTLM1), NULL);
    SAY(1, smb_setup(true, CCM_NT_MORE_PROCESSING, 1, V_NTLM2), NULL);
    SAY(0, smb_setup(false, 0, 2, V_NTLM3_MACHINE), NULL);
    SAY(1, smb_setup(true, 0, 2, ""), NULL);
    SAY(0, smb_tree(3, "\\\\dp01\\SMS_DP$"), NULL);
    SAY(1, smb_tree_answer(3), NULL);
    SAY(0, smb_create(SMB_SIGNED, 4, "a.temp", 0), NULL);
    SAY(1, smb_create_answer(0, 4, 70), NULL);
    SAY(0, smb_write(SMB_SIGNED, 5, 70, 0, 300), NULL);
    SAY(1, smb_error(CCM_SMB_WRITE, SMB_ASYNC, CCM_NT_PENDING, 5), NULL);
    SAY(1, smb_write_answer(SMB_ASYNC, 5, 300), NULL);
    SAY(0, smb_set_info(6, 70, "b"), NULL);
    SAY(1, smb(CCM_SMB_SET_INFO, SMB_RESPONSE, 0, 6, 5), NULL);
    SAY(0, smb_close(SMB_SIGNED, 7, 70), NULL);
    SAY(1, smb_close_answer(0, 7), NULL);
    /* delete on close, written in the same compound */
    SAY(0, smb_create(SMB_SIGNED, 8, "c.temp", 0x1000),
        smb_write(SMB_SIGNED | SMB_RELATED, 9, UINT64_MAX, 0, 40));
    SAY(1, smb_create_answer(0, 8, 90), smb_write_answer(SMB_RELATED, 9, 40));
    SAY(0, smb_read(10, 90, 500), smb_close(SMB_SIGNED | SMB_RELATED, 11, UINT64_MAX));
    SAY(1, smb_read_answer(10, 200), NULL);
    SAY(1, smb_close_answer(0, 11), NULL);
#undef SAY
    g_assert_cmpuint(n, ==, SMB_TALK);
}

static inline void smb_talk_free(smb_said *v)
{
    for (unsigned i = 0; i < SMB_TALK; i++)
        g_byte_array_unref(v[i].m);
}

#endif
