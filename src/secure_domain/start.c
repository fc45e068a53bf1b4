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
    FAB_TRANSPORT_TRIES = 10,
};

void cos_go_mute(struct cos_secure *secure, enum cos_secure_verdict verdict)
{
    secure->alive = COS_NO;
    if (secure->verdict == COS_VERDICT_GOOD) {
        secure->verdict = verdict;
    }
    cos_pending_drop(secure);
    cos_status_clear(secure);
    cos_server_close(&secure->gate);
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
    cos_change_add(secure, STATE_SERIAL, fab + FAB_SERIAL, 8);
    cos_change_add(secure, STATE_ROM_DIGEST, fab + FAB_DIGEST, COS_SHA256_SIZE);
    cos_change_add(secure, STATE_CPLC + CPLC_FABRICATOR, fab + FAB_FIELDS, 4);
    cos_change_add(secure, STATE_CPLC + CPLC_OPERATING_SYSTEM, fab + FAB_SYSTEM, 6);
    cos_change_add(secure, STATE_CPLC + CPLC_FABRICATION_DATE, fab + FAB_DATE, 2);
    cos_change_add(secure, STATE_CPLC + CPLC_SERIAL, fab + FAB_SERIAL + 4, 4);
    cos_change_add(secure, STATE_CPLC + CPLC_IC_BATCH, fab + FAB_BATCH, 2);
}

/* The first start: everything that the fab record says goes into the store, in one transaction. */
static enum cos_result take_over(struct cos_secure *secure)
{
    uint8_t fab[FAB_SIZE];
    struct object transport = {
        .index = 0,
        .kind = OBJECT_KEY,
        .number = 1,
        .algorithm = ALGORITHM_AES,
        .usage = USAGE_TRANSPORT,
        .length = 16,
        .use_rule = 0xFF,
        .tries_max = FAB_TRANSPORT_TRIES,
        .tries_left = FAB_TRANSPORT_TRIES,
    };

    COS_TRY(read_fab(secure, fab));
    enum cos_result result =
        cos_drbg_random(&secure->drbg, secure->storage_key, sizeof secure->storage_key);
    if (result == COS_OK) {
        cos_change_start(secure);
        cos_state_add_life_cycle(secure, COS_LIFE_FABRICATED);
        add_production_fields(secure, fab);
        cos_object_add_storage_key(secure, secure->storage_key);
        result = cos_object_put(secure, &transport, fab + FAB_KEY);
    }
    cos_wipe(fab, sizeof fab);
    COS_TRY(result);
    return cos_change_commit(secure);
}

/* The transport key must not stay behind in the clear. */
static enum cos_result erase_fab(const struct cos_secure *secure)
{
    const struct cos_nvm *nvm = secure->board->nvm;
    uint8_t bytes[16];
    bool blank = true;

    for (uint32_t at = 0; at < secure->config.store.page_size && blank; at += sizeof bytes) {
        COS_TRY(nvm->read(nvm->context, secure->config.fab_at + at, bytes, sizeof bytes));
        for (size_t i = 0; i < sizeof bytes; i++) {
            blank = blank && bytes[i] == nvm->geometry.erased_value;
        }
    }
    for (uint32_t at = 0; at < secure->config.store.page_size && !blank;
         at += nvm->geometry.erase_unit) {
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

static enum cos_result open_store(struct cos_secure *secure)
{
    struct cos_store_config store = secure->config.store;

    COS_INVARIANT(store.page_size >= 256); /* the state record needs a page */
    store.scrub_from =
        cos_object_first_secret_page(payload_of(secure->board, &store), secure->config.objects);
    enum cos_result result = cos_store_mount(&secure->store, secure->board->nvm, &store);
    if (result == COS_E_STORE_BLANK) {
        COS_TRY(take_over(secure));
        result = cos_store_settle(&secure->store);
    }
    COS_TRY(result);
    COS_TRY(erase_fab(secure));
    COS_TRY(cos_state_load(secure));
    COS_TRY(cos_object_load_storage_key(secure));
    if (secure->life_cycle == COS_LIFE_TERMINATED) {
        COS_TRY(cos_object_erase_secrets(secure)); /* power may have been cut in between */
        return cos_store_settle(&secure->store);
    }
    return COS_OK;
}

static enum cos_result check_rom(const struct cos_secure *secure)
{
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct cos_span image = {secure->board->rom->image, secure->board->rom->size};
    uint8_t digest[COS_SHA256_SIZE], embedded[COS_SHA256_SIZE];

    COS_TRY(crypto->sha256(crypto->context, &image, 1, digest));
    COS_TRY(cos_state_read(secure, STATE_ROM_DIGEST, embedded, sizeof embedded));
    COS_CHECK(cos_equal_secret(digest, embedded, sizeof digest) == COS_YES, COS_E_SELF_TEST);
    return COS_OK;
}

static enum cos_result fail(struct cos_secure *secure, enum cos_secure_verdict verdict,
                            enum cos_result result)
{
    cos_go_mute(secure, verdict);
    return result;
}

enum cos_result cos_secure_start(struct cos_secure *secure, const struct cos_board *board,
                                 const struct cos_secure_config *config)
{
    static const uint8_t personal[] = {'T', 'w', 'i', 'n', 'C', 'O', 'S'};
    enum cos_result result;

    memset(secure, 0, sizeof *secure);
    secure->board = board;
    secure->config = *config;
    secure->scp03.open = COS_NO;
    secure->alive = COS_NO;
    cos_server_start(&secure->gate, config->crypto, board);
    result = cos_crypto_self_test(config->crypto,
                                  COS_SELF_TEST_AES | COS_SELF_TEST_DES3 | COS_SELF_TEST_SHA256);
    if (result != COS_OK) {
        return fail(secure, COS_VERDICT_SELF_TEST, result);
    }
    result = cos_drbg_start(&secure->drbg, config->crypto, board->entropy,
                            (struct cos_span){personal, sizeof personal});
    if (result != COS_OK) {
        return fail(secure, COS_VERDICT_ENTROPY, result);
    }
    result = open_store(secure);
    if (result != COS_OK) {
        return fail(secure, result == COS_E_STORE_BLANK ? COS_VERDICT_BLANK : COS_VERDICT_STORE,
                    result);
    }
    result = check_rom(secure);
    if (result != COS_OK) {
        return fail(secure, COS_VERDICT_ROM, result);
    }
    if (secure->attacks >= COS_ATTACK_DEAD) {
        return fail(secure, COS_VERDICT_ATTACKED, COS_E_MUTE);
    }
    cos_status_clear(secure);
    secure->alive = COS_YES;
    return COS_OK;
}
