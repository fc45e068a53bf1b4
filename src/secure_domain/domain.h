/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the secure domain share. One file a concern: start.c, serve.c, state.c,
 * seal.c, object.c, application.c, chunk.c, material.c, vault.c, environment.c, crypt.c, sign.c,
 * attest.c, cipher.c, checksum.c, status.c, pin_format.c, pin.c, auth.c, general.c, one_time.c,
 * mutual.c, session.c, sm.c, scp03.c, scp02.c, sm_iso.c, key.c, generate.c, import.c, use.c,
 * personal.c, life.c.
 */
#ifndef COS_SECURE_DOMAIN_H
#define COS_SECURE_DOMAIN_H

#include "cos/secure.h"
#include "cos/tlv.h"

#include "gate/server.h"

/* ---- Transactions (object.c) ---- */

void cos_change_start(struct cos_secure *secure);
/* Adds new bytes (copied) to the transaction; data == NULL: zeros. */
void cos_change_add(struct cos_secure *secure, uint32_t address, const uint8_t *data,
                    size_t length);
/* Forgets the transaction and wipes its bytes. */
void cos_change_drop(struct cos_secure *secure);
/* Commits; the scratch bytes are wiped in any case. */
enum cos_result cos_change_commit(struct cos_secure *secure);

/* ---- Places (object.c) ---- */

/* Pages that an array takes whose elements never cross a page, and where element `index` of one is
 * that begins at logical page `first`. */
uint16_t cos_pages_for(uint16_t count, uint16_t size, uint16_t payload);
uint32_t cos_place(const struct cos_secure *secure, uint32_t first, uint32_t index, uint32_t size);
enum cos_result cos_all_zero(const struct cos_secure *secure, uint32_t address, size_t length,
                             bool *zero);

/* ---- Sealing (seal.c) ---- */

enum { SEAL_FRESH = 4 }; /* random bytes of a nonce */

/* What data are sealed as: no two writes have one nonce, and data are not taken for others. */
struct sealing {
    enum { SEAL_OBJECT = 0, SEAL_CHUNK = 1 } kind;
    uint16_t number; /* of the object or chunk */
    uint32_t count;  /* how often it was written */
    const uint8_t *associated;
    size_t associated_length;
};

/* Seals in place: SEAL_FRESH bytes, which it draws, `length` bytes of data, COS_CCM_TAG bytes. */
enum cos_result cos_seal(struct cos_secure *secure, const struct sealing *sealing, uint8_t *bytes,
                         size_t length);
/* Opens such bytes in place. COS_E_STORE_DAMAGED if they are not authentic: the data are wiped. */
enum cos_result cos_unseal(const struct cos_secure *secure, const struct sealing *sealing,
                           uint8_t *bytes, size_t length);

/* ---- State record (state.c) ---- */

enum state_offset {
    STATE_VERSION = 0,
    STATE_LIFE_CYCLE = 1,
    STATE_PAIRING = 2,
    STATE_PREPARED = 3,
    STATE_RECORD_RULE = 4,
    STATE_ATTACKS = 6,
    STATE_TRANSACTION = 8,
    STATE_SERIAL = 12,
    STATE_ROM_DIGEST = 20,
    STATE_CPLC = 52,
    STATE_CONTACTS = 94,
    STATE_FRAMES = 95,
    STATE_CARD_BODY = 96,
    STATE_BATCH = 104,
    STATE_PRINTING = 108,
    STATE_LAYOUT = 124,
    STATE_SIZE = 130,
};
enum cplc_offset {
    CPLC_FABRICATOR = 0,
    CPLC_OPERATING_SYSTEM = 4,
    CPLC_FABRICATION_DATE = 10,
    CPLC_SERIAL = 12,
    CPLC_IC_BATCH = 16,
    CPLC_MODULE = 18,
    CPLC_ICC = 22,
    CPLC_PREPERSONALIZER = 26,
    CPLC_PERSONALIZER = 34,
    CPLC_SIZE = 42,
};

/* Reads the cached fields. COS_E_STORE_DAMAGED if the record is of another version or its state
 * impossible. */
