/* SPDX-License-Identifier: GPL-2.0-or-later
 * auth.h - who proved what to whom: the verdict on one exchange, from it and its connection alone.
 *
 * In: observations of an exchange. Out: a verdict for each stage, with evidence. State:
 * ccm_auth_facts of an open exchange and ccm_auth_connection, plain values that their owner keeps
 * (the model for each flow, the joiner of exchanges likewise), so that both conclude alike.
 * The decision tables are those of auth-modes.md: 3 (management point), 4 (distribution point),
 * 6.1 (evidence), 8 (certainty). */
#ifndef CCM_MODEL_AUTH_H
#define CCM_MODEL_AUTH_H

#include "model/auth_names.h"
#include "model/index.h"
#include "model/texts.h"
#include "observe/obs.h"

/* What a request carried in Authorization (or Proxy-Authorization). */
typedef enum ccm_credential {
    CCM_CREDENTIAL_NONE,
    CCM_CREDENTIAL_NTLM_1,
    CCM_CREDENTIAL_NTLM_3,
    CCM_CREDENTIAL_NTLM_ANONYMOUS, /* type 3 without a user */
    CCM_CREDENTIAL_NTLM,           /* of an unknown type */
    CCM_CREDENTIAL_KERBEROS,
    CCM_CREDENTIAL_BASIC,
    CCM_CREDENTIAL_DIGEST,
    CCM_CREDENTIAL_OTHER, /* could not be read, or is of no known kind */
} ccm_credential;

/* What the target tells: a virtual directory's way to authenticate, or a kind of request. */
typedef enum ccm_auth_path {
    CCM_PATH_WINDOWSAUTH = 1,
    CCM_PATH_TOKENAUTH = 2,
    CCM_PATH_ALTAUTH = 4,
    CCM_PATH_NOCERT = 8,
    CCM_PATH_CCMTOKENAUTH = 16,
    CCM_PATH_MESSAGE = 32,    /* the message router */
    CCM_PATH_POLICY = 64,     /* .sms_pol */
    CCM_PATH_LOCATION = 128,  /* a location query of .sms_aut */
    CCM_PATH_CLIENT = 256,    /* files of the client's installation */
    CCM_PATH_VIA_PROXY = 512, /* absolute target */
    CCM_PATH_TUNNEL = 1024,   /* CONNECT: what is inside is the tunnel's */
    CCM_PATH_CONTENT = 2048,  /* of a distribution point or a peer: one stage */
    /* Documented to take such tokens; without them _TOKENAUTH and _CCMTOKENAUTH are a mere name. */
    CCM_PATH_CCM_TOKEN = 4096,
    CCM_PATH_ENTRA_TOKEN = 8192,
    CCM_PATH_CONTENT_URL = 16384, /* the address itself holds what a gateway's content asks for */
} ccm_auth_path;

/* What follows from the texts of a request alone. */
typedef struct ccm_auth_request {
    uint32_t origin; /* via a proxy, hash of the host behind it; 0 = not known */
    uint16_t path;   /* ccm_auth_path bits */
    bool post;       /* CCM_POST */
    bool task_sequence;
} ccm_auth_request;

ccm_auth_request ccm_auth_request_of(ccm_span method, ccm_span target, ccm_span user_agent);

/* A credential of one exchange for the server (0) or for a web proxy on the way (1). */
typedef struct ccm_auth_offer {
    uint32_t account; /* text, DOMAIN\NAME or the like; CCM_NONE */
    uint32_t spn;     /* text: the Kerberos ticket, see ccm_auth_ticket; CCM_NONE */
    uint8_t credential, kind;
    bool by_scheme;       /* nothing but the scheme word is known */
    bool offers_kerberos; /* SPNEGO listed it */
    bool continues;       /* the server's answer goes on with the handshake */
    bool error;           /* the server's answer holds a Kerberos error */
    bool elsewhere;       /* ccm_auth_workstation_differs */
    uint32_t error_code;
} ccm_auth_offer;

