/* schema.c: the keys of a profile. A limit without a reason in the system is set where a larger value could
 * only be a slip of the pen. docs/profile.md and examples/profile.yaml are tested against this table. */
#include "host/profile/schema.h"

#include "worker/attributes.h"

#include <stddef.h>
#include <string.h>

#define MS     UINT64_C(1000000)
#define SECOND (1000 * MS)
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)
#define YEAR   (365 * DAY)
#define KIB    UINT64_C(1024)
#define MIB    (1024 * KIB)
#define GIB    (1024 * MIB)

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static const pawl_name_form profile_form = {NULL, LOWER DIGITS "._-", 64, "1 to 64 of a-z, 0-9, '.', '_' and '-'"};
static const pawl_name_form name_form = {LOWER, LOWER DIGITS "_-", 64,
                                         "a letter a-z, then up to 63 of a-z, 0-9, '_' and '-'"};
static const pawl_name_form id_form = {NULL, LOWER DIGITS ".-", 128, "1 to 128 of a-z, 0-9, '.' and '-'"};
static const pawl_name_form effect_form = {NULL, LOWER UPPER DIGITS "._-", 256,
                                           "1 to 256 of letters, digits, '.', '_' and '-'"};
static const pawl_name_form attribute_form = {LOWER, LOWER DIGITS "_", 64,
                                              "a letter a-z, then up to 63 of a-z, 0-9 and '_'"};
static const pawl_name_form user_form = {NULL, LOWER UPPER DIGITS "._-", 32,
                                         "1 to 32 of letters, digits, '.', '_' and '-'"};
static const pawl_name_form text_form = {NULL, NULL, 256, "1 to 256 bytes of printable text"};
const pawl_name_form pawl_code_form = {NULL, LOWER UPPER DIGITS "._:-", 128,
                                       "1 to 128 of letters, digits, '.', '_', ':' and '-'"};

static const pawl_choice schema_choices[] = {{"enforce", PAWL_SCHEMAS_ENFORCE}, {"off", PAWL_SCHEMAS_OFF}, {NULL, 0}};
static const pawl_choice tiers[] = {{"inline", PAWL_TIER_INLINE},
                                    {"crash_safe", PAWL_TIER_CRASH_SAFE},
                                    {"durable", PAWL_TIER_DURABLE},
                                    {"replicated", PAWL_TIER_REPLICATED},
                                    {NULL, 0}};
static const pawl_choice on_exhausted[] = {{"fail", 0}, {"pause", 1}, {NULL, 0}};
static const pawl_choice when_open[] = {{"wait", 0}, {"fail", 1}, {NULL, 0}};
static const pawl_choice levels[] = {
    {"debug", PAWL_LOG_DEBUG}, {"info", PAWL_LOG_INFO}, {"warn", PAWL_LOG_WARN}, {"error", PAWL_LOG_ERROR}, {NULL, 0}};
static const pawl_choice isolations[] = {{"none", PAWL_ISOLATION_NONE}, {"process", PAWL_ISOLATION_PROCESS}, {NULL, 0}};
static const pawl_choice filters[] = {
    {"strict", PAWL_SECCOMP_STRICT}, {"network", PAWL_SECCOMP_NETWORK}, {"off", PAWL_SECCOMP_OFF}, {NULL, 0}};
static const pawl_choice formats[] = {{"text", 0}, {"json", 1}, {NULL, 0}};

/* ---- stores, facets, plugins, connectors ---- */

#define AT(member) .offset = offsetof(THIS, member)

#define THIS pawl_profile_store
static const pawl_key store_keys[] = {
    {"provider", PAWL_KEY_TEXT, AT(provider), .place_offset = offsetof(THIS, provider_place), .required = true,
     .form = &id_form},
    {"config", PAWL_KEY_CONFIG, AT(config)},
    {.name = NULL},
};
#undef THIS
static const pawl_section store_section = {.keys = store_keys,
                                           .size = sizeof(pawl_profile_store),
                                           .name_offset = offsetof(pawl_profile_store, name),
                                           .place_offset = offsetof(pawl_profile_store, place),
                                           .form = &name_form};

