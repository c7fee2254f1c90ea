/* guest_main.c: pawl-plugin-host: from its start to the plugin that serves. The order is the promise: limits, user and
 * filter before any code of the plugin, the plugin's own contract after it. Usage: pawl-plugin-host COPY ID, started by
 * a host only, with its socket as descriptor 3. */
#include "guest.h"

#include "host/loader/elf_image.h"
#include "host/loader/refuse.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void stage(guest *g, const char *text)
{
    pawl_guest_say(g, WIRE_STAGE, 0, text);
}

/* ---- the first word ---- */

static char *text_of(pawl_bytes bytes)
{
    return strndup(bytes.data == NULL ? "" : bytes.data, bytes.size);
}

static pawl_status take_hello(guest *g, pawl_error *error)
{
    wire_message message;
    pawl_guest_receive(g, &message);
    g->hello_bytes = malloc(message.payload.size + 1);
    if (g->hello_bytes == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "loader.nomem", "out of memory");
    memcpy(g->hello_bytes, message.payload.data, message.payload.size);
    if (message.kind != WIRE_HELLO ||
        !pawl_wire_read_hello((pawl_bytes){g->hello_bytes, message.payload.size}, &g->hello) ||
        g->hello.version != WIRE_VERSION)
        return pawl_error_set(error, PAWL_E_UNSUPPORTED, "isolation.version",
                              "pawl-plugin-host is of another version than the host; install both together");
    g->reader.payload_max = SIZE_MAX; /* from here on the host is believed */
    g->host_version = text_of(g->hello.host_version);
    return g->host_version == NULL ? pawl_error_set(error, PAWL_E_NOMEM, "loader.nomem", "out of memory") : PAWL_OK;
}

/* ---- the plugin ---- */

