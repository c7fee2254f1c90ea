/* lab.c: see lab.h. The place and its workers; effects are in lab_effect.c, the view from outside in lab_look.c. */
#include "lab_internal.h"

#include "plugins/memory/memory.h"
#include "plugins/rocksdb/rocksdb.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* ---- time ---- */

uint64_t lab_mono_ns(void)
{
    return pawl_clock_system()->mono_ns(pawl_clock_system());
}

static uint64_t clock_mono(const pawl_clock *clock)
{
    return lab_mono_ns() + atomic_load(&((lab *)(uintptr_t)clock)->advanced_ns);
}

static uint64_t clock_unix(const pawl_clock *clock)
{
    lab *own = (lab *)(uintptr_t)clock;
    return pawl_clock_system()->unix_ns(pawl_clock_system()) + atomic_load(&own->advanced_ns) +
           (uint64_t)atomic_load(&own->wall_ns);
}

static uint64_t worker_mono(const pawl_clock *clock)
{
    lab_clock *of = (lab_clock *)(uintptr_t)clock;
    return clock_mono(&of->own->clock) + atomic_load(&of->mono_ns);
}

static uint64_t worker_unix(const pawl_clock *clock)
{
    lab_clock *of = (lab_clock *)(uintptr_t)clock;
    uint64_t stepped = atomic_load(&of->step_ns) * atomic_fetch_add(&of->looks, 1);
    return clock_unix(&of->own->clock) + (uint64_t)atomic_load(&of->wall_ns) + stepped;
}

uint64_t lab_unix_ns(lab *own)
{
    return clock_unix(&own->clock);
}

uint64_t lab_store_unix_ns(lab *own)
{
    return clock_unix(&own->clock);
}

uint64_t lab_store_mono_ns(lab *own)
{
    return clock_mono(&own->clock);
}

uint64_t lab_order(lab *own)
{
    return atomic_fetch_add(&own->order, 1) + 1;
}

void lab_set_wall(lab *own, int64_t ns)
{
    own->untimed = true;
    atomic_fetch_add(&own->wall_ns, ns);
}

void lab_step(lab_worker *w, uint64_t ns)
{
    w->own->untimed = true;
    atomic_store(&w->clock.looks, 0);
    atomic_store(&w->clock.step_ns, ns);
}

void lab_skew(lab_worker *w, int64_t wall_ns, uint64_t mono_ns)
{
    w->own->untimed = true;
    atomic_store(&w->clock.wall_ns, wall_ns);
    atomic_store(&w->clock.mono_ns, mono_ns);
}

void lab_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void lab_wait(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t ns)
{
    uint64_t due = lab_mono_ns() + ns;
    struct timespec until = {(time_t)(due / PAWL_NS_PER_SECOND), (long)(due % PAWL_NS_PER_SECOND)};
    pthread_cond_timedwait(condition, lock, &until);
}

void lab_nap(void)
{
    nanosleep(&(struct timespec){0, 1000000}, NULL);
}

void lab_advance(lab *own, uint64_t ns)
{
    atomic_fetch_add(&own->advanced_ns, ns);
    own->registry.table.tick(own->registry.store);
}

/* ---- the log ---- */

static void take_line(void *context, uint32_t level, const char *line)
{
    lab *own = context;
    (void)level;
    pthread_mutex_lock(&own->lock);
    size_t room = sizeof own->log_text - own->log_used;
    int used = snprintf(own->log_text + own->log_used, room, "%s\n", line);
    if (used > 0 && (size_t)used < room)
        own->log_used += (size_t)used;
    pthread_mutex_unlock(&own->lock);
}

uint32_t lab_logged_times(lab *own, const char *text)
{
    uint32_t times = 0;
    pthread_mutex_lock(&own->lock);
    for (const char *at = own->log_text; (at = strstr(at, text)) != NULL; at++)
        times++;
    pthread_mutex_unlock(&own->lock);
    return times;
}

