// @NAME@.cpp: the process type @NAME@.approval, which waits for a week for somebody's word on a request.
#include <pawl.hpp>

#include "pawl_manifest.h" // made of manifest.json

// Run from the top again and again: between two runs nothing of it lives but the journal. Destructors run at every wait,
// and may free memory, nothing else.
static std::string approval(pawl::process &p)
{
    p.set_status("{\"step\":\"waiting for a word\"}");
    pawl::future yes = p.wait_signal("approve"), no = p.wait_signal("refuse");
    pawl::future late = p.start_timer(std::chrono::hours(7 * 24));
    size_t first = p.await_any({yes, no, late});
    if (first == 1)
        throw pawl::failure("@NAME@.refused", "somebody said no");
    if (first == 2)
        throw pawl::failure("@NAME@.late", "nobody said anything for a week");
    return "{\"request\":" + std::string(p.input()) + ",\"approved\":" + std::string(p.result(yes)) + "}";
}

// A program that does other commands, or the same ones in another order, is a new revision: add a line, and keep the old
// one while processes that began with it are unfinished.
static constexpr pawl_process_type types[] = {{"@NAME@.approval", 1, pawl::program<approval>}};

PAWL_PLUGIN(PAWL_MANIFEST_ID, PAWL_MANIFEST_VERSION, "@VENDOR@", PAWL_MANIFEST, pawl_plain_init, pawl_plain_deinit,
            pawl::factories<pawl::processes<types>>);
