/* history.c: see history.h. Arrays that grow. */
#include "history.h"

#include <stdlib.h>
#include <string.h>

static void *grown(void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return array;
    *room = *room == 0 ? 256 : *room * 2;
    void *larger = realloc(array, *room * size);
    if (larger == NULL)
        abort(); /* not always a test's thread */
    return larger;
}

void fleet_history_init(fleet_history *history)
{
    memset(history, 0, sizeof *history);
    pthread_mutex_init(&history->lock, NULL);
    history->timers_by_store = true;
}

void fleet_history_finish(fleet_history *history)
{
    for (size_t i = 0; i < history->process_count; i++)
        free(history->processes[i].records);
    free(history->processes);
    free(history->posts);
    free(history->executions);
    free(history->events);
    pthread_mutex_destroy(&history->lock);
}

void fleet_add_event(fleet_history *history, const fleet_event *event)
{
    pthread_mutex_lock(&history->lock);
    history->events = grown(history->events, history->event_count, &history->event_room, sizeof *event);
    history->events[history->event_count++] = *event;
    pthread_mutex_unlock(&history->lock);
}

void fleet_add_execution(fleet_history *history, const fleet_execution *execution)
{
    history->executions =
        grown(history->executions, history->execution_count, &history->execution_room, sizeof *execution);
    history->executions[history->execution_count++] = *execution;
}

void fleet_add_post(fleet_history *history, const fleet_post *post)
{
    history->posts = grown(history->posts, history->post_count, &history->post_room, sizeof *post);
    history->posts[history->post_count++] = *post;
}

fleet_process *fleet_process_of(fleet_history *history, uint64_t number)
{
    for (size_t i = history->process_count; i > 0; i--)
        if (history->processes[i - 1].number == number)
            return &history->processes[i - 1];
    history->processes =
        grown(history->processes, history->process_count, &history->process_room, sizeof *history->processes);
    fleet_process *process = &history->processes[history->process_count++];
    *process = (fleet_process){.number = number};
    return process;
}

void fleet_add_record(fleet_process *process, const fleet_record *record)
{
    /* Rooms are powers of two from 8 on: grow when the count reaches one. */
    size_t count = process->record_count;
    if (count == 0 || (count >= 8 && (count & (count - 1)) == 0)) {
        process->records = realloc(process->records, (count == 0 ? 8 : count * 2) * sizeof *record);
        if (process->records == NULL)
            abort();
    }
    process->records[process->record_count++] = *record;
}
