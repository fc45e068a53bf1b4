/* SPDX-License-Identifier: Apache-2.0
 *
 * twinctl: the world outside the card. Sub-commands, options, exit status (problem.h).
 */
#include "commands.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Options that only some sub-commands take. */
enum {
    TAKES_SYSTEM = 0x01,
    TAKES_PIN = 0x02,
    TAKES_CODE = 0x04,
    TAKES_REPLAY = 0x08,
    TAKES_NAME = 0x10,
    TAKES_ALTER = 0x20,
    TAKES_REMOTE_3DES = 0x40,
    TAKES_ISSUER = 0x80,
    TAKES_LEVEL = 0x100,
};
enum {
    OPENS_CARD = 0x01,
    OPENS_KEYS = 0x02,
    NAMES_FOLDER = 0x04, /* may name the card's folder as its argument; it is no running card */
    TAKES_APDUS = 0x08,
};
#define PERSONAL (TAKES_PIN | TAKES_CODE | TAKES_NAME | TAKES_REMOTE_3DES)

static const struct subcommand {
    const char *name;
    enum outcome (*run)(struct world *world, const char *name);
    unsigned does, takes;
    const char *help;
} subcommands[] = {
    {"make", command_make, NAMES_FOLDER, PERSONAL, "DIR: all six steps; goes on after a power cut"},
    {"fabricate", command_step, NAMES_FOLDER, 0, "step 1: two blank chips in DIR"},
    {"embed", command_step, NAMES_FOLDER, 0, "step 2: the program of the card"},
    {"pack", command_step, 0, 0, "step 3: pairs the chips, tests the module"},
    {"produce", command_step, 0, 0, "step 4: card body, initialization keys"},
    {"initialize", command_step, 0, 0, "step 5: ATR, MF, issuer's card keys"},
    {"personalize", command_step, 0, PERSONAL, "step 6: application, PINs, keys, holder; seals"},
    {"info", command_info, OPENS_CARD, 0, "what the card says of itself"},
    {"local", command_local, OPENS_KEYS, TAKES_SYSTEM | TAKES_PIN | TAKES_REPLAY,
     "terminal: --system ID [--pin PIN | --replay PROOF]"},
    {"remote", command_remote, OPENS_CARD | OPENS_KEYS, TAKES_PIN | TAKES_ALTER,
     "host: [--pin PIN] [--alter]"},
    {"holder", command_holder, OPENS_CARD, TAKES_PIN | TAKES_NAME,
     "reads the holder data: --pin PIN; writes them as issuer: --name NAME"},
    {"lock", command_set_status, OPENS_CARD | OPENS_KEYS, 0, "issuer: locks the card"},
    {"unlock", command_set_status, OPENS_CARD | OPENS_KEYS, 0, "issuer: unlocks it"},
    {"terminate", command_set_status, OPENS_CARD | OPENS_KEYS, 0, "issuer: ends it for good"},
    {"wear", command_wear, NAMES_FOLDER, 0, "DIR: how often the pages of each chip were erased"},
    {"apdu", command_apdu, TAKES_APDUS, TAKES_ISSUER | TAKES_LEVEL,
     "HEX...: commands as they are; with --issuer [--level 33] under secure messaging"},
};

