/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzz target: the contacts from reset to reset, over a card that plays with lengths. The input
 * chooses an ATR, or is one, and is then the characters of an interface device: some with wrong
 * parity, some of the card's refused, and time that passes while a command is executed. A model
 * that follows ISO/IEC 7816-3:2006, 6 to 10, character by character, says that
 *  - the ATR is sent as it is, and nothing behind one that is none;
 *  - PPS is answered as its clause says, or not at all;
 *  - with T=0 the card sends procedure bytes, data and status words where they have their place,
 * and executes what was received whole, with right parity, once;
 *  - with T=1 it executes nothing whose last block had not a right EDC;
 *  - after four wrong characters in a row, and after a wrong PPS, it is silent until it is reset;
 *  - nothing is stored behind the buffers.
 * abort() marks what no input may lead to.
 */
#include "contacts_model.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RESPONSE = 300, EDGE = 8, GUARD = 0xE5, STEPS = 5000 };

enum item { HEADER, CHARACTERS, WRONG, REFUSE, DATA, FETCH, PPS, RESET, ITEMS };

/* T=0; T=1, TC1 FF; inverse, with a TCK that may not be; inverse, 512/32; specific mode, T=0; T=0
 * and T=1; the same with TC1 FF. */
static const struct {
    uint8_t length, bytes[16];
} atrs[] = {
    {2, {0x3B, 0x00}},
    {8, {0x3B, 0xC0, 0xFF, 0x81, 0x31, 0x20, 0x45, 0xEA}},
    {4, {0x3F, 0x10, 0x96, 0x00}},
    {3, {0x3F, 0x10, 0x96}},
    {5, {0x3B, 0x90, 0x18, 0x10, 0x00}},
    {7, {0x3B, 0x80, 0x80, 0x31, 0xFE, 0x45, 0x8A}},
    {8, {0x3B, 0xC0, 0xFF, 0x80, 0x31, 0x20, 0x45, 0xEB}},
};
enum { ATRS = sizeof atrs / sizeof atrs[0] };

static struct cos_transport transport;
static uint8_t command_memory[CONTACTS_COMMAND + EDGE], response_memory[RESPONSE + EDGE];

/* ---- The device ---- */

static struct device {
    struct cos_reader *input;
    uint8_t bytes[256]; /* of the item under way */
    size_t length, at;
    unsigned wrong, refuse; /* so many times */
    unsigned wrong_in_a_row, refused_in_a_row, steps;
    uint8_t refused; /* the last character that was */
    uint32_t elapsed;
    bool reset;
} device;

/* ---- The line ---- */

static void next_item(void)
{
    struct cos_reader *input = device.input;
    const uint8_t control = cos_read8(input);
    uint8_t check = 0;

    device.at = device.length = 0;
    switch (control % ITEMS) {
    case HEADER:
        device.length = rig_take(input, device.bytes, 5);
        break;
    case CHARACTERS:
        device.length = rig_take(input, device.bytes, 1 + (control >> 3));
        break;
    case WRONG:
        device.wrong = 1 + (control >> 3) % 4;
        break;
    case REFUSE:
        device.refuse = 1 + (control >> 3) % 4;
        break;
    case DATA: /* what the card waits for */
        device.length = contacts.due < sizeof device.bytes ? contacts.due : sizeof device.bytes;
        memset(device.bytes, control, device.length);
        break;
    case FETCH:
        device.length = 5;
        memcpy(device.bytes, (const uint8_t[]){0x00, 0xC0, 0x00, 0x00, contacts.sw2}, 5);
        break;
    case PPS:
        device.bytes[0] = 0xFF;
        device.length = 2 + rig_take(input, device.bytes + 1, 2);
        for (size_t i = 0; i + 1 < device.length; i++) {
            check ^= device.bytes[i];
        }
        device.bytes[device.length - 1] = check;
        break;
    default:
        device.reset = true;
        break;
    }
}

/* Behind the ATR nothing is left of the life before. */
static void check_wiped(void)
{
    uint8_t left = 0;

    for (size_t i = 0; i < CONTACTS_COMMAND; i++) {
        left |= command_memory[i];
    }
    for (size_t i = 0; i < RESPONSE; i++) {
        left |= response_memory[i];
    }
    rig_must(left == 0, "commands and responses are wiped");
}

