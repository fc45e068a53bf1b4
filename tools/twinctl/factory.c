/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps 1 and 2, the semiconductor manufacturer's: blank NVM with fab records, and the record of
 * the program image. They write the NVM files directly, as a factory does; the chips have never
 * been switched on (docs/formats.md, "Fab records").
 */
#include "commands.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECURE_NVM   32768U
#define APP_NVM      65536U
#define NVM_ERASED   0xFF
#define FAB_RECORD   122U /* both parts of the security chip's */
#define EMBED_AT     64U
#define EMBED_LENGTH 58U
#define SERIAL       8U

static enum outcome nvm_path(struct world *world, const char *name, char path[PATH_MAX])
{
    if (world->options.card == NULL) {
        return trouble(&world->problem, "which card? --card DIR");
    }
    int n = snprintf(path, PATH_MAX, "%s/%s", world->options.card, name);
    return n > 0 && n < PATH_MAX ? DONE : trouble(&world->problem, "folder: path too long");
}

static bool write_all(int file, const uint8_t *data, size_t length)
{
    while (length > 0) {
        ssize_t n = write(file, data, length);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        data += n > 0 ? n : 0;
        length -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* An NVM of `size` erased bytes that begins with the record. It appears whole or not at all. */
static enum outcome write_nvm(struct world *world, const char *name, size_t size,
                              const struct bytes *record)
{
    char path[PATH_MAX], fresh[PATH_MAX + 8];
    TRY(nvm_path(world, name, path));
    snprintf(fresh, sizeof fresh, "%s.new", path);
    uint8_t *image = malloc(size);
    int file = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool ok = image != NULL && file >= 0 && !record->failed;
    if (ok) {
        memset(image, NVM_ERASED, size);
        memcpy(image, record->data, record->length);
        ok = write_all(file, image, size) && fsync(file) == 0;
        crypto_wipe(image, size);
    }
    ok = (file < 0 || close(file) == 0) && ok && rename(fresh, path) == 0;
    free(image);
    return ok ? DONE : trouble(&world->problem, "%s: %s", path, strerror(errno));
}

/* `TCSF`, 01, serial, T, CPLC data of the fabricator, CMAC. */
static bool secure_record(const struct world *world, const uint8_t *serial, const uint8_t *key,
                          struct bytes *record)
{
    const struct profile *profile = world->profile;
    uint8_t mac[AES_BLOCK];
    bytes_add(record, "TCSF\x01", 5);
    bytes_add(record, serial, SERIAL);
    bytes_add(record, key, AES_BLOCK);
    bytes_add16(record, profile->ic_fabricator);
    bytes_add16(record, profile->ic_type);
    bytes_add16(record, profile->ic_date);
    bytes_add16(record, profile->ic_batch);
    bool ok = crypto_cmac(key, AES_BLOCK, record->data, record->length, mac);
    bytes_add(record, mac, sizeof mac);
    return ok;
}

static void app_record(const uint8_t *serial, const uint8_t *key, struct bytes *record)
{
    bytes_add(record, "TCAF\x01", 5);
    bytes_add(record, serial, SERIAL);
    bytes_add(record, key, AES_BLOCK);
    bytes_add32(record, crc32_of(record->data, record->length));
}

static enum outcome ensure_serial(struct world *world, const char *name, const char *maker)
{
    uint8_t serial[SERIAL];
    if (keyfile_find(&world->keys, name) != NULL) {
        return DONE;
    }
    if (!crypto_random(serial, sizeof serial)) {
        return trouble(&world->problem, "no random bytes for %s", name);
    }
    memcpy(serial, maker, 2);
    return keyfile_set(&world->keys, name, serial, sizeof serial, &world->problem);
}

/* The key file is made here, and must not be there before; unless a cut left it without a chip. */
static enum outcome begin_keys(struct world *world)
{
    char path[PATH_MAX];
    struct stat status;
    struct problem *problem = &world->problem;
    TRY(world_keys_path(world, path, sizeof path));
    TRY(lstat(path, &status) == 0 ? keyfile_open(&world->keys, path, problem)
                                  : keyfile_create(&world->keys, path, problem));
    TRY(ensure_serial(world, "SERIAL", "TC"));
    TRY(ensure_serial(world, "APP_SERIAL", "TA"));
    TRY(keyfile_ensure(&world->keys, "TRANSPORT_1", AES_BLOCK, problem));
    return keyfile_ensure(&world->keys, "TRANSPORT_APP", AES_BLOCK, problem);
}

/* The first bytes of the security chip's NVM. *present is false if there is no such file. */
static enum outcome read_record(struct world *world, uint8_t record[FAB_RECORD], bool *present)
{
    char path[PATH_MAX];
    TRY(nvm_path(world, "secure.nvm", path));
    int file = open(path, O_RDONLY | O_CLOEXEC);
    *present = file >= 0;
    if (file < 0) {
        return errno == ENOENT ? DONE : trouble(&world->problem, "%s: %s", path, strerror(errno));
    }
    bool ok = pread(file, record, FAB_RECORD, 0) == (ssize_t)FAB_RECORD;
    close(file);
    return ok ? DONE : trouble(&world->problem, "%s is too short for a chip", path);
}

static bool is_erased(const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (data[i] != NVM_ERASED) {
            return false;
        }
    }
    return true;
}

enum outcome step_fabricate(struct world *world, const struct step *step, bool *already)
{
    struct problem *problem = &world->problem;
    uint8_t found[FAB_RECORD];
    const char *folder = world->options.card;
    if (folder != NULL && mkdir(folder, 0700) != 0 && errno != EEXIST) {
        return trouble(problem, "%s: %s", folder, strerror(errno));
    }
    TRY(read_record(world, found, already));
    if (*already) { /* the security chip is written last */
        TRY(world_open_keys(world));
        bool exactly = memcmp(found, "TCSF", 4) == 0 && is_erased(found + EMBED_AT, EMBED_LENGTH);
        return exactly ? DONE : production_past(world, step, "past it");
    }
    TRY(begin_keys(world));
    const uint8_t *serial = keyfile_get(&world->keys, "SERIAL", SERIAL, problem);
    const uint8_t *app_serial = keyfile_get(&world->keys, "APP_SERIAL", SERIAL, problem);
    const uint8_t *key = keyfile_get(&world->keys, "TRANSPORT_1", AES_BLOCK, problem);
    const uint8_t *app_key = keyfile_get(&world->keys, "TRANSPORT_APP", AES_BLOCK, problem);
    if (serial == NULL || app_serial == NULL || key == NULL || app_key == NULL) {
        return TROUBLE;
    }
    struct bytes secure = {0}, app = {0};
    app_record(app_serial, app_key, &app);
    enum outcome outcome =
        secure_record(world, serial, key, &secure) ? DONE : trouble(problem, "CMAC failed");
    if (outcome == DONE) {
        outcome = write_nvm(world, "app.nvm", APP_NVM, &app);
    }
    if (outcome == DONE) {
        outcome = write_nvm(world, "secure.nvm", SECURE_NVM, &secure);
    }
    bytes_wipe(&secure);
    bytes_wipe(&app);
    return outcome;
}

/* `TCSE`, CPLC data of the operating system, digest of the program, CMAC. */
static enum outcome embedding_record(struct world *world, const uint8_t *key, struct bytes *record)
{
    const struct profile *profile = world->profile;
    char program[PATH_MAX];
    uint8_t digest[SHA256_LENGTH], mac[AES_BLOCK];
    if (!program_beside("twincard", program, sizeof program) ||
        !crypto_sha256_file(program, digest)) {
        return trouble(&world->problem, "the program twincard does not stand beside twinctl");
    }
    bytes_add(record, "TCSE", 4);
    bytes_add16(record, profile->os_identifier);
    bytes_add16(record, profile->os_date);
    bytes_add16(record, profile->os_level);
    bytes_add(record, digest, sizeof digest);
    if (!crypto_cmac(key, AES_BLOCK, record->data, record->length, mac)) {
        return trouble(&world->problem, "CMAC failed");
    }
    bytes_add(record, mac, sizeof mac);
    return DONE;
}

static enum outcome write_embedding(struct world *world, const struct bytes *record)
{
    char path[PATH_MAX];
    TRY(nvm_path(world, "secure.nvm", path));
    int file = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = file >= 0 &&
              pwrite(file, record->data, record->length, EMBED_AT) == (ssize_t)record->length &&
              fsync(file) == 0;
    ok = (file < 0 || close(file) == 0) && ok;
    return ok ? DONE : trouble(&world->problem, "%s: %s", path, strerror(errno));
}

enum outcome step_embed(struct world *world, const struct step *step, bool *already)
{
    uint8_t found[FAB_RECORD], mac[AES_BLOCK];
    bool present = false;
    TRY(read_record(world, found, &present));
    if (!present) {
        return refused(&world->problem, "step %u (%s) is out of order: there is no chip",
                       step->number, step->name);
    }
    if (memcmp(found, "TCSF", 4) != 0) { /* the first start takes the record over */
        *already = true;
        return production_past(world, step, "past it: its chips have been switched on");
    }
    const uint8_t *key = keyfile_get(&world->keys, "TRANSPORT_1", AES_BLOCK, &world->problem);
    struct bytes record = {0};
    TRY(key != NULL ? embedding_record(world, key, &record) : TROUBLE);
    const uint8_t *old = found + EMBED_AT;
    *already = memcmp(old, record.data, record.length) == 0;
    if (*already) {
        return DONE;
    }
    /* A whole record of another program stays; a torn one is written again. */
    if (!crypto_cmac(key, AES_BLOCK, old, EMBED_LENGTH - AES_BLOCK, mac)) {
        return trouble(&world->problem, "CMAC failed");
    }
    if (memcmp(mac, old + EMBED_LENGTH - AES_BLOCK, AES_BLOCK) == 0) {
        return refused(&world->problem, "another program is embedded in this chip");
    }
    return write_embedding(world, &record);
}
