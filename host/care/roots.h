/* roots.h: what plugins see of a host. Every plugin gets a root of its own, so that a log line says who wrote it;
 * all roots of one host answer get_extension alike. Owns the roots and the list of extension ids that were asked for in
 * vain. Never hands out a pointer that ends before the roots do. */
#ifndef PAWL_HOST_ROOTS_H
#define PAWL_HOST_ROOTS_H

#include "worker/base/error.h"
#include "worker/effect/core_table.h"

#include <jansson.h>
#include <pthread.h>

struct pawl_attachment_facet;
typedef struct pawl_root pawl_root;

typedef struct pawl_roots {
    const pawl_clock *clock;
    const pawl_log *log;
    struct pawl_attachment_facet *attachments; /* what pawl.attachments/1 works on; open before the first effect runs */
    pthread_mutex_t lock;                      /* guards first and unknown */
    pawl_root *first;
    json_t *unknown; /* {extension id: [plugin ids]} */
} pawl_roots;

/** A plugin's root. host_data of the pawl_host_root points at it; data comes first, as core_table.h asks. */
struct pawl_root {
    pawl_host_data data;
    pawl_host_root root;
    pawl_roots *owner;
    pawl_root *next;
    char source[];
};

/** Errors: PAWL_E_NOMEM. [loader] */
pawl_status pawl_roots_init(pawl_roots *roots, const pawl_clock *clock, const pawl_log *log, pawl_error *error);
/** Free all roots; nobody may use one any more. [loader] */
void pawl_roots_finish(pawl_roots *roots);

/** A new root for a plugin (or another part that logs). NULL: out of memory. [any] */
const pawl_host_root *pawl_roots_add(pawl_roots *roots, const char *source);

/** Which roots a host root belongs to; NULL when it is not one of ours. [any] */
pawl_roots *pawl_roots_of(const pawl_host_root *root);

/** {extension id: [plugin ids]} that were asked for and are not there; a new object, or NULL. [any] */
json_t *pawl_roots_unknown(pawl_roots *roots);

#endif
