/* wild_plugin.c: a plugin that does, when asked to, what no plugin may: it dies, hangs, eats memory, starts processes,
 * talks nonsense to the host. Only ever run in a process of its own. Input of most effects is a JSON string that says
 * what. */
#include <pawl_plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHANNEL 3 /* where a hostile plugin would find the host */

static char directory[300]; /* written once, by init */

static int is(const pawl_effect_call *call, const char *text)
{
    char quoted[100];
    snprintf(quoted, sizeof quoted, "\"%s\"", text);
    return pawl_is(call->input, quoted);
}

/* ---- well-behaved ones ---- */

/* Something a test can see from outside. */
static void note(const char *name)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

static int noted(const char *name)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return access(path, F_OK) == 0;
}

static pawl_status echo(const pawl_core *core, const pawl_effect_call *call, pawl_sink *out)
{
    return pawl_write(core, out, call->input.data, call->input.size);
}

/* Until the test lets it go, whatever it is told. */
static pawl_status hold(const pawl_core *core, pawl_sink *out)
{
    const struct timespec pause = {0, 2000000};
    note("held");
    while (!noted("go"))
        nanosleep(&pause, NULL);
    return pawl_write_text(core, out, "\"let go\"");
}

static pawl_status wait_to_stop(const pawl_core *core, const pawl_effect_call *call)
{
    struct pollfd stop = {.fd = core->cancel_fd(call->cancel), .events = POLLIN};
    note("waiting");
    while (!pawl_call_cancelled(core, call))
        (void)poll(&stop, 1, 1000);
    return PAWL_E_CANCELLED;
}

static pawl_status tell_all(const pawl_core *core, const pawl_effect_call *call, pawl_sink *out)
{
    char command[400] = "";
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? 0 : read(fd, command, sizeof command - 1);
    if (fd >= 0)
        close(fd);
    for (ssize_t i = 0; i < size; i++)
        if (command[i] == '\0')
            command[i] = ' ';
    int descriptors = 0;
    for (int i = 0; i < 1024; i++)
        descriptors += fcntl(i, F_GETFD) >= 0;
    pawl_logf(core, call->host, PAWL_LOG_INFO, "it was told to tell all");
    return pawl_writef(core, out,
                       "{\"pid\":%d,\"parent\":%d,\"uid\":%d,\"secret\":%s,\"command\":\"%s\",\"descriptors\":%d,"
                       "\"key\":\"%.*s\",\"attempt\":%u,\"deadline\":%s}",
                       (int)getpid(), (int)getppid(), (int)getuid(), getenv("WILD_SECRET") == NULL ? "null" : "1",
                       command, descriptors, (int)call->idempotency_key.size, (const char *)call->idempotency_key.data,
                       (unsigned)call->attempt, call->deadline_mono_ns > core->mono_now_ns(call->host) ? "1" : "0");
}

static pawl_status fail_in_some_way(const pawl_core *core, const pawl_effect_call *call, pawl_sink *out,
                                    pawl_failure_sink *why)
{
    if (is(call, "detail"))
        return pawl_fail_detail(core, why, PAWL_TERMINAL, "wild.detail", "with details",
                                pawl_bytes_of_text("{\"a\":[1,2]}"));
    if (is(call, "bare"))
        return PAWL_E_CONFLICT;
    if (is(call, "odd"))
        return 123456;
    if (is(call, "large")) {
        static const char piece[1024];
        while (core->sink_write(out, piece, sizeof piece) == PAWL_OK)
            continue;
        return PAWL_OK;
    }
    return pawl_fail_with(core, why, PAWL_TERMINAL, "wild.plain", "it failed, as asked");
}

static const pawl_attachments *attachments_of(const pawl_effect_call *call)
{
    return (const pawl_attachments *)call->host->get_extension(call->host, PAWL_EXT_ATTACHMENTS);
}

/* Input is the number of bytes to store, and how it ends. */
static pawl_status store(const pawl_core *core, const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_attachments *attachments = attachments_of(call);
    char text[32];
    snprintf(text, sizeof text, "%.*s", (int)call->input.size, (const char *)call->input.data);
    size_t size = strtoul(text, NULL, 10);
    char *content = malloc(size + 1);
    pawl_upload *upload = NULL;
    if (content == NULL)
        return PAWL_E_NOMEM;
    for (size_t i = 0; i < size; i++)
        content[i] = (char)('a' + i % 23);
    pawl_status status =
        attachments->begin(call->context, pawl_bytes_of_text("text/plain"), pawl_bytes_of_text("it"), &upload, why);
    if (status == PAWL_OK)
        status = attachments->write(upload, pawl_bytes_of(content, size), why);
    free(content);
    if (status != PAWL_OK)
        return status;
    if (size == 666) { /* dies amid an upload */
        abort();
    }
    if (size == 665) /* forgets it */
        return pawl_write_text(core, out, "null");
    pawl_write_text(core, out, "\"");
    status = attachments->commit(upload, out, why);
    pawl_write_text(core, out, "\"");
    return status;
}

