/* SPDX-License-Identifier: Apache-2.0
 *
 * Torn power on a whole card: every command that writes and every production step, cut at every NVM
 * operation of either chip. tests/power/README.md says what is tested and how.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STATE_MAX = 8192, CHAIN_MAX = 600, LATER_STARTS = 3 };

/* One thing a card does, from a start on. prepare() brings the volatile state; its NVM writes are
 * not torn here. */
struct action {
    const char *name;
    enum cos_life_cycle state; /* of the card that it begins with */
    bool (*prepare)(struct bench *bench);
    bool (*act)(
        struct bench *bench); /* true: the card reported success (or the refusal that is meant) */
    bool once;                /* cannot be done again once it is done */
    bool fresh; /* draws random secrets, others in each run: only what is not secret is compared */
};

/* ---- The actions ---- */

static bool nothing(struct bench *bench)
{
    (void)bench;
    return true;
}

static bool select_application(struct bench *bench)
{
    return bench_hex(bench, "00A4040C09F05457494E434F5301") == 0x9000;
}

static bool issuer(struct bench *bench)
{
    return bench_sm_open(bench, 0x01, 0x03) == 0x9000 &&
           bench_sm_hex(bench, "00A4040C 09 F05457494E434F5301") == 0x9000;
}

static bool first_start(struct bench *bench)
{
    return bench_power_on(bench);
}

static bool step_3(struct bench *bench)
{
    return bench_step(bench, 3);
}

static bool step_4(struct bench *bench)
{
    return bench_step(bench, 4);
}

static bool step_5(struct bench *bench)
{
    return bench_step(bench, 5);
}

static bool step_6(struct bench *bench)
{
    return bench_step(bench, 6);
}

static bool step_seal(struct bench *bench)
{
    return bench_step(bench, 7);
}

static bool verify_right(struct bench *bench)
{
    return bench_hex(bench, "00200081 06 313233343536") == 0x9000;
}

static bool verify_wrong(struct bench *bench)
{
    return (bench_hex(bench, "00200081 06 393939393939") & 0xFFF0) == 0x63C0;
}

static bool change_pin(struct bench *bench)
{
    return bench_hex(bench, "00240081 0C 313233343536 363534333231") == 0x9000;
}

static bool unblock_pin(struct bench *bench)
{
    return bench_hex(bench, "002C0081 0E 3837363534333231 313233343536") == 0x9000;
}

static bool select_holder_as_issuer(struct bench *bench)
{
    return issuer(bench) && bench_sm_hex(bench, "00A4020C 02 5101") == 0x9000;
}

static bool update_binary(struct bench *bench)
{
    return bench_sm_hex(
               bench,
               "00D60000 20 555044415445442055504441544544205550444154454420555044415445442E") ==
           0x9000;
}

static bool external_authenticate(struct bench *bench)
{
    uint8_t apdu[21] = {0x00, 0x82, 0x00, 0x83, 0x10};

    if (bench_hex(bench, "0084000010") != 0x9000) {
        return false;
    }
    if (cos_crypto_tomcrypt.aes_encrypt(NULL, bench_external_key, 16, bench->data, apdu + 5) !=
        COS_OK) {
        return false;
    }
    return bench_apdu(bench, apdu, sizeof apdu) == 0x9000;
}

static bool external_authenticate_wrong(struct bench *bench)
{
    return bench_hex(bench, "0084000010") == 0x9000 &&
           (bench_hex(bench, "00820083 10 00112233445566778899AABBCCDDEEFF") & 0xFFF0) == 0x63C0;
}

static bool authenticated(struct bench *bench)
{
    return select_application(bench) && external_authenticate(bench) &&
           bench_hex(bench, "00A4020C025102") == 0x9000;
}

static bool update_record(struct bench *bench)
{
    return bench_hex(bench, "00DC0104 10 5245434F5244204E554D424552203031") == 0x9000;
}

static bool create_file(struct bench *bench)
{
    return bench_sm_hex(bench, "00E00000 16 6214 82020121 83025105 80020040 880120 8C0303C090") ==
           0x9000;
}

