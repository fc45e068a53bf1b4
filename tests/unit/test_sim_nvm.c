/* SPDX-License-Identifier: Apache-2.0
 *
 * The torn-power NVM itself: it refuses what the port's contract forbids, leaves what it says, and
 * touches nothing else.
 */
#include "sim_nvm.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct sim_power power;
static struct sim_nvm sim, other;
static unsigned violations;

static void violated(const char *message)
{
    (void)message;
    violations++;
}

/* Four erase units of 64 bytes, tear units of 16, program units of 4. */
static void open_chip(uint8_t erased)
{
    const struct cos_nvm_geometry geometry = {
        .size = 256, .erase_unit = 64, .tear_unit = 16, .program_unit = 4, .erased_value = erased};
    power = (struct sim_power){.violated = violated};
    violations = 0;
    sim_nvm_init(&sim, &power, &geometry, 0, 64);
    sim_nvm_init(&other, &power, &geometry, 0, 64);
}

static void close_chip(void)
{
    sim_nvm_free(&sim);
    sim_nvm_free(&other);
    assert_int_equal(power.chip_count, 0);
}

static enum cos_result program(uint32_t address, size_t length)
{
    static const uint8_t data[64] =
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde";
    return sim.nvm.program(sim.nvm.context, address, data, length);
}

static enum cos_result erase(uint32_t address)
{
    return sim.nvm.erase(sim.nvm.context, address);
}

static void breaches_of_contract_are_counted_and_do_nothing(void **state)
{
    (void)state;
    open_chip(0xFF);
    assert_int_equal(erase(0), COS_OK);
    assert_int_equal(program(16, 8), COS_OK);
    uint8_t image[256], data[8];
    memcpy(image, sim.cells, sizeof image);
    static const struct {
        uint32_t address;
        size_t length;
    } table[] = {{17, 4},  {18, 4}, {20, 6},  {8, 16},  {0, 32}, {16, 4},
                 {12, 16}, {20, 4}, {256, 4}, {252, 8}, {0, 0},  {UINT32_MAX - 3, 4}};
    for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_int_equal(program(table[i].address, table[i].length), COS_E_NVM);
        assert_int_equal(violations, i + 1);
    }
    unsigned before = violations;
    assert_int_equal(erase(4), COS_E_NVM);
    assert_int_equal(erase(256), COS_E_NVM);
    assert_int_equal(sim.nvm.read(sim.nvm.context, 250, data, 8), COS_E_NVM);
    assert_int_equal(violations, before + 3);
    assert_memory_equal(image, sim.cells, sizeof image);
    assert_int_equal(power.violations, violations);
    assert_int_equal(program(24, 8), COS_OK); /* the good neighbour still works */
    close_chip();
}

static void operations_are_counted(void **state)
{
    (void)state;
    open_chip(0x00);
    assert_int_equal(erase(0), COS_OK);
    assert_int_equal(program(4, 12), COS_OK);  /* may be a page program */
    assert_int_equal(program(16, 16), COS_OK); /* the same one, not more than a header yet */
    assert_int_equal(program(64, 4), COS_OK);  /* a mark of another page */
    assert_int_equal(sim.counts.page_programs, 0);
    assert_int_equal(program(32, 4), COS_OK); /* still the same one: it is one */
    assert_int_equal(program(68, 4), COS_OK); /* the rest of the mark */
    assert_int_equal(program(72, 4), COS_OK); /* another page: no more than a header */
    assert_int_equal(program(36, 4), COS_OK); /* back: too short for another page program */
    assert_int_equal(sim.counts.programs, 7);
    assert_int_equal(sim.counts.erases, 1);
    assert_int_equal(sim.counts.bytes, 48);
    assert_int_equal(sim.counts.marks, 1);
    assert_int_equal(sim.counts.page_programs, 1);
    assert_int_equal(sim.erases[0], 1);
    assert_int_equal(power.operations, 8);
    close_chip();
}

/* The cut takes both chips, the neighbours keep their bytes, and the unit is no ground for new
 * pages. */