bool lab_logged(lab *own, const char *text)
{
    return lab_logged_times(own, text) > 0;
}

const pawl_core *lab_core(void)
{
    return pawl_core_table();
}

const pawl_log *lab_log(lab *own)
{
    return &own->log;
}

const char *lab_log_text(lab *own)
{
    return own->log_text;
}

/* ---- the store ---- */

static const void *PAWL_CALL get_extension(const pawl_host_root *host, const char *id)
{
    (void)host;
    if (strcmp(id, PAWL_EXT_CORE) == 0)
        return pawl_core_table();
    return strcmp(id, PAWL_EXT_REGISTRY_HOST) == 0 ? (const void *)pawl_registry_host_table() : NULL;
}

static void make_root(lab *own, pawl_host_data *data, pawl_host_root *root, const char *source)
{
    *data = (pawl_host_data){&own->clock, &own->log, source};
    *root = (pawl_host_root){.struct_size = sizeof *root,
                             .abi_major = PAWL_ABI_MAJOR,
                             .abi_minor = PAWL_ABI_MINOR,
                             .name = "lab",
                             .version = "1",
                             .host_data = data,
                             .get_extension = get_extension};
}

static void open_store(lab *own)
{
    pawl_failure_slot why;
    pawl_failure_init(&why);
    const pawl_registry_table *table = own->plugin->get_factory(PAWL_FACTORY_REGISTRY);
    assert_non_null(table);
    own->registry.table = *table;
    if (own->storage->open(&own->root, pawl_bytes_text(own->config), &own->registry.store, &why) != PAWL_OK)
        fail_msg("open: %.*s", (int)why.failure.message.size, (const char *)why.failure.message.data);
    pawl_failure_finish(&why);
}

lab *lab_create_with(const char *provider, const char *config_json)
{
    lab *own = calloc(1, sizeof *own);
    assert_non_null(own);
    own->executions = calloc(LAB_EXECUTIONS_MAX, sizeof *own->executions);
    assert_non_null(own->executions);
    own->clock = (pawl_clock){clock_mono, clock_unix};
    own->log = (pawl_log){.level = PAWL_LOG_DEBUG, .line = take_line, .context = own};
    pthread_mutex_init(&own->lock, NULL);
    lab_condition_init(&own->changed);
    bool disk = strcmp(provider, "rocksdb") == 0;
    own->outside = &own->registry;
    own->plugin = disk ? pawl_rocksdb_plugin() : pawl_memory_plugin();
    snprintf(own->config, sizeof own->config, "%s", config_json);
    if (disk) {
        snprintf(own->directory, sizeof own->directory, "/tmp/pawl-lab-XXXXXX");
        assert_non_null(mkdtemp(own->directory));
        snprintf(own->config, sizeof own->config, "{\"path\": \"%s/store\", \"sync\": false%s%s", own->directory,
                 config_json[1] == '}' ? "" : ", ", config_json + 1);
    }
    make_root(own, &own->host_data, &own->root, own->plugin->id);
    pawl_failure_slot why;
    pawl_failure_init(&why);
    assert_int_equal(own->plugin->init(&own->root, pawl_bytes_text("{}"), &why), PAWL_OK);
    pawl_failure_finish(&why);
    own->storage = own->plugin->get_factory(PAWL_FACTORY_STORAGE);
    assert_non_null(own->storage);
    open_store(own);
    return own;
}

lab *lab_create(const char *provider)
{
    return lab_create_with(provider, "{}");
}

void lab_reopen(lab *own)
{
    assert_null(own->workers);
    own->storage->close(own->registry.store);
    open_store(own);
}

static uint64_t bytes_found; /* nftw takes no context; a test has one thread for this */
static int add_size(const char *path, const struct stat *facts, int kind, struct FTW *walk)
{
    (void)path;
    (void)walk;
    bytes_found += kind == FTW_F ? (uint64_t)facts->st_size : 0;
    return 0;
}

