/* SPDX-License-Identifier: Apache-2.0
 *
 * --trace: what passes over the contacts and over the gate.
 */
#include "tracer.h"

#include "host_card.h"

/* ---- Pieces of a line ---- */

static void begin(const struct tracer *tracer, const char *what)
{
    uint32_t now = host_clock_ms(NULL) - tracer->began;
    fprintf(tracer->out, "%6u.%03u %-5s", (unsigned)(now / 1000), (unsigned)(now % 1000), what);
}

/* A card ends by being pulled out: each line goes out at once. */
static void end(const struct tracer *tracer)
{
    fputc('\n', tracer->out);
    fflush(tracer->out);
}

static void hex(const struct tracer *tracer, const uint8_t *data, size_t length)
{
    if (length > 0) {
        fputc(' ', tracer->out);
    }
    for (size_t i = 0; i < length; i++) {
        fprintf(tracer->out, "%02X", data[i]);
    }
}

static void blank(const struct tracer *tracer, size_t length)
{
    if (length > 0) {
        fprintf(tracer->out, " <%zu bytes>", length);
    }
}

/* `shown` bytes in clear, the others as their number. */
static void partly(const struct tracer *tracer, const uint8_t *data, size_t length, size_t shown)
{
    shown = shown < length ? shown : length;
    hex(tracer, data, shown);
    blank(tracer, length - shown);
}

/* ---- Contacts ---- */

#define SM_INTERINDUSTRY 0x0CU /* ISO/IEC 7816-4:2013, table 2, and GPCS 11.1.4 */
#define SM_FURTHER       0x20U /* table 3 */
#define INS_GET_RESPONSE 0xC0U

struct instruction {
    uint8_t ins;
    const char *interindustry, *proprietary; /* names in classes 0X and 8X; NULL: none */
    bool secret[2];                          /* data of command and response, likewise */
};

static const struct instruction instructions[] = {
    {0x04, "DEACTIVATE FILE", NULL, {false, false}},
    {0x0C, "ERASE RECORD", NULL, {false, false}},
    {0x0E, "ERASE BINARY", NULL, {false, false}},
    {0x20, "VERIFY", NULL, {true, true}},
    {0x21, "VERIFY", NULL, {true, true}},
    {0x22, "MANAGE SECURITY ENVIRONMENT", NULL, {false, false}},
    {0x24, "CHANGE REFERENCE DATA", NULL, {true, true}},
    {0x25, "CHANGE REFERENCE DATA", NULL, {true, true}},
    {0x26, "DISABLE VERIFICATION", NULL, {true, true}},
    {0x28, "ENABLE VERIFICATION", NULL, {true, true}},
    {0x2A, "PERFORM SECURITY OPERATION", NULL, {true, true}},
    {0x2C, "RESET RETRY COUNTER", NULL, {true, true}},
    {0x2D, "RESET RETRY COUNTER", NULL, {true, true}},
    {0x44, "ACTIVATE FILE", NULL, {false, false}},
    {0x46, "GENERATE KEY PAIR", NULL, {false, false}},
    {0x50, NULL, "INITIALIZE UPDATE", {false, true}},
    {0x70, "MANAGE CHANNEL", NULL, {false, false}},
    {0x82, "EXTERNAL AUTHENTICATE", "EXTERNAL AUTHENTICATE", {true, true}},
    {0x84, "GET CHALLENGE", NULL, {true, false}},
    {0x86, "GENERAL AUTHENTICATE", NULL, {true, true}},
    {0x87, "GENERAL AUTHENTICATE", NULL, {true, true}},
    {0x88, "INTERNAL AUTHENTICATE", NULL, {true, true}},
    {0xA4, "SELECT", NULL, {false, false}},
    {0xB0, "READ BINARY", NULL, {false, false}},
    {0xB1, "READ BINARY", NULL, {false, false}},
    {0xB2, "READ RECORD", NULL, {false, false}},
    {INS_GET_RESPONSE, "GET RESPONSE", NULL, {false, false}},
    {0xCA, "GET DATA", "GET DATA", {false, false}},
    {0xCB, "GET DATA", "GET DATA", {false, false}},
    {0xD0, "WRITE BINARY", NULL, {false, false}},
    {0xD2, "WRITE RECORD", NULL, {false, false}},
    {0xD6, "UPDATE BINARY", NULL, {false, false}},
    {0xD7, "UPDATE BINARY", NULL, {false, false}},
    {0xD8, NULL, "PUT KEY", {true, true}},
    {0xDA, "PUT DATA", NULL, {false, false}},
    {0xDC, "UPDATE RECORD", NULL, {false, false}},
    {0xE0, "CREATE FILE", NULL, {false, false}},
    {0xE2, "APPEND RECORD", "STORE DATA", {false, true}},
    {0xE4, "DELETE FILE", "DELETE", {false, false}},
    {0xF0, NULL, "SET STATUS", {false, false}},
    {0xF1, NULL, "PRODUCTION STEP", {true, true}},
    {0xF2, NULL, "GET STATUS", {false, false}},
};

