/* SPDX-License-Identifier: Apache-2.0
 *
 * Secure messaging around one command: SM_OPEN and SM_SEAL. What is sensitive in the command stays
 * on this side (docs/design.md): which commands that are stands in a table here, and what the
 * app chip says about it does not matter.
 */
#include "sm.h"
#include "cos/apdu.h"

/* Commands whose data are PINs or keys; so are those of the odd instruction behind each, which is
 * not served, but may be sent. */
static const struct {
    uint8_t ins;
    uint8_t p1_bits; /* held only if one of these bits is set in P1; 0 = always */
} held_commands[] = {
    {0x20, 0x00}, /* VERIFY */
    {0x24, 0x00}, /* CHANGE REFERENCE DATA */
    {0x26, 0x00}, /* DISABLE VERIFICATION REQUIREMENT */
    {0x28, 0x00}, /* ENABLE VERIFICATION REQUIREMENT */
    {0x2C, 0x00}, /* RESET RETRY COUNTER */
    {0xD8, 0x00}, /* PUT KEY */
    {0xE2, 0x60}, /* STORE DATA with sensitive data, GPCS 11.11.3.1 */
};

enum { CLASS_CHAINING = 0x10, P1_LAST_BLOCK = 0x80 };

static bool is_store_data(uint8_t cla, uint8_t ins)
{
    return ins == 0xE2 && (cla & 0x80U) != 0;
}

static bool is_held(const struct cos_command *command)
{
    for (size_t i = 0; i < sizeof held_commands / sizeof held_commands[0]; i++) {
        if (held_commands[i].ins == (command->ins & 0xFEU)) {
            return held_commands[i].p1_bits == 0 || (command->p1 & held_commands[i].p1_bits) != 0;
        }
    }
    return false;
}

enum cos_result cos_held_take(struct cos_secure *secure, uint8_t channel, uint8_t ins,
                              struct cos_span *data)
{
    struct cos_held *held = &secure->held;

    COS_CHECK(secure->in_sm && held->used && !held->taken && !held->part && held->ins == ins &&
                  held->channel == channel,
              COS_E_CONDITIONS);
    held->taken = true;
    held->answered = true;
    held->result = COS_E_INVARIANT; /* until the call that took the data has its result */
    *data = (struct cos_span){held->data, held->length};
    return COS_OK;
}

/* Calls that are decisions, and the command that each belongs to. Which of them a command under
 * secure messaging may cause is said by its header, which was authenticated, and not by the app
 * chip. p1_at and p2_at: where the request repeats P1 and P2; 0 = it does not, the value is here.
 */
