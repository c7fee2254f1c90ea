/* audit.h: what really happened, counted from the journals and from what the receiving service saw; nothing assumed. */
#ifndef INTAKE_AUDIT_H
#define INTAKE_AUDIT_H

#include "receiver.h"

typedef struct audit {
    size_t processes; /* asked about */
    size_t completed;
    size_t steps;    /* recorded, in all journals */
    size_t lost;     /* not completed, or a step missing, or not known to the receiving service */
    size_t repeated; /* a recorded step that was done again, or recorded twice, or done under another key */
    size_t resent;   /* requests sent again with the same key because a kill came before their record: allowed */
    char first_trouble[300];
} audit;

/** Ask `pawl serve` at this socket for the journal of each id. */
void audit_run(const char *socket, char *const *ids, size_t count, const receiver *r, audit *ret);

#endif
