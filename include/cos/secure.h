/* SPDX-License-Identifier: Apache-2.0
 *
 * The security chip: keys, PINs, random numbers, authentication, secure messaging, life cycle. It
 * serves the call gate and nothing else. Formats: docs/formats.md.
 */
#ifndef COS_SECURE_H
#define COS_SECURE_H

#include "cos/gate.h"
#include "cos/store.h"

/* Why the chip is mute; what STATUS answers as verdict. */
enum cos_secure_verdict {
    COS_VERDICT_GOOD = 0,
    COS_VERDICT_SELF_TEST = 1, /* a known-answer test failed */
    COS_VERDICT_ENTROPY = 2,   /* the noise source failed its health tests */
    COS_VERDICT_ROM = 3,       /* the program image is not the one of the embedding step */
    COS_VERDICT_STORE = 4,     /* NVM cannot be trusted */
    COS_VERDICT_BLANK = 5,     /* no fab record, no store */
    COS_VERDICT_ATTACKED = 6,  /* too many attacks */
    COS_VERDICT_FAULT = 7,     /* an invariant broke, or a computation went wrong */
    COS_VERDICT_CONFIG =
        8, /* the configuration does not fit the memory, or is not that of the first start */
};

/* Options of SCP03: bits of its parameter i (GPCS Amendment D 1.2, table 5-1). Levels 01 and 03 are
 * always offered, 11 and 13 with R-MAC, 33 with R-ENC. */
enum cos_scp03_option {
    COS_SCP03_S16 = 0x01,           /* challenges, cryptograms and MACs of 16 bytes instead of 8 */
    COS_SCP03_PSEUDO_RANDOM = 0x10, /* the card challenge comes from a counter, else by chance */
    COS_SCP03_R_MAC = 0x20,
    COS_SCP03_R_MAC_ENC = 0x60,
};

/* Sizes and parts that the vendor chooses. Constant for the life of an image: numbers of objects
 * and vault files and the vault's size are remembered by the first start. */
struct cos_secure_config {
    const struct cos_crypto *crypto;
    struct cos_store_config store; /* scrub_from is set by the chip itself */
    uint32_t fab_at;               /* address in NVM of the fab record: one store page of its own */
    uint16_t objects;              /* PINs, keys and pairing secrets that fit, at most 255 */
    uint16_t vault_files;          /* EFs in the vault; 0 = no vault */
    /* Bytes of their content, rounded up to 92 for each of them. Key pairs, and each secret of more
     * than 32 bytes (HMAC, mutual keys of AES-192 and AES-256), are kept there, too. */
    uint16_t vault_size;
    uint8_t scp03; /* what SCP03 offers: enum cos_scp03_option, or'ed */
    /* Where a key pair lies in the clear while one call works with it: 199 bytes for elliptic
     * curves, 7/2 of the modulus + 4 for RSA (900 for 2,048 bits, 1,796 for 4,096). NULL, 0: the
     * card has none. What it has no room for cannot be created. */
    uint8_t *key_memory;
    size_t key_memory_size;
    /* The store's reserve is at least 10: production step 4 writes 7 pages in one transaction. And
     * it is at least 5 more than the pages of the vault's entries, or than 16: DELETE FILE. */
};

/* What one control reference template names, for one direction. 0: nothing. */
struct cos_reference {
    uint8_t key;       /* as in P2 */
    uint8_t algorithm; /* docs/formats.md, "Algorithms" */
};
#define COS_TEMPLATES 6U /* AT, KAT, HT, CCT, DST, CT */
struct cos_references {
    struct cos_reference of[COS_TEMPLATES][2]; /* computing, verifying */
};

/* The current security environment of a channel. */
struct cos_environment {
    struct cos_references references;
    uint8_t vector_length; /* of the initial value block for CT */
    uint8_t vector[COS_AES_BLOCK];
};

struct cos_channel {
    struct cos_environment environment;
    uint8_t application;              /* context number, 0 = none */
    uint16_t pins_global, pins_local; /* verified: bit n = number n (1 to 15) */
    uint16_t keys_global, keys_local; /* authenticated by EXTERNAL AUTHENTICATE */
};

/* Protocols of secure messaging. */
enum cos_sm_protocol {
    COS_SM_NONE,
    COS_SM_SCP03,
    COS_SM_ISO_DES3,
    COS_SM_ISO_AES,
    COS_SM_SCP02, /* with the build switch COS_SCP02 */
};

/* What of a session is protected: bits of its level (GPCS Amendment D, table 7-6). */
enum cos_sm_level {
    COS_SM_COMMAND_MAC = 0x01,
    COS_SM_COMMAND_ENC = 0x02,
    COS_SM_RESPONSE_MAC = 0x10,
    COS_SM_RESPONSE_ENC = 0x20,
};

/* A secure messaging session: a channel has one or none. */
struct cos_session {
    uint8_t channel;  /* whose it is, unless protocol is COS_SM_NONE */
    uint8_t protocol; /* enum cos_sm_protocol */
    uint8_t level;    /* enum cos_sm_level */
    uint8_t key;      /* SCP03: version of its key set; ISO: number of its key */
    uint8_t context;  /* ISO: which the key belongs to */
    uint8_t key_length;
    uint8_t mac_length; /* of a MAC as it is sent */
    bool begun;         /* INITIALIZE UPDATE done, EXTERNAL AUTHENTICATE awaited */
    cos_truth open;
    uint32_t counter; /* of commands */
    uint8_t enc[COS_AES_KEY_MAX], mac[COS_AES_KEY_MAX], rmac[COS_AES_KEY_MAX];
    uint8_t chain[COS_AES_BLOCK];    /* SCP03: MAC chaining value; ISO: send sequence counter */
    uint8_t expected[COS_AES_BLOCK]; /* while begun: the host's cryptogram */
};

