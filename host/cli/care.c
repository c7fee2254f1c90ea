/* care.c: looking after stores: `pawl check --store`, `pawl backup`, `pawl restore`. A check and a restore work on
 * closed stores, in this program; a backup asks the server when there is one. Findings are printed as they are made, so
 * that a check of a large store that is broken off has said what it found. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/cli/cli.h"

#define PROGRESS_NS 2000000000u /* between two lines of progress */

/* ---- findings ---- */

typedef struct report {
    pawl_cli *cli;
    uint64_t told_unix_ns; /* when progress was told last */
} report;

static char *copy_text(pawl_bytes bytes)
{
    return strndup(bytes.data == NULL ? "" : bytes.data, bytes.size);
}

static void hex(pawl_bytes key, char *text, size_t size)
{
    const unsigned char *data = key.data;
    size_t used = 0;
    for (size_t i = 0; i < key.size && used + 6 < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%02x", data[i]);
    if (key.size * 2 > used)
        snprintf(text + used, size - used, "...");
    if (key.size == 0)
        text[0] = '\0';
}

static void put_bytes(FILE *out, pawl_bytes bytes)
{
    char *text = copy_text(bytes);
    if (text != NULL)
        pawl_cli_put(out, text);
    free(text);
}

/* Bytes as JSON: text, or, when they are none, their digits. */
static json_t *json_bytes(pawl_bytes bytes)
{
    char digits[600];
    json_t *text = bytes.size == 0 ? json_string("") : json_stringn(bytes.data, bytes.size);
    if (text != NULL)
        return text;
    hex(bytes, digits, sizeof digits);
    return json_string(digits);
}

static const char *kind_name(uint32_t kind)
{
    return kind == PAWL_FINDING_DERIVED ? "derived" : kind == PAWL_FINDING_REPAIRED ? "repaired" : "primary";
}

static void put_finding(pawl_cli *cli, const char *store, const pawl_care_finding *finding)
{
    char key[600];
    hex(finding->key, key, sizeof key);
    if (cli->json) {
        json_t *line =
            json_pack("{s:s, s:s, s:o, s:s, s:o, s:I, s:o, s:o, s:o}", "finding", kind_name(finding->kind), "store",
                      store, "place", json_bytes(finding->place), "key", key, "process", json_bytes(finding->process),
                      "number", (json_int_t)finding->number, "found", json_bytes(finding->found), "wanted",
                      json_bytes(finding->wanted), "advice", json_bytes(finding->advice));
        pawl_cli_put_json(cli->out, line);
        json_decref(line);
        return;
    }
    if (finding->kind == PAWL_FINDING_REPAIRED)
        pawl_cli_put_color(cli, PAWL_COLOR_GREEN, "repaired: ");
    else
        pawl_cli_put_color(cli, PAWL_COLOR_RED, "problem: ");
    pawl_cli_put(cli->out, store);
    fputs(": ", cli->out);
    put_bytes(cli->out, finding->place);
    if (finding->key.size > 0)
        fprintf(cli->out, " %s", key);
    if (finding->process.size > 0) {
        fputs(": process \"", cli->out);
        put_bytes(cli->out, finding->process);
        fputc('"', cli->out);
    } else if (finding->number != 0) {
        fprintf(cli->out, ": process number %llu", (unsigned long long)finding->number);
    }
    fputs(": found ", cli->out);
    put_bytes(cli->out, finding->found);
    fputs("; wanted ", cli->out);
    put_bytes(cli->out, finding->wanted);
    if (finding->kind == PAWL_FINDING_DERIVED) {
        fputs(" (--repair rebuilds it)", cli->out);
    } else if (finding->advice.size > 0) {
        fputs(" (cannot be rebuilt: ", cli->out);
        put_bytes(cli->out, finding->advice);
        fputc(')', cli->out);
    }
    fputc('\n', cli->out);
}

static int32_t take_finding(void *context, const char *store, const pawl_care_finding *finding)
{
    report *own = context;
    if (finding->kind != PAWL_FINDING_PROGRESS) {
        put_finding(own->cli, store, finding);
        return ferror(own->cli->out); /* nobody listens any more */
    }
    uint64_t now = pawl_cli_now_unix_ns();
    if (own->told_unix_ns != 0 && now - own->told_unix_ns < PROGRESS_NS)
        return 0;
    own->told_unix_ns = now;
    fprintf(own->cli->err, "pawl: %s: %llu rows, now in ", store, (unsigned long long)finding->rows);
    put_bytes(own->cli->err, finding->place);
    fputc('\n', own->cli->err);
    fflush(own->cli->err);
    return 0;
}

/* ---- what the three have in common ---- */

static int care_options(pawl_cli *cli, const char *profile, pawl_host_options *options)
{
    *options = (pawl_host_options){.struct_size = sizeof *options, .no_worker = 1, .profile_path = profile};
    if (profile == NULL)
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage",
                             "which profile? Give --profile FILE, set PAWL_PROFILE, or run where a pawl.yaml is");
    return PAWL_EXIT_OK;
}

