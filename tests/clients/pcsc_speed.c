/* SPDX-License-Identifier: Apache-2.0
 *
 * How many commands a second pass through pcscd, the virtual reader and the card.
 *
 *   pcsc_speed READER COUNT HEX...    sends the commands in turn, COUNT in all
 *
 * Prints one line: commands a second, and the last response. Exit status 1 if any response had
 * another status word than 9000 or 61XX, 2 if the reader could not be used.
 */
#include <winscard.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COMMANDS_MAX 16
#define COMMAND_MAX  261
#define RESPONSE_MAX 258

struct command {
    uint8_t bytes[COMMAND_MAX];
    size_t length;
};

static bool read_hex(const char *text, struct command *command)
{
    size_t digits = strlen(text);
    if (digits == 0 || digits % 2 != 0 || digits / 2 > COMMAND_MAX) {
        return false;
    }
    for (size_t i = 0; i < digits / 2; i++) {
        char *end = NULL;
        const char pair[] = {text[2 * i], text[2 * i + 1], '\0'};
        command->bytes[i] = (uint8_t)strtoul(pair, &end, 16);
        if (*end != '\0') {
            return false;
        }
    }
    command->length = digits / 2;
    return true;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int fail(const char *what, LONG result)
{
    fprintf(stderr, "pcsc_speed: %s: %s\n", what, pcsc_stringify_error(result));
    return 2;
}

static int run(SCARDHANDLE card, DWORD protocol, const struct command *commands, size_t kinds,
               unsigned long count)
{
    const SCARD_IO_REQUEST *header = protocol == SCARD_PROTOCOL_T1 ? SCARD_PCI_T1 : SCARD_PCI_T0;
    uint8_t response[RESPONSE_MAX] = {0};
    DWORD length = 0;
    unsigned long bad = 0;
    double began = seconds();

    for (unsigned long i = 0; i < count; i++) {
        const struct command *command = &commands[i % kinds];
        length = sizeof response;
        LONG result = SCardTransmit(card, header, command->bytes, (DWORD)command->length, NULL,
                                    response, &length);
        if (result != SCARD_S_SUCCESS) {
            return fail("SCardTransmit", result);
        }
        bad += length < 2 || !((response[length - 2] == 0x90 && response[length - 1] == 0x00) ||
                               response[length - 2] == 0x61);
    }
    double took = seconds() - began;
    const uint8_t *sw = length >= 2 ? response + length - 2 : response;
    printf("%.0f commands/s, last status word %02X%02X, refused %lu of %lu\n", (double)count / took,
           sw[0], sw[1], bad, count);
    return bad == 0 ? 0 : 1;
}

int main(int argument_count, char **arguments)
{
    static struct command commands[COMMANDS_MAX];
    SCARDCONTEXT context;
    SCARDHANDLE card;
    DWORD protocol = 0;
    size_t kinds = (size_t)argument_count - 3;
    unsigned long count = argument_count < 4 ? 0 : strtoul(arguments[2], NULL, 10);

    if (count == 0 || kinds > COMMANDS_MAX) {
        fputs("usage: pcsc_speed READER COUNT HEX...\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < kinds; i++) {
        if (!read_hex(arguments[3 + i], &commands[i])) {
            fprintf(stderr, "pcsc_speed: %s: not a command in hex\n", arguments[3 + i]);
            return 2;
        }
    }
    LONG result = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context);
    if (result != SCARD_S_SUCCESS) {
        return fail("SCardEstablishContext", result);
    }
    result = SCardConnect(context, arguments[1], SCARD_SHARE_EXCLUSIVE,
                          SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &card, &protocol);
    if (result != SCARD_S_SUCCESS) {
        return fail("SCardConnect", result);
    }
    int status = run(card, protocol, commands, kinds, count);
    SCardDisconnect(card, SCARD_UNPOWER_CARD);
    SCardReleaseContext(context);
    return status;
}
