//! @NAME@.zig: the process type @NAME@.approval, which waits for a week for somebody's word on a request. A panic in Zig
//! ends the host.
const std = @import("std");
const c = @cImport({
    @cInclude("pawl_plugin.h");
    @cInclude("pawl_process.h");
});

// The calling convention of C, as this and later versions of Zig call it.
const Convention = std.builtin.CallingConvention;
const C: Convention = if (@hasField(Convention, "C")) Convention.C else Convention.c;

const factory = "pawl.process/1";
const table = c.pawl_process_table{
    .struct_size = @sizeOf(c.pawl_process_table),
    .flags = 0,
    .activate = activate,
};

const week: u64 = 7 * 24 * 3600 * 1_000_000_000;

/// Texts one behind the other, in the memory of this activation.
fn join(p: [*c]c.pawl_process, parts: []const []const u8) c.pawl_bytes {
    var size: usize = 0;
    for (parts) |part| size += part.len;
    const memory: [*]u8 = @ptrCast(c.pawl_alloc(p, size + 1) orelse return c.pawl_bytes_of("", 0));
    var at: usize = 0;
    for (parts) |part| {
        @memcpy(memory[at..][0..part.len], part);
        at += part.len;
    }
    return c.pawl_bytes_of(memory, size);
}

fn slice(bytes: c.pawl_bytes) []const u8 {
    const data: [*]const u8 = @ptrCast(bytes.data orelse return "");
    return data[0..bytes.size];
}

// Run from the top again and again: between two runs nothing of it lives but the journal. A status that an await gives is
// returned unchanged.
fn approval(p: [*c]c.pawl_process) c.pawl_status {
    var status = c.pawl_set_status(p, c.pawl_bytes_of_text("{\"step\":\"waiting for a word\"}"));
    if (status != c.PAWL_OK) return status;
    const futures = [_]c.pawl_future{
        c.pawl_wait_signal(p, "approve"),
        c.pawl_wait_signal(p, "refuse"),
        c.pawl_start_timer(p, week),
    };
    var first: c_int = 0;
    status = c.pawl_await_any_of(p, &first, &futures, futures.len);
    if (status != c.PAWL_OK) return status;
    if (first == 1) return c.pawl_fail(p, "@NAME@.refused", "somebody said no");
    if (first == 2) return c.pawl_fail(p, "@NAME@.late", "nobody said anything for a week");
    var word: c.pawl_bytes = undefined;
    status = c.pawl_result(p, futures[0], &word);
    if (status != c.PAWL_OK) return status;
    return c.pawl_complete(p, join(p, &.{ "{\"request\":", slice(c.pawl_input(p)), ",\"approved\":", slice(word), "}" }));
}

// A program that does other commands, or the same ones in another order, is a new revision: add a line, and keep the old
// one while processes that began with it are unfinished.
fn activate(p: [*c]c.pawl_process, name: c.pawl_bytes, revision: u32) callconv(C) c.pawl_status {
    if (c.pawl_is(name, "@NAME@.approval") != 0 and revision == 1) return approval(p);
    return c.PAWL_E_UNSUPPORTED; // the host parks the process until a plugin that has it is there
}

// ---- the entry: the manifest, as it also stands in an ELF note, and the root ----

const manifest = @embedFile("manifest.json");
const id = "@ID@"; // as in the manifest, and so the version
const version = "0.1.0";

const Note = extern struct {
    name_size: u32 = 5,
    descriptor_size: u32 = manifest.len,
    kind: u32 = 0x50570001,
    name: [8]u8 = "Pawl\x00\x00\x00\x00".*,
    descriptor: [(manifest.len + 3) / 4 * 4]u8,
};
const note: Note align(4) linksection(".note.pawl") = .{
    .descriptor = (manifest ++ [_]u8{0} ** ((4 - manifest.len % 4) % 4)).*,
};

fn getFactory(wanted: [*c]const u8) callconv(C) ?*const anyopaque {
    return if (std.mem.eql(u8, std.mem.span(wanted), factory)) &table else null;
}

const root = c.pawl_plugin_root{
    .struct_size = @sizeOf(c.pawl_plugin_root),
    .abi_major = 1,
    .abi_minor_min = 0,
    .id = id,
    .version = version,
    .vendor = "@VENDOR@",
    .manifest_json = .{ .data = &note.descriptor, .size = manifest.len },
    .init = c.pawl_plain_init,
    .deinit = c.pawl_plain_deinit,
    .get_factory = getFactory,
};

export fn pawl_plugin_entry_v1() *const c.pawl_plugin_root {
    return &root;
}
