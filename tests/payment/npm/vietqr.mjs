// Reads transfers as JSON lines; writes the payload that npm `vietnam-qr-pay` builds, and what it decodes of ours.
import { createInterface } from 'node:readline';
import { QRPay } from 'vietnam-qr-pay';

for await (const line of createInterface({ input: process.stdin })) {
  const { bin, account, amount, purpose, ours } = JSON.parse(line);
  const built = QRPay.initVietQR({ bankBin: bin, bankNumber: account, amount, purpose }).build();
  const read = new QRPay(ours);
  const decoded = {
    valid: read.isValid, bin: read.consumer.bankBin, account: read.consumer.bankNumber, amount: read.amount,
    purpose: read.additionalData.purpose, currency: read.currency, nation: read.nation, service: read.provider.service,
  };
  process.stdout.write(`${JSON.stringify({ built, decoded })}\n`);
}
