/* SPDX-License-Identifier: Apache-2.0
 *
 * T=1 on the card's side, ISO/IEC 7816-3:2006, 11: the published blocks and scenarios, lengths and
 * times.
 */
#include "apdu/t1_block.h"
#include "script_t1.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define VECTORS "iso7816-3-t1.txt"

static struct script script;

/* ---- The published blocks, in each form of the EDC ---- */

struct tape {
    uint8_t bytes[64];
    size_t length, at;
};

static enum cos_result tape_send(void *context, uint8_t character, uint32_t etus)
{
    struct tape *tape = context;

    (void)etus;
    assert_true(tape->length < sizeof tape->bytes);
    tape->bytes[tape->length++] = character;
    return COS_OK;
}

static enum cos_result tape_receive(void *context, uint8_t *character, uint32_t etus)
{
    struct tape *tape = context;

    (void)etus;
    if (tape->at == tape->length) {
        return COS_E_LINE_SILENT;
    }
    *character = tape->bytes[tape->at++];
    return COS_OK;
}

/* Written it has exactly these bytes, and read it is a good one; with any other EDC it is not. */
static void assert_block(enum cos_t1_edc edc, const uint8_t *body, size_t length,
                         const uint8_t *code, size_t code_length)
{
    struct cos_t1_parameters parameters = {edc, 0xFE, 4, 13, 372, 1, 0, false};
    struct tape tape = {{0}, 0, 0};
    struct cos_line line = {&tape, NULL, tape_send, tape_receive, NULL};
    struct t1_block block;
    struct cos_t1 t1;
    uint8_t inf[8];

    assert_int_equal(cos_t1_start(&t1, &parameters), COS_OK);
    assert_int_equal(cos_t1_write_block(&t1, &line, body[1], body + 3, body[2]), COS_OK);
    assert_int_equal(tape.length, length + code_length);
    assert_memory_equal(tape.bytes, body, length);
    assert_memory_equal(tape.bytes + length, code, code_length);

    assert_int_equal(cos_t1_read_block(&t1, &line, inf, sizeof inf, &block), COS_OK);
    assert_int_equal(block.kind == T1_KIND_BAD, body[1] == T1_S_WTX); /* is the card's alone */
    assert_int_equal(block.pcb, body[1]);
    assert_int_equal(block.length, body[2]);
    assert_memory_equal(inf, body + 3, body[2]);
    for (size_t bit = 0; bit < 8 * tape.length; bit++) {
        if (bit / 8 == 2) {
            continue; /* another LEN is another block */
        }
        tape.at = 0;
        tape.bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        assert_int_equal(cos_t1_read_block(&t1, &line, inf, sizeof inf, &block), COS_OK);
        assert_int_equal(block.kind, T1_KIND_BAD);
        assert_int_equal(block.error, T1_ERROR_EDC);
        tape.bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
}

static void published_blocks(void **state)
{
    struct vectors *vectors = vectors_open(VECTORS);
    size_t blocks = 0;

    (void)state;
    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector_section *section = &vectors->sections[i];
        struct cos_span block;

        if (vector_find(section, "block") == NULL) {
            continue;
        }
        block = vector_bytes(section, "block");
        blocks++;
        assert_block(COS_T1_LRC, block.data, block.length - 1, block.data + block.length - 1, 1);
        assert_block(COS_T1_CRC, block.data, block.length - 1,
                     vector_exactly(section, 2, "crc_ccid"), 2);
        assert_block(COS_T1_CRC_13239, block.data, block.length - 1,
                     vector_exactly(section, 2, "crc_x25"), 2);
    }
    assert_int_equal(blocks, 22);
    vectors_close(vectors);
}

/* R with the expected N(S), whichever that is, and no effect. */
static void published_bad_blocks(void **state)
{
    struct vectors *vectors = vectors_open(VECTORS);
    const struct vector_section *section = vectors_section(vectors, "invalid blocks");

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        struct cos_span bad = vector_bytes(section, "bad%u", i);
        const char *why = vector_text(section, "why%u", i);
        bool edc = strstr(why, "EDC error") != NULL;

        assert_int_not_equal(edc, strstr(why, "other error") != NULL);
        script_start(&script);
        script_add_block(&script, false, bad.data, bad.length);
        script_add(&script, edc ? "c:008100" : "c:008200");
        script_add(&script, "d:000002AABB c:000002AABB");
        script_add_block(&script, false, bad.data, bad.length);
        script_add(&script, edc ? "c:009100" : "c:009200");
        script_add(&script, "d:004002AABB c:004002AABB");
        script_play(&script);
        assert_int_equal(script.t1.ifsd, 32);
    }
    vectors_close(vectors);
}

