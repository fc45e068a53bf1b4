/* SPDX-License-Identifier: Apache-2.0
 *
 * The file layer under torn power: each command is cut at each of its NVM operations, and again
 * while the next start carries it on. Afterwards the files are exactly as before the command or as
 * after it, nothing of a deleted one is left, and nothing of the image is wasted.
 */
#include "fs/file.h"
#include "fs_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define MF          "820138 83023F00"
#define TRANSACTION 0x01020304U
#define SECRET      0xE7 /* the byte that content is made of */

/* Where the files of the test's tree are. */
struct places {
    cos_file small, two_pages, large, record, empty, tree, vault;
    cos_file with_heir; /* its page has a chain */
};

struct torn {
    struct fs_rig rig;
    struct places at;
    bool committed; /* what the security chip says at a start */
};

static void fill(struct fs_rig *rig, cos_file file)
{
    const struct cos_file_info info = fs_rig_info(rig, file);
    uint8_t bytes[200];

    memset(bytes, SECRET, sizeof bytes);
    for (uint32_t at = 0; at < info.size; at += sizeof bytes) {
        const uint32_t run = info.size - at < sizeof bytes ? info.size - at : sizeof bytes;
        assert_int_equal(cos_fs_update(&rig->fs, &info, at, bytes, run), COS_OK);
    }
}

static cos_file make_filled(struct fs_rig *rig, cos_file df, const char *fcp)
{
    const cos_file file = fs_rig_make(rig, df, fcp);

    fill(rig, file);
    return file;
}

/* EFs until one of them stands elsewhere. */
static cos_file make_heir(struct fs_rig *rig)
{
    for (unsigned fid = 0x4000; fid < 0x4009; fid++) {
        char fcp[64];
        snprintf(fcp, sizeof fcp, "820101 8302%04X 800108 8800", fid);
        (void)make_filled(rig, COS_FILE_MF, fcp);
    }
    for (cos_file file = 1; file <= cos_table_entries(&rig->fs); file++) {
        struct cos_file_info info;
        struct table_place place;
        uint8_t entry[FILE_ENTRY_SIZE];
        if (cos_fs_info(&rig->fs, file, &info) == COS_OK &&
            cos_table_heir(&rig->fs, file, &info, &place, entry) == COS_OK) {
            return file;
        }
    }
    fail_msg("no file has an heir");
    return COS_FILE_NONE;
}

/* Transactions of `reach` pages; the large file has 32,768 bytes or, for the quick cases, 1,000. */
static struct torn *plant(unsigned reach, bool large)
{
    struct torn *torn = calloc(1, sizeof *torn);
    struct fs_rig *rig = &torn->rig;
    cos_file df;

    assert_non_null(torn);
    fs_rig_open_shape(rig, &(struct fs_rig_shape){.heap = large ? 37100 : 5300,
                                                  .files = 24,
                                                  .names = 24,
                                                  .reserve = (uint16_t)(COS_STORE_SLACK + reach),
                                                  .scrub = true});
    (void)fs_rig_make(rig, COS_FILE_NONE, MF);
    torn->at.small = make_filled(rig, COS_FILE_MF, "820101 83020101 80020010 8C03039000");
    torn->at.two_pages = make_filled(rig, COS_FILE_MF, "820101 83020102 80020100");
    torn->at.large = make_filled(rig, COS_FILE_MF,
                                 large ? "820101 83020103 80028000" : "820101 83020103 800203E8");
    torn->at.record = fs_rig_make(rig, COS_FILE_MF, "82050621001005 83020104");
    torn->at.empty = fs_rig_make(
        rig, COS_FILE_MF, "820138 83025100 8401F0 8402F0F1 8403F0F1F2 8404F0F1F2F3 81020040");
    torn->at.tree = fs_rig_make(rig, COS_FILE_MF, "820138 83025200 8405A000000001");
    df = fs_rig_make(rig, torn->at.tree, "820138 83025100 8401B0 8402B0B1");
    (void)make_filled(rig, torn->at.tree, "820101 83020101 80020384");
    (void)make_filled(rig, df, "820101 83020101 80020040");
    df = fs_rig_make(rig, df, "820138 83025101");
    (void)make_filled(rig, df, "820101 83020102 80020384");
    (void)fs_rig_make(rig, df, "820138 83025101");
    torn->at.vault = COS_FILE_NONE;
    torn->at.with_heir = make_heir(rig);
    assert_int_equal(cos_store_settle(&rig->store), COS_OK);
    fs_check(rig);
    return torn;
}