static void a_cut_damages_its_unit_only(void **state)
{
    (void)state;
    for (unsigned content = 0; content < SIM_CONTENTS; content++) {
        for (unsigned erasing = 0; erasing < 2; erasing++) {
            open_chip(0xFF);
            assert_int_equal(program(64, 16), COS_OK);
            assert_int_equal(program(80, 4), COS_OK);
            assert_int_equal(program(96, 16), COS_OK);
            assert_int_equal(program(128, 16), COS_OK);
            uint8_t image[256], byte;
            memcpy(image, sim.cells, sizeof image);
            sim_power_cut(&power, 2, (enum sim_content)content, 77);
            assert_int_equal(other.nvm.erase(other.nvm.context, 0), COS_OK);
            assert_int_equal(erasing ? erase(64) : program(84, 8), COS_E_NVM);
            assert_true(power.dead);
            assert_int_equal(sim.nvm.read(sim.nvm.context, 0, &byte, 1), COS_E_NVM);
            assert_int_equal(other.nvm.read(other.nvm.context, 0, &byte, 1), COS_E_NVM);
            assert_int_equal(other.nvm.erase(other.nvm.context, 0), COS_E_NVM);
            assert_int_equal(violations, 0);
            uint32_t at = erasing ? 64 : 80, length = erasing ? 64 : 16;
            for (unsigned start = 0; start < 20; start++) {
                sim_power_up(&power);
                assert_memory_equal(sim.cells, image, at);
                assert_memory_equal(sim.cells + at + length, image + at + length,
                                    256 - at - length);
            }
            assert_int_equal(program(erasing ? 100 : 92, 4), COS_E_NVM);
            assert_int_equal(violations, 1);
            assert_int_equal(erase(64), COS_OK); /* stable and good again */
            sim_power_up(&power);
            for (unsigned i = 64; i < 128; i++) {
                assert_int_equal(sim.cells[i], 0xFF);
            }
            assert_int_equal(program(84, 8), COS_OK);
            close_chip();
        }
    }
}

/* Which of the contents change at later starts, and which hold what they say. */
static void contents_are_what_their_names_say(void **state)
{
    (void)state;
    unsigned changes[SIM_CONTENTS] = {0};
    for (unsigned content = 0; content < SIM_CONTENTS; content++) {
        for (unsigned seed = 0; seed < 40; seed++) {
            open_chip(0xFF);
            assert_int_equal(program(64, 4), COS_OK);
            uint8_t old[16], new[16], first[16];
            memcpy(old, sim.cells + 64, 16);
            sim_power_cut(&power, 1, (enum sim_content)content, seed);
            assert_int_equal(program(68, 8), COS_E_NVM);
            memcpy(new, old, 16);
            memcpy(new + 4, "01234567", 8);
            memcpy(first, sim.cells + 64, 16);
            bool is_old = memcmp(first, old, 16) == 0, is_new = memcmp(first, new, 16) == 0;
            switch (content) {
            case SIM_NOTHING:
            case SIM_WEAK_OLD:
                assert_true(is_old);
                break;
            case SIM_ALL:
            case SIM_WEAK:
                assert_true(is_new);
                break;
            case SIM_OWN_GARBAGE:
            case SIM_OWN_ERASED:
            case SIM_PREFIX:
            case SIM_SUFFIX:
            case SIM_BITS:
                assert_memory_equal(first, old, 4);
                assert_memory_equal(first + 12, old + 12, 4);
                break;
            case SIM_NEIGHBOUR:
                assert_memory_equal(first + 4, new + 4, 8);
                assert_memory_not_equal(first, old, 4);
                break;
            case SIM_OTHERS_ERASED:
                assert_memory_equal(first + 4, new + 4, 8);
                assert_true(first[0] == 0xFF && first[3] == 0xFF && first[12] == 0xFF);
                break;
            case SIM_LOOKS_ERASED:
            case SIM_WEAK_ERASED:
            case SIM_LOOKS_PROGRAMMED:
                for (unsigned i = 0; i < 16; i++) {
                    assert_int_equal(first[i], content == SIM_LOOKS_PROGRAMMED ? 0x00 : 0xFF);
                }
                break;
            default:
                break;
            }
            for (unsigned start = 0; start < 30; start++) {
                sim_power_up(&power);
                changes[content] += memcmp(first, sim.cells + 64, 16) != 0;
                memcpy(first, sim.cells + 64, 16);
            }
            close_chip();
        }
        assert_int_equal(changes[content] != 0, content >= SIM_WEAK);
    }
}

