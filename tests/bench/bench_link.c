/* SPDX-License-Identifier: Apache-2.0
 *
 * What it costs that the security chip has a process of its own: a STATUS call of twincard's card,
 * with both chips in this process and with two, and bare frames of the same lengths to and fro
 * between two processes. The three take turns, so that whatever else the machine does meets all of
 * them; medians are printed, in nanoseconds a round trip.
 *
 *   bench_link FOLDER     a line each: name, nanoseconds. FOLDER is where the card is put.
 */
#include "bench.h"

#include "gate/channel.h"
#include "rom_image.h"
#include "twincard/card.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Turns, an odd number of them, and round trips in each. */
enum { TURNS = 301, TRIPS = 40 };

enum { REQUEST = FRAME_HEADER + COS_CCM_TAG + FRAME_CRC };

static struct bench made;
static struct card single, pair;
static struct tracer tracer;
static size_t response_length;

static void must(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "bench_link: %s\n", what);
        exit(1);
    }
}

/* ---- The card ---- */

static void write_nvm(const struct sim_nvm *nvm, const char *folder, const char *name)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    must(file != NULL, path);
    must(fwrite(nvm->cells, 1, nvm->nvm.geometry.size, file) == nvm->nvm.geometry.size, path);
    must(fclose(file) == 0, path);
}

/* A card of the bench in twincard, which believes in the bench's ROM. */
static void start(struct card *card, const char *folder, const char *name, bool alone)
{
    static char directories[2][4000];
    char *directory = directories[alone ? 0 : 1];
    char message[256] = "";
    uint8_t select[] = {0x00, 0xA4, 0x00, 0x0C}, response[CARD_RESPONSE_MAX];

    snprintf(directory, sizeof directories[0], "%s/%s", folder, name);
    write_nvm(&made.app_nvm, directory, HOST_APP_NVM);
    write_nvm(&made.secure_nvm, directory, HOST_SECURE_NVM);
    const struct card_options options = {.directory = directory, .single = alone};
    must(card_open(card, &options, &tracer, message, sizeof message), message);
    host_rom_image_close(&card->rom);
    card->rom = made.rom;
    must(card_command(card, select, sizeof select, response) == 2 &&
             cos_get16(response) == 0x9000 && card->app.gate.open,
         "the card does not start");
}

static void stop(struct card *card)
{
    card->rom = (struct cos_rom){NULL, 0};
    card_close(card);
}

static void call(struct card *card)
{
    struct cos_span body;

    must(cos_gate_call(&card->app.gate, COS_GATE_STATUS, NULL, 0, &body) == COS_OK, "STATUS");
    response_length = cos_get16(card->app.gate.response) + 2U + FRAME_CRC;
}

static void call_single(void)
{
    call(&single);
}

static void call_pair(void)
{
    call(&pair);
}

/* ---- Bare frames ---- */

static int wire = -1;

static _Noreturn void echo(int end)
{
    uint8_t frame[COS_LINK_FRAME_MAX] = {0};

    while (recv(end, frame, sizeof frame, 0) == REQUEST &&
           send(end, frame, response_length, MSG_NOSIGNAL) == (ssize_t)response_length) {
    }
    _exit(0);
}

static pid_t start_echo(void)
{
    int ends[2];

    must(host_link_pair(ends), "sockets");
    fflush(NULL);
    const pid_t process = fork();
    must(process >= 0, "process");
    if (process == 0) {
        close(ends[0]);
        echo(ends[1]);
    }
    close(ends[1]);
    wire = ends[0];
    return process;
}

static void to_and_fro(void)
{
    uint8_t frame[COS_LINK_FRAME_MAX] = {0};

    must(send(wire, frame, REQUEST, MSG_NOSIGNAL) == REQUEST &&
             recv(wire, frame, sizeof frame, 0) == (ssize_t)response_length,
         "bare frames");
}

/* ---- Measuring ---- */

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static void measure(void)
{
    static const struct {
        const char *name;
        void (*trip)(void);
    } kinds[] = {{"one process", call_single}, {"two processes", call_pair}, {"bare", to_and_fro}};
    static double times[3][TURNS];

    for (size_t turn = 0; turn < TURNS; turn++) {
        for (size_t kind = 0; kind < 3; kind++) {
            const double began = now();
            for (size_t i = 0; i < TRIPS; i++) {
                kinds[kind].trip();
            }
            times[kind][turn] = (now() - began) / TRIPS;
        }
    }
    for (size_t kind = 0; kind < 3; kind++) {
        qsort(times[kind], TURNS, sizeof times[kind][0], compare);
        printf("%s|%.0f\n", kinds[kind].name, times[kind][TURNS / 2]);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: bench_link FOLDER\n");
        return 2;
    }
    bench_make(&made, &bench_host);
    bench_power_off(&made);
    start(&single, argv[1], "single", true);
    start(&pair, argv[1], "pair", false);
    call_single();
    const pid_t other = start_echo();
    measure();
    close(wire);
    must(waitpid(other, NULL, 0) == other, "end of the other process");
    stop(&pair);
    stop(&single);
    bench_free(&made);
    return 0;
}
