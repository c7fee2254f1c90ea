/* base.h: a plugin that keeps every rule, made of parts that a hostile one replaces by defining their names before the
 * include. Each file beside this one breaks one rule (or shows that something odd is allowed). They are compiled as a
 * third party would: against abi/ only, without sanitizers. */
#ifndef PAWL_TESTS_HOSTILE_BASE_H
#define PAWL_TESTS_HOSTILE_BASE_H

#include "pawl_plugin.h"

#ifndef ID
#define ID "hostile.plugin"
#endif
#ifndef EFFECT
#define EFFECT "hostile.echo"
#endif
#ifndef OPERATION /* what else the manifest says of the effect */
#define OPERATION ""
#endif
#ifndef ABI
#define ABI "{\"major\":1,\"minor\":0}"
#endif
#ifndef PARTS
#define PARTS                                                                                                          \
    "\"kinds\":[\"effect\"],\"effects\":[{\"name\":\"" EFFECT                                                          \
    "\",\"input_schema\":true,\"output_schema\":true,\"outcome\":\"idempotent\"" OPERATION "}]"
#endif
#ifndef MANIFEST
#define MANIFEST "{\"manifest_version\":1,\"id\":\"" ID "\",\"version\":\"1.0.0\",\"abi\":" ABI "," PARTS "}"
#endif
#ifndef INIT
#define INIT pawl_plain_init
#endif
#ifndef DEINIT
#define DEINIT pawl_plain_deinit
#endif

static pawl_status PAWL_UNUSED_ PAWL_CALL echo(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    (void)why;
    return pawl_write(pawl_core_of(call->host), out, call->input.data, call->input.size);
}

#ifndef GET_FACTORY
#ifndef TABLE
#define TABLE &plain_table
PAWL_EFFECT_TABLE(plain_table, echo, NULL, NULL);
#endif
#ifndef FACTORY
#define FACTORY PAWL_FACTORY_EFFECT
#endif
#define GET_FACTORY   plain_factory
#define PLAIN_FACTORY PAWL_FACTORY_OF(plain_factory, FACTORY, TABLE)
#else
#define PLAIN_FACTORY struct pawl_plugin_end_
#endif

/* Write down the plugin. */
#define HOSTILE                                                                                                        \
    PLAIN_FACTORY;                                                                                                     \
    PAWL_PLUGIN(ID, "1.0.0", "Hostile", MANIFEST, INIT, DEINIT, GET_FACTORY)

/* Write down the note and the root of this name, with these first members; the entry returns it. */
#define HOSTILE_ROOT(size, major, minor, id, version, init)                                                            \
    PLAIN_FACTORY;                                                                                                     \
    PAWL_MANIFEST_NOTE_(MANIFEST);                                                                                     \
    PAWL_EXPORT const pawl_plugin_root *pawl_plugin_entry_v1(void);                                                    \
    PAWL_EXPORT const pawl_plugin_root *pawl_plugin_entry_v1(void)                                                     \
    {                                                                                                                  \
        static const pawl_plugin_root root = {                                                                         \
            size, major,  minor,      id, version, "Hostile", {pawl_plugin_note_.descriptor, sizeof(MANIFEST) - 1},    \
            init, DEINIT, GET_FACTORY};                                                                                \
        return &root;                                                                                                  \
    }                                                                                                                  \
    struct pawl_plugin_end_

#endif