/* A copy in memory, for a user who may not reach the file. -1: not to be had. */
static int copy_to_memory(int fd)
{
    char chunk[65536];
    ssize_t size = -1;
    int copy = memfd_create("plugin", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    while (copy >= 0 && (size = read(fd, chunk, sizeof chunk)) > 0)
        for (ssize_t done = 0, part; done < size; done += part)
            if ((part = write(copy, chunk + done, (size_t)(size - done))) <= 0)
                return -1;
    if (copy < 0 || size < 0 || fcntl(copy, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        return -1;
    return copy;
}

/* Where the plugin is to be loaded from: the host's copy, whose digest was checked as it was made. */
static pawl_status prepare(guest *g, const char *copy_path, elf_image *image, char *ret_path, size_t room,
                           pawl_error *error)
{
    char subject[512];
    snprintf(subject, sizeof subject, "%.*s", (int)g->hello.subject.size, (const char *)g->hello.subject.data);
    int fd = open(copy_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return pawl_loader_refuse(error, "loader.unreadable", subject, "its copy %s cannot be opened: %s", copy_path,
                                  strerror(errno));
    pawl_status status = pawl_elf_image_read(fd, image, error);
    if (status == PAWL_OK)
        status = pawl_elf_image_judge(image, subject, error);
    snprintf(ret_path, room, "%s", copy_path);
    if (status == PAWL_OK && g->hello.change_user != 0) {
        int copy = lseek(fd, 0, SEEK_SET) == 0 ? copy_to_memory(fd) : -1;
        if (copy < 0)
            status = pawl_error_set(error, PAWL_E_IO, "isolation.limit", "%s: no copy in memory for its user: %s",
                                    subject, strerror(errno));
        snprintf(ret_path, room, "/proc/self/fd/%d", copy);
    }
    close(fd);
    return status;
}

static pawl_status load(guest *g, const char *path, const char *subject, pawl_plugin_entry_fn *ret, pawl_error *error)
{
    stage(g, "dlopen (a constructor of the plugin, or of a library it needs)");
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == NULL)
        return pawl_loader_refuse_load(error, subject, dlerror());
    void *symbol = dlsym(library, PAWL_PLUGIN_ENTRY_SYMBOL);
    if (symbol == NULL)
        return pawl_loader_refuse(error, "loader.no_entry", subject, "does not export the function %s",
                                  PAWL_PLUGIN_ENTRY_SYMBOL);
    memcpy(ret, &symbol, sizeof symbol);
    return PAWL_OK;
}

static pawl_status begin(guest *g, const char *path, const char *subject, const elf_image *image, pawl_error *error)
{
    pawl_bytes note = {image->manifest, image->manifest_size};
    pawl_manifest *manifest = NULL;
    pawl_plugin_entry_fn entry = NULL;
    char *config = text_of(g->hello.config);
    pawl_status status = config == NULL ? pawl_error_set(error, PAWL_E_NOMEM, "loader.nomem", "out of memory")
                                        : pawl_manifest_parse(note, &manifest, error);
    if (status == PAWL_OK)
        status = load(g, path, subject, &entry, error);
    if (status == PAWL_OK && entry != NULL) {
        stage(g, PAWL_PLUGIN_ENTRY_SYMBOL);
        status = pawl_contract_take_root(entry(), manifest, note, subject, &g->plugin, error);
    }
    if (status == PAWL_OK) {
        stage(g, "init");
        status = pawl_contract_init(&g->plugin, &g->root, config, subject, error);
    }
    if (status == PAWL_OK) {
        stage(g, "get_factory");
        status = pawl_contract_take_tables(&g->plugin, manifest, subject, &g->tables, error);
    }
    pawl_manifest_destroy(manifest);
    free(config);
    return status;
}

static pawl_status set_up(guest *g, const char *copy_path, pawl_error *error)
{
    elf_image image = {.manifest = NULL};
    char path[4200];
    pawl_status status = take_hello(g, error);
    if (status != PAWL_OK)
        return status;
    char *subject = text_of(g->hello.subject);
    pawl_guest_root_init(g);
    stage(g, "its fence");
    status = prepare(g, copy_path, &image, path, sizeof path, error);
    if (status == PAWL_OK)
        status = pawl_guest_fence(&g->hello, error);
    if (status == PAWL_OK)
        status = begin(g, path, subject == NULL ? "plugin" : subject, &image, error);
    pawl_elf_image_finish(&image);
    free(subject);
    return status;
}

static int refused(guest *g, const pawl_error *error)
{
    const wire_end end = {.status = error->status < 0 ? error->status : PAWL_E_FAILED,
                          .flags = WIRE_FAILURE,
                          .klass = PAWL_TERMINAL,
                          .code = pawl_bytes_text(error->code),
                          .message = pawl_bytes_text(error->message)};
    pawl_guest_tell_end(g, WIRE_REFUSED, 0, &end);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    pawl_error error = {.status = PAWL_OK};
    if (argc != 3) {
        fprintf(stderr, "pawl-plugin-host is started by a Pawl host to run a plugin; it is of no use by itself\n");
        return EXIT_FAILURE;
    }
    fcntl(WIRE_CHANNEL, F_SETFD, FD_CLOEXEC);
    signal(SIGPIPE, SIG_IGN);
    guest *g = calloc(1, sizeof *g);
    if (g == NULL)
        return EXIT_FAILURE;
    g->reader.payload_max = WIRE_CONFIG_MAX + WIRE_MORE;
    pthread_mutex_init(&g->turn, NULL);
    pthread_mutex_init(&g->writing, NULL);
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->changed, NULL);
    if (set_up(g, argv[1], &error) != PAWL_OK)
        return refused(g, &error);
    pawl_guest_say(g, WIRE_READY, 0, "");
    pawl_guest_serve(g);
    g->plugin.deinit(&g->root);
    return EXIT_SUCCESS;
}

/* Under a sanitizer an error of the plugin shall look like what it is: a crash. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GUEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GUEST_SANITIZED 1
#endif
#endif
#ifdef GUEST_SANITIZED
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