static enum cos_result line_receive(void *context, uint8_t *character, uint32_t etus)
{
    (void)context;
    rig_must(contacts.phase != ANSWER && contacts.phase != PROCEDURE &&
                 contacts.phase != OUT_DATA && contacts.phase != STATUS,
             "the card does not wait when something is due");
    if (contacts.phase == FIRST && device.wrong_in_a_row == 0) {
        check_wiped();
    }
    while (!device.reset && device.at == device.length && device.input->length > 0) {
        if (etus != 0 && device.length != 0) {
            device.length = device.at = 0;
            return COS_E_LINE_SILENT;
        }
        next_item();
    }
    if (device.reset || device.at == device.length || device.steps++ > STEPS) {
        device.reset = true;
        return COS_E_LINE_RESET;
    }
    if (device.wrong > 0) {
        device.wrong--;
        device.wrong_in_a_row++;
        device.at += contacts.phase >= BLOCKS ? 1 : 0; /* with T=0 it comes again */
        if (contacts.phase == FIRST && contacts_first_protocol() == 1) {
            contacts.phase = EITHER;
        } else if (device.wrong_in_a_row == 4 && contacts.phase < BLOCKS) {
            contacts.phase = SILENT;
        }
        if (contacts.phase == BLOCKS && contacts.have < CONTACTS_LOG) {
            contacts.log[contacts.have++] = 0xEE; /* what it was nobody knows */
        }
        return COS_E_LINE_PARITY;
    }
    device.wrong_in_a_row = 0;
    *character = device.bytes[device.at++];
    contacts_received(*character);
    return COS_OK;
}

static enum cos_result line_send(void *context, uint8_t character, uint32_t etus)
{
    (void)context;
    if (device.reset) {
        return COS_E_LINE_RESET;
    }
    rig_must(contacts.phase != SILENT, "silence until the next reset");
    rig_must(device.refused_in_a_row == 0 || (character == device.refused && etus >= 13),
             "a character that was refused is repeated");
    if (device.refuse > 0 && contacts.phase < BLOCKS) {
        device.refuse--;
        device.refused = character;
        if (++device.refused_in_a_row == 4) {
            contacts.phase = SILENT;
            device.refused_in_a_row = 0;
        }
        return COS_E_LINE_PARITY;
    }
    device.refused_in_a_row = 0;
    contacts_taken(character);
    return COS_OK;
}

static void line_set(void *context, const struct cos_line_parameters *line)
{
    (void)context;
    rig_must(line->f != 0 && line->d != 0 && line->guard >= 11 && line->guard <= 12,
             "parameters of the tables");
    rig_must(line->inverse == (contacts.atr[0] == 0x3F), "the convention of TS");
    rig_must(line->guard == 12 ||
                 (!line->signals_errors && contacts.read.bytes[COS_ATR_TC1] == 0xFF),
             "11 etu with T=1 and TC1 = FF");
}

static uint32_t line_elapsed(void *context)
{
    (void)context;
    return device.elapsed;
}

static const struct cos_line line = {NULL, line_set, line_send, line_receive, line_elapsed};

/* ---- The card ---- */

static enum cos_t0_direction direction(void *context, const uint8_t header[5])
{
    (void)context;
    rig_must(contacts.phase == PROCEDURE && memcmp(header, contacts.log, 5) == 0,
             "the header that was received");
    return contacts_is_in(header) ? COS_T0_IN : COS_T0_OUT;
}

static void check_command(const uint8_t *apdu, size_t length)
{
    const uint8_t *log = contacts.log;

    rig_must(contacts.phase == PROCEDURE && !contacts.executed && !contacts_fetches(),
             "executed once");
    contacts.executed = true;
    if (contacts_is_envelope(log)) {
        rig_must(length == contacts.gathered + contacts.have - 5 &&
                     memcmp(apdu, contacts.pieces, contacts.gathered) == 0 &&
                     memcmp(apdu + contacts.gathered, log + 5, contacts.have - 5) == 0,
                 "a command in pieces is their sum");
        return;
    }
    const size_t whole = contacts_is_in(log) && log[4] == 0 ? 4 : contacts.have;
    rig_must(contacts_is_in(log) ? contacts.have == 5U + log[4] : contacts.have == 5,
             "all its data are there");
    rig_must(length == whole && memcmp(apdu, log, whole) == 0, "a command is what was received");
}

