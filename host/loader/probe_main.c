/* probe_main.c: pawl-probe, the child process in which a plugin's code runs for the first time: load, init, describe,
 * deinit, end. Says on descriptor 3 how far it came, so that its parent can tell where it died. It must never catch
 * what the plugin does wrong: to die of it is its purpose. Usage: pawl-probe COPY SUBJECT, started by a host only. */
#include "contract.h"
#include "elf_image.h"
#include "probe.h"
#include "refuse.h"
#include "worker/base/sink.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MISSING_MAX = 512 };
#define CONFIG_BYTES_MAX ((size_t)16 << 20)

/* ---- a host with nothing behind it --------------------------------------------------------------------------------
 */

/* What host_data points to: the extensions that were asked for and are not there. */
typedef struct {
    char missing[MISSING_MAX];
} asked;

static pawl_status host_sink_write(pawl_sink *sink, const void *data, size_t size)
{
    return pawl_sink_write(sink, data, size);
}

static void host_fail(pawl_failure_sink *sink, const pawl_failure *failure)
{
    if (sink != NULL && failure != NULL)
        pawl_failure_tell(sink, failure);
}

static int32_t host_cancel_requested(const pawl_cancel_token *token)
{
    (void)token;
    return 0;
}

static int32_t host_cancel_fd(const pawl_cancel_token *token)
{
    (void)token;
    return -1;
}

static void host_complete(pawl_completion *completion, pawl_status status, pawl_bytes result,
                          const pawl_failure *failure)
{
    (void)completion;
    (void)status;
    (void)result;
    (void)failure;
}

static void host_log(const pawl_host_root *host, uint32_t level, pawl_bytes message, pawl_bytes fields_json)
{
    (void)host;
    (void)level;
    (void)message;
    (void)fields_json;
}

static uint64_t now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec;
}

static uint64_t host_mono_now_ns(const pawl_host_root *host)
{
    (void)host;
    return now(CLOCK_MONOTONIC);
}

static uint64_t host_unix_now_ns(const pawl_host_root *host)
{
    (void)host;
    return now(CLOCK_REALTIME);
}

static pawl_status no_begin(const pawl_call_context *context, pawl_bytes media_type, pawl_bytes name,
                            pawl_upload **upload, pawl_failure_sink *why)
{
    (void)context;
    (void)media_type;
    (void)name;
    (void)upload;
    (void)why;
    return PAWL_E_UNSUPPORTED;
}

static pawl_status no_write(pawl_upload *upload, pawl_bytes chunk, pawl_failure_sink *why)
{
    (void)upload;
    (void)chunk;
    (void)why;
    return PAWL_E_UNSUPPORTED;
}

static pawl_status no_commit(pawl_upload *upload, pawl_sink *reference, pawl_failure_sink *why)
{
    (void)upload;
    (void)reference;
    (void)why;
    return PAWL_E_UNSUPPORTED;
}

static void no_abort(pawl_upload *upload)
{
    (void)upload;
}

static pawl_status no_read(const pawl_call_context *context, pawl_bytes reference, uint64_t offset, uint64_t size,
                           pawl_sink *out, uint64_t *total, pawl_failure_sink *why)
{
    (void)context;
    (void)reference;
    (void)offset;
    (void)size;
    (void)out;
    (void)total;
    (void)why;
    return PAWL_E_UNSUPPORTED;
}

static void no_completed(pawl_registry_op *const *ops, size_t count)
{
    (void)ops;
    (void)count;
}

static void no_event(void *listener, const pawl_registry_event *event)
{
    (void)listener;
    (void)event;
}

/* The extensions of this minor: a plugin may look for them in init, although it cannot use any before it is called. */
static const void *host_get_extension(const pawl_host_root *host, const char *id)
{
    static const pawl_core core = {
        sizeof core,   0,        host_sink_write,  host_fail,       host_cancel_requested, host_cancel_fd,
        host_complete, host_log, host_mono_now_ns, host_unix_now_ns};
    static const pawl_attachments attachments = {.struct_size = sizeof attachments,
                                                 .begin = no_begin,
                                                 .write = no_write,
                                                 .commit = no_commit,
                                                 .abort = no_abort,
                                                 .read = no_read};
    static const pawl_registry_host registry = {sizeof registry, 0, no_completed, no_event};
    static const pawl_process_host process = {.struct_size = sizeof process};
    if (id == NULL)
        return NULL;
    if (strcmp(id, PAWL_EXT_CORE) == 0)
        return &core;
    if (strcmp(id, PAWL_EXT_ATTACHMENTS) == 0)
        return &attachments;
    if (strcmp(id, PAWL_EXT_REGISTRY_HOST) == 0)
        return &registry;
    if (strcmp(id, PAWL_EXT_PROCESS_HOST) == 0)
        return &process;
    asked *told = host->host_data;
    size_t used = strlen(told->missing);
    snprintf(told->missing + used, sizeof told->missing - used, " \"%.100s\"", id);
    return NULL;
}

