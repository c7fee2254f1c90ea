/* contract.c: see contract.h. A plugin is believed in nothing that can be checked. It must never use a table member
 * that it has not copied, or call one that it has not found. */
#include "contract.h"
#include "refuse.h"
#include "worker/base/sink.h"

#include <stdio.h>
#include <string.h>

/* ---- the root -----------------------------------------------------------------------------------------------------
 */

pawl_status pawl_contract_glance_at_root(const pawl_plugin_root *theirs, const char *subject, pawl_error *error)
{
    if (theirs == NULL)
        return pawl_loader_refuse(error, "loader.root", subject, "its entry returned NULL; wanted a pawl_plugin_root");
    if (theirs->struct_size < sizeof(pawl_plugin_root) || theirs->struct_size > CONTRACT_STRUCT_BYTES_MAX)
        return pawl_loader_refuse(error, "loader.root", subject,
                                  "its root says it has %u bytes; wanted %zu to %u: set struct_size to "
                                  "sizeof(pawl_plugin_root)",
                                  theirs->struct_size, sizeof(pawl_plugin_root), CONTRACT_STRUCT_BYTES_MAX);
    if (theirs->abi_major != PAWL_ABI_MAJOR)
        return pawl_loader_refuse(error, "loader.abi_major", subject,
                                  "its root is of ABI major %u; wanted %u, the one this host has: get a build for it",
                                  theirs->abi_major, PAWL_ABI_MAJOR);
    if (theirs->abi_minor_min > PAWL_ABI_MINOR)
        return pawl_loader_refuse(
            error, "loader.needs_newer_minor", subject,
            "needs a host with ABI %u.%u or later; this host has %u.%u: upgrade the host or use an "
            "older plugin",
            PAWL_ABI_MAJOR, theirs->abi_minor_min, PAWL_ABI_MAJOR, PAWL_ABI_MINOR);
    return PAWL_OK;
}

static pawl_status check_members(const pawl_plugin_root *root, const char *subject, pawl_error *error)
{
    const char *missing = NULL;
    if (root->get_factory == NULL)
        missing = "get_factory";
    if (root->deinit == NULL)
        missing = "deinit";
    if (root->init == NULL)
        missing = "init";
    if (root->manifest_json.data == NULL)
        missing = "manifest_json";
    if (root->version == NULL)
        missing = "version";
    if (root->id == NULL)
        missing = "id";
    if (missing == NULL)
        return PAWL_OK;
    return pawl_loader_refuse(error, "loader.root", subject,
                              "the member %s of its root is NULL; wanted every member set", missing);
}

static pawl_status compare(const pawl_plugin_root *root, const pawl_manifest *manifest, pawl_bytes note,
                           const char *subject, pawl_error *error)
{
    if (note.data != NULL &&
        (root->manifest_json.size != note.size || memcmp(root->manifest_json.data, note.data, note.size) != 0))
        return pawl_loader_refuse(error, "loader.manifest_differs", subject,
                                  "its entry gives a manifest of %zu bytes that is not the %zu bytes of its ELF note; "
                                  "wanted the same: PAWL_PLUGIN writes it once for both",
                                  root->manifest_json.size, note.size);
    if (strcmp(root->id, manifest->id) != 0)
        return pawl_loader_refuse(error, "loader.manifest_differs", subject,
                                  "its root has the id \"%.128s\", its manifest \"%s\"; wanted the same", root->id,
                                  manifest->id);
    if (strcmp(root->version, manifest->version) != 0)
        return pawl_loader_refuse(error, "loader.manifest_differs", subject,
                                  "its root has the version \"%.128s\", its manifest \"%s\"; wanted the same",
                                  root->version, manifest->version);
    if (root->abi_minor_min != manifest->abi_minor)
        return pawl_loader_refuse(error, "loader.manifest_differs", subject,
                                  "its root needs ABI minor %u, its manifest %u; wanted the same", root->abi_minor_min,
                                  manifest->abi_minor);
    return PAWL_OK;
}

pawl_status pawl_contract_take_root(const pawl_plugin_root *theirs, const pawl_manifest *manifest, pawl_bytes note,
                                    const char *subject, pawl_plugin_root *ret, pawl_error *error)
{
    pawl_status status = pawl_contract_glance_at_root(theirs, subject, error);
    if (status != PAWL_OK)
        return status;
    pawl_plugin_root root;
    pawl_contract_copy(&root, sizeof root, theirs, theirs->struct_size);
    status = check_members(&root, subject, error);
    if (status == PAWL_OK)
        status = compare(&root, manifest, note, subject, error);
    if (status != PAWL_OK)
        return status;
    if (root.vendor == NULL)
        root.vendor = "";
    *ret = root;
    return PAWL_OK;
}

