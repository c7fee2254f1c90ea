/* lab_internal.h: what the parts of the lab share. Nobody else includes it. */
#ifndef PAWL_TEST_LAB_INTERNAL_H
#define PAWL_TEST_LAB_INTERNAL_H

#include "lab.h"
#include "worker/effect/core_table.h"
#include "worker/worker.h"

#include <stdatomic.h>

#define LAB_EFFECTS_MAX    16
#define LAB_TYPES_MAX      16
#define LAB_EXECUTIONS_MAX 65536
#define LAB_LOG_MAX        262144

typedef struct lab_type {
    const char *name;
    uint32_t revision;
    const pawl_process_table *program;
} lab_type;

/* The lab's time, as a worker sees it. */
typedef struct lab_clock {
    pawl_clock clock; /* first: a clock is its lab_clock */
    lab *own;
    atomic_int_fast64_t wall_ns;  /* how far it shows another time of day than the store's */
    atomic_uint_fast64_t mono_ns; /* how far its monotonic clock ran ahead */
    atomic_uint_fast64_t step_ns; /* how far its time of day goes on with each look at it */
    atomic_uint_fast64_t looks;
} lab_clock;

struct lab_worker {
    lab *own;
    lab_clock clock;
    pawl_worker *worker;
    unruly *store;
    pawl_catalog *catalog;
    pawl_host_data host_data;
    pawl_host_root root;
    char name[32];
    uint32_t index; /* 1 and up, of this lab */
    bool crashed;   /* under the lab's lock: what it still executes never happened */
    lab_worker *next;
};

struct lab {
    pawl_clock clock; /* first: a clock is its lab */
    atomic_uint_fast64_t advanced_ns;
    atomic_int_fast64_t wall_ns; /* how far the time of day was set, forward and back */
    atomic_uint_fast64_t order;
    bool untimed; /* the audit compares no times */
    const unruly_observer *observer;
    pawl_registry *outside;      /* what registrations and posts go through */
    atomic_uint_fast64_t posted; /* sequence of the last post */
    char directory[64];          /* "" for memory */
    char config[256];
    const pawl_plugin_root *plugin;
    pawl_host_data host_data;
    pawl_host_root root; /* the store's */
    const pawl_storage_table *storage;
    pawl_registry registry; /* the real one */
    pawl_log log;
    lab_type types[LAB_TYPES_MAX];
    size_t type_count;
    lab_worker *workers;
    uint32_t worker_count;

    pthread_mutex_t lock; /* guards all below, and the scripts of effects */
    pthread_cond_t changed;
    lab_effect effects[LAB_EFFECTS_MAX];
    size_t effect_count;
    lab_execution *executions;
    size_t execution_count;
    uint32_t asynchronous; /* threads of asynchronous effects */
    char log_text[LAB_LOG_MAX];
    size_t log_used;
    char journal_text[LAB_LOG_MAX];
};

/** What a lab effect is to a catalog. */
const pawl_connector_table *lab_effect_table(bool with_reconcile);
uint64_t lab_unix_ns(lab *own);
/** Every promise that can be checked from journals and executions. Asserts. */
void lab_audit(lab *own);

#endif
