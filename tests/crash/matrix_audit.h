/* matrix_audit.h: judges what the lives of one run have left: the end state against the one of a run that nothing cut,
 * and the effects' own log against the journals. It believes neither side and looks into nothing else. */
#ifndef CRASH_MATRIX_AUDIT_H
#define CRASH_MATRIX_AUDIT_H

#include <stddef.h>

/** The end state of DIRECTORY/state, as text that is the same for every run: times, nonces and digests of inputs left
 *  out, "in doubt" of an at_most_once step taken for its result, the intents and further tries of a reconcile step left
 *  out. The caller frees it; NULL: not there. */
char *matrix_end_state(const char *directory);

typedef struct matrix_audit {
    unsigned steps;    /* recorded */
    unsigned begun;    /* executions */
    unsigned repeated; /* executions of one attempt beyond its first */
    unsigned asked;    /* reconcile */
    unsigned in_doubt;
    char trouble[400]; /* the first thing that may never be; empty: nothing */
} matrix_audit;

/** What may never be:
 *   - a journal with a gap, without `started` first and one `ended` last
 *   - an execution that begins after its step was recorded (I1)
 *   - an execution that builds on a result that is not the recorded one, or before that was recorded (I1)
 *   - a recorded result that no execution has given, or an execution that no journal knows
 *   - two keys for a step, or one key for two
 *   - at_most_once begun twice; reconcile begun after the deed (it can tell)
 *   - more executions of a step than attempts and crashes explain, or more doubts than crashes */
matrix_audit matrix_judge(const char *directory, unsigned crashes);

#endif
