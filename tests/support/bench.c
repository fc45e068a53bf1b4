/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include "cos/tlv.h"
#include "host_card.h"
#include "twinctl/bytes.h"
#include "twinctl/crypto.h"
#include "twinctl/objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct bench_sizes bench_host = {
    .app = {65536, 256, 64, 8, 0xFF, 100000},
    .secure = {32768, 256, 64, 8, 0xFF, 100000},
    .page_size = 256,
    .app_pages = 253,
    .secure_pages = 127,
    .reserve = 16,
    .files = 128,
    .names = 20,
    .objects = 48,
    .vault_files = 16,
    .vault_size = 8192,
};

const struct bench_sizes bench_small = {
    .app = {8192, 256, 64, 8, 0xFF, 100000},
    .secure = {8192, 256, 64, 8, 0xFF, 100000},
    .page_size = 256,
    .app_pages = 29,
    .secure_pages = 31,
    .reserve = 12,
    .files = 12,
    .names = 8,
    .objects = 14,
    .vault_files = 6,
    .vault_size = 1152,
};

const uint8_t bench_serial[8] = {0x54, 0x43, 0x00, 0x00, 0x00, 0x00, 0x12, 0x34};
const uint8_t bench_transport[16] = {0x11, 0x5A, 0xC3, 0x07, 0x99, 0x21, 0xE8, 0x3B,
                                     0x70, 0xD4, 0x16, 0xAF, 0x5C, 0x82, 0x0E, 0xB6};
const uint8_t bench_transport_next[16] = {0x22, 0x6B, 0xD4, 0x18, 0xAA, 0x32, 0xF9, 0x4C,
                                          0x81, 0xE5, 0x27, 0xB0, 0x6D, 0x93, 0x1F, 0xC7};
const uint8_t bench_transport_app[16] = {0x33, 0x7C, 0xE5, 0x29, 0xBB, 0x43, 0x0A, 0x5D,
                                         0x92, 0xF6, 0x38, 0xC1, 0x7E, 0xA4, 0x20, 0xD8};
const struct scp03_keys bench_keys_initial = {
    .length = 16,
    .enc = {0x40, 0x8D, 0xF6, 0x3A, 0xCC, 0x54, 0x1B, 0x6E, 0xA3, 0x07, 0x49, 0xD2, 0x8F, 0xB5,
            0x31, 0xE9},
    .mac = {0x41, 0x8D, 0xF6, 0x3A, 0xCC, 0x54, 0x1B, 0x6E, 0xA3, 0x07, 0x49, 0xD2, 0x8F, 0xB5,
            0x31, 0xE9},
    .dek = {0x42, 0x8D, 0xF6, 0x3A, 0xCC, 0x54, 0x1B, 0x6E, 0xA3, 0x07, 0x49, 0xD2, 0x8F, 0xB5,
            0x31, 0xE9},
};
const struct scp03_keys bench_keys_card = {
    .length = 16,
    .enc = {0x50, 0x9E, 0x07, 0x4B, 0xDD, 0x65, 0x2C, 0x7F, 0xB4, 0x18, 0x5A, 0xE3, 0x90, 0xC6,
            0x42, 0xFA},
    .mac = {0x51, 0x9E, 0x07, 0x4B, 0xDD, 0x65, 0x2C, 0x7F, 0xB4, 0x18, 0x5A, 0xE3, 0x90, 0xC6,
            0x42, 0xFA},
    .dek = {0x52, 0x9E, 0x07, 0x4B, 0xDD, 0x65, 0x2C, 0x7F, 0xB4, 0x18, 0x5A, 0xE3, 0x90, 0xC6,
            0x42, 0xFA},
};
const uint8_t bench_access_key[16] = {0x60, 0xAF, 0x18, 0x5C, 0xEE, 0x76, 0x3D, 0x80,
                                      0xC5, 0x29, 0x6B, 0xF4, 0xA1, 0xD7, 0x53, 0x0B};
