/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzz target: T=1 at the card. The input chooses parameters and is then what an interface device
 * sends, good blocks and bad ones, characters with wrong parity, silence, until a reset. A model of
 * ISO/IEC 7816-3:2006, 11, that has its own idea of blocks and numbers, says for each turn of the
 * device what the card has to answer:
 *  - a command is executed when its last block was received whole with a right EDC, once, and it is
 *    what the I-blocks brought in their turn;
 *  - each block of the card is well-formed, in its time, not longer than IFSD, and the one that the
 *    rules ask for: the next part of the response, the same block again, R with the number that it
 *    waits for, the response to an S request, its own S request until that is answered;
 *  - nothing is stored behind the command buffer.
 * abort() marks what no input may lead to.
 */
#include "edc.h"
#include "rig.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAPACITY = 300, GUARD = 0xE5, BLOCK = 3 + 255 + 2, LOG = 2048, RESPONSE = 700, TURNS = 400 };

enum item {
    BLOCK_ANY,
    BLOCK_NEXT = 6, /* the I-block that the card waits for */
    BLOCK_R,        /* R that asks for the card's next block */
    BLOCK_GRANT,    /* the response to the card's S request */
    BLOCK_EDC,      /* its EDC is wrong */
    CHARACTERS,
    CHARACTER_PARITY,
    SILENCE,
    BLOCK_LENGTH, /* its LEN is another one */
    BLOCK_CUT,
    BLOCK_PARITY, /* a character of it has wrong parity */
};

/* ---- The device ---- */

static struct device {
    struct cos_reader *input;
    uint8_t bytes[BLOCK + 4]; /* of the item under way */
    size_t length, at, bad;   /* bad: the character with wrong parity */
    bool over;                /* RST is low */
    unsigned turns;
    /* The turn. */
    uint8_t heard[LOG];
    size_t heard_length;
    bool parity, silent; /* something was wrong, or ended */
    /* The card's. */
    uint8_t said[BLOCK];
    size_t said_length;
} device;

static struct cos_t1 t1;
static struct cos_t1_parameters parameters;
static uint8_t memory[CAPACITY + 16], response[RESPONSE];

/* ---- The model ---- */

static struct model {
    uint8_t expected, next, ifsd, ifsc;
    bool connected;
    uint8_t nad; /* of the card's blocks */
    uint8_t command[4096];
    size_t length; /* what the chain has brought */
    bool chaining; /* of the card: more of the response follows */
    bool owes;     /* its last I-block may be asked for again */
    uint8_t last[BLOCK];
    size_t last_length; /* that block */
    uint8_t request[BLOCK];
    size_t request_length; /* its S request that was not answered; 0: none */
    size_t response_length, sent;
    bool due; /* a command is whole */
    unsigned executed;
} model;

/* Whether the first characters are a block with a right EDC. */
static bool is_block(const uint8_t *bytes, size_t length)
{
    uint8_t edc[2];

    if (length < 3 || length < 3 + bytes[2] + edc_size(parameters.edc)) {
        return false;
    }
    const size_t count = edc_of(parameters.edc, bytes, 3 + bytes[2], edc);
    return memcmp(edc, bytes + 3 + bytes[2], count) == 0;
}

/* A PCB that the standard has, with its length. */
static bool is_valid(const uint8_t *block)
{
    const uint8_t pcb = block[1], length = block[2];

    if (length > model.ifsc) {
        return false;
    }
    if ((pcb & 0x80) == 0) {
        return (pcb & 0x1F) == 0;
    }
    if ((pcb & 0xC0) == 0x80) {
        return (pcb & 0x2C) == 0 && (pcb & 0x03) != 0x03 && length == 0;
    }
    switch (pcb) {
    case 0xC0:
    case 0xE0:
    case 0xC2:
    case 0xE2:
        return length == 0;
    case 0xC1:
    case 0xE1:
        return length == 1 && block[3] != 0x00 && block[3] != 0xFF;
    default:
        return pcb == 0xE3 && length == 1;
    }
}

static bool is_connected(const uint8_t *block)
{
    const uint8_t swapped = (uint8_t)(block[0] << 4 | block[0] >> 4);

    if ((block[0] & 0x88) != 0 || (block[0] != 0 && swapped == block[0])) {
        return false;
    }
    if (!model.connected || block[1] == 0xC0) {
        model.connected = true;
        model.nad = swapped;
    }
    return model.nad == swapped;
}

