/* around.h: middleware and an observer that do nothing; a bad one replaces BEFORE, OBSERVE or DESCRIBE. */
#ifndef PAWL_TESTS_CHECKER_AROUND_H
#define PAWL_TESTS_CHECKER_AROUND_H

#include "pawl_plugin.h"

#define PARTS "\"kinds\":[\"middleware\",\"observer\"],\"middleware\":{},\"observer\":{}"

struct pawl_middleware {
    int calls;
};
struct pawl_observer {
    int calls;
};

static pawl_status PAWL_CALL create_middleware(const pawl_host_root *host, pawl_bytes name, pawl_bytes config,
                                               pawl_middleware **instance, pawl_failure_sink *why)
{
    (void)host;
    (void)name;
    (void)config;
    (void)why;
    *instance = (pawl_middleware *)calloc(1, sizeof **instance);
    return *instance == NULL ? PAWL_E_NOMEM : PAWL_OK;
}

static void PAWL_CALL destroy_middleware(pawl_middleware *instance)
{
    free(instance);
}

static pawl_status PAWL_CALL create_observer(const pawl_host_root *host, pawl_bytes config, uint64_t *kinds,
                                             pawl_observer **observer, pawl_failure_sink *why)
{
    (void)host;
    (void)config;
    (void)kinds;
    (void)why;
    *observer = (pawl_observer *)calloc(1, sizeof **observer);
    return *observer == NULL ? PAWL_E_NOMEM : PAWL_OK;
}

#ifndef DESTROY_OBSERVER
#define DESTROY_OBSERVER destroy_observer
static void PAWL_CALL destroy_observer(pawl_observer *observer)
{
    free(observer);
}
#endif

static pawl_status PAWL_UNUSED_ PAWL_CALL let_pass(pawl_middleware *instance, const pawl_attempt *attempt,
                                                   uint64_t *ticket, uint64_t *wait_ns, pawl_failure_sink *why)
{
    (void)instance;
    (void)attempt;
    (void)ticket;
    (void)wait_ns;
    (void)why;
    return PAWL_OK;
}

static void PAWL_UNUSED_ PAWL_CALL look(pawl_observer *observer, const pawl_observation *observation)
{
    (void)observer;
    (void)observation;
}

#ifndef BEFORE
#define BEFORE let_pass
#endif
#ifndef OBSERVE
#define OBSERVE look
#endif
#ifndef DESCRIBE
#define DESCRIBE NULL
#endif
#define GET_FACTORY around_factory
#define AROUND                                                                                                         \
    static const pawl_middleware_table middleware = {                                                                  \
        sizeof middleware, 0, create_middleware, destroy_middleware, BEFORE, NULL, DESCRIBE};                          \
    static const pawl_observer_table observer = {                                                                      \
        sizeof observer, 0, create_observer, DESTROY_OBSERVER, OBSERVE, NULL};                                         \
    static const void *PAWL_CALL around_factory(const char *id)                                                        \
    {                                                                                                                  \
        if (strcmp(id, PAWL_FACTORY_MIDDLEWARE) == 0)                                                                  \
            return &middleware;                                                                                        \
        return strcmp(id, PAWL_FACTORY_OBSERVER) == 0 ? &observer : NULL;                                              \
    }                                                                                                                  \
    HOSTILE
#include "base.h"

#endif
