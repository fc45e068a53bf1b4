/* SPDX-License-Identifier: Apache-2.0
 *
 * The worked examples of docs/formats.md: read from the document, recomputed with the card's own
 * code, and once more with OpenSSL. Those of "Files" are read by test_fs.c.
 */
#include "card_table.h"
#include "example.h"
#include "gate/channel.h"
#include "gate/pairing.h"
#include "oracle.h"
#include "secure_domain/domain.h"
#include "twinctl/bytes.h"
#include "vault_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- Store pages ---- */

static void store_page_and_mark(void **state)
{
    static const struct cos_nvm_geometry geometry = {4096, 256, 64, 8, 0xFF, 1000};
    static const uint8_t payload[] = {1, 2, 3};
    struct example *page = example_read("store-page", false), *mark = example_read("mark", true);
    uint16_t map[12];
    struct sim_power power = {0};
    struct sim_nvm nvm;
    struct cos_store store;
    const struct cos_store_config config = {
        .page_size = 256, .pages = 16, .reserve = 4, .scrub_from = 0xFFFF, .map = map};
    const struct cos_edit edit = {.address = 0, .data = payload, .length = sizeof payload};
    struct bytes signed_ = {0}, page_signed = {0};

    (void)state;
    sim_nvm_init(&nvm, &power, &geometry, 0, 256);
    assert_int_equal(cos_store_mount(&store, &nvm.nvm, &config), COS_E_STORE_BLANK);
    assert_int_equal(cos_store_commit(&store, &edit, 1), COS_OK);
    assert_int_equal(page->count, 4);
    for (size_t at = 0, i = 0; i < 3; at += page->lines[i++].length) {
        assert_memory_equal(nvm.cells + at, page->lines[i].value, page->lines[i].length);
    }
    assert_int_equal(page->lines[3].length, 4);
    assert_memory_equal(nvm.cells + 252, page->lines[3].value, 4);
    for (size_t at = 39; at < 252; at++) {
        assert_int_equal(nvm.cells[at], 0x00);
    }
    /* The two checksums once more, apart from the card's own code. */
    uint8_t header[4 + 24] = "PAGE";
    memcpy(header + 4, nvm.cells + 8, 24);
    assert_int_equal(cos_get32(nvm.cells + 32), crc32_of(header, sizeof header));
    bytes_add16(&page_signed, 0);
    bytes_add(&page_signed, nvm.cells + 36, 216);
    assert_int_equal(cos_get32(nvm.cells + 252), crc32_of(page_signed.data, page_signed.length));

    assert_int_equal(cos_store_settle(&store), COS_OK);
    example_expect(mark, "MARK", nvm.cells + 256, 8);
    bytes_add(&signed_, example_value(mark, "SEQUENCE", 4), 4);
    bytes_add(&signed_, example_value(mark, "KIND", 1), 1);
    bytes_add(&signed_, example_value(mark, "PAGE", 2), 2);
    assert_int_equal(cos_get32(example_value(mark, "MARK", 8) + 4),
                     crc32_of(signed_.data, signed_.length));
    assert_memory_equal(example_value(mark, "MARK", 8), signed_.data, 4);
    sim_nvm_free(&nvm);
    free(page);
    free(mark);
}

/* ---- Gate ---- */

/* A frame as the document describes it, put together here and sealed by OpenSSL. */
static size_t frame_by_openssl(uint8_t direction, const uint8_t key[16], uint32_t session,
                               const uint8_t *message, size_t length, const uint8_t *request_tag,
                               uint8_t *bytes)
{
    uint8_t nonce[13] = {direction}, associated[20];

    cos_put16(bytes, (uint16_t)(10 + length + 8));
    bytes[2] = direction;
    bytes[3] = 0x06;
    cos_put32(bytes + 4, session);
    cos_put32(bytes + 8, 1);
    memcpy(nonce + 1, bytes + 4, 8);
    memcpy(associated, bytes, 12);
    if (request_tag != NULL) {
        memcpy(associated + 12, request_tag, 8);
    }
    assert_true(oracle_ccm_seal(key, 16, nonce, associated, request_tag != NULL ? 20 : 12, message,
                                length, bytes + 12));
    cos_put32(bytes + 20 + length, crc32_of(bytes, 20 + length));
    return 24 + length;
}

