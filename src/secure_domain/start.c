/* SPDX-License-Identifier: Apache-2.0
 *
 * From power-up to the first frame: self-tests, store, first start with the fab record
 * (docs/formats.md, "Fab records"), state, ROM digest.
 */
#include "domain.h"

enum {
    FAB_SERIAL = 5,
    FAB_KEY = 13,
    FAB_FIELDS = 29,
    FAB_DATE = 33,
    FAB_BATCH = 35,
    FAB_MAC = 37,
    FAB_EMBEDDED = 64,
    FAB_SYSTEM = 68,
    FAB_DIGEST = 74,
    FAB_EMBEDDED_MAC = 106,
    FAB_SIZE = 122,
    FAB_FORMAT = 1,
};

void cos_go_mute(struct cos_secure *secure, enum cos_secure_verdict verdict)
{
    secure->alive = COS_NO;
    if (secure->verdict == COS_VERDICT_GOOD) {
        secure->verdict = verdict;
    }
    cos_pending_drop(secure);
    cos_material_wipe(secure);
    cos_status_clear(secure);
    cos_server_close(&secure->gate);
    cos_server_drop_hello(&secure->gate);
    cos_drbg_wipe(&secure->drbg);
    cos_wipe(secure->storage_key, sizeof secure->storage_key);
}

static enum cos_result check_mac(const struct cos_secure *secure, const uint8_t *fab, size_t from,
                                 size_t mac_at)
{
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct cos_span part = {fab + from, mac_at - from};
    uint8_t mac[COS_AES_BLOCK];

    COS_TRY(crypto->aes_cmac(crypto->context, fab + FAB_KEY, 16, &part, 1, mac));
    COS_CHECK(cos_equal_secret(mac, fab + mac_at, sizeof mac) == COS_YES, COS_E_STORE_BLANK);
    return COS_OK;
}

/* COS_E_STORE_BLANK: there is no complete fab record. */
static enum cos_result read_fab(const struct cos_secure *secure, uint8_t fab[FAB_SIZE])
{
    const struct cos_nvm *nvm = secure->board->nvm;
    static const uint8_t fabricated[5] = {'T', 'C', 'S', 'F', FAB_FORMAT};
    static const uint8_t embedded[4] = {'T', 'C', 'S', 'E'};

    COS_TRY(nvm->read(nvm->context, secure->config.fab_at, fab, FAB_SIZE));
    COS_CHECK(memcmp(fab, fabricated, sizeof fabricated) == 0, COS_E_STORE_BLANK);
    COS_CHECK(memcmp(fab + FAB_EMBEDDED, embedded, sizeof embedded) == 0, COS_E_STORE_BLANK);
    COS_TRY(check_mac(secure, fab, 0, FAB_MAC));
    return check_mac(secure, fab, FAB_EMBEDDED, FAB_EMBEDDED_MAC);
}

static void add_production_fields(struct cos_secure *secure, const uint8_t *fab)
{
    static const struct {
        uint8_t to, from, length;
    } fields[] = {
        {STATE_SERIAL, FAB_SERIAL, 8},
        {STATE_ROM_DIGEST, FAB_DIGEST, COS_SHA256_SIZE},
        {STATE_CPLC + CPLC_FABRICATOR, FAB_FIELDS, 4},
        {STATE_CPLC + CPLC_OPERATING_SYSTEM, FAB_SYSTEM, 6},
        {STATE_CPLC + CPLC_FABRICATION_DATE, FAB_DATE, 2},
        {STATE_CPLC + CPLC_SERIAL, FAB_SERIAL + 4, 4},
        {STATE_CPLC + CPLC_IC_BATCH, FAB_BATCH, 2},
    };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        cos_change_add(secure, fields[i].to, fab + fields[i].from, fields[i].length);
    }
}

enum { LAYOUT = STATE_SIZE - STATE_LAYOUT };

/* The sizes that places in the store follow from. */
static void write_layout(const struct cos_secure_config *config, uint8_t layout[LAYOUT])
{
    cos_put16(layout, config->objects);
    cos_put16(layout + 2, config->vault_files);
    cos_put16(layout + 4, config->vault_size);
}