/* ---- The published scenarios ---- */

/* Steps NN_d and NN_c; a block of the device that is marked with ! arrives damaged. */
static void add_scenario(const struct vector_section *section, uint8_t damage)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct vector_entry *entry = &section->entries[i];
        bool card = entry->key[3] == 'c';
        uint8_t bytes[64];

        assert_int_equal(entry->kind, VECTOR_BYTES);
        memcpy(bytes, entry->bytes.data, entry->bytes.length);
        script_add_block(&script, card, bytes, entry->bytes.length);
        if (!card && entry->key[4] == '!') {
            struct script_step *step = &script.steps[script.count - 1];
            if (damage < entry->bytes.length) {
                step->bad = damage;
            } else {
                step->bytes[entry->bytes.length - 1] ^= 0x01;
            }
        }
    }
}

static const uint8_t three[] = {0xAA, 0xBB, 0xAA, 0xBB, 0xAA, 0xBB};

static void published_scenarios(void **state)
{
    static const struct {
        const char *name;
        uint8_t multiplier, request_ifsc, ifsd;
        struct cos_span responses[2];
        size_t commands;
    } cases[] = {
        {"scenario 1 alternate I-blocks", .commands = 3},
        {"scenario 2 waiting time extension", .multiplier = 5, .commands = 1},
        {"scenario 3 IFS by card", .request_ifsc = 0x40, .commands = 1},
        {"scenario 4 chain from device", .responses = {{three, 2}}, .commands = 1},
        {"scenario 5 chain from card", .ifsd = 2, .responses = {{three, 6}}, .commands = 2},
        {"scenario 6 corrupted command", .commands = 1},
        {"scenario 7 corrupted response", .commands = 1},
        {"scenario 9 WTX request corrupted", .multiplier = 1, .commands = 1},
        {"scenario 10 resynchronisation", .commands = 2},
        {"scenario 11 device aborts the card chain", .ifsd = 2, .responses = {{three, 6}},
         .commands = 2},
    };
    struct vectors *vectors = vectors_open(VECTORS);
    size_t scenarios = 0;

    (void)state;
    for (size_t i = 0; i < vectors->count; i++) {
        scenarios += strncmp(vectors->sections[i].name, "scenario", 8) == 0 ? 1 : 0;
    }
    assert_int_equal(scenarios, sizeof cases / sizeof cases[0]);
    for (size_t i = 0; i < scenarios; i++) {
        for (uint8_t damage = 0; damage <= 6; damage++) {
            script_start(&script);
            script.multiplier = cases[i].multiplier;
            script.parameters.request_ifsc = cases[i].request_ifsc;
            memcpy(script.responses, cases[i].responses, sizeof cases[i].responses);
            if (cases[i].ifsd != 0) {
                script_add(&script, "d:00C10102 c:00E10102");
            }
            add_scenario(vectors_section(vectors, cases[i].name), damage);
            script_play(&script);
            assert_int_equal(script.commands, cases[i].commands);
            assert_int_equal(script.length, cases[i].responses[0].length == 2 ? 6 : 2);
        }
    }
    vectors_close(vectors);
}

/* ---- Lengths, times, parameters ---- */

