/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer to reset of this card (docs/formats.md, "ATR record"): kept twice outside of the
 * store, so that it can be sent before anything else is done, and true.
 */
#include "domain.h"

#include "cos/pps.h"

/* T=0 first, then T=1 (docs/design.md, "ATR"). Historical bytes: category 80; 31: selection by full
 * and partial name; 73: selection by name, path and identifier, short EF identifiers, record
 * numbers and identifiers; EFs of BER-TLV structure, WRITE is OR, one-byte data units; chaining and
 * extended length fields if there are buffers for them, logical channels. */
static const uint8_t default_atr[] = {0x3B, 0x87, 0x80, 0x31, 0xFE, 0x45, 0x80,
                                      0x31, 0xC8, 0x73, 0xF7, 0xC1, 0x00, 0xB1};
enum { ATR_CAPABILITY = 12, ATR_CHECK = 13 };

enum {
    ATR_HEAD = 6,
    ATR_CRC = 4,
    ATR_RECORD_MAX = 48,
    CATEGORY_STATUS = 0x00, /* the last three bytes are the status indicator */
    CATEGORY_OBJECTS = 0x80,
    STATUS = 3, /* life cycle, SW1, SW2 */
    OBJECT_SERVICES = 3,
    OBJECT_CAPABILITIES = 7,
    OBJECT_STATUS = 8,
    CLASSES = 0x3F, /* of TA of T=15 */
    WITHOUT_MF = 0x01,
    ACCESS = 0x0E, /* to EF.DIR and EF.ATR/INFO */
    ACCESS_READ_BINARY = 0x08,
    ACCESS_GET_DATA = 0x04,
    IMPLICIT_SELECTION = 0x08,
    DATA_CODING = 0xC1,
    LENGTHS_IN_INFO = 0x20, /* is true when EF.ATR/INFO has been made: the issuer's to say */
};
static const uint8_t atr_head[5] = {'T', 'C', 'A', 'T', 1};

/* ---- Reading ---- */

/* Reads one copy of the ATR record. Returns the ATR's length, 0 if the copy is no good. */
static size_t read_atr(const struct cos_board *board, uint32_t address,
                       uint8_t record[ATR_RECORD_MAX])
{
    const struct cos_nvm *nvm = board->nvm;
    size_t length;

    if (nvm->read(nvm->context, address, record, ATR_RECORD_MAX) != COS_OK ||
        memcmp(record, atr_head, sizeof atr_head) != 0) {
        return 0;
    }
    length = record[5];
    if (length < 2 || length > COS_ATR_MAX ||
        cos_get32(record + ATR_HEAD + length) != cos_crc32(0, record, ATR_HEAD + length)) {
        return 0;
    }
    return length;
}

size_t cos_app_atr(const struct cos_board *board, const struct cos_app_config *config, uint8_t *atr,
                   size_t capacity)
{
    uint8_t record[ATR_RECORD_MAX];
    const uint8_t *bytes = record + ATR_HEAD;
    size_t length = 0;

    for (uint32_t copy = 0; copy < 2 && length == 0; copy++) {
        length = read_atr(board, config->atr_at + copy * config->store.page_size, record);
    }
    if (length == 0) {
        bytes = default_atr;
        length = sizeof default_atr;
    }
    if (length > capacity) {
        return 0;
    }
    memcpy(atr, bytes, length);
    if (bytes == default_atr) {
        atr[ATR_CAPABILITY] ^= cos_app_capabilities(config);
        atr[ATR_CHECK] ^= cos_app_capabilities(config);
    }
    return length;
}

/* ---- Truth ---- */

/* Interface bytes that the board cannot do. Bits of clock stop and of classes are such of sets, as
 * which cos_atr_read() has let them pass. */
static bool board_can_do(const struct cos_contacts *contacts, const struct cos_atr *atr)
{
    const bool says = (atr->present & COS_ATR_PRESENT(COS_ATR_CLOCK_CLASS)) != 0;
    /* Not there it is 01, class A: a board that has no classes to name need not have that one. */
    const bool known = says || (contacts->clock_class & CLASSES) != 0;
    const unsigned beyond = atr->bytes[COS_ATR_CLOCK_CLASS] & ~(unsigned)contacts->clock_class;

    return cos_pps_can_do(contacts->pairs, atr->bytes[COS_ATR_TA1]) && (!known || beyond == 0) &&
           atr->bytes[COS_ATR_SPU] == 0;
}

