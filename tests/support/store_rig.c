/* SPDX-License-Identifier: Apache-2.0
 *
 * The store's rig: steps, shadow, comparison.
 */
#include "store_rig.h"

#include <stdio.h>
#include <string.h>

struct rig_geometry rig_geometry(unsigned index)
{
    const unsigned erased = index % 2, kind = index / 2 % 3, multiple = index / 6 % 3;
    struct rig_geometry g = {.kind = (enum sim_kind)kind, .erased = erased ? 0xFF : 0x00};
    unsigned longest, choices = 1;

    g.tear_unit = (uint16_t)(4U << index / 18);
    g.erase_unit = (uint16_t)(g.tear_unit << 2 * multiple);
    g.page_size = g.erase_unit < 64 ? 64 : g.erase_unit;
    longest = g.page_size == 64 ? 16 : 64; /* mark, header and CRC leave room for payload */
    while (2U << (choices - 1) <= longest && 2U << (choices - 1) <= g.tear_unit) {
        choices++;
    }
    g.program_unit = (uint16_t)(1U << (kind + multiple + 3) % choices);
    return g;
}

unsigned rig_find(enum sim_kind kind, unsigned tear_unit, unsigned erase_unit)
{
    unsigned index = 0;
    for (struct rig_geometry g = rig_geometry(0);
         g.kind != kind || g.tear_unit != tear_unit || g.erase_unit != erase_unit;
         g = rig_geometry(index)) {
        index += 2;
    }
    return index;
}

bool rig_scrubs(unsigned geometry)
{
    return geometry % 4 != 3;
}

static void check(const struct rig *rig, bool good, const char *message)
{
    if (!good) {
        rig->fail(rig, message);
    }
}

static void check_result(const struct rig *rig, enum cos_result result, const char *what)
{
    char message[80];
    if (result != COS_OK) {
        snprintf(message, sizeof message, "%s answers %d with power on", what, (int)result);
        rig->fail(rig, message);
    }
}

/* ---- Comparing ---- */

static uint32_t tries_at(const struct rig *rig)
{
    return 2U * rig->store.payload + 1;
}

static void differs(const struct rig *rig, const uint8_t *answer)
{
    char message[160];
    for (uint32_t i = 0; i < rig->size; i++) {
        if (answer[i] != rig->space[0][i]) {
            snprintf(message, sizeof message,
                     "the space is neither the one before nor the one after: byte %u (page %u) is "
                     "%02X, not %02X (%u possible)",
                     (unsigned)i, (unsigned)(i / rig->store.payload), answer[i], rig->space[0][i],
                     rig->possible);
            rig->fail(rig, message);
        }
    }
}

static uint32_t content_at(const struct rig *rig)
{
    return RIG_CONTENT * (uint32_t)rig->store.payload;
}

/* Deleted content must be gone from the chip. What a tear left unstable may show it again: it is no
 * secret whose pages are looked after at every start. */
static void check_deleted(struct rig *rig)
{
    static const uint8_t none[8] = {0};
    const uint8_t *now = rig->space[0] + content_at(rig);

    rig->shaken = rig->shaken || rig->sim.wobbling != 0;
    if (memcmp(now, none, 8) != 0 || memcmp(rig->deleted, none, 8) == 0) {
        memset(rig->deleted, 0, 8); /* it is not deleted, or was not there */
    } else if (rig->config.scrub_from != 0xFFFF && !rig->shaken) {
        check(rig, memmem(rig->sim.cells, rig->sim.nvm.geometry.size, rig->deleted, 8) == NULL,
              "deleted content is still in the chip");
    }
}

/* The secrets that the space holds now are remembered; those it no longer holds must be gone from
 * the chip. */
static void check_secrets(struct rig *rig)
{
    for (unsigned page = RIG_SECRET; page < RIG_LOGICAL; page++) {
        const uint8_t *now = rig->space[0] + page * rig->store.payload;
        static const uint8_t none[8] = {0};
        bool known = memcmp(now, none, 8) == 0;
        for (unsigned i = 0; i < RIG_MARKERS; i++) {
            known = known || memcmp(now, rig->markers[i], 8) == 0;
        }
        if (!known) {
            memcpy(rig->markers[rig->marker_count++ % RIG_MARKERS], now, 8);
        }
    }
    for (unsigned i = 0; i < RIG_MARKERS && i < rig->marker_count; i++) {
        if (rig->config.scrub_from != 0xFFFF &&
            memmem(rig->space[0], rig->size, rig->markers[i], 8) == NULL) {
            check(rig,
                  memmem(rig->sim.cells, rig->sim.nvm.geometry.size, rig->markers[i], 8) == NULL,
                  "a replaced secret is still in the chip");
        }
    }
}

