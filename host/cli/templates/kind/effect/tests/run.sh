# run.sh: what @NAME@ does, in a real host. Part of ../test.
check
serve
pawl start call.once --input '{"call":"@NAME@.stamp","input":{"text":"hello"}}' --id one --wait >"$work/out" 2>&1 ||
    fail "the effect failed"
expect '"stamped":{"text":"hello"}'
expect '"key":"one/1/1"'
pawl start call.once --input '{"call":"@NAME@.stamp","input":{}}' --id two --wait >"$work/out" 2>&1 &&
    fail "there was nothing to stamp, and it was stamped"
expect '@NAME@.nothing'
stop_server