/* What looks after a store fails as a command does, but damage has an exit code of its own. */
static int care_failed(pawl_cli *cli, const pawl_error *error)
{
    int status = error->status == PAWL_E_CORRUPT ? PAWL_EXIT_DAMAGED : pawl_cli_exit_code(error);
    return pawl_cli_fail(cli, status, error->code, "%s", error->message);
}

static json_t *take_json(pawl_text *text)
{
    json_t *json = json_loadb(text->data, text->size, 0, NULL);
    pawl_text_free(text);
    return json;
}

static long long number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static void put_counts(pawl_cli *cli, const json_t *store)
{
    pawl_cli_put(cli->out, pawl_cli_text(store, "store"));
    fprintf(cli->out,
            ": %lld rows, %lld processes, %lld sessions, %lld attachments, %lld artifacts: ", number(store, "rows"),
            number(store, "processes"), number(store, "sessions"), number(store, "attachments"),
            number(store, "artifacts"));
    long long problems = number(store, "problems");
    if (problems == 0)
        fputs("no problems", cli->out);
    else if (number(store, "repaired") > 0)
        fprintf(cli->out, "%lld problem%s, %lld repaired", problems, problems == 1 ? "" : "s",
                number(store, "repaired"));
    else
        fprintf(cli->out, "%lld problem%s, of which --repair can rebuild %lld", problems, problems == 1 ? "" : "s",
                number(store, "repairable"));
    fputc('\n', cli->out);
}

/* ---- check --store ---- */

int pawl_cli_check_store(pawl_cli *cli, const char *profile)
{
    pawl_host_options options;
    pawl_error error = {0};
    pawl_text text = {0};
    report own = {.cli = cli, .told_unix_ns = pawl_cli_now_unix_ns()};
    int status = care_options(cli, profile, &options);
    if (status != PAWL_EXIT_OK)
        return status;
    uint32_t flags = pawl_cli_flag(cli, "repair") ? PAWL_CARE_REPAIR : 0;
    if (pawl_care_check(&options, flags, take_finding, &own, &text, &error) != PAWL_OK)
        return care_failed(cli, &error);
    json_t *facts = take_json(&text);
    json_t *stores = json_object_get(facts, "stores");
    bool good = number(facts, "problems") == number(facts, "repaired");
    for (size_t i = 0; i < json_array_size(stores); i++)
        good = good && json_is_true(json_object_get(json_array_get(stores, i), "complete"));
    if (cli->json)
        pawl_cli_put_json(cli->out, facts);
    for (size_t i = 0; i < json_array_size(stores) && !cli->json; i++)
        put_counts(cli, json_array_get(stores, i));
    json_decref(facts);
    return good ? PAWL_EXIT_OK : PAWL_EXIT_DAMAGED;
}

/* ---- backup ---- */

/* As the server would not know this program's working directory. NULL: printed. */
static char *absolute(pawl_cli *cli, const char *path)
{
    char here[2048];
    char *made = NULL;
    size_t size = strlen(path) + sizeof here + 2;
    if (path[0] == '/')
        return strdup(path);
    if (getcwd(here, sizeof here) != NULL && (made = malloc(size)) != NULL)
        snprintf(made, size, "%s/%s", here, path);
    if (made == NULL)
        (void)pawl_cli_fail(cli, PAWL_EXIT_FAILED, "cli.directory", "the working directory has no name");
    return made;
}

