/* SPDX-License-Identifier: Apache-2.0
 *
 * twinctl wear: images that are known byte by byte, cards that were made and used, and files that
 * are no chips.
 */
#include "program_helpers.h"

#include "host_card.h"
#include "nvm_file.h"
#include "twinctl/bytes.h"

#include <jansson.h>

enum { APP, SECURE, CHIPS };

static const struct chip {
    const char *key, *path;
    size_t size, start, pages;
} chips[CHIPS] = {
    {"app", "chip/app.nvm", HOST_APP_NVM_SIZE, HOST_APP_START, HOST_APP_PAGES},
    {"secure", "chip/secure.nvm", HOST_SECURE_NVM_SIZE, HOST_SECURE_START, HOST_SECURE_PAGES},
};
static uint8_t image[HOST_APP_NVM_SIZE];

/* What wear says of a chip. */
struct wear {
    long pages, silent, lowest, mean, highest, spread, permille;
};

static long number(const json_t *root, const char *chip, const char *what)
{
    char key[40];
    snprintf(key, sizeof key, "%s_%s", chip, what);
    const json_t *value = json_object_get(root, key);
    assert_case(json_is_integer(value), "%s", key);
    return (long)json_integer_value(value);
}

static void ask_wear(struct wear wear[CHIPS])
{
    struct result r = RUN("--json", "wear", "chip");
    assert_case(r.status == 0, "%s", r.err);
    json_t *root = json_loads(r.out, 0, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "status")), "done");
    for (size_t i = 0; i < CHIPS; i++) {
        wear[i] = (struct wear){
            .pages = number(root, chips[i].key, "pages"),
            .silent = number(root, chips[i].key, "silent"),
            .lowest = number(root, chips[i].key, "erases_lowest"),
            .mean = number(root, chips[i].key, "erases_mean"),
            .highest = number(root, chips[i].key, "erases_highest"),
            .spread = number(root, chips[i].key, "spread"),
            .permille = number(root, chips[i].key, "worn_permille"),
        };
    }
    json_decref(root);
}

static void assert_wear(const char *name, struct wear found, struct wear expected)
{
    assert_case(found.pages == expected.pages && found.silent == expected.silent, "%s: %ld of %ld",
                name, found.silent, found.pages);
    assert_case(found.lowest == expected.lowest && found.mean == expected.mean &&
                    found.highest == expected.highest && found.spread == expected.spread,
                "%s: %ld %ld %ld %ld", name, found.lowest, found.mean, found.highest, found.spread);
    assert_case(found.permille == expected.permille, "%s: %ld", name, found.permille);
}

/* ---- Files ---- */

static void write_file(const char *path, const uint8_t *data, size_t size)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, data, size), size);
    close(file);
}

static void read_file(const char *path, uint8_t *data, size_t size)
{
    int file = open(path, O_RDONLY);
    assert_true(file >= 0);
    assert_int_equal(read(file, data, size), size);
    close(file);
}

/* The header of docs/formats.md, "Store pages": sequence number, erase count, CRC. */
static void put_page(const struct chip *chip, size_t page, uint32_t erases, uint32_t sequence)
{
    uint8_t *header = image + chip->start + page * HOST_PAGE_SIZE + HOST_NVM_PROGRAM_UNIT;
    uint8_t checked[4 + 24] = "PAGE";
    memset(header, 0, 28);
    header[0] = 0x01;
    header[3] = (uint8_t)(erases >> 16);
    cos_put16(header + 4, (uint16_t)erases);
    cos_put32(header + 16, sequence);
    memcpy(checked + 4, header, 24);
    cos_put32(header + 24, crc32_of(checked, sizeof checked));
}

static int make_blank(void **state)
{
    (void)state;
    assert_int_equal(mkdir("chip", 0700), 0);
    memset(image, 0xFF, sizeof image);
    for (size_t i = 0; i < CHIPS; i++) {
        write_file(chips[i].path, image, chips[i].size);
    }
    return 0;
}

