/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer to reset of a profile, as bytes. What is as the standard has it anyway is left out.
 */
#include "atr.h"

#include <string.h>

/* A group of interface bytes TA TB TC; with TD before it, but for the first. */
struct group {
    unsigned protocol;
    unsigned value[3];
    bool there[3];
};

enum { GROUPS_MAX = 4, HISTORICAL_MAX = 15 };

/* ---- What may be ---- */

static bool speed_is_known(uint8_t fi_di)
{
    static const bool fi[16] = {[0] = 1, [1] = 1, [2] = 1,  [3] = 1,  [4] = 1,  [5] = 1,
                                [6] = 1, [9] = 1, [10] = 1, [11] = 1, [12] = 1, [13] = 1};
    const unsigned di = fi_di & 0x0FU;

    return fi[fi_di >> 4] && di >= 1 && di <= 9;
}

/* Tables 5 to 10 of ISO/IEC 7816-3:2006, and what goes with what. */
static enum outcome check(const struct profile_atr *atr, struct problem *problem)
{
    const struct {
        bool good;
        const char *what;
    } rules[] = {
        {atr->t0 || atr->t1, "no protocol"},
        {speed_is_known(atr->fi_di), "Fi or Di is reserved"},
        {atr->specific || (!atr->fixed && !atr->implicit), "fixed or implicit, but negotiable"},
        {!atr->t0 || atr->wi != 0, "WI 0"},
        {!atr->t1 || (atr->ifsc >= 1 && atr->ifsc <= 254), "IFSC is not 1 to 254"},
        {!atr->t1 || atr->bwi <= 9, "BWI above 9"},
        {!atr->t1 || atr->cwi <= 15, "CWI above 15"},
        {atr->clock_stop <= 3, "clock stop is not 0 to 3"},
        {atr->classes >= 1 && atr->classes <= 7 && atr->classes != 5,
         "classes of operating conditions are not neighbours of A, B, C"},
        {atr->issuer == NULL || strlen(atr->issuer) <= 15, "more than 15 bytes of issuer's data"},
    };

    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (!rules[i].good) {
            return trouble(problem, "profile: ATR: %s", rules[i].what);
        }
    }
    return DONE;
}

/* ---- Parts ---- */

static void set(struct group *group, unsigned n, unsigned value, unsigned usual)
{
    group->value[n] = value;
    group->there[n] = value != usual;
}

static size_t make_groups(const struct profile_atr *atr, struct group groups[GROUPS_MAX])
{
    size_t count = 2;

    memset(groups, 0, GROUPS_MAX * sizeof groups[0]);
    set(&groups[0], 0, atr->fi_di, 0x11);
    set(&groups[0], 2, atr->guard, 0);
    groups[1].protocol = atr->t0 ? 0 : 1;
    groups[1].value[0] =
        (atr->fixed ? 0x80U : 0U) | (atr->implicit ? 0x10U : 0U) | groups[1].protocol;
    groups[1].there[0] = atr->specific;
    set(&groups[1], 2, atr->t0 ? atr->wi : 10U, 10);
    if (atr->t1) {
        groups[count].protocol = 1;
        set(&groups[count], 0, atr->ifsc, 32);
        set(&groups[count], 1, atr->bwi * 16U + atr->cwi, 0x4D);
        set(&groups[count], 2, atr->crc ? 1 : 0, 0);
        count++;
    }
    if (atr->clock_stop != 0 || atr->classes != 1) {
        groups[count].protocol = 15;
        set(&groups[count], 0, atr->clock_stop * 64U + atr->classes, 1);
        count++;
    }
    return count;
}

static bool is_empty(const struct group *group)
{
    return !group->there[0] && !group->there[1] && !group->there[2];
}

static void write_historical(const struct profile_atr *atr, struct bytes *to)
{
    bytes_add(to, "\x80\x31", 2);
    bytes_add8(to, atr->services);
    bytes_add8(to, 0x73);
    bytes_add(to, atr->capabilities, sizeof atr->capabilities);
    bytes_add8(to, 0x00);
    if (atr->issuer != NULL) {
        bytes_add8(to, 0x50U | (unsigned)strlen(atr->issuer));
        bytes_add(to, atr->issuer, strlen(atr->issuer));
    }
    if (atr->life_cycle) {
        bytes_add(to, "\x81\x03", 2);
    }
}

/* ---- The whole ---- */

static void write_groups(const struct group *groups, size_t count, size_t historical,
                         struct bytes *to)
{
    for (size_t i = 0; i < count; i++) {
        unsigned indicator = i == 0 ? (unsigned)historical : groups[i].protocol;
        for (unsigned n = 0; n < 3; n++) {
            indicator |= groups[i].there[n] ? 0x10U << n : 0U;
        }
        bytes_add8(to, indicator | (i + 1 < count ? 0x80U : 0U));
        for (unsigned n = 0; n < 3; n++) {
            if (groups[i].there[n]) {
                bytes_add8(to, groups[i].value[n]);
            }
        }
    }
}

enum outcome atr_make(const struct profile_atr *atr, struct bytes *to, struct problem *problem)
{
    struct group groups[GROUPS_MAX];
    struct bytes historical = {0}, whole = {0};
    uint8_t sum = 0;

    TRY(check(atr, problem));
    size_t count = make_groups(atr, groups);
    /* T=0 alone need not be named, nor T=1 a second time without bytes. */
    if (count == 2 && atr->t0 && is_empty(&groups[1])) {
        count = 1;
    } else if (!atr->t0 && is_empty(&groups[2])) {
        groups[2] = groups[3];
        count--;
    }
    write_historical(atr, &historical);
    if (historical.length > HISTORICAL_MAX) {
        return trouble(problem, "profile: ATR: %zu historical bytes, 15 at most",
                       historical.length);
    }
    bytes_add8(&whole, atr->inverse ? 0x3F : 0x3B);
    write_groups(groups, count, historical.length, &whole);
    bytes_add(&whole, historical.data, historical.length);
    if (count > 2 || !atr->t0) { /* something but T=0 is named */
        for (size_t i = 1; i < whole.length; i++) {
            sum ^= whole.data[i];
        }
        bytes_add8(&whole, sum);
    }
    bytes_add(to, whole.data, whole.length);
    return DONE;
}
