/* tester_internal.h: what the parts of a test share: load.c (the plugin), vary.c and orders.c (variations), report.c,
 * replay.c, tester.c (all of it, and the child process). Nobody else includes it. */
#ifndef PAWL_TESTER_INTERNAL_H
#define PAWL_TESTER_INTERNAL_H

#include "host/care/roots.h"
#include "host/loader/loader.h"
#include "machine.h"
#include "tester.h"

#include <stdatomic.h>

/** Seen by the parent while the child tests. */
typedef struct pawl_tester_shared {
    atomic_uint_least64_t beats; /* activations so far */
    atomic_uint_least64_t runs;  /* variations so far */
    char what[128];              /* the variation that runs */
} pawl_tester_shared;

/** A kind of variation. */
typedef struct pawl_tester_group {
    const char *name;
    uint64_t runs, differed; /* differed: ended in another way than without it, and may */
    bool cut_short;
} pawl_tester_group;

typedef struct pawl_tester {
    const pawl_tester_request *request;
    pawl_tester_shared *shared;
    /* the plugin */
    pawl_roots roots;
    pawl_log log;
    pawl_plugin_set *set;
    const pawl_plugin *plugin;
    const pawl_manifest_process *process;
    pawl_traps *traps;
    /* the test */
    pawl_script script;
    pawl_tester_subject subject;
    pawl_machine basic;
    pawl_tester_text expected; /* summary of the basic run */
    uint64_t stop_mono_ns;     /* no new variation after this */
    uint64_t runs;
    uint64_t told_mono_ns;
    char context[200]; /* what the variation that runs does to the process, in words */
    /* the report */
    json_t *variations, *findings, *warnings, *orders, *only_trace;
    size_t finding_count;
} pawl_tester;

/* load.c */
/** Load the plugin and find the type; the script is read before. */
pawl_status pawl_tester_load(pawl_tester *t, const char *type, pawl_error *error);
void pawl_tester_unload(pawl_tester *t);
/** The type of the plugin with this name (NULL: its only one) and revision (0: the newest). */
pawl_status pawl_tester_find_type(pawl_tester *t, const char *type, uint32_t revision, pawl_error *error);

/* vary.c */
/** Is this variation, or a group that may hold it, to be run? */
bool pawl_tester_wants(const pawl_tester *t, const char *name);
/** Of a whole name such as "crash@7": is it the one that was asked for, or may that be within it? */
bool pawl_tester_asks(const pawl_tester *t, const char *name);
/** PAWL_MACHINE_TRACED when this is the one that was asked for. */
uint32_t pawl_tester_traced(const pawl_tester *t, const char *name);
/** A variation begins. False: no more, the time is over or something was found. */
bool pawl_tester_begin(pawl_tester *t, pawl_tester_group *group, const char *name);
/** What a variation came to: it must be what is expected, unless something is in doubt, or it is loose. */
void pawl_tester_judge(pawl_tester *t, pawl_tester_group *group, const char *name, const pawl_machine *m,
                       const pawl_tester_text *expected, bool loose);
/** The basic run, into t->basic; false: nothing else makes sense. */
bool pawl_tester_basic(pawl_tester *t);
void pawl_tester_modes(pawl_tester *t);
/** The worker is lost after each record of `of`. prefix: in front of the names. */
void pawl_tester_crashes(pawl_tester *t, pawl_tester_group *group, const pawl_machine *of,
                         const pawl_tester_text *expected, const char *prefix);
void pawl_tester_all_crashes(pawl_tester *t);

/* apart.c */
void pawl_tester_cancels(pawl_tester *t);
void pawl_tester_faults(pawl_tester *t);

/* orders.c */
void pawl_tester_orders(pawl_tester *t);

/* report.c */
void pawl_tester_report_group(pawl_tester *t, const pawl_tester_group *group, const char *note);
/** expected and found may be NULL. */
void pawl_tester_find(pawl_tester *t, const char *variation, const char *kind, const char *message,
                      const pawl_tester_text *expected, const pawl_tester_text *found);
void pawl_tester_warn(pawl_tester *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** What the program asked of the machine: findings and warnings. */
void pawl_tester_report_traps(pawl_tester *t);
/** Lines of a text, as an array. */
json_t *pawl_tester_lines(const char *text);
json_t *pawl_tester_report(pawl_tester *t, uint64_t elapsed_ms);

/* replay.c */
json_t *pawl_tester_replay(pawl_tester *t, pawl_error *error);

#endif
