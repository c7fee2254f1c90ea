/* words.pml: the words of the models: what may happen how often, statuses, records, operations, answers. Included first.
 * Record kinds 2 to 4, and those from 10 on, are those of the model that includes it. */

#ifndef CRASHES
#define CRASHES 1 /* of the store; a worker may outlive it */
#endif
#ifndef EXPIRIES
#define EXPIRIES 1
#endif
#ifndef RELEASES
#define RELEASES 1
#endif
#ifndef FAILURES
#define FAILURES 0 /* of a write */
#endif
#ifndef PARKS
#define PARKS 0
#endif
#ifndef TURNS
#define TURNS 0 /* of the wall clock over the due time, forward or back; 0: the process sets none */
#endif
#ifndef SIGNALS
#define SIGNALS 1
#endif
#ifndef CANCELS
#define CANCELS 1
#endif
#ifndef LOSSES
#define LOSSES 0 /* of events */
#endif
#ifndef FORCED
#define FORCED 0 /* ends from outside */
#endif
#ifndef WITNESS
#define WITNESS 0
#endif

#ifndef ROOM
#define ROOM   10 /* records of a journal */
#endif
#define EPOCH  16 /* token = epoch * EPOCH + counter; in the code epoch << 32 | counter */
#define NOBODY 2

/* statuses (PAWL_READY ...; running is a lease, not a status) */
#define READY   1
#define WAITING 2
#define STUCK   3
#define ENDED   4

/* record kinds */
#define R_STARTED 1
#define R_PARKED  5
#define R_SIGNAL  6
#define R_CANCEL  7
#define R_RESUMED 8
#define R_ENDED   9

/* operations; a post is its record kind */
#define APPEND   11
#define SUSPEND  12
#define COMPLETE 13
#define PARK     14

/* who has an operation: each has at most one under way. Workers are 0 and 1. */
#define SIGNALLER 2
#define CANCELLER 3
#define OPERATOR  4
#define FORCER    5
#define ACTORS    6

/* an operation's way */
#define NONE    0
#define QUEUED  1
#define STAGED  2
#define ANSWERED 3

/* answers */
#define OK       1
#define MORE     2
#define STALE    3
#define TERMINAL 4
#define IO       5 /* the write failed: again */
#define CLOSED   6 /* the store went away */

/* Broken: the property by its name, and Spin stops here. */
#define CHECK(text, condition) if :: (condition) :: else -> printf(text); assert(false) fi