static void fell(struct torn *torn)
{
    fs_rig_close(&torn->rig);
    free(torn);
}

/* ---- Commands ---- */

static enum cos_result create(struct torn *torn, cos_file df, const char *fcp)
{
    cos_file file;

    return fs_rig_create(&torn->rig, df, fcp, &file);
}

static enum cos_result create_ef(struct torn *torn)
{
    return create(torn, torn->at.tree, "820101 83020105 80020020 8C03039000");
}

static enum cos_result create_records(struct torn *torn)
{
    return create(torn, COS_FILE_MF, "82050221001404 83020106");
}

static enum cos_result create_df(struct torn *torn)
{
    return create(torn, torn->at.tree, "820138 83025300 8402C0C1 8402C0C2");
}

static enum cos_result set_life_cycle(struct torn *torn)
{
    return cos_fs_set_life_cycle(&torn->rig.fs, torn->at.tree, COS_LCS_DEACTIVATED);
}

static enum cos_result delete_small(struct torn *torn)
{
    return cos_fs_delete(&torn->rig.fs, torn->at.small);
}

static enum cos_result delete_with_heir(struct torn *torn)
{
    return cos_fs_delete(&torn->rig.fs, torn->at.with_heir);
}

static enum cos_result delete_two_pages(struct torn *torn)
{
    return cos_fs_delete(&torn->rig.fs, torn->at.two_pages);
}

static enum cos_result delete_large(struct torn *torn)
{
    return cos_fs_delete(&torn->rig.fs, torn->at.large);
}

static enum cos_result delete_records(struct torn *torn)
{
    return cos_fs_delete(&torn->rig.fs, torn->at.record);
}

static enum cos_result delete_empty(struct torn *torn)
{
    return cos_fs_delete(&torn->rig.fs, torn->at.empty);
}

static enum cos_result delete_tree(struct torn *torn)
{
    return cos_fs_delete(&torn->rig.fs, torn->at.tree);
}

static enum cos_result erase_short(struct torn *torn)
{
    const struct cos_file_info info = fs_rig_info(&torn->rig, torn->at.two_pages);

    return cos_fs_erase(&torn->rig.fs, &info, 3, 240);
}

static enum cos_result erase_long(struct torn *torn)
{
    const struct cos_file_info info = fs_rig_info(&torn->rig, torn->at.large);

    return cos_fs_erase(&torn->rig.fs, &info, 1, info.size - 2);
}

/* Both halves; the security chip has committed between them. */
static enum cos_result vault_create(struct torn *torn, bool committed)
{
    static const uint8_t fcp[] = {0x82, 0x01, 0x01, 0x83, 0x02, 0x01, 0x07, 0x80, 0x01,
                                  0x40, 0x85, 0x01, 0x02, 0x8C, 0x03, 0x03, 0x90, 0x00};

    torn->committed = false;
    COS_TRY(cos_fs_prepare_create(&torn->rig.fs, COS_FILE_MF, (struct cos_span){fcp, sizeof fcp}, 9,
                                  TRANSACTION, &torn->at.vault));
    torn->committed = committed;
    return cos_fs_finish(&torn->rig.fs, committed);
}

static enum cos_result vault_create_committed(struct torn *torn)
{
    return vault_create(torn, true);
}

static enum cos_result vault_create_forgotten(struct torn *torn)
{
    return vault_create(torn, false);
}

static enum cos_result vault_delete(struct torn *torn, cos_file file, bool committed)
{
    torn->committed = false;
    COS_TRY(cos_fs_prepare_delete(&torn->rig.fs, file, TRANSACTION));
    torn->committed = committed;
    return cos_fs_finish(&torn->rig.fs, committed);
}

static enum cos_result vault_delete_committed(struct torn *torn)
{
    return vault_delete(torn, torn->at.tree, true);
}

static enum cos_result vault_delete_small(struct torn *torn)
{
    return vault_delete(torn, torn->at.small, true);
}

static enum cos_result vault_delete_forgotten(struct torn *torn)
{
    return vault_delete(torn, torn->at.tree, false);
}

/* ---- Cutting ---- */

