/* SPDX-License-Identifier: Apache-2.0
 *
 * The call gate: everything that passes between the two chips. This header holds the call table,
 * from which server dispatch, size checks, the negative tests and docs/gate.md are made, and the
 * client's side of the channel. Frames, handshake and key derivation stand byte by byte in
 * docs/formats.md.
 *
 * A call is a request message and a response message of flat bytes. The first byte of a request
 * with several operations names the operation; docs/formats.md lists the fields.
 */
#ifndef COS_GATE_H
#define COS_GATE_H

#include "cos/bytes.h"
#include "cos/config.h"
#include "cos/crypto.h"
#include "cos/port.h"
#include "cos/rule.h"

/* Life of the card (docs/formats.md, "Production steps"); one way only, but OPERATIONAL <-> LOCKED.
 */
enum cos_life_cycle {
    COS_LIFE_BLANK = 0, /* no fab record, or the image cannot be trusted: mute */
    COS_LIFE_FABRICATED = 1,
    COS_LIFE_PACKAGED = 2,
    COS_LIFE_PRODUCED = 3,
    COS_LIFE_INITIALIZED = 4,
    COS_LIFE_PERSONALIZED = 5,
    COS_LIFE_OPERATIONAL = 6,
    COS_LIFE_LOCKED = 7,
    COS_LIFE_TERMINATED = 8,
};
#define COS_LIFE_BIT(state) (1U << (state))

/* Sets of states, for the call table and the command table. */
#define COS_STATES_ANY        0x1FFU
#define COS_STATES_FABRICATED COS_LIFE_BIT(COS_LIFE_FABRICATED)
/* Paired and alive: a session exists. */
#define COS_STATES_PAIRED                                                                          \
    (COS_LIFE_BIT(COS_LIFE_PACKAGED) | COS_LIFE_BIT(COS_LIFE_PRODUCED) |                           \
     COS_LIFE_BIT(COS_LIFE_INITIALIZED) | COS_LIFE_BIT(COS_LIFE_PERSONALIZED) |                    \
     COS_LIFE_BIT(COS_LIFE_OPERATIONAL) | COS_LIFE_BIT(COS_LIFE_LOCKED))
/* Card keys exist: SCP03 works. */
#define COS_STATES_KEYED (COS_STATES_PAIRED & ~COS_LIFE_BIT(COS_LIFE_PACKAGED))
/* In production under SCP03, or in use: files and security objects may be touched. */
#define COS_STATES_FILES (COS_STATES_KEYED & ~COS_LIFE_BIT(COS_LIFE_LOCKED))
/* The holder's PINs and keys may be used. */
#define COS_STATES_USE                                                                             \
    (COS_LIFE_BIT(COS_LIFE_INITIALIZED) | COS_LIFE_BIT(COS_LIFE_PERSONALIZED) |                    \
     COS_LIFE_BIT(COS_LIFE_OPERATIONAL))

/* Largest part of a vault file's content in one READ, UPDATE or WRITE. */
#define COS_VAULT_PART 256U

/* The call table: X(name, opcode, smallest request, largest request, largest response, states,
 * session, served). Lengths are of the message without framing; a response's length is without
 * result, flags and epoch. session: NO = the call travels in the clear and is served without a
 * session, YES = only in a session, BOTH. */
