/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line of twincard.
 */
#ifndef TWINCARD_OPTIONS_H
#define TWINCARD_OPTIONS_H

#include "contacts.h"
#include "nvm_cut.h"

#define EXIT_USAGE 2 /* usage or environment, as all programs of TwinCOS say it */

struct options {
    const char *directory;
    const char *vpcd;   /* HOST:PORT; NULL with `socket` */
    const char *socket; /* NULL with `vpcd` */
    const char *trace;  /* NULL: none */
    uint32_t cut_at;    /* 0: none */
    enum host_cut_content content;
    unsigned contact; /* that has a fault */
    enum host_fault fault;
    bool single;
};

/* Reads the command line. --help and --version print and end with status 0; what is wrong is said
 * in one line on standard error and ends with EXIT_USAGE. */
struct options options_read(int count, char **arguments);

#endif
