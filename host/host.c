/* host.c: the life of a host: open, drain, close, and who may still come in. See include/pawl/pawl.h for what each
 * function promises; operation/, session/ and care/ hold the others. */
#include "host/assembly/open.h"

#include "host/view/view.h"

#include <stdlib.h>

#ifndef PAWL_VERSION_TEXT
#define PAWL_VERSION_TEXT "0.1.0"
#endif

const char *pawl_library_version(void)
{
    return PAWL_VERSION_TEXT;
}

void pawl_text_free(pawl_text *text)
{
    if (text == NULL)
        return;
    free(text->data);
    *text = (pawl_text){0};
}

pawl_status pawl_host_open(const pawl_host_options *given, pawl_host **ret, pawl_error *error)
{
    pawl_host_options options;
    if (!pawl_take_struct(&options, sizeof options, given) || ret == NULL)
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "options.struct_size is not set");
    pawl_host *host = calloc(1, sizeof *host);
    if (host == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while opening the host");
    host->clock = pawl_clock_system();
    atomic_init(&host->closing, false);
    pthread_mutex_init(&host->lock, NULL);
    pawl_new_ids_init(&host->new_ids);
    pthread_cond_init(&host->idle, NULL);
    pawl_follows_init(host);
    pawl_run_watches_init(&host->watches);
    pthread_mutex_init(&host->queue_lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&host->queue_changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pawl_status status = pawl_host_assemble(host, &options, error);
    if (status == PAWL_OK) {
        pawl_log_write(&host->log, PAWL_LOG_INFO, "host open", "profile", host->profile->name, "tier",
                       pawl_manifest_tier_name(host->profile->tier), (char *)NULL);
        *ret = host;
        return PAWL_OK;
    }
    pawl_host_dismantle(host);
    pawl_follows_finish(host);
    pawl_run_watches_finish(&host->watches);
    pthread_cond_destroy(&host->queue_changed);
    pthread_mutex_destroy(&host->queue_lock);
    pthread_cond_destroy(&host->idle);
    pthread_mutex_destroy(&host->lock);
    pawl_new_ids_finish(&host->new_ids);
    free(host->limits);
    free(host);
    return status;
}

pawl_status pawl_host_usable(const pawl_host *host, pawl_error *error)
{
    if (host == NULL)
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "the host is missing");
    if (atomic_load(&host->closing))
        return pawl_error_set(error, PAWL_E_CLOSED, "closed", "the host is closing");
    return PAWL_OK;
}

void pawl_host_entered(pawl_host *host)
{
    pthread_mutex_lock(&host->lock);
    host->in_flight++;
    pthread_mutex_unlock(&host->lock);
}

void pawl_host_left(pawl_host *host)
{
    pthread_mutex_lock(&host->lock);
    host->in_flight--;
    if (host->in_flight == 0)
        pthread_cond_broadcast(&host->idle);
    pthread_mutex_unlock(&host->lock);
}

pawl_status pawl_host_drain(pawl_host *host, uint32_t mode, uint64_t timeout_ns, pawl_error *error)
{
    if (host == NULL || mode < PAWL_STOP_GRACEFUL || mode > PAWL_STOP_ABORT)
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument",
                              "drain needs a host and mode 1 (graceful), 2 (cancel) or 3 (abort)");
    if (host->worker == NULL)
        return PAWL_OK;
    pawl_run_watches_shut(&host->watches); /* what only waits for others is not waited for */
    uint64_t now = host->clock->mono_ns(host->clock);
    uint64_t span = timeout_ns != 0 ? timeout_ns : host->profile->timeouts.stop_grace_ns;
    pawl_worker_stop(host->worker, mode, span > UINT64_MAX - now ? UINT64_MAX : now + span);
    return PAWL_OK;
}

pawl_host *pawl_host_close(pawl_host *host)
{
    if (host == NULL)
        return NULL;
    (void)pawl_host_drain(host, PAWL_STOP_GRACEFUL, 0, NULL);
    pthread_mutex_lock(&host->lock);
    atomic_store(&host->closing, true);
    pthread_mutex_unlock(&host->lock);
    pawl_host_end_waits(host);
    pawl_host_queue_changed(host);
    pthread_mutex_lock(&host->lock);
    while (host->in_flight > 0)
        pthread_cond_wait(&host->idle, &host->lock);
    pthread_mutex_unlock(&host->lock);
    pawl_host_dismantle(host);
    if (host->profile != NULL)
        return NULL; /* abandoned plugin code may still look at it */
    pawl_follows_finish(host);
    pawl_run_watches_finish(&host->watches);
    pthread_cond_destroy(&host->queue_changed);
    pthread_mutex_destroy(&host->queue_lock);
    pthread_cond_destroy(&host->idle);
    pthread_mutex_destroy(&host->lock);
    pawl_new_ids_finish(&host->new_ids);
    free(host->limits);
    free(host);
    return NULL;
}

const char *pawl_host_socket(const pawl_host *host)
{
    return host == NULL ? NULL : host->profile->socket;
}

void pawl_host_request_limits(const pawl_host *host, uint32_t *requests, uint64_t *input_bytes)
{
    if (requests != NULL)
        *requests = host->profile->limits.requests;
    if (input_bytes != NULL)
        *input_bytes = host->profile->limits.input_bytes;
}
