/* checker.h: what the rooms of `pawl plugin check` share: the list of cases, what a case can find, what was asked for.
 *
 * The program pawl-plugin-check is two things. As the driver it reads a plugin's facts, starts one child for each case
 * and tells what they found. As a child it runs one case, in a process of its own, so that a crash or a hang costs that
 * case alone. Only a child ever runs code of the plugin. Owns no state but its arguments. */
#ifndef PAWL_HOST_CHECKER_H
#define PAWL_HOST_CHECKER_H

#include "pawl_abi.h"

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHECKER_CHANNEL            3 /* the child's descriptor for what it finds */
#define CHECKER_TIMEOUT_MS_DEFAULT 30000u
#define CHECKER_LATENCY_MS_DEFAULT 5000u /* from a wish to stop, or a deadline, to the return of a call */
#define CHECKER_SAMPLES_MAX        256u
#define CHECKER_NAMES_MAX          64u

/* Exit codes; those of the `pawl` program that fit. docs/plugin-authors/checking.md explains each. */
enum { CHECKER_EXIT_OK = 0, CHECKER_EXIT_BROKEN = 1, CHECKER_EXIT_USAGE = 2, CHECKER_EXIT_NOT_FOUND = 3 };
enum { CHECKER_EXIT_FAILED = 6 };

/** How much is asked of a plugin. A check runs the cases of its level and of those below. */
typedef enum checker_level {
    LEVEL_MUST = 1,    /**< what a host relies on */
    LEVEL_SHOULD = 2,  /**< what its users rely on; the default */
    LEVEL_PEDANTIC = 3 /**< what its author may care for */
} checker_level;

/** From the best to the worst: the verdict of a case is the worst of its findings. */
typedef enum checker_verdict {
    VERDICT_PASS = 0,
    VERDICT_SKIP = 1,
    VERDICT_WARN = 2,
    VERDICT_FAIL = 3,
    VERDICT_CRASH = 4,
    VERDICT_TIMEOUT = 5
} checker_verdict;

/** What must work before a case makes sense. The case that proves a stage is its gate: when that fails, all that need
 *  the stage are skipped, so that one mistake is told once. */
enum {
    STAGE_FILE = 1,
    STAGE_ENTRY = 2,
    STAGE_INIT = 4,
    STAGE_TABLES = 8,
    STAGE_INSTANCE = 16, /* effects need none: it counts for connectors alone */
    STAGE_CALL = 32,
    STAGE_ACTIVATE = 64,
    STAGE_STORE = 128,
    STAGE_ODD = 256,   /* odd inputs are survived */
    STAGE_MOVED = 512, /* calls may come from any thread */
    STAGE_SUSPEND = 1024,
    STAGE_REPEAT = 2048, /* process code does the same again */
    STAGE_AROUND = 4096,
    STAGE_WATCHES = 8192
};

typedef struct checker_lab checker_lab;

typedef struct checker_case {
    const char *name;  /**< stable: "call.borrowed" */
    const char *rules; /**< of docs/abi-rules.md: "A-9, B-10" */
    checker_level level;
    uint32_t kinds;      /**< PAWL_KIND_*: for plugins with one of these; 0: for all */
    uint32_t needs;      /**< STAGE_* bits */
    uint32_t gives;      /**< STAGE_*: it is the gate of this one; 0: of none */
    const char *purpose; /**< one line */
    void (*run)(checker_lab *lab);
} checker_case;

/** In the order in which they are told. */
extern const checker_case checker_cases[];
extern const size_t checker_case_count;
/** NULL: there is none of that name. */
const checker_case *checker_case_find(const char *name);

/** An input to try an operation or a process type with. */
typedef struct checker_sample {
    const char *name; /**< of the operation, effect or process type */
    json_t *input;
    bool slow; /**< only for cases that ask a call to stop */
} checker_sample;

/** What the command line asks for. Its texts are those of the command line, or live as long as the program. */
typedef struct checker_options {
    const char *file; /**< as given */
    char path[PATH_MAX];
    const char *config;   /**< for init */
    const char *instance; /**< for a connector's create; NULL: none was given */
    const char *store;    /**< for a storage plugin's open; NULL: none was given */
    checker_sample samples[CHECKER_SAMPLES_MAX];
    size_t sample_count;
    const char *only[CHECKER_NAMES_MAX];
    size_t only_count;
    const char *waived[CHECKER_NAMES_MAX]; /**< "CASE=REASON" */
    size_t waived_count;
    bool generate; /**< call operations without a sample, too, with an input made from their schema */
    checker_level level;
    uint32_t jobs;
    uint32_t timeout_ms;
    uint32_t latency_ms;
    bool warnings_fail;
    bool list;
    bool json;
    bool color;
    const char *junit; /**< a file to write */
    bool in_process;   /**< run the one case here and tell it as text */
    const char *run;   /**< a child: run this case and tell it on CHECKER_CHANNEL */
    uint32_t broken;   /**< a child: STAGE_* that do not work, and are not to be tried again */
    int argc;
    char **argv;
} checker_options;

const char *checker_level_name(checker_level level);
const char *checker_verdict_name(checker_verdict verdict);
/** Is this case part of what was asked for, for a plugin of these kinds? */
bool checker_wants(const checker_options *options, const checker_case *entry);

/** Read the command line. CHECKER_EXIT_OK, or an exit code with the mistake printed. (options.c) */
int checker_options_read(int argc, char **argv, checker_options *ret);

/** Run what was asked for in children and tell it. The exit code. (driver.c) */
int checker_drive(checker_options *options);
/** Run one case in this process. The exit code. (child.c) */
int checker_run_here(const checker_options *options, const checker_case *entry);

/** PAWL_KIND_* bits as the words of the manifest, separated by spaces; "all" for 0. */
const char *checker_kinds_text(uint32_t kinds, char *text, size_t room);

#endif
