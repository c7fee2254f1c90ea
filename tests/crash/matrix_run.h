/* matrix_run.h: one life of a program in the crash matrix: opens a host in a directory, brings the scenario to its end
 * and writes down what is then there; or dies at the crash point it is armed with. Runs in a child of the test. */
#ifndef CRASH_MATRIX_RUN_H
#define CRASH_MATRIX_RUN_H

#include <stdbool.h>
#include <stddef.h>

typedef enum poke {
    POKE_NOTHING,
    POKE_UPDATE, /* ask it, and insist on one answer */
    POKE_SIGNAL,
    POKE_CANCEL,
    POKE_CANCEL_HELD,
    POKE_COMPLETE,
    POKE_PAUSE /* pause it, insist that it stands still, tell it to go on, and let it */
} poke;

typedef struct scene {
    const char *id;
    const char *plan;     /* NULL: an external process */
    poke poke;            /* what is told to it, when it waits or holds */
    bool any_order;       /* steps run side by side, so their records may come in any order */
    bool outcome_alone;   /* whether a step was cut off is a race; only how it ended is the same */
    const char *session;  /* the one it belongs to, or NULL */
    unsigned deadline_ms; /* after its first start; 0: none */
} scene;

extern const scene matrix_scenes[];
extern const size_t matrix_scene_count;

#define MATRIX_DONE 0 /* DIRECTORY/state holds the end; PAWL_CRASH_STATUS is the other good way to end */

/** Run it, in a child: point is where it dies ("17", "store-after:3"; NULL: nowhere). Returns the exit status of the
 *  child, or minus the signal that ended it; it is ended when it takes more than two minutes.
 *  Files in the directory: `data` the store, `effects` (matrix_plugin.h), `told` what was acknowledged, `state` the
 *  end: [{"process", "records"}] in the order of the scenes, `points` how many points the life has passed. */
int matrix_live(const char *directory, const char *point);
/** Points that the last life passed to its end. */
unsigned matrix_points(const char *directory);

#endif
