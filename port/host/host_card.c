/* SPDX-License-Identifier: Apache-2.0
 *
 * The two chips of the host port.
 */
#include "host_card.h"

#include <time.h>

void host_app_chip_init(struct host_app_chip *chip, const struct cos_gate_trace *trace)
{
    *chip = (struct host_app_chip){
        .config =
            {
                .crypto = &cos_crypto_tomcrypt,
                .store =
                    {
                        .start = HOST_APP_START,
                        .page_size = HOST_PAGE_SIZE,
                        .pages = HOST_APP_PAGES,
                        .reserve = HOST_RESERVE,
                        .scrub_from = 0xFFFF,
                        .map = chip->map,
                    },
                .fab_at = HOST_FAB_AT,
                .atr_at = HOST_ATR_AT,
                .files = HOST_APP_FILES,
                .names = HOST_APP_NAMES,
                .response = chip->response,
                .response_size = HOST_RESPONSE_SIZE,
                .chain = chip->chain,
                .chain_size = HOST_CHAIN_SIZE,
                .command_size = HOST_COMMAND_SIZE,
                .trace = trace,
            },
    };
}

void host_secure_chip_init(struct host_secure_chip *chip)
{
    *chip = (struct host_secure_chip){
        .config =
            {
                .crypto = &cos_crypto_tomcrypt,
                .store =
                    {
                        .start = HOST_SECURE_START,
                        .page_size = HOST_PAGE_SIZE,
                        .pages = HOST_SECURE_PAGES,
                        .reserve = HOST_RESERVE,
                        .map = chip->map,
                    },
                .fab_at = HOST_FAB_AT,
                .objects = HOST_SECURE_OBJECTS,
                .vault_files = HOST_VAULT_FILES,
                .vault_size = HOST_VAULT_SIZE,
                .key_memory = chip->key_memory,
                .key_memory_size = sizeof chip->key_memory,
                .scp03 = COS_SCP03_PSEUDO_RANDOM | COS_SCP03_R_MAC_ENC,
            },
    };
}

#define ALL_DI 0x03FEU /* 1 to 9 */
const uint16_t host_pairs[16] = {
    [0] = ALL_DI, [1] = ALL_DI, [2] = ALL_DI,  [3] = ALL_DI,  [4] = ALL_DI,  [5] = ALL_DI,
    [6] = ALL_DI, [9] = ALL_DI, [10] = ALL_DI, [11] = ALL_DI, [12] = ALL_DI, [13] = ALL_DI,
};

uint32_t host_clock_ms(void *context)
{
    struct timespec now;
    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}
