/* attachment.c: `pawl attachment`: content in and out of a store, piece by piece. A file that is written is there when
 * all of it is, under a name of its own until then. */
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/cli/cli.h"

#define REFERENCE_PREFIX "sha256:"

/* "/v1/attachments/SCOPE/REFERENCE" + suffix. */
static char *path_of(const pawl_cli *cli, const char *suffix)
{
    char inner[256];
    const char *reference = cli->argument_count > 1 ? cli->arguments[1] : "";
    if (strlen(reference) > 128) /* none; the server says so */
        reference = "-";
    snprintf(inner, sizeof inner, "/%s%s", reference, suffix);
    for (const char *at = reference; *at != '\0'; at++)
        if (strchr("/?#%", *at) != NULL)
            snprintf(inner, sizeof inner, "/-%s", suffix);
    return pawl_client_path("attachments", cli->arguments[0], inner);
}

/* ---- put ---- */

static long read_more(void *context, char *to, size_t room)
{
    FILE *file = context;
    size_t size = fread(to, 1, room, file);
    return ferror(file) ? -1 : (long)size;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static int send(pawl_cli *cli, FILE *file, uint64_t size, const char *name)
{
    pawl_error error = {0};
    pawl_client_reply reply = {0};
    char *path = pawl_client_path("attachments", cli->arguments[0], "");
    path = pawl_client_query(path, "name", name);
    path = pawl_client_query(path, "media_type", pawl_cli_value(cli, "media-type"));
    path = pawl_client_query(path, "reference", pawl_cli_value(cli, "digest"));
    path = pawl_client_query(path, "known_session", pawl_cli_flag(cli, "known-session") ? "true" : NULL);
    int status = pawl_cli_connect(cli);
    if (status == PAWL_EXIT_OK && pawl_client_send(cli->client, path, size, read_more, file, &reply, &error) != PAWL_OK)
        status = ferror(file) ? pawl_cli_fail(cli, PAWL_EXIT_FAILED, "cli.input", "cannot read %s: %s",
                                              cli->arguments[1], strerror(errno))
                              : pawl_cli_fail_error(cli, &error);
    free(path);
    if (status == PAWL_EXIT_OK && cli->json) {
        pawl_cli_put_json(cli->out, reply.json);
    } else if (status == PAWL_EXIT_OK) {
        pawl_cli_put(cli->out, pawl_cli_text(reply.json, "reference"));
        fputc('\n', cli->out);
    }
    pawl_client_reply_finish(&reply);
    return status;
}

int pawl_cli_attachment_put(pawl_cli *cli)
{
    const char *given = cli->arguments[1];
    const char *name = pawl_cli_value(cli, "name");
    struct stat facts;
    if (strcmp(given, "-") == 0)
        return send(cli, cli->in, PAWL_CLIENT_SIZE_UNKNOWN, name);
    FILE *file = fopen(given, "rbe");
    if (file == NULL || fstat(fileno(file), &facts) != 0 || S_ISDIR(facts.st_mode)) {
        const char *why = file == NULL ? strerror(errno) : "it is no file";
        int status = pawl_cli_fail(cli, PAWL_EXIT_FAILED, "cli.input", "cannot read %s: %s", given, why);
        if (file != NULL)
            fclose(file);
        return status;
    }
    uint64_t size = S_ISREG(facts.st_mode) ? (uint64_t)facts.st_size : PAWL_CLIENT_SIZE_UNKNOWN;
    int status = send(cli, file, size, name == NULL ? last_part(given) : name);
    fclose(file);
    return status;
}

/* ---- get ---- */

typedef struct getting {
    FILE *to;
    EVP_MD_CTX *hash;
    bool failed; /* to write */
} getting;

static bool write_bytes(void *context, const char *data, size_t size)
{
    getting *own = context;
    own->failed = fwrite(data, 1, size, own->to) != size;
    EVP_DigestUpdate(own->hash, data, size);
    return !own->failed;
}

/* "A-B" of --offset and --size; "": the whole. False: the mistake was printed. */
static bool read_range(pawl_cli *cli, char range[64])
{
    uint64_t offset = 0;
    uint64_t size = 0;
    range[0] = '\0';
    if (!pawl_cli_number(cli, "offset", 0, INT64_MAX, 0, &offset) ||
        !pawl_cli_number(cli, "size", 1, INT64_MAX, 0, &size))
        return false;
    if (size > 0)
        snprintf(range, 64, "%" PRIu64 "-%" PRIu64, offset, offset + size - 1);
    else if (offset > 0)
        snprintf(range, 64, "%" PRIu64 "-", offset);
    return true;
}

static bool is_right(EVP_MD_CTX *hash, const char *reference)
{
    unsigned char made[32];
    char text[sizeof REFERENCE_PREFIX + 64] = REFERENCE_PREFIX;
    if (EVP_DigestFinal_ex(hash, made, NULL) != 1)
        return false;
    for (size_t i = 0; i < sizeof made; i++)
        snprintf(text + sizeof REFERENCE_PREFIX - 1 + 2 * i, 3, "%02x", made[i]);
    return strcmp(text, reference) == 0;
}

static int fetch(pawl_cli *cli, FILE *to, const char *range)
{
    pawl_error error = {0};
    getting own = {.to = to, .hash = EVP_MD_CTX_new()};
    char *path = path_of(cli, "");
    int status = pawl_cli_connect(cli);
    if (status == PAWL_EXIT_OK && (own.hash == NULL || EVP_DigestInit_ex(own.hash, EVP_sha256(), NULL) != 1))
        status = pawl_cli_fail(cli, PAWL_EXIT_FAILED, "cli.no_memory", "out of memory");
    if (status == PAWL_EXIT_OK &&
        pawl_client_fetch(cli->client, path, range[0] == '\0' ? NULL : range, write_bytes, &own, &error) != PAWL_OK)
        status = own.failed ? pawl_cli_fail(cli, PAWL_EXIT_FAILED, "cli.output", "cannot write: %s", strerror(errno))
                            : pawl_cli_fail_error(cli, &error);
    if (status == PAWL_EXIT_OK && range[0] == '\0' && !is_right(own.hash, cli->arguments[1]))
        status = pawl_cli_fail(cli, PAWL_EXIT_DAMAGED, "attachment.digest", "what arrived has another digest than %s",
                               cli->arguments[1]);
    EVP_MD_CTX_free(own.hash);
    free(path);
    return status;
}

static int fetch_into(pawl_cli *cli, const char *out, const char *range)
{
    char name[4096];
    int size = snprintf(name, sizeof name, "%s.part-XXXXXX", out);
    int file = size > 0 && (size_t)size < sizeof name ? mkstemp(name) : -1;
    FILE *to = file < 0 ? NULL : fdopen(file, "wb");
    if (to == NULL) {
        if (file >= 0)
            close(file);
        return pawl_cli_fail(cli, PAWL_EXIT_FAILED, "cli.output", "cannot write %s: %s", out, strerror(errno));
    }
    (void)fchmod(file, 0644);
    int status = fetch(cli, to, range);
    if (fclose(to) != 0 && status == PAWL_EXIT_OK)
        status = pawl_cli_fail(cli, PAWL_EXIT_FAILED, "cli.output", "cannot write %s: %s", out, strerror(errno));
    if (status == PAWL_EXIT_OK && rename(name, out) != 0)
        status = pawl_cli_fail(cli, PAWL_EXIT_FAILED, "cli.output", "cannot write %s: %s", out, strerror(errno));
    if (status != PAWL_EXIT_OK)
        (void)unlink(name);
    return status;
}

int pawl_cli_attachment_get(pawl_cli *cli)
{
    char range[64];
    const char *out = pawl_cli_value(cli, "out");
    if (!read_range(cli, range))
        return PAWL_EXIT_USAGE;
    return out == NULL ? fetch(cli, cli->out, range) : fetch_into(cli, out, range);
}

/* ---- looking, sharing, letting go ---- */

int pawl_cli_attachment_list(pawl_cli *cli)
{
    uint64_t limit = 0;
    char number[24];
    json_t *reply = NULL;
    if (!pawl_cli_number(cli, "limit", 1, 1000, 100, &limit))
        return PAWL_EXIT_USAGE;
    snprintf(number, sizeof number, "%" PRIu64, limit);
    char *path = pawl_client_query(pawl_client_path("attachments", cli->arguments[0], ""), "limit", number);
    path = pawl_client_query(path, "after", pawl_cli_value(cli, "after"));
    int status = pawl_cli_ask_json(cli, "GET", path, NULL, &reply);
    if (status == PAWL_EXIT_OK && !cli->json) {
        size_t index;
        json_t *one;
        static const char *const heads[] = {"REFERENCE", "SIZE", "TYPE", "NAME"};
        pawl_cli_table table = {.columns = 4};
        for (size_t i = 0; i < 4; i++)
            pawl_cli_table_add(&table, PAWL_COLOR_BOLD, heads[i]);
        json_array_foreach(json_object_get(reply, "attachments"), index, one)
        {
            char size[24];
            snprintf(size, sizeof size, "%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(one, "size")));
            pawl_cli_table_add(&table, PAWL_COLOR_NONE, pawl_cli_text(one, "reference"));
            pawl_cli_table_add(&table, PAWL_COLOR_NONE, size);
            pawl_cli_table_add(&table, PAWL_COLOR_NONE, pawl_cli_text(one, "media_type"));
            pawl_cli_table_add(&table, PAWL_COLOR_NONE, pawl_cli_text(one, "name"));
        }
        pawl_cli_table_print(cli, &table);
        const char *next = json_string_value(json_object_get(reply, "next"));
        if (next != NULL)
            fprintf(cli->err, "more: --after %s\n", next);
    }
    json_decref(reply);
    return status;
}

int pawl_cli_attachment_show(pawl_cli *cli)
{
    json_t *reply = NULL;
    int status = pawl_cli_ask_json(cli, "GET", path_of(cli, "/facts"), NULL, &reply);
    if (status == PAWL_EXIT_OK && !cli->json)
        pawl_cli_put_object(cli, reply, 0);
    json_decref(reply);
    return status;
}

static int change(pawl_cli *cli, const char *suffix, json_t *body, const char *done)
{
    json_t *reply = NULL;
    int status = pawl_cli_ask_json(cli, "POST", path_of(cli, suffix), body, &reply);
    json_decref(body);
    json_decref(reply);
    if (status == PAWL_EXIT_OK && !cli->json) {
        pawl_cli_put(cli->out, cli->arguments[1]);
        fprintf(cli->out, ": %s\n", done);
    }
    return status;
}

int pawl_cli_attachment_share(pawl_cli *cli)
{
    return change(cli, "/share", json_pack("{s:s}", "to", cli->arguments[2]), "shared");
}

int pawl_cli_attachment_drop(pawl_cli *cli)
{
    return change(cli, "/drop", json_object(), "dropped");
}