static void forget(void)
{
    model.length = 0;
    model.chaining = model.owes = model.due = false;
}

/* ---- What the card has to answer ---- */

static bool said_r(int error)
{
    const uint8_t pcb = (uint8_t)(0x80 | model.expected << 4);
    const uint8_t said = device.said[1];

    return device.said[2] == 0 &&
           (error >= 0 ? said == (pcb | error) : (said & 0xFC) == pcb && (said & 3) < 3);
}

static bool said_same(const uint8_t *block, size_t length)
{
    return device.said_length == length && memcmp(device.said, block, length) == 0;
}

/* The response to an S request of the device. */
static bool said_response(const uint8_t *block)
{
    return device.said[1] == (block[1] | 0x20) && device.said[2] == block[2] &&
           (block[2] == 0 || device.said[3] == block[3]);
}

/* The next part of the response. */
static void check_part(void)
{
    const size_t left = model.response_length - model.sent;
    const bool more = (device.said[1] & 0x20) != 0;

    rig_must(device.said[1] == (model.next << 6 | (more ? 0x20 : 0)), "the next I-block");
    rig_must(device.said[2] == (more ? model.ifsd : left) && left >= device.said[2] &&
                 more == (left > model.ifsd),
             "as much as IFSD allows");
    rig_must(memcmp(device.said + 3, response + model.sent, device.said[2]) == 0,
             "of the response");
    model.sent += device.said[2];
    model.next ^= 1;
    model.chaining = more;
    model.owes = true;
    memcpy(model.last, device.said, device.said_length);
    model.last_length = device.said_length;
}

/* S requests of the card, or what is due without one. */
static void check_own(void)
{
    const uint8_t pcb = device.said[1];

    if (pcb == 0xC1 || pcb == 0xC3 || pcb == 0xC2) {
        rig_must(pcb != 0xC2 || parameters.abort_oversize, "ABORT where it is configured");
        memcpy(model.request, device.said, device.said_length);
        model.request_length = device.said_length;
        return;
    }
    if (model.due) {
        model.due = false;
        check_part();
        return;
    }
    rig_must(said_r(0), "R, that more may come"); /* behind an ABORT of its own */
}

static void take_i(const uint8_t *block)
{
    model.expected ^= 1;
    model.owes = false;
    if (model.length + block[2] <= sizeof model.command) {
        memcpy(model.command + model.length, block + 3, block[2]);
        model.length += block[2];
    }
    if ((block[1] & 0x20) == 0) {
        model.length = 0;
        model.due = true;
        check_own();
    } else if (device.said[1] == 0xC2) {
        rig_must(model.length > CAPACITY, "a chain that fits is not aborted");
        model.length = 0;
        check_own();
    } else {
        rig_must(said_r(0), "R for the next part");
    }
}

static void check_good(const uint8_t *block)
{
    const uint8_t pcb = block[1], number = pcb >> ((pcb & 0x80) == 0 ? 6 : 4) & 1;

    if (pcb == 0xC0) {
        rig_must(said_response(block), "RESYNCH is answered");
        forget();
        model.expected = model.next = 0;
        model.ifsd = 32;
        model.ifsc = parameters.ifsc;
        model.request_length = 0;
    } else if (model.request_length != 0) {
        if ((pcb & 0xDF) == (model.request[1] & 0xDF) && (pcb & 0x20) != 0 &&
            (block[2] == 0 || block[3] == model.request[3])) {
            model.request_length = 0;
            model.ifsc = pcb == 0xE1 ? block[3] : model.ifsc;
            check_own();
        } else {
            rig_must(said_same(model.request, model.request_length), "an S request is repeated");
        }
    } else if ((pcb & 0x80) == 0 && number == model.expected && !model.chaining) {
        take_i(block);
    } else if ((pcb & 0xC0) == 0x80) {
        if (model.chaining && number == model.next) {
            check_part();
        } else if (model.owes && number != model.next) {
            rig_must(said_same(model.last, model.last_length), "the last I-block again");
        } else {
            rig_must(said_r(-1), "R, what it waits for");
        }
    } else if (pcb == 0xC1 || pcb == 0xC2) {
        rig_must(said_response(block), "an S request is answered");
        model.ifsd = pcb == 0xC1 ? block[3] : model.ifsd;
        if (pcb == 0xC2) { /* a whole response is no chain */
            const bool whole = model.owes && !model.chaining;
            forget();
            model.owes = whole;
        }
    } else {
        rig_must(said_r(2), "R: what is out of turn");
    }
}

