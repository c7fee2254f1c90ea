/* programs.c: see programs.h. */
#include "programs.h"

#include "history.h"

#include "abi/pawl_process.h"

#include <stdio.h>

#define VALUE_MAX 4096 /* of the lab's workers; "big" makes more */

/* One call of any kind; lives with doubt and with exhausted retries. */
static pawl_status any_call(pawl_process *p, unsigned char dice)
{
    static const char *const names[] = {"quick", "pool", "async", "once", "asked", "narrow"};
    pawl_future call = pawl_start_call(
        p, names[dice % 6], pawl_printf(p, "%.*s:%u", (int)pawl_input(p).size, (const char *)pawl_input(p).data, dice));
    PAWL_TRY(pawl_await(p, call));
    pawl_failure failure;
    pawl_status status = pawl_result(p, call, NULL);
    bool excused = status != PAWL_OK && pawl_result_failure(p, call, &failure) == PAWL_OK;
    return excused ? PAWL_OK : status;
}

static pawl_status chain(pawl_process *p)
{
    unsigned char dice[7];
    pawl_random(p, dice, sizeof dice);
    for (int i = 0; i < 1 + dice[6] % 6; i++)
        PAWL_TRY(any_call(p, dice[i]));
    return pawl_complete(p, pawl_text("done"));
}

static pawl_status fan(pawl_process *p)
{
    pawl_future calls[4] = {pawl_start_call(p, "pool", pawl_input(p)), pawl_start_call(p, "async", pawl_input(p)),
                            pawl_start_call(p, "once", pawl_input(p)), pawl_start_timer(p, PAWL_MILLISECOND)};
    PAWL_TRY(pawl_await_all_of(p, calls, 4));
    (void)pawl_now(p);
    return pawl_complete(p, pawl_text("done"));
}

static pawl_status sleeper(pawl_process *p)
{
    static const uint64_t spans[] = {PAWL_MILLISECOND, 20 * PAWL_MILLISECOND, PAWL_SECOND, PAWL_HOUR};
    unsigned char dice[3];
    pawl_random(p, dice, sizeof dice);
    for (int i = 0; i < 3; i++) {
        PAWL_TRY(pawl_sleep(p, spans[dice[i] % 4]));
        PAWL_TRY(any_call(p, dice[i]));
    }
    return pawl_complete(p, pawl_text("slept"));
}

static pawl_status listener(pawl_process *p)
{
    for (int i = 0; i < PROGRAM_SIGNALS; i++) {
        pawl_bytes payload;
        PAWL_TRY(pawl_signal(p, "go", &payload));
        PAWL_TRY(pawl_call(p, "take", payload, NULL));
    }
    return pawl_complete(p, pawl_text("heard"));
}

/* Undoes what it did when it is told to stop. */
static pawl_status tidy(pawl_process *p)
{
    pawl_status status = PAWL_OK;
    for (int i = 0; i < 4 && status == PAWL_OK; i++)
        status = pawl_call(p, "pool", pawl_input(p), NULL);
    if (status != PAWL_E_CANCELLED)
        return status == PAWL_OK ? pawl_complete(p, pawl_text("kept")) : status;
    PAWL_TRY(pawl_call(p, "undo", pawl_input(p), NULL));
    return PAWL_E_CANCELLED;
}

static pawl_status loser(pawl_process *p)
{
    PAWL_TRY(pawl_call(p, "quick", pawl_input(p), NULL));
    PAWL_TRY(pawl_call(p, "broken", pawl_input(p), NULL));
    return pawl_complete(p, pawl_text("never"));
}

static pawl_status patient(pawl_process *p)
{
    PAWL_TRY(pawl_call(p, "shaky", pawl_input(p), NULL));
    return pawl_complete(p, pawl_text("at last"));
}

/* Breaks the contract: waits for nothing. */
static pawl_status wild(pawl_process *p)
{
    PAWL_TRY(pawl_call(p, "quick", pawl_input(p), NULL));
    return PAWL_SUSPEND;
}

