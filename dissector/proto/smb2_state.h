/* SPDX-License-Identifier: GPL-2.0-or-later
 * smb2_state.h - what the files of the SMB parser share: the state of one connection.
 *
 * Tables are bounded by limits->smb_entries, of one connection and (by ps->smb_entries) of all
 * together: at the bound the coldest entry of the connection is told as incomplete and goes. */
#ifndef CCM_PROTO_SMB2_STATE_H
#define CCM_PROTO_SMB2_STATE_H

#include "proto/smb2_names.h"
#include "proto/smb2_table.h"
#include "proto/smb2_wire.h"

enum {
    CCM_SMB_PATH = 1024,   /* bytes of a path that are kept */
    CCM_SMB_ANSWERS = 64,  /* distinct pairs of command and status counted in one connection */
    CCM_SMB_NONE = 0xffff, /* no dialect, no cipher */
};

/* Session of the set-up of SMB 1 that is going on: no id of SMB 2 that a server gives by itself. */
#define CCM_SMB1_SETUP UINT64_MAX

typedef enum ccm_smb_way { CCM_SMB_WRITES, CCM_SMB_READS } ccm_smb_way;

/* A handle, from the CREATE request on. Shared by the table of files, by requests and by what
 * passes right now; the last one to let go frees it. */
typedef struct ccm_smb_file {
    unsigned refs;
    bool in_table; /* .id is valid */
    bool answered, failed, opened_unseen, closed, told;
    bool delete_on_close, directory, path_cut;
    bool has_size;
    uint64_t id[2], session;
    char *path, *share, *account, *renamed_to; /* GRefString; NULL */
    uint64_t time_ns, frame;                   /* of the CREATE request, or of the first message */
    uint64_t end_ns;
    uint64_t data_start_ns, data_end_ns;
    uint64_t bytes[2], missing[2], first[2]; /* first: offset of the first transfer */
    uint64_t write_end;                      /* highest offset behind a WRITE */
    uint64_t size;                           /* at the end, as the server told */
    uint32_t transfers[2];
    uint32_t status, disposition, action;
    uint32_t transfer_status; /* first refusal of a read or write; 0 = none */
    int64_t unread[2];        /* of the halves, when it was opened */
} ccm_smb_file;

/* What the tokens of one session set-up tell. Texts are GRefStrings; NULL = not told. */
typedef struct ccm_smb_auth {
    const char *mechanism; /* a literal; NULL */
    char *mechanisms, *account, *domain, *workstation, *realm, *spn;
    uint64_t ticket_hash;
    bool anonymous, incomplete;
    uint64_t time_ns, frame; /* of the message that named the account, else of the first one */
} ccm_smb_auth;

typedef struct ccm_smb_session {
    ccm_smb_key key; /* session id */
    ccm_smb_auth *auth;
    char *account; /* GRefString: DOMAIN\NAME */
    bool open;     /* a set-up was seen and is not told yet */
    bool answered, guest, null_session, encrypted, must_sign, signs;
    uint32_t status;
} ccm_smb_session;

typedef struct ccm_smb_tree {
    ccm_smb_key key; /* tree, session */
    char *share;     /* GRefString */
} ccm_smb_tree;

typedef enum ccm_smb_change {
    CCM_SMB_CHANGE_NONE,
    CCM_SMB_CHANGE_RENAME,
    CCM_SMB_CHANGE_DELETE,
    CCM_SMB_CHANGE_KEEP, /* not to be deleted after all */
} ccm_smb_change;

typedef struct ccm_smb_request {
    ccm_smb_key key; /* message id */
    uint64_t time_ns, frame, session;
    uint64_t offset; /* of a READ */
    uint32_t tree;
    uint16_t command;
    uint8_t change;     /* of SET_INFO */
    bool must_sign;     /* of SESSION_SETUP: the client insists on it */
    bool cut;           /* of WRITE: how much and where is not there */
    ccm_smb_file *file; /* a reference */
    char *text;         /* GRefString: share of TREE_CONNECT, new name of a rename */
    ccm_smb_auth *auth; /* of SESSION_SETUP */
} ccm_smb_request;