/* Command data that came under secure messaging and stay on this side (docs/design.md). */
struct cos_held {
    bool used;                         /* the app chip did not get the command's data */
    uint8_t cla, ins, p1, p2, channel; /* of whatever command is open, data held or not */
    bool taken;                        /* a call consumed the data that were held */
    bool answered; /* the command was executed here: `result` and the answer, now in data[], stand
                      for SM_SEAL */
    enum cos_result result;
    uint8_t application; /* that the channel was bound to when the command was opened */
    bool expects;        /* response data: there is an Le */
    bool part;           /* one of a chain: another one must follow before anything is done */
    uint16_t kept;       /* bytes at the beginning that wait for the command which continues */
    uint16_t length;
    uint8_t data[COS_SM_CHAIN_MAX + COS_SM_AROUND];
};

/* The security chip's end of the gate (private to src/gate). */
struct cos_gate_server {
    const struct cos_crypto *crypto;
    const struct cos_board *board;
    bool open;
    bool hello_begun;
    uint32_t session, sequence;
    uint8_t request_key[16], response_key[16];
    struct cos_channel_keys hello; /* of the session that is being opened */
    uint8_t request_tag[COS_CCM_TAG];
    uint32_t plain_crc;                /* of the last request without a session */
    uint32_t sign_ms;                  /* when the last sign of life was sent */
    bool stored_plain, stored_session; /* what the stored response answers */
    size_t stored_length;
    uint8_t request[COS_LINK_FRAME_MAX];
    uint8_t stored[COS_LINK_FRAME_MAX];
};

/* One transaction on the chip's store under construction. */
#define COS_SECURE_EDITS  27U  /* DELETE: 16 files, 8 names, 3 fields of the state record */
#define COS_SECURE_CHANGE 528U /* six objects with their secrets */
struct cos_secure_change {
    size_t count, used;
    uint16_t next_object, next_chunk; /* where the search for a free one goes on */
    bool failed;
    struct cos_edit edits[COS_SECURE_EDITS];
    uint8_t bytes[COS_SECURE_CHANGE];
};

/* Secrets in the clear while a call works on them: wiped when it ends. */
struct cos_secure_clear {
    uint8_t secret[2 * COS_AES_KEY_MAX]; /* of an object */
    uint8_t key[16];                     /* derived from it */
    uint8_t work[80];
};

/* All state of the chip. The caller provides the memory; nothing in it is for the caller. What is
 * small and often used stands first: processors reach it with shorter instructions. */
struct cos_secure {
    uint8_t life_cycle;
    uint8_t record_rule;
    uint8_t challenge_length; /* 0 = none pending */
    uint8_t challenge_use;    /* who may use it */
    uint8_t last_channel;     /* that a call was about: what is pending is pending there */
    bool in_sm;               /* between SM_OPEN and SM_SEAL */
    bool prepared;            /* the pending HELLO is the first under a new pairing secret */
    enum cos_secure_verdict verdict;
    uint16_t attacks;       /* persistent */
    uint16_t attacks_now;   /* since reset */
    uint16_t sensor_events; /* reported, not counted yet */
    uint32_t transaction;
    uint32_t epoch;
    cos_truth alive; /* COS_YES unless mute */
    const struct cos_board *board;
    struct cos_secure_config config;
    struct cos_channel channels[COS_CHANNELS];
    struct cos_session sessions[COS_SM_SESSIONS];
    struct cos_held held;
    uint8_t serial[8];
    uint8_t challenge[COS_AES_BLOCK];
    uint16_t waiting; /* index + 1 of the key pair that one factor waits for in key memory; 0 */
    uint16_t tested;  /* COS_SELF_TEST_...: passed since the start, of those that are optional */
    uint8_t digest_length; /* of what PSO HASH left for the next command; 0: nothing */
    uint8_t digest_of;     /* enum cos_hash */
    uint8_t digest[COS_HASH_MAX];
    uint8_t storage_key[COS_AES_KEY_MAX];
    struct cos_secure_clear clear;
    struct cos_drbg drbg;
    struct cos_store store;
    struct cos_secure_change change;
    struct cos_gate_server gate;
};

/* Starts the chip after power-up or reset: self-tests, ROM digest, store, state. At the first start
 * it takes over the fab record (writes NVM). Returns COS_OK, or the reason for which the chip is
 * mute; cos_secure_serve() may be called in any case, and then answers STATUS alone. */
enum cos_result cos_secure_start(struct cos_secure *secure, const struct cos_board *board,
                                 const struct cos_secure_config *config);

/* Waits up to timeout_ms (0 = for ever) for one frame, handles it, answers, and tidies NVM after
 * the answer is out. COS_OK also when the frame was refused or damaged; COS_E_LINK_TIMEOUT;
 * COS_E_LINK_DOWN. */
enum cos_result cos_secure_serve(struct cos_secure *secure, uint32_t timeout_ms);

/* Reports a sensor event (cos/port.h). May be called from an idle hook. Counts as an attack:
 * written to NVM by the cos_secure_serve() that is under way, before the answer to the call that it
 * executes, which is not sent if the chip is mute then; else by the next one, before all else. */
void cos_secure_sensor(struct cos_secure *secure, enum cos_sensor event);

/* Erase counts of the chip's store. */
enum cos_result cos_secure_wear(const struct cos_secure *secure, struct cos_store_wear *wear);

#endif
