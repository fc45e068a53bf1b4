/* SPDX-License-Identifier: Apache-2.0
 *
 * The libtomcrypt provider and the modes: published vectors, agreement with OpenSSL, and what
 * happens with every length that is none.
 */
#include "crypto_helpers.h"

#include "cos/crypto.h"
#include "crypto/modes.h"
#include "vectors.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

static const struct cos_crypto *const crypto = &cos_crypto_tomcrypt;

/* ---- Published vectors */

/* FIPS 197, appendix C.1 to C.3. */
static void aes_block_vectors(void **state)
{
    (void)state;
    static const struct {
        size_t key_length;
        const char *cipher;
    } cases[] = {
        {16, "69C4E0D86A7B0430D8CDB78070B4C55A"},
        {24, "DDA97CA4864CDFE06EAF70A0EC0D7191"},
        {32, "8EA2B7CA516745BFEAFC49904B496089"},
    };
    uint8_t key[32], plain[16], cipher[16], out[16];
    unhex("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F", key, sizeof key);
    unhex("00112233445566778899AABBCCDDEEFF", plain, sizeof plain);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unhex(cases[i].cipher, cipher, sizeof cipher);
        assert_int_equal(crypto->aes_encrypt(NULL, key, cases[i].key_length, plain, out), COS_OK);
        assert_memory_equal(out, cipher, 16);
        assert_int_equal(crypto->aes_decrypt(NULL, key, cases[i].key_length, out, out), COS_OK);
        assert_memory_equal(out, plain, 16);
    }
}

/* SP 800-38A, F.2.1 to F.2.6. */
static void aes_cbc_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *key, *cipher;
    } cases[] = {
        {"2B7E151628AED2A6ABF7158809CF4F3C",
         "7649ABAC8119B246CEE98E9B12E9197D5086CB9B507219EE95DB113A917678B2"
         "73BED6B8E3C1743B7116E69E222295163FF1CAA1681FAC09120ECA307586E1A7"},
        {"8E73B0F7DA0E6452C810F32B809079E562F8EAD2522C6B7B",
         "4F021DB243BC633D7178183A9FA071E8B4D9ADA9AD7DEDF4E5E738763F69145A"
         "571B242012FB7AE07FA9BAAC3DF102E008B0E27988598881D920A9E64F5615CD"},
        {"603DEB1015CA71BE2B73AEF0857D77811F352C073B6108D72D9810A30914DFF4",
         "F58C4C04D6E5F1BA779EABFB5F7BFBD69CFC4E967EDB808D679F777BC6702C7D"
         "39F23369A9D9BACFA530E26304231461B2EB05E2C39BE9FCDA6C19078C6A9D1B"},
    };
    uint8_t key[32], iv[16], plain[64], cipher[64], data[64];
    unhex("000102030405060708090A0B0C0D0E0F", iv, sizeof iv);
    unhex("6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E51"
          "30C81C46A35CE411E5FBC1191A0A52EFF69F2445DF4F9B17AD2B417BE66C3710",
          plain, sizeof plain);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t n = unhex(cases[i].key, key, sizeof key);
        unhex(cases[i].cipher, cipher, sizeof cipher);
        memcpy(data, plain, sizeof data);
        assert_int_equal(crypto->aes_cbc_encrypt(NULL, key, n, iv, data, data, sizeof data),
                         COS_OK);
        assert_memory_equal(data, cipher, sizeof data);
        assert_int_equal(crypto->aes_cbc_decrypt(NULL, key, n, iv, data, data, sizeof data),
                         COS_OK);
        assert_memory_equal(data, plain, sizeof data);
    }
}

/* RFC 4493 and SP 800-38B, appendix D. */
static void aes_cmac_vectors(void **state)
{
    (void)state;
    struct vectors *vectors = vectors_open("sp800-38b-cmac.txt");
    assert_int_equal(vectors->count, 12);
    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector_section *section = &vectors->sections[i];
        struct cos_span key = vector_bytes(section, "key"), text = vector_bytes(section, "msg");
        uint8_t mac[16];
        assert_int_equal(crypto->aes_cmac(NULL, key.data, key.length, &text, 1, mac), COS_OK);
        assert_memory_equal(mac, vector_exactly(section, 16, "mac"), sizeof mac);
    }
    vectors_close(vectors);
}

/* RFC 3610, section 8, packet vectors 1 to 6: all that have a tag of 8 bytes and this key. (None of
 * the examples of SP 800-38C has both our nonce and our tag length.) */
