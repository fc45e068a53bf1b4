/* SPDX-License-Identifier: Apache-2.0
 *
 * The smallest firmware: prints the ATR of an app chip whose NVM was never written. Built by
 * tests/install/run.sh against the installed library alone.
 */
#include <cos/app.h>
#include <stdio.h>
#include <string.h>

static enum cos_result read_erased(void *context, uint32_t address, uint8_t *data, size_t length)
{
    (void)context;
    (void)address;
    memset(data, 0xFF, length);
    return COS_OK;
}

int main(void)
{
    static const struct cos_nvm nvm = {.geometry = {.size = 4096}, .read = read_erased};
    const struct cos_board board = {.nvm = &nvm};
    const struct cos_app_config config = {
        .crypto = &cos_crypto_tomcrypt, .store = {.page_size = 256}, .atr_at = 256};
    uint8_t atr[COS_ATR_MAX];
    size_t length = cos_app_atr(&board, &config, atr, sizeof atr);

    for (size_t i = 0; i < length; i++) {
        printf("%02X", atr[i]);
    }
    printf("\n");
    return 0;
}
