/* lab.c: from a file to a plugin that can be called, stage by stage; see lab.h. Each stage that does not work ends the
 * case as skipped, and names the case that is about it. It must never free what a plugin may still use. */
#include "lab.h"

#include "call.h"

#include "host/loader/refuse.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t lab_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

void lab_pause_ms(unsigned ms)
{
    const struct timespec span = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&span, NULL);
}

const char *lab_status_text(pawl_status status, char text[64])
{
    const char *name = status == PAWL_SUSPEND   ? "suspend"
                       : status == PAWL_PENDING ? "pending"
                                                : pawl_status_name(status);
    snprintf(text, 64, "%d (%s)", status, status == PAWL_OK ? "ok" : name);
    return text;
}

/* ---- the file ---- */

static bool list_operations(checker_lab *lab)
{
    size_t count = lab->manifest->effect_count + lab->manifest->operation_count;
    lab->operations = calloc(count + 1, sizeof *lab->operations);
    if (lab->operations == NULL)
        return false;
    for (size_t i = 0; i < lab->manifest->effect_count; i++)
        lab->operations[lab->operation_count++] = (lab_operation){&lab->manifest->effects[i], false, NULL};
    for (size_t i = 0; i < lab->manifest->operation_count; i++)
        lab->operations[lab->operation_count++] = (lab_operation){&lab->manifest->operations[i], true, NULL};
    for (size_t i = 0; i < count; i++)
        lab->operations[i].result = lab_generate(lab->operations[i].declared->output_schema);
    return true;
}

bool lab_read(checker_lab *lab)
{
    pawl_error error = {.status = PAWL_OK};
    if (lab->manifest != NULL)
        return true;
    int fd = open(lab->options->path, O_RDONLY | O_CLOEXEC);
    pawl_status status = fd < 0 ? PAWL_E_IO : pawl_elf_image_read(fd, &lab->image, &error);
    if (fd >= 0)
        close(fd);
    if (status == PAWL_OK)
        status = pawl_elf_image_judge(&lab->image, lab->options->path, &error);
    const pawl_bytes text = {lab->image.manifest, lab->image.manifest_size};
    if (status == PAWL_OK)
        status = pawl_manifest_parse(text, &lab->manifest, &error);
    if (status == PAWL_OK && list_operations(lab))
        return true;
    lab_skip(lab, "the file cannot be loaded (see file.facts): %s", error.message);
    return false;
}

/* ---- entry, init, tables ---- */

bool lab_load(checker_lab *lab)
{
    pawl_error error = {.status = PAWL_OK};
    if (lab->library != NULL)
        return true;
    if (!lab_read(lab))
        return false;
    const pawl_bytes text = {lab->image.manifest, lab->image.manifest_size};
    lab_stage(lab, "dlopen (a constructor of the plugin, or of a library it needs)");
    lab->library = dlopen(lab->options->path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (lab->library == NULL) {
        lab_skip(lab, "it cannot be loaded (see entry.contract): %s", dlerror());
        return false;
    }
    void *symbol = dlsym(lab->library, PAWL_PLUGIN_ENTRY_SYMBOL);
    memcpy(&lab->plugin_entry, &symbol, sizeof symbol);
    lab_stage(lab, "%s", PAWL_PLUGIN_ENTRY_SYMBOL);
    if (symbol == NULL || pawl_contract_take_root(lab->plugin_entry(), lab->manifest, text, lab->options->file,
                                                  &lab->root, &error) != PAWL_OK) {
        lab_skip(lab, "its root is refused (see entry.contract): %s", error.message);
        return false;
    }
    lab_host_init(&lab->host, lab);
    return true;
}

pawl_status lab_init_with(checker_lab *lab, lab_host *host, const char *config, lab_why *why)
{
    pawl_bytes text = pawl_bytes_text(config);
    return lab->root.init(&host->root, text, &why->slot);
}

bool lab_init(checker_lab *lab)
{
    char text[64];
    if (lab->initialised)
        return true;
    if (!lab_load(lab))
        return false;
    lab_why *why = lab_why_create();
    lab_stage(lab, "init");
    pawl_status status = lab_init_with(lab, &lab->host, lab->options->config, why);
    lab_why_close(why);
    if (status == PAWL_OK) {
        lab->initialised = true;
        return true;
    }
    lab_skip(lab, "its init refuses (see life.init), status %s: %.*s", lab_status_text(status, text),
             (int)why->slot.failure.message.size, (const char *)why->slot.failure.message.data);
    return false;
}

bool lab_tables(checker_lab *lab)
{
    pawl_error error = {.status = PAWL_OK};
    if (lab->tables.kinds != 0)
        return true;
    if (!lab_init(lab))
        return false;
    lab_stage(lab, "get_factory");
    if (pawl_contract_take_tables(&lab->root, lab->manifest, lab->options->file, &lab->tables, &error) == PAWL_OK)
        return true;
    lab->tables.kinds = 0;
    lab_skip(lab, "its tables are refused (see life.tables): %s", error.message);
    return false;
}

/* ---- the instance ---- */

const char *lab_instance_config(const checker_lab *lab)
{
    return lab->options->instance == NULL ? "{}" : lab->options->instance;
}

pawl_status lab_create_with(checker_lab *lab, const lab_host *host, const char *name, const char *config,
                            pawl_connector **ret, lab_why *why)
{
    *ret = NULL;
    return lab->tables.connector.create(&host->root, pawl_bytes_text(name), pawl_bytes_text(config), ret, &why->slot);
}

bool lab_instance(checker_lab *lab)
{
    if (!lab_tables(lab))
        return false;
    if ((lab->manifest->kinds & PAWL_KIND_CONNECTOR) == 0 || lab->instance != NULL)
        return true;
    if ((lab->options->broken & STAGE_INSTANCE) != 0) {
        lab_skip(lab, "it needs what instance.create is about");
        return false;
    }
    lab_why *why = lab_why_create();
    lab_stage(lab, "create");
    pawl_status status = lab_create_with(lab, &lab->host, "check", lab_instance_config(lab), &lab->instance, why);
    lab_why_close(why);
    if (status == PAWL_OK && lab->instance != NULL)
        return true;
    lab->instance = NULL;
    lab_skip(lab, "no instance could be made%s: %.*s", lab->options->instance == NULL ? " of {}; give --instance" : "",
             (int)why->slot.failure.message.size, (const char *)why->slot.failure.message.data);
    return false;
}

void lab_close(checker_lab *lab)
{
    if (lab->instance != NULL) {
        lab_stage(lab, "destroy");
        lab->tables.connector.destroy(lab->instance);
        lab->instance = NULL;
    }
    if (lab->initialised) {
        lab_stage(lab, "deinit");
        lab->root.deinit(&lab->host.root);
        lab->initialised = false;
        lab->tables.kinds = 0;
    }
}
