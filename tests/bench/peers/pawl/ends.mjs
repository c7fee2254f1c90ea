// The stream of ends (GET /v1/ends): one line of JSON for each process that ends, over one connection for as long as it
// stands. Whoever waits for an end must ask before the process is started; what the stream missed is asked for by id.
import { connect } from 'node:net';

import { closedLoop } from '../library/statistics.mjs';

const ASKED_AT_ONCE = 64;

export class Ends {
    /** Of processes of this type; ask(id) resolves to the outcome of one, for what the stream did not say. */
    constructor(socketPath, type, ask) {
        this.ask = ask;
        this.waiting = new Map();
        this.received = '';
        this.line = '';
        this.opened = new Promise((resolve, reject) => { this.listening = resolve; this.refused = reject; });
        this.socket = connect(socketPath);
        this.socket.setEncoding('latin1'); // bytes as characters: sizes of chunks count them
        this.socket.write(`GET /v1/ends?type=${type} HTTP/1.1\r\nHost: pawl\r\n\r\n`);
        this.socket.on('data', (text) => { this.received += text; this.inBody ? this.takeChunks() : this.takeHead(); });
        this.socket.on('error', (error) => this.fail(error));
        this.socket.on('close', () => this.fail(new Error('the stream of ends was closed')));
    }

    /** Resolves to the outcome of the process, which has not been started yet. */
    of(id) {
        return this.broken ? Promise.reject(this.broken)
            : new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
    }

    close() {
        this.socket.destroy();
    }

    fail(error) {
        this.broken ??= error;
        this.refused(error);
        for (const { reject } of this.waiting.values())
            reject(error);
        this.waiting.clear();
    }

    takeHead() {
        const end = this.received.indexOf('\r\n\r\n');
        if (end < 0)
            return;
        const head = this.received.slice(0, end);
        this.received = this.received.slice(end + 4);
        this.inBody = true;
        if (!/^HTTP\/1\.1 200 /.test(head) || !/^transfer-encoding: *chunked/im.test(head))
            return this.socket.destroy(new Error(`not a stream of ends: ${head}`));
        this.takeChunks();
    }

    takeChunks() {
        let at = 0;
        for (;;) {
            const sizeEnd = this.received.indexOf('\r\n', at);
            const begin = sizeEnd + 2;
            const size = sizeEnd < 0 ? NaN : parseInt(this.received.slice(at, sizeEnd), 16);
            if (!(begin + size + 2 <= this.received.length))
                break;
            this.line += this.received.slice(begin, begin + size);
            at = begin + size + 2;
        }
        this.received = this.received.slice(at);
        const lines = this.line.split('\n');
        this.line = lines.pop();
        for (const line of lines)
            this.takeLine(JSON.parse(line));
    }

    takeLine(said) {
        const waiting = this.waiting.get(said.id);
        if (waiting) {
            this.waiting.delete(said.id);
            waiting.resolve(said);
        } else if (said.heartbeat) {
            this.listening();
        } else if (said.lagged) {
            const missed = [...this.waiting];
            this.waiting.clear();
            closedLoop(missed.length, ASKED_AT_ONCE, (i) => {
                const [id, { resolve, reject }] = missed[i];
                return this.ask(id).then(resolve, reject);
            });
        }
    }
}
