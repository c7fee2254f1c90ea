/* support.c: see support.h. */
#include "support.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/cli/cli.h"

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *place)
{
    (void)found;
    (void)kind;
    (void)place;
    return remove(path);
}

void fixture_file(const fixture *f, const char *name, const char *content, char *path)
{
    snprintf(path, 256, "%s/%s", f->directory, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(content, file);
    assert_int_equal(fclose(file), 0);
}

fixture *fixture_bare(const char *profile_lines)
{
    fixture *f = calloc(1, sizeof *f);
    const char *base = getenv("TMPDIR");
    char text[1024];
    char path[256];
    snprintf(f->directory, sizeof f->directory, "%.80s/pawl-cli-XXXXXX", base == NULL ? "/tmp" : base);
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->socket, sizeof f->socket, "%s/pawl.sock", f->directory);
    snprintf(text, sizeof text, "profile: test\nsocket: %s\ndata: %s\n%s", f->socket, f->directory, profile_lines);
    fixture_file(f, "pawl.yaml", text, path);
    snprintf(f->profile, sizeof f->profile, "%.150s", path);
    return f;
}

fixture *fixture_open(const char *profile_lines)
{
    fixture *f = fixture_bare(profile_lines);
    pawl_host_options options = {.struct_size = sizeof options, .profile_path = f->profile};
    pawl_error error = {0};
    assert_int_equal(pawl_host_open(&options, &f->host, &error), PAWL_OK);
    pawl_api_server_options server_options = {.host = f->host};
    if (pawl_api_server_open(&server_options, &f->server, &error) != PAWL_OK)
        fail_msg("%s", error.message);
    assert_int_equal(pawl_client_open(f->socket, "test", &f->client, &error), PAWL_OK);
    return f;
}

void fixture_close(fixture *f)
{
    pawl_client_close(f->client);
    pawl_api_server_close(f->server);
    pawl_host_close(f->host);
    nftw(f->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
}

long ask(fixture *f, const char *method, const char *path, const char *body, json_t **ret_json, pawl_error *error)
{
    json_t *sent = body == NULL ? NULL : json_loads(body, 0, NULL);
    pawl_client_reply reply;
    pawl_error ignored = {0};
    assert_true(body == NULL || sent != NULL);
    pawl_status status =
        pawl_client_call(f->client, method, path, sent, 20000, &reply, error == NULL ? &ignored : error);
    json_decref(sent);
    if (ret_json != NULL)
        *ret_json = status == PAWL_OK ? json_incref(reply.json) : NULL;
    if (status != PAWL_OK && error == NULL)
        fail_msg("%s %s: %s", method, path, ignored.message);
    long http_status = status == PAWL_OK ? reply.http_status : 0;
    if (status == PAWL_OK)
        pawl_client_reply_finish(&reply);
    return http_status;
}

void ask_well(fixture *f, const char *method, const char *path, const char *body, long http_status)
{
    assert_int_equal(ask(f, method, path, body, NULL, NULL), http_status);
}

char *ask_raw(const fixture *f, const char *request)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", f->socket);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(descriptor, (struct sockaddr *)&address, sizeof address), 0);
    for (size_t sent = 0, size = strlen(request); sent < size;) {
        ssize_t part = send(descriptor, request + sent, size - sent, MSG_NOSIGNAL);
        if (part <= 0)
            break;
        sent += (size_t)part;
    }
    char *text = calloc(1, 65536);
    size_t used = 0;
    ssize_t part;
    while (used < 65535 && (part = read(descriptor, text + used, 65535 - used)) > 0)
        used += (size_t)part;
    close(descriptor);
    return text;
}

command_run run_command(const fixture *f, const char *in, ...)
{
    char *words[64] = {(char *)(uintptr_t) "pawl"};
    int count = 1;
    va_list rest;
    va_start(rest, in);
    while ((words[count] = va_arg(rest, char *)) != NULL)
        count++;
    va_end(rest);
    if (f != NULL) {
        words[count++] = (char *)(uintptr_t) "--socket";
        words[count++] = (char *)(uintptr_t)f->socket;
    }
    command_run run = {0};
    size_t out_size = 0;
    size_t err_size = 0;
    FILE *out = open_memstream(&run.out, &out_size);
    FILE *err = open_memstream(&run.err, &err_size);
    char nothing[1] = "\n";
    FILE *from = in == NULL ? fmemopen(nothing, 1, "r") : fmemopen((char *)(uintptr_t)in, strlen(in), "r");
    run.exit_code = pawl_cli_main(count, words, from, out, err);
    fclose(from);
    fclose(out);
    fclose(err);
    return run;
}

void run_free(command_run *run)
{
    free(run->out);
    free(run->err);
}

void assert_exit(const command_run *run, int exit_code)
{
    if (run->exit_code != exit_code)
        fail_msg("exit code %d, wanted %d\nout: %s\nerr: %s", run->exit_code, exit_code, run->out, run->err);
}

void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in: %s", part, text);
}