static const struct {
    uint8_t opcode, operation;
    uint8_t proprietary, ins, p1, p1_at, p2, p2_at, data_at; /* data_at: its data, if not 0 */
    uint8_t last;                                            /* last byte of the request; 0 = any */
} bound_calls[] = {
    {COS_GATE_PIN, COS_PIN_VERIFY, 0x00, 0x20, 0, 0, 0, 2, 0, 0},
    {COS_GATE_PIN, COS_PIN_QUERY, 0x00, 0x20, 0, 0, 0, 2, 0, 0},
    {COS_GATE_PIN, COS_PIN_DROP, 0x00, 0x20, 0xFF, 0, 0, 2, 0, 0},
    {COS_GATE_PIN, COS_PIN_CHANGE, 0x00, 0x24, 0, 0, 0, 2, 0, 0},
    {COS_GATE_PIN, COS_PIN_CHANGE_ONLY, 0x00, 0x24, 1, 0, 0, 2, 0, 0},
    {COS_GATE_PIN, COS_PIN_DISABLE, 0x00, 0x26, 0, 0, 0, 2, 0, 0},
    {COS_GATE_PIN, COS_PIN_DISABLE_ONLY, 0x00, 0x26, 1, 0, 0, 2, 0, 0},
    {COS_GATE_PIN, COS_PIN_ENABLE, 0x00, 0x28, 0, 0, 0, 2, 0, 0},
    {COS_GATE_PIN, COS_PIN_ENABLE_ONLY, 0x00, 0x28, 1, 0, 0, 2, 0, 0},
    {COS_GATE_PIN, COS_PIN_UNBLOCK, 0x00, 0x2C, 0, 0, 0, 2, 0, 0},
    {COS_GATE_PIN, COS_PIN_UNBLOCK_ONLY, 0x00, 0x2C, 1, 0, 0, 2, 0, 0},
    {COS_GATE_PIN, COS_PIN_RESET, 0x00, 0x2C, 2, 0, 0, 2, 0, 0},
    {COS_GATE_PIN, COS_PIN_RESET_ONLY, 0x00, 0x2C, 3, 0, 0, 2, 0, 0},
    {COS_GATE_AUTH, COS_AUTH_INTERNAL, 0x00, 0x88, 0, 2, 0, 3, 4, 0},
    {COS_GATE_AUTH, COS_AUTH_EXTERNAL, 0x00, 0x82, 0, 2, 0, 3, 4, 0},
    {COS_GATE_AUTH, COS_AUTH_GENERAL, 0x00, 0x86, 0, 2, 0, 3, 4, 0},
    {COS_GATE_AUTH, COS_AUTH_GENERAL, 0x00, 0x87, 0, 2, 0, 3, 4, 0},
    {COS_GATE_KEY, COS_KEY_DELETE, 0x80, 0xE4, 0, 0, 0, 0, 0, 0},
    {COS_GATE_KEY, COS_KEY_GENERATE, 0x00, 0x46, 0x80, 0, 0, 0, 0, 0},
    {COS_GATE_KEY, COS_KEY_GENERATE, 0x00, 0x47, 0x80, 0, 0, 0, 0, 0},
    {COS_GATE_KEY, COS_KEY_PUBLIC, 0x00, 0x46, 0x81, 0, 0, 0, 0, 0},
    {COS_GATE_KEY, COS_KEY_PUBLIC, 0x00, 0x47, 0x81, 0, 0, 0, 0, 0},
    {COS_GATE_CRYPT, COS_CRYPT_PSO, 0x00, 0x2A, 0, 2, 0, 3, 4, 0},
    {COS_GATE_SE, COS_SE_SET, 0x00, 0x22, 0, 2, 0, 3, 4, 0},
    {COS_GATE_SE, COS_SE_STORE, 0x00, 0x22, 0xF2, 0, 0, 2, 0, 0},
    {COS_GATE_SE, COS_SE_RESTORE, 0x00, 0x22, 0xF3, 0, 0, 2, 0, 0},
    {COS_GATE_SE, COS_SE_ERASE, 0x00, 0x22, 0xF4, 0, 0, 2, 0, 0},
    {COS_GATE_LIFE, COS_LIFE_STEP, 0x80, 0xF1, 0, 1, 1, 0, 4, 0},   /* PRODUCTION STEP */
    {COS_GATE_LIFE, COS_LIFE_SET, 0x80, 0xF0, 0x80, 0, 0, 2, 0, 0}, /* SET STATUS */
    {COS_GATE_LIFE, COS_LIFE_SET, 0x00, 0xFE, 0, 0, 0, 0, 0, 0xFF}, /* TERMINATE CARD USAGE */
};

/* The same for operations on vault files, whatever P1 and P2 are: which file they mean only the app
 * chip knows, and its rule protects it. */
static bool serves_vault(const struct cos_held *open, struct cos_span message)
{
    static const struct {
        uint8_t operation, ins;
        uint8_t last; /* last byte of the request; 0 = any */
    } commands[] = {
        {COS_VAULT_CREATE, 0xE0, 0},        {COS_VAULT_DELETE, 0xE4, 0},
        {COS_VAULT_READ, 0xB0, 0},          {COS_VAULT_READ, 0xB1, 0},
        {COS_VAULT_READ, 0xB2, 0},          {COS_VAULT_READ, 0xB3, 0},
        {COS_VAULT_READ, 0xA0, 0},          {COS_VAULT_READ, 0xA1, 0},
        {COS_VAULT_READ, 0xA2, 0},          {COS_VAULT_UPDATE, 0xD6, 0},
        {COS_VAULT_UPDATE, 0xD7, 0},        {COS_VAULT_UPDATE, 0xDC, 0},
        {COS_VAULT_UPDATE, 0xDD, 0},        {COS_VAULT_UPDATE, 0x0C, 0},
        {COS_VAULT_UPDATE, 0x0E, 0},        {COS_VAULT_UPDATE, 0x0F, 0},
        {COS_VAULT_WRITE, 0xD0, 0},         {COS_VAULT_WRITE, 0xD1, 0},
        {COS_VAULT_WRITE, 0xD2, 0},         {COS_VAULT_STATUS_SET, 0x44, 0x05},
        {COS_VAULT_STATUS_SET, 0x04, 0x04}, {COS_VAULT_STATUS_SET, 0xE8, 0x0C},
    };
    const uint8_t last = message.data[message.length - 1];

    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].operation == message.data[0] && commands[i].ins == open->ins &&
            (commands[i].last == 0 || commands[i].last == last)) {
            return (open->cla & 0x80U) == 0;
        }
    }
    return message.data[0] == COS_VAULT_INFO || message.data[0] == COS_VAULT_ASK;
}