typedef struct ccm_smb_answers {
    uint16_t command;
    uint32_t status;
    uint64_t count, time_ns, frame;
} ccm_smb_answers;

typedef struct ccm_smb_half {
    uint8_t state;
    bool resumed; /* a search has begun in an earlier call */
    size_t kept;
    uint64_t left;          /* bytes of the session message that are still to come */
    uint64_t pass;          /* of these, bytes that nobody reads */
    uint64_t payload;       /* of these, bytes of a file; they come first */
    ccm_smb_file *transfer; /* a reference: whose bytes they are */
    ccm_smb_way way;
    bool chained; /* a header of this session message was read: the next may be related */
    bool chain_failed;
    ccm_smb_file *chain; /* a reference: the handle of the compound so far */
    uint64_t chain_session;
    uint32_t chain_tree;
    int64_t unread; /* bytes of messages that nobody knows, less those that answers told of */
} ccm_smb_half;

typedef struct ccm_smb {
    ccm_smb_half half[2];
    int8_t client;                   /* -1 unknown */
    bool heads;                      /* a message was found: this is SMB */
    bool midstream, confused, clear; /* clear: a message could be read */
    ccm_smb_table requests, files, sessions, trees;
    unsigned entries; /* in these tables */
    uint64_t limit_hits;
    bool smb1_offered, server_signs; /* server_signs: it insists */
    bool close_unseen;               /* a handle was closed, and nobody knows which */
    uint16_t dialect;                /* CCM_SMB_NONE; 1 = SMB 1 */
    char *offered;                   /* GRefString: dialects of the client */
    uint64_t counts[CCM_SMB_COMMANDS];
    ccm_smb_answers answers[CCM_SMB_ANSWERS];
    unsigned n_answers;
    uint16_t charge, credits; /* most that one message consumed, one answer granted */
    uint64_t pdus, signed_pdus, compressed_pdus, pending;
    uint64_t encrypted_pdus[2], encrypted_bytes[2]; /* by who sent them: client, server */
    uint64_t bytes[2], missing[2];                  /* by ccm_smb_way, of files known or not */
} ccm_smb;

/* One message: `in` is what there is of it, from its header on; `size` its bytes on the wire. */
typedef struct ccm_smb_pdu {
    ccm_smb_header h;
    ccm_span in;
    uint64_t size;
    uint64_t payload; /* out: bytes of a file behind what was used ... */
    size_t used;      /* out: ... which are so many; 0 = all of `in` */
} ccm_smb_pdu;

/* A reference to the text: UTF-16LE, cut at CCM_SMB_PATH bytes. NULL when it is empty. */
char *ccm_smb_text(ccm_span utf16, bool *cut);
/* A name as text; NULL when it is empty. */
char *ccm_smb_copy(ccm_span s);
ccm_span ccm_smb_span(const char *text);
void ccm_smb_drop(char **text);

/* smb2_state.c: the tables and who owns what. */
void ccm_smb_init(ccm_smb *st);
ccm_smb_file *ccm_smb_file_new(const ccm_smb *st, const ccm_parse *ps);
ccm_smb_file *ccm_smb_file_ref(ccm_smb_file *f);
void ccm_smb_file_unref(ccm_smb_file **f);
/* A known handle, or a new one that was opened unseen. NULL when there is no room. */
ccm_smb_file *ccm_smb_file_get(ccm_smb *st, ccm_parse *ps, uint64_t a, uint64_t b);
void ccm_smb_file_open(ccm_smb *st, ccm_parse *ps, ccm_smb_file *f, uint64_t a, uint64_t b);
/* The one file that the sender of the answer has open, in its share if the answer names one; NULL:
 * none, or several. */
