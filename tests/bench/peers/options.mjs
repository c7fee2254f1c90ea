// The command line: --name value, or --name alone for a flag. What nobody knows is an error that says what is known.

/** kinds: {name: 'flag' | 'number' | 'text' | 'list' | 'texts'}; 'texts' may be given again and again. Exits with 2. */
export function readOptions(args, kinds) {
    const options = {};
    const usage = (problem) => {
        process.stderr.write(`peers: ${problem}; known: ${Object.keys(kinds).map((name) => `--${name}`).join(' ')}\n`);
        process.exit(2);
    };
    for (let i = 0; i < args.length; i++) {
        const name = args[i].replace(/^--/, '');
        const kind = args[i].startsWith('--') ? kinds[name] : undefined;
        if (!kind)
            usage(`unknown argument ${args[i]}`);
        if (kind === 'flag') {
            options[name] = true;
            continue;
        }
        const value = args[++i];
        if (value === undefined || value.startsWith('--'))
            usage(`--${name} needs a value`);
        if (kind === 'number' && !(Number(value) >= 0))
            usage(`--${name} is "${value}"; wanted a number`);
        options[name] = {
            number: () => Number(value), text: () => value, list: () => value.split(','),
            texts: () => [...(options[name] ?? []), value],
        }[kind]();
    }
    return options;
}