#define THIS pawl_profile
static const pawl_key facet_keys[] = {
    {"session", PAWL_KEY_FACET, AT(facets[PAWL_FACET_SESSION]), .form = &name_form},
    {"attachment", PAWL_KEY_FACET, AT(facets[PAWL_FACET_ATTACHMENT]), .form = &name_form},
    {"artifact", PAWL_KEY_FACET, AT(facets[PAWL_FACET_ARTIFACT]), .form = &name_form},
    {"registry", PAWL_KEY_FACET, AT(facets[PAWL_FACET_REGISTRY]), .form = &name_form},
    {.name = NULL},
};
#undef THIS
static const pawl_section facet_section = {.keys = facet_keys};

#define THIS pawl_profile_plugin
static const pawl_key isolation_keys[] = {
    {"memory", PAWL_KEY_SIZE, AT(limits.memory_bytes), .min = 16 * MIB, .max = 1024 * GIB, .initial = "256MiB"},
    {"cpu", PAWL_KEY_DURATION, AT(limits.cpu_ns), .min = 0, .max = DAY, .initial = "30s"},
    {"open_files", PAWL_KEY_COUNT, AT(limits.open_files), .min = 16, .max = 1000000, .initial = "64"},
    {"processes", PAWL_KEY_COUNT, AT(limits.processes), .min = 0, .max = 100000, .initial = "0"},
    {"user", PAWL_KEY_TEXT, AT(limits.user), .form = &user_form},
    {"seccomp", PAWL_KEY_CHOICE, AT(limits.seccomp), .initial = "strict", .choices = filters},
    {"workers", PAWL_KEY_COUNT, AT(limits.workers), .min = 1, .max = 64, .initial = "1"},
    {.name = NULL},
};
static const pawl_section isolation_section = {.keys = isolation_keys};

static const pawl_key plugin_keys[] = {
    {"path", PAWL_KEY_PATH, AT(path), .required = true},
    {"sha256", PAWL_KEY_SHA256, AT(sha256)},
    {"dev", PAWL_KEY_FLAG, AT(dev), .initial = "false"},
    {"optional", PAWL_KEY_FLAG, AT(optional), .initial = "false"},
    {"current", PAWL_KEY_FLAG, AT(current), .initial = "false"},
    {"isolation", PAWL_KEY_CHOICE, AT(isolation), .initial = "none", .choices = isolations},
    {"limits", PAWL_KEY_SECTION, .section = &isolation_section},
    {"config", PAWL_KEY_CONFIG, AT(config)},
    {.name = NULL},
};
#undef THIS
static const pawl_section plugin_section = {
    .keys = plugin_keys, .size = sizeof(pawl_profile_plugin), .place_offset = offsetof(pawl_profile_plugin, place)};

/* Offsets within the member `guards` of an effect or connector: both have the same struct. */
#define RATE(member)                                                                                                   \
    .offset = (offsetof(pawl_profile_guards, rate_limit.member) - offsetof(pawl_profile_guards, rate_limit))
#define CIRCUIT(member)                                                                                                \
    .offset = (offsetof(pawl_profile_guards, circuit.member) - offsetof(pawl_profile_guards, circuit))

static const pawl_key rate_keys[] = {
    {"rate", PAWL_KEY_COUNT, RATE(rate), .min = 1, .max = 1000000, .required = true},
    {"per", PAWL_KEY_DURATION, RATE(per_ns), .min = MS, .max = HOUR, .initial = "1s"},
    {"burst", PAWL_KEY_COUNT, RATE(burst), .min = 0, .max = 1000000, .initial = "0"},
    {.name = NULL},
};
static const pawl_section rate_section = {.keys = rate_keys, .optional = true};