const uint8_t bench_remote_key[16] = {0x70, 0xB0, 0x29, 0x6D, 0xFF, 0x87, 0x4E, 0x91,
                                      0xD6, 0x3A, 0x7C, 0x05, 0xB2, 0xE8, 0x64, 0x1C};
const uint8_t bench_external_key[16] = {0x80, 0xC1, 0x3A, 0x7E, 0x00, 0x98, 0x5F, 0xA2,
                                        0xE7, 0x4B, 0x8D, 0x16, 0xC3, 0xF9, 0x75, 0x2D};
const uint8_t bench_application[9] = {0xF0, 0x54, 0x57, 0x49, 0x4E, 0x43, 0x4F, 0x53, 0x01};

static const uint8_t issuer_domain[] = {0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00};

static void must(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "bench: %s failed\n", what);
        abort();
    }
}

/* ---- The line between the chips ---- */

static void queue(struct bench_frame *frames, size_t *count, const uint8_t *frame, size_t length)
{
    if (*count < BENCH_QUEUE && length <= sizeof frames[0].bytes) {
        memcpy(frames[*count].bytes, frame, length);
        frames[(*count)++].length = length;
    }
}

static enum cos_result take(struct bench_frame *frames, size_t *count, uint8_t *frame,
                            size_t capacity, size_t *length)
{
    if (*count == 0) {
        return COS_E_LINK_TIMEOUT;
    }
    *length = frames[0].length;
    memcpy(frame, frames[0].bytes, *length < capacity ? *length : capacity);
    (*count)--;
    memmove(frames, frames + 1, *count * sizeof frames[0]);
    return COS_OK;
}

static void carry(struct bench *bench, bool to_secure, const uint8_t *frame, size_t length)
{
    uint8_t copy[COS_LINK_FRAME_MAX];
    size_t copy_length = length;
    unsigned times = 1;

    memcpy(copy, frame, length);
    if (bench->tap != NULL) {
        times = bench->tap(bench->tap_context, to_secure, copy, &copy_length);
    }
    while (times-- > 0) {
        queue(to_secure ? bench->to_secure : bench->to_app,
              to_secure ? &bench->to_secure_count : &bench->to_app_count, copy, copy_length);
    }
}

static enum cos_result app_send(void *context, const uint8_t *frame, size_t length)
{
    carry(context, true, frame, length);
    return COS_OK;
}

static enum cos_result secure_send(void *context, const uint8_t *frame, size_t length)
{
    carry(context, false, frame, length);
    return COS_OK;
}

static enum cos_result secure_receive(void *context, uint8_t *frame, size_t capacity,
                                      size_t *length, uint32_t timeout)
{
    struct bench *bench = context;

    (void)timeout;
    return take(bench->to_secure, &bench->to_secure_count, frame, capacity, length);
}

/* There is one thread: while the app chip waits, the security chip works. */
static enum cos_result app_receive(void *context, uint8_t *frame, size_t capacity, size_t *length,
                                   uint32_t timeout)
{
    struct bench *bench = context;

    (void)timeout;
    while (bench->to_app_count == 0 && bench->to_secure_count > 0 && bench->secure_on) {
        if (bench->power.dead) {
            return COS_E_LINK_DOWN;
        }
        (void)cos_secure_serve(&bench->secure, 1);
    }
    if (bench->power.dead) {
        return COS_E_LINK_DOWN;
    }
    return take(bench->to_app, &bench->to_app_count, frame, capacity, length);
}

static enum cos_result seeded(void *context, uint8_t *data, size_t length)
{
    struct bench *bench = context;

    for (size_t i = 0; i < length; i++) {
        data[i] = (uint8_t)(sim_random(&bench->seed) >> 13);
    }
    return COS_OK;
}

/* ---- Set-up ---- */

