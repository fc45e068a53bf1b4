/* SPDX-License-Identifier: Apache-2.0
 *
 * twinctl: the ATR of a profile, to the byte, as the card reads it; and what no profile may say.
 */
#include "cos/atr.h"
#include "twinctl/atr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* A card that says no more than it must, with T=0, but for what a text says: "fi_di=150 t1=1". */
static struct profile_atr profile_of(const char *text)
{
    static const struct profile_atr least = {.t0 = true,
                                             .fi_di = 0x11,
                                             .wi = 10,
                                             .ifsc = 32,
                                             .bwi = 4,
                                             .cwi = 13,
                                             .classes = 1,
                                             .services = 0xC8,
                                             .capabilities = {0xF7, 0xC1}};
    static const struct {
        const char *name;
        size_t at;
    } numbers[] = {
        {"fi_di", offsetof(struct profile_atr, fi_di)},
        {"guard", offsetof(struct profile_atr, guard)},
        {"wi", offsetof(struct profile_atr, wi)},
        {"ifsc", offsetof(struct profile_atr, ifsc)},
        {"bwi", offsetof(struct profile_atr, bwi)},
        {"cwi", offsetof(struct profile_atr, cwi)},
        {"clock_stop", offsetof(struct profile_atr, clock_stop)},
        {"classes", offsetof(struct profile_atr, classes)},
    };
    struct profile_atr atr = least;
    char name[16], value[24];
    int length = 0;

    for (; sscanf(text, " %15[a-z0-9_]=%23s%n", name, value, &length) == 2; text += length) {
        const bool yes = strcmp(value, "yes") == 0;
        bool known = strcmp(name, "issuer") == 0;
        atr.issuer = known ? strchr(text, '=') + 1 : atr.issuer; /* the last one */
        atr.inverse |= strcmp(name, "inverse") == 0 && yes;
        atr.t0 = strcmp(name, "t0") == 0 ? yes : atr.t0;
        atr.t1 |= strcmp(name, "t1") == 0 && yes;
        atr.specific |= strcmp(name, "specific") == 0 && yes;
        atr.fixed |= strcmp(name, "fixed") == 0 && yes;
        atr.implicit |= strcmp(name, "implicit") == 0 && yes;
        atr.crc |= strcmp(name, "crc") == 0 && yes;
        atr.life_cycle |= strcmp(name, "life_cycle") == 0 && yes;
        for (size_t i = 0; i < COUNT(numbers); i++) {
            if (strcmp(name, numbers[i].name) == 0) {
                ((uint8_t *)&atr)[numbers[i].at] = (uint8_t)strtoul(value, NULL, 0);
                known = true;
            }
        }
        assert_true(known || yes || strcmp(value, "no") == 0);
    }
    return atr;
}

#define HISTORICAL "8031C873F7C100"
#define T1_ONLY    "t0=no t1=yes"

static const struct {
    const char *what;
    const char *atr;
    const char *bytes; /* without TCK, '+' at the end where there is one */
} good[] = {
    {"T=0 as ever", "", "3B07" HISTORICAL},
    {"inverse convention", "inverse=yes", "3F07" HISTORICAL},
    {"speed", "fi_di=0x96", "3B1796" HISTORICAL},
    {"guard time", "guard=255", "3B47FF" HISTORICAL},
    {"speed and guard time", "fi_di=0xD4 guard=2", "3B57D402" HISTORICAL},
    {"WI", "wi=20",
     "3B87"
     "4014" HISTORICAL},
    {"WI 255", "wi=255",
     "3B87"
     "40FF" HISTORICAL},
    {"specific mode", "specific=yes",
     "3B87"
     "1000" HISTORICAL},
    {"specific mode, until power is off", "fi_di=0x96 specific=yes fixed=yes",
     "3B9796"
     "1080" HISTORICAL},
    {"specific mode, TA1 does not hold", "fi_di=0x96 specific=yes implicit=yes wi=1",
     "3B9796"
     "501001" HISTORICAL},
    {"T=1", T1_ONLY, "3B8701" HISTORICAL "+"},
    {"T=1 with IFSC", T1_ONLY " ifsc=254",
     "3B87"
     "81"
     "11FE" HISTORICAL "+"},
    {"T=1 with waiting times", T1_ONLY " bwi=9 cwi=15",
     "3B87"
     "81"
     "219F" HISTORICAL "+"},
    {"T=1 with CRC", T1_ONLY " crc=yes",
     "3B87"
     "81"
     "4101" HISTORICAL "+"},
    {"T=1, specific", T1_ONLY " specific=yes fixed=yes ifsc=1",
     "3B87"
     "9181"
     "1101" HISTORICAL "+"},
    {"T=1: WI does not matter", T1_ONLY " wi=0", "3B8701" HISTORICAL "+"},
    {"T=0, then T=1", "t1=yes",
     "3B87"
     "80"
     "01" HISTORICAL "+"},
    {"T=0, then T=1, specific: T=0", "t1=yes specific=yes",
     "3B87"
     "9000"
     "01" HISTORICAL "+"},
    {"T=0 and classes", "classes=7",
     "3B87"
     "80"
     "1F07" HISTORICAL "+"},
    {"T=1 and clock stop at low", T1_ONLY " clock_stop=1 classes=3",
     "3B87"
     "81"
     "1F43" HISTORICAL "+"},
    {"T=1 with a byte, and clock stop", T1_ONLY " ifsc=64 clock_stop=2",
     "3B87"
     "81"
     "9140"
     "1F81" HISTORICAL "+"},
    {"everything",
     "t1=yes fi_di=0x95 guard=1 specific=yes fixed=yes wi=11 ifsc=100 bwi=0 cwi=0 crc=yes "
     "clock_stop=3 classes=6",
     "3BD79501"
     "D0800B"
     "F1640001"
     "1FC6" HISTORICAL "+"},
    {"issuer's data", "issuer=TWIN", "3B0C" HISTORICAL "545457494E"},
    {"life cycle", "life_cycle=yes", "3B09" HISTORICAL "8103"},
    {"both", "life_cycle=yes issuer=12345", "3B0F" HISTORICAL "5531323334358103"},
};

