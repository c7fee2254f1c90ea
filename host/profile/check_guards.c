/* check_guards.c: what the members of a profile about guards must be to each other. Looks at the checked struct alone;
 * a member that is wrong by itself has been reported. */
#include "host/profile/read.h"
#include "worker/observe.h"

#include <string.h>

static bool is_guard(const char *word)
{
    return strcmp(word, "rate_limit") == 0 || strcmp(word, "concurrency") == 0 || strcmp(word, "circuit") == 0;
}

/* A name of its own and of the host's, that is: which of the two an order means must be plain. */
static void check_middleware(pawl_profile_reader *r)
{
    const pawl_profile *p = r->profile;
    for (size_t i = 0; i < p->middleware_count; i++)
        if (is_guard(p->middleware[i].name))
            pawl_problems_add(r->problems, p->middleware[i].place, "profile.name",
                              "middleware.%s: this word means something in an order; expected another name",
                              p->middleware[i].name);
    if (p->observer_count > PAWL_OBSERVERS_MAX)
        pawl_problems_add(r->problems, p->observers[PAWL_OBSERVERS_MAX].place, "profile.range",
                          "observers: %zu of them; expected at most %u", p->observer_count, PAWL_OBSERVERS_MAX);
}

static void check_order(pawl_profile_reader *r, const char *section, const char *name,
                        const pawl_profile_guards *guards)
{
    for (size_t i = 0; guards->order != NULL && guards->order[i] != NULL; i++) {
        if (!is_guard(guards->order[i]) && pawl_profile_find_middleware(r->profile, guards->order[i]) == NULL)
            pawl_problems_add(r->problems, guards->order_place, "profile.value",
                              "%s.%.80s.order: \"%.80s\" is none of rate_limit, concurrency and circuit, and no name "
                              "in middleware",
                              section, name, guards->order[i]);
        for (size_t j = 0; j < i; j++)
            if (strcmp(guards->order[i], guards->order[j]) == 0)
                pawl_problems_add(r->problems, guards->order_place, "profile.duplicate",
                                  "%s.%.80s.order: \"%.80s\" stands twice", section, name, guards->order[i]);
    }
}

void pawl_profile_check_guards(pawl_profile_reader *r)
{
    const pawl_profile *p = r->profile;
    check_middleware(r);
    for (size_t i = 0; i < p->connector_count; i++)
        check_order(r, "connectors", p->connectors[i].name, &p->connectors[i].guards);
    for (size_t i = 0; i < p->effect_count; i++)
        check_order(r, "effects", p->effects[i].name, &p->effects[i].guards);
}
