// sample.cpp: a plugin written with pawl.hpp, as its author would write one, and programs that do what they should not.
#include <pawl.hpp>

#include <stdexcept>
#include <thread>

using namespace std::chrono_literals;

namespace
{

int alive; // of the objects below; an effect tells it

struct counted {
    counted()
    {
        alive++;
    }
    ~counted()
    {
        alive--;
    }
    counted(const counted &) = delete;
    counted &operator=(const counted &) = delete;
    std::string memory = std::string(1000, 'x');
};

std::string checkout(pawl::process &p)
{
    counted object;
    std::string_view hold = p.call("stock.reserve", p.input());
    p.on_rollback("stock.release", hold);
    pawl::future pay = p.start_call("bank.charge", hold, {3, 5s, 60s});
    pawl::future late = p.start_timer(30s);
    if (p.await_any({pay, late}) == 1)
        throw pawl::failure("checkout.timeout", "the bank did not answer in 30 s");
    return std::string(p.result(pay));
}

// Does in a catch block what only a program that waits there can do.
std::string mends(pawl::process &p)
{
    counted object;
    try {
        p.call("try", p.input());
    } catch (const pawl::failure &first) {
        p.call("undo", first.code());
        p.sleep(1s);
        throw;
    }
    return "not needed";
}

std::string swallows(pawl::process &p)
{
    for (int i = 0; i < 3; i++) {
        try {
            p.call("one", "");
        } catch (...) { // no program should; this one must not get further by it
        }
    }
    return "swallowed";
}

std::string stops(pawl::process &p)
{
    try {
        p.signal("never");
    } catch (const pawl::cancelled &) {
        p.call("undo", p.cancel_reason());
        throw;
    }
    return "";
}

void plainly_throws(pawl::process &p)
{
    p.call("one", "");
    throw std::runtime_error("a plain exception");
}

void throws_a_number(pawl::process &)
{
    throw 7;
}

void runs_out(pawl::process &)
{
    throw std::bad_alloc();
}

void goes_on(pawl::process &p)
{
    try {
        p.continue_as_new(std::string(p.input()) + "+");
    } catch (...) {
    }
}

std::string waits(pawl::process &p)
{
    std::optional<std::string_view> in_time = p.signal_within("go", 2s);
    pawl::update asked = p.next_update("ask");
    if (asked.payload() == "no")
        asked.reject("waits.no", "as asked");
    else
        asked.reply(in_time ? *in_time : "none");
    p.await_all({p.start_call("a", "1"), p.start_call("b", "2")});
    p.set_status("{\"step\":\"end\"}");
    return p.uuid().size() == 36 && p.version("change", 0, 1) == 1 ? "waited" : "";
}

std::string remembers(pawl::process &p)
{
    pawl::session_value before = p.session_get("count");
    std::optional<uint64_t> revision = p.session_put(before.revision, "count", "1");
    if (!revision)
        return "stale";
    return std::string(before.value ? *before.value : "none") + " " + std::to_string(*revision);
}

std::string wakes(pawl::process &p)
{
    p.sleep_until(pawl::time_point(1s));
    p.sleep_until(pawl::time_point(0s));
    return "woken";
}

std::string family(pawl::process &p)
{
    return std::string(p.child("shop.checkout", "cart"));
}

constexpr pawl_process_type types[] = {
    {"checkout", 1, pawl::program<checkout>},     {"mends", 1, pawl::program<mends>},
    {"swallows", 1, pawl::program<swallows>},     {"stops", 1, pawl::program<stops>},
    {"throws", 1, pawl::program<plainly_throws>}, {"number", 1, pawl::program<throws_a_number>},
    {"runs-out", 1, pawl::program<runs_out>},     {"goes-on", 1, pawl::program<goes_on>},
    {"waits", 1, pawl::program<waits>},           {"remembers", 1, pawl::program<remembers>},
    {"wakes", 1, pawl::program<wakes>},           {"family", 1, pawl::program<family>},
};

std::string echo(const pawl::call &call)
{
    if (call.input() == "later")
        throw pawl::failure::retryable("echo.later", "not now", 3s).with_detail("{\"why\":1}");
    if (call.input() == "throw")
        throw std::runtime_error("a plain exception");
    if (call.input() == "number")
        throw 7;
    return "{\"echo\":" + pawl::json_string(call.input()) + ",\"key\":" + pawl::json_string(call.idempotency_key()) +
           "}";
}

std::optional<std::string> was_echoed(const pawl::call &call)
{
    if (call.input() == "throw")
        throw pawl::failure::unknown_outcome("echo.unknown", "nobody knows");
    if (call.input() == "yes")
        return "it was";
    return std::nullopt;
}

void answers(const pawl::call &call, pawl::completion &end)
{
    if (call.input() == "refuse")
        throw pawl::failure("answer.refused", "not begun");
    if (call.input() == "forget")
        return;
    if (call.input() == "drop") {
        pawl::completion taken = std::move(end);
        throw std::runtime_error("after it was taken over");
    }
    std::thread([end = std::move(end), text = std::string(call.input())]() mutable {
        if (text == "fail")
            end.fail(pawl::failure("answer.no", "no"));
        else
            end.complete(text);
    }).join();
}

std::string count_alive(const pawl::call &)
{
    return std::to_string(alive);
}

constexpr pawl::effect effects[] = {
    {"echo", echo, was_echoed}, {"answer", nullptr, nullptr, answers}, {"alive", count_alive}};

class counter
{
  public:
    explicit counter(const pawl::setup &setup) : name_(setup.name)
    {
        if (setup.config_json != "{}")
            throw pawl::failure("counter.config", "wanted an empty object");
    }
    std::string invoke(const pawl::call &call)
    {
        if (call.operation() != "next")
            throw pawl::failure("counter.operation", "wanted the operation next");
        return name_ + " " + std::to_string(++count_);
    }

  private:
    counted object_;
    std::string name_;
    int count_ = 0;
};

void begin(const pawl_host_root *, std::string_view config_json)
{
    if (config_json == "bad")
        throw pawl::failure("sample.config", "this cannot be used");
}

} // namespace

#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"com.example.sample\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"   \
    "\"kinds\":[\"process\"],\"processes\":[{\"name\":\"checkout\",\"revision\":1}]}"

PAWL_PLUGIN("com.example.sample", "1.0.0", "Example", MANIFEST, pawl::init<begin>, pawl_plain_deinit,
            (pawl::factories<pawl::processes<types>, pawl::effects<effects>, pawl::connector<counter>>));