static const pawl_key circuit_keys[] = {
    {"window", PAWL_KEY_COUNT, CIRCUIT(config.window), .min = 1, .max = 100000, .initial = "100"},
    {"window_time", PAWL_KEY_DURATION, CIRCUIT(config.window_ns), .min = 0, .max = DAY, .initial = "0"},
    {"calls_min", PAWL_KEY_COUNT, CIRCUIT(config.calls_min), .min = 1, .max = 100000, .initial = "100"},
    {"failure_rate", PAWL_KEY_DECIMAL, CIRCUIT(config.failure_rate), .min = 0, .max = 1, .initial = "0.5"},
    {"slow_rate", PAWL_KEY_DECIMAL, CIRCUIT(config.slow_rate), .min = 0, .max = 1, .initial = "1.0"},
    {"slow_call", PAWL_KEY_DURATION, CIRCUIT(config.slow_call_ns), .min = MS, .max = DAY, .initial = "60s"},
    {"open", PAWL_KEY_DURATION, CIRCUIT(config.open_ns), .min = MS, .max = DAY, .initial = "60s"},
    {"probes", PAWL_KEY_COUNT, CIRCUIT(config.probes), .min = 1, .max = 10000, .initial = "10"},
    {"terminal_fails", PAWL_KEY_FLAG, CIRCUIT(config.terminal_fails), .initial = "false"},
    {"when_open", PAWL_KEY_CHOICE_FLAG, CIRCUIT(config.fails_when_open), .initial = "wait", .choices = when_open},
    {.name = NULL},
};
static const pawl_section circuit_section = {.keys = circuit_keys, .optional = true};

#define THIS pawl_profile_connector
static const pawl_key connector_keys[] = {
    {"plugin", PAWL_KEY_TEXT, AT(plugin), .place_offset = offsetof(THIS, plugin_place), .required = true,
     .form = &id_form},
    {"config", PAWL_KEY_CONFIG, AT(config)},
    {"concurrency", PAWL_KEY_COUNT, AT(concurrency), .min = 0, .max = 100000, .initial = "0"},
    {"queue", PAWL_KEY_COUNT, AT(queue), .min = 0, .max = PAWL_QUEUE_ANY, .initial = "1000000"},
    {"rate_limit", PAWL_KEY_SECTION, AT(guards.rate_limit), .section = &rate_section},
    {"circuit", PAWL_KEY_SECTION, AT(guards.circuit), .section = &circuit_section},
    {"order", PAWL_KEY_CODES, AT(guards.order), .max = 16, .place_offset = offsetof(THIS, guards.order_place),
     .optional_codes = true},
    {.name = NULL},
};
#undef THIS
static const pawl_section connector_section = {.keys = connector_keys,
                                               .size = sizeof(pawl_profile_connector),
                                               .name_offset = offsetof(pawl_profile_connector, name),
                                               .place_offset = offsetof(pawl_profile_connector, place),
                                               .form = &name_form};

/* ---- middleware and observers ---- */

#define THIS pawl_profile_middleware
static const pawl_key middleware_keys[] = {
    {"plugin", PAWL_KEY_TEXT, AT(plugin), .place_offset = offsetof(THIS, plugin_place), .required = true,
     .form = &id_form},
    {"config", PAWL_KEY_CONFIG, AT(config)},
    {.name = NULL},
};
#undef THIS
static const pawl_section middleware_section = {.keys = middleware_keys,
                                                .size = sizeof(pawl_profile_middleware),
                                                .name_offset = offsetof(pawl_profile_middleware, name),
                                                .place_offset = offsetof(pawl_profile_middleware, place),
                                                .form = &name_form};

