/* tester.h: `pawl test`: runs a process type of a plugin against a scripted world in virtual time, then again with its
 * worker lost after every record, every activation run twice, and what is in flight ending in every order that the
 * program could tell apart; says where it first did something else. Owns nothing between calls. The plugin runs in a
 * child process, so that one that crashes or hangs is a result and not the end of the test. Never: calls an effect of
 * the plugin, opens a store, needs a server. [loader] */
#ifndef PAWL_TESTER_H
#define PAWL_TESTER_H

#include <pawl/pawl.h>
#include <stdbool.h>
#include <stdio.h>

/** What to test. Texts are borrowed; NULL or 0 is the default of every member. */
typedef struct pawl_tester_request {
    const char *plugin;  /**< its file */
    const char *type;    /**< process type; else the script's, or the plugin's only one */
    uint32_t revision;   /**< 0: the newest */
    const char *config;  /**< JSON for the plugin's init */
    pawl_bytes input;    /**< of the process; data NULL: the script's, else empty */
    const char *script;  /**< path of the script; NULL: there is none, and every call is refused; "auto": null to all */
    uint32_t orders_max; /**< orders of events to try; 0: 500 */
    uint64_t seed;       /**< of the choice among more orders than that */
    bool all_orders;     /**< also those that the program cannot tell apart */
    bool same_outcome;   /**< every order must end alike */
    bool cancel_everywhere;      /**< ask it to stop before every event */
    bool fail_everywhere;        /**< let every call and child fail, one at a time */
    bool strict;                 /**< warnings count as findings */
    bool in_process;             /**< no child process: for a debugger */
    const char *only;            /**< one variation by its name: "crash@7"; its trace is in the report */
    uint64_t time_max_ms;        /**< of all variations together; 0: 60 000 */
    uint64_t hang_ms;            /**< an activation that runs longer hangs; 0: 10 000 */
    const char *const *journals; /**< files or directories of journals to live again, instead of a script */
    size_t journal_count;
    FILE *progress; /**< told what is going on; may be NULL */
} pawl_tester_request;

/** Test. PAWL_OK: *ret_json is a report, whether or not it found something ("ok"); the caller frees it with
 *  pawl_text_free. Otherwise the test could not be made: what the loader refuses, mistakes in the script (message: a
 *  line each), a type that is not there.
 *
 *  The report: {ok, plugin, digest, type, revision, end, trace [lines], journal [{kind, ordinal}], variations [{name,
 * runs, differed, note}], orders {tried, all, in_all, outcomes [{end, orders, first}]}, findings [{variation, kind,
 * message, context, expected [lines], found [lines], line, hints [..]}], warnings [..], runs, elapsed_ms}, with `only`
 * only_trace [lines], too. With journals: {ok, plugin, digest, journals
 *  [{file, id, type, goes_on, records, message}]}. */
pawl_status pawl_tester_run(const pawl_tester_request *request, pawl_text *ret_json, pawl_error *error);

#endif
