/* SPDX-License-Identifier: Apache-2.0
 *
 * Buffer, BER-TLV, hexadecimal text and CRC-32 of the world outside the card.
 */
#include "bytes.h"

#include <openssl/crypto.h>
#include <string.h>

void bytes_add(struct bytes *to, const void *data, size_t length)
{
    if (to->failed || length > sizeof to->data - to->length) {
        to->failed = true;
        return;
    }
    if (length > 0) {
        memcpy(to->data + to->length, data, length);
    }
    to->length += length;
}

void bytes_add8(struct bytes *to, unsigned value)
{
    bytes_add(to, (uint8_t[]){(uint8_t)value}, 1);
}

void bytes_add16(struct bytes *to, unsigned value)
{
    bytes_add(to, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

void bytes_add32(struct bytes *to, uint32_t value)
{
    bytes_add16(to, value >> 16);
    bytes_add16(to, value & 0xFFFFU);
}

void bytes_fill(struct bytes *to, uint8_t value, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bytes_add8(to, value);
    }
}

void bytes_tlv(struct bytes *to, unsigned tag, const void *value, size_t length)
{
    if (tag > 0xFF) {
        bytes_add8(to, tag >> 8);
    }
    bytes_add8(to, tag);
    if (length > 0xFF) {
        bytes_add8(to, 0x82);
        bytes_add16(to, (unsigned)length);
    } else {
        if (length > 0x7F) {
            bytes_add8(to, 0x81);
        }
        bytes_add8(to, (unsigned)length);
    }
    bytes_add(to, value, length);
}

void bytes_tlv8(struct bytes *to, unsigned tag, unsigned value)
{
    bytes_tlv(to, tag, (uint8_t[]){(uint8_t)value}, 1);
}

void bytes_tlv16(struct bytes *to, unsigned tag, unsigned value)
{
    bytes_tlv(to, tag, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

void bytes_template(struct bytes *to, unsigned tag, const struct bytes *value)
{
    bytes_tlv(to, tag, value->data, value->length);
    to->failed |= value->failed;
}

void bytes_wipe(struct bytes *bytes)
{
    OPENSSL_cleanse(bytes, sizeof *bytes);
}

/* Takes one byte off the front; `ok` becomes false where there is none. */
static unsigned take(struct part *rest, bool *ok)
{
    if (rest->length == 0) {
        *ok = false;
        return 0;
    }
    rest->length--;
    return *rest->data++;
}

bool tlv_next(struct part *rest, unsigned *tag, struct part *value)
{
    bool ok = true;
    *tag = take(rest, &ok);
    if ((*tag & 0x1FU) == 0x1FU) {
        *tag = *tag << 8 | take(rest, &ok);
    }
    size_t length = take(rest, &ok);
    if (length > 0x82 || length == 0x80) {
        return false;
    }
    if (length > 0x80) {
        size_t more = length - 0x80;
        length = 0;
        for (size_t i = 0; i < more; i++) {
            length = length << 8 | take(rest, &ok);
        }
    }
    if (!ok || length > rest->length) {
        return false;
    }
    *value = (struct part){rest->data, length};
    rest->data += length;
    rest->length -= length;
    return true;
}

bool tlv_find(const uint8_t *data, size_t length, unsigned tag, struct part *value)
{
    struct part rest = {data, length};
    unsigned found = 0;
    while (tlv_next(&rest, &found, value)) {
        if (found == tag) {
            return true;
        }
    }
    return false;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_read(const char *text, uint8_t *data, size_t capacity, size_t *length)
{
    *length = 0;
    while (*text != '\0') {
        if (*text == ' ') {
            text++;
            continue;
        }
        int high = digit(text[0]), low = high < 0 ? -1 : digit(text[1]);
        if (low < 0 || *length == capacity) {
            return false;
        }
        data[(*length)++] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    return true;
}

char *hex_write(const uint8_t *data, size_t length, char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < length; i++) {
        text[2 * i] = digits[data[i] >> 4];
        text[2 * i + 1] = digits[data[i] & 0x0F];
    }
    text[2 * length] = '\0';
    return text;
}

uint32_t crc32_of(const uint8_t *data, size_t length)
{
    uint32_t crc = 0xFFFFFFFFU;
    for (size_t i = 0; i < length; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320U : 0);
        }
    }
    return ~crc;
}
