/* fake_host.c: see fake_host.h. */
#include "tests/plugins/fake_host.h"

#include <dirent.h>
#include <dlfcn.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct pawl_sink {
    char *data;
    size_t size, limit;
};
struct pawl_failure_sink {
    fake_answer *answer;
    bool set;
};
struct pawl_cancel_token {
    atomic_int asked;
    int fd;
};
struct pawl_call_context {
    fake_host *host;
};
struct pawl_upload {
    fake_host *host;
    unsigned char *data;
    size_t size;
};

uint64_t fake_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int fake_count_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;
    assert_non_null(directory);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

/* ---- pawl.core/1 ---- */

static pawl_status PAWL_CALL sink_write(pawl_sink *sink, const void *data, size_t size)
{
    if (size > sink->limit - sink->size)
        return PAWL_E_LIMIT;
    sink->data = realloc(sink->data, sink->size + size + 1);
    memcpy(sink->data + sink->size, data, size);
    sink->size += size;
    sink->data[sink->size] = '\0';
    return PAWL_OK;
}

static void PAWL_CALL take_failure(pawl_failure_sink *sink, const pawl_failure *failure)
{
    fake_answer *answer = sink->answer;
    if (sink->set)
        return;
    sink->set = true;
    assert_true(failure->code.size > 0 && failure->code.size <= 128 && failure->message.size <= 4096);
    answer->klass = failure->klass;
    memcpy(answer->code, failure->code.data, failure->code.size);
    memcpy(answer->message, failure->message.data, failure->message.size);
    answer->retry_after_ns = failure->retry_after_ns;
    if (failure->detail_json.size > 0) {
        answer->detail = json_loadb(failure->detail_json.data, failure->detail_json.size, 0, NULL);
        assert_true(json_is_object(answer->detail));
    }
}

static int32_t PAWL_CALL cancel_requested(const pawl_cancel_token *token)
{
    return token == NULL ? 0 : atomic_load(&token->asked);
}

static int32_t PAWL_CALL cancel_fd(const pawl_cancel_token *token)
{
    return token == NULL ? -1 : token->fd;
}

static void PAWL_CALL complete(pawl_completion *completion, pawl_status status, pawl_bytes result,
                               const pawl_failure *failure)
{
    (void)completion;
    (void)status;
    (void)result;
    (void)failure;
    abort(); /* no connector here completes later */
}

static void PAWL_CALL log_line(const pawl_host_root *host, uint32_t level, pawl_bytes message, pawl_bytes fields)
{
    (void)host;
    (void)level;
    (void)message;
    (void)fields;
}

static uint64_t PAWL_CALL mono_now(const pawl_host_root *host)
{
    (void)host;
    return fake_now_ns();
}

static uint64_t PAWL_CALL unix_now(const pawl_host_root *host)
{
    (void)host;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- pawl.attachments/1 ---- */

static void tell(pawl_failure_sink *why, const char *code)
{
    pawl_failure failure = pawl_failure_of(PAWL_TERMINAL, code, "by the test host", 0);
    take_failure(why, &failure);
}

static pawl_status PAWL_CALL begin(const pawl_call_context *context, pawl_bytes media_type, pawl_bytes name,
                                   pawl_upload **upload, pawl_failure_sink *why)
{
    (void)media_type;
    (void)name;
    (void)why;
    *upload = calloc(1, sizeof **upload);
    (*upload)->host = context->host;
    context->host->uploads_open++;
    return PAWL_OK;
}

static pawl_status PAWL_CALL write_chunk(pawl_upload *upload, pawl_bytes chunk, pawl_failure_sink *why)
{
    (void)why;
    assert_true(chunk.size > 0);
    upload->data = realloc(upload->data, upload->size + chunk.size);
    memcpy(upload->data + upload->size, chunk.data, chunk.size);
    upload->size += chunk.size;
    return PAWL_OK;
}

static void PAWL_CALL abort_upload(pawl_upload *upload)
{
    if (upload == NULL)
        return;
    upload->host->uploads_open--;
    free(upload->data);
    free(upload);
}

const char *fake_attachment_put(fake_host *host, const void *data, size_t size)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    fake_attachment *a = calloc(1, sizeof *a);
    a->data = malloc(size + 1);
    memcpy(a->data, size == 0 ? "" : data, size);
    a->size = size;
    assert_int_equal(EVP_Digest(a->data, size, digest, NULL, EVP_sha256(), NULL), 1);
    strcpy(a->reference, "sha256:");
    for (int i = 0; i < 32; i++)
        snprintf(a->reference + 7 + 2 * i, 3, "%02x", digest[i]);
    a->next = host->attachments;
    host->attachments = a;
    return a->reference;
}