static const struct instruction *find(uint8_t ins)
{
    for (size_t i = 0; i < sizeof instructions / sizeof instructions[0]; i++) {
        if (instructions[i].ins == ins) {
            return &instructions[i];
        }
    }
    return NULL;
}

static bool under_secure_messaging(uint8_t cla)
{
    bool further = (cla & 0x40U) != 0;
    return (cla & (further ? SM_FURTHER : SM_INTERINDUSTRY)) != 0;
}

void tracer_command(struct tracer *tracer, const uint8_t *apdu, size_t length)
{
    if (tracer->out == NULL) {
        return;
    }
    begin(tracer, ">");
    if (length < 4) {
        hex(tracer, apdu, length);
        tracer->blank_response = false;
        end(tracer);
        return;
    }
    const struct instruction *row = find(apdu[1]);
    unsigned proprietary = (apdu[0] & 0x80U) != 0;
    const char *name = row == NULL ? NULL : (proprietary ? row->proprietary : row->interindustry);
    bool secret = under_secure_messaging(apdu[0]) || (row != NULL && row->secret[proprietary]);
    if (apdu[1] != INS_GET_RESPONSE) {
        tracer->blank_response = secret;
    }
    /* A secret begins behind the header and Lc; an unknown instruction may carry one, too. */
    hex(tracer, apdu, 4);
    partly(tracer, apdu + 4, length - 4, secret || name == NULL ? 1 : length);
    fprintf(tracer->out, "  %s%s", name == NULL ? "?" : name,
            under_secure_messaging(apdu[0]) ? " (secure messaging)" : "");
    end(tracer);
}

void tracer_response(struct tracer *tracer, const uint8_t *apdu, size_t length)
{
    if (tracer->out == NULL) {
        return;
    }
    begin(tracer, "<");
    size_t data = length < 2 ? 0 : length - 2;
    partly(tracer, apdu, data, tracer->blank_response ? 0 : data);
    hex(tracer, apdu + data, length - data);
    end(tracer);
}

void tracer_atr(struct tracer *tracer, const uint8_t *atr, size_t length)
{
    if (tracer->out != NULL) {
        begin(tracer, "<");
        hex(tracer, atr, length);
        fputs("  ATR", tracer->out);
        end(tracer);
    }
}

void tracer_event(struct tracer *tracer, const char *event)
{
    if (tracer->out != NULL) {
        begin(tracer, "*");
        fprintf(tracer->out, " %s", event);
        end(tracer);
    }
}

/* ---- Gate ---- */

/* What of a call's request and response is no secret: its first bytes. */
struct visible {
    uint8_t opcode;
    uint16_t request, response;
};

