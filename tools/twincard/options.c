/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line of twincard.
 */
#include "options.h"

#include "cos/config.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_VPCD "localhost:35963"

static const char help[] =
    "usage: twincard DIR [--vpcd HOST:PORT | --socket PATH] [options]\n"
    "\n"
    "A dual-chip card whose memory lies in DIR/app.nvm and DIR/secure.nvm (twinctl makes them).\n"
    "The security chip runs in a process of its own that can do nothing but serve.\n"
    "\n"
    "  --vpcd HOST:PORT    plug into the PC/SC virtual reader there (default " DEFAULT_VPCD ")\n"
    "  --socket PATH       listen on a Unix stream socket, one reader after the other, with the\n"
    "                      same framing: 2-byte big-endian length, then one control byte (0 power\n"
    "                      off, 1 power on, 2 reset, 4 send the ATR) or the command APDU; a\n"
    "                      command to a card that is off powers it on\n"
    "  --trace FILE        write commands, responses and gate calls there, secrets blanked\n"
    "  --cut N[:CONTENT]   tear the power at the N-th NVM operation of either chip and leave\n"
    "                      CONTENT in the unit: nothing, all, prefix, bits (default), garbage,\n"
    "                      erased; ends with status 75\n"
    "  --fault CONTACT:KIND  break a contact (VCC, RST, CLK, C4, GND, SPU, IO, C8): open, low, "
    "high,\n"
    "                      short; production step 3 finds it\n"
    "  --single            both chips in one process, without sandbox\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 ended by a signal or by the reader, 2 usage or environment, 75 power torn.\n";

static _Noreturn void refuse(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fputs("twincard: ", stderr);
    vfprintf(stderr, format, list);
    fputs(" (try --help)\n", stderr);
    va_end(list);
    exit(EXIT_USAGE);
}

static void read_cut(struct options *options, const char *text)
{
    char *rest = NULL;
    errno = 0;
    unsigned long long number = text[0] >= '0' && text[0] <= '9' ? strtoull(text, &rest, 10) : 0;
    if (number == 0 || number > UINT32_MAX || errno != 0 || (*rest != '\0' && *rest != ':')) {
        refuse("--cut %s: not a number from 1", text);
    }
    options->cut_at = (uint32_t)number;
    if (*rest == ':' && !host_cut_content_parse(rest + 1, &options->content)) {
        refuse("--cut %s: not one of nothing, all, prefix, bits, garbage, erased", text);
    }
}

static _Noreturn void print(const char *text)
{
    fputs(text, stdout);
    exit(fflush(stdout) == 0 ? 0 : EXIT_USAGE);
}

static void read_option(struct options *options, int letter)
{
    switch (letter) {
    case 'v':
        options->vpcd = optarg;
        break;
    case 's':
        options->socket = optarg;
        break;
    case 't':
        options->trace = optarg;
        break;
    case 'c':
        read_cut(options, optarg);
        break;
    case 'f':
        if (!host_fault_parse(optarg, &options->contact, &options->fault)) {
            refuse("--fault %s: not a contact and open, low, high or short", optarg);
        }
        break;
    case '1':
        options->single = true;
        break;
    case 'h':
        print(help);
    default: /* 'V' */
        print("twincard " COS_VERSION "\n");
    }
}

struct options options_read(int count, char **arguments)
{
    static const struct option known[] = {
        {"vpcd", required_argument, NULL, 'v'},
        {"socket", required_argument, NULL, 's'},
        {"trace", required_argument, NULL, 't'},
        {"cut", required_argument, NULL, 'c'},
        {"fault", required_argument, NULL, 'f'},
        {"single", no_argument, NULL, '1'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.content = HOST_CUT_BITS};
    int letter;

    opterr = 0;
    while ((letter = getopt_long(count, arguments, ":", known, NULL)) != -1) {
        if (letter == ':') {
            refuse("%s needs a value", arguments[optind - 1]);
        }
        if (letter == '?') {
            refuse("%s: unknown, ambiguous or with a value it does not take",
                   arguments[optind - 1]);
        }
        read_option(&options, letter);
    }
    if (optind == count) {
        refuse("no card directory given");
    }
    options.directory = arguments[optind++];
    if (optind < count) {
        refuse("%s: there can be only one card directory", arguments[optind]);
    }
    if (options.vpcd != NULL && options.socket != NULL) {
        refuse("--vpcd and --socket exclude each other");
    }
    if (options.vpcd == NULL && options.socket == NULL) {
        options.vpcd = DEFAULT_VPCD;
    }
    return options;
}