/* What was stored, as its length and a sum of its bytes, by both ways of reading. */
static pawl_status load(const pawl_core *core, const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_attachments *attachments = attachments_of(call);
    pawl_bytes reference = pawl_bytes_of((const char *)call->input.data + 1, call->input.size - 2);
    static const size_t room = 4u << 20;
    unsigned char *content = malloc(room);
    size_t loaded = 0;
    uint64_t total = 0;
    unsigned long sum = 0;
    pawl_status status = content == NULL
                             ? PAWL_E_NOMEM
                             : attachments->load(call->context, reference, 0, content, room, &loaded, &total, why);
    for (size_t i = 0; status == PAWL_OK && i < loaded; i++)
        sum += content[i];
    free(content);
    if (status != PAWL_OK)
        return status;
    pawl_writef(core, out, "{\"size\":%lu,\"total\":%lu,\"sum\":%lu,\"head\":\"", (unsigned long)loaded,
                (unsigned long)total, sum);
    status = attachments->read(call->context, reference, 1, 5, out, &total, why);
    pawl_write_text(core, out, "\"}");
    return status;
}

/* ---- wild ones ---- */

static void talk_nonsense(const char *how)
{
    unsigned char message[64];
    memset(message, 0xFF, sizeof message);
    if (strcmp(how, "unasked") == 0) { /* the end of a call that it does not have */
        memset(message, 0, sizeof message);
        message[0] = 40;
        message[4] = 36;
        message[8] = 77;
    }
    ssize_t written = write(CHANNEL, message, 16 + 40);
    (void)written;
}

static pawl_status die(const pawl_effect_call *call)
{
    volatile int *nowhere = NULL;
    note("dying");
    if (is(call, "segv"))
        *nowhere = 1;
    if (is(call, "abort"))
        abort();
    if (is(call, "exit"))
        exit(3);
    if (is(call, "garbage") || is(call, "unasked"))
        talk_nonsense(is(call, "garbage") ? "garbage" : "unasked");
    if (is(call, "close"))
        close(CHANNEL);
    for (;;)
        pause();
}

/* Once; when it is asked again it is well. */
static pawl_status die_once(const pawl_core *core, const pawl_effect_call *call, pawl_sink *out)
{
    if (!noted("died")) {
        note("died");
        abort();
    }
    return echo(core, call, out);
}

static pawl_status hang(void)
{
    note("hanging");
    for (;;)
        pause();
}

static pawl_status chatter(const pawl_core *core, const pawl_effect_call *call, pawl_sink *out)
{
    for (int i = 0; i < 5000; i++)
        pawl_logf(core, call->host, i == 0 ? PAWL_LOG_INFO : PAWL_LOG_DEBUG, "chatter %d", i);
    return pawl_write_text(core, out, "1");
}

static pawl_status spin(void)
{
    for (volatile unsigned i = 0;; i++)
        continue;
}

/* Takes memory until there is none, and says how many MiB that were. */
static pawl_status eat(const pawl_core *core, pawl_sink *out)
{
    unsigned eaten = 0;
    char *all = NULL;
    for (char *piece; eaten < 4096 && (piece = malloc(1u << 20)) != NULL; eaten++) {
        memset(piece, 1, 1u << 20);
        *(char **)(void *)piece = all;
        all = piece;
    }
    while (all != NULL) {
        char *next = *(char **)(void *)all;
        free(all);
        all = next;
    }
    return pawl_writef(core, out, "%u", eaten);
}