static pawl_status PAWL_CALL commit(pawl_upload *upload, pawl_sink *reference, pawl_failure_sink *why)
{
    (void)why;
    const char *text = fake_attachment_put(upload->host, upload->data, upload->size);
    abort_upload(upload);
    return sink_write(reference, text, strlen(text));
}

const fake_attachment *fake_attachment_find(const fake_host *host, const char *reference)
{
    const fake_attachment *a = host->attachments;
    while (a != NULL && strcmp(a->reference, reference) != 0)
        a = a->next;
    return a;
}

static pawl_status PAWL_CALL load(const pawl_call_context *context, pawl_bytes reference, uint64_t offset, void *buffer,
                                  size_t size, size_t *loaded, uint64_t *total, pawl_failure_sink *why)
{
    char text[72] = "";
    assert_true(reference.size < sizeof text);
    memcpy(text, reference.data, reference.size);
    const fake_attachment *a = fake_attachment_find(context->host, text);
    if (a == NULL) {
        tell(why, "attachment.not_found");
        return PAWL_E_NOT_FOUND;
    }
    size_t left = offset < a->size ? a->size - (size_t)offset : 0;
    *loaded = left < size ? left : size;
    memcpy(buffer, a->data + (a->size - left), *loaded);
    *total = a->size;
    return PAWL_OK;
}

static const void *PAWL_CALL get_extension(const pawl_host_root *root, const char *id)
{
    static const pawl_core core = {sizeof core, 0,        sink_write, take_failure, cancel_requested,
                                   cancel_fd,   complete, log_line,   mono_now,     unix_now};
    static const pawl_attachments attachments = {sizeof attachments, 0,    begin, write_chunk, commit,
                                                 abort_upload,       NULL, load};
    const fake_host *host = root->host_data;
    if (strcmp(id, PAWL_EXT_CORE) == 0)
        return &core;
    return strcmp(id, PAWL_EXT_ATTACHMENTS) == 0 && !host->no_attachments ? &attachments : NULL;
}

/* ---- the host ---- */

static pawl_bytes exact(const char *text)
{
    size_t size = text == NULL ? 0 : strlen(text);
    pawl_bytes bytes = {NULL, size};
    if (size > 0) {
        void *copy = malloc(size);
        memcpy(copy, text, size);
        bytes.data = copy;
    }
    return bytes;
}

static void drop(pawl_bytes bytes)
{
    free((void *)(uintptr_t)bytes.data);
}

fake_host *fake_host_open(const char *name)
{
    char path[4096];
    fake_host *host = calloc(1, sizeof *host);
    snprintf(path, sizeof path, "%s/pawl-%s.so", PAWL_TEST_PLUGINS, name);
    host->root = (pawl_host_root){sizeof host->root, PAWL_ABI_MAJOR, PAWL_ABI_MINOR, "test", "0", host, get_extension};
    host->output_limit = (size_t)4 << 20;
    host->library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (host->library == NULL)
        fail_msg("%s", dlerror());
    pawl_plugin_entry_fn entry;
    *(void **)&entry = dlsym(host->library, PAWL_PLUGIN_ENTRY_SYMBOL);
    assert_non_null(entry);
    host->plugin = entry();
    pawl_bytes config = exact("{}");
    fake_answer answer = {0};
    pawl_failure_sink why = {&answer, false};
    assert_int_equal(host->plugin->init(&host->root, config, &why), PAWL_OK);
    drop(config);
    host->table = host->plugin->get_factory(PAWL_FACTORY_CONNECTOR);
    assert_non_null(host->table);
    assert_null(host->plugin->get_factory(PAWL_FACTORY_EFFECT));
    host->descriptors_before = fake_count_descriptors();
    return host;
}

void fake_host_close(fake_host *host)
{
    if (host == NULL)
        return;
    host->table->destroy(host->instance);
    host->table->destroy(NULL);
    assert_int_equal(host->uploads_open, 0);
    assert_int_equal(fake_count_descriptors(), host->descriptors_before);
    host->plugin->deinit(&host->root);
    while (host->attachments != NULL) {
        fake_attachment *a = host->attachments;
        host->attachments = a->next;
        free(a->data);
        free(a);
    }
    dlclose(host->library);
    free(host);
}

