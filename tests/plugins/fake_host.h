/* fake_host.h: the smallest host a connector can be driven with: pawl.core/1 with real clocks, pawl.attachments/1 kept
 * in memory, a cancel token on an eventfd. Everything handed to the plugin stands in memory of its exact size, without
 * a NUL behind it, so that a sanitizer sees a plugin that reads too far. */
#ifndef PAWL_TEST_FAKE_HOST_H
#define PAWL_TEST_FAKE_HOST_H

#include "pawl_plugin.h"

/* clang-format off: cmocka needs these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
/* clang-format on */
#include <cmocka.h>
#include <jansson.h>

typedef struct fake_attachment {
    struct fake_attachment *next;
    char reference[72];
    unsigned char *data;
    size_t size;
} fake_attachment;

/** One host with one plugin and one instance of its connector. */
typedef struct fake_host {
    pawl_host_root root; /* host_data points back here */
    void *library;
    const pawl_plugin_root *plugin;
    const pawl_connector_table *table;
    pawl_connector *instance;
    fake_attachment *attachments;
    int uploads_open;
    bool no_attachments; /* as a host without them */
    size_t output_limit;
    int descriptors_before;
} fake_host;

/** What a call gave. */
typedef struct fake_answer {
    pawl_status status;
    json_t *json; /* of the result when it succeeded */
    uint32_t klass;
    char code[129];
    char message[4097];
    json_t *detail;
    uint64_t retry_after_ns;
    uint64_t took_ns;
} fake_answer;

/** Choices for one call; zero is a plain one. */
typedef struct fake_options {
    uint64_t timeout_ns;
    pawl_cancel_token *cancel;
    uint32_t attempt;
    const char *key;
    const char *trace;
} fake_options;

/** Load the plugin pawl-NAME.so and run its init. Fails the test when that fails. */
fake_host *fake_host_open(const char *name);
/** Destroy the instance, deinit, and check that no upload and no descriptor was left open. NULL is allowed. */
void fake_host_close(fake_host *host);

/** Make the instance ("unit"). Gives the answer of create; json is NULL. */
fake_answer fake_create(fake_host *host, const char *config);
/** The same; the test fails unless it succeeds. */
void fake_must_create(fake_host *host, const char *config);

fake_answer fake_call(fake_host *host, const char *operation, const char *input, const fake_options *options);
/** The same; input formatted as with printf. */
fake_answer fake_callf(fake_host *host, const char *operation, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void fake_answer_free(fake_answer *answer);

/** The test fails unless the call failed with this status, class and code. Frees the answer. */
void fake_expect_failure(fake_answer answer, pawl_status status, uint32_t klass, const char *code);
/** The test fails unless the call succeeded; prints why not. */
void fake_expect_ok(const fake_answer *answer);
/** Texts and integers of a result, by key; the test fails when they are not there. */
const char *fake_text(const fake_answer *answer, const char *key);
json_int_t fake_integer(const fake_answer *answer, const char *key);

pawl_cancel_token *fake_cancel_create(void);
void fake_cancel_ask(pawl_cancel_token *token);
void fake_cancel_destroy(pawl_cancel_token *token);

const fake_attachment *fake_attachment_find(const fake_host *host, const char *reference);
/** Store content; the reference lives as long as the host. */
const char *fake_attachment_put(fake_host *host, const void *data, size_t size);

uint64_t fake_now_ns(void);
int fake_count_descriptors(void);

#endif
