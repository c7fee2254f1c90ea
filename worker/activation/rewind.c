/* activation/rewind.c: steps that are to be done again. The journal only grows: what a REWOUND record undoes stays in
 * it for people, and the mirror forgets it. Must never keep half of a command: it would contradict what comes instead.
 */
#include "mirror.h"

#include <stdlib.h>

static void forget_command(pawl_activation *mirror, struct command *command)
{
    pawl_mirror_child_forget(mirror, command);
    if (command->kind == COMMAND_CALL && command->came == 0)
        pawl_mirror_call_close(mirror, command);
    if (command->kind == COMMAND_TIMER && command->came == 0)
        pawl_mirror_timer_close(mirror, command);
    *command = (struct command){.kind = COMMAND_NONE};
}

/* Those that came and are known no more leave the list. */
static void filter_came(pawl_activation *mirror, uint64_t ordinal)
{
    struct command **link = &mirror->first_came;
    mirror->last_came = NULL;
    for (uint64_t known = ordinal; known <= mirror->ordinal_max; known++) {
        struct command *command = pawl_mirror_command(mirror, known);
        if (command != NULL)
            command->recorded = false; /* marks them */
    }
    for (struct command *command = mirror->first_came; command != NULL; command = command->next_came) {
        if (!command->recorded)
            continue;
        *link = command;
        link = &command->next_came;
        mirror->last_came = command;
    }
    *link = NULL;
}

static uint64_t last_recorded(const pawl_activation *mirror, uint64_t ordinal)
{
    while (ordinal > 0) {
        const struct command *command = pawl_mirror_command(mirror, ordinal);
        if (command != NULL && command->recorded)
            break;
        ordinal--;
    }
    return ordinal;
}

pawl_status pawl_mirror_rewind(pawl_activation *mirror, uint64_t ordinal, bool keep_cancel)
{
    uint64_t *rewinds = realloc(mirror->rewinds, (mirror->rewind_count + 1) * sizeof *rewinds);
    if (rewinds == NULL)
        return PAWL_E_NOMEM;
    mirror->rewinds = rewinds;
    rewinds[mirror->rewind_count++] = ordinal;
    filter_came(mirror, ordinal);
    for (uint64_t known = ordinal; known <= mirror->ordinal_max; known++) {
        struct command *command = pawl_mirror_command(mirror, known);
        if (command != NULL)
            forget_command(mirror, command);
    }
    if (mirror->ordinal_max >= ordinal) {
        mirror->ordinal_max = ordinal - 1;
        mirror->recorded_max = last_recorded(mirror, ordinal - 1);
    }
    pawl_mirror_answers_rewind(mirror, ordinal);
    mirror->ended = false;
    mirror->undo_recorded = false; /* the program comes to its end anew, and to what follows from it */
    mirror->undo_status = 0;
    mirror->undo_code = (pawl_bytes){"", 0};
    if (keep_cancel)
        return PAWL_OK;
    mirror->cancel_sequence = mirror->cancel_unix_ns = mirror->cancel_bytes = 0;
    mirror->cancel_status = 0;
    mirror->cancel_reason = (pawl_bytes){"", 0};
    return PAWL_OK;
}

uint32_t pawl_activation_generation(const pawl_activation *mirror, uint64_t ordinal)
{
    uint32_t generation = 0;
    for (size_t i = 0; i < mirror->rewind_count; i++)
        generation += mirror->rewinds[i] <= ordinal;
    return generation;
}
