/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer to reset, ISO/IEC 7816-3:2006, 8.2 and 8.3: interface bytes come in groups TA TB TC
 * TD, and TD says which bytes the next group has, and of which protocol it is.
 */
#include "cos/atr.h"
#include "cos/pps.h"

enum {
    TS_DIRECT = 0x3B,
    TS_INVERSE = 0x3F,
    Y_FIRST = 0x10,      /* bit of TA in T0 and TD; TB and TC follow */
    Y_NEXT_GROUP = 0x80, /* TD */
    GROUP = 3,           /* bytes TA TB TC */
    GROUPS_MAX = 4,      /* behind T0; TD1; T=1, again if it is first; T=15 */
    T0 = 0,
    T1 = 1,
    T15 = 15,
    SPECIFIC_RESERVED = 0x60,
    TAG_SERVICES = 0x31,
    TAG_CAPABILITIES = 0x70,
    TAG_STATUS = 0x83,
};

/* ---- Writing ---- */

/* A group and the TD (or T0) that announces it. */
struct group {
    uint8_t protocol;
    uint8_t index; /* of TA: cos_atr_index */
};

static unsigned group_bits(const struct cos_atr *atr, const struct group *group)
{
    return (unsigned)atr->present >> group->index & 7U;
}

static size_t make_groups(const struct cos_atr *atr, struct group groups[GROUPS_MAX])
{
    const struct group of_t1 = {T1, COS_ATR_IFSC};
    const struct group of_t15 = {T15, COS_ATR_CLOCK_CLASS};
    size_t count = 0;

    groups[count++] = (struct group){T0, COS_ATR_TA1};
    groups[count++] = (struct group){atr->first, COS_ATR_TA2};
    /* Bytes of T=1 begin with the third group. */
    if (atr->first == T1 ? group_bits(atr, &of_t1) != 0 : (atr->offered & 1U << T1) != 0) {
        groups[count++] = of_t1;
    }
    if (group_bits(atr, &of_t15) != 0) {
        groups[count++] = of_t15;
    }
    /* T=0 alone need not be named. */
    return count == 2 && atr->first == T0 && group_bits(atr, &groups[1]) == 0 ? 1 : count;
}

static void write_check(struct cos_writer *writer)
{
    uint8_t check = 0;

    for (size_t i = 1; i < writer->length; i++) {
        check ^= writer->data[i];
    }
    cos_write8(writer, check);
}

size_t cos_atr_write(const struct cos_atr *atr, uint8_t *bytes, size_t capacity)
{
    struct cos_writer writer = cos_writer(bytes, capacity);
    struct group groups[GROUPS_MAX];
    const size_t count = make_groups(atr, groups);
    struct cos_atr taken;
    bool only_t0 = true;

    /* T=0 can stand nowhere but first. */
    if (atr->historical_length > COS_ATR_HISTORICAL_MAX ||
        (atr->first != T0 && (atr->offered & 1U << T0) != 0)) {
        return 0;
    }
    cos_write8(&writer, atr->inverse ? TS_INVERSE : TS_DIRECT);
    for (size_t i = 0; i < count; i++) {
        const unsigned bits = group_bits(atr, &groups[i]);
        const uint8_t low = i == 0 ? atr->historical_length : groups[i].protocol;
        const unsigned more = i + 1 < count ? Y_NEXT_GROUP : 0U;

        cos_write8(&writer, (uint8_t)(more | bits * Y_FIRST | low));
        for (unsigned n = 0; n < GROUP; n++) {
            if ((bits >> n & 1U) != 0) {
                cos_write8(&writer, atr->bytes[groups[i].index + n]);
            }
        }
        only_t0 = only_t0 && groups[i].protocol == T0;
    }
    cos_write_bytes(&writer, atr->historical, atr->historical_length);
    if (!only_t0) {
        write_check(&writer);
    }
    return !writer.failed && cos_atr_read(bytes, writer.length, &taken) == COS_OK ? writer.length
                                                                                  : 0;
}

enum cos_result cos_atr_set_historical(struct cos_atr *atr,
                                       const struct cos_atr_historical *historical)
{
    struct cos_writer writer = cos_writer(atr->historical, sizeof atr->historical);

    COS_CHECK((historical->category == 0x00 || historical->category == 0x80) &&
                  historical->capability_bytes <= sizeof historical->capabilities,
              COS_E_DATA);
    cos_write8(&writer, historical->category);
    if (historical->with_services) {
        cos_write8(&writer, TAG_SERVICES);
        cos_write8(&writer, historical->services);
    }
    if (historical->capability_bytes != 0) {
        cos_write8(&writer, TAG_CAPABILITIES | historical->capability_bytes);
        cos_write_bytes(&writer, historical->capabilities, historical->capability_bytes);
    }
    if (historical->category == 0x80 && historical->status) {
        cos_write8(&writer, TAG_STATUS);
    }
    if (historical->category == 0x00 || historical->status) {
        cos_write8(&writer, historical->life_cycle);
        cos_write16(&writer, historical->sw);
    }
    atr->historical_length = (uint8_t)writer.length;
    return COS_OK;
}