void rig_verify(struct rig *rig)
{
    static uint8_t answer[RIG_SPACE_MAX];
    check_result(rig, cos_store_read(&rig->store, 0, answer, rig->size), "read");
    if (memcmp(answer, rig->space[0], rig->size) != 0) {
        if (rig->possible == 1 || memcmp(answer, rig->space[1], rig->size) != 0) {
            differs(rig, answer);
        }
        memcpy(rig->space[0], rig->space[1], rig->size);
        rig->written = true;
    }
    rig->possible = 1;
    uint8_t tries = answer[tries_at(rig)];
    check(rig, rig->giving_back || tries <= rig->tries_seen, "the try counter rose by itself");
    rig->tries_seen = tries;
    rig->giving_back = false;
}

/* ---- Steps ---- */

static bool mount(struct rig *rig)
{
    uint64_t operations = rig->power.operations;
    enum cos_result result = cos_store_mount(&rig->store, &rig->sim.nvm, &rig->config);
    if (rig->power.dead) {
        rig->busy_starts = 0;
        return false;
    }
    if (result == COS_E_STORE_BLANK) {
        check(rig, !rig->written, "mount answers blank, but there was a commit");
    } else {
        check(rig, rig->written || rig->unsure, "mount finds a store where there is none");
        check_result(rig, result, "mount");
    }
    check(rig, !rig->clean || rig->power.operations == operations,
          "mount after a settled stop wrote NVM");
    /* What two starts have put in order the third need not put in order again. */
    rig->busy_starts = rig->power.operations != operations ? rig->busy_starts + 1 : 0;
    rig->clean = rig->clean || rig->busy_starts >= 2;
    rig->clean = rig->clean && rig->written && rig->sim.wobbling == 0;
    check(rig, rig->size == cos_store_size(&rig->store), "the space changed its size");
    check(rig, rig->sim.counts.reprograms == 0, "a unit was programmed twice");
    rig_verify(rig);
    check_secrets(rig);
    check_deleted(rig);
    return true;
}

static bool settle(struct rig *rig)
{
    uint64_t operations = rig->power.operations;
    enum cos_result result = cos_store_settle(&rig->store);
    rig->busy_starts = 0;
    if (rig->power.dead) {
        return false;
    }
    check_result(rig, result, "settle");
    /* Nothing to do may mean that the mark was torn and reads well today only; and what a tear left
     * unstable in an unused page may look like an old secret one day. */
    rig->clean = rig->clean || rig->power.operations != operations;
    rig->clean = rig->clean && rig->sim.wobbling == 0;
    rig_verify(rig);
    check_secrets(rig);
    check_deleted(rig);
    return true;
}

static void follow(const uint8_t *before, uint8_t *space, const struct cos_edit *edits,
                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (edits[i].data == NULL && edits[i].from != 0) {
            memcpy(space + edits[i].address, before + edits[i].from, edits[i].length);
        } else if (edits[i].data == NULL) {
            memset(space + edits[i].address, 0, edits[i].length);
        } else {
            memcpy(space + edits[i].address, edits[i].data, edits[i].length);
        }
    }
}

bool rig_commit(struct rig *rig, const struct cos_edit *edits, size_t count)
{
    memcpy(rig->space[1], rig->space[0], rig->size);
    follow(rig->space[0], rig->space[1], edits, count);
    rig->giving_back = rig->space[1][tries_at(rig)] > rig->space[0][tries_at(rig)];
    rig->clean = false;
    rig->busy_starts = 0;
    enum cos_result result = cos_store_commit(&rig->store, edits, count);
    if (result == COS_OK) {
        memcpy(rig->space[0], rig->space[1], rig->size);
        rig->written = true;
    } else if (rig->power.dead) {
        rig->possible = 2;
        rig->unsure = true;
    }
    if (rig->power.dead) {
        return false;
    }
    check_result(rig, result, "commit");
    rig_verify(rig);
    return true;
}

