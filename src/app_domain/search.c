/* SPDX-License-Identifier: Apache-2.0
 *
 * SEARCH RECORD (ISO/IEC 7816-4:2013, 11.3.7). P2 b3 to b1: 0 to 3 simple search in the occurrences
 * of identifier P1, 4 and 5 simple search from record P1, 6 enhanced search.
 */
#include "domain.h"

enum {
    SEARCH_UPWARDS = 4,
    SEARCH_DOWNWARDS = 5,
    SEARCH_ENHANCED = 6,
    INDICATION_RESERVED = 0xF0,
    INDICATION_BYTE = 0x08, /* the search begins behind a byte; else at an offset */
    INDICATION_WAY = 0x07,
    WAY_UPWARDS = 4,
    WAY_DOWNWARDS = 5,
    WAY_NEXT = 6,
    WAY_PREVIOUS = 7,
};

/* What to look for, and where. */
struct search {
    unsigned from;
    bool down;
    uint8_t identifier; /* 0 = any */
    bool behind_byte;
    uint8_t begin; /* the byte, or the offset */
    struct cos_span string;
};

/* Simple search: in the occurrences of an identifier, or from a number on. */
static enum cos_result plan_simple(struct exchange *x, const struct records *records,
                                   struct search *search)
{
    const uint8_t mode = cos_app_mode(x);
    unsigned number = 0;

    search->string = cos_app_command_data(x);
    if (mode < MODE_NUMBER) {
        search->identifier = x->command.p1;
        search->down = cos_app_goes_down(mode);
        search->from = cos_app_first_record(records, mode);
        return search->identifier == 0 ? COS_OK : cos_app_pick_record(x, records, &number);
    }
    search->down = mode == SEARCH_DOWNWARDS;
    return cos_app_pick_record(x, records, &search->from);
}

/* Enhanced search: indication byte, value byte, string. */
static enum cos_result plan_enhanced(struct exchange *x, const struct records *records,
                                     struct search *search)
{
    struct cos_span data = cos_app_command_data(x);
    struct cos_reader reader = cos_reader(data.data, data.length);
    const uint8_t indication = cos_read8(&reader);
    const uint8_t way = indication & INDICATION_WAY;

    search->begin = cos_read8(&reader);
    search->string = cos_read_rest(&reader);
    COS_CHECK(search->string.length != 0, COS_E_LENGTH);
    COS_CHECK((indication & INDICATION_RESERVED) == 0 && way >= WAY_UPWARDS, COS_E_DATA);
    search->behind_byte = (indication & INDICATION_BYTE) != 0;
    search->down = way == WAY_DOWNWARDS || way == WAY_PREVIOUS;
    if (way == WAY_NEXT || way == WAY_PREVIOUS) {
        search->from = cos_app_first_record(records, way == WAY_NEXT ? MODE_NEXT : MODE_PREVIOUS);
        return COS_OK;
    }
    return cos_app_pick_record(x, records, &search->from);
}

/* Whether a record matches. */
static enum cos_result matches(struct exchange *x, const struct records *records,
                               const struct search *search, unsigned number, bool *match)
{
    const struct cos_file_info *info = &records->ef.info;
    const struct cos_span byte = {&search->begin, 1};
    struct cos_record record;
    uint32_t at = search->behind_byte ? 0 : search->begin;
    enum cos_result result = COS_OK;

    COS_TRY(cos_app_has_identifier(x->app, records, number, search->identifier, match));
    if (!*match) {
        return COS_OK;
    }
    COS_TRY(cos_app_locate_record(x->app, records, number, &record));
    if (search->behind_byte) {
        result = cos_app_search(x->app, info, &record, 0, record.length, byte, &at);
        at++;
    }
    if (result == COS_OK) {
        result = cos_app_search(x->app, info, &record, at, record.length, search->string, &at);
    }
    *match = result == COS_OK;
    return result == COS_E_END_REACHED ? COS_OK : result;
}

/* Answers the numbers of the records that match, and points at the first of them. */
static enum cos_result answer_matches(struct exchange *x, struct records *records,
                                      const struct search *search)
{
    unsigned first = 0;
    bool match = false;

    for (unsigned at = search->from; at >= 1 && at <= records->count;
         at = search->down ? at - 1 : at + 1) {
        COS_TRY(matches(x, records, search, at, &match));
        if (match) {
            cos_write8(x->body, (uint8_t)at);
            first = first == 0 ? at : first;
        }
    }
    COS_CHECK(first != 0, COS_E_END_REACHED);
    records->ef.record = (uint16_t)first;
    return COS_OK;
}

enum cos_result cos_app_search_record(struct exchange *x)
{
    const uint8_t mode = cos_app_mode(x);
    struct search search = {0};
    struct records records;

    COS_CHECK(mode <= SEARCH_ENHANCED, COS_E_P1_P2);
    COS_TRY(cos_app_open_records(x, COS_OPERATION_READ, &records));
    const struct cos_file_info *info = &records.ef.info;
    COS_TRY(mode == SEARCH_ENHANCED ? plan_enhanced(x, &records, &search)
                                    : plan_simple(x, &records, &search));
    COS_CHECK(search.string.length <= info->record_size, COS_E_LENGTH);
    return cos_app_finish(x->app, &records.ef, answer_matches(x, &records, &search));
}
