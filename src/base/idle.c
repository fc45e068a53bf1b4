/* SPDX-License-Identifier: Apache-2.0 */
#include "cos/port.h"

void cos_idle(const struct cos_board *board)
{
    if (board != NULL && board->idle != NULL) {
        board->idle(board->context);
    }
}