static bool open_session(struct bench *bench)
{
    return bench_sm_open(bench, 0x01, 0x01) == 0x9000;
}

static bool put_key(struct bench *bench)
{
    struct bytes keys = {0};

    return scp03_put_key(bench_keys_card.dek, 16, 0x02, &bench_keys_initial, &keys) &&
           bench_sm(bench, 0x80, 0xD8, 0x00, 0x81, keys.data, keys.length) == 0x9000;
}

static bool store_data(struct bench *bench)
{
    return bench_sm_hex(bench, "80E2E000 22 80101F 830104 8409F05457494E434F5301 C00105 C10106 "
                               "C20108 C706 313131313131") == 0x9000;
}

static bool delete_key(struct bench *bench)
{
    return bench_sm_hex(bench, "80E40000 03 D00182") == 0x9000;
}

static bool lock_card(struct bench *bench)
{
    return bench_sm_hex(bench, "80F0807F") == 0x9000;
}

static bool locked(struct bench *bench)
{
    if (bench->secure.life_cycle == COS_LIFE_OPERATIONAL &&
        (bench_sm_open(bench, 0x01, 0x03) != 0x9000 || bench_sm_hex(bench, "80F0807F") != 0x9000)) {
        return false;
    }
    return bench_sm_open(bench, 0x01, 0x03) == 0x9000;
}

static bool unlock_card(struct bench *bench)
{
    return bench_sm_hex(bench, "80F0800F") == 0x9000;
}

static bool terminate_card(struct bench *bench)
{
    return bench_sm_hex(bench, "80F080FF") == 0x9000;
}

static const struct action actions[] = {
    {"first-start", COS_LIFE_BLANK, nothing, first_start, true, true},
    {"pack", COS_LIFE_FABRICATED, nothing, step_3, true, false},
    {"produce", COS_LIFE_PACKAGED, nothing, step_4, true, false},
    {"initialize", COS_LIFE_PRODUCED, nothing, step_5, true, false},
    {"personalize", COS_LIFE_INITIALIZED, nothing, step_6, true, false},
    {"seal", COS_LIFE_PERSONALIZED, nothing, step_seal, true, false},
    {"verify-right", COS_LIFE_OPERATIONAL, select_application, verify_right, false, false},
    {"verify-wrong", COS_LIFE_OPERATIONAL, select_application, verify_wrong, false, false},
    {"change-pin", COS_LIFE_OPERATIONAL, select_application, change_pin, true, false},
    {"reset-retry-counter", COS_LIFE_OPERATIONAL, select_application, unblock_pin, false, false},
    {"update-binary", COS_LIFE_OPERATIONAL, select_holder_as_issuer, update_binary, false, false},
    {"update-record", COS_LIFE_OPERATIONAL, authenticated, update_record, false, false},
    {"create-file", COS_LIFE_OPERATIONAL, issuer, create_file, true, false},
    {"external-authenticate", COS_LIFE_OPERATIONAL, select_application, external_authenticate,
     false, false},
    {"external-authenticate-wrong", COS_LIFE_OPERATIONAL, select_application,
     external_authenticate_wrong, false, false},
    {"open-session", COS_LIFE_OPERATIONAL, nothing, open_session, false, false},
    {"put-key", COS_LIFE_OPERATIONAL, issuer, put_key, true, false},
    {"store-data", COS_LIFE_OPERATIONAL, issuer, store_data, false, false},
    {"delete-key", COS_LIFE_OPERATIONAL, issuer, delete_key, true, false},
    {"lock", COS_LIFE_OPERATIONAL, issuer, lock_card, true, false},
    {"unlock", COS_LIFE_OPERATIONAL, locked, unlock_card, true, false},
    {"terminate", COS_LIFE_OPERATIONAL, issuer, terminate_card, true, false},
};
#define ACTIONS (sizeof actions / sizeof actions[0])

/* ---- Logical state ---- */

