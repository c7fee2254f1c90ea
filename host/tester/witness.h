/* witness.h: sees every call that process code makes to its host, and writes it down as one readable line each. Owns
 * that log, and what it says about which orders of events the program could have told apart. Stands between the program
 * and the deterministic core and changes nothing: every call goes through. A witness belongs to one activation at a
 * time; the thread's own pointer to it is set only while the program runs. [instance] */
#ifndef PAWL_TESTER_WITNESS_H
#define PAWL_TESTER_WITNESS_H

#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What an event is to the program: the ordinal of a command, or the name of a signal. */
typedef uint64_t pawl_tester_token;
#define PAWL_TESTER_TOKEN_ALL              UINT64_MAX /* of what any await may see */
#define PAWL_TESTER_TOKEN_OF(run, ordinal) ((pawl_tester_token)(run) << 40 | (ordinal))
pawl_tester_token pawl_tester_token_of_signal(pawl_bytes name);

/** Things of which the program asked which came first. */
typedef struct pawl_tester_race {
    size_t first, count; /* in tokens */
} pawl_tester_race;

/** A command, and how much the program had been given by awaits when it issued it. */
typedef struct pawl_tester_command {
    pawl_tester_token token;
    size_t given;
} pawl_tester_command;

typedef struct pawl_witness {
    pawl_tester_text log; /* of the last run over the journal, from the top */
    const pawl_process_table *program;
    /* of the current run */
    pawl_tester_token *waits; /* of the waits for signals, in order */
    size_t wait_count, wait_room;
    pawl_tester_token *tokens;
    size_t token_count, token_room;
    pawl_tester_race *races;
    size_t race_count, race_room;
    pawl_tester_token *undone; /* calls whose place in the order of undoing is their end's */
    size_t undone_count, undone_room;
    pawl_tester_token *given; /* what awaits have given, in order; no signals */
    size_t given_count, given_room;
    pawl_tester_command *commands;
    size_t command_count, command_room;
    /* so much of these lists is of earlier runs, and stays */
    uint32_t run;
    size_t token_base, race_base, undone_base, given_base, command_base;
    uint64_t activations;
} pawl_witness;

/** Watch a program. The table to give to an activation is the same for every witness; it finds its own through
 *  pawl_witness_enter. */
void pawl_witness_init(pawl_witness *witness, const pawl_process_table *program);
void pawl_witness_finish(pawl_witness *witness);
const pawl_process_table *pawl_witness_table(void);
/** From here on the program that runs on this thread is watched by this one; NULL: none runs. Returns the one before.
 */
pawl_witness *pawl_witness_enter(pawl_witness *witness);
/** This run of the process is over: what was seen of it stays, and the next one begins. */
void pawl_witness_next_run(pawl_witness *witness);
/** Was the command issued only after the program had been given this? */
bool pawl_witness_follows(const pawl_witness *witness, pawl_tester_token command, pawl_tester_token given);
/** Could the program of the last run tell which of the two came first? */
bool pawl_witness_tells_apart(const pawl_witness *witness, pawl_tester_token left, pawl_tester_token right);

#endif