static void fill(struct rig *rig, uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        data[i] = (uint8_t)(sim_random(&rig->random) >> 56);
    }
}

/* Up to `limit` bytes somewhere in this page; the first two bytes are left to counter and secret
 * headings. */
static struct cos_edit edit_in(struct rig *rig, uint32_t page, uint8_t *data, uint32_t limit)
{
    uint32_t room = rig->store.payload - 8U;
    uint32_t at = sim_below(&rig->random, room);
    uint32_t longest = room - at < limit ? room - at : limit;
    uint32_t length = 1 + sim_below(&rig->random, longest);
    fill(rig, data, length);
    return (struct cos_edit){
        .address = page * rig->store.payload + 8 + at, .data = data, .length = length};
}

/* Where `length` bytes that are no secret stand. */
static uint32_t source(struct rig *rig, uint32_t length)
{
    return 1 + sim_below(&rig->random, content_at(rig) - length);
}

/* The first border is in the middle of the target; the source is a few bytes beside it, or
 * anywhere. */
static struct cos_edit moved_over_border(struct rig *rig)
{
    const uint32_t payload = rig->store.payload,
                   half = 2 + sim_below(&rig->random, payload / 2 - 1);
    struct cos_edit edit = {.address = payload - half, .length = 2 * half};
    switch (sim_below(&rig->random, 4)) {
    case 0:
        edit.from = edit.address > 3 ? edit.address - 3 : 1;
        break;
    case 1:
        edit.from = edit.address + 1 + sim_below(&rig->random, half);
        break;
    default:
        edit.from = source(rig, edit.length);
        break;
    }
    return edit;
}

static bool step_edits(struct rig *rig, char letter)
{
    static uint8_t data[RIG_TOUCH][RIG_PAGE_MAX];
    struct cos_edit edits[RIG_TOUCH];
    uint32_t payload = rig->store.payload;
    uint32_t page = sim_below(&rig->random, RIG_LOGICAL);
    size_t count = 1;

    switch (letter) {
    case '1':
        edits[0] = edit_in(rig, page, data[0], 8);
        break;
    case 'w':
        page %= 2;
        fill(rig, data[0], payload);
        edits[0] = (struct cos_edit){.address = page * payload, .data = data[0], .length = payload};
        break;
    case '2':
        edits[0] = edit_in(rig, page, data[0], 12);
        edits[1] = edit_in(rig, page, data[1], 12);
        edits[1].data = sim_random(&rig->random) & 1 ? NULL : data[1];
        count = 2;
        break;
    case 'c':
        edits[0] = edit_in(rig, page % RIG_SECRET, data[0], 6);
        edits[1] = edit_in(rig, page % RIG_SECRET, data[1], 12);
        edits[1].data = NULL;
        edits[1].from = source(rig, edits[1].length);
        count = 2;
        break;
    case 'm':
        edits[0] = moved_over_border(rig);
        break;
    case 'b':
        fill(rig, data[0], 11);
        edits[0] = (struct cos_edit){.address = payload - 5, .data = data[0], .length = 11};
        break;
    default: /* '3', backwards as often as not */
        page = sim_below(&rig->random, RIG_LOGICAL - RIG_TOUCH + 1);
        for (count = 0; count < RIG_TOUCH; count++) {
            uint32_t i = (uint32_t)(page % 2 ? count : RIG_TOUCH - 1 - count);
            edits[count] = edit_in(rig, page + i, data[count], 64);
        }
        break;
    }
    return rig_commit(rig, edits, count);
}

static bool step_tries(struct rig *rig, bool spend)
{
    uint8_t tries = rig->space[0][tries_at(rig)];
    tries = spend && tries > 0 ? (uint8_t)(tries - 1) : 15;
    struct cos_edit edit = {.address = tries_at(rig), .data = &tries, .length = 1};
    return rig_commit(rig, &edit, 1);
}

