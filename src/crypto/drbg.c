/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers: HMAC_DRBG with SHA-256 (SP 800-90A 10.1.2), and the health tests of the noise
 * source that seeds it (SP 800-90B 4.4).
 */
#include "drbg.h"

#include "cos/config.h"
#include "cos/port.h"

#define ENTROPY_BITS COS_ENTROPY_BITS_PER_BYTE
#if ENTROPY_BITS < 1 || ENTROPY_BITS > 8
#error "COS_ENTROPY_BITS_PER_BYTE must be 1 to 8"
#endif

/* Health tests. A sound source, with a min-entropy of H = ENTROPY_BITS bits a sample, may be
 * refused with a probability of at most alpha = 2^-30 a test (SP 800-90B 4.3 recommends 2^-20 to
 * 2^-40).
 *
 * Repetition count (4.4.1): C = 1 + ceil(-log2(alpha) / H). For H = 4: 9.
 *
 * Adaptive proportion (4.4.2): W = 512 for samples of more than two values, and C = 1 +
 * CRITBINOM(W, 2^-H, 1 - alpha), where CRITBINOM is the least k with
 *     sum over i = 0..k of binomial(W, i) p^i (1 - p)^(W - i)  >=  1 - alpha.
 * The table holds C for H = 1 to 8, computed in exact rational arithmetic; the unit test computes
 * it again. For H = 4: 71, where 32 are expected. */
#define ALPHA_BITS        30U
#define REPETITION_CUTOFF (1U + (ALPHA_BITS + ENTROPY_BITS - 1U) / ENTROPY_BITS)
#define PROPORTION_WINDOW 512U
static const uint16_t proportion_cutoff[] = {0, 325, 190, 114, 71, 46, 31, 22, 16};

/* Noise drawn for a seeding: two windows at start (4.3 asks for at least 1,024 samples), one when
 * seeding again, so that no seed is used of which the tests saw less than a window. The last bytes
 * of it are the seed. */
#define NOISE_AT_START 1024U
#define NOISE_AGAIN    512U

/* Seed sizes for 256 bits of security (SP 800-90A 8.6.7, 10.1, table 2): entropy input with 256
 * bits, and at start a nonce with 128 more from the same source. */
#define SEED_AT_START ((256U + 128U + ENTROPY_BITS - 1U) / ENTROPY_BITS)
#define SEED_AGAIN    ((256U + ENTROPY_BITS - 1U) / ENTROPY_BITS)

#define REQUEST_MAX 65536U

struct health {
    size_t run;        /* how often `last` came in a row */
    size_t seen;       /* samples of the present window */
    size_t count;      /* how many of them equal `reference` */
    uint8_t last;      /* last sample */
    uint8_t reference; /* first sample of the window */
};

static enum cos_result health_feed(struct health *health, const uint8_t *noise, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        health->run = health->run > 0 && noise[i] == health->last ? health->run + 1 : 1;
        health->last = noise[i];
        if (health->seen == 0) {
            health->reference = noise[i];
            health->count = 0;
        }
        health->count += noise[i] == health->reference;
        health->seen = (health->seen + 1) % PROPORTION_WINDOW;
        COS_CHECK(health->run < REPETITION_CUTOFF, COS_E_ENTROPY);
        COS_CHECK(health->count < proportion_cutoff[ENTROPY_BITS], COS_E_ENTROPY);
    }
    return COS_OK;
}

enum cos_result cos_entropy_health(const uint8_t *noise, size_t length)
{
    struct health health = {0};
    enum cos_result result = health_feed(&health, noise, length);
    cos_wipe(&health, sizeof health);
    return result;
}

/* Draws and tests `total` samples, a buffer at a time; the last of them stay as the seed. */
static enum cos_result draw_seed(const struct cos_entropy *entropy, size_t total, uint8_t *seed,
                                 size_t seed_length)
{
    struct health health = {0};
    enum cos_result result = COS_OK;
    size_t n = total % seed_length; /* the odd piece first, so that the last one is whole */
    if (n == 0) {
        n = seed_length;
    }
    for (size_t drawn = 0; drawn < total && result == COS_OK; drawn += n, n = seed_length) {
        result = entropy->read(entropy->context, seed, n) == COS_OK ? COS_OK : COS_E_ENTROPY;
        if (result == COS_OK) {
            result = health_feed(&health, seed, n);
        }
    }
    cos_wipe(&health, sizeof health);
    return result;
}

