/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzz target: a whole card. The input chooses a card (fresh from the factory, initialized, in use,
 * in use with files of every structure that all may do everything with, in use with keys and PINs
 * of every kind) and is then a sequence of command APDUs from outside, on whichever channel they
 * name, some of them through the issuer's own secure messaging, or through a session under a mutual
 * key, on one channel or on two, with card resets in between. abort() marks what no input may lead
 * to.
 */
#include "rig.h"
#include "secure_domain/domain.h"
#include "twinctl/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 40, CARDS = 5, OPEN_CARD = 3, KEYED_CARD = 4 };

/* The first byte of a step: the length of the APDU that follows, or one of these. */
enum step {
    STEP_CHANNEL = 0xFA, /* the next sessions and commands in them: channel in the next byte */
    STEP_MUTUAL = 0xFB,
    STEP_MUTUAL_OPEN = 0xFC,
    STEP_SECURED_OPEN = 0xFD,
    STEP_SECURED = 0xFE,
    STEP_RESET = 0xFF,
};

static struct bench bench;
static struct gate_snapshot cards[CARDS];
static struct hunt hunt; /* for the keyed card's secrets in what it answers */
enum { CHANNELS = 4 };
static struct iso_sm mutual[CHANNELS];
static struct scp03 issuer[CHANNELS];
static bool secured[CHANNELS], mutual_open[CHANNELS];
static uint8_t on; /* the channel of what comes under secure messaging */

static void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "fuzz_card: %s (SW %04X)\n", what, bench.sw);
        abort();
    }
}

/* A compact rule: all may do everything. */
#define ALL "8C087F00000000000000"

/* CREATE FILE under secure messaging with the value of a template 62. */
static uint16_t create(const char *fcp)
{
    struct bytes value = {0}, data = {0};

    must(hex_read(fcp, value.data, sizeof value.data, &value.length), fcp);
    bytes_template(&data, 0x62, &value);
    return bench_sm(&bench, 0x00, 0xE0, 0x00, 0x00, data.data, data.length);
}

/* DF 5300 with room for data objects, a file of each structure, and a DF below. */
static void make_files(void)
{
    static const struct {
        const char *in, *fcp;
    } files[] = {
        {"00A4000C 02 3F00", "82050221002003 83022F06 " ALL},
        {"00A4000C 02 3F00", "820138 83025300 81020080 8405B1B2B3B4B5 " ALL},
        {"00A4080C 02 5300", "820101 83025301 80020040 " ALL},
        {"00A4080C 02 5300", "82050221000804 83025302 80020040 " ALL},
        {"00A4080C 02 5300", "82050321000804 83025303 80020040 " ALL},
        {"00A4080C 02 5300", "82050421001008 83025304 80020060 " ALL},
        {"00A4080C 02 5300", "82050521001008 83025305 80020060 " ALL},
        {"00A4080C 02 5300", "82050621000804 83025306 " ALL},
        {"00A4080C 02 5300", "82050721000802 83025307 80020020 " ALL},
        {"00A4080C 02 5300", "82023921 83025308 80020080 " ALL},
        {"00A4080C 02 5300", "820101 83025309 80020010 8A0104 " ALL},
        {"00A4080C 02 5300", "82050221001003 8302530A 850102 " ALL},
        {"00A4080C 02 5300", "820101 8302530B 80020020 850103 8B0101"},
        {"00A4080C 02 5300", "820138 83025310 8403C1C2C3 8401C1 " ALL},
        {"00A4080C 04 53005310", "820101 83025311 80020120 8B0102"},
    };

    must(bench_sm_open(&bench, 0x01, 0x03) == 0x9000, "the issuer's session");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        must(bench_sm_hex(&bench, files[i].in) == 0x9000, files[i].in);
        must(create(files[i].fcp) == 0x9000, files[i].fcp);
    }
    must(bench_sm_hex(&bench, "00A4080C 02 2F06") == 0x9000, "EF.ARR");
    must(bench_sm_hex(&bench, "00DC0104 20 80017F9000 0000000000 0000000000000000 0000000000000000"
                              "000000000000") == 0x9000 &&
             bench_sm_hex(&bench, "00DC0204 20 8001039000 80017CA406830181950108 0000000000000000"
                                  "0000000000000000") == 0x9000,
         "rules of EF.ARR");
}

static void make_card(unsigned card)
{
    static const enum cos_life_cycle states[CARDS] = {COS_LIFE_OPERATIONAL, COS_LIFE_INITIALIZED,
                                                      COS_LIFE_FABRICATED, COS_LIFE_OPERATIONAL};
    struct bench_sizes large = bench_small;

    if (card == KEYED_CARD) {
        rig_make_card(&bench);
        rig_list_secrets(&bench, &hunt);
        hunt.count--; /* whoever satisfies its rule reads the file */
        return;
    }
    large.app.size = 16384;
    large.app_pages = 61;
    large.files = 32;
    bench_init(&bench, card == OPEN_CARD ? &large : &bench_small);
    must(rig_power_on(&bench) && bench_produce_to(&bench, states[card]), "production");
    if (card == OPEN_CARD) {
        make_files();
    }
    bench_power_off(&bench);
    must(rig_power_on(&bench), "start");
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    for (unsigned i = 0; i < CARDS; i++) {
        make_card(i);
        gate_snapshot_save(&bench, &cards[i]);
    }
    return 0;
}

static bool word_exists(uint16_t sw)
{
    const unsigned high = sw >> 8;

    return sw == 0x9000 || (high >= 0x61 && high <= 0x6F && high != 0x60);
}