#define THIS pawl_profile_observer
static const pawl_key observer_keys[] = {
    {"plugin", PAWL_KEY_TEXT, AT(plugin), .place_offset = offsetof(THIS, plugin_place), .required = true,
     .form = &id_form},
    {"config", PAWL_KEY_CONFIG, AT(config)},
    {"slow", PAWL_KEY_DURATION, AT(slow_ns), .min = MS / 1000, .max = HOUR, .initial = "10ms"},
    {.name = NULL},
};
#undef THIS
static const pawl_section observer_section = {.keys = observer_keys,
                                              .size = sizeof(pawl_profile_observer),
                                              .place_offset = offsetof(pawl_profile_observer, place)};

/* ---- effects and retries ---- */

#define THIS pawl_retry_policy
static const pawl_key retry_keys[] = {
    {"attempts", PAWL_KEY_COUNT, AT(attempts_max), .min = 0, .max = 1000000, .initial = "5", .set = PAWL_SET_ATTEMPTS},
    {"first_delay", PAWL_KEY_DURATION, AT(first_delay_ns), .min = MS, .max = YEAR, .initial = "200ms",
     .set = PAWL_SET_FIRST_DELAY},
    {"factor", PAWL_KEY_DECIMAL, AT(factor), .min = 1, .max = 100, .initial = "2.0", .set = PAWL_SET_FACTOR},
    {"max_delay", PAWL_KEY_DURATION, AT(delay_max_ns), .min = MS, .max = YEAR, .initial = "30s",
     .set = PAWL_SET_MAX_DELAY},
    {"jitter", PAWL_KEY_DECIMAL, AT(jitter), .min = 0, .max = 1, .initial = "0.2", .set = PAWL_SET_JITTER},
    {"elapsed_max", PAWL_KEY_DURATION, AT(elapsed_max_ns), .min = 0, .max = 10 * YEAR, .initial = "1h",
     .set = PAWL_SET_ELAPSED_MAX},
    {"on_exhausted", PAWL_KEY_CHOICE_FLAG, AT(pause_when_exhausted), .initial = "fail", .set = PAWL_SET_ON_EXHAUSTED,
     .choices = on_exhausted},
    {"non_retryable", PAWL_KEY_CODES, AT(non_retryable), .max = 64, .set = PAWL_SET_NON_RETRYABLE},
    {.name = NULL},
};
#undef THIS
static const pawl_section retry_section = {.keys = retry_keys};

#define THIS pawl_profile_effect
static const pawl_key effect_keys[] = {
    {"timeout", PAWL_KEY_DURATION, AT(timeout_ns), .min = 0, .max = YEAR, .set = PAWL_SET_TIMEOUT},
    {"deadline", PAWL_KEY_DURATION, AT(deadline_ns), .min = 0, .max = YEAR, .set = PAWL_SET_DEADLINE},
    {"retry", PAWL_KEY_SECTION, AT(retry), .section = &retry_section},
    {"concurrency", PAWL_KEY_COUNT, AT(concurrency), .min = 1, .max = 100000, .set = PAWL_SET_CONCURRENCY},
    {"rate_limit", PAWL_KEY_SECTION, AT(guards.rate_limit), .section = &rate_section},
    {"circuit", PAWL_KEY_SECTION, AT(guards.circuit), .section = &circuit_section},
    {"order", PAWL_KEY_CODES, AT(guards.order), .max = 16, .place_offset = offsetof(THIS, guards.order_place),
     .optional_codes = true},
    {.name = NULL},
};
#undef THIS
static const pawl_section effect_section = {.keys = effect_keys,
                                            .size = sizeof(pawl_profile_effect),
                                            .name_offset = offsetof(pawl_profile_effect, name),
                                            .place_offset = offsetof(pawl_profile_effect, place),
                                            .set_offset = offsetof(pawl_profile_effect, set),
                                            .tracked = true,
                                            .form = &effect_form};

/* ---- attributes ---- */

static const pawl_choice attribute_types[] = {{"keyword", PAWL_ATTRIBUTE_KEYWORD}, {"integer", PAWL_ATTRIBUTE_INTEGER},
                                              {"number", PAWL_ATTRIBUTE_NUMBER},   {"boolean", PAWL_ATTRIBUTE_BOOLEAN},
                                              {"time", PAWL_ATTRIBUTE_TIME},       {NULL, 0}};
