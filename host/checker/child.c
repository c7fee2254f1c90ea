/* child.c: one case in this process, and how it tells what it finds. It must never catch what the plugin does wrong: to
 * die of it is what the process is for. What is found is written at once, so that nothing is lost with a crash. */
#include "lab.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { TEXT_MAX_BYTES = 1024 };

/* ---- telling ---- */

static void send_line(const checker_lab *lab, json_t *line)
{
    char *text = json_dumps(line, JSON_COMPACT);
    json_decref(line);
    if (text == NULL)
        _exit(CHECKER_EXIT_BROKEN);
    size_t size = strlen(text);
    text[size] = '\n'; /* one write for a line: the channel keeps them apart */
    for (size_t sent = 0; sent < size + 1;) {
        ssize_t wrote = write(lab->channel, text + sent, size + 1 - sent);
        if (wrote < 0 && errno != EINTR)
            _exit(CHECKER_EXIT_BROKEN); /* nobody listens: the driver is gone */
        sent += wrote < 0 ? 0 : (size_t)wrote;
    }
    free(text);
}

/* JSON strings are UTF-8, and what a plugin says may be anything. */
static json_t *text_json(const char *text)
{
    char clean[TEXT_MAX_BYTES * 2];
    json_t *json = json_string(text);
    if (json != NULL)
        return json;
    size_t used = 0;
    for (; *text != '\0' && used + 1 < sizeof clean; text++)
        clean[used++] = (unsigned char)*text < 0x80 ? *text : '?';
    clean[used] = '\0';
    return json_string(clean);
}

void lab_stage(checker_lab *lab, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (lab->channel < 0) {
        fprintf(lab->text, "    in %s\n", text);
        return;
    }
    send_line(lab, json_pack("{s:o}", "stage", text_json(text)));
}

static void tell(checker_lab *lab, checker_verdict verdict, const char *where, const char *wanted, const char *found)
{
    if (lab->channel < 0) {
        fprintf(lab->text, "  %s: %s%sfound %s%s%s\n", checker_verdict_name(verdict), where,
                where[0] == '\0' ? "" : ": ", found, wanted[0] == '\0' ? "" : "; wanted ", wanted);
        return;
    }
    send_line(lab, json_pack("{s:s, s:o, s:o, s:o}", "verdict", checker_verdict_name(verdict), "where",
                             text_json(where), "found", text_json(found), "wanted", text_json(wanted)));
}

void lab_find(checker_lab *lab, checker_verdict verdict, const char *where, const char *wanted, const char *format, ...)
{
    char found[TEXT_MAX_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(found, sizeof found, format, args);
    va_end(args);
    lab->checked++;
    lab->findings++;
    if (verdict > lab->worst)
        lab->worst = verdict;
    tell(lab, verdict, where == NULL ? "" : where, wanted, found);
}

void lab_skip(checker_lab *lab, const char *format, ...)
{
    char reason[TEXT_MAX_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    tell(lab, VERDICT_SKIP, "", "", reason);
}

void lab_checked(checker_lab *lab)
{
    lab->checked++;
}

/* ---- the end ---- */

static checker_verdict verdict_of(const checker_lab *lab)
{
    if (lab->worst > VERDICT_SKIP)
        return lab->worst;
    return lab->checked == 0 ? VERDICT_SKIP : VERDICT_PASS;
}

static void tell_end(const checker_lab *lab)
{
    checker_verdict verdict = verdict_of(lab);
    if (lab->channel >= 0)
        send_line(lab, json_pack("{s:s}", "done", checker_verdict_name(verdict)));
    else
        fprintf(lab->text, "%s: %s\n", lab->entry->name, checker_verdict_name(verdict));
}

_Noreturn void lab_give_up(checker_lab *lab)
{
    tell_end(lab);
    _exit(verdict_of(lab) >= VERDICT_FAIL ? CHECKER_EXIT_FAILED : CHECKER_EXIT_OK);
}

/* Die with the driver, and leave no core file: a crash here is an answer, not an accident. */
static void settle_in(void)
{
    const struct rlimit none = {0, 0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    fcntl(CHECKER_CHANNEL, F_SETFD, FD_CLOEXEC);
    setrlimit(RLIMIT_CORE, &none);
    setvbuf(stdout, NULL, _IONBF, 0); /* what the plugin prints is there when it crashes */
}

int checker_run_here(const checker_options *options, const checker_case *entry)
{
    static checker_lab lab; /* a thread that a plugin left behind may use the host until the process has ended */
    memset(&lab, 0, sizeof lab);
    lab.options = options;
    lab.entry = entry;
    lab.text = stderr;
    lab.channel = options->run != NULL ? CHECKER_CHANNEL : -1;
    if (lab.channel >= 0)
        settle_in();
    else
        fprintf(stderr, "%s [%s]: %s\n", entry->name, entry->rules, entry->purpose);
    entry->run(&lab);
    tell_end(&lab);
    int code = verdict_of(&lab) >= VERDICT_FAIL ? CHECKER_EXIT_FAILED : CHECKER_EXIT_OK;
    if (lab.ends_by_exit)
        return code;
    fflush(stdout);
    _exit(code); /* destructors have a case of their own */
}
