/* SPDX-License-Identifier: Apache-2.0
 *
 * From power-up to the first command: the app chip's own records (docs/formats.md, "Fab records",
 * "ATR record", "App chip: record"), store, files, session.
 */
#include "domain.h"

enum {
    FAB_SERIAL = 5,
    FAB_KEY = 13,
    FAB_CRC = 29,
    FAB_SIZE = 33,
    FAB_FORMAT = 1,
    RECORD_SIZE = 42,
    RECORD_FORMAT = 1,
    RECORD_GENERATION = 1,
    RECORD_SERIAL = 2,
    RECORD_SECRET = 10,
};

/* ---- Fab record ---- */

static enum cos_result read_fab(const struct cos_app *app, uint8_t fab[FAB_SIZE])
{
    static const uint8_t head[5] = {'T', 'C', 'A', 'F', FAB_FORMAT};
    const struct cos_nvm *nvm = app->board->nvm;

    COS_TRY(nvm->read(nvm->context, app->config.fab_at, fab, FAB_SIZE));
    COS_CHECK(memcmp(fab, head, sizeof head) == 0 &&
                  cos_get32(fab + FAB_CRC) == cos_crc32(0, fab, FAB_CRC),
              COS_E_STORE_BLANK);
    return COS_OK;
}

enum cos_result cos_app_transport_key(const struct cos_app *app, uint8_t key[16])
{
    uint8_t fab[FAB_SIZE];
    enum cos_result result = read_fab(app, fab);

    if (result == COS_OK) {
        memcpy(key, fab + FAB_KEY, 16);
    }
    cos_wipe(fab, sizeof fab);
    return result == COS_E_STORE_BLANK ? COS_E_CONDITIONS : result;
}

static enum cos_result erase_page(const struct cos_app *app, uint32_t address)
{
    const struct cos_nvm *nvm = app->board->nvm;

    for (uint32_t at = 0; at < app->config.store.page_size; at += nvm->geometry.erase_unit) {
        cos_idle(app->board);
        COS_TRY(nvm->erase(nvm->context, address + at));
    }
    return COS_OK;
}

enum cos_result cos_app_erase_fab(const struct cos_app *app)
{
    const struct cos_nvm *nvm = app->board->nvm;
    uint8_t bytes[FAB_SIZE];
    bool blank = true;

    COS_TRY(nvm->read(nvm->context, app->config.fab_at, bytes, sizeof bytes));
    for (size_t i = 0; i < sizeof bytes; i++) {
        blank = blank && bytes[i] == nvm->geometry.erased_value;
    }
    cos_wipe(bytes, sizeof bytes);
    return blank ? COS_OK : erase_page(app, app->config.fab_at);
}

/* ---- Record in the store: generation, serial number, pairing secret ---- */

/* The record has the last logical page to itself, so that superseded copies of the secret are
 * erased. */
static uint32_t record_address(const struct cos_app *app)
{
    return cos_store_size(&app->store) - app->store.payload;
}

enum cos_result cos_app_store_pairing(struct cos_app *app, uint8_t generation,
                                      const uint8_t secret[COS_PAIRING_SECRET])
{
    const struct cos_edit edits[] = {
        {.address = record_address(app) + RECORD_GENERATION, .data = &generation, .length = 1},
        {.address = record_address(app) + RECORD_SECRET,
         .data = secret,
         .length = COS_PAIRING_SECRET},
    };

    COS_TRY(cos_store_commit(&app->store, edits, 2));
    app->pairing_generation = generation;
    return COS_OK;
}

enum cos_result cos_app_hello(struct cos_app *app)
{
    uint8_t secret[COS_PAIRING_SECRET];
    enum cos_result result =
        cos_store_read(&app->store, record_address(app) + RECORD_SECRET, secret, sizeof secret);

    if (result == COS_OK) {
        result = cos_gate_hello(&app->gate, app->pairing_generation, secret);
    }
    cos_wipe(secret, sizeof secret);
    return result;
}

/* ---- ATR ---- */

/* T=1 first, then T=0 (docs/design.md, "ATR"). Historical bytes: category 80; 31: selection by full
 * and partial name; 73: selection by name, path and identifier, short EF identifiers, record
 * numbers and identifiers; EFs of BER-TLV structure, WRITE is OR, one-byte data units; chaining and
 * extended length fields if there are buffers for them, logical channels. */
static const uint8_t default_atr[] = {0x3B, 0x87, 0x81, 0xB1, 0xFE, 0x45, 0x00, 0x80,
                                      0x31, 0xC8, 0x73, 0xF7, 0xC1, 0x00, 0x30};
enum { ATR_CAPABILITY = 13, ATR_CHECK = 14 };

enum { ATR_HEAD = 6, ATR_CRC = 4, ATR_RECORD_MAX = 48 };
static const uint8_t atr_head[5] = {'T', 'C', 'A', 'T', 1};

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

