/* world.h: process code under check: "pawl.process-host/1" over a small scripted world. Everything that the program
 * starts comes, one thing after another in the order of its start, one more in each activation; what it asked the host
 * for is written down as lines, so that two activations can be compared. Owns the memory of its activations. One thread
 * per world at a time. */
#ifndef PAWL_HOST_CHECKER_WORLD_H
#define PAWL_HOST_CHECKER_WORLD_H

#include "lab.h"

#define WORLD_ACTIVATIONS_MAX 48u
#define WORLD_LINES_MAX       4096u

/** What things come with. */
typedef enum world_policy {
    WORLD_GOOD = 0,     /* calls succeed, with what their schema or an example says, else {} */
    WORLD_FAILS = 1,    /* calls and children fail */
    WORLD_STRANGE = 2,  /* calls succeed with bytes that are no JSON; updates and signals, too */
    WORLD_CANCELLED = 3 /* the first await that waits is told to stop */
} world_policy;

typedef struct world world;

/** Ready for one process of this type. NULL: out of memory. */
world *lab_world_create(checker_lab *lab, const pawl_manifest_process *type, const char *input, world_policy policy);
void lab_world_free(world *w);

/** What one activation was. */
typedef struct world_run {
    pawl_status status;     /* what activate returned */
    bool suspended;         /* an await said so */
    bool ended;             /* complete, fail or continue_as_new was called */
    bool cancelled;         /* it was told to stop */
    unsigned after_suspend; /* calls of the host after it had to return */
    unsigned invalid;       /* calls that no host allows */
    char after_what[64];    /* the first of them */
    uint64_t took_ns;
    char *trace; /* lines; the run's own, free() it */
} world_run;

/** Activate with the first `reached` things there. */
world_run lab_world_activate(world *w, uint32_t reached);
/** The table that plugins get. */
const pawl_process_host *lab_world_table(void);
/** Calls of the host by process code that no activation runs for. */
unsigned lab_world_strays(void);

#endif