static void write_fab(struct bench *bench)
{
    uint8_t fab[122], digest[32], mac[16];

    memset(fab, 0xFF, sizeof fab);
    memcpy(fab, "TCSF\x01", 5);
    memcpy(fab + 5, bench_serial, 8);
    memcpy(fab + 13, bench_transport, 16);
    memcpy(fab + 29, "\x47\x90\x00\x01\x63\x25\x00\x07", 8);
    must(crypto_cmac(bench_transport, 16, fab, 37, mac), "CMAC");
    memcpy(fab + 37, mac, 16);
    memcpy(fab + 64, "TCSE\x54\x43\x63\x26\x00\x01", 10);
    const struct cos_span image = {bench->rom_image, sizeof bench->rom_image};
    must(cos_crypto_tomcrypt.hash(NULL, COS_SHA256, &image, 1, digest) == COS_OK, "SHA-256");
    memcpy(fab + 74, digest, 32);
    must(crypto_cmac(bench_transport, 16, fab + 64, 42, mac), "CMAC");
    memcpy(fab + 106, mac, 16);
    sim_nvm_poke(&bench->secure_nvm, 0, fab, sizeof fab);

    memset(fab, 0xFF, sizeof fab);
    memcpy(fab, "TCAF\x01", 5);
    memcpy(fab + 5, bench_serial, 8);
    memcpy(fab + 13, bench_transport_app, 16);
    cos_put32(fab + 29, crc32_of(fab, 29));
    sim_nvm_poke(&bench->app_nvm, 0, fab, 33);
}

static void wire(struct bench *bench)
{
    const struct bench_sizes *sizes = &bench->sizes;

    bench->app_link = (struct cos_link){bench, app_send, app_receive};
    bench->secure_link = (struct cos_link){bench, secure_send, secure_receive};
    bench->app_entropy = (struct cos_entropy){bench, seeded};
    bench->secure_entropy = (struct cos_entropy){bench, seeded};
    host_contacts_init(&bench->contacts, HOST_CLOCK_CLASS, host_pairs);
    bench->rom = (struct cos_rom){bench->rom_image, sizeof bench->rom_image};
    bench->app_board = (struct cos_board){.nvm = &bench->app_nvm.nvm,
                                          .link = &bench->app_link,
                                          .entropy = &bench->app_entropy,
                                          .contacts = &bench->contacts.contacts};
    bench->secure_board = (struct cos_board){.nvm = &bench->secure_nvm.nvm,
                                             .link = &bench->secure_link,
                                             .entropy = &bench->secure_entropy,
                                             .rom = &bench->rom};
    bench->app_config = (struct cos_app_config){
        .store = {.start = 3U * sizes->page_size,
                  .page_size = sizes->page_size,
                  .pages = sizes->app_pages,
                  .reserve = sizes->reserve,
                  .map = bench->app_map},
        .fab_at = 0,
        .atr_at = sizes->page_size,
        .files = sizes->files,
        .names = sizes->names,
        .response = bench->response_buffer,
        .response_size = sizeof bench->response_buffer,
        .chain = bench->chain_buffer,
        .chain_size = sizeof bench->chain_buffer,
        .command_size = BENCH_APDU_MAX,
    };
    bench->secure_config = (struct cos_secure_config){
        .store = {.start = sizes->page_size,
                  .page_size = sizes->page_size,
                  .pages = sizes->secure_pages,
                  .reserve = sizes->reserve,
                  .map = bench->secure_map},
        .fab_at = 0,
        .objects = sizes->objects,
        .vault_files = sizes->vault_files,
        .vault_size = sizes->vault_size,
        .key_memory = bench->key_memory,
        .key_memory_size = sizeof bench->key_memory,
        .scp03 = COS_SCP03_PSEUDO_RANDOM | COS_SCP03_R_MAC_ENC,
    };
}

