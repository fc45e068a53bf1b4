/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include "cos/tlv.h"
#include "secure_domain/domain.h"
#include "twinctl/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

void rig_must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "fuzz: %s\n", what);
        abort();
    }
}

size_t rig_take(struct cos_reader *input, uint8_t *to, size_t length)
{
    length = length < input->length ? length : input->length;
    if (length > 0) {
        memcpy(to, cos_read_bytes(input, length), length);
    }
    return length;
}

/* ---- The card ---- */

#define OF_APPLICATION "8409F05457494E434F5301 "
#define K_ENC          "31C7E04B95D2A86F1E73BC0894AD5260"
#define K_MAC          "D80F6B3E92A1475CB7E41D239068FA15"
#define GLOBAL_MUTUAL  "5A3BC198E670F42D8B1955AC03DE7F6120E4871BD69C3A50F7624EBD918C05A3"

/* Sizes of bench_small, with room for all that. */
static const struct bench_sizes sizes = {
    .app = {16384, 256, 64, 8, 0xFF, 100000},
    .secure = {20480, 256, 64, 8, 0xFF, 100000},
    .page_size = 256,
    .app_pages = 61,
    .secure_pages = 79,
    .reserve = 12,
    .files = 24,
    .names = 8,
    .objects = 40,
    .vault_files = 6,
    .vault_size = 3680,
};

/* Values of DGIs in STORE DATA. */
static const struct object_row {
    const char *dgi, *value;
} objects[] = {
    {"8010", "830103 " OF_APPLICATION "C00103 C10104 C20108 C90172 CC0104 C708" RIG_PIN_3},
    {"8010", "830104 " OF_APPLICATION "C00103 C1010C C2010C C90103 CD0102 C706582031946705"},
    {"8010", "830105 " OF_APPLICATION "C00103 C10104 C2010C C90104 CA020002 C70826940731FFFFFFFF"},
    {"8010", "830106 " OF_APPLICATION "C00103 C10108 C20108 C90101 CC0104 CD0101"
             " C7083834303137323633"},
    {"8010", "830101 C00103 C10108 C20108 C7083630353931383432"},
    {"8020", "830104 " OF_APPLICATION "800104 C90110 950101 CE010B C50191 CB01C0"},
    {"8020", "830105 " OF_APPLICATION "800105 C90100 CE0101 C50193 CB01C0 CC0101"},
    {"8020", "830106 " OF_APPLICATION "800105 C90100 950101 CE0105 C50193 CB01C0 CA020002"},
    {"8020", "830107 " OF_APPLICATION "800104 C90110 CE0101 C50193 CB01C0 CA020002"},
    {"8020", "830108 " OF_APPLICATION "800105 C90100 CE0180 CB01C0 CA020003"},
    {"8020", "830109 " OF_APPLICATION "800101 CE010A C50193 CA020002"
             " C7108E52A1D07F3B46C91D60F7984A2BE533"},
    {"8020", "83010A " OF_APPLICATION "800101 CE0130 C50196 C71019F0B37C5EA24D8816E36B9FD0C74A25"},
    {"8020", "83010B " OF_APPLICATION "800102 CE010A C50191"
             " C7182C8A51EF7094B3D61F68CD43A2E9570B83F12E9A645DC870"},
    {"8020", "83010C " OF_APPLICATION "800103 C90102 CE0120 C00103"
             " C714D19A07E4638F2B5CC47018A6E3527FB90DE16C48"},
    {"8020", "83010D " OF_APPLICATION "800103 C90100 CE0140 C20105 C50193"
             " C7147B20C6D95F1EA8433D8A0F62B7E419C55AD36E08"},
    {"8020", "830104 800103 C90102 CE0140 C20102 C50191"
             " C714A3760FE85BD21C94E76D3108B9524FDA80C16F2B"},
    {"8020", "83010E " OF_APPLICATION "800101 950180 C720" K_ENC K_MAC},
    {"8020", "830101 800102 950180 C720" GLOBAL_MUTUAL},
    {"8020", "830102 800101 950101 C50191 C710F49D2A6187BE305CE98B1472D3605FCA"},
    {"8020", "830103 800105 C90100 CE0105 CB0100"},
};

/* Commands of the issuer's, behind the objects. */
static const char *const commands[] = {
    "00478000 05 B603840184",
    "00478000 05 B603840185",
    "00478000 05 B603840186",
    "00478000 05 B603840187",
    "00478000 05 B603840188",
    "00E00000 16 6214 82020121 83025111 80020040 850102 8C0303C093",
    "00D60000 10 4F70656E207661756C742066696C6521",
    "00E00000 16 6214 82020121 83025112 80020040 850102 8C03039191",
};