static int throw_away(void **state)
{
    (void)state;
    for (size_t i = 0; i < CHIPS; i++) {
        assert_int_equal(unlink(chips[i].path), 0);
    }
    return rmdir("chip");
}

/* ---- Images that are known ---- */

static void blank_chips(void **state)
{
    struct wear wear[CHIPS];
    (void)state;
    ask_wear(wear);
    assert_wear("app", wear[APP], (struct wear){.pages = 253, .silent = 253});
    assert_wear("secure", wear[SECURE], (struct wear){.pages = 127, .silent = 127});
}

static void counts_are_those_of_the_headers(void **state)
{
    const struct chip *chip = &chips[SECURE];
    struct wear wear[CHIPS];
    (void)state;
    put_page(chip, 0, 5, 1);
    put_page(chip, 1, 6, 2);
    put_page(chip, 126, 90001, 0xFFFFFFFF);
    put_page(chip, 2, 0, 1);        /* none without an erase */
    put_page(chip, 3, 99999999, 1); /* its CRC is made wrong */
    image[chip->start + 3 * HOST_PAGE_SIZE + HOST_NVM_PROGRAM_UNIT + 27] ^= 0x01;
    write_file(chip->path, image, chip->size);
    ask_wear(wear);
    assert_wear("secure", wear[SECURE],
                (struct wear){.pages = 127,
                              .silent = 124,
                              .lowest = 5,
                              .mean = 30004,
                              .highest = 90001,
                              .spread = 89996,
                              .permille = 900});
    assert_wear("app", wear[APP], (struct wear){.pages = 253, .silent = 253});
}

/* 24 bits. */
static void the_largest_count(void **state)
{
    struct wear wear[CHIPS];
    (void)state;
    for (size_t page = 0; page < chips[APP].pages; page++) {
        put_page(&chips[APP], page, 0xFFFFFF, 7);
    }
    write_file(chips[APP].path, image, chips[APP].size);
    ask_wear(wear);
    assert_wear("app", wear[APP],
                (struct wear){.pages = 253,
                              .lowest = 0xFFFFFF,
                              .mean = 0xFFFFFF,
                              .highest = 0xFFFFFF,
                              .permille = 167772});
}

static void for_people(void **state)
{
    (void)state;
    put_page(&chips[APP], 10, 250, 3);
    write_file(chips[APP].path, image, chips[APP].size);
    struct result r = RUN("--card", "chip", "wear");
    assert_int_equal(r.status, 0);
    assert_string_equal(r.err, "");
    assert_string_equal(r.out, "application chip\n"
                               "  pages of the store         253\n"
                               "  of these blank or damaged  252\n"
                               "  erases of a page: least    250\n"
                               "  on the average             250\n"
                               "  most                       250\n"
                               "  spread                     0\n"
                               "  of its endurance, permille 2\n"
                               "security chip\n"
                               "  pages of the store         127\n"
                               "  of these blank or damaged  127\n"
                               "  erases of a page: least    0\n"
                               "  on the average             0\n"
                               "  most                       0\n"
                               "  spread                     0\n"
                               "  of its endurance, permille 0\n");
}

/* ---- Cards ---- */

/* All erases that the pages of a chip tell of. */
static long erases(const struct wear *wear)
{
    return wear->mean * (wear->pages - wear->silent);
}

