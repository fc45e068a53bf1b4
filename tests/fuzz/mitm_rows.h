/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands of fuzz_mitm.c, for a card of rig.h.
 */
#ifndef FUZZ_MITM_ROWS_H
#define FUZZ_MITM_ROWS_H

#include "rig.h"

enum how { CLEAR, ISSUER, TERMINAL }; /* in the clear, under SCP03, under mutual key 14 */
enum answer { SAME, CHANCE };         /* CHANCE: random numbers are in it */

static const struct row {
    enum how how;
    enum answer answer;
    const char *apdu;
} rows[] = {
    {CLEAR, SAME, RIG_SELECT},
    {CLEAR, SAME, "00200081 06 313233343536"},                  /* VERIFY */
    {CLEAR, SAME, "00200081 06 363534333231"},                  /* wrong, until it is changed */
    {CLEAR, SAME, "00200081"},                                  /* how many tries? */
    {CLEAR, SAME, "00200083 08" RIG_PIN_3},                     /* VERIFY */
    {CLEAR, SAME, "00200085 08 26940731FFFFFFFF"},              /* one of two uses */
    {CLEAR, SAME, "00240081 0C 313233343536 363534333231"},     /* CHANGE */
    {CLEAR, SAME, "00240081 0C 363534333231 313233343536"},     /* and back */
    {CLEAR, SAME, "00240084 0C 582031946705 582031946706"},     /* a transport PIN */
    {CLEAR, SAME, "002C0081 0E 3837363534333231 313233343536"}, /* RESET RETRY COUNTER */
    {CLEAR, SAME, "00260083 08" RIG_PIN_3},                     /* DISABLE */
    {CLEAR, SAME, "00280083 08" RIG_PIN_3},                     /* ENABLE */
    {CLEAR, SAME, "0022C1AA 03 800130"},
    {CLEAR, SAME, "00880082 10 000102030405060708090A0B0C0D0E0F"}, /* INTERNAL AUTHENTICATE */
    {CLEAR, SAME, "0088008D"},                                     /* HOTP */
    {CLEAR, SAME, "0022C1B6 03 840185"}, /* signs after PIN 3, each time */
    {CLEAR, SAME, "0022C1B6 03 840187"}, /* signs twice in its life */
    {CLEAR, SAME, "0022C1B8 03 840189"},
    {CLEAR, SAME, "0022C1B4 03 84018A"},
    {CLEAR, SAME, "002A9E9A 14 0102030405060708090A0B0C0D0E0F1011121314 00"},
    {CLEAR, SAME, "002A9080 03 616263 00"},
    {CLEAR, SAME, "002A8E80 03 010203 00"},
    {CLEAR, SAME, "002A8680 05 0102030405 00"},
    {CLEAR, CHANCE, "0084000010"},                /* GET CHALLENGE */
    {CLEAR, CHANCE, "00478000 05 B603840103 00"}, /* GENERATE */
    {CLEAR, SAME, "00478100 05 B603840185 00"},
    {CLEAR, SAME, "00A4020C 02 5111"},
    {CLEAR, SAME, "00B0000010"},
    {CLEAR, SAME, "00A4020C 02 5112"},
    {CLEAR, SAME, "00D60000 04 CAFE0001"},
    {CLEAR, SAME, "00DC0114 10 000000010203040506070809 0A0B0C0D"}, /* after key 3 */
    {CLEAR, SAME, "00B2011410"},
    {ISSUER, SAME, RIG_SELECT},
    {ISSUER, SAME, "002C0381"},
    {ISSUER, SAME, "00A4020C 02 5111"},
    {ISSUER, SAME, "00D60000 04 0BADF00D"},
    {ISSUER, SAME, "00E00000 17 6215 82020121 83025113 80020020 850102 8C0443C0C000"},
    {ISSUER, SAME, "00E40000 02 5113"},
    {ISSUER, SAME, "80E2E000 10 80100D 83010E C7083132333435363738"}, /* a global PIN */
    {ISSUER, SAME, "80CA00E0"},
    {TERMINAL, SAME, "00200081 06 313233343536"},
    {TERMINAL, SAME, "00200081 06 000000000000"},
    {TERMINAL, SAME, "002A9E9A 14 0102030405060708090A0B0C0D0E0F1011121314 00"},
    {TERMINAL, SAME, "00B2011410"},
};
#define ROWS (sizeof rows / sizeof rows[0])

/* With other channels. The application is not shareable: it is current on one of them. */
static const struct row channel_rows[] = {
    {CLEAR, SAME, "0070000001"},
    {CLEAR, SAME, "00700002"},
    {CLEAR, SAME, "01708000"},
    {CLEAR, SAME, "00708002"},
    {CLEAR, SAME, "00A4000C 02 3F00"},
    {CLEAR, SAME, "01A4040C 09 F05457494E434F5301"},
    {CLEAR, SAME, "01200081 06 313233343536"},
    {CLEAR, SAME, "02200001 08 3630353931383432"},
    {CLEAR, SAME, "01880082 10 000102030405060708090A0B0C0D0E0F"},
    {CLEAR, SAME, "01B2011410"},
    {CLEAR, SAME, "01CA9F7F00"},
    {CLEAR, CHANCE, "0184000010"},
    {CLEAR, SAME, "8250000008 0102030405060708"},
    {ISSUER, SAME, "10E20000 01 00"},
};
#define CHANNEL_ROWS (sizeof channel_rows / sizeof channel_rows[0])

#endif
