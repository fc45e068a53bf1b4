/* SPDX-License-Identifier: Apache-2.0
 *
 * Command chaining, ISO/IEC 7816-4:2013, 5.3.3: what comes between two parts drops the chain and is
 * executed.
 */
#include "cos/apdu.h"

void cos_chain_start(struct cos_chain *chain, uint8_t *buffer, uint16_t capacity)
{
    *chain = (struct cos_chain){.data = buffer, .capacity = capacity};
}

void cos_chain_drop(struct cos_chain *chain)
{
    if (chain->length != 0) {
        cos_wipe(chain->data, chain->length);
    }
    chain->length = 0;
    chain->open = false;
}

static bool continues(const struct cos_chain *chain, const struct cos_class *class_,
                      const struct cos_command *command)
{
    return chain->open && chain->ins == command->ins && chain->p1 == command->p1 &&
           chain->p2 == command->p2 && chain->class_.proprietary == class_->proprietary &&
           chain->class_.sm == class_->sm && chain->class_.channel == class_->channel;
}

bool cos_chain_breaks(const struct cos_chain *chain, struct cos_class class_,
                      const struct cos_command *command)
{
    return chain->open && !continues(chain, &class_, command);
}

static enum cos_result append(struct cos_chain *chain, const struct cos_command *command)
{
    COS_CHECK(command->nc <= chain->capacity - chain->length, COS_E_LENGTH);
    if (command->data != NULL) {
        memcpy(chain->data + chain->length, command->data, command->nc);
    }
    chain->length = (uint16_t)(chain->length + command->nc);
    return COS_OK;
}

enum cos_result cos_chain_take(struct cos_chain *chain, struct cos_class class_,
                               struct cos_command *command)
{
    enum cos_result result = COS_OK;

    if (!continues(chain, &class_, command)) {
        cos_chain_drop(chain);
    }
    if (class_.chaining) {
        result = command->nc != 0 ? append(chain, command) : COS_E_LENGTH;
        chain->open = true;
        chain->ins = command->ins;
        chain->p1 = command->p1;
        chain->p2 = command->p2;
        chain->class_ = class_;
    } else if (chain->open) {
        result = append(chain, command);
        chain->open = false;
        command->data = chain->data;
        command->nc = chain->length;
    }
    if (result != COS_OK) {
        cos_chain_drop(chain);
    }
    return result;
}
