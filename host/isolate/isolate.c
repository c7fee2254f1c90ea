/* isolate.c: the thread that listens to all isolated plugins of a host, and the life of each: see isolate.h. What is
 * due (starts, time limits, CPU time) is looked at after every event, and when the next of it is. */
#include "isolate_internal.h"

#include "host/loader/program.h"
#include "host/loader/refuse.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX        64
#define CLOSE_PATIENCE_MS 100

uint64_t pawl_isolate_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

void pawl_isolate_wake(pawl_isolation *isolation)
{
    uint64_t one = 1;
    /* It can only fail when the counter is full, and then it is readable already. */
    ssize_t written = write(isolation->wake, &one, sizeof one);
    (void)written;
}

static void sooner(uint64_t *next, uint64_t due)
{
    if (due < *next)
        *next = due;
}

/* ---- the end of a process ---- */

static void log_fall(const guest *g, bool rapid)
{
    const pawl_isolated *plugin = g->plugin;
    char deaths[32];
    snprintf(deaths, sizeof deaths, "%u", g->rapid);
    pawl_log_write(plugin->isolation->config.log, PAWL_LOG_WARN, "the process of an isolated plugin has ended",
                   "plugin", plugin->request.manifest->id, "how", g->why, "stage", g->stage,
                   rapid ? "rapid_deaths" : "deaths", deaths, (char *)NULL);
}

static void set_back_off(guest *g, uint64_t now)
{
    uint64_t delay = 0;
    if (g->rapid >= 2) {
        uint32_t doubled = g->rapid - 2 < 20 ? g->rapid - 2 : 20;
        delay = ISOLATE_BACK_OFF_NS << doubled;
    }
    g->due_mono_ns = now + (delay < ISOLATE_BACK_OFF_MAX ? delay : ISOLATE_BACK_OFF_MAX);
}

/* As a probe would refuse it. */
static void fail_opening(guest *g)
{
    pawl_isolated *plugin = g->plugin;
    if (!plugin->opening || plugin->failed)
        return;
    plugin->failed = true;
    const char *code = strcmp(g->code, "plugin.hung") == 0    ? "loader.probe_hang"
                       : strstr(g->why, "by signal ") != NULL ? "loader.probe_crash"
                                                              : "loader.probe_exit";
    (void)pawl_loader_refuse(&plugin->error, code, plugin->request.subject,
                             "runs in a process of its own, which %s in: %s", g->why,
                             g->stage[0] == '\0' ? "its start" : g->stage);
}

/* Locked; what is given back is to be told. */
static isolated_call *fall(guest *g)
{
    pawl_isolated *plugin = g->plugin;
    guest_state was = g->state;
    uint64_t now = pawl_isolate_now();
    bool expected = was == GUEST_STOPPING || plugin->ending;
    bool rapid = now - g->began_mono_ns < ISOLATE_RAPID_NS || was == GUEST_STARTING || was == GUEST_CREATING;
    if (g->pid != 0)
        pawl_guest_collect(g);
    g->state = GUEST_DOWN;
    if (!expected) {
        plugin->deaths++;
        g->rapid = rapid ? g->rapid + 1 : 1;
        fail_opening(g);
        log_fall(g, rapid);
    }
    set_back_off(g, now);
    isolated_call *list = pawl_isolated_fell(g);
    pthread_cond_broadcast(&plugin->changed);
    return list;
}

static void lose(guest *g)
{
    pawl_isolated *plugin = g->plugin;
    pthread_mutex_lock(&plugin->lock);
    isolated_call *list = fall(g);
    pthread_mutex_unlock(&plugin->lock);
    pawl_isolated_tell_fallen(plugin, list, g);
}

/* ---- what is due ---- */