enum cos_result cos_state_load(struct cos_secure *secure);
enum cos_result cos_state_read(const struct cos_secure *secure, enum state_offset offset,
                               uint8_t *data, size_t length);
/* Adds the life cycle to the transaction, with a new transaction number, and commits. */
enum cos_result cos_state_advance(struct cos_secure *secure, enum cos_life_cycle life_cycle);
void cos_state_add8(struct cos_secure *secure, enum state_offset offset, uint8_t value);
/* The production record as TLV (docs/formats.md). */
enum cos_result cos_state_write_record(const struct cos_secure *secure, struct cos_writer *body);
/* Counts an attack and commits the counter; goes mute at the limits. */
enum cos_result cos_state_count_attack(struct cos_secure *secure);

/* ---- Objects: PINs, keys, pairing secrets (object.c) ---- */

enum object_kind {
    OBJECT_FREE = 0,
    OBJECT_PIN = 1,
    OBJECT_KEY = 2,
    OBJECT_PAIRING = 3,
    OBJECT_ENVIRONMENT = 4, /* security environment: its references (environment.c) */
};
enum object_algorithm {
    ALGORITHM_NONE = 0,
    ALGORITHM_AES = 1,
    ALGORITHM_DES3 = 2,
    ALGORITHM_HMAC = 3, /* format: enum cos_hash */
    ALGORITHM_RSA = 4,  /* format: bytes of the modulus / 8 */
    ALGORITHM_EC = 5,   /* format: enum cos_curve */
};
enum object_usage {
    USAGE_INTERNAL = 0x01,
    USAGE_EXTERNAL = 0x02,
    USAGE_ACCESS_PROOF = 0x04,
    USAGE_SCP03_ENC = 0x08,
    USAGE_SCP03_MAC = 0x10,
    USAGE_SCP03_DEK = 0x20,
    USAGE_TRANSPORT = 0x40,
    USAGE_MUTUAL = 0x80, /* K.ENC (16), K.MAC (16) */
};
/* What else a key serves. */
enum object_service {
    SERVICE_SIGN = 0x01,
    SERVICE_DECIPHER = 0x02,
    SERVICE_AGREE = 0x04,
    SERVICE_ENCIPHER = 0x08,
    SERVICE_CHECKSUM = 0x10,
    SERVICE_VERIFY_CHECKSUM = 0x20,
    SERVICE_OTP = 0x40,
    SERVICE_ATTEST = 0x80,
};
/* Attributes that an object keeps for life. */
enum object_flag {
    FLAG_EACH_USE = 0x01,    /* key: the user is authenticated for each use */
    FLAG_GENERATED = 0x02,   /* key: made on the chip */
    FLAG_MAY_DISABLE = 0x04, /* PIN: the verification requirement may be disabled */
    FLAG_PUBLIC = 0x08,      /* key: the public part alone, of a pair that somebody else has */
};
/* What changes about it. */
enum object_state {
    STATE_DISABLED = 0x01,  /* PIN: verification is not required */
    STATE_TRANSPORT = 0x02, /* PIN: good for CHANGE REFERENCE DATA only */
};
#define USES_UNLIMITED 0xFFFFU
enum {
    OBJECT_ENTRY = 40,
    OBJECT_ASSOCIATED = 21, /* what a secret is bound to */
    OBJECT_SECRET_MAX = 64,
    OBJECT_SLOT_SECRET = 32, /* what a slot has room for; a longer one lies in a chunk */
    OBJECT_SLOT = 48,
    OBJECT_NUMBER_MAX = 15, /* what a security condition can name */
    KEY_VERSION_INITIAL = 0x30,
    CONTEXT_GLOBAL = 0,
};

struct object {
    /* Bytes, one after the other as they stand in the entry; the secret is bound to those up to
     * valid_to. */
    uint8_t kind, context, number, version, algorithm, usage, service, length;
    uint8_t use_rule, change_rule, reset_rule, resetting_code, shortest, longest, format, flags;
    uint8_t level, valid_to[4]; /* in this order, as in STORE DATA */
    uint8_t state, tries_max, tries_left;
    /* The rest has no place among them. */
    uint16_t index;
    uint16_t uses_left;   /* USES_UNLIMITED: not counted */
    uint16_t chunk, size; /* of a secret that has no room in a slot: first chunk, bytes */
    uint32_t generation;  /* how often the secret was written */
    uint32_t counter;
};