pawl_status pawl_contract_init(const pawl_plugin_root *root, const pawl_host_root *host, const char *config_json,
                               const char *subject, pawl_error *error)
{
    pawl_failure_slot why;
    pawl_error said;
    pawl_failure_init(&why);
    pawl_status status = root->init(host, pawl_bytes_text(config_json), &why);
    if (status != PAWL_OK) {
        pawl_failure_error(&why, status, &said);
        status = pawl_loader_refuse(error, "loader.init_failed", subject,
                                    "its init refused (status %d, %s): %s; look at its config in the profile", status,
                                    said.code, said.message);
    }
    pawl_failure_finish(&why);
    return status;
}

/* ---- the tables ---------------------------------------------------------------------------------------------------
 */

/* When a member must be there. */
enum { ALWAYS = 1, WHEN_SYNC = 2, WHEN_ASYNC = 4, WHEN_RECONCILED = 8 };

typedef struct {
    const char *name;
    size_t offset;
    unsigned when; /* 0: may be NULL */
} table_member;

/* What the 32 bits after struct_size are. */
typedef enum { FLAGS, RESERVED, FACETS } second_word;

typedef struct {
    const char *factory;
    const char *name;
    size_t size;     /* of this host's table */
    size_t size_1_0; /* no plugin has a shorter one */
    second_word second;
    const table_member *members; /* ends with a NULL name */
} table_rule;

#define MEMBER(type, member, when)                                                                                     \
    {                                                                                                                  \
#member, offsetof(type, member), when                                                                          \
    }
#define END_AFTER(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

static const table_member effect_members[] = {MEMBER(pawl_effect_table, execute, WHEN_SYNC),
                                              MEMBER(pawl_effect_table, start, WHEN_ASYNC),
                                              MEMBER(pawl_effect_table, reconcile, WHEN_RECONCILED),
                                              {NULL, 0, 0}};
static const table_member connector_members[] = {MEMBER(pawl_connector_table, create, ALWAYS),
                                                 MEMBER(pawl_connector_table, destroy, ALWAYS),
                                                 MEMBER(pawl_connector_table, invoke, WHEN_SYNC),
                                                 MEMBER(pawl_connector_table, start, WHEN_ASYNC),
                                                 MEMBER(pawl_connector_table, reconcile, WHEN_RECONCILED),
                                                 {NULL, 0, 0}};
static const table_member process_members[] = {MEMBER(pawl_process_table, activate, ALWAYS), {NULL, 0, 0}};
static const table_member middleware_members[] = {
    MEMBER(pawl_middleware_table, create, ALWAYS), MEMBER(pawl_middleware_table, destroy, ALWAYS),
    MEMBER(pawl_middleware_table, before, ALWAYS), MEMBER(pawl_middleware_table, after, 0),
    MEMBER(pawl_middleware_table, describe, 0),    {NULL, 0, 0}};
static const table_member observer_members[] = {MEMBER(pawl_observer_table, create, ALWAYS),
                                                MEMBER(pawl_observer_table, destroy, ALWAYS),
                                                MEMBER(pawl_observer_table, observe, ALWAYS),
                                                MEMBER(pawl_observer_table, describe, 0),
                                                {NULL, 0, 0}};
static const table_member storage_members[] = {MEMBER(pawl_storage_table, tier, ALWAYS),
                                               MEMBER(pawl_storage_table, open, ALWAYS),
                                               MEMBER(pawl_storage_table, close, ALWAYS),
                                               {NULL, 0, 0}};
static const table_member care_members[] = {{NULL, 0, 0}}; /* each may be missing: that is not offered, then */
static const table_member session_members[] = {MEMBER(pawl_session_table, commit, ALWAYS),
                                               MEMBER(pawl_session_table, get, ALWAYS),
                                               MEMBER(pawl_session_table, scan, ALWAYS),
                                               MEMBER(pawl_session_table, remove, ALWAYS),
                                               {NULL, 0, 0}};
static const table_member attachment_members[] = {MEMBER(pawl_attachment_table, begin, ALWAYS),
                                                  MEMBER(pawl_attachment_table, write, ALWAYS),
                                                  MEMBER(pawl_attachment_table, commit, ALWAYS),
                                                  MEMBER(pawl_attachment_table, abort, ALWAYS),
                                                  MEMBER(pawl_attachment_table, read, ALWAYS),
                                                  MEMBER(pawl_attachment_table, stat, ALWAYS),
                                                  MEMBER(pawl_attachment_table, link, ALWAYS),
                                                  MEMBER(pawl_attachment_table, unlink, ALWAYS),
                                                  MEMBER(pawl_attachment_table, list, ALWAYS),
                                                  MEMBER(pawl_attachment_table, collect, ALWAYS),
                                                  {NULL, 0, 0}};