/* What the two stores say, and the life cycle. */
struct state {
    uint64_t app, secure;
    uint8_t life_cycle;
    uint8_t tries[16]; /* of the objects, in the order of the table */
};

static uint64_t digest_store(const struct cos_store *store, uint32_t size)
{
    uint8_t bytes[64];
    uint64_t hash = 0xCBF29CE484222325U;

    for (uint32_t at = 0; at < size; at += sizeof bytes) {
        size_t run = size - at < sizeof bytes ? size - at : sizeof bytes;
        if (cos_store_read(store, at, bytes, run) != COS_OK) {
            return 0;
        }
        for (size_t i = 0; i < run; i++) {
            hash = (hash ^ bytes[i]) * 0x100000001B3U;
        }
    }
    return hash;
}

/* Object entries, docs/formats.md: kind at 0, tries left at 18. */
static void read_tries(const struct bench *bench, uint8_t tries[16])
{
    const struct cos_store *store = &bench->secure.store;
    const uint16_t per_page = (uint16_t)(store->payload / 32);

    memset(tries, 0, 16);
    for (uint16_t i = 0; i < bench->sizes.objects && i < 16; i++) {
        uint8_t entry[32];
        uint32_t at = (uint32_t)(1 + i / per_page) * store->payload + (uint32_t)(i % per_page) * 32;
        if (cos_store_read(store, at, entry, sizeof entry) == COS_OK && entry[0] != 0) {
            tries[i] = entry[18];
        }
    }
}

static struct state read_state(const struct bench *bench, bool fresh)
{
    const struct cos_store *app = &bench->app.store, *secure = &bench->secure.store;
    struct state state = {
        .app = digest_store(app, cos_store_size(app)),
        .secure = digest_store(secure, fresh ? secure->payload : cos_store_size(secure)),
        .life_cycle = bench->secure.life_cycle,
    };

    read_tries(bench, state.tries);
    return state;
}

static bool same(const struct state *a, const struct state *b)
{
    return a->app == b->app && a->secure == b->secure && a->life_cycle == b->life_cycle;
}

/* ---- The rig ---- */

struct rig {
    struct bench bench;
    struct sim_snapshot app, secure;
    uint64_t seed;
    const struct action *action;
    /* States that the card goes through, from the start of the action to its end; state_at[n]:
     * where in the chain it stands when operation n (from 1) is interrupted with nothing done. */
    struct state chain[CHAIN_MAX];
    size_t chain_length;
    uint16_t state_at[CHAIN_MAX];
    uint32_t operations; /* of the action */
    unsigned long single, more;
};

static void begin(struct rig *rig)
{
    struct bench *bench = &rig->bench;

    sim_nvm_restore(&bench->app_nvm, &rig->app);
    sim_nvm_restore(&bench->secure_nvm, &rig->secure);
    bench_power_off(bench);
    bench->seed = rig->seed;
    if (rig->action->state != COS_LIFE_BLANK) {
        assert_true(bench_power_on(bench));
    }
    assert_true(rig->action->prepare(bench));
}

/* Starts again after a cut. Returns false if the card does not come up. */
static bool restart(struct rig *rig, struct state *state)
{
    bench_power_off(&rig->bench);
    bool up = bench_power_on(&rig->bench);
    *state = read_state(&rig->bench, rig->action->fresh);
    return up;
}

static void replay_line(const struct rig *rig, const char *why, uint32_t n,
                        enum sim_content content, uint32_t n2, enum sim_content content2)
{
    print_error("%s\n  replay: test_card_power --replay %s:%u:%s:%u:%s\n", why, rig->action->name,
                n, sim_content_name(content), n2, sim_content_name(content2));
}

/* Where in the chain the state stands, from `from` on, one step at the most; -1 if nowhere. */
static int place(const struct rig *rig, const struct state *state, size_t from)
{
    for (size_t i = from; i <= from + 1 && i < rig->chain_length; i++) {
        if (same(state, &rig->chain[i])) {
            return (int)i;
        }
    }
    return -1;
}

