/* SPDX-License-Identifier: Apache-2.0
 *
 * The issuer's commands: SCP03 set-up, PUT KEY, STORE DATA, DELETE, GET and SET STATUS, GET DATA
 * (GlobalPlatform Card Specification 2.3.1 and its Amendment D).
 */
#include "domain.h"

enum {
    SCP03_CHALLENGE = 8, /* twice as long in mode S16 */
    SCP03_FINISH = 16,
    P1_SENSITIVE = 0x60,
    DGI_ATR = 0x0A01,
    GP_OP_READY = 0x01,
    GP_INITIALIZED = 0x07,
    GP_SECURED = 0x0F,
    GP_LOCKED = 0x7F,
    GP_TERMINATED = 0xFF,
};

static const struct cos_span nothing = {NULL, 0};
const uint8_t cos_app_issuer_domain[8] = {0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00};

enum cos_result cos_app_initialize_update(struct exchange *x)
{
    const uint8_t fields[] = {COS_AUTH_SCP03_BEGIN, x->class_.channel, x->command.p1};

    COS_CHECK(x->command.nc == SCP03_CHALLENGE || x->command.nc == 2 * SCP03_CHALLENGE,
              COS_E_LENGTH);
    return cos_app_hand_on(x, COS_GATE_AUTH, fields, sizeof fields, cos_app_command_data(x));
}

enum cos_result cos_app_gp_external_authenticate(struct exchange *x)
{
    const uint8_t fields[] = {COS_AUTH_SCP03_FINISH, x->class_.channel, x->command.p1};

    COS_CHECK(x->command.nc == SCP03_FINISH || x->command.nc == 2 * SCP03_FINISH, COS_E_LENGTH);
    return cos_app_hand_on(x, COS_GATE_AUTH, fields, sizeof fields, cos_app_command_data(x));
}

enum cos_result cos_app_put_key(struct exchange *x)
{
    const uint8_t fields[] = {COS_KEY_PUT, x->class_.channel};

    return cos_app_hand_on(x, COS_GATE_KEY, fields, sizeof fields, nothing);
}

/* Data of the app chip itself: the ATR, while the card is being initialized. */
static enum cos_result store_own(struct exchange *x)
{
    static const uint8_t under_secure_messaging[] = {0x9E, 0x01, CONDITION_SM};
    struct cos_reader reader = cos_reader(x->command.data, x->command.nc);
    uint16_t number = cos_read16(&reader);
    uint8_t length = cos_read8(&reader);
    const uint8_t *value = cos_read_bytes(&reader, length);

    /* First of all: in LOCKED, for one, the security chip would not even say who asks. */
    COS_CHECK(x->app->life_cycle == COS_LIFE_PRODUCED, COS_E_CONDITIONS);
    COS_TRY(
        cos_app_require_condition(x->app, under_secure_messaging, sizeof under_secure_messaging));
    COS_CHECK(cos_read_done(&reader) && value != NULL, COS_E_DATA);
    COS_CHECK(number == DGI_ATR, COS_E_REFERENCE_NOT_FOUND);
    return cos_app_store_atr(x->app, value, length);
}

enum cos_result cos_app_store_data(struct exchange *x)
{
    const uint8_t fields[] = {COS_KEY_STORE, x->class_.channel};

    if ((x->command.p1 & P1_SENSITIVE) == 0) {
        return store_own(x);
    }
    return cos_app_hand_on(x, COS_GATE_KEY, fields, sizeof fields, nothing);
}

/* A reference (D0) for a single key, a version (D2) for a key set. */
enum cos_result cos_app_delete_key(struct exchange *x)
{
    struct cos_span data = cos_app_command_data(x);
    struct cos_tlv reference, version;
    enum cos_result with_reference = cos_tlv_find(data.data, data.length, 0xD0, &reference);
    enum cos_result with_version = cos_tlv_find(data.data, data.length, 0xD2, &version);