static void look_at_cpu(guest *g, uint64_t now)
{
    uint64_t most = g->plugin->request.profile->limits.cpu_ns;
    uint64_t used = pawl_guest_cpu_ns(g);
    if (g->has_ended_one)
        g->cpu_mark_ns = used;
    g->has_ended_one = false;
    g->look_mono_ns = now + (g->running > 0 ? ISOLATE_LOOK_BUSY_NS : ISOLATE_LOOK_IDLE_NS);
    if (most != 0 && used > g->cpu_mark_ns && used - g->cpu_mark_ns > most)
        pawl_guest_kill(g, "plugin.cpu_limit", "used %llu ms of CPU time without ending a call, and was killed",
                        (unsigned long long)((used - g->cpu_mark_ns) / 1000000));
}

/* Locked. True: it could not be started. */
static bool tend_guest(guest *g, uint64_t now, uint64_t *next)
{
    pawl_isolated *plugin = g->plugin;
    switch (g->state) {
    case GUEST_DOWN:
        if (plugin->ending || plugin->failed)
            return false;
        if (g->due_mono_ns <= now) {
            pawl_guest_start(g);
            if (g->state == GUEST_DOWN)
                return true;
        }
        break;
    case GUEST_READY:
        if (plugin->ending) {
            pawl_wire_bare(&plugin->scratch, WIRE_STOP, 0, (pawl_bytes){"", 0});
            pawl_guest_send(g, (pawl_bytes){"", 0});
            g->state = g->state == GUEST_READY ? GUEST_STOPPING : g->state;
            g->due_mono_ns = now + ISOLATE_STOP_NS;
        } else {
            if (g->look_mono_ns <= now)
                look_at_cpu(g, now);
            sooner(next, g->look_mono_ns);
            return false;
        }
        break;
    case GUEST_STARTING:
    case GUEST_CREATING:
    case GUEST_STOPPING:
        if (plugin->ending && g->state != GUEST_STOPPING)
            pawl_guest_kill(g, "", NULL);
        else if (g->due_mono_ns <= now)
            pawl_guest_kill(g, "plugin.hung", "was not through within %llu s, and was killed",
                            (unsigned long long)((now - g->began_mono_ns) / 1000000000));
        break;
    default:
        return false;
    }
    sooner(next, g->due_mono_ns);
    return false;
}

/* True: it is over. */
static bool tend(pawl_isolated *plugin, uint64_t now, uint64_t *next)
{
    bool over = true;
    pthread_mutex_lock(&plugin->lock);
    sooner(next, pawl_isolated_stop_late(plugin, now));
    for (uint32_t i = 0; i < plugin->guest_count; i++) {
        guest *g = &plugin->guests[i];
        bool unstarted = tend_guest(g, now, next);
        if (unstarted) {
            isolated_call *list = fall(g);
            pthread_mutex_unlock(&plugin->lock);
            pawl_isolated_tell_fallen(plugin, list, g);
            pthread_mutex_lock(&plugin->lock);
            sooner(next, g->due_mono_ns);
        }
        over = over && g->state == GUEST_DOWN;
    }
    over = over && plugin->ending;
    pthread_mutex_unlock(&plugin->lock);
    return over;
}

static void let_go(pawl_isolation *isolation, pawl_isolated *plugin)
{
    pthread_mutex_lock(&isolation->lock);
    pawl_isolated **link = &isolation->plugins;
    while (*link != plugin)
        link = &(*link)->next;
    *link = plugin->next;
    pthread_mutex_unlock(&isolation->lock);
    pthread_mutex_lock(&plugin->lock);
    plugin->gone = true;
    pthread_cond_broadcast(&plugin->changed);
    pthread_mutex_unlock(&plugin->lock); /* and it is the closer's */
}

/* ---- listening ---- */

/* It has closed its end: it is ending, which takes a moment, or it is not and must. */
static void hear_close(guest *g)
{
    struct pollfd end = {.fd = g->end, .events = POLLIN};
    g->deaf = true;
    (void)epoll_ctl(g->plugin->isolation->poll, EPOLL_CTL_DEL, g->socket, NULL);
    if (poll(&end, 1, CLOSE_PATIENCE_MS) == 1)
        return; /* the next event */
    pthread_mutex_lock(&g->plugin->lock);
    pawl_guest_kill(g, "plugin.protocol", "closed its connection to the host, and was killed");
    pthread_mutex_unlock(&g->plugin->lock);
}

