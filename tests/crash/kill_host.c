/* kill_host.c: see kill_line.h. One host for a program, real clocks. */
#include "kill_line.h"

#include "plugins/rocksdb/rocksdb.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static kill_completed told;

static pawl_status sink_write(pawl_sink *sink, const void *data, size_t size)
{
    (void)sink;
    (void)data;
    (void)size;
    return PAWL_OK;
}

static void fail(pawl_failure_sink *sink, const pawl_failure *failure)
{
    snprintf(sink->code, sizeof sink->code, "%.*s", (int)failure->code.size, (const char *)failure->code.data);
    snprintf(sink->message, sizeof sink->message, "%.*s", (int)failure->message.size,
             (const char *)failure->message.data);
}

static void log_line(const pawl_host_root *host, uint32_t level, pawl_bytes message, pawl_bytes fields_json)
{
    (void)host;
    (void)fields_json;
    if (level >= PAWL_LOG_ERROR)
        fprintf(stderr, "store: %.*s\n", (int)message.size, (const char *)message.data);
}

static uint64_t now_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t mono_now_ns(const pawl_host_root *host)
{
    (void)host;
    return now_of(CLOCK_MONOTONIC);
}

static uint64_t unix_now_ns(const pawl_host_root *host)
{
    (void)host;
    return now_of(CLOCK_REALTIME);
}

static void completed(pawl_registry_op *const *ops, size_t count)
{
    for (size_t i = 0; i < count; i++)
        told(ops[i]);
}

static void event(void *listener, const pawl_registry_event *happened)
{
    (void)listener;
    (void)happened;
}

static const pawl_core core = {
    .struct_size = sizeof core,
    .sink_write = sink_write,
    .fail = fail,
    .log = log_line,
    .mono_now_ns = mono_now_ns,
    .unix_now_ns = unix_now_ns,
};
static const pawl_registry_host registry_host = {
    .struct_size = sizeof registry_host, .completed = completed, .event = event};

static const void *get_extension(const pawl_host_root *host, const char *id)
{
    (void)host;
    if (strcmp(id, PAWL_EXT_CORE) == 0)
        return &core;
    return strcmp(id, PAWL_EXT_REGISTRY_HOST) == 0 ? &registry_host : NULL;
}

const pawl_host_root *kill_host(kill_completed function)
{
    static const pawl_host_root root = {
        .struct_size = sizeof root,
        .abi_major = PAWL_ABI_MAJOR,
        .name = "registry-kill",
        .version = "1",
        .get_extension = get_extension,
    };
    if (function != NULL)
        told = function;
    return &root;
}

pawl_store *kill_open(const char *directory, uint32_t sync, const pawl_storage_table **storage,
                      const pawl_registry_table **registry)
{
    char config[400];
    pawl_failure_sink why = {.code = ""};
    pawl_store *store = NULL;
    const pawl_plugin_root *plugin = pawl_rocksdb_plugin();
    const pawl_host_root *host = kill_host(NULL);
    /* Small buffers, so that files are written and a kill meets that too. */
    snprintf(config, sizeof config, "{\"path\":\"%s\",\"sync\":%s,\"write_buffer_bytes\":1048576}", directory,
             sync ? "true" : "false");
    if (plugin->init(host, (pawl_bytes){"{}", 2}, &why) == PAWL_OK) {
        *storage = plugin->get_factory(PAWL_FACTORY_STORAGE);
        *registry = plugin->get_factory(PAWL_FACTORY_REGISTRY);
        if ((*storage)->open(host, (pawl_bytes){config, strlen(config)}, &store, &why) == PAWL_OK)
            return store;
    }
    fprintf(stderr, "cannot open %s: %s\n", directory, why.message);
    return NULL;
}

void kill_body(char body[KILL_BODY_BYTES], uint32_t incarnation, uint32_t op, uint32_t part, uint32_t parts)
{
    memset(body, ' ', KILL_BODY_BYTES);
    int size = snprintf(body, KILL_BODY_BYTES, "op %u/%u.%u of %u", incarnation, op, part, parts);
    body[size] = ' ';
}

void kill_fingerprint(uint8_t fingerprint[16], const char *a, const char *b)
{
    char text[17] = {0};
    snprintf(text, sizeof text, "%.9s/%.6s", a, b);
    memcpy(fingerprint, text, 16);
}