static void long_ones(void **state)
{
    static uint8_t block[258], data[600];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 7);
    }
    for (size_t ifs = 32; ifs <= 254; ifs += 111) { /* 32, 143, 254 */
        for (size_t length = 1; length <= sizeof data; length += 37) {
            uint8_t number = 0;
            char text[32];

            script_start(&script);
            script.parameters.ifsc = (uint8_t)ifs;
            snprintf(text, sizeof text, "d:00C101%02zX c:00E101%02zX", ifs, ifs);
            script_add(&script, text);
            for (int card = 0; card < 2; card++) {
                for (size_t at = 0; at < length; at += ifs) {
                    size_t part = length - at < ifs ? length - at : ifs;
                    bool more = at + part < length;
                    uint8_t sum = 0;

                    number = (uint8_t)(at / ifs % 2);
                    block[0] = 0;
                    block[1] = (uint8_t)(number * 0x40 + (more ? 0x20 : 0));
                    block[2] = (uint8_t)part;
                    memcpy(block + 3, data + at, part);
                    for (size_t i = 0; i < 3 + part; i++) {
                        sum ^= block[i];
                    }
                    block[3 + part] = sum;
                    script_add_block(&script, card != 0, block, part + 4);
                    if (more) {
                        snprintf(text, sizeof text, "%c:00%02X00", card != 0 ? 'd' : 'c',
                                 number == 0 ? 0x90 : 0x80);
                        script_add(&script, text);
                    }
                }
            }
            script_play(&script);
            assert_int_equal(script.commands, 1);
            assert_int_equal(script.length, length);
            assert_memory_equal(script.command, data, length);
        }
    }
}

/* The card takes what it has announced, and no more; its own IFS request changes that. */
static void ifsc_is_a_limit(void **state)
{
    (void)state;
    script_start(&script);
    script.parameters.ifsc = 2;
    script.parameters.request_ifsc = 3;
    script_add(&script, "d:000003AABBCC c:008200 d:000002AABB c:00C10103 d:00E10103 c:000002AABB "
                        "d:004003AABBCC c:004003AABBCC d:000004AABBCCDD c:008200 "
                        "d:00C000 c:00E000 d:000003AABBCC c:008200");
    script_play(&script);
    assert_int_equal(script.commands, 2);
}

static void first_character_by_the_caller(void **state)
{
    (void)state;
    script_start(&script);
    assert_int_equal(cos_t1_start(&script.t1, &script.parameters), COS_OK);
    cos_t1_first(&script.t1, COS_OK, 0x21);
    script.at = 1;
    script_add(&script, "d:210001AA c:120001AA d:214001BB c:124001BB");
    {
        uint8_t command[4];
        size_t length;
        assert_int_equal(cos_t1_receive(&script.t1, &script.line, command, sizeof command, &length),
                         COS_OK);
        assert_int_equal(length, 1);
        assert_int_equal(cos_t1_send(&script.t1, &script.line, command, length), COS_OK);
    }
    script_continue(&script, "d:214001BB c:124001BB");

    script_start(&script);
    assert_int_equal(cos_t1_start(&script.t1, &script.parameters), COS_OK);
    cos_t1_first(&script.t1, COS_E_LINE_PARITY, 0x00);
    script_continue(&script, "d:0001AAAB c:008100 d:000001AA c:000001AA");
}

static void waiting_times(void **state)
{
    static const struct {
        uint16_t f;
        uint8_t d, bwi, cwi;
        uint32_t bwt, cwt;
    } cases[] = {
        {372, 1, 0, 0, 971, 12},       {372, 1, 4, 13, 15371, 8203}, {372, 1, 9, 15, 491531, 32779},
        {512, 32, 4, 5, 357131, 43},   /* 11 + 16 * 960 * 372 * 32 / 512 */
        {512, 64, 9, 5, 22855691, 43}, /* 11 + 512 * 960 * 372 * 64 / 512 */
        {2048, 1, 0, 5, 185, 43},      /* 174.375 and 11 */
        {744, 12, 3, 5, 46091, 43},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cos_t1_parameters parameters = {
            COS_T1_LRC, 0x20, cases[i].bwi, cases[i].cwi, cases[i].f, cases[i].d, 0, false};
        struct cos_t1 t1;

        assert_int_equal(cos_t1_start(&t1, &parameters), COS_OK);
        assert_int_equal(t1.bwt, cases[i].bwt);
        assert_int_equal(t1.cwt, cases[i].cwt);
        assert_false(cos_t1_due(&t1, 0));
        assert_false(cos_t1_due(&t1, (t1.bwt - 1) / 2));
        assert_true(cos_t1_due(&t1, t1.bwt - t1.bwt / 2));
        t1.multiplier = 3;
        assert_false(cos_t1_due(&t1, 2 * t1.bwt));
        assert_true(cos_t1_due(&t1, 3 * t1.bwt - t1.bwt / 2));
        assert_true(cos_t1_due(&t1, UINT32_MAX));
    }
}