/* Loads the storage key. */
enum cos_result cos_object_load_storage_key(struct cos_secure *secure);
/* Adds a storage key to the transaction (first start). */
void cos_object_add_storage_key(struct cos_secure *secure, const uint8_t key[COS_AES_KEY_MAX]);
/* Overwrites everything from the storage key on, the vault too, page by page (TERMINATED); pages
 * that are zero already are not written. */
enum cos_result cos_object_erase_secrets(struct cos_secure *secure);
/* First logical page of the secrets, for the store's scrubbing; needs the store's payload size. */
uint16_t cos_object_first_secret_page(uint16_t payload, uint16_t objects);
/* Logical pages that the state record, all objects and all secrets take; behind them begins the
 * vault. */
uint16_t cos_object_pages(uint16_t payload, uint16_t objects);

enum cos_result cos_object_read(const struct cos_secure *secure, uint16_t index,
                                struct object *object);
/* COS_E_REFERENCE_NOT_FOUND. */
enum cos_result cos_object_find(const struct cos_secure *secure, enum object_kind kind,
                                uint8_t context, uint8_t number, uint8_t version,
                                struct object *object);
/* The key of this version (0: of any) with this usage in the global context. */
enum cos_result cos_object_find_usage(const struct cos_secure *secure, enum object_usage usage,
                                      uint8_t version, struct object *object);
/* The keys of a set have numbers 1 to 3. */
enum { KEYS_OF_A_SET = 3 };
/* Gives a new object the entry of the one with its kind, context, number and version, or an entry
 * that is free and that no other object of the transaction got. COS_E_MEMORY_FULL. */
enum cos_result cos_object_place(struct cos_secure *secure, struct object *object);
/* The same with a new key of the card itself: one of a set, or, version 0, the transport key of a
 * production step; 16 bytes. */
enum cos_result cos_object_place_key(struct cos_secure *secure, uint8_t number, uint8_t version,
                                     struct object *key);
/* Adds the entry to the transaction. */
void cos_object_put_entry(struct cos_secure *secure, const struct object *object);
/* Adds entry and secret (object->length bytes). One that has no room in a slot takes a chunk, and
 * that of the secret it replaces is to be swept when it is committed. Chunks that nobody owns must
 * be 00. COS_E_MEMORY_FULL: there is none. */
enum cos_result cos_object_put(struct cos_secure *secure, struct object *object,
                               const uint8_t *secret);
/* Adds the entry of an object that has no secret in a slot: OBJECT_EDITS edits. */
enum { OBJECT_EDITS = 2 };
void cos_object_put_empty(struct cos_secure *secure, const struct object *object);
/* Adds the transport key of a production step, in place of one that is there. */
enum cos_result cos_object_add_transport(struct cos_secure *secure, uint8_t number,
                                         const uint8_t key[16]);
/* Adds the removal of entry and secret to the transaction: OBJECT_EDITS edits. Chunks are to be
 * swept when it is committed. */
void cos_object_remove(struct cos_secure *secure, const struct object *object);
/* How many sets of keys there are, but that of one version (0: all). */
enum cos_result cos_object_count_sets(const struct cos_secure *secure, uint8_t but,
                                      unsigned *count);
/* Adds the removal of all keys of a set. COS_E_REFERENCE_NOT_FOUND. */
enum cos_result cos_object_remove_set(struct cos_secure *secure, uint8_t version);
/* Deciphers the secret, padded with zeros up to OBJECT_SLOT_SECRET: to secure->clear, or the caller
 * wipes it. COS_E_STORE_DAMAGED if it is not authentic. */
enum cos_result cos_object_secret(const struct cos_secure *secure, const struct object *object,
                                  uint8_t secret[OBJECT_SECRET_MAX]);
