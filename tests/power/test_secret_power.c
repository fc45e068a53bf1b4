/* SPDX-License-Identifier: Apache-2.0
 *
 * Torn power: secrets that have no room in a slot, stored, replaced and deleted. Before each
 * action, and again after each tear, the key that there is has made a checksum: it is the old one's
 * or the new one's, as OpenSSL computes them.
 */
#include "power_rig.h"
#include "twinctl/bytes.h"

#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#define NAME   "8409F05457494E434F5301"
#define HALF_A "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"
#define HALF_B "202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F"
#define HEAD   NAME " 800103 C90104 CE0130 "
#define LONG_1 "80E2E000 5C 8020 59 830105 " HEAD "C740" HALF_A HALF_B
#define LONG_2 "80E2E000 5C 8020 59 830105 " HEAD "C740" HALF_B HALF_A
#define SHORT  "80E2E000 3C 8020 39 830105 " HEAD "C720" HALF_A
/* The long key and another one. */
#define TOGETHER                                                                                   \
    "80E2E000 98 8020 59 830105 " HEAD "C740" HALF_B HALF_A " 8020 39 830106 " HEAD "C720" HALF_B
#define SET     "0022C1B4 03 840185"
#define COMPUTE "002A8E80 03 616263"

/* What was computed is what this key (hexadecimal) gives. */
static bool is_of(const struct bench *bench, const char *text)
{
    uint8_t key[64], mac[EVP_MAX_MD_SIZE];
    size_t length = 0;
    unsigned size = 0;

    return hex_read(text, key, sizeof key, &length) &&
           HMAC(EVP_sha512(), key, (int)length, (const uint8_t *)"abc", 3, mac, &size) != NULL &&
           bench->length == size && memcmp(bench->data, mac, size) == 0;
}

static bool issuer(struct bench *bench)
{
    bench->secure.tested = 0xFF; /* known answers are computed elsewhere */
    return bench_sm_open(bench, 0x01, 0x03) == 0x9000 &&
           bench_sm_hex(bench, "00A4040C 09 F05457494E434F5301") == 0x9000;
}

/* The key is one of the three, or, if `store` is NULL, there may be none. */
static bool with_key(struct bench *bench, const char *store)
{
    if (!issuer(bench)) {
        return false;
    }
    if (bench_sm_hex(bench, SET) == 0x6A88 &&
        (store == NULL || bench_sm_hex(bench, store) != 0x9000)) {
        return store == NULL;
    }
    return bench_sm_hex(bench, SET) == 0x9000 && bench_sm_hex(bench, COMPUTE) == 0x9000 &&
           (is_of(bench, HALF_A HALF_B) || is_of(bench, HALF_B HALF_A) || is_of(bench, HALF_A));
}

static bool with_none(struct bench *bench)
{
    return with_key(bench, NULL);
}

static bool with_long(struct bench *bench)
{
    return with_key(bench, LONG_1);
}

static bool with_short(struct bench *bench)
{
    return with_key(bench, SHORT);
}

#define ACTION .state = COS_LIFE_OPERATIONAL, .secured = true

static const struct power_action actions[] = {
    {ACTION, .name = "store-long", .prepare = with_none, .states = 2, .command = LONG_1},
    {ACTION, .name = "store-long-over-short", .prepare = with_short, .once = true, .states = 2,
     .command = LONG_2},
    {ACTION, .name = "store-long-over-long", .prepare = with_long, .once = true, .states = 2,
     .command = LONG_2},
    {ACTION, .name = "store-short-over-long", .prepare = with_long, .once = true, .states = 2,
     .command = SHORT},
    {ACTION, .name = "store-long-and-another", .prepare = with_long, .once = true, .states = 2,
     .command = TOGETHER},
    {ACTION, .name = "delete-long", .prepare = with_long, .once = true, .states = 2,
     .command = "80E40000 03 D00185"},
    {ACTION, .name = "terminate-card-with-a-long-one", .prepare = with_long, .once = true,
     .command = "80F080FF"},
};

int main(int argc, char **argv)
{
    if (getenv("POWER_LONG") == NULL) {
        (void)setenv("POWER_SHORT", "1", 0);
    }
    return power_main("test_secret_power", actions, sizeof actions / sizeof actions[0], argc, argv);
}
