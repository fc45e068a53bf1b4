/* SPDX-License-Identifier: Apache-2.0 */
#include "vault_rig.h"

#include "card_table.h"
#include "secure_domain/domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- Requests ---- */

static size_t request_bytes(const struct gate_rig *rig, const char *text, uint8_t *bytes)
{
    const uint32_t last = rig->bench->secure.transaction;
    char hex[2 * COS_GATE_MESSAGE_MAX + 64], number[9];
    size_t length = 0;

    assert_true(strlen(text) < sizeof hex);
    for (const char *c = text; *c != '\0';) {
        const bool next = strncmp(c, "NNNNNNNN", 8) == 0;
        if (next || strncmp(c, "PPPPPPPP", 8) == 0) {
            (void)snprintf(number, sizeof number, "%08X", (unsigned)(next ? last + 1 : last));
            memcpy(hex + length, number, 8);
            length += 8;
            c += 8;
        } else {
            hex[length++] = *c++;
        }
    }
    hex[length] = '\0';
    return bench_bytes(hex, bytes, COS_GATE_MESSAGE_MAX);
}

int vault_call(struct gate_rig *rig, uint8_t opcode, const char *request)
{
    uint8_t message[COS_GATE_MESSAGE_MAX];
    const size_t length = request_bytes(rig, request, message);

    assert_true(gate_rig_call(rig, opcode, message, length));
    return rig->result;
}

int vault_open(struct gate_rig *rig, const char *command)
{
    uint8_t plain[COS_GATE_MESSAGE_MAX], message[COS_GATE_MESSAGE_MAX] = {0};
    const size_t length = bench_bytes(command, plain, sizeof plain);
    const size_t nc = length > 5 ? length - 5 : 0;
    struct command wrapped = {plain[0], plain[1], plain[2], plain[3], plain + 5, nc, 256};
    struct bytes apdu = {0};

    assert_true(scp03_wrap(&rig->bench->scp03, &wrapped, &apdu));
    memcpy(message + 1, apdu.data, apdu.length);
    assert_true(gate_rig_call(rig, COS_GATE_SM_OPEN, message, 1 + apdu.length));
    return rig->result;
}

void vault_session(struct gate_rig *rig)
{
    static const uint8_t domain[] = {0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00};
    static const uint8_t challenge[8] = {8, 7, 6, 5, 4, 3, 2, 1};
    uint8_t message[3 + 16] = {COS_AUTH_SCP03_BEGIN, 0, 0x01};
    struct problem problem;
    struct bytes apdu = {0};

    memcpy(message + 3, challenge, sizeof challenge);
    assert_true(gate_rig_call(rig, COS_GATE_AUTH, message, 11));
    assert_int_equal(rig->result, COS_OK);
    assert_int_equal(scp03_begin(&rig->bench->scp03, &bench_keys_card, 0x01,
                                 (struct part){domain, sizeof domain}, (struct part){challenge, 8},
                                 (struct part){rig->body, rig->length}, &problem),
                     DONE);
    assert_true(scp03_authenticate(&rig->bench->scp03, 0x03, &apdu));
    message[0] = COS_AUTH_SCP03_FINISH;
    message[2] = apdu.data[2];
    memcpy(message + 3, apdu.data + 5, 16);
    assert_true(gate_rig_call(rig, COS_GATE_AUTH, message, sizeof message));
    assert_int_equal(rig->result, COS_OK);
}

void vault_rig_make(struct gate_rig *rig, struct bench *bench)
{
    bench_make(bench, &bench_host);
    bench_select(bench);
    gate_rig_take(rig, bench);
}

/* ---- Files ---- */