static size_t frame_by_card(enum frame_direction direction, const uint8_t key[16], uint32_t session,
                            const uint8_t *message, size_t length, const uint8_t *request_tag,
                            uint8_t *bytes)
{
    memcpy(bytes + FRAME_HEADER, message, length);
    cos_frame_begin(bytes, direction, COS_GATE_CHALLENGE, session, 1, length);
    assert_int_equal(cos_channel_seal(&cos_crypto_tomcrypt, key, bytes, length, request_tag),
                     COS_OK);
    return cos_frame_finish(bytes, length);
}

static void hello_and_frames(void **state)
{
    struct example *hello = example_read("hello", true);
    struct example *response = example_read("response", true);
    uint8_t derived[52], input[33], mac[16], frame[64];
    struct cos_channel_keys keys;

    (void)state;
    const uint8_t *secret = example_value(hello, "P", 32);
    memcpy(input + 1, example_value(hello, "A", 16), 16);
    memcpy(input + 17, example_value(hello, "S", 16), 16);
    assert_int_equal(cos_channel_derive(&cos_crypto_tomcrypt, secret, input + 1, input + 17, &keys),
                     COS_OK);
    example_expect(hello, "REQUEST-KEY", keys.request, 16);
    example_expect(hello, "RESPONSE-KEY", keys.response, 16);
    example_expect(hello, "CONFIRMATION-S", keys.confirmation_secure, 8);
    example_expect(hello, "CONFIRMATION-A", keys.confirmation_app, 8);
    assert_int_equal(cos_get32(example_value(hello, "SESSION", 4)), keys.session);

    assert_true(oracle_kdf(secret, 32, "TwinCOS gate", input + 1, 32, derived, sizeof derived));
    example_expect(hello, "REQUEST-KEY", derived, 16);
    example_expect(hello, "RESPONSE-KEY", derived + 16, 16);
    example_expect(hello, "SESSION", derived + 48, 4);
    input[0] = 0x02;
    assert_true(crypto_cmac(derived + 32, 16, input, sizeof input, mac));
    example_expect(hello, "CONFIRMATION-S", mac, 8);
    input[0] = 0x01;
    assert_true(crypto_cmac(derived + 32, 16, input, sizeof input, mac));
    example_expect(hello, "CONFIRMATION-A", mac, 8);

    const uint8_t *request = example_value(hello, "MESSAGE", 2);
    size_t length =
        frame_by_card(FRAME_REQUEST, keys.request, keys.session, request, 2, NULL, frame);
    example_expect(hello, "FRAME", frame, length);
    length = frame_by_openssl(0x01, derived, keys.session, request, 2, NULL, frame);
    example_expect(hello, "FRAME", frame, length);

    uint8_t tag[8];
    memcpy(tag, frame + length - 12, 8);
    example_expect(response, "REQUEST-TAG", tag, 8);
    const uint8_t *message = example_value(response, "MESSAGE", 14);
    length = frame_by_card(FRAME_RESPONSE, keys.response, keys.session, message, 14, tag, frame);
    example_expect(response, "FRAME", frame, length);
    length = frame_by_openssl(0x02, derived + 16, keys.session, message, 14, tag, frame);
    example_expect(response, "FRAME", frame, length);
    free(hello);
    free(response);
}

static void pairing(void **state)
{
    struct example *example = example_read("pairing", true);
    const uint8_t *key = example_value(example, "T-A", 16),
                  *secret = example_value(example, "SECRET", 32);
    const uint8_t generation = example_value(example, "GENERATION", 1)[0];
    uint8_t answer[41] = {generation}, wrapping[16], unwrapped[32];

    (void)state;
    assert_int_equal(cos_pairing_wrap(&cos_crypto_tomcrypt, key, secret, generation, answer + 1),
                     COS_OK);
    example_expect(example, "ANSWER", answer, sizeof answer);
    assert_int_equal(
        cos_gate_unwrap_pairing(&cos_crypto_tomcrypt, key, answer + 1, generation, unwrapped),
        COS_OK);
    assert_memory_equal(unwrapped, secret, 32);

    assert_true(crypto_kdf(key, "TwinCOS pairing", &generation, 1, wrapping));
    example_expect(example, "KEY", wrapping, 16);
    assert_true(crypto_ccm_seal(wrapping, &generation, 1, secret, 32, answer + 1));
    example_expect(example, "ANSWER", answer, sizeof answer);
    free(example);
}

/* ---- Records ---- */

static struct bench bench;

/* Starts a security chip whose page of the fab record is this, and says how that went. */
static enum cos_result start_with(const uint8_t fab[122], const uint8_t *image, size_t image_length)
{
    uint8_t erased[122];

