/* call.h: one call of an operation, the way a worker makes it: effect or connector, at once or completed later. Owns
 * the memory that the call's bytes stand in. [any], one thread per call. */
#ifndef PAWL_HOST_CHECKER_CALL_H
#define PAWL_HOST_CHECKER_CALL_H

#include "lab.h"

/** How the bytes of a call stand in memory. */
typedef enum lab_bytes_care {
    BYTES_PLAIN = 0,  /* with a NUL behind them, freed after the call */
    BYTES_FENCED = 1, /* read-only, a page that cannot be read right behind them, and gone after the call */
} lab_bytes_care;

/** What is asked; zero is a plain call. */
typedef struct lab_request {
    const lab_operation *operation;
    const char *name; /* instead of the operation's own */
    pawl_bytes input;
    const char *key; /* NULL: one that was never used */
    uint32_t attempt;
    uint64_t deadline_ns; /* from its start; 0: none */
    pawl_cancel_token *cancel;
    size_t output_max; /* 0: LAB_OUTPUT_MAX */
    bool no_output;    /* output_max is 0, and means it */
    pawl_status fault; /* of the sink */
    uint32_t fault_at;
    bool reconcile;
    bool newer;       /* the call struct is longer than this plugin knows */
    bool small_stack; /* within a time: with the least stack that a worker gives, 1 MiB */
    lab_bytes_care care;
    const lab_host *host;     /* NULL: the lab's */
    pawl_connector *instance; /* NULL: the lab's */
} lab_request;

typedef struct lab_answer {
    pawl_status status; /* of the call, or of its completion */
    pawl_status begun;  /* what start returned, for operations that complete later */
    bool completed;     /* a completion came */
    lab_sink *out;
    lab_why *why;
    uint64_t took_ns;
} lab_answer;

/** Make the call and wait for its end. */
lab_answer lab_call(checker_lab *lab, const lab_request *request);
/** The same on a thread of its own. False: it did not return within
 *  limit_ms after `cancel` was asked (ask_ms after the start; 0: before it) or, without a token, after its start. Then
 *  it goes on, and the case has to give up. */
bool lab_call_within(checker_lab *lab, const lab_request *request, uint32_t ask_ms, uint32_t limit_ms, lab_answer *ret);
/** Free what came of it. Late uses of its sinks are not seen any more. */
void lab_answer_free(lab_answer *answer);
/** Bytes of the result; lives as long as the answer. */
pawl_bytes lab_answer_bytes(const lab_answer *answer);
/** "succeeded", or "failed with http.429: ...", cut. */
const char *lab_answer_text(const lab_answer *answer, char text[512]);

/** A key that no call had before. */
void lab_new_key(char *key, size_t room);
/** Does the operation say that its results are JSON? */
bool lab_gives_json(const lab_operation *operation);

/** The next operation that may be called, with a sample input (a new reference): all samples of all operations, one
 *  after another. *at begins with zeros. False: there are no more. Slow ones are left out, or are the only ones.
 *  (sample.c) */
typedef struct lab_walk {
    size_t operation;
    size_t sample;
    bool slow;
    const lab_operation *now;
    const json_t *output; /* what this sample gives, a schema; NULL: as the operation says */
    char where[200];
    char *input; /* JSON text; free() by the next step */
} lab_walk;
bool lab_walk_next(checker_lab *lab, lab_walk *walk);
pawl_bytes lab_walk_input(const lab_walk *walk);
/** Is there one at all? */
bool lab_walk_any(checker_lab *lab, bool slow);
/** The case is skipped: no operation has a sample. */
void lab_skip_without_samples(checker_lab *lab);
/** An input for a process type: given, of the manifest's schema, or "{}". free() it. */
char *lab_type_input(const checker_lab *lab, const pawl_manifest_process *type);
/** The smallest value that a schema allows, as far as that can be told; a new reference. NULL: none was found that
 * fits. */
json_t *lab_generate(const json_t *schema);

#endif