/* HMAC over V and, with a marking byte, what else goes in, under the generator's key. */
static enum cos_result keyed(const struct cos_drbg *drbg, const struct cos_span *parts,
                             size_t count, uint8_t out[COS_SHA256_SIZE])
{
    return drbg->crypto->hmac(drbg->crypto->context, COS_SHA256, drbg->key, sizeof drbg->key, parts,
                              count, out);
}

static enum cos_result next_value(struct cos_drbg *drbg)
{
    const struct cos_span value = {drbg->value, sizeof drbg->value};
    return keyed(drbg, &value, 1, drbg->value);
}

/* HMAC_DRBG_Update (10.1.2.2); the second round only with data. */
static enum cos_result update(struct cos_drbg *drbg, struct cos_span seed, struct cos_span personal)
{
    unsigned rounds = seed.length + personal.length > 0 ? 2 : 1;
    for (unsigned round = 0; round < rounds; round++) {
        const uint8_t mark = (uint8_t)round;
        const struct cos_span parts[] = {
            {drbg->value, sizeof drbg->value}, {&mark, 1}, seed, personal};
        COS_TRY(keyed(drbg, parts, 4, drbg->key));
        COS_TRY(next_value(drbg));
    }
    return COS_OK;
}

static void initial_state(struct cos_drbg *drbg)
{
    memset(drbg->key, 0x00, sizeof drbg->key);
    memset(drbg->value, 0x01, sizeof drbg->value);
}

enum cos_result cos_hmac_drbg_instantiate(struct cos_drbg *drbg, struct cos_span seed,
                                          struct cos_span personal)
{
    initial_state(drbg);
    return update(drbg, seed, personal);
}

enum cos_result cos_hmac_drbg_reseed(struct cos_drbg *drbg, struct cos_span seed)
{
    return update(drbg, seed, (struct cos_span){NULL, 0});
}

enum cos_result cos_hmac_drbg_generate(struct cos_drbg *drbg, uint8_t *out, size_t length)
{
    while (length > 0) {
        size_t n = length < sizeof drbg->value ? length : sizeof drbg->value;
        COS_TRY(next_value(drbg));
        memcpy(out, drbg->value, n);
        out += n;
        length -= n;
    }
    return update(drbg, (struct cos_span){NULL, 0}, (struct cos_span){NULL, 0});
}

/* Seeds the present state from `noise` samples. */
static enum cos_result seed_state(struct cos_drbg *drbg, size_t noise, size_t seed_length,
                                  struct cos_span personal)
{
    uint8_t seed[SEED_AT_START];
    enum cos_result result = draw_seed(drbg->entropy, noise, seed, seed_length);
    if (result == COS_OK) {
        result = update(drbg, (struct cos_span){seed, seed_length}, personal);
    }
    cos_wipe(seed, sizeof seed);
    drbg->requests = 0;
    return result;
}

enum cos_result cos_drbg_start(struct cos_drbg *drbg, const struct cos_crypto *crypto,
                               const struct cos_entropy *entropy, struct cos_span personal)
{
    drbg->crypto = crypto;
    drbg->entropy = entropy;
    initial_state(drbg);
    enum cos_result result = seed_state(drbg, NOISE_AT_START, SEED_AT_START, personal);
    drbg->ready = true;
    if (result != COS_OK) {
        cos_drbg_wipe(drbg);
    }
    return result;
}

enum cos_result cos_drbg_random(struct cos_drbg *drbg, uint8_t *out, size_t length)
{
    COS_CHECK(drbg->ready, COS_E_ENTROPY);
    bool written = false;
    enum cos_result result = length <= REQUEST_MAX ? COS_OK : COS_E_CRYPTO;
    if (result == COS_OK && drbg->requests >= COS_DRBG_RESEED) {
        result = seed_state(drbg, NOISE_AGAIN, SEED_AGAIN, (struct cos_span){NULL, 0});
    }
    if (result == COS_OK) {
        written = true;
        result = cos_hmac_drbg_generate(drbg, out, length);
    }
    if (result == COS_OK) {
        drbg->requests++;
        return COS_OK;
    }
    cos_drbg_wipe(drbg);
    if (written) {
        cos_wipe(out, length);
    }
    return result;
}

static enum cos_result draw(void *drbg, uint8_t *out, size_t length)
{
    return cos_drbg_random(drbg, out, length);
}

struct cos_random cos_drbg_source(struct cos_drbg *drbg)
{
    return (struct cos_random){.context = drbg, .draw = draw};
}

void cos_drbg_wipe(struct cos_drbg *drbg)
{
    cos_wipe(drbg, sizeof *drbg);
}