/* Whether they are those of the first start: with others, secrets would be looked for elsewhere,
 * and content would be wiped as nobody's. */
static enum cos_result check_layout(const struct cos_secure *secure)
{
    uint8_t layout[LAYOUT], first[LAYOUT];

    write_layout(&secure->config, layout);
    COS_TRY(cos_state_read(secure, STATE_LAYOUT, first, sizeof first));
    COS_INVARIANT(memcmp(layout, first, sizeof first) == 0);
    return COS_OK;
}

/* Everything that the fab record says goes into the store, in one transaction. */
static enum cos_result write_first(struct cos_secure *secure, const uint8_t fab[FAB_SIZE])
{
    uint8_t layout[LAYOUT];

    cos_change_start(secure);
    write_layout(&secure->config, layout);
    cos_change_add(secure, STATE_LAYOUT, layout, sizeof layout);
    COS_TRY(cos_drbg_random(&secure->drbg, secure->storage_key, sizeof secure->storage_key));
    cos_object_add_storage_key(secure, secure->storage_key);
    COS_TRY(cos_object_add_transport(secure, 1, fab + FAB_KEY));
    add_production_fields(secure, fab);
    return cos_state_advance(secure, COS_LIFE_FABRICATED);
}

/* The first start. */
static enum cos_result take_over(struct cos_secure *secure)
{
    uint8_t fab[FAB_SIZE];

    enum cos_result result = read_fab(secure, fab);
    if (result == COS_OK) {
        result = write_first(secure, fab);
    }
    cos_wipe(fab, sizeof fab);
    return result;
}

/* The transport key must not stay behind in the clear. */
static enum cos_result erase_fab(const struct cos_secure *secure)
{
    const struct cos_nvm *nvm = secure->board->nvm;
    bool blank = true;

    for (uint32_t at = 0; at < secure->config.store.page_size && blank; at++) {
        uint8_t byte;
        COS_TRY(nvm->read(nvm->context, secure->config.fab_at + at, &byte, 1));
        blank = byte == nvm->geometry.erased_value;
    }
    for (uint32_t at = 0; at < secure->config.store.page_size && !blank;
         at += nvm->geometry.erase_unit) {
        cos_idle(secure->board);
        COS_TRY(nvm->erase(nvm->context, secure->config.fab_at + at));
    }
    return COS_OK;
}

/* Payload bytes of a store page; the store computes the same (docs/formats.md, "Store pages"). */
static uint16_t payload_of(const struct cos_board *board, const struct cos_store_config *store)
{
    uint16_t unit = board->nvm->geometry.program_unit;
    uint16_t mark = (uint16_t)(unit != 0 ? (8U + unit - 1U) / unit * unit : 8U);

    return (uint16_t)(store->page_size - mark - 32U);
}

enum {
    RESERVE_LEAST = 10, /* step 4 writes 7 pages in one transaction */
    OBJECTS_LEAST = 8,
};

/* R-ENC comes with R-MAC. */
static bool scp03_fits(uint8_t options)
{
    return (options & ~(COS_SCP03_S16 | COS_SCP03_PSEUDO_RANDOM | COS_SCP03_R_MAC_ENC)) == 0 &&
           (options & COS_SCP03_R_MAC_ENC) != (COS_SCP03_R_MAC_ENC & ~COS_SCP03_R_MAC);
}

/* Everything must have its place before anything is written. */
static bool config_fits(const struct cos_secure_config *config, uint16_t payload)
{
    return config->store.page_size >= 256 && config->store.reserve >= RESERVE_LEAST &&
           config->store.pages > config->store.reserve && config->objects >= OBJECTS_LEAST &&
           config->objects <= 255 && scp03_fits(config->scp03) &&
           cos_vault_delete_pages(payload, config->vault_files) + COS_STORE_SLACK <=
               config->store.reserve &&
           cos_object_pages(payload, config->objects) +
                   cos_vault_pages(payload, config->vault_files, config->vault_size) <=
               config->store.pages - config->store.reserve;
}