/* A new DF's application has its first name; one without a name, and an EF, change nothing. */
static bool creates(const struct cos_secure *secure, struct cos_span name)
{
    const struct cos_held *open = &secure->held;
    uint8_t context = CONTEXT_GLOBAL;
    struct cos_span fcp;
    struct cos_tlv tlv;

    if (cos_tlv_fcp((struct cos_span){open->data, open->length}, &fcp) == COS_OK &&
        cos_tlv_find(fcp.data, fcp.length, 0x84, &tlv) == COS_OK) {
        return tlv.length == name.length && memcmp(tlv.value, name.data, name.length) == 0;
    }
    const enum cos_result result =
        name.length != 0 ? cos_application_find(secure, name, &context) : COS_OK;
    return (result == COS_OK || result == COS_E_REFERENCE_NOT_FOUND) &&
           context == secure->channels[open->channel].application;
}

/* Whether the open SELECT by name names the issuer security domain (GPCS 11.9), in full or by its
 * first 5 bytes or more; "next" and "previous" never do. It has no application here: its DF is the
 * MF. */
static bool names_issuer_domain(const struct cos_held *open)
{
    static const uint8_t name[] = {0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00};

    return (open->p2 & 0x02U) == 0 && open->length >= 5 && open->length <= sizeof name &&
           memcmp(open->data, name, open->length) == 0;
}

/* Whether the open command may bind the channel to the application of this name: SELECT, CREATE
 * FILE and DELETE FILE do, nothing else. What their data say of the name must be true; of an
 * identifier or a path only the app chip knows what it means, and of the issuer domain, which is as
 * good as 3F00, which application the MF is. */
static bool may_bind(const struct cos_secure *secure, struct cos_span name)
{
    const struct cos_held *open = &secure->held;

    if ((open->cla & 0x80U) != 0) {
        return false;
    }
    switch (open->ins) {
    case 0xA4:
        return open->p1 != 0x04 || name.length == 0 || names_issuer_domain(open) ||
               cos_application_has_name(secure, name,
                                        (struct cos_span){open->data, open->length}) == COS_OK;
    case 0xE0:
        return creates(secure, name);
    case 0xE4:
        return true;
    default:
        return false;
    }
}

enum cos_result cos_sm_bound(struct cos_secure *secure, uint8_t opcode, struct cos_span message)
{
    struct cos_held *open = &secure->held;