static void aes_ccm_vectors(void **state)
{
    (void)state;
    static const struct {
        size_t associated_length, length;
        const char *nonce, *sealed;
    } cases[] = {
        {8, 23, "00000003020100A0A1A2A3A4A5",
         "588C979A61C663D2F066D0C2C0F989806D5F6B61DAC38417E8D12CFDF926E0"},
        {8, 24, "00000004030201A0A1A2A3A4A5",
         "72C91A36E135F8CF291CA894085C87E3CC15C439C9E43A3BA091D56E10400916"},
        {8, 25, "00000005040302A0A1A2A3A4A5",
         "51B1E5F44A197D1DA46B0F8E2D282AE871E838BB64DA8596574ADAA76FBD9FB0C5"},
        {12, 19, "00000006050403A0A1A2A3A4A5",
         "A28C6865939A9A79FAAA5C4C2A9D4A91CDAC8C96C861B9C9E61EF1"},
        {12, 20, "00000007060504A0A1A2A3A4A5",
         "DCF1FB7B5D9E23FB9D4E131253658AD86EBDCA3E51E83F077D9C2D93"},
        {12, 21, "00000008070605A0A1A2A3A4A5",
         "6FC1B011F006568B5171A42D953D469B2570A4BD87405A0443AC91CB94"},
    };
    uint8_t key[16], packet[40], nonce[13], sealed[40], data[40], tag[8];
    unhex("C0C1C2C3C4C5C6C7C8C9CACBCCCDCECF", key, sizeof key);
    for (size_t i = 0; i < sizeof packet; i++) {
        packet[i] = (uint8_t)i; /* header and payload of every packet: 00 01 02 ... */
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t a = cases[i].associated_length, n = cases[i].length;
        unhex(cases[i].nonce, nonce, sizeof nonce);
        assert_int_equal(unhex(cases[i].sealed, sealed, sizeof sealed), n + 8);
        memcpy(data, packet + a, n);
        assert_int_equal(crypto->aes_ccm_seal(NULL, key, 16, nonce, packet, a, data, n, tag),
                         COS_OK);
        assert_memory_equal(data, sealed, n);
        assert_memory_equal(tag, sealed + n, 8);
        memset(tag, 0, sizeof tag);
        assert_int_equal(crypto->aes_ccm_open(NULL, key, 16, nonce, packet, a, data, n, tag),
                         COS_OK);
        assert_memory_equal(data, packet + a, n);
        assert_memory_equal(tag, sealed + n, 8);
    }
}

/* SP 800-67, appendix B.1. */
static void des3_vectors(void **state)
{
    (void)state;
    static const char plain[] = "The qufck brown fox jump";
    uint8_t key[24], cipher[24], out[8];
    unhex("0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123", key, sizeof key);
    unhex("A826FD8CE53B855FCCE21C8112256FE668D5C05DD9B6B900", cipher, sizeof cipher);
    for (size_t at = 0; at < 24; at += 8) {
        memcpy(out, plain + at, 8);
        assert_int_equal(crypto->des3_encrypt(NULL, key, out, out), COS_OK);
        assert_memory_equal(out, cipher + at, 8);
        assert_int_equal(crypto->des3_decrypt(NULL, key, out, out), COS_OK);
        assert_memory_equal(out, plain + at, 8);
    }
}

static struct cos_span text_span(const char *text)
{
    size_t length = 0;
    while (text[length] != '\0') {
        length++;
    }
    return (struct cos_span){(const uint8_t *)text, length};
}

/* FIPS 180 examples: none, one and two blocks, and a million times "a". */
static void sha256_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *text, *digest;
    } cases[] = {
        {"", "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"},
        {"abc", "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248D6A61D20638B8E5C026930C3E6039A33CE45964FF2167F6ECEDD419DB06C1"},
    };
    uint8_t good[32], digest[32], thousand[1000];
    struct cos_span parts[1000];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cos_span text = text_span(cases[i].text);
        unhex(cases[i].digest, good, sizeof good);
        assert_int_equal(crypto->hash(NULL, COS_SHA256, &text, 1, digest), COS_OK);
        assert_memory_equal(digest, good, sizeof digest);
    }
    memset(thousand, 'a', sizeof thousand);
    for (size_t i = 0; i < 1000; i++) {
        parts[i] = (struct cos_span){thousand, sizeof thousand};
    }
    unhex("CDC76E5C9914FB9281A1C7E284D73E67F1809A48A497200E046D39CCC7112CD0", good, sizeof good);
    assert_int_equal(crypto->hash(NULL, COS_SHA256, parts, 1000, digest), COS_OK);
    assert_memory_equal(digest, good, sizeof digest);
}

