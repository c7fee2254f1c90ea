/* lab.h: a plugin in this process, with a host made for looking at it: what the cases stand on. Owns what it loaded and
 * made; most cases end with the process, so little is ever freed. What a case finds is told at once, through the
 * channel of a child or as text, so that a crash cannot take it along. Never decides what is right: cases do. */
#ifndef PAWL_HOST_CHECKER_LAB_H
#define PAWL_HOST_CHECKER_LAB_H

#include "checker.h"
#include "host/loader/contract.h"
#include "host/loader/elf_image.h"
#include "worker/base/sink.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define LAB_OUTPUT_MAX     ((size_t)4 << 20) /* of a result, as hosts have it by default */
#define LAB_OPERATIONS_MAX (2u * PAWL_MANIFEST_ENTRIES_MAX)

/** What is handed to a plugin as a pawl_sink. Kept for ever, so that a late use is seen and does no harm. */
typedef struct lab_sink {
    pawl_sink sink;      /* first: this is what a plugin points to */
    pawl_status fault;   /* not PAWL_OK: what every write from number fault_at on gets */
    uint32_t fault_at;   /* 0: the first */
    atomic_uint writes;  /* asked for */
    atomic_uint refused; /* of these, refused */
    atomic_bool closed;  /* the call is over */
} lab_sink;

typedef struct lab_why {
    pawl_failure_slot slot; /* first, likewise */
    atomic_uint told;
    atomic_bool closed;
    size_t code_size, message_size; /* as told; what is kept may be cut */
} lab_why;

/** Things a plugin did to the host that no call may do, counted while they happen. */
typedef struct lab_offences {
    atomic_uint late_writes; /* into the sink of a call that was over */
    atomic_uint late_failures;
    atomic_uint late_completions; /* a second one, or one of a call that was not pending */
    atomic_uint null_objects;     /* a NULL sink, failure sink, failure or completion */
    atomic_uint bad_bytes;        /* NULL with a length */
} lab_offences;

typedef struct lab_host {
    pawl_host_root root; /* host_data points to this */
    checker_lab *lab;
    bool bare; /* pawl.core/1 alone */
} lab_host;

/** An effect, or an operation of the connector. */
typedef struct lab_operation {
    const pawl_manifest_operation *declared;
    bool of_connector;
    json_t *result; /* a value that its output schema allows; NULL: none was found */
} lab_operation;

struct checker_lab {
    const checker_options *options;
    const checker_case *entry;
    int channel; /* -1: tell as text, on this stream: */
    FILE *text;
    checker_verdict worst;
    unsigned findings;
    unsigned checked;  /* things that were looked at; none at the end: skipped */
    bool ends_by_exit; /* the process ends as programs do, with destructors */

    elf_image image;
    pawl_manifest *manifest;
    void *library;
    pawl_plugin_entry_fn plugin_entry;
    pawl_plugin_root root;
    contract_tables tables;
    lab_host host;
    bool initialised;
    pawl_connector *instance;
    lab_operation *operations;
    size_t operation_count;
    lab_offences offences;
};

/* ---- telling (child.c) ---------------------------------------------------------------------------------------------
 */

/** What runs now; told when it crashes or hangs. */
void lab_stage(checker_lab *lab, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** A finding. where may be NULL; wanted: what to have instead, and what to do. */
void lab_find(checker_lab *lab, checker_verdict verdict, const char *where, const char *wanted, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/** There is nothing to check, and why. Counts only when nothing else was found. */
void lab_skip(checker_lab *lab, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** One thing was looked at, and found well or not. */
void lab_checked(checker_lab *lab);
/** The case cannot go on in this process (something hangs in it): end it with what was found. */
_Noreturn void lab_give_up(checker_lab *lab);

/* ---- stages (lab.c): each does those before it; false: it did not work and the case is skipped ---------------------
 */

bool lab_read(checker_lab *lab);     /**< the file's facts and manifest */
bool lab_load(checker_lab *lab);     /**< dlopen, entry, root */
bool lab_init(checker_lab *lab);     /**< init, with the config that was given */
bool lab_tables(checker_lab *lab);   /**< the tables of all kinds */
bool lab_instance(checker_lab *lab); /**< the connector's instance, when there is a connector */
/** Take down what stands: instance, deinit. */
void lab_close(checker_lab *lab);

/** Call init and deinit with this host; what init said is in *why (closed afterwards by the caller). */
pawl_status lab_init_with(checker_lab *lab, lab_host *host, const char *config, lab_why *why);
pawl_status lab_create_with(checker_lab *lab, const lab_host *host, const char *name, const char *config,
                            pawl_connector **ret, lab_why *why);
/** The config to make instances with: what was given, or "{}". */
const char *lab_instance_config(const checker_lab *lab);

/* ---- the host (lab_host.c) -----------------------------------------------------------------------------------------
 */

void lab_host_init(lab_host *host, checker_lab *lab);
/** As a host of a later minor: longer tables, and a root that says so. */
void lab_host_make_newer(lab_host *host);
/** pawl.core/1's sink_write, for what the host itself writes into a plugin's sink. */
pawl_status lab_core_write(pawl_sink *sink, const void *data, size_t size);
/** Where offences of this process are counted. */
lab_offences *lab_offences_now(void);
/** Zeroed memory that is never freed and not malloc's: what a plugin may use too late stands there. */
void *lab_keep(size_t size);
lab_sink *lab_sink_create(size_t limit);
lab_why *lab_why_create(void);
/** The call is over: whatever comes now is late. */
void lab_sink_close(lab_sink *sink);
void lab_why_close(lab_why *why);
/** Give back what was kept in them. They themselves stay, so that a late use is seen. */
void lab_sink_free(lab_sink *sink);
void lab_why_free(lab_why *why);

/** A cancel token with a descriptor, as hosts have them. */
pawl_cancel_token *lab_cancel_create(void);
void lab_cancel_ask(pawl_cancel_token *token);
/** What a plugin did to the descriptor of a token that was asked: NULL, or "closed", or "read from". */
const char *lab_cancel_spoilt(pawl_cancel_token *token);
void lab_cancel_free(pawl_cancel_token *token);

/** Text of a status, for messages: "-3 (invalid)". */
const char *lab_status_text(pawl_status status, char text[64]);
uint64_t lab_now_ns(void);
void lab_pause_ms(unsigned ms);

#endif
