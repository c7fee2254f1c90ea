/* commands.c: the table of commands. What the program can do, how it is asked, and its help all come from here. */
#include <limits.h>
#include <string.h>

#include "host/cli/cli.h"

const pawl_cli_option pawl_cli_common_options[] = {
    {"profile", "FILE", "the host profile"},
    {"socket", "PATH", "the server's socket, instead of the profile's"},
    {"json", NULL, "answers and errors as one line of JSON, for scripts"},
    {"color", "WHEN", "auto (default), always or never; NO_COLOR is honoured"},
    {"help", NULL, "say what the command does"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option no_options[] = {{NULL, NULL, NULL}};

static const pawl_cli_option serve_options[] = {
    {"ready-fd", "N", "write a newline to descriptor N when ready, and close it"},
    {"no-worker", NULL, "run nothing here: only take requests"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option start_options[] = {
    {"id", "ID", "its id (default: a new uuid); the same start again is the same process"},
    {"session", "NAME", "the session it belongs to"},
    {"known-session", NULL, "only if somebody has committed to that session"},
    {"key", "KEY", "whose turn it shares: keys of a type take turns (default: its session)"},
    {"priority", "N", "1 (first) to 5 (last); default 3"},
    {"reuse", "WHEN", "of a known id: existing (default), reject, after_end or after_failure"},
    {"after", "SPAN", "let it begin so much later: 10m"},
    {"at", "TIME", "let it begin at this time: 2026-02-03T10:00:00Z"},
    {"deadline", "SPAN", "ask it to stop when it has not ended so long after its beginning; it then ends failed"},
    {"deadline-at", "TIME", "likewise, at this time"},
    {"input", "JSON", "its input: JSON, @FILE with JSON, or - for standard input"},
    {"text", "TEXT", "its input as plain text, @FILE or -, passed on as it is"},
    {"attribute", "NAME=VALUE...", "a search attribute; may be given again for another one"},
    {"external", NULL, "only track it; something outside does the work and says `pawl complete`"},
    {"wait", NULL, "wait for its end and print its output"},
    {"timeout", "SPAN", "with --wait: wait at most this long (default: for ever)"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option wait_options[] = {
    {"timeout", "SPAN", "wait at most this long for all of them (default: for ever)"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option ps_options[] = {
    {"status", "LIST", "only these: ready,running,waiting,stuck,completed,... or live, ended"},
    {"type", "TYPE", "only this process type"},
    {"session", "NAME", "only this session"},
    {"parent", "ID", "only children of this process"},
    {"prefix", "TEXT", "only ids that begin so"},
    {"where", "EXPRESSION", "only these, by search attributes: 'customer = \"x\" and amount > 10'"},
    {"plugin", "ID", "only those pinned to this plugin"},
    {"digest", "HEX", "only those pinned to this binary: its SHA-256, or how that begins"},
    {"documents", NULL, "with --json: the status document of each, too"},
    {"limit", "N", "at most this many (default 100)"},
    {"after", "N", "go on after a page: the number that the page before gave"},
    {"newest", NULL, "the newest first"},
    {"all", NULL, "ended ones too"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option count_options[] = {
    {"status", "LIST", "only these: ready,running,waiting,stuck,completed,... or live, ended"},
    {"type", "TYPE", "only this process type"},
    {"session", "NAME", "only this session"},
    {"prefix", "TEXT", "only ids that begin so"},
    {"where", "EXPRESSION", "only these, by search attributes: 'customer = \"x\" and amount > 10'"},
    {"plugin", "ID", "only those pinned to this plugin"},
    {"digest", "HEX", "only those pinned to this binary: its SHA-256, or how that begins"},
    {"limit", "N", "stop counting at so many (default 1000000)"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option plugin_new_options[] = {
    {"kind", "KIND", "what it offers first: effect, connector, process or facet"},
    {"lang", "LANG", "c (default), c++ or rust; zig for effect and process"},
    {"id", "ID", "the plugin's id (default: com.example.NAME)"},
    {"vendor", "TEXT", "who makes it (default: Example)"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option versions_options[] = {
    {"limit", "N", "look at so many live processes at most (default 100000)"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option prune_options[] = {
    {"older-than", "SPAN", "those that ended longer ago: 30d, 12h"},
    {"type", "TYPE", "only this process type"},
    {"dry-run", NULL, "only count them"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option test_options[] = {
    {"type", "TYPE", "the process type (default: the script's, or the plugin's only one)"},
    {"revision", "N", "of the type (default: the newest)"},
    {"input", "JSON", "its input: JSON, @FILE with JSON, or - for standard input (default: the script's)"},
    {"text", "TEXT", "its input as plain text, @FILE or -"},
    {"effects", "SCRIPT", "what the world answers: a YAML file, or auto: null to everything"},
    {"config", "JSON", "the plugin's configuration"},
    {"orders", "N", "try at most so many orders of what is in flight together (default 500)"},
    {"all-orders", NULL, "also those that the program cannot tell apart"},
    {"seed", "N", "draw others of them, where there are more"},
    {"same-outcome", NULL, "every order must end alike"},
    {"cancel-everywhere", NULL, "ask it to stop at every moment: it must end"},
    {"fail-everywhere", NULL, "let every call and child fail, one at a time: it must end"},
    {"only", "NAME", "one variation, as a report names it: crash@7"},
    {"strict", NULL, "warnings count as findings"},
    {"time", "SPAN", "begin no new variation after this long (default 60s)"},
    {"hang", "SPAN", "an activation that runs longer hangs (default 10s)"},
    {"replay", "PATH...", "live journals again instead: a file of `pawl journal ID --export`, or a directory of them"},
    {"junit", "FILE", "write the result as JUnit XML, too"},
    {"in-process", NULL, "without a child process, for a debugger"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option session_list_options[] = {
    {"limit", "N", "at most this many (default 100)"},
    {"after", "NAME", "go on after a page: what the page before gave"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option session_show_options[] = {
    {"prefix", "TEXT", "only keys that begin so"},
    {"limit", "N", "at most this many (default 100)"},
    {"after", "KEY", "go on after a page: what the page before gave"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option attachment_put_options[] = {
    {"name", "NAME", "what it is called in this scope (default: the file's name)"},
    {"media-type", "TYPE", "what it is, e.g. application/pdf"},
    {"digest", "sha256:...", "what its digest must be; else nothing is stored"},
    {"known-session", NULL, "only if somebody has committed to that session"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option attachment_get_options[] = {
    {"out", "FILE", "where it goes (default: standard output); an old file is replaced when all is there"},
    {"offset", "N", "from this byte on"},
    {"size", "N", "at most so many bytes"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option session_set_options[] = {
    {"revision", "N", "only if the session has this revision (0: is not there yet)"},
    {"text", "TEXT", "the value as plain text, @FILE or -, instead of JSON"},
    {"new", NULL, "only if the key is not there yet"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option session_unset_options[] = {
    {"revision", "N", "only if the session has this revision"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option journal_options[] = {
    {"from", "N", "begin with this record (default 1)"},
    {"limit", "N", "at most this many (default: all)"},
    {"whole", NULL, "do not cut long values"},
    {"export", "FILE", "write all of the present run to this file (-: standard output), for pawl test --replay"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option update_options[] = {
    {"id", "ID", "the idempotency id of the request (default: a new one)"},
    {"timeout", "SPAN", "how long to wait for the answer, at most 60s (default 10s)"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option signal_options[] = {
    {"signal-id", "ID", "its own id: sending it again with the same id has no further effect"},
    {"text", "TEXT", "the payload as plain text, @FILE or -, instead of JSON"},
    {"as", "SESSION", "in the name of this session: only if it holds the process"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option event_append_options[] = {
    {"key", "KEY", "its own key: appending it again with the same key has no further effect"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option event_list_options[] = {
    {"after", "N", "only events behind this sequence (default 0)"},
    {"type", "TYPE", "only events of this type"},
    {"limit", "N", "at most so many, 1 to 1000 (default 100)"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option event_wait_options[] = {
    {"after", "N", "only an event behind this sequence (default 0)"},
    {"type", "TYPE", "only an event of this type"},
    {"timeout", "SPAN", "wait no longer than this (default: for ever)"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option queue_list_options[] = {
    {"dead", NULL, "those that were set aside"},
    {"after", "ITEM", "only items behind this one"},
    {"limit", "N", "at most so many, 1 to 1000 (default 100)"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option queue_claim_options[] = {
    {"consumer", "NAME", "who claims, for people"},
    {"limit", "N", "at most so many, 1 to 1000 (default 1)"},
    {"lease", "SPAN", "how long they are held (default 30s)"},
    {"wait", "SPAN", "wait so long for an item, at most 30s (default: not at all)"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option queue_for_options[] = {
    {"for", "SPAN", "how long"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option queue_tend_options[] = {
    {"all", NULL, "all items that were set aside"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option stop_options[] = {
    {"reason", "TEXT", "why, for the process and for people"},
    {"as", "SESSION", "in the name of this session: only if it holds the process"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option pause_options[] = {
    {"type", "TYPE", "all processes of this type, instead of one"},
    {"connector", "NAME", "the calls of this connector instance, instead of a process"},
    {"reason", "TEXT", "why, for people"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option resume_options[] = {
    {"type", "TYPE", "all processes of this type, instead of one"},
    {"connector", "NAME", "the calls of this connector instance, instead of a process"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option restart_options[] = {
    {"from", "STEP", "from this step on (default: the one that failed last); pawl journal shows them"},
    {"from-start", NULL, "everything again"},
    {"at-end", NULL, "no step again, only what comes after the last one"},
    {"reason", "TEXT", "why, for people"},
    {"request-id", "ID", "its own id: asking again with the same id has no further effect"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option complete_options[] = {
    {"output", "JSON", "it completed with this: JSON, @FILE or -"},
    {"text", "TEXT", "it completed with this text, @FILE or -"},
    {"fail", "CODE", "it failed with this code"},
    {"cancelled", NULL, "it was cancelled"},
    {"message", "TEXT", "with --fail or --cancelled: what happened, for people"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option drain_options[] = {
    {"mode", "MODE", "graceful (default), cancel or abort"},
    {"timeout", "SPAN", "after this, escalate (default: the profile's stop_grace)"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option check_options[] = {
    {"store", NULL, "check what is in the profile's stores instead: they must be closed"},
    {"repair", NULL, "with --store: rebuild indexes and counters; headers, journals and contents are never touched"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option plugin_check_options[] = {
    {"level", "LEVEL", "how much is asked: must, should (default) or pedantic"},
    {"case", "NAME...", "only this case (may be repeated)"},
    {"waive", "CASE=REASON...", "leave a case out, and say why (may be repeated)"},
    {"config", "JSON", "for init, as in a profile: JSON or @FILE"},
    {"instance", "JSON", "for the instances of a connector: JSON or @FILE"},
    {"store", "JSON", "for the store of a storage plugin; %DIR% stands for a fresh directory"},
    {"input", "NAME=JSON...", "a sample input of an operation or process type (may be repeated)"},
    {"slow", "NAME=JSON...", "one whose call takes long, for being cancelled (may be repeated)"},
    {"generate", NULL, "call operations without a sample, too, with inputs made from their schemas"},
    {"timeout", "SPAN", "of one case (default 30s)"},
    {"latency", "SPAN", "a call that was asked to stop may take so long to return (default 5s)"},
    {"jobs", "N", "cases at a time (default 1: what one does outside, another may see)"},
    {"warnings-fail", NULL, "a warning fails the check"},
    {"in-process", NULL, "run the one --case in this process, for a debugger"},
    {"junit", "FILE", "write the result as JUnit XML, too"},
    {"list", NULL, "list the cases"},
    {NULL, NULL, NULL},
};

static const pawl_cli_option restore_options[] = {
    {"accept-damage", NULL, "restore also what the check finds problems in"},
    {NULL, NULL, NULL},
};

/* Each benchmark has the options that mean something for it. */
#define BENCH_STORE_OPTIONS                                                                                            \
    {"dir", "DIR", "put the store here, where it is left (default: a temporary directory, removed)"},                  \
        {"store", "KIND", "rocksdb (default), rocksdb-nosync or memory"},                                              \
        {"shards", "N", "threads that run process code (default: one per core)"},                                      \
    {                                                                                                                  \
        NULL, NULL, NULL                                                                                               \
    }
#define BENCH_CONNECT_OPTION                                                                                           \
    {                                                                                                                  \
        "connect", "SOCKET", "drive a running `pawl serve` (with the plugin pawl-bench.so) instead"                    \
    }

static const pawl_cli_option bench_steps_options[] = {
    {"processes", "N", "how many processes (default 2000)"},
    {"concurrency", "N", "how many at once (default 64)"},
    {"steps", "N", "steps of each (default 10)"},
    {"payload", "BYTES", "what a step returns (default 100)"},
    {"local", NULL, "steps that show nothing outside, whose results are seen before they are durable"},
    {"middleware", NULL, "with middleware that does nothing in front of each step"},
    {"observer", NULL, "with an observer that is told of everything, and does nothing"},
    BENCH_CONNECT_OPTION,
    BENCH_STORE_OPTIONS,
};

static const pawl_cli_option bench_start_options[] = {
    {"processes", "N", "how many sleepers (default 10000)"},
    {"concurrency", "N", "starts that wait for their answer at once (default 64)"},
    {"seconds", "S", "how long each sleeps (default 3600)"},
    BENCH_CONNECT_OPTION,
    BENCH_STORE_OPTIONS,
};

static const pawl_cli_option bench_sleep_options[] = {
    {"processes", "N", "how many sleepers (default 10000)"},
    {"concurrency", "N", "starts that wait for their answer at once (default 64)"},
    {"seconds", "S", "how long each sleeps (default 3)"},
    BENCH_STORE_OPTIONS,
};

static const pawl_cli_option bench_signal_options[] = {
    {"processes", "N", "how many processes (default 1000)"},
    {"concurrency", "N", "how many get their signal at once, at most 256 (default 1)"},
    BENCH_CONNECT_OPTION,
    BENCH_STORE_OPTIONS,
};

static const pawl_cli_option bench_recover_options[] = {
    {"processes", "N", "how many processes run at once when the kill comes (default 2000)"},
    {"steps", "N", "steps of each (default 10)"},
    {"sleeping", "N", "sleepers that are in the store before (default 0)"},
    BENCH_STORE_OPTIONS,
};

static const pawl_cli_option bench_fairness_options[] = {
    {"processes", "N", "of the one who has many (default 100000)"},
    {"steps", "N", "of each process (default 1)"},
    {"active", "N", "processes of the type at once, as a profile limits it (default: no limit)"},
    BENCH_STORE_OPTIONS,
};

static const pawl_cli_option bench_idle_options[] = {
    {"seconds", "S", "how long to look (default 5)"},
    BENCH_CONNECT_OPTION,
    BENCH_STORE_OPTIONS,
};

static const pawl_cli_option bench_long_options[] = {
    {"steps", "N", "how many steps the process has (default 10000)"},
    BENCH_STORE_OPTIONS,
};

#define BENCH_TEXT                                                                                                     \
    "Opens a host in this process, over its own store, and drives it through the embedding API. Prints one line\n"     \
    "of JSON; docs/benchmarks.md says what its keys mean."

const pawl_cli_command pawl_cli_commands[] = {
    {"serve", "", 0, 0, "Open the host of a profile and answer at its socket until told to stop",
     "SIGTERM or SIGINT stops it: running effects may finish within the profile's stop_grace, then they are "
     "cancelled.\n"
     "A second signal cancels at once, a third one releases everything now. Nothing recorded is lost in any case.\n"
     "Exit code 0 after a clean stop.",
     "pawl serve --profile shop.yaml\nPAWL_PROFILE=shop.yaml pawl serve --ready-fd 3 3>ready", serve_options,
     pawl_cli_serve},
    {"start", "TYPE", 1, 1, "Start a process", "Prints its id; with --wait its output.",
     "pawl start shop.checkout --id order-17 --input '{\"cart\": 3}'\n"
     "pawl start shop.checkout --input @cart.json --wait --timeout 30s",
     start_options, pawl_cli_start},
    {"wait", "ID...", 1, INT_MAX, "Wait until processes have ended",
     "Prints how each ended. Exit code 8 if one did not complete, 7 when the time is over.",
     "pawl wait order-17 --timeout 5m", wait_options, pawl_cli_wait},
    {"ps", "", 0, 0, "List processes", "Without --all or --status: those that have not ended.",
     "pawl ps\npawl ps --status stuck\npawl ps --all --newest --limit 20 --type shop.checkout\npawl ps "
     "--where 'customer = \"x\" and amount > 10'",
     ps_options, pawl_cli_ps},
    {"count", "", 0, 0, "Count processes", "All that fit, ended ones too. When it stops at its limit it says so.",
     "pawl count --status stuck\npawl count --where 'customer = \"x\" and amount > 10'", count_options, pawl_cli_count},
    {"show", "ID", 1, 1, "Show one process, and why it is not running", NULL, "pawl show order-17", no_options,
     pawl_cli_show},
    {"journal", "ID", 1, 1, "Print what is recorded of a process", NULL,
     "pawl journal order-17\npawl journal order-17 --from 10 --limit 5 --whole --json\n"
     "pawl journal order-17 --export order-17.journal",
     journal_options, pawl_cli_journal},
    {"signal", "ID NAME [PAYLOAD]", 2, 3, "Send a signal to a process",
     "PAYLOAD is JSON, @FILE with JSON, or - for standard input. Durable once this returns; delivered once.",
     "pawl signal order-17 approved '{\"by\": \"ann\"}' --signal-id approval-1", signal_options, pawl_cli_signal},
    {"update", "ID NAME [PAYLOAD]", 2, 3, "Send a request that a process answers, and print the answer",
     "Sent again with the same --id it is the same request, with the same answer. Exit code 7 when the time is over.",
     "pawl update order-17 add-item '{\"sku\": 3}' --id item-3 --timeout 30s", update_options, pawl_cli_update},
    {"event append", "ID TYPE [PAYLOAD]", 2, 3, "Append an event of a declared type to a process",
     "PAYLOAD is JSON, @FILE with JSON, or - for standard input. Durable once this returns.",
     "pawl event append order-17 shipped '{\"parcel\": 4}' --key parcel-4", event_append_options,
     pawl_cli_event_append},
    {"event list", "ID", 1, 1, "List the events of a process", NULL, "pawl event list order-17 --after 12",
     event_list_options, pawl_cli_event_list},
    {"event wait", "ID", 1, 1, "Wait for the next event of a process",
     "Exit code 7 when the time is over, 4 when the process has ended without it.",
     "pawl event wait order-17 --type shipped --after 12 --timeout 5m", event_wait_options, pawl_cli_event_wait},
    {"queue list", "SESSION", 1, 1, "List what stands in the queue of a session", NULL,
     "pawl queue list ann\npawl queue list ann --dead", queue_list_options, pawl_cli_queue_list},
    {"queue claim", "SESSION", 1, 1, "Claim the next items of a queue",
     "Prints the token that settles them. Exit code 7 when there is nothing to claim.",
     "pawl queue claim ann --consumer me --wait 20s", queue_claim_options, pawl_cli_queue_claim},
    {"queue ack", "SESSION TOKEN ITEM...", 3, 1000, "Acknowledge claimed items: they are done, and gone", NULL,
     "pawl queue ack ann 4294967299 4294967297", no_options, pawl_cli_queue_ack},
    {"queue release", "SESSION TOKEN ITEM...", 3, 1000, "Give claimed items back, to be claimed again", NULL,
     "pawl queue release ann 4294967299 4294967297 --for 10s", queue_for_options, pawl_cli_queue_release},
    {"queue extend", "SESSION TOKEN ITEM...", 3, 1000, "Hold on to claimed items for longer", NULL,
     "pawl queue extend ann 4294967299 4294967297 --for 1m", queue_for_options, pawl_cli_queue_extend},
    {"queue redrive", "SESSION [ITEM...]", 1, 1000, "Put items that were set aside at the end of their queue", NULL,
     "pawl queue redrive ann --all", queue_tend_options, pawl_cli_queue_redrive},
    {"queue drop", "SESSION [ITEM...]", 1, 1000, "Remove items from a queue for good", NULL,
     "pawl queue drop ann 4294967297\npawl queue drop ann --all", queue_tend_options, pawl_cli_queue_drop},
    {"cancel", "ID", 1, 1, "Ask a process to stop, with its compensations",
     "Durable once this returns: it takes effect even if every worker dies.",
     "pawl cancel order-17 --reason 'customer left'", stop_options, pawl_cli_cancel},
    {"terminate", "ID", 1, 1, "End a process now, without compensations", NULL,
     "pawl terminate order-17 --reason 'broken'", stop_options, pawl_cli_terminate},
    {"pause", "[ID]", 0, 1, "Keep a process, all of a type, or the calls of a connector still",
     "Durable once this returns. What runs ends and is recorded; nothing new begins until `pawl resume`. Signals are\n"
     "kept. Cancelling a paused process ends its pause.",
     "pawl pause order-17 --reason 'ask ann'\npawl pause --type shop.checkout\npawl pause --connector bank",
     pause_options, pawl_cli_pause},
    {"resume", "[ID]", 0, 1, "Let what is stuck or paused go on", NULL,
     "pawl resume order-17\npawl resume --type shop.checkout\npawl resume --connector bank", resume_options,
     pawl_cli_resume},
    {"restart", "ID", 1, 1, "Do the steps of a process again from one on, also when it has ended",
     "What is recorded of the steps before stays; the others are done again, with new keys. What they did outside is "
     "not "
     "undone.",
     "pawl restart order-17 --from 3", restart_options, pawl_cli_restart},
    {"complete", "ID", 1, 1, "Say how an external process ended", NULL,
     "pawl complete import-3 --output '{\"rows\": 120}'\npawl complete import-3 --fail import.bad_file --message 'no "
     "header'",
     complete_options, pawl_cli_complete},
    {"prune", "", 0, 0, "Forget ended processes",
     "With their journals and what was theirs alone. Their ids stay known as \"no longer retained\".",
     "pawl prune --older-than 30d --dry-run\npawl prune --older-than 12h --type shop.audit", prune_options,
     pawl_cli_prune},
    {"host", "", 0, 0, "Show the host that runs: facets, plugins, connectors, types, worker, counts", NULL, "pawl host",
     no_options, pawl_cli_host},
    {"connectors", "", 0, 0, "Show the connectors, and what stands in front of calls: limits, circuits, lines", NULL,
     "pawl connectors", no_options, pawl_cli_connectors},
    {"drain", "", 0, 0, "Stop the worker of a running host; the server goes on answering",
     "Returns when the worker has stopped.", "pawl drain --timeout 10s\npawl drain --mode cancel", drain_options,
     pawl_cli_drain},
    {"plugin list", "", 0, 0, "List the plugins of the host that runs, and how many live processes are pinned to each",
     "Also those that are not loaded: processes are pinned to them, or a copy is kept.", "pawl plugin list",
     versions_options, pawl_cli_plugin_list},
    {"schedule create", "NAME", 1, 1, "Start a process type at certain times",
     "Durable once this returns. The same again is the same schedule.",
     "pawl schedule create report --type shop.report --cron '0 8 * * mon-fri' --time-zone Europe/Berlin\n"
     "pawl schedule create sweep --type shop.sweep --every 15m --overlap buffer_one --replace",
     pawl_cli_schedule_create_options, pawl_cli_schedule_create},
    {"schedule list", "", 0, 0, "List the schedules, and when each runs next", NULL, "pawl schedule list",
     session_list_options, pawl_cli_schedule_list},
    {"schedule show", "NAME", 1, 1, "Show a schedule: its next times, its latest runs, what was skipped and missed",
     NULL, "pawl schedule show report", no_options, pawl_cli_schedule_show},
    {"schedule pause", "NAME", 1, 1, "Start nothing until the schedule is resumed",
     "Times that pass meanwhile are not made up for.", "pawl schedule pause report --note 'ask ann'",
     pawl_cli_schedule_pause_options, pawl_cli_schedule_pause},
    {"schedule resume", "NAME", 1, 1, "Let a schedule that is paused go on", NULL, "pawl schedule resume report",
     no_options, pawl_cli_schedule_resume},
    {"schedule trigger", "NAME", 1, 1, "Run a schedule now, also while it is paused", "Prints the id of the run.",
     "pawl schedule trigger report --overlap allow", pawl_cli_schedule_trigger_options, pawl_cli_schedule_trigger},
    {"schedule backfill", "NAME", 1, 1, "Run the times of a range that is past",
     "A time that has run already is not run again.",
     "pawl schedule backfill report --from 2026-02-01T00:00:00Z --to 2026-02-07T00:00:00Z --overlap buffer_one",
     pawl_cli_schedule_backfill_options, pawl_cli_schedule_backfill},
    {"schedule delete", "NAME", 1, 1, "Forget a schedule; what it has started goes on", NULL,
     "pawl schedule delete report", no_options, pawl_cli_schedule_delete},
    {"session list", "", 0, 0, "List the sessions that have state", NULL, "pawl session list --limit 1000",
     session_list_options, pawl_cli_session_list},
    {"session show", "NAME", 1, 1, "Show the revision and the state of a session", NULL,
     "pawl session show ann\npawl session show ann --prefix order/ --json", session_show_options,
     pawl_cli_session_show},
    {"session get", "NAME KEY", 2, 2, "Print one value of a session", NULL, "pawl session get ann balance", no_options,
     pawl_cli_session_get},
    {"session set", "NAME KEY [VALUE]", 2, 3, "Set a key of a session",
     "VALUE is JSON, @FILE with JSON, or -. With --revision only when nobody has changed the session since; exit\n"
     "code 4 otherwise. The first change makes the session.",
     "pawl session set ann balance 12\npawl session set ann balance 12 --revision 7", session_set_options,
     pawl_cli_session_set},
    {"session unset", "NAME KEY", 2, 2, "Remove a key of a session", NULL, "pawl session unset ann balance",
     session_unset_options, pawl_cli_session_unset},
    {"session delete", "NAME", 1, 1, "Delete a session, and ask the processes to stop that nobody else holds",
     "Its state, queue, handles and attachments go. Processes that another session has a handle of are kept.",
     "pawl session delete ann", no_options, pawl_cli_session_delete},
    {"session release", "NAME", 1, 1, "Ask the processes of a session to stop that nobody else holds",
     "The session gives up its processes and handles; its state stays.", "pawl session release ann", no_options,
     pawl_cli_session_release},
    {"attachment put", "SCOPE FILE", 2, 2, "Store a file as an attachment, and print its reference",
     "SCOPE is the name of a session, or process:ID. FILE is -, for standard input, or a path. What is there already\n"
     "is not stored again. What breaks off leaves nothing.",
     "pawl attachment put ann report.pdf --media-type application/pdf\ntar c . | pawl attachment put ann - --name src",
     attachment_put_options, pawl_cli_attachment_put},
    {"attachment get", "SCOPE REFERENCE", 2, 2, "Print the content of an attachment, or write it to a file",
     "Whole content is checked against its reference; exit code 9 when it does not fit.",
     "pawl attachment get ann sha256:9f86d0... --out report.pdf\npawl attachment get process:order-1042 "
     "sha256:9f86d0...",
     attachment_get_options, pawl_cli_attachment_get},
    {"attachment list", "SCOPE", 1, 1, "List what a session or a process refers to", NULL, "pawl attachment list ann",
     session_list_options, pawl_cli_attachment_list},
    {"attachment show", "SCOPE REFERENCE", 2, 2, "Show size, media type and name of an attachment", NULL,
     "pawl attachment show ann sha256:9f86d0...", no_options, pawl_cli_attachment_show},
    {"attachment share", "SCOPE REFERENCE TO", 3, 3, "Let another session or process refer to it, too", NULL,
     "pawl attachment share ann sha256:9f86d0... bob", no_options, pawl_cli_attachment_share},
    {"attachment drop", "SCOPE REFERENCE", 2, 2, "Let a session or process refer to it no longer",
     "Content that nobody refers to goes some time later (retention.unreferenced).",
     "pawl attachment drop ann sha256:9f86d0...", no_options, pawl_cli_attachment_drop},
    {"handle list", "SESSION", 1, 1, "List the processes that a session was given a handle of", NULL,
     "pawl handle list bob", no_options, pawl_cli_handle_list},
    {"handle grant", "SESSION PROCESS", 2, 2, "Give a session a handle of a process", NULL,
     "pawl handle grant bob order-17", no_options, pawl_cli_handle_grant},
    {"handle revoke", "SESSION PROCESS", 2, 2, "Take a handle back", NULL, "pawl handle revoke bob order-17",
     no_options, pawl_cli_handle_revoke},
    {"handle transfer", "FROM TO PROCESS...", 3, 1002, "Hand over handles to another session, all or none", NULL,
     "pawl handle transfer ann bob order-17 order-18", no_options, pawl_cli_handle_transfer},
    {"test", "FILE", 1, 1, "Test a process type of a plugin against a scripted world, in virtual time",
     "Runs it, then again with its worker lost after every record, every activation run twice, the process dropped "
     "and\n"
     "kept at every wait, and what is in flight together ending in every order that the program can tell apart. Exit\n"
     "code 1 when something was found. docs/plugin-authors/testing.md describes the script.",
     "pawl test ./shop.so --type shop.checkout --input '{\"order\": 17}' --effects checkout.yaml\n"
     "pawl test ./shop.so --replay journals/",
     test_options, pawl_cli_test},
    {"plugin show", "FILE", 1, 1, "Show what a plugin says about itself, without running its code", NULL,
     "pawl plugin show ./mailer.so", no_options, pawl_cli_plugin_show},
    {"plugin probe", "FILE", 1, 1, "Load a plugin in a child process, as a host would before trusting it",
     "With a profile, a quarantine of the plugin is lifted when it passes.", "pawl plugin probe ./mailer.so",
     no_options, pawl_cli_plugin_probe},
    {"plugin check", "FILE", 0, 1, "Check a plugin by using it, one case per child process",
     "Each case names its rule in docs/abi-rules.md. Operations are called for real, with the samples given here or "
     "as\n"
     "`examples` in the manifest. Exit code 6 when a case fails, crashes or hangs. docs/plugin-authors/checking.md\n"
     "explains every case.",
     "pawl plugin check ./mailer.so --config '{\"host\":\"localhost\"}' --input mail.send='{\"to\":\"a@b\"}'\n"
     "pawl plugin check --list\n"
     "gdb --args pawl plugin check ./mailer.so --case call.sample --in-process",
     plugin_check_options, pawl_cli_plugin_check},
    {"plugin new", "NAME", 1, 1, "Make a repository for a plugin: code, manifest, tests, a profile to try it with",
     "Makes the directory NAME, which must not be there, with everything that building and testing needs; in it,\n"
     "./build makes the plugin against the installed Pawl, and ./test tries it as a host would.",
     "pawl plugin new mailer --kind effect\npawl plugin new crm --kind connector --lang rust --id com.acme.crm",
     plugin_new_options, pawl_cli_plugin_new},
    {"plugin unused", "", 0, 0,
     "List the versions of plugins that no live process is pinned to and nothing begins with",
     "They can be taken out of the profile, and forgotten.", "pawl plugin unused", versions_options,
     pawl_cli_plugin_unused},
    {"plugin forget", "DIGEST", 1, 1, "Remove the kept bytes of a version that is not loaded",
     "Refused while a live process is pinned to it, which is named.", "pawl plugin forget 5b1c...", no_options,
     pawl_cli_plugin_forget},
    {"check", "[PROFILE]", 0, 1, "Check a profile, or with --store what is in its stores",
     "Without --store: reports every mistake of the profile with its place; loads no plugin, opens no store.\n"
     "With --store: reads every row of the stores and compares it with all others, and every content with its digest.\n"
     "One line for each problem; exit code 9 when any is left. Nothing may have a store open: stop `pawl serve`\n"
     "first, or check what is restored from a backup. Without --repair nothing is written.",
     "pawl check shop.yaml\npawl check shop.yaml --store\npawl check shop.yaml --store --repair", check_options,
     pawl_cli_check},
    {"backup", "DIR", 1, 1, "Copy the stores of a host into a new directory, while it runs or not",
     "A running host is asked over its socket and copies them itself, working on: everything acknowledged before is\n"
     "inside. DIR must not be there, or be empty; it appears only when it is whole. On the same file system most of\n"
     "it is linked and costs no space: copy it to another device.",
     "pawl backup /backup/shop-monday\npawl backup ./before-upgrade --profile shop.yaml", no_options, pawl_cli_backup},
    {"restore", "DIR", 1, 1, "Make the stores of a profile from a backup",
     "The profile's stores must not be there; nothing is overwritten. Each is checked as by `pawl check --store`\n"
     "before it is put in its place; with problems nothing is restored (exit code 9) unless --accept-damage is given.\n"
     "Processes go on from where they were: effects they did since the backup are done again, with the same\n"
     "idempotency keys. Never run the old store and the restored one at the same time.",
     "pawl restore /backup/shop-monday --profile shop.yaml", restore_options, pawl_cli_restore},
    {"bench steps", "", 0, 0, "Measure processes of several steps, so many at once", BENCH_TEXT,
     "pawl bench steps --concurrency 64 --steps 10 --processes 2000\npawl bench steps --payload 4096",
     bench_steps_options, pawl_cli_bench_steps},
    {"bench start", "", 0, 0, "Measure durable starts of processes that sleep, and what each costs asleep", BENCH_TEXT,
     "pawl bench start --processes 100000 --dir /var/tmp/bench\npawl bench steps --dir /var/tmp/bench",
     bench_start_options, pawl_cli_bench_start},
    {"bench sleep", "", 0, 0, "Measure how late processes wake that sleep for some seconds", BENCH_TEXT,
     "pawl bench sleep --processes 10000 --seconds 3", bench_sleep_options, pawl_cli_bench_sleep},
    {"bench signal", "", 0, 0, "Measure from sending a signal to the end of the process that waited for it", BENCH_TEXT,
     "pawl bench signal --processes 1000", bench_signal_options, pawl_cli_bench_signal},
    {"bench recover", "", 0, 0, "Measure what a kill -9 in the middle of many processes costs",
     BENCH_TEXT
     "\nThe host that is killed is in a child process. `repeated` counts steps that ran again although their "
     "result\nwas recorded, and is 0.",
     "pawl bench recover --processes 2000 --sleeping 100000", bench_recover_options, pawl_cli_bench_recover},
    {"bench fairness", "", 0, 0, "Measure ten processes while somebody else's many are ready",
     "One JSON line: how long ten take under a key of their own, one after the other, when nothing else is there, and\n"
     "while so many of another key stand in the queue.",
     "pawl bench fairness --processes 1000000 --active 64", bench_fairness_options, pawl_cli_bench_fairness},
    {"bench idle", "", 0, 0, "Measure a host that has nothing to do", BENCH_TEXT,
     "pawl bench idle --seconds 10\npawl bench idle --connect data/pawl.sock", bench_idle_options, pawl_cli_bench_idle},
    {"bench long", "", 0, 0, "Measure one process of many steps", BENCH_TEXT, "pawl bench long --steps 10000",
     bench_long_options, pawl_cli_bench_long},
    {"version", "", 0, 0, "Print the version", NULL, "pawl version --json", no_options, pawl_cli_version},
    {"help", "[COMMAND]", 0, 2, "Say what a command does", NULL, "pawl help start", no_options, pawl_cli_help},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL, NULL},
};

const pawl_cli_command *pawl_cli_find(int count, const char *const *words, int *ret_words)
{
    char two[128] = "";
    if (count > 1)
        snprintf(two, sizeof two, "%s %s", words[0], words[1]);
    for (const pawl_cli_command *command = pawl_cli_commands; command->name != NULL; command++) {
        bool one_word = count > 0 && strcmp(command->name, words[0]) == 0;
        if (!one_word && strcmp(command->name, two) != 0)
            continue;
        *ret_words = one_word ? 1 : 2;
        return command;
    }
    return NULL;
}
