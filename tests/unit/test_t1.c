/* SPDX-License-Identifier: Apache-2.0
 *
 * T=1 on the card's side, ISO/IEC 7816-3:2006, 11: blocks and scenarios, byte by byte.
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

/* ---- Scenarios of our own ---- */

struct scenario {
    const char *name, *text;
    size_t commands; /* executed */
    uint8_t multiplier, request_ifsc;
    size_t capacity, too_long;
    bool abort_oversize;
    struct cos_span response; /* to the first command; none: the command itself */
};

static const struct scenario scenarios[] = {
    /* Rules 7.1 to 7.3: recovery from the device's side. */
    {"R before anything was received: what the card waits for",
     "d:008000 c:008200 d:000001AA c:000001AA", 1},
    {"an R that is lost with the command damaged",
     "d:000001AA! c:008100 d:008000 c:008100 d:000001AA c:000001AA", 1},
    {"the response, asked for twice",
     "d:000001AA c:000001AA d:008100 c:000001AA d:008000 c:000001AA d:004001BB c:004001BB", 2},
    {"the request for the response damaged",
     "d:000001AA c:000001AA d:008100! c:009100 d:008100 c:000001AA", 1},
    {"a command repeated that was executed",
     "d:000001AA c:000001AA d:000001AA c:009200 d:008000 c:000001AA d:004001BB c:004001BB", 2},
    {"a second command that was lost on the way",
     "d:000001AA c:000001AA d:009000 c:009200 d:004001BB c:004001BB", 2},
    {"a second command damaged, and then the R",
     "d:000001AA c:000001AA d:004001BB! c:009100 d:009000 c:009100 d:004001BB c:004001BB", 2},
    {"a chain of the device whose R was lost",
     "d:002001AA c:009000 d:008000 c:009000 d:004001BB c:000002AABB", 1},
    {"a part of a chain repeated",
     "d:002001AA c:009000 d:002001AA c:009200 d:004001BB c:000002AABB", 1},
    {"a part of a chain damaged",
     "d:002001AA c:009000 d:004001BB! c:009100 d:004001BB c:000002AABB", 1},
    {"a chain of the card: R damaged, R for the same block, R with another error",
     "d:00C10101 c:00E10101 d:000003AABBCC c:002001AA d:009000! c:009100 d:009000 c:006001BB "
     "d:009200 c:006001BB d:008100 c:000001CC",
     1},
    {"a command amid the card's chain is not taken",
     "d:00C10101 c:00E10101 d:000002AABB c:002001AA d:004001CC c:009200 d:009000 c:004001BB", 1},

    /* Rule 4 and IFS. */
    {"IFSD amid a chain of the card",
     "d:00C10101 c:00E10101 d:000004AABBCCDD c:002001AA d:00C10102 c:00E10102 d:008000 c:002001AA "
     "d:009000 c:006002BBCC d:008000 c:000001DD",
     1},
    {"IFSD amid a chain of the device",
     "d:002001AA c:009000 d:00C10101 c:00E10101 d:004001BB c:002001AA d:009000 c:004001BB", 1},
    {"IFSD response lost: asked again, or R",
     "d:00C10101 c:00E10101 d:00C10101 c:00E10101 d:008000 c:008200 d:000001AA c:000001AA", 1},
    {"the card's IFS request: other value, R, damaged, at last the response; then never again",
     "d:000001AA c:00C101FE d:00E101FD c:00C101FE d:008000 c:00C101FE d:00E101FE! c:00C101FE "
     "d:00E101FE c:000001AA d:004001BB c:004001BB",
     2, .request_ifsc = 0xFE},
    {"the card's IFS request, again after RESYNCH",
     "d:000001AA c:00C10140 d:00C000 c:00E000 d:000001AA c:00C10140 d:00E10140 c:000001AA", 2,
     .request_ifsc = 0x40},

    /* Rule 3. */
    {"WTX: other value, R, command, IFS request: asked again",
     "d:000001AA c:00C30103 d:00E30104 c:00C30103 d:008000 c:00C30103 d:000001AA c:00C30103 "
     "d:00C10120 c:00C30103 d:00E30103 c:000001AA",
     1, .multiplier = 3},
    {"WTX response damaged",
     "d:000001AA c:00C30103 d:00E30103! c:00C30103 d:00E30103 c:000001AA d:008100 c:000001AA", 1,
     .multiplier = 3},
    {"RESYNCH in answer to WTX: the response is not sent",
     "d:000001AA c:00C30103 d:00C000 c:00E000 d:000001BB c:00C30103 d:00E30103 c:000001BB", 2,
     .multiplier = 3},

    /* Rule 6. */
    {"RESYNCH first of all, and again", "d:00C000 c:00E000 d:00C000 c:00E000 d:000001AA c:000001AA",
     1},
    {"RESYNCH takes back N(S) and IFSD",
     "d:00C10101 c:00E10101 d:000001AA c:000001AA d:00C000 c:00E000 d:000002AABB c:000002AABB", 2},
    {"RESYNCH drops the chain of the device",
     "d:002001AA c:009000 d:00C000 c:00E000 d:000001BB c:000001BB", 1},
    {"RESYNCH drops the chain of the card",
     "d:00C10101 c:00E10101 d:000002AABB c:002001AA d:00C000 c:00E000 d:008000 c:008200 d:000001CC "
     "c:000001CC",
     2},

    /* Rule 9. */
    {"ABORT with no chain",
     "d:00C200 c:00E200 d:000001AA c:000001AA d:00C200 c:00E200 d:004001BB c:004001BB", 2},
    {"ABORT of the device's own chain",
     "d:002001AA c:009000 d:00C200 c:00E200 d:004001BB c:000001BB", 1},
    {"ABORT of the card's chain, response lost",
     "d:00C10101 c:00E10101 d:000002AABB c:002001AA d:00C200 c:00E200 d:00C200 c:00E200 d:004001CC "
     "c:004001CC",
     2},
    {"too long a chain is taken to its end: 6700",
     "d:002003AABBCC c:009000 d:006002DDEE c:008000 d:002002DDEE c:009000 d:004001DD c:0000026700 "
     "d:000001AA c:004001AA",
     1, .capacity = 4, .too_long = 1},
    {"too long a chain is aborted",
     "d:002003AABBCC c:009000 d:006002DDEE c:00C200 d:008000 c:00C200 d:00E200! c:00C200 d:00E200 "
     "c:008000 d:008000 c:008000 d:000001AA c:000001AA",
     1, .capacity = 4, .abort_oversize = true},
    {"RESYNCH instead of the ABORT response",
     "d:002003AABBCC c:009000 d:006002DDEE c:00C200 d:00C000 c:00E000 d:000001AA c:000001AA", 1,
     .capacity = 4, .abort_oversize = true},
    {"too long only with its last block: 6700", "d:002003AABBCC c:009000 d:004002DDEE c:0000026700",
     0, .capacity = 4, .too_long = 1, .abort_oversize = true},
    {"just as long as the buffer", "d:002003AABBCC c:009000 d:004001DD c:000004AABBCCDD", 1,
     .capacity = 4},

    /* Nothing in it. */
    {"empty blocks", "d:000000 c:000000 d:006000 c:008000 d:002000 c:009000 d:004001AA c:004001AA",
     2},

    /* Bad blocks beyond the published ones. */
    {"S responses that nothing asked for",
     "d:00E000 c:008200 d:00E10120 c:008200 d:00E200 c:008200 d:00E30101 c:008200 d:000001AA "
     "c:000001AA",
     1},
    {"what only a card may ask for", "d:00C30101 c:008200 d:000001AA c:000001AA", 1},
    {"RFU bits of I, R and S",
     "d:000100 c:008200 d:001000 c:008200 d:00A000 c:008200 d:008800 c:008200 d:008400 c:008200 "
     "d:00D000 c:008200 d:00FF00 c:008200 d:00C800 c:008200",
     0},
    {"lengths that do not belong",
     "d:00C00100 c:008200 d:00C20100 c:008200 d:00C1020101 c:008200 d:00E300 c:008200", 0},
    {"LEN FF with something after it", "d:0000FF0102030405~ c:008200 d:000001AA c:000001AA", 1},
    {"cut short: nothing but NAD, no LEN, no EDC",
     "d:00~ c:008200 d:0000~ c:008200 d:000002AABB~ c:008200 d:000002AA~ c:008200 d:000001AA "
     "c:000001AA",
     1},
    {"LEN too small: the rest is waited for", "d:000001AABBCCDDEE c:008100 d:000001AA c:000001AA",
     1},
    {"wrong parity in more than one place ends where the line is silent",
     "d:000005AABBCCDDEE%1 c:008100 d:000005AABBCCDDEE%8 c:008100 d:000001AA c:000001AA", 1},

    /* NAD, 11.3.2.1. */
    {"NAD: SAD 1, DAD 2, answered with SAD 2, DAD 1",
     "d:210001AA c:120001AA d:21C10140 c:12E10140 d:219000! c:129100", 1},
    {"NAD: another connection",
     "d:210001AA c:120001AA d:004001BB c:129200 d:124001BB c:129200 d:214001BB c:124001BB", 2},
    {"NAD: 00 is a connection like others",
     "d:000001AA c:000001AA d:214001BB c:009200 d:004001BB c:004001BB", 2},
    {"NAD: b8, b4, SAD equal to DAD",
     "d:800001AA c:008200 d:080001AA c:008200 d:110001AA c:008200 d:770001AA c:008200 d:FF0001AA "
     "c:008200 d:670001AA c:760001AA",
     1},
    {"NAD: RESYNCH moves the connection",
     "d:210001AA c:120001AA d:30C000 c:03E000 d:210001AA c:038200 d:300001AA c:030001AA", 2},
    {"NAD: what is bad settles nothing", "d:210001AA! c:008100 d:000001AA c:000001AA", 1},
};

