/* SPDX-License-Identifier: Apache-2.0
 *
 * twincard: the card, plugged into a virtual reader.
 */
#include "card.h"
#include "framing.h"
#include "options.h"
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One card, one reader. */
static struct card card;
static struct tracer tracer;
static struct transport transport = {.listening = -1, .client = -1};
/* What has arrived and is not yet handled: at least one frame fits whole. */
static uint8_t input[FRAME_MAX];
static size_t input_length;

static enum transport_result answer(uint8_t *frame, size_t body)
{
    frame_header(frame, body);
    return transport_write(&transport, frame, FRAME_HEADER + body);
}

static enum transport_result handle(const struct frame *frame)
{
    static uint8_t output[FRAME_HEADER + CARD_RESPONSE_MAX];
    enum transport_result result = TRANSPORT_DATA;

    switch (frame->kind) {
    case FRAME_POWER_OFF:
        card_power_off(&card);
        break;
    case FRAME_POWER_ON:
    case FRAME_RESET:
        card_power_on(&card);
        break;
    case FRAME_ATR:
        result = answer(output, card_atr(&card, output + FRAME_HEADER));
        break;
    case FRAME_COMMAND:
        result = answer(
            output, card_command(&card, input + FRAME_HEADER, frame->body, output + FRAME_HEADER));
        card_settle(&card);
        cos_wipe(output, sizeof output);
        break;
    default: /* FRAME_IGNORED */
        break;
    }
    return result;
}

/* Serves one reader until it goes or a signal comes. */
static enum transport_result serve(void)
{
    input_length = 0;
    for (;;) {
        struct frame frame = frame_parse(input, input_length);
        enum transport_result result;
        if (frame.kind != FRAME_INCOMPLETE) {
            result = handle(&frame);
            memmove(input, input + frame.size, input_length - frame.size);
            cos_wipe(input + input_length - frame.size, frame.size);
            input_length -= frame.size;
        } else {
            size_t got = 0;
            result = transport_read(&transport, card_watch(&card), input + input_length,
                                    sizeof input - input_length, &got);
            input_length += got;
        }
        if (result == TRANSPORT_WATCHED) {
            card_check(&card);
        } else if (result != TRANSPORT_DATA) {
            return result;
        }
    }
}

/* One reader after the other; with vpcd there is only one. */
static void serve_readers(void)
{
    enum transport_result result = TRANSPORT_DATA;
    while (result != TRANSPORT_STOP) {
        if (transport.listening >= 0 && transport_accept(&transport) != TRANSPORT_DATA) {
            return;
        }
        result = serve();
        transport_hang_up(&transport);
        card_power_off(&card);
        if (transport.listening < 0) {
            return;
        }
    }
}

static void torn(const struct host_power *power)
{
    transport_close(&transport);
    tracer_event(&tracer, "power torn");
    fprintf(stderr, "twincard: power torn at operation %u (%s chip, %s at %u), leaving %s\n",
            (unsigned)power->cut_at, power->chip == HOST_CHIP_APP ? "app" : "security",
            power->erase ? "erase" : "program", (unsigned)power->address,
            host_cut_content_name(power->content));
}

static _Noreturn void give_up(const char *message)
{
    fprintf(stderr, "twincard: %s\n", message);
    transport_close(&transport);
    exit(EXIT_USAGE);
}

/* A program that was started without the standard descriptors must not get a memory in their place:
 * the next message would be written there. */
static void fill_standard_descriptors(void)
{
    int descriptor;
    do {
        descriptor = open("/dev/null", O_RDWR);
    } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    if (descriptor >= 0) {
        close(descriptor);
    }
}

static void open_trace(const char *path)
{
    char message[512];
    FILE *out = NULL;
    if (path != NULL && (out = fopen(path, "we")) == NULL) {
        snprintf(message, sizeof message, "%s: %s", path, strerror(errno));
        give_up(message);
    }
    tracer_init(&tracer, out);
}

int main(int count, char **arguments)
{
    char message[4352];
    struct options options = options_read(count, arguments);
    const struct card_options wanted = {
        .directory = options.directory,
        .single = options.single,
        .contact = options.contact,
        .fault = options.fault,
        .cut_at = options.cut_at,
        .content = options.content,
        .torn = torn,
    };

    fill_standard_descriptors();
    open_trace(options.trace);
    if (!card_open(&card, &wanted, &tracer, message, sizeof message)) {
        give_up(message);
    }
    if (options.vpcd != NULL &&
        !transport_dial(&transport, options.vpcd, message, sizeof message)) {
        give_up(message);
    }
    signal(SIGPIPE, SIG_IGN);
    transport_signals();
    if (options.socket != NULL &&
        !transport_listen(&transport, options.socket, message, sizeof message)) {
        give_up(message);
    }
    serve_readers();
    card_close(&card);
    transport_close(&transport);
    if (tracer.out != NULL && fclose(tracer.out) != 0) {
        give_up("the trace could not be written whole");
    }
    return 0;
}