/* RFC 4231, test cases 1 to 4, 6 and 7 (5 is a shortened output). */
static void hmac_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        int repeat; /* of the key's one byte */
        const char *text, *mac;
    } cases[] = {
        {"0B", 20, "4869205468657265",
         "B0344C61D8DB38535CA8AFCEAF0BF12B881DC200C9833DA726E9376C2E32CFF7"},
        {"4A656665", 1, "7768617420646F2079612077616E7420666F72206E6F7468696E673F",
         "5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843"},
        {"AA", 20,
         "DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD"
         "DDDDDDDDDDDDDDDD",
         "773EA91E36800E46854DB8EBD09181A72959098B3EF8C122D9635514CED565FE"},
        {"0102030405060708090A0B0C0D0E0F10111213141516171819", 1,
         "CDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCD"
         "CDCDCDCDCDCDCDCD",
         "82558A389A443C0EA4CC819899F2083A85F0FAA3E578F8077A2E3FF46729665B"},
        {"AA", 131,
         "54657374205573696E67204C6172676572205468616E20426C6F636B2D53697A65204B6579202D20486173"
         "68204B6579204669727374",
         "60E431591EE0B67F0D8A26AACBF5B77F8E0BC6213728C5140546040F0EE37F54"},
        {"AA", 131,
         "5468697320697320612074657374207573696E672061206C6172676572207468616E20626C6F636B2D7369"
         "7A65206B657920616E642061206C6172676572207468616E20626C6F636B2D73697A6520646174612E2054"
         "6865206B6579206E6565647320746F20626520686173686564206265666F7265206265696E672075736564"
         "2062792074686520484D414320616C676F726974686D2E",
         "9B09FFA71B942FCB27635FBCD5B0E944BFDC63644F0713938A7F51535C3A35E2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t key[131], text[200], good[32], mac[32];
        size_t n = unhex(cases[i].key, key, sizeof key);
        if (cases[i].repeat > 1) {
            n = (size_t)cases[i].repeat;
            memset(key, key[0], n);
        }
        struct cos_span span = {text, unhex(cases[i].text, text, sizeof text)};
        unhex(cases[i].mac, good, sizeof good);
        assert_int_equal(crypto->hmac(NULL, COS_SHA256, key, n, &span, 1, mac), COS_OK);
        assert_memory_equal(mac, good, sizeof mac);
    }
}

/* ---- Agreement with OpenSSL: random keys and contents, every length from 0 to 600 */

#define LENGTHS 601U

static const EVP_CIPHER *cipher_of(size_t key_length, const EVP_CIPHER *of16,
                                   const EVP_CIPHER *of24, const EVP_CIPHER *of32)
{
    return key_length == 16 ? of16 : key_length == 24 ? of24 : of32;
}

static void openssl_cipher(const EVP_CIPHER *cipher, const uint8_t *key, const uint8_t *iv,
                           bool encrypt, const uint8_t *in, uint8_t *out, size_t length)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int n = 0;
    assert_int_equal(EVP_CipherInit_ex2(context, cipher, key, iv, encrypt, NULL), 1);
    EVP_CIPHER_CTX_set_padding(context, 0);
    assert_int_equal(EVP_CipherUpdate(context, out, &n, in, (int)length), 1);
    assert_int_equal(n, length);
    EVP_CIPHER_CTX_free(context);
}

static void random_key(struct random *random, uint8_t *key, size_t *key_length)
{
    *key_length = 16 + 8 * random_below(random, 3);
    random_fill(random, key, *key_length);
}

