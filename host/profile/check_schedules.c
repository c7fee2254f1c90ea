/* check_schedules.c: the schedules of a profile: what host/schedule would refuse is told here, with its place. Whether
 * the process types exist is seen later, when the plugins are known. */
#include "host/profile/read.h"
#include "host/schedule/spec.h"

#include <string.h>

/* Where the mistake stands: the element, the member, or the name when a member is missing. */
static pawl_place place_of(const pawl_tree_node *written, const pawl_schedule_place *wrong, pawl_place name)
{
    const pawl_tree_entry *member = written == NULL ? NULL : pawl_tree_find(written, wrong->member);
    if (member == NULL)
        return name;
    const pawl_tree_node *value = member->value;
    if (wrong->element >= 0 && value->kind == PAWL_TREE_LIST && (size_t)wrong->element < value->count)
        return value->entries[wrong->element].value->place;
    return value->place;
}

void pawl_profile_check_schedules(pawl_profile_reader *r)
{
    const pawl_tree_node *all = pawl_tree_get(r->root, "schedules");
    for (size_t i = 0; i < r->profile->schedule_count; i++) {
        pawl_profile_schedule *own = &r->profile->schedules[i];
        const pawl_tree_node *written = pawl_tree_get(all, own->name);
        pawl_schedule_spec spec;
        pawl_schedule_place wrong;
        pawl_error error = {0};
        if (written == NULL || written->kind != PAWL_TREE_MAPPING || own->spec == NULL)
            continue; /* told already */
        pawl_status status = pawl_schedule_spec_read(own->name, own->spec, &spec, &wrong, &error);
        if (status == PAWL_OK) {
            const pawl_tree_node *type = pawl_tree_get(written, "type");
            own->type_place = type == NULL ? own->place : type->place;
            pawl_schedule_spec_finish(&spec);
        } else if (status == PAWL_E_NOMEM) {
            (void)pawl_profile_memory_keep(r->memory, NULL);
        } else {
            pawl_problems_add(r->problems, place_of(written, &wrong, own->place), "profile.schedule",
                              "schedules.%.80s.%s", own->name, error.message);
        }
    }
}