ccm_smb_file *ccm_smb_file_only(ccm_smb *st, const ccm_smb_header *answer);
/* Tells the file, if it was not told, and forgets its id. */
void ccm_smb_file_close(ccm_smb *st, ccm_parse *ps, ccm_smb_file *f);
/* Keeps the request until its answer, with all that it owns; or frees that, without room. */
void ccm_smb_request_put(ccm_smb *st, ccm_parse *ps, ccm_smb_request *r);
/* Takes it out of the table; the caller frees what it owns. False: it was not seen. */
bool ccm_smb_request_take(ccm_smb *st, const ccm_parse *ps, uint64_t message_id,
                          ccm_smb_request *out);
void ccm_smb_request_free(ccm_smb_request *r);
ccm_smb_session *ccm_smb_session_get(ccm_smb *st, ccm_parse *ps, uint64_t id);
ccm_smb_session *ccm_smb_session_find(ccm_smb *st, uint64_t id);
void ccm_smb_session_remove(ccm_smb *st, const ccm_parse *ps, ccm_smb_session *s);
/* `share` is taken over. */
void ccm_smb_tree_add(ccm_smb *st, ccm_parse *ps, uint32_t tree, uint64_t session, char *share);
void ccm_smb_tree_remove(ccm_smb *st, const ccm_parse *ps, uint32_t tree, uint64_t session);
/* A reference; NULL = not known. */
char *ccm_smb_tree_share(ccm_smb *st, uint32_t tree, uint64_t session);
/* The connection is over: tells all that is open and frees it. */
void ccm_smb_clear(ccm_smb *st, ccm_parse *ps);

/* smb2_request.c, smb2_response.c: one message each. */
void ccm_smb_request_read(ccm_smb *st, ccm_parse *ps, ccm_smb_half *half, ccm_smb_pdu *pdu);
void ccm_smb_response_read(ccm_smb *st, ccm_parse *ps, ccm_smb_half *half, ccm_smb_pdu *pdu);

/* smb2_session.c */
void ccm_smb_auth_free(ccm_smb_auth **auth);
void ccm_smb_negotiate_request(ccm_smb *st, const ccm_smb_pdu *pdu);
void ccm_smb_negotiate_response(ccm_smb *st, ccm_parse *ps, const ccm_smb_pdu *pdu);
void ccm_smb_setup_request(ccm_parse *ps, const ccm_smb_pdu *pdu, ccm_smb_request *r);
void ccm_smb_setup_response(ccm_smb *st, ccm_parse *ps, const ccm_smb_pdu *pdu, ccm_smb_request *r);
/* A security token from side `from`: tells smb_auth, and adds to *auth what it names. */
void ccm_smb_token(const ccm_parse *ps, unsigned from, uint64_t session, ccm_span token, bool cut,
                   ccm_smb_auth **auth);
/* The set-up of a session has its result. */
void ccm_smb_session_result(ccm_smb_session *s, ccm_smb_auth **auth, uint32_t status);
/* A message of the session was seen: tells it once it is clear whether it signs. */
void ccm_smb_session_used(ccm_smb *st, ccm_parse *ps, uint64_t session, const ccm_smb_header *h);
void ccm_smb_session_tell(const ccm_smb *st, const ccm_parse *ps, ccm_smb_session *s);

/* smb1.c: negotiation and session set-up of SMB 1; `in` begins with its header. */
size_t ccm_smb1_need(ccm_span in);
void ccm_smb1_read(ccm_smb *st, ccm_parse *ps, ccm_span in);

/* smb2_tell.c: observations. */
static inline unsigned ccm_smb_client(const ccm_smb *st)
{
    return st->client > 0 ? 1 : 0;
}

void ccm_smb_status(ccm_obs *o, uint32_t status);
void ccm_smb_file_tell(const ccm_smb *st, const ccm_parse *ps, ccm_smb_file *f);
void ccm_smb_tree_tell(const ccm_smb *st, const ccm_parse *ps, const ccm_smb_request *r,
                       const ccm_smb_pdu *answer, uint8_t type, uint32_t flags);
void ccm_smb_counts_tell(const ccm_smb *st, const ccm_parse *ps);

#endif