static void send_secured(struct bench *bench, const char *apdu)
{
    if (bench_sm_hex(bench, apdu) != 0x9000) {
        fprintf(stderr, "fuzz: %04X to %s\n", bench->sw, apdu);
        abort();
    }
}

static void store(struct bench *bench, const struct object_row *row)
{
    struct bytes dgi = {0}, value = {0};

    rig_must(hex_read(row->value, value.data, sizeof value.data, &value.length), row->value);
    rig_must(hex_read(row->dgi, dgi.data, sizeof dgi.data, &dgi.length), row->dgi);
    bytes_add8(&dgi, (unsigned)value.length);
    bytes_add(&dgi, value.data, value.length);
    if (bench_sm(bench, 0x80, 0xE2, 0xE0, 0x00, dgi.data, dgi.length) != 0x9000) {
        fprintf(stderr, "fuzz: %04X to %s\n", bench->sw, row->value);
        abort();
    }
}

bool rig_power_on(struct bench *bench)
{
    bench_use(bench, rig_crypto());
    const bool started = bench_power_on(bench);
    bench->secure.tested = 0xFF;
    return started;
}

/* What is in 5112 was written before its rule was in force. */
static const char *const secret_content = "00D60000 10 C1B2A3948576675849302B1C0DEEFF10";

void rig_make_card(struct bench *bench)
{
    bench_init(bench, &sizes);
    rig_must(rig_power_on(bench) && bench_produce_to(bench, COS_LIFE_OPERATIONAL), "production");
    rig_must(bench_sm_open(bench, 0x01, 0x03) == 0x9000, "the issuer's session");
    for (size_t i = 0; i < COUNT(objects); i++) {
        store(bench, &objects[i]);
    }
    send_secured(bench, RIG_SELECT);
    for (size_t i = 0; i < COUNT(commands); i++) {
        send_secured(bench, commands[i]);
    }
    send_secured(bench, "00200081 06 313233343536");
    send_secured(bench, secret_content);
    bench_power_off(bench);
    rig_must(rig_power_on(bench), "start");
    rig_must(bench_hex(bench, RIG_SELECT) == 0x9000, "SELECT");
}

struct iso_sm rig_mutual_key(void)
{
    struct iso_sm sm = {.aes = true, .key_length = 16};
    size_t length;

    rig_must(hex_read(K_ENC, sm.enc, 16, &length) && hex_read(K_MAC, sm.mac, 16, &length), "K");
    return sm;
}

/* ---- Secrets ---- */

static void list_parts(struct hunt *hunt, const char *name, const uint8_t *bytes, size_t length)
{
    for (size_t at = 0; at < length; at += 32) {
        hunt_secret(hunt, name, bytes + at, length - at < 32 ? length - at : 32);
    }
}

/* p and q whole, of the other numbers the first half. */
static void list_pair(struct bench *bench, struct hunt *hunt, const struct object *key)
{
    rig_must(cos_material_load(&bench->secure, key) == COS_OK, "a key pair");
    if (key->algorithm == ALGORITHM_EC) {
        list_parts(hunt, "private key", cos_material_ec(&bench->secure, key), 32);
    } else {
        const struct cos_rsa_private rsa = cos_material_rsa(&bench->secure, key);
        list_parts(hunt, "p", rsa.p.data, rsa.p.length);
        list_parts(hunt, "q", rsa.q.data, rsa.q.length);
        list_parts(hunt, "dP", rsa.dp.data, 32);
        list_parts(hunt, "dQ", rsa.dq.data, 32);
        list_parts(hunt, "qInv", rsa.qinv.data, 32);
    }
    cos_material_wipe(&bench->secure);
}

void rig_list_secrets(struct bench *bench, struct hunt *hunt)
{
    uint8_t secret[OBJECT_SECRET_MAX], content[BENCH_APDU_MAX];
    struct object object;
    size_t length;

    for (uint16_t i = 0; i < bench->secure.config.objects; i++) {
        rig_must(cos_object_read(&bench->secure, i, &object) == COS_OK, "an object");
        if (object.kind == OBJECT_FREE || object.kind == OBJECT_ENVIRONMENT) {
            continue;
        }
        if (object.algorithm == ALGORITHM_RSA || object.algorithm == ALGORITHM_EC) {
            if (object.size != 0) {
                list_pair(bench, hunt, &object);
            }
            continue;
        }
        rig_must(cos_object_secret(&bench->secure, &object, secret) == COS_OK, "a secret");
        list_parts(hunt, "PIN, key or pairing secret", secret, object.length);
    }
    list_parts(hunt, "storage key", bench->secure.storage_key, 32);
    rig_must(hex_read(secret_content, content, sizeof content, &length) && length == 21, "content");
    list_parts(hunt, "file 5112", content + 5, 16);
}

