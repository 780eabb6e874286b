/* SPDX-License-Identifier: GPL-2.0-or-later
 * smb.h - what a model keeps of SMB: sessions, shares and files of each client and server.
 *
 * In: observations of SMB. Out: mergeable sums. State: ccm_smb_sums, part of a model, bounded by
 * CCM_SMB_ROWS. */
#ifndef CCM_MODEL_SMB_H
#define CCM_MODEL_SMB_H

#include "model/model.h"

enum { CCM_SMB_ROWS = 1 << 16 };

typedef enum ccm_smb_what {
    CCM_SMB_SESSION, /* name: account; detail: dialect */
    CCM_SMB_SHARE,   /* name: share */
    CCM_SMB_FILE,    /* name: share and path; detail: what it was renamed to */
    CCM_SMB_TALK,    /* connections, complete: negotiations; detail: dialect */
} ccm_smb_what;

typedef enum ccm_smb_flag {
    CCM_SMB_IS_SIGNED = 1,
    CCM_SMB_IS_ENCRYPTED = 2,
    CCM_SMB_IS_DELETED = 4,  /* a file: deleted when it was closed */
    CCM_SMB_IS_SPN = 8,      /* a session: `name` is a ticket, see ccm_auth_ticket */
    CCM_SMB_WRITTEN = 16,    /* a file: data went to the server ... */
    CCM_SMB_WAS_READ = 32,   /* ... or came from it */
    CCM_SMB_UNANSWERED = 64, /* no answer was seen */
    CCM_SMB_BROKEN = 128,    /* a file: opened, but a read or write failed: `status` */
} ccm_smb_flag;

/* Equal keys (the first part) are one row. Texts: CCM_NONE = not known. */
typedef struct ccm_smb_row {
    ccm_addr client, server;
    uint16_t port;
    uint8_t what, flags;
    uint8_t mode, kind;            /* of a session: ccm_auth_mode, ccm_account_kind */
    uint32_t name, detail, status; /* status: name of a failure */
    /* sums; index 0 = to the server */
    uint64_t count, complete;
    uint64_t bytes[2], encrypted[2], missing;
    bool at_least; /* there may be more */
    /* maxima, of connections */
    bool large_mtu;
    uint64_t max_read, max_write, charge, credits;
    uint64_t size; /* of a file as the last handle left it */
    uint64_t first_frame, first_ns, last_ns;
} ccm_smb_row;

typedef struct ccm_smb_sums {
    ccm_index index;
    GArray *rows; /* ccm_smb_row */
} ccm_smb_sums;

struct ccm_smb_sums *ccm_smb_sums_new(void);
void ccm_smb_sums_free(struct ccm_smb_sums *s);
/* Any observation of SMB. */
void ccm_model_smb(ccm_model *m, const ccm_obs *obs);
void ccm_smb_merge(ccm_model *to, const ccm_model *from);

#endif
