/* guest_fence.c: what the process may use, and as whom, before it runs any code of the plugin. Every step that was
 * asked for is done, or the plugin does not start: a fence with a hole in it would be worse than none, for it would be
 * believed. */
#include "guest.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define MAPPED_BESIDE                                                                                                  \
    ((uint64_t)1 << 30) /* address space for code, files that are mapped, and what is only reserved                    \
                         */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

static pawl_status impossible(pawl_error *error, const char *what)
{
    return pawl_error_set(error, PAWL_E_UNSUPPORTED, "isolation.limit", "%s: %s", what, strerror(errno));
}

static int limit(__rlimit_resource_t resource, uint64_t value)
{
    const struct rlimit both = {(rlim_t)value, (rlim_t)value};
    return setrlimit(resource, &both);
}

static pawl_status limit_resources(const wire_hello *hello, pawl_error *error)
{
    uint64_t stacks = (uint64_t)(hello->threads + GUEST_SPARE_THREADS) * GUEST_STACK_BYTES;
    if (limit(RLIMIT_CORE, 0) != 0)
        return impossible(error, "core files cannot be turned off");
#ifndef SANITIZED /* a sanitizer maps terabytes for its own use */
    if (limit(RLIMIT_DATA, hello->memory + stacks) != 0 ||
        limit(RLIMIT_AS, hello->memory + stacks + MAPPED_BESIDE) != 0)
        return impossible(error, "its memory cannot be limited");
#else
    (void)stacks;
#endif
    if (limit(RLIMIT_NOFILE, hello->open_files) != 0)
        return impossible(error, "its open files cannot be limited");
    if (hello->processes > 0 && limit(RLIMIT_NPROC, hello->processes) != 0)
        return impossible(error, "its processes cannot be limited");
    return PAWL_OK;
}

static pawl_status change_user(const wire_hello *hello, pawl_error *error)
{
    if (setgroups(0, NULL) != 0 || setresgid(hello->gid, hello->gid, hello->gid) != 0 ||
        setresuid(hello->uid, hello->uid, hello->uid) != 0)
        return impossible(error, "it cannot become its user");
    if (hello->uid != 0 && setuid(0) == 0)
        return pawl_error_set(error, PAWL_E_FAILED, "isolation.limit", "it became its user and can go back");
    return PAWL_OK;
}

pawl_status pawl_guest_fence(const wire_hello *hello, pawl_error *error)
{
    pawl_status status = limit_resources(hello, error);
    if (status == PAWL_OK && hello->change_user != 0)
        status = change_user(hello, error);
    if (status != PAWL_OK)
        return status;
    /* A change of user has undone this. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return impossible(error, "it cannot be bound to its host");
    if ((uint32_t)getppid() != hello->parent)
        _exit(0); /* the host died before the line above */
    return pawl_guest_filter(hello, error);
}
