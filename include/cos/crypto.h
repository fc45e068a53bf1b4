/* SPDX-License-Identifier: Apache-2.0
 *
 * Cryptography: one provider interface, and what is built on it (key derivation, random numbers,
 * self-test). Paddings, MACs and one-time passwords stand in headers of their own.
 *
 * The provider is a const struct of functions, one an algorithm, each complete in one call with the
 * key given as bytes: a vendor puts an accelerator behind any of them and leaves the others to
 * cos_crypto_tomcrypt. Nothing keeps key material between calls; what a call puts on its stack it
 * wipes. No function writes NVM.
 */
#ifndef COS_CRYPTO_H
#define COS_CRYPTO_H

#include "cos/bytes.h"

#define COS_AES_BLOCK   16U
#define COS_DES_BLOCK   8U
#define COS_SHA256_SIZE 32U
#define COS_CCM_NONCE   13U
#define COS_CCM_TAG     8U
#define COS_AES_KEY_MAX 32U

/* Hash functions of FIPS 180-4. */
enum cos_hash { COS_SHA1, COS_SHA224, COS_SHA256, COS_SHA384, COS_SHA512 };
#define COS_HASHES         5U
#define COS_HASH_MAX       64U  /* longest digest */
#define COS_HASH_BLOCK_MAX 128U /* longest block */

/* Bytes of the digest, of a block, and of the chaining value between two blocks. Pure. */
size_t cos_hash_size(enum cos_hash which);
size_t cos_hash_block(enum cos_hash which);
size_t cos_hash_state(enum cos_hash which);

/* What the caller lends to a function that needs chance or takes long. */
struct cos_random {
    void *context;
    /* Fills `out`, 1 to 1,024 bytes. An error ends the function that asked, with the same error. */
    enum cos_result (*draw)(void *context, uint8_t *out, size_t length);
    /* Called again and again while a key is generated: watchdog, waiting-time extension. NULL for
     * none. It may not call the provider. */
    void *idle_context;
    void (*idle)(void *idle_context);
};

/* RSA, 1,024 to 4,096 bits. Numbers are big-endian bytes. The modulus has `size` = 128 to 512
 * bytes, an even number of them, and its first bit is 1. */
#define COS_RSA_MIN 128U
#define COS_RSA_MAX 512U

/* A private key (RFC 8017, 3.2, second representation). p and q have size / 2 bytes each, and their
 * first bits are 1; the others have as many or fewer. */
struct cos_rsa_private {
    struct cos_span p, q;
    struct cos_span dp, dq; /* e^-1 mod p - 1, and mod q - 1 */
    struct cos_span qinv;   /* q^-1 mod p */
    struct cos_span e;      /* of the public key: for blinding, and to check the result */
};

/* Where a generated key goes: size bytes at n, size / 2 at each of the others. */
struct cos_rsa_parts {
    uint8_t *n, *p, *q, *dp, *dq, *qinv;
};

/* Elliptic curves of SP 800-186, 3.2.1. A coordinate and a private key have `size` bytes, a point
 * 1 + 2 size (04 X Y; SEC 1, 2.3.3), a signature 2 size (r s). */
enum cos_curve { COS_P256, COS_P384, COS_P521 };
#define COS_CURVES       3U
#define COS_EC_MAX       66U
#define COS_EC_POINT_MAX (1U + 2U * COS_EC_MAX)

/* `size`: 32, 48 or 66. Pure. */
size_t cos_ec_size(enum cos_curve curve);

/* Every function: COS_OK, or COS_E_CRYPTO when the provider fails, does not have the algorithm, or
 * a length is none of those named; outputs are then undefined and must not be used. Input and
 * output may be the same buffer, not overlap otherwise. AES keys have 16, 24 or 32 bytes, 3DES keys
 * 24 (K1 K2 K3; FIPS 46-3 keying option 1, or 2 with K3 = K1, or 3 with all the same: single DES).
 *
 * A provider has AES, and `hash` and `hmac` with SHA-256. The rest is optional: `hashes` and
 * `curves` say which, and a function that a provider does not have is NULL. */