/* Through the server; PAWL_E_CLOSED with code client.no_server when there is none. */
static pawl_status backup_hot(pawl_cli *cli, const char *directory, json_t **ret, pawl_error *error)
{
    pawl_client_reply reply;
    json_t *body = json_pack("{s:s}", "directory", directory);
    pawl_status status = pawl_cli_try(cli, "POST", "/v1/backup", body, &reply, error);
    json_decref(body);
    if (status == PAWL_OK) {
        *ret = json_incref(reply.json);
        pawl_client_reply_finish(&reply);
    }
    return status;
}

static pawl_status backup_closed(pawl_cli *cli, const char *directory, json_t **ret, pawl_error *error)
{
    pawl_text text = {0};
    const pawl_host_options options = {
        .struct_size = sizeof options, .no_worker = 1, .profile_path = pawl_cli_profile(cli)};
    pawl_status status = pawl_care_backup(&options, directory, &text, error);
    if (status == PAWL_OK)
        *ret = take_json(&text);
    return status;
}

static void put_backup(pawl_cli *cli, const char *directory, const json_t *backup, bool hot)
{
    size_t i;
    json_t *store;
    fputs("backed up to ", cli->out);
    pawl_cli_put(cli->out, directory);
    fputs(hot ? ", of the running host\n" : ", of the closed store\n", cli->out);
    json_array_foreach(json_object_get(backup, "stores"), i, store)
    {
        const json_t *processes = json_object_get(store, "processes");
        fputs("  ", cli->out);
        pawl_cli_put(cli->out, pawl_cli_text(store, "store"));
        fprintf(cli->out, ": %lld processes, of which %lld have not ended\n", number(processes, "all"),
                number(processes, "live"));
    }
}

int pawl_cli_backup(pawl_cli *cli)
{
    pawl_error error = {0};
    json_t *backup = NULL;
    if (pawl_cli_profile(cli) == NULL && pawl_cli_value(cli, "socket") == NULL)
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage",
                             "which host? Give --profile FILE or --socket PATH, set PAWL_PROFILE, or run in a "
                             "directory with a pawl.yaml");
    char *directory = absolute(cli, cli->arguments[0]);
    if (directory == NULL)
        return PAWL_EXIT_FAILED;
    bool hot = true;
    pawl_status status = backup_hot(cli, directory, &backup, &error);
    if (status != PAWL_OK && strcmp(error.code, "client.no_server") == 0 && pawl_cli_value(cli, "socket") == NULL) {
        hot = false;
        status = backup_closed(cli, directory, &backup, &error);
    }
    int exit_code = PAWL_EXIT_OK;
    if (status != PAWL_OK)
        exit_code = care_failed(cli, &error);
    else if (cli->json)
        pawl_cli_put_json(cli->out, backup);
    else
        put_backup(cli, directory, backup, hot);
    json_decref(backup);
    free(directory);
    return exit_code;
}

/* ---- restore ---- */

static void put_restored(pawl_cli *cli, const json_t *facts)
{
    size_t i;
    json_t *store;
    json_array_foreach(json_object_get(facts, "stores"), i, store)
    {
        fputs("restored to ", cli->out);
        pawl_cli_put(cli->out, pawl_cli_text(store, "path"));
        fprintf(cli->out, ", with epoch %lld\n  ", number(store, "epoch"));
        put_counts(cli, store);
    }
    fputs("Its processes go on from where they were at the backup: what they did since is done again, with the same\n"
          "idempotency keys. Never run the old store and this one at the same time: both would do the same work.\n",
          cli->out);
}

int pawl_cli_restore(pawl_cli *cli)
{
    pawl_host_options options;
    pawl_error error = {0};
    pawl_text text = {0};
    report own = {.cli = cli, .told_unix_ns = pawl_cli_now_unix_ns()};
    int status = care_options(cli, pawl_cli_profile(cli), &options);
    if (status != PAWL_EXIT_OK)
        return status;
    char *directory = absolute(cli, cli->arguments[0]);
    if (directory == NULL)
        return PAWL_EXIT_FAILED;
    uint32_t flags = pawl_cli_flag(cli, "accept-damage") ? PAWL_CARE_ACCEPT_DAMAGE : 0;
    if (pawl_care_restore(&options, directory, flags, take_finding, &own, &text, &error) != PAWL_OK) {
        free(directory);
        return care_failed(cli, &error);
    }
    free(directory);
    json_t *facts = take_json(&text);
    if (cli->json)
        pawl_cli_put_json(cli->out, facts);
    else
        put_restored(cli, facts);
    json_decref(facts);
    return PAWL_EXIT_OK;
}
