/* inspect.c: what can be told of a file without running it, for people: facts first, and beside them what a host would
 * say. It must never write anything, or refuse to look at a file because it would refuse to load it. */
#include "elf_image.h"
#include "loader.h"
#include "refuse.h"
#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pawl_status open_plainly(const char *path, int *ret_fd, pawl_error *error)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) != 0) {
        pawl_status status = pawl_loader_refuse(error, errno == ENOENT ? "loader.not_found" : "loader.unreadable", path,
                                                "cannot be opened: %s", strerror(errno));
        if (fd >= 0)
            close(fd);
        return status;
    }
    if (S_ISREG(st.st_mode)) {
        *ret_fd = fd;
        return PAWL_OK;
    }
    close(fd);
    return pawl_loader_refuse(error, "loader.not_regular", path, "is not a regular file; wanted a shared object");
}

/* Move what the image owns into the facts. */
static void take_texts(elf_image *image, pawl_plugin_facts *facts)
{
    snprintf(facts->machine, sizeof facts->machine, "%s", image->machine);
    snprintf(facts->glibc_needed, sizeof facts->glibc_needed, "%s", image->glibc_needed);
    facts->needed = image->needed == NULL ? strdup("") : image->needed;
    facts->run_path = image->run_path == NULL ? strdup("") : image->run_path;
    facts->manifest_text.data = image->manifest;
    facts->manifest_text.size = image->manifest_size;
    image->needed = NULL;
    image->run_path = NULL;
    image->manifest = NULL;
}

static pawl_status read_facts(int fd, const char *path, uint64_t most, pawl_plugin_facts *facts, pawl_error *error)
{
    elf_image image;
    pawl_error manifest_error = {.status = PAWL_OK};
    pawl_status status = pawl_trust_digest(fd, path, most, facts->digest, &facts->size, error);
    if (status != PAWL_OK)
        return status;
    status = pawl_elf_image_read(fd, &image, error);
    if (status == PAWL_OK) {
        pawl_elf_image_judge(&image, path, &facts->image);
        take_texts(&image, facts);
        if (facts->needed == NULL || facts->run_path == NULL)
            status = pawl_error_set(error, PAWL_E_NOMEM, "loader.nomem", "out of memory");
    }
    pawl_elf_image_finish(&image);
    if (status == PAWL_OK && facts->manifest_text.data != NULL &&
        pawl_manifest_parse(facts->manifest_text, &facts->manifest, &manifest_error) != PAWL_OK &&
        facts->image.status == PAWL_OK) {
        facts->image = manifest_error;
        pawl_error_wrap(&facts->image, "%s", path);
    }
    return status;
}

pawl_status pawl_loader_inspect(const char *path, const pawl_loader_options *options, pawl_plugin_facts *ret,
                                pawl_error *error)
{
    uint64_t most =
        options == NULL || options->file_bytes_max == 0 ? PAWL_FILE_BYTES_MAX_DEFAULT : options->file_bytes_max;
    int fd = -1;
    int trusted = -1;
    pawl_plugin_facts facts;
    memset(&facts, 0, sizeof facts);
    pawl_status status = open_plainly(path, &fd, error);
    if (status != PAWL_OK)
        return status;
    status = read_facts(fd, path, most, &facts, error);
    close(fd);
    if (status != PAWL_OK) {
        pawl_plugin_facts_finish(&facts);
        return status;
    }
    if (pawl_trust_open(path, false, most, &trusted, &facts.trust) == PAWL_OK)
        close(trusted);
    *ret = facts;
    return PAWL_OK;
}

void pawl_plugin_facts_finish(pawl_plugin_facts *facts)
{
    pawl_manifest_destroy(facts->manifest);
    free((void *)facts->manifest_text.data);
    free(facts->needed);
    free(facts->run_path);
    memset(facts, 0, sizeof *facts);
}
