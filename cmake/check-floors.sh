#!/bin/sh
# check-floors.sh: includes may only point down: host -> worker, plugins -> abi. worker and plugins never see each other;
# plugins see abi/ alone (and rooms of their own floor); abi sees nothing. Prints every include that breaks this.
set -eu
cd "$(dirname "$0")/.."
bad=0

# refuse FLOOR PATTERN WHY: no file of the floor may include what matches.
refuse() {
    found=$(grep -rnE "^[[:space:]]*#[[:space:]]*include[[:space:]]+[\"<]($2)" "$1" --include='*.c' --include='*.h' || true)
    if [ -n "$found" ]; then
        printf '%s\n' "$found" | sed "s|\$|   <- $3|"
        bad=1
    fi
}

refuse abi '(\.\./)*(host|worker|plugins|pawl)/' 'abi/ stands alone'
refuse worker '(\.\./)*(host|plugins)/' 'the worker sees neither host nor plugins'
refuse worker 'pawl/pawl\.h' 'the worker does not see the embedding API'
refuse worker '(dlfcn|libfyaml|rocksdb/c|curl/|microhttpd)' 'the worker knows no dlopen, YAML, RocksDB or HTTP'
refuse plugins '(\.\./)*(host|worker)/' 'plugins see abi/ alone'
refuse plugins 'pawl/' 'plugins see abi/ alone'
refuse include '(\.\./)*(host|worker|plugins)/' 'public headers stand on abi/ alone'
refuse host/cli '(\.\./)*worker/|(\.\./)*plugins/|(\.\./)*host/(host|profile|loader|facets|assemble|view)' \
    'the CLI uses include/pawl/pawl.h and the API client alone'

refuse host/api '(\.\./)*plugins/|(\.\./)*worker/([a-z_]*\.h|activation|resident|effect)|(\.\./)*host/(loader/|cli/|[a-z_]*\.h)' \
    'the API stands on include/pawl, the profile and worker/base alone'
engine='(activation|effect/(cancel|context|core_table|effect_pool|guard)|journal|registry|resident|shard|timer|worker)'
for room in loader profile; do
    refuse "host/$room" "(\\.\\./)*plugins/|(\\.\\./)*worker/$engine|(\\.\\./)*host/(api/|cli/|[a-z_]*\\.h)" \
        "host/$room stands on worker/base and the words of worker/catalog.h and worker/retry.h alone"
done

refuse host/tester '(\.\./)*plugins/|(\.\./)*worker/(resident|worker\.h|shard\.h|registry)|(\.\./)*host/(api/|cli/|host|assemble)\.?h?["/]' \
    'host/tester stands on the loader, the profile reader and the deterministic core, and needs no host'

# No circles between the rooms of a floor: worker/base is under worker, plugins/store under the engines,
# plugins/connector under the connectors, and no engine or connector sees another.
refuse worker/base '(\.\./)+|worker/([a-z_]*\.h|activation|resident|effect)' 'worker/base stands under the worker'
refuse worker/activation 'worker/(resident|effect|worker\.h|shard\.h)' 'the deterministic core sees no thread, pool or store'
refuse worker/effect 'worker/(resident|activation|worker\.h|shard\.h)' 'an attempt knows nothing of processes that are held'
refuse plugins/store '(\.\./)*(memory|rocksdb)/|plugins/(memory|rocksdb)/' 'plugins/store stands under the engines'
refuse plugins/connector '(\.\./)+|plugins/(store|memory|rocksdb|http|file|exec)/' \
    'plugins/connector stands under the connectors'
for room in memory rocksdb http file exec; do
    others=$(printf '%s\n' memory rocksdb http file exec | grep -vx "$room" | paste -sd '|')
    refuse "plugins/$room" "(\\.\\./)*(plugins/)?($others)/" 'connectors and engines do not see each other'
done

[ "$bad" = 0 ] || { echo "check-floors: includes that do not point down"; exit 1; }
echo "check-floors: all includes point down"