static const table_member artifact_members[] = {
    MEMBER(pawl_artifact_table, put, ALWAYS),    MEMBER(pawl_artifact_table, get, ALWAYS),
    MEMBER(pawl_artifact_table, hold, ALWAYS),   MEMBER(pawl_artifact_table, release, ALWAYS),
    MEMBER(pawl_artifact_table, remove, ALWAYS), {NULL, 0, 0}};
static const table_member registry_members[] = {MEMBER(pawl_registry_table, submit, ALWAYS),
                                                MEMBER(pawl_registry_table, unwatch, ALWAYS),
                                                MEMBER(pawl_registry_table, worker_open, ALWAYS),
                                                MEMBER(pawl_registry_table, heartbeat, ALWAYS),
                                                MEMBER(pawl_registry_table, worker_close, ALWAYS),
                                                MEMBER(pawl_registry_table, claim, ALWAYS),
                                                MEMBER(pawl_registry_table, release, ALWAYS),
                                                MEMBER(pawl_registry_table, tick, ALWAYS),
                                                MEMBER(pawl_registry_table, get, ALWAYS),
                                                MEMBER(pawl_registry_table, journal, ALWAYS),
                                                MEMBER(pawl_registry_table, list, ALWAYS),
                                                MEMBER(pawl_registry_table, count, ALWAYS),
                                                {NULL, 0, 0}};

#define RULE(factory, type, last_1_0, second, members)                                                                 \
    {                                                                                                                  \
        factory, #type, sizeof(type), END_AFTER(type, last_1_0), second, members                                       \
    }
static const table_rule effect_rule = RULE(PAWL_FACTORY_EFFECT, pawl_effect_table, reconcile, FLAGS, effect_members);
static const table_rule connector_rule =
    RULE(PAWL_FACTORY_CONNECTOR, pawl_connector_table, reconcile, FLAGS, connector_members);
static const table_rule process_rule = RULE(PAWL_FACTORY_PROCESS, pawl_process_table, activate, FLAGS, process_members);
static const table_rule middleware_rule =
    RULE(PAWL_FACTORY_MIDDLEWARE, pawl_middleware_table, describe, FLAGS, middleware_members);
static const table_rule observer_rule =
    RULE(PAWL_FACTORY_OBSERVER, pawl_observer_table, describe, FLAGS, observer_members);
static const table_rule storage_rule =
    RULE(PAWL_FACTORY_STORAGE, pawl_storage_table, describe, FACETS, storage_members);
static const table_rule care_rule =
    RULE(PAWL_FACTORY_STORAGE_CARE, pawl_storage_care_table, restore, RESERVED, care_members);
static const table_rule session_rule =
    RULE(PAWL_FACTORY_SESSION, pawl_session_table, remove, RESERVED, session_members);
static const table_rule attachment_rule =
    RULE(PAWL_FACTORY_ATTACHMENT, pawl_attachment_table, collect, RESERVED, attachment_members);
static const table_rule artifact_rule =
    RULE(PAWL_FACTORY_ARTIFACT, pawl_artifact_table, remove, RESERVED, artifact_members);
static const table_rule registry_rule =
    RULE(PAWL_FACTORY_REGISTRY, pawl_registry_table, count, RESERVED, registry_members);

void pawl_contract_copy(void *mine, size_t mine_size, const void *theirs, size_t theirs_size)
{
    memset(mine, 0, mine_size);
    memcpy(mine, theirs, theirs_size < mine_size ? theirs_size : mine_size);
}

/* Where a table came from and where complaints go. */
typedef struct {
    const pawl_plugin_root *root;
    const pawl_manifest *manifest;
    const char *subject;
    pawl_error *error;
} taking;

static pawl_status check_second_word(const taking *t, const table_rule *rule, const void *table)
{
    uint32_t word;
    memcpy(&word, (const char *)table + sizeof word, sizeof word);
    if (rule->second == FACETS && word != t->manifest->facets)
        return pawl_loader_refuse(t->error, "loader.facets_differ", t->subject,
                                  "its storage table offers the facets 0x%x, its manifest 0x%x; wanted the same", word,
                                  t->manifest->facets);
    if (rule->second == RESERVED && word != 0)
        return pawl_loader_refuse(t->error, "loader.table_flags", t->subject,
                                  "the reserved word of its %s is 0x%x; wanted 0", rule->name, word);
    /* the low half is for flags that an older host may ignore */
    if (rule->second == FLAGS && (word & 0xffff0000u) != 0)
        return pawl_loader_refuse(
            t->error, "loader.table_flags", t->subject,
            "its %s sets the flags 0x%x, which this host does not know and may not ignore; wanted "
            "none above 0xffff",
            rule->name, word);
    return PAWL_OK;
}