static void agrees_blocks(void **state)
{
    (void)state;
    struct random random = random_start(1);
    for (int round = 0; round < 500; round++) {
        uint8_t key[32], in[16], out[16], good[16];
        size_t n;
        random_key(&random, key, &n);
        random_fill(&random, in, sizeof in);
        const EVP_CIPHER *aes =
            cipher_of(n, EVP_aes_128_ecb(), EVP_aes_192_ecb(), EVP_aes_256_ecb());
        openssl_cipher(aes, key, NULL, true, in, good, 16);
        assert_int_equal(crypto->aes_encrypt(NULL, key, n, in, out), COS_OK);
        assert_memory_equal(out, good, 16);
        openssl_cipher(aes, key, NULL, false, in, good, 16);
        assert_int_equal(crypto->aes_decrypt(NULL, key, n, in, out), COS_OK);
        assert_memory_equal(out, good, 16);

        random_fill(&random, key, 24);
        if (round % 2 == 0) {
            memcpy(key + 16, key, 8); /* keying option 2 */
        }
        openssl_cipher(EVP_des_ede3_ecb(), key, NULL, true, in, good, 8);
        assert_int_equal(crypto->des3_encrypt(NULL, key, in, out), COS_OK);
        assert_memory_equal(out, good, 8);
        openssl_cipher(EVP_des_ede3_ecb(), key, NULL, false, in, good, 8);
        assert_int_equal(crypto->des3_decrypt(NULL, key, in, out), COS_OK);
        assert_memory_equal(out, good, 8);
    }
}

static void agrees_cbc(void **state)
{
    (void)state;
    struct random random = random_start(2);
    for (size_t length = 0; length < LENGTHS; length++) {
        uint8_t key[32], iv[16], in[LENGTHS], out[LENGTHS], back[LENGTHS], good[LENGTHS];
        size_t n;
        random_key(&random, key, &n);
        random_fill(&random, iv, sizeof iv);
        random_fill(&random, in, length);
        memset(out, 0xA5, sizeof out);
        memset(back, 0xA5, sizeof back);
        enum cos_result expected = length % 16 == 0 ? COS_OK : COS_E_CRYPTO;
        assert_int_equal(crypto->aes_cbc_encrypt(NULL, key, n, iv, in, out, length), expected);
        assert_int_equal(crypto->aes_cbc_decrypt(NULL, key, n, iv, out, back, length), expected);
        size_t written = expected == COS_OK ? length : 0;
        for (size_t i = written; i < sizeof out; i++) {
            assert_case(out[i] == 0xA5 && back[i] == 0xA5, "length %zu, byte %zu", length, i);
        }
        openssl_cipher(cipher_of(n, EVP_aes_128_cbc(), EVP_aes_192_cbc(), EVP_aes_256_cbc()), key,
                       iv, true, in, good, written);
        assert_memory_equal(out, good, written);
        assert_memory_equal(back, in, written);
    }
}

static void openssl_cmac(const uint8_t *key, size_t key_length, const uint8_t *text, size_t length,
                         uint8_t mac[16])
{
    char name[] = "AES-128-CBC";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, name, 0),
        OSSL_PARAM_construct_end(),
    };
    snprintf(name, sizeof name, "AES-%zu-CBC", key_length * 8);
    size_t n = 0;
    assert_non_null(
        EVP_Q_mac(NULL, "CMAC", NULL, NULL, params, key, key_length, text, length, mac, 16, &n));
    assert_int_equal(n, 16);
}

static void agrees_cmac_sha256_hmac(void **state)
{
    (void)state;
    struct random random = random_start(3);
    for (size_t length = 0; length < LENGTHS; length++) {
        uint8_t key[200], text[LENGTHS], out[32], good[32];
        struct cos_span parts[6];
        size_t n;
        random_fill(&random, text, length);
        size_t count = random_parts(&random, text, length, parts, 6);

        random_key(&random, key, &n);
        openssl_cmac(key, n, text, length, good);
        assert_int_equal(crypto->aes_cmac(NULL, key, n, parts, count, out), COS_OK);
        assert_memory_equal(out, good, 16);

        SHA256(text, length, good);
        assert_int_equal(crypto->hash(NULL, COS_SHA256, parts, count, out), COS_OK);
        assert_memory_equal(out, good, 32);

        n = length % sizeof key; /* HMAC takes a key of any length, none as well */
        random_fill(&random, key, n);
        assert_non_null(HMAC(EVP_sha256(), key, (int)n, text, length, good, NULL));
        assert_int_equal(crypto->hmac(NULL, COS_SHA256, n > 0 ? key : NULL, n, parts, count, out),
                         COS_OK);
        assert_memory_equal(out, good, 32);
    }
    uint8_t out[32], good[32];
    assert_int_equal(crypto->hash(NULL, COS_SHA256, NULL, 0, out), COS_OK); /* no parts at all */
    assert_memory_equal(out, SHA256(NULL, 0, good), 32);
    const uint8_t key[16] = {0};
    openssl_cmac(key, 16, key, 0, good);
    assert_int_equal(crypto->aes_cmac(NULL, key, 16, NULL, 0, out), COS_OK);
    assert_memory_equal(out, good, 16);
}