static const pawl_key attribute_value = {"NAME", PAWL_KEY_CHOICE, .offset = offsetof(pawl_profile_attribute, type),
                                         .choices = attribute_types};
static const pawl_section attribute_section = {.value = &attribute_value,
                                               .size = sizeof(pawl_profile_attribute),
                                               .name_offset = offsetof(pawl_profile_attribute, name),
                                               .place_offset = offsetof(pawl_profile_attribute, place),
                                               .form = &attribute_form};
/* ---- process types ---- */

#define THIS pawl_profile_type
static const pawl_key per_key_keys[] = {
    {"concurrency", PAWL_KEY_COUNT, AT(per_key.concurrency), .min = 0, .max = 10000000, .initial = "0"},
    {"rate_limit", PAWL_KEY_SECTION, AT(per_key.rate_limit), .section = &rate_section},
    {.name = NULL},
};
static const pawl_section per_key_section = {.keys = per_key_keys};

static const pawl_key type_keys[] = {
    {"concurrency", PAWL_KEY_COUNT, AT(whole.concurrency), .min = 0, .max = 10000000, .initial = "0"},
    {"rate_limit", PAWL_KEY_SECTION, AT(whole.rate_limit), .section = &rate_section},
    {"per_key", PAWL_KEY_SECTION, .section = &per_key_section},
    {"exclusive", PAWL_KEY_FLAG, AT(exclusive), .initial = "false"},
    {"deadline", PAWL_KEY_DURATION, AT(deadline_ns), .min = 0, .max = 100 * YEAR, .initial = "0"},
    {.name = NULL},
};
#undef THIS
static const pawl_section type_section = {.keys = type_keys,
                                          .size = sizeof(pawl_profile_type),
                                          .name_offset = offsetof(pawl_profile_type, name),
                                          .place_offset = offsetof(pawl_profile_type, place),
                                          .form = &effect_form};

/* ---- schedules ---- */

static const pawl_name_form schedule_form = {NULL, LOWER UPPER DIGITS "._-", 128,
                                             "1 to 128 of letters, digits, '.', '_' and '-'"};
static const pawl_key schedule_value = {"NAME", PAWL_KEY_CONFIG, .offset = offsetof(pawl_profile_schedule, spec)};
static const pawl_section schedule_section = {.value = &schedule_value,
                                              .size = sizeof(pawl_profile_schedule),
                                              .name_offset = offsetof(pawl_profile_schedule, name),
                                              .place_offset = offsetof(pawl_profile_schedule, place),
                                              .form = &schedule_form};

/* ---- retention ---- */

static const pawl_key keep_value = {"NAME", PAWL_KEY_DURATION, .offset = offsetof(pawl_profile_keep, ended_ns),
                                    .min = 0, .max = 100 * YEAR};
static const pawl_section keep_section = {.value = &keep_value,
                                          .size = sizeof(pawl_profile_keep),
                                          .name_offset = offsetof(pawl_profile_keep, name),
                                          .place_offset = offsetof(pawl_profile_keep, place),
                                          .form = &effect_form};

#define THIS pawl_profile
static const pawl_key retention_keys[] = {
    {"ended", PAWL_KEY_DURATION, AT(retention.ended_ns), .min = 0, .max = 100 * YEAR, .initial = "0"},
    {"types", PAWL_KEY_MAP, AT(retention.types), .count_offset = offsetof(THIS, retention.type_count),
     .section = &keep_section},
    {"max", PAWL_KEY_COUNT, AT(retention.max), .min = 0, .max = 1000000000, .initial = "0"},
    {"ids", PAWL_KEY_DURATION, AT(retention.ids_ns), .min = 0, .max = 100 * YEAR, .initial = "0"},
    {"unreferenced", PAWL_KEY_DURATION, AT(retention.unreferenced_ns), .min = 0, .max = 100 * YEAR, .initial = "1h"},
    {.name = NULL},
};
static const pawl_section retention_section = {.keys = retention_keys};