static pawl_status open_many(const pawl_core *core, pawl_sink *out)
{
    int fds[2000];
    int count = 0;
    while (count < 2000 && (fds[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        count++;
    for (int i = 0; i < count; i++)
        close(fds[i]);
    return pawl_writef(core, out, "%d", count);
}

static pawl_status multiply(const pawl_core *core, pawl_sink *out)
{
    unsigned born = 0;
    for (int i = 0; i < 100; i++) {
        pid_t child = fork();
        if (child == 0)
            for (;;)
                pause();
        born += child > 0;
    }
    return pawl_writef(core, out, "%u", born);
}

/* What it is not allowed to do, and what it gets: the error number, or 0. */
static pawl_status trespass(const pawl_core *core, const pawl_effect_call *call, pawl_sink *out)
{
    int result = 0;
    char path[400];
    snprintf(path, sizeof path, "%s/trespassed", directory);
    errno = 0;
    if (is(call, "ptrace"))
        result = (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    if (is(call, "socket"))
        result = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (is(call, "write"))
        result = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (is(call, "read"))
        result = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
    if (is(call, "kill"))
        result = kill(getppid(), 0);
    if (is(call, "limit")) {
        const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
        result = setrlimit(RLIMIT_NOFILE, &all);
    }
    int problem = result < 0 ? errno : 0;
    if (result > 2)
        close(result);
    return pawl_writef(core, out, "%d", problem);
}

static pawl_status PAWL_CALL execute(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_of(call->host);
    if (pawl_is(call->operation, "wild.echo") || pawl_is(call->operation, "wild.quick") ||
        pawl_is(call->operation, "wild.typed"))
        return echo(core, call, out);
    if (pawl_is(call->operation, "wild.tell"))
        return tell_all(core, call, out);
    if (pawl_is(call->operation, "wild.fail"))
        return fail_in_some_way(core, call, out, why);
    if (pawl_is(call->operation, "wild.store"))
        return store(core, call, out, why);
    if (pawl_is(call->operation, "wild.load"))
        return load(core, call, out, why);
    if (pawl_is(call->operation, "wild.hold"))
        return hold(core, out);
    if (pawl_is(call->operation, "wild.wait"))
        return wait_to_stop(core, call);
    if (pawl_is(call->operation, "wild.once"))
        return die_once(core, call, out);
    if (pawl_is(call->operation, "wild.hang"))
        return hang();
    if (pawl_is(call->operation, "wild.chatter"))
        return chatter(core, call, out);
    if (pawl_is(call->operation, "wild.spin"))
        return spin();
    if (pawl_is(call->operation, "wild.eat"))
        return eat(core, out);
    if (pawl_is(call->operation, "wild.open"))
        return open_many(core, out);
    if (pawl_is(call->operation, "wild.multiply"))
        return multiply(core, out);
    if (pawl_is(call->operation, "wild.trespass"))
        return trespass(core, call, out);
    return die(call);
}

/* An asynchronous one: on a thread of its own. */
typedef struct later {
    const pawl_effect_call *call;
    pawl_completion *done;
} later;

static void *end_later(void *context)
{
    const later own = *(later *)context;
    const pawl_core *core = pawl_core_of(own.call->host);
    free(context);
    if (is(own.call, "fail"))
        pawl_completed_failed(core, own.done, PAWL_TERMINAL, "wild.later", "it failed later");
    else
        pawl_completed(core, own.done, own.call->input.data, own.call->input.size);
    return NULL;
}

static pawl_status PAWL_CALL start(const pawl_effect_call *call, pawl_completion *done, pawl_failure_sink *why)
{
    pthread_t thread;
    later *own = malloc(sizeof *own);
    if (is(call, "refuse") || own == NULL) {
        free(own);
        return pawl_fail_with(pawl_core_of(call->host), why, PAWL_TERMINAL, "wild.refused", "not now");
    }
    own->call = call;
    own->done = done;
    if (pthread_create(&thread, NULL, end_later, own) != 0) {
        free(own);
        return PAWL_E_NOMEM;
    }
    pthread_detach(thread);
    return PAWL_PENDING;
}

/* The deed is done when it has noted so. */
static pawl_status PAWL_CALL reconcile(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_of(call->host);
    (void)why;
    if (noted("dying"))
        return pawl_write_text(core, out, "\"it happened\"");
    return PAWL_E_NOT_FOUND;
}

PAWL_EFFECT_TABLE(effects, execute, start, reconcile);

/* ---- a connector ---- */

struct pawl_connector {
    char name[64];
    char greeting[100];
};

static void text_between(pawl_bytes json, const char *before, char *to, size_t room)
{
    char all[512];
    snprintf(all, sizeof all, "%.*s", (int)json.size, (const char *)json.data);
    const char *at = strstr(all, before);
    if (at != NULL)
        snprintf(to, room, "%.*s", (int)strcspn(at + strlen(before), "\""), at + strlen(before));
}

static pawl_status PAWL_CALL create(const pawl_host_root *host, pawl_bytes name, pawl_bytes config_json,
                                    pawl_connector **instance, pawl_failure_sink *why)
{
    pawl_connector *own = calloc(1, sizeof *own);
    if (own == NULL)
        return PAWL_E_NOMEM;
    snprintf(own->name, sizeof own->name, "%.*s", (int)name.size, (const char *)name.data);
    text_between(config_json, "\"greeting\":\"", own->greeting, sizeof own->greeting);
    if (own->greeting[0] == '\0')
        text_between(config_json, "\"greeting\": \"", own->greeting, sizeof own->greeting);
    if (strcmp(own->greeting, "abort") == 0)
        abort();
    if (own->greeting[0] == '\0') {
        free(own);
        return pawl_fail_with(pawl_core_of(host), why, PAWL_TERMINAL, "wild.config", "wanted a greeting");
    }
    *instance = own;
    return PAWL_OK;
}

static void PAWL_CALL destroy(pawl_connector *instance)
{
    if (instance != NULL)
        note("destroyed");
    free(instance);
}

static pawl_status PAWL_CALL invoke(pawl_connector *instance, const pawl_effect_call *call, pawl_sink *out,
                                    pawl_failure_sink *why)
{
    (void)why;
    if (is(call, "abort"))
        abort();
    return pawl_writef(pawl_core_of(call->host), out, "\"%s from %s\"", instance->greeting, instance->name);
}
PAWL_CONNECTOR_TABLE(connector, create, destroy, invoke, NULL, NULL);

/* ---- the plugin ---- */

static const void *PAWL_CALL get_factory(const char *factory_id)
{
    if (strcmp(factory_id, PAWL_FACTORY_EFFECT) == 0)
        return &effects;
    return strcmp(factory_id, PAWL_FACTORY_CONNECTOR) == 0 ? (const void *)&connector : NULL;
}

static pawl_status PAWL_CALL init(const pawl_host_root *host, pawl_bytes config_json, pawl_failure_sink *why)
{
    char mood[32] = "";
    text_between(config_json, "\"directory\":\"", directory, sizeof directory);
    if (directory[0] == '\0')
        text_between(config_json, "\"directory\": \"", directory, sizeof directory);
    text_between(config_json, "\"mood\":\"", mood, sizeof mood);
    if (mood[0] == '\0')
        text_between(config_json, "\"mood\": \"", mood, sizeof mood);
    if (strcmp(mood, "crash") == 0)
        abort();
    if (strcmp(mood, "exit") == 0)
        exit(7);
    if (strcmp(mood, "hang") == 0)
        for (;;)
            pause();
    if (strcmp(mood, "refuse") == 0)
        return pawl_fail_with(pawl_core_of(host), why, PAWL_TERMINAL, "wild.mood", "not in the mood");
    if (strcmp(mood, "crash_again") == 0 && noted("dying"))
        abort();
    return PAWL_OK;
}

static void PAWL_CALL deinit(const pawl_host_root *host)
{
    (void)host;
    note("deinited");
}

/* clang-format off */
#define EFFECT(name, more) "{\"name\":\"" name "\",\"input_schema\":true,\"output_schema\":true," more "}"
#define TYPED(name) \
    "{\"name\":\"" name "\",\"input_schema\":{\"type\":\"integer\"},\"output_schema\":{\"maximum\":9}," PLAIN "}"
#define PLAIN "\"outcome\":\"idempotent\""
#define MANIFEST \
    "{\"manifest_version\":1,\"id\":\"test.wild\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0}," \
    "\"kinds\":[\"effect\",\"connector\"],\"effects\":[" \
    EFFECT("wild.echo", PLAIN) "," EFFECT("wild.quick", PLAIN ",\"runs\":\"inline\"") "," \
    EFFECT("wild.later", PLAIN ",\"runs\":\"async\"") "," EFFECT("wild.tell", PLAIN) "," \
    EFFECT("wild.fail", PLAIN ",\"retry\":{\"attempts\":1}") "," EFFECT("wild.store", PLAIN ",\"retry\":{\"attempts\":1}") "," \
    EFFECT("wild.load", PLAIN) "," TYPED("wild.typed") "," EFFECT("wild.chatter", PLAIN) "," EFFECT("wild.hold", PLAIN) "," EFFECT("wild.wait", PLAIN) "," EFFECT("wild.eat", PLAIN) "," \
    EFFECT("wild.open", PLAIN) "," EFFECT("wild.multiply", PLAIN) "," \
    EFFECT("wild.trespass", PLAIN ",\"retry\":{\"attempts\":1}") "," EFFECT("wild.once", PLAIN) "," \
    EFFECT("wild.hang", "\"outcome\":\"at_most_once\"") "," EFFECT("wild.spin", "\"outcome\":\"at_most_once\"") "," \
    EFFECT("wild.die", "\"outcome\":\"at_most_once\"") "," EFFECT("wild.ask", "\"outcome\":\"reconcile\"") "]," \
    "\"connector\":{\"concurrency\":\"serial\",\"config_schema\":true,\"operations\":[" \
    EFFECT("greet", PLAIN ",\"retry\":{\"attempts\":1}") "]}}"
/* clang-format on */
PAWL_PLUGIN("test.wild", "1.0.0", "Pawl", MANIFEST, init, deinit, get_factory);