/* Spends one try, durably, before anything is compared. COS_E_METHOD_BLOCKED if there is none.
 * Nothing to do for an object whose tries are not counted. */
enum cos_result cos_object_spend(struct cos_secure *secure, struct object *object);
/* Gives all tries back. */
enum cos_result cos_object_restore(struct cos_secure *secure, struct object *object);
/* Writes the entry in a transaction of its own and reads it back. */
enum cos_result cos_object_write(struct cos_secure *secure, struct object *object);

/* ---- PINs (pin_format.c) ---- */

/* b4..b1 of struct object's format; b8..b5: bytes of a padded PIN, less one. */
enum pin_format {
    FORMAT_BYTES = 0,  /* any */
    FORMAT_DIGITS = 1, /* ASCII */
    FORMAT_PADDED = 2, /* ASCII, then FF */
    FORMAT_BCD = 3,    /* two digits a byte, the last nibble may be F */
    FORMAT_BLOCK = 4,  /* format 2 PIN block, ISO 9564-1 */
    FORMAT_KIND = 0x0F,
};
/* Whether the format exists, and fits what the shortest and the longest PIN may be. */
bool cos_pin_format_valid(const struct object *pin);
/* Whether every value that the PIN may have is as long as any other. */
bool cos_pin_has_one_size(const struct object *pin);
/* Whether the PIN may have this value, which depends on nothing secret. COS_E_LENGTH: none is so
 * long; COS_E_DATA: it has not the format, or too few or too many digits. */
enum cos_result cos_pin_check(const struct object *pin, struct cos_span value);

/* ---- Applications: contexts of PINs and keys (application.c) ---- */

/* Logical pages that their entries take, and the first of them. */
uint16_t cos_application_pages(uint16_t payload);
uint16_t cos_object_first_application_page(uint16_t payload, uint16_t objects);
/* Context number of a name. COS_E_REFERENCE_NOT_FOUND. */
enum cos_result cos_application_find(const struct cos_secure *secure, struct cos_span name,
                                     uint8_t *context);
/* The first name of an application as its entry has it: length, name, 00; all 00 of none. */
enum { APPLICATION_NAME = 17 };
enum cos_result cos_application_name(const struct cos_secure *secure, uint8_t context,
                                     uint8_t name[APPLICATION_NAME]);
/* Makes a context for the names that the FCP of a new DF gives it, all of them or none, and answers
 * its number; entries of a CREATE FILE that did not end give way, unless they are of just these
 * names. COS_E_NAME_EXISTS: there are PINs, keys or vault files of an application with such a name.
 * COS_E_MEMORY_FULL; COS_E_DATA: no name, or a malformed one. */
enum cos_result cos_application_register(struct cos_secure *secure, struct cos_span fcp,
                                         uint8_t *context);
/* COS_OK if a name of the application that `name` means begins so, or if it means none;
 * COS_E_CONDITIONS. */
enum cos_result cos_application_has_name(const struct cos_secure *secure, struct cos_span name,
                                         struct cos_span beginning);
/* Whether a set has a context: bit n - 1 is context n. */
static inline bool cos_application_among(uint8_t contexts, uint8_t context)
{
    return (1U << context >> 1 & contexts) != 0;
}
/* Whether one of these contexts has PINs or keys. */
enum cos_result cos_application_has_objects(const struct cos_secure *secure, uint8_t contexts,
                                            bool *has_objects);
/* Adds the removal of the names that stand for these contexts to the transaction.
 * COS_E_REFERENCE_NOT_FOUND: none stands for one of them. */
enum cos_result cos_application_remove(struct cos_secure *secure, uint8_t contexts);
/* Removes PINs and keys whose context no name stands for any more: what a removal left that power
 * interrupted. Nothing else may be in the transaction. */
enum cos_result cos_application_sweep(struct cos_secure *secure);

/* ---- Content in chunks (chunk.c): of vault files, and of keys that have no room in a slot ---- */

enum { CONTENT_OF_OBJECT = 0x8000 };

