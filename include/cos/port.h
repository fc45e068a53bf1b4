/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole contract of a board. First half: what the port provides, as const structs of functions
 * plus geometry. Second half: what the port calls. A board with one chip provides both chips'
 * parts; a pair provides each chip with its own. No function here is called from an interrupt, and
 * none may call back into the core but idle().
 *
 * Every function gets its struct's `context` back as its first argument. Buffers belong to the core
 * and are valid during the call only. Functions return COS_OK or the error named with them;
 * anything else counts as that error.
 */
#ifndef COS_PORT_H
#define COS_PORT_H

#include "cos/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- What the port provides ---- */

/* Non-volatile memory (EEPROM, flash): one flat region per chip, addresses 0 to size - 1.
 *
 * The fault model the store is built for: an operation that loses power leaves in its whole tear
 * unit (program) or erase unit (erase) anything at all, including contents that read differently
 * after each start. It leaves every other unit untouched. An operation that returned COS_OK is
 * durable. */
struct cos_nvm_geometry {
    uint32_t size;       /* bytes; a multiple of erase_unit */
    uint16_t erase_unit; /* bytes that one erase() sets to erased_value; a multiple of tear_unit */
    uint16_t tear_unit;  /* bytes that an interrupted program() may damage, aligned to their own
                            size; a multiple of program_unit */
    uint16_t program_unit; /* smallest run that program() can write: 1, 2, 4, 8, ..., a divisor of
                              COS_STORE_MERGE */
    uint8_t erased_value;  /* 00 or FF */
    uint32_t endurance;    /* erase cycles that a unit is good for; information for reports */
};

struct cos_nvm {
    void *context;
    struct cos_nvm_geometry geometry;
    /* Copies `length` bytes from `address`. Any range inside the region. COS_E_NVM. */
    enum cos_result (*read)(void *context, uint32_t address, uint8_t *data, size_t length);
    /* Programs `length` bytes at `address`: both multiples of program_unit, the range inside one
     * tear unit, every program unit of it erased before and not programmed since (the core never
     * reprograms: flash whose ECC forbids it works like any other). A port need not verify: the
     * core reads back. COS_E_NVM. */
    enum cos_result (*program)(void *context, uint32_t address, const uint8_t *data, size_t length);
    /* Erases the erase unit that begins at `address`. COS_E_NVM. */
    enum cos_result (*erase)(void *context, uint32_t address);
};

/* The link between the chips: carries frames of up to COS_LINK_FRAME_MAX bytes, in order. It may
 * lose or damage frames, it may be read and written by an attacker: the gate above it finds out. */
struct cos_link {
    void *context;
    /* Sends one frame. COS_E_LINK_DOWN. */
    enum cos_result (*send)(void *context, const uint8_t *frame, size_t length);
    /* Waits up to timeout_ms (0 = for ever) for a frame; stores at most `capacity` bytes and the
     * length that arrived (larger than capacity means: cut). COS_E_LINK_TIMEOUT, COS_E_LINK_DOWN.
     * The app chip waits in slices of COS_GATE_SLICE_MS, with idle() between them: of a frame that
     * has arrived in part when the time is over nothing is lost, the next call goes on with it. */
    enum cos_result (*receive)(void *context, uint8_t *frame, size_t capacity, size_t *length,
                               uint32_t timeout_ms);
};

/* Noise source. Security chip: raw noise for seeding the DRBG (NIST SP 800-90B 3.2.2), at least
 * COS_ENTROPY_BITS_PER_BYTE bits of min-entropy a byte; the core runs the health tests. App chip:
 * only freshness of its HELLO nonce rests on it. */
struct cos_entropy {
    void *context;
    /* Fills `data`. COS_E_ENTROPY. */
    enum cos_result (*read)(void *context, uint8_t *data, size_t length);
};

/* The program image as the chip executes it, for the ROM digest self-test (SHA-256 over `size`
 * bytes). Silicon without memory-mapped program memory gives the part that it can see. */
struct cos_rom {
    const uint8_t *image;
    size_t size;
};