    COS_CHECK(with_reference != COS_E_DATA && with_version != COS_E_DATA, COS_E_DATA);
    COS_CHECK(with_reference == COS_OK || with_version == COS_OK, COS_E_REFERENCE_NOT_FOUND);
    COS_CHECK(with_reference != COS_OK || (reference.length == 1 && reference.value[0] != 0),
              COS_E_DATA);
    COS_CHECK(with_version != COS_OK || (version.length == 1 && version.value[0] != 0), COS_E_DATA);
    const uint8_t fields[] = {COS_KEY_DELETE, x->class_.channel,
                              with_reference == COS_OK ? reference.value[0] : 0,
                              with_version == COS_OK ? version.value[0] : 0};
    return cos_app_hand_on(x, COS_GATE_KEY, fields, sizeof fields, nothing);
}

static uint8_t globalplatform_state(uint8_t life_cycle)
{
    switch (life_cycle) {
    case COS_LIFE_INITIALIZED:
    case COS_LIFE_PERSONALIZED:
        return GP_INITIALIZED;
    case COS_LIFE_OPERATIONAL:
        return GP_SECURED;
    case COS_LIFE_LOCKED:
        return GP_LOCKED;
    case COS_LIFE_TERMINATED:
        return GP_TERMINATED;
    default:
        return GP_OP_READY; /* PRODUCED; before, the card has no such state and says the first */
    }
}

enum cos_result cos_app_get_status(struct exchange *x)
{
    static const uint8_t all_names[] = {0x4F, 0x00};
    const uint8_t state = globalplatform_state(x->app->life_cycle);
    const uint8_t privileges = 0x9E;

    COS_CHECK(x->command.p1 == 0x80 || x->command.p1 == 0x40 || x->command.p1 == 0x20 ||
                  x->command.p1 == 0x10,
              COS_E_P1_P2);
    COS_CHECK(x->command.p2 == 0x00 || x->command.p2 == 0x02, COS_E_P1_P2);
    COS_CHECK(x->command.nc >= 2 && memcmp(x->command.data, all_names, 2) == 0, COS_E_DATA);
    COS_CHECK(x->command.p1 == 0x80, COS_E_REFERENCE_NOT_FOUND);
    if (x->command.p2 == 0x00) {
        cos_write8(x->body, sizeof cos_app_issuer_domain);
        cos_write_bytes(x->body, cos_app_issuer_domain, sizeof cos_app_issuer_domain);
        cos_write8(x->body, state);
        cos_write8(x->body, privileges);
        return COS_OK;
    }
    size_t entry = cos_tlv_open(x->body, 0xE3);
    cos_tlv_write(x->body, 0x4F, cos_app_issuer_domain, sizeof cos_app_issuer_domain);
    cos_tlv_write8(x->body, 0x9F70, state);
    cos_tlv_write8(x->body, 0xC5, privileges);
    cos_tlv_close(x->body, entry);
    return COS_OK;
}

enum cos_result cos_app_set_life(struct exchange *x, uint8_t state)
{
    const uint8_t fields[] = {COS_LIFE_SET, x->class_.channel, state};
    static const uint8_t no_secret[COS_PAIRING_SECRET];
    struct cos_gate_status status;

    COS_TRY(cos_app_hand_on(x, COS_GATE_LIFE, fields, sizeof fields, nothing));
    COS_TRY(cos_app_refresh(x->app, &status));
    if (status.life_cycle == COS_LIFE_TERMINATED) {
        return cos_app_store_pairing(x->app, 0, no_secret);
    }
    return COS_OK;
}

enum cos_result cos_app_set_status(struct exchange *x)
{
    COS_CHECK(x->command.p1 == 0x80, COS_E_P1_P2);
    return cos_app_set_life(x, x->command.p2);
}

/* ---- GET DATA ---- */

COS_OWN_FRAME static enum cos_result get_cplc(struct exchange *x)
{
    const uint8_t fields[] = {COS_LIFE_RECORD, x->class_.channel};
    struct cos_span record;
    struct cos_tlv cplc;

    COS_TRY(cos_app_ask(x->app, COS_GATE_LIFE, fields, sizeof fields, nothing, &record));
    COS_CHECK(cos_tlv_find(record.data, record.length, 0x9F7F, &cplc) == COS_OK, COS_E_INVARIANT);
    cos_tlv_write(x->body, cplc.tag, cplc.value, cplc.length);
    return COS_OK;
}

static enum cos_result get_keys(struct exchange *x)
{
    const uint8_t fields[] = {COS_KEY_ATTRIBUTES, x->class_.channel, 0x00, 0xE0};

