/* SPDX-License-Identifier: Apache-2.0
 *
 * Key files: reading with suspicion, writing in one step.
 */
#include "keyfile.h"

#include "crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Longest line: name, " = ", digits; anything longer is malformed. */
#define LINE_MAX_BYTES  256U
#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

static enum outcome set_path(struct keyfile *keys, const char *path, struct problem *problem)
{
    *keys = (struct keyfile){0};
    if (strlen(path) >= sizeof keys->path - 5) {
        return trouble(problem, "key file: path too long");
    }
    snprintf(keys->path, sizeof keys->path, "%s", path);
    return DONE;
}

enum outcome keyfile_create(struct keyfile *keys, const char *path, struct problem *problem)
{
    static const char heading[] = "# Secrets of one card. Keep this file to yourself.\n";
    enum outcome outcome = set_path(keys, path, problem);
    if (outcome != DONE) {
        return outcome;
    }
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) {
        return trouble(problem, "key file %s: %s", path, strerror(errno));
    }
    /* The umask may have taken rights of the owner's, too. */
    bool ok = fchmod(file, 0600) == 0 &&
              write(file, heading, sizeof heading - 1) == (ssize_t)(sizeof heading - 1) &&
              fsync(file) == 0;
    ok = close(file) == 0 && ok;
    return ok ? DONE : trouble(problem, "key file %s: %s", path, strerror(errno));
}

/* Takes `NAME = HEX` apart. */
static bool parse_line(struct keyfile *keys, char *line)
{
    line += strspn(line, " \t");
    size_t end = strlen(line);
    while (end > 0 && strchr(" \t\r\n", line[end - 1]) != NULL) {
        line[--end] = '\0';
    }
    if (*line == '\0' || *line == '#') {
        return true;
    }
    size_t name = strspn(line, NAME_CHARACTERS);
    char *rest = line + name + strspn(line + name, " \t");
    if (name == 0 || name > KEYFILE_NAME_MAX || *rest != '=' || keys->count == KEYFILE_ENTRIES) {
        return false;
    }
    rest += 1 + strspn(rest + 1, " \t");
    line[name] = '\0';
    if (keyfile_find(keys, line) != NULL) {
        return false;
    }
    struct keyfile_entry *entry = &keys->entries[keys->count];
    snprintf(entry->name, sizeof entry->name, "%s", line);
    if (!hex_read(rest, entry->value, sizeof entry->value, &entry->length) || entry->length == 0) {
        crypto_wipe(entry, sizeof *entry);
        return false;
    }
    keys->count++;
    return true;
}

/* Who may read the file is asked of the open file, so that it cannot be changed for another. */
static enum outcome examine(int file, const char *path, struct problem *problem)
{
    struct stat status;
    if (fstat(file, &status) != 0) {
        return trouble(problem, "key file %s: %s", path, strerror(errno));
    }
    if (!S_ISREG(status.st_mode)) {
        return trouble(problem, "key file %s: not a regular file", path);
    }
    if (status.st_uid != geteuid()) {
        return trouble(problem, "key file %s: belongs to somebody else", path);
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return trouble(problem, "key file %s: open to others (mode %03o); chmod 600 it", path,
                       (unsigned)status.st_mode & 0777U);
    }
    return DONE;
}

