// Step results of 100 bytes that do not compress to nothing: drawn from a pool of random strings.
import { randomBytes } from 'node:crypto';

const pool = Array.from({ length: 1024 }, () => randomBytes(75).toString('base64'));
let next = 0;

export const value100 = () => pool[next++ & 1023];
