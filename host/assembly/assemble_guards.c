/* assemble_guards.c: see assemble_guards.h. */
#include "host/assembly/assemble_guards.h"

#include <stdlib.h>
#include <string.h>

static bool make_room(void ***items, size_t count, size_t *room)
{
    if (count < *room)
        return true;
    size_t more = *room == 0 ? 8 : *room * 2;
    void **grown = realloc(*items, more * sizeof *grown);
    if (grown == NULL)
        return false;
    *items = grown;
    *room = more;
    return true;
}

/* Into the set, which owns it from here on. */
static pawl_status keep(pawl_guard_set *set, pawl_guard *guard, pawl_guard **ret)
{
    if (guard == NULL || !make_room((void ***)&set->items, set->count, &set->room)) {
        pawl_guard_destroy(guard);
        return PAWL_E_NOMEM;
    }
    set->items[set->count++] = guard;
    *ret = guard;
    return PAWL_OK;
}

static pawl_status make_rate(pawl_guard_set *set, const char *of, const pawl_profile_guards *from, pawl_guard **ret)
{
    if (from == NULL || !from->rate_limit.written)
        return PAWL_OK;
    uint32_t burst = from->rate_limit.burst == 0 ? from->rate_limit.rate : from->rate_limit.burst;
    return keep(set, pawl_guard_rate(of, pawl_rate_make(from->rate_limit.rate, from->rate_limit.per_ns, burst)), ret);
}

static pawl_status make_circuit(pawl_guard_set *set, const char *of, const pawl_profile_guards *from, pawl_guard **ret)
{
    if (from == NULL || !from->circuit.written)
        return PAWL_OK;
    return keep(set, pawl_guard_circuit(of, &from->circuit.config), ret);
}

/* What waits for a thread has passed its circuit: so that this is not long ago, no more wait there than have to. */
static pawl_status make_places(pawl_guard_set *set, const pawl_profile_connector *connector, uint32_t concurrency,
                               pawl_guard **ret)
{
    uint32_t queue = connector->queue;
    if (queue == PAWL_QUEUE_ANY && connector->guards.circuit.written && concurrency != 0)
        queue = 0;
    if (queue == PAWL_QUEUE_ANY)
        return PAWL_OK;
    return keep(set, pawl_guard_places(connector->name, concurrency + queue), ret);
}

pawl_status pawl_guards_of_instance(pawl_guard_set *set, const pawl_profile_connector *connector, uint32_t concurrency,
                                    pawl_instance_guards *ret)
{
    pawl_status status = make_rate(set, connector->name, &connector->guards, &ret->rate);
    if (status == PAWL_OK)
        status = make_places(set, connector, concurrency, &ret->places);
    if (status == PAWL_OK)
        status = make_circuit(set, connector->name, &connector->guards, &ret->circuit);
    return status;
}

pawl_status pawl_guards_add_middleware(pawl_guard_set *set, const char *name, const char *plugin,
                                       const pawl_middleware_table *table, pawl_middleware *instance)
{
    pawl_guard *made;
    return keep(set, pawl_guard_middleware(name, plugin, table, instance), &made);
}

static pawl_guard *find_middleware(const pawl_guard_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->items[i]->kind == PAWL_GUARD_MIDDLEWARE && strcmp(set->items[i]->of, name) == 0)
            return set->items[i];
    return NULL;
}

static void add(pawl_guards *to, pawl_guard *guard)
{
    for (size_t i = 0; i < to->count; i++)
        if (to->items[i] == guard)
            return;
    if (guard == NULL || to->count == PAWL_GUARDS_MAX)
        return;
    to->items[to->count++] = guard;
}

static void add_by_name(const pawl_guard_set *set, pawl_guards *to, const char *word, const pawl_instance_guards *first,
                        const pawl_instance_guards *second)
{
    const pawl_instance_guards *both[] = {first, second};
    for (size_t i = 0; i < 2; i++) {
        if (strcmp(word, "rate_limit") == 0)
            add(to, both[i]->rate);
        else if (strcmp(word, "concurrency") == 0)
            add(to, both[i]->places);
        else if (strcmp(word, "circuit") == 0)
            add(to, both[i]->circuit);
        else
            add(to, find_middleware(set, word));
    }
}

pawl_status pawl_guards_of_effect(pawl_guard_set *set, const pawl_instance_guards *instance,
                                  const pawl_profile_guards *of_instance, const pawl_profile_effect *over,
                                  bool own_places, const pawl_guards **ret)
{
    static const char *const usual[] = {"rate_limit", "concurrency", "circuit", NULL};
    pawl_instance_guards first = {0}, second = {0};
    pawl_guards made = {0};
    if (instance != NULL)
        first = *instance;
    if (own_places)
        first.places = NULL;
    const pawl_profile_guards *own = over == NULL ? NULL : &over->guards;
    pawl_status status = own == NULL ? PAWL_OK : make_rate(set, over->name, own, &second.rate);
    if (status == PAWL_OK && own != NULL)
        status = make_circuit(set, over->name, own, &second.circuit);
    if (status != PAWL_OK)
        return status;
    const char *const *order = own != NULL && own->order != NULL ? own->order
                               : of_instance == NULL             ? NULL
                                                                 : of_instance->order;
    for (size_t i = 0; order != NULL && order[i] != NULL; i++)
        add_by_name(set, &made, order[i], &first, &second);
    for (size_t i = 0; usual[i] != NULL; i++)
        add_by_name(set, &made, usual[i], &first, &second);
    /* An effect's own order says where; that it is asked at all was said of the instance. */
    order = of_instance == NULL ? NULL : of_instance->order;
    for (size_t i = 0; order != NULL && order[i] != NULL; i++)
        add_by_name(set, &made, order[i], &first, &second);
    *ret = NULL;
    if (made.count == 0)
        return PAWL_OK;
    pawl_guards *kept = malloc(sizeof *kept);
    if (kept == NULL || !make_room((void ***)&set->orders, set->order_count, &set->order_room)) {
        free(kept);
        return PAWL_E_NOMEM;
    }
    *kept = made;
    set->orders[set->order_count++] = kept;
    *ret = kept;
    return PAWL_OK;
}

void pawl_guard_set_finish(pawl_guard_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        pawl_guard_destroy(set->items[i]);
    for (size_t i = 0; i < set->order_count; i++)
        free(set->orders[i]);
    free(set->items);
    free(set->orders);
    *set = (pawl_guard_set){0};
}
