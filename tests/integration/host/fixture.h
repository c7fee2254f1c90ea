/* fixture.h: a host for a test: a temporary directory, a profile made of text, the plugins linked into the test, a log
 * that is kept. Every group of tests runs over memory and over RocksDB. */
#ifndef PAWL_TESTS_HOST_FIXTURE_H
#define PAWL_TESTS_HOST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>
#include <pawl/pawl.h>
#include <pthread.h>
#include <stdbool.h>

#define LONG_NS UINT64_C(60000000000) /* long enough that only a hang reaches it */

typedef struct fixture {
    char directory[64];
    const char *provider; /* "memory" or "rocksdb" */
    const char *extra;    /* YAML lines added to the profile, or NULL */
    uint32_t no_worker;
    pawl_host *host;
    pthread_mutex_t lock; /* guards log */
    char log[65536];
} fixture;

/** Setup and teardown of a cmocka test: an open host over one provider. */
int setup_memory(void **state);
int setup_rocksdb(void **state);
int teardown(void **state);

/** A fixture without an open host. */
fixture *fixture_make(const char *provider);
void fixture_remove(fixture *own);
/** Open its host; fails the test when that fails. */
void fixture_open(fixture *own);
/** As it is, with the status. */
pawl_status fixture_try_open(fixture *own, const char *profile, pawl_error *error);
void fixture_close(fixture *own);
/** Is there a line in the log with this text? */
bool fixture_logged(fixture *own, const char *text);

/* Each fails the test when it does not go well. */

/** Start; input is JSON text. */
void start(fixture *own, const char *id, const char *type, const char *input);
pawl_status try_start(fixture *own, const char *id, const char *type, const char *input, uint32_t flags,
                      pawl_started *started, pawl_error *error);
/** Wait for the end: the outcome as JSON, to be json_decref'ed. */
json_t *ended(fixture *own, const char *id);
/** Wait for the end and compare status and, unless NULL, the output as JSON text or the code. */
void expect_end(fixture *own, const char *id, const char *status, const char *output_or_code);
/** One process as JSON. */
json_t *shown(fixture *own, const char *id);
/** Wait until it has this status; the row as JSON. */
json_t *until(fixture *own, const char *id, const char *status);
const char *text_of(const json_t *object, const char *key);
void signal_it(fixture *own, const char *id, const char *name, const char *payload);
json_t *json_of(pawl_text *text);

/* The call inside is given &why_. */
#define assert_ok(expression)                                                                                          \
    do {                                                                                                               \
        pawl_error why_ = {0};                                                                                         \
        if ((expression) != PAWL_OK)                                                                                   \
            fail_msg("%s: %s: %s", #expression, why_.code, why_.message);                                              \
    } while (0)

#define assert_has(text, part)                                                                                         \
    do {                                                                                                               \
        if (strstr((text), (part)) == NULL)                                                                            \
            fail_msg("\"%s\" does not contain \"%s\"", (text), (part));                                                \
    } while (0)

#define OVER_BOTH(test)                                                                                                \
    {#test "/memory", test, setup_memory, teardown, NULL},                                                             \
    {                                                                                                                  \
#test "/rocksdb", test, setup_rocksdb, teardown, NULL                                                          \
    }

#endif