static enum cos_result open_store(struct cos_secure *secure)
{
    enum cos_result result =
        cos_store_mount(&secure->store, secure->board->nvm, &secure->config.store);

    if (result == COS_E_STORE_BLANK) {
        COS_TRY(take_over(secure));
        result = cos_store_settle(&secure->store);
    }
    COS_TRY(result);
    COS_TRY(erase_fab(secure));
    return cos_state_load(secure);
}

static enum cos_result open_secrets(struct cos_secure *secure)
{
    COS_TRY(cos_object_load_storage_key(secure));
    if (secure->life_cycle == COS_LIFE_TERMINATED) {
        COS_TRY(cos_object_erase_secrets(secure)); /* power may have been cut in between */
        return cos_store_settle(&secure->store);
    }
    COS_TRY(cos_application_sweep(secure));
    return cos_content_sweep(secure);
}

static enum cos_result check_rom(const struct cos_secure *secure)
{
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct cos_span image = {secure->board->rom->image, secure->board->rom->size};
    uint8_t digest[COS_SHA256_SIZE], embedded[COS_SHA256_SIZE];

    COS_TRY(crypto->hash(crypto->context, COS_SHA256, &image, 1, digest));
    COS_TRY(cos_state_read(secure, STATE_ROM_DIGEST, embedded, sizeof embedded));
    COS_CHECK(cos_equal_secret(digest, embedded, sizeof digest) == COS_YES, COS_E_SELF_TEST);
    return COS_OK;
}

/* *verdict: what is to be said if this fails. */
static enum cos_result start(struct cos_secure *secure, enum cos_secure_verdict *verdict)
{
    static const uint8_t personal[] = {'T', 'w', 'i', 'n', 'C', 'O', 'S'};
    const struct cos_crypto *crypto = secure->config.crypto;
    const uint16_t payload = payload_of(secure->board, &secure->config.store);

    *verdict = COS_VERDICT_CONFIG;
    COS_INVARIANT(config_fits(&secure->config, payload));
    secure->config.store.board = secure->board;
    secure->config.store.scrub_from = cos_object_first_secret_page(payload, secure->config.objects);
    *verdict = COS_VERDICT_SELF_TEST;
    COS_TRY(
        cos_crypto_self_test(crypto, COS_SELF_TEST_AES | COS_SELF_TEST_SHA256 |
                                         (crypto->des3_encrypt != NULL ? COS_SELF_TEST_DES3 : 0U)));
    *verdict = COS_VERDICT_ENTROPY;
    COS_TRY(cos_drbg_start(&secure->drbg, crypto, secure->board->entropy,
                           (struct cos_span){personal, sizeof personal}));
    *verdict = COS_VERDICT_STORE;
    enum cos_result result = open_store(secure);
    if (result == COS_E_STORE_BLANK) {
        *verdict = COS_VERDICT_BLANK;
    }
    COS_TRY(result);
    *verdict = COS_VERDICT_CONFIG;
    COS_TRY(check_layout(secure));
    *verdict = COS_VERDICT_STORE;
    COS_TRY(open_secrets(secure));
    *verdict = COS_VERDICT_ROM;
    COS_TRY(check_rom(secure));
    *verdict = COS_VERDICT_ATTACKED;
    COS_CHECK(secure->attacks < COS_ATTACK_DEAD, COS_E_MUTE);
    return COS_OK;
}

enum cos_result cos_secure_start(struct cos_secure *secure, const struct cos_board *board,
                                 const struct cos_secure_config *config)
{
    enum cos_secure_verdict verdict;

    memset(secure, 0, sizeof *secure);
    secure->board = board;
    secure->config = *config;
    cos_material_wipe(secure); /* a warm start may have left a key there */
    cos_sessions_close(secure);
    secure->alive = COS_NO;
    cos_server_start(&secure->gate, config->crypto, board);
    enum cos_result result = start(secure, &verdict);
    if (result != COS_OK) {
        cos_go_mute(secure, verdict);
        return result;
    }
    cos_status_clear(secure);
    secure->alive = COS_YES;
    return COS_OK;
}