static enum cos_result write_record(const struct cos_app *app, uint32_t address,
                                    const uint8_t *record, size_t length)
{
    const struct cos_nvm *nvm = app->board->nvm;
    const uint16_t tear = nvm->geometry.tear_unit;
    const uint16_t unit = nvm->geometry.program_unit;
    uint8_t chunk[COS_STORE_MERGE];
    size_t step = tear < sizeof chunk ? tear : sizeof chunk - sizeof chunk % unit;

    COS_TRY(erase_page(app, address));
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

enum cos_result cos_app_store_atr(struct cos_app *app, const uint8_t *atr, size_t length)
{
    uint8_t record[ATR_RECORD_MAX], old[ATR_RECORD_MAX];
    const uint32_t second = app->config.atr_at + app->config.store.page_size;
    struct cos_atr read;

    COS_TRY(cos_atr_read(atr, length, &read));
    memcpy(record, atr_head, sizeof atr_head);
    record[5] = (uint8_t)length;
    memcpy(record + ATR_HEAD, atr, length);
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

/* After a power cut the copies may differ, or one may read well today only: what the start answered
 * from is written again. */
static enum cos_result repair_atr(struct cos_app *app)
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

/* ---- Start ---- */

static enum cos_result first_start(struct cos_app *app)
{
    uint8_t fab[FAB_SIZE];
    uint8_t record[RECORD_SIZE] = {RECORD_FORMAT};

    enum cos_result result = read_fab(app, fab);
    memcpy(record + RECORD_SERIAL, fab + FAB_SERIAL, 8);
    cos_wipe(fab, sizeof fab);
    COS_TRY(result);
    const struct cos_edit edit = {
        .address = record_address(app), .data = record, .length = sizeof record};
    return cos_store_commit(&app->store, &edit, 1);
}

static enum cos_result open_files(struct cos_app *app)
{
    const struct cos_fs_config config = {
        .start = 0,
        .size = record_address(app),
        .files = app->config.files,
        .names = app->config.names,
    };
    enum cos_result result = cos_fs_mount(&app->fs, &app->store, &config);

    return result == COS_E_STORE_BLANK ? cos_fs_format(&app->fs) : result;
}

static enum cos_result open_store(struct cos_app *app)
{
    uint8_t head[2];
    enum cos_result result = cos_store_mount(&app->store, app->board->nvm, &app->config.store);

    if (result == COS_E_STORE_BLANK) {
        result = first_start(app);
    }
    COS_TRY(result);
    COS_TRY(open_files(app));
    COS_TRY(cos_store_read(&app->store, record_address(app), head, sizeof head));
    COS_CHECK(head[0] == RECORD_FORMAT, COS_E_STORE_DAMAGED);
    app->pairing_generation = head[RECORD_GENERATION];
    return repair_atr(app);
}

static enum cos_result open_gate(struct cos_app *app)
{
    struct cos_gate_status status;

    COS_TRY(cos_app_refresh(app, &status));
    COS_CHECK(status.verdict == 0, COS_E_MUTE);
    if (status.life_cycle == COS_LIFE_TERMINATED) {
        return COS_OK; /* said in the clear: nothing is erased upon it */
    }
    if (app->pairing_generation == 0) {
        COS_CHECK(status.life_cycle == COS_LIFE_FABRICATED, COS_E_MUTE);
        return COS_OK;
    }
    COS_TRY(cos_app_hello(app));
    COS_TRY(cos_app_refresh(app, &status));
    COS_TRY(cos_app_vault_resolve(app));
    return cos_app_erase_fab(app);
}

enum cos_result cos_app_start(struct cos_app *app, const struct cos_board *board,
                              const struct cos_app_config *config)
{
    struct cos_file_info mf;

    memset(app, 0, sizeof *app);
    app->board = board;
    app->config = *config;
    /* The pairing secret's page, and what edits of the files ask for. */
    app->config.store.scrub_from = (uint16_t)(config->store.pages - config->store.reserve - 1U);
    app->config.store.board = board;
    app->mute = true;
    app->channel = app->channels; /* the basic one, which is always open */
    app->channel->open = true;
    app->channel->df = app->channel->ef = COS_FILE_NONE;
    cos_gate_client_start(&app->gate, config->crypto, board, config->trace);
    cos_response_start(&app->response, config->response, config->response_size);
    cos_chain_start(&app->chain, config->chain, config->chain_size);
    if (config->chain != NULL) {
        cos_wipe(config->chain, config->chain_size); /* a warm start may have left parts there */
    }
    COS_CHECK(config->response_size >= COS_APP_RESPONSE_LEAST, COS_E_MEMORY_FULL);
    COS_TRY(open_store(app));
    COS_TRY(open_gate(app));
    if (app->gate.open && cos_fs_info(&app->fs, COS_FILE_MF, &mf) == COS_OK) {
        COS_TRY(cos_app_set_df(app, COS_FILE_MF));
    }
    app->mute = false;
    cos_app_settle(app);
    return COS_OK;
}

void cos_app_settle(struct cos_app *app)
{
    (void)cos_store_settle(&app->store); /* found again when it matters */
}

enum cos_result cos_app_wear(const struct cos_app *app, struct cos_store_wear *wear)
{
    return cos_store_wear(&app->store, wear);
}
