/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzz target: a command APDU from outside. Parses it, decodes its class, walks its data as
 * BER-TLV, writes what it found again, and sends the data back as a response. The sanitizers see
 * every access outside; abort() marks what no input may lead to.
 */
#include "cos/apdu.h"
#include "cos/tlv.h"

#include <stdlib.h>

enum {
    BODY_MAX = 65536,
    DEPTH_MAX = 8,
    NE_WHEN_ABSENT = 256,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition) {
        abort();
    }
}

static bool inside(const uint8_t *part, size_t length, const uint8_t *whole, size_t whole_length)
{
    return part >= whole && (size_t)(part - whole) <= whole_length &&
           length <= whole_length - (size_t)(part - whole);
}

static size_t length_field_bytes(size_t nc, uint32_t ne, bool extended)
{
    const size_t lc = nc == 0 ? 0 : (extended ? 3 : 1);
    const size_t le = ne == 0 ? 0 : (!extended ? 1 : (nc == 0 ? 3 : 2));

    return lc + le;
}

static void check_command(const struct cos_command *command, const uint8_t *apdu, size_t length)
{
    const bool extended = command->form >= COS_CASE_2E;

    must(command->ne <= 65536);
    must((command->data == NULL) == (command->nc == 0));
    must(command->nc == 0 || inside(command->data, command->nc, apdu, length));
    must(length == 4 + command->nc + length_field_bytes(command->nc, command->ne, extended));
}

static void check_class(uint8_t cla)
{
    struct cos_class class_;

    if (cos_apdu_class(cla, &class_) == COS_OK) {
        must(class_.channel <= 19 && class_.sm <= COS_CLASS_SM_ISO_HEADER);
        must(class_.proprietary == (cla >= 0x80));
        must(!(class_.proprietary && class_.chaining));
    }
}

/* What was read must, when it is written, read as the same again. */
static void check_written_again(const struct cos_tlv *tlv)
{
    static uint8_t copy[BODY_MAX + 16];
    struct cos_writer writer = cos_writer(copy, sizeof copy);
    struct cos_writer parts = cos_writer(copy, sizeof copy);
    struct cos_reader reader;
    struct cos_tlv again;
    size_t length, opened;

    cos_tlv_write(&writer, tlv->tag, tlv->value, tlv->length);
    length = writer.length;
    opened = cos_tlv_open(&parts, tlv->tag);
    cos_write_bytes(&parts, tlv->value, tlv->length);
    cos_tlv_close(&parts, opened);
    must(!writer.failed && !parts.failed && parts.length == length);
    reader = cos_reader(copy, length);
    must(cos_tlv_next(&reader, &again) == COS_OK && cos_read_done(&reader));
    must(again.tag == tlv->tag && again.length == tlv->length);
    must(cos_equal_secret(again.value, tlv->value, tlv->length) == COS_YES);
}

static void walk(const uint8_t *data, size_t length)
{
    struct cos_reader open[DEPTH_MAX] = {cos_reader(data, length)};
    size_t depth = 0;

    for (;;) {
        struct cos_tlv tlv, found;
        const enum cos_result result = cos_tlv_next(&open[depth], &tlv);

        must(result == COS_OK || result == COS_E_DATA || result == COS_E_END_OF_DATA);
        must(open[depth].failed == (result == COS_E_DATA));
        if (result == COS_OK) {
            must(tlv.tag != 0 && inside(tlv.value, tlv.length, data, length));
            if (depth == 0) {
                must(cos_tlv_find(data, length, tlv.tag, &found) == COS_OK);
                must(found.tag == tlv.tag && found.value <= tlv.value);
            }
            check_written_again(&tlv);
            if (depth + 1 < DEPTH_MAX) { /* primitive or not: any value may be walked */
                open[++depth] = cos_reader(tlv.value, tlv.length);
            }
        } else if (depth > 0) {
            depth--;
        } else {
            return;
        }
    }
}

/* Sends the data back, in pieces of the command's own Ne. */
static void respond(const struct cos_command *command)
{
    static uint8_t body[BODY_MAX], out[BODY_MAX + 2];
    const uint32_t ne = command->ne == 0 ? NE_WHEN_ABSENT : command->ne;
    struct cos_response response;
    size_t sent = 0;

    cos_response_start(&response, body, sizeof body);
    cos_write_bytes(&response.body, command->data, command->nc);
    response.sw = COS_SW_OK;
    do {
        const size_t length = cos_response_next(&response, command->ne, out, sizeof out);

        must(length >= 2 && length - 2 <= ne && sent + length - 2 <= command->nc);
        must(command->nc == 0 ||
             cos_equal_secret(out, command->data + sent, length - 2) == COS_YES);
        sent += length - 2;
        must((cos_get16(out + length - 2) == COS_SW_OK) == (sent == command->nc));
    } while (cos_response_pending(&response));
    must(sent == command->nc);
    for (size_t i = 0; i < sent; i++) {
        must(body[i] == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cos_command command;
    const enum cos_result result = cos_apdu_parse(data, size, &command);

    if (result == COS_OK) {
        check_command(&command, data, size);
        check_class(command.cla);
        must(cos_apdu_instruction_valid(command.ins) ==
             ((command.ins & 0xF0) != 0x60 && (command.ins & 0xF0) != 0x90));
        if (command.nc > 0) {
            walk(command.data, command.nc);
        }
        respond(&command);
    } else {
        must(result == COS_E_LENGTH);
        walk(data, size); /* bytes that are no APDU may still be data objects */
    }
    return 0;
}
