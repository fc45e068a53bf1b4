/* SPDX-License-Identifier: Apache-2.0
 *
 * A store on a torn-power NVM with a shadow of its logical space beside it. Everything the store
 * is told goes through here, and everything it answers is compared here: see tests/power/README.md.
 */
#ifndef STORE_RIG_H
#define STORE_RIG_H

#include "cos/store.h"
#include "sim_nvm.h"

#define RIG_PAGES     12
#define RIG_RESERVE   6
#define RIG_LOGICAL   (RIG_PAGES - RIG_RESERVE)
#define RIG_TOUCH     (RIG_RESERVE - COS_STORE_SLACK) /* pages of the largest transaction */
#define RIG_CONTENT   3 /* the logical page with the content that is deleted */
#define RIG_SECRET    4 /* logical pages from here on are secret */
#define RIG_PAGE_MAX  8192
#define RIG_SPACE_MAX (RIG_LOGICAL * RIG_PAGE_MAX)
#define RIG_MARKERS   4

struct rig_geometry {
    enum sim_kind kind;
    uint16_t program_unit, tear_unit, erase_unit, page_size;
    uint8_t erased;
};

/* All geometries: tear units of 4, 8, 16, ..., 512 bytes, erase units of 1, 4, 16 of them, three
 * kinds of cells, erased 00 and FF; program units of 1 to 64 bytes take turns. Even indices are
 * erased 00, the odd one behind each is the same with FF. A page is the smallest that can be: as
 * many erase units as make 64 bytes. */
#define RIG_GEOMETRIES 144U
struct rig_geometry rig_geometry(unsigned index);
/* The geometry with erased 00 and these units. */
unsigned rig_find(enum sim_kind kind, unsigned tear_unit, unsigned erase_unit);
/* Whether the rig's store on this geometry scrubs superseded secrets: three in four do. */
bool rig_scrubs(unsigned geometry);

struct rig {
    struct sim_power power;
    struct sim_nvm sim;
    struct cos_store store;
    struct cos_store_config config;
    uint16_t map[RIG_PAGES];
    uint32_t size;        /* of the logical space */
    unsigned possible;    /* contents the space may have: 1, or 2 while a commit was torn */
    bool written;         /* something was committed, so the store is not blank */
    bool unsure;          /* a commit was torn, perhaps the first: there may be pages */
    bool clean;           /* settled, and nothing done since: the next start writes nothing */
    unsigned busy_starts; /* in a row that wrote NVM, with nothing else in between */
    uint8_t markers[RIG_MARKERS][8]; /* secrets that once were current */
    uint8_t deleted[8];              /* what the last 'q' deleted, if that is what it did; else 0 */
    bool shaken;                     /* cells have been unstable since */
    unsigned marker_count;
    uint8_t tries_seen; /* the try counter as last answered; it must not rise by itself */
    bool giving_back;   /* the commit in flight raises it */
    uint64_t random;
    /* Called with what is wrong; must not return. */
    void (*fail)(const struct rig *rig, const char *message);
    /* What the logical space holds; the second one if a commit that was torn was done. At the end,
     * since a snapshot copies no more of them than the space is long. */
    uint8_t space[2][RIG_SPACE_MAX];
};

/* A blank store in a blank NVM, mounted. */
void rig_open(struct rig *rig, unsigned geometry, uint64_t seed,
              void (*fail)(const struct rig *rig, const char *message));
void rig_close(struct rig *rig);

/* Runs one step, named by a letter:
 *   1 w  commit of a few bytes, of a whole page      b  over a page border
 *   2    two overlapping edits in one page           3  edits in RIG_TOUCH pages
 *   - +  spend a try, give all back                  x z  write a secret, delete it
 *   p q  write content that is no secret, delete it and have its older copies erased
 *   c    copy a few bytes, over other edits          m  move a run over a page border, overlapping
 *   s    settle                                      r  power off and on, mount
 *   R    mount (power was put on already)
 * If power is on afterwards the answer must have been COS_OK, and after a mount the space must be
 * one of the possible ones: that one it is from then on. False if power is gone. */
bool rig_step(struct rig *rig, char letter);
/* Steps until the end or until power is gone. */
bool rig_steps(struct rig *rig, const char *letters);
/* One of the commits. */
char rig_any_commit(struct rig *rig);

/* Reads all and compares; whatever differs fails. */
void rig_verify(struct rig *rig);
/* Commits and follows in the shadow. */
bool rig_commit(struct rig *rig, const struct cos_edit *edits, size_t count);

struct rig_snapshot {
    struct rig rig;
    struct sim_snapshot sim;
};
void rig_save(const struct rig *rig, struct rig_snapshot *snapshot);
void rig_restore(struct rig *rig, const struct rig_snapshot *snapshot);

#endif
