/* SPDX-License-Identifier: Apache-2.0
 *
 * From the reset vector to the loop of the contacts. Sizes are those of bench_host
 * (tests/support/bench.c), which makes the memory's contents.
 */
#include "firmware.h"

#include "cos/app.h"
#include "cos/transport.h"

#define NOINIT __attribute__((section(".noinit")))

enum { PAGE = 256, PAGES = 253, RESERVE = 16, COMMAND = COS_T0_COMMAND_LEAST, RESPONSE = 600 };

/* The core initialises what it is lent; only what says whether it did so must be cleared. */
static struct cos_app app NOINIT;
static struct cos_transport transport NOINIT;
static uint16_t map[PAGES - RESERVE] NOINIT;
static uint8_t command_buffer[COMMAND] NOINIT, response_buffer[RESPONSE] NOINIT,
    data_buffer[RESPONSE] NOINIT;
static bool running;

/* ---- The board ---- */

static void idle(void *context)
{
    (void)context;
    cos_transport_idle(&transport);
}

static const struct cos_nvm nvm = {
    .geometry = {(3 + PAGES) * PAGE, PAGE, 64, 8, 0xFF, 100000},
    .read = nvm_read,
    .program = nvm_program,
    .erase = nvm_erase,
};
static const struct cos_link between = {.send = link_send, .receive = link_receive};
static const struct cos_entropy entropy = {.read = entropy_read};
static const struct cos_contacts contacts = {.test = contacts_test};
static const struct cos_line line = {NULL, line_set, line_send, line_receive, line_elapsed};
static const struct cos_board board = {
    .nvm = &nvm, .link = &between, .entropy = &entropy, .contacts = &contacts, .idle = idle};

static const struct cos_app_config config = {
    .crypto = &provider,
    .store =
        {
            .start = 3 * PAGE,
            .page_size = PAGE,
            .pages = PAGES,
            .reserve = RESERVE,
            .map = map,
        },
    .fab_at = 0,
    .atr_at = PAGE,
    .files = 128,
    .names = 20,
    .response = data_buffer,
    .response_size = sizeof data_buffer,
    .command_size = COMMAND,
};

/* ---- Commands ---- */

static size_t command(void *context, uint8_t *apdu, size_t length, uint8_t *response,
                      size_t capacity)
{
    (void)context;
    if (!running) {
        started(cos_app_start(&app, &board, &config));
        running = true;
    }
    return cos_app_command(&app, apdu, length, response, capacity);
}

static enum cos_t0_direction direction(void *context, const uint8_t header[5])
{
    (void)context;
    return cos_app_direction(header);
}

static void settle(void *context)
{
    (void)context;
    cos_app_settle(&app);
}

static void refused(void *context)
{
    (void)context;
    if (running) {
        cos_app_refused(&app);
    }
}

static void serve(void)
{
    static const struct cos_transport_handler handler = {NULL, command, direction, settle, refused};
    static const struct cos_transport_config contacts_config = {
        .command = command_buffer,
        .command_size = sizeof command_buffer,
        .response = response_buffer,
        .response_size = sizeof response_buffer,
    };
    uint8_t atr[COS_ATR_MAX];

    cos_transport_start(&transport, &contacts_config);
    for (;;) {
        const size_t length = cos_app_atr(&board, &config, atr, sizeof atr);
        running = false;
        (void)cos_transport_serve(&transport, &line, &handler, (struct cos_span){atr, length});
    }
}

/* ---- Reset ---- */

extern uint32_t data_begin[], data_end[], bss_begin[], bss_end[], stack_top[];
extern const uint32_t data_image[];
void reset(void);

void reset(void)
{
    const uint32_t *from = data_image;

    for (uint32_t *to = data_begin; to != data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = bss_begin; to != bss_end; to++) {
        *to = 0;
    }
    serve();
}

/* The first two words of the image (Armv7-M, B1.5.3). */
static const struct {
    uint32_t *stack;
    void (*reset)(void);
} vectors __attribute__((section(".vectors"), used)) = {stack_top, reset};