static void check(const char *what, const char *expected, const struct bytes *made)
{
    char text[2 * BYTES_MAX + 2];
    struct cos_atr read;
    uint8_t sum = 0;

    hex_write(made->data, made->length, text);
    if (expected[strlen(expected) - 1] == '+') {
        for (size_t i = 1; i < made->length; i++) {
            sum ^= made->data[i];
        }
        strcpy(text + strlen(text) - 2, "+");
    }
    if (strcmp(text, expected) != 0 || sum != 0 ||
        cos_atr_read(made->data, made->length, &read) != COS_OK) {
        fail_msg("%s: %s, not %s", what, text, expected);
    }
}

static void what_a_profile_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct bytes made = {0};
        struct problem problem;
        const struct profile_atr atr = profile_of(good[i].atr);
        assert_int_equal(atr_make(&atr, &made, &problem), DONE);
        check(good[i].what, good[i].bytes, &made);
    }
}

static void what_no_profile_may_say(void **state)
{
    static const struct {
        const char *atr, *text;
    } rows[] = {
        {"t0=no", "no protocol"},
        {"fi_di=0x71", "Fi or Di is reserved"},
        {"fi_di=0x81", "Fi or Di is reserved"},
        {"fi_di=0xE1", "Fi or Di is reserved"},
        {"fi_di=0x10", "Fi or Di is reserved"},
        {"fi_di=0x1A", "Fi or Di is reserved"},
        {"fi_di=0", "Fi or Di is reserved"},
        {"fixed=yes", "fixed or implicit, but negotiable"},
        {"implicit=yes", "fixed or implicit, but negotiable"},
        {"wi=0", "WI 0"},
        {T1_ONLY " ifsc=0", "IFSC is not 1 to 254"},
        {T1_ONLY " ifsc=255", "IFSC is not 1 to 254"},
        {"t1=yes ifsc=255", "IFSC is not 1 to 254"},
        {T1_ONLY " bwi=10", "BWI above 9"},
        {T1_ONLY " cwi=16", "CWI above 15"},
        {"clock_stop=4", "clock stop is not 0 to 3"},
        {"classes=0", "classes of operating conditions are not neighbours of A, B, C"},
        {"classes=5", "classes of operating conditions are not neighbours of A, B, C"},
        {"classes=8", "classes of operating conditions are not neighbours of A, B, C"},
        {"issuer=0123456789ABCDEF", "more than 15 bytes of issuer's data"},
        {"issuer=12345678", "16 historical bytes, 15 at most"},
        {"life_cycle=yes issuer=123456", "16 historical bytes, 15 at most"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes made = {0};
        struct problem problem = {0};
        char expected[160];
        snprintf(expected, sizeof expected, "profile: ATR: %s", rows[i].text);
        const struct profile_atr atr = profile_of(rows[i].atr);
        assert_int_equal(atr_make(&atr, &made, &problem), TROUBLE);
        assert_string_equal(problem.text, expected);
        assert_int_equal(made.length, 0);
    }
}

/* Every TA1, against the table of the card. */
static void every_speed(void **state)
{
    (void)state;
    for (unsigned value = 0; value < 256; value++) {
        struct profile_atr atr = profile_of("");
        uint8_t written[COS_ATR_MAX];
        const struct cos_atr as_card = {.offered = 1,
                                        .present = COS_ATR_PRESENT(COS_ATR_TA1),
                                        .bytes = {[COS_ATR_TA1] = (uint8_t)value, [11] = 0}};
        struct bytes made = {0};
        struct problem problem;
        atr.fi_di = (uint8_t)value;
        const bool can_be = cos_atr_write(&as_card, written, sizeof written) != 0;
        assert_int_equal(atr_make(&atr, &made, &problem), can_be ? DONE : TROUBLE);
    }
}

static void the_sample(void **state)
{
    struct bytes made = {0};
    struct problem problem;

    (void)state;
    assert_int_equal(atr_make(&sample_profile.atr, &made, &problem), DONE);
    check("sample",
          "3B9E96"
          "80"
          "B1FE45"
          "1FC7"
          "8031F873F7C100545457494E8103+",
          &made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_profile_says),
        cmocka_unit_test(what_no_profile_may_say),
        cmocka_unit_test(every_speed),
        cmocka_unit_test(the_sample),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