/* The block that brought the end of a command over T=1. */
static void check_block(void)
{
    const bool lrc = contacts.read.bytes[COS_ATR_EDC] == 0;
    uint8_t sum = 0;

    for (size_t i = 0; i < contacts.have; i++) {
        sum ^= contacts.log[i];
    }
    rig_must(contacts.have >= 4 && (contacts.log[1] & 0x80) == 0, "an I-block ends a command");
    rig_must(contacts.have == contacts.log[2] + (lrc ? 4U : 5U) && (!lrc || sum == 0),
             "a whole one");
}

static size_t execute(void *context, uint8_t *apdu, size_t length, uint8_t *response,
                      size_t capacity)
{
    static const uint16_t words[] = {0x9000, 0x6282, 0x6A82, 0x6110,
                                     0x6000, 0x1234, 0x6700, 0x63C0};
    const bool t1 = contacts.phase >= BLOCKS;

    (void)context;
    rig_must(capacity == RESPONSE, "the buffer");
    if (contacts.phase == BLOCKS) {
        check_block();
    } else if (!t1) {
        check_command(apdu, length);
    }
    const uint8_t choice = length > 3 ? apdu[3] : 0;
    const size_t answered = length > 2 ? (size_t)apdu[2] + (apdu[2] == 0xFF ? 40U : 0U) : 0U;
    for (unsigned i = 0; i < (choice >> 6) && !t1; i++) {
        device.elapsed = choice * 1000U;
        cos_transport_idle(&transport);
    }
    device.elapsed = 0;
    if (choice == 0x3F) {
        return choice & 1; /* no status word */
    }
    memset(response, choice, answered);
    cos_put16(response + answered, words[choice % 8]);
    return answered + 2;
}

static void settle(void *context)
{
    (void)context;
    rig_must(contacts.phase != PROCEDURE || device.reset, "it settles when the response is out");
}

static const struct cos_transport_handler handler = {NULL, execute, direction, settle};

/* ---- Lives ---- */

static void one_life(struct cos_reader *input)
{
    const uint8_t choice = cos_read8(input) % (ATRS + 1);

    device = (struct device){.input = input};
    contacts = (struct contacts){0};
    if (choice == ATRS) {
        contacts.atr_length = rig_take(input, contacts.atr, cos_read8(input) % sizeof contacts.atr);
    } else {
        contacts.atr_length = atrs[choice].length;
        memcpy(contacts.atr, atrs[choice].bytes, contacts.atr_length);
    }
    contacts.is_atr = cos_atr_read(contacts.atr, contacts.atr_length, &contacts.read) == COS_OK;
    contacts.specific = (contacts.read.present & COS_ATR_PRESENT(COS_ATR_TA2)) != 0;
    contacts.phase = contacts.atr_length != 0 ? ANSWER : SILENT;
    rig_must(cos_transport_serve(&transport, &line, &handler,
                                 (struct cos_span){contacts.atr, contacts.atr_length}) ==
                 COS_E_LINE_RESET,
             "until the next reset");
    for (size_t i = 0; i < EDGE; i++) {
        rig_must(command_memory[CONTACTS_COMMAND + i] == GUARD &&
                     response_memory[RESPONSE + i] == GUARD,
                 "nothing is stored behind the buffers");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t pairs[16] = {[1] = 0x031E, [9] = 0x007E};
    struct cos_reader input = cos_reader(data, size);
    const struct cos_transport_config config = {
        .command = command_memory,
        .command_size = CONTACTS_COMMAND,
        .response = response_memory,
        .response_size = RESPONSE,
        .pairs = pairs,
        .one_by_one = (cos_read8(&input) & 1) != 0,
    };

    memset(command_memory, 0, CONTACTS_COMMAND);
    memset(response_memory, 0, RESPONSE);
    memset(command_memory + CONTACTS_COMMAND, GUARD, EDGE);
    memset(response_memory + RESPONSE, GUARD, EDGE);
    cos_transport_start(&transport, &config);
    do {
        one_life(&input);
    } while (input.length > 0);
    return 0;
}