#define ALL 0xFFFFU
static const struct visible visible[] = {
    {COS_GATE_STATUS, ALL, ALL},    {COS_GATE_HELLO, ALL, ALL}, /* nonces and confirmations */
    {COS_GATE_CONTEXT, ALL, ALL},   {COS_GATE_ACCESS, ALL, ALL},
    {COS_GATE_PIN, 4, ALL},                                /* operation, channel, reference, held */
    {COS_GATE_CHALLENGE, ALL, ALL}, {COS_GATE_AUTH, 4, 0}, /* operation, channel, P1, reference */
    {COS_GATE_KEY, 4, 0},      /* operation, channel, reference, version */
    {COS_GATE_SM_OPEN, 5, 12}, /* channel, header; held, header, ne, room, nc */
    {COS_GATE_SM_SEAL, 3, 2},  /* channel, SW; SW */
    {COS_GATE_VAULT, 6, 0},    /* operation, channel, number, offset */
    {COS_GATE_LIFE, 2, 0},     /* operation, step */
};

static const struct visible *visible_of(uint8_t opcode)
{
    static const struct visible nothing = {0, 0, 0};
    for (size_t i = 0; i < sizeof visible / sizeof visible[0]; i++) {
        if (visible[i].opcode == opcode) {
            return &visible[i];
        }
    }
    return &nothing;
}

static const char *call_name(uint8_t opcode)
{
    switch (opcode) {
#define NAME(name, value, smallest, largest, response, states, session, served)                    \
    case value:                                                                                    \
        return #name;
        COS_GATE_CALLS(NAME)
#undef NAME
    default:
        return "?";
    }
}

/* Operation names of the calls whose first byte is one, from 1. */
static const char *operation_name(uint8_t opcode, uint8_t operation)
{
    static const struct {
        uint8_t opcode;
        const char *names[8];
    } tables[] = {
        {COS_GATE_HELLO, {"begin", "confirm"}},
        {COS_GATE_CONTEXT, {"bind", "drop", "register"}},
        {COS_GATE_PIN,
         {"verify", "query", "change", "unblock", "unblock only", "reset", "reset only"}},
        {COS_GATE_AUTH, {"internal", "external", "SCP03 begin", "SCP03 finish", "general"}},
        {COS_GATE_KEY, {"put", "store", "attributes", "delete"}},
        {COS_GATE_VAULT,
         {"create", "delete", "read", "update", "set status", "info", "write", "ask"}},
        {COS_GATE_LIFE, {"challenge", "step", "record", "set"}},
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if (tables[i].opcode == opcode && operation >= 1 && operation <= 8 &&
            tables[i].names[operation - 1] != NULL) {
            return tables[i].names[operation - 1];
        }
    }
    return "";
}

/* The client calls twice for each call of the gate: with the request and no response, then with the
 * response and no request. */
static void gate_call(void *context, uint8_t opcode, const uint8_t *request, size_t request_length,
                      enum cos_result result, const uint8_t *response, size_t response_length)
{
    struct tracer *tracer = context;
    if (tracer->out == NULL) {
        return;
    }
    const struct visible *row = visible_of(opcode);
    begin(tracer, request != NULL ? "gate>" : "gate<");
    fprintf(tracer->out, " %s", call_name(opcode));
    if (request != NULL) {
        const char *operation = request_length > 0 ? operation_name(opcode, request[0]) : "";
        fprintf(tracer->out, "%s%s:", *operation == '\0' ? "" : " ", operation);
        partly(tracer, request, request_length, row->request);
    } else {
        fputs(":", tracer->out);
        if (result != COS_OK) {
            fprintf(tracer->out, " error %d (%04X)", (int)result, (unsigned)cos_sw(result));
        } else {
            fputs(" ok", tracer->out);
        }
        partly(tracer, response, response_length, row->response);
    }
    end(tracer);
}

void tracer_init(struct tracer *tracer, FILE *out)
{
    *tracer = (struct tracer){
        .out = out,
        .gate = {.context = tracer, .call = gate_call},
        .began = host_clock_ms(NULL),
    };
}
