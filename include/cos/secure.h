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
    COS_VERDICT_FAULT = 7,     /* an invariant broke */
    COS_VERDICT_CONFIG =
        8, /* the configuration does not fit the memory, or is not that of the first start */
};

/* Sizes and parts that the vendor chooses. Constant for the life of an image: numbers of objects
 * and vault files and the vault's size are remembered by the first start. */
struct cos_secure_config {
    const struct cos_crypto *crypto;
    struct cos_store_config store; /* scrub_from is set by the chip itself */
    uint32_t fab_at;               /* address in NVM of the fab record: one store page of its own */
    uint16_t objects;              /* PINs, keys and pairing secrets that fit, at most 255 */
    uint16_t vault_files;          /* EFs in the vault; 0 = no vault */
    uint16_t vault_size;           /* bytes of their content, rounded up to 92 for each of them */
    /* Where a key pair lies in the clear while one call works with it: 199 bytes for elliptic
     * curves, 7/2 of the modulus + 4 for RSA (900 for 2,048 bits, 1,796 for 4,096). NULL, 0: the
     * card has none. What it has no room for cannot be created. Key pairs share the vault's chunks.
     */
    uint8_t *key_memory;
    size_t key_memory_size;
    /* The store's reserve is at least 10: production step 4 writes 7 pages in one transaction. */
};

#define COS_CHANNELS 1U

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

/* SCP03 session, one. */
struct cos_scp03 {
    bool begun; /* INITIALIZE UPDATE done, EXTERNAL AUTHENTICATE awaited */
    uint8_t level;
    uint8_t key_version;
    uint8_t channel;
    uint8_t key_length;
    cos_truth open;
    uint32_t counter; /* of enciphered commands */
    uint8_t s_enc[COS_AES_KEY_MAX], s_mac[COS_AES_KEY_MAX];
    uint8_t chaining[COS_AES_BLOCK];
    uint8_t host_cryptogram[8];
};

/* Command data that came under secure messaging and stay on this side (docs/design.md). */
struct cos_held {
    bool used;                         /* the app chip did not get the command's data */
    uint8_t cla, ins, p1, p2, channel; /* of whatever command is open, data held or not */
    bool answered; /* a call consumed the data: `result` and the answer, now in data[], stand for
                      SM_SEAL */
    enum cos_result result;
    uint8_t application; /* that the channel was bound to when the command was opened */
    uint8_t length;
    uint8_t data[COS_SM_MAX];
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
    uint16_t next_object; /* where the search for a free entry goes on */
    bool failed;
    struct cos_edit edits[COS_SECURE_EDITS];
    uint8_t bytes[COS_SECURE_CHANGE];
};

/* Secrets in the clear while a call works on them: wiped when it ends. */
struct cos_secure_clear {
    uint8_t secret[COS_AES_KEY_MAX]; /* of an object */
    uint8_t key[16];                 /* derived from it */
    uint8_t work[80];
};

/* All state of the chip. The caller provides the memory; nothing in it is for the caller. What is
 * small and often used stands first: processors reach it with shorter instructions. */
struct cos_secure {
    uint8_t life_cycle;
    uint8_t record_rule;
    uint8_t challenge_length; /* 0 = none pending */
    uint8_t challenge_use;    /* who may use it */
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
    struct cos_scp03 scp03;
    struct cos_held held;
    uint8_t serial[8];
    uint8_t challenge[COS_AES_BLOCK];
    uint8_t tested; /* COS_SELF_TEST_...: passed since the start, of those that are optional */
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

/* Reports a sensor event (cos/port.h). May be called from an idle hook. Counts as an attack;
 * written to NVM with the next call. */
void cos_secure_sensor(struct cos_secure *secure, enum cos_sensor event);

/* Erase counts of the chip's store. */
enum cos_result cos_secure_wear(const struct cos_secure *secure, struct cos_store_wear *wear);

#endif
