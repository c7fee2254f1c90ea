// A client of the HTTP API over its Unix socket, light enough that a load generator in Node is not what is measured: bare
// sockets kept alive, one request at a time on each, starts that wait together sent as one batch.
import { connect } from 'node:net';

import { Ends } from './ends.mjs';

const BATCH_MAX = 1000;          // of POST /v1/processes
const START_CONNECTIONS = 2;     // one batch is on its way while the next one gathers
const WAIT_TIMEOUT_MS = 60000;

/** One connection: request() resolves to {status, body}. The caller sends the next one when the last is answered. */
class Connection {
    constructor(socketPath) {
        this.received = '';
        this.pending = null;
        this.socket = connect(socketPath);
        this.socket.setEncoding('latin1'); // bytes as characters, so that Content-Length counts them
        this.socket.on('data', (text) => { this.received += text; this.take(); });
        this.socket.on('error', (error) => this.fail(error));
        this.socket.on('close', () => this.fail(new Error('the server closed the connection')));
    }

    fail(error) {
        this.broken = error;
        this.pending?.reject(error);
        this.pending = null;
    }

    request(method, target, body = '') {
        if (this.broken)
            return Promise.reject(this.broken);
        const length = body ? `Content-Length: ${Buffer.byteLength(body)}\r\n` : '';
        return new Promise((resolve, reject) => {
            this.pending = { resolve, reject };
            this.socket.write(`${method} ${target} HTTP/1.1\r\nHost: pawl\r\n${length}\r\n${body}`);
        });
    }

    take() {
        const end = this.received.indexOf('\r\n\r\n');
        if (end < 0)
            return;
        const head = this.received.slice(0, end);
        const length = /^content-length: *(\d+)/im.exec(head);
        const size = end + 4 + (length ? +length[1] : 0);
        if (this.received.length < size)
            return;
        const answer = { status: +head.slice(9, 12), body: this.received.slice(end + 4, size) };
        const pending = this.pending;
        this.received = this.received.slice(size);
        this.pending = null;
        pending.resolve(answer);
    }
}

export class PawlClient {
    constructor(socketPath) {
        this.socketPath = socketPath;
        this.idle = [];
        this.ends = new Map();
        this.starts = [];
        this.batchesOnTheirWay = 0;
        this.sendScheduled = false;
    }

    async request(method, target, body) {
        const connection = this.idle.pop() ?? new Connection(this.socketPath);
        const answer = await connection.request(method, target, body);
        this.idle.push(connection);
        if (answer.status >= 300)
            throw new Error(`${method} ${target}: ${answer.status} ${answer.body.slice(0, 300)}`);
        return answer;
    }

    /** Resolves when the start is durable. spec: {type, id, input_text}. */
    start(spec) {
        return new Promise((resolve, reject) => {
            this.starts.push({ spec, resolve, reject });
            this.sendSoon();
        });
    }

    // All that ask in one turn of the event loop share a batch.
    sendSoon() {
        if (this.sendScheduled || this.batchesOnTheirWay >= START_CONNECTIONS)
            return;
        this.sendScheduled = true;
        setImmediate(() => {
            this.sendScheduled = false;
            this.sendBatch(this.starts.splice(0, BATCH_MAX));
            if (this.starts.length > 0)
                this.sendSoon();
        });
    }

    async sendBatch(batch) {
        this.batchesOnTheirWay++;
        try {
            const body = JSON.stringify({ batch: batch.map(({ spec }) => spec) });
            const { results } = JSON.parse((await this.request('POST', '/v1/processes', body)).body);
            results.forEach((result, i) => result.error
                ? batch[i].reject(new Error(`start: ${JSON.stringify(result.error)}`)) : batch[i].resolve(result));
        } catch (error) {
            for (const { reject } of batch)
                reject(error);
        }
        this.batchesOnTheirWay--;
        if (this.starts.length > 0)
            this.sendSoon();
    }

    /** The stream of ends of processes of this type, listening: kept, so that all may share it. */
    async endsOf(type) {
        if (!this.ends.has(type))
            this.ends.set(type, new Ends(this.socketPath, type, (id) => this.ended(id)));
        const ends = this.ends.get(type);
        await ends.opened;
        return ends;
    }

    /** Resolves to the outcome once the process has ended, however long that takes; any process, at a request each. */
    async ended(id) {
        for (;;) {
            const { status, body } = await this.request('GET', `/v1/processes/${id}/wait?timeout_ms=${WAIT_TIMEOUT_MS}`);
            if (status === 200)
                return JSON.parse(body);
        }
    }

    /** Nothing may be on its way. */
    close() {
        for (const connection of this.idle)
            connection.socket.destroy();
        for (const ends of this.ends.values())
            ends.close();
        this.idle = [];
        this.ends.clear();
    }

    /** Resolves when the signal is durable. */
    signal(id, name, payload) {
        return this.request('POST', `/v1/processes/${id}/signals`, JSON.stringify({ name, payload, id: name }));
    }
}
