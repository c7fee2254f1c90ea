/* place.h: a host with the wild plugin, isolated or not, and what can be asked of both. */
#ifndef PAWL_TESTS_ISOLATE_PLACE_H
#define PAWL_TESTS_ISOLATE_PLACE_H

#include "tests/integration/host/fixture.h"
#include "tests/integration/host/test_plugin.h"

#include <sys/types.h>

/** How the wild plugin is put into the profile. Everything may be NULL. */
typedef struct wish {
    const char *isolation; /* "process" unless given */
    const char *limits;    /* "seccomp: off, memory: 64MiB" */
    const char *mood;      /* of its init */
    const char *greeting;  /* of its connector, "shop"; NULL: there is none */
    const char *extra;     /* more lines */
    const char *provider;  /* memory unless given */
} wish;

pawl_status place_try_open(fixture *own, const wish *wanted, pawl_error *error);
void place_open(fixture *own, const wish *wanted);

/** Start a process that makes one call. input: JSON. */
void call(fixture *own, const char *id, const char *effect, const char *input);
/** The same, and its end. */
void expect_call(fixture *own, const char *effect, const char *input, const char *status, const char *output_or_code);
/** Its output. */
json_t *output_of(fixture *own, const char *effect, const char *input);
/** The message of how it failed, with this code. */
void expect_failure(fixture *own, const char *effect, const char *input, const char *code, const char *words);

/** Has the plugin left this note? Waits for it. */
void await_note(const fixture *own, const char *name);
bool is_noted(const fixture *own, const char *name);
/** What the host says of the plugin's isolation. */
json_t *isolation_of(fixture *own);
int64_t isolation_number(fixture *own, const char *key);
/** The process of its first worker; waits until it runs. */
pid_t worker_of(fixture *own);
/** Before looking again. */
void rest(void);
/** Wait until there is no such process. */
void await_gone(pid_t pid);

int setup_place(void **state);
int teardown_place(void **state);

#endif