unsigned vault_create(struct gate_rig *rig, uint16_t size, const char *objects)
{
    char text[512];
    uint8_t fcp[256];
    const size_t length = bench_bytes(objects, fcp, sizeof fcp);

    (void)snprintf(text, sizeof text, "00E00000 %02X 62%02X 82020121 80%02X%04X 850102 %s",
                   (unsigned)length + 13U, (unsigned)length + 11U, 2U, (unsigned)size, objects);
    assert_int_equal(vault_open(rig, text), COS_OK);
    (void)snprintf(text, sizeof text, "0100 NNNNNNNN %04X", (unsigned)size);
    const int result = vault_call(rig, COS_GATE_VAULT, text);
    const unsigned number = result == COS_OK ? cos_get16(rig->body + 4) : 0;
    if (result == COS_OK) {
        assert_int_equal(rig->length, 6);
        assert_int_equal(cos_get32(rig->body), rig->bench->secure.transaction);
    }
    (void)vault_call(rig, COS_GATE_SM_SEAL, "00 9000");
    rig->result = result;
    return number;
}

int vault_read(struct gate_rig *rig, unsigned number, uint8_t *data, size_t length)
{
    char text[32];

    for (size_t at = 0; at < length;) {
        const size_t run = length - at < COS_VAULT_PART ? length - at : COS_VAULT_PART;
        (void)snprintf(text, sizeof text, "0300 %04X %04X %04X", number, (unsigned)at,
                       (unsigned)run);
        if (vault_call(rig, COS_GATE_VAULT, text) != COS_OK) {
            return rig->result;
        }
        assert_int_equal(rig->length, run);
        memcpy(data + at, rig->body, run);
        at += run;
    }
    return rig->result;
}

void vault_chunk(const struct bench *bench, unsigned number, uint8_t chunk[VAULT_CHUNK])
{
    const struct cos_store *store = &bench->secure.store;
    const struct cos_secure_config *config = &bench->secure.config;
    const uint32_t payload = store->payload;
    const uint32_t table = cos_object_pages((uint16_t)payload, config->objects);
    const uint32_t entries = payload / 54, chunks = payload / VAULT_CHUNK;
    const uint32_t content = table + (config->vault_files + entries - 1) / entries;
    const uint32_t index = number - 1U;
    uint8_t entry[54];

    assert_int_equal(cos_store_read(store,
                                    (table + index / entries) * payload + index % entries * 54,
                                    entry, sizeof entry),
                     COS_OK);
    const uint32_t first = cos_get16(entry + 4);
    assert_int_equal(
        cos_store_read(store, (content + first / chunks) * payload + first % chunks * VAULT_CHUNK,
                       chunk, VAULT_CHUNK),
        COS_OK);
}

/* ---- Steps ---- */

static void fail_step(const struct gate_rig *rig, const struct vault_step *step, const char *why)
{
    fail_msg("%s: %s (%02X: %s; result %d, %zu bytes)", step->what, why, step->opcode,
             step->request, rig->result, rig->length);
}

static void check_answer(const struct gate_rig *rig, const struct vault_step *step)
{
    uint8_t expected[COS_GATE_MESSAGE_MAX];
    const size_t length = bench_bytes(step->answer, expected, sizeof expected);

    if (rig->length != length || memcmp(rig->body, expected, length) != 0) {
        fail_step(rig, step, "another answer");
    }
}

void vault_steps(struct gate_rig *rig, const struct vault_step *steps, size_t count)
{
    const struct bench *bench = rig->bench;

    for (size_t i = 0; i < count; i++) {
        const struct vault_step *step = &steps[i];
        const uint64_t operations = bench->power.operations;
        const uint64_t programs = bench->secure_nvm.counts.page_programs;
        if (step->opcode == COS_GATE_SM_OPEN) {
            (void)vault_open(rig, step->request);
        } else {
            (void)vault_call(rig, step->opcode, step->request);
        }
        if (rig->result != step->result) {
            fail_step(rig, step, "another result");
        }
        if (step->answer != NULL) {
            check_answer(rig, step);
        }
        if (step->result != COS_OK && rig->length != 0) {
            fail_step(rig, step, "data with an error");
        }
        const uint64_t written = bench->secure_nvm.counts.page_programs - programs;
        if (step->programs == VAULT_ANY) {
            continue;
        }
        if (written != (step->result == COS_OK ? step->programs : 0) ||
            (written == 0 && bench->power.operations != operations)) {
            fail_msg("%s: %u page programs, %u operations", step->what, (unsigned)written,
                     (unsigned)(bench->power.operations - operations));
        }
    }
}
