/* SPDX-License-Identifier: Apache-2.0
 *
 * Content of EFs, wherever the bytes come from: the store, the production record, the vault, the
 * card's own knowledge. Reading, searching, combining.
 */
#include "domain.h"

enum {
    TAG_DATA = 0x53,
    FID_DIR = 0x2F00,
    SERVICE_DATA = 0xD8,
    SERVICE_DIR = 0x20, /* data objects in EF.DIR */
    TAG_SERVICE_DATA = 0x43,
    TAG_CAPABILITIES = 0x47,
    TAG_LENGTHS = 0x7F66,
    RESPONSE_SHORT_MAX = 256 + 2,
    CAPABILITY_LENGTHS = 0x20,
    ATR_INFO_MAX = 32,
    WINDOW = 64,
    STRING_HEAD = 16,
};

/* ---- EF.ATR/INFO ---- */

static uint16_t at_most_16_bits(uint32_t number)
{
    return (uint16_t)(number < UINT16_MAX ? number : UINT16_MAX);
}

void cos_app_write_lengths(const struct cos_app *app, struct cos_writer *writer)
{
    const bool extended = cos_app_takes_extended(&app->config);
    const uint32_t command = extended ? app->config.command_size : COS_APDU_SHORT_MAX;
    const uint32_t response = extended ? app->config.response_size + 2U : RESPONSE_SHORT_MAX;
    const size_t lengths = cos_tlv_open(writer, TAG_LENGTHS);

    cos_tlv_write16(writer, 0x02, at_most_16_bits(command));
    cos_tlv_write16(writer, 0x02, at_most_16_bits(response));
    cos_tlv_close(writer, lengths);
}

/* The ATR's historical bytes say the same (atr.c), but for what is true only if there are these
 * EFs: data objects in EF.DIR and EF.ATR/INFO (b6 and b5 of 43), length information in EF.ATR/INFO
 * (b6 of the third byte of 47). Both are for READ BINARY (b4 to b2 of 43 are 100): an
 * EF.DIR of another structure is not, and is not said to be there. */
void cos_app_write_atr_info(const struct cos_app *app, struct cos_writer *writer)
{
    const uint8_t third = CAPABILITY_LENGTHS | cos_app_capabilities(&app->config);
    const uint8_t capabilities[] = {0xF7, 0xC1, third};
    struct cos_file_info info;
    cos_file file;
    const bool dir = cos_fs_find_child(&app->fs, COS_FILE_MF, FID_DIR, &file) == COS_OK &&
                     cos_fs_info(&app->fs, file, &info) == COS_OK &&
                     (info.fdb & COS_FDB_KIND) == COS_FDB_TRANSPARENT;

    cos_tlv_write8(writer, TAG_SERVICE_DATA, SERVICE_DATA | (dir ? SERVICE_DIR : 0));
    cos_tlv_write(writer, TAG_CAPABILITIES, capabilities, sizeof capabilities);
    cos_app_write_lengths(app, writer);
}

/* ---- Reading ---- */

/* Bytes from an offset on of a content that ends before the file does: 00 follow. */
static void take(struct cos_span content, uint32_t offset, uint8_t *data, size_t length)
{
    memset(data, 0, length);
    if (offset < content.length) {
        const size_t run = content.length - offset < length ? content.length - offset : length;
        memcpy(data, content.data + offset, run);
    }
}

static enum cos_result read_production(struct cos_app *app, uint32_t offset, uint8_t *data,
                                       size_t length)
{
    const uint8_t fields[] = {COS_LIFE_RECORD, cos_app_channel(app)};
    struct cos_span record;

    COS_TRY(cos_app_ask(app, COS_GATE_LIFE, fields, sizeof fields, (struct cos_span){NULL, 0},
                        &record));
    take(record, offset, data, length);
    return COS_OK;
}

static enum cos_result read_atr_info(const struct cos_app *app, uint32_t offset, uint8_t *data,
                                     size_t length)
{
    uint8_t bytes[ATR_INFO_MAX];
    struct cos_writer writer = cos_writer(bytes, sizeof bytes);

    cos_app_write_atr_info(app, &writer);
    COS_INVARIANT(!writer.failed);
    take((struct cos_span){bytes, writer.length}, offset, data, length);
    return COS_OK;
}