/* ---- The provider ---- */

/* Bytes that everybody can make from the parts. */
static void spread(const struct cos_span *parts, size_t count, uint8_t *out, size_t length)
{
    uint8_t number = 0, digest[COS_SHA256_SIZE];
    struct cos_span all[4] = {{&number, 1}};

    rig_must(count < COUNT(all), "parts");
    memcpy(all + 1, parts, count * sizeof parts[0]);
    for (size_t at = 0; at < length; at += sizeof digest, number++) {
        (void)cos_crypto_tomcrypt.hash(NULL, COS_SHA256, all, count + 1, digest);
        memcpy(out + at, digest, length - at < sizeof digest ? length - at : sizeof digest);
    }
}

static enum cos_result draw(const struct cos_random *random, uint8_t *out, size_t length)
{
    return random->draw(random->context, out, length);
}

static bool is_zero(const uint8_t *bytes, size_t length)
{
    uint8_t any = 0;

    for (size_t i = 0; i < length; i++) {
        any |= bytes[i];
    }
    return any == 0;
}

/* A point is 04, the hash of the private key, and the hash of that. */
static enum cos_result ec_check(void *context, enum cos_curve curve, const uint8_t *key,
                                const uint8_t *point)
{
    const size_t size = cos_ec_size(curve);
    uint8_t y[COS_EC_MAX];

    (void)context;
    COS_CHECK(key == NULL || !is_zero(key, size), COS_E_DATA);
    if (point != NULL) {
        spread(&(struct cos_span){point + 1, size}, 1, y, size);
        COS_CHECK(point[0] == 0x04 && memcmp(y, point + 1 + size, size) == 0, COS_E_DATA);
    }
    return COS_OK;
}

static enum cos_result ec_public(void *context, enum cos_curve curve,
                                 const struct cos_random *random, const uint8_t *key,
                                 uint8_t *point)
{
    const size_t size = cos_ec_size(curve);

    (void)random;
    COS_TRY(ec_check(context, curve, key, NULL));
    point[0] = 0x04;
    spread(&(struct cos_span){key, size}, 1, point + 1, size);
    spread(&(struct cos_span){point + 1, size}, 1, point + 1 + size, size);
    return COS_OK;
}

static enum cos_result ec_generate(void *context, enum cos_curve curve,
                                   const struct cos_random *random, uint8_t *key, uint8_t *point)
{
    COS_TRY(draw(random, key, cos_ec_size(curve)));
    return ec_public(context, curve, random, key, point);
}

static void ec_signature(enum cos_curve curve, const uint8_t *point, const uint8_t *digest,
                         size_t digest_length, uint8_t *signature)
{
    const size_t size = cos_ec_size(curve);
    const struct cos_span parts[] = {{point, 1 + 2 * size}, {digest, digest_length}};

    spread(parts, COUNT(parts), signature, 2 * size);
}

static enum cos_result ec_sign(void *context, enum cos_curve curve, const struct cos_random *random,
                               const uint8_t *key, const uint8_t *digest, size_t digest_length,
                               uint8_t *signature)
{
    uint8_t point[COS_EC_POINT_MAX];

    COS_TRY(ec_public(context, curve, random, key, point));
    ec_signature(curve, point, digest, digest_length, signature);
    return COS_OK;
}

static enum cos_result ec_verify(void *context, enum cos_curve curve, const uint8_t *point,
                                 const uint8_t *digest, size_t digest_length,
                                 const uint8_t *signature, cos_truth *valid)
{
    uint8_t expected[2 * COS_EC_MAX];

    *valid = COS_NO;
    COS_TRY(ec_check(context, curve, NULL, point));
    ec_signature(curve, point, digest, digest_length, expected);
    *valid = memcmp(expected, signature, 2 * cos_ec_size(curve)) == 0 ? COS_YES : COS_NO;
    return COS_OK;
}