/* The card's block, and what it is the answer to. */
static void check_turn(void)
{
    const size_t length = device.said_length;
    const bool whole = !device.parity && is_block(device.heard, device.heard_length);
    const bool good = whole && is_valid(device.heard) && is_connected(device.heard);

    rig_must(is_block(device.said, length) &&
                 length == 3U + device.said[2] + edc_size(parameters.edc),
             "the card's blocks are whole");
    rig_must(device.said[0] == (model.connected ? model.nad : 0), "NAD of the connection");
    if (device.heard_length == 0 && !device.parity && !device.silent) {
        check_own();
    } else if (good) {
        check_good(device.heard);
    } else if (model.request_length != 0) {
        rig_must(said_same(model.request, model.request_length), "an S request is repeated");
    } else {
        const bool cut = device.heard_length < 3U ||
                         device.heard_length < 3U + device.heard[2] + edc_size(parameters.edc);
        rig_must(said_r(device.parity  ? -1
                        : whole || cut ? 2
                                       : 1) &&
                     !said_r(0),
                 "R, and what was wrong");
    }
    device.said_length = device.heard_length = 0;
    device.parity = device.silent = false;
}

/* ---- What the device sends ---- */

static void write_block(uint8_t pcb, const uint8_t *inf, uint8_t length)
{
    uint8_t *bytes = device.bytes;

    bytes[0] = (uint8_t)(model.nad << 4 | model.nad >> 4);
    bytes[1] = pcb;
    bytes[2] = length;
    if (length != 0) {
        memcpy(bytes + 3, inf, length);
    }
    device.length = 3U + length + edc_of(parameters.edc, bytes, 3U + length, bytes + 3 + length);
}

static void next_item(void)
{
    const uint8_t control = cos_read8(device.input), kind = control & 0x0F;
    uint8_t inf[255], length;

    device.at = 0;
    device.bad = SIZE_MAX;
    device.length = 0;
    switch (kind) {
    case CHARACTERS:
    case CHARACTER_PARITY:
        device.length = rig_take(device.input, device.bytes, 1 + (control >> 4));
        device.bad = kind == CHARACTER_PARITY ? device.length - 1 : SIZE_MAX;
        return;
    case SILENCE:
        return;
    case BLOCK_R:
        write_block((uint8_t)(0x80 | (control & 0x40 ? 0 : model.next << 4) | (control >> 4 & 3)),
                    NULL, 0);
        return;
    case BLOCK_GRANT:
        write_block(model.request[1] | 0x20, model.request + 3, model.request[2] & 1);
        return;
    default:
        break;
    }
    const uint8_t pcb = kind == BLOCK_NEXT
                            ? (uint8_t)(model.expected << 6 | ((control & 0x10) != 0 ? 0x20 : 0))
                            : cos_read8(device.input);
    length = cos_read8(device.input);
    length = (uint8_t)rig_take(device.input, inf, length);
    write_block(pcb, inf, length);
    const uint8_t which = kind >= BLOCK_EDC ? cos_read8(device.input) : 0;
    if (kind < BLOCK_NEXT && (control & 0x40) != 0) {
        device.bytes[0] ^= cos_read8(device.input); /* NAD, and so EDC */
        (void)edc_of(parameters.edc, device.bytes, 3U + length, device.bytes + 3 + length);
    } else if (kind == BLOCK_EDC) {
        device.bytes[device.length - 1] ^= which | 1;
    } else if (kind == BLOCK_LENGTH) {
        device.bytes[2] = which;
    } else if (kind == BLOCK_CUT) {
        device.length -= which % device.length;
    } else if (kind == BLOCK_PARITY) {
        device.bad = which % device.length;
    }
}

/* Whether the item that comes next goes on where the last one ended. */
static bool goes_on(void)
{
    const uint8_t kind = device.input->length > 0 ? device.input->data[0] & 0x0F : SILENCE;

    return kind == CHARACTERS || kind == CHARACTER_PARITY;
}

