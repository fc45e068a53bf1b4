/* SPDX-License-Identifier: Apache-2.0 */
#include "crypt_rig.h"

#include "cos/tlv.h"
#include "secure_domain/domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { BLOCK = 230 }; /* what a command under secure messaging has room for */
enum { CHUNK = 108, CHUNK_DATA = 92, GENERATION = 4 };

uint16_t crypt_store(struct bench *bench, uint8_t number, const char *attributes)
{
    char value[400];

    (void)snprintf(value, sizeof value, "8301%02X %s", number, attributes);
    return bench_store_one(bench, "8020", value);
}

void crypt_key(struct bench *bench, uint8_t number, const char *attributes)
{
    bench_session(bench, 0x03);
    assert_int_equal(crypt_store(bench, number, attributes), 0x9000);
    bench_select(bench);
}

uint16_t crypt_import(struct bench *bench, uint8_t number, const struct crypt_number *numbers,
                      size_t count)
{
    uint8_t value[BENCH_APDU_MAX], group[BENCH_APDU_MAX];
    struct cos_writer writer = cos_writer(value, sizeof value);
    struct cos_writer out = cos_writer(group, sizeof group);
    uint8_t block = 0;

    cos_tlv_write8(&writer, 0x83, number);
    cos_tlv_write(&writer, 0x84, bench_application, sizeof bench_application);
    for (size_t i = 0; i < count; i++) {
        cos_tlv_write(&writer, numbers[i].tag, numbers[i].data, numbers[i].length);
    }
    cos_write16(&out, 0x8040);
    cos_write8(&out, writer.length < 255 ? (uint8_t)writer.length : 0xFF);
    if (writer.length >= 255) {
        cos_write16(&out, (uint16_t)writer.length);
    }
    cos_write_bytes(&out, value, writer.length);
    assert_false(writer.failed || out.failed);
    const uint8_t *at = group;
    for (; out.length > BLOCK; out.length -= BLOCK, at += BLOCK) {
        assert_int_equal(bench_sm(bench, 0x80, 0xE2, 0x60, block++, at, BLOCK), 0x9000);
    }
    return bench_sm(bench, 0x80, 0xE2, 0xE0, block, at, out.length);
}

uint16_t crypt_send(struct bench *bench, uint8_t ins, uint8_t p1, uint8_t p2, const uint8_t *data,
                    size_t length)
{
    uint8_t apdu[BENCH_APDU_MAX] = {0x00, ins, p1, p2, 0x00};
    struct cos_writer writer = cos_writer(apdu + 5, sizeof apdu - 5);

    if (length != 0) {
        cos_write16(&writer, (uint16_t)length);
        cos_write_bytes(&writer, data, length);
    }
    cos_write16(&writer, 0);
    assert_false(writer.failed);
    return bench_apdu(bench, apdu, 5 + writer.length);
}

uint16_t crypt_operate_in_parts(struct bench *bench, uint8_t p1, uint8_t p2, const uint8_t *data,
                                size_t length)
{
    for (; length > 200; length -= 200, data += 200) {
        assert_int_equal(bench_sm(bench, 0x10, 0x2A, p1, p2, data, 200), 0x9000);
    }
    return bench_sm(bench, 0x00, 0x2A, p1, p2, data, length);
}

uint16_t crypt_verify(struct bench *bench, const uint8_t *digest, size_t digest_length,
                      const uint8_t *signature, size_t length)
{
    uint8_t data[BENCH_APDU_MAX];
    struct cos_writer writer = cos_writer(data, sizeof data);

    cos_tlv_write(&writer, 0x9A, digest, digest_length);
    cos_tlv_write(&writer, 0x9E, signature, length);
    assert_false(writer.failed);
    return crypt_send(bench, 0x2A, 0x00, 0xA8, data, writer.length);
}

void crypt_set(struct bench *bench, uint8_t template, uint8_t reference, uint8_t algorithm)
{
    const uint8_t apdu[] = {0x00, 0x22, 0xC1, template, 6, 0x80, 1, algorithm, 0x84, 1, reference};

    assert_int_equal(bench_apdu(bench, apdu, sizeof apdu), 0x9000);
}

static uint16_t pair(struct bench *bench, uint8_t p1, uint8_t reference)
{
    const uint8_t data[] = {0xB6, 3, 0x84, 1, reference};

    return crypt_send(bench, 0x47, p1, 0x00, data, sizeof data);
}

void crypt_generate(struct bench *bench, uint8_t reference)
{
    assert_int_equal(pair(bench, 0x80, reference), 0x9000);
}

/* ---- Public keys ---- */

static struct cos_span find(const struct bench *bench, uint32_t tag)
{
    struct cos_tlv template, tlv;

    assert_int_equal(cos_tlv_find(bench->data, bench->length, 0x7F49, &template), COS_OK);
    assert_int_equal(cos_tlv_find(template.value, template.length, tag, &tlv), COS_OK);
    assert_ptr_equal(template.value + template.length, bench->data + bench->length);
    return (struct cos_span){tlv.value, tlv.length};
}

void crypt_take_rsa(const struct bench *bench, struct oracle_rsa *rsa)
{
    const struct cos_span n = find(bench, 0x81), e = find(bench, 0x82);

    *rsa = (struct oracle_rsa){.size = n.length, .e_length = e.length};
    assert_true(n.length <= sizeof rsa->n && e.length == 3);
    memcpy(rsa->n, n.data, n.length);
    memcpy(rsa->e, e.data, e.length);
    oracle_rsa_public(rsa);
}

EVP_PKEY *crypt_take_ec(const struct bench *bench, enum cos_curve curve)
{
    const struct cos_span point = find(bench, 0x86);

    assert_int_equal(point.length, 1 + 2 * cos_ec_size(curve));
    EVP_PKEY *pkey = oracle_ec_import(curve, NULL, point.data);
    assert_non_null(pkey);
    return pkey;
}

void crypt_read_rsa(struct bench *bench, uint8_t reference, struct oracle_rsa *rsa)
{
    assert_int_equal(pair(bench, 0x81, reference), 0x9000);
    crypt_take_rsa(bench, rsa);
}

EVP_PKEY *crypt_read_ec(struct bench *bench, uint8_t reference, enum cos_curve curve)
{
    assert_int_equal(pair(bench, 0x81, reference), 0x9000);
    return crypt_take_ec(bench, curve);
}

/* ---- Chunks ---- */

unsigned crypt_chunks(const struct bench *bench)
{
    const struct cos_secure *secure = &bench->secure;
    const unsigned count = (secure->config.vault_size + CHUNK_DATA - 1U) / CHUNK_DATA;
    unsigned used = 0;

    for (unsigned i = 0; i < count; i++) {
        const uint32_t at = cos_place(secure, cos_content_first_page(secure), i, CHUNK);
        bool zero;
        assert_int_equal(cos_all_zero(secure, at + GENERATION, CHUNK - GENERATION, &zero), COS_OK);
        used += zero ? 0 : 1;
    }
    return used;
}

void crypt_digest(uint8_t *digest, size_t length, unsigned seed)
{
    for (size_t i = 0; i < length; i++) {
        digest[i] = (uint8_t)(seed * 31U + i * 7U + 1U);
    }
}
