// SPDX-License-Identifier: Apache-2.0
// Deterministic work for node; every line it prints is the result of one part.
'use strict';
const assert = require('assert');
const crypto = require('crypto');
const http = require('http');
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');

const REQUESTS = 500;

function digest(data) {
  return crypto.createHash('sha256').update(data).digest('hex');
}

function records(seed, count) {
  return Array.from({ length: count }, (_, i) => ({
    id: seed * count + i,
    name: `record ${(i * 2654435761) % 4294967296}`,
    nested: { list: [i, i * 2, `text ${i}`], even: i % 2 === 0 },
  }));
}

function json(seed) {
  let text = JSON.stringify(records(seed, 20000));
  for (let round = 0; round < 5; round++) text = JSON.stringify(JSON.parse(text).reverse());
  return digest(text);
}

function cipher() {
  const key = crypto.scryptSync('passphrase', 'salt', 32);
  const encrypt = crypto.createCipheriv('aes-256-gcm', key, Buffer.alloc(12));
  const plain = Buffer.alloc(4 << 20, 'some text to keep');
  const sealed = Buffer.concat([encrypt.update(plain), encrypt.final()]);
  const decrypt = crypto.createDecipheriv('aes-256-gcm', key, Buffer.alloc(12));
  decrypt.setAuthTag(encrypt.getAuthTag());
  assert(plain.equals(Buffer.concat([decrypt.update(sealed), decrypt.final()])));
  return digest(sealed);
}

function signatures() {
  const { publicKey, privateKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  for (let i = 0; i < 100; i++) {
    const message = Buffer.from(`message ${i}`);
    assert(crypto.verify('sha256', message, publicKey,
                         crypto.sign('sha256', message, privateKey)));
  }
  return '100 verified';
}

function work(seed) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(__filename, { workerData: seed });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

async function get(port, agent, path) {
  return new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port, agent, path }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => resolve(Buffer.concat(parts).toString()));
    }).on('error', reject);
  });
}

async function serve() {
  const server = http.createServer((request, response) => {
    response.end(JSON.stringify(records(Number(request.url.slice(1)), 20)));
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
  const answers = await Promise.all(Array.from(
    { length: REQUESTS }, (_, i) => get(server.address().port, agent, `/${i}`)));
  agent.destroy();
  server.close();
  answers.forEach((answer, i) => assert.deepStrictEqual(JSON.parse(answer), records(i, 20)));
  return digest(answers.join());
}

async function main() {
  console.log('json', json(0));
  console.log('cipher', cipher());
  console.log('signatures', signatures());
  console.log('workers', ...(await Promise.all([1, 2, 3, 4].map(work))));
  console.log('http', await serve());
}

if (isMainThread) {
  main();
} else {
  parentPort.postMessage(json(workerData));
}