fake_answer fake_create(fake_host *host, const char *config)
{
    fake_answer answer = {0};
    pawl_failure_sink why = {&answer, false};
    pawl_bytes name = exact("unit"), json = exact(config);
    host->table->destroy(host->instance);
    host->instance = NULL;
    answer.status = host->table->create(&host->root, name, json, &host->instance, &why);
    assert_true(answer.status == PAWL_OK ? host->instance != NULL : host->instance == NULL && why.set);
    drop(name);
    drop(json);
    return answer;
}

void fake_must_create(fake_host *host, const char *config)
{
    fake_answer answer = fake_create(host, config);
    if (answer.status != PAWL_OK)
        fail_msg("%s: %s", answer.code, answer.message);
    fake_answer_free(&answer);
}

fake_answer fake_call(fake_host *host, const char *operation, const char *input, const fake_options *options)
{
    static const fake_options plain;
    const fake_options *o = options == NULL ? &plain : options;
    fake_answer answer = {0};
    pawl_failure_sink why = {&answer, false};
    pawl_sink out = {NULL, 0, host->output_limit};
    pawl_call_context context = {host};
    pawl_effect_call call = {.struct_size = sizeof call,
                             .attempt = o->attempt == 0 ? 1 : o->attempt,
                             .host = &host->root,
                             .context = &context,
                             .operation = exact(operation),
                             .input = exact(input),
                             .idempotency_key = exact(o->key == NULL ? "p/1/2" : o->key),
                             .trace_context = exact(o->trace),
                             .cancel = o->cancel};
    uint64_t begun = fake_now_ns();
    if (o->timeout_ns != 0)
        call.deadline_mono_ns = begun + o->timeout_ns;
    answer.status = host->table->invoke(host->instance, &call, &out, &why);
    answer.took_ns = fake_now_ns() - begun;
    drop(call.operation);
    drop(call.input);
    drop(call.idempotency_key);
    drop(call.trace_context);
    if (answer.status == PAWL_OK) {
        assert_false(why.set);
        answer.json = json_loadb(out.data, out.size, 0, NULL);
        if (answer.json == NULL)
            fail_msg("the result is not JSON: %.*s", (int)out.size, out.data);
    } else {
        assert_true(answer.status < 0);
        assert_true(why.set); /* a first-party connector always says why */
    }
    free(out.data);
    return answer;
}

fake_answer fake_callf(fake_host *host, const char *operation, const char *format, ...)
{
    char *input;
    va_list args;
    va_start(args, format);
    assert_true(vasprintf(&input, format, args) >= 0);
    va_end(args);
    fake_answer answer = fake_call(host, operation, input, NULL);
    free(input);
    return answer;
}

void fake_answer_free(fake_answer *answer)
{
    json_decref(answer->json);
    json_decref(answer->detail);
    answer->json = answer->detail = NULL;
}

void fake_expect_failure(fake_answer answer, pawl_status status, uint32_t klass, const char *code)
{
    if (answer.status != status || answer.klass != klass || strcmp(answer.code, code) != 0)
        fail_msg("expected status %d, class %u, %s; got status %d, class %u, %s: %s", (int)status, klass, code,
                 (int)answer.status, answer.klass, answer.code, answer.message);
    fake_answer_free(&answer);
}

void fake_expect_ok(const fake_answer *answer)
{
    if (answer->status != PAWL_OK)
        fail_msg("expected success, got status %d, class %u, %s: %s", (int)answer->status, answer->klass, answer->code,
                 answer->message);
}

const char *fake_text(const fake_answer *answer, const char *key)
{
    fake_expect_ok(answer);
    const char *text = json_string_value(json_object_get(answer->json, key));
    if (text == NULL)
        fail_msg("the result has no text \"%s\"", key);
    return text;
}

json_int_t fake_integer(const fake_answer *answer, const char *key)
{
    fake_expect_ok(answer);
    const json_t *value = json_object_get(answer->json, key);
    if (!json_is_integer(value))
        fail_msg("the result has no integer \"%s\"", key);
    return json_integer_value(value);
}

pawl_cancel_token *fake_cancel_create(void)
{
    pawl_cancel_token *token = calloc(1, sizeof *token);
    token->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_true(token->fd >= 0);
    return token;
}

void fake_cancel_ask(pawl_cancel_token *token)
{
    atomic_store(&token->asked, 1);
    assert_int_equal(eventfd_write(token->fd, 1), 0);
}

void fake_cancel_destroy(pawl_cancel_token *token)
{
    close(token->fd);
    free(token);
}