/* Life-cycle status byte of the card as a whole, ISO/IEC 7816-4:2013, 7.4.10. */
static uint8_t life_cycle_status(const struct cos_app *app)
{
    switch (app->life_cycle) {
    case COS_LIFE_OPERATIONAL:
        return COS_LCS_ACTIVATED;
    case COS_LIFE_LOCKED:
        return COS_LCS_DEACTIVATED;
    case COS_LIFE_TERMINATED:
        return COS_LCS_TERMINATED;
    default:
        return COS_LCS_INITIALISATION;
    }
}

/* What is wrong without its being a lie: 00 and 0000 say nothing. */
static enum cos_result set_status(const struct cos_app *app, uint8_t *status, size_t length)
{
    const unsigned sw = length == 1 ? 0U : cos_get16(status + length - 2);

    COS_CHECK(length != 0 && length <= STATUS && (sw == 0 || sw == COS_SW_OK), COS_E_DATA);
    if (length != 2 && status[0] != 0) {
        status[0] = life_cycle_status(app);
    }
    return COS_OK;
}

static enum cos_result set_object(const struct cos_app *app, uint8_t tag, uint8_t *value,
                                  size_t length)
{
    unsigned access;

    switch (tag) {
    case OBJECT_SERVICES:
        COS_CHECK(length == 1, COS_E_DATA);
        access = value[0] & ACCESS;
        COS_CHECK((value[0] & WITHOUT_MF) == 0 &&
                      (access == 0 || access == ACCESS_READ_BINARY || access == ACCESS_GET_DATA),
                  COS_E_DATA);
        return COS_OK;
    case OBJECT_CAPABILITIES:
        COS_CHECK(length != 0 && length <= 3 && (value[0] & IMPLICIT_SELECTION) == 0 &&
                      (length == 1 || value[1] == DATA_CODING),
                  COS_E_DATA);
        if (length == 3) {
            value[2] = (uint8_t)((value[2] & LENGTHS_IN_INFO) | cos_app_capabilities(&app->config));
        }
        return COS_OK;
    case OBJECT_STATUS:
        return set_status(app, value, length);
    default:
        return COS_OK; /* the issuer's */
    }
}

/* Historical bytes (ISO/IEC 7816-4:2013, 12.1.1): what this card would not keep is refused, what it
 * knows itself is set. */
static enum cos_result set_historical(const struct cos_app *app, uint8_t *bytes, size_t length)
{
    const size_t status = length != 0 && bytes[0] == CATEGORY_STATUS ? STATUS : 0;

    COS_CHECK(length == 0 || bytes[0] == CATEGORY_OBJECTS || (status != 0 && length > STATUS),
              COS_E_DATA);
    for (size_t at = 1; at + status < length;) {
        const size_t size = bytes[at] & 0x0F;
        const uint8_t tag = bytes[at] >> 4;
        COS_CHECK(at + 1 + size + status <= length, COS_E_DATA);
        COS_TRY(set_object(app, tag, bytes + at + 1, size));
        at += 1 + size;
    }
    return status == 0 ? COS_OK : set_status(app, bytes + length - STATUS, STATUS);
}

/* Where the historical bytes begin, of an ATR that has been read. */
static size_t historical_at(const uint8_t *atr)
{
    uint8_t indicator = atr[1];
    size_t at = 2;

    for (;;) {
        for (unsigned bit = 0x10; bit <= 0x80; bit <<= 1) {
            at += (indicator & bit) != 0 ? 1U : 0;
        }
        if ((indicator & 0x80) == 0) {
            return at;
        }
        indicator = atr[at - 1];
    }
}

/* An ATR that cos_atr_read() took: sets historical bytes and TCK. */
static enum cos_result make_true(const struct cos_app *app, uint8_t *atr, size_t length)
{
    const size_t at = historical_at(atr), count = atr[1] & 0x0F;
    uint8_t check = 0;

    COS_TRY(set_historical(app, atr + at, count));
    if (at + count < length) {
        for (size_t i = 1; i < length - 1; i++) {
            check ^= atr[i];
        }
        atr[length - 1] = check;
    }
    return COS_OK;
}