#define COS_GATE_CALLS(X)                                                                          \
    X(STATUS, 0x01, 0, 0, 32, COS_STATES_ANY, BOTH, 1)                                             \
    X(HELLO, 0x02, 9, 18, 24, COS_STATES_FABRICATED | COS_STATES_PAIRED, NO, 1)                    \
    X(CONTEXT, 0x03, 2, 20, 1, COS_STATES_PAIRED, YES, 1)                                          \
    X(ACCESS, 0x04, 3, 1 + COS_RULE_MAX, 4, COS_STATES_FILES, YES, 1)                              \
    X(PIN, 0x05, 4, 36, 1, COS_STATES_USE, YES, 1)                                                 \
    X(CHALLENGE, 0x06, 2, 2, 64, COS_STATES_KEYED, YES, 1)                                         \
    X(AUTH, 0x07, 4, COS_GATE_MESSAGE_MAX - 60, COS_GATE_MESSAGE_MAX - 8, COS_STATES_KEYED, YES,   \
      1)                                                                                           \
    X(KEY, 0x08, 2, 264, COS_GATE_MESSAGE_MAX - 8, COS_STATES_KEYED, YES, 1)                       \
    X(CRYPT, 0x09, 4, COS_GATE_MESSAGE_MAX - 8, COS_GATE_MESSAGE_MAX - 8, COS_STATES_USE, YES, 1)  \
    X(SE, 0x0A, 3, 64, 0, COS_STATES_USE, YES, 1)                                                  \
    X(SM_OPEN, 0x0B, 5, 265, 267, COS_STATES_KEYED, YES, 1)                                        \
    X(SM_SEAL, 0x0C, 3, 259, COS_GATE_MESSAGE_MAX - 8,                                             \
      COS_STATES_KEYED | COS_LIFE_BIT(COS_LIFE_TERMINATED), YES, 1)                                \
    X(VAULT, 0x0D, 4, 7 + COS_VAULT_PART, COS_VAULT_PART, COS_STATES_FILES, YES, 1)                \
    X(LIFE, 0x0E, 1, 160, 160, COS_STATES_FABRICATED | COS_STATES_PAIRED, BOTH, 1)

enum cos_gate_call {
#define COS_GATE_ENUM(name, opcode, smallest, largest, response, states, session, served)          \
    COS_GATE_##name = (opcode),
    COS_GATE_CALLS(COS_GATE_ENUM)
#undef COS_GATE_ENUM
};

/* One row of the table, for whoever wants it as data. */
enum cos_gate_session { COS_GATE_SESSION_NO, COS_GATE_SESSION_YES, COS_GATE_SESSION_BOTH };
struct cos_gate_row {
    uint8_t opcode;
    uint8_t session; /* enum cos_gate_session */
    bool served;
    uint16_t states;
    uint16_t smallest, largest, response;
};
/* The row for an opcode, NULL if there is none. */
const struct cos_gate_row *cos_gate_row(uint8_t opcode);

/* Operations: the first byte of the request. */
enum cos_hello_op { COS_HELLO_BEGIN = 1, COS_HELLO_CONFIRM = 2 };
enum cos_context_op {
    COS_CONTEXT_BIND = 1,     /* channel to the application whose name follows; no name: to none */
    COS_CONTEXT_DROP = 2,     /* a plain command came: end secure messaging and pending steps */
    COS_CONTEXT_REGISTER = 3, /* make a context for the names that the open CREATE FILE gives */
    COS_CONTEXT_FIND = 4,     /* which context the name that follows means: binds nothing */
    COS_CONTEXT_CLOSE = 5,    /* the channel is closed: its status, session and environment end */
};
enum cos_pin_op {
    COS_PIN_VERIFY = 1,
    COS_PIN_QUERY = 2,
    COS_PIN_CHANGE = 3,       /* old and new */
    COS_PIN_UNBLOCK = 4,      /* resetting code and new */
    COS_PIN_UNBLOCK_ONLY = 5, /* resetting code */
    COS_PIN_RESET = 6,        /* new, by the rule of the PIN */
    COS_PIN_RESET_ONLY = 7,   /* counter only, by the rule of the PIN */
    COS_PIN_DROP = 8,         /* verified no more */
    COS_PIN_CHANGE_ONLY = 9,  /* new, by the rule of the PIN */
    COS_PIN_DISABLE = 10,
    COS_PIN_DISABLE_ONLY = 11, /* without the PIN: it was verified */
    COS_PIN_ENABLE = 12,
    COS_PIN_ENABLE_ONLY = 13,
};
enum cos_auth_op {
    COS_AUTH_INTERNAL = 1,
    COS_AUTH_EXTERNAL = 2,
    COS_AUTH_SCP03_BEGIN = 3,  /* INITIALIZE UPDATE */
    COS_AUTH_SCP03_FINISH = 4, /* EXTERNAL AUTHENTICATE */
    COS_AUTH_GENERAL = 5,
};
enum cos_key_op {
    COS_KEY_PUT = 1,        /* PUT KEY: import of a card key set */
    COS_KEY_STORE = 2,      /* STORE DATA: create PINs and keys from held data */
    COS_KEY_ATTRIBUTES = 3, /* key information template, or attributes of one object */
    COS_KEY_DELETE = 4,
    COS_KEY_GENERATE = 5, /* GENERATE ASYMMETRIC KEY PAIR: answers the public part */
    COS_KEY_PUBLIC = 6,   /* the public part of a key pair */
};
enum cos_crypt_op {
    COS_CRYPT_PSO = 1, /* PERFORM SECURITY OPERATION: P1, P2, data field */
};
enum cos_se_op {
    COS_SE_SET = 1, /* P1, P2, data field */
    COS_SE_STORE = 2,
    COS_SE_RESTORE = 3,
    COS_SE_ERASE = 4,
};
enum cos_life_op {
    COS_LIFE_CHALLENGE = 1, /* begin production step 3 or 4 */
    COS_LIFE_STEP = 2,      /* complete a production step */
    COS_LIFE_RECORD = 3,    /* the production record */
    COS_LIFE_SET = 4,       /* SET STATUS: seal, lock, unlock, terminate */
};

