/* SPDX-License-Identifier: Apache-2.0
 *
 * One-time passwords: HOTP (RFC 4226), TOTP (RFC 6238), OCRA (RFC 6287). A card has no clock and no
 * counters here: time and counter come from the caller, who also sees to it that a counter is
 * written before its password leaves.
 *
 * A password is decimal digits in ASCII, without an end mark. Every function hands on an error of
 * the provider.
 */
#ifndef COS_CRYPTO_OTP_H
#define COS_CRYPTO_OTP_H

#include "cos/crypto.h"

#define COS_OTP_DIGITS_MIN 4U
#define COS_OTP_DIGITS_MAX 10U

/* Dynamic truncation (RFC 4226, 5.3): 31 bits of a MAC of 20 to 64 bytes. Pure. */
uint32_t cos_otp_truncate(const uint8_t *mac, size_t length);

/* The last `digits` (1 to 10) decimal digits of a value, with leading zeros. */
void cos_otp_digits(uint32_t value, size_t digits, uint8_t *password);

/* HOTP with any of the hashes (the RFC has SHA-1; RFC 6238 the others). COS_E_DATA: `digits` is not
 * 4 to 10. */
enum cos_result cos_hotp(const struct cos_crypto *crypto, enum cos_hash which, struct cos_span key,
                         uint64_t counter, size_t digits, uint8_t *password);

/* TOTP: HOTP of the steps since `start`, all in seconds (of Unix time; usually 0 and 30).
 * COS_E_DATA: `step` is 0, `time` before `start`, or `digits` as above. */
enum cos_result cos_totp(const struct cos_crypto *crypto, enum cos_hash which, struct cos_span key,
                         uint64_t time, uint64_t start, uint32_t step, size_t digits,
                         uint8_t *password);

/* ---- OCRA */

#define COS_OCRA_CHALLENGE_MAX 128U /* characters: two challenges of 64 */
#define COS_OCRA_SESSION_MAX   512U
#define COS_OCRA_PASSWORD_MAX  COS_HASH_MAX

/* What a suite says (RFC 6287, 6). */
struct cos_ocra_suite {
    enum cos_hash hash;     /* SHA-1, SHA-256 or SHA-512 */
    size_t digits;          /* 4 to 10, or 0: the whole MAC */
    bool counter;           /* C */
    uint8_t format;         /* of the challenge: 'N' decimal, 'A' any characters, 'H' hexadecimal */
    size_t challenge;       /* its most characters, 4 to 64 */
    bool pin;               /* P, with the hash in pin_hash */
    enum cos_hash pin_hash; /* SHA-1, SHA-256 or SHA-512 */
    size_t session;         /* S: its bytes, 1 to 512; 0 = none */
    uint32_t step;          /* T: seconds; 0 = none */
};

/* Reads a suite, "OCRA-1:HOTP-SHA1-6:QN08" and the like, to the letter: upper case; digits 0 or 4
 * to 10; the inputs in the order C, Q, P, S, T, of which Q must be there; Q with two digits, 04 to
 * 64; S with three, 001 to 512; T with 1 to 59 S or M, or 1 to 48 H, without a leading zero (0 H,
 * which the RFC's grammar lets through, has no meaning). COS_E_DATA. */
enum cos_result cos_ocra_parse(struct cos_span text, struct cos_ocra_suite *suite);

/* What is hashed. */
struct cos_ocra_input {
    uint64_t counter;          /* used with C */
    struct cos_span challenge; /* 1 to twice the suite's characters: of both sides, one after the
                                  other, in mutual challenge and response (RFC 6287, 7.2) */
    struct cos_span pin_hash;  /* with P: the digest of the PIN; else empty */
    struct cos_span session;   /* with S: just the suite's bytes; else empty */
    uint64_t time;             /* used with T: seconds of Unix time */
};

/* Reads the suite and says whether the input is one for it: all that cos_ocra() can refuse, before
 * a counter is spent on it. COS_E_DATA. */
enum cos_result cos_ocra_check(struct cos_span text, const struct cos_ocra_input *input,
                               struct cos_ocra_suite *suite);

/* The password of a suite: `digits` characters, or cos_hash_size(hash) bytes. *length says how many
 * bytes were written, at most COS_OCRA_PASSWORD_MAX. COS_E_DATA: suite or input is not as above, or
 * the challenge is not of its format (an 'A' may be any character but NUL, with which it is filled
 * up). */
enum cos_result cos_ocra(const struct cos_crypto *crypto, struct cos_span text, struct cos_span key,
                         const struct cos_ocra_input *input, uint8_t *password, size_t *length);

#endif