    return cos_app_hand_on(x, COS_GATE_KEY, fields, sizeof fields, nothing);
}

/* Card recognition data (GPCS H.2): GlobalPlatform 2.3.1, SCP03 with the options of the security
 * chip. */
static enum cos_result get_card_data(struct exchange *x)
{
    static const uint8_t card_data[] = {0x66, 0x26, 0x73, 0x24, 0x06, 0x07, 0x2A, 0x86, 0x48, 0x86,
                                        0xFC, 0x6B, 0x01, 0x60, 0x0C, 0x06, 0x0A, 0x2A, 0x86, 0x48,
                                        0x86, 0xFC, 0x6B, 0x02, 0x02, 0x03, 0x01, 0x64, 0x0B, 0x06,
                                        0x09, 0x2A, 0x86, 0x48, 0x86, 0xFC, 0x6B, 0x04, 0x03};
    struct cos_gate_status status;

    COS_TRY(cos_app_refresh(x->app, &status));
    cos_write_bytes(x->body, card_data, sizeof card_data);
    cos_write8(x->body, status.scp03);
#ifdef COS_SCP02
    static const uint8_t scp02[] = {0x64, 0x0B, 0x06, 0x09, 0x2A, 0x86, 0x48,
                                    0x86, 0xFC, 0x6B, 0x04, 0x02, 0x15};
    cos_write_bytes(x->body, scp02, sizeof scp02);
    x->body->data[1] += (uint8_t)sizeof scp02; /* of 66, and of 73 in it */
    x->body->data[3] += (uint8_t)sizeof scp02;
#endif
    return COS_OK;
}

/* The serial number lets a card be tracked: in use, the profile's rule says who gets it. */
static enum cos_result serial_allowed(struct exchange *x, const struct cos_gate_status *status,
                                      bool *allowed)
{
    const unsigned in_use = COS_LIFE_BIT(COS_LIFE_OPERATIONAL) | COS_LIFE_BIT(COS_LIFE_LOCKED);
    const uint8_t rule[] = {0x9E, 0x01, status->record_rule};
    enum cos_result result = COS_OK;

    if ((COS_LIFE_BIT(status->life_cycle) & in_use) != 0 && status->record_rule != COS_SC_ALWAYS) {
        result = status->life_cycle == COS_LIFE_LOCKED
                     ? COS_E_SECURITY_STATUS
                     : cos_app_require_condition(x->app, rule, sizeof rule);
    }
    *allowed = result == COS_OK;
    return result == COS_E_SECURITY_STATUS ? COS_OK : result;
}

static enum cos_result get_card_information(struct exchange *x)
{
    struct cos_gate_status status;
    bool with_serial;

    COS_TRY(cos_app_refresh(x->app, &status));
    COS_TRY(serial_allowed(x, &status, &with_serial));
    cos_tlv_write8(x->body, 0xC0, status.life_cycle);
    if (with_serial) {
        cos_tlv_write(x->body, 0xC1, status.serial, sizeof status.serial);
    }
    cos_tlv_write(x->body, 0xC2, status.version, sizeof status.version);
    cos_tlv_write8(x->body, 0xC3, globalplatform_state(status.life_cycle));
    return COS_OK;
}

enum cos_result cos_app_get_data(struct exchange *x)
{
    const uint16_t tag = (uint16_t)(x->command.p1 << 8 | x->command.p2);

    if (tag == 0x0101) {
        return get_card_information(x);
    }
    COS_CHECK(x->app->life_cycle != COS_LIFE_TERMINATED, COS_E_CONDITIONS);
    switch (tag) {
    case 0x9F7F:
        return get_cplc(x);
    case 0x00E0:
        COS_CHECK((COS_LIFE_BIT(x->app->life_cycle) & COS_STATES_KEYED) != 0, COS_E_CONDITIONS);
        return get_keys(x);
    case 0x0066:
        return get_card_data(x);
    case 0x7F66:
        cos_app_write_lengths(x->app, x->body);
        return COS_OK;
    default:
        /* Objects in files are of the interindustry class. */
        return x->class_.proprietary ? COS_E_REFERENCE_NOT_FOUND : cos_app_get_object(x, tag);
    }
}