/* A right PIN costs the security chip two page erases, and the app chip none. */
static void a_card_that_is_used_wears(void **state)
{
    enum { ROUNDS = 60 };
    static uint8_t before[HOST_APP_NVM_SIZE];
    const char *arguments[ROUNDS + 8] = {"--card", "chip", "apdu", "00A4040C09F05457494E434F5301"};
    struct wear fresh[CHIPS], used[CHIPS];
    (void)state;
    assert_int_equal(RUN("make", "chip", "--pin", "482915").status, 0);
    ask_wear(fresh);
    for (size_t i = 0; i < CHIPS; i++) {
        assert_true(fresh[i].silent > 0 && fresh[i].silent < fresh[i].pages);
        assert_true(fresh[i].lowest >= 1 && fresh[i].spread <= 2);
    }
    for (size_t i = 0; i < ROUNDS; i++) {
        arguments[4 + i] = "0020008106343832393135";
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(run(arguments).status, 0);
    }
    read_file(chips[SECURE].path, before, chips[SECURE].size);
    ask_wear(used);
    read_file(chips[SECURE].path, image, chips[SECURE].size);
    assert_memory_equal(image, before, chips[SECURE].size); /* looking writes nothing */
    assert_int_equal(used[SECURE].silent, 0);
    assert_true(used[SECURE].highest > fresh[SECURE].highest);
    assert_true(used[SECURE].spread <= COS_STORE_LEVEL);
    /* The average is rounded down: one less a page, at most. */
    assert_true(erases(&used[SECURE]) + used[SECURE].pages >= 4 * ROUNDS * 2);
    assert_true(erases(&used[APP]) <= erases(&fresh[APP]) + used[APP].pages);
    assert_int_equal(unlink("chip/keys"), 0);
}

/* ---- What is no card ---- */

static void refused(const char *says)
{
    struct result r = RUN("wear", "chip");
    assert_case(r.status == 2, "%s: exit status %d", says, r.status);
    assert_case(is_one_line(r.err) && strstr(r.err, says) != NULL, "%s: %s", says, r.err);
    assert_string_equal(r.out, "");
    r = RUN("--json", "wear", "chip");
    assert_int_equal(r.status, 2);
    assert_non_null(strstr(r.out, "\"status\": \"trouble\""));
    assert_null(strstr(r.out, "pages"));
}

/* In the place of either chip. */
static void files_that_are_no_chips(void **state)
{
    char says[80];
    (void)state;
    for (size_t i = 0; i < CHIPS; i++) {
        const char *path = chips[i].path;
        const off_t size = (off_t)chips[i].size;
        snprintf(says, sizeof says, "%s: not a file of %zu bytes", path, chips[i].size);
        assert_int_equal(truncate(path, size - 1), 0);
        refused(says);
        assert_int_equal(truncate(path, 0), 0);
        refused(says);
        assert_int_equal(truncate(path, size + 1), 0);
        refused(says);
        assert_int_equal(unlink(path), 0);
        refused("No such file");
        assert_int_equal(mkdir(path, 0700), 0);
        refused(says);
        assert_int_equal(rmdir(path), 0);
        assert_int_equal(mkfifo(path, 0600), 0);
        refused(says);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(symlink("/dev/zero", path), 0);
        refused("symbolic links");
        assert_int_equal(unlink(path), 0);
        write_file(path, image, chips[i].size);
    }
    assert_int_equal(RUN("wear", "chip").status, 0);
}

static void command_lines(void **state)
{
    (void)state;
    static const struct {
        const char *arguments[6], *says;
    } cases[] = {
        {{"wear"}, "wear needs one DIR"},
        {{"wear", "a", "b"}, "wear needs one DIR"},
        {{"wear", "a", "--card", "b"}, "wear needs one DIR"},
        {{"wear", "--socket", "a"}, "wear needs one DIR"},
        {{"wear", "nowhere"}, "nowhere/app.nvm: No such file"},
        {{"wear", "chip", "--pin", "1"}, "wear does not take one of these options"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct result r = run(cases[i].arguments);
        assert_case(r.status == 2 && is_one_line(r.err) && strstr(r.err, cases[i].says) != NULL,
                    "%s: %d, %s", cases[i].says, r.status, r.err);
    }
    assert_non_null(strstr(RUN("--help").out, "\n  wear         DIR: "));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_blank, throw_away)
    const struct CMUnitTest tests[] = {
        TEST(blank_chips),
        TEST(counts_are_those_of_the_headers),
        TEST(the_largest_count),
        TEST(for_people),
        TEST(files_that_are_no_chips),
        TEST(command_lines),
        cmocka_unit_test_teardown(a_card_that_is_used_wears, throw_away),
    };
    return cmocka_run_group_tests(tests, find_program, remove_folder);
}