/* ---- Writing ---- */

static enum cos_result write_record(const struct cos_app *app, uint32_t address,
                                    const uint8_t *record, size_t length)
{
    const struct cos_nvm *nvm = app->board->nvm;
    const uint16_t tear = nvm->geometry.tear_unit;
    const uint16_t unit = nvm->geometry.program_unit;
    uint8_t chunk[COS_STORE_MERGE];
    size_t step = tear < sizeof chunk ? tear : sizeof chunk - sizeof chunk % unit;

    COS_TRY(cos_app_erase_page(app, address));
    for (size_t at = 0; at < length; at += step) {
        size_t run = length - at < step ? length - at : step;
        memset(chunk, nvm->geometry.erased_value, sizeof chunk);
        memcpy(chunk, record + at, run);
        size_t whole = (run + unit - 1) / unit * unit;
        cos_idle(app->board);
        COS_TRY(nvm->program(nvm->context, address + (uint32_t)at, chunk, whole));
    }
    return COS_OK;
}

/* Both copies; the ATR stands in the record already. */
static enum cos_result write_atr(const struct cos_app *app, uint8_t record[ATR_RECORD_MAX],
                                 size_t length)
{
    uint8_t old[ATR_RECORD_MAX];
    const uint32_t second = app->config.atr_at + app->config.store.page_size;

    memcpy(record, atr_head, sizeof atr_head);
    record[5] = (uint8_t)length;
    cos_put32(record + ATR_HEAD + length, cos_crc32(0, record, ATR_HEAD + length));
    /* A card that has an ATR keeps one at any moment: the second copy is made good before the first
     * is touched. */
    size_t old_length = read_atr(app->board, app->config.atr_at, old);
    if (old_length != 0) {
        COS_TRY(write_record(app, second, old, ATR_HEAD + old_length + ATR_CRC));
    }
    COS_TRY(write_record(app, app->config.atr_at, record, ATR_HEAD + length + ATR_CRC));
    return write_record(app, second, record, ATR_HEAD + length + ATR_CRC);
}

enum cos_result cos_app_store_atr(struct cos_app *app, const uint8_t *atr, size_t length)
{
    uint8_t record[ATR_RECORD_MAX];
    struct cos_atr read;

    COS_TRY(cos_atr_read(atr, length, &read));
    COS_CHECK(board_can_do(app->board->contacts, &read), COS_E_DATA);
    memcpy(record + ATR_HEAD, atr, length);
    COS_TRY(make_true(app, record + ATR_HEAD, length));
    return write_atr(app, record, length);
}

enum cos_result cos_app_repair_atr(struct cos_app *app)
{
    uint8_t first[ATR_RECORD_MAX], second[ATR_RECORD_MAX];
    const uint32_t second_at = app->config.atr_at + app->config.store.page_size;
    size_t first_length = read_atr(app->board, app->config.atr_at, first);
    size_t second_length = read_atr(app->board, second_at, second);

    if (first_length == second_length &&
        (first_length == 0 || memcmp(first, second, ATR_HEAD + first_length + ATR_CRC) == 0)) {
        return COS_OK;
    }
    if (first_length != 0) {
        COS_TRY(write_record(app, second_at, first, ATR_HEAD + first_length + ATR_CRC));
        return write_record(app, app->config.atr_at, first, ATR_HEAD + first_length + ATR_CRC);
    }
    return write_record(app, app->config.atr_at, second, ATR_HEAD + second_length + ATR_CRC);
}

void cos_app_keep_atr(struct cos_app *app)
{
    uint8_t record[ATR_RECORD_MAX], before[COS_ATR_MAX];

    /* Without a session it was said in the clear: nothing is erased upon it. */
    if (!app->gate.open || app->atr_life_cycle == app->life_cycle) {
        return;
    }
    app->atr_life_cycle = app->life_cycle;
    const size_t length = read_atr(app->board, app->config.atr_at, record);
    if (length == 0) {
        return;
    }
    memcpy(before, record + ATR_HEAD, length);
    if (make_true(app, record + ATR_HEAD, length) == COS_OK &&
        memcmp(before, record + ATR_HEAD, length) != 0) {
        (void)write_atr(app, record, length); /* tried again at the next start */
    }
}
