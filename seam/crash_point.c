/* crash_point.c: see crash_point.h. Compiled into builds with PAWL_CRASH_POINTS alone, which is why it may keep a count
 * of its own. It must never lock, allocate or print in a way that could hide the moment it is there to hit. */
#include "seam/crash_point.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    pthread_once_t once;
    const char *kind; /* NULL: any */
    size_t kind_size;
    unsigned number; /* 0: none */
} chosen = {.once = PTHREAD_ONCE_INIT};

static atomic_uint passed;  /* of all kinds */
static atomic_uint counted; /* of the chosen kind */

/* Once, at the first point: what is chosen stays so, and the environment is not read beside threads again. */
static void choose(void)
{
    const char *text = getenv("PAWL_CRASH_POINT");
    if (text == NULL)
        return;
    const char *colon = strchr(text, ':');
    if (colon != NULL) {
        chosen.kind = text;
        chosen.kind_size = (size_t)(colon - text);
    }
    chosen.number = (unsigned)strtoul(colon == NULL ? text : colon + 1, NULL, 10);
}

void pawl_crash_point(const char *kind)
{
    pthread_once(&chosen.once, choose);
    atomic_fetch_add(&passed, 1u);
    if (chosen.number == 0)
        return;
    bool counts =
        chosen.kind == NULL || (strlen(kind) == chosen.kind_size && strncmp(kind, chosen.kind, chosen.kind_size) == 0);
    if (counts && atomic_fetch_add(&counted, 1u) + 1 == chosen.number)
        _exit(PAWL_CRASH_STATUS);
}

unsigned pawl_crash_points_passed(void)
{
    return atomic_load(&passed);
}