void bench_init(struct bench *bench, const struct bench_sizes *sizes)
{
    memset(bench, 0, sizeof *bench);
    bench->sizes = *sizes;
    bench->seed = 0x5453434F;
    for (size_t i = 0; i < sizeof bench->rom_image; i++) {
        bench->rom_image[i] = (uint8_t)(i * 7 + 1);
    }
    sim_nvm_init(&bench->app_nvm, &bench->power, &sizes->app, 3U * sizes->page_size,
                 sizes->page_size);
    sim_nvm_init(&bench->secure_nvm, &bench->power, &sizes->secure, sizes->page_size,
                 sizes->page_size);
    wire(bench);
    bench_use(bench, &cos_crypto_tomcrypt);
    write_fab(bench);
}

void bench_use(struct bench *bench, const struct cos_crypto *crypto)
{
    bench->crypto = crypto;
    bench->app_config.crypto = crypto;
    bench->secure_config.crypto = crypto;
}

void bench_free(struct bench *bench)
{
    sim_nvm_free(&bench->app_nvm);
    sim_nvm_free(&bench->secure_nvm);
}

bool bench_power_on(struct bench *bench)
{
    bench->to_secure_count = bench->to_app_count = 0;
    bench->secure_on = true;
    (void)cos_secure_start(&bench->secure, &bench->secure_board, &bench->secure_config);
    return cos_app_start(&bench->app, &bench->app_board, &bench->app_config) == COS_OK;
}

void bench_power_off(struct bench *bench)
{
    bench->secure_on = false;
    sim_power_off(&bench->power);
    sim_power_up(&bench->power);
    memset(&bench->app, 0, sizeof bench->app);
    memset(&bench->secure, 0, sizeof bench->secure);
}

/* ---- Commands ---- */

uint16_t bench_apdu(struct bench *bench, const uint8_t *apdu, size_t length)
{
    uint8_t command[BENCH_APDU_MAX], response[BENCH_RESPONSE + 2];

    must(length <= sizeof command, "APDU length");
    memcpy(command, apdu, length);
    size_t got = cos_app_command(&bench->app, command, length, response, sizeof response);
    must(got >= 2, "response");
    bench->length = got - 2;
    memcpy(bench->data, response, bench->length);
    bench->sw = cos_get16(response + got - 2);
    cos_app_settle(&bench->app);
    return bench->sw;
}

uint16_t bench_hex(struct bench *bench, const char *apdu)
{
    uint8_t bytes[BENCH_APDU_MAX];
    size_t length;

    must(hex_read(apdu, bytes, sizeof bytes, &length), apdu);
    return bench_apdu(bench, bytes, length);
}

bool bench_answered(const struct bench *bench, const char *hex)
{
    uint8_t bytes[BENCH_RESPONSE];
    size_t length;

    must(hex_read(hex, bytes, sizeof bytes, &length), hex);
    return length == bench->length && memcmp(bytes, bench->data, length) == 0;
}

