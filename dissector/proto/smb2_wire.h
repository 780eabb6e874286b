/* SPDX-License-Identifier: GPL-2.0-or-later
 * smb2_wire.h - where SMB messages begin, how long they are, and their headers. */
#ifndef CCM_PROTO_SMB2_WIRE_H
#define CCM_PROTO_SMB2_WIRE_H

#include "proto/proto.h"

enum {
    CCM_NBSS_HEAD = 4,
    CCM_SMB_HEAD = 64,
    CCM_SMB_TRANSFORM = 52,  /* header of an encrypted message */
    CCM_SMB_COMPRESSED = 16, /* header of a compressed message */
    CCM_SMB1_HEAD = 32,
};

enum {
    CCM_SMB_FLAG_RESPONSE = 1,
    CCM_SMB_FLAG_ASYNC = 2,
    CCM_SMB_FLAG_RELATED = 4,
    CCM_SMB_FLAG_SIGNED = 8,
};

/* What the first byte before "SMB" tells. */
typedef enum ccm_smb_form {
    CCM_SMB_FORM_NONE,
    CCM_SMB_FORM_1,
    CCM_SMB_FORM_2,
    CCM_SMB_FORM_ENCRYPTED,
    CCM_SMB_FORM_COMPRESSED,
} ccm_smb_form;

typedef struct ccm_smb_header {
    uint16_t charge; /* credits it consumes */
    uint16_t command;
    uint16_t credits; /* asked for; of a response: granted */
    uint32_t status;  /* of a response */
    uint32_t flags;
    uint32_t next; /* offset of the next header of a compound; 0 = the last */
    uint64_t message_id;
    uint32_t tree; /* 0 of an asynchronous message */
    uint64_t session;
} ccm_smb_header;

/* Four bytes that name the form; fewer: NONE. */
ccm_smb_form ccm_smb_form_of(ccm_span in);
/* An SMB 2 header of CCM_SMB_HEAD bytes. False when it is none. */
bool ccm_smb_header_read(ccm_span in, ccm_smb_header *out);
/* Does a session message with an SMB message in it begin here, with the header of RFC 1002? */
ccm_probe ccm_smb_shape(ccm_span in);
/* Offset of the first session message with SMB in it, or SIZE_MAX: then *keep bytes at the end may
 * be the beginning of one. */
size_t ccm_smb_seek(ccm_span in, size_t *keep);

#endif
