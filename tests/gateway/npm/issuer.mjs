// An OpenID issuer by oauth2-mock-server; says its address, then the claims it is told go into every token.
import { createInterface } from 'node:readline'
import { OAuth2Server } from 'oauth2-mock-server'

const server = new OAuth2Server()
await server.issuer.keys.generate('RS256')
await server.start(0, '127.0.0.1')
server.issuer.url = `http://127.0.0.1:${server.address().port}`
console.log(server.issuer.url)
for await (const line of createInterface({ input: process.stdin })) {
  const told = JSON.parse(line)
  server.service.removeAllListeners('beforeTokenSigning')
  server.service.on('beforeTokenSigning', (token) => Object.assign(token.payload, told))
  console.log('ready')
}
await server.stop()
