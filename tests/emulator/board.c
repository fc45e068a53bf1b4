/* SPDX-License-Identifier: Apache-2.0 */
#include "board.h"

#include "traps.h"

#include <stdio.h>
#include <stdlib.h>

enum { CHUNK = 1024, CLOCK = 372 };

static const char *const names[] = {
    [0] = "reset",
    [TRAP_NVM_READ] = "nvm.read",
    [TRAP_NVM_PROGRAM] = "nvm.program",
    [TRAP_NVM_ERASE] = "nvm.erase",
    [TRAP_LINK_SEND] = "link.send",
    [TRAP_LINK_RECEIVE] = "link.receive",
    [TRAP_ENTROPY_READ] = "entropy.read",
    [TRAP_CONTACTS_TEST] = "contacts.test",
    [TRAP_LINE_SET] = "line.set",
    [TRAP_LINE_SEND] = "line.send",
    [TRAP_LINE_RECEIVE] = "line.receive",
    [TRAP_LINE_ELAPSED] = "line.elapsed",
    [TRAP_AES_ENCRYPT] = "AES engine",
    [TRAP_STARTED] = "start",
};

const char *board_trap_name(unsigned trap)
{
    return trap < sizeof names / sizeof names[0] ? names[trap] : "?";
}

static void must(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "emulator: %s\n", what);
        exit(1);
    }
}

/* ---- The port's functions: arguments are those of cos/port.h ---- */

static size_t chunk(uint32_t length)
{
    must(length <= CHUNK, "a buffer that is too long");
    return length;
}

static enum cos_result nvm_read(struct board *board, const uint32_t *arguments)
{
    const struct cos_nvm *nvm = &board->bench->app_nvm.nvm;
    const size_t length = chunk(arguments[3]);
    uint8_t data[CHUNK];

    COS_TRY(nvm->read(nvm->context, arguments[1], data, length));
    chip_write(&board->chip, arguments[2], data, length);
    return COS_OK;
}

static enum cos_result nvm_program(struct board *board, const uint32_t *arguments)
{
    const struct cos_nvm *nvm = &board->bench->app_nvm.nvm;
    const size_t length = chunk(arguments[3]);
    uint8_t data[CHUNK];

    chip_read(&board->chip, arguments[2], data, length);
    return nvm->program(nvm->context, arguments[1], data, length);
}

static enum cos_result nvm_erase(struct board *board, const uint32_t *arguments)
{
    const struct cos_nvm *nvm = &board->bench->app_nvm.nvm;

    return nvm->erase(nvm->context, arguments[1]);
}

static enum cos_result link_send(struct board *board, const uint32_t *arguments)
{
    const struct cos_link *link = &board->bench->app_link;
    const size_t length = chunk(arguments[2]);
    uint8_t frame[CHUNK];

    chip_read(&board->chip, arguments[1], frame, length);
    return link->send(link->context, frame, length);
}

static enum cos_result link_receive(struct board *board, const uint32_t *arguments)
{
    const struct cos_link *link = &board->bench->app_link;
    const size_t capacity = chunk(arguments[2]);
    uint8_t frame[CHUNK];
    size_t length;

    COS_TRY(link->receive(link->context, frame, capacity, &length, arguments[4]));
    const uint32_t there = (uint32_t)length;
    chip_write(&board->chip, arguments[1], frame, length < capacity ? length : capacity);
    chip_write(&board->chip, arguments[3], &there, sizeof there);
    return COS_OK;
}

static enum cos_result entropy_read(struct board *board, const uint32_t *arguments)
{
    const struct cos_entropy *entropy = &board->bench->app_entropy;
    const size_t length = chunk(arguments[2]);
    uint8_t data[CHUNK];

    COS_TRY(entropy->read(entropy->context, data, length));
    chip_write(&board->chip, arguments[1], data, length);
    return COS_OK;
}

static enum cos_result contacts_test(struct board *board, const uint32_t *arguments)
{
    const struct cos_contacts *contacts = board->bench->app_board.contacts;
    uint8_t working;

    COS_TRY(contacts->test(contacts->context, &working));
    chip_write(&board->chip, arguments[1], &working, 1);
    return COS_OK;
}

static enum cos_result aes_encrypt(struct board *board, const uint32_t *arguments)
{
    const struct cos_crypto *crypto = &cos_crypto_tomcrypt;
    uint8_t key[COS_AES_KEY_MAX], block[COS_AES_BLOCK];

    must(arguments[2] <= sizeof key, "a key that is too long");
    board->cost->aes_blocks++;
    chip_read(&board->chip, arguments[1], key, arguments[2]);
    chip_read(&board->chip, arguments[3], block, sizeof block);
    COS_TRY(crypto->aes_encrypt(crypto->context, key, arguments[2], block, block));
    chip_write(&board->chip, arguments[4], block, sizeof block);
    return COS_OK;
}

/* ---- Contacts ---- */

static void raise(uint64_t *most, uint64_t value)
{
    *most = value > *most ? value : *most;
}

/* The clock of the contacts gets as far as the chip has. */
static void spend(struct board *board)
{
    const uint64_t now = board->chip.instructions * board->half_cycles / (UINT64_C(2) * CLOCK);

    if (now > board->spent) {
        device_spend(&board->device, (uint32_t)(now - board->spent));
    }
    board->spent = now;
}