uint16_t bench_sm_open(struct bench *bench, uint8_t key_version, uint8_t level)
{
    static const uint8_t host_challenge[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    const struct scp03_keys *keys = key_version == 0x30 ? &bench_keys_initial : &bench_keys_card;
    uint8_t begin[14] = {0x80 | bench->scp03_channel, 0x50, key_version, 0x00, 8};
    struct problem problem;
    struct bytes apdu = {0};

    memcpy(begin + 5, host_challenge, 8);
    if (bench_apdu(bench, begin, sizeof begin) != 0x9000) {
        return bench->sw;
    }
    if (scp03_begin(&bench->scp03, keys, key_version,
                    (struct part){issuer_domain, sizeof issuer_domain},
                    (struct part){host_challenge, sizeof host_challenge},
                    (struct part){bench->data, bench->length}, &problem) != DONE) {
        return bench->sw = 0x6300;
    }
    must(scp03_authenticate(&bench->scp03, level, &apdu), "EXTERNAL AUTHENTICATE");
    apdu.data[0] |= bench->scp03_channel; /* which its MAC does not cover (6.2.4) */
    return bench_apdu(bench, apdu.data, apdu.length);
}

/* What waits for GET RESPONSE, as a terminal fetches it before it looks at the MAC. */
static void gather(struct bench *bench)
{
    uint8_t data[BENCH_RESPONSE];
    size_t length = 0;

    while (bench->sw >> 8 == 0x61) {
        const uint8_t more[] = {0x00, 0xC0, 0x00, 0x00, (uint8_t)bench->sw};
        must(bench->length <= sizeof data - length, "the whole response");
        memcpy(data + length, bench->data, bench->length);
        length += bench->length;
        (void)bench_apdu(bench, more, sizeof more);
    }
    must(bench->length <= sizeof data - length, "the whole response");
    memmove(bench->data + length, bench->data, bench->length);
    memcpy(bench->data, data, length);
    bench->length += length;
}

uint16_t bench_sm(struct bench *bench, uint8_t cla, uint8_t ins, uint8_t p1, uint8_t p2,
                  const uint8_t *data, size_t length)
{
    const struct command command = {cla, ins, p1, p2, data, length, 256};
    struct bytes apdu = {0};

    must(scp03_wrap(&bench->scp03, &command, &apdu), "wrapping");
    apdu.data[0] |= bench->scp03_channel;
    (void)bench_apdu(bench, apdu.data, apdu.length);
    gather(bench);
    must(scp03_unwrap(&bench->scp03, bench->sw, bench->data, &bench->length), "R-MAC");
    return bench->sw;
}

uint16_t bench_sm_hex(struct bench *bench, const char *text)
{
    uint8_t bytes[BENCH_APDU_MAX];
    size_t length;

    must(hex_read(text, bytes, sizeof bytes, &length) && length >= 4, text);
    size_t nc = length > 5 ? bytes[4] : 0;
    must(length <= 5 || length == 5 + nc, text);
    return bench_sm(bench, bytes[0], bytes[1], bytes[2], bytes[3], bytes + 5, nc);
}

/* ---- Production ---- */

static uint16_t token_step(struct bench *bench, uint8_t step, const uint8_t transport[16],
                           const struct bytes *body)
{
    uint8_t context[17] = {step}, key[16], apdu[200] = {0x80, 0xF1, step, 0x01};
    uint8_t begin[5] = {0x80, 0xF1, step, 0x00, 0x10};

    if (bench_apdu(bench, begin, sizeof begin) != 0x9000) {
        return bench->sw;
    }
    must(bench->length == 16, "challenge");
    memcpy(context + 1, bench->data, 16);
    must(crypto_kdf(transport, "TwinCOS production step", context, sizeof context, key), "KDF");
    must(crypto_ccm_seal(key, &step, 1, body->data, body->length, apdu + 5), "CCM");
    apdu[4] = (uint8_t)(body->length + 8);
    apdu[5 + apdu[4]] = 0x00;
    return bench_apdu(bench, apdu, 6U + apdu[4]);
}

static bool pack(struct bench *bench)
{
    struct bytes body = {0};

    bytes_add(&body, bench_transport_next, 16);
    bytes_add(&body, bench_transport_app, 16);
    bytes_add(&body, "\x4D\x4F\x63\x30", 4);
    return token_step(bench, 3, bench_transport, &body) == 0x9000;
}

static bool produce(struct bench *bench)
{
    struct bytes body = {0};

    bytes_add(&body, bench_keys_initial.enc, 16);
    bytes_add(&body, bench_keys_initial.mac, 16);
    bytes_add(&body, bench_keys_initial.dek, 16);
    bytes_add(&body, "\x43\x41\x63\x31", 4);
    bytes_add(&body, "BODY0001", 8);
    bytes_add(&body, "BTCH", 4);
    bytes_add(&body, "PRINTING DATA 01", 16);
    return token_step(bench, 4, bench_transport_next, &body) == 0x9000;
}

static bool one_of(struct bench *bench, uint16_t good, uint16_t also)
{
    return bench->sw == good || bench->sw == also;
}

static bool initialize(struct bench *bench)
{
    struct bytes keys = {0};
    bool there;

    must(scp03_put_key(bench_keys_initial.dek, 16, 0x01, &bench_keys_card, &keys), "PUT KEY");
    if (bench_sm_open(bench, 0x30, 0x03) != 0x9000) {
        return false;
    }
    if (bench_sm_hex(bench, "80E28000 11 0A010E 3B878031FE458031C873F7C100B0") != 0x6A80) {
        return false; /* an ATR with a wrong TCK must not pass */
    }
    const char *atr = bench->atr != NULL ? bench->atr : "11 0A010E 3B878031FE458031C873F7C100B1";
    char store[128];
    snprintf(store, sizeof store, "80E28000 %s", atr);
    if (bench_sm_hex(bench, store) != 0x9000) {
        return false;
    }
    (void)bench_sm_hex(bench, "00E00000 0F 620D 82023821 83023F00 8C0306C0C0");
    if (!one_of(bench, 0x9000, 0x6A89)) {
        return false;
    }
    (void)bench_sm_hex(bench, "80CA00E0");
    there = bench_contains(bench->data, bench->length, "\xC0\x04\x01\x01", 4);
    if (bench_sm(bench, 0x80, 0xD8, there ? 0x01 : 0x00, 0x81, keys.data, keys.length) != 0x9000) {
        return false;
    }
    return bench_sm_hex(bench, "80F10501 08 4341 6332 00000001") == 0x9000;
}

static bool store(struct bench *bench, const struct bytes *dgi)
{
    return !dgi->failed &&
           bench_sm(bench, 0x80, 0xE2, 0xE0, 0x00, dgi->data, dgi->length) == 0x9000;
}

static bool store_objects(struct bench *bench)
{
    const struct part application = {bench_application, sizeof bench_application};
    struct bytes pins = {0}, keys = {0}, external = {0};

    dgi_pin(&pins, &(struct pin_object){.number = 1,
                                        .application = application,
                                        .tries = 3,
                                        .shortest = 4,
                                        .longest = 12,
                                        .resetting_code = 2,
                                        .reset_condition = 0xC0,
                                        .value = {(const uint8_t *)BENCH_PIN, 6}});
    dgi_pin(&pins, &(struct pin_object){.number = 2,
                                        .application = application,
                                        .tries = 5,
                                        .shortest = 8,
                                        .longest = 8,
                                        .reset_condition = 0xFF,
                                        .value = {(const uint8_t *)BENCH_PIN_CODE, 8}});
    dgi_key(&keys, &(struct key_object){.number = 1,
                                        .application = application,
                                        .algorithm = ALGORITHM_AES,
                                        .usage = USAGE_ACCESS_PROOF,
                                        .condition = 0x90,
                                        .has_level = true,
                                        .level = 3,
                                        .valid_to = 0x20301231,
                                        .value = {bench_access_key, 16}});
    dgi_key(&keys, &(struct key_object){.number = 2,
                                        .application = application,
                                        .algorithm = ALGORITHM_AES,
                                        .usage = USAGE_INTERNAL_AUTHENTICATION,
                                        .value = {bench_remote_key, 16}});
    dgi_key(&external, &(struct key_object){.number = 3,
                                            .application = application,
                                            .algorithm = ALGORITHM_AES,
                                            .usage = (enum key_usage)0x02,
                                            .value = {bench_external_key, 16}});
    return store(bench, &pins) && store(bench, &keys) && store(bench, &external);
}

/* MF: EF 2F02 production record; DF 5100: EF 5101 holder (PIN), 5102 records (key 3), 5103 free to
 * read. */
static bool personalize(struct bench *bench)
{
    if (bench_sm_open(bench, 0x01, 0x03) != 0x9000) {
        return false;
    }
    (void)bench_sm_hex(bench, "00A40000 02 3F00");
    (void)bench_sm_hex(bench, "00E00000 16 6214 82020121 83022F02 80020080 850101 8C0303FF00");
    if (!one_of(bench, 0x9000, 0x6A89)) {
        return false;
    }
    (void)bench_sm_hex(bench, "00E00000 19 6217 82023821 83025100 8409F05457494E434F5301 8C0202C0");
    if (!one_of(bench, 0x9000, 0x6A89)) {
        return false;
    }
    if (bench_sm_hex(bench, "00A40400 09 F05457494E434F5301") != 0x9000) {
        return false;
    }
    (void)bench_sm_hex(bench, "00E00000 16 6214 82020121 83025101 80020080 880108 8C0303C090");
    if (!one_of(bench, 0x9000, 0x6A89)) {
        return false;
    }
    (void)bench_sm_hex(bench, "00E00000 16 6214 82020121 83025103 80020010 880118 8C0303C000");
    if (!one_of(bench, 0x9000, 0x6A89)) {
        return false;
    }
    (void)bench_sm_hex(bench, "00E00000 15 6213 82054221001002 83025102 880110 8C0303A300");
    if (!one_of(bench, 0x9000, 0x6A89)) {
        return false;
    }
    if (!store_objects(bench)) {
        return false;
    }
    if (bench_sm_hex(bench, "00A40000 02 5101") != 0x9000 ||
        bench_sm_hex(bench, "00D60000 10 484F4C444552204F4620544845204341") != 0x9000) {
        return false;
    }
    return bench_sm_hex(bench, "80F10601 08 4953 6333 00000002") == 0x9000;
}

static bool seal(struct bench *bench)
{
    return bench_sm_open(bench, 0x01, 0x03) == 0x9000 && bench_sm_hex(bench, "80F0800F") == 0x9000;
}

bool bench_step(struct bench *bench, unsigned step)
{
    switch (step) {
    case 3:
        return pack(bench);
    case 4:
        return produce(bench);
    case 5:
        return initialize(bench);
    case 6:
        return personalize(bench);
    default:
        return seal(bench);
    }
}

bool bench_produce_to(struct bench *bench, enum cos_life_cycle state)
{
    while (bench->secure.life_cycle < state) {
        unsigned before = bench->secure.life_cycle;
        if (before < COS_LIFE_FABRICATED || !bench_step(bench, before + 2) ||
            bench->secure.life_cycle == before) {
            return false;
        }
    }
    return true;
}

void bench_make(struct bench *bench, const struct bench_sizes *sizes)
{
    static struct sim_snapshot app_made[2], secure_made[2];
    static bool made[2];
    const size_t which = sizes == &bench_host ? 0 : 1;

    bench_init(bench, sizes);
    if (!made[which]) {
        must(bench_power_on(bench), "first start");
        if (!bench_produce_to(bench, COS_LIFE_OPERATIONAL)) {
            fprintf(stderr, "bench: production stops in state %u with %04X\n",
                    bench->secure.life_cycle, bench->sw);
            abort();
        }
        bench_power_off(bench);
        sim_nvm_save(&bench->app_nvm, &app_made[which]);
        sim_nvm_save(&bench->secure_nvm, &secure_made[which]);
        made[which] = true;
    }
    /* Contents only: the snapshots may be of another bench's chips. */
    memcpy(bench->app_nvm.block, app_made[which].block, bench->app_nvm.block_size);
    memcpy(bench->secure_nvm.block, secure_made[which].block, bench->secure_nvm.block_size);
    bench->app_nvm.counts = (struct sim_counts){0};
    bench->secure_nvm.counts = (struct sim_counts){0};
    must(bench_power_on(bench), "start of a finished card");
}

unsigned bench_forge_terminated(void *context, bool to_secure, uint8_t *frame, size_t *length)
{
    (void)context;
    if (!to_secure && frame[3] == COS_GATE_STATUS && cos_get32(frame + 4) == 0) {
        frame[12 + 6] = COS_LIFE_TERMINATED;
        cos_put32(frame + *length - 4, cos_crc32(0, frame, *length - 4));
    }
    return 1;
}

bool bench_contains(const uint8_t *hay, size_t hay_length, const void *needle, size_t length)
{
    return length == 0 || memmem(hay, hay_length, needle, length) != NULL;
}
