/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

#include "twinctl/bytes.h"

#include <string.h>

static const uint8_t pps_t0[] = {0xFF, 0x00, 0xFF}, pps_t1[] = {0xFF, 0x01, 0xFE};

static struct cos_span next(void *context)
{
    struct device *device = context;
    size_t length;

    if (device->begun == device->count ||
        !hex_read(device->commands[device->begun], device->apdu, sizeof device->apdu, &length)) {
        return (struct cos_span){NULL, 0};
    }
    device->begin(device->context, device->begun++);
    return (struct cos_span){device->apdu, length};
}

static void done(void *context, const uint8_t *response, size_t length)
{
    struct device *device = context;

    device->end(device->context, device->begun - 1, response, length);
}

/* ---- T=1 ---- */

/* When the card waits for a block and the device for none, a command is over and another begins. */
static enum cos_result receive(void *context, uint8_t *character, uint32_t etus)
{
    struct device *device = context;
    struct terminal_t1 *terminal = &device->t1;

    if (device->asked < sizeof pps_t1) {
        *character = pps_t1[device->asked++];
        return COS_OK;
    }
    if (terminal->outcome != TERMINAL_BUSY) {
        if (device->waiting) {
            done(device, terminal->response, terminal->response_length);
        }
        const struct cos_span apdu = next(device);
        device->waiting = apdu.data != NULL;
        if (!device->waiting) {
            return COS_E_LINE_RESET;
        }
        terminal_t1_begin(terminal, apdu.data, apdu.length);
    }
    return device->sim.card.receive(&device->sim, character, etus);
}

static enum cos_result send(void *context, uint8_t character, uint32_t etus)
{
    struct device *device = context;

    return device->sim.card.send(&device->sim, character, etus);
}

static void set(void *context, const struct cos_line_parameters *parameters)
{
    struct device *device = context;

    device->sim.card.set(&device->sim, parameters);
}

static uint32_t elapsed(void *context)
{
    struct device *device = context;

    return device->sim.card.elapsed(&device->sim);
}

static void start_t1(struct device *device)
{
    /* IFSC, BWI and CWI of the card's ATR. */
    const struct terminal_t1_config config = {
        .edc = TERMINAL_LRC,
        .ifsc = 254,
        .bwi = 4,
        .cwi = 5,
        .f = 372,
        .d = 1,
        .ifsd = device->protocol.ifsd,
        .guard = 12,
        .delay = 22,
    };

    line_sim_start(&device->sim, 1);
    terminal_t1_start(&device->t1, &config, &device->sim);
    device->line = (struct cos_line){device, set, send, receive, elapsed};
}

/* ---- Use ---- */

void device_start(struct device *device, struct device_protocol protocol)
{
    memset(device, 0, sizeof *device);
    device->protocol = protocol;
    if (protocol.t1) {
        start_t1(device);
        return;
    }
    terminal_t0_init(&device->t0);
    device->t0.pps = pps_t0;
    device->t0.pps_length = sizeof pps_t0;
    device->t0.context = device;
    device->t0.next = next;
    device->t0.done = done;
    device->line = device->t0.line;
}

uint64_t device_edge(const struct device *device)
{
    return device->protocol.t1 ? device->sim.edge : device->t0.last;
}

void device_spend(struct device *device, uint32_t etus)
{
    if (device->protocol.t1) {
        line_sim_spend(&device->sim, etus);
    } else {
        device->t0.now += etus;
    }
}

const char *device_problem(const struct device *device)
{
    if (device->begun != device->count) {
        return "the session ended early";
    }
    if (device->protocol.t1) {
        return device->t1.repetitions != 0 ? "blocks were repeated" : NULL;
    }
    return device->t0.end != TERMINAL_FINISHED ? "the device gave up" : device->t0.wrong;
}
