/* SPDX-License-Identifier: Apache-2.0
 *
 * The state record: life cycle, production record, attack counter (docs/formats.md, "Security chip:
 * state record").
 */
#include "domain.h"

enum { STATE_FORMAT = 1 };

enum cos_result cos_state_read(const struct cos_secure *secure, enum state_offset offset,
                               uint8_t *data, size_t length)
{
    return cos_store_read(&secure->store, (uint32_t)offset, data, length);
}

enum cos_result cos_state_load(struct cos_secure *secure)
{
    uint8_t head[STATE_ROM_DIGEST];

    COS_TRY(cos_state_read(secure, STATE_VERSION, head, sizeof head));
    COS_CHECK(head[STATE_VERSION] == STATE_FORMAT, COS_E_STORE_DAMAGED);
    COS_CHECK(head[STATE_LIFE_CYCLE] > COS_LIFE_BLANK &&
                  head[STATE_LIFE_CYCLE] <= COS_LIFE_TERMINATED,
              COS_E_STORE_DAMAGED);
    secure->life_cycle = head[STATE_LIFE_CYCLE];
    secure->record_rule = head[STATE_RECORD_RULE];
    secure->attacks = cos_get16(head + STATE_ATTACKS);
    secure->transaction = cos_get32(head + STATE_TRANSACTION);
    memcpy(secure->serial, head + STATE_SERIAL, sizeof secure->serial);
    return COS_OK;
}

void cos_state_add8(struct cos_secure *secure, enum state_offset offset, uint8_t value)
{
    cos_change_add(secure, (uint32_t)offset, &value, 1);
}

enum cos_result cos_state_advance(struct cos_secure *secure, enum cos_life_cycle life_cycle)
{
    uint8_t transaction[4];

    cos_put32(transaction, secure->transaction + 1);
    cos_state_add8(secure, STATE_VERSION, STATE_FORMAT);
    cos_state_add8(secure, STATE_LIFE_CYCLE, (uint8_t)life_cycle);
    cos_change_add(secure, STATE_TRANSACTION, transaction, sizeof transaction);
    COS_TRY(cos_change_commit(secure));
    /* The state in RAM must be the committed one, or none. */
    COS_INVARIANT(cos_state_load(secure) == COS_OK);
    return COS_OK;
}

enum cos_result cos_state_write_record(const struct cos_secure *secure, struct cos_writer *body)
{
    static const struct {
        uint16_t tag;
        uint8_t at, length;
    } fields[] = {
        {0x9F7F, STATE_CPLC, CPLC_SIZE},
        {0xC0, STATE_CONTACTS, 2},
        {0xC1, STATE_CARD_BODY, STATE_BATCH - STATE_CARD_BODY},
        {0xC2, STATE_BATCH, STATE_PRINTING - STATE_BATCH},
        {0xC3, STATE_PRINTING, STATE_LAYOUT - STATE_PRINTING},
        {0xC4, STATE_ROM_DIGEST, COS_SHA256_SIZE},
    };
    uint8_t state[STATE_LAYOUT];

    COS_TRY(cos_state_read(secure, STATE_VERSION, state, sizeof state));
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        cos_tlv_write(body, fields[i].tag, state + fields[i].at, fields[i].length);
    }
    return body->failed ? COS_E_INVARIANT : COS_OK;
}

enum cos_result cos_state_count_attack(struct cos_secure *secure)
{
    uint8_t attacks[2];
    enum cos_result result = COS_OK;

    secure->attacks_now++;
    if (secure->attacks < UINT16_MAX) {
        secure->attacks++;
    }
    if (secure->life_cycle != COS_LIFE_BLANK) {
        cos_put16(attacks, secure->attacks);
        cos_change_start(secure);
        cos_change_add(secure, STATE_ATTACKS, attacks, sizeof attacks);
        result = cos_change_commit(secure);
    }
    if (secure->attacks_now >= COS_ATTACK_MUTE || secure->attacks >= COS_ATTACK_DEAD) {
        cos_go_mute(secure, COS_VERDICT_ATTACKED);
    }
    return result;
}
