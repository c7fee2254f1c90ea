/* peer_plugin.c: the process types of the comparison with other engines, and what they report to its driver. Its
 * programs look at the clock and write to a board, which process code must not do: here nothing that they command
 * depends on it, and the driver has to know when a process fell asleep and when it woke. Never an example to follow.
 *
 * The board is a file in memory that this plugin and the driver share (PAWL_PEERS_BOARD; pawl/board.mjs has its other
 * side); the side file gets a line for every counted step (PAWL_PEERS_SIDE) and survives a kill. Both may be absent. */
#include <pawl_plugin.h>
#include <pawl_process.h>

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define VALUE_CHARACTERS 100u
#define VALUE_COUNT      1024u
#define VALUE_BYTES      (VALUE_CHARACTERS + 2) /* a JSON string: with its quotes */

typedef struct slot {
    _Atomic uint64_t blocked_unix_ns;
    _Atomic uint64_t woken_unix_ns;
} slot;

typedef struct board {
    _Atomic uint64_t blocked;
    _Atomic uint64_t woken;
    _Atomic uint64_t steps;
    uint64_t reserved;
    slot slots[];
} board;

static struct {
    board *board;
    uint64_t slot_count;
    int side_fd;
    _Atomic uint32_t next_value;
    char values[VALUE_COUNT][VALUE_BYTES]; /* random, so that they do not compress to nothing */
} plugin = {.side_fd = -1};

/* ---- setting up ------------------------------------------------------------------------------------------------- */

static bool fill_values(void)
{
    static const char letters[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (uint32_t i = 0; i < VALUE_COUNT; i++) {
        unsigned char random[VALUE_CHARACTERS];
        if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
            return false;
        char *value = plugin.values[i];
        for (uint32_t c = 0; c < VALUE_CHARACTERS; c++)
            value[c + 1] = letters[random[c] & 63];
        value[0] = '"';
        value[VALUE_BYTES - 1] = '"';
    }
    return true;
}

static bool open_board(const char *path)
{
    struct stat facts;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return false;
    void *memory = MAP_FAILED;
    if (fstat(fd, &facts) == 0 && facts.st_size > (off_t)sizeof(board))
        memory = mmap(NULL, (size_t)facts.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory == MAP_FAILED)
        return false;
    plugin.board = memory;
    plugin.slot_count = ((size_t)facts.st_size - sizeof(board)) / sizeof(slot);
    return true;
}

static pawl_status init(const pawl_host_root *host, pawl_bytes config_json, pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_of(host);
    const char *board_path = getenv("PAWL_PEERS_BOARD");
    const char *side_path = getenv("PAWL_PEERS_SIDE");
    (void)config_json;
    if (!fill_values())
        return pawl_fail_with(core, why, PAWL_TERMINAL, "peers.random", "no random bytes");
    if (board_path != NULL && !open_board(board_path))
        return pawl_fail_with(core, why, PAWL_TERMINAL, "peers.board", "cannot map the board %s", board_path);
    if (side_path != NULL)
        plugin.side_fd = open(side_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (side_path != NULL && plugin.side_fd < 0)
        return pawl_fail_with(core, why, PAWL_TERMINAL, "peers.side", "cannot open the side file %s", side_path);
    return PAWL_OK;
}

/* ---- what the driver sees --------------------------------------------------------------------------------------- */

static uint64_t unix_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * PAWL_SECOND + (uint64_t)now.tv_nsec;
}

/* Only the first mark of a process counts: a program is run from the top again and again. */
static void mark(_Atomic uint64_t *time_unix_ns, _Atomic uint64_t *count)
{
    uint64_t never = 0;
    if (atomic_compare_exchange_strong(time_unix_ns, &never, unix_now_ns()))
        atomic_fetch_add(count, 1);
}

static void mark_blocked(uint64_t index)
{
    if (index < plugin.slot_count)
        mark(&plugin.board->slots[index].blocked_unix_ns, &plugin.board->blocked);
}

static void mark_woken(uint64_t index)
{
    if (index < plugin.slot_count)
        mark(&plugin.board->slots[index].woken_unix_ns, &plugin.board->woken);
}

/* `E ID STEP`: the body of a step ran. `A ID STEP`: the process got its result. One write, so that lines stay whole. */
static void side_line(char kind, pawl_bytes step)
{
    char line[512];
    int size = snprintf(line, sizeof line, "%c %.*s\n", kind, (int)step.size, (const char *)step.data);
    if (plugin.side_fd >= 0 && size > 0 && (size_t)size < sizeof line && write(plugin.side_fd, line, (size_t)size) < 0)
        abort(); /* a count that is wrong is worse than none */
}

/* ---- effects ---------------------------------------------------------------------------------------------------- */

static pawl_status execute(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    (void)why;
    if (pawl_is(call->operation, "peers.counted_step")) {
        side_line('E', call->input);
        if (plugin.board != NULL)
            atomic_fetch_add(&plugin.board->steps, 1);
    }
    uint32_t value = atomic_fetch_add(&plugin.next_value, 1) % VALUE_COUNT;
    return pawl_write(pawl_core_of(call->host), out, plugin.values[value], VALUE_BYTES);
}

/* ---- processes -------------------------------------------------------------------------------------------------- */

/* The numbers of an input like "17 3 2 20000"; what is missing is 0. */
static void input_numbers(pawl_process *p, uint64_t *numbers, size_t count)
{
    pawl_bytes input = pawl_input(p);
    const char *text = input.data;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        numbers[i] = 0;
        for (; at < input.size && text[at] >= '0' && text[at] <= '9'; at++)
            numbers[i] = numbers[i] * 10 + (uint64_t)(text[at] - '0');
        at++;
    }
}