static pawl_status greedy(pawl_process *p)
{
    PAWL_TRY(pawl_call(p, "big", pawl_input(p), NULL));
    return pawl_complete(p, pawl_text("fed"));
}

PAWL_PROCESSES(PAWL_TYPE("chain", 1, chain), PAWL_TYPE("fan", 1, fan), PAWL_TYPE("sleeper", 1, sleeper),
               PAWL_TYPE("listener", 1, listener), PAWL_TYPE("tidy", 1, tidy), PAWL_TYPE("loser", 1, loser),
               PAWL_TYPE("patient", 1, patient), PAWL_TYPE("wild", 1, wild), PAWL_TYPE("greedy", 1, greedy))

static const struct {
    const char *type;
    uint32_t traits;
    uint32_t share; /* of the load */
} known[] = {
    {"chain", FLEET_SEQUENTIAL | FLEET_OBEDIENT, 8},
    {"fan", FLEET_OBEDIENT, 3},
    {"sleeper", FLEET_SEQUENTIAL | FLEET_OBEDIENT, 3},
    {"listener", FLEET_SEQUENTIAL | FLEET_OBEDIENT | FLEET_LISTENER, 4},
    {"tidy", FLEET_OBEDIENT, 2}, /* what it undoes by may begin while a call that was told to stop still ends */
    {"loser", FLEET_SEQUENTIAL | FLEET_OBEDIENT, 1},
    {"patient", FLEET_SEQUENTIAL | FLEET_OBEDIENT, 1},
    {"wild", FLEET_SEQUENTIAL | FLEET_OFFENDER, 1},
    {"greedy", FLEET_SEQUENTIAL | FLEET_OFFENDER, 1},
    {"outer", 0, 1}, /* external: no worker knows it */
};
#define KNOWN_COUNT (sizeof known / sizeof *known)

void programs_add(lab *own, uint32_t failing, lab_effect *slow[PROGRAM_SLOW])
{
    for (size_t i = 0; i + 1 < KNOWN_COUNT; i++)
        lab_add_type(own, known[i].type, 1, &pawl_processes);
    lab_add(own, &(lab_effect){.name = "quick", .runs = PAWL_RUNS_INLINE, .fail_times = failing});
    slow[0] = lab_add(own, &(lab_effect){.name = "pool", .fail_times = failing});
    lab_add(own, &(lab_effect){.name = "narrow", .limit = 2, .outcome = PAWL_OUTCOME_BY_KEY});
    slow[1] = lab_add(own, &(lab_effect){.name = "async", .runs = PAWL_RUNS_ASYNC, .limit = 8});
    slow[2] = lab_add(own, &(lab_effect){.name = "once", .outcome = PAWL_OUTCOME_AT_MOST_ONCE, .fail_times = failing});
    lab_add(own, &(lab_effect){.name = "asked",
                               .outcome = PAWL_OUTCOME_RECONCILE,
                               .reconcile = LAB_HAPPENED,
                               .fail_times = failing,
                               .klass = PAWL_UNKNOWN_OUTCOME});
    lab_add(own, &(lab_effect){.name = "take", .runs = PAWL_RUNS_INLINE});
    lab_add(own, &(lab_effect){.name = "undo"});
    lab_add(own, &(lab_effect){.name = "broken", .fail_times = UINT32_MAX, .klass = PAWL_TERMINAL});
    lab_effect shaky = {.name = "shaky", .fail_times = 4 * failing};
    shaky.retry.pause_when_exhausted = true;
    lab_add(own, &shaky);
    lab_add(own, &(lab_effect){.name = "big", .output_size = 2 * VALUE_MAX});
}

bool programs_is(const char *id, const char *type)
{
    size_t size = strlen(type);
    return strncmp(id, type, size) == 0 && id[size] == '-';
}

uint32_t programs_traits(const char *id)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        if (programs_is(id, known[i].type))
            return known[i].traits;
    return 0;
}

const char *programs_type(uint32_t index)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        if (index < known[i].share)
            return known[i].type;
        index -= known[i].share;
    }
    return NULL;
}

bool programs_needs_resuming(const char *id)
{
    return programs_is(id, "patient");
}
