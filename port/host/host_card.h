/* SPDX-License-Identifier: Apache-2.0
 *
 * The two chips of the host port: where things lie in their NVM (docs/formats.md, "Fab records")
 * and how large their tables are. twincard, the tests and the fuzzers all take it from here.
 */
#ifndef HOST_CARD_H
#define HOST_CARD_H

#include "cos/app.h"
#include "cos/secure.h"

#define HOST_PAGE_SIZE      256U
#define HOST_FAB_AT         0U
#define HOST_ATR_AT         256U
#define HOST_APP_START      768U
#define HOST_APP_PAGES      253U
#define HOST_SECURE_START   256U
#define HOST_SECURE_PAGES   127U
#define HOST_RESERVE        16U
#define HOST_APP_FILES      128U
#define HOST_APP_NAMES      20U
#define HOST_SECURE_OBJECTS 48U
#define HOST_VAULT_FILES    16U
#define HOST_VAULT_SIZE     8192U
#define HOST_KEY_MEMORY     1796U  /* RSA-4096 */
#define HOST_COMMAND_SIZE   65535U /* what a frame of the socket takes */
#define HOST_RESPONSE_SIZE  65533U
#define HOST_CHAIN_SIZE     65535U

/* Configuration of a chip and the memory that goes with it. Must not move after init. */
struct host_app_chip {
    struct cos_app_config config;
    uint16_t map[HOST_APP_PAGES - HOST_RESERVE];
    uint8_t response[HOST_RESPONSE_SIZE];
    uint8_t chain[HOST_CHAIN_SIZE];
};
struct host_secure_chip {
    struct cos_secure_config config;
    uint16_t map[HOST_SECURE_PAGES - HOST_RESERVE];
    uint8_t key_memory[HOST_KEY_MEMORY];
};

/* `trace` may be NULL. */
void host_app_chip_init(struct host_app_chip *chip, const struct cos_gate_trace *trace);
void host_secure_chip_init(struct host_secure_chip *chip);

/* What the simulated board can do: clock stop at both levels, classes A, B and C, and all pairs of
 * Fi and Di that there are. */
#define HOST_CLOCK_CLASS 0xC7U
extern const uint16_t host_pairs[16];

/* Milliseconds of a clock that never goes back, for struct cos_board. */
uint32_t host_clock_ms(void *context);

#endif