/* The undisturbed run, and the same cut cleanly before each operation: the chain of states. */
static void learn(struct rig *rig)
{
    struct state state;

    begin(rig);
    uint64_t before = rig->bench.power.operations;
    assert_true(rig->action->act(&rig->bench));
    rig->operations = (uint32_t)(rig->bench.power.operations - before);
    assert_true(rig->operations > 0 && rig->operations < CHAIN_MAX - 2);
    rig->chain_length = 0;
    for (uint32_t n = 1; n <= rig->operations + 1; n++) {
        begin(rig);
        sim_power_cut(&rig->bench.power, n, SIM_NOTHING, 1);
        (void)rig->action->act(&rig->bench);
        assert_true(restart(rig, &state));
        if (rig->chain_length == 0 || !same(&state, &rig->chain[rig->chain_length - 1])) {
            rig->chain[rig->chain_length++] = state;
        }
        rig->state_at[n] = (uint16_t)(rig->chain_length - 1);
    }
}

/* What must hold after a restart that followed the cut at operation n. */
static bool judge(struct rig *rig, const struct state *state, uint32_t n, bool reported,
                  const char **why)
{
    const struct state *first = &rig->chain[0];
    int at = place(rig, state, rig->state_at[n]);

    if (at < 0) {
        *why = "neither before nor after";
        return false;
    }
    if (reported && at != (int)rig->chain_length - 1) {
        *why = "what was reported done is gone";
        return false;
    }
    if (strcmp(rig->action->name, "verify-wrong") == 0 ||
        strcmp(rig->action->name, "external-authenticate-wrong") == 0) {
        for (size_t i = 0; i < 16; i++) {
            if (state->tries[i] > first->tries[i]) {
                *why = "a try counter rose";
                return false;
            }
        }
    }
    return true;
}

/* A card that was answered from stays as it is, whatever weak cells do. */
static bool stays(struct rig *rig, const struct state *state, const char **why)
{
    struct state again;

    for (unsigned i = 0; i < LATER_STARTS; i++) {
        if (!restart(rig, &again) || !same(&again, state)) {
            *why = "a later start says something else";
            return false;
        }
    }
    return true;
}

/* And it goes on: the action can be done again, or is done. */
static bool goes_on(struct rig *rig, const struct state *state, const char **why)
{
    const struct state *last = &rig->chain[rig->chain_length - 1];

    if (same(state, last) && rig->action->once) {
        return true;
    }
    if (state->life_cycle == COS_LIFE_TERMINATED) {
        return true; /* the app chip may still have its half of a pairing that is no more */
    }
    bool again = rig->action->state == COS_LIFE_BLANK ||
                 (rig->action->prepare(&rig->bench) && rig->action->act(&rig->bench));
    if (!again) {
        *why = "the action cannot be run again";
        return false;
    }
    return true;
}

static bool torn_once(struct rig *rig, uint32_t n, enum sim_content content, uint32_t n2,
                      enum sim_content content2)
{
    const char *why = NULL;
    struct state state;
    struct bench *bench = &rig->bench;

    begin(rig);
    sim_power_cut(&bench->power, n, content, n * 31U + (unsigned)content);
    bool reported = rig->action->act(bench);
    if (n2 != 0) {
        bench_power_off(bench);
        sim_power_cut(&bench->power, n2, content2, n2 * 17U + (unsigned)content2);
        (void)bench_power_on(bench);
        rig->more++;
    } else {
        rig->single++;
    }
    bool good = restart(rig, &state);
    if (!good) {
        why = "the card does not start";
    }
    good = good && judge(rig, &state, n, reported, &why) && stays(rig, &state, &why) &&
           goes_on(rig, &state, &why);
    if (!good) {
        replay_line(rig, why, n, content, n2, content2);
    }
    return good;
}

/* How many operations the recovery after this tear takes. */
static uint32_t recovery_operations(struct rig *rig, uint32_t n, enum sim_content content)
{
    struct state state;

    begin(rig);
    sim_power_cut(&rig->bench.power, n, content, n * 31U + (unsigned)content);
    (void)rig->action->act(&rig->bench);
    uint64_t before = rig->bench.power.operations;
    (void)restart(rig, &state);
    return (uint32_t)(rig->bench.power.operations - before);
}

