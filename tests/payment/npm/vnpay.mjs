// Reads orders and callbacks as JSON lines; writes what npm `vnpay` makes of each: its address, its verdict, the words it sends.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { VNPay, HashAlgorithm, ignoreLogger } from 'vnpay';

const sent = [];
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (part) => { body += part; });
  request.on('end', () => {
    sent.push(JSON.parse(body));
    response.setHeader('Content-Type', 'application/json');
    response.end('{"vnp_ResponseCode":"00"}');
  });
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const api = `http://127.0.0.1:${server.address().port}`;

const shop = ({ secret, code, host }) => new VNPay({
  tmnCode: code, secureSecret: secret, vnpayHost: host, queryDrAndRefundHost: api,
  hashAlgorithm: HashAlgorithm.SHA512, enableLog: false, loggerFn: ignoreLogger,
});
const acts = {
  pay: (one) => shop(one).buildPaymentUrl(one.words),
  ipn: (one) => shop(one).verifyIpnCall(one.words).isVerified,
  querydr: async (one) => { await shop(one).queryDr(one.words); return sent.pop(); },
  refund: async (one) => { await shop(one).refund(one.words); return sent.pop(); },
};
for await (const line of createInterface({ input: process.stdin })) {
  const one = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await acts[one.act](one))}\n`);
}
server.close();