/* ---- Reading ---- */

/* What holds when a byte does not stand in the ATR. */
static const uint8_t defaults[COS_ATR_BYTES] = {
    [COS_ATR_TA1] = COS_FI_DI_DEFAULT, [COS_ATR_TC2] = 10,           [COS_ATR_IFSC] = 32,
    [COS_ATR_BWI_CWI] = 0x4D,          [COS_ATR_CLOCK_CLASS] = 0x01,
};

/* Where the bytes of a group go, counted from T0's; COS_ATR_BYTES: they have no meaning. */
static unsigned index_of(unsigned group, uint8_t protocol)
{
    if (group < 2) {
        return group * GROUP;
    }
    if (protocol == T1) {
        return COS_ATR_IFSC;
    }
    return protocol == T15 ? COS_ATR_CLOCK_CLASS : COS_ATR_BYTES;
}

static void read_group(struct cos_reader *reader, struct cos_atr *atr, uint8_t indicator,
                       unsigned index)
{
    const unsigned before = atr->present;

    for (unsigned n = 0; n < GROUP; n++) {
        if ((indicator & Y_FIRST << n) == 0) {
            continue;
        }
        const uint8_t byte = cos_read8(reader);
        if (index != COS_ATR_BYTES && (before >> (index + n) & 1U) == 0) {
            atr->bytes[index + n] = byte;
            atr->present = (uint16_t)(atr->present | 1U << (index + n));
        }
    }
}

static bool values_good(const struct cos_atr *atr)
{
    const uint8_t mode = atr->bytes[COS_ATR_TA2], ifsc = atr->bytes[COS_ATR_IFSC];
    const uint8_t classes = atr->bytes[COS_ATR_CLOCK_CLASS] & 0x3F;
    const bool specific = (atr->present & COS_ATR_PRESENT(COS_ATR_TA2)) != 0;

    return cos_fi(atr->bytes[COS_ATR_TA1]) != 0 && cos_di(atr->bytes[COS_ATR_TA1]) != 0 &&
           (!specific || ((mode & SPECIFIC_RESERVED) == 0 &&
                          ((unsigned)atr->offered >> (mode & 0x0F) & 1U) != 0)) &&
           atr->bytes[COS_ATR_TC2] != 0 && ifsc != 0 && ifsc != 0xFF &&
           atr->bytes[COS_ATR_BWI_CWI] < 0xA0 && atr->bytes[COS_ATR_EDC] <= 1 && classes >= 1 &&
           classes <= 7 && classes != 5;
}

/* Groups to the last one. False: a protocol that is not known, or T=15 in TD1, or not in ascending
 * order (8.2.3): T=0 is first, if it is there, and T=15 is last. */
static bool read_groups(struct cos_reader *reader, struct cos_atr *atr, uint8_t indicator,
                        bool *only_t0)
{
    uint8_t protocol = T0;

    *only_t0 = true;
    for (unsigned group = 0;; group++) {
        read_group(reader, atr, indicator, index_of(group, protocol));
        if ((indicator & Y_NEXT_GROUP) == 0 || reader->failed) {
            break;
        }
        indicator = cos_read8(reader);
        if ((indicator & 0x0F) < protocol) {
            return false;
        }
        protocol = indicator & 0x0F;
        if (protocol != T0 && protocol != T1 && (protocol != T15 || group == 0)) {
            return false;
        }
        if (group == 0) {
            atr->first = protocol;
        }
        if (protocol != T15) {
            atr->offered = (uint8_t)(atr->offered | 1U << protocol);
        }
        *only_t0 = *only_t0 && protocol == T0;
    }
    atr->offered = atr->offered != 0 ? atr->offered : 1U << T0;
    return true;
}

enum cos_result cos_atr_read(const uint8_t *bytes, size_t length, struct cos_atr *atr)
{
    struct cos_reader reader = cos_reader(bytes, length);
    struct cos_atr read = {.first = T0};
    uint8_t check = 0;
    bool only_t0;

    memcpy(read.bytes, defaults, sizeof defaults);
    const uint8_t ts = cos_read8(&reader);
    const uint8_t format = cos_read8(&reader);
    COS_CHECK(length <= COS_ATR_MAX && (ts == TS_DIRECT || ts == TS_INVERSE), COS_E_DATA);
    read.inverse = ts == TS_INVERSE;
    COS_CHECK(read_groups(&reader, &read, format, &only_t0), COS_E_DATA);
    read.historical_length = format & 0x0F;
    const uint8_t *historical = cos_read_bytes(&reader, read.historical_length);
    if (!only_t0) {
        (void)cos_read8(&reader);
        for (size_t i = 1; i < length; i++) {
            check ^= bytes[i];
        }
    }
    COS_CHECK(cos_read_done(&reader) && check == 0 && values_good(&read), COS_E_DATA);
    memcpy(read.historical, historical, read.historical_length);
    *atr = read;
    return COS_OK;
}
