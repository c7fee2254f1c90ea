/* ends_recent.h: the last ends that were told, kept so that a listener whose connection was lost can go on where it
 * was. Owns copies of their lines, bounded in number and bytes; the oldest go first. Says for every position whether
 * all that came behind it is still there. Never locks: whoever owns it does. */
#ifndef PAWL_API_ENDS_RECENT_H
#define PAWL_API_ENDS_RECENT_H

#include <pawl/pawl.h>
#include <stdbool.h>
#include <sys/queue.h>

#define PAWL_RECENT_LINES_MAX 4096u
/** Less than what a listener's buffer holds, so that all of it fits into a new one. */
#define PAWL_RECENT_BYTES_MAX ((size_t)512 * 1024)
/** How long ends are kept when nobody listens. */
#define PAWL_RECENT_IDLE_MS 60000u

/** "<the server's life>-<number>", both of 16 hex digits; with the NUL. */
#define PAWL_POSITION_ROOM 34u

/** One end, as told. Its texts lie behind it in the same block. */
typedef struct pawl_recent_end {
    STAILQ_ENTRY(pawl_recent_end) link;
    uint64_t number;
    size_t line_size; /* with its newline */
    const char *type;
    const char *session;
    const char *id;
    char *line;
} pawl_recent_end;

typedef struct pawl_recent {
    STAILQ_HEAD(, pawl_recent_end) list;
    uint64_t life;     /* names this server among its successors */
    uint64_t number;   /* of the last end */
    uint64_t complete; /* every end behind this number is in the list */
    size_t count;
    size_t bytes;
    bool keeping;
} pawl_recent;

void pawl_recent_init(pawl_recent *recent, uint64_t life);
void pawl_recent_finish(pawl_recent *recent);
/** From now on, or not any more: forgets all. Twice is as once. */
void pawl_recent_keep(pawl_recent *recent, bool keeping);

/** The line of an end, not yet numbered. NULL: out of memory. [any] */
pawl_recent_end *pawl_recent_make(const pawl_end *end);
/** Give it the next number, in its line, too. */
void pawl_recent_number(pawl_recent *recent, pawl_recent_end *made);
/** An end that could not be made a line of: nothing in front of it counts as complete. */
void pawl_recent_lost(pawl_recent *recent);
/** Keep what was numbered; or free it, when it is too large. Takes it over. */
void pawl_recent_add(pawl_recent *recent, pawl_recent_end *numbered);

/** Write the name of a position. */
void pawl_recent_position(const pawl_recent *recent, uint64_t number, char text[PAWL_POSITION_ROOM]);
/** The number of a position. False: nobody knows any more what came behind it; *ret is then where the list begins. */
bool pawl_recent_find(const pawl_recent *recent, const char *position, uint64_t *ret);

#endif