static const struct option long_options[] = {
    {"card", required_argument, NULL, 'c'},   {"socket", required_argument, NULL, 's'},
    {"reader", required_argument, NULL, 'r'}, {"keys", required_argument, NULL, 'k'},
    {"json", no_argument, NULL, 'j'},         {"system", required_argument, NULL, 'y'},
    {"pin", required_argument, NULL, 'p'},    {"code", required_argument, NULL, 'u'},
    {"replay", required_argument, NULL, 'x'}, {"name", required_argument, NULL, 'n'},
    {"alter", no_argument, NULL, 'a'},        {"remote-3des", no_argument, NULL, '3'},
    {"issuer", no_argument, NULL, 'i'},       {"level", required_argument, NULL, 'l'},
    {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
};

static int help(void)
{
    puts("twinctl [--card DIR | --socket PATH | --reader NAME] [--keys FILE] [--json] COMMAND ...\n"
         "\n"
         "  --card DIR      starts the card of that folder (twincard beside twinctl)\n"
         "  --socket PATH   a card that runs (twincard DIR --socket PATH)\n"
         "  --reader NAME   a card in a PC/SC reader; NAME is a part of the reader's name\n"
         "  --keys FILE     secrets of the card, mode 0600; keys in DIR if not given\n"
         "  --json          one JSON object instead of text\n");
    for (size_t i = 0; i < sizeof subcommands / sizeof subcommands[0]; i++) {
        printf("  %-12s %s\n", subcommands[i].name, subcommands[i].help);
    }
    puts("\nmake and personalize take --pin, --code (resetting code), --name (cardholder) and "
         "--remote-3des.\nExit status: 0 done, 1 refused by the card or whoever examines it, "
         "2 usage or environment.");
    return fflush(stdout) == 0 ? DONE : TROUBLE;
}

/* One option; *taken collects those that not every sub-command takes. */
static void take_option(int option, struct options *options, unsigned *taken)
{
    const struct {
        int option;
        const char **text;
        bool *flag;
        unsigned taken;
    } places[] = {
        {'c', &options->card, NULL, 0},
        {'s', &options->socket, NULL, 0},
        {'r', &options->reader, NULL, 0},
        {'k', &options->keys, NULL, 0},
        {'j', NULL, &options->json, 0},
        {'y', &options->system, NULL, TAKES_SYSTEM},
        {'p', &options->pin, NULL, TAKES_PIN},
        {'u', &options->code, NULL, TAKES_CODE},
        {'x', &options->replay, NULL, TAKES_REPLAY},
        {'n', &options->name, NULL, TAKES_NAME},
        {'a', NULL, &options->alter, TAKES_ALTER},
        {'3', NULL, &options->remote_3des, TAKES_REMOTE_3DES},
        {'i', NULL, &options->issuer, TAKES_ISSUER},
        {'l', &options->level, NULL, TAKES_LEVEL},
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (places[i].option == option && places[i].text != NULL) {
            *places[i].text = optarg;
        } else if (places[i].option == option) {
            *places[i].flag = true;
        }
        *taken |= places[i].option == option ? places[i].taken : 0;
    }
}

/* Reads the command line. DONE with *chosen NULL means --help. */
static enum outcome parse(int argc, char **argv, struct options *options,
                          const struct subcommand **chosen, struct problem *problem)
{
    unsigned taken = 0;
    int option = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
        if (option == 'h') {
            return DONE;
        }
        if (option == '?' || option == ':') {
            return trouble(problem, option == ':' ? "%s needs a value" : "unknown option %s",
                           argv[optind - 1]);
        }
        take_option(option, options, &taken);
    }
    if (optind == argc) {
        return trouble(problem, "no command given (twinctl --help)");
    }
    const char *name = argv[optind];
    for (size_t i = 0; i < sizeof subcommands / sizeof subcommands[0]; i++) {
        if (strcmp(subcommands[i].name, name) == 0) {
            *chosen = &subcommands[i];
        }
    }
    if (*chosen == NULL) {
        return trouble(problem, "unknown command %s (twinctl --help)", name);
    }
    if ((taken & ~(*chosen)->takes) != 0) {
        return trouble(problem, "%s does not take one of these options (twinctl --help)", name);
    }
    options->arguments = argv + optind + 1;
    options->argument_count = argc - optind - 1;
    return DONE;
}

/* Ways to the card and arguments that the sub-command has no use for. */
static enum outcome check(struct options *options, const struct subcommand *chosen,
                          struct problem *problem)
{
    int ways = (options->card != NULL) + (options->socket != NULL) + (options->reader != NULL);
    if (ways > 1) {
        return trouble(problem, "only one of --card, --socket and --reader can be given");
    }
    if ((chosen->does & NAMES_FOLDER) != 0) {
        if (options->argument_count == 1 && ways == 0) {
            options->card = options->arguments[0];
            return DONE;
        }
        if (options->argument_count != 0 || options->card == NULL) {
            return trouble(problem, "%s needs one DIR", chosen->name);
        }
        return DONE;
    }
    bool apdus = (chosen->does & TAKES_APDUS) != 0;
    if (apdus && options->argument_count == 0) {
        return trouble(problem, "%s needs at least one APDU in hexadecimal", chosen->name);
    }
    if (!apdus && options->argument_count > 0) {
        return trouble(problem, "%s does not take the argument %s", chosen->name,
                       options->arguments[0]);
    }
    return DONE;
}

static enum outcome run(struct world *world, const struct subcommand *chosen)
{
    if ((chosen->does & OPENS_KEYS) != 0) {
        TRY(world_open_keys(world));
    }
    if ((chosen->does & OPENS_CARD) != 0) {
        TRY(world_open_card(world));
    }
    return chosen->run(world, chosen->name);
}

int main(int argc, char **argv)
{
    static struct world world;
    const struct subcommand *chosen = NULL;
    world.profile = &sample_profile;
    world.transport.socket = -1;
    enum outcome outcome = parse(argc, argv, &world.options, &chosen, &world.problem);
    if (outcome == DONE && chosen == NULL) {
        return help();
    }
    report_open(&world.report, world.options.json, chosen != NULL ? chosen->name : "");
    if (outcome == DONE) {
        outcome = check(&world.options, chosen, &world.problem);
    }
    if (outcome == DONE) {
        outcome = run(&world, chosen);
    }
    int status = report_close(&world.report, outcome, &world.problem);
    world_close(&world);
    return status;
}