/* Vault files: content and rule in the security chip (docs/design.md, "Vault"). CREATE and DELETE
 * change both chips: they name the transaction that they are to be, the last committed one + 1, and
 * 0 asks whether it would be done, and as which transaction. Of CREATE it takes rule, life-cycle
 * status and data coding byte from the command that is open under secure messaging. */
enum cos_vault_op {
    COS_VAULT_CREATE = 1, /* under the issuer's keys */
    COS_VAULT_DELETE = 2, /* files, each under its own rule, and applications with their PINs and
                             keys, under the issuer's keys: all of them or none */
    COS_VAULT_READ = 3,
    COS_VAULT_UPDATE = 4,     /* new bytes meet old ones as the request says */
    COS_VAULT_STATUS_SET = 5, /* activate, deactivate, terminate */
    COS_VAULT_INFO = 6,       /* size and life-cycle status: under no rule */
    COS_VAULT_WRITE = 7,      /* new bytes meet old ones as the data coding byte says */
    COS_VAULT_ASK = 8,        /* whether status and rule allow READ, UPDATE or WRITE */
};
#define COS_VAULT_FILES_DELETE 16U /* files in one DELETE */

/* Production steps, each in its state. */
#define COS_STATES_PRODUCTION                                                                      \
    (COS_STATES_FABRICATED | COS_LIFE_BIT(COS_LIFE_PACKAGED) | COS_LIFE_BIT(COS_LIFE_PRODUCED) |   \
     COS_LIFE_BIT(COS_LIFE_INITIALIZED))

/* The operations of the calls that have several: X(call, operation, states). The first byte of a
 * request must be one of them, else the request is malformed; in another state than its own it is
 * refused as one that its conditions do not allow, and neither changes anything. */
