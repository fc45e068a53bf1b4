/* SPDX-License-Identifier: Apache-2.0
 *
 * What the gate costs, to be run under callgrind: instructions of calls of both chips in one
 * process, and of signatures of the whole card, each beside the cryptography that it cannot do
 * without; and what VERIFY writes. tests/bench/bench_gate.py makes the table.
 *
 * Chance is seeded, and the provider alone is given the random numbers that the card had: it must
 * come to the same signature, so both have done the same work.
 */
#include "crypt_rig.h"

#include "crypto/rsa.h"
#include "gate/channel.h"
#include "link_loop.h"
#include "secure_domain/domain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/callgrind.h>

#define RSA_2048 OF_APPLICATION " 800104 C90120 CE0101 CB0100"

static struct bench card;
static struct host_link_loop loop;

static void must(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "bench_gate: %s: %04X\n", what, card.sw);
        exit(1);
    }
}

static void good(const char *apdu)
{
    must(bench_hex(&card, apdu) == 0x9000, apdu);
}

/* What stands between the two is counted under a title. */
static void begin(void)
{
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
}

static void end(const char *title)
{
    CALLGRIND_DUMP_STATS_AT(title);
    CALLGRIND_STOP_INSTRUMENTATION;
}

/* ---- One call ---- */

static void serve(void *context)
{
    (void)context;
    (void)cos_secure_serve(&card.secure, 1);
}

/* What two messages of these lengths need: each is sealed by one chip and opened by the other. */
static void measure_ccm(const char *title, size_t request, size_t response)
{
    const struct cos_crypto *crypto = card.crypto;
    const uint8_t *key = card.app.gate.request_key;
    const struct {
        size_t associated, length;
    } messages[] = {{FRAME_HEADER, request}, {FRAME_HEADER + COS_CCM_TAG, response}};
    uint8_t associated[FRAME_HEADER + COS_CCM_TAG] = {0}, nonce[COS_CCM_NONCE] = {0};
    uint8_t message[COS_GATE_MESSAGE_MAX] = {0}, sealed[COS_CCM_TAG], tag[COS_CCM_TAG];
    bool same = true;

    begin();
    for (size_t i = 0; i < 2; i++) {
        same &= crypto->aes_ccm_seal(crypto->context, key, KEY_SIZE, nonce, associated,
                                     messages[i].associated, message, messages[i].length,
                                     sealed) == COS_OK;
        same &= crypto->aes_ccm_open(crypto->context, key, KEY_SIZE, nonce, associated,
                                     messages[i].associated, message, messages[i].length,
                                     tag) == COS_OK;
    }
    end(title);
    must(same && memcmp(sealed, tag, sizeof tag) == 0, "CCM");
}

static void measure_call(const char *title, enum cos_gate_call call, const char *hex)
{
    uint8_t bytes[64];
    char ccm[64];
    const size_t length = bench_bytes(hex, bytes, sizeof bytes);
    const struct cos_span part = {bytes, length};
    struct cos_span body;

    begin();
    const enum cos_result result = cos_gate_call(&card.app.gate, call, &part, 1, &body);
    end(title);
    must(result == COS_OK, title);
    snprintf(ccm, sizeof ccm, "CCM of %s", title);
    measure_ccm(ccm, length, RESPONSE_PREFIX + body.length);
}

/* ---- Signatures ---- */

struct signature {
    uint8_t bytes[BENCH_RESPONSE];
    size_t length;
};

static void measure_card(const char *title, const uint8_t digest[32], struct signature *signature)
{
    uint8_t command[41] = {0x00, 0x2A, 0x9E, 0x9A, 0x00, 0x00, 32};

    memcpy(command + 7, digest, 32);
    cos_app_settle(&card.app);
    begin();
    const size_t got = cos_app_command(&card.app, command, sizeof command, signature->bytes,
                                       sizeof signature->bytes);
    end(title);
    must(got > 2 && cos_get16(signature->bytes + got - 2) == 0x9000, title);
    signature->length = got - 2;
}

/* The key of the application by its number, in the memory for keys. */
static struct object load(uint8_t number)
{
    const struct cos_span name = {bench_application, sizeof bench_application};
    struct object key = {0};
    uint8_t context;

    must(cos_application_find(&card.secure, name, &context) == COS_OK, "application");
    must(cos_object_find(&card.secure, OBJECT_KEY, context, number, 0, &key) == COS_OK, "key");
    must(cos_material_load(&card.secure, &key) == COS_OK, "key pair");
    return key;
}