/* Bytes that lie in a run of chunks. What belongs to an object is bound to its attributes, as a
 * secret in a slot is. */
struct content {
    uint16_t owner; /* number of the vault file, or CONTENT_OF_OBJECT + index of the object */
    uint16_t chunk; /* the first one */
    uint16_t size;  /* 0: none */
    const struct object *object; /* whose it is; NULL: a vault file's */
};

/* Logical pages that chunks for so many bytes take, and the first of them. */
uint16_t cos_content_pages(uint16_t payload, uint16_t size);
uint32_t cos_content_first_page(const struct cos_secure *secure);
struct content cos_object_content(const struct object *object);
enum cos_result cos_vault_content(const struct cos_secure *secure, uint16_t number,
                                  struct content *content);
/* COS_E_STORE_DAMAGED: it does not lie within the chunks that there are. */
enum cos_result cos_content_check(const struct cos_secure *secure, const struct content *content);
/* Gives a new content the first free run of chunks behind those that others of the transaction got.
 * COS_E_MEMORY_FULL. */
enum cos_result cos_content_place(struct cos_secure *secure, struct content *content);
/* Reads bytes; the caller has checked the range. What was never written is 00; of an object all was
 * written: COS_E_STORE_DAMAGED. */
enum cos_result cos_content_read(const struct cos_secure *secure, const struct content *content,
                                 size_t offset, uint8_t *data, size_t length);
/* Adds what bytes become to the transaction. */
enum cos_result cos_content_add(struct cos_secure *secure, const struct content *content,
                                size_t offset, struct cos_span data, enum cos_combination how);
/* Writes all of a content that nobody owns yet, in as many transactions as it takes: if power goes,
 * the next start sweeps it away. */
enum cos_result cos_content_write(struct cos_secure *secure, const struct content *content,
                                  const uint8_t *data);
/* Sets chunks that belong to nobody to 00: what was deleted or replaced, or left by power that
 * went. A page program for each page that has any. */
enum cos_result cos_content_sweep(struct cos_secure *secure);

/* ---- Key pairs (material.c): RSA and EC keys, in the clear in config.key_memory for one call ----
 */

/* A public key (FLAG_PUBLIC) is the same without its private part. */

/* Whether the provider has the algorithm, key memory suffices, and a gate message takes what the
 * key answers. */
bool cos_material_served(const struct cos_secure *secure, const struct object *key);
/* Bytes of the modulus, of the public part, of all of it. */
size_t cos_material_modulus(const struct object *key);
size_t cos_material_public_size(const struct object *key);
size_t cos_material_size(const struct object *key);
/* Tests the algorithm before its first use. */
enum cos_result cos_material_self_test(struct cos_secure *secure, const struct object *key);
/* Reads a key pair, or its public part only, to key memory, which is wiped when the call ends.
 * COS_E_NOT_USABLE: there is none yet; COS_E_FUNCTION: this firmware cannot work with it. */
enum cos_result cos_material_load(struct cos_secure *secure, const struct object *key);
enum cos_result cos_material_load_public(struct cos_secure *secure, const struct object *key);
/* Whether there are chunks for a new key pair beside the old one. COS_E_MEMORY_FULL. */
enum cos_result cos_material_fits(struct cos_secure *secure, const struct object *key);
/* Makes what is in key memory the key's, in place of an older one: all or nothing, in some
 * transactions of its own. COS_E_MEMORY_FULL. */
enum cos_result cos_material_store(struct cos_secure *secure, struct object *key);
/* Where the parts are in key memory. The modulus, or the point of an EC key, is the first. */
struct cos_rsa_private cos_material_rsa(const struct cos_secure *secure, const struct object *key);
struct cos_rsa_parts cos_material_rsa_parts(const struct cos_secure *secure,
                                            const struct object *key);
struct cos_span cos_material_exponent(const struct cos_secure *secure, const struct object *key);
uint8_t *cos_material_ec(const struct cos_secure *secure, const struct object *key);
void cos_material_wipe(const struct cos_secure *secure);
/* Drops the factor that waits for the other one. */
void cos_material_forget(struct cos_secure *secure);