    if (!secure->in_sm || message.length == 0 || opcode == COS_GATE_HELLO) {
        return COS_OK; /* HELLO: an app chip that lost the session decides nothing by it */
    }
    /* A part of a chain does nothing. */
    COS_CHECK(!open->part || opcode == COS_GATE_SM_OPEN || opcode == COS_GATE_SM_SEAL ||
                  (opcode == COS_GATE_CONTEXT && message.data[0] == COS_CONTEXT_DROP),
              COS_E_CONDITIONS);
    if (opcode == COS_GATE_CONTEXT && message.data[0] == COS_CONTEXT_REGISTER) {
        /* CREATE FILE, which may have file descriptor byte and SFI in P1-P2 */
        COS_CHECK((open->cla & 0x80U) == 0 && open->ins == 0xE0, COS_E_CONDITIONS);
    }
    if (opcode == COS_GATE_CONTEXT && message.data[0] == COS_CONTEXT_BIND) {
        COS_CHECK(message.length >= 2, COS_E_GATE_FORMAT);
        COS_CHECK(may_bind(secure, (struct cos_span){message.data + 2, message.length - 2}),
                  COS_E_CONDITIONS);
    }
    COS_CHECK(opcode != COS_GATE_VAULT || serves_vault(open, message), COS_E_CONDITIONS);
    bool decides = false;
    for (size_t i = 0; i < sizeof bound_calls / sizeof bound_calls[0]; i++) {
        const size_t p1_at = bound_calls[i].p1_at, p2_at = bound_calls[i].p2_at;
        if (bound_calls[i].opcode != opcode || bound_calls[i].operation != message.data[0]) {
            continue;
        }
        COS_CHECK(p1_at < message.length && p2_at < message.length, COS_E_GATE_FORMAT);
        uint8_t p1 = p1_at != 0 ? message.data[p1_at] : bound_calls[i].p1;
        uint8_t p2 = p2_at != 0 ? message.data[p2_at] : bound_calls[i].p2;
        const size_t data_at = bound_calls[i].data_at;
        const uint8_t last = bound_calls[i].last;
        decides = true;
        if ((open->cla & 0x80U) == bound_calls[i].proprietary && open->ins == bound_calls[i].ins &&
            open->p1 == p1 && open->p2 == p2 &&
            (last == 0 || message.data[message.length - 1] == last) &&
            (data_at == 0 || (message.length - data_at == open->length &&
                              memcmp(message.data + data_at, open->data, open->length) == 0))) {
            COS_CHECK(!open->answered || open->result != COS_OK, COS_E_CONDITIONS); /* it is done */
            open->answered = true;
            open->result = COS_E_INVARIANT;
            return COS_OK;
        }
    }
    return decides ? COS_E_CONDITIONS : COS_OK;
}

enum cos_result cos_sm_unpad(const uint8_t *data, size_t *length)
{
    size_t end = *length;

    while (end > 0 && data[end - 1] == 0x00) {
        end--;
    }
    COS_CHECK(end > 0 && data[end - 1] == 0x80, COS_E_SM_INCORRECT);
    *length = end - 1;
    return COS_OK;
}

void cos_sm_pad(struct cos_writer *writer, size_t length, size_t block)
{
    cos_write8(writer, 0x80);
    for (length++; length % block != 0; length++) {
        cos_write8(writer, 0x00);
    }
}

/* The protocol's own work: checks and opens the command in place. iso: the class byte announces
 * secure messaging of ISO/IEC 7816-4, else GlobalPlatform's. */
static enum cos_result open_protected(const struct cos_secure *secure, struct cos_session *session,
                                      bool iso, struct sm_command *protected)
{
    COS_CHECK(session != NULL && session->open == COS_YES && cos_session_is_iso(session) == iso,
              COS_E_SECURITY_STATUS);
    if (iso) {
        return cos_iso_open(secure->config.crypto, session, protected);
    }
    if (WITH_SCP02 && session->protocol == COS_SM_SCP02) {
        return cos_scp02_open(secure->config.crypto, session, protected);
    }
    return cos_scp03_open(secure->config.crypto, session, protected);
}

/* Bytes that the command before left for this one: it is the next part of a chain (ISO/IEC
 * 7816-4:2013, 5.3.3), or the next block of STORE DATA (GPCS 11.11.2), whose last data group had
 * not ended. */
static uint16_t kept_for(const struct cos_held *held, uint8_t channel,
                         const struct cos_command *command)
{
    const bool of_blocks = is_store_data(command->cla, command->ins);
    const uint8_t p1_bits = of_blocks ? (uint8_t)~P1_LAST_BLOCK : 0xFF;
    const uint8_t p2 = (uint8_t)(held->p2 + (of_blocks ? 1 : 0));
    const bool same = held->channel == channel && held->cla == (command->cla & ~CLASS_CHAINING) &&
                      held->ins == command->ins && ((held->p1 ^ command->p1) & p1_bits) == 0 &&
                      command->p2 == p2;

    return same ? held->kept : 0;
}