/* What WTX grants holds until the response. */
static void granted_time(void **state)
{
    uint8_t command[8];
    size_t length;

    (void)state;
    script_start(&script);
    script_add(&script, "d:000001AA c:00C30105 d:00E30105 c:00C30102 d:00E30102 c:000001AA");
    assert_int_equal(cos_t1_start(&script.t1, &script.parameters), COS_OK);
    assert_int_equal(cos_t1_receive(&script.t1, &script.line, command, 8, &length), COS_OK);
    assert_true(cos_t1_due(&script.t1, 15371));
    assert_int_equal(cos_t1_extend(&script.t1, &script.line, 5), COS_OK);
    assert_false(cos_t1_due(&script.t1, 4 * 15371));
    assert_true(cos_t1_due(&script.t1, 5 * 15371));
    assert_int_equal(cos_t1_extend(&script.t1, &script.line, 2), COS_OK);
    assert_false(cos_t1_due(&script.t1, 15371));
    assert_true(cos_t1_due(&script.t1, 2 * 15371));
    assert_int_equal(cos_t1_send(&script.t1, &script.line, command, length), COS_OK);
    assert_true(cos_t1_due(&script.t1, 15371));
}

/* After RESYNCH the device does not wait any more, so nothing asks it to. */
static void no_extension_after_resynch(void **state)
{
    uint8_t command[8];
    size_t length;

    (void)state;
    script_start(&script);
    script_add(&script, "d:000001AA c:00C30105 d:00C000 c:00E000 d:000001BB c:000001BB");
    assert_int_equal(cos_t1_start(&script.t1, &script.parameters), COS_OK);
    assert_int_equal(cos_t1_receive(&script.t1, &script.line, command, 8, &length), COS_OK);
    assert_int_equal(cos_t1_extend(&script.t1, &script.line, 5), COS_OK);
    assert_int_equal(cos_t1_extend(&script.t1, &script.line, 5), COS_OK);
    assert_int_equal(cos_t1_send(&script.t1, &script.line, command, length), COS_OK);
    assert_int_equal(script.step, 4);
    script_continue(&script, "d:000001BB c:000001BB");
}

/* A bad block is over when the line was silent for CWT, but BWT leaves time to say so. */
static void silence_after_a_bad_block(void **state)
{
    (void)state;
    script_start(&script);
    script_add(&script, "d:000001AA! c:008100");
    script_play(&script);
    assert_int_equal(script.silence, 8203);

    script_start(&script);
    script.parameters.f = 2048;
    script.parameters.bwi = 0;
    script_add(&script, "d:000001AA! c:008100");
    script_play(&script);
    assert_int_equal(script.silence, 185 - 46);
}

static void parameters_out_of_range(void **state)
{
    static const struct cos_t1_parameters bad[] = {
        {(enum cos_t1_edc)3, 0x20, 4, 13, 372, 1, 0, false},
        {COS_T1_LRC, 0x00, 4, 13, 372, 1, 0, false},
        {COS_T1_LRC, 0xFF, 4, 13, 372, 1, 0, false},
        {COS_T1_LRC, 0x20, 10, 13, 372, 1, 0, false},
        {COS_T1_LRC, 0x20, 4, 16, 372, 1, 0, false},
        {COS_T1_LRC, 0x20, 4, 13, 0, 1, 0, false},
        {COS_T1_LRC, 0x20, 4, 13, 372, 0, 0, false},
        {COS_T1_LRC, 0x20, 4, 13, 372, 1, 0xFF, false},
    };
    struct cos_t1 t1;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(cos_t1_start(&t1, &bad[i]), COS_E_DATA);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_blocks),
        cmocka_unit_test(published_bad_blocks),
        cmocka_unit_test(published_scenarios),
        cmocka_unit_test(long_ones),
        cmocka_unit_test(ifsc_is_a_limit),
        cmocka_unit_test(first_character_by_the_caller),
        cmocka_unit_test(waiting_times),
        cmocka_unit_test(granted_time),
        cmocka_unit_test(no_extension_after_resynch),
        cmocka_unit_test(silence_after_a_bad_block),
        cmocka_unit_test(parameters_out_of_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