/* ---- Vault (vault.c) ---- */

/* COS_E_CONDITIONS: a vault file belongs to one of these contexts and is not among `numbers` (2
 * bytes each). */
enum cos_result cos_vault_none_stays(const struct cos_secure *secure, uint8_t contexts,
                                     struct cos_span numbers);
/* Pages that a DELETE of as many files as there can be touches. */
uint16_t cos_vault_delete_pages(uint16_t payload, uint16_t files);
/* Logical pages that entries and chunks take. */
uint16_t cos_vault_pages(uint16_t payload, uint16_t files, uint16_t size);

/* ---- Security status (status.c) ---- */

void cos_status_clear(struct cos_secure *secure);
/* What was verified and authenticated is so no more, and sessions under mutual keys end;
 * applications and environments stay. */
void cos_status_forget(struct cos_secure *secure);
/* Of a PIN: verified. Of a key: authenticated. */
void cos_status_set(struct cos_secure *secure, struct cos_channel *channel,
                    const struct object *object, bool on);
/* A PIN or key that is another one from now on, or none: it counts on no channel any more, and
 * sessions under it end. */
void cos_status_revoke(struct cos_secure *secure, const struct object *object);
bool cos_status_pin_verified(const struct cos_channel *channel, const struct object *pin);
void cos_status_bind(struct cos_secure *secure, struct cos_channel *channel, uint8_t application);
/* Channels that are bound to one of these contexts are bound to none; sessions under their keys
 * end.
 */
void cos_status_leave(struct cos_secure *secure, uint8_t contexts);
/* Whether the channel satisfies a condition byte. */
cos_truth cos_status_satisfies(const struct cos_secure *secure, uint8_t channel, uint8_t condition);
/* The same for the rule of an object; global: it belongs to no application. */
enum cos_result cos_status_require_of(const struct cos_secure *secure, uint8_t channel, bool global,
                                      uint8_t condition);
/* COS_OK if the condition holds, asked twice; COS_E_SECURITY_STATUS. */
enum cos_result cos_status_require(const struct cos_secure *secure, uint8_t channel,
                                   uint8_t condition);
/* The same for a rule's SC-DOs (cos/rule.h). */
enum cos_result cos_status_require_rule(const struct cos_secure *secure, uint8_t channel,
                                        struct cos_span condition);
/* Finds the object that a reference byte names from this channel. */
enum cos_result cos_status_find(const struct cos_secure *secure, uint8_t channel, uint8_t reference,
                                enum object_kind kind, struct object *object);

/* ---- Using keys (use.c, sign.c, generate.c) ---- */

/* Whether the provider has what a symmetric key works with; a pair is asked when it is loaded. It
 * may have been stored for another provider. */
bool cos_key_served(const struct cos_secure *secure, const struct object *key);
/* COS_OK if the key serves this, its rule is satisfied (COS_E_SECURITY_STATUS) and it has uses left
 * (COS_E_NOT_USABLE), and the provider the algorithm (the same). */
enum cos_result cos_key_may(const struct cos_secure *secure, uint8_t channel,
                            const struct object *key, enum object_service service);
/* The same, but for what it serves. */
enum cos_result cos_key_ready(const struct cos_secure *secure, uint8_t channel,
                              const struct object *key);
/* Then one use is spent, durably, and with FLAG_EACH_USE the user's authentication. */
enum cos_result cos_key_spend(struct cos_secure *secure, uint8_t channel, struct object *key);
/* Known-answer tests (cos/crypto.h) of an algorithm before its first use since the start.
 * COS_E_SELF_TEST, which ends the chip's life until reset. */
enum cos_result cos_key_self_test(struct cos_secure *secure, unsigned which);
/* Bytes that ECDSA signs, at least; at most COS_HASH_MAX. */
enum { ECDSA_MIN = 20 };
/* The generator, and the board's idle hook. */
struct cos_random cos_secure_random(struct cos_secure *secure);
/* Signs data, or what PSO HASH left if they are empty, with a key whose use was granted and spent.
 */
