/* SPDX-License-Identifier: Apache-2.0 */
#include "gate_rig.h"

#include "secure_domain/domain.h"

#include <string.h>

void gate_rig_take(struct gate_rig *rig, struct bench *bench)
{
    const struct cos_gate_client *client = &bench->app.gate;

    *rig = (struct gate_rig){.bench = bench};
    if (client->open) {
        rig->session = client->session;
        rig->sequence = client->sequence;
        memcpy(rig->request_key, client->request_key, sizeof rig->request_key);
        memcpy(rig->response_key, client->response_key, sizeof rig->response_key);
    }
}

uint8_t gate_rig_secret(const struct bench *bench, uint8_t secret[COS_PAIRING_SECRET])
{
    const struct cos_store *store = &bench->app.store;
    const uint32_t record = cos_store_size(store) - store->payload;
    uint8_t head[2];

    if (cos_store_read(store, record, head, sizeof head) != COS_OK ||
        cos_store_read(store, record + 10, secret, COS_PAIRING_SECRET) != COS_OK) {
        return 0;
    }
    return head[1];
}

static size_t write_frame(uint32_t session, uint32_t sequence, uint8_t opcode,
                          const uint8_t *message, size_t length, struct bench_frame *frame)
{
    if (length > 0) {
        memcpy(frame->bytes + FRAME_HEADER, message, length);
    }
    cos_frame_begin(frame->bytes, FRAME_REQUEST, opcode, session, sequence, length);
    return length;
}

size_t gate_rig_seal(const struct gate_rig *rig, uint32_t sequence, uint8_t opcode,
                     const uint8_t *message, size_t length, struct bench_frame *frame)
{
    (void)write_frame(rig->session, sequence, opcode, message, length, frame);
    (void)cos_channel_seal(&cos_crypto_tomcrypt, rig->request_key, frame->bytes, length, NULL);
    return frame->length = cos_frame_finish(frame->bytes, length);
}

size_t gate_rig_plain(uint32_t sequence, uint8_t opcode, const uint8_t *message, size_t length,
                      struct bench_frame *frame)
{
    (void)write_frame(0, sequence, opcode, message, length, frame);
    return frame->length = cos_frame_finish(frame->bytes, length);
}

void gate_rig_repair(struct bench_frame *frame)
{
    const size_t end = frame->length - FRAME_CRC;

    cos_put32(frame->bytes + end, cos_crc32(0, frame->bytes, end));
}

bool gate_rig_deliver(struct gate_rig *rig, const struct bench_frame *frame)
{
    struct bench *bench = rig->bench;

    bench->to_app_count = 0;
    bench->to_secure[0] = *frame;
    bench->to_secure_count = 1;
    (void)cos_secure_serve(&bench->secure, 1);
    rig->answers = (unsigned)bench->to_app_count;
    if (rig->answers > 0) {
        rig->last = bench->to_app[0];
    }
    bench->to_app_count = 0;
    return rig->answers == 1;
}

bool gate_rig_open(struct gate_rig *rig, const struct bench_frame *request)
{
    struct bench_frame copy = rig->last;
    const uint8_t *asked = request->bytes;
    struct frame frame;

    if (rig->answers != 1 || cos_frame_parse(copy.bytes, copy.length, &frame) != COS_OK ||
        frame.direction != FRAME_RESPONSE || frame.opcode != asked[3] ||
        memcmp(copy.bytes + 4, asked + 4, 8) != 0) {
        return false;
    }
    const uint8_t *tag = asked + request->length - FRAME_CRC - COS_CCM_TAG;
    if (frame.session != 0 &&
        cos_channel_open(&cos_crypto_tomcrypt, rig->response_key, &frame, tag) != COS_OK) {
        return false;
    }
    if (frame.length < RESPONSE_PREFIX) {
        return false;
    }
    rig->result = (int8_t)frame.message[0];
    rig->flags = frame.message[1];
    rig->epoch = cos_get32(frame.message + 2);
    rig->length = frame.length - RESPONSE_PREFIX;
    memcpy(rig->body, frame.message + RESPONSE_PREFIX, rig->length);
    return true;
}

bool gate_rig_call(struct gate_rig *rig, uint8_t opcode, const uint8_t *message, size_t length)
{
    struct bench_frame request;

    (void)gate_rig_seal(rig, ++rig->sequence, opcode, message, length, &request);
    return gate_rig_deliver(rig, &request) && gate_rig_open(rig, &request);
}

