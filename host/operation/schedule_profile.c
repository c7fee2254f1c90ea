/* schedule_profile.c: the schedules of the profile, made so when the host opens: created, replaced where they
 * differ, left alone where they do not. One that is in the store and no more in the profile is told of and goes on: a
 * slip in a file must not end what somebody relies on. */
#include "host/operation/schedule.h"

#include "host/view/view.h"

#include <string.h>

#define PAGE_ROWS 100u

static pawl_status apply_one(pawl_host *host, const pawl_profile_schedule *own, pawl_error *error)
{
    static const char *const words[] = {"schedule created", "schedule unchanged", "schedule replaced"};
    const pawl_schedule_making how = {.flags = PAWL_SCHEDULE_REPLACE, .profile = true};
    pawl_schedule_spec spec;
    char place[300];
    uint32_t made = PAWL_SCHEDULE_KEPT;
    pawl_status status = pawl_schedule_check_spec(host, own->name, own->spec, &spec, error);
    if (status == PAWL_OK) {
        status = pawl_schedule_make(host, own->name, &spec, &how, &made, error);
        pawl_schedule_spec_finish(&spec);
    }
    if (status == PAWL_OK) {
        pawl_log_write(&host->log, made == PAWL_SCHEDULE_KEPT ? PAWL_LOG_DEBUG : PAWL_LOG_INFO, words[made], "schedule",
                       own->name, (char *)NULL);
        return PAWL_OK;
    }
    pawl_profile_place_text(host->profile, own->place, place, sizeof place);
    (void)pawl_error_wrap(error, "%s: schedules.%s", place, own->name);
    return status;
}

static bool in_profile(const pawl_profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->schedule_count; i++)
        if (strcmp(profile->schedules[i].name, name) == 0)
            return true;
    return false;
}

static void tell_of_others(pawl_host *host, const json_t *list)
{
    size_t i;
    const json_t *one;
    json_array_foreach(list, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "schedule"));
        if (name == NULL || !json_is_true(json_object_get(one, "profile")) || in_profile(host->profile, name))
            continue;
        pawl_log_write(&host->log, PAWL_LOG_WARN,
                       "schedule is no more in the profile and goes on; end it with: pawl schedule delete", "schedule",
                       name, (char *)NULL);
    }
}

pawl_status pawl_schedules_apply(pawl_host *host, pawl_error *error)
{
    pawl_status status = PAWL_OK;
    uint64_t next = 0;
    for (size_t i = 0; status == PAWL_OK && i < host->profile->schedule_count; i++)
        status = apply_one(host, &host->profile->schedules[i], error);
    do {
        json_t *list = json_array();
        if (status == PAWL_OK)
            status = list == NULL
                         ? pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while reading schedules")
                         : pawl_schedule_each(host, PAGE_ROWS, next, list, &next, error);
        if (status == PAWL_OK)
            tell_of_others(host, list);
        json_decref(list);
    } while (status == PAWL_OK && next != 0);
    return status;
}
