/* main.c: pawl-plugin-check: the driver of a check, and, started by itself, a child that runs one case. */
#include "report.h"

#include <stdlib.h>

int main(int argc, char **argv)
{
    static checker_options options; /* too large for a stack that a debugger shall read */
    int code = checker_options_read(argc, argv, &options);
    if (code != CHECKER_EXIT_OK)
        return code;
    if (options.list) {
        checker_report_list(&options, stdout);
        return CHECKER_EXIT_OK;
    }
    if (options.run != NULL)
        return checker_run_here(&options, checker_case_find(options.run));
    if (options.in_process)
        return checker_run_here(&options, checker_case_find(options.only[0]));
    return checker_drive(&options);
}

/* Under a sanitizer an error of the plugin shall look like what it is: a crash. What plugins leave is looked for by
 * cases, not at the end. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CHECKER_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CHECKER_SANITIZED 1
#endif
#endif
#ifdef CHECKER_SANITIZED
#define SIGNALS "handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:abort_on_error=1"
const char *__asan_default_options(void);
const char *__tsan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
    return SIGNALS ":detect_leaks=0";
}
__attribute__((visibility("default"))) const char *__tsan_default_options(void)
{
    return SIGNALS;
}
#endif