    bench_init(&bench, &bench_small);
    bench.rom = (struct cos_rom){image, image_length};
    memset(erased, 0xFF, sizeof erased);
    sim_nvm_poke(&bench.secure_nvm, 0, erased, sizeof erased);
    sim_nvm_poke(&bench.secure_nvm, 0, fab, 122);
    enum cos_result result =
        cos_secure_start(&bench.secure, &bench.secure_board, &bench.secure_config);
    if (result == COS_OK) {
        assert_int_equal(bench.secure.life_cycle, COS_LIFE_FABRICATED);
        assert_memory_equal(bench.secure.serial, fab + 5, 8);
    }
    bench_free(&bench);
    return result;
}

static void fab_records(void **state)
{
    struct example *secure = example_read("fab-secure", true), *app = example_read("fab-app", true);
    uint8_t fab[122], mac[16], crc[4], digest[32];

    (void)state;
    memset(fab, 0xFF, sizeof fab);
    memcpy(fab, example_value(secure, "0", 37), 37);
    memcpy(fab + 37, example_value(secure, "37", 16), 16);
    memcpy(fab + 64, example_value(secure, "64", 42), 42);
    memcpy(fab + 106, example_value(secure, "106", 16), 16);
    const uint8_t *image = example_value(secure, "IMAGE", 21);
    assert_true(crypto_cmac(fab + 13, 16, fab, 37, mac));
    example_expect(secure, "37", mac, 16);
    assert_true(crypto_cmac(fab + 13, 16, fab + 64, 42, mac));
    example_expect(secure, "106", mac, 16);
    const struct cos_span part = {image, 21};
    assert_int_equal(cos_crypto_tomcrypt.hash(NULL, COS_SHA256, &part, 1, digest), COS_OK);
    assert_memory_equal(fab + 74, digest, 32);

    assert_int_equal(start_with(fab, image, 21), COS_OK);
    assert_int_equal(start_with(fab, image, 20), COS_E_SELF_TEST);
    for (size_t at = 0; at < sizeof fab; at++) { /* any byte of it counts */
        fab[at] ^= 0x01;
        assert_int_equal(start_with(fab, image, 21),
                         at >= 53 && at < 64 ? COS_OK : COS_E_STORE_BLANK);
        fab[at] ^= 0x01;
    }

    cos_put32(crc, crc32_of(example_value(app, "0", 29), 29));
    example_expect(app, "29", crc, 4);
    cos_put32(crc, cos_crc32(0, example_value(app, "0", 29), 29));
    example_expect(app, "29", crc, 4);
    free(secure);
    free(app);
}

/* Both copies on a card that went through initialization. */
static void atr_record(void **state)
{
    struct example *example = example_read("atr-record", true);
    const uint8_t *record = example_value(example, "RECORD", 24);
    uint8_t crc[4], atr[COS_ATR_MAX];

    (void)state;
    bench_make(&bench, &bench_small);
    assert_memory_equal(bench.app_nvm.cells + 256, record, 24);
    assert_memory_equal(bench.app_nvm.cells + 512, record, 24);
    assert_int_equal(cos_app_atr(&bench.app_board, &bench.app_config, atr, sizeof atr), 14);
    example_expect(example, "ATR", atr, 14);
    bench_free(&bench);
    assert_memory_equal(record, "TCAT\x01\x0E", 6);
    assert_memory_equal(record + 6, example_value(example, "ATR", 14), 14);
    cos_put32(crc, crc32_of(record, 20));
    assert_memory_equal(record + 20, crc, 4);
    free(example);
}

/* The next random bytes are those of a generator whose K and V are 00. */
static void calm(struct cos_secure *secure)
{
    memset(secure->drbg.key, 0, sizeof secure->drbg.key);
    memset(secure->drbg.value, 0, sizeof secure->drbg.value);
}

/* Object 10 of a card with 14: payload 216, so five entries and four slots a page; entries from
 * page 1, applications on page 4, storage key on page 5, slots from page 6. */
