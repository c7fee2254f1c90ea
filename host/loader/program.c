/* program.c: see program.h. */
#include "program.h"

#include "refuse.h"
#include "trust.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where the programs may be. The build tree's count only while they are as safe to run as installed ones. */
static const char *const directories[] = {
#ifdef PAWL_LIBEXEC_BUILD
    PAWL_LIBEXEC_BUILD,
#endif
    PAWL_LIBEXEC_INSTALLED,
};

static bool may_run(const char *program, pawl_error *error)
{
    int fd = -1;
    if (pawl_trust_open(program, true, UINT64_MAX, &fd, error) != PAWL_OK)
        return false;
    close(fd);
    return access(program, X_OK) == 0;
}

/* The one that came with this very code: an installation may have been moved, or made under another prefix, so it is
 * looked for from the file that the code is in, the program or libpawl.so. */
static bool find_installed(const char *name, char program[PATH_MAX])
{
    char own[PATH_MAX];
    char file[PATH_MAX];
    char path[3 * PATH_MAX];
    Dl_info info;
    if (realpath("/proc/self/exe", own) == NULL)
        return false;
    const char *way = PAWL_LIBEXEC_FROM_PROGRAM;
    if (dladdr(directories, &info) != 0 && info.dli_fname != NULL && info.dli_fname[0] == '/' &&
        realpath(info.dli_fname, file) != NULL && strcmp(file, own) != 0) {
        memcpy(own, file, sizeof own);
        way = PAWL_LIBEXEC_FROM_LIBRARY;
    }
    *strrchr(own, '/') = '\0';
    snprintf(path, sizeof path, "%s/%s/%s", own, way, name);
    return realpath(path, program) != NULL;
}

static pawl_status missing(const char *subject, const char *program, const pawl_error *why, const char *advice,
                           pawl_error *error)
{
    return pawl_loader_refuse(error, "loader.probe_missing", subject,
                              "cannot be tried or run: the program %s cannot be used: %s%s", program,
                              why->status == PAWL_OK ? "it is not executable" : why->message, advice);
}

pawl_status pawl_loader_find_program(const char *name, const char *given, const char *subject, char *ret_path,
                                     size_t room, pawl_error *error)
{
    char program[PATH_MAX];
    pawl_error why = {.status = PAWL_OK};
    if (given != NULL) {
        snprintf(ret_path, room, "%s", given);
        return may_run(given, &why) ? PAWL_OK : missing(subject, given, &why, "", error);
    }
    if (find_installed(name, program) && may_run(program, &why)) {
        snprintf(ret_path, room, "%s", program);
        return PAWL_OK;
    }
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
        snprintf(program, sizeof program, "%s/%s", directories[i], name);
        snprintf(ret_path, room, "%s", program);
        if (may_run(program, &why))
            return PAWL_OK;
    }
    return missing(subject, program, &why, "; install it with the host", error);
}