static const pawl_key session_keys[] = {
    {"known", PAWL_KEY_FLAG, AT(sessions.known), .initial = "false"},
    {.name = NULL},
};
#undef THIS
static const pawl_section session_section = {.keys = session_keys};

/* ---- settings of the host itself ---- */

#define THIS pawl_profile
static const pawl_key timeout_keys[] = {
    {"call", PAWL_KEY_DURATION, AT(timeouts.call_ns), .min = 0, .max = YEAR, .initial = "30s"},
    {"cancel_grace", PAWL_KEY_DURATION, AT(timeouts.cancel_grace_ns), .min = MS, .max = DAY, .initial = "10s"},
    {"stop_grace", PAWL_KEY_DURATION, AT(timeouts.stop_grace_ns), .min = MS, .max = DAY, .initial = "30s"},
    {"activation_warn", PAWL_KEY_DURATION, AT(timeouts.activation_warn_ns), .min = MS, .max = HOUR, .initial = "2s"},
    {.name = NULL},
};
static const pawl_section timeout_section = {.keys = timeout_keys};

static const pawl_key limit_keys[] = {
    {"value", PAWL_KEY_SIZE, AT(limits.value_bytes), .min = KIB, .max = GIB, .initial = "4MiB"},
    {"journal_warn", PAWL_KEY_SIZE, AT(limits.journal_warn_bytes), .min = KIB, .max = 64 * GIB, .initial = "32MiB"},
    {"journal_max", PAWL_KEY_SIZE, AT(limits.journal_max_bytes), .min = 64 * KIB, .max = 64 * GIB, .initial = "64MiB"},
    {"input", PAWL_KEY_SIZE, AT(limits.input_bytes), .min = KIB, .max = GIB, .initial = "4MiB"},
    {"resident", PAWL_KEY_COUNT, AT(limits.resident), .min = 1, .max = 10000000, .initial = "10000"},
    {"effects_queued", PAWL_KEY_COUNT, AT(limits.effects_queued), .min = 1, .max = 10000000, .initial = "10000"},
    {"requests", PAWL_KEY_COUNT, AT(limits.requests), .min = 1, .max = 65536, .initial = "256"},
    {"plugin_file", PAWL_KEY_SIZE, AT(limits.plugin_file_bytes), .min = KIB, .max = 4 * GIB, .initial = "256MiB"},
    {"attachment", PAWL_KEY_SIZE, AT(limits.attachment_bytes), .min = KIB, .max = 1024 * GIB, .initial = "4GiB"},
    {.name = NULL},
};
static const pawl_section limit_section = {.keys = limit_keys};

static const pawl_key worker_keys[] = {
    {"name", PAWL_KEY_TEXT, AT(worker.name), .form = &text_form},
    {"shards", PAWL_KEY_COUNT, AT(worker.shards), .min = 0, .max = 1024, .initial = "0"},
    {"effect_threads", PAWL_KEY_COUNT, AT(worker.effect_threads), .min = 1, .max = 4096, .initial = "16"},
    {"lease_ttl", PAWL_KEY_DURATION, AT(worker.lease_ttl_ns), .min = 300 * MS, .max = DAY, .initial = "15s"},
    {"heartbeat", PAWL_KEY_DURATION, AT(worker.heartbeat_ns), .min = 100 * MS, .max = HOUR, .initial = "5s"},
    {"enabled", PAWL_KEY_FLAG, AT(worker.enabled), .initial = "true"},
    {.name = NULL},
};
static const pawl_section worker_section = {.keys = worker_keys};

static const pawl_key log_keys[] = {
    {"level", PAWL_KEY_CHOICE, AT(log.level), .initial = "info", .choices = levels},
    {"format", PAWL_KEY_CHOICE_FLAG, AT(log.json), .initial = "text", .choices = formats},
    {.name = NULL},
};
static const pawl_section log_section = {.keys = log_keys};