static void object_entry(void **state)
{
    enum { PAYLOAD = 216, INDEX = 10 };
    struct example *example = example_read("object", true);
    const uint8_t *key = example_value(example, "STORAGE-KEY", 32),
                  *entry = example_value(example, "ENTRY", 40);
    const uint8_t *nonce = example_value(example, "NONCE", 13);
    uint8_t found[48], sealed[40], secret[32] = {0};
    struct cos_secure *secure = &bench.secure;
    struct object object = {
        .index = INDEX,
        .kind = OBJECT_PIN,
        .context = 1,
        .number = 1,
        .length = 6,
        .change_rule = 0xFF,
        .reset_rule = 0xC0,
        .resetting_code = 2,
        .shortest = 4,
        .longest = 12,
        .tries_max = 3,
        .tries_left = 3,
        .uses_left = USES_UNLIMITED,
    };

    (void)state;
    memcpy(secret, example_value(example, "SECRET", 6), 6);
    assert_int_equal(cos_get16(example_value(example, "OBJECT", 2)), INDEX);
    bench_make(&bench, &bench_small);
    assert_int_equal(secure->store.payload, PAYLOAD);
    memcpy(secure->storage_key, key, 32);
    calm(secure);
    cos_change_start(secure);
    assert_int_equal(cos_object_put(secure, &object, secret), COS_OK);
    assert_int_equal(cos_change_commit(secure), COS_OK);
    assert_int_equal(
        cos_store_read(&secure->store, (1 + INDEX / 5) * PAYLOAD + INDEX % 5 * 40, found, 40),
        COS_OK);
    example_expect(example, "ENTRY", found, 40);
    assert_int_equal(
        cos_store_read(&secure->store, (6 + INDEX / 4) * PAYLOAD + INDEX % 4 * 48, found, 48),
        COS_OK);
    example_expect(example, "SLOT", found, 48);
    bench_free(&bench);

    assert_int_equal(cos_get16(nonce), INDEX);
    assert_memory_equal(nonce + 2, entry + 30, 4);
    assert_memory_equal(nonce + 6, example_value(example, "SLOT", 48), 4);
    assert_true(oracle_ccm_seal(key, 32, nonce, entry, 21, secret, 32, sealed));
    assert_memory_equal(example_value(example, "SLOT", 48) + 4, sealed, 40);
    free(example);
}

/* ---- Commands ---- */

/* The first file of a card with six: entries from page 10, behind the secrets of its 14 objects,
 * and chunks from page 12. */
static void vault_file(void **state)
{
    enum { PAYLOAD = 216, ENTRIES = 10 * PAYLOAD, CHUNKS = 12 * PAYLOAD };
    struct example *example = example_read("vault", true);
    const uint8_t *key = example_value(example, "STORAGE-KEY", 32);
    struct cos_secure *secure = &bench.secure;
    struct gate_rig rig;
    uint8_t found[VAULT_CHUNK], content[92] = {0}, sealed[92 + COS_CCM_TAG];

    (void)state;
    bench_make(&bench, &bench_small);
    bench_select(&bench);
    gate_rig_take(&rig, &bench);
    vault_session(&rig);
    memcpy(secure->storage_key, key, 32);
    assert_int_equal(vault_create(&rig, 100, "8C0303C091"), 1);
    memcpy(content, example_value(example, "CONTENT", 13), 13);
    assert_int_equal(vault_open(&rig, "00D60000 0D 5477696E434F53207661756C74"), COS_OK);
    calm(secure);
    assert_int_equal(
        vault_call(&rig, COS_GATE_VAULT, "0400 0001 0000 01 5477696E434F53207661756C74"), COS_OK);
    assert_int_equal(cos_store_read(&secure->store, ENTRIES, found, 54), COS_OK);
    example_expect(example, "ENTRY", found, 54);
    assert_int_equal(cos_store_read(&secure->store, CHUNKS, found, VAULT_CHUNK), COS_OK);
    example_expect(example, "CHUNK", found, VAULT_CHUNK);
    bench_free(&bench);

    assert_memory_equal(example_value(example, "NONCE", 13) + 2,
                        example_value(example, "CHUNK", VAULT_CHUNK), 8);
    assert_true(oracle_ccm_seal(key, 32, example_value(example, "NONCE", 13),
                                example_value(example, "ASSOCIATED", 4), 4, content, 92, sealed));
    assert_memory_equal(example_value(example, "CHUNK", VAULT_CHUNK) + 8, sealed, sizeof sealed);
    free(example);
}

