//! @NAME@.zig: the effect @NAME@.stamp, which gives its input back with the key of the call. A panic in Zig ends the host.
const std = @import("std");
const c = @cImport({
    @cInclude("pawl_plugin.h");
});

// The calling convention of C, as this and later versions of Zig call it.
const Convention = std.builtin.CallingConvention;
const C: Convention = if (@hasField(Convention, "C")) Convention.C else Convention.c;

const factory = "pawl.effect/1";
const table = c.pawl_effect_table{
    .struct_size = @sizeOf(c.pawl_effect_table),
    .flags = 0,
    .execute = execute,
    .start = null,
    .reconcile = null,
};

fn fail(core: [*c]const c.pawl_core, why: ?*c.pawl_failure_sink, klass: u32, code: [*:0]const u8, message: [*:0]const u8) c.pawl_status {
    const failure = c.pawl_failure_of(klass, code, message, 0);
    core.*.fail.?(why, &failure);
    return c.PAWL_E_FAILED;
}

fn stamp(core: [*c]const c.pawl_core, call: [*c]const c.pawl_effect_call, out: ?*c.pawl_sink, why: ?*c.pawl_failure_sink) c.pawl_status {
    if (c.pawl_call_cancelled(core, call) != 0) // what takes long looks here now and then
        return fail(core, why, c.PAWL_RETRYABLE, "@NAME@.stopped", "asked to stop before anything was done");
    if (call.*.input.size <= 2) // {}
        return fail(core, why, c.PAWL_TERMINAL, "@NAME@.nothing", "there is nothing to stamp");
    var status = c.pawl_write_text(core, out, "{\"stamped\":");
    if (status == c.PAWL_OK)
        status = c.pawl_write(core, out, call.*.input.data, call.*.input.size); // JSON, as the manifest says
    if (status == c.PAWL_OK)
        status = c.pawl_write_text(core, out, ",\"key\":\"");
    if (status == c.PAWL_OK)
        status = c.pawl_write(core, out, call.*.idempotency_key.data, call.*.idempotency_key.size);
    return if (status == c.PAWL_OK) c.pawl_write_text(core, out, "\"}") else status;
}

fn execute(call: [*c]const c.pawl_effect_call, out: ?*c.pawl_sink, why: ?*c.pawl_failure_sink) callconv(C) c.pawl_status {
    const core = c.pawl_core_of(call.*.host);
    if (c.pawl_is(call.*.operation, "@NAME@.stamp") != 0)
        return stamp(core, call, out, why);
    return c.PAWL_E_UNSUPPORTED;
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