static void pass(struct board *board, bool received)
{
    struct board_cost *cost = board->cost;

    cost->last_edge = device_edge(&board->device);
    cost->first_edge = cost->received + cost->sent == 0 ? cost->last_edge : cost->first_edge;
    *(received ? &cost->received : &cost->sent) += 1;
    board->any = true;
    board->turned = received;
    board->received_at = received ? board->chip.instructions : board->received_at;
    board->character_at = board->idle_at = board->chip.instructions;
}

static enum cos_result line_send(struct board *board, const uint32_t *arguments)
{
    const struct cos_line *line = &board->device.line;
    const uint64_t run = board->chip.instructions - board->character_at;
    struct board_cost *cost = board->cost;

    if (board->over) {
        board->sent_again = board->chip.instructions - board->reset_at;
        chip_stop(&board->chip);
        return COS_E_LINE_RESET;
    }
    if (!board->any) {
        board->first_sent = board->chip.instructions;
    } else if (board->turned) {
        cost->turned += run;
    } else {
        raise(&cost->between_sent, run);
    }
    raise(&cost->without_idle, board->chip.instructions - board->idle_at);
    COS_TRY(line->send(line->context, (uint8_t)arguments[1], arguments[2]));
    pass(board, false);
    return COS_OK;
}

static enum cos_result line_receive(struct board *board, const uint32_t *arguments)
{
    const struct cos_line *line = &board->device.line;
    const uint64_t run = board->chip.instructions - board->character_at;
    uint8_t character;

    if (board->turned) {
        raise(&board->cost->between_received, run);
    } else {
        board->cost->settled = run;
    }
    const enum cos_result result = line->receive(line->context, &character, arguments[2]);
    if (result == COS_E_LINE_RESET) {
        board->over = true;
        board->reset_at = board->chip.instructions;
    }
    COS_TRY(result);
    pass(board, true);
    chip_write(&board->chip, arguments[1], &character, 1);
    return COS_OK;
}

static void line_set(struct board *board, const uint32_t *arguments)
{
    const struct cos_line *line = &board->device.line;
    struct cos_line_parameters parameters; /* laid out alike on both machines */

    chip_read(&board->chip, arguments[1], &parameters, sizeof parameters);
    line->set(line->context, &parameters);
}

static uint32_t line_elapsed(struct board *board)
{
    const struct cos_line *line = &board->device.line;

    raise(&board->cost->without_idle, board->chip.instructions - board->idle_at);
    board->idle_at = board->chip.instructions;
    return line->elapsed(line->context);
}

/* ---- Traps ---- */

static uint32_t execute(struct board *board, unsigned trap, const uint32_t arguments[5])
{
    switch (trap) {
    case TRAP_NVM_READ:
        return (uint32_t)nvm_read(board, arguments);
    case TRAP_NVM_PROGRAM:
        return (uint32_t)nvm_program(board, arguments);
    case TRAP_NVM_ERASE:
        return (uint32_t)nvm_erase(board, arguments);
    case TRAP_LINK_SEND:
        return (uint32_t)link_send(board, arguments);
    case TRAP_LINK_RECEIVE:
        return (uint32_t)link_receive(board, arguments);
    case TRAP_ENTROPY_READ:
        return (uint32_t)entropy_read(board, arguments);
    case TRAP_CONTACTS_TEST:
        return (uint32_t)contacts_test(board, arguments);
    case TRAP_LINE_SET:
        line_set(board, arguments);
        return 0;
    case TRAP_LINE_SEND:
        return (uint32_t)line_send(board, arguments);
    case TRAP_LINE_RECEIVE:
        return (uint32_t)line_receive(board, arguments);
    case TRAP_LINE_ELAPSED:
        return line_elapsed(board);
    case TRAP_AES_ENCRYPT:
        return (uint32_t)aes_encrypt(board, arguments);
    case TRAP_STARTED:
        board->started = board->chip.instructions - board->received_at;
        board->start_result = (enum cos_result)arguments[0];
        return 0;
    default:
        must(false, "an unknown trap");
        return 0;
    }
}

static uint32_t trap(struct chip *chip, unsigned number, const uint32_t arguments[5])
{
    struct board *board = chip->context;
    const uint64_t run = chip->instructions - board->last_at;

    if (run > board->cost->gap.instructions) {
        board->cost->gap = (struct board_gap){run, board->last, number};
    }
    board->last = number;
    board->last_at = chip->instructions;
    spend(board);
    return execute(board, number, arguments);
}

static void begin(void *context, size_t command)
{
    struct board *board = context;

    board->cost = &board->costs[command];
}

static void end(void *context, size_t command, const uint8_t *response, size_t length)
{
    struct board *board = context;

    if (length >= 2) {
        board->costs[command].data = length - 2;
        board->costs[command].sw = cos_get16(response + length - 2);
    }
}

void board_run(struct board *board)
{
    board->device.context = board;
    board->device.begin = begin;
    board->device.end = end;
    board->chip.trap = trap;
    board->chip.context = board;
    board->cost = &board->before;
    board->before = (struct board_cost){0};
    board->spent = board->last_at = board->idle_at = 0;
    board->last = 0;
    board->any = board->turned = board->over = false;
    chip_run(&board->chip);
}
