/* script_answer.c: which answer of a script is meant for a call. A function of the call alone. */
#include "script.h"

#include <jansson.h>
#include <string.h>

static const pawl_script_effect *find(const pawl_script_effect *list, size_t count, pawl_bytes name)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(list[i].name) == name.size && memcmp(list[i].name, name.data, name.size) == 0)
            return &list[i];
    return NULL;
}

const pawl_script_effect *pawl_script_effect_of(const pawl_script *script, pawl_bytes name)
{
    return find(script->effects, script->effect_count, name);
}

const pawl_script_effect *pawl_script_child_of(const pawl_script *script, pawl_bytes type)
{
    return find(script->children, script->child_count, type);
}

static bool selects(const pawl_script_case *one)
{
    return one->ordinal != 0 || one->nth != 0 || one->has_input;
}

static bool fits(const pawl_script_case *one, uint64_t ordinal, uint32_t nth, pawl_bytes input)
{
    if ((one->ordinal != 0 && one->ordinal != ordinal) || (one->nth != 0 && one->nth != nth))
        return false;
    if (!one->has_input)
        return true;
    json_t *given = json_loadb(input.data, input.size, JSON_DECODE_ANY, NULL);
    bool same = given != NULL && json_equal(given, one->input);
    json_decref(given);
    return same;
}

const pawl_script_answer *pawl_script_answer_to(const pawl_script_effect *effect, uint64_t ordinal, uint32_t nth,
                                                pawl_bytes input, uint32_t attempt)
{
    const pawl_script_case *found = NULL;
    uint32_t plain = 0; /* of those that select nothing the nth is for the nth call, the last for all later ones */
    for (size_t i = 0; i < effect->count && found == NULL; i++)
        if (selects(&effect->cases[i]) && fits(&effect->cases[i], ordinal, nth, input))
            found = &effect->cases[i];
    bool selected = found != NULL;
    for (size_t i = 0; i < effect->count && !selected && plain < nth; i++)
        if (!selects(&effect->cases[i])) {
            found = &effect->cases[i];
            plain++;
        }
    if (found == NULL || found->count == 0)
        return NULL;
    return &found->answers[attempt == 0 || attempt > found->count ? found->count - 1 : attempt - 1];
}
