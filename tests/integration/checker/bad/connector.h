/* connector.h: a connector that keeps every rule, made of parts that a bad one replaces by defining their names. */
#ifndef PAWL_TESTS_CHECKER_CONNECTOR_H
#define PAWL_TESTS_CHECKER_CONNECTOR_H

#include "pawl_plugin.h"

#ifndef CONCURRENCY
#define CONCURRENCY "shared"
#endif
#ifndef CONFIG_SCHEMA
#define CONFIG_SCHEMA "true"
#endif
#ifndef OPERATION /* what else the manifest says of the operation */
#define OPERATION ""
#endif
#define PARTS                                                                                                          \
    "\"kinds\":[\"connector\"],\"connector\":{\"concurrency\":\"" CONCURRENCY "\",\"config_schema\":" CONFIG_SCHEMA    \
    ",\"operations\":[{\"name\":\"echo\",\"outcome\":\"idempotent\",\"examples\":[{\"input\":{\"a\":1}}]" OPERATION    \
    "}]}"

struct pawl_connector {
    int calls;
};

static pawl_status PAWL_UNUSED_ PAWL_CALL create_plain(const pawl_host_root *host, pawl_bytes name, pawl_bytes config,
                                                       pawl_connector **instance, pawl_failure_sink *why)
{
    (void)name;
    if (config.size < 2 || memcmp(config.data, "{}", 2) != 0)
        return pawl_fail_with(pawl_core_of(host), why, PAWL_TERMINAL, "plain.config", "wanted {}");
    *instance = calloc(1, sizeof **instance);
    return *instance == NULL ? PAWL_E_NOMEM : PAWL_OK;
}

static void PAWL_UNUSED_ PAWL_CALL destroy_plain(pawl_connector *instance)
{
    free(instance);
}

static pawl_status PAWL_UNUSED_ PAWL_CALL invoke_plain(pawl_connector *instance, const pawl_effect_call *call,
                                                       pawl_sink *out, pawl_failure_sink *why)
{
    (void)instance;
    (void)why;
    return pawl_write(pawl_core_of(call->host), out, call->input.data, call->input.size);
}

#ifndef CREATE
#define CREATE create_plain
#endif
#ifndef DESTROY
#define DESTROY destroy_plain
#endif
#ifndef INVOKE
#define INVOKE invoke_plain
#endif
#define FACTORY PAWL_FACTORY_CONNECTOR
#define TABLE   &connector_table
#define BAD_CONNECTOR                                                                                                  \
    PAWL_CONNECTOR_TABLE(connector_table, CREATE, DESTROY, INVOKE, NULL, NULL);                                        \
    HOSTILE
#include "base.h"

#endif
