/* SPDX-License-Identifier: Apache-2.0 */
#include "gate_cells.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define NO   COS_GATE_SESSION_NO
#define YES  COS_GATE_SESSION_YES
#define BOTH COS_GATE_SESSION_BOTH
const struct gate_row gate_rows[] = {
#define ROW(name, opcode, smallest, largest, response, states, session, served)                    \
    {#name, opcode, smallest, largest, response, states, session, served},
    COS_GATE_CALLS(ROW)
#undef ROW
};
const size_t gate_rows_count = COUNT(gate_rows);

const struct gate_row *gate_row_of(unsigned opcode)
{
    for (size_t i = 0; i < COUNT(gate_rows); i++) {
        if (gate_rows[i].opcode == opcode) {
            return &gate_rows[i];
        }
    }
    return NULL;
}

static const struct {
    unsigned opcode, operation, states;
} operations[] = {
#define OPERATION(call, operation, states) {COS_GATE_##call, operation, states},
    COS_GATE_OPERATIONS(OPERATION)
#undef OPERATION
};

size_t gate_operations_of(unsigned opcode, uint8_t numbers[16])
{
    size_t count = 0;

    for (size_t i = 0; i < COUNT(operations); i++) {
        if (operations[i].opcode == opcode) {
            numbers[count++] = (uint8_t)operations[i].operation;
        }
    }
    return count;
}

/* ---- Requests ---- */

enum { PACK = 3, PRODUCE = 4 }; /* production steps */

/* The step whose turn it is. */
static unsigned step_of(enum cos_life_cycle state)
{
    return (unsigned)state - COS_LIFE_FABRICATED + PACK;
}

/* What stands behind the operation. */
static const struct {
    unsigned opcode, operation; /* operation 0: whatever it is, and there it stands */
    uint8_t head[9];
} heads[] = {
    {COS_GATE_HELLO, COS_HELLO_BEGIN, {0x01}},
    {COS_GATE_CONTEXT, COS_CONTEXT_BIND, {0x00, 'N', 'A', 'M', 'E'}},
    {COS_GATE_CONTEXT, COS_CONTEXT_FIND, {0x00, 'N', 'A', 'M', 'E'}},
    {COS_GATE_ACCESS, 0, {0x9E, 0x01, 0x91}},
    {COS_GATE_PIN, 0, {0x00, 0x81, 0x00, '0', '0'}},
    {COS_GATE_CHALLENGE, 0, {0x08}},
    {COS_GATE_AUTH, COS_AUTH_INTERNAL, {0x00, 0x00, 0x82}},
    {COS_GATE_AUTH, COS_AUTH_EXTERNAL, {0x00, 0x00, 0x83}},
    {COS_GATE_AUTH, COS_AUTH_SCP03_BEGIN, {0x00, 0x00}},
    {COS_GATE_AUTH, COS_AUTH_SCP03_FINISH, {0x00, 0x01}},
    {COS_GATE_AUTH, COS_AUTH_GENERAL, {0x00, 0x00, 0x82, 0x7C, 0x14, 0x82, 0x00, 0x81, 0x10}},
    {COS_GATE_KEY, COS_KEY_ATTRIBUTES, {0x00, 0x00, 0xE0}},
    {COS_GATE_KEY, COS_KEY_DELETE, {0x00, 0x82, 0x00}},
    {COS_GATE_KEY, COS_KEY_GENERATE, {0x00, 0x82}},
    {COS_GATE_KEY, COS_KEY_PUBLIC, {0x00, 0x82}},
    {COS_GATE_CRYPT, COS_CRYPT_PSO, {0x00, 0x9E, 0x9A}},
    {COS_GATE_SE, COS_SE_SET, {0x00, 0xC1, 0xB6, 0x80, 0x01}},
    {COS_GATE_SE, COS_SE_STORE, {0x00, 0x01}},
    {COS_GATE_SE, COS_SE_ERASE, {0x00, 0x01}},
    {COS_GATE_SM_OPEN, 0, {0x84, 0xB0, 0x00, 0x00}},
    {COS_GATE_SM_SEAL, 0, {0x90, 0x00}},
    {COS_GATE_VAULT, COS_VAULT_STATUS_SET, {0x00, 0x00, 0x01, 0x05}},
    {COS_GATE_VAULT, COS_VAULT_ASK, {0x00, 0x00, 0x01, 0x01}},
    {COS_GATE_VAULT, 0, {0x00, 0x00, 0x01}},
    {COS_GATE_LIFE, COS_LIFE_SET, {0x00, 0x0F}},
};

static bool has_operations(unsigned opcode)
{
    uint8_t numbers[16];

    return gate_operations_of(opcode, numbers) != 0;
}

int gate_cell_channel_at(const struct gate_cell *cell)
{
    switch (cell->opcode) {
    case COS_GATE_ACCESS:
    case COS_GATE_CHALLENGE:
    case COS_GATE_SM_OPEN:
    case COS_GATE_SM_SEAL:
        return 0;
    case COS_GATE_LIFE:
        return cell->operation == COS_LIFE_RECORD || cell->operation == COS_LIFE_SET ? 1 : -1;
    default:
        return has_operations(cell->opcode) && cell->opcode != COS_GATE_HELLO ? 1 : -1;
    }
}

void gate_cell_fill(const struct gate_cell *cell, uint8_t *message)
{
    memset(message, 0, COS_GATE_MESSAGE_MAX);
    message[0] = (uint8_t)(has_operations(cell->opcode) ? cell->operation : 0);
    for (size_t i = 0; i < COUNT(heads); i++) {
        if (heads[i].opcode == cell->opcode &&
            (heads[i].operation == 0 || heads[i].operation == cell->operation)) {
            memcpy(message + 1, heads[i].head, sizeof heads[i].head);
            break;
        }
    }
    if (cell->opcode == COS_GATE_LIFE && cell->operation <= COS_LIFE_STEP) {
        message[1] = (uint8_t)step_of(cell->state);
    }
    const int at = gate_cell_channel_at(cell);
    if (at >= 0) {
        message[at] = (uint8_t)cell->channel;
    }
    if (cell->opcode == COS_GATE_SM_OPEN) {
        message[1] |= cell->channel & 0x03; /* CLA */
    }
    if (cell->opcode == COS_GATE_SM_OPEN && cell->length > 6) {
        message[5] = (uint8_t)(cell->length - 6 < 255 ? cell->length - 6 : 255); /* Lc */
    }
}

/* ---- What the handlers answer to them ---- */

static struct gate_outcome answered(int result, size_t body)
{
    return (struct gate_outcome){.executed = true, .result = result, .body = body};
}

static struct gate_outcome refused(int result)
{
    return answered(result, 0);
}

/* What the operation answers if the request has the length that it must have. */
static struct gate_outcome with_length(const struct gate_cell *cell, size_t length, int result,
                                       size_t body)
{
    return cell->length == length ? answered(result, body) : refused(COS_E_GATE_FORMAT);
}

static struct gate_outcome with_at_least(const struct gate_cell *cell, size_t length, int result)
{
    return refused(cell->length >= length ? result : COS_E_GATE_FORMAT);
}

/* PINs and keys come with personalization, and are those of the application. */
static bool has_objects(const struct gate_cell *cell)
{
    return cell->state >= COS_LIFE_PERSONALIZED && cell->channel == 0;
}

/* There is no HELLO that was begun; the first pairing secret is made by the packing step. */
static struct gate_outcome hello(const struct gate_cell *cell)
{
    const bool paired = cell->state != COS_LIFE_FABRICATED;

    if (cell->operation == COS_HELLO_BEGIN) {
        return with_length(cell, 18, paired ? COS_OK : COS_E_GATE_SESSION, paired ? 24 : 0);
    }
    return with_length(cell, 9, COS_E_GATE_SESSION, 0);
}

/* Nobody has the name. */
static struct gate_outcome context(const struct gate_cell *cell)
{
    switch (cell->operation) {
    case COS_CONTEXT_REGISTER:
        return refused(COS_E_SECURITY_STATUS);
    case COS_CONTEXT_DROP:
    case COS_CONTEXT_CLOSE:
        return with_length(cell, 2, COS_OK, 1);
    default:
        return cell->length <= 2 + 16 ? answered(COS_OK, 1) : refused(COS_E_DATA);
    }
}

/* PIN 81: 4 to 12 bytes; three tries; resetting code of 8 with five; set anew never, reset under
 * secure messaging, not to be disabled. */
static struct gate_outcome pin(const struct gate_cell *cell)
{
    const size_t data = cell->length - 4;

    if (!has_objects(cell)) {
        return refused(COS_E_REFERENCE_NOT_FOUND);
    }
    switch (cell->operation) {
    case COS_PIN_VERIFY:
        return refused(data < 4 || data > 12 ? COS_E_LENGTH : cos_tries_left(2));
    case COS_PIN_QUERY:
        return with_length(cell, 4, cos_tries_left(3), 0);
    case COS_PIN_DROP:
        return with_length(cell, 4, COS_OK, 0);
    case COS_PIN_CHANGE:
        return refused(data < 2 ? COS_E_LENGTH : cos_tries_left(2));
    case COS_PIN_UNBLOCK:
        if (data < 8) {
            return refused(COS_E_LENGTH);
        }
        return refused(data < 12 || data > 20 ? COS_E_DATA : cos_tries_left(4));
    case COS_PIN_UNBLOCK_ONLY:
        return refused(data == 8 ? cos_tries_left(4) : COS_E_LENGTH);
    case COS_PIN_CHANGE_ONLY:
    case COS_PIN_RESET:
    case COS_PIN_RESET_ONLY:
        return refused(COS_E_SECURITY_STATUS);
    default: /* DISABLE and ENABLE */
        return refused(COS_E_CONDITIONS);
    }
}

/* Keys 82 and 83 of the application: AES, internal and external. */
static struct gate_outcome auth(const struct gate_cell *cell)
{
    if (cell->operation == COS_AUTH_SCP03_BEGIN) {
        if (cell->length == 3 + 16) {
            return refused(COS_E_LENGTH); /* these cards have mode S8 */
        }
        return with_length(cell, 3 + 8, COS_OK, 32);
    }
    if (cell->operation == COS_AUTH_SCP03_FINISH) {
        return refused(COS_E_CONDITIONS);
    }
    if (!has_objects(cell)) {
        return refused(COS_E_REFERENCE_NOT_FOUND);
    }
    switch (cell->operation) {
    case COS_AUTH_INTERNAL:
        return cell->length == 4 + 16 ? answered(COS_OK, 16) : refused(COS_E_LENGTH);
    case COS_AUTH_EXTERNAL:
        return refused(cell->length == 4 + 16 ? COS_E_CONDITIONS : COS_E_LENGTH);
    default: /* GENERAL: 82 empty, 81 challenge; answers 82 */
        return cell->length == 4 + 22 ? answered(COS_OK, 20) : refused(COS_E_DATA);
    }
}

/* Key 82 is no pair. */
static struct gate_outcome key(const struct gate_cell *cell)
{
    switch (cell->operation) {
    case COS_KEY_PUT:
    case COS_KEY_STORE:
        return with_length(cell, 2, COS_E_SECURITY_STATUS, 0);
    case COS_KEY_ATTRIBUTES:
        return with_length(cell, 4, COS_OK, 20);
    case COS_KEY_DELETE:
        return with_length(cell, 4, COS_E_SECURITY_STATUS, 0);
    default: /* GENERATE, PUBLIC */
        return with_length(cell, 3,
                           has_objects(cell) ? COS_E_CONDITIONS : COS_E_REFERENCE_NOT_FOUND, 0);
    }
}

/* SET: a data object 80 of one byte, and bytes 00 behind it, which may stand there. */
static struct gate_outcome environment(const struct gate_cell *cell)
{
    switch (cell->operation) {
    case COS_SE_SET:
        return refused(cell->length == 3                        ? COS_E_GATE_FORMAT
                       : cell->length == 5 || cell->length == 6 ? COS_E_DATA
                                                                : COS_OK);
    case COS_SE_RESTORE: /* 0, the empty one */
        return with_length(cell, 3, COS_OK, 0);
    default:
        return with_length(cell, 3, COS_E_SECURITY_STATUS, 0);
    }
}

static struct gate_outcome sm_open(const struct gate_cell *cell)
{
    const size_t apdu = cell->length - 1;

    if (apdu > 4 + 1 + COS_SM_MAX + 1) {
        return refused(COS_E_LENGTH);
    }
    if (cell->channel > 3) {
        return refused(COS_E_SECURE_MESSAGING); /* only the header of 0X can be authenticated */
    }
    return refused(apdu <= 5 ? COS_E_SM_MISSING : COS_E_SECURITY_STATUS);
}

/* There is no vault file. */
static struct gate_outcome vault(const struct gate_cell *cell)
{
    const size_t numbers = cell->length - 7;

    switch (cell->operation) {
    case COS_VAULT_CREATE:
        return with_length(cell, 8, COS_E_SECURITY_STATUS, 0);
    case COS_VAULT_DELETE: /* of no application */
        return refused(cell->length > 7 && numbers % 2 == 0 && numbers <= 32
                           ? COS_E_REFERENCE_NOT_FOUND
                           : COS_E_GATE_FORMAT);
    case COS_VAULT_READ:
        return with_length(cell, 8, COS_E_REFERENCE_NOT_FOUND, 0);
    case COS_VAULT_UPDATE:
        return with_at_least(cell, 8, COS_E_REFERENCE_NOT_FOUND);
    case COS_VAULT_WRITE:
        return with_at_least(cell, 7, COS_E_REFERENCE_NOT_FOUND);
    case COS_VAULT_INFO:
        return with_length(cell, 4, COS_E_REFERENCE_NOT_FOUND, 0);
    default: /* STATUS_SET, ASK */
        return with_length(cell, 5, COS_E_REFERENCE_NOT_FOUND, 0);
    }
}

/* Step, contacts, frames, and then: steps 3 and 4 a token for a challenge, of which there is none;
 * 5 and 6 are for the issuer. */
static struct gate_outcome step(const struct gate_cell *cell)
{
    const size_t token = (step_of(cell->state) == PACK ? 36U : 80U) + COS_CCM_TAG;

    if (cell->length < 4) {
        return refused(COS_E_GATE_FORMAT);
    }
    if (step_of(cell->state) > PRODUCE) {
        return refused(COS_E_SECURITY_STATUS);
    }
    return refused(cell->length == 4 + token ? COS_E_CONDITIONS : COS_E_LENGTH);
}

static struct gate_outcome life(const struct gate_cell *cell)
{
    switch (cell->operation) {
    case COS_LIFE_CHALLENGE:
        return with_length(cell, 2, COS_OK, 16);
    case COS_LIFE_STEP:
        return step(cell);
    case COS_LIFE_RECORD:
        return with_length(cell, 2, COS_OK, 117);
    default: /* SET */
        return with_length(cell, 3, COS_E_SECURITY_STATUS, 0);
    }
}

static struct gate_outcome served(const struct gate_cell *cell)
{
    switch (cell->opcode) {
    case COS_GATE_STATUS:
        return answered(COS_OK, 21);
    case COS_GATE_HELLO:
        return hello(cell);
    case COS_GATE_CONTEXT:
        return context(cell);
    case COS_GATE_ACCESS:
        return answered(COS_OK, 4);
    case COS_GATE_PIN:
        return pin(cell);
    case COS_GATE_CHALLENGE:
        return answered(COS_OK, 8);
    case COS_GATE_AUTH:
        return auth(cell);
    case COS_GATE_KEY:
        return key(cell);
    case COS_GATE_SE:
        return environment(cell);
    case COS_GATE_SM_OPEN:
        return sm_open(cell);
    case COS_GATE_VAULT:
        return vault(cell);
    case COS_GATE_LIFE:
        return life(cell);
    default: /* CRYPT: the environment names no key; SM_SEAL: nothing is open */
        return refused(COS_E_CONDITIONS);
    }
}

/* ---- What is refused before ---- */

/* COS_OK: the call has this operation in this state, or it has none. */
static int check_operation(const struct gate_cell *cell)
{
    for (size_t i = 0; i < COUNT(operations); i++) {
        if (operations[i].opcode == cell->opcode && operations[i].operation == cell->operation) {
            return (operations[i].states & COS_LIFE_BIT(cell->state)) != 0 ? COS_OK
                                                                           : COS_E_CONDITIONS;
        }
    }
    return has_operations(cell->opcode) ? COS_E_GATE_FORMAT : COS_OK;
}

static int check(const struct gate_cell *cell, const struct gate_row *row)
{
    if (row == NULL || (cell->sealed && row->session == NO)) {
        return COS_E_GATE_FORMAT;
    }
    if (!cell->sealed && row->session == YES) {
        return COS_E_GATE_SESSION;
    }
    if (!row->served) {
        return COS_E_NOT_SERVED;
    }
    if (cell->length < row->smallest || cell->length > row->largest) {
        return COS_E_GATE_FORMAT;
    }
    if ((row->states & COS_LIFE_BIT(cell->state)) == 0) {
        return COS_E_GATE_STATE;
    }
    if (row->opcode == COS_GATE_LIFE && !cell->sealed && cell->state != COS_LIFE_FABRICATED) {
        return COS_E_GATE_SESSION;
    }
    return check_operation(cell);
}

struct gate_outcome gate_cell_outcome(const struct gate_cell *cell)
{
    if (cell->sealed && cell->state == COS_LIFE_FABRICATED) {
        return (struct gate_outcome){.silent = true}; /* there is no session */
    }
    const struct gate_row *row = gate_row_of(cell->opcode);
    const int at = gate_cell_channel_at(cell);
    int result = check(cell, row);
    if (result == COS_OK && at >= 0 && cell->length > (size_t)at && cell->channel >= COS_CHANNELS) {
        result = COS_E_GATE_FORMAT;
    }
    if (result != COS_OK) {
        return (struct gate_outcome){.result = result};
    }
    return served(cell);
}