static pawl_status check_table_members(const taking *t, const table_rule *rule, const void *table, unsigned when)
{
    for (const table_member *member = rule->members; member->name != NULL; member++) {
        void (*function)(void);
        memcpy(&function, (const char *)table + member->offset, sizeof function);
        if (function == NULL && (member->when & when) != 0)
            return pawl_loader_refuse(t->error, "loader.table_member", t->subject,
                                      "the member %s of its %s is NULL; what its manifest declares needs it",
                                      member->name, rule->name);
    }
    return PAWL_OK;
}

static pawl_status take(const taking *t, const table_rule *rule, unsigned when, void *ret)
{
    const void *theirs = t->root->get_factory(rule->factory);
    if (theirs == NULL)
        return pawl_loader_refuse(t->error, "loader.no_factory", t->subject,
                                  "its get_factory gives NULL for \"%s\"; its manifest declares it", rule->factory);
    uint32_t size;
    memcpy(&size, theirs, sizeof size);
    if (size < rule->size_1_0 || size > CONTRACT_STRUCT_BYTES_MAX)
        return pawl_loader_refuse(t->error, "loader.table_size", t->subject,
                                  "its %s says it has %u bytes; wanted %zu to %u: set struct_size to sizeof(%s)",
                                  rule->name, size, rule->size_1_0, CONTRACT_STRUCT_BYTES_MAX, rule->name);
    pawl_contract_copy(ret, rule->size, theirs, size);
    pawl_status status = check_second_word(t, rule, ret);
    return status == PAWL_OK ? check_table_members(t, rule, ret, when) : status;
}

/* What a list of operations needs of the table that serves them. */
static unsigned needs_of(const pawl_manifest_operation *operations, size_t count)
{
    unsigned needs = ALWAYS;
    for (size_t i = 0; i < count; i++) {
        needs |= operations[i].runs == PAWL_RUNS_ASYNC ? WHEN_ASYNC : WHEN_SYNC;
        if (operations[i].outcome == PAWL_OUTCOME_RECONCILE)
            needs |= WHEN_RECONCILED;
    }
    return needs;
}

static pawl_status take_facets(const taking *t, contract_tables *ret)
{
    const struct {
        uint32_t facet;
        const table_rule *rule;
        void *table;
    } facets[] = {{PAWL_FACET_ATTACHMENT, &attachment_rule, &ret->attachment},
                  {PAWL_FACET_ARTIFACT, &artifact_rule, &ret->artifact},
                  {PAWL_FACET_SESSION, &session_rule, &ret->session},
                  {PAWL_FACET_REGISTRY, &registry_rule, &ret->registry}};
    pawl_status status = PAWL_OK;
    for (size_t i = 0; i < sizeof facets / sizeof *facets && status == PAWL_OK; i++)
        if ((t->manifest->facets & (1u << facets[i].facet)) != 0)
            status = take(t, facets[i].rule, ALWAYS, facets[i].table);
    ret->facets = t->manifest->facets;
    return status;
}

pawl_status pawl_contract_take_tables(const pawl_plugin_root *root, const pawl_manifest *manifest, const char *subject,
                                      contract_tables *ret, pawl_error *error)
{
    const taking t = {root, manifest, subject, error};
    pawl_status status = PAWL_OK;
    memset(ret, 0, sizeof *ret);
    if ((manifest->kinds & PAWL_KIND_EFFECT) != 0)
        status = take(&t, &effect_rule, needs_of(manifest->effects, manifest->effect_count), &ret->effect);
    if (status == PAWL_OK && (manifest->kinds & PAWL_KIND_CONNECTOR) != 0)
        status = take(&t, &connector_rule, needs_of(manifest->operations, manifest->operation_count), &ret->connector);
    if (status == PAWL_OK && (manifest->kinds & PAWL_KIND_PROCESS) != 0)
        status = take(&t, &process_rule, ALWAYS, &ret->process);
    if (status == PAWL_OK && (manifest->kinds & PAWL_KIND_MIDDLEWARE) != 0)
        status = take(&t, &middleware_rule, ALWAYS, &ret->middleware);
    if (status == PAWL_OK && (manifest->kinds & PAWL_KIND_OBSERVER) != 0)
        status = take(&t, &observer_rule, ALWAYS, &ret->observer);
    if (status == PAWL_OK && (manifest->kinds & PAWL_KIND_STORAGE) != 0)
        status = take(&t, &storage_rule, ALWAYS, &ret->storage);
    if (status == PAWL_OK && (manifest->kinds & PAWL_KIND_STORAGE) != 0 && root->get_factory(care_rule.factory) != NULL)
        status = take(&t, &care_rule, ALWAYS, &ret->care);
    if (status == PAWL_OK)
        status = take_facets(&t, ret);
    ret->kinds = manifest->kinds;
    return status;
}