enum cos_result cos_app_read_content(struct cos_app *app, const struct cos_file_info *info,
                                     const struct cos_record *record, uint32_t offset,
                                     uint8_t *data, size_t length)
{
    switch (info->source) {
    case COS_FS_SOURCE_PRODUCTION:
        return read_production(app, offset, data, length);
    case COS_FS_SOURCE_VAULT:
        return cos_app_vault_read(app, info, record != NULL ? record->address + offset : offset,
                                  data, length);
    case COS_FS_SOURCE_CARD:
        return read_atr_info(app, offset, data, length);
    default:
        return record != NULL ? cos_fs_record_read(&app->fs, record, offset, data, length)
                              : cos_fs_read(&app->fs, info, offset, data, length);
    }
}

/* Bytes of a value that an object of `room` bytes has room for. */
static size_t value_room(size_t room)
{
    const size_t header = room < 2 + 0x80 ? 2 : room < 3 + 0x100 ? 3 : 4;

    return room < header ? 0 : room - header;
}

enum cos_result cos_app_answer_content(struct exchange *x, const struct cos_file_info *info,
                                       const struct cos_record *record, uint32_t offset,
                                       size_t available)
{
    const bool odd = cos_app_is_odd(x);
    bool all;
    const size_t wanted = cos_app_wanted(x, &all);
    const size_t most = odd ? value_room(wanted) : wanted;
    const size_t length = most < available ? most : available;
    size_t opened = 0;

    if (odd) {
        COS_CHECK(most != 0, COS_E_LENGTH);
        opened = cos_tlv_open(x->body, TAG_DATA);
    }
    uint8_t *room = cos_write_room(x->body, length);
    COS_INVARIANT(room != NULL);
    COS_TRY(cos_app_read_content(x->app, info, record, offset, room, length));
    if (odd) {
        cos_tlv_close(x->body, opened);
    }
    return most > available && !all ? COS_E_END_REACHED : COS_OK;
}

/* ---- Searching ---- */

/* Whether the string stands at `offset`. */
static enum cos_result stands_at(struct cos_app *app, const struct cos_file_info *info,
                                 const struct cos_record *record, uint32_t offset,
                                 struct cos_span string, bool *there)
{
    uint8_t piece[STRING_HEAD];

    *there = false;
    for (size_t at = 0; at < string.length; at += sizeof piece) {
        const size_t run = string.length - at < sizeof piece ? string.length - at : sizeof piece;
        COS_TRY(cos_app_read_content(app, info, record, offset + (uint32_t)at, piece, run));
        if (memcmp(piece, string.data + at, run) != 0) {
            return COS_OK;
        }
    }
    *there = true;
    return COS_OK;
}

/* The content passes through a window; where the string's first bytes stand, the rest is compared
 * in the content itself. */
enum cos_result cos_app_search(struct cos_app *app, const struct cos_file_info *info,
                               const struct cos_record *record, uint32_t from, uint32_t end,
                               struct cos_span string, uint32_t *found)
{
    const size_t head = string.length < STRING_HEAD ? string.length : STRING_HEAD;
    uint8_t window[WINDOW];

    for (uint32_t at = from; at < end && string.length <= end - at;) {
        const size_t run = end - at < sizeof window ? end - at : sizeof window;
        COS_TRY(cos_app_read_content(app, info, record, at, window, run));
        for (size_t i = 0; i + head <= run && string.length <= end - at - i; i++) {
            bool there = memcmp(window + i, string.data, head) == 0;
            if (there && head < string.length) {
                COS_TRY(stands_at(app, info, record, at + (uint32_t)i, string, &there));
            }
            if (there) {
                *found = at + (uint32_t)i;
                return COS_OK;
            }
        }
        at += (uint32_t)(run - head + 1);
    }
    return COS_E_END_REACHED;
}

/* ---- Combining ---- */

enum cos_result cos_app_combine(struct exchange *x, const struct cos_file_info *info,
                                const struct cos_record *record, uint32_t offset,
                                struct cos_span data, enum cos_combination how,
                                struct cos_span *combined)
{
    uint8_t *old = x->body->data;

    if (how == COS_COMBINE_REPLACE) {
        *combined = data;
        return COS_OK;
    }
    COS_INVARIANT(x->body->length == 0);
    COS_CHECK(data.length <= x->body->capacity, COS_E_LENGTH);
    COS_TRY(cos_app_read_content(x->app, info, record, offset, old, data.length));
    *combined = (struct cos_span){old, data.length};
    return cos_combine(old, data.data, data.length, how);
}