uint64_t lab_store_bytes(lab *own)
{
    bytes_found = 0;
    assert_int_equal(nftw(own->directory, add_size, 8, FTW_PHYS), 0);
    return bytes_found;
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *walk)
{
    (void)facts;
    (void)kind;
    (void)walk;
    return remove(path);
}

void lab_end_all(lab *own)
{
    while (own->workers != NULL)
        lab_end(own->workers);
    pthread_mutex_lock(&own->lock);
    uint64_t until = lab_mono_ns() + LAB_PATIENCE_NS;
    while (own->asynchronous > 0 && lab_mono_ns() < until)
        lab_wait(&own->changed, &own->lock, 100 * PAWL_NS_PER_MS);
    assert_int_equal(own->asynchronous, 0);
    pthread_mutex_unlock(&own->lock);
}

void lab_destroy(lab *own)
{
    lab_end_all(own);
    lab_audit(own);
    own->storage->close(own->registry.store);
    own->plugin->deinit(&own->root);
    if (own->directory[0] != '\0')
        (void)nftw(own->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    pthread_cond_destroy(&own->changed);
    pthread_mutex_destroy(&own->lock);
    free(own->executions);
    free(own);
}

/* ---- workers ---- */

void lab_add_type(lab *own, const char *name, uint32_t revision, const pawl_process_table *program)
{
    assert_true(own->type_count < LAB_TYPES_MAX);
    own->types[own->type_count++] = (lab_type){name, revision, program};
}

void lab_forget_types(lab *own)
{
    own->type_count = 0;
}

static void fill_catalog(lab_worker *w)
{
    lab *own = w->own;
    pawl_error error = {0};
    for (size_t i = 0; i < own->type_count; i++) {
        pawl_type type = {.name = own->types[i].name,
                          .revision = own->types[i].revision,
                          .plugin = "lab",
                          .program = own->types[i].program};
        assert_int_equal(pawl_catalog_add_type(w->catalog, &type, &error), PAWL_OK);
    }
    for (size_t i = 0; i < own->effect_count; i++) {
        lab_effect *script = &own->effects[i];
        pawl_effect effect = {
            .name = script->name,
            .plugin = "lab",
            .operation = script->name,
            .connector = lab_effect_table(!script->no_reconcile),
            .instance = (pawl_connector *)(void *)script,
            .bulkhead = pawl_catalog_bulkhead(w->catalog, script->limit),
            .runs = script->runs == 0 ? PAWL_RUNS_POOL : script->runs,
            .outcome = script->outcome == 0 ? PAWL_OUTCOME_IDEMPOTENT : script->outcome,
            .local = script->local,
            .guards = script->guards,
            .gate = script->gate,
            .timeout_ns = script->timeout_ns,
            .deadline_ns = script->deadline_ns,
            .retry = script->retry,
        };
        assert_non_null(effect.bulkhead);
        assert_int_equal(pawl_catalog_add_effect(w->catalog, &effect, &error), PAWL_OK);
    }
}

#define OR(value, otherwise) ((value) != 0 ? (value) : (otherwise))

lab_worker *lab_start(lab *own, const lab_settings *settings)
{
    static const lab_settings none = {0};
    const lab_settings *s = settings == NULL ? &none : settings;
    lab_worker *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->own = own;
    w->store = unruly_create(&own->registry);
    w->catalog = pawl_catalog_create();
    assert_non_null(w->catalog);
    fill_catalog(w);
    make_root(own, &w->host_data, &w->root, "lab");
    w->clock.clock = (pawl_clock){worker_mono, worker_unix};
    w->clock.own = own;
    w->host_data.clock = &w->clock.clock;
    w->index = ++own->worker_count;
    unruly_observe(w->store, own->observer, w->index);
    snprintf(w->name, sizeof w->name, "%s-%u", s->name == NULL ? "worker" : s->name, w->index);
    pawl_worker_config config = {
        .name = w->name,
        .registry = unruly_registry(w->store),
        .catalog = w->catalog,
        .host = &w->root,
        .clock = &w->clock.clock,
        .log = &own->log,
        .shards = OR(s->shards, 2),
        .effect_threads = OR(s->effect_threads, 4),
        .resident_max = OR(s->resident_max, 1000),
        .effects_queued_max = OR(s->effects_queued_max, 1000),
        .lease_ttl_ns = OR(s->lease_ttl_ns, 60 * PAWL_NS_PER_SECOND),
        .heartbeat_ns = OR(s->heartbeat_ns, 50 * PAWL_NS_PER_MS),
        .cancel_grace_ns = OR(s->cancel_grace_ns, 600 * PAWL_NS_PER_SECOND),
        .activation_warn_ns = OR(s->activation_warn_ns, 10 * PAWL_NS_PER_SECOND),
        .value_bytes_max = OR(s->value_bytes_max, 65536),
        .journal_warn_bytes = OR(s->journal_warn_bytes, 1u << 30),
        .journal_max_bytes = OR(s->journal_max_bytes, 1u << 30),
        .observers = s->observers,
    };
    pawl_error error = {0};
    if (pawl_worker_start(&config, &w->worker, &error) != PAWL_OK)
        fail_msg("worker: %s", error.message);
    w->next = own->workers;
    own->workers = w;
    return w;
}

void lab_stop(lab_worker *w, uint32_t mode, uint64_t within_ns)
{
    pawl_worker_stop(w->worker, mode, worker_mono(&w->clock.clock) + within_ns);
}

void lab_end(lab_worker *w)
{
    lab *own = w->own;
    unruly_let_go(w->store);
    pawl_worker_stop(w->worker, 3, worker_mono(&w->clock.clock) + LAB_PATIENCE_NS);
    for (size_t i = 0; i < own->effect_count; i++)
        lab_let_go(&own->effects[i]);
    pawl_worker_destroy(w->worker);
    if (lab_logged(own, "abandoned"))
        fail_msg("a worker could not end:\n%s", own->log_text);
    unruly_destroy(w->store);
    pawl_catalog_destroy(w->catalog);
    lab_worker **link = &own->workers;
    while (*link != w)
        link = &(*link)->next;
    *link = w->next;
    free(w);
}

void lab_abandon(lab_worker *w)
{
    pawl_worker_destroy(w->worker);
    lab_worker **link = &w->own->workers;
    while (*link != w)
        link = &(*link)->next;
    *link = w->next;
}

uint32_t lab_stop_mode(lab_worker *w)
{
    pawl_worker_stats s;
    pawl_worker_get_stats(w->worker, &s);
    return s.stop_mode;
}

void lab_crash(lab_worker *w)
{
    lab_lock(w->own);
    w->crashed = true;
    lab_unlock(w->own);
    unruly_cut(w->store);
}

unruly *lab_store(lab_worker *w)
{
    return w->store;
}

uint32_t lab_index(const lab_worker *w)
{
    return w->index;
}

void lab_observe(lab *own, const unruly_observer *observer)
{
    own->observer = observer;
}

void lab_judge_no_times(lab *own)
{
    own->untimed = true;
}

pawl_registry *lab_registry(lab *own)
{
    return &own->registry;
}

void lab_go_through(lab *own, pawl_registry *outside)
{
    own->outside = outside == NULL ? &own->registry : outside;
}

lab_numbers lab_stats(lab_worker *w)
{
    pawl_worker_stats s;
    pawl_worker_get_stats(w->worker, &s);
    return (lab_numbers){s.claimed,     s.activations, s.steps,           s.retries,       s.commits,
                         s.lost_leases, s.resident,    s.effects_running, s.effects_queued};
}

void lab_look_again(lab_worker *w)
{
    pawl_worker_look_again(w->worker);
}

bool lab_explain(lab_worker *w, const char *id, char *text, size_t room)
{
    return pawl_worker_explain(w->worker, lab_look(w->own, id).number, text, room);
}