/* What a command ends that stands between two others. */
static void interrupt(struct cos_secure *secure, const struct cos_command *command)
{
    if (command->ins != 0x82 && command->ins != 0x86 && command->ins != 0x87) {
        secure->challenge_length = 0; /* what uses the challenge must follow at once */
    }
    if (command->ins != 0x2A) {
        secure->digest_length = 0; /* so must COMPUTE DIGITAL SIGNATURE follow HASH */
    }
    if (!is_store_data(command->cla, command->ins)) {
        cos_material_forget(secure); /* and the second factor of a key the first */
    }
}

/* Parts of another command wait: they stood between two steps, too. */
static void drop_chain(struct cos_secure *secure)
{
    if (secure->held.kept != 0) {
        secure->challenge_length = 0;
        secure->digest_length = 0;
    }
    cos_wipe(&secure->held, sizeof secure->held);
}

/* Opens the data behind those that were kept. */
static enum cos_result open_data(struct cos_secure *secure, bool iso, struct cos_span apdu,
                                 const struct cos_command *command, struct sm_command *protected)
{
    struct cos_held *held = &secure->held;
    struct cos_session *session = cos_session_of(secure, held->channel);

    COS_CHECK(command->nc <= COS_SM_MAX && command->nc <= sizeof held->data - held->kept,
              COS_E_LENGTH);
    COS_CHECK(command->nc > 0, COS_E_SM_MISSING);
    memcpy(held->data + held->kept, command->data, command->nc);
    *protected = (struct sm_command){
        .header = apdu.data,
        .length = {apdu.data + 4, (size_t)(command->data - apdu.data) - 4},
        .data = held->data + held->kept,
        .nc = command->nc,
        .ne = command->ne,
    };
    COS_TRY(open_protected(secure, session, iso, protected));
    COS_CHECK(held->kept + protected->nc <= COS_SM_CHAIN_MAX, COS_E_LENGTH);
    return COS_OK;
}

static enum cos_result open_command(struct cos_secure *secure, uint8_t channel,
                                    struct cos_span apdu, struct cos_writer *body)
{
    struct cos_held *held = &secure->held;
    struct cos_command command;
    struct sm_command protected;

    COS_TRY(cos_apdu_parse(apdu.data, apdu.length, &command));
    /* Its class byte announces secure messaging (ISO/IEC 7816-4:2013, table 2: with header
     * authenticated; GPCS 11.1.4), on this channel. */
    const uint8_t class_ = command.cla & (uint8_t)~CLASS_CHAINING;
    const bool iso = class_ == (0x0CU | channel);
    const bool global_platform = command.cla == (0x84U | channel) || class_ == (0x04U | channel);
    COS_CHECK((iso || global_platform) && channel < FIRST_FURTHER_CHANNEL, COS_E_SECURE_MESSAGING);
    const uint16_t kept = kept_for(held, channel, &command);
    if (kept == 0) {
        drop_chain(secure);
    }
    held->kept = kept;
    held->channel = channel;
    COS_TRY(open_data(secure, iso, apdu, &command, &protected));
    secure->in_sm = true;
    interrupt(secure, &command);
    held->used = kept + protected.nc > 0 && is_held(&command);
    held->taken = false;
    held->answered = false;
    held->expects = protected.ne != 0;
    held->part = command.cla != class_;
    held->cla = class_;
    held->ins = command.ins;
    held->p1 = command.p1;
    held->p2 = command.p2;
    held->application = secure->channels[channel].application;
    held->length = (uint16_t)(kept + protected.nc);
    held->kept = 0;
    const uint8_t opened[] = {held->used, command.cla & 0xF3U, command.ins, command.p1, command.p2};
    cos_write_bytes(body, opened, sizeof opened);
    cos_write32(body, protected.ne);
    const struct cos_session *session = cos_session_seen(secure, channel);
    COS_INVARIANT(session != NULL);
    cos_write16(body, (uint16_t)(iso ? cos_iso_room(session) : cos_scp03_room(session)));
    cos_write8(body, (uint8_t) protected.nc);
    if (!held->used) {
        cos_write_bytes(body, held->data + kept, protected.nc); /* calls are compared with them */
    }
    return COS_OK;
}

/* Whether the next command may go on with the open one's data: without them it would mean something
 * else. */
static bool is_continued(const struct cos_held *open)
{
    return open->part ||
           (open->used && is_store_data(open->cla, open->ins) && (open->p1 & P1_LAST_BLOCK) == 0);
}