struct cos_crypto {
    void *context;
    uint8_t hashes; /* bit 1 << enum cos_hash: what hash, hash_resume and hmac know */
    uint8_t curves; /* bit 1 << enum cos_curve: what the ec_ functions know */
    /* One block (FIPS 197). */
    enum cos_result (*aes_encrypt)(void *context, const uint8_t *key, size_t key_length,
                                   const uint8_t in[COS_AES_BLOCK], uint8_t out[COS_AES_BLOCK]);
    enum cos_result (*aes_decrypt)(void *context, const uint8_t *key, size_t key_length,
                                   const uint8_t in[COS_AES_BLOCK], uint8_t out[COS_AES_BLOCK]);
    /* CBC without padding (SP 800-38A); length a multiple of 16. */
    enum cos_result (*aes_cbc_encrypt)(void *context, const uint8_t *key, size_t key_length,
                                       const uint8_t iv[COS_AES_BLOCK], const uint8_t *in,
                                       uint8_t *out, size_t length);
    enum cos_result (*aes_cbc_decrypt)(void *context, const uint8_t *key, size_t key_length,
                                       const uint8_t iv[COS_AES_BLOCK], const uint8_t *in,
                                       uint8_t *out, size_t length);
    /* CMAC over the parts one after the other (SP 800-38B). */
    enum cos_result (*aes_cmac)(void *context, const uint8_t *key, size_t key_length,
                                const struct cos_span *parts, size_t count,
                                uint8_t mac[COS_AES_BLOCK]);
    /* CCM with a 13-byte nonce and an 8-byte tag (SP 800-38C); `data` is enciphered in place. */
    enum cos_result (*aes_ccm_seal)(void *context, const uint8_t *key, size_t key_length,
                                    const uint8_t nonce[COS_CCM_NONCE], const uint8_t *associated,
                                    size_t associated_length, uint8_t *data, size_t length,
                                    uint8_t tag[COS_CCM_TAG]);
    /* Deciphers in place and gives the tag that the message should have: the caller compares, with
     * cos_equal_secret(), and wipes `data` if they differ. */
    enum cos_result (*aes_ccm_open)(void *context, const uint8_t *key, size_t key_length,
                                    const uint8_t nonce[COS_CCM_NONCE], const uint8_t *associated,
                                    size_t associated_length, uint8_t *data, size_t length,
                                    uint8_t tag[COS_CCM_TAG]);
    /* One block of 3DES (SP 800-67). Both or none. */
    enum cos_result (*des3_encrypt)(void *context, const uint8_t key[24],
                                    const uint8_t in[COS_DES_BLOCK], uint8_t out[COS_DES_BLOCK]);
    enum cos_result (*des3_decrypt)(void *context, const uint8_t key[24],
                                    const uint8_t in[COS_DES_BLOCK], uint8_t out[COS_DES_BLOCK]);
    /* FIPS 180-4 over the parts one after the other; the digest has cos_hash_size(which) bytes. */
    enum cos_result (*hash)(void *context, enum cos_hash which, const struct cos_span *parts,
                            size_t count, uint8_t *digest);
    /* The same, after `processed` bytes (a multiple of the block, not 0, below 2^60) were hashed
     * elsewhere: `state` is the chaining value then, cos_hash_state(which) bytes (ISO/IEC
     * 7816-8:2019, PSO HASH with the last round on the card). Optional. */
    enum cos_result (*hash_resume)(void *context, enum cos_hash which, const uint8_t *state,
                                   uint64_t processed, const struct cos_span *parts, size_t count,
                                   uint8_t *digest);
    /* FIPS 198-1, any length of the key. The MAC has cos_hash_size(which) bytes. */
    enum cos_result (*hmac)(void *context, enum cos_hash which, const uint8_t *key,
                            size_t key_length, const struct cos_span *parts, size_t count,
                            uint8_t *mac);

