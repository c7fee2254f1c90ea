/* script.h: what the world answers to a process under test: effects, children, and what comes from outside, as written
 * in a YAML (or JSON) file. Owns the parsed script. Strict: an unknown key, a wrong type or a value out of range is
 * reported with line and column. Pure data: an answer follows from the call alone, never from what was asked before, so
 * that a call which is repeated after a crash gets the answer that it got the first time. [any] */
#ifndef PAWL_TESTER_SCRIPT_H
#define PAWL_TESTER_SCRIPT_H

#include "host/profile/profile.h"
#include "pawl_abi.h"
#include "worker/attributes.h"
#include "worker/retry.h"

#include <stdbool.h>

#define PAWL_SCRIPT_BYTES_MAX  ((size_t)16 << 20)
#define PAWL_SCRIPT_START_UNIX UINT64_C(1767225600000000000) /* 2026-01-01T00:00:00Z, unless the script says */

enum { PAWL_ANSWER_RESULT = 1, PAWL_ANSWER_ECHO, PAWL_ANSWER_FAILURE, PAWL_ANSWER_UNKNOWN };
/* What an outside system says when it is asked whether an attempt happened. */
enum { PAWL_DOUBT_ASIS = 0, PAWL_DOUBT_HAPPENED, PAWL_DOUBT_NEVER, PAWL_DOUBT_CANNOT_TELL };

/** One attempt's end. */
typedef struct pawl_script_answer {
    uint32_t kind;        /* PAWL_ANSWER_* */
    uint32_t child;       /* of a child: PAWL_FAILED, PAWL_CANCELLED, PAWL_TERMINATED; else 0 */
    pawl_bytes value;     /* RESULT */
    pawl_failure failure; /* FAILURE, UNKNOWN */
    uint64_t delay_ns;    /* virtual time that the attempt takes */
    bool deaf;            /* goes on when told to stop */
    uint32_t doubt;       /* PAWL_DOUBT_*: what reconcile answers */
    pawl_bytes happened;  /* HAPPENED: with this result */
} pawl_script_answer;

/** Some calls of an effect. */
typedef struct pawl_script_case {
    uint64_t ordinal; /* only the call of this ordinal; 0: any */
    uint32_t nth;     /* only the nth call of this effect, from 1; 0: any */
    bool has_input;
    json_t *input;               /* only with this input */
    pawl_script_answer *answers; /* by attempt; the last one for all later ones */
    size_t count;
} pawl_script_case;

/** What is said of an effect, or of children of a type. */
typedef struct pawl_script_effect {
    const char *name;
    uint32_t outcome; /* PAWL_OUTCOME_*; 0: as the plugin's manifest says, else by_key */
    uint32_t attempts_max;
    bool has_attempts;
    uint64_t timeout_ns; /* 0: as the manifest says */
    pawl_script_case *cases;
    size_t count;
} pawl_script_effect;

/** A key of the session's state. */
typedef struct pawl_script_pair {
    pawl_bytes key, value;
    bool removed;
} pawl_script_pair;

enum { PAWL_EVENT_SIGNAL = 1, PAWL_EVENT_UPDATE, PAWL_EVENT_CANCEL, PAWL_EVENT_SESSION };

/** Something from outside. */
typedef struct pawl_script_event {
    uint32_t kind;
    pawl_bytes name, id;     /* id: of an update */
    pawl_bytes payload;      /* CANCEL: reason */
    pawl_script_pair *pairs; /* SESSION: somebody else changes these */
    size_t pair_count;
    bool timed; /* at_ns after the start; else when nothing else is left to happen */
    uint64_t at_ns;
} pawl_script_event;

/** How the process is to end. */
typedef struct pawl_script_expect {
    uint32_t status;  /* PAWL_COMPLETED and so on; 0: not said */
    json_t *output;   /* NULL: not said */
    const char *code; /* of the failure; NULL: not said */
} pawl_script_expect;

typedef struct pawl_script {
    struct pawl_profile_memory *memory;
    const char *path;
    const char *type; /* NULL: not said; likewise the next */
    const char *id, *session;
    pawl_bytes input;
    bool has_input;
    uint64_t start_unix_ns;
    bool answers_all;        /* null to everything that is not scripted */
    uint64_t continue_after; /* records; a longer journal is told to continue as new; 0: as a host without settings */
    pawl_attribute_schema attributes;
    bool has_state; /* pawl.session.* work on this; else they are calls like others */
    pawl_script_pair *state;
    size_t state_count;
    pawl_script_effect *effects;
    size_t effect_count;
    pawl_script_effect *children;
    size_t child_count;
    pawl_script_event *events;
    size_t event_count;
    pawl_script_expect expect;
} pawl_script;

/** Read a script. @return PAWL_OK; PAWL_E_INVALID with problems added; PAWL_E_NOMEM. *ret is the caller's. */
pawl_status pawl_script_read(const char *text, size_t size, pawl_script *ret, pawl_problem_list *problems);
/** A script that answers null to everything. */
pawl_status pawl_script_auto(pawl_script *ret);
void pawl_script_finish(pawl_script *script);

const pawl_script_effect *pawl_script_effect_of(const pawl_script *script, pawl_bytes name);
const pawl_script_effect *pawl_script_child_of(const pawl_script *script, pawl_bytes type);
/** The answer to this attempt (1 and up) of the nth call; NULL: the script has none. */
const pawl_script_answer *pawl_script_answer_to(const pawl_script_effect *effect, uint64_t ordinal, uint32_t nth,
                                                pawl_bytes input, uint32_t attempt);

#endif