/* What the three kinds of cells make of a program on programmed ground, and of one that is torn. */
static void kinds_differ_where_cells_do(void **state)
{
    (void)state;
    static const uint8_t first[4] = {0xF0, 0xCC, 0x0F, 0xFF}, second[4] = {0x3C, 0xAA, 0xF0, 0x00};
    static const struct {
        enum sim_kind kind;
        uint8_t erased;
        uint8_t cells[4];
        unsigned violations;
    } table[] = {
        {SIM_WRITE_ONCE, 0xFF, {0xF0, 0xCC, 0x0F, 0xFF}, 1},
        {SIM_FLASH, 0xFF, {0x30, 0x88, 0x00, 0x00}, 0},
        {SIM_FLASH, 0x00, {0xFC, 0xEE, 0xFF, 0xFF}, 0},
        {SIM_EEPROM, 0xFF, {0x3C, 0xAA, 0xF0, 0x00}, 0},
        {SIM_EEPROM, 0x00, {0x3C, 0xAA, 0xF0, 0x00}, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        open_chip(table[i].erased);
        sim.kind = table[i].kind;
        assert_int_equal(sim.nvm.program(sim.nvm.context, 64, first, 4), COS_OK);
        assert_memory_equal(sim.cells + 64, first, 4);
        assert_int_equal(sim.nvm.program(sim.nvm.context, 64, second, 4),
                         table[i].violations ? COS_E_NVM : COS_OK);
        assert_memory_equal(sim.cells + 64, table[i].cells, 4);
        assert_int_equal(violations, table[i].violations);
        assert_int_equal(sim.counts.reprograms, 1 - table[i].violations);
        close_chip();
    }
    unsigned erased = 0, back = 0;
    for (uint64_t seed = 0; seed < 100; seed++) { /* new bits beside old ones, then beside erased */
        for (unsigned kind = SIM_FLASH; kind <= SIM_EEPROM; kind++) {
            open_chip(0xFF);
            sim.kind = (enum sim_kind)kind;
            assert_int_equal(sim.nvm.program(sim.nvm.context, 64, first, 4), COS_OK);
            sim_power_cut(&power, 1, SIM_BITS, seed);
            assert_int_equal(sim.nvm.program(sim.nvm.context, 64, second, 4), COS_E_NVM);
            for (unsigned byte = 0; byte < 4; byte++) {
                uint8_t risen = sim.cells[64 + byte] & (uint8_t)~first[byte];
                back += kind == SIM_FLASH && risen != 0;
                erased += kind == SIM_EEPROM && (risen & ~second[byte]) != 0;
            }
            close_chip();
        }
    }
    assert_int_equal(back, 0);
    assert_in_range(erased, 50, 390);
}

static void the_same_seeds_give_the_same_bytes(void **state)
{
    (void)state;
    open_chip(0x00);
    struct sim_snapshot before = {0};
    const struct sim_power fresh = power;
    sim_nvm_save(&sim, &before);
    uint8_t seen[2][10][256];
    for (unsigned pass = 0; pass < 2; pass++) {
        sim_nvm_restore(&sim, &before);
        power = fresh;
        sim_power_cut(&power, 1, SIM_METASTABLE_BITS, 5);
        assert_int_equal(program(32, 16), COS_E_NVM);
        for (unsigned start = 0; start < 10; start++) {
            sim_power_up(&power);
            memcpy(seen[pass][start], sim.cells, 256);
        }
    }
    assert_memory_equal(seen[0], seen[1], sizeof seen[0]);
    assert_memory_not_equal(seen[0][0], seen[0][1], 256);
    sim_snapshot_free(&before);
    close_chip();
}

static void dead_units_stick(void **state)
{
    (void)state;
    open_chip(0xFF);
    sim_nvm_kill(&sim, 1, 2, false, 1);
    sim_nvm_kill(&sim, 2, 0, true, 1);
    assert_int_equal(erase(64), COS_OK);
    assert_int_equal(sim.cells[64], 0xFF);
    assert_int_equal(erase(64), COS_OK); /* its last erase: it lies */
    assert_int_not_equal(sim.cells[64], 0xFF);
    assert_int_equal(erase(128), COS_E_NVM); /* this one tells */
    assert_int_equal(erase(0), COS_OK);
    close_chip();
}

static void names_of_contents_are_read_back(void **state)
{
    (void)state;
    for (unsigned content = 0; content < SIM_CONTENTS; content++) {
        enum sim_content parsed = SIM_CONTENTS;
        assert_true(sim_content_parse(sim_content_name((enum sim_content)content), &parsed));
        assert_int_equal(parsed, content);
    }
    enum sim_content parsed = SIM_CONTENTS;
    assert_false(sim_content_parse("nonsense", &parsed));
    assert_int_equal(parsed, SIM_CONTENTS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(breaches_of_contract_are_counted_and_do_nothing),
        cmocka_unit_test(operations_are_counted),
        cmocka_unit_test(a_cut_damages_its_unit_only),
        cmocka_unit_test(contents_are_what_their_names_say),
        cmocka_unit_test(kinds_differ_where_cells_do),
        cmocka_unit_test(the_same_seeds_give_the_same_bytes),
        cmocka_unit_test(dead_units_stick),
        cmocka_unit_test(names_of_contents_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