#define COS_GATE_OPERATIONS(X)                                                                     \
    X(HELLO, COS_HELLO_BEGIN, COS_STATES_FABRICATED | COS_STATES_PAIRED)                           \
    X(HELLO, COS_HELLO_CONFIRM, COS_STATES_FABRICATED | COS_STATES_PAIRED)                         \
    X(CONTEXT, COS_CONTEXT_BIND, COS_STATES_PAIRED)                                                \
    X(CONTEXT, COS_CONTEXT_DROP, COS_STATES_PAIRED)                                                \
    X(CONTEXT, COS_CONTEXT_REGISTER, COS_STATES_FILES)                                             \
    X(CONTEXT, COS_CONTEXT_FIND, COS_STATES_PAIRED)                                                \
    X(CONTEXT, COS_CONTEXT_CLOSE, COS_STATES_PAIRED)                                               \
    X(PIN, COS_PIN_VERIFY, COS_STATES_USE)                                                         \
    X(PIN, COS_PIN_QUERY, COS_STATES_USE)                                                          \
    X(PIN, COS_PIN_CHANGE, COS_STATES_USE)                                                         \
    X(PIN, COS_PIN_UNBLOCK, COS_STATES_USE)                                                        \
    X(PIN, COS_PIN_UNBLOCK_ONLY, COS_STATES_USE)                                                   \
    X(PIN, COS_PIN_RESET, COS_STATES_USE)                                                          \
    X(PIN, COS_PIN_RESET_ONLY, COS_STATES_USE)                                                     \
    X(PIN, COS_PIN_DROP, COS_STATES_USE)                                                           \
    X(PIN, COS_PIN_CHANGE_ONLY, COS_STATES_USE)                                                    \
    X(PIN, COS_PIN_DISABLE, COS_STATES_USE)                                                        \
    X(PIN, COS_PIN_DISABLE_ONLY, COS_STATES_USE)                                                   \
    X(PIN, COS_PIN_ENABLE, COS_STATES_USE)                                                         \
    X(PIN, COS_PIN_ENABLE_ONLY, COS_STATES_USE)                                                    \
    X(AUTH, COS_AUTH_INTERNAL, COS_STATES_USE)                                                     \
    X(AUTH, COS_AUTH_EXTERNAL, COS_STATES_USE)                                                     \
    X(AUTH, COS_AUTH_SCP03_BEGIN, COS_STATES_KEYED)                                                \
    X(AUTH, COS_AUTH_SCP03_FINISH, COS_STATES_KEYED)                                               \
    X(AUTH, COS_AUTH_GENERAL, COS_STATES_USE)                                                      \
    X(KEY, COS_KEY_PUT, COS_STATES_FILES)                                                          \
    X(KEY, COS_KEY_STORE, COS_STATES_USE)                                                          \
    X(KEY, COS_KEY_ATTRIBUTES, COS_STATES_KEYED)                                                   \
    X(KEY, COS_KEY_DELETE, COS_STATES_FILES)                                                       \
    X(KEY, COS_KEY_GENERATE, COS_STATES_USE)                                                       \
    X(KEY, COS_KEY_PUBLIC, COS_STATES_USE)                                                         \
    X(CRYPT, COS_CRYPT_PSO, COS_STATES_USE)                                                        \
    X(SE, COS_SE_SET, COS_STATES_USE)                                                              \
    X(SE, COS_SE_STORE, COS_STATES_USE)                                                            \
    X(SE, COS_SE_RESTORE, COS_STATES_USE)                                                          \
    X(SE, COS_SE_ERASE, COS_STATES_USE)                                                            \
    X(VAULT, COS_VAULT_CREATE, COS_STATES_FILES)                                                   \
    X(VAULT, COS_VAULT_DELETE, COS_STATES_FILES)                                                   \
    X(VAULT, COS_VAULT_READ, COS_STATES_FILES)                                                     \
    X(VAULT, COS_VAULT_UPDATE, COS_STATES_FILES)                                                   \
    X(VAULT, COS_VAULT_STATUS_SET, COS_STATES_FILES)                                               \
    X(VAULT, COS_VAULT_INFO, COS_STATES_FILES)                                                     \
    X(VAULT, COS_VAULT_WRITE, COS_STATES_FILES)                                                    \
    X(VAULT, COS_VAULT_ASK, COS_STATES_FILES)                                                      \
    X(LIFE, COS_LIFE_CHALLENGE, COS_STATES_FABRICATED | COS_LIFE_BIT(COS_LIFE_PACKAGED))           \
    X(LIFE, COS_LIFE_STEP, COS_STATES_PRODUCTION)                                                  \
    X(LIFE, COS_LIFE_RECORD, COS_STATES_FABRICATED | COS_STATES_PAIRED)                            \
    X(LIFE, COS_LIFE_SET, COS_STATES_KEYED)

/* States in which an operation is served; 0: the call has no such operation. Of a call without
 * operations, whose requests begin with whatever they begin with, those of the call. */
uint16_t cos_gate_operation_states(const struct cos_gate_row *row, uint8_t operation);