enum outcome keyfile_open(struct keyfile *keys, const char *path, struct problem *problem)
{
    enum outcome outcome = set_path(keys, path, problem);
    if (outcome != DONE) {
        return outcome;
    }
    /* O_NONBLOCK: opening a pipe must not wait. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        return trouble(problem, "key file %s: %s", path, strerror(errno));
    }
    outcome = examine(file, path, problem);
    FILE *stream = outcome == DONE ? fdopen(file, "r") : NULL;
    if (stream == NULL) {
        close(file);
        return outcome != DONE ? outcome : trouble(problem, "key file %s: cannot be read", path);
    }
    char line[LINE_MAX_BYTES];
    for (unsigned number = 1; outcome == DONE && fgets(line, sizeof line, stream) != NULL;
         number++) {
        bool whole = strchr(line, '\n') != NULL || feof(stream);
        if (!whole || !parse_line(keys, line)) {
            outcome = trouble(problem, "key file %s: line %u is not NAME = HEX", path, number);
        }
    }
    if (outcome == DONE && ferror(stream)) {
        outcome = trouble(problem, "key file %s: cannot be read", path);
    }
    crypto_wipe(line, sizeof line);
    fclose(stream);
    if (outcome != DONE) {
        keyfile_close(keys);
    }
    return outcome;
}

const struct keyfile_entry *keyfile_find(const struct keyfile *keys, const char *name)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (strcmp(keys->entries[i].name, name) == 0) {
            return &keys->entries[i];
        }
    }
    return NULL;
}

const uint8_t *keyfile_get(const struct keyfile *keys, const char *name, size_t length,
                           struct problem *problem)
{
    const struct keyfile_entry *entry = keyfile_find(keys, name);
    if (entry == NULL || entry->length != length) {
        trouble(problem, "key file %s: %s of %zu bytes is %s", keys->path, name, length,
                entry == NULL ? "missing" : "not there, its length is another");
        return NULL;
    }
    return entry->value;
}

/* Writes beside the file, then takes its place: a cut leaves the old file or the new one. */
static enum outcome save(const struct keyfile *keys, struct problem *problem)
{
    char path[sizeof keys->path + 5];
    snprintf(path, sizeof path, "%s.new", keys->path);
    unlink(path); /* of a run that was cut off */
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *stream = file >= 0 ? fdopen(file, "w") : NULL;
    if (stream == NULL) {
        if (file >= 0) {
            close(file);
        }
        return trouble(problem, "key file %s: %s", path, strerror(errno));
    }
    bool ok = fchmod(file, 0600) == 0 &&
              fprintf(stream, "# Secrets of one card. Keep this file to yourself.\n") > 0;
    for (size_t i = 0; i < keys->count; i++) {
        char hex[2 * KEYFILE_SECRET + 1];
        const struct keyfile_entry *entry = &keys->entries[i];
        ok = fprintf(stream, "%s = %s\n", entry->name,
                     hex_write(entry->value, entry->length, hex)) > 0 &&
             ok;
        crypto_wipe(hex, sizeof hex);
    }
    ok = fflush(stream) == 0 && fsync(file) == 0 && ok;
    ok = fclose(stream) == 0 && ok;
    if (!ok || rename(path, keys->path) != 0) {
        unlink(path);
        return trouble(problem, "key file %s: cannot be written", keys->path);
    }
    return DONE;
}

enum outcome keyfile_set(struct keyfile *keys, const char *name, const uint8_t *value,
                         size_t length, struct problem *problem)
{
    size_t at = 0;
    while (at < keys->count && strcmp(keys->entries[at].name, name) != 0) {
        at++;
    }
    struct keyfile_entry *entry = &keys->entries[at];
    if (at < keys->count && entry->length == length && memcmp(entry->value, value, length) == 0) {
        return DONE;
    }
    if (at == KEYFILE_ENTRIES || length == 0 || length > KEYFILE_SECRET ||
        strlen(name) > KEYFILE_NAME_MAX) {
        return trouble(problem, "key file %s: no room for %s", keys->path, name);
    }
    snprintf(entry->name, sizeof entry->name, "%s", name);
    memcpy(entry->value, value, length);
    entry->length = length;
    keys->count += at == keys->count;
    return save(keys, problem);
}

enum outcome keyfile_ensure(struct keyfile *keys, const char *name, size_t length,
                            struct problem *problem)
{
    const struct keyfile_entry *entry = keyfile_find(keys, name);
    if (entry != NULL && entry->length == length) {
        return DONE;
    }
    uint8_t value[KEYFILE_SECRET];
    if (length > sizeof value || !crypto_random(value, length)) {
        return trouble(problem, "no random bytes for %s", name);
    }
    enum outcome outcome = keyfile_set(keys, name, value, length, problem);
    crypto_wipe(value, sizeof value);
    return outcome;
}

void keyfile_close(struct keyfile *keys)
{
    crypto_wipe(keys, sizeof *keys);
}
