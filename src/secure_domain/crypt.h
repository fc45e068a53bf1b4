/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of PERFORM SECURITY OPERATION share: crypt.c, sign.c, attest.c,
 * cipher.c, checksum.c; and auth.c, which verifies signatures, too.
 */
#ifndef COS_SECURE_CRYPT_H
#define COS_SECURE_CRYPT_H

#include "domain.h"

/* Tags of ISO/IEC 7816-4:2013, tables 47 and 54, and of ISO/IEC 7816-8:2019, table 5. */
enum {
    TEMPLATE_AUTHENTICATION = 0xA4,
    TEMPLATE_HASH = 0xAA,
    TEMPLATE_CHECKSUM = 0xB4,
    TEMPLATE_SIGNATURE = 0xB6,
    TEMPLATE_CONFIDENTIALITY = 0xB8,
    TAG_PLAIN = 0x80,
    TAG_CRYPTOGRAM_TLV = 0x82,
    TAG_CRYPTOGRAM_BARE = 0x84,
    TAG_CRYPTOGRAM = 0x86,
    TAG_CHECKSUM_VALUE = 0x8E,
    TAG_INTERMEDIATE = 0x90,
    TAG_SIGNATURE_INPUT = 0x9A,
    TAG_SIGNATURE = 0x9E,
};

/* b4..b1 of an algorithm reference; b8..b5 name the hash function. */
enum scheme {
    SCHEME_DEFAULT = 0x0,
    SCHEME_V15 = 0x1,
    SCHEME_PSS = 0x2,
    SCHEME_ECDSA = 0x3,
    SCHEME_CIPHER_V15 = 0x4,
    SCHEME_OAEP = 0x5,
    SCHEME_CBC = 0x6,        /* of whole blocks */
    SCHEME_CBC_PADDED = 0x7, /* 80, then 00 */
    SCHEME_MAC = 0x8,        /* CMAC, retail MAC or HMAC, as the key is */
};

/* One operation under way. */
struct operation {
    struct cos_secure *secure;
    struct cos_channel *channel;
    uint8_t at, p1, p2;
    struct cos_span data;
    struct cos_writer *body;
    struct object key;
    uint8_t scheme;
    bool hashed; /* the algorithm names a hash function */
    enum cos_hash hash;
    bool spent; /* the use of the key is paid for */
};

/* Reads an algorithm reference. COS_E_CONDITIONS: no such hash function. */
enum cos_result cos_crypt_take_algorithm(struct operation *operation, uint8_t algorithm);
/* Finds key and algorithm that the environment names, and asks whether the key may do that. */
enum cos_result cos_crypt_take_key(struct operation *operation, uint8_t template,
                                   enum reference_direction direction, enum object_service service);
/* The scheme, if it is the default, which is the first one, or one of two. COS_E_CONDITIONS. */
enum cos_result cos_crypt_choose(struct operation *operation, uint8_t first, uint8_t second);
/* Two data objects, each once, in this order. COS_E_DATA. */
enum cos_result cos_crypt_read_pair(struct cos_span data, uint32_t first_tag, uint32_t second_tag,
                                    struct cos_span *first, struct cos_span *second);
/* Pays for the use of the key: when nothing but the key's own work is left to do. */
enum cos_result cos_crypt_spend(struct operation *operation);

/* The SHA-256 digest of what an attestation says of the key pair that the data field names
 * (attest.c). COS_E_CONDITIONS: it was not made here. */
enum cos_result cos_crypt_statement(struct operation *operation, uint8_t digest[COS_SHA256_SIZE]);

/* Whether a signature of this length over so many bytes can be verified with the key, whose public
 * part is then in key memory. COS_E_CONDITIONS, COS_E_DATA, COS_E_NOT_USABLE. */
enum cos_result cos_crypt_verify_ready(struct operation *operation, size_t message,
                                       size_t signature);
/* Then: *valid is COS_YES or COS_NO. */
enum cos_result cos_crypt_verify(struct operation *operation, struct cos_span message,
                                 struct cos_span signature, cos_truth *valid);

/* The operations, a row each of the table in crypt.c. */
enum cos_result cos_pso_sign(struct operation *operation);
enum cos_result cos_pso_verify_signature(struct operation *operation);
enum cos_result cos_pso_decipher(struct operation *operation);
enum cos_result cos_pso_encipher(struct operation *operation);
enum cos_result cos_pso_checksum(struct operation *operation);
enum cos_result cos_pso_verify_checksum(struct operation *operation);

#endif