    /* RSA without padding: `in` and `out` have n.length bytes. All of RSA is optional.
     *
     * in^e mod n (RFC 8017, 5.2.2). COS_E_DATA: n is even, e is 0, or `in` is not below n. */
    enum cos_result (*rsa_public)(void *context, struct cos_span n, struct cos_span e,
                                  const uint8_t *in, uint8_t *out);
    /* in^d mod n by the Chinese remainder theorem (RFC 8017, 5.1.2), on 2 p.length bytes; blinded
     * with `random`, and the result is checked with e before it leaves (COS_CHECK_SIGNATURES): a
     * faulty one would give the key away. COS_E_DATA: `in` is not below n. */
    enum cos_result (*rsa_private)(void *context, const struct cos_rsa_private *key,
                                   const struct cos_random *random, const uint8_t *in,
                                   uint8_t *out);
    /* COS_OK if a key from outside is one: e odd, at least COS_RSA_E_MIN and at most 256 bits; p
     * and q different, odd and half as long as n, their product; e dP = 1 mod p - 1, e dQ = 1 mod
     * q - 1, q qInv = 1 mod p, each the least such number. Whether p and q are prime is not looked
     * at. COS_E_DATA. */
    enum cos_result (*rsa_check)(void *context, const struct cos_rsa_private *key,
                                 struct cos_span n);
    /* Makes a key of `bits` (a multiple of 16) for e, as FIPS 186-5, A.1.3 does. On a small chip
     * this takes many seconds: random->idle. COS_E_DATA: e as above. */
    enum cos_result (*rsa_generate)(void *context, const struct cos_random *random, size_t bits,
                                    struct cos_span e, const struct cos_rsa_parts *key);
    /* The other numbers of a key from outside: p and q, half as long as n each, and e. They are
     * checked: prime, different, n of full length, e as above and prime to p - 1 and q - 1.
     * COS_E_DATA. p and q may come out the other way round, and lie where they came from. */
    enum cos_result (*rsa_complete)(void *context, const struct cos_random *random,
                                    struct cos_span p, struct cos_span q, struct cos_span e,
                                    const struct cos_rsa_parts *key);

    /* Elliptic curves. All of them are optional. COS_E_DATA: a private key that is not 1 to n - 1,
     * or a point that is not on the curve (04, coordinates below p, the equation; the point at
     * infinity has no such form).
     *
     * A new key pair (FIPS 186-5, A.2.2). */
    enum cos_result (*ec_generate)(void *context, enum cos_curve curve,
                                   const struct cos_random *random, uint8_t *key, uint8_t *point);
    /* The public key of a private one. */
    enum cos_result (*ec_public)(void *context, enum cos_curve curve,
                                 const struct cos_random *random, const uint8_t *key,
                                 uint8_t *point);
    /* ECDSA (FIPS 186-5, 6.4) of a digest of 20 to 64 bytes, of which the first `size` count. The
     * caller verifies the signature before it leaves. */
    enum cos_result (*ec_sign)(void *context, enum cos_curve curve, const struct cos_random *random,
                               const uint8_t *key, const uint8_t *digest, size_t digest_length,
                               uint8_t *signature);
    /* *valid is COS_YES or COS_NO, and COS_NO unless the result is COS_OK. */
    enum cos_result (*ec_verify)(void *context, enum cos_curve curve, const uint8_t *point,
                                 const uint8_t *digest, size_t digest_length,
                                 const uint8_t *signature, cos_truth *valid);
    /* ECDH (SP 800-56A, 5.7.1.2): the x-coordinate, `size` bytes. */
    enum cos_result (*ec_agree)(void *context, enum cos_curve curve,
                                const struct cos_random *random, const uint8_t *key,
                                const uint8_t *point, uint8_t *secret);
    /* COS_OK if `key` and `point` are good, each by itself; one of them may be NULL. */
    enum cos_result (*ec_check)(void *context, enum cos_curve curve, const uint8_t *key,
                                const uint8_t *point);
};

/* The libtomcrypt provider, which has everything. */
extern const struct cos_crypto cos_crypto_tomcrypt;

/* Derives `length` bytes (1 to 255 blocks; `out` must not overlap the inputs) by SP 800-108r1 4.1,
 * counter mode, PRF AES-CMAC: PRF(key, [i] as 32 bits || label || 00 || context || [bits] as 32
 * bits). */