/* A JSON web token of a request. */
typedef struct ccm_auth_token {
    uint32_t account;   /* text; CCM_NONE */
    uint8_t mode, kind; /* ccm_auth_mode, ccm_account_kind */
    uint8_t offer;      /* 0 for the server, 1 for a web proxy, as ccm_auth_facts.offer */
} ccm_auth_token;

enum { CCM_AUTH_TOKENS = 4 }; /* different ones; parsers tell no more of a request */

typedef struct ccm_auth_facts {
    uint64_t exchange, time_ns;
    uint64_t request_frame, response_frame, message_frame;
    ccm_auth_offer offer[2];
    uint32_t origin; /* as in ccm_auth_request */
    uint16_t path, status;
    uint8_t n_tokens;
    uint8_t endpoint; /* ccm_auth_endpoint */
    bool open, request, response, head_incomplete, blind;
    bool task_sequence, message, message_signed, verified, failed;
    uint8_t header_signature; /* 0 absent, 1 well-formed, 2 malformed */
    bool post;                /* CCM_POST */
    bool message_unread;      /* its header broke off before it told anything */
    bool message_cut;         /* it broke off behind the hook, perhaps before the signatures */
    bool key_changed;         /* a signature verifies, with another key than before */
    bool id_signed;           /* a client id is, which is always the same */
    bool rest_signed;         /* something else is */
    bool empty_reply;
    bool challenge;                        /* a 401 offers Negotiate or NTLM */
    ccm_auth_token token[CCM_AUTH_TOKENS]; /* the first n_tokens are set */
} ccm_auth_facts;

/* An exchange as most are, in few bytes: a request that says nothing of who sends it and goes where
 * nothing else tells either. Answered, and with no refusal, it is anonymous. */
typedef struct ccm_auth_plain {
    uint64_t exchange, time_ns, request_frame, response_frame;
    uint16_t path, status; /* status 0 = not answered yet */
    bool open, post;
} ccm_auth_plain;

typedef enum ccm_auth_endpoint {
    CCM_ENDPOINT_OTHER,
    CCM_ENDPOINT_REGISTRATION,
    CCM_ENDPOINT_LOCATION,
} ccm_auth_endpoint;

/* One stage of a connection: whom it was authenticated as, and an unfinished handshake. */
typedef struct ccm_auth_side {
    uint32_t account, spn;
    uint8_t mode, kind;  /* CCM_AUTH_NTLM or _KERBEROS while the connection is authenticated */
    bool rejected;       /* a Kerberos token was refused here */
    bool offered;        /* Kerberos was offered in a handshake that did not end well */
    bool unread;         /* so it may have been: a credential could not be read */
    bool type1;          /* NTLM has begun, and not ended */
    uint8_t fallback;    /* ccm_auth_evidence that its begin is; 0 = tells nothing */
    uint32_t error_code; /* of the refusal; 0 = not told */
    bool elsewhere;      /* ccm_auth_workstation_differs */
    uint64_t time_ns;    /* when it was authenticated */
    uint32_t origin;     /* the server behind a web proxy; 0 = not known */
    struct {
        bool open, challenged, unread; /* unread: a credential could not be read */
        uint8_t mode;
        uint64_t frame, challenge_frame, type1_frame, time_ns;
        uint64_t refused_frame; /* of the first refusal, which is a challenge or none */
        uint64_t unread_frame;
        uint64_t ticket_frame; /* of a Kerberos handshake, as is spn */
        uint32_t spn;
        uint16_t path;
    } leg;
} ccm_auth_side;

/* The client's certificate of the TLS connection that the exchanges came out of. */
typedef struct ccm_auth_certificate {
    uint8_t mode, kind, certainty; /* mode CCM_AUTH_NONE_OBSERVED = there is none */
    uint8_t evidence;
    uint32_t account;
    uint64_t frame;
} ccm_auth_certificate;

typedef struct ccm_auth_connection {
    ccm_auth_side side[2];
    ccm_auth_side parked; /* of another server behind the proxy */
    ccm_auth_certificate certificate;
    bool blind;  /* bytes before this are missing: it may have been authenticated unseen */
    bool forgot; /* a third server was authenticated to, it is not known which */
} ccm_auth_connection;