static void production_step(void **state)
{
    struct example *example = example_read("production-step", true);
    const uint8_t *body = example_value(example, "BODY", 36),
                  *token = example_value(example, "TOKEN", 44);
    const uint8_t step = example_value(example, "STEP", 1)[0];
    uint8_t context[17] = {step}, key[16], sealed[44], apdu[5 + 44 + 1] = {0x80, 0xF1, step, 1, 44};

    (void)state;
    memcpy(context + 1, example_value(example, "R", 16), 16);
    assert_true(crypto_kdf(example_value(example, "T", 16), "TwinCOS production step", context,
                           sizeof context, key));
    example_expect(example, "KEY", key, 16);
    assert_true(crypto_ccm_seal(key, &step, 1, body, 36, sealed));
    example_expect(example, "TOKEN", sealed, 44);

    /* A card that happened to give this R takes the token, and no other. */
    for (unsigned wrong = 0; wrong <= 1; wrong++) {
        bench_init(&bench, &bench_small);
        assert_memory_equal(example_value(example, "T", 16), bench_transport, 16);
        assert_true(bench_power_on(&bench));
        assert_int_equal(bench_hex(&bench, "80F1030010"), 0x9000);
        memcpy(bench.secure.challenge, example_value(example, "R", 16), 16);
        bench.secure.challenge[15] ^= (uint8_t)wrong;
        memcpy(apdu + 5, token, 44);
        assert_int_equal(bench_apdu(&bench, apdu, sizeof apdu), wrong != 0 ? 0x63C9 : 0x9000);
        assert_int_equal(bench.secure.life_cycle, 2 - wrong); /* PACKAGED, FABRICATED */
        bench_free(&bench);
    }
    free(example);
}

static void access_proof(void **state)
{
    struct example *example = example_read("access-proof", true);
    const uint8_t *key = example_value(example, "KEY", 16);
    uint8_t apdu[5 + 24 + 1] = {0x00, 0x88, 0x00, 0x81, 24}, mac[16];
    struct bytes proof = {0}, signed_ = {0};

    (void)state;
    memcpy(apdu + 5, example_value(example, "SYSTEM", 8), 8);
    memcpy(apdu + 13, example_value(example, "R", 16), 16);
    bytes_add(&proof, example_value(example, "LEVEL", 1), 1);
    bytes_add(&proof, example_value(example, "VALID-TO", 4), 4);
    bytes_add(&signed_, "TwinCOS access", 14);
    bytes_add(&signed_, apdu + 5, 24);
    bytes_add(&signed_, proof.data, 5);
    assert_true(crypto_cmac(key, 16, signed_.data, signed_.length, mac));
    bytes_add(&proof, mac, 16);
    example_expect(example, "ANSWER", proof.data, 21);

    bench_make(&bench, &bench_small);
    assert_memory_equal(key, bench_access_key, 16);
    assert_int_equal(bench_hex(&bench, "00A40400 09 F05457494E434F5301"), 0x9000);
    assert_int_equal(bench_hex(&bench, "00200081 06 313233343536"), 0x9000);
    assert_int_equal(bench_apdu(&bench, apdu, sizeof apdu), 0x9000);
    assert_int_equal(bench.length, 21);
    example_expect(example, "ANSWER", bench.data, 21);
    bench_free(&bench);
    free(example);
}

static void no_example_is_left_out(void **state)
{
    static const char *const tested[] =
        {
            "store-page",  "mark",        "hello",     "response",        "pairing",
            "fab-secure",  "fab-app",     "object",    "production-step", "access-proof",
            "file-create", "file-table",  "file-hash", "atr-record",      "vault",
            "mutual",      "mutual-256",  /* card/test_card_iso_recorded */
            "key-pair",    "long-secret", /* test_formats_keys.c */
        };
    char line[1200], name[64];
    size_t count = 0;
    FILE *file = fopen("docs/formats.md", "r");

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "<!-- example: %63s -->", name) == 1) {
            bool known = false;
            for (size_t i = 0; i < sizeof tested / sizeof tested[0]; i++) {
                known = known || strcmp(tested[i], name) == 0;
            }
            if (!known) {
                fail_msg("example %s has no test", name);
            }
            count++;
        }
    }
    fclose(file);
    assert_int_equal(count, sizeof tested / sizeof tested[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(store_page_and_mark),
        cmocka_unit_test(hello_and_frames),
        cmocka_unit_test(pairing),
        cmocka_unit_test(fab_records),
        cmocka_unit_test(atr_record),
        cmocka_unit_test(object_entry),
        cmocka_unit_test(vault_file),
        cmocka_unit_test(production_step),
        cmocka_unit_test(access_proof),
        cmocka_unit_test(no_example_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