/* ---- the report ---------------------------------------------------------------------------------------------------
 */

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
    char line[2400];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    for (char *c = line; *c != '\0'; c++)
        if (*c == '\n')
            *c = ' ';
    size_t size = strlen(line);
    line[size] = '\n';
    if (write(PROBE_CHANNEL, line, size + 1) < 0)
        _exit(EXIT_FAILURE); /* nobody listens: the host is gone */
}

static int refused(const pawl_error *error)
{
    say("refused %d %s %s", error->status, error->code[0] == '\0' ? "loader.probe_exit" : error->code, error->message);
    return EXIT_SUCCESS;
}

/* ---- the steps ----------------------------------------------------------------------------------------------------
 */

static char *read_config(void)
{
    pawl_sink sink;
    char chunk[4096];
    ssize_t size;
    pawl_sink_init(&sink, CONFIG_BYTES_MAX);
    while ((size = read(PROBE_CHANNEL, chunk, sizeof chunk)) > 0)
        pawl_sink_write(&sink, chunk, (size_t)size);
    char *config = strdup(pawl_sink_text(&sink));
    pawl_sink_finish(&sink);
    return config;
}

static pawl_status load(const char *copy, const char *subject, pawl_plugin_entry_fn *ret, pawl_error *error)
{
    say("stage dlopen (a constructor of the plugin, or of a library it needs)");
    void *library = dlopen(copy, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == NULL)
        return pawl_loader_refuse_load(error, subject, dlerror());
    void *symbol = dlsym(library, PAWL_PLUGIN_ENTRY_SYMBOL);
    if (symbol == NULL)
        return pawl_loader_refuse(error, "loader.no_entry", subject, "does not export the function %s",
                                  PAWL_PLUGIN_ENTRY_SYMBOL);
    memcpy(ret, &symbol, sizeof symbol);
    return PAWL_OK;
}

static pawl_status describe(const pawl_plugin_root *root, const pawl_manifest *manifest, const pawl_host_root *host,
                            const char *config, const char *subject, pawl_error *error)
{
    contract_tables tables;
    const asked *told = host->host_data;
    say("stage init");
    pawl_status status = pawl_contract_init(root, host, config, subject, error);
    if (status != PAWL_OK && told->missing[0] != '\0')
        return pawl_error_wrap(error, "it asked for extensions that this host lacks:%s", told->missing);
    if (status != PAWL_OK)
        return status;
    say("stage get_factory");
    status = pawl_contract_take_tables(root, manifest, subject, &tables, error);
    say("stage deinit");
    root->deinit(host);
    return status;
}

static pawl_status try(const char *copy, const char *subject, const elf_image *image, const char *config,
                       pawl_error *error)
{
    asked told = {.missing = ""};
    const pawl_host_root host = {sizeof host, PAWL_ABI_MAJOR, PAWL_ABI_MINOR,    "pawl-probe",
                                 "1",         &told,          host_get_extension};
    pawl_bytes note = {image->manifest, image->manifest_size};
    pawl_manifest *manifest = NULL;
    pawl_plugin_entry_fn entry = NULL;
    pawl_plugin_root root;
    pawl_status status = pawl_manifest_parse(note, &manifest, error);
    if (status == PAWL_OK)
        status = load(copy, subject, &entry, error);
    if (status == PAWL_OK && entry != NULL) {
        say("stage " PAWL_PLUGIN_ENTRY_SYMBOL);
        status = pawl_contract_take_root(entry(), manifest, note, subject, &root, error);
    }
    if (status == PAWL_OK)
        status = describe(&root, manifest, &host, config, subject, error);
    pawl_manifest_destroy(manifest);
    return status;
}

/* Die with the host, and leave no core file: a crash here is an answer, not an accident. */
static void settle_in(void)
{
    const struct rlimit none = {0, 0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    fcntl(PROBE_CHANNEL, F_SETFD, FD_CLOEXEC);
    setrlimit(RLIMIT_CORE, &none);
}

int main(int argc, char **argv)
{
    pawl_error error = {.status = PAWL_OK};
    elf_image image;
    if (argc != 3) {
        fprintf(stderr, "pawl-probe is started by a Pawl host to try a plugin; it is of no use by itself\n");
        return EXIT_FAILURE;
    }
    settle_in();
    int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    pawl_status status = pawl_elf_image_read(fd, &image, &error);
    if (status == PAWL_OK)
        status = pawl_elf_image_judge(&image, argv[2], &error);
    char *config = read_config();
    if (status == PAWL_OK)
        status = try(argv[1], argv[2], &image, config == NULL ? "{}" : config, &error);
    pawl_elf_image_finish(&image);
    free(config);
    close(fd);
    if (status != PAWL_OK)
        return refused(&error);
    say("stage exit (a destructor of the plugin, or of a library it needs)");
    say("done .");
    return EXIT_SUCCESS;
}

/* Under a sanitizer an error of the plugin shall look like what it is: a crash. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PROBE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PROBE_SANITIZED 1
#endif
#endif
#ifdef PROBE_SANITIZED
#define SIGNALS "handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:abort_on_error=1"
const char *__asan_default_options(void);
const char *__tsan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
    return SIGNALS ":detect_leaks=0";
}
__attribute__((visibility("default"))) const char *__tsan_default_options(void)
{
    return SIGNALS;
}
#endif