enum cos_result cos_crypt_sign(struct cos_secure *secure, uint8_t at, const struct object *key,
                               uint8_t algorithm, struct cos_span data, struct cos_writer *body);
/* GENERATE ASYMMETRIC KEY PAIR under the key's rule for change, and reading the public part: both
 * answer 7F49. */
enum cos_result cos_key_generate(struct cos_secure *secure, uint8_t channel, uint8_t reference,
                                 struct cos_writer *body);
enum cos_result cos_key_public(struct cos_secure *secure, uint8_t channel, uint8_t reference,
                               struct cos_writer *body);

/* ---- Security environments (environment.c) ---- */

enum reference_direction { REFERENCE_COMPUTE, REFERENCE_VERIFY };
/* What the channel's environment names in a template (tag), for computing, deciphering and being
 * authenticated, or for verifying, enciphering and authenticating. */
struct cos_reference cos_environment_reference(const struct cos_channel *channel, uint8_t template,
                                               enum reference_direction direction);
/* The environment that an application begins with: its number 1, or an empty one. */
enum cos_result cos_environment_default(struct cos_secure *secure, struct cos_channel *channel);

/* ---- Sessions of secure messaging (session.c) ---- */

/* The security condition "under the issuer's secure messaging" by itself. */
#define CONDITION_SM 0xC0U

/* Channels from 4 on have a bit for secure messaging without the header authenticated only. */
enum { FIRST_FURTHER_CHANNEL = 4 };
/* The session of a channel: to look at, to work with, NULL if there is none; or a new one in its
 * place, NULL if as many as there can be are on other channels, or on a channel that has none. */
const struct cos_session *cos_session_seen(const struct cos_secure *secure, uint8_t channel);
struct cos_session *cos_session_of(struct cos_secure *secure, uint8_t channel);
struct cos_session *cos_session_take(struct cos_secure *secure, uint8_t channel);
/* The session is over. Its keys are wiped, those of the command that is open when its answer is
 * sealed. */
void cos_session_close(struct cos_secure *secure, struct cos_session *session);
void cos_channel_close_session(struct cos_secure *secure, uint8_t channel);
void cos_sessions_close(struct cos_secure *secure);
/* Opened by MUTUAL AUTHENTICATE, else by the issuer. */
bool cos_session_is_iso(const struct cos_session *session);
/* Those whose INITIALIZE UPDATE waits for EXTERNAL AUTHENTICATE. */
void cos_sessions_close_begun(struct cos_secure *secure);
/* Those under mutual keys of contexts (bit n: context n) with this number; 0: with any. */
void cos_sessions_close_under(struct cos_secure *secure, unsigned contexts, uint8_t number);
/* Drops what waits for the next command of its channel: a challenge, a digest, a factor, a part of
 * a chain, and its session with it. */
void cos_steps_drop(struct cos_secure *secure);
/* That, and all sessions. */
void cos_pending_drop(struct cos_secure *secure);
/* Flags of a response to a call about this channel: COS_GATE_FLAG_... */
uint8_t cos_pending_flags(const struct cos_secure *secure, uint8_t channel);

/* ---- One command under secure messaging (sm.c) ---- */

/* The held data of this command, if it is the one that SM_OPEN opened; marks them consumed.
 * COS_E_CONDITIONS. */
enum cos_result cos_held_take(struct cos_secure *secure, uint8_t channel, uint8_t ins,
                              struct cos_span *data);

/* While a command is open under secure messaging: COS_OK if its header is that of the command which
 * this call belongs to, or if the call decides nothing. The result of the
 * last call that decides becomes that of the command; after a success there is no further one.
 * COS_E_CONDITIONS, COS_E_GATE_FORMAT. */
enum cos_result cos_sm_bound(struct cos_secure *secure, uint8_t opcode, struct cos_span message);

/* ---- Challenges (auth.c) ---- */

/* In challenge_use: GENERAL AUTHENTICATE, with the reference of the key. */
enum { CHALLENGE_GENERAL = 0x40 };
/* Draws a challenge, answers it, and keeps it for whoever may use it: a production step, 0 = an
 * authentication that follows GET CHALLENGE, or as above. */