static const pawl_key profile_keys[] = {
    {"profile", PAWL_KEY_TEXT, AT(name), .required = true, .form = &profile_form},
    {"tier", PAWL_KEY_CHOICE, AT(tier), .required = true, .choices = tiers},
    {"schemas", PAWL_KEY_CHOICE, AT(schemas), .initial = "enforce", .choices = schema_choices},
    {"data", PAWL_KEY_PATH, AT(data), .required = true},
    {"socket", PAWL_KEY_PATH, AT(socket)},
    {"stores", PAWL_KEY_MAP, AT(stores), .count_offset = offsetof(THIS, store_count), .required = true,
     .section = &store_section},
    {"facets", PAWL_KEY_SECTION, .section = &facet_section},
    {"plugins", PAWL_KEY_LIST, AT(plugins), .count_offset = offsetof(THIS, plugin_count), .section = &plugin_section},
    {"connectors", PAWL_KEY_MAP, AT(connectors), .count_offset = offsetof(THIS, connector_count),
     .section = &connector_section},
    {"middleware", PAWL_KEY_MAP, AT(middleware), .count_offset = offsetof(THIS, middleware_count),
     .section = &middleware_section},
    {"observers", PAWL_KEY_LIST, AT(observers), .count_offset = offsetof(THIS, observer_count),
     .section = &observer_section},
    {"effects", PAWL_KEY_MAP, AT(effects), .count_offset = offsetof(THIS, effect_count), .section = &effect_section},
    {"types", PAWL_KEY_MAP, AT(types), .count_offset = offsetof(THIS, type_count), .section = &type_section},
    {"retry", PAWL_KEY_SECTION, AT(retry), .section = &retry_section},
    {"timeouts", PAWL_KEY_SECTION, .section = &timeout_section},
    {"limits", PAWL_KEY_SECTION, .section = &limit_section},
    {"worker", PAWL_KEY_SECTION, .section = &worker_section},
    {"log", PAWL_KEY_SECTION, .section = &log_section},
    {"attributes", PAWL_KEY_MAP, AT(attributes), .count_offset = offsetof(THIS, attribute_count),
     .section = &attribute_section},
    {"schedules", PAWL_KEY_MAP, AT(schedules), .count_offset = offsetof(THIS, schedule_count),
     .section = &schedule_section},
    {"retention", PAWL_KEY_SECTION, .section = &retention_section},
    {"sessions", PAWL_KEY_SECTION, .section = &session_section},
    {.name = NULL},
};
const pawl_section pawl_profile_section = {.keys = profile_keys, .set_offset = offsetof(THIS, retry_set)};
#undef THIS

/* ---- going by it ---- */

static void walk(const pawl_section *section, const char *prefix, pawl_key_visit visit, void *context)
{
    for (const pawl_key *key = section->keys; key && key->name; key++) {
        char path[256];
        (void)snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", key->name);
        visit(context, path, key);
        if (!key->section)
            continue;
        char inner[300];
        const char *element = key->kind == PAWL_KEY_MAP ? ".NAME" : key->kind == PAWL_KEY_LIST ? "[]" : "";
        (void)snprintf(inner, sizeof(inner), "%s%s", path, element);
        if (key->section->value)
            visit(context, inner, key->section->value);
        walk(key->section, inner, visit, context);
    }
}

void pawl_profile_schema_walk(pawl_key_visit visit, void *context)
{
    walk(&pawl_profile_section, "", visit, context);
}

bool pawl_name_fits(const pawl_name_form *form, const char *text, size_t size)
{
    if (size == 0 || size > form->size_max || strlen(text) != size)
        return false;
    if (form->first && !strchr(form->first, text[0]))
        return false;
    if (form->rest)
        return strspn(text, form->rest) == size;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return true;
}
