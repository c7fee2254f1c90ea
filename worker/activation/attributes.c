/* activation/attributes.c: search attributes that process code sets. Like the status document they are no command: a
 * run sets them again from the top, and what they come to depends on the program's position alone, so that what is
 * stored never goes back. Must never let the program see what is stored. */
#include "mirror.h"

#include <stdlib.h>
#include <string.h>

void pawl_mirror_attributes_init(pawl_activation *mirror, const pawl_activation_config *config)
{
    mirror->config.schema = config->schema;
    mirror->attributes_complete = config->attributes_known;
    if (config->attributes.size > 0)
        mirror->attributes = json_loadb(config->attributes.data, config->attributes.size, 0, NULL);
    if (config->attributes.size > 0 && !json_is_object(mirror->attributes)) {
        json_decref(mirror->attributes); /* the store checks what it holds: this is want of memory */
        mirror->attributes = NULL;
        mirror->attributes_complete = false;
    }
}

void pawl_mirror_attributes_finish(pawl_activation *mirror)
{
    json_decref(mirror->attributes);
    json_decref(mirror->given_attributes);
    pawl_program_attributes_forget(&mirror->run);
}

void pawl_program_attributes_forget(struct run *run)
{
    json_decref(run->attributes);
    free(run->attributes_text);
    run->attributes = NULL;
    run->attributes_text = NULL;
}

pawl_status pawl_program_set_attributes(struct run *run, pawl_bytes object)
{
    json_t *read = NULL;
    pawl_error error = {0};
    if (object.data == NULL && object.size > 0)
        return pawl_program_misuse(run, PAWL_E_INVALID, "process.bad_attributes",
                                   "the search attributes have a size and no data");
    pawl_status status = pawl_attributes_read(run->mirror->config.schema, object, true, &read, &error);
    if (status == PAWL_E_NOMEM)
        return pawl_program_out_of_memory(run);
    if (status != PAWL_OK) /* what the profile says may change: an answer that the program could act upon may not */
        return pawl_program_stick(run, status, "attributes", "%s", error.message);
    if (run->attributes == NULL)
        run->attributes = json_object();
    bool joined = run->attributes != NULL && json_object_update(run->attributes, read) == 0;
    json_decref(read);
    return joined ? PAWL_OK : pawl_program_out_of_memory(run);
}

/* Is this known to be so in the store? */
static bool is_stored(const pawl_activation *mirror, const char *name, const json_t *value)
{
    const json_t *stored = json_object_get(mirror->attributes, name);
    if (stored == NULL)
        return mirror->attributes_complete && json_is_null(value);
    return json_equal(stored, value) != 0;
}

void pawl_program_report_attributes(struct run *run, pawl_run_result *ret)
{
    const char *name;
    json_t *value;
    pawl_activation *mirror = run->mirror;
    if (run->attributes == NULL)
        return;
    json_t *news = json_object();
    bool made = news != NULL;
    json_object_foreach(run->attributes, name, value)
    {
        if (made && !is_stored(mirror, name, value))
            made = json_object_set(news, name, value) == 0;
    }
    json_decref(mirror->given_attributes);
    mirror->given_attributes = news;
    free(run->attributes_text);
    run->attributes_text = NULL;
    if (made && json_object_size(news) == 0)
        return;
    if (made)
        run->attributes_text = json_dumps(news, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    if (run->attributes_text == NULL) {
        (void)pawl_program_out_of_memory(run);
        return;
    }
    run->attributes_bytes = (pawl_bytes){run->attributes_text, strlen(run->attributes_text)};
    ret->attributes = &run->attributes_bytes;
}

void pawl_activation_attributes_stored(pawl_activation *mirror)
{
    if (mirror->given_attributes == NULL)
        return;
    if (mirror->attributes == NULL)
        mirror->attributes = json_object();
    /* Without memory they are given again, and the store finds that it has them. */
    (void)json_object_update(mirror->attributes, mirror->given_attributes);
}