/* Whatever was created, changed and deleted: each file is found, and stands in the tree. */
static void check_files(void)
{
    const struct cos_fs *fs = &bench.app.fs;
    struct cos_file_info info;
    uint32_t cursor = 0;
    enum cos_result result;
    cos_file file;

    if (bench.secure.life_cycle < COS_LIFE_INITIALIZED) {
        return; /* there need not be any */
    }
    while ((result = cos_fs_next(fs, &cursor, &file, &info)) == COS_OK) {
        bool below;
        cos_file found;
        must(cos_fs_is_below(fs, file, 0, &below) == COS_OK && below, "files stand below the MF");
        must(file == 0 ||
                 (cos_fs_find_child(fs, info.parent, info.fid, &found) == COS_OK && found == file),
             "files are found");
    }
    must(result == COS_E_END_OF_DATA, "files can be read");
}

/* A channel that is closed has nothing left: no status, no session. */
static void check_channels(void)
{
    for (uint8_t i = 1; i < COS_CHANNELS && !bench.app.channels[i].open; i++) {
        const struct cos_channel *channel = &bench.secure.channels[i];
        must((channel->pins_global | channel->pins_local | channel->keys_global |
              channel->keys_local | channel->application) == 0 &&
                 cos_session_seen(&bench.secure, i) == NULL,
             "a closed channel has no security status");
    }
}

/* No input mutes the card, and what is stored stays consistent. */
static void check(enum cos_life_cycle before)
{
    const bool started_over = before == COS_LIFE_LOCKED;
    const enum cos_life_cycle now = (enum cos_life_cycle)bench.secure.life_cycle;

    must(word_exists(bench.sw), "a status word of the standard");
    must(!bench.app.mute && bench.secure.alive == COS_YES, "no input mutes the card");
    must(bench.sw != 0x6F00, "no input is without a diagnosis");
    must(now >= before || (started_over && now == COS_LIFE_OPERATIONAL), "the life cycle goes on");
    check_channels();
    for (uint16_t i = 0; i < bench.secure.config.objects; i++) {
        struct object object;
        must(cos_object_read(&bench.secure, i, &object) == COS_OK, "objects can be read");
    }
}

static void secured_step(const uint8_t *apdu, size_t length)
{
    const size_t nc = length > 5 ? length - 5 : 0;

    if (secured[on] && length >= 4 && nc <= 200) {
        bench.scp03 = issuer[on];
        bench.scp03_channel = on;
        (void)bench_sm(&bench, apdu[0] & 0x90U, apdu[1], apdu[2], apdu[3], apdu + 5, nc);
        issuer[on] = bench.scp03;
    }
}

static void open_secured(void)
{
    const uint8_t version = bench.secure.life_cycle == COS_LIFE_PRODUCED ? 0x30 : 0x01;

    bench.scp03_channel = on;
    secured[on] = bench.secure.life_cycle >= COS_LIFE_PRODUCED &&
                  bench_sm_open(&bench, version, 0x03) == 0x9000;
    issuer[on] = bench.scp03;
}

static void mutual_step(const uint8_t *apdu, size_t length)
{
    const size_t nc = length > 5 ? length - 5 : 0;

    if (mutual_open[on] && length >= 4 && nc <= 200) {
        const struct command command = {apdu[0] & 0x90U, apdu[1], apdu[2], apdu[3],
                                        apdu + 5,        nc,      256};
        must(iso_send_command(&bench, &mutual[on], &command) != 0,
             "what is protected is authentic");
    }
}

static void open_mutual(void)
{
    mutual[on] = rig_mutual_key();
    mutual[on].channel = on;
    mutual_open[on] = iso_authenticate(&bench, RIG_MUTUAL, &mutual[on]) == 0x9000;
    must(bench.sw != 0, "the card proves its key");
}

static void forget_sessions(void)
{
    memset(secured, 0, sizeof secured);
    memset(mutual_open, 0, sizeof mutual_open);
    on = 0;
}

static void reset(void)
{
    bench_power_off(&bench);
    (void)rig_power_on(&bench);
    forget_sessions();
}

static void one_step(struct cos_reader *input)
{
    const uint8_t kind = cos_read8(input);
    const bool wrapped = kind == STEP_SECURED || kind == STEP_MUTUAL;
    uint8_t apdu[BENCH_APDU_MAX];

    switch (kind) {
    case STEP_RESET:
        reset();
        return;
    case STEP_CHANNEL:
        on = cos_read8(input) % CHANNELS;
        return;
    case STEP_SECURED_OPEN:
        open_secured();
        return;
    case STEP_MUTUAL_OPEN:
        open_mutual();
        return;
    default:
        break;
    }
    const size_t length = rig_take(input, apdu, wrapped ? cos_read8(input) : kind);
    if (kind == STEP_SECURED) {
        secured_step(apdu, length);
    } else if (kind == STEP_MUTUAL) {
        mutual_step(apdu, length);
    } else if (length > 0) {
        (void)bench_apdu(&bench, apdu, length);
    }
    hunt_see(&hunt, bench.data, bench.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cos_reader input = cos_reader(data, size);

    gate_snapshot_restore(&bench, &cards[cos_read8(&input) % CARDS]);
    forget_sessions();
    bench.sw = 0x9000;
    hunt.seen_length = 0;
    for (unsigned step = 0; step < STEPS && input.length > 0; step++) {
        const enum cos_life_cycle before = (enum cos_life_cycle)bench.secure.life_cycle;
        one_step(&input);
        check(before);
    }
    check_files();
    must(hunt_find(&hunt, hunt.seen, hunt.seen_length) == NULL ||
             hunt_find(&hunt, data, size) != NULL, /* who brings a secret, may read it */
         "a secret was answered");
    return 0;
}