enum cos_result cos_call_sm_open(struct cos_secure *secure, struct cos_reader *request,
                                 struct cos_writer *body)
{
    uint8_t channel = cos_read_channel(request);
    struct cos_span command = cos_read_rest(request);

    COS_CHECK(!request->failed, COS_E_GATE_FORMAT);
    if (secure->in_sm) { /* nobody sealed the one before */
        struct cos_session *session = cos_session_of(secure, secure->held.channel);
        secure->in_sm = false;
        if (is_continued(&secure->held) && session != NULL) {
            cos_session_close(secure, session);
        }
        cos_wipe(&secure->held, sizeof secure->held);
    }
    enum cos_result result = open_command(secure, channel, command, body);
    if (result != COS_OK) {
        secure->in_sm = false;
        cos_channel_close_session(secure, channel); /* a failed check ends the session */
        cos_material_forget(secure);
        cos_wipe(&secure->held, sizeof secure->held);
    }
    return result;
}

/* Whether a command is one that is executed here: its data are held, or a call belongs to it. */
static bool is_executed_here(const struct cos_held *open)
{
    for (size_t i = 0; i < sizeof bound_calls / sizeof bound_calls[0]; i++) {
        if (bound_calls[i].ins == open->ins && bound_calls[i].proprietary == (open->cla & 0x80U) &&
            (bound_calls[i].p1_at != 0 || bound_calls[i].p1 == open->p1) &&
            (bound_calls[i].p2_at != 0 || bound_calls[i].p2 == open->p2)) {
            return true;
        }
    }
    return open->used;
}

/* The status of a command that was executed here is the one from here. One that is to be, but was
 * not, cannot have succeeded. */
static uint16_t status_of(const struct cos_held *held, uint16_t said)
{
    if (held->part) {
        return said;
    }
    if (held->answered) {
        return cos_sw(held->result);
    }
    bool success =
        said == COS_SW_OK || (said >> 8) == 0x61 || (said >> 8) == 0x62 || (said >> 8) == 0x63;
    return success && is_executed_here(held) ? COS_SW_NO_DIAGNOSIS : said;
}

/* Status, then status and data as the session protects them. */
static enum cos_result seal(const struct cos_secure *secure, struct cos_session *session,
                            uint16_t sw, struct cos_span data, struct cos_writer *body)
{
    const struct cos_crypto *crypto = secure->config.crypto;

    cos_write16(body, sw);
    if (cos_session_is_iso(session)) {
        return cos_iso_seal(crypto, session, (secure->held.ins & 0x01U) != 0, sw, data, body);
    }
    return cos_scp03_seal(crypto, session, sw, data, body);
}

enum cos_result cos_call_sm_seal(struct cos_secure *secure, struct cos_reader *request,
                                 struct cos_writer *body)
{
    uint8_t channel = cos_read_channel(request);
    uint16_t sw = cos_read16(request);
    struct cos_span data = cos_read_rest(request);

    COS_CHECK(!request->failed, COS_E_GATE_FORMAT);
    struct cos_held *held = &secure->held;
    struct cos_session *session = cos_session_of(secure, channel);
    COS_CHECK(secure->in_sm && held->channel == channel, COS_E_CONDITIONS);
    COS_INVARIANT(session != NULL);
    if (held->part) {
        data.length = 0;
        held->kept = sw == COS_SW_OK ? held->length : 0;
    } else if (held->answered || is_executed_here(held)) {
        const bool answered = held->answered && held->result == COS_OK;
        data = (struct cos_span){held->data + held->kept, answered ? held->length : 0};
    }
    const uint16_t status = status_of(held, sw);
    /* Only a MAC tells the terminal that a part was refused. */
    const bool lost =
        is_continued(held) && status != COS_SW_OK && (session->level & COS_SM_RESPONSE_MAC) == 0;
    enum cos_result result = seal(secure, session, status, data, body);
    secure->in_sm = false;
    if (result != COS_OK || session->open != COS_YES || lost) {
        cos_session_close(secure, session); /* it ended while the command was open */
    }
    if (held->kept == 0) {
        cos_wipe(held, sizeof *held);
    }
    return result;
}
