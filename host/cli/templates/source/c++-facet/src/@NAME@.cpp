// @NAME@.cpp: a storage provider with one facet: the state of sessions, in memory. Every change is one commit: all of it
// or nothing, under one lock. What the functions must do stands in pawl_abi.h.
#include <pawl.hpp>

#include <map>
#include <memory>
#include <mutex>

#include "pawl_manifest.h" // made of manifest.json

struct commit {
    std::string changes; // as one text, to tell the same commit from another one with its key
    uint64_t revision;
};

struct session {
    uint64_t revision = 0;
    std::map<std::string, std::string, std::less<>> values;
    std::map<std::string, commit, std::less<>> commits;
};

struct pawl_store {
    std::mutex lock; // guards all of it
    const pawl_core *core;
    std::map<std::string, session, std::less<>> sessions;
};

using changes = const pawl_session_change *const *;

static std::string written(changes list, size_t count)
{
    std::string text;
    for (size_t i = 0; i < count; i++) {
        text += std::to_string(list[i]->kind) + " " + std::to_string(list[i]->key.size) + " " +
                std::to_string(list[i]->value.size) + " ";
        text += pawl::view(list[i]->key);
        text += pawl::view(list[i]->value);
    }
    return text;
}

// The session as it will be; the caller keeps it when all is well.
static pawl_status change(session &next, changes list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        std::string key(pawl::view(list[i]->key)), value(pawl::view(list[i]->value));
        if (list[i]->kind == PAWL_SESSION_PUT)
            next.values[key] = value;
        else if (list[i]->kind == PAWL_SESSION_DELETE)
            next.values.erase(key);
        else if (list[i]->kind != PAWL_SESSION_PUT_NEW)
            return PAWL_E_INVALID;
        else if (!next.values.emplace(key, value).second)
            return PAWL_E_CONFLICT;
    }
    next.revision++;
    return PAWL_OK;
}

static pawl_status commit_session(pawl_store *store, pawl_bytes name, uint64_t expected, pawl_bytes key, changes list,
                                  size_t count, uint64_t *revision, pawl_failure_sink *why) noexcept
{
    return pawl::guard(store->core, why, [&] {
        std::string body = written(list, count);
        std::lock_guard<std::mutex> hold(store->lock);
        session &now = store->sessions[std::string(pawl::view(name))];
        auto known = key.size == 0 ? now.commits.end() : now.commits.find(pawl::view(key));
        pawl_status status = PAWL_OK;
        if (known != now.commits.end()) {
            if (revision != nullptr)
                *revision = known->second.revision;
            return known->second.changes == body ? PAWL_OK : PAWL_E_CONFLICT;
        }
        if (expected != PAWL_REVISION_ANY && expected != now.revision) {
            status = PAWL_E_STALE;
        } else {
            session next = now;
            status = change(next, list, count);
            if (status == PAWL_OK && key.size > 0)
                next.commits[std::string(pawl::view(key))] = {body, next.revision};
            if (status == PAWL_OK)
                now = std::move(next);
        }
        if (revision != nullptr)
            *revision = now.revision;
        return status;
    });
}

static pawl_status get(pawl_store *store, pawl_bytes name, pawl_bytes key, pawl_sink *value, uint64_t *revision,
                       pawl_failure_sink *why) noexcept
{
    return pawl::guard(store->core, why, [&] {
        std::lock_guard<std::mutex> hold(store->lock);
        auto found = store->sessions.find(pawl::view(name));
        bool there = found != store->sessions.end();
        if (revision != nullptr)
            *revision = there ? found->second.revision : 0;
        if (!there)
            return PAWL_E_NOT_FOUND;
        auto pair = found->second.values.find(pawl::view(key));
        if (pair == found->second.values.end())
            return PAWL_E_NOT_FOUND;
        return store->core->sink_write(value, pair->second.data(), pair->second.size());
    });
}

static pawl_status scan(pawl_store *store, pawl_bytes name, pawl_bytes prefix, pawl_session_visit visit, void *context,
                        uint64_t *revision, pawl_failure_sink *why) noexcept
{
    return pawl::guard(store->core, why, [&] {
        std::lock_guard<std::mutex> hold(store->lock);
        auto found = store->sessions.find(pawl::view(name));
        if (revision != nullptr)
            *revision = found == store->sessions.end() ? 0 : found->second.revision;
        if (found == store->sessions.end())
            return PAWL_OK;
        const auto &values = found->second.values;
        for (auto at = values.lower_bound(pawl::view(prefix)); at != values.end(); ++at)
            if (at->first.compare(0, prefix.size, pawl::view(prefix)) != 0 ||
                visit(context, pawl::bytes(at->first), pawl::bytes(at->second)) != 0)
                break;
        return PAWL_OK;
    });
}

static pawl_status forget(pawl_store *store, pawl_bytes name, pawl_failure_sink *why) noexcept
{
    return pawl::guard(store->core, why, [&] {
        std::lock_guard<std::mutex> hold(store->lock);
        store->sessions.erase(std::string(pawl::view(name)));
        return PAWL_OK;
    });
}

static pawl_status names(pawl_store *store, pawl_bytes after, uint32_t limit, pawl_session_name_visit visit,
                         void *context, pawl_failure_sink *why) noexcept
{
    return pawl::guard(store->core, why, [&] {
        std::lock_guard<std::mutex> hold(store->lock);
        const auto &all = store->sessions;
        for (auto at = after.size == 0 ? all.begin() : all.upper_bound(pawl::view(after)); at != all.end(); ++at) {
            if (at->second.revision == 0)
                continue;
            if (limit-- == 0 || visit(context, pawl::bytes(at->first), at->second.revision) != 0)
                break;
        }
        return PAWL_OK;
    });
}

static pawl_status tier(pawl_bytes, uint32_t facet, uint32_t *ret_tier, pawl_failure_sink *) noexcept
{
    if (facet != PAWL_FACET_SESSION)
        return PAWL_E_UNSUPPORTED;
    *ret_tier = PAWL_TIER_INLINE;
    return PAWL_OK;
}

static pawl_status open_store(const pawl_host_root *host, pawl_bytes, pawl_store **store,
                              pawl_failure_sink *why) noexcept
{
    return pawl::guard(pawl_core_of(host), why, [&] {
        auto made = std::make_unique<pawl_store>();
        made->core = pawl_core_of(host);
        *store = made.release();
        return PAWL_OK;
    });
}

static void close_store(pawl_store *store) noexcept
{
    delete store;
}

static pawl_status describe(pawl_store *store, pawl_sink *json, pawl_failure_sink *) noexcept
{
    std::lock_guard<std::mutex> hold(store->lock);
    return pawl_writef(store->core, json, "{\"sessions\":%zu}", store->sessions.size());
}

struct storage {
    static constexpr const char *id = PAWL_FACTORY_STORAGE;
    static constexpr pawl_storage_table table = {
        sizeof(pawl_storage_table), 1u << PAWL_FACET_SESSION, tier, open_store, close_store, describe};
};
struct sessions {
    static constexpr const char *id = PAWL_FACTORY_SESSION;
    static constexpr pawl_session_table table = {sizeof(pawl_session_table), 0, commit_session, get, scan, forget, names};
};

PAWL_PLUGIN(PAWL_MANIFEST_ID, PAWL_MANIFEST_VERSION, "@VENDOR@", PAWL_MANIFEST, pawl_plain_init, pawl_plain_deinit,
            (pawl::factories<storage, sessions>));