/* Names of applications: contexts are numbered 1 to 8, a byte has a bit for each. */
#define COS_APPLICATIONS 8U

/* Flags in every response. */
#define COS_GATE_FLAG_ACTIVE 0x01U /* the channel has a session of secure messaging */
#define COS_GATE_FLAG_STEP   0x02U /* a step waits for the next command of some channel */

/* What STATUS answers (docs/formats.md). */
struct cos_gate_status {
    uint8_t life_cycle; /* enum cos_life_cycle */
    uint8_t verdict;    /* 0: self-tests passed; else enum cos_secure_verdict */
    uint8_t serial[8];
    uint8_t version[3];
    uint8_t record_rule;  /* security condition for reading serial number and production record */
    uint32_t transaction; /* last committed; session only, else 0 */
    uint16_t attacks;     /* session only, else 0 */
    uint8_t scp03;        /* parameter i of SCP03 */
};

/* Sees both messages of every call in the clear, for a tracer on a workstation: called twice a
 * call, with the request, then with the response and a NULL request. On silicon there is none. */
struct cos_gate_trace {
    void *context;
    void (*call)(void *context, uint8_t opcode, const uint8_t *request, size_t request_length,
                 enum cos_result result, const uint8_t *response, size_t response_length);
};

#define COS_PAIRING_SECRET 32U
#define COS_GATE_NONCE     16U

/* Keys of one session, and what the two sides prove to each other (private to src/gate). */
struct cos_channel_keys {
    uint8_t request[16], response[16];
    uint32_t session;
    uint8_t confirmation_app[8], confirmation_secure[8];
};

/* The app chip's end of the gate. */
struct cos_gate_client {
    const struct cos_crypto *crypto;
    const struct cos_board *board;
    const struct cos_gate_trace *trace; /* optional */
    bool open;
    uint8_t flags;   /* of the last response */
    uint8_t repeats; /* requests that were sent again, wrapping */
    uint32_t epoch;  /* of the last response */
    uint32_t session, sequence;
    uint32_t plain_sequence;
    uint8_t request_key[16], response_key[16];
    uint8_t request[COS_LINK_FRAME_MAX];
    uint8_t response[COS_LINK_FRAME_MAX];
};

void cos_gate_client_start(struct cos_gate_client *client, const struct cos_crypto *crypto,
                           const struct cos_board *board, const struct cos_gate_trace *trace);

/* Opens a session under pairing secret number `generation` (two round trips). COS_E_GATE_SESSION:
 * the security chip does not prove the secret; COS_E_LINK_ errors; the error that the security chip
 * answers. */
enum cos_result cos_gate_hello(struct cos_gate_client *client, uint8_t generation,
                               const uint8_t secret[COS_PAIRING_SECRET]);

/* One call. The request is the concatenation of `parts`; *body is the response's data inside the
 * client's buffer, valid until the next call. Returns the result that the security chip answered,
 * or COS_E_LINK_..., COS_E_GATE_SESSION (the session is over; a new HELLO is needed),
 * COS_E_GATE_FORMAT (the request does not fit the table: nothing was sent). Without a session the
 * call goes in the clear if the table allows that. The request buffer is wiped before return. */
enum cos_result cos_gate_call(struct cos_gate_client *client, enum cos_gate_call call,
                              const struct cos_span *parts, size_t count, struct cos_span *body);

/* STATUS, decoded. */
enum cos_result cos_gate_status(struct cos_gate_client *client, struct cos_gate_status *status);

/* Wipes keys, buffers and session. */
void cos_gate_client_close(struct cos_gate_client *client);

/* Unwraps the pairing secret that the security chip answers to the packing step with the app chip's
 * own transport key (docs/formats.md, "Pairing"). COS_E_GATE_SESSION: not made for this chip. */
enum cos_result cos_gate_unwrap_pairing(const struct cos_crypto *crypto,
                                        const uint8_t transport_key[16],
                                        const uint8_t wrapped[COS_PAIRING_SECRET + COS_CCM_TAG],
                                        uint8_t generation, uint8_t secret[COS_PAIRING_SECRET]);

#endif