static void prepare_rig(struct rig *rig, const struct action *action)
{
    struct bench *bench = &rig->bench;

    memset(rig, 0, sizeof *rig);
    rig->action = action;
    bench_init(bench, &bench_small);
    if (action->state == COS_LIFE_OPERATIONAL) {
        bench_free(bench);
        bench_make(bench, &bench_small);
    } else if (action->state != COS_LIFE_BLANK) {
        assert_true(bench_power_on(bench));
        assert_true(bench_produce_to(bench, action->state));
    }
    bench_power_off(bench);
    rig->seed = bench->seed;
    sim_nvm_save(&bench->app_nvm, &rig->app);
    sim_nvm_save(&bench->secure_nvm, &rig->secure);
    learn(rig);
}

static void free_rig(struct rig *rig)
{
    sim_snapshot_free(&rig->app);
    sim_snapshot_free(&rig->secure);
    bench_free(&rig->bench);
}

/* Every content at every operation in the long form; in the short ones every operation, contents in
 * turn. */
static void tear_action(void **state)
{
    static struct rig rig;
    const struct action *action = *state;
    const bool all = getenv("POWER_LONG") != NULL;
    const unsigned step = getenv("POWER_SHORT") != NULL ? 8 : 1;
    unsigned failures = 0;

    prepare_rig(&rig, action);
    for (uint32_t n = 1; n <= rig.operations; n++) {
        for (unsigned content = 0; content < SIM_CONTENTS && failures < 3; content++) {
            if (!all && (n + content) % step != 0) {
                continue;
            }
            failures += !torn_once(&rig, n, (enum sim_content)content, 0, SIM_NOTHING);
            if (!all && (n + content) % (6 * step) != 0) {
                continue;
            }
            uint32_t operations = recovery_operations(&rig, n, (enum sim_content)content);
            for (uint32_t n2 = 1; n2 <= operations && failures < 3; n2++) {
                unsigned content2 = (n + n2 * 5 + content) % SIM_CONTENTS;
                failures +=
                    !torn_once(&rig, n, (enum sim_content)content, n2, (enum sim_content)content2);
            }
        }
    }
    printf("# %-28s %3u operations, %2zu states, %6lu single tears, %6lu double\n", action->name,
           rig.operations, rig.chain_length, rig.single, rig.more);
    free_rig(&rig);
    assert_int_equal(failures, 0);
}

/* --replay ACTION:N:CONTENT:N2:CONTENT2 */
static int replay(const char *text)
{
    static struct rig rig;
    char name[40], content[32], content2[32];
    enum sim_content c, c2;
    unsigned n, n2;

    if (sscanf(text, "%39[^:]:%u:%31[^:]:%u:%31s", name, &n, content, &n2, content2) != 5 ||
        !sim_content_parse(content, &c) || !sim_content_parse(content2, &c2)) {
        fprintf(stderr, "usage: test_card_power --replay ACTION:N:CONTENT:N2:CONTENT2\n");
        return 2;
    }
    for (size_t i = 0; i < ACTIONS; i++) {
        if (strcmp(actions[i].name, name) == 0) {
            prepare_rig(&rig, &actions[i]);
            rig.bench.power.trace = true;
            bool good = torn_once(&rig, n, c, n2, c2);
            printf("%s\n", good ? "holds" : "violated");
            return good ? 0 : 1;
        }
    }
    fprintf(stderr, "no action %s\n", name);
    return 2;
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[ACTIONS];

    if (argc == 3 && strcmp(argv[1], "--replay") == 0) {
        return replay(argv[2]);
    }
    for (size_t i = 0; i < ACTIONS; i++) {
        tests[i] = (struct CMUnitTest){.name = actions[i].name,
                                       .test_func = tear_action,
                                       .initial_state = (void *)(uintptr_t)&actions[i]};
    }
    return cmocka_run_group_tests_name("card power", tests, NULL, NULL);
}