static void prepare(const struct scenario *scenario)
{
    script_start(&script);
    script.multiplier = scenario->multiplier;
    script.parameters.request_ifsc = scenario->request_ifsc;
    script.parameters.abort_oversize = scenario->abort_oversize;
    script.capacity = scenario->capacity != 0 ? scenario->capacity : script.capacity;
    script.responses[0] = scenario->response;
    script_add(&script, scenario->text);
}

static void own_scenarios(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        print_message("%s\n", scenarios[i].name); /* the last one is the one that failed */
        prepare(&scenarios[i]);
        script_play(&script);
        assert_int_equal(script.commands, scenarios[i].commands);
        assert_int_equal(script.too_long, scenarios[i].too_long);
    }
}

/* RST may go low at any character: everything ends, and begins again. */
static void reset_at_any_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        size_t cuts = 0;

        prepare(&scenarios[i]);
        while (script_cut(&script, cuts)) {
            cuts++;
        }
        assert_true(cuts > 8);
        assert_int_equal(script.commands, scenarios[i].commands);
    }
}

/* Every character of every kind of block, with wrong parity: R, error 1, and nothing else. */
static void wrong_parity_anywhere(void **state)
{
    static const char *const blocks[] = {"000003AABBCC", "002001AA", "008000",
                                         "00C000",       "00C10140", "00C200"};

    (void)state;
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        for (size_t at = 0; at <= strlen(blocks[i]) / 2; at++) {
            char text[64];
            script_start(&script);
            snprintf(text, sizeof text, "d:%s%%%zu c:008100", blocks[i], at);
            script_add(&script, text);
            script_play(&script);
            assert_int_equal(script.t1.expected, 0);
            script_continue(&script, "d:000001AA c:000001AA");
            assert_int_equal(script.commands, 1);
        }
    }
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
        cmocka_unit_test(own_scenarios),
        cmocka_unit_test(reset_at_any_time),
        cmocka_unit_test(wrong_parity_anywhere),
        cmocka_unit_test(long_ones),
        cmocka_unit_test(ifsc_is_a_limit),
        cmocka_unit_test(first_character_by_the_caller),
        cmocka_unit_test(waiting_times),
        cmocka_unit_test(granted_time),
        cmocka_unit_test(parameters_out_of_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
