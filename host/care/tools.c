/* tools.c: the parts of the embedding API that need no host: checking a profile, looking at a plugin, probing one.
 */
#include "host/loader/trust.h"
#include "host/view/view.h"

#include "worker/base/sink.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* What a host would say to this plugin file before any of its code runs. */
static void check_plugin(const pawl_profile *profile, const pawl_profile_plugin *plugin, pawl_problem_list *problems)
{
    pawl_loader_options options = {.file_bytes_max = profile->limits.plugin_file_bytes};
    pawl_plugin_facts facts;
    pawl_error why = {0};
    char found[PAWL_DIGEST_TEXT];
    pawl_status status = pawl_loader_inspect(plugin->path, &options, &facts, &why);
    if (status != PAWL_OK) {
        pawl_problems_add(problems, plugin->place, "profile.plugin", "%s", why.message);
        return;
    }
    pawl_digest_text(facts.digest, found);
    if (plugin->sha256 != NULL && strcasecmp(plugin->sha256, found) != 0)
        pawl_problems_add(problems, plugin->place, "profile.plugin",
                          "%s: its SHA-256 is %s; wanted %s, as pinned here: find out why the file changed before "
                          "changing the pin [rule A-29]",
                          plugin->path, found, plugin->sha256);
    /* With `dev` a host is more lenient about who may write the file; loading it will tell. */
    if (facts.trust.status != PAWL_OK && !plugin->dev)
        pawl_problems_add(problems, plugin->place, "profile.plugin", "%s", facts.trust.message);
    if (facts.image.status != PAWL_OK)
        pawl_problems_add(problems, plugin->place, "profile.plugin", "%s", facts.image.message);
    if (plugin->isolation == PAWL_ISOLATION_PROCESS && facts.manifest != NULL &&
        pawl_loader_check_isolation(facts.manifest, plugin->path, &why) != PAWL_OK)
        pawl_problems_add(problems, plugin->place, "profile.plugin", "%s", why.message);
    pawl_plugin_facts_finish(&facts);
}

/* A host starts without an optional plugin that is unusable: no mistake of the profile. */
static pawl_status check_plugins(const pawl_profile *profile, pawl_problem_list *problems)
{
    if (problems->path == NULL && (problems->path = strdup(profile->path)) == NULL)
        return PAWL_E_NOMEM;
    for (size_t i = 0; i < profile->plugin_count; i++)
        if (!profile->plugins[i].optional)
            check_plugin(profile, &profile->plugins[i], problems);
    return problems->count + problems->more == 0 ? PAWL_OK : PAWL_E_INVALID;
}

pawl_status pawl_profile_check(const char *profile_path, pawl_text *ret_report, pawl_error *error)
{
    if (profile_path == NULL || profile_path[0] == '\0')
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "the profile's path is missing");
    pawl_profile *profile = NULL;
    pawl_problem_list problems = {0};
    pawl_status status = pawl_profile_load(profile_path, &profile, &problems);
    if (status == PAWL_OK)
        status = check_plugins(profile, &problems);
    char *text = pawl_problems_text(&problems);
    if (text == NULL) {
        status = pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while checking %s", profile_path);
    } else if (status != PAWL_OK) {
        (void)pawl_error_set(error, status, problems.count > 0 ? problems.items[0].code : "profile.invalid",
                             "%s: %zu problem%s", profile_path, problems.count + problems.more,
                             problems.count + problems.more == 1 ? "" : "s");
    }
    if (text != NULL && ret_report != NULL)
        *ret_report = (pawl_text){text, strlen(text)};
    else
        free(text);
    pawl_problems_free(&problems);
    pawl_profile_free(profile);
    return status;
}

static json_t *view_refusal(const pawl_error *why)
{
    if (why->status == PAWL_OK)
        return json_true();
    const char *rule = pawl_loader_rule(why->code);
    return json_pack("{s:s, s:s, s:s}", "code", why->code, "rule", rule == NULL ? "" : rule, "message", why->message);
}

static json_t *view_words(const char *words)
{
    json_t *list = json_array();
    for (const char *at = words; *at != '\0';) {
        size_t size = strcspn(at, " ");
        if (size > 0)
            (void)json_array_append_new(list, pawl_view_text((pawl_bytes){at, size}));
        at += size;
        at += strspn(at, " ");
    }
    return list;
}

static json_t *view_facts(const char *path, const pawl_plugin_facts *facts)
{
    json_t *json = json_object();
    bool made = pawl_view_set(json, "path", pawl_view_text(pawl_bytes_text(path))) &&
                pawl_view_set(json, "digest", pawl_view_digest((pawl_bytes){facts->digest, 32})) &&
                pawl_view_set(json, "size", json_integer((json_int_t)facts->size));
    if (made && facts->manifest != NULL)
        made = pawl_view_manifest(json, facts->manifest);
    made =
        made &&
        pawl_view_set(json, "elf",
                      json_pack("{s:s, s:s, s:o, s:s}", "machine", facts->machine, "glibc_needed", facts->glibc_needed,
                                "needed", view_words(facts->needed), "run_path", facts->run_path)) &&
        pawl_view_set(json, "file_ok", view_refusal(&facts->trust)) &&
        pawl_view_set(json, "image_ok", view_refusal(&facts->image));
    if (made && facts->manifest != NULL)
        made = pawl_view_set(json, "manifest", json_incref(facts->manifest->json));
    if (made)
        return json;
    json_decref(json);
    return NULL;
}

pawl_status pawl_plugin_inspect(const char *path, pawl_text *ret_json, pawl_error *error)
{
    if (path == NULL || path[0] == '\0')
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "the plugin's path is missing");
    pawl_plugin_facts facts;
    pawl_status status = pawl_loader_inspect(path, NULL, &facts, error);
    if (status != PAWL_OK)
        return status;
    status = pawl_view_give(view_facts(path, &facts), ret_json, error);
    pawl_plugin_facts_finish(&facts);
    return status;
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *walk)
{
    (void)facts;
    (void)kind;
    (void)walk;
    return remove(path);
}

pawl_status pawl_plugin_probe(const char *path, const char *data_dir, pawl_text *ret_json, pawl_error *error)
{
    if (path == NULL || path[0] == '\0')
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "the plugin's path is missing");
    char made[] = "/tmp/pawl-probe-XXXXXX"; /* the copy that is probed must lie somewhere */
    if (data_dir == NULL && mkdtemp(made) == NULL)
        return pawl_error_set(error, PAWL_E_IO, "data.unwritable", "no temporary directory: %s", strerror(errno));
    pawl_plugin_request request = {.path = path, .dev = true};
    pawl_status status = pawl_loader_probe(&request, data_dir == NULL ? made : data_dir, NULL, error);
    if (data_dir == NULL)
        (void)nftw(made, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return status == PAWL_OK ? pawl_plugin_inspect(path, ret_json, error) : status;
}
