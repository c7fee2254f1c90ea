# run.sh: what @NAME@ does, as a scripted world shows it (../docs of Pawl:
# plugin-authors/testing.md), and in a real host that is killed in the middle. Part of ../test.
check
for script in tests/*.yaml; do
    pawl test "$plugin" --effects "$script" >"$work/out" 2>&1 || fail "pawl test found something with $script"
done
serve
pawl start @NAME@.approval --id one --input '{"what":"a bicycle"}' >"$work/out" 2>&1 || fail "it was not started"
kill_server
serve
pawl signal one approve '{"by":"ann"}' >"$work/out" 2>&1 || fail "the signal was not taken"
pawl wait one --timeout 60s >"$work/out" 2>&1 || fail "the process did not complete"
expect '"approved":{"by":"ann"}'
expect '"request":{"what":"a bicycle"}'
pawl start @NAME@.approval --id two --input '{"what":"a boat"}' >"$work/out" 2>&1 || fail "it was not started"
pawl signal two refuse '{"by":"bob"}' >"$work/out" 2>&1 || fail "the signal was not taken"
pawl wait two --timeout 60s >"$work/out" 2>&1 && fail "what was refused has completed"
expect '@NAME@.refused'
stop_server