/* The eight contacts of the module (ISO/IEC 7816-2), as production step 3 tests them. */
#define COS_CONTACT_VCC 0x01U
#define COS_CONTACT_RST 0x02U
#define COS_CONTACT_CLK 0x04U
#define COS_CONTACT_C4  0x08U
#define COS_CONTACT_GND 0x10U
#define COS_CONTACT_SPU 0x20U
#define COS_CONTACT_IO  0x40U
#define COS_CONTACT_C8  0x80U
struct cos_contacts {
    void *context;
    /* Exercises the contacts and says which of them work, as COS_CONTACT_ bits. */
    enum cos_result (*test)(void *context, uint8_t *working);
};

/* The I/O contact as a line of characters (ISO/IEC 7816-3:2006, 7), in a time base of etu. The
 * board sends and samples bits; what the characters mean is the core's business (cos/transport.h).
 */
struct cos_line_parameters {
    uint16_t f;          /* Fi: clock cycles of Di etu */
    uint8_t d;           /* Di */
    bool inverse;        /* inverse convention: low is 1, b8 is sent first; parity goes with it */
    bool signals_errors; /* T=0: the receiver of a wrong parity bit holds the line low at 10.5 etu
                            after the leading edge, and the sender samples it at 11 etu */
    uint16_t guard;      /* etu between the leading edges of two characters that the card sends */
};
struct cos_line {
    void *context;
    /* Parameters from the next character on. After a reset: 372, 1, direct, signals, 12. */
    void (*set)(void *context, const struct cos_line_parameters *parameters);
    /* Sends one character, no earlier than `etus` after the leading edge of the last character on
     * the line, and no earlier than the guard time after the last one that it sent.
     * COS_E_LINE_PARITY: the receiver refused it; COS_E_LINE_RESET. */
    enum cos_result (*send)(void *context, uint8_t character, uint32_t etus);
    /* Waits for the leading edge of a character, up to `etus` after that of the last one on the
     * line (0 = for ever; the clock may stop then). COS_E_LINE_SILENT; COS_E_LINE_PARITY: a
     * character came and is lost, and with signals_errors it was refused, so it comes again;
     * COS_E_LINE_RESET. */
    enum cos_result (*receive)(void *context, uint8_t *character, uint32_t etus);
    /* etu since the leading edge of the last character on the line. */
    uint32_t (*elapsed)(void *context);
};

/* What each chip gets at init. Pointers stay owned by the port and must outlive the chip's struct.
 * A pointer that is described as optional may be NULL; all others are required. */
struct cos_board {
    void *context;
    const struct cos_nvm *nvm;
    const struct cos_link *link;
    const struct cos_entropy *entropy;
    const struct cos_contacts *contacts; /* app chip only */
    const struct cos_rom *rom;           /* security chip only */
    /* Feeds the watchdog; on the app chip: cos_transport_idle(), which extends the waiting time
     * (cos/transport.h). Called between operations on NVM, every COS_GATE_SLICE_MS (cos/config.h)
     * while the app chip waits for the other one, before each call that the security chip executes,
     * and by the provider while a key is made. So from one time to the next there is one function
     * of the port, or one of the provider, and a little of the core: whatever takes longer than
     * half of the shortest waiting time calls cos_idle() itself. On one chip with both halves both
     * boards have the same. Optional. */
    void (*idle)(void *context);
    /* Milliseconds since power-up, wrapping; bounds the wait for an answer however many stray
     * frames come. Optional: without it each stray frame begins a new time-out, 16 at the most. */
    uint32_t (*clock_ms)(void *context);
};

/* ---- What the port calls ---- */

/* Calls the board's idle(), if there is one. `board` may be NULL. */
void cos_idle(const struct cos_board *board);

/* Events that a board's sensors report to the security chip with cos_secure_sensor()
 * (cos/secure.h). Each counts as an attack. */
enum cos_sensor {
    COS_SENSOR_VOLTAGE = 1,
    COS_SENSOR_FREQUENCY = 2,
    COS_SENSOR_TEMPERATURE = 3,
    COS_SENSOR_LIGHT = 4,
    COS_SENSOR_SHIELD = 5,
};

/* The rest of what a port calls stands with the chips: cos_app_start(), cos_app_atr(),
 * cos_app_command() and cos_app_settle() in cos/app.h; cos_secure_start() and cos_secure_serve() in
 * cos/secure.h. */

#endif