static void measure_rsa(const struct cos_random *random, const uint8_t digest[32],
                        const struct signature *signature)
{
    const struct cos_crypto *crypto = card.crypto;
    const struct object object = load(4);
    const struct cos_rsa_private key = cos_material_rsa(&card.secure, &object);
    const struct cos_span modulus = {card.key_memory, cos_material_modulus(&object)};
    uint8_t bytes[COS_RSA_MAX], encoded[COS_RSA_MAX];

    must(signature->length == modulus.length, "length of a signature");
    begin();
    enum cos_result result = cos_emsa_v15_encode(COS_SHA256, digest, bytes, modulus.length);
    if (result == COS_OK) {
        result = crypto->rsa_private(crypto->context, &key, random, bytes, bytes);
    }
    end("provider RSA-2048");
    must(result == COS_OK && memcmp(bytes, signature->bytes, modulus.length) == 0, "RSA");
    begin();
    result = crypto->rsa_public(crypto->context, modulus, key.e, bytes, encoded);
    end("check RSA-2048");
    must(result == COS_OK &&
             cos_emsa_v15_verify(COS_SHA256, digest, encoded, modulus.length) == COS_YES,
         "check of RSA");
}

static void measure_ec(const struct cos_random *random, const uint8_t digest[32],
                       const struct signature *signature)
{
    const struct cos_crypto *crypto = card.crypto;
    const struct object object = load(5);
    const uint8_t *key = cos_material_ec(&card.secure, &object);
    uint8_t bytes[2 * COS_EC_MAX];
    cos_truth valid = COS_NO;

    begin();
    enum cos_result result =
        crypto->ec_sign(crypto->context, COS_P256, random, key, digest, 32, bytes);
    end("provider P-256");
    must(result == COS_OK && signature->length == 64 && memcmp(bytes, signature->bytes, 64) == 0,
         "ECDSA");
    begin();
    result =
        crypto->ec_verify(crypto->context, COS_P256, card.key_memory, digest, 32, bytes, &valid);
    end("check P-256");
    must(result == COS_OK && valid == COS_YES, "check of ECDSA");
}

static void measure_signature(const char *title, uint8_t reference, uint8_t algorithm,
                              void (*provider)(const struct cos_random *, const uint8_t *,
                                               const struct signature *))
{
    struct signature signature;
    uint8_t digest[32];

    crypt_digest(digest, sizeof digest, 1);
    crypt_generate(&card, reference);
    crypt_set(&card, 0xB6, reference, algorithm);
    struct cos_drbg drbg = card.secure.drbg; /* what the card will draw */
    const uint64_t seed = card.seed;
    measure_card(title, digest, &signature);
    card.seed = seed;
    const struct cos_random random = cos_drbg_source(&drbg);
    provider(&random, digest, &signature);
    cos_material_wipe(&card.secure);
}

/* ---- VERIFY ---- */

static void count(const char *title, const char *apdu, uint16_t sw)
{
    const struct sim_counts before = card.secure_nvm.counts, app = card.app_nvm.counts;

    must(bench_hex(&card, apdu) == sw, title);
    const struct sim_counts *now = &card.secure_nvm.counts;
    must(memcmp(&app, &card.app_nvm.counts, sizeof app) == 0, "the app chip writes");
    printf("%s|%llu|%llu|%llu\n", title,
           (unsigned long long)(now->page_programs - before.page_programs),
           (unsigned long long)(now->erases - before.erases),
           (unsigned long long)(now->marks - before.marks));
}

int main(void)
{
    bench_make(&card, &bench_host);
    host_link_loop_init(&loop, serve, NULL);
    card.app_board.link = &loop.app;
    card.secure_board.link = &loop.secure;
    crypt_key(&card, 4, RSA_2048);
    crypt_key(&card, 5, EC_P256);

    count("VERIFY, right", "00200081 06 313233343536", 0x9000);
    count("VERIFY, wrong", "00200081 06 393939393939", 0x63C2);
    count("VERIFY, right after wrong", "00200081 06 313233343536", 0x9000);
    good("00200081");
    measure_call("STATUS", COS_GATE_STATUS, "");
    measure_call("ACCESS, always", COS_GATE_ACCESS, "00 9000");
    measure_call("ACCESS, PIN 1", COS_GATE_ACCESS, "00 9E0190");
    measure_signature("card P-256", 0x85, HASH_AND(COS_SHA256, ECDSA), measure_ec);
    measure_signature("card RSA-2048", 0x84, HASH_AND(COS_SHA256, V15), measure_rsa);
    bench_free(&card);
    return 0;
}
