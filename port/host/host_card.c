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

static enum cos_result all_work(void *context, uint8_t *working)
{
    (void)context;
    *working = COS_CONTACT_VCC | COS_CONTACT_RST | COS_CONTACT_CLK | COS_CONTACT_C4 |
               COS_CONTACT_GND | COS_CONTACT_SPU | COS_CONTACT_IO | COS_CONTACT_C8;
    return COS_OK;
}

const struct cos_contacts host_contacts = {.context = NULL, .test = all_work};

uint32_t host_clock_ms(void *context)
{
    struct timespec now;
    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}