static bool step_secret(struct rig *rig, bool write)
{
    uint8_t secret[8];
    uint32_t page = RIG_SECRET + sim_below(&rig->random, RIG_LOGICAL - RIG_SECRET);
    fill(rig, secret, sizeof secret);
    struct cos_edit edit = {.address = page * rig->store.payload,
                            .data = write ? secret : NULL,
                            .length = sizeof secret};
    return rig_commit(rig, &edit, 1);
}

static bool step_content(struct rig *rig, bool write)
{
    uint8_t content[8];
    fill(rig, content, sizeof content);
    const struct cos_edit edit = {.address = content_at(rig),
                                  .data = write ? content : NULL,
                                  .length = sizeof content,
                                  .scrub = !write};
    memset(rig->deleted, 0, sizeof rig->deleted);
    rig->shaken = rig->sim.wobbling != 0;
    if (!write) {
        memcpy(rig->deleted, rig->space[0] + content_at(rig), sizeof rig->deleted);
    }
    return rig_commit(rig, &edit, 1);
}

bool rig_step(struct rig *rig, char letter)
{
    switch (letter) {
    case 's':
        return settle(rig);
    case 'r':
        sim_power_off(&rig->power);
        sim_power_up(&rig->power);
        return mount(rig);
    case 'R':
        return mount(rig);
    case '-':
    case '+':
        return step_tries(rig, letter == '-');
    case 'x':
    case 'z':
        return step_secret(rig, letter == 'x');
    case 'p':
    case 'q':
        return step_content(rig, letter == 'p');
    default:
        return step_edits(rig, letter);
    }
}

bool rig_steps(struct rig *rig, const char *letters)
{
    while (*letters != '\0') {
        if (!rig_step(rig, *letters++)) {
            return false;
        }
    }
    return true;
}

char rig_any_commit(struct rig *rig)
{
    static const char letters[] = "1w2b3cm-+xzpq";
    return letters[sim_below(&rig->random, sizeof letters - 1)];
}

/* ---- Opening, copying ---- */

void rig_open(struct rig *rig, unsigned geometry, uint64_t seed,
              void (*fail)(const struct rig *rig, const char *message))
{
    struct rig_geometry g = rig_geometry(geometry);
    *rig = (struct rig){.possible = 1, .random = seed, .fail = fail, .tries_seen = 0xFF};
    struct cos_nvm_geometry chip = {
        .size = (RIG_PAGES + 2U) * g.page_size,
        .erase_unit = g.erase_unit,
        .tear_unit = g.tear_unit,
        .program_unit = g.program_unit,
        .erased_value = g.erased,
        .endurance = 100000,
    };
    sim_nvm_init(&rig->sim, &rig->power, &chip, g.page_size, g.page_size);
    rig->sim.kind = g.kind;
    rig->config = (struct cos_store_config){
        .start = g.page_size,
        .page_size = g.page_size,
        .pages = RIG_PAGES,
        .reserve = RIG_RESERVE,
        .scrub_from = rig_scrubs(geometry) ? RIG_SECRET : 0xFFFF,
        .map = rig->map,
    };
    enum cos_result result = cos_store_mount(&rig->store, &rig->sim.nvm, &rig->config);
    check(rig, result == COS_E_STORE_BLANK, "a blank chip is not reported as blank");
    rig->size = cos_store_size(&rig->store);
    check(rig,
          rig->size <= RIG_SPACE_MAX && rig->size == RIG_LOGICAL * (uint32_t)rig->store.payload,
          "the space has another size than its pages");
    rig_verify(rig);
}

void rig_close(struct rig *rig)
{
    sim_nvm_free(&rig->sim);
}

/* Copies what is there of a rig. */
static void copy_rig(struct rig *to, const struct rig *from)
{
    memcpy(to, from, offsetof(struct rig, space));
    memcpy(to->space[0], from->space[0], from->size);
    memcpy(to->space[1], from->space[1], from->size);
}

void rig_save(const struct rig *rig, struct rig_snapshot *snapshot)
{
    copy_rig(&snapshot->rig, rig);
    sim_nvm_save(&rig->sim, &snapshot->sim);
}

void rig_restore(struct rig *rig, const struct rig_snapshot *snapshot)
{
    copy_rig(rig, &snapshot->rig);
    sim_nvm_restore(&rig->sim, &snapshot->sim);
}
