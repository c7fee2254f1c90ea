/* activation/keep.c: the program called: from the top, or, once it has done much, on a stack of its own on which it is
 * kept while it waits. Kept or not, it sees the same: what an await gives depends on the journal and on the program's
 * position alone. Must never drop a stack on which the program still stands: it returns first. */
#include "mirror.h"

static pawl_status call_program(struct run *run)
{
    const pawl_activation_config *config = &run->mirror->config;
    return config->program->activate(&run->process, config->type, config->revision);
}

static void on_stack(void *context)
{
    struct run *run = context;
    run->returned = call_program(run);
}

static bool may_keep(pawl_activation *mirror)
{
    if (mirror->ordinal_max < mirror->config.keep_from)
        return false;
    atomic_uint_fast32_t *left = mirror->config.keeps_left;
    uint_fast32_t count = left == NULL ? 1 : atomic_load_explicit(left, memory_order_relaxed);
    while (count > 0)
        if (left == NULL ||
            atomic_compare_exchange_weak_explicit(left, &count, count - 1, memory_order_relaxed, memory_order_relaxed))
            return true;
    return false;
}

static void stop_keeping(pawl_activation *mirror)
{
    mirror->kept = pawl_coroutine_destroy(mirror->kept);
    if (mirror->config.keeps_left != NULL)
        atomic_fetch_add_explicit(mirror->config.keeps_left, 1, memory_order_relaxed);
}

static pawl_status run_kept(pawl_activation *mirror)
{
    if (!pawl_coroutine_resume(mirror->kept))
        return PAWL_SUSPEND;
    stop_keeping(mirror);
    return mirror->run.returned;
}

/* What it returns now is of no interest: the run is over. */
void pawl_program_unwind(pawl_activation *mirror)
{
    if (mirror->kept == NULL)
        return;
    mirror->unwinding = true;
    (void)run_kept(mirror);
    mirror->unwinding = false;
}

bool pawl_program_stay(struct run *run)
{
    pawl_activation *mirror = run->mirror;
    if (mirror->kept == NULL || mirror->unwinding)
        return false;
    pawl_coroutine_yield(mirror->kept);
    if (mirror->unwinding)
        return false;
    run->suspended = false;
    return true;
}

pawl_status pawl_program_run(pawl_activation *mirror)
{
    if (mirror->kept == NULL && may_keep(mirror)) {
        mirror->kept = pawl_coroutine_create(on_stack, &mirror->run);
        if (mirror->kept == NULL)
            stop_keeping(mirror); /* no memory for a stack: it does without */
    }
    return mirror->kept != NULL ? run_kept(mirror) : call_program(&mirror->run);
}