enum cos_result cos_kdf(const struct cos_crypto *crypto, const uint8_t *key, size_t key_length,
                        struct cos_span label, struct cos_span context, uint8_t *out,
                        size_t length);

/* The same construction in the form of GlobalPlatform SCP03 (Amendment D 4.1.5):
 * PRF(key, 11 bytes 00 || constant || 00 || [bits] as 16 bits || [i] as 8 bits || context). */
enum cos_result cos_kdf_scp03(const struct cos_crypto *crypto, const uint8_t *key,
                              size_t key_length, uint8_t constant, struct cos_span context,
                              uint8_t *out, size_t length);

/* Key derivation from a shared secret by ANSI X9.63 (SEC 1, 3.6.1): H(secret || [i] as 32 bits ||
 * info), i from 1, as many bytes as asked for (1 to 255 digests; `out` must not overlap the
 * inputs). */
enum cos_result cos_kdf_x963(const struct cos_crypto *crypto, enum cos_hash which,
                             struct cos_span secret, struct cos_span info, uint8_t *out,
                             size_t length);

/* HMAC_DRBG with SHA-256 (SP 800-90A 10.1.2), security strength 256, seeded by the port's noise
 * source, whose bytes pass the repetition count and adaptive proportion tests of SP 800-90B 4.4
 * first. */
struct cos_drbg {
    const struct cos_crypto *crypto;
    const struct cos_entropy *entropy;
    uint8_t key[COS_SHA256_SIZE];
    uint8_t value[COS_SHA256_SIZE];
    uint32_t requests; /* since the last seeding */
    bool ready;
};

/* Runs the start-up health test of the source and seeds. `personal` may be empty. COS_E_ENTROPY,
 * COS_E_CRYPTO. */
enum cos_result cos_drbg_start(struct cos_drbg *drbg, const struct cos_crypto *crypto,
                               const struct cos_entropy *entropy, struct cos_span personal);
/* Fills `out` (up to 65,536 bytes a call); seeds again every COS_DRBG_RESEED requests. After an
 * error the generator is dead until started again. COS_E_ENTROPY, COS_E_CRYPTO. */
enum cos_result cos_drbg_random(struct cos_drbg *drbg, uint8_t *out, size_t length);
void cos_drbg_wipe(struct cos_drbg *drbg);
/* The generator as what the provider draws from, without idle(). */
struct cos_random cos_drbg_source(struct cos_drbg *drbg);

/* Health tests by themselves: COS_OK or COS_E_ENTROPY for a run of raw noise bytes. */
enum cos_result cos_entropy_health(const uint8_t *noise, size_t length);

/* Known-answer tests of what every provider has and of what is built on it. `which` chooses: a chip
 * tests what it uses. COS_E_SELF_TEST. */
#define COS_SELF_TEST_AES    0x01U /* block, CBC, CMAC, CCM, KDFs */
#define COS_SELF_TEST_DES3   0x02U
#define COS_SELF_TEST_SHA256 0x04U /* SHA-256, HMAC, DRBG */
enum cos_result cos_crypto_self_test(const struct cos_crypto *crypto, unsigned which);

/* The same for what a provider need not have: before its first use, since some of it takes long.
 * Generation of keys is not tested, for its answers cannot be known. COS_E_SELF_TEST, also for what
 * the provider does not have. */
#define COS_SELF_TEST_HASH                                                                         \
    0x08U                        /* hashes but SHA-256, HMAC with them, resumption: what there is  \
                                  */
#define COS_SELF_TEST_RSA  0x10U /* both operations and the check of a key, 1,024 bits */
#define COS_SELF_TEST_P256 0x20U /* each curve: public key, agreement, signature, checks */
#define COS_SELF_TEST_P384 0x40U
#define COS_SELF_TEST_P521 0x80U
#define COS_SELF_TEST_SHA1 0x100U /* the core's own, for sessions of ISO secure messaging */
enum cos_result cos_crypto_self_test_optional(const struct cos_crypto *crypto, unsigned which);

#endif