enum { CCM_VERDICTS = 10, CCM_VERDICT_EVIDENCE = 12 };

typedef struct ccm_auth_mark {
    uint8_t id; /* ccm_auth_evidence */
    uint32_t code;
    uint64_t frame;
} ccm_auth_mark;

typedef struct ccm_auth_verdict {
    uint8_t stage, mode, kind, certainty;
    uint8_t n;
    bool denied;
    bool leg;         /* a step of a handshake: counted with its end */
    bool windowsauth; /* CCM_EV_WINDOWSAUTH_PATH is among the evidence */
    bool doubted;     /* something speaks against it, or against the login that covers it */
    bool earlier;     /* about an earlier exchange, whose handshake ended without success */
    uint32_t account; /* text; CCM_NONE */
    uint32_t spn;     /* text, when the account is not known; CCM_NONE */
    uint64_t time_ns;
    ccm_auth_mark evidence[CCM_VERDICT_EVIDENCE];
} ccm_auth_verdict;

typedef struct ccm_auth_verdicts {
    unsigned n;
    ccm_auth_verdict v[CCM_VERDICTS];
} ccm_auth_verdicts;

/* auth.c: any observation of an exchange but http_done, and but the tokens of an answer: those are
 * issued, and prove nothing. Texts go to `texts`. */
void ccm_auth_collect(ccm_auth_facts *f, ccm_texts *texts, const ccm_obs *obs);
/* The same of an http_request of whose texts this is known. */
void ccm_auth_collect_request(ccm_auth_facts *f, const ccm_obs *obs, const ccm_auth_request *is);
/* DOMAIN\\name as text; a name that has its domain already, or none, as it is. CCM_NONE: no name.
 */
uint32_t ccm_auth_account(ccm_texts *texts, ccm_span domain, ccm_span name);
/* ccm_account_kind: a computer's ends with $, before @ and its domain. */
uint8_t ccm_auth_account_kind(ccm_span name);
/* The host of HTTP/host, or cifs/host as it is, in lower case; CCM_NONE for another service. */
uint32_t ccm_auth_spn_host(ccm_texts *texts, ccm_span spn);
/* "host#hash": a ticket for the service on `host` that would be known again; `host` alone when the
 * ticket was not whole. */
uint32_t ccm_auth_ticket(ccm_texts *texts, uint32_t host, uint64_t ticket_hash);
/* signature: does it verify, but with another key than the client id used first? */
bool ccm_auth_key_changed(const ccm_obs *obs);
/* Is an account of a computer used at a workstation of another name? False where one of them is not
 * known: an empty name, or bytes of an unknown code page. */
bool ccm_auth_workstation_differs(ccm_span account, ccm_span workstation);
void ccm_auth_begin(ccm_auth_facts *f, uint64_t exchange);
void ccm_auth_connection_begin(ccm_auth_connection *c);
/* http_done: what it adds. */
void ccm_auth_done(ccm_auth_facts *f, const ccm_obs *obs);
bool ccm_auth_blind(const ccm_obs *done);
/* Is the exchange plain, of which these facts of its request are known? */
bool ccm_auth_plain_of(const ccm_auth_facts *f, ccm_auth_plain *out);
/* Takes what a response tells; false: it is plain no more, and is as it was. */
bool ccm_auth_plain_response(ccm_auth_plain *p, const ccm_obs *obs);
/* How sure it is that whoever was answered so is anonymous. */
uint8_t ccm_auth_anonymous_certainty(unsigned status);
/* Would the connection's state find one that was answered anonymous, and learn nothing from it? */
bool ccm_auth_connection_quiet(const ccm_auth_connection *c);
/* The same as facts: it turned out to be more than plain. */
ccm_auth_facts ccm_auth_plain_facts(const ccm_auth_plain *p);

/* auth_verdict.c: the exchange is over; the connection learns from it. */
void ccm_auth_conclude(ccm_auth_connection *c, const ccm_auth_facts *f, ccm_auth_verdicts *out);
/* The connection is over: handshakes that never ended. */
void ccm_auth_connection_end(ccm_auth_connection *c, ccm_auth_verdicts *out);

#endif
