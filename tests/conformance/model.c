/* model.c: why it exists: a second, independent reading of the contract. It must stay too simple to be wrong in the
 * same way as a provider. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

static void add_record(struct model_process *process, uint32_t kind, uint32_t variant)
{
    if (process->head == process->capacity) {
        process->capacity = process->capacity ? process->capacity * 2 : 16;
        process->journal = realloc(process->journal, process->capacity * sizeof(*process->journal));
        if (!process->journal)
            abort();
    }
    process->journal[process->head++] = (struct model_record){kind, variant};
}

void model_free(struct model *model)
{
    for (int i = 0; i < MODEL_PROCESSES; i++)
        free(model->processes[i].journal);
}

struct answer model_register(struct model *model, int index, uint32_t type, uint32_t variant, bool external)
{
    struct model_process *process = &model->processes[index];
    if (process->pruned)
        return (struct answer){.status = PAWL_E_CONFLICT};
    if (process->exists) {
        bool same = process->type == type && process->variant == variant;
        return (struct answer){.status = same ? PAWL_OK : PAWL_E_CONFLICT, .flags = same ? PAWL_RESULT_EXISTED : 0};
    }
    process->exists = true;
    process->type = type;
    process->variant = variant;
    process->external = external;
    process->status = external ? PAWL_WAITING : PAWL_READY;
    add_record(process, PAWL_RECORD_STARTED, variant);
    return (struct answer){.status = PAWL_OK};
}

bool model_claimable(const struct model *model, int index)
{
    const struct model_process *process = &model->processes[index];
    if (!process->exists || process->external || process->token != 0)
        return false;
    bool due = process->status == PAWL_WAITING && process->wake_unix_ns != 0 && process->wake_unix_ns <= model->unix_ns;
    return process->status == PAWL_READY || due;
}

bool model_claimed(struct model *model, int index, int worker, uint64_t token)
{
    struct model_process *process = &model->processes[index];
    bool grew = token > model->last_token;
    process->status = PAWL_READY;
    process->token = token;
    process->last_token = token;
    process->worker = worker;
    if (grew)
        model->last_token = token;
    return grew;
}

pawl_status model_claim_by_id(const struct model *model, int index)
{
    const struct model_process *process = &model->processes[index];
    if (!process->exists)
        return PAWL_E_NOT_FOUND;
    if (PAWL_IS_TERMINAL(process->status))
        return PAWL_E_TERMINAL;
    if (process->token != 0)
        return PAWL_E_BUSY;
    return model_claimable(model, index) ? PAWL_OK : PAWL_SUSPEND;
}

static bool holds(const struct model_process *process, uint64_t token)
{
    return process->exists && process->token != 0 && process->token == token;
}

static struct answer stale(void)
{
    return (struct answer){.status = PAWL_E_STALE};
}

struct answer model_append(struct model *model, int index, uint64_t token, uint32_t variant, size_t count,
                           uint32_t document)
{
    struct model_process *process = &model->processes[index];
    if (!holds(process, token))
        return stale();
    struct answer answer = {.status = PAWL_OK, .sequence = process->head + 1};
    for (size_t i = 0; i < count; i++)
        add_record(process, MODEL_NOTE, variant);
    if (document)
        process->document = document;
    return answer;
}

struct answer model_suspend(struct model *model, int index, uint64_t token, uint64_t seen, uint32_t variant,
                            size_t count, uint64_t wake_unix_ns)
{
    struct model_process *process = &model->processes[index];
    if (!holds(process, token))
        return stale();
    struct answer answer = {.status = PAWL_OK, .sequence = count ? process->head + 1 : 0};
    bool more = process->head > seen;
    for (size_t i = 0; i < count; i++)
        add_record(process, MODEL_NOTE, variant);
    if (more) {
        answer.flags = PAWL_RESULT_MORE;
        return answer;
    }
    process->status = PAWL_WAITING;
    process->wake_unix_ns = wake_unix_ns;
    process->token = 0;
    return answer;
}

static void end(struct model *model, struct model_process *process, uint32_t variant, uint32_t status)
{
    add_record(process, PAWL_RECORD_ENDED, variant);
    process->status = status;
    process->token = 0;
    process->ended_unix_ns = model->unix_ns;
}

struct answer model_complete(struct model *model, int index, uint64_t token, uint64_t seen, uint32_t variant,
                             uint32_t status)
{
    struct model_process *process = &model->processes[index];
    if (!holds(process, token))
        return stale();
    if (process->head > seen)
        return (struct answer){.status = PAWL_OK, .flags = PAWL_RESULT_MORE};
    end(model, process, variant, status);
    return (struct answer){.status = PAWL_OK, .sequence = process->head};
}

struct answer model_park(struct model *model, int index, uint64_t token, uint32_t variant)
{
    struct model_process *process = &model->processes[index];
    if (!holds(process, token))
        return stale();
    add_record(process, PAWL_RECORD_PARKED, variant);
    process->status = PAWL_STUCK;
    process->token = 0;
    return (struct answer){.status = PAWL_OK, .sequence = process->head};
}

static void wake_up(struct model_process *process, uint32_t kind)
{
    bool frees_stuck = kind == PAWL_RECORD_CANCEL || kind == PAWL_RECORD_RESUMED;
    if (!process->external && (process->status == PAWL_WAITING || (process->status == PAWL_STUCK && frees_stuck)))
        process->status = PAWL_READY;
    if (kind == PAWL_RECORD_CANCEL)
        process->cancelled = true;
}

struct answer model_post(struct model *model, int index, uint32_t kind, uint32_t post, uint32_t variant,
                         uint32_t status, bool force)
{
    struct model_process *process = &model->processes[index];
    if (!process->exists)
        return (struct answer){.status = PAWL_E_NOT_FOUND};
    for (size_t i = 0; i < process->accepted_count; i++) {
        const struct model_accepted *accepted = &process->accepted[i];
        if (accepted->kind != kind || accepted->post != post)
            continue;
        if (accepted->variant != variant)
            return (struct answer){.status = PAWL_E_CONFLICT};
        return (struct answer){.status = PAWL_OK, .flags = PAWL_RESULT_REPLAYED, .sequence = accepted->sequence};
    }
    if (PAWL_IS_TERMINAL(process->status))
        return (struct answer){.status = PAWL_E_TERMINAL};
    if (kind == PAWL_RECORD_ENDED && !process->external && !force)
        return (struct answer){.status = PAWL_E_INVALID};
    if (process->accepted_count == MODEL_POSTS)
        abort();
    if (kind == PAWL_RECORD_ENDED) {
        end(model, process, variant, status);
    } else {
        add_record(process, kind, variant);
        wake_up(process, kind);
    }
    process->accepted[process->accepted_count++] =
        (struct model_accepted){.kind = kind, .post = post, .variant = variant, .sequence = process->head};
    return (struct answer){.status = PAWL_OK, .sequence = process->head};
}

pawl_status model_release(struct model *model, int index, uint64_t token)
{
    struct model_process *process = &model->processes[index];
    if (!holds(process, token))
        return PAWL_E_STALE;
    process->token = 0;
    return PAWL_OK;
}

void model_worker_gone(struct model *model, int worker)
{
    model->workers[worker].alive = false;
    for (int i = 0; i < MODEL_PROCESSES; i++)
        if (model->processes[i].token != 0 && model->processes[i].worker == worker)
            model->processes[i].token = 0;
}

void model_set_clocks(struct model *model, uint64_t unix_ns, uint64_t mono_ns)
{
    model->unix_ns = unix_ns;
    model->mono_ns = mono_ns;
    for (int i = 0; i < MODEL_WORKERS; i++)
        if (model->workers[i].alive && model->workers[i].expires_mono_ns <= mono_ns)
            model_worker_gone(model, i);
}

static bool is_prunable(const struct model_process *process, uint64_t before_unix_ns)
{
    return process->exists && PAWL_IS_TERMINAL(process->status) && process->ended_unix_ns < before_unix_ns;
}

size_t model_prunable(const struct model *model, uint64_t before_unix_ns)
{
    size_t count = 0;
    for (int i = 0; i < MODEL_PROCESSES; i++)
        count += is_prunable(&model->processes[i], before_unix_ns);
    return count;
}

void model_pruned(struct model *model, int index)
{
    struct model_process *process = &model->processes[index];
    process->exists = false;
    process->pruned = true;
}

void model_renew(struct model *model, int index)
{
    struct model_process *process = &model->processes[index];
    uint32_t generation = process->generation + 1;
    free(process->journal);
    memset(process, 0, sizeof(*process));
    process->generation = generation;
}
