/* SPDX-License-Identifier: GPL-2.0-or-later
 * smb2_wire.c - frames of SMB and their headers.
 * In: bytes. Out: forms, lengths, header fields. State: none.
 * Spec: RFC 1002 section 4.3 (session service), MS-SMB2 sections 2.1 (direct TCP), 2.2.1
 * (headers), 2.2.41 (encrypted), 2.2.42 (compressed); MS-CIFS section 2.2.3.1 (SMB 1). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "proto/smb2_wire.h"
#include "proto/smb2_names.h"

enum {
    NBSS_MESSAGE = 0,
    NBSS_REQUEST = 0x81,
    NBSS_REQUEST_SIZE = 68, /* two encoded names */
    NBSS_NAME_SIZE = 32,    /* first byte of an encoded name */
    KNOWN_FLAGS = 0x3000007f,
    SIZE_FIELD = 64, /* StructureSize of the header */
};

ccm_smb_form ccm_smb_form_of(ccm_span in)
{
    if (in.n < 4 || memcmp(in.p + 1, "SMB", 3) != 0)
        return CCM_SMB_FORM_NONE;
    return in.p[0] == 0xfe   ? CCM_SMB_FORM_2
           : in.p[0] == 0xfd ? CCM_SMB_FORM_ENCRYPTED
           : in.p[0] == 0xfc ? CCM_SMB_FORM_COMPRESSED
           : in.p[0] == 0xff ? CCM_SMB_FORM_1
                             : CCM_SMB_FORM_NONE;
}

bool ccm_smb_header_read(ccm_span in, ccm_smb_header *out)
{
    ccm_cursor c = ccm_cur(in);
    ccm_cur_skip(&c, 4);
    uint16_t size = ccm_cur_le16(&c);
    out->charge = ccm_cur_le16(&c);
    out->status = ccm_cur_le32(&c);
    out->command = ccm_cur_le16(&c);
    out->credits = ccm_cur_le16(&c);
    out->flags = ccm_cur_le32(&c);
    out->next = ccm_cur_le32(&c);
    out->message_id = ccm_cur_le64(&c);
    ccm_cur_skip(&c, 4);
    out->tree = ccm_cur_le32(&c);
    out->session = ccm_cur_le64(&c);
    ccm_cur_skip(&c, 16); /* signature */
    if (out->flags & CCM_SMB_FLAG_ASYNC)
        out->tree = 0;
    return !c.bad && size == SIZE_FIELD && out->command < CCM_SMB_COMMANDS &&
           !(out->flags & ~(uint32_t)KNOWN_FLAGS) && out->next % 8 == 0 &&
           (!out->next || out->next >= CCM_SMB_HEAD);
}

static size_t least_size(ccm_smb_form form)
{
    switch (form) {
    case CCM_SMB_FORM_2:
        return CCM_SMB_HEAD;
    case CCM_SMB_FORM_ENCRYPTED:
        return CCM_SMB_TRANSFORM;
    case CCM_SMB_FORM_COMPRESSED:
        return CCM_SMB_COMPRESSED;
    case CCM_SMB_FORM_1:
        return CCM_SMB1_HEAD;
    case CCM_SMB_FORM_NONE:
        break;
    }
    return SIZE_MAX;
}

/* The name that a session request asks for. */
static ccm_probe request_shape(ccm_span in)
{
    static const uint8_t begin[] = { NBSS_REQUEST, 0, 0, NBSS_REQUEST_SIZE, NBSS_NAME_SIZE };
    if (memcmp(in.p, begin, MIN(in.n, sizeof begin)) != 0)
        return CCM_PROBE_NO;
    return in.n < sizeof begin ? CCM_PROBE_MAYBE : CCM_PROBE_YES;
}

ccm_probe ccm_smb_shape(ccm_span in)
{
    if (!in.n)
        return CCM_PROBE_MAYBE;
    if (in.p[0] == NBSS_REQUEST)
        return request_shape(in);
    if (in.p[0] != NBSS_MESSAGE)
        return CCM_PROBE_NO;
    if (in.n < CCM_NBSS_HEAD + 4)
        return in.n > 4 && in.p[4] < 0xfc ? CCM_PROBE_NO : CCM_PROBE_MAYBE;
    ccm_cursor c = ccm_cur(in);
    size_t n = ccm_cur_be32(&c); /* the first byte is zero */
    ccm_span message = ccm_cur_take(&c, ccm_cur_left(&c));
    ccm_smb_form form = ccm_smb_form_of(message);
    if (n < least_size(form))
        return CCM_PROBE_NO;
    ccm_smb_header h;
    if (form == CCM_SMB_FORM_2 && message.n >= CCM_SMB_HEAD &&
        (!ccm_smb_header_read(message, &h) || h.next >= n))
        return CCM_PROBE_NO;
    return CCM_PROBE_YES;
}

size_t ccm_smb_seek(ccm_span in, size_t *keep)
{
    enum { BEFORE = CCM_NBSS_HEAD + 1, SURE = CCM_NBSS_HEAD + CCM_SMB_HEAD };
    *keep = MIN(in.n, (size_t)BEFORE + 2);
    for (size_t at = 0; at < in.n;) {
        const uint8_t *hit = memmem(in.p + at, in.n - at, "SMB", 3);
        if (!hit)
            break;
        size_t i = (size_t)(hit - in.p);
        at = i + 1;
        if (i < BEFORE)
            continue;
        ccm_span from = ccm_span_of(in.p + i - BEFORE, in.n - i + BEFORE);
        if (from.p[0] == NBSS_REQUEST || ccm_smb_shape(from) != CCM_PROBE_YES)
            continue;
        if (from.n >= SURE || ccm_smb_form_of(ccm_span_of(hit - 1, 4)) != CCM_SMB_FORM_2)
            return i - BEFORE;
        *keep = from.n; /* the header must be whole */
        break;
    }
    return SIZE_MAX;
}
