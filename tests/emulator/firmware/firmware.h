/* SPDX-License-Identifier: Apache-2.0
 *
 * The firmware of an app chip on a Cortex-M3 that is emulated: the core, a port whose functions the
 * emulator executes (../traps.h), and the loop of cos/transport.h.
 */
#ifndef TESTS_EMULATOR_FIRMWARE_H
#define TESTS_EMULATOR_FIRMWARE_H

#include "cos/crypto.h"
#include "cos/port.h"

enum cos_result nvm_read(void *context, uint32_t address, uint8_t *data, size_t length);
enum cos_result nvm_program(void *context, uint32_t address, const uint8_t *data, size_t length);
enum cos_result nvm_erase(void *context, uint32_t address);
enum cos_result link_send(void *context, const uint8_t *frame, size_t length);
enum cos_result link_receive(void *context, uint8_t *frame, size_t capacity, size_t *length,
                             uint32_t timeout_ms);
enum cos_result entropy_read(void *context, uint8_t *data, size_t length);
enum cos_result contacts_test(void *context, uint8_t *working);
void line_set(void *context, const struct cos_line_parameters *parameters);
enum cos_result line_send(void *context, uint8_t character, uint32_t etus);
enum cos_result line_receive(void *context, uint8_t *character, uint32_t etus);
uint32_t line_elapsed(void *context);
enum cos_result aes_block(void *context, const uint8_t *key, size_t key_length,
                          const uint8_t in[COS_AES_BLOCK], uint8_t out[COS_AES_BLOCK]);
void started(enum cos_result result);

extern const struct cos_crypto provider;

#endif