static enum cos_result ec_agree(void *context, enum cos_curve curve,
                                const struct cos_random *random, const uint8_t *key,
                                const uint8_t *point, uint8_t *secret)
{
    const size_t size = cos_ec_size(curve);
    uint8_t own[COS_EC_POINT_MAX];

    COS_TRY(ec_check(context, curve, NULL, point));
    COS_TRY(ec_public(context, curve, random, key, own));
    for (size_t i = 0; i < size; i++) {
        own[i] = own[1 + i] ^ point[1 + i];
    }
    spread(&(struct cos_span){own, size}, 1, secret, size);
    return COS_OK;
}

/* n is the hash of p and q; both operations add the hash of n, bit by bit. */
static void rsa_modulus(struct cos_span p, struct cos_span q, uint8_t *n)
{
    const struct cos_span parts[] = {p, q};

    spread(parts, COUNT(parts), n, p.length + q.length);
    n[0] = 0xFF; /* above whatever has a padding */
    n[p.length + q.length - 1] |= 1;
}

static enum cos_result rsa_public(void *context, struct cos_span n, struct cos_span e,
                                  const uint8_t *in, uint8_t *out)
{
    uint8_t mask[COS_RSA_MAX];

    (void)context;
    COS_CHECK((n.data[n.length - 1] & 1) != 0 && !is_zero(e.data, e.length), COS_E_DATA);
    COS_CHECK(memcmp(in, n.data, n.length) < 0, COS_E_DATA);
    spread(&n, 1, mask, n.length);
    mask[0] &= 0x7F;
    for (size_t i = 0; i < n.length; i++) {
        out[i] = in[i] ^ mask[i];
    }
    return COS_OK;
}

static enum cos_result rsa_private(void *context, const struct cos_rsa_private *key,
                                   const struct cos_random *random, const uint8_t *in, uint8_t *out)
{
    uint8_t n[COS_RSA_MAX];

    (void)random;
    rsa_modulus(key->p, key->q, n);
    return rsa_public(context, (struct cos_span){n, 2 * key->p.length}, key->e, in, out);
}

static enum cos_result rsa_complete(void *context, const struct cos_random *random,
                                    struct cos_span p, struct cos_span q, struct cos_span e,
                                    const struct cos_rsa_parts *key)
{
    const size_t half = p.length;
    const struct cos_span parts[] = {p, q, e};
    uint8_t rest[3 * COS_RSA_MAX / 2];

    (void)context;
    (void)random;
    COS_CHECK((p.data[half - 1] & q.data[half - 1] & 1) != 0, COS_E_DATA);
    COS_CHECK((p.data[0] & q.data[0] & 0x80) != 0, COS_E_DATA);
    COS_CHECK(memcmp(p.data, q.data, half) != 0, COS_E_DATA);
    spread(parts, COUNT(parts), rest, 3 * half);
    rsa_modulus(p, q, key->n);
    memmove(key->p, p.data, half);
    memmove(key->q, q.data, half);
    memcpy(key->dp, rest, half);
    memcpy(key->dq, rest + half, half);
    memcpy(key->qinv, rest + 2 * half, half);
    return COS_OK;
}

static enum cos_result rsa_generate(void *context, const struct cos_random *random, size_t bits,
                                    struct cos_span e, const struct cos_rsa_parts *key)
{
    const size_t half = bits / 16;

    COS_TRY(draw(random, key->p, half));
    COS_TRY(draw(random, key->q, half));
    key->p[0] |= 0x80;
    key->q[0] |= 0x80;
    key->p[half - 1] |= 1;
    key->q[half - 1] |= 1;
    return rsa_complete(context, random, (struct cos_span){key->p, half},
                        (struct cos_span){key->q, half}, e, key);
}

static enum cos_result rsa_check(void *context, const struct cos_rsa_private *key,
                                 struct cos_span n)
{
    uint8_t expected[COS_RSA_MAX];

    (void)context;
    rsa_modulus(key->p, key->q, expected);
    return memcmp(expected, n.data, n.length) == 0 ? COS_OK : COS_E_DATA;
}

const struct cos_crypto *rig_crypto(void)
{
    static struct cos_crypto crypto;

    crypto = cos_crypto_tomcrypt;
    crypto.rsa_public = rsa_public;
    crypto.rsa_private = rsa_private;
    crypto.rsa_check = rsa_check;
    crypto.rsa_generate = rsa_generate;
    crypto.rsa_complete = rsa_complete;
    crypto.ec_generate = ec_generate;
    crypto.ec_public = ec_public;
    crypto.ec_sign = ec_sign;
    crypto.ec_verify = ec_verify;
    crypto.ec_agree = ec_agree;
    crypto.ec_check = ec_check;
    return &crypto;
}
