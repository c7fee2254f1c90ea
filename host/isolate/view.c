/* view.c: how isolated plugins are, for people. */
#include "isolate_internal.h"

static const char *state_name(guest_state state)
{
    static const char *const names[] = {"down", "starting", "starting", "running", "stopping", "ending"};
    return names[state];
}

static json_t *view_guest(const guest *g, uint64_t now)
{
    json_t *json = json_pack("{s:s, s:I, s:I}", "state", state_name(g->state), "running", (json_int_t)g->running,
                             "rapid_deaths", (json_int_t)g->rapid);
    if (json == NULL)
        return NULL;
    if (g->pid != 0)
        (void)json_object_set_new(json, "pid", json_integer(g->pid));
    if (g->state == GUEST_DOWN && g->due_mono_ns > now)
        (void)json_object_set_new(json, "starts_in_ms", json_integer((json_int_t)((g->due_mono_ns - now) / 1000000)));
    if (g->why[0] != '\0')
        (void)json_object_set_new(json, "last_end", json_string(g->why));
    return json;
}

json_t *pawl_isolated_view(pawl_isolated *plugin)
{
    uint64_t now = pawl_isolate_now();
    pthread_mutex_lock(&plugin->lock);
    json_t *workers = json_array();
    for (uint32_t i = 0; i < plugin->guest_count; i++)
        (void)json_array_append_new(workers, view_guest(&plugin->guests[i], now));
    json_t *json = json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:o}", "mode", "process", "available",
                             (int)!pawl_isolated_is_unavailable(plugin), "calls", (json_int_t)plugin->calls_total,
                             "waiting", (json_int_t)plugin->pending_count, "starts", (json_int_t)plugin->starts,
                             "deaths", (json_int_t)plugin->deaths, "workers", workers);
    pthread_mutex_unlock(&plugin->lock);
    return json;
}