/* Input: "STEPS". */
static pawl_status steps(pawl_process *p)
{
    uint64_t count;
    pawl_bytes value = pawl_text("");
    input_numbers(p, &count, 1);
    for (uint64_t i = 0; i < count; i++)
        PAWL_TRY(pawl_call(p, "peers.step", pawl_bytes_of(NULL, 0), &value));
    return pawl_complete(p, value);
}

/* Input: "SLOT MILLISECONDS". */
static pawl_status sleeper(pawl_process *p)
{
    uint64_t numbers[2];
    input_numbers(p, numbers, 2);
    mark_blocked(numbers[0]);
    PAWL_TRY(pawl_sleep(p, numbers[1] * PAWL_MILLISECOND));
    mark_woken(numbers[0]);
    return pawl_complete(p, pawl_text("\"ok\""));
}

static pawl_status counted_steps(pawl_process *p, uint64_t from, uint64_t to, pawl_bytes *value)
{
    for (uint64_t i = from; i < to; i++) {
        pawl_bytes id = pawl_id(p);
        pawl_bytes step = pawl_printf(p, "%.*s %u", (int)id.size, (const char *)id.data, (unsigned)i);
        PAWL_TRY(pawl_call(p, "peers.counted_step", step, value));
        if (!pawl_replaying(p))
            side_line('A', step);
    }
    return PAWL_OK;
}

/* Input: "SLOT STEPS-BEFORE STEPS-AFTER MILLISECONDS"; without milliseconds it does not sleep. */
static pawl_status counted(pawl_process *p)
{
    uint64_t numbers[4];
    pawl_bytes value = pawl_text("");
    input_numbers(p, numbers, 4);
    PAWL_TRY(counted_steps(p, 0, numbers[1], &value));
    if (numbers[3] > 0) {
        mark_blocked(numbers[0]);
        PAWL_TRY(pawl_sleep(p, numbers[3] * PAWL_MILLISECOND));
    }
    PAWL_TRY(counted_steps(p, numbers[1], numbers[1] + numbers[2], &value));
    return pawl_complete(p, value);
}

static pawl_status signalled(pawl_process *p)
{
    pawl_bytes payload;
    PAWL_TRY(pawl_signal(p, "go", &payload));
    return pawl_complete(p, payload);
}

PAWL_EFFECT_TABLE(effects, execute, NULL, NULL);
PAWL_PROCESSES(PAWL_TYPE("peers.steps", 1, steps), PAWL_TYPE("peers.sleeper", 1, sleeper),
               PAWL_TYPE("peers.counted", 1, counted), PAWL_TYPE("peers.signalled", 1, signalled))

static const void *get_factory(const char *id)
{
    return strcmp(id, PAWL_FACTORY_EFFECT) == 0 ? &effects : pawl_process_factory(id);
}

#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"pawl.peers\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"           \
    "\"kinds\":[\"effect\",\"process\"],\"effects\":["                                                                 \
    "{\"name\":\"peers.step\",\"runs\":\"inline\",\"outcome\":\"idempotent\"},"                                        \
    "{\"name\":\"peers.counted_step\",\"runs\":\"inline\",\"outcome\":\"idempotent\"}],"                               \
    "\"processes\":[{\"name\":\"peers.steps\",\"revision\":1},{\"name\":\"peers.sleeper\",\"revision\":1},"            \
    "{\"name\":\"peers.counted\",\"revision\":1},{\"name\":\"peers.signalled\",\"revision\":1}]}"

PAWL_PLUGIN("pawl.peers", "1.0.0", "Pawl", MANIFEST, init, pawl_plain_deinit, get_factory);