static enum cos_result line_receive(void *context, uint8_t *character, uint32_t etus)
{
    (void)context;
    if (device.said_length != 0) {
        check_turn();
    }
    if (device.at == device.length && etus != 0 && !device.over && !goes_on()) {
        device.silent = true;
        return COS_E_LINE_SILENT;
    }
    while (device.at == device.length && device.input->length > 0) {
        next_item();
    }
    device.over = device.over || device.at == device.length || device.heard_length == LOG ||
                  device.turns > TURNS;
    if (device.over) {
        return COS_E_LINE_RESET;
    }
    *character = device.bytes[device.at++];
    if (device.at - 1 == device.bad) {
        device.parity = true;
        return COS_E_LINE_PARITY;
    }
    device.heard[device.heard_length++] = *character;
    return COS_OK;
}

static enum cos_result line_send(void *context, uint8_t character, uint32_t etus)
{
    (void)context;
    const bool first = device.said_length == 0 ||
                       (device.said_length >= 3 &&
                        device.said_length == 3U + device.said[2] + edc_size(parameters.edc));

    if (first && device.said_length != 0) {
        check_turn();
    }
    rig_must(etus == (first ? 22U : 0U), "BGT before a block, nothing in it");
    rig_must(device.said_length < BLOCK, "a block has an end");
    device.said[device.said_length++] = character;
    device.turns++;
    return device.over ? COS_E_LINE_RESET : COS_OK;
}

static const struct cos_line line = {.send = line_send, .receive = line_receive};

/* ---- The card ---- */

/* The command that the card has, against what the device sent. The turn that brought it is not
 * over yet: its last block is in the log. */
static void check_command(size_t length, bool too_long)
{
    const uint8_t *block = device.heard;

    rig_must(!device.parity && is_block(block, device.heard_length) && is_valid(block) &&
                 (block[1] & 0xBF) == 0 && (block[1] >> 6) == model.expected &&
                 model.request_length == 0 && !model.chaining,
             "the last block was received whole, and in its turn");
    const size_t whole = model.length + block[2];
    rig_must(too_long == (whole > CAPACITY), "longer than the buffer");
    if (!too_long) {
        rig_must(length == whole && memcmp(memory, model.command, model.length) == 0 &&
                     memcmp(memory + model.length, block + 3, block[2]) == 0,
                 "a command is what was sent");
    }
    model.executed++;
}

static size_t answer(size_t length)
{
    const size_t more = length == 0 ? 0 : (size_t)memory[0] * (length % 4);

    for (size_t i = 0; i < more && i + 2 < RESPONSE; i++) {
        response[i] = (uint8_t)(i * 5 + model.executed);
    }
    model.response_length = (more < RESPONSE - 2 ? more : RESPONSE - 2) + 2;
    cos_put16(response + model.response_length - 2, 0x9000);
    model.sent = 0;
    return model.response_length;
}

static enum cos_result one_command(bool slow)
{
    size_t length = 0;
    const enum cos_result result = cos_t1_receive(&t1, &line, memory, CAPACITY, &length);

    if (result == COS_E_LINE_RESET) {
        return result;
    }
    rig_must(result == COS_OK || result == COS_E_LENGTH, "a command, or one that is too long");
    check_command(length, result == COS_E_LENGTH);
    const size_t answered = answer(result == COS_OK ? length : 0);
    if (slow && length > 1 && (memory[1] & 1) != 0) {
        COS_TRY(cos_t1_extend(&t1, &line, memory[1]));
    }
    return cos_t1_send(&t1, &line, response, answered);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cos_reader input = cos_reader(data, size);
    const uint8_t choice = cos_read8(&input), ifs = cos_read8(&input);

    parameters = (struct cos_t1_parameters){
        .edc = (enum cos_t1_edc)(choice % 3),
        .ifsc = ifs == 0 || ifs == 0xFF ? 254 : ifs,
        .bwi = 4,
        .cwi = 13,
        .f = 372,
        .d = 1,
        .request_ifsc = (choice & 0x10) != 0 ? 254 : 0,
        .abort_oversize = (choice & 0x20) != 0,
    };
    device = (struct device){.input = &input, .bad = SIZE_MAX};
    model = (struct model){.ifsd = 32, .ifsc = parameters.ifsc};
    memset(memory, GUARD, sizeof memory);
    rig_must(cos_t1_start(&t1, &parameters) == COS_OK, "parameters");
    while (one_command((choice & 0x40) != 0) == COS_OK) {
    }
    for (size_t i = CAPACITY; i < sizeof memory; i++) {
        rig_must(memory[i] == GUARD, "nothing is stored behind the buffer");
    }
    return 0;
}
