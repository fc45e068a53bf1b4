/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole card on the bench: both chips in this process, on simulated NVM with one power supply,
 * with a link that a test can listen to and alter, and the world outside (production, issuer)
 * played by twinctl's own code on OpenSSL. All secrets are fixed and known to the test; everything
 * that looks like chance is seeded.
 */
#ifndef BENCH_H
#define BENCH_H

#include "contacts.h"
#include "cos/app.h"
#include "cos/secure.h"
#include "sim_nvm.h"
#include "twinctl/scp03.h"

/* Sizes of a card. bench_host is the host port's, bench_small mounts fast and is for torn power. */
struct bench_sizes {
    struct cos_nvm_geometry app, secure;
    uint16_t page_size, app_pages, secure_pages, reserve;
    uint16_t files, names, objects;
    uint16_t vault_files, vault_size;
};
extern const struct bench_sizes bench_host, bench_small;

#define BENCH_PAGES_MAX  512
#define BENCH_QUEUE      8
#define BENCH_RESPONSE   600
#define BENCH_APDU_MAX   600
#define BENCH_CHAIN      1024
#define BENCH_KEY_MEMORY 1796

struct bench_frame {
    size_t length;
    uint8_t bytes[COS_LINK_FRAME_MAX];
};

struct bench {
    struct bench_sizes sizes;
    struct sim_power power;
    struct sim_nvm app_nvm, secure_nvm;
    struct cos_link app_link, secure_link;
    struct cos_entropy app_entropy, secure_entropy;
    struct host_contacts contacts;
    struct cos_rom rom;
    struct cos_board app_board, secure_board;
    struct cos_app_config app_config;
    struct cos_secure_config secure_config;
    uint16_t app_map[BENCH_PAGES_MAX], secure_map[BENCH_PAGES_MAX];
    uint8_t response_buffer[BENCH_RESPONSE];
    uint8_t chain_buffer[BENCH_CHAIN];
    uint8_t key_memory[BENCH_KEY_MEMORY];
    uint8_t rom_image[64];
    uint64_t seed;
    const char *atr;                 /* Lc and DGI 0A01 of step 5; NULL: T=0 and T=1, no status */
    const struct cos_crypto *crypto; /* of both chips: see bench_use() */
    struct cos_app app;
    struct cos_secure secure;
    bool secure_on;

    /* The link. tap() sees each frame on its way and may alter it; it returns how often the frame
     * is delivered (0: lost, 2: doubled). NULL: an honest line. */
    unsigned (*tap)(void *context, bool to_secure, uint8_t *frame, size_t *length);
    void *tap_context;
    struct bench_frame to_secure[BENCH_QUEUE], to_app[BENCH_QUEUE];
    size_t to_secure_count, to_app_count;

    /* The last response. */
    uint8_t data[BENCH_RESPONSE];
    size_t length;
    uint16_t sw;

    /* The world's side of secure messaging. */
    struct scp03 scp03;
    uint8_t scp03_channel; /* 0 to 3: that it is on */
};

/* Known to the world. */
extern const uint8_t bench_serial[8], bench_transport[16], bench_transport_next[16],
    bench_transport_app[16];
extern const struct scp03_keys bench_keys_initial, bench_keys_card; /* versions 30 and 01 */
extern const uint8_t bench_access_key[16], bench_remote_key[16], bench_external_key[16];
extern const uint8_t bench_application[9]; /* F05457494E434F5301 */
#define BENCH_PIN      "123456"
#define BENCH_PIN_CODE "87654321" /* resetting code */
/* The factors of an RSA key of 1,024 bits. */
#define BENCH_P                                                                                    \
    "F9E1E3DD480BD2FDD35D429633A785F493DFB4DE9D9A10BB79AB57BCB708FA95"                             \
    "5CC0C1E1F623E3AA4D35575A4B23E9FB70D96D6B201A03A489DAA5D8675C1239"
#define BENCH_Q                                                                                    \
    "C0B8C75F402DDD1F05C2C7F5F280D47B23EB8E0CD0E635897790CEDCF424ED4A"                             \
    "34B15D57B338276976415AA510A6309CA2EC5A78B8710A897BD866D4C2D260CB"

/* A card as it leaves the semiconductor factory: blank NVM with both fab records, power off. */
void bench_init(struct bench *bench, const struct bench_sizes *sizes);
void bench_free(struct bench *bench);

/* Both chips have this provider from the next start on; bench_init() gives them libtomcrypt's. */
void bench_use(struct bench *bench, const struct cos_crypto *crypto);

/* Starts both chips. False if the app chip says that every command will be 6F00. */
bool bench_power_on(struct bench *bench);
void bench_power_off(struct bench *bench);

/* One command APDU; response data and status word are in bench->data, length, sw. Returns the
 * status word. NVM is settled afterwards, as a port does. */
uint16_t bench_apdu(struct bench *bench, const uint8_t *apdu, size_t length);
/* The same from hexadecimal text, spaces allowed. */
uint16_t bench_hex(struct bench *bench, const char *apdu);
/* True if the response data are these bytes. */
bool bench_answered(const struct bench *bench, const char *hex);

/* SCP03: opens a session; sends one command through it. Returns the status word. */
uint16_t bench_sm_open(struct bench *bench, uint8_t key_version, uint8_t level);
uint16_t bench_sm(struct bench *bench, uint8_t cla, uint8_t ins, uint8_t p1, uint8_t p2,
                  const uint8_t *data, size_t length);
/* The same from a plain command APDU (short, without Le) in hexadecimal text. */
uint16_t bench_sm_hex(struct bench *bench, const char *apdu);

/* Production. Each step may be run again after a power cut and is then skipped if it is done.
 * Returns false if the card refused: bench->sw says with what. `state` is an enum cos_life_cycle;
 * the card must be on. */
bool bench_produce_to(struct bench *bench, enum cos_life_cycle state);
/* One step, 3 to 7 (7 = seal). */
bool bench_step(struct bench *bench, unsigned step);

/* A finished card, power on, straight from the first blank chip; copies a cached one, so that it is
 * fast. */
void bench_make(struct bench *bench, const struct bench_sizes *sizes);

/* A tap: says in the clear, where there is no session, that the card is TERMINATED. */
unsigned bench_forge_terminated(void *context, bool to_secure, uint8_t *frame, size_t *length);

/* Whether `needle` stands somewhere in `hay`. */
bool bench_contains(const uint8_t *hay, size_t hay_length, const void *needle, size_t length);

#endif