/* The MAC may be written over the key or over what it is computed from. */
static void macs_in_place(void **state)
{
    (void)state;
    uint8_t key[32] = {1, 2, 3}, text[32] = {4, 5, 6}, good[32];
    struct cos_span part = {text, sizeof text};
    assert_int_equal(crypto->hmac(NULL, COS_SHA256, key, 32, &part, 1, good), COS_OK);
    assert_int_equal(crypto->hmac(NULL, COS_SHA256, key, 32, &part, 1, text), COS_OK);
    assert_memory_equal(text, good, 32);
    assert_int_equal(crypto->hmac(NULL, COS_SHA256, key, 32, &part, 1, good), COS_OK);
    assert_int_equal(crypto->hmac(NULL, COS_SHA256, key, 32, &part, 1, key), COS_OK);
    assert_memory_equal(key, good, 32);
    assert_int_equal(crypto->aes_cmac(NULL, key, 32, &part, 1, good), COS_OK);
    assert_int_equal(crypto->aes_cmac(NULL, key, 32, &part, 1, text), COS_OK);
    assert_memory_equal(text, good, 16);
    SHA256(text, 32, good);
    assert_int_equal(crypto->hash(NULL, COS_SHA256, &part, 1, text), COS_OK);
    assert_memory_equal(text, good, 32);
}

/* ---- Wrong key lengths */

enum { BLOCK_ENCRYPT, BLOCK_DECRYPT, CBC_ENCRYPT, CBC_DECRYPT, CMAC, CCM_SEAL, CCM_OPEN, KEYED };

static enum cos_result call_keyed(int which, const uint8_t *key, size_t n, uint8_t *out)
{
    const uint8_t zero[16] = {0};
    const struct cos_span part = {zero, sizeof zero};
    switch (which) {
    case BLOCK_ENCRYPT:
        return crypto->aes_encrypt(NULL, key, n, zero, out);
    case BLOCK_DECRYPT:
        return crypto->aes_decrypt(NULL, key, n, zero, out);
    case CBC_ENCRYPT:
        return crypto->aes_cbc_encrypt(NULL, key, n, zero, zero, out, 16);
    case CBC_DECRYPT:
        return crypto->aes_cbc_decrypt(NULL, key, n, zero, zero, out, 16);
    case CMAC:
        return crypto->aes_cmac(NULL, key, n, &part, 1, out);
    case CCM_SEAL:
        return crypto->aes_ccm_seal(NULL, key, n, zero, zero, 16, out, 16, out + 16);
    default:
        return crypto->aes_ccm_open(NULL, key, n, zero, zero, 16, out, 16, out + 16);
    }
}

static void key_lengths(void **state)
{
    (void)state;
    static const uint8_t key[300] = {0};
    for (int which = 0; which < KEYED; which++) {
        for (size_t n = 0; n <= sizeof key; n++) {
            uint8_t out[24], untouched[24];
            memset(out, 0x5A, sizeof out);
            memset(untouched, 0x5A, sizeof untouched);
            bool good = n == 16 || n == 24 || n == 32;
            enum cos_result result = call_keyed(which, n > 0 ? key : NULL, n, out);
            assert_case(result == (good ? COS_OK : COS_E_CRYPTO), "function %d, key of %zu bytes",
                        which, n);
            assert_case((memcmp(out, untouched, sizeof out) != 0) == good,
                        "function %d, key of %zu bytes", which, n);
        }
        /* Lengths that only look right to something narrower than size_t. */
        uint8_t out[24];
        assert_int_equal(call_keyed(which, key, (size_t)0x10010, out), COS_E_CRYPTO);
        assert_int_equal(call_keyed(which, key, (size_t)UINT32_MAX - 15, out), COS_E_CRYPTO);
#if SIZE_MAX > UINT32_MAX
        assert_int_equal(call_keyed(which, key, (size_t)0x100000010, out), COS_E_CRYPTO);
#endif
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aes_block_vectors), cmocka_unit_test(aes_cbc_vectors),
        cmocka_unit_test(aes_cmac_vectors),  cmocka_unit_test(aes_ccm_vectors),
        cmocka_unit_test(des3_vectors),      cmocka_unit_test(sha256_vectors),
        cmocka_unit_test(hmac_vectors),      cmocka_unit_test(agrees_blocks),
        cmocka_unit_test(agrees_cbc),        cmocka_unit_test(agrees_cmac_sha256_hmac),
        cmocka_unit_test(macs_in_place),     cmocka_unit_test(key_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