/* All that a start does: store, files, and the question to the security chip. */
static bool start(struct torn *torn)
{
    struct fs_rig *rig = &torn->rig;
    uint32_t transaction;

    memset(rig->map, 0x5A, sizeof rig->map);
    memset(&rig->store, 0x5A, sizeof rig->store);
    memset(&rig->fs, 0x5A, sizeof rig->fs);
    if (cos_store_mount(&rig->store, &rig->nvm, &rig->store_config) != COS_OK ||
        cos_fs_mount(&rig->fs, &rig->store, &rig->config) != COS_OK) {
        assert_true(rig->power.dead);
        return false;
    }
    if (cos_fs_prepared(&rig->fs, &transaction)) {
        assert_int_equal(transaction, TRANSACTION);
        if (cos_fs_finish(&rig->fs, torn->committed) != COS_OK) {
            assert_true(rig->power.dead);
            return false;
        }
    }
    return true;
}

/* Nothing of what was deleted is left in the cells: a run of secret bytes stands in files only. */
static unsigned secrets_in_cells(const struct fs_rig *rig)
{
    unsigned secrets = 0;

    for (uint32_t i = 0; i + 8 <= rig->nvm.geometry.size; i += 8) {
        static const uint8_t eight[8] = {SECRET, SECRET, SECRET, SECRET,
                                         SECRET, SECRET, SECRET, SECRET};
        secrets += memcmp(rig->sim.cells + i, eight, sizeof eight) == 0;
    }
    return secrets;
}

struct command {
    const char *name;
    enum cos_result (*run)(struct torn *torn);
    bool large;
};

struct snapshot {
    struct torn torn;
    struct sim_snapshot cells;
};

static void save(struct snapshot *snapshot, const struct torn *torn)
{
    snapshot->torn = *torn;
    sim_nvm_save(&torn->rig.sim, &snapshot->cells);
}

static void restore(struct torn *torn, const struct snapshot *snapshot)
{
    *torn = snapshot->torn;
    sim_nvm_restore(&torn->rig.sim, &snapshot->cells);
}

struct outcome {
    uint64_t before, after;
    unsigned operations, secrets_before, secrets_after;
    unsigned was_before, was_after; /* how often */
};

static struct outcome undisturbed(struct torn *torn, const struct command *command)
{
    struct outcome outcome = {.before = fs_check_digest(&torn->rig)};
    const uint64_t operations = torn->rig.power.operations;

    outcome.secrets_before = secrets_in_cells(&torn->rig);
    assert_int_equal(command->run(torn), COS_OK);
    outcome.operations = (unsigned)(torn->rig.power.operations - operations);
    outcome.after = fs_check_digest(&torn->rig);
    assert_int_equal(cos_store_settle(&torn->rig.store), COS_OK);
    outcome.secrets_after = secrets_in_cells(&torn->rig);
    fs_check(&torn->rig);
    return outcome;
}

static void judge(struct torn *torn, const struct command *command, struct outcome *outcome,
                  const char *how)
{
    const uint64_t digest = fs_check_digest(&torn->rig);

    if (digest != outcome->before && digest != outcome->after) {
        fail_msg("%s, %s: neither before nor after", command->name, how);
    }
    outcome->was_before += digest == outcome->before;
    outcome->was_after += digest == outcome->after;
    fs_check(&torn->rig);
    assert_int_equal(torn->rig.fs.pending.kind, COS_FS_NOTHING);
    assert_int_equal(cos_store_settle(&torn->rig.store), COS_OK);
    assert_int_equal(secrets_in_cells(&torn->rig),
                     digest == outcome->after ? outcome->secrets_after : outcome->secrets_before);
    assert_true(start(torn)); /* what was answered stays */
    assert_true(fs_check_digest(&torn->rig) == digest);
}

/* Cuts the command at its n-th operation, then up to `more` starts at a random one. */
static void cut(struct torn *torn, const struct command *command, struct outcome *outcome,
                unsigned n, enum sim_content content, unsigned more, uint64_t *seed)
{
    struct sim_power *power = &torn->rig.power;
    char how[64];

    snprintf(how, sizeof how, "operation %u, %s, %u more", n, sim_content_name(content), more);
    sim_power_cut(power, n, content, n * 100 + content);
    const enum cos_result result = command->run(torn);
    assert_true(result == COS_E_NVM || result == COS_OK);
    assert_true(power->dead);
    for (unsigned i = 0; i < more; i++) {
        sim_power_up(power);
        sim_power_cut(power, 1 + sim_below(seed, 40),
                      (enum sim_content)sim_below(seed, SIM_CONTENTS), sim_random(seed));
        (void)start(torn);
    }
    sim_power_off(power);
    sim_power_up(power);
    assert_true(start(torn));
    if (content == SIM_ALL && n == outcome->operations && more == 0) {
        assert_true(fs_check_digest(&torn->rig) == outcome->after);
    }
    judge(torn, command, outcome, how);
}

