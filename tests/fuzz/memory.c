/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include "rig.h"

#include <string.h>

static void take_pins(const struct bench *bench, struct memory *memory)
{
    size_t count = 0;

    for (uint16_t i = 0; i < memory->model.count; i++) {
        const struct object *object = &memory->model.objects[i];
        if (object->kind == OBJECT_PIN) {
            rig_must(count < MEMORY_PINS, "PINs");
            rig_must(cos_object_secret(&bench->secure, object, memory->pins[count++]) == COS_OK,
                     "a PIN can be read");
        }
    }
}

static void take_vault(const struct bench *bench, struct memory *memory)
{
    struct content content;

    for (uint16_t i = 1; i <= bench->secure.config.vault_files; i++) {
        if (cos_vault_content(&bench->secure, i, &content) == COS_OK) {
            rig_must(memory->vault.size + content.size <= MEMORY_VAULT, "the vault's bytes");
            rig_must(cos_content_read(&bench->secure, &content, 0,
                                      memory->vault.bytes + memory->vault.size,
                                      content.size) == COS_OK,
                     "a vault file can be read");
            memory->vault.size = (uint16_t)(memory->vault.size + content.size);
        }
    }
}

static uint64_t take_app(const struct bench *bench)
{
    const struct cos_store *store = &bench->app.store;
    uint64_t digest = 0, words[BENCH_PAGES_MAX];

    for (uint32_t at = 0; at < cos_store_size(store); at += store->payload) {
        rig_must(cos_store_read(store, at, (uint8_t *)words, store->payload) == COS_OK, "a page");
        for (size_t i = 0; i < store->payload / sizeof words[0]; i++) {
            digest = (digest ^ words[i]) * 0x9E3779B97F4A7C15ULL;
            digest ^= digest >> 32;
        }
    }
    return digest;
}

void memory_take(const struct bench *bench, struct memory *memory)
{
    memset(memory, 0, sizeof *memory);
    gate_model_take(bench, &memory->model);
    memory->readable = bench->secure.alive == COS_YES;
    if (memory->readable) {
        take_pins(bench, memory);
        take_vault(bench, memory);
    }
    memory->app = take_app(bench);
}

static bool same_object(const struct object *a, const struct object *b)
{
    return memcmp(a, b, offsetof(struct object, index)) == 0 && a->uses_left == b->uses_left &&
           a->size == b->size && a->generation == b->generation && a->counter == b->counter;
}

bool memory_same(const struct memory *a, const struct memory *b)
{
    for (uint16_t i = 0; i < a->model.count; i++) {
        if (!same_object(&a->model.objects[i], &b->model.objects[i])) {
            return false;
        }
    }
    return memcmp(a->model.state, b->model.state, sizeof a->model.state) == 0 &&
           a->model.applications == b->model.applications &&
           (!a->readable || !b->readable ||
            (memcmp(a->pins, b->pins, sizeof a->pins) == 0 &&
             memcmp(&a->vault, &b->vault, sizeof a->vault) == 0));
}