bool gate_rig_hello(struct gate_rig *rig, struct bench *bench)
{
    uint8_t secret[COS_PAIRING_SECRET], message[2 + COS_GATE_NONCE] = {COS_HELLO_BEGIN};
    struct cos_channel_keys keys;
    struct bench_frame request;

    *rig = (struct gate_rig){.bench = bench};
    message[1] = gate_rig_secret(bench, secret);
    for (size_t i = 0; i < COS_GATE_NONCE; i++) {
        message[2 + i] = (uint8_t)sim_random(&bench->seed);
    }
    (void)gate_rig_plain(1, COS_GATE_HELLO, message, sizeof message, &request);
    if (!gate_rig_deliver(rig, &request) || !gate_rig_open(rig, &request) || rig->result != 0 ||
        rig->length != COS_GATE_NONCE + CONFIRMATION_SIZE ||
        cos_channel_derive(&cos_crypto_tomcrypt, secret, message + 2, rig->body, &keys) != COS_OK) {
        return false;
    }
    message[0] = COS_HELLO_CONFIRM;
    memcpy(message + 1, keys.confirmation_app, CONFIRMATION_SIZE);
    (void)gate_rig_plain(2, COS_GATE_HELLO, message, 1 + CONFIRMATION_SIZE, &request);
    if (!gate_rig_deliver(rig, &request) || !gate_rig_open(rig, &request) || rig->result != 0) {
        return false;
    }
    rig->session = keys.session;
    memcpy(rig->request_key, keys.request, sizeof rig->request_key);
    memcpy(rig->response_key, keys.response, sizeof rig->response_key);
    return true;
}

bool gate_rig_at(struct gate_rig *rig, struct bench *bench, enum cos_life_cycle state)
{
    const enum cos_life_cycle first = state < COS_LIFE_OPERATIONAL ? state : COS_LIFE_OPERATIONAL;
    uint8_t bind[2 + sizeof bench_application] = {COS_CONTEXT_BIND, 0};

    bench_init(bench, &bench_small);
    bool ok = bench_power_on(bench) && bench_produce_to(bench, first);
    if (state > COS_LIFE_OPERATIONAL) {
        const char *set_status = state == COS_LIFE_LOCKED ? "80F0807F" : "80F080FF";
        ok = ok && bench_sm_open(bench, 0x01, 0x03) == 0x9000 &&
             bench_sm_hex(bench, set_status) == 0x9000;
    }
    gate_rig_take(rig, bench);
    if (rig->session != 0 && state != COS_LIFE_TERMINATED) {
        memcpy(bind + 2, bench_application, sizeof bench_application);
        ok = ok && gate_rig_call(rig, COS_GATE_CONTEXT, bind, sizeof bind) && rig->result == COS_OK;
    }
    return ok && bench->secure.life_cycle == state;
}

/* ---- Snapshots ---- */

void gate_snapshot_save(const struct bench *bench, struct gate_snapshot *snapshot)
{
    snapshot->bench = *bench;
    sim_nvm_save(&bench->app_nvm, &snapshot->app_nvm);
    sim_nvm_save(&bench->secure_nvm, &snapshot->secure_nvm);
}

void gate_snapshot_restore(struct bench *bench, const struct gate_snapshot *snapshot)
{
    const struct sim_nvm *app = &snapshot->app_nvm.chip, *secure = &snapshot->secure_nvm.chip;

    *bench = snapshot->bench;
    memcpy(app->block, snapshot->app_nvm.block, app->block_size);
    memcpy(secure->block, snapshot->secure_nvm.block, secure->block_size);
}

void gate_snapshot_free(struct gate_snapshot *snapshot)
{
    sim_snapshot_free(&snapshot->app_nvm);
    sim_snapshot_free(&snapshot->secure_nvm);
}

void gate_state_take(const struct bench *bench, struct gate_state *state)
{
    memcpy(&state->secure, &bench->secure, sizeof state->secure); /* padding and all */
    memset(&state->secure.gate, 0, sizeof state->secure.gate);
    memset(&state->secure.change, 0, sizeof state->secure.change);
    state->operations = bench->power.operations;
}

bool gate_state_same(const struct bench *bench, const struct gate_state *state)
{
    struct gate_state now;

    gate_state_take(bench, &now);
    return now.operations == state->operations &&
           memcmp(&now.secure, &state->secure, sizeof now.secure) == 0;
}

int gate_rig_tries(const struct bench *bench, bool pin, uint8_t number)
{
    const struct cos_span name = {bench_application, sizeof bench_application};
    struct object object;
    uint8_t context;

    if (cos_application_find(&bench->secure, name, &context) != COS_OK ||
        cos_object_find(&bench->secure, pin ? OBJECT_PIN : OBJECT_KEY, context, number, 0,
                        &object) != COS_OK) {
        return -1;
    }
    return object.tries_left;
}