/* Which contents: all of them (four with POWER_SHORT, for slow builds), four, or one of the four in
 * turn. */
enum thoroughness { ALL, FEW, ONE };

static void tear_command(const struct command *command, unsigned reach, enum thoroughness how,
                         uint64_t *seed, unsigned *cuts)
{
    static const enum sim_content few[] = {SIM_NOTHING, SIM_ALL, SIM_GARBAGE, SIM_WEAK};
    struct torn *torn = plant(reach, command->large);
    struct snapshot snapshot = {0};

    save(&snapshot, torn);
    struct outcome outcome = undisturbed(torn, command);
    assert_true(outcome.operations > 1);
    for (unsigned n = 1; n <= outcome.operations; n++) {
        for (unsigned c = 0; c < (how == ALL ? SIM_CONTENTS : how == FEW ? COUNT(few) : 1); c++) {
            const enum sim_content content =
                how == ALL ? (enum sim_content)c : few[(c + n) % COUNT(few)];
            const bool again = sim_below(seed, how == ONE ? 10 : 4) == 0;
            restore(torn, &snapshot);
            cut(torn, command, &outcome, n, content, 0, seed);
            if (again) {
                restore(torn, &snapshot);
                cut(torn, command, &outcome, n, content, 1 + sim_below(seed, 3), seed);
            }
            *cuts += 1 + again;
        }
    }
    if (outcome.before != outcome.after) {
        assert_true(outcome.was_before > 0 && outcome.was_after > 0);
    }
    sim_snapshot_free(&snapshot.cells);
    fell(torn);
}

static void tear(const struct command *commands, size_t count, unsigned reach,
                 enum thoroughness how)
{
    uint64_t seed = reach;
    unsigned cuts = 0;

    how = how == ALL && getenv("POWER_SHORT") != NULL ? FEW : how;
    for (size_t i = 0; i < count; i++) {
        tear_command(&commands[i], reach, how, &seed, &cuts);
    }
    printf("# %zu commands, transactions of %u pages: %u cuts\n", count, reach, cuts);
}

static const struct command quick[] = {
    {"create an EF", create_ef, false},
    {"create records", create_records, false},
    {"create a DF", create_df, false},
    {"life cycle", set_life_cycle, false},
    {"delete a small EF", delete_small, false},
    {"delete an EF that has an heir", delete_with_heir, false},
    {"delete an EF of two pages", delete_two_pages, false},
    {"delete an EF of five pages", delete_large, false},
    {"delete records", delete_records, false},
    {"delete an empty DF with four names", delete_empty, false},
    {"delete a tree", delete_tree, false},
    {"erase within a transaction", erase_short, false},
    {"erase more", erase_long, false},
    {"vault: create, committed", vault_create_committed, false},
    {"vault: create, not committed", vault_create_forgotten, false},
    {"vault: delete a tree, committed", vault_delete_committed, false},
    {"vault: delete a small EF, committed", vault_delete_small, false},
    {"vault: delete a tree, not committed", vault_delete_forgotten, false},
};

static void short_transactions(void **state)
{
    (void)state;
    tear(quick, COUNT(quick), 4, ALL);
}

/* Three pages are enough for all that deletes and erases. */
static void the_shortest_transactions(void **state)
{
    (void)state;
    tear(quick + 4, 9, 3, FEW);
}

static void long_transactions(void **state)
{
    (void)state;
    tear(quick, COUNT(quick), 10, FEW);
}

/* 32 KiB: more than 150 pages. */
static void the_largest_file(void **state)
{
    static const struct command large[] = {
        {"delete 32 KiB", delete_large, true},
        {"erase 32 KiB", erase_long, true},
    };

    (void)state;
    tear(large, COUNT(large), 4, ONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_transactions),
        cmocka_unit_test(the_shortest_transactions),
        cmocka_unit_test(long_transactions),
        cmocka_unit_test(the_largest_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