static void hear_event(const struct epoll_event *event)
{
    const guest_watch *watch = event->data.ptr;
    guest *g = watch->guest;
    if (g->pid == 0)
        return; /* of one that has ended since */
    if (watch->is_end) {
        while (!g->deaf && pawl_guest_read(g)) { /* what it said last counts */
            char one;
            if (recv(g->socket, &one, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
                break;
        }
        lose(g);
        return;
    }
    if ((event->events & EPOLLOUT) != 0) {
        pthread_mutex_lock(&g->plugin->lock);
        pawl_guest_flush(g);
        pthread_mutex_unlock(&g->plugin->lock);
    }
    if ((event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !pawl_guest_read(g) && !g->deaf) {
        hear_close(g);
    }
}

static int milliseconds_until(uint64_t next)
{
    uint64_t now = pawl_isolate_now();
    if (next == UINT64_MAX)
        return -1;
    if (next <= now)
        return 0;
    uint64_t left = (next - now) / 1000000 + 1;
    return left < 60000 ? (int)left : 60000;
}

static void *listen_to_all(void *argument)
{
    pawl_isolation *isolation = argument;
    struct epoll_event events[EVENTS_MAX];
    for (;;) {
        uint64_t next = UINT64_MAX, now = pawl_isolate_now();
        pthread_mutex_lock(&isolation->lock);
        pawl_isolated *plugin = isolation->plugins;
        bool stopping = isolation->stopping;
        pthread_mutex_unlock(&isolation->lock);
        for (pawl_isolated *following; plugin != NULL; plugin = following) {
            following = plugin->next; /* only this thread takes one out */
            if (tend(plugin, now, &next))
                let_go(isolation, plugin);
        }
        if (stopping)
            return NULL;
        int count = epoll_wait(isolation->poll, events, EVENTS_MAX, milliseconds_until(next));
        for (int i = 0; i < count; i++) {
            uint64_t woken;
            if (events[i].data.ptr != NULL)
                hear_event(&events[i]);
            else
                (void)!read(isolation->wake, &woken, sizeof woken);
        }
    }
}

/* ---- the isolation of a host ---- */

static pawl_status start_listening(pawl_isolation *isolation, pawl_error *error)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    isolation->poll = epoll_create1(EPOLL_CLOEXEC);
    isolation->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int failed = isolation->poll < 0 || isolation->wake < 0 ||
                         epoll_ctl(isolation->poll, EPOLL_CTL_ADD, isolation->wake, &event) != 0
                     ? errno
                     : 0;
    if (failed == 0)
        failed = pthread_create(&isolation->listener, NULL, listen_to_all, isolation);
    if (failed == 0)
        return PAWL_OK;
    return pawl_error_set(error, PAWL_E_IO, "isolation.start", "isolated plugins cannot be listened to: %s",
                          strerror(failed));
}

static void forget(pawl_isolation *isolation)
{
    if (isolation->poll >= 0)
        close(isolation->poll);
    if (isolation->wake >= 0)
        close(isolation->wake);
    pthread_mutex_destroy(&isolation->lock);
    free(isolation);
}

pawl_status pawl_isolation_create(const pawl_isolation_config *config, pawl_isolation **ret, pawl_error *error)
{
    pawl_isolation *isolation = calloc(1, sizeof *isolation);
    if (isolation == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for isolated plugins");
    isolation->config = *config;
    isolation->poll = isolation->wake = -1;
    pthread_mutex_init(&isolation->lock, NULL);
    pawl_status status = pawl_loader_find_program("pawl-plugin-host", config->program, "isolated plugins",
                                                  isolation->program, sizeof isolation->program, error);
    if (status == PAWL_OK)
        status = start_listening(isolation, error);
    if (status == PAWL_OK)
        *ret = isolation;
    else
        forget(isolation);
    return status;
}

pawl_isolation *pawl_isolation_destroy(pawl_isolation *isolation)
{
    if (isolation == NULL)
        return NULL;
    pthread_mutex_lock(&isolation->lock);
    isolation->stopping = true;
    pthread_mutex_unlock(&isolation->lock);
    pawl_isolate_wake(isolation);
    pthread_join(isolation->listener, NULL);
    forget(isolation);
    return NULL;
}

void pawl_isolation_abort(pawl_isolation *isolation)
{
    if (isolation == NULL)
        return;
    pthread_mutex_lock(&isolation->lock);
    for (pawl_isolated *plugin = isolation->plugins; plugin != NULL; plugin = plugin->next) {
        pthread_mutex_lock(&plugin->lock);
        for (uint32_t i = 0; i < plugin->guest_count; i++)
            if (plugin->guests[i].running > 0)
                pawl_guest_kill(&plugin->guests[i], "plugin.hung", "had not ended a call when the host stopped");
        pthread_mutex_unlock(&plugin->lock);
    }
    pthread_mutex_unlock(&isolation->lock);
}

/* ---- a plugin ---- */

static pawl_status find_user(pawl_isolated *plugin, pawl_error *error)
{
    const char *name = plugin->request.profile->limits.user;
    char room[4096];
    struct passwd entry, *found = NULL;
    if (name == NULL)
        return PAWL_OK;
    if (geteuid() != 0)
        return pawl_error_set(error, PAWL_E_UNSUPPORTED, "isolation.user",
                              "%s: limits.user is \"%s\", and only root can run a plugin as another user; this host is "
                              "user %u. Leave limits.user out, or start the host as root",
                              plugin->request.subject, name, (unsigned)geteuid());
    if (getpwnam_r(name, &entry, room, sizeof room, &found) != 0 || found == NULL)
        return pawl_error_set(error, PAWL_E_NOT_FOUND, "isolation.user",
                              "%s: limits.user is \"%s\", and this machine has no such user", plugin->request.subject,
                              name);
    plugin->change_user = true;
    plugin->uid = (uint32_t)found->pw_uid;
    plugin->gid = (uint32_t)found->pw_gid;
    return PAWL_OK;
}

/* Until all its processes serve, or one has failed. */
static pawl_status await_ready(pawl_isolated *plugin, pawl_error *error)
{
    pthread_mutex_lock(&plugin->lock);
    bool ready = false;
    while (!ready && !plugin->failed) {
        ready = true;
        for (uint32_t i = 0; i < plugin->guest_count; i++)
            ready = ready && plugin->guests[i].state == GUEST_READY;
        if (!ready)
            pthread_cond_wait(&plugin->changed, &plugin->lock);
    }
    plugin->opening = false;
    pawl_status status = plugin->failed ? plugin->error.status : PAWL_OK;
    if (plugin->failed && error != NULL)
        *error = plugin->error;
    pthread_mutex_unlock(&plugin->lock);
    return status;
}

static pawl_isolated *create(pawl_isolation *isolation, const pawl_isolated_request *request)
{
    pawl_isolated *plugin = calloc(1, sizeof *plugin);
    if (plugin == NULL)
        return NULL;
    plugin->isolation = isolation;
    plugin->request = *request;
    plugin->opening = true;
    plugin->stop_look_mono_ns = UINT64_MAX;
    plugin->guest_count = request->profile->limits.workers;
    plugin->guests = calloc(plugin->guest_count, sizeof *plugin->guests);
    plugin->instances = calloc(1, sizeof(pawl_connector *));
    pthread_mutex_init(&plugin->lock, NULL);
    pthread_cond_init(&plugin->changed, NULL);
    pawl_sink_init(&plugin->scratch, SIZE_MAX);
    plugin->effects = (pawl_connector){.plugin = plugin, .number = WIRE_EFFECTS};
    if (plugin->instances != NULL) {
        plugin->instances[0] = &plugin->effects;
        plugin->instance_count = 1;
    }
    for (uint32_t i = 0; plugin->guests != NULL && i < plugin->guest_count; i++) {
        guest *g = &plugin->guests[i];
        g->plugin = plugin;
        g->socket_watch = (guest_watch){g, false};
        g->end_watch = (guest_watch){g, true};
        g->socket = g->end = -1;
    }
    return plugin;
}

static void destroy(pawl_isolated *plugin)
{
    for (uint32_t i = 1; i < plugin->instance_count; i++)
        free(plugin->instances[i]);
    free(plugin->instances);
    free(plugin->guests);
    free(plugin->slots);
    free(plugin->free_slots);
    pawl_sink_finish(&plugin->scratch);
    pthread_cond_destroy(&plugin->changed);
    pthread_mutex_destroy(&plugin->lock);
    free(plugin);
}

pawl_status pawl_isolated_open(pawl_isolation *isolation, const pawl_isolated_request *request, pawl_isolated **ret,
                               pawl_error *error)
{
    pawl_isolated *plugin = create(isolation, request);
    if (plugin == NULL || plugin->guests == NULL || plugin->instances == NULL) {
        if (plugin != NULL)
            destroy(plugin);
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for an isolated plugin");
    }
    pawl_status status = find_user(plugin, error);
    if (status != PAWL_OK) {
        destroy(plugin);
        return status;
    }
    pthread_mutex_lock(&isolation->lock);
    plugin->next = isolation->plugins;
    isolation->plugins = plugin;
    pthread_mutex_unlock(&isolation->lock);
    pawl_isolate_wake(isolation);
    status = await_ready(plugin, error);
    if (status == PAWL_OK)
        *ret = plugin;
    else
        (void)pawl_isolated_close(plugin);
    return status;
}

pawl_isolated *pawl_isolated_close(pawl_isolated *plugin)
{
    if (plugin == NULL)
        return NULL;
    pawl_isolation *isolation = plugin->isolation;
    pthread_mutex_lock(&plugin->lock);
    plugin->ending = true;
    pthread_mutex_unlock(&plugin->lock);
    pawl_isolate_wake(isolation);
    pthread_mutex_lock(&plugin->lock);
    while (!plugin->gone)
        pthread_cond_wait(&plugin->changed, &plugin->lock);
    pthread_mutex_unlock(&plugin->lock);
    pawl_relay_stop(plugin);
    destroy(plugin);
    return NULL;
}

uint32_t pawl_isolated_threads(const pawl_isolated *plugin)
{
    return plugin->isolation->config.threads * plugin->guest_count;
}

pawl_connector *pawl_isolated_effects(pawl_isolated *plugin)
{
    return &plugin->effects;
}

static pawl_connector *add_instance(pawl_isolated *plugin, const char *name, const json_t *config)
{
    pawl_connector *made = calloc(1, sizeof *made);
    pawl_connector **grown =
        made == NULL ? NULL : realloc(plugin->instances, (plugin->instance_count + 1) * sizeof *grown);
    if (grown == NULL) {
        free(made);
        return NULL;
    }
    plugin->instances = grown;
    *made = (pawl_connector){.plugin = plugin, .number = plugin->instance_count, .name = name, .config = config};
    grown[plugin->instance_count++] = made;
    return made;
}

pawl_status pawl_isolated_instance(pawl_isolated *plugin, const char *name, const json_t *config, pawl_connector **ret,
                                   pawl_error *error)
{
    pthread_mutex_lock(&plugin->lock);
    pawl_connector *made = add_instance(plugin, name, config);
    plugin->opening = true;
    for (uint32_t i = 0; made != NULL && i < plugin->guest_count; i++)
        if (plugin->guests[i].state == GUEST_READY) {
            plugin->guests[i].due_mono_ns = pawl_isolate_now() + ISOLATE_START_NS;
            pawl_guest_welcome(&plugin->guests[i]);
        }
    pthread_mutex_unlock(&plugin->lock);
    if (made == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for an isolated plugin");
    pawl_isolate_wake(plugin->isolation);
    pawl_status status = await_ready(plugin, error);
    if (status == PAWL_OK)
        *ret = made;
    return status;
}
