// A client system by oauth4webapi: one JSON object a line in, what came of it a line out. Every check is the library's.
import { createInterface } from 'node:readline'
import * as oauth from 'oauth4webapi'

const anyway = { [oauth.allowInsecureRequests]: true }

async function discovered(issuer) {
  const response = await oauth.discoveryRequest(new URL(issuer), { ...anyway, algorithm: 'oauth2' })
  return oauth.processDiscoveryResponse(new URL(issuer), response)
}

async function proof({ method, secret, jwk, kid, assertion }) {
  if (method === 'client_secret_basic') return oauth.ClientSecretBasic(secret)
  if (method === 'client_secret_post') return oauth.ClientSecretPost(secret)
  const algorithm = { EC: { name: 'ECDSA', namedCurve: jwk.crv }, OKP: { name: 'Ed25519' } }[jwk.kty]
    ?? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign'])
  const change = (_header, payload) => Object.assign(payload, assertion)
  return oauth.PrivateKeyJwt({ key, kid }, { [oauth.modifyAssertion]: change })
}

async function act({ issuer, client_id, scope, call, audience, ...how }) {
  const as = await discovered(issuer)
  if (!as.token_endpoint_auth_methods_supported.includes(how.method)) throw new Error(`not offered: ${how.method}`)
  const client = { client_id }
  const parameters = new URLSearchParams(scope ? { scope } : {})
  const asked = await oauth.clientCredentialsGrantRequest(as, client, await proof(how), parameters, anyway)
  const token = await oauth.processClientCredentialsResponse(as, client, asked)
  const headers = new Headers({ authorization: `Bearer ${token.access_token}` })
  const claims = await oauth.validateJwtAccessToken(as, new Request(call, { headers }), audience, anyway)
  const answer = await oauth.protectedResourceRequest(token.access_token, 'GET', new URL(call), undefined, null, anyway)
  const resource = new URL(issuer)
  const found = await oauth.processResourceDiscoveryResponse(
    resource, await oauth.resourceDiscoveryRequest(resource, anyway))
  return { token, claims, status: answer.status, servers: found.authorization_servers, methods: as.token_endpoint_auth_methods_supported }
}

for await (const line of createInterface({ input: process.stdin })) {
  let out
  try {
    out = await act(JSON.parse(line))
  } catch (error) {
    out = { error: error.error ?? error.message, code: error.code, status: error.status ?? error.cause?.status,
            challenge: error.cause?.[0]?.scheme }
  }
  console.log(JSON.stringify(out))
}
