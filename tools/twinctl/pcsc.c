/* SPDX-License-Identifier: Apache-2.0
 *
 * The card in a PC/SC reader.
 */
#include "transport.h"

#include <stdlib.h>
#include <string.h>
#include <winscard.h>

static enum outcome failed(struct problem *problem, const char *what, LONG error)
{
    return trouble(problem, "PC/SC: %s: %s", what, pcsc_stringify_error(error));
}

static enum outcome exchange(struct transport *transport, const uint8_t *command, size_t length,
                             struct problem *problem)
{
    const SCARD_IO_REQUEST *protocol =
        transport->pcsc_protocol == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0 : SCARD_PCI_T1;
    DWORD answered = sizeof transport->response;
    LONG result = SCardTransmit((SCARDHANDLE)transport->pcsc_card, protocol, command, length, NULL,
                                transport->response, &answered);
    if (result != SCARD_S_SUCCESS) {
        return failed(problem, "transmit", result);
    }
    transport->response_length = answered;
    return answered >= 2 ? DONE : trouble(problem, "PC/SC: the card answered no status word");
}

static void close_reader(struct transport *transport)
{
    /* Unpowered, so that no security status outlives us. */
    SCardDisconnect((SCARDHANDLE)transport->pcsc_card, SCARD_UNPOWER_CARD);
    SCardReleaseContext((SCARDCONTEXT)transport->pcsc_context);
}

/* Copies the name of the first reader that contains `wanted`. */
static enum outcome find_reader(SCARDCONTEXT context, const char *wanted, char *name, size_t size,
                                struct problem *problem)
{
    DWORD length = 0;
    LONG result = SCardListReaders(context, NULL, NULL, &length);
    char *list = result == SCARD_S_SUCCESS ? calloc(1, length + 2) : NULL;
    if (list != NULL) {
        result = SCardListReaders(context, NULL, list, &length);
    }
    if (list == NULL || result != SCARD_S_SUCCESS) {
        free(list);
        return failed(problem, "list of readers", result);
    }
    enum outcome outcome = trouble(problem, "PC/SC: no reader with \"%s\" in its name", wanted);
    for (const char *reader = list; *reader != '\0'; reader += strlen(reader) + 1) {
        if (strstr(reader, wanted) != NULL && strlen(reader) < size) {
            strcpy(name, reader);
            outcome = DONE;
            break;
        }
    }
    free(list);
    return outcome;
}

enum outcome transport_reader(struct transport *transport, const char *name,
                              struct problem *problem)
{
    SCARDCONTEXT context = 0;
    SCARDHANDLE card = 0;
    char reader[256];
    LONG result = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context);
    if (result != SCARD_S_SUCCESS) {
        return failed(problem, "is pcscd running", result);
    }
    enum outcome outcome = find_reader(context, name, reader, sizeof reader, problem);
    if (outcome == DONE) {
        DWORD protocol = 0, length = sizeof transport->atr;
        result = SCardConnect(context, reader, SCARD_SHARE_SHARED,
                              SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &card, &protocol);
        if (result == SCARD_S_SUCCESS) {
            result = SCardStatus(card, NULL, NULL, NULL, NULL, transport->atr, &length);
            transport->atr_length = length;
            transport->pcsc_protocol = protocol;
        }
        if (result != SCARD_S_SUCCESS) {
            outcome = failed(problem, reader, result);
        }
    }
    transport->pcsc_context = (unsigned long)context;
    transport->pcsc_card = (unsigned long)card;
    transport->exchange = exchange;
    transport->close = close_reader;
    if (outcome != DONE) {
        close_reader(transport);
    }
    return outcome;
}