enum cos_result cos_challenge_make(struct cos_secure *secure, uint8_t length, uint8_t use,
                                   struct cos_writer *body);

/* MUTUAL AUTHENTICATE (mutual.c), which opens a session under the key. Wrong data: 63CX. */
enum cos_result cos_mutual_authenticate(struct cos_secure *secure, uint8_t channel,
                                        struct object *key, struct cos_span data,
                                        struct cos_writer *body);

/* ---- One-time passwords (one_time.c) ---- */

/* What a key with SERVICE_OTP is for, in struct object's `longest`; `shortest` has the digits of
 * HOTP and TOTP. Not these two with one key: who chooses the time would choose the counter. */
enum one_time { ONE_TIME_HOTP = 0x01, ONE_TIME_TOTP = 0x02, ONE_TIME_OCRA = 0x04 };
enum { ONE_TIME_DIGITS = 6, ONE_TIME_DIGITS_MAX = 8 };

/* Whether the two fields are as above. */
bool cos_one_time_consistent(const struct object *key);
/* Answers the password that the data ask for. The key's counter, if it is in it, is written before.
 * COS_E_CONDITIONS: the key is not for this, or the counter is at its end; COS_E_DATA; else as
 * cos_key_may(). */
enum cos_result cos_one_time_password(struct cos_secure *secure, uint8_t channel,
                                      struct object *key, struct cos_span data,
                                      struct cos_writer *body);

/* ---- Calls: one function a row of the call table ---- */

typedef enum cos_result (*call_handler)(struct cos_secure *secure, struct cos_reader *request,
                                        struct cos_writer *body);
enum cos_result cos_call_context(struct cos_secure *secure, struct cos_reader *request,
                                 struct cos_writer *body);
enum cos_result cos_call_access(struct cos_secure *secure, struct cos_reader *request,
                                struct cos_writer *body);
enum cos_result cos_call_pin(struct cos_secure *secure, struct cos_reader *request,
                             struct cos_writer *body);
enum cos_result cos_call_challenge(struct cos_secure *secure, struct cos_reader *request,
                                   struct cos_writer *body);
enum cos_result cos_call_auth(struct cos_secure *secure, struct cos_reader *request,
                              struct cos_writer *body);
enum cos_result cos_call_key(struct cos_secure *secure, struct cos_reader *request,
                             struct cos_writer *body);
enum cos_result cos_call_crypt(struct cos_secure *secure, struct cos_reader *request,
                               struct cos_writer *body);
enum cos_result cos_call_se(struct cos_secure *secure, struct cos_reader *request,
                            struct cos_writer *body);
enum cos_result cos_call_sm_open(struct cos_secure *secure, struct cos_reader *request,
                                 struct cos_writer *body);
enum cos_result cos_call_sm_seal(struct cos_secure *secure, struct cos_reader *request,
                                 struct cos_writer *body);
enum cos_result cos_call_vault(struct cos_secure *secure, struct cos_reader *request,
                               struct cos_writer *body);
enum cos_result cos_call_life(struct cos_secure *secure, struct cos_reader *request,
                              struct cos_writer *body);

/* The first HELLO under a prepared pairing secret was confirmed: production step 3 is complete. */
enum cos_result cos_life_packed(struct cos_secure *secure);
/* STORE DATA with held DGIs (personal.c). waiting: secure->waiting as it was before the call. */
enum cos_result cos_personal_store(struct cos_secure *secure, struct cos_span data,
                                   uint16_t waiting);
/* One of them: the value of a key pair or public key (import.c). COS_E_DATA: it is no good.
 * COS_E_CONDITIONS: q without p, or e with half of n. */
enum cos_result cos_pair_import(struct cos_secure *secure, struct cos_span dgi, uint16_t waiting);

/* Reads the channel number that nearly every request begins with; out of range fails the reader. */
uint8_t cos_read_channel(struct cos_reader *request);

/* Ends the chip's life until reset. */
void cos_go_mute(struct cos_secure *secure, enum cos_secure_verdict verdict);

#endif
