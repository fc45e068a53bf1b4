/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of the access application on a whole card, and the commands that work with them. What the
 * card computes is held against OpenSSL by the tests.
 */
#ifndef CRYPT_RIG_H
#define CRYPT_RIG_H

#include "card_table.h"
#include "oracle_key.h"

/* Algorithm references (docs/formats.md, "Algorithms"): hash function and scheme. */
#define HASH_AND(hash, scheme) ((uint8_t)(((hash) + 1U) << 4 | (scheme)))
enum crypt_scheme {
    DEFAULT = 0,
    V15 = 1,
    PSS = 2,
    ECDSA = 3,
    CIPHER_V15 = 4,
    OAEP = 5,
    CBC = 6,
    CBC_PADDED = 7,
    MAC = 8
};

#define OF_APPLICATION "8409F05457494E434F5301"
/* Values of DGI 8020 without 83: empty key pairs, which anybody generates and uses. */
#define RSA_1024 OF_APPLICATION " 800104 C90110 CE010B CB0100"
#define EC_P256  OF_APPLICATION " 800105 C90100 CE0101 CB0100"
#define EC_P384  OF_APPLICATION " 800105 C90101 CE0101 CB0100"
#define EC_P521  OF_APPLICATION " 800105 C90102 CE0101 CB0100"

/* STORE DATA of one key, number and the rest, in the session that is open: the status word. */
uint16_t crypt_store(struct bench *bench, uint8_t number, const char *attributes);
/* The same in a session of its own, must succeed; then the application is selected in the clear. */
void crypt_key(struct bench *bench, uint8_t number, const char *attributes);

/* A number of a key pair or public key, as a data object. */
struct crypt_number {
    uint8_t tag;
    const uint8_t *data;
    size_t length;
};
/* STORE DATA of the value of the application's key, in the session that is open, in as many blocks
 * as it takes: the status word of the last one. */
uint16_t crypt_import(struct bench *bench, uint8_t number, const struct crypt_number *numbers,
                      size_t count);

/* A command with data of any length, short or extended, and the greatest Le. */
uint16_t crypt_send(struct bench *bench, uint8_t ins, uint8_t p1, uint8_t p2, const uint8_t *data,
                    size_t length);
/* PSO under SCP03, in parts of 200 bytes. */
uint16_t crypt_operate_in_parts(struct bench *bench, uint8_t p1, uint8_t p2, const uint8_t *data,
                                size_t length);
/* VERIFY DIGITAL SIGNATURE. */
uint16_t crypt_verify(struct bench *bench, const uint8_t *digest, size_t digest_length,
                      const uint8_t *signature, size_t length);
/* MANAGE SECURITY ENVIRONMENT: SET of key and algorithm for computing and verifying. */
void crypt_set(struct bench *bench, uint8_t template, uint8_t reference, uint8_t algorithm);
/* GENERATE of a key pair in the clear, must succeed. The answer stays in bench->data. */
void crypt_generate(struct bench *bench, uint8_t reference);

/* The public part in bench->data, as OpenSSL's key. */
void crypt_take_rsa(const struct bench *bench, struct oracle_rsa *rsa);
EVP_PKEY *crypt_take_ec(const struct bench *bench, enum cos_curve curve);
/* Reads it first. */
void crypt_read_rsa(struct bench *bench, uint8_t reference, struct oracle_rsa *rsa);
EVP_PKEY *crypt_read_ec(struct bench *bench, uint8_t reference, enum cos_curve curve);

/* Chunks of the security chip that are not 00 behind their generation. */
unsigned crypt_chunks(const struct bench *bench);

/* Bytes 1, 2, 3, ... that look like a digest. */
void crypt_digest(uint8_t *digest, size_t length, unsigned seed);

#endif
