/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile.h"

#include "rule_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct hostile hostile;

void hostile_search(const char *where, const void *bytes, size_t length)
{
    const char *found = hunt_find(&hostile.hunt, bytes, length);

    if (found != NULL) {
        fail_msg("the %s stands in %s", found, where);
    }
}

/* The app chip as whoever took it over reads it: NVM, and everything in its RAM. */
void hostile_search_app_chip(void)
{
    hostile_search("the app chip's NVM", hostile.bench.app_nvm.cells,
                   hostile.bench.app_nvm.nvm.geometry.size);
    hostile_search("the app chip's memory", &hostile.bench.app, sizeof hostile.bench.app);
    hostile_search("the app chip's response buffer", hostile.bench.response_buffer,
                   sizeof hostile.bench.response_buffer);
}

/* Sees a frame on its way: as it is, and deciphered with the session's keys. */
unsigned hostile_listen(void *context, bool to_secure, uint8_t *bytes, size_t *length)
{
    const struct cos_gate_server *server = &hostile.bench.secure.gate;
    struct bench_frame copy = {.length = *length};
    struct frame frame;

    (void)context;
    hostile.frames++;
    hunt_see(&hostile.hunt, bytes, *length);
    memcpy(copy.bytes, bytes, *length);
    if (cos_frame_parse(copy.bytes, copy.length, &frame) != COS_OK || frame.session == 0) {
        return 1;
    }
    assert_int_equal(cos_channel_open(&cos_crypto_tomcrypt,
                                      to_secure ? server->request_key : server->response_key,
                                      &frame, to_secure ? NULL : server->request_tag),
                     COS_OK);
    hunt_see(&hostile.hunt, frame.message, frame.length);
    return 1;
}

/* ---- One call of the hostile app chip ---- */

void hostile_ask(uint8_t opcode, const uint8_t *message, size_t length)
{
    struct bench_frame request;

    (void)gate_rig_seal(&hostile.rig, ++hostile.rig.sequence, opcode, message, length, &request);
    hunt_see(&hostile.hunt, request.bytes, request.length);
    hostile.calls++;
    if (!gate_rig_deliver(&hostile.rig, &request) || !gate_rig_open(&hostile.rig, &request)) {
        fail_msg("call %02X was not answered", opcode);
    }
    hunt_see(&hostile.hunt, hostile.rig.body, hostile.rig.length);
    const char *broken = gate_model_broken(&hostile.bench, &hostile.model,
                                           hostile.secured && hostile.bench.secure.in_sm);
    if (broken != NULL || hostile.bench.secure.alive != COS_YES) {
        fail_msg("call %02X (%02X %02X %02X %02X, %zu bytes): %s", opcode, message[0], message[1],
                 message[2], message[3], length, broken != NULL ? broken : "the chip went mute");
    }
}

/* Back to the card as it was, in its session. */
void hostile_again(const struct gate_snapshot *snapshot)
{
    gate_snapshot_restore(&hostile.bench, snapshot);
    hostile.bench.tap = hostile_listen;
    gate_rig_take(&hostile.rig, &hostile.bench);
    gate_model_take(&hostile.bench, &hostile.model);
}

void hostile_ask_everything(const struct gate_snapshot *snapshot)
{
    static const uint8_t opcodes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255};

    for (size_t i = 0; i < COUNT(opcodes); i++) {
        const unsigned operations = opcodes[i] == COS_GATE_PIN ? COS_PIN_ENABLE_ONLY + 2 : 10;
        for (unsigned operation = 0; operation < operations; operation++) {
            hostile_again(snapshot);
            for (unsigned reference = 0; reference <= 0xFF; reference++) {
                const uint8_t third = (uint8_t)reference;
                const uint8_t message[16] = {
                    (uint8_t)operation, hostile.channel, third, 0, '9', '9', '9', '9'};
                hostile_ask(opcodes[i], message, 3);
                hostile_ask(opcodes[i], message, opcodes[i] == COS_GATE_PIN ? 10 : 4);
            }
        }
    }
}

/* A random request, most of it sensible. */
static uint8_t vary(uint64_t *seed, uint8_t *message, size_t *length)
{
    static const uint8_t opcodes[] = {
        COS_GATE_CONTEXT,   COS_GATE_ACCESS,  COS_GATE_PIN,   COS_GATE_PIN,     COS_GATE_AUTH,
        COS_GATE_AUTH,      COS_GATE_KEY,     COS_GATE_KEY,   COS_GATE_SM_OPEN, COS_GATE_LIFE,
        COS_GATE_CHALLENGE, COS_GATE_SM_SEAL, COS_GATE_VAULT, COS_GATE_VAULT,
    };
    static const uint8_t references[] = {0x81, 0x82, 0x83, 0x01, 0x02, 0x03, 0x0F, 0xFF,
                                         0x7F, 0x80, 0x30, 0x05, 0x06, 0x00, 0x88, 0x60};
    const uint8_t opcode = opcodes[sim_below(seed, COUNT(opcodes))];
    const struct cos_gate_row *row = cos_gate_row(opcode);
    const uint8_t channel =
        sim_below(seed, 2) == 0 ? hostile.channel : (uint8_t)sim_below(seed, COS_CHANNELS + 1);

    for (size_t i = 0; i < COS_GATE_MESSAGE_MAX; i++) {
        message[i] = (uint8_t)sim_random(seed);
    }
    *length = row->smallest + sim_below(seed, row->largest - row->smallest + 1U);
    if (sim_below(seed, 2) == 0) {
        *length = row->smallest + sim_below(seed, row->largest - row->smallest < 20
                                                      ? row->largest - row->smallest + 1U
                                                      : 20);
    }
    message[0] = (uint8_t)sim_below(seed, opcode == COS_GATE_PIN ? COS_PIN_ENABLE_ONLY + 1 : 10);
    message[1] = channel;
    message[2] = references[sim_below(seed, COUNT(references))];
    message[3] = sim_below(seed, 2) == 0 ? references[sim_below(seed, COUNT(references))]
                                         : (uint8_t)sim_below(seed, 2);
    if (opcode == COS_GATE_VAULT && sim_below(seed, 2) == 0) {
        memset(message + 2, 0, 6); /* file 1, or a transaction that is asked for */
        message[3] = 1;
        message[7] = 16;
    }
    if (opcode == COS_GATE_SM_OPEN) {
        static const uint8_t instructions[] = {0x20, 0x24, 0x26, 0x28, 0x2C,
                                               0xD8, 0xE2, 0xF0, 0xCA};
        message[0] = channel;
        message[1] = (sim_below(seed, 2) == 0 ? 0x04 : 0x84) | (channel & 3);
        message[2] = instructions[sim_below(seed, COUNT(instructions))];
        message[5] = (uint8_t)(*length - 6);
    }
    if (opcode == COS_GATE_ACCESS) {
        rule_scatter(seed, message, *length);
    }
    if (opcode == COS_GATE_ACCESS || opcode == COS_GATE_CHALLENGE || opcode == COS_GATE_SM_SEAL) {
        message[0] = channel;
    }
    return opcode;
}

void hostile_ask_variations(const struct gate_snapshot *snapshot, unsigned count, uint64_t seed)
{
    uint8_t message[COS_GATE_MESSAGE_MAX];
    size_t length;

    for (unsigned i = 0; i < count; i++) {
        if (i % 25 == 0) {
            hostile_again(snapshot);
        }
        const uint8_t opcode = vary(&seed, message, &length);
        if (!gate_model_terminals(&hostile.bench, opcode, message, length)) {
            hostile_ask(opcode, message, length);
        }
    }
}
